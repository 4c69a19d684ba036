//! What a restart brings back.

use super::*;

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
