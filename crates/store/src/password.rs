//! Checks passwords without letting anybody burn the machine: a bounded pool, a bounded queue, a short memory.
//!
//! The memory holds an HMAC of user and password under a key of this process, bound to the credential's revision.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use kastellan_core::credential::{CredentialRevision, ScramMechanism};
use kastellan_core::ports::Unavailable;
use kastellan_core::secret::Secret;
use kastellan_core::time::{Clock, Timestamp};
use tokio::sync::Semaphore;

use crate::OpenError;
use crate::credential;
use crate::snapshot::{User, Verifier};

/// Checks that may wait for a place in the pool.
const QUEUE_MAX: usize = 64;
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
const REMEMBERED_MAX: usize = 10_000;

pub(crate) struct Passwords {
    places: Semaphore,
    waiting: AtomicUsize,
    key: hmac::Key,
    remembered: Mutex<HashMap<[u8; 32], (CredentialRevision, Timestamp)>>,
    decoy_hash: String,
    clock: Clock,
}

impl Passwords {
    pub(crate) fn new(clock: Clock) -> Result<Self, OpenError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| OpenError::Random)?;
        Ok(Self {
            places: Semaphore::new((cores / 2).max(1)),
            waiting: AtomicUsize::new(0),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            remembered: Mutex::default(),
            decoy_hash: credential::decoy_hash().map_err(|_| OpenError::Random)?,
            clock,
        })
    }

    /// The credential that the password proved. An unknown user costs one hash, as a known one does.
    pub(crate) async fn check(
        &self,
        name: &str,
        user: Option<&User>,
        pepper: &Secret,
        password: &Secret,
    ) -> Result<Option<CredentialRevision>, Unavailable> {
        let known = user.filter(|user| !user.disabled).and_then(checkable);
        if let Some((revision, Verifier::Keyed(hash))) = known {
            let candidate = credential::keyed_hash(pepper, password);
            if hash.matches(&candidate) {
                return Ok(Some(revision));
            }
        }
        let memory_key = self.memory_key(name, password);
        if let Some((revision, _)) = known
            && self.remembers(&memory_key, revision)
        {
            return Ok(Some(revision));
        }
        let verifier = match known {
            Some((_, verifier @ (Verifier::Password(_) | Verifier::Scram(_)))) => verifier.clone(),
            _ => Verifier::Password(self.decoy_hash.clone()),
        };
        let matches = self.hash(verifier, password.clone()).await?;
        let proven =
            known.filter(|(_, verifier)| matches && !matches!(verifier, Verifier::Keyed(_)));
        if let Some((revision, _)) = proven {
            self.remember(memory_key, revision);
        }
        Ok(proven.map(|(revision, _)| revision))
    }

    /// Runs the slow work on a blocking thread, a few at a time.
    async fn hash(&self, verifier: Verifier, password: Secret) -> Result<bool, Unavailable> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| Unavailable("shutting down".to_owned()))?;
        tokio::task::spawn_blocking(move || match &verifier {
            Verifier::Password(hash) => credential::matches_hash(hash, &password),
            Verifier::Scram(verifier) => {
                credential::matches_verifier(verifier, &password).unwrap_or(false)
            }
            Verifier::Keyed(_) => false,
        })
        .await
        .map_err(|_| Unavailable("the password could not be checked".to_owned()))
    }

    fn memory_key(&self, name: &str, password: &Secret) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(name.len() as u64).to_be_bytes());
        context.update(name.as_bytes());
        context.update(password.expose());
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    fn remembers(&self, key: &[u8; 32], revision: CredentialRevision) -> bool {
        let now = self.clock.now();
        let remembered = self
            .remembered
            .lock()
            .expect("no one panics while holding it");
        remembered
            .get(key)
            .is_some_and(|(known, until)| *known == revision && now < *until)
    }

    fn remember(&self, key: [u8; 32], revision: CredentialRevision) {
        let now = self.clock.now();
        let mut remembered = self
            .remembered
            .lock()
            .expect("no one panics while holding it");
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, (_, until)| now < *until);
        }
        if remembered.len() < REMEMBERED_MAX {
            remembered.insert(key, (revision, now + REMEMBERED_FOR));
        }
    }
}

/// The credential that a password is checked against: a hash made for it, else a SCRAM verifier.
fn checkable(user: &User) -> Option<(CredentialRevision, &Verifier)> {
    let rank = |verifier: &Verifier| match verifier {
        Verifier::Keyed(_) => 0,
        Verifier::Password(_) => 1,
        Verifier::Scram(verifier) if verifier.mechanism == ScramMechanism::Sha256 => 2,
        Verifier::Scram(_) => 3,
    };
    let best = user
        .credentials
        .iter()
        .min_by_key(|credential| rank(&credential.verifier))?;
    Some((best.revision, &best.verifier))
}

/// One of at most [`QUEUE_MAX`] waiting checks.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Result<Self, Unavailable> {
        if count.fetch_add(1, Ordering::SeqCst) >= QUEUE_MAX {
            count.fetch_sub(1, Ordering::SeqCst);
            return Err(Unavailable(
                "too many passwords are being checked".to_owned(),
            ));
        }
        Ok(Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
