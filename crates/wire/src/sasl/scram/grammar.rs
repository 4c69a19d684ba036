//! The texts of RFC 5802 section 7: comma-separated attributes, a letter, `=`, a value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ScramError;
use crate::sasl::USER_MAX;

/// Longest message of either side, in bytes.
pub(super) const MESSAGE_MAX: usize = 4 << 10;

pub(super) fn text(message: &[u8]) -> Result<&str, ScramError> {
    if message.len() > MESSAGE_MAX {
        return Err(ScramError::TooLong { limit: MESSAGE_MAX });
    }
    let text = std::str::from_utf8(message).map_err(|_| ScramError::NotUtf8)?;
    if text.contains('\0') {
        return Err(ScramError::Malformed("NUL"));
    }
    Ok(text)
}

/// `client-first-message`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientFirst<'a> {
    /// Everything before the bare message, which channel binding repeats.
    pub(super) gs2_header: &'a str,
    pub(super) bare: &'a str,
    pub(super) authzid: Option<String>,
    pub(super) user: String,
    pub(super) nonce: &'a str,
    pub(super) wants_token: bool,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, ScramError> {
        let text = text(message)?;
        let (flag, rest) = text
            .split_once(',')
            .ok_or(ScramError::Malformed("gs2 header"))?;
        if flag == "y" || flag.starts_with("p=") {
            return Err(ScramError::ChannelBinding);
        }
        let (authzid, bare) = rest
            .split_once(',')
            .ok_or(ScramError::Malformed("gs2 header"))?;
        if flag != "n" {
            return Err(ScramError::Malformed("gs2 header"));
        }
        let authzid = match authzid {
            "" => None,
            named => Some(name(value(named, "a=")?)?),
        };
        let gs2_header = text.strip_suffix(bare).unwrap_or_default();
        let mut attributes = bare.split(',');
        let user = attributes.next().unwrap_or_default();
        if user.starts_with("m=") {
            return Err(ScramError::MandatoryExtension);
        }
        let user = name(value(user, "n=")?)?;
        let nonce = nonce(value(attributes.next().unwrap_or_default(), "r=")?)?;
        let mut wants_token = false;
        for extension in attributes {
            let (key, value) = self::extension(extension)?;
            wants_token |= key == "tokenauth" && value.eq_ignore_ascii_case("true");
        }
        Ok(Self {
            gs2_header,
            bare,
            authzid,
            user,
            nonce,
            wants_token,
        })
    }
}

/// `server-first-message`.
#[derive(Debug)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, ScramError> {
        let mut attributes = text.split(',');
        let mut next = |name| value(attributes.next().unwrap_or_default(), name);
        let (nonce_text, salt, iterations) = (next("r=")?, next("s=")?, next("i=")?);
        for rest in attributes {
            extension(rest)?;
        }
        let plain_number =
            !iterations.is_empty() && iterations.bytes().all(|digit| digit.is_ascii_digit());
        let iterations = iterations.parse().ok().filter(|_| plain_number);
        Ok(Self {
            nonce: nonce(nonce_text)?,
            salt: base64(salt)?,
            iterations: iterations.ok_or(ScramError::Malformed("iterations"))?,
        })
    }
}

/// `client-final-message`.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    /// What the proof covers.
    pub(super) without_proof: &'a str,
    pub(super) binding: &'a str,
    pub(super) nonce: &'a str,
    pub(super) proof: Vec<u8>,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, ScramError> {
        let (without_proof, proof) = text(message)?
            .rsplit_once(',')
            .ok_or(ScramError::Malformed("final message"))?;
        let mut attributes = without_proof.split(',');
        let binding = value(attributes.next().unwrap_or_default(), "c=")?;
        let nonce = nonce(value(attributes.next().unwrap_or_default(), "r=")?)?;
        for rest in attributes {
            extension(rest)?;
        }
        Ok(Self {
            without_proof,
            binding,
            nonce,
            proof: base64(value(proof, "p=")?)?,
        })
    }
}

/// The value of an attribute that must be this one.
pub(super) fn value<'a>(attribute: &'a str, name: &'static str) -> Result<&'a str, ScramError> {
    attribute
        .strip_prefix(name)
        .ok_or(ScramError::Malformed(match name {
            "a=" => "authorization id",
            "n=" => "user name",
            "r=" => "nonce",
            "s=" => "salt",
            "i=" => "iterations",
            "c=" => "channel binding",
            "p=" => "proof",
            _ => "attribute",
        }))
}

/// Strict standard base64, not empty.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, ScramError> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| ScramError::Malformed("base64"))?;
    if bytes.is_empty() {
        Err(ScramError::Malformed("base64"))
    } else {
        Ok(bytes)
    }
}

/// A user name as it travels: `=2C` is a comma, `=3D` an equals sign, and no other `=` may stand there.
pub(super) fn name(escaped: &str) -> Result<String, ScramError> {
    let mut parts = escaped.split('=');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (decoded, rest) = match part.split_at_checked(2) {
            Some(("2C", rest)) => (',', rest),
            Some(("3D", rest)) => ('=', rest),
            _ => return Err(ScramError::Malformed("user name")),
        };
        name.push(decoded);
        name.push_str(rest);
    }
    match name.len() {
        0 => Err(ScramError::Malformed("user name")),
        length if length > USER_MAX => Err(ScramError::UserTooLong),
        _ => Ok(name),
    }
}

/// The other way round.
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn nonce(text: &str) -> Result<&str, ScramError> {
    let printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if printable {
        Ok(text)
    } else {
        Err(ScramError::Malformed("nonce"))
    }
}

/// An extension: Kafka allows names of several letters.
fn extension(attribute: &str) -> Result<(&str, &str), ScramError> {
    let (name, value) = attribute
        .split_once('=')
        .ok_or(ScramError::Malformed("extension"))?;
    let letters = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if letters && !value.is_empty() {
        Ok((name, value))
    } else {
        Err(ScramError::Malformed("extension"))
    }
}
