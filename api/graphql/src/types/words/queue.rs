//! Words of a queue's rules.

use async_graphql::Enum;

/// What makes an agent who is logged in count as away.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::queue::Away")]
pub(crate) enum Away {
    /// Takes no calls, for whatever reason.
    NotReady,
    /// Takes no calls because the phone could not be reached.
    Unreachable,
    /// Taken for another call: the phone is to ring or rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// At work after a call.
    WrapUp,
    /// In a later tier of the queue than the first.
    LaterTier,
    /// With a penalty in the queue.
    Penalty,
    /// Paused in the queue by a person.
    Paused,
}

/// A day of the week.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::queue::Weekday")]
pub(crate) enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}
