//! The rules of what is owed and paid.

use super::{
    command::Command,
    decide::Decision,
    error::{Error, check_amount},
    even_out::with_consequences,
    event::{Allocation, Event},
    refund,
    state::Account,
};
use crate::{
    id::{CreditNoteId, InvoiceId, PaymentId},
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
            let is_there = state.open.contains_key(&invoice) || state.settled.contains(&invoice);
            if is_there { vec![] } else { vec![posted] }
        }
        Command::PostCreditNote {
            credit_note,
            invoice,
            amount,
        } => post_credit_note(state, credit_note, invoice, amount),
        Command::WriteOff { invoice, reason } => match state.open.get(&invoice) {
            Some(open) => vec![Event::DebtWrittenOff {
                invoice,
                amount: open.left,
                reason,
            }],
            None => vec![],
        },
        Command::WriteOffDebit { reason } => {
            let amount = state.debit();
            let written_off = Event::DebitWrittenOff { amount, reason };
            if amount.is_zero() {
                vec![]
            } else {
                vec![written_off]
            }
        }
        Command::ApplyPayment { .. } => apply_payment(state, command)?,
        Command::RefundCredit { .. } => refund::refund(state, command)?,
        Command::ReversePayment { payment, reason } => reverse_payment(state, payment, reason)?,
        Command::Open { .. }
        | Command::Expecting { .. }
        | Command::Configure { .. }
        | Command::SetCreditLimit { .. }
        | Command::Subscribe { .. }
        | Command::BeginInvoice { .. }
        | Command::DropInvoice { .. }
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

fn post_credit_note(
    state: &Account,
    credit_note: CreditNoteId,
    invoice: InvoiceId,
    amount: Decimal,
) -> Vec<Event> {
    if state.credit_notes.contains(&credit_note) {
        return vec![];
    }
    // What was given up was not paid: it is not given back either.
    let open = state.open.get(&invoice).map(|open| open.left);
    let of_open = open.unwrap_or_default().min(amount);
    let written_off = state.written_off.get(&invoice).copied();
    let of_written_off = written_off.unwrap_or_default().min(amount - of_open);
    vec![Event::CreditNotePosted {
        credit_note,
        invoice,
        amount,
        settled: of_open + of_written_off,
        of_written_off,
    }]
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
    check_amount(profile, amount)?;
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

/// First what the payment is for, then what is owed beside all invoices, then the oldest
/// due; the rest is credit.
fn allocate(
    state: &Account,
    amount: Money,
    invoice: Option<InvoiceId>,
) -> (Vec<Allocation>, Decimal) {
    let mut order = state.by_due();
    order.sort_by_key(|(id, _)| invoice != Some(*id));
    let mut left = amount.amount;
    // What is missing of the credit becomes credit.
    let mut debit = state.debit();
    let mut allocations = vec![];
    for (id, open) in order {
        if invoice != Some(id) {
            let part = debit.min(left);
            (debit, left) = (debit - part, left - part);
        }
        let part = open.left.min(left);
        if part > Decimal::ZERO {
            left = left - part;
            allocations.push(Allocation {
                invoice: id,
                amount: part,
            });
        }
    }
    let paid: Decimal = allocations.iter().map(|allocation| allocation.amount).sum();
    (allocations, amount.amount - paid)
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
    if reason.trim().is_empty() {
        return Err(Error::NoReason);
    }
    let currency = state
        .profile
        .as_ref()
        .map(|profile| profile.currency)
        .ok_or(Error::Unknown)?;
    Ok(vec![Event::PaymentReversed {
        payment,
        amount: Money::new(kept.amount, currency),
        allocations: kept.allocations.clone(),
        credit: kept.credit,
        reason,
    }])
}
