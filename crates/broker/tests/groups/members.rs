//! Heartbeats, sessions, leaving, and what a stop does.

use super::*;

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

#[test]
fn last_member_is_told_that_it_left_when_the_disk_knows() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    bench.holds_journal = true;
    let waiter = bench.waiter();
    let leave = Leave {
        group: "g".into(),
        who: vec![identity(&id, None)],
    };
    bench.step(Event::Leave(waiter, leave));
    assert_eq!(bench.state(), "Empty");
    assert!(bench.waits(waiter), "a crash would bring it back");
    bench.write(Ok(()));
    match bench.answers.remove(&waiter) {
        Some(Answer::Leave(left)) => assert_eq!(left.members[0].1, ErrorCode::NONE),
        other => panic!("no leave: {other:?}"),
    }
}

#[test]
fn last_member_is_not_told_that_it_left_when_the_disk_fails() {
    let mut bench = Bench::quick();
    let id = bench.stable();
    bench.holds_journal = true;
    let waiter = bench.waiter();
    let leave = Leave {
        group: "g".into(),
        who: vec![identity(&id, None)],
    };
    bench.step(Event::Leave(waiter, leave));
    bench.write(Err(Lost));
    match bench.answers.remove(&waiter) {
        Some(Answer::Leave(left)) => assert_eq!(left.error, ErrorCode::NOT_COORDINATOR),
        other => panic!("no leave: {other:?}"),
    }
}
