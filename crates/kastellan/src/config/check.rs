//! Rules that look at more than one key.

use std::collections::BTreeMap;
use std::time::Duration;

use super::gateway::{ClientAuth, ListenerSettings, Mechanism, Protocol};
use super::reader::Section;
use super::{CertificateSource, Config};

/// Shortest life of a session.
const SESSION_MIN: Duration = Duration::from_secs(1);

/// Notes what does not fit together.
pub fn whole(config: &Config, root: &Section<'_>) {
    let listeners = &config.gateway.listeners;
    if listeners.is_empty() {
        root.problem("gateway", "needs at least one [[gateway.listener]]");
    }
    unique(listeners, root);
    let limits = &config.gateway.limits;
    if limits.request_memory.0 < limits.frame_max.0.max(limits.frame_max_other.0) {
        root.problem(
            "gateway.limits.request_memory",
            "is smaller than the largest frame, which would wait for it in vain",
        );
    }
    if config.gateway.deadlines.session_max < SESSION_MIN {
        root.problem(
            "gateway.deadlines.session_max",
            "must be at least 1s: a client may prove itself again once a second",
        );
    }
    let anonymous = config
        .gateway
        .super_users
        .iter()
        .any(|user| user.kind() == "User" && user.name() == "ANONYMOUS");
    if anonymous
        && listeners
            .iter()
            .any(|listener| listener.protocol == Protocol::InsecurePlaintext)
    {
        root.problem(
            "gateway",
            "User:ANONYMOUS is whoever connects in clear text and may not be a super user",
        );
    }
}

fn unique(listeners: &[ListenerSettings], root: &Section<'_>) {
    let mut names = BTreeMap::new();
    let mut binds = BTreeMap::new();
    let mut advertised = BTreeMap::new();
    for (index, listener) in listeners.iter().enumerate() {
        let number = index + 1;
        if let Some(first) = names.insert(listener.name.as_str(), number) {
            root.problem(
                "gateway.listener",
                format!(
                    "listeners {first} and {number} share the name {:?}",
                    listener.name
                ),
            );
        }
        if listener.bind.port() == 0 {
            continue;
        }
        if let Some(first) = binds.insert(listener.bind, number) {
            root.problem(
                "gateway.listener",
                format!("listeners {first} and {number} both bind {}", listener.bind),
            );
        }
        let Some(address) = &listener.advertised else {
            continue;
        };
        if let Some(first) = advertised.insert((address.host.as_str(), address.port), number) {
            root.problem(
                "gateway.listener",
                format!(
                    "listeners {first} and {number} are both advertised as {}:{}: clients would refresh for ever",
                    address.host, address.port
                ),
            );
        }
    }
}

/// What does not fit together in one listener, by key.
pub fn listener(listener: &ListenerSettings) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let protocol = listener.protocol;
    if !protocol.is_tls() && !listener.bind.ip().is_loopback() && !listener.insecure_accept_remote {
        problems.push((
            "bind",
            "a listener in clear text is reachable from other machines: bind to loopback, use sasl_ssl or ssl, or \
             set insecure_accept_remote = true"
                .to_owned(),
        ));
    }
    if protocol == Protocol::InsecureSaslPlaintext
        && listener.mechanisms.contains(&Mechanism::Plain)
        && !listener.insecure_bearer_secrets_without_tls
    {
        problems.push((
            "mechanisms",
            "PLAIN sends the password itself, in clear text on this listener: use SCRAM, or set \
             insecure_bearer_secrets_without_tls = true"
                .to_owned(),
        ));
    }
    if protocol == Protocol::Ssl && listener.tls.client_auth != ClientAuth::Required {
        problems.push((
            "tls.client_auth",
            "an ssl listener proves clients by certificate: required".to_owned(),
        ));
    }
    if !listener.tls.crl.is_empty() && listener.tls.client_auth == ClientAuth::Off {
        problems.push((
            "tls.crl",
            "revocation lists are for client certificates, which this listener does not ask for"
                .to_owned(),
        ));
    }
    if listener.tls.client_ca.is_some() && listener.tls.client_auth == ClientAuth::Off {
        problems.push((
            "tls.client_ca",
            "set tls.client_auth to optional or required, or leave this out".to_owned(),
        ));
    }
    if matches!(listener.tls.certificate, CertificateSource::Files { .. })
        && listener.bind.ip().is_unspecified()
        && listener.advertised.is_none()
    {
        problems.push((
            "advertised",
            "bound to every address: say what clients connect to".to_owned(),
        ));
    }
    for rule in &listener.principal_mapping_rules {
        if let Err(error) = trust::principal::MappingRules::parse(rule) {
            problems.push(("principal_mapping_rules", format!("{rule:?}: {error}")));
        }
    }
    problems
}
