//! A file of entries that grows at its end and is written anew, as a snapshot, at every start and when it is large.
//!
//! ```text
//! <sequence 16 digits>.jnl = header, opening (incarnation u32, created i64 ms), entries, snapshot end (count u64), entries ..
//! entry = type u16, body
//! ```
//! At the start the newest file with a whole snapshot counts; newer ones without are leftovers of a crash.

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
const ENTRY_CAP: u32 = 16 << 20;
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

struct Current {
    writer: Writer,
    sync_file: Arc<SyncFile>,
    sequence: u64,
    snapshot_bytes: u64,
}

/// What a journal held.
pub(crate) struct Replayed {
    pub entries: Vec<Entry>,
    sequence: u64,
}

impl Place {
    fn path(&self, sequence: u64) -> String {
        format!("{}/{sequence:016}.jnl", self.dir)
    }

    fn identity(&self, sequence: u64) -> FileIdentity {
        FileIdentity {
            kind: self.kind,
            topic: Uuid::nil(),
            partition: 0,
            base: sequence,
        }
    }

    /// Reads the newest whole journal. An empty directory gives no entries.
    pub(crate) fn replay(&self) -> Result<Replayed, JournalError> {
        self.disk.make_dir(self.dir).map_err(ContainerError::from)?;
        let mut sequences: Vec<u64> = self
            .disk
            .list(self.dir)
            .map_err(ContainerError::from)?
            .iter()
            .filter_map(|entry| entry.name.strip_suffix(".jnl")?.parse().ok())
            .collect();
        sequences.sort_unstable_by(|a, b| b.cmp(a));
        let newest = sequences.first().copied().unwrap_or(0);
        for (at, sequence) in sequences.iter().enumerate() {
            match self.read(*sequence) {
                Ok(Some(entries)) => {
                    return Ok(Replayed {
                        entries,
                        sequence: newest,
                    });
                }
                // Its snapshot was never finished, so nothing in it was ever answered for.
                Ok(None) => {}
                Err(error) if at + 1 < sequences.len() && is_unfinished(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Replayed {
            entries: Vec::new(),
            sequence: newest,
        })
    }

    /// The entries of one file; `None` without a whole snapshot.
    fn read(&self, sequence: u64) -> Result<Option<Vec<Entry>>, JournalError> {
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
            kind::ENTRY | kind::CLOSE => {
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
        match scan.tail {
            Tail::Corrupt => Err(JournalError::Corrupt {
                path,
                position: scan.end,
            }),
            Tail::Whole | Tail::Torn => Ok(is_whole.then_some(entries)),
        }
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
        Ok(Journal {
            place: self,
            current: Mutex::new(current),
            incarnation,
        })
    }

    fn write_snapshot(
        &self,
        sequence: u64,
        snapshot: &[Entry],
        incarnation: u32,
        now: Timestamp,
    ) -> Result<Current, JournalError> {
        let path = self.path(sequence);
        let (mut writer, _) = Writer::create(
            self.disk.as_ref(),
            &self.keyring,
            &path,
            self.identity(sequence),
        )?;
        let mut opening = Out::default();
        opening
            .put(incarnation.to_be_bytes())
            .put(now.millis().to_be_bytes());
        writer.append(kind::OPENING, 0, &[&opening.0])?;
        for (entry, body) in snapshot {
            writer.append(kind::ENTRY, 0, &[&entry.to_be_bytes(), body])?;
        }
        writer.append(
            kind::SNAPSHOT_END,
            0,
            &[&(snapshot.len() as u64).to_be_bytes()],
        )?;
        writer.file().sync_all().map_err(ContainerError::from)?;
        self.disk.sync_dir(self.dir).map_err(ContainerError::from)?;
        let mark = Mark {
            bytes: writer.position(),
            end: 0,
        };
        let sync_file = SyncFile::new(writer.file().clone(), path.clone(), mark, Box::new(|_| {}));
        for entry in self.disk.list(self.dir).map_err(ContainerError::from)? {
            let older = entry
                .name
                .strip_suffix(".jnl")
                .and_then(|name| name.parse::<u64>().ok());
            if older.is_some_and(|older| older != sequence) {
                self.disk
                    .remove_file(&format!("{}/{}", self.dir, entry.name))
                    .map_err(ContainerError::from)?;
            }
        }
        Ok(Current {
            snapshot_bytes: writer.position(),
            writer,
            sync_file,
            sequence,
        })
    }
}

/// Whether a file may be one whose creation was cut: its header or first frames never became whole.
fn is_unfinished(error: &JournalError) -> bool {
    matches!(
        error,
        JournalError::Container(ContainerError::Header(_) | ContainerError::Frame(_))
    )
}

impl Journal {
    /// Appends entries in one go. Durable when the ticket says so.
    pub(crate) fn append(&self, entries: &[Entry]) -> Result<Ticket, JournalError> {
        let mut current = self.lock();
        let durable = current.sync_file.synced().bytes;
        for (entry, body) in entries {
            current
                .writer
                .append(kind::ENTRY, durable, &[&entry.to_be_bytes(), body])?;
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

    /// Replaces the file by a snapshot. The caller knows that nothing is on its way.
    pub(crate) fn rewrite(&self, snapshot: &[Entry], now: Timestamp) -> Result<(), JournalError> {
        let mut current = self.lock();
        *current =
            self.place
                .write_snapshot(current.sequence + 1, snapshot, self.incarnation, now)?;
        Ok(())
    }

    /// The directory and the sequence number of the current file.
    pub(crate) fn sequence(&self) -> u64 {
        self.lock().sequence
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().expect("nobody panics while holding it")
    }
}
