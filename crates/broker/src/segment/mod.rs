//! One file of a partition, as readers see it: where batches lie, found by offset or time.
//!
//! The active file's index grows in memory and is written as a frame when the file is closed; an index that a crash
//! left out is built by one scan at first use.

mod closing;
mod extent;
mod files;
mod resume;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use seal::at_rest::{FileIdentity, FileKind, FrameError};
use wire::record::BatchHeader;

use crate::container::{self, ContainerError, Opened, Tail, kind};
use crate::offsets::Place;

pub(crate) use closing::{Closing, read_closing};
use extent::decode_index;
pub(crate) use extent::{Extent, encode_index};
pub(crate) use files::Files;
use resume::Resume;

/// Bytes of the largest frame: the largest batch that a topic may allow, and its overhead.
pub(crate) const FRAME_CAP: u32 = (64 << 20) + 4096;
/// Names a file of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentName {
    pub base: i64,
    pub incarnation: u32,
}

impl SegmentName {
    pub(crate) fn file_name(self) -> String {
        format!("{:020}-{:08x}.seg", self.base, self.incarnation)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (base, incarnation) = name.strip_suffix(".seg")?.split_once('-')?;
        if base.len() != 20 || incarnation.len() != 8 {
            return None;
        }
        Some(Self {
            base: base.parse().ok()?,
            incarnation: u32::from_str_radix(incarnation, 16).ok()?,
        })
    }

    pub(crate) fn identity(self, place: Place) -> FileIdentity {
        FileIdentity {
            kind: FileKind::Segment,
            topic: place.topic,
            partition: u32::try_from(place.partition).unwrap_or_default(),
            base: u64::try_from(self.base).unwrap_or_default(),
        }
    }
}

/// A file that readers can use while it is written, and after.
pub(crate) struct Segment {
    pub place: Place,
    pub name: SegmentName,
    pub path: String,
    extent: Mutex<Option<Extent>>,
    opened: Mutex<Option<Arc<Opened>>>,
    /// Bytes of the file.
    len: AtomicU64,
    /// For a closed file: known without its index.
    closing: Mutex<Option<Closing>>,
    /// Where the last reads ended.
    resume: Mutex<Resume>,
}

impl Segment {
    /// A file that is being written: everything is known.
    pub(crate) fn active(
        place: Place,
        name: SegmentName,
        path: String,
        opened: Opened,
        extent: Extent,
    ) -> Arc<Self> {
        let len = extent.position;
        Arc::new(Self {
            place,
            name,
            path,
            extent: Mutex::new(Some(extent)),
            opened: Mutex::new(Some(Arc::new(opened))),
            len: len.into(),
            closing: Mutex::new(None),
            resume: Mutex::default(),
        })
    }

    /// A file of an earlier run; its index is read at first use.
    pub(crate) fn closed(
        place: Place,
        name: SegmentName,
        path: String,
        len: u64,
        closing: Option<Closing>,
    ) -> Arc<Self> {
        Arc::new(Self {
            place,
            name,
            path,
            extent: Mutex::new(None),
            opened: Mutex::new(None),
            len: len.into(),
            closing: Mutex::new(closing),
            resume: Mutex::default(),
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn set_len(&self, len: u64) {
        self.len.store(len, Ordering::Relaxed);
    }

    /// The file is closed: its index is in it, and it is opened again when somebody reads it.
    pub(crate) fn set_closing(&self, closing: Closing) {
        self.set_len(closing.file_len);
        *lock(&self.closing) = Some(closing);
        self.let_go();
    }

    /// Keeps neither the file nor its index.
    fn let_go(&self) {
        *lock(&self.opened) = None;
        *lock(&self.extent) = None;
    }

    /// Whether the file ends with a close frame.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.closing).is_some()
    }

    /// Changes what is known of the active file.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Extent)) {
        if let Some(extent) = lock(&self.extent).as_mut() {
            change(extent);
            self.set_len(extent.position);
        }
    }

    /// Asks what is known; reads the index of a closed file if nobody did yet.
    pub(crate) fn with_extent<T>(
        &self,
        files: &Files,
        ask: impl FnOnce(&Extent) -> T,
    ) -> Result<T, ContainerError> {
        let mut extent = lock(&self.extent);
        if extent.is_none() {
            let opened = files.open(self)?;
            *extent = Some(self.load_extent(&opened)?);
        }
        Ok(ask(extent.as_ref().expect("filled above")))
    }

    /// As [`Self::with_extent`], only if neither a file nor somebody who reads one has to be waited for.
    pub(crate) fn extent_at_hand<T>(&self, ask: impl FnOnce(&Extent) -> T) -> Option<T> {
        let extent = self.extent.try_lock().ok()?;
        extent.as_ref().map(ask)
    }

    /// The open file, if it is open and nobody is just opening it.
    pub(crate) fn opened_at_hand(&self) -> Option<Arc<Opened>> {
        self.opened.try_lock().ok()?.clone()
    }

    /// Notes that the batch of this offset begins at this position.
    pub(crate) fn note(&self, offset: i64, position: u64) {
        lock(&self.resume).note(offset, position);
    }

    /// The position of the batch that begins with this offset, if a read ended there lately.
    pub(crate) fn noted(&self, offset: i64) -> Option<u64> {
        lock(&self.resume).position(offset)
    }

    /// As [`Self::with_extent`], only if no file has to be read.
    pub(crate) fn known_extent<T>(&self, ask: impl FnOnce(&Extent) -> T) -> Option<T> {
        lock(&self.extent).as_ref().map(ask)
    }

    /// The largest timestamp, without reading the index where a close frame told it.
    pub(crate) fn max_timestamp(&self, files: &Files) -> Result<(i64, i64), ContainerError> {
        if let Some(closing) = *lock(&self.closing) {
            return Ok((closing.max_timestamp, closing.max_timestamp_offset));
        }
        self.with_extent(files, |extent| {
            (extent.max_timestamp, extent.max_timestamp_offset)
        })
    }

    fn load_extent(&self, opened: &Opened) -> Result<Extent, ContainerError> {
        if let Some(closing) = *lock(&self.closing)
            && let Ok(frame) = opened.frame(closing.index_position, FRAME_CAP)
            && frame.header.kind == kind::INDEX
            && let Ok(index) = decode_index(&frame.content, self.name.base)
        {
            return Ok(Extent {
                position: closing.index_position,
                end: closing.end,
                index,
                max_timestamp: closing.max_timestamp,
                max_timestamp_offset: closing.max_timestamp_offset,
            });
        }
        let mut extent = Extent::new(self.name.base, container::FIRST);
        let scan = container::scan(opened, FRAME_CAP, |at, frame| {
            let behind = at + u64::from(frame.header.len);
            match frame.header.kind {
                kind::OPENING => {
                    extent.position = behind;
                    true
                }
                kind::BATCH => match BatchHeader::parse(&frame.content) {
                    Ok(header) => {
                        extent.add(&header, at, behind, header.last_offset());
                        true
                    }
                    Err(_) => false,
                },
                _ => true,
            }
        })?;
        // Only what was durable is in a file that is not the newest.
        if scan.tail != Tail::Whole {
            return Err(FrameError::Content.into());
        }
        Ok(extent)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while holding it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let name = SegmentName {
            base: 42,
            incarnation: 7,
        };
        assert_eq!(name.file_name(), "00000000000000000042-00000007.seg");
        assert_eq!(SegmentName::parse(&name.file_name()), Some(name));
        for odd in ["x.seg", "42-7.seg", "00000000000000000042-00000007.tmp"] {
            assert_eq!(SegmentName::parse(odd), None, "{odd}");
        }
    }
}
