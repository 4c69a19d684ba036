//! Every message in every version against a second reading of the schemas: what is read is written again byte for
//! byte, and what cannot be is refused.

use bytes::Bytes;
use wire::codec::{self, DecodeError};
use wire::message::{APIS, ConsumerProtocolAssignment, ConsumerProtocolSubscription, recode};

mod oracle;

use oracle::{Null, Random, Sample, Schema, Tagged};

/// Samples of each message and version.
const SEEDS: u64 = 12;

/// Calls `check` with every message that `wire` holds, each version, some seeds.
fn for_each(check: impl Fn(&Case<'_>, &mut Random)) {
    let schemas = oracle::load();
    let held = schemas.iter().filter(|schema| {
        schema
            .key
            .is_some_and(|key| APIS.iter().any(|api| api.key == key))
    });
    let mut cases = 0;
    for schema in held {
        for version in schema.versions.0..=schema.versions.1 {
            for seed in 0..SEEDS {
                check(
                    &Case {
                        schema,
                        version,
                        seed,
                    },
                    &mut Random::new(seed),
                );
                cases += 1;
            }
        }
    }
    assert!(cases > 4_000, "only {cases} cases: messages are missing");
}

struct Case<'a> {
    schema: &'a Schema,
    version: i16,
    seed: u64,
}

impl Case<'_> {
    fn sample(&self, tagged: Tagged, random: &mut Random) -> Sample {
        Sample::new(self.schema, self.version, tagged, random)
    }

    fn recode(&self, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let key = self.schema.key.expect("only messages with a key are held");
        let bytes = Bytes::copy_from_slice(bytes);
        recode(key, self.version, self.schema.is_response, bytes).expect("the version exists")
    }

    fn named(&self) -> String {
        format!(
            "{} version {} seed {}",
            self.schema.name, self.version, self.seed
        )
    }
}

#[test]
fn versions_are_those_of_the_schemas() {
    for schema in oracle::load() {
        let Some(api) = APIS.iter().find(|api| Some(api.key) == schema.key) else {
            continue;
        };
        let known = (api.min, api.max, api.flexible_from);
        assert_eq!(
            known,
            (schema.versions.0, schema.versions.1, schema.flexible_from),
            "{}",
            schema.name
        );
        for outside in [schema.versions.0 - 1, schema.versions.1 + 1, i16::MAX, -1] {
            assert_eq!(
                recode(api.key, outside, schema.is_response, Bytes::new()),
                None,
                "{}",
                schema.name
            );
        }
    }
}

#[test]
fn what_is_read_is_written_again_byte_for_byte() {
    for_each(|case, random| {
        let sample = case.sample(Tagged::Random, random);
        assert_eq!(
            case.recode(&sample.bytes),
            Ok(sample.bytes),
            "{}",
            case.named()
        );
    });
}

#[test]
fn what_consumers_put_into_join_and_sync_is_read_and_written_alike() {
    let schemas = oracle::load();
    let named = |name: &str| {
        schemas
            .iter()
            .find(|schema| schema.name == name)
            .expect("the schema is there")
    };
    for (name, recode) in [
        (
            "ConsumerProtocolSubscription",
            codec::recode::<ConsumerProtocolSubscription> as fn(Bytes, i16) -> _,
        ),
        (
            "ConsumerProtocolAssignment",
            codec::recode::<ConsumerProtocolAssignment>,
        ),
    ] {
        let schema = named(name);
        for version in schema.versions.0..=schema.versions.1 {
            for seed in 0..SEEDS {
                let sample = Sample::new(schema, version, Tagged::Random, &mut Random::new(seed));
                let again: Result<Vec<u8>, DecodeError> =
                    recode(sample.bytes.clone().into(), version);
                assert_eq!(
                    again,
                    Ok(sample.bytes),
                    "{name} version {version} seed {seed}"
                );
            }
        }
    }
}

#[test]
fn default_values_are_never_written_as_tags() {
    for_each(|case, random| {
        let bare = case.sample(Tagged::Omitted, &mut random.clone());
        let explicit = case.sample(Tagged::ExplicitDefaults, random);
        assert_eq!(
            case.recode(&explicit.bytes),
            Ok(bare.bytes),
            "{}",
            case.named()
        );
    });
}

#[test]
fn bytes_behind_a_body_are_left_alone() {
    for_each(|case, random| {
        let sample = case.sample(Tagged::Random, random);
        let longer = [&sample.bytes[..], &[0, 0, 0]].concat();
        assert_eq!(case.recode(&longer), Ok(sample.bytes), "{}", case.named());
    });
}

#[test]
fn a_message_cut_short_is_refused() {
    for_each(|case, random| {
        let sample = case.sample(Tagged::Random, random);
        for end in 0..sample.bytes.len() {
            let cut = case.recode(&sample.bytes[..end]);
            assert!(cut.is_err(), "{} cut at {end}", case.named());
        }
    });
}

#[test]
fn impossible_lengths_are_refused() {
    for_each(|case, random| {
        let sample = case.sample(Tagged::Random, random);
        for length in &sample.lengths {
            for bytes in sample.with_impossible(length) {
                assert!(case.recode(&bytes).is_err(), "{} {length:?}", case.named());
            }
        }
    });
}

#[test]
fn null_is_refused_where_a_value_must_be() {
    for_each(|case, random| {
        let sample = case.sample(Tagged::Random, random);
        for length in sample
            .lengths
            .iter()
            .filter(|length| length.null == Null::Refused)
        {
            let refused = case.recode(&sample.with_null(length));
            assert_eq!(
                refused,
                Err(DecodeError::Null),
                "{} {length:?}",
                case.named()
            );
        }
    });
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    for_each(|case, random| {
        let sample = case.sample(Tagged::Random, random);
        for at in &sample.texts {
            let mut bytes = sample.bytes.clone();
            bytes[*at] = 0xff;
            assert_eq!(
                case.recode(&bytes),
                Err(DecodeError::Utf8),
                "{} at {at}",
                case.named()
            );
        }
    });
}

#[test]
fn damaged_messages_give_an_answer() {
    for_each(|case, random| {
        let mut sample = case.sample(Tagged::Random, random);
        for _ in 0..8 {
            for _ in 0..=random.below(3) {
                let at = random.below(sample.bytes.len().max(1));
                if let Some(byte) = sample.bytes.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            if let Ok(once) = case.recode(&sample.bytes) {
                assert_eq!(case.recode(&once), Ok(once), "{}", case.named());
            }
        }
        let noise = random.bytes(64);
        if let Ok(once) = case.recode(&noise) {
            assert_eq!(case.recode(&once), Ok(once), "{}", case.named());
        }
    });
}

/// How many arrays of structures stand in one another, at most.
fn depth(schema: &Schema, fields: &[oracle::Field], outside: usize) -> usize {
    assert!(
        outside <= 8,
        "{}: a structure that holds itself",
        schema.name
    );
    let inner = fields.iter().filter_map(|field| {
        let name = field.kind.trim_start_matches("[]");
        schema.structs.get(name)
    });
    let depths = inner.map(|fields| depth(schema, fields, outside + 1));
    depths.max().unwrap_or(outside)
}

#[test]
fn no_message_nests_deeper_than_eight() {
    let schemas = oracle::load();
    let deepest = schemas.iter().map(|one| depth(one, &one.fields, 1)).max();
    assert!(deepest > Some(3) && deepest <= Some(8), "{deepest:?}");
}
