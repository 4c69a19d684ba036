//! Produce and InitProducerId.

use std::collections::HashMap;

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::{Resource, ResourceType};
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::message::produce_request::TopicProduceData;
use wire::message::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use wire::message::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
};
use wire::record::BatchHeader;
use wire::text::Str;

use super::judge::{Judge, collect};
use super::{Asked, PLAIN, Plan, Treatment, decode, own_time, recode};
use crate::cause::Cause;
use crate::config::HostPort;

pub(super) async fn produce(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<ProduceRequest>(frame.clone())?;
    let client_id = asked.header.client_id.clone();
    let refused_whole = check_transaction(&mut judge, &asked.body);
    let mut permit = None;
    let mut allowed = Vec::new();
    let mut refused: Vec<(TopicProduceData, ErrorCode)> = Vec::new();
    for topic in std::mem::take(&mut asked.body.topic_data) {
        match verdict(&mut judge, &topic, refused_whole, &mut permit).await {
            Ok(()) => allowed.push(topic),
            Err(code) => refused.push((topic, code)),
        }
    }
    judge.record(client_id.as_ref()).await;
    asked.body.topic_data = allowed;
    let permit = permit.filter(|_| !asked.body.topic_data.is_empty());
    // An empty request is the upstream's to answer.
    let permit = if refused.is_empty() {
        Some(permit.unwrap_or_else(Permit::unprotected))
    } else {
        permit
    };
    if asked.body.acks == 0 {
        return silent(&asked, frame, permit, refused.is_empty());
    }
    let answers: Vec<TopicProduceResponse> = refused
        .iter()
        .map(|(topic, code)| refuse_topic(topic, *code))
        .collect();
    let Some(permit) = permit else {
        return asked.answer(&ProduceResponse {
            responses: answers,
            ..Default::default()
        });
    };
    let deadline = own_time(asked.body.timeout_ms);
    let version = asked.header.api_version;
    let advertised = judge.session.listener.advertised.clone();
    let plan = Plan::with(deadline, move |reply| {
        finish(version, reply, answers, &advertised)
    });
    let request = if refused.is_empty() && !asked.was_stripped {
        Frame::from(frame)
    } else {
        asked.encode()?
    };
    Ok(Treatment::Forward {
        request,
        permit,
        plan,
    })
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
) -> Result<(), ErrorCode> {
    if let Some(code) = whole {
        return Err(code);
    }
    let name = match judge.start.api_version {
        13.. => judge
            .core
            .topology
            .name_of(topic.topic_id)
            .await
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?,
        _ => topic.name.clone(),
    };
    let may = judge.may(Operation::Write, Resource::topic(&name));
    if collect(permit, may) {
        Ok(())
    } else {
        Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED)
    }
}

fn refuse_topic(topic: &TopicProduceData, code: ErrorCode) -> TopicProduceResponse {
    let partition_responses = topic
        .partition_data
        .iter()
        .map(|partition| PartitionProduceResponse {
            index: partition.index,
            error_code: code.code(),
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            ..Default::default()
        })
        .collect();
    TopicProduceResponse {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partition_responses,
        ..Default::default()
    }
}

/// acks=0: nothing can be answered, so anything refused closes the connection once the rest is on its way.
fn silent(
    asked: &Asked<ProduceRequest>,
    frame: Bytes,
    permit: Option<Permit>,
    is_whole: bool,
) -> Result<Treatment, Cause> {
    let Some(permit) = permit else {
        return Ok(Treatment::Close(Cause::Refused));
    };
    if !is_whole {
        return Ok(Treatment::ForwardThenClose {
            request: asked.encode()?,
            permit,
            cause: Cause::Refused,
        });
    }
    let request = if asked.was_stripped {
        asked.encode()?
    } else {
        Frame::from(frame)
    };
    Ok(Treatment::Forward {
        request,
        permit,
        plan: Plan::silent(),
    })
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
        let by_topic: HashMap<(Str, uuid::Uuid), usize> = response
            .responses
            .iter()
            .enumerate()
            .map(|(at, topic)| ((topic.name.clone(), topic.topic_id), at))
            .collect();
        for topic in refused {
            match by_topic
                .get(&(topic.name.clone(), topic.topic_id))
                .and_then(|at| response.responses.get_mut(*at))
            {
                Some(known) => known.partition_responses.extend(topic.partition_responses),
                None => response.responses.push(topic),
            }
        }
        for node in &mut response.node_endpoints {
            node.host = Str::from(&*advertised.host);
            node.port = i32::from(advertised.port);
        }
    })
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
