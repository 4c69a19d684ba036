//! Settings changed: all at once, or one by one.
//!
//! Source: Kafka's `ConfigAdminManager` and `ConfigurationControlManager`.

use std::collections::{BTreeMap, HashSet};

use wire::error::ErrorCode;
use wire::message::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse, alter_configs_response, incremental_alter_configs_response,
};
use wire::text::Str;

use super::configs::{Target, check, known, resource, target};
use super::refusal::{self, Refused};
use super::{Ask, to_the_end};
use crate::log::{SettingChange, SettingScope};

/// Operations of IncrementalAlterConfigs (`AlterConfigOp.OpType`).
mod operation {
    pub(super) const SET: i8 = 0;
    pub(super) const DELETE: i8 = 1;
    pub(super) const APPEND: i8 = 2;
    pub(super) const SUBTRACT: i8 = 3;
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
        let changes = target_of(ask, &twice, &key).and_then(|(target, exists)| {
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
            exists.map(|()| (target.scope, changes))
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
        let changes = target_of(ask, &twice, &key).and_then(|(target, exists)| {
            let mut changes = Changes::new();
            check_names(asked.configs.iter().map(|config| &config.name))?;
            for config in asked.configs {
                let value = changed(&target, &config.name, config.config_operation, config.value)?;
                changes.insert(config.name.to_string(), value);
            }
            exists.map(|()| (target.scope, changes))
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

/// What a request names, and whether it exists: Kafka looks at the values first, and then for the topic.
fn target_of(
    ask: &Ask,
    twice: &HashSet<(i8, Str)>,
    key: &(i8, Str),
) -> Result<(Target, Result<(), Refused>), Refused> {
    if twice.contains(key) {
        return Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "Each resource must appear at most once.",
        ));
    }
    let (kind, name) = key;
    if *kind == resource::TOPIC && name.is_empty() {
        return Err(Refused::new(
            ErrorCode::INVALID_REQUEST,
            "Default topic resources are not allowed.",
        ));
    }
    match target(ask, *kind, name) {
        Err(refused) if refused.code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
            let refused = Refused::new(refused.code, format!("The topic '{name}' does not exist."));
            Ok((Target::missing_topic(name), Err(refused)))
        }
        found => found.map(|target| (target, Ok(()))),
    }
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
    // What does not exist can be removed.
    if op == operation::DELETE {
        return Ok(None);
    }
    let value = given(name, value)?;
    let definition = known(target.table, name)?;
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
}
