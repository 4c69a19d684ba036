//! Reads a TOML table key by key and collects every problem with its line instead of stopping at the first.
//!
//! In: a parsed table. Out: typed values, or the default beside a recorded problem. A key that nobody asked for is a
//! problem of its own. Does not know which keys exist: the sections of [`super`] ask for theirs.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::units::{ByteSize, parse_duration};

/// Collects problems for one source text.
#[derive(Clone)]
pub struct Notes {
    source: Rc<str>,
    list: Rc<RefCell<Vec<Problem>>>,
    asked: Rc<RefCell<BTreeSet<String>>>,
}

impl Notes {
    pub fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            list: Rc::default(),
            asked: Rc::default(),
        }
    }

    #[cfg(test)]
    /// Every key that was asked for, list indexes left out: what the reference page must describe.
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.borrow().clone()
    }

    pub fn add(&self, at: Option<usize>, key: &str, message: impl Into<String>) {
        let line = at.map(|offset| line_of(&self.source, offset));
        let problem = Problem {
            line,
            key: key.to_owned(),
            message: message.into(),
        };
        self.list.borrow_mut().push(problem);
    }

    /// The problems, by line.
    pub fn take(&self) -> Vec<Problem> {
        let mut list = self.list.take();
        list.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        list
    }
}

fn without_indexes(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => {}
            _ => out.push(letter),
        }
    }
    out
}

fn line_of(source: &str, offset: usize) -> usize {
    source
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// One table and the keys that were asked of it.
pub struct Section<'a> {
    path: String,
    table: Option<&'a DeTable<'a>>,
    at: Option<usize>,
    asked: BTreeSet<&'static str>,
    notes: Notes,
}

impl<'a> Section<'a> {
    pub fn root(table: &'a Spanned<DeTable<'a>>, notes: Notes) -> Self {
        Self {
            path: String::new(),
            table: Some(table.get_ref()),
            at: None,
            asked: BTreeSet::new(),
            notes,
        }
    }

    /// Whether the table is in the file at all.
    pub fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// A problem with one key of this table, or with the table when the key is absent.
    pub fn problem(&self, key: &str, message: impl Into<String>) {
        let at = self
            .table
            .and_then(|table| table.get_key_value(key))
            .map(|(key, _)| key.span().start)
            .or(self.at);
        self.notes.add(at, &self.name(key), message);
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.insert(key);
        self.notes
            .asked
            .borrow_mut()
            .insert(without_indexes(&self.name(key)));
        self.table?.get(key)
    }

    /// The value under a key, converted; a wrong type or value is noted and reads as absent.
    fn convert<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        convert: impl FnOnce(&'a DeValue<'a>) -> Option<Result<T, String>>,
    ) -> Option<T> {
        let value = self.value(key)?;
        match convert(value.get_ref()) {
            Some(Ok(value)) => Some(value),
            Some(Err(why)) => {
                self.notes
                    .add(Some(value.span().start), &self.name(key), why);
                None
            }
            None => {
                let found = value.get_ref().type_str();
                self.notes.add(
                    Some(value.span().start),
                    &self.name(key),
                    format!("expected {wanted}, found {found}"),
                );
                None
            }
        }
    }

    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.convert(key, "a text", |value| {
            value.as_str().map(|text| Ok(text.to_owned()))
        })
    }

    pub fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.convert(key, "true or false", |value| value.as_bool().map(Ok))
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.convert(key, "a text", |value| {
            value.as_str().map(|text| pick(text, choices))
        })
    }

    pub fn choices<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<Vec<T>> {
        let texts = self.texts(key)?;
        let mut picked = Vec::new();
        for text in texts {
            match pick(&text, choices) {
                Ok(value) => picked.push(value),
                Err(why) => self.problem(key, why),
            }
        }
        Some(picked)
    }

    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.convert(key, "a list of texts", |value| {
            let texts: Option<Vec<String>> = value
                .as_array()?
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect();
            texts.map(Ok)
        })
    }

    /// A whole number within a range.
    pub fn count(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        self.convert(key, "a whole number", |value| {
            let text = value.as_integer()?;
            Some(
                u64::from_str_radix(text.as_str(), text.radix())
                    .ok()
                    .filter(|number| range.contains(number))
                    .ok_or_else(|| {
                        format!("must be between {} and {}", range.start(), range.end())
                    }),
            )
        })
    }

    /// The same, where being absent means something of its own.
    pub fn count_if_set(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<Option<u64>> {
        self.count(key, range).map(Some)
    }

    /// `200ms`, `30s`, `10m`, `12h`, `7d`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.convert(key, "a duration such as \"30s\"", |value| {
            value.as_str().map(parse_duration)
        })
    }

    /// `64KiB`, `100MiB`, or a number of bytes.
    pub fn size(&mut self, key: &'static str) -> Option<ByteSize> {
        self.convert(key, "a size such as \"64KiB\"", |value| {
            match value.as_integer() {
                Some(number) => Some(
                    u64::from_str_radix(number.as_str(), number.radix())
                        .map(ByteSize)
                        .map_err(|_| "must be a number of bytes".to_owned()),
                ),
                None => value.as_str().map(|text| text.parse::<ByteSize>()),
            }
        })
    }

    /// `host:port` that this machine can resolve, for binding.
    pub fn address(&mut self, key: &'static str) -> Option<SocketAddr> {
        self.convert(key, "an address such as \"127.0.0.1:9094\"", |value| {
            value.as_str().map(parse_address)
        })
    }

    /// A table below this one. Absent reads as empty.
    pub fn section(&mut self, key: &'static str) -> Section<'a> {
        let value = self.value(key);
        let at = value.map(|value| value.span().start).or(self.at);
        let table = value.and_then(|value| {
            if value.get_ref().as_table().is_none() {
                self.notes.add(at, &self.name(key), "expected a table");
            }
            value.get_ref().as_table()
        });
        Section {
            path: self.name(key),
            table,
            at,
            asked: BTreeSet::new(),
            notes: self.notes.clone(),
        }
    }

    /// An array of tables, `[[key]]`. `None` when there is none in the file.
    pub fn sections(&mut self, key: &'static str) -> Option<Vec<Section<'a>>> {
        let value = self.value(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.problem(key, format!("expected [[{}]]", self.name(key)));
            return None;
        };
        let mut sections = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{}]", self.name(key), index + 1);
            let table = item.get_ref().as_table();
            if table.is_none() {
                self.notes
                    .add(Some(item.span().start), &path, "expected a table");
            }
            let at = Some(item.span().start);
            sections.push(Section {
                path,
                table,
                at,
                asked: BTreeSet::new(),
                notes: self.notes.clone(),
            });
        }
        Some(sections)
    }

    /// Notes every key that nobody asked for.
    pub fn finish(self) {
        let Some(table) = self.table else { return };
        for (key, _) in table.iter() {
            let word: &str = key.get_ref();
            if self.asked.contains(word) {
                continue;
            }
            let near = self.asked.iter().find(|known| is_near(known, word));
            let message = match near {
                Some(known) => format!("unknown key; did you mean {known}?"),
                None => format!(
                    "unknown key; known here: {}",
                    self.asked.iter().copied().collect::<Vec<_>>().join(", ")
                ),
            };
            self.notes
                .add(Some(key.span().start), &self.name(word), message);
        }
    }
}

fn pick<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            format!("{text:?} is none of {}", words.join(", "))
        })
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .ok()
        .or_else(|| text.to_socket_addrs().ok()?.next())
        .ok_or_else(|| format!("{text:?} is not an address with a port"))
}

/// One letter changed, left out, added, or two swapped.
fn is_near(known: &str, word: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (known.chars().collect(), word.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let left = a.len().max(b.len()).saturating_sub(front + back);
    left <= 1 || (left == 2 && a.len() == b.len())
}
