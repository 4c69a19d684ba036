// Written by wire-gen from the schemas: do not edit.
//! Kafka's messages, one module each.

pub mod add_offsets_to_txn_request;
pub mod add_offsets_to_txn_response;
pub mod add_partitions_to_txn_request;
pub mod add_partitions_to_txn_response;
pub mod add_raft_voter_request;
pub mod add_raft_voter_response;
pub mod alter_client_quotas_request;
pub mod alter_client_quotas_response;
pub mod alter_configs_request;
pub mod alter_configs_response;
pub mod alter_partition_reassignments_request;
pub mod alter_partition_reassignments_response;
pub mod alter_replica_log_dirs_request;
pub mod alter_replica_log_dirs_response;
pub mod alter_share_group_offsets_request;
pub mod alter_share_group_offsets_response;
pub mod alter_user_scram_credentials_request;
pub mod alter_user_scram_credentials_response;
pub mod api_versions_request;
pub mod api_versions_response;
pub mod consumer_group_describe_request;
pub mod consumer_group_describe_response;
pub mod consumer_group_heartbeat_request;
pub mod consumer_group_heartbeat_response;
pub mod consumer_protocol_assignment;
pub mod consumer_protocol_subscription;
pub mod create_acls_request;
pub mod create_acls_response;
pub mod create_delegation_token_request;
pub mod create_delegation_token_response;
pub mod create_partitions_request;
pub mod create_partitions_response;
pub mod create_topics_request;
pub mod create_topics_response;
pub mod delete_acls_request;
pub mod delete_acls_response;
pub mod delete_groups_request;
pub mod delete_groups_response;
pub mod delete_records_request;
pub mod delete_records_response;
pub mod delete_share_group_offsets_request;
pub mod delete_share_group_offsets_response;
pub mod delete_topics_request;
pub mod delete_topics_response;
pub mod describe_acls_request;
pub mod describe_acls_response;
pub mod describe_client_quotas_request;
pub mod describe_client_quotas_response;
pub mod describe_cluster_request;
pub mod describe_cluster_response;
pub mod describe_configs_request;
pub mod describe_configs_response;
pub mod describe_delegation_token_request;
pub mod describe_delegation_token_response;
pub mod describe_groups_request;
pub mod describe_groups_response;
pub mod describe_log_dirs_request;
pub mod describe_log_dirs_response;
pub mod describe_producers_request;
pub mod describe_producers_response;
pub mod describe_quorum_request;
pub mod describe_quorum_response;
pub mod describe_share_group_offsets_request;
pub mod describe_share_group_offsets_response;
pub mod describe_topic_partitions_request;
pub mod describe_topic_partitions_response;
pub mod describe_transactions_request;
pub mod describe_transactions_response;
pub mod describe_user_scram_credentials_request;
pub mod describe_user_scram_credentials_response;
pub mod elect_leaders_request;
pub mod elect_leaders_response;
pub mod end_txn_request;
pub mod end_txn_response;
pub mod expire_delegation_token_request;
pub mod expire_delegation_token_response;
pub mod fetch_request;
pub mod fetch_response;
pub mod find_coordinator_request;
pub mod find_coordinator_response;
pub mod heartbeat_request;
pub mod heartbeat_response;
pub mod incremental_alter_configs_request;
pub mod incremental_alter_configs_response;
pub mod init_producer_id_request;
pub mod init_producer_id_response;
pub mod join_group_request;
pub mod join_group_response;
pub mod leave_group_request;
pub mod leave_group_response;
pub mod list_config_resources_request;
pub mod list_config_resources_response;
pub mod list_groups_request;
pub mod list_groups_response;
pub mod list_offsets_request;
pub mod list_offsets_response;
pub mod list_partition_reassignments_request;
pub mod list_partition_reassignments_response;
pub mod list_transactions_request;
pub mod list_transactions_response;
pub mod metadata_request;
pub mod metadata_response;
pub mod offset_commit_request;
pub mod offset_commit_response;
pub mod offset_delete_request;
pub mod offset_delete_response;
pub mod offset_fetch_request;
pub mod offset_fetch_response;
pub mod offset_for_leader_epoch_request;
pub mod offset_for_leader_epoch_response;
pub mod produce_request;
pub mod produce_response;
pub mod remove_raft_voter_request;
pub mod remove_raft_voter_response;
pub mod renew_delegation_token_request;
pub mod renew_delegation_token_response;
pub mod sasl_authenticate_request;
pub mod sasl_authenticate_response;
pub mod sasl_handshake_request;
pub mod sasl_handshake_response;
pub mod share_acknowledge_request;
pub mod share_acknowledge_response;
pub mod share_fetch_request;
pub mod share_fetch_response;
pub mod share_group_describe_request;
pub mod share_group_describe_response;
pub mod share_group_heartbeat_request;
pub mod share_group_heartbeat_response;
pub mod streams_group_describe_request;
pub mod streams_group_describe_response;
pub mod streams_group_heartbeat_request;
pub mod streams_group_heartbeat_response;
pub mod sync_group_request;
pub mod sync_group_response;
pub mod txn_offset_commit_request;
pub mod txn_offset_commit_response;
pub mod unregister_broker_request;
pub mod unregister_broker_response;
pub mod update_features_request;
pub mod update_features_response;
pub mod write_txn_markers_request;
pub mod write_txn_markers_response;

pub use add_offsets_to_txn_request::AddOffsetsToTxnRequest;
pub use add_offsets_to_txn_response::AddOffsetsToTxnResponse;
pub use add_partitions_to_txn_request::AddPartitionsToTxnRequest;
pub use add_partitions_to_txn_response::AddPartitionsToTxnResponse;
pub use add_raft_voter_request::AddRaftVoterRequest;
pub use add_raft_voter_response::AddRaftVoterResponse;
pub use alter_client_quotas_request::AlterClientQuotasRequest;
pub use alter_client_quotas_response::AlterClientQuotasResponse;
pub use alter_configs_request::AlterConfigsRequest;
pub use alter_configs_response::AlterConfigsResponse;
pub use alter_partition_reassignments_request::AlterPartitionReassignmentsRequest;
pub use alter_partition_reassignments_response::AlterPartitionReassignmentsResponse;
pub use alter_replica_log_dirs_request::AlterReplicaLogDirsRequest;
pub use alter_replica_log_dirs_response::AlterReplicaLogDirsResponse;
pub use alter_share_group_offsets_request::AlterShareGroupOffsetsRequest;
pub use alter_share_group_offsets_response::AlterShareGroupOffsetsResponse;
pub use alter_user_scram_credentials_request::AlterUserScramCredentialsRequest;
pub use alter_user_scram_credentials_response::AlterUserScramCredentialsResponse;
pub use api_versions_request::ApiVersionsRequest;
pub use api_versions_response::ApiVersionsResponse;
pub use consumer_group_describe_request::ConsumerGroupDescribeRequest;
pub use consumer_group_describe_response::ConsumerGroupDescribeResponse;
pub use consumer_group_heartbeat_request::ConsumerGroupHeartbeatRequest;
pub use consumer_group_heartbeat_response::ConsumerGroupHeartbeatResponse;
pub use consumer_protocol_assignment::ConsumerProtocolAssignment;
pub use consumer_protocol_subscription::ConsumerProtocolSubscription;
pub use create_acls_request::CreateAclsRequest;
pub use create_acls_response::CreateAclsResponse;
pub use create_delegation_token_request::CreateDelegationTokenRequest;
pub use create_delegation_token_response::CreateDelegationTokenResponse;
pub use create_partitions_request::CreatePartitionsRequest;
pub use create_partitions_response::CreatePartitionsResponse;
pub use create_topics_request::CreateTopicsRequest;
pub use create_topics_response::CreateTopicsResponse;
pub use delete_acls_request::DeleteAclsRequest;
pub use delete_acls_response::DeleteAclsResponse;
pub use delete_groups_request::DeleteGroupsRequest;
pub use delete_groups_response::DeleteGroupsResponse;
pub use delete_records_request::DeleteRecordsRequest;
pub use delete_records_response::DeleteRecordsResponse;
pub use delete_share_group_offsets_request::DeleteShareGroupOffsetsRequest;
pub use delete_share_group_offsets_response::DeleteShareGroupOffsetsResponse;
pub use delete_topics_request::DeleteTopicsRequest;
pub use delete_topics_response::DeleteTopicsResponse;
pub use describe_acls_request::DescribeAclsRequest;
pub use describe_acls_response::DescribeAclsResponse;
pub use describe_client_quotas_request::DescribeClientQuotasRequest;
pub use describe_client_quotas_response::DescribeClientQuotasResponse;
pub use describe_cluster_request::DescribeClusterRequest;
pub use describe_cluster_response::DescribeClusterResponse;
pub use describe_configs_request::DescribeConfigsRequest;
pub use describe_configs_response::DescribeConfigsResponse;
pub use describe_delegation_token_request::DescribeDelegationTokenRequest;
pub use describe_delegation_token_response::DescribeDelegationTokenResponse;
pub use describe_groups_request::DescribeGroupsRequest;
pub use describe_groups_response::DescribeGroupsResponse;
pub use describe_log_dirs_request::DescribeLogDirsRequest;
pub use describe_log_dirs_response::DescribeLogDirsResponse;
pub use describe_producers_request::DescribeProducersRequest;
pub use describe_producers_response::DescribeProducersResponse;
pub use describe_quorum_request::DescribeQuorumRequest;
pub use describe_quorum_response::DescribeQuorumResponse;
pub use describe_share_group_offsets_request::DescribeShareGroupOffsetsRequest;
pub use describe_share_group_offsets_response::DescribeShareGroupOffsetsResponse;
pub use describe_topic_partitions_request::DescribeTopicPartitionsRequest;
pub use describe_topic_partitions_response::DescribeTopicPartitionsResponse;
pub use describe_transactions_request::DescribeTransactionsRequest;
pub use describe_transactions_response::DescribeTransactionsResponse;
pub use describe_user_scram_credentials_request::DescribeUserScramCredentialsRequest;
pub use describe_user_scram_credentials_response::DescribeUserScramCredentialsResponse;
pub use elect_leaders_request::ElectLeadersRequest;
pub use elect_leaders_response::ElectLeadersResponse;
pub use end_txn_request::EndTxnRequest;
pub use end_txn_response::EndTxnResponse;
pub use expire_delegation_token_request::ExpireDelegationTokenRequest;
pub use expire_delegation_token_response::ExpireDelegationTokenResponse;
pub use fetch_request::FetchRequest;
pub use fetch_response::FetchResponse;
pub use find_coordinator_request::FindCoordinatorRequest;
pub use find_coordinator_response::FindCoordinatorResponse;
pub use heartbeat_request::HeartbeatRequest;
pub use heartbeat_response::HeartbeatResponse;
pub use incremental_alter_configs_request::IncrementalAlterConfigsRequest;
pub use incremental_alter_configs_response::IncrementalAlterConfigsResponse;
pub use init_producer_id_request::InitProducerIdRequest;
pub use init_producer_id_response::InitProducerIdResponse;
pub use join_group_request::JoinGroupRequest;
pub use join_group_response::JoinGroupResponse;
pub use leave_group_request::LeaveGroupRequest;
pub use leave_group_response::LeaveGroupResponse;
pub use list_config_resources_request::ListConfigResourcesRequest;
pub use list_config_resources_response::ListConfigResourcesResponse;
pub use list_groups_request::ListGroupsRequest;
pub use list_groups_response::ListGroupsResponse;
pub use list_offsets_request::ListOffsetsRequest;
pub use list_offsets_response::ListOffsetsResponse;
pub use list_partition_reassignments_request::ListPartitionReassignmentsRequest;
pub use list_partition_reassignments_response::ListPartitionReassignmentsResponse;
pub use list_transactions_request::ListTransactionsRequest;
pub use list_transactions_response::ListTransactionsResponse;
pub use metadata_request::MetadataRequest;
pub use metadata_response::MetadataResponse;
pub use offset_commit_request::OffsetCommitRequest;
pub use offset_commit_response::OffsetCommitResponse;
pub use offset_delete_request::OffsetDeleteRequest;
pub use offset_delete_response::OffsetDeleteResponse;
pub use offset_fetch_request::OffsetFetchRequest;
pub use offset_fetch_response::OffsetFetchResponse;
pub use offset_for_leader_epoch_request::OffsetForLeaderEpochRequest;
pub use offset_for_leader_epoch_response::OffsetForLeaderEpochResponse;
pub use produce_request::ProduceRequest;
pub use produce_response::ProduceResponse;
pub use remove_raft_voter_request::RemoveRaftVoterRequest;
pub use remove_raft_voter_response::RemoveRaftVoterResponse;
pub use renew_delegation_token_request::RenewDelegationTokenRequest;
pub use renew_delegation_token_response::RenewDelegationTokenResponse;
pub use sasl_authenticate_request::SaslAuthenticateRequest;
pub use sasl_authenticate_response::SaslAuthenticateResponse;
pub use sasl_handshake_request::SaslHandshakeRequest;
pub use sasl_handshake_response::SaslHandshakeResponse;
pub use share_acknowledge_request::ShareAcknowledgeRequest;
pub use share_acknowledge_response::ShareAcknowledgeResponse;
pub use share_fetch_request::ShareFetchRequest;
pub use share_fetch_response::ShareFetchResponse;
pub use share_group_describe_request::ShareGroupDescribeRequest;
pub use share_group_describe_response::ShareGroupDescribeResponse;
pub use share_group_heartbeat_request::ShareGroupHeartbeatRequest;
pub use share_group_heartbeat_response::ShareGroupHeartbeatResponse;
pub use streams_group_describe_request::StreamsGroupDescribeRequest;
pub use streams_group_describe_response::StreamsGroupDescribeResponse;
pub use streams_group_heartbeat_request::StreamsGroupHeartbeatRequest;
pub use streams_group_heartbeat_response::StreamsGroupHeartbeatResponse;
pub use sync_group_request::SyncGroupRequest;
pub use sync_group_response::SyncGroupResponse;
pub use txn_offset_commit_request::TxnOffsetCommitRequest;
pub use txn_offset_commit_response::TxnOffsetCommitResponse;
pub use unregister_broker_request::UnregisterBrokerRequest;
pub use unregister_broker_response::UnregisterBrokerResponse;
pub use update_features_request::UpdateFeaturesRequest;
pub use update_features_response::UpdateFeaturesResponse;
pub use write_txn_markers_request::WriteTxnMarkersRequest;
pub use write_txn_markers_response::WriteTxnMarkersResponse;

/// One API: what the schemas know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiVersions {
    pub key: i16,
    pub name: &'static str,
    pub min: i16,
    pub max: i16,
    /// First version with compact lengths and tags; `i16::MAX`: none.
    pub flexible_from: i16,
}

/// Every API that has messages here, by key.
pub const APIS: &[ApiVersions] = &[
    api(0, "Produce", 3, 13, 9),
    api(1, "Fetch", 4, 18, 12),
    api(2, "ListOffsets", 1, 11, 6),
    api(3, "Metadata", 0, 13, 9),
    api(8, "OffsetCommit", 2, 10, 8),
    api(9, "OffsetFetch", 1, 10, 6),
    api(10, "FindCoordinator", 0, 6, 3),
    api(11, "JoinGroup", 0, 9, 6),
    api(12, "Heartbeat", 0, 4, 4),
    api(13, "LeaveGroup", 0, 5, 4),
    api(14, "SyncGroup", 0, 5, 4),
    api(15, "DescribeGroups", 0, 6, 5),
    api(16, "ListGroups", 0, 5, 3),
    api(17, "SaslHandshake", 0, 1, i16::MAX),
    api(18, "ApiVersions", 0, 4, 3),
    api(19, "CreateTopics", 2, 7, 5),
    api(20, "DeleteTopics", 1, 6, 4),
    api(21, "DeleteRecords", 0, 2, 2),
    api(22, "InitProducerId", 0, 6, 2),
    api(23, "OffsetForLeaderEpoch", 2, 4, 4),
    api(24, "AddPartitionsToTxn", 0, 5, 3),
    api(25, "AddOffsetsToTxn", 0, 4, 3),
    api(26, "EndTxn", 0, 5, 3),
    api(27, "WriteTxnMarkers", 1, 2, 1),
    api(28, "TxnOffsetCommit", 0, 5, 3),
    api(29, "DescribeAcls", 1, 3, 2),
    api(30, "CreateAcls", 1, 3, 2),
    api(31, "DeleteAcls", 1, 3, 2),
    api(32, "DescribeConfigs", 1, 4, 4),
    api(33, "AlterConfigs", 0, 2, 2),
    api(34, "AlterReplicaLogDirs", 1, 2, 2),
    api(35, "DescribeLogDirs", 1, 5, 2),
    api(36, "SaslAuthenticate", 0, 2, 2),
    api(37, "CreatePartitions", 0, 3, 2),
    api(38, "CreateDelegationToken", 1, 3, 2),
    api(39, "RenewDelegationToken", 1, 2, 2),
    api(40, "ExpireDelegationToken", 1, 2, 2),
    api(41, "DescribeDelegationToken", 1, 3, 2),
    api(42, "DeleteGroups", 0, 2, 2),
    api(43, "ElectLeaders", 0, 2, 2),
    api(44, "IncrementalAlterConfigs", 0, 1, 1),
    api(45, "AlterPartitionReassignments", 0, 1, 0),
    api(46, "ListPartitionReassignments", 0, 0, 0),
    api(47, "OffsetDelete", 0, 0, i16::MAX),
    api(48, "DescribeClientQuotas", 0, 1, 1),
    api(49, "AlterClientQuotas", 0, 1, 1),
    api(50, "DescribeUserScramCredentials", 0, 0, 0),
    api(51, "AlterUserScramCredentials", 0, 0, 0),
    api(55, "DescribeQuorum", 0, 2, 0),
    api(57, "UpdateFeatures", 0, 2, 0),
    api(60, "DescribeCluster", 0, 2, 0),
    api(61, "DescribeProducers", 0, 0, 0),
    api(64, "UnregisterBroker", 0, 0, 0),
    api(65, "DescribeTransactions", 0, 0, 0),
    api(66, "ListTransactions", 0, 2, 0),
    api(68, "ConsumerGroupHeartbeat", 0, 1, 0),
    api(69, "ConsumerGroupDescribe", 0, 1, 0),
    api(74, "ListConfigResources", 0, 1, 0),
    api(75, "DescribeTopicPartitions", 0, 0, 0),
    api(76, "ShareGroupHeartbeat", 1, 1, 0),
    api(77, "ShareGroupDescribe", 1, 1, 0),
    api(78, "ShareFetch", 1, 2, 0),
    api(79, "ShareAcknowledge", 1, 2, 0),
    api(80, "AddRaftVoter", 0, 1, 0),
    api(81, "RemoveRaftVoter", 0, 0, 0),
    api(88, "StreamsGroupHeartbeat", 0, 0, 0),
    api(89, "StreamsGroupDescribe", 0, 0, 0),
    api(90, "DescribeShareGroupOffsets", 0, 1, 0),
    api(91, "AlterShareGroupOffsets", 0, 0, 0),
    api(92, "DeleteShareGroupOffsets", 0, 0, 0),
];

const fn api(key: i16, name: &'static str, min: i16, max: i16, flexible_from: i16) -> ApiVersions {
    ApiVersions { key, name, min, max, flexible_from }
}

/// Decodes a message and encodes it again: for property tests and fuzzing.
///
/// `None`: no such API or version.
pub fn recode(key: i16, version: i16, response: bool, bytes: bytes::Bytes) -> Option<Result<Vec<u8>, crate::codec::DecodeError>> {
    let api = APIS.iter().find(|api| api.key == key)?;
    if !(api.min..=api.max).contains(&version) {
        return None;
    }
    Some(match (key, response) {
        (0, false) => crate::codec::recode::<ProduceRequest>(bytes, version),
        (0, true) => crate::codec::recode::<ProduceResponse>(bytes, version),
        (1, false) => crate::codec::recode::<FetchRequest>(bytes, version),
        (1, true) => crate::codec::recode::<FetchResponse>(bytes, version),
        (2, false) => crate::codec::recode::<ListOffsetsRequest>(bytes, version),
        (2, true) => crate::codec::recode::<ListOffsetsResponse>(bytes, version),
        (3, false) => crate::codec::recode::<MetadataRequest>(bytes, version),
        (3, true) => crate::codec::recode::<MetadataResponse>(bytes, version),
        (8, false) => crate::codec::recode::<OffsetCommitRequest>(bytes, version),
        (8, true) => crate::codec::recode::<OffsetCommitResponse>(bytes, version),
        (9, false) => crate::codec::recode::<OffsetFetchRequest>(bytes, version),
        (9, true) => crate::codec::recode::<OffsetFetchResponse>(bytes, version),
        (10, false) => crate::codec::recode::<FindCoordinatorRequest>(bytes, version),
        (10, true) => crate::codec::recode::<FindCoordinatorResponse>(bytes, version),
        (11, false) => crate::codec::recode::<JoinGroupRequest>(bytes, version),
        (11, true) => crate::codec::recode::<JoinGroupResponse>(bytes, version),
        (12, false) => crate::codec::recode::<HeartbeatRequest>(bytes, version),
        (12, true) => crate::codec::recode::<HeartbeatResponse>(bytes, version),
        (13, false) => crate::codec::recode::<LeaveGroupRequest>(bytes, version),
        (13, true) => crate::codec::recode::<LeaveGroupResponse>(bytes, version),
        (14, false) => crate::codec::recode::<SyncGroupRequest>(bytes, version),
        (14, true) => crate::codec::recode::<SyncGroupResponse>(bytes, version),
        (15, false) => crate::codec::recode::<DescribeGroupsRequest>(bytes, version),
        (15, true) => crate::codec::recode::<DescribeGroupsResponse>(bytes, version),
        (16, false) => crate::codec::recode::<ListGroupsRequest>(bytes, version),
        (16, true) => crate::codec::recode::<ListGroupsResponse>(bytes, version),
        (17, false) => crate::codec::recode::<SaslHandshakeRequest>(bytes, version),
        (17, true) => crate::codec::recode::<SaslHandshakeResponse>(bytes, version),
        (18, false) => crate::codec::recode::<ApiVersionsRequest>(bytes, version),
        (18, true) => crate::codec::recode::<ApiVersionsResponse>(bytes, version),
        (19, false) => crate::codec::recode::<CreateTopicsRequest>(bytes, version),
        (19, true) => crate::codec::recode::<CreateTopicsResponse>(bytes, version),
        (20, false) => crate::codec::recode::<DeleteTopicsRequest>(bytes, version),
        (20, true) => crate::codec::recode::<DeleteTopicsResponse>(bytes, version),
        (21, false) => crate::codec::recode::<DeleteRecordsRequest>(bytes, version),
        (21, true) => crate::codec::recode::<DeleteRecordsResponse>(bytes, version),
        (22, false) => crate::codec::recode::<InitProducerIdRequest>(bytes, version),
        (22, true) => crate::codec::recode::<InitProducerIdResponse>(bytes, version),
        (23, false) => crate::codec::recode::<OffsetForLeaderEpochRequest>(bytes, version),
        (23, true) => crate::codec::recode::<OffsetForLeaderEpochResponse>(bytes, version),
        (24, false) => crate::codec::recode::<AddPartitionsToTxnRequest>(bytes, version),
        (24, true) => crate::codec::recode::<AddPartitionsToTxnResponse>(bytes, version),
        (25, false) => crate::codec::recode::<AddOffsetsToTxnRequest>(bytes, version),
        (25, true) => crate::codec::recode::<AddOffsetsToTxnResponse>(bytes, version),
        (26, false) => crate::codec::recode::<EndTxnRequest>(bytes, version),
        (26, true) => crate::codec::recode::<EndTxnResponse>(bytes, version),
        (27, false) => crate::codec::recode::<WriteTxnMarkersRequest>(bytes, version),
        (27, true) => crate::codec::recode::<WriteTxnMarkersResponse>(bytes, version),
        (28, false) => crate::codec::recode::<TxnOffsetCommitRequest>(bytes, version),
        (28, true) => crate::codec::recode::<TxnOffsetCommitResponse>(bytes, version),
        (29, false) => crate::codec::recode::<DescribeAclsRequest>(bytes, version),
        (29, true) => crate::codec::recode::<DescribeAclsResponse>(bytes, version),
        (30, false) => crate::codec::recode::<CreateAclsRequest>(bytes, version),
        (30, true) => crate::codec::recode::<CreateAclsResponse>(bytes, version),
        (31, false) => crate::codec::recode::<DeleteAclsRequest>(bytes, version),
        (31, true) => crate::codec::recode::<DeleteAclsResponse>(bytes, version),
        (32, false) => crate::codec::recode::<DescribeConfigsRequest>(bytes, version),
        (32, true) => crate::codec::recode::<DescribeConfigsResponse>(bytes, version),
        (33, false) => crate::codec::recode::<AlterConfigsRequest>(bytes, version),
        (33, true) => crate::codec::recode::<AlterConfigsResponse>(bytes, version),
        (34, false) => crate::codec::recode::<AlterReplicaLogDirsRequest>(bytes, version),
        (34, true) => crate::codec::recode::<AlterReplicaLogDirsResponse>(bytes, version),
        (35, false) => crate::codec::recode::<DescribeLogDirsRequest>(bytes, version),
        (35, true) => crate::codec::recode::<DescribeLogDirsResponse>(bytes, version),
        (36, false) => crate::codec::recode::<SaslAuthenticateRequest>(bytes, version),
        (36, true) => crate::codec::recode::<SaslAuthenticateResponse>(bytes, version),
        (37, false) => crate::codec::recode::<CreatePartitionsRequest>(bytes, version),
        (37, true) => crate::codec::recode::<CreatePartitionsResponse>(bytes, version),
        (38, false) => crate::codec::recode::<CreateDelegationTokenRequest>(bytes, version),
        (38, true) => crate::codec::recode::<CreateDelegationTokenResponse>(bytes, version),
        (39, false) => crate::codec::recode::<RenewDelegationTokenRequest>(bytes, version),
        (39, true) => crate::codec::recode::<RenewDelegationTokenResponse>(bytes, version),
        (40, false) => crate::codec::recode::<ExpireDelegationTokenRequest>(bytes, version),
        (40, true) => crate::codec::recode::<ExpireDelegationTokenResponse>(bytes, version),
        (41, false) => crate::codec::recode::<DescribeDelegationTokenRequest>(bytes, version),
        (41, true) => crate::codec::recode::<DescribeDelegationTokenResponse>(bytes, version),
        (42, false) => crate::codec::recode::<DeleteGroupsRequest>(bytes, version),
        (42, true) => crate::codec::recode::<DeleteGroupsResponse>(bytes, version),
        (43, false) => crate::codec::recode::<ElectLeadersRequest>(bytes, version),
        (43, true) => crate::codec::recode::<ElectLeadersResponse>(bytes, version),
        (44, false) => crate::codec::recode::<IncrementalAlterConfigsRequest>(bytes, version),
        (44, true) => crate::codec::recode::<IncrementalAlterConfigsResponse>(bytes, version),
        (45, false) => crate::codec::recode::<AlterPartitionReassignmentsRequest>(bytes, version),
        (45, true) => crate::codec::recode::<AlterPartitionReassignmentsResponse>(bytes, version),
        (46, false) => crate::codec::recode::<ListPartitionReassignmentsRequest>(bytes, version),
        (46, true) => crate::codec::recode::<ListPartitionReassignmentsResponse>(bytes, version),
        (47, false) => crate::codec::recode::<OffsetDeleteRequest>(bytes, version),
        (47, true) => crate::codec::recode::<OffsetDeleteResponse>(bytes, version),
        (48, false) => crate::codec::recode::<DescribeClientQuotasRequest>(bytes, version),
        (48, true) => crate::codec::recode::<DescribeClientQuotasResponse>(bytes, version),
        (49, false) => crate::codec::recode::<AlterClientQuotasRequest>(bytes, version),
        (49, true) => crate::codec::recode::<AlterClientQuotasResponse>(bytes, version),
        (50, false) => crate::codec::recode::<DescribeUserScramCredentialsRequest>(bytes, version),
        (50, true) => crate::codec::recode::<DescribeUserScramCredentialsResponse>(bytes, version),
        (51, false) => crate::codec::recode::<AlterUserScramCredentialsRequest>(bytes, version),
        (51, true) => crate::codec::recode::<AlterUserScramCredentialsResponse>(bytes, version),
        (55, false) => crate::codec::recode::<DescribeQuorumRequest>(bytes, version),
        (55, true) => crate::codec::recode::<DescribeQuorumResponse>(bytes, version),
        (57, false) => crate::codec::recode::<UpdateFeaturesRequest>(bytes, version),
        (57, true) => crate::codec::recode::<UpdateFeaturesResponse>(bytes, version),
        (60, false) => crate::codec::recode::<DescribeClusterRequest>(bytes, version),
        (60, true) => crate::codec::recode::<DescribeClusterResponse>(bytes, version),
        (61, false) => crate::codec::recode::<DescribeProducersRequest>(bytes, version),
        (61, true) => crate::codec::recode::<DescribeProducersResponse>(bytes, version),
        (64, false) => crate::codec::recode::<UnregisterBrokerRequest>(bytes, version),
        (64, true) => crate::codec::recode::<UnregisterBrokerResponse>(bytes, version),
        (65, false) => crate::codec::recode::<DescribeTransactionsRequest>(bytes, version),
        (65, true) => crate::codec::recode::<DescribeTransactionsResponse>(bytes, version),
        (66, false) => crate::codec::recode::<ListTransactionsRequest>(bytes, version),
        (66, true) => crate::codec::recode::<ListTransactionsResponse>(bytes, version),
        (68, false) => crate::codec::recode::<ConsumerGroupHeartbeatRequest>(bytes, version),
        (68, true) => crate::codec::recode::<ConsumerGroupHeartbeatResponse>(bytes, version),
        (69, false) => crate::codec::recode::<ConsumerGroupDescribeRequest>(bytes, version),
        (69, true) => crate::codec::recode::<ConsumerGroupDescribeResponse>(bytes, version),
        (74, false) => crate::codec::recode::<ListConfigResourcesRequest>(bytes, version),
        (74, true) => crate::codec::recode::<ListConfigResourcesResponse>(bytes, version),
        (75, false) => crate::codec::recode::<DescribeTopicPartitionsRequest>(bytes, version),
        (75, true) => crate::codec::recode::<DescribeTopicPartitionsResponse>(bytes, version),
        (76, false) => crate::codec::recode::<ShareGroupHeartbeatRequest>(bytes, version),
        (76, true) => crate::codec::recode::<ShareGroupHeartbeatResponse>(bytes, version),
        (77, false) => crate::codec::recode::<ShareGroupDescribeRequest>(bytes, version),
        (77, true) => crate::codec::recode::<ShareGroupDescribeResponse>(bytes, version),
        (78, false) => crate::codec::recode::<ShareFetchRequest>(bytes, version),
        (78, true) => crate::codec::recode::<ShareFetchResponse>(bytes, version),
        (79, false) => crate::codec::recode::<ShareAcknowledgeRequest>(bytes, version),
        (79, true) => crate::codec::recode::<ShareAcknowledgeResponse>(bytes, version),
        (80, false) => crate::codec::recode::<AddRaftVoterRequest>(bytes, version),
        (80, true) => crate::codec::recode::<AddRaftVoterResponse>(bytes, version),
        (81, false) => crate::codec::recode::<RemoveRaftVoterRequest>(bytes, version),
        (81, true) => crate::codec::recode::<RemoveRaftVoterResponse>(bytes, version),
        (88, false) => crate::codec::recode::<StreamsGroupHeartbeatRequest>(bytes, version),
        (88, true) => crate::codec::recode::<StreamsGroupHeartbeatResponse>(bytes, version),
        (89, false) => crate::codec::recode::<StreamsGroupDescribeRequest>(bytes, version),
        (89, true) => crate::codec::recode::<StreamsGroupDescribeResponse>(bytes, version),
        (90, false) => crate::codec::recode::<DescribeShareGroupOffsetsRequest>(bytes, version),
        (90, true) => crate::codec::recode::<DescribeShareGroupOffsetsResponse>(bytes, version),
        (91, false) => crate::codec::recode::<AlterShareGroupOffsetsRequest>(bytes, version),
        (91, true) => crate::codec::recode::<AlterShareGroupOffsetsResponse>(bytes, version),
        (92, false) => crate::codec::recode::<DeleteShareGroupOffsetsRequest>(bytes, version),
        (92, true) => crate::codec::recode::<DeleteShareGroupOffsetsResponse>(bytes, version),
        _ => return None,
    })
}
