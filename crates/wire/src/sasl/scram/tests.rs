use kastellan_core::credential::{DEFAULT_ITERATIONS, ScramMechanism, ScramVerifier};
use kastellan_core::secret::Secret;

use super::client::Login;
use super::grammar::{ClientFirst, escape, name};
use super::keys::{SALT_LEN, VerifierError, verifier, verifier_from_salted};
use super::server::{Challenged, first};
use super::*;

const SHA256: ScramMechanism = ScramMechanism::Sha256;
const SHA512: ScramMechanism = ScramMechanism::Sha512;

/// The conversation of RFC 7677 section 3, and the same inputs with SHA-512 computed by another implementation.
const CLIENT_NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const SERVER_FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const WITHOUT_PROOF: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const VECTORS: [(ScramMechanism, &str, &str); 2] = [
    (
        SHA256,
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
    (
        SHA512,
        "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
        "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    ),
];

fn pencil(mechanism: ScramMechanism) -> ScramVerifier {
    let salt = grammar::base64("W22ZaJ0SNY7soEsUEjb6gQ==").expect("vector is base64");
    verifier(mechanism, &secret("pencil"), &salt, 4096).expect("vector is allowed")
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn decoy_key() -> Secret {
    secret("a key of the server")
}

/// A server that waits for the proof of the vectors.
fn challenged(first_message: &str, found: Option<ScramVerifier>) -> (Challenged, String) {
    let mechanism = found.as_ref().map_or(SHA256, |found| found.mechanism);
    let claimed = first(mechanism, first_message.as_bytes()).expect("first message is right");
    let candidate = claimed.candidate(found, &decoy_key());
    let (challenged, message) = claimed.challenge(candidate, &Nonce::of(SERVER_NONCE));
    (
        challenged,
        String::from_utf8(message).expect("messages are text"),
    )
}

fn proof(mechanism: ScramMechanism) -> &'static str {
    if mechanism == SHA256 {
        VECTORS[0].1
    } else {
        VECTORS[1].1
    }
}

#[test]
fn server_speaks_the_published_conversation() {
    for (mechanism, proof, signature) in VECTORS {
        let (server, server_first) = challenged(CLIENT_FIRST, Some(pencil(mechanism)));
        assert_eq!(server_first, SERVER_FIRST);
        let proven = server
            .finish(format!("{WITHOUT_PROOF},p={proof}").as_bytes())
            .expect("proof is right");
        let (user, server_final) = proven.into_parts();
        assert_eq!(user, "user");
        assert_eq!(server_final, format!("v={signature}").into_bytes());
    }
}

#[test]
fn client_speaks_the_published_conversation() {
    for (mechanism, proof, signature) in VECTORS {
        let login = Login {
            mechanism,
            user: "user".to_owned(),
            password: secret("pencil"),
        };
        let (greeted, message) = login.first(Nonce::of(CLIENT_NONCE));
        assert_eq!(message, CLIENT_FIRST.as_bytes());
        let (answered, message) = greeted
            .answer(SERVER_FIRST.as_bytes())
            .expect("server is right");
        assert_eq!(message, format!("{WITHOUT_PROOF},p={proof}").into_bytes());
        answered
            .finish(format!("v={signature}").as_bytes())
            .expect("signature is right");
    }
}

/// Logs in with these words; what the server says of it.
fn log_in(
    mechanism: ScramMechanism,
    user: &str,
    password: &str,
    found: Option<ScramVerifier>,
) -> Result<String, ScramError> {
    let login = Login {
        mechanism,
        user: user.to_owned(),
        password: secret(password),
    };
    let (greeted, message) = login.first(Nonce::from_random([1; 24]));
    let claimed = first(mechanism, &message)?;
    assert_eq!(claimed.user(), user);
    let candidate = claimed.candidate(found, &decoy_key());
    let (challenged, message) = claimed.challenge(candidate, &Nonce::from_random([2; 24]));
    let (answered, message) = greeted.answer(&message).expect("server is right");
    let (user, message) = challenged.finish(&message)?.into_parts();
    answered
        .finish(&message)
        .expect("server knows the verifier");
    Ok(user)
}

#[test]
fn right_password_logs_in_and_wrong_one_does_not() {
    for mechanism in ScramMechanism::ALL {
        for user in ["user", "a=b,c", "Grüße", "CN=x,O=y"] {
            let found = verifier(mechanism, &secret("p,=s"), b"salt", 4096).ok();
            assert_eq!(
                log_in(mechanism, user, "p,=s", found.clone()).as_deref(),
                Ok(user)
            );
            assert_eq!(
                log_in(mechanism, user, "p,=t", found),
                Err(ScramError::ProofMismatch)
            );
        }
    }
}

#[test]
fn unknown_user_runs_the_whole_conversation_and_fails_at_its_end() {
    for mechanism in ScramMechanism::ALL {
        assert_eq!(
            log_in(mechanism, "nobody", "x", None),
            Err(ScramError::UnknownUser)
        );
    }
    let (_, one) = challenged("n,,n=nobody,r=abc", None);
    let (_, again) = challenged("n,,n=nobody,r=abc", None);
    let (_, other) = challenged("n,,n=noone,r=abc", None);
    assert_eq!(one, again, "a made-up salt stays the same");
    assert_ne!(one, other, "and is another one for another user");
    let made_up = grammar::ServerFirst::parse(&one).expect("looks like any other");
    assert_eq!(made_up.salt.len(), SALT_LEN);
    assert_eq!(made_up.iterations, DEFAULT_ITERATIONS);
}

#[test]
fn unfit_credential_does_not_log_in() {
    let mut weak = pencil(SHA256);
    weak.iterations = 4095;
    assert_eq!(
        log_in(SHA256, "user", "pencil", Some(weak)),
        Err(ScramError::UnfitCredential)
    );
    assert_eq!(
        log_in(SHA512, "user", "pencil", Some(pencil(SHA256))),
        Err(ScramError::UnfitCredential)
    );
    assert_eq!(
        log_in(SHA256, "user", "pencil", Some(pencil(SHA256))).as_deref(),
        Ok("user")
    );
}

#[test]
fn last_message_must_repeat_nonce_and_binding() {
    let finish = |message: String| {
        challenged(CLIENT_FIRST, Some(pencil(SHA256)))
            .0
            .finish(message.as_bytes())
            .map(|_| ())
    };
    let nonce = format!("{CLIENT_NONCE}{SERVER_NONCE}");
    let p = proof(SHA256);
    assert_eq!(finish(format!("c=biws,r={nonce},p={p}")), Ok(()));
    for wrong in [
        CLIENT_NONCE.to_owned(),
        SERVER_NONCE.to_owned(),
        format!("{nonce}x"),
        "x".to_owned(),
    ] {
        assert_eq!(
            finish(format!("c=biws,r={wrong},p={p}")),
            Err(ScramError::NonceMismatch)
        );
    }
    // The headers "y,," and "n,a=user,".
    for wrong in ["eSws", "bixhPXVzZXIs"] {
        assert_eq!(
            finish(format!("c={wrong},r={nonce},p={p}")),
            Err(ScramError::BindingMismatch)
        );
    }
    assert_eq!(
        finish(format!("c=biws,r={nonce},x=1,p={p}")),
        Err(ScramError::ProofMismatch)
    );
    assert_eq!(
        finish(format!("c=biws,r={nonce},p=AAAA")),
        Err(ScramError::ProofMismatch)
    );
    let flipped = p.replacen('d', "e", 1);
    assert_eq!(
        finish(format!("c=biws,r={nonce},p={flipped}")),
        Err(ScramError::ProofMismatch)
    );
    for malformed in [
        String::new(),
        format!("c=biws,r={nonce}"),
        format!("r={nonce},c=biws,p={p}"),
        format!("c=biws,r={nonce},p={p},x=1"),
        format!("c=biws,r={nonce},p="),
        format!("c=biws,r={nonce},p=!!!!"),
        format!("c=biws,r={nonce},nothing,p={p}"),
        format!("c=biws,r=,p={p}"),
    ] {
        assert!(
            matches!(finish(malformed.clone()), Err(ScramError::Malformed(_))),
            "{malformed}"
        );
    }
}

#[test]
fn empty_stored_key_is_matched_by_nothing() {
    let mut empty = pencil(SHA256);
    empty.stored_key = Secret::default();
    let (server, _) = challenged(CLIENT_FIRST, Some(empty));
    assert!(
        server
            .finish(format!("{WITHOUT_PROOF},p=AA==").as_bytes())
            .is_err()
    );
}

#[test]
fn authorization_id_is_compared_after_the_proof() {
    // The proof covers the bare message and the binding, so both are computed for each header.
    let log_in = |authzid: &str, password: &str| {
        let header = format!("n,a={authzid},");
        let bare = "n=user,r=abc";
        let (server, server_first) = challenged(&format!("{header}{bare}"), Some(pencil(SHA256)));
        let parsed = grammar::ServerFirst::parse(&server_first).expect("server is right");
        let salted =
            keys::salt_password(SHA256, &secret(password), &parsed.salt, parsed.iterations);
        let client_key = keys::client_key(SHA256, &salted);
        let stored = keys::hash(SHA256, &client_key);
        let without = format!("c={},r={}", STANDARD.encode(&header), parsed.nonce);
        let signed = format!("{bare},{server_first},{without}");
        let proof = keys::xor(
            &client_key,
            keys::sign(SHA256, stored.as_ref(), signed.as_bytes()).as_ref(),
        );
        let message = format!("{without},p={}", STANDARD.encode(proof.as_slice()));
        server
            .finish(message.as_bytes())
            .map(|proven| proven.user().to_owned())
    };
    assert_eq!(log_in("user", "pencil").as_deref(), Ok("user"));
    assert_eq!(
        log_in("admin", "pencil"),
        Err(ScramError::OtherAuthorizationId)
    );
    assert_eq!(log_in("admin", "wrong"), Err(ScramError::ProofMismatch));
}

#[test]
fn first_message_is_read_by_its_grammar() {
    let read =
        |message: &str| first(SHA256, message.as_bytes()).map(|claimed| claimed.user().to_owned());
    for (message, user) in [
        ("n,,n=user,r=abc", "user"),
        ("n,a=other,n=user,r=abc", "user"),
        ("n,,n=a=2Cb=3Dc,r=abc", "a,b=c"),
        ("n,,n=user,r=abc,tokenauth=false,other=1=2", "user"),
    ] {
        assert_eq!(read(message).as_deref(), Ok(user), "{message}");
    }
    for (message, error) in [
        ("y,,n=user,r=abc", ScramError::ChannelBinding),
        ("p=tls-unique,,n=user,r=abc", ScramError::ChannelBinding),
        ("n,,m=x,n=user,r=abc", ScramError::MandatoryExtension),
        (
            "n,,n=user,r=abc,tokenauth=true",
            ScramError::DelegationToken,
        ),
        (
            "n,,n=user,r=abc,tokenauth=TRUE",
            ScramError::DelegationToken,
        ),
    ] {
        assert_eq!(read(message), Err(error), "{message}");
    }
    for malformed in [
        "",
        "n",
        "n,",
        "n,,",
        "x,,n=user,r=abc",
        "n,b=x,n=user,r=abc",
        "n,a=,n=user,r=abc",
        "n,,n=,r=abc",
        "n,,n=a=b,r=abc",
        "n,,n=a=2c,r=abc",
        "n,,n=a=,r=abc",
        "n,,r=abc,n=user",
        "n,,n=user",
        "n,,n=user,r=",
        "n,,n=user,r=a c",
        "n,,n=user,r=ab\u{e9}",
        "n,,n=user,r=abc,",
        "n,,n=user,r=abc,x",
        "n,,n=user,r=abc,x=",
        "n,,n=user,r=abc,1=x",
        "n,,n=us\0er,r=abc",
    ] {
        assert!(
            matches!(read(malformed), Err(ScramError::Malformed(_))),
            "{malformed:?}"
        );
    }
    assert_eq!(
        first(SHA256, b"n,,n=\xFF,r=abc").err(),
        Some(ScramError::NotUtf8)
    );
    assert_eq!(
        read(&format!("n,,n={},r=abc", "u".repeat(255))).map(|user| user.len()),
        Ok(255)
    );
    assert_eq!(
        read(&format!("n,,n={},r=abc", "u".repeat(256))),
        Err(ScramError::UserTooLong)
    );
    assert_eq!(
        read(&format!("n,,n=u,r={}", "r".repeat(4096))),
        Err(ScramError::TooLong { limit: 4096 })
    );
}

#[test]
fn names_are_escaped_and_read_back() {
    for text in ["user", "=", ",", "=2C", "a,b=c", "=3D=2C"] {
        assert_eq!(name(&escape(text)).as_deref(), Ok(text));
    }
    let parsed = ClientFirst::parse(b"n,a=x=2Cy,n=u,r=abc").expect("grammar is kept");
    assert_eq!(parsed.authzid.as_deref(), Some("x,y"));
    assert_eq!(parsed.gs2_header, "n,a=x=2Cy,");
}

#[test]
fn client_refuses_servers_that_do_not_play_by_the_rules() {
    let answer = |message: &str| {
        let login = Login {
            mechanism: SHA256,
            user: "user".to_owned(),
            password: secret("pencil"),
        };
        let (greeted, _) = login.first(Nonce::of(CLIENT_NONCE));
        greeted
            .answer(message.as_bytes())
            .map(|(answered, _)| answered)
    };
    let salted = |nonce: &str, iterations: &str| {
        format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i={iterations}")
    };
    let nonce = format!("{CLIENT_NONCE}{SERVER_NONCE}");
    assert!(answer(&salted(&nonce, "4096")).is_ok());
    assert_eq!(
        answer(&salted(CLIENT_NONCE, "4096")).err(),
        Some(ScramError::NonceMismatch)
    );
    assert_eq!(
        answer(&salted("other", "4096")).err(),
        Some(ScramError::NonceMismatch)
    );
    for (iterations, number) in [("4095", 4095), ("1", 1), ("4000000000", 4_000_000_000)] {
        assert_eq!(
            answer(&salted(&nonce, iterations)).err(),
            Some(ScramError::Iterations(number))
        );
    }
    for malformed in ["", "+4096", "4096x", "99999999999"] {
        assert!(
            matches!(
                answer(&salted(&nonce, malformed)),
                Err(ScramError::Malformed(_))
            ),
            "{malformed}"
        );
    }
    let finish = |message: &str| {
        answer(SERVER_FIRST)
            .expect("server is right")
            .finish(message.as_bytes())
    };
    assert_eq!(finish("e=other-error"), Err(ScramError::ServerRefused));
    assert_eq!(
        finish(&format!("v={}", VECTORS[0].1)),
        Err(ScramError::SignatureMismatch)
    );
    assert!(matches!(finish("v="), Err(ScramError::Malformed(_))));
    assert_eq!(finish(&format!("v={}", VECTORS[0].2)), Ok(()));
}

#[test]
fn verifiers_are_made_from_passwords_and_from_salted_passwords_alike() {
    let salted = keys::salt_password(SHA512, &secret("pencil"), b"salt", 5000);
    let from_salted = verifier_from_salted(SHA512, &salted, b"salt", 5000);
    assert_eq!(
        from_salted,
        verifier(SHA512, &secret("pencil"), b"salt", 5000)
    );

    let error = |salt: &[u8], iterations| verifier(SHA256, &secret("x"), salt, iterations).err();
    assert_eq!(error(b"salt", 4095), Some(VerifierError::TooFewIterations));
    assert_eq!(
        error(b"salt", 16_385),
        Some(VerifierError::TooManyIterations)
    );
    assert_eq!(error(b"", 4096), Some(VerifierError::NoSalt));
    assert_eq!(error(b"salt", 16_384), None);
    assert_eq!(
        verifier(SHA256, &secret(""), b"salt", 4096),
        Err(VerifierError::NoPassword)
    );
    let short = verifier_from_salted(SHA512, &Secret::from([0; 32].as_slice()), b"salt", 4096);
    assert_eq!(short, Err(VerifierError::SaltedLength));
}

/// librdkafka before 2.6.1 sends its nonce twice; the server's own nonce must be whole all the same.
#[test]
fn takes_a_doubled_client_nonce_and_refuses_any_other_addition() {
    let password = Secret::from(b"pencil".to_vec());
    let stored = keys::verifier(ScramMechanism::Sha256, &password, &[7; 16], 4096).unwrap();
    let log_in = |prefix: &str| {
        let claimed = server::first(ScramMechanism::Sha256, b"n,,n=user,r=abc").unwrap();
        let candidate = claimed.candidate(Some(stored.clone()), &Secret::new(vec![1; 32]));
        let (challenged, first) = claimed.challenge(candidate, &Nonce::of("server"));
        let first = String::from_utf8(first).unwrap();
        let without_proof = format!("c=biws,r={prefix}abcserver");
        let auth = format!("n=user,r=abc,{first},{without_proof}");
        let proof = client_proof(&password, &[7; 16], auth.as_bytes());
        challenged
            .finish(format!("{without_proof},p={proof}").as_bytes())
            .map(|_| ())
    };
    assert_eq!(log_in(""), Ok(()));
    assert_eq!(log_in("abc"), Ok(()));
    assert_eq!(log_in("abcabc"), Err(ScramError::NonceMismatch));
    assert_eq!(log_in("x"), Err(ScramError::NonceMismatch));
}

/// RFC 5802, section 3, by hand.
fn client_proof(password: &Secret, salt: &[u8], auth: &[u8]) -> String {
    use aws_lc_rs::{digest, hmac, pbkdf2};
    let mut salted = [0; 32];
    let rounds = std::num::NonZeroU32::new(4096).unwrap();
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        rounds,
        salt,
        password.expose(),
        &mut salted,
    );
    let key = |key: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, key);
    let client_key = hmac::sign(&key(&salted), b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let signature = hmac::sign(&key(stored_key.as_ref()), auth);
    let proof: Vec<u8> = client_key
        .as_ref()
        .iter()
        .zip(signature.as_ref())
        .map(|(a, b)| a ^ b)
        .collect();
    STANDARD.encode(proof)
}
