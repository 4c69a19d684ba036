//! Reads and writes the primitive values of Kafka's protocol.
//!
//! In: shared bytes and a version. Out: values whose text and bytes are slices of the input. Every length is compared
//! with the bytes left before anything is allocated; arrays reserve little ahead and count against a budget.
//! Source: Kafka's `MessageDataGenerator`, `Readable`, `ByteBufferAccessor`; KIP-482 for tags.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use uuid::Uuid;

use crate::text::Str;

/// Elements of all arrays of one message.
pub const ELEMENTS_MAX: usize = 1_000_000;
/// Elements reserved ahead of the bytes that prove them.
const RESERVE_MAX: usize = 1_024;
/// Bytes of a text, in both encodings.
const TEXT_MAX: usize = i16::MAX as usize;
/// Bytes from which on a value is shared instead of copied.
const SHARED_FROM: usize = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("message is cut short")]
    Short,
    #[error("version {0} does not exist")]
    Version(i16),
    #[error("length is impossible")]
    Length,
    #[error("null where a value must be")]
    Null,
    #[error("text is not UTF-8")]
    Utf8,
    #[error("number has too many bits")]
    Varint,
    #[error("more elements than allowed")]
    Elements,
    #[error("tags are not in rising order")]
    TagOrder,
    #[error("tag is not known in this version")]
    TagVersion,
    #[error("bytes left over")]
    Trailing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("version {0} does not exist")]
    Version(i16),
    #[error("{field} cannot be sent in version {version}")]
    NotInVersion { field: &'static str, version: i16 },
    #[error("null cannot be sent in this version")]
    Null,
    #[error("value is too long for its length field")]
    Length,
}

/// A value on the wire: numbers, text, structs, arrays.
pub trait Wire: Sized {
    /// Fewest bytes one value takes in any version.
    const MIN_LEN: usize;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError>;
    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError>;
}

/// A value that can be null in some versions.
pub trait NullableWire: Wire {
    fn read_nullable(r: &mut Reader, v: i16, flex: bool) -> Result<Option<Self>, DecodeError>;
    fn write_null(w: &mut Writer, flex: bool);
}

/// The body of a request or response.
pub trait Message: Wire + Default {
    const NAME: &'static str;
    const MIN: i16;
    const MAX: i16;
    /// First version with compact lengths and tags.
    const FLEXIBLE_FROM: i16;

    fn is_flexible(version: i16) -> bool {
        version >= Self::FLEXIBLE_FROM
    }

    /// Reads the body; bytes behind it stay in the reader.
    fn decode(reader: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        if !(Self::MIN..=Self::MAX).contains(&version) {
            return Err(DecodeError::Version(version));
        }
        Self::read(reader, version, Self::is_flexible(version))
    }

    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if !(Self::MIN..=Self::MAX).contains(&version) {
            return Err(EncodeError::Version(version));
        }
        self.write(writer, version, Self::is_flexible(version))
    }
}

/// A request and what answers it.
pub trait Request: Message {
    const KEY: i16;
    type Response: Message;
}

/// Decodes and encodes again.
pub fn recode<M: Message>(bytes: Bytes, version: i16) -> Result<Vec<u8>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let message = M::decode(&mut reader, version)?;
    let mut writer = Writer::new();
    message
        .encode(&mut writer, version)
        .map_err(|_| DecodeError::Version(version))?;
    Ok(writer.into_bytes().to_vec())
}

/// What is left to read of a message.
#[derive(Debug)]
pub struct Reader {
    bytes: Bytes,
    elements: usize,
    /// Set when unknown tags are dropped instead of kept; becomes true when one was met.
    stripped: Option<Arc<AtomicBool>>,
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

    fn number<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
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
    fn length(
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
        Ok(TagReader {
            left: count,
            last: None,
        })
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

/// Walks a tag section.
#[derive(Debug)]
pub struct TagReader {
    left: usize,
    last: Option<u32>,
}

impl TagReader {
    /// The next tag and a reader of exactly its bytes.
    pub fn next(&mut self, r: &mut Reader) -> Result<Option<(u32, Reader)>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let tag = r.uvarint()?;
        if self.last.is_some_and(|last| last >= tag) {
            return Err(DecodeError::TagOrder);
        }
        self.last = Some(tag);
        let size = r.uvarint()? as usize;
        let bytes = r.take(size)?;
        r.elements = r.elements.checked_sub(1).ok_or(DecodeError::Elements)?;
        Ok(Some((
            tag,
            Reader {
                bytes,
                elements: r.elements,
                stripped: r.stripped.clone(),
            },
        )))
    }
}

/// Tagged fields that this version of the schemas does not know, in order. Empty costs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownTags(Vec<(u32, Bytes)>);

impl UnknownTags {
    pub fn push(&mut self, tag: u32, bytes: Bytes) {
        self.0.push((tag, bytes));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Known tagged fields on their way out.
#[derive(Debug, Default)]
pub struct Tags(Vec<(u32, Bytes)>);

impl Tags {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(
        &mut self,
        tag: u32,
        write: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let mut writer = Writer::new();
        write(&mut writer)?;
        self.0.push((tag, writer.into_bytes()));
        Ok(())
    }
}

/// Collects bytes as a list of parts; large values are shared, not copied.
#[derive(Debug, Default)]
pub struct Writer {
    done: Vec<Bytes>,
    current: BytesMut,
}

impl Writer {
    pub fn new() -> Self {
        Self::default()
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

    fn compact_length(&mut self, length: usize) -> Result<(), EncodeError> {
        let coded = u32::try_from(length)
            .ok()
            .and_then(|length| length.checked_add(1))
            .ok_or(EncodeError::Length)?;
        self.uvarint(coded);
        Ok(())
    }

    fn fixed_length(&mut self, length: usize) -> Result<(), EncodeError> {
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

macro_rules! numbers {
    ($($kind:ty, $len:literal, $put:ident;)*) => { $(
        impl Wire for $kind {
            const MIN_LEN: usize = $len;
            fn read(r: &mut Reader, _v: i16, _flex: bool) -> Result<Self, DecodeError> {
                r.number().map(<$kind>::from_be_bytes)
            }
            fn write(&self, w: &mut Writer, _v: i16, _flex: bool) -> Result<(), EncodeError> {
                w.current.$put(*self);
                Ok(())
            }
        }
    )* };
}

numbers! {
    i8, 1, put_i8;
    i16, 2, put_i16;
    i32, 4, put_i32;
    i64, 8, put_i64;
    u16, 2, put_u16;
    u32, 4, put_u32;
    f64, 8, put_f64;
}

impl Wire for bool {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, _v: i16, _flex: bool) -> Result<Self, DecodeError> {
        Ok(r.i8()? != 0)
    }
    fn write(&self, w: &mut Writer, _v: i16, _flex: bool) -> Result<(), EncodeError> {
        w.i8(i8::from(*self));
        Ok(())
    }
}

impl Wire for Uuid {
    const MIN_LEN: usize = 16;
    fn read(r: &mut Reader, _v: i16, _flex: bool) -> Result<Self, DecodeError> {
        r.number().map(Uuid::from_bytes)
    }
    fn write(&self, w: &mut Writer, _v: i16, _flex: bool) -> Result<(), EncodeError> {
        w.put_slice(self.as_bytes());
        Ok(())
    }
}

impl Wire for Str {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Self::read_nullable(r, v, flex)?.ok_or(DecodeError::Null)
    }
    fn write(&self, w: &mut Writer, _v: i16, flex: bool) -> Result<(), EncodeError> {
        if self.len() > TEXT_MAX {
            return Err(EncodeError::Length);
        }
        if flex {
            w.compact_length(self.len())?;
        } else {
            w.i16(i16::try_from(self.len()).map_err(|_| EncodeError::Length)?);
        }
        w.put_slice(self.as_bytes());
        Ok(())
    }
}

impl NullableWire for Str {
    fn read_nullable(r: &mut Reader, _v: i16, flex: bool) -> Result<Option<Self>, DecodeError> {
        let Some(length) = r.length(|r| r.i16().map(i32::from), flex)? else {
            return Ok(None);
        };
        if length > TEXT_MAX {
            return Err(DecodeError::Length);
        }
        Str::from_utf8(r.take(length)?)
            .map(Some)
            .ok_or(DecodeError::Utf8)
    }
    fn write_null(w: &mut Writer, flex: bool) {
        if flex { w.uvarint(0) } else { w.i16(-1) }
    }
}

impl Wire for Bytes {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Self::read_nullable(r, v, flex)?.ok_or(DecodeError::Null)
    }
    fn write(&self, w: &mut Writer, _v: i16, flex: bool) -> Result<(), EncodeError> {
        if flex {
            w.compact_length(self.len())?
        } else {
            w.fixed_length(self.len())?
        }
        w.put_shared(self);
        Ok(())
    }
}

impl NullableWire for Bytes {
    fn read_nullable(r: &mut Reader, _v: i16, flex: bool) -> Result<Option<Self>, DecodeError> {
        match r.length(Reader::i32, flex)? {
            None => Ok(None),
            Some(length) => r.take(length).map(Some),
        }
    }
    fn write_null(w: &mut Writer, flex: bool) {
        if flex { w.uvarint(0) } else { w.i32(-1) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    const MIN_LEN: usize = 1;
    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        Self::read_nullable(r, v, flex)?.ok_or(DecodeError::Null)
    }
    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if flex {
            w.compact_length(self.len())?
        } else {
            w.fixed_length(self.len())?
        }
        self.iter()
            .try_for_each(|element| element.write(w, v, flex))
    }
}

impl<T: Wire> NullableWire for Vec<T> {
    fn read_nullable(r: &mut Reader, v: i16, flex: bool) -> Result<Option<Self>, DecodeError> {
        let Some(count) = r.length(Reader::i32, flex)? else {
            return Ok(None);
        };
        if count > r.remaining() / T::MIN_LEN {
            return Err(DecodeError::Short);
        }
        r.elements = r.elements.checked_sub(count).ok_or(DecodeError::Elements)?;
        let mut elements = Vec::with_capacity(count.min(RESERVE_MAX));
        for _ in 0..count {
            elements.push(T::read(r, v, flex)?);
        }
        Ok(Some(elements))
    }
    fn write_null(w: &mut Writer, flex: bool) {
        if flex { w.uvarint(0) } else { w.i32(-1) }
    }
}
