//! Whoever supervises a call, and takes it from its agent: at a phone that answers soon,
//! late, twice or never; and the agent hangs up in the same moment.

use super::{MS, People, Plans, numbered};
use crate::action::{Action, Plan};
use domain::{
    any::AnyCommand,
    call::{self, SupervisionMode},
    cause::{OfferOutcome, WireCause},
    id::{AgentId, CallId, LegId},
    time::Timestamp,
};

impl People {
    /// Somebody wants the call, or wants to hear it first: whoever it is, also its agent.
    pub(super) fn somebody_takes_over(&mut self, call: CallId, at: Timestamp, plans: &mut Plans) {
        if !self.terms.faults || !self.taking.percent(12) {
            return;
        }
        let mode = match self.taking.percent(60) {
            true => SupervisionMode::Takeover,
            false => SupervisionMode::Whisper,
        };
        self.ask_for(call, at, mode, plans);
        if self.taking.percent(30) {
            // Another order, by whoever that is.
            self.ask_for(call, at, SupervisionMode::Takeover, plans);
        }
    }

    fn ask_for(&mut self, call: CallId, at: Timestamp, mode: SupervisionMode, plans: &mut Plans) {
        let agents: Vec<AgentId> = self.agents.keys().copied().collect();
        if let Some(supervisor) = self.taking.one_of(&agents).copied() {
            self.order_for((call, at), supervisor, mode, plans);
        }
    }

    /// Each order names a leg of its own, for the case that a phone is to ring.
    fn order_for(
        &mut self,
        (call, at): (CallId, Timestamp),
        supervisor: AgentId,
        mode: SupervisionMode,
        plans: &mut Plans,
    ) {
        self.takings_count += 1;
        let asked = call::Command::SuperviseCall(call::Supervising {
            leg: LegId(numbered(12, self.takings_count)),
            supervisor,
            mode,
            by: "supervisor".into(),
        });
        self.order(at, AnyCommand::Call(call, asked), plans);
    }

    /// The supervisor's phone is called.
    pub(super) fn a_supervisors_phone_is_called(
        &mut self,
        call: CallId,
        leg: LegId,
        plans: &mut Plans,
    ) {
        let mut plan = |ms, plan| plans.push((ms * MS, Action::Person(plan)));
        let soon = self.taking.between(20, 15_000);
        let fails = |outcome| {
            let wire = WireCause::default();
            let command = call::Command::RecordFailure { leg, outcome, wire };
            Plan::Phone(Box::new(AnyCommand::Call(call, command)))
        };
        match self.taking.below(10) {
            0 => plan(soon, fails(OfferOutcome::Busy)),
            1 => plan(soon, fails(OfferOutcome::Unreachable)),
            // Rings for ever: the timer of the leg gives it up.
            2 => {}
            3 => plan(soon, Plan::PickUp(call, leg, 2)),
            // Just when nobody waits for it any more.
            4 => plan(
                self.taking.between(29_000, 31_000),
                Plan::PickUp(call, leg, 1),
            ),
            _ => plan(soon, Plan::PickUp(call, leg, 1)),
        }
    }

    /// Whoever hears the call wants to have it, some time.
    pub(super) fn a_supervisor_hears_it(
        &mut self,
        call: CallId,
        supervisor: AgentId,
        at: Timestamp,
        plans: &mut Plans,
    ) {
        if self.taking.percent(50) {
            self.order_for((call, at), supervisor, SupervisionMode::Takeover, plans);
        }
    }

    /// The agent's phone is told to go, and may have hung up by itself.
    pub(super) fn an_agent_is_relieved(
        &mut self,
        call: CallId,
        leg: LegId,
        at: Timestamp,
        plans: &mut Plans,
    ) {
        if self.taking.percent(40) {
            let wire = WireCause::default();
            let bye = call::Command::RecordBye { leg, wire };
            self.say(at, AnyCommand::Call(call, bye), plans);
        }
    }
}
