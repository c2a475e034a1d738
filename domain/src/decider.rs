//! The three pure functions of an aggregate: decide, evolve, and (in
//! [`crate::process`]) react.

use crate::time::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Debug;

/// Rewrites a stored event of an older version, which happened at that instant,
/// into the current form. The error says what the old form lacks.
pub type Upcast = fn(Timestamp, Value) -> Result<Value, String>;

/// A fact of one aggregate. What it is called in the log is a literal, never
/// derived from a Rust name, and frozen by a golden file.
pub trait Event: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// The wire name, for example `call_received`.
    fn event_type(&self) -> &'static str;
    /// The version of the payload's schema, from 1.
    fn event_version(&self) -> u32 {
        1
    }
    /// How an older version of an event is read; `None` for the current one.
    fn upcast(event_type: &str, version: u32) -> Option<Upcast> {
        let _ = (event_type, version);
        None
    }
}

/// A refusal: the command was understood and the rules say no.
pub trait Refusal: std::error::Error + Clone + PartialEq + Send + Sync + 'static {
    /// Stable code, for example `agent.not_ready`; documented under `docs/errors`.
    fn code(&self) -> &'static str;
}

/// An aggregate as functions. `decide` may refuse and is the only place with
/// rules; `evolve` never refuses, never panics and has no rules.
pub trait Decider: 'static {
    /// Category of its streams, for example `call` in `call-{id}`.
    const CATEGORY: &'static str;
    /// Counts the changes of [`Self::State`]'s stored form and of what `evolve`
    /// makes of old events: a snapshot of another version is not read.
    const STATE_VERSION: u32 = 1;
    /// What has been folded from the stream; `Default` is "nothing yet".
    type State: Default + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// What may be asked of it.
    type Command: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// What can have happened to it.
    type Event: Event;
    /// Why it may say no.
    type Error: Refusal;

    /// The events that the command causes at `at`; none when it changes nothing.
    ///
    /// # Errors
    /// The refusal, when the rules do not allow the command in this state.
    fn decide(
        state: &Self::State,
        at: Timestamp,
        command: Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Error>;

    /// The state after the event, which happened at `at`.
    fn evolve(state: Self::State, at: Timestamp, event: &Self::Event) -> Self::State;
}
