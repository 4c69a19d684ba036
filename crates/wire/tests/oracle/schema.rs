//! The schemas as plain data, read again from the JSON files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Both ends included.
pub type Range = (i16, i16);

#[derive(Debug)]
pub struct Schema {
    pub name: String,
    pub key: Option<i16>,
    pub is_response: bool,
    pub versions: Range,
    pub flexible_from: i16,
    pub fields: Vec<Field>,
    pub structs: BTreeMap<String, Vec<Field>>,
}

#[derive(Clone, Debug)]
pub struct Field {
    /// As in the schema: `int32`, `[]string`, `[]Topic`.
    pub kind: String,
    pub versions: Option<Range>,
    pub nullable: Option<Range>,
    pub tag: Option<(u32, Range)>,
    pub default: Option<String>,
}

impl Field {
    pub fn is_tagged(&self, version: i16) -> bool {
        self.tag
            .is_some_and(|(_, range)| within(Some(range), version))
    }
}

pub fn within(range: Option<Range>, version: i16) -> bool {
    range.is_some_and(|(low, high)| (low..=high).contains(&version))
}

/// Every message that exists in at least one version.
pub fn load() -> Vec<Schema> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let mut schemas: Vec<Schema> = std::fs::read_dir(dir)
        .expect("the schemas are part of the crate")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter_map(|path| {
            let text = std::fs::read_to_string(&path).expect("the file can be read");
            schema(&serde_json::from_str(&text).expect("a schema is JSON"))
        })
        .collect();
    schemas.sort_by(|a, b| a.name.cmp(&b.name));
    schemas
}

fn schema(json: &Value) -> Option<Schema> {
    let versions = range(text(json, "validVersions")?)?;
    let mut structs = BTreeMap::new();
    let fields = fields(&json["fields"], &mut structs);
    for common in json["commonStructs"].as_array().into_iter().flatten() {
        let nested = self::fields(&common["fields"], &mut structs);
        structs.insert(text(common, "name")?.to_owned(), nested);
    }
    Some(Schema {
        name: text(json, "name")?.to_owned(),
        key: json["apiKey"].as_i64().and_then(|key| key.try_into().ok()),
        is_response: text(json, "type") == Some("response"),
        versions,
        flexible_from: text(json, "flexibleVersions")
            .and_then(range)
            .map_or(i16::MAX, |(low, _)| low),
        fields,
        structs,
    })
}

fn fields(json: &Value, structs: &mut BTreeMap<String, Vec<Field>>) -> Vec<Field> {
    json.as_array()
        .into_iter()
        .flatten()
        .map(|one| field(one, structs))
        .collect()
}

fn field(json: &Value, structs: &mut BTreeMap<String, Vec<Field>>) -> Field {
    let kind = text(json, "type").expect("a field has a type").to_owned();
    if json["fields"].is_array() {
        let nested = fields(&json["fields"], structs);
        structs.insert(kind.trim_start_matches("[]").to_owned(), nested);
    }
    let tag = json["tag"].as_u64().map(|tag| {
        let versions = text(json, "taggedVersions")
            .and_then(range)
            .expect("a tag has versions");
        (
            u32::try_from(tag).expect("a tag is a small number"),
            versions,
        )
    });
    Field {
        kind,
        versions: text(json, "versions").and_then(range),
        nullable: text(json, "nullableVersions").and_then(range),
        tag,
        default: json.get("default").map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        }),
    }
}

fn text<'a>(json: &'a Value, key: &str) -> Option<&'a str> {
    json[key].as_str()
}

fn range(text: &str) -> Option<Range> {
    let number = |text: &str| text.parse().expect("a version is a number");
    match (text, text.strip_suffix('+'), text.split_once('-')) {
        ("none", ..) => None,
        (_, Some(low), _) => Some((number(low), i16::MAX)),
        (_, _, Some((low, high))) => Some((number(low), number(high))),
        _ => Some((number(text), number(text))),
    }
}
