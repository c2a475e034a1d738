//! Agents and their phones: ready, on a break, logged out, unreachable, slow,
//! busy, twice.

use super::{MS, People, Plans};
use crate::action::{Action, Plan};
use domain::{
    any::AnyCommand,
    call,
    cause::{OfferOutcome, WireCause},
    device,
    id::{AgentId, CallId, LegId, SessionId},
    session::{self, LogoutReason, NotReadyReason},
    time::Timestamp,
};
use uuid::Uuid;

impl People {
    /// An agent's phone is called.
    pub(super) fn a_phone_is_called(
        &mut self,
        call: CallId,
        leg: LegId,
        agent: AgentId,
        plans: &mut Plans,
    ) {
        let Some(person) = self.agents.get_mut(&agent) else {
            return;
        };
        let chance = &mut person.chance;
        let mut plan = |ms, plan| plans.push((ms * MS, Action::Person(plan)));
        let says = |command| Plan::Phone(Box::new(AnyCommand::Call(call, command)));
        let rings_ms = chance.between(20, 400);
        let picks_up_ms = rings_ms + chance.exponential(self.terms.pick_up_ms);
        let fails = |outcome| {
            says(call::Command::RecordFailure {
                leg,
                outcome,
                wire: WireCause::default(),
            })
        };
        let ring = says(call::Command::RecordAlerting { leg });
        let outcome = if self.terms.faults {
            chance.below(100)
        } else {
            chance.below(80)
        };
        match outcome {
            0..66 => {
                plan(rings_ms, ring);
                plan(picks_up_ms, Plan::PickUp(call, leg, 1));
            }
            // No 180, and 200 twice.
            66..72 => plan(picks_up_ms, Plan::PickUp(call, leg, 2)),
            // Much too late, or just when the ring is over.
            72..78 => {
                plan(rings_ms, ring);
                plan(chance.between(3_000, 40_000), Plan::PickUp(call, leg, 1));
            }
            78..84 => plan(rings_ms, fails(OfferOutcome::Busy)),
            84..88 => {
                plan(rings_ms, ring);
                plan(picks_up_ms, fails(OfferOutcome::Rejected));
            }
            88..91 => plan(rings_ms, fails(OfferOutcome::Unreachable)),
            // Answers, and the phone is gone in the same moment.
            91..93 => {
                plan(picks_up_ms, Plan::PickUp(call, leg, 1));
                plan(
                    picks_up_ms,
                    says(call::Command::RecordSignallingLost { leg }),
                );
            }
            // Rings for ever.
            93..97 => plan(rings_ms, ring),
            // Nothing at all.
            _ => {}
        }
    }

    /// The phone was told to stop: it says 487, or had just picked up.
    pub(super) fn a_cancel_crosses(
        &mut self,
        call: CallId,
        leg: LegId,
        at: Timestamp,
        plans: &mut Plans,
    ) {
        if !self.terms.faults {
            return;
        }
        if self.wire.percent(30) {
            plans.push((0, Action::Person(Plan::PickUp(call, leg, 1))));
        } else {
            let fails = call::Command::RecordFailure {
                leg,
                outcome: OfferOutcome::Withdrawn,
                wire: WireCause::default(),
            };
            self.say(at, AnyCommand::Call(call, fails), plans);
        }
    }

    /// Now and then an agent wants something else.
    pub(super) fn an_agent_acts(&mut self, agent: AgentId, now: Timestamp, plans: &mut Plans) {
        if self.closing {
            return;
        }
        let Some(person) = self.agents.get_mut(&agent) else {
            return;
        };
        let next = person.chance.exponential(300_000) * MS;
        plans.push((next, Action::Person(Plan::Agent(agent))));
        let binding = Uuid::from_u128(u128::from(person.chance.below(2)) + 1);
        let (session, device) = match person.chance.below(20) {
            0..8 => (
                Some(session::Command::GoNotReady {
                    reason: NotReadyReason::Break,
                    code: None,
                }),
                None,
            ),
            8..11 => (
                Some(session::Command::LogOut {
                    reason: LogoutReason::Agent,
                }),
                None,
            ),
            11..14 => (Some(session::Command::GoReady), None),
            14 => (None, Some(device::Command::ExpireBinding { binding })),
            15 => (None, Some(device::Command::RecordDeregistered { binding })),
            _ => (
                None,
                Some(device::Command::RecordRegistered {
                    agent,
                    binding,
                    transport: "udp".into(),
                }),
            ),
        };
        let last = person.last;
        if let Some(command) = session.filter(|_| last.number > 0) {
            self.say(now, AnyCommand::Session(last, command), plans);
        }
        if let Some(command) = device {
            self.say(now, AnyCommand::Device(agent, command), plans);
        }
    }

    pub(super) fn back_to_work(&mut self, session: SessionId, now: Timestamp, plans: &mut Plans) {
        let is_the_last = self
            .agents
            .get(&session.agent)
            .is_some_and(|person| person.last == session && person.is_logged_in);
        if is_the_last && !self.closing {
            let ready = session::Command::GoReady;
            self.say(now, AnyCommand::Session(session, ready), plans);
        }
    }

    /// Ends the work after a call with a word for it: also when the day is over.
    pub(super) fn say_what_came_of_it(
        &mut self,
        session: SessionId,
        call: CallId,
        now: Timestamp,
        plans: &mut Plans,
    ) {
        let complete = session::Command::CompleteWrapUp {
            code: Some("sold".into()),
            note: None,
            call: Some(call),
        };
        self.say(now, AnyCommand::Session(session, complete), plans);
    }

    pub(super) fn log_in(&mut self, agent: AgentId, now: Timestamp, plans: &mut Plans) {
        let Some(person) = self.agents.get_mut(&agent) else {
            return;
        };
        if person.is_logged_in || self.closing {
            return;
        }
        let session = SessionId {
            agent,
            number: person.last.number + 1,
        };
        let ready = person.chance.percent(80);
        let command = session::Command::LogIn { session, ready };
        self.say(now, AnyCommand::Session(session, command), plans);
    }

    pub(super) fn hear_session(
        &mut self,
        id: SessionId,
        event: &session::Event,
        plans: &mut Plans,
    ) {
        let Some(person) = self.agents.get_mut(&id.agent) else {
            return;
        };
        let mut later = |ms, plan| plans.push((ms * MS, Action::Person(plan)));
        match event {
            session::Event::LoggedIn { .. } => {
                person.last = id;
                person.is_logged_in = true;
            }
            session::Event::LoggedOut { .. } => {
                person.is_logged_in = false;
                let away = person.chance.exponential(30_000);
                later(away, Plan::LogIn(id.agent));
            }
            session::Event::BecameNotReady { .. } => {
                let away = person.chance.exponential(20_000);
                later(away, Plan::Ready(id));
            }
            session::Event::WrapUpStarted {
                call,
                code_required: true,
                ..
            } => {
                let done = person.chance.exponential(8_000);
                later(done, Plan::Note(id, *call));
                // Some would rather not.
                if person.chance.percent(20) {
                    later(person.chance.below(8_000), Plan::Ready(id));
                }
            }
            // Some end their wrap-up themselves.
            session::Event::WrapUpStarted { .. } => {
                if person.chance.percent(30) {
                    let early = person.chance.below(10_000);
                    later(early, Plan::Ready(id));
                }
            }
            session::Event::BecameReady {}
            | session::Event::NextStateRequested { .. }
            | session::Event::Reserved { .. }
            | session::Event::ReservationReleased { .. }
            | session::Event::ConnectedToContact { .. }
            | session::Event::ContactEnded { .. }
            | session::Event::WrapUpEnded { .. }
            | session::Event::WrapUpExtended { .. }
            | session::Event::Forced { .. } => {}
        }
    }
}
