//! Why a WebSocket ends, and what its far end is told (RFC 6455, 7.4.1).

use tokio_tungstenite::tungstenite::{
    Error, error::ProtocolError, protocol::frame::coding::CloseCode,
};

/// Why a WebSocket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its far end has closed it, or the connection is broken.
    Gone,
    /// Its far end answers no pings, or does not read what it is sent.
    Silent,
    /// It said nothing for too long.
    Idle,
    /// Nobody needed it by the end of its trial.
    Unneeded,
    /// The server stops, or needs the place.
    Stopped,
    /// A message beyond the limit.
    TooLarge,
    /// Frames against RFC 6455.
    Broken,
    /// Text that is no UTF-8.
    NotText,
    /// Something else than SIP.
    NotSip,
}

impl End {
    /// After that error of reading.
    pub(super) const fn of(error: &Error) -> Self {
        if matches!(error, Error::Capacity(_)) {
            Self::TooLarge
        } else if matches!(error, Error::Utf8(_)) {
            Self::NotText
        } else if matches!(
            error,
            // Browsers that are closed say nothing.
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        ) {
            Self::Gone
        } else if matches!(error, Error::Protocol(_)) {
            Self::Broken
        } else {
            Self::Gone
        }
    }

    /// What the far end is told; none when there is nobody to hear it.
    pub(super) const fn code(self) -> Option<CloseCode> {
        match self {
            Self::Gone | Self::Silent => None,
            Self::Idle | Self::Unneeded => Some(CloseCode::Policy),
            Self::Stopped => Some(CloseCode::Away),
            Self::TooLarge => Some(CloseCode::Size),
            Self::Broken => Some(CloseCode::Protocol),
            Self::NotText => Some(CloseCode::Invalid),
            Self::NotSip => Some(CloseCode::Unsupported),
        }
    }

    /// Label for metrics, and the reason in words.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::Idle => "idle",
            Self::Unneeded => "unneeded",
            Self::Stopped => "stopped",
            Self::TooLarge => "too_large",
            Self::Broken => "broken",
            Self::NotText => "not_text",
            Self::NotSip => "not_sip",
        }
    }
}
