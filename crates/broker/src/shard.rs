//! Appending: every partition belongs to one shard, and a shard to whoever holds its lock.
//!
//! A small batch that needs no new file and no sync of its own is appended where it was asked for. Everything else, and
//! what comes while a shard is held, waits in the queue of the shard's thread, which takes all that is there before it
//! writes.

mod turn;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use kastellan_core::time::Timestamp;
use tokio::sync::{mpsc, oneshot};
use wire::error::ErrorCode;

use crate::log::Append;
use crate::offsets::Place;
use crate::partition::{AppendRefusal, Appended, Partition, Partitions, Recovered, Reply, Tools};
use crate::producers::Producers;

use turn::Turns;

/// Requests that may wait for one thread.
const QUEUE: usize = 256;
/// Bytes of records that are taken before the first of them is written.
const DRAIN_BYTES: usize = 4 << 20;
/// Bytes of records that are appended without the thread: sealing and writing them takes less than a tenth of a
/// millisecond.
const HERE_MAX: usize = 96 << 10;

enum Job {
    Append(Append, Reply),
    Adopt(Box<Partition>),
    /// The log start rose: files below it may go.
    Trim(Place),
    /// Roll an active file that holds nothing newer than this.
    RollOld(Place, Timestamp, oneshot::Sender<()>),
    /// The topic is gone.
    Forget(Place, oneshot::Sender<()>),
    ExpireProducers,
    Stop(oneshot::Sender<()>),
}

pub(crate) struct Shards {
    lanes: Vec<Lane>,
    turns: Turns,
}

/// A shard, and the way to its thread.
struct Lane {
    jobs: mpsc::Sender<Job>,
    shard: Held,
}

/// `None` once it is stopped.
type Held = Arc<Mutex<Option<Shard>>>;

impl Shards {
    pub(crate) fn start(
        threads: usize,
        tools: &Arc<Tools>,
        partitions: &Arc<Partitions>,
    ) -> std::io::Result<Self> {
        let mut lanes = Vec::new();
        for number in 0..threads.max(1) {
            let (jobs, receiver) = mpsc::channel(QUEUE);
            let shard = Arc::new(Mutex::new(Some(Shard {
                tools: tools.clone(),
                partitions: partitions.clone(),
                owned: HashMap::new(),
                touched: Vec::new(),
            })));
            let held = shard.clone();
            std::thread::Builder::new()
                .name(format!("log-append-{number}"))
                .spawn(move || run(&held, receiver))?;
            lanes.push(Lane { jobs, shard });
        }
        let turns = Turns::new(tools.clock.clone());
        Ok(Self { lanes, turns })
    }

    fn lane(&self, place: Place) -> &Lane {
        let mut hasher = DefaultHasher::new();
        place.hash(&mut hasher);
        &self.lanes[(hasher.finish() % self.lanes.len() as u64) as usize]
    }

    fn of(&self, place: Place) -> &mpsc::Sender<Job> {
        &self.lane(place).jobs
    }

    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendRefusal> {
        let gone = || AppendRefusal::from(ErrorCode::KAFKA_STORAGE_ERROR);
        let lane = self.lane(append.place);
        let (sender, mut receiver) = oneshot::channel();
        let Err(sender) = self.append_here(lane, &append, sender) else {
            return receiver.try_recv().map_err(|_| gone())?;
        };
        lane.jobs
            .send(Job::Append(append, sender))
            .await
            .map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }

    /// Appends at once if it takes little time and nobody is before it; else gives the sender back.
    fn append_here(&self, lane: &Lane, append: &Append, reply: Reply) -> Result<(), Reply> {
        let size = append.records.as_ref().map_or(0, bytes::Bytes::len);
        let is_queue_empty = lane.jobs.capacity() == QUEUE;
        if size > HERE_MAX || !is_queue_empty {
            return Err(reply);
        }
        let Some(_turn) = self.turns.take() else {
            return Err(reply);
        };
        match lane.shard.try_lock().as_deref_mut() {
            Ok(Some(shard)) if shard.is_quick(append) => {
                shard.append(append, reply);
                shard.flush();
                Ok(())
            }
            _ => Err(reply),
        }
    }

    /// Hands a recovered partition to its thread.
    pub(crate) async fn adopt(&self, partition: Partition) {
        let _ = self
            .of(partition.place)
            .send(Job::Adopt(Box::new(partition)))
            .await;
    }

    pub(crate) async fn trim(&self, place: Place) {
        let _ = self.of(place).send(Job::Trim(place)).await;
    }

    pub(crate) async fn roll_old(&self, place: Place, time: Timestamp) {
        let (sender, receiver) = oneshot::channel();
        if self
            .of(place)
            .send(Job::RollOld(place, time, sender))
            .await
            .is_ok()
        {
            let _ = receiver.await;
        }
    }

    /// Ends the writer of a partition; nothing is written to its files afterwards.
    pub(crate) async fn forget(&self, place: Place) {
        let (sender, receiver) = oneshot::channel();
        if self
            .of(place)
            .send(Job::Forget(place, sender))
            .await
            .is_ok()
        {
            let _ = receiver.await;
        }
    }

    pub(crate) async fn expire_producers(&self) {
        for lane in &self.lanes {
            let _ = lane.jobs.send(Job::ExpireProducers).await;
        }
    }

    /// Closes every active file.
    pub(crate) async fn stop(&self) {
        for lane in &self.lanes {
            let (sender, receiver) = oneshot::channel();
            if lane.jobs.send(Job::Stop(sender)).await.is_ok() {
                let _ = receiver.await;
            }
        }
    }
}

struct Shard {
    tools: Arc<Tools>,
    partitions: Arc<Partitions>,
    owned: HashMap<Place, Partition>,
    /// Partitions with batches that wait to be written.
    touched: Vec<Place>,
}

/// Takes what is in the queue, then writes it with one write for each partition, and so on.
fn run(held: &Held, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        // Whoever panicked while holding it left nothing that can be trusted: nothing is taken any more.
        let Ok(mut held) = held.lock() else { return };
        let Some(shard) = held.as_mut() else { return };
        let (mut next, mut bytes, mut taken) = (Some(first), 0, 0);
        while let Some(job) = next {
            if let Job::Append(append, _) = &job {
                bytes += append.records.as_ref().map_or(0, bytes::Bytes::len);
            }
            taken += 1;
            if let Job::Stop(sender) = job {
                shard.close_all();
                // Whoever waits for this may take the directory at once.
                *held = None;
                let _ = sender.send(());
                return;
            }
            shard.take(job);
            let has_room = bytes < DRAIN_BYTES && taken < QUEUE;
            next = if has_room { jobs.try_recv().ok() } else { None };
        }
        shard.flush();
    }
}

impl Shard {
    fn take(&mut self, job: Job) {
        match job {
            Job::Append(append, reply) => self.append(&append, reply),
            Job::Adopt(partition) => {
                self.owned.insert(partition.place, *partition);
            }
            Job::Trim(place) => {
                if let Some(partition) = self.partition(place) {
                    partition.drop_before_log_start();
                }
            }
            Job::RollOld(place, time, sender) => {
                if let Some(partition) = self.owned.get_mut(&place) {
                    let _ = partition.roll_if_older_than(time);
                }
                let _ = sender.send(());
            }
            Job::Forget(place, sender) => {
                self.owned.remove(&place);
                let _ = sender.send(());
            }
            Job::ExpireProducers => self
                .owned
                .values_mut()
                .for_each(Partition::expire_producers),
            // The loop ends with it.
            Job::Stop(_) => {}
        }
    }

    /// Whether a batch is taken without waiting for a disk, and with little work.
    fn is_quick(&self, append: &Append) -> bool {
        let topics = self.tools.catalog.topics();
        let topic = topics.by_id(append.place.topic);
        let partition = self.owned.get(&append.place);
        let both = partition.zip(topic);
        both.is_some_and(|(partition, topic)| partition.is_quick(append, &topic.settings))
    }

    fn append(&mut self, append: &Append, reply: Reply) {
        let started = self.tools.clock.monotonic();
        let topics = self.tools.catalog.topics();
        let topic = topics.by_id(append.place.topic);
        let partition = self.partition(append.place);
        let (Some(topic), Some(partition)) = (topic, partition) else {
            let _ = reply.send(Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.into()));
            return;
        };
        let was_waiting = partition.has_pending();
        partition.append(append, &topic.settings, reply);
        if !was_waiting && partition.has_pending() {
            self.touched.push(append.place);
        }
        let took = self.tools.clock.monotonic().saturating_sub(started);
        metrics::histogram!("log_append_seconds").record(took.as_secs_f64());
    }

    fn flush(&mut self) {
        for place in std::mem::take(&mut self.touched) {
            if let Some(partition) = self.owned.get_mut(&place) {
                // Those who wait are told about an error.
                let _ = partition.flush();
            }
        }
        if self.tools.producers.load(Ordering::Relaxed) > self.tools.max_producers {
            self.forget_idle_producers();
        }
    }

    /// There are too many producers in all: of those remembered here, the twentieth part that is idle for longest goes.
    fn forget_idle_producers(&mut self) {
        let partitions = self.owned.values();
        let mut used: Vec<Timestamp> = partitions.flat_map(Partition::producers_used).collect();
        if used.is_empty() {
            return;
        }
        let count = used.len().div_ceil(20);
        let (_, until, _) = used.select_nth_unstable(count - 1);
        let until = *until;
        tracing::warn!(
            count,
            "Too many producers: those idle for longest are forgotten"
        );
        for partition in self.owned.values_mut() {
            partition.forget_producers(until);
        }
    }

    /// The partition; one that was just created has no files and gets its writer here.
    fn partition(&mut self, place: Place) -> Option<&mut Partition> {
        if !self.owned.contains_key(&place) {
            let shared = self.partitions.get(place)?;
            let recovered = Recovered {
                shared,
                producers: Producers::default(),
                before: None,
            };
            self.owned
                .insert(place, Partition::new(place, recovered, self.tools.clone()));
        }
        self.owned.get_mut(&place)
    }

    fn close_all(&mut self) {
        for partition in self.owned.values_mut() {
            if let Err(error) = partition.finish() {
                self.tools
                    .failure
                    .set(format!("{}: {error}", Partition::dir(partition.place)));
            }
        }
    }
}
