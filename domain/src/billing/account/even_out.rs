//! What follows from a changed ledger, in the same decision: an invoice and the credit
//! that could pay it are never both there, and no credit is there that nobody paid.

use super::{
    decide::by_limit,
    event::{Allocation, Event, SuspendReason},
    evolve::evolve,
    state::{Account, Status},
};
use crate::{money::Decimal, time::Timestamp};

/// The rules about money, in their order. What a credit note of an invoice had given back
/// pays that invoice before anything else does, also after some of it is owed again.
const RULES: [fn(&Account) -> Vec<Event>; 4] = [
    by_credit_notes,
    credit_that_is_missing,
    by_credit_notes,
    credit_that_is_there,
];

/// The events, and what follows from them.
pub(super) fn with_consequences(
    state: &Account,
    at: Timestamp,
    mut events: Vec<Event>,
) -> Vec<Event> {
    if events.is_empty() {
        return events;
    }
    let mut after = events
        .iter()
        .fold(state.clone(), |state, event| evolve(state, at, event));
    let mut follow = |after: &mut Account, more: Vec<Event>| {
        for event in more {
            *after = evolve(std::mem::take(after), at, &event);
            events.push(event);
        }
    };
    for rule in RULES {
        let more = rule(&after);
        follow(&mut after, more);
    }
    if after.status == Status::Suspended(SuspendReason::Overdue) && !after.has_overdue(at) {
        follow(&mut after, vec![Event::Reactivated {}]);
    }
    let by_limit = by_limit(after.status, after.limit(), after.balance());
    follow(&mut after, by_limit);
    events
}

/// A credit note had given back what was paid of its invoice; the payment was taken back,
/// and the invoice is open again: the credit note pays it now.
fn by_credit_notes(state: &Account) -> Vec<Event> {
    let given_back = state.given_back.iter();
    let settled = given_back.filter_map(|(invoice, given_back)| {
        let left = state.open.get(invoice)?.left;
        Some(allocation(*invoice, left.min(*given_back)))
    });
    let settled = settled.filter(|allocation| allocation.amount > Decimal::ZERO);
    settled
        .map(|allocation| Event::CreditNoteSettled { allocation })
        .collect()
}

/// What credit has paid and was not there after all: of the invoices that it went to, that
/// of the latest month first. What credit notes have given back of one of them was paid
/// back already, and comes with it.
fn credit_that_is_missing(state: &Account) -> Vec<Event> {
    let mut missing = -state.credit;
    let mut events = vec![];
    for (invoice, paid) in state.from_credit.iter().rev() {
        let given_back = state.given_back.get(invoice).copied().unwrap_or_default();
        let amount = missing.min(*paid - given_back);
        if amount > Decimal::ZERO {
            missing = missing - amount;
            let allocation = allocation(*invoice, amount + given_back);
            events.push(Event::CreditTakenBack { allocation });
        }
    }
    events
}

/// Credit pays what is open, the oldest due first.
fn credit_that_is_there(state: &Account) -> Vec<Event> {
    let mut left = state.credit;
    let mut events = vec![];
    for (invoice, open) in state.by_due() {
        let amount = left.min(open.left);
        if amount > Decimal::ZERO {
            left = left - amount;
            let allocation = allocation(invoice, amount);
            events.push(Event::CreditApplied { allocation });
        }
    }
    events
}

const fn allocation(invoice: crate::id::InvoiceId, amount: Decimal) -> Allocation {
    Allocation { invoice, amount }
}
