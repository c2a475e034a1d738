//! A login, and what an agent serves from an instant on.

use crate::value::{Columns, Corrupt, number, text, time, time_or_null, word};
use commands::ports::Value;
use domain::{
    id::{AgentId, QueueId, SessionId},
    time::Timestamp,
};
use std::fmt;

/// What finds a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A login.
    Login(SessionId),
    /// The configuration of an agent with that number.
    Serves(AgentId, u64),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(session) => session.fmt(f),
            Self::Serves(agent, version) => write!(f, "{agent}@{version}"),
        }
    }
}

/// A row of one of the two tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A login.
    Login(Login),
    /// What an agent serves.
    Serves(Serves),
}

/// From login to logout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Which.
    pub session: SessionId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none while it lasts.
    pub until: Option<Timestamp>,
}

/// From that instant on the agent serves these queues and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serves {
    /// Who.
    pub agent: AgentId,
    /// Number of the configuration that says so.
    pub version: u64,
    /// Position of the event that says so.
    pub position: u64,
    /// Since when.
    pub since: Timestamp,
    /// Which.
    pub queues: Vec<QueueId>,
}

/// The columns, in the order of [`Login::values`].
pub(crate) const LOGIN_COLUMNS: &[&str] = &[
    "entry", "position", "agent_id", "number", "since_at", "until_at",
];

/// The columns, in the order of [`Serves::values`].
pub(crate) const SERVES_COLUMNS: &[&str] = &[
    "entry", "position", "agent_id", "number", "since_at", "queues",
];

impl Entry {
    pub(super) const fn key(&self) -> Key {
        match self {
            Self::Login(login) => Key::Login(login.session),
            Self::Serves(serves) => Key::Serves(serves.agent, serves.version),
        }
    }
}

impl Login {
    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            text(Key::Login(self.session)),
            number(self.position),
            text(self.session.agent),
            number(self.session.number),
            time(self.since),
            time_or_null(self.until),
        ]
    }

    pub(super) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        columns.skip(1)?;
        let position = columns.number()?;
        Ok(Self {
            session: SessionId {
                agent: columns.id()?,
                number: columns.number()?,
            },
            position,
            since: columns.time()?,
            until: columns.time_or_null()?,
        })
    }
}

impl Serves {
    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            text(Key::Serves(self.agent, self.version)),
            number(self.position),
            text(self.agent),
            number(self.version),
            time(self.since),
            word(&self.queues),
        ]
    }

    pub(super) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        columns.skip(1)?;
        let position = columns.number()?;
        Ok(Self {
            agent: columns.id()?,
            version: columns.number()?,
            position,
            since: columns.time()?,
            queues: columns.word()?,
        })
    }
}
