//! Calls that were turned away before anything of them was in the record: because
//! there is no room for them, because too many others were refused in this second, or
//! because the log or the keys are away.
//! They are answered at once and recorded behind, as many a second as the options
//! say: nobody fills the log, and a burst is not lost. What is more than can wait is
//! summed up, one event a second and reason, also while the others can not be recorded:
//! no call is without a trace. Those that the log may have already go first, and stand in
//! no sum while there is room for them: none is counted twice.

use super::Driver;
use crate::{inbound::invite::NewCall, transport::Flow};
use commands::{envelope::Envelope, error::DispatchError};
use domain::{
    any::AnyCommand,
    call::{Command, Route},
    cause::{EndReason, WireCause},
    id::{CallId, CommandId, LegId, RefusalsId},
    refusals,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    hash::{BuildHasher as _, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Calls that wait to be recorded, at most, and as many more of which the log has not said
/// whether it has them; what is beyond is summed up.
const WAITING_MAX: usize = 4_096;
/// INVITEs that are known again when they are repeated, the last ones: as each is
/// repeated for 64*T1 at most (RFC 3261, 17.1.1.2), all of up to 512 a second.
const KNOWN_MAX: usize = 16_384;
/// How often calls are summed up that are beyond.
const SUM_EVERY: Duration = Duration::from_secs(1);
/// How long the last ones may take at the end, where the store does not answer.
const FAREWELL: Duration = Duration::from_secs(2);
/// Pause before more are recorded, when there was no room, and before one is tried
/// again on a store that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// A call that was turned away.
#[derive(Debug)]
pub(super) struct TurnedAway<K> {
    known: K,
    at: Timestamp,
    reason: EndReason,
}

/// What the INVITE of a call says, and from where it came.
#[derive(Debug)]
pub(super) struct Said(Box<NewCall>, Flow);

/// The command that the log has not answered. It may have had its effect.
#[derive(Debug)]
pub(super) struct Sent(Box<Envelope>, (CallId, LegId));

/// One that waits to be recorded.
#[derive(Debug)]
enum Next {
    Sent(TurnedAway<Sent>),
    Said(TurnedAway<Said>),
}

/// What a call of that route is turned away for, when it can not be recorded now.
pub(super) const fn reason_of(route: &Route) -> EndReason {
    match route {
        Route::Refused(reason) => *reason,
        Route::Queue { .. } | Route::Forward { .. } => EndReason::Overload,
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    waiting: Mutex<Waiting>,
    /// Calls, those of sums too, that are on their way into the record.
    under_way: AtomicU64,
    hasher: RandomState,
    more: Notify,
}

/// Calls that are summed up, by reason.
type Sums = BTreeMap<EndReason, Sum>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    calls_count: u64,
    since: Timestamp,
}

fn sum_up(sums: &mut Sums, reason: EndReason, at: Timestamp) {
    let sum = sums.entry(reason).or_insert(Sum {
        calls_count: 0,
        since: at,
    });
    sum.calls_count += 1;
    sum.since = sum.since.min(at);
}

#[derive(Debug, Default)]
struct Waiting {
    calls: VecDeque<TurnedAway<Said>>,
    sent: VecDeque<TurnedAway<Sent>>,
    beyond: Sums,
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

    /// Has a call recorded behind; if there is no room for it, it is summed up and not
    /// even read.
    pub(super) fn add(
        &self,
        at: Timestamp,
        reason: EndReason,
        turned: impl FnOnce() -> Option<TurnedAway<Said>>,
    ) {
        if self.waiting().calls.len() >= WAITING_MAX {
            sum_up(&mut self.waiting().beyond, reason, at);
        } else if let Some(turned) = turned() {
            self.waiting().calls.push_back(turned);
            self.more.notify_one();
        }
    }

    /// The same of one that the log may have.
    fn add_again(&self, turned: TurnedAway<Sent>) {
        let mut waiting = self.waiting();
        if waiting.sent.len() >= WAITING_MAX {
            sum_up(&mut waiting.beyond, turned.reason, turned.at);
        } else {
            waiting.sent.push_back(turned);
            self.more.notify_one();
        }
    }

    /// The first that waits; from now on it is under way.
    fn next(&self) -> Option<Next> {
        let next = self.next_sent().map(Next::Sent);
        next.or_else(|| {
            let said = self.waiting().calls.pop_front()?;
            self.under_way.fetch_add(1, Ordering::Relaxed);
            Some(Next::Said(said))
        })
    }

    /// The same of those that the log may have.
    fn next_sent(&self) -> Option<TurnedAway<Sent>> {
        let sent = self.waiting().sent.pop_front()?;
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Some(sent)
    }

    /// Whether no call waits; sums may.
    fn is_empty(&self) -> bool {
        let waiting = self.waiting();
        waiting.calls.is_empty() && waiting.sent.is_empty()
    }

    /// What is beyond; from now on its calls are under way.
    fn take_beyond(&self) -> Sums {
        self.begin(std::mem::take(&mut self.waiting().beyond))
    }

    /// The same, with all that waits and that the log can not have.
    fn take_all(&self) -> Sums {
        let mut waiting = self.waiting();
        let mut sums = std::mem::take(&mut waiting.beyond);
        for turned in waiting.calls.drain(..) {
            sum_up(&mut sums, turned.reason, turned.at);
        }
        self.begin(sums)
    }

    fn begin(&self, sums: Sums) -> Sums {
        let calls = sums.values().map(|sum| sum.calls_count).sum();
        self.under_way.fetch_add(calls, Ordering::Relaxed);
        sums
    }

    /// Calls of which nothing is in the record.
    fn left(&self) -> u64 {
        let waiting = self.waiting();
        let beyond: u64 = waiting.beyond.values().map(|sum| sum.calls_count).sum();
        let calls = waiting.calls.len() + waiting.sent.len();
        calls as u64 + beyond + self.under_way.load(Ordering::Relaxed)
    }
}

/// Records what was turned away until `shutdown`.
pub(super) async fn run(driver: Driver, shutdown: CancellationToken) {
    let calls = async {
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
    let sums = async {
        let mut ticks = tokio::time::interval(SUM_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            driver.record_sums(driver.refusals.take_beyond()).await;
        }
    };
    let work = async { tokio::join!(calls, sums) };
    tokio::select! {
        _ = work => {}
        () = shutdown.cancelled() => {}
    }
    let left = driver.refusals.left();
    if left > 0 {
        tracing::warn!(left, "refused calls are not on record");
        unrecorded(left);
    }
}

/// Calls that were refused and are on no record.
pub(super) fn unrecorded(count: u64) {
    metrics::counter!("ringledger_sip_refusals_unrecorded_total").increment(count);
}

impl Driver {
    /// Sums up what still waits, so that it is in the record when the node ends. What the
    /// log may have is brought there by itself.
    pub(super) async fn settle_refusals(&self) {
        let recorded = async {
            self.record_sums(self.refusals.take_all()).await;
            while let Some(sent) = self.refusals.next_sent() {
                self.record_sent(sent).await;
            }
        };
        // What is left is counted when the task ends.
        let _ = tokio::time::timeout(FAREWELL, recorded).await;
    }

    async fn record_sums(&self, sums: Sums) {
        for (reason, sum) in sums {
            self.record_sum(reason, sum).await;
        }
    }

    async fn record_sum(&self, reason: EndReason, sum: Sum) {
        let at = self.parts.clock.now();
        let id = RefusalsId(self.parts.entropy.uuid(at));
        let command = refusals::Command::Sum {
            reason,
            calls_count: sum.calls_count,
            // The clock may have been set back meanwhile.
            since: sum.since.min(at),
        };
        let envelope = self.envelope(AnyCommand::Refusals(id, command), id.0);
        if self.commit(Envelope { at, ..envelope }).await {
            let summed = metrics::counter!("ringledger_sip_refusals_summed_total");
            summed.increment(sum.calls_count);
        } else {
            unrecorded(sum.calls_count);
        }
        let under_way = &self.refusals.under_way;
        under_way.fetch_sub(sum.calls_count, Ordering::Relaxed);
    }

    /// Has a call recorded behind that was answered with a refusal.
    pub(super) fn record_later(
        &self,
        flow: Flow,
        reason: EndReason,
        new: impl FnOnce() -> Option<NewCall>,
    ) {
        let at = self.parts.clock.now();
        self.refusals.add(at, reason, || {
            new().map(|new| TurnedAway {
                known: Said(Box::new(new), flow),
                at,
                reason,
            })
        });
    }

    /// Has a call recorded behind of which the log has not said whether it has it: the
    /// same command again, under the same id, has one effect. If the first try had it,
    /// the call was taken in after all, and its caller has left.
    pub(super) fn record_again(
        &self,
        mut envelope: Envelope,
        (call, leg): (CallId, LegId),
        reason: EndReason,
    ) {
        self.submit(call, left(leg));
        if let AnyCommand::Call(_, Command::ReceiveCall { route, .. }) = &mut envelope.command {
            *route = Route::Refused(reason);
        }
        self.refusals.add_again(TurnedAway {
            at: envelope.at,
            known: Sent(Box::new(envelope), (call, leg)),
            reason,
        });
    }

    /// Brings it into the record, however long the store is away.
    async fn record_refusal(&self, next: Next) {
        let turned = match next {
            Next::Sent(turned) => return self.record_sent(turned).await,
            Next::Said(turned) => turned,
        };
        let TurnedAway { known, at, reason } = turned;
        let Said(new, flow) = known;
        let envelope = self.refused_call(*new, flow, at, reason).await;
        let is_recorded = self.commit(envelope).await;
        self.recorded(is_recorded);
    }

    async fn record_sent(&self, turned: TurnedAway<Sent>) {
        let Sent(envelope, (call, leg)) = turned.known;
        let is_recorded = self.commit(*envelope).await;
        // The first try may have come through since the caller was said to have
        // left; of a call that is over this is nothing.
        self.submit(call, left(leg));
        self.recorded(is_recorded);
    }

    /// One that was under way is there, or is not to be had.
    fn recorded(&self, is_recorded: bool) {
        if !is_recorded {
            unrecorded(1);
        }
        self.refusals.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// The command that records it; tried for as long as the keys are away.
    async fn refused_call(
        &self,
        new: NewCall,
        flow: Flow,
        at: Timestamp,
        reason: EndReason,
    ) -> Envelope {
        let [call, leg, command] = [(); 3].map(|()| self.parts.entropy.uuid(at));
        let (from, diversion) = loop {
            match self.seal(&new).await {
                Ok(sealed) => break sealed,
                Err(error) => {
                    tracing::warn!(%error, "caller can not be sealed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        let received = Command::ReceiveCall {
            leg: LegId(leg),
            from,
            withheld: new.withheld,
            to: new.to,
            trunk: self.trunk_of(flow),
            sip_call_id: new.sip_call_id,
            user_agent: new.user_agent,
            diversion,
            route: Route::Refused(reason),
        };
        Envelope {
            at,
            command_id: CommandId(command),
            ..self.envelope(AnyCommand::Call(CallId(call), received), call)
        }
    }

    /// Whether it is in the record now; tried for as long as the store is away.
    async fn commit(&self, envelope: Envelope) -> bool {
        loop {
            match self.parts.gateway.dispatch(envelope.clone()).await {
                Ok(_) => return true,
                Err(DispatchError::Conflict | DispatchError::Unavailable(_)) => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error @ (DispatchError::Refused(_) | DispatchError::Corrupt(_))) => {
                    tracing::error!(%error, "a refused call was not recorded");
                    return false;
                }
            }
        }
    }
}

/// The caller of that leg has left.
fn left(leg: LegId) -> Command {
    let wire = WireCause::default();
    Command::RecordCancel { leg, wire }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;
    use domain::sealed::Party;
    use uuid::Uuid;

    fn turned_away() -> TurnedAway<Said> {
        let new = NewCall {
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
        };
        let flow = Flow {
            transport: Transport::Udp,
            peer: ([192, 0, 2, 1], 5060).into(),
        };
        TurnedAway {
            known: Said(Box::new(new), flow),
            at: Timestamp::default(),
            reason: EndReason::Overload,
        }
    }

    fn crowd(calls: usize) -> Refusals {
        let refusals = Refusals::default();
        for number in 0..calls {
            let at = Timestamp::default().plus_ms(number as u64);
            let reason = EndReason::Overload;
            refusals.add(at, reason, || Some(turned_away()));
        }
        refusals
    }

    #[test]
    fn so_many_wait_and_the_others_are_summed_up_since_the_first() {
        let refusals = crowd(WAITING_MAX + 10);
        let sum = Sum {
            calls_count: 10,
            since: Timestamp::default().plus_ms(WAITING_MAX as u64),
        };
        assert_eq!(refusals.left(), WAITING_MAX as u64 + 10);
        assert_eq!(refusals.take_beyond(), [(EndReason::Overload, sum)].into());
        assert_eq!(refusals.take_beyond(), [].into());
        let waited = std::iter::from_fn(|| refusals.next()).count();
        assert_eq!(waited, WAITING_MAX);
        assert_eq!(refusals.left(), WAITING_MAX as u64 + 10, "under way");
    }

    #[test]
    fn what_waits_at_the_end_is_summed_up_too() {
        let refusals = crowd(WAITING_MAX + 10);
        let sum = Sum {
            calls_count: WAITING_MAX as u64 + 10,
            since: Timestamp::default(),
        };
        assert_eq!(refusals.take_all(), [(EndReason::Overload, sum)].into());
        assert!(refusals.is_empty());
    }

    #[test]
    fn what_the_log_may_have_goes_first_and_is_in_no_sum_of_what_waits() {
        let refusals = crowd(2);
        let sent = |number: u128| {
            let call = CallId(Uuid::from_u128(number));
            let command = AnyCommand::Call(call, left(LegId(Uuid::nil())));
            let envelope = Envelope {
                command,
                command_id: CommandId(Uuid::nil()),
                at: Timestamp::default(),
                correlation_id: Uuid::nil(),
                causation_id: Uuid::nil(),
                actor: String::new(),
                tenant: domain::id::DEFAULT_TENANT,
            };
            TurnedAway {
                known: Sent(Box::new(envelope), (call, LegId(Uuid::nil()))),
                at: Timestamp::default(),
                reason: EndReason::Overload,
            }
        };
        refusals.add_again(sent(1));
        refusals.add_again(sent(2));
        assert_eq!(refusals.left(), 4);
        assert!(matches!(refusals.next(), Some(Next::Sent(_))));
        let sums = refusals.take_all();
        assert_eq!(sums[&EndReason::Overload].calls_count, 2);
        assert!(refusals.next_sent().is_some() && refusals.next_sent().is_none());
        assert!(refusals.is_empty());
    }

    #[test]
    fn what_is_no_call_is_neither_recorded_nor_counted() {
        let refusals = Refusals::default();
        refusals.add(Timestamp::default(), EndReason::Overload, || None);
        assert!(refusals.is_empty() && refusals.left() == 0);
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
