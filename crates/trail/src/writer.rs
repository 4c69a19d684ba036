//! The one thread that writes: takes what waits, appends it, makes it durable, answers.
//!
//! A change is answered when it is durable, anything else when it is appended. What cannot be written is refused to
//! whoever waits for it and counted; the count is the first thing written when writing works again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::ports::Unavailable;
use kastellan_core::time::{Clock, Timestamp};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::entry::Entry;
use crate::files::{AppendError, Files, OpenError};
use crate::flood::Floods;
use crate::handle::{Answer, Job, Owed, QUEUE};
use crate::undecided::{self, Undecided};

/// What is appended becomes durable within this time, or when it comes to so many bytes, even if nobody waits.
const SYNC_EVERY: Duration = Duration::from_millis(100);
const SYNC_BYTES: u64 = 256 << 10;
/// Steps of the clock against the monotonic one that are told, in milliseconds.
const STEP_BACK: i64 = -2_000;
const STEP_FORTH: i64 = 60_000;

pub(crate) struct Writer {
    files: Files,
    clock: Clock,
    node: String,
    floods: Floods,
    missed: Arc<AtomicU64>,
    owed: Owed,
    /// Changes that were announced and have no outcome yet.
    undecided: Undecided,
    /// The first entry of this process.
    opened: u64,
    /// Why nothing is written any more.
    broken: Option<String>,
    unsynced: u64,
    synced_at: Duration,
    /// Wall clock minus monotonic clock, in milliseconds.
    offset: i64,
}

impl Writer {
    pub(crate) fn open(
        dir: &Path,
        clock: Clock,
        node: &str,
        missed: Arc<AtomicU64>,
        owed: Owed,
    ) -> Result<Self, OpenError> {
        let io = |error| OpenError::Io {
            path: dir.to_owned(),
            error,
        };
        let (files, torn) = Files::open(dir, clock.now())?;
        let undecided = undecided::read(dir).map_err(io)?;
        let mut writer = Self {
            opened: files.next(),
            undecided,
            owed,
            files,
            offset: offset(&clock),
            synced_at: clock.monotonic(),
            clock,
            node: node.to_owned(),
            floods: Floods::default(),
            missed,
            broken: None,
            unsynced: 0,
        };
        writer
            .begin(torn)
            .map_err(|reason| io(std::io::Error::other(reason.0)))?;
        Ok(writer)
    }

    fn begin(&mut self, torn: u64) -> Result<(), Unavailable> {
        if torn > 0 {
            let mut event =
                Event::new("trail.recovered", Class::Critical, Outcome::Ok).why("torn_entry");
            event.counts.insert("cut_bytes".to_owned(), torn);
            let last = self.files.next() - 1;
            event.counts.insert("last_seq".to_owned(), last);
            self.append(event)?;
        }
        self.append(Event::new("trail.opened", Class::Critical, Outcome::Ok))?;
        self.sync()
    }

    /// Until nobody can send any more.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        // Only wakes this thread: for a job or after a time, whichever is first.
        let alarm = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let alarm = match alarm {
            Ok(alarm) => alarm,
            Err(error) => return tracing::error!(%error, "Trail cannot run"),
        };
        while let Some(batch) = self.next_batch(&alarm, &mut jobs) {
            let mut answers: Vec<(Answer, Result<Option<u64>, Unavailable>)> = Vec::new();
            let mut is_awaited = false;
            for job in batch {
                match job {
                    Job::Event { event, done } => {
                        is_awaited |= event.class == Class::Critical && event.change.is_some();
                        let written = self.take(*event);
                        answers.extend(done.map(|done| (done, written)));
                    }
                    Job::Flush { done } => {
                        is_awaited = true;
                        answers.push((done, Ok(None)));
                    }
                    Job::Settle { done } => {
                        is_awaited = true;
                        answers.push((done, self.settle().map(|()| None)));
                    }
                }
            }
            self.pay();
            let _ = self.tell_folded(self.clock.now());
            let durable = if is_awaited || self.is_due() {
                self.sync()
            } else {
                Ok(())
            };
            for (done, written) in answers {
                let _ = done.send(written.and_then(|number| durable.clone().map(|()| number)));
            }
        }
        self.pay();
        for event in self.floods.settle() {
            let _ = self.append(event);
        }
        let _ = self.sync();
    }

    /// Writes what found no place in the queue.
    fn pay(&mut self) {
        let owed = {
            let mut owed = self.owed.lock().expect("nobody panics while holding it");
            std::mem::take(&mut *owed)
        };
        for event in owed {
            let _ = self.take(event);
        }
    }

    /// Nobody is left who could tell what came of changes that an earlier process announced.
    fn settle(&mut self) -> Result<(), Unavailable> {
        for event in self.undecided.unknown_before(self.opened) {
            self.take(event)?;
        }
        Ok(())
    }

    /// Everything that waits, so that one sync serves all of it; nothing when it is time to look after the files.
    fn next_batch(&self, alarm: &Runtime, jobs: &mut mpsc::Receiver<Job>) -> Option<Vec<Job>> {
        let is_idle = self.unsynced == 0 && !self.floods.owes();
        let first = if is_idle {
            jobs.blocking_recv()?
        } else {
            let next = async { tokio::time::timeout(SYNC_EVERY / 2, jobs.recv()).await };
            match alarm.block_on(next) {
                Ok(job) => job?,
                Err(_) => return Some(Vec::new()),
            }
        };
        let mut batch = vec![first];
        while batch.len() < QUEUE
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        Some(batch)
    }

    fn is_due(&self) -> bool {
        self.unsynced >= SYNC_BYTES
            || self.unsynced > 0
                && self.clock.monotonic().saturating_sub(self.synced_at) >= SYNC_EVERY
    }

    /// Writes an event, and before it what has to be told first. Gives its number. An outcome that is written already, and
    /// comes again because its sender could not note that, is not written twice.
    fn take(&mut self, event: Event) -> Result<Option<u64>, Unavailable> {
        self.tell_folded(self.clock.now())?;
        self.tell_clock_step()?;
        if self.undecided.is_told(&event) || !self.floods.admit(&event) {
            return Ok(None);
        }
        self.tell_missed()?;
        let number = self.files.next();
        self.append(event).map(|()| Some(number)).inspect_err(|_| {
            self.missed.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn tell_folded(&mut self, now: Timestamp) -> Result<(), Unavailable> {
        self.floods
            .turn(now)
            .into_iter()
            .try_for_each(|event| self.append(event))
    }

    fn tell_missed(&mut self) -> Result<(), Unavailable> {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        if missed == 0 {
            return Ok(());
        }
        let mut gap = Event::new("trail.gap", Class::Critical, Outcome::Failed);
        gap.counts.insert("events".to_owned(), missed);
        metrics::counter!("trail_gap_total").increment(1);
        self.append(gap).inspect_err(|_| {
            // The event that was to follow is lost with it.
            self.missed.fetch_add(missed + 1, Ordering::Relaxed);
        })
    }

    fn tell_clock_step(&mut self) -> Result<(), Unavailable> {
        let offset = offset(&self.clock);
        let step = offset.saturating_sub(self.offset);
        if (STEP_BACK..=STEP_FORTH).contains(&step) {
            return Ok(());
        }
        self.offset = offset;
        let event = Event::new("trail.clock_step", Class::Critical, Outcome::Ok);
        self.append(event.with("milliseconds", &step.to_string()))
    }

    fn append(&mut self, event: Event) -> Result<(), Unavailable> {
        if let Some(reason) = &self.broken {
            return Err(Unavailable(reason.clone()));
        }
        debug_assert_eq!(kastellan_core::event::types::check(&event), Ok(()));
        let now = self.clock.now();
        let kind = event.kind.clone();
        let entry = Entry {
            v: 1,
            seq: self.files.next(),
            time: now.millis(),
            mono: u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX),
            log: self.files.log(),
            node: self.node.clone(),
            event,
        };
        let appended = entry
            .to_body()
            .map_err(|error| AppendError::Refused(error.into()))
            .and_then(|body| self.files.append(&body, now));
        if appended.is_ok() {
            self.undecided.meet(entry.seq, &entry.event);
        }
        match appended {
            Ok(bytes) => {
                self.unsynced += bytes;
                metrics::counter!("trail_events_total", "type" => kind).increment(1);
                Ok(())
            }
            Err(error) => Err(self.fail(&error, matches!(error, AppendError::Broken(_)))),
        }
    }

    fn sync(&mut self) -> Result<(), Unavailable> {
        if let Some(reason) = &self.broken {
            return Err(Unavailable(reason.clone()));
        }
        if self.unsynced == 0 {
            return Ok(());
        }
        let began = self.clock.monotonic();
        // After a failed sync the system may have thrown away what it could not write, and a second one would say yes.
        self.files
            .sync()
            .map_err(|error| self.fail(&AppendError::Broken(error), true))?;
        self.synced_at = self.clock.monotonic();
        self.unsynced = 0;
        metrics::histogram!("trail_fsync_seconds")
            .record(self.synced_at.saturating_sub(began).as_secs_f64());
        Ok(())
    }

    fn fail(&mut self, error: &AppendError, is_broken: bool) -> Unavailable {
        tracing::error!(%error, "Trail cannot be written");
        let reason = format!("the trail cannot be written: {error}");
        if is_broken {
            self.broken = Some(reason.clone());
            self.unsynced = 0;
        }
        Unavailable(reason)
    }
}

fn offset(clock: &Clock) -> i64 {
    let monotonic = i64::try_from(clock.monotonic().as_millis()).unwrap_or(i64::MAX);
    clock.now().millis().saturating_sub(monotonic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::{fill_the_disk, find_the_directory, lose_the_directory, temporary};

    fn opened(dir: &Path) -> Writer {
        let clock = Clock::manual(Timestamp(1_000_000));
        Writer::open(dir, clock, "test", Arc::default(), Owed::default()).unwrap()
    }

    fn refusal() -> Event {
        Event::new("authz.refused", Class::Critical, Outcome::Refused)
    }

    #[test]
    fn nothing_is_promised_on_a_full_disk() {
        let dir = temporary("full");
        let mut writer = opened(&dir);
        assert!(writer.take(refusal()).is_ok());
        fill_the_disk(&mut writer.files);
        assert!(writer.take(refusal()).is_err());
        assert!(writer.sync().is_err());
        assert_eq!(writer.missed.load(Ordering::Relaxed), 1);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_was_missed_is_told_when_writing_works_again() {
        let dir = temporary("gap");
        let mut writer = opened(&dir);
        let kept = lose_the_directory(&mut writer.files);
        for _ in 0..3 {
            assert!(writer.take(refusal()).is_err());
        }
        find_the_directory(&mut writer.files, kept);
        assert!(writer.take(refusal()).is_ok());
        drop(writer);
        let entries: Vec<Entry> = crate::read(&dir)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let kinds: Vec<&str> = entries
            .iter()
            .map(|entry| entry.event.kind.as_str())
            .collect();
        assert_eq!(kinds, ["trail.opened", "trail.gap", "authz.refused"]);
        assert_eq!(entries[1].event.counts["events"], 3);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
