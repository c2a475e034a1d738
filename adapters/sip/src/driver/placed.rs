//! Calls that we place: where a caller's leg would be stands the leg to somebody
//! who is rung back. It goes out through a trunk when an agent has the call.

use super::{Driver, agents::with_all, ways::ways};
use crate::{
    address::escape_user,
    legs::{Agent, Carrier, Leg, Legs, Session, Side},
    sdp::Codec,
};
use domain::{
    billing::rating::Outbound,
    call::{Command, Target},
    cause::EndReason,
    id::{CallId, LegId},
    sealed::{Party, Sealed},
};
use std::sync::atomic::Ordering;

/// Whom nobody is told of (RFC 3323, 4.1.1.3).
const ANONYMOUS: &str = "<sip:anonymous@anonymous.invalid>";

impl Driver {
    /// A call of ours begins.
    pub(super) async fn place(&self, call: CallId, id: LegId, party: Sealed<Party>) {
        let found = self.number_of(Target::Party(party.clone())).await;
        // Of whom nothing is known any more nobody can be dialled: that says so.
        let number = found.map_or_else(String::new, |(number, _)| number);
        let shown_as = match number.is_empty() {
            true => ANONYMOUS.to_owned(),
            false => format!("<sip:{}@{}>", escape_user(&number), self.stack.host()),
        };
        let hindrance = self.hindrance(&number);
        let asked = number.clone();
        metrics::counter!("ringledger_sip_calls_placed_total").increment(1);
        tracing::info!(%call, leg = %id, "call is placed");
        let carrier = Carrier {
            shown_as: Some(shown_as),
            ..Carrier::new(number, party)
        };
        let agent = Agent {
            carrier: Some(Box::new(carrier)),
            ..Agent::default()
        };
        let mut legs = self.legs();
        legs.insert_call(Leg {
            id,
            call,
            side: Side::Agent(agent),
            session: Session::new(self.parts.entropy.number()),
            ended_at: None,
            probed_at: None,
            away_since: None,
        });
        if let Some(entry) = legs.call_mut(call) {
            // It is in the record already.
            entry.early = None;
        }
        drop(legs);
        // Before an agent is rung for it. Who pays is asked beside, as the record has
        // to be read for that: the orders of other calls do not wait for it.
        match hindrance {
            Some(reason) => self.give_up(call, id, reason),
            None => {
                let driver = self.clone();
                tokio::spawn(async move {
                    if let Some(reason) = driver.unpaid(call, id, &asked).await {
                        driver.give_up(call, id, reason);
                    }
                });
            }
        }
    }

    /// It ends before the person is dialled: the promise is told, and tries again later.
    pub(super) fn give_up(&self, call: CallId, id: LegId, reason: EndReason) {
        tracing::info!(%call, leg = %id, ?reason, "call can not go out");
        let end = Command::EndCall {
            reason,
            ended_at: None,
            visit: None,
        };
        self.submit(call, end);
    }

    /// Why nobody pays for a call of ours to that number; none for one that is open to
    /// nobody, and for a call that came in.
    pub(super) async fn unpaid(&self, call: CallId, id: LegId, number: &str) -> Option<EndReason> {
        let is_placed = self
            .legs()
            .call(call)
            .is_some_and(|entry| entry.caller == id);
        if !is_placed || number.is_empty() {
            return None;
        }
        let ways = ways(&self.parts.directory.trunks(), number);
        let outbound = Outbound {
            trunk: ways.first().map(|way| way.trunk),
            ..Outbound::to(id, number)
        };
        let now = self.parts.clock.now();
        self.parts.gateway.refusal_of(call, outbound, now).await
    }

    /// Why a call to that number could not go out now: the promise is told, and tries
    /// again later. A number that could not be opened may be there in time.
    fn hindrance(&self, number: &str) -> Option<EndReason> {
        if !self.admission.is_open() {
            return Some(EndReason::Shutdown);
        }
        let trunks = self.parts.directory.trunks();
        let has_no_way = !number.is_empty() && ways(&trunks, number).is_empty();
        has_no_way.then_some(EndReason::NoTrunk)
    }

    /// A leg is over; with that to the person a call of ours is. Until the person is
    /// dialled it is only a place in the line, and takes nobody's room.
    pub(super) fn count_placed_out(&self, legs: &Legs, call: CallId, id: LegId) {
        let is_placed = legs.call(call).is_some_and(|entry| entry.caller == id);
        let was_dialled = legs.get(id).is_some_and(|leg| leg.session.local.is_some());
        if is_placed && was_dialled {
            self.calls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// As whom somebody is rung back, which is as the trunk's own account, and the
/// codecs to offer: that of the agent who waits first.
pub(super) fn agent_of(legs: &Legs, call: CallId) -> Option<(String, Vec<Codec>)> {
    let entry = legs.call(call)?;
    let agents = entry.legs.iter().filter(|id| **id != entry.caller);
    let mut agents = agents.filter_map(|id| legs.get(*id));
    let agent = agents.find(|leg| match &leg.side {
        Side::Agent(agent) => agent.winner.is_some() && leg.ended_at.is_none(),
        Side::Caller(_) => false,
    })?;
    let codecs = agent.session.codec.into_iter().collect();
    Some((ANONYMOUS.to_owned(), with_all(codecs)))
}
