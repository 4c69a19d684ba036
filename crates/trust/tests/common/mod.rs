//! A CA in a directory of its own, with server and client certificates.
#![allow(dead_code, reason = "each file of tests uses its part")]

pub mod issued;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kastellan_core::time::{Clock, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use trust::ca::{Ca, ClientCertificate};
use trust::server::{ClientCertificates, TlsOptions};

pub const DAY: Duration = Duration::from_secs(86_400);

pub fn now() -> Timestamp {
    Clock::system().now()
}

/// A directory that is gone when the test is over.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("trust-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary directory can be made");
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).expect("the file can be written");
        self.path(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A CA whose server certificate covers `localhost`.
pub struct House {
    pub dir: Dir,
    pub ca: Ca,
}

impl House {
    pub fn new() -> Self {
        Self::founded(now())
    }

    /// As if everything had been made at another time.
    pub fn founded(at: Timestamp) -> Self {
        let dir = Dir::new();
        let ca = Ca::open(&dir.path("ca"), at).expect("a CA can be made");
        ca.ensure_server(&names(), at)
            .expect("a server certificate can be made");
        Self { dir, ca }
    }

    pub fn client(&self, name: &str) -> ClientCertificate {
        self.ca
            .issue_client(name, now())
            .expect("a client certificate can be made")
    }

    /// Options of a listener that asks nobody for a certificate.
    pub fn options(&self) -> TlsOptions {
        let (certificate, key) = self.ca.server_paths();
        TlsOptions {
            certificate,
            key,
            tls13_only: false,
            clients: ClientCertificates::Off,
            names: names(),
        }
    }

    /// Options of a listener that takes certificates of this CA only.
    pub fn mutual(&self, required: bool) -> TlsOptions {
        self.mutual_with(
            required,
            self.ca.certificate_path(),
            vec![self.ca.crl_path()],
        )
    }

    pub fn mutual_with(
        &self,
        required: bool,
        roots: PathBuf,
        revocation_lists: Vec<PathBuf>,
    ) -> TlsOptions {
        let clients = ClientCertificates::Asked {
            required,
            roots,
            revocation_lists,
            insecure_accept_stale_crl: false,
        };
        TlsOptions {
            clients,
            ..self.options()
        }
    }
}

pub fn names() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}

pub fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .expect("certificates in PEM")
}

pub fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("the file can be read")
}
