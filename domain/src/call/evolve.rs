//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{AnswerOrder, Call, Connection, Offer, Outside, Phase},
    supervision,
    tag::tagged,
    transfer,
    voicemail::Pending,
    way::OverflowCause,
};
use crate::{
    id::{LegId, OfferId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use std::collections::BTreeSet;

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each event, and nothing else"
)]
pub(super) fn evolve(mut call: Call, at: Timestamp, event: &Event) -> Call {
    call.last_at = call.last_at.max(at);
    match event {
        Event::Received {
            leg,
            from,
            withheld,
            ..
        } => begin(&mut call, at, *leg, Some(from).filter(|_| !withheld)),
        Event::Placed { leg, party, .. } => {
            call.is_placed = true;
            begin(&mut call, at, *leg, Some(party));
        }
        Event::Routed { .. }
        | Event::ExitKeyPressed { .. }
        | Event::PlaceTold { .. }
        | Event::Forwarded { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::LateFact { .. } => {}
        Event::MediaMeasured { .. } => call.is_measured = true,
        Event::Enqueued {
            visit,
            queue,
            answer_mode,
            exit_keys,
            music,
            ..
        } => {
            call.exit_keys.clone_from(exit_keys);
            call.music.clone_from(music);
            call.visit = Some((*visit, *queue));
            call.queues.insert(*queue);
            call.answer_mode = Some(*answer_mode);
        }
        Event::Overflowed { cause, .. } => overflowed(&mut call, *cause),
        Event::Transferred { .. } => transfer::evolve(&mut call),
        Event::LegDialled { .. }
        | Event::TrunkSelected { .. }
        | Event::LegProgressed { .. }
        | Event::LegAnswered { .. } => on_outside(&mut call, at, event),
        Event::Answered {} => call.answered_at = Some(at),
        Event::OfferStarted {
            offer,
            visit,
            session,
            leg,
            ..
        } => offered(&mut call, Offer::new(*offer, *visit, *session, *leg)),
        Event::LegAlerting { leg, .. } => {
            if let Some(offer) = live(&mut call).find(|offer| offer.leg == *leg) {
                offer.alerting = true;
            }
        }
        Event::OfferEnded { offer, .. } => over(&mut call, *offer),
        Event::AnswerOrdered { offer, .. } => {
            answer_order(&mut call, *offer, AnswerOrder::Given);
        }
        Event::AnswerOrderRefused { offer, .. } => {
            answer_order(&mut call, *offer, AnswerOrder::Refused);
        }
        Event::AgentConnected {
            offer,
            session,
            leg,
            ..
        } => {
            call.phase = Phase::Connected(Connection {
                offer: *offer,
                session: *session,
                leg: *leg,
                holding: BTreeSet::new(),
                outside: None,
                supervisor: None,
            });
        }
        Event::Held { leg } => holding(&mut call, *leg, true),
        Event::Retrieved { leg } => holding(&mut call, *leg, false),
        Event::AnnouncementStarted { .. } => call.phase = Phase::Announcing,
        Event::VoicemailStarted {
            mailbox, message, ..
        } => {
            call.phase = Phase::InMailbox;
            call.voicemail = Some(Pending {
                mailbox: *mailbox,
                message: *message,
                is_told: false,
            });
        }
        Event::VoicemailEnded { .. } => {
            if let Some(pending) = &mut call.voicemail {
                pending.is_told = true;
            }
        }
        Event::Tagged { added, removed, .. } => tagged(&mut call, added, removed),
        Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::TakenOver { .. }
        | Event::SupervisionEnded { .. } => supervision::evolve(&mut call, event),
        Event::Ended { disposition, .. } => call.phase = Phase::Ended(*disposition),
    }
    call
}

fn begin(call: &mut Call, at: Timestamp, leg: LegId, party: Option<&Sealed<Party>>) {
    call.party = party.cloned();
    call.caller_leg = Some(leg);
    call.received_at = at;
    call.phase = Phase::Waiting;
}

/// The leg that goes out: dialled, on its way, ringing, answered.
fn on_outside(call: &mut Call, at: Timestamp, event: &Event) {
    if let Event::LegDialled { leg, .. } = event {
        dialled(call, *leg);
    }
    let is_answered = matches!(event, Event::LegAnswered { .. });
    if is_answered && call.is_placed {
        call.answered_at = Some(at);
    }
    let outside = match &mut call.phase {
        Phase::Forwarded(outside) => Some(outside),
        Phase::Connected(connection) => connection.outside.as_mut(),
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => None,
    };
    let Some(outside) = outside else { return };
    if let Event::TrunkSelected { trunk, .. } = event {
        outside.trunk = Some(*trunk);
        // It has said nothing yet.
        (outside.alerting, outside.early_media) = (false, false);
    }
    if let Event::LegProgressed { early_media, .. } = event {
        outside.alerting = true;
        outside.early_media |= *early_media;
    }
    if is_answered {
        outside.answered_at = Some(at);
    }
}

/// A call goes to somebody outside; or the agent, who is there, rings back.
fn dialled(call: &mut Call, leg: LegId) {
    let outside = Outside::dialled(leg);
    match &mut call.phase {
        Phase::Connected(connection) if call.is_placed => connection.outside = Some(outside),
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => call.phase = Phase::Forwarded(outside),
    }
}

fn offered(call: &mut Call, offer: Offer) {
    match &mut call.phase {
        Phase::Offering(offers) => offers.push(offer),
        Phase::Unborn
        | Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => call.phase = Phase::Offering(vec![offer]),
    }
}

fn live(call: &mut Call) -> impl Iterator<Item = &mut Offer> {
    let offers = match &mut call.phase {
        Phase::Offering(offers) => offers.as_mut_slice(),
        Phase::Unborn
        | Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => &mut [],
    };
    offers.iter_mut()
}

fn answer_order(call: &mut Call, offer: OfferId, order: AnswerOrder) {
    if let Some(live) = live(call).find(|live| live.offer == offer) {
        live.answer_order = order;
    }
}

/// Those who were slower end after the connection, which stays.
fn over(call: &mut Call, offer: OfferId) {
    if let Phase::Offering(offers) = &mut call.phase {
        offers.retain(|live| live.offer != offer);
        if offers.is_empty() {
            call.phase = Phase::Waiting;
        }
    }
}

fn holding(call: &mut Call, leg: LegId, holds: bool) {
    let legs = match &mut call.phase {
        Phase::Connected(connection) => &mut connection.holding,
        Phase::Forwarded(outside) => &mut outside.holding,
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => return,
    };
    match holds {
        true => legs.insert(leg),
        false => legs.remove(&leg),
    };
}

/// Where a person has sent a call, its queues may send it on as if it had come now: each
/// further round needs a person again.
fn overflowed(call: &mut Call, cause: OverflowCause) {
    call.visit = None;
    if cause == OverflowCause::Supervisor {
        call.queues.clear();
    }
}
