//! Who is connected, and how a connection is cut when that ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kastellan_core::host::Host;
use kastellan_core::ports::{Revocation, RevocationSink};
use kastellan_core::principal::{Principal, Proof};
use kastellan_core::time::{Clock, Timestamp};
use tokio::sync::watch;
use trust::principal::{self, MappingRules, Source};
use trust::server::TlsSource;
use wire::text::Str;

use crate::cause::Cause;
use crate::door::Door;

/// A client that proved who it is.
#[derive(Clone)]
pub struct Session {
    pub id: u64,
    pub principal: Principal,
    pub host: Host,
    pub peer: SocketAddr,
    pub listener: Arc<Door>,
    pub software: Software,
    /// When the first certificate of the client's chain ends.
    pub chain_ends: Option<Timestamp>,
}

/// What a client says it is.
#[derive(Clone, Debug, Default)]
pub struct Software {
    pub name: Option<Str>,
    pub version: Option<Str>,
}

/// A client's chain, leaf first, and the listener's trust that judged it.
#[derive(Clone)]
pub struct Chain {
    pub certificates: Vec<rustls::pki_types::CertificateDer<'static>>,
    pub trust: Arc<TlsSource>,
}

struct Entry {
    principal: Principal,
    chain: Option<Chain>,
    listener: Arc<str>,
    cut: watch::Sender<Option<Cause>>,
}

/// Every open session.
pub struct Registry {
    sessions: Mutex<HashMap<u64, Entry>>,
    next: AtomicU64,
    /// When the store last told of anything, and of another policy, in milliseconds of the monotonic clock.
    told: AtomicU64,
    policy_since: AtomicU64,
    clock: Clock,
}

/// A session's place in the registry. Leaves it when dropped.
pub struct Registered {
    registry: Arc<Registry>,
    pub id: u64,
    cut: watch::Receiver<Option<Cause>>,
}

impl Registry {
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            sessions: Mutex::default(),
            next: AtomicU64::new(1),
            told: AtomicU64::new(millis(&clock)),
            policy_since: AtomicU64::new(millis(&clock)),
            clock,
        })
    }

    /// How long nothing was revoked, and how long the policy has been in force.
    pub fn ages(&self) -> (Duration, Duration) {
        let now = millis(&self.clock);
        let age = |since: &AtomicU64| {
            Duration::from_millis(now.saturating_sub(since.load(Ordering::Relaxed)))
        };
        (age(&self.told), age(&self.policy_since))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Entry>> {
        self.sessions
            .lock()
            .expect("nobody panics while holding it")
    }

    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Adds a session. The caller then asks once more whether its credential still holds: a revocation may have come
    /// between the proof and this call.
    pub fn add(
        self: &Arc<Self>,
        principal: &Principal,
        chain: Option<Chain>,
        listener: Arc<str>,
    ) -> Registered {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (cut, receiver) = watch::channel(None);
        let entry = Entry {
            principal: principal.clone(),
            chain,
            listener,
            cut,
        };
        let mut sessions = self.lock();
        sessions.insert(id, entry);
        metrics::gauge!("gateway_sessions").set(sessions.len() as f64);
        drop(sessions);
        Registered {
            registry: self.clone(),
            id,
            cut: receiver,
        }
    }

    /// A session was proven again: revocations of the new proof find it, those of the old one do not. The caller then
    /// asks once more whether the new one still holds.
    pub fn replace(&self, id: u64, principal: &Principal) {
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.principal = principal.clone();
        }
    }

    /// The certificates of a listener name somebody by other rules from now on: sessions under another name end.
    pub fn name_again(&self, listener: &str, source: Source, rules: &MappingRules) {
        self.cut_where(|entry| {
            let Proof::Certificate { .. } = entry.principal.proof() else {
                return false;
            };
            let leaf = entry
                .chain
                .as_ref()
                .and_then(|chain| chain.certificates.first());
            let named = leaf.and_then(|leaf| principal::name(leaf, source, rules).ok());
            *entry.listener == *listener && named.as_ref() != Some(entry.principal.name())
        });
    }

    fn cut_where(&self, ends: impl Fn(&Entry) -> bool) {
        for entry in self.lock().values().filter(|entry| ends(entry)) {
            let _ = entry.cut.send(Some(Cause::Revoked));
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl RevocationSink for Registry {
    fn revoke(&self, revocation: Revocation) {
        let now = millis(&self.clock);
        self.told.store(now, Ordering::Relaxed);
        if revocation == Revocation::Policy {
            self.policy_since.store(now, Ordering::Relaxed);
        }
        match revocation {
            Revocation::Principal(name) => self.cut_where(|entry| *entry.principal.name() == name),
            Revocation::Credential { id, current, .. } => {
                self.cut_where(|entry| match entry.principal.proof() {
                    Proof::Credential { credential, .. } => {
                        credential.id == id && Some(*credential) != current
                    }
                    _ => false,
                })
            }
            Revocation::Certificate(wanted) => {
                self.cut_where(|entry| match entry.principal.proof() {
                    Proof::Certificate { chain } => chain.contains(&wanted),
                    _ => false,
                })
            }
            Revocation::TrustChanged => {
                let now = self.now();
                self.cut_where(|entry| {
                    entry
                        .chain
                        .as_ref()
                        .is_some_and(|chain| !chain.trust.still_trusts(&chain.certificates, now))
                });
            }
            // Every request, and every answer that is on its way, is judged on the newest snapshot.
            Revocation::Policy => {}
        }
    }
}

fn millis(clock: &Clock) -> u64 {
    u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX)
}

impl Registered {
    /// Ends when the session is cut.
    pub async fn cut(&mut self) -> Cause {
        loop {
            if let Some(cause) = *self.cut.borrow_and_update() {
                return cause;
            }
            if self.cut.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut sessions = self.registry.lock();
        sessions.remove(&self.id);
        metrics::gauge!("gateway_sessions").set(sessions.len() as f64);
    }
}
