//! Fetch. Sessions are not kept: the answer says session 0, and the client names all partitions each time.

use std::time::Duration;

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::fetch_response::{FetchableTopicResponse, PartitionData};
use wire::message::{FetchRequest, FetchResponse};

use super::Ask;
use crate::fetch::{Bounds, Got, Want};
use crate::offsets::Place;

const READ_COMMITTED: i8 = 1;
/// First version that names topics by id.
const TOPIC_IDS: i16 = 13;
/// First version with an error code for the whole answer.
const WHOLE_ERRORS: i16 = 7;

pub(super) async fn fetch(ask: &Ask, request: FetchRequest) -> FetchResponse {
    if let Some(code) = refusal(&request) {
        return refused(ask, request, code);
    }
    let bounds = Bounds {
        max_wait: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)),
        min_bytes: u64::try_from(request.min_bytes).unwrap_or(0),
        max_bytes: usize::try_from(request.max_bytes).unwrap_or(0),
    };
    let wants = wants(ask, &request);
    let mut got = crate::fetch::fetch(&ask.shared, &wants, bounds)
        .await
        .into_iter();
    let is_committed = request.isolation_level == READ_COMMITTED;
    let responses = request
        .topics
        .into_iter()
        .map(|topic| FetchableTopicResponse {
            topic: topic.topic,
            topic_id: topic.topic_id,
            partitions: topic
                .partitions
                .iter()
                .map(|partition| {
                    let got = got.next().unwrap_or_default();
                    data(partition.partition, got, is_committed)
                })
                .collect(),
            ..Default::default()
        });
    FetchResponse {
        responses: responses.collect(),
        ..Default::default()
    }
}

/// What is wrong with the request as a whole.
fn refusal(request: &FetchRequest) -> Option<ErrorCode> {
    // Session 0 with an epoch above 0 goes on with a session that is not there either.
    if request.session_id != 0 || request.session_epoch > 0 {
        return Some(ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    }
    if request.replica_id >= 0 || request.replica_state.replica_id >= 0 {
        return Some(ErrorCode::INVALID_REQUEST);
    }
    None
}

fn refused(ask: &Ask, request: FetchRequest, code: ErrorCode) -> FetchResponse {
    if ask.version() >= WHOLE_ERRORS {
        return FetchResponse {
            error_code: code.0,
            ..Default::default()
        };
    }
    let responses = request
        .topics
        .into_iter()
        .map(|topic| FetchableTopicResponse {
            topic: topic.topic,
            partitions: topic
                .partitions
                .iter()
                .map(|partition| {
                    let got = Got {
                        error: code,
                        high_watermark: -1,
                        log_start: -1,
                        ..Got::default()
                    };
                    data(partition.partition, got, false)
                })
                .collect(),
            ..Default::default()
        });
    FetchResponse {
        responses: responses.collect(),
        ..Default::default()
    }
}

fn wants(ask: &Ask, request: &FetchRequest) -> Vec<Want> {
    let known = ask.shared.log.topics();
    let find = |name: &str, id: Uuid| match ask.version() {
        TOPIC_IDS.. => known.by_id(id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID),
        _ => known
            .by_name(name)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
    };
    let wants = request.topics.iter().flat_map(|topic| {
        let id = find(&topic.topic, topic.topic_id).map(|topic| topic.id);
        topic.partitions.iter().map(move |partition| Want {
            place: id.map(|topic| Place {
                topic,
                partition: partition.partition,
            }),
            offset: partition.fetch_offset,
            leader_epoch: partition.current_leader_epoch,
            max_bytes: usize::try_from(partition.partition_max_bytes).unwrap_or(0),
        })
    });
    wants.collect()
}

fn data(partition_index: i32, got: Got, is_committed: bool) -> PartitionData {
    // Kafka leaves the list empty, not null, where it never came to look at the partition.
    let is_unknown = matches!(
        got.error,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::UNKNOWN_TOPIC_ID
    );
    PartitionData {
        partition_index,
        error_code: got.error.0,
        high_watermark: got.high_watermark,
        last_stable_offset: got.high_watermark,
        log_start_offset: got.log_start,
        aborted_transactions: (is_committed || is_unknown).then(Vec::new),
        preferred_read_replica: -1,
        records: Some(got.records),
        ..Default::default()
    }
}
