//! Agents who answer at the desk: the phone that rings is told to, and does so, does no such
//! thing, or is picked up in the same moment.

use super::{MS, People, Plans};
use crate::action::{Action, Plan};
use domain::{
    any::AnyCommand,
    call,
    cause::WireCause,
    id::{CallId, LegId, OfferId},
    time::Timestamp,
};

impl People {
    /// A phone rings: now and then its agent sits at the desk.
    pub(super) fn an_agent_answers_at_the_desk(
        &mut self,
        call: CallId,
        offer: OfferId,
        now: Timestamp,
        plans: &mut Plans,
    ) {
        if !self.terms.faults || !self.answering.percent(6) {
            return;
        }
        let by = "agent".to_owned();
        let order = call::Command::OrderAnswer { offer, by };
        self.order(now, AnyCommand::Call(call, order), plans);
    }

    /// What the phone makes of it.
    pub(super) fn a_phone_is_told_to_answer(
        &mut self,
        call: CallId,
        leg: LegId,
        plans: &mut Plans,
    ) {
        let wire = WireCause {
            sip_status: Some(489),
            ..WireCause::default()
        };
        let refuses = call::Command::RecordAnswerOrderRefused { leg, wire };
        let plan = match self.answering.percent(70) {
            true => Plan::PickUp(call, leg, 1),
            false => Plan::Phone(Box::new(AnyCommand::Call(call, refuses))),
        };
        let when = self.answering.between(5, 300) * MS;
        plans.push((when, Action::Person(plan)));
    }
}
