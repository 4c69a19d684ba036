//! What the gateway knows of its upstream: versions, topic ids. Asked over a connection of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use kastellan_core::authorize::Permit;
use tokio::sync::Mutex;
use uuid::Uuid;
use wire::Request;
use wire::header::{decode_response, encode_request};
use wire::message::{ApiVersionsRequest, MetadataRequest};
use wire::text::Str;

use crate::upstream::{self, Inbound, Outbound, Peer, Sealed, Upstream, UpstreamError};

const ASK: Duration = Duration::from_secs(5);
/// Shortest time between two questions for topic names.
const BETWEEN_REFRESHES: Duration = Duration::from_millis(100);
/// Topic ids that are remembered.
const IDS_MAX: usize = 200_000;
const CLIENT_ID: Str = Str::from_static("kastellan-control");

/// Versions by key.
pub type Ranges = BTreeMap<i16, (i16, i16)>;

pub struct Topology {
    upstream: Arc<dyn Upstream>,
    ranges: RwLock<Arc<Ranges>>,
    names: RwLock<HashMap<Uuid, Str>>,
    control: Mutex<Control>,
    is_reached: AtomicBool,
}

#[derive(Default)]
struct Control {
    link: Option<(Box<dyn Outbound>, Box<dyn Inbound>)>,
    next_id: i32,
    refreshed: Option<tokio::time::Instant>,
}

impl Topology {
    pub(crate) fn new(upstream: Arc<dyn Upstream>) -> Self {
        Self {
            upstream,
            ranges: RwLock::default(),
            names: RwLock::default(),
            control: Mutex::default(),
            is_reached: AtomicBool::new(false),
        }
    }

    /// Whether the upstream has answered, ever.
    pub fn is_reached(&self) -> bool {
        self.is_reached.load(Ordering::SeqCst)
    }

    pub(crate) fn ranges(&self) -> Arc<Ranges> {
        self.ranges
            .read()
            .expect("nobody panics while holding it")
            .clone()
    }

    /// Asks for the upstream's versions and topics.
    pub(crate) async fn refresh(&self) -> Result<(), UpstreamError> {
        let mut control = self.control.lock().await;
        let answer = self
            .ask(&mut control, 0, &ApiVersionsRequest::default())
            .await?;
        let ranges: Ranges = answer
            .api_keys
            .iter()
            .map(|api| (api.api_key, (api.min_version, api.max_version)))
            .collect();
        *self.ranges.write().expect("nobody panics while holding it") = Arc::new(ranges);
        self.is_reached.store(true, Ordering::SeqCst);
        self.refresh_names(&mut control).await
    }

    async fn refresh_names(&self, control: &mut Control) -> Result<(), UpstreamError> {
        let version = self
            .ranges()
            .get(&MetadataRequest::KEY)
            .map_or(0, |range| range.1.min(12));
        let request = MetadataRequest {
            topics: None,
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let answer = self.ask(control, version, &request).await?;
        let mut names = self.names.write().expect("nobody panics while holding it");
        for topic in answer.topics {
            if let Some(name) = topic
                .name
                .filter(|_| !topic.topic_id.is_nil() && names.len() < IDS_MAX)
            {
                names.insert(topic.topic_id, name.detached());
            }
        }
        control.refreshed = Some(tokio::time::Instant::now());
        Ok(())
    }

    /// The name of a topic id. An id that is not known makes us ask the upstream, ten times a second at most, unless
    /// it was asked `since`: so a request with many unknown ids asks once, and everybody who waits shares the answer.
    pub(crate) async fn name_of(&self, id: Uuid, since: tokio::time::Instant) -> Option<Str> {
        if let Some(name) = self.known_name(id) {
            return Some(name);
        }
        let mut control = self.control.lock().await;
        if control.refreshed.is_none_or(|at| at < since) {
            let early = control
                .refreshed
                .and_then(|at| BETWEEN_REFRESHES.checked_sub(at.elapsed()));
            tokio::time::sleep(early.unwrap_or_default()).await;
            let asked = tokio::time::Instant::now();
            self.refresh_names(&mut control).await.ok()?;
            control.refreshed = Some(asked);
        }
        self.known_name(id)
    }

    /// The name of a topic id, if it was seen.
    pub(crate) fn cached_name(&self, id: Uuid) -> Option<Str> {
        self.known_name(id)
    }

    fn known_name(&self, id: Uuid) -> Option<Str> {
        self.names
            .read()
            .expect("nobody panics while holding it")
            .get(&id)
            .cloned()
    }

    /// Whether a topic of this name was seen, and not deleted since through this gateway.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let names = self.names.read().expect("nobody panics while holding it");
        names.values().any(|known| **known == *name)
    }

    /// A topic was deleted. Its id is never used again.
    pub(crate) fn forget(&self, name: &str) {
        let mut names = self.names.write().expect("nobody panics while holding it");
        names.retain(|_, known| **known != *name);
    }

    /// Remembers ids that pass by in answers.
    pub(crate) fn note(&self, id: Uuid, name: &Str) {
        if id.is_nil() || self.known_name(id).is_some() {
            return;
        }
        let mut names = self.names.write().expect("nobody panics while holding it");
        if names.len() < IDS_MAX {
            names.insert(id, name.detached());
        }
    }

    /// One request of our own. A failure drops the connection; the next call opens another.
    async fn ask<R: Request>(
        &self,
        control: &mut Control,
        version: i16,
        request: &R,
    ) -> Result<R::Response, UpstreamError> {
        let outcome = tokio::time::timeout(ASK, self.exchange(control, version, request)).await;
        let outcome = outcome.unwrap_or(Err(UpstreamError::TimedOut));
        if outcome.is_err() {
            control.link = None;
        }
        outcome
    }

    async fn exchange<R: Request>(
        &self,
        control: &mut Control,
        version: i16,
        request: &R,
    ) -> Result<R::Response, UpstreamError> {
        if control.link.is_none() {
            let peer = Peer {
                principal: "kastellan".into(),
                host: std::net::IpAddr::from([127, 0, 0, 1]),
                listener: "control".into(),
                connection: 0,
            };
            control.link = Some(self.upstream.open(peer).await?);
        }
        control.next_id = control.next_id.wrapping_add(1);
        let id = control.next_id;
        let (outbound, inbound) = control.link.as_mut().ok_or(UpstreamError::Closed)?;
        let frame = encode_request(id, Some(CLIENT_ID), version, request)
            .map_err(|_| UpstreamError::Protocol)?;
        upstream::send(
            outbound.as_mut(),
            Sealed::as_is(frame),
            Permit::unprotected(),
        )
        .await?;
        let answer = inbound.receive().await?;
        let (found, message) = decode_response::<R::Response>(R::KEY, version, answer.into_bytes())
            .map_err(|_| UpstreamError::Protocol)?;
        if found == id {
            Ok(message)
        } else {
            Err(UpstreamError::Protocol)
        }
    }
}
