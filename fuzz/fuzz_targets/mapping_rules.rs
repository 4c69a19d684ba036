//! Mapping rules up to the first line feed, and a subject behind it that they are applied to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trust::principal::MappingRules;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (rules, subject) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(parsed) = MappingRules::parse(rules) else {
        return;
    };
    let name = parsed.apply(subject);
    assert_eq!(name, parsed.apply(subject));
    if rules.trim_matches([' ', '\t', ',']) == "DEFAULT" {
        assert_eq!(name.as_deref(), Some(subject));
    }
});
