//! Repair by hand, of a log that nobody serves: what is damaged is looked at, and given up only where somebody says so.
//!
//! In: the directory, and from which offset on records may be lost. Out: a report of what is lost; then files that a start
//! takes for whole. Nothing is removed: what is given up goes to `quarantine/`. Whoever calls this holds the directory's
//! lock and waits: it blocks.

mod journal;
mod partition;
mod survey;

use std::sync::Arc;

use kastellan_core::time::Clock;
use seal::at_rest::Keyring;
use seal::master::MasterKey;
use wire::error::ErrorCode;

use crate::catalog::State;
use crate::container::ContainerError;
use crate::disk::Disk;
use crate::failure::Failure;
use crate::journal::{self as journals, JournalError};
use crate::log::foundation::replay_catalog;
use crate::log::keyring::existing_keyring;
use crate::log::{LogOptions, OpenError};
use crate::recover::Corrupt;
use crate::sync::SyncPool;

pub use journal::{JournalKind, JournalReport};
pub use partition::{Dropped, PartitionReport};

#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("there is no topic {0:?}")]
    UnknownTopic(String),
    #[error("topic {topic:?} has partitions 0 to {last}")]
    UnknownPartition { topic: String, last: i32 },
    #[error("nothing is damaged: there is nothing to give up")]
    Whole,
    #[error(
        "records can be kept up to offset {good_until} at most, and from {log_start} on: accept a loss from an offset between them"
    )]
    OutOfRange { log_start: i64, good_until: i64 },
    #[error("{0}: the file cannot be read at all, not even its header")]
    Unreadable(String),
    #[error("{0}")]
    Failed(String),
}

impl From<ContainerError> for RepairError {
    fn from(error: ContainerError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<JournalError> for RepairError {
    fn from(error: JournalError) -> Self {
        Self::Open(error.into())
    }
}

impl From<Corrupt> for RepairError {
    fn from(error: Corrupt) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ErrorCode> for RepairError {
    fn from(code: ErrorCode) -> Self {
        Self::Failed(format!("the catalog cannot be written: {code}"))
    }
}

/// A log that is not served. Nothing is written before something is repaired.
pub struct Offline {
    options: LogOptions,
    master: Arc<dyn MasterKey>,
    disk: Arc<dyn Disk>,
    clock: Clock,
    keyring: Arc<Keyring>,
}

impl Offline {
    pub fn open(
        options: LogOptions,
        master: Arc<dyn MasterKey>,
        disk: Arc<dyn Disk>,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let keyring = existing_keyring(&options, disk.as_ref(), master.as_ref())?;
        let keyring = Arc::new(keyring.with_padding(options.padding));
        Ok(Self {
            options,
            master,
            disk,
            clock,
            keyring,
        })
    }

    fn journal(&self, kind: JournalKind) -> Result<journals::Place, OpenError> {
        let failure = Arc::new(Failure::default());
        let (linger, clock) = (self.options.sync_linger, self.clock.clone());
        Ok(journals::Place {
            disk: self.disk.clone(),
            keyring: self.keyring.clone(),
            sync: SyncPool::start(1, linger, failure, clock)?,
            dir: kind.dir(),
            kind: kind.file(),
        })
    }

    fn catalog(&self) -> Result<State, RepairError> {
        let place = self.journal(JournalKind::Catalog)?;
        let replayed = place.replay();
        place.sync.stop();
        Ok(replay_catalog(&replayed?.entries)?.0)
    }
}
