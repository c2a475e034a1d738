//! Calls whose payer pays before: credit is reserved when they begin and, once
//! they are answered, slice by slice before the last one is used up. A call
//! whose payer has no credit for another slice ends when the last one does.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    billing::{
        self,
        account::{self, PaymentMode},
        rating,
    },
    call,
    cause::EndReason,
    id::{AccountId, CallId},
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The next slice is asked for this long before the last one ends, or half a
/// slice before, if that is less.
const AHEAD_MS: u64 = 5_000;

/// So long before the end of a call that has no more credit its caller is told,
/// or half a slice before, if that is less.
const ANNOUNCED_MS: u64 = 3_000;

/// Reserves credit.
#[derive(Debug)]
pub struct Credit;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Somebody pays before: without one no call is watched.
    has_prepaid: bool,
    /// One of those owns agents or trunks: who pays may be known only once a call is
    /// connected, or goes out.
    #[serde(default)]
    pays_late: bool,
    calls: BTreeMap<CallId, Watched>,
    due: BTreeSet<(Timestamp, CallId)>,
}

/// A call that is paid before, or may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Watched {
    /// Who pays; none until the rater has said so.
    account: Option<AccountId>,
    /// Credit that is asked for and not answered, in order.
    #[serde(default)]
    asks: Vec<Ask>,
    /// Seconds of talk that are paid.
    paid_s: u32,
    slice_s: u32,
    answered_at: Option<Timestamp>,
    /// The event that the next slice follows from.
    cause: Option<Uuid>,
    /// No more credit: the call ends with the slice.
    is_last: bool,
    /// The caller was told so.
    #[serde(default)]
    is_announced: bool,
    /// A leg goes out that the credit reserved so far does not cover.
    #[serde(default)]
    is_uncovered: bool,
    /// We placed it: whoever is rung back has not answered with the agent.
    #[serde(default)]
    is_placed: bool,
    /// It has ended; what it came to is not known yet.
    #[serde(default)]
    is_over: bool,
    /// When something is to be done.
    due: Option<Timestamp>,
}

/// Credit that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ask {
    /// In all, and until when: what the account's answer says of it.
    amount: Decimal,
    until: Option<Timestamp>,
    /// Seconds of talk that are paid by it, in all.
    seconds: u32,
}

impl Process for Credit {
    const NAME: &'static str = "credit";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Refused {
                command_id,
                command: AnyCommand::Billing(command),
                ..
            } => match command.as_ref() {
                billing::Command::Account(
                    _,
                    account::Command::ReserveCredit {
                        call,
                        amount,
                        until,
                    },
                ) => on_refused(state, command_id.0, *call, (*amount, *until)),
                billing::Command::Account(..)
                | billing::Command::Seller(..)
                | billing::Command::Plan(..)
                | billing::Command::Deck(..)
                | billing::Command::Rating(..)
                | billing::Command::Usage(..)
                | billing::Command::Invoice(..)
                | billing::Command::CreditNote(..)
                | billing::Command::Series(..) => vec![],
            },
            Input::Deadline(now) => on_deadline(state, *now),
            Input::Refused { .. } | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(at, _)| *at)
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match &fact.event {
        AnyEvent::Call(call, event) => on_call(state, fact, *call, event),
        AnyEvent::Billing(billing::Event::Account(_, event)) => on_account(state, cause, event),
        AnyEvent::Billing(billing::Event::Rating(call, event)) => match event {
            rating::Event::Started {
                account,
                amount,
                seconds,
            }
            | rating::Event::Extended {
                account,
                amount,
                seconds,
            } => on_asked(state, cause, *call, (*account, *amount, *seconds)),
            rating::Event::Exhausted { .. }
            | rating::Event::Dismissed { .. }
            | rating::Event::Restored { .. } => vec![],
            rating::Event::Rated { bill, .. } => on_rated(state, cause, *call, bill),
            rating::Event::Unrated { .. } => on_unrated(state, cause, *call),
        },
        AnyEvent::Billing(_)
        | AnyEvent::Line(..)
        | AnyEvent::Session(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..) => vec![],
    }
}

fn ask(cause: Uuid, command: billing::Command) -> Intent {
    Intent::new(cause, AnyCommand::Billing(Box::new(command)))
}

fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &call::Event) -> Vec<Intent> {
    match event {
        call::Event::Routed { .. } if state.has_prepaid => {
            return vec![watch(state, fact.event_id.0, call)];
        }
        call::Event::LegDialled { .. } if state.has_prepaid => {
            return on_dialled(state, fact.event_id.0, call);
        }
        call::Event::Placed { .. } if state.has_prepaid => {
            let watched = Watched {
                is_placed: true,
                ..Watched::default()
            };
            state.calls.insert(call, watched);
        }
        call::Event::Answered {} => answered(state, fact.at, call, false),
        call::Event::AgentConnected { .. } => {
            answered(state, fact.at, call, false);
            return on_known(state, fact.event_id.0, call);
        }
        call::Event::TrunkSelected { .. } => return on_known(state, fact.event_id.0, call),
        call::Event::LegAnswered { .. } => answered(state, fact.at, call, true),
        call::Event::Ended { .. } => {
            state.unplan(call);
            if let Some(watched) = state.calls.get_mut(&call) {
                watched.is_over = true;
                if watched.account.is_none() {
                    state.calls.remove(&call);
                }
            }
        }
        call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Enqueued { .. }
        | call::Event::ExitKeyPressed { .. }
        | call::Event::PlaceTold { .. }
        | call::Event::Overflowed { .. }
        | call::Event::AnnouncementStarted { .. }
        | call::Event::VoicemailStarted { .. }
        | call::Event::VoicemailEnded { .. }
        | call::Event::Forwarded { .. }
        | call::Event::LegDialled { .. }
        | call::Event::LegProgressed { .. }
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::Placed { .. }
        | call::Event::AnswerOrdered { .. }
        | call::Event::AnswerOrderRefused { .. }
        | call::Event::Withdrawn { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::MediaMeasured { .. }
        | call::Event::SupervisionRequested { .. }
        | call::Event::SupervisionStarted { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::TakenOver { .. }
        | call::Event::Transferred { .. }
        | call::Event::SupervisionEnded { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => {}
    }
    vec![]
}

/// From now on it costs: with the caller's answer, or with that of whoever is rung
/// back.
fn answered(state: &mut State, at: Timestamp, call: CallId, is_placed: bool) {
    if let Some(watched) = state.calls.get_mut(&call)
        && watched.is_placed == is_placed
    {
        watched.answered_at.get_or_insert(at);
        state.plan(call);
    }
}

/// The call begins to be watched: the rater says whether it is paid before.
fn watch(state: &mut State, cause: Uuid, call: CallId) -> Intent {
    state.calls.entry(call).or_default();
    let start = rating::Command::Start { quote: None };
    ask(cause, billing::Command::Rating(call, start))
}

/// An agent or a trunk is known now, whose owner may pay where nobody did. Who pays already
/// pays to the end.
fn on_known(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
    let unpaid = |watched: &Watched| watched.account.is_none() && !watched.is_over;
    if !state.pays_late || !state.calls.get(&call).is_some_and(unpaid) {
        return vec![];
    }
    vec![watch(state, cause, call)]
}

/// A leg goes out, which costs too: credit for it is reserved before it can be
/// answered for long.
fn on_dialled(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
    let Some(watched) = state.calls.get_mut(&call) else {
        return vec![watch(state, cause, call)];
    };
    watched.is_uncovered = true;
    if watched.paid_s == 0 {
        // What is asked for just now may not know of it.
        return vec![];
    }
    vec![extend(cause, call)]
}

fn extend(cause: Uuid, call: CallId) -> Intent {
    let extend = rating::Command::Extend { quote: None };
    ask(cause, billing::Command::Rating(call, extend))
}

fn on_account(state: &mut State, cause: Uuid, event: &account::Event) -> Vec<Intent> {
    match event {
        account::Event::Opened { profile, .. } | account::Event::Configured { profile, .. } => {
            let is_prepaid = profile.payment_mode == PaymentMode::Prepaid;
            let owned = &profile.owned;
            let is_late = !owned.agents.is_empty() || !owned.trunks.is_empty();
            state.has_prepaid |= is_prepaid;
            state.pays_late |= is_prepaid && is_late;
        }
        account::Event::CreditReserved {
            call,
            amount,
            until,
        } => {
            if let Some(watched) = state.calls.get_mut(call) {
                let is_first = watched.paid_s == 0;
                let seconds = watched.answered((*amount, *until));
                // Fewer than before, where a leg goes out that costs more.
                watched.paid_s = seconds.unwrap_or(watched.paid_s);
                let is_uncovered = watched.is_uncovered && is_first;
                watched.is_uncovered = is_uncovered;
                state.plan(*call);
                if is_uncovered {
                    return vec![extend(cause, *call)];
                }
            }
        }
        account::Event::UsageCommitted { call, .. } | account::Event::CreditReleased { call } => {
            if let Some(watched) = state.calls.get(call)
                && watched.is_over
            {
                // Nothing is reserved for it any more. What is asked for just now may
                // be, once it is answered.
                if !watched.asks.is_empty() {
                    return release(state, cause, *call);
                }
                state.calls.remove(call);
            }
        }
        account::Event::CreditLimitSet { .. }
        | account::Event::PlanSubscribed { .. }
        | account::Event::PlanChanged { .. }
        | account::Event::ChargePosted { .. }
        | account::Event::CreditApplied { .. }
        | account::Event::CreditTakenBack { .. }
        | account::Event::InvoiceBegun { .. }
        | account::Event::DebitWrittenOff { .. }
        | account::Event::InvoiceDropped { .. }
        | account::Event::CreditNoteSettled { .. }
        | account::Event::CreditNotePosted { .. }
        | account::Event::DebtWrittenOff { .. }
        | account::Event::CreditRefunded { .. }
        | account::Event::PaymentApplied { .. }
        | account::Event::PaymentReversed { .. }
        | account::Event::Suspended { .. }
        | account::Event::Reactivated {}
        | account::Event::Closed {} => {}
    }
    vec![]
}

/// The rater has said what the next slice costs: it is to be reserved.
fn on_asked(
    state: &mut State,
    cause: Uuid,
    call: CallId,
    (account, amount, seconds): (AccountId, Decimal, u32),
) -> Vec<Intent> {
    let Some(watched) = state.calls.get_mut(&call) else {
        return vec![];
    };
    watched.account = Some(account);
    if watched.slice_s == 0 {
        watched.slice_s = seconds;
    }
    watched.cause = Some(cause);
    let until = watched
        .answered_at
        .map(|at| at.plus_ms(u64::from(seconds) * 1_000));
    watched.asks.push(Ask {
        amount,
        until,
        seconds,
    });
    let reserve = account::Command::ReserveCredit {
        call,
        amount,
        until,
    };
    vec![ask(cause, billing::Command::Account(account, reserve))]
}

/// A call that goes on has no price for where it leads: it does not lead there.
fn on_unrated(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
    let is_over = state.calls.get(&call).is_none_or(|watched| watched.is_over);
    let end = (!is_over).then(|| end(cause, call, EndReason::NoPrice, None));
    let release = release(state, cause, call);
    end.into_iter().chain(release).collect()
}

/// What is reserved is kept until the price counts in its place: nobody else can
/// have it in between.
fn on_rated(state: &mut State, cause: Uuid, call: CallId, bill: &rating::Bill) -> Vec<Intent> {
    let watched = state.calls.get(&call);
    let payer = watched.and_then(|watched| watched.account);
    let is_to_count = bill.commits.is_some() && !bill.records.is_empty();
    if is_to_count && payer == Some(bill.account) {
        return vec![];
    }
    release(state, cause, call)
}

/// Nothing stays reserved, nor is what is asked for just now.
fn release(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
    let Some(account) = state
        .calls
        .remove(&call)
        .and_then(|watched| watched.account)
    else {
        return vec![];
    };
    let release = account::Command::ReleaseCredit { call };
    vec![ask(cause, billing::Command::Account(account, release))]
}

/// There is not so much credit: a call that has none ends at once, and so does
/// one that goes out unpaid; any other when what it has paid is used up.
fn on_refused(
    state: &mut State,
    cause: Uuid,
    call: CallId,
    asked: (Decimal, Option<Timestamp>),
) -> Vec<Intent> {
    let Some(watched) = state.calls.get_mut(&call) else {
        return vec![];
    };
    watched.answered(asked);
    watched.is_last = true;
    if watched.paid_s == 0 || watched.is_uncovered {
        return vec![end(cause, call, EndReason::NoCredit, None)];
    }
    state.plan(call);
    vec![]
}

/// The call ends: when what it has paid is used up, however late that is
/// noticed, so that nobody owes for it.
const fn end(cause: Uuid, call: CallId, reason: EndReason, ended_at: Option<Timestamp>) -> Intent {
    let command = call::Command::EndCall {
        reason,
        ended_at,
        visit: None,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}

fn on_deadline(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((at, call)) = state.due.first().copied()
        && at <= now
    {
        state.unplan(call);
        let Some(watched) = state.calls.get_mut(&call) else {
            continue;
        };
        let Some(cause) = watched.cause else {
            continue;
        };
        if !watched.is_last {
            intents.push(extend(cause, call));
        } else if watched.is_announced {
            let until = watched.paid_until();
            intents.push(end(cause, call, EndReason::NoCredit, until));
        } else {
            watched.is_announced = true;
            intents.extend(watched.paid_until().map(|until| {
                let exhaust = rating::Command::Exhaust { until };
                ask(cause, billing::Command::Rating(call, exhaust))
            }));
            state.plan(call);
        }
    }
    intents
}

impl Watched {
    /// What was asked for is answered, and what was asked for before it too: how
    /// many seconds it is for. Another ask may be under way, which says nothing yet.
    fn answered(&mut self, (amount, until): (Decimal, Option<Timestamp>)) -> Option<u32> {
        let is_it = |ask: &Ask| ask.amount == amount && ask.until == until;
        let place = self.asks.iter().position(is_it)?;
        self.asks.drain(..=place).next_back().map(|ask| ask.seconds)
    }

    /// When what it has paid is used up; none while nobody was answered or
    /// nothing is paid.
    fn paid_until(&self) -> Option<Timestamp> {
        let paid_ms = u64::from(self.paid_s) * 1_000;
        let answered_at = self.answered_at.filter(|_| self.paid_s > 0);
        answered_at.map(|at| at.plus_ms(paid_ms))
    }
}

impl State {
    /// When the next slice is to be asked for, or the call to be ended.
    fn plan(&mut self, call: CallId) {
        self.unplan(call);
        let Some(watched) = self.calls.get_mut(&call) else {
            return;
        };
        let Some(until) = watched.paid_until() else {
            return;
        };
        let ahead_ms = match (watched.is_last, watched.is_announced) {
            (true, true) => 0,
            (true, false) => ANNOUNCED_MS,
            (false, _) => AHEAD_MS,
        };
        let ahead_ms = ahead_ms.min(u64::from(watched.slice_s) * 500);
        let ahead_us = i64::try_from(ahead_ms)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000);
        let at = Timestamp::from_micros(until.micros().saturating_sub(ahead_us));
        watched.due = Some(at);
        self.due.insert((at, call));
    }

    fn unplan(&mut self, call: CallId) {
        if let Some(watched) = self.calls.get_mut(&call)
            && let Some(at) = watched.due.take()
        {
            self.due.remove(&(at, call));
        }
    }
}
