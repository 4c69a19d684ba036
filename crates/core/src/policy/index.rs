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
    prefixed: HashMap<Arc<str>, Positions>,
    /// Lengths in bytes that some prefix has, rising.
    prefix_lengths: Vec<usize>,
    wildcard: Positions,
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
            PatternType::Prefixed => {
                self.prefixed
                    .entry(resource.name.clone())
                    .or_default()
                    .push(at);
                if let Err(place) = self.prefix_lengths.binary_search(&resource.name.len()) {
                    self.prefix_lengths.insert(place, resource.name.len());
                }
            }
        }
    }

    fn covering<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let prefixed = self
            .prefix_lengths
            .iter()
            .take_while(move |length| **length <= name.len())
            .filter_map(move |length| {
                name.get(..*length)
                    .and_then(|prefix| self.prefixed.get(prefix))
            })
            .flatten();
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
            .chain(self.prefixed.values().flatten())
            .chain(&self.wildcard)
            .copied()
    }
}
