//! Who gets a transaction: it is kept for half a minute, so that whatever may have been
//! sent in the name of another address has its answer without one (RFC 3261, 8.2.7), as
//! far as that can be told.

use super::Driver;
use crate::{
    admission::{Load, Refused},
    auth::Shown,
    inbound::{invite, options},
    message::{Method, Request},
    stack::Reply,
    status,
    transport::Flow,
};
use domain::cause::EndReason;
use std::{net::IpAddr, sync::atomic::Ordering, time::Instant};

impl Driver {
    /// Whether a new call gets a transaction, or the answer that turns it away: from
    /// where no trunk leads to us, or for want of room. It is recorded behind; an INVITE
    /// that is no call is not.
    pub(super) fn admit_call(
        &self,
        flow: Flow,
        request: &Request,
        transaction: &str,
    ) -> Result<(), Reply> {
        let is_repeated = self.refusals.knows(transaction);
        let (reason, limit, answer) = if self.is_shut_to(flow) {
            let reason = EndReason::NotAllowed;
            let answer = Reply::new(status::of_reason(reason).status);
            (reason, "trunks", answer)
        } else if is_repeated {
            return Err(self.admission.refusal());
        } else {
            let load = Load {
                calls: self.calls.load(Ordering::Relaxed),
                transactions: self.stack.transactions_kept(),
            };
            match self.admission.admit(flow.peer.ip(), load, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(refused) => (end_of(refused), refused.as_str(), self.admission.refusal()),
            }
        };
        if !is_repeated {
            metrics::counter!("ringledger_sip_calls_refused_total", "limit" => limit).increment(1);
            self.refusals.know(transaction);
            let host = self.stack.host();
            self.record_later(flow, reason, || invite::translate(request, host).ok());
        }
        Err(answer)
    }

    /// The same of a request that begins no call. One that nothing need be looked up
    /// for has its answer here.
    pub(super) fn admit_request(&self, source: IpAddr, request: &Request) -> Result<(), Reply> {
        let refused = |refused: Refused| {
            metrics::counter!("ringledger_sip_requests_refused_total", "limit" => refused.as_str())
                .increment(1);
            self.admission.refusal()
        };
        let admitted = self.admission.admit_request(source, Instant::now());
        admitted.map_err(refused)?;
        let (answer, is_seen) = match request.method {
            Method::Options => (Some(options::answer()), false),
            Method::Register => match self.shown(request, source) {
                Shown::Nothing => (Some(self.challenge(request, source)), false),
                Shown::Elsewhere => (None, false),
                Shown::Here => (None, true),
            },
            // Without a tag in To there is no dialog for it.
            Method::Bye | Method::Info => (Some(Reply::new(481)), false),
            // Whoever is in no call can not send anybody elsewhere.
            Method::Refer => (Some(Reply::new(403)), false),
            // INVITEs are calls, and the boundary has answered the others.
            Method::Invite
            | Method::Ack
            | Method::Cancel
            | Method::Update
            | Method::Message
            | Method::Notify
            | Method::Subscribe
            | Method::Prack
            | Method::Publish => (None, false),
        };
        if let Some(answer) = answer {
            let method = request.method.as_str();
            metrics::counter!("ringledger_sip_requests_total", "method" => method).increment(1);
            return Err(answer);
        }
        let kept = self.stack.transactions_kept();
        self.admission.keep(kept, is_seen).map_err(refused)
    }
}

/// How a call ends that finds no room.
const fn end_of(refused: Refused) -> EndReason {
    match refused {
        Refused::Source | Refused::Calls | Refused::Transactions | Refused::Setups => {
            EndReason::Overload
        }
        Refused::Closing => EndReason::Shutdown,
    }
}
