//! Whether the phones of a call of which no sound is due are still there, and where.
//!
//! No RTP tells it on hold, or of a phone that only listens, so each is asked by
//! OPTIONS. A phone that says nothing for 64*T1 is lost, and its call ends. One whose
//! connection is gone can not be asked: it may be on its way back, so that it counts as
//! silent from then on, unless it registers over another connection or sends a request
//! in the dialog.

use super::Driver;
use crate::{
    bindings::Phone,
    dialog::Dialog,
    legs::{Agent, Fork, Leg, Side},
    message::Method,
    stack::Outcome,
    transport::Flow,
};
use domain::{
    call::Command,
    id::{AgentId, CallId, LegId},
};
use std::time::Instant;

/// The flow to the phone is gone, says the node that had it (RFC 5626, 11.5).
const FLOW_FAILED: u16 = 430;

/// What a probe has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Somebody is there.
    There,
    /// There is no way to ask at the moment.
    Away,
    /// Nobody knows the call there.
    Lost,
    /// Nothing was heard.
    Silent,
}

impl Found {
    /// `at_once` when the outcome came too soon to be a silence.
    const fn of(outcome: &Outcome, at_once: bool) -> Self {
        match outcome {
            Outcome::NoResponse if at_once => Self::Away,
            Outcome::NoResponse => Self::Silent,
            Outcome::Response(response) => match response.status {
                // 408 and 481 end the dialog (RFC 5057, 5.1); any other says that
                // somebody is there.
                408 | 481 => Self::Lost,
                FLOW_FAILED => Self::Away,
                _ => Self::There,
            },
        }
    }
}

impl Driver {
    /// Asks a phone whether it still knows the call. True when it was away for too
    /// long to be asked again.
    pub(super) fn probe(&self, leg: &mut Leg, now: Instant) -> bool {
        let Some(hop) = leg.dialog_mut().map(|dialog| dialog.next_hop()) else {
            return false;
        };
        let is_open = match self.stack.is_open(hop) {
            true => true,
            false if self.follow(leg, hop) => {
                leg.away_since = None;
                true
            }
            false => {
                leg.away_since.get_or_insert(now);
                false
            }
        };
        let patience = self.options.t1x64();
        let away = leg.away_since.map(|at| now.saturating_duration_since(at));
        if away.is_some_and(|away| away >= patience) {
            return true;
        }
        let (id, call) = (leg.id, leg.call);
        if let Some(dialog) = leg.dialog_mut().filter(|_| is_open) {
            let request = dialog.request(Method::Options);
            let hop = dialog.next_hop();
            let driver = self.clone();
            self.stack.request(request, hop, move |outcome| {
                let at_once = now.elapsed() < patience / 2;
                driver.probed(call, id, hop, Found::of(&outcome, at_once));
            });
        }
        false
    }

    fn probed(&self, call: CallId, id: LegId, asked: Flow, found: Found) {
        let is_lost = {
            let mut legs = self.legs();
            let Some(leg) = legs.get_mut(id) else { return };
            match found {
                Found::There => leg.away_since = None,
                Found::Away => {
                    leg.away_since.get_or_insert_with(Instant::now);
                }
                Found::Lost | Found::Silent => {}
            }
            match found {
                Found::There | Found::Away => false,
                Found::Lost => true,
                // It has moved in the meantime: the next probe goes there.
                Found::Silent => !self.has_moved(leg, asked),
            }
        };
        if is_lost {
            self.record(call, Command::RecordSignallingLost { leg: id });
        }
    }

    fn has_moved(&self, leg: &mut Leg, from: Flow) -> bool {
        let hop = leg.dialog_mut().map(|dialog| dialog.next_hop());
        hop.is_some_and(|hop| hop != from) || self.follow(leg, from)
    }

    /// Follows the phones of an agent that have registered anew from elsewhere, over
    /// another connection or behind a NAT that has forgotten them, into their dialogs, and
    /// where they ring still: nothing may have told us that the old way is gone.
    pub(super) fn follow_registered(&self, who: AgentId, before: &[Phone]) {
        let now_ms = self.parts.clock.now().millis_unsigned();
        let now = self.phones.of(who, now_ms);
        let moved = now.iter().filter_map(|phone| {
            let old = before.iter().find(|old| old.uri == phone.uri)?;
            (old.flow != phone.flow).then_some((old.flow, phone.flow))
        });
        let moved: Vec<(Flow, Flow)> = moved.collect();
        // The old one may have been forgotten when its connection was closed.
        let is_there = |phone: &Phone| {
            let mut known = before.iter();
            known.any(|old| old.uri == phone.uri && old.flow == phone.flow)
        };
        if now.iter().all(is_there) {
            return;
        }
        for leg in self.legs().live_mut() {
            let Side::Agent(agent) = &mut leg.side else {
                continue;
            };
            if agent.who != Some(who) {
                continue;
            }
            for fork in &mut agent.forks {
                let gone = fork.dialog.as_ref().map_or(fork.flow, Dialog::seen);
                match moved.iter().find(|(old, _)| *old == gone) {
                    Some((_, flow)) => move_to(fork, *flow),
                    None if fork.dialog.is_none() && !self.stack.is_open(gone) => {
                        self.follow_phone(who, fork, gone);
                    }
                    None => {}
                }
            }
        }
    }

    /// Follows the phone of an agent that is not at that flow any more to where it has
    /// registered since. False if it has not.
    fn follow(&self, leg: &mut Leg, gone: Flow) -> bool {
        match &mut leg.side {
            Side::Agent(Agent {
                who: Some(who),
                winner: Some(winner),
                forks,
                ..
            }) => forks
                .get_mut(*winner)
                .is_some_and(|fork| self.follow_phone(*who, fork, gone)),
            Side::Agent(_) | Side::Caller(_) => false,
        }
    }

    /// The same for one phone of the agent: it is the one of the same contact, or, as a
    /// contact may name the port of its connection, the only one at its address.
    pub(super) fn follow_phone(&self, who: AgentId, fork: &mut Fork, gone: Flow) -> bool {
        let now_ms = self.parts.clock.now().millis_unsigned();
        let mut there = self.phones.of(who, now_ms);
        there.retain(|phone| {
            phone.through.is_none() && phone.flow != gone && self.stack.is_open(phone.flow)
        });
        let contact = fork.invite.as_ref().map(|invite| &invite.request().uri);
        let same = there.iter().find(|phone| Some(&phone.uri) == contact);
        // A guess, so only when the old connection is closed for certain.
        let is_closed = !self.stack.is_open(gone);
        let mut near = there
            .iter()
            .filter(|phone| is_closed && phone.flow.peer.ip() == fork.phone);
        let only = match (near.next(), near.next()) {
            (Some(only), None) => Some(only),
            (None | Some(_), _) => None,
        };
        let Some(phone) = same.or(only) else {
            return false;
        };
        tracing::info!(transport = %phone.flow.transport, "phone is followed to its new connection");
        move_to(fork, phone.flow);
        let hop = fork.dialog.as_ref().map_or(fork.flow, Dialog::next_hop);
        hop != gone
    }
}

/// The phone is reached there from now on: in its dialog, or, while there is none, where
/// the one is that its answer will make.
const fn move_to(fork: &mut Fork, flow: Flow) {
    match &mut fork.dialog {
        Some(dialog) => dialog.moved(flow),
        None => {
            fork.flow = flow;
            fork.phone = flow.peer.ip();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Headers, Response};

    #[test]
    fn only_silence_and_a_phone_that_does_not_know_the_call_are_a_loss() {
        for (status, found) in [
            (200, Found::There),
            (401, Found::There),
            (408, Found::Lost),
            (481, Found::Lost),
            (486, Found::There),
            (430, Found::Away),
            (501, Found::There),
        ] {
            let response = Response {
                status,
                headers: Headers::default(),
                body: vec![],
            };
            let outcome = Outcome::Response(response);
            assert_eq!(Found::of(&outcome, false), found, "{status}");
        }
        assert_eq!(Found::of(&Outcome::NoResponse, false), Found::Silent);
        assert_eq!(Found::of(&Outcome::NoResponse, true), Found::Away);
    }
}
