//! One line of the policy: who may, or may not, do what on which resources, from where.
//!
//! A Kafka ACL binding is a rule and the other way round.

use std::fmt;

use crate::host::HostPattern;
use crate::operation::Operation;
use crate::principal::PrincipalName;
use crate::resource::ResourcePattern;

/// Codes: `org.apache.kafka.common.acl.AclPermissionType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum Effect {
    Deny = 2,
    Allow = 3,
}

impl Effect {
    pub const fn code(self) -> i8 {
        self as i8
    }

    pub const fn from_code(code: i8) -> Option<Self> {
        match code {
            2 => Some(Self::Deny),
            3 => Some(Self::Allow),
            _ => None,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        })
    }
}

/// Number of a stored rule. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub i64);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule:{}", self.0)
    }
}

/// What a rule says, without its number. Two equal definitions are one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleDefinition {
    pub effect: Effect,
    pub subject: PrincipalName,
    pub host: HostPattern,
    pub operation: Operation,
    pub resource: ResourcePattern,
}

impl fmt::Display for RuleDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {}",
            self.effect, self.subject, self.operation, self.resource
        )?;
        if self.host != HostPattern::Any {
            write!(f, " from {}", self.host)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub id: RuleId,
    pub definition: RuleDefinition,
}
