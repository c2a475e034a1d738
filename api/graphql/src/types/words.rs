//! The closed lists of words. Each mirrors a list of the domain, and the
//! compiler sees that none is missing.

mod billing;
mod queue;
mod record;
mod report;

pub(crate) use billing::{
    AccountStatus, ChargeState, CycleKind, InvoiceStanding, PaymentMethod, PaymentMode,
    RoundingKind, TaxKind, UsageKind,
};
pub(crate) use queue::{Away, Weekday};
pub(crate) use record::{
    CdrDimension, Direction, Disposition, DiversionReason, EndReason, EndResult, HangupBy,
    LegOutcome, LegRole, OfferOutcome, SegmentEnd, SegmentKind, SupervisionEnd, SupervisionMode,
};
pub(crate) use report::{Granularity, LoggedState, ReleaseReason, VisitResult};

use async_graphql::Enum;

/// Where a call is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallState {
    /// Its INVITE came; not yet in a queue.
    Received,
    /// In a queue, with no offer.
    Waiting,
    /// In a queue, one agent's phone is to ring or rings.
    Offering,
    /// Caller and agent talk.
    Connected,
    /// Caller and agent are connected and one holds the other.
    Held,
    /// A number outside is being dialled.
    Dialling,
    /// Caller and somebody outside talk.
    Outside,
    /// The caller hears an announcement, the last thing before the end.
    Announcing,
    /// The caller is in a mailbox, the last thing before the end.
    Voicemail,
    /// Over.
    Ended,
}

/// Where a call in progress is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::live_calls::State")]
pub(crate) enum ActiveCallState {
    /// Its INVITE came; not yet in a queue.
    Received,
    /// In a queue, with no offer.
    Waiting,
    /// In a queue, one agent's phone is to ring or rings.
    Offering,
    /// Caller and agent talk.
    Connected,
    /// Caller and agent are connected and one holds the other.
    Held,
    /// A number outside is being dialled.
    Dialling,
    /// Caller and somebody outside talk.
    Outside,
    /// The caller hears an announcement, the last thing before the end.
    Announcing,
    /// The caller is in a mailbox, the last thing before the end.
    Voicemail,
}

impl From<projections::live_calls::State> for CallState {
    fn from(state: projections::live_calls::State) -> Self {
        use projections::live_calls::State;
        match state {
            State::Received => Self::Received,
            State::Waiting => Self::Waiting,
            State::Offering => Self::Offering,
            State::Connected => Self::Connected,
            State::Held => Self::Held,
            State::Dialling => Self::Dialling,
            State::Outside => Self::Outside,
            State::Announcing => Self::Announcing,
            State::Voicemail => Self::Voicemail,
        }
    }
}

/// On what ground a person is forgotten (GDPR, article 17(1)).
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::person::Reason")]
pub(crate) enum ErasureReason {
    /// The data is not needed any more, or its time is over.
    Retention,
    /// The person took a consent back.
    ConsentWithdrawn,
    /// The person objected.
    Objection,
    /// The data should never have been there.
    Unlawful,
    /// A law or an authority demands it.
    LegalObligation,
}

/// What is left of a person's data.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubjectState {
    /// It is kept.
    Kept,
    /// It is to be forgotten: keys are destroyed, read models let go.
    Erasing,
    /// It is forgotten: keys, rows and the bytes of the files.
    Erased,
}

/// What has become of a message.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::voicemails::Status")]
pub(crate) enum VoicemailStatus {
    /// Nobody has heard it.
    New,
    /// Heard.
    Read,
    /// Heard, and to be kept.
    Saved,
    /// Taken away.
    Deleted,
}

/// What came of a caller in a mailbox.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::call::VoicemailOutcome")]
pub(crate) enum VoicemailOutcome {
    /// A message was left.
    Left,
    /// Too little was said to be a message.
    TooShort,
    /// What was said could not be kept.
    Lost,
}

/// Where a callback is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::callbacks::State")]
pub(crate) enum CallbackState {
    /// Waits for its time.
    Pending,
    /// A call is under way.
    Trying,
    /// The person was reached.
    Connected,
    /// The person was rung as often as was promised, in vain.
    Exhausted,
    /// It can not be tried, and only a person can change that: its last attempt says why.
    GivenUp,
    /// Its time was over.
    Expired,
    /// It was not wanted any more.
    Cancelled,
}

/// Both coordinates of an agent in one word.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::agent_states::State")]
pub(crate) enum AgentState {
    /// No session.
    LoggedOut,
    /// Takes no calls.
    NotReady,
    /// Free for a call.
    Ready,
    /// Taken for an offer.
    Reserved,
    /// The phone rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// Work after a call.
    WrapUp,
}

/// Whether an agent wants calls.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::agent_states::Routability")]
pub(crate) enum Routability {
    /// No session.
    LoggedOut,
    /// Yes.
    Ready,
    /// No.
    NotReady,
}

/// What an agent's voice unit is doing.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::agent_states::Activity")]
pub(crate) enum Activity {
    /// Nothing.
    Idle,
    /// Taken for an offer; the phone does not ring yet.
    Reserved,
    /// The phone rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// Work after a call.
    WrapUp,
}

/// Why an agent takes no calls.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::session::NotReadyReason")]
pub(crate) enum NotReadyReason {
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

/// What a supervisor can decide for an agent.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForcedState {
    /// Takes calls.
    Ready,
    /// Takes none.
    NotReady,
    /// Is logged out.
    LoggedOut,
}

impl From<ForcedState> for domain::session::NextState {
    fn from(state: ForcedState) -> Self {
        use domain::session::{LogoutReason as Out, NotReadyReason as Reason};
        match state {
            ForcedState::Ready => Self::Ready,
            ForcedState::NotReady => Self::NotReady(Reason::Supervisor),
            ForcedState::LoggedOut => Self::LoggedOut(Out::Supervisor),
        }
    }
}

/// The reasons for taking no calls that can be asked for; the others are given
/// by the system.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotReadyWish {
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
    /// Something of the agent's place does not work.
    SystemError,
    /// Set by a supervisor.
    Supervisor,
    /// Anything else.
    Other,
}

impl From<NotReadyWish> for domain::session::NotReadyReason {
    fn from(wish: NotReadyWish) -> Self {
        match wish {
            NotReadyWish::Break => Self::Break,
            NotReadyWish::Meal => Self::Meal,
            NotReadyWish::Training => Self::Training,
            NotReadyWish::Meeting => Self::Meeting,
            NotReadyWish::AdminWork => Self::AdminWork,
            NotReadyWish::SystemError => Self::SystemError,
            NotReadyWish::Supervisor => Self::Supervisor,
            NotReadyWish::Other => Self::Other,
        }
    }
}

/// What is planned for an agent: work, or one of the reasons for taking no calls that can
/// be asked for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::schedule::Activity")]
pub(crate) enum ScheduledActivity {
    /// Calls, and what belongs to them.
    Work,
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
    /// Something of the agent's place is not there, as is known before.
    SystemError,
    /// Set by a supervisor.
    Supervisor,
    /// Anything else.
    Other,
}

/// Why a session ends.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::session::LogoutReason")]
pub(crate) enum LogoutReason {
    /// The agent asked for it.
    Agent,
    /// A supervisor did.
    Supervisor,
    /// The last registered phone is gone.
    DeviceLost,
}

/// Which agent is offered a call first.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::queue::Strategy")]
pub(crate) enum Strategy {
    /// The one that has been idle longest.
    LongestIdle,
    /// The one with the fewest calls since logging in.
    FewestCalls,
    /// The one that has talked least since logging in.
    LeastTalkTime,
    /// In turn: the one that was rung for this queue longest ago.
    RoundRobin,
    /// From the top: the one that has served the queue longest.
    Linear,
    /// Anyone, each with the same chance.
    Random,
    /// Anyone, each with a chance by the agent's weight in the queue.
    WeightedRandom,
    /// Round and round in the order of joining, on from whoever was rung last.
    OrderedRoundRobin,
    /// The one whose levels of the skills that the queue asks for are highest.
    BestSkill,
    /// Everybody who is free at once; the first who answers gets the call.
    RingAll,
    /// The longest idle first; the others join in, one after the other.
    RingProgressively,
}

/// Why a call leaves a queue unserved.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::call::OverflowCause")]
pub(crate) enum OverflowCause {
    /// The queue is at its capacity.
    Full,
    /// The call has waited as long as the queue allows.
    MaxWait,
    /// Nobody who serves the queue is logged in: when a call comes, and when the
    /// last agent goes.
    Unstaffed,
    /// It would have waited longer than the queue lets anybody wait who comes.
    ExpectedWait,
    /// It was offered as often as the queue allows, in vain.
    Attempts,
    /// It came outside the queue's hours.
    Closed,
    /// The caller pressed a key that leads out of the queue.
    ExitKey,
    /// A person has sent it into another queue. It is no case of `overflow`.
    Supervisor,
}

/// What put the chosen agent before the next.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::session::DecidedBy")]
pub(crate) enum DecidedBy {
    /// There was no other.
    Alone,
    /// Everybody is asked at once.
    All,
    /// This one served the caller last.
    LastAgent,
    /// A person wanted this one to have the call.
    Assigned,
    /// This one had no call, or fewer than the next.
    Idle,
    /// Tier, penalty, or preferred skills.
    Class,
    /// The queue's strategy.
    Strategy,
    /// Idle longer, all else being equal.
    IdleSince,
    /// The lower id, all else being equal.
    Id,
}

/// Why an agent of the queue was not chosen.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::session::LeftOutReason")]
pub(crate) enum LeftOutReason {
    /// Logged out.
    LoggedOut,
    /// Not ready.
    NotReady,
    /// Reserved, with a caller, or in wrap-up.
    Engaged,
    /// Paused in the queue by a person.
    MemberPaused,
    /// Left alone for a while after an offer in vain.
    Paused,
    /// Already asked, for this call or another; the answer was on its way.
    Asked,
    /// Was offered this call before; others come first.
    Tried,
    /// A required skill is missing or its level too low.
    Skill,
    /// The tier is not open yet.
    Tier,
    /// Whoever served the caller last comes first for a while.
    NotLastAgent,
    /// A person wanted another to have the call, for a while.
    NotAssigned,
    /// Stands behind the chosen one.
    Behind,
}

/// As whom outbound calls of a trunk are shown.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::trunk::Identity")]
pub(crate) enum TrunkIdentity {
    /// As the trunk's own number or account.
    Account,
    /// As the caller.
    Caller,
}

/// When a caller in a queue is answered.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::call::AnswerMode")]
pub(crate) enum AnswerMode {
    /// At once, with music.
    Immediate,
    /// Only when an agent answers.
    OnAgent,
}

/// Why a call was not let into a queue.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::line::RejectReason")]
pub(crate) enum RejectReason {
    /// No room.
    Full,
    /// Outside the queue's hours, or closed by hand.
    Closed,
    /// Nobody was there, and the queue lets nobody wait for that.
    Empty,
}

/// How the share of calls answered in time is counted. AT: answered within the
/// threshold; A: answered; AB: abandoned; FO: left another way; SA: abandoned
/// within 5 s; ABT: abandoned within the threshold.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::queue_stats::ServiceLevel", name = "SlVariant")]
pub(crate) enum ServiceLevel {
    /// AT / A.
    Answered,
    /// AT / (A + AB + FO).
    Offered,
    /// AT / (A + AB).
    AbandonCounted,
    /// AT / (A + AB - SA).
    ShortExcluded,
    /// AT / (A + AB - ABT).
    #[graphql(name = "ABANDON_IN_T_EXCLUDED")]
    AbandonInThresholdExcluded,
    /// (AT + ABT) / (A + AB).
    AbandonAsSuccess,
}
