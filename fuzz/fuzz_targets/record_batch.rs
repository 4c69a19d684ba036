//! A field of record batches, read in every way there is.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::record::{
    Batch, ExpansionCaps, Trailing, WalkRules, batches, first_at_or_after, produced, records,
    renumber, walk,
};

fuzz_target!(|data: &[u8]| {
    let field = Bytes::copy_from_slice(data);
    let caps = ExpansionCaps::fixed(1 << 20);
    let rules = WalkRules {
        caps,
        times: Some(0..=1 << 41),
        listed: 4,
    };
    let _ = produced(Some(&field));
    for batch in batches(&field, Trailing::Partial).flatten() {
        let _ = first_at_or_after(&batch, 1, 1, &caps);
        if let Ok(numbered) = renumber(&batch, &caps) {
            assert!(numbered.verify_crc().is_ok());
        }
        let read = records(&batch, &caps).map(|records| records.filter(Result::is_ok).count());
        if let Ok(walked) = walk(batch, &rules) {
            assert_eq!(read.ok(), Some(walked.facts().record_count as usize));
            let placed = Batch::parse(&walked.placed_at_time(1, 2, 3).concat().into());
            assert!(placed.is_ok_and(|placed| placed.verify_crc().is_ok()));
        }
    }
});
