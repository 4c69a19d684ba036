//! Produce and InitProducerId.

use bytes::Bytes;
use wire::header::encode_request;
use wire::message::produce_request::{PartitionProduceData, TopicProduceData};
use wire::message::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use wire::message::{InitProducerIdRequest, MetadataRequest, ProduceRequest, ProduceResponse};
use wire::record::{BatchBuilder, Encoding};

use crate::support::{World, id_of};

fn batch() -> BatchBuilder {
    let mut builder = BatchBuilder::new(Encoding::None);
    builder.append(1_700_000_000_000, Some(b"key"), Some(b"value"), &[]);
    builder
}

fn records() -> Bytes {
    batch().build().unwrap().bytes().clone()
}

fn topic(version: i16, name: &str, records: Bytes) -> TopicProduceData {
    let (name, topic_id) = if version < 13 {
        (name.into(), uuid::Uuid::nil())
    } else {
        ("".into(), id_of(name))
    };
    let partition = PartitionProduceData {
        index: 0,
        records: Some(records),
        ..Default::default()
    };
    TopicProduceData {
        name,
        topic_id,
        partition_data: vec![partition],
        ..Default::default()
    }
}

/// One batch for each topic.
pub fn request(version: i16, topics: &[&str], acks: i16) -> ProduceRequest {
    let topic_data = topics
        .iter()
        .map(|name| topic(version, name, records()))
        .collect();
    ProduceRequest {
        acks,
        timeout_ms: 1_000,
        topic_data,
        ..Default::default()
    }
}

/// Appends everything at offset 5.
fn stores(world: &World) {
    world.upstream.answer::<ProduceRequest>(|request, _| {
        let stored = request
            .topic_data
            .into_iter()
            .map(|topic| TopicProduceResponse {
                name: topic.name,
                topic_id: topic.topic_id,
                partition_responses: topic
                    .partition_data
                    .iter()
                    .map(|partition| PartitionProduceResponse {
                        index: partition.index,
                        base_offset: 5,
                        ..Default::default()
                    })
                    .collect(),
                ..Default::default()
            });
        ProduceResponse {
            responses: stored.collect(),
            ..Default::default()
        }
    });
}

/// Error by topic, in the order of names.
fn codes(version: i16, answer: &ProduceResponse) -> Vec<(String, i16, i64)> {
    let name = |topic: &TopicProduceResponse| match version {
        13.. => ["a", "b", "hidden"]
            .iter()
            .find(|name| id_of(name) == topic.topic_id)
            .unwrap_or(&"?")
            .to_string(),
        _ => topic.name.to_string(),
    };
    let mut all: Vec<_> = answer
        .responses
        .iter()
        .flat_map(|topic| {
            topic
                .partition_responses
                .iter()
                .map(|part| (name(topic), part.error_code, part.base_offset))
        })
        .collect();
    all.sort();
    all
}

fn line(name: &str, code: i16, offset: i64) -> (String, i16, i64) {
    (name.to_owned(), code, offset)
}

#[tokio::test]
async fn allowed_topics_are_written_and_the_others_refused() {
    let world = World::new(&["allow Write topic:a"]).await;
    stores(&world);
    for version in 3..=13 {
        let answer = world
            .ask(version, &request(version, &["hidden", "a"], -1))
            .await;
        assert_eq!(
            codes(version, &answer),
            [line("a", 0, 5), line("hidden", 29, -1)],
            "version {version}"
        );
    }
    for (version, seen) in world.upstream.seen::<ProduceRequest>() {
        assert_eq!(seen.topic_data.len(), 1, "version {version}");
    }
    assert_eq!(
        world.trail.refusals()[0],
        ("Write".into(), vec!["topic:hidden".into()])
    );
}

#[tokio::test]
async fn nothing_is_forwarded_when_all_is_refused() {
    let world = World::new(&["allow Read topic:*", "deny Write topic:a"]).await;
    for version in 3..=13 {
        let answer = world.ask(version, &request(version, &["a"], 1)).await;
        assert_eq!(codes(version, &answer), [line("a", 29, -1)]);
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn allowed_request_goes_on_byte_by_byte() {
    let world = World::new(&["allow Write topic:*"]).await;
    stores(&world);
    for version in 3..=13 {
        world.upstream.forget();
        let mut client = world.client().await;
        let frame = encode_request(
            7,
            Some("x".into()),
            version,
            &request(version, &["a", "b"], 1),
        )
        .unwrap()
        .into_bytes();
        client.send_frame(&frame).await;
        client.receive_frame().await.unwrap();
        assert_eq!(world.upstream.seen_frames(), [frame], "version {version}");
    }
}

#[tokio::test]
async fn unknown_topic_id_is_answered_without_asking_upstream() {
    let world = World::new(&["allow Write topic:*"]).await;
    stores(&world);
    let answer = world.ask(13, &request(13, &["nowhere", "a"], 1)).await;
    assert_eq!(codes(13, &answer), [line("?", 100, -1), line("a", 0, 5)]);
    assert_eq!(
        world.upstream.seen::<ProduceRequest>()[0]
            .1
            .topic_data
            .len(),
        1
    );
}

#[tokio::test]
async fn transactional_batch_needs_a_transactional_id_and_write_on_it() {
    let world = World::new(&[
        "allow Write topic:*",
        "allow Write txn:mine",
        "allow Describe txn:other",
    ])
    .await;
    stores(&world);
    let transactional = batch()
        .transactional()
        .producer(1, 0, 0)
        .build()
        .unwrap()
        .bytes()
        .clone();
    let with = |id: Option<&str>| ProduceRequest {
        transactional_id: id.map(Into::into),
        topic_data: vec![
            topic(9, "a", transactional.clone()),
            topic(9, "b", records()),
        ],
        acks: -1,
        ..Default::default()
    };
    let refused = [line("a", 53, -1), line("b", 53, -1)];
    assert_eq!(codes(9, &world.ask(9, &with(None)).await), refused);
    assert_eq!(codes(9, &world.ask(9, &with(Some("other"))).await), refused);
    assert_eq!(world.upstream.seen_keys(), []);
    assert_eq!(
        codes(9, &world.ask(9, &with(Some("mine"))).await),
        [line("a", 0, 5), line("b", 0, 5)]
    );
}

#[tokio::test]
async fn transactional_batch_behind_another_batch_is_not_smuggled() {
    let world = World::new(&["allow Write topic:*"]).await;
    stores(&world);
    let transactional = batch().transactional().producer(1, 0, 0).build().unwrap();
    let two = [&records()[..], &transactional.bytes()[..]].concat();
    let request = ProduceRequest {
        topic_data: vec![topic(9, "a", two.into())],
        acks: -1,
        ..Default::default()
    };
    let answer = world.ask(9, &request).await;
    assert!(matches!(codes(9, &answer)[0].1, 53 | 87), "{answer:?}");
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn control_batches_and_what_is_no_batch_are_invalid_records() {
    let world = World::new(&["allow Write topic:*"]).await;
    stores(&world);
    let control = batch().control().build().unwrap().bytes().clone();
    let mut old = records().to_vec();
    old[16] = 1;
    for bad in [
        control,
        old.into(),
        Bytes::from_static(b"short"),
        records().slice(..70),
    ] {
        let request = ProduceRequest {
            topic_data: vec![topic(9, "a", bad), topic(9, "b", records())],
            acks: -1,
            ..Default::default()
        };
        assert_eq!(
            codes(9, &world.ask(9, &request).await),
            [line("a", 87, -1), line("b", 0, 5)]
        );
    }
    for (_, seen) in world.upstream.seen::<ProduceRequest>() {
        assert_eq!(seen.topic_data.len(), 1);
    }
}

#[tokio::test]
async fn closes_after_denied_acks_zero() {
    let world = World::new(&["allow Write topic:a"]).await;
    for version in [3, 9, 13] {
        assert!(
            world
                .closes_on(version, &request(version, &["hidden"], 0))
                .await,
            "version {version}"
        );
    }
    assert_eq!(world.upstream.seen_keys(), []);
    // What is allowed is on its way before the connection ends.
    assert!(world.closes_on(9, &request(9, &["a", "hidden"], 0)).await);
    let seen = world.upstream.seen::<ProduceRequest>();
    assert_eq!(
        (
            seen.len(),
            &*seen[0].1.topic_data[0].name,
            seen[0].1.topic_data.len()
        ),
        (1, "a", 1)
    );
}

#[tokio::test]
async fn acks_zero_leaves_no_entry() {
    let world = World::new(&["allow Write topic:a"]).await;
    let mut client = world.client().await;
    client.send(9, &request(9, &["a"], 0)).await;
    let answer = client
        .ask(
            9,
            &MetadataRequest {
                topics: None,
                ..Default::default()
            },
        )
        .await;
    assert_eq!(answer.topics.len(), 1);
    assert_eq!(world.upstream.seen_keys(), [0, 3]);
}

#[tokio::test]
async fn transactional_batch_with_acks_zero_closes() {
    let world = World::new(&["allow Write topic:*"]).await;
    let transactional = batch()
        .transactional()
        .producer(1, 0, 0)
        .build()
        .unwrap()
        .bytes()
        .clone();
    let request = ProduceRequest {
        topic_data: vec![topic(9, "a", transactional)],
        acks: 0,
        ..Default::default()
    };
    assert!(world.closes_on(9, &request).await);
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn brokers_own_topics_take_a_rule_that_names_them() {
    for internal in [
        "__consumer_offsets",
        "__transaction_state",
        "__share_group_state",
    ] {
        let world = World::new(&["allow All topic:*"]).await;
        stores(&world);
        let write = request(9, &[internal], 1);
        assert_eq!(
            codes(9, &world.ask(9, &write).await),
            [line(internal, 29, -1)]
        );
        world.rules.set(&["allow All topic:__*"]);
        assert_eq!(
            codes(9, &world.ask(9, &write).await),
            [line(internal, 29, -1)],
            "a prefix does not name it"
        );
        world.rules.set(&[&format!("allow Write topic:{internal}")]);
        assert_eq!(
            codes(9, &world.ask(9, &write).await),
            [line(internal, 0, 5)]
        );
    }
}

#[tokio::test]
async fn client_id_of_the_brokers_admin_does_not_go_on() {
    let world = World::new(&["allow All topic:*"]).await;
    stores(&world);
    let mut client = world.client().await;
    let frame = encode_request(1, Some("__admin_client".into()), 9, &request(9, &["a"], 1))
        .unwrap()
        .into_bytes();
    client.send_frame(&frame).await;
    client.receive_frame().await.unwrap();
    for seen in world.upstream.seen_frames() {
        assert!(!seen.windows(14).any(|window| window == b"__admin_client"));
    }
}

#[tokio::test]
async fn producer_id_takes_idempotent_write_or_write_somewhere() {
    let cases: [(&[&str], i16); 7] = [
        (&[], 31),
        (&["allow Read topic:*"], 31),
        (&["allow IdempotentWrite cluster"], 0),
        (&["allow Write topic:a"], 0),
        (&["allow Write topic:ab*", "deny Write topic:a*"], 31),
        (&["allow Write topic:ab*", "deny Write topic:*"], 31),
        (&["allow Write topic:*", "deny Write topic:a"], 0),
    ];
    for (rules, code) in cases {
        let world = World::new(rules).await;
        for version in 0..=5 {
            let answer = world
                .ask(
                    version,
                    &InitProducerIdRequest {
                        transactional_id: None,
                        ..Default::default()
                    },
                )
                .await;
            assert_eq!(answer.error_code, code, "{rules:?} version {version}");
            if code != 0 {
                assert_eq!((answer.producer_id, answer.producer_epoch), (-1, -1));
            }
        }
    }
}

#[tokio::test]
async fn transactional_producer_id_takes_write_on_the_transactional_id() {
    let world = World::new(&[
        "allow Write txn:mine",
        "allow Describe txn:other",
        "allow IdempotentWrite cluster",
    ])
    .await;
    for version in 0..=5 {
        let ask = |id: &str| InitProducerIdRequest {
            transactional_id: Some(id.into()),
            transaction_timeout_ms: 1_000,
            ..Default::default()
        };
        assert_eq!(world.ask(version, &ask("mine")).await.error_code, 0);
        let refused = world.ask(version, &ask("other")).await;
        assert_eq!(
            (
                refused.error_code,
                refused.producer_id,
                refused.producer_epoch
            ),
            (53, -1, -1)
        );
    }
}
