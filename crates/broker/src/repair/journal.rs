//! Gives up the entries of a journal that lie behind damage, so that a start can read the rest.

use seal::at_rest::FileKind;

use super::{Offline, RepairError};
use crate::catalog;
use crate::container::{self, Opened, Tail, frames_behind, kind};
use crate::groups;
use crate::journal::{ENTRY_CAP, Entry};
use crate::log::foundation::replay_catalog;
use crate::segment::SegmentName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalKind {
    Catalog,
    Groups,
}

impl JournalKind {
    pub(super) fn dir(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Groups => "groups",
        }
    }

    pub(super) fn file(self) -> FileKind {
        match self {
            Self::Catalog => FileKind::Catalog,
            Self::Groups => FileKind::Groups,
        }
    }

    /// One line about an entry.
    fn describe(self, (entry, body): &Entry) -> String {
        let mut text = match self {
            Self::Catalog => catalog::Entry::decode(*entry, body)
                .map_or_else(|_| "unreadable".to_owned(), |entry| format!("{entry:?}")),
            Self::Groups => groups::Entry::decode(*entry, body)
                .map_or_else(|_| "unreadable".to_owned(), |entry| format!("{entry:?}")),
        };
        if let Some((at, _)) = text.char_indices().nth(LINE_MAX) {
            text.truncate(at);
            text.push('~');
        }
        text
    }
}

/// Characters of a line about an entry.
const LINE_MAX: usize = 200;
/// Entries that are named one by one.
const LISTED_MAX: usize = 1_000;

/// What a journal holds, and what a repair gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalReport {
    pub file: String,
    /// Entries that are kept.
    pub kept: usize,
    /// Where the damage begins, if there is any.
    pub damaged_at: Option<u64>,
    /// Bytes from there to the end of the file.
    pub damaged_bytes: u64,
    /// Entries that can still be read behind the damage and are given up, at most a thousand of them.
    pub lost: Vec<String>,
}

struct Salvage {
    report: JournalReport,
    entries: Vec<Entry>,
    sequence: u64,
}

impl Offline {
    /// What is damaged in the newest file of a journal.
    pub fn inspect_journal(&self, which: JournalKind) -> Result<JournalReport, RepairError> {
        Ok(self.salvage(which)?.report)
    }

    /// Begins the journal anew with the entries before the damage. The damaged file goes to quarantine.
    pub fn repair_journal(&self, which: JournalKind) -> Result<JournalReport, RepairError> {
        let Salvage {
            report,
            mut entries,
            sequence,
        } = self.salvage(which)?;
        if report.damaged_at.is_none() {
            return Err(RepairError::Whole);
        }
        let incarnation = self.last_incarnation()?;
        if which == JournalKind::Catalog {
            entries.extend(self.safe_numbers(&entries, incarnation, report.damaged_bytes)?);
        }
        let place = self.journal(which)?;
        let (next, now) = (sequence + 1, self.clock.now());
        let written = place.write_snapshot(next, &entries, incarnation, now);
        place.sync.stop();
        written?;
        self.disk.make_dir("quarantine")?;
        let name = report.file.replace('/', "_");
        self.disk
            .rename(&report.file, &format!("quarantine/{name}"))?;
        self.disk.sync_dir("quarantine")?;
        self.disk.sync_dir(which.dir())?;
        Ok(report)
    }

    /// What must not be handed out twice, even if the entries that said so are lost.
    fn safe_numbers(
        &self,
        entries: &[Entry],
        incarnation: u32,
        lost_bytes: u64,
    ) -> Result<Vec<Entry>, RepairError> {
        let (state, _) = replay_catalog(entries)?;
        // Each lost frame has 48 bytes at least, and may have reserved a block of producer ids.
        let blocks = i64::try_from(lost_bytes / 48 + 1).unwrap_or(i64::MAX);
        let next = state
            .next_producer
            .saturating_add(blocks.saturating_mul(catalog::BLOCK));
        let started = catalog::Entry::Started {
            incarnation: incarnation.max(state.incarnation),
        };
        let numbers = [catalog::Entry::ProducerIds { next }, started];
        Ok(numbers.iter().map(catalog::Entry::encode).collect())
    }

    /// The highest number of a run that a file names.
    fn last_incarnation(&self) -> Result<u32, RepairError> {
        let mut last = 0;
        for topic in self.disk.list("p")? {
            for partition in self.disk.list(&format!("p/{}", topic.name))? {
                let dir = format!("p/{}/{}", topic.name, partition.name);
                for file in self.disk.list(&dir)? {
                    let name = SegmentName::parse(&file.name);
                    last = last.max(name.map_or(0, |name| name.incarnation));
                }
            }
        }
        Ok(last)
    }

    fn salvage(&self, which: JournalKind) -> Result<Salvage, RepairError> {
        let place = self.journal(which)?;
        place.sync.stop();
        let newest = place.sequences()?.into_iter().max();
        let sequence = newest.ok_or_else(|| RepairError::Unreadable(which.dir().to_owned()))?;
        let path = place.path(sequence);
        let opened = Opened::open(
            self.disk.as_ref(),
            &self.keyring,
            &path,
            place.identity(sequence),
        )
        .map_err(|_| RepairError::Unreadable(path.clone()))?;
        let (mut entries, mut is_whole): (Vec<Entry>, bool) = (Vec::new(), false);
        let scan = container::scan(&opened, ENTRY_CAP, |_, frame| match frame.header.kind {
            kind::OPENING => true,
            kind::SNAPSHOT_END => {
                is_whole = true;
                true
            }
            kind::ENTRY => split(&frame.content)
                .map(|entry| entries.push(entry))
                .is_some(),
            _ => false,
        })?;
        let is_damaged = scan.tail == Tail::Corrupt || !is_whole;
        let mut lost = Vec::new();
        if is_damaged {
            frames_behind(&opened, scan.end, ENTRY_CAP, |_, frame| {
                if frame.header.kind == kind::ENTRY
                    && lost.len() < LISTED_MAX
                    && let Some(entry) = split(&frame.content)
                {
                    lost.push(which.describe(&entry));
                }
            })?;
        }
        let report = JournalReport {
            file: path,
            kept: entries.len(),
            damaged_at: is_damaged.then_some(scan.end),
            damaged_bytes: opened.file.size()?.saturating_sub(scan.end),
            lost,
        };
        Ok(Salvage {
            report,
            entries,
            sequence,
        })
    }
}

/// Type and body of an entry.
fn split(content: &bytes::Bytes) -> Option<Entry> {
    let (kind, _) = content.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*kind), content.slice(2..)))
}
