//! The trail, in memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use kastellan_core::event::{Event, Outcome};
use kastellan_core::ports::{Pending, TrailSink, Unavailable};

/// Events, in order.
#[derive(Default)]
pub struct Trail {
    events: Mutex<Vec<Event>>,
    is_full: AtomicBool,
}

impl Trail {
    /// From now on nothing is taken.
    pub fn fill(&self) {
        self.is_full.store(true, Ordering::SeqCst);
    }

    /// Events of administration: kind, outcome, resources.
    pub fn changes(&self) -> Vec<(String, Outcome, Vec<String>)> {
        let events = self.events.lock().unwrap();
        let changes = events
            .iter()
            .filter(|event| event.kind.starts_with("admin."));
        let named = |event: &Event| event.resources.iter().map(|on| on.name.clone()).collect();
        changes
            .map(|event| (event.kind.clone(), event.outcome, named(event)))
            .collect()
    }

    /// Every event of a type.
    pub fn of(&self, kind: &str) -> Vec<Event> {
        let events = self.events.lock().unwrap();
        let of_kind = events.iter().filter(|event| event.kind == kind);
        of_kind.cloned().collect()
    }

    /// What was refused: operation and resources.
    pub fn refusals(&self) -> Vec<(String, Vec<String>)> {
        let events = self.events.lock().unwrap();
        let refused = events.iter().filter(|event| event.kind == "authz.refused");
        let named = |event: &Event| {
            event
                .resources
                .iter()
                .map(|on| format!("{}:{}", on.kind, on.name))
                .collect()
        };
        refused
            .map(|event| (event.op.clone().unwrap_or_default(), named(event)))
            .collect()
    }
}

impl TrailSink for Trail {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        let answer = if self.is_full.load(Ordering::SeqCst) {
            Err(Unavailable("full".to_owned()))
        } else {
            self.note(event);
            Ok(Some(self.events.lock().unwrap().len() as u64))
        };
        Box::pin(std::future::ready(answer))
    }

    fn note(&self, event: Event) {
        assert_eq!(kastellan_core::event::types::check(&event), Ok(()));
        self.events.lock().unwrap().push(event);
    }
}
