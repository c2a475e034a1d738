//! The parts of a month in which an account had one plan, and the rules by which each
//! is settled. Pure.

use super::{
    UsageType,
    account::Subscription,
    plan::{Config, Price, Term, Tier},
    settle::Used,
    tariff::RATED_DIGITS,
    tax::TaxCategory,
    usage::RecordKey,
};
use crate::{
    calendar::{Date, Period, Zone, days_between},
    id::PlanId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A plan and its days in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// Which.
    pub plan: PlanId,
    /// First day.
    pub from: Date,
    /// First day that is not of it any more; `from` where the month has none of its days,
    /// and yet may have uses that were rated by it: what came late, or was used before
    /// another plan was set in its place.
    pub to: Date,
    /// The version that is in force at the end of the day before this one settles it.
    pub until: Date,
}

/// The plans of a month in the order of their days, and after them the others that the
/// account `had`. The last one ends with the second of `subscriptions`, the first day that
/// is not the account's any more.
pub fn of(
    (subscriptions, ends): (&[Subscription], Option<Date>),
    had: &BTreeSet<PlanId>,
    period: Period,
) -> Vec<Days> {
    let start = period.start();
    let end = ends.map_or_else(|| period.end(), |ends| ends.min(period.end()));
    let next = |index: usize| subscriptions.get(index + 1).map(|next| next.effective);
    let until = |index: usize| next(index).map_or(end, |next| next.min(end));
    let mut all: Vec<Days> = (0..)
        .zip(subscriptions)
        .map(|(index, subscription)| Days {
            plan: subscription.plan,
            from: subscription.effective.max(start),
            to: until(index),
            until: until(index),
        })
        .filter(|days| days.from < days.to)
        .collect();
    for plan in had {
        if all.iter().any(|days| days.plan == *plan) {
            continue;
        }
        let is_before =
            |(_, other): &(usize, &Subscription)| other.plan == *plan && other.effective < start;
        let last = subscriptions.iter().enumerate().rfind(is_before);
        all.push(Days {
            plan: *plan,
            from: start,
            to: start,
            until: last.map_or(end, |(index, _)| until(index)),
        });
    }
    all
}

/// A part of a month with the plan that settles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Which plan.
    pub plan: PlanId,
    /// In the version that was in force at its end.
    pub plan_version: u32,
    /// First day.
    pub from: Date,
    /// First day that is not of it any more.
    pub to: Date,
    /// What that version says.
    pub config: Config,
}

impl Stretch {
    /// What it says of a kind of usage. What is included, the minimum and the bounds of
    /// tiers are those of a whole month: a part of one has of them what it has of its days,
    /// as of a fee, so that it changes nothing where a month is cut into plans of the same
    /// terms. A started unit that is included, or in a tier, counts as whole. What came
    /// late for a plan that has no day of the month is charged by its first tier.
    pub(super) fn term(&self, usage_type: UsageType, period: Period) -> Option<Term> {
        let term = self.config.terms.get(&usage_type)?;
        let days = days_between(self.from, self.to);
        let of_days = days_between(period.start(), period.end()).max(1);
        let part = |units: u64| {
            let units = u128::from(units) * u128::from(days);
            u64::try_from(units.div_ceil(u128::from(of_days))).unwrap_or(u64::MAX)
        };
        let tiers = |tiers: &[Tier]| {
            let up_to = |up_to: u64| if days == 0 { up_to } else { part(up_to) };
            let cut = tiers.iter().map(|tier| Tier {
                up_to: tier.up_to.map(up_to),
                ..*tier
            });
            cut.collect()
        };
        Some(Term {
            price: match &term.price {
                Price::Tiers(all) => Price::Tiers(tiers(all)),
                Price::Volume(all) => Price::Volume(tiers(all)),
                plain @ (Price::Deck(_) | Price::Flat(_)) => plain.clone(),
            },
            included: part(term.included),
            minimum_charge: term.minimum_charge.share(
                i128::from(days),
                i128::from(of_days),
                RATED_DIGITS,
                self.config.rounding,
            ),
            ..term.clone()
        })
    }
}

/// By what a month is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Which month.
    pub period: Period,
    /// Where its days are meant.
    pub zone: Zone,
    /// The plans that its uses may have been rated by.
    pub stretches: Vec<Stretch>,
    /// The first days of other tax rates, rising.
    pub turns: BTreeMap<TaxCategory, Vec<Date>>,
    /// Records of this month that a later one has taken back while this one was closed, at
    /// their own prices: it charges just those for them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub taken_back: BTreeSet<RecordKey>,
}

/// To what a use belongs.
pub(super) struct Place {
    /// The stretch; none where its plan is not known.
    pub(super) stretch: Option<usize>,
    /// Counts the tax rates that were before.
    pub(super) turn: usize,
    /// The day of the use.
    pub(super) day: Date,
}

impl Rules {
    /// It belongs to the plan by which it was rated: to those days of it in which it was,
    /// or else, where it came late, to its first ones.
    pub(super) fn place(&self, used: &Used) -> Place {
        let day = self.zone.date_of(used.ended_at);
        let of_plan = || {
            let all = self.stretches.iter().enumerate();
            all.filter(|(_, stretch)| stretch.plan == used.plan)
        };
        let has_day = |(_, stretch): &(usize, &Stretch)| stretch.from <= day && day < stretch.to;
        let found = of_plan().find(has_day).or_else(|| of_plan().next());
        let turn = found.map_or(0, |(_, stretch)| {
            let category = stretch.config.tax_category_of(used.usage_type);
            let turns = self.turns.get(&category).map_or(&[][..], Vec::as_slice);
            turns.iter().filter(|turn| **turn <= day).count()
        });
        Place {
            stretch: found.map(|(index, _)| index),
            turn,
            day,
        }
    }
}

#[cfg(test)]
mod tests;
