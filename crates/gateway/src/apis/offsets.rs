//! ListOffsets, OffsetForLeaderEpoch, DeleteRecords: topics by name, refusals per partition.

use bytes::Bytes;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::message::delete_records_request::DeleteRecordsTopic;
use wire::message::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use wire::message::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use wire::message::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use wire::message::{
    DeleteRecordsRequest, DeleteRecordsResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};

use super::changes::{self, Change, NOTHING, UNRECORDED};
use super::judge::Judge;
use super::merge::split;
use super::{PLAIN, Treatment, decode, own_time};
use crate::cause::Cause;

const DENIED: i16 = ErrorCode::TOPIC_AUTHORIZATION_FAILED.code();

pub(super) async fn list_offsets(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<ListOffsetsRequest>(frame)?;
    // A replica id looks past the high watermark.
    asked.body.replica_id = -1;
    let topics = std::mem::take(&mut asked.body.topics);
    let topics = split(&mut judge, Operation::Describe, topics, |topic| {
        Resource::topic(&topic.name)
    });
    judge.record(asked.header.client_id.as_ref()).await;
    let refused: Vec<ListOffsetsTopicResponse> = topics
        .refused
        .iter()
        .map(|topic| ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|partition| ListOffsetsPartitionResponse {
                    partition_index: partition.partition_index,
                    error_code: DENIED,
                    timestamp: -1,
                    offset: -1,
                    leader_epoch: -1,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        })
        .collect();
    asked.body.topics = topics.allowed;
    match topics.permit {
        Some(permit) => asked.forward_and(permit, PLAIN, move |response| {
            response.topics.extend(refused)
        }),
        None => asked.answer(&ListOffsetsResponse {
            topics: refused,
            ..Default::default()
        }),
    }
}

pub(super) async fn leader_epoch(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<OffsetForLeaderEpochRequest>(frame)?;
    // -2 is a debugging consumer, 0 and above a replica; clients are -1.
    asked.body.replica_id = -1;
    if let Some(permit) = judge.probe(Operation::ClusterAction, Resource::CLUSTER) {
        return asked.forward(permit, PLAIN);
    }
    let topics = std::mem::take(&mut asked.body.topics);
    let topics = split(&mut judge, Operation::Describe, topics, |topic| {
        Resource::topic(&topic.topic)
    });
    judge.record(asked.header.client_id.as_ref()).await;
    let refused: Vec<OffsetForLeaderTopicResult> = topics
        .refused
        .iter()
        .map(|topic| OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|partition| EpochEndOffset {
                    error_code: DENIED,
                    partition: partition.partition,
                    leader_epoch: -1,
                    end_offset: -1,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        })
        .collect();
    asked.body.topics = topics.allowed;
    match topics.permit {
        Some(permit) => asked.forward_and(permit, PLAIN, move |response| {
            response.topics.extend(refused)
        }),
        None => asked.answer(&OffsetForLeaderEpochResponse {
            topics: refused,
            ..Default::default()
        }),
    }
}

pub(super) async fn delete_records(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<DeleteRecordsRequest>(frame)?;
    let topics = std::mem::take(&mut asked.body.topics);
    let topics = split(&mut judge, Operation::Delete, topics, |topic| {
        Resource::topic(&topic.name)
    });
    let client_id = asked.header.client_id.clone();
    judge.record(client_id.as_ref()).await;
    let (mut allowed, refused) = (topics.allowed, topics.refused.iter());
    let mut refused: Vec<DeleteRecordsTopicResult> =
        refused.map(|topic| not_deleted(topic, DENIED)).collect();
    let gone = allowed.iter().map(|topic| Change {
        on: Resource::topic(&topic.name),
        after: format!("records of {} partitions deleted", topic.partitions.len()),
    });
    let kind = "admin.records";
    let announced =
        changes::announce(&judge, client_id.as_ref(), kind, Operation::Delete, gone).await;
    let announced = announced.unwrap_or_else(|_| {
        refused.extend(
            allowed
                .drain(..)
                .map(|topic| not_deleted(&topic, UNRECORDED.code())),
        );
        NOTHING
    });
    let permit = topics.permit.filter(|_| !allowed.is_empty());
    asked.body.topics = allowed;
    let deadline = own_time(asked.body.timeout_ms);
    match permit {
        Some(permit) => asked.forward_and(permit, deadline, move |response| {
            let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
            announced.done(partitions.map(|partition| partition.error_code));
            response.topics.extend(refused)
        }),
        None => asked.answer(&DeleteRecordsResponse {
            topics: refused,
            ..Default::default()
        }),
    }
}

fn not_deleted(topic: &DeleteRecordsTopic, code: i16) -> DeleteRecordsTopicResult {
    let partitions = topic.partitions.iter();
    let partitions = partitions.map(|partition| DeleteRecordsPartitionResult {
        partition_index: partition.partition_index,
        low_watermark: -1,
        error_code: code,
        ..Default::default()
    });
    DeleteRecordsTopicResult {
        name: topic.name.clone(),
        partitions: partitions.collect(),
        ..Default::default()
    }
}
