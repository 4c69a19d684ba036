//! Settings of topics, the broker and groups: which exist, what they may be, what they are by default.
//!
//! Names, types and defaults as Kafka's `LogConfig` and `GroupConfig`, unless the row says otherwise. An inert setting
//! is checked, stored and shown, and has no effect.

use std::collections::BTreeMap;

/// What was set, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

/// Type as in DescribeConfigs (`ConfigResponse.ConfigType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Kind {
    Boolean = 1,
    Text = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// One setting that exists.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    pub default: &'static str,
    check: Check,
}

#[derive(Clone, Copy, Debug)]
enum Check {
    Any,
    Between(i64, i64),
    Fraction,
    OneOf(&'static [&'static str]),
    AllOf(&'static [&'static str]),
    Flag,
    OnlyFalse,
}

use Check::{AllOf, Any, Between, Flag, Fraction, OneOf, OnlyFalse};
use Kind::{Boolean, Double, Int, List, Long, Text};

const fn row(name: &'static str, kind: Kind, default: &'static str, check: Check) -> Definition {
    Definition {
        name,
        kind,
        default,
        check,
    }
}

const CODECS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];
const MAX: i64 = i64::MAX;
const INT: i64 = i32::MAX as i64;

pub const CLEANUP_POLICY: &str = "cleanup.policy";
pub const RETENTION_MS: &str = "retention.ms";
pub const RETENTION_BYTES: &str = "retention.bytes";
pub const SEGMENT_BYTES: &str = "segment.bytes";
pub const SEGMENT_MS: &str = "segment.ms";
pub const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
pub const TIMESTAMP_TYPE: &str = "message.timestamp.type";
pub const TIMESTAMP_BEFORE: &str = "message.timestamp.before.max.ms";
pub const TIMESTAMP_AFTER: &str = "message.timestamp.after.max.ms";
pub const MIN_INSYNC: &str = "min.insync.replicas";
pub const DURABILITY: &str = "kastellan.durability";

/// Settings of a topic. The first block has an effect, the rest is inert.
#[rustfmt::skip]
pub const TOPIC: &[Definition] = &[
    row(CLEANUP_POLICY, List, "delete", AllOf(&["delete", "compact"])),
    row(RETENTION_MS, Long, "604800000", Between(-1, MAX)),
    row(RETENTION_BYTES, Long, "-1", Between(-1, MAX)),
    row(SEGMENT_BYTES, Int, "67108864", Between(1 << 20, 1 << 30)),
    row(SEGMENT_MS, Long, "604800000", Between(1, MAX)),
    row(MAX_MESSAGE_BYTES, Int, "1048588", Between(0, 64 << 20)),
    row(TIMESTAMP_TYPE, Text, "CreateTime", OneOf(&["CreateTime", "LogAppendTime"])),
    row(TIMESTAMP_BEFORE, Long, "9223372036854775807", Between(0, MAX)),
    row(TIMESTAMP_AFTER, Long, "3600000", Between(0, MAX)),
    row(MIN_INSYNC, Int, "1", Between(1, INT)),
    row(DURABILITY, Text, "group", OneOf(&["group", "each", "os"])),
    row("compression.type", Text, "producer", OneOf(CODECS)),
    row("compression.gzip.level", Int, "-1", Between(-1, 9)),
    row("compression.lz4.level", Int, "9", Between(1, 17)),
    row("compression.zstd.level", Int, "3", Between(-131_072, 22)),
    row("delete.retention.ms", Long, "86400000", Between(0, MAX)),
    row("file.delete.delay.ms", Long, "60000", Between(0, MAX)),
    row("flush.messages", Long, "9223372036854775807", Between(1, MAX)),
    row("flush.ms", Long, "9223372036854775807", Between(0, MAX)),
    row("index.interval.bytes", Int, "4096", Between(0, INT)),
    row("max.compaction.lag.ms", Long, "9223372036854775807", Between(1, MAX)),
    row("min.compaction.lag.ms", Long, "0", Between(0, MAX)),
    row("min.cleanable.dirty.ratio", Double, "0.5", Fraction),
    row("preallocate", Boolean, "false", Flag),
    row("segment.index.bytes", Int, "10485760", Between(4, INT)),
    row("segment.jitter.ms", Long, "0", Between(0, MAX)),
    row("unclean.leader.election.enable", Boolean, "false", Flag),
    row("leader.replication.throttled.replicas", List, "", Any),
    row("follower.replication.throttled.replicas", List, "", Any),
    row("local.retention.ms", Long, "-2", Between(-2, MAX)),
    row("local.retention.bytes", Long, "-2", Between(-2, MAX)),
    row("remote.storage.enable", Boolean, "false", OnlyFalse),
    row("remote.log.copy.disable", Boolean, "false", Flag),
    row("remote.log.delete.on.disable", Boolean, "false", Flag),
];

/// Dynamic settings of the broker: all inert.
#[rustfmt::skip]
pub const BROKER: &[Definition] = &[
    row("background.threads", Int, "10", Between(1, INT)),
    row("compression.type", Text, "producer", OneOf(CODECS)),
    row("follower.replication.throttled.rate", Long, "9223372036854775807", Between(0, MAX)),
    row("leader.replication.throttled.rate", Long, "9223372036854775807", Between(0, MAX)),
    row("log.cleaner.backoff.ms", Long, "15000", Between(0, MAX)),
    row("log.cleaner.threads", Int, "1", Between(0, INT)),
    row("log.cleanup.policy", List, "delete", AllOf(&["delete", "compact"])),
    row("log.flush.interval.messages", Long, "9223372036854775807", Between(1, MAX)),
    row("log.flush.interval.ms", Long, "9223372036854775807", Between(0, MAX)),
    row("log.message.timestamp.type", Text, "CreateTime", OneOf(&["CreateTime", "LogAppendTime"])),
    row("log.retention.bytes", Long, "-1", Between(-1, MAX)),
    row("log.retention.ms", Long, "604800000", Between(-1, MAX)),
    row("log.roll.ms", Long, "604800000", Between(1, MAX)),
    row("log.segment.bytes", Int, "67108864", Between(1 << 20, 1 << 30)),
    row("max.connection.creation.rate", Int, "2147483647", Between(0, INT)),
    row("max.connections", Int, "2147483647", Between(0, INT)),
    row("max.connections.per.ip", Int, "2147483647", Between(0, INT)),
    row("message.max.bytes", Int, "1048588", Between(0, 64 << 20)),
    row("min.insync.replicas", Int, "1", Between(1, INT)),
    row("num.io.threads", Int, "8", Between(1, INT)),
    row("num.network.threads", Int, "3", Between(1, INT)),
    row("num.recovery.threads.per.data.dir", Int, "2", Between(1, INT)),
    row("num.replica.fetchers", Int, "1", Between(0, INT)),
    row("producer.id.expiration.ms", Int, "86400000", Between(1, INT)),
    row("unclean.leader.election.enable", Boolean, "false", Flag),
];

/// Settings of a group: inert until the consumer protocol of KIP-848.
#[rustfmt::skip]
pub const GROUP: &[Definition] = &[
    row("consumer.session.timeout.ms", Int, "45000", Between(45_000, 60_000)),
    row("consumer.heartbeat.interval.ms", Int, "5000", Between(5_000, 15_000)),
];

/// The row of a name.
pub fn find(table: &'static [Definition], name: &str) -> Option<&'static Definition> {
    table.iter().find(|definition| definition.name == name)
}

impl Definition {
    pub fn is_list(&self) -> bool {
        self.kind == List
    }

    /// Whether a value may be set.
    pub fn accepts(&self, value: &str) -> bool {
        let number = || value.trim().parse::<i64>().ok();
        match self.check {
            Any => true,
            Between(low, high) => number().is_some_and(|number| (low..=high).contains(&number)),
            Fraction => value
                .trim()
                .parse::<f64>()
                .is_ok_and(|number| (0.0..=1.0).contains(&number)),
            OneOf(words) => words.contains(&value),
            AllOf(words) => {
                !value.is_empty() && value.split(',').all(|word| words.contains(&word.trim()))
            }
            Flag => matches!(value.to_ascii_lowercase().as_str(), "true" | "false"),
            OnlyFalse => value.eq_ignore_ascii_case("false"),
        }
    }
}

impl Settings {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn set(&mut self, name: String, value: Option<String>) {
        match value {
            Some(value) => self.0.insert(name, value),
            None => self.0.remove(&name),
        };
    }

    /// What holds for a topic: what was set, else the default.
    pub fn effective(&self, name: &str) -> &str {
        self.get(name)
            .or_else(|| find(TOPIC, name).map(|definition| definition.default))
            .unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> i64 {
        self.effective(name).trim().parse().unwrap_or(0)
    }

    pub fn is_compacted(&self) -> bool {
        self.effective(CLEANUP_POLICY)
            .split(',')
            .any(|policy| policy.trim() == "compact")
    }

    pub fn is_deleted(&self) -> bool {
        self.effective(CLEANUP_POLICY)
            .split(',')
            .any(|policy| policy.trim() == "delete")
    }

    pub fn uses_append_time(&self) -> bool {
        self.effective(TIMESTAMP_TYPE) == "LogAppendTime"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_values_that_may_be_set() {
        for definition in TOPIC.iter().chain(BROKER).chain(GROUP) {
            assert!(
                definition.accepts(definition.default),
                "{}",
                definition.name
            );
        }
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        let refuses = |name: &str, value: &str| !find(TOPIC, name).unwrap().accepts(value);
        assert!(
            refuses(RETENTION_MS, "-2")
                && refuses(RETENTION_MS, "x")
                && refuses(SEGMENT_BYTES, "1000")
        );
        assert!(refuses(CLEANUP_POLICY, "") && refuses(CLEANUP_POLICY, "delete,shred"));
        assert!(refuses("remote.storage.enable", "true") && refuses("preallocate", "yes"));
        assert!(
            find(TOPIC, CLEANUP_POLICY)
                .unwrap()
                .accepts("compact,delete")
        );
        assert!(find(TOPIC, "no.such.setting").is_none());
    }
}
