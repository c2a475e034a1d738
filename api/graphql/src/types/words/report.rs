//! Words of reports.

use async_graphql::Enum;

/// How long an interval of a report is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::report::Granularity")]
pub(crate) enum Granularity {
    /// 15 minutes.
    QuarterHour,
    /// 30 minutes.
    HalfHour,
    /// 60 minutes.
    Hour,
    /// A day of the time zone: 23 or 25 hours where the clocks are changed.
    Day,
}

/// How a stay in a queue ended.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::line::VisitResult")]
pub(crate) enum VisitResult {
    /// An agent was connected.
    Answered,
    /// The caller hung up before that.
    Abandoned,
    /// Waited as long as the queue allows.
    Timeout,
    /// Older than any stay may become.
    Expired,
    /// Sent on to another queue or a number outside.
    Overflow,
    /// Left by a key that the caller pressed.
    ExitKey,
    /// Sent into another queue by a person.
    Requeued,
    /// The caller is rung back and keeps the place.
    Callback,
    /// Sent into a mailbox, to leave a message.
    Voicemail,
    /// Taken out by a person.
    Withdrawn,
    /// Ended by the system.
    System,
}

/// What an agent was doing.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "projections::agent_log::State")]
pub(crate) enum LoggedState {
    /// Took calls and had none.
    Ready,
    /// Took no calls.
    NotReady,
    /// Taken for an offer; the phone did not ring yet.
    Reserved,
    /// The phone rang.
    Ringing,
    /// With a caller.
    OnContact,
    /// Work after a call.
    WrapUp,
    /// Not logged in.
    LoggedOut,
}

/// Why an offer to an agent came to nothing.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::session::ReleaseReason")]
pub(crate) enum ReleaseReason {
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
    /// The reservation's own time was over.
    TimedOut,
    /// Another agent, whose phone rang beside, was faster: not a missed call.
    AnsweredElsewhere,
}
