//! Which topic names are legal, and which are taken though no topic is there.
//!
//! Source: Kafka's `Topic.validate` and `Topic.hasCollision`.

use wire::error::ErrorCode;

use super::refusal::Refused;

const LONGEST: usize = 249;
/// Kafka keeps its own state in topics of these names. Here it is elsewhere, and the names stay unused.
const RESERVED: [&str; 3] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
];

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// A name that a topic may have.
pub(super) fn check(name: &str) -> Result<(), Refused> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let problem = if name.is_empty() {
        "Topic name is invalid: the empty string is not allowed"
    } else if name == "." || name == ".." {
        "Topic name is invalid: '.' and '..' are not allowed"
    } else if name.len() > LONGEST {
        "Topic name is invalid: the length is longer than the maximum of 249"
    } else if !name.bytes().all(legal) {
        "Topic name is invalid: it contains characters other than ASCII alphanumerics, '.', '_' and '-'"
    } else if is_reserved(name) {
        "Topic name is reserved"
    } else {
        return Ok(());
    };
    Err(Refused::new(ErrorCode::INVALID_TOPIC_EXCEPTION, problem))
}

/// Whether two names would be one in metrics, where `.` and `_` are the same.
pub(super) fn collide(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'.' { b'_' } else { byte };
    one.len() == other.len() && one.bytes().map(plain).eq(other.bytes().map(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_kafka_does() {
        let longest = "x".repeat(249);
        for name in ["a", "A.b_c-9", "__mine", &longest] {
            assert!(check(name).is_ok(), "{name}");
        }
        let too_long = "x".repeat(250);
        for name in [
            "",
            ".",
            "..",
            "a b",
            "a/b",
            "\u{e4}",
            "__consumer_offsets",
            &too_long,
        ] {
            let refused = check(name).unwrap_err();
            assert_eq!(refused.code, ErrorCode::INVALID_TOPIC_EXCEPTION, "{name}");
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert!(collide("a.b", "a_b") && collide("a", "a"));
        assert!(!collide("a-b", "a_b") && !collide("a.b", "a.bc"));
    }
}
