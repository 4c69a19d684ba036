//! Settings shown and changed: of topics, of the broker, of groups.
//!
//! Source: Kafka's `ConfigHelper`, `ConfigAdminManager` and `ConfigurationControlManager`.

use std::collections::{BTreeMap, HashSet};

use wire::error::ErrorCode;
use wire::message::describe_configs_request::DescribeConfigsResource;
use wire::message::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use wire::message::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, alter_configs_response,
    incremental_alter_configs_response,
};
use wire::text::Str;

use super::refusal::{self, Refused};
use super::{Ask, to_the_end, topic_name};
use crate::broker::NODE;
use crate::log::{NewTopic, SettingChange, SettingScope};
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
mod resource {
    pub(super) const TOPIC: i8 = 2;
    pub(super) const BROKER: i8 = 4;
    pub(super) const GROUP: i8 = 32;
}

/// Operations of IncrementalAlterConfigs (`AlterConfigOp.OpType`).
mod operation {
    pub(super) const SET: i8 = 0;
    pub(super) const DELETE: i8 = 1;
    pub(super) const APPEND: i8 = 2;
    pub(super) const SUBTRACT: i8 = 3;
}

/// Something that has settings, with those that were set.
struct Target {
    scope: SettingScope,
    table: &'static [Definition],
    set: Settings,
    /// Source of values that were set.
    source: i8,
}

/// What a request names, if it exists.
fn target(ask: &Ask, kind: i8, name: &str) -> Result<Target, Refused> {
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
    let results = request.resources.into_iter().map(|asked| {
        let found = target(ask, asked.resource_type, &asked.resource_name);
        let (configs, outcome) = match found {
            Ok(target) => {
                let all = shown(&target, &ask.shared.options, request.include_synonyms);
                (wanted(all, &asked), Ok(()))
            }
            Err(refused) => (Vec::new(), Err(refused)),
        };
        let (error_code, error_message) = refusal::parts(outcome);
        DescribeConfigsResult {
            error_code,
            error_message,
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

fn check(table: &'static [Definition], name: &str, value: &str) -> Result<(), Refused> {
    let definition = known(table, name)?;
    match definition.accepts(value) {
        true => Ok(()),
        false => Err(Refused::new(
            ErrorCode::INVALID_CONFIG,
            format!("Invalid value {value} for configuration {name}"),
        )),
    }
}

fn known(table: &'static [Definition], name: &str) -> Result<&'static Definition, Refused> {
    settings::find(table, name).ok_or_else(|| {
        Refused::new(
            ErrorCode::INVALID_CONFIG,
            format!("Unknown config name: {name}"),
        )
    })
}

/// A change of one setting: its new value, or none to return to the default.
type Changes = BTreeMap<String, Option<String>>;

/// AlterConfigs: what is named is all that is set from now on.
pub(super) async fn replace(ask: &Ask, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let twice = named_twice(
        request
            .resources
            .iter()
            .map(|one| (one.resource_type, &one.resource_name)),
    );
    let mut response = AlterConfigsResponse::default();
    for asked in request.resources {
        let key = (asked.resource_type, asked.resource_name.clone());
        let changes = target_of(ask, &twice, &key).and_then(|target| {
            let mut changes: Changes = target
                .set
                .iter()
                .map(|(name, _)| (name.to_owned(), None))
                .collect();
            check_names(asked.configs.iter().map(|config| &config.name))?;
            for config in asked.configs {
                let value = given(&config.name, config.value)?;
                check(target.table, &config.name, &value)?;
                changes.insert(config.name.to_string(), Some(value));
            }
            Ok((target.scope, changes))
        });
        let (error_code, error_message) =
            refusal::parts(apply(ask, changes, request.validate_only).await);
        response
            .responses
            .push(alter_configs_response::AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: asked.resource_type,
                resource_name: asked.resource_name,
                ..Default::default()
            });
    }
    response
}

/// IncrementalAlterConfigs: single settings are set, removed, or lists changed (KIP-339).
pub(super) async fn change(
    ask: &Ask,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let twice = named_twice(
        request
            .resources
            .iter()
            .map(|one| (one.resource_type, &one.resource_name)),
    );
    let mut response = IncrementalAlterConfigsResponse::default();
    for asked in request.resources {
        let key = (asked.resource_type, asked.resource_name.clone());
        let changes = target_of(ask, &twice, &key).and_then(|target| {
            let mut changes = Changes::new();
            check_names(asked.configs.iter().map(|config| &config.name))?;
            for config in asked.configs {
                let value = changed(&target, &config.name, config.config_operation, config.value)?;
                changes.insert(config.name.to_string(), value);
            }
            Ok((target.scope, changes))
        });
        let (error_code, error_message) =
            refusal::parts(apply(ask, changes, request.validate_only).await);
        response.responses.push(
            incremental_alter_configs_response::AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: asked.resource_type,
                resource_name: asked.resource_name,
                ..Default::default()
            },
        );
    }
    response
}

fn named_twice<'a>(named: impl Iterator<Item = (i8, &'a Str)>) -> HashSet<(i8, Str)> {
    let mut seen = HashSet::new();
    let again = |(kind, name): &(i8, &Str)| !seen.insert((*kind, (*name).clone()));
    named
        .filter(again)
        .map(|(kind, name)| (kind, name.clone()))
        .collect()
}

fn target_of(ask: &Ask, twice: &HashSet<(i8, Str)>, key: &(i8, Str)) -> Result<Target, Refused> {
    if twice.contains(key) {
        return Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "Each resource must appear at most once.",
        ));
    }
    target(ask, key.0, &key.1)
}

fn check_names<'a>(mut names: impl Iterator<Item = &'a Str>) -> Result<(), Refused> {
    let mut seen = HashSet::new();
    match names.find(|name| !seen.insert(*name)) {
        Some(name) => Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            format!("Error due to duplicate config keys: {name}"),
        )),
        None => Ok(()),
    }
}

fn given(name: &str, value: Option<Str>) -> Result<String, Refused> {
    value.map(|value| value.to_string()).ok_or_else(|| {
        Refused::new(
            ErrorCode::INVALID_REQUEST,
            format!("Null value not supported for : {name}"),
        )
    })
}

/// The new value after one operation.
fn changed(
    target: &Target,
    name: &str,
    op: i8,
    value: Option<Str>,
) -> Result<Option<String>, Refused> {
    let definition = known(target.table, name)?;
    if op == operation::DELETE {
        return Ok(None);
    }
    let value = given(name, value)?;
    let value = match op {
        operation::SET => value,
        operation::APPEND | operation::SUBTRACT if !definition.is_list() => {
            return Err(Refused::new(
                ErrorCode::INVALID_CONFIG,
                format!("Config value append is not allowed for config key: {name}"),
            ));
        }
        operation::APPEND | operation::SUBTRACT => {
            let current = target.set.get(name).unwrap_or(definition.default);
            edited(current, &value, op == operation::APPEND)
        }
        _ => {
            return Err(Refused::new(
                ErrorCode::INVALID_REQUEST,
                format!("Unknown operation {op} for config {name}"),
            ));
        }
    };
    check(target.table, name, &value)?;
    Ok(Some(value))
}

/// A comma-separated list with elements added or taken out.
fn edited(current: &str, change: &str, adds: bool) -> String {
    let parts = |text: &str| -> Vec<String> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let mut list = parts(current);
    for part in parts(change) {
        match adds {
            true if !list.contains(&part) => list.push(part),
            true => {}
            false => list.retain(|one| *one != part),
        }
    }
    list.join(",")
}

async fn apply(
    ask: &Ask,
    changes: Result<(SettingScope, Changes), Refused>,
    validate_only: bool,
) -> Result<(), Refused> {
    let (scope, changes) = changes?;
    if validate_only || changes.is_empty() {
        return Ok(());
    }
    let changes = changes
        .into_iter()
        .map(|(key, value)| SettingChange { key, value })
        .collect::<Vec<_>>();
    let log = ask.shared.log.clone();
    let change = async move { log.change_settings(&scope, changes).await };
    Ok(to_the_end(change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_edited_without_doubles() {
        assert_eq!(edited("delete", "compact", true), "delete,compact");
        assert_eq!(edited("delete, compact", "compact", true), "delete,compact");
        assert_eq!(edited("delete,compact", "delete", false), "compact");
        assert_eq!(edited("", "a", true), "a");
    }

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
