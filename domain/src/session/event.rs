//! What can have happened in a session. The stored schema: handle with care.

use super::choice::Choice;
use crate::{
    decider,
    id::{CallId, OfferId, QueueId, SessionId, VisitId},
    queue::Terms,
    sealed::{Note, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Why an agent takes no calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotReadyReason {
    /// Has just logged in.
    Login,
    /// Rest.
    Break,
    /// Food.
    Meal,
    /// Learning.
    Training,
    /// Meeting.
    Meeting,
    /// Paper work.
    AdminWork,
    /// Let the phone ring too often (redirection on no answer).
    Rona,
    /// Declined too many calls.
    Rejected,
    /// The phone was busy too often.
    Busy,
    /// The phone could not be reached too often, or is gone.
    Unreachable,
    /// Something of the agent's place does not work.
    SystemError,
    /// Set by a supervisor.
    Supervisor,
    /// Anything else.
    Other,
}

/// What the agent said more of it, in a word of the settings: the reason is the
/// category of the word. What the settings say of the word is kept with the fact, so
/// that a time that was paid stays paid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotReadyCode {
    /// The word.
    pub code: String,
    /// The time is paid.
    pub is_paid: bool,
    /// The time is work.
    pub is_productive: bool,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogoutReason {
    /// The agent did.
    Agent,
    /// A supervisor did.
    Supervisor,
    /// The last registered phone is gone.
    DeviceLost,
}

/// Why a reservation ended without a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The caller left first: not a missed call.
    CallerGone,
    /// The phone rang too long.
    NoAnswer,
    /// Declined.
    Rejected,
    /// The phone was busy.
    Busy,
    /// No phone responded.
    Unreachable,
    /// The visit went another way.
    Superseded,
    /// Another agent, whose phone rang beside, was faster: not a missed call.
    AnsweredElsewhere,
    /// The reservation's own time was over: something was lost on the way.
    TimedOut,
}

/// What the agent asked for while engaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextState {
    /// Take calls.
    Ready,
    /// Take none.
    NotReady(NotReadyReason),
    /// Leave.
    LoggedOut(LogoutReason),
}

/// How a wrap-up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUpEndedBy {
    /// Its time was over.
    Timer,
    /// The agent ended it.
    Agent,
    /// A supervisor ended it.
    Supervisor,
    /// The last registered phone was gone: nobody has ended it.
    Device,
}

/// What an agent of several voice units does first of all once something has begun or ended
/// beside it: an event that says so changes nothing of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// What.
    pub doing: Doing,
    /// Of which call.
    pub call: CallId,
    /// By which offer; none for work after a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// Of which queue; none for work after a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
}

/// What a voice unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// It is taken for an offer.
    Reserved,
    /// It is with a caller.
    OnContact,
    /// It works after a call.
    WrapUp,
}

pub(crate) const fn one() -> u8 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
pub(crate) const fn is_one(capacity: &u8) -> bool {
    *capacity == 1
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The session started.
    #[serde(rename = "agent_logged_in")]
    LoggedIn {
        /// Which session.
        session: SessionId,
    },
    /// The session ended.
    #[serde(rename = "agent_logged_out")]
    LoggedOut {
        /// Why.
        reason: LogoutReason,
    },
    /// Takes calls.
    #[serde(rename = "agent_became_ready")]
    BecameReady {},
    /// Takes no calls.
    #[serde(rename = "agent_became_not_ready")]
    BecameNotReady {
        /// Why.
        reason: NotReadyReason,
        /// In a word of the settings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<NotReadyCode>,
    },
    /// Asked for while engaged; applied afterwards.
    #[serde(rename = "next_state_requested")]
    NextStateRequested {
        /// What.
        next: NextState,
        /// Why not ready, in a word of the settings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<NotReadyCode>,
    },
    /// Taken for an offer.
    #[serde(rename = "agent_reserved")]
    Reserved {
        /// Fence.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Which stay.
        visit: VisitId,
        /// Of which queue.
        queue: QueueId,
        /// When it falls by itself.
        until: Timestamp,
        /// Wrap-up after the call.
        wrap_up_ms: u64,
        /// Why this agent for this call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<Box<Choice>>,
        /// What the queue asks of the agent.
        #[serde(default, skip_serializing_if = "Terms::is_standard")]
        terms: Terms,
        /// How many calls the agent may have at once.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        capacity: u8,
        /// What the agent does meanwhile, and first of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Still>,
    },
    /// Free again without a contact.
    #[serde(rename = "reservation_released")]
    ReservationReleased {
        /// Which.
        offer: OfferId,
        /// Why.
        reason: ReleaseReason,
        /// Not offered anything before this instant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
        /// What the agent does meanwhile, and first of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Still>,
    },
    /// With a caller.
    #[serde(rename = "agent_connected_to_contact")]
    ConnectedToContact {
        /// The accepted offer.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Which queue it came from.
        queue: QueueId,
    },
    /// The caller is gone.
    #[serde(rename = "agent_contact_ended")]
    ContactEnded {
        /// Which call.
        call: CallId,
        /// What the agent does meanwhile, and first of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Still>,
    },
    /// Work after the call.
    #[serde(rename = "wrap_up_started")]
    WrapUpStarted {
        /// After which call.
        call: CallId,
        /// When it ends by itself.
        until: Timestamp,
        /// It ends only with a code, not by itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        code_required: bool,
        /// What the agent does meanwhile, and first of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Still>,
    },
    /// That work is over.
    #[serde(rename = "wrap_up_ended")]
    WrapUpEnded {
        /// After which call.
        call: CallId,
        /// By what.
        by: WrapUpEndedBy,
        /// What came of the call, in a word of the settings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// What the agent notes of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Sealed<Note>>,
        /// What the agent does meanwhile, and first of all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still: Option<Still>,
    },
    /// That work takes longer.
    #[serde(rename = "wrap_up_extended")]
    WrapUpExtended {
        /// After which call.
        call: CallId,
        /// When it ends by itself now.
        until: Timestamp,
    },
    /// A supervisor has decided for the agent; what changes follows.
    #[serde(rename = "agent_state_forced")]
    Forced {
        /// What the agent is to be.
        next: NextState,
        /// Who decided.
        by: String,
        /// Why, in a word.
        why: String,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::LoggedIn { .. } => "agent_logged_in",
            Self::LoggedOut { .. } => "agent_logged_out",
            Self::BecameReady {} => "agent_became_ready",
            Self::BecameNotReady { .. } => "agent_became_not_ready",
            Self::NextStateRequested { .. } => "next_state_requested",
            Self::Reserved { .. } => "agent_reserved",
            Self::ReservationReleased { .. } => "reservation_released",
            Self::ConnectedToContact { .. } => "agent_connected_to_contact",
            Self::ContactEnded { .. } => "agent_contact_ended",
            Self::WrapUpStarted { .. } => "wrap_up_started",
            Self::WrapUpEnded { .. } => "wrap_up_ended",
            Self::WrapUpExtended { .. } => "wrap_up_extended",
            Self::Forced { .. } => "agent_state_forced",
        }
    }
}
