//! Committed offsets: who may commit, when a commit counts, how offsets end.

use super::*;

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
