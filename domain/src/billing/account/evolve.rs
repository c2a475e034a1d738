//! The state after an event. No rules here.

use super::{
    event::{Allocation, Event, Profile},
    state::{Account, Open, Payment, Status, Subscription},
};
use crate::{
    calendar::Period,
    id::{CallId, InvoiceId, PaymentId},
    money::Decimal,
    time::Timestamp,
};
use std::collections::BTreeMap;

pub(super) fn evolve(mut state: Account, at: Timestamp, event: &Event) -> Account {
    state.ledger_version += u32::from(is_of_ledger(event));
    match event {
        Event::Opened { .. }
        | Event::Configured { .. }
        | Event::CreditLimitSet { .. }
        | Event::PlanSubscribed { .. }
        | Event::PlanChanged { .. }
        | Event::Suspended { .. }
        | Event::Reactivated {}
        | Event::Closed {} => profile(&mut state, at, event),
        Event::CreditReserved { call, amount, .. } => {
            state.reserved.insert(*call, *amount);
        }
        Event::CreditReleased { call } => {
            state.reserved.remove(call);
        }
        Event::UsageCommitted {
            call,
            revision,
            period,
            amount,
            record,
            is_in_period,
            ..
        } => {
            if record.is_some() {
                state.uncounted.insert(*call);
            } else {
                state.uncounted.remove(call);
            }
            state.reserved.remove(call);
            if !is_in_period {
                uncommit(&mut state, *call);
            }
            commit(&mut state, *call, *revision, *period, *amount);
        }
        Event::InvoiceBegun { period } => state.begun = Some(*period),
        Event::InvoiceDropped { .. } => state.begun = None,
        Event::ChargePosted { .. } => charge(&mut state, event),
        Event::CreditApplied { .. }
        | Event::CreditTakenBack { .. }
        | Event::CreditNoteSettled { .. }
        | Event::CreditNotePosted { .. }
        | Event::DebtWrittenOff { .. }
        | Event::DebitWrittenOff { .. }
        | Event::CreditRefunded { .. }
        | Event::PaymentApplied { .. }
        | Event::PaymentReversed { .. } => ledger(&mut state, at, event),
    }
    state
}

/// Whoever decides about money wants to have seen it: not what calls use, which goes on all
/// the time, and nothing that only follows from another event.
const fn is_of_ledger(event: &Event) -> bool {
    match event {
        Event::CreditLimitSet { .. }
        | Event::PlanSubscribed { .. }
        | Event::PlanChanged { .. }
        | Event::Suspended { .. }
        | Event::Reactivated {}
        | Event::Closed {}
        | Event::ChargePosted { .. }
        | Event::CreditNotePosted { .. }
        | Event::DebtWrittenOff { .. }
        | Event::DebitWrittenOff { .. }
        | Event::CreditRefunded { .. }
        | Event::PaymentApplied { .. }
        | Event::PaymentReversed { .. } => true,
        Event::Opened { .. }
        | Event::Configured { .. }
        | Event::CreditReserved { .. }
        | Event::CreditReleased { .. }
        | Event::UsageCommitted { .. }
        | Event::InvoiceBegun { .. }
        | Event::InvoiceDropped { .. }
        | Event::CreditApplied { .. }
        | Event::CreditTakenBack { .. }
        | Event::CreditNoteSettled { .. } => false,
    }
}

fn profile(state: &mut Account, at: Timestamp, event: &Event) {
    match event {
        Event::Opened { name, profile } => {
            state.name = Some(name.clone());
            state.profile = Some(profile.clone());
            state.mode_since = at;
            state.config_version = 1;
            state.status = Status::Active;
        }
        Event::Configured {
            config_version,
            profile,
        } => {
            let mode = |profile: &Profile| profile.payment_mode;
            if state.profile.as_ref().map(mode) != Some(mode(profile)) {
                state.mode_since = at;
            }
            state.profile = Some(profile.clone());
            state.config_version = *config_version;
        }
        Event::CreditLimitSet { limit } => state.credit_limit = *limit,
        Event::PlanSubscribed { plan, effective } | Event::PlanChanged { plan, effective } => {
            // A change that had not begun is replaced.
            state
                .subscriptions
                .retain(|subscription| subscription.effective < *effective);
            state.subscriptions.push(Subscription {
                plan: *plan,
                effective: *effective,
            });
            state.plans_had.insert(*plan);
        }
        Event::Suspended { reason } => state.status = Status::Suspended(*reason),
        Event::Reactivated {} => state.status = Status::Active,
        Event::Closed {} => {
            state.status = Status::Closed;
            state.closed_at = Some(at);
        }
        Event::CreditReserved { .. }
        | Event::CreditReleased { .. }
        | Event::UsageCommitted { .. }
        | Event::InvoiceBegun { .. }
        | Event::InvoiceDropped { .. }
        | Event::ChargePosted { .. }
        | Event::CreditApplied { .. }
        | Event::CreditTakenBack { .. }
        | Event::CreditNoteSettled { .. }
        | Event::CreditNotePosted { .. }
        | Event::DebtWrittenOff { .. }
        | Event::DebitWrittenOff { .. }
        | Event::CreditRefunded { .. }
        | Event::PaymentApplied { .. }
        | Event::PaymentReversed { .. } => {}
    }
}

/// It counts in no month any more.
fn uncommit(state: &mut Account, call: CallId) {
    for calls in state.unbilled.values_mut() {
        if let Some((_, before)) = calls.remove(&call) {
            state.unbilled_sum = state.unbilled_sum - before;
        }
    }
    state.unbilled.retain(|_, calls| !calls.is_empty());
}

/// It counts in that month, whatever it counted there before; in none whose invoice
/// is owed, which has it.
fn commit(state: &mut Account, call: CallId, revision: u32, period: Period, amount: Decimal) {
    if state.posted.contains(&period) {
        return;
    }
    let calls = state.unbilled.entry(period).or_default();
    let before = calls.insert(call, (revision, amount));
    let before = before.map_or(Decimal::ZERO, |(_, before)| before);
    state.unbilled_sum = state.unbilled_sum + amount - before;
}

/// What counted in the month is in its invoice now. What is not known to be
/// counted goes on counting: it may be recorded a month later.
fn bill(state: &mut Account, period: Period) {
    state.posted.insert(period);
    let committed = state.unbilled.remove(&period).unwrap_or_default();
    for (call, (revision, amount)) in committed {
        state.unbilled_sum = state.unbilled_sum - amount;
        if state.uncounted.contains(&call) {
            let open = state.unposted(period);
            commit(state, call, revision, open, amount);
        }
    }
}

/// Less is left to pay of an invoice.
fn settle(state: &mut Account, invoice: InvoiceId, amount: Decimal) {
    let Some(open) = state.open.get_mut(&invoice) else {
        return;
    };
    open.left = open.left - amount;
    if open.left.is_zero() {
        state.open.remove(&invoice);
        state.settled.insert(invoice);
    }
}

fn charge(state: &mut Account, event: &Event) {
    let Event::ChargePosted {
        invoice,
        period,
        amount,
        due_at,
        fees,
        ..
    } = event
    else {
        return;
    };
    bill(state, *period);
    state.begun = state.begun.filter(|begun| begun != period);
    state.fees_billed.clone_from(fees);
    state.invoiced = state.invoiced.max(Some(*period));
    state.due.insert(*invoice, *due_at);
    if *amount > Decimal::ZERO {
        let (due_at, left) = (*due_at, *amount);
        state.open.insert(*invoice, Open { due_at, left });
    } else {
        state.credit = state.credit - *amount;
        state.settled.insert(*invoice);
    }
}

fn ledger(state: &mut Account, at: Timestamp, event: &Event) {
    match event {
        Event::CreditApplied { allocation } => {
            state.credit = state.credit - allocation.amount;
            settle(state, allocation.invoice, allocation.amount);
            let paid = state.from_credit.entry(allocation.invoice).or_default();
            *paid = *paid + allocation.amount;
        }
        Event::CreditTakenBack { allocation } => take_back(state, at, allocation),
        Event::CreditNoteSettled { allocation } => {
            state.credit = state.credit - allocation.amount;
            settle(state, allocation.invoice, allocation.amount);
            lower(&mut state.given_back, allocation);
        }
        Event::CreditNotePosted { .. } => credited(state, event),
        Event::DebitWrittenOff { amount, .. } => state.credit = state.credit + *amount,
        Event::DebtWrittenOff {
            invoice, amount, ..
        } => {
            settle(state, *invoice, *amount);
            let written_off = state.written_off.entry(*invoice).or_default();
            *written_off = *written_off + *amount;
        }
        Event::CreditRefunded { refund, amount, .. } => {
            state.credit = state.credit - amount.amount;
            state.refunds.insert(*refund);
        }
        Event::PaymentApplied {
            payment,
            amount,
            allocations,
            credit,
            ..
        } => {
            let kept = Payment {
                amount: amount.amount,
                allocations: allocations.clone(),
                credit: *credit,
                is_reversed: false,
            };
            paid(state, *payment, kept);
        }
        Event::PaymentReversed {
            payment,
            allocations,
            credit,
            ..
        } => {
            for Allocation { invoice, amount } in allocations {
                reopen(state, at, *invoice, *amount);
            }
            state.credit = state.credit - *credit;
            if let Some(kept) = state.payments.get_mut(payment) {
                kept.is_reversed = true;
            }
        }
        Event::Opened { .. }
        | Event::Configured { .. }
        | Event::CreditLimitSet { .. }
        | Event::PlanSubscribed { .. }
        | Event::PlanChanged { .. }
        | Event::CreditReserved { .. }
        | Event::CreditReleased { .. }
        | Event::UsageCommitted { .. }
        | Event::InvoiceBegun { .. }
        | Event::InvoiceDropped { .. }
        | Event::ChargePosted { .. }
        | Event::Suspended { .. }
        | Event::Reactivated {}
        | Event::Closed {} => {}
    }
}

fn paid(state: &mut Account, payment: PaymentId, kept: Payment) {
    for Allocation { invoice, amount } in &kept.allocations {
        settle(state, *invoice, *amount);
    }
    state.credit = state.credit + kept.credit;
    state.payments.insert(payment, kept);
}

/// A credit note takes what is left to pay of its invoice, then what was given up of it;
/// the rest is given back.
fn credited(state: &mut Account, event: &Event) {
    let Event::CreditNotePosted {
        credit_note,
        invoice,
        amount,
        settled,
        // Those of earlier programs do not tell it.
        of_written_off: _,
    } = event
    else {
        return;
    };
    state.credit_notes.insert(*credit_note);
    let open = state.open.get(invoice).map(|open| open.left);
    let of_open = open.unwrap_or_default().min(*settled);
    settle(state, *invoice, of_open);
    if let Some(written_off) = state.written_off.get_mut(invoice) {
        *written_off = *written_off - (*settled - of_open);
    }
    let given_back = *amount - *settled;
    if !given_back.is_zero() {
        state.credit = state.credit + given_back;
        let sum = state.given_back.entry(*invoice).or_default();
        *sum = *sum + given_back;
    }
}

/// What credit had paid of an invoice is credit again, and the invoice is open.
fn take_back(state: &mut Account, at: Timestamp, allocation: &Allocation) {
    let Allocation { invoice, amount } = allocation;
    state.credit = state.credit + *amount;
    reopen(state, at, *invoice, *amount);
    lower(&mut state.from_credit, allocation);
}

/// So much less of that invoice.
fn lower(sums: &mut BTreeMap<InvoiceId, Decimal>, allocation: &Allocation) {
    if let Some(sum) = sums.get_mut(&allocation.invoice) {
        *sum = *sum - allocation.amount;
    }
    sums.retain(|_, sum| !sum.is_zero());
}

/// More is left to pay of an invoice again; it is due when it was. Of accounts of before
/// that was kept, at once.
fn reopen(state: &mut Account, at: Timestamp, invoice: InvoiceId, amount: Decimal) {
    state.settled.remove(&invoice);
    let due_at = state.due.get(&invoice).copied().unwrap_or(at);
    let open = state.open.entry(invoice).or_insert(Open {
        due_at,
        left: Decimal::ZERO,
    });
    open.left = open.left + amount;
}
