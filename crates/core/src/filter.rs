//! Kafka's ACL filters: which rules a Describe or Delete names (`ResourcePatternFilter`, `AccessControlEntryFilter`).

use std::sync::Arc;

use crate::operation::Operation;
use crate::resource::{PatternType, Resource, ResourceType};
use crate::rule::{Effect, RuleDefinition};

/// How the filter's name is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternFilter {
    /// Any pattern type, the name textually equal.
    Any,
    /// Patterns that would match the name.
    Match,
    /// That pattern type, the name textually equal.
    Is(PatternType),
}

/// Absent fields find everything.
#[derive(Clone, Debug)]
pub struct RuleFilter {
    pub kind: Option<ResourceType>,
    pub name: Option<Arc<str>>,
    pub pattern: PatternFilter,
    pub principal: Option<Arc<str>>,
    pub host: Option<Arc<str>>,
    pub operation: Option<Operation>,
    pub effect: Option<Effect>,
}

impl RuleFilter {
    /// Finds every rule.
    pub const EVERYTHING: Self = Self {
        kind: None,
        name: None,
        pattern: PatternFilter::Any,
        principal: None,
        host: None,
        operation: None,
        effect: None,
    };

    pub fn finds(&self, rule: &RuleDefinition) -> bool {
        self.kind.is_none_or(|kind| kind == rule.resource.kind)
            && self.finds_name(rule)
            && self.principal.as_deref().is_none_or(|text| {
                text.split_once(':') == Some((rule.subject.kind(), rule.subject.name()))
            })
            && self
                .host
                .as_deref()
                .is_none_or(|text| text == rule.host.as_str())
            && self
                .operation
                .is_none_or(|operation| operation == rule.operation)
            && self.effect.is_none_or(|effect| effect == rule.effect)
    }

    fn finds_name(&self, rule: &RuleDefinition) -> bool {
        let equal = |name: &str| *name == *rule.resource.name;
        match (self.pattern, self.name.as_deref()) {
            (PatternFilter::Any | PatternFilter::Match, None) => true,
            (PatternFilter::Any, Some(name)) => equal(name),
            (PatternFilter::Match, Some(name)) => rule.resource.covers(Resource {
                kind: rule.resource.kind,
                name,
            }),
            (PatternFilter::Is(pattern), name) => {
                pattern == rule.resource.pattern && name.is_none_or(equal)
            }
        }
    }
}
