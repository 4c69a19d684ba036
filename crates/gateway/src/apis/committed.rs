//! What groups have committed: OffsetCommit, OffsetFetch, OffsetDelete. Refusals by group and by topic.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::message::offset_commit_request::OffsetCommitRequestTopic;
use wire::message::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use wire::message::offset_delete_request::OffsetDeleteRequestTopic;
use wire::message::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use wire::message::offset_fetch_request::OffsetFetchRequestTopics;
use wire::message::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use wire::message::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};
use wire::text::Str;

use super::changes::{self, Change, UNRECORDED};
use super::groups::KIND;
use super::judge::{Eyes, Judge};
use super::merge::{once, split};
use super::{Asked, PLAIN, Treatment, decode};
use crate::cause::Cause;
use crate::uses::Use;

const GROUP_DENIED: i16 = ErrorCode::GROUP_AUTHORIZATION_FAILED.code();
const TOPIC_DENIED: i16 = ErrorCode::TOPIC_AUTHORIZATION_FAILED.code();

pub(super) async fn commit(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<OffsetCommitRequest>(frame)?;
    let topics = std::mem::take(&mut asked.body.topics);
    let mut permit = judge.may(Operation::Read, Resource::group(&asked.body.group_id));
    let (mut allowed, mut refused) = (Vec::new(), Vec::new());
    for topic in topics {
        let verdict = match &permit {
            None => Err(ErrorCode::GROUP_AUTHORIZATION_FAILED),
            Some(_) => may_commit(&mut judge, &topic).await,
        };
        match verdict {
            Ok(more) => {
                super::judge::collect(&mut permit, Some(more));
                allowed.push(topic);
            }
            Err(code) => refused.push(refuse_commit(&topic, code)),
        }
    }
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let has_something = !allowed.is_empty() || refused.is_empty();
    asked.body.topics = allowed;
    if let Some(permit) = &permit {
        let (group, basis) = (&asked.body.group_id, permit.basis());
        let counts = judge.used(Use::Group, group, basis, client_id.as_ref());
        counts.request(0);
    }
    match permit.filter(|_| has_something) {
        Some(permit) => asked.forward_and(permit, PLAIN, move |response| {
            response.topics.splice(0..0, refused);
        }),
        None => asked.answer(&OffsetCommitResponse {
            topics: refused,
            ..Default::default()
        }),
    }
}

async fn may_commit(
    judge: &mut Judge<'_>,
    topic: &OffsetCommitRequestTopic,
) -> Result<Permit, ErrorCode> {
    let name = match judge.start.api_version {
        10.. => judge
            .name_of(topic.topic_id)
            .await
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?,
        _ => topic.name.clone(),
    };
    judge
        .may(Operation::Read, Resource::topic(&name))
        .ok_or(ErrorCode::TOPIC_AUTHORIZATION_FAILED)
}

fn refuse_commit(topic: &OffsetCommitRequestTopic, code: ErrorCode) -> OffsetCommitResponseTopic {
    let partitions = topic
        .partitions
        .iter()
        .map(|partition| OffsetCommitResponsePartition {
            partition_index: partition.partition_index,
            error_code: code.code(),
            ..Default::default()
        });
    OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
        ..Default::default()
    }
}

pub(super) async fn fetch(judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<OffsetFetchRequest>(frame)?;
    if asked.header.api_version >= 8 {
        fetch_batch(judge, asked).await
    } else {
        fetch_one(judge, asked).await
    }
}

/// Versions 1 to 7: one group.
async fn fetch_one(
    mut judge: Judge<'_>,
    mut asked: Asked<OffsetFetchRequest>,
) -> Result<Treatment, Cause> {
    let version = asked.header.api_version;
    let permit = judge.may(Operation::Describe, Resource::group(&asked.body.group_id));
    let Some(permit) = permit else {
        judge.record(asked.header.client_id.as_ref()).await;
        let topics = asked.body.topics.iter().flatten().filter(|_| version < 2);
        let topics = topics
            .map(|topic| refuse_offsets(&topic.name, &topic.partition_indexes, GROUP_DENIED))
            .collect();
        let error_code = if version < 2 { 0 } else { GROUP_DENIED };
        return asked.answer(&OffsetFetchResponse {
            topics,
            error_code,
            ..Default::default()
        });
    };
    let Some(topics) = asked.body.topics.take() else {
        judge.record(asked.header.client_id.as_ref()).await;
        let eyes = judge.eyes();
        let filtered = judge.filtered(asked.header.client_id.as_ref());
        return asked.forward_and(permit, PLAIN, move |response| {
            let found = response.topics.len();
            response
                .topics
                .retain(|topic| eyes.may_see(Operation::Describe, Resource::topic(&topic.name)));
            filtered.left_out(found - response.topics.len());
        });
    };
    let was_empty = topics.is_empty();
    let topics = split(&mut judge, Operation::Describe, topics, |topic| {
        Resource::topic(&topic.name)
    });
    judge.record(asked.header.client_id.as_ref()).await;
    let refused: Vec<OffsetFetchResponseTopic> = topics
        .refused
        .iter()
        .map(|topic| refuse_offsets(&topic.name, &topic.partition_indexes, TOPIC_DENIED))
        .collect();
    if topics.allowed.is_empty() && !was_empty {
        return asked.answer(&OffsetFetchResponse {
            topics: refused,
            ..Default::default()
        });
    }
    asked.body.topics = Some(topics.allowed);
    asked.forward_and(permit, PLAIN, move |response| {
        response.topics.extend(refused)
    })
}

fn refuse_offsets(name: &Str, partitions: &[i32], code: i16) -> OffsetFetchResponseTopic {
    let partitions = partitions.iter().map(|index| OffsetFetchResponsePartition {
        partition_index: *index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(Str::EMPTY),
        error_code: code,
        ..Default::default()
    });
    OffsetFetchResponseTopic {
        name: name.clone(),
        partitions: partitions.collect(),
        ..Default::default()
    }
}

/// Version 8 and later: several groups.
async fn fetch_batch(
    mut judge: Judge<'_>,
    mut asked: Asked<OffsetFetchRequest>,
) -> Result<Treatment, Cause> {
    let mut permit = None;
    let mut allowed = Vec::new();
    let mut refused_groups = Vec::new();
    // Refused topics by group; groups whose topics are all asked for are filtered in the answer.
    let mut refused_topics: HashMap<Str, Vec<OffsetFetchResponseTopics>> = HashMap::new();
    once(&mut asked.body.groups, |group| {
        let is_all = group.topics.is_none();
        is_all.then(|| group.group_id.clone())
    });
    for mut group in std::mem::take(&mut asked.body.groups) {
        let may = judge.may(Operation::Describe, Resource::group(&group.group_id));
        if !super::judge::collect(&mut permit, may) {
            refused_groups.push(OffsetFetchResponseGroup {
                group_id: group.group_id,
                error_code: GROUP_DENIED,
                ..Default::default()
            });
            continue;
        }
        if let Some(topics) = group.topics.take() {
            let (seen, refused) = visible_topics(&mut judge, topics).await;
            let is_all_refused = seen.is_empty() && !refused.is_empty();
            if is_all_refused {
                refused_groups.push(OffsetFetchResponseGroup {
                    group_id: group.group_id,
                    topics: refused,
                    ..Default::default()
                });
                continue;
            }
            refused_topics
                .entry(group.group_id.clone())
                .or_default()
                .extend(refused);
            group.topics = Some(seen);
        }
        allowed.push(group);
    }
    judge.record(asked.header.client_id.as_ref()).await;
    let has_something = !allowed.is_empty() || refused_groups.is_empty();
    asked.body.groups = allowed;
    let Some(permit) = permit
        .or_else(|| refused_groups.is_empty().then(Permit::unprotected))
        .filter(|_| has_something)
    else {
        return asked.answer(&OffsetFetchResponse {
            groups: refused_groups,
            ..Default::default()
        });
    };
    let whole: HashSet<Str> = asked
        .body
        .groups
        .iter()
        .filter(|group| group.topics.is_none())
        .map(|group| group.group_id.clone())
        .collect();
    let (eyes, core, version) = (judge.eyes(), judge.core.clone(), asked.header.api_version);
    let filtered = judge.filtered(asked.header.client_id.as_ref());
    asked.forward_and(permit, PLAIN, move |response| {
        for group in &mut response.groups {
            if whole.contains(&group.group_id) {
                let found = group.topics.len();
                filter_all(group, &eyes, version, |id| core.topology.cached_name(id));
                filtered.left_out(found - group.topics.len());
            }
            if let Some(refused) = refused_topics.remove(&group.group_id) {
                group.topics.extend(refused);
            }
        }
        response.groups.extend(refused_groups);
    })
}

async fn visible_topics(
    judge: &mut Judge<'_>,
    topics: Vec<OffsetFetchRequestTopics>,
) -> (
    Vec<OffsetFetchRequestTopics>,
    Vec<OffsetFetchResponseTopics>,
) {
    let (mut seen, mut refused) = (Vec::new(), Vec::new());
    for topic in topics {
        let name = match judge.start.api_version {
            10.. => judge.name_of(topic.topic_id).await,
            _ => Some(topic.name.clone()),
        };
        let code = match name {
            None => ErrorCode::UNKNOWN_TOPIC_ID.code(),
            Some(name)
                if judge
                    .may(Operation::Describe, Resource::topic(&name))
                    .is_some() =>
            {
                seen.push(topic);
                continue;
            }
            Some(_) => TOPIC_DENIED,
        };
        let partitions =
            topic
                .partition_indexes
                .iter()
                .map(|index| OffsetFetchResponsePartitions {
                    partition_index: *index,
                    committed_offset: -1,
                    committed_leader_epoch: -1,
                    metadata: Some(Str::EMPTY),
                    error_code: code,
                    ..Default::default()
                });
        refused.push(OffsetFetchResponseTopics {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        });
    }
    (seen, refused)
}

/// All topics of a group: those that the client may not see are left out, without a word.
fn filter_all(
    group: &mut OffsetFetchResponseGroup,
    eyes: &Eyes,
    version: i16,
    name_of: impl Fn(uuid::Uuid) -> Option<Str>,
) {
    group.topics.retain(|topic| {
        let name = if version >= 10 {
            name_of(topic.topic_id)
        } else {
            Some(topic.name.clone())
        };
        name.is_some_and(|name| eyes.may_see(Operation::Describe, Resource::topic(&name)))
    });
}

pub(super) async fn delete(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<OffsetDeleteRequest>(frame)?;
    let Some(permit) = judge.may(Operation::Delete, Resource::group(&asked.body.group_id)) else {
        judge.record(asked.header.client_id.as_ref()).await;
        return asked.answer(&OffsetDeleteResponse {
            error_code: GROUP_DENIED,
            ..Default::default()
        });
    };
    let topics = std::mem::take(&mut asked.body.topics);
    let topics = split(&mut judge, Operation::Read, topics, |topic| {
        Resource::topic(&topic.name)
    });
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let refused = topics.refused.iter();
    let refused: Vec<OffsetDeleteResponseTopic> = refused
        .map(|topic| not_deleted(topic, TOPIC_DENIED))
        .collect();
    // What the group says of itself comes before anything about topics, also where all of them are refused.
    let names: Vec<&str> = topics.allowed.iter().map(|topic| &*topic.name).collect();
    let gone = (!names.is_empty()).then(|| Change {
        on: Resource::group(&asked.body.group_id),
        after: format!("offsets deleted of {}", names.join(", ")),
    });
    let gone = gone.into_iter();
    let announced =
        changes::announce(&judge, client_id.as_ref(), KIND, Operation::Delete, gone).await;
    let Ok(announced) = announced else {
        let error_code = UNRECORDED.code();
        return asked.answer(&OffsetDeleteResponse {
            error_code,
            ..Default::default()
        });
    };
    asked.body.topics = topics.allowed;
    asked.forward_and(permit, PLAIN, move |response| {
        let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
        let codes = partitions.map(|partition| partition.error_code);
        announced.done(codes.chain((response.error_code != 0).then_some(response.error_code)));
        if response.error_code == 0 {
            response.topics.extend(refused)
        }
    })
}

fn not_deleted(topic: &OffsetDeleteRequestTopic, code: i16) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.iter();
    let partitions = partitions.map(|partition| OffsetDeleteResponsePartition {
        partition_index: partition.partition_index,
        error_code: code,
        ..Default::default()
    });
    OffsetDeleteResponseTopic {
        name: topic.name.clone(),
        partitions: partitions.collect(),
        ..Default::default()
    }
}
