//! The journal of groups and committed offsets: entries as the coordinator encodes them.

use std::sync::Arc;

use bytes::Bytes;
use kastellan_core::time::Clock;
use wire::error::ErrorCode;

use crate::failure::Failure;
use crate::journal::{Entry, Journal};
use crate::sync::Ticket;

#[derive(Clone)]
pub struct GroupsJournal {
    journal: Arc<Journal>,
    failure: Arc<Failure>,
    clock: Clock,
}

impl GroupsJournal {
    pub(crate) fn new(journal: Journal, failure: Arc<Failure>, clock: Clock) -> Self {
        Self {
            journal: Arc::new(journal),
            failure,
            clock,
        }
    }

    /// Appends entries (type and body), in the order of the calls. Durable when the ticket says so.
    pub fn append(&self, entries: &[(u16, Bytes)]) -> Result<Ticket, ErrorCode> {
        if self.failure.has_failed() {
            return Err(ErrorCode::KAFKA_STORAGE_ERROR);
        }
        self.journal.append(entries).map_err(|error| {
            tracing::error!(%error, "Groups journal cannot be written");
            ErrorCode::KAFKA_STORAGE_ERROR
        })
    }

    /// Whether it is time for [`Self::rewrite`].
    pub fn is_large(&self) -> bool {
        self.journal.is_large()
    }

    /// Replaces the journal by a snapshot of everything that was appended. Call it when nothing is on its way.
    pub fn rewrite(&self, snapshot: &[Entry]) -> Result<(), ErrorCode> {
        self.journal
            .rewrite(snapshot, self.clock.now())
            .map_err(|_| ErrorCode::KAFKA_STORAGE_ERROR)
    }
}
