//! What a REGISTER does to the bindings of one address of record (RFC 3261,
//! 10.3). Pure: bindings and time in, bindings and changes out; all of a request
//! is done or nothing.

mod contact;

use crate::transport::{Flow, Transport};
use std::collections::BTreeMap;
use std::{net::SocketAddr, sync::Arc};

pub use contact::{Contact, Contacts, parse_contacts};

/// Expiry of a binding that asks for none (RFC 3261, 10.2.1.1).
pub const EXPIRES_DEFAULT_S: u32 = 3600;

/// Longest expiry that is granted: an agent whose phone vanished is found out
/// within it.
pub const EXPIRES_MAX_S: u32 = 3600;

/// Shortest expiry that is granted, but for 0, which ends a binding.
pub const EXPIRES_MIN_S: u32 = 60;

/// Most bindings of one agent.
pub const BINDINGS_MAX: usize = 10;

/// A phone where an agent can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The contact URI as registered: the Request-URI of calls to it.
    pub uri: String,
    /// Where requests for it are sent: the contact's own address if it is where
    /// the REGISTER came from, else that source (NAT, names, TCP).
    pub send_to: SocketAddr,
    /// How it registered, and is called.
    pub transport: Transport,
    /// Whether it is reached only through the flow that it registered by: its
    /// connection, or its NAT.
    pub flow_bound: bool,
    /// The other node that it registered at and that looks after it; none for
    /// this one.
    pub node: Option<Arc<str>>,
    /// Milliseconds since 1970 after which it is gone.
    pub expires_at_ms: u64,
    /// Call-ID of the last REGISTER for it.
    pub call_id: String,
    /// CSeq of the last REGISTER for it.
    pub cseq: u32,
    /// Preference in thousandths, 1000 being the default.
    pub q_milli: u16,
}

impl Binding {
    /// The flow that requests for it are sent over.
    pub const fn flow(&self) -> Flow {
        Flow {
            transport: self.transport,
            peer: self.send_to,
        }
    }
}

/// The bindings of one agent, by contact (compared as in RFC 3261, 19.1.4).
pub type Bindings = BTreeMap<String, Binding>;

/// A REGISTER, read and authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration<'a> {
    /// Its contacts.
    pub contacts: Contacts,
    /// Its Expires header.
    pub expires_s: Option<u32>,
    /// Its Call-ID.
    pub call_id: &'a str,
    /// Its CSeq.
    pub cseq: u32,
    /// Where it came from.
    pub source: SocketAddr,
    /// How it came.
    pub transport: Transport,
    /// When, in milliseconds since 1970.
    pub now_ms: u64,
}

/// What happened to a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added(String),
    /// It was there and lasts longer now: no event.
    Refreshed(String),
    /// It is gone.
    Removed(String, Removal),
}

impl Change {
    /// Which binding: the key of its contact.
    pub fn key(&self) -> &str {
        match self {
            Self::Added(key) | Self::Refreshed(key) | Self::Removed(key, _) => key,
        }
    }
}

/// Why a binding is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The phone asked for it.
    Deregistered,
    /// Its time was over.
    Expired,
    /// An agent at the limit registered one more: the one that would have ended
    /// first made room.
    Displaced,
}

/// Why a REGISTER is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `*` beside other contacts or with an expiry, or a contact that is no SIP
    /// URI: 400.
    #[error("contact is malformed")]
    BadContact,
    /// More contacts in one request than an agent may have: 403.
    #[error("too many contacts")]
    TooManyContacts,
    /// 423, with Min-Expires [`EXPIRES_MIN_S`].
    #[error("expiry is too brief")]
    TooBrief,
    /// A CSeq not above the last one of the same Call-ID: 500 (RFC 3261, 10.3,
    /// step 7 aborts the request).
    #[error("request is out of order")]
    OutOfOrder,
}

impl Error {
    /// The status of the response.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadContact => 400,
            Self::TooManyContacts => 403,
            Self::TooBrief => 423,
            Self::OutOfOrder => 500,
        }
    }
}

/// The outcome of a REGISTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// All bindings from now on.
    pub bindings: Bindings,
    /// What changed, in the order in which it did.
    pub changes: Vec<Change>,
    /// The Contact values of the 200, with the seconds left.
    pub contacts: Vec<String>,
}

/// Applies a REGISTER. One without contacts changes nothing and lists them all.
pub fn register(bindings: &Bindings, request: &Registration<'_>) -> Result<Registered, Error> {
    let (mut bindings, mut changes) = expire(bindings, request.now_ms);
    match &request.contacts {
        Contacts::Query => {}
        Contacts::All => remove_all(&mut bindings, request, &mut changes)?,
        Contacts::List(contacts) => {
            if contacts.len() > BINDINGS_MAX {
                return Err(Error::TooManyContacts);
            }
            for contact in contacts {
                apply(&mut bindings, request, contact, &mut changes)?;
            }
        }
    }
    let contacts = bindings
        .values()
        .map(|binding| {
            let left_ms = binding.expires_at_ms.saturating_sub(request.now_ms);
            format!("<{}>;expires={}", binding.uri, left_ms.div_ceil(1000))
        })
        .collect();
    Ok(Registered {
        bindings,
        changes,
        contacts,
    })
}

/// Takes out the bindings whose time is over. Those of another node are that
/// node's to let go: it knows whether the phone has come again.
pub fn expire(bindings: &Bindings, now_ms: u64) -> (Bindings, Vec<Change>) {
    let (kept, gone): (Bindings, Bindings) = bindings
        .clone()
        .into_iter()
        .partition(|(_, binding)| binding.node.is_some() || binding.expires_at_ms > now_ms);
    let changes = gone
        .into_keys()
        .map(|key| Change::Removed(key, Removal::Expired))
        .collect();
    (kept, changes)
}

fn remove_all(
    bindings: &mut Bindings,
    request: &Registration<'_>,
    changes: &mut Vec<Change>,
) -> Result<(), Error> {
    if request.expires_s != Some(0) {
        return Err(Error::BadContact);
    }
    if bindings
        .values()
        .any(|binding| is_out_of_order(binding, request))
    {
        return Err(Error::OutOfOrder);
    }
    for (key, _) in std::mem::take(bindings) {
        changes.push(Change::Removed(key, Removal::Deregistered));
    }
    Ok(())
}

fn is_out_of_order(binding: &Binding, request: &Registration<'_>) -> bool {
    binding.call_id == request.call_id && request.cseq <= binding.cseq
}

fn apply(
    bindings: &mut Bindings,
    request: &Registration<'_>,
    contact: &Contact,
    changes: &mut Vec<Change>,
) -> Result<(), Error> {
    let asked_s = contact
        .expires_s
        .or(request.expires_s)
        .unwrap_or(EXPIRES_DEFAULT_S);
    let known = bindings.get(&contact.key);
    // The same contact twice in one request is not out of order with itself.
    let touched = changes.iter().any(|change| match change {
        Change::Added(key) | Change::Refreshed(key) => *key == contact.key,
        Change::Removed(..) => false,
    });
    if !touched && known.is_some_and(|binding| is_out_of_order(binding, request)) {
        return Err(Error::OutOfOrder);
    }
    if asked_s == 0 {
        if bindings.remove(&contact.key).is_some() {
            changes.push(Change::Removed(contact.key.clone(), Removal::Deregistered));
        }
        return Ok(());
    }
    if asked_s < EXPIRES_MIN_S {
        return Err(Error::TooBrief);
    }
    changes.push(match known {
        Some(_) => Change::Refreshed(contact.key.clone()),
        None => Change::Added(contact.key.clone()),
    });
    if known.is_none() && bindings.len() >= BINDINGS_MAX {
        displace(bindings, changes);
    }
    bindings.insert(contact.key.clone(), binding(request, contact, asked_s));
    Ok(())
}

fn displace(bindings: &mut Bindings, changes: &mut Vec<Change>) {
    let first = bindings
        .iter()
        .min_by_key(|(_, binding)| binding.expires_at_ms)
        .map(|(key, _)| key.clone());
    if let Some(key) = first {
        bindings.remove(&key);
        changes.push(Change::Removed(key, Removal::Displaced));
    }
}

fn binding(request: &Registration<'_>, contact: &Contact, asked_s: u32) -> Binding {
    let granted_ms = u64::from(asked_s.min(EXPIRES_MAX_S)) * 1000;
    // A phone that names its own address and port is sent to there; any other
    // is behind NAT, has a name (never looked up) or a connection.
    let own = contact.socket.filter(|socket| {
        !request.transport.is_connection() && socket.ip() == request.source.ip().to_canonical()
    });
    Binding {
        uri: contact.uri.clone(),
        send_to: own.unwrap_or(request.source),
        transport: request.transport,
        flow_bound: own.is_none(),
        node: None,
        expires_at_ms: request.now_ms.saturating_add(granted_ms),
        call_id: request.call_id.to_owned(),
        cseq: request.cseq,
        q_milli: contact.q_milli,
    }
}

#[cfg(test)]
mod tests;
