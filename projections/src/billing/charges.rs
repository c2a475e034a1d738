//! What each call costs, or why it has no price.

use super::{Changed, record};
use crate::{
    changed::Change,
    page::{Cursor, Order, PAGE_MAX, Page, Query, Slice, SortKey},
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, flag, number, text, text_or_null, time},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self,
        rating::{Bill, Event, UnratedReason},
        usage::Record,
    },
    calendar::Period,
    id::{AccountId, CallId, DeckId, PlanId},
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Debug)]
pub struct Charges;

/// What is known of the price of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which call.
    pub call: CallId,
    /// Position of the event that last changed it.
    pub position: u64,
    /// How often it was rated; 0 if never.
    pub revision: u32,
    /// The price, once there is one.
    pub bill: Option<Bill>,
    /// Who would pay, and why there is no price.
    pub unrated: Option<(Option<AccountId>, UnratedReason)>,
    /// Why it is to have none; nobody needs to look any more.
    #[serde(default)]
    pub dismissed: Option<String>,
    /// When it was rated last, or could not be.
    pub at: Timestamp,
    /// Why it was rated again, where it was.
    pub reason: Option<String>,
    /// What was known before, the oldest first.
    pub superseded: Vec<Superseded>,
}

/// What was known of the price of a call before it was rated again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// Position of the event that said so.
    pub position: u64,
    /// How often the call was rated by then.
    pub revision: u32,
    /// The price, if there was one.
    pub bill: Option<Bill>,
    /// Who would pay, and why there was no price.
    pub unrated: Option<(Option<AccountId>, UnratedReason)>,
    /// Why it was to have none.
    #[serde(default)]
    pub dismissed: Option<String>,
    /// When it was said.
    pub at: Timestamp,
    /// Why it was rated again, where it was.
    pub reason: Option<String>,
}

/// How the price of a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It costs something.
    Rated,
    /// It costs nothing: nobody answered, it was shorter than the grace time, it was
    /// for help, or its price is zero.
    Free,
    /// It has no price: a person must look.
    Unrated,
    /// It has no price, and whoever has looked wants none.
    Dismissed,
}

impl Row {
    /// How the price stands.
    pub fn standing(&self) -> Standing {
        match &self.bill {
            None if self.dismissed.is_some() => Standing::Dismissed,
            None => Standing::Unrated,
            Some(bill) if bill.records.iter().all(|record| record.amount.is_zero()) => {
                Standing::Free
            }
            Some(_) => Standing::Rated,
        }
    }

    /// What it costs without tax, once it has a price.
    pub fn amount(&self) -> Option<Decimal> {
        let records = &self.bill.as_ref()?.records;
        Some(records.iter().map(|record| record.amount).sum())
    }

    /// What was known when the log had got as far as a position; none when nothing was.
    /// The same for ever, however often the call is rated again.
    pub fn as_of(&self, position: u64) -> Option<Self> {
        let mut row = self.clone();
        while row.position > position {
            let earlier = row.superseded.pop()?;
            row.position = earlier.position;
            row.revision = earlier.revision;
            row.bill = earlier.bill;
            row.unrated = earlier.unrated;
            row.dismissed = earlier.dismissed;
            row.at = earlier.at;
            row.reason = earlier.reason;
        }
        Some(row)
    }

    /// Keeps what is known, before something else is.
    fn supersede(&mut self) {
        // A row that was made just now says nothing yet.
        if self.position == 0 {
            return;
        }
        self.superseded.push(Superseded {
            position: self.position,
            revision: self.revision,
            bill: self.bill.clone(),
            unrated: self.unrated.take(),
            dismissed: self.dismissed.take(),
            at: self.at,
            reason: self.reason.take(),
        });
    }

    /// Who pays, or would.
    pub fn account(&self) -> Option<AccountId> {
        let unrated = self.unrated.and_then(|(account, _)| account);
        self.bill.as_ref().map(|bill| bill.account).or(unrated)
    }
}

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        let mut values = record::head(self.call, self.position);
        values.extend([
            text_or_null(self.account()),
            text_or_null(self.bill.as_ref().map(|bill| bill.period)),
            flag(self.unrated.is_some() && self.dismissed.is_none()),
            number(self.at.micros()),
            record::json(self),
        ]);
        values
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        record::read(columns, COLUMNS.len() - 1)
    }
}

/// Why a price is there again.
const RESTORED: &str = "the month was closed first, and charged for its calls as a whole";

const COLUMNS: &[&str] = &[
    "call_id",
    "position",
    "account_id",
    "period",
    "unrated",
    "rated_at",
    "record",
];

impl Projection for Charges {
    const NAME: &'static str = "billing_charges";
    const VERSION: u32 = 3;
    const TABLES: &'static [Table] = &[Table {
        name: "billing_charges",
        key: "call_id",
        columns: COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 4_096;
    type Key = CallId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<CallId> {
        event(fact).map(|(call, _)| call)
    }
    fn key_value(key: &CallId) -> Value {
        text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        false
    }
    fn key_of(row: &Row) -> CallId {
        row.call
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let Some((call, event)) = event(input.fact) else {
            return Effect::Kept;
        };
        let new = || Row {
            call,
            position: 0,
            revision: 0,
            bill: None,
            unrated: None,
            dismissed: None,
            at: input.fact.at,
            reason: None,
            superseded: vec![],
        };
        match event {
            Event::Started { .. } | Event::Extended { .. } | Event::Exhausted { .. } => {
                return Effect::Kept;
            }
            Event::Rated {
                revision,
                bill,
                replaces: _,
                reason,
            } => {
                let row = row.get_or_insert_with(new);
                row.supersede();
                row.revision = *revision;
                row.bill = Some((**bill).clone());
                row.reason.clone_from(reason);
            }
            Event::Restored { revision, bill, .. } => {
                let row = row.get_or_insert_with(new);
                row.supersede();
                row.revision = *revision;
                row.bill = Some((**bill).clone());
                row.reason = Some(RESTORED.into());
            }
            Event::Unrated { account, reason } => {
                let row = row.get_or_insert_with(new);
                row.supersede();
                row.unrated = Some((*account, *reason));
            }
            Event::Dismissed { unrated, reason } => {
                let row = row.get_or_insert_with(new);
                let account = row.unrated.and_then(|(account, _)| account);
                row.supersede();
                row.unrated = Some((account, *unrated));
                row.dismissed = Some(reason.clone());
            }
        }
        if let Some(row) = row.as_mut() {
            row.position = input.fact.position;
            row.at = input.fact.at;
        }
        Effect::Changed
    }
    fn changed(key: &CallId, row: Option<&Row>) -> Option<Change> {
        let account = row.and_then(Row::account)?;
        Some(Change::Billing(Changed::Charge(*key, account)))
    }
}

fn event(fact: &Fact) -> Option<(CallId, &Event)> {
    match &fact.event {
        AnyEvent::Billing(billing::Event::Rating(call, event)) => Some((*call, event)),
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

/// Which charges; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// That this account pays, or would.
    pub account: Option<AccountId>,
    /// On the invoice of this month.
    pub period: Option<Period>,
    /// That have no price, or have one.
    pub unrated: Option<bool>,
    /// Of calls that started at this instant or later.
    pub from: Option<Timestamp>,
    /// Of calls that started before this instant.
    pub until: Option<Timestamp>,
    /// With a price by this plan, in whichever version.
    pub plan: Option<PlanId>,
    /// With a price by this deck, in whichever version.
    pub deck: Option<DeckId>,
}

impl Filter {
    fn restrict(&self, query: &mut Query) {
        if let Some(account) = self.account {
            query.and("account_id = ?", [text(account)]);
        }
        if let Some(period) = self.period {
            query.and("period = ?", [text(period)]);
        }
        if let Some(unrated) = self.unrated {
            query.and("unrated = ?", [flag(unrated)]);
        }
        if let Some(from) = self.from {
            let started = "call_id IN (SELECT call_id FROM cdr WHERE started_at >= ?)";
            query.and(started, [time(from)]);
        }
        if let Some(until) = self.until {
            let started = "call_id IN (SELECT call_id FROM cdr WHERE started_at < ?)";
            query.and(started, [time(until)]);
        }
        // Neither has a column: what is read may be of an earlier price, and is looked at
        // again. A UUID has no sign that means something in a pattern.
        if let Some(plan) = self.plan {
            query.and("record LIKE ?", [text(format!("%\"plan\":\"{plan}\"%"))]);
        }
        if let Some(deck) = self.deck {
            query.and("record LIKE ?", [text(format!("%\"deck\":\"{deck}\"%"))]);
        }
    }

    /// Whether the price is by the plan and the deck.
    fn is_by(&self, row: &Row) -> bool {
        let records = || row.bill.iter().flat_map(|bill| &bill.records);
        let is_of_deck = |record: &Record, deck| {
            let matched = record.matched.as_ref();
            matched.is_some_and(|matched| matched.deck.deck == deck)
        };
        self.plan
            .is_none_or(|plan| records().any(|record| record.plan == plan))
            && self
                .deck
                .is_none_or(|deck| records().any(|record| is_of_deck(record, deck)))
    }
}

impl Views {
    /// Calls that have no price.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn unrated_count(&self) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "billing_charges");
        query.and("unrated = ?", [flag(true)]);
        self.number(query).await
    }

    /// What the call costs.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn charge(&self, call: CallId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_charges");
        query.and("call_id = ?", [text(call)]);
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(self.rows(&sql, parameters, read).await?.pop())
    }

    /// What these calls cost; one that was never rated is missing.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn charges_of(&self, calls: &[CallId]) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_charges");
        query.and_in("call_id", calls.iter().map(text).collect());
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        self.rows(&sql, parameters, read).await
    }

    /// Charges in the order in which calls were rated.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn charges(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_charges");
        filter.restrict(&mut query);
        let query = query.page("rated_at", "call_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(query.slice(rows, read, cursor)?)
    }
}

impl Views {
    /// The calls of these charges, those that were rated first before the others; one
    /// more than `most` when there are more.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn charged_calls(
        &self,
        filter: &Filter,
        most: usize,
    ) -> Result<Vec<CallId>, ViewError> {
        let mut calls = vec![];
        let mut after = None;
        loop {
            let slice = self.charges(filter, &Page::First(PAGE_MAX, after)).await?;
            after = slice.rows.last().map(|(cursor, _)| cursor.clone());
            let rows = slice.rows.iter().map(|(_, row)| row);
            calls.extend(rows.filter(|row| filter.is_by(row)).map(|row| row.call));
            if calls.len() > most || !slice.has_more {
                calls.truncate(most.saturating_add(1));
                return Ok(calls);
            }
        }
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.at.micros()),
        id: row.call.to_string(),
    }
}
