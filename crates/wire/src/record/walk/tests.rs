use super::*;
use crate::record::{
    BatchBuilder, Codec, Encoding, Header, Record, TimedOffset, Trailing, at, batches,
    first_at_or_after, records,
};

fn header(name: &'static [u8], value: Option<&'static [u8]>) -> Header {
    (Bytes::from_static(name), value.map(Bytes::from_static))
}

fn builder(codec: Codec) -> BatchBuilder {
    let mut builder = BatchBuilder::new(Encoding::default_of(codec));
    builder.append(
        5000,
        Some(b"key"),
        Some(b"value"),
        &[header(b"h", Some(b"1")), header(b"h", None)],
    );
    builder.append(9000, Some(b""), None, &[]);
    builder.append(9000, None, Some(b""), &[]);
    builder.append(4000, None, Some(&[7; 70_000]), &[]);
    builder
}

fn built(codec: Codec) -> Batch {
    builder(codec).build().expect("records are small")
}

/// A batch without compression whose records are these bytes.
fn around(count: i32, section: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new(Encoding::None);
    for _ in 0..count {
        builder.append(0, None, None, &[]);
    }
    let batch = builder.build().expect("records are small");
    batch
        .with_section(Codec::None, section)
        .expect("section is small")
}

#[test]
fn tells_what_a_log_must_know() {
    for codec in Codec::ALL {
        let rules = WalkRules {
            times: Some(4500..=8000),
            listed: 1,
            ..WalkRules::default()
        };
        let walked = walk(built(codec), &rules).expect("batch is well-formed");
        let facts = walked.facts();
        assert_eq!(facts.record_count, 4);
        assert_eq!((facts.min_timestamp, facts.max_timestamp), (4000, 9000));
        assert_eq!(facts.max_timestamp_delta, 1);
        assert_eq!(
            (facts.keyless.total, facts.keyless.first.as_slice()),
            (2, [2].as_slice())
        );
        assert_eq!(
            (facts.untimely.total, facts.untimely.first.as_slice()),
            (3, [1].as_slice())
        );
        assert_eq!(facts.plain_bytes, builder(codec).plain_len() as u64);
    }
}

#[test]
fn a_record_without_time_is_never_late() {
    let mut builder = BatchBuilder::new(Encoding::None);
    builder.append(-1, None, Some(b"v"), &[]);
    let rules = WalkRules {
        times: Some(1000..=2000),
        ..WalkRules::default()
    };
    let walked =
        walk(builder.build().expect("record is small"), &rules).expect("batch is well-formed");
    assert!(walked.facts().untimely.is_empty());
}

#[test]
fn places_records_with_the_largest_time_they_have() {
    let mut batch = built(Codec::Lz4).bytes().to_vec();
    batch[at::MAX_TIMESTAMP..at::MAX_TIMESTAMP + 8].copy_from_slice(&1i64.to_be_bytes());
    let batch = Batch::parse(&batch.into()).expect("batch is whole");
    let walked = walk(batch, &WalkRules::default()).expect("records are well-formed");
    let parts = walked.placed(100, 3).concat();
    let placed = Batch::parse(&parts.into()).expect("both parts make a batch");
    assert!(placed.verify_crc().is_ok());
    assert_eq!(placed.header().max_timestamp, 9000);
    assert_eq!(placed.header().base_offset, 100);
}

#[test]
fn reads_the_records_that_were_written() {
    for codec in Codec::ALL {
        let batch = built(codec);
        let read: Vec<Record> = records(&batch, &ExpansionCaps::default())
            .expect("section is whole")
            .collect::<Result<_, _>>()
            .expect("records are well-formed");
        assert_eq!(read.len(), 4);
        assert_eq!(
            read[0].headers,
            [header(b"h", Some(b"1")), header(b"h", None)]
        );
        assert_eq!(
            (read[1].key.as_deref(), read[1].value.as_deref()),
            (Some(b"".as_slice()), None)
        );
        assert_eq!(
            (read[2].key.as_deref(), read[2].value.as_deref()),
            (None, Some(b"".as_slice()))
        );
        assert_eq!((read[3].offset, read[3].timestamp), (3, 4000));

        let mut again = BatchBuilder::like(batch.header(), Encoding::default_of(codec));
        read.iter().for_each(|record| again.append_record(record));
        assert_eq!(again.build().expect("records are small"), batch, "{codec}");
    }
}

#[test]
fn refuses_headers_that_contradict_themselves() {
    let with = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = built(Codec::None).bytes().to_vec();
        change(&mut bytes);
        walk(
            Batch::parse(&bytes.into()).expect("length is kept"),
            &WalkRules::default(),
        )
    };
    let count = |count: i32| {
        move |bytes: &mut [u8]| bytes[at::RECORD_COUNT..][..4].copy_from_slice(&count.to_be_bytes())
    };
    for wrong in [0, -1, 3, 5, i32::MIN, i32::MAX] {
        let refused = with(&count(wrong));
        assert!(matches!(refused, Err(WalkError::Count { .. })), "{wrong}");
    }
    let both = |n: i32| {
        move |bytes: &mut [u8]| {
            count(n)(bytes);
            bytes[at::LAST_OFFSET_DELTA..][..4].copy_from_slice(&(n - 1).to_be_bytes());
        }
    };
    assert!(matches!(
        with(&both(3)),
        Err(WalkError::Record {
            error: RecordError::TrailingBytes,
            ..
        })
    ));
    assert!(matches!(
        with(&both(5)),
        Err(WalkError::Record {
            error: RecordError::Cut,
            ..
        })
    ));
    assert!(matches!(
        with(&|b| b[at::ATTRIBUTES + 1] |= 0x20),
        Err(WalkError::Control)
    ));
    assert!(matches!(
        with(&|b| b[at::ATTRIBUTES] |= 0x01),
        Err(WalkError::Attributes)
    ));
    assert!(matches!(
        with(&|b| b[at::ATTRIBUTES + 1] |= 0x07),
        Err(WalkError::Batch(_))
    ));
    assert!(matches!(
        with(&|b| b[at::PRODUCER_ID..][..8].fill(0)),
        Err(WalkError::Sequence)
    ));
}

#[test]
fn refuses_records_whose_parts_do_not_fit() {
    let good = [14, 0, 0, 0, 1, 2, b'v', 0];
    assert!(walk(around(1, &good), &WalkRules::default()).is_ok());
    let cases: [(&str, &[u8]); 12] = [
        ("nothing", &[]),
        ("record cut", &good[..7]),
        (
            "record longer than its parts",
            &[16, 0, 0, 0, 1, 2, b'v', 0, 0],
        ),
        (
            "record shorter than its parts",
            &[12, 0, 0, 0, 1, 2, b'v', 0],
        ),
        ("negative record length", &[1, 0, 0, 0, 1, 2, b'v', 0]),
        ("value beyond the record", &[14, 0, 0, 0, 1, 4, b'v', 0]),
        ("length below -1", &[14, 0, 0, 0, 3, 2, b'v', 0]),
        ("negative header count", &[14, 0, 0, 0, 1, 2, b'v', 1]),
        ("more headers than bytes", &[16, 0, 0, 0, 1, 2, b'v', 4, 0]),
        ("null header key", &[18, 0, 0, 0, 1, 2, b'v', 2, 1, 1]),
        ("wrong offset delta", &[14, 0, 0, 2, 1, 2, b'v', 0]),
        (
            "bytes after the last record",
            &[14, 0, 0, 0, 1, 2, b'v', 0, 0],
        ),
    ];
    for (name, section) in cases {
        let batch = around(1, section);
        let error = walk(batch.clone(), &WalkRules::default()).expect_err(name);
        assert_eq!(error.code(), ErrorCode::INVALID_RECORD, "{name}");
        if name != "wrong offset delta" {
            let read = records(&batch, &ExpansionCaps::default()).expect("nothing is compressed");
            assert!(read.into_iter().any(|record| record.is_err()), "{name}");
        }
    }
}

#[test]
fn a_bomb_is_too_large_and_nothing_else() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut builder = BatchBuilder::new(Encoding::default_of(codec));
        builder.append(0, None, Some(&vec![0; 8 << 20]), &[]);
        let bomb = builder.build().expect("record is below 2 GiB");
        let rules = |bytes| WalkRules {
            caps: ExpansionCaps::fixed(bytes),
            ..WalkRules::default()
        };
        let error = walk(bomb.clone(), &rules(1 << 20)).expect_err("expands to 8 MiB");
        assert_eq!(error.code(), ErrorCode::MESSAGE_TOO_LARGE, "{codec}");
        assert!(walk(bomb, &rules(9 << 20)).is_ok(), "{codec}");
    }
}

#[test]
fn timestamps_that_overflow_are_refused() {
    let mut builder = BatchBuilder::new(Encoding::None);
    builder.append(i64::MAX, None, None, &[]);
    let batch = builder.build().expect("record is small");
    // The same record with a time delta of 1.
    let late = batch
        .with_section(Codec::None, &[12, 0, 2, 0, 1, 1, 0])
        .expect("section is small");
    assert!(walk(batch, &WalkRules::default()).is_ok());
    assert!(walk(late, &WalkRules::default()).is_err());
}

#[test]
fn finds_the_first_record_at_a_time_and_an_offset() {
    let batch = builder(Codec::Zstd)
        .base_offset(50)
        .build()
        .expect("records are small");
    let find = |time, from| {
        first_at_or_after(&batch, time, from, &ExpansionCaps::default()).expect("batch is whole")
    };
    let found = |offset, timestamp| Some(TimedOffset { offset, timestamp });
    assert_eq!(find(0, 0), found(50, 5000));
    assert_eq!(find(5001, 0), found(51, 9000));
    assert_eq!(find(9000, 52), found(52, 9000));
    assert_eq!(find(4000, 53), found(53, 4000));
    assert_eq!(find(9001, 0), None);
    assert_eq!(find(0, 54), None);
}

#[test]
fn log_append_time_is_the_time_of_every_record() {
    let walked = walk(built(Codec::Gzip), &WalkRules::default()).expect("batch is well-formed");
    let stored = Batch::parse(&walked.placed_at_time(10, 0, 123_456).concat().into())
        .expect("a whole batch");
    let find = |time| {
        first_at_or_after(&stored, time, 0, &ExpansionCaps::default()).expect("batch is whole")
    };
    assert_eq!(find(123_456).map(|found| found.offset), Some(10));
    assert_eq!(find(123_457), None);
    let mut read = records(&stored, &ExpansionCaps::default()).expect("batch is whole");
    assert!(read.all(|record| record.is_ok_and(|record| record.timestamp == 123_456)));
}

#[test]
fn any_altered_byte_gives_an_answer() {
    for codec in Codec::ALL {
        let mut builder = BatchBuilder::new(Encoding::default_of(codec));
        builder.append(
            5000,
            Some(b"key"),
            Some(b"value"),
            &[header(b"h", Some(b"1"))],
        );
        builder.append(9000, Some(b"another"), None, &[]);
        let good = builder.build().expect("records are small");
        for at in 0..good.bytes().len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut bytes = good.bytes().to_vec();
                bytes[at] ^= flip;
                read_everything(&bytes.into());
            }
        }
    }
}

fn read_everything(field: &Bytes) {
    let rules = WalkRules {
        caps: ExpansionCaps::fixed(1 << 20),
        ..WalkRules::default()
    };
    for batch in batches(field, Trailing::Partial).flatten() {
        if let Ok(records) = records(&batch, &rules.caps) {
            assert!(records.filter(|record| record.is_ok()).count() <= 1 << 20);
        }
        if let Ok(walked) = walk(batch, &rules) {
            assert_eq!(
                walked.facts().record_count as i32,
                walked.header().record_count
            );
        }
    }
}
