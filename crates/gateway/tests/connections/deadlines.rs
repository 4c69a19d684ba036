//! Peers that take their time.

use std::time::Duration;

use tokio::time::Instant;
use wire::message::{ApiVersionsRequest, HeartbeatRequest};
use wire::sasl::Mechanism;

use crate::peer::{Client, beat, framed};
use crate::world::{Door, PASSWORD, World};

const SHORT: Duration = Duration::from_millis(200);

/// How long the gateway bears with a client that writes one byte at a time and stops before the last.
async fn dribble(client: &mut Client, bytes: &[u8], pause: Duration) -> Duration {
    let started = Instant::now();
    for byte in &bytes[..bytes.len() - 1] {
        client.write(&[*byte]).await;
        tokio::time::sleep(pause).await;
        if started.elapsed() > SHORT * 2 {
            break;
        }
    }
    assert!(client.is_closed().await);
    started.elapsed()
}

#[tokio::test]
async fn frame_that_dribbles_is_closed_at_its_deadline() {
    let world = World::with(|_, deadlines| deadlines.frame = SHORT).await;
    let mut client = world.client(Door::Open).await;
    let bytes = framed(1, 4, &beat(1));
    let borne = dribble(&mut client, &bytes, Duration::from_millis(20)).await;
    assert!(borne < Duration::from_secs(2), "{borne:?}");
    let mut brisk = world.client(Door::Open).await;
    assert!(brisk.is_served().await);
}

#[tokio::test]
async fn login_that_dribbles_is_closed_at_its_deadline() {
    let world = World::with(|_, deadlines| deadlines.sasl_round = SHORT).await;
    for door in [Door::Sasl, Door::SaslSsl] {
        let mut client = world.client(door).await;
        let bytes = framed(1, 3, &ApiVersionsRequest::default());
        let borne = dribble(&mut client, &bytes, Duration::from_millis(20)).await;
        assert!(borne < Duration::from_secs(2), "{borne:?}");
    }
}

#[tokio::test]
async fn client_that_says_nothing_is_closed_before_login() {
    let world = World::with(|_, deadlines| deadlines.first_byte = SHORT).await;
    for door in [Door::Sasl, Door::SaslSsl] {
        let started = Instant::now();
        assert!(world.client(door).await.is_closed().await);
        assert!(started.elapsed() >= SHORT);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn tls_handshake_that_never_comes_is_closed() {
    let world = World::with(|_, deadlines| deadlines.tls_handshake = SHORT).await;
    for door in [Door::Ssl, Door::SaslSsl] {
        let stream = tokio::net::TcpStream::connect(world.address(door)).await;
        let started = Instant::now();
        let mut client = Client::over(stream.unwrap());
        assert!(client.is_closed().await);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn whole_login_has_a_deadline_however_busy_the_client() {
    let world = World::with(|_, deadlines| deadlines.login = SHORT * 2).await;
    let mut client = world.client(Door::Sasl).await;
    let started = Instant::now();
    client.greet("SCRAM-SHA-512").await.unwrap();
    assert!(client.is_closed().await);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn idle_client_is_closed_and_a_waiting_one_is_not() {
    let world = World::with(|_, deadlines| deadlines.idle = SHORT).await;
    let mut idle = world.client(Door::Open).await;
    assert!(idle.is_served().await);
    assert!(idle.is_closed().await);

    world.behind.hold_answers();
    let mut waiting = world.client(Door::Open).await;
    waiting.send(4, &beat(3)).await;
    tokio::time::sleep(SHORT * 3).await;
    world.behind.release_answers();
    let (_, answer) = waiting.receive::<HeartbeatRequest>(4).await.unwrap();
    assert_eq!(answer.throttle_time_ms, 3);
}

#[tokio::test]
async fn silent_session_is_closed_some_time_after_its_end() {
    let world = World::with(|_, deadlines| {
        deadlines.session_max = SHORT;
        deadlines.session_grace = SHORT;
    })
    .await;
    let mut client = world.client(Door::SaslSsl).await;
    let verdict = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 0);
    let started = Instant::now();
    assert!(client.is_closed_in_order().await);
    assert!(started.elapsed() >= SHORT, "and not at once");
    assert_eq!(
        world.trail.told("auth.session_ended")[0].1.as_deref(),
        Some("expired")
    );

    world.behind.hold_answers();
    let mut waiting = world.client(Door::SaslSsl).await;
    waiting.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    waiting.send(4, &beat(1)).await;
    assert!(waiting.is_closed().await, "also while it waits");
}

#[tokio::test]
async fn drain_ends_logins_under_way() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    client.greet("PLAIN").await.unwrap();
    let drained =
        tokio::time::timeout(Duration::from_secs(2), world.drain(Duration::from_secs(10)));
    assert!(drained.await.is_ok());
    assert!(client.is_closed().await);
}

/// What comes faster than a listener takes it waits in the backlog.
#[tokio::test]
async fn clients_above_the_rate_of_a_listener_wait_and_are_served() {
    let world = World::with(|limits, _| limits.accept_rate = 5).await;
    let started = Instant::now();
    for _ in 0..14 {
        assert!(world.client(Door::Open).await.is_served().await);
    }
    assert!(
        started.elapsed() >= Duration::from_millis(500),
        "ten at once, then five a second"
    );
}
