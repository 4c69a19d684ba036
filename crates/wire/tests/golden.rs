//! Messages as Kafka's own serializer wrote them, every field filled: read and written again byte for byte.
//!
//! `golden/Record.java` records them from Apache Kafka 4.3.1.

use std::collections::BTreeSet;

use bytes::Bytes;
use wire::codec::{Message, Reader};
use wire::message::{APIS, FetchResponse, JoinGroupRequest, ProduceRequest, recode};

const RECORDED: &str = include_str!("golden/kafka-4.3.1.txt");

struct Line {
    key: i16,
    version: i16,
    is_response: bool,
    bytes: Bytes,
}

fn lines() -> impl Iterator<Item = Line> {
    RECORDED.lines().map(|line| {
        let mut words = line.split(' ');
        let mut next = || words.next().expect("a line has four words");
        let (key, version) = (next().parse().unwrap(), next().parse().unwrap());
        let is_response = next() == "response";
        let hex = next().as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        Line {
            key,
            version,
            is_response,
            bytes: hex.map(|pair| byte(pair).unwrap()).collect(),
        }
    })
}

#[test]
fn kafkas_bytes_are_written_again_as_they_were() {
    let mut covered = BTreeSet::new();
    for line in lines() {
        let Line {
            key,
            version,
            is_response,
            bytes,
        } = line;
        // None: a key or version that is not held.
        let Some(again) = recode(key, version, is_response, bytes.clone()) else {
            continue;
        };
        let name = format!("key {key}, version {version}, response {is_response}");
        let again = again.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again, bytes, "{name}");
        covered.insert((key, version, is_response));
    }
    // Every key that is held was recorded, at more than one version where it has them.
    for api in APIS {
        for is_response in [false, true] {
            let count = covered
                .iter()
                .filter(|(key, _, response)| (*key, *response) == (api.key, is_response));
            assert!(count.count() > 0, "key {} was not recorded", api.key);
        }
    }
    assert!(covered.len() > 500, "only {} messages", covered.len());
}

fn recorded(key: i16, version: i16, is_response: bool) -> Reader {
    let found = lines()
        .find(|line| (line.key, line.version, line.is_response) == (key, version, is_response));
    Reader::stripping(found.expect("it was recorded").bytes)
}

#[test]
fn fields_have_the_values_that_kafka_wrote() {
    let mut reader = recorded(0, 12, false);
    let produce = ProduceRequest::decode(&mut reader, 12).unwrap();
    assert_eq!(produce.transactional_id.as_deref(), Some("transactionalId"));
    assert_eq!(&*produce.topic_data[0].name, "name");
    let batch = wire::record::produced(produce.topic_data[0].partition_data[0].records.as_ref());
    assert!(batch.unwrap().verify_crc().is_ok());
    let mut reader = recorded(11, 9, false);
    let join = JoinGroupRequest::decode(&mut reader, 9).unwrap();
    assert_eq!(join.group_instance_id.as_deref(), Some("groupInstanceId"));
    assert_eq!(&*join.protocols[0].metadata, b"metadata");
    assert_eq!(join.reason.as_deref(), Some("reason"));
    let mut reader = recorded(1, 16, true);
    let fetch = FetchResponse::decode(&mut reader, 16).unwrap();
    assert!(fetch.responses[0].partitions[0].records.is_some());
    assert!(!reader.met_unknown_tags(), "every field is known");
}
