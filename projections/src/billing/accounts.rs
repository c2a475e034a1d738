//! Accounts: what each owes, has and reserves, and its ledger.

use super::{Changed, record};
use crate::{
    changed::Change,
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, text, word},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self,
        account::{Account, Event, PaymentMethod, Status},
    },
    decider::Decider,
    id::{AccountId, CreditNoteId, InvoiceId, PaymentId, RefundId, SubjectId},
    money::Decimal,
    sealed::Party,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Accounts;

/// What an entry of the ledger is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An invoice.
    Invoice(InvoiceId),
    /// A payment.
    Payment(PaymentId),
    /// A payment that was taken back.
    PaymentReversed(PaymentId),
    /// A credit note.
    CreditNote(CreditNoteId),
    /// A debt that will not be paid.
    WriteOff(InvoiceId),
    /// What was owed beside all invoices and will not be paid.
    WriteOffDebit,
    /// Credit that was paid out.
    Refund(RefundId),
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What for.
    pub kind: EntryKind,
    /// Number of the document, or what the payer wrote.
    pub reference: String,
    /// Below nothing is owed, above is had.
    pub amount: Decimal,
    /// Sum of all entries up to this one.
    pub balance: Decimal,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Which.
    pub payment: PaymentId,
    /// When it was recorded.
    pub at: Timestamp,
    /// How much.
    pub amount: Decimal,
    /// How.
    pub method: PaymentMethod,
    /// What the payer or the bank wrote.
    pub reference: String,
    /// What went to which invoice.
    pub allocations: Vec<billing::account::Allocation>,
    /// What became credit.
    pub credit: Decimal,
    /// When and why it was taken back.
    pub reversed: Option<(Timestamp, String)>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub account: AccountId,
    /// Position of the event that last changed it.
    pub position: u64,
    /// When it was made.
    pub opened_at: Timestamp,
    /// Its name.
    pub name: String,
    /// Who it belongs to; none if not told, or erased.
    pub holder: Option<Party>,
    /// What the rules go by; of calls that are not invoiced it knows nothing,
    /// those are among the [`super::charges`].
    pub state: Account,
    /// Everything that was owed and paid.
    pub entries: Vec<Entry>,
    /// All payments, the oldest first.
    pub payments: Vec<Payment>,
}

impl Row {
    /// What the ledger says: below nothing is owed. Calls that are not
    /// invoiced are not in it.
    pub fn ledger_balance(&self) -> Decimal {
        self.entries
            .last()
            .map_or(Decimal::ZERO, |entry| entry.balance)
    }
}

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        let mut values = record::head(self.account, self.position);
        values.extend([
            text(&self.name),
            word(&self.state.status),
            record::json(self),
        ]);
        values
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        record::read(columns, COLUMNS.len() - 1)
    }
    fn forget(&mut self, subject: SubjectId, position: u64) -> Effect {
        let profile = self.state.profile.as_ref();
        let holder = profile.and_then(|profile| profile.holder.as_ref());
        if holder.is_none_or(|holder| holder.subject != subject) {
            return Effect::Kept;
        }
        self.holder = None;
        self.position = position;
        Effect::Changed
    }
}

const COLUMNS: &[&str] = &["account_id", "position", "name", "status", "record"];

impl Projection for Accounts {
    const NAME: &'static str = "billing_accounts";
    const VERSION: u32 = 12;
    const TABLES: &'static [Table] = &[Table {
        name: "billing_accounts",
        key: "account_id",
        columns: COLUMNS,
        personal: Personal::Rows,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    type Key = AccountId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<AccountId> {
        event(fact).map(|(account, _)| account)
    }
    fn key_value(key: &AccountId) -> Value {
        text(key)
    }
    fn creates(fact: &Fact) -> bool {
        event(fact).is_some_and(|(_, event)| matches!(event, Event::Opened { .. }))
    }
    fn key_of(row: &Row) -> AccountId {
        row.account
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let Some((account, event)) = event(input.fact) else {
            return Effect::Kept;
        };
        if let Event::Opened { name, .. } = event {
            *row = Some(Row {
                account,
                position: 0,
                opened_at: input.fact.at,
                name: name.clone(),
                holder: None,
                state: Account::default(),
                entries: vec![],
                payments: vec![],
            });
        }
        let Some(row) = row.as_mut() else {
            return Effect::Kept;
        };
        row.position = input.fact.position;
        if let Event::Opened { profile, .. } | Event::Configured { profile, .. } = event {
            row.holder = profile.holder.as_ref().and_then(|_| input.party.cloned());
        }
        enter(row, input.fact.at, event);
        let mut state = Account::evolve(std::mem::take(&mut row.state), input.fact.at, event);
        // One entry for each call would make a row of a busy month huge, and what
        // only the rules need to know is not read here.
        state.unbilled.clear();
        state.unbilled_sum = Decimal::ZERO;
        state.uncounted.clear();
        row.state = state;
        Effect::Changed
    }
    fn changed(key: &AccountId, row: Option<&Row>) -> Option<Change> {
        Some(Change::Billing(Changed::Account(
            *key,
            row.cloned().map(Arc::new),
        )))
    }
}

fn event(fact: &Fact) -> Option<(AccountId, &Event)> {
    match &fact.event {
        AnyEvent::Billing(billing::Event::Account(account, event)) => Some((*account, event)),
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

/// Writes what the event means for the ledger.
fn enter(row: &mut Row, at: Timestamp, event: &Event) {
    match event {
        Event::ChargePosted {
            invoice,
            number,
            amount,
            ..
        } => entry(row, at, EntryKind::Invoice(*invoice), number, -*amount),
        Event::PaymentApplied { .. } => paid(row, at, event),
        Event::PaymentReversed {
            payment,
            amount,
            reason,
            ..
        } => {
            let paid = row
                .payments
                .iter_mut()
                .find(|paid| paid.payment == *payment);
            if let Some(paid) = paid {
                paid.reversed = Some((at, reason.clone()));
            }
            let kind = EntryKind::PaymentReversed(*payment);
            entry(row, at, kind, reason, -amount.amount);
        }
        Event::CreditNotePosted { .. } => credited(row, at, event),
        Event::DebitWrittenOff { amount, reason } => {
            entry(row, at, EntryKind::WriteOffDebit, reason, *amount);
        }
        Event::DebtWrittenOff {
            invoice,
            amount,
            reason,
        } => {
            let reason = reason.as_deref().unwrap_or_default();
            entry(row, at, EntryKind::WriteOff(*invoice), reason, *amount);
        }
        Event::CreditRefunded {
            refund,
            amount,
            reference,
            ..
        } => entry(
            row,
            at,
            EntryKind::Refund(*refund),
            reference,
            -amount.amount,
        ),
        Event::Opened { .. }
        | Event::Configured { .. }
        | Event::CreditLimitSet { .. }
        | Event::PlanSubscribed { .. }
        | Event::PlanChanged { .. }
        | Event::CreditReserved { .. }
        | Event::CreditReleased { .. }
        | Event::UsageCommitted { .. }
        | Event::CreditApplied { .. }
        | Event::CreditTakenBack { .. }
        | Event::InvoiceBegun { .. }
        | Event::InvoiceDropped { .. }
        | Event::CreditNoteSettled { .. }
        | Event::Suspended { .. }
        | Event::Reactivated {}
        | Event::Closed {} => {}
    }
}

/// A credit note. What was given up is on the ledger already: nobody has it once more.
fn credited(row: &mut Row, at: Timestamp, event: &Event) {
    let Event::CreditNotePosted {
        credit_note,
        invoice,
        amount,
        settled,
        ..
    } = event
    else {
        return;
    };
    let open = row.state.open.get(invoice).map(|open| open.left);
    let of_written_off = *settled - open.unwrap_or_default().min(*settled);
    let kind = EntryKind::CreditNote(*credit_note);
    entry(row, at, kind, "", *amount - of_written_off);
}

/// A payment and its entry.
fn paid(row: &mut Row, at: Timestamp, event: &Event) {
    let Event::PaymentApplied {
        payment,
        amount,
        method,
        reference,
        allocations,
        credit,
    } = event
    else {
        return;
    };
    row.payments.push(Payment {
        payment: *payment,
        at,
        amount: amount.amount,
        method: *method,
        reference: reference.clone(),
        allocations: allocations.clone(),
        credit: *credit,
        reversed: None,
    });
    let kind = EntryKind::Payment(*payment);
    entry(row, at, kind, reference, amount.amount);
}

fn entry(row: &mut Row, at: Timestamp, kind: EntryKind, reference: &str, amount: Decimal) {
    let balance = row.ledger_balance() + amount;
    row.entries.push(Entry {
        at,
        kind,
        reference: reference.into(),
        amount,
        balance,
    });
}

/// Which accounts; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In this state.
    pub status: Option<Status>,
}

impl Views {
    /// The account.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn account(&self, account: AccountId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_accounts");
        query.and("account_id = ?", [text(account)]);
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(self.rows(&sql, parameters, read).await?.pop())
    }

    /// Accounts by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn accounts(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_accounts");
        if let Some(status) = &filter.status {
            query.and("status = ?", [word(status)]);
        }
        let query = query.page("name", "account_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(query.slice(rows, read, cursor)?)
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Text(row.name.clone()),
        id: row.account.to_string(),
    }
}

#[cfg(test)]
mod tests;
