//! Answers of an upstream that a test did not write: topics, versions, and every field at its default.

use uuid::Uuid;
use wire::Request;
use wire::frame::Frame;
use wire::header::{RequestHeader, encode_response};
use wire::message::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use wire::message::*;
use wire::text::Str;

pub(super) fn found(name: &str, id: Uuid) -> MetadataResponseTopic {
    let partition = MetadataResponsePartition {
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    MetadataResponseTopic {
        name: Some(name.into()),
        topic_id: id,
        partitions: vec![partition],
        ..Default::default()
    }
}

pub(super) fn missing(name: Option<Str>, topic_id: Uuid, error_code: i16) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code,
        name,
        topic_id,
        ..Default::default()
    }
}

/// Serves what the embedded log serves.
pub(super) fn ranges(header: &RequestHeader) -> Frame {
    let rows = wire::api::MATRIX.iter().filter_map(|row| {
        let (min_version, max_version) = row.embedded?;
        Some(api_versions_response::ApiVersion {
            api_key: row.key,
            min_version,
            max_version,
            ..Default::default()
        })
    });
    let response = ApiVersionsResponse {
        api_keys: rows.collect(),
        ..Default::default()
    };
    encode_response(18, header.api_version, header.correlation_id, &response).unwrap()
}

macro_rules! plain_answers {
    ($($request:ty),* $(,)?) => {
        /// An answer in which every field has its default.
        pub(super) fn plain_answer(header: &RequestHeader) -> Frame {
            let RequestHeader { api_key, api_version, correlation_id, .. } = *header;
            match api_key {
                $(<$request>::KEY => encode_response(
                    api_key,
                    api_version,
                    correlation_id,
                    &<<$request as Request>::Response>::default(),
                ).unwrap(),)*
                other => panic!("key {other} was forwarded"),
            }
        }
    };
}

plain_answers!(
    ProduceRequest,
    FetchRequest,
    ListOffsetsRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    FindCoordinatorRequest,
    JoinGroupRequest,
    HeartbeatRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DeleteRecordsRequest,
    InitProducerIdRequest,
    OffsetForLeaderEpochRequest,
    DescribeConfigsRequest,
    AlterConfigsRequest,
    DescribeLogDirsRequest,
    CreatePartitionsRequest,
    DeleteGroupsRequest,
    IncrementalAlterConfigsRequest,
    OffsetDeleteRequest,
    DescribeClusterRequest,
);
