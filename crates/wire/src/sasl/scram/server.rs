//! The side that checks: [`first`] reads who wants to log in, [`Claimed::challenge`] answers with salt and nonce,
//! [`Challenged::finish`] checks the proof and says who it was.
//!
//! A user that does not exist runs the same conversation with a made-up verifier and fails at its end, so that
//! neither the number of steps nor the salt tells whether a user exists.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kastellan_core::credential::{DEFAULT_ITERATIONS, ITERATIONS, ScramMechanism, ScramVerifier};
use kastellan_core::secret::Secret;
use subtle::ConstantTimeEq;

use super::grammar::{ClientFinal, ClientFirst};
use super::keys::{self, SALT_LEN};
use super::{Nonce, ScramError};

/// Reads the first message of a client.
pub fn first(mechanism: ScramMechanism, message: &[u8]) -> Result<Claimed, ScramError> {
    let first = ClientFirst::parse(message)?;
    if first.wants_token {
        return Err(ScramError::DelegationToken);
    }
    Ok(Claimed {
        mechanism,
        binding: STANDARD.encode(first.gs2_header),
        bare: first.bare.to_owned(),
        nonce: first.nonce.to_owned(),
        authzid: first.authzid,
        user: first.user,
    })
}

/// A client has said who it is.
#[derive(Debug)]
pub struct Claimed {
    mechanism: ScramMechanism,
    binding: String,
    bare: String,
    nonce: String,
    authzid: Option<String>,
    user: String,
}

/// What a claim is checked against: a stored verifier, or one made up. Which of them does not show from outside.
pub struct Candidate {
    verifier: ScramVerifier,
    standing: Result<(), ScramError>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidate(..)")
    }
}

impl Claimed {
    /// Who is looked up. Nothing is proven yet.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub fn mechanism(&self) -> ScramMechanism {
        self.mechanism
    }

    /// What the look-up found, or a made-up verifier: the same one for the same user as long as the key stays.
    /// A credential with iterations outside [`ITERATIONS`] is kept from logging in.
    pub fn candidate(&self, found: Option<ScramVerifier>, decoy_key: &Secret) -> Candidate {
        let decoy = decoy(self.mechanism, &self.user, decoy_key);
        match found {
            None => Candidate {
                verifier: decoy,
                standing: Err(ScramError::UnknownUser),
            },
            Some(found)
                if found.mechanism != self.mechanism || !ITERATIONS.contains(&found.iterations) =>
            {
                Candidate {
                    verifier: decoy,
                    standing: Err(ScramError::UnfitCredential),
                }
            }
            Some(found) => Candidate {
                verifier: found,
                standing: Ok(()),
            },
        }
    }

    /// The answer to the first message, and the state that waits for the proof.
    pub fn challenge(self, candidate: Candidate, nonce: &Nonce) -> (Challenged, Vec<u8>) {
        let verifier = &candidate.verifier;
        let nonce = format!("{}{}", self.nonce, nonce.0);
        let salt = STANDARD.encode(&verifier.salt);
        let server_first = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let message = server_first.clone().into_bytes();
        let challenged = Challenged {
            claimed: self,
            candidate,
            nonce,
            server_first,
        };
        (challenged, message)
    }
}

/// A verifier that no password fits, with a salt that looks like any other.
fn decoy(mechanism: ScramMechanism, user: &str, key: &Secret) -> ScramVerifier {
    let derive = |purpose: &[u8]| {
        let label = [
            mechanism.name().as_bytes(),
            b"\0",
            purpose,
            b"\0",
            user.as_bytes(),
        ]
        .concat();
        keys::sign(mechanism, key.expose(), &label)
            .as_ref()
            .to_vec()
    };
    let mut salt = derive(b"salt");
    salt.truncate(SALT_LEN);
    ScramVerifier {
        mechanism,
        salt,
        iterations: DEFAULT_ITERATIONS,
        stored_key: Secret::new(derive(b"stored key")),
        server_key: Secret::new(derive(b"server key")),
    }
}

/// The proof is awaited.
#[derive(Debug)]
pub struct Challenged {
    claimed: Claimed,
    candidate: Candidate,
    nonce: String,
    server_first: String,
}

/// A client has shown that it knows the password.
#[derive(Debug)]
pub struct Proven {
    user: String,
    server_final: Vec<u8>,
}

impl Proven {
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The user, and the last message to the client: proof that this server knows the verifier.
    pub fn into_parts(self) -> (String, Vec<u8>) {
        (self.user, self.server_final)
    }
}

impl Challenged {
    /// Who is being checked, for the log. Nothing is proven yet.
    pub fn user(&self) -> &str {
        &self.claimed.user
    }

    /// Checks the last message of the client.
    pub fn finish(self, message: &[u8]) -> Result<Proven, ScramError> {
        let last = ClientFinal::parse(message)?;
        // librdkafka before 2.6.1 puts its own nonce in front once more (its issue 4895). Ours is compared whole all the
        // same, so an old answer does not fit.
        let doubled = format!("{}{}", self.claimed.nonce, self.nonce);
        if !same(last.nonce, &self.nonce) && !same(last.nonce, &doubled) {
            return Err(ScramError::NonceMismatch);
        }
        if !same(last.binding, &self.claimed.binding) {
            return Err(ScramError::BindingMismatch);
        }
        let mechanism = self.claimed.mechanism;
        let verifier = &self.candidate.verifier;
        let signed = format!(
            "{},{},{}",
            self.claimed.bare, self.server_first, last.without_proof
        );
        let signature = keys::sign(mechanism, verifier.stored_key.expose(), signed.as_bytes());
        let client_key = keys::xor(signature.as_ref(), &last.proof);
        let matches = verifier
            .stored_key
            .matches(keys::hash(mechanism, &client_key).as_ref());
        self.candidate.standing?;
        if !matches || last.proof.len() != mechanism.hash_len() {
            return Err(ScramError::ProofMismatch);
        }
        if self
            .claimed
            .authzid
            .is_some_and(|authzid| authzid != self.claimed.user)
        {
            return Err(ScramError::OtherAuthorizationId);
        }
        let signature = keys::sign(mechanism, verifier.server_key.expose(), signed.as_bytes());
        Ok(Proven {
            user: self.claimed.user,
            server_final: format!("v={}", STANDARD.encode(signature)).into_bytes(),
        })
    }
}

fn same(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}
