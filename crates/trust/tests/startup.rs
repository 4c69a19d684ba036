//! What a listener refuses to start with, each by its name and with the file that is to blame; and the files of the CA.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::issued::Issued;
use common::{DAY, House, names, now, text};
use trust::ca::{Ca, CaError};
use trust::pem::{self, PemError};
use trust::server::{ClientCertificates, TlsError, TlsOptions, TlsSource, not_after};

fn refusal(options: &TlsOptions) -> TlsError {
    TlsSource::new(options, now())
        .err()
        .expect("the options are wrong")
}

/// The message names the file, so that a person knows where to look.
fn names_file(error: &TlsError, path: &Path) -> bool {
    error.to_string().starts_with(&path.display().to_string())
}

#[test]
fn starts_with_files_that_are_right() {
    let house = House::new();
    let tls = TlsSource::new(&house.options(), now()).expect("nothing is wrong");
    assert!(tls.not_after() > now() + 80 * DAY);
    assert!(TlsSource::new(&house.mutual(true), now()).is_ok());
}

#[test]
fn refuses_files_that_are_missing_empty_too_large_or_no_pem() {
    let house = House::new();
    let right = house.options();
    let with = |certificate| TlsOptions {
        certificate,
        ..right.clone()
    };

    let path = house.dir.path("nowhere.pem");
    let error = refusal(&with(path.clone()));
    assert!(matches!(&error, TlsError::Pem(PemError::Io { .. })) && names_file(&error, &path));

    let path = house.dir.file("empty.pem", "");
    let error = refusal(&with(path.clone()));
    assert!(
        matches!(
            &error,
            TlsError::Pem(PemError::Nothing {
                what: "certificate",
                ..
            })
        ) && names_file(&error, &path)
    );

    let path = house.dir.file("large.pem", vec![b'\n'; (1 << 20) + 1]);
    let error = refusal(&with(path.clone()));
    assert!(
        matches!(&error, TlsError::Pem(PemError::TooLarge { .. })) && names_file(&error, &path)
    );

    let path = house
        .dir
        .file("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB");
    let error = refusal(&with(path.clone()));
    assert!(
        matches!(&error, TlsError::Pem(PemError::Malformed { .. })) && names_file(&error, &path)
    );

    let path = house.dir.file(
        "der.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let error = refusal(&with(path.clone()));
    assert!(matches!(&error, TlsError::Unusable { .. }) && names_file(&error, &path));
}

#[test]
fn refuses_a_key_that_is_missing_or_of_another_certificate() {
    let (house, other) = (House::new(), House::new());
    let right = house.options();
    let with = |key| TlsOptions {
        key,
        ..right.clone()
    };

    let error = refusal(&with(right.certificate.clone()));
    assert!(matches!(
        &error,
        TlsError::Pem(PemError::Nothing {
            what: "private key",
            ..
        })
    ));

    let path = other.options().key;
    let error = refusal(&with(path.clone()));
    assert!(matches!(&error, TlsError::KeyMismatch { .. }) && names_file(&error, &path));
    assert!(error.to_string().contains("next: "));
}

#[test]
fn refuses_a_certificate_outside_its_time() {
    let past = House::founded(now() - 100 * DAY);
    let error = refusal(&past.options());
    let TlsError::Expired { ended, .. } = &error else {
        panic!("{error}")
    };
    assert!(*ended < now() - 9 * DAY && *ended > now() - 11 * DAY);
    assert!(names_file(&error, &past.options().certificate));

    let future = House::founded(now() + DAY);
    let error = refusal(&future.options());
    assert!(matches!(&error, TlsError::NotYet { from, .. } if *from > now()));
    assert!(names_file(&error, &future.options().certificate));
}

#[test]
fn refuses_a_certificate_that_does_not_cover_an_advertised_name() {
    let house = House::new();
    let with = |name: &str| TlsOptions {
        names: vec![name.to_owned()],
        ..house.options()
    };
    assert!(TlsSource::new(&with("127.0.0.1"), now()).is_ok());
    for missing in [
        "kafka.example.org",
        "127.0.0.2",
        "localhost.example.org",
        "not a name",
    ] {
        let error = refusal(&with(missing));
        assert!(
            matches!(&error, TlsError::Name { name, .. } if name == missing),
            "{error}"
        );
    }
}

#[test]
fn refuses_a_chain_that_lacks_a_link() {
    let (house, other) = (House::new(), House::new());
    let right = house.options();
    let whole = text(&right.certificate);
    let leaf = whole
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .expect("the leaf comes first");

    let certificate = house.dir.file("leaf.pem", leaf);
    let error = refusal(&TlsOptions {
        certificate,
        ..right.clone()
    });
    assert!(
        matches!(&error, TlsError::Chain { subject, .. } if subject.contains("kastellan")),
        "{error}"
    );

    let certificate = house.dir.file(
        "stranger.pem",
        leaf.to_owned() + &text(&other.ca.certificate_path()),
    );
    let error = refusal(&TlsOptions {
        certificate,
        ..right
    });
    assert!(matches!(error, TlsError::Chain { .. }), "{error}");
}

#[test]
fn refuses_what_client_certificates_cannot_be_checked_with() {
    let house = House::new();
    let (roots, list) = (house.ca.certificate_path(), house.ca.crl_path());

    let empty = house.dir.file("none.pem", "");
    let error = refusal(&house.mutual_with(true, empty, Vec::new()));
    assert!(matches!(
        error,
        TlsError::Pem(PemError::Nothing {
            what: "certificate",
            ..
        })
    ));

    let garbage = house.dir.file(
        "bad.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let error = refusal(&house.mutual_with(true, garbage.clone(), Vec::new()));
    assert!(matches!(&error, TlsError::Clients { .. }) && names_file(&error, &garbage));

    let error = refusal(&house.mutual_with(true, roots.clone(), vec![roots.clone()]));
    assert!(matches!(
        error,
        TlsError::Pem(PemError::Nothing {
            what: "revocation list",
            ..
        })
    ));

    let garbage = house.dir.file(
        "bad.crl",
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
    );
    let error =
        refusal(&house.mutual_with(true, roots.clone(), vec![list.clone(), garbage.clone()]));
    assert!(matches!(&error, TlsError::Clients { .. }) && names_file(&error, &garbage));

    house
        .ca
        .write_crl(now() - 31 * DAY)
        .expect("a list of the past");
    let options = house.mutual_with(true, roots, vec![list.clone()]);
    let error = refusal(&options);
    assert!(matches!(&error, TlsError::StaleCrl { .. }) && names_file(&error, &list));
    let ClientCertificates::Asked {
        insecure_accept_stale_crl,
        ..
    } = options.clients
    else {
        unreachable!("the listener asks for certificates");
    };
    assert!(!insecure_accept_stale_crl);
}

#[test]
fn the_files_of_the_ca_belong_to_their_owner_alone() {
    let house = House::new();
    let dir = house.dir.path("ca");
    assert_eq!(mode(&dir), 0o700);
    let alice = house.client("alice");
    house
        .ca
        .revoke(&[(alice.serial, alice.not_after)], now())
        .expect("alice is revoked");
    let mut files: Vec<String> = Vec::new();
    for entry in fs::read_dir(&dir).expect("the directory can be read") {
        let entry = entry.expect("the directory can be read");
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        files.push(entry.file_name().into_string().expect("names are ASCII"));
    }
    files.sort();
    assert_eq!(
        files,
        [
            "ca-key.pem",
            "ca.pem",
            "crl.pem",
            "revoked",
            "server-key.pem",
            "server.pem"
        ]
    );
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("the file is there")
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn the_ca_stays_the_same_when_it_is_opened_again() {
    let house = House::new();
    let before = text(&house.ca.certificate_path());
    let again = Ca::open(&house.dir.path("ca"), now()).expect("the CA is there");
    assert_eq!(text(&again.certificate_path()), before);
    // What it revoked before stays revoked.
    let alice = house.client("alice");
    house
        .ca
        .revoke(&[(alice.serial.clone(), alice.not_after)], now())
        .expect("alice is revoked");
    let again = Ca::open(&house.dir.path("ca"), now()).expect("the CA is there");
    let tls = TlsSource::new(&house.mutual(true), now()).expect("the list is right");
    assert!(!tls.still_trusts(&common::chain(&alice.client_pem), now()));
    drop(again);
}

#[test]
fn a_server_certificate_is_renewed_only_when_it_must_be() {
    let house = House::new();
    let (certificate, _) = house.ca.server_paths();
    let before = text(&certificate);
    assert_eq!(house.ca.ensure_server(&names(), now()).ok(), Some(false));
    assert_eq!(text(&certificate), before);

    // Less than 30 of 90 days are left.
    assert_eq!(
        house.ca.ensure_server(&names(), now() + 61 * DAY).ok(),
        Some(true)
    );
    let leaf = pem::certificates(&certificate)
        .expect("the file is right")
        .remove(0);
    assert!(not_after(&leaf).is_some_and(|end| end > now() + 150 * DAY));

    let more = [names(), vec!["kafka.example.org".to_owned()]].concat();
    assert_eq!(
        house.ca.ensure_server(&more, now() + 61 * DAY).ok(),
        Some(true)
    );
    assert!(matches!(
        house.ca.ensure_server(&["\u{e9}".to_owned()], now()),
        Err(CaError::Name(_))
    ));
}

#[test]
fn refuses_a_ca_that_lost_its_key_or_has_a_garbled_record_of_revocations() {
    let house = House::new();
    let dir = house.dir.path("ca");
    fs::write(dir.join("revoked"), "no serial\n").expect("the file can be written");
    let error = Ca::open(&dir, now()).err();
    assert!(matches!(error, Some(CaError::Malformed { path, .. }) if path.ends_with("revoked")));

    fs::remove_file(dir.join("revoked")).expect("the file is there");
    fs::remove_file(dir.join("ca-key.pem")).expect("the file is there");
    // A new key beside the old certificate would be a CA that nobody trusts.
    let error = Ca::open(&dir, now()).err();
    assert!(matches!(error, Some(CaError::Io { path, .. }) if path.ends_with("ca-key.pem")));
}

#[test]
fn start_that_was_cut_off_while_the_ca_was_made_is_finished() {
    let house = House::new();
    let dir = house.dir.path("ca");
    for name in ["ca.pem", "crl.pem", "server.pem", "server-key.pem"] {
        fs::remove_file(dir.join(name)).expect("the file is there");
    }
    let ca = Ca::open(&dir, now()).expect("nothing was signed with the key that is there");
    assert_eq!(ca.ensure_server(&names(), now()).ok(), Some(true));
    assert!(TlsSource::new(&house.mutual(true), now()).is_ok());

    // With a revocation list there were certificates: another CA would strand those who hold one.
    fs::remove_file(dir.join("ca.pem")).expect("the file is there");
    assert!(matches!(Ca::open(&dir, now()), Err(CaError::Io { .. })));
}

#[test]
fn renewal_that_was_cut_off_between_key_and_certificate_is_done_again() {
    let (house, other) = (House::new(), House::new());
    let (_, key) = house.ca.server_paths();
    fs::copy(other.ca.server_paths().1, key).expect("the key can be written");
    assert!(matches!(
        refusal(&house.options()),
        TlsError::KeyMismatch { .. }
    ));
    assert_eq!(house.ca.ensure_server(&names(), now()).ok(), Some(true));
    assert!(TlsSource::new(&house.options(), now()).is_ok());
}

#[test]
fn revocations_at_the_same_time_are_all_kept() {
    let house = House::new();
    std::thread::scope(|scope| {
        for number in 0..8_u8 {
            let ca = &house.ca;
            scope.spawn(move || {
                let revoked = [(format!("4{number}"), now() + DAY)];
                ca.revoke(&revoked, now()).expect("the serial is revoked");
            });
        }
    });
    let kept = text(&house.dir.path("ca").join("revoked"));
    assert_eq!(kept.lines().count(), 8);
}

#[test]
fn refuses_a_chain_whose_names_fit_but_whose_signatures_do_not() {
    let house = House::new();
    let (right, forged) = (Issued::root("Root"), Issued::root("Root"));
    let leaf = right.server("localhost", None);
    let written = |name: &str, issuer: &Issued| TlsOptions {
        certificate: house
            .dir
            .file(name, leaf.certificate.pem() + &issuer.certificate.pem()),
        key: house.dir.file("issued-key.pem", leaf.key_pem()),
        names: vec!["localhost".to_owned()],
        ..house.options()
    };
    assert!(TlsSource::new(&written("right.pem", &right), now()).is_ok());
    let error = refusal(&written("forged.pem", &forged));
    assert!(matches!(&error, TlsError::BrokenChain { .. }), "{error}");
    assert!(error.to_string().contains("next: "));
}

#[test]
fn refuses_a_certificate_that_is_for_clients_only() {
    let house = House::new();
    let root = Issued::root("Root");
    let leaf = root.server(
        "localhost",
        Some(rcgen::ExtendedKeyUsagePurpose::ClientAuth),
    );
    let options = TlsOptions {
        certificate: house.dir.file(
            "client.pem",
            leaf.certificate.pem() + &root.certificate.pem(),
        ),
        key: house.dir.file("client-key.pem", leaf.key_pem()),
        names: vec!["localhost".to_owned()],
        ..house.options()
    };
    assert!(matches!(refusal(&options), TlsError::Usage { .. }));
}
