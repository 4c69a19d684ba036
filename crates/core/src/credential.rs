//! What is stored of a secret, so that it can be checked but not told.

use std::fmt;
use std::str::FromStr;

use crate::secret::Secret;

/// Hash of a SCRAM exchange (RFC 5802, RFC 7677).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScramMechanism {
    Sha256,
    Sha512,
}

impl ScramMechanism {
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// Code in `AlterUserScramCredentials` (Kafka's `ScramMechanism`).
    pub const fn code(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    pub const fn from_code(code: i8) -> Option<Self> {
        match code {
            1 => Some(Self::Sha256),
            2 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Bytes of a hash.
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for ScramMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ScramMechanism {
    type Err = UnknownMechanism;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|m| m.name() == text)
            .ok_or(UnknownMechanism)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("not a SCRAM mechanism")]
pub struct UnknownMechanism;

/// Iterations of credentials that Kastellan makes.
pub const DEFAULT_ITERATIONS: u32 = 8192;
/// Iterations that a stored or uploaded credential may have, both ends included (Kafka `ScramControlManager`).
pub const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=16384;

/// What a server keeps to check a SCRAM proof: it cannot log in with it, nor learn the password.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    pub mechanism: ScramMechanism,
    pub salt: Vec<u8>,
    pub iterations: u32,
    pub stored_key: Secret,
    pub server_key: Secret,
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier")
            .field("mechanism", &self.mechanism)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// Names one stored credential in one of its states: a change of the secret makes a new revision,
/// and sessions opened with an older one are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CredentialRevision {
    pub id: i64,
    pub revision: i64,
}
