//! Walks all frames of a file and judges its tail: whole, torn (never durable), or corrupt (durable bytes damaged).
//!
//! At the first bad frame every later 16-byte position is tried as a frame. If a good one says that bytes beyond the
//! damage had been synced, the damage is to durable bytes.

use seal::at_rest::{FrameError, FrameHeader};

use super::{ContainerError, FIRST, Frame, Opened, read_frame};

/// What lies behind the last good frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Nothing.
    Whole,
    /// Bytes that were never promised to anyone.
    Torn,
    /// Bytes that had been synced and are damaged.
    Corrupt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where the good frames end.
    pub end: u64,
    /// The highest durable mark among the good frames, in bytes.
    pub durable: u64,
    pub tail: Tail,
}

/// Visits every good frame in order. The visitor may call a frame bad by returning false.
pub(crate) fn scan(
    opened: &Opened,
    cap: u32,
    mut visit: impl FnMut(u64, &Frame) -> bool,
) -> Result<Scan, ContainerError> {
    let len = opened.file.size()?;
    let (mut position, mut durable, mut last) = (FIRST, 0, None);
    while position < len {
        let frame = match read_frame(opened.file.as_ref(), &opened.key, position, cap) {
            Ok(frame) => frame,
            Err(ContainerError::Io(error)) => return Err(error.into()),
            Err(_) => break,
        };
        if last.is_some_and(|last| frame.header.number <= last) || !visit(position, &frame) {
            break;
        }
        last = Some(frame.header.number);
        durable = durable.max(u64::from(frame.header.durable_mark) * 16);
        position += u64::from(frame.header.len);
    }
    let tail = if position >= len {
        Tail::Whole
    } else if proves_loss(opened, position, len, cap, last)? {
        Tail::Corrupt
    } else {
        Tail::Torn
    };
    Ok(Scan {
        end: position,
        durable,
        tail,
    })
}

/// Visits frames that lie behind damage, wherever they begin.
pub(crate) fn frames_behind(
    opened: &Opened,
    bad: u64,
    cap: u32,
    mut visit: impl FnMut(u64, &Frame),
) -> Result<(), ContainerError> {
    let len = opened.file.size()?;
    let mut position = bad + STEP as u64;
    let mut head = [0; FrameHeader::LEN];
    while position + head.len() as u64 <= len {
        opened.file.read_at(&mut head, position)?;
        let found = match FrameHeader::parse(&head, cap) {
            Ok(header) if position + u64::from(header.len) <= len => {
                read_frame(opened.file.as_ref(), &opened.key, position, cap)
            }
            _ => Err(FrameError::Short.into()),
        };
        position += match found {
            Ok(frame) => {
                visit(position, &frame);
                u64::from(frame.header.len)
            }
            Err(ContainerError::Io(error)) => return Err(error.into()),
            Err(_) => STEP as u64,
        };
    }
    Ok(())
}

/// Whether a good frame behind `bad` says that bytes beyond it had been synced.
fn proves_loss(
    opened: &Opened,
    bad: u64,
    len: u64,
    cap: u32,
    last: Option<u32>,
) -> Result<bool, ContainerError> {
    let mut block = vec![0; SEARCH_BLOCK];
    let mut start = bad + STEP as u64;
    while start < len {
        let read = opened.file.read_at(&mut block, start)?;
        let bytes = block.get(..read).unwrap_or_default();
        for at in (0..read).step_by(STEP) {
            let position = start + at as u64;
            let head = bytes.get(at..).unwrap_or_default();
            let Ok(header) = FrameHeader::parse(head, cap) else {
                continue;
            };
            let is_plausible = last.is_none_or(|last| header.number > last)
                && u64::from(header.durable_mark) * 16 > bad
                && position + u64::from(header.len) <= len;
            if is_plausible && is_frame(opened, position, cap)? {
                return Ok(true);
            }
        }
        if read < SEARCH_BLOCK {
            break;
        }
        start += SEARCH_BLOCK as u64;
    }
    Ok(false)
}

fn is_frame(opened: &Opened, position: u64, cap: u32) -> Result<bool, ContainerError> {
    match read_frame(opened.file.as_ref(), &opened.key, position, cap) {
        Ok(_) => Ok(true),
        Err(ContainerError::Io(error)) => Err(error.into()),
        Err(_) => Ok(false),
    }
}

/// Frames begin at multiples of this.
const STEP: usize = 16;
/// Bytes read at once in search of a frame; a multiple of [`STEP`].
const SEARCH_BLOCK: usize = 256 << 10;
