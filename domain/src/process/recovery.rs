//! Which calls are in progress, and which run of a node has each: what must be
//! ended when that run is over.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent},
    call,
    cause::EndReason,
    id::CallId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Knows the calls in progress.
#[derive(Debug)]
pub struct Recovery;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Received and not ended, with the run number of the node that received
    /// it: that one has its dialogs.
    pub live: BTreeMap<CallId, u64>,
}

impl State {
    /// The runs that have calls in progress.
    pub fn runs(&self) -> BTreeSet<u64> {
        self.live.values().copied().collect()
    }

    /// The commands that end every call in progress of a run that is over.
    /// `last_seen` is its last heartbeat: the end is not later than that
    /// unless the call's own events are. The run is the cause, so that two who
    /// end the same calls ask for the same commands.
    pub fn end_all_of(&self, node_epoch: u64, last_seen: Option<Timestamp>) -> Vec<Intent> {
        let command = call::Command::EndCall {
            reason: EndReason::NodeLost,
            ended_at: last_seen,
            visit: None,
        };
        let cause = Uuid::from_u64_pair(0, node_epoch);
        self.live
            .iter()
            .filter(|(_, run)| **run == node_epoch)
            .map(|(call, _)| Intent::new(cause, AnyCommand::Call(*call, command.clone())))
            .collect()
    }
}

impl Process for Recovery {
    const NAME: &'static str = "recovery";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        if let Input::Event(fact) = input
            && let AnyEvent::Call(call, event) = &fact.event
        {
            match event {
                call::Event::Received { .. } | call::Event::Placed { .. } => {
                    state.live.insert(*call, fact.node_epoch);
                }
                call::Event::Ended { .. } => {
                    state.live.remove(call);
                }
                call::Event::Routed { .. }
                | call::Event::Enqueued { .. }
                | call::Event::ExitKeyPressed { .. }
                | call::Event::PlaceTold { .. }
                | call::Event::Overflowed { .. }
                | call::Event::AnnouncementStarted { .. }
                | call::Event::VoicemailStarted { .. }
                | call::Event::VoicemailEnded { .. }
                | call::Event::Forwarded { .. }
                | call::Event::LegDialled { .. }
                | call::Event::TrunkSelected { .. }
                | call::Event::LegProgressed { .. }
                | call::Event::LegAnswered { .. }
                | call::Event::Answered {}
                | call::Event::OfferStarted { .. }
                | call::Event::LegAlerting { .. }
                | call::Event::OfferEnded { .. }
                | call::Event::AgentConnected { .. }
                | call::Event::Held { .. }
                | call::Event::Retrieved { .. }
                | call::Event::AnswerOrdered { .. }
                | call::Event::AnswerOrderRefused { .. }
                | call::Event::Withdrawn { .. }
                | call::Event::CallbackRequested { .. }
                | call::Event::Diverted { .. }
                | call::Event::MediaMeasured { .. }
                | call::Event::SupervisionRequested { .. }
                | call::Event::SupervisionStarted { .. }
                | call::Event::SupervisionModeChanged { .. }
                | call::Event::TakenOver { .. }
                | call::Event::Transferred { .. }
                | call::Event::SupervisionEnded { .. }
                | call::Event::Tagged { .. }
                | call::Event::LateFact { .. } => {}
            }
        }
        vec![]
    }

    fn next_deadline(_state: &State) -> Option<Timestamp> {
        None
    }
}
