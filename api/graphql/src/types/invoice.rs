//! Invoices as clients read them.

use super::billing::id;
use crate::{
    papers,
    scalar::{Amount, Cursor, DateTime, count},
    types::words::InvoiceStanding,
};
use async_graphql::{ID, Json, Object, SimpleObject};
use projections::billing::invoices::{self, Standing};
use serde_json::Value;

fn json(value: &impl serde::Serialize) -> Json<Value> {
    Json(serde_json::to_value(value).unwrap_or(Value::Null))
}

/// A line of an invoice.
#[derive(SimpleObject)]
pub(crate) struct InvoiceLine {
    /// What it is for: usage, what the plan includes of it, a fee, an adjustment.
    kind: Json<Value>,
    /// In words.
    description: String,
    /// How many units.
    quantity: Amount,
    /// Of what.
    unit: String,
    /// Price of one.
    unit_price: Option<Amount>,
    /// Tax, in percent.
    tax_percent: Amount,
    /// To be paid; with tax where prices include it.
    amount: Amount,
    /// Without tax.
    net: Amount,
    /// The tax.
    tax: Amount,
}

/// One tax rate of an invoice.
#[derive(SimpleObject)]
pub(crate) struct InvoiceTax {
    /// Which tax treatment.
    category: Json<Value>,
    /// In percent.
    percent: Amount,
    /// What it is on.
    net: Amount,
    /// The tax.
    tax: Amount,
}

/// Something that was paid of an invoice, or taken back.
#[derive(SimpleObject)]
pub(crate) struct InvoicePayment {
    /// When.
    at: DateTime,
    /// From which payment, or from credit.
    source: Json<Value>,
    /// How much; below zero where it was taken back.
    amount: Amount,
    /// What was left to pay then.
    left: Amount,
}

/// A credit note on an invoice.
#[derive(SimpleObject)]
pub(crate) struct CreditNote {
    /// UUID.
    id: ID,
    /// Its number, once it is issued.
    number: Option<String>,
    /// The day of its issue.
    issued_on: Option<String>,
    /// Why.
    reason: String,
    /// How much, with tax.
    total: Amount,
}

/// A draft that was wrong.
#[derive(SimpleObject)]
pub(crate) struct InvoiceDiscard {
    /// When it was discarded.
    at: DateTime,
    /// Why.
    reason: String,
    /// What it came to, with tax.
    total: Amount,
}

/// An invoice.
pub(crate) struct Invoice(pub(crate) invoices::Row);

/// What an account is to pay for one month.
#[Object(name = "Invoice")]
impl Invoice {
    /// UUID.
    async fn id(&self) -> ID {
        id(self.0.invoice)
    }

    /// Its number, once it is issued.
    async fn number(&self) -> Option<&str> {
        self.0.issue.as_ref().map(|issue| issue.number.as_str())
    }

    /// How it stands.
    async fn status(&self) -> InvoiceStanding {
        self.0.standing().into()
    }

    /// Who pays.
    async fn account_id(&self) -> ID {
        id(self.0.account)
    }

    /// For which month.
    async fn period(&self) -> String {
        self.0.period.to_string()
    }

    /// Currency of every amount.
    async fn currency(&self) -> Option<String> {
        let head = self.0.state.head.as_ref()?;
        Some(head.currency.to_string())
    }

    /// The day of its issue.
    async fn issued_on(&self) -> Option<String> {
        Some(self.0.issue.as_ref()?.issued_on.to_string())
    }

    /// The last day on which it is paid in time.
    async fn due_on(&self) -> Option<String> {
        Some(self.0.issue.as_ref()?.due_on.to_string())
    }

    /// What it is for.
    async fn lines(&self) -> Vec<InvoiceLine> {
        let lines = self.0.state.lines.iter();
        lines
            .map(|line| InvoiceLine {
                kind: json(&line.kind),
                description: line.description.clone(),
                quantity: Amount(line.quantity),
                unit: line.unit.clone(),
                unit_price: line.unit_price.map(Amount),
                tax_percent: Amount(line.tax_percent),
                amount: Amount(line.amount),
                net: Amount(line.net),
                tax: Amount(line.tax),
            })
            .collect()
    }

    /// Taxes by rate.
    async fn taxes(&self) -> Vec<InvoiceTax> {
        let taxes = self.0.state.taxes.iter();
        taxes
            .map(|tax| InvoiceTax {
                category: json(&tax.category),
                percent: Amount(tax.percent),
                net: Amount(tax.net),
                tax: Amount(tax.tax),
            })
            .collect()
    }

    /// Sum without tax.
    async fn net(&self) -> Amount {
        Amount(self.0.state.totals.net)
    }

    /// Sum of the taxes.
    async fn tax(&self) -> Amount {
        Amount(self.0.state.totals.tax)
    }

    /// To be paid.
    async fn total(&self) -> Amount {
        Amount(self.0.state.totals.total)
    }

    /// How often it was said that it is overdue: once when its day had passed, and once
    /// with each reminder since. 0 once it is paid.
    async fn overdue_level(&self) -> u32 {
        match self.0.standing() {
            Standing::Overdue => self.0.state.level,
            Standing::Draft
            | Standing::Discarded
            | Standing::Approved
            | Standing::Issued
            | Standing::PartiallyPaid
            | Standing::Paid
            | Standing::CreditedFully
            | Standing::WrittenOff => 0,
        }
    }

    /// What is left to pay.
    async fn balance_due(&self) -> Amount {
        Amount(self.0.state.left())
    }

    /// What was paid, the oldest first.
    async fn payments(&self) -> Vec<InvoicePayment> {
        let paid = self.0.paid.iter();
        paid.map(|paid| InvoicePayment {
            at: DateTime(paid.at),
            source: json(&paid.source),
            amount: Amount(paid.amount),
            left: Amount(paid.left),
        })
        .collect()
    }

    /// Credit notes on it.
    async fn credit_notes(&self) -> Vec<CreditNote> {
        let notes = self.0.credit_notes.iter();
        notes
            .map(|note| CreditNote {
                id: id(note.credit_note),
                number: note.issued.as_ref().map(|(number, _, _)| number.clone()),
                issued_on: note.issued.as_ref().map(|(_, day, _)| day.to_string()),
                reason: note.document.reason.clone(),
                total: Amount(note.document.totals.total),
            })
            .collect()
    }

    /// Drafts of the month that were discarded, the oldest first. Who did it is in the
    /// record, with `invoice_discarded`.
    async fn discards(&self) -> Vec<InvoiceDiscard> {
        let discards = self.0.discards.iter();
        discards
            .map(|discard| InvoiceDiscard {
                at: DateTime(discard.at),
                reason: discard.reason.clone(),
                total: Amount(discard.total),
            })
            .collect()
    }

    /// Path of its documents without the ending, for a GET with a token that
    /// has `billing:read`: `.html`, `.pdf`, `.json`, and `.csv` for every rated
    /// call.
    async fn document_path(&self) -> String {
        papers::path(self.0.invoice)
    }

    /// Its version, for `expectedRevision` of orders about it.
    async fn revision(&self) -> i32 {
        count(self.0.revision)
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}
