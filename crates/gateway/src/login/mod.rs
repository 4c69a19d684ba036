//! From bytes to a principal. A [`Principal`] is made here and nowhere else: behind a certificate that was validated, or
//! a SASL proof that was checked.

mod again;
mod line;
mod out_of_turn;
mod proofs;
mod sasl;

use bytes::BytesMut;
use kastellan_core::credential::CredentialRevision;
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::principal::{CertificateId, Principal, PrincipalName, Proof};
use kastellan_core::time::Timestamp;
use std::net::SocketAddr;
use trust::principal;

use crate::cause::Cause;
use crate::config::{Listener, LoginKind};
use crate::gateway::Core;
use crate::limits::connections::Place;
use crate::session::{Chain, Registered, Software};
use crate::transport::Transport;

pub use again::log_in_again;
pub use line::{Line, Turn, caps, in_login, patience};

/// A client that logged in.
pub struct LoggedIn {
    pub principal: Principal,
    pub registered: Registered,
    pub software: Software,
    /// When the first certificate of its chain ends.
    pub chain_ends: Option<Timestamp>,
}

/// What a login needs to know of its connection.
pub struct Knock<'a> {
    pub core: &'a Core,
    pub listener: &'a Listener,
    pub peer: SocketAddr,
    pub chain: Option<Chain>,
    /// When the first certificate of the chain ends.
    pub chain_ends: Option<Timestamp>,
}

/// A login, or another one on a session that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    First,
    Again,
}

impl Round {
    const fn event(self) -> &'static str {
        match self {
            Self::First => "auth.login",
            Self::Again => "auth.reauthenticated",
        }
    }

    fn count(self, knock: &Knock<'_>, mechanism: &'static str, outcome: &'static str) {
        let listener = knock.listener.name.to_string();
        match self {
            Self::First => metrics::counter!("gateway_logins_total", "listener" => listener, "mechanism" => mechanism, "outcome" => outcome),
            Self::Again => metrics::counter!("gateway_reauthentications_total", "listener" => listener, "mechanism" => mechanism, "outcome" => outcome),
        }
        .increment(1);
    }
}

/// Logs a client in by the listener's rules.
pub async fn log_in(
    knock: &Knock<'_>,
    place: &mut Place,
    transport: &mut Transport,
    buffer: &mut BytesMut,
) -> Result<LoggedIn, Cause> {
    let principal = match &knock.listener.login {
        LoginKind::Sasl(offered) => {
            return sasl::log_in(knock, place, offered, transport, buffer).await;
        }
        LoginKind::Certificate { source, rules } => by_certificate(knock, *source, rules).await?,
        LoginKind::InsecureAnonymous => {
            Principal::proven(PrincipalName::user("ANONYMOUS"), Proof::Anonymous, None)
        }
    };
    match admit(knock, place, &principal).await {
        Ok(registered) => Ok(LoggedIn {
            principal,
            registered,
            software: Software::default(),
            chain_ends: knock.chain_ends,
        }),
        Err(Denied::Unavailable) => Err(Cause::Overload),
        Err(denied) => {
            let (name, mechanism) = (principal.name().name(), principal.proof().mechanism());
            refused(
                knock,
                Round::First,
                Some(name),
                mechanism,
                denied.error(),
                denied.why(),
            )
            .await;
            Err(denied.cause())
        }
    }
}

/// When the first certificate of a validated chain ends. One that cannot be read has ended.
pub fn chain_ends(chain: &Chain) -> Timestamp {
    let ends = chain
        .certificates
        .iter()
        .map(|one| principal::identity(one).map_or(Timestamp(0), |(_, end)| end));
    ends.min().unwrap_or(Timestamp(0))
}

/// The principal that a validated certificate names; every refusal closes before any Kafka byte.
async fn by_certificate(
    knock: &Knock<'_>,
    source: principal::Source,
    rules: &principal::MappingRules,
) -> Result<Principal, Cause> {
    let Some(chain) = &knock.chain else {
        return Err(Cause::Handshake);
    };
    let leaf = chain.certificates.first().ok_or(Cause::Handshake)?;
    let name = match principal::name(leaf, source, rules) {
        Ok(name) => name,
        Err(error) => {
            let error = error.to_string();
            return Err(refused_certificate(knock, None, &error, "no_principal").await);
        }
    };
    if !knock.core.ports.credentials.admits(&name) {
        let (name, error) = (Some(name.name()), "user is disabled");
        return Err(refused_certificate(knock, name, error, "disabled_user").await);
    }
    let ids: Option<Vec<CertificateId>> = chain
        .certificates
        .iter()
        .map(|one| principal::identity(one).map(|(id, _)| id))
        .collect();
    let Some(chain) = ids else {
        // Whether it is revoked could not be asked.
        let (name, error) = (Some(name.name()), "the issuer's name cannot be read");
        return Err(refused_certificate(knock, name, error, "unreadable_issuer").await);
    };
    Ok(Principal::proven(
        name,
        Proof::Certificate { chain },
        Some(until(knock)),
    ))
}

async fn refused_certificate(
    knock: &Knock<'_>,
    user: Option<&str>,
    error: &str,
    why: &str,
) -> Cause {
    refused(knock, Round::First, user, "TLS", error, why).await
}

/// The principal of a checked credential.
fn by_credential(
    knock: &Knock<'_>,
    user: &str,
    mechanism: &'static str,
    credential: CredentialRevision,
) -> Principal {
    Principal::proven(
        PrincipalName::user(user),
        Proof::Credential {
            mechanism,
            credential,
        },
        Some(until(knock)),
    )
}

/// Until when a session may go on that is proven now.
fn until(knock: &Knock<'_>) -> Timestamp {
    let latest = knock.core.ports.clock.now() + knock.core.deadlines().session_max;
    knock.chain_ends.map_or(latest, |ends| ends.min(latest))
}

/// Why a right proof opens no session.
enum Denied {
    Full,
    Revoked,
    Unavailable,
}

impl Denied {
    const fn why(&self) -> &'static str {
        match self {
            Self::Full => "max_connections_per_principal",
            Self::Revoked => "revoked",
            Self::Unavailable => "unavailable",
        }
    }

    const fn error(&self) -> &'static str {
        match self {
            Self::Full => "principal has as many connections as it may have",
            Self::Revoked => "what proved the client was taken back in the meantime",
            Self::Unavailable => "trail takes no event",
        }
    }

    const fn cause(&self) -> Cause {
        match self {
            Self::Full => Cause::Cap,
            Self::Revoked => Cause::Revoked,
            Self::Unavailable => Cause::Overload,
        }
    }
}

/// Takes a principal in: within its cap, findable for revocations, written down.
async fn admit(
    knock: &Knock<'_>,
    place: &mut Place,
    principal: &Principal,
) -> Result<Registered, Denied> {
    place
        .logged_in(&principal.name().to_string(), &knock.core.limits())
        .map_err(|_| Denied::Full)?;
    let registered =
        knock
            .core
            .registry
            .add(principal, knock.chain.clone(), knock.listener.name.clone());
    confirm(knock, Round::First, principal, registered.id).await?;
    Ok(registered)
}

/// Asks once more whether a proof still holds, now that a revocation would find its session; then writes it down.
async fn confirm(
    knock: &Knock<'_>,
    round: Round,
    principal: &Principal,
    session: u64,
) -> Result<(), Denied> {
    if !holds(knock, principal) {
        return Err(Denied::Revoked);
    }
    let mechanism = principal.proof().mechanism();
    let mut event = Event::new(round.event(), Class::Decision, Outcome::Ok)
        .by(principal.name(), Some(mechanism))
        .from_peer(knock.peer, &knock.listener.name);
    event.session = Some(session);
    let recorded = knock.core.ports.trail.record(event).await;
    recorded.map_err(|error| {
        tracing::error!(%error, "Trail takes no event: logins are refused");
        Denied::Unavailable
    })?;
    round.count(knock, mechanism, "ok");
    Ok(())
}

fn holds(knock: &Knock<'_>, principal: &Principal) -> bool {
    let credentials = &knock.core.ports.credentials;
    match principal.proof() {
        Proof::Credential { credential, .. } => {
            credentials.is_current(principal.name().name(), *credential)
        }
        Proof::Certificate { .. } => {
            let now = knock.core.ports.clock.now();
            credentials.admits(principal.name())
                && knock
                    .chain
                    .as_ref()
                    .is_some_and(|chain| chain.trust.still_trusts(&chain.certificates, now))
        }
        Proof::Anonymous => true,
    }
}

/// Writes a refused login down.
async fn refused(
    knock: &Knock<'_>,
    round: Round,
    user: Option<&str>,
    mechanism: &'static str,
    error: &str,
    why: &str,
) -> Cause {
    tracing::info!(
        listener = &*knock.listener.name,
        peer = %knock.peer,
        principal = user.unwrap_or("-"),
        mechanism,
        error,
        "Login refused"
    );
    round.count(knock, mechanism, "refused");
    let mut event = Event::new(round.event(), Class::Critical, Outcome::Failed)
        .why(why)
        .with("mechanism", mechanism)
        .from_peer(knock.peer, &knock.listener.name);
    if let Some(user) = user {
        event = event.by(&PrincipalName::user(user), Some(mechanism));
    }
    // Refused all the same if the trail cannot take it.
    let _ = knock.core.ports.trail.record(event).await;
    Cause::LoginRefused
}
