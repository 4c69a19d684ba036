//! Takes a batch: the checks in Kafka's order, an offset, a sealed frame.

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use wire::error::ErrorCode;
use wire::record::{self, BatchHeader, Codec, WalkError, WalkRules, Walked};

use super::{AppendRefusal, Appended, Partition};
use crate::container::kind;
use crate::log::Append;
use crate::producers::{Batch, Verdict};
use crate::settings::{self, Settings};
use crate::sync::{Mark, Ticket};

/// Record errors named in one answer.
const RECORD_ERRORS_MAX: usize = 1_000;
/// Bytes that sealing adds to a batch, at most.
const FRAME_OVERHEAD: usize = 64;

impl Partition {
    /// Appends a batch, or says why not.
    pub(crate) fn append(
        &mut self,
        append: &Append,
        settings: &Settings,
    ) -> Result<Appended, AppendRefusal> {
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
        let now = self.tools.clock.now();
        let walked = record::walk(batch, &rules(settings, now)).map_err(refuse_walk)?;
        check_records(&walked, settings)?;
        let limit = u64::try_from(settings.number(settings::SEGMENT_BYTES)).unwrap_or(0);
        if walked.header().size() + FRAME_OVERHEAD > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(ErrorCode::RECORD_LIST_TOO_LARGE.into());
        }
        let header = walked.header();
        let verdict = self.producers.judge(
            header.producer_id,
            header.producer_epoch,
            header.base_sequence,
            header.last_sequence(),
        )?;
        match verdict {
            // Answered when that batch is durable: an earlier answer would acknowledge what a crash can take back.
            Verdict::Duplicate(known) => Ok(Appended {
                base_offset: known.base_offset,
                log_append_time: if settings.uses_append_time() {
                    known.timestamp
                } else {
                    -1
                },
                log_start: self.shared.log_start(),
                durable: self.ticket(settings),
            }),
            Verdict::Append => self.place(&walked, settings, now, limit),
        }
    }

    fn place(
        &mut self,
        walked: &Walked,
        settings: &Settings,
        now: Timestamp,
        limit: u64,
    ) -> Result<Appended, AppendRefusal> {
        let base_offset = self.shared.end();
        let content = if settings.uses_append_time() {
            walked.placed_at_time(base_offset, self.epoch, now.millis())
        } else {
            walked.placed(base_offset, self.epoch)
        };
        self.make_room(walked.header().size(), limit, settings, now)?;
        let facts = walked.facts();
        let (time_offset, append_time) = if settings.uses_append_time() {
            (base_offset, now.millis())
        } else {
            (base_offset + i64::from(facts.max_timestamp_delta), -1)
        };
        self.write(&content, time_offset)?;
        let header = walked.header();
        let batch = Batch {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset,
            last_offset: base_offset + i64::from(header.last_offset_delta),
            timestamp: append_time,
        };
        self.producers
            .appended(header.producer_id, header.producer_epoch, batch, now);
        metrics::counter!("log_append_bytes_total").increment(header.size() as u64);
        Ok(Appended {
            base_offset,
            log_append_time: append_time,
            log_start: self.shared.log_start(),
            durable: self.ticket(settings),
        })
    }

    /// Seals and writes a batch that has its offset.
    pub(super) fn write(
        &mut self,
        content: &[Bytes; 2],
        max_timestamp_offset: i64,
    ) -> Result<(), AppendRefusal> {
        let storage = || AppendRefusal::from(ErrorCode::KAFKA_STORAGE_ERROR);
        let header = BatchHeader::parse(&content[0]).map_err(|_| storage())?;
        let active = self.active.as_mut().ok_or_else(storage)?;
        let durable = active.sync_file.synced().bytes;
        let at = match active
            .writer
            .append(kind::BATCH, durable, &[&content[0], &content[1]])
        {
            Ok(at) => at,
            Err(error) if error.is_full() => {
                self.tools.space.check();
                return Err(storage());
            }
            Err(error) => {
                self.tools
                    .failure
                    .set(format!("{}: {error}", active.segment.path));
                return Err(storage());
            }
        };
        let (behind, end) = (active.writer.position(), header.last_offset() + 1);
        active
            .segment
            .update(|extent| extent.add(&header, at, behind, max_timestamp_offset));
        active.sync_file.written(Mark { bytes: behind, end });
        self.shared.note_epoch(self.epoch, header.base_offset);
        self.shared.set_end(end);
        Ok(())
    }

    /// When everything appended so far is durable, by the topic's policy.
    fn ticket(&self, settings: &Settings) -> Ticket {
        let Some(active) = &self.active else {
            return Ticket::done();
        };
        match settings.effective(settings::DURABILITY) {
            "os" => {
                self.shared.raise_high_watermark(self.shared.end());
                Ticket::done()
            }
            "each" => {
                let ticket = self.tools.sync.ticket(&active.sync_file);
                match ticket.wait() {
                    Ok(()) => Ticket::done(),
                    // The log failed: the next ticket of this file fails too.
                    Err(_) => self.tools.sync.ticket(&active.sync_file),
                }
            }
            _ => self.tools.sync.ticket(&active.sync_file),
        }
    }
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
    AppendRefusal::from(error.code())
}

/// Rules about single records: time first, then keys (Kafka `LogValidator`).
fn check_records(walked: &Walked, settings: &Settings) -> Result<(), AppendRefusal> {
    const REJECTED: &str = "One or more records have been rejected";
    let facts = walked.facts();
    let blame = |indexes: &record::Indexes, why: &'static str| {
        indexes
            .first
            .iter()
            .map(|index| (*index, why))
            .collect::<Vec<_>>()
    };
    if !facts.untimely.is_empty() {
        return Err(AppendRefusal {
            code: ErrorCode::INVALID_TIMESTAMP,
            message: Some(REJECTED),
            records: blame(&facts.untimely, "Timestamp is out of range for this topic"),
        });
    }
    if settings.is_compacted() && !facts.keyless.is_empty() {
        return Err(AppendRefusal {
            code: ErrorCode::INVALID_RECORD,
            message: Some(REJECTED),
            records: blame(
                &facts.keyless,
                "Compacted topic cannot accept message without key",
            ),
        });
    }
    Ok(())
}
