//! A logged-in connection: requests are judged and forwarded in order, answers go back in the same order.
//!
//! Two halves in one task, joined by a bounded queue: *down* reads requests, *up* writes answers. A full queue stops the
//! reading; nothing is dropped and nothing is sorted again.

mod again;
mod at_once;
mod down;
mod up;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use kastellan_core::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wire::frame::Frame;
use wire::header::RequestStart;

use crate::apis::Plan;
use crate::cause::Cause;
use crate::gateway::Core;
use crate::limits::room::{Room, Share};
use crate::meters::{UpstreamConnection, WHOLE};
use crate::session::{Registered, Session};
use crate::transport::{self, Lent, Transport};
use crate::upstream::Inbound;

use down::Down;
use up::Up;

/// How long answers may still leave after the last request was read, whoever ended it.
const FLUSH: Duration = Duration::from_secs(5);

/// Bytes of own answers that wait for one client, and of refusals that wait with a request; for one above it no request is
/// read.
const ANSWERS_MAX: usize = 256 << 10;

/// Longest a timer is set for.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 86_400);

/// An answer's place in the order.
enum Entry {
    /// The upstream connection was opened: answers come from here.
    Opened(Box<dyn Inbound>, UpstreamConnection),
    Upstream(Expected),
    Local(Frame, Asked, Share),
}

/// What was asked, and when it was there.
#[derive(Clone, Copy)]
struct Asked {
    key: i16,
    began: Instant,
}

impl Asked {
    fn now(key: i16) -> Self {
        Self {
            key,
            began: Instant::now(),
        }
    }
}

/// Requests of one connection that are read and not answered.
#[derive(Default)]
struct InFlight(AtomicUsize);

impl InFlight {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        WHOLE.in_flight.add(1);
    }

    fn done(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        WHOLE.in_flight.add(-1);
    }

    fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Drop for InFlight {
    /// What was not answered will not be.
    fn drop(&mut self) {
        let left = i64::try_from(*self.0.get_mut()).unwrap_or(0);
        WHOLE.in_flight.add(-left);
    }
}

/// An answer that the upstream owes.
struct Expected {
    plan: Plan,
    start: RequestStart,
    began: Instant,
    /// Handed to the upstream.
    since: Instant,
    /// The request's share of memory, of all connections' and of its own connection's: given back when it is answered.
    _share: Option<Lent>,
    _own_share: Share,
}

/// Serves until somebody ends it; says who.
pub async fn serve(
    core: &Arc<Core>,
    session: Session,
    room: Arc<Room>,
    mut registered: Registered,
    transport: Transport,
    buffer: BytesMut,
    draining: watch::Receiver<bool>,
) -> Cause {
    let limits = core.limits();
    let (reader, writer) = tokio::io::split(transport);
    let (queue, entries) = mpsc::channel(limits.in_flight);
    let in_flight = InFlight::default();
    let (until, ends) = watch::channel(session.principal.until());
    // Outlives the reading half: an upstream that sees its requests end may not answer those it has.
    let mut outbound = None;
    let largest = limits.frame_max_produce.max(limits.frame_max_other);
    let down = Down {
        core,
        reader,
        buffer,
        queue,
        in_flight: &in_flight,
        outbound: &mut outbound,
        draining,
        until,
        principals_room: room,
        requests_room: Room::of(2 * largest.div_ceil(1 << 10)),
        answers_room: Room::of(ANSWERS_MAX),
        renewed: None,
    };
    let mut down = Box::pin(down.run(session));
    let mut up = Up {
        core,
        writer,
        waiting: Default::default(),
        entries,
        answers: Default::default(),
        in_flight: &in_flight,
    };
    let cause = {
        let serving = pin!(async {
            let writing = up.run();
            tokio::pin!(writing);
            let cause = tokio::select! {
                biased;
                cause = registered.cut() => Err(cause),
                cause = &mut writing => Err(cause),
                () = lapse(core, ends) => Err(Cause::Expired),
                // The drain has its own end.
                cause = &mut down => Ok((cause, if cause == Cause::Draining { LIFETIME_MAX } else { FLUSH })),
            };
            // Nothing more is read, and the queue ends.
            drop(down);
            if let Ok((_, patience)) = cause {
                let _ = tokio::time::timeout(patience, writing).await;
            }
            cause.map_or_else(|cause| cause, |(cause, _)| cause)
        });
        at_once::at_once(serving).await
    };
    transport::part(&mut up.writer, cause).await;
    cause
}

/// Ends when a session is past its end, and had the time to prove itself again.
async fn lapse(core: &Core, mut ends: watch::Receiver<Option<Timestamp>>) {
    loop {
        let until = *ends.borrow_and_update();
        let left = until.map_or(LIFETIME_MAX, |until| {
            let last = until + core.deadlines().session_grace;
            last.since(core.ports.clock.now())
        });
        tokio::select! {
            () = tokio::time::sleep(left.min(LIFETIME_MAX)) => return,
            Ok(()) = ends.changed() => {}
        }
    }
}
