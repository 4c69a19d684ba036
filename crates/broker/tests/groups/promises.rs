//! Whatever members do, in any order, the machine keeps its promises.

use super::*;

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
