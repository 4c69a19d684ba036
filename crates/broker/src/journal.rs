//! A file of entries that grows at its end and is written anew, as a snapshot, at every start and when it is large.
//!
//! ```text
//! <sequence 16 digits>.jnl = header, opening (incarnation u32, created i64 ms), entries, snapshot end (count u64), entries ..
//! entry = type u16, body
//! ```
//! A file gets its name when its snapshot is durable. At the start the newest one counts.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use seal::at_rest::{FileIdentity, FileKind, Keyring};
use uuid::Uuid;

use crate::bytes_io::{Fields, Malformed, Out};
use crate::container::{self, ContainerError, Opened, Tail, Writer, kind};
use crate::disk::Disk;
use crate::sync::{Mark, SyncFile, SyncPool, Ticket};

/// Bytes of one entry's frame, at most.
pub(crate) const ENTRY_CAP: u32 = 16 << 20;
/// A journal is written anew above this, or above four times its snapshot.
const LARGE: u64 = 16 << 20;

/// Type and body.
pub(crate) type Entry = (u16, Bytes);

#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error(transparent)]
    Container(#[from] ContainerError),
    #[error("{path}: durable entries are damaged at byte {position}")]
    Corrupt { path: String, position: u64 },
    #[error("{path}: {error}")]
    Malformed { path: String, error: Malformed },
}

/// Where a journal lives and what it needs.
#[derive(Clone)]
pub(crate) struct Place {
    pub disk: Arc<dyn Disk>,
    pub keyring: Arc<Keyring>,
    pub sync: Arc<SyncPool>,
    pub dir: &'static str,
    pub kind: FileKind,
}

pub(crate) struct Journal {
    place: Place,
    current: Mutex<Current>,
    incarnation: u32,
}

pub(crate) struct Current {
    writer: Writer,
    sync_file: Arc<SyncFile>,
    sequence: u64,
    snapshot_bytes: u64,
}

/// What a journal held.
pub(crate) struct Replayed {
    pub entries: Vec<Entry>,
    sequence: u64,
    /// Where its good entries end.
    end: u64,
}

impl Replayed {
    /// There was no file.
    pub(crate) fn is_missing(&self) -> bool {
        self.sequence == 0
    }

    /// Number of the file, and bytes of it: both only rise.
    pub(crate) fn position(&self) -> (u64, u64) {
        (self.sequence, self.end)
    }
}

impl Place {
    pub(crate) fn path(&self, sequence: u64) -> String {
        format!("{}/{sequence:016}.jnl", self.dir)
    }

    pub(crate) fn identity(&self, sequence: u64) -> FileIdentity {
        FileIdentity {
            kind: self.kind,
            topic: Uuid::nil(),
            partition: 0,
            base: sequence,
        }
    }

    /// Reads the newest journal. An empty directory gives no entries.
    pub(crate) fn replay(&self) -> Result<Replayed, JournalError> {
        let sequence = self.sequences()?.into_iter().max();
        let (entries, end) = match sequence {
            Some(sequence) => self.read(sequence)?,
            None => (Vec::new(), 0),
        };
        Ok(Replayed {
            entries,
            sequence: sequence.unwrap_or(0),
            end,
        })
    }

    pub(crate) fn sequences(&self) -> Result<Vec<u64>, JournalError> {
        let entries = self.disk.list(self.dir).map_err(ContainerError::from)?;
        let sequence = |name: &str| name.strip_suffix(".jnl")?.parse().ok();
        Ok(entries
            .iter()
            .filter_map(|entry| sequence(&entry.name))
            .collect())
    }

    /// The entries of one file. It got its name when its snapshot was durable, so that one must be there.
    fn read(&self, sequence: u64) -> Result<(Vec<Entry>, u64), JournalError> {
        let path = self.path(sequence);
        let opened = Opened::open(
            self.disk.as_ref(),
            &self.keyring,
            &path,
            self.identity(sequence),
        )?;
        let mut entries = Vec::new();
        let mut is_whole = false;
        let mut malformed = None;
        let scan = container::scan(&opened, ENTRY_CAP, |_, frame| match frame.header.kind {
            kind::OPENING => true,
            kind::SNAPSHOT_END => {
                is_whole = true;
                true
            }
            kind::ENTRY => {
                let mut fields = Fields(&frame.content);
                match fields.u16() {
                    Ok(entry) => entries.push((entry, frame.content.slice(2..))),
                    Err(error) => malformed = Some(error),
                }
                malformed.is_none()
            }
            _ => false,
        })?;
        if let Some(error) = malformed {
            return Err(JournalError::Malformed { path, error });
        }
        if scan.tail == Tail::Corrupt || !is_whole {
            return Err(JournalError::Corrupt {
                path,
                position: scan.end,
            });
        }
        Ok((entries, scan.end))
    }

    /// Begins this run's file with a snapshot; older files go.
    pub(crate) fn start(
        self,
        replayed: &Replayed,
        snapshot: &[Entry],
        incarnation: u32,
        now: Timestamp,
    ) -> Result<Journal, JournalError> {
        let current = self.write_snapshot(replayed.sequence + 1, snapshot, incarnation, now)?;
        self.remove_before(current.sequence)?;
        Ok(Journal {
            place: self,
            current: Mutex::new(current),
            incarnation,
        })
    }

    /// Writes a new file and gives it its name when it is durable.
    pub(crate) fn write_snapshot(
        &self,
        sequence: u64,
        snapshot: &[Entry],
        incarnation: u32,
        now: Timestamp,
    ) -> Result<Current, JournalError> {
        let (unfinished, path) = (format!("{}/new", self.dir), self.path(sequence));
        if self.disk.exists(&unfinished) {
            self.disk
                .remove_file(&unfinished)
                .map_err(ContainerError::from)?;
        }
        let (mut writer, _) = Writer::create(
            self.disk.as_ref(),
            &self.keyring,
            &unfinished,
            self.identity(sequence),
        )?;
        let mut opening = Out::default();
        opening
            .put(incarnation.to_be_bytes())
            .put(now.millis().to_be_bytes());
        writer.stream(kind::OPENING, 0, &[&opening.0])?;
        for (entry, body) in snapshot {
            writer.stream(kind::ENTRY, 0, &[&entry.to_be_bytes(), body])?;
        }
        let count = (snapshot.len() as u64).to_be_bytes();
        writer.append(kind::SNAPSHOT_END, 0, &[&count])?;
        writer.file().sync_all().map_err(ContainerError::Sync)?;
        self.disk
            .rename(&unfinished, &path)
            .map_err(ContainerError::from)?;
        self.disk.sync_dir(self.dir).map_err(ContainerError::Sync)?;
        let mark = Mark {
            bytes: writer.position(),
            end: 0,
        };
        let sync_file = SyncFile::new(writer.file().clone(), path, mark, Box::new(|_| {}));
        Ok(Current {
            snapshot_bytes: writer.position(),
            writer,
            sync_file,
            sequence,
        })
    }

    fn remove_before(&self, sequence: u64) -> Result<(), JournalError> {
        for older in self.sequences()? {
            if older != sequence {
                self.disk
                    .remove_file(&self.path(older))
                    .map_err(ContainerError::from)?;
            }
        }
        Ok(())
    }
}

impl Journal {
    /// Appends entries, all or none. Durable when the ticket says so.
    pub(crate) fn append(&self, entries: &[Entry]) -> Result<Ticket, JournalError> {
        let mut current = self.lock();
        let durable = current.sync_file.synced().bytes;
        let writer = &mut current.writer;
        let gathered = entries.iter().try_for_each(|(entry, body)| {
            let content: [&[u8]; 2] = [&entry.to_be_bytes(), body];
            writer.gather(kind::ENTRY, durable, &content).map(drop)
        });
        if let Err(error) = gathered.and_then(|()| writer.flush()) {
            writer.take_back();
            if !error.is_full() {
                self.place.sync.fail(format!("{}: {error}", self.place.dir));
            }
            return Err(error.into());
        }
        current.sync_file.written(Mark {
            bytes: current.writer.position(),
            end: 0,
        });
        Ok(self.place.sync.ticket(&current.sync_file))
    }

    pub(crate) fn is_large(&self) -> bool {
        let current = self.lock();
        current.writer.position() > LARGE.max(current.snapshot_bytes.saturating_mul(4))
    }

    /// Replaces the file by a snapshot. The caller knows that nothing is on its way. On a full disk the file stays as
    /// it is; any other error fails the log.
    pub(crate) fn rewrite(&self, snapshot: &[Entry], now: Timestamp) -> Result<(), JournalError> {
        let mut current = self.lock();
        let next = current.sequence + 1;
        let written = self
            .place
            .write_snapshot(next, snapshot, self.incarnation, now)
            .and_then(|written| self.place.remove_before(next).map(|()| written));
        match written {
            Ok(written) => *current = written,
            Err(JournalError::Container(error)) if error.is_full() => {
                tracing::warn!(
                    directory = self.place.dir,
                    "No room to write a journal anew"
                );
            }
            Err(error) => {
                self.place.sync.fail(format!("{}: {error}", self.place.dir));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Number of the current file, how much of it is durable, and whether that is all of it.
    pub(crate) fn durable_position(&self) -> (u64, u64, bool) {
        let current = self.lock();
        let durable = current.sync_file.synced().bytes;
        let is_all = durable == current.writer.position();
        (current.sequence, durable, is_all)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().expect("nobody panics while holding it")
    }
}
