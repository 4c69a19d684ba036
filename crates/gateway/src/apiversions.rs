//! ApiVersions: what is offered, answered by the gateway itself, also before login.
//!
//! Offered is what the matrix holds, this gateway treats, and the upstream serves. Minima are never raised above what
//! old librdkafka looks for, or it drops features without a word (KAFKA-18659, KAFKA-19444).

use bytes::Bytes;
use wire::Message;
use wire::api::{MATRIX, Treatment};
use wire::codec::Reader;
use wire::error::ErrorCode;
use wire::frame::Frame;
use wire::header::{RequestHeader, RequestStart, encode_response};
use wire::message::api_versions_response::ApiVersion;
use wire::message::{ApiVersionsRequest, ApiVersionsResponse};

use crate::apis;
use crate::cause::Cause;
use crate::session::Software;
use crate::topology::Ranges;

pub const KEY: i16 = 18;
const SERVED: (i16, i16) = (0, 4);

/// An answer, and what the client said of itself.
pub struct Answered {
    pub frame: Frame,
    pub software: Software,
    /// The version was above ours; the client asks again.
    pub is_too_new: bool,
}

/// Answers a request frame.
pub fn answer(frame: &Bytes, ranges: &Ranges) -> Result<Answered, Cause> {
    let start = RequestStart::peek(frame).ok_or(Cause::Malformed)?;
    if !(SERVED.0..=SERVED.1).contains(&start.api_version) {
        return too_new(start);
    }
    let mut reader = Reader::stripping(frame.clone());
    let header = RequestHeader::read(&mut reader)?;
    let request = ApiVersionsRequest::decode(&mut reader, header.api_version)?;
    let mut response = ApiVersionsResponse::default();
    let mut software = Software::default();
    if header.api_version >= 3 {
        if !(is_word(&request.client_software_name) && is_word(&request.client_software_version)) {
            response.error_code = ErrorCode::INVALID_REQUEST.code();
        }
        software.name = Some(request.client_software_name.detached());
        software.version = Some(request.client_software_version.detached());
    }
    if response.error_code == 0 {
        response.api_keys = offered(ranges);
    }
    let frame = encode_response(KEY, header.api_version, header.correlation_id, &response)
        .map_err(|_| Cause::Internal)?;
    Ok(Answered {
        frame,
        software,
        is_too_new: false,
    })
}

/// Error 35 in the layout of version 0, with our range (KIP-511).
fn too_new(start: RequestStart) -> Result<Answered, Cause> {
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION.code(),
        api_keys: vec![api_version(KEY, SERVED)],
        ..Default::default()
    };
    let frame =
        encode_response(KEY, 0, start.correlation_id, &response).map_err(|_| Cause::Internal)?;
    Ok(Answered {
        frame,
        software: Software::default(),
        is_too_new: true,
    })
}

fn api_version(key: i16, range: (i16, i16)) -> ApiVersion {
    ApiVersion {
        api_key: key,
        min_version: range.0,
        max_version: range.1,
        ..Default::default()
    }
}

/// Keys with the versions that clients are shown.
fn offered(ranges: &Ranges) -> Vec<ApiVersion> {
    let rows = MATRIX.iter().filter_map(|row| {
        let served = apis::served(row.key, ranges)?;
        let shown = if row.shown_from < row.held.0 || served.0 == row.held.0 {
            row.shown_from
        } else {
            served.0
        };
        Some(api_version(row.key, (shown.min(served.0), served.1)))
    });
    rows.collect()
}

/// Versions of a key that a request may have: held, and served by the upstream unless answered here.
pub fn held(key: i16, ranges: &Ranges) -> Option<(i16, i16)> {
    let row = wire::api::find(key)?;
    match row.treatment {
        Treatment::Hidden | Treatment::Operator => None,
        Treatment::Local => Some(row.held),
        Treatment::Pass | Treatment::Typed => {
            let upstream = ranges.get(&key)?;
            let both = (row.held.0.max(upstream.0), row.held.1.min(upstream.1));
            (both.0 <= both.1).then_some(both)
        }
    }
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?` (`ApiVersionsRequest.isValid`)
fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::header::{decode_response, encode_request};

    fn ranges() -> Ranges {
        MATRIX
            .iter()
            .filter_map(|row| Some((row.key, row.embedded?)))
            .collect()
    }

    fn ask(version: i16, name: &str) -> Frame {
        let request = ApiVersionsRequest {
            client_software_name: name.into(),
            client_software_version: "1.0".into(),
            ..Default::default()
        };
        let frame = encode_request(7, Some("c".into()), version, &request)
            .unwrap()
            .into_bytes();
        answer(&frame, &ranges()).unwrap().frame
    }

    #[test]
    fn answers_newer_api_versions_in_v0() {
        let frame = Bytes::from_static(&[0, 18, 0, 9, 0, 0, 0, 5, 0xff, 0xff, 0, 1, 2, 3]);
        let answered = answer(&frame, &ranges()).unwrap();
        assert!(answered.is_too_new);
        let expected = [0, 0, 0, 5, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4];
        assert_eq!(&answered.frame.into_bytes()[..], expected);
    }

    #[test]
    fn shows_produce_and_join_group_from_zero() {
        let (_, response) =
            decode_response::<ApiVersionsResponse>(KEY, 3, ask(3, "x").into_bytes()).unwrap();
        let range = |key: i16| {
            response
                .api_keys
                .iter()
                .find(|api| api.api_key == key)
                .map(|api| (api.min_version, api.max_version))
        };
        assert_eq!(range(0), Some((0, 13)));
        assert_eq!(range(11), Some((0, 9)));
        assert_eq!(range(1), Some((4, 18)));
        assert_eq!(range(29), Some((1, 3)), "answered here");
        for hidden in [4, 24, 27, 38, 52, 58, 69, 71, 78, 83, 93] {
            assert_eq!(range(hidden), None, "{hidden}");
        }
    }

    #[test]
    fn hides_versions_newer_than_schema() {
        let newer: Ranges = (0..=120).map(|key| (key, (0, 99))).collect();
        let shown = offered(&newer);
        for api in &shown {
            let row = wire::api::find(api.api_key).unwrap();
            assert_eq!(api.max_version, row.held.1, "{}", row.name);
        }
        assert_eq!(shown.len(), offered(&ranges()).len(), "and no key more");
        let older: Ranges = [(1, (4, 11)), (3, (0, 5))].into();
        let shown = offered(&older);
        let range = |key| {
            let api = shown.iter().find(|api| api.api_key == key)?;
            Some((api.min_version, api.max_version))
        };
        assert_eq!((range(1), range(3)), (Some((4, 11)), Some((0, 5))));
        assert_eq!(range(0), None, "an upstream without it");
    }

    #[test]
    fn writes_no_tag_at_all() {
        let bytes = ask(3, "x").into_bytes();
        assert_eq!(bytes.last(), Some(&0), "an empty tag section");
        let (_, response) = decode_response::<ApiVersionsResponse>(KEY, 3, bytes).unwrap();
        assert!(response.supported_features.is_empty() && response.finalized_features.is_empty());
    }

    #[test]
    fn odd_software_name_is_an_invalid_request() {
        for name in ["", "-x", "a b", "x-"] {
            let (_, response) =
                decode_response::<ApiVersionsResponse>(KEY, 3, ask(3, name).into_bytes()).unwrap();
            assert_eq!(response.error_code, 42, "{name:?}");
        }
    }
}
