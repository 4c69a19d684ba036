//! How many and how often: connections, failed logins, memory.

pub mod connections;
mod table;
pub mod throttle;

use std::net::IpAddr;

/// Who counts as one source: an IPv4 address, an IPv6 /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix(u128);

impl Prefix {
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => Self(u128::from(v4.to_bits())),
            IpAddr::V6(v6) => Self(v6.to_bits() >> 64 << 64 | 1),
        }
    }
}

/// A bucket of tokens that refills by time. Times are monotonic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    at: std::time::Duration,
}

impl Bucket {
    pub(crate) fn full(capacity: f64, now: std::time::Duration) -> Self {
        Self {
            tokens: capacity,
            at: now,
        }
    }

    /// Tokens after refilling at `rate` per second up to `capacity`.
    pub(crate) fn refill(&mut self, rate: f64, capacity: f64, now: std::time::Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(capacity);
        self.at = now;
        self.tokens
    }

    pub(crate) fn take(&mut self, count: f64) {
        self.tokens -= count;
    }
}
