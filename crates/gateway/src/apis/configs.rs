//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, DescribeLogDirs.

use std::collections::HashMap;

use bytes::Bytes;
use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::message::describe_configs_request::DescribeConfigsResource;
use wire::message::describe_configs_response::DescribeConfigsResult;
use wire::message::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    DescribeLogDirsRequest, DescribeLogDirsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use wire::text::Str;

use super::changes::{self, Change, NOTHING, UNRECORDED, UNRECORDED_TEXT};
use super::judge::{Judge, collect};
use super::merge::once;
use super::{PLAIN, Treatment, decode};
use crate::cause::Cause;

/// Of events in the trail.
const KIND: &str = "admin.config";

/// `org.apache.kafka.common.config.ConfigResource.Type`
mod kind {
    pub const TOPIC: i8 = 2;
    pub const BROKER: i8 = 4;
    pub const BROKER_LOGGER: i8 = 8;
    pub const CLIENT_METRICS: i8 = 16;
    pub const GROUP: i8 = 32;
    pub const ALL: [i8; 5] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];
}

/// Asks for the right on a config resource. A type that nobody knows is not asked for upstream.
fn may(
    judge: &mut Judge<'_>,
    operation: Operation,
    kind: i8,
    name: &str,
) -> Result<Permit, ErrorCode> {
    let (resource, code) = match kind {
        kind::TOPIC => (Resource::topic(name), ErrorCode::TOPIC_AUTHORIZATION_FAILED),
        kind::GROUP => (Resource::group(name), ErrorCode::GROUP_AUTHORIZATION_FAILED),
        kind::BROKER | kind::BROKER_LOGGER | kind::CLIENT_METRICS => {
            (Resource::CLUSTER, ErrorCode::CLUSTER_AUTHORIZATION_FAILED)
        }
        _ => return Err(ErrorCode::INVALID_REQUEST),
    };
    judge.may(operation, resource).ok_or(code)
}

/// Settings of a Kafka node reach its listeners and its authorizer: whoever may change them is past every rule here.
fn may_alter(judge: &mut Judge<'_>, kind: i8, name: &str) -> Result<Permit, ErrorCode> {
    let permit = may(judge, Operation::AlterConfigs, kind, name)?;
    let is_of_nodes = !matches!(kind, kind::TOPIC | kind::GROUP);
    if is_of_nodes && !judge.core.upstream_settings_are_harmless() {
        return Err(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
    }
    Ok(permit)
}

fn message(code: ErrorCode) -> Option<Str> {
    Some(Str::from_static(match code {
        ErrorCode::TOPIC_AUTHORIZATION_FAILED => "Topic authorization failed.",
        ErrorCode::GROUP_AUTHORIZATION_FAILED => "Group authorization failed.",
        ErrorCode::INVALID_REQUEST => "Unsupported resource type.",
        _ => "Cluster authorization failed.",
    }))
}

pub(super) async fn describe(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let mut asked = decode::<DescribeConfigsRequest>(frame)?;
    // One type that nobody knows, and none of them is described.
    let mut kinds = asked.body.resources.iter().map(|one| one.resource_type);
    if kinds.any(|kind| !kind::ALL.contains(&kind)) {
        let code = ErrorCode::INVALID_REQUEST;
        let resources = std::mem::take(&mut asked.body.resources).into_iter();
        let results = resources.map(|one| not_described(one, code));
        return asked.answer(&DescribeConfigsResponse {
            results: results.collect(),
            ..Default::default()
        });
    }
    let mut permit = None;
    let (mut allowed, mut refused) = (Vec::new(), Vec::new());
    once(&mut asked.body.resources, all_of_it);
    for resource in std::mem::take(&mut asked.body.resources) {
        let verdict = may(
            &mut judge,
            Operation::DescribeConfigs,
            resource.resource_type,
            &resource.resource_name,
        );
        match verdict {
            Ok(one) => {
                collect(&mut permit, Some(one));
                allowed.push(resource);
            }
            Err(code) => refused.push(not_described(resource, code)),
        }
    }
    judge.record(asked.header.client_id.as_ref()).await;
    asked.body.resources = allowed;
    let permit = permit.or_else(|| refused.is_empty().then(Permit::unprotected));
    match permit {
        Some(permit) => asked.forward_and(permit, PLAIN, move |response| {
            response.results.extend(refused)
        }),
        None => asked.answer(&DescribeConfigsResponse {
            results: refused,
            ..Default::default()
        }),
    }
}

fn not_described(resource: DescribeConfigsResource, code: ErrorCode) -> DescribeConfigsResult {
    DescribeConfigsResult {
        error_code: code.code(),
        error_message: message(code),
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        ..Default::default()
    }
}

/// What a resource is if all its settings are asked for.
fn all_of_it(asked: &DescribeConfigsResource) -> Option<(i8, Str)> {
    let keys = asked.configuration_keys.as_ref();
    let is_all = keys.is_none_or(Vec::is_empty);
    is_all.then(|| (asked.resource_type, asked.resource_name.clone()))
}

macro_rules! not_altered {
    ($result:path, $kind:expr, $name:expr, $code:expr, $text:expr) => {{
        let mut result = <$result>::default();
        result.error_code = $code.code();
        result.error_message = $text;
        result.resource_type = $kind;
        result.resource_name = $name;
        result
    }};
}

macro_rules! alter {
    ($name:ident, $request:ty, $response:ty, $result:path) => {
        pub(super) async fn $name(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
            let mut asked = decode::<$request>(frame)?;
            let mut permit = None;
            let (mut allowed, mut refused) = (Vec::new(), Vec::new());
            let mut order = HashMap::new();
            for resource in std::mem::take(&mut asked.body.resources) {
                let place = order.len();
                order
                    .entry((resource.resource_type, resource.resource_name.clone()))
                    .or_insert(place);
                let (kind, name) = (resource.resource_type, resource.resource_name.clone());
                match may_alter(&mut judge, kind, &name) {
                    Ok(one) => {
                        collect(&mut permit, Some(one));
                        allowed.push(resource);
                    }
                    Err(code) => {
                        refused.push(not_altered!($result, kind, name, code, message(code)))
                    }
                }
            }
            let client_id = asked.header.client_id.clone();
            judge.record(client_id.as_ref()).await;
            let altered = allowed.iter().filter(|_| !asked.body.validate_only);
            let altered = altered.map(|resource| Change {
                on: resource_of(resource.resource_type, &resource.resource_name),
                after: keys(resource.configs.iter().map(|config| &config.name)),
            });
            let operation = Operation::AlterConfigs;
            let announced =
                changes::announce(&judge, client_id.as_ref(), KIND, operation, altered).await;
            let announced = announced.unwrap_or_else(|_| {
                refused.extend(allowed.drain(..).map(|resource| {
                    let (kind, name) = (resource.resource_type, resource.resource_name);
                    not_altered!($result, kind, name, UNRECORDED, Some(UNRECORDED_TEXT))
                }));
                NOTHING
            });
            let permit = permit.filter(|_| !allowed.is_empty());
            let permit = permit.or_else(|| refused.is_empty().then(Permit::unprotected));
            asked.body.resources = allowed;
            match permit {
                Some(permit) => asked.forward_and(permit, PLAIN, move |response| {
                    announced.done(response.responses.iter().map(|one| one.error_code));
                    response.responses.extend(refused);
                    response.responses.sort_by_key(|one| {
                        let key = (one.resource_type, one.resource_name.clone());
                        order.get(&key).copied()
                    });
                }),
                None => asked.answer(&<$response>::from_refused(refused)),
            }
        }
    };
}

/// Names of settings, for the trail: values may be secret.
fn keys<'a>(names: impl Iterator<Item = &'a Str>) -> String {
    names.map(|name| &**name).collect::<Vec<_>>().join(", ")
}

/// What the trail calls a config resource.
fn resource_of(kind: i8, name: &str) -> Resource<'_> {
    match kind {
        kind::TOPIC => Resource::topic(name),
        kind::GROUP => Resource::group(name),
        _ => Resource::CLUSTER,
    }
}

/// An answer that holds refusals only.
trait FromRefused<T> {
    fn from_refused(refused: Vec<T>) -> Self;
}

impl FromRefused<wire::message::alter_configs_response::AlterConfigsResourceResponse>
    for AlterConfigsResponse
{
    fn from_refused(
        responses: Vec<wire::message::alter_configs_response::AlterConfigsResourceResponse>,
    ) -> Self {
        Self {
            responses,
            ..Default::default()
        }
    }
}

impl FromRefused<wire::message::incremental_alter_configs_response::AlterConfigsResourceResponse>
    for IncrementalAlterConfigsResponse
{
    fn from_refused(
        responses: Vec<
            wire::message::incremental_alter_configs_response::AlterConfigsResourceResponse,
        >,
    ) -> Self {
        Self {
            responses,
            ..Default::default()
        }
    }
}

alter!(
    alter,
    AlterConfigsRequest,
    AlterConfigsResponse,
    wire::message::alter_configs_response::AlterConfigsResourceResponse
);
alter!(
    alter_incrementally,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
    wire::message::incremental_alter_configs_response::AlterConfigsResourceResponse
);

pub(super) async fn log_dirs(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<DescribeLogDirsRequest>(frame)?;
    let permit = judge.may(Operation::Describe, Resource::CLUSTER);
    judge.record(asked.header.client_id.as_ref()).await;
    match permit {
        Some(permit) => asked.forward(permit, PLAIN),
        // Before version 3 there is no place for an error.
        None if asked.header.api_version < 3 => asked.answer(&DescribeLogDirsResponse::default()),
        None => asked.answer(&DescribeLogDirsResponse {
            error_code: ErrorCode::CLUSTER_AUTHORIZATION_FAILED.code(),
            ..Default::default()
        }),
    }
}
