//! The price of a use that is no call: a message, a stored gigabyte. Whoever
//! counted it says how much it was.

use super::{
    event::UnratedReason,
    price::{Payer, Tables, find},
};
use crate::{
    billing::{
        UsageId, UsageType,
        tariff::{RATED_DIGITS, Tariff},
        usage::{Counted, Error, Record, Usage},
    },
    calendar::Period,
    id::LegId,
    money::{Decimal, Rounding},
    time::Timestamp,
};
use uuid::Uuid;

/// Units of one use at most, so that no amount is beyond what a month can hold.
const QUANTITY_MAX: u64 = 1_000_000_000;
const KEY_LENGTH_MAX: usize = 128;
const DESCRIPTION_LENGTH_MAX: usize = 200;

/// Nothing is older: it is 1 January 1970 nowhere any more, the first day that has a month.
const FIRST: Timestamp = Timestamp::from_micros(172_800_000_000);

/// A use that somebody counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Under which it is known there: one use in a month.
    pub key: String,
    /// Of which kind.
    pub usage_type: UsageType,
    /// Counted units: seconds, messages, megabytes.
    pub quantity: u64,
    /// When it was over.
    pub at: Timestamp,
    /// The digits that decide on its price, where the plan has a deck for it.
    pub digits: Option<String>,
    /// What it was.
    pub description: String,
}

impl Use {
    /// Whether it can be recorded at all, whatever it costs.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self, now: Timestamp) -> Result<(), Error> {
        let is_key = (1..=KEY_LENGTH_MAX).contains(&self.key.len())
            && self.key.bytes().all(|byte| byte.is_ascii_graphic());
        let is_description = self.description.chars().count() <= DESCRIPTION_LENGTH_MAX
            && !self.description.chars().any(char::is_control);
        if self.usage_type.is_of_calls() {
            Err(Error::OfCalls(self.usage_type))
        } else if !is_key {
            Err(Error::InvalidKey)
        } else if !(1..=QUANTITY_MAX).contains(&self.quantity) {
            Err(Error::InvalidQuantity)
        } else if self.at > now {
            Err(Error::InFuture)
        } else if self.at < FIRST {
            Err(Error::TooEarly)
        } else if !is_description {
            Err(Error::InvalidDescription)
        } else {
            Ok(())
        }
    }

    /// What is recorded in its month.
    ///
    /// # Errors
    /// Why it has no price: never nothing instead of something.
    pub fn rate(&self, payer: &Payer<'_>, tables: &Tables) -> Result<Record, UnratedReason> {
        if payer.config.currency != payer.profile.currency {
            return Err(UnratedReason::WrongCurrency);
        }
        let digits = self.digits.as_deref();
        let found = find(payer.config, tables, self.usage_type, digits, self.at)?;
        let (quantity, amount) = self.charge(&found.tariff, found.rounding);
        let commits = match payer.is_limited {
            true => {
                let (_, most) = self.charge(&found.dearest(), found.rounding);
                Some(payer.with_tax([(self.usage_type, most)])?)
            }
            false => None,
        };
        let usage = UsageId {
            account: payer.account,
            period: Period::of(payer.profile.zone.date_of(self.at)),
        };
        let rounding = found.rounding_beside(payer.config);
        Ok(Record {
            cdr: usage.counted(&self.key),
            revision: 1,
            leg: LegId(Uuid::nil()),
            usage_type: self.usage_type,
            answered_at: self.began_at(),
            ended_at: self.at,
            quantity,
            tariff: found.tariff,
            amount,
            currency: payer.profile.currency,
            plan: payer.plan,
            plan_version: payer.plan_version,
            matched: found.matched,
            of_period: None,
            counted: Some(Counted {
                key: self.key.clone(),
                description: self.description.clone(),
                commits,
                quantity: Some(self.quantity),
            }),
            rounding,
        })
    }

    /// Whether that record is of this very use, whatever it cost then.
    pub fn is_recorded_as(&self, record: &Record) -> bool {
        Usage::kept(record).is_use(self.usage_type, self.at, self.quantity)
    }

    fn began_at(&self) -> Timestamp {
        if !self.usage_type.is_time() {
            return self.at;
        }
        let length_us = i64::try_from(self.quantity).unwrap_or(i64::MAX);
        let length_us = length_us.saturating_mul(1_000_000);
        Timestamp::from_micros(self.at.micros().saturating_sub(length_us))
    }

    /// What is charged for, and how much: time by the increments as for a call,
    /// anything else as it was counted.
    fn charge(&self, tariff: &Tariff, rounding: Rounding) -> (u64, Decimal) {
        let units = self.usage_type.units(self.quantity, tariff);
        if self.usage_type.is_time() {
            let length_ms = self.quantity.saturating_mul(1_000);
            return (units, tariff.charge(Some(length_ms), rounding).amount);
        }
        let price = tariff.price(units, self.usage_type.per_unit(), rounding);
        let minimum = tariff.minimum_charge.round(RATED_DIGITS, rounding);
        (units, price.max(minimum))
    }
}
