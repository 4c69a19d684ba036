//! SASL logins that work, and the states around them.

use wire::header::encode_request;
use wire::message::{
    ApiVersionsRequest, ApiVersionsResponse, DescribeQuorumRequest, HeartbeatRequest,
    SaslAuthenticateRequest, SaslHandshakeRequest,
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

    assert_eq!(world.behind.seen(), []);
}

#[tokio::test]
async fn other_request_during_the_exchange_is_refused_in_its_own_form_and_closed() {
    let world = World::new().await;
    for mechanism in ["PLAIN", "SCRAM-SHA-256"] {
        let mut halfway = world.client(Door::SaslSsl).await;
        halfway.greet(mechanism).await.unwrap();
        if mechanism != "PLAIN" {
            let first = halfway.token(b"n,,n=alice,r=abcdefgh").await.unwrap();
            assert_eq!(first.error_code, 0);
        }
        let answer = halfway.ask(4, &beat(1)).await.unwrap();
        assert_eq!(answer.error_code, 34, "{mechanism}");
        assert!(halfway.is_closed_in_order().await);
    }
    let mut versions = world.client(Door::Sasl).await;
    versions.greet("PLAIN").await.unwrap();
    let answer = versions.ask(3, &ApiVersionsRequest::default()).await;
    assert_eq!(answer.unwrap().error_code, 34);
    assert!(versions.is_closed().await);
    let mut greeting = world.client(Door::Sasl).await;
    greeting.greet("PLAIN").await.unwrap();
    assert_eq!(greeting.greet("PLAIN").await.unwrap().error_code, 34);
    assert!(greeting.is_closed().await);

    let mut hidden = world.client(Door::Sasl).await;
    hidden.greet("PLAIN").await.unwrap();
    hidden.send(0, &DescribeQuorumRequest::default()).await;
    assert!(hidden.is_closed().await, "what is not offered has no words");
    assert_eq!(world.behind.seen(), []);
    let why: Vec<_> = world
        .trail
        .logins()
        .into_iter()
        .map(|login| login.1)
        .collect();
    assert_eq!(why, vec![Some("illegal_sasl_state".to_owned()); 4]);
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
async fn token_above_4_kib_is_refused_and_closed() {
    let world = World::new().await;
    for mechanism in Mechanism::ALL.into_iter().filter(|one| one.is_spoken()) {
        let mut client = world.client(Door::Sasl).await;
        client.greet(mechanism.name()).await.unwrap();
        let verdict = client.token(&[b'a'; (4 << 10) + 1]).await.unwrap();
        assert_eq!(verdict.error_code, 58, "{mechanism}");
        assert!(client.is_closed().await);
    }
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
        let verdict = client.log_in(Mechanism::Plain, "alice", PASSWORD).await;
        let verdict = verdict.unwrap();
        if number < 2 {
            assert!(verdict.error_code == 0 && client.is_served().await);
        } else {
            let text = verdict.error_message.unwrap();
            assert!(
                verdict.error_code == 58 && text.contains("Too many"),
                "{text}"
            );
            assert!(client.is_closed().await);
        }
        clients.push(client);
    }
    let mut other = world.client(Door::Sasl).await;
    other.log_in(Mechanism::Plain, "bob", PASSWORD).await;
    assert!(other.is_served().await);
}
