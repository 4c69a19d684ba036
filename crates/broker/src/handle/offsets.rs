//! Offsets of the log: by time, by name, by leader epoch.
//!
//! Source: Kafka's `ReplicaManager.fetchOffset`, `UnifiedLog.fetchOffsetByTimestamp`.

use std::collections::HashMap;

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::list_offsets_request::ListOffsetsPartition;
use wire::message::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use wire::message::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use wire::message::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};
use wire::record::TimedOffset;
use wire::text::Str;

use super::Ask;
use crate::fetch::code_of;
use crate::log::ReadError;
use crate::offsets::Place;

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
    let mut counts: HashMap<(Str, i32), usize> = HashMap::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let place = (topic.name.clone(), partition.partition_index);
            *counts.entry(place).or_default() += 1;
        }
    }
    let mut response = ListOffsetsResponse::default();
    for topic in request.topics {
        let id = topics.by_name(&topic.name).map(|topic| topic.id);
        let mut answers = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions {
            let index = partition.partition_index;
            // One that is named twice is refused once.
            let found = match counts.remove(&(topic.name.clone(), index)) {
                None => continue,
                Some(1) => offset_for(ask, id, partition).await,
                Some(_) => Err(ErrorCode::INVALID_REQUEST),
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
    if !is_served(partition.timestamp, ask.version()) {
        return Err(ErrorCode::UNSUPPORTED_VERSION);
    }
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
    match partition.timestamp {
        special::LATEST => Ok(at(view.high_watermark, view.leader_epoch)),
        special::EARLIEST | special::EARLIEST_LOCAL => Ok(at(view.log_start, view.leader_epoch)),
        special::MAX_TIMESTAMP => timed(log.latest_timestamp(place).await, view.leader_epoch),
        // Nothing is tiered.
        special::LATEST_TIERED | special::EARLIEST_PENDING_UPLOAD => Ok(at(-1, -1)),
        time => timed(log.first_at_or_after(place, time).await, view.leader_epoch),
    }
}

/// Whether a version knows this timestamp.
fn is_served(timestamp: i64, version: i16) -> bool {
    match timestamp {
        special::LATEST | special::EARLIEST | 0.. => true,
        special::MAX_TIMESTAMP => version >= 7,
        special::EARLIEST_LOCAL => version >= 8,
        special::LATEST_TIERED => version >= 9,
        special::EARLIEST_PENDING_UPLOAD => version >= 11,
        _ => false,
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
