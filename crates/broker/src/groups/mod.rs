//! Consumer groups of the classic protocol: a pure machine.
//!
//! In: events and the time ([`Groups::step`]). Out: effects, in order. No clock, no randomness, no journal, no socket:
//! the coordinator drives it. A change that must survive goes out as [`Effect::Journal`] and takes effect when
//! [`Event::Journaled`] comes back; changes come back in the order they went out.
//!
//! Groups that are removed leave the list of groups at once, their offsets when the removal is on disk.

mod commits;
mod entry;
mod event;
mod group;
mod outbox;
mod rebalance;
mod requests;
mod subscription;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use uuid::Uuid;
use wire::error::ErrorCode;
use wire::text::Str;

pub use entry::{Entry, EntryError, GroupState, MemberState};
pub use event::*;

use crate::offsets::{Offsets, Place};
use group::{Group, State};
use outbox::{Outbox, Then};

/// Bounds and times. Durations are on the monotonic clock, except the retention of offsets.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Shortest and longest session a member may ask for.
    pub session: (Duration, Duration),
    /// How long the first members of an empty group wait for others.
    pub initial_delay: Duration,
    /// How long a new member may wait in its first join.
    pub first_join: Duration,
    pub members: usize,
    pub groups: usize,
    pub offsets: usize,
    /// Bytes of one member's metadata for all its protocols.
    pub metadata_bytes: usize,
    /// Bytes of a group's metadata and assignments.
    pub state_bytes: usize,
    /// Bytes of the text that comes with a committed offset.
    pub commit_metadata_bytes: usize,
    /// How long offsets outlive their use.
    pub offsets_retention: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            session: (Duration::from_secs(6), Duration::from_secs(30 * 60)),
            initial_delay: Duration::from_secs(3),
            first_join: Duration::from_secs(5 * 60),
            members: 1_000,
            groups: 5_000,
            offsets: 500_000,
            metadata_bytes: 256 << 10,
            state_bytes: 8 << 20,
            commit_metadata_bytes: 4_096,
            offsets_retention: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}

/// What a step knows besides the group it works on.
struct Cx<'a> {
    now: Now,
    limits: &'a Limits,
    out: &'a mut Outbox,
}

/// All groups and committed offsets.
#[derive(Debug)]
pub struct Groups {
    limits: Limits,
    groups: HashMap<Str, Group>,
    offsets: Offsets,
    out: Outbox,
    /// The next deadline of each group that has one.
    deadlines: BTreeSet<(Duration, Str)>,
    listed_deadline: HashMap<Str, Duration>,
    stopped: bool,
}

impl Groups {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            groups: HashMap::new(),
            offsets: Offsets::default(),
            out: Outbox::default(),
            deadlines: BTreeSet::new(),
            listed_deadline: HashMap::new(),
            stopped: false,
        }
    }

    /// State as the journal has it. Offsets of topics that are gone are left out.
    pub fn restore(
        limits: Limits,
        entries: impl IntoIterator<Item = Entry>,
        exists: impl Fn(Uuid) -> bool,
        now: Now,
    ) -> Self {
        let mut groups = Self::new(limits);
        for entry in entries {
            match entry {
                Entry::GroupState(state) => {
                    let group = Group::restored(state, now);
                    groups.groups.insert(group.id.clone(), group);
                }
                Entry::GroupRemoved(group) => {
                    groups.groups.remove(&group);
                    groups.offsets.remove_group(&group);
                }
                Entry::OffsetCommitted {
                    group,
                    place,
                    committed,
                } if exists(place.topic) => {
                    groups.offsets.set(&group, place, committed);
                }
                Entry::OffsetCommitted { .. } => {}
                Entry::OffsetRemoved { group, place } => groups.offsets.remove(&group, place),
            }
        }
        let with_offsets: Vec<Str> = groups.offsets.groups().cloned().collect();
        for id in with_offsets {
            groups
                .groups
                .entry(id.clone())
                .or_insert_with(|| Group::new(id, now));
        }
        let ids: Vec<Str> = groups.groups.keys().cloned().collect();
        for id in ids {
            groups.list_deadline(&id);
        }
        groups
    }

    /// Entries that make up the state on disk, for a new journal file.
    pub fn snapshot(&self) -> Vec<Entry> {
        let groups = self.groups.values().filter(|group| group.generation > 0);
        let states = groups.map(Group::snapshot);
        let offsets = self.offsets.groups().flat_map(|group| {
            self.offsets
                .of(group)
                .map(|(place, committed)| Entry::OffsetCommitted {
                    group: group.clone(),
                    place,
                    committed: committed.clone(),
                })
        });
        states.map(Entry::GroupState).chain(offsets).collect()
    }

    /// When the next [`Event::Tick`] is due, on the monotonic clock.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Handles one event to its end.
    pub fn step(&mut self, event: Event, now: Now) -> Vec<Effect> {
        match event {
            Event::Join(waiter, join) => self.join(waiter, join, now),
            Event::Sync(waiter, sync) => self.sync(waiter, sync, now),
            Event::Heartbeat(waiter, beat) => self.heartbeat(waiter, &beat, now),
            Event::Leave(waiter, leave) => self.leave(waiter, leave, now),
            Event::Commit(waiter, commit) => self.commit(waiter, commit, now),
            Event::DeleteGroups(waiter, groups) => self.delete_groups(waiter, groups),
            Event::DeleteOffsets(waiter, delete) => self.delete_offsets(waiter, delete),
            Event::TopicDeleted(topic) => self.offsets.remove_topic(topic),
            Event::Journaled(change, outcome) => self.journaled(change, outcome, now),
            Event::Tick => self.tick(now),
            Event::Sweep(names) => self.sweep(&names, now),
            Event::Stop => self.stop(now),
        }
        self.out.drain()
    }

    /// Runs `work` on a group, if it exists, and looks up its deadline again.
    fn with<T>(
        &mut self,
        id: &str,
        now: Now,
        work: impl FnOnce(&mut Group, &mut Cx<'_>) -> T,
    ) -> Option<T> {
        let group = self.groups.get_mut(id)?;
        let mut cx = Cx {
            now,
            limits: &self.limits,
            out: &mut self.out,
        };
        let result = work(group, &mut cx);
        self.list_deadline(id);
        Some(result)
    }

    fn list_deadline(&mut self, id: &str) {
        let next = self.groups.get(id).and_then(Group::next_deadline);
        if self.listed_deadline.get(id).copied() == next {
            return;
        }
        let id = Str::from(id);
        if let Some(listed) = self.listed_deadline.remove(&id) {
            self.deadlines.remove(&(listed, id.clone()));
        }
        if let Some(next) = next {
            self.listed_deadline.insert(id.clone(), next);
            self.deadlines.insert((next, id));
        }
    }

    fn join(&mut self, waiter: Waiter, join: Join, now: Now) {
        if let Err(error) = self.admit(&join, now) {
            let refused = Joined::refused(&join.who.member, error);
            return self.out.answer(waiter, Answer::Join(refused));
        }
        let id = join.group.clone();
        self.with(&id, now, |group, cx| group.join(waiter, join, cx));
    }

    /// What is checked before a group is looked at; makes the group of a first member.
    fn admit(&mut self, join: &Join, now: Now) -> Result<(), ErrorCode> {
        let session = group::duration(join.session_timeout_ms);
        let metadata: usize = join
            .protocols
            .iter()
            .map(|(_, metadata)| metadata.len())
            .sum();
        if self.stopped {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        if join.group.is_empty() {
            return Err(ErrorCode::INVALID_GROUP_ID);
        }
        if session < self.limits.session.0 || session > self.limits.session.1 {
            return Err(ErrorCode::INVALID_SESSION_TIMEOUT);
        }
        if metadata > self.limits.metadata_bytes {
            return Err(ErrorCode::UNKNOWN_SERVER_ERROR);
        }
        if self.groups.contains_key(&join.group) {
            return Ok(());
        }
        if !join.who.member.is_empty() {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        self.create(&join.group, now)
    }

    /// Makes an empty group, in memory only.
    fn create(&mut self, id: &Str, now: Now) -> Result<(), ErrorCode> {
        if self.groups.len() >= self.limits.groups {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        let id = id.detached();
        self.groups.insert(id.clone(), Group::new(id, now));
        Ok(())
    }

    fn sync(&mut self, waiter: Waiter, sync: Sync, now: Now) {
        let id = sync.group.clone();
        let missing = match (self.stopped, id.is_empty()) {
            (true, _) => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            (_, true) => ErrorCode::INVALID_GROUP_ID,
            _ => ErrorCode::UNKNOWN_MEMBER_ID,
        };
        // An old client's offsets may lie under no name: nobody is a member there.
        let known = !self.stopped
            && !id.is_empty()
            && self
                .with(&id, now, |group, cx| group.sync(waiter, sync, cx))
                .is_some();
        if !known {
            self.out
                .answer(waiter, Answer::Sync(Synced::refused(missing)));
        }
    }

    fn heartbeat(&mut self, waiter: Waiter, beat: &Beat, now: Now) {
        let code = match (self.stopped, beat.group.is_empty()) {
            (true, _) => ErrorCode::COORDINATOR_NOT_AVAILABLE,
            (_, true) => ErrorCode::INVALID_GROUP_ID,
            _ => self
                .with(&beat.group, now, |group, cx| group.heartbeat(beat, cx))
                .unwrap_or(ErrorCode::UNKNOWN_MEMBER_ID),
        };
        self.out.answer(waiter, Answer::Heartbeat(code));
    }

    /// Answers when what follows from it is on disk: else a crash would bring back who was told to be gone.
    fn leave(&mut self, waiter: Waiter, leave: Leave, now: Now) {
        let before = self.out.changes();
        let refused = |error| Left {
            error,
            members: Vec::new(),
        };
        let left = if self.stopped {
            refused(ErrorCode::COORDINATOR_NOT_AVAILABLE)
        } else if leave.group.is_empty() {
            refused(ErrorCode::INVALID_GROUP_ID)
        } else if self.groups.contains_key(&leave.group) {
            let members = self.with(&leave.group, now, |group, cx| group.leave(leave.who, cx));
            Left {
                error: ErrorCode::NONE,
                members: members.unwrap_or_default(),
            }
        } else {
            let unknown = |who| (who, ErrorCode::UNKNOWN_MEMBER_ID);
            Left {
                error: ErrorCode::NONE,
                members: leave.who.into_iter().map(unknown).collect(),
            }
        };
        if self.out.changes() == before {
            self.out.answer(waiter, Answer::Leave(left));
        } else {
            self.out.journal(Vec::new(), Then::Left { waiter, left });
        }
    }

    fn journaled(&mut self, change: ChangeId, outcome: Result<(), Lost>, now: Now) {
        let Some(then) = self.out.written(change) else {
            return;
        };
        match then {
            Then::Nothing => {}
            Then::Assign {
                group,
                generation,
                assignments,
            } => {
                self.with(&group, now, |group, cx| {
                    // Another member may have joined while the journal was written.
                    if group.state != State::CompletingRebalance || group.generation != generation {
                        return;
                    }
                    match outcome {
                        Ok(()) => group.assign(assignments, cx),
                        Err(Lost) => {
                            group.fail_syncs(ErrorCode::NOT_COORDINATOR, cx);
                            group.rebalance_or_finish_join(cx);
                        }
                    }
                });
            }
            Then::Welcome {
                group,
                waiter,
                joined,
            } => {
                let joined = match outcome {
                    Ok(()) => joined,
                    Err(Lost) => Joined::refused(&joined.member, ErrorCode::NOT_COORDINATOR),
                };
                self.with(&group, now, |group, cx| group.welcome(waiter, joined, cx));
            }
            Then::Commit {
                group,
                commits,
                waiter,
                codes,
            } => {
                self.committed(&group, commits, waiter, codes, outcome);
            }
            Then::Left { waiter, left } => {
                let left = match outcome {
                    Ok(()) => left,
                    Err(Lost) => Left {
                        error: ErrorCode::NOT_COORDINATOR,
                        members: Vec::new(),
                    },
                };
                self.out.answer(waiter, Answer::Leave(left));
            }
            Then::DeleteGroups {
                groups,
                waiter,
                codes,
            } => {
                self.groups_deleted(&groups, waiter, codes, outcome);
            }
            Then::DeleteOffsets {
                group,
                places,
                waiter,
                codes,
            } => {
                self.offsets_deleted(&group, &places, waiter, codes, outcome);
            }
        }
    }

    fn tick(&mut self, now: Now) {
        while let Some((at, id)) = self.deadlines.first().cloned() {
            if at > now.monotonic {
                return;
            }
            self.with(&id, now, Group::expire);
            // A deadline of zero length would be due again at once; the driver comes back for it.
            if self
                .listed_deadline
                .get(&id)
                .is_some_and(|next| *next <= now.monotonic)
            {
                return;
            }
        }
    }

    fn stop(&mut self, now: Now) {
        self.stopped = true;
        for group in self.groups.values_mut() {
            let mut cx = Cx {
                now,
                limits: &self.limits,
                out: &mut self.out,
            };
            group.stop(&mut cx);
        }
        self.deadlines.clear();
        self.listed_deadline.clear();
    }

    /// A group as DescribeGroups shows it.
    pub fn describe(&self, group: &str) -> Option<Described> {
        self.groups.get(group).map(Group::described)
    }

    /// All groups, by name.
    pub fn list(&self) -> Vec<Listed> {
        let mut groups: Vec<_> = self.groups.values().map(Group::listed).collect();
        groups.sort_by(|a, b| a.group.cmp(&b.group));
        groups
    }

    /// The committed offset of one partition.
    pub fn committed_at(&self, group: &str, place: Place) -> Option<Fetched> {
        self.offsets
            .get(group, place)
            .map(|committed| (place, committed.clone()))
    }

    /// All committed offsets of a group, by topic id and partition.
    pub fn committed_by(&self, group: &str) -> Vec<Fetched> {
        self.offsets
            .of(group)
            .map(|(place, committed)| (place, committed.clone()))
            .collect()
    }

    /// Members of all groups, for metrics.
    pub fn members(&self) -> usize {
        self.groups.values().map(|group| group.members.len()).sum()
    }
}
