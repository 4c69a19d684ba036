//! Finds the rules that could speak about a principal and a resource.
//!
//! Keyed by subject and resource type; below that the literal names, the prefixes and the wildcard. Holds positions in
//! the policy's list, not rules. Says nothing about hosts, operations or effects.

use std::collections::HashMap;
use std::sync::Arc;

use crate::principal::PrincipalName;
use crate::resource::{PatternType, Resource, ResourceType};
use crate::rule::Rule;

/// Positions in the list of rules.
type Positions = Vec<usize>;

#[derive(Debug, Default)]
pub struct Index {
    subjects: HashMap<PrincipalName, Vec<(ResourceType, Names)>>,
    everyone: Vec<(ResourceType, Names)>,
}

#[derive(Debug, Default)]
struct Names {
    literal: HashMap<Arc<str>, Positions>,
    prefixed: Vec<Prefix>,
    wildcard: Positions,
}

/// A prefix among all of them, which are sorted.
#[derive(Debug)]
struct Prefix {
    text: Arc<str>,
    rules: Positions,
    /// Where the longest other one lies that this one begins with.
    shorter: Option<usize>,
}

impl Index {
    pub fn build(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            let subject = &rule.definition.subject;
            let types = if subject.is_everyone() {
                &mut index.everyone
            } else {
                index.subjects.entry(subject.clone()).or_default()
            };
            names_of(types, rule.definition.resource.kind).add(at, rule);
        }
        let types = index.subjects.values_mut().flatten();
        for (_, names) in types.chain(&mut index.everyone) {
            names.sort();
        }
        index
    }

    /// Rules of the principal, then of everybody, whose pattern covers the resource.
    pub fn candidates<'a>(
        &'a self,
        principal: &PrincipalName,
        resource: Resource<'a>,
    ) -> impl Iterator<Item = usize> + 'a {
        let own = self
            .subjects
            .get(principal)
            .map(Vec::as_slice)
            .unwrap_or_default();
        own.iter()
            .chain(&self.everyone)
            .filter(move |(kind, _)| *kind == resource.kind)
            .flat_map(move |(_, names)| names.covering(resource.name))
    }

    /// Every rule of the principal and of everybody on a type, whatever the name.
    pub fn of_type(
        &self,
        principal: &PrincipalName,
        kind: ResourceType,
    ) -> impl Iterator<Item = usize> {
        let own = self
            .subjects
            .get(principal)
            .map(Vec::as_slice)
            .unwrap_or_default();
        own.iter()
            .chain(&self.everyone)
            .filter(move |(one, _)| *one == kind)
            .flat_map(|(_, names)| names.all())
    }
}

fn names_of(types: &mut Vec<(ResourceType, Names)>, kind: ResourceType) -> &mut Names {
    let at = types
        .iter()
        .position(|(one, _)| *one == kind)
        .unwrap_or_else(|| {
            types.push((kind, Names::default()));
            types.len() - 1
        });
    &mut types[at].1
}

impl Names {
    fn add(&mut self, at: usize, rule: &Rule) {
        let resource = &rule.definition.resource;
        match resource.pattern {
            _ if resource.is_wildcard() => self.wildcard.push(at),
            PatternType::Literal => self
                .literal
                .entry(resource.name.clone())
                .or_default()
                .push(at),
            PatternType::Prefixed => self.prefixed.push(Prefix {
                text: resource.name.clone(),
                rules: vec![at],
                shorter: None,
            }),
        }
    }

    /// Sorts the prefixes, joins equal ones, and ties each to the longest that it begins with.
    fn sort(&mut self) {
        self.prefixed
            .sort_by(|one, other| one.text.cmp(&other.text));
        self.prefixed.dedup_by(|later, kept| {
            let is_same = later.text == kept.text;
            if is_same {
                kept.rules.append(&mut later.rules);
            }
            is_same
        });
        for at in 1..self.prefixed.len() {
            let (before, rest) = self.prefixed.split_at_mut(at);
            rest[0].shorter = longest_of(before, Some(at - 1), &rest[0].text);
        }
    }

    /// Rules of the literal name, of its prefixes from the longest on, and of all names.
    fn covering<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        // Whatever it begins with sorts before it, and is found from the nearest on.
        let before = self
            .prefixed
            .partition_point(|prefix| &*prefix.text <= name);
        let longest = longest_of(&self.prefixed, before.checked_sub(1), name);
        let prefixed = std::iter::successors(longest, move |at: &usize| self.prefixed[*at].shorter)
            .flat_map(move |at| &self.prefixed[at].rules);
        self.literal
            .get(name)
            .into_iter()
            .flatten()
            .chain(prefixed)
            .chain(&self.wildcard)
            .copied()
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        self.literal
            .values()
            .flatten()
            .chain(self.prefixed.iter().flat_map(|prefix| &prefix.rules))
            .chain(&self.wildcard)
            .copied()
    }
}

/// The longest prefix of a name, from the one nearest to it in order.
fn longest_of(prefixes: &[Prefix], nearest: Option<usize>, name: &str) -> Option<usize> {
    let mut at = nearest;
    while let Some(one) = at {
        if name.starts_with(&*prefixes[one].text) {
            return at;
        }
        at = prefixes[one].shorter;
    }
    None
}
