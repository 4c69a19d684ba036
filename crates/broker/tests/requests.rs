//! Every request of the broker through a link: answers, error rows, order, waiting.

mod common;

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use common::{Bench, Client, batch, fetch_request, options, produce_request};
use kastellan_core::time::Clock;
use tokio::time::Instant;
use uuid::Uuid;
use wire::api;
use wire::error::ErrorCode;
use wire::message::*;
use wire::text::Str;

fn now() -> i64 {
    Clock::system().now().millis()
}

fn names(topics: &[&str]) -> MetadataRequest {
    let topic = |name: &&str| metadata_request::MetadataRequestTopic {
        name: Some(Str::from(*name)),
        ..Default::default()
    };
    MetadataRequest {
        topics: Some(topics.iter().map(topic).collect()),
        allow_auto_topic_creation: true,
        ..Default::default()
    }
}

#[tokio::test]
async fn newer_api_versions_is_answered_in_the_layout_everyone_reads() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let mut frame = BytesMut::new();
    for number in [18i16, 9] {
        frame.put_i16(number);
    }
    frame.put_i32(0x0102_0304);
    frame.put_slice(&[0xff, 0xff, 0, 1, 2, 3]);
    let answer = client.raw(frame.freeze()).await.unwrap();
    assert_eq!(
        &answer[..],
        [1, 2, 3, 4, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]
    );
    // The connection goes on.
    let request = ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1.0".into(),
        ..Default::default()
    };
    assert_eq!(client.ask(4, request).await.api_keys.len(), 27);
    let bad = ApiVersionsRequest {
        client_software_name: "-".into(),
        ..Default::default()
    };
    assert_eq!(
        client.ask(3, bad).await.error_code,
        ErrorCode::INVALID_REQUEST.0
    );
    bench.finish().await;
}

#[tokio::test]
async fn versions_outside_what_is_served_close_the_link_and_those_inside_do_not() {
    let bench = Bench::start().await;
    for (key, version) in [
        (0, 2),
        (0, 14),
        (3, 14),
        (24, 0),
        (68, 0),
        (75, 0),
        (999, 0),
        (-1, 0),
    ] {
        let mut client = bench.client();
        let mut frame = BytesMut::new();
        frame.put_i16(key);
        frame.put_i16(version);
        frame.put_slice(&[0; 12]);
        assert!(
            client.raw(frame.freeze()).await.is_err(),
            "{key} v{version}"
        );
    }
    let mut client = bench.client();
    for version in 0..=13 {
        let topics = (version > 0).then(Vec::new).or(Some(Vec::new()));
        let response = client
            .ask(
                version,
                MetadataRequest {
                    topics,
                    ..Default::default()
                },
            )
            .await;
        assert_eq!(response.brokers[0].node_id, 1, "v{version}");
    }
    bench.finish().await;
}

#[tokio::test]
async fn cut_request_closes_the_link() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let frame = Bytes::from_static(&[0, 3, 0, 9, 0, 0, 0, 1, 0, 1, b'x', 0, 9]);
    assert!(client.raw(frame).await.is_err());
    bench.finish().await;
}

/// Each key at each served version with a request that names nothing: the answer decodes at that version.
#[tokio::test]
async fn every_key_answers_at_every_version() {
    macro_rules! all {
        ($client:ident, $keys:ident, $($request:ident),*) => { $(
            let row = api::find(<$request as wire::codec::Request>::KEY).unwrap();
            let (low, high) = row.embedded.unwrap();
            for version in low..=high {
                $client.ask(version, $request::default()).await;
            }
            $keys.push(row.key);
        )* };
    }
    let bench = Bench::start().await;
    let mut client = bench.client();
    let mut keys = Vec::new();
    all!(
        client,
        keys,
        FetchRequest,
        ListOffsetsRequest,
        OffsetCommitRequest,
        OffsetFetchRequest,
        FindCoordinatorRequest,
        JoinGroupRequest,
        HeartbeatRequest,
        LeaveGroupRequest,
        SyncGroupRequest,
        DescribeGroupsRequest,
        ListGroupsRequest,
        ApiVersionsRequest,
        CreateTopicsRequest,
        DeleteTopicsRequest,
        DeleteRecordsRequest,
        OffsetForLeaderEpochRequest,
        DescribeConfigsRequest,
        AlterConfigsRequest,
        DescribeLogDirsRequest,
        CreatePartitionsRequest,
        DeleteGroupsRequest,
        IncrementalAlterConfigsRequest,
        OffsetDeleteRequest,
        DescribeClusterRequest
    );
    for version in 3..=13 {
        client
            .ask(
                version,
                ProduceRequest {
                    acks: 1,
                    ..Default::default()
                },
            )
            .await;
    }
    for version in 0..=5 {
        let nobody = InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        };
        client.ask(version, nobody).await;
    }
    for version in 0..=13 {
        client
            .ask(
                version,
                MetadataRequest {
                    topics: Some(Vec::new()),
                    ..Default::default()
                },
            )
            .await;
    }
    keys.extend([0, 3, 22]);
    keys.sort_unstable();
    let served: Vec<i16> = api::MATRIX
        .iter()
        .filter(|row| row.embedded.is_some())
        .map(|row| row.key)
        .collect();
    assert_eq!(keys, served);
    bench.finish().await;
}

#[tokio::test]
async fn metadata_shows_topics_by_name_by_id_and_all() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let id = client.create("orders", 3).await;
    let response = client
        .ask(
            12,
            names(&["orders", "none", "bad name", "__consumer_offsets"]),
        )
        .await;
    let codes: Vec<i16> = response
        .topics
        .iter()
        .map(|topic| topic.error_code)
        .collect();
    assert_eq!(codes, [0, 3, 17, 3]);
    let orders = &response.topics[0];
    assert_eq!((orders.partitions.len(), orders.topic_id), (3, id));
    let first = &orders.partitions[0];
    assert_eq!(
        (
            first.leader_id,
            &first.isr_nodes[..],
            first.offline_replicas.len()
        ),
        (1, &[1][..], 0)
    );
    assert_eq!(response.cluster_id.unwrap().len(), 22);

    let by_id = |id| MetadataRequest {
        topics: Some(vec![metadata_request::MetadataRequestTopic {
            topic_id: id,
            name: None,
            ..Default::default()
        }]),
        ..Default::default()
    };
    assert_eq!(
        client.ask(12, by_id(id)).await.topics[0].name.as_deref(),
        Some("orders")
    );
    let unknown = client.ask(13, by_id(Uuid::from_u128(9))).await;
    let unknown = &unknown.topics[0];
    assert_eq!(
        (unknown.error_code, &unknown.name),
        (ErrorCode::UNKNOWN_TOPIC_ID.0, &None)
    );
    let all = client
        .ask(
            9,
            MetadataRequest {
                topics: None,
                ..Default::default()
            },
        )
        .await;
    assert_eq!(all.topics.len(), 1);
    let none = client
        .ask(
            9,
            MetadataRequest {
                topics: Some(Vec::new()),
                ..Default::default()
            },
        )
        .await;
    assert_eq!(none.topics.len(), 0);
    let zero = client
        .ask(
            0,
            MetadataRequest {
                topics: Some(Vec::new()),
                ..Default::default()
            },
        )
        .await;
    assert_eq!(zero.topics.len(), 1, "an empty list means all in version 0");
    bench.finish().await;
}

#[tokio::test]
async fn topic_is_made_by_asking_only_where_that_is_enabled_and_wanted() {
    let mut with = options();
    with.auto_create_topics = true;
    with.partitions = 4;
    let bench = Bench::with(with).await;
    let mut client = bench.client();
    let unwanted = MetadataRequest {
        allow_auto_topic_creation: false,
        ..names(&["new"])
    };
    assert_eq!(client.ask(12, unwanted).await.topics[0].error_code, 3);
    let made = client.ask(12, names(&["new"])).await;
    assert_eq!(
        (made.topics[0].error_code, made.topics[0].partitions.len()),
        (0, 4)
    );
    assert_eq!(
        client.ask(1, names(&["older"])).await.topics[0]
            .partitions
            .len(),
        4
    );
    bench.finish().await;
}

#[tokio::test]
async fn what_was_produced_is_fetched_as_it_was_and_after_a_restart_too() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let records = batch(now(), &["one", "two"]);
    let first = client.produce("t", 0, records.clone()).await;
    assert_eq!(
        (
            first.error_code,
            first.base_offset,
            first.log_append_time_ms
        ),
        (0, 0, -1)
    );
    assert_eq!(client.produce("t", 0, records.clone()).await.base_offset, 2);
    let data = client.fetch("t", 0, 0).await;
    assert_eq!(
        (
            data.error_code,
            data.high_watermark,
            data.last_stable_offset
        ),
        (0, 4, 4)
    );
    let fetched = data.records.unwrap();
    assert_eq!(fetched.len(), 2 * records.len());
    assert_eq!(
        &fetched[16..records.len()],
        &records[16..],
        "only offset and epoch were set"
    );
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    let data = client.fetch("t", 0, 3).await;
    assert_eq!(data.high_watermark, 4);
    assert_eq!(
        data.records.unwrap().len(),
        records.len(),
        "the batch that contains the offset"
    );
    bench.finish().await;
}

#[tokio::test]
async fn produce_is_refused_by_row() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let good = batch(now(), &["v"]);
    let mut broken = BytesMut::from(&good[..]);
    broken[64] ^= 1;
    let mut transactional = wire::record::BatchBuilder::new(wire::record::Encoding::None)
        .producer(1, 0, 0)
        .transactional();
    transactional.append(now(), None, Some(b"v"), &[]);
    let transactional = transactional.build().unwrap().bytes().clone();
    let two = Bytes::from([&good[..], &good[..]].concat());
    let rows = [
        (produce_request("none", 0, Some(good.clone()), -1), 3),
        (produce_request("t", 7, Some(good.clone()), -1), 3),
        (produce_request("t", -1, Some(good.clone()), -1), 3),
        (produce_request("t", 0, None, -1), 87),
        (produce_request("t", 0, Some(Bytes::new()), -1), 87),
        (produce_request("t", 0, Some(two), -1), 87),
        (produce_request("t", 0, Some(broken.freeze()), -1), 2),
        (produce_request("t", 0, Some(good.clone()), 2), 21),
        (produce_request("none", 0, Some(good.clone()), 2), 3),
        (produce_request("t", 0, None, 2), 87),
        (produce_request("t", 0, Some(transactional), -1), 53),
        (
            produce_request("t", 0, Some(batch(now() + 7_200_000, &["v"])), -1),
            32,
        ),
        (produce_request("t", 0, Some(good.clone()), 1), 0),
    ];
    for (at, (request, code)) in rows.into_iter().enumerate() {
        let response = client.ask(12, request).await;
        let part = &response.responses[0].partition_responses[0];
        assert_eq!(part.error_code, code, "row {at}");
        if code != 0 {
            // The partition itself looked at the timestamps.
            let log_start = if code == 32 { 0 } else { -1 };
            let told = (part.base_offset, part.log_start_offset);
            assert_eq!(told, (-1, log_start), "row {at}");
        }
    }
    let by_id = ProduceRequest {
        topic_data: vec![produce_request::TopicProduceData {
            topic_id: Uuid::from_u128(5),
            name: Str::EMPTY,
            partition_data: vec![produce_request::PartitionProduceData {
                records: Some(good),
                ..Default::default()
            }],
            ..Default::default()
        }],
        acks: -1,
        timeout_ms: 1_000,
        ..Default::default()
    };
    let response = client.ask(13, by_id).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 100);
    bench.finish().await;
}

#[tokio::test]
async fn produce_without_acks_is_silent_and_closes_on_an_error() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    client
        .send(9, &produce_request("t", 0, Some(batch(now(), &["v"])), 0))
        .await;
    // The next answer is that of the next request.
    let found = client.ask(1, names(&["t"])).await;
    assert_eq!(found.topics[0].error_code, 0);
    client
        .send(9, &produce_request("t", 5, Some(batch(now(), &["v"])), 0))
        .await;
    assert!(client.receive::<ProduceRequest>(9).await.is_err());
    // It is readable once it is durable.
    let poll = fetch_request("t", &[(0, 0)], 10_000, 1);
    let response = bench.client().ask(12, poll).await;
    assert_eq!(response.responses[0].partitions[0].high_watermark, 1);
    bench.finish().await;
}

#[tokio::test]
async fn answers_come_in_the_order_of_requests_and_appends_in_theirs() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let mut sent = Vec::new();
    for number in 0..40 {
        let value = number.to_string();
        let request = produce_request("t", 0, Some(batch(now(), &[&value])), -1);
        sent.push(client.send(9, &request).await);
        // The queue is bounded: take an answer now and then.
        if number % 8 == 7 {
            for expected in sent.drain(..) {
                let (correlation, response) = client.receive::<ProduceRequest>(9).await.unwrap();
                assert_eq!(correlation, expected);
                assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
            }
        }
    }
    let records = client.fetch("t", 0, 0).await.records.unwrap();
    let mut values = Vec::new();
    for one in wire::record::batches(&records, wire::record::Trailing::Refused) {
        let caps = wire::record::ExpansionCaps::fixed(1 << 20);
        for record in wire::record::records(&one.unwrap(), &caps).unwrap() {
            values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
        }
    }
    let expected: Vec<String> = (0..40).map(|number: i32| number.to_string()).collect();
    assert_eq!(values, expected);
    bench.finish().await;
}

#[tokio::test]
async fn long_poll_wakes_at_the_append_and_ends_at_its_deadline() {
    let bench = Bench::start().await;
    let mut reader = bench.client();
    let mut writer = bench.client();
    reader.create("t", 2).await;
    let began = Instant::now();
    let empty = reader
        .ask(12, fetch_request("t", &[(0, 0), (1, 0)], 300, 1))
        .await;
    assert!(began.elapsed() >= Duration::from_millis(290));
    assert!(
        empty.responses[0]
            .partitions
            .iter()
            .all(|one| one.records.as_ref().unwrap().is_empty())
    );

    let began = Instant::now();
    let waiting = tokio::spawn(async move {
        let response = reader
            .ask(12, fetch_request("t", &[(0, 0), (1, 0)], 15_000, 1))
            .await;
        (reader, response)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    writer.produce("t", 1, batch(now(), &["v"])).await;
    let (mut reader, response) = waiting.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    let partitions = &response.responses[0].partitions;
    assert_eq!(partitions[0].records.as_ref().unwrap().len(), 0);
    assert!(!partitions[1].records.as_ref().unwrap().is_empty());

    // A deleted topic wakes as well.
    let waiting = tokio::spawn(async move {
        let response = reader
            .ask(12, fetch_request("t", &[(0, 0)], 15_000, 1))
            .await;
        response.responses[0].partitions[0].error_code
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".into()],
        ..Default::default()
    };
    assert_eq!(writer.ask(5, request).await.responses[0].error_code, 0);
    assert_eq!(waiting.await.unwrap(), 3);
    bench.finish().await;
}

#[tokio::test]
async fn many_idle_polls_hold_up_no_one() {
    let bench = Bench::start().await;
    bench.client().create("t", 1).await;
    let polls: Vec<_> = (0..200)
        .map(|_| {
            let mut client = bench.client();
            tokio::spawn(async move {
                client
                    .ask(12, fetch_request("t", &[(0, 0)], 10_000, 1))
                    .await
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    bench.client().produce("t", 0, batch(now(), &["v"])).await;
    for poll in polls {
        let response = poll.await.unwrap();
        assert_eq!(response.responses[0].partitions[0].high_watermark, 1);
    }
    bench.finish().await;
}

#[tokio::test]
async fn fetch_is_refused_by_row() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    client.produce("t", 0, batch(now(), &["v"])).await;
    let base = || fetch_request("t", &[(0, 0)], 0, 1);
    let whole = [
        (
            FetchRequest {
                session_id: 5,
                ..base()
            },
            70,
        ),
        (
            FetchRequest {
                session_epoch: 1,
                ..base()
            },
            70,
        ),
        (
            FetchRequest {
                replica_id: 3,
                ..base()
            },
            42,
        ),
        (base(), 0),
    ];
    for (request, code) in whole {
        assert_eq!(client.ask(12, request).await.error_code, code);
    }
    for (index, offset, code) in [(0, 2, 1), (0, -1, 1), (9, 0, 3), (0, 1, 0)] {
        assert_eq!(
            client.fetch("t", index, offset).await.error_code,
            code,
            "{index} {offset}"
        );
    }
    let epoch = client.ask(12, names(&["t"])).await.topics[0].partitions[0].leader_epoch;
    for (asked, code) in [(epoch - 1, 74), (epoch + 1, 75), (epoch, 0), (-1, 0)] {
        let mut request = base();
        request.topics[0].partitions[0].current_leader_epoch = asked;
        let expected = if asked < 0 { 0 } else { code };
        let got = client.ask(12, request).await.responses[0].partitions[0].error_code;
        assert_eq!(got, expected, "{asked}");
    }
    let unknown_id = fetch_request("", &[(0, 0)], 0, 1);
    let got = client.ask(13, unknown_id).await;
    assert_eq!(got.responses[0].partitions[0].error_code, 100);
    let mut committed = base();
    committed.isolation_level = 1;
    let got = client.ask(12, committed).await;
    assert_eq!(
        got.responses[0].partitions[0].aborted_transactions,
        Some(Vec::new())
    );
    assert_eq!(
        client.ask(12, base()).await.responses[0].partitions[0].aborted_transactions,
        None
    );
    bench.finish().await;
}

#[tokio::test]
async fn first_batch_goes_out_whatever_the_bounds_and_later_ones_keep_them() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 2).await;
    let large = "x".repeat(10_000);
    for index in [0, 1] {
        for _ in 0..3 {
            client.produce("t", index, batch(now(), &[&large])).await;
        }
    }
    let mut request = fetch_request("t", &[(0, 0), (1, 0)], 0, 1);
    request.max_bytes = 100;
    let response = client.ask(12, request).await;
    let sizes: Vec<usize> = response.responses[0]
        .partitions
        .iter()
        .map(|one| one.records.as_ref().unwrap().len())
        .collect();
    assert!(
        sizes[0] > 10_000 && sizes[0] < 20_000 && sizes[1] == 0,
        "{sizes:?}"
    );
    bench.finish().await;
}

#[tokio::test]
async fn offsets_are_listed_by_time_and_by_name() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    assert_eq!(client.offset("t", 0, -3).await, (0, -1, -1));
    let time = now() - 10_000;
    client.produce("t", 0, batch(time, &["a", "b", "c"])).await;
    client.produce("t", 0, batch(time + 100, &["d"])).await;
    for (asked, offset, at) in [
        (-1, 4, -1),
        (-2, 0, -1),
        (-3, 3, time + 100),
        (-4, 0, -1),
        (-5, -1, -1),
        (-6, -1, -1),
        (time + 1, 1, time + 1),
        (time + 50, 3, time + 100),
        (0, 0, time),
        (time + 101, -1, -1),
    ] {
        assert_eq!(
            client.offset("t", 0, asked).await,
            (0, offset, at),
            "{asked}"
        );
    }
    assert_eq!(client.offset("t", 0, -7).await.0, 35);
    assert_eq!(client.offset("t", 3, -1).await.0, 3);
    let partition = |timestamp| list_offsets_request::ListOffsetsPartition {
        timestamp,
        ..Default::default()
    };
    let request = |partitions| ListOffsetsRequest {
        topics: vec![list_offsets_request::ListOffsetsTopic {
            name: "t".into(),
            partitions,
            ..Default::default()
        }],
        ..Default::default()
    };
    let twice = client
        .ask(5, request(vec![partition(-1), partition(-2)]))
        .await;
    assert!(
        twice.topics[0]
            .partitions
            .iter()
            .all(|one| one.error_code == 42)
    );
    let early = client.ask(6, request(vec![partition(-3)])).await;
    assert_eq!(early.topics[0].partitions[0].error_code, 35);
    let old = client.ask(1, request(vec![partition(-1)])).await;
    assert_eq!(old.topics[0].partitions[0].offset, 4);
    bench.finish().await;
}

#[tokio::test]
async fn epoch_ends_at_the_end_of_the_log_until_a_restart() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    client.produce("t", 0, batch(now(), &["v"])).await;
    let epoch = client.ask(12, names(&["t"])).await.topics[0].partitions[0].leader_epoch;
    let ask = |leader_epoch| OffsetForLeaderEpochRequest {
        replica_id: -2,
        topics: vec![offset_for_leader_epoch_request::OffsetForLeaderTopic {
            topic: "t".into(),
            partitions: vec![offset_for_leader_epoch_request::OffsetForLeaderPartition {
                leader_epoch,
                current_leader_epoch: -1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    async fn end(client: &mut Client, request: OffsetForLeaderEpochRequest) -> (i16, i32, i64) {
        let response = client.ask(4, request).await;
        let one = &response.topics[0].partitions[0];
        (one.error_code, one.leader_epoch, one.end_offset)
    }
    assert_eq!(end(&mut client, ask(epoch)).await, (0, epoch, 1));
    assert_eq!(end(&mut client, ask(epoch + 1)).await, (0, -1, -1));
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    client.produce("t", 0, batch(now(), &["v"])).await;
    assert_eq!(end(&mut client, ask(epoch)).await, (0, epoch, 1));
    assert_eq!(end(&mut client, ask(epoch + 1)).await, (0, epoch + 1, 2));
    bench.finish().await;
}

#[tokio::test]
async fn transactions_are_refused_for_good() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let find = |key_type| FindCoordinatorRequest {
        key_type,
        coordinator_keys: vec!["k".into()],
        ..Default::default()
    };
    for (key_type, code, node) in [(0, 0, 1), (1, 53, -1), (2, 42, -1), (9, 42, -1)] {
        let response = client.ask(6, find(key_type)).await;
        let found = &response.coordinators[0];
        assert_eq!(
            (found.error_code, found.node_id),
            (code, node),
            "{key_type}"
        );
    }
    let old = FindCoordinatorRequest {
        key: "g".into(),
        ..Default::default()
    };
    assert_eq!(client.ask(0, old.clone()).await.node_id, 1);
    let one = FindCoordinatorRequest { key_type: 1, ..old };
    assert_eq!(client.ask(3, one).await.error_code, 53);

    let id = |transactional_id: Option<&str>, producer_id, producer_epoch| InitProducerIdRequest {
        transactional_id: transactional_id.map(Str::from),
        producer_id,
        producer_epoch,
        ..Default::default()
    };
    assert_eq!(client.ask(5, id(Some("t"), -1, -1)).await.error_code, 53);
    assert_eq!(client.ask(5, id(None, 4, -1)).await.error_code, 42);
    let first = client.ask(5, id(None, -1, -1)).await;
    let second = client.ask(2, id(None, -1, -1)).await;
    assert_eq!((first.error_code, first.producer_epoch), (0, 0));
    assert_eq!(second.producer_id, first.producer_id + 1);
    assert_eq!(
        client
            .ask(4, id(None, first.producer_id, 0))
            .await
            .error_code,
        0
    );
    bench.finish().await;
}

#[tokio::test]
async fn repeated_batch_of_an_idempotent_producer_is_appended_once() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let records = |sequence| {
        let mut builder =
            wire::record::BatchBuilder::new(wire::record::Encoding::None).producer(77, 0, sequence);
        builder.append(now(), None, Some(b"v"), &[]);
        builder.build().unwrap().bytes().clone()
    };
    let first = records(0);
    assert_eq!(client.produce("t", 0, first.clone()).await.base_offset, 0);
    let again = client.produce("t", 0, first).await;
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    assert_eq!(client.produce("t", 0, records(5)).await.error_code, 45);
    assert_eq!(client.produce("t", 0, records(1)).await.base_offset, 1);
    bench.finish().await;
}
