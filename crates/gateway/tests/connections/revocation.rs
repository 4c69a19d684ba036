//! Sessions that are cut: at once, and no other.

use std::time::Duration;

use kastellan_core::ports::Revocation;
use kastellan_core::principal::PrincipalName;
use kastellan_core::time::Clock;
use tokio::time::Instant;
use wire::sasl::Mechanism;

use crate::peer::{Client, beat};
use crate::world::{Door, PASSWORD, World};

/// From commit to closed socket.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn session(world: &World, user: &str) -> Client {
    let mut client = world.client(Door::SaslSsl).await;
    client
        .log_in(Mechanism::Plain, user, PASSWORD)
        .await
        .unwrap();
    assert!(client.is_served().await);
    client
}

async fn is_cut_at_once(client: &mut Client) -> bool {
    let started = Instant::now();
    client.is_closed_in_order().await && started.elapsed() < AT_ONCE
}

#[tokio::test]
async fn disabled_user_is_cut_and_others_are_not() {
    let world = World::new().await;
    let mut alices = [
        session(&world, "alice").await,
        session(&world, "alice").await,
    ];
    let mut bob = session(&world, "bob").await;
    world.users.disable("alice");
    world.revoke(Revocation::Principal(PrincipalName::user("alice")));
    for alice in &mut alices {
        assert!(is_cut_at_once(alice).await);
    }
    assert!(bob.is_served().await);
}

#[tokio::test]
async fn changed_password_cuts_sessions_of_the_old_one() {
    let world = World::new().await;
    let mut old = session(&world, "alice").await;
    let mut bob = session(&world, "bob").await;
    let current = world.users.renew("alice");
    let mut new = session(&world, "alice").await;
    world.revoke(Revocation::Credential {
        user: "alice".to_owned(),
        current: Some(current),
        id: current.id,
    });
    assert!(is_cut_at_once(&mut old).await);
    assert!(new.is_served().await && bob.is_served().await);
    world.revoke(Revocation::Credential {
        user: "alice".to_owned(),
        current: None,
        id: world.users.revision("alice").id,
    });
    assert!(is_cut_at_once(&mut new).await);
    assert!(bob.is_served().await);
}

#[tokio::test]
async fn session_is_cut_while_it_waits_for_an_answer() {
    let world = World::new().await;
    let mut client = session(&world, "alice").await;
    world.behind.hold_answers();
    client.send(4, &beat(1)).await;
    while world.behind.seen().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.revoke(Revocation::Principal(PrincipalName::user("alice")));
    assert!(is_cut_at_once(&mut client).await);
}

#[tokio::test]
async fn session_is_cut_while_it_does_not_read() {
    let world = World::new().await;
    let mut client = session(&world, "alice").await;
    for _ in 0..64 {
        client
            .send(
                3,
                &wire::message::ApiVersionsRequest {
                    client_software_name: "x".into(),
                    client_software_version: "x".into(),
                    ..Default::default()
                },
            )
            .await;
    }
    world.revoke(Revocation::Principal(PrincipalName::user("alice")));
    assert!(world.is_empty_within(AT_ONCE).await);
}

#[tokio::test]
async fn revoked_certificate_cuts_its_open_sessions() {
    let world = World::new().await;
    let now = Clock::system().now();
    let shown = world.ca.issue_client("alice", now).unwrap();
    let other = world.ca.issue_client("alice", now).unwrap();
    let mut cut = world.certified(&shown).await.unwrap();
    let mut kept = world.certified(&other).await.unwrap();
    assert!(cut.is_served().await && kept.is_served().await);
    world.revoke_certificate(&shown);
    world.revoke(Revocation::TrustChanged);
    assert!(is_cut_at_once(&mut cut).await);
    assert!(kept.is_served().await, "the same name, another certificate");
}

#[tokio::test]
async fn many_sessions_are_cut_within_a_second() {
    let world = World::new().await;
    let mut clients = Vec::new();
    for _ in 0..300 {
        let mut client = world.client(Door::Sasl).await;
        client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
        clients.push(client);
    }
    while world.status().sessions() < 300 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.revoke(Revocation::Principal(PrincipalName::user("alice")));
    assert!(world.is_empty_within(AT_ONCE).await);
    for client in &mut clients {
        assert!(client.is_closed().await);
    }
}
