//! Processes: what follows from a fact. Each folds the events it cares about
//! into a state of its own and asks for commands; none touches another's
//! state, and every command it asks for may be refused.

use crate::{
    any::{AnyCommand, Fact},
    id::CommandId,
    time::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use uuid::Uuid;

pub mod callback;
pub mod credit;
mod deadlines;
pub mod dial;
pub mod dunning;
pub mod enqueue;
pub mod invoicing;
pub mod offer;
mod places;
pub mod rating;
pub mod recovery;
pub mod registration;
pub mod routing;
mod staff;
#[cfg(test)]
mod tests;
pub mod voicemail;
pub mod wrap_up;

/// What a process hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// Something was committed.
    Event(&'a Fact),
    /// A command of this process was refused.
    Refused {
        /// Its id.
        command_id: CommandId,
        /// The command.
        command: &'a AnyCommand,
        /// Code of the refusal.
        code: &'a str,
        /// Version of the target stream that the refusal was decided on: events
        /// up to it may not have been heard yet.
        version: u64,
        /// When the answer came.
        at: Timestamp,
    },
    /// The instant of [`Process::next_deadline`] has come.
    Deadline(Timestamp),
    /// Look for what should have happened and has not. Every command that
    /// comes of it is counted as a repair.
    Sweep(Timestamp),
}

/// A command that a process asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// What.
    pub command: AnyCommand,
    /// What caused it: an event, an offer, a refused command. The command's id
    /// is derived from this, so that asking again is the same command.
    pub cause: Uuid,
}

impl Intent {
    /// A command with its cause.
    pub const fn new(cause: Uuid, command: AnyCommand) -> Self {
        Self { command, cause }
    }
}

/// A pure state machine over the feed.
pub trait Process: Send + 'static {
    /// Its name in checkpoints, ids and metrics.
    const NAME: &'static str;
    /// Version of the state's form: another one makes it start from zero.
    const VERSION: u32;
    /// What it remembers.
    type State: Default + Clone + Debug + Serialize + DeserializeOwned + Send + Sync;

    /// Takes one input into the state and says what is to be asked for.
    fn step(state: &mut Self::State, input: &Input<'_>) -> Vec<Intent>;

    /// The next instant at which something is due by itself.
    fn next_deadline(state: &Self::State) -> Option<Timestamp>;

    /// What of the state is worth watching from outside: names of gauges and values. Told
    /// after each batch of events, so it costs nothing to find.
    fn gauges(_state: &Self::State) -> Vec<(&'static str, usize)> {
        vec![]
    }

    /// What waits by the reason for which it waits: the name of a gauge, and of each reason
    /// how many. Told every second at most, as finding it looks at all that waits.
    fn reasons(_state: &Self::State) -> Option<(&'static str, Vec<(&'static str, usize)>)> {
        None
    }
}

/// Id of a process' command: derived from its cause, the process, the target
/// and the command's name, never from a running number, which an upgrade would
/// reorder; with the time in its first bits, so that the index stays dense.
pub fn command_id(process: &str, intent: &Intent, at: Timestamp) -> CommandId {
    let (category, key) = intent.command.target();
    let label = format!("{process}/{category}-{key}/{}", intent.command.name());
    CommandId(crate::id::derive(
        crate::id::millis_of(intent.cause).unwrap_or_else(|| at.millis_unsigned()),
        intent.cause,
        &label,
    ))
}

/// Derives an id from another and a label; the other's time orders it, where it has one.
fn derived_from(cause: Uuid, label: &str) -> Uuid {
    crate::id::derive(
        crate::id::millis_of(cause).unwrap_or_default(),
        cause,
        label,
    )
}

/// Derives an id from a fact and a label; the fact's time orders it.
fn derived(fact_at: Timestamp, cause: Uuid, label: &str) -> Uuid {
    crate::id::derive(fact_at.millis_unsigned(), cause, label)
}
