//! What stands around a gateway in the `session` target: two users, no rules but for alice, an upstream that answers
//! with bytes of the fuzzer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway::Ports;
use gateway::config::{Encryption, HostPort, Listener, LoginKind};
use gateway::upstream::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};
use kastellan_core::credential::{CredentialRevision, ScramMechanism, ScramVerifier};
use kastellan_core::event::Event;
use kastellan_core::filter::RuleFilter;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::ports::{
    ChangeError, CredentialSource, Pending, PolicySource, Requester, RuleStore, ScramChange,
    ScramStore, TrailSink, Unavailable,
};
use kastellan_core::principal::PrincipalName;
use kastellan_core::rule::{Rule, RuleDefinition};
use kastellan_core::secret::Secret;
use kastellan_core::time::{Clock, Timestamp};
use tokio::sync::mpsc;
use wire::codec::Reader;
use wire::frame::Frame;
use wire::header::{RequestHeader, encode_response};
use wire::message::*;
use wire::sasl::Mechanism;

use crate::asks::names_something;

pub const PASSWORD: &[u8] = b"pencil";
/// Longest body of an upstream's answer.
const BODY_MAX: usize = 512;

/// Answers with what the fuzzer wrote, and counts what clients got through.
pub struct Fuzzed {
    pub bodies: Mutex<Bytes>,
    pub seen: Mutex<Vec<Seen>>,
}

/// A request that got through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub key: i16,
    pub names_something: bool,
}

struct Sending {
    behind: Arc<Fuzzed>,
    is_control: bool,
    replies: mpsc::UnboundedSender<Frame>,
}

struct Receiving(mpsc::UnboundedReceiver<Frame>);

pub struct Behind(pub Arc<Fuzzed>);

impl Upstream for Behind {
    fn open<'a>(&'a self, peer: Peer) -> Pending<'a, Opened> {
        let (replies, receiver) = mpsc::unbounded_channel();
        let sending = Sending {
            behind: self.0.clone(),
            is_control: &*peer.listener == "control",
            replies,
        };
        Box::pin(async move {
            Ok((
                Box::new(sending) as Box<dyn Outbound>,
                Box::new(Receiving(receiver)) as Box<dyn Inbound>,
            ))
        })
    }

    fn name(&self) -> String {
        "fuzzer".to_owned()
    }
}

impl Outbound for Sending {
    fn send(&mut self, frame: Frame) -> Pending<'_, Result<(), UpstreamError>> {
        Box::pin(async move {
            let mut reader = Reader::new(frame.into_bytes());
            let header = RequestHeader::read(&mut reader).expect("the gateway writes headers");
            let reply = if self.is_control {
                known(&header)
            } else {
                let seen = Seen {
                    key: header.api_key,
                    names_something: names_something(&header, &mut reader),
                };
                self.behind.seen.lock().unwrap().push(seen);
                self.behind.reply(header.correlation_id)
            };
            let _ = self.replies.send(reply);
            Ok(())
        })
    }
}

impl Inbound for Receiving {
    fn receive(&mut self) -> Pending<'_, Result<Frame, UpstreamError>> {
        Box::pin(async move { self.0.recv().await.ok_or(UpstreamError::Closed) })
    }
}

impl Fuzzed {
    /// The first byte says how long the body is.
    fn reply(&self, correlation_id: i32) -> Frame {
        let mut bodies = self.bodies.lock().unwrap();
        let length = bodies.first().map_or(0, |length| usize::from(*length) * 2);
        let start = bodies.len().min(1);
        let body = bodies.slice(start..(start + length.min(BODY_MAX)).min(bodies.len()));
        let used = start + body.len();
        *bodies = bodies.slice(used..);
        let id = Bytes::copy_from_slice(&correlation_id.to_be_bytes());
        Frame::new(vec![id, body])
    }
}

/// What the gateway itself asks.
fn known(header: &RequestHeader) -> Frame {
    let (key, version, id) = (header.api_key, header.api_version, header.correlation_id);
    let encoded = if key == 18 {
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
        encode_response(key, version, id, &response)
    } else {
        let topic = metadata_response::MetadataResponseTopic {
            name: Some("a".into()),
            topic_id: uuid::Uuid::from_bytes([7; 16]),
            ..Default::default()
        };
        let response = MetadataResponse {
            topics: vec![topic],
            ..Default::default()
        };
        encode_response(key, version, id, &response)
    };
    encoded.expect("these can be written")
}

/// alice and bob, with one password.
struct Users(Secret);

impl CredentialSource for Users {
    fn scram<'a>(
        &'a self,
        user: &'a str,
        mechanism: ScramMechanism,
    ) -> Pending<'a, Result<Option<(ScramVerifier, CredentialRevision)>, Unavailable>> {
        let verifier = ScramVerifier {
            mechanism,
            salt: b"salt".to_vec(),
            iterations: 4_096,
            stored_key: Secret::new(match mechanism {
                ScramMechanism::Sha256 => crate::login::stored_key(),
                ScramMechanism::Sha512 => vec![1; mechanism.hash_len()],
            }),
            server_key: Secret::new(vec![2; mechanism.hash_len()]),
        };
        let found = known_user(user).map(|revision| (verifier, revision));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn password<'a>(
        &'a self,
        user: &'a str,
        password: &'a Secret,
    ) -> Pending<'a, Result<Option<CredentialRevision>, Unavailable>> {
        let found = known_user(user).filter(|_| password.matches(PASSWORD));
        Box::pin(std::future::ready(Ok(found)))
    }

    fn admits(&self, _: &PrincipalName) -> bool {
        true
    }

    fn is_current(&self, user: &str, credential: CredentialRevision) -> bool {
        known_user(user) == Some(credential)
    }

    fn decoy_key(&self) -> &Secret {
        &self.0
    }
}

fn known_user(user: &str) -> Option<CredentialRevision> {
    let id = match user {
        "alice" => 1,
        "bob" => 2,
        _ => return None,
    };
    Some(CredentialRevision { id, revision: 1 })
}

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
        changes: Vec<ScramChange>,
        _: &'a Requester,
    ) -> Pending<'a, Vec<Result<(), ChangeError>>> {
        let refused = |_| Err(ChangeError::Invalid("fixed".to_owned()));
        Box::pin(async move { changes.into_iter().map(refused).collect() })
    }
}

struct Forgets;

impl TrailSink for Forgets {
    fn record<'a>(&'a self, _: Event) -> Pending<'a, Result<Option<u64>, Unavailable>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn note(&self, _: Event) {}
}

pub fn ports() -> Ports {
    let everything = BTreeSet::from(["alice", "ANONYMOUS"].map(PrincipalName::user));
    let policy = Policy::compile(PolicyEpoch(1), everything, Vec::new());
    let fixed = Arc::new(Fixed(Arc::new(policy)));
    Ports {
        credentials: Arc::new(Users(Secret::new(vec![3; 32]))),
        policy: fixed.clone(),
        rules: fixed.clone(),
        scram: fixed,
        trail: Arc::new(Forgets),
        clock: Clock::manual(Timestamp(1_700_000_000_000)),
    }
}

/// Where clients log in, or where anybody may do anything.
pub fn listener(is_open: bool) -> Listener {
    let sasl = Mechanism::ALL.into_iter().filter(|one| one.is_spoken());
    Listener {
        name: "fuzz".into(),
        encryption: Encryption::InsecurePlaintext,
        login: if is_open {
            LoginKind::InsecureAnonymous
        } else {
            LoginKind::Sasl(sasl.collect())
        },
        advertised: HostPort {
            host: "gateway".into(),
            port: 9_094,
        },
        trusted_proxies: [].into(),
    }
}

/// Longest that a connection may last, in its own time.
pub const END: Duration = Duration::from_secs(3_600);
