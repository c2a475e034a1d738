//! Calls that were turned away before anything of them was in the record: because
//! there is no room for them, or because too many others were refused in this second.
//! They are answered at once and recorded behind, as many a second as the options
//! say: nobody fills the log, and a burst is not lost.

use super::Driver;
use crate::inbound::invite::NewCall;
use commands::{envelope::Envelope, error::DispatchError};
use domain::{
    any::AnyCommand,
    call::{Command, Route},
    cause::EndReason,
    id::{CallId, LegId},
    time::Timestamp,
};
use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Calls that wait to be recorded, at most; what is beyond is counted only.
const WAITING_MAX: usize = 4_096;
/// INVITEs that are known again when they are repeated, the last ones: as each is
/// repeated for 64*T1 at most (RFC 3261, 17.1.1.2), all of up to 512 a second.
const KNOWN_MAX: usize = 16_384;
/// Pause before more are recorded, when there was no room, and before one is tried
/// again on a store that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// A call that was turned away.
#[derive(Debug)]
pub(super) struct TurnedAway {
    pub(super) new: NewCall,
    pub(super) source: IpAddr,
    pub(super) at: Timestamp,
    pub(super) reason: EndReason,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    waiting: Mutex<Waiting>,
    hasher: RandomState,
    more: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    calls: VecDeque<TurnedAway>,
    /// Hashes of transactions: whoever sends them makes them as long as they may be.
    known: HashSet<u64>,
    known_order: VecDeque<u64>,
}

impl Refusals {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the INVITE of that transaction was turned away before.
    pub(super) fn knows(&self, transaction: &str) -> bool {
        let known = self.hasher.hash_one(transaction);
        self.waiting().known.contains(&known)
    }

    /// The INVITE of that transaction is turned away from now on.
    pub(super) fn know(&self, transaction: &str) {
        let known = self.hasher.hash_one(transaction);
        let mut waiting = self.waiting();
        if waiting.known.insert(known) {
            waiting.known_order.push_back(known);
        }
        if waiting.known_order.len() > KNOWN_MAX
            && let Some(oldest) = waiting.known_order.pop_front()
        {
            waiting.known.remove(&oldest);
        }
    }

    /// Has a call recorded behind; if there is no room for it, it is counted only and
    /// not even read.
    pub(super) fn add(&self, turned: impl FnOnce() -> Option<TurnedAway>) {
        if self.waiting().calls.len() >= WAITING_MAX {
            unrecorded(1);
            return;
        }
        if let Some(turned) = turned() {
            self.waiting().calls.push_back(turned);
            self.more.notify_one();
        }
    }

    fn next(&self) -> Option<TurnedAway> {
        self.waiting().calls.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.waiting().calls.is_empty()
    }
}

/// Records what was turned away until `shutdown`. What then still waits is not on
/// record.
pub(super) async fn run(driver: Driver, shutdown: CancellationToken) {
    let work = async {
        loop {
            if driver.refusals.is_empty() {
                driver.refusals.more.notified().await;
            }
            // Calls that may be taken in go first.
            if driver.admission.is_crowded() || !driver.may_record_refusal() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if let Some(turned) = driver.refusals.next() {
                driver.record_refusal(turned).await;
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = shutdown.cancelled() => {}
    }
    unrecorded(driver.refusals.waiting().calls.len() as u64);
}

/// Calls that were refused and are on no record.
fn unrecorded(count: u64) {
    metrics::counter!("ringledger_sip_refusals_unrecorded_total").increment(count);
}

impl Driver {
    /// Brings it into the record, however long the store is away.
    async fn record_refusal(&self, turned: TurnedAway) {
        let TurnedAway {
            new,
            source,
            at,
            reason,
        } = turned;
        let [call, leg, command] = [(); 3].map(|()| self.parts.entropy.uuid(at));
        let sealed = loop {
            match self.seal(&new).await {
                Ok(sealed) => break sealed,
                Err(error) => {
                    tracing::warn!(%error, "caller can not be sealed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        let (from, diversion) = sealed;
        let received = Command::ReceiveCall {
            leg: LegId(leg),
            from,
            withheld: new.withheld,
            to: new.to,
            trunk: self.trunk_of(source),
            sip_call_id: new.sip_call_id,
            user_agent: new.user_agent,
            diversion,
            route: Route::Refused(reason),
        };
        let envelope = Envelope {
            at,
            command_id: domain::id::CommandId(command),
            ..self.envelope(AnyCommand::Call(CallId(call), received), call)
        };
        loop {
            match self.parts.gateway.dispatch(envelope.clone()).await {
                Ok(_) => return,
                Err(DispatchError::Conflict | DispatchError::Unavailable(_)) => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error @ (DispatchError::Refused(_) | DispatchError::Corrupt(_))) => {
                    tracing::error!(%error, "a refused call was not recorded");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::sealed::Party;

    fn turned_away() -> TurnedAway {
        TurnedAway {
            new: NewCall {
                from: Party::default(),
                shown_as: String::new(),
                withheld: false,
                to: "support".into(),
                sip_call_id: "c1".into(),
                user_agent: None,
                diverted: None,
                offer: None,
                hops: 70,
                refused: None,
            },
            source: IpAddr::from([192, 0, 2, 1]),
            at: Timestamp::default(),
            reason: EndReason::Overload,
        }
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let refusals = Refusals::default();
        for _ in 0..WAITING_MAX + 10 {
            refusals.add(|| Some(turned_away()));
        }
        let waited = std::iter::from_fn(|| refusals.next()).count();
        assert_eq!(waited, WAITING_MAX);
    }

    #[test]
    fn the_last_transactions_are_known_again() {
        let refusals = Refusals::default();
        for number in 0..=KNOWN_MAX {
            refusals.know(&format!("branch-{number}"));
            refusals.know("branch-1");
        }
        assert!(!refusals.knows("branch-0"));
        assert!(refusals.knows("branch-1") && refusals.knows(&format!("branch-{KNOWN_MAX}")));
    }
}
