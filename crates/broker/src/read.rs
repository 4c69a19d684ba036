//! Reads batches: by offset for a fetch, by time for a look-up. Runs on blocking threads, a few at a time.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use seal::at_rest::{FrameError, FrameHeader};
use tokio::sync::Semaphore;
use wire::error::ErrorCode;
use wire::record::{self, Batch, BatchHeader, ExpansionCaps, TimedOffset};

use crate::container::{ContainerError, Opened, kind, open_frame};
use crate::offsets::Place;
use crate::partition::{PartitionShared, Partitions};
use crate::segment::{FRAME_CAP, Files, Segment};

/// Reads of files at once.
const READERS: usize = 16;
/// Bytes read ahead of what is asked, so that a batch in the middle of an index step is found.
const READ_AHEAD: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("no such topic or partition")]
    Unknown,
    #[error("the partition is offline")]
    Offline,
}

impl ReadError {
    /// What Kafka answers.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Offline => ErrorCode::KAFKA_STORAGE_ERROR,
        }
    }
}

/// Reads from every partition.
pub(crate) struct Reader {
    partitions: Arc<Partitions>,
    files: Arc<Files>,
    places: Arc<Semaphore>,
}

impl Reader {
    pub(crate) fn new(partitions: Arc<Partitions>, files: Arc<Files>) -> Self {
        Self {
            partitions,
            files,
            places: Arc::new(Semaphore::new(READERS)),
        }
    }

    pub(crate) fn files(&self) -> &Arc<Files> {
        &self.files
    }

    /// Runs blocking work on a partition; an I/O or seal error takes the partition offline.
    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&PartitionShared, &Files) -> Result<T, ContainerError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let shared = self.partitions.get(place).ok_or(ReadError::Unknown)?;
        if shared.view().is_offline {
            return Err(ReadError::Offline);
        }
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| ReadError::Offline)?;
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&shared, &files).map_err(|error| {
                // A file that retention just removed is no damage.
                if !is_gone(&error) {
                    tracing::error!(%error, "Partition cannot be read and goes offline");
                    shared.set_offline();
                }
            })
        });
        done.await
            .ok()
            .and_then(Result::ok)
            .ok_or(ReadError::Offline)
    }

    pub(crate) async fn read(
        &self,
        place: Place,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Bytes>, ReadError> {
        self.run(place, move |shared, files| {
            read(shared, files, offset, max_bytes, at_least_one)
        })
        .await
    }

    pub(crate) async fn first_at_or_after(
        &self,
        place: Place,
        time: i64,
    ) -> Result<Option<TimedOffset>, ReadError> {
        self.run(place, move |shared, files| {
            first_at_or_after(shared, files, time)
        })
        .await
    }

    pub(crate) async fn latest_timestamp(
        &self,
        place: Place,
    ) -> Result<Option<TimedOffset>, ReadError> {
        self.run(place, latest_timestamp).await
    }
}

fn is_gone(error: &ContainerError) -> bool {
    matches!(error, ContainerError::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
}

/// Visits the batches of a segment from an indexed position on; the visitor says whether to go on.
fn visit(
    opened: &Opened,
    mut position: u64,
    end: u64,
    chunk_len: u64,
    mut visitor: impl FnMut(&BatchHeader, Bytes) -> bool,
) -> Result<(), ContainerError> {
    let mut chunk = BytesMut::new();
    while position < end {
        if chunk.len() < FrameHeader::LEN {
            chunk = fill(opened, position, end, chunk_len)?;
        }
        let header = FrameHeader::parse(&chunk, FRAME_CAP)?;
        let len = header.len as usize;
        if chunk.len() < len {
            chunk = fill(opened, position, end, chunk_len.max(len as u64))?;
        }
        if chunk.len() < len {
            return Err(FrameError::Short.into());
        }
        let bytes = chunk.split_to(len);
        if header.kind == kind::BATCH {
            let frame = open_frame(&opened.key, position, bytes)?;
            let batch = BatchHeader::parse(&frame.content).map_err(|_| FrameError::Content)?;
            if !visitor(&batch, frame.content) {
                return Ok(());
            }
        }
        position += len as u64;
    }
    Ok(())
}

fn fill(opened: &Opened, position: u64, end: u64, len: u64) -> Result<BytesMut, ContainerError> {
    let len = (end - position).min(len) as usize;
    let mut chunk = BytesMut::zeroed(len);
    let read = opened.file.read_at(&mut chunk, position)?;
    chunk.truncate(read);
    Ok(chunk)
}

fn first_segment(segments: &[Arc<Segment>], offset: i64) -> usize {
    segments
        .partition_point(|segment| segment.name.base <= offset)
        .saturating_sub(1)
}

fn read(
    shared: &PartitionShared,
    files: &Files,
    offset: i64,
    max_bytes: usize,
    at_least_one: bool,
) -> Result<Vec<Bytes>, ContainerError> {
    let limit = shared.high_watermark();
    let mut found = Vec::new();
    if offset >= limit {
        return Ok(found);
    }
    let segments = shared.segments();
    let (mut total, mut is_done) = (0, false);
    let (mut next, mut has_gap) = (offset, false);
    for segment in segments.iter().skip(first_segment(&segments, offset)) {
        let (from, end) =
            segment.with_extent(files, |extent| (extent.before(offset), extent.position))?;
        let Some(from) = from else { continue };
        let opened = files.open(segment)?;
        files.used(segment);
        let chunk = (max_bytes.saturating_sub(total) as u64).saturating_add(READ_AHEAD);
        visit(&opened, from.position, end, chunk, |batch, content| {
            if batch.last_offset() < offset {
                return true;
            }
            let fits = total + content.len() <= max_bytes || (total == 0 && at_least_one);
            if batch.last_offset() >= limit || !fits {
                is_done = true;
                return false;
            }
            if batch.base_offset > next {
                // Offsets follow one another: what lies between is lost, unless it was removed just now.
                has_gap = next >= shared.log_start();
                is_done = true;
                return false;
            }
            next = batch.last_offset() + 1;
            total += content.len();
            found.push(content);
            true
        })?;
        if has_gap {
            return Err(FrameError::Content.into());
        }
        if is_done || total >= max_bytes {
            break;
        }
    }
    Ok(found)
}

fn first_at_or_after(
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
        visit(
            &*files.open(segment)?,
            from.position,
            end,
            READ_AHEAD,
            |header, content| {
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
            },
        )?;
        if found.is_some_and(|found: TimedOffset| found.offset < limit) {
            return Ok(found);
        }
    }
    Ok(None)
}

fn latest_timestamp(
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
        visit(&opened, from.position, end, READ_AHEAD, |header, _| {
            let is_below = header.last_offset() < limit;
            if is_below && header.base_offset >= start {
                best = best.max(header.max_timestamp);
            }
            is_below
        })?;
    }
    Ok(best)
}
