//! How many and how often: connections, failed logins, memory.

pub mod connections;
pub mod heavy;
pub mod room;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_an_ipv4_address_or_an_ipv6_block_of_64_bits() {
        let prefix = |ip: &str| Prefix::of(ip.parse().unwrap());
        assert_eq!(prefix("2001:db8::1"), prefix("2001:db8::ffff:0:0:1"));
        assert_ne!(prefix("2001:db8::1"), prefix("2001:db8:0:1::1"));
        assert_eq!(prefix("::ffff:10.0.0.1"), prefix("10.0.0.1"));
        assert_ne!(prefix("10.0.0.2"), prefix("10.0.0.1"));
        assert_ne!(prefix("::a00:1"), prefix("10.0.0.1"));
    }
}
