//! What readers see of a partition: numbers and files, never waiting for its writer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use crate::offsets::Place;
use crate::segment::Segment;
use crate::waiters::Waiters;

/// A partition as of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    pub log_start: i64,
    /// Everything below is durable and may be read.
    pub high_watermark: i64,
    pub end: i64,
    pub leader_epoch: i32,
    /// Damaged, or its disk cannot be read: KAFKA_STORAGE_ERROR.
    pub is_offline: bool,
}

#[derive(Default)]
pub(crate) struct PartitionShared {
    log_start: AtomicI64,
    high_watermark: AtomicI64,
    end: AtomicI64,
    epoch: AtomicI32,
    is_offline: AtomicBool,
    is_deleted: AtomicBool,
    segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    epochs: Mutex<Vec<(i32, i64)>>,
    pub waiters: Waiters,
}

impl PartitionShared {
    pub(crate) fn new(log_start: i64, end: i64, epoch: i32, epochs: Vec<(i32, i64)>) -> Arc<Self> {
        let shared = Self::default();
        shared.log_start.store(log_start, Ordering::SeqCst);
        shared.high_watermark.store(end, Ordering::SeqCst);
        shared.end.store(end, Ordering::SeqCst);
        shared.epoch.store(epoch, Ordering::SeqCst);
        *shared
            .epochs
            .lock()
            .expect("nobody panics while holding it") = epochs;
        Arc::new(shared)
    }

    pub(crate) fn view(&self) -> View {
        View {
            log_start: self.log_start.load(Ordering::SeqCst),
            high_watermark: self.high_watermark(),
            end: self.end.load(Ordering::SeqCst),
            leader_epoch: self.epoch.load(Ordering::SeqCst),
            is_offline: self.is_offline.load(Ordering::SeqCst)
                || self.is_deleted.load(Ordering::SeqCst),
        }
    }

    pub(crate) fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::SeqCst)
    }

    pub(crate) fn end(&self) -> i64 {
        self.end.load(Ordering::SeqCst)
    }

    pub(crate) fn log_start(&self) -> i64 {
        self.log_start.load(Ordering::SeqCst)
    }

    pub(crate) fn set_end(&self, end: i64) {
        self.end.store(end, Ordering::SeqCst);
    }

    /// Records below are durable: readers may have them.
    pub(crate) fn raise_high_watermark(&self, to: i64) {
        if self.high_watermark.fetch_max(to, Ordering::SeqCst) < to {
            self.waiters.wake();
        }
    }

    pub(crate) fn raise_log_start(&self, to: i64) {
        if self.log_start.fetch_max(to, Ordering::SeqCst) < to {
            self.waiters.wake();
        }
    }

    pub(crate) fn set_offline(&self) {
        self.is_offline.store(true, Ordering::SeqCst);
        self.waiters.wake();
    }

    pub(crate) fn set_deleted(&self) {
        self.is_deleted.store(true, Ordering::SeqCst);
        self.waiters.wake();
    }

    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments
            .read()
            .expect("nobody panics while holding it")
            .clone()
    }

    /// Only the partition's writer calls this.
    pub(crate) fn set_segments(&self, segments: Vec<Arc<Segment>>) {
        *self
            .segments
            .write()
            .expect("nobody panics while holding it") = Arc::new(segments);
    }

    pub(crate) fn note_epoch(&self, epoch: i32, start: i64) {
        let mut epochs = self.epochs.lock().expect("nobody panics while holding it");
        if epochs.last().is_none_or(|(last, _)| *last < epoch) {
            epochs.push((epoch, start));
        }
    }

    pub(crate) fn epochs(&self) -> Vec<(i32, i64)> {
        self.epochs
            .lock()
            .expect("nobody panics while holding it")
            .clone()
    }

    /// Kafka's `LeaderEpochFileCache.endOffsetFor`.
    pub(crate) fn epoch_end(&self, asked: i32) -> Option<(i32, i64)> {
        let current = self.epoch.load(Ordering::SeqCst);
        if asked > current {
            return None;
        }
        let end = self.high_watermark();
        if asked == current {
            return Some((current, end));
        }
        let epochs = self.epochs();
        let at = epochs.partition_point(|(epoch, _)| *epoch <= asked);
        let behind = epochs.get(at).map(|(_, start)| *start);
        match at.checked_sub(1).and_then(|at| epochs.get(at)) {
            Some((epoch, _)) => Some((*epoch, behind.unwrap_or(end))),
            // Older than all that is known (Kafka `LeaderEpochFileCache.endOffsetFor`).
            None => behind.filter(|_| asked >= 0).map(|start| (asked, start)),
        }
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.segments().iter().map(|segment| segment.len()).sum()
    }

    /// About how many bytes lie between an offset and the high watermark; 0 exactly when there are none.
    pub(crate) fn readable_bytes(&self, offset: i64) -> u64 {
        let end = self.high_watermark();
        if offset >= end {
            return 0;
        }
        let segments = self.segments();
        let first = segments
            .partition_point(|segment| segment.name.base <= offset)
            .saturating_sub(1);
        let mut bytes = 0;
        for segment in segments.iter().skip(first) {
            let skipped = segment
                .known_extent(|extent| {
                    let from = extent.before(offset).map_or(0, |entry| entry.position);
                    extent.position.saturating_sub(from)
                })
                .unwrap_or_else(|| segment.len());
            bytes += skipped;
        }
        bytes.max(1)
    }
}

/// Every partition there is.
#[derive(Default)]
pub(crate) struct Partitions(RwLock<HashMap<Place, Arc<PartitionShared>>>);

impl Partitions {
    pub(crate) fn get(&self, place: Place) -> Option<Arc<PartitionShared>> {
        self.0
            .read()
            .expect("nobody panics while holding it")
            .get(&place)
            .cloned()
    }

    pub(crate) fn insert(&self, place: Place, shared: Arc<PartitionShared>) {
        self.0
            .write()
            .expect("nobody panics while holding it")
            .insert(place, shared);
    }

    pub(crate) fn remove(&self, place: Place) -> Option<Arc<PartitionShared>> {
        self.0
            .write()
            .expect("nobody panics while holding it")
            .remove(&place)
    }

    pub(crate) fn all(&self) -> Vec<(Place, Arc<PartitionShared>)> {
        let map = self.0.read().expect("nobody panics while holding it");
        map.iter()
            .map(|(place, shared)| (*place, shared.clone()))
            .collect()
    }

    /// For the catalog's last entry: end offset and length of each newest file that was closed.
    pub(crate) fn final_positions(&self) -> Vec<(Place, i64, u64)> {
        let mut list = Vec::new();
        for (place, shared) in self.all() {
            let newest = shared.segments().last().cloned();
            if let Some(newest) = newest.filter(|newest| newest.is_closed())
                && !shared.view().is_offline
            {
                list.push((place, shared.end(), newest.len()));
            }
        }
        list.sort_by_key(|(place, _, _)| *place);
        list
    }
}
