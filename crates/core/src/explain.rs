//! A decision with its reasons, for people.
//!
//! In: a policy and one question. Out: what decided, which rules came near, and what to do next. Decides nothing
//! itself: the verdict is [`crate::authorize::authorize`]'s.

use crate::authorize::{Basis, Question, authorize};
use crate::policy::Policy;
use crate::resource::PatternType;
use crate::rule::{Effect, Rule, RuleId};

/// Near misses named at most.
const NEAR_MAX: usize = 5;

#[derive(Debug)]
pub struct Explanation {
    pub allowed: bool,
    pub basis: Basis,
    pub rule: Option<Rule>,
    /// Rules that would have decided otherwise but for one thing.
    pub near: Vec<NearMiss>,
    pub next: Option<String>,
}

#[derive(Debug)]
pub struct NearMiss {
    pub rule: Rule,
    pub why: Near,
}

/// The one thing that keeps a rule from allowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// It allows this, but a deny wins.
    Overruled,
    OtherOperation,
    OtherHost,
    OtherName,
}

impl Near {
    pub fn text(self) -> &'static str {
        match self {
            Self::Overruled => "allows it, but a deny rule wins",
            Self::OtherOperation => "another operation",
            Self::OtherHost => "another host",
            Self::OtherName => "a name close to this one",
        }
    }
}

pub fn explain(policy: &Policy, question: &Question<'_>) -> Explanation {
    let (allowed, basis) = match authorize(policy, question) {
        Ok(permit) => (true, permit.basis()),
        Err(refusal) => (false, refusal.basis()),
    };
    let rule = match basis {
        Basis::Rule(id) => policy.rule(id).cloned(),
        _ => None,
    };
    let near = if allowed {
        Vec::new()
    } else {
        near_misses(policy, question)
    };
    let next = if allowed {
        None
    } else {
        Some(next_step(basis, question))
    };
    Explanation {
        allowed,
        basis,
        rule,
        near,
        next,
    }
}

fn next_step(basis: Basis, question: &Question<'_>) -> String {
    let Question {
        principal,
        operation,
        resource,
        ..
    } = question;
    match basis {
        Basis::Rule(RuleId(id)) => format!("kastellan rule remove {id}"),
        _ => format!("kastellan rule add allow {principal} {operation} {resource}"),
    }
}

fn near_misses(policy: &Policy, question: &Question<'_>) -> Vec<NearMiss> {
    let allows = policy
        .rules()
        .iter()
        .filter(|rule| rule.definition.effect == Effect::Allow);
    let mut near: Vec<NearMiss> = allows
        .filter_map(|rule| {
            Some(NearMiss {
                why: nearness(rule, question)?,
                rule: rule.clone(),
            })
        })
        .collect();
    near.sort_by_key(|miss| (miss.why as u8, miss.rule.id));
    near.truncate(NEAR_MAX);
    near
}

/// What is wrong with an allow rule, if it is one thing only.
fn nearness(rule: &Rule, question: &Question<'_>) -> Option<Near> {
    let definition = &rule.definition;
    if definition.resource.kind != question.resource.kind {
        return None;
    }
    let subject = definition.subject == *question.principal || definition.subject.is_everyone();
    let name = definition.resource.covers(question.resource);
    let operation = definition.operation.allows(question.operation);
    let host = definition.host.covers(question.host);
    match (subject, name, operation, host) {
        (true, true, true, true) => Some(Near::Overruled),
        (true, true, false, true) => Some(Near::OtherOperation),
        (true, true, true, false) => Some(Near::OtherHost),
        (true, false, true, true) if is_close(rule, question.resource.name) => {
            Some(Near::OtherName)
        }
        _ => None,
    }
}

/// One character off, only the case differs, or a prefix was meant.
fn is_close(rule: &Rule, name: &str) -> bool {
    let pattern = &*rule.definition.resource.name;
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    match rule.definition.resource.pattern {
        PatternType::Literal => {
            name.starts_with(pattern) || pattern.starts_with(name) || differs_in_one(pattern, name)
        }
        PatternType::Prefixed => {
            let head: String = name.chars().take(pattern.chars().count()).collect();
            pattern.starts_with(name) || differs_in_one(pattern, &head)
        }
    }
}

/// One character changed, left out or added.
fn differs_in_one(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    a.len().max(b.len()).saturating_sub(front + back) <= 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::host::{Host, HostPattern};
    use crate::operation::Operation;
    use crate::policy::PolicyEpoch;
    use crate::principal::PrincipalName;
    use crate::resource::{Resource, ResourcePattern};
    use crate::rule::RuleDefinition;

    fn policy(rules: &[(Effect, &str, Operation, &str)]) -> Policy {
        let rules = rules
            .iter()
            .enumerate()
            .map(|(at, (effect, subject, operation, resource))| Rule {
                id: RuleId(at as i64 + 1),
                definition: RuleDefinition {
                    effect: *effect,
                    subject: PrincipalName::user(subject),
                    host: HostPattern::Any,
                    operation: *operation,
                    resource: ResourcePattern::parse(resource).unwrap(),
                },
            });
        Policy::compile(PolicyEpoch(1), BTreeSet::new(), rules.collect())
    }

    fn ask(policy: &Policy, operation: Operation, topic: &str) -> Explanation {
        let principal = PrincipalName::user("alice");
        let host = Host::new("127.0.0.1".parse().unwrap());
        explain(
            policy,
            &Question {
                principal: &principal,
                host: &host,
                operation,
                resource: Resource::topic(topic),
            },
        )
    }

    #[test]
    fn names_the_rule_that_allows_and_the_step_that_would() {
        let policy = policy(&[(Effect::Allow, "alice", Operation::Read, "topic:orders")]);
        let yes = ask(&policy, Operation::Read, "orders");
        assert_eq!((yes.allowed, yes.basis), (true, Basis::Rule(RuleId(1))));
        let no = ask(&policy, Operation::Write, "orders");
        assert_eq!(no.near[0].why, Near::OtherOperation);
        assert_eq!(
            no.next.as_deref(),
            Some("kastellan rule add allow User:alice Write topic:orders")
        );
    }

    #[test]
    fn names_the_deny_that_wins_over_an_allow() {
        let policy = policy(&[
            (Effect::Allow, "alice", Operation::Read, "topic:*"),
            (Effect::Deny, "*", Operation::Read, "topic:orders"),
        ]);
        let no = ask(&policy, Operation::Read, "orders");
        assert_eq!((no.allowed, no.basis), (false, Basis::Rule(RuleId(2))));
        assert_eq!(no.near[0].why, Near::Overruled);
        assert_eq!(no.next.as_deref(), Some("kastellan rule remove 2"));
    }

    #[test]
    fn finds_a_name_that_is_one_character_off() {
        let policy = policy(&[(Effect::Allow, "alice", Operation::Read, "topic:order")]);
        assert_eq!(
            ask(&policy, Operation::Read, "orders").near[0].why,
            Near::OtherName
        );
        assert!(ask(&policy, Operation::Read, "payments").near.is_empty());
    }
}
