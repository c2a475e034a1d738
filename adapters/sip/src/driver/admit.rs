//! Who gets a transaction: it is kept for half a minute, so that whatever may have been
//! sent in the name of another address has its answer without one (RFC 3261, 8.2.7).

use super::Driver;
use crate::{
    admission::{Load, Refused},
    inbound::invite,
    message::Request,
    stack::Reply,
    status,
};
use domain::cause::EndReason;
use std::{net::IpAddr, sync::atomic::Ordering, time::Instant};

impl Driver {
    /// Whether a new call gets a transaction, or the answer that turns it away: from
    /// where no trunk leads to us, or for want of room. It is recorded behind; an INVITE
    /// that is no call is not.
    pub(super) fn admit_call(
        &self,
        source: IpAddr,
        request: &Request,
        transaction: &str,
    ) -> Result<(), Reply> {
        let is_repeated = self.refusals.knows(transaction);
        let (reason, limit, answer) = if self.is_shut_to(source) {
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
            match self.admission.admit(source, load, Instant::now()) {
                Ok(()) => return Ok(()),
                Err(refused) => (end_of(refused), refused.as_str(), self.admission.refusal()),
            }
        };
        if !is_repeated {
            metrics::counter!("ringledger_sip_calls_refused_total", "limit" => limit).increment(1);
            self.refusals.know(transaction);
            let host = self.stack.host();
            self.record_later(source, reason, || invite::translate(request, host).ok());
        }
        Err(answer)
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
