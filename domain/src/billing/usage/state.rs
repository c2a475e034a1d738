//! What is known of the usage of a month.

use super::event::{Record, RecordKey, Sums};
use crate::{
    billing::{settle::Used, usage_type::UsageType},
    id::{CallId, LegId},
    money::{Currency, Decimal},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What was said last of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valued {
    /// How often.
    pub revision: u32,
    /// What it comes to against the credit.
    pub amount: Decimal,
    /// What that is one of.
    pub sums: Sums,
}

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// What counts.
    #[serde(with = "as_list")]
    pub used: BTreeMap<RecordKey, Used>,
    /// What counted and was taken back: it does not come again.
    pub reversed: BTreeSet<RecordKey>,
    /// Records of closed months that are taken back here.
    #[serde(with = "as_list")]
    pub adjusted: BTreeMap<RecordKey, Used>,
    /// What each call comes to against the credit.
    #[serde(default)]
    pub valued: BTreeMap<CallId, Valued>,
    /// Of every amount.
    pub currency: Option<Currency>,
    /// Nothing is recorded any more.
    pub is_closed: bool,
    /// What it charged for as a whole when it was closed.
    #[serde(default)]
    pub settled: BTreeSet<UsageType>,
    /// It was closed, and is open again, or was: what came meanwhile is in a later month.
    #[serde(default)]
    pub is_reopened: bool,
}

impl Usage {
    /// It is there, or was.
    pub fn has_seen(&self, key: &RecordKey) -> bool {
        self.used.contains_key(key) || self.reversed.contains(key)
    }

    /// It counts here, and not by its own price in place of one of a closed month.
    pub fn has_pooled(&self, key: &RecordKey) -> bool {
        self.used.contains_key(key) && !self.is_corrected(key.cdr)
    }

    /// It is closed, and what it charged for that record is not its price.
    pub(super) fn has_settled(&self, record: &Record) -> bool {
        self.settled.contains(&record.usage_type) && self.has_pooled(&record.key())
    }

    /// A closed month had it: it counts here by its own price.
    pub(super) fn is_corrected(&self, cdr: CallId) -> bool {
        let adjusted = self.adjusted.range(first_of(cdr)..);
        // What was taken back before it came is here no more, and was nowhere else.
        adjusted
            .take_while(|(key, _)| key.cdr == cdr)
            .any(|(key, _)| !self.used.contains_key(key))
    }

    /// What of it is of one call.
    pub(super) fn of_call(&self, cdr: CallId) -> Self {
        let of = |map: &BTreeMap<RecordKey, Used>| {
            let records = map.range(first_of(cdr)..);
            let records = records.take_while(|(key, _)| key.cdr == cdr);
            records.map(|(key, used)| (*key, used.clone())).collect()
        };
        Self {
            used: of(&self.used),
            adjusted: of(&self.adjusted),
            ..Self::default()
        }
    }

    /// What is recorded under the id of a use that is no call.
    pub(super) fn counted(&self, cdr: CallId) -> Option<&Used> {
        let (key, used) = self.used.range(first_of(cdr)..).next()?;
        (key.cdr == cdr).then_some(used)
    }

    /// What is kept of a record.
    pub fn kept(record: &Record) -> Used {
        Used {
            usage_type: record.usage_type,
            ended_at: record.ended_at,
            quantity: record.quantity,
            counted: record.counted.as_ref().and_then(|use_| use_.quantity),
            amount: record.amount,
            tariff: record.tariff.clone(),
            plan: record.plan,
            rounding: record.rounding,
        }
    }
}

/// Before every record of a call.
fn first_of(cdr: CallId) -> RecordKey {
    RecordKey {
        cdr,
        revision: 0,
        usage_type: UsageType::ALL[0],
        leg: LegId(Uuid::nil()),
    }
}

/// JSON has no maps whose keys are records.
mod as_list {
    use super::{BTreeMap, RecordKey, Used};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<RecordKey, Used>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<RecordKey, Used>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}
