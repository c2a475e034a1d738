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
    /// Wraps an event into the sum of all.
    fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent;
}

macro_rules! kinds {
    ($($decider:ident $id:ident),+ $(,)?) => {$(
        impl Kind for $decider {
            type Id = $id;
            fn wrap(id: Self::Id, event: Self::Event) -> AnyEvent {
                AnyEvent::$decider(id, event)
            }
        }
    )+};
}

kinds! {
    Call CallId,
    Session SessionId,
    Line QueueId,
    Queue QueueId,
    Agent AgentId,
    Device AgentId,
    Trunk TrunkId,
}
