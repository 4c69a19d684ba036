//! The store as the gateway and the command line see it.

mod kept;
mod rules;
mod trail;
mod users;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use kastellan_core::authorize::{Question, authorize};
use kastellan_core::credential::ScramMechanism;
use kastellan_core::event::{Event, Outcome};
use kastellan_core::filter::RuleFilter;
use kastellan_core::host::{Host, HostPattern};
use kastellan_core::operation::Operation;
use kastellan_core::ports::{
    ChangeError, CredentialSource, Pending, PolicySource, Requester, Revocation, RevocationSink,
    RuleStore, ScramChange, ScramStore, TrailSink, Unavailable,
};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{Resource, ResourcePattern};
use kastellan_core::rule::{Effect, RuleDefinition};
use kastellan_core::secret::Secret;
use kastellan_core::time::{Clock, Timestamp};
use store::{Store, UserName};

#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<Event>>,
    /// Events that are still taken; `None`: all.
    room: Mutex<Option<usize>>,
}

impl TrailSink for Recorder {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        assert_eq!(kastellan_core::event::types::check(&event), Ok(()));
        let mut room = self.room.lock().unwrap();
        let answer = if *room == Some(0) {
            Err(Unavailable("disk full".to_owned()))
        } else {
            *room = room.map(|room| room - 1);
            let mut events = self.events.lock().unwrap();
            events.push(event);
            Ok(Some(events.len() as u64))
        };
        Box::pin(std::future::ready(answer))
    }

    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

#[derive(Default)]
struct Sessions(Mutex<Vec<Revocation>>);

impl RevocationSink for Sessions {
    fn revoke(&self, revocation: Revocation) {
        self.0.lock().unwrap().push(revocation);
    }
}

struct Place {
    path: PathBuf,
    trail: Arc<Recorder>,
}

impl Place {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("store-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Self {
            path: dir.join("store.db"),
            trail: Arc::default(),
        }
    }

    async fn open(&self) -> Arc<Store> {
        Store::open(
            &self.path,
            BTreeSet::new(),
            self.trail.clone(),
            Clock::manual(Timestamp(1_000)),
        )
        .await
        .unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.path.parent().unwrap());
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

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn read_orders() -> RuleDefinition {
    RuleDefinition {
        effect: Effect::Allow,
        subject: PrincipalName::user("alice"),
        host: HostPattern::Any,
        operation: Operation::Read,
        resource: ResourcePattern::parse("topic:orders").unwrap(),
    }
}

fn may_read(store: &Store) -> bool {
    let policy = PolicySource::current(store);
    let (principal, host) = (
        PrincipalName::user("alice"),
        Host::new("127.0.0.1".parse().unwrap()),
    );
    let resource = Resource::topic("orders");
    authorize(
        &policy,
        &Question {
            principal: &principal,
            host: &host,
            operation: Operation::Read,
            resource,
        },
    )
    .is_ok()
}
