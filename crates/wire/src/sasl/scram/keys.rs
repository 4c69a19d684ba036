//! From passwords to verifiers, and the signatures of RFC 5802 section 3.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use kastellan_core::credential::{ITERATIONS, ScramMechanism, ScramVerifier};
use kastellan_core::secret::Secret;
use zeroize::Zeroizing;

/// Bytes of the salts that Kastellan makes, for users it has and for users it has not.
pub const SALT_LEN: usize = 16;

/// Why no verifier can be made of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    #[error("too few iterations")]
    TooFewIterations,
    #[error("too many iterations")]
    TooManyIterations,
    #[error("salt is empty")]
    NoSalt,
    #[error("password is empty")]
    NoPassword,
    #[error("salted password is not as long as the hash")]
    SaltedLength,
}

/// What a server stores for a password. Costs as many hashes as there are iterations: milliseconds of CPU.
pub fn verifier(
    mechanism: ScramMechanism,
    password: &Secret,
    salt: &[u8],
    iterations: u32,
) -> Result<ScramVerifier, VerifierError> {
    check(salt, iterations)?;
    if password.is_empty() {
        return Err(VerifierError::NoPassword);
    }
    let salted = salt_password(mechanism, password, salt, iterations);
    verifier_from_salted(mechanism, &salted, salt, iterations)
}

/// What a server stores when an admin client has run the key derivation itself (`AlterUserScramCredentials`).
/// The salted password could log in: it is not kept.
pub fn verifier_from_salted(
    mechanism: ScramMechanism,
    salted_password: &Secret,
    salt: &[u8],
    iterations: u32,
) -> Result<ScramVerifier, VerifierError> {
    check(salt, iterations)?;
    if salted_password.len() != mechanism.hash_len() {
        return Err(VerifierError::SaltedLength);
    }
    let client_key = client_key(mechanism, salted_password);
    Ok(ScramVerifier {
        mechanism,
        salt: salt.to_vec(),
        iterations,
        stored_key: Secret::from(hash(mechanism, &client_key).as_ref()),
        server_key: server_key(mechanism, salted_password),
    })
}

fn check(salt: &[u8], iterations: u32) -> Result<(), VerifierError> {
    if salt.is_empty() {
        return Err(VerifierError::NoSalt);
    }
    if iterations < *ITERATIONS.start() {
        return Err(VerifierError::TooFewIterations);
    }
    if iterations > *ITERATIONS.end() {
        return Err(VerifierError::TooManyIterations);
    }
    Ok(())
}

/// `Hi(password, salt, i)`: PBKDF2. Zero iterations count as one.
pub(super) fn salt_password(
    mechanism: ScramMechanism,
    password: &Secret,
    salt: &[u8],
    iterations: u32,
) -> Secret {
    let algorithm = match mechanism {
        ScramMechanism::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        ScramMechanism::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    let mut salted = vec![0; mechanism.hash_len()];
    pbkdf2::derive(algorithm, iterations, salt, password.expose(), &mut salted);
    Secret::new(salted)
}

pub(super) fn client_key(mechanism: ScramMechanism, salted: &Secret) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(
        sign(mechanism, salted.expose(), b"Client Key")
            .as_ref()
            .to_vec(),
    )
}

pub(super) fn server_key(mechanism: ScramMechanism, salted: &Secret) -> Secret {
    Secret::from(sign(mechanism, salted.expose(), b"Server Key").as_ref())
}

pub(super) fn hash(mechanism: ScramMechanism, data: &[u8]) -> digest::Digest {
    digest::digest(
        match mechanism {
            ScramMechanism::Sha256 => &digest::SHA256,
            ScramMechanism::Sha512 => &digest::SHA512,
        },
        data,
    )
}

pub(super) fn sign(mechanism: ScramMechanism, key: &[u8], message: &[u8]) -> hmac::Tag {
    let algorithm = match mechanism {
        ScramMechanism::Sha256 => hmac::HMAC_SHA256,
        ScramMechanism::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, key), message)
}

/// `left XOR right`, as long as the shorter one.
pub(super) fn xor(left: &[u8], right: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(
        left.iter()
            .zip(right)
            .map(|(left, right)| left ^ right)
            .collect(),
    )
}
