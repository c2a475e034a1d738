//! What one call costs: increments, fee, minimum, grace, and one rounding.

use crate::money::{Decimal, Rounding};
use serde::{Deserialize, Serialize};

/// Digits after the point of a rated amount: finer than any currency, so that
/// nothing is lost before the line of an invoice is rounded.
pub const RATED_DIGITS: u8 = 6;

/// How one row prices a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// Price of one unit: a minute, a message, a gigabyte.
    pub rate: Decimal,
    /// Seconds that are charged at least.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub first_increment_s: u32,
    /// Seconds by which the charge grows after that.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub next_increment_s: u32,
    /// Once for each answered call.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub connection_fee: Decimal,
    /// An answered call costs at least that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub minimum_charge: Decimal,
    /// A call that is shorter than this many seconds costs nothing.
    #[serde(default, skip_serializing_if = "is_none")]
    pub grace_s: u32,
}

const fn one() -> u32 {
    1
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_one(number: &u32) -> bool {
    *number == 1
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_none(number: &u32) -> bool {
    *number == 0
}

const fn is_zero(amount: &Decimal) -> bool {
    amount.is_zero()
}

/// What is wrong with a tariff: its field and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TariffFault {
    /// A price below nothing.
    #[error("is negative")]
    Negative(&'static str),
    /// A call would never end.
    #[error("is 0")]
    Zero(&'static str),
    /// A price that no call has.
    #[error("is above 1000000")]
    TooLarge(&'static str),
}

impl TariffFault {
    /// The field.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Negative(field) | Self::Zero(field) | Self::TooLarge(field) => field,
        }
    }
}

/// What a call costs by a tariff, and how that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Whole seconds that the call lasted, a started one counting as whole.
    pub started_s: u64,
    /// Seconds that are charged, by the increments.
    pub billed_s: u64,
    /// It was shorter than the grace time, or not answered.
    pub is_free: bool,
    /// The fee and the price of the time, rounded.
    pub by_time: Decimal,
    /// What is charged: `by_time`, or the minimum if that is more.
    pub amount: Decimal,
}

impl Tariff {
    /// A price for each unit and nothing else.
    pub const fn flat(rate: Decimal) -> Self {
        Self {
            rate,
            first_increment_s: 1,
            next_increment_s: 1,
            connection_fee: Decimal::ZERO,
            minimum_charge: Decimal::ZERO,
            grace_s: 0,
        }
    }

    /// Whether every price is one and every increment ends.
    ///
    /// # Errors
    /// The first field that is wrong, with the reason.
    pub fn check(&self) -> Result<(), TariffFault> {
        let prices = [
            ("rate", self.rate),
            ("connection_fee", self.connection_fee),
            ("minimum_charge", self.minimum_charge),
        ];
        for (field, price) in prices {
            if price.is_negative() {
                return Err(TariffFault::Negative(field));
            }
            // So that no product of a price and a time overflows.
            if price > Decimal::whole(1_000_000) {
                return Err(TariffFault::TooLarge(field));
            }
        }
        if self.first_increment_s == 0 {
            return Err(TariffFault::Zero("first_increment_s"));
        }
        if self.next_increment_s == 0 {
            return Err(TariffFault::Zero("next_increment_s"));
        }
        Ok(())
    }

    /// Seconds that are charged for so many that were started.
    pub const fn billed_s(&self, started_s: u64) -> u64 {
        let first = self.first_increment_s as u64;
        let next = if self.next_increment_s == 0 {
            1
        } else {
            self.next_increment_s as u64
        };
        if started_s <= first {
            first
        } else {
            first + (started_s - first).div_ceil(next) * next
        }
    }

    /// Seconds that are charged for so many; none within the grace time.
    pub const fn charged_s(&self, started_s: u64) -> u64 {
        if started_s < self.grace_s as u64 {
            0
        } else {
            self.billed_s(started_s)
        }
    }

    /// What a call costs that was answered for `billable_ms`; none for one that
    /// was not answered.
    pub fn charge(&self, billable_ms: Option<u64>, rounding: Rounding) -> Charge {
        let started_s = billable_ms.map_or(0, |ms| ms.div_ceil(1_000));
        if billable_ms.is_none() || started_s < u64::from(self.grace_s) {
            return Charge {
                started_s,
                billed_s: 0,
                is_free: true,
                by_time: Decimal::ZERO,
                amount: Decimal::ZERO,
            };
        }
        let billed_s = self.billed_s(started_s);
        let by_time = self.price(billed_s, 60, rounding);
        Charge {
            started_s,
            billed_s,
            is_free: false,
            by_time,
            amount: by_time.max(self.minimum_charge.round(RATED_DIGITS, rounding)),
        }
    }

    /// Fee and price of a quantity, of which `per_unit` make one priced unit,
    /// rounded once.
    pub fn price(&self, quantity: u64, per_unit: u32, rounding: Rounding) -> Decimal {
        // fee + rate·q/u = (fee·u + rate·q)/u, so that one division rounds all.
        let units = i128::from(per_unit.max(1));
        let whole = self.rate.share(i128::from(quantity), 1, 12, rounding)
            + self.connection_fee.share(units, 1, 12, rounding);
        whole.share(1, units, RATED_DIGITS, rounding)
    }

    /// What is left to pay when so many of the charged seconds are included in
    /// the plan: the fee, the minimum and the rest of the time, or nothing when
    /// all of it is included.
    pub fn rest(&self, quantity: u64, included: u64, per_unit: u32, rounding: Rounding) -> Decimal {
        let rest = quantity.saturating_sub(included);
        if included > 0 && rest == 0 {
            return Decimal::ZERO;
        }
        let minimum = self.minimum_charge.round(RATED_DIGITS, rounding);
        self.price(rest, per_unit, rounding).max(minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::Tariff;
    use crate::money::{Decimal, Rounding};
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn tariff(rate: &str, first: u32, next: u32) -> Tariff {
        Tariff {
            first_increment_s: first,
            next_increment_s: next,
            ..Tariff::flat(decimal(rate))
        }
    }

    /// Seconds charged and the amount.
    fn charged(tariff: &Tariff, seconds: u64) -> (u64, String) {
        let charge = tariff.charge(Some(seconds * 1_000), Rounding::HalfEven);
        (charge.billed_s, charge.amount.to_string())
    }

    #[test]
    fn thirty_then_six_seconds() {
        let tariff = tariff("0.006", 30, 6);
        assert_eq!(charged(&tariff, 32), (36, "0.0036".into()));
        assert_eq!(charged(&tariff, 57), (60, "0.006".into()));
        assert_eq!(charged(&tariff, 75), (78, "0.0078".into()));
        assert_eq!(charged(&tariff, 1), (30, "0.003".into()));
        assert_eq!(charged(&tariff, 30), (30, "0.003".into()));
    }

    #[test]
    fn a_whole_minute_costs_its_whole_rate() {
        assert_eq!(charged(&tariff("0.05", 1, 1), 60), (60, "0.05".into()));
    }

    #[test]
    fn a_started_minute_is_a_whole_one() {
        assert_eq!(charged(&tariff("0.10", 60, 60), 61), (120, "0.2".into()));
    }

    #[test]
    fn a_started_second_is_a_whole_one() {
        let charge = tariff("0.60", 1, 1).charge(Some(1_001), Rounding::HalfEven);
        assert_eq!((charge.started_s, charge.billed_s), (2, 2));
        assert_eq!(charge.amount, decimal("0.02"));
    }

    #[test]
    fn who_is_not_answered_pays_nothing() {
        let tariff = Tariff {
            connection_fee: decimal("1"),
            minimum_charge: decimal("2"),
            ..tariff("0.10", 60, 60)
        };
        let charge = tariff.charge(None, Rounding::Up);
        assert!(charge.is_free);
        assert_eq!((charge.billed_s, charge.amount), (0, Decimal::ZERO));
    }

    #[test]
    fn an_answered_call_costs_the_minimum() {
        let tariff = Tariff {
            minimum_charge: decimal("0.02"),
            ..tariff("0", 1, 1)
        };
        assert_eq!(charged(&tariff, 0), (1, "0.02".into()));
    }

    #[test]
    fn a_call_within_the_grace_time_is_free_of_everything() {
        let tariff = Tariff {
            grace_s: 3,
            connection_fee: decimal("0.1"),
            minimum_charge: decimal("0.2"),
            ..tariff("0.60", 60, 60)
        };
        assert_eq!(charged(&tariff, 2), (0, "0".into()));
        assert_eq!(charged(&tariff, 3), (60, "0.7".into()));
    }

    #[test]
    fn the_fee_is_charged_once_and_rounded_with_the_rest() {
        let tariff = Tariff {
            connection_fee: decimal("0.0000004"),
            ..tariff("0.0000002", 60, 60)
        };
        // Rounded apart both would be 0.
        assert_eq!(charged(&tariff, 60), (60, "0.000001".into()));
    }

    proptest! {
        #[test]
        fn a_longer_call_never_costs_less(
            rate in 0_i64..10_000_000, first in 1_u32..120, next in 1_u32..120,
            seconds in 0_u64..100_000, more in 0_u64..1_000,
        ) {
            let tariff = Tariff {
                first_increment_s: first,
                next_increment_s: next,
                ..Tariff::flat(Decimal::of_units(rate, 6))
            };
            let amount = |seconds: u64| tariff.charge(Some(seconds * 1_000), Rounding::HalfEven).amount;
            prop_assert!(amount(seconds) <= amount(seconds + more));
            let billed = tariff.billed_s(seconds);
            prop_assert!(billed >= seconds);
            prop_assert!(billed < seconds + u64::from(first.max(next)) || billed == u64::from(first));
        }

        #[test]
        fn what_is_included_and_the_rest_are_the_whole(
            rate in 0_i64..1_000, quantity in 1_u64..10_000, included in 0_u64..10_000,
        ) {
            // A rate whose price for each second is exact: nothing is rounded.
            let tariff = Tariff::flat(Decimal::of_units(rate * 60, 6));
            let whole = tariff.price(quantity, 60, Rounding::HalfEven);
            let rest = tariff.rest(quantity, included, 60, Rounding::HalfEven);
            let free = tariff.price(included.min(quantity), 60, Rounding::HalfEven);
            prop_assert_eq!(rest + free, whole);
        }
    }
}
