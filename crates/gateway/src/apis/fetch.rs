//! Fetch. Every fetch is complete: a session id would be a bearer token between principals, so none is given out.

use std::sync::Arc;

use bytes::Bytes;
use kastellan_core::authorize::{Basis, Permit};
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::message::fetch_request::FetchTopic;
use wire::message::fetch_response::{FetchableTopicResponse, PartitionData};
use wire::message::{FetchRequest, FetchResponse};
use wire::text::Str;

use super::judge::{Eyes, Judge, collect};
use super::{Plan, Treatment, decode, decode_reply, own_time};
use crate::cause::Cause;
use crate::config::HostPort;
use crate::meters::WHOLE;
use crate::uses::{Counts, SEVERAL, Use};

/// Answers without anything allowed are held back this long, so that a client does not spin.
const NOTHING_WAIT_MS: i32 = 100;

pub(super) async fn fetch(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<FetchRequest>(frame)?;
    if asked.body.session_id != 0 || asked.body.session_epoch > 0 {
        WHOLE.fetch_session_resets.add(1);
        return asked.answer(&FetchResponse {
            error_code: ErrorCode::FETCH_SESSION_ID_NOT_FOUND.code(),
            ..Default::default()
        });
    }
    let is_replica = asked.body.replica_id >= 0 || asked.body.replica_state.replica_id >= 0;
    let mut permit = None;
    let (mut allowed, mut refused) = (Vec::new(), Vec::new());
    let mut names = Vec::new();
    let mut reading: Vec<Arc<Counts>> = Vec::new();
    let client_id = asked.header.client_id.clone();
    for topic in std::mem::take(&mut asked.body.topics) {
        match verdict(&mut judge, &topic, is_replica, &mut permit).await {
            Ok((name, basis)) => {
                let counts = judge.used(Use::Fetch, &name, basis, client_id.as_ref());
                counts.request(topic.partitions.len());
                reading.push(counts);
                names.push(name);
                allowed.push(topic);
            }
            Err(code) => refused.push(refuse_topic(&topic, code)),
        }
    }
    judge.record(client_id.as_ref()).await;
    asked.body.topics = allowed;
    let permit = if refused.is_empty() {
        Some(permit.unwrap_or_else(Permit::unprotected))
    } else {
        permit
    };
    let Some(permit) = permit.filter(|_| !asked.body.topics.is_empty() || refused.is_empty())
    else {
        let wait = asked.body.max_wait_ms.clamp(0, NOTHING_WAIT_MS);
        tokio::time::sleep(std::time::Duration::from_millis(u64::from(
            wait.unsigned_abs(),
        )))
        .await;
        return asked.answer(&FetchResponse {
            responses: refused,
            ..Default::default()
        });
    };
    tame(&mut asked.body, judge.core.limits().fetch_max_bytes);
    if !refused.is_empty() {
        // A refusal does not wait for somebody else's records.
        asked.body.max_wait_ms = asked.body.max_wait_ms.min(NOTHING_WAIT_MS);
    }
    let (version, deadline) = (asked.header.api_version, own_time(asked.body.max_wait_ms));
    let counts = match reading.len() {
        0 | 1 => reading.pop(),
        _ => Some(judge.used(Use::Fetch, &SEVERAL, Basis::Everyone, client_id.as_ref())),
    };
    let (eyes, advertised) = (judge.eyes(), judge.session.listener.advertised());
    let plan = Plan::with(deadline, move |reply| {
        if let Some(counts) = counts {
            counts.data(0, reply.len());
        }
        finish(version, reply, refused, &names, &eyes, &advertised)
    });
    Ok(Treatment::Forward {
        request: asked.encode()?,
        permit,
        plan,
    })
}

async fn verdict(
    judge: &mut Judge<'_>,
    topic: &FetchTopic,
    is_replica: bool,
    permit: &mut Option<Permit>,
) -> Result<(Str, Basis), ErrorCode> {
    let name = match judge.start.api_version {
        13.. => judge
            .name_of(topic.topic_id)
            .await
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?,
        _ => topic.topic.clone(),
    };
    // A replica sees past the high watermark: it needs the right that brokers have (CVE-2018-1288).
    let may = if is_replica {
        judge.may(Operation::ClusterAction, Resource::CLUSTER)
    } else {
        judge.may(Operation::Read, Resource::topic(&name))
    };
    let may = may.ok_or(ErrorCode::TOPIC_AUTHORIZATION_FAILED)?;
    let basis = may.basis();
    collect(permit, Some(may));
    Ok((name, basis))
}

/// Takes out what only brokers say, asks for no session, and keeps sizes within the limit.
fn tame(request: &mut FetchRequest, max_bytes: i32) {
    request.cluster_id = None;
    // A debugging consumer (-2) sees past the high watermark as well.
    request.replica_id = request.replica_id.max(-1);
    request.replica_state.replica_id = request.replica_state.replica_id.max(-1);
    request.session_id = 0;
    request.session_epoch = -1;
    request.forgotten_topics_data.clear();
    request.max_bytes = request.max_bytes.min(max_bytes);
    for partition in request
        .topics
        .iter_mut()
        .flat_map(|topic| &mut topic.partitions)
    {
        partition.partition_max_bytes = partition.partition_max_bytes.min(max_bytes);
        partition.replica_directory_id = uuid::Uuid::nil();
        partition.high_watermark = i64::MAX;
    }
}

fn refuse_topic(topic: &FetchTopic, code: ErrorCode) -> FetchableTopicResponse {
    let partitions = topic
        .partitions
        .iter()
        .map(|partition| PartitionData {
            partition_index: partition.partition,
            error_code: code.code(),
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            preferred_read_replica: -1,
            records: Some(Bytes::new()),
            ..Default::default()
        })
        .collect();
    FetchableTopicResponse {
        topic: topic.topic.clone(),
        topic_id: topic.topic_id,
        partitions,
        ..Default::default()
    }
}

fn finish(
    version: i16,
    reply: Frame,
    refused: Vec<FetchableTopicResponse>,
    names: &[Str],
    eyes: &Eyes,
    advertised: &HostPort,
) -> Result<Frame, Cause> {
    // Records of a topic that was denied meanwhile do not go out.
    if !eyes.is_current()
        && !names
            .iter()
            .all(|name| eyes.may_see(Operation::Read, Resource::topic(name)))
    {
        return Err(Cause::Revoked);
    }
    // Several parts come from the embedded log, which names no nodes: they pass without a copy.
    if refused.is_empty() && reply.parts.len() > 1 {
        return Ok(reply);
    }
    let (correlation_id, mut response) = decode_reply::<FetchRequest>(version, reply)?;
    response.session_id = 0;
    response.responses.splice(0..0, refused);
    for node in &mut response.node_endpoints {
        node.host = Str::from(&*advertised.host);
        node.port = i32::from(advertised.port);
    }
    wire::header::encode_response(1, version, correlation_id, &response)
        .map_err(|_| Cause::UpstreamProtocol)
}
