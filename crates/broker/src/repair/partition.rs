//! Gives up the records of a partition from an offset on, so that the rest can be served again.

use kastellan_core::time::Timestamp;

use super::survey::{Seen, Survey, Surveyed};
use super::{Offline, RepairError};
use crate::log::foundation::{Foundation, Strangers, facts_of};
use crate::offsets::Place;
use crate::partition::{Partition, PartitionShared, Recovered};
use crate::recover::{Facts, predecessor, set_aside};
use crate::segment::FRAME_CAP;

/// A file that goes to quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub file: String,
    pub bytes: u64,
    /// First and last offset that can be read in it and are given up with it.
    pub readable: Option<(i64, i64)>,
}

/// What is there, and what a repair gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionReport {
    pub log_start: i64,
    /// Records below can be kept.
    pub good_until: i64,
    /// Records below were durable, or can still be read somewhere.
    pub end: i64,
    /// Where the log ends after the repair.
    pub keeps_until: i64,
    pub damage: Vec<String>,
    /// Files that go to quarantine; records below `keeps_until` are copied first.
    pub dropped: Vec<Dropped>,
}

impl PartitionReport {
    /// Records that are given up.
    pub fn lost(&self) -> i64 {
        self.end - self.keeps_until
    }

    fn is_damaged(&self) -> bool {
        !self.damage.is_empty() || self.good_until < self.end
    }
}

/// What a repair does with the files.
struct Plan {
    /// Files that stay as they are.
    kept: usize,
    /// Batches that are copied from the files that go.
    carried: Vec<(usize, Seen)>,
    keeps_until: i64,
}

impl Plan {
    /// Where the new file begins.
    fn base(&self) -> i64 {
        let first = self.carried.first();
        first.map_or(self.keeps_until, |(_, seen)| seen.base)
    }
}

impl Offline {
    /// What is damaged, and what would be given up from `accept_from` on; by default as little as possible.
    pub fn inspect_partition(
        &self,
        topic: &str,
        partition: i32,
        accept_from: Option<i64>,
    ) -> Result<PartitionReport, RepairError> {
        let (place, facts) = self.find(topic, partition)?;
        let survey = Survey::of(place, facts.log_start, self.disk.as_ref(), &self.keyring)?;
        let plan = plan(&survey, facts, accept_from.unwrap_or(survey.good_until))?;
        Ok(report(&survey, facts, &plan))
    }

    /// Gives up the records from an offset on. The partition is whole at the next start; a repair that was interrupted
    /// leaves it offline and can be done again.
    pub fn repair_partition(
        &self,
        topic: &str,
        partition: i32,
        accept_from: i64,
    ) -> Result<PartitionReport, RepairError> {
        let told = self.inspect_partition(topic, partition, Some(accept_from))?;
        if !told.is_damaged() {
            return Err(RepairError::Whole);
        }
        let foundation = Foundation::lay(
            &self.options,
            self.master.as_ref(),
            &self.disk,
            &self.clock,
            Strangers::Stay,
        )?;
        let tools = foundation.tools;
        let (place, facts) = self.find(topic, partition)?;
        let survey = Survey::of(place, facts.log_start, self.disk.as_ref(), &self.keyring)?;
        let plan = plan(&survey, facts, accept_from)?;
        let report = report(&survey, facts, &plan);
        let mut repaired = begin(place, facts, &survey, &plan, self.clock.now(), &tools)?;
        let contents = plan.carried.iter().filter_map(|(file, seen)| {
            let opened = survey.files.get(*file)?.opened.as_ref()?;
            let frame = opened.frame(seen.position, FRAME_CAP);
            Some(frame.map(|frame| frame.content))
        });
        repaired.carry_over(plan.base(), plan.keeps_until, contents)?;
        for file in survey.files.iter().skip(plan.kept) {
            set_aside(&file.path, &tools)?;
        }
        repaired
            .anchor(plan.keeps_until)
            .map_err(|refusal| RepairError::from(refusal.code))?;
        tools.sync.stop();
        Ok(report)
    }

    fn find(&self, topic: &str, partition: i32) -> Result<(Place, Facts), RepairError> {
        let state = self.catalog()?;
        let found = state.topics.iter().find(|(_, one)| one.name == topic);
        let (id, found) = found.ok_or_else(|| RepairError::UnknownTopic(topic.to_owned()))?;
        if !(0..found.partitions).contains(&partition) {
            return Err(RepairError::UnknownPartition {
                topic: topic.to_owned(),
                last: found.partitions - 1,
            });
        }
        let place = Place {
            topic: *id,
            partition,
        };
        Ok((place, facts_of(&state, state.stopped.as_ref(), place)))
    }
}

/// The partition as it is before the batches that are carried over.
fn begin(
    place: Place,
    facts: Facts,
    survey: &Survey,
    plan: &Plan,
    now: Timestamp,
    tools: &std::sync::Arc<crate::partition::Tools>,
) -> Result<Partition, RepairError> {
    let (producers, epochs) = survey.state_before(plan.kept, plan.base(), now)?;
    let before = plan.kept.checked_sub(1).and_then(|at| survey.files.get(at));
    let before = before.and_then(|file| {
        let opened = file.opened.as_ref()?;
        Some(predecessor(opened, file.name, file.len, file.last))
    });
    let epoch = i32::try_from(tools.catalog.incarnation()).unwrap_or(i32::MAX);
    let shared = PartitionShared::new(facts.log_start, plan.keeps_until, epoch, epochs);
    let recovered = Recovered {
        shared,
        producers,
        before,
    };
    Ok(Partition::new(place, recovered, tools.clone()))
}

fn plan(survey: &Survey, facts: Facts, accept_from: i64) -> Result<Plan, RepairError> {
    if accept_from < facts.log_start || accept_from > survey.good_until {
        return Err(RepairError::OutOfRange {
            log_start: facts.log_start,
            good_until: survey.good_until,
        });
    }
    let stays = |seen: &Seen| seen.last < accept_from;
    let chain = || survey.chain.iter().filter(|(_, seen)| stays(seen));
    let keeps_until = chain()
        .next_back()
        .map_or(facts.log_start, |(_, seen)| seen.last + 1)
        .max(facts.log_start);
    let is_kept = |(at, file): (usize, &Surveyed)| {
        let linked = survey
            .chain
            .iter()
            .filter(|(other, _)| *other == at)
            .count();
        let begins_in_time = at > 0 || file.name.base <= facts.log_start;
        file.is_whole
            && begins_in_time
            && linked == file.batches.len()
            && file.batches.iter().all(stays)
    };
    let kept = survey
        .files
        .iter()
        .enumerate()
        .take_while(|one| is_kept(*one));
    let kept = kept.count();
    let carried = chain().filter(|(at, _)| *at >= kept).copied().collect();
    Ok(Plan {
        kept,
        carried,
        keeps_until,
    })
}

fn report(survey: &Survey, facts: Facts, plan: &Plan) -> PartitionReport {
    let durable = facts.anchor.map_or(0, |anchor| anchor.synced_end);
    let stopped = facts.stopped.map_or(0, |(end, _)| end);
    let mut damage = survey.damage.clone();
    let end = survey.readable_end().max(durable).max(stopped);
    if damage.is_empty() && survey.good_until < end {
        damage.push(format!(
            "offsets {} to {} were durable and are missing",
            survey.good_until,
            end - 1
        ));
    }
    let dropped = survey.files.iter().skip(plan.kept).map(|file| {
        let given_up = || {
            let batches = file.batches.iter();
            batches.filter(|seen| seen.last >= plan.keeps_until)
        };
        let (first, last) = (given_up().next(), given_up().next_back());
        Dropped {
            file: file.path.clone(),
            bytes: file.len,
            readable: first.zip(last).map(|(first, last)| (first.base, last.last)),
        }
    });
    PartitionReport {
        log_start: facts.log_start,
        good_until: survey.good_until,
        end,
        keeps_until: plan.keeps_until,
        damage,
        dropped: dropped.collect(),
    }
}
