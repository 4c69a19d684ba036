//! Groups over several links, and their offsets.

use super::*;

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
