//! Brings one partition back after a start: judges its newest file, and rewrites what was not proven durable.
//!
//! In: what the catalog says, and the files. Out: a partition that can go on, or one that is offline because durable
//! bytes are damaged. Damage is told, never cut away.

mod verdict;

pub(crate) use verdict::{segment_names, set_aside};

use std::sync::Arc;

use kastellan_core::time::Timestamp;
use wire::record::{Batch, BatchHeader};

use crate::catalog::Anchor;
use crate::container::{self, ContainerError, Frame, LastFrame, Opened, Scan, kind};
use crate::disk::DiskFile;
use crate::offsets::Place;
use crate::partition::{Opening, Partition, PartitionShared, Predecessor, Recovered, Tools};
use crate::producers::{self, Producers};
use crate::segment::{Closing, Extent, FRAME_CAP, Segment, SegmentName, read_closing};

/// What the catalog says of a partition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub anchor: Option<Anchor>,
    pub log_start: i64,
    /// The log stopped well, and this is where the newest file ended.
    pub stopped: Option<(i64, u64)>,
}

impl Facts {
    /// Whether the catalog names this file as the newest.
    fn names(&self, name: SegmentName) -> bool {
        self.anchor.is_some_and(|anchor| {
            (anchor.base, anchor.incarnation) == (name.base, name.incarnation)
        })
    }
}

/// Why a partition is offline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Corrupt {
    #[error("{file}: {why}")]
    Damage {
        file: String,
        why: &'static str,
        position: Option<u64>,
    },
    #[error("{file}: the header or the first frame is damaged: {error}")]
    Begin { file: String, error: ContainerError },
    #[error("{file}: {error}")]
    Unreadable { file: String, error: ContainerError },
}

impl Corrupt {
    pub(crate) fn file(&self) -> &str {
        match self {
            Self::Damage { file, .. }
            | Self::Begin { file, .. }
            | Self::Unreadable { file, .. } => file,
        }
    }

    pub(crate) fn position(&self) -> Option<u64> {
        match self {
            Self::Damage { position, .. } => *position,
            Self::Begin { .. } | Self::Unreadable { .. } => None,
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Damage { why, .. } => (*why).to_owned(),
            Self::Begin { error, .. } => {
                format!("the header or the first frame is damaged: {error}")
            }
            Self::Unreadable { error, .. } => error.to_string(),
        }
    }
}

/// Recovers a partition; a corrupt one is offline, and the reason is told.
pub(crate) fn recover(
    place: Place,
    facts: Facts,
    tools: &Arc<Tools>,
) -> (Partition, Option<Corrupt>) {
    match verdict::judge(place, facts, tools)
        .and_then(|judged| bring_back(place, facts, judged, tools))
    {
        Ok(partition) => (partition, None),
        Err(corrupt) => {
            let epoch = i32::try_from(tools.catalog.incarnation()).unwrap_or(i32::MAX);
            let shared = PartitionShared::new(facts.log_start, facts.log_start, epoch, Vec::new());
            shared.set_offline();
            let recovered = Recovered {
                shared,
                producers: Producers::default(),
                before: None,
            };
            (
                Partition::new(place, recovered, tools.clone()),
                Some(corrupt),
            )
        }
    }
}

/// The files of a partition, judged.
struct Judged {
    /// All but the newest.
    older: Vec<Arc<Segment>>,
    newest: Option<Newest>,
}

struct Newest {
    name: SegmentName,
    path: String,
    opened: Opened,
    state: Tidiness,
}

enum Tidiness {
    /// Closed by a stop that the catalog confirms.
    Clean(Closing, LastFrame, Box<Scanned>),
    /// The process ended without saying so.
    Scanned(Box<Scanned>),
}

impl Tidiness {
    /// The process ended before a batch was written to it.
    fn is_empty(&self, opening: &Opening) -> bool {
        matches!(self, Self::Scanned(scanned) if scanned.extent.end == opening.base)
    }
}

/// What a scan of the newest file found.
struct Scanned {
    scan: Scan,
    extent: Extent,
    /// As of the file's base offset, and behind its last batch.
    producers_before: Producers,
    producers: Producers,
    /// Frames in order: position, length, number and tag, and the batch if it is one.
    frames: Vec<Seen>,
    epochs: Vec<(i32, i64)>,
}

#[derive(Clone, Copy)]
struct Seen {
    position: u64,
    last: LastFrame,
    batch: Option<BatchHeader>,
}

fn bring_back(
    place: Place,
    facts: Facts,
    judged: Judged,
    tools: &Arc<Tools>,
) -> Result<Partition, Corrupt> {
    let epoch = i32::try_from(tools.catalog.incarnation()).unwrap_or(i32::MAX);
    let Some(newest) = judged.newest else {
        let shared = PartitionShared::new(facts.log_start, facts.log_start, epoch, Vec::new());
        let recovered = Recovered {
            shared,
            producers: Producers::default(),
            before: None,
        };
        return Ok(Partition::new(place, recovered, tools.clone()));
    };
    match newest.state {
        Tidiness::Clean(closing, last, scanned) => {
            let before = predecessor(&newest.opened, newest.name, closing.file_len, last);
            let Scanned {
                producers, epochs, ..
            } = *scanned;
            let shared = PartitionShared::new(facts.log_start, closing.end, epoch, epochs);
            let (name, path) = (newest.name, newest.path);
            let segment = Segment::closed(place, name, path, closing.file_len, Some(closing));
            shared.set_segments(judged.older.into_iter().chain([segment]).collect());
            let recovered = Recovered {
                shared,
                producers,
                before: Some(before),
            };
            Ok(Partition::new(place, recovered, tools.clone()))
        }
        Tidiness::Scanned(scanned) => {
            let file = newest.path.clone();
            let unreadable = |error: ContainerError| Corrupt::Unreadable {
                file: file.clone(),
                error,
            };
            let parts = Parts {
                place,
                facts,
                older: judged.older,
                name: newest.name,
                path: newest.path,
                opened: newest.opened,
                epoch,
            };
            rewrite_unproven(parts, *scanned, tools).map_err(unreadable)
        }
    }
}

/// What is left of the newest file when its verdict is known.
struct Parts {
    place: Place,
    facts: Facts,
    older: Vec<Arc<Segment>>,
    name: SegmentName,
    path: String,
    opened: Opened,
    epoch: i32,
}

/// After a stop that nobody confirmed: what lies behind the durable mark is sealed anew into a new file, since after a
/// failed sync the page cache may show what the disk does not have.
fn rewrite_unproven(
    parts: Parts,
    scanned: Scanned,
    tools: &Arc<Tools>,
) -> Result<Partition, ContainerError> {
    let Scanned {
        scan,
        extent,
        producers_before: mut producers,
        frames,
        epochs,
        ..
    } = scanned;
    let opening_end = frames.get(1).map_or(scan.end, |second| second.position);
    let durable = scan.durable.max(opening_end);
    let proven: Vec<&Seen> = frames
        .iter()
        .filter(|seen| seen.position < durable)
        .collect();
    let unproven: Vec<&Seen> = frames
        .iter()
        .filter(|seen| seen.position >= durable)
        .collect();
    // Those of the unproven batches follow as they are carried over: the new file names them as of its base offset.
    for header in proven.iter().filter_map(|seen| seen.batch) {
        note_producer(&mut producers, &header, tools.clock.now());
    }
    let cut_at = unproven.first().map_or(scan.end, |seen| seen.position);
    let last = proven.last().map_or(LastFrame::default(), |seen| seen.last);
    let before = predecessor(&parts.opened, parts.name, cut_at, last);
    let shared = PartitionShared::new(parts.facts.log_start, extent.end, parts.epoch, epochs);
    let mut kept = extent.clone();
    kept.index.retain(|entry| entry.position < cut_at);
    kept.position = cut_at;
    let first_unproven = unproven.iter().find_map(|seen| seen.batch);
    kept.end = first_unproven.map_or(extent.end, |batch| batch.base_offset);
    let file = parts.opened.file.clone();
    let segment = Segment::active(parts.place, parts.name, parts.path, parts.opened, kept);
    segment.set_len(cut_at);
    let opened = segment.opened_at_hand();
    let batches = unproven.iter().filter(|seen| seen.batch.is_some());
    let contents = batches.filter_map(|seen| {
        let frame = opened.as_ref()?.frame(seen.position, FRAME_CAP);
        Some(frame.map(|frame| frame.content))
    });
    shared.set_segments(parts.older.into_iter().chain([segment]).collect());
    let recovered = Recovered {
        shared,
        producers,
        before: Some(before),
    };
    let mut partition = Partition::new(parts.place, recovered, tools.clone());
    if let Some(first) = first_unproven {
        partition.carry_over(first.base_offset, extent.end, contents)?;
        metrics::counter!("log_recovery_rewritten_bytes")
            .increment(extent.position.saturating_sub(cut_at));
        // The catalog names the new file before anything of the old one goes: until then the new one may be dropped.
        partition.anchor(extent.end).map_err(|_| {
            ContainerError::Io(std::io::Error::other("the catalog cannot be written"))
        })?;
    }
    // Also where nothing is left to cut: the run before may have cut the file back without a sync, and what follows
    // names this length.
    cut(file.as_ref(), cut_at)?;
    Ok(partition)
}

/// Takes away what lies in the next file now, or was never durable.
fn cut(file: &dyn DiskFile, len: u64) -> Result<(), ContainerError> {
    if file.size()? > len {
        file.set_len(len)?;
    }
    file.sync_all().map_err(ContainerError::Sync)
}

pub(crate) fn predecessor(
    opened: &Opened,
    name: SegmentName,
    len: u64,
    last: LastFrame,
) -> Predecessor {
    Predecessor {
        file_id: opened.header.file_id,
        base: name.base,
        incarnation: name.incarnation,
        len,
        last,
    }
}

pub(crate) fn push_epoch(epochs: &mut Vec<(i32, i64)>, incarnation: u32, start: i64) {
    let epoch = i32::try_from(incarnation).unwrap_or(i32::MAX);
    if epochs.last().is_none_or(|(last, _)| *last < epoch) {
        epochs.push((epoch, start));
    }
}

/// Reads every frame of a file: authenticity, order, offsets, checksums.
fn scan(opened: &Opened, opening: &Opening, now: Timestamp) -> Result<Scanned, ContainerError> {
    let mut extent = Extent::new(opening.base, container::FIRST);
    let mut producers = opening.producers.clone();
    let mut epochs = opening.epochs.clone();
    let mut frames = Vec::new();
    let scan = container::scan(opened, FRAME_CAP, |position, frame| {
        let batch = match frame.header.kind {
            kind::OPENING if position == container::FIRST => {
                extent.position = position + u64::from(frame.header.len);
                None
            }
            kind::BATCH => match check_batch(frame, extent.end) {
                Some(header) => {
                    let behind = position + u64::from(frame.header.len);
                    extent.add(&header, position, behind, header.last_offset());
                    note_producer(&mut producers, &header, now);
                    push_epoch(
                        &mut epochs,
                        header.partition_leader_epoch.unsigned_abs(),
                        header.base_offset,
                    );
                    Some(header)
                }
                None => return false,
            },
            kind::INDEX | kind::CLOSE => None,
            _ => return false,
        };
        let last = LastFrame {
            number: frame.header.number,
            tag: frame.tag,
        };
        frames.push(Seen {
            position,
            last,
            batch,
        });
        true
    })?;
    Ok(Scanned {
        scan,
        extent,
        producers_before: opening.producers.clone(),
        producers,
        frames,
        epochs,
    })
}

/// The header of a batch that belongs at this offset and has its checksum.
fn check_batch(frame: &Frame, expected: i64) -> Option<BatchHeader> {
    check_batch_at(frame).filter(|header| header.base_offset == expected)
}

/// The header of a batch that has its checksum, whatever its offset.
pub(crate) fn check_batch_at(frame: &Frame) -> Option<BatchHeader> {
    let batch = Batch::parse(&frame.content).ok()?;
    batch.verify_crc().ok()?;
    Some(*batch.header())
}

/// A producer seen in the file counts as used now: forgetting it too early would let its retries in twice.
pub(crate) fn note_producer(producers: &mut Producers, header: &BatchHeader, now: Timestamp) {
    let batch = producers::Batch {
        first_sequence: header.base_sequence,
        last_sequence: header.last_sequence(),
        base_offset: header.base_offset,
        last_offset: header.last_offset(),
        timestamp: header.max_timestamp,
    };
    producers.appended(header.producer_id, header.producer_epoch, batch, now);
}

/// A file of an earlier run that is not the newest, and where its close frame says it ends.
fn older_segment(
    place: Place,
    name: SegmentName,
    path: &str,
    tools: &Tools,
) -> Result<(Arc<Segment>, Option<i64>), Corrupt> {
    let unreadable = |error: ContainerError| Corrupt::Unreadable {
        file: path.to_owned(),
        error,
    };
    let opened = Opened::open(
        tools.disk.as_ref(),
        &tools.keyring,
        path,
        name.identity(place),
    )
    .map_err(unreadable)?;
    let closing = read_closing(&opened)
        .map_err(unreadable)?
        .map(|(closing, _)| closing);
    let len = opened
        .file
        .size()
        .map_err(|error| unreadable(error.into()))?;
    let end = closing.map(|closing| closing.end);
    let segment = Segment::closed(place, name, path.to_owned(), len, closing);
    Ok((segment, end))
}
