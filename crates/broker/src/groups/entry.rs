//! Entries of the groups journal: bytes and back.
//!
//! Integers are big-endian; text has a 16-bit length (0xffff: none), blobs a 32-bit one. What was written by a newer
//! format is refused, never skipped.

use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use uuid::Uuid;
use wire::text::Str;

use super::event::Identity;
use crate::offsets::{Committed, Place};

const GROUP_STATE: u16 = 1;
const GROUP_REMOVED: u16 = 2;
const OFFSET_COMMITTED: u16 = 3;
const OFFSET_REMOVED: u16 = 4;
/// Length that stands for "none".
const NONE: u16 = u16::MAX;
/// Members of one group state; more than any limit allows.
const MEMBERS_MAX: u32 = 100_000;

#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    GroupState(GroupState),
    GroupRemoved(Str),
    OffsetCommitted {
        group: Str,
        place: Place,
        committed: Committed,
    },
    OffsetRemoved {
        group: Str,
        place: Place,
    },
}

/// A group as it is after a rebalance, after the last member left, or after a static member came back.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupState {
    pub group: Str,
    pub since: Timestamp,
    pub protocol_type: Option<Str>,
    pub generation: i32,
    pub protocol: Option<Str>,
    pub leader: Option<Str>,
    pub members: Vec<MemberState>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberState {
    pub who: Identity,
    pub client_id: Str,
    pub host: Str,
    pub session: Duration,
    pub rebalance: Duration,
    /// For the chosen protocol.
    pub metadata: Bytes,
    pub assignment: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("groups journal holds entry type {0}, which is of a newer format")]
    Newer(u16),
    #[error("entry of the groups journal is malformed")]
    Malformed,
}

impl Entry {
    /// Type and body.
    pub fn encode(&self) -> (u16, Bytes) {
        let mut out = Body(Vec::with_capacity(128));
        let kind = match self {
            Self::GroupState(state) => {
                state.encode(&mut out);
                GROUP_STATE
            }
            Self::GroupRemoved(group) => {
                out.text(group);
                GROUP_REMOVED
            }
            Self::OffsetCommitted {
                group,
                place,
                committed,
            } => {
                out.text(group);
                out.place(*place);
                out.i64(committed.offset);
                out.i32(committed.leader_epoch);
                out.text(&committed.metadata);
                out.i64(committed.at.0);
                out.i64(committed.expires.map_or(-1, Timestamp::millis));
                OFFSET_COMMITTED
            }
            Self::OffsetRemoved { group, place } => {
                out.text(group);
                out.place(*place);
                OFFSET_REMOVED
            }
        };
        (kind, Bytes::from(out.0))
    }

    pub fn decode(kind: u16, body: &[u8]) -> Result<Self, EntryError> {
        let mut from = Fields(body);
        let entry = match kind {
            GROUP_STATE => GroupState::decode(&mut from).map(Self::GroupState),
            GROUP_REMOVED => from.text().map(Self::GroupRemoved),
            OFFSET_COMMITTED => from.committed(),
            OFFSET_REMOVED => from.removed(),
            newer => return Err(EntryError::Newer(newer)),
        };
        entry
            .filter(|_| from.0.is_empty())
            .ok_or(EntryError::Malformed)
    }
}

impl GroupState {
    fn encode(&self, out: &mut Body) {
        out.text(&self.group);
        out.i64(self.since.0);
        out.optional(self.protocol_type.as_ref());
        out.i32(self.generation);
        out.optional(self.protocol.as_ref());
        out.optional(self.leader.as_ref());
        out.u32(self.members.len() as u32);
        for member in &self.members {
            out.text(&member.who.member);
            out.optional(member.who.instance.as_ref());
            out.text(&member.client_id);
            out.text(&member.host);
            out.u32(millis(member.session));
            out.u32(millis(member.rebalance));
            out.blob(&member.metadata);
            out.blob(&member.assignment);
        }
    }

    fn decode(from: &mut Fields<'_>) -> Option<Self> {
        let mut state = Self {
            group: from.text()?,
            since: Timestamp(from.i64()?),
            protocol_type: from.optional()?,
            generation: from.i32()?,
            protocol: from.optional()?,
            leader: from.optional()?,
            members: Vec::new(),
        };
        let count = from.u32().filter(|count| *count <= MEMBERS_MAX)?;
        for _ in 0..count {
            state.members.push(MemberState {
                who: Identity {
                    member: from.text()?,
                    instance: from.optional()?,
                },
                client_id: from.text()?,
                host: from.text()?,
                session: Duration::from_millis(u64::from(from.u32()?)),
                rebalance: Duration::from_millis(u64::from(from.u32()?)),
                metadata: from.blob()?,
                assignment: from.blob()?,
            });
        }
        Some(state)
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

struct Body(Vec<u8>);

impl Body {
    fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Text of a message is at most 32767 bytes long, so that it fits.
    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes().get(..usize::from(NONE - 1));
        let bytes = bytes.unwrap_or(text.as_bytes());
        self.0
            .extend_from_slice(&(bytes.len() as u16).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn optional(&mut self, text: Option<&Str>) {
        match text {
            Some(text) => self.text(text),
            None => self.0.extend_from_slice(&NONE.to_be_bytes()),
        }
    }

    fn blob(&mut self, blob: &[u8]) {
        self.u32(blob.len() as u32);
        self.0.extend_from_slice(blob);
    }

    fn place(&mut self, place: Place) {
        self.0.extend_from_slice(place.topic.as_bytes());
        self.i32(place.partition);
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn slice(&mut self, len: usize) -> Option<&[u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn optional(&mut self) -> Option<Option<Str>> {
        match self.take().map(u16::from_be_bytes)? {
            NONE => Some(None),
            len => std::str::from_utf8(self.slice(usize::from(len))?)
                .ok()
                .map(|text| Some(Str::from(text))),
        }
    }

    fn text(&mut self) -> Option<Str> {
        self.optional()?
    }

    fn blob(&mut self) -> Option<Bytes> {
        let len = usize::try_from(self.u32()?).ok()?;
        self.slice(len).map(Bytes::copy_from_slice)
    }

    fn place(&mut self) -> Option<Place> {
        Some(Place {
            topic: Uuid::from_bytes(self.take()?),
            partition: self.i32()?,
        })
    }

    fn committed(&mut self) -> Option<Entry> {
        Some(Entry::OffsetCommitted {
            group: self.text()?,
            place: self.place()?,
            committed: Committed {
                offset: self.i64()?,
                leader_epoch: self.i32()?,
                metadata: self.text()?,
                at: Timestamp(self.i64()?),
                expires: Some(self.i64()?).filter(|at| *at >= 0).map(Timestamp),
            },
        })
    }

    fn removed(&mut self) -> Option<Entry> {
        Some(Entry::OffsetRemoved {
            group: self.text()?,
            place: self.place()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> Place {
        Place {
            topic: Uuid::from_u128(7),
            partition: 3,
        }
    }

    fn entries() -> Vec<Entry> {
        let member = MemberState {
            who: Identity {
                member: "m".into(),
                instance: Some("i".into()),
            },
            client_id: "c".into(),
            host: "/127.0.0.1".into(),
            session: Duration::from_secs(45),
            rebalance: Duration::from_secs(300),
            metadata: Bytes::from_static(b"meta"),
            assignment: Bytes::new(),
        };
        vec![
            Entry::GroupState(GroupState {
                group: "g".into(),
                since: Timestamp(5),
                protocol_type: Some("consumer".into()),
                generation: 9,
                protocol: None,
                leader: Some("m".into()),
                members: vec![member],
            }),
            Entry::GroupRemoved("".into()),
            Entry::OffsetCommitted {
                group: "g".into(),
                place: place(),
                committed: Committed {
                    offset: 12,
                    leader_epoch: -1,
                    metadata: "\u{e4}".into(),
                    at: Timestamp(1),
                    expires: Some(Timestamp(2)),
                },
            },
            Entry::OffsetRemoved {
                group: "g".into(),
                place: place(),
            },
        ]
    }

    #[test]
    fn entries_are_read_back_as_written() {
        for entry in entries() {
            let (kind, body) = entry.encode();
            assert_eq!(Entry::decode(kind, &body), Ok(entry));
        }
    }

    #[test]
    fn cut_or_longer_entry_is_refused_and_newer_type_is_named() {
        for entry in entries() {
            let (kind, body) = entry.encode();
            for end in 0..body.len() {
                assert_eq!(
                    Entry::decode(kind, &body[..end]),
                    Err(EntryError::Malformed)
                );
            }
            assert!(Entry::decode(kind, &[&body[..], &[0]].concat()).is_err());
        }
        assert_eq!(Entry::decode(20, &[]), Err(EntryError::Newer(20)));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(kind in 0u16..6, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::decode(kind, &body);
        }
    }
}
