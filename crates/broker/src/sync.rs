//! Makes written bytes durable: one fdatasync for everything that waits for a file.
//!
//! In: "this much is written". Out: tickets that complete when a sync that began later has ended. A file has at most
//! one sync running; whatever is written meanwhile shares the next one. Where somebody's answer waits for it there is no
//! timer; what only readers wait for is left for a moment ([`SOON`]), so that a stream of small batches is not a stream of
//! syncs. Where several answers waited for the last sync, the next one begins a little later ([`Progress::gather`]): the
//! requests that follow those answers share it, instead of the first of them having it alone.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
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

/// How long a sync may be put off that nobody's answer waits for.
const SOON: Duration = Duration::from_millis(1);

/// Part of the last sync's time that the next one waits for company, and at most.
const GATHER_PART: u32 = 8;
const GATHER_MAX: Duration = Duration::from_micros(250);

/// Who waits for a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// An answer.
    Now,
    /// Readers: what is not durable is not shown.
    Soon,
}

impl Haste {
    /// Of a Produce request.
    pub(crate) fn of(acks: i16) -> Self {
        match acks {
            -1 => Self::Now,
            _ => Self::Soon,
        }
    }
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
    /// Somebody is about to sync it, or does.
    is_queued: bool,
    /// It is among those to be synced soon.
    is_soon: bool,
    /// How long the next sync waits for company.
    gather: Duration,
    waiting: Vec<Waiting>,
}

struct Waiting {
    target: u64,
    haste: Haste,
    done: oneshot::Sender<()>,
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

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

/// The threads that sync. They end when it is dropped, whoever still has a file.
pub(crate) struct SyncPool(Arc<Pool>);

impl Drop for SyncPool {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Pool {
    queue: Mutex<Queue>,
    ready: Condvar,
    /// Something is to be synced soon.
    later: Condvar,
    failure: Arc<Failure>,
    linger: Duration,
    clock: Clock,
}

#[derive(Default)]
struct Queue {
    files: VecDeque<Arc<SyncFile>>,
    soon: Vec<Arc<SyncFile>>,
    is_stopped: bool,
}

impl SyncPool {
    pub(crate) fn start(
        threads: usize,
        linger: Duration,
        failure: Arc<Failure>,
        clock: Clock,
    ) -> std::io::Result<Arc<Self>> {
        // From here on an error ends the threads that were started.
        let started = Self(Arc::new(Pool {
            queue: Mutex::default(),
            ready: Condvar::new(),
            later: Condvar::new(),
            failure,
            linger,
            clock,
        }));
        for number in 0..threads.max(1) {
            let pool = started.0.clone();
            std::thread::Builder::new()
                .name(format!("log-sync-{number}"))
                .spawn(move || pool.work())?;
        }
        let patient = started.0.clone();
        std::thread::Builder::new()
            .name("log-sync-soon".to_owned())
            .spawn(move || patient.work_soon())?;
        Ok(Arc::new(started))
    }

    /// Asks for a sync of everything written so far.
    pub(crate) fn ticket(&self, file: &Arc<SyncFile>) -> Ticket {
        self.ticket_by(file, Haste::Now)
    }

    pub(crate) fn ticket_by(&self, file: &Arc<SyncFile>, haste: Haste) -> Ticket {
        self.0.ticket(file, haste)
    }

    /// An error that no retry may hide: the log fails.
    pub(crate) fn fail(&self, reason: String) {
        self.0.failure.set(reason);
    }

    pub(crate) fn stop(&self) {
        self.0.queue().is_stopped = true;
        self.0.ready.notify_all();
        self.0.later.notify_all();
    }
}

impl Pool {
    fn ticket(&self, file: &Arc<SyncFile>, haste: Haste) -> Ticket {
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
        state.waiting.push(Waiting {
            target,
            haste,
            done: sender,
        });
        self.schedule(file, &mut state);
        Ticket(State::Waiting(receiver))
    }

    /// Sees to it that a file is synced for those who wait.
    fn schedule(&self, file: &Arc<SyncFile>, state: &mut Progress) {
        if state.waiting.iter().any(|one| one.haste == Haste::Now) {
            self.enqueue(file, state);
        } else if !state.waiting.is_empty() && !state.is_queued {
            self.put_off(file, state);
        }
    }

    fn put_off(&self, file: &Arc<SyncFile>, state: &mut Progress) {
        if !std::mem::replace(&mut state.is_soon, true) {
            let mut queue = self.queue();
            if queue.is_stopped {
                // Nobody would sync it: the tickets fail.
                state.waiting.clear();
                state.is_soon = false;
                return;
            }
            queue.soon.push(file.clone());
            self.later.notify_one();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nobody panics while holding it")
    }

    fn enqueue(&self, file: &Arc<SyncFile>, state: &mut Progress) {
        if !std::mem::replace(&mut state.is_queued, true) {
            let mut queue = self.queue();
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

    fn work(&self) {
        while let Some(file) = self.next() {
            let gather = file.lock().gather;
            let linger = self.linger.max(gather);
            // Where other files wait for a thread, the company comes by itself.
            if !linger.is_zero() && (!self.linger.is_zero() || self.queue().files.is_empty()) {
                std::thread::sleep(linger);
            }
            self.round(&file);
        }
    }

    /// Syncs what nobody is in haste for, after a moment; several files are shared among the threads.
    fn work_soon(&self) {
        while self.has_soon() {
            std::thread::sleep(SOON);
            let mut files = std::mem::take(&mut self.queue().soon);
            let own = files.pop();
            for file in files {
                let mut state = file.lock();
                state.is_soon = false;
                self.enqueue(&file, &mut state);
            }
            let Some(own) = own else { continue };
            let mut state = own.lock();
            state.is_soon = false;
            // Else whoever syncs it looks again for those who wait.
            if !std::mem::replace(&mut state.is_queued, true) {
                drop(state);
                self.round(&own);
            }
        }
    }

    /// Waits for files that are to be synced soon; `false`: there will be none.
    fn has_soon(&self) -> bool {
        let queue = self.queue();
        let queue = self
            .later
            .wait_while(queue, |queue| queue.soon.is_empty() && !queue.is_stopped)
            .expect("nobody panics while holding it");
        !queue.soon.is_empty()
    }

    fn next(&self) -> Option<Arc<SyncFile>> {
        let mut queue = self.queue();
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
            .partition(|one| one.target <= captured.bytes);
        let answers = done.iter().filter(|one| one.haste == Haste::Now).count();
        state.gather = match answers {
            0 | 1 => Duration::ZERO,
            _ => (took / GATHER_PART).min(GATHER_MAX),
        };
        state.waiting = waiting;
        state.is_queued = false;
        self.schedule(file, &mut state);
        drop(state);
        for one in done {
            let _ = one.done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use kastellan_core::time::Timestamp;

    use super::*;
    use crate::notes::Notes;

    #[test]
    fn threads_end_with_their_pool() {
        let failure = Arc::new(Failure::new(Notes::new(None)));
        let clock = Clock::manual(Timestamp(0));
        let pool = SyncPool::start(3, Duration::ZERO, failure, clock).expect("threads can start");
        let threads = Arc::downgrade(&pool.0);
        assert_eq!(
            threads.strong_count(),
            5,
            "three, the patient one, and here"
        );
        drop(pool);
        for _ in 0..1_000 {
            if threads.strong_count() == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} threads are left", threads.strong_count());
    }
}
