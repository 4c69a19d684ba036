//! The 61 bytes before the records of a batch, and batches back to back in one field.
//!
//! Records stay what they are: a slice of the memory they came in. Changing a header makes a copy of its 61 bytes;
//! the records behind it are shared, never moved.

use bytes::Bytes;

use super::compress::Codec;
use crate::error::ErrorCode;

/// Bytes before the records.
pub const HEADER_LEN: usize = 61;
/// Bytes that the length field does not count.
const BEFORE_LENGTH_ENDS: usize = 12;
/// First byte under the CRC.
const CRC_FROM: usize = at::ATTRIBUTES;

/// Where each field of the header begins.
pub mod at {
    pub const BASE_OFFSET: usize = 0;
    pub const LENGTH: usize = 8;
    pub const PARTITION_LEADER_EPOCH: usize = 12;
    pub const MAGIC: usize = 16;
    pub const CRC: usize = 17;
    pub const ATTRIBUTES: usize = 21;
    pub const LAST_OFFSET_DELTA: usize = 23;
    pub const BASE_TIMESTAMP: usize = 27;
    pub const MAX_TIMESTAMP: usize = 35;
    pub const PRODUCER_ID: usize = 43;
    pub const PRODUCER_EPOCH: usize = 51;
    pub const BASE_SEQUENCE: usize = 53;
    pub const RECORD_COUNT: usize = 57;
}

/// What the timestamps of a batch mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// Each record has its own, set by the producer.
    CreateTime,
    /// Every record has the batch's `max_timestamp`, set by the broker.
    LogAppendTime,
}

/// The attributes of a batch; bits without a meaning are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC: i16 = 0x07;
    const LOG_APPEND_TIME: i16 = 0x08;
    const TRANSACTIONAL: i16 = 0x10;
    const CONTROL: i16 = 0x20;
    const DELETE_HORIZON: i16 = 0x40;
    const KNOWN: i16 = 0x7F;

    /// `None` for the numbers 5 to 7, which no codec has.
    pub const fn codec(self) -> Option<Codec> {
        Codec::from_id(self.0 & Self::CODEC)
    }

    pub const fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    pub const fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    pub const fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Whether `base_timestamp` is the time from which the cleaner may drop tombstones.
    pub const fn has_delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }

    /// Whether a bit is set that Kafka gives no meaning.
    pub const fn has_unknown_bits(self) -> bool {
        self.0 & !Self::KNOWN != 0
    }

    #[must_use]
    pub const fn with_codec(self, codec: Codec) -> Self {
        Self(self.0 & !Self::CODEC | codec.id())
    }

    #[must_use]
    pub const fn with_timestamp_type(self, kind: TimestampType) -> Self {
        match kind {
            TimestampType::CreateTime => Self(self.0 & !Self::LOG_APPEND_TIME),
            TimestampType::LogAppendTime => Self(self.0 | Self::LOG_APPEND_TIME),
        }
    }

    #[must_use]
    pub const fn with_transactional(self) -> Self {
        Self(self.0 | Self::TRANSACTIONAL)
    }

    #[must_use]
    pub const fn with_control(self) -> Self {
        Self(self.0 | Self::CONTROL)
    }
}

/// The fields before the records. Times in ms since the epoch; -1 stands for "none" where Kafka has it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: i64,
    /// Bytes after this field.
    pub length: i32,
    pub partition_leader_epoch: i32,
    pub crc: u32,
    pub attributes: Attributes,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the first 61 bytes of a batch. Only the magic is checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let magic = *bytes.get(at::MAGIC).ok_or(BatchError::Cut)?;
        if magic != MAGIC {
            return Err(BatchError::Magic(magic as i8));
        }
        let header: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(BatchError::Cut)?;
        Ok(Self {
            base_offset: i64::from_be_bytes(field(header, at::BASE_OFFSET)),
            length: i32::from_be_bytes(field(header, at::LENGTH)),
            partition_leader_epoch: i32::from_be_bytes(field(header, at::PARTITION_LEADER_EPOCH)),
            crc: u32::from_be_bytes(field(header, at::CRC)),
            attributes: Attributes(i16::from_be_bytes(field(header, at::ATTRIBUTES))),
            last_offset_delta: i32::from_be_bytes(field(header, at::LAST_OFFSET_DELTA)),
            base_timestamp: i64::from_be_bytes(field(header, at::BASE_TIMESTAMP)),
            max_timestamp: i64::from_be_bytes(field(header, at::MAX_TIMESTAMP)),
            producer_id: i64::from_be_bytes(field(header, at::PRODUCER_ID)),
            producer_epoch: i16::from_be_bytes(field(header, at::PRODUCER_EPOCH)),
            base_sequence: i32::from_be_bytes(field(header, at::BASE_SEQUENCE)),
            record_count: i32::from_be_bytes(field(header, at::RECORD_COUNT)),
        })
    }

    /// The 61 bytes of this header, with the CRC it holds.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        put(&mut out, at::BASE_OFFSET, self.base_offset.to_be_bytes());
        put(&mut out, at::LENGTH, self.length.to_be_bytes());
        put(
            &mut out,
            at::PARTITION_LEADER_EPOCH,
            self.partition_leader_epoch.to_be_bytes(),
        );
        put(&mut out, at::MAGIC, [MAGIC]);
        put(&mut out, at::CRC, self.crc.to_be_bytes());
        put(&mut out, at::ATTRIBUTES, self.attributes.0.to_be_bytes());
        put(
            &mut out,
            at::LAST_OFFSET_DELTA,
            self.last_offset_delta.to_be_bytes(),
        );
        put(
            &mut out,
            at::BASE_TIMESTAMP,
            self.base_timestamp.to_be_bytes(),
        );
        put(
            &mut out,
            at::MAX_TIMESTAMP,
            self.max_timestamp.to_be_bytes(),
        );
        put(&mut out, at::PRODUCER_ID, self.producer_id.to_be_bytes());
        put(
            &mut out,
            at::PRODUCER_EPOCH,
            self.producer_epoch.to_be_bytes(),
        );
        put(
            &mut out,
            at::BASE_SEQUENCE,
            self.base_sequence.to_be_bytes(),
        );
        put(&mut out, at::RECORD_COUNT, self.record_count.to_be_bytes());
        out
    }

    /// The CRC-32C that this header and these records should carry.
    pub fn checksum(&self, section: &[u8]) -> u32 {
        let header = self.to_bytes();
        crc32c::crc32c_append(
            crc32c::crc32c(header.get(CRC_FROM..).unwrap_or_default()),
            section,
        )
    }

    /// Offset of the last record. Saturates where the fields are absurd.
    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.last_offset_delta))
    }

    /// Sequence of the last record; sequences wrap from 2^31 - 1 to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }

    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> usize {
        usize::try_from(self.length).map_or(0, |length| length.saturating_add(BEFORE_LENGTH_ENDS))
    }
}

/// What a log writes into a batch it appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The timestamps stay; `max_timestamp` becomes the largest one found, if it was wrong.
    CreateTime { max_timestamp: i64 },
    /// Every record gets this time (ms).
    LogAppendTime(i64),
}

/// One batch: its header, and all its bytes as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    header: BatchHeader,
    bytes: Bytes,
}

impl Batch {
    /// Takes the batch at the start of `bytes`; the rest stays. The CRC is not checked.
    pub fn split_from(bytes: &mut Bytes) -> Result<Self, BatchError> {
        let size = size_at(bytes)?;
        match bytes.get(at::MAGIC) {
            None => return Err(BatchError::Cut),
            Some(&magic) if magic != MAGIC => return Err(BatchError::Magic(magic as i8)),
            Some(_) if size < HEADER_LEN => return Err(BatchError::Length(declared(size))),
            Some(_) if bytes.len() < size => return Err(BatchError::Cut),
            Some(_) => {}
        }
        let header = BatchHeader::parse(bytes)?;
        Ok(Self {
            header,
            bytes: bytes.split_to(size),
        })
    }

    /// Takes bytes that hold one batch and nothing else.
    pub fn parse(bytes: &Bytes) -> Result<Self, BatchError> {
        let mut rest = bytes.clone();
        let batch = Self::split_from(&mut rest)?;
        if rest.is_empty() {
            Ok(batch)
        } else {
            Err(BatchError::Several)
        }
    }

    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The records, compressed as the attributes say.
    pub fn section(&self) -> Bytes {
        self.bytes.slice(HEADER_LEN.min(self.bytes.len())..)
    }

    /// Compares the checksum with the bytes.
    pub fn verify_crc(&self) -> Result<(), BatchError> {
        let found = crc32c::crc32c(self.bytes.get(CRC_FROM..).unwrap_or_default());
        if found == self.header.crc {
            Ok(())
        } else {
            Err(BatchError::Crc)
        }
    }

    /// The codec of the records.
    pub fn codec(&self) -> Result<Codec, BatchError> {
        let attributes = self.header.attributes;
        attributes
            .codec()
            .ok_or(BatchError::Codec(attributes.0 & Attributes::CODEC))
    }

    /// This batch at its place in a log, as header and records. Offset and epoch are not under the CRC; it is
    /// computed anew only where the stamp changes a field.
    pub fn placed(&self, base_offset: i64, leader_epoch: i32, stamp: Stamp) -> [Bytes; 2] {
        let (kind, max_timestamp) = match stamp {
            Stamp::CreateTime { max_timestamp } => (TimestampType::CreateTime, max_timestamp),
            Stamp::LogAppendTime(now) => (TimestampType::LogAppendTime, now),
        };
        let mut header = BatchHeader {
            base_offset,
            partition_leader_epoch: leader_epoch,
            attributes: self.header.attributes.with_timestamp_type(kind),
            max_timestamp,
            ..self.header
        };
        let section = self.section();
        if header.attributes != self.header.attributes || max_timestamp != self.header.max_timestamp
        {
            header.crc = header.checksum(&section);
        }
        [Bytes::copy_from_slice(&header.to_bytes()), section]
    }

    /// This batch around other records. Length, codec and CRC follow.
    pub fn with_section(&self, codec: Codec, section: &[u8]) -> Result<Self, BatchError> {
        let size = HEADER_LEN.saturating_add(section.len());
        let length = i32::try_from(size - BEFORE_LENGTH_ENDS).map_err(|_| BatchError::TooLarge)?;
        let mut header = BatchHeader {
            length,
            attributes: self.header.attributes.with_codec(codec),
            ..self.header
        };
        header.crc = header.checksum(section);
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(section);
        Ok(Self {
            header,
            bytes: bytes.into(),
        })
    }
}

/// Whether a field may end in the middle of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailing {
    /// A fetch may: brokers cut at a byte limit. The partial batch is left out.
    Partial,
    /// A partial batch is an error.
    Refused,
}

/// The batches of a `records` field, in order. Ends after the first error.
pub fn batches(records: &Bytes, trailing: Trailing) -> Batches {
    Batches {
        rest: records.clone(),
        trailing,
    }
}

/// See [`batches`].
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
    trailing: Trailing,
}

impl Batches {
    /// Bytes not yet given out: after the end, the partial batch.
    pub fn rest(&self) -> &Bytes {
        &self.rest
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match Batch::split_from(&mut self.rest) {
            Err(BatchError::Cut) if self.trailing == Trailing::Partial => None,
            Err(error) => {
                self.rest.clear();
                Some(Err(error))
            }
            Ok(batch) => Some(Ok(batch)),
        }
    }
}

/// The one batch that a producer may send for a partition, its CRC checked.
///
/// Refused with the error of Kafka's `ProduceRequest.validateRecords` and `DefaultRecordBatch.ensureValid`, which
/// [`BatchError::code`] names: no batch, several, an old format, a wrong length, a wrong checksum.
pub fn produced(records: Option<&Bytes>) -> Result<Batch, BatchError> {
    let records = records
        .filter(|records| !records.is_empty())
        .ok_or(BatchError::Missing)?;
    let batch = Batch::parse(records)?;
    batch.verify_crc()?;
    Ok(batch)
}

/// Why bytes are not the batch that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("no record batch")]
    Missing,
    #[error("more than one record batch")]
    Several,
    #[error("record format {0} is not supported")]
    Magic(i8),
    #[error("batch is cut short")]
    Cut,
    #[error("batch length {0} is impossible")]
    Length(i32),
    #[error("batch checksum does not match")]
    Crc,
    #[error("codec {0} is not assigned")]
    Codec(i16),
    #[error("batch would be larger than 2 GiB")]
    TooLarge,
}

impl BatchError {
    /// What Kafka answers to a producer.
    pub fn code(self) -> ErrorCode {
        match self {
            // A format that no version knows.
            Self::Magic(3..) => ErrorCode::CORRUPT_MESSAGE,
            Self::Missing | Self::Several | Self::Magic(_) | Self::Codec(_) => {
                ErrorCode::INVALID_RECORD
            }
            Self::Cut | Self::Length(_) | Self::Crc => ErrorCode::CORRUPT_MESSAGE,
            Self::TooLarge => ErrorCode::MESSAGE_TOO_LARGE,
        }
    }
}

/// Bytes of the batch at the start, from its length field. Old formats have the field at the same place.
fn size_at(bytes: &[u8]) -> Result<usize, BatchError> {
    let length = bytes
        .get(at::LENGTH..)
        .and_then(|rest| rest.first_chunk())
        .map(|length| i32::from_be_bytes(*length))
        .ok_or(BatchError::Cut)?;
    let counted = usize::try_from(length).map_err(|_| BatchError::Length(length))?;
    Ok(counted.saturating_add(BEFORE_LENGTH_ENDS))
}

/// The length field of a batch of `size` bytes.
fn declared(size: usize) -> i32 {
    i32::try_from(size.saturating_sub(BEFORE_LENGTH_ENDS)).unwrap_or(i32::MAX)
}

/// The field at a constant place inside the header.
fn field<const N: usize>(header: &[u8; HEADER_LEN], from: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&header[from..from + N]);
    out
}

/// Writes a field at a constant place inside the header.
fn put<const N: usize>(header: &mut [u8; HEADER_LEN], from: usize, value: [u8; N]) {
    header[from..from + N].copy_from_slice(&value);
}

const MAGIC: u8 = 2;

#[cfg(test)]
mod tests;
