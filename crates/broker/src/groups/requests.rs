//! What members ask of their group: join, sync, heartbeat, leave. Each either is answered in the same step or waits.
//!
//! Source: Kafka's `GroupMetadataManager` (`classicGroupJoin*`, `classicGroupSync*`, `classicGroupHeartbeat*`,
//! `classicGroupLeave*`).

use wire::error::ErrorCode;
use wire::text::Str;

use super::Cx;
use super::entry::Entry;
use super::event::{Answer, Beat, Identity, Join, Joined, Sync, Synced, Waiter};
use super::group::{Group, JoinPhase, Member, State, duration};
use super::outbox::Then;

impl Group {
    pub(super) fn join(&mut self, waiter: Waiter, join: Join, cx: &mut Cx<'_>) {
        let refused = if self.is_full_for(&join.who.member, cx.limits.members) {
            self.take(&join.who.member);
            Some((Str::EMPTY, ErrorCode::GROUP_MAX_SIZE_REACHED))
        } else if !self.accepts(&join.protocol_type, &join.protocols) {
            let code = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            Some((join.who.member.clone(), code))
        } else {
            None
        };
        if let Some((member, error)) = refused {
            cx.out
                .answer(waiter, Answer::Join(Joined::refused(&member, error)));
        } else if !join.who.member.is_empty() {
            self.join_known(waiter, join, cx);
        } else if let Some(instance) = join.who.instance.clone() {
            self.join_static(waiter, join, &instance, cx);
        } else {
            self.join_dynamic(waiter, join, cx);
        }
    }

    /// Whether a join would make the group larger than allowed. Ids that were given out count.
    fn is_full_for(&self, member: &str, most: usize) -> bool {
        let known = match self.state {
            State::Empty => false,
            State::PreparingRebalance => self
                .members
                .get(member)
                .is_some_and(|member| member.joining.is_some()),
            State::CompletingRebalance | State::Stable => self.members.contains_key(member),
        };
        if known || self.promised.contains_key(member) && self.members.len() < most {
            return false;
        }
        let taken = match self.state {
            State::PreparingRebalance => self
                .members
                .values()
                .filter(|member| member.joining.is_some())
                .count(),
            _ => self.members.len(),
        };
        taken + self.promised.len() >= most
    }

    fn join_dynamic(&mut self, waiter: Waiter, join: Join, cx: &mut Cx<'_>) {
        let id = Str::from(format!("{}-{}", join.client_id, join.fresh));
        if join.must_know_its_id() {
            let until = cx.now.monotonic + duration(join.session_timeout_ms);
            self.promised.insert(id.clone(), until);
            let refused = Joined::refused(&id, ErrorCode::MEMBER_ID_REQUIRED);
            cx.out.answer(waiter, Answer::Join(refused));
        } else {
            self.add(waiter, &join, id, cx);
        }
    }

    fn join_static(&mut self, waiter: Waiter, join: Join, instance: &str, cx: &mut Cx<'_>) {
        let id = Str::from(format!("{instance}-{}", join.fresh));
        match self.static_member(instance).cloned() {
            Some(old) => self.replace_static(waiter, &join, &old, id, cx),
            None => self.add(waiter, &join, id, cx),
        }
    }

    fn join_known(&mut self, waiter: Waiter, join: Join, cx: &mut Cx<'_>) {
        let id = join.who.member.clone();
        if self.promised.contains_key(&id) {
            return self.add(waiter, &join, id.detached(), cx);
        }
        let unchanged = match self.check_member(&join.who) {
            Ok(()) => self
                .members
                .get(&id)
                .is_some_and(|member| member.protocols == join.protocols),
            Err(error) => {
                return cx
                    .out
                    .answer(waiter, Answer::Join(Joined::refused(&id, error)));
            }
        };
        match self.state {
            State::PreparingRebalance => self.rejoin(waiter, &join, cx),
            // The answer may have been lost: it is given once more.
            State::CompletingRebalance if unchanged => self.repeat_answer(waiter, &id, cx),
            // A leader that joins again wants a rebalance: topics may have changed.
            State::Stable if unchanged && !self.is_leader(&id) => {
                self.repeat_answer(waiter, &id, cx)
            }
            State::CompletingRebalance | State::Stable => self.rejoin(waiter, &join, cx),
            State::Empty => {
                let refused = Joined::refused(&id, ErrorCode::UNKNOWN_MEMBER_ID);
                cx.out.answer(waiter, Answer::Join(refused));
            }
        }
    }

    fn repeat_answer(&mut self, waiter: Waiter, id: &Str, cx: &mut Cx<'_>) {
        let joined = self.joined(id);
        if let Some(member) = self.members.get_mut(id) {
            member.renew(cx.now);
        }
        cx.out.answer(waiter, Answer::Join(joined));
    }

    fn rejoin(&mut self, waiter: Waiter, join: &Join, cx: &mut Cx<'_>) {
        self.wait_for_join(&join.who.member, waiter, join, cx);
        self.rebalance_or_finish_join(cx);
    }

    /// Updates a member and lets it wait for the end of the join phase.
    fn wait_for_join(&mut self, id: &str, waiter: Waiter, join: &Join, cx: &mut Cx<'_>) {
        let Some(member) = self.members.get_mut(id) else {
            return;
        };
        member.update(join);
        if let Some(earlier) = member.joining.replace(waiter) {
            let again = Joined::refused(&member.who.member, ErrorCode::REBALANCE_IN_PROGRESS);
            cx.out.answer(earlier, Answer::Join(again));
        }
    }

    fn add(&mut self, waiter: Waiter, join: &Join, id: Str, cx: &mut Cx<'_>) {
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type.detached());
        }
        if matches!(self.join_phase, Some(JoinPhase::Initial { .. })) {
            self.newcomers = true;
        }
        let mut member = Member {
            who: Identity {
                member: id,
                instance: join.who.instance.as_ref().map(Str::detached),
            },
            client_id: Str::EMPTY,
            host: Str::EMPTY,
            session: duration(0),
            rebalance: duration(0),
            protocols: Vec::new(),
            assignment: Default::default(),
            joining: Some(waiter),
            syncing: None,
            is_new: true,
            expires: cx.now.monotonic + cx.limits.first_join,
            arrived: 0,
        };
        member.update(join);
        self.put(member);
        self.rebalance_or_finish_join(cx);
    }

    /// A static member came back without its id: it gets a new one, and the old one is fenced (KIP-345).
    fn replace_static(
        &mut self,
        waiter: Waiter,
        join: &Join,
        old: &Str,
        new: Str,
        cx: &mut Cx<'_>,
    ) {
        let former_leader = self.leader.clone().unwrap_or_default();
        let Some((joining, syncing)) = self.rename(old, &new) else {
            return;
        };
        if let Some(waiter) = joining {
            let fenced = Joined::refused(old, ErrorCode::FENCED_INSTANCE_ID);
            cx.out.answer(waiter, Answer::Join(fenced));
        }
        if let Some(waiter) = syncing {
            let fenced = Synced::refused(ErrorCode::FENCED_INSTANCE_ID);
            cx.out.answer(waiter, Answer::Sync(fenced));
        }
        self.wait_for_join(&new, waiter, join, cx);
        if let Some(member) = self.members.get_mut(&new) {
            member.renew(cx.now);
        }
        let keeps_protocol = self.elected_protocol() == self.protocol;
        if self.state != State::Stable || !keeps_protocol {
            return self.rebalance_or_finish_join(cx);
        }
        let mut joined = self.joined(&new);
        if join.may_skip_assignment() {
            joined.skip_assignment = self.is_leader(&new);
        } else {
            // An older leader must not assign again; it does not know itself under its former id (KIP-814).
            joined.leader = former_leader;
            joined.members.clear();
        }
        let state = Entry::GroupState(self.snapshot());
        let group = self.id.clone();
        cx.out.journal(
            vec![state],
            Then::Welcome {
                group,
                waiter,
                joined,
            },
        );
    }

    /// A static member's new id is on disk.
    pub(super) fn welcome(&mut self, waiter: Waiter, joined: Joined, cx: &mut Cx<'_>) {
        let Some(member) = self.members.get_mut(&joined.member) else {
            return;
        };
        // A rebalance that began in the meantime answers instead.
        if member.joining == Some(waiter) && self.state == State::Stable {
            member.joining = None;
            member.renew(cx.now);
            cx.out.answer(waiter, Answer::Join(joined));
        }
    }

    pub(super) fn sync(&mut self, waiter: Waiter, sync: Sync, cx: &mut Cx<'_>) {
        if let Err(error) = self.check_sync(&sync) {
            return cx.out.answer(waiter, Answer::Sync(Synced::refused(error)));
        }
        let id = sync.who.member.clone();
        self.note_sync(&id);
        let Some(member) = self.members.get_mut(&id) else {
            return;
        };
        if self.state == State::Stable {
            member.renew(cx.now);
            let synced = Synced {
                error: ErrorCode::NONE,
                protocol_type: self.protocol_type.clone(),
                protocol: self.protocol.clone(),
                assignment: member.assignment.clone(),
            };
            return cx.out.answer(waiter, Answer::Sync(synced));
        }
        if let Some(earlier) = member.syncing.replace(waiter) {
            let again = Synced::refused(ErrorCode::REBALANCE_IN_PROGRESS);
            cx.out.answer(earlier, Answer::Sync(again));
        }
        if self.is_leader(&id) {
            self.journal_assignment(sync, cx);
        }
    }

    fn check_sync(&self, sync: &Sync) -> Result<(), ErrorCode> {
        let differs = |given: &Option<Str>, ours: &Option<Str>| given.is_some() && given != ours;
        self.check_member(&sync.who)?;
        if sync.generation != self.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        if differs(&sync.protocol_type, &self.protocol_type)
            || differs(&sync.protocol, &self.protocol)
        {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        match self.state {
            State::Empty => Err(ErrorCode::UNKNOWN_MEMBER_ID),
            State::PreparingRebalance => Err(ErrorCode::REBALANCE_IN_PROGRESS),
            State::CompletingRebalance | State::Stable => Ok(()),
        }
    }

    /// Hands the leader's assignment to the journal; the group is Stable when it is on disk.
    fn journal_assignment(&mut self, sync: Sync, cx: &mut Cx<'_>) {
        let assignments: std::collections::HashMap<Str, bytes::Bytes> = sync
            .assignments
            .iter()
            .map(|(member, assignment)| {
                (member.detached(), bytes::Bytes::copy_from_slice(assignment))
            })
            .collect();
        let mut state = self.snapshot();
        for member in &mut state.members {
            member.assignment = assignments
                .get(&member.who.member)
                .cloned()
                .unwrap_or_default();
        }
        let size: usize = state
            .members
            .iter()
            .map(|member| member.metadata.len() + member.assignment.len())
            .sum();
        if size > cx.limits.state_bytes {
            self.fail_syncs(ErrorCode::UNKNOWN_SERVER_ERROR, cx);
            return self.rebalance_or_finish_join(cx);
        }
        let then = Then::Assign {
            group: self.id.clone(),
            generation: self.generation,
            assignments,
        };
        cx.out.journal(vec![Entry::GroupState(state)], then);
    }

    pub(super) fn heartbeat(&mut self, beat: &Beat, cx: &Cx<'_>) -> ErrorCode {
        if let Err(error) = self.check_member(&beat.who) {
            return error;
        }
        if beat.generation != self.generation {
            return ErrorCode::ILLEGAL_GENERATION;
        }
        let code = match self.state {
            State::Empty => return ErrorCode::UNKNOWN_MEMBER_ID,
            State::PreparingRebalance => ErrorCode::REBALANCE_IN_PROGRESS,
            State::CompletingRebalance | State::Stable => ErrorCode::NONE,
        };
        if let Some(member) = self.members.get_mut(&beat.who.member) {
            member.renew(cx.now);
        }
        code
    }

    pub(super) fn leave(
        &mut self,
        who: Vec<Identity>,
        cx: &mut Cx<'_>,
    ) -> Vec<(Identity, ErrorCode)> {
        let mut any_left = false;
        let codes = who
            .into_iter()
            .map(|who| {
                let code = match self.leaving(&who) {
                    Ok(id) => {
                        any_left = true;
                        self.promised.remove(&id);
                        self.drop_member(&id, cx);
                        ErrorCode::NONE
                    }
                    Err(error) => error,
                };
                (who, code)
            })
            .collect();
        if any_left && self.state != State::Empty {
            self.rebalance_or_finish_join(cx);
        }
        codes
    }

    /// The id of the member that is meant.
    fn leaving(&self, who: &Identity) -> Result<Str, ErrorCode> {
        if who.member.is_empty() {
            let instance = who.instance.as_deref();
            let member = instance.and_then(|instance| self.static_member(instance));
            return member.cloned().ok_or(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if self.promised.contains_key(&who.member) {
            return Ok(who.member.clone());
        }
        self.check_member(who).map(|()| who.member.clone())
    }

    /// Whether a member, or someone outside a group without members, may commit offsets.
    pub(super) fn check_commit(&self, who: &Identity, generation: i32) -> Result<(), ErrorCode> {
        if generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if generation >= 0 || !who.member.is_empty() || who.instance.is_some() {
            self.check_member(who)?;
            if generation != self.generation {
                return Err(ErrorCode::ILLEGAL_GENERATION);
            }
        } else if self.state != State::Empty {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        match self.state {
            State::CompletingRebalance => Err(ErrorCode::REBALANCE_IN_PROGRESS),
            _ => Ok(()),
        }
    }
}
