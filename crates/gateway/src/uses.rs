//! Who reads and writes what: counted as it happens, written to the trail once a minute.
//!
//! In: uses, at the cost of a look-up among the session's own and a few atomic additions. Out: one event a minute for each
//! principal, client, address, listener and thing used. What clients choose cannot make this grow: what is beyond a
//! limit is counted together under the name `(other)`.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kastellan_core::authorize::Basis;
use kastellan_core::event::{Class, ClientFacts, Event, Outcome, cut};
use kastellan_core::operation::Operation;
use kastellan_core::ports::TrailSink;
use kastellan_core::principal::PrincipalName;
use kastellan_core::time::{Clock, Timestamp};
use wire::text::Str;

/// Things that are counted apart, at most.
const TUPLES_MAX: usize = 100_000;
/// Client ids of one principal that are counted apart.
const CLIENTS_MAX: usize = 64;
/// Things that a session finds without asking for them again.
const HELD_MAX: usize = 1_000;
const OTHER: Str = Str::from_static("(other)");
/// The name of topics whose bytes came in one answer.
pub(crate) const SEVERAL: Str = Str::from_static("(several)");
const MINUTE: i64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    Produce,
    Fetch,
    Group,
    /// Left out of a listing.
    Filtered,
}

impl Use {
    const fn kind(self) -> &'static str {
        match self {
            Self::Produce => "data.produce",
            Self::Fetch => "data.fetch",
            Self::Group => "group.use",
            Self::Filtered => "authz.filtered",
        }
    }

    pub(crate) const fn operation(self) -> Operation {
        match self {
            Self::Produce => Operation::Write,
            Self::Fetch | Self::Group => Operation::Read,
            Self::Filtered => Operation::Describe,
        }
    }
}

/// Numbers of one minute.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    requests: AtomicU64,
    partitions: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    left_out: AtomicU64,
}

impl Counts {
    pub(crate) fn request(&self, partitions: usize) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.partitions
            .fetch_add(partitions as u64, Ordering::Relaxed);
    }

    pub(crate) fn data(&self, records: u64, bytes: usize) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// So many names were left out of a listing.
    pub(crate) fn left_out(&self, names: usize) {
        if names > 0 {
            self.request(0);
            self.left_out.fetch_add(names as u64, Ordering::Relaxed);
        }
    }

    fn take(&self) -> Vec<(&'static str, u64)> {
        [
            ("requests", &self.requests),
            ("partitions", &self.partitions),
            ("records", &self.records),
            ("bytes", &self.bytes),
            ("left_out", &self.left_out),
        ]
        .into_iter()
        .map(|(name, count)| (name, count.swap(0, Ordering::Relaxed)))
        .filter(|(_, count)| *count > 0)
        .collect()
    }
}

/// Whose use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Who {
    pub(crate) principal: PrincipalName,
    pub(crate) proof: &'static str,
    pub(crate) ip: IpAddr,
    pub(crate) listener: Arc<str>,
    pub(crate) client: Option<Str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    who: Who,
    what: Use,
    /// A topic, a group, or an API.
    name: Str,
    rule: Basis,
}

#[derive(Debug, Default)]
struct Tuples {
    counts: HashMap<Key, Arc<Counts>>,
    clients: HashMap<PrincipalName, HashSet<Option<Str>>>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Uses {
    tuples: Mutex<Tuples>,
    /// When they were told last, in milliseconds since 1970.
    told: AtomicI64,
}

impl Uses {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            tuples: Mutex::default(),
            told: AtomicI64::new(now.0),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tuples> {
        self.tuples.lock().expect("nobody panics while holding it")
    }

    fn counts(&self, mut key: Key) -> Arc<Counts> {
        let mut tuples = self.lock();
        let clients = tuples.clients.entry(key.who.principal.clone()).or_default();
        if clients.len() < CLIENTS_MAX || clients.contains(&key.who.client) {
            clients.insert(key.who.client.clone());
        } else {
            key.who.client = Some(OTHER);
        }
        if tuples.counts.len() >= TUPLES_MAX && !tuples.counts.contains_key(&key) {
            key.name = OTHER;
            key.who.client = Some(OTHER);
            key.who.ip = IpAddr::from([0, 0, 0, 0]);
            key.rule = Basis::Everyone;
        }
        tuples.counts.entry(key).or_default().clone()
    }

    /// One event for each thing that was used since the last time. What no session holds any more is forgotten.
    fn take(&self, to: Timestamp) -> Vec<Event> {
        let from = Timestamp(self.told.swap(to.0, Ordering::Relaxed));
        let mut events = Vec::new();
        let mut tuples = self.lock();
        tuples.counts.retain(|key, counts| {
            // Whoever holds it may still count; nobody else can get hold of it meanwhile.
            let is_held = Arc::strong_count(counts) > 1;
            let taken = counts.take();
            if !taken.is_empty() {
                events.push(event(key, &taken, from, to));
            }
            is_held
        });
        let mut clients: HashMap<PrincipalName, HashSet<Option<Str>>> = HashMap::new();
        for key in tuples.counts.keys() {
            let of_principal = clients.entry(key.who.principal.clone()).or_default();
            of_principal.insert(key.who.client.clone());
        }
        tuples.clients = clients;
        events
    }
}

fn event(key: &Key, taken: &[(&'static str, u64)], from: Timestamp, to: Timestamp) -> Event {
    let Key {
        who,
        what,
        name,
        rule,
    } = key;
    let outcome = match what {
        Use::Filtered => Outcome::Filtered,
        _ => Outcome::Allowed,
    };
    let mut event = Event::new(what.kind(), Class::Aggregate, outcome)
        .by(&who.principal, Some(who.proof))
        .from_peer(SocketAddr::new(who.ip, 0), &who.listener);
    event.client = who.client.as_ref().map(|id| ClientFacts {
        id: Some(cut(id)),
        ..ClientFacts::default()
    });
    let counts = taken.iter().copied().chain([
        ("from", u64::try_from(from.0).unwrap_or(0)),
        ("to", u64::try_from(to.0).unwrap_or(0)),
    ]);
    event.counts = counts
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    if *what == Use::Filtered {
        return event.with("api", name);
    }
    event.rule = Some(rule.to_string());
    event.op = Some(what.operation().name().to_owned());
    let kind = if *what == Use::Group {
        "group"
    } else {
        "topic"
    };
    event.on(kind, name)
}

/// Writes what was used to the trail, at each full minute, until it is dropped.
pub(crate) async fn keep(uses: &Uses, trail: &dyn TrailSink, clock: &Clock) -> ! {
    loop {
        let left = MINUTE - clock.now().0.rem_euclid(MINUTE);
        tokio::time::sleep(Duration::from_millis(left.unsigned_abs())).await;
        tell(uses, trail, clock.now()).await;
    }
}

/// Writes what was used since the last time.
pub(crate) async fn tell(uses: &Uses, trail: &dyn TrailSink, now: Timestamp) {
    for event in uses.take(now) {
        // One after the other: a full queue makes this wait, not those who are served.
        let _ = trail.record(event).await;
    }
}

/// What one session uses.
#[derive(Default)]
pub(crate) struct Held(HashMap<(Use, Str), Holding>);

struct Holding {
    rule: Basis,
    client: Option<Str>,
    counts: Arc<Counts>,
}

/// The counts of a use, and whether it is the first of its kind in the session.
pub(crate) struct Found {
    pub(crate) counts: Arc<Counts>,
    pub(crate) is_first: bool,
}

impl Held {
    pub(crate) fn find(
        &mut self,
        uses: &Uses,
        what: Use,
        name: &Str,
        rule: Basis,
        client: Option<&Str>,
        who: impl FnOnce(Option<Str>) -> Who,
    ) -> Found {
        let place = (what, name.clone());
        let known = self.0.get(&place);
        if let Some(holding) = known
            && holding.rule == rule
            && holding.client.as_ref() == client
        {
            return Found {
                counts: holding.counts.clone(),
                is_first: false,
            };
        }
        let is_first = known.is_none();
        if self.0.len() >= HELD_MAX {
            self.0.clear();
        }
        let client = client.map(Str::detached);
        let name = name.detached();
        let counts = uses.counts(Key {
            who: who(client.clone()),
            what,
            name: name.clone(),
            rule,
        });
        let holding = Holding {
            rule,
            client,
            counts: counts.clone(),
        };
        self.0.insert((what, name), holding);
        Found { counts, is_first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kastellan_core::event::types;

    fn who(client: Option<Str>) -> Who {
        Who {
            principal: PrincipalName::user("alice"),
            proof: "PLAIN",
            ip: IpAddr::from([10, 0, 0, 1]),
            listener: "sasl".into(),
            client,
        }
    }

    fn find(held: &mut Held, uses: &Uses, name: &str, client: &str) -> Found {
        let client = Str::from(client);
        held.find(
            uses,
            Use::Produce,
            &Str::from(name),
            Basis::SuperUser,
            Some(&client),
            who,
        )
    }

    fn take(uses: &Uses) -> Vec<Event> {
        uses.told.store(0, Ordering::Relaxed);
        uses.take(Timestamp(60_000))
    }

    #[test]
    fn minute_is_one_event_and_what_nobody_holds_is_forgotten() {
        let (uses, mut held) = (Uses::new(Timestamp(0)), Held::default());
        let first = find(&mut held, &uses, "orders", "app");
        let second = find(&mut held, &uses, "orders", "app");
        assert!(first.is_first && !second.is_first);
        for found in [first, second] {
            found.counts.request(2);
            found.counts.data(10, 1_000);
        }
        let told = take(&uses);
        assert_eq!(told.len(), 1);
        assert_eq!(types::check(&told[0]), Ok(()));
        let counts: Vec<(&str, u64)> = (told[0].counts.iter())
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        let expected = [
            ("bytes", 2_000),
            ("from", 0),
            ("partitions", 4),
            ("records", 20),
            ("requests", 2),
            ("to", 60_000),
        ];
        assert_eq!(counts, expected);
        assert_eq!(take(&uses), [], "nothing was used since");
        let late = find(&mut held, &uses, "orders", "app").counts;
        drop(held);
        late.request(1);
        assert_eq!(take(&uses).len(), 1, "counted behind the session's end");
        drop(late);
        assert_eq!(take(&uses), []);
        assert!(uses.lock().counts.is_empty() && uses.lock().clients.is_empty());
    }

    #[test]
    fn client_ids_without_end_are_counted_together() {
        let (uses, mut held) = (Uses::new(Timestamp(0)), Held::default());
        for number in 0..CLIENTS_MAX * 3 {
            let found = find(&mut held, &uses, "orders", &number.to_string());
            found.counts.request(1);
        }
        let told = take(&uses);
        assert_eq!(told.len(), CLIENTS_MAX + 1);
        let requests: u64 = told.iter().map(|event| event.counts["requests"]).sum();
        assert_eq!(requests, CLIENTS_MAX as u64 * 3, "none is lost");
    }

    #[test]
    fn session_with_topics_without_end_holds_no_more_than_its_share() {
        let (uses, mut held) = (Uses::new(Timestamp(0)), Held::default());
        for number in 0..HELD_MAX * 2 + 1 {
            find(&mut held, &uses, &number.to_string(), "app");
        }
        assert!(held.0.len() <= HELD_MAX);
    }
}
