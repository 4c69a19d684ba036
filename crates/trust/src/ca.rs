//! Our own small CA: P-256, ten years, one level, a revocation list that is always current.
//!
//! ```text
//! ca/ca.pem  ca-key.pem  crl.pem  revoked  server.pem  server-key.pem     (directory 0700, files 0600)
//! ```
//! In: names and the time. Out: PEM. `revoked` holds one line a certificate: serial in hex, when, until when it would
//! have been valid. Every file is replaced as a whole; a start that was cut off anywhere is finished by the next one.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kastellan_core::time::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, RevokedCertParams, SanType, SerialNumber,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::pem::{self, PemError};
use crate::{random, server};

const DAY: Duration = Duration::from_secs(86_400);
const CA_LIFE: Duration = Duration::from_secs(3_650 * 86_400);
const SERVER_LIFE: Duration = Duration::from_secs(90 * 86_400);
/// A server certificate is renewed when less than this is left.
const RENEW_BEFORE: Duration = Duration::from_secs(30 * 86_400);
/// How long a client certificate holds.
pub const CLIENT_LIFE: Duration = Duration::from_secs(365 * 86_400);
/// A revocation list says that the next one comes within this; ours is written anew at every change and start.
const CRL_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Clocks of peers may run behind ours.
const BACKDATE: Duration = Duration::from_secs(300);

#[derive(Debug, thiserror::Error)]
pub enum CaError {
    #[error("{path}: {error}")]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{path}: cannot be read: {error}")]
    Malformed { path: PathBuf, error: String },
    #[error("certificate cannot be made: {0}")]
    Issue(#[from] rcgen::Error),
    #[error("{0:?} is no name for a certificate")]
    Name(String),
    #[error(transparent)]
    NoRandomness(#[from] random::NoRandomness),
}

/// A certificate for a client, with its key.
pub struct ClientCertificate {
    /// Lower-case hex.
    pub serial: String,
    pub not_after: Timestamp,
    /// Key, then certificate. PEM.
    pub client_pem: Zeroizing<String>,
    pub ca_pem: String,
}

/// The CA in a directory.
pub struct Ca {
    dir: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
    /// One change of the files at a time.
    changing: Mutex<()>,
}

impl Ca {
    /// Opens the CA, or makes one in a new directory.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, CaError> {
        let (certificate, key) = (dir.join("ca.pem"), dir.join("ca-key.pem"));
        // The certificate comes after the key, and the revocation list after both: without either nothing was signed.
        if !certificate.exists() && !dir.join("crl.pem").exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(|error| CaError::Io {
                    path: dir.to_owned(),
                    error,
                })?;
            make_ca(&certificate, &key, now)?;
        }
        let ca_pem = read(&certificate)?;
        let malformed = |error: rcgen::Error| CaError::Malformed {
            path: key.clone(),
            error: error.to_string(),
        };
        let key_pair = KeyPair::from_pem(&Zeroizing::new(read(&key)?)).map_err(malformed)?;
        let issuer = Issuer::from_ca_cert_pem(&ca_pem, key_pair).map_err(malformed)?;
        let ca = Self {
            dir: dir.to_owned(),
            issuer,
            ca_pem,
            changing: Mutex::new(()),
        };
        ca.write_crl(now)?;
        Ok(ca)
    }

    /// The file that clients trust.
    /// Whether a file is one of the CA's own, which nobody else writes.
    pub fn owns(&self, path: &Path) -> bool {
        path.starts_with(&self.dir)
    }

    pub fn certificate_path(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    pub fn crl_path(&self) -> PathBuf {
        self.dir.join("crl.pem")
    }

    /// Certificate and key of the server.
    pub fn server_paths(&self) -> (PathBuf, PathBuf) {
        (self.dir.join("server.pem"), self.dir.join("server-key.pem"))
    }

    /// Makes a server certificate when there is none, when it is about to end, or when it lacks a name.
    /// Returns whether a new one was made.
    pub fn ensure_server(&self, names: &[String], now: Timestamp) -> Result<bool, CaError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (certificate, key) = self.server_paths();
        if certificate.exists()
            && key.exists()
            && is_current(&certificate, &key, names, now).map_err(|error| CaError::Malformed {
                path: certificate.clone(),
                error: error.to_string(),
            })?
        {
            return Ok(false);
        }
        let mut params = leaf("kastellan", now, SERVER_LIFE)?;
        for name in names {
            params.subject_alt_names.push(san(name)?);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key_pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let issued = params.signed_by(&key_pair, &self.issuer)?;
        write(&key, &secret_pem(&key_pair))?;
        write(
            &certificate,
            format!("{}{}", issued.pem(), self.ca_pem).as_bytes(),
        )?;
        Ok(true)
    }

    /// A certificate whose subject is `CN=name`.
    pub fn issue_client(&self, name: &str, now: Timestamp) -> Result<ClientCertificate, CaError> {
        let mut params = leaf(name, now, CLIENT_LIFE)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let serial = params
            .serial_number
            .as_ref()
            .map(SerialNumber::to_bytes)
            .unwrap_or_default();
        let key_pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let issued = params.signed_by(&key_pair, &self.issuer)?;
        Ok(ClientCertificate {
            serial: hex(&serial),
            not_after: now + CLIENT_LIFE,
            client_pem: Zeroizing::new(
                Zeroizing::new(key_pair.serialize_pem()).to_string() + &issued.pem(),
            ),
            ca_pem: self.ca_pem.clone(),
        })
    }

    /// Revokes certificates by serial; the new list is on the disk when this returns.
    pub fn revoke(
        &self,
        certificates: &[(String, Timestamp)],
        now: Timestamp,
    ) -> Result<(), CaError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.dir.join("revoked");
        let mut text = self.revoked()?;
        for (serial, not_after) in certificates {
            text.push_str(&format!(
                "{serial} {} {}\n",
                now.millis(),
                not_after.millis()
            ));
        }
        write(&path, text.as_bytes())?;
        self.write_list(&text, now)
    }

    /// Writes the revocation list; certificates that have ended by themselves are left out.
    pub fn write_crl(&self, now: Timestamp) -> Result<(), CaError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_list(&self.revoked()?, now)
    }

    fn revoked(&self) -> Result<String, CaError> {
        let path = self.dir.join("revoked");
        if path.exists() {
            read(&path)
        } else {
            Ok(String::new())
        }
    }

    fn write_list(&self, revoked: &str, now: Timestamp) -> Result<(), CaError> {
        let path = self.dir.join("revoked");
        let mut revoked_certs: Vec<RevokedCertParams> = Vec::new();
        let mut seen = HashSet::new();
        for line in revoked.lines() {
            let entry = parse_revoked(line).ok_or_else(|| CaError::Malformed {
                path: path.clone(),
                error: format!("line {line:?}"),
            })?;
            if entry.2 + DAY > now && seen.insert(entry.0.clone()) {
                revoked_certs.push(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(&entry.0),
                    revocation_time: date(entry.1),
                    reason_code: None,
                    invalidity_date: None,
                });
            }
        }
        let params = CertificateRevocationListParams {
            this_update: date(now - BACKDATE),
            next_update: date(now + CRL_LIFE),
            crl_number: SerialNumber::from_slice(&now.millis().to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer)?;
        write(&self.crl_path(), list.pem()?.as_bytes())
    }
}

/// Whether a server certificate can go on: its key, every name, time enough.
fn is_current(
    certificate: &Path,
    key: &Path,
    names: &[String],
    now: Timestamp,
) -> Result<bool, PemError> {
    let chain = pem::certificates(certificate)?;
    let Some(leaf) = chain.first() else {
        return Ok(false);
    };
    let has_time = server::not_after(leaf).is_some_and(|end| end.since(now) > RENEW_BEFORE);
    // A renewal that was cut off leaves the new key beside the old certificate.
    Ok(has_time
        && server::covers_all(leaf, names)
        && server::belongs(chain.clone(), pem::private_key(key)?))
}

fn secret_pem(key: &KeyPair) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(key.serialize_pem().into_bytes())
}

fn parse_revoked(line: &str) -> Option<(Vec<u8>, Timestamp, Timestamp)> {
    let mut fields = line.split(' ');
    let serial = unhex(fields.next()?)?;
    let at = Timestamp(fields.next()?.parse().ok()?);
    let not_after = Timestamp(fields.next()?.parse().ok()?);
    Some((serial, at, not_after))
}

fn make_ca(certificate: &Path, key: &Path, now: Timestamp) -> Result<(), CaError> {
    let key_pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = leaf(
        &format!("Kastellan CA {}", hex(&random::bytes::<4>()?)),
        now,
        CA_LIFE,
    )?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = false;
    let issued = params.self_signed(&key_pair)?;
    write(key, &secret_pem(&key_pair))?;
    write(certificate, issued.pem().as_bytes())
}

/// What every certificate has: a common name, a random serial, an end.
fn leaf(name: &str, now: Timestamp, life: Duration) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date(now - BACKDATE);
    params.not_after = date(now + life);
    let mut serial = random::bytes::<16>()?;
    // Positive and without a leading zero byte, so that every tool prints it alike.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn san(name: &str) -> Result<SanType, CaError> {
    match name.parse::<IpAddr>() {
        Ok(ip) => Ok(SanType::IpAddress(ip)),
        Err(_) => name
            .try_into()
            .map(SanType::DnsName)
            .map_err(|_| CaError::Name(name.to_owned())),
    }
}

fn date(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.millis() / 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn read(path: &Path) -> Result<String, CaError> {
    fs::read_to_string(path).map_err(|error| CaError::Io {
        path: path.to_owned(),
        error,
    })
}

/// Replaces a file as a whole, mode 0600.
fn write(path: &Path, content: &[u8]) -> Result<(), CaError> {
    let replace = || {
        let temporary = path.with_extension("new");
        let _ = fs::remove_file(&temporary);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        path.parent()
            .map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
    };
    replace().map_err(|error| CaError::Io {
        path: path.to_owned(),
        error,
    })
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
