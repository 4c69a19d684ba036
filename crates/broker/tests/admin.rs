//! Topics, settings, groups and offsets as administrators see them, through a link.

mod common;

use std::time::Duration;

use broker::Options;
use bytes::Bytes;
use common::{Bench, Client, batch, options};
use kastellan_core::time::Clock;
use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::*;
use wire::text::Str;

fn now() -> i64 {
    Clock::system().now().millis()
}

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

async fn shown(
    client: &mut Client,
    kind: i8,
    name: &str,
    key: &str,
) -> (i16, Option<(String, i8)>) {
    let resource = describe_configs_request::DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configuration_keys: Some(vec![key.into()]),
        ..Default::default()
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        ..Default::default()
    };
    let response = client.ask(4, request).await;
    let result = &response.results[0];
    let config = result.configs.first();
    (
        result.error_code,
        config.map(|one| (one.value.as_ref().unwrap().to_string(), one.config_source)),
    )
}

/// Setting, operation, value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

async fn change(client: &mut Client, kind: i8, name: &str, changes: &[Change<'_>]) -> i16 {
    let config = |(name, op, value): &(&str, i8, Option<&str>)| {
        incremental_alter_configs_request::AlterableConfig {
            name: Str::from(*name),
            config_operation: *op,
            value: value.map(Str::from),
            ..Default::default()
        }
    };
    let resource = incremental_alter_configs_request::AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: changes.iter().map(config).collect(),
        ..Default::default()
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    client.ask(1, request).await.responses[0].error_code
}

#[tokio::test]
async fn settings_are_shown_and_changed_for_topics_broker_and_groups() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    let default = shown(&mut client, 2, "t", "retention.ms").await;
    assert_eq!(default, (0, Some(("604800000".into(), 5))));
    let rows: [(i8, &str, &[Change<'_>], i16); 13] = [
        (2, "t", &[("retention.ms", 0, Some("1000"))], 0),
        (2, "t", &[("retention.ms", 0, Some("x"))], 40),
        (2, "t", &[("retention.ms", 0, None)], 42),
        (2, "t", &[("no.such", 0, Some("1"))], 40),
        (2, "t", &[("retention.ms", 2, Some("1"))], 40),
        (2, "t", &[("cleanup.policy", 2, Some("compact"))], 0),
        (
            2,
            "t",
            &[("retention.ms", 0, Some("1")), ("retention.ms", 1, None)],
            42,
        ),
        (2, "none", &[("retention.ms", 0, Some("1"))], 3),
        (4, "1", &[("log.cleaner.threads", 0, Some("2"))], 0),
        (4, "7", &[("log.cleaner.threads", 0, Some("2"))], 42),
        (
            32,
            "g",
            &[("consumer.session.timeout.ms", 0, Some("50000"))],
            0,
        ),
        (
            32,
            "",
            &[("consumer.session.timeout.ms", 0, Some("50000"))],
            42,
        ),
        (8, "1", &[("x", 0, Some("1"))], 42),
    ];
    for (at, (kind, name, changes, code)) in rows.into_iter().enumerate() {
        assert_eq!(
            change(&mut client, kind, name, changes).await,
            code,
            "row {at}"
        );
    }
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    assert_eq!(
        shown(&mut client, 2, "t", "retention.ms").await,
        (0, Some(("1000".into(), 1)))
    );
    assert_eq!(
        shown(&mut client, 2, "t", "cleanup.policy").await,
        (0, Some(("delete,compact".into(), 1)))
    );
    assert_eq!(
        shown(&mut client, 4, "1", "log.cleaner.threads").await,
        (0, Some(("2".into(), 2)))
    );
    assert_eq!(
        shown(&mut client, 4, "1", "num.partitions").await,
        (0, Some(("1".into(), 4)))
    );
    assert_eq!(
        shown(&mut client, 32, "g", "consumer.session.timeout.ms").await,
        (0, Some(("50000".into(), 8)))
    );
    assert_eq!(shown(&mut client, 2, "none", "x").await.0, 3);
    assert_eq!(shown(&mut client, 9, "t", "x").await.0, 42);
    assert_eq!(
        change(&mut client, 2, "t", &[("retention.ms", 1, None)]).await,
        0
    );
    assert_eq!(
        shown(&mut client, 2, "t", "retention.ms").await.1,
        Some(("604800000".into(), 5))
    );
    // The older request replaces everything that was set.
    let resource = alter_configs_request::AlterConfigsResource {
        resource_type: 2,
        resource_name: "t".into(),
        configs: vec![alter_configs_request::AlterableConfig {
            name: "segment.ms".into(),
            value: Some("5000".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = AlterConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    assert_eq!(client.ask(2, request).await.responses[0].error_code, 0);
    assert_eq!(
        shown(&mut client, 2, "t", "cleanup.policy").await.1,
        Some(("delete".into(), 5))
    );
    assert_eq!(
        shown(&mut client, 2, "t", "segment.ms").await.1,
        Some(("5000".into(), 1))
    );
    bench.finish().await;
}

#[tokio::test]
async fn cluster_and_log_directory_are_described() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 2).await;
    client.produce("t", 1, batch(now(), &["v"])).await;
    let cluster = client.ask(2, DescribeClusterRequest::default()).await;
    assert_eq!(
        (
            cluster.error_code,
            cluster.controller_id,
            cluster.brokers.len()
        ),
        (0, 1, 1)
    );
    for (endpoint_type, code) in [(2, 114), (7, 115)] {
        let request = DescribeClusterRequest {
            endpoint_type,
            ..Default::default()
        };
        assert_eq!(client.ask(1, request).await.error_code, code);
    }
    let dirs = client
        .ask(
            4,
            DescribeLogDirsRequest {
                topics: None,
                ..Default::default()
            },
        )
        .await;
    let dir = &dirs.results[0];
    assert_eq!((dir.error_code, dir.topics[0].partitions.len()), (0, 2));
    assert!(dir.topics[0].partitions[1].partition_size > 0 && dir.total_bytes > 0);
    bench.finish().await;
}

fn join(group: &str, member: &str, instance: Option<&str>) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 5_000,
        member_id: member.into(),
        group_instance_id: instance.map(Str::from),
        protocol_type: "consumer".into(),
        protocols: vec![join_group_request::JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 0xff, 0xff, 0xff, 0xff]),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn sync(group: &str, member: &str, generation_id: i32, assigned: &[&str]) -> SyncGroupRequest {
    let assignment = |member: &&str| sync_group_request::SyncGroupRequestAssignment {
        member_id: Str::from(*member),
        assignment: Bytes::from((*member).to_owned()),
        ..Default::default()
    };
    SyncGroupRequest {
        group_id: group.into(),
        member_id: member.into(),
        generation_id,
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: assigned.iter().map(assignment).collect(),
        ..Default::default()
    }
}

/// A member with an id, alone in its group, Stable.
async fn stable(client: &mut Client, group: &str) -> (Str, i32) {
    let asked = client.ask(9, join(group, "", None)).await;
    assert_eq!(asked.error_code, ErrorCode::MEMBER_ID_REQUIRED.0);
    let joined = client.ask(9, join(group, &asked.member_id, None)).await;
    assert_eq!((joined.error_code, joined.members.len()), (0, 1));
    let synced = client
        .ask(
            5,
            sync(
                group,
                &joined.member_id,
                joined.generation_id,
                &[&joined.member_id],
            ),
        )
        .await;
    assert_eq!(
        (synced.error_code, &synced.assignment[..]),
        (0, joined.member_id.as_bytes())
    );
    (joined.member_id, joined.generation_id)
}

fn commit(
    group: &str,
    member: &str,
    generation: i32,
    topic: &str,
    offset: i64,
) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: group.into(),
        member_id: member.into(),
        generation_id_or_member_epoch: generation,
        topics: vec![offset_commit_request::OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![offset_commit_request::OffsetCommitRequestPartition {
                committed_offset: offset,
                committed_leader_epoch: 1,
                committed_metadata: Some("note".into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetch_offsets(group: &str, topics: Option<&[&str]>) -> OffsetFetchRequest {
    let topic = |name: &&str| offset_fetch_request::OffsetFetchRequestTopics {
        name: Str::from(*name),
        partition_indexes: vec![0, 1],
        ..Default::default()
    };
    OffsetFetchRequest {
        groups: vec![offset_fetch_request::OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: topics.map(|topics| topics.iter().map(topic).collect()),
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[tokio::test]
async fn group_with_its_offsets_survives_a_restart_and_goes_on() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 2).await;
    let (member, generation) = stable(&mut client, "g").await;
    let response = client
        .ask(9, commit("g", &member, generation, "t", 41))
        .await;
    assert_eq!(response.topics[0].partitions[0].error_code, 0);
    drop(client);
    let bench = bench.restart().await;
    let mut client = bench.client();
    let beat = HeartbeatRequest {
        group_id: "g".into(),
        member_id: member.clone(),
        generation_id: generation,
        ..Default::default()
    };
    assert_eq!(client.ask(4, beat.clone()).await.error_code, 0);
    let got = client
        .ask(8, fetch_offsets("g", Some(&["t", "none"])))
        .await;
    let topics = &got.groups[0].topics;
    let first = &topics[0].partitions[0];
    assert_eq!(
        (
            first.committed_offset,
            first.committed_leader_epoch,
            first.metadata.as_deref()
        ),
        (41, 1, Some("note"))
    );
    let empty = &topics[0].partitions[1];
    assert_eq!(
        (
            empty.committed_offset,
            empty.error_code,
            empty.metadata.as_deref()
        ),
        (-1, 0, Some(""))
    );
    assert_eq!(
        (
            topics[1].partitions[0].committed_offset,
            topics[1].partitions[0].error_code
        ),
        (-1, 0)
    );
    let all = client.ask(9, fetch_offsets("g", None)).await;
    assert_eq!(
        (
            all.groups[0].topics.len(),
            all.groups[0].topics[0].partitions.len()
        ),
        (1, 1)
    );

    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        member_id: member,
        ..Default::default()
    };
    assert_eq!(client.ask(1, leave).await.error_code, 0);
    assert_eq!(client.ask(4, beat).await.error_code, 25);
    let (_, next) = stable(&mut client, "g").await;
    assert!(next > generation);
    // The topic takes its offsets along.
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".into()],
        ..Default::default()
    };
    client.ask(5, request).await;
    client.create("t", 2).await;
    let got = client.ask(8, fetch_offsets("g", Some(&["t"]))).await;
    assert_eq!(got.groups[0].topics[0].partitions[0].committed_offset, -1);
    bench.finish().await;
}

#[tokio::test]
async fn three_members_rebalance_over_three_links() {
    let mut with = options();
    with.groups.initial_delay = Duration::from_millis(200);
    let bench = Bench::with(with).await;
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let mut client = bench.client();
            tokio::spawn(async move {
                let joined = client.ask(3, join("g", "", None)).await;
                let everyone: Vec<&str> = joined
                    .members
                    .iter()
                    .map(|member| &*member.member_id)
                    .collect();
                let synced = client
                    .ask(
                        3,
                        sync("g", &joined.member_id, joined.generation_id, &everyone),
                    )
                    .await;
                assert_eq!(synced.assignment, joined.member_id.as_bytes());
                (joined.generation_id, joined.leader, joined.members.len())
            })
        })
        .collect();
    let mut rosters = Vec::new();
    let mut leaders = Vec::new();
    for task in tasks {
        let (generation, leader, roster) = task.await.unwrap();
        assert_eq!(generation, 1);
        leaders.push(leader);
        rosters.push(roster);
    }
    rosters.sort_unstable();
    assert_eq!(rosters, [0, 0, 3]);
    assert!(leaders.iter().all(|leader| *leader == leaders[0]));
    let described = bench
        .client()
        .ask(
            6,
            DescribeGroupsRequest {
                groups: vec!["g".into(), "x".into()],
                ..Default::default()
            },
        )
        .await;
    let group = &described.groups[0];
    assert_eq!(
        (
            &*group.group_state,
            &*group.protocol_data,
            group.members.len()
        ),
        ("Stable", "range", 3)
    );
    assert_eq!(
        (&*group.members[0].client_id, &*group.members[0].client_host),
        ("test-client", "/127.0.0.1")
    );
    assert_eq!(
        (
            described.groups[1].error_code,
            &*described.groups[1].group_state
        ),
        (69, "Dead")
    );
    bench.finish().await;
}

#[tokio::test]
async fn silent_member_loses_its_place_by_the_clock() {
    let mut with = options();
    with.groups.session.0 = Duration::from_millis(100);
    let bench = Bench::with(with).await;
    let mut client = bench.client();
    let request = JoinGroupRequest {
        session_timeout_ms: 200,
        ..join("g", "", Some("i"))
    };
    let joined = client.ask(5, request).await;
    assert_eq!(joined.error_code, 0);
    let state = |described: DescribeGroupsResponse| described.groups[0].group_state.to_string();
    let describe = || DescribeGroupsRequest {
        groups: vec!["g".into()],
        ..Default::default()
    };
    assert_eq!(
        state(client.ask(5, describe()).await),
        "CompletingRebalance"
    );
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(state(client.ask(5, describe()).await), "Empty");
    bench.finish().await;
}

#[tokio::test]
async fn groups_are_listed_and_deleted() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    client.create("t", 1).await;
    stable(&mut client, "live").await;
    client.ask(9, commit("simple", "", -1, "t", 1)).await;
    let list = |states: &[&str], types: &[&str]| ListGroupsRequest {
        states_filter: states.iter().map(|one| Str::from(*one)).collect(),
        types_filter: types.iter().map(|one| Str::from(*one)).collect(),
        ..Default::default()
    };
    for (states, types, expected) in [
        (&[][..], &[][..], vec!["live", "simple"]),
        (&["stable"][..], &[][..], vec!["live"]),
        (&["EMPTY"][..], &["Classic"][..], vec!["simple"]),
        (&["Dead"][..], &[][..], vec![]),
        (&[][..], &["consumer"][..], vec![]),
    ] {
        let response = client.ask(5, list(states, types)).await;
        let names: Vec<&str> = response
            .groups
            .iter()
            .map(|group| &*group.group_id)
            .collect();
        assert_eq!(names, expected);
    }
    let offset_delete = |group: &str, topic: &str| OffsetDeleteRequest {
        group_id: group.into(),
        topics: vec![offset_delete_request::OffsetDeleteRequestTopic {
            name: topic.into(),
            partitions: vec![offset_delete_request::OffsetDeleteRequestPartition::default()],
            ..Default::default()
        }],
        ..Default::default()
    };
    for (group, topic, whole, part) in [
        ("none", "t", 69, 0),
        ("live", "t", 0, 86),
        ("simple", "x", 0, 3),
        ("simple", "t", 0, 0),
    ] {
        let response = client.ask(0, offset_delete(group, topic)).await;
        let code = response
            .topics
            .first()
            .map_or(0, |topic| topic.partitions[0].error_code);
        assert_eq!(
            (response.error_code, code),
            (whole, part),
            "{group} {topic}"
        );
    }
    let request = DeleteGroupsRequest {
        groups_names: vec!["live".into(), "simple".into(), "none".into()],
        ..Default::default()
    };
    let response = client.ask(2, request).await;
    let codes: Vec<i16> = response.results.iter().map(|one| one.error_code).collect();
    assert_eq!(codes, [68, 0, 69]);
    drop(client);
    let bench = bench.restart().await;
    let response = bench.client().ask(5, list(&[], &[])).await;
    assert_eq!(response.groups.len(), 1);
    bench.finish().await;
}

#[tokio::test]
async fn commit_names_the_topics_that_are_unknown_and_takes_the_rest() {
    let bench = Bench::start().await;
    let mut client = bench.client();
    let id = client.create("t", 1).await;
    let mut request = commit("g", "", -1, "none", 1);
    request.topics.extend(commit("g", "", -1, "t", 5).topics);
    let response = client.ask(8, request).await;
    let codes: Vec<i16> = response
        .topics
        .iter()
        .map(|topic| topic.partitions[0].error_code)
        .collect();
    assert_eq!(codes, [3, 0]);
    let mut by_id = commit("g", "", -1, "", 6);
    by_id.topics[0].topic_id = Uuid::from_u128(1);
    let mut known = commit("g", "", -1, "", 6).topics;
    known[0].topic_id = id;
    by_id.topics.extend(known);
    let response = client.ask(10, by_id).await;
    let codes: Vec<i16> = response
        .topics
        .iter()
        .map(|topic| topic.partitions[0].error_code)
        .collect();
    assert_eq!(codes, [100, 0]);
    for (version, code) in [(8, 22), (9, 69)] {
        let response = client.ask(version, commit("missing", "m", 3, "t", 1)).await;
        assert_eq!(response.topics[0].partitions[0].error_code, code);
    }
    // The single form of older versions.
    let old = OffsetFetchRequest {
        group_id: "g".into(),
        topics: Some(vec![offset_fetch_request::OffsetFetchRequestTopic {
            name: "t".into(),
            partition_indexes: vec![0],
            ..Default::default()
        }]),
        ..Default::default()
    };
    let response = client.ask(1, old).await;
    assert_eq!(response.topics[0].partitions[0].committed_offset, 6);
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
