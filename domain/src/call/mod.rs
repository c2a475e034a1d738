//! A call: one customer contact. Its stream decides every race between the
//! caller, the agents and the timers.

mod announcement;
mod answer_order;
mod command;
mod decide;
mod diversion;
mod end;
mod error;
mod event;
mod evolve;
mod key;
mod media;
mod outside;
mod place;
mod requeue;
mod state;
mod supervision;
mod tag;
mod takeover;
#[cfg(test)]
mod tests;
mod transfer;
mod voicemail;
mod way;
mod withdraw;

pub use announcement::ANNOUNCEMENT_MS_MAX;
pub use command::{Command, Destination, Placing, Requeue, Route, Withdraw};
pub use decide::OFFERS_MAX;
pub use diversion::{Diversion, DiversionReason};
pub use error::Error;
pub use event::Event;
pub use key::{InvalidKey, Key};
pub use media::{Codec, LegMedia};
pub use outside::RING_OUTSIDE_MS;
pub use place::TellingPlace;
pub use state::{AnswerOrder, Call, Connection, Offer, Outside, Phase};
pub use supervision::{
    RING_SUPERVISOR_MS, SUPERVISINGS_MAX, Supervising, Supervision, SupervisionEnd, SupervisionMode,
};
pub use tag::{TAGGINGS_MAX, TAGS_MAX, Tagging, UserField};
pub use transfer::{TRANSFERS_MAX, Transfer};
pub use voicemail::{Audio, Pending, VOICEMAIL_MS_MIN, Voicemail, VoicemailOutcome};
pub use way::{AnswerMode, OverflowCause, Target};

use crate::{decider::Decider, time::Timestamp};

impl Decider for Call {
    const CATEGORY: &'static str = "call";
    const STATE_VERSION: u32 = 13;
    type State = Self;
    type Command = Command;
    type Event = Event;
    type Error = Error;

    fn decide(state: &Self, at: Timestamp, command: Command) -> Result<Vec<Event>, Error> {
        decide::decide(state, at, command)
    }

    fn evolve(state: Self, at: Timestamp, event: &Event) -> Self {
        evolve::evolve(state, at, event)
    }
}
