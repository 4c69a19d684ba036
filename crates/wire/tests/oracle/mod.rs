//! A second reading of the schemas, independent of the generated code: makes valid bytes of any message and version,
//! and remembers where their lengths lie.
//!
//! In: `schema/*.json` and a seed. Out: bytes as Kafka would write them. Knows nothing of `wire`.

mod random;
mod sample;
mod schema;

pub use random::Random;
pub use sample::{Null, Sample, Tagged};
pub use schema::{Field, Schema, load};
