//! What is known of the usage of a month.

use super::event::{Record, RecordKey};
use crate::{
    billing::{settle::Used, usage_type::UsageType},
    id::{CallId, LegId},
    money::{Currency, Decimal},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

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
    /// What each call comes to against the credit: how often that was said, and
    /// how much.
    #[serde(default)]
    pub valued: BTreeMap<CallId, (u32, Decimal)>,
    /// Of every amount.
    pub currency: Option<Currency>,
    /// Nothing is recorded any more.
    pub is_closed: bool,
}

impl Usage {
    /// It is there, or was.
    pub fn has_seen(&self, key: &RecordKey) -> bool {
        self.used.contains_key(key) || self.reversed.contains(key)
    }

    /// It counts here, and not by its own price in place of one of a closed month.
    pub fn has_pooled(&self, key: &RecordKey) -> bool {
        let mut adjusted = self.adjusted.keys();
        let is_corrected = adjusted.any(|old| old.cdr == key.cdr);
        self.used.contains_key(key) && !is_corrected
    }

    /// What is recorded under the id of a use that is no call.
    pub(super) fn counted(&self, cdr: CallId) -> Option<&Used> {
        let first = RecordKey {
            cdr,
            revision: 0,
            usage_type: UsageType::ALL[0],
            leg: LegId(Uuid::nil()),
        };
        let (key, used) = self.used.range(first..).next()?;
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
        }
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
