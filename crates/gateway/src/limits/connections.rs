//! Counts connections: all, not logged in yet, by source, by principal. A place is given back when it is dropped.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kastellan_core::host::Cidr;

use super::room::Room;
use super::table::Table;
use super::{Bucket, Prefix};
use crate::config::Limits;

/// Sources remembered for their accept rate.
const SOURCES_MAX: usize = 100_000;

struct Counts {
    all: usize,
    unauthenticated: usize,
    by_ip: HashMap<Prefix, (usize, usize)>,
    /// How many, and the room for their large requests.
    by_principal: HashMap<String, (usize, Arc<Room>)>,
    rates: Table<Prefix, Bucket>,
    exceptions: Arc<[(Cidr, usize)]>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            all: 0,
            unauthenticated: 0,
            by_ip: HashMap::new(),
            by_principal: HashMap::new(),
            rates: Table::new(SOURCES_MAX),
            exceptions: [].into(),
        }
    }
}

#[derive(Default)]
pub struct Connections(Mutex<Counts>);

/// Why a connection got no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    All,
    Unauthenticated,
    Ip,
    Rate,
    Principal,
}

impl Full {
    pub const fn label(self) -> &'static str {
        match self {
            Self::All => "max_connections",
            Self::Unauthenticated => "max_unauthenticated",
            Self::Ip => "max_connections_per_ip",
            Self::Rate => "accept_rate_per_ip",
            Self::Principal => "max_connections_per_principal",
        }
    }
}

/// A connection's place, not logged in yet or logged in.
pub struct Place {
    connections: Arc<Connections>,
    prefix: Prefix,
    principal: Option<(String, Arc<Room>)>,
}

impl Connections {
    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().expect("nobody panics while holding it")
    }

    pub fn count(&self) -> usize {
        self.lock().all
    }

    /// Caps of their own for addresses within blocks; the first block that holds an address counts.
    pub fn except(&self, exceptions: Arc<[(Cidr, usize)]>) {
        self.lock().exceptions = exceptions;
    }

    /// A place for a connection that was just accepted.
    pub fn enter(
        self: &Arc<Self>,
        ip: IpAddr,
        limits: &Limits,
        now: Duration,
    ) -> Result<Place, Full> {
        let prefix = Prefix::of(ip);
        let mut counts = self.lock();
        if counts.all >= limits.max_connections {
            return Err(Full::All);
        }
        if counts.unauthenticated >= limits.max_unauthenticated {
            return Err(Full::Unauthenticated);
        }
        let (total, waiting) = counts.by_ip.get(&prefix).copied().unwrap_or_default();
        if total >= counts.cap_of(ip, limits) {
            return Err(Full::Ip);
        }
        if waiting >= (limits.max_unauthenticated / 10).max(1) {
            return Err(Full::Unauthenticated);
        }
        if !counts.may_accept(prefix, limits.accept_rate_per_ip, now) {
            return Err(Full::Rate);
        }
        counts.all += 1;
        metrics::gauge!("gateway_connections").set(counts.all as f64);
        counts.unauthenticated += 1;
        let entry = counts.by_ip.entry(prefix).or_default();
        entry.0 += 1;
        entry.1 += 1;
        Ok(Place {
            connections: self.clone(),
            prefix,
            principal: None,
        })
    }
}

impl Counts {
    fn cap_of(&self, ip: IpAddr, limits: &Limits) -> usize {
        let ip = ip.to_canonical();
        let mut exceptions = self.exceptions.iter();
        exceptions
            .find(|(block, _)| block.contains(ip))
            .map_or(limits.max_connections_per_ip, |(_, cap)| *cap)
    }

    fn may_accept(&mut self, prefix: Prefix, rate: u32, now: Duration) -> bool {
        let (rate, capacity) = (f64::from(rate), f64::from(rate) * 5.0);
        let used = |bucket: &Bucket| {
            let mut bucket = *bucket;
            (capacity - bucket.refill(rate, capacity, now)) as u32
        };
        let made = || Bucket::full(capacity, now);
        let bucket = self.rates.entry(prefix, made, used);
        if bucket.refill(rate, capacity, now) < 1.0 {
            return false;
        }
        bucket.take(1.0);
        true
    }
}

impl Place {
    /// The connection logged in.
    pub fn logged_in(&mut self, principal: &str, limits: &Limits) -> Result<(), Full> {
        let mut counts = self.connections.lock();
        let made = || (0, Arc::new(Room::of((limits.request_memory >> 10) / 2)));
        let of_principal = counts.by_principal.entry(principal.to_owned());
        let (count, room) = of_principal.or_insert_with(made);
        if *count >= limits.max_connections_per_principal {
            return Err(Full::Principal);
        }
        *count += 1;
        let room = room.clone();
        counts.unauthenticated = counts.unauthenticated.saturating_sub(1);
        if let Some(entry) = counts.by_ip.get_mut(&self.prefix) {
            entry.1 = entry.1.saturating_sub(1);
        }
        self.principal = Some((principal.to_owned(), room));
        Ok(())
    }

    /// Room for large requests: half of what there is for everybody's belongs to one principal at most.
    pub fn room(&self) -> Option<Arc<Room>> {
        self.principal.as_ref().map(|(_, room)| room.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.connections.lock();
        counts.all = counts.all.saturating_sub(1);
        metrics::gauge!("gateway_connections").set(counts.all as f64);
        let is_waiting = self.principal.is_none();
        if is_waiting {
            counts.unauthenticated = counts.unauthenticated.saturating_sub(1);
        }
        if let Some(entry) = counts.by_ip.get_mut(&self.prefix) {
            entry.0 = entry.0.saturating_sub(1);
            entry.1 = entry.1.saturating_sub(usize::from(is_waiting));
            if entry.0 == 0 {
                counts.by_ip.remove(&self.prefix);
            }
        }
        if let Some((principal, _)) = &self.principal
            && let Some((count, _)) = counts.by_principal.get_mut(principal)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.by_principal.remove(principal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn limits() -> Limits {
        Limits {
            max_unauthenticated: 30,
            max_connections_per_principal: 2,
            ..Limits::default()
        }
    }

    #[test]
    fn one_source_takes_a_tenth_of_the_places_before_login() {
        let connections = Arc::new(Connections::default());
        let places: Vec<Place> = (0..3)
            .map(|_| connections.enter(IP, &limits(), Duration::ZERO).unwrap())
            .collect();
        assert_eq!(
            connections.enter(IP, &limits(), Duration::ZERO).err(),
            Some(Full::Unauthenticated)
        );
        drop(places);
        assert!(connections.enter(IP, &limits(), Duration::ZERO).is_ok());
        assert_eq!(connections.count(), 0);
    }

    #[test]
    fn block_has_a_cap_of_its_own_for_each_address() {
        let connections = Arc::new(Connections::default());
        let limits = Limits {
            max_connections_per_ip: 2,
            ..Limits::default()
        };
        let blocks = [("10.0.0.0/8", 3), ("10.1.0.0/16", 9), ("fd00::/8", 1)];
        let blocks = blocks.map(|(block, cap)| (Cidr::parse(block).unwrap(), cap));
        connections.except(blocks.into());
        let mut places = Vec::new();
        for (ip, cap) in [
            ("192.0.2.1", 2),
            ("10.0.0.1", 3),
            ("::ffff:10.0.0.2", 3),
            ("10.1.0.1", 3),
            ("fd00::1", 1),
        ] {
            let enter = || connections.enter(ip.parse().unwrap(), &limits, Duration::ZERO);
            places.extend((0..cap).map(|_| enter().unwrap()));
            assert_eq!(enter().err(), Some(Full::Ip), "{ip}");
        }
    }

    #[test]
    fn principal_has_its_own_cap() {
        let connections = Arc::new(Connections::default());
        let mut places = Vec::new();
        for number in 0..3 {
            let mut place = connections.enter(IP, &limits(), Duration::ZERO).unwrap();
            assert_eq!(place.logged_in("alice", &limits()).is_ok(), number < 2);
            places.push(place);
        }
    }

    #[test]
    fn accept_rate_refills_with_time() {
        let connections = Arc::new(Connections::default());
        let limits = Limits {
            accept_rate_per_ip: 1,
            ..Limits::default()
        };
        for _ in 0..5 {
            drop(connections.enter(IP, &limits, Duration::ZERO).unwrap());
        }
        assert_eq!(
            connections.enter(IP, &limits, Duration::ZERO).err(),
            Some(Full::Rate)
        );
        assert!(
            connections
                .enter(IP, &limits, Duration::from_secs(1))
                .is_ok()
        );
    }
}
