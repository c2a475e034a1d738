//! Invoices with their payments and credit notes.

use super::{
    Changed,
    accounts::{self, EntryKind},
    record,
};
use crate::{
    changed::Change,
    page::{Cursor, Order, PAGE_MAX, Page, Query, Slice, SortKey},
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, number, text, text_or_null, word},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self, credit_note,
        invoice::{CreditDocument, Event, Invoice, Phase, Source},
    },
    calendar::{Date, Period},
    decider::Decider,
    id::{AccountId, CreditNoteId, InvoiceId, SubjectId},
    money::Decimal,
    sealed::Party,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Invoices;

/// How an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Can be changed.
    Draft,
    /// Was wrong, and is nobody's debt: its month can be invoiced anew.
    Discarded,
    /// Is to get its number.
    Approved,
    /// Issued, nothing paid.
    Issued,
    /// Issued, something paid.
    PartiallyPaid,
    /// Nothing is left to pay.
    Paid,
    /// Not paid in time.
    Overdue,
    /// Taken back in whole.
    CreditedFully,
    /// Will not be paid.
    WrittenOff,
}

/// What it got when it was issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// When.
    pub at: Timestamp,
    /// As it is written.
    pub number: String,
    /// The day there.
    pub issued_on: Date,
    /// The last day on which it is paid in time.
    pub due_on: Date,
    /// Its document shows what the account owed before it.
    pub shows_account: bool,
}

/// Something that was paid, or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// When.
    pub at: Timestamp,
    /// From what.
    pub source: Source,
    /// How much; below nothing where a payment was taken back.
    pub amount: Decimal,
    /// What was left to pay then.
    pub left: Decimal,
}

/// A credit note on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    /// Which.
    pub credit_note: CreditNoteId,
    /// When it was decided.
    pub at: Timestamp,
    /// What it says.
    pub document: CreditDocument,
    /// Its number and the day of its issue.
    pub issued: Option<(String, Date, Timestamp)>,
}

/// A draft of it that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discard {
    /// When it was discarded.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// What it came to.
    pub total: Decimal,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub invoice: InvoiceId,
    /// Position of the event that last changed it.
    pub position: u64,
    /// Its version: what a person who decides about it has seen.
    #[serde(default)]
    pub revision: u64,
    /// When it was drafted.
    pub drafted_at: Timestamp,
    /// Who pays.
    pub account: AccountId,
    /// For which month.
    pub period: Period,
    /// Name and address of who pays; none if not told, or erased.
    pub customer: Option<Party>,
    /// What it got when it was issued.
    pub issue: Option<Issue>,
    /// What the rules go by.
    pub state: Invoice,
    /// What was paid.
    pub paid: Vec<Paid>,
    /// Credit notes on it.
    pub credit_notes: Vec<CreditNote>,
    /// Drafts of it that were discarded, the oldest first.
    #[serde(default)]
    pub discards: Vec<Discard>,
}

impl Row {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        let state = &self.state;
        match state.phase {
            Phase::Unborn | Phase::Draft => return Standing::Draft,
            Phase::Discarded => return Standing::Discarded,
            Phase::Approved => return Standing::Approved,
            Phase::WrittenOff => return Standing::WrittenOff,
            Phase::Issued => {}
        }
        let has_credit = !state.credit_notes.is_empty();
        if has_credit && state.credited == state.totals.total {
            Standing::CreditedFully
        } else if state.left().is_zero() {
            Standing::Paid
        } else if state.level > 0 {
            Standing::Overdue
        } else if state.paid.values().all(|paid| paid.is_zero()) {
            Standing::Issued
        } else {
            Standing::PartiallyPaid
        }
    }
}

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        let mut values = record::head(self.invoice, self.position);
        let number_text = self.issue.as_ref().map(|issue| &issue.number);
        values.extend([
            text(self.account),
            text(self.period),
            text_or_null(number_text),
            word(&self.standing()),
            number(self.drafted_at.micros()),
            record::json(self),
        ]);
        values
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        record::read(columns, COLUMNS.len() - 1)
    }
    fn forget(&mut self, subject: SubjectId, position: u64) -> Effect {
        let head = self.state.head.as_ref();
        let holder = head.and_then(|head| head.customer.holder.as_ref());
        if holder.is_none_or(|holder| holder.subject != subject) {
            return Effect::Kept;
        }
        self.customer = None;
        self.position = position;
        Effect::Changed
    }
}

const COLUMNS: &[&str] = &[
    "invoice_id",
    "position",
    "account_id",
    "period",
    "number",
    "standing",
    "drafted_at",
    "record",
];

impl Projection for Invoices {
    const NAME: &'static str = "billing_invoices";
    const VERSION: u32 = 5;
    const TABLES: &'static [Table] = &[Table {
        name: "billing_invoices",
        key: "invoice_id",
        columns: COLUMNS,
        personal: Personal::Rows,
    }];
    const ROWS_CACHED_MAX: usize = 4_096;
    type Key = InvoiceId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<InvoiceId> {
        match told(fact)? {
            Told::Invoice(invoice, _) => Some(invoice),
            Told::CreditNote(_, credit_note::Event::Issued { invoice, .. }) => Some(*invoice),
            Told::CreditNote(_, credit_note::Event::Drafted { .. }) => None,
        }
    }
    fn key_value(key: &InvoiceId) -> Value {
        text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        // A draft may be there that was discarded.
        false
    }
    fn key_of(row: &Row) -> InvoiceId {
        row.invoice
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let at = input.fact.at;
        let Some(told) = told(input.fact) else {
            return Effect::Kept;
        };
        if let Told::Invoice(invoice, Event::Drafted { head, .. }) = told {
            let discarded = row.take();
            *row = Some(Row {
                invoice,
                position: 0,
                revision: 0,
                drafted_at: at,
                account: head.account,
                period: head.period,
                customer: head
                    .customer
                    .holder
                    .as_ref()
                    .and_then(|_| input.party.cloned()),
                issue: None,
                state: Invoice::default(),
                paid: vec![],
                credit_notes: vec![],
                discards: discarded.map(|row| row.discards).unwrap_or_default(),
            });
        }
        let Some(row) = row.as_mut() else {
            return Effect::Kept;
        };
        row.position = input.fact.position;
        match told {
            Told::Invoice(_, event) => {
                row.revision = input.fact.version;
                note(row, at, event);
                row.state = Invoice::evolve(std::mem::take(&mut row.state), at, event);
            }
            Told::CreditNote(id, event) => number_credit_note(row, at, id, event),
        }
        Effect::Changed
    }
    fn changed(key: &InvoiceId, row: Option<&Row>) -> Option<Change> {
        Some(Change::Billing(Changed::Invoice(
            *key,
            row.cloned().map(Arc::new),
        )))
    }
}

enum Told<'a> {
    Invoice(InvoiceId, &'a Event),
    CreditNote(CreditNoteId, &'a credit_note::Event),
}

fn told(fact: &Fact) -> Option<Told<'_>> {
    match &fact.event {
        AnyEvent::Billing(billing::Event::Invoice(id, event)) => Some(Told::Invoice(*id, event)),
        AnyEvent::Billing(billing::Event::CreditNote(id, event)) => {
            Some(Told::CreditNote(*id, event))
        }
        AnyEvent::Billing(_)
        | AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..) => None,
    }
}

fn note(row: &mut Row, at: Timestamp, event: &Event) {
    match event {
        Event::Issued {
            number,
            issued_on,
            due_on,
            shows_account,
            ..
        } => {
            row.issue = Some(Issue {
                at,
                number: number.clone(),
                issued_on: *issued_on,
                due_on: *due_on,
                shows_account: *shows_account,
            });
        }
        Event::PaymentRecorded {
            source,
            amount,
            left,
        } => row.paid.push(Paid {
            at,
            source: *source,
            amount: *amount,
            left: *left,
        }),
        Event::PaymentReversed {
            source,
            amount,
            left,
            ..
        } => row.paid.push(Paid {
            at,
            source: *source,
            amount: -*amount,
            left: *left,
        }),
        Event::Credited {
            credit_note,
            document,
            ..
        } => row.credit_notes.push(CreditNote {
            credit_note: *credit_note,
            at,
            document: (**document).clone(),
            issued: None,
        }),
        Event::Discarded { reason, .. } => row.discards.push(Discard {
            at,
            reason: reason.clone(),
            total: row.state.totals.total,
        }),
        Event::Drafted { .. }
        | Event::LineAdded { .. }
        | Event::Approved { .. }
        | Event::Paid {}
        | Event::Overdue { .. }
        | Event::WriteOffAsked { .. }
        | Event::WriteOffLowered { .. }
        | Event::WrittenOff { .. } => {}
    }
}

fn number_credit_note(row: &mut Row, at: Timestamp, id: CreditNoteId, event: &credit_note::Event) {
    let credit_note::Event::Issued {
        number, issued_on, ..
    } = event
    else {
        return;
    };
    let mut notes = row.credit_notes.iter_mut();
    if let Some(note) = notes.find(|note| note.credit_note == id) {
        note.issued = Some((number.clone(), *issued_on, at));
    }
}

/// Which invoices; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// That this account pays.
    pub account: Option<AccountId>,
    /// For this month.
    pub period: Option<Period>,
    /// That stand in one of these ways; empty for any.
    pub standings: Vec<Standing>,
}

impl Views {
    /// The invoice.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn invoice(&self, invoice: InvoiceId) -> Result<Option<Row>, ViewError> {
        self.one_invoice("invoice_id = ?", text(invoice)).await
    }

    /// The invoice of that number.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn invoice_numbered(&self, number: &str) -> Result<Option<Row>, ViewError> {
        self.one_invoice("number = ?", text(number)).await
    }

    /// The credit notes in the ledger of that account; reads nothing where there are none.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn credit_notes_of(
        &self,
        account: &accounts::Row,
    ) -> Result<Vec<CreditNote>, ViewError> {
        let is_note = |entry: &accounts::Entry| matches!(entry.kind, EntryKind::CreditNote(_));
        if !account.entries.iter().any(is_note) {
            return Ok(vec![]);
        }
        let filter = Filter {
            account: Some(account.account),
            ..Filter::default()
        };
        let (mut notes, mut after) = (vec![], None);
        loop {
            let page = Page::First(PAGE_MAX, after);
            let slice = self.invoices(&filter, &page).await?;
            after = slice.rows.last().map(|(cursor, _)| cursor.clone());
            let rows = slice.rows.into_iter();
            notes.extend(rows.flat_map(|(_, row)| row.credit_notes));
            if !slice.has_more {
                return Ok(notes);
            }
        }
    }

    async fn one_invoice(&self, condition: &str, value: Value) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_invoices");
        query.and(condition, [value]);
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(self.rows(&sql, parameters, read).await?.pop())
    }

    /// Invoices, the one drafted last first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn invoices(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_invoices");
        if let Some(account) = filter.account {
            query.and("account_id = ?", [text(account)]);
        }
        if let Some(period) = filter.period {
            query.and("period = ?", [text(period)]);
        }
        if !filter.standings.is_empty() {
            query.and_in("standing", filter.standings.iter().map(word).collect());
        }
        let query = query.page("drafted_at", "invoice_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(query.slice(rows, read, cursor)?)
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.drafted_at.micros()),
        id: row.invoice.to_string(),
    }
}
