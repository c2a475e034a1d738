//! What keeps the crate from acting on its own: no DNS, no product name, and a
//! mark on the responses that it makes up itself.

use async_trait::async_trait;
use rsipstack::{
    Error,
    sip::{HasHeaders, Header, Response, SipMessage},
    transaction::endpoint::MessageInspector,
    transport::{SipAddr, transport_layer::DomainResolver},
};

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

/// Marks local responses and takes the User-Agent header off what leaves.
pub(super) struct Marker;

impl MessageInspector for Marker {
    fn before_send(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        message
            .headers_mut()
            .retain(|header| !matches!(header, Header::UserAgent(_)));
        message
    }

    fn after_received(&self, mut message: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        if let (SipMessage::Response(response), None) = (&mut message, from) {
            response.wire_reason = Some(LOCAL.to_owned());
        }
        message
    }
}
