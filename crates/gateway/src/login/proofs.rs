//! The proofs themselves: a password (RFC 4616), or the knowledge of one (RFC 5802), looked up and checked.

use kastellan_core::credential::{CredentialRevision, ScramMechanism};
use kastellan_core::principal::Principal;
use wire::sasl::scram::{self, Nonce};
use wire::sasl::{Mechanism, plain};

use super::by_credential;
use super::sasl::{Dialogue, GUARDED, Wrong};
use crate::cause::Cause;

impl Dialogue<'_, '_> {
    /// A right proof counts for nothing while its account is under attack from elsewhere.
    fn let_in(&self, user: String) -> Result<String, Wrong> {
        let core = self.knock.core;
        let (ip, now) = (self.knock.peer.ip(), core.ports.clock.monotonic());
        if core.throttle.is_guarded(ip, &user, now) {
            metrics::counter!("gateway_login_throttled_total", "scope" => "account").increment(1);
            return Err(Wrong {
                user: Some(user),
                error: "account is under attack and this source is new to it".to_owned(),
                why: GUARDED,
            });
        }
        core.throttle.succeeded(ip, &user, now);
        Ok(user)
    }

    pub(super) async fn plain(&mut self) -> Result<Principal, Cause> {
        let (header, message) = self.token().await?;
        match self.check_plain(&message).await? {
            Ok((user, credential)) => {
                self.answer(&header, Vec::new()).await?;
                Ok(by_credential(
                    self.knock,
                    &user,
                    Mechanism::Plain.name(),
                    credential,
                ))
            }
            Err(wrong) => Err(self.refuse(&header, Mechanism::Plain, wrong).await),
        }
    }

    async fn check_plain(
        &self,
        message: &[u8],
    ) -> Result<Result<(String, CredentialRevision), Wrong>, Cause> {
        let claim = match plain::parse(message) {
            Ok(claim) => claim,
            Err(error) => {
                return Ok(Err(Wrong {
                    user: None,
                    error: error.to_string(),
                    why: "malformed",
                }));
            }
        };
        let user = claim.user().to_owned();
        let found = self
            .knock
            .core
            .ports
            .credentials
            .password(&user, claim.password())
            .await;
        // Closed unanswered, so that the client tries again.
        let found = found.map_err(|_| Cause::Overload)?;
        let Some(credential) = found else {
            let error = "user is unknown or the password is wrong".to_owned();
            return Ok(Err(Wrong {
                user: Some(user),
                error,
                why: "bad_proof",
            }));
        };
        Ok(match claim.proven() {
            Ok(user) => self.let_in(user).map(|user| (user, credential)),
            Err(error) => Err(Wrong {
                user: Some(user),
                error: error.to_string(),
                why: "other_authzid",
            }),
        })
    }

    pub(super) async fn scram(&mut self, mechanism: ScramMechanism) -> Result<Principal, Cause> {
        let named = Mechanism::Scram(mechanism);
        let (header, message) = self.token().await?;
        let claimed = match scram::server::first(mechanism, &message) {
            Ok(claimed) => claimed,
            Err(error) => {
                let wrong = Wrong {
                    user: None,
                    error: error.to_string(),
                    why: "malformed",
                };
                return Err(self.refuse(&header, named, wrong).await);
            }
        };
        let credentials = &self.knock.core.ports.credentials;
        let found = credentials
            .scram(claimed.user(), mechanism)
            .await
            .map_err(|_| Cause::Overload)?;
        let (verifier, credential) = match found {
            Some((verifier, credential)) => (Some(verifier), Some(credential)),
            None => (None, None),
        };
        let candidate = claimed.candidate(verifier, credentials.decoy_key());
        let random = trust::random::bytes::<24>().map_err(|_| Cause::Internal)?;
        let (challenged, challenge) = claimed.challenge(candidate, &Nonce::from_random(random));
        self.answer(&header, challenge).await?;
        let (header, message) = self.token().await?;
        let user = challenged.user().to_owned();
        match (challenged.finish(&message), credential) {
            (Ok(proven), Some(credential)) => {
                let (user, last) = proven.into_parts();
                let user = match self.let_in(user) {
                    Ok(user) => user,
                    Err(wrong) => return Err(self.refuse(&header, named, wrong).await),
                };
                self.answer(&header, last).await?;
                Ok(by_credential(
                    self.knock,
                    &user,
                    mechanism.name(),
                    credential,
                ))
            }
            (outcome, _) => {
                let error = outcome
                    .err()
                    .map_or_else(|| "no credential".to_owned(), |error| error.to_string());
                Err(self
                    .refuse(
                        &header,
                        named,
                        Wrong {
                            user: Some(user),
                            error,
                            why: "bad_proof",
                        },
                    )
                    .await)
            }
        }
    }
}
