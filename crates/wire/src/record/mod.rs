//! Record batches (magic 2): header, checksum, records, compression.
//!
//! A `records` field holds batches back to back ([`batches`]). What a client produces is taken by [`produced`] (exactly
//! one batch) and checked record by record by [`walk`], which gives the only value that a log appends: [`Walked`].
//! What a log or a broker returns is read by [`records`] and [`first_at_or_after`].
//!
//! Nothing here converts older formats (magic 0 and 1): they are refused by name.

mod batch;
mod build;
pub mod compress;
mod records;
mod renumber;
mod varint;
mod walk;

use std::io;

use compress::DecompressError;

pub use batch::{
    Attributes, Batch, BatchError, BatchHeader, Batches, HEADER_LEN, Stamp, TimestampType,
    Trailing, at, batches, produced,
};
pub use build::{BatchBuilder, BuildError};
pub use compress::{Codec, Encoding, ExpansionCaps};
pub use records::{Header, Record, Records, TimedOffset, first_at_or_after, records};
pub use renumber::renumber;
pub use walk::{Facts, Indexes, WalkError, WalkRules, Walked, walk};

/// Why the records of a batch could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("malformed record: {0}")]
    Malformed(&'static str),
    #[error("records end before their count is reached")]
    Cut,
    #[error("bytes follow the last record")]
    TrailingBytes,
    #[error(transparent)]
    Decompress(#[from] DecompressError),
}

impl From<io::Error> for RecordError {
    fn from(error: io::Error) -> Self {
        Self::Decompress(compress::error_of(&error))
    }
}
