//! "May do it on at least one resource of the type", step by step as `Authorizer.authorizeByResourceType` does it.

use super::Policy;
use crate::authorize::{Basis, Question};
use crate::host::Host;
use crate::operation::Operation;
use crate::principal::PrincipalName;
use crate::resource::{PatternType, Resource, ResourceType};
use crate::rule::{Effect, Rule};

/// The literal name that Kafka asks first.
const PROBE: &str = "hardcode";

pub fn decide(
    policy: &Policy,
    principal: &PrincipalName,
    host: &Host,
    operation: Operation,
    kind: ResourceType,
) -> (bool, Basis) {
    let probe = Question {
        principal,
        host,
        operation,
        resource: Resource { kind, name: PROBE },
    };
    if let (true, basis) = policy.decide(&probe) {
        return (true, basis);
    }
    // Implied operations do not count from here on.
    let applies = |rule: &&Rule| {
        let definition = &rule.definition;
        (definition.operation == operation || definition.operation == Operation::All)
            && definition.host.covers(host)
    };
    let rules: Vec<&Rule> = policy
        .index
        .of_type(principal, kind)
        .map(|at| &policy.rules[at])
        .filter(applies)
        .collect();
    let (denies, allows): (Vec<&Rule>, Vec<&Rule>) = rules
        .into_iter()
        .partition(|rule| rule.definition.effect == Effect::Deny);
    if let Some(deny) = denies
        .iter()
        .find(|rule| rule.definition.resource.is_wildcard())
    {
        return (false, Basis::Rule(deny.id));
    }
    match allows.iter().find(|allow| !is_dominated(allow, &denies)) {
        Some(allow) => (true, Basis::Rule(allow.id)),
        None => (
            false,
            denies
                .first()
                .map_or(Basis::Default, |deny| Basis::Rule(deny.id)),
        ),
    }
}

/// Whether denies cover everything that the allow could allow.
fn is_dominated(allow: &Rule, denies: &[&Rule]) -> bool {
    let allowed = &allow.definition.resource;
    if allowed.is_wildcard() {
        return false;
    }
    denies
        .iter()
        .map(|deny| &deny.definition.resource)
        .any(|denied| match denied.pattern {
            PatternType::Prefixed => allowed.name.starts_with(&*denied.name),
            PatternType::Literal => {
                allowed.pattern == PatternType::Literal && denied.name == allowed.name
            }
        })
}
