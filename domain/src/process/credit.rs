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

/// Reserves credit.
#[derive(Debug)]
pub struct Credit;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Somebody pays before: without one no call is watched.
    has_prepaid: bool,
    calls: BTreeMap<CallId, Watched>,
    due: BTreeSet<(Timestamp, CallId)>,
}

/// A call that is paid before, or may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Watched {
    /// Who pays; none until the rater has said so.
    account: Option<AccountId>,
    /// Seconds of talk that are asked for, and that are paid.
    asked_s: u32,
    paid_s: u32,
    slice_s: u32,
    answered_at: Option<Timestamp>,
    /// The event that the next slice follows from.
    cause: Option<Uuid>,
    /// No more credit: the call ends with the slice.
    is_last: bool,
    /// When something is to be done.
    due: Option<Timestamp>,
}

impl Process for Credit {
    const NAME: &'static str = "credit";
    const VERSION: u32 = 1;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Refused {
                command_id,
                command: AnyCommand::Billing(command),
                ..
            } => match command.as_ref() {
                billing::Command::Account(_, account::Command::ReserveCredit { call, .. }) => {
                    on_refused(state, command_id.0, *call)
                }
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
        AnyEvent::Billing(billing::Event::Account(_, event)) => {
            on_account(state, event);
            vec![]
        }
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
            rating::Event::Rated { .. } | rating::Event::Unrated { .. } => {
                on_rated(state, cause, *call)
            }
        },
        AnyEvent::Billing(_)
        | AnyEvent::Line(..)
        | AnyEvent::Session(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => vec![],
    }
}

fn ask(cause: Uuid, command: billing::Command) -> Intent {
    Intent::new(cause, AnyCommand::Billing(Box::new(command)))
}

fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &call::Event) -> Vec<Intent> {
    match event {
        call::Event::Routed { .. } if state.has_prepaid => {
            state.calls.insert(call, Watched::default());
            let start = rating::Command::Start { quote: None };
            let command = billing::Command::Rating(call, start);
            return vec![ask(fact.event_id.0, command)];
        }
        call::Event::Answered {} | call::Event::AgentConnected { .. } => {
            if let Some(watched) = state.calls.get_mut(&call) {
                watched.answered_at.get_or_insert(fact.at);
                state.plan(call);
            }
        }
        call::Event::Ended { .. } => {
            let is_paid_before = state
                .calls
                .get(&call)
                .is_some_and(|watched| watched.account.is_some());
            state.unplan(call);
            if !is_paid_before {
                state.calls.remove(&call);
            }
        }
        call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Enqueued { .. }
        | call::Event::Overflowed { .. }
        | call::Event::Forwarded { .. }
        | call::Event::LegDialled { .. }
        | call::Event::TrunkSelected { .. }
        | call::Event::LegProgressed { .. }
        | call::Event::LegAnswered { .. }
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::LateFact { .. } => {}
    }
    vec![]
}

fn on_account(state: &mut State, event: &account::Event) {
    match event {
        account::Event::Opened { profile, .. } | account::Event::Configured { profile, .. } => {
            state.has_prepaid |= profile.payment_mode == PaymentMode::Prepaid;
        }
        account::Event::CreditReserved { call, .. } => {
            if let Some(watched) = state.calls.get_mut(call) {
                watched.paid_s = watched.asked_s;
                state.plan(*call);
            }
        }
        account::Event::CreditLimitSet { .. }
        | account::Event::PlanSubscribed { .. }
        | account::Event::PlanChanged { .. }
        | account::Event::CreditReleased { .. }
        | account::Event::UsageCommitted { .. }
        | account::Event::ChargePosted { .. }
        | account::Event::CreditApplied { .. }
        | account::Event::CreditNotePosted { .. }
        | account::Event::DebtWrittenOff { .. }
        | account::Event::PaymentApplied { .. }
        | account::Event::PaymentReversed { .. }
        | account::Event::Suspended { .. }
        | account::Event::Reactivated {}
        | account::Event::Closed {} => {}
    }
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
    watched.asked_s = seconds;
    watched.cause = Some(cause);
    let until = watched
        .answered_at
        .map(|at| at.plus_ms(u64::from(seconds) * 1_000));
    let reserve = account::Command::ReserveCredit {
        call,
        amount,
        until,
    };
    vec![ask(cause, billing::Command::Account(account, reserve))]
}

/// Whatever it came to, nothing stays reserved.
fn on_rated(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
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

/// There is not so much credit: a call that has none ends at once, one that
/// runs when what it has paid is used up.
fn on_refused(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
    let Some(watched) = state.calls.get_mut(&call) else {
        return vec![];
    };
    watched.is_last = true;
    if watched.paid_s == 0 {
        return vec![end(cause, call)];
    }
    state.plan(call);
    vec![]
}

const fn end(cause: Uuid, call: CallId) -> Intent {
    let command = call::Command::EndCall {
        reason: EndReason::NoCredit,
        ended_at: None,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}

fn on_deadline(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((at, call)) = state.due.first().copied()
        && at <= now
    {
        state.unplan(call);
        let Some(Watched {
            cause: Some(cause),
            is_last,
            ..
        }) = state.calls.get(&call)
        else {
            continue;
        };
        intents.push(if *is_last {
            end(*cause, call)
        } else {
            let extend = rating::Command::Extend { quote: None };
            ask(*cause, billing::Command::Rating(call, extend))
        });
    }
    intents
}

impl State {
    /// When the next slice is to be asked for, or the call to be ended.
    fn plan(&mut self, call: CallId) {
        self.unplan(call);
        let Some(watched) = self.calls.get_mut(&call) else {
            return;
        };
        let Some(answered_at) = watched.answered_at else {
            return;
        };
        if watched.paid_s == 0 {
            return;
        }
        let paid_ms = u64::from(watched.paid_s) * 1_000;
        let ahead_ms = if watched.is_last {
            0
        } else {
            AHEAD_MS.min(u64::from(watched.slice_s) * 500)
        };
        let at = answered_at.plus_ms(paid_ms - ahead_ms);
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
