//! Writes one message as Rust: its structs with defaults, how they are read and how they are written.

use std::fmt::Write;

use anyhow::{Result, bail};

use crate::names::{field as field_name, snake};
use crate::schema::{Field, Kind, OPEN, Schema, Struct, Versions};

const HEAD: &str = "// Written by wire-gen from the schemas: do not edit.\n";

/// `mod.rs`: modules, re-exports, the table of versions.
pub fn index(held: &[&Schema]) -> String {
    let mut out = String::from(HEAD);
    out.push_str("//! Kafka's messages, one module each.\n\n");
    for schema in held {
        let _ = writeln!(out, "pub mod {};", snake(&schema.name));
    }
    out.push('\n');
    for schema in held {
        let _ = writeln!(out, "pub use {}::{};", snake(&schema.name), schema.name);
    }
    out.push_str("\n/// One API: what the schemas know of it.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub struct ApiVersions {\n    pub key: i16,\n    pub name: &'static str,\n    pub min: i16,\n    pub max: i16,\n    /// First version with compact lengths and tags; `i16::MAX`: none.\n    pub flexible_from: i16,\n}\n\n");
    let mut requests: Vec<&&Schema> = held.iter().filter(|schema| schema.is_request).collect();
    requests.sort_by_key(|schema| schema.api_key);
    out.push_str(
        "/// Every API that has messages here, by key.\npub const APIS: &[ApiVersions] = &[\n",
    );
    for schema in &requests {
        let (min, max) = schema.valid.0.unwrap_or((0, -1));
        let _ = writeln!(
            out,
            "    api({}, \"{}\", {min}, {max}, {}),",
            schema.api_key.unwrap_or(-1),
            schema.name.trim_end_matches("Request"),
            flexible_from(schema)
        );
    }
    out.push_str("];\n\nconst fn api(key: i16, name: &'static str, min: i16, max: i16, flexible_from: i16) -> ApiVersions {\n    ApiVersions { key, name, min, max, flexible_from }\n}\n\n");
    out.push_str("/// Decodes a message and encodes it again: for property tests and fuzzing.\n///\n/// `None`: no such API or version.\npub fn recode(key: i16, version: i16, response: bool, bytes: bytes::Bytes) -> Option<Result<Vec<u8>, crate::codec::DecodeError>> {\n    let api = APIS.iter().find(|api| api.key == key)?;\n    if !(api.min..=api.max).contains(&version) {\n        return None;\n    }\n    Some(match (key, response) {\n");
    for schema in &requests {
        let key = schema.api_key.unwrap_or(-1);
        let response = schema.name.replace("Request", "Response");
        let _ = writeln!(
            out,
            "        ({key}, false) => crate::codec::recode::<{}>(bytes, version),",
            schema.name
        );
        let _ = writeln!(
            out,
            "        ({key}, true) => crate::codec::recode::<{response}>(bytes, version),"
        );
    }
    out.push_str("        _ => return None,\n    })\n}\n");
    out
}

fn flexible_from(schema: &Schema) -> String {
    match schema.flexible.0 {
        Some((low, _)) => low.to_string(),
        None => "i16::MAX".to_owned(),
    }
}

/// One message file.
pub fn message(schema: &Schema) -> Result<String> {
    let mut out = String::from(HEAD);
    out.push_str("#![allow(unused_imports, unused_variables, clippy::all)]\n\nuse bytes::Bytes;\nuse uuid::Uuid;\n\nuse crate::codec::{DecodeError, EncodeError, Message, Reader, Request, Tags, UnknownTags, Wire, Writer};\nuse crate::text::Str;\n");
    for one in &schema.structs {
        emit_struct(&mut out, schema, one)?;
    }
    let (min, max) = schema.valid.0.unwrap_or((0, -1));
    let _ = write!(
        out,
        "\nimpl Message for {} {{\n    const NAME: &'static str = \"{}\";\n    const MIN: i16 = {min};\n    const MAX: i16 = {max};\n    const FLEXIBLE_FROM: i16 = {};\n}}\n",
        schema.name,
        schema.name,
        flexible_from(schema)
    );
    if schema.is_request {
        let _ = write!(
            out,
            "\nimpl Request for {} {{\n    const KEY: i16 = {};\n    type Response = super::{};\n}}\n",
            schema.name,
            schema.api_key.unwrap_or(-1),
            schema.name.replace("Request", "Response")
        );
    }
    Ok(out)
}

fn emit_struct(out: &mut String, schema: &Schema, one: &Struct) -> Result<()> {
    let fields: Vec<&Field> = one
        .fields
        .iter()
        .filter(|field| field.versions.and(schema.valid).0.is_some())
        .collect();
    let _ = write!(
        out,
        "\n#[derive(Clone, Debug, PartialEq)]\npub struct {} {{\n",
        one.name
    );
    for field in &fields {
        let _ = writeln!(
            out,
            "    pub {}: {},",
            field_name(&field.name),
            rust_type(field)
        );
    }
    out.push_str("    pub unknown_tags: UnknownTags,\n}\n");
    let _ = write!(
        out,
        "\nimpl Default for {} {{\n    fn default() -> Self {{\n        Self {{\n",
        one.name
    );
    for field in &fields {
        let _ = writeln!(
            out,
            "            {}: {},",
            field_name(&field.name),
            default(field)?
        );
    }
    out.push_str("            unknown_tags: UnknownTags::default(),\n        }\n    }\n}\n");
    let _ = write!(
        out,
        "\nimpl Wire for {} {{\n    const MIN_LEN: usize = {};\n\n    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {{\n        let mut out = Self::default();\n",
        one.name,
        min_len(schema, one)
    );
    for field in fields.iter().filter(|field| !always_tagged(schema, field)) {
        let read = format!(
            "out.{} = {};",
            field_name(&field.name),
            read_expression(schema, field)
        );
        let present = in_place(field).and(schema.valid);
        match condition(present, schema.valid) {
            Some(condition) => {
                let _ = writeln!(
                    out,
                    "        if {condition} {{\n            {read}\n        }}"
                );
            }
            None => {
                let _ = writeln!(out, "        {read}");
            }
        }
    }
    emit_read_tags(out, schema, &fields);
    out.push_str("        Ok(out)\n    }\n\n    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {\n");
    for field in &fields {
        emit_write(out, schema, one, field);
    }
    emit_write_tags(out, schema, &fields);
    out.push_str("        Ok(())\n    }\n}\n");
    Ok(())
}

/// Versions in which the field travels in place, not in the tag section.
fn in_place(field: &Field) -> Versions {
    match field.tag {
        None => field.versions,
        Some((_, tagged)) => match (field.versions.0, tagged.0) {
            (Some((low, _)), Some((from, _))) if low < from => Versions(Some((low, from - 1))),
            _ => Versions(None),
        },
    }
}

fn always_tagged(schema: &Schema, field: &Field) -> bool {
    in_place(field).and(schema.valid).0.is_none()
}

/// The Rust condition for a range within the valid one; `None` when it always holds.
fn condition(range: Versions, valid: Versions) -> Option<String> {
    let (Some((low, high)), Some((min, max))) = (range.0, valid.0) else {
        return Some("false".to_owned());
    };
    match (low <= min, high >= max || high == OPEN) {
        (true, true) => None,
        (false, true) => Some(format!("v >= {low}")),
        (true, false) => Some(format!("v <= {high}")),
        (false, false) if low == high => Some(format!("v == {low}")),
        (false, false) => Some(format!("({low}..={high}).contains(&v)")),
    }
}

fn plain_type(name: &str) -> &'static str {
    match name {
        "bool" => "bool",
        "int8" => "i8",
        "int16" => "i16",
        "int32" => "i32",
        "int64" => "i64",
        "uint16" => "u16",
        "uint32" => "u32",
        "float64" => "f64",
        "uuid" => "Uuid",
        "string" => "Str",
        _ => "Bytes",
    }
}

fn kind_type(kind: &Kind) -> String {
    match kind {
        Kind::Plain(name) => plain_type(name).to_owned(),
        Kind::Struct(name) => name.clone(),
        Kind::Array(element) => format!("Vec<{}>", kind_type(element)),
    }
}

fn is_nullable(field: &Field) -> bool {
    field.nullable.0.is_some()
}

fn rust_type(field: &Field) -> String {
    let plain = kind_type(&field.kind);
    if is_nullable(field) {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

fn default(field: &Field) -> Result<String> {
    let text = field.default.as_deref();
    if text == Some("null") {
        return Ok("None".to_owned());
    }
    let value = match &field.kind {
        Kind::Array(_) => "Vec::new()".to_owned(),
        Kind::Struct(_) => "Default::default()".to_owned(),
        Kind::Plain(name) => match (name.as_str(), text) {
            ("bool", text) => (text == Some("true")).to_string(),
            ("string", None | Some("")) => "Str::EMPTY".to_owned(),
            ("string", Some(text)) => format!("Str::from_static({text:?})"),
            ("bytes", _) => "Bytes::new()".to_owned(),
            ("records", _) if is_nullable(field) => return Ok("None".to_owned()),
            ("records", _) => "Bytes::new()".to_owned(),
            ("uuid", _) => "Uuid::nil()".to_owned(),
            ("float64", text) => format!("{}f64", text.unwrap_or("0")),
            (_, None) => "0".to_owned(),
            (kind, Some(text)) => number(kind, text)?,
        },
    };
    // A nullable struct is absent unless it is set.
    if is_nullable(field) && matches!(field.kind, Kind::Struct(_)) {
        return Ok("None".to_owned());
    }
    Ok(if is_nullable(field) {
        format!("Some({value})")
    } else {
        value
    })
}

fn number(kind: &str, text: &str) -> Result<String> {
    let value: i64 = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16)?,
        None => text.parse()?,
    };
    if !kind.starts_with("int") && !kind.starts_with("uint") {
        bail!("{kind} has no number as default");
    }
    Ok(value.to_string())
}

fn read_expression(schema: &Schema, field: &Field) -> String {
    if !is_nullable(field) {
        return "Wire::read(r, v, flex)?".to_owned();
    }
    let allowed = condition(
        field.nullable.and(schema.valid),
        field.versions.and(schema.valid),
    )
    .unwrap_or_else(|| "true".to_owned());
    if matches!(field.kind, Kind::Struct(_)) {
        return "r.nullable_struct(v, flex)?".to_owned();
    }
    format!("r.nullable(v, flex, {allowed})?")
}

fn write_expression(schema: &Schema, field: &Field) -> String {
    let name = field_name(&field.name);
    if !is_nullable(field) {
        return format!("self.{name}.write(w, v, flex)?;");
    }
    let allowed = condition(
        field.nullable.and(schema.valid),
        field.versions.and(schema.valid),
    )
    .unwrap_or_else(|| "true".to_owned());
    if matches!(field.kind, Kind::Struct(_)) {
        return format!("w.nullable_struct(&self.{name}, v, flex)?;");
    }
    format!("w.nullable(&self.{name}, v, flex, {allowed})?;")
}

fn is_default(field: &Field) -> Result<String> {
    let name = field_name(&field.name);
    let default = default(field)?;
    Ok(match default.as_str() {
        "Vec::new()" | "Str::EMPTY" | "Bytes::new()" => format!("self.{name}.is_empty()"),
        "Some(Vec::new())" | "Some(Str::EMPTY)" | "Some(Bytes::new())" => {
            format!("self.{name}.as_ref().is_some_and(|value| value.is_empty())")
        }
        "None" => format!("self.{name}.is_none()"),
        "Uuid::nil()" => format!("self.{name}.is_nil()"),
        "false" => format!("!self.{name}"),
        "true" => format!("self.{name}"),
        "Default::default()" => format!("self.{name} == {}::default()", kind_type(&field.kind)),
        other => format!("self.{name} == {other}"),
    })
}

fn emit_write(out: &mut String, schema: &Schema, one: &Struct, field: &Field) {
    let present = in_place(field).and(schema.valid);
    let known = field.versions.and(schema.valid);
    let write = write_expression(schema, field);
    if present.0.is_some() {
        match condition(present, schema.valid) {
            Some(condition) => {
                let _ = writeln!(
                    out,
                    "        if {condition} {{\n            {write}\n        }}"
                );
            }
            None => {
                let _ = writeln!(out, "        {write}");
            }
        }
    }
    if field.ignorable {
        return;
    }
    if let Some(condition) = condition(known, schema.valid) {
        let plain = is_default(field).unwrap_or_else(|_| "true".to_owned());
        let _ = writeln!(
            out,
            "        if !({condition}) && !({plain}) {{\n            return Err(EncodeError::NotInVersion {{ field: \"{}.{}\", version: v }});\n        }}",
            one.name, field.name
        );
    }
}

fn emit_read_tags(out: &mut String, schema: &Schema, fields: &[&Field]) {
    if schema.flexible.and(schema.valid).0.is_none() {
        return;
    }
    let tagged: Vec<&&Field> = fields.iter().filter(|field| field.tag.is_some()).collect();
    if tagged.is_empty() {
        out.push_str(
            "        if flex {\n            out.unknown_tags = r.unknown_tags()?;\n        }\n",
        );
        return;
    }
    out.push_str("        if flex {\n            let mut tags = r.tags()?;\n            while let Some((tag, mut field)) = tags.next(r)? {\n                {\n                    let r = &mut field;\n                    match tag {\n");
    for field in tagged {
        let Some((tag, versions)) = field.tag else {
            continue;
        };
        let guard = match condition(
            versions.and(schema.valid),
            schema.flexible.and(schema.valid),
        ) {
            Some(condition) => format!(" if {condition}"),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "                        {tag}{guard} => out.{} = {},",
            field_name(&field.name),
            read_expression(schema, field)
        );
        if !guard.is_empty() {
            let _ = writeln!(
                out,
                "                        {tag} => return Err(DecodeError::TagVersion),"
            );
        }
    }
    out.push_str("                        _ => r.unknown(tag, &mut out.unknown_tags),\n                    }\n                }\n                r.close(field)?;\n            }\n        }\n");
}

fn emit_write_tags(out: &mut String, schema: &Schema, fields: &[&Field]) {
    if schema.flexible.and(schema.valid).0.is_none() {
        return;
    }
    let tagged: Vec<&&Field> = fields.iter().filter(|field| field.tag.is_some()).collect();
    if tagged.is_empty() {
        out.push_str(
            "        if flex {\n            w.unknown_tags(&self.unknown_tags);\n        }\n",
        );
        return;
    }
    out.push_str("        if flex {\n            let mut tags = Tags::new();\n");
    for field in tagged {
        let Some((tag, versions)) = field.tag else {
            continue;
        };
        let plain = is_default(field).unwrap_or_else(|_| "true".to_owned());
        let guard = match condition(
            versions.and(schema.valid),
            schema.flexible.and(schema.valid),
        ) {
            Some(condition) => format!("{condition} && "),
            None => String::new(),
        };
        let write = write_expression(schema, field);
        let _ = writeln!(
            out,
            "            if {guard}!({plain}) {{\n                tags.put({tag}, |w| {{\n                    {write}\n                    Ok(())\n                }})?;\n            }}"
        );
    }
    out.push_str("            w.tags(tags, &self.unknown_tags);\n        }\n");
}

/// Fewest bytes that one value takes in any version: bounds an array's count before anything is reserved.
fn min_len(schema: &Schema, one: &Struct) -> usize {
    let Some((min, max)) = schema.valid.0 else {
        return 1;
    };
    (min..=max)
        .map(|version| {
            let fields: usize = one
                .fields
                .iter()
                .filter(|field| in_place(field).contains(version))
                .map(|field| kind_min(schema, &field.kind, is_nullable(field)))
                .sum();
            fields + usize::from(schema.flexible.contains(version))
        })
        .min()
        .unwrap_or(1)
        .max(1)
}

fn kind_min(schema: &Schema, kind: &Kind, nullable: bool) -> usize {
    match kind {
        Kind::Plain(name) => match name.as_str() {
            "int16" | "uint16" => 2,
            "int32" | "uint32" => 4,
            "int64" | "float64" => 8,
            "uuid" => 16,
            _ => 1,
        },
        Kind::Array(_) => 1,
        Kind::Struct(_) if nullable => 1,
        Kind::Struct(name) => schema
            .structs
            .iter()
            .find(|one| one.name == *name)
            .map_or(1, |one| min_len(schema, one)),
    }
}
