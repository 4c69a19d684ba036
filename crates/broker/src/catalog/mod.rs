//! Topics, settings, log starts, producer ids, and which file of a partition is the newest.
//!
//! In: changes. Out: a snapshot that readers take without waiting. A change is written to the journal, becomes durable,
//! and only then shows.

mod entry;
mod state;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, RwLock};

use kastellan_core::time::{Clock, Timestamp};
use uuid::Uuid;
use wire::error::ErrorCode;

pub(crate) use entry::Entry;
pub(crate) use state::{Anchor, BROKER, GROUP, State, TOPIC};

use crate::failure::Failure;
use crate::journal::Journal;
use crate::notes::AnchorMark;
use crate::offsets::Place;
use crate::settings::Settings;
use crate::sync::Ticket;

/// Producer ids that one entry reserves.
pub(crate) const BLOCK: i64 = 1_000;

/// One topic, as of one moment.
#[derive(Clone, Debug)]
pub struct Topic {
    pub id: Uuid,
    pub name: String,
    pub partitions: i32,
    pub created: Timestamp,
    /// What was set for it; the rest are defaults.
    pub settings: Settings,
}

/// All topics, as of one moment.
#[derive(Debug, Default)]
pub struct Topics {
    by_name: BTreeMap<String, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
    partitions: usize,
}

impl Topics {
    pub fn by_name(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_name.get(name)
    }

    pub fn by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_id.get(&id)
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.by_name.values()
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Partitions of all topics.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    fn of(state: &State) -> Self {
        let mut topics = Self::default();
        for (id, topic) in &state.topics {
            let topic = Arc::new(Topic {
                id: *id,
                name: topic.name.clone(),
                partitions: topic.partitions,
                created: topic.created,
                settings: topic.settings.clone(),
            });
            topics.partitions += usize::try_from(topic.partitions).unwrap_or(0);
            topics.by_name.insert(topic.name.clone(), topic.clone());
            topics.by_id.insert(*id, topic);
        }
        topics
    }
}

/// The catalog with its journal.
pub(crate) struct CatalogJournal {
    journal: Journal,
    state: Mutex<State>,
    topics: RwLock<Arc<Topics>>,
    producers: tokio::sync::Mutex<Block>,
    failure: Arc<Failure>,
    clock: Clock,
}

/// Producer ids that may be handed out.
#[derive(Default)]
struct Block {
    next: i64,
    end: i64,
}

impl CatalogJournal {
    pub(crate) fn new(journal: Journal, state: State, failure: Arc<Failure>, clock: Clock) -> Self {
        let topics = RwLock::new(Arc::new(Topics::of(&state)));
        Self {
            journal,
            state: Mutex::new(state),
            topics,
            producers: tokio::sync::Mutex::default(),
            failure,
            clock,
        }
    }

    pub(crate) fn topics(&self) -> Arc<Topics> {
        self.topics
            .read()
            .expect("nobody panics while holding it")
            .clone()
    }

    pub(crate) fn broker_settings(&self) -> Settings {
        self.lock().broker.clone()
    }

    pub(crate) fn group_settings(&self, group: &str) -> Settings {
        self.lock().groups.get(group).cloned().unwrap_or_default()
    }

    pub(crate) fn incarnation(&self) -> u32 {
        self.lock().incarnation
    }

    /// Where the journal stands, durably.
    pub(crate) fn anchor_mark(&self) -> AnchorMark {
        let state = self.lock();
        let (sequence, bytes, is_all) = self.journal.durable_position();
        AnchorMark {
            sequence,
            bytes,
            digest: is_all.then(|| state.digest()),
        }
    }

    /// Writes entries; the caller waits for the ticket and then calls [`Self::show`].
    pub(crate) fn write(&self, entries: Vec<Entry>) -> Result<Ticket, ErrorCode> {
        if self.failure.has_failed() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        let mut state = self.lock();
        let encoded: Vec<_> = entries.iter().map(Entry::encode).collect();
        let ticket = self.journal.append(&encoded).map_err(|error| {
            tracing::error!(%error, "Catalog cannot be written");
            ErrorCode::KAFKA_STORAGE_ERROR
        })?;
        for entry in entries {
            state.apply(entry);
        }
        Ok(ticket)
    }

    /// Writes entries and waits until they are durable.
    pub(crate) async fn commit(&self, entries: Vec<Entry>) -> Result<(), ErrorCode> {
        self.write(entries)?
            .durable()
            .await
            .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)?;
        self.rewrite_if_large();
        Ok(())
    }

    /// As [`Self::commit`], for the log's own threads.
    pub(crate) fn commit_blocking(&self, entries: Vec<Entry>) -> Result<(), ErrorCode> {
        self.write(entries)?
            .wait()
            .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)
    }

    /// Lets readers see what is durable.
    pub(crate) fn show(&self) {
        let topics = Arc::new(Topics::of(&self.lock()));
        *self.topics.write().expect("nobody panics while holding it") = topics;
    }

    fn rewrite_if_large(&self) {
        if self.journal.is_large() {
            self.rewrite();
        }
    }

    /// Begins a new file with a snapshot.
    pub(crate) fn rewrite(&self) {
        // Entries are applied to the state under this lock as they are written, so the snapshot has all of them.
        let state = self.lock();
        let snapshot: Vec<_> = state.snapshot().iter().map(Entry::encode).collect();
        // An error has failed the log already.
        let _ = self.journal.rewrite(&snapshot, self.clock.now());
    }

    /// The anchors among these entries that say something new.
    pub(crate) fn changed_anchors(&self, entries: Vec<Entry>) -> Vec<Entry> {
        let state = self.lock();
        let says_something = |entry: &Entry| match entry {
            Entry::Anchor {
                place,
                base,
                incarnation,
                synced_end,
            } => {
                let anchor = Anchor {
                    base: *base,
                    incarnation: *incarnation,
                    synced_end: *synced_end,
                };
                state.anchors.get(place).is_some_and(|known| {
                    (known.base, known.incarnation) == (anchor.base, anchor.incarnation)
                        && *known != anchor
                })
            }
            _ => true,
        };
        entries.into_iter().filter(says_something).collect()
    }

    pub(crate) async fn next_producer_id(&self) -> Result<i64, ErrorCode> {
        let mut block = self.producers.lock().await;
        if block.next >= block.end {
            let first = self.lock().next_producer;
            self.commit(vec![Entry::ProducerIds {
                next: first + BLOCK,
            }])
            .await?;
            *block = Block {
                next: first,
                end: first + BLOCK,
            };
        }
        let id = block.next;
        block.next += 1;
        Ok(id)
    }

    pub(crate) async fn stopped(&self, positions: Vec<(Place, i64, u64)>) -> Result<(), ErrorCode> {
        self.write(vec![Entry::Stopped(positions)])?
            .durable()
            .await
            .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}
