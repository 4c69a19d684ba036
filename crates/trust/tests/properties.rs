//! Any bytes at all give an answer: rules of an operator, certificates of a stranger, files that are none.

mod common;

use common::{House, chain};
use proptest::collection::vec;
use proptest::prelude::*;
use rustls_pki_types::CertificateDer;
use trust::principal::{MappingRules, Source, identity, name};
use trust::server::{covers, not_after};

/// Text that looks like rules, so that parsing gets past its first step.
fn almost_rules() -> impl Strategy<Value = String> {
    r"(DEFAULT|RULE:[a,=.|*+?()\[\]{}^$\\\\w0-9-]{0,12}/[a$\\\\0-9]{0,5}/[LU]?)(,? ?(DEFAULT|RULE:a/b/))?"
}

fn read(bytes: &[u8]) {
    let der = CertificateDer::from(bytes.to_vec());
    let rules = MappingRules::parse("RULE:^CN=(.*)$/$1/,DEFAULT").expect("the rules are right");
    for source in [Source::Subject, Source::SanUri, Source::SanDns] {
        if let Ok(named) = name(&der, source, &rules) {
            assert!(!named.name().is_empty() && !named.is_everyone());
        }
    }
    let _ = (identity(&der), not_after(&der), covers(&der, "localhost"));
}

proptest! {
    #[test]
    fn any_rules_and_any_subject_give_an_answer(rules in almost_rules(), subject in "[a,=b]{0,20}") {
        if let Ok(rules) = MappingRules::parse(&rules) {
            let _ = rules.apply(&subject);
        }
    }

    #[test]
    fn any_text_is_rules_or_none(text in "\\PC{0,60}", subject in "\\PC{0,20}") {
        for text in [text.clone(), format!("RULE:{text}/x/")] {
            if let Ok(rules) = MappingRules::parse(&text) {
                let _ = rules.apply(&subject);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_give_an_answer(bytes in vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}

#[test]
fn certificate_with_any_byte_changed_or_cut_anywhere_gives_an_answer() {
    let house = House::new();
    let made = chain(&house.client("alice").client_pem);
    let whole = made.first().expect("a certificate");
    for at in 0..whole.len() {
        read(&whole[..at]);
        for bits in [0x01, 0x20, 0x80, 0xff] {
            let mut changed = whole.to_vec();
            changed[at] ^= bits;
            read(&changed);
        }
    }
}
