//! How long one decision takes at ten thousand rules, and how long a new policy takes to compile aside.
//!
//! `cargo run --release -p kastellan-core --example decisions`: prints percentiles, ends with 1 beyond a budget. Each
//! figure is of a batch of decisions, so that reading the clock does not count, and of the best of ten rounds.
#![allow(clippy::print_stdout, reason = "prints what it measured")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use kastellan_core::authorize::{Question, authorize};
use kastellan_core::host::{Host, HostPattern};
use kastellan_core::operation::Operation;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{Resource, ResourcePattern};
use kastellan_core::rule::{Effect, Rule, RuleDefinition, RuleId};

const RULES: usize = 10_000;
const PRINCIPALS: usize = 500;
const BATCH: usize = 16;
const BATCHES: usize = 10_000;
/// The best of them counts: the others were disturbed by somebody else on the machine.
const ROUNDS: usize = 10;
const DECISION_BUDGET: Duration = Duration::from_micros(1);
const SWAP_BUDGET: Duration = Duration::from_millis(50);

#[allow(clippy::disallowed_methods, reason = "measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Twenty rules a principal: own topics, prefixes of several lengths, a group, a few for everybody, a few that deny.
fn rules() -> Vec<Rule> {
    let rule = |number: usize| {
        let (principal, one) = (number % PRINCIPALS, number / PRINCIPALS);
        let (effect, resource) = match one {
            0..=11 => (Effect::Allow, format!("topic:team{principal}.orders.{one}")),
            12..=15 => (
                Effect::Allow,
                format!("topic:team{principal}.{}*", "a".repeat(one)),
            ),
            16 => (Effect::Allow, format!("group:team{principal}*")),
            17 => (Effect::Deny, format!("topic:team{principal}.secret*")),
            18 => (Effect::Allow, format!("topic:public.{principal}")),
            _ => (Effect::Deny, format!("topic:audit.{principal}")),
        };
        let subject = match one {
            18 | 19 => PrincipalName::user("*"),
            _ => PrincipalName::user(&format!("service{principal}")),
        };
        Rule {
            id: RuleId(number as i64),
            definition: RuleDefinition {
                effect,
                subject,
                host: HostPattern::Any,
                operation: Operation::Read,
                resource: ResourcePattern::parse(&resource).expect("a resource"),
            },
        }
    };
    (0..RULES).map(rule).collect()
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share) as usize;
    sorted[at.min(sorted.len() - 1)]
}

type Asked = (PrincipalName, [String; 4]);

/// Median and 99th percentile of one round.
fn round(policy: &Policy, names: &[Asked], at: usize, host: Host) -> [Duration; 2] {
    let mut times = Vec::with_capacity(BATCHES);
    let mut allowed = 0_usize;
    for batch in 0..BATCHES {
        let began = now();
        for one in 0..BATCH {
            let (principal, topics) = &names[(batch * 31 + one * 7) % PRINCIPALS];
            let question = Question {
                principal,
                host: &host,
                operation: Operation::Read,
                resource: Resource::topic(&topics[at]),
            };
            allowed += usize::from(black_box(authorize(policy, &question)).is_ok());
        }
        times.push(began.elapsed() / BATCH as u32);
    }
    assert_eq!(allowed, if at < 2 { BATCH * BATCHES } else { 0 });
    times.sort();
    [percentile(&times, 0.5), percentile(&times, 0.99)]
}

fn main() -> std::process::ExitCode {
    let mut swaps = Vec::new();
    let mut policy = Policy::default();
    for epoch in 0..20 {
        let rules = rules();
        let began = now();
        policy = Policy::compile(PolicyEpoch(epoch), BTreeSet::new(), rules);
        swaps.push(began.elapsed());
    }
    swaps.sort();
    println!(
        "policy of {RULES} rules, compiled aside: median {:?}, slowest {:?}",
        percentile(&swaps, 0.5),
        swaps[swaps.len() - 1]
    );

    let host = Host::new([127, 0, 0, 1].into());
    let names: Vec<Asked> = (0..PRINCIPALS)
        .map(|one| {
            let own = format!("team{one}.orders.3");
            let prefixed = format!("team{one}.{}lpha", "a".repeat(14));
            let denied = format!("team{one}.secret.x");
            let other = format!("team{}.orders.3", (one + 1) % PRINCIPALS);
            (
                PrincipalName::user(&format!("service{one}")),
                [own, prefixed, denied, other],
            )
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for (at, what) in ["literal", "prefix", "deny", "no rule"].iter().enumerate() {
        let rounds: Vec<[Duration; 2]> = (0..ROUNDS)
            .map(|_| round(&policy, &names, at, host.clone()))
            .collect();
        let best = |share: usize| {
            rounds
                .iter()
                .map(|one| one[share])
                .min()
                .unwrap_or_default()
        };
        let (p50, p99) = (best(0), best(1));
        println!("decision, {what}: p50 {p50:?}, p99 {p99:?}");
        slowest = slowest.max(p99);
    }
    let is_within = slowest < DECISION_BUDGET && percentile(&swaps, 0.5) <= SWAP_BUDGET;
    println!(
        "budgets: a decision below {DECISION_BUDGET:?} at p99, a swap within {SWAP_BUDGET:?}: {}",
        if is_within { "kept" } else { "NOT KEPT" }
    );
    std::process::ExitCode::from(u8::from(!is_within))
}
