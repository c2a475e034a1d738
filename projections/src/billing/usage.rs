//! What each account used in each month: what its invoice is made of. Nothing
//! of a month changes once it is closed, until its draft is discarded.

use super::{Changed, record};
use crate::{
    changed::Change,
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, flag, number, text, word},
    views::{ViewError, Views},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self, UsageId, UsageType,
        usage::{Event, Record, RecordKey},
    },
    calendar::Period,
    id::{AccountId, CallId, LegId},
    money::Decimal,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// See the module.
#[derive(Debug)]
pub struct UsageRecords;

/// Digits of a rated amount.
const DIGITS: u8 = 6;

/// A record of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which: account, month, call, rating, kind, leg, and whether it takes
    /// something back.
    pub key: String,
    /// Position of the event that last changed it.
    pub position: u64,
    /// Whose, and when.
    pub usage: UsageId,
    /// What was used.
    pub record: Record,
    /// It takes a record of a closed month back: its amount counts against the
    /// others.
    pub is_adjustment: bool,
    /// It does not count any more.
    pub is_reversed: bool,
    /// Why it takes back or was taken back.
    pub reason: Option<String>,
}

impl Row {
    /// What it adds to the month.
    pub fn amount(&self) -> Decimal {
        if self.is_reversed {
            Decimal::ZERO
        } else if self.is_adjustment {
            -self.record.amount
        } else {
            self.record.amount
        }
    }
}

/// In units of the last digit of a rated amount.
fn micros(amount: Decimal) -> Value {
    let units = amount.in_units_of(Decimal::unit(DIGITS));
    number(i64::try_from(units).unwrap_or(i64::MAX))
}

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        let sign = if self.is_adjustment { -1 } else { 1 };
        let quantity = i64::try_from(self.record.quantity).unwrap_or(i64::MAX);
        let mut values = record::head(&self.key, self.position);
        values.extend([
            text(self.usage.account),
            text(self.usage.period),
            word(&self.record.usage_type),
            flag(!self.is_reversed),
            number(self.record.ended_at.micros()),
            number(sign * quantity),
            micros(self.amount()),
            record::json(self),
        ]);
        values
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        record::read(columns, COLUMNS.len() - 1)
    }
}

const COLUMNS: &[&str] = &[
    "usage_key",
    "position",
    "account_id",
    "period",
    "usage_type",
    "counts",
    "ended_at",
    "quantity",
    "amount_micros",
    "record",
];

impl Projection for UsageRecords {
    const NAME: &'static str = "billing_usage";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "billing_usage",
        key: "usage_key",
        columns: COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 4_096;
    type Key = String;
    type Row = Row;

    fn key(fact: &Fact) -> Option<String> {
        let (usage, event) = event(fact)?;
        let (record, is_adjustment) = match event {
            Event::Recorded { record } | Event::Reversed { record, .. } => (record, false),
            Event::Adjusted { record, .. } => (record, true),
            Event::Valued { .. } | Event::PeriodClosed { .. } | Event::Reopened {} => {
                return None;
            }
        };
        Some(key(usage, record, is_adjustment))
    }
    fn key_value(key: &String) -> Value {
        text(key)
    }
    fn creates(fact: &Fact) -> bool {
        let told = event(fact).map(|(_, event)| event);
        matches!(told, Some(Event::Recorded { .. } | Event::Adjusted { .. }))
    }
    fn key_of(row: &Row) -> String {
        row.key.clone()
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let Some((usage, event)) = event(input.fact) else {
            return Effect::Kept;
        };
        let new = |record: &Record, is_adjustment, reason| Row {
            key: key(usage, record, is_adjustment),
            position: input.fact.position,
            usage,
            record: record.clone(),
            is_adjustment,
            is_reversed: false,
            reason,
        };
        match event {
            Event::Recorded { record } => *row = Some(new(record, false, None)),
            Event::Adjusted { record, reason } => {
                *row = Some(new(record, true, Some(reason.clone())));
            }
            Event::Reversed { reason, .. } => {
                let Some(row) = row.as_mut() else {
                    return Effect::Kept;
                };
                row.position = input.fact.position;
                row.is_reversed = true;
                row.reason = Some(reason.clone());
            }
            Event::Valued { .. } | Event::PeriodClosed { .. } | Event::Reopened {} => {
                return Effect::Kept;
            }
        }
        Effect::Changed
    }
    fn changed(_key: &String, row: Option<&Row>) -> Option<Change> {
        row.map(|row| Change::Billing(Changed::Usage(row.usage.account)))
    }
}

fn key(usage: UsageId, record: &Record, is_adjustment: bool) -> String {
    named(usage, record.key(), is_adjustment)
}

fn named(usage: UsageId, of: RecordKey, is_adjustment: bool) -> String {
    let kind = super::record::name(of.usage_type);
    let what = if is_adjustment { "-adjusted" } else { "" };
    format!("{usage}-{}-{}-{kind}-{}{what}", of.cdr, of.revision, of.leg)
}

fn event(fact: &Fact) -> Option<(UsageId, &Event)> {
    match &fact.event {
        AnyEvent::Billing(billing::Event::Usage(usage, event)) => Some((*usage, event)),
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

/// Usage of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Of which month.
    pub period: Period,
    /// Of which kind.
    pub usage_type: UsageType,
    /// How often. Less than nothing when more was taken back than used.
    pub count: i64,
    /// Counted units: seconds of a call. Less than nothing when more was taken
    /// back than used.
    pub quantity: i64,
    /// What it costs before included units, tiers and minima.
    pub amount: Decimal,
}

impl Views {
    /// What the account used in these months, by kind.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn usage_summary(
        &self,
        account: AccountId,
        from: Period,
        to: Period,
    ) -> Result<Vec<Summary>, ViewError> {
        let columns = [
            "period",
            "usage_type",
            // What is taken back of a closed month is one less, also where it was too short to
            // be charged.
            "SUM(CASE WHEN usage_key LIKE '%-adjusted' THEN -1 ELSE 1 END)",
            "SUM(quantity)",
            "SUM(amount_micros)",
        ];
        let mut query = Query::select(&columns, "billing_usage");
        query.and("account_id = ?", [text(account)]);
        query.and("counts = ?", [flag(true)]);
        query.and("period >= ?", [text(from)]);
        query.and("period <= ?", [text(to)]);
        let tail = " GROUP BY period, usage_type ORDER BY period, usage_type";
        let (sql, parameters) = query.all(tail);
        let read = |columns: &mut Columns| {
            Ok(Summary {
                period: columns.word()?,
                usage_type: columns.word()?,
                count: columns.number()?,
                quantity: columns.number()?,
                amount: Decimal::of_units(columns.number()?, DIGITS),
            })
        };
        self.rows(&sql, parameters, read).await
    }

    /// What is used in months whose invoice is not owed yet costs the account, with
    /// no tax, before what its plan includes.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn unbilled(
        &self,
        account: AccountId,
        posted: &BTreeSet<Period>,
    ) -> Result<Decimal, ViewError> {
        let sum = "COALESCE(SUM(amount_micros), 0)";
        let mut query = Query::select(&[sum], "billing_usage");
        query.and("account_id = ?", [text(account)]);
        // Stretches of the index by month: an account that is old has few open months.
        if let (Some(first), Some(last)) = (posted.first(), posted.last()) {
            let months = std::iter::successors(Some(*first), |month| Some(month.next()));
            let months = months.take_while(|month| month < last);
            let gaps: Vec<_> = months.filter(|month| !posted.contains(month)).collect();
            let open = format!(
                "(period < ? OR period > ?{})",
                " OR period = ?".repeat(gaps.len())
            );
            query.and(&open, [first, last].into_iter().chain(&gaps).map(text));
        }
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| columns.number::<i64>();
        let sums = self.rows(&sql, parameters, read).await?;
        Ok(Decimal::of_units(
            sums.first().copied().unwrap_or(0),
            DIGITS,
        ))
    }

    /// The use that is no call of that id, in its month or the first later one that
    /// was open when it came.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn counted_use(
        &self,
        usage: UsageId,
        id: CallId,
        through: Period,
    ) -> Result<Option<Row>, ViewError> {
        let months = std::iter::successors(Some(usage), |month| Some(month.next()));
        let keys = months
            .take_while(|month| month.period <= through)
            .flat_map(|month| {
                let kinds = UsageType::ALL.iter().filter(|kind| !kind.is_of_calls());
                kinds.map(move |kind| {
                    let of = RecordKey {
                        cdr: id,
                        revision: 1,
                        usage_type: *kind,
                        leg: LegId(Uuid::nil()),
                    };
                    text(named(month, of, false))
                })
            });
        let mut query = Query::select(COLUMNS, "billing_usage");
        query.and_in("usage_key", keys.collect());
        let (sql, parameters) = query.all("");
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(self.rows(&sql, parameters, read).await?.pop())
    }

    /// Records of one account's month that count, in the order in which the
    /// calls ended.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn usage_records(
        &self,
        usage: UsageId,
        page: &Page,
    ) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "billing_usage");
        query.and("account_id = ?", [text(usage.account)]);
        query.and("period = ?", [text(usage.period)]);
        query.and("counts = ?", [flag(true)]);
        let query = query.page("ended_at", "usage_key", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        let read = |columns: &mut Columns| projection::Row::read(0, columns);
        Ok(query.slice(rows, read, cursor)?)
    }
}

fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.record.ended_at.micros()),
        id: row.key.clone(),
    }
}
