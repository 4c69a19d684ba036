//! The one thread that writes, and the queue to it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::ports::{Pending, TrailSink, Unavailable};
use kastellan_core::time::{Clock, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::chain::{self, Hash};
use crate::entry::Entry;
use crate::flood::Floods;
use crate::read::{load, segments};
use crate::segment::{self, HEADER_LEN, Header, Piece};

/// Events that may wait for the writer.
const QUEUE: usize = 4_096;
const ROLL_BYTES: u64 = 64 << 20;
const ROLL_AGE: Duration = Duration::from_secs(86_400);
/// Appended entries become durable within this even if nobody waits.
const SYNC_EVERY: Duration = Duration::from_millis(100);
/// How long a decision waits for a place in the queue.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error("{path}: another process writes this trail")]
    Busy { path: PathBuf },
    #[error(
        "{path}: byte {position}: {what}\nnext: keep the file as evidence, move the trail directory away, and start a new one"
    )]
    Damaged {
        path: PathBuf,
        position: u64,
        what: &'static str,
    },
}

struct Job {
    event: Event,
    done: Option<oneshot::Sender<Result<(), Unavailable>>>,
}

/// The trail of one process. Ends with its last handle, after everything is written.
pub struct Trail {
    queue: mpsc::Sender<Job>,
    dropped: Arc<AtomicU64>,
    dir: PathBuf,
}

impl Trail {
    /// Opens the trail in a directory, or begins one. A last entry that was cut in the writing is removed and told.
    pub fn open(dir: &Path, clock: Clock, node: &str) -> Result<Arc<Self>, OpenError> {
        let mut writer = Writer::open(dir, clock, node)?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let io = |error| OpenError::Io {
            path: dir.to_owned(),
            error,
        };
        writer
            .append(Event::new("trail.opened", Class::Critical, Outcome::Ok))
            .map_err(io)?;
        writer.sync().map_err(io)?;
        std::thread::Builder::new()
            .name("trail".to_owned())
            .spawn(move || writer.run(jobs))
            .map_err(io)?;
        Ok(Arc::new(Self {
            queue,
            dropped,
            dir: dir.to_owned(),
        }))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Events of the lowest class that found no place.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    async fn hand_over(&self, event: Event) -> Result<(), Unavailable> {
        let (sender, receiver) = oneshot::channel();
        let job = Job {
            event,
            done: Some(sender),
        };
        let gone = || Unavailable("the trail cannot be written".to_owned());
        tokio::time::timeout(PATIENCE.max(Duration::from_secs(5)), self.queue.send(job))
            .await
            .map_err(|_| Unavailable("the trail takes no more events".to_owned()))?
            .map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }
}

impl TrailSink for Trail {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<(), Unavailable>> {
        Box::pin(self.hand_over(event))
    }

    fn note(&self, event: Event) {
        if self.queue.try_send(Job { event, done: None }).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("trail_dropped_total").increment(1);
        }
    }
}

struct Writer {
    dir: PathBuf,
    clock: Clock,
    node: String,
    log: [u8; 8],
    file: File,
    len: u64,
    created: Timestamp,
    chain: Hash,
    next: u64,
    floods: Floods,
    _lock: File,
}

/// Where the newest segment ends.
struct End {
    path: PathBuf,
    header: Header,
    chain: Hash,
    next: u64,
    len: u64,
    file_len: u64,
    is_closed: bool,
}

impl Writer {
    fn open(dir: &Path, clock: Clock, node: &str) -> Result<Self, OpenError> {
        let io = |error| OpenError::Io {
            path: dir.to_owned(),
            error,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(io)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join("LOCK"))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Busy {
                    path: dir.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let newest = segments(dir).map_err(io)?.pop();
        let end = newest.map(|path| find_end(&path)).transpose()?;
        let now = clock.now();
        let (log, chain, next) = match &end {
            Some(end) => (end.header.log, end.chain, end.next),
            None => {
                let log = log_id(now);
                (log, chain::start(&log), 1)
            }
        };
        let (file, len, created, torn) = match end {
            Some(end) if !end.is_closed => {
                let file = OpenOptions::new()
                    .append(true)
                    .open(&end.path)
                    .map_err(io)?;
                let torn = end.file_len - end.len;
                if torn > 0 {
                    file.set_len(end.len)
                        .and_then(|()| file.sync_all())
                        .map_err(io)?;
                }
                (file, end.len, Timestamp(end.header.created), torn)
            }
            _ => {
                let header = Header {
                    log,
                    first_seq: next,
                    chain,
                    created: now.millis(),
                };
                (begin(dir, header).map_err(io)?, HEADER_LEN as u64, now, 0)
            }
        };
        let mut writer = Self {
            dir: dir.to_owned(),
            clock,
            node: node.to_owned(),
            log,
            file,
            len,
            created,
            chain,
            next,
            floods: Floods::default(),
            _lock: lock,
        };
        if torn > 0 {
            let mut event =
                Event::new("trail.recovered", Class::Critical, Outcome::Ok).why("torn_entry");
            event.counts.insert("bytes".to_owned(), torn);
            writer.append(event).map_err(io)?;
        }
        Ok(writer)
    }

    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut failed: Option<String> = None;
        let mut unsynced = false;
        let mut synced_at = self.clock.monotonic();
        loop {
            // Takes everything that waits, so that one sync serves all of it.
            let mut batch = Vec::new();
            match self.next_job(&mut jobs, unsynced) {
                Some(Some(job)) => batch.push(job),
                Some(None) => {}
                None => break,
            }
            while batch.len() < QUEUE {
                let Ok(job) = jobs.try_recv() else { break };
                batch.push(job);
            }
            let mut waiting = Vec::new();
            let mut must_sync = self.clock.monotonic().saturating_sub(synced_at) >= SYNC_EVERY;
            for Job { event, done } in batch {
                must_sync |= event.class == Class::Critical && event.change.is_some();
                let written = match &failed {
                    Some(reason) => Err(Unavailable(reason.clone())),
                    None => self.write(event).map_err(|error| {
                        tracing::error!(%error, "Trail cannot be written");
                        let reason = format!("the trail cannot be written: {error}");
                        failed = Some(reason.clone());
                        Unavailable(reason)
                    }),
                };
                unsynced = true;
                if let Some(done) = done {
                    waiting.push((done, written));
                }
            }
            if unsynced && must_sync && failed.is_none() {
                if let Err(error) = self.sync() {
                    tracing::error!(%error, "Trail cannot be synced");
                    failed = Some(format!("the trail cannot be synced: {error}"));
                }
                unsynced = false;
                synced_at = self.clock.monotonic();
            }
            for (done, written) in waiting {
                let outcome = written.and_then(|()| match &failed {
                    Some(reason) => Err(Unavailable(reason.clone())),
                    None => Ok(()),
                });
                let _ = done.send(outcome);
            }
        }
        let _ = self.sync();
    }

    /// `None`: nobody can send any more. `Some(None)`: it is time to sync.
    fn next_job(&self, jobs: &mut mpsc::Receiver<Job>, unsynced: bool) -> Option<Option<Job>> {
        if !unsynced {
            return jobs.blocking_recv().map(Some);
        }
        match jobs.try_recv() {
            Ok(job) => Some(Some(job)),
            Err(mpsc::error::TryRecvError::Disconnected) => None,
            Err(mpsc::error::TryRecvError::Empty) => {
                std::thread::sleep(SYNC_EVERY / 20);
                Some(None)
            }
        }
    }

    /// Writes an event, and before it what was folded in the second before.
    fn write(&mut self, event: Event) -> io::Result<()> {
        let (is_written, folded) = self.floods.admit(&event, self.clock.now());
        for event in folded {
            self.append(event)?;
        }
        if is_written {
            self.append(event)
        } else {
            Ok(())
        }
    }

    fn append(&mut self, event: Event) -> io::Result<()> {
        let now = self.clock.now();
        if self.len >= ROLL_BYTES || now.since(self.created) >= ROLL_AGE {
            self.roll(now)?;
        }
        metrics::counter!("trail_events_total", "type" => event.kind.clone()).increment(1);
        let entry = Entry {
            v: 1,
            seq: self.next,
            time: now.millis(),
            mono: u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX),
            log: self.log.iter().map(|byte| format!("{byte:02x}")).collect(),
            node: self.node.clone(),
            event,
        };
        let body = entry.to_body();
        let chain = chain::next(&self.chain, self.next, &body);
        let bytes = segment::encode_entry(&body, &chain);
        if let Err(error) = self.file.write_all(&bytes) {
            // Half an entry must not stand in front of a whole one.
            let _ = self.file.set_len(self.len);
            return Err(error);
        }
        self.len += bytes.len() as u64;
        self.chain = chain;
        self.next += 1;
        Ok(())
    }

    fn roll(&mut self, now: Timestamp) -> io::Result<()> {
        self.file
            .write_all(&segment::encode_footer(self.next - 1, &self.chain))?;
        self.file.sync_all()?;
        let header = Header {
            log: self.log,
            first_seq: self.next,
            chain: self.chain,
            created: now.millis(),
        };
        self.file = begin(&self.dir, header)?;
        self.len = HEADER_LEN as u64;
        self.created = now;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Makes a segment file with its header, durable.
fn begin(dir: &Path, header: Header) -> io::Result<File> {
    let path = dir.join(format!("{:020}.seg", header.first_seq));
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&header.to_bytes())?;
    file.sync_all()?;
    File::open(dir)?.sync_all()?;
    Ok(file)
}

/// A log id: from the time of its first start and the process, different enough to tell logs apart.
fn log_id(now: Timestamp) -> [u8; 8] {
    let mut seed = now.millis().to_be_bytes().to_vec();
    seed.extend_from_slice(&std::process::id().to_be_bytes());
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &seed);
    let mut id = [0; 8];
    id.copy_from_slice(hash.as_ref().first_chunk::<8>().unwrap_or(&[0; 8]));
    id
}

/// Follows the chain through the newest segment.
fn find_end(path: &Path) -> Result<End, OpenError> {
    let bytes = load(path).map_err(|error| OpenError::Io {
        path: path.to_owned(),
        error,
    })?;
    let damaged = |position: usize, what: &'static str| OpenError::Damaged {
        path: path.to_owned(),
        position: position as u64,
        what,
    };
    let header = Header::parse(&bytes).ok_or_else(|| damaged(0, "the header is damaged"))?;
    let (mut chain, mut next, mut position) = (header.chain, header.first_seq, HEADER_LEN);
    let is_closed = loop {
        match segment::next(bytes.get(position..).unwrap_or_default()) {
            Piece::Entry {
                body,
                chain: written,
                len,
            } => {
                if chain::next(&chain, next, body) != written {
                    return Err(damaged(
                        position,
                        "the entry is not the one that was written",
                    ));
                }
                (chain, next, position) = (written, next + 1, position + len);
            }
            Piece::Footer { .. } => break true,
            Piece::Cut => break false,
            // A write that was cut leaves a piece at the very end; anything else is damage.
            Piece::Bad if is_last_piece(&bytes, position) => break false,
            Piece::Bad => return Err(damaged(position, "bytes are damaged")),
        }
    };
    let file_len = bytes.len() as u64;
    Ok(End {
        path: path.to_owned(),
        header,
        chain,
        next,
        len: position as u64,
        file_len,
        is_closed,
    })
}

/// Whether no whole entry begins behind a bad one.
fn is_last_piece(bytes: &[u8], position: usize) -> bool {
    (position + 1..bytes.len()).all(|at| {
        !matches!(segment::next(bytes.get(at..).unwrap_or_default()), Piece::Entry { body, .. }
            if serde_json::from_slice::<Entry>(body).is_ok())
    })
}
