//! From bytes to a principal. A [`Principal`] is made here and nowhere else: behind a certificate that was validated, or
//! a SASL proof that was checked.

mod proofs;
mod sasl;

use bytes::BytesMut;
use kastellan_core::event::{Class, Event, Outcome};
use kastellan_core::principal::{CertificateId, Principal, PrincipalName, Proof};
use kastellan_core::time::Timestamp;
use std::net::SocketAddr;
use trust::principal;

use crate::cause::Cause;
use crate::config::{Listener, LoginKind};
use crate::gateway::Core;
use crate::session::{Chain, Registered, Software};
use crate::transport::Transport;

/// A client that logged in.
pub struct LoggedIn {
    pub principal: Principal,
    pub registered: Registered,
    pub software: Software,
}

/// What a login needs to know of its connection.
pub struct Knock<'a> {
    pub core: &'a Core,
    pub listener: &'a Listener,
    pub peer: SocketAddr,
    pub chain: Option<Chain>,
}

/// Logs a client in by the listener's rules.
pub async fn log_in(
    knock: &Knock<'_>,
    transport: &mut Transport,
    buffer: &mut BytesMut,
) -> Result<LoggedIn, Cause> {
    let (principal, software) = match &knock.listener.login {
        LoginKind::Sasl(mechanisms) => sasl::log_in(knock, mechanisms, transport, buffer).await?,
        LoginKind::Certificate { source, rules } => (
            by_certificate(knock, *source, rules).await?,
            Software::default(),
        ),
        LoginKind::InsecureAnonymous => (
            Principal::proven(PrincipalName::user("ANONYMOUS"), Proof::Anonymous, None),
            Software::default(),
        ),
    };
    register(knock, principal, software).await
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
            return Err(refused(knock, None, "TLS", &error.to_string(), "no_principal").await);
        }
    };
    if !knock.core.ports.credentials.admits(&name) {
        return Err(refused(
            knock,
            Some(name.name()),
            "TLS",
            "user is disabled",
            "disabled_user",
        )
        .await);
    }
    let mut ids: Vec<CertificateId> = Vec::new();
    let mut until: Option<Timestamp> = None;
    for certificate in &chain.certificates {
        let (id, end) = principal::identity(certificate).ok_or(Cause::Handshake)?;
        until = Some(until.map_or(end, |until| until.min(end)));
        ids.push(id);
    }
    let latest = knock.core.ports.clock.now() + knock.core.deadlines().session_max;
    let until = until.map_or(latest, |until| until.min(latest));
    Ok(Principal::proven(
        name,
        Proof::Certificate { chain: ids },
        Some(until),
    ))
}

/// The principal of a checked credential.
fn by_credential(
    knock: &Knock<'_>,
    user: &str,
    mechanism: &'static str,
    credential: kastellan_core::credential::CredentialRevision,
) -> Principal {
    let until = knock.core.ports.clock.now() + knock.core.deadlines().session_max;
    Principal::proven(
        PrincipalName::user(user),
        Proof::Credential {
            mechanism,
            credential,
        },
        Some(until),
    )
}

/// Adds the session, then asks once more whether what proved it still holds.
async fn register(
    knock: &Knock<'_>,
    principal: Principal,
    software: Software,
) -> Result<LoggedIn, Cause> {
    let registered = knock.core.registry.add(&principal, knock.chain.clone());
    let credentials = &knock.core.ports.credentials;
    let holds = match principal.proof() {
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
    };
    if !holds {
        return Err(Cause::Revoked);
    }
    let mechanism = principal.proof().mechanism();
    metrics::counter!("gateway_logins_total", "listener" => knock.listener.name.to_string(), "mechanism" => mechanism, "outcome" => "ok")
        .increment(1);
    let event = Event::new("auth.login", Class::Decision, Outcome::Ok)
        .by(principal.name(), Some(mechanism))
        .from_peer(knock.peer, &knock.listener.name);
    knock
        .core
        .ports
        .trail
        .record(event)
        .await
        .map_err(|error| {
            tracing::error!(%error, "Trail takes no event: logins are refused");
            Cause::Overload
        })?;
    Ok(LoggedIn {
        principal,
        registered,
        software,
    })
}

/// Writes a refused login down.
async fn refused(
    knock: &Knock<'_>,
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
    metrics::counter!("gateway_logins_total", "listener" => knock.listener.name.to_string(), "mechanism" => mechanism, "outcome" => "refused")
        .increment(1);
    let mut event = Event::new("auth.login", Class::Critical, Outcome::Failed)
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
