//! Clients behind a proxy that says whom it speaks for.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use wire::sasl::Mechanism;

use crate::peer::Client;
use crate::world::{Door, PASSWORD, World};

const HEADER: &[u8] = b"PROXY TCP4 203.0.113.9 127.0.0.1 40000 9094\r\n";

/// Sends the header in one piece with the first bytes written.
struct Prefixed {
    stream: TcpStream,
    header: Vec<u8>,
    sent: usize,
}

impl AsyncRead for Prefixed {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.header.is_empty() {
            return Pin::new(&mut this.stream).poll_write(context, bytes);
        }
        if this.sent == 0 {
            this.header.extend_from_slice(bytes);
        }
        while this.sent < this.header.len() {
            let rest = &this.header[this.sent..];
            match Pin::new(&mut this.stream).poll_write(context, rest) {
                Poll::Ready(Ok(count)) => this.sent += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        this.header.clear();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

async fn connect(world: &World, door: Door) -> TcpStream {
    TcpStream::connect(world.address(door)).await.unwrap()
}

#[tokio::test]
async fn tls_hello_in_proxy_segment_is_read() {
    let world = World::new().await;
    let stream = Prefixed {
        stream: connect(&world, Door::Proxied).await,
        header: HEADER.to_vec(),
        sent: 0,
    };
    let mut client = world.shake(stream, None).await.unwrap();
    client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert!(client.is_served().await);
    assert_eq!(world.trail.sources(), ["203.0.113.9"]);
}

#[tokio::test]
async fn client_that_sends_no_header_is_closed() {
    let world = World::new().await;
    let stream = connect(&world, Door::Proxied).await;
    assert!(world.shake(stream, None).await.is_err());
    let mut silent = Client::over(connect(&world, Door::Proxied).await);
    assert!(silent.is_closed().await, "after two seconds");
}

#[tokio::test]
async fn header_from_an_untrusted_peer_is_closed() {
    let world = World::new().await;
    let mut stream = connect(&world, Door::Stranger).await;
    let _ = stream.write_all(HEADER).await;
    assert!(Client::over(stream).is_closed().await);
}

#[tokio::test]
async fn header_on_a_listener_without_proxies_is_closed() {
    let world = World::new().await;
    for door in [Door::SaslSsl, Door::Sasl] {
        let mut stream = connect(&world, door).await;
        stream.write_all(HEADER).await.unwrap();
        let mut client = Client::over(stream);
        let answer = client.receive_frame().await;
        assert!(answer.is_none(), "{door:?}");
    }
    assert_eq!(world.status().sessions(), 0);
}

#[tokio::test]
async fn guesses_count_for_the_client_and_not_for_its_proxy() {
    let world = World::new().await;
    for (address, failures) in [("203.0.113.9", 10), ("203.0.113.10", 1)] {
        let header = format!("PROXY TCP4 {address} 127.0.0.1 40000 9094\r\n");
        for _ in 0..failures {
            let mut stream = connect(&world, Door::Proxied).await;
            stream.write_all(header.as_bytes()).await.unwrap();
            let mut client = world.shake(stream, None).await.unwrap();
            let user = "nobody";
            let verdict = client.log_in(Mechanism::Plain, user, "wrong").await;
            assert_eq!(verdict.unwrap().error_code, 58, "{address}");
        }
    }
    let mut stream = connect(&world, Door::Proxied).await;
    stream.write_all(HEADER).await.unwrap();
    assert!(world.shake(stream, None).await.is_err());
}
