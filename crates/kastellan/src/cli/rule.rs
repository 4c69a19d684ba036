//! `kastellan rule ..` and `kastellan explain ..`

use std::path::Path;

use hyper::Method;
use kastellan_core::host::HostPattern;
use kastellan_core::operation::Operation;
use kastellan_core::principal::PrincipalName;
use kastellan_core::resource::{Resource, ResourcePattern};

use super::args::{EffectArg, ExplainArgs, RuleCommand};
use super::client::{ask, get};
use super::show::{self, Output};
use super::{Failure, Outcome};
use crate::admin::api::{AddRules, ExplainQuestion, Explanation, RemoveRules, Rule, RuleText};

pub fn rule(data: &Path, out: Output, command: RuleCommand) -> Outcome {
    match command {
        RuleCommand::Add {
            effect,
            principal,
            operations,
            resources,
            host,
        } => {
            let rules = spell(effect, &principal, &operations, &resources, &host)?;
            let added: Vec<Rule> = ask(data, Method::POST, "/v1/rules", Some(&AddRules { rules }))?;
            out.data(&added, |added| table(added));
            Ok(())
        }
        RuleCommand::List { principal } => {
            let mut rules: Vec<Rule> = get(data, "/v1/rules")?;
            if let Some(principal) = principal {
                rules.retain(|rule| rule.rule.principal == principal);
            }
            out.data(&rules, |rules| {
                if rules.is_empty() {
                    "no rules: nothing is allowed. kastellan rule add allow User:NAME Read topic:TOPIC".to_owned()
                } else {
                    table(rules)
                }
            });
            Ok(())
        }
        RuleCommand::Remove { ids } => {
            let removed: Vec<Rule> = ask(
                data,
                Method::DELETE,
                "/v1/rules",
                Some(&RemoveRules { ids }),
            )?;
            out.data(&removed, |removed| table(removed));
            Ok(())
        }
    }
}

/// One rule for each operation and resource, every word checked before anything is sent.
fn spell(
    effect: EffectArg,
    principal: &str,
    operations: &[String],
    resources: &[String],
    host: &str,
) -> Result<Vec<RuleText>, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    principal
        .parse::<PrincipalName>()
        .map_err(|error| usage(&error))?;
    HostPattern::parse(host).map_err(|error| usage(&error))?;
    let effect = match effect {
        EffectArg::Allow => "allow",
        EffectArg::Deny => "deny",
    };
    let mut rules = Vec::new();
    for resource in resources {
        let resource = ResourcePattern::parse(resource).map_err(|error| usage(&error))?;
        for operation in operations {
            let operation: Operation = operation.parse().map_err(|error| usage(&error))?;
            if operation != Operation::All && !Operation::on(resource.kind).contains(&operation) {
                let known: Vec<&str> = Operation::on(resource.kind)
                    .iter()
                    .map(|known| known.name())
                    .collect();
                return Err(Failure::Usage(format!(
                    "{operation} means nothing on {resource}; there are {}, All",
                    known.join(", ")
                )));
            }
            rules.push(RuleText {
                effect: effect.to_owned(),
                principal: principal.to_owned(),
                operation: operation.name().to_owned(),
                resource: resource.to_string(),
                host: host.to_owned(),
            });
        }
    }
    Ok(rules)
}

pub fn explain(data: &Path, out: Output, question: &ExplainArgs) -> Outcome {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    question
        .principal
        .parse::<PrincipalName>()
        .map_err(|error| usage(&error))?;
    let operation: Operation = question.operation.parse().map_err(|error| usage(&error))?;
    Resource::parse(&question.resource).map_err(|error| usage(&error))?;
    let asked = ExplainQuestion {
        principal: question.principal.clone(),
        operation: operation.name().to_owned(),
        resource: question.resource.clone(),
        host: question.host.to_string(),
    };
    let answer: Explanation = ask(data, Method::POST, "/v1/explain", Some(&asked))?;
    out.data(&answer, |answer| tell(&asked, answer));
    if answer.allowed {
        Ok(())
    } else {
        Err(Failure::Silent(1))
    }
}

fn tell(asked: &ExplainQuestion, answer: &Explanation) -> String {
    let verdict = if answer.allowed { "ALLOWED" } else { "REFUSED" };
    let mut out = format!(
        "{verdict}  {} {} {} from {}\n",
        asked.principal, asked.operation, asked.resource, asked.host
    );
    match (&answer.rule, answer.basis.as_str()) {
        (Some(rule), _) => out.push_str(&format!(
            "because of rule {}: {}\n",
            rule.id,
            words(&rule.rule)
        )),
        (None, "super_user") => out.push_str("because the configuration names it a super user\n"),
        (None, _) => out.push_str("because no rule allows it\n"),
    }
    for near in &answer.near {
        out.push_str(&format!(
            "near: rule {}: {} ({})\n",
            near.rule.id,
            words(&near.rule.rule),
            near.why
        ));
    }
    if let Some(next) = &answer.next {
        out.push_str(&format!("next: {next}\n"));
    }
    out
}

fn words(rule: &RuleText) -> String {
    let from = if rule.host == "*" {
        String::new()
    } else {
        format!(" from {}", rule.host)
    };
    format!(
        "{} {} {} {}{from}",
        rule.effect, rule.principal, rule.operation, rule.resource
    )
}

fn table(rules: &[Rule]) -> String {
    let heading = ["ID", "EFFECT", "PRINCIPAL", "OPERATION", "RESOURCE", "HOST"]
        .map(str::to_owned)
        .to_vec();
    let rows = rules.iter().map(|Rule { id, rule }| {
        vec![
            id.to_string(),
            rule.effect.clone(),
            rule.principal.clone(),
            rule.operation.clone(),
            rule.resource.clone(),
            rule.host.clone(),
        ]
    });
    show::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_one_rule_for_each_operation_and_resource() {
        let texts = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let rules = spell(
            EffectArg::Allow,
            "User:a",
            &texts(&["read", "DESCRIBE"]),
            &texts(&["topic:t*", "group:g"]),
            "*",
        );
        let words: Vec<String> = rules.unwrap().iter().map(words).collect();
        assert_eq!(
            words,
            [
                "allow User:a Read topic:t*",
                "allow User:a Describe topic:t*",
                "allow User:a Read group:g",
                "allow User:a Describe group:g",
            ]
        );
    }

    #[test]
    fn refuses_an_operation_that_means_nothing_there() {
        let texts = |word: &str| vec![word.to_owned()];
        for (operation, resource) in [
            ("Write", "group:g"),
            ("Read", "cluster"),
            ("Fly", "topic:t"),
            ("Read", "t"),
        ] {
            let rules = spell(
                EffectArg::Allow,
                "User:a",
                &texts(operation),
                &texts(resource),
                "*",
            );
            assert!(
                matches!(rules, Err(Failure::Usage(_))),
                "{operation} {resource}"
            );
        }
    }
}
