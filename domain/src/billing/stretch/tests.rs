//! A month is cut where another plan begins.

use super::{Days, Stretch, of};
use crate::{
    billing::{
        UsageType,
        account::Subscription,
        plan::{Price, Term},
        tariff::Tariff,
    },
    calendar::{Date, Period},
    id::PlanId,
    money::Decimal,
    testing::plan_config,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn plan(number: u128) -> PlanId {
    PlanId(Uuid::from_u128(number))
}

fn october() -> Period {
    "2026-10".parse().unwrap()
}

/// Each plan of October with its days, and the day before which its version counts.
fn told(subscriptions: &[(u128, &str)], had: &[u128]) -> Vec<String> {
    told_until(subscriptions, None, had)
}

/// Those of an account that is closed, with the first day after that.
fn told_until(subscriptions: &[(u128, &str)], ends: Option<&str>, had: &[u128]) -> Vec<String> {
    let subscriptions: Vec<_> = subscriptions
        .iter()
        .map(|(number, day)| Subscription {
            plan: plan(*number),
            effective: date(day),
        })
        .collect();
    let had: BTreeSet<PlanId> = had.iter().map(|number| plan(*number)).collect();
    let told = |days: Days| {
        let number = days.plan.0.as_u128();
        format!("{number}: {}..{} {}", days.from, days.to, days.until)
    };
    of((&subscriptions, ends.map(date)), &had, october())
        .into_iter()
        .map(told)
        .collect()
}

#[test]
fn a_month_is_cut_where_another_plan_begins() {
    let whole = "1: 2026-10-01..2026-11-01 2026-11-01";
    assert_eq!(told(&[(1, "2026-03-15")], &[1]), [whole]);
    assert_eq!(told(&[(1, "2026-10-01"), (2, "2026-11-01")], &[1]), [whole]);
    assert_eq!(
        told(
            &[(1, "2026-01-01"), (2, "2026-10-31"), (1, "2026-12-01")],
            &[1, 2]
        ),
        [
            "1: 2026-10-01..2026-10-31 2026-10-31",
            "2: 2026-10-31..2026-11-01 2026-11-01"
        ]
    );
    assert_eq!(
        told(&[(1, "2026-10-16")], &[1]),
        ["1: 2026-10-16..2026-11-01 2026-11-01"]
    );
}

#[test]
fn what_was_rated_by_a_plan_without_days_in_the_month_has_its_terms_too() {
    assert_eq!(
        told(&[(1, "2026-03-15"), (2, "2026-09-10")], &[1, 2, 3]),
        [
            "2: 2026-10-01..2026-11-01 2026-11-01",
            // What comes late, as that plan was on its last day.
            "1: 2026-10-01..2026-10-01 2026-09-10",
            // What was used before another plan was set in its place.
            "3: 2026-10-01..2026-10-01 2026-11-01"
        ]
    );
}

#[test]
fn a_month_is_cut_where_the_account_is_closed() {
    let plans = [(1, "2026-03-15"), (2, "2026-10-21")];
    let closed = |ends| told_until(&plans, Some(ends), &[1, 2]);
    let second = "2: 2026-10-01..2026-10-01 2026-10-11";
    assert_eq!(
        closed("2026-10-11"),
        ["1: 2026-10-01..2026-10-11 2026-10-11", second]
    );
    assert_eq!(
        closed("2026-10-26"),
        [
            "1: 2026-10-01..2026-10-21 2026-10-21",
            "2: 2026-10-21..2026-10-26 2026-10-26"
        ]
    );
    assert_eq!(closed("2026-11-01"), closed("2027-01-01"));
    // What came late, of an account that is closed since September.
    assert_eq!(
        told_until(&plans[..1], Some("2026-09-11"), &[1]),
        ["1: 2026-10-01..2026-10-01 2026-09-11"]
    );
}

fn term(included: u64, from: &str, to: &str) -> (u64, String) {
    let term = Term {
        price: Price::Flat(Tariff::flat(Decimal::whole(1))),
        included,
        minimum_charge: Decimal::whole(31),
        tax_category: None,
    };
    let stretch = Stretch {
        plan: plan(1),
        plan_version: 1,
        from: date(from),
        to: date(to),
        config: plan_config(BTreeMap::from([(UsageType::Custom, term)])),
    };
    let term = stretch.term(UsageType::Custom, october()).unwrap();
    (term.included, term.minimum_charge.to_string())
}

#[test]
fn a_part_of_a_month_has_its_share_of_what_is_included_and_of_the_minimum() {
    assert_eq!(term(600, "2026-10-01", "2026-11-01"), (600, "31".into()));
    // 600 * 15 / 31 are 290.3.
    assert_eq!(term(600, "2026-10-01", "2026-10-16"), (291, "15".into()));
    assert_eq!(term(600, "2026-10-31", "2026-11-01"), (20, "1".into()));
    assert_eq!(term(1, "2026-10-31", "2026-11-01"), (1, "1".into()));
    assert_eq!(term(600, "2026-10-01", "2026-10-01"), (0, "0".into()));
    assert_eq!(term(u64::MAX, "2026-10-01", "2026-11-01").0, u64::MAX);
}

proptest! {
    /// Wherever a month is cut, its parts have all of it, and at most a unit more for each.
    #[test]
    fn the_parts_of_a_month_have_all_that_the_month_has(
        cuts in prop::collection::btree_set(2_u32..=31, 0..6), included in 0_u64..100_000,
    ) {
        let day = |day: u32| if day > 31 { "2026-11-01".into() } else { format!("2026-10-{day:02}") };
        let mut days: Vec<u32> = [1].into_iter().chain(cuts).collect();
        days.push(32);
        let parts = days.windows(2).map(|pair| term(included, &day(pair[0]), &day(pair[1])).0);
        let (count, sum) = (days.len() as u64 - 1, parts.sum::<u64>());
        prop_assert!((included..included + count).contains(&sum) || sum == included, "{sum}");
    }
}
