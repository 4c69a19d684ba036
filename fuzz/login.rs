//! A client that logs in before the fuzzer takes over. It must get in: a target behind a login that fails proves nothing.
//!
//! The SCRAM proof is made from a client key that is a constant, so that no input pays for the key derivation.

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use wire::Request;
use wire::header::{decode_response, encode_request};
use wire::message::*;

use crate::world::PASSWORD;

/// What a password would have been made into.
pub const CLIENT_KEY: [u8; 32] = [5; 32];
const NONCE: &str = "fuzzed";

/// What the server keeps of it.
pub fn stored_key() -> Vec<u8> {
    digest::digest(&digest::SHA256, &CLIENT_KEY)
        .as_ref()
        .to_vec()
}

pub async fn plain(stream: &mut DuplexStream, user: &str) {
    greet(stream, "PLAIN").await;
    prove(stream, &[b"\0", user.as_bytes(), b"\0", PASSWORD].concat()).await;
}

pub async fn scram(stream: &mut DuplexStream, user: &str) {
    greet(stream, "SCRAM-SHA-256").await;
    let bare = format!("n={user},r={NONCE}");
    let challenge = prove(stream, format!("n,,{bare}").as_bytes()).await;
    let challenge = std::str::from_utf8(&challenge).expect("a challenge is text");
    let nonce = challenge.split(',').next().expect("it begins with a nonce");
    let without_proof = format!("c=biws,{nonce}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &stored_key());
    let signature = hmac::sign(
        &key,
        format!("{bare},{challenge},{without_proof}").as_bytes(),
    );
    let both = CLIENT_KEY.iter().zip(signature.as_ref());
    let proof: Vec<u8> = both.map(|(left, right)| left ^ right).collect();
    let last = format!("{without_proof},p={}", STANDARD.encode(proof));
    prove(stream, last.as_bytes()).await;
}

async fn greet(stream: &mut DuplexStream, mechanism: &'static str) {
    let request = SaslHandshakeRequest {
        mechanism: mechanism.into(),
        ..Default::default()
    };
    assert_eq!(
        ask(stream, 1, &request).await.error_code,
        0,
        "a mechanism that is offered"
    );
}

async fn prove(stream: &mut DuplexStream, token: &[u8]) -> Bytes {
    let request = SaslAuthenticateRequest {
        auth_bytes: Bytes::copy_from_slice(token),
        ..Default::default()
    };
    let response = ask(stream, 2, &request).await;
    assert_eq!(response.error_code, 0, "the proof is right");
    response.auth_bytes
}

async fn ask<R: Request>(stream: &mut DuplexStream, version: i16, request: &R) -> R::Response {
    let frame =
        encode_request(1, Some("fuzz".into()), version, request).expect("it can be written");
    let parts = frame.into_wire().expect("it has a length");
    stream
        .write_all(&parts.concat())
        .await
        .expect("the gateway listens");
    let length = stream.read_u32().await.expect("the gateway answers");
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer).await.expect("whole");
    let decoded = decode_response::<R::Response>(R::KEY, version, answer.into());
    decoded.expect("an answer of this version").1
}
