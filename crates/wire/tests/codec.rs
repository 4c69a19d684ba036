//! Rules of the encoding that no schema states: numbers, tags, nulls, budgets, and bytes that real clients send.

use bytes::Bytes;
use wire::codec::{DecodeError, ELEMENTS_MAX, EncodeError, Reader, Wire, Writer};
use wire::header::{decode_request, encode_response};
use wire::message::api_versions_response::ApiVersion;
use wire::message::fetch_request::{ForgottenTopic, ReplicaState};
use wire::message::{
    ApiVersionsResponse, FetchRequest, JoinGroupResponse, MetadataRequest, OffsetFetchRequest,
    ProduceResponse,
};
use wire::text::Str;
use wire::{Message, Request};

fn reader(bytes: &[u8]) -> Reader {
    Reader::new(Bytes::copy_from_slice(bytes))
}

fn encoded<M: Message>(message: &M, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    message.encode(&mut writer, version)?;
    Ok(writer.into_bytes())
}

#[test]
fn compact_numbers_hold_32_bits_and_no_more() {
    assert_eq!(
        reader(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uvarint(),
        Ok(u32::MAX)
    );
    assert_eq!(
        reader(&[0xff, 0xff, 0xff, 0xff, 0x1f]).uvarint(),
        Err(DecodeError::Varint)
    );
    assert_eq!(
        reader(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).uvarint(),
        Err(DecodeError::Varint)
    );
    assert_eq!(reader(&[0x80, 0x80]).uvarint(), Err(DecodeError::Short));
    // Longer than needed: Kafka takes it, so do we.
    assert_eq!(reader(&[0x81, 0x00]).uvarint(), Ok(1));
}

#[test]
fn texts_longer_than_kafka_allows_are_refused_both_ways() {
    let longest = Str::from("x".repeat(32_767));
    let longer = Str::from("x".repeat(32_768));
    for flex in [false, true] {
        let mut writer = Writer::new();
        assert_eq!(longest.write(&mut writer, 0, flex), Ok(()));
        let mut reader = Reader::new(writer.into_bytes());
        assert_eq!(Str::read(&mut reader, 0, flex), Ok(longest.clone()));
        assert_eq!(
            longer.write(&mut Writer::new(), 0, flex),
            Err(EncodeError::Length)
        );
    }
    let mut compact = vec![0x81, 0x80, 0x02];
    compact.extend([b'x'; 32_768]);
    assert_eq!(
        Str::read(&mut reader(&compact), 0, true),
        Err(DecodeError::Length)
    );
}

#[test]
fn only_minus_one_is_null() {
    assert_eq!(
        reader(&[0xff, 0xff]).nullable::<Str>(0, false, true),
        Ok(None)
    );
    assert_eq!(
        reader(&[0xff, 0xfe]).nullable::<Str>(0, false, true),
        Err(DecodeError::Length)
    );
    assert_eq!(
        reader(&[0xff, 0xff]).nullable::<Str>(0, false, false),
        Err(DecodeError::Null)
    );
    assert_eq!(
        reader(&[0x80, 0, 0, 0]).nullable::<Bytes>(0, false, true),
        Err(DecodeError::Length)
    );
    assert_eq!(
        reader(&[0xfe]).nullable_struct::<ReplicaState>(15, true),
        Err(DecodeError::Length)
    );
    assert_eq!(
        reader(&[0xff]).nullable_struct::<ReplicaState>(15, true),
        Ok(None)
    );
}

#[test]
fn a_message_has_no_more_elements_than_its_budget() {
    let array = |count: usize| {
        let mut writer = Writer::with_capacity(count + 4);
        writer.i32(i32::try_from(count).expect("a small count"));
        writer.put_slice(&vec![0; count]);
        Reader::new(writer.into_bytes())
    };
    let most = Vec::<i8>::read(&mut array(ELEMENTS_MAX), 0, false);
    assert_eq!(most.map(|elements| elements.len()), Ok(ELEMENTS_MAX));
    let more = Vec::<i8>::read(&mut array(ELEMENTS_MAX + 1), 0, false);
    assert_eq!(more, Err(DecodeError::Elements));
}

#[test]
fn elements_inside_tags_count_against_the_budget_of_the_message() {
    // ApiVersions: features are arrays in tags 0 and 2; each alone is within the budget, together they are not.
    let body = |features: usize| {
        let mut writer = Writer::new();
        writer.put_slice(&[0, 0, 1, 0, 0, 0, 0]);
        writer.uvarint(2);
        for tag in [0, 2] {
            let mut field = Writer::new();
            field.uvarint(features as u32 + 1);
            for _ in 0..features {
                // An empty name, two versions, no tags.
                field.put_slice(&[1, 0, 0, 0, 0, 0]);
            }
            let field = field.into_bytes();
            writer.uvarint(tag);
            writer.uvarint(field.len() as u32);
            writer.put_shared(&field);
        }
        Reader::new(writer.into_bytes())
    };
    let within = ApiVersionsResponse::decode(&mut body(ELEMENTS_MAX / 2 - 10), 3);
    assert!(within.is_ok_and(|read| read.finalized_features.len() == ELEMENTS_MAX / 2 - 10));
    let over = ApiVersionsResponse::decode(&mut body(ELEMENTS_MAX / 2 + 10), 3);
    assert_eq!(over.err(), Some(DecodeError::Elements));
}

/// A Fetch request without topics, whose last byte, the empty tag section, is replaced.
fn fetch_with_tags(version: i16, tags: &[u8]) -> Result<FetchRequest, DecodeError> {
    let bare = encoded(&FetchRequest::default(), version).expect("the default can be written");
    let (empty, body) = bare.split_last().expect("a body has bytes");
    assert_eq!(*empty, 0);
    FetchRequest::decode(&mut reader(&[body, tags].concat()), version)
}

#[test]
fn tags_must_rise() {
    assert!(fetch_with_tags(15, &[2, 4, 0, 5, 0]).is_ok());
    assert_eq!(
        fetch_with_tags(15, &[2, 5, 0, 4, 0]),
        Err(DecodeError::TagOrder)
    );
    assert_eq!(
        fetch_with_tags(15, &[2, 5, 0, 5, 0]),
        Err(DecodeError::TagOrder)
    );
    assert_eq!(fetch_with_tags(15, &[2, 5, 0]), Err(DecodeError::Short));
}

#[test]
fn a_known_tag_is_taken_only_in_its_versions_and_in_full() {
    let state = [1, 1, 13, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9, 0];
    let read = fetch_with_tags(15, &state).map(|request| request.replica_state);
    let expected = ReplicaState {
        replica_id: 7,
        replica_epoch: 9,
        ..ReplicaState::default()
    };
    assert_eq!(read, Ok(expected));
    assert_eq!(fetch_with_tags(12, &state), Err(DecodeError::TagVersion));
    assert_eq!(
        fetch_with_tags(15, &[1, 0, 3, 2, b'a', 0]),
        Err(DecodeError::Trailing)
    );
    assert_eq!(
        fetch_with_tags(15, &[1, 0, 2, 3, b'a']),
        Err(DecodeError::Short)
    );
}

#[test]
fn unknown_tags_are_kept_in_order_or_stripped() {
    let tags = [3, 0, 2, 2, b'a', 9, 1, 0xaa, 200, 1, 0];
    let request = fetch_with_tags(15, &tags).expect("unknown tags are no error");
    assert_eq!(request.unknown_tags.len(), 2);
    let written = encoded(&request, 15).expect("what was read can be written");
    assert!(written.ends_with(&tags));

    let mut strict = Reader::stripping(written);
    let stripped = FetchRequest::decode(&mut strict, 15).expect("unknown tags are no error");
    assert!(strict.met_unknown_tags());
    assert!(stripped.unknown_tags.is_empty());
    assert_eq!(stripped.cluster_id, request.cluster_id);
}

#[test]
fn a_value_that_a_version_cannot_carry_is_refused_unless_it_may_be_dropped() {
    let forgotten = FetchRequest {
        forgotten_topics_data: vec![ForgottenTopic::default()],
        ..FetchRequest::default()
    };
    assert!(encoded(&forgotten, 7).is_ok());
    let refused = EncodeError::NotInVersion {
        field: "FetchRequest.ForgottenTopicsData",
        version: 6,
    };
    assert_eq!(encoded(&forgotten, 6), Err(refused));

    let rack = FetchRequest {
        rack_id: Str::from("a"),
        ..FetchRequest::default()
    };
    assert_eq!(encoded(&rack, 10), encoded(&FetchRequest::default(), 10));
    assert_ne!(encoded(&rack, 11), encoded(&FetchRequest::default(), 11));
}

#[test]
fn null_is_not_written_where_a_version_has_none() {
    let all = OffsetFetchRequest {
        topics: None,
        ..OffsetFetchRequest::default()
    };
    assert!(encoded(&all, 2).is_ok());
    assert_eq!(encoded(&all, 1), Err(EncodeError::Null));
    let no_protocol = JoinGroupResponse {
        protocol_name: None,
        ..JoinGroupResponse::default()
    };
    assert!(encoded(&no_protocol, 7).is_ok());
    assert_eq!(encoded(&no_protocol, 6), Err(EncodeError::Null));
}

#[test]
fn versions_that_do_not_exist_are_refused() {
    for version in [-1, 2, 14, i16::MAX] {
        assert_eq!(
            ProduceResponse::decode(&mut reader(&[]), version),
            Err(DecodeError::Version(version))
        );
        assert_eq!(
            encoded(&ProduceResponse::default(), version),
            Err(EncodeError::Version(version))
        );
    }
}

#[test]
fn empty_and_null_topics_of_metadata_stay_apart() {
    let none = MetadataRequest {
        topics: Some(Vec::new()),
        ..MetadataRequest::default()
    };
    let all = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    for version in [1, 9, MetadataRequest::MAX] {
        let bytes = encoded(&all, version).expect("null can be sent");
        assert_eq!(
            MetadataRequest::decode(&mut Reader::new(bytes), version),
            Ok(all.clone())
        );
        let bytes = encoded(&none, version).expect("no topics can be sent");
        assert_eq!(
            MetadataRequest::decode(&mut Reader::new(bytes), version),
            Ok(none.clone())
        );
    }
    assert_eq!(encoded(&all, 0), Err(EncodeError::Null));
}

/// librdkafka 2.16 leaves four bytes for a count that takes one (`rd_kafka_MetadataRequest0`).
#[test]
fn metadata_of_librdkafka_with_three_bytes_too_many_asks_for_all_topics() {
    let mut body = reader(&[0, 0, 0, 0, 1, 0, 0]);
    let request = MetadataRequest::decode(&mut body, 13).expect("the body is whole");
    assert_eq!(request.topics, None);
    assert!(!request.allow_auto_topic_creation);
    assert!(!request.include_topic_authorized_operations);
    assert!(request.unknown_tags.is_empty());
    assert_eq!(body.remaining(), 3);

    let header = [0, 3, 0, 13, 0, 0, 0, 1, 0xff, 0xff, 0];
    let whole = [&header[..], &[0, 0, 0, 0, 1, 0, 0]].concat();
    let (read, request) = decode_request::<MetadataRequest>(whole.into())
        .expect("the frame is taken as Kafka takes it");
    assert_eq!((read.api_version, request.topics), (13, None));
}

fn answer(version: i16, response: &ApiVersionsResponse) -> Vec<u8> {
    let frame =
        encode_response(18, version, 0x0102_0304, response).expect("the answer can be written");
    frame.into_wire().expect("the answer is small").concat()
}

/// KIP-511: whoever asks in a version that is not known reads the answer in version 0.
#[test]
fn api_versions_of_the_future_are_answered_in_version_0() {
    let response = ApiVersionsResponse {
        error_code: 35,
        api_keys: vec![ApiVersion {
            api_key: 18,
            min_version: 0,
            max_version: 4,
            ..ApiVersion::default()
        }],
        ..ApiVersionsResponse::default()
    };
    let expected = [
        0, 0, 0, 16, 1, 2, 3, 4, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4,
    ];
    assert_eq!(answer(0, &response), expected);
}

/// librdkafka before 2.2 cannot skip a tag: an answer without features must have none.
#[test]
fn api_versions_is_answered_with_the_old_header_and_without_default_tags() {
    let response = ApiVersionsResponse {
        api_keys: vec![ApiVersion {
            api_key: 18,
            min_version: 0,
            max_version: 4,
            ..ApiVersion::default()
        }],
        ..ApiVersionsResponse::default()
    };
    let plain = [0, 0, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4];
    let throttle = [0; 4];
    let v1 = [&[0, 0, 0, 20, 1, 2, 3, 4][..], &plain, &throttle].concat();
    assert_eq!(answer(1, &response), v1);
    assert_eq!(answer(2, &response), v1);
    let compact = [
        0, 0, 0, 19, 1, 2, 3, 4, 0, 0, 2, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(answer(3, &response), compact);
    assert_eq!(answer(4, &response), compact);
}

#[test]
fn requests_know_their_key_and_their_answer() {
    fn names<R: Request>() -> (i16, &'static str, &'static str) {
        (R::KEY, R::NAME, R::Response::NAME)
    }
    assert_eq!(
        names::<FetchRequest>(),
        (1, "FetchRequest", "FetchResponse")
    );
    assert_eq!(
        names::<MetadataRequest>(),
        (3, "MetadataRequest", "MetadataResponse")
    );
}
