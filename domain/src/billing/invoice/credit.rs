//! What a credit note takes back of an invoice.

use super::{
    decide::Decision,
    error::Error,
    event::{CreditDocument, Event, Head},
    evolve::evolve,
    state::{Invoice, Phase},
};
use crate::{
    billing::{Line, LineKind, TaxLine, Totals},
    calendar::Period,
    id::{CreditNoteId, InvoiceId},
    money::{Decimal, largest_remainder},
    time::Timestamp,
};

pub(super) fn credit(
    state: &Invoice,
    at: Timestamp,
    credit_note: CreditNoteId,
    amount: Option<Decimal>,
    reason: String,
) -> Decision {
    let (Some(head), Some(number)) = (&state.head, &state.number) else {
        return Err(Error::NotIssued);
    };
    match state.phase {
        Phase::Issued | Phase::WrittenOff => {}
        Phase::Unborn | Phase::Draft | Phase::Discarded | Phase::Approved => {
            return Err(Error::NotIssued);
        }
    }
    if state.credit_notes.contains(&credit_note) {
        return Ok(vec![]);
    }
    if reason.trim().is_empty() {
        return Err(Error::NoReason);
    }
    let most = state.totals.total - state.credited;
    let amount = amount.unwrap_or(most);
    let digits = head.currency.exponent();
    if amount <= Decimal::ZERO || amount > most || amount.floor(digits) != amount {
        return Err(Error::InvalidCredit { most });
    }
    let (lines, taxes, totals) = if amount == state.totals.total {
        (state.lines.clone(), state.taxes.clone(), state.totals)
    } else {
        share(state, head, amount, &reason)
    };
    let year = Period::of(head.zone.date_of(at)).year();
    let series = head.credit_note_series;
    let (series, number_prefix) = series.in_year(&head.credit_note_prefix, year);
    let document = CreditDocument {
        invoice: head_invoice(head),
        invoice_number: number.clone(),
        account: head.account,
        currency: head.currency,
        zone: head.zone,
        seller: head.seller.clone(),
        customer: head.customer.clone(),
        texts: head.texts.clone(),
        lines,
        taxes,
        totals,
        reason,
        series,
        number_prefix,
    };
    let credited = |left| Event::Credited {
        credit_note,
        document: Box::new(document.clone()),
        left,
    };
    let after = evolve(state.clone(), at, &credited(Decimal::ZERO));
    Ok(vec![credited(after.left())])
}

fn head_invoice(head: &Head) -> InvoiceId {
    let (account, period) = (head.account, head.period);
    crate::billing::UsageId { account, period }.invoice()
}

/// One line for each tax rate, in proportion to what is left of it: so that the credit
/// notes of a whole invoice have the taxes of that invoice, in however many parts.
fn share(
    state: &Invoice,
    head: &Head,
    amount: Decimal,
    reason: &str,
) -> (Vec<Line>, Vec<TaxLine>, Totals) {
    let digits = head.currency.exponent();
    let coins = |amount: Decimal| amount.in_units_of(Decimal::unit(digits));
    let left = state.uncredited();
    let most = coins(state.totals.total - state.credited);
    let gross = |tax: &TaxLine| tax.net + tax.tax;
    let exact: Vec<Decimal> = left
        .iter()
        .map(|tax| amount.share(coins(gross(tax)), most, 12, head.rounding))
        .collect();
    let parts = largest_remainder(amount, &exact, digits);
    let mut lines = vec![];
    let mut taxes = vec![];
    let mut totals = Totals::default();
    for (of, part) in left.iter().zip(parts).filter(|(_, part)| !part.is_zero()) {
        let tax = of
            .tax
            .share(coins(part), coins(gross(of)), digits, head.rounding);
        let net = part - tax;
        totals.net = totals.net + net;
        totals.tax = totals.tax + tax;
        taxes.push(TaxLine {
            category: of.category,
            percent: of.percent,
            net,
            tax,
        });
        let shown = if head.is_tax_inclusive { part } else { net };
        lines.push(Line {
            kind: LineKind::Adjustment,
            description: reason.to_owned(),
            quantity: Decimal::whole(1),
            unit: String::new(),
            unit_price: None,
            tax_category: of.category,
            tax_percent: of.percent,
            exact: shown,
            amount: shown,
            is_tax_inclusive: None,
            net,
            tax,
        });
    }
    totals.total = totals.net + totals.tax;
    (lines, taxes, totals)
}
