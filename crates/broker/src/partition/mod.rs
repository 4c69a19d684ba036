//! One partition's log: checks, offsets, files, roll. Owned by one shard; readers see [`PartitionShared`].

mod append;
pub(crate) mod opening;
mod pending;
mod roll;
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kastellan_core::time::{Clock, Timestamp};
use seal::at_rest::{FileHeader, Keyring};
use wire::error::ErrorCode;

use crate::catalog::CatalogJournal;
use crate::container::{LastFrame, Writer};
use crate::disk::Disk;
use crate::failure::Failure;
use crate::notes::Notes;
use crate::offsets::Place;
use crate::producers::Producers;
use crate::segment::{Segment, SegmentName};
use crate::sync::{SyncFile, SyncPool, Ticket};
use pending::Pending;

pub(crate) use opening::{Opening, Predecessor};
pub(crate) use pending::Reply;
pub use shared::View;
pub(crate) use shared::{PartitionShared, Partitions};

/// What every partition needs of the log.
pub(crate) struct Tools {
    pub disk: Arc<dyn Disk>,
    pub keyring: Arc<Keyring>,
    pub sync: Arc<SyncPool>,
    pub catalog: Arc<CatalogJournal>,
    pub failure: Arc<Failure>,
    pub space: Arc<crate::space::Space>,
    pub clock: Clock,
    /// Producers remembered in all partitions.
    pub producers: AtomicUsize,
    pub max_producers: usize,
    pub notes: Arc<Notes>,
}

impl Tools {
    /// Puts on record why a partition is offline.
    pub(crate) fn damaged(&self, place: Place, file: &str, position: Option<u64>, reason: &str) {
        let topics = self.catalog.topics();
        let name = topics
            .by_id(place.topic)
            .map_or("", |topic| topic.name.as_str());
        self.notes
            .corruption(name, place.partition, file, position, reason);
    }
}

/// The writer's side.
pub(crate) struct Partition {
    pub(crate) place: Place,
    pub(crate) shared: Arc<PartitionShared>,
    tools: Arc<Tools>,
    producers: Producers,
    epoch: i32,
    active: Option<Active>,
    /// The file before the next one.
    before: Option<Predecessor>,
    /// Batches that have their place and wait for the write that takes them all.
    pending: Vec<Pending>,
    /// The offset of the next batch, behind those that wait.
    next: i64,
    /// Producers of this partition that are counted in [`Tools::producers`].
    counted: usize,
}

/// The file that takes batches.
struct Active {
    writer: Writer,
    header: FileHeader,
    name: SegmentName,
    segment: Arc<Segment>,
    sync_file: Arc<SyncFile>,
    created: Timestamp,
    /// Bytes before the first batch.
    opening_len: u64,
}

/// A batch that has its place.
#[derive(Debug)]
pub struct Appended {
    pub base_offset: i64,
    /// The broker's time, if the topic uses it; else -1.
    pub log_append_time: i64,
    pub log_start: i64,
    /// Completes when the batch is durable.
    pub durable: Ticket,
}

/// Why a batch was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendRefusal {
    pub code: ErrorCode,
    pub message: Option<&'static str>,
    /// Records that are to blame, by position, with a reason.
    pub records: Vec<(i32, &'static str)>,
    /// The partition itself judged the batch; Kafka tells the start of the log then.
    pub is_judged: bool,
}

impl From<ErrorCode> for AppendRefusal {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            message: None,
            records: Vec::new(),
            is_judged: false,
        }
    }
}

/// What recovery knows of a partition.
pub(crate) struct Recovered {
    pub shared: Arc<PartitionShared>,
    pub producers: Producers,
    pub before: Option<Predecessor>,
}

impl Partition {
    pub(crate) fn new(place: Place, recovered: Recovered, tools: Arc<Tools>) -> Self {
        let epoch = i32::try_from(tools.catalog.incarnation()).unwrap_or(i32::MAX);
        let Recovered {
            shared,
            producers,
            before,
        } = recovered;
        let next = shared.end();
        let mut partition = Self {
            place,
            shared,
            tools,
            producers,
            epoch,
            active: None,
            before,
            pending: Vec::new(),
            next,
            counted: 0,
        };
        partition.count_producers();
        partition
    }

    pub(crate) fn dir(place: Place) -> String {
        format!("p/{}/{}", place.topic.simple(), place.partition)
    }

    /// Forgets producers that are idle for a day.
    pub(crate) fn expire_producers(&mut self) {
        self.producers.expire(self.tools.clock.now());
        self.count_producers();
    }

    /// When each producer was last used.
    pub(crate) fn producers_used(&self) -> impl Iterator<Item = Timestamp> {
        self.producers.used()
    }

    /// Forgets producers that were not used after a time.
    pub(crate) fn forget_producers(&mut self, until: Timestamp) {
        self.producers.forget(until);
        self.count_producers();
    }

    /// Keeps the count of all producers true.
    fn count_producers(&mut self) {
        let (now, before) = (self.producers.len(), self.counted);
        self.counted = now;
        let all = &self.tools.producers;
        if now >= before {
            all.fetch_add(now - before, Ordering::Relaxed);
        } else {
            all.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    fn last_frame(active: &Active) -> Predecessor {
        Predecessor {
            file_id: active.header.file_id,
            base: active.name.base,
            incarnation: active.name.incarnation,
            len: active.writer.position(),
            last: LastFrame {
                ..active.writer.last()
            },
        }
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        self.tools
            .producers
            .fetch_sub(self.counted, Ordering::Relaxed);
    }
}
