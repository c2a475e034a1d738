//! What can have happened to a plan. The stored schema: handle with care.

use crate::{
    billing::{UsageType, tariff::Tariff, tax::TaxCategory},
    calendar::Cycle,
    decider,
    id::DeckId,
    money::{Currency, Decimal, Rounding},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A step of a tiered price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Counted units up to which it applies; none for the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u64>,
    /// Price of one unit.
    pub rate: Decimal,
}

/// Where the price of a usage type comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// The deck's newest published version, by the dialled number.
    Deck(DeckId),
    /// One tariff for all.
    Flat(Tariff),
    /// The more is used in the month, the next tier applies to what is beyond.
    Tiers(Vec<Tier>),
    /// The tier that the month reaches applies to all that is charged in it.
    Volume(Vec<Tier>),
}

/// What the plan says of one usage type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// What it costs.
    pub price: Price,
    /// Counted units of a month that cost nothing: seconds, messages, megabytes.
    #[serde(default)]
    pub included: u64,
    /// A month in which it is used costs at least that.
    #[serde(default)]
    pub minimum_charge: Decimal,
    /// Which tax is on it, where that is not the plan's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_category: Option<TaxCategory>,
}

/// What can change of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Of every price in it.
    pub currency: Currency,
    /// How often the fee falls due.
    pub cycle: Cycle,
    /// The fee of one cycle, paid in advance.
    pub recurring_fee: Decimal,
    /// Prices are with tax.
    pub is_tax_inclusive: bool,
    /// Which tax is on the fee, and on every use whose term says no other.
    pub tax_category: TaxCategory,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// What each usage type costs; one that is not named can not be rated.
    pub terms: BTreeMap<UsageType, Term>,
}

impl Config {
    /// Which tax is on a kind of usage.
    pub fn tax_category_of(&self, usage_type: UsageType) -> TaxCategory {
        let term = self.terms.get(&usage_type);
        let own = term.and_then(|term| term.tax_category);
        own.unwrap_or(self.tax_category)
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was made.
    #[serde(rename = "plan_created")]
    Created {
        /// Its name, for ever.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// It was changed.
    #[serde(rename = "plan_configured")]
    Configured {
        /// Counts the changes; being made was 1.
        config_version: u32,
        /// Everything that can change.
        config: Config,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "plan_created",
            Self::Configured { .. } => "plan_configured",
        }
    }
}
