//! DescribeAcls, CreateAcls, DeleteAcls: answered from our own policy, so that `kafka-acls.sh` manages the gateway.
//!
//! Validation as in Kafka's `AclApis`, `AclControlManager` and the request classes.

use std::collections::BTreeMap;

use bytes::Bytes;
use kastellan_core::filter::{PatternFilter, RuleFilter};
use kastellan_core::host::HostPattern;
use kastellan_core::operation::Operation;
use kastellan_core::ports::ChangeError;
use kastellan_core::resource::{
    CLUSTER_NAME, PatternType, Resource, ResourcePattern, ResourceType,
};
use kastellan_core::rule::{Effect, Rule, RuleDefinition};
use wire::error::ErrorCode;
use wire::message::create_acls_request::AclCreation;
use wire::message::create_acls_response::AclCreationResult;
use wire::message::delete_acls_request::DeleteAclsFilter;
use wire::message::delete_acls_response::{DeleteAclsFilterResult, DeleteAclsMatchingAcl};
use wire::message::describe_acls_response::{AclDescription, DescribeAclsResource};
use wire::message::{
    CreateAclsRequest, CreateAclsResponse, DeleteAclsRequest, DeleteAclsResponse,
    DescribeAclsRequest, DescribeAclsResponse,
};
use wire::text::Str;

use super::judge::Judge;
use super::{Treatment, decode};
use crate::cause::Cause;

const UNKNOWN: i8 = 0;
const ANY: i8 = 1;
const MATCH: i8 = 2;
const DENIED: ErrorCode = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
const DENIED_TEXT: &str = "Cluster authorization failed.";

/// What a filter's codes say.
enum Reading {
    Filter(Box<RuleFilter>),
    /// A code that no version knows: finds nothing.
    Senseless,
    /// Code 0: the request cannot be parsed.
    Malformed,
}

struct Codes<'a> {
    resource_type: i8,
    name: Option<&'a Str>,
    pattern: i8,
    principal: Option<&'a Str>,
    host: Option<&'a Str>,
    operation: i8,
    permission: i8,
}

impl Codes<'_> {
    fn read(&self) -> Reading {
        if [
            self.resource_type,
            self.pattern,
            self.operation,
            self.permission,
        ]
        .contains(&UNKNOWN)
        {
            return Reading::Malformed;
        }
        match self.filter() {
            Some(filter) => Reading::Filter(Box::new(filter)),
            None => Reading::Senseless,
        }
    }

    fn filter(&self) -> Option<RuleFilter> {
        let text = |text: Option<&Str>| text.map(|text| text.as_str().into());
        Some(RuleFilter {
            kind: known(self.resource_type, ResourceType::from_code)?,
            name: text(self.name),
            pattern: match self.pattern {
                ANY => PatternFilter::Any,
                MATCH => PatternFilter::Match,
                3 => PatternFilter::Is(PatternType::Literal),
                4 => PatternFilter::Is(PatternType::Prefixed),
                _ => return None,
            },
            principal: text(self.principal),
            host: text(self.host),
            operation: known(self.operation, Operation::from_code)?,
            effect: known(self.permission, Effect::from_code)?,
        })
    }
}

/// `Some(None)` for ANY, `None` for a code that no version knows.
fn known<T>(code: i8, read: impl Fn(i8) -> Option<T>) -> Option<Option<T>> {
    if code == ANY {
        Some(None)
    } else {
        read(code).map(Some)
    }
}

pub(super) async fn describe(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<DescribeAclsRequest>(frame)?;
    let body = &asked.body;
    let codes = Codes {
        resource_type: body.resource_type_filter,
        name: body.resource_name_filter.as_ref(),
        pattern: body.pattern_type_filter,
        principal: body.principal_filter.as_ref(),
        host: body.host_filter.as_ref(),
        operation: body.operation,
        permission: body.permission_type,
    };
    let reading = codes.read();
    if matches!(reading, Reading::Malformed) {
        return Ok(Treatment::Close(Cause::Malformed));
    }
    if judge.may(Operation::Describe, Resource::CLUSTER).is_none() {
        judge.record(asked.header.client_id.as_ref()).await;
        return asked.answer(&DescribeAclsResponse {
            error_code: DENIED.code(),
            error_message: Some(DENIED_TEXT.into()),
            ..Default::default()
        });
    }
    let policy = judge.core.ports.policy.current();
    let mut resources: BTreeMap<&ResourcePattern, Vec<AclDescription>> = BTreeMap::new();
    if let Reading::Filter(filter) = &reading {
        for rule in policy.find(filter) {
            resources
                .entry(&rule.definition.resource)
                .or_default()
                .push(description(&rule.definition));
        }
    }
    let resources = resources
        .into_iter()
        .map(|(pattern, acls)| DescribeAclsResource {
            resource_type: pattern.kind.code(),
            resource_name: Str::from(&*pattern.name),
            pattern_type: pattern.pattern.code(),
            acls,
            ..Default::default()
        });
    asked.answer(&DescribeAclsResponse {
        resources: resources.collect(),
        ..Default::default()
    })
}

fn description(rule: &RuleDefinition) -> AclDescription {
    AclDescription {
        principal: rule.subject.to_string().into(),
        host: Str::from(rule.host.as_str()),
        operation: rule.operation.code(),
        permission_type: rule.effect.code(),
        ..Default::default()
    }
}

pub(super) async fn create(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<CreateAclsRequest>(frame)?;
    let creations = &asked.body.creations;
    let codes = |one: &AclCreation| {
        [
            one.resource_type,
            one.resource_pattern_type,
            one.operation,
            one.permission_type,
        ]
    };
    if creations.iter().any(|one| codes(one).contains(&UNKNOWN)) {
        return Ok(Treatment::Close(Cause::Malformed));
    }
    let answer = |results: Vec<AclCreationResult>| {
        asked.answer(&CreateAclsResponse {
            results,
            ..Default::default()
        })
    };
    let same = |code: ErrorCode, text: Option<&'static str>| {
        let one = AclCreationResult {
            error_code: code.code(),
            error_message: text.map(Str::from_static),
            ..Default::default()
        };
        vec![one; creations.len()]
    };
    if judge.may(Operation::Alter, Resource::CLUSTER).is_none() {
        judge.record(asked.header.client_id.as_ref()).await;
        return answer(same(DENIED, Some(DENIED_TEXT)));
    }
    // Codes of filters in one entry fail them all.
    if creations
        .iter()
        .any(|one| codes(one).contains(&ANY) || one.resource_pattern_type == MATCH)
    {
        return answer(same(ErrorCode::UNKNOWN_SERVER_ERROR, None));
    }
    let read: Vec<Result<RuleDefinition, String>> = creations.iter().map(definition).collect();
    let good: Vec<RuleDefinition> = read
        .iter()
        .filter_map(|one| one.as_ref().ok().cloned())
        .collect();
    let stored = judge.core.ports.rules.add(good, &judge.requester()).await;
    let results = read.into_iter().map(|one| match (one, &stored) {
        (Err(why), _) => result(Err((ErrorCode::INVALID_REQUEST, why))),
        (Ok(_), Ok(_)) => result(Ok(())),
        (Ok(_), Err(error)) => result(Err((change_code(error), error.to_string()))),
    });
    answer(results.collect())
}

fn result(outcome: Result<(), (ErrorCode, String)>) -> AclCreationResult {
    match outcome {
        Ok(()) => AclCreationResult::default(),
        Err((code, text)) => AclCreationResult {
            error_code: code.code(),
            error_message: Some(text.into()),
            ..Default::default()
        },
    }
}

fn change_code(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::Unavailable(_) => ErrorCode::POLICY_VIOLATION,
        ChangeError::Invalid(_) | ChangeError::TooMany(_) => ErrorCode::INVALID_REQUEST,
        ChangeError::UnknownUser(_) | ChangeError::UnknownCredential(_) => {
            ErrorCode::RESOURCE_NOT_FOUND
        }
    }
}

fn definition(one: &AclCreation) -> Result<RuleDefinition, String> {
    let kind = ResourceType::from_code(one.resource_type).ok_or("Unknown resource type")?;
    if one.resource_name.is_empty() {
        return Err("Resource name should not be empty".to_owned());
    }
    if kind == ResourceType::Cluster && &*one.resource_name != CLUSTER_NAME {
        return Err(format!(
            "The only valid name for the CLUSTER resource is {CLUSTER_NAME}"
        ));
    }
    let pattern = match one.resource_pattern_type {
        3 => PatternType::Literal,
        4 => PatternType::Prefixed,
        _ => return Err("Unknown pattern type".to_owned()),
    };
    Ok(RuleDefinition {
        effect: Effect::from_code(one.permission_type).ok_or("Unknown permission type")?,
        subject: one
            .principal
            .parse()
            .map_err(|_| format!("Could not parse principal from `{}` (no colon is present separating the principal type from the principal name)", &*one.principal))?,
        host: HostPattern::parse(&one.host).map_err(|error| error.to_string())?,
        operation: Operation::from_code(one.operation).ok_or("Unknown operation")?,
        resource: ResourcePattern { kind, pattern, name: one.resource_name.as_str().into() },
    })
}

pub(super) async fn delete(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<DeleteAclsRequest>(frame)?;
    let readings: Vec<Reading> = asked.body.filters.iter().map(read_filter).collect();
    if readings
        .iter()
        .any(|reading| matches!(reading, Reading::Malformed))
    {
        return Ok(Treatment::Close(Cause::Malformed));
    }
    let answer = |filter_results: Vec<DeleteAclsFilterResult>| {
        asked.answer(&DeleteAclsResponse {
            filter_results,
            ..Default::default()
        })
    };
    if judge.may(Operation::Alter, Resource::CLUSTER).is_none() {
        judge.record(asked.header.client_id.as_ref()).await;
        return answer(
            readings
                .iter()
                .map(|_| failed(DENIED, DENIED_TEXT))
                .collect(),
        );
    }
    let filters: Vec<RuleFilter> = readings
        .iter()
        .filter_map(|reading| match reading {
            Reading::Filter(filter) => Some(RuleFilter::clone(filter)),
            _ => None,
        })
        .collect();
    let removed = judge
        .core
        .ports
        .rules
        .remove(filters, &judge.requester())
        .await;
    let mut removed = match removed {
        Ok(removed) => removed.into_iter(),
        Err(error) => {
            let text = error.to_string();
            return answer(
                readings
                    .iter()
                    .map(|_| failed(change_code(&error), &text))
                    .collect(),
            );
        }
    };
    let results = readings.iter().map(|reading| match reading {
        Reading::Filter(_) => DeleteAclsFilterResult {
            matching_acls: removed
                .next()
                .unwrap_or_default()
                .iter()
                .map(matching)
                .collect(),
            error_message: None,
            ..Default::default()
        },
        _ => failed(
            ErrorCode::INVALID_REQUEST,
            "Filter contains unknown elements.",
        ),
    });
    answer(results.collect())
}

fn read_filter(filter: &DeleteAclsFilter) -> Reading {
    Codes {
        resource_type: filter.resource_type_filter,
        name: filter.resource_name_filter.as_ref(),
        pattern: filter.pattern_type_filter,
        principal: filter.principal_filter.as_ref(),
        host: filter.host_filter.as_ref(),
        operation: filter.operation,
        permission: filter.permission_type,
    }
    .read()
}

fn failed(code: ErrorCode, text: &str) -> DeleteAclsFilterResult {
    DeleteAclsFilterResult {
        error_code: code.code(),
        error_message: Some(text.into()),
        ..Default::default()
    }
}

fn matching(rule: &Rule) -> DeleteAclsMatchingAcl {
    let definition = &rule.definition;
    DeleteAclsMatchingAcl {
        resource_type: definition.resource.kind.code(),
        resource_name: Str::from(&*definition.resource.name),
        pattern_type: definition.resource.pattern.code(),
        principal: definition.subject.to_string().into(),
        host: Str::from(definition.host.as_str()),
        operation: definition.operation.code(),
        permission_type: definition.effect.code(),
        error_message: None,
        ..Default::default()
    }
}
