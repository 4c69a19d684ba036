//! Makes record batches: for tests, tools, and records that are written anew.

use super::batch::{Attributes, Batch, BatchHeader, HEADER_LEN, TimestampType};
use super::compress::{self, Codec, CompressError, Encoding};
use super::records::{Header, Record};
use super::varint;

/// A batch in the making. The first record's time becomes the base time.
///
/// ```
/// use wire::record::{BatchBuilder, Codec, Encoding};
/// let mut builder = BatchBuilder::new(Encoding::default_of(Codec::Lz4));
/// builder.append(1_700_000_000_000, Some(b"key"), Some(b"value"), &[]);
/// let batch = builder.build().unwrap();
/// assert_eq!(batch.header().record_count, 1);
/// ```
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    encoding: Encoding,
    /// Room for the header, then the records before compression.
    bytes: Vec<u8>,
}

/// Why no batch came out.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Compress(#[from] CompressError),
    #[error("batch would be larger than 2 GiB")]
    TooLarge,
}

impl BatchBuilder {
    pub fn new(encoding: Encoding) -> Self {
        Self {
            header: BatchHeader {
                base_offset: 0,
                length: 0,
                partition_leader_epoch: -1,
                crc: 0,
                attributes: Attributes::default().with_codec(encoding.codec()),
                last_offset_delta: -1,
                base_timestamp: -1,
                max_timestamp: -1,
                producer_id: -1,
                producer_epoch: -1,
                base_sequence: -1,
                record_count: 0,
            },
            encoding,
            bytes: vec![0; HEADER_LEN],
        }
    }

    /// A batch with the fields of another one, without its records.
    pub fn like(header: &BatchHeader, encoding: Encoding) -> Self {
        Self {
            header: BatchHeader {
                attributes: header.attributes.with_codec(encoding.codec()),
                record_count: 0,
                last_offset_delta: -1,
                ..*header
            },
            encoding,
            bytes: vec![0; HEADER_LEN],
        }
    }

    #[must_use]
    pub fn base_offset(mut self, offset: i64) -> Self {
        self.header.base_offset = offset;
        self
    }

    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = base_sequence;
        self
    }

    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.header.attributes = self.header.attributes.with_transactional();
        self
    }

    #[must_use]
    pub fn control(mut self) -> Self {
        self.header.attributes = self.header.attributes.with_control();
        self
    }

    #[must_use]
    pub fn timestamp_type(mut self, kind: TimestampType) -> Self {
        self.header.attributes = self.header.attributes.with_timestamp_type(kind);
        self
    }

    /// Adds a record after the last one.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header],
    ) {
        let delta = self.header.last_offset_delta.saturating_add(1);
        self.append_at(delta, timestamp, key, value, headers);
    }

    /// Adds a record that was read, at its own offset.
    pub fn append_record(&mut self, record: &Record) {
        let delta = record.offset.saturating_sub(self.header.base_offset);
        let delta = i32::try_from(delta).unwrap_or(i32::MAX);
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        self.append_at(delta, record.timestamp, key, value, &record.headers);
    }

    /// Adds a record at this distance from the base offset, whatever came before.
    pub fn append_at(
        &mut self,
        offset_delta: i32,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header],
    ) {
        if self.header.record_count == 0 && !self.header.attributes.has_delete_horizon() {
            self.header.base_timestamp = timestamp;
            self.header.max_timestamp = timestamp;
        }
        self.header.max_timestamp = self.header.max_timestamp.max(timestamp);
        self.header.last_offset_delta = offset_delta;
        self.header.record_count = self.header.record_count.saturating_add(1);
        let time_delta = timestamp.wrapping_sub(self.header.base_timestamp);
        put_record(
            &mut self.bytes,
            offset_delta,
            time_delta,
            key,
            value,
            headers,
        );
    }

    /// Bytes of the records so far, before compression.
    pub fn plain_len(&self) -> usize {
        self.plain().len()
    }

    fn plain(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// Compresses the records and finishes the header.
    pub fn build(mut self) -> Result<Batch, BuildError> {
        if self.encoding.codec() != Codec::None {
            let section = compress::compress(self.encoding, self.plain())?;
            self.bytes.truncate(HEADER_LEN);
            self.bytes.extend_from_slice(&section);
        }
        self.header.length =
            i32::try_from(self.bytes.len() - 12).map_err(|_| BuildError::TooLarge)?;
        self.header.crc = self.header.checksum(self.plain());
        if let Some(front) = self.bytes.first_chunk_mut() {
            *front = self.header.to_bytes();
        }
        Batch::parse(&self.bytes.into()).map_err(|_| BuildError::TooLarge)
    }
}

fn put_record(
    out: &mut Vec<u8>,
    offset_delta: i32,
    time_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[Header],
) {
    let header_bytes: usize = headers
        .iter()
        .map(|(name, value)| sized(Some(name)) + sized(value.as_deref()))
        .sum();
    let body = 1
        + varint::size(time_delta)
        + varint::size(offset_delta.into())
        + sized(key)
        + sized(value)
        + varint::size(headers.len() as i64)
        + header_bytes;
    varint::put(out, body as i64);
    out.reserve(body);
    out.push(0);
    varint::put(out, time_delta);
    varint::put(out, offset_delta.into());
    put_nullable(out, key);
    put_nullable(out, value);
    varint::put(out, headers.len() as i64);
    for (name, value) in headers {
        put_nullable(out, Some(name));
        put_nullable(out, value.as_deref());
    }
}

fn put_nullable(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => varint::put(out, -1),
        Some(bytes) => {
            varint::put(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

/// Bytes that a nullable field takes with its length.
fn sized(field: Option<&[u8]>) -> usize {
    field.map_or(1, |bytes| varint::size(bytes.len() as i64) + bytes.len())
}
