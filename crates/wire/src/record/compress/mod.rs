//! Compressed record sections, read under a byte cap and written.
//!
//! In: the bytes after a batch header and the codec its attributes name. Out: the records as plain bytes,
//! as a stream ([`reader`]) or in one piece ([`decompress`]). Sizes declared inside a stream are claims: nothing
//! is allocated for them beyond what the bytes at hand can expand to. Elsewhere in the workspace the raw decoders
//! of the compression libraries are not used, so that no path is without a cap.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod block;
mod gzip;
mod lz4;
mod snappy;
mod xxh32;
mod zstd_stream;

use std::fmt;
use std::io::{self, BufRead, Read};

use bytes::Bytes;

pub use snappy::Form as SnappyForm;

/// How the records of a batch are compressed: bits 0-2 of the batch attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The number in the attributes.
    pub const fn id(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The codec with this number; 5 to 7 are not assigned.
    pub const fn from_id(id: i16) -> Option<Self> {
        match id {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name in Kafka's `compression.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A way to write a record section: a codec with the choices its writer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    None,
    /// zlib level 0 to 9.
    Gzip(u32),
    Snappy(SnappyForm),
    Lz4,
    /// zstd level 1 to 22. Above 19 the window passes what readers accept by default.
    Zstd(i32),
}

impl Encoding {
    pub const fn codec(self) -> Codec {
        match self {
            Self::None => Codec::None,
            Self::Gzip(_) => Codec::Gzip,
            Self::Snappy(_) => Codec::Snappy,
            Self::Lz4 => Codec::Lz4,
            Self::Zstd(_) => Codec::Zstd,
        }
    }

    /// The way Kafka's Java producer writes this codec when nothing is set.
    pub const fn default_of(codec: Codec) -> Self {
        match codec {
            Codec::None => Self::None,
            Codec::Gzip => Self::Gzip(6),
            Codec::Snappy => Self::Snappy(SnappyForm::Xerial),
            Codec::Lz4 => Self::Lz4,
            Codec::Zstd => Self::Zstd(3),
        }
    }

    /// The way an existing section was written, as far as it can be told: Snappy keeps its form.
    pub fn like(codec: Codec, section: &[u8]) -> Self {
        match codec {
            Codec::Snappy => Self::Snappy(SnappyForm::of(section)),
            other => Self::default_of(other),
        }
    }
}

/// What a record section may expand to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpansionCaps {
    /// Plain bytes allowed per compressed byte.
    pub ratio: u64,
    /// Bytes allowed however small the section is.
    pub floor: u64,
    /// Bytes never passed, however large the section is.
    pub ceiling: u64,
    /// Largest zstd window, as a power of two (RFC 8878 section 3.1.1.1.2).
    pub zstd_window_log: u32,
}

impl Default for ExpansionCaps {
    fn default() -> Self {
        Self {
            ratio: 100,
            floor: 64 << 20,
            ceiling: 256 << 20,
            zstd_window_log: 23,
        }
    }
}

impl ExpansionCaps {
    /// Exactly this many bytes, whatever the size of the section.
    pub fn fixed(bytes: u64) -> Self {
        Self {
            ratio: 1,
            floor: bytes,
            ceiling: bytes,
            ..Self::default()
        }
    }

    /// Bytes that a section of `compressed` bytes may expand to.
    pub fn output_for(&self, compressed: usize) -> u64 {
        (compressed as u64)
            .saturating_mul(self.ratio)
            .max(self.floor)
            .min(self.ceiling)
    }
}

/// Why a section could not be decompressed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    #[error("records expand to more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("{codec} stream is malformed: {what}")]
    Malformed { codec: Codec, what: &'static str },
    #[error("zstd stream is damaged or needs a window above 2^{window_log} bytes")]
    Zstd { window_log: u32 },
}

impl From<DecompressError> for io::Error {
    fn from(error: DecompressError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Why a section could not be compressed: the library refused the level.
#[derive(Debug, thiserror::Error)]
#[error("cannot compress with {codec}")]
pub struct CompressError {
    codec: Codec,
    source: io::Error,
}

/// The plain bytes of a section as a stream. Each of its errors carries a [`DecompressError`]: see [`error_of`].
pub fn reader<'a>(
    codec: Codec,
    section: &'a [u8],
    caps: &ExpansionCaps,
) -> Result<Box<dyn BufRead + Send + 'a>, DecompressError> {
    let limit = caps.output_for(section.len());
    let damaged = DecompressError::Malformed {
        codec,
        what: "damaged or cut short",
    };
    Ok(match codec {
        Codec::None => Box::new(section),
        Codec::Gzip => Box::new(Capped::new(gzip::reader(section), limit, damaged)),
        Codec::Snappy => Box::new(Capped::new(snappy::reader(section, limit), limit, damaged)),
        Codec::Lz4 => Box::new(Capped::new(lz4::reader(section, limit)?, limit, damaged)),
        Codec::Zstd => {
            let window_log = caps.zstd_window_log;
            let stream = zstd_stream::reader(section, window_log)?;
            Box::new(Capped::new(
                stream,
                limit,
                DecompressError::Zstd { window_log },
            ))
        }
    })
}

/// What went wrong in a stream that [`reader`] made.
pub fn error_of(error: &io::Error) -> DecompressError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.cloned().unwrap_or(DecompressError::Malformed {
        codec: Codec::None,
        what: "not readable",
    })
}

/// The plain bytes of a section in one piece; without compression a slice of the same memory.
///
/// While the stream is read at most the cap and one chunk are held, so a bomb costs no more than its cap.
pub fn decompress(
    codec: Codec,
    section: &Bytes,
    caps: &ExpansionCaps,
) -> Result<Bytes, DecompressError> {
    if codec == Codec::None {
        return Ok(section.clone());
    }
    let limit = caps.output_for(section.len());
    let mut stream = reader(codec, section, caps)?;
    let mut chunks = Vec::new();
    let mut size = first_chunk(section.len(), limit);
    loop {
        let mut chunk = Vec::with_capacity(size);
        let read = stream
            .by_ref()
            .take(size as u64)
            .read_to_end(&mut chunk)
            .map_err(|error| error_of(&error))?;
        if read < size {
            chunks.push(chunk);
            return Ok(join(chunks));
        }
        chunks.push(chunk);
        size = CHUNK;
    }
}

/// Writes a record section.
pub fn compress(encoding: Encoding, plain: &[u8]) -> Result<Vec<u8>, CompressError> {
    match encoding {
        Encoding::None => Ok(plain.to_vec()),
        Encoding::Gzip(level) => gzip::write(plain, level),
        Encoding::Snappy(form) => snappy::write(plain, form),
        Encoding::Lz4 => lz4::write(plain),
        Encoding::Zstd(level) => zstd_stream::write(plain, level),
    }
    .map_err(|source| CompressError {
        codec: encoding.codec(),
        source,
    })
}

/// Most sections fit into the first chunk and are never copied again.
fn first_chunk(compressed: usize, limit: u64) -> usize {
    let guess = compressed.saturating_mul(8).clamp(CHUNK / 16, 4 * CHUNK);
    usize::try_from(limit).map_or(guess, |limit| guess.min(limit.saturating_add(1)))
}

/// One piece of memory from the chunks, each freed as soon as it is copied.
fn join(mut chunks: Vec<Vec<u8>>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.pop().unwrap_or_default().into();
    }
    let mut joined = Vec::with_capacity(chunks.iter().map(Vec::len).sum());
    for chunk in chunks {
        joined.extend_from_slice(&chunk);
    }
    joined.into()
}

/// Bytes a decoder makes at a time: small for small sections.
fn block_size(compressed: usize) -> usize {
    compressed.saturating_mul(8).clamp(1 << 10, 32 << 10)
}

const CHUNK: usize = 256 << 10;

/// Hands bytes through until the cap, then fails. What the codec's library says becomes a typed error.
struct Capped<R> {
    inner: R,
    left: u64,
    limit: u64,
    damaged: DecompressError,
}

impl<R: BufRead> Capped<R> {
    fn new(inner: R, limit: u64, damaged: DecompressError) -> Self {
        Self {
            inner,
            left: limit,
            limit,
            damaged,
        }
    }
}

impl<R: BufRead> BufRead for Capped<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = match self.inner.fill_buf() {
            Ok(available) => available,
            Err(error) if error.get_ref().is_some_and(|e| e.is::<DecompressError>()) => {
                return Err(error);
            }
            Err(_) => return Err(self.damaged.clone().into()),
        };
        if available.len() as u64 > self.left {
            return Err(DecompressError::TooLarge { limit: self.limit }.into());
        }
        Ok(available)
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Capped<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let read = available.len().min(out.len());
        let (Some(from), Some(to)) = (available.get(..read), out.get_mut(..read)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
