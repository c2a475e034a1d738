//! An agent answers at the desk: the phone that rings is told to. That it has answered is
//! still only what the phone says itself.

use super::{
    decide::Decision,
    error::Error,
    event::Event,
    state::{AnswerOrder, Call, Phase},
};
use crate::{
    cause::WireCause,
    id::{LegId, OfferId},
};

/// Once for each offer: a phone that rings has heard it, or does no such thing.
pub(super) fn give(call: &Call, offer: OfferId, by: String) -> Decision {
    let offers = match &call.phase {
        Phase::Offering(offers) => offers,
        Phase::Unborn => return Err(Error::Unknown),
        Phase::Waiting
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => return Err(Error::StaleOffer),
        Phase::Ended(_) => return Err(Error::AlreadyEnded),
    };
    let live = offers.iter().find(|live| live.offer == offer);
    let live = live.ok_or(Error::StaleOffer)?;
    match live.answer_order {
        AnswerOrder::None if !live.alerting => Err(Error::NotRinging),
        AnswerOrder::None => Ok(vec![Event::AnswerOrdered {
            offer,
            session: live.session,
            leg: live.leg,
            by,
        }]),
        AnswerOrder::Given => Ok(vec![]),
        AnswerOrder::Refused => Err(Error::NoAnswerByOrder),
    }
}

/// What comes when the phone was picked up meanwhile, or the offer is over, is no news.
pub(super) fn refused(call: &Call, leg: LegId, wire: WireCause) -> Vec<Event> {
    let offer = call.offer_of(leg);
    let is_open = |offer: &&super::state::Offer| offer.answer_order == AnswerOrder::Given;
    match offer.filter(is_open) {
        Some(offer) => vec![Event::AnswerOrderRefused {
            offer: offer.offer,
            session: offer.session,
            leg,
            wire,
        }],
        None => vec![],
    }
}
