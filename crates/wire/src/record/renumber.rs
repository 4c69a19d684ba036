//! Gives the records of a produced batch the offset deltas 0, 1, 2, ..
//!
//! Very old producers compress records whose deltas are something else. Kafka rebuilds such a batch instead of
//! refusing it (`LogValidator`), and so can a log or a gateway.

use super::batch::Batch;
use super::build::{BatchBuilder, BuildError};
use super::compress::{Encoding, ExpansionCaps};
use super::records::records;
use super::walk::WalkError;

/// Why a batch could not be renumbered.
#[derive(Debug, thiserror::Error)]
pub enum RenumberError {
    #[error(transparent)]
    Read(#[from] WalkError),
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// The same records in the same order, numbered from 0, compressed in the same way. Header fields stay, except the
/// ones that follow from the records.
pub fn renumber(batch: &Batch, caps: &ExpansionCaps) -> Result<Batch, RenumberError> {
    let encoding = Encoding::like(batch.codec().map_err(WalkError::from)?, &batch.section());
    let mut builder = BatchBuilder::like(batch.header(), encoding);
    for record in records(batch, caps)? {
        let record = record?;
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder.append(record.timestamp, key, value, &record.headers);
    }
    Ok(builder.build()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Codec, WalkRules, walk};

    #[test]
    fn a_batch_with_other_deltas_is_walked_only_after_it_was_renumbered() {
        for codec in Codec::ALL {
            let mut builder = BatchBuilder::new(Encoding::default_of(codec)).producer(7, 1, 40);
            builder.append_at(3, 1000, Some(b"a"), Some(b"1"), &[]);
            builder.append_at(3, 1001, None, None, &[]);
            builder.append_at(1, 1002, Some(b"c"), Some(b"3"), &[]);
            let odd = builder.build().expect("records are small");
            assert!(walk(odd.clone(), &WalkRules::default()).is_err());

            let numbered =
                renumber(&odd, &ExpansionCaps::default()).expect("records are well-formed");
            assert!(numbered.verify_crc().is_ok());
            let walked = walk(numbered, &WalkRules::default()).expect("deltas are 0, 1, 2");
            assert_eq!(walked.header().base_sequence, 40);
            assert_eq!(walked.facts().max_timestamp_delta, 2);
        }
    }
}
