//! Bytes of one message in one version, made from its schema.

use super::random::Random;
use super::schema::{Field, Schema, within};

/// What is done with fields that travel as tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// Some, with values that differ from the default, and some tags that nobody knows.
    Random,
    /// None at all.
    Omitted,
    /// All, each with its default value: valid, though no writer should do it.
    ExplicitDefaults,
}

/// What a null in the place of a length means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Null {
    Allowed,
    Refused,
    /// The size of a tag is never null.
    NoSuch,
}

#[derive(Clone, Copy, Debug)]
enum Width {
    Two,
    Four,
    /// Base 128, in so many bytes.
    Compact(usize),
}

/// A length or count: where it lies, and how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    at: usize,
    width: Width,
    pub null: Null,
}

#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub bytes: Vec<u8>,
    pub lengths: Vec<Length>,
    /// Where the first byte of each text that has one lies.
    pub texts: Vec<usize>,
}

impl Sample {
    pub fn new(schema: &Schema, version: i16, tagged: Tagged, random: &mut Random) -> Self {
        let mut out = Self::default();
        let flex = version >= schema.flexible_from;
        Maker {
            schema,
            version,
            flex,
            tagged,
            random,
        }
        .fields(&schema.fields, &mut out);
        out
    }

    /// The bytes with a length replaced by values that cannot be: -2, the largest, one more than is left.
    pub fn with_impossible(&self, length: &Length) -> Vec<Vec<u8>> {
        let left = self.bytes.len() - length.at - length.width.len();
        match length.width {
            Width::Two => {
                let over = i16::try_from(left + 1).expect("samples are small");
                [-2, i16::MAX, over]
                    .map(|value| self.with(length, &value.to_be_bytes()))
                    .into()
            }
            Width::Four => {
                let over = i32::try_from(left + 1).expect("samples are small");
                [-2, i32::MAX, over]
                    .map(|value| self.with(length, &value.to_be_bytes()))
                    .into()
            }
            Width::Compact(_) => {
                let over = left as u32 + if length.null == Null::NoSuch { 1 } else { 2 };
                [u32::MAX, over]
                    .map(|value| self.with(length, &uvarint(value)))
                    .into()
            }
        }
    }

    /// The bytes with a null in place of a length.
    pub fn with_null(&self, length: &Length) -> Vec<u8> {
        match length.width {
            Width::Two => self.with(length, &[0xff; 2]),
            Width::Four => self.with(length, &[0xff; 4]),
            Width::Compact(_) => self.with(length, &[0]),
        }
    }

    fn with(&self, length: &Length, written: &[u8]) -> Vec<u8> {
        let (before, behind) = self.bytes.split_at(length.at);
        [before, written, &behind[length.width.len()..]].concat()
    }

    fn append(&mut self, inner: Sample) {
        let at = self.bytes.len();
        self.bytes.extend(inner.bytes);
        self.lengths
            .extend(inner.lengths.into_iter().map(|one| Length {
                at: one.at + at,
                ..one
            }));
        self.texts
            .extend(inner.texts.into_iter().map(|one| one + at));
    }
}

impl Width {
    fn len(self) -> usize {
        match self {
            Width::Two => 2,
            Width::Four => 4,
            Width::Compact(len) => len,
        }
    }
}

pub fn uvarint(mut value: u32) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

struct Maker<'a> {
    schema: &'a Schema,
    version: i16,
    flex: bool,
    tagged: Tagged,
    random: &'a mut Random,
}

impl<'a> Maker<'a> {
    fn fields(&mut self, fields: &'a [Field], out: &mut Sample) {
        let version = self.version;
        for field in fields
            .iter()
            .filter(|field| within(field.versions, version) && !field.is_tagged(version))
        {
            self.value(&field.kind, within(field.nullable, version), out);
        }
        if self.flex {
            self.tags(fields, out);
        }
    }

    fn tags(&mut self, fields: &'a [Field], out: &mut Sample) {
        let version = self.version;
        let mut known: Vec<(u32, &Field)> = fields
            .iter()
            .filter(|field| within(field.versions, version) && field.is_tagged(version))
            .filter_map(|field| field.tag.map(|(tag, _)| (tag, field)))
            .collect();
        known.sort_by_key(|(tag, _)| *tag);
        let mut tags: Vec<(u32, Sample)> = Vec::new();
        for (tag, field) in known {
            if let Some(value) = self.tag(field) {
                tags.push((tag, value));
            }
        }
        if self.tagged == Tagged::Random {
            // Tags count from 0 without a gap: from here on nobody knows them.
            let mut tag = fields.iter().filter(|field| field.tag.is_some()).count() as u32;
            while self.random.once_in(4) {
                tag += self.random.below(200) as u32;
                let len = self.random.below(12);
                let bytes = self.random.bytes(len);
                tags.push((
                    tag,
                    Sample {
                        bytes,
                        ..Sample::default()
                    },
                ));
                tag += 1;
            }
        }
        out.bytes.extend(uvarint(tags.len() as u32));
        for (tag, value) in tags {
            out.bytes.extend(uvarint(tag));
            self.compact(value.bytes.len() as u32, Null::NoSuch, out);
            out.append(value);
        }
    }

    /// The bytes of a tagged field, if it is to be written.
    fn tag(&mut self, field: &'a Field) -> Option<Sample> {
        let default = self.default(field);
        match self.tagged {
            Tagged::Omitted => None,
            Tagged::ExplicitDefaults => Some(Sample {
                bytes: default,
                ..Sample::default()
            }),
            Tagged::Random => {
                let mut value = Sample::default();
                self.value(
                    &field.kind,
                    within(field.nullable, self.version),
                    &mut value,
                );
                (value.bytes != default && !self.random.once_in(3)).then_some(value)
            }
        }
    }

    fn value(&mut self, kind: &'a str, nullable: bool, out: &mut Sample) {
        let is_null = nullable && self.random.once_in(4);
        let null = if nullable {
            Null::Allowed
        } else {
            Null::Refused
        };
        if let Some(element) = kind.strip_prefix("[]") {
            let count = if is_null {
                None
            } else {
                Some(self.random.below(3))
            };
            self.length(count, Width::Four, null, out);
            for _ in 0..count.unwrap_or(0) {
                self.value(element, false, out);
            }
            return;
        }
        match kind {
            "bool" => out.bytes.push(self.random.below(2) as u8),
            "int8" => self.number(1, out),
            "int16" | "uint16" => self.number(2, out),
            "int32" | "uint32" => self.number(4, out),
            "int64" => self.number(8, out),
            "float64" => out
                .bytes
                .extend((self.random.below(1_000) as f64 / 8.0).to_be_bytes()),
            "uuid" => self.number(16, out),
            "string" => self.text(is_null, null, out),
            "bytes" | "records" => {
                let len = if self.random.once_in(40) {
                    1_024 + self.random.below(2_000)
                } else {
                    self.random.below(20)
                };
                self.length((!is_null).then_some(len), Width::Four, null, out);
                let bytes = self.random.bytes(if is_null { 0 } else { len });
                out.bytes.extend(bytes);
            }
            name => self.structure(name, nullable, is_null, out),
        }
    }

    fn structure(&mut self, name: &str, nullable: bool, is_null: bool, out: &mut Sample) {
        let fields = self
            .schema
            .structs
            .get(name)
            .unwrap_or_else(|| panic!("{name} is a struct of the message"));
        if nullable {
            out.bytes.push(if is_null { 0xff } else { 1 });
        }
        if !is_null {
            self.fields(fields, out);
        }
    }

    fn number(&mut self, len: usize, out: &mut Sample) {
        let bytes = match self.random.below(3) {
            0 => vec![0; len],
            1 => vec![0xff; len],
            _ => self.random.bytes(len),
        };
        out.bytes.extend(bytes);
    }

    fn text(&mut self, is_null: bool, null: Null, out: &mut Sample) {
        const LETTERS: [&str; 6] = ["a", "Z", "7", ".", "\u{e9}", "\u{1f511}"];
        let count = self.random.below(9);
        let text: String = (0..count)
            .map(|_| LETTERS[self.random.below(LETTERS.len())])
            .collect();
        self.length((!is_null).then_some(text.len()), Width::Two, null, out);
        if !is_null && !text.is_empty() {
            out.texts.push(out.bytes.len());
            out.bytes.extend(text.bytes());
        }
    }

    fn length(&mut self, length: Option<usize>, fixed: Width, null: Null, out: &mut Sample) {
        if self.flex {
            return self.compact(length.map_or(0, |length| length as u32 + 1), null, out);
        }
        let at = out.bytes.len();
        out.lengths.push(Length {
            at,
            width: fixed,
            null,
        });
        let written = length.map_or(-1, |length| length as i32);
        match fixed {
            Width::Two => out.bytes.extend((written as i16).to_be_bytes()),
            _ => out.bytes.extend(written.to_be_bytes()),
        }
    }

    fn compact(&mut self, coded: u32, null: Null, out: &mut Sample) {
        let written = uvarint(coded);
        out.lengths.push(Length {
            at: out.bytes.len(),
            width: Width::Compact(written.len()),
            null,
        });
        out.bytes.extend(written);
    }

    /// The default value of a field as it would be written in a tag.
    fn default(&self, field: &Field) -> Vec<u8> {
        let text = field.default.as_deref();
        let number: i64 = match text {
            None | Some("null" | "" | "false") => 0,
            Some("true") => 1,
            Some(text) => match text.strip_prefix("0x") {
                Some(hex) => i64::from_str_radix(hex, 16).expect("a default is a number"),
                None => text.parse().expect("a default is a number"),
            },
        };
        match (field.kind.as_str(), text) {
            ("bool" | "int8", _) => vec![number as u8],
            ("int16" | "uint16", _) => (number as i16).to_be_bytes().into(),
            ("int32" | "uint32", _) => (number as i32).to_be_bytes().into(),
            ("int64", _) => number.to_be_bytes().into(),
            ("float64", _) => 0f64.to_be_bytes().into(),
            ("uuid", _) => vec![0; 16],
            ("string" | "bytes", Some("null")) | ("records", _) => vec![0],
            ("string" | "bytes", _) => vec![1],
            (kind, text) if kind.starts_with("[]") => vec![u8::from(text != Some("null"))],
            (name, _) => {
                let fields = self
                    .schema
                    .structs
                    .get(name)
                    .expect("a type is a struct of the message");
                let present = fields
                    .iter()
                    .filter(|field| within(field.versions, self.version));
                let mut bytes: Vec<u8> = present.flat_map(|field| self.default(field)).collect();
                bytes.push(0);
                bytes
            }
        }
    }
}
