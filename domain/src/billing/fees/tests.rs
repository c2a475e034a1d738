//! Fees are paid in advance, by the day where a cycle is not whole, and given
//! back at the price at which they were paid.

use super::{Billed, Fee, due, still_open};
use crate::{
    billing::account::Subscription,
    calendar::{Cycle, Date, Period, days_between},
    id::PlanId,
    money::{Decimal, Rounding},
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

const SMALL: PlanId = PlanId(Uuid::from_u128(1));
const LARGE: PlanId = PlanId(Uuid::from_u128(2));
const YEARLY: PlanId = PlanId(Uuid::from_u128(3));
/// Pay as you go.
const FREE: PlanId = PlanId(Uuid::from_u128(9));

fn fees() -> BTreeMap<PlanId, Fee> {
    let fee = |cycle, amount| Fee {
        cycle,
        amount: Decimal::whole(amount),
    };
    BTreeMap::from([
        (SMALL, fee(Cycle::Monthly, 31)),
        (LARGE, fee(Cycle::Monthly, 62)),
        (YEARLY, fee(Cycle::Yearly, 365)),
    ])
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn subscribed(plans: &[(PlanId, &str)]) -> Vec<Subscription> {
    plans
        .iter()
        .map(|(plan, day)| Subscription {
            plan: *plan,
            effective: date(day),
        })
        .collect()
}

/// The invoices of so many months from October 2026: each line as
/// `from..to amount`.
fn invoices(subscriptions: &[Subscription], months: usize) -> Vec<Vec<String>> {
    let mut period: Period = "2026-10".parse().unwrap();
    let mut billed = vec![];
    let mut since = None;
    let mut all = vec![];
    for _ in 0..months {
        let known: Vec<_> = subscriptions
            .iter()
            .filter(|subscription| subscription.effective <= period.end())
            .copied()
            .collect();
        let rounding = Rounding::HalfEven;
        let (lines, wanted) = due(
            (&known, None),
            &fees(),
            &billed,
            since,
            period.end(),
            2,
            rounding,
        );
        billed = still_open(&wanted, period.end());
        let line = |line: &super::FeeLine| format!("{}..{} {}", line.from, line.to, line.amount);
        all.push(lines.iter().map(line).collect());
        period = period.next();
        since = Some(period.start());
    }
    all
}

#[test]
fn the_first_invoice_has_the_begun_cycle_and_the_next_one() {
    assert_eq!(
        invoices(&subscribed(&[(SMALL, "2026-10-16")]), 2),
        [
            vec!["2026-10-16..2026-11-01 16", "2026-11-01..2026-12-01 31"],
            vec!["2026-12-01..2027-01-01 31"],
        ]
    );
}

#[test]
fn a_fee_is_shared_by_the_days_of_the_whole_cycle() {
    let invoices = invoices(&subscribed(&[(YEARLY, "2026-10-02")]), 4);
    assert_eq!(invoices[0], ["2026-10-02..2027-01-01 91"]);
    assert!(invoices[1].is_empty());
    assert_eq!(invoices[2], ["2027-01-01..2028-01-01 365"]);
    assert!(invoices[3].is_empty());
}

#[test]
fn an_upgrade_gives_back_unused_days_at_the_old_price() {
    let plans = subscribed(&[(SMALL, "2026-10-01"), (LARGE, "2026-12-11")]);
    assert_eq!(
        invoices(&plans, 3),
        [
            vec!["2026-10-01..2026-11-01 31", "2026-11-01..2026-12-01 31"],
            vec!["2026-12-01..2027-01-01 31"],
            vec![
                "2026-12-11..2027-01-01 -21",
                "2026-12-11..2027-01-01 42",
                "2027-01-01..2027-02-01 62",
            ],
        ]
    );
}

/// The plan became dearer, and is by the year, after November had been paid for.
#[test]
fn unused_days_are_given_back_at_the_price_at_which_they_were_paid() {
    let rounding = Rounding::HalfEven;
    let first = subscribed(&[(SMALL, "2026-10-01")]);
    let (_, wanted) = due(
        (&first, None),
        &fees(),
        &[],
        None,
        date("2026-11-01"),
        2,
        rounding,
    );
    let billed = still_open(&wanted, date("2026-11-01"));
    let mut dearer = fees();
    let fee = Fee {
        cycle: Cycle::Yearly,
        amount: Decimal::whole(730),
    };
    dearer.insert(SMALL, fee);
    let since = Some(date("2026-11-01"));
    let told = |plans: &[Subscription]| {
        let through = date("2026-12-01");
        let (lines, _) = due((plans, None), &dearer, &billed, since, through, 2, rounding);
        let line = |line: &super::FeeLine| format!("{}..{} {}", line.from, line.to, line.amount);
        lines.iter().map(line).collect::<Vec<_>>()
    };
    let changed = subscribed(&[(SMALL, "2026-10-01"), (FREE, "2026-11-16")]);
    assert_eq!(told(&changed), ["2026-11-16..2026-12-01 -15.5"]);
    // Who stays pays the new price from the next cycle on.
    assert_eq!(told(&first), ["2026-12-01..2027-01-01 62"]);
}

/// The plan became one without a fee after December had been paid for and used.
#[test]
fn a_plan_that_loses_its_fee_gives_nothing_used_back() {
    let rounding = Rounding::HalfEven;
    let plans = subscribed(&[(SMALL, "2026-10-01")]);
    let (_, wanted) = due(
        (&plans, None),
        &fees(),
        &[],
        None,
        date("2026-12-01"),
        2,
        rounding,
    );
    let billed = still_open(&wanted, date("2026-12-01"));
    assert!(!billed.is_empty());
    let mut free = fees();
    let fee = Fee {
        cycle: Cycle::PayAsYouGo,
        amount: Decimal::ZERO,
    };
    free.insert(SMALL, fee);
    let since = Some(date("2026-12-01"));
    let through = date("2027-01-01");
    let (lines, _) = due((&plans, None), &free, &billed, since, through, 2, rounding);
    assert!(lines.is_empty(), "{lines:?}");
}

/// The account was closed within a month that was paid for, and before the invoice of the
/// month before.
#[test]
fn the_fees_of_a_closed_account_end_with_its_last_day() {
    let rounding = Rounding::HalfEven;
    let plans = subscribed(&[(SMALL, "2026-10-01")]);
    let told = |ends: &str, billed: &[Billed], through: &str| {
        let known = (plans.as_slice(), Some(date(ends)));
        let since = Some(date("2026-11-01")).filter(|_| !billed.is_empty());
        let (lines, _) = due(known, &fees(), billed, since, date(through), 2, rounding);
        let line = |line: &super::FeeLine| format!("{}..{} {}", line.from, line.to, line.amount);
        lines.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(
        told("2026-11-02", &[], "2026-11-01"),
        ["2026-10-01..2026-11-01 31", "2026-11-01..2026-11-02 1.03"]
    );
    let (_, wanted) = due(
        (&plans, None),
        &fees(),
        &[],
        None,
        date("2026-11-01"),
        2,
        rounding,
    );
    let billed = still_open(&wanted, date("2026-11-01"));
    assert_eq!(
        told("2026-11-11", &billed, "2026-12-01"),
        ["2026-11-11..2026-12-01 -20.67"]
    );
}

#[test]
fn pay_as_you_go_has_no_fee() {
    let plans = subscribed(&[(FREE, "2026-10-01")]);
    assert!(invoices(&plans, 3).iter().all(Vec::is_empty));
}

proptest! {
    /// However often the plan changes, each day is paid once, by the plan of
    /// that day, up to the one on which the account was closed.
    #[test]
    fn each_day_is_paid_once(
        changes in prop::collection::vec((1_u32..300, 0_usize..3), 1..6),
        closed_after in prop::option::of(0_u32..900),
    ) {
        let mut day = date("2026-10-05");
        let mut plans = vec![Subscription { plan: SMALL, effective: day }];
        for (days, plan) in changes {
            day = crate::calendar::plus_days(day, days);
            plans.push(Subscription { plan: [SMALL, LARGE, FREE][plan], effective: day });
        }
        let ends = closed_after.map(|days| crate::calendar::plus_days(date("2026-10-06"), days));
        let mut period: Period = "2026-10".parse().unwrap();
        let mut billed: Vec<Billed> = vec![];
        let mut since = None;
        let mut paid: BTreeMap<PlanId, i64> = BTreeMap::new();
        for _ in 0..60 {
            let known: Vec<_> = plans.iter().filter(|plan| plan.effective <= period.end()).copied().collect();
            // That it is closed is known once it is.
            let ends = ends.filter(|day| *day <= period.end());
            let known = (known.as_slice(), ends);
            let (lines, wanted) = due(known, &fees(), &billed, since, period.end(), 2, Rounding::HalfEven);
            billed = still_open(&wanted, period.end());
            for line in lines {
                let days = i64::from(line.days);
                *paid.entry(line.plan).or_default() += if line.amount.is_negative() { -days } else { days };
            }
            period = period.next();
            since = Some(period.start());
        }
        let mut lived: BTreeMap<PlanId, i64> = BTreeMap::new();
        for (index, plan) in plans.iter().enumerate() {
            let end = plans.get(index + 1).map_or_else(|| period.end(), |next| next.effective);
            let end = ends.map_or(end, |ends| ends.min(end));
            if plan.plan == FREE || end <= plan.effective {
                continue;
            }
            *lived.entry(plan.plan).or_default() += i64::from(days_between(plan.effective, end));
        }
        // Paid in advance through the cycle after the last period.
        prop_assert_eq!(paid, lived.into_iter().filter(|(_, days)| *days != 0).collect());
    }
}
