//! Which call a command or an event is about, where it says so: for what is
//! written beside events, for logs and readers.

use crate::{
    any::{AnyCommand, AnyEvent},
    callback,
    id::CallId,
    line, mailbox, session,
};

impl AnyCommand {
    /// The call that it is about.
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Call(call, _)
            | Self::Line(_, line::Command::OpenVisit { call, .. })
            | Self::Session(
                _,
                session::Command::Reserve { call, .. }
                | session::Command::EndContact { call, .. }
                | session::Command::EndWrapUp { call, .. },
            ) => Some(*call),
            Self::Billing(command) => command.call(),
            Self::Callback(_, callback::Command::StartAttempt { call, .. })
            | Self::Mailbox(_, mailbox::Command::ExpectMessage { call, .. }) => Some(*call),
            Self::Mailbox(_, mailbox::Command::LeaveMessage { left, .. }) => Some(left.call),
            Self::Line(..)
            | Self::Session(..)
            | Self::Queue(..)
            | Self::Person(..)
            | Self::Refusals(..)
            | Self::Schedule(..)
            | Self::Agent(..)
            | Self::Device(..)
            | Self::Trunk(..)
            | Self::Callback(..)
            | Self::Mailbox(..) => None,
        }
    }
}

impl AnyEvent {
    /// The call that it is about.
    pub const fn call(&self) -> Option<CallId> {
        match self {
            Self::Call(call, _)
            | Self::Line(
                _,
                line::Event::Opened { call, .. }
                | line::Event::Rejected { call, .. }
                | line::Event::Matched { call, .. }
                | line::Event::Returned { call, .. }
                | line::Event::PriorityChanged { call, .. }
                | line::Event::Assigned { call, .. }
                | line::Event::Closed { call, .. },
            )
            | Self::Session(
                _,
                session::Event::Reserved { call, .. }
                | session::Event::ConnectedToContact { call, .. }
                | session::Event::ContactEnded { call, .. }
                | session::Event::WrapUpStarted { call, .. }
                | session::Event::WrapUpExtended { call, .. }
                | session::Event::WrapUpEnded { call, .. },
            ) => Some(*call),
            Self::Billing(event) => event.call(),
            Self::Callback(
                _,
                callback::Event::AttemptStarted { call, .. }
                | callback::Event::AttemptFailed { call, .. }
                | callback::Event::Connected { call, .. },
            )
            | Self::Mailbox(
                _,
                mailbox::Event::Expected { call, .. } | mailbox::Event::Left { call, .. },
            ) => Some(*call),
            Self::Session(..)
            | Self::Queue(..)
            | Self::Person(..)
            | Self::Refusals(..)
            | Self::Schedule(..)
            | Self::Agent(..)
            | Self::Device(..)
            | Self::Trunk(..)
            | Self::Callback(..)
            | Self::Mailbox(..) => None,
        }
    }
}
