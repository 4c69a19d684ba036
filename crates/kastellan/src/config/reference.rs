//! What each key means: one row a key. The page `docs/reference/configuration.md` is written from this table, and a
//! test holds table, page and reader together.

/// One key.
pub struct Key {
    /// Full path, list indexes left out: `gateway.listener.bind`.
    pub path: &'static str,
    pub kind: &'static str,
    pub default: &'static str,
    pub text: &'static str,
}

const fn key(
    path: &'static str,
    kind: &'static str,
    default: &'static str,
    text: &'static str,
) -> Key {
    Key {
        path,
        kind,
        default,
        text,
    }
}

/// Every key, in the order of the page.
pub const KEYS: &[Key] = &[
    key(
        "gateway.super_users",
        "list of principals",
        "`[]`",
        "Principals, such as `User:ops`, that no rule binds, not even a deny. The `admin` account of the first start is allowed by rules, not by this list.",
    ),
    key(
        "gateway.listener.name",
        "text",
        "required",
        "Name in logs, metrics and the trail. Unique.",
    ),
    key(
        "gateway.listener.bind",
        "address:port",
        "required",
        "Where to listen. Port 0 takes a free one.",
    ),
    key(
        "gateway.listener.protocol",
        "`sasl_ssl`, `ssl`, `insecure_sasl_plaintext`, `insecure_plaintext`",
        "`sasl_ssl`",
        "`ssl` proves clients by certificate. The insecure ones are for loopback and say so at every start.",
    ),
    key(
        "gateway.listener.mechanisms",
        "list of `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`",
        "`[\"SCRAM-SHA-512\"]`",
        "SASL mechanisms offered. Only for the SASL protocols.",
    ),
    key(
        "gateway.listener.advertised",
        "host:port",
        "the bound address",
        "What clients are told to connect to. The server certificate must cover the host.",
    ),
    key(
        "gateway.listener.principal_mapping_rules",
        "list of rules",
        "`[\"RULE:^CN=([^,=]+)$/$1/\", \"DEFAULT\"]`",
        "Kafka's `ssl.principal.mapping.rules`, first match wins: from the certificate's subject (RFC 2253) to a user name. No match closes the connection.",
    ),
    key(
        "gateway.listener.principal_from",
        "`subject`, `san_uri`, `san_dns`",
        "`subject`",
        "Which part of the client certificate names the user. Two values of the chosen kind are refused.",
    ),
    key(
        "gateway.listener.proxy_protocol",
        "`off`, `required`",
        "`off`",
        "Whether every connection starts with a PROXY header (version 1 or 2), before TLS. Its address is what rules, caps and throttling see.",
    ),
    key(
        "gateway.listener.trusted_proxies",
        "list of address blocks",
        "`[]`",
        "Who may send a PROXY header. A connection from anywhere else is closed.",
    ),
    key(
        "gateway.listener.insecure_accept_remote",
        "true, false",
        "`false`",
        "Lets a clear-text listener bind to an address that other machines reach.",
    ),
    key(
        "gateway.listener.insecure_bearer_secrets_without_tls",
        "true, false",
        "`false`",
        "Lets PLAIN run on `insecure_sasl_plaintext`.",
    ),
    key(
        "gateway.listener.tls.certificate",
        "path, `own_ca`",
        "`own_ca`",
        "PEM file, leaf first, with the whole chain; or a certificate of our own CA, renewed by itself.",
    ),
    key(
        "gateway.listener.tls.key",
        "path",
        "none",
        "PEM key of the certificate (PKCS#8, SEC1 or PKCS#1).",
    ),
    key(
        "gateway.listener.tls.min_version",
        "`1.2`, `1.3`",
        "`1.2`",
        "Oldest TLS version accepted.",
    ),
    key(
        "gateway.listener.tls.client_auth",
        "`off`, `optional`, `required`",
        "`required` on `ssl`, else `off`",
        "Whether clients are asked for a certificate. On `sasl_ssl` it is one more gate; the principal stays SASL's.",
    ),
    key(
        "gateway.listener.tls.client_ca",
        "path",
        "our own CA",
        "PEM file with the roots that client certificates must chain to.",
    ),
    key(
        "gateway.listener.tls.crl",
        "list of paths",
        "`[]`",
        "PEM revocation lists. With any list here every certificate of a chain must be covered by one that is not past its `nextUpdate`. Our own CA's list is always used for its certificates.",
    ),
    key(
        "gateway.listener.tls.insecure_accept_stale_crl",
        "true, false",
        "`false`",
        "Goes on with a revocation list past its `nextUpdate`.",
    ),
    key(
        "gateway.limits.frame_max_before_login",
        "size",
        "`64KiB`",
        "Largest frame before login.",
    ),
    key(
        "gateway.limits.frame_max",
        "size",
        "`100MiB`",
        "Largest Produce frame (Kafka's `socket.request.max.bytes`).",
    ),
    key(
        "gateway.limits.frame_max_other",
        "size",
        "`16MiB`",
        "Largest frame of any other request.",
    ),
    key(
        "gateway.limits.fetch_max_bytes",
        "size",
        "`64MiB`",
        "Fetch sizes asked for are lowered to this.",
    ),
    key(
        "gateway.limits.request_memory",
        "size",
        "`512MiB`",
        "Memory for requests above 64 KiB, whole process. When it is used up, connections wait. One principal gets half of it at most.",
    ),
    key(
        "gateway.limits.in_flight",
        "number",
        "`64`",
        "Requests in flight on one connection; above it the connection is not read.",
    ),
    key(
        "gateway.limits.max_connections",
        "number",
        "`10000`, or what the open-file limit allows",
        "Connections of all listeners. A number that the open-file limit (`ulimit -Hn`) does not allow ends the start.",
    ),
    key(
        "gateway.limits.max_unauthenticated",
        "number",
        "`1000`",
        "Connections that have not logged in yet; one source may hold a tenth.",
    ),
    key(
        "gateway.limits.max_connections_per_ip",
        "number",
        "`1000`",
        "Connections from one address (IPv4 /32, IPv6 /64).",
    ),
    key(
        "gateway.limits.max_connections_per_ip_overrides",
        "list of `block = number`",
        "`[]`",
        "Another number for each address within a block, such as `\"10.0.0.0/8 = 5000\"`: machines behind one address, load generators. The first block that holds the address counts.",
    ),
    key(
        "gateway.limits.max_connections_per_principal",
        "number",
        "`2000`",
        "Connections of one principal.",
    ),
    key(
        "gateway.limits.accept_rate",
        "per second",
        "`200`",
        "New connections per listener; the burst is twice that. More wait in the backlog.",
    ),
    key(
        "gateway.limits.accept_rate_per_ip",
        "per second",
        "`20`",
        "New connections per address; the burst is five times that. More are closed.",
    ),
    key(
        "gateway.deadlines.tls_handshake",
        "duration",
        "`10s`",
        "From accept to the end of the TLS handshake.",
    ),
    key(
        "gateway.deadlines.first_byte",
        "duration",
        "`10s`",
        "From the handshake to the first Kafka byte.",
    ),
    key(
        "gateway.deadlines.sasl_round",
        "duration",
        "`10s`",
        "One SASL message.",
    ),
    key(
        "gateway.deadlines.login",
        "duration",
        "`30s`",
        "From accept to the end of login.",
    ),
    key(
        "gateway.deadlines.frame",
        "duration",
        "`30s`",
        "One frame from its first byte, and one second more for each MiB.",
    ),
    key(
        "gateway.deadlines.write",
        "duration",
        "`30s`",
        "Writing to a client without progress.",
    ),
    key(
        "gateway.deadlines.idle",
        "duration",
        "`10m`",
        "A connection with nothing in flight (Kafka's `connections.max.idle.ms`).",
    ),
    key(
        "gateway.deadlines.failed_login_delay",
        "duration",
        "`200ms`",
        "Every refused login is answered this long after the proof arrived.",
    ),
    key(
        "gateway.deadlines.session_max",
        "duration",
        "`12h`",
        "Life of a session, at least `1s`. Clients are told, and those that know how prove themselves again on the same connection (KIP-368, Kafka's `connections.max.reauth.ms`). The first other request behind the end closes the connection, and so do 30 s of silence.",
    ),
    key(
        "gateway.deadlines.drain",
        "duration",
        "`30s`",
        "How long a stopping server waits for requests in flight.",
    ),
    key(
        "gateway.upstream.bootstrap",
        "host:port",
        "the embedded log",
        "The one Apache Kafka node to stand in front of, on loopback.",
    ),
    key(
        "gateway.upstream.insecure_upstream_plaintext",
        "true, false",
        "`false`",
        "Reaches that node in clear text; `true` is required, since TLS towards it is not offered.",
    ),
    key(
        "log.master_key",
        "path",
        "`master.key` in the data directory",
        "32 bytes, mode 0600, that wrap the root keys of the embedded log.",
    ),
    key(
        "log.auto_create_topics",
        "true, false",
        "`true`",
        "Creates a topic that is asked for and missing, where a rule allows Create and the client wants it.",
    ),
    key(
        "log.num_partitions",
        "number",
        "`1`",
        "Partitions of a topic that is created without a count.",
    ),
    key(
        "log.initial_rebalance_delay",
        "duration",
        "`3s`",
        "How long the first member of an empty group waits for others (Kafka's `group.initial.rebalance.delay.ms`).",
    ),
    key(
        "log.sync_linger",
        "duration",
        "`0ms`",
        "Waits before each fdatasync round so that more appends share it; at most 5ms.",
    ),
    key(
        "log.retention_check",
        "duration",
        "`60s`",
        "How often old segments are looked for.",
    ),
    key(
        "log.min_free",
        "size",
        "larger of `256MiB` and 2 % of the disk",
        "Below this free space produce is answered with KAFKA_STORAGE_ERROR.",
    ),
    key(
        "log.pad_frames",
        "`0`, `256`",
        "`0`",
        "What shows of a record's length on the disk: 0 pads sealed frames to 16 bytes, 256 to 256 bytes. Holds for new files.",
    ),
    key("log.max_topics", "number", "`1000`", "Topics in all."),
    key(
        "log.max_partitions",
        "number",
        "`2000`",
        "Partitions in all.",
    ),
    key(
        "log.on_failure",
        "`exit`, `stay`",
        "`exit`",
        "What happens when the disk fails to sync: end with status 74, or stay and refuse.",
    ),
    key(
        "ops.bind",
        "address:port",
        "`127.0.0.1:9644`",
        "`/metrics`, `/livez`, `/readyz`, plain HTTP.",
    ),
    key(
        "ops.insecure_accept_remote",
        "true, false",
        "`false`",
        "Lets `ops.bind` be an address that other machines reach.",
    ),
    key(
        "tls.names",
        "list of names",
        "`[]`",
        "Names and addresses for the server certificate of our own CA, besides localhost, 127.0.0.1, ::1 and the host name.",
    ),
    key(
        "logging.level",
        "text",
        "`info`",
        "`error`, `warn`, `info`, `debug`, `trace`, or by module: `info,gateway=debug`.",
    ),
    key(
        "logging.format",
        "`text`, `json`",
        "`text`",
        "Lines for people or for machines, on standard error.",
    ),
];

/// The reference page.
pub fn page() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         `kastellan.toml`, given with `--config FILE`. Every key has a default: without a file everything below holds as \
         written. Unknown keys are errors; `kastellan config check FILE` names every problem with its line, and \
         `kastellan config show` prints what is in force.\n\n\
         Sizes are written `64KiB`, `100MiB`, `1GiB` or as a number of bytes; durations `200ms`, `30s`, `10m`, `12h`, `7d`. \
         This page is generated from the program (`kastellan config reference`).\n",
    );
    let mut table = "";
    for row in KEYS {
        let (head, name) = row.path.rsplit_once('.').unwrap_or(("", row.path));
        if head != table {
            table = head;
            let title = if head == "gateway.listener" {
                "[[gateway.listener]]".to_owned()
            } else {
                format!("[{head}]")
            };
            out.push_str(&format!(
                "\n## `{title}`\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
            ));
        }
        out.push_str(&format!(
            "| `{name}` | {} | {} | {} |\n",
            row.kind, row.default, row.text
        ));
    }
    out
}
