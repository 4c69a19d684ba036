//! Produce and InitProducerId.

use std::collections::HashMap;

use bytes::Bytes;
use kastellan_core::authorize::{Basis, Permit};
use kastellan_core::operation::Operation;
use kastellan_core::resource::{Resource, ResourceType};
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::message::produce_request::{PartitionProduceData, TopicProduceData};
use wire::message::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use wire::message::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
};
use wire::record::{Batch, BatchError, BatchHeader, Codec};
use wire::text::Str;

use super::judge::{Judge, collect, is_internal};
use super::{PLAIN, Plan, Treatment, decode, own_time, recode};
use crate::cause::Cause;
use crate::config::HostPort;
use crate::uses::Use;

/// Whoever has this client id may write to the brokers' own topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";
const OUR_CLIENT_ID: Str = Str::from_static("kastellan");
/// First version that may hold zstd.
const ZSTD_FROM: i16 = 7;

/// What of a request goes on and what does not.
#[derive(Default)]
struct Sorted {
    permit: Option<Permit>,
    refused: Vec<TopicProduceResponse>,
    /// A rule that names it allows writing to one of the brokers' own topics.
    writes_internal: bool,
}

pub(super) async fn produce(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<ProduceRequest>(frame.clone())?;
    let client_id = asked.header.client_id.clone();
    let sorted = sort(&mut judge, &mut asked.body, client_id.as_ref()).await;
    judge.record(asked.header.client_id.as_ref()).await;
    let borrows_name = asked.header.client_id.as_deref() == Some(ADMIN_CLIENT_ID);
    let is_renamed = borrows_name && !sorted.writes_internal;
    if is_renamed {
        asked.header.client_id = Some(OUR_CLIENT_ID);
    }
    let Sorted {
        permit, refused, ..
    } = sorted;
    let is_whole = refused.is_empty();
    let permit = match permit.filter(|_| !asked.body.topic_data.is_empty()) {
        Some(permit) => permit,
        // An empty request is the upstream's to answer.
        None if is_whole => Permit::unprotected(),
        None if asked.body.acks == 0 => return Ok(Treatment::Close(Cause::Refused)),
        None => {
            let mut response = ProduceResponse::default();
            merge(&mut response, refused);
            return asked.answer(&response);
        }
    };
    let request = if is_whole && !asked.was_stripped && !is_renamed {
        Frame::from(frame)
    } else {
        asked.encode()?
    };
    if asked.body.acks == 0 {
        return Ok(silent(request, permit, is_whole));
    }
    let version = asked.header.api_version;
    let advertised = judge.session.listener.advertised();
    let plan = Plan::with(own_time(asked.body.timeout_ms), move |reply| {
        finish(version, reply, refused, &advertised)
    });
    Ok(Treatment::Forward {
        request,
        permit,
        plan,
    })
}

/// Takes out of the request what may not go on.
async fn sort(
    judge: &mut Judge<'_>,
    request: &mut ProduceRequest,
    client_id: Option<&Str>,
) -> Sorted {
    let version = judge.start.api_version;
    let whole = check_transaction(judge, request);
    let mut sorted = Sorted::default();
    let mut allowed = Vec::new();
    for mut topic in std::mem::take(&mut request.topic_data) {
        let (name, basis) = match verdict(judge, &topic, whole, &mut sorted.permit).await {
            Ok(known) => known,
            Err(code) => {
                sorted.refused.push(refuse_topic(&topic, code));
                continue;
            }
        };
        sorted.writes_internal |= is_internal(&name);
        let had_partitions = !topic.partition_data.is_empty();
        let (mut records, mut bytes) = (0, 0);
        topic.partition_data.retain(|partition| {
            let code = match check_batch(partition, version) {
                Ok(count) => {
                    records += count;
                    bytes += partition.records.as_ref().map_or(0, Bytes::len);
                    return true;
                }
                Err(code) => code,
            };
            sorted.refused.push(TopicProduceResponse {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partition_responses: vec![refuse_partition(partition, code)],
                ..Default::default()
            });
            false
        });
        if !(had_partitions && topic.partition_data.is_empty()) {
            let counts = judge.used(Use::Produce, &name, basis, client_id);
            counts.request(topic.partition_data.len());
            counts.data(records, bytes);
            allowed.push(topic);
        }
    }
    request.topic_data = allowed;
    sorted
}

/// One batch and nothing else, so that no batch is looked at by the upstream which was not looked at here. Gives the
/// number of its records.
fn check_batch(partition: &PartitionProduceData, version: i16) -> Result<u64, ErrorCode> {
    let records = partition
        .records
        .as_ref()
        .ok_or(ErrorCode::INVALID_RECORD)?;
    let batch = Batch::parse(records).map_err(|error| match error {
        // Kafka meets these two before it looks for one whole batch.
        BatchError::Magic(_) | BatchError::Length(_) => error.code(),
        _ => ErrorCode::INVALID_RECORD,
    })?;
    let attributes = batch.header().attributes;
    if attributes.is_control() {
        return Err(ErrorCode::INVALID_RECORD);
    }
    if version < ZSTD_FROM && attributes.codec() == Some(Codec::Zstd) {
        return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
    Ok(u64::try_from(batch.header().record_count).unwrap_or(0))
}

/// A batch with the transactional bit needs a transactional id, and Write on it; else the whole request is refused
/// (CVE-2018-17196).
fn check_transaction(judge: &mut Judge<'_>, request: &ProduceRequest) -> Option<ErrorCode> {
    let is_transactional = request
        .topic_data
        .iter()
        .flat_map(|topic| &topic.partition_data)
        .filter_map(|partition| partition.records.as_ref())
        .any(|records| {
            BatchHeader::parse(records).is_ok_and(|header| header.attributes.is_transactional())
        });
    if !is_transactional {
        return None;
    }
    let may = request.transactional_id.as_deref().is_some_and(|id| {
        judge
            .may(Operation::Write, Resource::transactional_id(id))
            .is_some()
    });
    (!may).then_some(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
}

async fn verdict(
    judge: &mut Judge<'_>,
    topic: &TopicProduceData,
    whole: Option<ErrorCode>,
    permit: &mut Option<Permit>,
) -> Result<(Str, Basis), ErrorCode> {
    if let Some(code) = whole {
        return Err(code);
    }
    let name = match judge.start.api_version {
        13.. => judge
            .name_of(topic.topic_id)
            .await
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?,
        _ => topic.name.clone(),
    };
    let may = judge.may(Operation::Write, Resource::topic(&name));
    let may = may.ok_or(ErrorCode::TOPIC_AUTHORIZATION_FAILED)?;
    let basis = may.basis();
    collect(permit, Some(may));
    Ok((name, basis))
}

fn refuse_topic(topic: &TopicProduceData, code: ErrorCode) -> TopicProduceResponse {
    let partitions = topic.partition_data.iter();
    TopicProduceResponse {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partition_responses: partitions
            .map(|partition| refuse_partition(partition, code))
            .collect(),
        ..Default::default()
    }
}

fn refuse_partition(partition: &PartitionProduceData, code: ErrorCode) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index: partition.index,
        error_code: code.code(),
        base_offset: -1,
        log_append_time_ms: -1,
        log_start_offset: -1,
        ..Default::default()
    }
}

/// acks=0: nothing can be answered, so anything refused closes the connection once the rest is on its way.
fn silent(request: Frame, permit: Permit, is_whole: bool) -> Treatment {
    if is_whole {
        return Treatment::Forward {
            request,
            permit,
            plan: Plan::silent(),
        };
    }
    Treatment::ForwardThenClose {
        request,
        permit,
        cause: Cause::Refused,
    }
}

/// Puts refusals beside the upstream's answers; node addresses become ours.
fn finish(
    version: i16,
    reply: Frame,
    refused: Vec<TopicProduceResponse>,
    advertised: &HostPort,
) -> Result<Frame, Cause> {
    let advertised = advertised.clone();
    recode::<ProduceRequest>(version, reply, move |response| {
        merge(response, refused);
        for node in &mut response.node_endpoints {
            node.host = Str::from(&*advertised.host);
            node.port = i32::from(advertised.port);
        }
    })
}

/// One entry a topic: partitions that were refused come behind those that were answered.
fn merge(response: &mut ProduceResponse, refused: Vec<TopicProduceResponse>) {
    if refused.is_empty() {
        return;
    }
    let mut places: HashMap<(Str, uuid::Uuid), usize> = HashMap::new();
    for topic in std::mem::take(&mut response.responses)
        .into_iter()
        .chain(refused)
    {
        let next = response.responses.len();
        let place = *places
            .entry((topic.name.clone(), topic.topic_id))
            .or_insert(next);
        match response.responses.get_mut(place) {
            Some(known) => known.partition_responses.extend(topic.partition_responses),
            None => response.responses.push(topic),
        }
    }
}

pub(super) async fn init_producer_id(
    mut judge: Judge<'_>,
    frame: Bytes,
) -> Result<Treatment, Cause> {
    let asked = decode::<InitProducerIdRequest>(frame)?;
    let (permit, code) = match asked.body.transactional_id.as_deref() {
        Some(id) => (
            judge.may(Operation::Write, Resource::transactional_id(id)),
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ),
        None => {
            let on_cluster = judge.probe(Operation::IdempotentWrite, Resource::CLUSTER);
            let permit = match on_cluster {
                Some(permit) => Some(permit),
                None => judge.may_somewhere(Operation::Write, ResourceType::Topic),
            };
            (permit, ErrorCode::CLUSTER_AUTHORIZATION_FAILED)
        }
    };
    judge.record(asked.header.client_id.as_ref()).await;
    match permit {
        Some(permit) => asked.forward(permit, PLAIN),
        None => asked.answer(&InitProducerIdResponse {
            error_code: code.code(),
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        }),
    }
}
