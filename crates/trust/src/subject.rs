//! A certificate's subject as Java prints it (`X500Principal.getName`, RFC 2253): most specific part first, known
//! attribute types by keyword, others as OID with the value in hex.
//!
//! One thing is not as in Java: text in UTF-16 (BMPString), which Java reads as if it were UTF-8, is read as what it is.

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Attribute types that RFC 2253 names.
const KEYWORDS: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// `CN=alice,OU=eng,O=x`
///
/// `None`: a text whose bytes are none. Two such names could not be told apart.
pub fn rfc2253(name: &X509Name<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for part in name.iter_rdn() {
        let values: Option<Vec<String>> = part.iter().map(attribute).collect();
        parts.push(values?.join("+"));
    }
    parts.reverse();
    Some(parts.join(","))
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let oid = attribute.attr_type().to_id_string();
    let value = attribute.attr_value();
    let keyword = KEYWORDS.iter().find(|(known, _)| *known == oid);
    match keyword.filter(|_| is_text(value)) {
        Some((_, keyword)) => Some(format!("{keyword}={}", escape(&text(value)?))),
        None => {
            let keyword = keyword.map_or(oid.as_str(), |(_, keyword)| keyword);
            let mut der = value.header.to_der_vec().ok()?;
            der.extend_from_slice(value.data);
            Some(format!("{keyword}=#{}", crate::ca::hex(&der)))
        }
    }
}

/// Kinds of strings that Java prints as text.
fn is_text(value: &Any<'_>) -> bool {
    matches!(
        value.tag(),
        Tag::Utf8String
            | Tag::PrintableString
            | Tag::T61String
            | Tag::Ia5String
            | Tag::GeneralString
            | Tag::BmpString
    )
}

fn text(value: &Any<'_>) -> Option<String> {
    if value.tag() != Tag::BmpString {
        return String::from_utf8(value.data.to_vec()).ok();
    }
    let mut pairs = value.data.chunks_exact(2);
    let units: Option<Vec<u16>> = pairs
        .by_ref()
        .map(|pair| pair.try_into().ok().map(u16::from_be_bytes))
        .collect();
    match pairs.remainder() {
        [] => String::from_utf16(&units?).ok(),
        _ => None,
    }
}

/// Java's `AVA.toRFC2253String`: a backslash before each of `,=+<>#;"\` and before spaces at either end.
fn escape(value: &str) -> String {
    let inner = value.trim_matches(' ');
    let leading = value.len() - value.trim_start_matches(' ').len();
    let trailing = value.len() - leading - inner.len();
    let mut out = "\\ ".repeat(leading);
    for letter in inner.chars() {
        if ",=+<>#;\"\\".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push_str(&"\\ ".repeat(trailing));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_at_both_ends_are_escaped_and_inner_ones_are_not() {
        assert_eq!(escape("a b"), "a b");
        assert_eq!(escape("  a "), "\\ \\ a\\ ");
        assert_eq!(escape("  "), "\\ \\ ");
        assert_eq!(escape(""), "");
    }

    #[test]
    fn text_in_utf_16_is_read_as_such_and_half_a_unit_is_none() {
        let read = |data| text(&Any::from_tag_and_data(Tag::BmpString, data));
        assert_eq!(read(&[0, b'M', 0, 0xfc]).as_deref(), Some("Mü"));
        assert_eq!(read(&[0, b'M', 0]), None);
        assert_eq!(read(&[0xd8, 0]), None);
    }
}
