//! A price with its reasons, as clients read it.

use crate::{scalar::Amount, types::words::UsageKind};
use async_graphql::{ID, Json, Object};
use commands::rater::Explained;
use domain::{
    billing::{UsageType, rating::Found},
    rating::{Quote, Step},
};
use serde_json::Value;

/// A price that was asked for.
pub(crate) struct RateQuote {
    pub(crate) usage_type: UsageType,
    pub(crate) explained: Explained,
}

impl RateQuote {
    fn price(&self) -> Option<&(Found, Quote)> {
        self.explained.price.as_ref().ok()
    }
}

/// What a call would cost by a plan, and why. Where it has no price, only the
/// reason is there.
#[Object]
impl RateQuote {
    /// The kind of usage that was priced.
    async fn usage_type(&self) -> UsageKind {
        self.usage_type.into()
    }

    /// Of the amounts.
    async fn currency(&self) -> String {
        self.explained.currency.to_string()
    }

    /// The plan as it was changed for that many times.
    async fn plan_version(&self) -> i32 {
        i32::try_from(self.explained.plan_version).unwrap_or(i32::MAX)
    }

    /// What the call costs, without what the plan includes; null where it has no
    /// price.
    async fn amount(&self) -> Option<Amount> {
        self.price().map(|(_, quote)| Amount(quote.charge.amount))
    }

    /// Seconds that are charged.
    async fn billed_seconds(&self) -> Option<String> {
        let price = self.price();
        price.map(|(_, quote)| quote.charge.billed_s.to_string())
    }

    /// Price of a minute.
    async fn rate(&self) -> Option<Amount> {
        self.price().map(|(found, _)| Amount(found.tariff.rate))
    }

    /// The deck that it is from; null where the plan has one tariff for all.
    async fn deck_id(&self) -> Option<ID> {
        let (found, _) = self.price()?;
        Some(ID(found.matched.as_ref()?.deck.deck.to_string()))
    }

    /// The version of the deck.
    async fn deck_version(&self) -> Option<i32> {
        let (found, _) = self.price()?;
        i32::try_from(found.matched.as_ref()?.deck.version).ok()
    }

    /// The row of the deck that matched, from 1.
    async fn row(&self) -> Option<i32> {
        let (found, _) = self.price()?;
        i32::try_from(found.matched.as_ref()?.row).ok()
    }

    /// Its prefix.
    async fn prefix(&self) -> Option<&str> {
        let (found, _) = self.price()?;
        Some(&found.matched.as_ref()?.prefix)
    }

    /// The time band of that row, where the deck is meant; null where it applies at any
    /// time.
    async fn band(&self) -> Option<&str> {
        let (found, _) = self.price()?;
        found.band.as_deref()
    }

    /// What the row says of the destination.
    async fn description(&self) -> Option<&str> {
        let (found, _) = self.price()?;
        Some(&found.matched.as_ref()?.description)
    }

    /// Each step from the number and the time to the amount, in words.
    async fn steps(&self) -> Vec<String> {
        let Some((found, quote)) = self.price() else {
            return vec![];
        };
        let steps = quote.steps.iter();
        steps
            .map(|step| in_words(step, found.band.as_deref()))
            .collect()
    }

    /// Why there is no price: `no_term`, `no_deck`, `no_match`, `no_number` or
    /// `wrong_currency`; null where there is one.
    async fn unrated_reason(&self) -> Option<Json<Value>> {
        let reason = self.explained.price.as_ref().err()?;
        Some(Json(serde_json::to_value(reason).unwrap_or(Value::Null)))
    }
}

fn in_words(step: &Step, band: Option<&str>) -> String {
    match step {
        Step::Matched { row } => match band {
            Some(band) => format!("row {row} matches, in the time band {band}"),
            None => format!("row {row} matches, at any time"),
        },
        Step::WithinGrace { grace_s } => {
            format!("shorter than the grace time of {grace_s} s: nothing is charged")
        }
        Step::Increments {
            started_s,
            billed_s,
        } => {
            format!("{started_s} s began, {billed_s} s are charged")
        }
        Step::Time { fee, amount } => format!("fee {fee} and time come to {amount}"),
        Step::Minimum { amount } => format!("the minimum is {amount}"),
    }
}
