//! Batches that have their place and wait for one write that takes them all.
//!
//! In: sealed frames, each with who asked for it. Out: one write, then everybody is answered. If the write fails, all
//! of them are refused and the partition is as it was before the first.

use kastellan_core::time::Timestamp;
use tokio::sync::oneshot;
use wire::error::ErrorCode;
use wire::record::BatchHeader;

use super::{AppendRefusal, Appended, Partition};
use crate::producers::{Batch, Undo};
use crate::sync::{Haste, Mark, Ticket};

/// Who asked for a batch to be appended.
pub(crate) type Reply = oneshot::Sender<Result<Appended, AppendRefusal>>;

/// When a batch counts as durable, by the topic's setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// With the next shared sync.
    Group,
    /// With a sync of its own.
    Each,
    /// When it is written.
    Os,
}

impl Durability {
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "os" => Self::Os,
            "each" => Self::Each,
            _ => Self::Group,
        }
    }
}

/// What whoever asked is told, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promise {
    pub durability: Durability,
    pub haste: Haste,
}

/// A batch on its way to the file, or a repeated one that waits for it.
pub(super) struct Pending {
    pub base_offset: i64,
    /// The broker's time, if the topic uses it; else -1.
    pub append_time: i64,
    pub promise: Promise,
    pub frame: Option<PendingFrame>,
    pub reply: Reply,
}

/// What the file and its readers get to know when the frame is written.
pub(super) struct PendingFrame {
    pub header: BatchHeader,
    pub at: u64,
    pub behind: u64,
    pub max_timestamp_offset: i64,
    pub undo: Undo,
}

impl Partition {
    /// Whether somebody waits for a write.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes what waits, and answers those who asked. An error was told to all of them.
    pub(crate) fn flush(&mut self) -> Result<(), AppendRefusal> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        if let Err(refusal) = self.write(&pending) {
            self.next = self.shared.end();
            // The newest first: each puts back what was there before it.
            for one in pending.into_iter().rev() {
                if let Some(frame) = one.frame {
                    self.producers.undo(frame.undo);
                }
                let _ = one.reply.send(Err(refusal.clone()));
            }
            self.count_producers();
            return Err(refusal);
        }
        let log_start = self.shared.log_start();
        for one in pending {
            let appended = Appended {
                base_offset: one.base_offset,
                log_append_time: one.append_time,
                log_start,
                durable: self.ticket(one.promise),
            };
            let _ = one.reply.send(Ok(appended));
        }
        Ok(())
    }

    /// One write; then readers and the sync threads see what it brought.
    fn write(&mut self, pending: &[Pending]) -> Result<(), AppendRefusal> {
        let frames = || pending.iter().filter_map(|one| one.frame.as_ref());
        let (Some(first), Some(last)) = (frames().next(), frames().next_back()) else {
            return Ok(());
        };
        let storage = || AppendRefusal::from(ErrorCode::KAFKA_STORAGE_ERROR);
        let active = self.active.as_mut().ok_or_else(storage)?;
        if let Err(error) = active.writer.flush() {
            return Err(self.fail(&error));
        }
        active.segment.update(|extent| {
            for frame in frames() {
                extent.add(
                    &frame.header,
                    frame.at,
                    frame.behind,
                    frame.max_timestamp_offset,
                );
            }
        });
        let end = last.header.last_offset() + 1;
        let bytes = last.behind;
        active.sync_file.written(Mark { bytes, end });
        self.shared.note_epoch(self.epoch, first.header.base_offset);
        self.shared.set_end(end);
        let size: usize = frames().map(|frame| frame.header.size()).sum();
        metrics::counter!("log_append_bytes_total").increment(size as u64);
        Ok(())
    }

    /// When everything written so far is durable.
    fn ticket(&self, promise: Promise) -> Ticket {
        let Some(active) = &self.active else {
            return Ticket::done();
        };
        match promise.durability {
            Durability::Group => self.tools.sync.ticket_by(&active.sync_file, promise.haste),
            Durability::Os => {
                self.shared.raise_high_watermark(self.shared.end());
                Ticket::done()
            }
            Durability::Each => {
                let ticket = self.tools.sync.ticket(&active.sync_file);
                match ticket.wait() {
                    Ok(()) => Ticket::done(),
                    // The log failed: the next ticket of this file fails too.
                    Err(_) => self.tools.sync.ticket(&active.sync_file),
                }
            }
        }
    }

    /// Remembers a producer's batch, and how to forget it again.
    pub(super) fn remember(&mut self, header: &BatchHeader, batch: Batch, now: Timestamp) -> Undo {
        let undo = self
            .producers
            .appended(header.producer_id, header.producer_epoch, batch, now);
        self.count_producers();
        undo
    }
}
