//! Requests inside dialogs, from either side.

use super::Driver;
use crate::{
    inbound::{bye, info, invite, options},
    legs::{Leg, Legs, Side, caller, fork},
    message::{DialogId, Request, allow},
    sdp,
    stack::{Reply, ServerTransaction},
    transport::Flow,
};
use domain::{
    call::Command,
    id::{CallId, LegId},
};
use std::net::IpAddr;

/// Which part of a leg a dialog is.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Caller,
    Fork(usize),
}

impl Driver {
    /// One side hung up.
    pub(super) fn on_bye(&self, transaction: &ServerTransaction, request: &Request) {
        let mut legs = self.legs();
        let Some((id, place)) = find(&legs, request.dialog()) else {
            return transaction.respond(Reply::new(481));
        };
        if let Err(reply) = accept(&mut legs, id, place, request, transaction.flow()) {
            return transaction.respond(reply);
        }
        transaction.respond(Reply::new(200));
        let call = legs.get(id).map(|leg| leg.call);
        let reported = match place {
            Place::Caller => self
                .caller(&mut legs, id, caller::Input::Bye, None)
                .contains(&caller::Action::ReportBye),
            Place::Fork(index) => {
                let answered = is_answered(&legs, id, index);
                self.fork(&mut legs, id, index, fork::Input::Bye, None);
                answered
            }
        };
        drop(legs);
        if let (true, Some(call)) = (reported, call) {
            self.record(call, bye::translate(request, id));
        }
    }

    /// A session changes (RFC 3261, 14.2).
    pub(super) fn on_reinvite(
        &self,
        transaction: &ServerTransaction,
        request: &Request,
        dialog: &DialogId,
    ) {
        let mut legs = self.legs();
        let Some((id, place)) = find(&legs, Some(dialog.clone())) else {
            return transaction.respond(Reply::new(481));
        };
        if let Err(reply) = accept(&mut legs, id, place, request, transaction.flow()) {
            return transaction.respond(reply);
        }
        let Some(leg) = legs.get_mut(id) else { return };
        let (reply, report) = match self.change(leg, place, transaction, request) {
            Ok((description, report)) => {
                let contact = contact(leg, place).unwrap_or_default();
                let reply = Reply::new(200)
                    .with("Contact", format!("<{contact}>"))
                    .with("Allow", allow())
                    .with_sdp(description.into_bytes());
                (reply, report)
            }
            Err(reply) => (reply, None),
        };
        transaction.respond(reply);
        let call = leg.call;
        drop(legs);
        if let Some(command) = report {
            self.record(call, command);
        }
    }

    /// Changes a leg's session; the description for the 200 comes back.
    fn change(
        &self,
        leg: &mut Leg,
        place: Place,
        transaction: &ServerTransaction,
        request: &Request,
    ) -> Result<(String, Option<Command>), Reply> {
        if leg.ended_at.is_some() {
            return Err(Reply::new(481));
        }
        if !is_confirmed(leg, place) {
            // Its first INVITE has no final response yet (14.2).
            return Err(Reply::new(500).with("Retry-After", "1"));
        }
        let change = invite::translate_change(request)?;
        let Some(remote) = change.offer else {
            let offer = leg.session.offer().ok_or_else(|| Reply::new(488))?;
            return Ok((offer, None));
        };
        let report = self.agree(leg, place, remote, transaction.flow());
        let answer = leg.session.answer().ok_or_else(|| Reply::new(488))?;
        Ok((answer, report))
    }

    /// Takes the description in an ACK: we made the offer, in the 200 to an INVITE
    /// without one (RFC 3261, 13.2.1). What is to be recorded comes back.
    pub(super) fn take_answer(
        &self,
        legs: &mut Legs,
        ack: &Request,
        from: Flow,
    ) -> Option<(CallId, Command)> {
        let remote = sdp::parse(ack.sdp()?).ok()?;
        let (id, place) = find(legs, ack.dialog())?;
        let leg = legs.get_mut(id).filter(|leg| leg.ended_at.is_none())?;
        let report = self.agree(leg, place, remote, from)?;
        Some((leg.call, report))
    }

    /// Takes the other side's new description, in an offer or an answer; a hold that
    /// begins or ends with it comes back.
    fn agree(
        &self,
        leg: &mut Leg,
        place: Place,
        remote: sdp::Remote,
        from: Flow,
    ) -> Option<Command> {
        let holds = remote.audio.holds();
        let report = invite::hold_command(leg.id, leg.session.holding, holds);
        leg.session.holding = holds;
        leg.session.agree(remote);
        self.tell_media(leg, phone_of(leg, place, from));
        report
    }

    /// A key, from a phone that sends no telephone-events.
    pub(super) fn on_info(&self, transaction: &ServerTransaction, request: &Request) {
        let mut legs = self.legs();
        let Some((id, place)) = find(&legs, request.dialog()) else {
            return transaction.respond(Reply::new(481));
        };
        if let Err(reply) = accept(&mut legs, id, place, request, transaction.flow()) {
            return transaction.respond(reply);
        }
        let call = legs.get(id).map(|leg| leg.call);
        drop(legs);
        match info::translate(request, id) {
            Ok(command) => {
                transaction.respond(Reply::new(200));
                if let (Some(call), Some(command)) = (call, command) {
                    self.record(call, command);
                }
            }
            Err(reply) => transaction.respond(reply),
        }
    }

    /// Are you there, and what can you do?
    pub(super) fn on_options(&self, transaction: &ServerTransaction, request: &Request) {
        if let Some(dialog) = request.dialog() {
            let mut legs = self.legs();
            let Some((id, place)) = find(&legs, Some(dialog)) else {
                return transaction.respond(Reply::new(481));
            };
            if let Err(reply) = accept(&mut legs, id, place, request, transaction.flow()) {
                return transaction.respond(reply);
            }
        }
        transaction.respond(options::answer());
    }
}

/// The leg and the place of a dialog, by all three of its parts.
pub(super) fn find(legs: &Legs, dialog: Option<DialogId>) -> Option<(LegId, Place)> {
    let dialog = dialog?;
    let id = legs.of_dialog(&dialog)?;
    let place = match &legs.get(id)?.side {
        Side::Caller(caller) => (caller.dialog.id == dialog).then_some(Place::Caller),
        Side::Agent(agent) => agent
            .forks
            .iter()
            .position(|fork| fork.dialog.as_ref().is_some_and(|d| d.id == dialog))
            .map(Place::Fork),
    };
    Some((id, place?))
}

/// Whether a request in that dialog is for a leg that is here.
pub(super) fn is_known(legs: &Legs, dialog: &DialogId) -> bool {
    find(legs, Some(dialog.clone())).is_some()
}

/// Takes note of a request in its dialog; one that comes too late is refused.
pub(super) fn accept(
    legs: &mut Legs,
    id: LegId,
    place: Place,
    request: &Request,
    from: Flow,
) -> Result<(), Reply> {
    let leg = legs.get_mut(id).ok_or_else(|| Reply::new(481))?;
    leg.away_since = None;
    let dialog = match (&mut leg.side, place) {
        (Side::Caller(caller), _) => &mut caller.dialog,
        (Side::Agent(agent), Place::Fork(index)) => agent
            .forks
            .get_mut(index)
            .and_then(|fork| fork.dialog.as_mut())
            .ok_or_else(|| Reply::new(481))?,
        (Side::Agent(_), Place::Caller) => return Err(Reply::new(481)),
    };
    dialog.accept(request, from).map_err(|_| Reply::new(500))
}

fn is_answered(legs: &Legs, id: LegId, index: usize) -> bool {
    match legs.get(id).map(|leg| &leg.side) {
        Some(Side::Agent(agent)) => {
            agent.winner == Some(index) && agent.forks[index].state == fork::State::Answered
        }
        Some(Side::Caller(_)) | None => false,
    }
}

pub(super) fn is_confirmed(leg: &Leg, place: Place) -> bool {
    match (&leg.side, place) {
        (Side::Caller(caller), _) => match caller.state {
            caller::State::Answered | caller::State::Confirmed => true,
            caller::State::Early | caller::State::Leaving | caller::State::Ended => false,
        },
        (Side::Agent(agent), Place::Fork(index)) => agent
            .forks
            .get(index)
            .is_some_and(|fork| fork.state == fork::State::Answered),
        (Side::Agent(_), Place::Caller) => false,
    }
}

/// Where the phone is that a request came from: its address, also when another
/// node has passed the request on.
fn phone_of(leg: &Leg, place: Place, from: Flow) -> IpAddr {
    match (&leg.side, place) {
        (Side::Agent(agent), Place::Fork(index)) => agent
            .forks
            .get(index)
            .filter(|fork| fork.flow.peer.ip() != fork.phone)
            .map_or_else(|| from.peer.ip(), |fork| fork.phone),
        (Side::Agent(_) | Side::Caller(_), _) => from.peer.ip(),
    }
}

fn contact(leg: &Leg, place: Place) -> Option<String> {
    let dialog = match (&leg.side, place) {
        (Side::Caller(caller), _) => &caller.dialog,
        (Side::Agent(agent), Place::Fork(index)) => agent.forks.get(index)?.dialog.as_ref()?,
        (Side::Agent(_), Place::Caller) => return None,
    };
    Some(dialog.contact().to_owned())
}
