//! Reads every file of a partition, as far as it can be read: which batches follow one another, and what is damaged.

use kastellan_core::time::Timestamp;
use seal::at_rest::Keyring;

use crate::container::{self, ContainerError, LastFrame, Opened, Tail, kind};
use crate::disk::Disk;
use crate::offsets::Place;
use crate::partition::{Opening, Partition};
use crate::producers::Producers;
use crate::recover::{check_batch_at, note_producer, push_epoch, segment_names};
use crate::segment::{FRAME_CAP, SegmentName};

/// A batch that authenticates.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub position: u64,
    pub base: i64,
    pub last: i64,
}

/// One file, as far as it can be read.
pub(super) struct Surveyed {
    pub name: SegmentName,
    pub path: String,
    pub len: u64,
    /// Absent: not even the header can be trusted.
    pub opened: Option<Opened>,
    /// Everything in it is good.
    pub is_whole: bool,
    pub batches: Vec<Seen>,
    pub last: LastFrame,
}

/// All files, oldest first.
pub(super) struct Survey {
    pub files: Vec<Surveyed>,
    /// Batches that follow one another from the log start on: file and batch.
    pub chain: Vec<(usize, Seen)>,
    /// Where the chain ends, at least the log start.
    pub good_until: i64,
    pub damage: Vec<String>,
}

impl Survey {
    pub(super) fn of(
        place: Place,
        log_start: i64,
        disk: &dyn Disk,
        keyring: &Keyring,
    ) -> Result<Self, ContainerError> {
        let dir = Partition::dir(place);
        let mut survey = Self {
            files: Vec::new(),
            chain: Vec::new(),
            good_until: log_start,
            damage: Vec::new(),
        };
        for name in segment_names(&dir, disk)? {
            let path = format!("{dir}/{}", name.file_name());
            let len = disk.open(&path)?.size()?;
            let opened = Opened::open(disk, keyring, &path, name.identity(place));
            let file = survey.read(name, path, len, opened)?;
            survey.files.push(file);
        }
        // An end that was being written when the power went is no damage.
        if let Some(newest) = survey.files.last()
            && newest.opened.is_some()
            && !newest.is_whole
        {
            survey.forgive_torn_end()?;
        }
        survey.check_order();
        survey.link(log_start);
        Ok(survey)
    }

    fn read(
        &mut self,
        name: SegmentName,
        path: String,
        len: u64,
        opened: Result<Opened, ContainerError>,
    ) -> Result<Surveyed, ContainerError> {
        let mut file = Surveyed {
            name,
            path,
            len,
            opened: None,
            is_whole: false,
            batches: Vec::new(),
            last: LastFrame::default(),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.damage.push(format!("{}: {error}", file.path));
                return Ok(file);
            }
        };
        let scanned = container::scan(&opened, FRAME_CAP, |position, frame| {
            let is_good = match frame.header.kind {
                kind::OPENING => {
                    position == container::FIRST && Opening::decode(&frame.content).is_ok()
                }
                kind::BATCH => match check_batch_at(frame) {
                    Some(header) => {
                        file.batches.push(Seen {
                            position,
                            base: header.base_offset,
                            last: header.last_offset(),
                        });
                        true
                    }
                    None => false,
                },
                kind::INDEX | kind::CLOSE => true,
                _ => false,
            };
            if is_good {
                file.last = LastFrame {
                    number: frame.header.number,
                    tag: frame.tag,
                };
            }
            is_good
        });
        match scanned {
            Ok(scan) if scan.tail == Tail::Whole => file.is_whole = scan.end > container::FIRST,
            Ok(scan) => self
                .damage
                .push(format!("{}: damaged at byte {}", file.path, scan.end)),
            Err(error) => self.damage.push(format!("{}: {error}", file.path)),
        }
        file.opened = Some(opened);
        Ok(file)
    }

    /// Takes back the complaint about the newest file if its end was never durable.
    fn forgive_torn_end(&mut self) -> Result<(), ContainerError> {
        let Some(newest) = self.files.last() else {
            return Ok(());
        };
        let Some(opened) = &newest.opened else {
            return Ok(());
        };
        let tail = container::scan(opened, FRAME_CAP, |_, _| true).map(|scan| scan.tail);
        if matches!(tail, Ok(Tail::Torn)) && newest.last != LastFrame::default() {
            self.damage
                .retain(|line| !line.starts_with(newest.path.as_str()));
        }
        Ok(())
    }

    /// Each file names the one before it.
    fn check_order(&mut self) {
        for pair in self.files.windows(2) {
            let [before, file] = pair else { break };
            let named = file
                .opened
                .as_ref()
                .and_then(|opened| read_opening(opened).ok())
                .and_then(|opening| opening.predecessor);
            let Some(named) = named else { continue };
            let is_named = (named.base, named.incarnation)
                == (before.name.base, before.name.incarnation)
                && before.len == named.len
                && before
                    .opened
                    .as_ref()
                    .is_some_and(|opened| opened.header.file_id == named.file_id);
            if !is_named {
                self.damage.push(format!(
                    "{}: it is not the file that the next one names",
                    before.path
                ));
            }
        }
    }

    /// Follows the offsets until one is missing.
    fn link(&mut self, log_start: i64) {
        let first = self.files.first().map(|file| file.name.base);
        let mut expected = first.filter(|base| *base <= log_start).unwrap_or(log_start);
        'files: for (at, file) in self.files.iter().enumerate() {
            for seen in &file.batches {
                if seen.last < expected {
                    // Carried over by a recovery: it lies in two files.
                    continue;
                }
                if seen.base != expected {
                    self.damage.push(format!(
                        "{}: offsets {expected} to {} are missing",
                        file.path,
                        seen.base - 1
                    ));
                    break 'files;
                }
                self.chain.push((at, *seen));
                expected = seen.last + 1;
            }
        }
        self.good_until = expected.max(log_start);
    }

    /// The last offset that can be read anywhere, and one.
    pub(super) fn readable_end(&self) -> i64 {
        let ends = self
            .files
            .iter()
            .filter_map(|file| Some(file.batches.last()?.last + 1));
        ends.max().unwrap_or(0).max(self.good_until)
    }

    /// Producers and epochs as of an offset at which file `at` begins, or the one before it ends.
    pub(super) fn state_before(
        &self,
        at: usize,
        base: i64,
        now: Timestamp,
    ) -> Result<(Producers, Vec<(i32, i64)>), ContainerError> {
        let opening = |at: usize| {
            let opened = self.files.get(at)?.opened.as_ref()?;
            read_opening(opened).ok()
        };
        if let Some(opening) = opening(at).filter(|opening| opening.base == base) {
            return Ok((opening.producers, opening.epochs));
        }
        let Some(before) = at.checked_sub(1) else {
            return Ok((Producers::default(), Vec::new()));
        };
        let known = opening(before).map(|opening| (opening.producers, opening.epochs));
        let (mut producers, mut epochs) = known.unwrap_or_default();
        if let Some(opened) = self.files.get(before).and_then(|file| file.opened.as_ref()) {
            container::scan(opened, FRAME_CAP, |_, frame| {
                if frame.header.kind == kind::BATCH
                    && let Some(header) = check_batch_at(frame)
                    && header.last_offset() < base
                {
                    note_producer(&mut producers, &header, now);
                    let epoch = header.partition_leader_epoch.unsigned_abs();
                    push_epoch(&mut epochs, epoch, header.base_offset);
                }
                true
            })?;
        }
        Ok((producers, epochs))
    }
}

fn read_opening(opened: &Opened) -> Result<Opening, ContainerError> {
    let frame = opened.frame(container::FIRST, FRAME_CAP)?;
    Opening::decode(&frame.content)
        .map_err(|_| ContainerError::Frame(seal::at_rest::FrameError::Content))
}
