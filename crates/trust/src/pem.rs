//! Certificates, keys and revocation lists from PEM files, with errors that name the file and the remedy.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// Bytes of a PEM file, at most.
const FILE_MAX: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum PemError {
    #[error("{path}: {error}")]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error("{path}: is larger than {FILE_MAX} bytes, which no PEM file needs")]
    TooLarge { path: PathBuf },
    #[error("{path}: holds no {what}; it must have a -----BEGIN {begin}----- block")]
    Nothing {
        path: PathBuf,
        what: &'static str,
        begin: &'static str,
    },
    #[error("{path}: is not PEM: {error}")]
    Malformed { path: PathBuf, error: String },
}

/// Reads a file, up to the cap.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PemError> {
    let io = |error| PemError::Io {
        path: path.to_owned(),
        error,
    };
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .map_err(io)?
        .take(FILE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(PemError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// Every certificate of a file, in order.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let bytes = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|error| malformed(path, &error))?;
    if certificates.is_empty() {
        return Err(PemError::Nothing {
            path: path.to_owned(),
            what: "certificate",
            begin: "CERTIFICATE",
        });
    }
    Ok(certificates)
}

/// The first private key of a file: PKCS#8, SEC1 or PKCS#1.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    let bytes = read(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        rustls_pki_types::pem::Error::NoItemsFound => PemError::Nothing {
            path: path.to_owned(),
            what: "private key",
            begin: "PRIVATE KEY",
        },
        other => malformed(path, &other),
    })
}

/// Every revocation list of a file.
pub fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, PemError> {
    let bytes = read(path)?;
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    let lists = lists.map_err(|error| malformed(path, &error))?;
    if lists.is_empty() {
        return Err(PemError::Nothing {
            path: path.to_owned(),
            what: "revocation list",
            begin: "X509 CRL",
        });
    }
    Ok(lists)
}

fn malformed(path: &Path, error: &dyn std::fmt::Display) -> PemError {
    PemError::Malformed {
        path: path.to_owned(),
        error: error.to_string(),
    }
}
