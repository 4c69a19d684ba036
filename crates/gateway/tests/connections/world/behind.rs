//! An upstream that tests hold and break.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gateway::upstream::{Inbound, Opened, Outbound, Peer, Upstream, UpstreamError};
use kastellan_core::ports::Pending;
use tokio::sync::{mpsc, watch};
use wire::Request;
use wire::codec::Reader;
use wire::frame::Frame;
use wire::header::{RequestHeader, decode_request, encode_response};
use wire::message::*;

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
    pub(super) fn new() -> Arc<Self> {
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

pub(super) struct Open(pub(super) Arc<Behind>);

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
