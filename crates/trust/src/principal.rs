//! Who a client certificate names.
//!
//! In: the certificate and Kafka's `ssl.principal.mapping.rules` (`SslPrincipalMapper`). Out: a user name, or a reason
//! to close the connection. The chain was validated before; this file looks at names only.

use kastellan_core::principal::{CertificateId, PrincipalName};
use kastellan_core::time::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::ca::hex;
use crate::pattern::{Match, Pattern, PatternError};
use crate::subject;

/// Where the name is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The subject, through the mapping rules.
    Subject,
    /// The one URI among the alternative names, as it is (SPIFFE).
    SanUri,
    /// The one DNS name among them.
    SanDns,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    #[error("a rule is DEFAULT or RULE:pattern/replacement/ with L or U behind: {0:?} is neither")]
    Syntax(String),
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error("the replacement names a group that the pattern does not have")]
    Group,
    #[error("a $ in the replacement needs a number behind it; write \\$ for the sign itself")]
    Dollar,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    #[error("certificate cannot be parsed")]
    Malformed,
    #[error("no mapping rule matches the subject {0:?}")]
    NoRule(String),
    #[error("certificate has no name of the wanted kind")]
    NoName,
    #[error("certificate has a name longer than {NAME_MAX} bytes")]
    TooLong,
    #[error("certificate has more than one name of the wanted kind")]
    Ambiguous,
    #[error("certificate names {0:?}, which stands for nobody in particular")]
    Reserved(String),
}

/// Bytes of a subject or an alternative name that are looked at; real ones are far shorter.
const NAME_MAX: usize = 2_048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Keep,
    Lower,
    Upper,
}

#[derive(Clone, Debug)]
enum Rule {
    Default,
    Map {
        pattern: Pattern,
        replacement: Vec<Piece>,
        case: Case,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// 0 is the whole match.
    Group(usize),
}

/// Rules, tried in order.
#[derive(Clone, Debug)]
pub struct MappingRules(Vec<Rule>);

impl MappingRules {
    /// Reads rules with commas between them. No rule at all is `DEFAULT`.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let mut rules = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\n', ',']);
            if rest.is_empty() {
                break;
            }
            let (rule, behind) = parse_rule(rest)?;
            rules.push(rule);
            rest = behind.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(RulesError::Syntax(text.to_owned()));
            }
        }
        if rules.is_empty() {
            rules.push(Rule::Default);
        }
        Ok(Self(rules))
    }

    /// The name that the first matching rule makes.
    pub fn apply(&self, subject: &str) -> Option<String> {
        let letters: Vec<char> = subject.chars().collect();
        self.0.iter().find_map(|rule| match rule {
            Rule::Default => Some(subject.to_owned()),
            Rule::Map {
                pattern,
                replacement,
                case,
            } => {
                if !pattern.matches(&letters) {
                    return None;
                }
                let name = replace_all(pattern, replacement, &letters);
                Some(match case {
                    Case::Keep => name,
                    Case::Lower => name.to_lowercase(),
                    Case::Upper => name.to_uppercase(),
                })
            }
        })
    }
}

fn parse_rule(text: &str) -> Result<(Rule, &str), RulesError> {
    let wrong = || RulesError::Syntax(text.to_owned());
    if let Some(rest) = text.strip_prefix("DEFAULT") {
        return Ok((Rule::Default, rest));
    }
    let rest = text.strip_prefix("RULE:").ok_or_else(wrong)?;
    let (pattern, rest) = until_slash(rest).ok_or_else(wrong)?;
    let (replacement, rest) = until_slash(rest).ok_or_else(wrong)?;
    let (case, rest) = match rest.strip_prefix('L') {
        Some(rest) => (Case::Lower, rest),
        None => match rest.strip_prefix('U') {
            Some(rest) => (Case::Upper, rest),
            None => (Case::Keep, rest),
        },
    };
    let pattern = Pattern::new(pattern)?;
    let replacement = parse_replacement(replacement, pattern.groups())?;
    Ok((
        Rule::Map {
            pattern,
            replacement,
            case,
        },
        rest,
    ))
}

/// Up to the first slash without a backslash before it.
fn until_slash(text: &str) -> Option<(&str, &str)> {
    let mut before = None;
    for (at, letter) in text.char_indices() {
        if letter == '/' && before != Some('\\') {
            return Some((&text[..at], &text[at + 1..]));
        }
        before = Some(letter);
    }
    None
}

/// Java's `Matcher.appendReplacement`: `$n` takes as many digits as make an existing group, `\x` is x.
fn parse_replacement(text: &str, groups: usize) -> Result<Vec<Piece>, RulesError> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.push(letters.next().ok_or(RulesError::Dollar)?),
            '$' => {
                let first = letters
                    .next()
                    .and_then(|digit| digit.to_digit(10))
                    .ok_or(RulesError::Dollar)?;
                let mut group = first as usize;
                if group > groups {
                    return Err(RulesError::Group);
                }
                while let Some(digit) = letters.peek().and_then(|digit| digit.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > groups {
                        break;
                    }
                    group = longer;
                    letters.next();
                }
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Group(group));
            }
            other => plain.push(other),
        }
    }
    pieces.push(Piece::Text(plain));
    Ok(pieces)
}

/// Java's `replaceAll`: every match, also the empty one at the end.
fn replace_all(pattern: &Pattern, replacement: &[Piece], text: &[char]) -> String {
    let mut out = String::new();
    let (mut done, mut from) = (0, 0);
    while from <= text.len() {
        let Some(found) = pattern.find(text, from) else {
            break;
        };
        out.extend(&text[done..found.start]);
        for piece in replacement {
            match piece {
                Piece::Text(plain) => out.push_str(plain),
                Piece::Group(group) => {
                    if let Some((start, end)) = group_of(&found, *group) {
                        out.extend(&text[start..end]);
                    }
                }
            }
        }
        done = found.end;
        from = if found.end == found.start {
            found.end + 1
        } else {
            found.end
        };
    }
    out.extend(&text[done.min(text.len())..]);
    out
}

fn group_of(found: &Match, group: usize) -> Option<(usize, usize)> {
    match group.checked_sub(1) {
        None => Some((found.start, found.end)),
        Some(at) => found.groups.get(at).copied().flatten(),
    }
}

/// The user that a certificate names.
pub fn name(
    certificate: &CertificateDer<'_>,
    source: Source,
    rules: &MappingRules,
) -> Result<PrincipalName, PrincipalError> {
    let (_, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| PrincipalError::Malformed)?;
    let name = match source {
        Source::Subject => {
            let subject = subject::rfc2253(parsed.subject()).ok_or(PrincipalError::Malformed)?;
            if subject.len() > NAME_MAX {
                return Err(PrincipalError::TooLong);
            }
            rules
                .apply(&subject)
                .ok_or(PrincipalError::NoRule(subject))?
        }
        Source::SanUri => one_name(&parsed, |name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })?,
        Source::SanDns => one_name(&parsed, |name| match name {
            GeneralName::DNSName(dns) => Some(*dns),
            _ => None,
        })?,
    };
    if name.len() > NAME_MAX {
        return Err(PrincipalError::TooLong);
    }
    if name.is_empty() || name == "*" || name == "ANONYMOUS" || name.chars().any(char::is_control) {
        return Err(PrincipalError::Reserved(name));
    }
    Ok(PrincipalName::user(&name))
}

fn one_name<'a>(
    certificate: &'a X509Certificate<'a>,
    wanted: impl Fn(&'a GeneralName<'a>) -> Option<&'a str>,
) -> Result<String, PrincipalError> {
    let extension = certificate
        .subject_alternative_name()
        .map_err(|_| PrincipalError::Malformed)?;
    let mut names = extension
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(wanted);
    let first = names.next().ok_or(PrincipalError::NoName)?;
    match names.next() {
        None => Ok(first.to_owned()),
        Some(_) => Err(PrincipalError::Ambiguous),
    }
}

/// What names one certificate in revocation lists, and when it ends.
pub fn identity(certificate: &CertificateDer<'_>) -> Option<(CertificateId, Timestamp)> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let issuer = subject::rfc2253(parsed.issuer())?;
    let serial = hex(parsed.raw_serial());
    let end = Timestamp(
        parsed
            .validity()
            .not_after
            .timestamp()
            .saturating_mul(1_000),
    );
    Some((CertificateId { issuer, serial }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rules: &str, subject: &str) -> Option<String> {
        MappingRules::parse(rules).unwrap().apply(subject)
    }

    #[test]
    fn first_matching_rule_makes_the_name() {
        let rules = "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/, RULE:^CN=(.*?),OU=(.*?),O=(.*?)$/$1@$2/L, DEFAULT";
        assert_eq!(
            map(rules, "CN=duke,OU=ServiceUsers,O=Unknown").as_deref(),
            Some("duke")
        );
        assert_eq!(
            map(rules, "CN=Duke,OU=SME,O=x").as_deref(),
            Some("duke@sme")
        );
        assert_eq!(map(rules, "CN=duke").as_deref(), Some("CN=duke"));
        assert_eq!(map("RULE:^CN=(.*)$/$1/", "O=x"), None);
    }

    #[test]
    fn replaces_every_match_as_java_does() {
        assert_eq!(map("RULE:.*/x/", "CN=Alice").as_deref(), Some("xx"));
        assert_eq!(map("RULE:^.*$/x/", "CN=Alice").as_deref(), Some("x"));
        assert_eq!(
            map("RULE:CN=(.*)/$1/L", "CN=Alice").as_deref(),
            Some("alice")
        );
        assert_eq!(
            map("RULE:CN=(.*?),OU=(.*?)/$1/", "CN=a,OU=b").as_deref(),
            Some("ab")
        );
        assert_eq!(map("RULE:^CN=(.*)$/$12/", "CN=a").as_deref(), Some("a2"));
        assert_eq!(map(r"RULE:^CN=(.*)$/\$$1/", "CN=a").as_deref(), Some("$a"));
        assert_eq!(map("RULE:^(a)?(b)$/$1$2/", "b").as_deref(), Some("b"));
    }

    #[test]
    fn pattern_and_replacement_may_hold_commas() {
        assert_eq!(
            map("RULE:^CN=(.*),O=(.*)$/$2,$1/U,DEFAULT", "CN=a,O=b").as_deref(),
            Some("B,A")
        );
    }

    #[test]
    fn wrong_rules_stop_the_start() {
        for rules in [
            "default",
            "RULE:a/b",
            "RULE:a",
            "RULE:a/b/X",
            "DEFAULTx",
            "RULE:(/b/",
            "RULE:a/$1/",
            "RULE:a/$x/",
        ] {
            assert!(MappingRules::parse(rules).is_err(), "{rules}");
        }
        assert!(MappingRules::parse(" , DEFAULT ,, ").is_ok());
    }
}
