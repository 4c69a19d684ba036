//! Fixed-width fields of the log's own formats: big-endian integers, texts with a 16-bit length, blobs with a 32-bit one.

use uuid::Uuid;

/// Bytes ended too early, or a length is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("content is cut or malformed")]
pub(crate) struct Malformed;

/// What is left to read.
pub(crate) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn i8(&mut self) -> Result<i8, Malformed> {
        self.array().map(i8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Malformed> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_be_bytes)
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid, Malformed> {
        self.array().map(Uuid::from_bytes)
    }

    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        let len = usize::from(self.u16()?);
        String::from_utf8(self.take(len)?.to_vec()).map_err(|_| Malformed)
    }

    /// A text that may be absent: one byte says so.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(Malformed),
        }
    }

    /// A count, no larger than the bytes that are left allow.
    pub(crate) fn count(&mut self, element: usize) -> Result<usize, Malformed> {
        let count = self.u32()? as usize;
        if count > self.0.len() / element.max(1) {
            Err(Malformed)
        } else {
            Ok(count)
        }
    }

    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// Writes fields.
#[derive(Default)]
pub(crate) struct Out(pub Vec<u8>);

impl Out {
    pub(crate) fn put<const N: usize>(&mut self, bytes: [u8; N]) -> &mut Self {
        self.0.extend_from_slice(&bytes);
        self
    }

    pub(crate) fn uuid(&mut self, id: Uuid) -> &mut Self {
        self.put(*id.as_bytes())
    }

    /// At most 65 535 bytes; callers hold shorter ones.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
        self.put(len.to_be_bytes());
        self.0
            .extend_from_slice(text.as_bytes().get(..usize::from(len)).unwrap_or_default());
        self
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            None => self.put([0]),
            Some(text) => self.put([1]).text(text),
        }
    }

    pub(crate) fn count(&mut self, count: usize) -> &mut Self {
        self.put(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes())
    }
}
