//! Counting without locks: counters, gauges, histograms with fixed buckets, and the text that Prometheus reads.
//!
//! In: numbers, at the cost of one or two atomic additions. Out: a [`Page`]. Label values are words of ours, never a
//! peer's: a page cannot be made to grow.

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a metric is: one row of the reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    /// One sentence.
    pub help: &'static str,
}

impl Family {
    pub const fn new(
        name: &'static str,
        kind: Kind,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            labels,
            help,
        }
    }

    /// Base unit, as the name says it.
    pub fn unit(&self) -> &'static str {
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        match name.rsplit('_').next() {
            Some("seconds") => "seconds",
            Some("bytes") => "bytes",
            _ => "number",
        }
    }
}

#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A sum of times.
#[derive(Debug, Default)]
pub struct Seconds(Counter);

impl Seconds {
    pub const fn new() -> Self {
        Self(Counter::new())
    }

    pub fn add(&self, time: Duration) {
        self.0.add(nanos(time));
    }

    pub fn get(&self) -> f64 {
        self.0.get() as f64 / NANOS
    }
}

#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    pub const fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    pub fn add(&self, count: i64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

const BUCKETS: usize = 15;
const NANOS: f64 = 1e9;

/// Upper bounds of buckets, in nanoseconds.
pub type Bounds = [u64; BUCKETS];

/// From a tenth of a millisecond to ten seconds: requests.
pub const REQUESTS: Bounds = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// From a tenth of a microsecond to ten milliseconds: decisions.
pub const DECISIONS: Bounds = [
    100, 200, 300, 500, 700, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000, 100_000,
    1_000_000, 10_000_000,
];

/// Times by size. A record costs a search among fifteen bounds and two additions.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static Bounds,
    buckets: [AtomicU64; BUCKETS + 1],
    sum: AtomicU64,
}

impl Histogram {
    pub const fn new(bounds: &'static Bounds) -> Self {
        Self {
            bounds,
            buckets: [const { AtomicU64::new(0) }; BUCKETS + 1],
            sum: AtomicU64::new(0),
        }
    }

    pub fn record(&self, time: Duration) {
        let nanos = nanos(time);
        let at = self.bounds.partition_point(|bound| *bound < nanos);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(nanos, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        let buckets = self.buckets.iter();
        buckets.map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }

    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum.load(Ordering::Relaxed))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Prometheus' text format, version 0.0.4.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Samples of a family follow its beginning.
    pub fn begin(&mut self, family: &Family) {
        let (name, kind) = (family.name, family.kind.word());
        self.line(format_args!("# HELP {name} {}", family.help));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// A family without labels.
    pub fn single(&mut self, family: &Family, value: impl Display) {
        self.begin(family);
        self.sample(family, &[], value);
    }

    pub fn sample(&mut self, family: &Family, values: &[&str], value: impl Display) {
        let labels = labels(family, values, None);
        self.line(format_args!("{}{labels} {value}", family.name));
    }

    /// Nothing for a histogram in which nothing was recorded, unless it has no labels.
    pub fn histogram(&mut self, family: &Family, values: &[&str], histogram: &Histogram) {
        let name = family.name;
        let mut below = 0;
        for (at, bucket) in histogram.buckets.iter().enumerate() {
            below += bucket.load(Ordering::Relaxed);
            let bound = match histogram.bounds.get(at) {
                Some(bound) => format!("{}", *bound as f64 / NANOS),
                None => "+Inf".to_owned(),
            };
            let labels = labels(family, values, Some(&bound));
            self.line(format_args!("{name}_bucket{labels} {below}"));
        }
        let labels = labels(family, values, None);
        let sum = histogram.sum().as_secs_f64();
        self.line(format_args!("{name}_sum{labels} {sum}"));
        self.line(format_args!("{name}_count{labels} {below}"));
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{text}");
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

fn labels(family: &Family, values: &[&str], bound: Option<&str>) -> String {
    let pairs = family.labels.iter().copied().zip(values.iter().copied());
    let pairs: Vec<String> = pairs
        .chain(bound.map(|bound| ("le", bound)))
        .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", pairs.join(","))
    }
}

fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Family = Family::new("asked_seconds", Kind::Histogram, &["api"], "How long.");

    #[test]
    fn bucket_holds_what_is_not_above_its_bound() {
        let histogram = Histogram::new(&REQUESTS);
        for micros in [99, 100, 101, 20_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let mut page = Page::default();
        page.begin(&ASKED);
        page.histogram(&ASKED, &["Fetch"], &histogram);
        let text = page.into_text();
        for line in [
            "# TYPE asked_seconds histogram",
            "asked_seconds_bucket{api=\"Fetch\",le=\"0.0001\"} 2",
            "asked_seconds_bucket{api=\"Fetch\",le=\"0.00025\"} 3",
            "asked_seconds_bucket{api=\"Fetch\",le=\"10\"} 3",
            "asked_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 4",
            "asked_seconds_sum{api=\"Fetch\"} 20.0003",
            "asked_seconds_count{api=\"Fetch\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn label_value_cannot_end_its_label() {
        let family = Family::new("x", Kind::Gauge, &["listener"], "X.");
        let mut page = Page::default();
        page.sample(&family, &["a\"b\\c\nd"], 1);
        assert_eq!(page.into_text(), "x{listener=\"a\\\"b\\\\c\\nd\"} 1\n");
    }

    #[test]
    fn unit_is_what_the_name_says() {
        let unit = |name| Family::new(name, Kind::Counter, &[], "").unit();
        assert_eq!(unit("read_paused_seconds_total"), "seconds");
        assert_eq!(unit("request_bytes_total"), "bytes");
        assert_eq!(unit("in_flight"), "number");
    }

    #[test]
    fn bounds_rise() {
        for bounds in [REQUESTS, DECISIONS] {
            assert!(bounds.is_sorted());
        }
    }
}
