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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::UserKind;

    const REVISION: CredentialRevision = CredentialRevision { id: 1, revision: 1 };

    fn user(revision: CredentialRevision, disabled: bool) -> User {
        let hash = credential::hash_password(&secret("pencil")).unwrap();
        let credential = crate::snapshot::Credential {
            revision,
            verifier: Verifier::Password(hash),
        };
        User {
            id: 1,
            kind: UserKind::Person,
            disabled,
            created: Timestamp(0),
            credentials: vec![credential],
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    /// With no place left for slow work, only what is remembered is answered.
    #[tokio::test]
    async fn right_password_is_remembered_for_its_revision_and_for_a_while() {
        let clock = Clock::manual(Timestamp(0));
        let passwords = Passwords::new(clock.clone()).unwrap();
        let alice = user(REVISION, false);
        let pepper = secret("pepper");
        let ask = async |name: &str, user: &User, password: &str| {
            let password = secret(password);
            passwords.check(name, Some(user), &pepper, &password).await
        };
        assert_eq!(ask("alice", &alice, "pen").await.unwrap(), None);
        assert_eq!(
            ask("alice", &alice, "pencil").await.unwrap(),
            Some(REVISION)
        );
        passwords.places.close();
        assert_eq!(
            ask("alice", &alice, "pencil").await.unwrap(),
            Some(REVISION)
        );
        assert!(
            ask("alice", &alice, "pen").await.is_err(),
            "never remembered"
        );
        assert!(ask("bob", &alice, "pencil").await.is_err(), "another name");
        let renewed = CredentialRevision { id: 1, revision: 2 };
        assert!(ask("alice", &user(renewed, false), "pencil").await.is_err());
        assert!(
            ask("alice", &user(REVISION, true), "pencil").await.is_err(),
            "disabled"
        );
        clock.advance(REMEMBERED_FOR - Duration::from_millis(1));
        assert!(ask("alice", &alice, "pencil").await.is_ok());
        clock.advance(Duration::from_millis(1));
        assert!(ask("alice", &alice, "pencil").await.is_err());
    }

    #[test]
    fn full_queue_of_slow_checks_takes_no_more() {
        let count = AtomicUsize::new(0);
        let waiting: Vec<_> = (0..QUEUE_MAX).map(|_| Waiting::enter(&count)).collect();
        assert!(waiting.iter().all(Result::is_ok));
        assert!(Waiting::enter(&count).is_err());
        drop(waiting);
        assert!(Waiting::enter(&count).is_ok());
    }
}
