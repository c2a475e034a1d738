//! The edge: other nodes reach a phone through the node that its flow ends at
//! (RFC 5626, 5). That node passes messages on without a state of its own: where
//! to is in the message, signed.
//!
//! The node that has the call sends its INVITE here with a Route that names the
//! flow. Our Record-Route keeps the dialog on this way, our Via brings responses
//! back.

use crate::{
    address::{NameAddr, Uri},
    boundary::Passing,
    transport::{Flow, Transport},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

/// Begins our branches: a response to a message that was only passed on.
const BRANCH: &str = "z9hG4bKedge";
/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 10;
/// What stands in every message that could be for the edge.
const MARK: &[u8] = b";flow=";

/// The secret that all nodes sign flows with.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowKey([u8; 32]);

impl fmt::Debug for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlowKey{redacted}")
    }
}

impl FlowKey {
    /// A key from 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key as it is stored.
    pub fn from_stored(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// To be stored.
    pub fn to_stored(&self) -> String {
        hex::encode(self.0)
    }

    fn sign(&self, label: &str, text: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(label.as_bytes());
        mac.update(text.as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..SIGNATURE_BYTES])
    }

    /// A flow as it stands in a URI: nobody but a node can have written it.
    pub fn token(&self, flow: Flow) -> String {
        let text = format!("{}/{}", flow.transport, flow.peer);
        format!("{}{}", self.sign("flow", &text), hex::encode(text))
    }

    /// The flow of a token of ours.
    pub fn flow(&self, token: &str) -> Option<Flow> {
        let signature = token.get(..2 * SIGNATURE_BYTES)?;
        let text = hex::decode(token.get(2 * SIGNATURE_BYTES..)?).ok()?;
        let text = String::from_utf8(text).ok()?;
        if self.sign("flow", &text) != signature {
            return None;
        }
        let (transport, peer) = text.split_once('/')?;
        Some(Flow {
            transport: Transport::named(transport)?,
            peer: peer.parse().ok()?,
        })
    }
}

/// The Route by which a phone is reached through the node at `edge`.
pub fn route(key: &FlowKey, edge: SocketAddr, flow: Flow) -> String {
    format!("<sip:{edge};lr;flow={}>", key.token(flow))
}

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is for this node itself.
    Ours,
    /// It goes on there.
    Pass(Vec<u8>, Flow),
    /// It goes no further; this goes back.
    Answer(Vec<u8>),
    /// It is forgotten.
    Drop,
}

/// What the edge must know of its surroundings.
pub trait Around {
    /// Whether another node's SIP has that address.
    fn is_node(&self, address: SocketAddr) -> bool;
    /// Has it looked up who is there now.
    fn look(&self);
    /// Whether there is a way to the flow's peer.
    fn is_open(&self, flow: Flow) -> bool;
    /// Host and port by which phones reach this node with that transport.
    fn sent_by(&self, transport: Transport) -> String;
}

/// The edge; cheap to clone. Without a key everything is for this node.
#[derive(Debug, Clone, Default)]
pub struct Edge(Arc<RwLock<Option<FlowKey>>>);

impl Edge {
    /// The key of all nodes.
    pub fn key(&self) -> Option<FlowKey> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Signs with that key from now on.
    pub fn set_key(&self, key: FlowKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }

    /// Looks at a message as it came.
    pub fn step(&self, bytes: &[u8], from: Flow, around: &impl Around) -> Step {
        if !bytes.windows(MARK.len()).any(|window| window == MARK) {
            return Step::Ours;
        }
        let Some(key) = self.key() else {
            return Step::Ours;
        };
        match Passing::read(bytes, from.transport.into()) {
            Some(message) if message.is_response() => back(&key, message, around),
            Some(message) => on(&key, message, from, around),
            None => Step::Ours,
        }
    }
}

/// A response goes back to where its request came from, as our Via says.
fn back(key: &FlowKey, mut message: Passing, around: &impl Around) -> Step {
    let flow = message.top("Via").and_then(|via| {
        let branch = via_parameter(via, "branch")?;
        let token = via_parameter(via, "flow")?;
        branch.starts_with(BRANCH).then(|| key.flow(token))
    });
    match flow {
        None => Step::Ours,
        Some(Some(flow)) if around.is_open(flow) => {
            message.pop("Via");
            Step::Pass(message.write(), flow)
        }
        Some(_) => Step::Drop,
    }
}

/// A request goes on to the flow that its Route names, or from there to the node
/// that has the call.
fn on(key: &FlowKey, mut message: Passing, from: Flow, around: &impl Around) -> Step {
    let token = message
        .top("Route")
        .and_then(NameAddr::parse)
        .and_then(|route| Uri::parse(&route.uri))
        .and_then(|uri| uri.parameter("flow").map(str::to_owned));
    let Some(token) = token else {
        return Step::Ours;
    };
    let refuse = |message: &Passing, status| match message.method() {
        "ACK" => Step::Drop,
        _ => Step::Answer(message.answer(status, &key.sign("tag", &token))),
    };
    let Some(flow) = key.flow(&token) else {
        return refuse(&message, 403);
    };
    message.pop("Route");
    let to = match from == flow {
        true => match node_of(&message, around) {
            Some(node) => node,
            None => return refuse(&message, 403),
        },
        // A call for a phone is of a node, which may have just joined, and sends again:
        // whoever else has copied a flow from a message hears nothing.
        false if !around.is_node(from.peer) && !is_in_dialog(&message) => {
            around.look();
            return Step::Drop;
        }
        false if !around.is_node(from.peer) => return refuse(&message, 403),
        false => flow,
    };
    if !around.is_open(to) {
        return refuse(&message, 430);
    }
    if !message.take_hop() {
        return refuse(&message, 483);
    }
    if message.method() == "INVITE" {
        let sent_by = around.sent_by(flow.transport);
        let transport = flow.transport.parameter();
        let route = format!("<sip:{sent_by}{transport};lr;flow={token}>");
        message.push_top("Record-Route", route);
    }
    // The same for every copy, and for the CANCEL and ACK of an INVITE, which
    // carry its branch (RFC 3261, 16.11).
    let theirs = message
        .top("Via")
        .and_then(|via| via_parameter(via, "branch"));
    let branch = key.sign("branch", theirs.unwrap_or_default());
    let via = format!(
        "SIP/2.0/{} {};branch={BRANCH}{branch};flow={};rport",
        to.transport,
        around.sent_by(to.transport),
        key.token(from)
    );
    message.push_top("Via", via);
    Step::Pass(message.write(), to)
}

/// It has the tag of whoever it is for (RFC 3261, 12.2.1.1).
fn is_in_dialog(message: &Passing) -> bool {
    let to = message.top("To").and_then(NameAddr::parse);
    to.is_some_and(|to| to.parameter("tag").is_some())
}

/// Where a request of a phone goes: the next Route, else its target. Only to
/// nodes: this is nobody's open proxy.
fn node_of(message: &Passing, around: &impl Around) -> Option<Flow> {
    let uri = match message.top("Route") {
        Some(route) => NameAddr::parse(route)?.uri,
        None => message.uri().to_owned(),
    };
    let peer = Uri::parse(&uri)?.socket()?;
    around.is_node(peer).then_some(Flow {
        transport: Transport::Udp,
        peer,
    })
}

fn via_parameter<'a>(via: &'a str, name: &str) -> Option<&'a str> {
    via.split(';').skip(1).find_map(|parameter| {
        let (have, value) = parameter.split_once('=')?;
        have.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests;
