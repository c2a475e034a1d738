//! Which calls are in progress: what a new run of a node must end, or later
//! restore, when the old run died.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent},
    call,
    cause::EndReason,
    id::CallId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Knows the calls in progress.
#[derive(Debug)]
pub struct Recovery;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Received and not ended.
    pub live: BTreeSet<CallId>,
}

impl State {
    /// The commands that end every call in progress of a node that died.
    /// `last_seen` is its last heartbeat: the end is not later than that
    /// unless the call's own events are. `epoch` is the dead run, the cause.
    pub fn end_all(&self, epoch: Uuid, last_seen: Option<Timestamp>) -> Vec<Intent> {
        let command = call::Command::EndCall {
            reason: EndReason::NodeLost,
            ended_at: last_seen,
        };
        self.live
            .iter()
            .map(|call| Intent::new(epoch, AnyCommand::Call(*call, command.clone())))
            .collect()
    }
}

impl Process for Recovery {
    const NAME: &'static str = "recovery";
    const VERSION: u32 = 1;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        if let Input::Event(fact) = input
            && let AnyEvent::Call(call, event) = &fact.event
        {
            match event {
                call::Event::Received { .. } => {
                    state.live.insert(*call);
                }
                call::Event::Ended { .. } => {
                    state.live.remove(call);
                }
                call::Event::Routed { .. }
                | call::Event::Enqueued { .. }
                | call::Event::Answered {}
                | call::Event::OfferStarted { .. }
                | call::Event::LegAlerting { .. }
                | call::Event::OfferEnded { .. }
                | call::Event::AgentConnected { .. }
                | call::Event::Held { .. }
                | call::Event::Retrieved { .. }
                | call::Event::LateFact { .. } => {}
            }
        }
        vec![]
    }

    fn next_deadline(_state: &State) -> Option<Timestamp> {
        None
    }
}
