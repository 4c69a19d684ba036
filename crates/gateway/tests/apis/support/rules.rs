//! The policy, in memory: rules that a test sets, or that clients change.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use kastellan_core::filter::RuleFilter;
use kastellan_core::host::HostPattern;
use kastellan_core::policy::{Policy, PolicyEpoch};
use kastellan_core::ports::{ChangeError, Pending, PolicySource, Requester, RuleStore};
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::ResourcePattern;
use kastellan_core::rule::{Effect, Rule, RuleDefinition, RuleId};

use super::ME;

/// Rules that a test sets, or that clients change.
#[derive(Default)]
pub struct Rules {
    policy: Mutex<Arc<Policy>>,
}

/// Reads `allow Read topic:a`.
pub fn rule(line: &str) -> RuleDefinition {
    let words: Vec<&str> = line.split(' ').collect();
    RuleDefinition {
        effect: if words[0] == "deny" {
            Effect::Deny
        } else {
            Effect::Allow
        },
        subject: PrincipalName::user(ME),
        host: HostPattern::Any,
        operation: words[1].parse().unwrap(),
        resource: ResourcePattern::parse(words[2]).unwrap(),
    }
}

impl Rules {
    /// Replaces all rules.
    pub fn set(&self, lines: &[&str]) {
        self.put(
            lines.iter().map(|line| rule(line)).collect(),
            BTreeSet::new(),
        );
    }

    /// Everything is allowed.
    pub fn allow_all(&self) {
        self.put(Vec::new(), BTreeSet::from([PrincipalName::user(ME)]));
    }

    pub fn definitions(&self) -> Vec<RuleDefinition> {
        self.current()
            .rules()
            .iter()
            .map(|rule| rule.definition.clone())
            .collect()
    }

    fn put(&self, definitions: Vec<RuleDefinition>, super_users: BTreeSet<PrincipalName>) {
        let rules = (1..)
            .zip(definitions)
            .map(|(id, definition)| Rule {
                id: RuleId(id),
                definition,
            })
            .collect();
        let mut policy = self.policy.lock().unwrap();
        *policy = Arc::new(Policy::compile(
            PolicyEpoch(policy.epoch().0 + 1),
            super_users,
            rules,
        ));
    }
}

impl PolicySource for Rules {
    fn current(&self) -> Arc<Policy> {
        self.policy.lock().unwrap().clone()
    }
}

impl RuleStore for Rules {
    fn add<'a>(
        &'a self,
        rules: Vec<RuleDefinition>,
        _by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Rule>, ChangeError>> {
        Box::pin(async move {
            let mut all = self.definitions();
            for definition in &rules {
                if !all.contains(definition) {
                    all.push(definition.clone());
                }
            }
            let super_users = self.current().super_users().clone();
            self.put(all, super_users);
            Ok(self
                .current()
                .rules()
                .iter()
                .filter(|rule| rules.contains(&rule.definition))
                .cloned()
                .collect())
        })
    }

    fn remove<'a>(
        &'a self,
        filters: Vec<RuleFilter>,
        _by: &'a Requester,
    ) -> Pending<'a, Result<Vec<Vec<Rule>>, ChangeError>> {
        Box::pin(async move {
            let policy = self.current();
            let found: Vec<Vec<Rule>> = filters
                .iter()
                .map(|filter| policy.find(filter).cloned().collect())
                .collect();
            let gone: BTreeSet<RuleId> = found.iter().flatten().map(|rule| rule.id).collect();
            let left = policy.rules().iter();
            let left = left.filter(|rule| !gone.contains(&rule.id));
            let left = left.map(|rule| rule.definition.clone()).collect();
            self.put(left, policy.super_users().clone());
            Ok(found)
        })
    }
}
