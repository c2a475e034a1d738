//! What a month of usage comes to: included units are used up in the order in
//! which calls ended, tiers and minima apply to the month as a whole. The order
//! in which records came changes nothing.

use super::{
    UsageType,
    plan::{Price, Term, Tier},
    tariff::{RATED_DIGITS, Tariff},
    usage::RecordKey,
};
use crate::{
    id::CallId,
    money::{Decimal, Rounding},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a record until the month is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Of which kind.
    pub usage_type: UsageType,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Counted units that are charged.
    pub quantity: u64,
    /// Of a use that is no call, the units that were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
    /// What it was rated at.
    pub amount: Decimal,
    /// With what.
    pub tariff: Tariff,
}

impl Used {
    /// Whether it is that use which is no call, of so many counted units, whatever
    /// it cost.
    pub fn is_use(&self, usage_type: UsageType, ended_at: Timestamp, counted: u64) -> bool {
        let is_as_much = match self.counted {
            Some(there) => there == counted,
            // What was charged for it is all that is known of an old one.
            None => usage_type.units(counted, &self.tariff) == self.quantity,
        };
        is_as_much && self.usage_type == usage_type && self.ended_at == ended_at
    }
}

/// What one kind of usage comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Which.
    pub usage_type: UsageType,
    /// How often.
    pub count: u32,
    /// Counted units.
    pub quantity: u64,
    /// Of those, included in the plan.
    pub included: u64,
    /// Sum of the rated records, less the adjustments.
    pub rated: Decimal,
    /// What is to be paid, with six digits.
    pub due: Decimal,
    /// Price of each unit that is charged, where the volume of the month decides
    /// on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_rate: Option<Decimal>,
    /// How what is to be paid came about. None of months that were closed before this
    /// was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
}

/// How an amount came about: what the line of an invoice says beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// By which rule.
    pub by: By,
    /// Connection fees in it.
    pub fees: Decimal,
    /// Uses that cost the minimum of their tariff.
    pub at_minimum: u32,
    /// What closed months had is corrected in it.
    pub is_corrected: bool,
}

/// The rule that makes an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Each use by its own price, all at this rate.
    Rate(Decimal),
    /// Each use by its own price.
    Record,
    /// The tier that the month reaches, for all of it.
    Volume,
    /// Each tier for what is between its bounds.
    Tiers,
    /// The minimum of the month.
    Minimum,
}

impl Total {
    /// It is what its records come to: nothing but their own prices made it.
    pub fn is_by_record(&self) -> bool {
        self.due == self.rated
    }
}

/// What was used of one kind, and what is taken back.
#[derive(Default)]
struct Kind<'a> {
    used: Vec<(RecordKey, &'a Used)>,
    /// In place of what a closed month had: by their own price, so that nothing but
    /// the difference is owed, whatever this month includes or has reached.
    corrected: Vec<&'a Used>,
    adjusted: Vec<&'a Used>,
}

/// The totals by kind, in the order of an invoice.
pub(crate) fn settle(
    used: &BTreeMap<RecordKey, Used>,
    adjusted: &BTreeMap<RecordKey, Used>,
    terms: &BTreeMap<UsageType, Term>,
    rounding: Rounding,
) -> Vec<Total> {
    // What was taken back here before it came is here no more, and was nowhere else.
    let is_elsewhere = |key: &RecordKey| !used.contains_key(key);
    let elsewhere = adjusted.iter().filter(|(key, _)| is_elsewhere(key));
    let corrected: BTreeSet<CallId> = elsewhere.clone().map(|(key, _)| key.cdr).collect();
    let mut kinds: BTreeMap<UsageType, Kind<'_>> = BTreeMap::new();
    for (key, used) in used.iter().filter(|(key, _)| !adjusted.contains_key(key)) {
        let kind = kinds.entry(used.usage_type).or_default();
        if corrected.contains(&key.cdr) {
            kind.corrected.push(used);
        } else {
            kind.used.push((*key, used));
        }
    }
    for (_, used) in elsewhere {
        let kind = kinds.entry(used.usage_type).or_default();
        kind.adjusted.push(used);
    }
    kinds
        .into_iter()
        .map(|(usage_type, kind)| total(usage_type, kind, terms.get(&usage_type), rounding))
        .collect()
}

fn total(
    usage_type: UsageType,
    mut kind: Kind<'_>,
    term: Option<&Term>,
    rounding: Rounding,
) -> Total {
    kind.used.sort_by_key(|(key, used)| (used.ended_at, *key));
    let used: Vec<&Used> = kind.used.into_iter().map(|(_, used)| used).collect();
    let sum = |used: &[&Used]| used.iter().map(|used| used.amount).sum::<Decimal>();
    let units = |used: &[&Used]| used.iter().map(|used| used.quantity).sum::<u64>();
    let (rated, quantity) = (sum(&used), units(&used));
    let mut included = 0;
    let mut due = rated;
    let mut volume_rate = None;
    let mut by = None;
    if let Some(term) = term {
        included = term.included.min(quantity);
        let (charged, per_unit) = (quantity - included, usage_type.per_unit());
        due = match &term.price {
            Price::Tiers(tiers) => {
                by = Some(By::Tiers);
                by_tiers(tiers, charged, per_unit, rounding)
            }
            Price::Volume(tiers) => {
                by = Some(By::Volume);
                volume_rate = reached(tiers, charged);
                let rate = volume_rate.unwrap_or_default();
                Tariff::flat(rate).price(charged, per_unit, rounding)
            }
            Price::Deck(_) | Price::Flat(_) => {
                beyond_included(&used, term.included, per_unit, rounding)
            }
        };
        let least = term.minimum_charge.round(RATED_DIGITS, rounding);
        if !used.is_empty() && due < least {
            due = least;
            by = Some(By::Minimum);
            volume_rate = None;
        }
    }
    let is_corrected = !kind.adjusted.is_empty() || !kind.corrected.is_empty();
    // A price stands only beside an amount that it makes.
    let volume_rate = volume_rate.filter(|_| !is_corrected);
    let charged = match by {
        None => charged_apart(&used, included),
        // The month as a whole is charged for, without any fee.
        Some(_) => vec![],
    };
    let made = Made {
        by: by.unwrap_or_else(|| one_rate(&charged)),
        fees: charged
            .iter()
            .map(|(used, _)| used.tariff.connection_fee)
            .sum(),
        at_minimum: at_minimum(&charged, usage_type.per_unit(), rounding),
        is_corrected,
    };
    let correction = sum(&kind.corrected) - sum(&kind.adjusted);
    let count = used.len().saturating_add(kind.corrected.len());
    Total {
        usage_type,
        count: u32::try_from(count).unwrap_or(u32::MAX),
        quantity: quantity + units(&kind.corrected),
        included,
        rated: rated + correction,
        due: due + correction,
        volume_rate,
        made: Some(made),
    }
}

/// Calls use what is included in their order; the one at the boundary is split.
fn beyond_included(used: &[&Used], included: u64, per_unit: u32, rounding: Rounding) -> Decimal {
    let mut left = included;
    used.iter()
        .map(|used| {
            let free = left.min(used.quantity);
            left -= free;
            if free == 0 {
                used.amount
            } else {
                used.tariff.rest(used.quantity, free, per_unit, rounding)
            }
        })
        .sum()
}

/// A use, and the units of it that are charged.
type Charged<'a> = (&'a Used, u64);

/// Those that are charged for, each by its own price: what is free or included is none.
fn charged_apart<'a>(used: &[&'a Used], included: u64) -> Vec<Charged<'a>> {
    let mut left = included;
    let charged = used.iter().map(|used| {
        let free = left.min(used.quantity);
        left -= free;
        (*used, used.quantity - free)
    });
    charged.filter(|(_, rest)| *rest > 0).collect()
}

/// The rate, where all have the same.
fn one_rate(charged: &[Charged<'_>]) -> By {
    let mut rates = charged.iter().map(|(used, _)| used.tariff.rate);
    match rates.next() {
        Some(rate) if rates.all(|other| other == rate) => By::Rate(rate),
        Some(_) | None => By::Record,
    }
}

/// How many cost the minimum of their tariff, because fee and time come to less.
fn at_minimum(charged: &[Charged<'_>], per_unit: u32, rounding: Rounding) -> u32 {
    let is_at_minimum = |(used, rest): &&Charged<'_>| {
        let by_time = used.tariff.price(*rest, per_unit, rounding);
        by_time < used.tariff.minimum_charge.round(RATED_DIGITS, rounding)
    };
    let count = charged.iter().filter(is_at_minimum).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The rate of the tier that the quantity reaches: the first that does not end before
/// it.
fn reached(tiers: &[Tier], quantity: u64) -> Option<Decimal> {
    let holds = |tier: &&Tier| tier.up_to.is_none_or(|up_to| quantity <= up_to);
    tiers.iter().find(holds).map(|tier| tier.rate)
}

/// Each tier's rate applies to the units between its bounds. Rounded once.
fn by_tiers(tiers: &[Tier], quantity: u64, per_unit: u32, rounding: Rounding) -> Decimal {
    let mut reached = 0;
    let mut sum = Decimal::ZERO;
    for tier in tiers {
        let up_to = tier.up_to.unwrap_or(u64::MAX).min(quantity);
        let units = up_to.saturating_sub(reached);
        reached = reached.max(up_to);
        sum = sum + tier.rate.share(i128::from(units), 1, 12, rounding);
    }
    sum.share(1, i128::from(per_unit.max(1)), RATED_DIGITS, rounding)
}
