//! The threads that append: each owns some partitions, so that nobody locks one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kastellan_core::time::Timestamp;
use tokio::sync::{mpsc, oneshot};
use wire::error::ErrorCode;

use crate::log::Append;
use crate::offsets::Place;
use crate::partition::{AppendRefusal, Appended, Partition, Partitions, Recovered, Tools};
use crate::producers::Producers;

/// Requests that may wait for one thread.
const QUEUE: usize = 256;

enum Job {
    Append(Append, oneshot::Sender<Result<Appended, AppendRefusal>>),
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

pub(crate) struct Shards(Vec<mpsc::Sender<Job>>);

impl Shards {
    pub(crate) fn start(
        threads: usize,
        tools: &Arc<Tools>,
        partitions: &Arc<Partitions>,
    ) -> std::io::Result<Self> {
        let mut senders = Vec::new();
        for number in 0..threads.max(1) {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let shard = Shard {
                tools: tools.clone(),
                partitions: partitions.clone(),
                owned: HashMap::new(),
            };
            std::thread::Builder::new()
                .name(format!("log-append-{number}"))
                .spawn(move || shard.run(receiver))?;
            senders.push(sender);
        }
        Ok(Self(senders))
    }

    fn of(&self, place: Place) -> &mpsc::Sender<Job> {
        let mut hasher = DefaultHasher::new();
        place.hash(&mut hasher);
        &self.0[(hasher.finish() % self.0.len() as u64) as usize]
    }

    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendRefusal> {
        let gone = || AppendRefusal::from(ErrorCode::KAFKA_STORAGE_ERROR);
        let (sender, receiver) = oneshot::channel();
        self.of(append.place)
            .send(Job::Append(append, sender))
            .await
            .map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
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
        for shard in &self.0 {
            let _ = shard.send(Job::ExpireProducers).await;
        }
    }

    /// Closes every active file.
    pub(crate) async fn stop(&self) {
        for shard in &self.0 {
            let (sender, receiver) = oneshot::channel();
            if shard.send(Job::Stop(sender)).await.is_ok() {
                let _ = receiver.await;
            }
        }
    }
}

struct Shard {
    tools: Arc<Tools>,
    partitions: Arc<Partitions>,
    owned: HashMap<Place, Partition>,
}

impl Shard {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.blocking_recv() {
            match job {
                Job::Append(append, sender) => {
                    let _ = sender.send(self.append(&append));
                }
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
                Job::Stop(sender) => {
                    self.close_all();
                    let _ = sender.send(());
                    return;
                }
            }
        }
    }

    fn append(&mut self, append: &Append) -> Result<Appended, AppendRefusal> {
        let started = self.tools.clock.monotonic();
        let topics = self.tools.catalog.topics();
        let topic = topics
            .by_id(append.place.topic)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let partition = self
            .partition(append.place)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let appended = partition.append(append, &topic.settings);
        let took = self.tools.clock.monotonic().saturating_sub(started);
        metrics::histogram!("log_append_seconds").record(took.as_secs_f64());
        appended
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
            if let Err(error) = partition.close() {
                self.tools
                    .failure
                    .set(format!("{}: {error}", Partition::dir(partition.place)));
            }
        }
    }
}
