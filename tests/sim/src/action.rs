//! What can happen next in a world.

use domain::{
    any::AnyCommand,
    id::{AgentId, CallId, CommandId, LegId, QueueId, SessionId, SubjectId},
    time::Timestamp,
};
use uuid::Uuid;

/// Something on the calendar.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// A person or a phone does something.
    Person(Plan),
    /// A command reaches the gateway.
    Arrive(Box<Posted>),
    /// The next command of a mailbox is decided.
    Deliver(Target),
    /// A process reads what is new.
    Read(usize),
    /// A process hears an answer.
    Hear(usize),
    /// A process' deadline may have come.
    Wake(usize),
    /// A process' row is saved.
    Save(usize),
    /// A process falls over and starts from its row.
    Crash(usize),
    /// The store is away for a moment.
    Outage,
    /// The clock of a node is set.
    StepClock,
    /// Nobody asks for that call any more.
    Evict(CallId),
}

/// What persons and phones mean to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The next caller dials.
    Dial,
    /// That caller dials again.
    DialAgain(QueueId, SubjectId),
    /// A caller who waits presses a key of the phone.
    Press(CallId),
    /// The caller gives up, unless an agent is there.
    GiveUp(CallId),
    /// A conversation ends.
    HangUp(CallId),
    /// An agent hangs up while it rings outside.
    Desert(CallId),
    /// The agent sends the caller into another queue, if they talk.
    Transfer(CallId),
    /// Somebody in a conversation presses a key: hold, or take back.
    Hold(CallId),
    /// An agent's phone picks up, and says so so many times.
    PickUp(CallId, LegId, u8),
    /// An agent's phone says something.
    Phone(Box<AnyCommand>),
    /// The agent does as the agent likes.
    Agent(AgentId),
    /// The agent takes calls again.
    Ready(SessionId),
    /// The agent says what came of the call.
    Note(SessionId, CallId),
    /// The agent logs in.
    LogIn(AgentId),
}

/// A command on its way to its mailbox.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) command: AnyCommand,
    pub(crate) at: Timestamp,
    /// Which process asked, and under which id.
    pub(crate) asked_by: Option<(usize, CommandId)>,
}

/// A stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Call(CallId),
    Session(SessionId),
    Line(QueueId),
    Other(&'static str, Uuid),
}

impl Target {
    pub(crate) fn of(command: &AnyCommand) -> Self {
        match command {
            AnyCommand::Call(id, _) => Self::Call(*id),
            AnyCommand::Session(id, _) => Self::Session(*id),
            AnyCommand::Line(id, _) => Self::Line(*id),
            AnyCommand::Queue(id, _) => Self::Other("queue", id.0),
            AnyCommand::Agent(id, _) => Self::Other("agent", id.0),
            AnyCommand::Device(id, _) => Self::Other("device", id.0),
            AnyCommand::Trunk(id, _) => Self::Other("trunk", id.0),
            AnyCommand::Callback(id, _) => Self::Other("callback", id.0),
            AnyCommand::Mailbox(id, _) => Self::Other("mailbox", id.0),
            // Nobody here pays for anything.
            AnyCommand::Person(id, _) => Self::Other("subject", id.0),
            AnyCommand::Schedule(id, _) => Self::Other("schedule", id.0),
            AnyCommand::Refusals(id, _) => Self::Other("refusals", id.0),
            AnyCommand::Billing(_) => Self::Other("billing", Uuid::nil()),
        }
    }
}
