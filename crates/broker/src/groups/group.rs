//! One classic group: members, state, generation, deadlines. Questions about it and small changes to it; how a
//! rebalance runs is in `rebalance`, what requests may do is in `requests`.
//!
//! Source: Kafka's `ClassicGroup` and `ClassicGroupMember`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use kastellan_core::time::Timestamp;
use wire::error::ErrorCode;
use wire::text::Str;

use super::entry::{GroupState, MemberState};
use super::event::{Described, DescribedMember, Identity, Join, JoinedMember, Listed, Now, Waiter};
use super::subscription::{self, CONSUMER};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl State {
    /// As Kafka spells it in DescribeGroups and ListGroups.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// How long the join phase still goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinPhase {
    /// The group was empty: more members may come within a moment.
    Initial {
        until: Duration,
        delay: Duration,
        /// How much longer it may be extended in all.
        left: Duration,
    },
    /// Known members have until then to join again.
    Rejoin { until: Duration },
}

impl JoinPhase {
    pub(super) fn until(self) -> Duration {
        match self {
            Self::Initial { until, .. } | Self::Rejoin { until } => until,
        }
    }
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) who: Identity,
    pub(super) client_id: Str,
    pub(super) host: Str,
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
    pub(super) protocols: Vec<(Str, Bytes)>,
    pub(super) assignment: Bytes,
    pub(super) joining: Option<Waiter>,
    pub(super) syncing: Option<Waiter>,
    /// In its first join.
    pub(super) is_new: bool,
    pub(super) expires: Duration,
    /// Order of arrival.
    pub(super) arrived: u64,
}

impl Member {
    pub(super) fn is_static(&self) -> bool {
        self.who.instance.is_some()
    }

    /// A member that waits for an answer shows by it that it lives; only the first join has a limit.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let waits = self.joining.is_some() || self.syncing.is_some();
        (self.is_new || !waits).then_some(self.expires)
    }

    pub(super) fn renew(&mut self, now: Now) {
        self.expires = now.monotonic + self.session;
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|(name, _)| name == protocol)
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Takes over what a join says. Copies, so that no frame is kept alive.
    pub(super) fn update(&mut self, join: &Join) {
        self.session = duration(join.session_timeout_ms);
        self.rebalance = duration(join.rebalance_timeout_ms);
        self.client_id = join.client_id.detached();
        self.host = join.host.detached();
        self.protocols = owned(&join.protocols);
    }
}

fn owned(protocols: &[(Str, Bytes)]) -> Vec<(Str, Bytes)> {
    protocols
        .iter()
        .map(|(name, metadata)| (name.detached(), Bytes::copy_from_slice(metadata)))
        .collect()
}

/// Milliseconds of a request; negative ones are none.
pub(super) fn duration(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: Str,
    pub(super) state: State,
    pub(super) since: Timestamp,
    pub(super) protocol_type: Option<Str>,
    pub(super) protocol: Option<Str>,
    pub(super) generation: i32,
    pub(super) leader: Option<Str>,
    pub(super) members: HashMap<Str, Member>,
    statics: HashMap<Str, Str>,
    /// Ids given out with MEMBER_ID_REQUIRED, and when they are forgotten.
    pub(super) promised: HashMap<Str, Duration>,
    /// Members of this generation that sent no SyncGroup yet.
    pub(super) unsynced: HashSet<Str>,
    pub(super) join_phase: Option<JoinPhase>,
    pub(super) sync_until: Option<Duration>,
    /// Someone joined during the initial delay.
    pub(super) newcomers: bool,
    /// Topics of all consumers; none if a subscription could not be read.
    subscribed: Option<BTreeSet<Str>>,
    arrivals: u64,
}

impl Group {
    pub(super) fn new(id: Str, now: Now) -> Self {
        Self {
            id,
            state: State::Empty,
            since: now.wall,
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: HashMap::new(),
            statics: HashMap::new(),
            promised: HashMap::new(),
            unsynced: HashSet::new(),
            join_phase: None,
            sync_until: None,
            newcomers: false,
            subscribed: None,
            arrivals: 0,
        }
    }

    /// A group out of the journal. Sessions start afresh, so that a restart causes no rebalance.
    pub(super) fn restored(state: GroupState, now: Now) -> Self {
        let mut group = Self::new(state.group, now);
        group.since = state.since;
        group.protocol_type = state.protocol_type;
        group.protocol = state.protocol;
        group.generation = state.generation;
        group.leader = state.leader;
        for member in state.members {
            let protocol = group.protocol.clone().unwrap_or_default();
            group.put(Member {
                who: member.who,
                client_id: member.client_id,
                host: member.host,
                session: member.session,
                rebalance: member.rebalance,
                protocols: vec![(protocol, member.metadata)],
                assignment: member.assignment,
                joining: None,
                syncing: None,
                is_new: false,
                expires: now.monotonic + member.session,
                arrived: 0,
            });
        }
        if !group.members.is_empty() {
            group.state = State::Stable;
        }
        group.learn_subscriptions();
        group
    }

    /// What the journal keeps.
    pub(super) fn snapshot(&self) -> GroupState {
        let protocol = self.protocol.clone().unwrap_or_default();
        GroupState {
            group: self.id.clone(),
            since: self.since,
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            members: self
                .in_order()
                .into_iter()
                .map(|member| MemberState {
                    who: member.who.clone(),
                    client_id: member.client_id.clone(),
                    host: member.host.clone(),
                    session: member.session,
                    rebalance: member.rebalance,
                    metadata: member.metadata(&protocol),
                    assignment: member.assignment.clone(),
                })
                .collect(),
        }
    }

    pub(super) fn enter(&mut self, state: State, now: Now) {
        self.state = state;
        self.since = now.wall;
    }

    /// Members in the order they came.
    pub(super) fn in_order(&self) -> Vec<&Member> {
        let mut members: Vec<_> = self.members.values().collect();
        members.sort_by_key(|member| member.arrived);
        members
    }

    pub(super) fn put(&mut self, mut member: Member) {
        let id = member.who.member.clone();
        if self.leader.is_none() {
            self.leader = Some(id.clone());
        }
        if let Some(instance) = &member.who.instance {
            self.statics.insert(instance.clone(), id.clone());
        }
        self.promised.remove(&id);
        member.arrived = self.arrivals;
        self.arrivals += 1;
        self.members.insert(id, member);
    }

    /// Takes a member out; the role of leader goes to the next one.
    pub(super) fn take(&mut self, id: &str) -> Option<Member> {
        let member = self.members.remove(id)?;
        self.unsynced.remove(id);
        if let Some(instance) = &member.who.instance {
            self.statics.remove(instance);
        }
        if self.is_leader(id) {
            self.leader = self.in_order().first().map(|next| next.who.member.clone());
        }
        Some(member)
    }

    /// Gives a static member its new id. The old member comes back, so that its requests can be answered.
    pub(super) fn rename(
        &mut self,
        old: &str,
        new: &Str,
    ) -> Option<(Option<Waiter>, Option<Waiter>)> {
        let mut member = self.members.remove(old)?;
        let waiting = (member.joining.take(), member.syncing.take());
        self.unsynced.remove(old);
        member.who.member = new.clone();
        if let Some(instance) = &member.who.instance {
            self.statics.insert(instance.clone(), new.clone());
        }
        if self.is_leader(old) {
            self.leader = Some(new.clone());
        }
        self.members.insert(new.clone(), member);
        Some(waiting)
    }

    pub(super) fn is_leader(&self, id: &str) -> bool {
        self.leader.as_deref() == Some(id)
    }

    pub(super) fn static_member(&self, instance: &str) -> Option<&Str> {
        self.statics.get(instance)
    }

    /// Whether this is a member of the group, and the one that owns its instance id.
    pub(super) fn check_member(&self, who: &Identity) -> Result<(), ErrorCode> {
        if let Some(instance) = &who.instance {
            match self.static_member(instance) {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
                Some(owner) if *owner != who.member => return Err(ErrorCode::FENCED_INSTANCE_ID),
                Some(_) => {}
            }
        }
        match self.members.contains_key(&who.member) {
            true => Ok(()),
            false => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        }
    }

    /// Whether a member with these protocols fits into the group.
    pub(super) fn accepts(&self, protocol_type: &str, protocols: &[(Str, Bytes)]) -> bool {
        if protocol_type.is_empty() || protocols.is_empty() {
            return false;
        }
        if self.members.is_empty() {
            return true;
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|(name, _)| self.all_support(name))
    }

    fn all_support(&self, protocol: &str) -> bool {
        self.members
            .values()
            .all(|member| member.supports(protocol))
    }

    /// The protocol most members prefer among those that all support.
    pub(super) fn elected_protocol(&self) -> Option<Str> {
        let first = *self.in_order().first()?;
        let mut votes: Vec<(Str, usize)> = first
            .protocols
            .iter()
            .filter(|(name, _)| self.all_support(name))
            .map(|(name, _)| (name.clone(), 0))
            .collect();
        for member in self.members.values() {
            let preferred = member
                .protocols
                .iter()
                .find_map(|(name, _)| votes.iter().position(|(candidate, _)| candidate == name));
            if let Some((_, count)) = preferred.and_then(|at| votes.get_mut(at)) {
                *count += 1;
            }
        }
        // Equal votes: what the oldest member likes best.
        votes
            .into_iter()
            .rev()
            .max_by_key(|(_, count)| *count)
            .map(|(name, _)| name)
    }

    pub(super) fn longest_rebalance(&self) -> Duration {
        let longest = self.members.values().map(|member| member.rebalance).max();
        longest.unwrap_or_default()
    }

    pub(super) fn all_joined(&self) -> bool {
        self.promised.is_empty() && self.members.values().all(|member| member.joining.is_some())
    }

    /// Everyone with its metadata for the chosen protocol, as the leader needs it.
    pub(super) fn roster(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.clone().unwrap_or_default();
        self.in_order()
            .into_iter()
            .map(|member| JoinedMember {
                who: member.who.clone(),
                metadata: member.metadata(&protocol),
            })
            .collect()
    }

    pub(super) fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// Reads the subscriptions of the chosen protocol; done once a generation.
    pub(super) fn learn_subscriptions(&mut self) {
        self.subscribed = match &self.protocol {
            Some(protocol) if self.is_consumer() => self
                .members
                .values()
                .map(|member| subscription::topics(&member.metadata(protocol)))
                .collect::<Option<Vec<_>>>()
                .map(|topics| {
                    topics
                        .into_iter()
                        .flatten()
                        .map(|topic| topic.detached())
                        .collect()
                }),
            None if self.is_consumer() => Some(BTreeSet::new()),
            _ => None,
        };
    }

    /// Whether a live consumer reads this topic. In doubt it does.
    pub(super) fn reads(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer(),
        }
    }

    /// Whether the topics of the group's consumers are known.
    pub(super) fn knows_subscriptions(&self) -> bool {
        self.subscribed.is_some()
    }

    /// The next moment at which something expires.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let members = self.members.values().filter_map(Member::deadline);
        members
            .chain(self.promised.values().copied())
            .chain(self.join_phase.map(JoinPhase::until))
            .chain(self.sync_until)
            .min()
    }

    pub(super) fn described(&self) -> Described {
        let chosen =
            (self.state == State::Stable).then(|| self.protocol.clone().unwrap_or_default());
        Described {
            group: self.id.clone(),
            state: self.state.name(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            protocol: chosen.clone().unwrap_or_default(),
            members: self
                .in_order()
                .into_iter()
                .map(|member| DescribedMember {
                    who: member.who.clone(),
                    client_id: member.client_id.clone(),
                    host: member.host.clone(),
                    metadata: chosen
                        .as_ref()
                        .map(|name| member.metadata(name))
                        .unwrap_or_default(),
                    // Also of a generation that is over, as Kafka shows it.
                    assignment: member.assignment.clone(),
                })
                .collect(),
        }
    }

    pub(super) fn listed(&self) -> Listed {
        Listed {
            group: self.id.clone(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            state: self.state.name(),
        }
    }
}
