//! Failed logins: slower and slower for an account, closed at accept for a source that guesses, never a lock that
//! anybody could put on somebody else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::{Bucket, Prefix};

/// Failures that a source may have at once, and how they are forgiven.
const FAILURES: f64 = 10.0;
const FORGIVEN_PER_SECOND: f64 = 0.1;
/// What a broken-off conversation counts: with less left, a source has used up its failures.
pub const HALF: f64 = 0.5;
/// How long a source that used them up is closed at accept.
const CLOSED_FOR: Duration = Duration::from_secs(30);
/// Failures in a row of one account before the delay doubles.
const PATIENCE: u32 = 4;
const DELAY_MAX: Duration = Duration::from_secs(5);
/// Failures a minute from which on an account is guarded, and for how long: only sources that it logged in from before
/// get in.
const ACCOUNT_PER_MINUTE: f64 = 30.0;
const GUARDED_FOR: Duration = Duration::from_secs(60);
/// Sources that an account is remembered to have logged in from.
const KNOWN_SOURCES: usize = 16;
/// Failures a second of everybody from which on only sources with a recent login get in, and for how long.
const ALL_PER_SECOND: f64 = 200.0;
const SHUT_FOR: Duration = Duration::from_secs(10);
const RECENT: Duration = Duration::from_secs(3_600);
const REMEMBERED_MAX: usize = 100_000;

#[derive(Default)]
struct State {
    sources: HashMap<Prefix, Source>,
    accounts: HashMap<String, Account>,
    all: Option<Bucket>,
    shut_until: Duration,
}

struct Source {
    bucket: Bucket,
    closed_until: Duration,
    last_success: Option<Duration>,
}

struct Account {
    /// Failures in a row.
    run: u32,
    minute: Bucket,
    guarded_until: Duration,
    known: Vec<Prefix>,
}

/// Every time is monotonic.
#[derive(Default)]
pub struct Throttle(Mutex<State>);

impl Throttle {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }

    /// Whether a source is closed out for now.
    pub fn is_closed(&self, ip: IpAddr, now: Duration) -> bool {
        let state = self.lock();
        let source = state.sources.get(&Prefix::of(ip));
        let is_recent = source
            .and_then(|source| source.last_success)
            .is_some_and(|at| now.saturating_sub(at) < RECENT);
        source.is_some_and(|source| now < source.closed_until)
            || (now < state.shut_until && !is_recent)
    }

    /// Whether an account is under attack, and this source none of those it logged in from.
    pub fn is_guarded(&self, ip: IpAddr, account: &str, now: Duration) -> bool {
        self.lock().accounts.get(account).is_some_and(|account| {
            now < account.guarded_until && !account.known.contains(&Prefix::of(ip))
        })
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
        state.count_for_all(weight, now);
        state.source(Prefix::of(ip), now).fail(weight, now);
        let Some(account) = account else { return base };
        let run = state.account(account, now).fail(now);
        let doublings = run.saturating_sub(PATIENCE).min(16);
        (base * 2u32.pow(doublings)).min(DELAY_MAX.max(base))
    }

    /// A login worked: the account's run ends; the source's failures stay.
    pub fn succeeded(&self, ip: IpAddr, account: &str, now: Duration) {
        let mut state = self.lock();
        state.make_room(now);
        let prefix = Prefix::of(ip);
        state.source(prefix, now).last_success = Some(now);
        let account = state.account(account, now);
        account.run = 0;
        if !account.known.contains(&prefix) {
            account.known.truncate(KNOWN_SOURCES - 1);
            account.known.insert(0, prefix);
        }
    }
}

impl State {
    fn source(&mut self, prefix: Prefix, now: Duration) -> &mut Source {
        self.sources.entry(prefix).or_insert_with(|| Source {
            bucket: Bucket::full(FAILURES, now),
            closed_until: Duration::ZERO,
            last_success: None,
        })
    }

    fn account(&mut self, name: &str, now: Duration) -> &mut Account {
        self.accounts
            .entry(name.to_owned())
            .or_insert_with(|| Account {
                run: 0,
                minute: Bucket::full(ACCOUNT_PER_MINUTE, now),
                guarded_until: Duration::ZERO,
                known: Vec::new(),
            })
    }

    fn count_for_all(&mut self, weight: f64, now: Duration) {
        let all = self
            .all
            .get_or_insert_with(|| Bucket::full(ALL_PER_SECOND, now));
        all.refill(ALL_PER_SECOND, ALL_PER_SECOND, now);
        all.take(weight);
        if all.refill(0.0, ALL_PER_SECOND, now) < 0.0 {
            if now >= self.shut_until {
                tracing::error!(
                    "Too many failed logins: sources without a recent login are refused"
                );
            }
            self.shut_until = now + SHUT_FOR;
        }
    }

    /// Forgets whom there is least to say of.
    fn make_room(&mut self, now: Duration) {
        if self.sources.len() >= REMEMBERED_MAX {
            self.sources.retain(|_, source| {
                source.bucket.refill(FORGIVEN_PER_SECOND, FAILURES, now) < FAILURES
                    || now < source.closed_until
            });
        }
        if self.sources.len() >= REMEMBERED_MAX {
            self.sources
                .retain(|_, source| now < source.closed_until || source.last_success.is_some());
        }
        if self.accounts.len() >= REMEMBERED_MAX {
            self.accounts
                .retain(|_, account| account.run > PATIENCE || !account.known.is_empty());
        }
        if self.sources.len() >= REMEMBERED_MAX {
            self.sources.clear();
        }
        if self.accounts.len() >= REMEMBERED_MAX {
            self.accounts.clear();
        }
    }
}

impl Source {
    fn fail(&mut self, weight: f64, now: Duration) {
        self.bucket.refill(FORGIVEN_PER_SECOND, FAILURES, now);
        self.bucket.take(weight);
        if self.bucket.refill(0.0, FAILURES, now) < HALF {
            self.closed_until = now + CLOSED_FOR;
        }
    }
}

impl Account {
    /// Counts a failure; returns how many there were in a row.
    fn fail(&mut self, now: Duration) -> u32 {
        self.run = self.run.saturating_add(1);
        self.minute
            .refill(ACCOUNT_PER_MINUTE / 60.0, ACCOUNT_PER_MINUTE, now);
        self.minute.take(1.0);
        if self.minute.refill(0.0, ACCOUNT_PER_MINUTE, now) < 0.0 {
            self.guarded_until = now + GUARDED_FOR;
        }
        self.run
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
        throttle.succeeded(ip(1), "alice", Duration::ZERO);
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

    #[test]
    fn account_under_attack_lets_in_only_whom_it_knows() {
        let throttle = Throttle::default();
        throttle.succeeded(ip(1), "alice", Duration::ZERO);
        for at in 10..40 {
            throttle.failed(ip(at), Some("alice"), 1.0, BASE, Duration::ZERO);
            assert!(!throttle.is_guarded(ip(2), "alice", Duration::ZERO), "{at}");
        }
        throttle.failed(ip(40), Some("alice"), 1.0, BASE, Duration::ZERO);
        assert!(throttle.is_guarded(ip(2), "alice", Duration::from_secs(59)));
        assert!(!throttle.is_guarded(ip(1), "alice", Duration::from_secs(59)));
        assert!(!throttle.is_guarded(ip(2), "bob", Duration::from_secs(59)));
        assert!(!throttle.is_guarded(ip(2), "alice", Duration::from_secs(61)));
    }

    #[test]
    fn flood_of_failures_shuts_out_strangers_for_a_while() {
        let throttle = Throttle::default();
        throttle.succeeded(ip(1), "alice", Duration::ZERO);
        for number in 0..=200u32 {
            let source = IpAddr::from(number.to_be_bytes());
            throttle.failed(source, Some(&number.to_string()), 1.0, BASE, Duration::ZERO);
        }
        assert!(throttle.is_closed(ip(2), Duration::from_secs(9)));
        assert!(!throttle.is_closed(ip(1), Duration::from_secs(9)));
        assert!(!throttle.is_closed(ip(2), Duration::from_secs(11)));
    }
}
