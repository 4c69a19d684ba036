//! Listeners where the certificate is the login.

use kastellan_core::time::Clock;

use crate::peer::beat;
use crate::world::{Door, World};

#[tokio::test]
async fn certificate_names_the_principal() {
    let world = World::new().await;
    let alice = world
        .ca
        .issue_client("alice", Clock::system().now())
        .unwrap();
    let mut client = world.certified(&alice).await.unwrap();
    assert!(client.is_served().await);
    assert_eq!(world.trail.logins(), [(Some("CN=alice".to_owned()), None)]);
    assert_eq!(client.greet("PLAIN").await.unwrap().error_code, 34);
}

#[tokio::test]
async fn closes_before_any_kafka_byte_without_certificate() {
    let world = World::new().await;
    // In TLS 1.3 the client is done before the server has looked at its certificate.
    let mut client = world.client(Door::Ssl).await;
    client.send(4, &beat(1)).await;
    assert!(client.is_closed().await);
    assert_eq!(world.behind.seen(), []);
    assert_eq!(world.status().sessions(), 0);
}

#[tokio::test]
async fn certificate_of_another_ca_is_not_let_in() {
    let world = World::new().await;
    let other = World::new().await;
    let now = Clock::system().now();
    let stranger = other.ca.issue_client("alice", now).unwrap();
    let served = match world.certified(&stranger).await {
        Ok(mut client) => client.is_served().await,
        Err(_) => false,
    };
    assert!(!served);
    assert_eq!(world.behind.seen(), []);
}

#[tokio::test]
async fn disabled_user_is_not_let_in_by_certificate() {
    let world = World::new().await;
    world.users.disable("CN=alice");
    let now = Clock::system().now();
    for (name, is_let_in) in [("alice", false), ("bob", true)] {
        let shown = world.ca.issue_client(name, now).unwrap();
        let mut client = world.certified(&shown).await.unwrap();
        assert_eq!(client.is_served().await, is_let_in, "{name}");
    }
}

#[tokio::test]
async fn certificate_of_a_server_is_no_login() {
    let world = World::new().await;
    let dir = world.ca.server_paths();
    let pem = [std::fs::read(dir.1).unwrap(), std::fs::read(dir.0).unwrap()].concat();
    let mut shown = world.ca.issue_client("x", Clock::system().now()).unwrap();
    shown.client_pem = String::from_utf8(pem).unwrap().into();
    let served = match world.certified(&shown).await {
        Ok(mut client) => client.is_served().await,
        Err(_) => false,
    };
    assert!(!served);
}

#[tokio::test]
async fn revoked_certificate_is_not_let_in_again() {
    let world = World::new().await;
    let now = Clock::system().now();
    let alice = world.ca.issue_client("alice", now).unwrap();
    let bob = world.ca.issue_client("bob", now).unwrap();
    assert!(world.certified(&alice).await.unwrap().is_served().await);
    world.revoke_certificate(&alice);
    for (shown, is_let_in) in [(&alice, false), (&bob, true)] {
        let served = match world.certified(shown).await {
            Ok(mut client) => client.is_served().await,
            Err(_) => false,
        };
        assert_eq!(served, is_let_in);
    }
}
