//! A request of another API in the middle of a SASL exchange: its own error form, with ILLEGAL_SASL_STATE.
//!
//! In: a request's first eight bytes. Out: an answer. What stood in the body is not read, since nobody is proven: an API
//! whose error codes stand beside the names that were asked for answers without any name.

use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::header::{RequestStart, encode_response};
use wire::message::*;

use crate::apis;
use crate::topology::Ranges;

const CODE: i16 = ErrorCode::ILLEGAL_SASL_STATE.code();

/// The answer; `None`: the API or version is not offered, and there are no words.
pub fn form(start: RequestStart, ranges: &Ranges) -> Option<Frame> {
    let (low, high) = apis::served(start.api_key, ranges)?;
    if !(low..=high).contains(&start.api_version) {
        return None;
    }
    let RequestStart {
        api_key,
        api_version,
        correlation_id,
    } = start;
    // With the field that says how the whole request ended, in versions that have it.
    macro_rules! forms {
        ($($key:literal $response:ident $($field:ident)?;)*) => {
            match api_key {
                $($key => {
                    #[allow(unused_mut, reason = "some have no such field")]
                    let mut response = $response::default();
                    let empty = encode_response(api_key, api_version, correlation_id, &response);
                    $(response.$field = CODE;)?
                    encode_response(api_key, api_version, correlation_id, &response).or(empty)
                })*
                _ => return None,
            }
        };
    }
    let encoded = forms! {
        0 ProduceResponse;
        1 FetchResponse error_code;
        2 ListOffsetsResponse;
        3 MetadataResponse error_code;
        8 OffsetCommitResponse;
        9 OffsetFetchResponse error_code;
        10 FindCoordinatorResponse error_code;
        11 JoinGroupResponse error_code;
        12 HeartbeatResponse error_code;
        13 LeaveGroupResponse error_code;
        14 SyncGroupResponse error_code;
        15 DescribeGroupsResponse;
        16 ListGroupsResponse error_code;
        17 SaslHandshakeResponse error_code;
        18 ApiVersionsResponse error_code;
        19 CreateTopicsResponse;
        20 DeleteTopicsResponse;
        21 DeleteRecordsResponse;
        22 InitProducerIdResponse error_code;
        23 OffsetForLeaderEpochResponse;
        24 AddPartitionsToTxnResponse error_code;
        25 AddOffsetsToTxnResponse error_code;
        26 EndTxnResponse error_code;
        28 TxnOffsetCommitResponse;
        29 DescribeAclsResponse error_code;
        30 CreateAclsResponse;
        31 DeleteAclsResponse;
        32 DescribeConfigsResponse;
        33 AlterConfigsResponse;
        35 DescribeLogDirsResponse error_code;
        37 CreatePartitionsResponse;
        42 DeleteGroupsResponse;
        44 IncrementalAlterConfigsResponse;
        46 ListPartitionReassignmentsResponse error_code;
        47 OffsetDeleteResponse error_code;
        48 DescribeClientQuotasResponse error_code;
        50 DescribeUserScramCredentialsResponse error_code;
        51 AlterUserScramCredentialsResponse;
        60 DescribeClusterResponse error_code;
        61 DescribeProducersResponse;
        65 DescribeTransactionsResponse;
        66 ListTransactionsResponse error_code;
        68 ConsumerGroupHeartbeatResponse error_code;
        69 ConsumerGroupDescribeResponse;
        74 ListConfigResourcesResponse error_code;
        75 DescribeTopicPartitionsResponse;
    };
    encoded.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::api::MATRIX;

    fn ranges() -> Ranges {
        MATRIX
            .iter()
            .filter_map(|row| Some((row.key, row.embedded?)))
            .collect()
    }

    fn asked(api_key: i16, api_version: i16) -> Option<Frame> {
        let start = RequestStart {
            api_key,
            api_version,
            correlation_id: 7,
        };
        form(start, &ranges())
    }

    #[test]
    fn every_offered_version_has_a_form_and_no_other_has() {
        for row in MATRIX.iter().filter(|row| row.key != 36) {
            let served = apis::served(row.key, &ranges());
            for version in 0..=20 {
                let is_served = served.is_some_and(|(low, high)| (low..=high).contains(&version));
                let form = asked(row.key, version);
                assert_eq!(form.is_some(), is_served, "{} {version}", row.name);
                if let Some(form) = form {
                    assert_eq!(form.correlation_id(), Some(7));
                }
            }
        }
    }

    #[test]
    fn code_is_told_where_the_api_has_one_for_the_whole_request() {
        let told = |key, version| {
            let bytes = asked(key, version).unwrap().into_bytes();
            bytes.windows(2).any(|pair| pair == CODE.to_be_bytes())
        };
        for (key, version) in [(12, 4), (18, 3), (17, 1), (10, 3), (3, 13), (60, 1)] {
            assert!(told(key, version), "{key} {version}");
        }
        assert!(!told(0, 9), "beside each partition, which nobody read");
    }
}
