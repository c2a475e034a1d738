//! An agent answers at the desk: the phones that ring are told to by the event `talk`. No
//! RFC has it; phones call it remote control of calls, and take it as a NOTIFY in the dialog
//! that rings, without a subscription: Polycom, Snom, Yealink, Grandstream and others.

use super::Driver;
use crate::{
    inbound::wire_cause_of_response,
    legs::{Side, early::Asked, fork::State},
    message::Method,
    stack::Outcome,
};
use domain::{
    call::Command,
    cause::WireCause,
    id::{CallId, LegId},
};

impl Driver {
    /// Asks every phone of the leg that rings and may know the event. The answer is the
    /// phone's 200 to its INVITE, as if a person had picked it up.
    pub(super) fn ask_to_answer(&self, call: CallId, id: LegId) {
        let mut legs = self.legs();
        let Some(leg) = legs.get_mut(id).filter(|leg| leg.ended_at.is_none()) else {
            return;
        };
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        if agent.winner.is_some() || agent.release.is_some() {
            // It was picked up, or stops ringing: what it says itself is on its way.
            return;
        }
        let mut asked_count = 0;
        let ringing = |state: State| state == State::Proceeding;
        for fork in agent.forks.iter_mut().filter(|fork| ringing(fork.state)) {
            for early in fork.early.iter_mut().filter(|early| early.may_talk) {
                // It may have registered anew, from elsewhere, since it rings.
                early.dialog.moved(fork.flow);
                let mut request = early.dialog.request(Method::Notify);
                let headers = &mut request.headers;
                headers.push("Contact", format!("<{}>", early.dialog.contact()));
                headers.push("Event", "talk");
                // RFC 6665, 4.1.2, wants it in every NOTIFY.
                headers.push("Subscription-State", "active");
                let (hop, driver) = (early.dialog.next_hop(), self.clone());
                let sent = self.stack.request(request, hop, move |outcome| {
                    driver.on_asked(call, id, &outcome);
                });
                asked_count += usize::from(sent.is_some());
            }
        }
        agent.asked = Some(Asked::of(asked_count));
        drop(legs);
        tracing::info!(%call, leg = %id, phones = asked_count, "agent's phones are to answer");
        if asked_count == 0 {
            self.refuses_to_answer(call, id, WireCause::default());
        }
    }

    /// What a phone says to that: with 2xx it will answer, with anything else it rings on.
    fn on_asked(&self, call: CallId, id: LegId, outcome: &Outcome) {
        let refusal = match outcome {
            Outcome::Response(response) if response.status < 200 => return,
            Outcome::Response(response) if response.status < 300 => None,
            Outcome::Response(response) => Some(wire_cause_of_response(response)),
            Outcome::NoResponse => Some(WireCause::default()),
        };
        let mut legs = self.legs();
        let Some(leg) = legs.get_mut(id) else { return };
        let Side::Agent(agent) = &mut leg.side else {
            return;
        };
        let last = agent.asked.as_mut().and_then(|asked| asked.heard(refusal));
        drop(legs);
        if let Some(wire) = last {
            self.refuses_to_answer(call, id, wire);
        }
    }

    fn refuses_to_answer(&self, call: CallId, leg: LegId, wire: WireCause) {
        self.record(call, Command::RecordAnswerOrderRefused { leg, wire });
    }
}
