//! `kastellan log repair` and `log repair-journal`: of a stopped server, with its directory locked.
//!
//! Without an accepted loss they only report. With one, the trail says what is given up before it is.

use std::path::Path;
use std::sync::Arc;

use broker::disk::RealDisk;
use broker::log::LogOptions;
use broker::repair::{JournalKind, JournalReport, Offline, PartitionReport, RepairError};
use kastellan_core::event::{Class, Event, Outcome as EventOutcome};
use kastellan_core::ports::TrailSink;
use kastellan_core::time::Clock;
use seal::master::LocalKey;
use serde::Serialize;
use trail::Trail;

use super::args::{JournalArg, OfflineArgs};
use super::show::Output;
use super::{Failure, Outcome};
use crate::data_dir::DataDir;

#[derive(Serialize)]
struct Partition {
    topic: String,
    partition: u32,
    log_start: i64,
    good_until: i64,
    end: i64,
    keeps_until: i64,
    lost: i64,
    damage: Vec<String>,
    quarantine: Vec<File>,
    repaired: bool,
}

#[derive(Serialize)]
struct File {
    file: String,
    bytes: u64,
    /// First and last offset that could be read in it and is given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    readable: Option<(i64, i64)>,
}

#[derive(Serialize)]
struct Journal {
    file: String,
    kept: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    damaged_at: Option<u64>,
    damaged_bytes: u64,
    lost: Vec<String>,
    repaired: bool,
}

/// A stopped server's log. Its directory is locked for as long as this lives.
struct Stopped {
    log: Offline,
    trail: Arc<Trail>,
    _data: DataDir,
}

impl Stopped {
    fn open(data: &Path, offline: &OfflineArgs) -> Result<Self, Failure> {
        if !data.join("log").is_dir() {
            return Err(usage(format!("{}: there is no log", data.display())));
        }
        let directory = DataDir::open(data).map_err(usage)?;
        let clock = Clock::system();
        let key = offline.master_key.clone();
        let key = LocalKey::load(&key.unwrap_or_else(|| directory.join("master.key")));
        let path = directory.join("log");
        let disk =
            RealDisk::open(&path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
        let trail =
            Trail::open(&directory.join("trail"), clock.clone(), "repair").map_err(usage)?;
        let options = LogOptions::default();
        let key = Arc::new(key.map_err(usage)?);
        let log = Offline::open(options, key, Arc::new(disk), clock).map_err(usage)?;
        Ok(Self {
            log,
            trail,
            _data: directory,
        })
    }

    /// On the trail, durably, before it is done.
    fn record(&self, event: Event) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(usage)?;
        runtime
            .block_on(async {
                self.trail.record(event).await?;
                self.trail.flush().await
            })
            .map_err(|error| Failure::Refused(error.to_string()))
    }
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

fn refused(error: RepairError) -> Failure {
    Failure::Refused(error.to_string())
}

pub fn partition(
    data: &Path,
    out: Output,
    topic: &str,
    partition: u32,
    accept_from: Option<i64>,
    offline: &OfflineArgs,
) -> Outcome {
    let number = i32::try_from(partition).map_err(usage)?;
    let stopped = Stopped::open(data, offline)?;
    let found = stopped.log.inspect_partition(topic, number, accept_from);
    let mut report = found.map_err(refused)?;
    if let Some(from) = accept_from {
        let event = Event::new("log.repair", Class::Critical, EventOutcome::Ok)
            .on("topic", topic)
            .with("partition", &partition.to_string())
            .with("from", &report.keeps_until.to_string())
            .with("lost", &report.lost().to_string());
        if !report.damage.is_empty() {
            stopped.record(event)?;
        }
        report = stopped
            .log
            .repair_partition(topic, number, from)
            .map_err(refused)?;
    }
    let is_damaged = !report.damage.is_empty();
    let shown = show(topic, partition, report, accept_from.is_some());
    out.data(&shown, partition_text);
    match is_damaged && !shown.repaired {
        true => Err(Failure::Silent(1)),
        false => Ok(()),
    }
}

fn show(topic: &str, partition: u32, report: PartitionReport, repaired: bool) -> Partition {
    let lost = report.lost();
    let quarantine = report.dropped.into_iter().map(|file| File {
        file: file.file,
        bytes: file.bytes,
        readable: file.readable,
    });
    Partition {
        topic: topic.to_owned(),
        partition,
        log_start: report.log_start,
        good_until: report.good_until,
        end: report.end,
        keeps_until: report.keeps_until,
        lost,
        damage: report.damage,
        quarantine: quarantine.collect(),
        repaired,
    }
}

fn partition_text(shown: &Partition) -> String {
    let place = format!("{} {}", shown.topic, shown.partition);
    if shown.damage.is_empty() {
        return format!(
            "{place}: offsets {} to {} are whole, nothing to repair",
            shown.log_start, shown.end
        );
    }
    let mut text = String::new();
    for line in &shown.damage {
        text.push_str(&format!("damage: {line}\n"));
    }
    text.push_str(&format!(
        "{place}: offsets {} to {} can be kept; the log ended at {}\n",
        shown.log_start, shown.good_until, shown.end
    ));
    let verb = match shown.repaired {
        true => "gave up",
        false => "would give up",
    };
    text.push_str(&format!(
        "{verb} {} records, from offset {} on\n",
        shown.lost, shown.keeps_until
    ));
    for file in &shown.quarantine {
        let readable = file.readable.map_or(String::new(), |(first, last)| {
            format!(", with offsets {first} to {last} that can be read")
        });
        text.push_str(&format!(
            "to quarantine: {} ({} bytes{readable})\n",
            file.file, file.bytes
        ));
    }
    if !shown.repaired {
        text.push_str(&format!(
            "next: keep a copy of the data directory; then kastellan log repair {place} --accept-loss-from {}\n",
            shown.good_until
        ));
    }
    text
}

pub fn journal(
    data: &Path,
    out: Output,
    which: JournalArg,
    accept: bool,
    offline: &OfflineArgs,
) -> Outcome {
    let (kind, name) = match which {
        JournalArg::Catalog => (JournalKind::Catalog, "catalog"),
        JournalArg::Groups => (JournalKind::Groups, "groups"),
    };
    let stopped = Stopped::open(data, offline)?;
    let mut report = stopped.log.inspect_journal(kind).map_err(refused)?;
    if accept {
        if let Some(position) = report.damaged_at {
            let event = Event::new("log.repair", Class::Critical, EventOutcome::Ok)
                .with("journal", name)
                .with("position", &position.to_string())
                .with("lost", &report.lost.len().to_string());
            stopped.record(event)?;
        }
        report = stopped.log.repair_journal(kind).map_err(refused)?;
    }
    let shown = show_journal(report, accept);
    out.data(&shown, |shown| journal_text(shown, name));
    match shown.damaged_at.is_some() && !shown.repaired {
        true => Err(Failure::Silent(1)),
        false => Ok(()),
    }
}

fn show_journal(report: JournalReport, repaired: bool) -> Journal {
    Journal {
        file: report.file,
        kept: report.kept,
        damaged_at: report.damaged_at,
        damaged_bytes: report.damaged_bytes,
        lost: report.lost,
        repaired,
    }
}

fn journal_text(shown: &Journal, name: &str) -> String {
    let Some(position) = shown.damaged_at else {
        return format!("{}: {} entries, nothing to repair", shown.file, shown.kept);
    };
    let mut text = format!(
        "{}: damaged at byte {position}, {} bytes before its end; {} entries lie before\n",
        shown.file, shown.damaged_bytes, shown.kept
    );
    let verb = match shown.repaired {
        true => "gave up",
        false => "would give up",
    };
    for entry in &shown.lost {
        text.push_str(&format!("{verb}: {entry}\n"));
    }
    if !shown.repaired {
        text.push_str(&format!(
            "next: keep a copy of the data directory; then kastellan log repair-journal {name} --accept-loss\n"
        ));
    }
    text
}
