//! One file of sealed frames: written at its end by one run of the process, read by anyone who has the keyring.
//!
//! In: content. Out: frames at positions. What a frame's content means is the business of segments and journals.

mod scan;

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use seal::at_rest::{
    FileHeader, FileIdentity, FrameError, FrameHeader, HEADER_LEN, HeaderError, Keyring,
    KeyringError, ReadKey, WriteKey,
};

use crate::disk::{Disk, DiskFile};

pub(crate) use scan::{Scan, Tail, frames_behind, scan};

/// Where the first frame lies.
pub(crate) const FIRST: u64 = HEADER_LEN as u64;

/// Kinds of frames.
pub(crate) mod kind {
    pub const OPENING: u8 = 1;
    pub const BATCH: u8 = 2;
    pub const INDEX: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const ENTRY: u8 = 16;
    pub const SNAPSHOT_END: u8 = 17;
}

/// Bytes of a close frame: it is found at the end of the file.
pub(crate) const CLOSE_LEN: u64 = 96;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ContainerError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// What was written may never reach the disk, whatever the kernel says later.
    #[error("sync failed: {0}")]
    Sync(io::Error),
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

impl ContainerError {
    /// No room on the disk: nothing is lost, and it may go better later.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Io(error)
            if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

/// An opened frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub header: FrameHeader,
    pub content: Bytes,
    pub tag: [u8; 16],
}

/// A new file that this run writes. Frames gather in memory and go out in one write.
pub(crate) struct Writer {
    file: Arc<dyn DiskFile>,
    key: WriteKey,
    /// Where the next frame will lie, behind what is gathered.
    next: End,
    /// Behind what is written.
    written: End,
    buffer: Vec<u8>,
}

/// The last frame of a file, which the next file of a partition names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastFrame {
    pub number: u32,
    pub tag: [u8; 16],
}

/// Where a file ends, and with which frame.
#[derive(Clone, Copy)]
struct End {
    position: u64,
    last: LastFrame,
}

impl Writer {
    /// Makes the file and writes its header.
    pub(crate) fn create(
        disk: &dyn Disk,
        keyring: &Keyring,
        path: &str,
        identity: FileIdentity,
    ) -> Result<(Self, FileHeader), ContainerError> {
        let (header, key) = keyring.create_file(identity)?;
        let file = disk.create(path)?;
        file.write_at(&header.to_bytes(), 0)?;
        let begin = End {
            position: FIRST,
            last: LastFrame::default(),
        };
        let writer = Self {
            file,
            key,
            next: begin,
            written: begin,
            buffer: Vec::new(),
        };
        Ok((writer, header))
    }

    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Where the next frame will lie.
    pub(crate) fn position(&self) -> u64 {
        self.next.position
    }

    pub(crate) fn last(&self) -> LastFrame {
        self.next.last
    }

    pub(crate) fn frames(&self) -> u32 {
        self.key.next_number()
    }

    /// Bytes that wait to be written.
    pub(crate) fn gathered(&self) -> usize {
        self.buffer.len()
    }

    /// Seals a frame behind those that wait to be written. Tells where it will lie.
    pub(crate) fn gather(
        &mut self,
        kind: u8,
        durable: u64,
        content: &[&[u8]],
    ) -> Result<u64, ContainerError> {
        let mark = u32::try_from(durable / 16).unwrap_or(u32::MAX);
        let (at, before) = (self.next.position, self.buffer.len());
        // A close frame is found by its length, counted from the end of the file.
        let sealed = if kind == kind::CLOSE {
            self.key
                .seal_exact(kind, mark, at, content, &mut self.buffer)
        } else {
            self.key.seal(kind, mark, at, content, &mut self.buffer)
        };
        let (number, tag) = sealed.inspect_err(|_| self.buffer.truncate(before))?;
        self.next = End {
            position: at + (self.buffer.len() - before) as u64,
            last: LastFrame { number, tag },
        };
        Ok(at)
    }

    /// Writes what was gathered, in one go. On an error all of it is taken back: the file is cut where it ended, and
    /// the numbers of the frames are used up.
    pub(crate) fn flush(&mut self) -> Result<(), ContainerError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_at(&self.buffer, self.written.position) {
            self.take_back();
            self.file.set_len(self.written.position)?;
            return Err(error.into());
        }
        self.written = self.next;
        self.buffer.clear();
        if self.buffer.capacity() > 4 << 20 {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Forgets what was gathered and not written.
    pub(crate) fn take_back(&mut self) {
        self.buffer.clear();
        self.next = self.written;
    }

    /// Seals and writes one frame, with those that were gathered before.
    pub(crate) fn append(
        &mut self,
        kind: u8,
        durable: u64,
        content: &[&[u8]],
    ) -> Result<u64, ContainerError> {
        let at = self.gather(kind, durable, content)?;
        self.flush()?;
        Ok(at)
    }

    /// As [`Self::gather`], for many frames in a row that need not be written together.
    pub(crate) fn stream(
        &mut self,
        kind: u8,
        durable: u64,
        content: &[&[u8]],
    ) -> Result<u64, ContainerError> {
        let at = self.gather(kind, durable, content)?;
        if self.buffer.len() >= WRITE_AT_ONCE {
            self.flush()?;
        }
        Ok(at)
    }

    /// Whether `content` bytes more would pass a length.
    pub(crate) fn would_pass(&self, content: usize, limit: u64) -> bool {
        self.next.position + self.key.frame_len(content) as u64 > limit
    }
}

/// Bytes that are gathered before they are written, unless one frame is larger.
pub(crate) const WRITE_AT_ONCE: usize = 1 << 20;

/// A file that is only read.
pub(crate) struct Opened {
    pub file: Arc<dyn DiskFile>,
    pub header: FileHeader,
    pub key: ReadKey,
}

impl Opened {
    /// Opens a file and authenticates its header, which must say that it belongs here.
    pub(crate) fn open(
        disk: &dyn Disk,
        keyring: &Keyring,
        path: &str,
        expected: FileIdentity,
    ) -> Result<Self, ContainerError> {
        let file = disk.open(path)?;
        let mut head = [0; HEADER_LEN];
        let read = file.read_at(&mut head, 0)?;
        let (header, key) =
            keyring.open_expected(head.get(..read).unwrap_or_default(), expected)?;
        Ok(Self { file, header, key })
    }

    pub(crate) fn frame(&self, position: u64, cap: u32) -> Result<Frame, ContainerError> {
        read_frame(self.file.as_ref(), &self.key, position, cap)
    }
}

/// Reads and opens one frame. Its declared length meets `cap` before anything is allocated.
pub(crate) fn read_frame(
    file: &dyn DiskFile,
    key: &ReadKey,
    position: u64,
    cap: u32,
) -> Result<Frame, ContainerError> {
    let mut head = [0; FrameHeader::LEN];
    if file.read_at(&mut head, position)? < head.len() {
        return Err(FrameError::Short.into());
    }
    let header = FrameHeader::parse(&head, cap)?;
    let mut bytes = BytesMut::zeroed(header.len as usize);
    if file.read_at(&mut bytes, position)? < bytes.len() {
        return Err(FrameError::Short.into());
    }
    open_frame(key, position, bytes)
}

/// Opens a frame whose bytes are all there.
pub(crate) fn open_frame(
    key: &ReadKey,
    position: u64,
    mut bytes: BytesMut,
) -> Result<Frame, ContainerError> {
    let tag = bytes.last_chunk::<16>().copied().unwrap_or_default();
    let opened = key.open(position, &mut bytes)?;
    Ok(Frame {
        header: opened.header,
        content: bytes.freeze().slice(opened.content),
        tag,
    })
}
