//! Topics, partitions, records: made, deleted, refused.

use super::*;

async fn create(client: &mut Client, topic: create_topics_request::CreatableTopic) -> i16 {
    let request = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    client.ask(7, request).await.topics[0].error_code
}

fn topic(
    name: &str,
    num_partitions: i32,
    replication_factor: i16,
) -> create_topics_request::CreatableTopic {
    create_topics_request::CreatableTopic {
        name: name.into(),
        num_partitions,
        replication_factor,
        ..Default::default()
    }
}

fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> create_topics_request::CreatableTopic {
    let assignment = |(partition_index, brokers): &(i32, &[i32])| {
        create_topics_request::CreatableReplicaAssignment {
            partition_index: *partition_index,
            broker_ids: brokers.to_vec(),
            ..Default::default()
        }
    };
    create_topics_request::CreatableTopic {
        assignments: assignments.iter().map(assignment).collect(),
        ..topic(name, -1, -1)
    }
}

#[tokio::test]
async fn topics_are_made_or_refused_by_row() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let rows = [
        (topic("a", 2, 1), 0),
        (topic("a", 2, 1), 36),
        (topic("b", -1, -1), 0),
        (topic("a.b", 1, 1), 0),
        (topic("a_b", 1, 1), 17),
        (topic("", 1, 1), 17),
        (topic("x y", 1, 1), 17),
        (topic("__consumer_offsets", 1, 1), 17),
        (topic("c", 0, 1), 37),
        (topic("c", -2, 1), 37),
        (topic("c", 1, 0), 38),
        (topic("c", 1, 3), 38),
        (topic("c", 10_001, 1), 44),
        (assigned("m", &[(0, &[1]), (1, &[1])]), 0),
        (assigned("n", &[(0, &[2])]), 39),
        (assigned("n", &[(0, &[1]), (2, &[1])]), 39),
        (
            create_topics_request::CreatableTopic {
                num_partitions: 1,
                ..assigned("n", &[(0, &[1])])
            },
            42,
        ),
    ];
    for (at, (topic, code)) in rows.into_iter().enumerate() {
        assert_eq!(create(&mut client, topic).await, code, "row {at}");
    }
    for (configs, code) in [
        (&[("no.such", "1")][..], 40),
        (&[("retention.ms", "x")][..], 40),
        (
            &[("retention.ms", "1000"), ("cleanup.policy", "compact")][..],
            0,
        ),
    ] {
        assert_eq!(
            client
                .create_with("configured", 1, configs)
                .await
                .error_code,
            code
        );
    }
    let request = CreateTopicsRequest {
        topics: vec![topic("d", 1, 1), topic("d", 1, 1)],
        ..Default::default()
    };
    let response = client.ask(5, request).await;
    assert_eq!(
        (response.topics.len(), response.topics[0].error_code),
        (1, 42)
    );
    let request = CreateTopicsRequest {
        topics: vec![topic("d", 3, 1)],
        validate_only: true,
        ..Default::default()
    };
    let response = client.ask(7, request).await;
    let answer = &response.topics[0];
    assert_eq!(
        (
            answer.error_code,
            answer.num_partitions,
            answer.replication_factor
        ),
        (0, 3, 1)
    );
    assert!(answer.topic_id.is_nil() && !answer.configs.as_ref().unwrap().is_empty());
    assert_eq!(
        create(&mut client, topic("d", 3, 1)).await,
        0,
        "validating made nothing"
    );
    bench.finish().await;
}

#[tokio::test]
async fn topics_are_deleted_by_name_and_by_id() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let id = client.create("a", 1).await;
    client.create("b", 1).await;
    let state = |name: Option<&str>, topic_id| delete_topics_request::DeleteTopicState {
        name: name.map(Str::from),
        topic_id,
        ..Default::default()
    };
    let request = DeleteTopicsRequest {
        topics: vec![
            state(None, id),
            state(Some("none"), Uuid::nil()),
            state(None, Uuid::from_u128(3)),
            state(Some("b"), id),
            state(None, Uuid::nil()),
        ],
        ..Default::default()
    };
    let response = client.ask(6, request).await;
    let codes: Vec<i16> = response
        .responses
        .iter()
        .map(|one| one.error_code)
        .collect();
    assert_eq!(codes, [0, 3, 100, 42, 42]);
    assert_eq!(response.responses[0].name.as_deref(), Some("a"));
    let request = DeleteTopicsRequest {
        topic_names: vec!["b".into()],
        ..Default::default()
    };
    assert_eq!(client.ask(1, request).await.responses[0].error_code, 0);
    client.create("twice", 1).await;
    let request = DeleteTopicsRequest {
        topic_names: vec!["twice".into(), "twice".into()],
        ..Default::default()
    };
    let response = client.ask(5, request).await.responses;
    assert_eq!((response.len(), response[0].error_code), (1, 42));
    // The name is free again, with another id and without records.
    assert_ne!(client.create("a", 1).await, id);
    drop(client);
    let bench = bench.restart().await;
    assert_eq!(bench.client().offset("a", 0, -1).await, (0, 0, -1));
    assert_eq!(bench.client().offset("b", 0, -1).await.0, 3);
    bench.finish().await;

    let bench = Bench::with(Options {
        delete_topics: false,
        ..options()
    })
    .await;
    let mut client = bench.client();
    client.create("a", 1).await;
    for (version, code) in [(5, 73), (2, 42)] {
        let request = DeleteTopicsRequest {
            topic_names: vec!["a".into()],
            ..Default::default()
        };
        assert_eq!(
            client.ask(version, request).await.responses[0].error_code,
            code
        );
    }
    bench.finish().await;
}

#[tokio::test]
async fn partitions_are_added_never_removed() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 2).await;
    let grow = |name: &str, count, assignments: Option<Vec<Vec<i32>>>| {
        create_partitions_request::CreatePartitionsTopic {
            name: name.into(),
            count,
            assignments: assignments.map(|all| {
                let one = |broker_ids| create_partitions_request::CreatePartitionsAssignment {
                    broker_ids,
                    ..Default::default()
                };
                all.into_iter().map(one).collect()
            }),
            ..Default::default()
        }
    };
    let rows = [
        (vec![grow("none", 3, None)], 3),
        (vec![grow("t", 2, None)], 37),
        (vec![grow("t", 1, None)], 37),
        (vec![grow("t", 4, Some(vec![vec![1]]))], 39),
        (vec![grow("t", 3, Some(vec![vec![2]]))], 39),
        (vec![grow("t", 3, None), grow("t", 4, None)], 42),
        (vec![grow("t", 3, Some(vec![vec![1]]))], 0),
        (vec![grow("t", 5, None)], 0),
    ];
    for (at, (topics, code)) in rows.into_iter().enumerate() {
        let request = CreatePartitionsRequest {
            topics,
            ..Default::default()
        };
        assert_eq!(
            client.ask(3, request).await.results[0].error_code,
            code,
            "row {at}"
        );
    }
    assert_eq!(
        client
            .produce("t", 4, batch(now(), &["v"]))
            .await
            .error_code,
        0
    );
    drop(client);
    let bench = bench.restart().await;
    assert_eq!(bench.client().offset("t", 4, -1).await.1, 1);
    bench.finish().await;
}

#[tokio::test]
async fn records_are_deleted_up_to_an_offset() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    for _ in 0..5 {
        client.produce("t", 0, batch(now(), &["v"])).await;
    }
    for (index, offset, code, low) in [
        (0, 3, 0, 3),
        (0, 2, 0, 3),
        (0, 6, 1, -1),
        (0, -2, 1, -1),
        (8, 1, 3, -1),
        (0, -1, 0, 5),
    ] {
        let partition = delete_records_request::DeleteRecordsPartition {
            partition_index: index,
            offset,
            ..Default::default()
        };
        let topic = delete_records_request::DeleteRecordsTopic {
            name: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = DeleteRecordsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        let response = client.ask(2, request).await;
        let one = &response.topics[0].partitions[0];
        assert_eq!(
            (one.error_code, one.low_watermark),
            (code, low),
            "{index} {offset}"
        );
    }
    assert_eq!(client.fetch("t", 0, 4).await.error_code, 1);
    drop(client);
    let bench = bench.restart().await;
    assert_eq!(bench.client().offset("t", 0, -2).await.1, 5);
    bench.finish().await;
}

#[tokio::test]
async fn topic_is_whole_or_absent_when_the_client_goes_away_while_it_is_made() {
    let bench = Bench::start().await;
    for number in 0..40u64 {
        let mut client = bench.client();
        let topic = topic(&format!("t{number}"), 2, 1);
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        client.send(7, &request).await;
        let moment = Duration::from_micros(number * 50);
        let _ = tokio::time::timeout(moment, client.receive::<CreateTopicsRequest>(7)).await;
    }
    let mut client = bench.client();
    client.create("last", 1).await;
    let request = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    for topic in client.ask(12, request).await.topics {
        let led = topic
            .partitions
            .iter()
            .all(|partition| partition.leader_id == 1);
        assert!(led, "{:?}", topic.name);
    }
    bench.finish().await;
}
