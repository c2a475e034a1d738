//! What a call would cost, told before anybody calls.

use super::{Decks, Rater};
use crate::{books::Books, error::DispatchError};
use domain::{
    billing::{
        UsageType,
        rating::{Found as FoundTariff, UnratedReason, find},
    },
    id::PlanId,
    money::Currency,
    rating::digits,
    time::Timestamp,
};

/// A price that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// By which plan.
    pub plan: PlanId,
    /// For which kind of usage.
    pub usage_type: UsageType,
    /// To which number, as people write it.
    pub number: String,
    /// Answered when.
    pub at: Timestamp,
    /// For how long.
    pub seconds: u32,
}

/// The price, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Of the amounts.
    pub currency: Currency,
    /// The plan as it was at that instant, changed for that many times.
    pub plan_version: u32,
    /// The tariff that was found, and each step from it to the amount.
    pub price: Result<(FoundTariff, domain::rating::Quote), UnratedReason>,
}

impl Rater {
    /// What a call by a plan would cost that is answered at that instant for so
    /// many seconds, and why. None where there is no such plan.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn explain(&self, asked: &Asked) -> Result<Option<Explained>, DispatchError> {
        self.books.wait_for(self.feed.head()).await;
        let in_force = |books: &Books| books.plan(asked.plan, asked.at);
        let Some(plan) = self.books.read(in_force) else {
            return Ok(None);
        };
        let kinds = [asked.usage_type];
        let plan = self.naming(&plan, &kinds);
        let tables = self
            .tables_of(&plan.config, kinds.into_iter(), Decks::At(asked.at))
            .await?;
        let digits = digits(&asked.number);
        let found = find(
            &plan.config,
            &tables,
            asked.usage_type,
            digits.as_deref(),
            asked.at,
        );
        Ok(Some(Explained {
            currency: plan.config.currency,
            plan_version: plan.config_version,
            price: found.map(|found| {
                let row = found.matched.as_ref().map(|matched| matched.row);
                let billable_ms = Some(u64::from(asked.seconds) * 1_000);
                let tariff = found.tariff.clone();
                let quote =
                    domain::rating::Quote::explain(row, tariff, billable_ms, found.rounding);
                (found, quote)
            }),
        }))
    }
}
