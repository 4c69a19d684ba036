//! One connection's way to the broker: request frames in, answer frames out, in order.
//!
//! As with Kafka, a connection has one request at work at a time, with one exception: up to [`PRODUCES`] Produce
//! requests wait for the disk at once, after each took its place in the log in order of arrival. There is no task
//! behind a link: requests run while [`LinkReceiver::receive`] is awaited. Dropping a link takes back nothing that was
//! appended or joined.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use wire::frame::Frame;
use wire::header::RequestStart;

use crate::broker::Shared;
use crate::handle::{self, Reply, Running, Step};

/// Produce requests of one connection that may wait for the disk at once.
const PRODUCES: usize = 5;
/// Requests that may wait behind those at work.
const QUEUE: usize = 16;
/// Bytes from which on a request without records is worked at aside: so many names take a second of CPU.
const HEAVY: usize = 128 << 10;

/// Who is at the other end. Settled by the gateway, trusted here.
#[derive(Clone, Debug)]
pub struct Peer {
    pub principal: Arc<str>,
    pub host: IpAddr,
    pub listener: Arc<str>,
    pub connection: u64,
}

/// The link is closed: by its other half, by a request that Kafka answers by closing, or because the broker stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("link is closed")]
pub struct LinkClosed;

/// Both halves of a link.
#[derive(Debug)]
pub struct Link {
    sender: LinkSender,
    receiver: LinkReceiver,
}

impl Link {
    pub(crate) fn new(shared: Arc<Shared>, peer: Peer) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        Self {
            sender: LinkSender {
                queue,
                shared: Arc::clone(&shared),
            },
            receiver: LinkReceiver {
                requests,
                shared,
                peer: Arc::new(peer),
                waiting: None,
                running: VecDeque::new(),
                closed: false,
            },
        }
    }

    /// The two halves, for a reader and a writer of one connection.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }

    /// As [`LinkSender::send`].
    pub async fn send(&mut self, frame: Bytes) -> Result<(), LinkClosed> {
        self.sender.send(frame).await
    }

    /// As [`LinkReceiver::receive`].
    pub async fn receive(&mut self) -> Result<Frame, LinkClosed> {
        self.receiver.receive().await
    }
}

/// A request with its share of the bytes that all requests may hold.
#[derive(Debug)]
struct Request {
    frame: Bytes,
    permit: OwnedSemaphorePermit,
}

/// Takes requests.
#[derive(Clone, Debug)]
pub struct LinkSender {
    queue: mpsc::Sender<Request>,
    shared: Arc<Shared>,
}

impl LinkSender {
    /// Hands over a request frame, without its length. Waits until the broker has room for its bytes and the link a
    /// place in its queue.
    pub async fn send(&self, frame: Bytes) -> Result<(), LinkClosed> {
        let permit = self
            .shared
            .request_room(frame.len())
            .await
            .ok_or(LinkClosed)?;
        let request = Request { frame, permit };
        self.queue.send(request).await.map_err(|_| LinkClosed)
    }
}

/// A request at work.
struct Work {
    state: Running,
    is_produce: bool,
    is_heavy: bool,
    _permit: OwnedSemaphorePermit,
}

/// Gives answers, in the order of the requests.
pub struct LinkReceiver {
    requests: mpsc::Receiver<Request>,
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    /// Taken from the queue, but may not start yet.
    waiting: Option<Request>,
    running: VecDeque<Work>,
    closed: bool,
}

impl std::fmt::Debug for LinkReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkReceiver")
            .field("peer", &self.peer)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

impl LinkReceiver {
    /// The next answer. Requests make progress only while this is awaited; a call that is given up loses nothing.
    pub async fn receive(&mut self) -> Result<Frame, LinkClosed> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Frame, LinkClosed>> {
        loop {
            if self.closed {
                return Poll::Ready(Err(LinkClosed));
            }
            let started = self.start_next(context);
            let placed = self.advance(context);
            match self.take_answer() {
                Some(Reply::Answer(frame)) => return Poll::Ready(Ok(frame)),
                Some(Reply::Silent) => continue,
                Some(Reply::Close) => self.closed = true,
                None if self.is_finished() => self.closed = true,
                // Something moved on, so that another request may be able to start.
                None if started || placed => continue,
                None => return Poll::Pending,
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.running.is_empty()
            && self.waiting.is_none()
            && self.requests.is_closed()
            && self.requests.is_empty()
    }

    /// Starts the next request if it may run beside those at work.
    fn start_next(&mut self, context: &mut Context<'_>) -> bool {
        if self.waiting.is_none()
            && let Poll::Ready(next) = self.requests.poll_recv(context)
        {
            self.waiting = next;
        }
        let Some(request) = self
            .waiting
            .take_if(|request| may_start(&self.running, request))
        else {
            return false;
        };
        let is_produce = is_produce(&request.frame);
        let is_heavy = request.frame.len() >= HEAVY && !is_produce;
        let state = handle::start(
            Arc::clone(&self.shared),
            Arc::clone(&self.peer),
            request.frame,
        );
        self.running.push_back(Work {
            state,
            is_produce,
            is_heavy,
            _permit: request.permit,
        });
        true
    }

    /// Lets all requests at work make progress. Whether one of them moved on.
    fn advance(&mut self, context: &mut Context<'_>) -> bool {
        let mut moved = false;
        for work in &mut self.running {
            while let Running::Starting(start) | Running::Waiting(start) = &mut work.state {
                let step = match work.is_heavy {
                    true => aside(|| start.as_mut().poll(context)),
                    false => start.as_mut().poll(context),
                };
                let Poll::Ready(step) = step else {
                    break;
                };
                moved = true;
                work.state = match step {
                    Step::Placed(rest) => Running::Waiting(rest),
                    Step::Done(reply) => Running::Done(reply),
                };
            }
        }
        moved
    }

    fn take_answer(&mut self) -> Option<Reply> {
        let first = self.running.front()?;
        if !matches!(first.state, Running::Done(_)) {
            return None;
        }
        match self.running.pop_front()?.state {
            Running::Done(reply) => Some(reply),
            Running::Starting(_) | Running::Waiting(_) => None,
        }
    }
}

/// Where there are several threads, another one takes over what this one would have served meanwhile.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

fn is_produce(frame: &[u8]) -> bool {
    RequestStart::peek(frame).is_some_and(|start| start.api_key == handle::PRODUCE)
}

/// A Produce may start behind others that have their place in the log; anything else runs alone.
fn may_start(running: &VecDeque<Work>, next: &Request) -> bool {
    let placed = |work: &Work| work.is_produce && !matches!(work.state, Running::Starting(_));
    running.is_empty()
        || (is_produce(&next.frame) && running.len() < PRODUCES && running.iter().all(placed))
}
