//! Fetch: what may be read, and never by another's session or as a replica.

use bytes::Bytes;
use wire::message::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use wire::message::fetch_response::{FetchableTopicResponse, PartitionData};
use wire::message::{FetchRequest, FetchResponse};

use crate::support::{World, id_of};

/// A full fetch of partition 0 of each topic.
pub fn request(version: i16, topics: &[&str]) -> FetchRequest {
    let topics = topics.iter().map(|name| {
        let partition = FetchPartition {
            partition_max_bytes: 1 << 30,
            ..Default::default()
        };
        let (topic, topic_id) = if version < 13 {
            ((*name).into(), uuid::Uuid::nil())
        } else {
            ("".into(), id_of(name))
        };
        FetchTopic {
            topic,
            topic_id,
            partitions: vec![partition],
            ..Default::default()
        }
    });
    FetchRequest {
        max_wait_ms: 50,
        min_bytes: 1,
        max_bytes: i32::MAX,
        topics: topics.collect(),
        ..Default::default()
    }
}

/// Has the records `r` in every partition.
fn stocks(world: &World) {
    world.upstream.answer::<FetchRequest>(|request, version| {
        let found = request
            .topics
            .into_iter()
            .map(|topic| FetchableTopicResponse {
                topic: topic.topic,
                topic_id: topic.topic_id,
                partitions: vec![PartitionData {
                    high_watermark: 9,
                    records: Some(Bytes::from_static(b"r")),
                    ..Default::default()
                }],
                ..Default::default()
            });
        FetchResponse {
            session_id: if version < 7 { 0 } else { 77 },
            responses: found.collect(),
            ..Default::default()
        }
    });
}

fn codes(version: i16, answer: &FetchResponse) -> Vec<(String, i16, usize)> {
    let name = |topic: &FetchableTopicResponse| match version {
        13.. => ["a", "b", "hidden"]
            .iter()
            .find(|name| id_of(name) == topic.topic_id)
            .unwrap_or(&"?")
            .to_string(),
        _ => topic.topic.to_string(),
    };
    let len = |part: &PartitionData| part.records.as_ref().map_or(0, Bytes::len);
    let mut all: Vec<_> = answer
        .responses
        .iter()
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|part| (name(topic), part.error_code, len(part)))
        })
        .collect();
    all.sort();
    all
}

fn line(name: &str, code: i16, len: usize) -> (String, i16, usize) {
    (name.to_owned(), code, len)
}

#[tokio::test]
async fn allowed_topics_are_read_and_the_others_refused() {
    let world = World::new(&["allow Read topic:a", "allow Write topic:hidden"]).await;
    stocks(&world);
    for version in 4..=18 {
        let answer = world
            .ask(version, &request(version, &["a", "hidden"]))
            .await;
        assert_eq!(
            codes(version, &answer),
            [line("a", 0, 1), line("hidden", 29, 0)],
            "version {version}"
        );
        assert_eq!((answer.error_code, answer.session_id), (0, 0));
        let refused = answer
            .responses
            .iter()
            .flat_map(|topic| &topic.partitions)
            .find(|part| part.error_code == 29);
        assert_eq!(
            refused.map(|part| (part.high_watermark, part.log_start_offset)),
            Some((-1, -1))
        );
    }
    for (version, seen) in world.upstream.seen::<FetchRequest>() {
        assert_eq!(seen.topics.len(), 1, "version {version}");
    }
    assert_eq!(
        world.trail.refusals()[0],
        ("Read".into(), vec!["topic:hidden".into()])
    );
}

#[tokio::test]
async fn nothing_is_forwarded_when_all_is_refused() {
    let world = World::new(&["allow Write topic:*"]).await;
    for version in 4..=18 {
        let answer = world.ask(version, &request(version, &["hidden"])).await;
        assert_eq!(codes(version, &answer), [line("hidden", 29, 0)]);
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn unknown_topic_id_is_answered_without_asking_upstream() {
    let world = World::new(&["allow Read topic:*"]).await;
    for version in 13..=18 {
        let answer = world.ask(version, &request(version, &["nowhere"])).await;
        assert_eq!(codes(version, &answer), [line("?", 100, 0)]);
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn foreign_fetch_session_is_not_found() {
    let world = World::new(&["allow Read topic:*"]).await;
    stocks(&world);
    for version in 7..=18 {
        let stolen = FetchRequest {
            session_id: 77,
            session_epoch: 1,
            ..request(version, &[])
        };
        let answer = world.ask(version, &stolen).await;
        assert_eq!(
            (answer.error_code, answer.session_id, answer.responses.len()),
            (70, 0, 0)
        );
        let closing = FetchRequest {
            session_id: 77,
            session_epoch: -1,
            ..request(version, &["a"])
        };
        assert_eq!(world.ask(version, &closing).await.error_code, 70);
        let nameless = FetchRequest {
            session_id: 0,
            session_epoch: 1,
            ..request(version, &["a"])
        };
        assert_eq!(world.ask(version, &nameless).await.error_code, 70);
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn upstream_is_asked_for_no_session() {
    let world = World::new(&["allow Read topic:*"]).await;
    stocks(&world);
    for version in 7..=18 {
        let full = FetchRequest {
            session_id: 0,
            session_epoch: 0,
            ..request(version, &["a"])
        };
        assert_eq!(world.ask(version, &full).await.session_id, 0);
    }
    for (_, seen) in world.upstream.seen::<FetchRequest>() {
        assert_eq!((seen.session_id, seen.session_epoch), (0, -1));
    }
}

#[tokio::test]
async fn fetch_as_a_replica_is_refused() {
    let world = World::new(&["allow All topic:*", "allow All group:*"]).await;
    stocks(&world);
    for version in 4..=18 {
        let mut as_replica = request(version, &["a"]);
        if version < 15 {
            as_replica.replica_id = 1;
        } else {
            as_replica.replica_state = ReplicaState {
                replica_id: 1,
                ..Default::default()
            };
        }
        let answer = world.ask(version, &as_replica).await;
        assert_eq!(
            codes(version, &answer),
            [line("a", 29, 0)],
            "version {version}"
        );
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn fetch_as_the_debugging_replica_is_an_ordinary_one() {
    let world = World::new(&["allow Read topic:a"]).await;
    stocks(&world);
    for version in [4, 11] {
        let debugging = FetchRequest {
            replica_id: -2,
            ..request(version, &["a"])
        };
        world.ask(version, &debugging).await;
    }
    for (_, seen) in world.upstream.seen::<FetchRequest>() {
        assert_eq!(
            seen.replica_id, -1,
            "a debugging consumer sees past the high watermark"
        );
    }
}

#[tokio::test]
async fn sizes_stay_within_the_limit() {
    let world = World::new(&["allow Read topic:a"]).await;
    stocks(&world);
    world.ask(11, &request(11, &["a"])).await;
    let (_, seen) = world.upstream.seen::<FetchRequest>().remove(0);
    assert_eq!(
        (
            seen.max_bytes,
            seen.topics[0].partitions[0].partition_max_bytes
        ),
        (1 << 20, 1 << 20)
    );
}

#[tokio::test]
async fn records_of_a_topic_denied_meanwhile_do_not_arrive() {
    let world = World::new(&["allow Read topic:a"]).await;
    stocks(&world);
    world.upstream.hold_answers();
    let mut client = world.client().await;
    client.send(11, &request(11, &["a"])).await;
    while world.upstream.seen_keys().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    world.rules.set(&["deny Read topic:a"]);
    world.upstream.release_answers();
    assert!(client.is_closed().await);
    // A change that leaves the topic readable takes nothing away.
    world.rules.set(&["allow Read topic:a"]);
    world.upstream.hold_answers();
    let mut client = world.client().await;
    let id = client.send(11, &request(11, &["a"])).await;
    world
        .rules
        .set(&["allow Read topic:*", "deny Read topic:b"]);
    world.upstream.release_answers();
    let answer = client.receive::<FetchRequest>(11, id).await;
    assert_eq!(codes(11, &answer), [line("a", 0, 1)]);
}

#[tokio::test]
async fn rule_that_is_taken_away_holds_for_the_next_fetch() {
    let world = World::new(&["allow Read topic:a"]).await;
    stocks(&world);
    let mut client = world.client().await;
    assert_eq!(
        codes(11, &client.ask(11, &request(11, &["a"])).await),
        [line("a", 0, 1)]
    );
    world.rules.set(&[]);
    assert_eq!(
        codes(11, &client.ask(11, &request(11, &["a"])).await),
        [line("a", 29, 0)]
    );
    world.rules.set(&["allow Read topic:a"]);
    assert_eq!(
        codes(11, &client.ask(11, &request(11, &["a"])).await),
        [line("a", 0, 1)]
    );
}

#[tokio::test]
async fn transaction_and_share_state_take_a_rule_that_names_them() {
    let world = World::new(&["allow Read topic:*"]).await;
    stocks(&world);
    let answer = world
        .ask(
            11,
            &request(11, &["__transaction_state", "__consumer_offsets"]),
        )
        .await;
    assert_eq!(
        codes(11, &answer),
        [
            line("__consumer_offsets", 0, 1),
            line("__transaction_state", 29, 0)
        ]
    );
    world.rules.set(&["allow Read topic:__transaction_state"]);
    let answer = world.ask(11, &request(11, &["__transaction_state"])).await;
    assert_eq!(codes(11, &answer), [line("__transaction_state", 0, 1)]);
}
