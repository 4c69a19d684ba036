//! A change and its trail events are one unit, wherever the process dies: a child makes changes and kills itself, or is
//! killed; the parent starts over and compares the store with the trail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kastellan_core::event::{Event, Outcome};
use kastellan_core::host::HostPattern;
use kastellan_core::operation::Operation;
use kastellan_core::ports::{Pending, PolicySource, Requester, RuleStore, TrailSink, Unavailable};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::ResourcePattern;
use kastellan_core::rule::{Effect, RuleDefinition};
use kastellan_core::time::Clock;
use store::Store;
use trail::{Entry, Trail};

const DIR: &str = "KASTELLAN_TEST_DIR";
const STEP: &str = "KASTELLAN_TEST_STEP";

/// Kills its process at one of its calls: before or after the trail has the events.
struct Deadly {
    trail: Arc<Trail>,
    calls: AtomicUsize,
    /// Twice the number of the call, and one more for after it.
    step: usize,
}

impl Deadly {
    fn die_at(&self, step: usize) {
        if step == self.step {
            std::process::abort();
        }
    }
}

impl TrailSink for Deadly {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        self.trail.record(event)
    }

    fn record_all<'a>(
        &'a self,
        events: Vec<Event>,
    ) -> Pending<'a, Result<Vec<Option<u64>>, Unavailable>> {
        Box::pin(async move {
            let call = if events.is_empty() {
                usize::MAX / 4
            } else {
                self.calls.fetch_add(1, Ordering::SeqCst)
            };
            self.die_at(2 * call);
            let numbers = self.trail.record_all(events).await;
            self.die_at(2 * call + 1);
            numbers
        })
    }

    fn note(&self, event: Event) {
        self.trail.note(event);
    }

    fn owe(&self, event: Event) {
        self.trail.owe(event);
    }
}

fn by() -> Requester {
    Requester {
        principal: PrincipalName::user("admin"),
        proof: "SOCKET",
        peer: None,
        listener: "admin".to_owned(),
    }
}

fn rule(number: usize) -> RuleDefinition {
    RuleDefinition {
        effect: Effect::Allow,
        subject: PrincipalName::user("alice"),
        host: HostPattern::Any,
        operation: Operation::Read,
        resource: ResourcePattern::parse(&format!("topic:t{number}")).unwrap(),
    }
}

async fn open(dir: &Path, trail: Arc<dyn TrailSink>) -> Arc<Store> {
    let path = dir.join("store.db");
    Store::open(&path, BTreeSet::new(), trail, Clock::system())
        .await
        .unwrap()
}

/// The child: makes rules, three at a time, until it dies.
#[tokio::test]
#[ignore = "started by the other tests, in a process of its own"]
#[allow(clippy::disallowed_methods, reason = "its parent says what to do")]
async fn child_that_changes_rules() {
    let (Ok(dir), Ok(step)) = (std::env::var(DIR), std::env::var(STEP)) else {
        return;
    };
    let dir = PathBuf::from(dir);
    let trail = Trail::open(&dir.join("trail"), Clock::system(), "test").unwrap();
    let deadly = Arc::new(Deadly {
        trail: trail.clone(),
        calls: AtomicUsize::new(0),
        step: step.parse().unwrap(),
    });
    let store = open(&dir, deadly).await;
    trail.settle().await.unwrap();
    let begin = PolicySource::current(&*store).rules().len() * 10;
    for round in 0.. {
        let rules = (0..3).map(|one| rule(begin + 3 * round + one)).collect();
        store.add(rules, &by()).await.unwrap();
        std::fs::write(dir.join("working"), "").unwrap();
    }
}

struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kill-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn child(&self, step: usize) -> std::process::Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_changes_rules", "--ignored"])
            .env(DIR, &self.0)
            .env(STEP, step.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Starts over as the program does, ends in order, and compares.
    async fn check(&self) -> usize {
        let rules = {
            let trail = Trail::open(&self.0.join("trail"), Clock::system(), "test").unwrap();
            let store = open(&self.0, trail.clone()).await;
            trail.settle().await.unwrap();
            let policy = PolicySource::current(&*store);
            policy
                .rules()
                .iter()
                .map(|rule| (rule.id.0.to_string(), rule.definition.to_string()))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(trail::verify(&self.0.join("trail")).unwrap().damage, []);
        let entries: Vec<Entry> = trail::read(&self.0.join("trail"))
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.event.kind == "policy.rule")
            .collect();
        let announced: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.event.outcome == Outcome::Allowed)
            .collect();
        let mut told = BTreeMap::new();
        for entry in entries
            .iter()
            .filter(|entry| entry.event.outcome != Outcome::Allowed)
        {
            let refers = entry.event.refers.expect("an outcome says of what");
            let before = told.insert(refers, entry);
            assert!(before.is_none(), "told twice: {entry:?}");
        }
        assert_eq!(announced.len(), told.len(), "each has one outcome");
        let mut made = BTreeMap::new();
        for one in announced {
            let outcome = told[&one.seq];
            if outcome.event.outcome == Outcome::Ok {
                let after = outcome.event.change.clone().unwrap().after.unwrap();
                made.insert(outcome.event.resources[0].name.clone(), after);
            } else {
                assert_eq!(outcome.event.outcome, Outcome::Unknown, "{outcome:?}");
            }
        }
        assert_eq!(made, rules, "what was committed, and nothing else");
        rules.len()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn committed_change_reaches_the_trail_exactly_once_wherever_the_process_dies() {
    // Each round of changes is two calls: announced, and told. Each is cut before and after.
    for (step, committed) in [(4, 3), (5, 3), (6, 6), (7, 6)] {
        let dir = Dir::new(&format!("step-{step}"));
        assert!(!dir.child(step).wait().unwrap().success());
        assert_eq!(dir.check().await, committed, "step {step}");
        // Dies again while it delivers what was left over, and while it goes on.
        for again in 0..2 {
            assert!(!dir.child(again).wait().unwrap().success());
            dir.check().await;
        }
    }
}

#[tokio::test]
async fn process_that_is_killed_at_any_time_leaves_store_and_trail_of_one_mind() {
    let dir = Dir::new("any");
    let mut before = 0;
    for round in 0_u64..8 {
        let _ = std::fs::remove_file(dir.0.join("working"));
        let mut child = dir.child(usize::MAX);
        while !dir.0.join("working").exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(round * 7 % 23));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = dir.check().await;
        assert!(now > before, "something was changed");
        before = now;
    }
}
