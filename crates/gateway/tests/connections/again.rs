//! Sessions that prove themselves again on their connection (KIP-368), and those that fail to.

use std::time::Duration;

use kastellan_core::ports::Revocation;
use kastellan_core::principal::PrincipalName;
use kastellan_core::time::Clock;
use wire::message::{HeartbeatRequest, SaslHandshakeRequest};
use wire::sasl::{Mechanism, plain};

use crate::peer::{Client, beat, framed, proof};
use crate::world::{Door, PASSWORD, World};

const SECOND: Duration = Duration::from_secs(1);
/// Life of a session here.
const LIFE: Duration = Duration::from_secs(60);

fn spoken() -> impl Iterator<Item = Mechanism> {
    Mechanism::ALL.into_iter().filter(|one| one.is_spoken())
}

async fn world() -> World {
    World::standing_still(|_, deadlines| deadlines.session_max = LIFE).await
}

async fn session(world: &World, mechanism: Mechanism, user: &str) -> Client {
    let mut client = world.client(Door::SaslSsl).await;
    let verdict = client.log_in(mechanism, user, PASSWORD).await.unwrap();
    assert_eq!(verdict.error_code, 0);
    client
}

#[tokio::test]
async fn session_goes_on_on_its_connection_after_another_proof() {
    let world = world().await;
    for mechanism in spoken() {
        let mut client = session(&world, mechanism, "alice").await;
        for _ in 0..3 {
            world.clock.advance(LIFE - SECOND);
            let verdict = client.log_in(mechanism, "alice", PASSWORD).await.unwrap();
            assert_eq!(verdict.error_code, 0, "{mechanism}");
            assert_eq!(verdict.session_lifetime_ms, 60_000, "{mechanism}");
            assert!(client.is_served().await, "{mechanism}");
        }
        world.clock.advance(LIFE);
        client.send(4, &beat(1)).await;
        assert!(client.is_closed_in_order().await, "{mechanism}");
    }
    let alice = (Some("alice".to_owned()), None);
    assert_eq!(
        world.trail.told("auth.reauthenticated"),
        vec![alice.clone(); 9]
    );
    assert_eq!(world.trail.logins(), vec![alice; 3]);
}

#[tokio::test]
async fn lifetime_is_told_from_version_1_on() {
    let world = world().await;
    for (version, told) in [(0, 0), (1, 60_000), (2, 60_000)] {
        let mut client = world.client(Door::Sasl).await;
        client.greet("PLAIN").await.unwrap();
        let message = plain::message("alice", &PASSWORD.to_owned().into());
        let verdict = client.ask(version, &proof(message.expose())).await.unwrap();
        assert_eq!((verdict.error_code, verdict.session_lifetime_ms), (0, told));
    }
    let mut client = world.client(Door::Sasl).await;
    client.greet("SCRAM-SHA-256").await.unwrap();
    let challenge = client.token(b"n,,n=alice,r=abcdefgh").await.unwrap();
    assert_eq!(challenge.session_lifetime_ms, 0, "not before the last step");
}

/// The first request at or after the end closes the connection; a handshake may still come then.
#[tokio::test]
async fn request_after_the_end_closes_and_a_late_proof_does_not() {
    let world = world().await;
    let mut prompt = session(&world, Mechanism::Plain, "alice").await;
    let mut late = session(&world, Mechanism::Plain, "alice").await;
    world.clock.advance(LIFE - SECOND);
    assert!(prompt.is_served().await && late.is_served().await);
    world.clock.advance(SECOND);
    prompt.send(4, &beat(1)).await;
    assert!(prompt.is_closed_in_order().await);
    let verdict = late.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 0);
    assert!(late.is_served().await);
    assert_eq!(
        world.behind.seen().len(),
        3,
        "the late request went nowhere"
    );
}

#[tokio::test]
async fn requests_in_flight_are_answered_before_the_handshake() {
    let world = world().await;
    let mut client = session(&world, Mechanism::Plain, "alice").await;
    world.behind.hold_answers();
    for number in 1..=3 {
        client.write(&framed(number, 4, &beat(number))).await;
    }
    let handshake = SaslHandshakeRequest {
        mechanism: "PLAIN".into(),
        ..Default::default()
    };
    client.write(&framed(4, 1, &handshake)).await;
    while world.behind.seen().len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.behind.release_answers();
    for number in 1..=3 {
        let (id, answer) = client.receive::<HeartbeatRequest>(4).await.unwrap();
        assert_eq!((id, answer.throttle_time_ms), (number, number));
    }
    let (id, answer) = client.receive::<SaslHandshakeRequest>(1).await.unwrap();
    assert_eq!((id, answer.error_code), (4, 0));
    let message = plain::message("alice", &PASSWORD.to_owned().into());
    assert_eq!(client.token(message.expose()).await.unwrap().error_code, 0);
    assert!(client.is_served().await);
}

#[tokio::test]
async fn wrong_proof_ends_the_session() {
    let world = world().await;
    for mechanism in spoken() {
        let mut client = session(&world, mechanism, "alice").await;
        let verdict = client.log_in(mechanism, "alice", "wrong").await.unwrap();
        assert_eq!(verdict.error_code, 58, "{mechanism}");
        assert!(client.is_closed_in_order().await);
    }
    let refused = (Some("alice".to_owned()), Some("bad_proof".to_owned()));
    assert_eq!(world.trail.told("auth.reauthenticated"), vec![refused; 3]);
}

#[tokio::test]
async fn other_principal_is_refused_and_closed() {
    let world = world().await;
    for mechanism in spoken() {
        let mut client = session(&world, mechanism, "alice").await;
        let verdict = client.log_in(mechanism, "bob", PASSWORD).await.unwrap();
        assert_eq!(verdict.error_code, 58, "{mechanism}");
        assert!(verdict.auth_bytes.is_empty(), "{mechanism}");
        client.send(4, &beat(1)).await;
        assert!(client.is_closed().await);
    }
    let refused = (Some("bob".to_owned()), Some("other_principal".to_owned()));
    assert_eq!(world.trail.told("auth.reauthenticated"), vec![refused; 3]);
    assert_eq!(world.behind.seen(), []);
}

#[tokio::test]
async fn other_mechanism_is_refused_and_closed() {
    let world = world().await;
    for (first, second) in [("PLAIN", "SCRAM-SHA-256"), ("SCRAM-SHA-512", "PLAIN")] {
        let mut client = session(&world, first.parse().unwrap(), "alice").await;
        let answer = client.greet(second).await.unwrap();
        let offered: Vec<&str> = answer.mechanisms.iter().map(|one| &**one).collect();
        assert_eq!((answer.error_code, offered), (33, vec![first]));
        assert!(client.is_closed_in_order().await);
    }
}

#[tokio::test]
async fn another_start_within_a_second_is_out_of_turn_and_the_session_stays() {
    let world = world().await;
    let mut client = session(&world, Mechanism::Plain, "alice").await;
    let again = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(again.unwrap().error_code, 0, "the login itself is no start");
    world.clock.advance(SECOND - Duration::from_millis(1));
    assert_eq!(client.greet("PLAIN").await.unwrap().error_code, 34);
    assert!(client.is_served().await);
    world.clock.advance(Duration::from_millis(1));
    let again = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(again.unwrap().error_code, 0);
    assert!(client.is_served().await);
}

#[tokio::test]
async fn session_without_an_end_or_without_sasl_has_no_second_login() {
    let world = world().await;
    let mut open = world.client(Door::Open).await;
    assert_eq!(open.greet("PLAIN").await.unwrap().error_code, 34);
    let message = plain::message("alice", &PASSWORD.to_owned().into());
    assert_eq!(open.token(message.expose()).await.unwrap().error_code, 34);
    assert!(open.is_served().await);
    let now = Clock::system().now();
    let shown = world.ca.issue_client("alice", now).unwrap();
    let mut certified = world.certified(&shown).await.unwrap();
    assert_eq!(certified.greet("PLAIN").await.unwrap().error_code, 34);
    assert!(certified.is_served().await);
}

#[tokio::test]
async fn anything_but_a_token_in_the_middle_closes() {
    let world = world().await;
    let mut client = session(&world, Mechanism::Plain, "alice").await;
    assert!(client.is_served().await);
    assert_eq!(client.greet("PLAIN").await.unwrap().error_code, 0);
    client.send(4, &beat(2)).await;
    assert!(client.is_closed().await);
    assert_eq!(world.behind.seen().len(), 1);
}

#[tokio::test]
async fn token_without_a_handshake_is_out_of_turn() {
    let world = world().await;
    let mut client = session(&world, Mechanism::Plain, "alice").await;
    let message = plain::message("alice", &PASSWORD.to_owned().into());
    assert_eq!(client.token(message.expose()).await.unwrap().error_code, 34);
    assert!(client.is_served().await);
}

#[tokio::test]
async fn revocation_follows_the_newest_proof_and_no_older_one() {
    let world = world().await;
    let mut renewed = session(&world, Mechanism::Plain, "alice").await;
    let mut old = session(&world, Mechanism::Plain, "alice").await;
    let current = world.users.renew("alice");
    let again = renewed.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(again.unwrap().error_code, 0);
    let revoke = |current: Option<_>, id| Revocation::Credential {
        user: "alice".to_owned(),
        current,
        id,
    };
    world.revoke(revoke(Some(current), current.id));
    assert!(
        old.is_closed_in_order().await,
        "the old revision keeps nothing alive"
    );
    assert!(renewed.is_served().await);
    let newest = world.users.renew("alice");
    world.revoke(revoke(Some(newest), newest.id));
    assert!(renewed.is_closed_in_order().await);
}

#[tokio::test]
async fn user_disabled_before_another_proof_is_refused() {
    let world = world().await;
    let mut client = session(&world, Mechanism::Plain, "alice").await;
    world.users.disable("alice");
    let verdict = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 58);
    assert!(client.is_closed_in_order().await);
    let mut bob = session(&world, Mechanism::Plain, "bob").await;
    bob.greet("PLAIN").await.unwrap();
    world.revoke(Revocation::Principal(PrincipalName::user("bob")));
    assert!(bob.is_closed_in_order().await, "also in the middle of it");
}

#[tokio::test]
async fn another_proof_that_hangs_ends_the_session() {
    let world = World::with(|_, deadlines| {
        deadlines.session_max = LIFE;
        deadlines.sasl_round = Duration::from_millis(100);
    })
    .await;
    let mut client = session(&world, Mechanism::Plain, "alice").await;
    client.greet("PLAIN").await.unwrap();
    assert!(client.is_closed_in_order().await);
}
