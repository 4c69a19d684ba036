//! A change and its trail events as one unit.
//!
//! The trail has durably what is about to happen; then it happens, together with the outcome in the outbox; then the
//! trail has the outcome. Cut anywhere: a change that was committed has its outcome after the next start, exactly once,
//! and one that was not is `unknown`. If the trail cannot take the first, nothing happens.

use std::sync::Arc;

use kastellan_core::event::{Event, Outcome};
use kastellan_core::ports::{ChangeError, TrailSink};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, Transaction};

use crate::database::{Database, stage};
use crate::{Store, unavailable};

/// Announced on the trail, with its outcome in the outbox of a transaction that is still open. Dropped, it failed.
#[must_use]
pub(crate) struct Staged {
    trail: Arc<dyn TrailSink>,
    outcomes: Vec<Event>,
}

impl Staged {
    fn end(&mut self, outcome: Outcome) {
        for event in self.outcomes.drain(..) {
            self.trail.owe(Event { outcome, ..event });
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.end(Outcome::Failed);
    }
}

impl Store {
    /// Announces changes and puts their outcomes into the transaction that makes them.
    pub(crate) async fn stage(
        &self,
        connection: &mut SqliteConnection,
        events: Vec<Event>,
    ) -> Result<Staged, ChangeError> {
        let announced = events.iter().cloned().map(|event| Event {
            outcome: Outcome::Allowed,
            ..event
        });
        let numbers = self.trail.record_all(announced.collect()).await?;
        let outcomes = events
            .into_iter()
            .zip(numbers)
            .map(|(event, refers)| Event { refers, ..event });
        let staged = Staged {
            trail: self.trail.clone(),
            outcomes: outcomes.collect(),
        };
        for event in &staged.outcomes {
            stage(connection, event).await.map_err(unavailable)?;
        }
        Ok(staged)
    }

    /// Makes the change. Its outcome is delivered by [`Store::deliver`], once it is in force.
    pub(crate) async fn commit(
        &self,
        transaction: Transaction<'_, Sqlite>,
        mut staged: Staged,
    ) -> Result<(), ChangeError> {
        let committed = transaction.commit().await;
        if committed.is_ok() {
            staged.outcomes.clear();
        } else {
            staged.end(Outcome::Unknown);
        }
        committed.map_err(unavailable)
    }

    /// Hands the trail what is in the outbox, oldest first, and forgets what it has.
    pub(crate) async fn deliver(&self, database: &mut Database) {
        let left = match database.left_over_events().await {
            Ok(left) => left,
            Err(error) => return tracing::error!(%error, "Outbox cannot be read"),
        };
        let (ids, events): (Vec<i64>, Vec<Event>) = left.into_iter().unzip();
        if let Err(error) = self.trail.record_all(events).await {
            return tracing::error!(%error, "Trail did not take the outcome of a change; it is kept");
        }
        database.forget_events(&ids).await;
    }
}
