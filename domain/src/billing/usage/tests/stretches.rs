//! What is used belongs to the plan by which it was rated, and to the tax rate of its day,
//! whatever is true at the end of the month.

use super::*;
use crate::{
    billing::{
        settle::Total,
        stretch::{Rules, Stretch},
    },
    calendar::Date,
    testing::plan_config,
};

const SMALL: PlanId = PlanId(Uuid::from_u128(1));
const LARGE: PlanId = PlanId(Uuid::from_u128(2));

fn date(day: u32) -> Date {
    let first: Date = "2027-01-01".parse().unwrap();
    crate::calendar::plus_days(first, day - 1)
}

/// The noon of that day of January 2027.
fn noon(day: u32) -> Timestamp {
    crate::calendar::Zone::UTC
        .start_of(date(day))
        .plus_ms(43_200_000)
}

/// Seconds that were used on that day, rated by that plan at a rate a minute.
fn used(number: u128, day: u32, seconds: u64, (plan, rate): (PlanId, &str)) -> Record {
    let tariff = Tariff::flat(decimal(rate));
    Record {
        ended_at: noon(day),
        amount: tariff.price(seconds, 60, Rounding::HalfEven),
        tariff,
        plan,
        ..record(number, 1, seconds)
    }
}

fn flat(rate: &str, included: u64, minimum: &str) -> Term {
    Term {
        price: Price::Flat(Tariff::flat(decimal(rate))),
        included,
        minimum_charge: decimal(minimum),
        tax_category: None,
    }
}

/// The plan from that day on until that one, which is not its any more.
fn stretch(plan: PlanId, from: u32, to: u32, term: Term) -> Stretch {
    Stretch {
        plan,
        plan_version: 1,
        from: date(from),
        to: date(to),
        config: plan_config(BTreeMap::from([(UsageType::InboundMinutes, term)])),
    }
}

fn rules(stretches: Vec<Stretch>, turns: &[u32]) -> Command {
    let turns: Vec<Date> = turns.iter().map(|day| date(*day)).collect();
    let rules = Rules {
        period: "2027-01".parse().unwrap(),
        zone: crate::calendar::Zone::UTC,
        stretches,
        turns: BTreeMap::from([(TaxCategory::Standard, turns)]),
        taken_back: Default::default(),
    };
    Command::Close {
        rules: Box::new(rules),
    }
}

fn totals(records: &[Record], close: Command) -> Vec<Total> {
    let events = records.iter().cloned().map(recorded);
    let closed = story(events).when(close).events();
    let Some(Event::PeriodClosed { totals, .. }) = closed.into_iter().next() else {
        unreachable!("it is closed")
    };
    totals
}

/// Of each total the plan, what is included of it, and what is due.
fn told(totals: &[Total]) -> Vec<(PlanId, u64, String)> {
    let told = |total: &Total| {
        (
            total.of.unwrap().plan,
            total.included,
            total.due.to_string(),
        )
    };
    totals.iter().map(told).collect()
}

/// 1,000 minutes included and then 0.20, or none and 0.10.
fn plans() -> (Term, Term) {
    (flat("0.20", 60_000, "0"), flat("0.10", 0, "0"))
}

#[test]
fn what_one_plan_includes_is_not_charged_by_the_next_one() {
    let (large, small) = plans();
    // 900 minutes by the large plan, and then one by the small one.
    let records = [
        used(1, 20, 54_000, (LARGE, "0.20")),
        used(2, 31, 60, (SMALL, "0.10")),
    ];
    let stretches = vec![stretch(LARGE, 1, 31, large), stretch(SMALL, 31, 32, small)];
    let totals = totals(&records, rules(stretches, &[]));
    let expected = [(LARGE, 54_000, "0".into()), (SMALL, 0, "0.1".into())];
    assert_eq!(told(&totals), expected);
}

#[test]
fn a_day_of_a_larger_plan_makes_no_month_free() {
    let (large, small) = plans();
    let records = [
        used(1, 20, 54_000, (SMALL, "0.10")),
        used(2, 31, 3_000, (LARGE, "0.20")),
    ];
    let stretches = vec![stretch(SMALL, 1, 31, small), stretch(LARGE, 31, 32, large)];
    let totals = totals(&records, rules(stretches, &[]));
    // Of 60,000 s a day of 31 has 1,936.
    let expected = [(SMALL, 0, "90".into()), (LARGE, 1_936, "3.546667".into())];
    assert_eq!(told(&totals), expected);
}

#[test]
fn tiers_and_the_minimum_are_those_of_the_days_of_their_plan() {
    let by_tiers = Term {
        price: Price::Tiers(tiers()),
        ..flat("0", 0, "0")
    };
    // 90 s by a price of its own. Of tiers up to 60 and 120 s, 21 days of 31 have 41 and 82:
    // 180 s are 0.41 + 0.205 + 0.098.
    let records = [
        used(1, 3, 90, (SMALL, "0.10")),
        used(2, 20, 120, (LARGE, "0.60")),
        used(3, 21, 60, (LARGE, "0.60")),
    ];
    let least = flat("0.10", 0, "31");
    let stretches = vec![
        stretch(SMALL, 1, 11, least),
        stretch(LARGE, 11, 32, by_tiers),
    ];
    let totals = totals(&records, rules(stretches, &[]));
    // Ten days of 31 of a minimum of 31.
    let expected = [(SMALL, 0, "10".into()), (LARGE, 0, "0.713".into())];
    assert_eq!(told(&totals), expected);
}

#[test]
fn what_comes_late_is_settled_by_its_plan() {
    let late = |number, plan| Record {
        of_period: Some("2026-12".parse().unwrap()),
        ended_at: Timestamp::from_micros(noon(1).micros() - 20 * 86_400_000_000),
        ..used(number, 1, 60, plan)
    };
    let records = [late(1, (SMALL, "0.10")), late(2, (LARGE, "0.20"))];
    let (large, small) = plans();
    let stretches = vec![
        stretch(LARGE, 1, 32, large.clone()),
        stretch(SMALL, 1, 1, small.clone()),
    ];
    let by_both = totals(&records, rules(stretches, &[]));
    let expected = [(LARGE, 60, "0".into()), (SMALL, 0, "0.1".into())];
    assert_eq!(told(&by_both), expected);
    // A plan that the month has no day of includes nothing.
    let stretches = vec![stretch(SMALL, 1, 32, small), stretch(LARGE, 1, 1, large)];
    let expected = [(SMALL, 0, "0.1".into()), (LARGE, 0, "0.2".into())];
    assert_eq!(told(&totals(&records, rules(stretches, &[]))), expected);
}

#[test]
fn a_call_within_the_grace_time_is_no_use_that_costs_a_minimum() {
    let free = used(1, 3, 0, (SMALL, "0.10"));
    let close = || rules(vec![stretch(SMALL, 1, 32, flat("0.10", 0, "5"))], &[]);
    let totals_of = |records: &[Record]| told(&totals(records, close()));
    assert_eq!(
        totals_of(std::slice::from_ref(&free)),
        [(SMALL, 0, "0".into())]
    );
    let one = used(2, 4, 1, (SMALL, "0.10"));
    assert_eq!(totals_of(&[free, one]), [(SMALL, 0, "5".into())]);
}

#[test]
fn what_was_used_before_another_tax_rate_stands_apart() {
    let records = [
        used(1, 3, 60, (SMALL, "0.10")),
        used(2, 9, 120, (SMALL, "0.10")),
        used(3, 10, 180, (SMALL, "0.10")),
    ];
    let close = rules(vec![stretch(SMALL, 1, 32, flat("0.10", 90, "0"))], &[10]);
    let totals = totals(&records, close);
    // 90 s are included, of the first call and the second.
    let expected = [(SMALL, 90, "0.15".into()), (SMALL, 0, "0.3".into())];
    assert_eq!(told(&totals), expected);
    let days = totals.iter().map(|total| total.of.unwrap().taxed_on);
    assert_eq!(days.collect::<Vec<_>>(), [date(3), date(10)]);
}

proptest! {
    /// Wherever tax rates change, what is due is the same; only its tax is not.
    #[test]
    fn a_tax_rate_cuts_what_is_due_and_changes_nothing_of_it(
        calls in prop::collection::vec((1_u32..=31, 0_u64..400), 1..12),
        turns in prop::collection::btree_set(1_u32..=31, 0..4),
        term in any_term(),
    ) {
        let records: Vec<Record> = (1..)
            .zip(&calls)
            .map(|(number, (day, seconds))| used(number, *day, *seconds, (SMALL, "0.06")))
            .collect();
        let turns: Vec<u32> = turns.into_iter().collect();
        let close = |turns: &[u32]| rules(vec![stretch(SMALL, 1, 32, term.clone())], turns);
        let (whole, cut) = (totals(&records, close(&[])), totals(&records, close(&turns)));
        let sum = |totals: &[Total]| totals.iter().map(|total| total.due).sum::<Decimal>();
        let included = |totals: &[Total]| totals.iter().map(|total| total.included).sum::<u64>();
        prop_assert_eq!(sum(&cut), sum(&whole));
        prop_assert_eq!(included(&cut), included(&whole));
        prop_assert!(cut.iter().all(|total| !total.due.is_negative()));
    }

    /// Where a month is cut into two plans of the same terms, and as much is used on each
    /// day, nothing changes: but for a started unit at each bound of each part.
    #[test]
    fn splitting_a_month_changes_nothing(
        a_day in 1_u64..400,
        day in 2_u32..=31,
        included in 0_u64..8_000,
        bounds in prop::collection::btree_set(1_u64..9_000, 0..4),
        rates in prop::collection::vec(1_i64..90, 4),
    ) {
        let minute = |rate: i64| Decimal::whole(rate).share(1, 100, 6, Rounding::HalfEven);
        let up_to = bounds.iter().copied().map(Some).chain([None]);
        let tiers = up_to.zip(&rates).map(|(up_to, rate)| Tier { up_to, rate: minute(*rate) });
        let term = Term {
            price: Price::Tiers(tiers.collect()),
            ..flat("0", included, "0")
        };
        let records = |plan: fn(u32, u32) -> PlanId| -> Vec<Record> {
            (1..=31)
                .map(|on| used(u128::from(on), on, a_day, (plan(on, day), "0.09")))
                .collect()
        };
        let whole = records(|_, _| SMALL);
        let cut = records(|on, day| if on < day { SMALL } else { LARGE });
        let parts = vec![stretch(SMALL, 1, day, term.clone()), stretch(LARGE, day, 32, term.clone())];
        let sum = |totals: &[Total]| totals.iter().map(|total| total.due).sum::<Decimal>();
        let whole = sum(&totals(&whole, rules(vec![stretch(SMALL, 1, 32, term)], &[])));
        let cut = sum(&totals(&cut, rules(parts, &[])));
        let most = rates.iter().max().copied().unwrap_or_default();
        let bounds = i128::try_from(bounds.len()).unwrap() + 1;
        let slack = minute(most).share(2 * bounds, 60, 6, Rounding::Up) + decimal("0.00001");
        let apart = if cut > whole { cut - whole } else { whole - cut };
        prop_assert!(apart <= slack, "{cut} and {whole}, more than {slack} apart");
    }

    /// Of two plans in a month each comes to what it would come to without the other.
    #[test]
    fn a_plan_is_settled_as_if_it_were_alone(
        calls in prop::collection::vec((1_u32..=31, 0_u64..400), 1..12),
        day in 2_u32..=31,
        terms in (any_term(), any_term()),
    ) {
        let plan = |on: u32| if on < day { (SMALL, "0.06") } else { (LARGE, "0.09") };
        let records: Vec<Record> = (1..)
            .zip(&calls)
            .map(|(number, (on, seconds))| used(number, *on, *seconds, plan(*on)))
            .collect();
        let (small, large) = (stretch(SMALL, 1, day, terms.0), stretch(LARGE, day, 32, terms.1));
        let both = totals(&records, rules(vec![small.clone(), large.clone()], &[]));
        let mut apart = vec![];
        for stretch in [small, large] {
            let of_it = |record: &&Record| record.plan == stretch.plan;
            let records: Vec<Record> = records.iter().filter(of_it).cloned().collect();
            if !records.is_empty() {
                apart.extend(totals(&records, rules(vec![stretch], &[])));
            }
        }
        prop_assert_eq!(both, apart);
    }
}
