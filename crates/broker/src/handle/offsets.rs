//! Offsets: of the log (by time, by epoch) and of groups (committed, fetched, deleted).

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::list_offsets_request::ListOffsetsPartition;
use wire::message::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use wire::message::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use wire::message::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use wire::message::offset_fetch_request::OffsetFetchRequestTopics;
use wire::message::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use wire::message::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use wire::message::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetCommitRequest, OffsetCommitResponse,
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};
use wire::record::TimedOffset;
use wire::text::Str;

use super::Ask;
use crate::fetch::code_of;
use crate::groups::{Answer, CommitOffsets, DeleteOffsets, Event, Identity};
use crate::log::{ReadError, Topics};
use crate::offsets::{Commit, Committed, Place};

/// Timestamps with a meaning of their own (`ListOffsetsRequest`).
mod special {
    pub(super) const LATEST: i64 = -1;
    pub(super) const EARLIEST: i64 = -2;
    pub(super) const MAX_TIMESTAMP: i64 = -3;
    pub(super) const EARLIEST_LOCAL: i64 = -4;
    pub(super) const LATEST_TIERED: i64 = -5;
    pub(super) const EARLIEST_PENDING_UPLOAD: i64 = -6;
}

/// An offset of the log as ListOffsets tells it; -1 stands for none.
#[derive(Clone, Copy)]
struct Found {
    offset: i64,
    timestamp: i64,
    leader_epoch: i32,
}

pub(super) async fn list(ask: &Ask, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let topics = ask.shared.log.topics();
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let place = (topic.name.clone(), partition.partition_index);
            if !seen.insert(place.clone()) {
                twice.insert(place);
            }
        }
    }
    let mut response = ListOffsetsResponse::default();
    for topic in request.topics {
        let id = topics.by_name(&topic.name).map(|topic| topic.id);
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions {
            let index = partition.partition_index;
            let found = match twice.contains(&(topic.name.clone(), index)) {
                true => Err(ErrorCode::INVALID_REQUEST),
                false => offset_for(ask, id, partition).await,
            };
            answers.push(listed(index, found, ask.version()));
        }
        response.topics.push(ListOffsetsTopicResponse {
            name: topic.name,
            partitions: answers,
            ..Default::default()
        });
    }
    response
}

fn listed(
    partition_index: i32,
    found: Result<Found, ErrorCode>,
    version: i16,
) -> ListOffsetsPartitionResponse {
    let found = found.map(|found| match version {
        4.. => found,
        _ => Found {
            leader_epoch: -1,
            ..found
        },
    });
    match found {
        Ok(found) => ListOffsetsPartitionResponse {
            partition_index,
            timestamp: found.timestamp,
            offset: found.offset,
            leader_epoch: found.leader_epoch,
            ..Default::default()
        },
        Err(code) => ListOffsetsPartitionResponse {
            partition_index,
            error_code: code.0,
            timestamp: -1,
            offset: -1,
            ..Default::default()
        },
    }
}

async fn offset_for(
    ask: &Ask,
    topic: Option<Uuid>,
    partition: ListOffsetsPartition,
) -> Result<Found, ErrorCode> {
    let index = partition.partition_index;
    let log = &ask.shared.log;
    let topic = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let place = Place {
        topic,
        partition: index,
    };
    let view = ask.shared.online(place)?;
    check_epoch(partition.current_leader_epoch, view.leader_epoch)?;
    let at = |offset, leader_epoch| Found {
        offset,
        timestamp: -1,
        leader_epoch,
    };
    match (partition.timestamp, ask.version()) {
        (special::LATEST, _) => Ok(at(view.high_watermark, view.leader_epoch)),
        (special::EARLIEST, _) | (special::EARLIEST_LOCAL, 8..) => {
            Ok(at(view.log_start, view.leader_epoch))
        }
        (special::MAX_TIMESTAMP, 7..) => {
            timed(log.latest_timestamp(place).await, view.leader_epoch)
        }
        (special::LATEST_TIERED, 9..) | (special::EARLIEST_PENDING_UPLOAD, 11..) => Ok(at(-1, -1)),
        (time @ 0.., _) => timed(log.first_at_or_after(place, time).await, view.leader_epoch),
        _ => Err(ErrorCode::UNSUPPORTED_VERSION),
    }
}

/// A record found by time; no record is no error.
fn timed(
    found: Result<Option<TimedOffset>, ReadError>,
    leader_epoch: i32,
) -> Result<Found, ErrorCode> {
    let found = found.map_err(code_of)?;
    Ok(match found {
        Some(TimedOffset { offset, timestamp }) => Found {
            offset,
            timestamp,
            leader_epoch,
        },
        None => Found {
            offset: -1,
            timestamp: -1,
            leader_epoch: -1,
        },
    })
}

/// A client that knows another epoch than the log has looks at an older or newer state.
pub(crate) fn check_epoch(theirs: i32, ours: i32) -> Result<(), ErrorCode> {
    match theirs {
        ..0 => Ok(()),
        _ if theirs < ours => Err(ErrorCode::FENCED_LEADER_EPOCH),
        _ if theirs > ours => Err(ErrorCode::UNKNOWN_LEADER_EPOCH),
        _ => Ok(()),
    }
}

pub(super) async fn epoch_ends(
    ask: &Ask,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = ask.shared.log.topics();
    let answers = request.topics.into_iter().map(|topic| {
        let id = topics.by_name(&topic.topic).map(|topic| topic.id);
        let partitions = topic.partitions.into_iter().map(|asked| {
            let place = id.map(|topic| Place {
                topic,
                partition: asked.partition,
            });
            let found = place
                .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
                .and_then(|place| {
                    let view = ask.shared.online(place)?;
                    check_epoch(asked.current_leader_epoch, view.leader_epoch)?;
                    Ok(ask.shared.log.epoch_end(place, asked.leader_epoch))
                });
            let (code, epoch_end) = match found {
                Ok(found) => (ErrorCode::NONE, found),
                Err(code) => (code, None),
            };
            let (leader_epoch, end_offset) = epoch_end.unwrap_or((-1, -1));
            EpochEndOffset {
                error_code: code.0,
                partition: asked.partition,
                leader_epoch,
                end_offset,
                ..Default::default()
            }
        });
        OffsetForLeaderTopicResult {
            partitions: partitions.collect(),
            topic: topic.topic,
            ..Default::default()
        }
    });
    OffsetForLeaderEpochResponse {
        topics: answers.collect(),
        ..Default::default()
    }
}

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

pub(super) async fn commit(ask: &Ask, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let version = ask.version();
    let topics = ask.shared.log.topics();
    let mut commits = Vec::new();
    let mut answers = Vec::with_capacity(request.topics.len());
    // Where the code of each commit goes.
    let mut slots = Vec::new();
    for (at, topic) in request.topics.into_iter().enumerate() {
        let found = resolve(&topics, &topic.name, topic.topic_id, version >= 10);
        let mut answer = OffsetCommitResponseTopic {
            name: topic.name,
            topic_id: topic.topic_id,
            ..Default::default()
        };
        for (within, partition) in topic.partitions.into_iter().enumerate() {
            let index = partition.partition_index;
            let code = match found {
                Err(code) => code,
                Ok((_, count)) if !(0..count).contains(&index) => {
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
                }
                Ok((id, _)) => {
                    slots.push((at, within));
                    commits.push(Commit {
                        place: Place {
                            topic: id,
                            partition: index,
                        },
                        offset: partition.committed_offset,
                        leader_epoch: partition.committed_leader_epoch,
                        metadata: partition.committed_metadata.unwrap_or_default(),
                    });
                    ErrorCode::NONE
                }
            };
            answer.partitions.push(OffsetCommitResponsePartition {
                partition_index: index,
                error_code: code.0,
                ..Default::default()
            });
        }
        answers.push(answer);
    }
    if !commits.is_empty() {
        let commit = CommitOffsets {
            group: request.group_id,
            who: Identity {
                member: request.member_id,
                instance: request.group_instance_id,
            },
            generation: request.generation_id_or_member_epoch,
            version,
            retention: u64::try_from(request.retention_time_ms)
                .ok()
                .map(Duration::from_millis),
            commits,
        };
        let answer = ask
            .shared
            .coordinator
            .ask(move |waiter| Event::Commit(waiter, commit))
            .await;
        let codes = match answer {
            Some(Answer::Commit(codes)) => codes,
            _ => vec![ErrorCode::COORDINATOR_NOT_AVAILABLE; slots.len()],
        };
        for ((at, within), code) in slots.into_iter().zip(codes) {
            let answer: Option<&mut OffsetCommitResponseTopic> = answers.get_mut(at);
            if let Some(partition) = answer.and_then(|topic| topic.partitions.get_mut(within)) {
                partition.error_code = code.0;
            }
        }
    }
    OffsetCommitResponse {
        topics: answers,
        ..Default::default()
    }
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
        let topic = |topic: wire::message::offset_fetch_request::OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics {
                name: topic.name,
                partition_indexes: topic.partition_indexes,
                ..Default::default()
            }
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
    let look = move |groups: &crate::groups::Groups| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_epoch_is_fenced_and_newer_is_unknown() {
        assert_eq!(check_epoch(-1, 5), Ok(()));
        assert_eq!(check_epoch(5, 5), Ok(()));
        assert_eq!(check_epoch(4, 5), Err(ErrorCode::FENCED_LEADER_EPOCH));
        assert_eq!(check_epoch(6, 5), Err(ErrorCode::UNKNOWN_LEADER_EPOCH));
    }
}
