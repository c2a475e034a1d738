//! Papers over an account and over all of them: the statement with the age of
//! what is owed, usage, and taxes.

use crate::{
    invoice::{LANGUAGE, fact, units},
    paper::{Paper, Row, RowKind, Table, figures, words},
};
use domain::{
    billing::{account::Profile, invoice::SellerBlock},
    calendar::{Date, Period, Zone, days_between},
    id::InvoiceId,
    money::{Currency, Decimal},
    time::Timestamp,
};
use projections::billing::{
    accounts::{self, EntryKind},
    invoices,
    usage::Summary,
};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Days after the due date, and what such a debt is called.
const AGES: [(u32, &str); 4] = [
    (30, "0 to 30 days"),
    (60, "31 to 60 days"),
    (90, "61 to 90 days"),
    (u32::MAX, "more than 90 days"),
];

/// What is owed by how long it has been due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ageing {
    /// Not due yet.
    pub not_due: Decimal,
    /// Due for 0 to 30, 31 to 60, 61 to 90 and more days.
    pub due: [Decimal; 4],
}

impl Ageing {
    /// All of it.
    pub fn total(&self) -> Decimal {
        self.due.iter().copied().sum::<Decimal>() + self.not_due
    }
}

/// The debts of an account by age at an instant.
pub fn ageing(account: &accounts::Row, at: Timestamp) -> Ageing {
    let mut ageing = Ageing::default();
    let profile = account.state.profile.as_ref();
    let zone = profile.map_or(Zone::UTC, |profile| profile.zone);
    // What stands on no invoice is due since the payment was taken back whose credit was paid
    // out before.
    let entries = account.entries.iter().rev();
    let mut taken_back =
        entries.filter(|entry| matches!(entry.kind, EntryKind::PaymentReversed(_)));
    let debit_days = taken_back.next().map_or(0, |entry| {
        days_between(zone.date_of(entry.at), zone.date_of(at))
    });
    let place = place_of(debit_days);
    ageing.due[place] = account.state.debit();
    for open in account.state.open.values() {
        if !open.is_overdue(at) {
            ageing.not_due = ageing.not_due + open.left;
            continue;
        }
        let days = days_due(zone, open.due_at, at);
        let place = place_of(days);
        ageing.due[place] = ageing.due[place] + open.left;
    }
    ageing
}

fn place_of(days: u32) -> usize {
    AGES.iter().position(|(most, _)| days <= *most).unwrap_or(3)
}

/// Days of the calendar since the due date, which ends with `due_at`. A day on which the
/// clocks change is one like any other.
fn days_due(zone: Zone, due_at: Timestamp, at: Timestamp) -> u32 {
    let last_instant = Timestamp::from_micros(due_at.micros().saturating_sub(1));
    days_between(zone.date_of(last_instant), zone.date_of(at))
}

/// The statement of an account over days: what was owed and paid. `credit_notes` are
/// those of its invoices.
pub fn statement(
    account: &accounts::Row,
    credit_notes: &[invoices::CreditNote],
    seller: Option<&SellerBlock>,
    (from, to): (Option<Date>, Option<Date>),
    at: Timestamp,
) -> Option<Paper> {
    let profile = account.state.profile.as_ref()?;
    let digits = profile.currency.exponent();
    let day = |at: Timestamp| profile.zone.date_of(at);
    let ledger = ledger(account, profile, credit_notes, (from, to));
    let name = &account.name;
    Some(Paper {
        language: LANGUAGE,
        kind: "Statement of account".into(),
        title: format!("Statement of account {name}"),
        // Asked for again on that day it has the same bytes, if nothing has happened.
        made_at: profile.zone.start_of(day(at)),
        sender: seller.map_or_else(Vec::new, crate::invoice::sender),
        recipient: holder(account, profile),
        facts: vec![
            fact("Account", name),
            fact(
                "From",
                from.map_or_else(|| "the beginning".into(), |day| day.to_string()),
            ),
            fact(
                "Before",
                to.map_or_else(|| day(at).to_string(), |day| day.to_string()),
            ),
            fact("As of", day(at)),
        ],
        opening: vec!["A balance below zero is owed, one above zero is credit.".into()],
        tables: vec![
            ledger,
            ages(&ageing(account, at), profile.currency.code(), digits),
        ],
        closing: vec![],
        beside: None,
        footer: seller.map_or_else(String::new, crate::invoice::footer),
    })
}

/// Numbers of the account's invoices.
pub(crate) fn numbers(account: &accounts::Row) -> BTreeMap<InvoiceId, &str> {
    account
        .entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Invoice(invoice) => Some((*invoice, entry.reference.as_str())),
            EntryKind::Payment(_)
            | EntryKind::PaymentReversed(_)
            | EntryKind::CreditNote(_)
            | EntryKind::WriteOff(_)
            | EntryKind::WriteOffDebit
            | EntryKind::Refund(_) => None,
        })
        .collect()
}

/// What was owed and paid on these days, with the balance before and after.
fn ledger(
    account: &accounts::Row,
    profile: &Profile,
    credit_notes: &[invoices::CreditNote],
    (from, to): (Option<Date>, Option<Date>),
) -> Table {
    let day = |at: Timestamp| profile.zone.date_of(at);
    let numbers = numbers(account);
    let is_before = |entry: &&accounts::Entry| from.is_some_and(|from| day(entry.at) < from);
    let before = account.entries.iter().rev().find(is_before);
    let opening = before.map_or(Decimal::ZERO, |entry| entry.balance);
    let is_asked = |entry: &&accounts::Entry| {
        let on = day(entry.at);
        from.is_none_or(|from| on >= from) && to.is_none_or(|to| on < to)
    };
    let entries: Vec<Owed> = account
        .entries
        .iter()
        .filter(is_asked)
        .map(|entry| Owed::new(entry, words_of(entry, &numbers, credit_notes), profile.zone))
        .collect();
    owed_and_paid("Owed and paid", profile.currency, opening, &entries)
}

/// A line of a ledger as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    /// What for.
    pub(crate) what: String,
    /// The day in the zone of the account.
    pub(crate) on: Date,
    /// Below nothing is owed, above is had.
    pub(crate) amount: Decimal,
    /// The balance with it.
    pub(crate) balance: Decimal,
}

impl Owed {
    pub(crate) fn new(entry: &accounts::Entry, what: String, zone: Zone) -> Self {
        Self {
            what,
            on: zone.date_of(entry.at),
            amount: entry.amount,
            balance: entry.balance,
        }
    }
}

/// Lines of a ledger, with the balance before and after.
pub(crate) fn owed_and_paid(
    caption: &str,
    currency: Currency,
    opening: Decimal,
    entries: &[Owed],
) -> Table {
    let digits = currency.exponent();
    let cells = |name: &str, amount: Decimal| {
        let empty = std::iter::repeat_n(String::new(), 3);
        let mut cells = vec![name.to_owned()];
        cells.extend(empty);
        cells.push(amount.with_digits(digits));
        cells
    };
    let mut rows = vec![Row::item(cells("Balance brought forward", opening))];
    rows.extend(entries.iter().map(|entry| {
        let amount = entry.amount.abs().with_digits(digits);
        let (debit, credit) = if entry.amount.is_negative() {
            (amount, String::new())
        } else {
            (String::new(), amount)
        };
        Row::item(vec![
            entry.what.clone(),
            entry.on.to_string(),
            debit,
            credit,
            entry.balance.with_digits(digits),
        ])
    }));
    let closing = entries.last().map_or(opening, |entry| entry.balance);
    rows.push(Row::new(RowKind::Total, cells("Balance", closing)));
    Table {
        caption: caption.into(),
        columns: vec![
            words("What", 42),
            words("Day", 14),
            figures("Owed", 14),
            figures("Paid", 14),
            figures(&format!("Balance, {currency}"), 16),
        ],
        rows,
    }
}

fn holder(account: &accounts::Row, profile: &Profile) -> Vec<String> {
    let party = account.holder.as_ref();
    let text = party.and_then(|party| party.display_name.as_deref());
    let text = text.unwrap_or(&account.name);
    let country = std::iter::once(profile.country.as_str());
    text.lines().chain(country).map(str::to_owned).collect()
}

pub(crate) fn words_of(
    entry: &accounts::Entry,
    numbers: &BTreeMap<InvoiceId, &str>,
    credit_notes: &[invoices::CreditNote],
) -> String {
    match &entry.kind {
        EntryKind::Invoice(_) => format!("Invoice {}", entry.reference),
        EntryKind::Payment(_) => format!("Payment {}", entry.reference),
        EntryKind::PaymentReversed(_) => format!("Payment taken back: {}", entry.reference),
        EntryKind::CreditNote(id) => {
            let mut notes = credit_notes.iter();
            let issued = notes.find(|note| note.credit_note == *id);
            let issued = issued.and_then(|note| note.issued.as_ref());
            // Its number comes in the moment after it counts.
            issued.map_or_else(
                || "Credit note".into(),
                |(number, ..)| format!("Credit note {number}"),
            )
        }
        EntryKind::Refund(_) => format!("Refund {}", entry.reference),
        EntryKind::WriteOffDebit => "What is owed beside invoices will not be paid".into(),
        EntryKind::WriteOff(invoice) => {
            let number = numbers.get(invoice).copied().unwrap_or_default();
            format!("Invoice {number} will not be paid")
        }
    }
}

fn ages(ageing: &Ageing, currency: &str, digits: u8) -> Table {
    let row =
        |name: &str, amount: Decimal| Row::item(vec![name.to_owned(), amount.with_digits(digits)]);
    let mut rows = vec![row("Not due yet", ageing.not_due)];
    let due = AGES.iter().zip(&ageing.due);
    rows.extend(due.map(|((_, name), amount)| row(name, *amount)));
    let total = vec!["Open in all".into(), ageing.total().with_digits(digits)];
    rows.push(Row::new(RowKind::Total, total));
    Table {
        caption: "Open invoices by days after their due date".into(),
        columns: vec![
            words("Due for", 70),
            figures(&format!("Open, {currency}"), 30),
        ],
        rows,
    }
}

/// What accounts owe by age, one row an account; each currency has its sums.
pub fn ageing_of(accounts: &[accounts::Row], at: Timestamp) -> Paper {
    let mut tables: BTreeMap<String, (u8, Vec<Row>, Ageing)> = BTreeMap::new();
    for account in accounts {
        let Some(profile) = &account.state.profile else {
            continue;
        };
        let ageing = ageing(account, at);
        if ageing.total().is_zero() {
            continue;
        }
        let digits = profile.currency.exponent();
        let code = profile.currency.to_string();
        let (_, rows, sum) = tables
            .entry(code)
            .or_insert_with(|| (digits, vec![], Ageing::default()));
        rows.push(Row::item(ageing_cells(&account.name, &ageing, digits)));
        sum.not_due = sum.not_due + ageing.not_due;
        for (sum, amount) in sum.due.iter_mut().zip(ageing.due) {
            *sum = *sum + amount;
        }
    }
    let tables = tables
        .into_iter()
        .map(|(currency, (digits, mut rows, sum))| {
            let cells = ageing_cells("All accounts", &sum, digits);
            rows.push(Row::new(RowKind::Total, cells));
            let mut columns = vec![words("Account", 25), figures("Not due", 15)];
            columns.extend(AGES.iter().map(|(_, name)| figures(name, 15)));
            columns.push(figures("Open", 15));
            Table {
                caption: format!("Open invoices, {currency}"),
                columns,
                rows,
            }
        });
    report("Ageing", at, tables.collect())
}

fn ageing_cells(name: &str, ageing: &Ageing, digits: u8) -> Vec<String> {
    let mut cells = vec![name.to_owned(), ageing.not_due.with_digits(digits)];
    cells.extend(ageing.due.iter().map(|amount| amount.with_digits(digits)));
    cells.push(ageing.total().with_digits(digits));
    cells
}

fn report(title: &str, at: Timestamp, tables: Vec<Table>) -> Paper {
    Paper {
        language: LANGUAGE,
        kind: title.to_owned(),
        title: title.to_owned(),
        made_at: at,
        sender: vec![],
        recipient: vec![],
        facts: vec![fact("As of", second(at))],
        opening: vec![],
        tables,
        closing: vec![],
        beside: None,
        footer: "Ringledger".into(),
    }
}

/// What an account used, by month and kind.
pub fn usage_summary(account: &accounts::Row, usage: &[Summary], at: Timestamp) -> Paper {
    let mut rows = vec![];
    let mut running = Decimal::ZERO;
    for summary in usage {
        running = running + summary.amount;
        let (number, unit) = units(summary.usage_type, summary.quantity.unsigned_abs());
        let number = if summary.quantity < 0 {
            -number
        } else {
            number
        };
        rows.push(Row::item(vec![
            summary.usage_type.title().into(),
            summary.period.to_string(),
            summary.count.to_string(),
            number.to_string(),
            unit.into(),
            summary.amount.to_string(),
        ]));
    }
    let mut cells = vec!["Sum".to_owned()];
    cells.extend(std::iter::repeat_n(String::new(), 4));
    cells.push(running.to_string());
    rows.push(Row::new(RowKind::Total, cells));
    let currency = account
        .state
        .profile
        .as_ref()
        .map(|profile| profile.currency);
    let currency = currency.map_or_else(String::new, |currency| format!(", {currency}"));
    let table = Table {
        caption: "Rated usage at the prices of the plan, before what it includes".into(),
        columns: vec![
            words("Kind", 30),
            words("Month", 13),
            figures("Records", 12),
            figures("Quantity", 14),
            words("Unit", 12),
            figures(&format!("Amount{currency}"), 19),
        ],
        rows,
    };
    report(&format!("Usage of {}", account.name), at, vec![table])
}

/// Taxes by currency, country, and rate: of the invoices that were issued in those months,
/// less the credit notes that were. A credit note is of the month of its own issue: what
/// was declared of an earlier one stays what it was.
pub fn tax_summary(
    invoices: &[invoices::Row],
    months: &RangeInclusive<Period>,
    at: Timestamp,
) -> Paper {
    type Key = (String, String, String);
    let mut sums: BTreeMap<Key, (u8, Decimal, Decimal)> = BTreeMap::new();
    let is_asked = |issued_on| months.contains(&Period::of(issued_on));
    for row in invoices {
        let Some(head) = &row.state.head else {
            continue;
        };
        let mut add = |taxes: &[domain::billing::TaxLine], sign: i128| {
            for tax in taxes {
                let category = crate::field::name(tax.category).unwrap_or_default();
                let rate = format!("{category} {} %", tax.percent);
                let key = (
                    head.currency.to_string(),
                    head.customer.country.clone(),
                    rate,
                );
                let digits = head.currency.exponent();
                let sum = sums
                    .entry(key)
                    .or_insert((digits, Decimal::ZERO, Decimal::ZERO));
                let signed = |amount: Decimal| if sign < 0 { -amount } else { amount };
                sum.1 = sum.1 + signed(tax.net);
                sum.2 = sum.2 + signed(tax.tax);
            }
        };
        let issue = row.issue.as_ref();
        if issue.is_some_and(|issue| is_asked(issue.issued_on)) {
            add(&row.state.taxes, 1);
        }
        for note in &row.credit_notes {
            let issued = note.issued.as_ref();
            if issued.is_some_and(|(_, issued_on, _)| is_asked(*issued_on)) {
                add(&note.document.taxes, -1);
            }
        }
    }
    let rows = sums
        .into_iter()
        .map(|((currency, country, rate), (digits, net, tax))| {
            Row::item(vec![
                rate,
                country,
                currency,
                net.with_digits(digits),
                tax.with_digits(digits),
            ])
        });
    let table = Table {
        caption: "Taxes of issued invoices, less credit notes".into(),
        columns: vec![
            words("Rate", 34),
            words("Country", 14),
            words("Currency", 14),
            figures("Net", 19),
            figures("Tax", 19),
        ],
        rows: rows.collect(),
    };
    report("Tax summary", at, vec![table])
}

/// An instant as a person reads it: to the second.
fn second(at: Timestamp) -> String {
    let text = at.to_string();
    let second = text.get(..19).unwrap_or(&text);
    format!("{} UTC", second.replace('T', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a day")
    }

    /// In Berlin the clocks go back on the 25th of October: that day has 25 hours, and a debt
    /// was a day older in the first hour of each day after it than a day later.
    #[test]
    fn a_debt_is_as_old_as_the_days_of_the_calendar_where_the_account_is() {
        let zone: Zone = "Europe/Berlin".parse().expect("a zone");
        let due_at = zone.start_of(date("2026-10-15"));
        let age = |day, minutes: u64| {
            let at = zone.start_of(date(day)).plus_ms(minutes * 60_000);
            days_due(zone, due_at, at)
        };
        assert_eq!(age("2026-10-15", 0), 1);
        assert_eq!(age("2026-10-15", 24 * 60 - 1), 1);
        assert_eq!(age("2026-10-25", 25 * 60 - 1), 11);
        // The 30th day, to its last minute.
        assert_eq!(age("2026-11-13", 0), 30);
        assert_eq!(age("2026-11-13", 24 * 60 - 1), 30);
        assert_eq!(age("2026-11-14", 0), 31);
    }
}
