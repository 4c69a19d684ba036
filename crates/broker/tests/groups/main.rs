//! The group machine, step by step: rebalances, static members, sessions, commits, restarts. Time moves by hand.

mod join;
mod members;
mod offsets;
mod promises;
mod restart;
mod static_members;
mod sync;

use std::collections::HashMap;
use std::time::Duration;

use broker::groups::*;
use broker::offsets::{Commit, Place};
use bytes::Bytes;
use kastellan_core::time::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;
use wire::error::ErrorCode;
use wire::text::Str;

const SESSION: i32 = 10_000;
const REBALANCE: i32 = 30_000;

/// The machine with a journal that writes at once, or when told.
struct Bench {
    groups: Groups,
    millis: u64,
    waiters: u64,
    answers: HashMap<Waiter, Answer>,
    journal: Vec<Entry>,
    unwritten: Vec<ChangeId>,
    holds_journal: bool,
}

impl Bench {
    fn new(limits: Limits) -> Self {
        Self {
            groups: Groups::new(limits),
            millis: 1_000_000,
            waiters: 0,
            answers: HashMap::new(),
            journal: Vec::new(),
            unwritten: Vec::new(),
            holds_journal: false,
        }
    }

    /// No initial delay.
    fn quick() -> Self {
        Self::new(Limits {
            initial_delay: Duration::ZERO,
            ..Limits::default()
        })
    }

    fn now(&self) -> Now {
        Now {
            monotonic: Duration::from_millis(self.millis),
            wall: Timestamp(self.millis as i64),
        }
    }

    fn step(&mut self, event: Event) {
        let now = self.now();
        let effects = self.groups.step(event, now);
        for effect in effects {
            match effect {
                Effect::Answer(waiter, answer) => {
                    let twice = self.answers.insert(waiter, answer);
                    assert_eq!(twice, None, "{waiter:?} was answered twice");
                }
                Effect::Journal(change, entries) => {
                    self.journal.extend(entries);
                    self.unwritten.push(change);
                }
                Effect::Rebalanced { .. } => {}
            }
        }
        if !self.holds_journal {
            self.write(Ok(()));
        }
    }

    /// The journal comes back with the changes it has.
    fn write(&mut self, outcome: Result<(), Lost>) {
        while !self.unwritten.is_empty() {
            let change = self.unwritten.remove(0);
            self.step(Event::Journaled(change, outcome));
        }
    }

    /// Lets time pass, stopping at each deadline.
    fn pass(&mut self, millis: u64) {
        let end = self.millis + millis;
        while let Some(due) = self.groups.next_deadline() {
            let due = due.as_millis() as u64;
            if due > end {
                break;
            }
            self.millis = self.millis.max(due);
            self.step(Event::Tick);
        }
        self.millis = end;
    }

    fn waiter(&mut self) -> Waiter {
        self.waiters += 1;
        Waiter(self.waiters)
    }

    fn join(&mut self, join: Join) -> Waiter {
        let waiter = self.waiter();
        self.step(Event::Join(waiter, join));
        waiter
    }

    fn sync(&mut self, sync: Sync) -> Waiter {
        let waiter = self.waiter();
        self.step(Event::Sync(waiter, sync));
        waiter
    }

    fn joined(&mut self, waiter: Waiter) -> Joined {
        match self.answers.remove(&waiter) {
            Some(Answer::Join(joined)) => joined,
            other => panic!("{waiter:?} has no join: {other:?}"),
        }
    }

    fn synced(&mut self, waiter: Waiter) -> Synced {
        match self.answers.remove(&waiter) {
            Some(Answer::Sync(synced)) => synced,
            other => panic!("{waiter:?} has no sync: {other:?}"),
        }
    }

    fn waits(&self, waiter: Waiter) -> bool {
        !self.answers.contains_key(&waiter)
    }

    fn beat(&mut self, member: &str, generation: i32) -> ErrorCode {
        self.beat_as(identity(member, None), generation)
    }

    fn beat_as(&mut self, who: Identity, generation: i32) -> ErrorCode {
        let waiter = self.waiter();
        let beat = Beat {
            group: "g".into(),
            who,
            generation,
        };
        self.step(Event::Heartbeat(waiter, beat));
        match self.answers.remove(&waiter) {
            Some(Answer::Heartbeat(code)) => code,
            other => panic!("no heartbeat: {other:?}"),
        }
    }

    fn leave(&mut self, who: Identity) -> ErrorCode {
        let waiter = self.waiter();
        let leave = Leave {
            group: "g".into(),
            who: vec![who],
        };
        self.step(Event::Leave(waiter, leave));
        match self.answers.remove(&waiter) {
            Some(Answer::Leave(left)) => left.members[0].1,
            other => panic!("no leave: {other:?}"),
        }
    }

    fn commit(&mut self, member: &str, generation: i32, offset: i64) -> ErrorCode {
        let waiter = self.start_commit(member, generation, offset);
        self.commit_code(waiter)
    }

    fn start_commit(&mut self, member: &str, generation: i32, offset: i64) -> Waiter {
        let waiter = self.waiter();
        let request = CommitOffsets {
            group: "g".into(),
            who: identity(member, None),
            generation,
            version: 9,
            retention: None,
            commits: vec![Commit {
                place: place(),
                offset,
                leader_epoch: 3,
                metadata: "note".into(),
            }],
        };
        self.step(Event::Commit(waiter, request));
        waiter
    }

    fn commit_code(&mut self, waiter: Waiter) -> ErrorCode {
        match self.answers.remove(&waiter) {
            Some(Answer::Commit(codes)) => codes[0],
            other => panic!("no commit: {other:?}"),
        }
    }

    fn delete_group(&mut self) -> ErrorCode {
        let waiter = self.waiter();
        self.step(Event::DeleteGroups(waiter, vec!["g".into()]));
        match self.answers.remove(&waiter) {
            Some(Answer::DeleteGroups(codes)) => codes[0].1,
            other => panic!("no delete: {other:?}"),
        }
    }

    fn delete_offset(&mut self) -> Result<Vec<ErrorCode>, ErrorCode> {
        let waiter = self.waiter();
        let request = DeleteOffsets {
            group: "g".into(),
            places: vec![("t".into(), place())],
        };
        self.step(Event::DeleteOffsets(waiter, request));
        match self.answers.remove(&waiter) {
            Some(Answer::DeleteOffsets(codes)) => codes,
            other => panic!("no offset delete: {other:?}"),
        }
    }

    fn state(&self) -> &'static str {
        self.groups
            .describe("g")
            .map_or("Dead", |group| group.state)
    }

    /// One member whose group is Stable; answers its id.
    fn stable(&mut self) -> Str {
        let first = self.join(member("a"));
        let id = self.joined(first).member;
        let again = self.join(Join {
            who: identity(&id, None),
            ..member("a")
        });
        let joined = self.joined(again);
        assert_eq!((joined.error, &joined.leader), (ErrorCode::NONE, &id));
        let synced = self.sync(sync(&id, joined.generation, &[(&id, "all")]));
        assert_eq!(self.synced(synced).error, ErrorCode::NONE);
        id
    }

    fn restart(&self) -> Self {
        let mut next = Self::quick();
        next.millis = self.millis + 60_000;
        // Through bytes, as the journal keeps them.
        let entries = self.journal.iter().map(|entry| {
            let (kind, body) = entry.encode();
            Entry::decode(kind, &body).unwrap()
        });
        let limits = Limits {
            initial_delay: Duration::ZERO,
            ..Limits::default()
        };
        next.groups = Groups::restore(limits, entries, |_| true, next.now());
        next
    }
}

fn identity(member: &str, instance: Option<&str>) -> Identity {
    Identity {
        member: member.into(),
        instance: instance.map(Str::from),
    }
}

fn place() -> Place {
    Place {
        topic: Uuid::from_u128(1),
        partition: 0,
    }
}

/// A subscription to topic `t`.
fn subscription() -> Bytes {
    Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 0xff, 0xff, 0xff, 0xff])
}

fn member(client: &str) -> Join {
    Join {
        group: "g".into(),
        who: Identity::default(),
        client_id: client.into(),
        host: "/127.0.0.1".into(),
        session_timeout_ms: SESSION,
        rebalance_timeout_ms: REBALANCE,
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), subscription())],
        version: 9,
        fresh: Uuid::new_v4(),
    }
}

/// A member of an old client, which is added at once.
fn old_member(client: &str) -> Join {
    Join {
        version: 3,
        ..member(client)
    }
}

fn static_member(instance: &str) -> Join {
    Join {
        who: identity("", Some(instance)),
        ..member("c")
    }
}

fn sync(member: &str, generation: i32, assignments: &[(&str, &'static str)]) -> Sync {
    Sync {
        group: "g".into(),
        who: identity(member, None),
        generation,
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        assignments: assignments
            .iter()
            .map(|(member, part)| (Str::from(*member), Bytes::from_static(part.as_bytes())))
            .collect(),
    }
}
