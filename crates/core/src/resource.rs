//! Things that are protected, and patterns over their names.

use std::fmt;
use std::sync::Arc;

/// Kafka's resource types. Codes: `org.apache.kafka.common.resource.ResourceType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum ResourceType {
    Topic = 2,
    Group = 3,
    Cluster = 4,
    TransactionalId = 5,
    DelegationToken = 6,
    User = 7,
}

/// The one name that the cluster resource has.
pub const CLUSTER_NAME: &str = "kafka-cluster";

impl ResourceType {
    pub const ALL: [Self; 6] = [
        Self::Topic,
        Self::Group,
        Self::Cluster,
        Self::TransactionalId,
        Self::DelegationToken,
        Self::User,
    ];

    pub const fn code(self) -> i8 {
        self as i8
    }

    pub fn from_code(code: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Kafka's spelling, as its authorizer logs it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topic => "Topic",
            Self::Group => "Group",
            Self::Cluster => "Cluster",
            Self::TransactionalId => "TransactionalId",
            Self::DelegationToken => "DelegationToken",
            Self::User => "User",
        }
    }

    /// The word before the colon on the command line and in policy files.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Group => "group",
            Self::Cluster => "cluster",
            Self::TransactionalId => "txn",
            Self::DelegationToken => "token",
            Self::User => "user",
        }
    }

    pub fn from_keyword(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.keyword() == word)
    }
}

/// Codes: `org.apache.kafka.common.resource.PatternType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum PatternType {
    Literal = 3,
    Prefixed = 4,
}

impl PatternType {
    pub const fn code(self) -> i8 {
        self as i8
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Literal => "LITERAL",
            Self::Prefixed => "PREFIXED",
        }
    }
}

/// A resource type and a pattern over names. `LITERAL *` matches every name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourcePattern {
    pub kind: ResourceType,
    pub pattern: PatternType,
    pub name: Arc<str>,
}

impl ResourcePattern {
    pub fn literal(kind: ResourceType, name: &str) -> Self {
        Self {
            kind,
            pattern: PatternType::Literal,
            name: name.into(),
        }
    }

    pub fn prefixed(kind: ResourceType, name: &str) -> Self {
        Self {
            kind,
            pattern: PatternType::Prefixed,
            name: name.into(),
        }
    }

    pub fn cluster() -> Self {
        Self::literal(ResourceType::Cluster, CLUSTER_NAME)
    }

    pub fn is_wildcard(&self) -> bool {
        self.pattern == PatternType::Literal && &*self.name == "*"
    }

    /// Whether the pattern covers this resource.
    pub fn covers(&self, resource: Resource<'_>) -> bool {
        self.kind == resource.kind
            && match self.pattern {
                PatternType::Literal => &*self.name == resource.name || &*self.name == "*",
                PatternType::Prefixed => resource.name.starts_with(&*self.name),
            }
    }

    /// Reads the command line's form: `topic:orders` is literal, `topic:orders.*` the prefix `orders.`,
    /// `topic:*` everything, `cluster` the cluster.
    pub fn parse(text: &str) -> Result<Self, ResourceSyntax> {
        if text == "cluster" {
            return Ok(Self::cluster());
        }
        let (word, name) = text
            .split_once(':')
            .ok_or_else(|| ResourceSyntax::new(text))?;
        let kind = ResourceType::from_keyword(word)
            .filter(|kind| *kind != ResourceType::Cluster)
            .ok_or_else(|| ResourceSyntax::new(text))?;
        if name.is_empty() {
            return Err(ResourceSyntax::new(text));
        }
        match name.strip_suffix('*') {
            Some("") | None => Ok(Self::literal(kind, name)),
            Some(stem) => Ok(Self::prefixed(kind, stem)),
        }
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.pattern) {
            (ResourceType::Cluster, _) => f.write_str("cluster"),
            (kind, PatternType::Literal) => write!(f, "{}:{}", kind.keyword(), self.name),
            (kind, PatternType::Prefixed) => write!(f, "{}:{}*", kind.keyword(), self.name),
        }
    }
}

/// One named thing that somebody wants to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource<'a> {
    pub kind: ResourceType,
    pub name: &'a str,
}

impl<'a> Resource<'a> {
    pub const CLUSTER: Resource<'static> = Resource {
        kind: ResourceType::Cluster,
        name: CLUSTER_NAME,
    };

    pub const fn topic(name: &'a str) -> Self {
        Self {
            kind: ResourceType::Topic,
            name,
        }
    }

    pub const fn group(name: &'a str) -> Self {
        Self {
            kind: ResourceType::Group,
            name,
        }
    }

    pub const fn transactional_id(name: &'a str) -> Self {
        Self {
            kind: ResourceType::TransactionalId,
            name,
        }
    }

    /// Reads `topic:orders`, `group:g`, `cluster`: always one literal name.
    pub fn parse(text: &'a str) -> Result<Self, ResourceSyntax> {
        if text == "cluster" {
            return Ok(Self::CLUSTER);
        }
        let (word, name) = text
            .split_once(':')
            .ok_or_else(|| ResourceSyntax::new(text))?;
        match ResourceType::from_keyword(word) {
            Some(kind) if kind != ResourceType::Cluster && !name.is_empty() => {
                Ok(Self { kind, name })
            }
            _ => Err(ResourceSyntax::new(text)),
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ResourceType::Cluster => f.write_str("cluster"),
            kind => write!(f, "{}:{}", kind.keyword(), self.name),
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a resource: write topic:NAME, group:NAME, txn:NAME, token:NAME, user:NAME or cluster"
)]
pub struct ResourceSyntax {
    text: String,
}

impl ResourceSyntax {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_star_is_a_prefix_and_a_lone_star_everything() {
        let prefix = ResourcePattern::parse("topic:orders.*").unwrap();
        assert_eq!(
            prefix,
            ResourcePattern::prefixed(ResourceType::Topic, "orders.")
        );
        assert!(prefix.covers(Resource::topic("orders.new")));
        assert!(!prefix.covers(Resource::topic("orders")));
        let all = ResourcePattern::parse("topic:*").unwrap();
        assert!(all.is_wildcard() && all.covers(Resource::topic("anything")));
        assert!(!all.covers(Resource::group("anything")));
    }

    #[test]
    fn shows_what_it_parsed() {
        for text in [
            "topic:orders",
            "topic:orders.*",
            "topic:*",
            "group:g",
            "txn:t*",
            "cluster",
        ] {
            assert_eq!(ResourcePattern::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_resource() {
        for text in ["", "orders", "topic:", "table:x", "cluster:x"] {
            assert!(ResourcePattern::parse(text).is_err(), "{text}");
        }
    }
}
