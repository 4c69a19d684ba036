//! Many refusals of one kind from one place: more than a hundred in a second, and from then on the first twenty of
//! each second are written in full, the rest as a number.

use std::collections::{HashMap, HashSet};

use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::time::Timestamp;

/// Events of one key in one second that make a flood.
const FLOOD: u64 = 100;
/// Events of one key in one second that are written in full while a flood lasts.
const IN_FULL: u64 = 20;
/// Keys that are counted in one second; events of others are written.
const KEYS_MAX: usize = 10_000;

#[derive(Default)]
pub(crate) struct Floods {
    second: i64,
    counts: HashMap<String, Count>,
    /// Keys that made a flood in the second before.
    flooding: HashSet<String>,
}

struct Count {
    seen: u64,
    in_full: u64,
}

impl Count {
    fn folded(&self) -> u64 {
        self.seen.saturating_sub(self.in_full)
    }
}

impl Floods {
    /// Whether an event is written. Changes are always.
    pub(crate) fn admit(&mut self, event: &Event) -> bool {
        let is_refusal = matches!(event.outcome, Outcome::Refused | Outcome::Failed);
        let Some(peer) = event
            .peer
            .as_ref()
            .filter(|_| is_refusal && event.change.is_none())
        else {
            return true;
        };
        let key = format!("{} {}", event.kind, peer.ip);
        if self.counts.len() >= KEYS_MAX && !self.counts.contains_key(&key) {
            return true;
        }
        let in_full = if self.flooding.contains(&key) {
            IN_FULL
        } else {
            FLOOD
        };
        let count = self.counts.entry(key).or_insert(Count { seen: 0, in_full });
        count.seen += 1;
        count.seen <= count.in_full
    }

    /// Whether something was folded that is not told yet.
    pub(crate) fn owes(&self) -> bool {
        self.counts.values().any(|count| count.folded() > 0)
    }

    /// Begins another second if this one is over; tells what was folded in it.
    pub(crate) fn turn(&mut self, now: Timestamp) -> Vec<Event> {
        let second = now.millis().div_euclid(1_000);
        if second == self.second {
            return Vec::new();
        }
        let is_next = second == self.second + 1;
        self.second = second;
        let told = self.settle();
        if !is_next {
            self.flooding.clear();
        }
        told
    }

    /// Tells what was folded so far.
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let counts = std::mem::take(&mut self.counts);
        self.flooding.clear();
        let mut told = Vec::new();
        for (key, count) in counts {
            if count.folded() > 0 {
                let mut event =
                    Event::new("trail.folded", Class::Critical, Outcome::Refused).with("key", &key);
                event.counts.insert("events".to_owned(), count.folded());
                told.push(event);
            }
            if count.seen > FLOOD {
                self.flooding.insert(key);
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Event {
        Event::new("authz.refused", Class::Critical, Outcome::Refused)
            .from_peer(([10, 0, 0, 1], 9).into(), "sasl")
    }

    fn written(floods: &mut Floods, count: usize) -> usize {
        (0..count).filter(|_| floods.admit(&refusal())).count()
    }

    fn told(events: &[Event]) -> u64 {
        events.iter().map(|event| event.counts["events"]).sum()
    }

    #[test]
    fn hundred_a_second_are_written_and_more_are_a_flood() {
        let mut floods = Floods::default();
        floods.turn(Timestamp(1_000));
        assert_eq!(written(&mut floods, 100), 100);
        assert!(!floods.owes());
        assert_eq!(floods.turn(Timestamp(2_000)), []);
        assert_eq!(written(&mut floods, 150), 100);
        assert!(floods.owes());
        assert_eq!(told(&floods.turn(Timestamp(3_000))), 50);
        assert_eq!(written(&mut floods, 150), 20);
        assert_eq!(told(&floods.turn(Timestamp(4_000))), 130);
        assert_eq!(written(&mut floods, 10), 10);
        assert_eq!(floods.turn(Timestamp(5_000)), []);
        assert_eq!(written(&mut floods, 100), 100, "the flood is over");
    }

    #[test]
    fn what_is_no_refusal_is_never_folded() {
        let mut floods = Floods::default();
        let allowed = Event::new("auth.login", Class::Decision, Outcome::Allowed)
            .from_peer(([10, 0, 0, 1], 9).into(), "sasl");
        let change = refusal().changed(None, Some("x".to_owned()));
        for event in [allowed, change] {
            assert!((0..500).all(|_| floods.admit(&event)));
        }
    }

    #[test]
    fn one_address_does_not_hide_another() {
        let mut floods = Floods::default();
        written(&mut floods, 500);
        let other = Event::new("authz.refused", Class::Critical, Outcome::Refused)
            .from_peer(([10, 0, 0, 2], 9).into(), "sasl");
        assert!(floods.admit(&other));
    }
}
