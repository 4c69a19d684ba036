//! `/v1/rules` and `/v1/explain`

use axum::Json;
use axum::extract::State;
use kastellan_core::authorize::Question;
use kastellan_core::explain;
use kastellan_core::host::{Host, HostPattern};
use kastellan_core::operation::Operation;
use kastellan_core::ports::{PolicySource, RuleStore};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{Resource, ResourcePattern};
use kastellan_core::rule::{self, Effect, RuleDefinition, RuleId};

use super::{Refused, Shared, owner, store};
use crate::admin::api::{
    AddRules, ExplainQuestion, Explanation, NearMiss, RemoveRules, Rule, RuleText,
};

pub async fn list(State(server): State<Shared>) -> Json<Vec<Rule>> {
    let policy = PolicySource::current(store(&server));
    Json(policy.rules().iter().map(show_rule).collect())
}

pub async fn add(
    State(server): State<Shared>,
    Json(wanted): Json<AddRules>,
) -> Result<Json<Vec<Rule>>, Refused> {
    let definitions: Result<Vec<RuleDefinition>, Refused> =
        wanted.rules.iter().map(read_rule).collect();
    let added = store(&server).add(definitions?, &owner()).await?;
    Ok(Json(added.iter().map(show_rule).collect()))
}

pub async fn remove(
    State(server): State<Shared>,
    Json(wanted): Json<RemoveRules>,
) -> Result<Json<Vec<Rule>>, Refused> {
    let ids: Vec<RuleId> = wanted.ids.into_iter().map(RuleId).collect();
    let removed = store(&server).remove_rules(&ids, &owner()).await?;
    Ok(Json(removed.iter().map(show_rule).collect()))
}

pub async fn explain(
    State(server): State<Shared>,
    Json(asked): Json<ExplainQuestion>,
) -> Result<Json<Explanation>, Refused> {
    let bad = |error: &dyn std::fmt::Display| Refused::bad(error, None);
    let principal: PrincipalName = asked.principal.parse().map_err(|error| bad(&error))?;
    let operation: Operation = asked.operation.parse().map_err(|error| bad(&error))?;
    let resource = Resource::parse(&asked.resource).map_err(|error| bad(&error))?;
    let host = Host::new(asked.host.parse().map_err(|error| bad(&error))?);
    let policy = PolicySource::current(store(&server));
    let told = explain::explain(
        &policy,
        &Question {
            principal: &principal,
            host: &host,
            operation,
            resource,
        },
    );
    Ok(Json(Explanation {
        allowed: told.allowed,
        basis: told.basis.to_string(),
        rule: told.rule.as_ref().map(show_rule),
        near: told
            .near
            .iter()
            .map(|near| NearMiss {
                rule: show_rule(&near.rule),
                why: near.why.text().to_owned(),
            })
            .collect(),
        next: told.next,
    }))
}

fn read_rule(text: &RuleText) -> Result<RuleDefinition, Refused> {
    let bad = |error: &dyn std::fmt::Display| Refused::bad(error, None);
    Ok(RuleDefinition {
        effect: match text.effect.as_str() {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            other => {
                return Err(Refused::bad(
                    format!("{other:?} is neither allow nor deny"),
                    None,
                ));
            }
        },
        subject: text.principal.parse().map_err(|error| bad(&error))?,
        host: HostPattern::parse(&text.host).map_err(|error| bad(&error))?,
        operation: text.operation.parse().map_err(|error| bad(&error))?,
        resource: ResourcePattern::parse(&text.resource).map_err(|error| bad(&error))?,
    })
}

fn show_rule(rule: &rule::Rule) -> Rule {
    let definition = &rule.definition;
    Rule {
        id: rule.id.0,
        rule: RuleText {
            effect: definition.effect.to_string(),
            principal: definition.subject.to_string(),
            operation: definition.operation.name().to_owned(),
            resource: definition.resource.to_string(),
            host: definition.host.to_string(),
        },
    }
}
