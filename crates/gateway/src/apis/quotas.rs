//! DescribeClientQuotas: answered here, since brokers behind a gateway know one user only. No quotas are kept yet, so
//! nothing is ever found; `kafka-configs.sh --describe --entity-type users` asks before it asks for credentials.
//! AlterClientQuotas is not offered.

use std::collections::HashSet;

use bytes::Bytes;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;
use wire::error::ErrorCode;
use wire::message::describe_client_quotas_request::ComponentData;
use wire::message::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};
use wire::text::Str;

use super::judge::Judge;
use super::{Treatment, decode};
use crate::cause::Cause;

const EXACT: i8 = 0;
const ANY: i8 = 2;

type Refusal = (ErrorCode, &'static str);

pub(super) async fn describe(mut judge: Judge<'_>, frame: Bytes) -> Result<Treatment, Cause> {
    let asked = decode::<DescribeClientQuotasRequest>(frame)?;
    let may = judge.may(Operation::DescribeConfigs, Resource::CLUSTER);
    judge.record(asked.header.client_id.as_ref()).await;
    if may.is_none() {
        return asked.answer(&DescribeClientQuotasResponse {
            error_code: ErrorCode::CLUSTER_AUTHORIZATION_FAILED.code(),
            error_message: None,
            entries: None,
            ..Default::default()
        });
    }
    let (error_code, error_message, entries) = match check(&asked.body.components) {
        // Kafka leaves an empty text, and no null.
        Ok(()) => (ErrorCode::NONE, Some(Str::EMPTY), Some(Vec::new())),
        Err((code, words)) => (code, Some(Str::from_static(words)), None),
    };
    asked.answer(&DescribeClientQuotasResponse {
        error_code: error_code.code(),
        error_message,
        entries,
        ..Default::default()
    })
}

/// The checks of Kafka's `ClientQuotaCache.describeClientQuotas`.
fn check(components: &[ComponentData]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for component in components {
        let kind = &*component.entity_type;
        if kind.is_empty() {
            return Err((ErrorCode::INVALID_REQUEST, "Unexpected empty entity type."));
        }
        if !["user", "client-id", "ip"].contains(&kind) {
            return Err((ErrorCode::UNSUPPORTED_VERSION, "Unknown entity type."));
        }
        if !seen.insert(kind) {
            return Err((ErrorCode::INVALID_REQUEST, "An entity type is named twice."));
        }
        if !(EXACT..=ANY).contains(&component.match_type) {
            return Err((ErrorCode::INVALID_REQUEST, "Unknown match type."));
        }
        if (component.match_type == EXACT) != component.r#match.is_some() {
            return Err((
                ErrorCode::INVALID_REQUEST,
                "An exact match needs a name, and no other match has one.",
            ));
        }
    }
    if seen.contains("ip") && seen.len() > 1 {
        return Err((
            ErrorCode::INVALID_REQUEST,
            "ip does not go with user or client-id.",
        ));
    }
    Ok(())
}
