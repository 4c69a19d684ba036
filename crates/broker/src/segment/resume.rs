//! Where reads of a file ended: a consumer that goes on from there needs no search.
//!
//! Holds positions behind batches that were durable when they were read. Such a position never changes its meaning:
//! nothing before it is cut off or written again.

/// Consumers of one file that are remembered.
const KEPT: usize = 8;

/// The last few ends of reads.
#[derive(Debug, Default)]
pub(super) struct Resume {
    ends: [Option<(i64, u64)>; KEPT],
    next: usize,
}

impl Resume {
    pub(super) fn note(&mut self, offset: i64, position: u64) {
        if self.position(offset).is_some() {
            return;
        }
        self.ends[self.next] = Some((offset, position));
        self.next = (self.next + 1) % KEPT;
    }

    pub(super) fn position(&self, offset: i64) -> Option<u64> {
        let mut known = self.ends.iter().flatten();
        known.find(|(at, _)| *at == offset).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_end_is_forgotten_first() {
        let mut resume = Resume::default();
        for offset in 0..=KEPT as i64 {
            resume.note(offset, offset as u64 * 16);
            resume.note(offset, offset as u64 * 16);
        }
        assert_eq!(resume.position(0), None);
        assert_eq!(resume.position(1), Some(16));
        assert_eq!(resume.position(KEPT as i64), Some(KEPT as u64 * 16));
    }
}
