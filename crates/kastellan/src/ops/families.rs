//! Every metric that is served: what the data plane counts in places of its own, and what is counted through the
//! `metrics` crate where it happens. The reference page is made from this.

use kastellan_core::meter::{Family, Kind};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use Kind::{Counter as COUNT, Gauge as LEVEL, Histogram as TIMES};

pub const CERTIFICATE_EXPIRY: Family = Family::new(
    "gateway_certificate_expiry_seconds",
    LEVEL,
    &["listener"],
    "Until the listener's certificate ends.",
);

pub const CRL_NEXT_UPDATE: Family = Family::new(
    "gateway_crl_next_update_seconds",
    LEVEL,
    &["listener"],
    "Until the first of the listener's revocation lists ends; 0: it has, and clients with a certificate are refused.",
);

const LISTENER: &[&str] = &["listener"];
const LOGIN: &[&str] = &["listener", "mechanism", "outcome"];

/// Counted where it happens; on the page once it happened.
#[rustfmt::skip]
const COUNTED: &[Family] = &[
    Family::new("gateway_connections", LEVEL, &[], "Open connections of clients, logged in or not."),
    Family::new("gateway_connections_total", COUNT, LISTENER, "Connections that got a place."),
    Family::new("gateway_connections_refused_total", COUNT, &["listener", "reason"], "Connections closed before a byte was read: max_connections, max_unauthenticated, max_connections_per_ip, accept_rate_per_ip, failed_logins, untrusted_proxy, proxy_header."),
    Family::new("gateway_disconnects_total", COUNT, &["cause"], "Connections that ended, by who or what ended them."),
    Family::new("gateway_handshake_seconds", TIMES, LISTENER, "TLS handshakes that succeeded."),
    Family::new("gateway_handshake_failures_total", COUNT, &["listener", "reason"], "TLS handshakes that failed, and what else knocked at a TLS listener."),
    Family::new("gateway_logins_total", COUNT, LOGIN, "Logins: ok, refused."),
    Family::new("gateway_login_seconds", TIMES, &["listener", "mechanism"], "From the accepted connection to the end of a login that was right."),
    Family::new("gateway_login_throttled_total", COUNT, &["scope"], "Logins made to wait or turned away after failures: by source, by account."),
    Family::new("gateway_reauthentications_total", COUNT, LOGIN, "Proofs on a connection that was logged in: ok, refused."),
    Family::new("gateway_sessions", LEVEL, &[], "Connections that are logged in."),
    Family::new("gateway_sessions_cut_total", COUNT, &["cause"], "Sessions that were ended: revoked, expired."),
    Family::new("gateway_reloads_total", COUNT, &["outcome"], "Reloads of configuration and certificates: ok, refused (the old stays in force)."),
    Family::new("group_members", LEVEL, &[], "Members of consumer groups of the embedded log."),
    Family::new("group_rebalances_total", COUNT, &[], "Generations that consumer groups began."),
    Family::new("offsets_committed_total", COUNT, &[], "Offsets that groups committed."),
    Family::new("log_append_bytes_total", COUNT, &[], "Bytes of batches that were appended."),
    Family::new("log_append_seconds", TIMES, &[], "Appending one batch to its file, not yet durable."),
    Family::new("log_sync_seconds", TIMES, &[], "One sync of a file."),
    Family::new("log_sync_files", LEVEL, &[], "Files that wait for their sync."),
    Family::new("log_fetch_waiters", LEVEL, &[], "Fetches that wait for records."),
    Family::new("log_disk_free_bytes", LEVEL, &[], "Free space where the log lies."),
    Family::new("log_failed", LEVEL, &[], "1 when the log promises nothing any more and the server ends."),
    Family::new("log_partitions_offline", LEVEL, &[], "Partitions whose files cannot be trusted and are not served."),
    Family::new("log_recovery_seconds", LEVEL, &[], "How long the newest start took to look through the files."),
    Family::new("log_recovery_rewritten_bytes", COUNT, &[], "Bytes that recovery wrote anew."),
    Family::new("trail_events_total", COUNT, &["type"], "Entries of the trail, by type of event."),
    Family::new("trail_fsync_seconds", TIMES, &[], "One sync of the trail."),
    Family::new("trail_missed_total", COUNT, &[], "Events that the trail could not take."),
    Family::new("trail_gap_total", COUNT, &[], "Gaps that the trail tells of."),
];

/// Tells the recorder what the metrics are that it will meet.
pub fn describe() {
    for family in COUNTED {
        let unit = match family.unit() {
            "seconds" => Unit::Seconds,
            "bytes" => Unit::Bytes,
            _ => Unit::Count,
        };
        match family.kind {
            COUNT => describe_counter!(family.name, unit, family.help),
            LEVEL => describe_gauge!(family.name, unit, family.help),
            TIMES => describe_histogram!(family.name, unit, family.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything, by name.
    fn all() -> Vec<Family> {
        let mut all = [
            gateway::meters::FAMILIES,
            COUNTED,
            &[CERTIFICATE_EXPIRY, CRL_NEXT_UPDATE],
        ]
        .concat();
        all.sort_by_key(|family| family.name);
        all
    }

    /// The reference page, from the table.
    fn page() -> String {
        let mut page = String::from(
            "# Metrics\n\n\
             Served as Prometheus text on the address of `[ops] bind`, path `/metrics`. No principal, topic, client id or\n\
             address is ever a label: what a client chooses cannot make the page grow. A series is there once something was\n\
             counted in it. Histograms have fixed buckets. This page is made from the program; a test keeps it current.\n\n\
             | name | type | unit | labels | meaning |\n|---|---|---|---|---|\n",
        );
        for family in all() {
            let labels: Vec<String> = family.labels.iter().map(|l| format!("`{l}`")).collect();
            page.push_str(&format!(
                "| `{}` | {} | {} | {} | {} |\n",
                family.name,
                family.kind.word(),
                family.unit(),
                if labels.is_empty() {
                    "-".to_owned()
                } else {
                    labels.join(", ")
                },
                family.help
            ));
        }
        page
    }

    const PATH: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/metrics.md"
    );

    #[test]
    fn metrics_page_is_current() {
        let found = std::fs::read_to_string(PATH).unwrap_or_default();
        assert!(
            found == page(),
            "write it anew: cargo test -p kastellan write_metrics_page -- --ignored"
        );
    }

    #[test]
    #[ignore = "writes docs/reference/metrics.md"]
    fn write_metrics_page() {
        std::fs::write(PATH, page()).unwrap();
    }

    #[test]
    fn no_name_is_used_twice() {
        let names: Vec<&str> = all().iter().map(|family| family.name).collect();
        let mut distinct = names.clone();
        distinct.dedup();
        assert_eq!(names, distinct);
    }
}
