use super::*;
use crate::record::{BatchBuilder, Encoding};

fn batch(value: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new(Encoding::None).producer(9, 2, 100);
    builder.append(1000, Some(b"k"), Some(value), &[]);
    builder.append(3000, None, Some(value), &[]);
    builder.append(2000, None, None, &[]);
    builder.build().expect("records are small")
}

/// A batch with `change` done to its bytes.
fn altered(change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = batch(b"v").bytes().to_vec();
    change(&mut bytes);
    bytes.into()
}

#[test]
fn header_gives_back_what_was_parsed() {
    let batch = batch(b"v");
    let header = BatchHeader::parse(batch.bytes()).expect("batch is whole");
    assert_eq!(header.to_bytes(), batch.bytes()[..HEADER_LEN]);
    assert_eq!(header.size(), batch.bytes().len());
    assert_eq!((header.record_count, header.last_offset_delta), (3, 2));
    assert_eq!((header.base_timestamp, header.max_timestamp), (1000, 3000));
    assert_eq!(
        (
            header.producer_id,
            header.producer_epoch,
            header.base_sequence
        ),
        (9, 2, 100)
    );
    assert_eq!(header.checksum(&batch.section()), header.crc);
}

#[test]
fn checksum_is_crc32c() {
    // RFC 3720 appendix B.4.
    assert_eq!(crc32c::crc32c(&[0; 32]), 0x8A91_36AA);
    assert_eq!(crc32c::crc32c(&[0xFF; 32]), 0x62A8_AB43);
}

#[test]
fn takes_one_batch_and_refuses_none_several_and_old_formats() {
    assert!(produced(Some(batch(b"v").bytes())).is_ok());
    assert_eq!(produced(None), Err(BatchError::Missing));
    assert_eq!(produced(Some(&Bytes::new())), Err(BatchError::Missing));
    let twice = altered(|bytes| bytes.extend_from_within(..));
    assert_eq!(produced(Some(&twice)), Err(BatchError::Several));
    let old = altered(|bytes| bytes[at::MAGIC] = 1);
    assert_eq!(produced(Some(&old)), Err(BatchError::Magic(1)));
    for error in [
        BatchError::Missing,
        BatchError::Several,
        BatchError::Magic(1),
    ] {
        assert_eq!(error.code(), ErrorCode::INVALID_RECORD);
    }
}

#[test]
fn refuses_wrong_lengths_and_checksums_as_corrupt() {
    for length in [-1, 0, 48, i32::MIN, i32::MAX] {
        let bytes = altered(|bytes| {
            bytes[at::LENGTH..at::LENGTH + 4].copy_from_slice(&length.to_be_bytes())
        });
        let error = produced(Some(&bytes)).expect_err("length is wrong");
        assert_eq!(error.code(), ErrorCode::CORRUPT_MESSAGE, "{length}");
    }
    let whole = batch(b"v").bytes().clone();
    for cut in 1..whole.len() {
        let error = produced(Some(&whole.slice(..cut))).expect_err("batch is cut");
        assert_eq!(error.code(), ErrorCode::CORRUPT_MESSAGE, "{cut}");
    }
    for byte in at::CRC..whole.len() {
        let bytes = altered(|bytes| bytes[byte] ^= 1);
        assert_eq!(produced(Some(&bytes)), Err(BatchError::Crc), "{byte}");
    }
}

#[test]
fn offset_and_epoch_change_without_a_new_checksum() {
    let batch = batch(b"v");
    let stamp = Stamp::CreateTime {
        max_timestamp: 3000,
    };
    let [header, section] = batch.placed(1 << 40, 7, stamp);
    let placed = Batch::parse(&[header, section].concat().into()).expect("both parts make a batch");
    assert!(placed.verify_crc().is_ok());
    assert_eq!(placed.header().crc, batch.header().crc);
    assert_eq!(placed.header().base_offset, 1 << 40);
    assert_eq!(placed.header().partition_leader_epoch, 7);
    assert_eq!(placed.header().last_offset(), (1 << 40) + 2);
}

#[test]
fn log_append_time_changes_the_checksum_too() {
    let batch = batch(b"v");
    let [header, section] = batch.placed(5, 0, Stamp::LogAppendTime(77_000));
    let placed = Batch::parse(&[header, section].concat().into()).expect("both parts make a batch");
    assert!(placed.verify_crc().is_ok());
    assert_ne!(placed.header().crc, batch.header().crc);
    assert_eq!(placed.header().max_timestamp, 77_000);
    assert_eq!(
        placed.header().attributes.timestamp_type(),
        TimestampType::LogAppendTime
    );
}

#[test]
fn a_partial_batch_at_the_end_is_left_out_only_when_asked() {
    let mut bytes = batch(b"one").bytes().to_vec();
    bytes.extend_from_slice(batch(b"two").bytes());
    let end = bytes.len();
    bytes.extend_from_slice(&batch(b"three").bytes()[..40]);
    let field = Bytes::from(bytes);

    let mut tolerant = batches(&field, Trailing::Partial);
    assert_eq!(tolerant.by_ref().filter(Result::is_ok).count(), 2);
    assert_eq!(tolerant.rest().len(), 40);
    let strict: Vec<_> = batches(&field, Trailing::Refused).collect();
    assert_eq!(strict.len(), 3);
    assert_eq!(strict.last(), Some(&Err(BatchError::Cut)));
    assert!(batches(&field.slice(..end), Trailing::Refused).all(|batch| batch.is_ok()));
}

#[test]
fn an_emptied_batch_is_a_batch() {
    let empty = BatchBuilder::new(Encoding::None)
        .build()
        .expect("nothing to compress");
    assert_eq!(empty.bytes().len(), HEADER_LEN);
    let field = empty.bytes().clone();
    assert_eq!(batches(&field, Trailing::Refused).count(), 1);
}

#[test]
fn sequences_wrap_to_zero() {
    let mut header = *batch(b"v").header();
    header.base_sequence = i32::MAX;
    assert_eq!(header.last_sequence(), 1);
    header.base_sequence = -1;
    assert_eq!(header.last_sequence(), -1);
}

#[test]
fn attributes_name_their_bits() {
    let attributes = Attributes::default()
        .with_codec(Codec::Zstd)
        .with_transactional()
        .with_timestamp_type(TimestampType::LogAppendTime);
    assert_eq!(attributes.0, 0b1_1100);
    assert_eq!(attributes.codec(), Some(Codec::Zstd));
    assert!(attributes.is_transactional() && !attributes.is_control());
    assert_eq!(attributes.with_codec(Codec::None).0, 0b1_1000);
    assert_eq!(Attributes(5).codec(), None);
    assert!(Attributes(0x80).has_unknown_bits() && !Attributes(0x7F).has_unknown_bits());
}

#[test]
fn formats_of_the_past_are_refused_and_those_that_nobody_knows_are_damage() {
    for (magic, code) in [
        (0, ErrorCode::INVALID_RECORD),
        (1, ErrorCode::INVALID_RECORD),
        (3, ErrorCode::CORRUPT_MESSAGE),
        (127, ErrorCode::CORRUPT_MESSAGE),
    ] {
        let records = altered(|bytes| bytes[16] = magic);
        let error = produced(Some(&records)).expect_err("format is not 2");
        assert_eq!(error.code(), code, "{magic}");
    }
}
