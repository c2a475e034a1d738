//! Why a plan may be refused.

use super::event::{Config, Price, Term, Tier};
use crate::{
    billing::{UsageType, tariff::TariffFault},
    decider::Refusal,
    money::Decimal,
};

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("plan of that name already exists")]
    AlreadyExists,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// The amounts that were rated with it would change their meaning.
    #[error("currency: a plan keeps its currency")]
    OtherCurrency,
    /// What was rated or billed with it would have its tax twice, or not at all.
    #[error("tax_inclusive: a plan keeps its prices with tax or without")]
    OtherTaxInclusion,
    /// A fee below nothing.
    #[error("{field}: is negative")]
    Negative {
        /// Which.
        field: &'static str,
    },
    /// More than anything costs: sums of it could not be told exactly.
    #[error("{field}: is over 1000000000")]
    TooLarge {
        /// Which.
        field: &'static str,
    },
    /// A price is none.
    #[error("terms: {usage_type:?} {field}: {fault}")]
    InvalidPrice {
        /// Of what.
        usage_type: UsageType,
        /// Which part.
        field: &'static str,
        /// Why.
        fault: TariffFault,
    },
    /// Tiers rise, and the last one has no end.
    #[error("terms: {usage_type:?} tiers: up_to must rise, and the last tier has none")]
    InvalidTiers {
        /// Of what.
        usage_type: UsageType,
    },
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "plan.already_exists",
            Self::InvalidName => "plan.invalid_name",
            Self::OtherCurrency => "plan.other_currency",
            Self::OtherTaxInclusion => "plan.other_tax_inclusion",
            Self::Negative { .. } => "plan.negative",
            Self::TooLarge { .. } => "plan.too_large",
            Self::InvalidPrice { .. } => "plan.invalid_price",
            Self::InvalidTiers { .. } => "plan.invalid_tiers",
        }
    }
}

/// The largest fee of a cycle, in whole units of a currency.
const FEE_MAX: i64 = 1_000_000_000;
/// The largest price, in whole units of a currency.
const PRICE_MAX: i64 = 1_000_000;

pub(super) fn check(name: &str, config: &Config) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    if config.recurring_fee.is_negative() {
        return Err(Error::Negative {
            field: "recurring_fee",
        });
    }
    if config.recurring_fee > Decimal::whole(FEE_MAX) {
        return Err(Error::TooLarge {
            field: "recurring_fee",
        });
    }
    config
        .terms
        .iter()
        .try_for_each(|(usage_type, term)| check_term(*usage_type, term))
}

fn check_term(usage_type: UsageType, term: &Term) -> Result<(), Error> {
    let invalid = |fault: TariffFault| Error::InvalidPrice {
        usage_type,
        field: fault.field(),
        fault,
    };
    if term.minimum_charge.is_negative() {
        return Err(invalid(TariffFault::Negative("minimum_charge")));
    }
    if term.minimum_charge > Decimal::whole(PRICE_MAX) {
        return Err(invalid(TariffFault::TooLarge("minimum_charge")));
    }
    match &term.price {
        Price::Deck(_) => Ok(()),
        Price::Flat(tariff) => tariff.check().map_err(invalid),
        Price::Tiers(tiers) | Price::Volume(tiers) => check_tiers(usage_type, tiers),
    }
}

fn check_tiers(usage_type: UsageType, tiers: &[Tier]) -> Result<(), Error> {
    let invalid = Error::InvalidTiers { usage_type };
    let Some((last, before)) = tiers.split_last() else {
        return Err(invalid);
    };
    let mut reached = 0;
    for tier in before {
        match tier.up_to {
            Some(up_to) if up_to > reached => reached = up_to,
            Some(_) | None => return Err(invalid),
        }
    }
    if last.up_to.is_some() {
        return Err(invalid);
    }
    for tier in tiers {
        let fault = if tier.rate.is_negative() {
            TariffFault::Negative("rate")
        } else if tier.rate > Decimal::whole(PRICE_MAX) {
            TariffFault::TooLarge("rate")
        } else {
            continue;
        };
        return Err(Error::InvalidPrice {
            usage_type,
            field: fault.field(),
            fault,
        });
    }
    Ok(())
}
