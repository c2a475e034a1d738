//! Words of a call's record.

use async_graphql::Enum;

/// Which way a call goes.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::cdr::Direction")]
pub(crate) enum Direction {
    /// To us.
    Inbound,
    /// From us: somebody is rung back.
    Outbound,
}

/// Why a call was sent on (RFC 5806).
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::call::DiversionReason")]
pub(crate) enum DiversionReason {
    /// Whoever was called first was talking.
    UserBusy,
    /// Nobody answered there.
    NoAnswer,
    /// The phone there could not be reached.
    Unavailable,
    /// All calls are sent on.
    Unconditional,
    /// Calls at that time of the day are sent on.
    TimeOfDay,
    /// Whoever was called first is not to be disturbed.
    DoNotDisturb,
    /// Whoever was called first chose to while it rang.
    Deflection,
    /// Whoever was called first is to be found elsewhere.
    FollowMe,
    /// The phone there is out of service.
    OutOfService,
    /// Whoever was called first is away.
    Away,
    /// The network does not say, or in a word that is not one of these.
    Unknown,
}

/// What a leg is to its call.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::cdr::Role")]
pub(crate) enum LegRole {
    /// Whoever called.
    Originator,
    /// An agent's phone.
    Agent,
    /// A number outside that the call was sent on to.
    Forwarded,
    /// The phone of somebody who heard the call besides, or talked in it.
    Supervisor,
}

/// What went on in a stretch of time on a leg.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::cdr::SegmentKind")]
pub(crate) enum SegmentKind {
    /// Waiting in a queue, agents' ringing included.
    Queue,
    /// The phone rang.
    Alert,
    /// Caller and agent heard each other.
    Talk,
    /// One side held the other.
    Hold,
    /// The agent's work after the call.
    WrapUp,
    /// The caller heard an announcement.
    Announcement,
    /// The caller was in a mailbox.
    Voicemail,
    /// The supervisor heard the call.
    Listen,
    /// The supervisor heard the call, and the agent heard the supervisor.
    Whisper,
    /// The supervisor talked with both.
    Barge,
    /// Caller and supervisor heard each other, who had taken the call from the agent.
    Takeover,
}

/// Who hears whom while a call is supervised.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::call::SupervisionMode")]
pub(crate) enum SupervisionMode {
    /// The supervisor hears both sides, and nobody hears the supervisor.
    Listen,
    /// The agent hears the supervisor too; the caller does not.
    Whisper,
    /// All three hear each other.
    Barge,
    /// The supervisor has the call instead of the agent, once the phone has answered: caller
    /// and supervisor hear each other, and the agent's contact is over.
    Takeover,
}

/// Why a supervision is over.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::call::SupervisionEnd")]
pub(crate) enum SupervisionEnd {
    /// Somebody has stopped it.
    Stopped,
    /// The supervisor has hung up.
    HungUp,
    /// The supervisor's phone was not answered in time.
    NoAnswer,
    /// The supervisor's phone is busy.
    Busy,
    /// The supervisor's phone has declined.
    Rejected,
    /// No phone of the supervisor can be reached.
    Unreachable,
    /// Nothing was heard of the supervisor's phone for too long.
    MediaSilence,
    /// The supervisor's phone does not answer any more.
    SignallingLost,
    /// The call is over.
    CallEnded,
    /// The node of the call was lost, and the call with it.
    NodeLost,
    /// The agent has sent the caller into another queue.
    Transferred,
    /// The supervisor has taken the call from the agent: the leg goes on to its end.
    TakenOver,
}

/// How an offer came to nothing.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::cause::OfferOutcome")]
pub(crate) enum OfferOutcome {
    /// The phone rang too long.
    NoAnswer,
    /// Declined.
    Rejected,
    /// Busy.
    Busy,
    /// No phone responded.
    Unreachable,
    /// Taken back.
    Withdrawn,
    /// Another agent, whose phone rang beside, was faster.
    AnsweredElsewhere,
    /// The caller left while phones rang side by side.
    CallerGone,
}

/// What became of a leg that its own end does not tell: how an offer came to nothing, or that
/// the contact did not last as long as the call.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::cdr::LegOutcome")]
pub(crate) enum LegOutcome {
    /// The phone rang too long.
    NoAnswer,
    /// Declined.
    Rejected,
    /// Busy.
    Busy,
    /// No phone responded.
    Unreachable,
    /// Taken back.
    Withdrawn,
    /// Another agent, whose phone rang beside, was faster.
    AnsweredElsewhere,
    /// The caller left while phones rang side by side.
    CallerGone,
    /// The agent, who had answered, sent the caller into another queue.
    Transferred,
}

/// Why a stretch of time was over, where what follows does not tell it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::cdr::SegmentEnd")]
pub(crate) enum SegmentEnd {
    /// The agent sent the caller into another queue.
    Transferred,
}

/// What records of calls can be summed by.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::cdr::Dimension")]
pub(crate) enum CdrDimension {
    /// The day on which the call started, in the zone asked for.
    Day,
    /// The hour in which it started, in the zone asked for.
    Hour,
    /// The queue that it was routed to.
    Queue,
    /// The agent who was connected, the last if it was transferred.
    Agent,
    /// The trunk that let it in, or through which it was placed.
    Trunk,
    /// Which way it went.
    Direction,
    /// What became of it.
    Disposition,
    /// The first digits of what was dialled.
    Prefix,
}

/// What became of a call.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::cause::Disposition")]
pub(crate) enum Disposition {
    /// An agent was connected.
    Answered,
    /// Nobody answered in time.
    NoAnswer,
    /// No room: the queue was full; or the number outside was busy.
    Busy,
    /// Declined outside.
    Rejected,
    /// The caller gave up while a number outside was dialled.
    Cancelled,
    /// Somebody outside was connected.
    Forwarded,
    /// The caller left the queue before an agent was connected.
    Abandoned,
    /// Not allowed in.
    Blocked,
    /// Wrong address, no common codec, protocol.
    Failed,
    /// No resources.
    Congestion,
    /// Our fault.
    SystemError,
    /// The caller went home, to be rung back.
    CallbackRequested,
    /// The caller was in a mailbox, to leave a message.
    Voicemail,
}

/// Which side ended a call, as received.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::cause::By")]
pub(crate) enum HangupBy {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
    /// The other side of a leg that went out through a trunk.
    Outside,
    /// Ringledger by its own rules.
    System,
    /// A person through the API; or the supervisor who had taken the call over hung up.
    Supervisor,
}

/// Whose doing an end was.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::cause::EndResult")]
pub(crate) enum EndResult {
    /// Ended as it should.
    Success,
    /// The caller's side.
    Caller,
    /// Our own fault or limit.
    Ours,
    /// The other network or an agent's phone.
    Upstream,
    /// Not known.
    Indeterminate,
}

/// What ended a call.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::cause::EndReason")]
pub(crate) enum EndReason {
    /// One side hung up.
    Hangup,
    /// The caller gave up before any answer.
    Cancelled,
    /// No queue has that name or number.
    UnknownAddress,
    /// No trunk allows that network.
    NotAllowed,
    /// The SDP offers nothing that we speak.
    NoCommonCodec,
    /// No RTP port was left.
    NoMediaPort,
    /// There was no room for one more call, or for one more from that source.
    Overload,
    /// The queue was at its capacity.
    QueueFull,
    /// It came outside the queue's hours.
    QueueClosed,
    /// Nobody was there any more, and the queue lets nobody wait for that.
    NobodyThere,
    /// Waited as long as the queue allows.
    MaxWait,
    /// Its stay in the queue was older than any may become, however that came about.
    VisitExpired,
    /// The caller is rung back later, and went home.
    CallbackRequested,
    /// It was placed to ring somebody back, which was not wanted any more.
    CallbackWithdrawn,
    /// It was told what the queue has to say, and had nowhere else to go.
    Announced,
    /// It has left its message in a mailbox: a key, a silence or its length ended it.
    VoicemailTaken,
    /// No trunk serves the number, or none that does has room.
    NoTrunk,
    /// The number outside is busy.
    OutsideBusy,
    /// Nobody answered outside.
    OutsideNoAnswer,
    /// Whoever is outside, or its network, does not want the call.
    OutsideRejected,
    /// The trunks could not reach the number.
    OutsideUnreachable,
    /// No RTP came for too long.
    MediaSilence,
    /// The other side did not answer requests any more.
    SignallingLost,
    /// The node that held the call died.
    NodeLost,
    /// Whoever pays before had no credit left.
    NoCredit,
    /// Whoever pays before had no price for where the call led.
    NoPrice,
    /// Whoever pays was suspended.
    AccountSuspended,
    /// Ended through the API.
    Operator,
    /// The server shut down.
    Shutdown,
}
