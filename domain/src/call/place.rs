//! What a caller who waits is told of the place in the line. What it sounds like is the
//! adapter's.

use super::{
    decide::Decision,
    error::Error,
    event::Event,
    state::{Call, Phase},
};
use crate::{id::VisitId, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A place to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellingPlace {
    /// The stay; refused when it is not the call's.
    pub visit: VisitId,
    /// The prompts, by their name in the settings.
    pub sounds: String,
    /// The place, from 1; or the last that is told by number.
    pub place: u32,
    /// The caller stands behind that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_behind: bool,
    /// The place of then: from that instant on another is told, and this one is no news.
    pub until: Timestamp,
}

/// Told while the caller hears music: nobody is spoken to for whom a phone rings, who may be
/// answered at any moment.
pub(super) fn tell(call: &Call, at: Timestamp, told: TellingPlace) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Offering(_) => Err(Error::AlreadyOffered),
        Phase::Connected(_) | Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox => {
            Err(Error::AlreadyConnected)
        }
        Phase::Waiting if at >= told.until => Err(Error::ToldTooLate),
        Phase::Waiting => waiting(call, told),
    }
}

fn waiting(call: &Call, told: TellingPlace) -> Decision {
    let TellingPlace {
        visit,
        sounds,
        place,
        is_behind,
        until: _,
    } = told;
    let stay = call.visit.filter(|(stay, _)| *stay == visit);
    let Some((visit, queue)) = stay else {
        return Err(Error::StaleVisit);
    };
    let hears = call.answered_at.is_some() && !call.is_placed;
    let leg = call.caller_leg.filter(|_| hears);
    let leg = leg.ok_or(Error::NoCaller)?;
    Ok(vec![Event::PlaceTold {
        leg,
        visit,
        queue,
        sounds,
        place,
        is_behind,
    }])
}
