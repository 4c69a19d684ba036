//! Batches from an offset on, as many as are wanted.

use std::sync::Arc;

use bytes::Bytes;
use seal::at_rest::{FRAME_OVERHEAD, FrameError};

use super::Access;
use super::visit::{READ_AHEAD, Seen, Stretch, Visitor, must_wait, visit};
use crate::container::{ContainerError, Opened};
use crate::partition::PartitionShared;
use crate::segment::{Files, Segment};

/// What is read of a partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) offset: i64,
    pub(super) max_bytes: usize,
    /// The first batch goes out whatever its size.
    pub(super) at_least_one: bool,
}

pub(super) fn read(
    shared: &PartitionShared,
    files: &Files,
    wanted: Wanted,
    access: Access,
) -> Result<Vec<Bytes>, ContainerError> {
    let mut gather = Gather {
        wanted,
        limit: shared.high_watermark(),
        log_start: shared.log_start(),
        next: wanted.offset,
        total: 0,
        found: Vec::new(),
        behind: None,
        has_gap: false,
        is_done: false,
    };
    if wanted.offset >= gather.limit {
        return Ok(gather.found);
    }
    let segments = shared.segments();
    for segment in segments
        .iter()
        .skip(first_segment(&segments, wanted.offset))
    {
        let left = wanted.max_bytes.saturating_sub(gather.total) as u64;
        let Some(found) = find(segment, files, gather.next, access)? else {
            continue;
        };
        files.used(segment);
        let stretch = Stretch {
            opened: &found.opened,
            position: found.position,
            end: found.end,
            chunk: left.saturating_add(found.read_ahead),
            access,
        };
        visit(stretch, &mut gather)?;
        if let Some(behind) = gather.behind.take() {
            segment.note(gather.next, behind);
        }
        if gather.has_gap {
            return Err(FrameError::Content.into());
        }
        if gather.is_done || gather.total >= wanted.max_bytes {
            break;
        }
    }
    Ok(gather.found)
}

/// Where to read in a segment.
struct Found {
    opened: Arc<Opened>,
    position: u64,
    end: u64,
    read_ahead: u64,
}

/// `None`: there is no batch in it.
fn find(
    segment: &Segment,
    files: &Files,
    offset: i64,
    access: Access,
) -> Result<Option<Found>, ContainerError> {
    let place = match access {
        Access::AtHand => segment
            .extent_at_hand(|extent| (extent.before(offset), extent.position))
            .ok_or_else(must_wait)?,
        Access::Disk => {
            segment.with_extent(files, |extent| (extent.before(offset), extent.position))?
        }
    };
    let (Some(before), end) = place else {
        return Ok(None);
    };
    let opened = match access {
        Access::AtHand => segment.opened_at_hand().ok_or_else(must_wait)?,
        Access::Disk => files.open(segment)?,
    };
    let (position, read_ahead) = match segment.noted(offset) {
        Some(position) => (position, FRAMES_AHEAD),
        None => (before.position, READ_AHEAD),
    };
    Ok(Some(Found {
        opened,
        position,
        end,
        read_ahead,
    }))
}

fn first_segment(segments: &[Arc<Segment>], offset: i64) -> usize {
    segments
        .partition_point(|segment| segment.name.base <= offset)
        .saturating_sub(1)
}

/// Collects batches that follow one another.
struct Gather {
    wanted: Wanted,
    /// The first offset that may not be read.
    limit: i64,
    log_start: i64,
    /// The offset behind what was found.
    next: i64,
    total: usize,
    found: Vec<Bytes>,
    /// The position behind what was found in this file.
    behind: Option<u64>,
    has_gap: bool,
    is_done: bool,
}

impl Gather {
    fn fits(&self, bytes: usize) -> bool {
        self.total + bytes <= self.wanted.max_bytes || (self.total == 0 && self.wanted.at_least_one)
    }

    fn end(&mut self) -> bool {
        self.is_done = true;
        false
    }
}

impl Visitor for Gather {
    /// A batch that cannot fit is not opened. The first ones may lie before the wanted offset.
    fn wants(&mut self, frame_len: u32) -> bool {
        let least = (frame_len as usize).saturating_sub(FRAME_OVERHEAD + PADDING_MAX);
        self.total == 0 || self.fits(least) || self.end()
    }

    fn see(&mut self, seen: Seen<'_>) -> bool {
        let batch = seen.header;
        if batch.last_offset() < self.wanted.offset {
            return true;
        }
        if batch.last_offset() >= self.limit || !self.fits(seen.content.len()) {
            return self.end();
        }
        if batch.base_offset > self.next {
            // Offsets follow one another: what lies between is lost, unless it was removed just now.
            self.has_gap = self.next >= self.log_start;
            return self.end();
        }
        self.next = batch.last_offset() + 1;
        self.total += seen.content.len();
        self.behind = Some(seen.behind);
        self.found.push(seen.content);
        true
    }
}

/// Read beyond what is wanted when the position is known: room for the frames around the batches.
const FRAMES_AHEAD: u64 = 4 << 10;
/// Zeroes in a frame, at most.
const PADDING_MAX: usize = 255;
