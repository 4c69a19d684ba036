//! From the configuration to sockets, certificates and the gateway's listeners.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use gateway::config::{Encryption, HostPort, Listener, LoginKind};
use kastellan_core::host::Cidr;
use kastellan_core::time::Timestamp;
use tokio::net::TcpListener;
use trust::ca::Ca;
use trust::principal::{MappingRules, Source};
use trust::server::{ClientCertificates, TlsOptions, TlsSource};
use wire::sasl::Mechanism;

use crate::config::{
    self, CertificateSource, ClientAuth, Config, ListenerSettings, MinTls, PrincipalFrom, Protocol,
};

/// A listener that is open, with what it is made of.
#[derive(Clone)]
pub struct Standing {
    pub settings: ListenerSettings,
    pub address: SocketAddr,
    pub advertised: HostPort,
    pub source: Option<Arc<TlsSource>>,
}

/// A socket with its address, and the settings it was bound for.
pub type Bound = (ListenerSettings, SocketAddr, TcpListener);

/// Binds every listener; tells every one that cannot be bound.
pub async fn bind(config: &Config) -> Result<Vec<Bound>, Vec<String>> {
    let (mut bound, mut problems) = (Vec::new(), Vec::new());
    for settings in &config.gateway.listeners {
        match bind_one(settings).await {
            Ok((socket, address)) => bound.push((settings.clone(), address, socket)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(bound)
    } else {
        Err(problems)
    }
}

pub async fn bind_one(settings: &ListenerSettings) -> Result<(TcpListener, SocketAddr), String> {
    let what = format!("listener {}", settings.name);
    let told = |error: &std::io::Error| taken(&what, settings.bind, error);
    let socket = TcpListener::bind(settings.bind)
        .await
        .map_err(|error| told(&error))?;
    let address = socket.local_addr().map_err(|error| told(&error))?;
    Ok((socket, address))
}

/// Why an address cannot be bound, and what to do.
pub fn taken(what: &str, address: SocketAddr, error: &std::io::Error) -> String {
    let next = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program listens there: stop it, or choose another port (port 0 takes a free one)"
        }
        std::io::ErrorKind::PermissionDenied => "this user may not: choose a port of 1024 or above",
        _ => "choose an address of this machine",
    };
    format!("{what}: {address} cannot be bound: {error}\nnext: {next}")
}

fn advertised(settings: &ListenerSettings, address: SocketAddr) -> HostPort {
    if let Some(configured) = &settings.advertised {
        return HostPort {
            host: configured.host.as_str().into(),
            port: configured.port,
        };
    }
    let host = if address.ip().is_unspecified() {
        host_name()
    } else {
        address.ip().to_string()
    };
    HostPort {
        host: host.into(),
        port: address.port(),
    }
}

/// The machine's name, or localhost.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// Every name that the certificates of our own CA cover.
pub fn own_names<'a>(
    config: &Config,
    listeners: impl Iterator<Item = (&'a ListenerSettings, SocketAddr)>,
) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    names.push(host_name());
    names.extend(config.tls.names.iter().cloned());
    names.extend(
        listeners.map(|(settings, address)| advertised(settings, address).host.to_string()),
    );
    names.sort();
    names.dedup();
    names
}

/// What a listener's TLS is made of.
pub fn tls_options(settings: &ListenerSettings, advertised: &HostPort, ca: &Ca) -> TlsOptions {
    let (certificate, key) = match &settings.tls.certificate {
        CertificateSource::OwnCa => ca.server_paths(),
        CertificateSource::Files { certificate, key } => (certificate.clone(), key.clone()),
    };
    let clients = match settings.tls.client_auth {
        ClientAuth::Off => ClientCertificates::Off,
        asked => {
            let mut revocation_lists = settings.tls.crl.clone();
            let roots = match &settings.tls.client_ca {
                Some(roots) => roots.clone(),
                None => {
                    revocation_lists.push(ca.crl_path());
                    ca.certificate_path()
                }
            };
            ClientCertificates::Asked {
                required: asked == ClientAuth::Required,
                roots,
                revocation_lists,
                insecure_accept_stale_crl: settings.tls.insecure_accept_stale_crl,
            }
        }
    };
    TlsOptions {
        certificate,
        key,
        tls13_only: settings.tls.min_version == MinTls::V1_3,
        clients,
        names: vec![advertised.host.to_string()],
    }
}

/// Files whose change means a reload.
pub fn watched(options: &TlsOptions) -> Vec<PathBuf> {
    let mut paths = vec![options.certificate.clone(), options.key.clone()];
    if let ClientCertificates::Asked {
        roots,
        revocation_lists,
        ..
    } = &options.clients
    {
        paths.push(roots.clone());
        paths.extend(revocation_lists.iter().cloned());
    }
    paths
}

/// Said at the start, at a reload, and once a day.
pub fn warn_in_clear(listener: &str) {
    tracing::warn!(
        listener,
        "Listener without TLS: everything on it can be read and changed on the way"
    );
}

/// A listener as it will stand, and as the gateway takes it.
pub fn stand(
    settings: ListenerSettings,
    address: SocketAddr,
    ca: &Ca,
    now: Timestamp,
) -> Result<(Standing, Listener), String> {
    let advertised = advertised(&settings, address);
    let named = |error: &dyn std::fmt::Display| format!("listener {}: {error}", settings.name);
    let source = if settings.protocol.is_tls() {
        let options = tls_options(&settings, &advertised, ca);
        Some(Arc::new(
            TlsSource::new(&options, now).map_err(|error| named(&error))?,
        ))
    } else {
        warn_in_clear(&settings.name);
        None
    };
    let login = match settings.protocol {
        Protocol::SaslSsl | Protocol::InsecureSaslPlaintext => LoginKind::Sasl(
            settings
                .mechanisms
                .iter()
                .map(|one| mechanism(*one))
                .collect(),
        ),
        Protocol::Ssl => {
            let rules = MappingRules::parse(&settings.principal_mapping_rules.join(","));
            LoginKind::Certificate {
                source: match settings.principal_from {
                    PrincipalFrom::Subject => Source::Subject,
                    PrincipalFrom::SanUri => Source::SanUri,
                    PrincipalFrom::SanDns => Source::SanDns,
                },
                rules: Arc::new(rules.map_err(|error| named(&error))?),
            }
        }
        Protocol::InsecurePlaintext => LoginKind::InsecureAnonymous,
    };
    let encryption = source
        .clone()
        .map_or(Encryption::InsecurePlaintext, Encryption::Tls);
    let listener = Listener {
        name: settings.name.as_str().into(),
        encryption,
        login,
        advertised: advertised.clone(),
        trusted_proxies: settings.trusted_proxies.clone().into(),
    };
    let standing = Standing {
        settings,
        address,
        advertised,
        source,
    };
    Ok((standing, listener))
}

fn mechanism(configured: config::Mechanism) -> Mechanism {
    use kastellan_core::credential::ScramMechanism;
    match configured {
        config::Mechanism::Plain => Mechanism::Plain,
        config::Mechanism::ScramSha256 => Mechanism::Scram(ScramMechanism::Sha256),
        config::Mechanism::ScramSha512 => Mechanism::Scram(ScramMechanism::Sha512),
    }
}

/// Caps of connections by address that differ within blocks.
pub fn exceptions(config: &Config) -> Arc<[(Cidr, usize)]> {
    let exceptions = config.gateway.exceptions.iter();
    exceptions
        .map(|(block, count)| (block.clone(), usize::try_from(*count).unwrap_or(usize::MAX)))
        .collect()
}

/// Limits and deadlines as the gateway takes them.
pub fn settings(config: &Config) -> (gateway::config::Limits, gateway::config::Deadlines) {
    let (limits, deadlines) = (&config.gateway.limits, &config.gateway.deadlines);
    let size = |size: config::units::ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let rate = |rate: u64| u32::try_from(rate).unwrap_or(u32::MAX);
    let limits = gateway::config::Limits {
        frame_max_before_login: size(limits.frame_max_before_login),
        frame_max_produce: size(limits.frame_max),
        frame_max_other: size(limits.frame_max_other),
        fetch_max_bytes: i32::try_from(limits.fetch_max_bytes.0).unwrap_or(i32::MAX),
        request_memory: size(limits.request_memory),
        response_max: 256 << 20,
        in_flight: count(limits.in_flight),
        max_connections: limits
            .max_connections
            .map_or(gateway::config::Limits::default().max_connections, count),
        max_unauthenticated: count(limits.max_unauthenticated),
        max_connections_per_ip: count(limits.max_connections_per_ip),
        max_connections_per_principal: count(limits.max_connections_per_principal),
        accept_rate: rate(limits.accept_rate),
        accept_rate_per_ip: rate(limits.accept_rate_per_ip),
    };
    let deadlines = gateway::config::Deadlines {
        tls_handshake: deadlines.tls_handshake,
        first_byte: deadlines.first_byte,
        sasl_round: deadlines.sasl_round,
        login: deadlines.login,
        frame: deadlines.frame,
        write: deadlines.write,
        idle: deadlines.idle,
        failed_login_delay: deadlines.failed_login_delay,
        session_max: deadlines.session_max,
        drain: deadlines.drain,
        ..gateway::config::Deadlines::default()
    };
    (limits, deadlines)
}
