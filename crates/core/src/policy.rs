//! A compiled, immutable snapshot of all rules.
//!
//! In: rules and super users. Out: decisions, listings. Swapped whole; never changed in place.

use std::collections::BTreeSet;

use crate::authorize::{Basis, Question};
use crate::filter::RuleFilter;
use crate::host::Host;
use crate::operation::Operation;
use crate::principal::PrincipalName;
use crate::resource::ResourceType;
use crate::rule::Rule;

/// Rises with every change of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PolicyEpoch(pub u64);

#[derive(Debug, Default)]
pub struct Policy {
    epoch: PolicyEpoch,
    super_users: BTreeSet<PrincipalName>,
    rules: Vec<Rule>,
}

impl Policy {
    /// Compiles rules. Super users come from the configuration file only.
    pub fn compile(
        epoch: PolicyEpoch,
        super_users: BTreeSet<PrincipalName>,
        rules: Vec<Rule>,
    ) -> Self {
        Self {
            epoch,
            super_users,
            rules,
        }
    }

    pub fn epoch(&self) -> PolicyEpoch {
        self.epoch
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
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

    pub(crate) fn decide(&self, _question: &Question<'_>) -> (bool, Basis) {
        (false, Basis::Default)
    }

    pub(crate) fn decide_any(
        &self,
        _principal: &PrincipalName,
        _host: &Host,
        _operation: Operation,
        _kind: ResourceType,
    ) -> (bool, Basis) {
        (false, Basis::Default)
    }
}
