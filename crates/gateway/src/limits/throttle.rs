//! Failed logins: slower and slower for an account, closed at accept for a source that guesses, never a lock that
//! anybody could put on somebody else.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::table::Table;
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
const KNOWN_SOURCES: usize = 256;
/// Failures a second of everybody from which on only sources with a recent login get in, and for how long.
const ALL_PER_SECOND: f64 = 200.0;
const SHUT_FOR: Duration = Duration::from_secs(10);
const RECENT: Duration = Duration::from_secs(3_600);
const REMEMBERED_MAX: usize = 100_000;

struct State {
    sources: Table<Prefix, Source>,
    accounts: Table<String, Account>,
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
pub struct Throttle(Mutex<State>);

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// How long the answer is held back.
    pub delay: Duration,
    /// Everybody's failures became so many that only sources with a recent login get in from now on.
    pub is_alarm: bool,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::remembering(REMEMBERED_MAX)
    }
}

impl Throttle {
    fn remembering(max: usize) -> Self {
        Self(Mutex::new(State {
            sources: Table::new(max),
            accounts: Table::new(max),
            all: None,
            shut_until: Duration::ZERO,
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while holding it")
    }

    /// Whether connections from this source are closed at once, at this moment.
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

    /// Notes a wrong proof (weight 1) or a broken-off conversation (a half).
    pub fn failed(
        &self,
        ip: IpAddr,
        account: Option<&str>,
        weight: f64,
        base: Duration,
        now: Duration,
    ) -> Held {
        let mut state = self.lock();
        let is_alarm = state.count_for_all(weight, now);
        state.source(Prefix::of(ip), now).fail(weight, now);
        let delay = account.map_or(base, |account| {
            let run = state.account(account, now).fail(now);
            let doublings = run.saturating_sub(PATIENCE).min(16);
            (base * 2u32.pow(doublings)).min(DELAY_MAX.max(base))
        });
        Held { delay, is_alarm }
    }

    /// A login worked: the account's run ends; the source's failures stay.
    pub fn succeeded(&self, ip: IpAddr, account: &str, now: Duration) {
        let mut state = self.lock();
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
        let made = || Source {
            bucket: Bucket::full(FAILURES, now),
            closed_until: Duration::ZERO,
            last_success: None,
        };
        self.sources
            .entry(prefix, made, |source| source.weight(now))
    }

    fn account(&mut self, name: &str, now: Duration) -> &mut Account {
        let made = || Account {
            run: 0,
            minute: Bucket::full(ACCOUNT_PER_MINUTE, now),
            guarded_until: Duration::ZERO,
            known: Vec::new(),
        };
        self.accounts
            .entry(name.to_owned(), made, |account| account.weight(now))
    }

    /// Whether this failure closes the door to strangers.
    fn count_for_all(&mut self, weight: f64, now: Duration) -> bool {
        let all = self
            .all
            .get_or_insert_with(|| Bucket::full(ALL_PER_SECOND, now));
        all.refill(ALL_PER_SECOND, ALL_PER_SECOND, now);
        all.take(weight);
        if all.refill(0.0, ALL_PER_SECOND, now) >= 0.0 {
            return false;
        }
        let is_alarm = now >= self.shut_until;
        self.shut_until = now + SHUT_FOR;
        is_alarm
    }
}

impl Source {
    /// How much would be lost by forgetting it.
    fn weight(&self, now: Duration) -> u32 {
        let mut bucket = self.bucket;
        let is_recent = self
            .last_success
            .is_some_and(|at| now.saturating_sub(at) < RECENT);
        let left = bucket.refill(FORGIVEN_PER_SECOND, FAILURES, now);
        match () {
            () if now < self.closed_until => 3,
            () if is_recent => 2,
            () => u32::from(left < FAILURES),
        }
    }

    fn fail(&mut self, weight: f64, now: Duration) {
        self.bucket.refill(FORGIVEN_PER_SECOND, FAILURES, now);
        self.bucket.take(weight);
        if self.bucket.refill(0.0, FAILURES, now) < HALF {
            self.closed_until = now + CLOSED_FOR;
        }
    }
}

impl Account {
    /// How much would be lost by forgetting it.
    fn weight(&self, now: Duration) -> u32 {
        match () {
            () if now < self.guarded_until => 3,
            () if self.run > PATIENCE || !self.known.is_empty() => 2,
            () => u32::from(self.run > 0),
        }
    }

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
        let fail = |at: u8| {
            let held = throttle.failed(ip(at), Some("alice"), 1.0, BASE, Duration::ZERO);
            held.delay
        };
        assert_eq!((0..4).map(fail).collect::<Vec<_>>(), [BASE; 4]);
        assert_eq!(fail(4), BASE * 2);
        assert_eq!(fail(5), BASE * 4);
        assert_eq!((6..20).map(fail).last(), Some(DELAY_MAX));
        throttle.succeeded(ip(1), "alice", Duration::ZERO);
        assert_eq!(fail(21), BASE);
    }

    /// Whoever sends from ever new addresses, at ever new names, is still closed out, and so is nobody else.
    #[test]
    fn full_tables_forget_the_cleanest_first() {
        let throttle = Throttle::remembering(1_000);
        throttle.succeeded(ip(1), "alice", Duration::ZERO);
        for _ in 0..10 {
            throttle.failed(ip(2), Some("bob"), 1.0, BASE, Duration::ZERO);
        }
        for number in 0..2_000u32 {
            // Slowly, or it would be a flood.
            let now = Duration::from_millis(u64::from(number) * 10);
            let source = IpAddr::from((0x0a01_0000 + number).to_be_bytes());
            throttle.failed(source, Some(&number.to_string()), 1.0, BASE, now);
        }
        let now = Duration::from_secs(20);
        assert!(!throttle.is_closed(ip(4), now), "no flood");
        assert!(throttle.is_closed(ip(2), now), "still closed");
        let delay = throttle.failed(ip(3), Some("bob"), 1.0, BASE, now).delay;
        assert_eq!(delay, DELAY_MAX, "the account's run is remembered");
        for at in 10..50 {
            throttle.failed(ip(at), Some("alice"), 1.0, BASE, now);
        }
        assert!(!throttle.is_guarded(ip(1), "alice", now), "known to her");
        assert!(throttle.is_guarded(ip(9), "alice", now));
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
        let mut alarms = 0;
        for number in 0..=210u32 {
            let source = IpAddr::from(number.to_be_bytes());
            let account = number.to_string();
            let held = throttle.failed(source, Some(&account), 1.0, BASE, Duration::ZERO);
            alarms += usize::from(held.is_alarm);
        }
        assert_eq!(alarms, 1);
        assert!(throttle.is_closed(ip(2), Duration::from_secs(9)));
        assert!(!throttle.is_closed(ip(1), Duration::from_secs(9)));
        assert!(!throttle.is_closed(ip(2), Duration::from_secs(11)));
    }
}
