//! Writes administrative changes down: before they go upstream, and again with what came of them.
//!
//! The first entry is durable before the request is forwarded. If the trail cannot take it, nothing is changed.

use std::sync::Arc;

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::operation::Operation;
use kastellan_core::ports::TrailSink;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::text::Str;

use super::judge::Judge;

/// What a client is told when the trail cannot take the change.
pub(super) const UNRECORDED: ErrorCode = ErrorCode::POLICY_VIOLATION;
pub(super) const UNRECORDED_TEXT: Str = Str::from_static("The change cannot be recorded.");

/// The trail could not take it.
pub(super) struct Unrecorded;

/// A change that may go on. What came of it is written down by [`Announced::done`]; if that is never called, because no
/// answer came, the outcome is unknown.
pub(super) struct Announced(Option<(Arc<dyn TrailSink>, Event)>);

/// One thing that is changed, and what it becomes.
pub(super) struct Change<'a> {
    pub on: Resource<'a>,
    pub after: String,
}

/// A request that only tries, or changes nothing.
pub(super) const NOTHING: Announced = Announced(None);

/// Writes down what is about to be changed.
pub(super) async fn announce(
    judge: &Judge<'_>,
    client_id: Option<&Str>,
    kind: &str,
    operation: Operation,
    changes: impl Iterator<Item = Change<'_>>,
) -> Result<Announced, Unrecorded> {
    let event = judge.event(kind, Class::Critical, Outcome::Allowed, client_id);
    let mut event = Event {
        op: Some(operation.name().to_owned()),
        ..event
    };
    let mut after = Vec::new();
    for change in changes {
        event = event.on(change.on.kind.keyword(), change.on.name);
        after.push(format!("{}: {}", change.on.name, change.after));
    }
    if after.is_empty() {
        return Ok(NOTHING);
    }
    let trail = judge.core.ports.trail.clone();
    let after = kastellan_core::event::cut(&after.join("; "));
    let decided = event.clone().changed(None, Some(after));
    match trail.record(decided).await {
        Ok(refers) => Ok(Announced(Some((trail, Event { refers, ..event })))),
        Err(error) => {
            tracing::error!(%error, "Change is refused: the trail does not take it");
            Err(Unrecorded)
        }
    }
}

impl Announced {
    /// The upstream has answered for each thing that was to be changed.
    pub(super) fn done(mut self, codes: impl Iterator<Item = i16>) {
        let Some((trail, mut event)) = self.0.take() else {
            return;
        };
        let (mut done, mut failed) = (0, 0);
        for code in codes {
            if code == 0 { done += 1 } else { failed += 1 }
        }
        event.outcome = if failed == 0 {
            Outcome::Ok
        } else {
            Outcome::Failed
        };
        event.counts.insert("done".to_owned(), done);
        event.counts.insert("failed".to_owned(), failed);
        trail.owe(event);
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let Some((trail, mut event)) = self.0.take() {
            event.outcome = Outcome::Unknown;
            trail.owe(event);
        }
    }
}
