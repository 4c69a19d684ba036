//! Turns the schemas in `crates/wire/schema` into the Rust source in `crates/wire/src/message`.
//!
//! `cargo run -p wire-gen` writes; the test of this crate compares what is checked in with what would be written.
#![forbid(unsafe_code)]

mod emit;
mod names;
mod schema;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// API keys whose messages are generated: those a client may send to the gateway, and those it may send upstream.
const KEYS: &[i16] = &[
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 55,
    57, 60, 61, 64, 65, 66, 68, 69, 74, 75, 76, 77, 78, 79, 80, 81, 88, 89, 90, 91, 92,
];
/// Schemas inside other bytes.
const DATA: &[&str] = &["ConsumerProtocolSubscription", "ConsumerProtocolAssignment"];

fn main() -> Result<()> {
    let target = crate_dir().join("src/message");
    for (name, text) in generate()? {
        std::fs::write(target.join(&name), text).with_context(|| name.clone())?;
    }
    Ok(())
}

fn crate_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wire")
}

/// File name to content.
fn generate() -> Result<BTreeMap<String, String>> {
    let schemas = schema::load(&crate_dir().join("schema"))?;
    let held: Vec<&schema::Schema> = schemas
        .iter()
        .filter(|schema| match schema.api_key {
            Some(key) => KEYS.contains(&key),
            None => DATA.contains(&schema.name.as_str()),
        })
        .collect();
    let mut files = BTreeMap::new();
    for schema in &held {
        files.insert(
            format!("{}.rs", names::snake(&schema.name)),
            emit::message(schema)?,
        );
    }
    files.insert("mod.rs".to_owned(), emit::index(&held));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_messages_are_what_the_schemas_say() {
        let target = crate_dir().join("src/message");
        let files = generate().unwrap();
        for (name, text) in &files {
            let written = std::fs::read_to_string(target.join(name)).unwrap_or_default();
            assert!(
                written == *text,
                "{name} is not current: run cargo run -p wire-gen"
            );
        }
        let present = std::fs::read_dir(&target).unwrap().count();
        assert_eq!(
            present,
            files.len(),
            "a file that no schema makes lies in {}",
            target.display()
        );
    }

    #[test]
    fn every_key_up_to_the_newest_has_a_schema() {
        let schemas = schema::load(&crate_dir().join("schema")).unwrap();
        for key in 0..=92 {
            let count = schemas
                .iter()
                .filter(|schema| schema.api_key == Some(key))
                .count();
            assert_eq!(count, 2, "key {key}");
        }
    }
}
