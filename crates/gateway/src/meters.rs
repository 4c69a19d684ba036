//! What the data plane counts. Fixed places, found by number: counting takes no lock and no memory.
//!
//! Connections and logins are few and are counted where they happen, through the `metrics` crate. Here is what happens
//! at every request, and what is only looked at when somebody asks.

use std::time::Duration;

use kastellan_core::meter::{
    Counter, DECISIONS, Family, Gauge, Histogram, Kind, Page, REQUESTS, Seconds,
};
use tokio::time::Instant;
use wire::api;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Forwarded, and nothing of it refused.
    Allowed,
    /// Something was forwarded and something refused.
    Partial,
    /// Nothing was forwarded, because of what was refused.
    Denied,
    /// Answered by the gateway itself.
    Local,
    /// Ended its connection.
    Error,
}

impl Outcome {
    const ALL: [Self; 5] = [
        Self::Allowed,
        Self::Partial,
        Self::Denied,
        Self::Local,
        Self::Error,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Partial => "partial",
            Self::Denied => "denied",
            Self::Local => "local",
            Self::Error => "error",
        }
    }
}

/// Why the client is not read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pause {
    /// As many requests are in flight as may be.
    InFlight,
    /// Memory for large requests is used up.
    Memory,
}

#[derive(Debug)]
pub(crate) struct OfApi {
    requests: [Counter; Outcome::ALL.len()],
    pub(crate) request_bytes: Counter,
    pub(crate) response_bytes: Counter,
    pub(crate) refusals: Counter,
    pub(crate) hidden: Counter,
    pub(crate) request_tags: Counter,
    pub(crate) response_tags: Counter,
    request_seconds: Histogram,
    own_seconds: Histogram,
}

impl OfApi {
    const fn new() -> Self {
        Self {
            requests: [const { Counter::new() }; Outcome::ALL.len()],
            request_bytes: Counter::new(),
            response_bytes: Counter::new(),
            refusals: Counter::new(),
            hidden: Counter::new(),
            request_tags: Counter::new(),
            response_tags: Counter::new(),
            request_seconds: Histogram::new(&REQUESTS),
            own_seconds: Histogram::new(&REQUESTS),
        }
    }

    pub(crate) fn judged(&self, outcome: Outcome) {
        self.requests[outcome as usize].add(1);
    }

    /// A request was answered: its answer lies ready for the client.
    pub(crate) fn answered(&self, began: Instant, upstream: Duration, bytes: usize) {
        let whole = began.elapsed();
        self.request_seconds.record(whole);
        self.own_seconds.record(whole.saturating_sub(upstream));
        self.response_bytes.add(bytes as u64);
    }
}

/// Keys above it share a place.
const KEYS: usize = 100;

static OF_API: [OfApi; KEYS + 1] = [const { OfApi::new() }; KEYS + 1];

/// The place of an API. Keys that nobody knows share one.
pub(crate) fn of(key: i16) -> &'static OfApi {
    let at = usize::try_from(key).map_or(KEYS, |key| key.min(KEYS));
    &OF_API[at]
}

pub(crate) struct Whole {
    pub(crate) in_flight: Gauge,
    paused: [Seconds; 2],
    pub(crate) authorize: Histogram,
    pub(crate) upstream_connections: Gauge,
    pub(crate) upstream_failures: Counter,
    pub(crate) upstream_seconds: Histogram,
    pub(crate) fetch_session_resets: Counter,
}

pub(crate) static WHOLE: Whole = Whole {
    in_flight: Gauge::new(),
    paused: [const { Seconds::new() }; 2],
    authorize: Histogram::new(&DECISIONS),
    upstream_connections: Gauge::new(),
    upstream_failures: Counter::new(),
    upstream_seconds: Histogram::new(&REQUESTS),
    fetch_session_resets: Counter::new(),
};

impl Whole {
    pub(crate) fn paused(&self, why: Pause, since: Instant) {
        self.paused[why as usize].add(since.elapsed());
    }
}

/// A connection to the upstream, while it lives.
pub(crate) struct UpstreamConnection(());

impl UpstreamConnection {
    pub(crate) fn opened() -> Self {
        WHOLE.upstream_connections.add(1);
        Self(())
    }
}

impl Drop for UpstreamConnection {
    fn drop(&mut self) {
        WHOLE.upstream_connections.add(-1);
    }
}

/// What is only known when somebody asks.
pub(crate) struct Now {
    pub(crate) request_memory: u64,
    pub(crate) policy_epoch: u64,
    pub(crate) policy_age: Duration,
    pub(crate) revocation_age: Duration,
}

use Kind::{Counter as COUNT, Gauge as LEVEL, Histogram as TIMES};

const REQUESTS_TOTAL: Family = Family::new(
    "gateway_requests_total",
    COUNT,
    &["api", "outcome"],
    "Requests of clients: allowed (forwarded whole), partial (some of it refused), denied (nothing forwarded), local (answered by the gateway), error (ended the connection).",
);
const REQUEST_SECONDS: Family = Family::new(
    "gateway_request_seconds",
    TIMES,
    &["api"],
    "From a request's last byte until its answer lies ready for the client.",
);
const OWN_SECONDS: Family = Family::new(
    "gateway_own_seconds",
    TIMES,
    &["api"],
    "The same without the time that the upstream took.",
);
const REQUEST_BYTES: Family = Family::new(
    "gateway_request_bytes_total",
    COUNT,
    &["api"],
    "Bytes of requests of clients.",
);
const RESPONSE_BYTES: Family = Family::new(
    "gateway_response_bytes_total",
    COUNT,
    &["api"],
    "Bytes of answers to clients.",
);
const REFUSALS: Family = Family::new(
    "gateway_refusals_total",
    COUNT,
    &["api"],
    "Requests of which the policy refused something; each is on the trail.",
);
const HIDDEN: Family = Family::new(
    "gateway_hidden_api_total",
    COUNT,
    &["api"],
    "Requests that ended their connection because their API is not offered.",
);
const UNKNOWN_TAGS: Family = Family::new(
    "gateway_unknown_tags_total",
    COUNT,
    &["api", "direction"],
    "Messages with fields that nobody here knows, which were taken out: requests, and responses of the upstream.",
);
const AUTHORIZE: Family = Family::new(
    "gateway_authorize_seconds",
    TIMES,
    &[],
    "One decision of the policy: the first one of each request is timed.",
);
const IN_FLIGHT: Family = Family::new(
    "gateway_in_flight",
    LEVEL,
    &[],
    "Requests that were read and whose answers are not written yet.",
);
const REQUEST_MEMORY: Family = Family::new(
    "gateway_request_memory_bytes",
    LEVEL,
    &[],
    "Memory that large requests hold of gateway.limits.request_memory.",
);
const PAUSED: Family = Family::new(
    "gateway_read_paused_seconds_total",
    COUNT,
    &["reason"],
    "How long clients were not read: in_flight (too many requests at once), memory (request memory used up).",
);
const POLICY_EPOCH: Family = Family::new(
    "gateway_policy_epoch",
    LEVEL,
    &[],
    "Number of the policy in force; it rises with every change.",
);
const POLICY_AGE: Family = Family::new(
    "gateway_policy_age_seconds",
    LEVEL,
    &[],
    "How long the policy in force has been so.",
);
const REVOCATION_AGE: Family = Family::new(
    "gateway_revocation_feed_age_seconds",
    LEVEL,
    &[],
    "Since the store last told the sessions of a change of users, credentials, certificates or rules, or since the start.",
);
const UPSTREAM_CONNECTIONS: Family = Family::new(
    "gateway_upstream_connections",
    LEVEL,
    &[],
    "Connections of clients that have one to the upstream.",
);
const UPSTREAM_FAILURES: Family = Family::new(
    "gateway_upstream_connect_failures_total",
    COUNT,
    &[],
    "Connections to the upstream that could not be opened.",
);
const UPSTREAM_SECONDS: Family = Family::new(
    "gateway_upstream_seconds",
    TIMES,
    &[],
    "From handing a request to the upstream until its answer; a Fetch waits as long as the client asked for.",
);
const FETCH_RESETS: Family = Family::new(
    "gateway_fetch_session_resets_total",
    COUNT,
    &[],
    "Fetches that named a session and were told to begin anew.",
);

/// Everything that [`render`] writes.
pub const FAMILIES: &[Family] = &[
    REQUESTS_TOTAL,
    REQUEST_SECONDS,
    OWN_SECONDS,
    REQUEST_BYTES,
    RESPONSE_BYTES,
    REFUSALS,
    HIDDEN,
    UNKNOWN_TAGS,
    AUTHORIZE,
    IN_FLIGHT,
    REQUEST_MEMORY,
    PAUSED,
    POLICY_EPOCH,
    POLICY_AGE,
    REVOCATION_AGE,
    UPSTREAM_CONNECTIONS,
    UPSTREAM_FAILURES,
    UPSTREAM_SECONDS,
    FETCH_RESETS,
];

/// Keys with their names; one stands for all that nobody knows.
fn apis() -> impl Iterator<Item = (&'static str, &'static OfApi)> {
    let known = api::MATRIX.iter().map(|row| (row.name, of(row.key)));
    known.chain([("unknown", &OF_API[KEYS])])
}

pub(crate) fn render(page: &mut Page, now: &Now) {
    page.begin(&REQUESTS_TOTAL);
    for (name, of) in apis() {
        for outcome in Outcome::ALL {
            let count = of.requests[outcome as usize].get();
            if count > 0 {
                page.sample(&REQUESTS_TOTAL, &[name, outcome.label()], count);
            }
        }
    }
    times(page, &REQUEST_SECONDS, |of| &of.request_seconds);
    times(page, &OWN_SECONDS, |of| &of.own_seconds);
    counts(page, &REQUEST_BYTES, |of| &of.request_bytes);
    counts(page, &RESPONSE_BYTES, |of| &of.response_bytes);
    counts(page, &REFUSALS, |of| &of.refusals);
    counts(page, &HIDDEN, |of| &of.hidden);
    page.begin(&UNKNOWN_TAGS);
    for (name, of) in apis() {
        let both = [
            ("request", &of.request_tags),
            ("response", &of.response_tags),
        ];
        for (direction, counter) in both.into_iter().filter(|(_, counter)| counter.get() > 0) {
            page.sample(&UNKNOWN_TAGS, &[name, direction], counter.get());
        }
    }
    page.begin(&AUTHORIZE);
    page.histogram(&AUTHORIZE, &[], &WHOLE.authorize);
    page.single(&IN_FLIGHT, WHOLE.in_flight.get());
    page.single(&REQUEST_MEMORY, now.request_memory);
    page.begin(&PAUSED);
    for (reason, seconds) in ["in_flight", "memory"].into_iter().zip(&WHOLE.paused) {
        page.sample(&PAUSED, &[reason], seconds.get());
    }
    page.single(&POLICY_EPOCH, now.policy_epoch);
    page.single(&POLICY_AGE, now.policy_age.as_secs_f64());
    page.single(&REVOCATION_AGE, now.revocation_age.as_secs_f64());
    page.single(&UPSTREAM_CONNECTIONS, WHOLE.upstream_connections.get());
    page.single(&UPSTREAM_FAILURES, WHOLE.upstream_failures.get());
    page.begin(&UPSTREAM_SECONDS);
    page.histogram(&UPSTREAM_SECONDS, &[], &WHOLE.upstream_seconds);
    page.single(&FETCH_RESETS, WHOLE.fetch_session_resets.get());
}

fn counts(page: &mut Page, family: &Family, counter: impl Fn(&OfApi) -> &Counter) {
    page.begin(family);
    for (name, count) in apis().map(|(name, of)| (name, counter(of).get())) {
        if count > 0 {
            page.sample(family, &[name], count);
        }
    }
}

fn times(page: &mut Page, family: &Family, histogram: impl Fn(&OfApi) -> &Histogram) {
    page.begin(family);
    for (name, histogram) in apis().map(|(name, of)| (name, histogram(of))) {
        if histogram.count() > 0 {
            page.histogram(family, &[name], histogram);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_rendered_once_and_in_order() {
        let mut page = Page::default();
        let now = Now {
            request_memory: 0,
            policy_epoch: 7,
            policy_age: Duration::ZERO,
            revocation_age: Duration::ZERO,
        };
        render(&mut page, &now);
        let text = page.into_text();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let found: Vec<String> = types.map(str::to_owned).collect();
        let wanted = FAMILIES
            .iter()
            .map(|one| format!("{} {}", one.name, one.kind.word()));
        assert_eq!(found, wanted.collect::<Vec<_>>());
        assert!(text.contains("gateway_policy_epoch 7\n"));
    }

    #[test]
    fn every_key_has_its_own_place_and_unknown_ones_share_one() {
        let keys = api::MATRIX.iter().map(|row| row.key);
        let mut places: Vec<*const OfApi> = keys.map(|key| of(key) as *const OfApi).collect();
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count);
        for unknown in [-1, i16::MIN, 100, i16::MAX] {
            assert!(std::ptr::eq(of(unknown), &OF_API[KEYS]), "{unknown}");
            assert!(!places.contains(&(of(unknown) as *const OfApi)));
        }
    }
}
