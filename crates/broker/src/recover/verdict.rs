//! Judges the files of a partition. The first row that decides is named in the error or in the comment beside it.

use std::sync::Arc;

use super::{Corrupt, Facts, Judged, Newest, Tidiness, older_segment, scan};
use crate::container::{self, ContainerError, Opened, kind};
use crate::offsets::Place;
use crate::partition::{Opening, Partition, Tools};
use crate::segment::{FRAME_CAP, SegmentName, read_closing};

/// Judges; removes or sets aside what a cut creation or an unfinished recovery left behind.
pub(super) fn judge(place: Place, facts: Facts, tools: &Arc<Tools>) -> Result<Judged, Corrupt> {
    let dir = Partition::dir(place);
    let mut names = names(&dir, tools)?;
    let anchored = |name: &SegmentName| {
        facts.anchor.is_some_and(|anchor| {
            (anchor.base, anchor.incarnation) == (name.base, name.incarnation)
        })
    };
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
            Err(_) if anchored(&name) => {
                return damage(&path, "the header or the first frame is damaged");
            }
            // Its creation was cut: nothing in it was ever answered for.
            Err(_) => {
                set_aside(&path, tools)?;
                names.pop();
                continue;
            }
        };
        if !predecessor_fits(&dir, &names, &opening, facts, anchored(&name), tools)? {
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
        let state = tidiness(&path, &opened, &opening, facts, anchored(&name))?;
        names.pop();
        let older: Result<Vec<_>, Corrupt> = names
            .iter()
            .map(|older| {
                older_segment(
                    place,
                    *older,
                    &format!("{dir}/{}", older.file_name()),
                    tools,
                )
            })
            .collect();
        return Ok(Judged {
            older: older?,
            newest: Some(Newest {
                name,
                path,
                opened,
                opening,
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

fn damage<T>(file: &str, why: &'static str) -> Result<T, Corrupt> {
    Err(Corrupt::Damage {
        file: file.to_owned(),
        why,
    })
}

fn names(dir: &str, tools: &Tools) -> Result<Vec<SegmentName>, Corrupt> {
    let entries = tools.disk.list(dir).map_err(|error| Corrupt::Unreadable {
        file: dir.to_owned(),
        error: error.into(),
    })?;
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

/// Whether the file before is as the opening frame says. `false`: this file is an unfinished recovery.
fn predecessor_fits(
    dir: &str,
    names: &[SegmentName],
    opening: &Opening,
    facts: Facts,
    is_anchored: bool,
    tools: &Tools,
) -> Result<bool, Corrupt> {
    let Some(before) = opening.predecessor else {
        return Ok(true);
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
        return Ok(true);
    }
    let unreadable = |error: std::io::Error| Corrupt::Unreadable {
        file: path.clone(),
        error: error.into(),
    };
    let len = tools
        .disk
        .open(&path)
        .and_then(|file| file.len())
        .map_err(unreadable)?;
    if len > before.len && !is_anchored {
        return Ok(false);
    }
    if len != before.len {
        return damage(
            &path,
            "the file does not have the length that the next one names",
        );
    }
    Ok(true)
}

fn tidiness(
    path: &str,
    opened: &Opened,
    opening: &Opening,
    facts: Facts,
    is_anchored: bool,
) -> Result<Tidiness, Corrupt> {
    let unreadable = |error: ContainerError| Corrupt::Unreadable {
        file: path.to_owned(),
        error,
    };
    if let Some((end, len)) = facts.stopped {
        return match read_closing(opened).map_err(unreadable)? {
            Some((closing, last)) if closing.end == end && closing.file_len == len => {
                Ok(Tidiness::Clean(closing, last))
            }
            _ => damage(
                path,
                "the log was stopped well, but the file does not end as it was left",
            ),
        };
    }
    let scanned = scan(opened, opening).map_err(unreadable)?;
    if scanned.is_corrupt() {
        return damage(path, "durable bytes are damaged");
    }
    let synced_end = facts
        .anchor
        .filter(|_| is_anchored)
        .map_or(opening.base, |anchor| anchor.synced_end);
    if scanned.extent.end < synced_end {
        return damage(path, "records that were durable are missing");
    }
    Ok(Tidiness::Scanned(Box::new(scanned)))
}

fn set_aside(path: &str, tools: &Tools) -> Result<(), Corrupt> {
    let failed = |error: std::io::Error| Corrupt::Unreadable {
        file: path.to_owned(),
        error: error.into(),
    };
    tracing::warn!(
        file = path,
        "A file whose creation was cut goes to quarantine"
    );
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
    tracing::warn!(file = path, "An unfinished recovery is discarded");
    tools.disk.remove_file(path).map_err(failed)?;
    sync_parent(path, tools).map_err(failed)
}

fn sync_parent(path: &str, tools: &Tools) -> std::io::Result<()> {
    tools
        .disk
        .sync_dir(path.rsplit_once('/').map_or("", |(parent, _)| parent))
}
