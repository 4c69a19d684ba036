//! From a socket to an encrypted stream, with the client's certificate if the listener asks for one.
//!
//! A handshake that fails is counted with its reason and, unless the client just went away, written down.

use std::io;
use std::net::SocketAddr;

use kastellan_core::event::{Class, Event, Outcome};
use rustls::{CertificateError, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use trust::server::TlsSource;
use wire::frame::{self, Stray};

use crate::cause::Cause;
use crate::config::{Encryption, Listener};
use crate::gateway::Core;
use crate::session::Chain;
use crate::transport::Transport;

/// A stream that is ready for Kafka bytes, and the client's validated chain.
pub struct Handshaken {
    pub transport: Transport,
    pub chain: Option<Chain>,
}

/// Bytes that tell what a stranger speaks.
const HEAD: usize = 4;
/// How long a clear-text listener waits for them.
const HEAD_WAIT: std::time::Duration = std::time::Duration::from_secs(1);

/// Why a handshake did not come about.
struct Failure {
    /// From a fixed vocabulary.
    reason: &'static str,
    error: String,
    cause: Cause,
}

/// Reasons that say nothing of the client: it went away, as health checks and scanners do.
const SILENT: [&str; 2] = ["client_closed", "timed_out"];

/// Shakes hands within the deadline.
pub async fn shake(
    core: &Core,
    stream: TcpStream,
    listener: &Listener,
    peer: SocketAddr,
) -> Result<Handshaken, Cause> {
    let outcome = match &listener.encryption {
        Encryption::InsecurePlaintext => in_clear_text(stream).await,
        Encryption::Tls(source) => {
            let started = core.ports.clock.monotonic();
            let limit = core.deadlines().tls_handshake;
            let shaken = tokio::time::timeout(limit, encrypted(stream, source)).await;
            let took = core.ports.clock.monotonic().saturating_sub(started);
            if let Ok(Ok(_)) = &shaken {
                metrics::histogram!("gateway_handshake_seconds", "listener" => listener.name.to_string()).record(took);
            }
            shaken.unwrap_or_else(|_| {
                Err(Failure {
                    reason: "timed_out",
                    error: format!("not within {limit:?}"),
                    cause: Cause::LoginDeadline,
                })
            })
        }
    };
    match outcome {
        Ok(handshaken) => Ok(handshaken),
        Err(failure) => {
            note(core, listener, peer, &failure).await;
            Err(failure.cause)
        }
    }
}

async fn note(core: &Core, listener: &Listener, peer: SocketAddr, failure: &Failure) {
    let Failure { reason, error, .. } = failure;
    metrics::counter!("gateway_handshake_failures_total", "listener" => listener.name.to_string(), "reason" => *reason)
        .increment(1);
    if SILENT.contains(reason) {
        tracing::debug!(listener = &*listener.name, %peer, reason, error, "No handshake");
        return;
    }
    tracing::info!(listener = &*listener.name, %peer, reason, error, "Handshake failed");
    let event = Event::new("auth.handshake", Class::Critical, Outcome::Failed)
        .why(reason)
        .with("error", error)
        .from_peer(peer, &listener.name);
    // Closed all the same if the trail cannot take it.
    let _ = core.ports.trail.record(event).await;
}

async fn encrypted(
    stream: TcpStream,
    source: &std::sync::Arc<TlsSource>,
) -> Result<Handshaken, Failure> {
    let mut head = [0; HEAD];
    let count = stream.peek(&mut head).await.unwrap_or(0);
    let head = head.get(..count).unwrap_or_default();
    let shaken = TlsAcceptor::from(source.config()).accept(stream).await;
    let stream: TlsStream<TcpStream> = shaken.map_err(|error| Failure {
        reason: reason(&error, head),
        error: error.to_string(),
        cause: Cause::Handshake,
    })?;
    let chain = stream.get_ref().1.peer_certificates().map(|chain| Chain {
        certificates: chain.iter().map(|one| one.clone().into_owned()).collect(),
        trust: source.clone(),
    });
    Ok(Handshaken {
        transport: Transport::tls(stream),
        chain,
    })
}

/// Nothing to shake; something else than Kafka is told apart by its first bytes.
async fn in_clear_text(stream: TcpStream) -> Result<Handshaken, Failure> {
    let mut head = [0; HEAD];
    let peeked = tokio::time::timeout(HEAD_WAIT, stream.peek(&mut head)).await;
    let count = peeked.map_or(0, |count| count.unwrap_or(0));
    let (reason, error) = match frame::stray(head.get(..count).unwrap_or_default()) {
        Some(Stray::TlsClient) => ("tls_client", "TLS client on a plaintext listener"),
        Some(Stray::HttpClient) => ("http_client", "HTTP client on a Kafka listener"),
        Some(Stray::KafkaClient) | None => {
            return Ok(Handshaken {
                transport: Transport::Plain(stream),
                chain: None,
            });
        }
    };
    Err(Failure {
        reason,
        error: error.to_owned(),
        cause: Cause::Handshake,
    })
}

fn reason(error: &io::Error, head: &[u8]) -> &'static str {
    match frame::stray(head) {
        Some(Stray::KafkaClient) => return "plaintext_client",
        Some(Stray::HttpClient) => return "http_client",
        Some(Stray::TlsClient) | None => {}
    }
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        None => "client_closed",
        Some(Error::NoCertificatesPresented) => "no_certificate",
        Some(Error::InvalidCertificate(wrong)) => of_certificate(wrong),
        // The client does not trust this server, or wanted something else.
        Some(Error::AlertReceived(_)) => "refused_by_client",
        Some(Error::PeerIncompatible(_)) => "incompatible",
        Some(Error::PeerMisbehaved(_)) => "misbehaved",
        Some(_) => "malformed",
    }
}

fn of_certificate(wrong: &CertificateError) -> &'static str {
    match wrong {
        CertificateError::Revoked => "revoked",
        CertificateError::UnknownIssuer => "unknown_ca",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "not_yet_valid"
        }
        CertificateError::UnknownRevocationStatus => "no_revocation_list",
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => "stale_revocation_list",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "not_for_clients"
        }
        _ => "bad_certificate",
    }
}
