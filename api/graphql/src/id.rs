//! Ids as clients see them: opaque, and different for each kind of thing, so
//! that a call's id is never taken for an agent's.

use crate::error::Fault;
use async_graphql::ID;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::id::{AgentId, CallId, CallbackId, MailboxId, QueueId, TrunkId, VoicemailId};
use uuid::Uuid;

/// What an id may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeId {
    Call(CallId),
    Agent(AgentId),
    Queue(QueueId),
    Trunk(TrunkId),
    Callback(CallbackId),
    Mailbox(MailboxId),
    Voicemail(VoicemailId),
}

/// Kinds and their letters in the text of an id.
const CALL: u8 = b'c';
const AGENT: u8 = b'a';
const QUEUE: u8 = b'q';
const TRUNK: u8 = b't';
const CALLBACK: u8 = b'b';
const MAILBOX: u8 = b'm';
const VOICEMAIL: u8 = b'v';

fn encode(kind: u8, uuid: Uuid) -> ID {
    let mut bytes = [kind; 17];
    bytes[1..].copy_from_slice(uuid.as_bytes());
    ID(URL_SAFE_NO_PAD.encode(bytes))
}

impl From<NodeId> for ID {
    fn from(id: NodeId) -> Self {
        match id {
            NodeId::Call(id) => encode(CALL, id.0),
            NodeId::Agent(id) => encode(AGENT, id.0),
            NodeId::Queue(id) => encode(QUEUE, id.0),
            NodeId::Trunk(id) => encode(TRUNK, id.0),
            NodeId::Callback(id) => encode(CALLBACK, id.0),
            NodeId::Mailbox(id) => encode(MAILBOX, id.0),
            NodeId::Voicemail(id) => encode(VOICEMAIL, id.0),
        }
    }
}

impl NodeId {
    /// Reads what was given out; `None` for anything else.
    pub(crate) fn parse(id: &ID) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?;
        let (kind, uuid) = bytes.split_first()?;
        let uuid = Uuid::from_slice(uuid).ok()?;
        match *kind {
            CALL => Some(Self::Call(CallId(uuid))),
            AGENT => Some(Self::Agent(AgentId(uuid))),
            QUEUE => Some(Self::Queue(QueueId(uuid))),
            TRUNK => Some(Self::Trunk(TrunkId(uuid))),
            CALLBACK => Some(Self::Callback(CallbackId(uuid))),
            MAILBOX => Some(Self::Mailbox(MailboxId(uuid))),
            VOICEMAIL => Some(Self::Voicemail(VoicemailId(uuid))),
            _ => None,
        }
    }
}

/// An id of one kind, from what a client sent. A plain UUID, as it stands in
/// logs and events, is taken too.
pub(crate) trait Named: Sized {
    const KIND: &'static str;
    fn of(node: NodeId) -> Option<Self>;
    fn node(self) -> NodeId;
    fn plain(uuid: Uuid) -> Self;

    /// `field` is where the client has sent it.
    fn read(id: &ID, field: &'static str) -> Result<Self, Fault> {
        let named = NodeId::parse(id).and_then(Self::of);
        named
            .or_else(|| Uuid::parse_str(id).ok().map(Self::plain))
            .ok_or_else(|| Fault::field(field, &format!("that is no id of {}", Self::KIND)))
    }

    /// The same of one that may be left out.
    fn read_some(id: Option<&ID>, field: &'static str) -> Result<Option<Self>, Fault> {
        id.map(|id| Self::read(id, field)).transpose()
    }

    fn read_all(ids: &[ID], field: &'static str) -> Result<Vec<Self>, Fault> {
        ids.iter().map(|id| Self::read(id, field)).collect()
    }

    fn opaque(self) -> ID {
        self.node().into()
    }
}

/// The call that a text names, as clients, logs or events write it.
pub fn call_id(text: &str) -> Option<CallId> {
    CallId::read(&ID(text.into()), "id").ok()
}

impl Named for CallId {
    const KIND: &'static str = "a call";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Call(id) => Some(id),
            NodeId::Agent(_)
            | NodeId::Queue(_)
            | NodeId::Trunk(_)
            | NodeId::Callback(_)
            | NodeId::Mailbox(_)
            | NodeId::Voicemail(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Call(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl Named for AgentId {
    const KIND: &'static str = "an agent";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Agent(id) => Some(id),
            NodeId::Call(_)
            | NodeId::Queue(_)
            | NodeId::Trunk(_)
            | NodeId::Callback(_)
            | NodeId::Mailbox(_)
            | NodeId::Voicemail(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Agent(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl Named for QueueId {
    const KIND: &'static str = "a queue";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Queue(id) => Some(id),
            NodeId::Call(_)
            | NodeId::Agent(_)
            | NodeId::Trunk(_)
            | NodeId::Callback(_)
            | NodeId::Mailbox(_)
            | NodeId::Voicemail(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Queue(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl Named for TrunkId {
    const KIND: &'static str = "a trunk";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Trunk(id) => Some(id),
            NodeId::Call(_)
            | NodeId::Agent(_)
            | NodeId::Queue(_)
            | NodeId::Callback(_)
            | NodeId::Mailbox(_)
            | NodeId::Voicemail(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Trunk(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl Named for CallbackId {
    const KIND: &'static str = "a callback";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Callback(id) => Some(id),
            NodeId::Call(_)
            | NodeId::Agent(_)
            | NodeId::Queue(_)
            | NodeId::Trunk(_)
            | NodeId::Mailbox(_)
            | NodeId::Voicemail(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Callback(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl Named for MailboxId {
    const KIND: &'static str = "a mailbox";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Mailbox(id) => Some(id),
            NodeId::Call(_)
            | NodeId::Agent(_)
            | NodeId::Queue(_)
            | NodeId::Trunk(_)
            | NodeId::Callback(_)
            | NodeId::Voicemail(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Mailbox(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl Named for VoicemailId {
    const KIND: &'static str = "a message";
    fn of(node: NodeId) -> Option<Self> {
        match node {
            NodeId::Voicemail(id) => Some(id),
            NodeId::Call(_)
            | NodeId::Agent(_)
            | NodeId::Queue(_)
            | NodeId::Trunk(_)
            | NodeId::Callback(_)
            | NodeId::Mailbox(_) => None,
        }
    }
    fn node(self) -> NodeId {
        NodeId::Voicemail(self)
    }
    fn plain(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

/// The message that a text names, as clients, logs or events write it.
pub(crate) fn voicemail_id(text: &str) -> Option<VoicemailId> {
    VoicemailId::read(&ID(text.into()), "id").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_thing_of_one_kind() {
        let call = CallId(Uuid::from_u128(7));
        let id = call.opaque();
        assert_eq!(NodeId::parse(&id), Some(NodeId::Call(call)));
        assert_eq!(CallId::read(&id, "id").unwrap(), call);
        assert!(AgentId::read(&id, "id").is_err());
        assert_ne!(id, AgentId(call.0).opaque());
    }

    #[test]
    fn a_plain_uuid_is_taken_where_the_kind_is_known() {
        let uuid = Uuid::from_u128(7);
        let id = ID(uuid.to_string());
        assert_eq!(CallId::read(&id, "id").unwrap(), CallId(uuid));
        assert_eq!(NodeId::parse(&id), None);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "7", "YzE", "not an id", "////"] {
            let refused = CallId::read(&ID(text.into()), "callId").unwrap_err();
            assert_eq!(refused.message, "callId: that is no id of a call", "{text}");
        }
    }
}
