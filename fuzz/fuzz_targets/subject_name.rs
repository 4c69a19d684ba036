//! A client certificate (DER): its names, as principals.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rustls_pki_types::CertificateDer;
use trust::principal::{MappingRules, Source, identity, name};

fuzz_target!(|data: &[u8]| {
    let certificate = CertificateDer::from(data);
    let rules = MappingRules::parse("RULE:^CN=([^,=]+)$/$1/,DEFAULT").unwrap();
    // Nobody is logged in by a certificate without one, whatever its subject is.
    let _ = identity(&certificate);
    for source in [Source::Subject, Source::SanUri, Source::SanDns] {
        if let Ok(principal) = name(&certificate, source, &rules) {
            let name = principal.name();
            assert!(
                !name.is_empty() && !["*", "ANONYMOUS"].contains(&name),
                "{name}"
            );
        }
    }
});
