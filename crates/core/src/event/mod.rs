//! What the trail records: typed, small, without payloads or secrets.
//!
//! Who, what, on what, which rule, outcome. The writer adds sequence number, time and chain.

pub mod types;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Decides what happens when the trail cannot take the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Must be durable before a change, appended before a refusal goes out.
    Critical,
    Decision,
    Aggregate,
    Info,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Allowed,
    Refused,
    Filtered,
    Ok,
    Failed,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    /// Mechanism of the proof.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proof: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFacts {
    pub ip: String,
    pub port: u16,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<String>,
    pub listener: String,
}

impl PeerFacts {
    pub fn new(address: SocketAddr, listener: &str) -> Self {
        Self {
            ip: address.ip().to_canonical().to_string(),
            port: address.port(),
            tls: None,
            listener: cut(listener),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ClientFacts {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub software: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiFacts {
    pub name: String,
    pub key: i16,
    pub version: i16,
    pub correlation: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceFacts {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
}

/// One event, as its maker knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `auth.login`, `authz.refused`, `policy.rule`, ...
    #[serde(rename = "type")]
    pub kind: String,
    pub class: Class,
    pub outcome: Outcome,
    /// From a fixed vocabulary: `no_rule`, `deny_rule`, `bad_proof`, `unknown_user`, ...
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// What decided: `rule:17`, `super_user`, `default_deny`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub principal: Option<Actor>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<PeerFacts>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<ClientFacts>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api: Option<ApiFacts>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub op: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub resources: Vec<ResourceFacts>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resources_more: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub counts: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub change: Option<Change>,
    /// Number of the entry that this one is the outcome of.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none", default)]
    pub refers: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub detail: BTreeMap<String, String>,
}

/// Resources named in one event; the rest is counted.
pub const RESOURCES_MAX: usize = 64;
/// Bytes of a text that came from a peer.
pub const TEXT_MAX: usize = 256;

impl Event {
    pub fn new(kind: &str, class: Class, outcome: Outcome) -> Self {
        Self {
            kind: kind.to_owned(),
            class,
            outcome,
            why: None,
            rule: None,
            principal: None,
            session: None,
            peer: None,
            client: None,
            api: None,
            op: None,
            resources: Vec::new(),
            resources_more: None,
            counts: BTreeMap::new(),
            change: None,
            refers: None,
            detail: BTreeMap::new(),
        }
    }

    pub fn why(mut self, why: &str) -> Self {
        self.why = Some(why.to_owned());
        self
    }

    pub fn by(mut self, name: &crate::principal::PrincipalName, proof: Option<&str>) -> Self {
        self.principal = Some(Actor {
            kind: cut(name.kind()),
            name: cut(name.name()),
            proof: proof.map(str::to_owned),
        });
        self
    }

    pub fn from_peer(mut self, address: SocketAddr, listener: &str) -> Self {
        self.peer = Some(PeerFacts::new(address, listener));
        self
    }

    pub fn on(mut self, kind: &str, name: &str) -> Self {
        if self.resources.len() < RESOURCES_MAX {
            self.resources.push(ResourceFacts {
                kind: kind.to_owned(),
                name: cut(name),
            });
        } else {
            self.resources_more = Some(self.resources_more.unwrap_or(0) + 1);
        }
        self
    }

    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.detail.insert(key.to_owned(), cut(value));
        self
    }

    /// Whether it says that a change is about to be made, so that an outcome will follow.
    pub fn announces(&self) -> bool {
        self.class == Class::Critical && self.outcome == Outcome::Allowed && self.change.is_some()
    }

    pub fn changed(mut self, before: Option<String>, after: Option<String>) -> Self {
        self.change = Some(Change { before, after });
        self
    }
}

/// Shortens a text from a peer to [`TEXT_MAX`] bytes, at a character boundary, and marks the cut with `~`.
pub fn cut(text: &str) -> String {
    if text.len() <= TEXT_MAX {
        return text.to_owned();
    }
    let mut end = TEXT_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_fields_are_left_out() {
        let event = Event::new("auth.login", Class::Critical, Outcome::Failed).why("bad_proof");
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"type":"auth.login","class":"critical","outcome":"failed","why":"bad_proof"}"#
        );
    }

    #[test]
    fn cuts_long_text_at_a_character_boundary() {
        let long = "ä".repeat(200);
        let cut = cut(&long);
        assert!(cut.ends_with('~') && cut.len() <= TEXT_MAX + 1);
    }

    #[test]
    fn counts_resources_above_the_limit() {
        let event = (0..70).fold(Event::new("x", Class::Info, Outcome::Ok), |e, n| {
            e.on("topic", &n.to_string())
        });
        assert_eq!(
            (event.resources.len(), event.resources_more),
            (RESOURCES_MAX, Some(6))
        );
    }
}
