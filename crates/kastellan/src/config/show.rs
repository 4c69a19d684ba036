//! The resolved configuration, written as TOML.

use std::fmt::Write;

use seal::at_rest::Padding;

use super::gateway::{
    ClientAuth, EXCEPTIONS, Mechanism, MinTls, PROXY_PROTOCOL, PrincipalFrom, Protocol,
};
use super::units::show_duration;
use super::{CertificateSource, Config, ListenerSettings, LogFailure};

pub fn to_toml(config: &Config) -> String {
    let mut out = String::new();
    gateway(&mut out, config);
    for listener in &config.gateway.listeners {
        self::listener(&mut out, listener);
    }
    rest(&mut out, config);
    out
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = texts
        .into_iter()
        .map(|text| quoted(text.as_ref()))
        .collect();
    format!("[{}]", quoted.join(", "))
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words
        .iter()
        .find(|(_, candidate)| candidate == value)
        .map_or("", |(word, _)| word)
}

fn put(out: &mut String, key: &str, value: impl std::fmt::Display) {
    writeln!(out, "{key} = {value}").expect("writing to a String cannot fail");
}

fn gateway(out: &mut String, config: &Config) {
    let gateway = &config.gateway;
    out.push_str("[gateway]\n");
    put(
        out,
        "super_users",
        list(gateway.super_users.iter().map(ToString::to_string)),
    );
    out.push_str("\n[gateway.limits]\n");
    let limits = &gateway.limits;
    for (key, size) in [
        ("frame_max_before_login", limits.frame_max_before_login),
        ("frame_max", limits.frame_max),
        ("frame_max_other", limits.frame_max_other),
        ("fetch_max_bytes", limits.fetch_max_bytes),
        ("request_memory", limits.request_memory),
    ] {
        put(out, key, quoted(&size.to_string()));
    }
    for (key, count) in [
        ("in_flight", limits.in_flight),
        ("max_unauthenticated", limits.max_unauthenticated),
        ("max_connections_per_ip", limits.max_connections_per_ip),
        (
            "max_connections_per_principal",
            limits.max_connections_per_principal,
        ),
        ("accept_rate", limits.accept_rate),
        ("accept_rate_per_ip", limits.accept_rate_per_ip),
    ] {
        put(out, key, count);
    }
    if let Some(count) = limits.max_connections {
        put(out, "max_connections", count);
    }
    if !gateway.exceptions.is_empty() {
        let exceptions = gateway.exceptions.iter();
        let texts = exceptions.map(|(block, count)| format!("{block} = {count}"));
        put(out, EXCEPTIONS, list(texts));
    }
    out.push_str("\n[gateway.deadlines]\n");
    let deadlines = &gateway.deadlines;
    for (key, duration) in [
        ("tls_handshake", deadlines.tls_handshake),
        ("first_byte", deadlines.first_byte),
        ("sasl_round", deadlines.sasl_round),
        ("login", deadlines.login),
        ("frame", deadlines.frame),
        ("write", deadlines.write),
        ("idle", deadlines.idle),
        ("failed_login_delay", deadlines.failed_login_delay),
        ("session_max", deadlines.session_max),
        ("drain", deadlines.drain),
    ] {
        put(out, key, quoted(&show_duration(duration)));
    }
    if let Some(upstream) = &gateway.upstream {
        out.push_str("\n[gateway.upstream]\n");
        put(
            out,
            "bootstrap",
            quoted(&host_port(
                &upstream.bootstrap.host,
                upstream.bootstrap.port,
            )),
        );
        put(
            out,
            "insecure_upstream_plaintext",
            upstream.insecure_upstream_plaintext,
        );
    }
}

/// An IPv6 address in brackets, anything else plainly.
pub fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn listener(out: &mut String, listener: &ListenerSettings) {
    out.push_str("\n[[gateway.listener]]\n");
    put(out, "name", quoted(&listener.name));
    put(out, "bind", quoted(&listener.bind.to_string()));
    put(
        out,
        "protocol",
        quoted(word(&Protocol::WORDS, &listener.protocol)),
    );
    if !listener.mechanisms.is_empty() {
        put(
            out,
            "mechanisms",
            list(
                listener
                    .mechanisms
                    .iter()
                    .map(|value| word(&Mechanism::WORDS, value)),
            ),
        );
    }
    if let Some(address) = &listener.advertised {
        put(
            out,
            "advertised",
            quoted(&host_port(&address.host, address.port)),
        );
    }
    put(
        out,
        "principal_mapping_rules",
        list(&listener.principal_mapping_rules),
    );
    put(
        out,
        "principal_from",
        quoted(word(&PrincipalFrom::WORDS, &listener.principal_from)),
    );
    let is_proxied = !listener.trusted_proxies.is_empty();
    put(
        out,
        "proxy_protocol",
        quoted(word(&PROXY_PROTOCOL, &is_proxied)),
    );
    if is_proxied {
        put(
            out,
            "trusted_proxies",
            list(
                listener
                    .trusted_proxies
                    .iter()
                    .map(|block| block.to_string()),
            ),
        );
    }
    put(
        out,
        "insecure_accept_remote",
        listener.insecure_accept_remote,
    );
    put(
        out,
        "insecure_bearer_secrets_without_tls",
        listener.insecure_bearer_secrets_without_tls,
    );
    if !listener.protocol.is_tls() {
        return;
    }
    let tls = &listener.tls;
    out.push_str("[gateway.listener.tls]\n");
    match &tls.certificate {
        CertificateSource::OwnCa => put(out, "certificate", quoted("own_ca")),
        CertificateSource::Files { certificate, key } => {
            put(out, "certificate", quoted(&certificate.to_string_lossy()));
            put(out, "key", quoted(&key.to_string_lossy()));
        }
    }
    put(
        out,
        "min_version",
        quoted(word(&MinTls::WORDS, &tls.min_version)),
    );
    put(
        out,
        "client_auth",
        quoted(word(&ClientAuth::WORDS, &tls.client_auth)),
    );
    if let Some(path) = &tls.client_ca {
        put(out, "client_ca", quoted(&path.to_string_lossy()));
    }
    if !tls.crl.is_empty() {
        put(
            out,
            "crl",
            list(tls.crl.iter().map(|path| path.to_string_lossy())),
        );
    }
    put(
        out,
        "insecure_accept_stale_crl",
        tls.insecure_accept_stale_crl,
    );
}

fn rest(out: &mut String, config: &Config) {
    let log = &config.log;
    out.push_str("\n[log]\n");
    if let Some(path) = &log.master_key {
        put(out, "master_key", quoted(&path.to_string_lossy()));
    }
    put(out, "auto_create_topics", log.auto_create_topics);
    put(out, "num_partitions", log.num_partitions);
    put(
        out,
        "initial_rebalance_delay",
        quoted(&show_duration(log.initial_rebalance_delay)),
    );
    put(out, "sync_linger", quoted(&show_duration(log.sync_linger)));
    put(
        out,
        "retention_check",
        quoted(&show_duration(log.retention_check)),
    );
    if let Some(size) = log.min_free {
        put(out, "min_free", quoted(&size.to_string()));
    }
    let padding = match log.pad_frames {
        Padding::Fine => 0,
        Padding::Coarse => 256,
    };
    put(out, "pad_frames", padding);
    put(out, "max_topics", log.max_topics);
    put(out, "max_partitions", log.max_partitions);
    put(
        out,
        "on_failure",
        quoted(word(&LogFailure::WORDS, &log.on_failure)),
    );
    out.push_str("\n[ops]\n");
    put(out, "bind", quoted(&config.ops.bind.to_string()));
    put(
        out,
        "insecure_accept_remote",
        config.ops.insecure_accept_remote,
    );
    out.push_str("\n[tls]\n");
    put(out, "names", list(&config.tls.names));
    out.push_str("\n[logging]\n");
    put(out, "level", quoted(&config.logging.level));
    put(
        out,
        "format",
        quoted(if config.logging.json { "json" } else { "text" }),
    );
}
