//! What is left to read of a message: numbers, lengths, tags. Never reads beyond the end, never believes a length.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, Bytes};

use super::tags::{TagReader, UnknownTags};
use super::{DecodeError, NullableWire, Wire};

/// Elements of all arrays of one message.
pub const ELEMENTS_MAX: usize = 1_000_000;

/// What is left to read of a message.
#[derive(Debug)]
pub struct Reader {
    pub(super) bytes: Bytes,
    /// Elements that arrays may still have.
    pub(super) elements: usize,
    /// Set when unknown tags are dropped instead of kept; becomes true when one was met.
    pub(super) stripped: Option<Arc<AtomicBool>>,
}

impl Reader {
    pub fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            elements: ELEMENTS_MAX,
            stripped: None,
        }
    }

    /// Drops unknown tags instead of keeping them: what nobody here understands is not passed on.
    pub fn stripping(bytes: Bytes) -> Self {
        Self {
            bytes,
            elements: ELEMENTS_MAX,
            stripped: Some(Arc::default()),
        }
    }

    /// Whether a [`Self::stripping`] reader met an unknown tag.
    pub fn met_unknown_tags(&self) -> bool {
        self.stripped
            .as_ref()
            .is_some_and(|met| met.load(Ordering::Relaxed))
    }

    /// Takes the rest as a tag that nobody knows.
    pub fn unknown(&mut self, tag: u32, tags: &mut UnknownTags) {
        let bytes = self.rest();
        match &self.stripped {
            Some(met) => met.store(true, Ordering::Relaxed),
            None => tags.push(tag, bytes),
        }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> Bytes {
        self.bytes.split_off(0)
    }

    /// An error if anything is left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing)
        }
    }

    /// Ends a tag: nothing of it may be left, and its elements count against the message.
    pub fn close(&mut self, field: Reader) -> Result<(), DecodeError> {
        field.finish()?;
        self.elements = field.elements;
        Ok(())
    }

    pub fn take(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.bytes.len() {
            return Err(DecodeError::Short);
        }
        Ok(self.bytes.split_to(len))
    }

    pub(super) fn number<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let head = self
            .bytes
            .first_chunk::<N>()
            .copied()
            .ok_or(DecodeError::Short)?;
        self.bytes.advance(N);
        Ok(head)
    }

    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.number().map(i8::from_be_bytes)
    }

    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.number().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.number().map(i32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.number().map(i64::from_be_bytes)
    }

    /// Base 128, least significant group first, at most 5 bytes and 32 bits.
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.number()?;
            if shift == 28 && byte > 0x0f {
                return Err(DecodeError::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }

    /// A length or count: compact (value + 1, 0 is null) or fixed, where only -1 is null.
    pub(super) fn length(
        &mut self,
        fixed: impl FnOnce(&mut Self) -> Result<i32, DecodeError>,
        flex: bool,
    ) -> Result<Option<usize>, DecodeError> {
        if flex {
            let coded = self.uvarint()?;
            return Ok(coded.checked_sub(1).map(|length| length as usize));
        }
        match fixed(self)? {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| DecodeError::Length),
        }
    }

    /// A nullable value, where null is allowed only in some versions.
    pub fn nullable<T: NullableWire>(
        &mut self,
        v: i16,
        flex: bool,
        allowed: bool,
    ) -> Result<Option<T>, DecodeError> {
        match T::read_nullable(self, v, flex)? {
            None if !allowed => Err(DecodeError::Null),
            value => Ok(value),
        }
    }

    /// A struct behind one byte: -1 null, 1 present.
    pub fn nullable_struct<T: Wire>(
        &mut self,
        v: i16,
        flex: bool,
    ) -> Result<Option<T>, DecodeError> {
        match self.i8()? {
            -1 => Ok(None),
            1 => T::read(self, v, flex).map(Some),
            _ => Err(DecodeError::Length),
        }
    }

    /// The start of a tag section.
    pub fn tags(&mut self) -> Result<TagReader, DecodeError> {
        let count = self.uvarint()? as usize;
        // A tag takes at least two bytes: its number and its size.
        if count > self.remaining() / 2 {
            return Err(DecodeError::Short);
        }
        Ok(TagReader::new(count))
    }

    /// A tag section of which nothing is known.
    pub fn unknown_tags(&mut self) -> Result<UnknownTags, DecodeError> {
        let mut unknown = UnknownTags::default();
        let mut tags = self.tags()?;
        while let Some((tag, mut field)) = tags.next(self)? {
            field.unknown(tag, &mut unknown);
        }
        Ok(unknown)
    }
}
