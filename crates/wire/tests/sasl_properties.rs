//! SASL and frames: any bytes at all give an answer, and what one side writes the other side reads.

use bytes::BytesMut;
use kastellan_core::credential::ScramMechanism;
use kastellan_core::secret::Secret;
use proptest::collection::vec;
use proptest::prelude::*;
use wire::frame::{self, FrameCaps, Progress};
use wire::sasl::plain;
use wire::sasl::scram::client::Login;
use wire::sasl::scram::{Nonce, keys, server};

/// Text that looks like SCRAM, so that parsing gets past its first step.
fn almost_scram() -> impl Strategy<Value = String> {
    "(n|y|p=x)?,(a=[a-z=,]{0,3})?,(n=[a-z=23CD]{0,6})?,?(r=[!-~]{0,6})?(,[a-z]{0,3}=?[a-z]{0,3}){0,2}"
}

fn almost_final() -> impl Strategy<Value = String> {
    "(c=biws|c=[a-z]{0,4}),?(r=[!-~]{0,6})?(,[a-z]{0,2}=?[a-z]{0,2}){0,2}(,p=[A-Za-z0-9+/=]{0,8})?"
}

fn decoy_key() -> Secret {
    Secret::from(vec![7; 32])
}

/// Feeds two messages of a client to a server that knows nobody. Nobody gets in.
fn answer(first: &[u8], last: &[u8]) {
    if let Ok(claimed) = server::first(ScramMechanism::Sha256, first) {
        let candidate = claimed.candidate(None, &decoy_key());
        let (challenged, _) = claimed.challenge(candidate, &Nonce::from_random([9; 24]));
        assert!(challenged.finish(last).is_err());
    }
}

/// Feeds two messages of a server to a client.
fn ask(first: &[u8], last: &[u8]) {
    let login = Login {
        mechanism: ScramMechanism::Sha512,
        user: "user".to_owned(),
        password: Secret::from(b"password".as_slice()),
    };
    let (greeted, _) = login.first(Nonce::from_random([1; 24]));
    if let Ok((answered, _)) = greeted.answer(first) {
        assert!(answered.finish(last).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_plain_message_gives_an_answer(message in vec(any::<u8>(), 0..300)) {
        let _ = plain::parse(&message).and_then(plain::Claim::proven);
    }

    #[test]
    fn plain_is_read_as_it_was_written(user in "[^\0]{1,60}", password in "[^\0]{1,60}") {
        let message = plain::message(&user, &Secret::from(password.clone()));
        let claim = plain::parse(message.expose()).expect("three parts");
        prop_assert!(claim.password().matches(password.as_bytes()));
        prop_assert_eq!(claim.proven().expect("no authorization id"), user);
    }

    #[test]
    fn any_scram_messages_give_an_answer(first in vec(any::<u8>(), 0..200), last in vec(any::<u8>(), 0..200)) {
        answer(&first, &last);
        ask(&first, &last);
    }

    #[test]
    fn almost_right_scram_messages_give_an_answer(first in almost_scram(), last in almost_final()) {
        answer(first.as_bytes(), last.as_bytes());
        ask(first.as_bytes(), last.as_bytes());
    }

    #[test]
    fn any_stream_of_frames_gives_an_answer(stream in vec(any::<u8>(), 0..200), cut in 0..200_usize) {
        let caps = FrameCaps { produce: 150, greeting: 20, other: 100 };
        let mut buffer = BytesMut::new();
        for piece in [&stream[..cut.min(stream.len())], &stream[cut.min(stream.len())..]] {
            buffer.extend_from_slice(piece);
            while let Ok(Some(frame)) = frame::take(&mut buffer, caps) {
                prop_assert!((8..=150).contains(&frame.len()));
            }
        }
        if let Ok(Progress::Body { length, missing }) = frame::inspect(&buffer, caps) {
            prop_assert_eq!(buffer.len() + missing, length + 4);
        }
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut(
        bodies in vec(vec(any::<u8>(), 8..100), 1..6),
        cuts in vec(1..50_usize, 1..40),
    ) {
        let caps = FrameCaps::same(100);
        let stream: Vec<u8> = bodies
            .iter()
            .flat_map(|body| frame::Frame::from(bytes::Bytes::from(body.clone())).into_wire().expect("short"))
            .flatten()
            .collect();
        let mut rest = stream.as_slice();
        let mut buffer = BytesMut::new();
        let mut taken = Vec::new();
        for cut in cuts.into_iter().cycle() {
            let (piece, later) = rest.split_at(cut.min(rest.len()));
            rest = later;
            buffer.extend_from_slice(piece);
            while let Some(frame) = frame::take(&mut buffer, caps).expect("frames are within the cap") {
                taken.push(frame.to_vec());
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(taken, bodies);
    }
}

proptest! {
    // Each case derives a key from a password twice.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn scram_lets_in_who_has_the_password_and_nobody_else(
        user in "[^\0]{1,40}",
        password in "[^\0]{1,40}",
        salt in vec(any::<u8>(), 1..40),
        sha512 in any::<bool>(),
        right in any::<bool>(),
    ) {
        let mechanism = if sha512 { ScramMechanism::Sha512 } else { ScramMechanism::Sha256 };
        let stored = keys::verifier(mechanism, &Secret::from(password.clone()), &salt, 4096).expect("allowed");
        let offered = if right { password } else { format!("{password}x") };
        let login = Login { mechanism, user: user.clone(), password: Secret::from(offered) };
        let (greeted, message) = login.first(Nonce::from_random([1; 24]));
        let claimed = server::first(mechanism, &message).expect("our own message");
        let candidate = claimed.candidate(Some(stored), &decoy_key());
        let (challenged, message) = claimed.challenge(candidate, &Nonce::from_random([2; 24]));
        let (answered, message) = greeted.answer(&message).expect("our own message");
        match challenged.finish(&message) {
            Ok(proven) => {
                prop_assert!(right);
                let (name, message) = proven.into_parts();
                prop_assert_eq!(name, user);
                prop_assert!(answered.finish(&message).is_ok());
            }
            Err(_) => prop_assert!(!right),
        }
    }
}
