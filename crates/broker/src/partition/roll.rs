//! New files: the first one, and the next when one is full or old. No batch enters a file that no synced catalog entry
//! names.

use std::sync::Arc;

use kastellan_core::time::Timestamp;
use wire::error::ErrorCode;

use super::{Active, AppendRefusal, Opening, Partition};
use crate::catalog::Entry;
use crate::container::{CLOSE_LEN, ContainerError, Opened, Writer, kind};
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
        let max_age = settings.number(settings::SEGMENT_MS);
        let is_full = self.active.as_ref().is_some_and(|active| {
            active.writer.would_pass(size, limit)
                || now.since(active.created).as_millis()
                    >= u128::try_from(max_age).unwrap_or(u128::MAX)
                || active.writer.frames() >= FRAMES_MAX
                || self.shared.end() - active.name.base > i64::from(u32::MAX) - i64::from(i32::MAX)
        });
        if is_full {
            self.close().map_err(|error| self.fail(&error))?;
        }
        if self.active.is_none() {
            self.open_next(self.shared.end(), -1)?;
        }
        Ok(())
    }

    /// Writes index and close frame and syncs the file. The partition then has no active file.
    pub(crate) fn close(&mut self) -> Result<(), ContainerError> {
        let Some(mut active) = self.active.take() else {
            return Ok(());
        };
        let closing_of = |extent: &Extent, position: u64, frames: u32| Closing {
            end: extent.end,
            frames,
            max_timestamp: extent.max_timestamp,
            max_timestamp_offset: extent.max_timestamp_offset,
            index_position: position,
            file_len: 0,
        };
        let index_position = active.writer.position();
        let mut index = Vec::new();
        let mut closing = None;
        active.segment.known_extent(|extent| {
            index = encode_index(&extent.index, active.name.base);
            closing = Some(closing_of(
                extent,
                index_position,
                active.writer.frames() + 2,
            ));
        });
        let Some(mut closing) = closing else {
            return Ok(());
        };
        let durable = active.sync_file.synced().bytes;
        active.writer.append(kind::INDEX, durable, &[&index])?;
        closing.file_len = active.writer.position() + CLOSE_LEN;
        active
            .writer
            .append(kind::CLOSE, durable, &[&closing.encode()])?;
        active.sync_file.written(Mark {
            bytes: active.writer.position(),
            end: self.shared.end(),
        });
        self.tools
            .sync
            .ticket(&active.sync_file)
            .wait()
            .map_err(|_| ContainerError::Io(std::io::Error::other("sync failed")))?;
        active.segment.set_closing(closing);
        self.before = Some(Self::last_frame(&active));
        Ok(())
    }

    /// Makes the next file and names it in the catalog.
    pub(crate) fn open_next(
        &mut self,
        base: i64,
        recovered_until: i64,
    ) -> Result<(), AppendRefusal> {
        self.create_next(base, recovered_until)
            .map_err(|error| self.fail(&error))?;
        self.anchor(base)
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
        if !tools.disk.exists(&dir) {
            tools.disk.make_dir(&dir)?;
            tools.disk.sync_dir("p")?;
            tools
                .disk
                .sync_dir(&format!("p/{}", self.place.topic.simple()))?;
        }
        let name = SegmentName {
            base,
            incarnation: tools.catalog.incarnation(),
        };
        let path = format!("{dir}/{}", name.file_name());
        let created = tools.clock.now();
        let (mut writer, header) = Writer::create(
            tools.disk.as_ref(),
            &tools.keyring,
            &path,
            name.identity(self.place),
        )?;
        let opening = Opening {
            base,
            incarnation: name.incarnation,
            created,
            recovered_until,
            predecessor: self.before,
            epochs: self.shared.epochs(),
            producers: self.producers.clone(),
        };
        writer.append(kind::OPENING, 0, &[&opening.encode()])?;
        writer.file().sync_all()?;
        tools.disk.sync_dir(&dir)?;
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
        let _ = self.tools.disk.sync_dir(&Self::dir(self.place));
    }

    /// An error while files change: nothing is promised any more.
    fn fail(&self, error: &ContainerError) -> AppendRefusal {
        match error {
            ContainerError::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                self.tools.space.check()
            }
            other => self
                .tools
                .failure
                .set(format!("{}: {other}", Self::dir(self.place))),
        }
        ErrorCode::KAFKA_STORAGE_ERROR.into()
    }
}

impl Partition {
    /// Recovery: batches that were not proven durable, verbatim, into a new file. The file is durable when this
    /// returns; the catalog does not name it yet.
    pub(crate) fn carry_over(
        &mut self,
        base: i64,
        end: i64,
        batches: &[bytes::Bytes],
    ) -> Result<(), ContainerError> {
        self.create_next(base, end)?;
        let Some(active) = self.active.as_mut() else {
            return Ok(());
        };
        for batch in batches {
            let header = wire::record::BatchHeader::parse(batch)
                .map_err(|_| ContainerError::Frame(seal::at_rest::FrameError::Content))?;
            let at = active.writer.append(kind::BATCH, 0, &[batch])?;
            let behind = active.writer.position();
            active
                .segment
                .update(|extent| extent.add(&header, at, behind, header.last_offset()));
            active.sync_file.written(Mark {
                bytes: behind,
                end: header.last_offset() + 1,
            });
        }
        self.tools
            .sync
            .ticket(&active.sync_file)
            .wait()
            .map_err(|_| ContainerError::Io(std::io::Error::other("sync failed")))?;
        Ok(())
    }
}
