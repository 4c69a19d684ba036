//! One file of a partition, as readers see it: where batches lie, found by offset or time.
//!
//! The active file's index grows in memory and is written as a frame when the file is closed; an index that a crash
//! left out is built by one scan at first use.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use seal::at_rest::{FileIdentity, FileKind, FrameError, Keyring};
use wire::record::BatchHeader;

use crate::bytes_io::{Fields, Malformed, Out};
use crate::container::{self, CLOSE_LEN, ContainerError, Frame, LastFrame, Opened, Tail, kind};
use crate::disk::Disk;
use crate::offsets::Place;

/// Bytes of the largest frame: the largest batch that a topic may allow, and its overhead.
pub(crate) const FRAME_CAP: u32 = (64 << 20) + 4096;
/// An index entry for at least this many bytes.
const INDEX_EVERY: u64 = 16 << 10;
/// Files of closed segments that stay open.
const OPEN_MAX: usize = 512;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub offset: i64,
    pub position: u64,
    /// Of every batch before this position.
    pub max_timestamp_before: i64,
}

/// What a close frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    pub end: i64,
    pub frames: u32,
    pub max_timestamp: i64,
    pub max_timestamp_offset: i64,
    pub index_position: u64,
    pub file_len: u64,
}

impl Closing {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.put(self.end.to_be_bytes())
            .put(self.frames.to_be_bytes())
            .put(self.max_timestamp.to_be_bytes())
            .put(self.max_timestamp_offset.to_be_bytes())
            .put(((self.index_position / 16) as u32).to_be_bytes())
            .put(self.file_len.to_be_bytes());
        out.0.resize(60, 0);
        out.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(bytes);
        Ok(Self {
            end: fields.i64()?,
            frames: fields.u32()?,
            max_timestamp: fields.i64()?,
            max_timestamp_offset: fields.i64()?,
            index_position: u64::from(fields.u32()?) * 16,
            file_len: fields.u64()?,
        })
    }
}

/// What is known of the batches of a file.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Where batches begin and end in the file.
    pub position: u64,
    /// Offset behind the last batch.
    pub end: i64,
    pub index: Vec<IndexEntry>,
    pub max_timestamp: i64,
    pub max_timestamp_offset: i64,
}

impl Extent {
    pub(crate) fn new(base: i64, position: u64) -> Self {
        Self {
            position,
            end: base,
            index: Vec::new(),
            max_timestamp: -1,
            max_timestamp_offset: -1,
        }
    }

    /// Notes a batch that was written at a position.
    pub(crate) fn add(
        &mut self,
        header: &BatchHeader,
        at: u64,
        behind: u64,
        max_timestamp_offset: i64,
    ) {
        if self
            .index
            .last()
            .is_none_or(|last| at - last.position >= INDEX_EVERY)
        {
            self.index.push(IndexEntry {
                offset: header.base_offset,
                position: at,
                max_timestamp_before: self.max_timestamp,
            });
        }
        if header.max_timestamp > self.max_timestamp {
            self.max_timestamp = header.max_timestamp;
            self.max_timestamp_offset = max_timestamp_offset;
        }
        self.position = behind;
        self.end = header.last_offset() + 1;
    }

    /// The last indexed position at or before an offset.
    pub(crate) fn before(&self, offset: i64) -> Option<IndexEntry> {
        let at = self.index.partition_point(|entry| entry.offset <= offset);
        at.checked_sub(1)
            .and_then(|at| self.index.get(at))
            .or(self.index.first())
            .copied()
    }

    /// The last indexed position before which every timestamp is below a time.
    pub(crate) fn before_time(&self, time: i64) -> Option<IndexEntry> {
        let at = self
            .index
            .partition_point(|entry| entry.max_timestamp_before < time);
        at.checked_sub(1)
            .and_then(|at| self.index.get(at))
            .or(self.index.first())
            .copied()
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
    len: std::sync::atomic::AtomicU64,
    /// For a closed file: known without its index.
    closing: Mutex<Option<Closing>>,
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
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) fn set_len(&self, len: u64) {
        self.len.store(len, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn set_closing(&self, closing: Closing) {
        self.set_len(closing.file_len);
        *lock(&self.closing) = Some(closing);
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

/// Relative offset, position / 16, largest timestamp before: one for at least 16 KiB of batches.
pub(crate) fn encode_index(index: &[IndexEntry], base: i64) -> Vec<u8> {
    let mut out = Out::default();
    out.count(index.len());
    for entry in index {
        out.put(((entry.offset - base) as u32).to_be_bytes())
            .put(((entry.position / 16) as u32).to_be_bytes())
            .put(entry.max_timestamp_before.to_be_bytes());
    }
    out.0
}

fn decode_index(bytes: &Bytes, base: i64) -> Result<Vec<IndexEntry>, Malformed> {
    let mut fields = Fields(bytes);
    let count = fields.count(16)?;
    let mut index = Vec::with_capacity(count);
    for _ in 0..count {
        index.push(IndexEntry {
            offset: base + i64::from(fields.u32()?),
            position: u64::from(fields.u32()?) * 16,
            max_timestamp_before: fields.i64()?,
        });
    }
    fields.finish()?;
    Ok(index)
}

/// The close frame of a file, if it has one at its end.
pub(crate) fn read_closing(
    opened: &Opened,
) -> Result<Option<(Closing, LastFrame)>, ContainerError> {
    let len = opened.file.size()?;
    let Some(at) = len
        .checked_sub(CLOSE_LEN)
        .filter(|at| *at >= container::FIRST)
    else {
        return Ok(None);
    };
    let frame: Frame = match opened.frame(at, CLOSE_LEN as u32) {
        Ok(frame) => frame,
        Err(ContainerError::Io(error)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    if frame.header.kind != kind::CLOSE {
        return Ok(None);
    }
    let closing = Closing::decode(&frame.content)
        .ok()
        .filter(|closing| closing.file_len == len);
    Ok(closing.map(|closing| {
        (
            closing,
            LastFrame {
                number: frame.header.number,
                tag: frame.tag,
            },
        )
    }))
}

/// Opens files of closed segments and keeps the last ones open.
pub(crate) struct Files {
    disk: Arc<dyn Disk>,
    keyring: Arc<Keyring>,
    open: Mutex<std::collections::VecDeque<std::sync::Weak<Segment>>>,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>, keyring: Arc<Keyring>) -> Self {
        Self {
            disk,
            keyring,
            open: Mutex::default(),
        }
    }

    pub(crate) fn open(&self, segment: &Segment) -> Result<Arc<Opened>, ContainerError> {
        let mut slot = lock(&segment.opened);
        if let Some(opened) = slot.as_ref() {
            return Ok(opened.clone());
        }
        let identity = segment.name.identity(segment.place);
        let opened = Arc::new(Opened::open(
            self.disk.as_ref(),
            &self.keyring,
            &segment.path,
            identity,
        )?);
        *slot = Some(opened.clone());
        Ok(opened)
    }

    /// Remembers that a closed file was used; the one used longest ago is closed when there are too many.
    pub(crate) fn used(&self, segment: &Arc<Segment>) {
        let mut open = lock(&self.open);
        if open
            .back()
            .is_some_and(|last| std::ptr::eq(last.as_ptr(), Arc::as_ptr(segment)))
        {
            return;
        }
        open.push_back(Arc::downgrade(segment));
        if open.len() > OPEN_MAX
            && let Some(oldest) = open.pop_front().and_then(|oldest| oldest.upgrade())
            && lock(&oldest.closing).is_some()
        {
            *lock(&oldest.opened) = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
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

    #[test]
    fn close_frame_has_its_fixed_length() {
        let closing = Closing {
            end: 9,
            frames: 3,
            max_timestamp: 5,
            max_timestamp_offset: 6,
            index_position: 512,
            file_len: 700,
        };
        let bytes = closing.encode();
        assert_eq!(seal::at_rest::frame_len(bytes.len()) as u64, CLOSE_LEN);
        assert_eq!(Closing::decode(&bytes), Ok(closing));
    }
}
