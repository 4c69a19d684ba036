//! The broker: the log, the groups and the links to its clients, started and stopped as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Clock;
use seal::master::MasterKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tracing::error;
use wire::error::ErrorCode;

use crate::coordinator::Coordinator;
use crate::disk::Disk;
use crate::groups::{Entry, EntryError, Groups, Now};
use crate::link::{Link, Peer};
use crate::log::{Log, Opened, View, Waiter};
use crate::offsets::Place;
use crate::options::Options;
use crate::waiters::Waiters;

/// Id of the one node, which is also the controller.
pub const NODE: i32 = 1;
/// Bytes of a fetch answer that needs no room of its own.
const FETCH_SMALL: usize = 64 << 10;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] crate::log::OpenError),
    #[error(transparent)]
    Groups(#[from] EntryError),
}

/// The log could not say on disk that it stopped well; the next start checks what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log did not stop cleanly")]
pub struct StopError;

/// What every request may use.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) log: Log,
    pub(crate) coordinator: Coordinator,
    /// Bytes of requests at work.
    requests: Arc<Semaphore>,
    /// Bytes of fetch answers.
    fetches: Arc<Semaphore>,
    stopping: AtomicBool,
    on_stop: Waiters,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(..)")
    }
}

impl Shared {
    /// Room for a request's bytes; `None` when the broker stops.
    pub(crate) async fn request_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        room(&self.requests, bytes, self.options.request_bytes).await
    }

    /// Room for a fetch answer's bytes until they are sent: what was asked for, or less while much waits for clients that
    /// are slow. A small answer needs none; nobody waits for others here.
    pub(crate) fn fetch_room(&self, bytes: usize) -> (usize, Option<OwnedSemaphorePermit>) {
        let mut wanted = bytes.min(self.options.fetch_bytes);
        while wanted > FETCH_SMALL {
            let permits = u32::try_from(wanted).unwrap_or(u32::MAX);
            if let Ok(room) = Arc::clone(&self.fetches).try_acquire_many_owned(permits) {
                return (wanted, Some(room));
            }
            wanted /= 2;
        }
        (bytes.min(FETCH_SMALL), None)
    }

    /// A partition that can be worked with.
    pub(crate) fn online(&self, place: Place) -> Result<View, ErrorCode> {
        let view = self.log.view(place);
        let view = view.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        match view.is_offline || self.log.has_failed() {
            true => Err(ErrorCode::KAFKA_STORAGE_ERROR),
            false => Ok(view),
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Wakes the waiter when the broker stops.
    pub(crate) fn watch_stop(&self, waiter: &Arc<Waiter>) {
        self.on_stop.add(waiter);
    }
}

/// One that is larger than all room takes all of it.
async fn room(
    semaphore: &Arc<Semaphore>,
    bytes: usize,
    all: usize,
) -> Option<OwnedSemaphorePermit> {
    let permits = u32::try_from(bytes.min(all)).unwrap_or(u32::MAX);
    Arc::clone(semaphore).acquire_many_owned(permits).await.ok()
}

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    shared: Arc<Shared>,
    coordinator: JoinHandle<()>,
    retention: JoinHandle<()>,
}

impl Broker {
    /// Opens the log and starts on it. Groups and committed offsets come out of their journal.
    ///
    /// Partitions that are damaged are offline and reported in the log; what holds for everything (keyring, journals)
    /// is an error.
    pub async fn open(
        options: Options,
        keys: Arc<dyn MasterKey>,
        disk: Arc<dyn Disk>,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let Opened {
            log,
            groups,
            damage,
        } = Log::open(options.log.clone(), keys, disk, clock.clone()).await?;
        for problem in damage {
            error!(%problem, "Partition is offline");
        }
        let groups = restored(&options, &log, groups, &clock)?;
        let sweep = options.offsets_sweep;
        let (coordinator, task) = Coordinator::start(groups, log.clone(), clock, sweep);
        let shared = Arc::new(Shared {
            requests: Arc::new(Semaphore::new(options.request_bytes)),
            fetches: Arc::new(Semaphore::new(options.fetch_bytes)),
            options,
            log,
            coordinator,
            stopping: AtomicBool::new(false),
            on_stop: Waiters::default(),
        });
        let check = shared.options.log.retention_check;
        let retention = tokio::spawn(retain(shared.log.clone(), check));
        Ok(Self {
            shared,
            coordinator: task,
            retention,
        })
    }

    /// A link for one connection of this peer.
    pub fn link(&self, peer: Peer) -> Link {
        Link::new(Arc::clone(&self.shared), peer)
    }

    /// Ends when the log fails: nothing is promised any more until a restart. Tells what failed.
    pub async fn failed(&self) -> String {
        self.shared.log.failed().await
    }

    /// The log below, for inspection.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Stops: no new requests, waiting ones are answered, everything is written and synced.
    pub async fn stop(self) -> Result<(), StopError> {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.requests.close();
        self.shared.on_stop.wake();
        self.shared.coordinator.stop().await;
        self.retention.abort();
        // A task that panicked or was ended has nothing left to write.
        let _ = self.coordinator.await;
        let _ = self.retention.await;
        self.shared
            .log
            .stop()
            .await
            .map_err(|_: ErrorCode| StopError)
    }
}

fn restored(
    options: &Options,
    log: &Log,
    journal: Vec<(u16, Bytes)>,
    clock: &Clock,
) -> Result<Groups, EntryError> {
    let now = Now {
        monotonic: clock.monotonic(),
        wall: clock.now(),
    };
    let topics = log.topics();
    let exists = |topic| topics.by_id(topic).is_some();
    let entries = journal
        .iter()
        .map(|(kind, body)| Entry::decode(*kind, body))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Groups::restore(
        options.groups.clone(),
        entries,
        exists,
        now,
    ))
}

/// Removes old segments, for as long as the broker runs.
async fn retain(log: Log, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        log.retain().await;
    }
}
