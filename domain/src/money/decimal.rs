//! A decimal of fixed scale: an `i128` of units of 10^-12. One value has one
//! form, so that equal amounts are equal bytes in events, hashes and rows.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, iter::Sum, ops, str::FromStr};

/// Digits after the point.
const SCALE: u8 = 12;
/// 10^12: one.
const ONE: i128 = 1_000_000_000_000;
/// The largest amount that can be read: 10^15. Sums of 10^10 of them fit.
const WHOLE_MAX: i128 = 1_000_000_000_000_000;

/// How a value between two units becomes one of them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearer; a half to the even neighbour.
    #[default]
    HalfEven,
    /// To the nearer; a half away from zero.
    HalfUp,
    /// Away from zero.
    Up,
}

/// An exact decimal with up to twelve digits after the point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

/// A text that is no decimal of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal with at most 12 digits after the point and below 10^15")]
pub struct InvalidDecimal;

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A whole number.
    pub const fn whole(number: i64) -> Self {
        Self(number as i128 * ONE)
    }

    /// So many units of so many digits: `of_units(125, 2)` is 1.25.
    pub const fn of_units(units: i64, digits: u8) -> Self {
        Self(units as i128 * step(digits))
    }

    /// One unit of that many digits.
    pub const fn unit(digits: u8) -> Self {
        Self(step(digits))
    }

    /// How many units of 10^-12.
    pub const fn mantissa(self) -> i128 {
        self.0
    }

    /// How often `unit` fits; 0 for a unit of nothing.
    pub const fn in_units_of(self, unit: Self) -> i128 {
        match self.0.checked_div(unit.0) {
            Some(times) => times,
            None => 0,
        }
    }

    /// Below nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Rounded to so many digits.
    #[must_use]
    pub const fn round(self, digits: u8, rounding: Rounding) -> Self {
        self.share(1, 1, digits, rounding)
    }

    /// Cut down to so many digits, towards minus infinity.
    #[must_use]
    pub const fn floor(self, digits: u8) -> Self {
        let step = step(digits);
        Self(self.0.div_euclid(step) * step)
    }

    /// `self * times / of`, rounded once to so many digits. Nothing when there
    /// is nothing to share among.
    #[must_use]
    pub const fn share(self, times: i128, of: i128, digits: u8, rounding: Rounding) -> Self {
        if of == 0 {
            return Self::ZERO;
        }
        let step = step(digits);
        let (times, of) = if of < 0 { (-times, -of) } else { (times, of) };
        let rounded = divide(
            self.0.saturating_mul(times),
            of.saturating_mul(step),
            rounding,
        );
        Self(rounded.saturating_mul(step))
    }

    /// So much percent of it, rounded once to so many digits.
    #[must_use]
    pub const fn percent(self, percent: Self, digits: u8, rounding: Rounding) -> Self {
        // A percentage has at most four digits after the point.
        let step = step(4);
        self.share(percent.0 / step, 100 * (ONE / step), digits, rounding)
    }

    /// As text with at least so many digits after the point.
    pub fn with_digits(self, digits: u8) -> String {
        let text = self.to_string();
        let has = text.split_once('.').map_or(0, |(_, after)| after.len());
        let missing = usize::from(digits).saturating_sub(has);
        if missing == 0 {
            return text;
        }
        let point = if has == 0 { "." } else { "" };
        format!("{text}{point}{}", "0".repeat(missing))
    }
}

/// What one unit of that many digits is; never finer than the scale.
const fn step(digits: u8) -> i128 {
    let digits = if digits > SCALE { SCALE } else { digits };
    10_i128.pow((SCALE - digits) as u32)
}

/// Divides by a positive number and rounds once.
const fn divide(number: i128, by: i128, rounding: Rounding) -> i128 {
    let cut = number / by;
    let rest = number % by;
    if rest == 0 {
        return cut;
    }
    let away = cut + if number < 0 { -1 } else { 1 };
    let half = rest.unsigned_abs().saturating_mul(2);
    let by = by.unsigned_abs();
    let is_away = match rounding {
        Rounding::Up => true,
        Rounding::HalfUp => half >= by,
        Rounding::HalfEven => half > by || (half == by && cut % 2 != 0),
    };
    if is_away { away } else { cut }
}

impl ops::Add for Decimal {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ops::Sub for Decimal {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl ops::Neg for Decimal {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, number| sum + number)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        let (whole, rest) = (size / ONE.unsigned_abs(), size % ONE.unsigned_abs());
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{rest:012}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, after) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |part: &str| {
            !part.is_empty() && part.len() <= 16 && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_digits(whole) || !is_digits(after) || after.len() > usize::from(SCALE) {
            return Err(InvalidDecimal);
        }
        let number = |part: &str| part.parse::<i128>().map_err(|_| InvalidDecimal);
        let whole = number(whole)?;
        if whole >= WHOLE_MAX {
            return Err(InvalidDecimal);
        }
        let digits = u8::try_from(after.len()).map_err(|_| InvalidDecimal)?;
        let size = whole * ONE + number(after)? * step(digits);
        Ok(Self(if is_negative { -size } else { size }))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// From text only: a JSON number may have been a float on its way.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
