//! The TLS side of a listener: which certificate it shows, which client certificates it takes.
//!
//! In: paths and policy. Out: a rustls configuration in a [`TlsSource`] that is swapped whole at reload; a broken file
//! leaves the old one in force. Everything that would fail at the first handshake is refused here, with the remedy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use kastellan_core::time::Timestamp;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::pem::{self, PemError};
use crate::provider::provider;

/// What a listener's TLS is made of.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// Leaf first, then the chain.
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub tls13_only: bool,
    pub clients: ClientCertificates,
    /// Names that clients connect to; the certificate must cover each.
    pub names: Vec<String>,
}

/// Whether clients show a certificate, and which ones are taken.
#[derive(Clone, Debug)]
pub enum ClientCertificates {
    Off,
    Asked {
        required: bool,
        roots: PathBuf,
        revocation_lists: Vec<PathBuf>,
        insecure_accept_stale_crl: bool,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error(
        "{path}: the key does not belong to the certificate\nnext: give the key that the certificate was made for"
    )]
    KeyMismatch { path: PathBuf },
    #[error("{path}: the certificate has ended ({ended})\nnext: renew it")]
    Expired { path: PathBuf, ended: Timestamp },
    #[error("{path}: the certificate does not hold yet ({from})\nnext: check the clock")]
    NotYet { path: PathBuf, from: Timestamp },
    #[error(
        "{path}: the certificate does not cover {name}\nnext: get one with this subject alternative name, or change `advertised`"
    )]
    Name { path: PathBuf, name: String },
    #[error(
        "{path}: the chain is incomplete: nothing here signed {subject}\nnext: append the issuer's certificate to the file"
    )]
    Chain { path: PathBuf, subject: String },
    #[error(
        "{path}: the chain does not hold: {error}\nnext: put the leaf first, then the certificates that signed it, all within their time"
    )]
    BrokenChain { path: PathBuf, error: webpki::Error },
    #[error(
        "{path}: the certificate is not for servers\nnext: get one with the extended key usage serverAuth"
    )]
    Usage { path: PathBuf },
    #[error("{path}: the certificate cannot be used: {error}")]
    Unusable { path: PathBuf, error: String },
    #[error("{path}: cannot be used to check client certificates: {error}")]
    Clients { path: PathBuf, error: String },
    #[error(
        "{path}: the revocation list has ended ({ended})\nnext: fetch the current one, or set insecure_accept_stale_crl"
    )]
    StaleCrl { path: PathBuf, ended: Timestamp },
}

/// A configuration that can be swapped while connections are open.
pub struct TlsSource {
    current: ArcSwap<Ready>,
}

struct Ready {
    config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    not_after: Timestamp,
    lists_end: Option<Timestamp>,
}

impl TlsSource {
    pub fn new(options: &TlsOptions, now: Timestamp) -> Result<Self, TlsError> {
        Ok(Self {
            current: ArcSwap::from_pointee(build(options, now)?),
        })
    }

    /// For the next handshake.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.current.load().config.clone()
    }

    /// Builds beside the old one, then swaps. On an error the old one stays.
    pub fn reload(&self, options: &TlsOptions, now: Timestamp) -> Result<(), TlsError> {
        self.current.store(Arc::new(build(options, now)?));
        Ok(())
    }

    /// Uses from now on what `other` was built from. Open connections are judged by it too.
    pub fn take_over(&self, other: &Self) {
        self.current.store(other.current.load_full());
    }

    /// When the shown certificate ends.
    pub fn not_after(&self) -> Timestamp {
        self.current.load().not_after
    }

    /// When the first of the revocation lists ends. `None`: there are none, or they hold for ever.
    pub fn lists_end(&self) -> Option<Timestamp> {
        self.current.load().lists_end
    }

    /// Judges a client's chain (leaf first) again: still signed by a trusted CA, valid at `now`, not revoked.
    pub fn still_trusts(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> bool {
        let ready = self.current.load();
        let (Some(verifier), Some((leaf, rest))) = (&ready.verifier, chain.split_first()) else {
            return false;
        };
        verifier
            .verify_client_cert(leaf, rest, unix_time(now))
            .is_ok()
    }
}

fn build(options: &TlsOptions, now: Timestamp) -> Result<Ready, TlsError> {
    let chain = pem::certificates(&options.certificate)?;
    let key = pem::private_key(&options.key)?;
    let not_after = check_certificate(options, &chain, now)?;
    let versions: &[&SupportedProtocolVersion] = if options.tls13_only {
        &[&rustls::version::TLS13]
    } else {
        rustls::ALL_VERSIONS
    };
    let unusable = |error: rustls::Error| TlsError::Unusable {
        path: options.certificate.clone(),
        error: error.to_string(),
    };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(unusable)?;
    let (verifier, lists_end) = client_verifier(&options.clients, now)?.unzip();
    let lists_end = lists_end.flatten();
    let builder = match &verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier.clone()),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| key_error(options, error))?;
    config.max_early_data_size = 0;
    if verifier.is_some() {
        // A resumed handshake takes the peer from the ticket and does not ask the verifier: a revoked client would
        // come back.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(unusable)?;
    }
    Ok(Ready {
        config: Arc::new(config),
        verifier,
        not_after,
        lists_end,
    })
}

fn key_error(options: &TlsOptions, error: rustls::Error) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
            path: options.key.clone(),
        },
        other => TlsError::Unusable {
            path: options.certificate.clone(),
            error: other.to_string(),
        },
    }
}

/// Dates, names and completeness of the chain. Returns when the leaf ends.
fn check_certificate(
    options: &TlsOptions,
    chain: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<Timestamp, TlsError> {
    let path = || options.certificate.clone();
    let malformed = |error: &dyn std::fmt::Display| TlsError::Unusable {
        path: path(),
        error: error.to_string(),
    };
    let leaf = chain.first().ok_or_else(|| malformed(&"no certificate"))?;
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|error| malformed(&error))?;
    let from = Timestamp(
        parsed
            .validity()
            .not_before
            .timestamp()
            .saturating_mul(1_000),
    );
    let until = Timestamp(
        parsed
            .validity()
            .not_after
            .timestamp()
            .saturating_mul(1_000),
    );
    if until <= now {
        return Err(TlsError::Expired {
            path: path(),
            ended: until,
        });
    }
    if from > now {
        return Err(TlsError::NotYet { path: path(), from });
    }
    if let Some(name) = options.names.iter().find(|name| !covers(leaf, name)) {
        return Err(TlsError::Name {
            path: path(),
            name: name.clone(),
        });
    }
    let usage = parsed
        .extended_key_usage()
        .map_err(|error| malformed(&error))?;
    if usage.is_some_and(|usage| !usage.value.server_auth && !usage.value.any) {
        return Err(TlsError::Usage { path: path() });
    }
    check_chain(options, chain)?;
    check_signatures(chain, now).map_err(|error| TlsError::BrokenChain {
        path: path(),
        error,
    })?;
    Ok(until)
}

/// Signatures, dates and limits from the leaf up to the last certificate, as a client checks them.
fn check_signatures(
    chain: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<(), webpki::Error> {
    let [leaf, between @ .., last] = chain else {
        return Ok(());
    };
    let anchor = webpki::anchor_from_trusted_cert(last)?;
    webpki::EndEntityCert::try_from(leaf)?
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[anchor],
            between,
            unix_time(now),
            webpki::KeyUsage::server_auth(),
            None,
            None,
        )
        .map(drop)
}

fn unix_time(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(
        u64::try_from(at.millis()).unwrap_or(0),
    ))
}

/// Each certificate is signed by the next; the last is a root, or a root signed it that clients are known to have.
fn check_chain(options: &TlsOptions, chain: &[CertificateDer<'static>]) -> Result<(), TlsError> {
    let parsed: Option<Vec<X509Certificate<'_>>> = chain
        .iter()
        .map(|one| {
            X509Certificate::from_der(one)
                .ok()
                .map(|(_, parsed)| parsed)
        })
        .collect();
    let parsed = parsed.ok_or_else(|| TlsError::Unusable {
        path: options.certificate.clone(),
        error: "a certificate of the chain cannot be parsed".to_owned(),
    })?;
    let missing = |subject: &X509Certificate<'_>| TlsError::Chain {
        path: options.certificate.clone(),
        subject: subject.subject().to_string(),
    };
    for pair in parsed.windows(2) {
        if let [one, next] = pair
            && one.issuer().as_raw() != next.subject().as_raw()
        {
            return Err(missing(one));
        }
    }
    let Some(last) = parsed.last() else {
        return Ok(());
    };
    let is_root = last.issuer().as_raw() == last.subject().as_raw();
    // A chain of one leaf whose issuer is elsewhere is what a forgotten intermediate looks like.
    if !is_root && parsed.len() == 1 && !last.is_ca() {
        return Err(missing(last));
    }
    Ok(())
}

/// What checks clients, and when the first list that it looks into ends.
type Checks = (Arc<dyn ClientCertVerifier>, Option<Timestamp>);

fn client_verifier(
    clients: &ClientCertificates,
    now: Timestamp,
) -> Result<Option<Checks>, TlsError> {
    let ClientCertificates::Asked {
        required,
        roots,
        revocation_lists,
        insecure_accept_stale_crl,
    } = clients
    else {
        return Ok(None);
    };
    let failed = |error: &dyn std::fmt::Display| TlsError::Clients {
        path: roots.clone(),
        error: error.to_string(),
    };
    let mut store = RootCertStore::empty();
    for certificate in pem::certificates(roots)? {
        store.add(certificate).map_err(|error| failed(&error))?;
    }
    let (mut lists, mut lists_end) = (Vec::new(), None);
    for path in revocation_lists {
        for list in pem::revocation_lists(path)? {
            let end = check_list(path, &list, *insecure_accept_stale_crl, now)?;
            lists_end = lists_end.into_iter().chain(end).min();
            lists.push(list);
        }
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider()).with_crls(lists);
    if !insecure_accept_stale_crl {
        builder = builder.enforce_revocation_expiration();
    }
    if !required {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|error| failed(&error))?;
    Ok(Some((verifier, lists_end)))
}

/// When the list ends.
fn check_list(
    path: &std::path::Path,
    list: &[u8],
    accept_stale: bool,
    now: Timestamp,
) -> Result<Option<Timestamp>, TlsError> {
    let (_, parsed) = x509_parser::revocation_list::CertificateRevocationList::from_der(list)
        .map_err(|error| TlsError::Clients {
            path: path.to_owned(),
            error: error.to_string(),
        })?;
    let ended = parsed
        .next_update()
        .map(|at| Timestamp(at.timestamp().saturating_mul(1_000)));
    match ended {
        Some(ended) if ended <= now && !accept_stale => Err(TlsError::StaleCrl {
            path: path.to_owned(),
            ended,
        }),
        other => Ok(other),
    }
}

/// Whether a certificate covers a DNS name or an address.
pub fn covers(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let Ok(parsed) = webpki::EndEntityCert::try_from(certificate) else {
        return false;
    };
    ServerName::try_from(name)
        .is_ok_and(|name| parsed.verify_is_valid_for_subject_name(&name).is_ok())
}

pub(crate) fn covers_all(certificate: &CertificateDer<'_>, names: &[String]) -> bool {
    names.iter().all(|name| covers(certificate, name))
}

/// When a certificate ends.
pub fn not_after(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(Timestamp(
        parsed
            .validity()
            .not_after
            .timestamp()
            .saturating_mul(1_000),
    ))
}

/// Whether key and certificate belong together, for a check before anything starts.
pub fn belongs(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> bool {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .is_ok_and(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .is_ok()
        })
}
