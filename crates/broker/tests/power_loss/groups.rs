//! Groups and committed offsets, through requests as clients send them.

use std::sync::Arc;

use broker::{Broker, Peer};
use bytes::Bytes;
use kastellan_core::secret::Secret;
use seal::master::LocalKey;
use wire::message::*;

use super::common::{self, Client};
use super::*;

const MEMBER_PART: &[u8] = b"this part of the topic";

/// What members were told.
#[derive(Clone, Debug, Default)]
struct Told {
    has_topic: bool,
    /// Committed, and what may be instead.
    offsets: Vec<(&'static str, i64, i64)>,
    /// Member and generation that were assigned.
    stable: Option<(String, i32)>,
    /// Generations never go back.
    generation: i32,
    is_empty: bool,
    deleted: Option<&'static str>,
}

async fn open(disk: &SimDisk) -> Option<Broker> {
    let mut options = common::options();
    options.log = simulated::options();
    let key = LocalKey::new(&Secret::new(vec![7; 32])).unwrap();
    let disk = Arc::new(disk.clone());
    let opened = Broker::open(options, Arc::new(key), disk, simulated::clock()).await;
    opened.ok()
}

fn client(broker: &Broker) -> Client {
    Client::on(broker.link(Peer {
        principal: "User:test".into(),
        host: [127, 0, 0, 1].into(),
        listener: "TEST".into(),
        connection: 1,
    }))
}

async fn commit(client: &mut Client, group: &str, who: (&str, i32), offset: i64) -> Option<()> {
    let partition = offset_commit_request::OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_metadata: Some("note".into()),
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        member_id: who.0.into(),
        generation_id_or_member_epoch: who.1,
        topics: vec![offset_commit_request::OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = client.ask(8, request).await;
    (answer.topics[0].partitions[0].error_code == 0).then_some(())
}

/// Joins as the only member, and is given its part.
async fn join(client: &mut Client, member: &str, told: &mut Told) -> Option<(String, i32)> {
    let protocol = join_group_request::JoinGroupRequestProtocol {
        name: "range".into(),
        metadata: Bytes::from_static(&[0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        ..Default::default()
    };
    let request = JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 45_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..Default::default()
    };
    let joined = client.ask(3, request).await;
    if joined.error_code != 0 {
        return None;
    }
    let (member, generation) = (joined.member_id.to_string(), joined.generation_id);
    let sync = SyncGroupRequest {
        group_id: "g".into(),
        generation_id: generation,
        member_id: member.as_str().into(),
        assignments: vec![sync_group_request::SyncGroupRequestAssignment {
            member_id: member.as_str().into(),
            assignment: Bytes::from_static(MEMBER_PART),
            ..Default::default()
        }],
        ..Default::default()
    };
    let synced = client.ask(3, sync).await;
    if synced.error_code != 0 {
        return None;
    }
    told.generation = generation;
    Some((member, generation))
}

async fn script(client: &mut Client, told: &mut Told) -> Option<()> {
    let created = client.create_with("t", 1, &[]).await;
    (created.error_code == 0).then_some(())?;
    told.has_topic = true;
    let (member, generation) = join(client, "", told).await?;
    told.stable = Some((member.clone(), generation));
    told.offsets = vec![("g", -1, -1), ("simple", -1, -1)];
    for offset in 1..5 {
        told.offsets[0].2 = offset;
        commit(client, "g", (&member, generation), offset).await?;
        told.offsets[0].1 = offset;
        told.offsets[1].2 = 10 * offset;
        commit(client, "simple", ("", -1), 10 * offset).await?;
        told.offsets[1].1 = 10 * offset;
    }
    told.stable = None;
    let (member, generation) = join(client, &member, told).await?;
    told.stable = Some((member.clone(), generation));
    told.offsets[0].2 = 7;
    commit(client, "g", (&member, generation), 7).await?;
    told.offsets[0].1 = 7;
    told.stable = None;
    let leaving = leave_group_request::MemberIdentity {
        member_id: member.as_str().into(),
        ..Default::default()
    };
    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        members: vec![leaving],
        ..Default::default()
    };
    let left = client.ask(4, leave).await;
    (left.error_code == 0 && left.members[0].error_code == 0).then_some(())?;
    told.is_empty = true;
    told.offsets.retain(|(group, _, _)| *group == "g");
    let delete = DeleteGroupsRequest {
        groups_names: vec!["simple".into()],
        ..Default::default()
    };
    let deleted = client.ask(2, delete).await;
    (deleted.results[0].error_code == 0).then_some(())?;
    told.deleted = Some("simple");
    Some(())
}

async fn run(disk: &SimDisk) -> Told {
    let mut told = Told::default();
    if let Some(broker) = open(disk).await {
        let _ = super::groups::script(&mut client(&broker), &mut told).await;
        // What it still writes comes too late: the power is off.
        let _ = broker.stop().await;
    }
    told
}

async fn committed(client: &mut Client, group: &str) -> i64 {
    let request = OffsetFetchRequest {
        group_id: group.into(),
        topics: Some(vec![offset_fetch_request::OffsetFetchRequestTopic {
            name: "t".into(),
            partition_indexes: vec![0],
            ..Default::default()
        }]),
        ..Default::default()
    };
    let fetched = client.ask(7, request).await;
    assert_eq!(fetched.error_code, 0);
    fetched.topics[0].partitions[0].committed_offset
}

async fn check(disk: &SimDisk, told: &Told, context: &str) {
    let broker = open(disk).await;
    let broker = broker.unwrap_or_else(|| panic!("{context}: it does not start"));
    let client = &mut client(&broker);
    for (group, confirmed, asked) in &told.offsets {
        let found = committed(client, group).await;
        assert!(
            (*confirmed..=*asked).contains(&found),
            "{context}: {group} is at {found}, not {confirmed}"
        );
    }
    if let Some(group) = told.deleted {
        assert_eq!(committed(client, group).await, -1, "{context}: {group}");
    }
    let request = DescribeGroupsRequest {
        groups: vec!["g".into()],
        ..Default::default()
    };
    let described = client.ask(5, request).await.groups.remove(0);
    if let Some((member, generation)) = &told.stable {
        assert_eq!(&*described.group_state, "Stable", "{context}");
        let found = &described.members[0];
        assert_eq!(&*found.member_id, member.as_str(), "{context}");
        assert_eq!(found.member_assignment, MEMBER_PART, "{context}");
        let beat = HeartbeatRequest {
            group_id: "g".into(),
            generation_id: *generation,
            member_id: member.as_str().into(),
            ..Default::default()
        };
        assert_eq!(client.ask(4, beat).await.error_code, 0, "{context}");
    }
    if told.is_empty {
        assert_eq!(&*described.group_state, "Empty", "{context}");
        assert_eq!(described.members.len(), 0, "{context}");
        let mut later = told.clone();
        join(client, "", &mut later).await.unwrap();
        assert!(later.generation > told.generation, "{context}");
    }
    broker.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_offsets_that_were_answered_for_survive_a_cut_at_any_moment() {
    let whole = SimDisk::new();
    let told = run(&whole).await;
    assert_eq!(told.deleted, Some("simple"), "the script runs to its end");
    let changes = whole.changes();
    for cut in 1..=changes {
        let disk = SimDisk::new();
        disk.cut_power_at(cut);
        let told = run(&disk).await;
        for choice in 0..CHOICES {
            let seed = cut * 1_000 + choice;
            let next = match choice {
                0 => disk.after_kill(),
                _ => disk.after_power_loss(seed),
            };
            let context = format!("cut at {cut} of {changes}, choice {choice}");
            // The check is a client too: what it does is on another copy of the disk.
            check(&next.after_kill(), &told, &context).await;
            if let Some(broker) = open(&next).await {
                let again = next.after_power_loss(seed);
                check(&again, &told, &format!("{context}, again")).await;
                let _ = broker.stop().await;
            }
        }
    }
}
