//! Requests and answers of the admin socket. The same facts as the command line prints with `--json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why something was not done, and what to do next.
#[derive(Debug, Serialize, Deserialize)]
pub struct Problem {
    pub error: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

/// Where the server listens, as written to the ready file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ready {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kafka: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kafka_mtls: Option<String>,
    pub ops: String,
    pub ca: String,
    pub pid: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub uptime_seconds: u64,
    #[serde(flatten)]
    pub addresses: Ready,
    pub ready: bool,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub waiting_for: Vec<String>,
    pub connections: u64,
    pub sessions: u64,
    pub rules: usize,
    pub users: usize,
    /// `embedded log` or the address of the cluster.
    pub upstream: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct AddUser {
    pub name: String,
    /// Absent: one is made and told once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SetPassword {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
}

/// A user or client after a change; the password only if it was made here.
#[derive(Debug, Serialize, Deserialize)]
pub struct Changed {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub password: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    /// `person` or `service`
    pub kind: String,
    pub disabled: bool,
    pub mechanisms: Vec<String>,
    /// RFC 3339, UTC.
    pub created: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct AddClient {
    pub name: String,
}

/// A service with everything its developers need. `files` are whole: name and content.
#[derive(Serialize, Deserialize)]
pub struct Bundle {
    pub name: String,
    pub files: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleText {
    pub effect: String,
    pub principal: String,
    pub operation: String,
    pub resource: String,
    pub host: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Rule {
    pub id: i64,
    #[serde(flatten)]
    pub rule: RuleText,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct AddRules {
    pub rules: Vec<RuleText>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RemoveRules {
    pub ids: Vec<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ExplainQuestion {
    pub principal: String,
    pub operation: String,
    pub resource: String,
    pub host: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Explanation {
    pub allowed: bool,
    /// `rule:17`, `super_user`, `default_deny`
    pub basis: String,
    /// The deciding rule, if one decided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<Rule>,
    /// Rules that nearly decided otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub near: Vec<NearMiss>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct NearMiss {
    pub rule: Rule,
    pub why: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Reloaded {
    /// What was read again, in words.
    pub reloaded: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RootKey {
    pub version: u32,
    pub state: String,
    pub created: String,
    pub files: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct RootVersion {
    pub version: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Verified {
    pub files: u64,
    pub frames: u64,
    pub bytes: u64,
    pub damage: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ExportRequest {
    pub topic: String,
    pub partition: u32,
    /// Absolute path; the server writes it with mode 0600 and never replaces a file.
    pub out: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Exported {
    pub batches: u64,
    pub bytes: u64,
}
