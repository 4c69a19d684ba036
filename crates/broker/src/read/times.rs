//! Offsets by time.

use bytes::Bytes;
use wire::record::{self, Batch, BatchHeader, ExpansionCaps, TimedOffset};

use super::Access;
use super::visit::{READ_AHEAD, Stretch, visit};
use crate::container::{ContainerError, Opened};
use crate::partition::PartitionShared;
use crate::segment::{Files, Segment};

pub(super) fn first_at_or_after(
    shared: &PartitionShared,
    files: &Files,
    time: i64,
) -> Result<Option<TimedOffset>, ContainerError> {
    let (start, limit) = (shared.log_start(), shared.high_watermark());
    let caps = ExpansionCaps::default();
    for segment in shared.segments().iter() {
        if segment.max_timestamp(files)?.0 < time {
            continue;
        }
        let (from, end) =
            segment.with_extent(files, |extent| (extent.before_time(time), extent.position))?;
        let Some(from) = from else { continue };
        files.used(segment);
        let mut found = None;
        let opened = files.open(segment)?;
        let mut look = |header: &BatchHeader, content: Bytes| {
            if header.base_offset >= limit {
                return false;
            }
            if header.max_timestamp < time || header.last_offset() < start {
                return true;
            }
            found = Batch::parse(&content).ok().and_then(|batch| {
                record::first_at_or_after(&batch, time, start, &caps)
                    .ok()
                    .flatten()
            });
            found.is_none()
        };
        visit(stretch(&opened, from.position, end), &mut look)?;
        if found.is_some_and(|found: TimedOffset| found.offset < limit) {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(super) fn latest_timestamp(
    shared: &PartitionShared,
    files: &Files,
) -> Result<Option<TimedOffset>, ContainerError> {
    let (start, limit) = (shared.log_start(), shared.high_watermark());
    let mut best: Option<i64> = None;
    for segment in shared.segments().iter() {
        let (mut timestamp, offset) = segment.max_timestamp(files)?;
        if best.is_some_and(|best| timestamp <= best) {
            continue;
        }
        if offset < start || offset >= limit {
            timestamp = max_timestamp_within(segment, files, start, limit)?;
        }
        best = best.max(Some(timestamp).filter(|timestamp| *timestamp >= 0));
    }
    match best {
        Some(timestamp) => first_at_or_after(shared, files, timestamp),
        None => Ok(None),
    }
}

/// The largest timestamp of the batches that lie wholly within a range; -1 if there is none.
fn max_timestamp_within(
    segment: &Segment,
    files: &Files,
    start: i64,
    limit: i64,
) -> Result<i64, ContainerError> {
    let (from, end) =
        segment.with_extent(files, |extent| (extent.before(start), extent.position))?;
    let mut best = -1;
    if let Some(from) = from {
        let opened = files.open(segment)?;
        let mut look = |header: &BatchHeader, _: Bytes| {
            let is_below = header.last_offset() < limit;
            if is_below && header.base_offset >= start {
                best = best.max(header.max_timestamp);
            }
            is_below
        };
        visit(stretch(&opened, from.position, end), &mut look)?;
    }
    Ok(best)
}

fn stretch(opened: &Opened, position: u64, end: u64) -> Stretch<'_> {
    Stretch {
        opened,
        position,
        end,
        chunk: READ_AHEAD,
        access: Access::Disk,
    }
}
