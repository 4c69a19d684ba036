//! What the rest of the process holds: a queue to the writer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use kastellan_core::event::Event;
use kastellan_core::ports::{Pending, TrailSink, Unavailable};
use kastellan_core::time::Clock;
use tokio::sync::{mpsc, oneshot};

use crate::files::OpenError;
use crate::writer::Writer;

/// Jobs that may wait for the writer.
pub(crate) const QUEUE: usize = 4_096;
/// How long an event waits for a place in the queue.
const PATIENCE: Duration = Duration::from_millis(50);

pub(crate) type Answer = oneshot::Sender<Result<Option<u64>, Unavailable>>;
/// What found no place in the queue and must not be lost: outcomes of changes in flight, so never many.
pub(crate) type Owed = Arc<Mutex<Vec<Event>>>;

pub(crate) enum Job {
    Event {
        event: Box<Event>,
        done: Option<Answer>,
    },
    Flush {
        done: Answer,
    },
    /// Announced changes of an earlier process that have no outcome get one: unknown.
    Settle {
        done: Answer,
    },
}

/// The trail of one process. Its last handle waits until everything is written and durable.
pub struct Trail {
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    missed: Arc<AtomicU64>,
    owed: Owed,
    dir: PathBuf,
}

impl Trail {
    /// Opens the trail in a directory, or begins one. A last entry that was cut in the writing is removed and told.
    ///
    /// Fails when another process has it open, or when what is there is not what was written.
    pub fn open(dir: &Path, clock: Clock, node: &str) -> Result<Arc<Self>, OpenError> {
        let missed = Arc::new(AtomicU64::new(0));
        let owed = Owed::default();
        let writer = Writer::open(dir, clock, node, missed.clone(), owed.clone())?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("trail".to_owned())
            .spawn(move || writer.run(jobs))
            .map_err(|error| OpenError::Io {
                path: dir.to_owned(),
                error,
            })?;
        Ok(Arc::new(Self {
            queue: Some(queue),
            writer: Some(thread),
            missed,
            owed,
            dir: dir.to_owned(),
        }))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Ready when everything recorded before is durable.
    pub async fn flush(&self) -> Result<(), Unavailable> {
        self.ask(|done| Job::Flush { done }).await
    }

    /// Tells of changes that an earlier process announced and whose outcome nobody knows. Called once, when whoever keeps
    /// outcomes over a restart has delivered them.
    pub async fn settle(&self) -> Result<(), Unavailable> {
        self.ask(|done| Job::Settle { done }).await
    }

    async fn ask(&self, job: impl FnOnce(Answer) -> Job) -> Result<(), Unavailable> {
        let (done, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(job(done)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?.map(drop)
    }

    /// Puts an event into the queue.
    async fn queue_up(
        &self,
        event: Event,
    ) -> Result<oneshot::Receiver<Result<Option<u64>, Unavailable>>, Unavailable> {
        let (done, answer) = oneshot::channel();
        let job = Job::Event {
            event: Box::new(event),
            done: Some(done),
        };
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        match queue.send_timeout(job, PATIENCE).await {
            Ok(()) => Ok(answer),
            Err(_) => {
                self.miss();
                Err(Unavailable("the trail takes no more events".to_owned()))
            }
        }
    }

    /// Counted, and told by the writer as a gap.
    fn miss(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("trail_missed_total").increment(1);
    }
}

fn gone() -> Unavailable {
    Unavailable("the trail is closed".to_owned())
}

impl TrailSink for Trail {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        Box::pin(async move { self.queue_up(event).await?.await.map_err(|_| gone())? })
    }

    fn record_all<'a>(
        &'a self,
        events: Vec<Event>,
    ) -> Pending<'a, Result<Vec<Option<u64>>, Unavailable>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(events.len());
            for event in events {
                answers.push(self.queue_up(event).await?);
            }
            let mut numbers = Vec::with_capacity(answers.len());
            for answer in answers {
                numbers.push(answer.await.map_err(|_| gone())??);
            }
            Ok(numbers)
        })
    }

    fn note(&self, event: Event) {
        let job = Job::Event {
            event: Box::new(event),
            done: None,
        };
        let is_sent = self
            .queue
            .as_ref()
            .is_some_and(|queue| queue.try_send(job).is_ok());
        if !is_sent {
            self.miss();
        }
    }

    fn owe(&self, event: Event) {
        let job = Job::Event {
            event: Box::new(event),
            done: None,
        };
        let Some(queue) = &self.queue else {
            return self.miss();
        };
        match queue.try_send(job) {
            Ok(()) => {}
            // The writer has work, so it comes by; and it looks here whenever it does.
            Err(mpsc::error::TrySendError::Full(Job::Event { event, .. })) => {
                let mut owed = self.owed.lock().expect("nobody panics while holding it");
                owed.push(*event);
            }
            Err(_) => self.miss(),
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
