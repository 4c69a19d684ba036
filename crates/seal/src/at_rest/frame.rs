//! One sealed frame: a length, a number, a durable mark, and authenticated ciphertext.
//!
//! ```text
//!   0 4 N, length of the whole frame, multiple of 16     12 1 kind
//!   4 4 frame number, strictly rising in the file        13 3 zero
//!   8 4 durable mark: synced bytes of this file / 16     16 N-32 ciphertext of: length u32, content, zero padding
//!                                                       N-16 16 tag
//! ```
//! Nonce = 4 zero bytes, frame number as u64. Associated data = file id, position (u64), the 16 header bytes: a
//! frame cannot be moved, reordered, dropped inside a file, or carried to another file.

use aws_lc_rs::aead::{
    AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey,
};
use kastellan_core::secret::Secret;

use super::header::Suite;

pub const FRAME_HEADER_LEN: usize = 16;
const TAG_LEN: usize = 16;
/// Bytes of a frame besides content and padding: header, content length, tag.
pub const FRAME_OVERHEAD: usize = FRAME_HEADER_LEN + 4 + TAG_LEN;
const MIN_FRAME: u32 = 48;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame is cut short")]
    Short,
    #[error("frame length {0} is not possible")]
    Length(u32),
    #[error("reserved frame bytes are not zero")]
    Reserved,
    #[error("frame does not authenticate")]
    Forged,
    #[error("content length does not fit the frame")]
    Content,
    #[error("frame number would repeat")]
    NumberUsed,
    #[error("content is too large for a frame")]
    TooLarge,
    #[error("the cryptographic library refused")]
    Crypto,
}

/// The clear 16 bytes in front of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Length of the whole frame in bytes.
    pub len: u32,
    pub number: u32,
    /// Bytes of the file known synced when the frame was built, divided by 16.
    pub durable_mark: u32,
    pub kind: u8,
}

impl FrameHeader {
    pub const LEN: usize = FRAME_HEADER_LEN;

    /// Reads the clear part. A length above `cap` is refused before anyone allocates it.
    pub fn parse(bytes: &[u8], cap: u32) -> Result<Self, FrameError> {
        let bytes: &[u8; FRAME_HEADER_LEN] = bytes
            .get(..FRAME_HEADER_LEN)
            .and_then(|head| head.try_into().ok())
            .ok_or(FrameError::Short)?;
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let len = word(0);
        if len < MIN_FRAME || len % 16 != 0 || len > cap {
            return Err(FrameError::Length(len));
        }
        if bytes[13..] != [0; 3] {
            return Err(FrameError::Reserved);
        }
        Ok(Self {
            len,
            number: word(4),
            durable_mark: word(8),
            kind: bytes[12],
        })
    }

    fn to_bytes(self) -> [u8; FRAME_HEADER_LEN] {
        let mut bytes = [0; FRAME_HEADER_LEN];
        bytes[..4].copy_from_slice(&self.len.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.number.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.durable_mark.to_be_bytes());
        bytes[12] = self.kind;
        bytes
    }
}

/// Length of the frame that holds `content` bytes, with the least padding.
pub const fn frame_len(content: usize) -> usize {
    Padding::Fine.frame_len(content)
}

/// How much of a content's length a frame's length tells to whoever sees the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Padding {
    /// Frames are multiples of 16 bytes.
    #[default]
    Fine,
    /// Frames are multiples of 256 bytes.
    Coarse,
}

impl Padding {
    const fn step(self) -> usize {
        match self {
            Self::Fine => 16,
            Self::Coarse => 256,
        }
    }

    /// Length of the frame that holds `content` bytes.
    pub const fn frame_len(self, content: usize) -> usize {
        (content + FRAME_OVERHEAD).next_multiple_of(self.step())
    }
}

/// Seals frames of one new file. Numbers rise by themselves and never repeat.
pub struct WriteKey {
    key: ReadKey,
    next: u32,
    padding: Padding,
}

/// Opens frames of one file.
pub struct ReadKey {
    key: LessSafeKey,
    file_id: [u8; 16],
}

/// An opened frame: its clear header and where the content lies inside the frame's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub header: FrameHeader,
    pub content: std::ops::Range<usize>,
}

impl ReadKey {
    pub(super) fn new(
        suite: Suite,
        file_key: &Secret,
        file_id: [u8; 16],
    ) -> Result<Self, FrameError> {
        let algorithm: &'static Algorithm = match suite {
            Suite::Aes256Gcm => &AES_256_GCM,
            Suite::Aes256GcmSiv => &AES_256_GCM_SIV,
        };
        let key = UnboundKey::new(algorithm, file_key.expose()).map_err(|_| FrameError::Crypto)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            file_id,
        })
    }

    /// Opens the frame that lies at `position` of the file, in place. `frame` holds exactly one frame.
    /// On an error the bytes are garbage and must be dropped.
    pub fn open(&self, position: u64, frame: &mut [u8]) -> Result<Opened, FrameError> {
        let cap = u32::try_from(frame.len()).map_err(|_| FrameError::TooLarge)?;
        let header = FrameHeader::parse(frame, cap)?;
        if header.len != cap {
            return Err(FrameError::Short);
        }
        let (_, sealed) = frame
            .split_at_mut_checked(FRAME_HEADER_LEN)
            .ok_or(FrameError::Short)?;
        let aad = self.associated(position, header);
        let plain = self
            .key
            .open_in_place(nonce(header.number), Aad::from(aad), sealed)
            .map_err(|_| FrameError::Forged)?;
        let (length, rest) = plain.split_at_checked(4).ok_or(FrameError::Content)?;
        let length: [u8; 4] = length.try_into().map_err(|_| FrameError::Content)?;
        let length = u32::from_be_bytes(length) as usize;
        let is_padded = |padding: Padding| padding.frame_len(length) == header.len as usize;
        if length > rest.len() || !(is_padded(Padding::Fine) || is_padded(Padding::Coarse)) {
            return Err(FrameError::Content);
        }
        let start = FRAME_HEADER_LEN + 4;
        Ok(Opened {
            header,
            content: start..start + length,
        })
    }

    fn associated(&self, position: u64, header: FrameHeader) -> [u8; 40] {
        let mut aad = [0; 40];
        aad[..16].copy_from_slice(&self.file_id);
        aad[16..24].copy_from_slice(&position.to_be_bytes());
        aad[24..].copy_from_slice(&header.to_bytes());
        aad
    }
}

impl WriteKey {
    pub(super) fn new(key: ReadKey, padding: Padding) -> Self {
        Self {
            key,
            next: 0,
            padding,
        }
    }

    /// Length of the frame that [`Self::seal`] makes of `content` bytes.
    pub fn frame_len(&self, content: usize) -> usize {
        self.padding.frame_len(content)
    }

    /// The number that the next frame gets.
    pub fn next_number(&self) -> u32 {
        self.next
    }

    /// A key that opens what this one seals, for readers of the same file.
    pub fn reader(&self) -> &ReadKey {
        &self.key
    }

    /// Appends a sealed frame for `position` of the file to `out`; `content` parts are joined.
    /// Returns the frame's number, which is used up even if the frame is never written, and its tag.
    pub fn seal(
        &mut self,
        kind: u8,
        durable_mark: u32,
        position: u64,
        content: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(u32, [u8; 16]), FrameError> {
        let length = content.iter().map(|part| part.len()).sum();
        let total = self.padding.frame_len(length);
        self.seal_to(total, kind, durable_mark, position, content, out)
    }

    /// As [`Self::seal`], with the least padding: for a frame that is found by its length.
    pub fn seal_exact(
        &mut self,
        kind: u8,
        durable_mark: u32,
        position: u64,
        content: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(u32, [u8; 16]), FrameError> {
        let length = content.iter().map(|part| part.len()).sum();
        let total = frame_len(length);
        self.seal_to(total, kind, durable_mark, position, content, out)
    }

    fn seal_to(
        &mut self,
        total: usize,
        kind: u8,
        durable_mark: u32,
        position: u64,
        content: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(u32, [u8; 16]), FrameError> {
        let length: usize = content.iter().map(|part| part.len()).sum();
        let len = u32::try_from(total).map_err(|_| FrameError::TooLarge)?;
        let number = self.next;
        self.next = number.checked_add(1).ok_or(FrameError::NumberUsed)?;
        let header = FrameHeader {
            len,
            number,
            durable_mark,
            kind,
        };
        let start = out.len();
        out.reserve(total);
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(&(length as u32).to_be_bytes());
        for part in content {
            out.extend_from_slice(part);
        }
        out.resize(start + total - TAG_LEN, 0);
        let tag = self.seal_body(position, header, &mut out[start + FRAME_HEADER_LEN..])?;
        out.extend_from_slice(tag.as_ref());
        let mut copy = [0; TAG_LEN];
        copy.copy_from_slice(tag.as_ref());
        Ok((number, copy))
    }

    fn seal_body(
        &self,
        position: u64,
        header: FrameHeader,
        body: &mut [u8],
    ) -> Result<Tag, FrameError> {
        let aad = self.key.associated(position, header);
        self.key
            .key
            .seal_in_place_separate_tag(nonce(header.number), Aad::from(aad), body)
            .map_err(|_| FrameError::Crypto)
    }
}

fn nonce(number: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[4..].copy_from_slice(&u64::from(number).to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}
