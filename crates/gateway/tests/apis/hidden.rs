//! What is not served closes the connection; what nobody here understands goes no further.

use wire::header::{RequestHeader, decode_request, encode_request};
use wire::message::*;

use crate::support::World;

/// A header and nothing behind it.
fn bare(key: i16, version: i16) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&key.to_be_bytes());
    frame.extend_from_slice(&version.to_be_bytes());
    frame.extend_from_slice(&1i32.to_be_bytes());
    frame.extend_from_slice(&(-1i16).to_be_bytes());
    frame
}

#[tokio::test]
async fn keys_between_servers_close_the_connection() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    for key in [
        4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 83, 84, 85, 86, 87,
    ] {
        for version in [0, 1] {
            let mut client = world.client().await;
            client.send_frame(&bare(key, version)).await;
            assert!(client.is_closed().await, "key {key}");
        }
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn keys_without_a_check_close_the_connection() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    let offered = world.ask(0, &ApiVersionsRequest::default()).await;
    let is_offered = |key: i16| offered.api_keys.iter().any(|api| api.api_key == key);
    for key in (0..=120)
        .chain([-1, i16::MIN, i16::MAX])
        .filter(|key| !is_offered(*key) && ![17, 36].contains(key))
    {
        let mut client = world.client().await;
        client.send_frame(&bare(key, 0)).await;
        assert!(client.is_closed().await, "key {key}");
    }
    assert!(!is_offered(24) && !is_offered(58) && !is_offered(71) && !is_offered(78));
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn versions_that_are_not_held_close_the_connection() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    for (key, version) in [
        (0, 2),
        (0, 14),
        (1, 3),
        (1, 19),
        (3, 14),
        (8, 1),
        (9, 0),
        (19, 1),
        (24, 4),
        (3, -1),
    ] {
        let mut client = world.client().await;
        client.send_frame(&bare(key, version)).await;
        assert!(client.is_closed().await, "key {key} version {version}");
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn sasl_on_a_live_session_is_out_of_turn() {
    let world = World::new(&[]).await;
    let mut client = world.client().await;
    let handshake = SaslHandshakeRequest {
        mechanism: "PLAIN".into(),
        ..Default::default()
    };
    assert_eq!(client.ask(1, &handshake).await.error_code, 34);
    let bytes = SaslAuthenticateRequest {
        auth_bytes: bytes::Bytes::from_static(b"\0a\0b"),
        ..Default::default()
    };
    let answer = client.ask(2, &bytes).await;
    assert_eq!(
        (answer.error_code, answer.error_message.is_some()),
        (34, true)
    );
    assert_eq!(
        client
            .ask(0, &ApiVersionsRequest::default())
            .await
            .error_code,
        0,
        "the connection stays"
    );
}

#[tokio::test]
async fn unknown_tags_go_no_further() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    let mut join = crate::groups::join(9, "g");
    join.unknown_tags
        .push(77, bytes::Bytes::from_static(b"authority"));
    let mut produce = crate::produce::request(9, &["a"], 1);
    produce
        .unknown_tags
        .push(77, bytes::Bytes::from_static(b"authority"));
    produce.topic_data[0]
        .unknown_tags
        .push(78, bytes::Bytes::from_static(b"authority"));
    let mut fetch = crate::fetch::request(12, &["a"]);
    fetch.topics[0].partitions[0]
        .unknown_tags
        .push(79, bytes::Bytes::from_static(b"authority"));
    let mut beat = HeartbeatRequest {
        group_id: "g".into(),
        ..Default::default()
    };
    beat.unknown_tags
        .push(80, bytes::Bytes::from_static(b"authority"));
    let mut create = crate::admin::creation(&["new"]);
    create.topics[0]
        .unknown_tags
        .push(81, bytes::Bytes::from_static(b"authority"));
    world.ask(9, &join).await;
    world.ask(9, &produce).await;
    world.ask(12, &fetch).await;
    world.ask(4, &beat).await;
    world.ask(7, &create).await;
    assert_eq!(world.upstream.seen_keys(), [11, 0, 1, 12, 19]);
    for frame in world.upstream.seen_frames() {
        assert!(!frame.windows(9).any(|window| window == b"authority"));
    }
}

#[tokio::test]
async fn bytes_behind_a_request_go_no_further() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    let mut frames = Vec::new();
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    frames.push(
        encode_request(1, None, 9, &all)
            .unwrap()
            .into_bytes()
            .to_vec(),
    );
    let beat = HeartbeatRequest {
        group_id: "g".into(),
        ..Default::default()
    };
    frames.push(
        encode_request(1, None, 4, &beat)
            .unwrap()
            .into_bytes()
            .to_vec(),
    );
    frames.push(
        encode_request(1, None, 9, &crate::produce::request(9, &["a"], 1))
            .unwrap()
            .into_bytes()
            .to_vec(),
    );
    for mut frame in frames {
        frame.extend_from_slice(b"behind");
        let mut client = world.client().await;
        client.send_frame(&frame).await;
        client.receive_frame().await.expect("answered all the same");
    }
    for frame in world.upstream.seen_frames() {
        assert!(!frame.windows(6).any(|window| window == b"behind"));
    }
    assert_eq!(world.upstream.seen_keys(), [3, 12, 0]);
}

#[tokio::test]
async fn answers_keep_their_order_whoever_made_them() {
    let world = World::new(&["allow Read group:g"]).await;
    let mut client = world.client().await;
    let beat = |group: &str| HeartbeatRequest {
        group_id: group.into(),
        ..Default::default()
    };
    let mut ids = Vec::new();
    for at in 0..40 {
        let group = if at % 3 == 0 { "refused" } else { "g" };
        ids.push((
            client.send(4, &beat(group)).await,
            if at % 3 == 0 { 30 } else { 0 },
        ));
    }
    for (id, code) in ids {
        assert_eq!(
            client.receive::<HeartbeatRequest>(4, id).await.error_code,
            code
        );
    }
}

#[tokio::test]
async fn request_that_cannot_be_read_closes_and_is_not_forwarded() {
    let world = World::new(&[]).await;
    world.rules.allow_all();
    let whole = encode_request(1, None, 9, &crate::produce::request(9, &["a"], 1))
        .unwrap()
        .into_bytes();
    for len in [10, 15, whole.len() - 1] {
        let mut client = world.client().await;
        client.send_frame(&whole[..len]).await;
        assert!(client.is_closed().await, "cut at {len}");
    }
    assert_eq!(world.upstream.seen_keys(), []);
    let (header, _): (RequestHeader, ProduceRequest) = decode_request(whole).unwrap();
    assert_eq!(header.api_key, 0);
}
