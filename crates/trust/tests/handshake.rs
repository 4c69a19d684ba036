//! Real handshakes over loopback: who gets in, who does not, and what a reload changes.

mod common;
mod meeting;

use std::io;
use std::sync::Arc;

use common::issued::Issued;
use common::{DAY, House, chain, now, text};
use meeting::{Met, meet, peer};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};
use trust::server::{ClientCertificates, TlsError, TlsOptions, TlsSource};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn source(options: &TlsOptions) -> TlsSource {
    TlsSource::new(options, now()).expect("the options are right")
}

fn is_refused(met: io::Result<Met>) -> bool {
    // A peer that is silent or a socket that breaks is no refusal by TLS.
    met.is_err_and(|error| matches!(error.kind(), io::ErrorKind::InvalidData))
}

#[test]
fn takes_a_certificate_of_its_ca_and_refuses_a_client_without_one() {
    let house = House::new();
    let source = source(&house.mutual(true));
    let alice = house.client("alice");
    for version in VERSIONS {
        let met = meet(
            source.config(),
            peer(&house, Some(&alice.client_pem), &[version]),
        )
        .expect("alice gets in");
        assert_eq!(met.shown, Some(chain(&alice.client_pem)));
        assert!(is_refused(meet(
            source.config(),
            peer(&house, None, &[version])
        )));
    }
}

#[test]
fn takes_a_client_without_certificate_where_none_is_required() {
    let house = House::new();
    let source = source(&house.mutual(false));
    for version in VERSIONS {
        let met = meet(source.config(), peer(&house, None, &[version]))
            .expect("nobody has to show a certificate");
        assert_eq!(met.shown, None);
    }
}

#[test]
fn refuses_a_shown_certificate_that_is_wrong_even_where_none_is_required() {
    let (house, other) = (House::new(), House::new());
    let source = source(&house.mutual(false));
    let stranger = other.client("alice");
    for version in VERSIONS {
        assert!(is_refused(meet(
            source.config(),
            peer(&house, Some(&stranger.client_pem), &[version])
        )));
    }
}

#[test]
fn refuses_a_certificate_of_another_ca() {
    let (house, other) = (House::new(), House::new());
    let source = source(&house.mutual(true));
    let stranger = other.client("alice");
    for version in VERSIONS {
        assert!(is_refused(meet(
            source.config(),
            peer(&house, Some(&stranger.client_pem), &[version])
        )));
    }
}

#[test]
fn refuses_a_certificate_that_has_ended_or_does_not_hold_yet() {
    let house = House::new();
    let source = source(&house.mutual(true));
    let ended = house
        .ca
        .issue_client("alice", now() - 366 * DAY)
        .expect("a certificate of the past");
    let early = house
        .ca
        .issue_client("alice", now() + DAY)
        .expect("a certificate of the future");
    for version in VERSIONS {
        assert!(is_refused(meet(
            source.config(),
            peer(&house, Some(&ended.client_pem), &[version])
        )));
        assert!(is_refused(meet(
            source.config(),
            peer(&house, Some(&early.client_pem), &[version])
        )));
    }
}

#[test]
fn refuses_a_server_certificate_as_that_of_a_client() {
    let house = House::new();
    let source = source(&house.mutual(true));
    let (certificate, key) = house.ca.server_paths();
    let pem = format!("{}{}", text(&key), text(&certificate));
    for version in VERSIONS {
        assert!(is_refused(meet(
            source.config(),
            peer(&house, Some(&pem), &[version])
        )));
    }
}

#[test]
fn refuses_a_revoked_certificate_after_a_reload_and_keeps_the_others() {
    let house = House::new();
    let options = house.mutual(true);
    let source = source(&options);
    let (alice, bob) = (house.client("alice"), house.client("bob"));
    assert!(source.still_trusts(&chain(&alice.client_pem), now()));

    house
        .ca
        .revoke(&[(alice.serial.clone(), alice.not_after)], now())
        .expect("alice is revoked");
    source.reload(&options, now()).expect("the list is right");
    for version in VERSIONS {
        assert!(is_refused(meet(
            source.config(),
            peer(&house, Some(&alice.client_pem), &[version])
        )));
        assert!(
            meet(
                source.config(),
                peer(&house, Some(&bob.client_pem), &[version])
            )
            .is_ok()
        );
    }
    // Connections that are open are judged again with the chain they came with.
    assert!(!source.still_trusts(&chain(&alice.client_pem), now()));
    assert!(source.still_trusts(&chain(&bob.client_pem), now()));
}

#[test]
fn a_revoked_client_does_not_come_back_on_a_ticket() {
    let house = House::new();
    let options = house.mutual(true);
    let source = source(&options);
    let alice = house.client("alice");
    for version in VERSIONS {
        let client = peer(&house, Some(&alice.client_pem), &[version]);
        for _ in 0..2 {
            let met = meet(source.config(), client.clone()).expect("alice gets in");
            assert_eq!(met.kind, HandshakeKind::Full);
        }
    }
    let clients: Vec<Arc<ClientConfig>> = VERSIONS
        .iter()
        .map(|version| {
            let client = peer(&house, Some(&alice.client_pem), &[version]);
            meet(source.config(), client.clone()).expect("alice gets in");
            client
        })
        .collect();
    house
        .ca
        .revoke(&[(alice.serial, alice.not_after)], now())
        .expect("alice is revoked");
    source.reload(&options, now()).expect("the list is right");
    for client in clients {
        assert!(is_refused(meet(source.config(), client)));
    }
}

#[test]
fn resumes_where_no_certificate_is_asked_for() {
    let house = House::new();
    let source = source(&house.options());
    for version in VERSIONS {
        let client = peer(&house, None, &[version]);
        let first = meet(source.config(), client.clone()).expect("anybody gets in");
        assert_eq!(first.kind, HandshakeKind::Full);
        let second = meet(source.config(), client).expect("anybody gets in");
        assert_eq!(second.kind, HandshakeKind::Resumed);
    }
}

#[test]
fn a_serial_revoked_by_one_ca_says_nothing_about_another_ca() {
    let (house, other) = (House::new(), House::new());
    let roots = house.dir.file(
        "roots.pem",
        text(&house.ca.certificate_path()) + &text(&other.ca.certificate_path()),
    );
    let options = house.mutual_with(true, roots, vec![house.ca.crl_path(), other.ca.crl_path()]);
    let alice = other.client("alice");
    let revoked = [(alice.serial.clone(), alice.not_after)];

    house
        .ca
        .revoke(&revoked, now())
        .expect("the serial is revoked");
    let tls = source(&options);
    assert!(
        meet(
            tls.config(),
            peer(&house, Some(&alice.client_pem), &[&TLS13])
        )
        .is_ok()
    );

    other
        .ca
        .revoke(&revoked, now())
        .expect("the certificate is revoked");
    tls.reload(&options, now()).expect("the lists are right");
    assert!(is_refused(meet(
        tls.config(),
        peer(&house, Some(&alice.client_pem), &[&TLS13])
    )));
}

#[test]
fn refuses_clients_of_a_ca_whose_list_is_missing() {
    let (house, other) = (House::new(), House::new());
    let roots = house.dir.file(
        "roots.pem",
        text(&house.ca.certificate_path()) + &text(&other.ca.certificate_path()),
    );
    let tls = source(&house.mutual_with(true, roots, vec![house.ca.crl_path()]));
    let (alice, bob) = (house.client("alice"), other.client("bob"));
    assert!(
        meet(
            tls.config(),
            peer(&house, Some(&alice.client_pem), &[&TLS13])
        )
        .is_ok()
    );
    assert!(is_refused(meet(
        tls.config(),
        peer(&house, Some(&bob.client_pem), &[&TLS13])
    )));
}

#[test]
fn a_list_that_has_ended_keeps_everybody_out_unless_told_otherwise() {
    // The list of 50 days ago ended 20 days ago; the server certificate still holds.
    let house = House::founded(now() - 50 * DAY);
    let alice = house.client("alice");
    let options = house.mutual(true);
    assert!(matches!(
        TlsSource::new(&options, now()),
        Err(TlsError::StaleCrl { .. })
    ));
    let held = TlsSource::new(&options, now() - 40 * DAY).expect("the list held then");
    let end = held.lists_end().expect("the list says when it ends");
    assert!(end < now() - 19 * DAY && end > now() - 21 * DAY);
    let off = TlsOptions {
        clients: ClientCertificates::Off,
        ..options.clone()
    };
    let off = TlsSource::new(&off, now()).expect("nobody is asked for a certificate");
    assert_eq!(off.lists_end(), None);
    // A list that ends while the listener runs: what was built before it ended does not help.
    let tls = TlsSource::new(&options, now() - 40 * DAY).expect("the list held then");
    assert!(is_refused(meet(
        tls.config(),
        peer(&house, Some(&alice.client_pem), &[&TLS13])
    )));
    assert!(!tls.still_trusts(&chain(&alice.client_pem), now()));

    let ClientCertificates::Asked {
        required,
        roots,
        revocation_lists,
        ..
    } = options.clients.clone()
    else {
        unreachable!("the listener asks for certificates");
    };
    let clients = ClientCertificates::Asked {
        required,
        roots,
        revocation_lists,
        insecure_accept_stale_crl: true,
    };
    let tls = source(&TlsOptions { clients, ..options });
    assert!(
        meet(
            tls.config(),
            peer(&house, Some(&alice.client_pem), &[&TLS13])
        )
        .is_ok()
    );
}

#[test]
fn speaks_tls_1_2_only_where_it_may() {
    let house = House::new();
    let both = source(&house.options());
    let newest = source(&TlsOptions {
        tls13_only: true,
        ..house.options()
    });
    assert!(meet(both.config(), peer(&house, None, &[&TLS12])).is_ok());
    assert!(meet(newest.config(), peer(&house, None, &[&TLS13])).is_ok());
    assert!(meet(newest.config(), peer(&house, None, &[&TLS12])).is_err());
}

#[test]
fn keeps_old_certificate_when_new_is_broken() {
    let house = House::new();
    let options = house.options();
    let tls = source(&options);
    let before = tls.not_after();
    for broken in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let certificate = house.dir.file("broken.pem", broken);
        let failed = tls.reload(
            &TlsOptions {
                certificate,
                ..options.clone()
            },
            now(),
        );
        assert!(failed.is_err());
        assert_eq!(tls.not_after(), before);
        assert!(meet(tls.config(), peer(&house, None, &[&TLS13])).is_ok());
    }
}

#[test]
fn a_reload_shows_the_new_certificate_from_the_next_handshake_on() {
    let (house, renewed) = (House::new(), House::new());
    let tls = source(&house.options());
    tls.reload(&renewed.options(), now())
        .expect("the new files are right");
    assert!(meet(tls.config(), peer(&renewed, None, &[&TLS13])).is_ok());
    assert!(meet(tls.config(), peer(&house, None, &[&TLS13])).is_err());
}

#[test]
fn every_certificate_of_a_client_s_chain_is_asked_for_in_a_list() {
    let house = House::new();
    let root = Issued::root("Root");
    let between = root.intermediate("Between");
    let alice = between.client("alice");
    let shown = alice.key_pem() + &alice.certificate.pem() + &between.certificate.pem();
    let roots = house.dir.file("roots.pem", root.certificate.pem());
    let lists = |name: &str, lists: &[String]| {
        let path = house.dir.file(name, lists.concat());
        source(&house.mutual_with(true, roots.clone(), vec![path]))
    };
    let met = |tls: &TlsSource| meet(tls.config(), peer(&house, Some(&shown), &[&TLS13]));

    let both = [root.revocation_list(&[]), between.revocation_list(&[])];
    assert!(met(&lists("both.pem", &both)).is_ok());
    // The root revoked the intermediate: its leaf is gone with it.
    let revoked = [
        root.revocation_list(&[&between]),
        between.revocation_list(&[]),
    ];
    assert!(is_refused(met(&lists("revoked.pem", &revoked))));
    assert!(is_refused(met(&lists("no-root.pem", &both[1..]))));
    assert!(is_refused(met(&lists("no-between.pem", &both[..1]))));
}
