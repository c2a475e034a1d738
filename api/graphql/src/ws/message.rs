//! The messages of the protocol.

use async_graphql::{Request, Response, ServerError};
use serde::{Deserialize, Serialize};

/// From the client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Incoming {
    /// First of all: the token.
    ConnectionInit {
        #[serde(default)]
        payload: Option<Init>,
    },
    /// Are you there?
    Ping {},
    /// I am.
    Pong {},
    /// Run this.
    Subscribe { id: String, payload: Box<Request> },
    /// Enough of that.
    Complete { id: String },
}

/// What comes with `connection_init`.
#[derive(Deserialize, Default)]
pub(super) struct Init {
    /// `Bearer ..`, as in the header of that name.
    #[serde(default, alias = "Authorization")]
    pub(super) authorization: Option<String>,
}

/// To the client.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'a> {
    ConnectionAck,
    Pong,
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// A message is not understood.
    BadRequest,
    /// Something was asked before `connection_init`.
    Unauthorized,
    /// The token is missing, unknown or revoked.
    Forbidden,
    /// `connection_init` did not come in time.
    InitTimeout,
    /// The id is in use.
    DuplicateId,
    /// More than one `connection_init`.
    SecondInit,
    /// The store can not be asked who that is.
    TryAgain,
}

impl Close {
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::InitTimeout => 4408,
            Self::DuplicateId => 4409,
            Self::SecondInit => 4429,
            Self::TryAgain => 1013,
        }
    }

    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::BadRequest => "Invalid message",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::InitTimeout => "Connection initialisation timeout",
            Self::DuplicateId => "Subscriber for that id already exists",
            Self::SecondInit => "Too many initialisation requests",
            Self::TryAgain => "Try again later",
        }
    }
}
