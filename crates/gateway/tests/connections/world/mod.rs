//! A gateway with listeners of every kind, users in memory, and an upstream that tests hold and break.

mod behind;
mod trail;
mod users;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gateway::config::{Deadlines, Encryption, HostPort, Limits, Listener, LoginKind};
use gateway::gateway::GatewayStatus;
use gateway::upstream::Upstream;
use gateway::{Gateway, Ports};
use kastellan_core::credential::ScramMechanism;
use kastellan_core::host::Cidr;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::ports::Revocation;
use kastellan_core::principal::PrincipalName;
use kastellan_core::time::Clock;
use tokio::net::TcpListener;
use trust::ca::Ca;
use trust::principal::{MappingRules, Source};
use trust::server::{ClientCertificates, TlsOptions, TlsSource};
use wire::sasl::Mechanism;

#[allow(unused_imports, reason = "each suite uses its part")]
pub use behind::*;
pub use trail::Trail;
use users::Fixed;
#[allow(unused_imports, reason = "each suite uses its part")]
pub use users::{PASSWORD, Users};

/// A directory that is gone when the test is over.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("connections-{}-{number}", std::process::id())))
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How a client reaches the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Clear text, nobody logs in.
    Open,
    /// Clear text, SASL.
    Sasl,
    /// TLS, SASL.
    SaslSsl,
    /// TLS with a client certificate.
    Ssl,
    /// TLS, SASL, behind a proxy that is trusted.
    Proxied,
    /// The same, and the proxy is not.
    Stranger,
}

/// Everything a test needs. The gateway ends with it.
pub struct World {
    pub behind: Arc<Behind>,
    pub users: Arc<Users>,
    pub trail: Arc<Trail>,
    pub ca: Ca,
    pub mutual: Arc<TlsSource>,
    pub clock: Clock,
    mutual_options: TlsOptions,
    listeners: HashMap<String, Listener>,
    pub gateway: Gateway,
    _dir: Dir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// Limits and deadlines as a test wants them; failed logins are answered at once unless it says otherwise.
    pub async fn with(adjust: impl FnOnce(&mut Limits, &mut Deadlines)) -> Self {
        let behind = Behind::new();
        let open = Arc::new(Open(behind.clone()));
        Self::before(open, behind, Clock::system(), adjust).await
    }

    /// With a clock that a test moves.
    pub async fn standing_still(adjust: impl FnOnce(&mut Limits, &mut Deadlines)) -> Self {
        let behind = Behind::new();
        let open = Arc::new(Open(behind.clone()));
        let clock = Clock::manual(Clock::system().now());
        Self::before(open, behind, clock, adjust).await
    }

    /// Before another upstream.
    pub async fn before_node(upstream: impl Upstream + 'static) -> Self {
        let (upstream, behind) = (Arc::new(upstream), Behind::new());
        Self::before(upstream, behind, Clock::system(), |_, _| {}).await
    }

    async fn before(
        upstream: Arc<dyn Upstream>,
        behind: Arc<Behind>,
        clock: Clock,
        adjust: impl FnOnce(&mut Limits, &mut Deadlines),
    ) -> Self {
        let mut limits = Limits {
            accept_rate: 10_000,
            accept_rate_per_ip: 10_000,
            max_unauthenticated: 10_000,
            max_connections_per_ip: 10_000,
            ..Limits::default()
        };
        let mut deadlines = Deadlines {
            failed_login_delay: Duration::ZERO,
            ..Deadlines::default()
        };
        adjust(&mut limits, &mut deadlines);
        let dir = Dir::new();
        let now = Clock::system().now();
        let ca = Ca::open(&dir.0, now).unwrap();
        ca.ensure_server(&["localhost".to_owned()], now).unwrap();
        let (certificate, key) = ca.server_paths();
        let options = TlsOptions {
            certificate,
            key,
            tls13_only: false,
            clients: ClientCertificates::Off,
            names: vec!["localhost".to_owned()],
        };
        let mutual_options = TlsOptions {
            clients: ClientCertificates::Asked {
                required: true,
                roots: ca.certificate_path(),
                revocation_lists: vec![ca.crl_path()],
                insecure_accept_stale_crl: false,
            },
            ..options.clone()
        };
        let mutual = Arc::new(TlsSource::new(&mutual_options, now).unwrap());
        let single = Arc::new(TlsSource::new(&options, now).unwrap());
        let mut listeners = Vec::new();
        let mut made = HashMap::new();
        for (name, encryption, login) in [
            (
                "Open",
                Encryption::InsecurePlaintext,
                LoginKind::InsecureAnonymous,
            ),
            ("Sasl", Encryption::InsecurePlaintext, sasl()),
            ("SaslSsl", Encryption::Tls(single.clone()), sasl()),
            ("Proxied", Encryption::Tls(single.clone()), sasl()),
            ("Stranger", Encryption::Tls(single), sasl()),
            ("Ssl", Encryption::Tls(mutual.clone()), by_certificate()),
        ] {
            let advertised = HostPort {
                host: "localhost".into(),
                port: 9_094,
            };
            let listener = Listener {
                name: name.into(),
                encryption,
                login,
                advertised,
                trusted_proxies: match name {
                    "Proxied" => [Cidr::parse("127.0.0.1/32").unwrap()].into(),
                    "Stranger" => [Cidr::parse("192.0.2.0/24").unwrap()].into(),
                    _ => [].into(),
                },
            };
            made.insert(name.to_owned(), listener.clone());
            listeners.push((listener, TcpListener::bind("127.0.0.1:0").await.unwrap()));
        }
        let everybody = ["ANONYMOUS", "alice", "bob", "CN=alice", "CN=bob"];
        let everybody = everybody.map(PrincipalName::user);
        let policy = Policy::compile(PolicyEpoch(1), BTreeSet::from(everybody), Vec::new());
        let policy = Arc::new(Fixed(Arc::new(policy)));
        let (users, trail) = (Arc::new(Users::new()), Arc::new(Trail::default()));
        let ports = Ports {
            credentials: users.clone(),
            policy: policy.clone(),
            rules: policy.clone(),
            scram: policy,
            trail: trail.clone(),
            clock: clock.clone(),
        };
        let gateway = Gateway::start(limits, deadlines, ports, upstream, listeners);
        Self {
            behind,
            users,
            trail,
            ca,
            mutual,
            clock,
            mutual_options,
            listeners: made,
            gateway: gateway.await.unwrap(),
            _dir: dir,
        }
    }

    pub fn address(&self, door: Door) -> SocketAddr {
        self.address_of(&format!("{door:?}")).unwrap()
    }

    pub fn address_of(&self, name: &str) -> Option<SocketAddr> {
        let addresses = self.gateway.addresses();
        let found = addresses.iter().find(|(listener, _)| **listener == *name);
        found.map(|(_, address)| *address)
    }

    /// A listener as it was at the start.
    pub fn listener(&self, door: Door) -> Listener {
        self.listeners[&format!("{door:?}")].clone()
    }

    pub fn status(&self) -> GatewayStatus {
        self.gateway.watch()
    }

    pub fn revoke(&self, revocation: Revocation) {
        self.gateway.sessions().revoke(revocation);
    }

    /// Revokes a client certificate and takes the new list into use.
    pub fn revoke_certificate(&self, certificate: &trust::ca::ClientCertificate) {
        let now = Clock::system().now();
        let gone = [(certificate.serial.clone(), certificate.not_after)];
        self.ca.revoke(&gone, now).unwrap();
        self.mutual.reload(&self.mutual_options, now).unwrap();
    }

    pub async fn drain(self, limit: Duration) {
        self.gateway.drain(limit).await;
    }

    /// Waits until nobody is connected.
    pub async fn is_empty_within(&self, limit: Duration) -> bool {
        let empty = async {
            while self.status().connections() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(limit, empty).await.is_ok()
    }
}

fn sasl() -> LoginKind {
    let [sha_256, sha_512] = ScramMechanism::ALL.map(Mechanism::Scram);
    LoginKind::Sasl(vec![Mechanism::Plain, sha_256, sha_512])
}

fn by_certificate() -> LoginKind {
    LoginKind::Certificate {
        source: Source::Subject,
        rules: Arc::new(MappingRules::parse("DEFAULT").unwrap()),
    }
}
