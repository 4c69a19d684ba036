//! ListOffsets, OffsetForLeaderEpoch, DeleteRecords.

use wire::message::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use wire::message::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use wire::message::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use wire::message::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use wire::message::{
    DeleteRecordsRequest, ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
};

use crate::support::World;

pub fn list(topics: &[&str]) -> ListOffsetsRequest {
    let topics = topics.iter().map(|name| ListOffsetsTopic {
        name: (*name).into(),
        partitions: vec![ListOffsetsPartition {
            timestamp: -1,
            ..Default::default()
        }],
        ..Default::default()
    });
    ListOffsetsRequest {
        replica_id: -1,
        topics: topics.collect(),
        ..Default::default()
    }
}

pub fn epochs(topics: &[&str]) -> OffsetForLeaderEpochRequest {
    let topics = topics.iter().map(|name| OffsetForLeaderTopic {
        topic: (*name).into(),
        partitions: vec![OffsetForLeaderPartition::default()],
        ..Default::default()
    });
    OffsetForLeaderEpochRequest {
        replica_id: -1,
        topics: topics.collect(),
        ..Default::default()
    }
}

pub fn deletion(topics: &[&str]) -> DeleteRecordsRequest {
    let topics = topics.iter().map(|name| DeleteRecordsTopic {
        name: (*name).into(),
        partitions: vec![DeleteRecordsPartition {
            partition_index: 0,
            offset: 1,
            ..Default::default()
        }],
        ..Default::default()
    });
    DeleteRecordsRequest {
        topics: topics.collect(),
        timeout_ms: 1_000,
        ..Default::default()
    }
}

#[tokio::test]
async fn offsets_are_listed_for_topics_that_may_be_described() {
    let world = World::new(&["allow Write topic:a"]).await;
    world.upstream.answer::<ListOffsetsRequest>(|request, _| {
        let topics = request
            .topics
            .into_iter()
            .map(|topic| ListOffsetsTopicResponse {
                name: topic.name,
                partitions: vec![ListOffsetsPartitionResponse {
                    offset: 4,
                    ..Default::default()
                }],
                ..Default::default()
            });
        ListOffsetsResponse {
            topics: topics.collect(),
            ..Default::default()
        }
    });
    for version in 1..=11 {
        let answer = world.ask(version, &list(&["hidden", "a"])).await;
        let of = |name: &str| {
            answer
                .topics
                .iter()
                .find(|topic| &*topic.name == name)
                .unwrap()
                .partitions[0]
                .clone()
        };
        assert_eq!(
            (of("a").error_code, of("a").offset),
            (0, 4),
            "version {version}"
        );
        let refused = of("hidden");
        assert_eq!(
            (refused.error_code, refused.offset, refused.timestamp),
            (29, -1, -1)
        );
        let all_refused = world.ask(version, &list(&["hidden"])).await;
        assert_eq!(all_refused.topics[0].partitions[0].error_code, 29);
    }
    assert_eq!(world.upstream.seen_keys().len(), 11);
    for (_, seen) in world.upstream.seen::<ListOffsetsRequest>() {
        assert_eq!(seen.topics.len(), 1);
    }
}

#[tokio::test]
async fn replica_id_does_not_look_past_the_high_watermark() {
    let world = World::new(&["allow Describe topic:a"]).await;
    for (version, replica_id) in [(1, 3), (5, -2), (11, 0)] {
        world
            .ask(
                version,
                &ListOffsetsRequest {
                    replica_id,
                    ..list(&["a"])
                },
            )
            .await;
    }
    for (_, seen) in world.upstream.seen::<ListOffsetsRequest>() {
        assert_eq!(seen.replica_id, -1);
    }
    for (version, replica_id) in [(3, 3), (4, -2)] {
        world
            .ask(
                version,
                &OffsetForLeaderEpochRequest {
                    replica_id,
                    ..epochs(&["a"])
                },
            )
            .await;
    }
    for (_, seen) in world.upstream.seen::<OffsetForLeaderEpochRequest>() {
        assert_eq!(seen.replica_id, -1);
    }
}

#[tokio::test]
async fn leader_epochs_take_describe_or_cluster_action() {
    let world = World::new(&["allow Describe topic:a"]).await;
    for version in 2..=4 {
        let answer = world.ask(version, &epochs(&["a", "hidden"])).await;
        let refused: Vec<_> = answer
            .topics
            .iter()
            .map(|topic| (&*topic.topic, topic.partitions[0].error_code))
            .collect();
        assert_eq!(
            refused,
            [("hidden", 29)],
            "the upstream answered nothing for a"
        );
    }
    world.rules.set(&["allow ClusterAction cluster"]);
    let refusals_before = world.trail.refusals().len();
    for version in 2..=4 {
        assert!(
            world
                .ask(version, &epochs(&["hidden"]))
                .await
                .topics
                .is_empty()
        );
    }
    assert_eq!(world.upstream.seen_keys().len(), 6);
    assert_eq!(world.trail.refusals().len(), refusals_before);
}

#[tokio::test]
async fn records_are_deleted_where_delete_is_allowed() {
    let world = World::new(&[
        "allow Delete topic:a",
        "allow All group:*",
        "allow Write topic:hidden",
    ])
    .await;
    for version in 0..=2 {
        let answer = world.ask(version, &deletion(&["a", "hidden"])).await;
        assert_eq!(answer.topics.len(), 1);
        let refused = &answer.topics[0].partitions[0];
        assert_eq!((refused.error_code, refused.low_watermark), (29, -1));
    }
    for (_, seen) in world.upstream.seen::<DeleteRecordsRequest>() {
        assert_eq!((seen.topics.len(), &*seen.topics[0].name), (1, "a"));
    }
}
