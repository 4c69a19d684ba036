//! TLS handshakes that fail: what is written down, with reason and peer.

use std::time::Duration;

use kastellan_core::time::Clock;
use tokio::net::TcpStream;
use wire::message::ApiVersionsRequest;
use wire::sasl::Mechanism;

use crate::peer::{Client, framed};
use crate::world::{Door, PASSWORD, World};

/// Reasons that the trail was told so far, once there are `count`.
async fn reasons(world: &World, count: usize) -> Vec<String> {
    for _ in 0..1_000 {
        let told = world.trail.told("auth.handshake");
        if told.len() >= count {
            return told.into_iter().filter_map(|(_, why)| why).collect();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!(
        "{count} are not told: {:?}",
        world.trail.told("auth.handshake")
    );
}

async fn raw(world: &World, door: Door, bytes: &[u8]) -> Client {
    let stream = TcpStream::connect(world.address(door)).await.unwrap();
    let mut client = Client::over(stream);
    client.write(bytes).await;
    client
}

#[tokio::test]
async fn failed_handshakes_are_written_down_with_their_reason() {
    let (world, other) = (World::new().await, World::new().await);
    let now = Clock::system().now();
    let good = world.ca.issue_client("alice", now).unwrap();
    let revoked = world.ca.issue_client("alice", now).unwrap();
    world.revoke_certificate(&revoked);
    let ancient = now - Duration::from_secs(10 * 365 * 86_400);
    let expired = world.ca.issue_client("alice", ancient).unwrap();
    let stranger = other.ca.issue_client("alice", now).unwrap();
    let mut let_in = world.certified(&good).await.unwrap();
    assert!(let_in.is_served().await);

    let mut expected = Vec::new();
    for (shown, reason) in [
        (Some(&revoked), "revoked"),
        (Some(&expired), "expired"),
        (Some(&stranger), "unknown_ca"),
        (None, "no_certificate"),
    ] {
        let stream = TcpStream::connect(world.address(Door::Ssl)).await.unwrap();
        if let Ok(mut client) = world.shake(stream, shown).await {
            assert!(!client.is_served().await, "{reason}");
        }
        expected.push(reason);
        assert_eq!(reasons(&world, expected.len()).await, expected);
    }
    let kafka = framed(1, 3, &ApiVersionsRequest::default());
    for (bytes, reason) in [
        (&kafka[..], "plaintext_client"),
        (b"GET / HTTP/1.1\r\n\r\n", "http_client"),
        (b"\x16\x03\x01\x00\x05hello", "malformed"),
    ] {
        for door in [Door::SaslSsl, Door::Ssl] {
            assert!(raw(&world, door, bytes).await.is_ended().await);
            expected.push(reason);
            assert_eq!(reasons(&world, expected.len()).await, expected);
        }
    }
    let stream = TcpStream::connect(world.address(Door::SaslSsl)).await;
    assert!(other.shake(stream.unwrap(), None).await.is_err());
    expected.push("refused_by_client");
    assert_eq!(reasons(&world, expected.len()).await, expected);
    assert!(let_in.is_served().await);
    let sources = world.trail.sources();
    assert!(
        sources.iter().all(|source| source == "127.0.0.1"),
        "{sources:?}"
    );
    assert_eq!(world.behind.seen().len(), 2);
}

#[tokio::test]
async fn tls_and_http_on_a_clear_text_listener_are_written_down() {
    let world = World::new().await;
    for (bytes, reason) in [
        (&b"\x16\x03\x01\x02\x00\x01"[..], "tls_client"),
        (b"POST / HTTP/1.1\r\n\r\n", "http_client"),
    ] {
        assert!(raw(&world, Door::Sasl, bytes).await.is_closed().await);
        let told = reasons(&world, 1).await;
        assert_eq!(told.last().map(String::as_str), Some(reason));
        world.trail.forget();
    }
    let mut client = world.client(Door::Sasl).await;
    let verdict = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 0);
}

/// Health checks and port scans.
#[tokio::test]
async fn client_that_goes_away_without_a_word_is_not_written_down() {
    let world = World::new().await;
    for door in [Door::SaslSsl, Door::Ssl, Door::Sasl] {
        drop(TcpStream::connect(world.address(door)).await.unwrap());
    }
    assert!(world.is_empty_within(Duration::from_secs(10)).await);
    raw(&world, Door::SaslSsl, b"GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(reasons(&world, 1).await, ["http_client"]);
}
