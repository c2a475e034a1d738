//! Money: exact decimals, currencies with their exponents, and rounding that
//! is done once and says how. No float exists here.

mod currency;
mod decimal;
#[cfg(test)]
mod tests;

pub use currency::{Currency, InvalidCurrency};
pub use decimal::{Decimal, InvalidDecimal, Rounding};

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How much; may be finer than the currency's smallest coin.
    pub amount: Decimal,
    /// Of what.
    pub currency: Currency,
}

/// Two currencies can not be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{left} and {right} are two currencies")]
pub struct TwoCurrencies {
    /// Of the first amount.
    pub left: Currency,
    /// Of the second.
    pub right: Currency,
}

impl Money {
    /// That much of that.
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// When the currencies differ.
    pub fn plus(self, other: Self) -> Result<Self, TwoCurrencies> {
        if self.currency == other.currency {
            Ok(Self::new(self.amount + other.amount, self.currency))
        } else {
            Err(TwoCurrencies {
                left: self.currency,
                right: other.currency,
            })
        }
    }

    /// Rounded to the smallest coin of its currency.
    pub fn to_minor(self, rounding: Rounding) -> Self {
        Self::new(
            self.amount.round(self.currency.exponent(), rounding),
            self.currency,
        )
    }
}

impl fmt::Display for Money {
    /// `12.30 EUR`: with the currency's digits, or more when there are more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.amount.with_digits(self.currency.exponent());
        write!(f, "{digits} {}", self.currency)
    }
}

/// Splits a rounded total into parts that add up to it: each exact share is
/// cut to the unit of `digits` digits, and what is left goes, one unit each, to
/// the shares that lost most; the earlier of two equal ones first.
pub fn largest_remainder(total: Decimal, exact: &[Decimal], digits: u8) -> Vec<Decimal> {
    let unit = Decimal::unit(digits);
    let mut parts: Vec<Decimal> = exact.iter().map(|share| share.floor(digits)).collect();
    let given: Decimal = parts.iter().copied().sum();
    let mut left = (total - given).in_units_of(unit);
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by_key(|index| (parts[*index] - exact[*index], *index));
    // More units than parts are left only when the total is not theirs: they
    // still add up to it.
    let count = i128::try_from(order.len()).unwrap_or(1).max(1);
    let each = i64::try_from(left / count).unwrap_or_default();
    for part in &mut parts {
        *part = *part + Decimal::of_units(each, digits);
    }
    left -= i128::from(each) * if parts.is_empty() { 0 } else { count };
    while left != 0 && !order.is_empty() {
        let step = if left > 0 { unit } else { -unit };
        for index in &order {
            if left == 0 {
                break;
            }
            parts[*index] = parts[*index] + step;
            left -= left.signum();
        }
    }
    parts
}
