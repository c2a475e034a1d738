//! What an account owed and had when an invoice was issued to it: the balance that the
//! invoice before it left, what was paid and credited since, and the invoice itself. The
//! entries of a ledger never change, so that this is the same for ever.

use crate::{
    paper::Table,
    statement::{Owed, numbers, owed_and_paid, words_of},
};
use domain::money::{Currency, Decimal};
use projections::billing::{
    accounts::{self, EntryKind},
    invoices,
};
use serde_json::{Value, json};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAt {
    currency: Currency,
    brought_forward: Decimal,
    entries: Vec<(accounts::Entry, Owed)>,
}

impl AccountAt {
    /// That of an issued invoice; none while its account has not booked it, which it
    /// does in the moment after. `credit_notes` are those of the account's invoices.
    pub fn new(
        invoice: &invoices::Row,
        account: &accounts::Row,
        credit_notes: &[invoices::CreditNote],
    ) -> Option<Self> {
        let profile = account.state.profile.as_ref()?;
        let own = EntryKind::Invoice(invoice.invoice);
        let place = account.entries.iter().position(|entry| entry.kind == own)?;
        let (until, _) = account.entries.split_at_checked(place + 1)?;
        let (before, _) = until.split_at_checked(place)?;
        let is_invoice = |entry: &accounts::Entry| matches!(entry.kind, EntryKind::Invoice(_));
        let last = before.iter().rposition(is_invoice);
        let since = last.map_or(0, |last| last + 1);
        let brought_forward = last.and_then(|last| before.get(last));
        let numbers = numbers(account);
        let shown = |entry: &accounts::Entry| {
            let what = match entry.kind == own {
                true => format!("This invoice, {}", entry.reference),
                false => words_of(entry, &numbers, credit_notes),
            };
            let owed = Owed::new(entry, what, profile.zone);
            (entry.clone(), owed)
        };
        Some(Self {
            currency: profile.currency,
            brought_forward: brought_forward.map_or(Decimal::ZERO, |entry| entry.balance),
            entries: until.iter().skip(since).map(shown).collect(),
        })
    }

    /// The balance with the invoice.
    fn balance(&self) -> Decimal {
        let last = self.entries.last();
        last.map_or(self.brought_forward, |(entry, _)| entry.balance)
    }

    /// What of an invoice over so much is left to pay: credit has paid the rest.
    pub(crate) fn left_of(&self, total: Decimal) -> Decimal {
        total.min(-self.balance()).max(Decimal::ZERO)
    }

    pub(crate) fn table(&self) -> Table {
        let caption = "Your account: a balance below zero is owed, one above zero is credit";
        let entries: Vec<Owed> = self.entries.iter().map(|(_, owed)| owed.clone()).collect();
        let mut table = owed_and_paid(caption, self.currency, self.brought_forward, &entries);
        // The last entry is the invoice itself, and has the balance beside it.
        table.rows.pop();
        table
    }

    /// The same for a machine, with what is left to pay of an invoice over so much. Amounts
    /// are decimal text, below zero is owed.
    pub(crate) fn json(&self, total: Decimal) -> Value {
        let entries = self.entries.iter().map(|(entry, owed)| {
            json!({
                "kind": kind(&entry.kind),
                "reference": entry.reference,
                "description": owed.what,
                "on": owed.on,
                "amount": entry.amount,
                "balance": entry.balance,
            })
        });
        json!({
            "brought_forward": self.brought_forward,
            "entries": entries.collect::<Vec<Value>>(),
            "balance": self.balance(),
            "to_be_paid": self.left_of(total),
        })
    }
}

const fn kind(kind: &EntryKind) -> &'static str {
    match kind {
        EntryKind::Invoice(_) => "invoice",
        EntryKind::Payment(_) => "payment",
        EntryKind::PaymentReversed(_) => "payment_reversed",
        EntryKind::CreditNote(_) => "credit_note",
        EntryKind::WriteOff(_) => "write_off",
        EntryKind::WriteOffDebit => "write_off_debit",
        EntryKind::Refund(_) => "refund",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    /// An invoice over 50 of an account that had so much before.
    fn left(before: &str) -> String {
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        let entry = accounts::Entry {
            at,
            kind: EntryKind::WriteOffDebit,
            reference: "INV-1".into(),
            amount: decimal("-50"),
            balance: decimal(before) - decimal("50"),
        };
        let owed = Owed::new(&entry, "This invoice".into(), domain::calendar::Zone::UTC);
        let account = AccountAt {
            currency: Currency::EUR,
            brought_forward: decimal(before),
            entries: vec![(entry, owed)],
        };
        account.left_of(decimal("50")).to_string()
    }

    #[test]
    fn credit_has_paid_of_an_invoice_what_it_could() {
        assert_eq!(left("0"), "50");
        assert_eq!(left("30"), "20");
        assert_eq!(left("50"), "0");
        assert_eq!(left("80"), "0");
        // What was owed before is of other invoices.
        assert_eq!(left("-70"), "50");
    }
}
