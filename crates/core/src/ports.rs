//! What the gateway asks of the world, as traits that the binary fills. No implementation lives here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use crate::event::Event;
use crate::filter::RuleFilter;
use crate::policy::Policy;
use crate::principal::{CertificateId, PrincipalName};
use crate::rule::{Rule, RuleDefinition};
use crate::secret::Secret;

/// A boxed future: these traits are used as objects.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The world could not answer. While deciding, this is a "no"; while logging in, the connection closes unanswered
/// so that the client tries again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Where credentials are looked up.
pub trait CredentialSource: Send + Sync {
    /// The verifier of a user for a mechanism; `None` for an unknown or disabled user or one without it.
    fn scram<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>>;

    /// Checks a password or a service's secret (SASL PLAIN). An unknown user costs as much as a known one.
    /// `Err` also when the bounded hashing pool is full.
    fn password<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>>;

    /// Whether a principal proven by a certificate may have a session (a disabled user may not).
    fn admits(&self, principal: &PrincipalName) -> bool;

    /// Whether this credential is still the current one. Asked again after a session was registered.
    fn is_current(&self, user: &str, credential: CredentialRevision) -> bool;

    /// Key for salts of users that do not exist; the same over restarts.
    fn decoy_key(&self) -> &Secret;
}

/// Where the newest policy is found. Reading is cheap: one pointer.
pub trait PolicySource: Send + Sync {
    fn current(&self) -> Arc<Policy>;
}

/// Where trail events go.
pub trait TrailSink: Send + Sync {
    /// Appends; ready when the event's class is satisfied (a change: durable; a refusal: appended). Gives the number of
    /// its entry, unless it was counted together with others.
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>>;

    /// Appends several, in order; they become durable together.
    fn record_all<'a>(
        &'a self,
        events: Vec<Event>,
    ) -> Pending<'a, Result<Vec<Option<u64>>, Unavailable>> {
        Box::pin(async move {
            let mut numbers = Vec::with_capacity(events.len());
            for event in events {
                numbers.push(self.record(event).await?);
            }
            Ok(numbers)
        })
    }

    /// Appends without waiting; for events that may be dropped and counted.
    fn note(&self, event: Event);

    /// Appends without waiting, and drops nothing: for what came of a change that was announced.
    fn owe(&self, event: Event) {
        self.note(event);
    }
}

/// Who asks for a change of the policy or of credentials, for the trail.
#[derive(Clone, Debug)]
pub struct Requester {
    pub principal: PrincipalName,
    pub proof: &'static str,
    pub peer: Option<std::net::SocketAddr>,
    pub listener: String,
}

/// Why a change was not made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("user {0:?} does not exist")]
    UnknownUser(String),
    #[error("user {0:?} has no such credential")]
    UnknownCredential(String),
    #[error("{0}")]
    Invalid(String),
    /// More rules than one request may change, or more filters than it may have.
    #[error("one request changes or finds {0} rules at most")]
    TooMany(usize),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The rules, changed. Every change is one transaction with its trail event, and in force when the future ends.
pub trait RuleStore: Send + Sync {
    /// Adds rules; one that exists already is left as it is. Ids in the order asked.
    fn add<'a>(
        &'a self,
        rules: Vec<RuleDefinition>,
        by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Rule>, ChangeError>>;

    /// Removes what the filters find, all or nothing; one list of removed rules per filter.
    fn remove<'a>(
        &'a self,
        filters: Vec<RuleFilter>,
        by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Vec<Rule>>, ChangeError>>;
}

/// A change of one user's SCRAM credential.
#[derive(Clone, Debug)]
pub enum ScramChange {
    Set {
        user: String,
        verifier: ScramVerifier,
    },
    Delete {
        user: String,
        mechanism: ScramMechanism,
    },
}

/// SCRAM credentials, changed through Kafka's own admin protocol.
pub trait ScramStore: Send + Sync {
    /// All users with SCRAM credentials, by name: mechanism and iterations.
    fn list(&self) -> Vec<(String, Vec<(ScramMechanism, u32)>)>;

    /// One outcome per change, in order. A user that does not exist is made.
    fn change<'a>(
        &'a self,
        changes: Vec<ScramChange>,
        by: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>>;
}

/// What ends open sessions at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Disabled or deleted: every session of the principal, however proven.
    Principal(PrincipalName),
    /// A password or SCRAM credential was changed: sessions opened with an older revision.
    Credential {
        user: String,
        current: Option<CredentialRevision>,
        id: i64,
    },
    /// A certificate was revoked.
    Certificate(CertificateId),
    /// The set of trusted CAs or the revocation lists changed: every certificate chain is judged again.
    TrustChanged,
    /// The policy changed: requests in flight are judged on the newest snapshot.
    Policy,
}

/// Takes revocations; the gateway's session registry is one.
pub trait RevocationSink: Send + Sync {
    fn revoke(&self, revocation: Revocation);
}
