//! The side that logs in, to an upstream cluster: [`Login::first`], [`Greeted::answer`], [`Answered::finish`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kastellan_core::credential::{ITERATIONS, ScramMechanism};
use kastellan_core::secret::Secret;

use super::grammar::{self, ServerFirst};
use super::{Nonce, ScramError, keys};

/// What a login needs to know.
#[derive(Debug)]
pub struct Login {
    pub mechanism: ScramMechanism,
    pub user: String,
    pub password: Secret,
}

/// The server has been told who wants to log in.
#[derive(Debug)]
pub struct Greeted {
    login: Login,
    nonce: Nonce,
    bare: String,
}

/// The proof was sent; the server's own is awaited.
#[derive(Debug)]
pub struct Answered {
    signature: Secret,
}

impl Login {
    /// The first message.
    pub fn first(self, nonce: Nonce) -> (Greeted, Vec<u8>) {
        let bare = format!("n={},r={}", grammar::escape(&self.user), nonce.0);
        let message = format!("{GS2_HEADER}{bare}").into_bytes();
        let greeted = Greeted {
            login: self,
            nonce,
            bare,
        };
        (greeted, message)
    }
}

impl Greeted {
    /// The proof. Refuses a server that asks for so few iterations that it could be guessing the password, or for
    /// so many that it wastes our time.
    pub fn answer(self, message: &[u8]) -> Result<(Answered, Vec<u8>), ScramError> {
        let server_first = grammar::text(message)?;
        let first = ServerFirst::parse(server_first)?;
        let extends_ours = first.nonce.strip_prefix(&self.nonce.0);
        if extends_ours.is_none_or(str::is_empty) {
            return Err(ScramError::NonceMismatch);
        }
        if first.iterations < *ITERATIONS.start() || first.iterations > ITERATIONS_MAX {
            return Err(ScramError::Iterations(first.iterations));
        }
        let mechanism = self.login.mechanism;
        let salted = keys::salt_password(
            mechanism,
            &self.login.password,
            &first.salt,
            first.iterations,
        );
        let client_key = keys::client_key(mechanism, &salted);
        let stored_key = keys::hash(mechanism, &client_key);
        let without_proof = format!("c={},r={}", STANDARD.encode(GS2_HEADER), first.nonce);
        let signed = format!("{},{server_first},{without_proof}", self.bare);
        let signature = keys::sign(mechanism, stored_key.as_ref(), signed.as_bytes());
        let proof = keys::xor(&client_key, signature.as_ref());
        let server_key = keys::server_key(mechanism, &salted);
        let expected = keys::sign(mechanism, server_key.expose(), signed.as_bytes());
        let answered = Answered {
            signature: Secret::from(expected.as_ref()),
        };
        let message = format!("{without_proof},p={}", STANDARD.encode(proof.as_slice()));
        Ok((answered, message.into_bytes()))
    }
}

impl Answered {
    /// Checks that the server knows the verifier. Without this the login is not done.
    pub fn finish(self, message: &[u8]) -> Result<(), ScramError> {
        let text = grammar::text(message)?;
        let first = text.split(',').next().unwrap_or_default();
        if first.starts_with("e=") {
            return Err(ScramError::ServerRefused);
        }
        let signature = first
            .strip_prefix("v=")
            .ok_or(ScramError::Malformed("server signature"))?;
        if self.signature.matches(&grammar::base64(signature)?) {
            Ok(())
        } else {
            Err(ScramError::SignatureMismatch)
        }
    }
}

/// No channel binding, no authorization id.
const GS2_HEADER: &str = "n,,";
/// More would cost seconds of CPU.
const ITERATIONS_MAX: u32 = 1_000_000;
