//! `[log]` (the embedded log), `[ops]`, `[tls]` (our own certificates) and `[logging]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use seal::at_rest::Padding;

use super::reader::Section;
use super::units::ByteSize;

/// The embedded log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Key file that wraps the root keys; `None`: `master.key` in the data directory.
    pub master_key: Option<PathBuf>,
    pub auto_create_topics: bool,
    pub num_partitions: u64,
    pub initial_rebalance_delay: Duration,
    pub sync_linger: Duration,
    pub retention_check: Duration,
    /// `None`: the larger of 256 MiB and 2 % of the file system.
    pub min_free: Option<ByteSize>,
    pub pad_frames: Padding,
    pub max_topics: u64,
    pub max_partitions: u64,
    pub on_failure: LogFailure,
}

/// What the process does when the log cannot promise durability any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFailure {
    Exit,
    Stay,
}

impl LogFailure {
    pub const WORDS: [(&'static str, Self); 2] = [("exit", Self::Exit), ("stay", Self::Stay)];
}

pub fn read_log(root: &mut Section<'_>) -> LogSettings {
    let mut section = root.section("log");
    let settings = LogSettings {
        master_key: section.path("master_key"),
        auto_create_topics: section.flag("auto_create_topics").unwrap_or(true),
        num_partitions: section.count("num_partitions", 1..=1_000).unwrap_or(1),
        initial_rebalance_delay: section
            .duration("initial_rebalance_delay")
            .unwrap_or(Duration::from_secs(3)),
        sync_linger: section.duration("sync_linger").unwrap_or_default(),
        retention_check: section
            .duration("retention_check")
            .unwrap_or(Duration::from_secs(60)),
        min_free: section.size("min_free"),
        pad_frames: read_padding(&mut section),
        max_topics: section.count("max_topics", 1..=100_000).unwrap_or(1_000),
        max_partitions: section
            .count("max_partitions", 1..=100_000)
            .unwrap_or(2_000),
        on_failure: section
            .choice("on_failure", &LogFailure::WORDS)
            .unwrap_or(LogFailure::Exit),
    };
    if settings.sync_linger > Duration::from_millis(5) {
        section.problem("sync_linger", "must be between 0ms and 5ms");
    }
    section.finish();
    settings
}

fn read_padding(section: &mut Section<'_>) -> Padding {
    match section.count("pad_frames", 0..=256) {
        None | Some(0) => Padding::Fine,
        Some(256) => Padding::Coarse,
        Some(_) => {
            section.problem("pad_frames", "must be 0 or 256");
            Padding::Fine
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpsSettings {
    /// Metrics and health, plain HTTP.
    pub bind: SocketAddr,
    pub insecure_accept_remote: bool,
}

pub fn read_ops(root: &mut Section<'_>) -> OpsSettings {
    let mut section = root.section("ops");
    let settings = OpsSettings {
        bind: section
            .address("bind")
            .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9644))),
        insecure_accept_remote: section.flag("insecure_accept_remote").unwrap_or(false),
    };
    if !settings.bind.ip().is_loopback() && !settings.insecure_accept_remote {
        section.problem(
            "bind",
            "metrics are served without TLS: bind to loopback, or set insecure_accept_remote = true",
        );
    }
    section.finish();
    settings
}

/// What the certificates of our own CA say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTlsSettings {
    /// Names besides localhost, 127.0.0.1, ::1 and the host name.
    pub names: Vec<String>,
}

pub fn read_own_tls(root: &mut Section<'_>) -> OwnTlsSettings {
    let mut section = root.section("tls");
    let settings = OwnTlsSettings {
        names: section.texts("names").unwrap_or_default(),
    };
    section.finish();
    settings
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggingSettings {
    /// `info`, or `info,gateway=debug`.
    pub level: String,
    pub json: bool,
}

pub fn read_logging(root: &mut Section<'_>) -> LoggingSettings {
    let mut section = root.section("logging");
    let settings = LoggingSettings {
        level: section.text("level").unwrap_or_else(|| "info".to_owned()),
        json: section
            .choice("format", &[("text", false), ("json", true)])
            .unwrap_or(false),
    };
    if settings
        .level
        .parse::<tracing_subscriber::filter::Targets>()
        .is_err()
    {
        section.problem(
            "level",
            format!(
                "{:?} is not a level such as info or info,gateway=debug",
                settings.level
            ),
        );
    }
    section.finish();
    settings
}
