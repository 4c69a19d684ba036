//! Joining: ids, generations, the initial delay, protocols.

use super::*;

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
