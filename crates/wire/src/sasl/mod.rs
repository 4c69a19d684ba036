//! SASL conversations as pure state machines: message in, message out, next state.
//!
//! A state holds only what it knows, and the value that says who logged in comes out of the last one. Sockets,
//! look-ups, randomness and what the peer is told about a failure are the caller's: errors here are for the log.
//!
//! Spoken: PLAIN ([`plain`], RFC 4616) and SCRAM-SHA-256 and -512 ([`scram`], RFC 5802, RFC 7677). OAUTHBEARER and
//! GSSAPI have a name and no conversation yet.

pub mod plain;
pub mod scram;

use std::fmt;
use std::str::FromStr;

use kastellan_core::credential::ScramMechanism;

/// A way to log in, by its name in SaslHandshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    Plain,
    Scram(ScramMechanism),
    OauthBearer,
    Gssapi,
}

impl Mechanism {
    pub const ALL: [Self; 5] = [
        Self::Plain,
        Self::Scram(ScramMechanism::Sha256),
        Self::Scram(ScramMechanism::Sha512),
        Self::OauthBearer,
        Self::Gssapi,
    ];

    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(scram) => scram.name(),
            Self::OauthBearer => "OAUTHBEARER",
            Self::Gssapi => "GSSAPI",
        }
    }

    /// Whether this crate has a conversation for it.
    pub const fn is_spoken(self) -> bool {
        matches!(self, Self::Plain | Self::Scram(_))
    }

    /// Largest message a client may send, in bytes: tokens and tickets are long, passwords are not.
    pub const fn message_max(self) -> usize {
        match self {
            Self::Plain | Self::Scram(_) => 4 << 10,
            Self::OauthBearer => 32 << 10,
            Self::Gssapi => 60 << 10,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name belongs to no mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SASL mechanism")]
pub struct UnknownMechanism;

impl FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|mechanism| mechanism.name() == name)
            .ok_or(UnknownMechanism)
    }
}

/// Longest user name, in bytes.
pub const USER_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_exactly() {
        for mechanism in Mechanism::ALL {
            assert_eq!(mechanism.name().parse(), Ok(mechanism));
        }
        for other in ["", "plain", "PLAIN ", "SCRAM-SHA-1", "ANONYMOUS"] {
            assert_eq!(other.parse::<Mechanism>(), Err(UnknownMechanism), "{other}");
        }
    }

    #[test]
    fn only_plain_and_scram_are_spoken() {
        let spoken = Mechanism::ALL
            .into_iter()
            .filter(|mechanism| mechanism.is_spoken());
        assert_eq!(
            spoken.map(Mechanism::name).collect::<Vec<_>>(),
            ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
        );
    }
}
