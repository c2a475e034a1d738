//! Why a call may say no.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A call id is used once.
    #[error("call was already received")]
    AlreadyReceived,
    /// No such call.
    #[error("call is not known")]
    Unknown,
    /// Nothing happens after the end.
    #[error("call has already ended")]
    AlreadyEnded,
    /// One offer at a time.
    #[error("call is already being offered")]
    AlreadyOffered,
    /// A place in the line is no news when the next one is due.
    #[error("the next place is due already")]
    ToldTooLate,
    /// It is with an agent.
    #[error("call is already connected")]
    AlreadyConnected,
    /// Answered once.
    #[error("call is already answered")]
    AlreadyAnswered,
    /// The fence does not match: the offer is over or was never made.
    #[error("offer is not the live one")]
    StaleOffer,
    /// There is no phone yet that could be told to answer.
    #[error("offer does not ring yet")]
    NotRinging,
    /// It was told, and does no such thing; a person can pick it up.
    #[error("phone of the offer does not answer by an order")]
    NoAnswerByOrder,
    /// It has been in that queue before: it would go round for ever.
    #[error("call has already been in the queue that it is to go to")]
    OverflowLoop,
    /// The leg is answered, over, or none of this call that goes out.
    #[error("leg is not being dialled")]
    StaleLeg,
    /// Nobody can be rung back who shows no number.
    #[error("caller shows no number to be rung back at")]
    NoNumber,
    /// We placed the call: nobody is there to be told anything.
    #[error("nobody is there who could hear an announcement")]
    NoCaller,
    /// The stay is another one.
    #[error("call is not in that queue visit")]
    StaleVisit,
    /// It is there already.
    #[error("call waits in that queue already")]
    SameQueue,
    /// Whoever is rung back was promised so by a queue, whose agents do.
    #[error("call is placed for a callback, which stays in its queue")]
    Placed,
    /// Why it is sent on stays on the record for ever: it is a word.
    #[error("reason: is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidReason,
    /// Tags are found again by being written the same.
    #[error("add: a tag is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidTag,
    /// Nobody can mean both.
    #[error("remove: a tag is to be added too")]
    ContraryTags,
    /// They are words to find calls by, not a text.
    #[error("add: a call has 16 tags at most")]
    TooManyTags,
    /// Each time is an event.
    #[error("call was tagged 100 times")]
    TaggedTooOften,
    /// There is nobody to be heard, or nobody but the caller.
    #[error("call is not one in which an agent and a caller talk")]
    NotConnected,
    /// An agent hears the own call anyway.
    #[error("supervisor is the agent of the call")]
    OwnCall,
    /// One at a time.
    #[error("call is supervised by somebody else")]
    AlreadySupervised,
    /// It is the supervisor's call now, and nobody supervises that one.
    #[error("call was taken over by a supervisor")]
    TakenOver,
    /// An agent sends on only the own calls, while talking in them.
    #[error("call is not one in which that agent talks")]
    OthersCall,
    /// Whoever has been served there is sent elsewhere.
    #[error("call was answered in that queue")]
    AnsweredThere,
    /// Each time is a contact more.
    #[error("call was transferred 50 times")]
    TransferredTooOften,
    /// There is nothing to stop.
    #[error("call is not supervised")]
    NotSupervised,
    /// Each time is an event.
    #[error("call was supervised, or in another mode, 100 times")]
    SupervisedTooOften,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyReceived => "call.already_received",
            Self::Unknown => "call.unknown",
            Self::AlreadyEnded => "call.already_ended",
            Self::AlreadyOffered => "call.already_offered",
            Self::ToldTooLate => "call.told_too_late",
            Self::AlreadyConnected => "call.already_connected",
            Self::AlreadyAnswered => "call.already_answered",
            Self::StaleOffer => "call.stale_offer",
            Self::NotRinging => "call.not_ringing",
            Self::NoAnswerByOrder => "call.no_answer_by_order",
            Self::OverflowLoop => "call.overflow_loop",
            Self::StaleLeg => "call.stale_leg",
            Self::NoNumber => "call.no_number",
            Self::NoCaller => "call.no_caller",
            Self::StaleVisit => "call.stale_visit",
            Self::SameQueue => "call.same_queue",
            Self::Placed => "call.placed",
            Self::InvalidReason => "call.invalid_reason",
            Self::InvalidTag => "call.invalid_tag",
            Self::ContraryTags => "call.contrary_tags",
            Self::TooManyTags => "call.too_many_tags",
            Self::TaggedTooOften => "call.tagged_too_often",
            Self::NotConnected => "call.not_connected",
            Self::OwnCall => "call.own_call",
            Self::AlreadySupervised => "call.already_supervised",
            Self::TakenOver => "call.taken_over",
            Self::OthersCall => "call.others_call",
            Self::AnsweredThere => "call.answered_there",
            Self::TransferredTooOften => "call.transferred_too_often",
            Self::NotSupervised => "call.not_supervised",
            Self::SupervisedTooOften => "call.supervised_too_often",
        }
    }
}
