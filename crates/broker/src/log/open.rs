//! Start: keyring, journals, directories, partitions.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Clock;
use seal::at_rest::{FileKind, KeyringError};
use seal::master::MasterKey;
use uuid::Uuid;

use super::keyring::open_keyring;
use super::upkeep::look_after;
use super::{Inner, Log};
use crate::catalog::{CatalogJournal, Entry, State};
use crate::container::ContainerError;
use crate::disk::Disk;
use crate::failure::Failure;
use crate::groups_journal::GroupsJournal;
use crate::journal::{self, JournalError};
use crate::offsets::Place;
use crate::partition::{Partitions, Tools};
use crate::read::Reader;
use crate::recover::{self, Facts};
use crate::segment::Files;
use crate::shard::Shards;
use crate::space::Space;
use crate::sync::SyncPool;

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
        let work = move || Startup::run(options, master.as_ref(), disk, clock);
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
        master: &dyn MasterKey,
        disk: Arc<dyn Disk>,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        for dir in ["p", "catalog", "groups"] {
            disk.make_dir(dir)?;
        }
        disk.sync_dir("")?;
        let keyring = Arc::new(open_keyring(disk.as_ref(), master, &clock)?);
        let failure = Arc::new(Failure::default());
        let sync = SyncPool::start(
            options.sync_threads,
            options.sync_linger,
            failure.clone(),
            clock.clone(),
        )?;
        let place = |dir: &'static str, kind: FileKind| journal::Place {
            disk: disk.clone(),
            keyring: keyring.clone(),
            sync: sync.clone(),
            dir,
            kind,
        };
        let catalog_place = place("catalog", FileKind::Catalog);
        let replayed = catalog_place.replay()?;
        let (mut state, deleted) = replay_catalog(&replayed.entries)?;
        let stopped = state.stopped.take();
        // The next start must still know, even if this one ends before it did anything.
        for (place, (end, _)) in stopped.iter().flatten() {
            if let Some(anchor) = state.anchors.get_mut(place) {
                anchor.synced_end = anchor.synced_end.max(*end);
            }
        }
        if state.cluster.is_none() {
            state.apply(Entry::Cluster {
                id: keyring.cluster_id().to_owned(),
                node: options.node,
            });
        }
        tidy_directories(disk.as_ref(), &state, &deleted)?;
        state.apply(Entry::Started {
            incarnation: state.incarnation + 1,
        });
        let now = clock.now();
        let snapshot: Vec<_> = state.snapshot().iter().map(Entry::encode).collect();
        let journal = catalog_place.start(&replayed, &snapshot, state.incarnation, now)?;
        let groups_place = place("groups", FileKind::Groups);
        let groups = groups_place.replay()?;
        let groups_journal =
            groups_place.start(&groups, &groups.entries, state.incarnation, now)?;
        let facts = facts(&state, stopped.as_ref());
        let catalog = Arc::new(CatalogJournal::new(
            journal,
            state,
            failure.clone(),
            clock.clone(),
        ));
        let space = Arc::new(Space::new(disk.clone(), options.min_free));
        let tools = Arc::new(Tools {
            disk: disk.clone(),
            keyring: keyring.clone(),
            sync: sync.clone(),
            catalog: catalog.clone(),
            failure: failure.clone(),
            space: space.clone(),
            clock: clock.clone(),
            producers: AtomicUsize::new(0),
        });
        let all = Arc::new(Partitions::default());
        let (partitions, damage) = recover_all(&facts, &tools, &all);
        let files = Arc::new(Files::new(disk.clone(), keyring.clone()));
        let log = Log::new(Inner {
            shards: Shards::start(options.append_threads, &tools, &all)?,
            reader: Reader::new(all.clone(), files),
            groups: GroupsJournal::new(groups_journal, failure.clone(), clock.clone()),
            partitions: all,
            options,
            disk,
            clock,
            keyring,
            catalog,
            sync,
            failure,
            space,
            changes: tokio::sync::Mutex::default(),
        });
        Ok(Self {
            log,
            groups: groups.entries,
            partitions,
            damage,
        })
    }
}

/// The state that the entries lead to, and the topics that were deleted on the way.
fn replay_catalog(entries: &[journal::Entry]) -> Result<(State, BTreeSet<Uuid>), OpenError> {
    let mut state = State::default();
    let mut deleted = BTreeSet::new();
    for (kind, body) in entries {
        let entry = Entry::decode(*kind, body).map_err(|_| OpenError::Newer)?;
        if let Entry::TopicDeleted { id } = entry {
            deleted.insert(id);
        }
        state.apply(entry);
    }
    Ok((state, deleted))
}

/// Files of deleted topics go; files that the catalog does not know are set aside and never removed by themselves.
fn tidy_directories(
    disk: &dyn Disk,
    state: &State,
    deleted: &BTreeSet<Uuid>,
) -> std::io::Result<()> {
    if disk.exists("trash") {
        disk.remove_dir_all("trash")?;
    }
    for entry in disk.list("p")? {
        let id = Uuid::parse_str(&entry.name).ok();
        if id.is_some_and(|id| state.topics.contains_key(&id)) {
            continue;
        }
        let target = if id.is_some_and(|id| deleted.contains(&id)) {
            "trash"
        } else {
            "quarantine"
        };
        if target == "quarantine" {
            tracing::warn!(
                directory = entry.name,
                "A directory that the catalog does not know goes to quarantine"
            );
        }
        disk.make_dir(target)?;
        disk.rename(
            &format!("p/{}", entry.name),
            &format!("{target}/{}", entry.name),
        )?;
    }
    disk.sync_dir("p")?;
    if disk.exists("trash") {
        disk.remove_dir_all("trash")
    } else {
        Ok(())
    }
}

fn facts(
    state: &State,
    stopped: Option<&std::collections::HashMap<Place, (i64, u64)>>,
) -> Vec<(Place, Facts)> {
    let mut facts = Vec::new();
    for (id, topic) in &state.topics {
        for partition in 0..topic.partitions {
            let place = Place {
                topic: *id,
                partition,
            };
            facts.push((
                place,
                Facts {
                    anchor: state.anchors.get(&place).copied(),
                    log_start: state.log_starts.get(&place).copied().unwrap_or(0),
                    stopped: stopped.and_then(|stopped| stopped.get(&place).copied()),
                },
            ));
        }
    }
    facts
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
                        done.1.push(corrupt.to_string());
                    }
                    done.0.push(partition);
                }
            });
        }
    });
    done.into_inner().expect("nobody panics while holding it")
}
