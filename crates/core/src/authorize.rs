//! Decides whether a principal may perform an operation on a resource.
//!
//! In: a [`Policy`] snapshot and one question. Out: a [`Permit`] or a [`Refusal`].
//! Pure: no clock, no socket, no lock. A deny rule wins; no matching rule is a refusal.

use std::fmt;

use crate::host::Host;
use crate::operation::Operation;
use crate::policy::Policy;
use crate::principal::PrincipalName;
use crate::resource::Resource;
use crate::rule::RuleId;

/// One question: may this principal, from this host, do this to that?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub principal: &'a PrincipalName,
    pub host: &'a Host,
    pub operation: Operation,
    pub resource: Resource<'a>,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    SuperUser,
    Rule(RuleId),
    /// No rule allows it.
    Default,
    /// Needs no right: every principal that logged in may do it.
    Everyone,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SuperUser => f.write_str("super_user"),
            Self::Rule(id) => id.fmt(f),
            Self::Default => f.write_str("default_deny"),
            Self::Everyone => f.write_str("everyone"),
        }
    }
}

/// Proof that the policy said yes. Made in this module only; forwarding consumes it.
#[must_use]
#[derive(Debug)]
pub struct Permit {
    basis: Basis,
}

impl Permit {
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// For a request that needs no right on any resource (Kafka checks nothing there either), such as the node
    /// list of DescribeCluster. Each use is a row of the API matrix.
    pub fn unprotected() -> Self {
        Self {
            basis: Basis::Everyone,
        }
    }

    /// Several yeses for one request are one yes.
    pub fn and(self, other: Permit) -> Permit {
        drop(other);
        self
    }
}

/// The policy said no, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    basis: Basis,
}

impl Refusal {
    /// The deny rule, or [`Basis::Default`].
    pub fn basis(&self) -> Basis {
        self.basis
    }
}

/// The decision.
pub fn authorize(policy: &Policy, question: &Question<'_>) -> Result<Permit, Refusal> {
    match policy.decide(question) {
        (true, basis) => Ok(Permit { basis }),
        (false, basis) => Err(Refusal { basis }),
    }
}

/// "May do it on at least one resource of the type" (Kafka `Authorizer.authorizeByResourceType`), asked by
/// idempotent producers without a transactional id.
pub fn authorize_any(
    policy: &Policy,
    principal: &PrincipalName,
    host: &Host,
    operation: Operation,
    kind: crate::resource::ResourceType,
) -> Result<Permit, Refusal> {
    match policy.decide_any(principal, host, operation, kind) {
        (true, basis) => Ok(Permit { basis }),
        (false, basis) => Err(Refusal { basis }),
    }
}

/// Kafka's bit field: bit n set when the operation with code n is granted on the resource.
pub fn authorized_operations(
    policy: &Policy,
    principal: &PrincipalName,
    host: &Host,
    resource: Resource<'_>,
) -> i32 {
    Operation::on(resource.kind)
        .iter()
        .filter(|operation| {
            policy
                .decide(&Question {
                    principal,
                    host,
                    operation: **operation,
                    resource,
                })
                .0
        })
        .fold(0, |bits, operation| bits | 1 << operation.code())
}
