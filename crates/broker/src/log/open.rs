//! Start: keyring, journals, directories, partitions.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Clock;
use seal::at_rest::{KeyringError, Padding};
use seal::master::MasterKey;

use super::foundation::{Foundation, Strangers};
use super::upkeep::look_after;
use super::{AnchorMark, Inner, Log};
use crate::container::ContainerError;
use crate::disk::Disk;
use crate::groups_journal::GroupsJournal;
use crate::journal::JournalError;
use crate::offsets::Place;
use crate::options::Trail;
use crate::partition::{Partitions, Tools};
use crate::read::Reader;
use crate::recover::{self, Facts};
use crate::segment::Files;
use crate::shard::Shards;

/// Partitions that recover at once.
const RECOVERIES: usize = 4;

/// How the log runs.
#[derive(Clone, Debug)]
pub struct LogOptions {
    pub node: i32,
    pub append_threads: usize,
    pub sync_threads: usize,
    /// Waits before each sync, at most 5 ms.
    pub sync_linger: Duration,
    pub retention_check: Duration,
    /// `None`: 256 MiB or 2 % of the file system, whichever is more.
    pub min_free: Option<u64>,
    pub max_topics: usize,
    pub max_partitions: usize,
    /// Idempotent producers that are remembered in all; above it those idle for longest are forgotten.
    pub max_producers: usize,
    /// How much of a record's length shows on the disk.
    pub padding: Padding,
    /// How long a start waits for a key service that cannot be reached.
    pub key_patience: Duration,
    /// Where damage, failure and changes of keys are put on record.
    pub trail: Option<Trail>,
    /// What the trail says of where the catalog stood last.
    pub last_anchor: Option<AnchorMark>,
}

impl Default for LogOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            node: 1,
            append_threads: cores.min(4),
            sync_threads: 4,
            sync_linger: Duration::ZERO,
            retention_check: Duration::from_secs(60),
            min_free: None,
            max_topics: 1_000,
            max_partitions: 2_000,
            max_producers: 200_000,
            padding: Padding::Fine,
            key_patience: Duration::from_secs(60),
            trail: None,
            last_anchor: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("keyring: {0}")]
    Keyring(#[from] KeyringError),
    #[error(
        "keyring is missing although there are records\nnext: put the keyring back from a backup (keyring.old is the one before)"
    )]
    KeyringMissing,
    #[error("{0}")]
    Journal(String),
    #[error(
        "{0}: the journal is missing although there are topics or records\nnext: put the directory back from a backup"
    )]
    JournalMissing(&'static str),
    #[error("catalog holds an entry that this version does not know")]
    Newer,
}

impl From<JournalError> for OpenError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Container(ContainerError::Io(error)) => Self::Io(error),
            other => Self::Journal(other.to_string()),
        }
    }
}

/// What a start found.
pub struct Opened {
    pub log: Log,
    /// Entries of the groups journal, oldest first.
    pub groups: Vec<(u16, Bytes)>,
    /// Partitions that are offline, and why.
    pub damage: Vec<String>,
}

impl Log {
    /// Opens the log, or makes a new one in an empty directory. Blocks while it reads.
    pub async fn open(
        options: LogOptions,
        master: Arc<dyn MasterKey>,
        disk: Arc<dyn Disk>,
        clock: Clock,
    ) -> Result<Opened, OpenError> {
        let started = clock.monotonic();
        let work = move || Startup::run(options, master, disk, clock);
        let Startup {
            log,
            groups,
            partitions,
            damage,
        } = tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| OpenError::Journal(format!("start failed: {error}")))??;
        for partition in partitions {
            log.inner().shards.adopt(partition).await;
        }
        let took = log.inner().clock.monotonic().saturating_sub(started);
        metrics::gauge!("log_recovery_seconds").set(took.as_secs_f64());
        metrics::gauge!("log_partitions_offline").set(damage.len() as f64);
        look_after(&log);
        Ok(Opened {
            log,
            groups,
            damage,
        })
    }
}

struct Startup {
    log: Log,
    groups: Vec<(u16, Bytes)>,
    partitions: Vec<crate::partition::Partition>,
    damage: Vec<String>,
}

impl Startup {
    fn run(
        options: LogOptions,
        master: Arc<dyn MasterKey>,
        disk: Arc<dyn Disk>,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let Foundation {
            tools,
            facts,
            groups,
            groups_journal,
        } = Foundation::lay(
            &options,
            master.as_ref(),
            &disk,
            &clock,
            Strangers::SetAside,
        )?;
        let all = Arc::new(Partitions::default());
        let (partitions, damage) = recover_all(&facts, &tools, &all);
        let files = Arc::new(Files::new(disk.clone(), tools.keyring.clone()));
        let (catalog, failure) = (tools.catalog.clone(), tools.failure.clone());
        let log = Log::new(Inner {
            shards: Shards::start(options.append_threads, &tools, &all)?,
            reader: Reader::new(all.clone(), files, tools.clone()),
            groups: GroupsJournal::new(groups_journal, failure.clone(), clock.clone()),
            partitions: all,
            options,
            disk,
            clock,
            keyring: tools.keyring.clone(),
            master,
            catalog,
            sync: tools.sync.clone(),
            failure,
            space: tools.space.clone(),
            notes: tools.notes.clone(),
            changes: tokio::sync::Mutex::default(),
        });
        Ok(Self {
            log,
            groups,
            partitions,
            damage,
        })
    }
}

/// Recovers partitions, a few at a time.
fn recover_all(
    facts: &[(Place, Facts)],
    tools: &Arc<Tools>,
    all: &Partitions,
) -> (Vec<crate::partition::Partition>, Vec<String>) {
    let queue = Mutex::new(facts.iter());
    let done = Mutex::new((Vec::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..RECOVERIES.min(facts.len()) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("nobody panics while holding it").next();
                    let Some((place, facts)) = next else { return };
                    let (partition, corrupt) = recover::recover(*place, *facts, tools);
                    all.insert(*place, partition.shared.clone());
                    let mut done = done.lock().expect("nobody panics while holding it");
                    if let Some(corrupt) = corrupt {
                        tracing::error!(error = %corrupt, "Partition is damaged and stays offline");
                        tools.damaged(
                            *place,
                            corrupt.file(),
                            corrupt.position(),
                            &corrupt.reason(),
                        );
                        done.1.push(corrupt.to_string());
                    }
                    done.0.push(partition);
                }
            });
        }
    });
    done.into_inner().expect("nobody panics while holding it")
}
