//! Metadata, DescribeCluster, FindCoordinator: what there is, and where. Addresses are the gateway's own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::Request;
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::header::{RequestHeader, encode_request, encode_response};
use wire::message::find_coordinator_response::Coordinator;
use wire::message::metadata_request::MetadataRequestTopic;
use wire::message::metadata_response::MetadataResponseTopic;
use wire::message::{
    DescribeClusterRequest, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse,
};
use wire::text::Str;

use super::changes::{self, Announced, Change, NOTHING};
use super::judge::{Eyes, Judge, is_internal};
use super::{Asked, PLAIN, Plan, Treatment, decode, decode_reply};
use crate::cause::Cause;
use crate::config::HostPort;
use crate::gateway::Core;
use crate::uses::Counts;

/// Operations were not asked for (Kafka's `INT32_MIN`).
const NOT_ASKED: i32 = i32::MIN;
/// First version of FindCoordinator that knows groups of shares.
const SHARE_FROM: i16 = 6;
/// First version that says whether topics may be created.
const HAS_FLAG: i16 = 4;

pub(super) async fn metadata(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<MetadataRequest>(frame)?;
    let version = asked.header.api_version;
    if version == 0 && asked.body.topics.as_ref().is_some_and(Vec::is_empty) {
        asked.body.topics = None;
    }
    if (10..=11).contains(&version) && asked.body.topics.iter().flatten().any(names_by_id) {
        return whole_request_invalid(&asked);
    }
    let creates = version < HAS_FLAG || asked.body.allow_auto_topic_creation;
    let mut refused = Vec::new();
    let wanted = match asked.body.topics.take() {
        None => None,
        Some(topics) => Some(visible(&mut judge, topics, &mut refused).await),
    };
    let client_id = asked.header.client_id.clone();
    let mut may_create = creates
        && wanted
            .as_ref()
            .is_some_and(|topics| may_create_all(&judge, topics));
    judge.record(client_id.as_ref()).await;
    let is_all = wanted.is_none();
    let new = match &wanted {
        Some(topics) if may_create && judge.core.upstream_creates() => missing(&judge, topics),
        _ => Vec::new(),
    };
    let made = new.iter().map(|name| Change {
        on: Resource::topic(name),
        after: "created by being asked for".to_owned(),
    });
    let kind = "admin.topic";
    let announced =
        changes::announce(&judge, client_id.as_ref(), kind, Operation::Create, made).await;
    let announced = announced.unwrap_or_else(|_| {
        may_create = false;
        NOTHING
    });
    let answer = MetadataPlan {
        eyes: judge.eyes(),
        core: judge.core.clone(),
        advertised: judge.session.listener.advertised(),
        refused,
        filtered: judge.filtered(client_id.as_ref()),
        new,
        announced,
        is_all,
        creates,
        topic_operations: version >= 8 && asked.body.include_topic_authorized_operations,
        cluster_operations: (8..=10).contains(&version)
            && asked.body.include_cluster_authorized_operations,
    };
    asked.body.topics = wanted;
    asked.body.allow_auto_topic_creation = may_create;
    asked.body.include_topic_authorized_operations = false;
    asked.body.include_cluster_authorized_operations = false;
    forward_metadata(&asked, answer)
}

fn names_by_id(topic: &MetadataRequestTopic) -> bool {
    !topic.topic_id.is_nil() || topic.name.is_none()
}

/// Versions 10 and 11 have the id field but cannot be asked by it.
fn whole_request_invalid(asked: &Asked<MetadataRequest>) -> Result<Treatment, Cause> {
    let topics = asked
        .body
        .topics
        .iter()
        .flatten()
        .map(|topic| MetadataResponseTopic {
            error_code: ErrorCode::INVALID_REQUEST.code(),
            name: Some(topic.name.clone().unwrap_or_default()),
            topic_id: topic.topic_id,
            topic_authorized_operations: NOT_ASKED,
            ..Default::default()
        });
    asked.answer(&MetadataResponse {
        topics: topics.collect(),
        controller_id: -1,
        ..Default::default()
    })
}

/// Topics that the client may see; for the others an entry that does not tell whether they exist.
async fn visible(
    judge: &mut Judge<'_>,
    topics: Vec<MetadataRequestTopic>,
    refused: &mut Vec<MetadataResponseTopic>,
) -> Vec<MetadataRequestTopic> {
    let mut seen = Vec::new();
    // Kafka looks at ids alone where there are any, and at each topic once: what is named over and over must not make an
    // answer without end.
    let only_ids = topics.iter().any(|topic| !topic.topic_id.is_nil());
    let mut asked = HashSet::new();
    for mut topic in topics {
        // Where there is an id, brokers look at nothing else.
        let by_id = names_by_id(&topic);
        let named = (topic.name.clone().filter(|_| !by_id), topic.topic_id);
        if (only_ids && !by_id) || !asked.insert(named) {
            continue;
        }
        let name = if by_id {
            topic.name = None;
            judge.name_of(topic.topic_id).await
        } else {
            topic.name.clone()
        };
        let Some(name) = name else {
            refused.push(entry(ErrorCode::UNKNOWN_TOPIC_ID, None, topic.topic_id));
            continue;
        };
        if judge
            .may(Operation::Describe, Resource::topic(&name))
            .is_some()
        {
            seen.push(topic);
        } else if by_id {
            refused.push(entry(
                ErrorCode::TOPIC_AUTHORIZATION_FAILED,
                None,
                topic.topic_id,
            ));
        } else {
            refused.push(entry(
                ErrorCode::TOPIC_AUTHORIZATION_FAILED,
                Some(name),
                uuid::Uuid::nil(),
            ));
        }
    }
    seen
}

fn entry(code: ErrorCode, name: Option<Str>, topic_id: uuid::Uuid) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: code.code(),
        name,
        topic_id,
        topic_authorized_operations: NOT_ASKED,
        ..Default::default()
    }
}

/// Named topics that the upstream does not have, as far as is known.
fn missing(judge: &Judge<'_>, topics: &[MetadataRequestTopic]) -> Vec<Str> {
    let named = topics.iter().filter_map(|topic| topic.name.clone());
    named
        .filter(|name| !judge.core.topology.knows(name))
        .collect()
}

/// Whether every named topic could be created by the client; else nothing is created at all.
fn may_create_all(judge: &Judge<'_>, topics: &[MetadataRequestTopic]) -> bool {
    judge.probe(Operation::Create, Resource::CLUSTER).is_some()
        || topics.iter().all(|topic| {
            topic.name.as_deref().is_none_or(|name| {
                judge
                    .probe(Operation::Create, Resource::topic(name))
                    .is_some()
            })
        })
}

struct MetadataPlan {
    eyes: Eyes,
    core: Arc<Core>,
    advertised: HostPort,
    refused: Vec<MetadataResponseTopic>,
    filtered: Arc<Counts>,
    /// Topics that are created by this request, if they can be.
    new: Vec<Str>,
    announced: Announced,
    is_all: bool,
    /// The client wanted missing topics created.
    creates: bool,
    topic_operations: bool,
    cluster_operations: bool,
}

/// Forwards, raised to a version that can say "do not create" when the client's cannot.
fn forward_metadata(
    asked: &Asked<MetadataRequest>,
    plan: MetadataPlan,
) -> Result<Treatment, Cause> {
    let RequestHeader {
        api_version,
        correlation_id,
        ref client_id,
        ..
    } = asked.header;
    let upstream_version = api_version.max(HAS_FLAG);
    let mut body = asked.body.clone();
    // Before version 1 null did not exist; upstream it is version 4, where it does.
    if upstream_version == HAS_FLAG && body.topics.is_none() {
        body.topics = None;
    }
    let request = encode_request(correlation_id, client_id.clone(), upstream_version, &body)
        .map_err(|_| Cause::Internal)?;
    let finish = move |reply: Frame| {
        let (correlation_id, mut response) =
            decode_reply::<MetadataRequest>(upstream_version, reply)?;
        plan.apply(&mut response);
        encode_response(MetadataRequest::KEY, api_version, correlation_id, &response)
            .map_err(|_| Cause::Internal)
    };
    Ok(Treatment::Forward {
        request,
        permit: Permit::unprotected(),
        plan: Plan::with(PLAIN, finish),
    })
}

impl MetadataPlan {
    fn apply(mut self, response: &mut MetadataResponse) {
        let announced = std::mem::replace(&mut self.announced, NOTHING);
        let is_new = |topic: &&MetadataResponseTopic| {
            topic
                .name
                .as_ref()
                .is_some_and(|name| self.new.contains(name))
        };
        let made = response.topics.iter().filter(is_new);
        announced.done(made.map(|topic| topic.error_code));
        for broker in &mut response.brokers {
            broker.host = Str::from(&*self.advertised.host);
            broker.port = i32::from(self.advertised.port);
        }
        for topic in &response.topics {
            if let Some(name) = &topic.name {
                self.core.topology.note(topic.topic_id, name);
            }
        }
        if self.is_all {
            let eyes = &self.eyes;
            let found = response.topics.len();
            response.topics.retain(|topic| {
                topic
                    .name
                    .as_deref()
                    .is_some_and(|name| eyes.may_see(Operation::Describe, Resource::topic(name)))
            });
            self.filtered.left_out(found - response.topics.len());
        }
        for topic in &mut response.topics {
            self.finish_topic(topic);
        }
        let (unknown, refused): (Vec<_>, Vec<_>) = (self.refused.into_iter())
            .partition(|topic| topic.error_code == ErrorCode::UNKNOWN_TOPIC_ID.code());
        response.topics.splice(0..0, unknown);
        response.topics.extend(refused);
        if self.cluster_operations {
            response.cluster_authorized_operations = cluster_operations(&self.eyes);
        }
    }

    fn finish_topic(&self, topic: &mut MetadataResponseTopic) {
        let Some(name) = topic.name.clone() else {
            return;
        };
        topic.topic_authorized_operations = if self.topic_operations {
            self.eyes.operations(Resource::topic(&name))
        } else {
            NOT_ASKED
        };
        // Wanted, missing, and not creatable by this client: Kafka says so instead of "unknown".
        let is_missing = topic.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.code();
        let may_create = || {
            self.eyes.may_see(Operation::Create, Resource::CLUSTER)
                || self.eyes.may_see(Operation::Create, Resource::topic(&name))
        };
        if is_missing
            && self.creates
            && !is_internal(&name)
            && self.core.upstream_creates()
            && !may_create()
        {
            topic.error_code = ErrorCode::TOPIC_AUTHORIZATION_FAILED.code();
            topic.topic_id = uuid::Uuid::nil();
        }
    }
}

/// The bit field; nobody without Describe sees any of it.
fn cluster_operations(eyes: &Eyes) -> i32 {
    if eyes.may_see(Operation::Describe, Resource::CLUSTER) {
        eyes.operations(Resource::CLUSTER)
    } else {
        0
    }
}

pub(super) async fn describe_cluster(judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<DescribeClusterRequest>(frame)?;
    let wants_operations = std::mem::take(&mut asked.body.include_cluster_authorized_operations);
    // Controllers have addresses of their own, which clients have no business with.
    let refusal = match asked.body.endpoint_type {
        1 => None,
        2 => Some((
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "The request was sent to an endpoint of the wrong type.",
        )),
        _ => Some((
            ErrorCode::UNSUPPORTED_ENDPOINT_TYPE,
            "Unsupported endpoint type",
        )),
    };
    if let Some((code, text)) = refusal {
        return asked.answer(&wire::message::DescribeClusterResponse {
            error_code: code.code(),
            error_message: Some(Str::from_static(text)),
            ..Default::default()
        });
    }
    let (eyes, advertised) = (judge.eyes(), judge.session.listener.advertised());
    asked.forward_and(Permit::unprotected(), PLAIN, move |response| {
        for broker in &mut response.brokers {
            broker.host = Str::from(&*advertised.host);
            broker.port = i32::from(advertised.port);
        }
        response.cluster_authorized_operations = if wants_operations {
            cluster_operations(&eyes)
        } else {
            NOT_ASKED
        };
    })
}

pub(super) async fn find_coordinator(
    mut judge: Judge<'_>,
    frame: Bytes,
) -> Result<Treatment, Cause> {
    let mut asked = decode::<FindCoordinatorRequest>(frame)?;
    let is_single = asked.header.api_version < 4;
    let keys = if is_single {
        vec![asked.body.key.clone()]
    } else {
        std::mem::take(&mut asked.body.coordinator_keys)
    };
    let is_kind = match asked.body.key_type {
        0 | 1 => true,
        2 => asked.header.api_version >= SHARE_FROM,
        _ => false,
    };
    if !is_kind {
        let code = ErrorCode::INVALID_REQUEST;
        let words = match asked.body.key_type {
            2 => Str::EMPTY,
            _ => Str::from_static("Unknown coordinator type."),
        };
        let refused = keys.into_iter().map(|key| Coordinator {
            error_message: Some(words.clone()),
            ..no_coordinator(key, code)
        });
        return asked.answer(&refused_coordinators(is_single, refused.collect(), code));
    }
    let code = match asked.body.key_type {
        1 => ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        2 => ErrorCode::CLUSTER_AUTHORIZATION_FAILED,
        _ => ErrorCode::GROUP_AUTHORIZATION_FAILED,
    };
    let order = keys.clone();
    let (mut allowed, mut refused, mut permit) = (Vec::new(), Vec::new(), None);
    for key in keys {
        let may = match asked.body.key_type {
            1 => judge.may(Operation::Describe, Resource::transactional_id(&key)),
            // Share coordinators are looked up by brokers.
            2 => judge.may(Operation::ClusterAction, Resource::CLUSTER),
            _ => judge.may(Operation::Describe, Resource::group(&key)),
        };
        if super::judge::collect(&mut permit, may) {
            allowed.push(key)
        } else {
            refused.push(key)
        }
    }
    judge.record(asked.header.client_id.as_ref()).await;
    let refused: Vec<Coordinator> = refused
        .into_iter()
        .map(|key| Coordinator {
            // Only of share groups Kafka says it in words.
            error_message: Some(match asked.body.key_type {
                2 => denied(code),
                _ => Str::EMPTY,
            }),
            ..no_coordinator(key, code)
        })
        .collect();
    let Some(permit) = permit else {
        return asked.answer(&refused_coordinators(is_single, refused, code));
    };
    if !is_single {
        asked.body.coordinator_keys = allowed;
    }
    let advertised = judge.session.listener.advertised();
    asked.forward_and(permit, PLAIN, move |response| {
        if response.node_id >= 0 && is_single {
            response.host = Str::from(&*advertised.host);
            response.port = i32::from(advertised.port);
        }
        for coordinator in response
            .coordinators
            .iter_mut()
            .filter(|coordinator| coordinator.node_id >= 0)
        {
            coordinator.host = Str::from(&*advertised.host);
            coordinator.port = i32::from(advertised.port);
        }
        if !refused.is_empty() {
            response.coordinators.extend(refused);
            let place: HashMap<Str, usize> = order.into_iter().zip(0..).collect();
            response
                .coordinators
                .sort_by_key(|one| place.get(&one.key).copied());
        }
    })
}

fn no_coordinator(key: Str, code: ErrorCode) -> Coordinator {
    Coordinator {
        key,
        node_id: -1,
        host: Str::EMPTY,
        port: -1,
        error_code: code.code(),
        // Kafka has no words here, and nobody shows them from version 4 on.
        error_message: Some(Str::EMPTY),
        ..Default::default()
    }
}

/// The words of Kafka's `Errors` for a refused coordinator: librdkafka shows them and no name of the code.
fn denied(code: ErrorCode) -> Str {
    Str::from_static(match code {
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED => {
            "Transactional Id authorization failed."
        }
        ErrorCode::CLUSTER_AUTHORIZATION_FAILED => "Cluster authorization failed.",
        ErrorCode::INVALID_REQUEST => "Unknown coordinator type.",
        _ => "Group authorization failed.",
    })
}

fn refused_coordinators(
    is_single: bool,
    refused: Vec<Coordinator>,
    code: ErrorCode,
) -> FindCoordinatorResponse {
    if !is_single {
        return FindCoordinatorResponse {
            coordinators: refused,
            ..Default::default()
        };
    }
    FindCoordinatorResponse {
        error_code: code.code(),
        error_message: Some(denied(code)),
        node_id: -1,
        port: -1,
        ..Default::default()
    }
}
