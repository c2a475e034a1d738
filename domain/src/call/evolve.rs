//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Call, Connection, Offer, Outside, Phase},
};
use crate::{id::LegId, time::Timestamp};
use std::collections::BTreeSet;

pub(super) fn evolve(mut call: Call, at: Timestamp, event: &Event) -> Call {
    call.last_at = call.last_at.max(at);
    match event {
        Event::Received { leg, .. } => {
            call.caller_leg = Some(*leg);
            call.received_at = at;
            call.phase = Phase::Waiting;
        }
        Event::Routed { .. } | Event::Forwarded { .. } | Event::LateFact { .. } => {}
        Event::Enqueued {
            visit,
            queue,
            answer_mode,
            ..
        } => {
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
        } => {
            call.phase = Phase::Offering(Offer {
                offer: *offer,
                visit: *visit,
                session: *session,
                leg: *leg,
                alerting: false,
            });
        }
        Event::LegAlerting { .. } => {
            if let Phase::Offering(offer) = &mut call.phase {
                offer.alerting = true;
            }
        }
        Event::OfferEnded { .. } => call.phase = Phase::Waiting,
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
