//! Failed logins: slower and slower for an account, closed at accept for a source that guesses, never a lock that
//! anybody could put on somebody else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::{Bucket, Prefix};

/// Failures that a source may have at once, and how they are forgiven.
const FAILURES: f64 = 10.0;
/// What a broken-off conversation counts: with less left, a source has used up its failures.
pub const HALF: f64 = 0.5;
const FORGIVEN_PER_SECOND: f64 = 0.1;
/// How long a source that used them up is closed at accept.
const CLOSED_FOR: Duration = Duration::from_secs(30);
/// Failures in a row of one account before the delay doubles.
const PATIENCE: u32 = 4;
const DELAY_MAX: Duration = Duration::from_secs(5);
const REMEMBERED_MAX: usize = 100_000;

#[derive(Default)]
struct State {
    sources: HashMap<Prefix, Source>,
    /// Failures in a row.
    accounts: HashMap<String, u32>,
}

struct Source {
    bucket: Bucket,
    closed_until: Duration,
}

#[derive(Default)]
pub struct Throttle(Mutex<State>);

impl Throttle {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }

    /// Whether a source is closed out for now.
    pub fn is_closed(&self, ip: IpAddr, now: Duration) -> bool {
        self.lock()
            .sources
            .get(&Prefix::of(ip))
            .is_some_and(|source| now < source.closed_until)
    }

    /// Notes a wrong proof (weight 1) or a broken-off conversation (a half). Returns how long the answer is held back.
    pub fn failed(
        &self,
        ip: IpAddr,
        account: Option<&str>,
        weight: f64,
        base: Duration,
        now: Duration,
    ) -> Duration {
        let mut state = self.lock();
        state.make_room(now);
        let fresh = Source {
            bucket: Bucket::full(FAILURES, now),
            closed_until: Duration::ZERO,
        };
        let source = state.sources.entry(Prefix::of(ip)).or_insert(fresh);
        source.bucket.refill(FORGIVEN_PER_SECOND, FAILURES, now);
        source.bucket.take(weight);
        if source.bucket.refill(0.0, FAILURES, now) < HALF {
            source.closed_until = now + CLOSED_FOR;
        }
        let Some(account) = account else { return base };
        let run = state.accounts.entry(account.to_owned()).or_default();
        *run = run.saturating_add(1);
        let doublings = run.saturating_sub(PATIENCE).min(16);
        (base * 2u32.pow(doublings)).min(DELAY_MAX.max(base))
    }

    /// A login worked: the account's run ends; the source's failures stay.
    pub fn succeeded(&self, account: &str) {
        self.lock().accounts.remove(account);
    }
}

impl State {
    fn make_room(&mut self, now: Duration) {
        if self.sources.len() >= REMEMBERED_MAX {
            self.sources.retain(|_, source| {
                source.bucket.refill(FORGIVEN_PER_SECOND, FAILURES, now) < FAILURES
                    || now < source.closed_until
            });
        }
        if self.accounts.len() >= REMEMBERED_MAX {
            self.accounts.retain(|_, run| *run > PATIENCE);
        }
        if self.accounts.len() >= REMEMBERED_MAX {
            self.accounts.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(200);

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn delay_doubles_from_the_fifth_failure_and_a_success_ends_the_run() {
        let throttle = Throttle::default();
        let fail = |at: u8| throttle.failed(ip(at), Some("alice"), 1.0, BASE, Duration::ZERO);
        assert_eq!((0..4).map(fail).collect::<Vec<_>>(), [BASE; 4]);
        assert_eq!(fail(4), BASE * 2);
        assert_eq!(fail(5), BASE * 4);
        assert_eq!((6..20).map(fail).last(), Some(DELAY_MAX));
        throttle.succeeded("alice");
        assert_eq!(fail(21), BASE);
    }

    #[test]
    fn source_that_guesses_is_closed_and_others_are_not() {
        let throttle = Throttle::default();
        for number in 0..10 {
            assert!(!throttle.is_closed(ip(1), Duration::ZERO));
            throttle.failed(ip(1), Some(&number.to_string()), 1.0, BASE, Duration::ZERO);
        }
        assert!(throttle.is_closed(ip(1), Duration::from_secs(29)));
        assert!(!throttle.is_closed(ip(2), Duration::ZERO));
        assert!(!throttle.is_closed(ip(1), Duration::from_secs(31)));
    }
}
