//! The proofs themselves: a password (RFC 4616), or the knowledge of one (RFC 5802), looked up and checked.

use kastellan_core::credential::{CredentialRevision, ScramMechanism};
use kastellan_core::ports::Unavailable;
use wire::header::RequestHeader;
use wire::sasl::scram::{self, Nonce};
use wire::sasl::{Mechanism, plain};

use super::line::Line;
use super::sasl::{Dialogue, Wrong};
use crate::cause::Cause;

/// Why a right proof was refused.
const GUARDED: &str = "guarded_account";

/// A right proof, and the last word that is still to be said.
pub(super) struct Proven {
    pub(super) header: RequestHeader,
    pub(super) user: String,
    pub(super) credential: CredentialRevision,
    pub(super) last: Vec<u8>,
}

impl<L: Line> Dialogue<'_, '_, L> {
    /// A right proof counts for nothing while its account is under attack from elsewhere.
    fn let_in(&self, user: String) -> Result<String, Wrong> {
        let core = self.knock.core;
        let (ip, now) = (self.knock.peer.ip(), core.ports.clock.monotonic());
        if core.throttle.is_guarded(ip, &user, now) {
            metrics::counter!("gateway_login_throttled_total", "scope" => "account").increment(1);
            let error = "account is under attack and this source is new to it";
            return Err(Wrong::guarded(user, error, GUARDED));
        }
        core.throttle.succeeded(ip, &user, now);
        Ok(user)
    }

    /// A look-up that fails or takes too long closes unanswered, so that the client tries again.
    async fn look_up<T>(
        &self,
        asked: impl Future<Output = Result<T, Unavailable>>,
    ) -> Result<T, Cause> {
        let limit = self.knock.core.deadlines().look_up;
        let found = tokio::time::timeout(limit, asked).await;
        found.map_err(|_| Cause::Overload)?.map_err(|error| {
            tracing::warn!(%error, "Credentials cannot be looked up");
            Cause::Overload
        })
    }

    pub(super) async fn plain(&mut self) -> Result<Proven, Cause> {
        let (header, message) = self.token(Mechanism::Plain).await?;
        match self.check_plain(&message).await? {
            Ok((user, credential)) => Ok(Proven {
                header,
                user,
                credential,
                last: Vec::new(),
            }),
            Err(wrong) => Err(self.refuse(&header, Mechanism::Plain, wrong).await),
        }
    }

    async fn check_plain(
        &self,
        message: &[u8],
    ) -> Result<Result<(String, CredentialRevision), Wrong>, Cause> {
        let claim = match plain::parse(message) {
            Ok(claim) => claim,
            Err(error) => return Ok(Err(Wrong::proof(None, error, "malformed"))),
        };
        let user = claim.user().to_owned();
        let credentials = &self.knock.core.ports.credentials;
        let found = self
            .look_up(credentials.password(&user, claim.password()))
            .await?;
        let Some(credential) = found else {
            let error = "user is unknown or the password is wrong";
            return Ok(Err(Wrong::proof(Some(user), error, "bad_proof")));
        };
        Ok(match claim.proven() {
            Ok(user) => self.let_in(user).map(|user| (user, credential)),
            Err(error) => Err(Wrong::proof(Some(user), error, "other_authzid")),
        })
    }

    pub(super) async fn scram(&mut self, mechanism: ScramMechanism) -> Result<Proven, Cause> {
        let named = Mechanism::Scram(mechanism);
        let (header, message) = self.token(named).await?;
        let claimed = match scram::server::first(mechanism, &message) {
            Ok(claimed) => claimed,
            Err(error) => {
                let wrong = Wrong::proof(None, error, "malformed");
                return Err(self.refuse(&header, named, wrong).await);
            }
        };
        let credentials = &self.knock.core.ports.credentials;
        let found = self
            .look_up(credentials.scram(claimed.user(), mechanism))
            .await?;
        let (verifier, credential) = found.unzip();
        let candidate = claimed.candidate(verifier, credentials.decoy_key());
        let random = trust::random::bytes::<24>().map_err(|_| Cause::Internal)?;
        let (challenged, challenge) = claimed.challenge(candidate, &Nonce::from_random(random));
        self.challenge(&header, challenge).await?;
        let (header, message) = self.token(named).await?;
        let user = challenged.user().to_owned();
        let wrong = match (challenged.finish(&message), credential) {
            (Ok(proven), Some(credential)) => {
                let (user, last) = proven.into_parts();
                match self.let_in(user) {
                    Ok(user) => {
                        return Ok(Proven {
                            header,
                            user,
                            credential,
                            last,
                        });
                    }
                    Err(wrong) => wrong,
                }
            }
            (Ok(_), None) => Wrong::proof(Some(user), "no credential", "bad_proof"),
            (Err(error), _) => Wrong::proof(Some(user), error, "bad_proof"),
        };
        Err(self.refuse(&header, named, wrong).await)
    }
}
