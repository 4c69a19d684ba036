//! What is remembered of idempotent producers, and what a batch's sequence numbers mean (Kafka `ProducerAppendInfo`).
//!
//! Pure: a batch's numbers in, a verdict out. State is as of what was appended, durable or not.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use kastellan_core::time::Timestamp;
use wire::error::ErrorCode;

use crate::bytes_io::{Fields, Malformed, Out};

/// Batches remembered of one producer (Kafka `ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
const BATCHES: usize = 5;
/// Producers of one partition; above it the one idle for longest is forgotten.
const PRODUCERS_MAX: usize = 10_000;
pub(crate) const EXPIRES_AFTER: Duration = Duration::from_secs(86_400);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub first_sequence: i32,
    pub last_sequence: i32,
    pub base_offset: i64,
    pub last_offset: i64,
    pub timestamp: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    last_used: Timestamp,
    batches: VecDeque<Batch>,
}

/// The producers of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Producers(HashMap<i64, Producer>);

/// What was known of a producer before its batch.
pub(crate) struct Undo(Option<(i64, Option<Producer>)>);

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Append,
    /// It is in the log already.
    Duplicate(Batch),
}

impl Producers {
    /// Judges a batch by producer id, epoch and sequences.
    pub(crate) fn judge(
        &self,
        id: i64,
        epoch: i16,
        first: i32,
        last: i32,
    ) -> Result<Verdict, ErrorCode> {
        let Some(known) = self.0.get(&id).filter(|_| id >= 0) else {
            return Ok(Verdict::Append);
        };
        if epoch < known.epoch {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if epoch > known.epoch {
            return if first == 0 {
                Ok(Verdict::Append)
            } else {
                Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
            };
        }
        let same = known
            .batches
            .iter()
            .find(|batch| (batch.first_sequence, batch.last_sequence) == (first, last));
        if let Some(batch) = same {
            return Ok(Verdict::Duplicate(*batch));
        }
        match known.batches.back() {
            None => Ok(Verdict::Append),
            Some(batch) if first == next_sequence(batch.last_sequence) => Ok(Verdict::Append),
            Some(_) => Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER),
        }
    }

    /// Remembers an appended batch, and gives what makes it forgotten again.
    pub(crate) fn appended(&mut self, id: i64, epoch: i16, batch: Batch, now: Timestamp) -> Undo {
        if id < 0 {
            return Undo(None);
        }
        let undo = Undo(Some((id, self.0.get(&id).cloned())));
        if self.0.len() >= PRODUCERS_MAX && !self.0.contains_key(&id) {
            let idle = self
                .0
                .iter()
                .min_by_key(|(_, producer)| producer.last_used)
                .map(|(id, _)| *id);
            if let Some(idle) = idle {
                self.0.remove(&idle);
            }
        }
        let producer = self.0.entry(id).or_default();
        if producer.epoch != epoch {
            producer.batches.clear();
            producer.epoch = epoch;
        }
        if producer.batches.len() == BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(batch);
        producer.last_used = now;
        undo
    }

    /// Forgets a batch that could not be written. The newest is undone first.
    pub(crate) fn undo(&mut self, undo: Undo) {
        match undo.0 {
            None => {}
            Some((id, None)) => {
                self.0.remove(&id);
            }
            Some((id, Some(before))) => {
                self.0.insert(id, before);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// When each was last used.
    pub(crate) fn used(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().map(|producer| producer.last_used)
    }

    /// Forgets those that were not used after a time.
    pub(crate) fn forget(&mut self, until: Timestamp) {
        self.0.retain(|_, producer| producer.last_used > until);
    }

    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.0
            .retain(|_, producer| now.since(producer.last_used) < EXPIRES_AFTER);
    }

    pub(crate) fn write(&self, out: &mut Out) {
        out.count(self.0.len());
        let mut ids: Vec<_> = self.0.iter().collect();
        ids.sort_by_key(|(id, _)| **id);
        for (id, producer) in ids {
            // Coordinator epoch and start of the open transaction: none yet.
            out.put(id.to_be_bytes())
                .put(producer.epoch.to_be_bytes())
                .put(producer.last_used.millis().to_be_bytes());
            out.put((-1i32).to_be_bytes()).put((-1i64).to_be_bytes());
            out.put([producer.batches.len() as u8]);
            for batch in &producer.batches {
                out.put(batch.first_sequence.to_be_bytes())
                    .put(batch.last_sequence.to_be_bytes())
                    .put(batch.base_offset.to_be_bytes())
                    .put(batch.last_offset.to_be_bytes())
                    .put(batch.timestamp.to_be_bytes());
            }
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut producers = HashMap::new();
        for _ in 0..fields.count(31)? {
            let (id, epoch, last_used) = (fields.i64()?, fields.i16()?, Timestamp(fields.i64()?));
            let (_coordinator_epoch, _transaction_start) = (fields.i32()?, fields.i64()?);
            let mut batches = VecDeque::new();
            for _ in 0..fields.u8()? {
                batches.push_back(Batch {
                    first_sequence: fields.i32()?,
                    last_sequence: fields.i32()?,
                    base_offset: fields.i64()?,
                    last_offset: fields.i64()?,
                    timestamp: fields.i64()?,
                });
            }
            producers.insert(
                id,
                Producer {
                    epoch,
                    last_used,
                    batches,
                },
            );
        }
        Ok(Self(producers))
    }
}

/// Sequences wrap from 2^31 - 1 to 0.
fn next_sequence(last: i32) -> i32 {
    if last == i32::MAX { 0 } else { last + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: i32, last: i32) -> Batch {
        Batch {
            first_sequence: first,
            last_sequence: last,
            base_offset: 100,
            last_offset: 109,
            timestamp: 7,
        }
    }

    fn after(batches: &[(i16, i32, i32)]) -> Producers {
        let mut producers = Producers::default();
        for (epoch, first, last) in batches {
            producers.appended(1, *epoch, batch(*first, *last), Timestamp(0));
        }
        producers
    }

    #[test]
    fn sequences_follow_one_another_without_a_gap() {
        let producers = after(&[(0, 0, 9)]);
        assert_eq!(producers.judge(1, 0, 10, 19), Ok(Verdict::Append));
        assert_eq!(
            producers.judge(1, 0, 11, 19),
            Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
        );
        assert_eq!(
            producers.judge(1, 0, 5, 9),
            Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
        );
        assert_eq!(
            producers.judge(1, 0, 0, 9),
            Ok(Verdict::Duplicate(batch(0, 9)))
        );
        assert_eq!(
            producers.judge(2, 0, 55, 60),
            Ok(Verdict::Append),
            "unknown: any sequence"
        );
        assert_eq!(producers.judge(-1, -1, -1, -1), Ok(Verdict::Append));
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let producers = after(&[(0, i32::MAX - 1, i32::MAX)]);
        assert_eq!(producers.judge(1, 0, 0, 3), Ok(Verdict::Append));
        assert_eq!(
            producers.judge(1, 0, 1, 3),
            Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
        );
    }

    #[test]
    fn older_epoch_is_fenced_and_a_newer_one_begins_at_zero() {
        let producers = after(&[(3, 0, 9)]);
        assert_eq!(
            producers.judge(1, 2, 10, 11),
            Err(ErrorCode::INVALID_PRODUCER_EPOCH)
        );
        assert_eq!(producers.judge(1, 4, 0, 1), Ok(Verdict::Append));
        assert_eq!(
            producers.judge(1, 4, 10, 11),
            Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
        );
    }

    #[test]
    fn five_batches_are_remembered() {
        let producers = after(&[
            (0, 0, 0),
            (0, 1, 1),
            (0, 2, 2),
            (0, 3, 3),
            (0, 4, 4),
            (0, 5, 5),
        ]);
        assert_eq!(
            producers.judge(1, 0, 1, 1),
            Ok(Verdict::Duplicate(batch(1, 1)))
        );
        assert_eq!(
            producers.judge(1, 0, 0, 0),
            Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
        );
    }

    #[test]
    fn batch_that_was_not_written_is_forgotten_again() {
        let mut producers = after(&[(0, 0, 9)]);
        let before = producers.clone();
        let first = producers.appended(1, 0, batch(10, 19), Timestamp(1));
        let second = producers.appended(1, 1, batch(0, 3), Timestamp(2));
        let other = producers.appended(2, 0, batch(0, 0), Timestamp(2));
        let none = producers.appended(-1, -1, batch(-1, -1), Timestamp(2));
        for undo in [none, other, second, first] {
            producers.undo(undo);
        }
        assert_eq!(producers, before);
    }

    #[test]
    fn state_is_read_back_and_expires() {
        let mut producers = after(&[(0, 0, 9), (0, 10, 10)]);
        let mut out = Out::default();
        producers.write(&mut out);
        assert_eq!(Producers::read(&mut Fields(&out.0)), Ok(producers.clone()));
        producers.expire(Timestamp(0) + EXPIRES_AFTER);
        assert_eq!(producers, Producers::default());
    }
}
