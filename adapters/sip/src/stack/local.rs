//! What keeps the crate from acting on its own: no DNS, no product name, a mark
//! on the responses that it makes up itself, and a To tag on those that it sends
//! itself.

use crate::message::tag;
use async_trait::async_trait;
use rsipstack::{
    Error,
    sip::{HasHeaders, Header, Response, SipMessage},
    transaction::endpoint::MessageInspector,
    transport::{SipAddr, transport_layer::DomainResolver},
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Destinations are addresses we have seen. A name in a Via or Contact is
/// never looked up: the receive path would wait for a stranger's name server.
pub(super) struct NoDns;

#[async_trait]
impl DomainResolver for NoDns {
    async fn resolve(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        Err(Error::DnsResolutionError(target.addr.to_string()))
    }
}

/// The phrase of a response that no peer has sent. Phrases of received ones
/// are removed before they reach a transaction, so none can pretend.
const LOCAL: &str = "local";

/// Whether the transaction layer made this response up (timer B, C or F, or a
/// transport that failed).
pub(super) fn is_local(response: &Response) -> bool {
    response.wire_reason.as_deref() == Some(LOCAL)
}

/// The crate's own answer to a CANCEL that finds nothing has no To tag, which
/// every response but 100 needs (RFC 3261, 8.2.6.2). The same for every copy.
fn tag_to(response: &mut Response) {
    if response.status_code.code() == 100 {
        return;
    }
    let mut hasher = DefaultHasher::new();
    for header in response.headers.iter() {
        if matches!(
            header,
            Header::Via(_) | Header::From(_) | Header::CallId(_) | Header::CSeq(_)
        ) {
            header.value().hash(&mut hasher);
        }
    }
    for header in response.headers.iter_mut() {
        if let Header::To(to) = header
            && tag(to.value()).is_none()
        {
            *to = format!("{};tag={:016x}", to.value(), hasher.finish()).into();
        }
    }
}

/// Marks local responses and takes the User-Agent header off what leaves.
pub(super) struct Marker;

impl MessageInspector for Marker {
    fn before_send(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        message
            .headers_mut()
            .retain(|header| !matches!(header, Header::UserAgent(_)));
        if let SipMessage::Response(response) = &mut message {
            tag_to(response);
        }
        message
    }

    fn after_received(&self, mut message: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        if let (SipMessage::Response(response), None) = (&mut message, from) {
            response.wire_reason = Some(LOCAL.to_owned());
        }
        message
    }
}
