//! Anything with an id.

use crate::types::{Agent, Call, Callback, Mailbox, Queue, Trunk, Voicemail};
use async_graphql::{ID, Interface};

/// Anything with an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque."))]
pub(crate) enum Node {
    /// A call.
    Call(Call),
    /// An agent.
    Agent(Agent),
    /// A queue.
    Queue(Queue),
    /// A trunk.
    Trunk(Trunk),
    /// A callback.
    Callback(Callback),
    /// A mailbox.
    Mailbox(Mailbox),
    /// A message.
    Voicemail(Voicemail),
}
