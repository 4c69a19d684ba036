//! Why a connection ends: the label of a metric, and the word in the log.

use wire::codec::DecodeError;
use wire::frame::FrameError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    ClientClosed,
    Idle,
    LoginDeadline,
    FrameDeadline,
    SlowReader,
    FrameTooLarge,
    Malformed,
    HiddenApi,
    UnsupportedVersion,
    LoginRefused,
    Expired,
    Revoked,
    Draining,
    UpstreamClosed,
    UpstreamProtocol,
    UpstreamTimeout,
    Overload,
    Cap,
    /// A produce without an answer was refused: closing is the only word left.
    Refused,
    Handshake,
    Internal,
}

impl Cause {
    pub const fn label(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::Idle => "idle",
            Self::LoginDeadline => "login_deadline",
            Self::FrameDeadline => "frame_deadline",
            Self::SlowReader => "slow_reader",
            Self::FrameTooLarge => "frame_too_large",
            Self::Malformed => "malformed",
            Self::HiddenApi => "hidden_api",
            Self::UnsupportedVersion => "unsupported_version",
            Self::LoginRefused => "login_refused",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Draining => "draining",
            Self::UpstreamClosed => "upstream_closed",
            Self::UpstreamProtocol => "upstream_protocol",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::Overload => "overload",
            Self::Cap => "cap",
            Self::Refused => "refused",
            Self::Handshake => "handshake",
            Self::Internal => "internal",
        }
    }
}

impl From<FrameError> for Cause {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Malformed(_) => Self::Malformed,
            FrameError::TooLarge { .. } => Self::FrameTooLarge,
        }
    }
}

impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Version(_) => Self::UnsupportedVersion,
            _ => Self::Malformed,
        }
    }
}
