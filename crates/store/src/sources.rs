//! How the gateway reads the store: credentials and the policy, from memory.

use std::sync::Arc;

use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::policy::Policy;
use kastellan_core::ports::{CredentialSource, Pending, PolicySource, Unavailable};
use kastellan_core::principal::{PrincipalName, USER};
use kastellan_core::secret::Secret;

use crate::Store;

impl CredentialSource for Store {
    fn scram<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>> {
        let snapshot = self.current();
        let found = snapshot
            .users
            .get(user)
            .filter(|user| !user.disabled)
            .and_then(|user| user.scram(mechanism))
            .map(|(verifier, revision)| (verifier.clone(), revision));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn password<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>> {
        Box::pin(async move {
            let snapshot = self.current();
            self.passwords
                .check(user, snapshot.users.get(user), &self.pepper, password)
                .await
        })
    }

    /// A principal of another type than `User` has no account, and nobody can disable it.
    fn admits(&self, principal: &PrincipalName) -> bool {
        principal.kind() != USER
            || !self
                .current()
                .users
                .get(principal.name())
                .is_some_and(|user| user.disabled)
    }

    fn is_current(&self, user: &str, credential: CredentialRevision) -> bool {
        self.current().users.get(user).is_some_and(|user| {
            !user.disabled
                && user
                    .credentials
                    .iter()
                    .any(|known| known.revision == credential)
        })
    }

    fn decoy_key(&self) -> &Secret {
        &self.decoy_key
    }
}

impl PolicySource for Store {
    fn current(&self) -> Arc<Policy> {
        self.snapshot.load().policy.clone()
    }
}
