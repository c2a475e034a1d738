//! What may be asked of a session.

use super::choice::Choice;
use super::event::{
    LogoutReason, NextState, NotReadyCode, NotReadyReason, ReleaseReason, is_one, one,
};
use crate::{
    id::{CallId, OfferId, QueueId, SessionId, VisitId},
    queue::Terms,
    sealed::{Note, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Start the session.
    LogIn {
        /// Which session this is.
        session: SessionId,
        /// Take calls at once.
        ready: bool,
    },
    /// End it; after the last contact, when there is one.
    LogOut {
        /// Why.
        reason: LogoutReason,
    },
    /// Take calls; after the last contact, when there is one. Ends every wrap-up.
    GoReady,
    /// Take no calls; after the last contact, when there is one.
    GoNotReady {
        /// Why.
        reason: NotReadyReason,
        /// In a word of the settings, whose category the reason is.
        #[serde(default)]
        code: Option<NotReadyCode>,
    },
    /// The agent has had no phone for too long: whoever takes calls, and has asked for
    /// nothing else, takes none for now.
    RecordPhoneLost,
    /// The agent has a phone again: what [`Command::RecordPhoneLost`] did is undone, if
    /// nothing else was decided since. Work after a call goes on.
    RecordPhoneBack,
    /// Take the agent for one offer, beside the calls that it has if its capacity allows it.
    Reserve {
        /// Fence.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Which stay.
        visit: VisitId,
        /// Of which queue.
        queue: QueueId,
        /// When the reservation falls by itself.
        until: Timestamp,
        /// How long the wrap-up after the call lasts; 0 for none.
        wrap_up_ms: u64,
        /// Why this agent for this call.
        #[serde(default)]
        choice: Option<Box<Choice>>,
        /// What the queue asks of the agent.
        #[serde(default)]
        terms: Terms,
        /// How many calls the agent may have at once.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        capacity: u8,
    },
    /// Give the agent back without a contact.
    ReleaseReservation {
        /// Which.
        offer: OfferId,
        /// Why.
        reason: ReleaseReason,
    },
    /// The offer was accepted: the reservation becomes a contact.
    ConfirmConnect {
        /// Which.
        offer: OfferId,
    },
    /// The contact is over.
    EndContact {
        /// Of which call.
        call: CallId,
        /// Which accepted offer.
        offer: OfferId,
    },
    /// The time of the wrap-up is over.
    EndWrapUp {
        /// After which call.
        call: CallId,
        /// Fence: when it was to end.
        until: Timestamp,
    },
    /// The agent is done with the work after the call.
    CompleteWrapUp {
        /// What came of the call.
        code: Option<String>,
        /// What the agent notes of it.
        #[serde(default)]
        note: Option<CallNote>,
        /// After which call; the one whose work began first if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
    },
    /// The work after the call takes longer.
    ExtendWrapUp {
        /// By so much.
        by_ms: u64,
        /// After which call; the one whose work began first if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
    },
    /// A supervisor decides for the agent; after the last contact, when there is one.
    Force {
        /// What the agent is to be.
        next: NextState,
        /// Who decides.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
}

/// A note and the call that it is about: it is sealed for whoever called there, so it
/// must come to no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNote {
    /// Which call.
    pub call: CallId,
    /// The note.
    pub text: Sealed<Note>,
}
