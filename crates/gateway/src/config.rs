//! What the gateway is told: listeners, limits, deadlines. The binary has checked it.

use std::sync::Arc;
use std::time::Duration;

use kastellan_core::host::Cidr;
use trust::principal::{MappingRules, Source};
use trust::server::TlsSource;
use wire::sasl::Mechanism;

#[derive(Clone)]
pub struct Listener {
    pub name: Arc<str>,
    pub encryption: Encryption,
    pub login: LoginKind,
    /// What clients are told to connect to.
    pub advertised: HostPort,
    /// Proxies that speak for clients with the PROXY protocol. Not empty: every connection comes from one of them and
    /// says so.
    pub trusted_proxies: Arc<[Cidr]>,
}

#[derive(Clone)]
pub enum Encryption {
    Tls(Arc<TlsSource>),
    /// Chosen by the operator by a name that says so.
    InsecurePlaintext,
}

/// How a client on this listener says who it is.
#[derive(Clone)]
pub enum LoginKind {
    Sasl(Vec<Mechanism>),
    Certificate {
        source: Source,
        rules: Arc<MappingRules>,
    },
    InsecureAnonymous,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub host: Arc<str>,
    pub port: u16,
}

/// Sizes in bytes, rates per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub frame_max_before_login: usize,
    pub frame_max_produce: usize,
    pub frame_max_other: usize,
    pub fetch_max_bytes: i32,
    pub request_memory: usize,
    pub response_max: usize,
    pub in_flight: usize,
    pub max_connections: usize,
    pub max_unauthenticated: usize,
    pub max_connections_per_ip: usize,
    pub max_connections_per_principal: usize,
    pub accept_rate: u32,
    pub accept_rate_per_ip: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_max_before_login: 64 << 10,
            frame_max_produce: 100 << 20,
            frame_max_other: 16 << 20,
            fetch_max_bytes: 64 << 20,
            request_memory: 512 << 20,
            response_max: 256 << 20,
            in_flight: 64,
            max_connections: 10_000,
            max_unauthenticated: 1_000,
            max_connections_per_ip: 1_000,
            max_connections_per_principal: 2_000,
            accept_rate: 200,
            accept_rate_per_ip: 20,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    pub tls_handshake: Duration,
    pub first_byte: Duration,
    pub sasl_round: Duration,
    pub login: Duration,
    pub frame: Duration,
    pub write: Duration,
    pub idle: Duration,
    pub failed_login_delay: Duration,
    pub session_max: Duration,
    /// How long a session may be silent behind its end, in case it proves itself again.
    pub session_grace: Duration,
    /// Looking up what proves a client.
    pub look_up: Duration,
    /// What connections of a closed listener may take to finish.
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            tls_handshake: Duration::from_secs(10),
            first_byte: Duration::from_secs(10),
            sasl_round: Duration::from_secs(10),
            login: Duration::from_secs(30),
            frame: Duration::from_secs(30),
            write: Duration::from_secs(30),
            idle: Duration::from_secs(600),
            failed_login_delay: Duration::from_millis(200),
            session_max: Duration::from_secs(12 * 3600),
            session_grace: Duration::from_secs(30),
            look_up: Duration::from_secs(5),
            drain: Duration::from_secs(30),
        }
    }
}
