//! The group machine, step by step: rebalances, static members, sessions, commits, restarts. Time moves by hand.

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

#[test]
fn new_member_is_told_its_id_first_and_old_clients_are_added_at_once() {
    let mut bench = Bench::quick();
    let first = bench.join(member("app"));
    let refused = bench.joined(first);
    assert_eq!(refused.error, ErrorCode::MEMBER_ID_REQUIRED);
    assert!(refused.member.starts_with("app-"));
    let again = bench.join(Join {
        who: identity(&refused.member, None),
        ..member("app")
    });
    assert_eq!(bench.joined(again).error, ErrorCode::NONE);

    let mut bench = Bench::quick();
    let first = bench.join(old_member("app"));
    assert_eq!(bench.joined(first).error, ErrorCode::NONE);
}

#[test]
fn three_members_share_one_generation_and_get_their_parts() {
    let mut bench = Bench::new(Limits::default());
    let joins: Vec<_> = ["a", "b", "c"]
        .map(|name| bench.join(old_member(name)))
        .into();
    assert!(joins.iter().all(|join| bench.waits(*join)));
    bench.pass(6_001);
    let joined: Vec<_> = joins.into_iter().map(|join| bench.joined(join)).collect();
    let ids: Vec<_> = joined.iter().map(|joined| joined.member.clone()).collect();
    assert!(
        joined
            .iter()
            .all(|one| one.generation == 1 && one.leader == ids[0])
    );
    let rosters: Vec<_> = joined.iter().map(|joined| joined.members.len()).collect();
    assert_eq!(rosters, [3, 0, 0]);

    let late = bench.sync(sync(&ids[1], 1, &[]));
    assert!(bench.waits(late));
    let parts = [(&*ids[0], "one"), (&*ids[1], "two")];
    let leader = bench.sync(sync(&ids[0], 1, &parts));
    assert_eq!(bench.synced(leader).assignment, "one");
    assert_eq!(bench.synced(late).assignment, "two");
    let third = bench.sync(sync(&ids[2], 1, &[]));
    assert_eq!(
        bench.synced(third).assignment,
        "",
        "no part was given: an empty one"
    );
    assert_eq!(bench.state(), "Stable");
}

#[test]
fn initial_delay_is_extended_while_members_come() {
    let mut bench = Bench::new(Limits::default());
    let first = bench.join(old_member("a"));
    bench.pass(2_500);
    let second = bench.join(old_member("b"));
    bench.pass(2_500);
    assert!(
        bench.waits(first) && bench.waits(second),
        "extended by another delay"
    );
    bench.pass(1_500);
    assert_eq!(bench.joined(first).generation, 1);
    assert_eq!(bench.joined(second).generation, 1);
}

#[test]
fn heartbeat_tells_of_a_rebalance_and_member_that_does_not_rejoin_is_dropped() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    assert_eq!(bench.beat(&id, 1), ErrorCode::NONE);
    assert_eq!(bench.beat(&id, 0), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(bench.beat("stranger", 1), ErrorCode::UNKNOWN_MEMBER_ID);
    let second = bench.join(old_member("b"));
    assert_eq!(bench.beat(&id, 1), ErrorCode::REBALANCE_IN_PROGRESS);
    for _ in 0..6 {
        bench.pass(5_000);
        bench.beat(&id, 1);
    }
    let joined = bench.joined(second);
    assert_eq!((joined.generation, joined.members.len()), (2, 1));
    assert_eq!(bench.beat(&id, 1), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn silent_member_is_dropped_when_its_session_ends_and_one_that_beats_stays() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    bench.pass(9_000);
    assert_eq!(bench.beat(&id, 1), ErrorCode::NONE);
    bench.pass(9_000);
    assert_eq!(bench.state(), "Stable");
    bench.pass(1_001);
    assert_eq!(bench.state(), "Empty");
    assert_eq!(bench.beat(&id, 2), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn session_outside_the_limits_is_refused() {
    let mut bench = Bench::quick();
    for (millis, error) in [
        (5_999, ErrorCode::INVALID_SESSION_TIMEOUT),
        (6_000, ErrorCode::NONE),
        (1_800_000, ErrorCode::NONE),
        (1_800_001, ErrorCode::INVALID_SESSION_TIMEOUT),
        (-1, ErrorCode::INVALID_SESSION_TIMEOUT),
    ] {
        let group = Str::from(format!("g{millis}"));
        let join = bench.join(Join {
            group,
            session_timeout_ms: millis,
            ..old_member("a")
        });
        assert_eq!(bench.joined(join).error, error, "{millis}");
    }
}

#[test]
fn member_that_never_syncs_is_dropped_after_the_rebalance_timeout() {
    let mut bench = Bench::new(Limits::default());
    let joins = ["a", "b"].map(|name| {
        bench.join(Join {
            session_timeout_ms: 120_000,
            ..old_member(name)
        })
    });
    bench.pass(6_001);
    let [a, b] = joins.map(|join| bench.joined(join).member);
    let leader = bench.sync(sync(&a, 1, &[(&a, "1"), (&b, "2")]));
    assert_eq!(bench.synced(leader).error, ErrorCode::NONE);
    bench.pass(30_001);
    assert_eq!(bench.state(), "PreparingRebalance");
    assert_eq!(bench.beat(&b, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(bench.beat(&a, 1), ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn promised_id_holds_up_the_join_phase_until_it_is_forgotten() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    let newcomer = bench.join(member("b"));
    let promised = bench.joined(newcomer).member;
    let rejoin = bench.join(Join {
        who: identity(&id, None),
        ..member("a")
    });
    assert!(bench.waits(rejoin), "someone may still come");
    bench.pass(SESSION as u64 + 1);
    assert_eq!(bench.joined(rejoin).generation, 2);
    let late = bench.join(Join {
        who: identity(&promised, None),
        ..member("b")
    });
    assert_eq!(bench.joined(late).error, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn protocols_that_do_not_fit_are_refused() {
    let mut bench = Bench::quick();
    bench.stable();
    let other_type = Join {
        protocol_type: "connect".into(),
        ..old_member("b")
    };
    let none_shared = Join {
        protocols: vec![("sticky".into(), Bytes::new())],
        ..old_member("b")
    };
    let empty = Join {
        protocols: Vec::new(),
        ..old_member("b")
    };
    for join in [other_type, none_shared, empty] {
        let waiter = bench.join(join);
        assert_eq!(
            bench.joined(waiter).error,
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL
        );
    }
    let fits = Join {
        protocols: vec![
            ("sticky".into(), Bytes::new()),
            ("range".into(), Bytes::new()),
        ],
        ..old_member("b")
    };
    let waiter = bench.join(fits);
    assert!(bench.waits(waiter));
}

#[test]
fn protocol_with_most_votes_among_the_shared_wins() {
    let mut bench = Bench::new(Limits::default());
    let with = |names: &[&'static str]| Join {
        protocols: names
            .iter()
            .map(|name| (Str::from(*name), subscription()))
            .collect(),
        ..old_member("a")
    };
    let joins = [
        bench.join(with(&["range", "sticky"])),
        bench.join(with(&["sticky", "range"])),
        bench.join(with(&["mine", "sticky", "range"])),
    ];
    bench.pass(60_000);
    for join in joins {
        assert_eq!(bench.joined(join).protocol.as_deref(), Some("sticky"));
    }
}

#[test]
fn follower_that_joins_unchanged_gets_the_same_generation_and_leader_starts_a_rebalance() {
    let mut bench = Bench::new(Limits::default());
    let joins = ["a", "b"].map(|name| bench.join(old_member(name)));
    bench.pass(6_001);
    let [a, b] = joins.map(|join| bench.joined(join).member);
    // Before the sync as well.
    let again = bench.join(Join {
        who: identity(&a, None),
        ..old_member("a")
    });
    assert_eq!(bench.joined(again).members.len(), 2);
    for (member, parts) in [(&a, vec![(&*a, "1"), (&*b, "2")]), (&b, vec![])] {
        let waiter = bench.sync(sync(member, 1, &parts));
        bench.synced(waiter);
    }
    let unchanged = bench.join(Join {
        who: identity(&b, None),
        ..old_member("b")
    });
    assert_eq!(bench.joined(unchanged).generation, 1);
    let leader = bench.join(Join {
        who: identity(&a, None),
        ..old_member("a")
    });
    assert!(bench.waits(leader));
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn sync_is_refused_by_row() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    let cases = [
        (sync("stranger", 1, &[]), ErrorCode::UNKNOWN_MEMBER_ID),
        (sync(&id, 0, &[]), ErrorCode::ILLEGAL_GENERATION),
        (
            Sync {
                protocol: Some("other".into()),
                ..sync(&id, 1, &[])
            },
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
        (
            Sync {
                protocol_type: Some("other".into()),
                ..sync(&id, 1, &[])
            },
            ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        ),
        (
            Sync {
                group: "none".into(),
                ..sync(&id, 1, &[])
            },
            ErrorCode::UNKNOWN_MEMBER_ID,
        ),
        (
            Sync {
                group: "".into(),
                ..sync(&id, 1, &[])
            },
            ErrorCode::INVALID_GROUP_ID,
        ),
        (
            Sync {
                protocol: None,
                protocol_type: None,
                ..sync(&id, 1, &[])
            },
            ErrorCode::NONE,
        ),
    ];
    for (request, error) in cases {
        let waiter = bench.sync(request);
        assert_eq!(bench.synced(waiter).error, error);
    }
    bench.join(old_member("b"));
    let waiter = bench.sync(sync(&id, 1, &[]));
    assert_eq!(bench.synced(waiter).error, ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn stable_waits_for_the_journal_and_a_lost_journal_refuses() {
    let mut bench = Bench::quick();
    let join = bench.join(old_member("a"));
    let id = bench.joined(join).member;
    bench.holds_journal = true;
    let waiting = bench.sync(sync(&id, 1, &[(&id, "all")]));
    assert!(bench.waits(waiting));
    assert_eq!(bench.state(), "CompletingRebalance");
    bench.write(Err(Lost));
    assert_eq!(bench.synced(waiting).error, ErrorCode::NOT_COORDINATOR);
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn assignment_of_a_generation_that_was_given_up_is_forgotten() {
    let mut bench = Bench::quick();
    let join = bench.join(old_member("a"));
    let id = bench.joined(join).member;
    bench.holds_journal = true;
    let waiting = bench.sync(sync(&id, 1, &[(&id, "all")]));
    bench.join(old_member("b"));
    assert_eq!(
        bench.synced(waiting).error,
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    bench.write(Ok(()));
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn static_member_comes_back_without_a_rebalance_and_its_old_id_is_fenced() {
    let mut bench = Bench::quick();
    let join = bench.join(static_member("i"));
    let old = bench.joined(join).member;
    assert!(old.starts_with("i-"));
    let leader = bench.sync(sync(&old, 1, &[(&old, "all")]));
    bench.synced(leader);

    let back = bench.join(static_member("i"));
    let joined = bench.joined(back);
    assert_eq!((joined.error, joined.generation), (ErrorCode::NONE, 1));
    assert_ne!(joined.member, old);
    assert!(joined.skip_assignment && joined.leader == joined.member);
    assert_eq!(bench.state(), "Stable");
    let fenced = bench.beat_as(identity(&old, Some("i")), 1);
    assert_eq!(fenced, ErrorCode::FENCED_INSTANCE_ID);
    assert_eq!(
        bench.beat_as(identity(&joined.member, Some("i")), 1),
        ErrorCode::NONE
    );
    let part = bench.sync(sync(&joined.member, 1, &[]));
    assert_eq!(bench.synced(part).assignment, "all");

    // An older leader is shown its former id, so that it does not assign anew.
    let older = bench.join(Join {
        version: 8,
        ..static_member("i")
    });
    let again = bench.joined(older);
    assert_eq!(again.leader, joined.member);
    assert!(!again.skip_assignment && again.members.is_empty());
}

#[test]
fn static_members_pending_requests_are_fenced_by_its_successor() {
    let mut bench = Bench::new(Limits::default());
    let first = bench.join(static_member("i"));
    let second = bench.join(static_member("i"));
    assert_eq!(bench.joined(first).error, ErrorCode::FENCED_INSTANCE_ID);
    bench.pass(6_001);
    assert_eq!(bench.joined(second).generation, 1);
}

#[test]
fn static_member_stays_when_it_does_not_rejoin_and_leaves_only_by_its_instance() {
    let mut bench = Bench::new(Limits::default());
    let joins = ["i", "j"].map(|instance| {
        bench.join(Join {
            session_timeout_ms: 120_000,
            ..static_member(instance)
        })
    });
    bench.pass(6_001);
    let [i, _] = joins.map(|join| bench.joined(join).member);
    let again = bench.join(Join {
        who: identity(&i, Some("i")),
        ..static_member("i")
    });
    let again_error = bench.waits(again);
    assert!(!again_error, "same metadata while completing: same answer");
    let leader = bench.sync(Sync {
        who: identity(&i, Some("i")),
        ..sync(&i, 1, &[(&i, "1")])
    });
    bench.synced(leader);
    // The leader asks for a rebalance; the other does not come and stays.
    let rejoin = bench.join(Join {
        who: identity(&i, Some("i")),
        ..static_member("i")
    });
    for _ in 0..4 {
        bench.pass(9_000);
    }
    let joined = bench.joined(rejoin);
    assert_eq!((joined.generation, joined.members.len()), (2, 2));
    assert_eq!(
        bench.leave(identity("", Some("x"))),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(
        bench.leave(identity("wrong", Some("j"))),
        ErrorCode::FENCED_INSTANCE_ID
    );
    assert_eq!(bench.leave(identity("", Some("j"))), ErrorCode::NONE);
    assert_eq!(bench.groups.describe("g").unwrap().members.len(), 1);
}

#[test]
fn group_that_everyone_left_is_empty_and_keeps_its_generation() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    assert_eq!(
        bench.leave(identity("stranger", None)),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(bench.leave(identity(&id, None)), ErrorCode::NONE);
    assert_eq!(bench.state(), "Empty");
    let next = bench.stable();
    assert_eq!(bench.beat(&next, 3), ErrorCode::NONE, "two, then three");
}

#[test]
fn commit_is_judged_by_row() {
    let mut bench = Bench::quick();
    assert_eq!(bench.commit("", 1, 5), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(
        bench.commit("", -1, 5),
        ErrorCode::NONE,
        "makes a simple group"
    );
    assert_eq!(bench.state(), "Empty");
    let id = bench.stable();
    assert_eq!(bench.commit("", -1, 6), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(bench.commit(&id, 0, 6), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(bench.commit("stranger", 1, 6), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(bench.commit(&id, 1, 6), ErrorCode::NONE);
    let rejoin = bench.join(Join {
        who: identity(&id, None),
        ..member("a")
    });
    assert_eq!(bench.joined(rejoin).generation, 2);
    assert_eq!(bench.commit(&id, 2, 7), ErrorCode::REBALANCE_IN_PROGRESS);
    let (_, committed) = bench.groups.committed_at("g", place()).unwrap();
    assert_eq!(
        (
            committed.offset,
            committed.leader_epoch,
            &*committed.metadata
        ),
        (6, 3, "note")
    );
}

#[test]
fn committed_offset_is_seen_when_the_journal_has_it() {
    let mut bench = Bench::quick();
    bench.holds_journal = true;
    let waiter = bench.start_commit("", -1, 5);
    assert!(bench.waits(waiter));
    assert_eq!(bench.groups.committed_at("g", place()), None);
    bench.write(Ok(()));
    assert_eq!(bench.commit_code(waiter), ErrorCode::NONE);
    assert!(bench.groups.committed_at("g", place()).is_some());

    let lost = bench.start_commit("", -1, 9);
    bench.write(Err(Lost));
    assert_eq!(bench.commit_code(lost), ErrorCode::NOT_COORDINATOR);
    assert_eq!(bench.groups.committed_by("g")[0].1.offset, 5);
}

#[test]
fn long_commit_metadata_is_refused_for_its_partition_only() {
    let mut bench = Bench::quick();
    let waiter = bench.waiter();
    let commit = |partition, length: usize| Commit {
        place: Place {
            partition,
            ..place()
        },
        offset: 1,
        leader_epoch: -1,
        metadata: "x".repeat(length).into(),
    };
    let request = CommitOffsets {
        group: "g".into(),
        who: Identity::default(),
        generation: -1,
        version: 2,
        retention: None,
        commits: vec![commit(0, 4_097), commit(1, 4_096)],
    };
    bench.step(Event::Commit(waiter, request));
    let codes = vec![ErrorCode::OFFSET_METADATA_TOO_LARGE, ErrorCode::NONE];
    assert_eq!(bench.answers.remove(&waiter), Some(Answer::Commit(codes)));
}

#[test]
fn offsets_and_groups_are_deleted_only_when_no_one_reads() {
    let mut bench = Bench::quick();
    assert_eq!(bench.delete_group(), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(bench.delete_offset(), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    let id = bench.stable();
    bench.commit(&id, 1, 5);
    assert_eq!(bench.delete_group(), ErrorCode::NON_EMPTY_GROUP);
    assert_eq!(
        bench.delete_offset(),
        Ok(vec![ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC])
    );
    bench.leave(identity(&id, None));
    assert_eq!(bench.delete_offset(), Ok(vec![ErrorCode::NONE]));
    assert_eq!(bench.groups.committed_by("g"), []);
    bench.commit("", -1, 7);
    assert_eq!(bench.delete_group(), ErrorCode::NONE);
    assert_eq!(
        (bench.state(), bench.groups.committed_by("g").len()),
        ("Dead", 0)
    );
}

#[test]
fn restart_keeps_generation_members_and_offsets_and_causes_no_rebalance() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    bench.commit(&id, 1, 41);
    let mut next = bench.restart();
    assert_eq!(next.state(), "Stable");
    assert_eq!(next.beat(&id, 1), ErrorCode::NONE);
    assert_eq!(next.groups.committed_by("g")[0].1.offset, 41);
    let part = next.sync(sync(&id, 1, &[]));
    assert_eq!(next.synced(part).assignment, "all");
    assert_eq!(next.groups.snapshot().len(), 2);

    bench.leave(identity(&id, None));
    let mut next = bench.restart();
    assert_eq!(next.state(), "Empty");
    let id = next.stable();
    assert_eq!(next.beat(&id, 3), ErrorCode::NONE, "generations go on");
}

#[test]
fn offsets_of_topics_that_are_gone_are_not_restored() {
    let mut bench = Bench::quick();
    bench.commit("", -1, 5);
    let now = bench.now();
    let restored = Groups::restore(Limits::default(), bench.journal.clone(), |_| false, now);
    assert_eq!(restored.committed_by("g"), []);
    bench.step(Event::TopicDeleted(place().topic));
    assert_eq!(bench.groups.committed_by("g"), []);
}

#[test]
fn offsets_expire_a_week_after_the_last_member_left_and_not_before() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    bench.commit(&id, 1, 5);
    let week = 7 * 24 * 60 * 60 * 1_000;
    // The member reads topic t, and stays.
    for _ in 0..3 {
        bench.millis += week;
        let names = HashMap::from([(place().topic, Str::from("t"))]);
        bench.step(Event::Sweep(names));
        assert_eq!(bench.groups.committed_by("g").len(), 1);
    }
    bench.leave(identity(&id, None));
    bench.pass(week - 1);
    bench.step(Event::Sweep(HashMap::new()));
    assert_eq!(bench.groups.committed_by("g").len(), 1);
    bench.pass(1);
    bench.step(Event::Sweep(HashMap::new()));
    assert_eq!(
        (bench.groups.committed_by("g").len(), bench.state()),
        (0, "Dead")
    );
}

#[test]
fn commit_on_its_way_to_disk_is_not_swept() {
    let mut bench = Bench::quick();
    bench.holds_journal = true;
    let waiter = bench.start_commit("", -1, 5);
    bench.step(Event::Sweep(HashMap::new()));
    bench.write(Ok(()));
    assert_eq!(bench.commit_code(waiter), ErrorCode::NONE);
    assert_eq!(bench.groups.committed_by("g").len(), 1);
}

#[test]
fn full_group_refuses_one_more_and_keeps_its_members() {
    let mut bench = Bench::new(Limits {
        members: 2,
        ..Limits::default()
    });
    let joins = ["a", "b"].map(|name| bench.join(old_member(name)));
    let third = bench.join(old_member("c"));
    assert_eq!(bench.joined(third).error, ErrorCode::GROUP_MAX_SIZE_REACHED);
    bench.pass(6_001);
    for join in joins {
        assert_eq!(bench.joined(join).error, ErrorCode::NONE);
    }
}

#[test]
fn waiting_requests_are_sent_away_at_stop() {
    let mut bench = Bench::new(Limits::default());
    let join = bench.join(old_member("a"));
    bench.step(Event::Stop);
    assert_eq!(
        bench.joined(join).error,
        ErrorCode::COORDINATOR_NOT_AVAILABLE
    );
    assert_eq!(bench.beat("a", 1), ErrorCode::COORDINATOR_NOT_AVAILABLE);
}

#[derive(Clone, Debug)]
enum Move {
    Join(usize, bool),
    Rejoin(usize),
    Sync(usize),
    Beat(usize),
    Leave(usize),
    Commit(usize),
    Pass(u64),
    Restart,
}

fn moves() -> impl Strategy<Value = Move> {
    let client = 0usize..4;
    prop_oneof![
        (client.clone(), any::<bool>()).prop_map(|(at, fixed)| Move::Join(at, fixed)),
        client.clone().prop_map(Move::Rejoin),
        client.clone().prop_map(Move::Sync),
        client.clone().prop_map(Move::Beat),
        client.clone().prop_map(Move::Leave),
        client.prop_map(Move::Commit),
        (0u64..20_000).prop_map(Move::Pass),
        Just(Move::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    /// Whatever members do: the generation never goes back, no one is answered twice, and after enough time no
    /// request is left waiting.
    #[test]
    fn machine_keeps_its_promises(moves in prop::collection::vec(moves(), 1..60)) {
        let mut bench = Bench::quick();
        let mut ids: [Str; 4] = Default::default();
        let mut waiting: Vec<(usize, Waiter)> = Vec::new();
        let (mut generation, mut committed) = (0, -1);
        for one in moves {
            match one {
                Move::Join(at, fixed) => {
                    let instance = fixed.then(|| Str::from(format!("i{at}")));
                    let who = Identity { member: Str::EMPTY, instance };
                    let waiter = bench.join(Join { who, ..old_member("c") });
                    waiting.push((at, waiter));
                }
                Move::Rejoin(at) => {
                    let waiter = bench.join(Join {
                        who: Identity { member: ids[at].clone(), instance: None },
                        ..old_member("c")
                    });
                    waiting.push((at, waiter));
                }
                Move::Sync(at) => {
                    let id = ids[at].clone();
                    let waiter = bench.sync(sync(&id, generation, &[(&id, "part")]));
                    waiting.push((at, waiter));
                }
                Move::Beat(at) => {
                    let id = ids[at].clone();
                    bench.beat(&id, generation);
                }
                Move::Leave(at) => {
                    let id = ids[at].clone();
                    bench.leave(identity(&id, None));
                }
                Move::Commit(at) => {
                    let id = ids[at].clone();
                    if bench.commit(&id, generation, committed + 1) == ErrorCode::NONE {
                        committed += 1;
                    }
                }
                Move::Pass(millis) => bench.pass(millis),
                Move::Restart => {
                    waiting.clear();
                    bench = bench.restarted();
                    // What was answered but never became Stable is not in the journal, as with Kafka.
                    generation = bench.groups.describe("g").map_or(0, |_| bench.generation());
                }
            }
            waiting.retain(|(at, waiter)| match bench.answers.get(waiter) {
                Some(Answer::Join(joined)) => {
                    if joined.error == ErrorCode::NONE {
                        assert!(joined.generation >= generation);
                        generation = joined.generation;
                        ids[*at] = joined.member.clone();
                    }
                    false
                }
                Some(_) => false,
                None => true,
            });
            if committed >= 0 {
                let kept = bench.groups.committed_by("g");
                prop_assert_eq!(kept[0].1.offset, committed);
            }
        }
        bench.pass(2 * 300_000);
        for (_, waiter) in waiting {
            prop_assert!(!bench.waits(waiter), "{:?} waits for ever", waiter);
        }
    }
}

impl Bench {
    /// The generation of group `g` as the journal has it.
    fn generation(&self) -> i32 {
        self.groups
            .snapshot()
            .iter()
            .find_map(|entry| match entry {
                Entry::GroupState(state) => Some(state.generation),
                _ => None,
            })
            .unwrap_or(0)
    }

    /// As [`Bench::restart`], going on with the same journal.
    fn restarted(self) -> Self {
        let mut next = self.restart();
        next.journal = self.journal;
        next.waiters = self.waiters;
        next
    }
}
