//! Offsets of groups: committed, fetched, deleted. The group machine decides; here names and versions are sorted out.

use std::time::Duration;

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::offset_commit_request::OffsetCommitRequestTopic;
use wire::message::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use wire::message::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use wire::message::offset_fetch_request::{OffsetFetchRequestTopic, OffsetFetchRequestTopics};
use wire::message::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use wire::message::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};
use wire::text::Str;

use super::Ask;
use crate::groups::{Answer, CommitOffsets, DeleteOffsets, Event, Groups, Identity};
use crate::log::Topics;
use crate::offsets::{Commit, Committed, Place};

/// The topic that a request names, by name or (where the version has ids) by id.
fn resolve(topics: &Topics, name: &Str, id: Uuid, by_id: bool) -> Result<(Uuid, i32), ErrorCode> {
    let (found, missing) = match by_id {
        true => (topics.by_id(id), ErrorCode::UNKNOWN_TOPIC_ID),
        false => (topics.by_name(name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    };
    found
        .map(|topic| (topic.id, topic.partitions))
        .ok_or(missing)
}

/// A commit with the answers that are known before the group is asked.
struct Sorted {
    answers: Vec<OffsetCommitResponseTopic>,
    commits: Vec<Commit>,
    /// Topic and partition in the answers, for each commit.
    slots: Vec<(usize, usize)>,
}

pub(super) async fn commit(ask: &Ask, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let Sorted {
        mut answers,
        commits,
        slots,
    } = sort_out(ask, request.topics);
    if !commits.is_empty() {
        let retention = u64::try_from(request.retention_time_ms);
        let commit = CommitOffsets {
            group: request.group_id,
            who: Identity {
                member: request.member_id,
                instance: request.group_instance_id,
            },
            generation: request.generation_id_or_member_epoch,
            version: ask.version(),
            retention: retention.ok().map(Duration::from_millis),
            commits,
        };
        let commit = move |waiter| Event::Commit(waiter, commit);
        let codes = match ask.shared.coordinator.ask(commit).await {
            Some(Answer::Commit(codes)) => codes,
            _ => vec![ErrorCode::COORDINATOR_NOT_AVAILABLE; slots.len()],
        };
        for ((topic, partition), code) in slots.into_iter().zip(codes) {
            let topic = answers.get_mut(topic);
            if let Some(slot) = topic.and_then(|topic| topic.partitions.get_mut(partition)) {
                slot.error_code = code.0;
            }
        }
    }
    OffsetCommitResponse {
        topics: answers,
        ..Default::default()
    }
}

/// Finds the topics. What is unknown has its answer at once, and the rest goes on.
fn sort_out(ask: &Ask, named: Vec<OffsetCommitRequestTopic>) -> Sorted {
    let topics = ask.shared.log.topics();
    let mut sorted = Sorted {
        answers: Vec::with_capacity(named.len()),
        commits: Vec::new(),
        slots: Vec::new(),
    };
    for (at, topic) in named.into_iter().enumerate() {
        let found = resolve(&topics, &topic.name, topic.topic_id, ask.version() >= 10);
        let mut answer = OffsetCommitResponseTopic {
            name: topic.name,
            topic_id: topic.topic_id,
            ..Default::default()
        };
        for partition in topic.partitions {
            let index = partition.partition_index;
            let place = found.and_then(|(topic, count)| match (0..count).contains(&index) {
                true => Ok(Place {
                    topic,
                    partition: index,
                }),
                false => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            });
            if let Ok(place) = place {
                sorted.slots.push((at, answer.partitions.len()));
                sorted.commits.push(Commit {
                    place,
                    offset: partition.committed_offset,
                    leader_epoch: partition.committed_leader_epoch,
                    metadata: partition.committed_metadata.unwrap_or_default(),
                });
            }
            answer.partitions.push(OffsetCommitResponsePartition {
                partition_index: index,
                error_code: place.err().map_or(0, |code| code.0),
                ..Default::default()
            });
        }
        sorted.answers.push(answer);
    }
    sorted
}

/// One group's part of an OffsetFetch.
struct Wanted {
    group: Str,
    /// `None`: everything the group committed.
    topics: Option<Vec<OffsetFetchRequestTopics>>,
}

pub(super) async fn fetch(ask: &Ask, request: OffsetFetchRequest) -> OffsetFetchResponse {
    if ask.version() >= 8 {
        let mut response = OffsetFetchResponse::default();
        for group in request.groups {
            let wanted = Wanted {
                group: group.group_id,
                topics: group.topics,
            };
            response.groups.push(committed(ask, wanted).await);
        }
        return response;
    }
    let topics = request.topics.map(|topics| {
        let topic = |topic: OffsetFetchRequestTopic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        };
        topics.into_iter().map(topic).collect()
    });
    let group = committed(
        ask,
        Wanted {
            group: request.group_id,
            topics,
        },
    )
    .await;
    let topics = group
        .topics
        .into_iter()
        .map(|topic| OffsetFetchResponseTopic {
            name: topic.name,
            partitions: topic.partitions.into_iter().map(single_form).collect(),
            ..Default::default()
        });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: match ask.version() {
            2.. => group.error_code,
            _ => 0,
        },
        ..Default::default()
    }
}

fn single_form(partition: OffsetFetchResponsePartitions) -> OffsetFetchResponsePartition {
    OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
        ..Default::default()
    }
}

async fn committed(ask: &Ask, wanted: Wanted) -> OffsetFetchResponseGroup {
    let topics = ask.shared.log.topics();
    let by_id = ask.version() >= 10;
    let found = match wanted.topics {
        Some(named) => named_offsets(ask, &topics, &wanted.group, named, by_id).await,
        None => all_offsets(ask, &topics, &wanted.group).await,
    };
    match found {
        Some(topics) => OffsetFetchResponseGroup {
            group_id: wanted.group,
            topics,
            ..Default::default()
        },
        None => OffsetFetchResponseGroup {
            group_id: wanted.group,
            error_code: ErrorCode::COORDINATOR_NOT_AVAILABLE.0,
            ..Default::default()
        },
    }
}

async fn named_offsets(
    ask: &Ask,
    topics: &Topics,
    group: &Str,
    named: Vec<OffsetFetchRequestTopics>,
    by_id: bool,
) -> Option<Vec<OffsetFetchResponseTopics>> {
    let mut answers = Vec::with_capacity(named.len());
    let mut places = Vec::new();
    for topic in named {
        let found = resolve(topics, &topic.name, topic.topic_id, by_id);
        // A name that does not exist has no offsets; an id that does not exist is an error.
        let code = match found {
            Err(code) if by_id => code,
            _ => ErrorCode::NONE,
        };
        let id = found.map(|(id, _)| id).ok();
        let partitions = topic.partition_indexes.into_iter().map(|index| {
            places.push(id.map(|topic| Place {
                topic,
                partition: index,
            }));
            let none = shown(index, None);
            OffsetFetchResponsePartitions {
                error_code: code.0,
                ..none
            }
        });
        answers.push(OffsetFetchResponseTopics {
            partitions: partitions.collect(),
            name: topic.name,
            topic_id: topic.topic_id,
            ..Default::default()
        });
    }
    let group = group.clone();
    let look = move |groups: &Groups| {
        let get = |place: Option<Place>| place.and_then(|place| groups.committed_at(&group, place));
        places.into_iter().map(get).collect::<Vec<_>>()
    };
    let found = ask.shared.coordinator.look(look).await?;
    let slots = answers.iter_mut().flat_map(|topic| &mut topic.partitions);
    for (slot, found) in slots.zip(found) {
        if let Some((_, committed)) = found {
            *slot = shown(slot.partition_index, Some(committed));
        }
    }
    Some(answers)
}

async fn all_offsets(
    ask: &Ask,
    topics: &Topics,
    group: &Str,
) -> Option<Vec<OffsetFetchResponseTopics>> {
    let group = group.clone();
    let all = ask
        .shared
        .coordinator
        .look(move |groups| groups.committed_by(&group))
        .await?;
    let mut answers: Vec<OffsetFetchResponseTopics> = Vec::new();
    for (place, committed) in all {
        let Some(topic) = topics.by_id(place.topic) else {
            continue;
        };
        // They come by topic.
        if answers.last().is_none_or(|last| last.topic_id != topic.id) {
            answers.push(OffsetFetchResponseTopics {
                name: Str::from(&topic.name),
                topic_id: topic.id,
                ..Default::default()
            });
        }
        if let Some(last) = answers.last_mut() {
            last.partitions
                .push(shown(place.partition, Some(committed)));
        }
    }
    Some(answers)
}

fn shown(partition_index: i32, committed: Option<Committed>) -> OffsetFetchResponsePartitions {
    match committed {
        Some(committed) => OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: committed.offset,
            committed_leader_epoch: committed.leader_epoch,
            metadata: Some(committed.metadata),
            ..Default::default()
        },
        None => OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: -1,
            committed_leader_epoch: -1,
            metadata: Some(Str::EMPTY),
            ..Default::default()
        },
    }
}

pub(super) async fn delete(ask: &Ask, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let topics = ask.shared.log.topics();
    let mut response = OffsetDeleteResponse::default();
    let mut places = Vec::new();
    for topic in request.topics {
        let known = topics.by_name(&topic.name);
        let partitions = topic.partitions.into_iter().map(|partition| {
            let index = partition.partition_index;
            let known = known.filter(|topic| (0..topic.partitions).contains(&index));
            let code = match known {
                Some(topic) => {
                    let place = Place {
                        topic: topic.id,
                        partition: index,
                    };
                    places.push((Str::from(&topic.name), place));
                    ErrorCode::NONE
                }
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            };
            OffsetDeleteResponsePartition {
                partition_index: index,
                error_code: code.0,
                ..Default::default()
            }
        });
        response.topics.push(OffsetDeleteResponseTopic {
            partitions: partitions.collect(),
            name: topic.name,
            ..Default::default()
        });
    }
    let delete = DeleteOffsets {
        group: request.group_id,
        places,
    };
    let answer = ask
        .shared
        .coordinator
        .ask(move |waiter| Event::DeleteOffsets(waiter, delete))
        .await;
    let deleted = match answer {
        Some(Answer::DeleteOffsets(deleted)) => deleted,
        _ => Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
    };
    match deleted {
        Ok(codes) => {
            let slots = response
                .topics
                .iter_mut()
                .flat_map(|topic| &mut topic.partitions);
            let known = slots.filter(|partition| partition.error_code == 0);
            for (partition, code) in known.zip(codes) {
                partition.error_code = code.0;
            }
        }
        // A refusal of the whole request names no topics.
        Err(code) => {
            response.error_code = code.0;
            response.topics.clear();
        }
    }
    response
}
