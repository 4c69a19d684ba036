use std::collections::BTreeSet;

use super::reader::Notes;
use super::*;

const FULL: &str = r#"
[gateway]
super_users = ["User:ops", "User:CN=root,O=x"]

[gateway.limits]
frame_max = "1MiB"
max_connections = 500
max_connections_per_ip_overrides = ["10.0.0.0/8 = 5000", "fd00::/8=1"]

[[gateway.listener]]
name = "plain"
bind = "127.0.0.1:19094"
protocol = "insecure_plaintext"

[[gateway.listener]]
name = "outside"
bind = "0.0.0.0:9094"
advertised = "kafka.example.com:9094"
mechanisms = ["PLAIN", "SCRAM-SHA-512"]
[gateway.listener.tls]
certificate = "/etc/kastellan/server.pem"
key = "/etc/kastellan/server.key"
min_version = "1.3"

[gateway.upstream]
bootstrap = "127.0.0.1:9092"
insecure_upstream_plaintext = true
"#;

#[test]
fn empty_file_gives_the_defaults() {
    let config = Config::parse("").unwrap();
    let names: Vec<_> = config
        .gateway
        .listeners
        .iter()
        .map(|listener| listener.bind.to_string())
        .collect();
    assert_eq!(names, ["127.0.0.1:9094", "127.0.0.1:9095"]);
    assert_eq!(config.gateway.upstream, None);
}

#[test]
fn shown_configuration_reads_back_to_itself() {
    for text in ["", FULL] {
        let shown = Config::parse(text).unwrap().show();
        assert_eq!(Config::parse(&shown).unwrap().show(), shown);
    }
}

#[test]
fn every_problem_is_told_at_once_with_its_line() {
    let text = "[gateway]\nsuper_user = []\n\n[[gateway.listener]]\nname = \"a\"\nbind = \"nowhere\"\nmechanisms = [\"NTLM\"]\n\n[ops]\nbind = \"0.0.0.0:9644\"\n";
    let problems = Config::parse(text).unwrap_err();
    let found: Vec<(Option<usize>, &str)> = problems
        .iter()
        .map(|problem| (problem.line, problem.key.as_str()))
        .collect();
    assert!(
        found.contains(&(Some(2), "gateway.super_user")),
        "{found:?}"
    );
    assert!(
        found.contains(&(Some(6), "gateway.listener[1].bind")),
        "{found:?}"
    );
    assert!(
        found.contains(&(Some(7), "gateway.listener[1].mechanisms")),
        "{found:?}"
    );
    assert!(found.contains(&(Some(10), "ops.bind")), "{found:?}");
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("did you mean super_users?"))
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let problems = Config::parse("[gateway]\nsuper_users = [\n").unwrap_err();
    assert!(
        problems.iter().any(|problem| problem.line.is_some()),
        "{problems:?}"
    );
}

#[test]
fn clear_text_to_other_machines_needs_its_name() {
    let listener = |extra: &str| {
        format!(
            "[[gateway.listener]]\nname = \"a\"\nbind = \"0.0.0.0:9094\"\nprotocol = \"insecure_sasl_plaintext\"\n{extra}"
        )
    };
    assert!(Config::parse(&listener("")).is_err());
    assert!(Config::parse(&listener("insecure_accept_remote = true\n")).is_ok());
    let plain = "insecure_accept_remote = true\nmechanisms = [\"PLAIN\"]\n";
    assert!(Config::parse(&listener(plain)).is_err());
    let named = format!("{plain}insecure_bearer_secrets_without_tls = true\n");
    assert!(Config::parse(&listener(&named)).is_ok());
}

#[test]
fn clear_text_upstream_is_on_loopback_and_named() {
    let upstream = |bootstrap: &str, is_named: bool| {
        Config::parse(&format!(
            "[gateway.upstream]\nbootstrap = \"{bootstrap}\"\ninsecure_upstream_plaintext = {is_named}\n"
        ))
    };
    for near in ["127.0.0.1:9092", "localhost:9092", "[::1]:9092"] {
        assert!(upstream(near, true).is_ok(), "{near}");
        assert!(upstream(near, false).is_err(), "{near}");
    }
    for far in [
        "10.0.0.1:9092",
        "kafka.example.com:9092",
        "localhost.example.com:9092",
        "127.evil:9092",
    ] {
        assert!(upstream(far, true).is_err(), "{far}");
    }
}

#[test]
fn connections_of_one_address_differ_by_block() {
    let config = Config::parse(FULL).unwrap();
    assert_eq!(config.gateway.limits.max_connections, Some(500));
    let caps: Vec<u64> = config.gateway.exceptions.iter().map(|one| one.1).collect();
    assert_eq!(caps, [5_000, 1]);
    for wrong in [
        "10.0.0.0/8",
        "10.0.0.0/33 = 1",
        "10.0.0.1 = 5",
        "10.0.0.0/8 = 0",
    ] {
        let text = format!("[gateway.limits]\nmax_connections_per_ip_overrides = [{wrong:?}]\n");
        assert!(Config::parse(&text).is_err(), "{wrong}");
    }
}

#[test]
fn session_lasts_long_enough_to_be_renewed() {
    let session_max =
        |text: &str| Config::parse(&format!("[gateway.deadlines]\nsession_max = \"{text}\"\n"));
    assert!(session_max("0s").is_err() && session_max("999ms").is_err());
    assert!(session_max("1s").is_ok());
}

#[test]
fn anonymous_may_not_be_a_super_user() {
    let text = "[gateway]\nsuper_users = [\"User:ANONYMOUS\"]\n[[gateway.listener]]\nname = \"p\"\nbind = \"127.0.0.1:1\"\nprotocol = \"insecure_plaintext\"\n";
    assert!(Config::parse(text).is_err());
}

#[test]
fn two_listeners_never_share_an_address_or_a_name() {
    let text = "[[gateway.listener]]\nname = \"a\"\nbind = \"127.0.0.1:9094\"\n[[gateway.listener]]\nname = \"a\"\nbind = \"127.0.0.1:9094\"\n";
    let problems = Config::parse(text).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

/// Clients that find several nodes at one address refresh their metadata for ever (librdkafka issue 3784).
#[test]
fn config_refuses_shared_node_address() {
    let two = |first: &str, second: &str| {
        let listener = |name: &str, port: u16, advertised: &str| {
            format!(
                "[[gateway.listener]]\nname = \"{name}\"\nbind = \"127.0.0.1:{port}\"\nadvertised = \"{advertised}\"\n"
            )
        };
        let text = [listener("a", 9_094, first), listener("b", 9_095, second)].concat();
        Config::parse(&text)
    };
    assert!(two("kafka:9094", "kafka:9095").is_ok());
    assert!(two("kafka:9094", "other:9094").is_ok());
    let problems = two("kafka:9094", "kafka:9094").unwrap_err();
    assert!(
        problems[0].message.contains("both advertised"),
        "{problems:?}"
    );
}

#[test]
fn reference_describes_every_key_that_is_read_and_no_other() {
    let notes = Notes::new(FULL);
    Config::parse_with(FULL, &notes).unwrap();
    let tables = [
        "gateway",
        "log",
        "ops",
        "tls",
        "logging",
        "gateway.listener",
        "gateway.listener.tls",
        "gateway.limits",
        "gateway.deadlines",
        "gateway.upstream",
    ];
    let read: BTreeSet<String> = notes
        .asked()
        .into_iter()
        .filter(|path| !tables.contains(&path.as_str()))
        .collect();
    let described: BTreeSet<String> = reference::KEYS
        .iter()
        .map(|key| key.path.to_owned())
        .collect();
    assert_eq!(read, described);
}

#[test]
fn reference_page_is_current() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/configuration.md"
    );
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(
        written == reference::page(),
        "run: kastellan config reference > docs/reference/configuration.md"
    );
}
