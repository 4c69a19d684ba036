//! Reads a trail from its files: entries for people, a report for whoever must trust it.

use std::io;
use std::path::{Path, PathBuf};

use crate::chain::{self, Hash};
use crate::entry::Entry;
use crate::segment::{Header, Met, Walk};

/// Bytes of a segment, at most.
const SEGMENT_MAX: u64 = 256 << 20;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub segments: u64,
    pub entries: u64,
    pub last_seq: u64,
    pub damage: Vec<Damage>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    /// Byte in the file.
    pub position: u64,
    pub what: &'static str,
}

/// Segment files in the order of their first entries.
pub(crate) fn segments(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn load(path: &Path) -> io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > SEGMENT_MAX {
        return Err(invalid(path, "the segment is too large"));
    }
    std::fs::read(path)
}

fn invalid(path: &Path, what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{}: {what}", path.display()),
    )
}

/// Every entry, oldest first; one segment is in memory at a time.
///
/// Damage is an error in its place, and reading goes on with the next segment. An end that is being written is no
/// damage.
pub fn read(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
    Ok(segments(dir)?
        .into_iter()
        .flat_map(|file| read_segment(&file).unwrap_or_else(|error| vec![Err(error)])))
}

/// The newest entry of a kind. What is damaged is passed over: [`verify`] tells of it.
pub fn newest(dir: &Path, kind: &str) -> io::Result<Option<Entry>> {
    for file in segments(dir)?.iter().rev() {
        let entries = read_segment(file).unwrap_or_default();
        let newest = entries.into_iter().rev().flatten();
        if let Some(entry) = newest.into_iter().find(|entry| entry.event.kind == kind) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

fn read_segment(file: &Path) -> io::Result<Vec<io::Result<Entry>>> {
    let bytes = load(file)?;
    let header = Header::parse(&bytes).ok_or_else(|| invalid(file, "the header is damaged"))?;
    let mut walk = Walk::new(&bytes, &header);
    let mut entries = Vec::new();
    loop {
        match walk.step() {
            Met::Entry(body) => entries.push(serde_json::from_slice(body).map_err(io::Error::from)),
            Met::Footer | Met::End => break,
            Met::Torn(_) if walk.is_at_the_end() => break,
            Met::Torn(what) | Met::Foreign(what) => {
                entries.push(Err(invalid(file, what)));
                break;
            }
        }
    }
    Ok(entries)
}

/// Checks every byte: checksums, chain, numbers without a gap, segments without a gap.
pub fn verify(dir: &Path) -> io::Result<Report> {
    let mut report = Report::default();
    let mut before: Option<(Hash, u64)> = None;
    let files = segments(dir)?;
    for (at, file) in files.iter().enumerate() {
        report.segments += 1;
        let is_newest = at + 1 == files.len();
        before = verify_segment(file, before, is_newest, &mut report)?.or(before);
    }
    report.last_seq = before.map_or(0, |(_, next)| next.saturating_sub(1));
    Ok(report)
}

/// Follows the chain through one segment. Gives the chain and the next number, unless it broke off.
fn verify_segment(
    file: &Path,
    before: Option<(Hash, u64)>,
    is_newest: bool,
    report: &mut Report,
) -> io::Result<Option<(Hash, u64)>> {
    let bytes = load(file)?;
    let mut damage = |position: usize, what: &'static str| {
        report.damage.push(Damage {
            file: file.to_owned(),
            position: position as u64,
            what,
        });
    };
    let Some(header) = Header::parse(&bytes) else {
        damage(0, "the header is damaged");
        return Ok(None);
    };
    let expected = before.unwrap_or_else(|| (chain::start(&header.log), 1));
    if (header.chain, header.first_seq) != expected {
        damage(0, "entries before this segment are missing or changed");
    }
    let mut walk = Walk::new(&bytes, &header);
    loop {
        let (position, seq) = (walk.position, walk.next);
        match walk.step() {
            Met::Entry(body) => {
                let written = serde_json::from_slice::<Entry>(body).map(|entry| entry.seq);
                if written.ok() != Some(seq) {
                    damage(position, "the entry has another number");
                }
                report.entries += 1;
            }
            Met::Footer => break,
            Met::End if is_newest => break,
            Met::End => {
                damage(position, "the segment ends too early");
                break;
            }
            Met::Torn(what) | Met::Foreign(what) => {
                damage(position, what);
                return Ok(None);
            }
        }
    }
    Ok(Some((walk.chain, walk.next)))
}
