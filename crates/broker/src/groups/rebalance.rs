//! How a rebalance runs: the join phase, its end, the sync phase, and what deadlines do.
//!
//! Source: Kafka's `GroupMetadataManager` (`prepareRebalance`, `completeClassicGroupJoin`, `expirePendingSync`,
//! `removeMemberAndUpdateClassicGroup`).

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use wire::error::ErrorCode;
use wire::text::Str;

use super::Cx;
use super::entry::Entry;
use super::event::{Answer, Effect, Joined, Synced};
use super::group::{Group, JoinPhase, Member, State};
use super::outbox::Then;

/// Shortest second wait for members that did not come, whatever they asked for.
const SECOND_WAIT_MIN: Duration = Duration::from_secs(1);

impl Group {
    /// Starts a rebalance where one may start; in the join phase, looks whether it can end.
    pub(super) fn rebalance_or_finish_join(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::PreparingRebalance => self.finish_join_if_all_joined(cx),
            State::Empty | State::CompletingRebalance | State::Stable => self.start_rebalance(cx),
        }
    }

    fn start_rebalance(&mut self, cx: &mut Cx<'_>) {
        if self.state == State::CompletingRebalance {
            self.fail_syncs(ErrorCode::REBALANCE_IN_PROGRESS, cx);
        }
        self.sync_until = None;
        self.unsynced.clear();
        let was_empty = self.state == State::Empty;
        self.enter(State::PreparingRebalance, cx.now);
        if was_empty {
            let delay = cx.limits.initial_delay;
            self.newcomers = false;
            self.join_phase = Some(JoinPhase::Initial {
                until: cx.now.monotonic + delay,
                delay,
                left: self.longest_rebalance().saturating_sub(delay),
            });
            if delay.is_zero() {
                self.end_initial_delay(cx);
            }
        } else if self.all_joined() {
            self.complete_join(cx);
        } else {
            self.wait_for_rejoin(cx);
        }
    }

    fn wait_for_rejoin(&mut self, cx: &Cx<'_>) {
        let until = cx.now.monotonic + self.longest_rebalance();
        self.join_phase = Some(JoinPhase::Rejoin { until });
    }

    /// Ends the join phase when no one is missing, except during the initial delay.
    pub(super) fn finish_join_if_all_joined(&mut self, cx: &mut Cx<'_>) {
        let initial = matches!(self.join_phase, Some(JoinPhase::Initial { .. }));
        if self.state == State::PreparingRebalance && !initial && self.all_joined() {
            self.complete_join(cx);
        }
    }

    /// The initial delay passed: once more if members came in the meantime, within the rebalance timeout.
    fn end_initial_delay(&mut self, cx: &mut Cx<'_>) {
        let Some(JoinPhase::Initial { delay, left, .. }) = self.join_phase else {
            return;
        };
        if self.newcomers && !left.is_zero() {
            self.newcomers = false;
            let next = cx.limits.initial_delay.min(left);
            self.join_phase = Some(JoinPhase::Initial {
                until: cx.now.monotonic + next,
                delay: next,
                left: left.saturating_sub(delay),
            });
        } else {
            self.complete_join(cx);
        }
    }

    /// Ends the join phase: who did not come is dropped, the others form the next generation.
    fn complete_join(&mut self, cx: &mut Cx<'_>) {
        self.join_phase = None;
        let missing: Vec<Str> = self
            .members
            .values()
            .filter(|member| member.joining.is_none() && !member.is_static())
            .map(|member| member.who.member.clone())
            .collect();
        for id in missing {
            self.drop_member(&id, cx);
        }
        if !self.members.is_empty() && !self.elect_joined_leader() {
            // Only static members are left, and none of them came: wait until they do or their sessions end.
            let wait = self.longest_rebalance().max(SECOND_WAIT_MIN);
            let until = cx.now.monotonic + wait;
            self.join_phase = Some(JoinPhase::Rejoin { until });
            return;
        }
        self.next_generation(cx);
        if self.state == State::Empty {
            let state = Entry::GroupState(self.snapshot());
            cx.out.journal(vec![state], Then::Nothing);
        } else {
            self.answer_joins(cx);
            self.sync_until = Some(cx.now.monotonic + self.longest_rebalance());
        }
        cx.out.push(Effect::Rebalanced {
            group: self.id.clone(),
            generation: self.generation,
            members: self.members.len(),
        });
    }

    /// The leader keeps its role if it came, else the first that came gets it.
    fn elect_joined_leader(&mut self) -> bool {
        let joined = |member: &&Member| member.joining.is_some();
        let keeps = self
            .leader
            .as_ref()
            .and_then(|leader| self.members.get(leader))
            .filter(joined)
            .is_some();
        if keeps {
            return true;
        }
        let next = self
            .in_order()
            .into_iter()
            .find(joined)
            .map(|member| member.who.member.clone());
        let found = next.is_some();
        if found {
            self.leader = next;
        }
        found
    }

    fn next_generation(&mut self, cx: &Cx<'_>) {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.protocol = self.elected_protocol();
        self.unsynced.clear();
        let state = match self.members.is_empty() {
            true => State::Empty,
            false => State::CompletingRebalance,
        };
        self.enter(state, cx.now);
        self.learn_subscriptions();
    }

    fn answer_joins(&mut self, cx: &mut Cx<'_>) {
        let ids: Vec<Str> = self
            .in_order()
            .into_iter()
            .map(|member| member.who.member.clone())
            .collect();
        for id in ids {
            let joined = self.joined(&id);
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            member.is_new = false;
            member.renew(cx.now);
            if let Some(waiter) = member.joining.take() {
                cx.out.answer(waiter, Answer::Join(joined));
            }
            self.unsynced.insert(id);
        }
    }

    /// What a member of the current generation is told.
    pub(super) fn joined(&self, id: &Str) -> Joined {
        Joined {
            error: ErrorCode::NONE,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member: id.clone(),
            skip_assignment: false,
            members: match self.is_leader(id) {
                true => self.roster(),
                false => Vec::new(),
            },
        }
    }

    /// A member has sent its SyncGroup; when all have, the sync phase has no end to wait for.
    pub(super) fn note_sync(&mut self, id: &str) {
        self.unsynced.remove(id);
        if self.unsynced.is_empty() {
            self.sync_until = None;
        }
    }

    /// The leader's assignment is on disk: everyone gets its part.
    pub(super) fn assign(&mut self, mut assignments: HashMap<Str, Bytes>, cx: &mut Cx<'_>) {
        for (id, member) in &mut self.members {
            member.assignment = assignments.remove(id).unwrap_or_default();
        }
        self.enter(State::Stable, cx.now);
        let (protocol_type, protocol) = (self.protocol_type.clone(), self.protocol.clone());
        for member in self.members.values_mut() {
            if let Some(waiter) = member.syncing.take() {
                member.renew(cx.now);
                let synced = Synced {
                    error: ErrorCode::NONE,
                    protocol_type: protocol_type.clone(),
                    protocol: protocol.clone(),
                    assignment: member.assignment.clone(),
                };
                cx.out.answer(waiter, Answer::Sync(synced));
            }
        }
    }

    /// Answers waiting syncs with an error and forgets the assignment of the generation that is given up.
    pub(super) fn fail_syncs(&mut self, error: ErrorCode, cx: &mut Cx<'_>) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
            if let Some(waiter) = member.syncing.take() {
                member.renew(cx.now);
                cx.out.answer(waiter, Answer::Sync(Synced::refused(error)));
            }
        }
    }

    /// Takes a member out and answers what it waits for, without looking at what follows from it.
    pub(super) fn drop_member(&mut self, id: &str, cx: &mut Cx<'_>) {
        let Some(member) = self.take(id) else { return };
        if let Some(waiter) = member.joining {
            let refused = Joined::refused(&Str::EMPTY, ErrorCode::UNKNOWN_MEMBER_ID);
            cx.out.answer(waiter, Answer::Join(refused));
        }
        if let Some(waiter) = member.syncing {
            let refused = Synced::refused(ErrorCode::UNKNOWN_MEMBER_ID);
            cx.out.answer(waiter, Answer::Sync(refused));
        }
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now.monotonic;
        let due = |until: Duration| until <= now;
        self.forget_promised(now, cx);
        let silent: Vec<Str> = self
            .members
            .values()
            .filter(|member| member.deadline().is_some_and(due))
            .map(|member| member.who.member.clone())
            .collect();
        if !silent.is_empty() {
            for id in silent {
                self.drop_member(&id, cx);
            }
            self.rebalance_or_finish_join(cx);
        }
        match self.join_phase {
            Some(JoinPhase::Initial { until, .. }) if due(until) => self.end_initial_delay(cx),
            Some(JoinPhase::Rejoin { until }) if due(until) => self.complete_join(cx),
            _ => {}
        }
        if self.sync_until.is_some_and(due) {
            self.end_sync_phase(cx);
        }
    }

    fn forget_promised(&mut self, now: Duration, cx: &mut Cx<'_>) {
        let before = self.promised.len();
        self.promised.retain(|_, until| *until > now);
        if self.promised.len() != before {
            self.finish_join_if_all_joined(cx);
        }
    }

    /// Members that never asked for their assignment are dropped, and the others share anew.
    fn end_sync_phase(&mut self, cx: &mut Cx<'_>) {
        self.sync_until = None;
        if !matches!(self.state, State::CompletingRebalance | State::Stable) {
            return;
        }
        let missing: Vec<Str> = self.unsynced.drain().collect();
        if missing.is_empty() {
            return;
        }
        for id in missing {
            self.drop_member(&id, cx);
        }
        self.rebalance_or_finish_join(cx);
    }

    /// Tells everyone who waits that this coordinator goes away.
    pub(super) fn stop(&mut self, cx: &mut Cx<'_>) {
        self.fail_syncs(ErrorCode::COORDINATOR_NOT_AVAILABLE, cx);
        for member in self.members.values_mut() {
            if let Some(waiter) = member.joining.take() {
                let refused =
                    Joined::refused(&member.who.member, ErrorCode::COORDINATOR_NOT_AVAILABLE);
                cx.out.answer(waiter, Answer::Join(refused));
            }
        }
    }
}
