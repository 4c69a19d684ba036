//! Takes a batch: the checks in Kafka's order, an offset, a sealed frame.

use kastellan_core::time::Timestamp;
use wire::error::ErrorCode;
use wire::record::{self, BatchHeader, Codec, WalkError, WalkRules, Walked};

use super::pending::{Durability, Pending, PendingFrame, Promise};
use super::{AppendRefusal, Partition, Reply};
use crate::container::{WRITE_AT_ONCE, kind};
use crate::log::Append;
use crate::producers::{Batch, Verdict};
use crate::settings::{self, Settings};
use crate::sync::Haste;

/// Record errors named in one answer.
const RECORD_ERRORS_MAX: usize = 1_000;
const REJECTED: &str = "One or more records have been rejected";
/// Bytes that sealing adds to a batch, at most.
const FRAME_OVERHEAD: usize = 64;

impl Partition {
    /// Gives a batch its place, or says why not. Whoever asked is answered here if the batch is refused, and else by
    /// the write that takes it.
    pub(crate) fn append(&mut self, append: &Append, settings: &Settings, reply: Reply) {
        let durability = Durability::parse(settings.effective(settings::DURABILITY));
        match self.judge(append, settings) {
            Err(refusal) => {
                let _ = reply.send(Err(refusal));
            }
            Ok((walked, now)) => {
                let promise = Promise {
                    durability,
                    haste: Haste::of(append.acks),
                };
                self.admit(&walked, settings, now, promise, reply);
            }
        }
        let gathered = self
            .active
            .as_ref()
            .map_or(0, |active| active.writer.gathered());
        if durability == Durability::Each || gathered >= WRITE_AT_ONCE {
            // Those who wait are told about an error.
            let _ = self.flush();
        }
    }

    /// Whether this batch would be taken with little work and without waiting for a disk: there is a file with room for
    /// it, nothing is to be decompressed, and it needs no sync of its own.
    pub(crate) fn is_quick(&self, append: &Append, settings: &Settings) -> bool {
        let records = append.records.as_deref().unwrap_or_default();
        let header = BatchHeader::parse(records);
        let is_plain = header.is_ok_and(|header| header.attributes.codec() == Some(Codec::None));
        let durability = Durability::parse(settings.effective(settings::DURABILITY));
        let has_room = self.active.is_some()
            && !self.is_full(
                records.len(),
                segment_bytes(settings),
                settings,
                self.tools.clock.now(),
            );
        is_plain && durability != Durability::Each && has_room
    }

    /// The checks, in Kafka's order.
    fn judge(
        &self,
        append: &Append,
        settings: &Settings,
    ) -> Result<(Walked, Timestamp), AppendRefusal> {
        let records = append
            .records
            .as_ref()
            .filter(|records| !records.is_empty());
        let batch = record::Batch::parse(records.ok_or(ErrorCode::INVALID_RECORD)?)
            .map_err(|error| error.code())?;
        if batch.codec().is_ok_and(|codec| codec == Codec::Zstd) && append.produce_version < 7 {
            return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE.into());
        }
        if self.tools.failure.has_failed()
            || self.tools.space.is_full()
            || self.shared.view().is_offline
        {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR.into());
        }
        if append.acks == -1 && settings.number(settings::MIN_INSYNC) > 1 {
            return Err(ErrorCode::NOT_ENOUGH_REPLICAS.into());
        }
        let max_bytes = usize::try_from(settings.number(settings::MAX_MESSAGE_BYTES)).unwrap_or(0);
        if batch.header().size() > max_bytes {
            return Err(ErrorCode::MESSAGE_TOO_LARGE.into());
        }
        batch.verify_crc().map_err(|error| error.code())?;
        if batch.header().base_offset != 0 {
            return Err(rejected(ErrorCode::INVALID_RECORD));
        }
        let now = self.tools.clock.now();
        let walked = record::walk(batch, &rules(settings, now)).map_err(refuse_walk)?;
        check_records(&walked, settings)?;
        let limit = segment_bytes(settings);
        if walked.header().size() + FRAME_OVERHEAD > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(ErrorCode::RECORD_LIST_TOO_LARGE.into());
        }
        Ok((walked, now))
    }

    /// The rules about producers, then a place.
    fn admit(
        &mut self,
        walked: &Walked,
        settings: &Settings,
        now: Timestamp,
        promise: Promise,
        reply: Reply,
    ) {
        let header = walked.header();
        let verdict = self.producers.judge(
            header.producer_id,
            header.producer_epoch,
            header.base_sequence,
            header.last_sequence(),
        );
        let placed = match verdict {
            Err(code) => Err(code.into()),
            // Answered when that batch is durable: an earlier answer would acknowledge what a crash can take back.
            Ok(Verdict::Duplicate(known)) => Ok((known.base_offset, known.timestamp, None)),
            Ok(Verdict::Append) => self
                .place(walked, settings, now)
                .map(|(frame, time)| (frame.header.base_offset, time, Some(frame))),
        };
        match placed {
            Err(refusal) => {
                let _ = reply.send(Err(refusal));
            }
            Ok((base_offset, time, frame)) => self.pending.push(Pending {
                base_offset,
                append_time: time,
                promise,
                frame,
                reply,
            }),
        }
    }

    /// Seals a batch behind those that wait.
    fn place(
        &mut self,
        walked: &Walked,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(PendingFrame, i64), AppendRefusal> {
        self.make_room(
            walked.header().size(),
            segment_bytes(settings),
            settings,
            now,
        )?;
        let base_offset = self.next;
        let facts = walked.facts();
        let (content, time_offset, append_time) = if settings.uses_append_time() {
            let content = walked.placed_at_time(base_offset, self.epoch, now.millis());
            (content, base_offset, now.millis())
        } else {
            let time_offset = base_offset + i64::from(facts.max_timestamp_delta);
            (walked.placed(base_offset, self.epoch), time_offset, -1)
        };
        let storage = || AppendRefusal::from(ErrorCode::KAFKA_STORAGE_ERROR);
        let header = BatchHeader::parse(&content[0]).map_err(|_| storage())?;
        let active = self.active.as_mut().ok_or_else(storage)?;
        let durable = active.sync_file.synced().bytes;
        let gathered = active
            .writer
            .gather(kind::BATCH, durable, &[&content[0], &content[1]]);
        let behind = active.writer.position();
        let at = gathered.map_err(|error| self.fail(&error))?;
        let batch = Batch {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset,
            last_offset: header.last_offset(),
            timestamp: header.max_timestamp,
        };
        let undo = self.remember(&header, batch, now);
        self.next = header.last_offset() + 1;
        let frame = PendingFrame {
            header,
            at,
            behind,
            max_timestamp_offset: time_offset,
            undo,
        };
        Ok((frame, append_time))
    }
}

/// Bytes of one file, at most.
fn segment_bytes(settings: &Settings) -> u64 {
    u64::try_from(settings.number(settings::SEGMENT_BYTES)).unwrap_or(0)
}

fn rules(settings: &Settings, now: Timestamp) -> WalkRules {
    let times = (!settings.uses_append_time()).then(|| {
        let before = settings.number(settings::TIMESTAMP_BEFORE);
        let after = settings.number(settings::TIMESTAMP_AFTER);
        now.millis().saturating_sub(before)..=now.millis().saturating_add(after)
    });
    WalkRules {
        times,
        listed: RECORD_ERRORS_MAX,
        ..WalkRules::default()
    }
}

fn refuse_walk(error: WalkError) -> AppendRefusal {
    rejected(error.code())
}

/// What the partition itself has against a batch as a whole.
fn rejected(code: ErrorCode) -> AppendRefusal {
    AppendRefusal {
        is_judged: true,
        ..code.into()
    }
}

/// Rules about single records: the time comes first, but of a record without a key nothing else is told (Kafka
/// `LogValidator`).
fn check_records(walked: &Walked, settings: &Settings) -> Result<(), AppendRefusal> {
    let facts = walked.facts();
    let blame = |indexes: &record::Indexes, why: &'static str| {
        indexes
            .first
            .iter()
            .map(|index| (*index, why))
            .collect::<Vec<_>>()
    };
    let keyless = settings.is_compacted() && !facts.keyless.is_empty();
    let only_keyless = |index| keyless && facts.keyless.first.contains(index);
    if !facts.untimely.first.iter().all(only_keyless) {
        return Err(AppendRefusal {
            code: ErrorCode::INVALID_TIMESTAMP,
            message: Some(REJECTED),
            is_judged: true,
            records: blame(&facts.untimely, "Timestamp is out of range for this topic"),
        });
    }
    if keyless {
        return Err(AppendRefusal {
            code: ErrorCode::INVALID_RECORD,
            message: Some(REJECTED),
            is_judged: true,
            records: blame(
                &facts.keyless,
                "Compacted topic cannot accept message without key",
            ),
        });
    }
    Ok(())
}
