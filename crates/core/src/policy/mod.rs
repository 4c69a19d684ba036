//! A compiled, immutable snapshot of all rules.
//!
//! In: rules and super users. Out: decisions and listings. Swapped whole; never changed in place. A decision looks at
//! the principal's rules and at everybody's: one hash look-up for the literal name, one search among sorted prefixes.

mod index;
mod resource_any;

use std::collections::BTreeSet;

use crate::authorize::{Basis, Question};
use crate::filter::RuleFilter;
use crate::host::Host;
use crate::operation::Operation;
use crate::principal::PrincipalName;
use crate::resource::ResourceType;
use crate::rule::{Effect, Rule, RuleId};
use index::Index;

/// Rises with every change of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PolicyEpoch(pub u64);

/// All rules, ready to decide. The default allows nothing.
#[derive(Debug, Default)]
pub struct Policy {
    epoch: PolicyEpoch,
    super_users: BTreeSet<PrincipalName>,
    rules: Vec<Rule>,
    index: Index,
}

impl Policy {
    /// Compiles rules. Super users come from the configuration file only.
    pub fn compile(
        epoch: PolicyEpoch,
        super_users: BTreeSet<PrincipalName>,
        rules: Vec<Rule>,
    ) -> Self {
        let index = Index::build(&rules);
        Self {
            epoch,
            super_users,
            rules,
            index,
        }
    }

    pub fn epoch(&self) -> PolicyEpoch {
        self.epoch
    }

    /// Every rule, in the order of their numbers if that is how they were given.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    pub fn super_users(&self) -> &BTreeSet<PrincipalName> {
        &self.super_users
    }

    /// The rules that a Kafka ACL filter finds.
    pub fn find<'a>(&'a self, filter: &'a RuleFilter) -> impl Iterator<Item = &'a Rule> + 'a {
        self.rules
            .iter()
            .filter(|rule| filter.finds(&rule.definition))
    }

    /// Super user, then any deny, then any allow, else no.
    pub(crate) fn decide(&self, question: &Question<'_>) -> (bool, Basis) {
        if self.super_users.contains(question.principal) {
            return (true, Basis::SuperUser);
        }
        let mut allowed = None;
        for rule in self
            .index
            .candidates(question.principal, question.resource)
            .map(|at| &self.rules[at])
        {
            let definition = &rule.definition;
            if !definition.host.covers(question.host) {
                continue;
            }
            match definition.effect {
                Effect::Deny if definition.operation.denies(question.operation) => {
                    return (false, Basis::Rule(rule.id));
                }
                Effect::Allow
                    if allowed.is_none() && definition.operation.allows(question.operation) =>
                {
                    allowed = Some(rule.id);
                }
                _ => {}
            }
        }
        match allowed {
            Some(id) => (true, Basis::Rule(id)),
            None => (false, Basis::Default),
        }
    }

    /// Kafka's `authorizeByResourceType`: whether the operation is allowed on at least one name.
    pub(crate) fn decide_any(
        &self,
        principal: &PrincipalName,
        host: &Host,
        operation: Operation,
        kind: ResourceType,
    ) -> (bool, Basis) {
        resource_any::decide(self, principal, host, operation, kind)
    }
}

#[cfg(test)]
mod tests;
