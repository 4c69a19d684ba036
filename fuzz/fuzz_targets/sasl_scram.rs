//! Both messages of a SCRAM client, split at the first line feed, to a server that knows one user.
#![no_main]

use kastellan_core::credential::{ScramMechanism, ScramVerifier};
use kastellan_core::secret::Secret;
use libfuzzer_sys::fuzz_target;
use wire::sasl::scram::{Nonce, server};

fuzz_target!(|data: &[u8]| {
    let split = data
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(data.len());
    let (first, rest) = data.split_at(split);
    let last = rest.get(1..).unwrap_or_default();
    for mechanism in ScramMechanism::ALL {
        let Ok(claimed) = server::first(mechanism, first) else {
            continue;
        };
        let known = (claimed.user() == "user").then(|| ScramVerifier {
            mechanism,
            salt: b"salt".to_vec(),
            iterations: 4096,
            stored_key: Secret::new(vec![1; mechanism.hash_len()]),
            server_key: Secret::new(vec![2; mechanism.hash_len()]),
        });
        let candidate = claimed.candidate(known, &Secret::new(vec![3; 32]));
        let (challenged, _) = claimed.challenge(candidate, &Nonce::from_random([0; 24]));
        assert!(challenged.finish(last).is_err());
    }
});
