//! Tagged fields (KIP-482): a section is walked in order; what nobody here knows is kept as it is.

use bytes::Bytes;

use super::{DecodeError, EncodeError, Reader, Writer};

/// Walks a tag section.
#[derive(Debug)]
pub struct TagReader {
    left: usize,
    last: Option<u32>,
}

impl TagReader {
    pub(super) fn new(left: usize) -> Self {
        Self { left, last: None }
    }

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
pub struct UnknownTags(pub(super) Vec<(u32, Bytes)>);

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
pub struct Tags(pub(super) Vec<(u32, Bytes)>);

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
