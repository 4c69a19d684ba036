//! A PLAIN message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::sasl::plain;

fuzz_target!(|data: &[u8]| {
    if let Ok(claim) = plain::parse(data) {
        assert!(!claim.user().is_empty() && !claim.password().is_empty());
        let _ = claim.proven();
    }
});
