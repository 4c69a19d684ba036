//! The log engine as the request handlers see it: topics, appends, reads, and what is durable.
//!
//! In: checked requests. Out: positions, bytes, error codes. Everything that was answered as durable survives a crash.
//! No Kafka frames here; what a request means is the handlers' business.

mod admin;
pub(crate) mod foundation;
mod inspect;
pub(crate) mod keyring;
mod open;
mod upkeep;

use std::sync::Arc;

use bytes::Bytes;
use kastellan_core::time::{Clock, Timestamp};
use seal::at_rest::Keyring;
use seal::master::MasterKey;
use wire::error::ErrorCode;
use wire::record::TimedOffset;

use crate::catalog::CatalogJournal;
pub use crate::catalog::{Topic, Topics};
use crate::disk::Disk;
use crate::failure::Failure;
pub use crate::groups_journal::GroupsJournal;
pub use crate::notes::AnchorMark;
use crate::notes::Notes;
use crate::offsets::Place;
pub use crate::partition::{AppendRefusal, Appended, View};
use crate::partition::{PartitionShared, Partitions};
pub use crate::read::ReadError;
use crate::read::Reader;
use crate::settings::Settings;
use crate::shard::Shards;
use crate::sync::SyncPool;
pub use crate::sync::{NotDurable, Ticket};
pub use crate::waiters::Waiter;

pub use admin::{NewTopic, SettingChange, SettingScope};
pub use inspect::{Exported, RootKeyUse, Verified};
pub use keyring::RotateError;
pub use open::{LogOptions, OpenError, Opened};

/// The whole log. Cheap to clone.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: LogOptions,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Clock,
    pub(crate) keyring: Arc<Keyring>,
    /// Asked when a root key is made.
    pub(crate) master: Arc<dyn MasterKey>,
    pub(crate) catalog: Arc<CatalogJournal>,
    pub(crate) groups: GroupsJournal,
    pub(crate) partitions: Arc<Partitions>,
    pub(crate) shards: Shards,
    pub(crate) reader: Reader,
    pub(crate) sync: Arc<SyncPool>,
    pub(crate) failure: Arc<Failure>,
    pub(crate) space: Arc<crate::space::Space>,
    pub(crate) notes: Arc<Notes>,
    /// Changes of topics and settings wait for one another.
    pub(crate) changes: tokio::sync::Mutex<()>,
}

impl Drop for Inner {
    /// The threads end with the log, also when nobody stopped it.
    fn drop(&mut self) {
        self.sync.stop();
    }
}

/// A batch to append.
#[derive(Clone, Debug)]
pub struct Append {
    pub place: Place,
    /// The records field as it came.
    pub records: Option<Bytes>,
    /// Version of the Produce request: zstd needs 7.
    pub produce_version: i16,
    /// -1, 0 or 1.
    pub acks: i16,
}

/// Where the log lies, for DescribeLogDirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub total: u64,
    pub usable: u64,
}

impl Log {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// 22 characters, as Kafka writes a cluster id.
    pub fn cluster_id(&self) -> &str {
        self.0.keyring.cluster_id()
    }

    pub fn options(&self) -> &LogOptions {
        &self.0.options
    }

    /// Topics with their settings, as of now.
    pub fn topics(&self) -> Arc<Topics> {
        self.0.catalog.topics()
    }

    /// Settings of the broker that were changed while it ran.
    pub fn broker_settings(&self) -> Settings {
        self.0.catalog.broker_settings()
    }

    /// Settings of one group.
    pub fn group_settings(&self, group: &str) -> Settings {
        self.0.catalog.group_settings(group)
    }

    /// Takes a batch into the log. When this returns, the batch has its place behind every earlier one; it is durable
    /// when [`Appended::durable`] says so.
    pub async fn append(&self, append: Append) -> Result<Appended, AppendRefusal> {
        self.0.shards.append(append).await
    }

    /// What a partition is like now. `None`: no such topic or partition.
    pub fn view(&self, place: Place) -> Option<View> {
        self.0.partitions.get(place).map(|shared| shared.view())
    }

    pub(crate) fn partition(&self, place: Place) -> Option<Arc<PartitionShared>> {
        self.0.partitions.get(place)
    }

    /// Whole batches from the one that contains `offset` on, below the high watermark, up to `max_bytes`; with
    /// `at_least_one` the first even if it is larger.
    pub async fn read(
        &self,
        place: Place,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Bytes>, ReadError> {
        self.0
            .reader
            .read(place, offset, max_bytes, at_least_one)
            .await
    }

    /// About how many bytes a read from `offset` could give; 0 exactly when it would give none. Reads no file.
    pub fn readable_bytes(&self, place: Place, offset: i64) -> u64 {
        self.0
            .partitions
            .get(place)
            .map_or(0, |shared| shared.readable_bytes(offset))
    }

    /// Wakes the waiter once, at the next change of the partition (high watermark, log start, deletion, offline).
    /// Check again after registering.
    pub fn watch(&self, place: Place, waiter: &Arc<Waiter>) {
        if let Some(shared) = self.0.partitions.get(place) {
            shared.waiters.add(waiter);
        }
    }

    /// The first record at or after a time (ms), at or above the log start and below the high watermark.
    pub async fn first_at_or_after(
        &self,
        place: Place,
        time: i64,
    ) -> Result<Option<TimedOffset>, ReadError> {
        self.0.reader.first_at_or_after(place, time).await
    }

    /// The first record that has the largest timestamp.
    pub async fn latest_timestamp(&self, place: Place) -> Result<Option<TimedOffset>, ReadError> {
        self.0.reader.latest_timestamp(place).await
    }

    /// The largest known epoch that is not above `epoch`, and where the next one begins (or the end).
    ///
    /// `None`: `epoch` is above the current one, or below every known one.
    pub fn epoch_end(&self, place: Place, epoch: i32) -> Option<(i32, i64)> {
        self.0.partitions.get(place)?.epoch_end(epoch)
    }

    /// Bytes of a partition's files.
    pub fn partition_bytes(&self, place: Place) -> u64 {
        self.0
            .partitions
            .get(place)
            .map_or(0, |shared| shared.file_bytes())
    }

    pub fn disk_space(&self) -> Space {
        self.0.space.now()
    }

    /// Registers nothing; the ids of one block of 1 000 are durable before the first goes out.
    pub async fn next_producer_id(&self) -> Result<i64, ErrorCode> {
        self.0.catalog.next_producer_id().await
    }

    pub fn groups_journal(&self) -> &GroupsJournal {
        &self.0.groups
    }

    /// Whether a sync failed: nothing is promised any more until a restart.
    pub fn has_failed(&self) -> bool {
        self.0.failure.has_failed()
    }

    /// Ends when a sync fails; tells what failed.
    pub async fn failed(&self) -> String {
        self.0.failure.wait().await
    }

    /// Whether there is too little disk space for more records.
    pub fn is_full(&self) -> bool {
        self.0.space.is_full()
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Removes segments whose time or size is up, once. The retention task calls it.
    pub async fn retain(&self) {
        crate::retain::run(&self.0).await;
    }

    /// Writes close frames, syncs everything, and says in the catalog that it stopped well.
    pub async fn stop(&self) -> Result<(), ErrorCode> {
        self.0.shards.stop().await;
        if self.has_failed() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        upkeep::note_synced_ends(&self.0).await?;
        let positions = self.0.partitions.final_positions();
        self.0.catalog.stopped(positions).await?;
        self.0.notes.anchor(&self.0.catalog.anchor_mark());
        self.0.sync.stop();
        Ok(())
    }
}
