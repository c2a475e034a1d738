//! What is due by the clock: repeated 180s and 183s, probes of phones that are not heard,
//! callers who can not be told anything, CANCELs that nobody answers, expired
//! bindings, legs to be forgotten.

use super::Driver;
use crate::legs::{LINGER, Leg, Legs, Side, caller, fork};
use domain::{
    call::Command,
    id::{CallId, LegId},
};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);

/// How much longer than its transaction a leg waits for an ACK.
const ACK_SLACK: Duration = Duration::from_secs(5);

/// Ticks until `shutdown`.
pub(super) async fn run(driver: Driver, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut adopted = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let per_second = driver.options.refused_records_per_s;
        driver.refused_records.store(per_second, Ordering::Relaxed);
        driver.tend_legs(Instant::now());
        driver.tend_bindings();
        let there = driver.nodes_there();
        if driver.parts.roster.is_shared()
            && adopted.as_ref() != Some(&there)
            && driver.learn_flow_key().await
            && driver.adopt_phones().await
        {
            adopted = Some(there);
        }
    }
}

impl Driver {
    fn tend_legs(&self, now: Instant) {
        let mut legs = self.legs();
        legs.sweep(now);
        let ring_repeat = Duration::from_millis(self.options.ring_repeat_ms);
        let probe_interval = Duration::from_millis(self.options.probe_interval_ms);
        let patience = self.options.t1x64();
        let unheard = legs.unheard_calls();
        let mut live = 0_u32;
        let mut lost = Vec::new();
        for leg in legs.live_mut() {
            live += 1;
            if is_due(rang_at(leg), ring_repeat, now) {
                self.ring_again(leg);
            }
            let is_unheard = match leg.is_supervisor() {
                true => leg.is_unheard(),
                false => unheard.contains(&leg.call),
            };
            if is_unheard && leg.is_confirmed() {
                // The first probe comes one interval after the hold began.
                let since = *leg.probed_at.get_or_insert(now);
                if is_due(Some(since), probe_interval, now) {
                    leg.probed_at = Some(now);
                    if self.probe(leg, now) {
                        lost.push((leg.call, leg.id));
                    }
                }
            } else if self.is_cut_off(leg) {
                // It may be on its way back; told again if the call goes on.
                if is_due(Some(*leg.away_since.get_or_insert(now)), patience, now) {
                    leg.away_since = Some(now);
                    lost.push((leg.call, leg.id));
                }
            } else {
                (leg.probed_at, leg.away_since) = (None, None);
            }
            give_up_cancelled(leg, now);
        }
        lost.extend(self.give_up_unacknowledged(&mut legs, now));
        drop(legs);
        for (call, leg) in lost {
            self.record(call, Command::RecordSignallingLost { leg });
        }
        metrics::gauge!("ringledger_sip_legs").set(live);
        let transactions = u32::try_from(self.stack.transactions()).unwrap_or(u32::MAX);
        metrics::gauge!("ringledger_sip_transactions").set(transactions);
    }

    /// Whether a caller waits for an answer that there is no way for: the connection of
    /// the INVITE is gone.
    fn is_cut_off(&self, leg: &Leg) -> bool {
        match &leg.side {
            Side::Caller(caller) if caller.state == caller::State::Early => {
                !self.stack.is_open(caller.invite.flow())
            }
            Side::Caller(_) | Side::Agent(_) => false,
        }
    }

    /// Ends the legs of callers whose ACK is missing for longer than their transaction
    /// waits for it: whatever has become of that, such a leg must not keep its place
    /// for ever. Those of which the record does not know yet come back.
    fn give_up_unacknowledged(&self, legs: &mut Legs, now: Instant) -> Vec<(CallId, LegId)> {
        let patience = self.options.t1x64() + ACK_SLACK;
        let overdue: Vec<(CallId, LegId)> = legs
            .live_mut()
            .filter(|leg| is_due(unacknowledged_since(leg), patience, now))
            .map(|leg| (leg.call, leg.id))
            .collect();
        let mut lost = Vec::new();
        for (call, leg) in overdue {
            tracing::warn!(%call, %leg, "transaction did not tell that no ack came");
            let left = self.caller(legs, leg, caller::Input::AckMissing, None);
            if left.contains(&caller::Action::ReportLost) {
                lost.push((call, leg));
            }
        }
        lost
    }
}

fn unacknowledged_since(leg: &Leg) -> Option<Instant> {
    let Side::Caller(caller) = &leg.side else {
        return None;
    };
    match caller.state {
        caller::State::Answered | caller::State::Leaving => caller.answered_at,
        caller::State::Early | caller::State::Confirmed | caller::State::Ended => None,
    }
}

fn rang_at(leg: &Leg) -> Option<Instant> {
    match &leg.side {
        Side::Caller(caller) if caller.state == caller::State::Early => caller.rang_at,
        Side::Caller(_) | Side::Agent(_) => None,
    }
}

fn is_due(since: Option<Instant>, interval: Duration, now: Instant) -> bool {
    since.is_some_and(|since| now.saturating_duration_since(since) >= interval)
}

/// An INVITE that was cancelled and has no final response after 64*T1 counts
/// as ended (RFC 3261, 9.1).
fn give_up_cancelled(leg: &Leg, now: Instant) {
    let Side::Agent(agent) = &leg.side else {
        return;
    };
    if !is_due(agent.released_at, LINGER, now) {
        return;
    }
    for fork in &agent.forks {
        if let (fork::State::Cancelling | fork::State::Unwanted, Some(invite)) =
            (fork.state, &fork.invite)
        {
            invite.abandon();
        }
    }
}
