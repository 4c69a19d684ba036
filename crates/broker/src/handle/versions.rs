//! ApiVersions: what this broker serves.
//!
//! Fields that have their default are not written: librdkafka before 2.2.0 miscounts tagged fields. No features are
//! named, so that clients keep to classic groups and know of no transactions.

use bytes::{BufMut, Bytes, BytesMut};
use wire::api::MATRIX;
use wire::error::ErrorCode;
use wire::message::api_versions_response::ApiVersion;
use wire::message::{ApiVersionsRequest, ApiVersionsResponse};

use super::{API_VERSIONS, Reply};

/// Highest version of ApiVersions itself.
const HIGHEST: i16 = 4;

/// Answers the versions that are served.
pub(super) fn versions(request: ApiVersionsRequest, version: i16) -> ApiVersionsResponse {
    if version >= 3
        && !(is_software(&request.client_software_name)
            && is_software(&request.client_software_version))
    {
        return ApiVersionsResponse {
            error_code: ErrorCode::INVALID_REQUEST.0,
            ..ApiVersionsResponse::default()
        };
    }
    let api_keys = MATRIX
        .iter()
        .filter_map(|row| {
            let (low, high) = row.embedded?;
            Some(ApiVersion {
                api_key: row.key,
                min_version: low.min(row.shown_from),
                max_version: high,
                ..ApiVersion::default()
            })
        })
        .collect();
    ApiVersionsResponse {
        api_keys,
        ..ApiVersionsResponse::default()
    }
}

/// Answers a version that does not exist here, in the layout that everyone reads (KIP-511).
pub(super) fn of_newer_request(correlation_id: i32) -> Reply {
    let mut answer = BytesMut::with_capacity(16);
    answer.put_i32(correlation_id);
    answer.put_i16(ErrorCode::UNSUPPORTED_VERSION.0);
    answer.put_i32(1);
    for number in [API_VERSIONS, 0, HIGHEST] {
        answer.put_i16(number);
    }
    let answer: Bytes = answer.freeze();
    Reply::Answer(answer.into())
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`, as `ApiVersionsRequest.isValid` has it.
fn is_software(name: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && bytes
            .iter()
            .all(|byte| plain(byte) || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked_as_kafka_does() {
        for name in ["librdkafka", "a", "apache-kafka-java", "2.0.2", "A-.9"] {
            assert!(is_software(name), "{name}");
        }
        for name in ["", "-a", "a-", "a b", "a_b", "\u{e4}"] {
            assert!(!is_software(name), "{name}");
        }
    }

    #[test]
    fn minima_that_old_librdkafka_looks_for_are_shown() {
        let software = |text: &'static str| wire::text::Str::from_static(text);
        let request = ApiVersionsRequest {
            client_software_name: software("test"),
            client_software_version: software("1"),
            ..ApiVersionsRequest::default()
        };
        let answer = versions(request, 3);
        let range = |key| {
            let api = answer
                .api_keys
                .iter()
                .find(|api| api.api_key == key)
                .unwrap();
            (api.min_version, api.max_version)
        };
        assert_eq!(answer.api_keys.len(), 27);
        for (key, expected) in [
            (0, (0, 13)),
            (1, (4, 18)),
            (11, (0, 9)),
            (22, (0, 5)),
            (18, (0, 4)),
        ] {
            assert_eq!(range(key), expected, "{key}");
        }
    }
}
