//! A use is recorded once; a closed month takes nothing; what is settled does
//! not depend on the order in which it came.

mod boundary;
mod corrected;
mod stretches;

use super::*;
use crate::{
    billing::{
        UsageType,
        plan::{Price, Term, Tier},
        settle::{By, Made, Of},
        tariff::Tariff,
        tax::TaxCategory,
    },
    id::{CallId, LegId, PlanId},
    money::{Currency, Decimal, Rounding},
    testing::{Given, given, month_of, second},
    time::Timestamp,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, slice::from_ref};
use uuid::Uuid;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn record(call: u128, revision: u32, seconds: u64) -> Record {
    let tariff = Tariff::flat(decimal("0.06"));
    Record {
        cdr: CallId(Uuid::from_u128(call)),
        revision,
        leg: LegId(Uuid::from_u128(1)),
        usage_type: UsageType::InboundMinutes,
        answered_at: second(0),
        ended_at: second(u64::try_from(call).unwrap()),
        quantity: seconds,
        amount: tariff.price(seconds, 60, Rounding::HalfEven),
        tariff,
        currency: Currency::EUR,
        plan: PlanId(Uuid::from_u128(2)),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    }
}

fn ask(records: &[Record], reversed: &[Record]) -> Command {
    let cdr = records.iter().chain(reversed).next().unwrap().cdr;
    Command::Record {
        cdr,
        records: records.to_vec(),
        reversed: reversed.to_vec(),
        reason: Some("why".into()),
        commits: None,
    }
}

fn recorded(record: Record) -> Event {
    Event::Recorded { record }
}

/// The plan of the records has the whole month, and says that of their kind.
fn close_by(term: Term) -> Command {
    let terms = BTreeMap::from([(UsageType::InboundMinutes, term)]);
    let rules = month_of(PlanId(Uuid::from_u128(2)), "2027-01", terms);
    Command::Close { rules }
}

fn close(included: u64) -> Command {
    close_by(Term {
        price: Price::Flat(Tariff::flat(decimal("0.06"))),
        included,
        minimum_charge: Decimal::ZERO,
        tax_category: None,
    })
}

fn story(events: impl IntoIterator<Item = Event>) -> Given<Usage> {
    given::<Usage>(events)
}

#[test]
fn a_use_is_recorded_once() {
    let one = record(1, 1, 60);
    story([])
        .when(ask(from_ref(&one), &[]))
        .then([recorded(one.clone())])
        .when(ask(&[one], &[]))
        .nothing();
}

#[test]
fn rating_again_replaces_what_was_recorded() {
    let (old, new) = (record(1, 1, 60), record(1, 2, 30));
    let usage = story([recorded(old.clone())])
        .when(ask(from_ref(&new), from_ref(&old)))
        .then([
            Event::Reversed {
                record: old.clone(),
                reason: "why".into(),
            },
            recorded(new.clone()),
        ])
        .when(ask(&[new], from_ref(&old)))
        .nothing()
        .when(ask(&[old], &[]))
        .nothing();
    assert_eq!(usage.state().used.len(), 1);
}

#[test]
fn a_closed_month_takes_nothing_and_is_closed_once() {
    let closed = || {
        story([recorded(record(1, 1, 60))])
            .when(close(0))
            .then([Event::PeriodClosed {
                totals: vec![crate::billing::settle::Total {
                    usage_type: UsageType::InboundMinutes,
                    count: 1,
                    quantity: 60,
                    included: 0,
                    rated: decimal("0.06"),
                    due: decimal("0.06"),
                    volume_rate: None,
                    made: Some(Made {
                        by: By::Rate(decimal("0.06")),
                        fees: Decimal::ZERO,
                        at_minimum: 0,
                        is_corrected: false,
                    }),
                    of: Some(Of {
                        plan: PlanId(Uuid::from_u128(2)),
                        plan_version: 1,
                        from: "2027-01-01".parse().unwrap(),
                        to: "2027-02-01".parse().unwrap(),
                        tax_category: TaxCategory::Standard,
                        is_tax_inclusive: false,
                        taxed_on: "2027-01-15".parse().unwrap(),
                    }),
                }],
                records_count: 1,
                rated: decimal("0.06"),
            }])
    };
    closed()
        .when(ask(&[record(2, 1, 60)], &[]))
        .refused(Error::PeriodClosed)
        .when(close(30))
        .nothing()
        .when(ask(&[record(1, 1, 60)], &[]))
        .nothing();
}

#[test]
fn a_month_that_charged_for_its_calls_as_a_whole_gives_none_of_them_back() {
    let closed = |included| {
        let closed = story([recorded(record(1, 1, 60))]).when(close(included));
        let events = closed.events();
        story([recorded(record(1, 1, 60))].into_iter().chain(events))
    };
    let again = || ask(&[record(1, 2, 30)], &[record(1, 1, 60)]);
    closed(10).when(again()).refused(Error::Settled);
    // It charged what its calls came to: the next one takes the difference.
    closed(0).when(again()).refused(Error::PeriodClosed);
    // It never had that one.
    closed(10)
        .when(ask(&[], &[record(2, 1, 60)]))
        .refused(Error::PeriodClosed);
}

fn ask_with(records: &[Record], reversed: &[Record], commits: (u32, &str, &str)) -> Command {
    let Command::Record {
        cdr,
        records,
        reversed,
        reason,
        ..
    } = ask(records, reversed)
    else {
        unreachable!("ask makes a record")
    };
    let (revision, amount, replaced) = commits;
    Command::Record {
        cdr,
        records,
        reversed,
        reason,
        commits: Some(Commits {
            revision,
            amount: decimal(amount),
            replaced: decimal(replaced),
            own: None,
        }),
    }
}

fn valued(revision: u32, amount: &str) -> Event {
    Event::Valued {
        cdr: CallId(Uuid::from_u128(1)),
        revision,
        amount: decimal(amount),
        sums: None,
    }
}

#[test]
fn a_month_says_what_a_call_comes_to_in_it() {
    let (one, two, three) = (record(1, 1, 60), record(1, 2, 30), record(1, 3, 90));
    let reversed = |record: &Record| Event::Reversed {
        record: record.clone(),
        reason: "why".into(),
    };
    let adjusted = |record: &Record| Event::Adjusted {
        record: record.clone(),
        reason: "why".into(),
    };
    // In its own month the last price counts.
    let first = || ask_with(from_ref(&one), &[], (1, "0.0714", "0"));
    story([])
        .when(first())
        .then([recorded(one.clone()), valued(1, "0.0714")])
        .when(first())
        .nothing()
        .when(ask_with(
            from_ref(&two),
            from_ref(&one),
            (2, "0.0357", "0.0714"),
        ))
        .then([reversed(&one), recorded(two.clone()), valued(2, "0.0357")]);
    // Where a closed month has the one before, the difference, in whatever order.
    let second = || ask_with(from_ref(&two), from_ref(&one), (2, "0.0357", "0.0714"));
    let third = || ask_with(from_ref(&three), from_ref(&two), (3, "0.1071", "0.0357"));
    story([])
        .when(second())
        .then([adjusted(&one), recorded(two.clone()), valued(2, "-0.0357")])
        .when(third())
        .then([reversed(&two), recorded(three.clone()), valued(3, "0.0357")]);
    story([])
        .when(third())
        .then([adjusted(&two), recorded(three.clone()), valued(3, "0.0714")])
        .when(second())
        .then([adjusted(&one), recorded(two.clone()), valued(4, "0.0357")]);
    // What was recorded before that was said counts as its price said.
    story([recorded(one.clone())]).when(second()).then([
        reversed(&one),
        recorded(two.clone()),
        valued(2, "0.0357"),
    ]);
}

/// The account has no limit any more, and another one pays: nothing would ever say
/// that the call does not count here, because a month without use is not invoiced.
#[test]
fn a_call_that_left_the_month_counts_there_no_more() {
    let (one, two) = (record(1, 1, 60), record(1, 2, 30));
    let reversed = |record: &Record| Event::Reversed {
        record: record.clone(),
        reason: "why".into(),
    };
    story([recorded(one.clone()), valued(1, "0.0714")])
        // Rated again without a limit, it is still there, and invoiced.
        .when(ask(from_ref(&two), from_ref(&one)))
        .then([reversed(&one), recorded(two.clone())])
        .when(ask(&[], from_ref(&two)))
        .then([reversed(&two), valued(2, "0")])
        .when(ask(&[], from_ref(&two)))
        .nothing();
    // What never counted says nothing.
    story([recorded(one.clone())])
        .when(ask(&[], from_ref(&one)))
        .then([reversed(&one)]);
}

#[test]
fn what_a_closed_month_had_is_taken_back_in_the_next() {
    let old = record(1, 1, 60);
    let usage = story([])
        .when(ask(&[record(1, 2, 30)], from_ref(&old)))
        .then([
            Event::Adjusted {
                record: old,
                reason: "why".into(),
            },
            recorded(record(1, 2, 30)),
        ]);
    let events = usage.when(close(0)).events();
    let [Event::PeriodClosed { rated, .. }] = &events[..] else {
        unreachable!("{events:?}")
    };
    assert_eq!(*rated, decimal("-0.03"));
}

#[test]
fn two_currencies_do_not_meet_in_a_month() {
    let yen = Record {
        currency: Currency::JPY,
        ..record(2, 1, 60)
    };
    story([recorded(record(1, 1, 60))])
        .when(ask(&[yen], &[]))
        .refused(Error::OtherCurrency);
}

#[test]
fn included_seconds_split_the_call_at_the_boundary() {
    // 60 + 60 + 60 s, 90 s included: the second call pays for 30 s.
    let events = (1..=3).map(|call| recorded(record(call, 1, 60)));
    let closed = story(events).when(close(90)).events();
    let [Event::PeriodClosed { totals, .. }] = &closed[..] else {
        unreachable!("{closed:?}")
    };
    assert_eq!(totals[0].due, decimal("0.09"));
    assert_eq!((totals[0].included, totals[0].rated), (90, decimal("0.18")));
}

/// 0.60 a minute up to one, 0.30 up to two, and 0.06.
fn tiers() -> Vec<Tier> {
    let tier = |up_to, rate| Tier {
        up_to,
        rate: decimal(rate),
    };
    vec![
        tier(Some(60), "0.60"),
        tier(Some(120), "0.30"),
        tier(None, "0.06"),
    ]
}

/// What calls of so many seconds each come to, with the rate of the volume.
fn settled(seconds: &[u64], price: Price, included: u64) -> (Decimal, Option<Decimal>) {
    let term = Term {
        price,
        included,
        minimum_charge: Decimal::ZERO,
        tax_category: None,
    };
    let close = close_by(term);
    let calls = (1..).zip(seconds);
    let events = calls.map(|(call, seconds)| recorded(record(call, 1, *seconds)));
    let closed = story(events).when(close).events();
    let [Event::PeriodClosed { totals, .. }] = &closed[..] else {
        unreachable!("{closed:?}")
    };
    (totals[0].due, totals[0].volume_rate)
}

#[test]
fn each_tier_prices_what_is_between_its_bounds() {
    let due = settled(&[180], Price::Tiers(tiers()), 0);
    assert_eq!(due, (decimal("0.96"), None));
}

#[test]
fn the_tier_that_is_reached_prices_all_where_the_volume_decides() {
    for (seconds, included, due, rate) in [
        (0, 0, "0", "0.6"),
        (1, 0, "0.01", "0.6"),
        (60, 0, "0.6", "0.6"),
        // One second more, and all of them are cheaper.
        (61, 0, "0.305", "0.3"),
        (120, 0, "0.6", "0.3"),
        (121, 0, "0.121", "0.06"),
        (600, 0, "0.6", "0.06"),
        // What is included is not charged, and reaches no tier.
        (150, 30, "0.6", "0.3"),
        (151, 30, "0.121", "0.06"),
        (20, 30, "0", "0.6"),
    ] {
        let settled = settled(&[seconds], Price::Volume(tiers()), included);
        let expected = (decimal(due), Some(decimal(rate)));
        assert_eq!(settled, expected, "{seconds} s, {included} included");
    }
}

/// A use that is no call, of that quantity.
fn counted(key: &str, quantity: u64) -> Record {
    let usage = crate::billing::UsageId {
        account: crate::id::AccountId(Uuid::from_u128(3)),
        period: "2026-10".parse().unwrap(),
    };
    Record {
        cdr: usage.counted(key),
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        ended_at: second(7),
        counted: Some(Counted {
            key: key.into(),
            description: "a thing".into(),
            commits: None,
            quantity: Some(quantity),
        }),
        ..record(1, 1, quantity)
    }
}

fn count(record: Record) -> Command {
    Command::Count {
        record: Box::new(record),
        is_charged: false,
    }
}

#[test]
fn a_use_that_is_no_call_is_recorded_once_by_its_key() {
    let one = counted("a", 3);
    let dearer = Record {
        tariff: Tariff::flat(decimal("9")),
        quantity: 9,
        ..counted("a", 3)
    };
    // 61 and 62 seconds are both charged as 120: they are not the same.
    let charged_alike = Record {
        quantity: 3,
        ..counted("a", 2)
    };
    let story = story([recorded(record(1, 1, 60))])
        .when(count(one.clone()))
        .then([recorded(one.clone())])
        .when(count(one))
        .nothing()
        // Rated by another price since: the same use all the same.
        .when(count(dearer))
        .nothing()
        .when(count(counted("a", 4)))
        .refused(Error::OtherUse)
        .when(count(charged_alike))
        .refused(Error::OtherUse)
        .when(Command::Count {
            record: Box::new(counted("a", 3)),
            is_charged: true,
        })
        .refused(Error::OtherUse)
        .when(count(counted("b", 4)))
        .then([recorded(counted("b", 4))]);
    assert_eq!(story.state().used.len(), 3);
}

#[test]
fn an_old_use_is_known_by_what_was_charged_for_it() {
    let mut old = counted("a", 3);
    old.counted.as_mut().unwrap().quantity = None;
    story([recorded(old)])
        .when(count(counted("a", 3)))
        .nothing()
        .when(count(counted("a", 4)))
        .refused(Error::OtherUse);
}

#[test]
fn a_closed_month_takes_no_new_use_and_knows_the_ones_that_it_has() {
    let closed = Event::PeriodClosed {
        totals: vec![],
        records_count: 1,
        rated: Decimal::ZERO,
    };
    story([recorded(counted("a", 3)), closed])
        .when(count(counted("b", 1)))
        .refused(Error::PeriodClosed)
        .when(count(counted("a", 3)))
        .nothing();
}

/// What a month comes to that has these uses and takes back others.
fn closed_with(records: &[Record], adjusted: &[Record], term: Term) -> Decimal {
    let adjusted = adjusted.iter().cloned().map(|record| Event::Adjusted {
        record,
        reason: "why".into(),
    });
    let close = close_by(term);
    let recorded = records.iter().cloned().map(recorded);
    let closed = story(adjusted.chain(recorded)).when(close).events();
    let [Event::PeriodClosed { totals, .. }] = &closed[..] else {
        unreachable!("{closed:?}")
    };
    totals.iter().map(|total| total.due).sum()
}

fn any_term() -> impl Strategy<Value = Term> {
    let flat = Price::Flat(Tariff::flat(decimal("0.06")));
    let price = prop_oneof![
        Just(flat),
        Just(Price::Tiers(tiers())),
        Just(Price::Volume(tiers())),
    ];
    (price, 0_u64..300, 0_i64..3).prop_map(|(price, included, minimum)| Term {
        price,
        included,
        minimum_charge: Decimal::whole(minimum),
        tax_category: None,
    })
}

proptest! {
    /// Whatever the next month includes or reaches: of a call of a closed month that is
    /// rated again, the difference is owed there, and nothing else.
    #[test]
    fn rating_again_what_is_invoiced_costs_the_difference(
        own in prop::collection::vec(1_u64..200, 0..6),
        again in prop::collection::vec((1_u64..200, 1_u64..200), 1..4),
        term in any_term(),
    ) {
        let own: Vec<Record> = (1..).zip(&own).map(|(call, s)| record(call, 1, *s)).collect();
        let (old, new): (Vec<Record>, Vec<Record>) = (100..)
            .zip(&again)
            .map(|(call, (old, new))| (record(call, 1, *old), record(call, 2, *new)))
            .unzip();
        let all = [own.clone(), new.clone()].concat();
        let sum = |records: &[Record]| records.iter().map(|r| r.amount).sum::<Decimal>();
        let alone = if own.is_empty() { Decimal::ZERO } else { closed_with(&own, &[], term.clone()) };
        prop_assert_eq!(closed_with(&all, &old, term) - alone, sum(&new) - sum(&old));
    }

    /// Tiers are of the month: in how many calls it was used changes nothing.
    #[test]
    fn tiers_do_not_care_for_how_use_is_cut(
        seconds in prop::collection::vec(1_u64..100, 1..6), included in 0_u64..100,
    ) {
        let whole = [seconds.iter().sum()];
        let reversed: Vec<u64> = seconds.iter().rev().copied().collect();
        for price in [Price::Tiers, Price::Volume] {
            let expected = settled(&whole, price(tiers()), included);
            prop_assert_eq!(settled(&seconds, price(tiers()), included), expected);
            prop_assert_eq!(settled(&reversed, price(tiers()), included), expected);
        }
    }

    /// Calls are rated, some of them again, and each order is told twice, as after a crash:
    /// in whichever order those of different calls come, the month comes to the same.
    #[test]
    fn the_order_of_delivery_changes_nothing(
        seconds in prop::collection::vec((1_u64..600, prop::option::of(1_u64..600)), 1..12),
        term in any_term(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 80),
    ) {
        let orders = |(call, (once, again)): (u128, &(u64, Option<u64>))| {
            let first = record(call, 1, *once);
            let second = again.map(|again| record(call, 2, again));
            let mut orders = vec![ask(from_ref(&first), &[])];
            orders.extend(second.map(|second| ask(&[second], from_ref(&first))));
            // What was told once is told again, after all of it or at once.
            let told = orders.clone();
            [orders, told].concat()
        };
        let calls: Vec<Vec<Command>> = (1..).zip(&seconds).map(orders).collect();
        let in_turn: Vec<Command> = calls.iter().flatten().cloned().collect();
        let mut left: Vec<_> = calls.into_iter().map(Vec::into_iter).collect();
        let mut mixed = vec![];
        let mut order = order.iter().cycle();
        while !left.is_empty() {
            let place = order.next().unwrap().index(left.len());
            match left[place].next() {
                Some(command) => mixed.push(command),
                None => drop(left.remove(place)),
            }
        }
        let comes_to = |commands: Vec<Command>| {
            let at = second(9);
            let mut usage = Usage::default();
            for command in commands.into_iter().chain([close_by(term.clone())]) {
                let events = Usage::decide(&usage, at, command).unwrap();
                if let Some(Event::PeriodClosed { totals, .. }) = events.first() {
                    return totals.iter().map(|total| total.due).sum::<Decimal>();
                }
                for event in events {
                    usage = Usage::evolve(std::mem::take(&mut usage), at, &event);
                }
            }
            unreachable!("the month is closed last")
        };
        prop_assert_eq!(comes_to(mixed), comes_to(in_turn));
    }

    #[test]
    fn rating_again_and_back_leaves_what_was(
        seconds in prop::collection::vec((1_u64..600, 1_u64..600), 1..20),
    ) {
        let mut usage = Usage::default();
        let at: Timestamp = second(9);
        let mut tell = |command| {
            for event in Usage::decide(&usage, at, command).unwrap() {
                usage = Usage::evolve(std::mem::take(&mut usage), at, &event);
            }
        };
        for (call, (right, wrong)) in (1..).zip(&seconds) {
            tell(ask(&[record(call, 1, *right)], &[]));
            tell(ask(&[record(call, 2, *wrong)], &[record(call, 1, *right)]));
            tell(ask(&[record(call, 3, *right)], &[record(call, 2, *wrong)]));
        }
        let sum: Decimal = usage.used.values().map(|used| used.amount).sum();
        let expected: Decimal = (1..).zip(&seconds).map(|(call, (right, _))| record(call, 1, *right).amount).sum();
        prop_assert_eq!(sum, expected);
        prop_assert_eq!(usage.used.len(), seconds.len());
    }
}
