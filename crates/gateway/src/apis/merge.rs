//! Splits what a request names into allowed and refused, and puts refusals back into the answer.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use kastellan_core::authorize::Permit;
use kastellan_core::operation::Operation;
use kastellan_core::resource::Resource;

use super::judge::{Judge, collect};

/// Elements that may go on, those that may not, and the permit for the first.
pub(super) struct Split<T> {
    pub allowed: Vec<T>,
    pub refused: Vec<T>,
    pub permit: Option<Permit>,
}

/// Takes out what is named more than once, and gives one of each: it is refused before any right is asked for, as by
/// Kafka's controller.
pub(super) fn take_repeated<T, K: Eq + Hash>(
    elements: &mut Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut counts: HashMap<K, usize> = HashMap::new();
    for element in elements.iter() {
        *counts.entry(key(element)).or_default() += 1;
    }
    let is_repeated = |element: &T| counts.get(&key(element)).is_some_and(|count| *count > 1);
    let (repeated, once): (Vec<T>, Vec<T>) = elements.drain(..).partition(is_repeated);
    *elements = once;
    let mut told = HashSet::new();
    repeated
        .into_iter()
        .filter(|element| told.insert(key(element)))
        .collect()
}

/// Asks once for each element; the same name twice costs two look-ups and one line in the trail each.
pub(super) fn split<T>(
    judge: &mut Judge<'_>,
    operation: Operation,
    elements: Vec<T>,
    resource: impl for<'e> Fn(&'e T) -> Resource<'e>,
) -> Split<T> {
    let mut split = Split {
        allowed: Vec::new(),
        refused: Vec::new(),
        permit: None,
    };
    for element in elements {
        let permit = judge.may(operation, resource(&element));
        if collect(&mut split.permit, permit) {
            split.allowed.push(element);
        } else {
            split.refused.push(element);
        }
    }
    split
}

/// Leaves each thing once, the first of its kind: what is asked for over and over must not make an answer without end.
/// Things without a key stay.
pub(super) fn once<T, K: Hash + Eq>(items: &mut Vec<T>, key: impl Fn(&T) -> Option<K>) {
    let mut seen = HashSet::new();
    items.retain(|item| key(item).is_none_or(|key| seen.insert(key)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_twice_is_given_once_and_the_rest_stays_in_order() {
        let mut elements = vec!["a", "b", "a", "c", "a", "b"];
        assert_eq!(take_repeated(&mut elements, |one| *one), ["a", "b"]);
        assert_eq!(elements, ["c"]);
        assert!(take_repeated(&mut elements, |one| *one).is_empty());
    }
}
