//! The segment files and the end of the chain: opened or begun, appended to, rolled.
//!
//! Knows nothing of events. After a write that failed the file ends where it ended before, or nothing is written any
//! more: half an entry never stands in front of a whole one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kastellan_core::time::Timestamp;

use crate::chain::{self, Hash};
use crate::read::{load, segments};
use crate::segment::{self, HEADER_LEN, Header, Met, Walk};

/// A segment is full at this size or age.
const ROLL_BYTES: u64 = 64 << 20;
const ROLL_AGE: Duration = Duration::from_secs(86_400);

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

#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// Nothing was written; the next try may succeed.
    #[error("{0}")]
    Refused(#[from] io::Error),
    /// What the file holds is not known any more. Only another start, which reads it, can go on.
    #[error("{0}; restart to go on")]
    Broken(io::Error),
}

pub(crate) struct Files {
    dir: PathBuf,
    log: [u8; 8],
    file: File,
    len: u64,
    created: Timestamp,
    /// The footer is written; the next entry begins another segment.
    is_closed: bool,
    chain: Hash,
    next: u64,
    _lock: File,
}

impl Files {
    /// Opens what is there, or begins a trail. Also gives the bytes of a torn end that were cut off.
    pub(crate) fn open(dir: &Path, now: Timestamp) -> Result<(Self, u64), OpenError> {
        let io = |error| OpenError::Io {
            path: dir.to_owned(),
            error,
        };
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir);
        made.map_err(io)?;
        let lock = lock(dir)?;
        let Some(newest) = segments(dir).map_err(io)?.pop() else {
            let log = log_id(now);
            let header = Header {
                log,
                first_seq: 1,
                chain: chain::start(&log),
                created: now.millis(),
            };
            let file = begin(dir, header).map_err(io)?;
            return Ok((Self::at(dir, lock, file, header, HEADER_LEN as u64), 0));
        };
        let end = find_end(&newest)?;
        let opened = OpenOptions::new().append(true).open(&newest);
        let file = opened.map_err(io)?;
        let torn = end.file_len.saturating_sub(end.len);
        if torn > 0 && !end.is_closed {
            let cut = file.set_len(end.len).and_then(|()| file.sync_all());
            cut.map_err(io)?;
        }
        let mut files = Self::at(dir, lock, file, end.header, end.len);
        (files.chain, files.next, files.is_closed) = (end.chain, end.next, end.is_closed);
        Ok((files, if end.is_closed { 0 } else { torn }))
    }

    /// At the beginning of a segment.
    fn at(dir: &Path, lock: File, file: File, header: Header, len: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            log: header.log,
            file,
            len,
            created: Timestamp(header.created),
            is_closed: false,
            chain: header.chain,
            next: header.first_seq,
            _lock: lock,
        }
    }

    /// Number of the next entry.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// 16 hex digits.
    pub(crate) fn log(&self) -> String {
        self.log.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Appends an entry; gives the bytes it took. Not durable before [`Files::sync`].
    pub(crate) fn append(&mut self, body: &[u8], now: Timestamp) -> Result<u64, AppendError> {
        if self.is_closed || self.len >= ROLL_BYTES || now.since(self.created) >= ROLL_AGE {
            self.roll(now)?;
        }
        let chain = chain::next(&self.chain, self.next, body);
        let bytes = segment::encode_entry(body, &chain);
        self.write(&bytes)?;
        self.chain = chain;
        self.next += 1;
        Ok(bytes.len() as u64)
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// All or nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<(), AppendError> {
        if let Err(error) = self.file.write_all(bytes) {
            return Err(match self.file.set_len(self.len) {
                Ok(()) => AppendError::Refused(error),
                Err(_) => AppendError::Broken(error),
            });
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn roll(&mut self, now: Timestamp) -> Result<(), AppendError> {
        if !self.is_closed {
            self.write(&segment::encode_footer(self.next - 1, &self.chain))?;
            self.file.sync_all().map_err(AppendError::Broken)?;
            self.is_closed = true;
        }
        let header = Header {
            log: self.log,
            first_seq: self.next,
            chain: self.chain,
            created: now.millis(),
        };
        self.file = begin(&self.dir, header)?;
        self.len = HEADER_LEN as u64;
        self.created = now;
        self.is_closed = false;
        Ok(())
    }
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let io = |error| OpenError::Io {
        path: dir.to_owned(),
        error,
    };
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join("LOCK"))
        .map_err(io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Busy {
            path: dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Makes a segment file. It has its name only when its header is durable.
fn begin(dir: &Path, header: Header) -> io::Result<File> {
    let path = dir.join(format!("{:020}.seg", header.first_seq));
    let temporary = path.with_extension("new");
    // Left by a start that was cut off.
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(&header.to_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
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

/// Where the newest segment ends.
struct End {
    header: Header,
    chain: Hash,
    next: u64,
    len: u64,
    file_len: u64,
    is_closed: bool,
}

/// Follows the chain through the newest segment. A torn piece at its very end was never whole; anything else that does
/// not fit is damage.
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
    let mut walk = Walk::new(&bytes, &header);
    let is_closed = loop {
        match walk.step() {
            Met::Entry(_) => {}
            Met::Footer => break true,
            Met::End => break false,
            Met::Torn(_) if walk.is_at_the_end() => break false,
            Met::Torn(what) | Met::Foreign(what) => return Err(damaged(walk.position, what)),
        }
    };
    Ok(End {
        header,
        chain: walk.chain,
        next: walk.next,
        len: walk.position as u64,
        file_len: bytes.len() as u64,
        is_closed,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn temporary(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("trail-files-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    /// Makes every further write fail as on a device without space.
    pub(crate) fn fill_the_disk(files: &mut Files) {
        let full = OpenOptions::new().write(true).open("/dev/full");
        files.file = full.expect("the system has /dev/full");
    }

    /// The next append needs another segment, which cannot be made until the name is given back.
    pub(crate) fn lose_the_directory(files: &mut Files) -> PathBuf {
        files.len = ROLL_BYTES;
        std::mem::replace(&mut files.dir, PathBuf::from("/nonexistent"))
    }

    pub(crate) fn find_the_directory(files: &mut Files, dir: PathBuf) {
        files.dir = dir;
    }

    fn body(seq: u64) -> Vec<u8> {
        format!("{{\"entry\":{seq}}}").into_bytes()
    }

    fn filled(dir: &Path, count: u64) -> Files {
        let (mut files, _) = Files::open(dir, Timestamp(0)).unwrap();
        for seq in 1..=count {
            files.append(&body(seq), Timestamp(0)).unwrap();
        }
        files
    }

    fn newest(dir: &Path) -> PathBuf {
        segments(dir).unwrap().pop().unwrap()
    }

    #[test]
    fn segment_is_rolled_by_age_and_the_chain_goes_on() {
        let dir = temporary("roll");
        let mut files = filled(&dir, 2);
        let day = Timestamp(0) + ROLL_AGE;
        files.append(&body(3), day).unwrap();
        drop(files);
        assert_eq!(segments(&dir).unwrap().len(), 2);
        let (files, torn) = Files::open(&dir, day).unwrap();
        assert_eq!((files.next(), torn), (4, 0));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn roll_that_failed_is_tried_again() {
        let dir = temporary("roll-again");
        let mut files = filled(&dir, 2);
        let kept = lose_the_directory(&mut files);
        files.len = fs::metadata(newest(&kept)).unwrap().len();
        let day = Timestamp(0) + ROLL_AGE;
        for _ in 0..2 {
            let refused = files.append(&body(3), day);
            assert!(matches!(refused, Err(AppendError::Refused(_))));
        }
        find_the_directory(&mut files, kept);
        files.append(&body(3), day).unwrap();
        drop(files);
        let (files, torn) = Files::open(&dir, day).unwrap();
        assert_eq!((files.next(), torn), (4, 0));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn zeros_behind_the_last_entry_are_a_torn_end_and_no_footer() {
        let dir = temporary("zeros");
        drop(filled(&dir, 2));
        let path = newest(&dir);
        let mut bytes = fs::read(&path).unwrap();
        let len = bytes.len();
        bytes.resize(len + 4_096, 0);
        fs::write(&path, &bytes).unwrap();
        let (mut files, torn) = Files::open(&dir, Timestamp(0)).unwrap();
        assert_eq!((files.next(), torn), (3, 4_096));
        files.append(&body(3), Timestamp(0)).unwrap();
        assert_eq!(newest(&dir), path);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn every_cut_of_the_last_entry_is_recovered_and_no_change_before_it_is() {
        let dir = temporary("cuts");
        let before = fs::metadata({
            drop(filled(&dir, 2));
            newest(&dir)
        })
        .unwrap()
        .len() as usize;
        drop({
            let (mut files, _) = Files::open(&dir, Timestamp(0)).unwrap();
            files.append(&body(3), Timestamp(0)).unwrap();
            files
        });
        let path = newest(&dir);
        let whole = fs::read(&path).unwrap();
        for end in before..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let (files, torn) = Files::open(&dir, Timestamp(0)).unwrap();
            assert_eq!((files.next(), torn), (3, (end - before) as u64));
        }
        for at in 0..before {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            fs::write(&path, &changed).unwrap();
            let opened = Files::open(&dir, Timestamp(0));
            assert!(
                matches!(opened, Err(OpenError::Damaged { .. })),
                "byte {at}"
            );
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn start_that_was_cut_before_its_first_segment_had_a_name_begins_again() {
        let dir = temporary("first");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("00000000000000000001.new"), b"KT").unwrap();
        assert_eq!(filled(&dir, 1).next(), 2);
        fs::remove_dir_all(&dir).unwrap();
    }
}
