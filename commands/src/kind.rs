//! Which decider an aggregate's id belongs to.

use domain::{
    agent::Agent,
    any::AnyEvent,
    call::Call,
    decider::Decider,
    device::Device,
    id::{AgentId, CallId, QueueId, SessionId, TrunkId},
    line::Line,
    queue::Queue,
    session::Session,
    trunk::Trunk,
};
use std::{fmt, hash::Hash};

/// A decider with the id of its streams.
pub(crate) trait Kind: Decider + Send + Sync {
    /// Names one stream of the category.
    type Id: Copy + Eq + Hash + fmt::Display + fmt::Debug + Send + Sync + 'static;
    /// Whether it leaves memory when nobody asks anything of it. A waiting line's
    /// stream is as long as the queue's history: it is read once.
    const RETIRES: bool;
    /// Wraps an event into the sum of all.
    fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent;
}

macro_rules! kinds {
    ($($decider:ident $id:ident $retires:literal),+ $(,)?) => {$(
        impl Kind for $decider {
            type Id = $id;
            const RETIRES: bool = $retires;
            fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent {
                AnyEvent::$decider(id, event)
            }
        }
    )+};
}

kinds! {
    Call CallId true,
    Session SessionId true,
    Line QueueId false,
    Queue QueueId true,
    Agent AgentId true,
    Device AgentId true,
    Trunk TrunkId true,
}
