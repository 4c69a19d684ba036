//! Names and secrets: what may be a user's name, and what is stored of a secret.
//!
//! A person's password becomes SCRAM verifiers and an argon2id hash; a service's secret, 256 random bits, becomes SCRAM
//! verifiers and a keyed hash. None of them gives the secret back.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use kastellan_core::credential::{DEFAULT_ITERATIONS, ScramMechanism, ScramVerifier};
use kastellan_core::secret::Secret;

/// Bytes of a name, at most.
const NAME_MAX: usize = 255;
/// As long as the salts that are made up for users who do not exist.
const SALT_LEN: usize = 16;

/// A name that a user can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    #[error("a user needs a name")]
    Empty,
    #[error("a user name has at most {NAME_MAX} bytes")]
    Long,
    #[error("* stands for everybody and cannot be a user")]
    Everyone,
    #[error("ANONYMOUS stands for whoever did not log in and cannot be a user")]
    Anonymous,
    #[error("a user name holds no control characters")]
    Control,
}

impl UserName {
    pub fn parse(text: &str) -> Result<Self, UserNameError> {
        match text {
            "" => Err(UserNameError::Empty),
            "*" => Err(UserNameError::Everyone),
            "ANONYMOUS" => Err(UserNameError::Anonymous),
            long if long.len() > NAME_MAX => Err(UserNameError::Long),
            odd if odd.chars().any(char::is_control) => Err(UserNameError::Control),
            name => Ok(Self(name.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library refused")]
pub(crate) struct CryptoError;

fn random(len: usize) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = vec![0; len];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| CryptoError)?;
    Ok(bytes)
}

/// 256 random bits, as text that every configuration file can hold.
pub(crate) fn generate_secret() -> Result<Secret, CryptoError> {
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(random(32)?)))
}

/// RFC 5802: SaltedPassword, then StoredKey = H(HMAC(salted, "Client Key")), ServerKey = HMAC(salted, "Server Key").
pub(crate) fn scram_verifier(
    mechanism: ScramMechanism,
    password: &Secret,
) -> Result<ScramVerifier, CryptoError> {
    derive(mechanism, password, random(SALT_LEN)?, DEFAULT_ITERATIONS)
}

pub(crate) fn derive(
    mechanism: ScramMechanism,
    password: &Secret,
    salt: Vec<u8>,
    iterations: u32,
) -> Result<ScramVerifier, CryptoError> {
    let (pbkdf, mac, hash) = match mechanism {
        ScramMechanism::Sha256 => (
            pbkdf2::PBKDF2_HMAC_SHA256,
            hmac::HMAC_SHA256,
            &digest::SHA256,
        ),
        ScramMechanism::Sha512 => (
            pbkdf2::PBKDF2_HMAC_SHA512,
            hmac::HMAC_SHA512,
            &digest::SHA512,
        ),
    };
    let rounds = NonZeroU32::new(iterations).ok_or(CryptoError)?;
    let mut salted = vec![0; mechanism.hash_len()];
    pbkdf2::derive(pbkdf, rounds, &salt, password.expose(), &mut salted);
    let salted = Secret::new(salted);
    let key = hmac::Key::new(mac, salted.expose());
    let client_key = Secret::from(hmac::sign(&key, b"Client Key").as_ref());
    Ok(ScramVerifier {
        mechanism,
        salt,
        iterations,
        stored_key: Secret::from(digest::digest(hash, client_key.expose()).as_ref()),
        server_key: Secret::from(hmac::sign(&key, b"Server Key").as_ref()),
    })
}

/// Whether the password is the one behind the verifier.
pub(crate) fn matches_verifier(
    verifier: &ScramVerifier,
    password: &Secret,
) -> Result<bool, CryptoError> {
    let derived = derive(
        verifier.mechanism,
        password,
        verifier.salt.clone(),
        verifier.iterations,
    )?;
    Ok(derived.stored_key.matches(verifier.stored_key.expose()))
}

/// argon2id, 19 MiB, 2 passes, 1 lane (OWASP's minimum).
const COST: Cost = Cost {
    memory_kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};

/// Parameters of one hash; stored with it, so that they can rise without touching older ones.
#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn hash(self, password: &Secret, salt: &[u8]) -> Result<Secret, CryptoError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|_| CryptoError)?;
        let mut out = vec![0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.expose(), salt, &mut out)
            .map_err(|_| CryptoError)?;
        Ok(Secret::new(out))
    }
}

/// The PHC text form: `$argon2id$v=19$m=..,t=..,p=..$salt$hash`.
pub(crate) fn hash_password(password: &Secret) -> Result<String, CryptoError> {
    let salt = random(16)?;
    let hash = COST.hash(password, &salt)?;
    Ok(phc(&salt, hash.expose()))
}

/// A hash that no password has, made without hashing: checking against it costs what any check costs, making it costs
/// no time and memory at start.
pub(crate) fn decoy_hash() -> Result<String, CryptoError> {
    Ok(phc(&random(16)?, &random(32)?))
}

fn phc(salt: &[u8], hash: &[u8]) -> String {
    let Cost {
        memory_kib,
        passes,
        lanes,
    } = COST;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
}

pub(crate) fn matches_hash(text: &str, password: &Secret) -> bool {
    let Some((cost, salt, hash)) = parse_hash(text) else {
        return false;
    };
    cost.hash(password, &salt)
        .is_ok_and(|candidate| hash.matches(candidate.expose()))
}

fn parse_hash(text: &str) -> Option<(Cost, Vec<u8>, Secret)> {
    let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut cost = parts.next()?.split(',');
    let cost = Cost {
        memory_kib: cost.next()?.strip_prefix("m=")?.parse().ok()?,
        passes: cost.next()?.strip_prefix("t=")?.parse().ok()?,
        lanes: cost.next()?.strip_prefix("p=")?.parse().ok()?,
    };
    let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
    Some((
        cost,
        salt,
        Secret::new(STANDARD_NO_PAD.decode(parts.next()?).ok()?),
    ))
}

/// HMAC-SHA-256 under the store's own key: enough for a secret with 256 random bits.
pub(crate) fn keyed_hash(pepper: &Secret, secret: &Secret) -> Vec<u8> {
    hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, pepper.expose()),
        secret.expose(),
    )
    .as_ref()
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_and_nobody_are_no_users() {
        for name in ["", "*", "ANONYMOUS", "a\nb", &"x".repeat(256)] {
            assert!(UserName::parse(name).is_err(), "{name:?}");
        }
        for name in ["alice", "CN=a,O=b", "a*", "ä b"] {
            assert!(UserName::parse(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn verifier_matches_its_password_only() {
        let password = Secret::from("pencil".to_owned());
        for mechanism in ScramMechanism::ALL {
            let verifier = scram_verifier(mechanism, &password).unwrap();
            assert!(matches_verifier(&verifier, &password).unwrap());
            assert!(!matches_verifier(&verifier, &Secret::from("pencils".to_owned())).unwrap());
        }
    }

    #[test]
    fn password_hash_matches_its_password_only() {
        let hash = hash_password(&Secret::from("pencil".to_owned())).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        // A decoy asks for the same work and fits nobody.
        let decoy = decoy_hash().unwrap();
        assert_eq!(decoy.len(), hash.len());
        assert!(decoy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(parse_hash(&decoy).is_some());
        assert!(!matches_hash(&decoy, &Secret::from("pencil".to_owned())));
        assert!(matches_hash(&hash, &Secret::from("pencil".to_owned())));
        assert!(!matches_hash(&hash, &Secret::from("pencils".to_owned())));
    }
}
