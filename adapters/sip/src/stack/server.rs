//! Server transactions: the handle that orders go through, and the task.

use super::{TransactionUser, convert};
use crate::message::{DialogId, Headers, Method, Request, tag};
use crate::transport::Flow;
use rsipstack::{
    sip::{Header, SipMessage, StatusCode, Version},
    transaction::{
        random_text,
        transaction::{Transaction, TransactionEvent, TransactionEventSender},
    },
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// A response to be sent.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Tag for To when the request has none; random when not given.
    pub to_tag: Option<String>,
    /// Headers beside those that every response repeats from its request.
    pub headers: Headers,
    /// Body; its type must be among the headers.
    pub body: Vec<u8>,
}

impl Reply {
    /// A response without anything but its status.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same with the tag of our side of the dialog.
    #[must_use]
    pub fn tagged(mut self, tag: &str) -> Self {
        self.to_tag = Some(tag.to_owned());
        self
    }

    /// The same with a session description.
    #[must_use]
    pub fn with_sdp(mut self, sdp: Vec<u8>) -> Self {
        self.headers.push("Content-Type", "application/sdp");
        self.body = sdp;
        self
    }
}

/// A request that was received and wants its response.
#[derive(Clone)]
pub struct ServerTransaction {
    inner: Arc<Inner>,
}

struct Inner {
    id: String,
    flow: Flow,
    head: Head,
    sender: TransactionEventSender,
}

/// What every response repeats (RFC 3261, 8.2.6.2).
struct Head {
    method: Method,
    vias: Vec<String>,
    record_routes: Vec<String>,
    from: String,
    to: String,
    call_id: String,
    cseq: String,
}

impl std::fmt::Debug for ServerTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTransaction")
            .field("method", &self.inner.head.method)
            .field("flow", &self.inner.flow)
            .finish_non_exhaustive()
    }
}

impl ServerTransaction {
    pub(super) fn new(transaction: &Transaction, request: &Request, flow: Flow) -> Self {
        Self {
            inner: Arc::new(Inner {
                id: transaction.key.to_string(),
                flow,
                head: Head::of(request),
                sender: transaction.tu_sender.clone(),
            }),
        }
    }

    /// Names the transaction: the same for its CANCEL and its ACK.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Where the request came from.
    pub fn flow(&self) -> Flow {
        self.inner.flow
    }

    /// The dialog that the request belongs to; `None` outside one.
    pub fn dialog(&self) -> Option<DialogId> {
        let head = &self.inner.head;
        Some(DialogId {
            call_id: head.call_id.clone(),
            local_tag: tag(&head.to)?.to_owned(),
            remote_tag: tag(&head.from).unwrap_or("").to_owned(),
        })
    }

    /// Sends a response. One after the final one is ignored, and so is one for
    /// a transaction that is over.
    pub fn respond(&self, reply: Reply) {
        let response = self.inner.head.build(reply);
        let _ = self.inner.sender.send(TransactionEvent::Respond(response));
    }
}

/// A response outside any transaction, the same to every copy of its request
/// (RFC 3261, 8.2.7).
pub(super) fn stateless(request: &Request, id: &str, mut reply: Reply) -> Vec<u8> {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    reply.to_tag = Some(format!("{:016x}", hasher.finish()));
    Head::of(request).build(reply).to_bytes()
}

impl Head {
    fn of(request: &Request) -> Self {
        let one = |name| request.headers.get(name).unwrap_or_default().to_owned();
        let all = |name| request.headers.all(name).map(str::to_owned).collect();
        Self {
            method: request.method,
            vias: all("Via"),
            record_routes: all("Record-Route"),
            from: one("From"),
            to: one("To"),
            call_id: one("Call-ID"),
            cseq: one("CSeq"),
        }
    }

    fn build(&self, reply: Reply) -> rsipstack::sip::Response {
        let head = self;
        let mut headers = Headers::default();
        for via in &head.vias {
            headers.push("Via", via.as_str());
        }
        // What makes a dialog carries the route back (RFC 3261, 12.1.1).
        if head.method == Method::Invite && (101..300).contains(&reply.status) {
            for route in &head.record_routes {
                headers.push("Record-Route", route.as_str());
            }
        }
        headers.push("From", head.from.as_str());
        headers.push("To", tagged(&head.to, reply.status, reply.to_tag));
        headers.push("Call-ID", head.call_id.as_str());
        headers.push("CSeq", head.cseq.as_str());
        headers.0.extend(reply.headers.0);
        let mut headers = convert::headers(&headers);
        headers.push(Header::ContentLength((reply.body.len() as u32).into()));
        rsipstack::sip::Response {
            status_code: StatusCode::try_from((reply.status, crate::message::phrase(reply.status)))
                .unwrap_or(StatusCode::ServerInternalError),
            wire_reason: None,
            version: Version::V2,
            headers,
            body: reply.body,
        }
    }
}

fn tagged(to: &str, status: u16, wanted: Option<String>) -> String {
    if status == 100 || tag(to).is_some() {
        return to.to_owned();
    }
    let tag = wanted.unwrap_or_else(|| random_text(12));
    format!("{to};tag={tag}")
}

/// One server transaction, to its end.
pub(super) async fn run(
    mut transaction: Transaction,
    handle: ServerTransaction,
    user: Arc<dyn TransactionUser>,
) {
    let mut acked = false;
    while let Some(message) = transaction.receive().await {
        let SipMessage::Request(request) = message else {
            continue;
        };
        let Some(request) = convert::request(&request) else {
            continue;
        };
        match request.method {
            Method::Cancel => user.cancelled(&handle, request),
            Method::Ack if accepted(&transaction) => {
                acked = true;
                user.acked(&handle, request);
            }
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Options
            | Method::Register
            | Method::Info
            | Method::Update
            | Method::Refer
            | Method::Message
            | Method::Notify
            | Method::Subscribe
            | Method::Prack
            | Method::Publish => {}
        }
    }
    if handle.inner.head.method == Method::Invite && accepted(&transaction) && !acked {
        user.ack_missing(&handle);
    }
}

fn accepted(transaction: &Transaction) -> bool {
    transaction
        .last_response
        .as_ref()
        .is_some_and(|response| (200..300).contains(&response.status_code.code()))
}
