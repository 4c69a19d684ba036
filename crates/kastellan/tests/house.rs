//! Keeps the house in order: arrows, dependencies, places for clock, randomness and environment, and the code map.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Floors of the house, top first: a crate may use what lies below its own floor, never beside or above.
const FLOORS: &[&[&str]] = &[
    &["kastellan"],
    &["gateway", "broker", "idp", "auditor"],
    &["wire", "trust", "seal", "store", "trail"],
    &["kastellan-core"],
];
/// What each product may use of the floor below, beyond core.
const PRODUCTS: &[(&str, &[&str])] = &[
    ("gateway", &["wire", "trust", "seal"]),
    ("broker", &["wire", "seal", "trail"]),
    ("idp", &["store", "trust", "trail"]),
    ("auditor", &["wire", "trust"]),
];
/// Tools that are no part of the product.
const TOOLS: &[&str] = &["wire-gen", "bench", "testing"];

struct Crate {
    name: String,
    /// Name, and whether only tests use it.
    dependencies: Vec<(String, bool)>,
}

fn crates() -> Vec<Crate> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| Crate {
            name: package["name"].as_str().unwrap_or_default().to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| {
                    (
                        one["name"].as_str().unwrap_or_default().to_owned(),
                        one["kind"] == "dev",
                    )
                })
                .collect(),
        })
        .filter(|one| !TOOLS.contains(&one.name.as_str()))
        .collect()
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

#[test]
fn arrows_between_crates_point_only_downward() {
    for one in crates() {
        let own = floor(&one.name).unwrap_or_else(|| panic!("{} has no floor", one.name));
        for (used, _) in one
            .dependencies
            .iter()
            .filter(|(used, is_dev)| !is_dev && floor(used).is_some())
        {
            let below = floor(used).unwrap_or_default();
            assert!(below > own, "{} -> {used} points up or sideways", one.name);
            let allowed = PRODUCTS
                .iter()
                .find(|(product, _)| *product == one.name)
                .map(|(_, allowed)| *allowed);
            let fits = used == "kastellan-core"
                || allowed.is_none_or(|allowed| allowed.contains(&used.as_str()));
            assert!(fits, "{} may not use {used}", one.name);
        }
    }
}

#[test]
fn every_dependency_is_listed_with_its_reason() {
    let page = std::fs::read_to_string(root().join("docs/reference/dependencies.md"))
        .expect("the page exists");
    let listed: BTreeMap<&str, &str> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((
                cells.next()?.strip_prefix('`')?.strip_suffix('`')?,
                cells.next()?,
            ))
        })
        .collect();
    let used: BTreeSet<String> = crates()
        .into_iter()
        .flat_map(|one| one.dependencies)
        .map(|(name, _)| name)
        .filter(|name| floor(name).is_none() && !TOOLS.contains(&name.as_str()))
        .collect();
    for name in &used {
        let reason = listed
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is not in the list"));
        assert!(!reason.is_empty(), "{name} has no reason");
    }
    for name in listed.keys() {
        assert!(used.contains(*name), "{name} is listed and not used");
    }
}

/// Every Rust source of the product: path from the repository's root, and text without its tests.
/// What `cargo deny check bans sources` says, without the tool: it is too slow to build for each run.
#[test]
fn no_banned_crate_is_built_and_none_comes_from_elsewhere() {
    let deny = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    let deny: toml::Table = deny.parse().expect("deny.toml is TOML");
    let banned = deny["bans"]["deny"].as_array().expect("a list of names");
    let banned: BTreeSet<&str> = banned.iter().filter_map(|name| name.as_str()).collect();
    assert!(banned.len() > 10, "{banned:?}");
    let built = built();
    assert!(built.len() > 100, "{built:?}");
    let found: Vec<_> = built
        .iter()
        .filter(|name| banned.contains(name.as_str()))
        .collect();
    assert_eq!(found, Vec::<&String>::new(), "deny.toml bans them");
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    for package in lock["package"].as_array().expect("packages") {
        let source = package.get("source").and_then(|source| source.as_str());
        let ours = "registry+https://github.com/rust-lang/crates.io-index";
        assert!(source.is_none_or(|source| source == ours), "{package:?}");
    }
}

/// Every crate that is part of the program or of its build.
fn built() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}"])
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .expect("readable")
            .filter_map(Result::ok)
        {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir()
                && !["tests", "examples", "target", "wire-gen", "bench", "schema"]
                    .contains(&name.as_str())
            {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).expect("readable");
                let code = text
                    .split("#[cfg(test)]\nmod tests {")
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let shown = path
                    .strip_prefix(root())
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                found.push((shown, code));
            }
        }
    }
    found.sort();
    found
}

/// Files in which a text may occur.
fn only_in(needle: &str, places: &[&str]) {
    for (path, text) in sources() {
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let found = code.into_iter().any(|line| line.contains(needle));
        assert!(
            !found || places.iter().any(|place| path.starts_with(place)),
            "{needle} in {path}"
        );
    }
}

#[test]
fn only_one_file_reads_the_clock() {
    only_in("SystemTime::now", &["crates/core/src/time.rs"]);
    only_in("std::time::Instant::now", &["crates/core/src/time.rs"]);
}

#[test]
fn only_the_binary_reads_the_environment() {
    only_in("env::var", &["crates/kastellan/src"]);
}

#[test]
fn randomness_comes_from_its_places() {
    only_in(
        "rand::fill",
        &[
            "crates/trust/src/random.rs",
            "crates/seal/src",
            "crates/store/src",
        ],
    );
    only_in(
        "SystemRandom",
        &["crates/trust/src", "crates/seal/src", "crates/store/src"],
    );
}

#[test]
fn a_principal_is_made_only_where_a_proof_was_checked() {
    only_in(
        "Principal::proven",
        &[
            "crates/core/src/principal.rs",
            "crates/gateway/src/login",
            "crates/gateway/src/handshake",
        ],
    );
}

#[test]
fn gateway_knows_neither_sql_nor_http() {
    for one in crates().into_iter().filter(|one| one.name == "gateway") {
        for (used, _) in one.dependencies.iter().filter(|(_, is_dev)| !is_dev) {
            assert!(
                !["sqlx", "axum", "hyper", "reqwest"].contains(&used.as_str()),
                "{used}"
            );
        }
    }
}

#[test]
fn code_map_names_every_crate_and_module() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map exists");
    for one in crates() {
        let folder = one.name.trim_start_matches("kastellan-");
        assert!(
            map.contains(&format!("`{folder}`")),
            "ARCHITECTURE.md does not name crate {folder}"
        );
        let source = root().join("crates").join(folder).join("src");
        let head = ["lib.rs", "main.rs"]
            .iter()
            .find_map(|file| std::fs::read_to_string(source.join(file)).ok());
        for line in head.unwrap_or_default().lines() {
            let module = line
                .strip_prefix("pub mod ")
                .or_else(|| line.strip_prefix("mod "));
            let Some(module) = module.and_then(|rest| rest.strip_suffix(';')) else {
                continue;
            };
            assert!(
                map.contains(&format!("`{module}`")),
                "ARCHITECTURE.md does not name {folder}::{module}"
            );
        }
    }
}

/// Whoever writes an event has a row for it in `core::event::types`, from which the page is made.
#[test]
fn every_event_of_the_sources_is_on_its_page() {
    let page = std::fs::read_to_string(root().join("docs/reference/trail-events.md")).unwrap();
    let mut seen = 0;
    for (path, text) in sources() {
        for maker in [
            "Event::new(",
            "ok(",
            "failed(",
            "event(",
            "local(",
            "request(",
            "own(",
        ] {
            for rest in text.split(maker).skip(1) {
                let Some(name) = rest.trim_start().strip_prefix('"') else {
                    continue;
                };
                let name = name.split('"').next().unwrap_or_default();
                let is_event = name.split_once('.').is_some_and(|(left, right)| {
                    let is_word = |word: &str| {
                        !word.is_empty()
                            && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                    };
                    is_word(left) && is_word(right)
                });
                if is_event && name != "made.up" {
                    let heading = format!("## `{name}`\n");
                    assert!(page.contains(&heading), "{path}: {name} is not on the page");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn files_stay_of_a_size_that_one_reader_can_hold() {
    for (path, text) in sources() {
        if path.contains("/message/") {
            continue;
        }
        let lines = text.lines().count();
        assert!(lines <= 700, "{path} has {lines} lines: split it");
    }
}

#[test]
fn documents_do_not_point_into_nowhere() {
    let mut folders = vec![root().join("docs")];
    let mut pages = vec![
        root().join("README.md"),
        root().join("ARCHITECTURE.md"),
        root().join("CONTRIBUTING.md"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .expect("readable")
            .filter_map(Result::ok)
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    for page in pages {
        let text = std::fs::read_to_string(&page)
            .unwrap_or_else(|_| panic!("{} is missing", page.display()));
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let path = page.parent().unwrap_or(Path::new(".")).join(file);
            assert!(path.exists(), "{} points to {target}", page.display());
        }
    }
}

/// `docs/reference/guards.md` names a test for every guard: a Rust test, or a case of `e2e/`.
#[test]
fn every_guard_is_held_by_a_test_that_there_is() {
    let page = std::fs::read_to_string(root().join("docs/reference/guards.md")).expect("readable");
    let mut sources = String::new();
    let mut folders = vec![root().join("crates"), root().join("e2e")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.into_owned();
            if path.is_dir() && !["peers", "target", "schema"].contains(&name.as_str()) {
                folders.push(path);
            } else if name.ends_with(".rs") || name.ends_with(".py") {
                sources += &std::fs::read_to_string(path).expect("readable");
            }
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut guards = 0;
    for row in rows.filter(|row| !row.contains("| held by |")) {
        let held_by = row.rsplit('|').nth(1).unwrap_or_default();
        let mut tests = held_by.split('`').skip(1).step_by(2).peekable();
        assert!(tests.peek().is_some(), "no test is named in: {row}");
        for test in tests {
            let is_there = sources.contains(&format!("fn {test}("))
                || sources.contains(&format!("def case_{test}("));
            assert!(is_there, "there is no test {test}");
        }
        guards += 1;
    }
    assert!(guards > 60, "the page was read");
}
