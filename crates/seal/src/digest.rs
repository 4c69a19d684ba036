//! SHA-256, for telling whether something is what it was.

use aws_lc_rs::digest::{Context, SHA256};

/// The digest of all parts, one after the other, in hexadecimal.
pub fn sha256_hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let digest = context.finish();
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, B.1.
    #[test]
    fn parts_are_joined() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex([b"a".as_slice(), b"bc"]), expected);
    }
}
