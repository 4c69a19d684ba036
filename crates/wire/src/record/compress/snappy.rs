//! Snappy in its two forms: one raw block, or xerial chunks as Java's `SnappyOutputStream` writes them.
//!
//! A block says how long it becomes. That claim is refused above the cap, and above what its own bytes can expand
//! to, before anything is allocated.

use std::io;

use super::block::{BlockReader, Blocks};
use super::{Codec, DecompressError};

/// How Snappy data is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One block: librdkafka, franz-go, sarama.
    Raw,
    /// Magic, two versions, then chunks with a length: Java, kafka-python.
    Xerial,
}

impl Form {
    /// The form of a section: xerial if it opens with the magic and holds a whole header.
    pub fn of(section: &[u8]) -> Self {
        if section.len() >= HEADER && section.starts_with(&MAGIC) {
            Self::Xerial
        } else {
            Self::Raw
        }
    }
}

pub(super) fn reader(section: &[u8], limit: u64) -> BlockReader<Chunks<'_>> {
    let form = Form::of(section);
    BlockReader::new(Chunks {
        form,
        rest: section,
        left: limit,
        limit,
        started: false,
    })
}

pub(super) struct Chunks<'a> {
    form: Form,
    rest: &'a [u8],
    left: u64,
    limit: u64,
    started: bool,
}

impl<'a> Chunks<'a> {
    /// The next compressed block, without its framing.
    fn next_chunk(&mut self) -> Result<Option<&'a [u8]>, DecompressError> {
        if self.form == Form::Raw {
            let whole = std::mem::take(&mut self.rest);
            return Ok((!std::mem::replace(&mut self.started, true)).then_some(whole));
        }
        loop {
            if self.rest.is_empty() {
                return Ok(None);
            }
            if self.rest.starts_with(&MAGIC[..4]) {
                self.skip_header()?;
                continue;
            }
            let (length, rest) = self.rest.split_first_chunk::<4>().ok_or(CUT)?;
            let length = usize::try_from(i32::from_be_bytes(*length))
                .map_err(|_| malformed("negative chunk length"))?;
            let (chunk, rest) = rest.split_at_checked(length).ok_or(CUT)?;
            self.rest = rest;
            return Ok(Some(chunk));
        }
    }

    /// A header opens the stream and may come again where streams were concatenated.
    fn skip_header(&mut self) -> Result<(), DecompressError> {
        let (header, rest) = self.rest.split_first_chunk::<HEADER>().ok_or(CUT)?;
        let (magic, versions) = header.split_at(MAGIC.len());
        let version = versions.first_chunk::<4>().map(|v| i32::from_be_bytes(*v));
        if magic != MAGIC || version.is_none_or(|version| version < 1) {
            return Err(malformed("xerial header"));
        }
        self.rest = rest;
        Ok(())
    }
}

impl Blocks for Chunks<'_> {
    fn next_block(&mut self, out: &mut Vec<u8>) -> Result<bool, DecompressError> {
        let Some(chunk) = self.next_chunk()? else {
            return Ok(false);
        };
        let claimed = snap::raw::decompress_len(chunk).map_err(|_| malformed("block length"))?;
        if claimed as u64 > self.left {
            return Err(DecompressError::TooLarge { limit: self.limit });
        }
        if claimed > chunk.len().saturating_mul(MAX_EXPANSION) {
            return Err(malformed("block claims more than it can hold"));
        }
        out.resize(claimed, 0);
        let written = snap::raw::Decoder::new()
            .decompress(chunk, out)
            .map_err(|_| malformed("block"))?;
        out.truncate(written);
        self.left = self.left.saturating_sub(written as u64);
        Ok(true)
    }
}

pub(super) fn write(plain: &[u8], form: Form) -> io::Result<Vec<u8>> {
    let mut encoder = snap::raw::Encoder::new();
    if form == Form::Raw {
        return encoder.compress_vec(plain).map_err(io::Error::other);
    }
    let mut out = Vec::with_capacity(HEADER + plain.len() / 2);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    for piece in plain.chunks(XERIAL_CHUNK) {
        let chunk = encoder.compress_vec(piece).map_err(io::Error::other)?;
        out.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        out.extend_from_slice(&chunk);
    }
    Ok(out)
}

fn malformed(what: &'static str) -> DecompressError {
    DecompressError::Malformed {
        codec: Codec::Snappy,
        what,
    }
}

const CUT: DecompressError = DecompressError::Malformed {
    codec: Codec::Snappy,
    what: "cut short",
};
const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const HEADER: usize = 16;
/// Input bytes of a chunk, as Java writes them.
const XERIAL_CHUNK: usize = 32 << 10;
/// The best copy element turns 3 bytes into 64.
const MAX_EXPANSION: usize = 22;
