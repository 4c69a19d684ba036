//! SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677), without channel binding, as Kafka speaks it.
//!
//! [`server`] checks a login against a stored verifier, [`client`] logs in elsewhere, [`keys`] makes verifiers.
//! User names and passwords are used as the bytes they are: Kafka applies no SASLprep.

pub mod client;
mod grammar;
pub mod keys;
pub mod server;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::USER_MAX;

/// Random text of one side. 24 bytes become 32 printable characters.
#[derive(Clone, Debug)]
pub struct Nonce(String);

impl Nonce {
    /// From 24 random bytes, which must not be used again.
    pub fn from_random(bytes: [u8; 24]) -> Self {
        Self(STANDARD.encode(bytes))
    }

    #[cfg(test)]
    fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Why a conversation failed. The log's words: the peer is told one text, whatever it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    #[error("message is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("message is not UTF-8")]
    NotUtf8,
    #[error("malformed message: {0}")]
    Malformed(&'static str),
    #[error("client asks for channel binding")]
    ChannelBinding,
    #[error("client asks for an extension that is mandatory and unknown")]
    MandatoryExtension,
    #[error("client offers a delegation token")]
    DelegationToken,
    #[error("user name is longer than {USER_MAX} bytes")]
    UserTooLong,
    #[error("channel binding data differ from the first message")]
    BindingMismatch,
    #[error("nonce differs from the one sent")]
    NonceMismatch,
    #[error("user is unknown or has no such credential")]
    UnknownUser,
    #[error("stored credential is too weak or for another mechanism")]
    UnfitCredential,
    #[error("client proof does not match")]
    ProofMismatch,
    #[error("authorization id differs from the user")]
    OtherAuthorizationId,
    #[error("server asks for {0} iterations")]
    Iterations(u32),
    #[error("server refused the login")]
    ServerRefused,
    #[error("server signature does not match")]
    SignatureMismatch,
}

#[cfg(test)]
mod tests;
