//! Judges the files of a partition. The first row that decides is named in the error or in the comment beside it.

use std::sync::Arc;

use super::{Corrupt, Facts, Judged, Newest, Tidiness, older_segment, scan};
use crate::container::{self, ContainerError, Opened, Tail, kind};
use crate::disk::{Disk, DiskFile};
use crate::offsets::Place;
use crate::partition::{Opening, Partition, Tools};
use crate::segment::{FRAME_CAP, Segment, SegmentName, read_closing};

/// Judges; removes or sets aside what a cut creation or an unfinished recovery left behind.
pub(super) fn judge(place: Place, facts: Facts, tools: &Arc<Tools>) -> Result<Judged, Corrupt> {
    let dir = Partition::dir(place);
    let unlisted = |error: std::io::Error| Corrupt::Unreadable {
        file: dir.clone(),
        error: error.into(),
    };
    if facts.stopped.is_none() {
        // A file whose removal was not durable must not come back behind what is done now because it is not there.
        match tools.disk.sync_dir(&dir) {
            // Nothing was ever written here.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            synced => synced.map_err(unlisted)?,
        }
    }
    let mut names = segment_names(&dir, tools.disk.as_ref()).map_err(unlisted)?;
    let anchored = |name: &SegmentName| facts.names(*name);
    if facts.anchor.is_some() && !names.iter().any(anchored) {
        return damage(
            &dir,
            "the file that the catalog names as the newest is missing",
        );
    }
    while let Some(name) = names.last().copied() {
        let path = format!("{dir}/{}", name.file_name());
        let (opened, opening) = match open(place, name, &path, tools) {
            Ok(found) => found,
            Err(ContainerError::Io(error)) => {
                return Err(Corrupt::Unreadable {
                    file: path,
                    error: error.into(),
                });
            }
            Err(error) if anchored(&name) => return Err(Corrupt::Begin { file: path, error }),
            // Its creation was cut: nothing in it was ever answered for.
            Err(_) => {
                set_aside(&path, tools)?;
                names.pop();
                continue;
            }
        };
        let is_anchored = anchored(&name);
        let before = judge_before(place, &dir, &names, &opening, facts, is_anchored, tools)?;
        if matches!(before, Before::HasMore) {
            // An unfinished recovery: the file before still has everything.
            remove(&path, tools)?;
            names.pop();
            continue;
        }
        if names
            .first()
            .is_some_and(|first| first.base > facts.log_start)
        {
            return damage(&dir, "the first file begins above the log start");
        }
        let Some(state) = tidiness(&path, &opened, &opening, facts, is_anchored, tools)? else {
            remove(&path, tools)?;
            names.pop();
            continue;
        };
        if !is_anchored && state.is_empty(&opening) {
            // No sync of it may have succeeded: what follows must not name it as the file before.
            remove(&path, tools)?;
            names.pop();
            continue;
        }
        if let Before::Uncut { path, file, len } = before {
            finish_recovery(path, file.as_ref(), len, &opening, &state)?;
        }
        return Ok(Judged {
            older: older_segments(place, &dir, &names, facts, tools)?,
            newest: Some(Newest {
                name,
                path,
                opened,
                state,
            }),
        });
    }
    if facts.log_start > 0 {
        return damage(&dir, "no file is left although records were written");
    }
    Ok(Judged {
        older: Vec::new(),
        newest: None,
    })
}

/// All files but the newest. Those below the log start are leftovers of a removal and go; the one that the catalog names
/// stays until it names another: after a loss of power it may name this one still.
fn older_segments(
    place: Place,
    dir: &str,
    names: &[SegmentName],
    facts: Facts,
    tools: &Tools,
) -> Result<Vec<Arc<Segment>>, Corrupt> {
    let mut older = Vec::new();
    for pair in names.windows(2) {
        let [name, next] = pair else { break };
        let path = format!("{dir}/{}", name.file_name());
        if next.base <= facts.log_start {
            if !facts.names(*name)
                && let Err(error) = tools.disk.remove_file(&path)
            {
                tracing::warn!(%error, file = path, "Old segment cannot be removed");
            }
            continue;
        }
        let (segment, end) = older_segment(place, *name, &path, tools)?;
        if end.is_some_and(|end| end != next.base) {
            return damage(&path, "the next file does not go on where it ends");
        }
        older.push(segment);
    }
    Ok(older)
}

fn damage<T>(file: &str, why: &'static str) -> Result<T, Corrupt> {
    Err(Corrupt::Damage {
        file: file.to_owned(),
        why,
        position: None,
    })
}

/// The files of a partition, oldest first.
pub(crate) fn segment_names(dir: &str, disk: &dyn Disk) -> std::io::Result<Vec<SegmentName>> {
    let entries = disk.list(dir)?;
    let mut names: Vec<SegmentName> = entries
        .iter()
        .filter_map(|entry| SegmentName::parse(&entry.name))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Opens a file with its first frame.
fn open(
    place: Place,
    name: SegmentName,
    path: &str,
    tools: &Tools,
) -> Result<(Opened, Opening), ContainerError> {
    let opened = Opened::open(
        tools.disk.as_ref(),
        &tools.keyring,
        path,
        name.identity(place),
    )?;
    let frame = opened.frame(container::FIRST, FRAME_CAP)?;
    let opening = Opening::decode(&frame.content).ok().filter(|opening| {
        frame.header.kind == kind::OPENING
            && opening.base == name.base
            && opening.incarnation == name.incarnation
    });
    let opening = opening.ok_or(ContainerError::Frame(seal::at_rest::FrameError::Content))?;
    Ok((opened, opening))
}

/// The file before, as the opening frame of the newest names it.
enum Before {
    /// It is as it should be, or gone because it is below the log start.
    Fits,
    /// It has more, and the catalog does not name the newest file: that one is an unfinished recovery.
    HasMore,
    /// It has more than a recovery left in it. Right only if the process ended between the last two steps of that.
    Uncut {
        path: String,
        file: Arc<dyn DiskFile>,
        len: u64,
    },
}

/// Takes the last step of a recovery: what lies behind in the old file is in the new one. If anything happened since, the
/// step had been taken, and the old file is another.
fn finish_recovery(
    path: String,
    file: &dyn DiskFile,
    len: u64,
    opening: &Opening,
    state: &Tidiness,
) -> Result<(), Corrupt> {
    let is_fresh = matches!(state, Tidiness::Scanned(scanned)
        if scanned.extent.end == opening.recovered_until);
    if !is_fresh {
        return damage(&path, "it is not the file that the next one names");
    }
    super::cut(file, len).map_err(|error| Corrupt::Unreadable { file: path, error })
}

fn judge_before(
    place: Place,
    dir: &str,
    names: &[SegmentName],
    opening: &Opening,
    facts: Facts,
    is_anchored: bool,
    tools: &Tools,
) -> Result<Before, Corrupt> {
    let Some(before) = opening.predecessor else {
        return Ok(Before::Fits);
    };
    let name = SegmentName {
        base: before.base,
        incarnation: before.incarnation,
    };
    let path = format!("{dir}/{}", name.file_name());
    if !names.contains(&name) {
        if opening.base > facts.log_start {
            return damage(
                &path,
                "the file is missing although the next one follows it",
            );
        }
        return Ok(Before::Fits);
    }
    let unreadable = |error: ContainerError| Corrupt::Unreadable {
        file: path.clone(),
        error,
    };
    let opened = Opened::open(
        tools.disk.as_ref(),
        &tools.keyring,
        &path,
        name.identity(place),
    )
    .map_err(unreadable)?;
    let len = opened
        .file
        .size()
        .map_err(|error| unreadable(error.into()))?;
    if len > before.len && !is_anchored {
        return Ok(Before::HasMore);
    }
    let was_recovery = opening.recovered_until >= 0;
    let fits = len == before.len || (len > before.len && was_recovery);
    if !fits || opened.header.file_id != before.file_id {
        return damage(&path, "it is not the file that the next one names");
    }
    // The tag of the last frame ends the file.
    let mut tag = [0; 16];
    opened
        .file
        .read_at(&mut tag, before.len.saturating_sub(16))
        .map_err(|error| unreadable(error.into()))?;
    if tag != before.last.tag {
        return damage(
            &path,
            "its last frame is not the one that the next file names",
        );
    }
    if len > before.len {
        return Ok(Before::Uncut {
            path,
            file: opened.file,
            len: before.len,
        });
    }
    if was_recovery {
        // The process may have ended between the cut and its sync: what is seen of it is not durable then.
        let synced = opened.file.sync_all();
        synced.map_err(|error| unreadable(ContainerError::Sync(error)))?;
    }
    Ok(Before::Fits)
}

/// `None`: a recovery that was cut short. The catalog does not name it, so nobody was served from it, and the file before
/// still has all that was durable.
fn tidiness(
    path: &str,
    opened: &Opened,
    opening: &Opening,
    facts: Facts,
    is_anchored: bool,
    tools: &Tools,
) -> Result<Option<Tidiness>, Corrupt> {
    let unreadable = |error: ContainerError| Corrupt::Unreadable {
        file: path.to_owned(),
        error,
    };
    let scanned = scan(opened, opening, tools.clock.now()).map_err(unreadable)?;
    if let Some((end, len)) = facts.stopped {
        return match read_closing(opened).map_err(unreadable)? {
            Some((closing, last))
                if (closing.end, closing.file_len) == (end, len)
                    && scanned.scan.tail == Tail::Whole
                    && scanned.extent.end == end =>
            {
                Ok(Some(Tidiness::Clean(closing, last, Box::new(scanned))))
            }
            _ => damage(
                path,
                "the log was stopped well, but the file is not as it was left",
            ),
        };
    }
    if scanned.scan.tail == Tail::Corrupt {
        return Err(Corrupt::Damage {
            file: path.to_owned(),
            why: "durable bytes are damaged",
            position: Some(scanned.scan.end),
        });
    }
    if !is_anchored && scanned.extent.end < opening.recovered_until {
        return Ok(None);
    }
    let anchored_end = facts.anchor.map_or(0, |anchor| anchor.synced_end);
    if scanned.extent.end < anchored_end.max(opening.recovered_until).max(opening.base) {
        return damage(path, "records that were durable are missing");
    }
    Ok(Some(Tidiness::Scanned(Box::new(scanned))))
}

/// Moves a file to `quarantine/`, where nothing is ever removed.
pub(crate) fn set_aside(path: &str, tools: &Tools) -> Result<(), Corrupt> {
    let failed = |error: std::io::Error| Corrupt::Unreadable {
        file: path.to_owned(),
        error: error.into(),
    };
    tracing::warn!(file = path, "A file goes to quarantine");
    tools.notes.quarantined(path);
    tools.disk.make_dir("quarantine").map_err(failed)?;
    let name = path.trim_start_matches("p/").replace('/', "_");
    tools
        .disk
        .rename(
            path,
            &format!("quarantine/{name}.{}", tools.catalog.incarnation()),
        )
        .map_err(failed)?;
    sync_parent(path, tools).map_err(failed)
}

fn remove(path: &str, tools: &Tools) -> Result<(), Corrupt> {
    let failed = |error: std::io::Error| Corrupt::Unreadable {
        file: path.to_owned(),
        error: error.into(),
    };
    tracing::warn!(file = path, "A file that was never in use is discarded");
    tools.disk.remove_file(path).map_err(failed)?;
    sync_parent(path, tools).map_err(failed)
}

fn sync_parent(path: &str, tools: &Tools) -> std::io::Result<()> {
    tools
        .disk
        .sync_dir(path.rsplit_once('/').map_or("", |(parent, _)| parent))
}
