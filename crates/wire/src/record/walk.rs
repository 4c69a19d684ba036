//! Reads every record of a batch that a client produced, before anything of it is kept.
//!
//! In: a batch whose checksum was compared, and rules. Out: [`Walked`], which only [`walk`] makes: the batch and what a
//! log must know of its records. Records are read as a stream: memory does not grow with what they expand to.
//! Limits of one topic (size of a batch, what to do about a late record) are the caller's.

use std::io::BufRead;
use std::ops::RangeInclusive;

use bytes::Bytes;

use super::RecordError;
use super::batch::{Batch, BatchError, BatchHeader, Stamp, TimestampType};
use super::compress::{self, DecompressError, ExpansionCaps};
use super::varint::Cursor;
use crate::error::ErrorCode;

/// What [`walk`] looks for besides well-formed records.
#[derive(Clone, Debug, Default)]
pub struct WalkRules {
    pub caps: ExpansionCaps,
    /// Times (ms) a record may carry; `None` allows any. A record without a time (-1) is never outside.
    pub times: Option<RangeInclusive<i64>>,
    /// How many record indexes each list of [`Facts`] names at most; 0 counts only.
    pub listed: usize,
}

/// A batch whose records were all read.
#[derive(Clone, Debug)]
pub struct Walked {
    batch: Batch,
    facts: Facts,
}

impl Walked {
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    pub fn header(&self) -> &BatchHeader {
        self.batch.header()
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Header and records at their place in a log whose records keep their own times.
    pub fn placed(&self, base_offset: i64, leader_epoch: i32) -> [Bytes; 2] {
        let max_timestamp = self.facts.max_timestamp;
        self.batch.placed(
            base_offset,
            leader_epoch,
            Stamp::CreateTime { max_timestamp },
        )
    }

    /// Header and records at their place in a log that gives every record the time of its append.
    pub fn placed_at_time(&self, base_offset: i64, leader_epoch: i32, now: i64) -> [Bytes; 2] {
        self.batch
            .placed(base_offset, leader_epoch, Stamp::LogAppendTime(now))
    }
}

/// What the records of a batch are like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub record_count: u32,
    /// Bytes of the records after decompression.
    pub plain_bytes: u64,
    pub min_timestamp: i64,
    pub max_timestamp: i64,
    /// Offset delta of the first record that has the largest timestamp.
    pub max_timestamp_delta: i32,
    /// Records with a null key.
    pub keyless: Indexes,
    /// Records whose time is outside [`WalkRules::times`].
    pub untimely: Indexes,
}

/// Positions of records in their batch: all counted, the first ones named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    pub total: u32,
    pub first: Vec<i32>,
}

impl Indexes {
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    fn add(&mut self, index: i32, listed: usize) {
        self.total = self.total.saturating_add(1);
        if self.first.len() < listed {
            self.first.push(index);
        }
    }
}

/// Why a produced batch is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error("batch counts {count} records over {offsets} offsets")]
    Count { count: i32, offsets: i64 },
    #[error("clients may not write control records")]
    Control,
    #[error("producer id without a sequence")]
    Sequence,
    #[error("batch attributes have bits without a meaning")]
    Attributes,
    #[error("record {index} has offset delta {delta}")]
    Delta { index: i32, delta: i32 },
    #[error("record {index}: {error}")]
    Record { index: i32, error: RecordError },
}

impl WalkError {
    /// What Kafka answers to a producer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Batch(error) => error.code(),
            Self::Record {
                error: RecordError::Decompress(DecompressError::TooLarge { .. }),
                ..
            } => ErrorCode::MESSAGE_TOO_LARGE,
            _ => ErrorCode::INVALID_RECORD,
        }
    }
}

/// Reads every record of a produced batch (Kafka's `LogValidator`).
///
/// Checked: count and offset range agree; no control batch; a producer id comes with a sequence; the records
/// decompress within their cap, are as many as counted, have offset deltas 0, 1, 2, .., and nothing follows them.
/// The checksum is not looked at: [`super::produced`] did.
pub fn walk(batch: Batch, rules: &WalkRules) -> Result<Walked, WalkError> {
    check_header(batch.header())?;
    let codec = batch.codec()?;
    let section = batch.section();
    let stream =
        compress::reader(codec, &section, &rules.caps).map_err(|error| WalkError::Record {
            index: 0,
            error: error.into(),
        })?;
    let facts = if codec == compress::Codec::None {
        Walk::over(section.as_ref(), batch.header(), rules)
    } else {
        Walk::over(stream, batch.header(), rules)
    }?;
    Ok(Walked { batch, facts })
}

fn check_header(header: &BatchHeader) -> Result<(), WalkError> {
    let offsets = i64::from(header.last_offset_delta) + 1;
    if header.record_count <= 0 || i64::from(header.record_count) != offsets {
        return Err(WalkError::Count {
            count: header.record_count,
            offsets,
        });
    }
    if header.attributes.is_control() {
        return Err(WalkError::Control);
    }
    if header.attributes.has_unknown_bits() {
        return Err(WalkError::Attributes);
    }
    if header.has_producer() && header.base_sequence < 0 {
        return Err(WalkError::Sequence);
    }
    Ok(())
}

/// One pass over the records.
struct Walk<'a> {
    header: &'a BatchHeader,
    rules: &'a WalkRules,
    facts: Facts,
}

impl<'a> Walk<'a> {
    fn over(
        stream: impl BufRead,
        header: &'a BatchHeader,
        rules: &'a WalkRules,
    ) -> Result<Facts, WalkError> {
        let mut walk = Self {
            header,
            rules,
            facts: Facts::default(),
        };
        let mut cursor = Cursor::new(stream);
        for index in 0..header.record_count {
            let seen = pass_record(&mut cursor, header)
                .map_err(|error| WalkError::Record { index, error })?;
            walk.note(index, seen)?;
        }
        let index = header.record_count;
        let ended = cursor
            .at_end()
            .map_err(|error| WalkError::Record { index, error })?;
        if !ended {
            let error = RecordError::TrailingBytes;
            return Err(WalkError::Record { index, error });
        }
        walk.facts.plain_bytes = cursor.position();
        Ok(walk.facts)
    }

    fn note(&mut self, index: i32, seen: Seen) -> Result<(), WalkError> {
        if seen.offset_delta != index {
            let delta = seen.offset_delta;
            return Err(WalkError::Delta { index, delta });
        }
        let facts = &mut self.facts;
        facts.record_count += 1;
        if index == 0 || seen.timestamp > facts.max_timestamp {
            facts.max_timestamp = seen.timestamp;
            facts.max_timestamp_delta = index;
        }
        if index == 0 || seen.timestamp < facts.min_timestamp {
            facts.min_timestamp = seen.timestamp;
        }
        if !seen.has_key {
            facts.keyless.add(index, self.rules.listed);
        }
        let own_time = self.header.attributes.timestamp_type() == TimestampType::CreateTime;
        let outside = |times: &RangeInclusive<i64>| !times.contains(&seen.timestamp);
        if own_time
            && seen.timestamp != NO_TIMESTAMP
            && self.rules.times.as_ref().is_some_and(outside)
        {
            facts.untimely.add(index, self.rules.listed);
        }
        Ok(())
    }
}

/// What is looked at in a record without keeping it.
pub(super) struct Seen {
    pub(super) offset_delta: i32,
    pub(super) timestamp: i64,
    has_key: bool,
}

/// Passes over one record, checking that its parts fill it exactly.
pub(super) fn pass_record(
    cursor: &mut Cursor<impl BufRead>,
    header: &BatchHeader,
) -> Result<Seen, RecordError> {
    let length = u64::try_from(cursor.varint()?)
        .map_err(|_| RecordError::Malformed("negative record length"))?;
    cursor.open(length);
    cursor.byte()?;
    let timestamp = timestamp_of(header, cursor.varlong()?)?;
    let offset_delta = cursor.varint()?;
    let has_key = pass_nullable(cursor)?;
    pass_nullable(cursor)?;
    for _ in 0..header_count(cursor)? {
        let key = u64::try_from(cursor.varint()?)
            .map_err(|_| RecordError::Malformed("null header key"))?;
        cursor.skip(key)?;
        pass_nullable(cursor)?;
    }
    cursor.close()?;
    Ok(Seen {
        offset_delta,
        timestamp,
        has_key,
    })
}

/// Passes over a length and as many bytes; whether it was not null.
fn pass_nullable(cursor: &mut Cursor<impl BufRead>) -> Result<bool, RecordError> {
    match nullable_length(cursor)? {
        None => Ok(false),
        Some(length) => cursor.skip(length).map(|()| true),
    }
}

/// A length where -1, and no other negative, is null.
pub(super) fn nullable_length(
    cursor: &mut Cursor<impl BufRead>,
) -> Result<Option<u64>, RecordError> {
    match cursor.varint()? {
        -1 => Ok(None),
        length => u64::try_from(length)
            .map(Some)
            .map_err(|_| RecordError::Malformed("negative length")),
    }
}

/// Number of headers; each takes at least two bytes, so a count that cannot be true is refused at once.
pub(super) fn header_count(cursor: &mut Cursor<impl BufRead>) -> Result<u64, RecordError> {
    let count = u64::try_from(cursor.varint()?)
        .map_err(|_| RecordError::Malformed("negative header count"))?;
    if count > cursor.left() / 2 {
        return Err(RecordError::Malformed("more headers than the record holds"));
    }
    Ok(count)
}

/// Time of a record of this batch.
pub(super) fn timestamp_of(header: &BatchHeader, delta: i64) -> Result<i64, RecordError> {
    match header.attributes.timestamp_type() {
        TimestampType::LogAppendTime => Ok(header.max_timestamp),
        TimestampType::CreateTime => header
            .base_timestamp
            .checked_add(delta)
            .ok_or(RecordError::Malformed("timestamp does not fit")),
    }
}

const NO_TIMESTAMP: i64 = -1;

#[cfg(test)]
mod tests;
