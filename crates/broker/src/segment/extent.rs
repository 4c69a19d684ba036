//! Where the batches of a file lie, by offset and by time: grows with the active file, is read from the index of a
//! closed one.

use bytes::Bytes;
use wire::record::BatchHeader;

use crate::bytes_io::{Fields, Malformed, Out};

/// What is known of the batches of a file.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Where batches begin and end in the file.
    pub position: u64,
    /// Offset behind the last batch.
    pub end: i64,
    pub index: Vec<IndexEntry>,
    pub max_timestamp: i64,
    pub max_timestamp_offset: i64,
}

impl Extent {
    pub(crate) fn new(base: i64, position: u64) -> Self {
        Self {
            position,
            end: base,
            index: Vec::new(),
            max_timestamp: -1,
            max_timestamp_offset: -1,
        }
    }

    /// Notes a batch that was written at a position.
    pub(crate) fn add(
        &mut self,
        header: &BatchHeader,
        at: u64,
        behind: u64,
        max_timestamp_offset: i64,
    ) {
        if self
            .index
            .last()
            .is_none_or(|last| at - last.position >= INDEX_EVERY)
        {
            self.index.push(IndexEntry {
                offset: header.base_offset,
                position: at,
                max_timestamp_before: self.max_timestamp,
            });
        }
        if header.max_timestamp > self.max_timestamp {
            self.max_timestamp = header.max_timestamp;
            self.max_timestamp_offset = max_timestamp_offset;
        }
        self.position = behind;
        self.end = header.last_offset() + 1;
    }

    /// The last indexed position at or before an offset.
    pub(crate) fn before(&self, offset: i64) -> Option<IndexEntry> {
        let at = self.index.partition_point(|entry| entry.offset <= offset);
        at.checked_sub(1)
            .and_then(|at| self.index.get(at))
            .or(self.index.first())
            .copied()
    }

    /// The last indexed position before which every timestamp is below a time.
    pub(crate) fn before_time(&self, time: i64) -> Option<IndexEntry> {
        let at = self
            .index
            .partition_point(|entry| entry.max_timestamp_before < time);
        at.checked_sub(1)
            .and_then(|at| self.index.get(at))
            .or(self.index.first())
            .copied()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub offset: i64,
    pub position: u64,
    /// Of every batch before this position.
    pub max_timestamp_before: i64,
}

/// Relative offset, position / 16, largest timestamp before: one for at least 16 KiB of batches.
pub(crate) fn encode_index(index: &[IndexEntry], base: i64) -> Vec<u8> {
    let mut out = Out::default();
    out.count(index.len());
    for entry in index {
        out.put(((entry.offset - base) as u32).to_be_bytes())
            .put(((entry.position / 16) as u32).to_be_bytes())
            .put(entry.max_timestamp_before.to_be_bytes());
    }
    out.0
}

pub(super) fn decode_index(bytes: &Bytes, base: i64) -> Result<Vec<IndexEntry>, Malformed> {
    let mut fields = Fields(bytes);
    let count = fields.count(16)?;
    let mut index = Vec::with_capacity(count);
    for _ in 0..count {
        index.push(IndexEntry {
            offset: base + i64::from(fields.u32()?),
            position: u64::from(fields.u32()?) * 16,
            max_timestamp_before: fields.i64()?,
        });
    }
    fields.finish()?;
    Ok(index)
}

/// An index entry for at least this many bytes.
const INDEX_EVERY: u64 = 16 << 10;
