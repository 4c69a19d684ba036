//! Assignments: who may give and get them, and when they count.

use super::*;

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
