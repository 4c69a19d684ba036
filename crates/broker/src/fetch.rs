//! A fetch: waits until there is enough to read, then reads it.
//!
//! In: partitions with offsets, bounds, a deadline. Out: batches as they are stored, error codes. No Kafka messages
//! here. Waiting costs nothing: one waiter hangs in the lists of all partitions and is woken when one of them changes.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;
use wire::error::ErrorCode;

use crate::broker::Shared;
use crate::log::{Log, ReadError, View, Waiter};
use crate::offsets::Place;

/// One partition of a fetch.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    /// An error if the partition does not exist.
    pub(crate) place: Result<Place, ErrorCode>,
    pub(crate) offset: i64,
    /// Below 0: not checked.
    pub(crate) leader_epoch: i32,
    pub(crate) max_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) max_wait: Duration,
    pub(crate) min_bytes: u64,
    pub(crate) max_bytes: usize,
}

/// What was read from one partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    pub(crate) error: ErrorCode,
    pub(crate) high_watermark: i64,
    pub(crate) log_start: i64,
    pub(crate) records: Bytes,
}

impl Got {
    fn refused(error: ErrorCode) -> Self {
        Self {
            error,
            high_watermark: -1,
            log_start: -1,
            records: Bytes::new(),
        }
    }
}

/// Waits for the bounds to be met, then reads. Partitions are answered in the order they were asked.
pub(crate) async fn fetch(shared: &Shared, wants: &[Want], bounds: Bounds) -> Vec<Got> {
    if !bounds.max_wait.is_zero() && !wants.is_empty() {
        metrics::gauge!("log_fetch_waiters").increment(1.0);
        // A deadline that passes is an answer with less.
        let _ = tokio::time::timeout(bounds.max_wait, enough(shared, wants, bounds)).await;
        metrics::gauge!("log_fetch_waiters").decrement(1.0);
    }
    let max_bytes = bounds.max_bytes.min(shared.options.fetch_max);
    let (max_bytes, room) = shared.fetch_room(max_bytes);
    let mut answers = read(shared, wants, max_bytes).await;
    if let Some(room) = room {
        keep_room(&mut answers, room);
    }
    answers
}

/// Records on their way to a client, and their share of the memory for such.
struct Held {
    records: Bytes,
    _room: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.records
    }
}

/// The room is given back when the last of the records was sent: clients that do not read do not fill the memory.
fn keep_room(answers: &mut [Got], mut room: OwnedSemaphorePermit) {
    let bytes = answers.iter().map(|got| got.records.len()).sum();
    drop(room.split(room.num_permits().saturating_sub(bytes)));
    let room = Arc::new(room);
    for got in answers.iter_mut().filter(|got| !got.records.is_empty()) {
        got.records = Bytes::from_owner(Held {
            records: std::mem::take(&mut got.records),
            _room: room.clone(),
        });
    }
}

/// Ends when there is enough to read or something to report.
async fn enough(shared: &Shared, wants: &[Want], bounds: Bounds) {
    loop {
        // A new one each time: the lists of partitions that did not change still hold the one before.
        let waiter = Waiter::new();
        if is_enough(shared, wants, bounds) || shared.is_stopping() {
            return;
        }
        register(shared, wants, &waiter);
        // What changed between the look and the registration woke no one.
        if is_enough(shared, wants, bounds) || shared.is_stopping() {
            return;
        }
        waiter.woken().await;
    }
}

fn register(shared: &Shared, wants: &[Want], waiter: &Arc<Waiter>) {
    for place in wants.iter().filter_map(|want| want.place.ok()) {
        shared.log.watch(place, waiter);
    }
    shared.watch_stop(waiter);
}

fn is_enough(shared: &Shared, wants: &[Want], bounds: Bounds) -> bool {
    let mut bytes = 0;
    for want in wants {
        let Ok((place, _)) = check(shared, want) else {
            return true;
        };
        bytes += shared
            .log
            .readable_bytes(place, want.offset)
            .min(want.max_bytes as u64);
        if bytes >= bounds.min_bytes {
            return true;
        }
    }
    false
}

/// The partition as it is now, if this offset can be asked of it.
fn check(shared: &Shared, want: &Want) -> Result<(Place, View), ErrorCode> {
    let place = want.place?;
    let view = shared.online(place)?;
    crate::handle::check_epoch(want.leader_epoch, view.leader_epoch)?;
    if want.offset < view.log_start || want.offset > view.end {
        return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    Ok((place, view))
}

async fn read(shared: &Shared, wants: &[Want], max_bytes: usize) -> Vec<Got> {
    let mut left = max_bytes;
    // The first batch goes out even if it is larger than all bounds, so that every consumer gets on.
    let mut is_first = true;
    let mut answers = Vec::with_capacity(wants.len());
    let mut since_pause = 0;
    for want in wants {
        if since_pause >= PAUSE_AFTER {
            since_pause = 0;
            tokio::task::yield_now().await;
        }
        let got = match check(shared, want) {
            Ok((place, view)) => read_one(&shared.log, want, place, &view, left, is_first).await,
            Err(error) => Got::refused(error),
        };
        is_first &= got.records.is_empty();
        left = left.saturating_sub(got.records.len());
        since_pause += got.records.len() + LOOK;
        answers.push(got);
    }
    answers
}

/// A fetch of many partitions gives others their turn after so many bytes: about 0.1 ms of work. Looking into a partition
/// counts as a few.
const PAUSE_AFTER: usize = 192 << 10;
const LOOK: usize = 2 << 10;

async fn read_one(
    log: &Log,
    want: &Want,
    place: Place,
    view: &View,
    left: usize,
    is_first: bool,
) -> Got {
    let most = want.max_bytes.min(left);
    let readable = want.offset < view.high_watermark && (most > 0 || is_first);
    let records = match readable {
        true => log.read(place, want.offset, most, is_first).await,
        false => Ok(Vec::new()),
    };
    match records {
        Ok(batches) => Got {
            error: ErrorCode::NONE,
            high_watermark: view.high_watermark,
            log_start: view.log_start,
            records: joined(batches),
        },
        Err(error) => Got::refused(code_of(error)),
    }
}

/// What a client is told of a read that failed.
pub(crate) fn code_of(error: ReadError) -> ErrorCode {
    match error {
        ReadError::Unknown => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ReadError::Offline => ErrorCode::KAFKA_STORAGE_ERROR,
    }
}

/// Batches as one piece, as the message carries them. A single one is not copied.
fn joined(mut batches: Vec<Bytes>) -> Bytes {
    if batches.len() == 1 {
        return batches.remove(0);
    }
    let mut whole = BytesMut::with_capacity(batches.iter().map(Bytes::len).sum());
    for batch in &batches {
        whole.extend_from_slice(batch);
    }
    whole.freeze()
}
