//! SASL logins that work, and the states around them.

use wire::header::encode_request;
use wire::message::{
    ApiVersionsRequest, ApiVersionsResponse, HeartbeatRequest, SaslAuthenticateRequest,
    SaslHandshakeRequest,
};
use wire::sasl::{Mechanism, plain};

use crate::peer::{beat, framed, proof};
use crate::world::{Door, PASSWORD, World};

#[tokio::test]
async fn every_mechanism_lets_its_user_in() {
    let world = World::new().await;
    for door in [Door::Sasl, Door::SaslSsl] {
        for mechanism in Mechanism::ALL.into_iter().filter(|one| one.is_spoken()) {
            let mut client = world.client(door).await;
            let verdict = client.log_in(mechanism, "alice", PASSWORD).await.unwrap();
            assert_eq!(verdict.error_code, 0, "{door:?} {mechanism}");
            assert!(client.is_served().await, "{door:?} {mechanism}");
        }
    }
    let alice = (Some("alice".to_owned()), None);
    assert_eq!(world.trail.logins(), vec![alice; 6]);
}

#[tokio::test]
async fn versions_are_told_before_login_once() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    let request = ApiVersionsRequest {
        client_software_name: "tests".into(),
        client_software_version: "1".into(),
        ..Default::default()
    };
    let answer = client.ask(3, &request).await.unwrap();
    assert_eq!(answer.error_code, 0);
    assert!(answer.api_keys.iter().any(|api| api.api_key == 1));
    client.send(3, &request).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn newer_api_versions_is_answered_in_v0_and_may_be_asked_again() {
    let world = World::new().await;
    for door in [Door::Sasl, Door::Open] {
        let mut client = world.client(door).await;
        client
            .write(&[0, 0, 0, 13, 0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff, 0, 1, 2])
            .await;
        let (id, answer) = client.receive::<ApiVersionsRequest>(0).await.unwrap();
        let ApiVersionsResponse {
            error_code,
            api_keys,
            ..
        } = answer;
        assert_eq!((id, error_code, api_keys.len()), (5, 35, 1));
        let again = client.ask(0, &ApiVersionsRequest::default()).await.unwrap();
        assert_eq!(again.error_code, 0);
    }
}

#[tokio::test]
async fn closes_legacy_handshake_by_default() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    let request = SaslHandshakeRequest {
        mechanism: "PLAIN".into(),
        ..Default::default()
    };
    client.send(0, &request).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn unknown_mechanism_is_told_what_there_is_and_closed() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    let answer = client.greet("GSSAPI").await.unwrap();
    let offered: Vec<&str> = answer.mechanisms.iter().map(|one| &**one).collect();
    assert_eq!(answer.error_code, 33);
    assert_eq!(offered, ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn nothing_else_is_spoken_before_login() {
    let world = World::new().await;
    let mut first = world.client(Door::Sasl).await;
    first.send(4, &beat(1)).await;
    assert!(first.is_closed().await);

    let mut without_handshake = world.client(Door::Sasl).await;
    without_handshake.send(2, &proof(b"\0alice\0x")).await;
    assert!(without_handshake.is_closed().await);

    let mut halfway = world.client(Door::Sasl).await;
    halfway.greet("PLAIN").await.unwrap();
    halfway.send(4, &beat(1)).await;
    assert!(halfway.is_closed().await);
    assert_eq!(world.behind.seen(), []);
}

#[tokio::test]
async fn early_frame_waits_for_principal() {
    let world = World::new().await;
    for (password, is_right) in [("wrong", false), (PASSWORD, true)] {
        let mut client = world.client(Door::SaslSsl).await;
        let handshake = SaslHandshakeRequest {
            mechanism: "PLAIN".into(),
            ..Default::default()
        };
        let message = plain::message("alice", &password.to_owned().into());
        let all = [
            framed(1, 1, &handshake),
            framed(2, 2, &proof(message.expose())),
            framed(3, 4, &beat(30)),
        ];
        client.write(&all.concat()).await;
        client.receive::<SaslHandshakeRequest>(1).await.unwrap();
        let (_, verdict) = client.receive::<SaslAuthenticateRequest>(2).await.unwrap();
        assert_eq!(verdict.error_code == 0, is_right);
        let answer = client.receive::<HeartbeatRequest>(4).await;
        assert_eq!(
            answer.map(|(id, answer)| (id, answer.throttle_time_ms)),
            is_right.then_some((3, 30))
        );
        assert_eq!(world.behind.seen().len(), usize::from(is_right));
    }
}

#[tokio::test]
async fn second_login_on_a_session_is_out_of_turn() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    client
        .log_in(Mechanism::Plain, "alice", PASSWORD)
        .await
        .unwrap();
    assert_eq!(client.greet("PLAIN").await.unwrap().error_code, 34);
    let message = plain::message("bob", &PASSWORD.to_owned().into());
    let verdict = client.token(message.expose()).await.unwrap();
    assert_eq!(verdict.error_code, 34);
    assert!(client.is_served().await);
}

#[tokio::test]
async fn token_above_4_kib_closes() {
    let world = World::new().await;
    let mut client = world.client(Door::Sasl).await;
    client.greet("PLAIN").await.unwrap();
    client.send(2, &proof(&[b'a'; (4 << 10) + 1])).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn every_version_of_authenticate_is_spoken() {
    let world = World::new().await;
    for version in 0..=2 {
        let mut client = world.client(Door::Sasl).await;
        client.greet("PLAIN").await.unwrap();
        let message = plain::message("alice", &PASSWORD.to_owned().into());
        let verdict = client.ask(version, &proof(message.expose())).await;
        assert_eq!(verdict.unwrap().error_code, 0, "{version}");
    }
    let mut client = world.client(Door::Sasl).await;
    client.greet("PLAIN").await.unwrap();
    let mut frame = encode_request(1, None, 2, &proof(b"\0alice\0x"))
        .unwrap()
        .into_bytes()
        .to_vec();
    frame[3] = 3;
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    client.write(&[&length[..], &frame].concat()).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn principal_has_a_cap_of_connections() {
    let world = World::with(|limits, _| limits.max_connections_per_principal = 2).await;
    let mut clients = Vec::new();
    for number in 0..3 {
        let mut client = world.client(Door::Sasl).await;
        client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
        assert_eq!(client.is_served().await, number < 2, "{number}");
        clients.push(client);
    }
    let mut other = world.client(Door::Sasl).await;
    other.log_in(Mechanism::Plain, "bob", PASSWORD).await;
    assert!(other.is_served().await);
}
