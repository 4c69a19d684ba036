//! New files: the first one, and the next when one is full or old. No batch enters a file that no synced catalog entry
//! names.

use std::sync::Arc;

use kastellan_core::time::Timestamp;
use wire::error::ErrorCode;

use super::{Active, AppendRefusal, Opening, Partition};
use crate::catalog::Entry;
use crate::container::{CLOSE_LEN, ContainerError, Opened, Writer, kind};
use crate::recover::note_producer;
use crate::segment::{Closing, Extent, Segment, SegmentName, encode_index};
use crate::settings::{self, Settings};
use crate::sync::{Mark, SyncFile};

/// Frame numbers end before 2^32; roll long before.
const FRAMES_MAX: u32 = 1 << 31;

impl Partition {
    /// Sees to it that the active file takes `size` bytes more.
    pub(super) fn make_room(
        &mut self,
        size: usize,
        limit: u64,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), AppendRefusal> {
        if self.is_full(size, limit, settings, now) {
            // A new file takes room: what was free a second ago may be gone.
            self.tools.space.check();
            if self.tools.space.is_full() {
                return Err(ErrorCode::KAFKA_STORAGE_ERROR.into());
            }
            self.flush()?;
            self.close().map_err(|error| self.fail(&error))?;
        }
        if self.active.is_none() {
            self.open_next(self.next, -1)?;
        }
        Ok(())
    }

    /// Whether there is a file and `size` bytes more belong into the next one. A file takes at least one batch, whatever it
    /// holds besides.
    pub(super) fn is_full(
        &self,
        size: usize,
        limit: u64,
        settings: &Settings,
        now: Timestamp,
    ) -> bool {
        let max_age = settings.number(settings::SEGMENT_MS);
        let end = self.next;
        let begun = self.active.as_ref().filter(|active| end > active.name.base);
        begun.is_some_and(|active| {
            active.writer.would_pass(size, limit + active.opening_len)
                || now.since(active.created).as_millis()
                    >= u128::try_from(max_age).unwrap_or(u128::MAX)
                || active.writer.frames() >= FRAMES_MAX
                || end - active.name.base > i64::from(u32::MAX) - i64::from(i32::MAX)
        })
    }

    /// Writes index and close frame and syncs the file. The partition then has no active file. Without room for the
    /// frames the file stays active. Nothing may wait to be written.
    fn close(&mut self) -> Result<(), ContainerError> {
        let Some(mut active) = self.active.take() else {
            return Ok(());
        };
        let closing = match write_closing(&mut active) {
            Ok(closing) => closing,
            Err(error) => {
                active.writer.take_back();
                self.active = Some(active);
                return Err(error);
            }
        };
        active.sync_file.written(Mark {
            bytes: active.writer.position(),
            end: self.shared.end(),
        });
        self.sync_now(&active)?;
        active.segment.set_closing(closing);
        self.before = Some(Self::last_frame(&active));
        Ok(())
    }

    /// Writes what waits and closes the active file, at the end of the process.
    pub(crate) fn finish(&mut self) -> Result<(), ContainerError> {
        // Those who wait are told; what was written before is kept.
        let _ = self.flush();
        self.close()
    }

    fn sync_now(&self, active: &Active) -> Result<(), ContainerError> {
        let ticket = self.tools.sync.ticket(&active.sync_file);
        ticket
            .wait()
            .map_err(|error| ContainerError::Sync(std::io::Error::other(error)))
    }

    /// Makes the next file and names it in the catalog.
    pub(crate) fn open_next(
        &mut self,
        base: i64,
        recovered_until: i64,
    ) -> Result<(), AppendRefusal> {
        self.create_next(base, recovered_until)
            .map_err(|error| self.fail(&error))?;
        let named = self.anchor(base);
        if named.is_err() {
            self.abandon();
        }
        named
    }

    /// Gives up a new file that the catalog does not name.
    fn abandon(&mut self) {
        let Some(active) = self.active.take() else {
            return;
        };
        let mut segments = Vec::clone(&self.shared.segments());
        segments.retain(|segment| segment.name != active.name);
        self.shared.set_segments(segments);
        // After a failed sync nobody knows whether the catalog names it.
        if !self.tools.failure.has_failed() {
            let _ = self.tools.disk.remove_file(&active.segment.path);
        }
    }

    /// Says in the catalog which file is the newest.
    pub(crate) fn anchor(&mut self, synced_end: i64) -> Result<(), AppendRefusal> {
        let Some(active) = &self.active else {
            return Ok(());
        };
        let SegmentName { base, incarnation } = active.name;
        let entry = Entry::Anchor {
            place: self.place,
            base,
            incarnation,
            synced_end,
        };
        self.tools
            .catalog
            .commit_blocking(vec![entry])
            .map_err(AppendRefusal::from)
    }

    /// Makes a file with its opening frame, durable; nothing names it yet.
    pub(crate) fn create_next(
        &mut self,
        base: i64,
        recovered_until: i64,
    ) -> Result<(), ContainerError> {
        let tools = &self.tools;
        let dir = Self::dir(self.place);
        // Directories that are there may be of a run that ended before they were durable.
        if self.before.is_none() {
            tools.disk.make_dir(&dir)?;
            let topic = format!("p/{}", self.place.topic.simple());
            tools.disk.sync_dir("p").map_err(ContainerError::Sync)?;
            tools.disk.sync_dir(&topic).map_err(ContainerError::Sync)?;
        }
        let name = SegmentName {
            base,
            incarnation: tools.catalog.incarnation(),
        };
        let path = format!("{dir}/{}", name.file_name());
        let created = tools.clock.now();
        let opening = Opening {
            base,
            incarnation: name.incarnation,
            created,
            recovered_until,
            predecessor: self.before,
            epochs: self.shared.epochs(),
            producers: self.producers.clone(),
        };
        let begun = Writer::create(
            tools.disk.as_ref(),
            &tools.keyring,
            &path,
            name.identity(self.place),
        )
        .and_then(|(mut writer, header)| {
            writer.append(kind::OPENING, 0, &[&opening.encode()])?;
            Ok((writer, header))
        });
        if begun.as_ref().is_err_and(ContainerError::is_full) {
            // The next try makes it again.
            let _ = tools.disk.remove_file(&path);
        }
        let (writer, header) = begun?;
        writer.file().sync_all().map_err(ContainerError::Sync)?;
        tools.disk.sync_dir(&dir).map_err(ContainerError::Sync)?;
        let mark = Mark {
            bytes: writer.position(),
            end: base,
        };
        let shared = self.shared.clone();
        let raise = move |mark: Mark| shared.raise_high_watermark(mark.end);
        let sync_file = SyncFile::new(writer.file().clone(), path.clone(), mark, Box::new(raise));
        let key = tools.keyring.open_file(&header)?;
        let opened = Opened {
            file: writer.file().clone(),
            header: header.clone(),
            key,
        };
        let segment = Segment::active(
            self.place,
            name,
            path,
            opened,
            Extent::new(base, writer.position()),
        );
        let mut segments = Vec::clone(&self.shared.segments());
        segments.push(segment.clone());
        self.shared.set_segments(segments);
        self.active = Some(Active {
            opening_len: writer.position(),
            writer,
            header,
            name,
            segment,
            sync_file,
            created,
        });
        Ok(())
    }

    /// Rolls an active file that is wholly too old, so that retention can take it.
    pub(crate) fn roll_if_older_than(&mut self, time: Timestamp) -> Result<(), AppendRefusal> {
        self.flush()?;
        let is_old = self.active.as_ref().is_some_and(|active| {
            let newest = active
                .segment
                .known_extent(|extent| extent.max_timestamp)
                .unwrap_or(-1);
            self.shared.end() > active.name.base && newest < time.millis()
        });
        if is_old && self.shared.high_watermark() == self.shared.end() {
            self.close().map_err(|error| self.fail(&error))?;
        }
        Ok(())
    }

    /// Drops files that lie wholly below the log start.
    pub(crate) fn drop_before_log_start(&mut self) {
        let start = self.shared.log_start();
        let segments = self.shared.segments();
        // A file is needed as long as the next one begins above the start; the last one stays.
        let keep = segments
            .windows(2)
            .take_while(|pair| pair.get(1).is_some_and(|next| next.name.base <= start))
            .count();
        let (gone, kept): (Vec<Arc<Segment>>, Vec<Arc<Segment>>) =
            (segments[..keep].to_vec(), segments[keep..].to_vec());
        if gone.is_empty() {
            return;
        }
        self.shared.set_segments(kept);
        for segment in gone {
            if let Err(error) = self.tools.disk.remove_file(&segment.path) {
                tracing::warn!(%error, file = segment.path, "Old segment cannot be removed");
            }
        }
        if let Err(error) = self.tools.disk.sync_dir(&Self::dir(self.place)) {
            self.fail(&ContainerError::Sync(error));
        }
    }

    /// An error while files change: nothing is promised any more.
    pub(super) fn fail(&self, error: &ContainerError) -> AppendRefusal {
        if error.is_full() {
            self.tools.space.check();
        } else {
            let reason = format!("{}: {error}", Self::dir(self.place));
            self.tools.failure.set(reason);
        }
        ErrorCode::KAFKA_STORAGE_ERROR.into()
    }
}

impl Partition {
    /// Recovery: batches that were not proven durable, verbatim, into a new file. The file is durable when this
    /// returns; the catalog does not name it yet. The partition knows the producers as of `base`, and of these batches
    /// when this returns.
    pub(crate) fn carry_over(
        &mut self,
        base: i64,
        end: i64,
        batches: impl Iterator<Item = Result<bytes::Bytes, ContainerError>>,
    ) -> Result<(), ContainerError> {
        self.create_next(base, end)?;
        let now = self.tools.clock.now();
        let Some(active) = self.active.as_mut() else {
            return Ok(());
        };
        for batch in batches {
            let batch = batch?;
            let header = wire::record::BatchHeader::parse(&batch)
                .map_err(|_| ContainerError::Frame(seal::at_rest::FrameError::Content))?;
            let at = active.writer.stream(kind::BATCH, 0, &[&batch])?;
            let behind = active.writer.position();
            active
                .segment
                .update(|extent| extent.add(&header, at, behind, header.last_offset()));
            note_producer(&mut self.producers, &header, now);
        }
        active.writer.flush()?;
        let bytes = active.writer.position();
        active.sync_file.written(Mark { bytes, end });
        self.count_producers();
        let Some(active) = &self.active else {
            return Ok(());
        };
        self.sync_now(active)
    }
}

/// Index and close frame, at the end of the file.
fn write_closing(active: &mut Active) -> Result<Closing, ContainerError> {
    let known = active.segment.known_extent(Extent::clone);
    let extent = known.unwrap_or_else(|| Extent::new(active.name.base, active.opening_len));
    let durable = active.sync_file.synced().bytes;
    let index = encode_index(&extent.index, active.name.base);
    let index_position = active.writer.gather(kind::INDEX, durable, &[&index])?;
    let closing = Closing {
        end: extent.end,
        frames: active.writer.frames() + 1,
        max_timestamp: extent.max_timestamp,
        max_timestamp_offset: extent.max_timestamp_offset,
        index_position,
        file_len: active.writer.position() + CLOSE_LEN,
    };
    active
        .writer
        .append(kind::CLOSE, durable, &[&closing.encode()])?;
    Ok(closing)
}
