//! Committed offsets and groups that end: who may commit or delete, and what expires by itself.
//!
//! Source: Kafka's `OffsetMetadataManager` (`validateOffsetCommit`, `deleteOffsets`, `cleanupExpiredOffsets`).

use std::collections::HashMap;

use kastellan_core::time::Timestamp;
use uuid::Uuid;
use wire::error::ErrorCode;
use wire::text::Str;

use super::Groups;
use super::entry::Entry;
use super::event::{Answer, CommitOffsets, DeleteOffsets, Lost, Now, Waiter};
use super::group::{Group, State};
use super::outbox::Then;
use crate::offsets::{Commit, Committed, Place};

impl Groups {
    pub(super) fn commit(&mut self, waiter: Waiter, request: CommitOffsets, now: Now) {
        if let Err(error) = self.check_commit(&request, now) {
            let codes = vec![error; request.commits.len()];
            return self.out.answer(waiter, Answer::Commit(codes));
        }
        let group = request.group.detached();
        let expires = request.retention.map(|retention| now.wall + retention);
        let mut codes = Vec::with_capacity(request.commits.len());
        let mut commits = Vec::new();
        for commit in request.commits {
            if commit.metadata.len() > self.limits.commit_metadata_bytes {
                codes.push(ErrorCode::OFFSET_METADATA_TOO_LARGE);
                continue;
            }
            codes.push(ErrorCode::NONE);
            commits.push((commit.place, committed(commit, now, expires)));
        }
        if commits.is_empty() {
            return self.out.answer(waiter, Answer::Commit(codes));
        }
        let entries = commits
            .iter()
            .map(|(place, committed)| Entry::OffsetCommitted {
                group: group.clone(),
                place: *place,
                committed: committed.clone(),
            })
            .collect();
        let then = Then::Commit {
            group,
            commits,
            waiter,
            codes,
        };
        self.out.journal(entries, then);
    }

    fn check_commit(&mut self, request: &CommitOffsets, now: Now) -> Result<(), ErrorCode> {
        if self.stopped {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        if !self.groups.contains_key(&request.group) {
            if request.generation >= 0 {
                return Err(match request.version {
                    ..9 => ErrorCode::ILLEGAL_GENERATION,
                    _ => ErrorCode::GROUP_ID_NOT_FOUND,
                });
            }
            self.create(&request.group, now)?;
        }
        let checked = self.with(&request.group, now, |group, cx| {
            group.check_commit(&request.who, request.generation)?;
            // Commits show that a member lives.
            if matches!(group.state, State::Stable | State::PreparingRebalance)
                && let Some(member) = group.members.get_mut(&request.who.member)
            {
                member.renew(cx.now);
            }
            Ok(())
        });
        checked.unwrap_or(Err(ErrorCode::COORDINATOR_NOT_AVAILABLE))?;
        // Offsets that replace others are let through as well as new ones: near the limit the exact count matters
        // less than the bound.
        if self.offsets.len() + request.commits.len() > self.limits.offsets {
            return Err(ErrorCode::INVALID_COMMIT_OFFSET_SIZE);
        }
        Ok(())
    }

    pub(super) fn committed(
        &mut self,
        group: &Str,
        commits: Vec<(Place, Committed)>,
        waiter: Waiter,
        mut codes: Vec<ErrorCode>,
        outcome: Result<(), Lost>,
    ) {
        match outcome {
            Ok(()) => {
                for (place, committed) in commits {
                    self.offsets.set(group, place, committed);
                }
            }
            Err(Lost) => fail(codes.iter_mut()),
        }
        self.out.answer(waiter, Answer::Commit(codes));
    }

    pub(super) fn delete_groups(&mut self, waiter: Waiter, groups: Vec<Str>) {
        let mut gone = Vec::new();
        let mut codes = Vec::with_capacity(groups.len());
        for id in groups {
            let code = match self.groups.get(&id).map(|group| group.state) {
                _ if self.stopped => ErrorCode::COORDINATOR_NOT_AVAILABLE,
                None => ErrorCode::GROUP_ID_NOT_FOUND,
                Some(State::Empty) => {
                    self.forget(&id);
                    gone.push(id.detached());
                    ErrorCode::NONE
                }
                Some(_) => ErrorCode::NON_EMPTY_GROUP,
            };
            codes.push((id, code));
        }
        if gone.is_empty() {
            return self.out.answer(waiter, Answer::DeleteGroups(codes));
        }
        self.journal_removal(gone, Some(waiter), codes);
    }

    /// Takes a group out of the list; its offsets follow when the removal is on disk.
    fn forget(&mut self, id: &str) {
        self.groups.remove(id);
        self.list_deadline(id);
    }

    fn journal_removal(
        &mut self,
        groups: Vec<Str>,
        waiter: Option<Waiter>,
        codes: Vec<(Str, ErrorCode)>,
    ) {
        let entries = groups.iter().cloned().map(Entry::GroupRemoved).collect();
        let then = Then::DeleteGroups {
            groups,
            waiter,
            codes,
        };
        self.out.journal(entries, then);
    }

    pub(super) fn groups_deleted(
        &mut self,
        groups: &[Str],
        waiter: Option<Waiter>,
        mut codes: Vec<(Str, ErrorCode)>,
        outcome: Result<(), Lost>,
    ) {
        match outcome {
            Ok(()) => groups
                .iter()
                .for_each(|group| self.offsets.remove_group(group)),
            Err(Lost) => fail(codes.iter_mut().map(|(_, code)| code)),
        }
        if let Some(waiter) = waiter {
            self.out.answer(waiter, Answer::DeleteGroups(codes));
        }
    }

    pub(super) fn delete_offsets(&mut self, waiter: Waiter, request: DeleteOffsets) {
        let group = match self.groups.get(&request.group) {
            _ if self.stopped => Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
            _ if request.group.is_empty() => Err(ErrorCode::INVALID_GROUP_ID),
            None => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            Some(group) if group.state != State::Empty && !group.is_consumer() => {
                Err(ErrorCode::NON_EMPTY_GROUP)
            }
            Some(group) => Ok(group),
        };
        let group = match group {
            Ok(group) => group,
            Err(error) => return self.out.answer(waiter, Answer::DeleteOffsets(Err(error))),
        };
        let codes: Vec<ErrorCode> = request
            .places
            .iter()
            .map(
                |(topic, _)| match group.state != State::Empty && group.reads(topic) {
                    true => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
                    false => ErrorCode::NONE,
                },
            )
            .collect();
        let places: Vec<Place> = request
            .places
            .iter()
            .zip(&codes)
            .filter(|(_, code)| **code == ErrorCode::NONE)
            .map(|((_, place), _)| *place)
            .filter(|place| self.offsets.get(&request.group, *place).is_some())
            .collect();
        if places.is_empty() {
            return self.out.answer(waiter, Answer::DeleteOffsets(Ok(codes)));
        }
        self.journal_offset_removal(request.group.detached(), places, Some(waiter), codes);
    }

    fn journal_offset_removal(
        &mut self,
        group: Str,
        places: Vec<Place>,
        waiter: Option<Waiter>,
        codes: Vec<ErrorCode>,
    ) {
        let removed = |place: &Place| Entry::OffsetRemoved {
            group: group.clone(),
            place: *place,
        };
        let entries = places.iter().map(removed).collect();
        let then = Then::DeleteOffsets {
            group,
            places,
            waiter,
            codes,
        };
        self.out.journal(entries, then);
    }

    pub(super) fn offsets_deleted(
        &mut self,
        group: &str,
        places: &[Place],
        waiter: Option<Waiter>,
        mut codes: Vec<ErrorCode>,
        outcome: Result<(), Lost>,
    ) {
        match outcome {
            Ok(()) => places
                .iter()
                .for_each(|place| self.offsets.remove(group, *place)),
            Err(Lost) => fail(codes.iter_mut()),
        }
        if let Some(waiter) = waiter {
            self.out.answer(waiter, Answer::DeleteOffsets(Ok(codes)));
        }
    }

    /// Removes expired offsets, and empty groups that have none left.
    pub(super) fn sweep(&mut self, names: &HashMap<Uuid, Str>, now: Now) {
        let mut ended = Vec::new();
        let mut expired = Vec::new();
        for group in self.groups.values() {
            // What is on its way to the disk must not meet its own removal there.
            if self.out.is_committing(&group.id) {
                continue;
            }
            let all: Vec<_> = self.offsets.of(&group.id).collect();
            let places: Vec<Place> = all
                .iter()
                .filter(|(place, committed)| {
                    let topic = names.get(&place.topic);
                    self.is_expired(group, topic, committed, now)
                })
                .map(|(place, _)| *place)
                .collect();
            let is_unused = group.state == State::Empty && group.promised.is_empty();
            if is_unused && places.len() == all.len() {
                ended.push(group.id.clone());
            } else if !places.is_empty() {
                expired.push((group.id.clone(), places));
            }
        }
        for (group, places) in expired {
            self.journal_offset_removal(group, places, None, Vec::new());
        }
        if !ended.is_empty() {
            ended.iter().for_each(|id| self.forget(id));
            self.journal_removal(ended, None, Vec::new());
        }
    }

    fn is_expired(
        &self,
        group: &Group,
        topic: Option<&Str>,
        committed: &Committed,
        now: Now,
    ) -> bool {
        // Old clients said themselves how long an offset is to be kept.
        if let Some(expires) = committed.expires {
            return group.state == State::Empty && now.wall >= expires;
        }
        let since = match (&group.protocol_type, group.state) {
            (None, _) => committed.at,
            (Some(_), State::Empty) => group.since,
            (Some(_), State::Stable) if group.knows_subscriptions() => {
                match topic.is_some_and(|topic| !group.reads(topic)) {
                    true => committed.at,
                    false => return false,
                }
            }
            _ => return false,
        };
        now.wall.since(since) >= self.limits.offsets_retention
    }
}

fn committed(commit: Commit, now: Now, expires: Option<Timestamp>) -> Committed {
    Committed {
        offset: commit.offset,
        leader_epoch: commit.leader_epoch,
        metadata: commit.metadata.detached(),
        at: now.wall,
        expires,
    }
}

/// The journal is lost, and with it the right to answer for groups.
fn fail<'a>(codes: impl Iterator<Item = &'a mut ErrorCode>) {
    for code in codes.filter(|code| **code == ErrorCode::NONE) {
        *code = ErrorCode::NOT_COORDINATOR;
    }
}
