//! What a start stands on before it looks at a partition: keyring, journals, and which directories belong to the log.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use kastellan_core::time::Clock;
use seal::at_rest::FileKind;
use seal::master::MasterKey;
use uuid::Uuid;

use super::keyring::open_keyring;
use super::{LogOptions, OpenError};
use crate::catalog::{CatalogJournal, Entry, State};
use crate::disk::Disk;
use crate::failure::Failure;
use crate::journal::{self, Journal};
use crate::notes::{AnchorMark, Notes};
use crate::offsets::Place;
use crate::partition::Tools;
use crate::recover::Facts;
use crate::space::Space;
use crate::sync::SyncPool;

/// What becomes of directories that the catalog does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strangers {
    SetAside,
    /// A repair touches its partition only.
    Stay,
}

/// Keyring and journals, opened and begun anew.
pub(crate) struct Foundation {
    pub tools: Arc<Tools>,
    /// What the catalog says of each partition.
    pub facts: Vec<(Place, Facts)>,
    /// Entries of the groups journal, oldest first.
    pub groups: Vec<journal::Entry>,
    pub groups_journal: Journal,
}

impl Foundation {
    /// Begins a run of the log: its number is durable when this returns.
    pub(crate) fn lay(
        options: &LogOptions,
        master: &dyn MasterKey,
        disk: &Arc<dyn Disk>,
        clock: &Clock,
        strangers: Strangers,
    ) -> Result<Self, OpenError> {
        for dir in ["p", "catalog", "groups"] {
            disk.make_dir(dir)?;
        }
        disk.sync_dir("")?;
        let keyring = Arc::new(open_keyring(options, disk.as_ref(), master, clock)?);
        let notes = Notes::new(options.trail.clone());
        let failure = Arc::new(Failure::new(notes.clone()));
        let (threads, linger) = (options.sync_threads, options.sync_linger);
        let sync = SyncPool::start(threads, linger, failure.clone(), clock.clone())?;
        let place = |dir: &'static str, kind: FileKind| journal::Place {
            disk: disk.clone(),
            keyring: keyring.clone(),
            sync: sync.clone(),
            dir,
            kind,
        };
        let catalog_place = place("catalog", FileKind::Catalog);
        let replayed = catalog_place.replay()?;
        if replayed.is_missing() && !disk.list("p")?.is_empty() {
            return Err(OpenError::JournalMissing("catalog"));
        }
        let (mut state, deleted) = replay_catalog(&replayed.entries)?;
        let groups_place = place("groups", FileKind::Groups);
        let groups = groups_place.replay()?;
        if groups.is_missing() && !state.topics.is_empty() {
            return Err(OpenError::JournalMissing("groups"));
        }
        if let Some(last) = &options.last_anchor {
            compare(last, &replayed, &state, &notes);
        }
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
        state.apply(Entry::Started {
            incarnation: state.incarnation + 1,
        });
        let now = clock.now();
        let mut entries = state.snapshot();
        // A deletion that nobody was told of may be lost with the old file: the new one says it again, until nothing of
        // the topic is left.
        entries.extend(left_behind(disk.as_ref(), &deleted)?);
        let snapshot: Vec<_> = entries.iter().map(Entry::encode).collect();
        let journal = catalog_place.start(&replayed, &snapshot, state.incarnation, now)?;
        if strangers == Strangers::SetAside {
            tidy_directories(disk.as_ref(), &state, &deleted, &notes)?;
        }
        let groups_journal =
            groups_place.start(&groups, &groups.entries, state.incarnation, now)?;
        let facts = facts(&state, stopped.as_ref());
        let catalog = CatalogJournal::new(journal, state, failure.clone(), clock.clone());
        let tools = Arc::new(Tools {
            disk: disk.clone(),
            keyring,
            sync,
            catalog: Arc::new(catalog),
            failure,
            space: Arc::new(Space::new(disk.clone(), options.min_free)),
            clock: clock.clone(),
            producers: AtomicUsize::new(0),
            max_producers: options.max_producers,
            notes,
        });
        Ok(Self {
            tools,
            facts,
            groups: groups.entries,
            groups_journal,
        })
    }
}

/// The state that the entries lead to, and the topics that were deleted on the way.
pub(crate) fn replay_catalog(
    entries: &[journal::Entry],
) -> Result<(State, BTreeSet<Uuid>), OpenError> {
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

/// Warns when the trail has seen more of the catalog than there is: somebody put an older directory in place.
fn compare(last: &AnchorMark, found: &journal::Replayed, state: &State, notes: &Notes) {
    let (seen, there) = ((last.sequence, last.bytes), found.position());
    let is_other = seen == there
        && last
            .digest
            .as_ref()
            .is_some_and(|digest| *digest != state.digest());
    if there >= seen && !is_other {
        return;
    }
    let reason = format!(
        "the trail saw the catalog at file {}, byte {}; it is at file {}, byte {}",
        seen.0, seen.1, there.0, there.1
    );
    tracing::error!(
        reason,
        "The log is older than the trail: was it put back from a copy?"
    );
    notes.rolled_back(&reason);
}

/// Deleted topics that still have files.
fn left_behind(disk: &dyn Disk, deleted: &BTreeSet<Uuid>) -> std::io::Result<Vec<Entry>> {
    let ids = disk.list("p")?.into_iter();
    let ids = ids.filter_map(|entry| Uuid::parse_str(&entry.name).ok());
    let left = ids.filter(|id| deleted.contains(id));
    Ok(left.map(|id| Entry::TopicDeleted { id }).collect())
}

/// Files of deleted topics go; files that the catalog does not know are set aside and never removed by themselves.
fn tidy_directories(
    disk: &dyn Disk,
    state: &State,
    deleted: &BTreeSet<Uuid>,
    notes: &Notes,
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
            notes.quarantined(&format!("p/{}", entry.name));
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

fn facts(state: &State, stopped: Option<&HashMap<Place, (i64, u64)>>) -> Vec<(Place, Facts)> {
    let mut facts = Vec::new();
    for (id, topic) in &state.topics {
        for partition in 0..topic.partitions {
            let place = Place {
                topic: *id,
                partition,
            };
            facts.push((place, facts_of(state, stopped, place)));
        }
    }
    facts
}

pub(crate) fn facts_of(
    state: &State,
    stopped: Option<&HashMap<Place, (i64, u64)>>,
    place: Place,
) -> Facts {
    Facts {
        anchor: state.anchors.get(&place).copied(),
        log_start: state.log_starts.get(&place).copied().unwrap_or(0),
        stopped: stopped.and_then(|stopped| stopped.get(&place).copied()),
    }
}
