//! Credentials, in memory. Nobody logs in with them here.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::ports::{
    ChangeError, CredentialSource, Pending, Requester, ScramChange, ScramStore, Unavailable,
};
use kastellan_core::principal::PrincipalName;
use kastellan_core::secret::Secret;

/// SCRAM credentials in memory; nobody logs in with them here.
#[derive(Default)]
pub struct Users {
    pub kept: Mutex<BTreeMap<String, Vec<ScramVerifier>>>,
}

impl ScramStore for Users {
    fn list(&self) -> Vec<(String, Vec<(ScramMechanism, u32)>)> {
        let kept = self.kept.lock().unwrap();
        let infos = |all: &Vec<ScramVerifier>| {
            all.iter()
                .map(|one| (one.mechanism, one.iterations))
                .collect()
        };
        kept.iter()
            .map(|(user, all)| (user.clone(), infos(all)))
            .collect()
    }

    fn change<'a>(
        &'a self,
        changes: Vec<ScramChange>,
        _by: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().unwrap();
            let mut outcomes = Vec::new();
            for change in changes {
                outcomes.push(match change {
                    ScramChange::Set { user, verifier } => {
                        let all = kept.entry(user).or_default();
                        all.retain(|one| one.mechanism != verifier.mechanism);
                        all.push(verifier);
                        Ok(())
                    }
                    ScramChange::Delete { user, mechanism } => match kept.get_mut(&user) {
                        Some(all) if all.iter().any(|one| one.mechanism == mechanism) => {
                            all.retain(|one| one.mechanism != mechanism);
                            Ok(())
                        }
                        _ => Err(ChangeError::UnknownCredential(user)),
                    },
                });
            }
            outcomes
        })
    }
}

pub(super) struct NoCredentials(pub(super) Secret);

impl CredentialSource for NoCredentials {
    fn scram<'a>(
        &'a self,
        _user: &'a str,
        _mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>> {
        Box::pin(async { Ok(None) })
    }

    fn password<'a>(
        &'a self,
        _user: &'a str,
        _password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>> {
        Box::pin(async { Ok(None) })
    }

    fn admits(&self, _principal: &PrincipalName) -> bool {
        true
    }

    fn is_current(&self, _user: &str, _credential: CredentialRevision) -> bool {
        true
    }

    fn decoy_key(&self) -> &Secret {
        &self.0
    }
}
