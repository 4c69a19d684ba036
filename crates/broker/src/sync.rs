//! Makes written bytes durable: one fdatasync for everything that waits for a file.
//!
//! In: "this much is written". Out: tickets that complete when a sync that began later has ended. A file has at most
//! one sync running; whatever is written meanwhile shares the next one. No timer.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use kastellan_core::time::Clock;
use tokio::sync::oneshot;

use crate::disk::DiskFile;
use crate::failure::Failure;

/// How far a file is written: bytes, and the offset behind the last record in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub bytes: u64,
    pub end: i64,
}

/// Completes when what it stands for is durable.
#[derive(Debug)]
pub struct Ticket(State);

#[derive(Debug)]
enum State {
    Done,
    Waiting(oneshot::Receiver<()>),
}

/// The log failed before the bytes were durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log failed")]
pub struct NotDurable;

impl Ticket {
    pub(crate) fn done() -> Self {
        Self(State::Done)
    }

    pub async fn durable(self) -> Result<(), NotDurable> {
        match self.0 {
            State::Done => Ok(()),
            State::Waiting(receiver) => receiver.await.map_err(|_| NotDurable),
        }
    }

    /// For the log's own threads.
    pub(crate) fn wait(self) -> Result<(), NotDurable> {
        match self.0 {
            State::Done => Ok(()),
            State::Waiting(receiver) => receiver.blocking_recv().map_err(|_| NotDurable),
        }
    }
}

/// A file that is written at its end and synced in rounds.
pub(crate) struct SyncFile {
    file: Arc<dyn DiskFile>,
    name: String,
    state: Mutex<Progress>,
    /// Called after each sync with how far the file is durable, before tickets complete.
    on_sync: Box<dyn Fn(Mark) + Send + Sync>,
}

#[derive(Default)]
struct Progress {
    written: Mark,
    synced: Mark,
    is_queued: bool,
    waiting: Vec<(u64, oneshot::Sender<()>)>,
}

impl SyncFile {
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        name: String,
        durable: Mark,
        on_sync: Box<dyn Fn(Mark) + Send + Sync>,
    ) -> Arc<Self> {
        let state = Progress {
            written: durable,
            synced: durable,
            ..Progress::default()
        };
        Arc::new(Self {
            file,
            name,
            state: Mutex::new(state),
            on_sync,
        })
    }

    /// Bytes known to be durable.
    pub(crate) fn synced(&self) -> Mark {
        self.lock().synced
    }

    /// Notes that the file is written up to here.
    pub(crate) fn written(&self, mark: Mark) {
        self.lock().written = mark;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

/// The threads that sync.
pub(crate) struct SyncPool {
    queue: Mutex<Queue>,
    ready: Condvar,
    failure: Arc<Failure>,
    linger: Duration,
    clock: Clock,
}

#[derive(Default)]
struct Queue {
    files: VecDeque<Arc<SyncFile>>,
    is_stopped: bool,
}

impl SyncPool {
    pub(crate) fn start(
        threads: usize,
        linger: Duration,
        failure: Arc<Failure>,
        clock: Clock,
    ) -> std::io::Result<Arc<Self>> {
        let pool = Arc::new(Self {
            queue: Mutex::default(),
            ready: Condvar::new(),
            failure,
            linger,
            clock,
        });
        for number in 0..threads.max(1) {
            let pool = pool.clone();
            std::thread::Builder::new()
                .name(format!("log-sync-{number}"))
                .spawn(move || pool.work())?;
        }
        Ok(pool)
    }

    /// Asks for a sync of everything written so far.
    pub(crate) fn ticket(&self, file: &Arc<SyncFile>) -> Ticket {
        let mut state = file.lock();
        let target = state.written.bytes;
        if state.synced.bytes >= target {
            return Ticket::done();
        }
        let (sender, receiver) = oneshot::channel();
        if self.failure.has_failed() {
            // The sender is dropped: the ticket fails.
            return Ticket(State::Waiting(receiver));
        }
        state.waiting.push((target, sender));
        self.enqueue(file, &mut state);
        Ticket(State::Waiting(receiver))
    }

    fn enqueue(&self, file: &Arc<SyncFile>, state: &mut Progress) {
        if !std::mem::replace(&mut state.is_queued, true) {
            let mut queue = self.queue.lock().expect("nobody panics while holding it");
            if queue.is_stopped {
                // Nobody would sync it: the tickets fail.
                state.waiting.clear();
                state.is_queued = false;
                return;
            }
            queue.files.push_back(file.clone());
            metrics::gauge!("log_sync_files").set(queue.files.len() as f64);
            self.ready.notify_one();
        }
    }

    /// An error that no retry may hide: the log fails.
    pub(crate) fn fail(&self, reason: String) {
        self.failure.set(reason);
    }

    pub(crate) fn stop(&self) {
        self.queue
            .lock()
            .expect("nobody panics while holding it")
            .is_stopped = true;
        self.ready.notify_all();
    }

    fn work(&self) {
        while let Some(file) = self.next() {
            if !self.linger.is_zero() {
                std::thread::sleep(self.linger);
            }
            self.round(&file);
        }
    }

    fn next(&self) -> Option<Arc<SyncFile>> {
        let mut queue = self.queue.lock().expect("nobody panics while holding it");
        loop {
            if let Some(file) = queue.files.pop_front() {
                metrics::gauge!("log_sync_files").set(queue.files.len() as f64);
                return Some(file);
            }
            if queue.is_stopped {
                return None;
            }
            queue = self
                .ready
                .wait(queue)
                .expect("nobody panics while holding it");
        }
    }

    /// One fdatasync and what follows from it.
    fn round(&self, file: &Arc<SyncFile>) {
        let captured = file.lock().written;
        let started = self.clock.monotonic();
        let outcome = if self.failure.has_failed() {
            Ok(false)
        } else {
            file.file.sync_data().map(|()| true)
        };
        let durable = match outcome {
            Ok(durable) => durable,
            Err(error) => {
                self.failure.set(format!("{}: {error}", file.name));
                false
            }
        };
        if !durable {
            let mut state = file.lock();
            state.waiting.clear();
            state.is_queued = false;
            return;
        }
        let took = self.clock.monotonic().saturating_sub(started);
        metrics::histogram!("log_sync_seconds").record(took.as_secs_f64());
        (file.on_sync)(captured);
        let mut state = file.lock();
        state.synced = state.synced.max(captured);
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition(|(target, _)| *target <= captured.bytes);
        state.waiting = waiting;
        state.is_queued = false;
        if !state.waiting.is_empty() {
            self.enqueue(file, &mut state);
        }
        drop(state);
        for (_, sender) in done {
            let _ = sender.send(());
        }
    }
}
