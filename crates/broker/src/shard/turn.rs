//! Who may append where it was asked for, without a thread in between.
//!
//! A write into the kernel's memory takes microseconds, a hop to a thread and back many more. But a disk that stalls
//! holds up whoever writes, and the tasks that ask serve every connection. So one caller at a time may do it, and nobody
//! for a while after it took long: whatever the disk does, at most one of the threads that serve connections waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kastellan_core::time::Clock;

/// An append that takes longer says that the disk is busy.
const SLOW: Duration = Duration::from_millis(20);
/// How long it is left to the threads then.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Turns {
    is_taken: AtomicBool,
    /// Microseconds of the monotonic clock.
    paused_until: AtomicU64,
    clock: Clock,
}

/// The right to append here, until it is dropped.
pub(super) struct Turn<'a> {
    of: &'a Turns,
    began: Duration,
}

impl Turns {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            is_taken: AtomicBool::new(false),
            paused_until: AtomicU64::new(0),
            clock,
        }
    }

    /// `None`: it is somebody else's, or nobody's for now.
    pub(super) fn take(&self) -> Option<Turn<'_>> {
        let began = self.clock.monotonic();
        if micros(began) < self.paused_until.load(Ordering::Relaxed) {
            return None;
        }
        let is_free = !self.is_taken.swap(true, Ordering::Acquire);
        is_free.then_some(Turn { of: self, began })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let now = self.of.clock.monotonic();
        if now.saturating_sub(self.began) > SLOW {
            let until = micros(now + PAUSE);
            self.of.paused_until.store(until, Ordering::Relaxed);
        }
        self.of.is_taken.store(false, Ordering::Release);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use kastellan_core::time::Timestamp;

    use super::*;

    #[test]
    fn one_at_a_time_has_the_turn() {
        let turns = Turns::new(Clock::manual(Timestamp(0)));
        let turn = turns.take();
        assert!(turn.is_some());
        assert!(turns.take().is_none());
        drop(turn);
        assert!(turns.take().is_some());
    }

    #[test]
    fn nobody_has_the_turn_for_a_while_after_a_slow_disk() {
        let clock = Clock::manual(Timestamp(0));
        let turns = Turns::new(clock.clone());
        let quick = turns.take();
        clock.advance(SLOW);
        drop(quick);
        let slow = turns.take().expect("a quick one stops nobody");
        clock.advance(SLOW + Duration::from_millis(1));
        drop(slow);
        assert!(turns.take().is_none());
        clock.advance(PAUSE - Duration::from_millis(1));
        assert!(turns.take().is_none());
        clock.advance(Duration::from_millis(1));
        assert!(turns.take().is_some());
    }
}
