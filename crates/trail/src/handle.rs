//! What the rest of the process holds: a queue to the writer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

pub(crate) type Answer = oneshot::Sender<Result<(), Unavailable>>;

pub(crate) enum Job {
    Event {
        event: Box<Event>,
        done: Option<Answer>,
    },
    Flush {
        done: Answer,
    },
}

/// The trail of one process. Its last handle waits until everything is written and durable.
pub struct Trail {
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    missed: Arc<AtomicU64>,
    dir: PathBuf,
}

impl Trail {
    /// Opens the trail in a directory, or begins one. A last entry that was cut in the writing is removed and told.
    ///
    /// Fails when another process has it open, or when what is there is not what was written.
    pub fn open(dir: &Path, clock: Clock, node: &str) -> Result<Arc<Self>, OpenError> {
        let missed = Arc::new(AtomicU64::new(0));
        let writer = Writer::open(dir, clock, node, missed.clone())?;
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
            dir: dir.to_owned(),
        }))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Ready when everything recorded before is durable.
    pub async fn flush(&self) -> Result<(), Unavailable> {
        let (done, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Job::Flush { done }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn hand_over(&self, event: Event) -> Result<(), Unavailable> {
        let (done, answer) = oneshot::channel();
        let job = Job::Event {
            event: Box::new(event),
            done: Some(done),
        };
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        match queue.send_timeout(job, PATIENCE).await {
            Ok(()) => answer.await.map_err(|_| gone())?,
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
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<(), Unavailable>> {
        Box::pin(self.hand_over(event))
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
}

impl Drop for Trail {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
