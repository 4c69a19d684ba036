//! The API matrix: every key of Kafka, which versions are held, and what the gateway does with it.
//!
//! One row a key. A key or version that is not here is not advertised, and closes the connection when it is used.

use crate::message::{APIS, ApiVersions};

/// What the gateway does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Answered by the gateway itself.
    Local,
    /// Judged from few fields; the bytes are forwarded as they came.
    Pass,
    /// Decoded, judged, encoded again; so is the answer.
    Typed,
    /// Only for operators who enabled it.
    Operator,
    /// Never advertised, closed on use.
    Hidden,
}

/// A range of versions, both ends included.
pub type Range = (i16, i16);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: i16,
    pub name: &'static str,
    /// Versions that are served.
    pub held: Range,
    /// Lowest version shown in ApiVersions. Lower than `held` where old librdkafka would else switch features off
    /// (KAFKA-18659, KAFKA-19444).
    pub shown_from: i16,
    pub treatment: Treatment,
    /// Versions that the embedded log answers.
    pub embedded: Option<Range>,
}

const fn row(
    key: i16,
    name: &'static str,
    held: Range,
    treatment: Treatment,
    embedded: Option<Range>,
) -> Row {
    Row {
        key,
        name,
        held,
        shown_from: held.0,
        treatment,
        embedded,
    }
}

const fn shown_from(from: i16, row: Row) -> Row {
    Row {
        shown_from: from,
        ..row
    }
}

use Treatment::{Hidden, Local, Operator, Pass, Typed};

const NONE: Range = (0, -1);

/// Keys by number, without a gap.
#[rustfmt::skip]
pub const MATRIX: &[Row] = &[
    shown_from(0, row(0, "Produce", (3, 13), Pass, Some((3, 13)))),
    row(1, "Fetch", (4, 18), Pass, Some((4, 18))),
    row(2, "ListOffsets", (1, 11), Typed, Some((1, 11))),
    row(3, "Metadata", (0, 13), Typed, Some((0, 13))),
    row(4, "LeaderAndIsr", NONE, Hidden, None),
    row(5, "StopReplica", NONE, Hidden, None),
    row(6, "UpdateMetadata", NONE, Hidden, None),
    row(7, "ControlledShutdown", NONE, Hidden, None),
    row(8, "OffsetCommit", (2, 10), Typed, Some((2, 10))),
    row(9, "OffsetFetch", (1, 10), Typed, Some((1, 10))),
    row(10, "FindCoordinator", (0, 6), Typed, Some((0, 6))),
    row(11, "JoinGroup", (0, 9), Pass, Some((0, 9))),
    row(12, "Heartbeat", (0, 4), Pass, Some((0, 4))),
    row(13, "LeaveGroup", (0, 5), Pass, Some((0, 5))),
    row(14, "SyncGroup", (0, 5), Pass, Some((0, 5))),
    row(15, "DescribeGroups", (0, 6), Typed, Some((0, 6))),
    row(16, "ListGroups", (0, 5), Typed, Some((0, 5))),
    row(17, "SaslHandshake", (0, 1), Local, None),
    row(18, "ApiVersions", (0, 4), Local, Some((0, 4))),
    row(19, "CreateTopics", (2, 7), Typed, Some((2, 7))),
    row(20, "DeleteTopics", (1, 6), Typed, Some((1, 6))),
    row(21, "DeleteRecords", (0, 2), Typed, Some((0, 2))),
    row(22, "InitProducerId", (0, 5), Pass, Some((0, 5))),
    row(23, "OffsetForLeaderEpoch", (2, 4), Typed, Some((2, 4))),
    row(24, "AddPartitionsToTxn", (0, 3), Typed, None),
    row(25, "AddOffsetsToTxn", (0, 4), Pass, None),
    row(26, "EndTxn", (0, 5), Pass, None),
    row(27, "WriteTxnMarkers", (1, 2), Operator, None),
    row(28, "TxnOffsetCommit", (0, 5), Typed, None),
    row(29, "DescribeAcls", (1, 3), Local, None),
    row(30, "CreateAcls", (1, 3), Local, None),
    row(31, "DeleteAcls", (1, 3), Local, None),
    row(32, "DescribeConfigs", (1, 4), Typed, Some((1, 4))),
    row(33, "AlterConfigs", (0, 2), Typed, Some((0, 2))),
    row(34, "AlterReplicaLogDirs", (1, 2), Operator, None),
    row(35, "DescribeLogDirs", (1, 5), Pass, Some((1, 4))),
    row(36, "SaslAuthenticate", (0, 2), Local, None),
    row(37, "CreatePartitions", (0, 3), Typed, Some((0, 3))),
    row(38, "CreateDelegationToken", (1, 3), Hidden, None),
    row(39, "RenewDelegationToken", (1, 2), Hidden, None),
    row(40, "ExpireDelegationToken", (1, 2), Hidden, None),
    row(41, "DescribeDelegationToken", (1, 3), Hidden, None),
    row(42, "DeleteGroups", (0, 2), Typed, Some((0, 2))),
    row(43, "ElectLeaders", (0, 2), Operator, None),
    row(44, "IncrementalAlterConfigs", (0, 1), Typed, Some((0, 1))),
    row(45, "AlterPartitionReassignments", (0, 1), Operator, None),
    row(46, "ListPartitionReassignments", (0, 0), Pass, None),
    row(47, "OffsetDelete", (0, 0), Typed, Some((0, 0))),
    row(48, "DescribeClientQuotas", (0, 1), Local, None),
    row(49, "AlterClientQuotas", (0, 1), Hidden, None),
    row(50, "DescribeUserScramCredentials", (0, 0), Local, None),
    row(51, "AlterUserScramCredentials", (0, 0), Local, None),
    row(52, "Vote", NONE, Hidden, None),
    row(53, "BeginQuorumEpoch", NONE, Hidden, None),
    row(54, "EndQuorumEpoch", NONE, Hidden, None),
    row(55, "DescribeQuorum", (0, 1), Operator, None),
    row(56, "AlterPartition", NONE, Hidden, None),
    row(57, "UpdateFeatures", (0, 1), Operator, None),
    row(58, "Envelope", NONE, Hidden, None),
    row(59, "FetchSnapshot", NONE, Hidden, None),
    row(60, "DescribeCluster", (0, 2), Typed, Some((0, 2))),
    row(61, "DescribeProducers", (0, 0), Typed, None),
    row(62, "BrokerRegistration", NONE, Hidden, None),
    row(63, "BrokerHeartbeat", NONE, Hidden, None),
    row(64, "UnregisterBroker", (0, 0), Operator, None),
    row(65, "DescribeTransactions", (0, 0), Typed, None),
    row(66, "ListTransactions", (0, 2), Typed, None),
    row(67, "AllocateProducerIds", NONE, Hidden, None),
    row(68, "ConsumerGroupHeartbeat", (0, 1), Local, None),
    row(69, "ConsumerGroupDescribe", (0, 1), Typed, None),
    row(70, "ControllerRegistration", NONE, Hidden, None),
    row(71, "GetTelemetrySubscriptions", NONE, Hidden, None),
    row(72, "PushTelemetry", NONE, Hidden, None),
    row(73, "AssignReplicasToDirs", NONE, Hidden, None),
    row(74, "ListConfigResources", (0, 1), Typed, None),
    row(75, "DescribeTopicPartitions", (0, 0), Typed, None),
    row(76, "ShareGroupHeartbeat", (1, 1), Hidden, None),
    row(77, "ShareGroupDescribe", (1, 1), Hidden, None),
    row(78, "ShareFetch", (1, 2), Hidden, None),
    row(79, "ShareAcknowledge", (1, 2), Hidden, None),
    row(80, "AddRaftVoter", (0, 1), Operator, None),
    row(81, "RemoveRaftVoter", (0, 0), Operator, None),
    row(82, "UpdateRaftVoter", NONE, Hidden, None),
    row(83, "InitializeShareGroupState", NONE, Hidden, None),
    row(84, "ReadShareGroupState", NONE, Hidden, None),
    row(85, "WriteShareGroupState", NONE, Hidden, None),
    row(86, "DeleteShareGroupState", NONE, Hidden, None),
    row(87, "ReadShareGroupStateSummary", NONE, Hidden, None),
    row(88, "StreamsGroupHeartbeat", (0, 0), Hidden, None),
    row(89, "StreamsGroupDescribe", (0, 0), Hidden, None),
    row(90, "DescribeShareGroupOffsets", (0, 1), Hidden, None),
    row(91, "AlterShareGroupOffsets", (0, 0), Hidden, None),
    row(92, "DeleteShareGroupOffsets", (0, 0), Hidden, None),
];

/// The row of a key; keys that Kafka does not have are nowhere.
pub fn find(key: i16) -> Option<&'static Row> {
    usize::try_from(key).ok().and_then(|at| MATRIX.get(at))
}

/// Kafka's name of a key, for logs.
pub fn name(key: i16) -> &'static str {
    find(key).map_or("Unknown", |row| row.name)
}

/// What the schemas know of a key.
pub fn schema(key: i16) -> Option<&'static ApiVersions> {
    APIS.binary_search_by_key(&key, |api| api.key)
        .ok()
        .map(|at| &APIS[at])
}

/// Whether a version uses compact lengths and tags; `None` for a key without messages here.
pub fn is_flexible(key: i16, version: i16) -> Option<bool> {
    schema(key).map(|api| version >= api.flexible_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_order_without_a_gap() {
        for (at, row) in MATRIX.iter().enumerate() {
            assert_eq!(row.key as usize, at);
        }
        assert_eq!(find(93), None);
        assert_eq!(find(-1), None);
    }

    #[test]
    fn held_versions_exist_in_the_schemas() {
        for row in MATRIX.iter().filter(|row| row.held != NONE) {
            let api = schema(row.key).unwrap_or_else(|| panic!("{} has no messages", row.name));
            assert_eq!(api.name, row.name);
            assert!(
                api.min <= row.held.0 && row.held.1 <= api.max,
                "{}",
                row.name
            );
            assert!(row.shown_from <= row.held.0);
            if let Some((low, high)) = row.embedded {
                assert!(row.held.0 <= low && high <= row.held.1, "{}", row.name);
            }
        }
    }

    #[test]
    fn keys_between_servers_are_never_held() {
        for key in [
            4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 71, 72, 73, 82, 83, 84, 85, 86, 87,
        ] {
            assert_eq!(
                find(key).map(|row| (row.treatment, row.held)),
                Some((Hidden, NONE))
            );
        }
    }
}
