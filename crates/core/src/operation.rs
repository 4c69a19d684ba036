//! What somebody wants to do. Codes and implications as in Kafka's `AclOperation` and `StandardAuthorizerData`.

use std::fmt;
use std::str::FromStr;

use crate::resource::ResourceType;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum Operation {
    All = 2,
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
    CreateTokens = 13,
    DescribeTokens = 14,
    TwoPhaseCommit = 15,
}

use Operation::*;

impl Operation {
    pub const EVERY: [Self; 14] = [
        All,
        Read,
        Write,
        Create,
        Delete,
        Alter,
        Describe,
        ClusterAction,
        DescribeConfigs,
        AlterConfigs,
        IdempotentWrite,
        CreateTokens,
        DescribeTokens,
        TwoPhaseCommit,
    ];

    pub const fn code(self) -> i8 {
        self as i8
    }

    pub fn from_code(code: i8) -> Option<Self> {
        Self::EVERY
            .into_iter()
            .find(|operation| operation.code() == code)
    }

    pub const fn name(self) -> &'static str {
        match self {
            All => "All",
            Read => "Read",
            Write => "Write",
            Create => "Create",
            Delete => "Delete",
            Alter => "Alter",
            Describe => "Describe",
            ClusterAction => "ClusterAction",
            DescribeConfigs => "DescribeConfigs",
            AlterConfigs => "AlterConfigs",
            IdempotentWrite => "IdempotentWrite",
            CreateTokens => "CreateTokens",
            DescribeTokens => "DescribeTokens",
            TwoPhaseCommit => "TwoPhaseCommit",
        }
    }

    /// Whether an *allow* rule for `self` grants `asked`: Read, Write, Delete and Alter include Describe,
    /// AlterConfigs includes DescribeConfigs, All everything.
    pub const fn allows(self, asked: Operation) -> bool {
        if self.code() == asked.code() {
            return true;
        }
        match self {
            All => true,
            Read | Write | Delete | Alter => matches!(asked, Describe),
            AlterConfigs => matches!(asked, DescribeConfigs),
            _ => false,
        }
    }

    /// Whether a *deny* rule for `self` forbids `asked`: only the very same, or All.
    pub const fn denies(self, asked: Operation) -> bool {
        self.code() == asked.code() || matches!(self, All)
    }

    /// The operations that make sense on a type, in order of their codes (Kafka `AclEntry.supportedOperations`).
    pub const fn on(kind: ResourceType) -> &'static [Operation] {
        match kind {
            ResourceType::Topic => &[
                Read,
                Write,
                Create,
                Delete,
                Alter,
                Describe,
                DescribeConfigs,
                AlterConfigs,
            ],
            ResourceType::Group => &[Read, Delete, Describe, DescribeConfigs, AlterConfigs],
            ResourceType::Cluster => &[
                Create,
                Alter,
                Describe,
                ClusterAction,
                DescribeConfigs,
                AlterConfigs,
                IdempotentWrite,
            ],
            ResourceType::TransactionalId => &[Write, Describe, TwoPhaseCommit],
            ResourceType::DelegationToken => &[Describe],
            ResourceType::User => &[CreateTokens, DescribeTokens],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an operation")]
pub struct UnknownOperation(String);

impl FromStr for Operation {
    type Err = UnknownOperation;

    /// Takes `Describe`, `describe`, `DESCRIBE_CONFIGS`: case and underscores do not matter.
    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        let plain: String = text.chars().filter(|c| *c != '_' && *c != '-').collect();
        Self::EVERY
            .into_iter()
            .find(|operation| operation.name().eq_ignore_ascii_case(&plain))
            .ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_implies_and_deny_does_not() {
        assert!(Read.allows(Describe) && AlterConfigs.allows(DescribeConfigs) && All.allows(Write));
        assert!(!Create.allows(Describe) && !AlterConfigs.allows(Describe));
        assert!(!Read.denies(Describe) && All.denies(Describe) && Read.denies(Read));
    }

    #[test]
    fn reads_every_spelling() {
        assert_eq!("describe_configs".parse(), Ok(DescribeConfigs));
        assert_eq!("DescribeConfigs".parse(), Ok(DescribeConfigs));
        assert!("Frobnicate".parse::<Operation>().is_err());
    }
}
