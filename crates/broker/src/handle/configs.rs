//! Settings shown, and what both showing and changing them need: which exist, where they belong, what they may be.
//!
//! Source: Kafka's `ConfigHelper`.

use std::collections::BTreeMap;

use wire::error::ErrorCode;
use wire::message::describe_configs_request::DescribeConfigsResource;
use wire::message::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use wire::message::{DescribeConfigsRequest, DescribeConfigsResponse};
use wire::text::Str;

use super::refusal::{self, Refused};
use super::{Ask, topic_name};
use crate::broker::NODE;
use crate::log::{NewTopic, SettingScope};
use crate::options::Options;
use crate::settings::{self, Definition, Kind, Settings};

/// Where a value comes from (`DescribeConfigsResponse.ConfigSource`).
mod source {
    pub(super) const TOPIC: i8 = 1;
    pub(super) const DYNAMIC_BROKER: i8 = 2;
    pub(super) const DYNAMIC_DEFAULT_BROKER: i8 = 3;
    pub(super) const STATIC_BROKER: i8 = 4;
    pub(super) const DEFAULT: i8 = 5;
    pub(super) const GROUP: i8 = 8;
}

/// What a request names (`ConfigResource.Type`).
pub(super) mod resource {
    pub(in crate::handle) const TOPIC: i8 = 2;
    pub(in crate::handle) const BROKER: i8 = 4;
    pub(in crate::handle) const GROUP: i8 = 32;
}

/// Settings in one answer: some bytes that ask for them would become very many. As many topics as there may be have fewer.
const SHOWN_MAX: usize = 100_000;

/// Something that has settings, with those that were set.
pub(super) struct Target {
    pub(super) scope: SettingScope,
    pub(super) table: &'static [Definition],
    pub(super) set: Settings,
    /// Source of values that were set.
    source: i8,
}

impl Target {
    /// A topic that does not exist: what is to be set is looked at all the same.
    pub(super) fn missing_topic(name: &str) -> Self {
        Self {
            scope: SettingScope::Topic(name.into()),
            table: settings::TOPIC,
            set: Settings::default(),
            source: source::TOPIC,
        }
    }
}

/// What a request names, if it exists.
pub(super) fn target(ask: &Ask, kind: i8, name: &str) -> Result<Target, Refused> {
    let log = &ask.shared.log;
    match kind {
        resource::TOPIC => {
            topic_name::check(name)?;
            let topics = log.topics();
            let topic = topics
                .by_name(name)
                .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
            Ok(Target {
                scope: SettingScope::Topic(topic.name.clone()),
                table: settings::TOPIC,
                set: topic.settings.clone(),
                source: source::TOPIC,
            })
        }
        resource::BROKER => {
            if !name.is_empty() && name != NODE.to_string() {
                let problem = format!(
                    "Unexpected broker id, expected {NODE} or empty string, but received {name}"
                );
                return Err(Refused::new(ErrorCode::INVALID_REQUEST, problem));
            }
            let is_default = name.is_empty();
            Ok(Target {
                scope: SettingScope::Broker,
                table: settings::BROKER,
                set: log.broker_settings(),
                source: match is_default {
                    true => source::DYNAMIC_DEFAULT_BROKER,
                    false => source::DYNAMIC_BROKER,
                },
            })
        }
        resource::GROUP if name.is_empty() => Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "Group name must not be empty.",
        )),
        resource::GROUP => Ok(Target {
            scope: SettingScope::Group(name.to_owned()),
            table: settings::GROUP,
            set: log.group_settings(name),
            source: source::GROUP,
        }),
        _ => Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            format!("Unsupported resource type: {kind}"),
        )),
    }
}

pub(super) fn describe(ask: &Ask, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let mut left = SHOWN_MAX;
    let results = request.resources.into_iter().map(|asked| {
        let found = target(ask, asked.resource_type, &asked.resource_name);
        let (configs, outcome) = match found {
            Ok(target) => {
                let all = shown(&target, &ask.shared.options, request.include_synonyms);
                let configs = wanted(all, &asked);
                match left.checked_sub(configs.len()) {
                    Some(less) => {
                        left = less;
                        (configs, Ok(()))
                    }
                    None => (Vec::new(), Err(too_many())),
                }
            }
            Err(refused) => (Vec::new(), Err(refused)),
        };
        let (error_code, error_message) = refusal::parts(outcome);
        DescribeConfigsResult {
            error_code,
            // Kafka leaves an empty text, and no null.
            error_message: Some(error_message.unwrap_or_default()),
            resource_type: asked.resource_type,
            resource_name: asked.resource_name,
            configs,
            ..Default::default()
        }
    });
    DescribeConfigsResponse {
        results: results.collect(),
        ..Default::default()
    }
}

fn too_many() -> Refused {
    let problem = format!("One answer holds at most {SHOWN_MAX} settings.");
    Refused::new(ErrorCode::INVALID_REQUEST, problem)
}

/// The ones that were asked for; no list or an empty one asks for all.
fn wanted(
    all: Vec<DescribeConfigsResourceResult>,
    asked: &DescribeConfigsResource,
) -> Vec<DescribeConfigsResourceResult> {
    match &asked.configuration_keys {
        Some(keys) if !keys.is_empty() => all
            .into_iter()
            .filter(|config| keys.contains(&config.name))
            .collect(),
        _ => all,
    }
}

fn shown(
    target: &Target,
    options: &Options,
    with_synonyms: bool,
) -> Vec<DescribeConfigsResourceResult> {
    let only_set = target.source == source::DYNAMIC_DEFAULT_BROKER;
    let dynamic = target
        .table
        .iter()
        .filter(|definition| !only_set || target.set.get(definition.name).is_some())
        .map(|definition| {
            config(
                definition,
                target.set.get(definition.name),
                target.source,
                with_synonyms,
            )
        });
    let fixed = match target.source {
        source::DYNAMIC_BROKER => fixed(options),
        _ => Vec::new(),
    };
    dynamic.chain(fixed).collect()
}

fn config(
    definition: &Definition,
    set: Option<&str>,
    set_source: i8,
    with_synonyms: bool,
) -> DescribeConfigsResourceResult {
    let synonym = |value: &str, source| DescribeConfigsSynonym {
        name: Str::from_static(definition.name),
        value: Some(Str::from(value)),
        source,
        ..Default::default()
    };
    let all = set
        .map(|value| synonym(value, set_source))
        .into_iter()
        .chain([synonym(definition.default, source::DEFAULT)]);
    DescribeConfigsResourceResult {
        name: Str::from_static(definition.name),
        value: Some(Str::from(set.unwrap_or(definition.default))),
        config_source: match set {
            Some(_) => set_source,
            None => source::DEFAULT,
        },
        synonyms: match with_synonyms {
            true => all.collect(),
            false => Vec::new(),
        },
        config_type: definition.kind as i8,
        documentation: None,
        ..Default::default()
    }
}

/// What the broker was started with: shown, not to be changed.
fn fixed(options: &Options) -> Vec<DescribeConfigsResourceResult> {
    let groups = &options.groups;
    let millis = |duration: std::time::Duration| duration.as_millis().to_string();
    [
        ("node.id", NODE.to_string(), Kind::Int),
        ("broker.id", NODE.to_string(), Kind::Int),
        ("num.partitions", options.partitions.to_string(), Kind::Int),
        ("default.replication.factor", "1".to_owned(), Kind::Int),
        (
            "auto.create.topics.enable",
            options.auto_create_topics.to_string(),
            Kind::Boolean,
        ),
        (
            "delete.topic.enable",
            options.delete_topics.to_string(),
            Kind::Boolean,
        ),
        (
            "group.initial.rebalance.delay.ms",
            millis(groups.initial_delay),
            Kind::Int,
        ),
        (
            "group.min.session.timeout.ms",
            millis(groups.session.0),
            Kind::Int,
        ),
        (
            "group.max.session.timeout.ms",
            millis(groups.session.1),
            Kind::Int,
        ),
        ("group.max.size", groups.members.to_string(), Kind::Int),
        (
            "offset.metadata.max.bytes",
            groups.commit_metadata_bytes.to_string(),
            Kind::Int,
        ),
        (
            "offsets.retention.minutes",
            (groups.offsets_retention.as_secs() / 60).to_string(),
            Kind::Int,
        ),
    ]
    .into_iter()
    .map(|(name, value, kind)| DescribeConfigsResourceResult {
        name: Str::from_static(name),
        value: Some(Str::from(value)),
        read_only: true,
        config_source: source::STATIC_BROKER,
        config_type: kind as i8,
        documentation: None,
        ..Default::default()
    })
    .collect()
}

/// Settings of a topic that is being made, for CreateTopics.
pub(super) fn of_new_topic(new: &NewTopic) -> Vec<DescribeConfigsResourceResult> {
    settings::TOPIC
        .iter()
        .map(|definition| {
            let set = new
                .settings
                .iter()
                .find(|(name, _)| name == definition.name);
            let set = set.map(|(_, value)| value.as_str());
            config(definition, set, source::TOPIC, false)
        })
        .collect()
}

/// Whether all of these may be set on a topic.
pub(super) fn check_topic_settings(wanted: &BTreeMap<String, String>) -> Result<(), Refused> {
    wanted
        .iter()
        .try_for_each(|(name, value)| check(settings::TOPIC, name, value))
}

pub(super) fn check(table: &'static [Definition], name: &str, value: &str) -> Result<(), Refused> {
    let definition = known(table, name)?;
    match definition.accepts(value) {
        true => Ok(()),
        false => Err(Refused::new(
            ErrorCode::INVALID_CONFIG,
            format!("Invalid value {value} for configuration {name}"),
        )),
    }
}

pub(super) fn known(
    table: &'static [Definition],
    name: &str,
) -> Result<&'static Definition, Refused> {
    settings::find(table, name).ok_or_else(|| {
        Refused::new(
            ErrorCode::INVALID_CONFIG,
            format!("Unknown config name: {name}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_settings_are_refused_by_name_and_by_value() {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert!(check_topic_settings(&one("retention.ms", "1000")).is_ok());
        for (name, value) in [
            ("retention.ms", "soon"),
            ("no.such", "1"),
            ("retention.ms", "-2"),
        ] {
            let refused = check_topic_settings(&one(name, value)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::INVALID_CONFIG, "{name}={value}");
        }
    }
}
