//! LZ4 frames by the rules of Kafka's `Lz4BlockInputStream`: independent blocks only, header and block checksums
//! checked, the content checksum and whatever follows the end mark ignored.

use std::io;

use super::block::{BlockReader, Blocks};
use super::xxh32::xxh32;
use super::{Codec, DecompressError};

pub(super) fn reader(
    section: &[u8],
    limit: u64,
) -> Result<BlockReader<Frame<'_>>, DecompressError> {
    Ok(BlockReader::new(Frame::open(section, limit)?))
}

/// A frame whose header was read.
pub(super) struct Frame<'a> {
    rest: &'a [u8],
    block_max: usize,
    block_checksums: bool,
    content_checksum: bool,
    ended: bool,
    left: u64,
    limit: u64,
}

impl<'a> Frame<'a> {
    fn open(section: &'a [u8], limit: u64) -> Result<Self, DecompressError> {
        let rest = section.strip_prefix(&MAGIC).ok_or(malformed("magic"))?;
        let flags = *rest.first().ok_or(CUT)?;
        let block = *rest.get(1).ok_or(CUT)?;
        if flags & VERSION_MASK != VERSION
            || flags & FLAG_RESERVED != 0
            || block & BLOCK_RESERVED != 0
        {
            return Err(malformed("frame descriptor"));
        }
        if flags & FLAG_INDEPENDENT == 0 {
            return Err(malformed("dependent blocks"));
        }
        let block_max = match block >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(malformed("block size")),
        };
        let described = if flags & FLAG_CONTENT_SIZE == 0 {
            2
        } else {
            10
        };
        let (descriptor, rest) = rest.split_at_checked(described).ok_or(CUT)?;
        let (check, rest) = rest.split_first().ok_or(CUT)?;
        if *check != header_check(descriptor) {
            return Err(malformed("header checksum"));
        }
        Ok(Self {
            rest,
            block_max,
            block_checksums: flags & FLAG_BLOCK_CHECKSUM != 0,
            content_checksum: flags & FLAG_CONTENT_CHECKSUM != 0,
            ended: false,
            left: limit,
            limit,
        })
    }

    /// The next block and whether its bytes are stored as they are; `None` at the end mark.
    fn next_raw(&mut self) -> Result<Option<(&'a [u8], bool)>, DecompressError> {
        let word = self.word()?;
        if word == 0 {
            self.ended = true;
            if self.content_checksum {
                self.word()?;
            }
            return Ok(None);
        }
        let size = (word & !STORED) as usize;
        if size > self.block_max {
            return Err(malformed("block larger than declared"));
        }
        let (block, rest) = self.rest.split_at_checked(size).ok_or(CUT)?;
        self.rest = rest;
        if self.block_checksums && self.word()? != xxh32(block) {
            return Err(malformed("block checksum"));
        }
        Ok(Some((block, word & STORED != 0)))
    }

    fn word(&mut self) -> Result<u32, DecompressError> {
        let (word, rest) = self.rest.split_first_chunk::<4>().ok_or(CUT)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*word))
    }

    /// Bytes the block may become: the frame's block size, the cap, and what LZ4 can make of its bytes.
    fn room_for(&self, block: &[u8]) -> usize {
        let possible = block.len().saturating_mul(MAX_EXPANSION).saturating_add(64);
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.block_max.min(possible).min(left)
    }
}

impl Blocks for Frame<'_> {
    fn next_block(&mut self, out: &mut Vec<u8>) -> Result<bool, DecompressError> {
        if self.ended {
            return Ok(false);
        }
        let Some((block, stored)) = self.next_raw()? else {
            return Ok(false);
        };
        let room = self.room_for(block);
        if stored {
            if block.len() as u64 > self.left {
                return Err(DecompressError::TooLarge { limit: self.limit });
            }
            out.clear();
            out.extend_from_slice(block);
        } else {
            out.resize(room, 0);
            let written = lz4_flex::block::decompress_into(block, out)
                .map_err(|error| self.why(&error, room))?;
            out.truncate(written);
        }
        self.left = self.left.saturating_sub(out.len() as u64);
        Ok(true)
    }
}

impl Frame<'_> {
    fn why(&self, error: &lz4_flex::block::DecompressError, room: usize) -> DecompressError {
        let short_of_room = matches!(
            error,
            lz4_flex::block::DecompressError::OutputTooSmall { .. }
        );
        if short_of_room && room as u64 == self.left {
            return DecompressError::TooLarge { limit: self.limit };
        }
        malformed("block")
    }
}

/// One frame of independent 64 KiB blocks, without content size or checksums, as Kafka's Java producer writes it.
pub(super) fn write(plain: &[u8]) -> io::Result<Vec<u8>> {
    let descriptor = [VERSION | FLAG_INDEPENDENT, 4 << 4];
    let mut out = Vec::with_capacity(16 + plain.len() / 2);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&descriptor);
    out.push(header_check(&descriptor));
    for piece in plain.chunks(64 << 10) {
        let block = lz4_flex::block::compress(piece);
        let (word, bytes) = if block.len() < piece.len() {
            (block.len() as u32, block.as_slice())
        } else {
            (piece.len() as u32 | STORED, piece)
        };
        out.extend_from_slice(&word.to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(&0u32.to_le_bytes());
    Ok(out)
}

fn header_check(descriptor: &[u8]) -> u8 {
    (xxh32(descriptor) >> 8) as u8
}

fn malformed(what: &'static str) -> DecompressError {
    DecompressError::Malformed {
        codec: Codec::Lz4,
        what,
    }
}

const CUT: DecompressError = DecompressError::Malformed {
    codec: Codec::Lz4,
    what: "cut short",
};
const MAGIC: [u8; 4] = [0x04, 0x22, 0x4D, 0x18];
const VERSION_MASK: u8 = 0b1100_0000;
const VERSION: u8 = 0b0100_0000;
const FLAG_INDEPENDENT: u8 = 0b0010_0000;
const FLAG_BLOCK_CHECKSUM: u8 = 0b0001_0000;
const FLAG_CONTENT_SIZE: u8 = 0b0000_1000;
const FLAG_CONTENT_CHECKSUM: u8 = 0b0000_0100;
const FLAG_RESERVED: u8 = 0b0000_0011;
const BLOCK_RESERVED: u8 = 0b1000_1111;
const STORED: u32 = 1 << 31;
/// One length byte of a match adds at most 255 bytes.
const MAX_EXPANSION: usize = 255;
