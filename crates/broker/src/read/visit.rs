//! Opens the batches of a stretch of a file, one after the other.
//!
//! In: an open file, from where to where. Out: batches, to a visitor who says when it is enough.

use bytes::{Bytes, BytesMut};
use seal::at_rest::{FrameError, FrameHeader};
use wire::record::BatchHeader;

use super::Access;
use crate::container::{ContainerError, Opened, kind, open_frame};
use crate::segment::FRAME_CAP;

/// Part of a file, and how it may be read.
pub(super) struct Stretch<'a> {
    pub(super) opened: &'a Opened,
    /// Where a frame begins.
    pub(super) position: u64,
    pub(super) end: u64,
    /// Bytes read at a time.
    pub(super) chunk: u64,
    pub(super) access: Access,
}

/// A batch as a visitor sees it.
pub(super) struct Seen<'a> {
    pub(super) header: &'a BatchHeader,
    pub(super) content: Bytes,
    /// Where the next frame begins.
    pub(super) behind: u64,
}

/// Says of each batch whether to go on.
pub(super) trait Visitor {
    /// Asked before a frame of this length is opened.
    fn wants(&mut self, _frame_len: u32) -> bool {
        true
    }

    fn see(&mut self, seen: Seen<'_>) -> bool;
}

impl<F: FnMut(&BatchHeader, Bytes) -> bool> Visitor for F {
    fn see(&mut self, seen: Seen<'_>) -> bool {
        self(seen.header, seen.content)
    }
}

/// Visits the batches of a stretch.
pub(super) fn visit(
    mut stretch: Stretch<'_>,
    visitor: &mut impl Visitor,
) -> Result<(), ContainerError> {
    let mut chunk = BytesMut::new();
    while stretch.position < stretch.end {
        if chunk.len() < FrameHeader::LEN {
            chunk = stretch.fill(stretch.chunk)?;
        }
        let header = FrameHeader::parse(&chunk, FRAME_CAP)?;
        let len = header.len as usize;
        let is_batch = header.kind == kind::BATCH;
        if is_batch && !visitor.wants(header.len) {
            return Ok(());
        }
        if chunk.len() < len {
            chunk = stretch.fill(stretch.chunk.max(len as u64))?;
        }
        if chunk.len() < len {
            return Err(FrameError::Short.into());
        }
        let bytes = chunk.split_to(len);
        let behind = stretch.position + len as u64;
        if is_batch {
            let frame = open_frame(&stretch.opened.key, stretch.position, bytes)?;
            let header = BatchHeader::parse(&frame.content).map_err(|_| FrameError::Content)?;
            let seen = Seen {
                header: &header,
                content: frame.content,
                behind,
            };
            if !visitor.see(seen) {
                return Ok(());
            }
        }
        stretch.position = behind;
    }
    Ok(())
}

impl Stretch<'_> {
    fn fill(&self, len: u64) -> Result<BytesMut, ContainerError> {
        let len = (self.end - self.position).min(len);
        let file = &self.opened.file;
        if self.access == Access::AtHand && len > AT_HAND_MAX {
            return Err(must_wait());
        }
        let mut chunk = BytesMut::zeroed(len as usize);
        let read = match self.access {
            Access::AtHand => file.read_cached_at(&mut chunk, self.position)?,
            Access::Disk => file.read_at(&mut chunk, self.position)?,
        };
        chunk.truncate(read);
        Ok(chunk)
    }
}

/// What [`Access::AtHand`] gives when it is not enough.
pub(super) fn must_wait() -> ContainerError {
    ContainerError::Io(std::io::ErrorKind::WouldBlock.into())
}

/// Bytes read ahead of what is asked, so that a batch in the middle of an index step is found.
pub(super) const READ_AHEAD: u64 = 64 << 10;
/// Bytes that are read and opened without a thread of their own: about 0.1 ms of work.
const AT_HAND_MAX: u64 = 256 << 10;
