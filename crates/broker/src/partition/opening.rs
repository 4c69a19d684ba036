//! The first frame of a segment: what came before it.
//!
//! It authenticates the final length and last tag of the file before, and carries the producers as of the base offset,
//! so that recovery reads the newest file only.

use kastellan_core::time::Timestamp;

use crate::bytes_io::{Fields, Malformed, Out};
use crate::container::LastFrame;
use crate::producers::Producers;

const VERSION: u16 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub base: i64,
    pub incarnation: u32,
    pub created: Timestamp,
    /// End offset of what a recovery carried over; -1: this file is no recovery.
    pub recovered_until: i64,
    pub predecessor: Option<Predecessor>,
    /// Epochs and where each begins.
    pub epochs: Vec<(i32, i64)>,
    pub producers: Producers,
}

/// The file before: which, how long, how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predecessor {
    pub file_id: [u8; 16],
    pub base: i64,
    pub incarnation: u32,
    pub len: u64,
    pub last: LastFrame,
}

impl Opening {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Out::default();
        out.put(VERSION.to_be_bytes())
            .put(self.base.to_be_bytes())
            .put(self.incarnation.to_be_bytes())
            .put(self.created.millis().to_be_bytes())
            .put(self.recovered_until.to_be_bytes());
        match &self.predecessor {
            None => {
                out.put([0]);
            }
            Some(before) => {
                out.put([1])
                    .put(before.file_id)
                    .put(before.base.to_be_bytes())
                    .put(before.incarnation.to_be_bytes())
                    .put(before.len.to_be_bytes())
                    .put(before.last.number.to_be_bytes())
                    .put(before.last.tag);
            }
        }
        out.count(self.epochs.len());
        for (epoch, start) in &self.epochs {
            out.put(epoch.to_be_bytes()).put(start.to_be_bytes());
        }
        self.producers.write(&mut out);
        out.0
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields(bytes);
        if fields.u16()? != VERSION {
            return Err(Malformed);
        }
        let (base, incarnation) = (fields.i64()?, fields.u32()?);
        let (created, recovered_until) = (Timestamp(fields.i64()?), fields.i64()?);
        let predecessor = match fields.u8()? {
            0 => None,
            1 => Some(Predecessor {
                file_id: fields.array()?,
                base: fields.i64()?,
                incarnation: fields.u32()?,
                len: fields.u64()?,
                last: LastFrame {
                    number: fields.u32()?,
                    tag: fields.array()?,
                },
            }),
            _ => return Err(Malformed),
        };
        let mut epochs = Vec::new();
        for _ in 0..fields.count(12)? {
            epochs.push((fields.i32()?, fields.i64()?));
        }
        let producers = Producers::read(&mut fields)?;
        fields.finish()?;
        Ok(Self {
            base,
            incarnation,
            created,
            recovered_until,
            predecessor,
            epochs,
            producers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_is_read_back_and_refused_when_cut() {
        let before = Predecessor {
            file_id: [7; 16],
            base: 3,
            incarnation: 1,
            len: 512,
            last: LastFrame {
                number: 9,
                tag: [1; 16],
            },
        };
        for predecessor in [None, Some(before)] {
            let opening = Opening {
                base: 10,
                incarnation: 2,
                created: Timestamp(5),
                recovered_until: -1,
                predecessor,
                epochs: vec![(1, 0), (2, 10)],
                producers: Producers::default(),
            };
            let bytes = opening.encode();
            assert_eq!(Opening::decode(&bytes), Ok(opening));
            for end in 0..bytes.len() {
                assert!(Opening::decode(&bytes[..end]).is_err());
            }
        }
    }
}
