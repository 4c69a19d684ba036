//! Reads and writes the primitive values of Kafka's protocol.
//!
//! In: shared bytes and a version. Out: values whose text and bytes are slices of the input. Every length is compared
//! with the bytes left before anything is allocated; arrays reserve little ahead and count against a budget.
//! Source: Kafka's `MessageDataGenerator`, `Readable`, `ByteBufferAccessor`; KIP-482 for tags.

mod reader;
mod tags;
mod values;
mod writer;

use bytes::Bytes;

pub use reader::{ELEMENTS_MAX, Reader};
pub use tags::{TagReader, Tags, UnknownTags};
pub use writer::Writer;

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
