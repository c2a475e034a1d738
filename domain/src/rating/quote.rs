//! A price with its reasons: the matched row and each step of the arithmetic.

use super::table::Table;
use crate::{
    billing::tariff::{Charge, Tariff},
    money::{Decimal, Rounding},
    time::Timestamp,
};

/// A step of the way from a number and a time to an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The row of this number was matched.
    Matched {
        /// From 1.
        row: u32,
    },
    /// It was shorter than the grace time: nothing is charged.
    WithinGrace {
        /// Seconds.
        grace_s: u32,
    },
    /// So many seconds are charged for so many that were started.
    Increments {
        /// Started.
        started_s: u64,
        /// Charged.
        billed_s: u64,
    },
    /// Fee and price of the time, rounded once.
    Time {
        /// Once for each answered call.
        fee: Decimal,
        /// Both.
        amount: Decimal,
    },
    /// That was below the minimum, which is charged.
    Minimum {
        /// The minimum.
        amount: Decimal,
    },
}

/// What a call would cost, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Number of the matched row; none where the plan has one tariff for all.
    pub row: Option<u32>,
    /// The tariff.
    pub tariff: Tariff,
    /// The arithmetic.
    pub charge: Charge,
    /// In order.
    pub steps: Vec<Step>,
}

/// The digits of a number as people write it, in E.164 without the plus: a
/// leading `+` or `00` goes, and so do spaces, dots, dashes and brackets. None
/// for what is no number.
pub fn digits(number: &str) -> Option<String> {
    let mut digits = String::with_capacity(number.len());
    for (index, letter) in number.char_indices() {
        match letter {
            '0'..='9' => digits.push(letter),
            '+' if index == 0 => {}
            ' ' | '.' | '-' | '(' | ')' | '/' => {}
            _ => return None,
        }
    }
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    (!digits.is_empty()).then(|| digits.to_owned())
}

/// What a call to those digits costs by the deck, answered at that instant for
/// that long; none when no row matches.
pub fn quote(
    table: &Table,
    digits: &str,
    at: Timestamp,
    billable_ms: Option<u64>,
) -> Option<Quote> {
    let found = table.find(digits, at)?;
    let tariff = &found.row.tariff;
    let rounding = table.header.rounding;
    Some(Quote::explain(
        Some(found.number),
        tariff.clone(),
        billable_ms,
        rounding,
    ))
}

impl Quote {
    /// The price by one tariff, with its steps.
    pub fn explain(
        row: Option<u32>,
        tariff: Tariff,
        billable_ms: Option<u64>,
        rounding: Rounding,
    ) -> Self {
        let charge = tariff.charge(billable_ms, rounding);
        let mut steps: Vec<Step> = row.map(|row| Step::Matched { row }).into_iter().collect();
        if charge.is_free {
            let grace_s = tariff.grace_s;
            steps.push(Step::WithinGrace { grace_s });
        } else {
            steps.push(Step::Increments {
                started_s: charge.started_s,
                billed_s: charge.billed_s,
            });
            steps.push(Step::Time {
                fee: tariff.connection_fee,
                amount: charge.by_time,
            });
            if charge.amount > charge.by_time {
                steps.push(Step::Minimum {
                    amount: charge.amount,
                });
            }
        }
        Self {
            row,
            tariff,
            charge,
            steps,
        }
    }
}
