//! Collects what is written as a list of parts; large values are shared, not copied.

use bytes::{BufMut, Bytes, BytesMut};

use super::tags::{Tags, UnknownTags};
use super::{EncodeError, NullableWire, Wire};

/// Bytes from which on a value is shared instead of copied.
const SHARED_FROM: usize = 1_024;
/// Bytes that most messages do not outgrow, without the values that are shared.
const FIRST: usize = 256;

/// Collects bytes as a list of parts; large values are shared, not copied.
#[derive(Debug, Default)]
pub struct Writer {
    done: Vec<Bytes>,
    pub(super) current: BytesMut,
}

impl Writer {
    pub fn new() -> Self {
        Self::with_capacity(FIRST)
    }

    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            done: Vec::new(),
            current: BytesMut::with_capacity(capacity),
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.done.iter().map(Bytes::len).sum::<usize>() + self.current.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts, in order.
    pub fn into_parts(mut self) -> Vec<Bytes> {
        if !self.current.is_empty() {
            self.done.push(self.current.freeze());
        }
        self.done
    }

    /// One piece of memory; copies if there are several parts.
    pub fn into_bytes(self) -> Bytes {
        if self.done.is_empty() {
            return self.current.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for part in self.into_parts() {
            whole.extend_from_slice(&part);
        }
        whole.freeze()
    }

    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.current.put_slice(bytes);
    }

    /// Bytes that live on elsewhere: large ones become a part of their own.
    pub fn put_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_FROM {
            self.current.put_slice(bytes);
            return;
        }
        if !self.current.is_empty() {
            self.done.push(self.current.split().freeze());
        }
        self.done.push(bytes.clone());
    }

    pub fn i8(&mut self, value: i8) {
        self.current.put_i8(value);
    }

    pub fn i16(&mut self, value: i16) {
        self.current.put_i16(value);
    }

    pub fn i32(&mut self, value: i32) {
        self.current.put_i32(value);
    }

    pub fn i64(&mut self, value: i64) {
        self.current.put_i64(value);
    }

    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.current.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.current.put_u8(value as u8);
    }

    pub(super) fn compact_length(&mut self, length: usize) -> Result<(), EncodeError> {
        let coded = u32::try_from(length)
            .ok()
            .and_then(|length| length.checked_add(1))
            .ok_or(EncodeError::Length)?;
        self.uvarint(coded);
        Ok(())
    }

    pub(super) fn fixed_length(&mut self, length: usize) -> Result<(), EncodeError> {
        self.i32(i32::try_from(length).map_err(|_| EncodeError::Length)?);
        Ok(())
    }

    pub fn nullable<T: NullableWire>(
        &mut self,
        value: &Option<T>,
        v: i16,
        flex: bool,
        allowed: bool,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => value.write(self, v, flex),
            None if allowed => {
                T::write_null(self, flex);
                Ok(())
            }
            None => Err(EncodeError::Null),
        }
    }

    pub fn nullable_struct<T: Wire>(
        &mut self,
        value: &Option<T>,
        v: i16,
        flex: bool,
    ) -> Result<(), EncodeError> {
        match value {
            None => {
                self.i8(-1);
                Ok(())
            }
            Some(value) => {
                self.i8(1);
                value.write(self, v, flex)
            }
        }
    }

    /// A tag section without known tags.
    pub fn unknown_tags(&mut self, unknown: &UnknownTags) {
        if unknown.is_empty() {
            self.current.put_u8(0);
        } else {
            self.tags(Tags::new(), unknown);
        }
    }

    /// A tag section: known and unknown tags, by number.
    pub fn tags(&mut self, known: Tags, unknown: &UnknownTags) {
        let mut all = known.0;
        all.extend(unknown.0.iter().cloned());
        all.sort_by_key(|(tag, _)| *tag);
        self.uvarint(all.len() as u32);
        for (tag, bytes) in all {
            self.uvarint(tag);
            self.uvarint(bytes.len() as u32);
            self.put_shared(&bytes);
        }
    }
}
