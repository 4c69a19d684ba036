//! Many refusals of one kind from one place in one second: the first twenty in full, the rest as a number.

use std::collections::HashMap;

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::time::Timestamp;

/// Events of one key in one second that are written in full.
const IN_FULL: u64 = 20;
const KEYS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Floods {
    second: i64,
    counts: HashMap<String, u64>,
}

impl Floods {
    /// Whether an event is written, and what was folded in the second before. Changes are never folded.
    pub(crate) fn admit(&mut self, event: &Event, now: Timestamp) -> (bool, Vec<Event>) {
        let folded = if now.millis() / 1_000 == self.second {
            Vec::new()
        } else {
            self.turn(now)
        };
        let is_refusal = matches!(event.outcome, Outcome::Refused | Outcome::Failed);
        let Some(peer) = event.peer.as_ref().filter(|_| is_refusal) else {
            return (true, folded);
        };
        let key = format!("{} {}", event.kind, peer.ip);
        if self.counts.len() >= KEYS_MAX && !self.counts.contains_key(&key) {
            return (true, folded);
        }
        let count = self.counts.entry(key).or_default();
        *count += 1;
        (*count <= IN_FULL, folded)
    }

    /// Begins another second; tells what was folded.
    pub(crate) fn turn(&mut self, now: Timestamp) -> Vec<Event> {
        self.second = now.millis() / 1_000;
        let counts = std::mem::take(&mut self.counts);
        let folded = counts.into_iter().filter(|(_, count)| *count > IN_FULL);
        folded
            .map(|(key, count)| {
                let mut event =
                    Event::new("trail.folded", Class::Critical, Outcome::Refused).with("key", &key);
                event.counts.insert("events".to_owned(), count - IN_FULL);
                event
            })
            .collect()
    }
}
