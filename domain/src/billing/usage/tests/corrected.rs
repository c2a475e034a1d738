//! What takes the place of what a closed month has counts by its own price.

use super::*;
use std::collections::BTreeSet;

/// Which tier a month reaches is not known before its end, so that the dearest counts;
/// what takes the place of what a closed month has is owed by its own price.
#[test]
fn what_is_corrected_counts_by_its_own_price_and_anything_else_by_the_dearest() {
    let (one, two, three) = (record(1, 1, 60), record(1, 2, 30), record(1, 3, 90));
    let asked = |new: &Record, old: &[Record], most: (u32, &str, &str), own: (&str, &str)| {
        let mut command = ask_with(from_ref(new), old, most);
        if let Command::Record {
            commits: Some(commits),
            ..
        } = &mut command
        {
            commits.own = Some(Own {
                amount: decimal(own.0),
                replaced: decimal(own.1),
            });
        }
        command
    };
    // What the month says after each: what counts, and what it is one of.
    let told = |commands: Vec<Command>| {
        let mut month = Usage::default();
        let mut said = vec![];
        for command in commands {
            for event in Usage::decide(&month, second(100), command).unwrap() {
                if let Event::Valued { amount, sums, .. } = &event {
                    let sums = sums.map(|sums| (sums.most.to_string(), sums.own.to_string()));
                    said.push((amount.to_string(), sums));
                }
                month = Usage::evolve(month, second(100), &event);
            }
        }
        said
    };
    let sums = |counts: &str, most: &str, own: &str| {
        (counts.to_owned(), Some((most.to_owned(), own.to_owned())))
    };
    let one_sum = |counts: &str| (counts.to_owned(), None);
    let first = || asked(&one, &[], (1, "0.20", "0"), ("0.06", "0"));
    let second_price = || {
        let most = (2, "0.30", "0.20");
        asked(&two, from_ref(&one), most, ("0.30", "0.06"))
    };
    let third_price = || {
        let most = (3, "0.90", "0.30");
        asked(&three, from_ref(&two), most, ("0.09", "0.30"))
    };
    let in_one_month = told(vec![first(), second_price(), third_price()]);
    assert_eq!(
        in_one_month,
        [
            sums("0.2", "0.2", "0.06"),
            one_sum("0.3"),
            sums("0.9", "0.9", "0.09")
        ]
    );
    let after_the_first_was_closed = told(vec![second_price(), third_price()]);
    assert_eq!(
        after_the_first_was_closed,
        [sums("0.24", "0.1", "0.24"), sums("0.03", "0.7", "0.03")]
    );
    let the_second_was_told_before_the_first = told(vec![second_price(), first()]);
    assert_eq!(
        the_second_was_told_before_the_first,
        [sums("0.24", "0.1", "0.24"), one_sum("0.3")]
    );
}

/// What a month and the next one come to, each closed by what it is said to include.
fn come_to(first: &Given<Usage>, next: &Given<Usage>, included: u64) -> Decimal {
    let taken_back = next.state().adjusted.keys().copied().collect();
    let due = |month: &Given<Usage>, taken_back: BTreeSet<RecordKey>| {
        let Command::Close { mut rules } = close(included) else {
            unreachable!("it is closed")
        };
        rules.taken_back = taken_back;
        let closed = Usage::decide(month.state(), second(100), Command::Close { rules });
        let Some(Event::PeriodClosed { totals, .. }) = closed.unwrap().pop() else {
            unreachable!("it is closed")
        };
        totals.iter().map(|total| total.due).sum::<Decimal>()
    };
    due(first, taken_back) + due(next, BTreeSet::new())
}

/// While a draft waits a call of its month is rated again: the next month gives back what
/// that month charges. When the draft is discarded and the plan is to include the call, it
/// still charges what was given back.
#[test]
fn a_month_that_is_open_again_charges_what_a_later_one_gave_back() {
    let (old, new) = (record(1, 1, 60), record(1, 2, 30));
    let again = || ask(from_ref(&new), from_ref(&old));
    let closed = story([recorded(old.clone())]).when(close(0)).events();
    let happened = || [recorded(old.clone())].into_iter().chain(closed.clone());
    let first = story(happened())
        .when(again())
        .refused(Error::PeriodClosed)
        .when(Command::Reopen)
        .then([Event::Reopened {}])
        .when(Command::Reopen)
        .nothing();
    let next = story(story([]).when(again()).events());
    for included in [0, 30, 60, 600] {
        assert_eq!(come_to(&first, &next, included), new.amount, "{included}");
    }
    // What came meanwhile is taken back where it is, and what is here is taken back here.
    let third = ask(&[record(1, 3, 90)], from_ref(&new));
    let first = first.when(third.clone()).refused(Error::PeriodClosed);
    let next = story(
        story([])
            .when(again())
            .events()
            .into_iter()
            .chain(next.when(third).events()),
    );
    assert_eq!(come_to(&first, &next, 600), record(1, 3, 90).amount);
    first.when(ask(&[record(1, 3, 90)], from_ref(&old))).then([
        Event::Reversed {
            record: old,
            reason: "why".into(),
        },
        recorded(record(1, 3, 90)),
    ]);
}

/// Of a call that a closed month has, a later one counts what it is longer, once; nothing
/// where it is shorter: no line is of fewer than no seconds.
#[test]
fn what_a_closed_month_has_counted_is_not_counted_again() {
    let counted = |seconds| {
        let (old, new) = (record(1, 1, 60), record(1, 2, seconds));
        let events = story([]).when(ask(&[new], &[old])).events();
        let other = recorded(record(2, 1, 7));
        let month = story(events.into_iter().chain([other]));
        let closed = month.when(close(0)).events();
        let [Event::PeriodClosed { totals, .. }] = &closed[..] else {
            unreachable!("{closed:?}")
        };
        (totals[0].count, totals[0].quantity, totals[0].due)
    };
    assert_eq!(counted(90), (1, 37, decimal("0.037")));
    assert_eq!(counted(60), (1, 7, decimal("0.007")));
    assert_eq!(counted(30), (1, 0, decimal("-0.023")));
}

/// Included minutes were rated at nothing by mistake: what is included is no matter of their
/// price, and a price that is set right later was charged in full.
#[test]
fn what_was_included_is_not_charged_when_its_price_is_set_right() {
    let free = Record {
        tariff: Tariff::flat(Decimal::ZERO),
        amount: Decimal::ZERO,
        ..record(1, 1, 60)
    };
    let month = |included| {
        let closed = story([recorded(free.clone())]).when(close(included));
        let events = closed.events();
        story([recorded(free.clone())].into_iter().chain(events))
    };
    let again = || ask(&[record(1, 2, 60)], from_ref(&free));
    month(60).when(again()).refused(Error::Settled);
    // Where nothing is included the next month has the difference.
    month(0).when(again()).refused(Error::PeriodClosed);
}
