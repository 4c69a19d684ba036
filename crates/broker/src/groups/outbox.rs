//! What a step gives out, and what has to happen when the journal has it.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use wire::error::ErrorCode;
use wire::text::Str;

use super::entry::Entry;
use super::event::{Answer, ChangeId, Effect, Joined, Left, Waiter};
use crate::offsets::{Committed, Place};

/// What follows when a change is on disk.
#[derive(Debug)]
pub(super) enum Then {
    Nothing,
    /// The leader's assignment: the group becomes Stable.
    Assign {
        group: Str,
        generation: i32,
        assignments: HashMap<Str, Bytes>,
    },
    /// A static member came back under a new id.
    Welcome {
        group: Str,
        waiter: Waiter,
        joined: Joined,
    },
    /// The last member left.
    Left {
        waiter: Waiter,
        left: Left,
    },
    Commit {
        group: Str,
        commits: Vec<(Place, Committed)>,
        waiter: Waiter,
        codes: Vec<ErrorCode>,
    },
    DeleteGroups {
        groups: Vec<Str>,
        waiter: Option<Waiter>,
        codes: Vec<(Str, ErrorCode)>,
    },
    DeleteOffsets {
        group: Str,
        places: Vec<Place>,
        waiter: Option<Waiter>,
        codes: Vec<ErrorCode>,
    },
}

/// Effects of the step that runs, and changes that are not on disk yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    effects: Vec<Effect>,
    unwritten: VecDeque<(ChangeId, Then)>,
    next: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn answer(&mut self, waiter: Waiter, answer: Answer) {
        self.effects.push(Effect::Answer(waiter, answer));
    }

    /// Changes that were ever handed to the journal.
    pub(super) fn changes(&self) -> u64 {
        self.next
    }

    /// Without entries: what follows waits for the changes before it.
    pub(super) fn journal(&mut self, entries: Vec<Entry>, then: Then) {
        let change = ChangeId(self.next);
        self.next += 1;
        self.unwritten.push_back((change, then));
        self.effects.push(Effect::Journal(change, entries));
    }

    /// The oldest change, if it is this one.
    pub(super) fn written(&mut self, change: ChangeId) -> Option<Then> {
        if self
            .unwritten
            .front()
            .is_none_or(|(oldest, _)| *oldest != change)
        {
            return None;
        }
        self.unwritten.pop_front().map(|(_, then)| then)
    }

    /// Whether a commit of this group is not on disk yet.
    pub(super) fn is_committing(&self, id: &str) -> bool {
        self.unwritten
            .iter()
            .any(|(_, then)| matches!(then, Then::Commit { group, .. } if group == id))
    }

    pub(super) fn drain(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
