//! Topics made, grown, emptied and removed.
//!
//! Source of rules and their order: Kafka's `ReplicationControlManager` and `ControllerApis`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::message::create_partitions_request::CreatePartitionsTopic;
use wire::message::create_partitions_response::CreatePartitionsTopicResult;
use wire::message::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use wire::message::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use wire::message::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use wire::message::delete_topics_response::DeletableTopicResult;
use wire::message::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
};
use wire::text::Str;

use super::refusal::{self, Refused};
use super::{Ask, configs, to_the_end, topic_name};
use crate::broker::{NODE, Shared};
use crate::groups::Event;
use crate::log::{NewTopic, Topic, Topics};
use crate::offsets::Place;

/// Partitions that one request may make.
const REQUEST_PARTITIONS: i64 = 10_000;
/// The topic that Kafka's controllers keep for themselves.
const CLUSTER_METADATA: &str = "__cluster_metadata";
/// The only replication factor there is.
const REPLICAS: i16 = 1;

pub(super) async fn create_topics(ask: &Ask, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut seen = HashSet::new();
    let twice: BTreeSet<Str> = request
        .topics
        .iter()
        .filter(|topic| !seen.insert(topic.name.clone()))
        .map(|topic| topic.name.clone())
        .collect();
    let asked: i64 = request
        .topics
        .iter()
        .map(|topic| wanted_partitions(ask, topic))
        .sum();
    let mut response = CreateTopicsResponse::default();
    for name in &twice {
        let refused = Refused::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.");
        response.topics.push(not_created(name.clone(), refused));
    }
    for topic in request.topics {
        if twice.contains(&topic.name) {
            continue;
        }
        let name = topic.name.clone();
        let result = match asked > REQUEST_PARTITIONS {
            true => Err(Refused::new(
                ErrorCode::POLICY_VIOLATION,
                format!("Excessively large number of partitions per request: {asked}"),
            )),
            false => create_asked(ask, topic, request.validate_only).await,
        };
        response
            .topics
            .push(result.unwrap_or_else(|refused| not_created(name, refused)));
    }
    response
}

fn wanted_partitions(ask: &Ask, topic: &CreatableTopic) -> i64 {
    match topic.num_partitions {
        -1 if topic.assignments.is_empty() => i64::from(ask.shared.options.partitions),
        -1 => topic.assignments.len() as i64,
        count => i64::from(count.max(0)),
    }
}

fn not_created(name: Str, refused: Refused) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: refused.code.0,
        error_message: refused.message,
        ..Default::default()
    }
}

async fn create_asked(
    ask: &Ask,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<CreatableTopicResult, Refused> {
    let name = topic.name.clone();
    let new = checked(ask, topic)?;
    let partitions = new.partitions;
    let configs = configs::of_new_topic(&new)
        .into_iter()
        .map(|config| CreatableTopicConfigs {
            name: config.name,
            value: config.value,
            read_only: config.read_only,
            config_source: config.config_source,
            is_sensitive: config.is_sensitive,
            ..Default::default()
        });
    let configs = match ask.version() {
        5.. => Some(configs.collect()),
        _ => Some(Vec::new()),
    };
    let topic_id = match validate_only {
        true => Uuid::nil(),
        false => create(&ask.shared, new).await?,
    };
    Ok(CreatableTopicResult {
        name,
        topic_id,
        error_message: None,
        num_partitions: partitions,
        replication_factor: REPLICAS,
        configs,
        ..Default::default()
    })
}

/// What is asked for, if it may be made.
fn checked(ask: &Ask, mut topic: CreatableTopic) -> Result<NewTopic, Refused> {
    check_new_name(&ask.shared.log.topics(), &topic.name)?;
    let mut settings = BTreeMap::new();
    for config in std::mem::take(&mut topic.configs) {
        let value = config.value.ok_or_else(|| {
            let problem = format!(
                "Null value not supported for topic configs: {}",
                config.name
            );
            Refused::new(ErrorCode::INVALID_CONFIG, problem)
        })?;
        settings.insert(config.name.to_string(), value.to_string());
    }
    configs::check_topic_settings(&settings)?;
    let partitions = match topic.assignments.is_empty() {
        true => {
            check_replication(topic.replication_factor)?;
            match topic.num_partitions {
                -1 => ask.shared.options.partitions,
                count @ 1.. => count,
                _ => {
                    return Err(Refused::new(
                        ErrorCode::INVALID_PARTITIONS,
                        "Number of partitions must be larger than 0, or -1 to use the default value.",
                    ));
                }
            }
        }
        false => assigned_partitions(&topic)?,
    };
    Ok(NewTopic {
        name: topic.name.to_string(),
        partitions,
        settings: settings.into_iter().collect(),
    })
}

fn check_new_name(topics: &Topics, name: &str) -> Result<(), Refused> {
    if name == CLUSTER_METADATA {
        return Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            format!("Creation of internal topic {CLUSTER_METADATA} is prohibited."),
        ));
    }
    topic_name::check(name)?;
    if topics.by_name(name).is_some() {
        return Err(Refused::new(
            ErrorCode::TOPIC_ALREADY_EXISTS,
            format!("Topic '{name}' already exists."),
        ));
    }
    match topics
        .iter()
        .find(|topic| topic_name::collide(&topic.name, name))
    {
        Some(other) => Err(Refused::new(
            ErrorCode::INVALID_TOPIC_EXCEPTION,
            format!(
                "Topic '{name}' collides with existing topic: {}",
                other.name
            ),
        )),
        None => Ok(()),
    }
}

fn check_replication(factor: i16) -> Result<(), Refused> {
    let problem = match factor {
        -1 | REPLICAS => return Ok(()),
        2.. => format!(
            "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be \
             reached because only 1 broker(s) are registered."
        ),
        _ => "Replication factor must be larger than 0, or -1 to use the default value.".to_owned(),
    };
    Err(Refused::new(ErrorCode::INVALID_REPLICATION_FACTOR, problem))
}

/// The number of partitions of a manual assignment: partitions from 0 on, each on the one node.
fn assigned_partitions(topic: &CreatableTopic) -> Result<i32, Refused> {
    if topic.replication_factor != -1 || topic.num_partitions != -1 {
        return Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "A manual partition assignment was specified, but the number of partitions or replicas was not -1.",
        ));
    }
    let mut assignments: Vec<&CreatableReplicaAssignment> = topic.assignments.iter().collect();
    assignments.sort_by_key(|assignment| assignment.partition_index);
    let fits = assignments.iter().zip(0i32..).all(|(assignment, index)| {
        assignment.partition_index == index && assignment.broker_ids == [NODE]
    });
    match i32::try_from(assignments.len()) {
        Ok(count) if fits => Ok(count),
        _ => Err(Refused::new(
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            "The manual partition assignment must name partitions 0 and up, each on broker 1 only.",
        )),
    }
}

/// A topic that a client asked for by looking at it.
pub(super) async fn create_by_name(shared: &Shared, name: &str) -> Result<Uuid, Refused> {
    check_new_name(&shared.log.topics(), name)?;
    let new = NewTopic {
        name: name.into(),
        partitions: shared.options.partitions,
        settings: Vec::new(),
    };
    create(shared, new).await
}

async fn create(shared: &Shared, new: NewTopic) -> Result<Uuid, Refused> {
    let log = shared.log.clone();
    Ok(to_the_end(async move { log.create_topic(new).await }).await?)
}

pub(super) async fn delete_topics(ask: &Ask, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let named = request
        .topic_names
        .into_iter()
        .map(|name| (Some(name), Uuid::nil()));
    let listed = request
        .topics
        .into_iter()
        .map(|topic| (topic.name, topic.topic_id));
    let wanted: Vec<(Option<Str>, Uuid)> = named.chain(listed).collect();
    let mut counts: HashMap<(Option<Str>, Uuid), usize> = HashMap::new();
    for topic in &wanted {
        *counts.entry(topic.clone()).or_default() += 1;
    }
    let mut response = DeleteTopicsResponse::default();
    let by_both = named_and_by_id(&ask.shared.log.topics(), &wanted);
    for (name, id) in &by_both {
        let refused = Refused::new(
            ErrorCode::INVALID_REQUEST,
            "The topic was named and given by its id.",
        );
        response
            .responses
            .push(not_deleted(Some(name.clone()), *id, refused));
    }
    for topic in wanted {
        let of_both = |(name, id): &(Str, Uuid)| topic.0.as_ref() == Some(name) || topic.1 == *id;
        if by_both.iter().any(of_both) {
            continue;
        }
        // One that is named twice is refused once.
        let result = match counts.remove(&topic) {
            None => continue,
            Some(1) => deleted(ask, topic.0, topic.1).await,
            Some(_) => {
                let refused = Refused::new(ErrorCode::INVALID_REQUEST, "Duplicate topic.");
                not_deleted(topic.0, topic.1, refused)
            }
        };
        response.responses.push(result);
    }
    response
}

/// Topics that a request names and also gives by id.
fn named_and_by_id(topics: &Topics, wanted: &[(Option<Str>, Uuid)]) -> Vec<(Str, Uuid)> {
    let ids: HashSet<Uuid> = wanted
        .iter()
        .filter(|(name, id)| name.is_none() && !id.is_nil())
        .map(|(_, id)| *id)
        .collect();
    let named = wanted
        .iter()
        .filter(|(_, id)| id.is_nil())
        .filter_map(|(name, _)| name.as_ref());
    let known = named.filter_map(|name| Some((name.clone(), topics.by_name(name)?.id)));
    known.filter(|(_, id)| ids.contains(id)).collect()
}

async fn deleted(ask: &Ask, name: Option<Str>, id: Uuid) -> DeletableTopicResult {
    let found = find_deleted(&ask.shared.log.topics(), name.as_ref(), id)
        .map(|topic| (Str::from(&topic.name), topic.id));
    let (known, id) = match found {
        Ok(found) => found,
        Err(refused) => return not_deleted(name, id, refused),
    };
    let (error_code, error_message) = refusal::parts(delete_topic(ask, id).await);
    DeletableTopicResult {
        name: Some(known),
        topic_id: id,
        error_code,
        error_message,
        ..Default::default()
    }
}

fn not_deleted(name: Option<Str>, topic_id: Uuid, refused: Refused) -> DeletableTopicResult {
    DeletableTopicResult {
        name,
        topic_id,
        error_code: refused.code.0,
        error_message: refused.message,
        ..Default::default()
    }
}

fn find_deleted<'a>(
    topics: &'a Topics,
    name: Option<&Str>,
    id: Uuid,
) -> Result<&'a Topic, Refused> {
    match (name, id.is_nil()) {
        (Some(name), true) => topics.by_name(name).map(|topic| &**topic).ok_or_else(|| {
            Refused::new(
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                "This server does not host this topic-partition.",
            )
        }),
        (None, false) => topics
            .by_id(id)
            .map(|topic| &**topic)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID.into()),
        (Some(_), false) => Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "You may not specify both topic name and topic id.",
        )),
        (None, true) => Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "Neither topic name nor id were specified.",
        )),
    }
}

async fn delete_topic(ask: &Ask, id: Uuid) -> Result<(), Refused> {
    if !ask.shared.options.delete_topics {
        return Err(match ask.version() {
            ..3 => ErrorCode::INVALID_REQUEST,
            _ => ErrorCode::TOPIC_DELETION_DISABLED,
        }
        .into());
    }
    let (log, coordinator) = (ask.shared.log.clone(), ask.shared.coordinator.clone());
    let delete = async move {
        log.delete_topic(id).await?;
        coordinator.tell(Event::TopicDeleted(id)).await;
        Ok(())
    };
    Ok(to_the_end(delete).await?)
}

pub(super) async fn create_partitions(
    ask: &Ask,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut seen = HashSet::new();
    let twice: BTreeSet<Str> = request
        .topics
        .iter()
        .filter(|topic| !seen.insert(topic.name.clone()))
        .map(|topic| topic.name.clone())
        .collect();
    let mut response = CreatePartitionsResponse::default();
    for name in &twice {
        let refused = Refused::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.");
        response.results.push(grown(name.clone(), Err(refused)));
    }
    for topic in request.topics {
        if !twice.contains(&topic.name) {
            let name = topic.name.clone();
            let outcome = grow(ask, topic, request.validate_only).await;
            response.results.push(grown(name, outcome));
        }
    }
    response
}

fn grown(name: Str, outcome: Result<(), Refused>) -> CreatePartitionsTopicResult {
    let (error_code, error_message) = refusal::parts(outcome);
    CreatePartitionsTopicResult {
        name,
        error_code,
        error_message,
        ..Default::default()
    }
}

async fn grow(ask: &Ask, topic: CreatePartitionsTopic, validate_only: bool) -> Result<(), Refused> {
    let topics = ask.shared.log.topics();
    let known = topics
        .by_name(&topic.name)
        .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let now = known.partitions;
    if topic.count <= now {
        return Err(Refused::new(
            ErrorCode::INVALID_PARTITIONS,
            format!(
                "The topic {} currently has {now} partition(s); {} would not be an increase.",
                topic.name, topic.count
            ),
        ));
    }
    if let Some(assignments) = &topic.assignments {
        let added = usize::try_from(topic.count - now).unwrap_or(usize::MAX);
        let fits = assignments.len() == added
            && assignments
                .iter()
                .all(|assignment| assignment.broker_ids == [NODE]);
        if !fits {
            return Err(Refused::new(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                format!(
                    "Attempted to add {added} additional partition(s): each must be assigned to broker 1 only."
                ),
            ));
        }
    }
    if i64::from(topic.count - now) > REQUEST_PARTITIONS {
        return Err(ErrorCode::POLICY_VIOLATION.into());
    }
    if !validate_only {
        let (log, id) = (ask.shared.log.clone(), known.id);
        to_the_end(async move { log.grow_topic(id, topic.count).await }).await?;
    }
    Ok(())
}

pub(super) async fn delete_records(
    ask: &Ask,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let topics = ask.shared.log.topics();
    let mut response = DeleteRecordsResponse::default();
    for topic in request.topics {
        let known = topics.by_name(&topic.name);
        let id = known
            .map(|topic| topic.id)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        // Records of a topic that is only compacted are not deleted.
        let keeps = |topic: &std::sync::Arc<Topic>| !topic.settings.is_deleted();
        let id = match known.is_some_and(keeps) {
            true => Err(ErrorCode::POLICY_VIOLATION),
            false => id,
        };
        let mut answer = DeleteRecordsTopicResult {
            name: topic.name,
            ..Default::default()
        };
        for partition in topic.partitions {
            let index = partition.partition_index;
            let outcome = match id {
                Ok(topic) => {
                    let place = Place {
                        topic,
                        partition: index,
                    };
                    delete_before(ask, place, partition.offset).await
                }
                Err(code) => Err(code),
            };
            answer.partitions.push(DeleteRecordsPartitionResult {
                partition_index: index,
                low_watermark: outcome.unwrap_or(-1),
                error_code: outcome.err().map_or(0, |code| code.0),
                ..Default::default()
            });
        }
        response.topics.push(answer);
    }
    response
}

/// Moves the start of a partition; what it is then.
async fn delete_before(ask: &Ask, place: Place, offset: i64) -> Result<i64, ErrorCode> {
    let view = ask.shared.online(place)?;
    let target = match offset {
        -1 => view.high_watermark,
        0.. if offset <= view.high_watermark => offset,
        _ => return Err(ErrorCode::OFFSET_OUT_OF_RANGE),
    };
    if target <= view.log_start {
        return Ok(view.log_start);
    }
    let log = ask.shared.log.clone();
    to_the_end(async move { log.delete_records(place, target).await }).await
}
