//! Groups: membership, offsets, listings.

use wire::message::describe_groups_response::DescribedGroup;
use wire::message::list_groups_response::ListedGroup;
use wire::message::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::message::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use wire::message::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use wire::message::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use wire::message::*;

use crate::support::{World, id_of};

const MAY_DESCRIBE: [&str; 2] = ["allow Describe group:g", "allow Describe topic:a"];

pub fn join(version: i16, group: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 1_000,
        rebalance_timeout_ms: if version >= 1 { 1_000 } else { -1 },
        protocol_type: "consumer".into(),
        ..Default::default()
    }
}

pub fn newer_heartbeat(group: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: group.into(),
        member_id: "m".into(),
        ..Default::default()
    }
}

pub fn sync(version: i16, group: &str) -> SyncGroupRequest {
    let text = |text: &'static str| (version >= 5).then(|| text.into());
    SyncGroupRequest {
        group_id: group.into(),
        protocol_type: text("consumer"),
        protocol_name: text("range"),
        ..Default::default()
    }
}

pub fn commit(version: i16, group: &str, topics: &[&str]) -> OffsetCommitRequest {
    let topics = topics.iter().map(|name| OffsetCommitRequestTopic {
        name: if version < 10 {
            (*name).into()
        } else {
            "".into()
        },
        topic_id: if version < 10 {
            uuid::Uuid::nil()
        } else {
            id_of(name)
        },
        partitions: vec![OffsetCommitRequestPartition::default()],
        ..Default::default()
    });
    OffsetCommitRequest {
        group_id: group.into(),
        topics: topics.collect(),
        ..Default::default()
    }
}

/// `None`: all topics.
pub fn offsets(version: i16, group: &str, topics: Option<&[&str]>) -> OffsetFetchRequest {
    if version < 8 {
        let topics = topics.map(|topics| {
            let one = |name: &&str| OffsetFetchRequestTopic {
                name: (*name).into(),
                partition_indexes: vec![0],
                ..Default::default()
            };
            topics.iter().map(one).collect()
        });
        return OffsetFetchRequest {
            group_id: group.into(),
            topics,
            ..Default::default()
        };
    }
    let topics = topics.map(|topics| {
        let one = |name: &&str| OffsetFetchRequestTopics {
            name: if version < 10 {
                (*name).into()
            } else {
                "".into()
            },
            topic_id: if version < 10 {
                uuid::Uuid::nil()
            } else {
                id_of(name)
            },
            partition_indexes: vec![0],
            ..Default::default()
        };
        topics.iter().map(one).collect()
    });
    let group = OffsetFetchRequestGroup {
        group_id: group.into(),
        topics,
        ..Default::default()
    };
    OffsetFetchRequest {
        groups: vec![group],
        ..Default::default()
    }
}

#[tokio::test]
async fn membership_takes_read_on_the_group() {
    let world = World::new(&["allow Read group:g", "allow Describe group:h"]).await;
    for version in 0..=9 {
        assert_eq!(
            world.ask(version, &join(version, "g")).await.error_code,
            0,
            "version {version}"
        );
        let refused = world.ask(version, &join(version, "h")).await;
        assert_eq!(
            (
                refused.error_code,
                refused.generation_id,
                &*refused.member_id,
                &*refused.leader
            ),
            (30, -1, "", "")
        );
        assert_eq!(refused.protocol_name.is_none(), version >= 7);
    }
    for version in 0..=5 {
        assert_eq!(world.ask(version, &sync(version, "g")).await.error_code, 0);
        assert_eq!(world.ask(version, &sync(version, "h")).await.error_code, 30);
        let leave = |group: &str| LeaveGroupRequest {
            group_id: group.into(),
            ..Default::default()
        };
        assert_eq!(world.ask(version, &leave("g")).await.error_code, 0);
        assert_eq!(world.ask(version, &leave("h")).await.error_code, 30);
    }
    for version in 0..=4 {
        let beat = |group: &str| HeartbeatRequest {
            group_id: group.into(),
            ..Default::default()
        };
        assert_eq!(world.ask(version, &beat("g")).await.error_code, 0);
        assert_eq!(world.ask(version, &beat("h")).await.error_code, 30);
    }
    assert_eq!(world.upstream.seen_keys().len(), 10 + 6 + 6 + 5);
    for (_, seen) in world.upstream.seen::<JoinGroupRequest>() {
        assert_eq!(&*seen.group_id, "g");
    }
}

#[tokio::test]
async fn sync_without_a_protocol_is_inconsistent_before_it_is_refused() {
    let world = World::new(&[]).await;
    let bare = SyncGroupRequest {
        group_id: "g".into(),
        ..Default::default()
    };
    assert_eq!(world.ask(5, &bare).await.error_code, 23);
}

#[tokio::test]
async fn commit_takes_read_on_group_and_topic() {
    let world = World::new(&[
        "allow Read group:g",
        "allow Read topic:a",
        "allow Describe topic:hidden",
    ])
    .await;
    world.upstream.answer::<OffsetCommitRequest>(|request, _| {
        let stored = request.topics.into_iter().map(|topic| {
            offset_commit_response::OffsetCommitResponseTopic {
                name: topic.name,
                topic_id: topic.topic_id,
                partitions: vec![Default::default()],
                ..Default::default()
            }
        });
        OffsetCommitResponse {
            topics: stored.collect(),
            ..Default::default()
        }
    });
    for version in 2..=10 {
        let answer = world
            .ask(version, &commit(version, "g", &["a", "hidden"]))
            .await;
        let of = |name: &str| {
            let mut topics = answer.topics.iter();
            let is_it = |topic: &&offset_commit_response::OffsetCommitResponseTopic| {
                if version < 10 {
                    &*topic.name == name
                } else {
                    topic.topic_id == id_of(name)
                }
            };
            topics.find(is_it).unwrap().partitions[0].error_code
        };
        assert_eq!((of("a"), of("hidden")), (0, 29), "version {version}");
        let refused = world
            .ask(version, &commit(version, "other", &["a", "b"]))
            .await;
        let codes: Vec<_> = refused
            .topics
            .iter()
            .map(|topic| topic.partitions[0].error_code)
            .collect();
        assert_eq!(codes, [30, 30]);
    }
    assert_eq!(
        world.ask(10, &commit(10, "g", &["nowhere"])).await.topics[0].partitions[0].error_code,
        100
    );
    for (_, seen) in world.upstream.seen::<OffsetCommitRequest>() {
        assert_eq!((&*seen.group_id, seen.topics.len()), ("g", 1));
    }
}

/// Offset 3 for whatever is asked, and for `a` and `hidden` when all is asked.
fn remembers(world: &World) {
    world
        .upstream
        .answer::<OffsetFetchRequest>(|request, version| {
            let one = |name: &str| OffsetFetchResponseTopic {
                name: name.into(),
                partitions: vec![OffsetFetchResponsePartition {
                    committed_offset: 3,
                    metadata: Some("".into()),
                    ..Default::default()
                }],
                ..Default::default()
            };
            if version < 8 {
                let topics = match &request.topics {
                    None => vec![one("a"), one("hidden")],
                    Some(topics) => topics.iter().map(|topic| one(&topic.name)).collect(),
                };
                return OffsetFetchResponse {
                    topics,
                    ..Default::default()
                };
            }
            let one = |name: &str, id: uuid::Uuid| OffsetFetchResponseTopics {
                name: if version < 10 { name.into() } else { "".into() },
                topic_id: if version < 10 { uuid::Uuid::nil() } else { id },
                partitions: vec![OffsetFetchResponsePartitions {
                    committed_offset: 3,
                    metadata: Some("".into()),
                    ..Default::default()
                }],
                ..Default::default()
            };
            let groups = request.groups.iter().map(|group| OffsetFetchResponseGroup {
                group_id: group.group_id.clone(),
                topics: match &group.topics {
                    None => vec![one("a", id_of("a")), one("hidden", id_of("hidden"))],
                    Some(topics) => topics
                        .iter()
                        .map(|topic| one(&topic.name, topic.topic_id))
                        .collect(),
                },
                ..Default::default()
            });
            OffsetFetchResponse {
                groups: groups.collect(),
                ..Default::default()
            }
        });
}

/// Topic, error and offset of each line, whatever the version's layout.
fn lines(version: i16, answer: &OffsetFetchResponse) -> Vec<(String, i16, i64)> {
    let name = |id: uuid::Uuid| {
        ["a", "b", "hidden"]
            .iter()
            .find(|name| id_of(name) == id)
            .unwrap_or(&"?")
            .to_string()
    };
    let mut all: Vec<_> = if version < 8 {
        let flat = |topic: &OffsetFetchResponseTopic| {
            (
                topic.name.to_string(),
                topic.partitions[0].error_code,
                topic.partitions[0].committed_offset,
            )
        };
        answer.topics.iter().map(flat).collect()
    } else {
        let flat = |topic: &OffsetFetchResponseTopics| {
            let of = if version < 10 {
                topic.name.to_string()
            } else {
                name(topic.topic_id)
            };
            (
                of,
                topic.partitions[0].error_code,
                topic.partitions[0].committed_offset,
            )
        };
        answer
            .groups
            .iter()
            .flat_map(|group| &group.topics)
            .map(flat)
            .collect()
    };
    all.sort();
    all
}

#[tokio::test]
async fn committed_offsets_take_describe_on_group_and_topic() {
    let world = World::new(&MAY_DESCRIBE).await;
    remembers(&world);
    for version in 1..=10 {
        let answer = world
            .ask(version, &offsets(version, "g", Some(&["hidden", "a"])))
            .await;
        let expected = [("a".to_owned(), 0, 3), ("hidden".to_owned(), 29, -1)];
        assert_eq!(lines(version, &answer), expected, "version {version}");
        let only_hidden = world
            .ask(version, &offsets(version, "g", Some(&["hidden"])))
            .await;
        assert_eq!(
            lines(version, &only_hidden),
            [("hidden".to_owned(), 29, -1)]
        );
    }
    assert_eq!(world.upstream.seen_keys().len(), 10);
    for (version, seen) in world.upstream.seen::<OffsetFetchRequest>() {
        let len = if version < 8 {
            seen.topics.unwrap().len()
        } else {
            seen.groups[0].topics.as_ref().unwrap().len()
        };
        assert_eq!(len, 1);
    }
}

#[tokio::test]
async fn offsets_of_a_hidden_group_are_refused_in_each_versions_form() {
    let world = World::new(&["allow Describe topic:a"]).await;
    let first = world.ask(1, &offsets(1, "g", Some(&["a"]))).await;
    assert_eq!(lines(1, &first), [("a".to_owned(), 30, -1)]);
    for version in 2..=7 {
        let answer = world
            .ask(version, &offsets(version, "g", Some(&["a"])))
            .await;
        assert_eq!(
            (answer.error_code, answer.topics.len()),
            (30, 0),
            "version {version}"
        );
    }
    for version in 8..=10 {
        let answer = world
            .ask(version, &offsets(version, "g", Some(&["a"])))
            .await;
        let groups: Vec<_> = answer
            .groups
            .iter()
            .map(|one| (&*one.group_id, one.error_code, one.topics.len()))
            .collect();
        assert_eq!((answer.error_code, groups), (0, vec![("g", 30, 0)]));
    }
    assert_eq!(world.upstream.seen_keys(), []);
}

#[tokio::test]
async fn all_offsets_of_a_group_are_those_of_visible_topics() {
    let world = World::new(&MAY_DESCRIBE).await;
    remembers(&world);
    for version in 2..=10 {
        let answer = world.ask(version, &offsets(version, "g", None)).await;
        assert_eq!(
            lines(version, &answer),
            [("a".to_owned(), 0, 3)],
            "version {version}"
        );
    }
    assert_eq!(world.trail.refusals(), []);
}

#[tokio::test]
async fn each_group_of_one_request_has_its_own_verdict() {
    let world = World::new(&MAY_DESCRIBE).await;
    remembers(&world);
    let mut request = offsets(9, "g", Some(&["a"]));
    request.groups.extend(offsets(9, "h", Some(&["a"])).groups);
    request
        .groups
        .extend(offsets(9, "g", Some(&["hidden"])).groups);
    let answer = world.ask(9, &request).await;
    let mut groups: Vec<_> = answer
        .groups
        .iter()
        .map(|one| (one.group_id.to_string(), one.error_code))
        .collect();
    groups.sort();
    assert_eq!(groups, [("g".into(), 0), ("g".into(), 0), ("h".into(), 30)]);
    let seen = world.upstream.seen::<OffsetFetchRequest>().remove(0).1;
    assert_eq!((seen.groups.len(), &*seen.groups[0].group_id), (1, "g"));
}

#[tokio::test]
async fn groups_are_described_one_by_one() {
    let world = World::new(&["allow Read group:g", "allow Delete group:g"]).await;
    world
        .upstream
        .answer::<DescribeGroupsRequest>(|request, _| {
            let groups = request.groups.into_iter().map(|group_id| DescribedGroup {
                group_id,
                group_state: "Stable".into(),
                authorized_operations: i32::MIN,
                ..Default::default()
            });
            DescribeGroupsResponse {
                groups: groups.collect(),
                ..Default::default()
            }
        });
    for version in 0..=6 {
        let request = DescribeGroupsRequest {
            groups: vec!["h".into(), "g".into()],
            include_authorized_operations: version >= 3,
            ..Default::default()
        };
        let answer = world.ask(version, &request).await;
        let of = |name: &str| {
            answer
                .groups
                .iter()
                .find(|group| &*group.group_id == name)
                .unwrap()
                .clone()
        };
        assert_eq!(
            (of("g").error_code, &*of("g").group_state),
            (0, "Stable"),
            "version {version}"
        );
        assert_eq!(
            (
                of("h").error_code,
                &*of("h").group_state,
                of("h").members.len()
            ),
            (30, "", 0)
        );
        if version >= 3 {
            assert_eq!(of("g").authorized_operations, 1 << 3 | 1 << 6 | 1 << 8);
            assert_eq!(of("h").authorized_operations, i32::MIN);
        }
    }
    for (_, seen) in world.upstream.seen::<DescribeGroupsRequest>() {
        assert_eq!(
            (seen.groups.len(), seen.include_authorized_operations),
            (1, false)
        );
    }
}

#[tokio::test]
async fn groups_are_listed_as_far_as_they_may_be_described() {
    let world = World::new(&[]).await;
    world.upstream.answer::<ListGroupsRequest>(|_, _| {
        let one = |name: &str| ListedGroup {
            group_id: name.into(),
            ..Default::default()
        };
        ListGroupsResponse {
            groups: vec![one("g"), one("h")],
            ..Default::default()
        }
    });
    for version in 0..=5 {
        let list = ListGroupsRequest::default();
        let names = |answer: ListGroupsResponse| -> Vec<String> {
            assert_eq!(answer.error_code, 0);
            answer
                .groups
                .iter()
                .map(|group| group.group_id.to_string())
                .collect()
        };
        world.rules.set(&[]);
        assert_eq!(
            names(world.ask(version, &list).await),
            Vec::<String>::new(),
            "version {version}"
        );
        world.rules.set(&["allow Read group:h"]);
        assert_eq!(names(world.ask(version, &list).await), ["h"]);
        world.rules.set(&["allow Describe cluster"]);
        assert_eq!(names(world.ask(version, &list).await), ["g", "h"]);
    }
    assert_eq!(world.trail.refusals(), [], "a filter is no refusal");
}

#[tokio::test]
async fn groups_are_deleted_one_by_one() {
    let world = World::new(&["allow Delete group:g", "allow Read group:h"]).await;
    for version in 0..=2 {
        let request = DeleteGroupsRequest {
            groups_names: vec!["g".into(), "h".into()],
            ..Default::default()
        };
        let answer = world.ask(version, &request).await;
        let refused: Vec<_> = answer
            .results
            .iter()
            .map(|one| (&*one.group_id, one.error_code))
            .collect();
        assert_eq!(refused, [("h", 30)], "the upstream said nothing of g");
    }
    for (_, seen) in world.upstream.seen::<DeleteGroupsRequest>() {
        assert_eq!(seen.groups_names, ["g"]);
    }
}

pub fn offset_deletion(group: &str, topics: &[&str]) -> OffsetDeleteRequest {
    let topics = topics.iter().map(|name| OffsetDeleteRequestTopic {
        name: (*name).into(),
        partitions: vec![OffsetDeleteRequestPartition::default()],
        ..Default::default()
    });
    OffsetDeleteRequest {
        group_id: group.into(),
        topics: topics.collect(),
        ..Default::default()
    }
}

#[tokio::test]
async fn offsets_are_deleted_with_delete_on_the_group_and_read_on_the_topic() {
    let world = World::new(&["allow Delete group:g", "allow Read topic:a"]).await;
    let refused = world.ask(0, &offset_deletion("h", &["a"])).await;
    assert_eq!((refused.error_code, refused.topics.len()), (30, 0));
    assert_eq!(world.upstream.seen_keys(), []);
    let answer = world.ask(0, &offset_deletion("g", &["a", "hidden"])).await;
    assert_eq!((answer.error_code, answer.topics.len()), (0, 1));
    assert_eq!(
        (
            &*answer.topics[0].name,
            answer.topics[0].partitions[0].error_code
        ),
        ("hidden", 29)
    );
    assert_eq!(
        world.upstream.seen::<OffsetDeleteRequest>()[0]
            .1
            .topics
            .len(),
        1
    );
}

#[tokio::test]
async fn newer_groups_are_told_to_be_missing_and_never_asked_for_upstream() {
    let told = ConsumerGroupHeartbeatResponse {
        error_code: 35,
        ..Default::default()
    };
    for rules in [&[][..], &["allow All group:*", "allow All topic:*"][..]] {
        let world = World::new(rules).await;
        for version in 0..=1 {
            assert_eq!(world.ask(version, &newer_heartbeat("g")).await, told);
        }
        assert_eq!(world.upstream.seen_keys(), []);
    }
    let world = World::new(&["allow All group:*"]).await;
    assert!(
        world
            .closes_on(0, &ConsumerGroupDescribeRequest::default())
            .await
    );
}
