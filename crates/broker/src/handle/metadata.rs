//! What the cluster looks like: topics, the one node, coordinators, the log directory.

use std::collections::{BTreeMap, HashSet};

use wire::error::ErrorCode;
use wire::message::describe_cluster_response::DescribeClusterBroker;
use wire::message::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use wire::message::find_coordinator_response::Coordinator;
use wire::message::metadata_request::MetadataRequestTopic;
use wire::message::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use wire::message::{
    DescribeClusterRequest, DescribeClusterResponse, DescribeLogDirsRequest,
    DescribeLogDirsResponse, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse,
};
use wire::text::Str;

use super::{Ask, admin, topic_name};
use crate::broker::NODE;
use crate::log::Topic;
use crate::offsets::Place;

/// What everyone may do where nothing is forbidden: bits by `AclOperation` code (KIP-430).
const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;
const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;
/// The one directory, under a name that says nothing of this machine.
const LOG_DIR: &str = "/kastellan";

pub(super) async fn metadata(ask: &Ask, request: MetadataRequest) -> MetadataResponse {
    let version = ask.version();
    let (host, port) = ask.shared.options.advertised.clone();
    let mut response = MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: NODE,
            host,
            port: i32::from(port),
            ..Default::default()
        }],
        cluster_id: Some(Str::from(ask.shared.log.cluster_id())),
        controller_id: NODE,
        ..Default::default()
    };
    if request.include_cluster_authorized_operations && (8..=10).contains(&version) {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    let wanted = request
        .topics
        .filter(|topics| version > 0 || !topics.is_empty());
    let mut topics = match wanted {
        None => all_topics(ask),
        // Ids and null names are in the schema from version 10 on, but are used from 12 on.
        Some(wanted) if version < 12 && wanted.iter().any(names_by_id) => {
            response.brokers.clear();
            wanted.into_iter().map(refused).collect()
        }
        Some(wanted) => {
            let may_create = version < 4 || request.allow_auto_topic_creation;
            named_topics(ask, wanted, may_create).await
        }
    };
    if request.include_topic_authorized_operations && version >= 8 {
        for topic in topics.iter_mut().filter(|topic| topic.error_code == 0) {
            topic.topic_authorized_operations = TOPIC_OPERATIONS;
        }
    }
    response.topics = topics;
    response
}

fn names_by_id(topic: &MetadataRequestTopic) -> bool {
    topic.name.is_none() || !topic.topic_id.is_nil()
}

fn refused(topic: MetadataRequestTopic) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST.0,
        name: Some(topic.name.unwrap_or_default()),
        topic_id: topic.topic_id,
        ..Default::default()
    }
}

fn all_topics(ask: &Ask) -> Vec<MetadataResponseTopic> {
    let topics = ask.shared.log.topics();
    topics.iter().map(|topic| described(ask, topic)).collect()
}

async fn named_topics(
    ask: &Ask,
    wanted: Vec<MetadataRequestTopic>,
    may_create: bool,
) -> Vec<MetadataResponseTopic> {
    let mut answers = Vec::with_capacity(wanted.len());
    // Kafka looks at ids alone where there are any, and at each topic once.
    let by_id = wanted.iter().any(|topic| !topic.topic_id.is_nil());
    let mut seen = HashSet::new();
    for topic in wanted {
        let named = (topic.name.clone().filter(|_| !by_id), topic.topic_id);
        if (by_id && topic.topic_id.is_nil()) || !seen.insert(named) {
            continue;
        }
        answers.push(match topic.name {
            Some(name) if topic.topic_id.is_nil() => by_name(ask, name, may_create).await,
            _ => match ask.shared.log.topics().by_id(topic.topic_id) {
                Some(known) => described(ask, known),
                None => MetadataResponseTopic {
                    error_code: ErrorCode::UNKNOWN_TOPIC_ID.0,
                    name: None,
                    topic_id: topic.topic_id,
                    ..Default::default()
                },
            },
        });
    }
    answers
}

async fn by_name(ask: &Ask, name: Str, may_create: bool) -> MetadataResponseTopic {
    if let Some(known) = ask.shared.log.topics().by_name(&name) {
        return described(ask, known);
    }
    let creates = may_create && ask.shared.options.auto_create_topics;
    let missing = match topic_name::check(&name) {
        Err(_) if topic_name::is_reserved(&name) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Err(error) => error.code,
        Ok(()) if creates => {
            let created = admin::create_by_name(&ask.shared, &name).await;
            match (ask.shared.log.topics().by_name(&name), created) {
                (Some(known), _) => return described(ask, known),
                (None, Err(error)) => error.code,
                (None, Ok(_)) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            }
        }
        Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    };
    MetadataResponseTopic {
        error_code: missing.0,
        name: Some(name),
        ..Default::default()
    }
}

fn described(ask: &Ask, topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0..topic.partitions).map(|index| {
        let online = ask.shared.online(Place {
            topic: topic.id,
            partition: index,
        });
        let online = online.as_ref().ok();
        MetadataResponsePartition {
            error_code: match online {
                Some(_) => ErrorCode::NONE.0,
                None => ErrorCode::LEADER_NOT_AVAILABLE.0,
            },
            partition_index: index,
            leader_id: online.map_or(-1, |_| NODE),
            leader_epoch: online.map_or(-1, |view| view.leader_epoch),
            replica_nodes: vec![NODE],
            isr_nodes: vec![NODE],
            offline_replicas: match online {
                Some(_) => Vec::new(),
                None => vec![NODE],
            },
            ..Default::default()
        }
    });
    MetadataResponseTopic {
        name: Some(Str::from(&topic.name)),
        topic_id: topic.id,
        partitions: partitions.collect(),
        ..Default::default()
    }
}

/// FindCoordinator: this node for groups. Transactions are not offered; the code is one that every client takes as
/// final.
pub(super) fn coordinators(ask: &Ask, request: FindCoordinatorRequest) -> FindCoordinatorResponse {
    let find = |key: &Str, fine: &'static str| {
        let mut found = coordinator(ask, request.key_type, key);
        found.error_message.get_or_insert(Str::from_static(fine));
        found
    };
    if ask.version() >= 4 {
        let keys = request.coordinator_keys.iter();
        return FindCoordinatorResponse {
            coordinators: keys.map(|key| find(key, "")).collect(),
            ..Default::default()
        };
    }
    // The name of no error, as Kafka writes it.
    let found = find(&request.key, "NONE");
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    }
}

fn coordinator(ask: &Ask, key_type: i8, key: &Str) -> Coordinator {
    let refused = |code: ErrorCode, message: &'static str| Coordinator {
        key: key.clone(),
        node_id: -1,
        port: -1,
        error_code: code.0,
        error_message: Some(Str::from_static(message)),
        ..Default::default()
    };
    match key_type {
        0 => {
            let (host, port) = ask.shared.options.advertised.clone();
            Coordinator {
                key: key.clone(),
                node_id: NODE,
                host,
                port: i32::from(port),
                error_message: None,
                ..Default::default()
            }
        }
        1 => refused(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "transactions are not offered by this upstream",
        ),
        2 => refused(ErrorCode::INVALID_REQUEST, ""),
        _ => refused(
            ErrorCode::INVALID_REQUEST,
            "this upstream coordinates consumer groups only",
        ),
    }
}

pub(super) fn cluster(ask: &Ask, request: DescribeClusterRequest) -> DescribeClusterResponse {
    const BROKERS: i8 = 1;
    const CONTROLLERS: i8 = 2;
    let refused = |code: ErrorCode, message: &'static str| DescribeClusterResponse {
        error_code: code.0,
        error_message: Some(Str::from_static(message)),
        ..Default::default()
    };
    match request.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            return refused(
                ErrorCode::MISMATCHED_ENDPOINT_TYPE,
                "The request was sent to an endpoint of the wrong type.",
            );
        }
        _ => {
            return refused(
                ErrorCode::UNSUPPORTED_ENDPOINT_TYPE,
                "Unsupported endpoint type",
            );
        }
    }
    let (host, port) = ask.shared.options.advertised.clone();
    DescribeClusterResponse {
        cluster_id: Str::from(ask.shared.log.cluster_id()),
        controller_id: NODE,
        brokers: vec![DescribeClusterBroker {
            broker_id: NODE,
            host,
            port: i32::from(port),
            ..Default::default()
        }],
        cluster_authorized_operations: match request.include_cluster_authorized_operations {
            true => CLUSTER_OPERATIONS,
            false => i32::MIN,
        },
        ..Default::default()
    }
}

pub(super) async fn log_dirs(
    ask: &Ask,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let topics = ask.shared.log.topics();
    let mut wanted: BTreeMap<Str, Vec<i32>> = BTreeMap::new();
    match request.topics {
        None => {
            for topic in topics.iter() {
                wanted.insert(Str::from(&topic.name), (0..topic.partitions).collect());
            }
        }
        Some(named) => {
            for one in named {
                let known = topics
                    .by_name(&one.topic)
                    .map_or(0, |topic| topic.partitions);
                let exists = |index: &i32| (0..known).contains(index);
                let partitions = one.partitions.into_iter().filter(exists);
                wanted.entry(one.topic).or_default().extend(partitions);
            }
        }
    }
    let described = wanted
        .into_iter()
        .filter(|(_, partitions)| !partitions.is_empty());
    let described = described.map(|(name, partitions)| {
        let id = topics
            .by_name(&name)
            .map(|topic| topic.id)
            .unwrap_or_default();
        let partitions = partitions
            .into_iter()
            .map(|index| DescribeLogDirsPartition {
                partition_index: index,
                partition_size: bytes(ask.shared.log.partition_bytes(Place {
                    topic: id,
                    partition: index,
                })),
                ..Default::default()
            });
        DescribeLogDirsTopic {
            name,
            partitions: partitions.collect(),
            ..Default::default()
        }
    });
    let result = if ask.shared.log.has_failed() {
        DescribeLogDirsResult {
            error_code: ErrorCode::KAFKA_STORAGE_ERROR.0,
            log_dir: Str::from_static(LOG_DIR),
            ..Default::default()
        }
    } else {
        let space = ask.shared.log.disk_space();
        DescribeLogDirsResult {
            log_dir: Str::from_static(LOG_DIR),
            topics: described.collect(),
            total_bytes: bytes(space.total),
            usable_bytes: bytes(space.usable),
            ..Default::default()
        }
    };
    DescribeLogDirsResponse {
        results: vec![result],
        ..Default::default()
    }
}

fn bytes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
