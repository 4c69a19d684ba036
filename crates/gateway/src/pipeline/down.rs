//! *Down*: reads a request, has it judged, sends it on, notes the answer that is due.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kastellan_core::time::Timestamp;
use tokio::io::ReadHalf;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wire::frame::{Frame, FrameCaps};
use wire::header::RequestStart;

use super::{Asked, Entry, Expected, InFlight};
use crate::apis::{self, Context, Treatment};
use crate::cause::Cause;
use crate::gateway::Core;
use crate::limits::heavy::is_heavy;
use crate::limits::room::{Room, Share};
use crate::meters::{self, Pause, UpstreamConnection, WHOLE};
use crate::session::Session;
use crate::transport::{LARGE, Lender, Patience, Received, Transport, read_frame};
use crate::upstream::{self, Outbound, Peer, Sealed};

const PRODUCE: i16 = 0;
/// Requests of so many bytes have little that could be refused.
const REFUSALS_SMALL: usize = 4 << 10;
/// Bytes of refusals for a byte of names: an entry of an answer has more fields than a name.
const REFUSALS_GROW: usize = 8;

pub(super) struct Down<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) reader: ReadHalf<Transport>,
    pub(super) buffer: BytesMut,
    pub(super) queue: mpsc::Sender<Entry>,
    pub(super) in_flight: &'a InFlight,
    pub(super) outbound: &'a mut Option<Box<dyn Outbound>>,
    pub(super) draining: watch::Receiver<bool>,
    /// When the session ends, for whoever ends it.
    pub(super) until: watch::Sender<Option<Timestamp>>,
    /// For large requests of the principal that are read or in flight, in KiB.
    pub(super) principals_room: Arc<Room>,
    /// For large requests with records in flight, in KiB.
    pub(super) requests_room: Room,
    /// For answers of our own that wait, and for what is refused of other requests, in bytes.
    pub(super) answers_room: Room,
    /// When it was proven again last, on the monotonic clock.
    pub(super) renewed: Option<Duration>,
}

impl Down<'_> {
    pub(super) async fn run(mut self, session: Session) -> Cause {
        let mut context = Context::new(self.core.clone(), session);
        loop {
            match self.step(&mut context).await {
                Ok(()) => {}
                Err(cause) => return cause,
            }
        }
    }

    async fn step(&mut self, context: &mut Context) -> Result<(), Cause> {
        let (limits, deadlines) = (self.core.limits(), self.core.deadlines());
        let caps = FrameCaps {
            produce: limits.frame_max_produce,
            ..FrameCaps::same(limits.frame_max_other)
        };
        let patience = Patience {
            first_byte: Some(deadlines.idle),
            whole: deadlines.frame,
        };
        let lender = Lender {
            all: &self.core.memory,
            principals: &self.principals_room,
        };
        let (reader, buffer) = (&mut self.reader, &mut self.buffer);
        let read = read_frame(reader, buffer, caps, patience, Some(lender));
        let read = tokio::select! {
            biased;
            // A request that was read whole is still treated.
            _ = self.draining.wait_for(|draining| *draining) => return Err(Cause::Draining),
            read = read => read,
        };
        let Received { frame, memory } = match read {
            // Somebody who waits for an answer is not idle.
            Err(Cause::Idle) if !self.in_flight.is_empty() => return Ok(()),
            other => other?.ok_or(Cause::ClientClosed)?,
        };
        let start = RequestStart::peek(&frame).ok_or(Cause::Malformed)?;
        if self.may_renew(context.session(), start) {
            // Behind a pointer, as it is rare: every connection has room for what it may await.
            return Box::pin(self.renew(context, frame)).await;
        }
        if self.is_over() {
            return Err(Cause::Expired);
        }
        let asked = Asked::now(start.api_key);
        let bytes = frame.len();
        meters::of(start.api_key).request_bytes.add(bytes as u64);
        let treatment = if is_heavy(start.api_key, bytes) {
            let treated = Box::pin(apis::treat(context, start, frame));
            self.core.heavy.work(treated).await
        } else {
            apis::treat(context, start, frame).await
        };
        match treatment {
            Treatment::Forward {
                request,
                permit,
                plan,
            } => {
                self.open(context).await?;
                let own_share = self.own_share(start.api_key, bytes).await;
                if plan.expects_answer() {
                    self.push(Entry::Upstream(Expected {
                        plan,
                        start,
                        began: asked.began,
                        since: Instant::now(),
                        _share: memory,
                        _own_share: own_share,
                    }))
                    .await?;
                }
                let outbound = self.outbound.as_mut().ok_or(Cause::UpstreamClosed)?;
                upstream::send(outbound.as_mut(), Sealed::as_is(request), permit)
                    .await
                    .map_err(|_| Cause::UpstreamClosed)
            }
            Treatment::ForwardThenClose {
                request,
                permit,
                cause,
            } => {
                self.open(context).await?;
                let outbound = self.outbound.as_mut().ok_or(Cause::UpstreamClosed)?;
                upstream::send(outbound.as_mut(), Sealed::as_is(request), permit)
                    .await
                    .map_err(|_| Cause::UpstreamClosed)?;
                Err(cause)
            }
            Treatment::Answer(frame) => self.answer(frame, asked).await,
            Treatment::Close(cause) => Err(cause),
        }
    }

    /// A request's share of what one connection may have in flight. Nothing is read while it waits. What is refused of a
    /// request waits with it for the answer, as an answer of our own would.
    async fn own_share(&self, key: i16, bytes: usize) -> Share {
        match key {
            PRODUCE if bytes > LARGE => {
                let pieces = bytes.div_ceil(1 << 10);
                self.requests_room.take(pieces, Pause::InFlight).await
            }
            PRODUCE => None,
            _ if bytes > REFUSALS_SMALL => {
                let most = bytes.saturating_mul(REFUSALS_GROW);
                self.answers_room.take(most, Pause::InFlight).await
            }
            _ => None,
        }
    }

    /// Queues an answer of our own. Nothing is read while too many bytes of those wait for the client.
    pub(super) async fn answer(&self, frame: Frame, asked: Asked) -> Result<(), Cause> {
        let share = self.answers_room.take(frame.len(), Pause::InFlight).await;
        self.push(Entry::Local(frame, asked, share)).await
    }

    async fn push(&self, entry: Entry) -> Result<(), Cause> {
        self.in_flight.add();
        let Err(full) = self.queue.try_send(entry) else {
            return Ok(());
        };
        let since = Instant::now();
        let sent = self.queue.send(full.into_inner()).await;
        WHOLE.paused(Pause::InFlight, since);
        sent.map_err(|_| Cause::ClientClosed)
    }

    /// Opens the upstream connection at the first request that needs it.
    async fn open(&mut self, context: &Context) -> Result<(), Cause> {
        if self.outbound.is_some() {
            return Ok(());
        }
        let session = context.session();
        let peer = Peer {
            principal: session.principal.name().to_string().into(),
            host: session.host.ip(),
            listener: session.listener.name.clone(),
            connection: session.id,
        };
        let (outbound, inbound) = self.core.upstream.open(peer).await.map_err(|error| {
            tracing::warn!(%error, "Upstream cannot be opened");
            WHOLE.upstream_failures.add(1);
            Cause::UpstreamClosed
        })?;
        *self.outbound = Some(outbound);
        self.push(Entry::Opened(inbound, UpstreamConnection::opened()))
            .await
    }
}
