//! Reads and checks the schemas. A key that nobody knows is an error, so that no fact is lost in silence.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// An inclusive range of versions; `None` is "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions(pub Option<(i16, i16)>);

pub const OPEN: i16 = i16::MAX;

impl Versions {
    pub fn parse(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self(None));
        }
        let range = if let Some(low) = text.strip_suffix('+') {
            (low.parse()?, OPEN)
        } else if let Some((low, high)) = text.split_once('-') {
            (low.parse()?, high.parse()?)
        } else {
            let one = text.parse()?;
            (one, one)
        };
        Ok(Self(Some(range)))
    }

    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some((a, b)), Some((c, d))) if a.max(c) <= b.min(d) => {
                Self(Some((a.max(c), b.min(d))))
            }
            _ => Self(None),
        }
    }

    pub fn contains(self, version: i16) -> bool {
        self.0
            .is_some_and(|(low, high)| (low..=high).contains(&version))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawSchema {
    api_key: Option<i16>,
    r#type: String,
    #[serde(default)]
    #[allow(dead_code, reason = "a fact of the schema that decides nothing here")]
    listeners: Vec<String>,
    name: String,
    valid_versions: String,
    #[serde(default = "none")]
    flexible_versions: String,
    #[serde(default)]
    #[allow(dead_code, reason = "the API matrix holds what is advertised")]
    latest_version_unstable: bool,
    #[serde(default)]
    fields: Vec<RawField>,
    #[serde(default)]
    common_structs: Vec<RawStruct>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawStruct {
    name: String,
    #[allow(dead_code, reason = "every field has its own")]
    versions: String,
    fields: Vec<RawField>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawField {
    name: String,
    r#type: String,
    versions: String,
    nullable_versions: Option<String>,
    tag: Option<u32>,
    tagged_versions: Option<String>,
    #[allow(
        dead_code,
        reason = "only on the request header, which is written by hand"
    )]
    flexible_versions: Option<String>,
    default: Option<serde_json::Value>,
    #[serde(default)]
    ignorable: bool,
    #[allow(dead_code, reason = "a hint")]
    entity_type: Option<String>,
    #[serde(default)]
    #[allow(dead_code, reason = "a hint")]
    map_key: bool,
    #[serde(default)]
    #[allow(dead_code, reason = "a hint")]
    zero_copy: bool,
    #[serde(default)]
    fields: Vec<RawField>,
}

fn none() -> String {
    "none".to_owned()
}

/// One message, its structs in one list, the message itself first.
#[derive(Debug)]
pub struct Schema {
    pub api_key: Option<i16>,
    pub is_request: bool,
    pub name: String,
    pub valid: Versions,
    pub flexible: Versions,
    pub structs: Vec<Struct>,
}

#[derive(Debug)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// bool, int8 .. float64, uuid, string, bytes, records
    Plain(String),
    Struct(String),
    Array(Box<Kind>),
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub versions: Versions,
    pub nullable: Versions,
    pub tag: Option<(u32, Versions)>,
    pub default: Option<String>,
    pub ignorable: bool,
}

const PLAIN: &[&str] = &[
    "bool", "int8", "int16", "int32", "int64", "uint16", "uint32", "float64", "uuid", "string",
    "bytes", "records",
];

/// Reads every schema of a directory, ordered by name.
pub fn load(dir: &Path) -> Result<Vec<Schema>> {
    let mut schemas = Vec::new();
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let raw: RawSchema =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        schemas.push(resolve(raw).with_context(|| path.display().to_string())?);
    }
    schemas.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(schemas)
}

fn resolve(raw: RawSchema) -> Result<Schema> {
    let valid = Versions::parse(&raw.valid_versions)?;
    let flexible = Versions::parse(&raw.flexible_versions)?;
    let mut structs = Vec::new();
    collect(&raw.name, raw.fields, &mut structs)?;
    for common in raw.common_structs {
        collect(&common.name, common.fields, &mut structs)?;
    }
    let names: BTreeSet<&str> = structs
        .iter()
        .map(|one: &Struct| one.name.as_str())
        .collect();
    ensure!(names.len() == structs.len(), "a struct name is used twice");
    for one in &structs {
        check(one, &names, flexible)?;
    }
    Ok(Schema {
        api_key: raw.api_key,
        is_request: raw.r#type == "request",
        name: raw.name,
        valid,
        flexible,
        structs,
    })
}

fn collect(name: &str, fields: Vec<RawField>, structs: &mut Vec<Struct>) -> Result<()> {
    let at = structs.len();
    structs.push(Struct {
        name: name.to_owned(),
        fields: Vec::new(),
    });
    for mut raw in fields {
        let nested = std::mem::take(&mut raw.fields);
        if !nested.is_empty() {
            collect(raw.r#type.trim_start_matches("[]"), nested, structs)?;
        }
        structs[at].fields.push(field(raw)?);
    }
    Ok(())
}

fn field(raw: RawField) -> Result<Field> {
    let tag = match (raw.tag, raw.tagged_versions) {
        (Some(tag), Some(versions)) => Some((tag, Versions::parse(&versions)?)),
        (None, None) => None,
        _ => bail!("{}: tag and taggedVersions belong together", raw.name),
    };
    let default = raw.default.map(|value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    });
    Ok(Field {
        kind: kind(&raw.r#type),
        versions: Versions::parse(&raw.versions)?,
        nullable: raw
            .nullable_versions
            .map_or(Ok(Versions(None)), |text| Versions::parse(&text))?,
        name: raw.name,
        tag,
        default,
        ignorable: raw.ignorable,
    })
}

fn kind(text: &str) -> Kind {
    match text.strip_prefix("[]") {
        Some(element) => Kind::Array(Box::new(kind(element))),
        None if PLAIN.contains(&text) => Kind::Plain(text.to_owned()),
        None => Kind::Struct(text.to_owned()),
    }
}

/// Types resolve; tags count from 0 without a gap and live in flexible versions.
fn check(one: &Struct, names: &BTreeSet<&str>, flexible: Versions) -> Result<()> {
    let mut tags: Vec<u32> = Vec::new();
    for field in &one.fields {
        let mut kind = &field.kind;
        while let Kind::Array(element) = kind {
            kind = element;
        }
        if let Kind::Struct(name) = kind {
            ensure!(
                names.contains(name.as_str()),
                "{}.{}: unknown type {name}",
                one.name,
                field.name
            );
        }
        if let Some((tag, versions)) = field.tag {
            tags.push(tag);
            let low = versions.0.map_or(OPEN, |(low, _)| low);
            ensure!(
                flexible.0.is_some_and(|(from, _)| low >= from),
                "{}.{}: tag before flexible versions",
                one.name,
                field.name
            );
        }
    }
    tags.sort_unstable();
    ensure!(
        tags.iter().enumerate().all(|(at, tag)| at as u32 == *tag),
        "{}: tags have a gap",
        one.name
    );
    Ok(())
}
