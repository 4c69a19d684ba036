//! The metrics that the program serves are those of the reference page: name, type, labels.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    kind: String,
    labels: BTreeSet<String>,
}

/// The reference page, by name.
fn documented() -> BTreeMap<String, Row> {
    let page = std::fs::read_to_string(root().join("docs/reference/metrics.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let words = |cell: &str| -> BTreeSet<String> {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        };
        let name = words(cells[1]).pop_first().unwrap();
        let (kind, labels) = (cells[2].to_owned(), words(cells[4]));
        (name, Row { kind, labels })
    })
    .collect()
}

struct Server {
    child: Child,
    dir: PathBuf,
}

impl Server {
    fn start() -> Self {
        let dir = std::env::temp_dir().join(format!("kastellan-metrics-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_kastellan"))
            .args(["up", "--data"])
            .arg(dir.join("data"))
            .arg("--ready-file")
            .arg(dir.join("ready"))
            .args([
                "--bind-kafka",
                "127.0.0.1:0",
                "--bind-kafka-mtls",
                "127.0.0.1:0",
            ])
            .args(["--bind-ops", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, dir }
    }

    fn ready(&mut self) -> serde_json::Value {
        for _ in 0..2_400 {
            let text = std::fs::read_to_string(self.dir.join("ready")).unwrap_or_default();
            if let Ok(ready) = serde_json::from_str(&text) {
                return ready;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server is not ready");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn scrape(ops: &str) -> String {
    let mut stream = TcpStream::connect(ops).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The labels of one sample, without a histogram's own.
fn labels(sample: &str) -> BTreeSet<String> {
    let Some((_, rest)) = sample.split_once('{') else {
        return BTreeSet::new();
    };
    let (inside, _) = rest.split_once('}').unwrap();
    inside
        .split("\",")
        .map(|pair| pair.split_once('=').unwrap().0.to_owned())
        .filter(|name| name != "le")
        .collect()
}

#[test]
fn what_is_served_is_what_the_page_says() {
    let documented = documented();
    let mut server = Server::start();
    let ready = server.ready();
    // Something to count: a connection that says nothing of TLS.
    let mut stray = TcpStream::connect(ready["kafka"].as_str().unwrap()).unwrap();
    stray
        .write_all(b"no TLS at all, and then the end\n")
        .unwrap();
    let _ = stray.read(&mut [0; 64]);
    let text = scrape(ready["ops"].as_str().unwrap());
    let mut served = BTreeMap::new();
    for line in text.lines() {
        let Some(line) = line.strip_prefix("# TYPE ") else {
            continue;
        };
        let (name, kind) = line.split_once(' ').unwrap();
        let before = served.insert(name.to_owned(), kind.to_owned());
        assert_eq!(before, None, "{name} is there twice");
    }
    assert!(served.len() > 20, "{text}");
    for (name, kind) in &served {
        let row = documented.get(name);
        let row = row.unwrap_or_else(|| panic!("{name} is not on the page"));
        assert_eq!(row.kind, *kind, "{name}");
        assert!(
            text.contains(&format!("# HELP {name} ")),
            "{name} says nothing of itself"
        );
    }
    for line in text.lines().skip_while(|line| !line.is_empty()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let sample = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .filter_map(|end| sample.strip_suffix(end))
            .find(|name| served.get(*name).is_some_and(|kind| kind == "histogram"))
            .unwrap_or(sample);
        let row = documented.get(family).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(row.labels, labels(line), "{line}");
    }
}

fn sources(dir: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// Also those that no test makes happen: whoever counts something writes it down.
#[test]
fn whatever_the_sources_count_is_on_the_page() {
    let documented = documented();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let mut seen = 0;
    for (path, text) in files {
        for kind in ["counter", "gauge", "histogram"] {
            for call in text.split(&format!("metrics::{kind}!(")).skip(1) {
                let name = call.split('"').nth(1).unwrap();
                let row = documented.get(name);
                let row = row.unwrap_or_else(|| panic!("{}: {name}", path.display()));
                assert_eq!(row.kind, kind, "{name}");
                let inside = arguments(call);
                let labels: BTreeSet<String> = inside
                    .split(" => ")
                    .filter_map(|before| before.rsplit('"').nth(1))
                    .take(inside.matches(" => ").count())
                    .map(str::to_owned)
                    .collect();
                assert_eq!(row.labels, labels, "{}: {name}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Up to the parenthesis that closes the call.
fn arguments(call: &str) -> &str {
    let mut depth = 1;
    for (at, byte) in call.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &call[..at];
        }
    }
    call
}
