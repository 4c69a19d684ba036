//! Members that keep their place over restarts.

use super::*;

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
