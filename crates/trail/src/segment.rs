//! Bytes of a segment file.
//!
//! ```text
//! header: `KTRL`, version u16 = 1, flags u16 = 0, log id 8, first seq u64, chain hash before it 32, created i64 ms, CRC-32C
//! entry:  length u32, CRC-32C of the body, chain hash 32, body
//! footer: length 0, last seq u64, chain hash 32      (a segment that is full)
//! ```

use crate::chain::{self, Hash};
use crate::entry::BODY_MAX;

const MAGIC: &[u8; 4] = b"KTRL";
const VERSION: u16 = 1;
pub(crate) const HEADER_LEN: usize = 68;
pub(crate) const ENTRY_HEAD: usize = 40;
pub(crate) const FOOTER_LEN: usize = 44;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub log: [u8; 8],
    pub first_seq: u64,
    pub chain: Hash,
    pub created: i64,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.log);
        out.extend_from_slice(&self.first_seq.to_be_bytes());
        out.extend_from_slice(&self.chain);
        out.extend_from_slice(&self.created.to_be_bytes());
        let checksum = crc32c::crc32c(&out);
        out.extend_from_slice(&checksum.to_be_bytes());
        let mut bytes = [0; HEADER_LEN];
        bytes.copy_from_slice(&out);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        let is_ours = body.starts_with(MAGIC) && body.get(4..6) == Some(&VERSION.to_be_bytes());
        if !is_ours || crc32c::crc32c(body).to_be_bytes() != *checksum {
            return None;
        }
        Some(Self {
            log: body.get(8..16)?.try_into().ok()?,
            first_seq: u64::from_be_bytes(body.get(16..24)?.try_into().ok()?),
            chain: body.get(24..56)?.try_into().ok()?,
            created: i64::from_be_bytes(body.get(56..64)?.try_into().ok()?),
        })
    }
}

pub(crate) fn encode_entry(body: &[u8], chain: &Hash) -> Vec<u8> {
    let mut out = Vec::with_capacity(ENTRY_HEAD + body.len());
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&crc32c::crc32c(body).to_be_bytes());
    out.extend_from_slice(chain);
    out.extend_from_slice(body);
    out
}

pub(crate) fn encode_footer(last_seq: u64, chain: &Hash) -> [u8; FOOTER_LEN] {
    let mut out = [0; FOOTER_LEN];
    out[4..12].copy_from_slice(&last_seq.to_be_bytes());
    out[12..].copy_from_slice(chain);
    out
}

/// What lies at the start of these bytes.
pub(crate) enum Piece<'a> {
    Entry {
        body: &'a [u8],
        chain: Hash,
        len: usize,
    },
    Footer {
        last_seq: u64,
        chain: Hash,
    },
    /// Fewer bytes than the piece needs: a write that was cut.
    Cut,
    /// A length or checksum that nobody wrote.
    Bad,
}

pub(crate) fn next(bytes: &[u8]) -> Piece<'_> {
    let Some(length) = bytes
        .first_chunk::<4>()
        .map(|length| u32::from_be_bytes(*length) as usize)
    else {
        return Piece::Cut;
    };
    if length == 0 {
        let Some(footer) = bytes.first_chunk::<FOOTER_LEN>() else {
            return Piece::Cut;
        };
        let (Some(last), Some(chain)) = (footer.get(4..12), footer.get(12..)) else {
            return Piece::Cut;
        };
        return match (last.try_into(), chain.try_into()) {
            (Ok(last), Ok(chain)) => Piece::Footer {
                last_seq: u64::from_be_bytes(last),
                chain,
            },
            _ => Piece::Bad,
        };
    }
    if length > BODY_MAX * 2 {
        return Piece::Bad;
    }
    let (Some(head), Some(body)) = (
        bytes.get(..ENTRY_HEAD),
        bytes.get(ENTRY_HEAD..ENTRY_HEAD + length),
    ) else {
        return Piece::Cut;
    };
    let checksum = head
        .get(4..8)
        .and_then(|checksum| checksum.try_into().ok())
        .map(u32::from_be_bytes);
    let chain = head.get(8..).and_then(|chain| chain.try_into().ok());
    match (checksum, chain) {
        (Some(checksum), Some(chain)) if checksum == crc32c::crc32c(body) => Piece::Entry {
            body,
            chain,
            len: ENTRY_HEAD + length,
        },
        _ => Piece::Bad,
    }
}

/// Follows the chain through the bytes of a segment.
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    /// Behind the last good piece.
    pub position: usize,
    pub chain: Hash,
    /// Number of the next entry.
    pub next: u64,
}

/// What a walk meets.
pub(crate) enum Met<'a> {
    Entry(&'a [u8]),
    /// The footer, and nothing behind it.
    Footer,
    /// The last byte of a segment that may grow.
    End,
    /// Less than a whole piece, or bytes that nobody wrote: perhaps a write that was cut.
    Torn(&'static str),
    /// A whole piece that does not belong here.
    Foreign(&'static str),
}

impl<'a> Walk<'a> {
    /// Begins behind the header.
    pub(crate) fn new(bytes: &'a [u8], header: &Header) -> Self {
        Self {
            bytes,
            position: HEADER_LEN,
            chain: header.chain,
            next: header.first_seq,
        }
    }

    pub(crate) fn step(&mut self) -> Met<'a> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        match next(rest) {
            Piece::Entry { body, chain, len } => {
                if chain::next(&self.chain, self.next, body) != chain {
                    return Met::Foreign("the entry is not the one that was written");
                }
                self.chain = chain;
                self.next = self.next.saturating_add(1);
                self.position += len;
                Met::Entry(body)
            }
            Piece::Footer { last_seq, chain } => {
                if chain != self.chain || last_seq.checked_add(1) != Some(self.next) {
                    Met::Torn("the footer does not belong to the entries")
                } else if rest.len() > FOOTER_LEN {
                    Met::Foreign("bytes lie behind the footer")
                } else {
                    Met::Footer
                }
            }
            Piece::Cut if rest.is_empty() => Met::End,
            Piece::Cut => Met::Torn("the segment ends too early"),
            Piece::Bad => Met::Torn("bytes are damaged"),
        }
    }

    /// Whether no whole entry begins behind the place where the walk stands: then it is the end of what was written.
    pub(crate) fn is_at_the_end(&self) -> bool {
        (self.position + 1..self.bytes.len()).all(|at| {
            !matches!(
                next(self.bytes.get(at..).unwrap_or_default()),
                Piece::Entry { .. }
            )
        })
    }
}
