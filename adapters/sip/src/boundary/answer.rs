//! Stateless answers: the request's own headers echoed, a To tag that is the
//! same for every retransmission (RFC 3261, 8.2.6 and 8.2.7).

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::via::{Via, is_unicast};
use super::wire::Wire;
use super::{DropReason, Origin, Verdict, print};
use crate::message::phrase;

/// Why a request is answered here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    detail: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            detail: "",
            headers: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A syntax fault is a 400 whose phrase names it (RFC 3261, 21.4.1).
impl From<&'static str> for Refusal {
    fn from(detail: &'static str) -> Self {
        Self {
            status: 400,
            detail,
            headers: Vec::new(),
        }
    }
}

/// Builds the response, or gives up if there is no Via to send it along.
pub(super) fn build(wire: &Wire<'_>, origin: Origin, refusal: &Refusal) -> Verdict {
    let mut vias = wire.all("Via");
    let Some(top) = vias.next() else {
        return Verdict::Drop(DropReason::Unanswerable);
    };
    // A Via that cannot be read is echoed as it is, to where it came from.
    let (top, to) = match Via::parse(top) {
        Ok(mut via) => {
            let to = via.reply_to(origin);
            via.stamp(origin.source);
            (via.print(), to)
        }
        Err(_) => (top.to_owned(), origin.source),
    };
    if !is_unicast(to.ip()) || to.port() == 0 {
        return Verdict::Drop(DropReason::Unanswerable);
    }
    let mut fields = vec![("Via", top)];
    fields.extend(vias.map(|via| ("Via", via.to_owned())));
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let Some(value) = wire.get(name) else {
            continue;
        };
        let mut value = value.to_owned();
        if name == "To" && crate::message::tag(&value).is_none() {
            let _ = write!(value, ";tag={}", stateless_tag(wire));
        }
        fields.push((name, value));
    }
    fields.extend(
        refusal
            .headers
            .iter()
            .map(|(name, value)| (*name, value.clone())),
    );
    let mut start = format!("SIP/2.0 {} {}", refusal.status, phrase(refusal.status));
    if !refusal.detail.is_empty() {
        let _ = write!(start, " ({})", refusal.detail);
    }
    let bytes = print(&start, &fields, b"");
    Verdict::Answer {
        bytes,
        to,
        status: refusal.status,
    }
}

/// Eight bytes of a digest over what identifies the request.
fn stateless_tag(wire: &Wire<'_>) -> String {
    let mut digest = Sha256::new();
    for name in ["Via", "Call-ID", "From", "CSeq"] {
        digest.update(wire.get(name).unwrap_or_default());
        digest.update([0]);
    }
    hex::encode(&digest.finalize()[..8])
}
