//! Where a request comes from, compared as Kafka compares it: as text.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The textual address of a peer, as Java prints it (`InetAddress.getHostAddress`): dotted quad; IPv4-mapped
/// IPv6 as IPv4; other IPv6 as eight groups without compression.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Host {
    ip: IpAddr,
    text: Arc<str>,
}

impl Host {
    pub fn new(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let text = match ip {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => v6.segments().map(|group| format!("{group:x}")).join(":"),
        };
        Self {
            ip,
            text: text.into(),
        }
    }

    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The host field of a rule. Any text is kept as it was written; text in another spelling than [`Host`]'s
/// matches nobody, as in Kafka. A text with `/` is a CIDR block (Kafka 4.4 and later).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    Any,
    Exact(Arc<str>),
    Block(Cidr),
}

/// An address block; `text` is what was written and is what listings show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
    text: Arc<str>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostSyntax {
    #[error("a host may not be empty: write * for any")]
    Empty,
    #[error("{0:?} is not a CIDR block")]
    Cidr(String),
}

impl HostPattern {
    pub fn parse(text: &str) -> Result<Self, HostSyntax> {
        match text {
            "" => Err(HostSyntax::Empty),
            "*" => Ok(Self::Any),
            block if block.contains('/') => Cidr::parse(block).map(Self::Block),
            exact => Ok(Self::Exact(exact.into())),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Exact(text) => text,
            Self::Block(block) => &block.text,
        }
    }

    pub fn covers(&self, host: &Host) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(text) => **text == *host.text,
            Self::Block(block) => block.contains(host.ip),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cidr {
    pub fn parse(text: &str) -> Result<Self, HostSyntax> {
        let bad = || HostSyntax::Cidr(text.to_owned());
        let (address, bits) = text.split_once('/').ok_or_else(bad)?;
        let network: IpAddr = address.parse().map_err(|_| bad())?;
        if bits.is_empty() || !bits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let bits: u8 = bits.parse().map_err(|_| bad())?;
        let widest = if network.is_ipv4() { 32 } else { 128 };
        if bits > widest {
            return Err(bad());
        }
        Ok(Self {
            network,
            bits,
            text: text.into(),
        })
    }

    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.network, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(self.bits);
                (u64::from(net.to_bits()) >> shift) == (u64::from(ip.to_bits()) >> shift)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(self.bits);
                net.to_bits().checked_shr(shift).unwrap_or(0)
                    == ip.to_bits().checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        Host::new(text.parse().unwrap())
    }

    #[test]
    fn prints_addresses_as_java_does() {
        assert_eq!(host("::ffff:10.0.0.1").as_str(), "10.0.0.1");
        assert_eq!(host("2001:db8::1").as_str(), "2001:db8:0:0:0:0:0:1");
    }

    #[test]
    fn compares_as_text() {
        assert!(
            HostPattern::parse("10.0.0.1")
                .unwrap()
                .covers(&host("::ffff:10.0.0.1"))
        );
        assert!(!HostPattern::parse("::1").unwrap().covers(&host("::1")));
        assert!(
            HostPattern::parse("0:0:0:0:0:0:0:1")
                .unwrap()
                .covers(&host("::1"))
        );
    }

    #[test]
    fn block_covers_its_addresses_only() {
        let block = HostPattern::parse("10.1.0.0/16").unwrap();
        assert!(block.covers(&host("10.1.2.3")) && !block.covers(&host("10.2.0.1")));
        assert!(
            HostPattern::parse("0.0.0.0/0")
                .unwrap()
                .covers(&host("9.9.9.9"))
        );
        assert!(HostPattern::parse("::/0").unwrap().covers(&host("::1")));
        assert_eq!(
            HostPattern::parse("10.0.0.0/99"),
            Err(HostSyntax::Cidr("10.0.0.0/99".into()))
        );
        assert_eq!(HostPattern::parse(""), Err(HostSyntax::Empty));
    }
}
