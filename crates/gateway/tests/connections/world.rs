//! A gateway with four listeners, users in memory, and an upstream that tests hold and break.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway::config::{Deadlines, Encryption, HostPort, Limits, Listener, LoginKind};
use gateway::gateway::GatewayStatus;
use gateway::upstream::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};
use gateway::{Gateway, Ports};
use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::event::Event;
use kastellan_core::filter::RuleFilter;
use kastellan_core::host::Cidr;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::ports::{
    ChangeError, CredentialSource, Pending, PolicySource, Requester, Revocation, RuleStore,
    ScramChange, ScramStore, TrailSink, Unavailable,
};
use kastellan_core::principal::PrincipalName;
use kastellan_core::rule::{Rule, RuleDefinition};
use kastellan_core::secret::Secret;
use kastellan_core::time::Clock;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use trust::ca::Ca;
use trust::principal::{MappingRules, Source};
use trust::server::{ClientCertificates, TlsOptions, TlsSource};
use wire::Request;
use wire::codec::Reader;
use wire::frame::Frame;
use wire::header::{RequestHeader, decode_request, encode_response};
use wire::message::*;
use wire::sasl::Mechanism;
use wire::sasl::scram::keys;

pub const PASSWORD: &str = "correct horse";
/// A group whose heartbeat breaks the upstream's code, and others that break its promises.
pub const PANIC: &str = "panic";
pub const CLOSE: &str = "close";
pub const OTHER_ID: &str = "other-id";
/// Bytes of records in every fetch answer.
pub const FETCHED: usize = 48 << 20;

/// Requests that came through, and whether answers may leave.
pub struct Behind {
    taken: AtomicUsize,
    seen: Mutex<Vec<i16>>,
    gate: watch::Sender<bool>,
}

impl Behind {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            taken: AtomicUsize::new(0),
            seen: Mutex::default(),
            gate: watch::channel(true).0,
        })
    }

    /// Keys of the requests that clients got through.
    pub fn seen(&self) -> Vec<i16> {
        self.seen.lock().unwrap().clone()
    }

    /// Answers to clients that the gateway has taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    pub fn hold_answers(&self) {
        self.gate.send_replace(false);
    }

    pub fn release_answers(&self) {
        self.gate.send_replace(true);
    }
}

struct Open(Arc<Behind>);

struct Sending {
    behind: Arc<Behind>,
    is_control: bool,
    replies: mpsc::UnboundedSender<Frame>,
}

struct Receiving {
    behind: Arc<Behind>,
    gate: Option<watch::Receiver<bool>>,
    replies: mpsc::UnboundedReceiver<Frame>,
}

impl Upstream for Open {
    fn open<'a>(&'a self, peer: Peer) -> Pending<'a, Opened> {
        let (sender, replies) = mpsc::unbounded_channel();
        let is_control = &*peer.listener == "control";
        let gate = (!is_control).then(|| self.0.gate.subscribe());
        let sending = Sending {
            behind: self.0.clone(),
            is_control,
            replies: sender,
        };
        let receiving = Receiving {
            behind: self.0.clone(),
            gate,
            replies,
        };
        Box::pin(async move {
            Ok((
                Box::new(sending) as Box<dyn Outbound>,
                Box::new(receiving) as Box<dyn Inbound>,
            ))
        })
    }

    fn name(&self) -> String {
        "behind".to_owned()
    }
}

impl Outbound for Sending {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>> {
        Box::pin(async move {
            let frame = frame.into_bytes();
            let header = RequestHeader::read(&mut Reader::new(frame.clone())).unwrap();
            if !self.is_control {
                self.behind.seen.lock().unwrap().push(header.api_key);
            }
            match reply(&header, frame) {
                Ok(Some(reply)) => {
                    let _ = self.replies.send(reply);
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(closed) => {
                    self.replies = mpsc::unbounded_channel().0;
                    Err(closed)
                }
            }
        })
    }
}

impl Inbound for Receiving {
    fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>> {
        Box::pin(async move {
            let reply = self.replies.recv().await.ok_or(UpstreamError::Closed)?;
            if let Some(gate) = &mut self.gate {
                gate.wait_for(|open| *open)
                    .await
                    .map_err(|_| UpstreamError::Closed)?;
                self.behind.taken.fetch_add(1, Ordering::SeqCst);
            }
            Ok(reply)
        })
    }
}

/// What the upstream says; `None`: nothing.
pub fn reply(header: &RequestHeader, frame: Bytes) -> Result<Option<Frame>, UpstreamError> {
    let (key, version, id) = (header.api_key, header.api_version, header.correlation_id);
    let reply = match key {
        ApiVersionsRequest::KEY => encode_response(key, version, id, &ranges()),
        MetadataRequest::KEY => encode_response(key, version, id, &MetadataResponse::default()),
        HeartbeatRequest::KEY => {
            let (_, beat) = decode_request::<HeartbeatRequest>(frame).unwrap();
            match &*beat.group_id {
                PANIC => panic!("a test asked for it"),
                CLOSE => return Err(UpstreamError::Closed),
                OTHER_ID => encode_response(key, version, id + 1, &HeartbeatResponse::default()),
                _ => encode_response(key, version, id, &heartbeat_of(&beat)),
            }
        }
        ProduceRequest::KEY => {
            let (_, produce) = decode_request::<ProduceRequest>(frame).unwrap();
            if produce.acks == 0 {
                return Ok(None);
            }
            encode_response(key, version, id, &ProduceResponse::default())
        }
        FetchRequest::KEY => encode_response(key, version, id, &fetched()),
        other => panic!("key {other} was forwarded"),
    };
    Ok(Some(reply.unwrap()))
}

/// Tells the generation that was asked, so that answers can be told apart.
fn heartbeat_of(beat: &HeartbeatRequest) -> HeartbeatResponse {
    HeartbeatResponse {
        throttle_time_ms: beat.generation_id,
        ..Default::default()
    }
}

fn fetched() -> FetchResponse {
    let partition = fetch_response::PartitionData {
        records: Some(Bytes::from(vec![0; FETCHED])),
        ..Default::default()
    };
    FetchResponse {
        responses: vec![fetch_response::FetchableTopicResponse {
            topic: "a".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Serves what the embedded log serves.
fn ranges() -> ApiVersionsResponse {
    let rows = wire::api::MATRIX.iter().filter_map(|row| {
        let (min_version, max_version) = row.embedded?;
        Some(api_versions_response::ApiVersion {
            api_key: row.key,
            min_version,
            max_version,
            ..Default::default()
        })
    });
    ApiVersionsResponse {
        api_keys: rows.collect(),
        ..Default::default()
    }
}

/// Users with one password for every mechanism.
pub struct Users {
    verifiers: HashMap<(String, ScramMechanism), ScramVerifier>,
    revisions: Mutex<HashMap<String, CredentialRevision>>,
    disabled: Mutex<BTreeSet<String>>,
    is_down: AtomicBool,
    is_hanging: AtomicBool,
    decoy: Secret,
}

impl Users {
    fn new() -> Self {
        let mut verifiers = HashMap::new();
        let mut revisions = HashMap::new();
        for (id, user) in (1..).zip(["alice", "bob"]) {
            for mechanism in ScramMechanism::ALL {
                let made =
                    keys::verifier(mechanism, &PASSWORD.to_owned().into(), b"some salt", 4_096);
                verifiers.insert((user.to_owned(), mechanism), made.unwrap());
            }
            revisions.insert(user.to_owned(), CredentialRevision { id, revision: 1 });
        }
        Self {
            verifiers,
            revisions: Mutex::new(revisions),
            disabled: Mutex::default(),
            is_down: AtomicBool::new(false),
            is_hanging: AtomicBool::new(false),
            decoy: vec![9; 32].into(),
        }
    }

    /// Nothing can be looked up any more.
    pub fn break_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    pub fn disable(&self, name: &str) {
        self.disabled.lock().unwrap().insert(name.to_owned());
    }

    pub fn revision(&self, user: &str) -> CredentialRevision {
        self.revisions.lock().unwrap()[user]
    }

    /// As if the password had been set anew.
    pub fn renew(&self, user: &str) -> CredentialRevision {
        let mut revisions = self.revisions.lock().unwrap();
        let revision = revisions.get_mut(user).unwrap();
        revision.revision += 1;
        *revision
    }

    /// Look-ups do not come back any more.
    pub fn hang(&self) {
        self.is_hanging.store(true, Ordering::SeqCst);
    }

    async fn is_up(&self) -> Result<(), Unavailable> {
        if self.is_hanging.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Unavailable("down".to_owned()));
        }
        Ok(())
    }

    fn known(&self, user: &str) -> Option<CredentialRevision> {
        self.revisions.lock().unwrap().get(user).copied()
    }
}

impl CredentialSource for Users {
    fn scram<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>> {
        Box::pin(async move {
            self.is_up().await?;
            let verifier = self.verifiers.get(&(user.to_owned(), mechanism)).cloned();
            Ok(verifier.zip(self.known(user)))
        })
    }

    fn password<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>> {
        Box::pin(async move {
            self.is_up().await?;
            Ok(self
                .known(user)
                .filter(|_| password.matches(PASSWORD.as_bytes())))
        })
    }

    fn admits(&self, principal: &PrincipalName) -> bool {
        !self.disabled.lock().unwrap().contains(principal.name())
    }

    fn is_current(&self, user: &str, credential: CredentialRevision) -> bool {
        let is_disabled = self.disabled.lock().unwrap().contains(user);
        !is_disabled && self.known(user) == Some(credential)
    }

    fn decoy_key(&self) -> &Secret {
        &self.decoy
    }
}

/// Nobody changes rules or users here.
struct Fixed(Arc<Policy>);

impl PolicySource for Fixed {
    fn current(&self) -> Arc<Policy> {
        self.0.clone()
    }
}

impl RuleStore for Fixed {
    fn add<'a>(
        &'a self,
        _: Vec<RuleDefinition>,
        _: &'a Requester,
    ) -> Pending<'a, Result<Vec<Rule>, ChangeError>> {
        Box::pin(async { Err(ChangeError::Invalid("fixed".to_owned())) })
    }

    fn remove<'a>(
        &'a self,
        _: Vec<RuleFilter>,
        _: &'a Requester,
    ) -> Pending<'a, Result<Vec<Vec<Rule>>, ChangeError>> {
        Box::pin(async { Err(ChangeError::Invalid("fixed".to_owned())) })
    }
}

impl ScramStore for Fixed {
    fn list(&self) -> Vec<(String, Vec<(ScramMechanism, u32)>)> {
        Vec::new()
    }

    fn change<'a>(
        &'a self,
        _: Vec<ScramChange>,
        _: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>> {
        Box::pin(async { Vec::new() })
    }
}

#[derive(Default)]
pub struct Trail(Mutex<Vec<Event>>);

impl Trail {
    /// Who logged in or was refused, and why not.
    pub fn logins(&self) -> Vec<(Option<String>, Option<String>)> {
        self.told("auth.login")
    }

    /// Principal and reason of the events of one kind.
    pub fn told(&self, kind: &str) -> Vec<(Option<String>, Option<String>)> {
        let events = self.0.lock().unwrap();
        let told = events.iter().filter(|event| event.kind == kind);
        told.map(|event| {
            let name = event.principal.as_ref().map(|actor| actor.name.clone());
            (name, event.why.clone())
        })
        .collect()
    }
}

impl Trail {
    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Where logins came from.
    pub fn sources(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let peers = events.iter().filter_map(|event| event.peer.as_ref());
        peers.map(|peer| peer.ip.clone()).collect()
    }
}

impl TrailSink for Trail {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        self.note(event);
        let number = self.0.lock().unwrap().len() as u64;
        Box::pin(async move { Ok(Some(number)) })
    }

    fn note(&self, event: Event) {
        assert_eq!(kastellan_core::event::types::check(&event), Ok(()));
        self.0.lock().unwrap().push(event);
    }
}

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
