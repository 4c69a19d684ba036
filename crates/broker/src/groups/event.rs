//! What goes into the group machine and what comes out. Plain values: no wire message, no channel, no clock.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use uuid::Uuid;
use wire::error::ErrorCode;
use wire::text::Str;

use super::entry::Entry;
use crate::offsets::{Commit, Committed, Place};

/// A request that waits for its answer. The driver knows whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Waiter(pub u64);

/// A change handed to the journal. Changes come back in the order they were given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeId(pub u64);

/// The two times a step sees: deadlines count on the monotonic side, what is written down is wall-clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub monotonic: Duration,
    pub wall: Timestamp,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    Join(Waiter, Join),
    Sync(Waiter, Sync),
    Heartbeat(Waiter, Beat),
    Leave(Waiter, Leave),
    Commit(Waiter, CommitOffsets),
    DeleteGroups(Waiter, Vec<Str>),
    DeleteOffsets(Waiter, DeleteOffsets),
    /// A topic is gone, and with it every offset committed for it.
    TopicDeleted(Uuid),
    /// The journal has a change on disk, or never will.
    Journaled(ChangeId, Result<(), Lost>),
    /// A deadline passed.
    Tick,
    /// Expired offsets and forgotten groups are looked for. Names of topics by id.
    Sweep(HashMap<Uuid, Str>),
    /// The broker stops: whoever waits is told to look for another coordinator.
    Stop,
}

/// The journal failed; the change is not durable and is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    Answer(Waiter, Answer),
    /// Write these entries and report with [`Event::Journaled`].
    Journal(ChangeId, Vec<Entry>),
    /// A rebalance ended; for log and metrics.
    Rebalanced {
        group: Str,
        generation: i32,
        members: usize,
    },
}

#[derive(Debug, PartialEq)]
pub enum Answer {
    Join(Joined),
    Sync(Synced),
    Heartbeat(ErrorCode),
    Leave(Left),
    Commit(Vec<ErrorCode>),
    DeleteGroups(Vec<(Str, ErrorCode)>),
    DeleteOffsets(Result<Vec<ErrorCode>, ErrorCode>),
}

/// A member's identity as requests carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Empty: none yet.
    pub member: Str,
    /// `group.instance.id` of a static member (KIP-345).
    pub instance: Option<Str>,
}

#[derive(Clone, Debug)]
pub struct Join {
    pub group: Str,
    pub who: Identity,
    pub client_id: Str,
    pub host: Str,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub protocol_type: Str,
    pub protocols: Vec<(Str, Bytes)>,
    /// Version of the request: from 4 on a new member is told its id first, from 9 on a leader may skip assigning.
    pub version: i16,
    /// Randomness for a new member id.
    pub fresh: Uuid,
}

impl Join {
    pub(super) fn must_know_its_id(&self) -> bool {
        self.version >= 4
    }

    pub(super) fn may_skip_assignment(&self) -> bool {
        self.version >= 9
    }
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Joined {
    pub error: ErrorCode,
    pub generation: i32,
    pub protocol_type: Option<Str>,
    pub protocol: Option<Str>,
    pub leader: Str,
    pub member: Str,
    pub skip_assignment: bool,
    /// For the leader: everyone with its metadata for the chosen protocol.
    pub members: Vec<JoinedMember>,
}

impl Joined {
    pub(super) fn refused(member: &Str, error: ErrorCode) -> Self {
        Self {
            error,
            generation: -1,
            member: member.clone(),
            ..Self::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct JoinedMember {
    pub who: Identity,
    pub metadata: Bytes,
}

#[derive(Clone, Debug)]
pub struct Sync {
    pub group: Str,
    pub who: Identity,
    pub generation: i32,
    /// Checked when given (version 5).
    pub protocol_type: Option<Str>,
    pub protocol: Option<Str>,
    pub assignments: Vec<(Str, Bytes)>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Synced {
    pub error: ErrorCode,
    pub protocol_type: Option<Str>,
    pub protocol: Option<Str>,
    pub assignment: Bytes,
}

impl Synced {
    pub(super) fn refused(error: ErrorCode) -> Self {
        Self {
            error,
            ..Self::default()
        }
    }
}

#[derive(Clone, Debug)]
pub struct Beat {
    pub group: Str,
    pub who: Identity,
    pub generation: i32,
}

#[derive(Clone, Debug)]
pub struct Leave {
    pub group: Str,
    pub who: Vec<Identity>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    pub error: ErrorCode,
    pub members: Vec<(Identity, ErrorCode)>,
}

#[derive(Clone, Debug)]
pub struct CommitOffsets {
    pub group: Str,
    pub who: Identity,
    pub generation: i32,
    /// Answers for a missing group differ from version 9 on.
    pub version: i16,
    /// How long offsets are kept after the commit; `None`: as the broker is set (versions 2 to 4).
    pub retention: Option<Duration>,
    pub commits: Vec<Commit>,
}

#[derive(Clone, Debug)]
pub struct DeleteOffsets {
    pub group: Str,
    /// Topic name, topic id, partition.
    pub places: Vec<(Str, Place)>,
}

/// What DescribeGroups shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    pub group: Str,
    pub state: &'static str,
    pub protocol_type: Str,
    pub protocol: Str,
    pub members: Vec<DescribedMember>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedMember {
    pub who: Identity,
    pub client_id: Str,
    pub host: Str,
    pub metadata: Bytes,
    pub assignment: Bytes,
}

/// What ListGroups shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub group: Str,
    pub protocol_type: Str,
    pub state: &'static str,
}

/// One committed offset as OffsetFetch shows it.
pub type Fetched = (Place, Committed);
