//! The rules of what is owed and paid.

use super::{
    command::Command,
    decide::{Decision, by_limit},
    error::Error,
    event::{Allocation, Event, SuspendReason},
    evolve::evolve,
    refund,
    state::{Account, Status},
};
use crate::{
    id::{InvoiceId, PaymentId},
    money::{Decimal, Money},
    time::Timestamp,
};

pub(super) fn decide(state: &Account, at: Timestamp, command: Command) -> Decision {
    let events = match command {
        Command::PostInvoice {
            invoice,
            number,
            period,
            amount,
            due_at,
            fees,
        } => {
            let posted = Event::ChargePosted {
                invoice,
                number,
                period,
                amount,
                due_at,
                fees,
            };
            post_invoice(state, at, invoice, amount, posted)
        }
        Command::PostCreditNote {
            credit_note,
            invoice,
            amount,
        } => {
            // What was given up was not paid: it is not given back either.
            let open = state.open.get(&invoice).map(|open| open.left);
            let written_off = state.written_off.get(&invoice).copied();
            let unpaid = open.unwrap_or_default() + written_off.unwrap_or_default();
            let settled = unpaid.min(amount);
            let posted = Event::CreditNotePosted {
                credit_note,
                invoice,
                amount,
                settled,
            };
            let is_there = state.credit_notes.contains(&credit_note);
            if is_there { vec![] } else { vec![posted] }
        }
        Command::WriteOff { invoice } => match state.open.get(&invoice) {
            Some(open) => vec![Event::DebtWrittenOff {
                invoice,
                amount: open.left,
            }],
            None => vec![],
        },
        Command::ApplyPayment { .. } => apply_payment(state, command)?,
        Command::RefundCredit { .. } => refund::refund(state, command)?,
        Command::ReversePayment { payment, reason } => reverse_payment(state, payment, reason)?,
        Command::Open { .. }
        | Command::Configure { .. }
        | Command::SetCreditLimit { .. }
        | Command::Subscribe { .. }
        | Command::ReserveCredit { .. }
        | Command::ReleaseCredit { .. }
        | Command::CommitUsage { .. }
        | Command::ChargeUsage { .. }
        | Command::WithdrawUsage { .. }
        | Command::Suspend { .. }
        | Command::Reactivate
        | Command::Close => vec![],
    };
    Ok(with_consequences(state, at, events))
}

/// What follows from a changed balance, in the same decision.
fn with_consequences(state: &Account, at: Timestamp, mut events: Vec<Event>) -> Vec<Event> {
    if events.is_empty() {
        return events;
    }
    let after = events
        .iter()
        .fold(state.clone(), |state, event| evolve(state, at, event));
    let is_overdue = after.open.values().any(|open| open.is_overdue(at));
    match after.status {
        Status::Suspended(SuspendReason::Overdue) if !is_overdue => {
            events.push(Event::Reactivated {});
            let after = evolve(after, at, &Event::Reactivated {});
            events.extend(by_limit(after.status, after.limit(), after.balance()));
        }
        Status::Active | Status::Suspended(_) | Status::Unborn | Status::Closed => {
            events.extend(by_limit(after.status, after.limit(), after.balance()));
        }
    }
    events
}

fn post_invoice(
    state: &Account,
    at: Timestamp,
    invoice: InvoiceId,
    amount: Decimal,
    posted: Event,
) -> Vec<Event> {
    if state.open.contains_key(&invoice) || state.settled.contains(&invoice) {
        return vec![];
    }
    let after = evolve(state.clone(), at, &posted);
    let from_credit = after.credit.min(amount);
    if from_credit <= Decimal::ZERO {
        return vec![posted];
    }
    let allocation = Allocation {
        invoice,
        amount: from_credit,
    };
    vec![posted, Event::CreditApplied { allocation }]
}

fn apply_payment(state: &Account, command: Command) -> Result<Vec<Event>, Error> {
    let Command::ApplyPayment {
        payment,
        amount,
        method,
        reference,
        invoice,
    } = command
    else {
        return Ok(vec![]);
    };
    if state.payments.contains_key(&payment) {
        return Ok(vec![]);
    }
    let profile = state.profile.as_ref().ok_or(Error::Unknown)?;
    if amount.currency != profile.currency {
        return Err(Error::OtherCurrency {
            expected: profile.currency,
        });
    }
    let exponent = profile.currency.exponent();
    if amount.amount <= Decimal::ZERO || amount.amount.floor(exponent) != amount.amount {
        return Err(Error::InvalidAmount);
    }
    if let Some(invoice) = invoice {
        if state.settled.contains(&invoice) {
            return Err(Error::AlreadyPaid);
        }
        if !state.open.contains_key(&invoice) {
            return Err(Error::UnknownInvoice);
        }
    }
    let (allocations, credit) = allocate(state, amount, invoice);
    Ok(vec![Event::PaymentApplied {
        payment,
        amount,
        method,
        reference,
        allocations,
        credit,
    }])
}

/// First what the payment is for, then the oldest due; the rest is credit.
fn allocate(
    state: &Account,
    amount: Money,
    invoice: Option<InvoiceId>,
) -> (Vec<Allocation>, Decimal) {
    let mut order: Vec<_> = state.open.iter().collect();
    order.sort_by_key(|(id, open)| (invoice != Some(**id), open.due_at, **id));
    let mut left = amount.amount;
    let mut allocations = vec![];
    for (id, open) in order {
        let part = open.left.min(left);
        if part > Decimal::ZERO {
            left = left - part;
            allocations.push(Allocation {
                invoice: *id,
                amount: part,
            });
        }
    }
    (allocations, left)
}

fn reverse_payment(
    state: &Account,
    payment: PaymentId,
    reason: String,
) -> Result<Vec<Event>, Error> {
    let Some(kept) = state.payments.get(&payment) else {
        return Err(Error::UnknownPayment);
    };
    if kept.is_reversed {
        return Ok(vec![]);
    }
    let currency = state
        .profile
        .as_ref()
        .map(|profile| profile.currency)
        .ok_or(Error::Unknown)?;
    let reversed = Event::PaymentReversed {
        payment,
        amount: Money::new(kept.amount, currency),
        allocations: kept.allocations.clone(),
        credit: kept.credit,
        reason,
    };
    let missing = (kept.credit - state.credit.max(Decimal::ZERO)).max(Decimal::ZERO);
    let taken_back = take_back(state, missing);
    Ok(std::iter::once(reversed).chain(taken_back).collect())
}

/// What credit has paid that is not there: of the invoices that it went to, that of the
/// latest month first.
fn take_back(state: &Account, missing: Decimal) -> Vec<Event> {
    let mut left = missing;
    let mut events = vec![];
    for (invoice, paid) in state.from_credit.iter().rev() {
        let amount = left.min(*paid);
        if amount > Decimal::ZERO {
            left = left - amount;
            let invoice = *invoice;
            let allocation = Allocation { invoice, amount };
            events.push(Event::CreditTakenBack { allocation });
        }
    }
    events
}
