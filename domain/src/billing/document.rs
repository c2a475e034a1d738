//! The lines, taxes and totals of an invoice or a credit note.

use super::{UsageType, tax::TaxCategory};
use crate::{
    calendar::Date,
    money::{Decimal, Rounding, largest_remainder},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Usage of one type in the period.
    Usage {
        /// Of what.
        usage_type: UsageType,
        /// Counted units that were included in the plan.
        included: u64,
        /// Sum of the rated records, before included units, tiers and minimum.
        rated: Decimal,
    },
    /// Units of usage that the plan includes: they cost nothing.
    Included {
        /// Of what.
        usage_type: UsageType,
    },
    /// A recurring fee.
    Fee {
        /// First day that it is for.
        from: Date,
        /// First day that it is not for any more.
        to: Date,
    },
    /// Added by a person.
    Adjustment,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is for.
    pub kind: LineKind,
    /// In words.
    pub description: String,
    /// How many units: minutes, days, pieces.
    pub quantity: Decimal,
    /// Of what: `min`, `day`, `message`.
    pub unit: String,
    /// Price of one unit, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Decimal>,
    /// Which tax applies.
    pub tax_category: TaxCategory,
    /// In percent.
    pub tax_percent: Decimal,
    /// To be paid, with six digits, as it was calculated.
    pub exact: Decimal,
    /// Rounded to the currency; with tax when its prices include it.
    pub amount: Decimal,
    /// Whether its prices are with tax, where that is not as the document says: it is by
    /// another plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_tax_inclusive: Option<bool>,
    /// The amount without its tax.
    pub net: Decimal,
    /// The tax in it, or on it.
    pub tax: Decimal,
}

/// One tax rate of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// Which tax.
    pub category: TaxCategory,
    /// In percent.
    pub percent: Decimal,
    /// What it is on.
    pub net: Decimal,
    /// Rounded once, on the sum.
    pub tax: Decimal,
}

impl TaxLine {
    /// It is of the same rate.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.category == other.category && self.percent == other.percent
    }
}

/// The sums of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Without tax.
    pub net: Decimal,
    /// Tax.
    pub tax: Decimal,
    /// To be paid.
    pub total: Decimal,
}

impl Line {
    /// What it comes to as the document says its amounts, with tax or without.
    pub fn shown(&self, is_with_tax: bool) -> Decimal {
        match self.is_tax_inclusive {
            Some(own) if own != is_with_tax && is_with_tax => self.net + self.tax,
            Some(own) if own != is_with_tax => self.net,
            Some(_) | None => self.amount,
        }
    }
}

/// Calculates the taxes of the lines: on the sum of each rate, rounded once and
/// distributed over the lines so that they add up. Fills in each line's `net`
/// and `tax`.
pub(crate) fn calculate(
    lines: &mut [Line],
    is_inclusive: bool,
    digits: u8,
    rounding: Rounding,
) -> (Vec<TaxLine>, Totals) {
    let mut by_rate: BTreeMap<(TaxCategory, Decimal), Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let rate = (line.tax_category, line.tax_percent);
        by_rate.entry(rate).or_default().push(index);
    }
    let mut taxes = vec![];
    let mut totals = Totals::default();
    for ((category, percent), indexes) in by_rate {
        let is_with = |index: &usize| lines[*index].is_tax_inclusive.unwrap_or(is_inclusive);
        let tax_of = |is_with: bool, amount: Decimal, digits| {
            if is_with {
                included_tax(amount, percent, digits, rounding)
            } else {
                amount.percent(percent, digits, rounding)
            }
        };
        let sum_of = |of: bool| -> Decimal {
            let of = indexes.iter().filter(|index| is_with(index) == of);
            of.map(|index| lines[*index].amount).sum()
        };
        let (with, without) = (sum_of(true), sum_of(false));
        // Of both sorts it is one tax, rounded once.
        let tax = if without.is_zero() {
            tax_of(true, with, digits)
        } else if with.is_zero() {
            tax_of(false, without, digits)
        } else {
            let exact = tax_of(true, with, 12) + tax_of(false, without, 12);
            exact.round(digits, rounding)
        };
        let exact: Vec<Decimal> = indexes
            .iter()
            .map(|index| tax_of(is_with(index), lines[*index].amount, 12))
            .collect();
        let parts = largest_remainder(tax, &exact, digits);
        let mut net = Decimal::ZERO;
        for (index, part) in indexes.iter().zip(parts) {
            let line = &mut lines[*index];
            line.tax = part;
            line.net = if line.is_tax_inclusive.unwrap_or(is_inclusive) {
                line.amount - part
            } else {
                line.amount
            };
            net = net + line.net;
        }
        totals.net = totals.net + net;
        totals.tax = totals.tax + tax;
        taxes.push(TaxLine {
            category,
            percent,
            net,
            tax,
        });
    }
    totals.total = totals.net + totals.tax;
    (taxes, totals)
}

/// The tax that is in an amount: `amount · p / (100 + p)`.
pub(crate) fn included_tax(
    amount: Decimal,
    percent: Decimal,
    digits: u8,
    rounding: Rounding,
) -> Decimal {
    let step = Decimal::unit(4).mantissa();
    let percent = percent.mantissa() / step;
    amount.share(percent, 1_000_000 + percent, digits, rounding)
}

/// Whether lines and taxes add up to the totals, to the last digit.
pub(crate) fn adds_up(lines: &[Line], taxes: &[TaxLine], totals: Totals) -> bool {
    let sum = |of: fn(&Line) -> Decimal| lines.iter().map(of).sum::<Decimal>();
    sum(|line| line.net) == totals.net
        && sum(|line| line.tax) == totals.tax
        && taxes.iter().map(|tax| tax.net).sum::<Decimal>() == totals.net
        && taxes.iter().map(|tax| tax.tax).sum::<Decimal>() == totals.tax
        && totals.net + totals.tax == totals.total
}
