//! The store as the gateway and the command line see it.

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

#[tokio::test]
async fn person_logs_in_with_the_password_and_with_no_other() {
    let place = Place::new("person");
    let store = place.open().await;
    store
        .add_person(&name("alice"), secret("wonder"), &by())
        .await
        .unwrap();
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_some(),
        "from memory"
    );
    assert!(
        store
            .password("alice", &secret("wander"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .password("bob", &secret("wonder"))
            .await
            .unwrap()
            .is_none()
    );
    for mechanism in ScramMechanism::ALL {
        assert!(store.scram("alice", mechanism).await.unwrap().is_some());
        assert!(store.scram("bob", mechanism).await.unwrap().is_none());
    }
    let twice = store.add_person(&name("alice"), secret("x"), &by()).await;
    assert!(matches!(twice, Err(ChangeError::Invalid(_))));
}

#[tokio::test]
async fn service_secret_is_random_and_opens_its_own_account_only() {
    let place = Place::new("service");
    let store = place.open().await;
    let one = store.add_service(&name("orders"), &by()).await.unwrap();
    let two = store.add_service(&name("billing"), &by()).await.unwrap();
    assert!(!one.matches(two.expose()) && one.len() == 43);
    assert!(store.password("orders", &one).await.unwrap().is_some());
    assert!(store.password("orders", &two).await.unwrap().is_none());
    let fresh = store.rotate_secret("orders", &by()).await.unwrap();
    assert!(store.password("orders", &one).await.unwrap().is_none());
    assert!(store.password("orders", &fresh).await.unwrap().is_some());
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let place = Place::new("reopen");
    let decoy = {
        let store = place.open().await;
        store
            .add_person(&name("alice"), secret("wonder"), &by())
            .await
            .unwrap();
        store.add(vec![read_orders()], &by()).await.unwrap();
        store.decoy_key().clone()
    };
    let store = place.open().await;
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(may_read(&store));
    assert!(
        store.decoy_key().matches(decoy.expose()),
        "unknown users keep their salts"
    );
    use std::os::unix::fs::MetadataExt;
    for entry in std::fs::read_dir(place.path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().mode() & 0o077,
            0,
            "{:?}",
            entry.path()
        );
    }
}

#[tokio::test]
async fn disabled_user_is_unknown_and_its_sessions_are_cut() {
    let place = Place::new("disable");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    store
        .add_person(&name("alice"), secret("wonder"), &by())
        .await
        .unwrap();
    let (_, revision) = store
        .scram("alice", ScramMechanism::Sha512)
        .await
        .unwrap()
        .unwrap();
    assert!(store.is_current("alice", revision));
    store.set_disabled("alice", true, &by()).await.unwrap();
    assert!(
        store
            .scram("alice", ScramMechanism::Sha512)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .password("alice", &secret("wonder"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(!store.admits(&PrincipalName::user("alice")) && !store.is_current("alice", revision));
    assert_eq!(
        *sessions.0.lock().unwrap(),
        [Revocation::Principal(PrincipalName::user("alice"))]
    );
    store.set_disabled("alice", false, &by()).await.unwrap();
    assert!(store.admits(&PrincipalName::user("alice")));
    assert!(matches!(
        store.set_disabled("bob", true, &by()).await,
        Err(ChangeError::UnknownUser(_))
    ));
}

#[tokio::test]
async fn new_password_ends_sessions_of_the_old_one() {
    let place = Place::new("password");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    store
        .add_person(&name("alice"), secret("wonder"), &by())
        .await
        .unwrap();
    let (_, revision) = store
        .scram("alice", ScramMechanism::Sha512)
        .await
        .unwrap()
        .unwrap();
    store
        .set_password("alice", secret("new"), &by())
        .await
        .unwrap();
    assert!(!store.is_current("alice", revision));
    let told = sessions.0.lock().unwrap();
    assert!(
        told.iter()
            .any(|one| matches!(one, Revocation::Credential { id, .. } if *id == revision.id)),
        "{told:?}"
    );
}

#[tokio::test]
async fn rule_is_in_force_when_its_change_ends_and_gone_when_it_is_removed() {
    let place = Place::new("rules");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    assert!(!may_read(&store));
    let added = store
        .add(vec![read_orders(), read_orders()], &by())
        .await
        .unwrap();
    assert!(may_read(&store));
    assert_eq!(added[0].id, added[1].id, "the same rule twice is one rule");
    assert_eq!(
        store.add(vec![read_orders()], &by()).await.unwrap()[0].id,
        added[0].id
    );
    let removed = store
        .remove(vec![RuleFilter::EVERYTHING, RuleFilter::EVERYTHING], &by())
        .await
        .unwrap();
    assert_eq!(
        (removed[0].len(), removed[1].len()),
        (1, 1),
        "both filters report it"
    );
    assert!(!may_read(&store));
    assert_eq!(sessions.0.lock().unwrap().len(), 2);
    assert!(store.remove_rules(&[added[0].id], &by()).await.is_err());
    let again = store.add(vec![read_orders()], &by()).await.unwrap();
    assert_ne!(again[0].id, added[0].id, "numbers are never used twice");
}

#[tokio::test]
async fn super_users_change_on_the_trail_first_and_then_at_once() {
    let place = Place::new("super-users");
    let store = place.open().await;
    let sessions = Arc::new(Sessions::default());
    store.on_revocation(sessions.clone());
    assert!(!may_read(&store));
    let alice = BTreeSet::from([PrincipalName::user("alice")]);
    *place.trail.room.lock().unwrap() = Some(0);
    assert!(store.set_super_users(alice.clone(), &by()).await.is_err());
    assert!(!may_read(&store), "not without its event");
    *place.trail.room.lock().unwrap() = None;
    store.set_super_users(alice.clone(), &by()).await.unwrap();
    assert!(may_read(&store));
    assert_eq!(*sessions.0.lock().unwrap(), [Revocation::Policy]);
    store.set_super_users(alice, &by()).await.unwrap();
    store.set_super_users(BTreeSet::new(), &by()).await.unwrap();
    assert!(!may_read(&store));
    let events = place.trail.events.lock().unwrap();
    let changes: Vec<_> = events
        .iter()
        .filter(|event| event.kind == "policy.super_users")
        .filter_map(|event| event.change.clone()?.after)
        .collect();
    assert_eq!(changes, ["User:alice", ""]);
}

#[tokio::test]
async fn nothing_is_changed_when_the_trail_cannot_take_it() {
    let place = Place::new("unrecorded");
    let store = place.open().await;
    *place.trail.room.lock().unwrap() = Some(0);
    let refused = store.add(vec![read_orders()], &by()).await;
    assert!(matches!(refused, Err(ChangeError::Unavailable(_))));
    let refused = store.add_service(&name("orders"), &by()).await;
    assert!(matches!(refused, Err(ChangeError::Unavailable(_))));
    assert!(!may_read(&store) && store.user("orders").is_none());
    *place.trail.room.lock().unwrap() = None;
    drop(store);
    let store = place.open().await;
    assert!(!may_read(&store) && store.user("orders").is_none());
    assert!(place.trail.events.lock().unwrap().is_empty());
    store.add(vec![read_orders()], &by()).await.unwrap();
    assert!(may_read(&store));
}

/// Announced, then what came of it, with the number of the announcement.
fn outcomes(events: &[Event]) -> Vec<(Outcome, Option<u64>)> {
    events
        .iter()
        .map(|event| (event.outcome, event.refers))
        .collect()
}

#[tokio::test]
async fn outcome_of_a_committed_change_is_delivered_when_the_trail_recovers() {
    for restarts in [false, true] {
        let place = Place::new(if restarts { "outbox-restart" } else { "outbox" });
        let store = place.open().await;
        *place.trail.room.lock().unwrap() = Some(1);
        store.add(vec![read_orders()], &by()).await.unwrap();
        let told = || outcomes(&place.trail.events.lock().unwrap());
        assert_eq!(told(), [(Outcome::Allowed, None)]);
        *place.trail.room.lock().unwrap() = None;
        if restarts {
            drop(store);
            drop(place.open().await);
        } else {
            store.add_service(&name("x"), &by()).await.unwrap();
        }
        assert!(told().contains(&(Outcome::Ok, Some(1))));
        let change = place.trail.events.lock().unwrap()[0].change.clone();
        assert_eq!(
            change.unwrap().after.as_deref(),
            Some("allow User:alice Read topic:orders")
        );
        drop(place.open().await);
        let once = told()
            .iter()
            .filter(|one| **one == (Outcome::Ok, Some(1)))
            .count();
        assert_eq!(once, 1, "once only");
    }
}

#[tokio::test]
async fn certificates_are_on_record_when_they_are_issued_and_revoked() {
    let place = Place::new("certificates");
    let store = place.open().await;
    store
        .add_certificate("0a", "orders", Timestamp(9), &by())
        .await
        .unwrap();
    let revoked = store.revoke_certificates("orders", &by()).await.unwrap();
    assert_eq!(revoked, [("0a".to_owned(), Timestamp(9))]);
    assert!(
        store
            .revoke_certificates("orders", &by())
            .await
            .unwrap()
            .is_empty()
    );
    let events = place.trail.events.lock().unwrap();
    let expected = [
        (Outcome::Allowed, None),
        (Outcome::Ok, Some(1)),
        (Outcome::Allowed, None),
        (Outcome::Ok, Some(3)),
    ];
    assert_eq!(outcomes(&events), expected);
    assert!(events.iter().all(|event| event.detail["serial"] == "0a"));
}

#[tokio::test]
async fn uploaded_scram_credential_makes_a_user_that_can_also_use_plain() {
    let place = Place::new("scram");
    let store = place.open().await;
    store
        .add_person(&name("model"), secret("pencil"), &by())
        .await
        .unwrap();
    let (verifier, _) = store
        .scram("model", ScramMechanism::Sha512)
        .await
        .unwrap()
        .unwrap();
    let set = ScramChange::Set {
        user: "fresh".to_owned(),
        verifier,
    };
    let wild = ScramChange::Delete {
        user: "nobody".to_owned(),
        mechanism: ScramMechanism::Sha256,
    };
    let outcomes = store.change(vec![set, wild], &by()).await;
    assert!(outcomes[0].is_ok());
    assert!(matches!(
        outcomes[1],
        Err(ChangeError::UnknownCredential(_))
    ));
    assert!(
        store
            .password("fresh", &secret("pencil"))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .password("fresh", &secret("pen"))
            .await
            .unwrap()
            .is_none()
    );
    let gone = ScramChange::Delete {
        user: "fresh".to_owned(),
        mechanism: ScramMechanism::Sha512,
    };
    assert!(store.change(vec![gone], &by()).await[0].is_ok());
    assert!(
        store
            .scram("fresh", ScramMechanism::Sha512)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .password("fresh", &secret("pencil"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn writers_at_once_lose_nothing() {
    let place = Place::new("writers");
    let store = place.open().await;
    let mut tasks = Vec::new();
    for number in 0..40 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut rule = read_orders();
            rule.resource = ResourcePattern::parse(&format!("topic:t{number}")).unwrap();
            store.add(vec![rule], &by()).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(PolicySource::current(&*store).rules().len(), 40);
    drop(store);
    assert_eq!(
        PolicySource::current(&*place.open().await).rules().len(),
        40
    );
}
