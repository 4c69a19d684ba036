//! Batches that other clients wrote, see `batches/README.md`: each is read to the same records.

use std::path::Path;

use bytes::Bytes;
use wire::record::compress::{SnappyForm, compress, decompress};
use wire::record::{
    Batch, Codec, Encoding, ExpansionCaps, Header, Record, WalkRules, produced, records, renumber,
    walk,
};

const CLIENTS: [&str; 4] = ["java", "librdkafka", "kafka-python", "franz-go"];

fn stored(client: &str, codec: Codec) -> Batch {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/batches/{client}-{codec}.bin"));
    let bytes = Bytes::from(std::fs::read(path).expect("file is part of the tests"));
    produced(Some(&bytes)).expect("one batch with a right checksum")
}

fn headers_of(client: &str) -> Vec<Header> {
    let name = Bytes::from_static(b"h");
    let second = match client {
        "java" => return Vec::new(),
        "kafka-python" => Some(Bytes::new()),
        _ => None,
    };
    vec![
        (name.clone(), Some(Bytes::from_static(b"1"))),
        (name, second),
    ]
}

fn each(check: impl Fn(&str, Codec, Batch)) {
    for client in CLIENTS {
        for codec in Codec::ALL {
            check(client, codec, stored(client, codec));
        }
    }
}

#[test]
fn every_client_and_codec_is_read_to_the_same_records() {
    each(|client, codec, batch| {
        assert_eq!(batch.codec(), Ok(codec), "{client}");
        let read: Vec<Record> = records(&batch, &ExpansionCaps::default())
            .expect("section is whole")
            .collect::<Result<_, _>>()
            .expect("records are well-formed");
        assert_eq!(read.len(), 20, "{client} {codec}");
        for (index, record) in read.iter().enumerate() {
            let value = format!("value-{index}-the same words again and again and again");
            assert_eq!(record.offset, index as i64);
            assert_eq!(record.key, Some(format!("key-{index}").into()));
            assert_eq!(record.value, Some(value.into()));
            assert_eq!(record.headers, headers_of(client));
        }
    });
}

#[test]
fn every_client_and_codec_passes_the_checks_of_a_log() {
    each(|client, codec, batch| {
        let max_timestamp = batch.header().max_timestamp;
        let walked = walk(batch.clone(), &WalkRules::default()).expect("batch is well-formed");
        assert_eq!(
            walked.facts().max_timestamp,
            max_timestamp,
            "{client} {codec}"
        );
        let epoch = batch.header().partition_leader_epoch;
        assert_eq!(
            walked.placed(0, epoch).concat(),
            batch.bytes().as_ref(),
            "nothing had to change"
        );
    });
}

#[test]
fn decodes_raw_and_framed_snappy() {
    let mut forms = Vec::new();
    for client in CLIENTS {
        let batch = stored(client, Codec::Snappy);
        let count = |batch: &Batch| {
            let records = records(batch, &ExpansionCaps::default()).expect("section is whole");
            let records: Result<Vec<Record>, _> = records.collect();
            records.expect("records are whole").len()
        };
        assert_eq!(
            count(&batch),
            count(&stored(client, Codec::None)),
            "{client}"
        );
        let form = SnappyForm::of(&batch.section());
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    assert_eq!(forms.len(), 2, "both were among them");
}

#[test]
fn snappy_forms_are_told_apart() {
    let form = |client| SnappyForm::of(&stored(client, Codec::Snappy).section());
    assert_eq!(
        CLIENTS.map(form),
        [
            SnappyForm::Xerial,
            SnappyForm::Raw,
            SnappyForm::Xerial,
            SnappyForm::Raw
        ]
    );
}

#[test]
fn sections_are_the_same_after_they_were_written_anew() {
    each(|client, codec, batch| {
        let caps = ExpansionCaps::default();
        let plain = decompress(codec, &batch.section(), &caps).expect("section is whole");
        let again =
            compress(Encoding::like(codec, &batch.section()), &plain).expect("level is valid");
        let back = decompress(codec, &again.into(), &caps).expect("our own section");
        assert_eq!(back, plain, "{client} {codec}");
        let numbered = renumber(&batch, &caps).expect("records are well-formed");
        assert_eq!(
            decompress(codec, &numbered.section(), &caps),
            Ok(plain),
            "{client} {codec}"
        );
    });
}
