//! A logged-in connection: requests are judged and forwarded in order, answers go back in the same order.
//!
//! Two halves in one task, joined by a bounded queue: *down* reads requests, *up* writes answers. A full queue stops the
//! reading; nothing is dropped and nothing is sorted again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;
use wire::frame::{Frame, FrameCaps};
use wire::header::RequestStart;

use crate::apis::{self, Context, Plan, Treatment};
use crate::cause::Cause;
use crate::gateway::Core;
use crate::session::{Registered, Session};
use crate::transport::{self, Patience, Received, Run, Transport, read_frame};
use crate::upstream::{self, Inbound, Outbound, Peer, Sealed};

/// How long answers may still leave after the last request was read, whoever ended it.
const FLUSH: Duration = Duration::from_secs(5);

/// Longest a timer is set for.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 86_400);

/// An answer's place in the order.
enum Entry {
    /// The upstream connection was opened: answers come from here.
    Opened(Box<dyn Inbound>),
    Upstream(Expected),
    Local(Frame),
}

/// An answer that the upstream owes.
struct Expected {
    plan: Plan,
    start: RequestStart,
    since: Instant,
    /// The request's share of memory, given back when it is answered.
    _share: Option<OwnedSemaphorePermit>,
}

/// Serves until somebody ends it; says who.
pub async fn serve(
    core: &Arc<Core>,
    session: Session,
    mut registered: Registered,
    transport: Transport,
    buffer: BytesMut,
    draining: watch::Receiver<bool>,
) -> Cause {
    let limits = core.limits();
    let (reader, writer) = tokio::io::split(transport);
    let (queue, entries) = mpsc::channel(limits.in_flight);
    let in_flight = AtomicUsize::new(0);
    let until = session.principal.until();
    let now = core.ports.clock.now();
    let lifetime = until.map_or(LIFETIME_MAX, |until| until.since(now));
    // Outlives the reading half: an upstream that sees its requests end may not answer those it has.
    let mut outbound = None;
    let down = Down {
        core,
        reader,
        buffer,
        queue,
        in_flight: &in_flight,
        outbound: &mut outbound,
        draining,
    };
    let mut down = Box::pin(down.run(session));
    let mut up = Up {
        core,
        writer,
        waiting: Run::default(),
        entries,
        answers: Answers::default(),
        in_flight: &in_flight,
    };
    let cause = {
        let writing = up.run();
        tokio::pin!(writing);
        let cause = tokio::select! {
            biased;
            cause = registered.cut() => Err(cause),
            cause = &mut writing => Err(cause),
            () = tokio::time::sleep(lifetime.min(LIFETIME_MAX)) => Err(Cause::Expired),
            // The drain has its own end.
            cause = &mut down => Ok((cause, if cause == Cause::Draining { LIFETIME_MAX } else { FLUSH })),
        };
        // Nothing more is read, and the queue ends.
        drop(down);
        if let Ok((_, patience)) = cause {
            let _ = tokio::time::timeout(patience, writing).await;
        }
        cause.map_or_else(|cause| cause, |(cause, _)| cause)
    };
    transport::farewell(&mut up.writer).await;
    cause
}

struct Down<'a> {
    core: &'a Arc<Core>,
    reader: ReadHalf<Transport>,
    buffer: BytesMut,
    queue: mpsc::Sender<Entry>,
    in_flight: &'a AtomicUsize,
    outbound: &'a mut Option<Box<dyn Outbound>>,
    draining: watch::Receiver<bool>,
}

impl Down<'_> {
    async fn run(mut self, session: Session) -> Cause {
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
        let read = read_frame(
            &mut self.reader,
            &mut self.buffer,
            caps,
            patience,
            Some(&self.core.memory),
        );
        let read = tokio::select! {
            biased;
            // A request that was read whole is still treated.
            _ = self.draining.wait_for(|draining| *draining) => return Err(Cause::Draining),
            read = read => read,
        };
        let Received { frame, memory } = match read {
            // Somebody who waits for an answer is not idle.
            Err(Cause::Idle) if self.in_flight.load(Ordering::Relaxed) > 0 => return Ok(()),
            other => other?.ok_or(Cause::ClientClosed)?,
        };
        let start = RequestStart::peek(&frame).ok_or(Cause::Malformed)?;
        metrics::counter!("gateway_request_bytes_total").increment(frame.len() as u64);
        match apis::treat(context, start, frame).await {
            Treatment::Forward {
                request,
                permit,
                plan,
            } => {
                self.open(context).await?;
                if plan.expects_answer() {
                    self.push(Entry::Upstream(Expected {
                        plan,
                        start,
                        since: Instant::now(),
                        _share: memory,
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
            Treatment::Answer(frame) => self.push(Entry::Local(frame)).await,
            Treatment::Close(cause) => Err(cause),
        }
    }

    async fn push(&self, entry: Entry) -> Result<(), Cause> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.queue
            .send(entry)
            .await
            .map_err(|_| Cause::ClientClosed)
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
            metrics::counter!("gateway_upstream_connect_failures_total").increment(1);
            Cause::UpstreamClosed
        })?;
        *self.outbound = Some(outbound);
        self.push(Entry::Opened(inbound)).await
    }
}

/// Answers go out in runs: one is written when the next is not there yet.
struct Up<'a> {
    core: &'a Arc<Core>,
    writer: WriteHalf<Transport>,
    waiting: Run,
    entries: mpsc::Receiver<Entry>,
    answers: Answers,
    in_flight: &'a AtomicUsize,
}

impl Up<'_> {
    /// Writes answers until none can come any more.
    async fn run(&mut self) -> Cause {
        loop {
            match self.step().await {
                Ok(true) => {}
                Ok(false) => return Cause::ClientClosed,
                Err(cause) => return cause,
            }
        }
    }

    /// Treats the next entry; `false`: there will be none.
    async fn step(&mut self) -> Result<bool, Cause> {
        let Some(entry) = self.next_entry().await? else {
            self.flush().await?;
            return Ok(false);
        };
        let answer = match entry {
            Entry::Opened(opened) => {
                self.answers.inbound = Some(opened);
                None
            }
            Entry::Local(frame) => Some(frame),
            Entry::Upstream(expected) => Some(self.answer(expected).await?),
        };
        if let Some(frame) = answer {
            metrics::counter!("gateway_response_bytes_total").increment(frame.len() as u64);
            let patience = self.core.deadlines().write;
            self.waiting.put(&mut self.writer, frame, patience).await?;
        }
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        Ok(true)
    }

    async fn next_entry(&mut self) -> Result<Option<Entry>, Cause> {
        if let Ok(entry) = self.entries.try_recv() {
            return Ok(Some(entry));
        }
        self.flush().await?;
        loop {
            tokio::select! {
                biased;
                entry = self.entries.recv() => return Ok(entry),
                // Keeps requests without an answer going, and notices an upstream that closes.
                early = self.answers.early() => early?,
            }
        }
    }

    async fn answer(&mut self, expected: Expected) -> Result<Frame, Cause> {
        let api = wire::api::name(expected.start.api_key);
        let since = expected.since;
        let next = self.answers.next(expected);
        tokio::pin!(next);
        let answer = tokio::select! {
            biased;
            answer = &mut next => answer,
            // Nobody waits for answers that are ready already.
            () = std::future::ready(()), if !self.waiting.is_empty() => {
                self.waiting.flush(&mut self.writer, self.core.deadlines().write).await?;
                next.await
            }
        };
        metrics::histogram!("gateway_request_seconds", "api" => api).record(since.elapsed());
        answer
    }

    async fn flush(&mut self) -> Result<(), Cause> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let patience = self.core.deadlines().write;
        self.waiting.flush(&mut self.writer, patience).await
    }
}

/// Answers of the upstream, in the order of the requests.
#[derive(Default)]
struct Answers {
    inbound: Option<Box<dyn Inbound>>,
    /// Came before its entry was looked at.
    stashed: Option<Frame>,
}

impl Answers {
    async fn receive(&mut self) -> Result<Frame, Cause> {
        if let Some(frame) = self.stashed.take() {
            return Ok(frame);
        }
        let inbound = self.inbound.as_mut().ok_or(Cause::Internal)?;
        inbound.receive().await.map_err(|error| {
            tracing::debug!(%error, "Upstream connection ended");
            Cause::UpstreamClosed
        })
    }

    /// Lets the upstream go on while no answer is due. Never ends while one answer is kept already.
    async fn early(&mut self) -> Result<(), Cause> {
        if self.inbound.is_none() || self.stashed.is_some() {
            return std::future::pending().await;
        }
        self.stashed = Some(self.receive().await?);
        Ok(())
    }

    async fn next(&mut self, expected: Expected) -> Result<Frame, Cause> {
        let Expected { plan, start, .. } = expected;
        let reply = tokio::time::timeout(plan.deadline(), self.receive())
            .await
            .map_err(|_| Cause::UpstreamTimeout)??;
        if reply.correlation_id() != Some(start.correlation_id) {
            tracing::error!("Upstream answered another request");
            return Err(Cause::UpstreamProtocol);
        }
        plan.finish(reply).await
    }
}
