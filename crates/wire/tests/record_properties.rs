//! Record batches: what was written is read back, and any bytes at all give an answer.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use wire::record::compress::{SnappyForm, compress, decompress};
use wire::record::{
    Batch, BatchBuilder, Codec, Encoding, ExpansionCaps, HEADER_LEN, Header, Record, Trailing,
    WalkRules, batches, first_at_or_after, produced, records, renumber, walk,
};

const ENCODINGS: [Encoding; 6] = [
    Encoding::None,
    Encoding::Gzip(6),
    Encoding::Snappy(SnappyForm::Raw),
    Encoding::Snappy(SnappyForm::Xerial),
    Encoding::Lz4,
    Encoding::Zstd(3),
];

/// Small enough that a test which expands thousands of inputs stays quick.
fn small_caps() -> ExpansionCaps {
    ExpansionCaps::fixed(1 << 20)
}

fn some_bytes(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..most).prop_map(Bytes::from)
}

fn a_header() -> impl Strategy<Value = Header> {
    (some_bytes(8), option::of(some_bytes(20)))
}

prop_compose! {
    fn a_record()(
        timestamp in -1..=1_i64 << 45,
        key in option::of(some_bytes(40)),
        value in option::of(some_bytes(400)),
        headers in vec(a_header(), 0..4),
    ) -> Record {
        Record { offset: 0, timestamp, key, value, headers }
    }
}

fn an_encoding() -> impl Strategy<Value = Encoding> {
    (0..ENCODINGS.len()).prop_map(|index| ENCODINGS[index])
}

/// A batch of these records, from offset `base` on.
fn built(records: &[Record], encoding: Encoding, base: i64) -> Batch {
    let mut builder = BatchBuilder::new(encoding)
        .base_offset(base)
        .producer(1, 2, 3);
    for record in records {
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder.append(record.timestamp, key, value, &record.headers);
    }
    builder.build().expect("records are small")
}

/// Everything that is done to a field of record batches.
fn read_everything(field: &Bytes) {
    let rules = WalkRules {
        caps: small_caps(),
        times: Some(0..=1 << 40),
        listed: 10,
    };
    let _ = produced(Some(field));
    for batch in batches(field, Trailing::Partial).flatten() {
        let _ = batch.verify_crc();
        let read =
            records(&batch, &rules.caps).map(|records| records.filter(Result::is_ok).count());
        let _ = first_at_or_after(&batch, 1, 1, &rules.caps);
        let _ = renumber(&batch, &rules.caps);
        let count = batch.header().record_count;
        if let Ok(walked) = walk(batch, &rules) {
            assert_eq!(walked.facts().record_count as i32, count);
            assert_eq!(
                read.ok(),
                Some(count as usize),
                "what was walked can be read"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn records_are_read_as_they_were_written(
        written in vec(a_record(), 1..20),
        encoding in an_encoding(),
        base in 0..i64::MAX / 2,
    ) {
        let batch = built(&written, encoding, base);
        let batch = produced(Some(batch.bytes())).expect("a whole batch with its checksum");
        let read: Vec<Record> = records(&batch, &small_caps())
            .expect("section is whole")
            .collect::<Result<_, _>>()
            .expect("records are well-formed");
        prop_assert_eq!(read.len(), written.len());
        for (index, (read, written)) in read.iter().zip(&written).enumerate() {
            prop_assert_eq!(read, &Record { offset: base + index as i64, ..written.clone() });
        }
        let walked = walk(batch, &WalkRules::default()).expect("batch is well-formed");
        let largest = written.iter().map(|record| record.timestamp).max();
        prop_assert_eq!(Some(walked.facts().max_timestamp), largest);
        let keyless = written.iter().filter(|record| record.key.is_none()).count();
        prop_assert_eq!(walked.facts().keyless.total as usize, keyless);

        let parts = walked.placed(7, 9).concat();
        let placed = Batch::parse(&parts.into()).expect("header and section make a batch");
        prop_assert!(placed.verify_crc().is_ok());
        prop_assert_eq!((placed.header().base_offset, placed.header().partition_leader_epoch), (7, 9));
    }

    #[test]
    fn time_search_agrees_with_reading_all_records(
        written in vec(a_record(), 1..20),
        encoding in an_encoding(),
        pick in any::<prop::sample::Index>(),
        from in 0..25_i64,
    ) {
        let batch = built(&written, encoding, 3);
        let time = written[pick.index(written.len())].timestamp;
        let expected = written
            .iter()
            .enumerate()
            .map(|(index, record)| (3 + index as i64, record.timestamp))
            .find(|(offset, timestamp)| *timestamp >= time && *offset >= from);
        let found = first_at_or_after(&batch, time, from, &small_caps()).expect("batch is well-formed");
        prop_assert_eq!(found.map(|found| (found.offset, found.timestamp)), expected);
    }

    #[test]
    fn every_strict_prefix_is_refused(written in vec(a_record(), 1..5), encoding in an_encoding()) {
        let whole = built(&written, encoding, 0).bytes().clone();
        for cut in 0..whole.len() {
            prop_assert!(produced(Some(&whole.slice(..cut))).is_err());
        }
    }

    #[test]
    fn any_bytes_give_an_answer(field in some_bytes(300)) {
        read_everything(&field);
    }

    #[test]
    fn any_section_behind_a_right_header_gives_an_answer(
        section in some_bytes(300),
        codec in 0..5_usize,
        count in 1..5,
    ) {
        let mut builder = BatchBuilder::new(Encoding::None);
        for _ in 0..count {
            builder.append(0, None, None, &[]);
        }
        let batch = builder.build().expect("records are small");
        let batch = batch.with_section(Codec::ALL[codec], &section).expect("section is small");
        read_everything(batch.bytes());
    }

    #[test]
    fn any_change_of_a_right_batch_gives_an_answer(
        written in vec(a_record(), 1..5),
        encoding in an_encoding(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = built(&written, encoding, 0).bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_everything(&bytes.into());
    }

    #[test]
    fn any_compressed_bytes_give_an_answer(section in some_bytes(400), codec in 0..5_usize) {
        let caps = ExpansionCaps::fixed(1 << 16);
        if let Ok(plain) = decompress(Codec::ALL[codec], &section, &caps) {
            prop_assert!(plain.len() <= 1 << 16);
        }
    }

    #[test]
    fn what_was_compressed_comes_back(plain in vec(0..4_u8, 0..100_000), encoding in an_encoding()) {
        let section = compress(encoding, &plain).expect("level is valid").into();
        let back = decompress(encoding.codec(), &section, &small_caps()).expect("stream is whole");
        prop_assert_eq!(back, plain);
    }
}

#[test]
fn several_batches_stand_back_to_back() {
    let record = Record {
        value: Some(Bytes::from_static(b"value")),
        ..Record::default()
    };
    let mut field = Vec::new();
    for (index, encoding) in ENCODINGS.into_iter().enumerate() {
        field.extend_from_slice(
            built(std::slice::from_ref(&record), encoding, index as i64).bytes(),
        );
    }
    let field = Bytes::from(field);
    let read: Vec<Batch> = batches(&field, Trailing::Refused)
        .collect::<Result<_, _>>()
        .expect("all are whole");
    assert_eq!(read.len(), ENCODINGS.len());
    assert!(read.iter().all(|batch| batch.bytes().len() > HEADER_LEN));
    assert_eq!(
        read.iter().map(|batch| batch.bytes().len()).sum::<usize>(),
        field.len()
    );
}
