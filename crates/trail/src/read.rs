//! Reads a trail from its files: entries for people, a report for whoever must trust it.

use std::io;
use std::path::{Path, PathBuf};

use crate::chain;
use crate::entry::Entry;
use crate::segment::{self, HEADER_LEN, Header, Piece};

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
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "segment is too large",
        ));
    }
    std::fs::read(path)
}

/// Every entry that can be read, oldest first.
pub fn read(dir: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in segments(dir)? {
        let bytes = load(&file)?;
        let mut rest = bytes.get(HEADER_LEN..).unwrap_or_default();
        while let Piece::Entry { body, len, .. } = segment::next(rest) {
            entries.extend(serde_json::from_slice::<Entry>(body));
            rest = rest.get(len..).unwrap_or_default();
        }
    }
    Ok(entries)
}

/// Checks every byte: checksums, chain, numbers without a gap, segments without a gap.
pub fn verify(dir: &Path) -> io::Result<Report> {
    let mut report = Report::default();
    let mut before: Option<(chain::Hash, u64, bool)> = None;
    let files = segments(dir)?;
    let newest = files.last().cloned();
    for file in files {
        let bytes = load(&file)?;
        report.segments += 1;
        let is_newest = Some(&file) == newest.as_ref();
        let walked = walk(&file, &bytes, before, is_newest, &mut report);
        before = walked.or(before);
    }
    report.last_seq = before.map_or(0, |(_, next, _)| next.saturating_sub(1));
    Ok(report)
}

/// Follows the chain through one segment. Gives the chain, the next number, and whether the segment was closed.
fn walk(
    file: &Path,
    bytes: &[u8],
    before: Option<(chain::Hash, u64, bool)>,
    is_newest: bool,
    report: &mut Report,
) -> Option<(chain::Hash, u64, bool)> {
    let mut damage = |position: usize, what: &'static str| {
        report.damage.push(Damage {
            file: file.to_owned(),
            position: position as u64,
            what,
        });
    };
    let Some(header) = Header::parse(bytes) else {
        damage(0, "the header is damaged");
        return None;
    };
    let expected = before.map_or_else(
        || (chain::start(&header.log), 1),
        |(hash, next, _)| (hash, next),
    );
    if (header.chain, header.first_seq) != expected {
        damage(0, "entries before this segment are missing or changed");
    }
    let (mut hash, mut next, mut position) = (header.chain, header.first_seq, HEADER_LEN);
    loop {
        match segment::next(bytes.get(position..).unwrap_or_default()) {
            Piece::Entry { body, chain, len } => {
                if chain::next(&hash, next, body) != chain {
                    damage(position, "the entry is not the one that was written");
                    return None;
                }
                let seq = serde_json::from_slice::<Entry>(body).map(|entry| entry.seq);
                if seq.ok() != Some(next) {
                    damage(position, "the entry has another number");
                }
                (hash, next, position) = (chain, next + 1, position + len);
                report.entries += 1;
            }
            Piece::Footer { last_seq, chain } => {
                if chain != hash || last_seq + 1 != next {
                    damage(position, "the footer does not belong to the entries");
                }
                return Some((hash, next, true));
            }
            Piece::Cut if position == bytes.len() && is_newest => return Some((hash, next, false)),
            Piece::Cut => {
                damage(position, "the segment ends too early");
                return Some((hash, next, false));
            }
            Piece::Bad => {
                damage(position, "bytes are damaged");
                return None;
            }
        }
    }
}
