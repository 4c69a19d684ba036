//! CreateTopics, DeleteTopics, CreatePartitions.

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::message::create_partitions_response::CreatePartitionsTopicResult;
use wire::message::create_topics_response::CreatableTopicResult;
use wire::message::delete_topics_request::DeleteTopicState;
use wire::message::delete_topics_response::DeletableTopicResult;
use wire::message::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse,
};
use wire::text::Str;

use super::changes::{self, Change, NOTHING, UNRECORDED, UNRECORDED_TEXT};
use super::judge::{Judge, collect};
use super::merge::{split, take_repeated};
use super::{Treatment, decode, own_time};
use crate::cause::Cause;

/// Of events in the trail.
const KIND: &str = "admin.topic";
const DENIED: i16 = ErrorCode::TOPIC_AUTHORIZATION_FAILED.code();
/// Kafka's controllers keep it for themselves.
const CLUSTER_METADATA: &str = "__cluster_metadata";
/// What no right makes good.
const SENSELESS: ErrorCode = ErrorCode::INVALID_REQUEST;
const TWICE_TEXT: Str = Str::from_static("Duplicate topic.");

pub(super) async fn create(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<CreateTopicsRequest>(frame)?;
    let mut permit = judge.probe(Operation::Create, Resource::CLUSTER);
    let mut topics = std::mem::take(&mut asked.body.topics);
    let twice = take_repeated(&mut topics, |topic| topic.name.clone()).into_iter();
    let mut allowed = Vec::new();
    let mut refused: Vec<CreatableTopicResult> = twice
        .map(|topic| not_created(topic.name, SENSELESS.code(), TWICE_TEXT))
        .collect();
    let may_all = permit.is_some();
    for topic in topics {
        if &*topic.name == CLUSTER_METADATA {
            let text = "The topic of the controllers cannot be created.".into();
            refused.push(not_created(topic.name, SENSELESS.code(), text));
            continue;
        }
        let may = may_all || {
            let may = judge.may(Operation::Create, Resource::topic(&topic.name));
            collect(&mut permit, may)
        };
        if may {
            allowed.push(topic);
        } else {
            refused.push(not_created(
                topic.name,
                DENIED,
                "Authorization failed.".into(),
            ));
        }
    }
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let new = allowed.iter().filter(|_| !asked.body.validate_only);
    let new = new.map(|topic| Change {
        on: Resource::topic(&topic.name),
        after: format!("{} partitions", topic.num_partitions),
    });
    let announced =
        changes::announce(&judge, client_id.as_ref(), KIND, Operation::Create, new).await;
    let announced = announced.unwrap_or_else(|_| {
        let unrecorded = allowed.drain(..);
        refused.extend(
            unrecorded.map(|topic| not_created(topic.name, UNRECORDED.code(), UNRECORDED_TEXT)),
        );
        NOTHING
    });
    asked.body.topics = allowed;
    let permit = permit.or_else(|| refused.is_empty().then(Permit::unprotected));
    let Some(permit) = permit.filter(|_| !asked.body.topics.is_empty() || refused.is_empty())
    else {
        return asked.answer(&CreateTopicsResponse {
            topics: refused,
            ..Default::default()
        });
    };
    let (eyes, deadline) = (judge.eyes(), own_time(asked.body.timeout_ms));
    let core = judge.core.clone();
    asked.forward_and(permit, deadline, move |response| {
        announced.done(response.topics.iter().map(|topic| topic.error_code));
        for topic in response
            .topics
            .iter_mut()
            .filter(|topic| topic.error_code == 0)
        {
            core.topology.note(topic.topic_id, &topic.name);
            // Created all the same; only what it was created with is not told.
            if !eyes.may_see(Operation::DescribeConfigs, Resource::topic(&topic.name)) {
                topic.topic_config_error_code = DENIED;
                topic.num_partitions = -1;
                topic.replication_factor = -1;
                topic.configs = Some(Vec::new());
            }
        }
        response.topics.extend(refused);
    })
}

fn not_created(name: Str, code: i16, text: Str) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: code,
        error_message: Some(text),
        num_partitions: -1,
        replication_factor: -1,
        configs: Some(Vec::new()),
        ..Default::default()
    }
}

pub(super) async fn delete(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<DeleteTopicsRequest>(frame)?;
    let version = asked.header.api_version;
    let mut wanted: Vec<DeleteTopicState> = if version >= 6 {
        std::mem::take(&mut asked.body.topics)
    } else {
        let names = std::mem::take(&mut asked.body.topic_names).into_iter();
        names
            .map(|name| DeleteTopicState {
                name: Some(name),
                ..Default::default()
            })
            .collect()
    };
    let mut permit = None;
    let twice = take_repeated(&mut wanted, |topic| (topic.name.clone(), topic.topic_id));
    let (mut allowed, mut names) = (Vec::new(), Vec::new());
    let mut refused: Vec<DeletableTopicResult> = twice
        .iter()
        .map(|topic| *cannot_delete(topic, SENSELESS, TWICE_TEXT))
        .collect();
    for topic in wanted {
        match may_delete(&mut judge, &topic, &mut permit).await {
            Ok(name) => {
                names.push(name);
                allowed.push(topic);
            }
            Err(result) => refused.push(*result),
        }
    }
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let gone = names.iter().map(|name| Change {
        on: Resource::topic(name),
        after: "deleted".to_owned(),
    });
    let announced =
        changes::announce(&judge, client_id.as_ref(), KIND, Operation::Delete, gone).await;
    let announced = announced.unwrap_or_else(|_| {
        let unrecorded = allowed.drain(..);
        refused.extend(unrecorded.map(|topic| *cannot_delete(&topic, UNRECORDED, UNRECORDED_TEXT)));
        NOTHING
    });
    let permit = permit.or_else(|| refused.is_empty().then(Permit::unprotected));
    let Some(permit) = permit.filter(|_| !allowed.is_empty() || refused.is_empty()) else {
        shuffle(&mut refused);
        return asked.answer(&DeleteTopicsResponse {
            responses: refused,
            ..Default::default()
        });
    };
    if version >= 6 {
        asked.body.topics = allowed;
    } else {
        asked.body.topic_names = allowed.into_iter().filter_map(|topic| topic.name).collect();
    }
    let deadline = own_time(asked.body.timeout_ms);
    let core = judge.core.clone();
    asked.forward_and(permit, deadline, move |response| {
        announced.done(response.responses.iter().map(|topic| topic.error_code));
        let gone = response
            .responses
            .iter()
            .filter(|topic| topic.error_code == 0);
        for name in gone.filter_map(|topic| topic.name.as_deref()) {
            core.topology.forget(name);
        }
        response.responses.extend(refused);
        // Positions would tell which of the refused ones exist.
        shuffle(&mut response.responses);
    })
}

async fn may_delete(
    judge: &mut Judge<'_>,
    topic: &DeleteTopicState,
    permit: &mut Option<Permit>,
) -> Result<Str, Box<DeletableTopicResult>> {
    let name = match (&topic.name, topic.topic_id.is_nil()) {
        (Some(name), true) => name.clone(),
        (None, false) => match judge.name_of(topic.topic_id).await {
            Some(name) => name,
            None => {
                return Err(cannot_delete(
                    topic,
                    ErrorCode::UNKNOWN_TOPIC_ID,
                    "This server does not host this topic ID.".into(),
                ));
            }
        },
        (Some(_), false) => {
            let text = "You may not specify both topic name and topic id.".into();
            return Err(cannot_delete(topic, ErrorCode::INVALID_REQUEST, text));
        }
        (None, true) => {
            let text = "Neither topic name nor id were specified.".into();
            return Err(cannot_delete(topic, ErrorCode::INVALID_REQUEST, text));
        }
    };
    if collect(permit, judge.probe(Operation::Delete, Resource::CLUSTER)) {
        return Ok(name);
    }
    let sees = judge
        .probe(Operation::Describe, Resource::topic(&name))
        .is_some();
    let may = sees.then(|| judge.probe(Operation::Delete, Resource::topic(&name)));
    if collect(permit, may.flatten()) {
        return Ok(name);
    }
    // Who may see that it is missing is told so; an id was resolved above.
    if sees && topic.name.is_some() && !judge.core.topology.knows(&name) {
        let text = "This server does not host this topic-partition.".into();
        return Err(cannot_delete(
            topic,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            text,
        ));
    }
    let lacking = if sees {
        Operation::Delete
    } else {
        Operation::Describe
    };
    let _ = judge.may(lacking, Resource::topic(&name));
    let by_name = topic.name.is_some();
    Err(Box::new(DeletableTopicResult {
        name: (by_name || sees).then_some(name),
        topic_id: if by_name {
            uuid::Uuid::nil()
        } else {
            topic.topic_id
        },
        error_code: DENIED,
        error_message: Some("Topic authorization failed.".into()),
        ..Default::default()
    }))
}

fn cannot_delete(
    topic: &DeleteTopicState,
    code: ErrorCode,
    text: Str,
) -> Box<DeletableTopicResult> {
    Box::new(DeletableTopicResult {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        error_code: code.code(),
        error_message: Some(text),
        ..Default::default()
    })
}

/// Puts elements in an order that says nothing.
fn shuffle<T>(elements: &mut [T]) {
    for at in (1..elements.len()).rev() {
        let Ok(random) = trust::random::bytes::<8>() else {
            return;
        };
        let other = u64::from_be_bytes(random) % (at as u64 + 1);
        elements.swap(at, usize::try_from(other).unwrap_or(0));
    }
}

pub(super) async fn create_partitions(
    mut judge: Judge<'_>,
    frame: Bytes,
) -> Result<Treatment, Cause> {
    let mut asked = decode::<CreatePartitionsRequest>(frame)?;
    let mut topics = std::mem::take(&mut asked.body.topics);
    let twice = take_repeated(&mut topics, |topic| topic.name.clone());
    let topics = split(&mut judge, Operation::Alter, topics, |topic| {
        Resource::topic(&topic.name)
    });
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let not_made = |name: Str, code: i16, text: Option<Str>| CreatePartitionsTopicResult {
        name,
        error_code: code,
        error_message: text,
        ..Default::default()
    };
    let refused = topics.refused.into_iter();
    let mut refused: Vec<CreatePartitionsTopicResult> = refused
        .map(|topic| not_made(topic.name, DENIED, None))
        .collect();
    let twice = twice.into_iter();
    refused.extend(twice.map(|topic| not_made(topic.name, SENSELESS.code(), Some(TWICE_TEXT))));
    let mut allowed = topics.allowed;
    let wider = allowed.iter().filter(|_| !asked.body.validate_only);
    let wider = wider.map(|topic| Change {
        on: Resource::topic(&topic.name),
        after: format!("{} partitions", topic.count),
    });
    let announced =
        changes::announce(&judge, client_id.as_ref(), KIND, Operation::Alter, wider).await;
    let announced = announced.unwrap_or_else(|_| {
        let unrecorded = allowed.drain(..);
        refused.extend(
            unrecorded.map(|topic| not_made(topic.name, UNRECORDED.code(), Some(UNRECORDED_TEXT))),
        );
        NOTHING
    });
    let permit = topics
        .permit
        .or_else(|| refused.is_empty().then(Permit::unprotected));
    let Some(permit) = permit.filter(|_| !allowed.is_empty() || refused.is_empty()) else {
        return asked.answer(&CreatePartitionsResponse {
            results: refused,
            ..Default::default()
        });
    };
    asked.body.topics = allowed;
    let deadline = own_time(asked.body.timeout_ms);
    asked.forward_and(permit, deadline, move |response| {
        announced.done(response.results.iter().map(|topic| topic.error_code));
        response.results.extend(refused)
    })
}
