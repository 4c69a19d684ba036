//! A refusal of one thing in a request, with what the client is told.

use wire::error::ErrorCode;
use wire::text::Str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: Option<Str>,
}

impl Refused {
    pub(super) fn new(code: ErrorCode, message: impl Into<Str>) -> Self {
        Self {
            code,
            message: Some(message.into()),
        }
    }
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            message: None,
        }
    }
}

/// Code and message of an outcome, as most answers carry them.
pub(super) fn parts(outcome: Result<(), Refused>) -> (i16, Option<Str>) {
    match outcome {
        Ok(()) => (ErrorCode::NONE.0, None),
        Err(refused) => (refused.code.0, refused.message),
    }
}
