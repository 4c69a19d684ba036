//! Splits what a request names into allowed and refused, and puts refusals back into the answer.

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
