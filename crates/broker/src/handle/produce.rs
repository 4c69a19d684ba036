//! Produce and InitProducerId.
//!
//! Records go to the log as slices of the request. A request has its place in the log before the next one of the same
//! connection is looked at; with acks=-1 it then waits for the disk.

use std::time::Duration;

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::produce_request::PartitionProduceData;
use wire::message::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use wire::message::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
};
use wire::record::{self, BatchError};
use wire::text::Str;

use super::{Ask, Reply, Step, to_the_end};
use crate::log::{Append, AppendRefusal, Appended};
use crate::offsets::Place;
use crate::together::together;

/// First version that carries messages about single records.
const RECORD_ERRORS: i16 = 8;
/// First version that names topics by id.
const TOPIC_IDS: i16 = 13;

/// One partition of the request with what became of it so far.
struct Part {
    topic: usize,
    index: i32,
    outcome: Result<Appended, AppendRefusal>,
    /// Told with a refusal by which the partition itself judged the records; else -1.
    log_start: i64,
}

pub(super) async fn produce(ask: Ask, request: ProduceRequest) -> Step {
    let acks = request.acks;
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let is_transactional = request
        .topic_data
        .iter()
        .flat_map(|topic| &topic.partition_data)
        .any(|partition| {
            record::produced(partition.records.as_ref())
                .is_ok_and(|batch| batch.header().attributes.is_transactional())
        });
    let whole = is_transactional.then_some(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    let (topics, parts) = place(&ask, request, whole).await;
    if acks == 0 {
        let refused = parts.iter().any(|part| part.outcome.is_err());
        return Step::Done(if refused { Reply::Close } else { Reply::Silent });
    }
    if acks == 1 || parts.iter().all(|part| part.outcome.is_err()) {
        return Step::Done(answer(
            &ask,
            topics,
            parts.into_iter().map(written).collect(),
        ));
    }
    Step::Placed(Box::pin(async move {
        let parts = together(parts.into_iter().map(|part| durable(part, timeout))).await;
        Step::Done(answer(&ask, topics, parts))
    }))
}

/// Gives every batch its place in its partition.
async fn place(
    ask: &Ask,
    request: ProduceRequest,
    whole: Option<ErrorCode>,
) -> (Vec<TopicProduceResponse>, Vec<Part>) {
    let known = ask.shared.log.topics();
    let by_id = ask.version() >= TOPIC_IDS;
    let mut topics = Vec::with_capacity(request.topic_data.len());
    let mut appends = Vec::new();
    for (topic, data) in request.topic_data.into_iter().enumerate() {
        let found = match by_id {
            true => known
                .by_id(data.topic_id)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_ID),
            false => known
                .by_name(&data.name)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        };
        let id = found.map(|topic| topic.id);
        for partition in data.partition_data {
            let target = whole.map_or(id, Err);
            appends.push(append(ask, topic, target, partition, request.acks));
        }
        topics.push(TopicProduceResponse {
            name: data.name,
            topic_id: data.topic_id,
            ..Default::default()
        });
    }
    (topics, together(appends).await)
}

async fn append(
    ask: &Ask,
    topic: usize,
    target: Result<Uuid, ErrorCode>,
    partition: PartitionProduceData,
    acks: i16,
) -> Part {
    let index = partition.index;
    let outcome = match target {
        Err(code) => Err(AppendRefusal::from(code)),
        // That there is one batch of the right format is asked first, as in Kafka; its checksum is not.
        Ok(_) if !(-1..=1).contains(&acks) => {
            let code = match record::produced(partition.records.as_ref()) {
                Ok(_) | Err(BatchError::Crc) => ErrorCode::INVALID_REQUIRED_ACKS,
                Err(error) => error.code(),
            };
            Err(AppendRefusal::from(code))
        }
        Ok(id) => {
            let append = Append {
                place: Place {
                    topic: id,
                    partition: index,
                },
                records: partition.records,
                produce_version: ask.version(),
                acks,
            };
            ask.shared.log.append(append).await
        }
    };
    Part {
        topic,
        index,
        log_start: told_log_start(ask, target, index, &outcome),
        outcome,
    }
}

/// Kafka tells the start of the log with what `LogValidator` and `ProducerAppendInfo` refuse, and -1 with the rest.
fn told_log_start(
    ask: &Ask,
    target: Result<Uuid, ErrorCode>,
    partition: i32,
    outcome: &Result<Appended, AppendRefusal>,
) -> i64 {
    let judged = outcome.as_ref().is_err_and(|refusal| {
        refusal.is_judged
            || matches!(
                refusal.code,
                ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
                    | ErrorCode::INVALID_PRODUCER_EPOCH
                    | ErrorCode::INVALID_TIMESTAMP
            )
    });
    let place = target.ok().filter(|_| judged);
    let view = place.and_then(|topic| ask.shared.log.view(Place { topic, partition }));
    view.map_or(-1, |view| view.log_start)
}

type Answered = (usize, PartitionProduceResponse);

/// The answer to a batch that need not be durable.
fn written(part: Part) -> Answered {
    let response = match part.outcome {
        Ok(appended) => placed(part.index, &appended),
        Err(refusal) => refused(part.index, part.log_start, refusal),
    };
    (part.topic, response)
}

/// The answer to a batch once it is durable, or not in time.
async fn durable(part: Part, timeout: Duration) -> Answered {
    let appended = match part.outcome {
        Ok(appended) => appended,
        Err(refusal) => return (part.topic, refused(part.index, part.log_start, refusal)),
    };
    let response = placed(part.index, &appended);
    let response = match tokio::time::timeout(timeout, appended.durable.durable()).await {
        Ok(Ok(())) => response,
        Ok(Err(_)) => refused(part.index, -1, ErrorCode::KAFKA_STORAGE_ERROR.into()),
        Err(_) => refused(part.index, -1, ErrorCode::REQUEST_TIMED_OUT.into()),
    };
    (part.topic, response)
}

fn placed(index: i32, appended: &Appended) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        base_offset: appended.base_offset,
        log_append_time_ms: appended.log_append_time,
        log_start_offset: appended.log_start,
        ..Default::default()
    }
}

fn refused(index: i32, log_start: i64, refusal: AppendRefusal) -> PartitionProduceResponse {
    let errors =
        refusal
            .records
            .into_iter()
            .map(|(batch_index, message)| BatchIndexAndErrorMessage {
                batch_index,
                batch_index_error_message: Some(Str::from_static(message)),
                ..Default::default()
            });
    PartitionProduceResponse {
        index,
        error_code: refusal.code.0,
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: log_start,
        record_errors: errors.collect(),
        error_message: refusal.message.map(Str::from_static),
        ..Default::default()
    }
}

fn answer(ask: &Ask, mut topics: Vec<TopicProduceResponse>, parts: Vec<Answered>) -> Reply {
    for (topic, mut response) in parts {
        if ask.version() < RECORD_ERRORS {
            response.record_errors.clear();
            response.error_message = None;
        }
        if let Some(topic) = topics.get_mut(topic) {
            topic.partition_responses.push(response);
        }
    }
    ask.answer(&ProduceResponse {
        responses: topics,
        ..Default::default()
    })
}

/// InitProducerId: the next id. Transactions are not offered.
pub(super) async fn producer_id(
    ask: &Ask,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let refused = |code: ErrorCode| InitProducerIdResponse {
        error_code: code.0,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    match request.transactional_id.as_deref() {
        Some("") => return refused(ErrorCode::INVALID_REQUEST),
        Some(_) => return refused(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        None => {}
    }
    if (request.producer_id == -1) != (request.producer_epoch == -1) {
        return refused(ErrorCode::INVALID_REQUEST);
    }
    let log = ask.shared.log.clone();
    match to_the_end(async move { log.next_producer_id().await }).await {
        Ok(producer_id) => InitProducerIdResponse {
            producer_id,
            producer_epoch: 0,
            ..Default::default()
        },
        Err(code) => refused(code),
    }
}
