//! Reads batches: by offset for a fetch, by time for a look-up.
//!
//! What lies in the kernel's memory is read where it is asked for, if it is little; everything else on blocking threads,
//! a few at a time.

mod batches;
mod times;
mod visit;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use wire::error::ErrorCode;
use wire::record::TimedOffset;

use crate::container::ContainerError;
use crate::offsets::Place;
use crate::partition::{Partition, PartitionShared, Partitions, Tools};
use crate::segment::Files;

use batches::Wanted;

/// Reads of files at once.
const READERS: usize = 16;

/// What a read may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Nothing: `WouldBlock` if a disk, or somebody who uses it, would have to be waited for.
    AtHand,
    Disk,
}

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
    tools: Arc<Tools>,
}

impl Reader {
    pub(crate) fn new(partitions: Arc<Partitions>, files: Arc<Files>, tools: Arc<Tools>) -> Self {
        Self {
            partitions,
            files,
            places: Arc::new(Semaphore::new(READERS)),
            tools,
        }
    }

    pub(crate) fn files(&self) -> &Arc<Files> {
        &self.files
    }

    pub(crate) async fn read(
        &self,
        place: Place,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Bytes>, ReadError> {
        let wanted = Wanted {
            offset,
            max_bytes,
            at_least_one,
        };
        let shared = self.online(place)?;
        match batches::read(&shared, &self.files, wanted, Access::AtHand) {
            Err(error) if would_block(&error) => {}
            done => return done.map_err(|error| damaged(&shared, place, &self.tools, &error)),
        }
        self.run(place, move |shared, files| {
            batches::read(shared, files, wanted, Access::Disk)
        })
        .await
    }

    pub(crate) async fn first_at_or_after(
        &self,
        place: Place,
        time: i64,
    ) -> Result<Option<TimedOffset>, ReadError> {
        self.run(place, move |shared, files| {
            times::first_at_or_after(shared, files, time)
        })
        .await
    }

    pub(crate) async fn latest_timestamp(
        &self,
        place: Place,
    ) -> Result<Option<TimedOffset>, ReadError> {
        self.run(place, times::latest_timestamp).await
    }

    fn online(&self, place: Place) -> Result<Arc<PartitionShared>, ReadError> {
        let shared = self.partitions.get(place).ok_or(ReadError::Unknown)?;
        match shared.view().is_offline {
            true => Err(ReadError::Offline),
            false => Ok(shared),
        }
    }

    /// Runs blocking work on a partition; an I/O or seal error takes the partition offline.
    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&PartitionShared, &Files) -> Result<T, ContainerError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let shared = self.online(place)?;
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| ReadError::Offline)?;
        let (files, tools) = (self.files.clone(), self.tools.clone());
        let done = tokio::task::spawn_blocking(move || {
            work(&shared, &files).map_err(|error| damaged(&shared, place, &tools, &error))
        });
        done.await.unwrap_or(Err(ReadError::Offline))
    }
}

/// Takes the partition offline, unless retention just removed the file: that is no damage.
fn damaged(
    shared: &PartitionShared,
    place: Place,
    tools: &Tools,
    error: &ContainerError,
) -> ReadError {
    if !is_gone(error) && !shared.view().is_offline {
        tracing::error!(%error, "Partition cannot be read and goes offline");
        shared.set_offline();
        metrics::gauge!("log_partitions_offline").increment(1.0);
        tools.damaged(place, &Partition::dir(place), None, &error.to_string());
    }
    ReadError::Offline
}

fn is_gone(error: &ContainerError) -> bool {
    matches!(error, ContainerError::Io(error) if error.kind() == std::io::ErrorKind::NotFound)
}

fn would_block(error: &ContainerError) -> bool {
    matches!(error, ContainerError::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}
