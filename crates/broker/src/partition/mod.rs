//! One partition's log: checks, offsets, files, roll. Owned by one shard; readers see [`PartitionShared`].

mod append;
pub(crate) mod opening;
mod roll;
mod shared;

use std::sync::Arc;

use kastellan_core::time::{Clock, Timestamp};
use seal::at_rest::{FileHeader, Keyring};
use wire::error::ErrorCode;

use crate::catalog::CatalogJournal;
use crate::container::{LastFrame, Writer};
use crate::disk::Disk;
use crate::failure::Failure;
use crate::offsets::Place;
use crate::producers::Producers;
use crate::segment::{Segment, SegmentName};
use crate::sync::{SyncFile, SyncPool, Ticket};

pub(crate) use opening::{Opening, Predecessor};
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
}

impl From<ErrorCode> for AppendRefusal {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            message: None,
            records: Vec::new(),
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
        Self {
            place,
            shared,
            tools,
            producers,
            epoch,
            active: None,
            before,
        }
    }

    pub(crate) fn dir(place: Place) -> String {
        format!("p/{}/{}", place.topic.simple(), place.partition)
    }

    /// Forgets producers that are idle for a day.
    pub(crate) fn expire_producers(&mut self) {
        self.producers.expire(self.tools.clock.now());
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
