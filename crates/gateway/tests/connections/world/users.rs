//! Users in memory, and rules and users that nobody changes.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::filter::RuleFilter;
use kastellan_core::policy::Policy;
use kastellan_core::ports::{
    ChangeError, CredentialSource, Pending, PolicySource, Requester, RuleStore, ScramChange,
    ScramStore, Unavailable,
};
use kastellan_core::principal::PrincipalName;
use kastellan_core::rule::{Rule, RuleDefinition};
use kastellan_core::secret::Secret;
use wire::sasl::scram::keys;

pub const PASSWORD: &str = "correct horse";

/// Users with one password for every mechanism.
pub struct Users {
    verifiers: HashMap<(String, ScramMechanism), ScramVerifier>,
    revisions: Mutex<HashMap<String, CredentialRevision>>,
    disabled: Mutex<BTreeSet<String>>,
    is_down: AtomicBool,
    is_hanging: AtomicBool,
    decoy: Secret,
}

impl Users {
    pub(super) fn new() -> Self {
        let mut verifiers = HashMap::new();
        let mut revisions = HashMap::new();
        for (id, user) in (1..).zip(["alice", "bob"]) {
            for mechanism in ScramMechanism::ALL {
                let made =
                    keys::verifier(mechanism, &PASSWORD.to_owned().into(), b"some salt", 4_096);
                verifiers.insert((user.to_owned(), mechanism), made.unwrap());
            }
            revisions.insert(user.to_owned(), CredentialRevision { id, revision: 1 });
        }
        Self {
            verifiers,
            revisions: Mutex::new(revisions),
            disabled: Mutex::default(),
            is_down: AtomicBool::new(false),
            is_hanging: AtomicBool::new(false),
            decoy: vec![9; 32].into(),
        }
    }

    /// Nothing can be looked up any more.
    pub fn break_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    pub fn disable(&self, name: &str) {
        self.disabled.lock().unwrap().insert(name.to_owned());
    }

    pub fn revision(&self, user: &str) -> CredentialRevision {
        self.revisions.lock().unwrap()[user]
    }

    /// As if the password had been set anew.
    pub fn renew(&self, user: &str) -> CredentialRevision {
        let mut revisions = self.revisions.lock().unwrap();
        let revision = revisions.get_mut(user).unwrap();
        revision.revision += 1;
        *revision
    }

    /// Look-ups do not come back any more.
    pub fn hang(&self) {
        self.is_hanging.store(true, Ordering::SeqCst);
    }

    async fn is_up(&self) -> Result<(), Unavailable> {
        if self.is_hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Unavailable("down".to_owned()));
        }
        Ok(())
    }

    fn known(&self, user: &str) -> Option<CredentialRevision> {
        self.revisions.lock().unwrap().get(user).copied()
    }
}

impl CredentialSource for Users {
    fn scram<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>> {
        Box::pin(async move {
            self.is_up().await?;
            let verifier = self.verifiers.get(&(user.to_owned(), mechanism)).cloned();
            Ok(verifier.zip(self.known(user)))
        })
    }

    fn password<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>> {
        Box::pin(async move {
            self.is_up().await?;
            Ok(self
                .known(user)
                .filter(|_| password.matches(PASSWORD.as_bytes())))
        })
    }

    fn admits(&self, principal: &PrincipalName) -> bool {
        !self.disabled.lock().unwrap().contains(principal.name())
    }

    fn is_current(&self, user: &str, credential: CredentialRevision) -> bool {
        let is_disabled = self.disabled.lock().unwrap().contains(user);
        !is_disabled && self.known(user) == Some(credential)
    }

    fn decoy_key(&self) -> &Secret {
        &self.decoy
    }
}

/// Nobody changes rules or users here.
pub(super) struct Fixed(pub(super) Arc<Policy>);

impl PolicySource for Fixed {
    fn current(&self) -> Arc<Policy> {
        self.0.clone()
    }
}

impl RuleStore for Fixed {
    fn add<'a>(
        &'a self,
        _: Vec<RuleDefinition>,
        _: &'a Requester,
    ) -> Pending<'a, Result<Vec<Rule>, ChangeError>> {
        Box::pin(async { Err(ChangeError::Invalid("fixed".to_owned())) })
    }

    fn remove<'a>(
        &'a self,
        _: Vec<RuleFilter>,
        _: &'a Requester,
    ) -> Pending<'a, Result<Vec<Vec<Rule>>, ChangeError>> {
        Box::pin(async { Err(ChangeError::Invalid("fixed".to_owned())) })
    }
}

impl ScramStore for Fixed {
    fn list(&self) -> Vec<(String, Vec<(ScramMechanism, u32)>)> {
        Vec::new()
    }

    fn change<'a>(
        &'a self,
        _: Vec<ScramChange>,
        _: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>> {
        Box::pin(async { Vec::new() })
    }
}
