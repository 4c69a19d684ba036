//! How connections end when the gateway does.

use std::time::Duration;

use wire::message::HeartbeatRequest;

use crate::support::World;

fn beat() -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: "g".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn drain_ends_idle_connections_at_once() {
    let world = World::new(&["allow Read group:g"]).await;
    let mut idle = world.client().await;
    assert_eq!(idle.ask(4, &beat()).await.error_code, 0);
    let drained = tokio::time::timeout(Duration::from_secs(2), world.drain()).await;
    assert!(drained.is_ok(), "nothing was in flight");
    assert!(idle.is_closed().await);
}

#[tokio::test]
async fn answers_in_flight_leave_before_the_drain_ends() {
    let world = World::new(&["allow Read group:g"]).await;
    let upstream = world.upstream.clone();
    upstream.hold_answers();
    let mut client = world.client().await;
    let first = client.send(4, &beat()).await;
    let second = client.send(4, &beat()).await;
    while upstream.seen_keys().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let draining = tokio::spawn(world.drain());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!draining.is_finished());
    upstream.release_answers();
    for id in [first, second] {
        assert_eq!(
            client.receive::<HeartbeatRequest>(4, id).await.error_code,
            0
        );
    }
    assert!(client.is_closed().await);
    let drained = tokio::time::timeout(Duration::from_secs(2), draining).await;
    assert!(drained.is_ok());
}
