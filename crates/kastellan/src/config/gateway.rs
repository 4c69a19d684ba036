//! `[gateway]`: listeners, limits, deadlines, and the cluster behind.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use kastellan_core::host::Cidr;
use kastellan_core::principal::PrincipalName;

use super::reader::Section;
use super::units::ByteSize;

#[derive(Clone, Debug)]
pub struct GatewaySettings {
    pub listeners: Vec<ListenerSettings>,
    pub super_users: Vec<PrincipalName>,
    pub limits: LimitSettings,
    pub deadlines: DeadlineSettings,
    /// Connections from one address, for addresses within blocks.
    pub exceptions: Vec<(Cidr, u64)>,
    /// `None`: the embedded log.
    pub upstream: Option<UpstreamSettings>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerSettings {
    pub name: String,
    pub bind: SocketAddr,
    pub protocol: Protocol,
    pub mechanisms: Vec<Mechanism>,
    /// What clients are told to connect to; `None`: the bound address.
    pub advertised: Option<HostPort>,
    pub tls: TlsSettings,
    pub principal_mapping_rules: Vec<String>,
    pub principal_from: PrincipalFrom,
    /// Proxies that must say whom they speak for; empty: the PROXY protocol is off.
    pub trusted_proxies: Vec<Cidr>,
    pub insecure_accept_remote: bool,
    pub insecure_bearer_secrets_without_tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    SaslSsl,
    Ssl,
    InsecureSaslPlaintext,
    InsecurePlaintext,
}

impl Protocol {
    pub const WORDS: [(&'static str, Self); 4] = [
        ("sasl_ssl", Self::SaslSsl),
        ("ssl", Self::Ssl),
        ("insecure_sasl_plaintext", Self::InsecureSaslPlaintext),
        ("insecure_plaintext", Self::InsecurePlaintext),
    ];

    pub fn is_tls(self) -> bool {
        matches!(self, Self::SaslSsl | Self::Ssl)
    }

    pub fn is_sasl(self) -> bool {
        matches!(self, Self::SaslSsl | Self::InsecureSaslPlaintext)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

impl Mechanism {
    pub const WORDS: [(&'static str, Self); 3] = [
        ("PLAIN", Self::Plain),
        ("SCRAM-SHA-256", Self::ScramSha256),
        ("SCRAM-SHA-512", Self::ScramSha512),
    ];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    pub certificate: CertificateSource,
    pub min_version: MinTls,
    pub client_auth: ClientAuth,
    /// `None`: our own CA.
    pub client_ca: Option<PathBuf>,
    pub crl: Vec<PathBuf>,
    pub insecure_accept_stale_crl: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    OwnCa,
    Files { certificate: PathBuf, key: PathBuf },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinTls {
    V1_2,
    V1_3,
}

impl MinTls {
    pub const WORDS: [(&'static str, Self); 2] = [("1.2", Self::V1_2), ("1.3", Self::V1_3)];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    Off,
    Optional,
    Required,
}

impl ClientAuth {
    pub const WORDS: [(&'static str, Self); 3] = [
        ("off", Self::Off),
        ("optional", Self::Optional),
        ("required", Self::Required),
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalFrom {
    Subject,
    SanUri,
    SanDns,
}

impl PrincipalFrom {
    pub const WORDS: [(&'static str, Self); 3] = [
        ("subject", Self::Subject),
        ("san_uri", Self::SanUri),
        ("san_dns", Self::SanDns),
    ];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

impl HostPort {
    /// A loopback address, or `localhost`. Other names are not resolved here, and count as elsewhere.
    fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not host:port");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let port = port.parse().map_err(|_| wrong())?;
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSettings {
    pub bootstrap: HostPort,
    pub insecure_upstream_plaintext: bool,
}

macro_rules! settings {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $kind:ty = $default:expr, $read:ident $(($range:expr))?;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name { $(pub $field: $kind,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $name {
            fn read(section: &mut Section<'_>) -> Self {
                let defaults = Self::default();
                Self { $($field: section.$read(stringify!($field) $(, $range)?).unwrap_or(defaults.$field),)* }
            }
        }
    };
}

/// Whether connections must start with a PROXY header.
pub const PROXY_PROTOCOL: [(&str, bool); 2] = [("off", false), ("required", true)];

settings! {
    /// Caps. A breach closes the connection, or is left in the backlog where said.
    LimitSettings {
        frame_max_before_login: ByteSize = ByteSize(64 << 10), size;
        frame_max: ByteSize = ByteSize(100 << 20), size;
        frame_max_other: ByteSize = ByteSize(16 << 20), size;
        fetch_max_bytes: ByteSize = ByteSize(64 << 20), size;
        request_memory: ByteSize = ByteSize(512 << 20), size;
        in_flight: u64 = 64, count(1..=10_000);
        max_connections: Option<u64> = None, count_if_set(1..=1_000_000);
        max_unauthenticated: u64 = 1_000, count(1..=1_000_000);
        max_connections_per_ip: u64 = 1_000, count(1..=1_000_000);
        max_connections_per_principal: u64 = 2_000, count(1..=1_000_000);
        accept_rate: u64 = 200, count(1..=100_000);
        accept_rate_per_ip: u64 = 20, count(1..=100_000);
    }
}

settings! {
    /// How long a peer may take.
    DeadlineSettings {
        tls_handshake: Duration = Duration::from_secs(10), duration;
        first_byte: Duration = Duration::from_secs(10), duration;
        sasl_round: Duration = Duration::from_secs(10), duration;
        login: Duration = Duration::from_secs(30), duration;
        frame: Duration = Duration::from_secs(30), duration;
        write: Duration = Duration::from_secs(30), duration;
        idle: Duration = Duration::from_secs(600), duration;
        failed_login_delay: Duration = Duration::from_millis(200), duration;
        session_max: Duration = Duration::from_secs(12 * 3600), duration;
        drain: Duration = Duration::from_secs(30), duration;
    }
}

pub const EXCEPTIONS: &str = "max_connections_per_ip_overrides";

pub fn read(root: &mut Section<'_>) -> GatewaySettings {
    let mut section = root.section("gateway");
    let listeners = match section.sections("listener") {
        Some(sections) => sections.into_iter().filter_map(read_listener).collect(),
        None => default_listeners(),
    };
    let mut limits = section.section("limits");
    let mut deadlines = section.section("deadlines");
    let upstream = read_upstream(section.section("upstream"));
    let settings = GatewaySettings {
        exceptions: read_exceptions(&mut limits),
        listeners,
        super_users: read_super_users(&mut section),
        limits: LimitSettings::read(&mut limits),
        deadlines: DeadlineSettings::read(&mut deadlines),
        upstream,
    };
    limits.finish();
    deadlines.finish();
    section.finish();
    settings
}

/// `10.0.0.0/8 = 5000`
fn read_exceptions(section: &mut Section<'_>) -> Vec<(Cidr, u64)> {
    let mut exceptions = Vec::new();
    for text in section.texts(EXCEPTIONS).unwrap_or_default() {
        let parsed = text.split_once('=').and_then(|(block, count)| {
            let count = count.trim().parse().ok()?;
            let block = Cidr::parse(block.trim()).ok()?;
            (1..=1_000_000).contains(&count).then_some((block, count))
        });
        match parsed {
            Some(exception) => exceptions.push(exception),
            None => section.problem(
                EXCEPTIONS,
                format!(
                    "{text:?} is not an address block and a number, such as \"10.0.0.0/8 = 5000\""
                ),
            ),
        }
    }
    exceptions
}

fn read_super_users(section: &mut Section<'_>) -> Vec<PrincipalName> {
    let mut users = Vec::new();
    for text in section.texts("super_users").unwrap_or_default() {
        match text.parse::<PrincipalName>() {
            Ok(name) if name.is_everyone() || name.name().is_empty() => {
                section.problem(
                    "super_users",
                    format!("{text:?} names nobody in particular"),
                );
            }
            Ok(name) => users.push(name),
            Err(error) => section.problem("super_users", format!("{text:?}: {error}")),
        }
    }
    users
}

fn read_upstream(mut section: Section<'_>) -> Option<UpstreamSettings> {
    let bootstrap = section.text("bootstrap");
    let insecure_upstream_plaintext = section.flag("insecure_upstream_plaintext").unwrap_or(false);
    let present = section.is_present();
    let settings = match bootstrap.as_deref().map(str::parse::<HostPort>) {
        Some(Ok(bootstrap)) => Some(UpstreamSettings {
            bootstrap,
            insecure_upstream_plaintext,
        }),
        Some(Err(why)) => {
            section.problem("bootstrap", why);
            None
        }
        None => {
            if present {
                section.problem(
                    "bootstrap",
                    "is missing: write the host:port of a Kafka node",
                );
            }
            None
        }
    };
    if settings
        .as_ref()
        .is_some_and(|settings| !settings.insecure_upstream_plaintext)
    {
        section.problem(
            "insecure_upstream_plaintext",
            "TLS towards the node is not offered, clear text on loopback is: set insecure_upstream_plaintext = true to \
             say that you know",
        );
    }
    if settings
        .as_ref()
        .is_some_and(|settings| !settings.bootstrap.is_loopback())
    {
        section.problem(
            "bootstrap",
            "is not on loopback, and records would cross the network in clear text: name a node on this machine",
        );
    }
    section.finish();
    settings
}

/// SASL over TLS on 9094, client certificates on 9095, both on loopback.
pub fn default_listeners() -> Vec<ListenerSettings> {
    let listener = |name: &str, port: u16, protocol: Protocol| ListenerSettings {
        name: name.to_owned(),
        bind: SocketAddr::from(([127, 0, 0, 1], port)),
        protocol,
        mechanisms: default_mechanisms(protocol),
        advertised: None,
        tls: TlsSettings {
            certificate: CertificateSource::OwnCa,
            min_version: MinTls::V1_2,
            client_auth: default_client_auth(protocol),
            client_ca: None,
            crl: Vec::new(),
            insecure_accept_stale_crl: false,
        },
        principal_mapping_rules: default_mapping_rules(),
        principal_from: PrincipalFrom::Subject,
        trusted_proxies: Vec::new(),
        insecure_accept_remote: false,
        insecure_bearer_secrets_without_tls: false,
    };
    vec![
        listener("sasl", 9094, Protocol::SaslSsl),
        listener("mtls", 9095, Protocol::Ssl),
    ]
}

fn default_mechanisms(protocol: Protocol) -> Vec<Mechanism> {
    if protocol.is_sasl() {
        vec![Mechanism::ScramSha512]
    } else {
        Vec::new()
    }
}

fn default_client_auth(protocol: Protocol) -> ClientAuth {
    if protocol == Protocol::Ssl {
        ClientAuth::Required
    } else {
        ClientAuth::Off
    }
}

/// `CN=alice` becomes `alice`; every other subject stays as it is.
fn default_mapping_rules() -> Vec<String> {
    vec!["RULE:^CN=([^,=]+)$/$1/".to_owned(), "DEFAULT".to_owned()]
}

fn read_listener(mut section: Section<'_>) -> Option<ListenerSettings> {
    let protocol = section
        .choice("protocol", &Protocol::WORDS)
        .unwrap_or(Protocol::SaslSsl);
    let name = section.text("name");
    let bind = section.address("bind");
    let advertised = section
        .text("advertised")
        .and_then(|text| match text.parse() {
            Ok(address) => Some(address),
            Err(why) => {
                section.problem("advertised", why);
                None
            }
        });
    let mechanisms = section.choices("mechanisms", &Mechanism::WORDS);
    let mut tls = section.section("tls");
    let listener = ListenerSettings {
        name: name.clone().unwrap_or_default(),
        bind: bind.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
        protocol,
        mechanisms: mechanisms
            .clone()
            .unwrap_or_else(|| default_mechanisms(protocol)),
        advertised,
        tls: read_tls(&mut tls, protocol),
        principal_mapping_rules: section
            .texts("principal_mapping_rules")
            .unwrap_or_else(default_mapping_rules),
        principal_from: section
            .choice("principal_from", &PrincipalFrom::WORDS)
            .unwrap_or(PrincipalFrom::Subject),
        trusted_proxies: read_proxies(&mut section),
        insecure_accept_remote: section.flag("insecure_accept_remote").unwrap_or(false),
        insecure_bearer_secrets_without_tls: section
            .flag("insecure_bearer_secrets_without_tls")
            .unwrap_or(false),
    };
    if name.is_none_or(|name| name.is_empty()) {
        section.problem("name", "is missing: give the listener a name");
    }
    if bind.is_none() {
        section.problem(
            "bind",
            "is missing: write an address such as \"127.0.0.1:9094\"",
        );
    }
    if mechanisms.is_some_and(|list| list.is_empty() == protocol.is_sasl()) {
        section.problem(
            "mechanisms",
            "a SASL listener needs at least one, any other none",
        );
    }
    for (key, message) in super::check::listener(&listener) {
        section.problem(key, message);
    }
    tls.finish();
    section.finish();
    Some(listener)
}

fn read_proxies(section: &mut Section<'_>) -> Vec<Cidr> {
    let is_required = section
        .choice("proxy_protocol", &PROXY_PROTOCOL)
        .unwrap_or(false);
    let mut blocks = Vec::new();
    for text in section.texts("trusted_proxies").unwrap_or_default() {
        match Cidr::parse(&text) {
            Ok(block) => blocks.push(block),
            Err(error) => section.problem("trusted_proxies", error.to_string()),
        }
    }
    if is_required == blocks.is_empty() {
        let why = if is_required {
            "is missing: name the proxies as address blocks, such as [\"10.0.0.0/24\"]"
        } else {
            "has no use unless proxy_protocol = \"required\""
        };
        section.problem("trusted_proxies", why);
    }
    blocks
}

fn read_tls(section: &mut Section<'_>, protocol: Protocol) -> TlsSettings {
    let certificate = section.path("certificate");
    let key = section.path("key");
    let own_ca = certificate
        .as_ref()
        .is_none_or(|path| path.as_os_str() == "own_ca");
    let source = match (certificate, key) {
        (Some(certificate), Some(key)) if !own_ca => CertificateSource::Files { certificate, key },
        (_, None) if own_ca => CertificateSource::OwnCa,
        (_, Some(_)) => {
            section.problem("key", "belongs to a certificate: set tls.certificate too");
            CertificateSource::OwnCa
        }
        (Some(_), None) => {
            section.problem("certificate", "needs its key: set tls.key");
            CertificateSource::OwnCa
        }
        (None, None) => CertificateSource::OwnCa,
    };
    if section.is_present() && !protocol.is_tls() {
        section.problem(
            "certificate",
            "a listener without TLS has no use for this table",
        );
    }
    TlsSettings {
        certificate: source,
        min_version: section
            .choice("min_version", &MinTls::WORDS)
            .unwrap_or(MinTls::V1_2),
        client_auth: section
            .choice("client_auth", &ClientAuth::WORDS)
            .unwrap_or_else(|| default_client_auth(protocol)),
        client_ca: section.path("client_ca"),
        crl: section
            .texts("crl")
            .unwrap_or_default()
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        insecure_accept_stale_crl: section.flag("insecure_accept_stale_crl").unwrap_or(false),
    }
}
