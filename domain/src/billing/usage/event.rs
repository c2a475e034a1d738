//! What can have happened to the usage of a month. The stored schema: handle
//! with care.

use crate::{
    billing::{DeckVersionId, UsageType, settle::Total, tariff::Tariff},
    calendar::Period,
    decider,
    id::{CallId, LegId, PlanId},
    money::{Currency, Decimal, Rounding},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Which row of which deck a record was rated with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedRow {
    /// The deck.
    pub deck: DeckVersionId,
    /// Number of the row, from 1.
    pub row: u32,
    /// Its prefix.
    pub prefix: String,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What is said of a use that is no call, by whoever counted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Under which it is known there: one use in a month.
    pub key: String,
    /// What it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What counts against the account's credit, with tax; none where the
    /// account has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<Decimal>,
    /// Units that were counted; those that are charged for them may be more. None
    /// in records of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
}

/// One rated use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The call; of a use that is none, an id that follows from its key.
    pub cdr: CallId,
    /// How often the call was rated, from 1.
    pub revision: u32,
    /// The leg that was used; nil where there is no call.
    pub leg: LegId,
    /// Of which kind.
    pub usage_type: UsageType,
    /// When it began to count: the answer.
    pub answered_at: Timestamp,
    /// When it ended. Calls use what is included in this order.
    pub ended_at: Timestamp,
    /// Counted units that are charged: seconds by the increments, for a call.
    pub quantity: u64,
    /// What it was rated with.
    pub tariff: Tariff,
    /// Fee and price of the quantity, or the minimum: six digits.
    pub amount: Decimal,
    /// Of which currency.
    pub currency: Currency,
    /// By which plan.
    pub plan: PlanId,
    /// In which version.
    pub plan_version: u32,
    /// By which row, where the plan has a deck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<MatchedRow>,
    /// The month that it belongs to, where that was closed before it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_period: Option<Period>,
    /// Only of a use that is no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// How its price is rounded, where its deck has another way than the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
}

impl Record {
    /// What makes it one: the same call, rating, leg and kind is the same use.
    pub const fn key(&self) -> RecordKey {
        RecordKey {
            cdr: self.cdr,
            revision: self.revision,
            usage_type: self.usage_type,
            leg: self.leg,
        }
    }

    /// The same for a later month, because that one is closed: it says of which
    /// month it is.
    #[must_use]
    pub fn late(mut self, closed: Period) -> Self {
        self.of_period.get_or_insert(closed);
        self
    }
}

/// What makes a record one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The call.
    pub cdr: CallId,
    /// How often it was rated.
    pub revision: u32,
    /// Of which kind.
    pub usage_type: UsageType,
    /// The leg.
    pub leg: LegId,
}

/// What a call comes to in a month, with tax. In place of what a closed month has it is
/// owed by the prices of its own records, and counts so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// By the dearest tier that the month may reach.
    pub most: Decimal,
    /// By the prices of its own records.
    pub own: Decimal,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Something was used.
    #[serde(rename = "usage_recorded")]
    Recorded {
        /// What.
        record: Record,
    },
    /// A record of this month does not count.
    #[serde(rename = "usage_reversed")]
    Reversed {
        /// Which.
        record: Record,
        /// Why.
        reason: String,
    },
    /// A record of a closed month is taken back in this one: its amount counts
    /// against what is recorded here.
    #[serde(rename = "usage_adjusted")]
    Adjusted {
        /// Which.
        record: Record,
        /// Why.
        reason: String,
    },
    /// What a call comes to in this month, with what is recorded and taken back of
    /// it there: so much counts against the account's credit.
    #[serde(rename = "usage_valued")]
    Valued {
        /// Which call.
        cdr: CallId,
        /// Counts the times that this was said in this month; at least as much as
        /// the call was rated.
        revision: u32,
        /// With tax; below nothing when the price that a closed month has was
        /// higher.
        amount: Decimal,
        /// What it is one of, where they differ.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sums: Option<Sums>,
    },
    /// The month is closed.
    #[serde(rename = "usage_period_closed")]
    PeriodClosed {
        /// What is to be paid, by kind.
        totals: Vec<Total>,
        /// Records that count.
        records_count: u32,
        /// Sum of the records that count, less the adjustments.
        rated: Decimal,
    },
    /// The draft of the closed month is discarded: it is open again.
    #[serde(rename = "usage_period_reopened")]
    Reopened {},
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "usage_recorded",
            Self::Reversed { .. } => "usage_reversed",
            Self::Adjusted { .. } => "usage_adjusted",
            Self::Valued { .. } => "usage_valued",
            Self::PeriodClosed { .. } => "usage_period_closed",
            Self::Reopened {} => "usage_period_reopened",
        }
    }
}
