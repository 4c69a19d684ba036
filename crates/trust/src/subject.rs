//! A certificate's subject as Java prints it (`X500Principal.getName`, RFC 2253): most specific part first, known
//! attribute types by keyword, others as OID with the value in hex.

use x509_parser::x509::X509Name;

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
/// `None`: a value that is no text under a keyword.
pub fn rfc2253(name: &X509Name<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for part in name.iter_rdn() {
        let values: Option<Vec<String>> = part.iter().map(attribute).collect();
        parts.push(values?.join("+"));
    }
    parts.reverse();
    Some(parts.join(","))
}

fn attribute(attribute: &x509_parser::x509::AttributeTypeAndValue<'_>) -> Option<String> {
    let oid = attribute.attr_type().to_id_string();
    match KEYWORDS.iter().find(|(known, _)| *known == oid) {
        Some((_, keyword)) => Some(format!("{keyword}={}", escape(&text(attribute)?))),
        None => {
            let value = attribute.attr_value();
            let mut der = value.header.to_der_vec_header()?;
            der.extend_from_slice(value.data);
            Some(format!("{oid}=#{}", crate::ca::hex(&der)))
        }
    }
}

fn text(attribute: &x509_parser::x509::AttributeTypeAndValue<'_>) -> Option<String> {
    let value = attribute.attr_value();
    match value.header.tag().0 {
        // UTF8String, PrintableString, T61String, IA5String
        12 | 19 | 20 | 22 => std::str::from_utf8(value.data).ok().map(str::to_owned),
        // BMPString
        30 => {
            let units: Vec<u16> = value
                .data
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

trait HeaderBytes {
    fn to_der_vec_header(&self) -> Option<Vec<u8>>;
}

impl HeaderBytes for x509_parser::asn1_rs::Header<'_> {
    fn to_der_vec_header(&self) -> Option<Vec<u8>> {
        use x509_parser::asn1_rs::ToDer;
        self.to_der_vec().ok()
    }
}

/// RFC 2253 section 2.4: `,` `+` `"` `\` `<` `>` `;`, a leading `#` or space, a trailing space.
fn escape(value: &str) -> String {
    let letters: Vec<char> = value.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let edge =
            *letter == ' ' && (at == 0 || at + 1 == letters.len()) || *letter == '#' && at == 0;
        if edge || matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(*letter);
    }
    out
}
