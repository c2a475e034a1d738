//! An agent who sends the caller into another queue, by the phone or at the desk: while they
//! talk, when one of them hangs up, or when somebody else has the call already.

use super::{MS, People, Plans, numbered};
use crate::{
    action::{Action, Plan},
    streams::Everything,
};
use domain::{
    any::AnyCommand,
    call::{self, AnswerMode, Phase, Transfer},
    cause::WireCause,
    id::{CallId, LegId, VisitId},
    time::Timestamp,
};

impl People {
    /// The agent who has just answered finds out that the caller belongs elsewhere.
    pub(super) fn an_agent_means_to_transfer(&mut self, call: CallId, plans: &mut Plans) {
        if !self.terms.faults || self.queues.len() < 2 || !self.transferring.percent(12) {
            return;
        }
        let most_ms = self.terms.talk_ms.saturating_add(1);
        let when = self.transferring.below(most_ms) * MS;
        plans.push((when, Action::Person(Plan::Transfer(call))));
    }

    /// Into any queue, also the one in which the call was answered, which is refused.
    pub(super) fn transfer(
        &mut self,
        call: CallId,
        now: Timestamp,
        all: &Everything,
        plans: &mut Plans,
    ) {
        let connection = match all.calls.get(call).map(|call| &call.phase) {
            Some(Phase::Connected(connection)) => connection.clone(),
            Some(
                Phase::Unborn
                | Phase::Waiting
                | Phase::Offering(_)
                | Phase::Forwarded(_)
                | Phase::Announcing
                | Phase::InMailbox
                | Phase::Ended(_),
            )
            | None => return,
        };
        let Some(queue) = self.transferring.one_of(&self.queues).copied() else {
            return;
        };
        self.transfers_count += 1;
        let is_phone = self.transferring.percent(50);
        let asked = Transfer {
            queue,
            config_version: 1,
            answer_mode: AnswerMode::Immediate,
            visit: VisitId(numbered(13, self.transfers_count)),
            exit_keys: self.exits.get(&queue).cloned().unwrap_or_default(),
            music: None,
            agent: Some(connection.session.agent),
            leg: is_phone.then_some(connection.leg),
            by: "agent".into(),
        };
        let command = AnyCommand::Call(call, call::Command::TransferCall(asked));
        self.order(now, command, plans);
        if self.transferring.percent(20) {
            // The phone hangs up by itself, at once.
            self.says_goodbye(call, connection.leg, now, plans);
        }
    }

    /// The agent's phone is told to go, and may have hung up by itself; the caller waits
    /// again, as long as he likes.
    pub(super) fn a_caller_is_sent_on(
        &mut self,
        call: CallId,
        leg: LegId,
        at: Timestamp,
        plans: &mut Plans,
    ) {
        if self.transferring.percent(40) {
            self.says_goodbye(call, leg, at, plans);
        }
        let patience_ms = self.terms.patience_ms;
        let Some(caller) = self.callers.get_mut(&call) else {
            return;
        };
        caller.is_talking = false;
        let patience = self.transferring.exponential(patience_ms).max(20) * MS;
        plans.push((patience, Action::Person(Plan::GiveUp(call))));
    }

    fn says_goodbye(&mut self, call: CallId, leg: LegId, at: Timestamp, plans: &mut Plans) {
        let wire = WireCause::default();
        let bye = call::Command::RecordBye { leg, wire };
        self.say(at, AnyCommand::Call(call, bye), plans);
    }
}
