//! Bytes that are no Kafka, or too much of it.

use std::time::Duration;

use wire::message::ApiVersionsRequest;

use crate::peer::{beat, framed};
use crate::world::{Door, World};

/// The length and key of a request, and nothing behind them.
fn promise(length: i32, key: i16) -> Vec<u8> {
    [&length.to_be_bytes()[..], &key.to_be_bytes(), &[0, 4]].concat()
}

#[tokio::test]
async fn answers_a_frame_that_comes_byte_by_byte() {
    let world = World::new().await;
    let mut client = world.client(Door::Open).await;
    for byte in framed(1, 4, &beat(7)) {
        client.write(&[byte]).await;
    }
    let (id, answer) = client
        .receive::<wire::message::HeartbeatRequest>(4)
        .await
        .unwrap();
    assert_eq!((id, answer.throttle_time_ms), (1, 7));
}

#[tokio::test]
async fn closes_tls_hello_on_plaintext_listener() {
    let world = World::new().await;
    for door in [Door::Open, Door::Sasl] {
        let mut client = world.client(door).await;
        client
            .write(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 9, 9, 9, 9, 9])
            .await;
        assert!(client.is_closed().await, "{door:?}");
    }
}

#[tokio::test]
async fn closes_plaintext_client_on_tls_listener() {
    let world = World::new().await;
    for door in [Door::SaslSsl, Door::Ssl] {
        let stream = tokio::net::TcpStream::connect(world.address(door));
        let mut client = crate::peer::Client::over(stream.await.unwrap());
        client
            .write(&framed(1, 0, &ApiVersionsRequest::default()))
            .await;
        let answer = client.receive_frame().await;
        assert!(answer.is_none(), "{door:?}");
        assert!(world.is_empty_within(Duration::from_secs(2)).await);
    }
}

#[tokio::test]
async fn closes_on_garbage_and_serves_others() {
    let world = World::new().await;
    let mut other = world.client(Door::Open).await;
    let garbage: [&[u8]; 7] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0xff; 32],
        &[0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 7, 0, 12, 0, 4, 0, 0, 0],
        &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 4],
        // A client id that is longer than the frame.
        &[0, 0, 0, 10, 0, 12, 0, 3, 0, 0, 0, 1, 0x40, 0],
        // A key that there is not.
        &[0, 0, 0, 10, 0x30, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
    ];
    for bytes in garbage {
        for door in [Door::Open, Door::Sasl] {
            let mut client = world.client(door).await;
            client.write(bytes).await;
            assert!(client.is_closed().await, "{door:?} {bytes:?}");
        }
        assert!(other.is_served().await);
    }
}

#[tokio::test]
async fn closes_when_the_length_is_above_the_cap_and_not_before() {
    let world = World::with(|limits, _| {
        limits.frame_max_produce = 1_000;
        limits.frame_max_other = 500;
    })
    .await;
    for (key, cap) in [(0, 1_000), (12, 500)] {
        let mut above = world.client(Door::Open).await;
        above.write(&promise(cap + 1, key)).await;
        assert!(above.is_closed().await, "{key}");
        let mut within = world.client(Door::Open).await;
        within.write(&promise(cap, key)).await;
        let waits = tokio::time::timeout(Duration::from_millis(100), within.is_closed()).await;
        assert!(waits.is_err(), "the rest may come");
    }
}

#[tokio::test]
async fn before_login_64_kib_are_too_much() {
    let world = World::new().await;
    for (length, key) in [((64 << 10) + 1, 36), ((4 << 10) + 1, 18), (100 << 20, 0)] {
        let mut client = world.client(Door::Sasl).await;
        client.write(&promise(length, key)).await;
        assert!(client.is_closed().await, "{key}");
    }
}
