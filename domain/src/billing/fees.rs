//! Recurring fees: in advance, for whole cycles of the calendar, by the day
//! where a plan begins, ends or changes within one.

use super::{account::Subscription, tax::TaxCategory};
use crate::{
    calendar::{Cycle, Date, days_between},
    id::PlanId,
    money::{Decimal, Rounding},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plan charges each cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fee {
    /// How often.
    pub cycle: Cycle,
    /// How much for a whole one.
    pub amount: Decimal,
}

/// The tax that a fee was billed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Taxed {
    /// Treatment.
    pub category: TaxCategory,
    /// In percent.
    pub percent: Decimal,
}

/// A stretch of a cycle for which a fee was billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Billed {
    /// By which plan.
    pub plan: PlanId,
    /// First day that it is for.
    pub from: Date,
    /// First day that it is not for any more.
    pub to: Date,
    /// What its plan charged then: days that were not used are given back at that.
    /// None of before this was kept: the plan of now is all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
    /// The tax that was on it: what is given back has that, whatever the account is and
    /// the rates are by then. None of before this was kept, and where nothing was billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxed: Option<Taxed>,
}

/// One line of fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeLine {
    /// By which plan.
    pub plan: PlanId,
    /// First day.
    pub from: Date,
    /// First day after it.
    pub to: Date,
    /// Days that count.
    pub days: u32,
    /// Days of the whole cycle.
    pub of_days: u32,
    /// The fee of a whole cycle; below nothing where days are given back.
    pub fee: Decimal,
    /// `fee · days / of_days`, rounded to the currency.
    pub amount: Decimal,
    /// The day whose tax rate is on it: the first of the time that it is for. What is
    /// given back has the rate at which it was billed.
    pub taxed_on: Date,
    /// The tax of what was billed, where the line is of that and it is known.
    pub taxed: Option<Taxed>,
}

/// The lines that become due with the end of a period, and what will then have
/// been billed for days after `from`. The cycle that begins with `through` is
/// paid in advance; days that an old plan was paid for and did not last are
/// given back at its own price. The last plan ends with the second of `subscriptions`, the
/// first day that nothing is to be paid for any more. `since` is the end of the last period that was
/// invoiced: what ended before it is not looked at again.
pub fn due(
    subscriptions: (&[Subscription], Option<Date>),
    fees: &BTreeMap<PlanId, Fee>,
    billed: &[Billed],
    since: Option<Date>,
    through: Date,
    digits: u8,
    rounding: Rounding,
) -> (Vec<FeeLine>, Vec<Billed>) {
    let wanted = entitled(subscriptions, fees, billed, since, through);
    let line = |of: &Billed, from: Date, to: Date, sign: i128| {
        let plan = of.plan;
        let fee = of.fee.or_else(|| fees.get(&plan).copied())?;
        let (start, end) = fee.cycle.around(from)?;
        let (days, of_days) = (days_between(from, to), days_between(start, end));
        let times = sign * i128::from(days);
        let amount = fee
            .amount
            .share(times, i128::from(of_days), digits, rounding);
        (days > 0 && !amount.is_zero()).then_some(FeeLine {
            plan,
            from,
            to,
            days,
            of_days,
            fee: fee.amount,
            amount,
            taxed_on: if sign < 0 { of.from } else { from },
            taxed: of.taxed,
        })
    };
    let mut lines = vec![];
    for old in billed {
        let kept = wanted.iter().find(|new| is_same(new, old));
        let to = kept.map_or(old.from, |new| new.to);
        // Given back, or more than was billed, when a change was taken back.
        lines.extend(line(old, to, old.to, -1));
        lines.extend(line(old, old.to, to, 1));
    }
    for new in &wanted {
        if !billed.iter().any(|old| is_same(new, old)) {
            lines.extend(line(new, new.from, new.to, 1));
        }
    }
    lines.sort_by_key(|line| (line.from, line.to, line.plan));
    (lines, wanted)
}

/// Every stretch that is to be paid when the cycle that begins with `through`
/// is: from the first day that is still open, by plan and cycle.
fn entitled(
    (subscriptions, ends): (&[Subscription], Option<Date>),
    fees: &BTreeMap<PlanId, Fee>,
    billed: &[Billed],
    since: Option<Date>,
    through: Date,
) -> Vec<Billed> {
    let open_from = billed.iter().map(|billed| billed.from).min().or(since);
    let mut all = vec![];
    for (index, subscription) in subscriptions.iter().enumerate() {
        let next = subscriptions.get(index + 1).map(|next| next.effective);
        let until = next.into_iter().chain(ends).min();
        let Some(current) = fees.get(&subscription.plan) else {
            continue;
        };
        let mut day = subscription.effective;
        while day <= through && until.is_none_or(|until| day < until) {
            // What was billed keeps its price and its cycle, whatever the plan says now.
            let known = |old: &&Billed| old.plan == subscription.plan && old.from == day;
            let known = billed.iter().find(known);
            let fee = known.map_or(Some(*current), |old| old.fee);
            let cycle = fee.map_or(current.cycle, |fee| fee.cycle);
            // A cycle of another length, or none, does not run over what was billed by
            // the one before.
            let begins = |old: &&Billed| old.plan == subscription.plan && old.from > day;
            let next = billed.iter().filter(begins).map(|old| old.from).min();
            let end = cycle.around(day).map(|(_, end)| end);
            let Some(end) = end.into_iter().chain(next).min() else {
                break;
            };
            let to = until.map_or(end, |until| end.min(until));
            if open_from.is_none_or(|open| day >= open) {
                all.push(Billed {
                    plan: subscription.plan,
                    from: day,
                    to,
                    fee,
                    taxed: known.and_then(|old| old.taxed),
                });
            }
            day = end;
        }
    }
    all
}

/// They begin on the same day by the same plan.
fn is_same(new: &Billed, old: &Billed) -> bool {
    new.plan == old.plan && new.from == old.from
}

/// What must be remembered of `billed`: what reaches beyond the day.
pub fn still_open(billed: &[Billed], day: Date) -> Vec<Billed> {
    billed
        .iter()
        .filter(|billed| billed.to > day)
        .copied()
        .collect()
}

#[cfg(test)]
mod tests;
