//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`, one message.
//!
//! In: the message. Out: a [`Claim`] whose password the caller checks. The user name comes out of
//! [`Claim::proven`], which compares the authorization id after the password, so that a wrong one tells nothing
//! about the user (CVE-2017-12610).

use kastellan_core::secret::Secret;

use super::{Mechanism, USER_MAX};

/// Longest password, in bytes.
pub const PASSWORD_MAX: usize = 1024;

/// Who a client says it is, and the password that should show it.
#[derive(Debug)]
pub struct Claim {
    authzid: String,
    user: String,
    password: Secret,
}

/// Why a message is no login. The log's words, not the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlainError {
    #[error("message is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("message is not UTF-8")]
    NotUtf8,
    #[error("message has not exactly three parts")]
    Parts,
    #[error("user name is empty")]
    NoUser,
    #[error("user name is longer than {limit} bytes")]
    UserTooLong { limit: usize },
    #[error("password is empty")]
    NoPassword,
    #[error("password is longer than {limit} bytes")]
    PasswordTooLong { limit: usize },
    #[error("authorization id differs from the user")]
    OtherAuthorizationId,
}

/// Reads a client's message.
pub fn parse(message: &[u8]) -> Result<Claim, PlainError> {
    let limit = Mechanism::Plain.message_max();
    if message.len() > limit {
        return Err(PlainError::TooLong { limit });
    }
    let text = std::str::from_utf8(message).map_err(|_| PlainError::NotUtf8)?;
    let mut parts = text.split('\0');
    let (Some(authzid), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(PlainError::Parts);
    };
    match (user.len(), password.len()) {
        (0, _) => Err(PlainError::NoUser),
        (_, 0) => Err(PlainError::NoPassword),
        (user, _) if user > USER_MAX => Err(PlainError::UserTooLong { limit: USER_MAX }),
        (_, password) if password > PASSWORD_MAX => Err(PlainError::PasswordTooLong {
            limit: PASSWORD_MAX,
        }),
        _ => Ok(Claim {
            authzid: authzid.to_owned(),
            user: user.to_owned(),
            password: Secret::from(password.as_bytes()),
        }),
    }
}

impl Claim {
    /// Who is looked up. Nothing is proven yet.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// What is checked.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// The user, once the caller has found the password right. Refuses to act for somebody else.
    pub fn proven(self) -> Result<String, PlainError> {
        if self.authzid.is_empty() || self.authzid == self.user {
            Ok(self.user)
        } else {
            Err(PlainError::OtherAuthorizationId)
        }
    }
}

/// A client's message.
pub fn message(user: &str, password: &Secret) -> Secret {
    let mut out = Vec::with_capacity(user.len() + password.len() + 2);
    out.push(0);
    out.extend_from_slice(user.as_bytes());
    out.push(0);
    out.extend_from_slice(password.expose());
    Secret::new(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_user_and_password() {
        // RFC 4616 section 4.
        let claim = parse(b"\0tim\0tanstaaftanstaaf").expect("three parts");
        assert_eq!(claim.user(), "tim");
        assert!(claim.password().matches(b"tanstaaftanstaaf"));
        assert_eq!(claim.proven().as_deref(), Ok("tim"));
    }

    #[test]
    fn takes_an_equal_authorization_id_and_refuses_another_after_the_password() {
        let same = parse(b"tim\0tim\0secret").expect("three parts");
        assert_eq!(same.proven().as_deref(), Ok("tim"));
        let other = parse(b"Ursel\0Kurt\0xipj3plmq").expect("three parts");
        assert!(other.password().matches(b"xipj3plmq"));
        assert_eq!(other.proven(), Err(PlainError::OtherAuthorizationId));
    }

    #[test]
    fn refuses_what_has_not_exactly_three_parts() {
        let cases: [(&[u8], PlainError); 9] = [
            (b"", PlainError::Parts),
            (b"tim", PlainError::Parts),
            (b"tim\0secret", PlainError::Parts),
            (b"\0tim\0secret\0", PlainError::Parts),
            (b"\0tim\0sec\0ret", PlainError::Parts),
            (b"\0\0secret", PlainError::NoUser),
            (b"tim\0\0secret", PlainError::NoUser),
            (b"\0tim\0", PlainError::NoPassword),
            (b"\0t\xFFm\0secret", PlainError::NotUtf8),
        ];
        for (message, error) in cases {
            assert_eq!(parse(message).expect_err("not a login"), error);
        }
    }

    #[test]
    fn lengths_are_allowed_up_to_their_caps() {
        let login = |user: usize, password: usize| {
            let secret = Secret::from("p".repeat(password));
            parse(message(&"u".repeat(user), &secret).expose()).map(|_| ())
        };
        assert_eq!(login(255, 1024), Ok(()));
        assert_eq!(login(256, 8), Err(PlainError::UserTooLong { limit: 255 }));
        assert_eq!(
            login(8, 1025),
            Err(PlainError::PasswordTooLong { limit: 1024 })
        );
        assert_eq!(login(8, 5000), Err(PlainError::TooLong { limit: 4096 }));
    }

    #[test]
    fn the_password_is_not_in_debug_text() {
        let claim = parse(b"\0tim\0tanstaaftanstaaf").expect("three parts");
        assert!(!format!("{claim:?}").contains("tanstaaf"));
    }
}
