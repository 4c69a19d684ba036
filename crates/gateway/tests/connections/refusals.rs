//! SASL logins that do not work: what is told, when, and to whom the door stays shut.

use std::time::Duration;

use tokio::time::Instant;
use wire::sasl::Mechanism;
use wire::sasl::scram::Nonce;

use crate::peer::Client;
use crate::world::{Door, PASSWORD, World};

const DELAY: Duration = Duration::from_millis(300);

fn spoken() -> impl Iterator<Item = Mechanism> {
    Mechanism::ALL.into_iter().filter(|one| one.is_spoken())
}

async fn attempt(world: &World, mechanism: Mechanism, user: &str) -> (i16, String, Duration) {
    let mut client = world.client(Door::SaslSsl).await;
    let started = Instant::now();
    let verdict = client.log_in(mechanism, user, "wrong").await.unwrap();
    let took = started.elapsed();
    assert!(client.is_closed_in_order().await);
    let text = verdict.error_message.map(|text| text.to_string());
    (verdict.error_code, text.unwrap_or_default(), took)
}

#[tokio::test]
async fn unknown_user_same_steps_and_time() {
    let world = World::with(|_, deadlines| deadlines.failed_login_delay = DELAY).await;
    for mechanism in spoken() {
        let (code, text, took) = attempt(&world, mechanism, "alice").await;
        let (other_code, other_text, other_took) = attempt(&world, mechanism, "nobody").await;
        assert_eq!((code, &text), (58, &other_text), "{mechanism}");
        assert_eq!(other_code, 58);
        assert!(!text.contains("alice") && !text.is_empty());
        assert!(took >= DELAY && other_took >= DELAY, "{mechanism}");
        let apart = took.abs_diff(other_took);
        assert!(apart < DELAY / 2, "{mechanism}: {apart:?}");
    }
    let reasons: Vec<_> = world.trail.logins();
    assert!(
        reasons
            .iter()
            .all(|(_, why)| why.as_deref() == Some("bad_proof"))
    );
    assert_eq!(reasons.len(), 6);
}

/// The whole SCRAM exchange up to the proof, with a salt, for a user that does not exist; and the same salt again.
#[tokio::test]
async fn unknown_user_has_a_salt_that_stays() {
    let world = World::new().await;
    let mut salts = Vec::new();
    for user in ["nobody", "nobody", "noone"] {
        let mut client = world.client(Door::Sasl).await;
        client.greet("SCRAM-SHA-256").await.unwrap();
        let challenge = client
            .token(format!("n,,n={user},r=abcdefgh").as_bytes())
            .await
            .unwrap();
        let text = String::from_utf8(challenge.auth_bytes.to_vec()).unwrap();
        salts.push(text.split(',').nth(1).unwrap().to_owned());
    }
    assert!(salts[0].starts_with("s="));
    assert_eq!(salts[0], salts[1]);
    assert_ne!(salts[0], salts[2]);
}

#[tokio::test]
async fn refuses_foreign_nonce() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    client.greet("SCRAM-SHA-512").await.unwrap();
    let login = wire::sasl::scram::client::Login {
        mechanism: kastellan_core::credential::ScramMechanism::Sha512,
        user: "alice".to_owned(),
        password: PASSWORD.to_owned().into(),
    };
    let nonce = Nonce::from_random(trust::random::bytes().unwrap());
    let (greeted, first) = login.first(nonce);
    let challenge = client.token(&first).await.unwrap();
    let (_, proof) = greeted.answer(&challenge.auth_bytes).unwrap();
    let text = String::from_utf8(proof).unwrap();
    let foreign = text.replacen("r=", "r=x", 1);
    assert_eq!(
        client.token(foreign.as_bytes()).await.unwrap().error_code,
        58
    );
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn refuses_other_authzid() {
    let world = World::new().await;
    for (authzid, code) in [("", 0), ("alice", 0), ("bob", 58), ("root", 58)] {
        let mut client = world.client(Door::SaslSsl).await;
        client.greet("PLAIN").await.unwrap();
        let message = format!("{authzid}\0alice\0{PASSWORD}");
        let verdict = client.token(message.as_bytes()).await.unwrap();
        assert_eq!(verdict.error_code, code, "{authzid}");
    }
    let why = world.trail.logins().pop().unwrap().1;
    assert_eq!(why.as_deref(), Some("other_authzid"));
}

#[tokio::test]
async fn broken_messages_are_refused() {
    let world = World::new().await;
    let broken: [(&str, &[u8]); 6] = [
        ("PLAIN", b""),
        ("PLAIN", b"alice"),
        ("PLAIN", b"\0alice\0a\0b"),
        ("SCRAM-SHA-256", b"\xff\xfe"),
        ("SCRAM-SHA-256", b"p=tls-unique,,n=alice,r=abc"),
        ("SCRAM-SHA-512", b"n,,r=abc"),
    ];
    for (mechanism, token) in broken {
        let mut client = world.client(Door::Sasl).await;
        client.greet(mechanism).await.unwrap();
        let verdict = client.token(token).await.unwrap();
        assert_eq!(verdict.error_code, 58, "{mechanism} {token:?}");
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn source_that_guesses_finds_the_door_closed() {
    let world = World::new().await;
    let mut inside = world.client(Door::Sasl).await;
    inside.log_in(Mechanism::Plain, "bob", PASSWORD).await;
    for number in 0..10 {
        let user = format!("guess-{number}");
        let (code, ..) = attempt(&world, Mechanism::Plain, &user).await;
        assert_eq!(code, 58, "{number}");
    }
    let stream = tokio::net::TcpStream::connect(world.address(Door::SaslSsl)).await;
    assert!(Client::over(stream.unwrap()).is_closed().await);
    let mut right = world.client(Door::Sasl).await;
    assert!(right.greet("PLAIN").await.is_none());
    assert!(inside.is_served().await, "who is in stays in");
}

#[tokio::test]
async fn broken_off_conversations_count_half() {
    let world = World::new().await;
    for _ in 0..20 {
        let mut client = world.client(Door::Sasl).await;
        client.greet("SCRAM-SHA-256").await.unwrap();
        client.token(b"n,,n=alice,r=abcdefgh").await.unwrap();
        client.finish_writing().await;
        assert!(client.is_closed().await);
    }
    assert!(
        world
            .client(Door::Sasl)
            .await
            .greet("PLAIN")
            .await
            .is_none()
    );
}

#[tokio::test]
async fn look_up_that_fails_closes_unanswered() {
    let world = World::new().await;
    world.users.break_down();
    for mechanism in spoken() {
        let mut client = world.client(Door::Sasl).await;
        let verdict = client.log_in(mechanism, "alice", PASSWORD).await;
        assert_eq!(verdict, None, "{mechanism}");
    }
}

#[tokio::test]
async fn look_up_that_hangs_closes_unanswered() {
    let world = World::with(|_, deadlines| deadlines.look_up = Duration::from_millis(50)).await;
    world.users.hang();
    for mechanism in spoken() {
        let mut client = world.client(Door::Sasl).await;
        let verdict = client.log_in(mechanism, "alice", PASSWORD).await;
        assert_eq!(verdict, None, "{mechanism}");
    }
}

/// A client that gets answer and end of connection at once may report only the end.
#[tokio::test]
async fn refusal_stands_alone_before_the_connection_ends() {
    let world = World::new().await;
    for door in [Door::Sasl, Door::SaslSsl] {
        let mut client = world.client(door).await;
        let verdict = client.log_in(Mechanism::Plain, "alice", "wrong").await;
        let told = Instant::now();
        assert_eq!(verdict.unwrap().error_code, 58);
        assert!(client.is_closed_in_order().await);
        assert!(
            told.elapsed() >= Duration::from_millis(50),
            "{:?}",
            told.elapsed()
        );
    }
    assert!(
        world.is_empty_within(Duration::from_secs(2)).await,
        "and it ends"
    );
}

#[tokio::test]
async fn user_disabled_between_proof_and_session_gets_none() {
    let world = World::new().await;
    world.users.disable("alice");
    let mut client = world.client(Door::Sasl).await;
    let verdict = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
    assert_eq!(verdict.unwrap().error_code, 58);
    assert!(!client.is_served().await);
    assert_eq!(world.behind.seen(), []);
    assert_eq!(world.trail.logins()[0].1.as_deref(), Some("revoked"));
}
