use super::*;
use crate::authorize::{Permit, Refusal, authorize, authorize_any, authorized_operations};
use crate::host::HostPattern;
use crate::resource::{PatternType, Resource, ResourcePattern};
use crate::rule::RuleDefinition;

fn host(text: &str) -> Host {
    Host::new(text.parse().unwrap())
}

fn definition(
    effect: Effect,
    subject: &str,
    operation: Operation,
    resource: &str,
) -> RuleDefinition {
    RuleDefinition {
        effect,
        subject: PrincipalName::user(subject),
        host: HostPattern::Any,
        operation,
        resource: ResourcePattern::parse(resource).unwrap(),
    }
}

fn policy(definitions: Vec<RuleDefinition>) -> Policy {
    let rules = definitions
        .into_iter()
        .enumerate()
        .map(|(at, definition)| Rule {
            id: RuleId(at as i64 + 1),
            definition,
        })
        .collect();
    Policy::compile(
        PolicyEpoch(1),
        BTreeSet::from([PrincipalName::user("root")]),
        rules,
    )
}

fn ask(
    policy: &Policy,
    user: &str,
    operation: Operation,
    resource: &str,
) -> Result<Permit, Refusal> {
    let principal = PrincipalName::user(user);
    let resource = Resource::parse(resource).unwrap();
    authorize(
        policy,
        &Question {
            principal: &principal,
            host: &host("10.0.0.5"),
            operation,
            resource,
        },
    )
}

use Effect::{Allow, Deny};
use Operation::*;

#[test]
fn nothing_is_allowed_without_a_rule() {
    let policy = policy(Vec::new());
    assert_eq!(
        ask(&policy, "alice", Read, "topic:a").unwrap_err().basis(),
        Basis::Default
    );
    assert_eq!(
        ask(&policy, "root", Read, "topic:a").unwrap().basis(),
        Basis::SuperUser
    );
}

#[test]
fn deny_on_one_name_beats_allow_on_its_prefix_and_leaves_describe() {
    let policy = policy(vec![
        definition(Allow, "u", Read, "topic:a*"),
        definition(Deny, "u", Read, "topic:ab"),
    ]);
    assert!(ask(&policy, "u", Read, "topic:ab").is_err());
    assert!(ask(&policy, "u", Read, "topic:ac").is_ok());
    assert!(ask(&policy, "u", Describe, "topic:ab").is_ok());
}

#[test]
fn super_user_is_above_a_deny_for_everybody() {
    let policy = policy(vec![definition(Deny, "*", All, "topic:*")]);
    assert!(ask(&policy, "root", Read, "topic:a").is_ok());
    assert!(ask(&policy, "alice", Read, "topic:a").is_err());
}

#[test]
fn alter_configs_implies_describe_configs_and_not_describe() {
    let policy = policy(vec![definition(Allow, "u", AlterConfigs, "topic:a")]);
    assert!(ask(&policy, "u", DescribeConfigs, "topic:a").is_ok());
    assert!(ask(&policy, "u", Describe, "topic:a").is_err());
}

#[test]
fn principal_with_star_is_literal() {
    let policy = policy(vec![definition(Allow, "a*", Read, "topic:t")]);
    assert!(ask(&policy, "a*", Read, "topic:t").is_ok());
    assert!(ask(&policy, "ab", Read, "topic:t").is_err());
}

#[test]
fn group_wildcard_covers_a_name_that_begins_with_a_star() {
    let policy = policy(vec![definition(Allow, "u", Read, "group:*")]);
    assert!(ask(&policy, "u", Read, "group:*x").is_ok());
}

#[test]
fn host_is_compared_as_text() {
    let mut rule = definition(Allow, "u", Read, "topic:t");
    rule.host = HostPattern::parse("10.0.0.1").unwrap();
    let policy = policy(vec![rule]);
    let user = PrincipalName::user("u");
    let from = |text: &str| {
        let host = host(text);
        authorize(
            &policy,
            &Question {
                principal: &user,
                host: &host,
                operation: Read,
                resource: Resource::topic("t"),
            },
        )
        .is_ok()
    };
    assert!(from("::ffff:10.0.0.1"));
    assert!(!from("10.0.0.2"));
}

#[test]
fn bit_field_has_a_bit_for_each_operation() {
    let policy = policy(vec![
        definition(Allow, "u", Read, "topic:t"),
        definition(Allow, "u", AlterConfigs, "topic:t"),
    ]);
    let bits = authorized_operations(
        &policy,
        &PrincipalName::user("u"),
        &host("1.1.1.1"),
        Resource::topic("t"),
    );
    assert_eq!(bits, 1 << 3 | 1 << 8 | 1 << 10 | 1 << 11);
    let none = authorized_operations(
        &policy,
        &PrincipalName::user("v"),
        &host("1.1.1.1"),
        Resource::topic("t"),
    );
    assert_eq!(none, 0);
}

fn may_write_somewhere(definitions: Vec<RuleDefinition>) -> bool {
    authorize_any(
        &policy(definitions),
        &PrincipalName::user("u"),
        &host("1.1.1.1"),
        Write,
        ResourceType::Topic,
    )
    .is_ok()
}

#[test]
fn somewhere_means_an_allow_that_no_deny_covers() {
    assert!(!may_write_somewhere(vec![]));
    assert!(may_write_somewhere(vec![definition(
        Allow, "u", Write, "topic:a"
    )]));
    assert!(may_write_somewhere(vec![definition(
        Allow, "u", All, "topic:a"
    )]));
    assert!(
        !may_write_somewhere(vec![definition(Allow, "u", Read, "topic:a")]),
        "nothing implies Write"
    );
    let covered = |denied: &str| {
        may_write_somewhere(vec![
            definition(Allow, "u", Write, "topic:orders.*"),
            definition(Deny, "u", Write, denied),
        ])
    };
    assert!(!covered("topic:ord*") && !covered("topic:orders.*") && !covered("topic:*"));
    assert!(covered("topic:orders.new") && covered("topic:orders.new*"));
}

/// The steps of Kafka's `StandardAuthorizerData`, without any index.
fn by_the_steps(
    rules: &[Rule],
    principal: &PrincipalName,
    host: &Host,
    operation: Operation,
    resource: Resource<'_>,
) -> bool {
    let applying: Vec<&RuleDefinition> = rules
        .iter()
        .map(|rule| &rule.definition)
        .filter(|rule| rule.subject == *principal || rule.subject.is_everyone())
        .filter(|rule| rule.host.covers(host) && rule.resource.covers(resource))
        .collect();
    let denied = applying
        .iter()
        .any(|rule| rule.effect == Deny && rule.operation.denies(operation));
    let allowed = applying
        .iter()
        .any(|rule| rule.effect == Allow && rule.operation.allows(operation));
    !denied && allowed
}

/// A small generator; the same sequence in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

#[test]
fn index_decides_as_the_plain_steps_do() {
    let names = ["a", "ab", "abc", "b", "ba", "*", "*x", "ä"];
    let kinds = [ResourceType::Topic, ResourceType::Group];
    let users = ["u", "v", "*"];
    let hosts = ["*", "10.0.0.1", "10.0.0.0/24", "::1"];
    let mut dice = Dice(7);
    for _ in 0..500 {
        let rules: Vec<Rule> = (0..dice.roll(12))
            .map(|at| Rule {
                id: RuleId(at as i64),
                definition: RuleDefinition {
                    effect: dice.pick(&[Allow, Allow, Deny]),
                    subject: PrincipalName::user(dice.pick(&users)),
                    host: HostPattern::parse(dice.pick(&hosts)).unwrap(),
                    operation: dice.pick(&Operation::EVERY),
                    resource: ResourcePattern {
                        kind: dice.pick(&kinds),
                        pattern: dice.pick(&[PatternType::Literal, PatternType::Prefixed]),
                        name: dice.pick(&names).into(),
                    },
                },
            })
            .collect();
        let policy = Policy::compile(PolicyEpoch(0), BTreeSet::new(), rules.clone());
        for _ in 0..200 {
            let principal = PrincipalName::user(dice.pick(&["u", "v", "w"]));
            let host = host(dice.pick(&["10.0.0.1", "10.0.0.9", "::1", "9.9.9.9"]));
            let operation = dice.pick(&Operation::EVERY);
            let resource = Resource {
                kind: dice.pick(&kinds),
                name: dice.pick(&names),
            };
            let question = Question {
                principal: &principal,
                host: &host,
                operation,
                resource,
            };
            let expected = by_the_steps(&rules, &principal, &host, operation, resource);
            assert_eq!(
                authorize(&policy, &question).is_ok(),
                expected,
                "{rules:?} {question:?}"
            );
        }
    }
}

#[test]
fn every_prefix_of_a_name_counts_and_no_other() {
    let texts = ["a", "ab", "abc", "abd", "b", "ab.c", "ab.", "aé", "aéb"];
    let names = [
        "a", "ab", "abc", "abcd", "abd", "abda", "ab.", "ab.c", "ab.cd", "ac", "b", "ba", "c",
        "aéb", "aé.", "aê",
    ];
    for denied in texts {
        // One prefix denies, all allow: the deny must be found wherever it lies among the others.
        let mut rules: Vec<_> = texts
            .iter()
            .map(|text| definition(Allow, "u", Read, &format!("topic:{text}*")))
            .collect();
        rules.push(definition(Deny, "u", Read, &format!("topic:{denied}*")));
        let policy = policy(rules);
        for name in names {
            let is_allowed = ask(&policy, "u", Read, &format!("topic:{name}")).is_ok();
            let is_covered = texts.iter().any(|text| name.starts_with(text));
            let wanted = is_covered && !name.starts_with(denied);
            assert_eq!(is_allowed, wanted, "{name} with {denied} denied");
        }
    }
}
