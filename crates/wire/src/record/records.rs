//! Records one by one: key, value and headers as slices of the batch's memory (or of its decompressed records).
//!
//! Offsets may have gaps, as in compacted logs. Header keys are kept as bytes, in order, duplicates included.

use bytes::{Buf, Bytes};

use super::RecordError;
use super::batch::{Batch, BatchHeader, TimestampType};
use super::compress::{self, ExpansionCaps};
use super::varint::Cursor;
use super::walk::{self, WalkError};

/// Name and value of a record header. The value may be null.
pub type Header = (Bytes, Option<Bytes>);

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub offset: i64,
    /// ms since the epoch; -1 if it has none.
    pub timestamp: i64,
    pub key: Option<Bytes>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
}

/// The records of a batch. Decompresses all of them first, under the caps.
pub fn records(batch: &Batch, caps: &ExpansionCaps) -> Result<Records, WalkError> {
    let plain = compress::decompress(batch.codec()?, &batch.section(), caps).map_err(|error| {
        WalkError::Record {
            index: 0,
            error: error.into(),
        }
    })?;
    Ok(Records {
        header: *batch.header(),
        plain,
        next: 0,
    })
}

/// See [`records`]. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Records {
    header: BatchHeader,
    plain: Bytes,
    next: i32,
}

impl Records {
    fn read(&mut self) -> Result<Record, RecordError> {
        let mut outer = Cursor::new(self.plain.as_ref());
        let length = usize::try_from(outer.varint()?)
            .map_err(|_| RecordError::Malformed("negative record length"))?;
        let prefix = outer.position() as usize;
        if length > self.plain.len().saturating_sub(prefix) {
            return Err(RecordError::Cut);
        }
        self.plain.advance(prefix);
        read_fields(self.plain.split_to(length), &self.header)
    }
}

impl Iterator for Records {
    type Item = Result<Record, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next;
        let failed = |error| Some(Err(WalkError::Record { index, error }));
        if index >= self.header.record_count {
            let trailing = !std::mem::take(&mut self.plain).is_empty();
            return trailing
                .then_some(RecordError::TrailingBytes)
                .and_then(failed);
        }
        match self.read() {
            Ok(record) => {
                self.next += 1;
                Some(Ok(record))
            }
            Err(error) => {
                self.next = i32::MAX;
                self.plain.clear();
                failed(error)
            }
        }
    }
}

/// Reads the fields of a record that is exactly these bytes.
fn read_fields(record: Bytes, batch: &BatchHeader) -> Result<Record, RecordError> {
    let mut cursor = Cursor::new(record.as_ref());
    cursor.open(record.len() as u64);
    cursor.byte()?;
    let timestamp = walk::timestamp_of(batch, cursor.varlong()?)?;
    let offset_delta = i64::from(cursor.varint()?);
    let key = nullable(&mut cursor, &record)?;
    let value = nullable(&mut cursor, &record)?;
    let count = walk::header_count(&mut cursor)?;
    let mut headers = Vec::with_capacity(count.min(64) as usize);
    for _ in 0..count {
        let name =
            nullable(&mut cursor, &record)?.ok_or(RecordError::Malformed("null header key"))?;
        headers.push((name, nullable(&mut cursor, &record)?));
    }
    cursor.close()?;
    Ok(Record {
        offset: batch
            .base_offset
            .checked_add(offset_delta)
            .ok_or(RecordError::Malformed("offset does not fit"))?,
        timestamp,
        key,
        value,
        headers,
    })
}

/// A nullable field as a slice of its record.
fn nullable(cursor: &mut Cursor<&[u8]>, record: &Bytes) -> Result<Option<Bytes>, RecordError> {
    let Some(length) = walk::nullable_length(cursor)? else {
        return Ok(None);
    };
    let from = cursor.position() as usize;
    cursor.skip(length)?;
    Ok(Some(record.slice(from..cursor.position() as usize)))
}

/// Where a record is and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOffset {
    pub offset: i64,
    pub timestamp: i64,
}

/// The first record at or after both a time (ms) and an offset; `None` if the batch has none.
/// Reads as a stream, like [`super::walk()`].
pub fn first_at_or_after(
    batch: &Batch,
    time: i64,
    from_offset: i64,
    caps: &ExpansionCaps,
) -> Result<Option<TimedOffset>, WalkError> {
    let header = batch.header();
    if header.attributes.timestamp_type() == TimestampType::LogAppendTime
        && header.max_timestamp < time
    {
        return Ok(None);
    }
    let section = batch.section();
    let codec = batch.codec()?;
    let stream = compress::reader(codec, &section, caps);
    let mut cursor = Cursor::new(stream.map_err(|error| WalkError::Record {
        index: 0,
        error: error.into(),
    })?);
    for index in 0..header.record_count {
        let failed = |error| WalkError::Record { index, error };
        let seen = walk::pass_record(&mut cursor, header).map_err(failed)?;
        let offset = header
            .base_offset
            .saturating_add(i64::from(seen.offset_delta));
        if seen.timestamp >= time && offset >= from_offset {
            return Ok(Some(TimedOffset {
                offset,
                timestamp: seen.timestamp,
            }));
        }
    }
    Ok(None)
}

impl Batch {
    /// The plain bytes of the records: what stands behind the header when nothing is compressed.
    pub fn plain_section(&self, caps: &ExpansionCaps) -> Result<Bytes, WalkError> {
        let codec = self.codec()?;
        compress::decompress(codec, &self.section(), caps).map_err(|error| WalkError::Record {
            index: 0,
            error: error.into(),
        })
    }
}
