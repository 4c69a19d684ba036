//! Whom a certificate names.

use kastellan_core::principal::PrincipalName;
use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use trust::principal::{MappingRules, PrincipalError, Source, identity, name};

fn rules(text: &str) -> MappingRules {
    MappingRules::parse(text).expect("the rules are right")
}

fn certificate(subject: &[(DnType, DnValue)], names: Vec<SanType>) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), value.clone());
    }
    params.subject_alt_names = names;
    let key = KeyPair::generate().expect("a key can be made");
    let made = params.self_signed(&key).expect("a certificate can be made");
    made.der().clone()
}

fn common(text: &str) -> Vec<(DnType, DnValue)> {
    vec![(DnType::CommonName, DnValue::Utf8String(text.to_owned()))]
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("ASCII"))
}

fn dns(text: &str) -> SanType {
    SanType::DnsName(text.try_into().expect("ASCII"))
}

#[test]
fn subject_is_printed_as_java_prints_it() {
    let pem = include_bytes!("data/java-name.pem");
    let odd = CertificateDer::from_pem_slice(pem).expect("a certificate in PEM");
    // What `X509Certificate.getSubjectX500Principal().getName()` of Java 17 gives.
    let java = concat!(
        r"CN=alice+OU=multi,2.5.4.5=#1303313233,STREET=Main,L=Zürich,ST=S,UID=u1,DC=example,",
        r"1.2.840.113549.1.9.1=#16056140622e63,OU=\#hash,OU=\ lead and trail\ ,",
        r#"O=Orders\, \"Inc\" \<x\>\;a\=b\+c\\d\#e,C=DE"#,
    );
    let named = name(&odd, Source::Subject, &rules("DEFAULT"));
    assert_eq!(named, Ok(PrincipalName::user(java)));
}

#[test]
fn rules_map_the_subject_and_a_subject_without_rule_is_nobody() {
    let alice = certificate(&common("Alice"), vec![]);
    let mapped = |text: &str| name(&alice, Source::Subject, &rules(text));
    assert_eq!(
        mapped("RULE:^CN=(.*)$/$1/L"),
        Ok(PrincipalName::user("alice"))
    );
    assert_eq!(mapped("DEFAULT"), Ok(PrincipalName::user("CN=Alice")));
    assert_eq!(
        mapped("RULE:^O=(.*)$/$1/"),
        Err(PrincipalError::NoRule("CN=Alice".to_owned()))
    );
}

#[test]
fn names_that_stand_for_nobody_in_particular_are_refused() {
    let rules = rules("RULE:^CN=(.*)$/$1/");
    for reserved in ["ANONYMOUS", "*", "", "a\nb", "a\0b"] {
        let shown = certificate(&common(reserved), vec![]);
        assert!(
            name(&shown, Source::Subject, &rules).is_err(),
            "{reserved:?}"
        );
    }
    for usual in ["anonymous", "a*", "a:b, c"] {
        let shown = certificate(&common(usual), vec![]);
        assert!(name(&shown, Source::Subject, &rules).is_ok(), "{usual:?}");
    }
}

#[test]
fn alternative_name_is_the_principal_only_if_it_is_the_only_one() {
    let spiffe = "spiffe://example.org/orders";
    let no_rules = rules("");
    let named =
        |names: Vec<SanType>, source| name(&certificate(&common("x"), names), source, &no_rules);
    let one = vec![uri(spiffe), dns("orders.example.org")];
    assert_eq!(
        named(one.clone(), Source::SanUri),
        Ok(PrincipalName::user(spiffe))
    );
    assert_eq!(
        named(one, Source::SanDns),
        Ok(PrincipalName::user("orders.example.org"))
    );
    assert_eq!(
        named(vec![uri(spiffe), uri("spiffe://b")], Source::SanUri),
        Err(PrincipalError::Ambiguous)
    );
    assert_eq!(
        named(vec![dns("a.example"), dns("a.example")], Source::SanDns),
        Err(PrincipalError::Ambiguous)
    );
    assert_eq!(
        named(vec![dns("a.example")], Source::SanUri),
        Err(PrincipalError::NoName)
    );
    assert_eq!(named(vec![], Source::SanDns), Err(PrincipalError::NoName));
}

#[test]
fn name_of_absurd_length_is_refused_before_any_rule_sees_it() {
    let long = certificate(&common(&"a".repeat(5_000)), vec![]);
    assert_eq!(
        name(&long, Source::Subject, &rules("RULE:(a|aa)*b/x/,DEFAULT")),
        Err(PrincipalError::TooLong)
    );
}

#[test]
fn what_is_no_certificate_names_nobody() {
    for bytes in [&b""[..], b"\x30\x03\x02\x01\x01", b"garbage"] {
        let der = CertificateDer::from(bytes.to_vec());
        assert_eq!(
            name(&der, Source::Subject, &rules("DEFAULT")),
            Err(PrincipalError::Malformed)
        );
        assert_eq!(identity(&der), None);
    }
}

#[test]
fn rules_find_and_replace_as_java_does() {
    // Pattern, replacement, subject, and what `Matcher.matches` and `String.replaceAll` of Java 17 made of them:
    // `-` for no match, or `+` and the name.
    let table = include_str!("data/java-rules.tsv");
    let mut lines = 0;
    for line in table.lines() {
        let [pattern, replacement, subject, java] = line
            .split('\t')
            .collect::<Vec<_>>()
            .try_into()
            .expect("four columns");
        let rule = rules(&format!("RULE:{pattern}/{replacement}/"));
        let ours = match rule.apply(subject) {
            Some(name) => format!("+{name}"),
            None => "-".to_owned(),
        };
        assert_eq!(ours, java, "{line}");
        lines += 1;
    }
    assert_eq!(lines, 300);
}
