//! The PROXY protocol, versions 1 and 2 (HAProxy's `proxy-protocol.txt`): where a client is that a proxy speaks for.
//!
//! In: a stream of which nothing was read. Out: the client's address, and a stream that stands exactly behind the header:
//! what follows in the same segment stays unread. Only listeners whose proxies are named look for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How long the header may take.
pub const LIMIT: Duration = Duration::from_secs(2);
/// Largest header, in bytes.
const HEADER_MAX: usize = 536;

const V1_START: &[u8; 6] = b"PROXY ";
/// Longest header of version 1, CR LF included.
const V1_MAX: usize = 107;
const V2_START: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("connection failed in the PROXY header")]
    Io(#[from] std::io::Error),
    #[error("no PROXY header where one is required")]
    Missing,
    #[error("PROXY header is malformed")]
    Malformed,
}

/// Reads the header. `None`: the proxy speaks for itself (a health check).
pub async fn source<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<Option<SocketAddr>, ProxyError> {
    let mut start = [0; V1_START.len()];
    stream.read_exact(&mut start).await?;
    if start == *V1_START {
        return version_1(stream).await;
    }
    if V2_START.starts_with(&start) {
        return version_2(stream).await;
    }
    Err(ProxyError::Missing)
}

/// One line of text. Byte by byte: what follows belongs to TLS.
async fn version_1<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<SocketAddr>, ProxyError> {
    let mut line = Vec::with_capacity(V1_MAX);
    while !line.ends_with(b"\r\n") {
        if line.len() + V1_START.len() >= V1_MAX {
            return Err(ProxyError::Malformed);
        }
        line.push(stream.read_u8().await?);
    }
    let text = std::str::from_utf8(&line).map_err(|_| ProxyError::Malformed)?;
    parse_line(text.trim_end_matches("\r\n")).ok_or(ProxyError::Malformed)
}

/// `TCP4 source destination port port`, or `UNKNOWN` and anything.
fn parse_line(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let source: IpAddr = words.next()?.parse().ok()?;
    let destination: IpAddr = words.next()?.parse().ok()?;
    let port = words.next()?.parse().ok()?;
    let _destination_port: u16 = words.next()?.parse().ok()?;
    let is_of_family = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    (is_of_family && words.next().is_none()).then_some(Some(SocketAddr::new(source, port)))
}

async fn version_2<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<SocketAddr>, ProxyError> {
    let mut fixed = [0; V2_FIXED - V1_START.len()];
    stream.read_exact(&mut fixed).await?;
    let [_, _, _, _, _, _, command, family, high, low] = fixed;
    if fixed.get(..6) != V2_START.get(6..) {
        return Err(ProxyError::Missing);
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > HEADER_MAX - V2_FIXED {
        return Err(ProxyError::Malformed);
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (command, family) {
        (0x20, _) => Ok(None),
        (0x21, 0x11) => address_4(&rest).ok_or(ProxyError::Malformed).map(Some),
        (0x21, 0x21) => address_6(&rest).ok_or(ProxyError::Malformed).map(Some),
        _ => Err(ProxyError::Malformed),
    }
}

/// Source, destination, source port, destination port; what follows is not looked at.
fn address_4(bytes: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 4] = *bytes.first_chunk()?;
    let port: [u8; 2] = bytes.get(8..12)?.first_chunk().copied()?;
    Some(SocketAddr::from((
        Ipv4Addr::from(ip),
        u16::from_be_bytes(port),
    )))
}

fn address_6(bytes: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 16] = *bytes.first_chunk()?;
    let port: [u8; 2] = bytes.get(32..36)?.first_chunk().copied()?;
    Some(SocketAddr::from((
        Ipv6Addr::from(ip),
        u16::from_be_bytes(port),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> (Result<Option<SocketAddr>, ProxyError>, usize) {
        let mut rest = bytes;
        let outcome = source(&mut rest).await;
        (outcome, rest.len())
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&V2_START[..], &[command, family], &length, body].concat()
    }

    #[tokio::test]
    async fn both_versions_tell_the_address_and_leave_what_follows() {
        let four = [&[10, 0, 0, 7, 10, 0, 0, 1][..], &[0x30, 0x39, 0x23, 0x86]].concat();
        let mut six = vec![0; 36];
        six[15] = 1;
        six[32..34].copy_from_slice(&[0x30, 0x39]);
        let headers = [
            (
                b"PROXY TCP4 10.0.0.7 10.0.0.1 12345 9094\r\n".to_vec(),
                "10.0.0.7:12345",
            ),
            (b"PROXY TCP6 ::1 ::2 12345 9094\r\n".to_vec(), "[::1]:12345"),
            (v2(0x21, 0x11, &four), "10.0.0.7:12345"),
            (v2(0x21, 0x21, &six), "[::1]:12345"),
        ];
        for (mut header, expected) in headers {
            header.extend([0x16, 3, 1]);
            let (outcome, left) = read(&header).await;
            assert_eq!(outcome.unwrap(), Some(expected.parse().unwrap()));
            assert_eq!(left, 3);
        }
    }

    #[tokio::test]
    async fn proxy_that_speaks_for_itself_names_nobody() {
        for header in [b"PROXY UNKNOWN\r\n".to_vec(), v2(0x20, 0, &[])] {
            assert_eq!(read(&header).await.0.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let long = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
        let wrong: [Vec<u8>; 9] = [
            vec![0x16, 3, 1, 2, 0, 1, 0, 1],
            b"PROXY TCP4 10.0.0.7\r\n".to_vec(),
            b"PROXY TCP4 ::1 ::2 1 2\r\n".to_vec(),
            b"PROXY TCP4 10.0.0.7 10.0.0.1 1 2 3\r\n".to_vec(),
            b"PROXY TCP4 10.0.0.7 10.0.0.1 70000 2\r\n".to_vec(),
            long,
            v2(0x21, 0x11, &[1, 2, 3]),
            v2(0x31, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 521]),
        ];
        for header in wrong {
            assert!(read(&header).await.0.is_err(), "{header:?}");
        }
    }
}
