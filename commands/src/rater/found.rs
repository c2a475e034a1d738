//! Who pays for a call, and how.

use super::{Rater, answered};
use crate::books::{Books, PlanEntry};
use domain::{
    billing::{
        account::{OwnedNumber, Profile},
        rating::{Facts, Payer},
        seller,
        tax::{self, TaxCategory},
    },
    calendar::Date,
    id::AccountId,
    money::Decimal,
    time::Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

/// Who pays for a call and how, as the books say it.
pub(super) struct Found {
    pub(super) account: AccountId,
    pub(super) profile: Profile,
    pub(super) is_prepaid: bool,
    pub(super) mode_since: Timestamp,
    pub(super) is_limited: bool,
    pub(super) plan: Option<Arc<PlanEntry>>,
    pub(super) taxes: BTreeMap<TaxCategory, Decimal>,
    pub(super) slice_s: u32,
}

impl Found {
    /// The account with the plan of the day on which it was over, in the version that was
    /// in force when it was answered.
    pub(super) fn of(
        books: &Books,
        id: AccountId,
        answered_at: Timestamp,
        at: Timestamp,
    ) -> Option<Self> {
        let account = books.account(id)?;
        let profile = account.profile.clone()?;
        let day = profile.zone.date_of(at);
        let plan = account.plan_on(day);
        let plan = plan.and_then(|plan| books.plan(plan, answered_at));
        let seller = books.seller();
        let taxes = seller.as_ref().map(|seller| taxes(seller, &profile, day));
        let taxes = taxes.unwrap_or_default();
        Some(Self {
            account: id,
            is_prepaid: account.is_prepaid(),
            mode_since: account.mode_since,
            is_limited: account.limit().is_some(),
            profile,
            plan,
            taxes,
            slice_s: seller.map_or(SLICE_S, |seller| seller.slice_s),
        })
    }

    /// The same for a call, with what was said of the dialled number when it was answered:
    /// that it was toll-free, and it may be another's by now.
    pub(super) fn of_call(
        books: &Books,
        id: AccountId,
        facts: &Facts,
        answered_at: Timestamp,
        at: Timestamp,
    ) -> Option<Self> {
        let mut found = Self::of(books, id, answered_at, at)?;
        if let Some(number) = &facts.dialled {
            let is_toll_free = books.is_toll_free(number, id, answered_at);
            let number = number.clone();
            found.profile.owned.numbers = vec![OwnedNumber {
                number,
                is_toll_free,
            }];
        }
        Some(found)
    }

    /// Who pays by that plan.
    pub(super) fn payer<'a>(&'a self, plan: &'a PlanEntry) -> Payer<'a> {
        Payer {
            account: self.account,
            profile: &self.profile,
            is_limited: self.is_limited,
            plan: plan.id,
            plan_version: plan.config_version,
            config: &plan.config,
            taxes: &self.taxes,
        }
    }
}

/// Seconds of a slice where no seller is described.
const SLICE_S: u32 = 60;

impl Rater {
    /// Who pays, with the plan of that instant: whose credit is reserved for it, whoever
    /// owns what it leads to meanwhile.
    pub(super) fn find(
        &self,
        facts: &Facts,
        charging: Option<AccountId>,
        at: Timestamp,
    ) -> Option<Found> {
        let answered_at = answered(facts).unwrap_or(at);
        self.books.read(|books| {
            let payer = charging.or_else(|| books.payer(facts, Some(answered_at)))?;
            Found::of_call(books, payer, facts, answered_at, at)
        })
    }

    /// The same for a person who looks again: whoever owns now what nobody owned then, and
    /// where another is to pay, whoever owns it now in any case.
    pub(super) fn find_now(&self, facts: &Facts, is_another: bool, at: Timestamp) -> Option<Found> {
        let answered_at = answered(facts).unwrap_or(at);
        self.books.read(|books| {
            let then = books.payer(facts, Some(answered_at));
            let payer = then.filter(|_| !is_another);
            let payer = payer.or_else(|| books.payer(facts, None))?;
            Found::of_call(books, payer, facts, answered_at, at)
        })
    }
}

/// Taxes in percent on what the account buys on that day.
fn taxes(seller: &seller::Config, profile: &Profile, day: Date) -> BTreeMap<TaxCategory, Decimal> {
    let percent = |category| {
        let applied = tax::apply(
            &seller.tax_rates,
            &seller.country,
            &profile.country,
            profile.tax_id.is_some(),
            category,
            day,
        );
        Some((category, applied.ok()?.percent))
    };
    let all = TaxCategory::ALL.into_iter();
    all.filter_map(percent).collect()
}
