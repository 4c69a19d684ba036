//! Who someone is, and how that was proven.
//!
//! A [`PrincipalName`] is only a name: rules, listings and logs use it. A [`Principal`] is a name that somebody
//! proved; it is made by [`Principal::proven`], which only the login and handshake code of the gateway calls
//! (a test of the repository keeps it so).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::credential::CredentialRevision;
use crate::time::Timestamp;

/// A pair of type and name, compared exactly. Written `User:alice`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName {
    kind: Arc<str>,
    name: Arc<str>,
}

/// Kafka's principal type for whatever logs in.
pub const USER: &str = "User";
pub const GROUP: &str = "Group";
pub const ROLE: &str = "Role";

impl PrincipalName {
    pub fn new(kind: &str, name: &str) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
        }
    }

    pub fn user(name: &str) -> Self {
        Self::new(USER, name)
    }

    /// `User:*`, which in a rule means everybody.
    pub fn everyone() -> Self {
        Self::user("*")
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_everyone(&self) -> bool {
        &*self.kind == USER && &*self.name == "*"
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

impl fmt::Debug for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a principal is written type:name, such as User:alice")]
pub struct PrincipalSyntax;

impl FromStr for PrincipalName {
    type Err = PrincipalSyntax;

    /// Splits at the first colon; the name may hold further ones (Kafka `SecurityUtils.parseKafkaPrincipal`).
    fn from_str(text: &str) -> Result<Self, PrincipalSyntax> {
        let (kind, name) = text.split_once(':').ok_or(PrincipalSyntax)?;
        Ok(Self::new(kind, name))
    }
}

/// What convinced us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A client certificate whose chain was validated. Issuer (RFC 2253) and serial (lower-case hex) of every
    /// certificate of the chain, leaf first, so that a later revocation finds the session.
    Certificate { chain: Vec<CertificateId> },
    /// A password or SCRAM proof, by SASL mechanism name, with the credential it was checked against.
    Credential {
        mechanism: &'static str,
        credential: CredentialRevision,
    },
    /// Nobody asked: a clear-text listener without login, chosen by the operator.
    Anonymous,
}

impl Proof {
    /// Mechanism name for logs and trail.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Self::Certificate { .. } => "TLS",
            Self::Credential { mechanism, .. } => mechanism,
            Self::Anonymous => "NONE",
        }
    }
}

/// Names one certificate: its issuer's distinguished name and the serial number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateId {
    pub issuer: String,
    pub serial: String,
}

/// A name that was proven, how, and until when it holds.
#[derive(Clone, Debug)]
pub struct Principal {
    name: PrincipalName,
    proof: Proof,
    until: Option<Timestamp>,
}

impl Principal {
    /// Called where a proof was checked, and nowhere else.
    pub fn proven(name: PrincipalName, proof: Proof, until: Option<Timestamp>) -> Self {
        Self { name, proof, until }
    }

    pub fn name(&self) -> &PrincipalName {
        &self.name
    }

    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// When the session must end, if ever.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_colon_only() {
        let name: PrincipalName = "User:CN=a:b".parse().unwrap();
        assert_eq!((name.kind(), name.name()), ("User", "CN=a:b"));
        assert!("alice".parse::<PrincipalName>().is_err());
    }

    #[test]
    fn only_user_star_is_everyone() {
        assert!(PrincipalName::everyone().is_everyone());
        assert!(!PrincipalName::new("Group", "*").is_everyone());
    }
}
