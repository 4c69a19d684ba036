//! An upstream that remembers what it was asked and answers what the test writes, or something plain.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gateway::upstream::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};
use kastellan_core::ports::Pending;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;
use wire::Request;
use wire::frame::Frame;
use wire::header::{RequestHeader, decode_request, encode_response};
use wire::message::metadata_response::MetadataResponseBroker;
use wire::message::*;

use super::MARKER;
use super::answers::{found, missing, plain_answer, ranges};

/// Makes an upstream's answer to one request.
type Answer = Box<dyn Fn(&RequestHeader, Bytes) -> Frame + Send + Sync>;

/// An upstream that remembers what it was asked.
pub struct Scripted {
    answers: Mutex<HashMap<i16, Answer>>,
    seen: Mutex<Vec<(RequestHeader, Bytes)>>,
    topics: Mutex<BTreeMap<String, Uuid>>,
    creates: AtomicBool,
    is_harmless: AtomicBool,
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
    pub(super) fn with_topics(topics: &[&str]) -> Arc<Self> {
        let topics = topics
            .iter()
            .map(|name| ((*name).to_owned(), id_of(name)))
            .collect();
        let (gate, _) = watch::channel(true);
        Arc::new(Self {
            answers: Mutex::default(),
            seen: Mutex::default(),
            topics: Mutex::new(topics),
            creates: AtomicBool::new(false),
            is_harmless: AtomicBool::new(false),
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

    /// From now on it says that it makes topics that are asked for and missing. It does not.
    pub fn create_topics(&self) {
        self.creates.store(true, Ordering::SeqCst);
    }

    /// From now on its settings are as harmless as those of the embedded log.
    pub fn be_harmless(&self) {
        self.is_harmless.store(true, Ordering::SeqCst);
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

struct Sending {
    upstream: Arc<Scripted>,
    is_control: bool,
    replies: mpsc::UnboundedSender<Frame>,
}

struct Receiving {
    gate: Option<watch::Receiver<bool>>,
    replies: mpsc::UnboundedReceiver<Frame>,
}

pub(super) struct Open(pub(super) Arc<Scripted>);

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

    fn creates_topics(&self) -> bool {
        self.0.creates.load(Ordering::SeqCst)
    }

    fn has_harmless_settings(&self) -> bool {
        self.0.is_harmless.load(Ordering::SeqCst)
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
