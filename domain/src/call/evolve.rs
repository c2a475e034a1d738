//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Call, Connection, Offer, Outside, Phase},
};
use crate::{
    id::{LegId, OfferId},
    time::Timestamp,
};
use std::collections::BTreeSet;

pub(super) fn evolve(mut call: Call, at: Timestamp, event: &Event) -> Call {
    call.last_at = call.last_at.max(at);
    match event {
        Event::Received { leg, .. } => {
            call.caller_leg = Some(*leg);
            call.received_at = at;
            call.phase = Phase::Waiting;
        }
        Event::Routed { .. }
        | Event::ExitKeyPressed { .. }
        | Event::Forwarded { .. }
        | Event::LateFact { .. } => {}
        Event::Enqueued {
            visit,
            queue,
            answer_mode,
            exit_keys,
            ..
        } => {
            call.exit_keys.clone_from(exit_keys);
            call.visit = Some((*visit, *queue));
            call.queues.insert(*queue);
            call.answer_mode = Some(*answer_mode);
        }
        Event::Overflowed { .. } => call.visit = None,
        Event::LegDialled { leg, .. } => call.phase = Phase::Forwarded(Outside::dialled(*leg)),
        Event::TrunkSelected { trunk, .. } => outside(&mut call, |leg| leg.trunk = Some(*trunk)),
        Event::LegProgressed { early_media, .. } => outside(&mut call, |leg| {
            leg.alerting = true;
            leg.early_media |= *early_media;
        }),
        Event::LegAnswered { .. } => outside(&mut call, |leg| leg.answered_at = Some(at)),
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
            });
        }
        Event::Held { leg } => holding(&mut call, |legs| {
            legs.insert(*leg);
        }),
        Event::Retrieved { leg } => holding(&mut call, |legs| {
            legs.remove(leg);
        }),
        Event::Ended { disposition, .. } => call.phase = Phase::Ended(*disposition),
    }
    call
}

fn offered(call: &mut Call, offer: Offer) {
    match &mut call.phase {
        Phase::Offering(offers) => offers.push(offer),
        Phase::Unborn
        | Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
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
        | Phase::Ended(_) => &mut [],
    };
    offers.iter_mut()
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

fn holding(call: &mut Call, change: impl FnOnce(&mut BTreeSet<LegId>)) {
    match &mut call.phase {
        Phase::Connected(connection) => change(&mut connection.holding),
        Phase::Forwarded(outside) => change(&mut outside.holding),
        Phase::Unborn | Phase::Waiting | Phase::Offering(_) | Phase::Ended(_) => {}
    }
}

fn outside(call: &mut Call, change: impl FnOnce(&mut Outside)) {
    if let Phase::Forwarded(outside) = &mut call.phase {
        change(outside);
    }
}
