//! The last frame of a file: where it ends and what the largest timestamp is.

use crate::bytes_io::{Fields, Malformed, Out};
use crate::container::{self, CLOSE_LEN, ContainerError, Frame, LastFrame, Opened, kind};

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

#[cfg(test)]
mod tests {
    use super::*;

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
