//! A gateway on a loopback socket, the ports it asks, and an upstream whose answers the test writes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gateway::config::{Deadlines, Encryption, HostPort, Limits, Listener, LoginKind};
use gateway::upstream::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};
use gateway::{Gateway, Ports};
use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::event::{Event, Outcome};
use kastellan_core::filter::RuleFilter;
use kastellan_core::host::HostPattern;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::ports::{
    ChangeError, CredentialSource, Pending, PolicySource, Requester, RuleStore, ScramChange,
    ScramStore, TrailSink, Unavailable,
};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::ResourcePattern;
use kastellan_core::rule::{Effect, Rule, RuleDefinition, RuleId};
use kastellan_core::secret::Secret;
use kastellan_core::time::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;
use wire::Request;
use wire::frame::Frame;
use wire::header::{
    RequestHeader, decode_request, decode_response, encode_request, encode_response,
};
use wire::message::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use wire::message::*;
use wire::text::Str;

/// Who every client of these tests is.
pub const ME: &str = "ANONYMOUS";
/// Where clients are sent.
pub const FRONT: &str = "front.example";
pub const FRONT_PORT: i32 = 9_094;
/// What no client may ever read.
pub const MARKER: &str = "upstream-only.internal";

const PATIENCE: Duration = Duration::from_secs(10);

/// Makes an upstream's answer to one request.
type Answer = Box<dyn Fn(&RequestHeader, Bytes) -> Frame + Send + Sync>;

/// An upstream that remembers what it was asked.
pub struct Scripted {
    answers: Mutex<HashMap<i16, Answer>>,
    seen: Mutex<Vec<(RequestHeader, Bytes)>>,
    topics: Mutex<BTreeMap<String, Uuid>>,
    /// Answers leave only while it is open.
    gate: watch::Sender<bool>,
}

/// The same id for the same name in every test.
pub fn id_of(topic: &str) -> Uuid {
    let mut bytes = [7; 16];
    for (at, byte) in topic.bytes().enumerate().take(16) {
        bytes[at] = byte;
    }
    Uuid::from_bytes(bytes)
}

impl Scripted {
    fn with_topics(topics: &[&str]) -> Arc<Self> {
        let topics = topics
            .iter()
            .map(|name| ((*name).to_owned(), id_of(name)))
            .collect();
        let (gate, _) = watch::channel(true);
        Arc::new(Self {
            answers: Mutex::default(),
            seen: Mutex::default(),
            topics: Mutex::new(topics),
            gate,
        })
    }

    /// From now on requests of this kind are answered so.
    pub fn answer<R: Request>(&self, make: impl Fn(R, i16) -> R::Response + Send + Sync + 'static) {
        let answer = move |header: &RequestHeader, frame: Bytes| {
            let (_, request) = decode_request::<R>(frame).unwrap();
            let response = make(request, header.api_version);
            encode_response(R::KEY, header.api_version, header.correlation_id, &response).unwrap()
        };
        self.answers
            .lock()
            .unwrap()
            .insert(R::KEY, Box::new(answer));
    }

    /// Requests of clients that came through, with their versions.
    pub fn seen<R: Request>(&self) -> Vec<(i16, R)> {
        let seen = self.seen.lock().unwrap();
        let of_kind = seen.iter().filter(|(header, _)| header.api_key == R::KEY);
        of_kind
            .map(|(header, frame)| (header.api_version, decode_request(frame.clone()).unwrap().1))
            .collect()
    }

    /// The bytes of every request that came through.
    pub fn seen_frames(&self) -> Vec<Bytes> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(_, frame)| frame.clone())
            .collect()
    }

    /// Keys of everything that came through.
    pub fn seen_keys(&self) -> Vec<i16> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(header, _)| header.api_key)
            .collect()
    }

    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    pub fn hold_answers(&self) {
        self.gate.send_replace(false);
    }

    pub fn release_answers(&self) {
        self.gate.send_replace(true);
    }

    fn reply(&self, header: &RequestHeader, frame: Bytes) -> Frame {
        if let Some(answer) = self.answers.lock().unwrap().get(&header.api_key) {
            return answer(header, frame);
        }
        match header.api_key {
            MetadataRequest::KEY => self.metadata(header, frame),
            ApiVersionsRequest::KEY => ranges(header),
            _ => plain_answer(header),
        }
    }

    fn metadata(&self, header: &RequestHeader, frame: Bytes) -> Frame {
        let (_, request) = decode_request::<MetadataRequest>(frame).unwrap();
        let known = self.topics.lock().unwrap();
        let topics = match request.topics {
            None => known.iter().map(|(name, id)| found(name, *id)).collect(),
            Some(topics) => topics
                .iter()
                .map(|topic| match &topic.name {
                    _ if !topic.topic_id.is_nil() => {
                        match known.iter().find(|(_, id)| **id == topic.topic_id) {
                            Some((name, id)) => found(name, *id),
                            None => missing(None, topic.topic_id, 100),
                        }
                    }
                    Some(name) => match known.get(&**name) {
                        Some(id) => found(name, *id),
                        None => missing(Some(name.clone()), Uuid::nil(), 3),
                    },
                    None => missing(None, topic.topic_id, 100),
                })
                .collect(),
        };
        let broker = MetadataResponseBroker {
            node_id: 1,
            host: MARKER.into(),
            port: 19_092,
            ..Default::default()
        };
        let response = MetadataResponse {
            brokers: vec![broker],
            cluster_id: Some("c".into()),
            controller_id: 1,
            topics,
            ..Default::default()
        };
        encode_response(3, header.api_version, header.correlation_id, &response).unwrap()
    }
}

fn found(name: &str, id: Uuid) -> MetadataResponseTopic {
    let partition = MetadataResponsePartition {
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    MetadataResponseTopic {
        name: Some(name.into()),
        topic_id: id,
        partitions: vec![partition],
        ..Default::default()
    }
}

fn missing(name: Option<Str>, topic_id: Uuid, error_code: i16) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code,
        name,
        topic_id,
        ..Default::default()
    }
}

/// Serves what the embedded log serves.
fn ranges(header: &RequestHeader) -> Frame {
    let rows = wire::api::MATRIX.iter().filter_map(|row| {
        let (min_version, max_version) = row.embedded?;
        Some(api_versions_response::ApiVersion {
            api_key: row.key,
            min_version,
            max_version,
            ..Default::default()
        })
    });
    let response = ApiVersionsResponse {
        api_keys: rows.collect(),
        ..Default::default()
    };
    encode_response(18, header.api_version, header.correlation_id, &response).unwrap()
}

macro_rules! plain_answers {
    ($($request:ty),* $(,)?) => {
        /// An answer in which every field has its default.
        fn plain_answer(header: &RequestHeader) -> Frame {
            let RequestHeader { api_key, api_version, correlation_id, .. } = *header;
            match api_key {
                $(<$request>::KEY => encode_response(
                    api_key,
                    api_version,
                    correlation_id,
                    &<<$request as Request>::Response>::default(),
                ).unwrap(),)*
                other => panic!("key {other} was forwarded"),
            }
        }
    };
}

plain_answers!(
    ProduceRequest,
    FetchRequest,
    ListOffsetsRequest,
    OffsetCommitRequest,
    OffsetFetchRequest,
    FindCoordinatorRequest,
    JoinGroupRequest,
    HeartbeatRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
    DescribeGroupsRequest,
    ListGroupsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DeleteRecordsRequest,
    InitProducerIdRequest,
    OffsetForLeaderEpochRequest,
    DescribeConfigsRequest,
    AlterConfigsRequest,
    DescribeLogDirsRequest,
    CreatePartitionsRequest,
    DeleteGroupsRequest,
    IncrementalAlterConfigsRequest,
    OffsetDeleteRequest,
    DescribeClusterRequest,
);

struct Sending {
    upstream: Arc<Scripted>,
    is_control: bool,
    replies: mpsc::UnboundedSender<Frame>,
}

struct Receiving {
    gate: Option<watch::Receiver<bool>>,
    replies: mpsc::UnboundedReceiver<Frame>,
}

struct Open(Arc<Scripted>);

impl Upstream for Open {
    fn open<'a>(&'a self, peer: Peer) -> Pending<'a, Opened> {
        let (sender, replies) = mpsc::unbounded_channel();
        let is_control = &*peer.listener == "control";
        let gate = (!is_control).then(|| self.0.gate.subscribe());
        let outbound = Sending {
            upstream: self.0.clone(),
            is_control,
            replies: sender,
        };
        let inbound = Receiving { gate, replies };
        Box::pin(async move {
            Ok((
                Box::new(outbound) as Box<dyn Outbound>,
                Box::new(inbound) as Box<dyn Inbound>,
            ))
        })
    }

    fn name(&self) -> String {
        "scripted".to_owned()
    }
}

impl Outbound for Sending {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>> {
        Box::pin(async move {
            let frame = frame.into_bytes();
            let header = RequestHeader::read(&mut wire::codec::Reader::new(frame.clone())).unwrap();
            if !self.is_control {
                self.upstream
                    .seen
                    .lock()
                    .unwrap()
                    .push((header.clone(), frame.clone()));
            }
            let is_silent = header.api_key == 0
                && decode_request::<ProduceRequest>(frame.clone())
                    .unwrap()
                    .1
                    .acks
                    == 0;
            if !is_silent {
                let _ = self.replies.send(self.upstream.reply(&header, frame));
            }
            Ok(())
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
            }
            Ok(reply)
        })
    }
}

/// Rules that a test sets, or that clients change.
#[derive(Default)]
pub struct Rules {
    policy: Mutex<Arc<Policy>>,
}

/// Reads `allow Read topic:a`.
pub fn rule(line: &str) -> RuleDefinition {
    let words: Vec<&str> = line.split(' ').collect();
    RuleDefinition {
        effect: if words[0] == "deny" {
            Effect::Deny
        } else {
            Effect::Allow
        },
        subject: PrincipalName::user(ME),
        host: HostPattern::Any,
        operation: words[1].parse().unwrap(),
        resource: ResourcePattern::parse(words[2]).unwrap(),
    }
}

impl Rules {
    /// Replaces all rules.
    pub fn set(&self, lines: &[&str]) {
        self.put(
            lines.iter().map(|line| rule(line)).collect(),
            BTreeSet::new(),
        );
    }

    /// Everything is allowed.
    pub fn allow_all(&self) {
        self.put(Vec::new(), BTreeSet::from([PrincipalName::user(ME)]));
    }

    pub fn definitions(&self) -> Vec<RuleDefinition> {
        self.current()
            .rules()
            .iter()
            .map(|rule| rule.definition.clone())
            .collect()
    }

    fn put(&self, definitions: Vec<RuleDefinition>, super_users: BTreeSet<PrincipalName>) {
        let rules = (1..)
            .zip(definitions)
            .map(|(id, definition)| Rule {
                id: RuleId(id),
                definition,
            })
            .collect();
        let mut policy = self.policy.lock().unwrap();
        *policy = Arc::new(Policy::compile(
            PolicyEpoch(policy.epoch().0 + 1),
            super_users,
            rules,
        ));
    }
}

impl PolicySource for Rules {
    fn current(&self) -> Arc<Policy> {
        self.policy.lock().unwrap().clone()
    }
}

impl RuleStore for Rules {
    fn add<'a>(
        &'a self,
        rules: Vec<RuleDefinition>,
        _by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Rule>, ChangeError>> {
        Box::pin(async move {
            let mut all = self.definitions();
            for definition in &rules {
                if !all.contains(definition) {
                    all.push(definition.clone());
                }
            }
            let super_users = self.current().super_users().clone();
            self.put(all, super_users);
            Ok(self
                .current()
                .rules()
                .iter()
                .filter(|rule| rules.contains(&rule.definition))
                .cloned()
                .collect())
        })
    }

    fn remove<'a>(
        &'a self,
        filters: Vec<RuleFilter>,
        _by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Vec<Rule>>, ChangeError>> {
        Box::pin(async move {
            let policy = self.current();
            let found: Vec<Vec<Rule>> = filters
                .iter()
                .map(|filter| policy.find(filter).cloned().collect())
                .collect();
            let gone: BTreeSet<RuleId> = found.iter().flatten().map(|rule| rule.id).collect();
            let left = policy.rules().iter();
            let left = left.filter(|rule| !gone.contains(&rule.id));
            let left = left.map(|rule| rule.definition.clone()).collect();
            self.put(left, policy.super_users().clone());
            Ok(found)
        })
    }
}

/// SCRAM credentials in memory; nobody logs in with them here.
#[derive(Default)]
pub struct Users {
    pub kept: Mutex<BTreeMap<String, Vec<ScramVerifier>>>,
}

impl ScramStore for Users {
    fn list(&self) -> Vec<(String, Vec<(ScramMechanism, u32)>)> {
        let kept = self.kept.lock().unwrap();
        let infos = |all: &Vec<ScramVerifier>| {
            all.iter()
                .map(|one| (one.mechanism, one.iterations))
                .collect()
        };
        kept.iter()
            .map(|(user, all)| (user.clone(), infos(all)))
            .collect()
    }

    fn change<'a>(
        &'a self,
        changes: Vec<ScramChange>,
        _by: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>> {
        Box::pin(async move {
            let mut kept = self.kept.lock().unwrap();
            let mut outcomes = Vec::new();
            for change in changes {
                outcomes.push(match change {
                    ScramChange::Set { user, verifier } => {
                        let all = kept.entry(user).or_default();
                        all.retain(|one| one.mechanism != verifier.mechanism);
                        all.push(verifier);
                        Ok(())
                    }
                    ScramChange::Delete { user, mechanism } => match kept.get_mut(&user) {
                        Some(all) if all.iter().any(|one| one.mechanism == mechanism) => {
                            all.retain(|one| one.mechanism != mechanism);
                            Ok(())
                        }
                        _ => Err(ChangeError::UnknownCredential(user)),
                    },
                });
            }
            outcomes
        })
    }
}

struct NoCredentials(Secret);

impl CredentialSource for NoCredentials {
    fn scram<'a>(
        &'a self,
        _user: &'a str,
        _mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>> {
        Box::pin(async { Ok(None) })
    }

    fn password<'a>(
        &'a self,
        _user: &'a str,
        _password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>> {
        Box::pin(async { Ok(None) })
    }

    fn admits(&self, _principal: &PrincipalName) -> bool {
        true
    }

    fn is_current(&self, _user: &str, _credential: CredentialRevision) -> bool {
        true
    }

    fn decoy_key(&self) -> &Secret {
        &self.0
    }
}

/// Events, in order.
#[derive(Default)]
pub struct Trail {
    events: Mutex<Vec<Event>>,
    is_full: AtomicBool,
}

impl Trail {
    /// From now on nothing is taken.
    pub fn fill(&self) {
        self.is_full.store(true, Ordering::SeqCst);
    }

    /// Events of administration: kind, outcome, resources.
    pub fn changes(&self) -> Vec<(String, Outcome, Vec<String>)> {
        let events = self.events.lock().unwrap();
        let changes = events
            .iter()
            .filter(|event| event.kind.starts_with("admin."));
        let named = |event: &Event| event.resources.iter().map(|on| on.name.clone()).collect();
        changes
            .map(|event| (event.kind.clone(), event.outcome, named(event)))
            .collect()
    }

    /// What was refused: operation and resources.
    pub fn refusals(&self) -> Vec<(String, Vec<String>)> {
        let events = self.events.lock().unwrap();
        let refused = events.iter().filter(|event| event.kind == "authz.refused");
        let named = |event: &Event| {
            event
                .resources
                .iter()
                .map(|on| format!("{}:{}", on.kind, on.name))
                .collect()
        };
        refused
            .map(|event| (event.op.clone().unwrap_or_default(), named(event)))
            .collect()
    }
}

impl TrailSink for Trail {
    fn record<'a>(&'a self, event: Event) -> Pending<'a, Result<(), Unavailable>> {
        let is_full = self.is_full.load(Ordering::SeqCst);
        if !is_full {
            self.note(event);
        }
        Box::pin(async move {
            if is_full {
                Err(Unavailable("full".to_owned()))
            } else {
                Ok(())
            }
        })
    }

    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

/// Everything a test needs. The gateway ends with it.
pub struct World {
    pub upstream: Arc<Scripted>,
    pub rules: Arc<Rules>,
    pub users: Arc<Users>,
    pub trail: Arc<Trail>,
    address: SocketAddr,
    gateway: Gateway,
}

impl World {
    /// A gateway before an upstream with topics `a`, `b` and `hidden`.
    pub async fn new(rules: &[&str]) -> Self {
        let upstream = Scripted::with_topics(&["a", "b", "hidden"]);
        let policy = Arc::new(Rules::default());
        policy.set(rules);
        let (users, trail) = (Arc::new(Users::default()), Arc::new(Trail::default()));
        let ports = Ports {
            credentials: Arc::new(NoCredentials(Secret::from(vec![1; 32]))),
            policy: policy.clone(),
            rules: policy.clone(),
            scram: users.clone(),
            trail: trail.clone(),
            clock: Clock::system(),
        };
        let listener = Listener {
            name: "plain".into(),
            encryption: Encryption::InsecurePlaintext,
            login: LoginKind::InsecureAnonymous,
            advertised: HostPort {
                host: FRONT.into(),
                port: FRONT_PORT as u16,
            },
            trusted_proxies: [].into(),
        };
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let limits = Limits {
            fetch_max_bytes: 1 << 20,
            accept_rate: 10_000,
            accept_rate_per_ip: 10_000,
            ..Limits::default()
        };
        let open = Arc::new(Open(upstream.clone()));
        let gateway = Gateway::start(
            limits,
            Deadlines::default(),
            ports,
            open,
            vec![(listener, socket)],
        )
        .await
        .unwrap();
        Self {
            upstream,
            rules: policy,
            users,
            trail,
            address,
            gateway,
        }
    }

    /// Ends the gateway in order; what is left after ten seconds is cut.
    pub async fn drain(self) {
        self.gateway.drain(PATIENCE).await;
    }

    pub async fn client(&self) -> Client {
        Client {
            stream: TcpStream::connect(self.address).await.unwrap(),
            next: 100,
        }
    }

    /// One request on a connection of its own.
    pub async fn ask<R: Request>(&self, version: i16, request: &R) -> R::Response {
        self.client().await.ask(version, request).await
    }

    /// Whether one request ends its connection without an answer.
    pub async fn closes_on<R: Request>(&self, version: i16, request: &R) -> bool {
        let mut client = self.client().await;
        client.send(version, request).await;
        client.is_closed().await
    }
}

/// A client that writes what it is told.
pub struct Client {
    stream: TcpStream,
    next: i32,
}

impl Client {
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.next += 1;
        let frame = encode_request(self.next, Some("tests".into()), version, request)
            .unwrap()
            .into_bytes();
        self.send_frame(&frame).await;
        self.next
    }

    pub async fn send_frame(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        self.stream
            .write_all(&[&length, frame].concat())
            .await
            .unwrap();
    }

    /// The next answer; `None` when the connection was closed instead.
    pub async fn receive_frame(&mut self) -> Option<Bytes> {
        let read = async {
            let length = self.stream.read_u32().await.ok()?;
            let mut frame = BytesMut::zeroed(length as usize);
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame.freeze())
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .expect("the gateway answers or closes")
    }

    pub async fn receive<R: Request>(&mut self, version: i16, correlation_id: i32) -> R::Response {
        let frame = self.receive_frame().await.expect("an answer");
        let (id, response) = decode_response::<R::Response>(R::KEY, version, frame).unwrap();
        assert_eq!(id, correlation_id);
        response
    }

    pub async fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        let id = self.send(version, request).await;
        self.receive::<R>(version, id).await
    }

    pub async fn is_closed(&mut self) -> bool {
        self.receive_frame().await.is_none()
    }
}
