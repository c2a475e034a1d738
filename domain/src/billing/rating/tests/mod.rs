//! A call is rated once, and again only with a reason.

mod counted;
mod parts;

use super::*;
use crate::billing::{
    UsageType,
    tariff::Tariff,
    usage::{MatchedRow, Record},
};
use crate::{
    calendar::Period,
    id::{AccountId, CallId, LegId, PlanId},
    money::{Currency, Decimal},
    testing::{Given, given, second},
};
use uuid::Uuid;

fn october() -> Period {
    "2026-10".parse().unwrap()
}

fn bill(revision: u32, cents: i64) -> Box<Bill> {
    let amount = Decimal::of_units(cents, 2);
    let record = Record {
        cdr: CallId(Uuid::nil()),
        revision,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::InboundMinutes,
        answered_at: second(0),
        ended_at: second(60),
        quantity: 60,
        tariff: Tariff::flat(amount),
        amount,
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    };
    Box::new(Bill {
        account: AccountId(Uuid::nil()),
        period: october(),
        records: vec![record],
        commits: None,
        own: None,
    })
}

fn rate(cents: i64) -> Command {
    Command::Rate {
        outcome: Some(Outcome::Rated(bill(1, cents))),
    }
}

fn rerate(cents: i64) -> Command {
    Command::Rerate {
        reason: "wrong deck".into(),
        new_payer: false,
        outcome: Some(Outcome::Rated(bill(1, cents))),
        before: Before::default(),
    }
}

fn rated(revision: u32, cents: i64, replaces: Option<Box<Bill>>) -> Event {
    Event::Rated {
        revision,
        bill: bill(revision, cents),
        reason: replaces.is_some().then(|| "wrong deck".into()),
        replaces,
    }
}

fn unrated(reason: UnratedReason) -> Event {
    Event::Unrated {
        account: None,
        reason,
    }
}

fn story(events: impl IntoIterator<Item = Event>) -> Given<Rating> {
    given::<Rating>(events)
}

#[test]
fn a_call_is_rated_once() {
    story([])
        .when(rate(5))
        .then([rated(1, 5, None)])
        .when(rate(6))
        .nothing();
}

#[test]
fn rating_again_names_what_it_replaces() {
    story([rated(1, 5, None)])
        .when(rerate(6))
        .then([rated(2, 6, Some(bill(1, 5)))])
        .when(rerate(6))
        .nothing()
        .when(rerate(5))
        .then([rated(3, 5, Some(bill(2, 6)))]);
}

/// The same price of a plan and a deck that were published anew.
fn published_anew(mut bill: Box<Bill>) -> Box<Bill> {
    for record in &mut bill.records {
        record.plan_version += 1;
        record.matched = Some(MatchedRow {
            deck: crate::billing::DeckVersionId {
                deck: crate::id::DeckId(Uuid::nil()),
                version: 2,
            },
            row: 7,
            prefix: "49".into(),
            description: String::new(),
        });
    }
    bill
}

fn rerate_of_closed(bill: Box<Bill>) -> Command {
    Command::Rerate {
        reason: "wrong deck".into(),
        new_payer: false,
        outcome: Some(Outcome::Rated(bill)),
        before: Before {
            is_settled: true,
            commits: None,
            own: None,
        },
    }
}

#[test]
fn the_same_price_replaces_nothing_wherever_it_stands() {
    let anew = published_anew(bill(1, 5));
    story([rated(1, 5, None)])
        .when(Command::Rerate {
            reason: "new deck".into(),
            new_payer: false,
            outcome: Some(Outcome::Rated(anew.clone())),
            before: Before::default(),
        })
        .nothing()
        .when(rerate_of_closed(anew))
        .nothing();
}

#[test]
fn what_it_replaces_counts_with_its_tax_once_there_is_a_limit() {
    let counting = |mut bill: Box<Bill>, cents| {
        bill.commits = Some(Decimal::of_units(cents, 2));
        bill
    };
    let rerate = |cents, gross: i64, before| Command::Rerate {
        reason: "wrong deck".into(),
        new_payer: false,
        outcome: Some(Outcome::Rated(counting(bill(1, cents), gross))),
        before: Before {
            is_settled: false,
            commits: before,
            own: None,
        },
    };
    let rated = |revision, cents, gross, replaces| Event::Rated {
        revision,
        bill: counting(bill(revision, cents), gross),
        replaces: Some(replaces),
        reason: Some("wrong deck".into()),
    };
    let first = Some(Decimal::of_units(6, 2));
    story([super::tests::rated(1, 5, None)])
        .when(rerate(10, 12, first))
        .then([rated(2, 10, 12, counting(bill(1, 5), 6))])
        // What was said when it was rated stays.
        .when(rerate(20, 24, first))
        .then([rated(3, 20, 24, counting(bill(2, 10), 12))]);
}

#[test]
fn what_a_month_charged_as_a_whole_is_not_taken_back_by_the_call() {
    story([rated(1, 5, None)])
        .when(rerate_of_closed(bill(1, 6)))
        .refused(Error::Settled);
}

#[test]
fn a_price_is_restored_once_and_only_while_another_has_its_place() {
    let restore = |revision| Command::Restore { revision };
    let replaced = || [rated(1, 5, None), rated(2, 6, Some(bill(1, 5)))];
    let restored = Event::Restored {
        revision: 3,
        bill: bill(1, 5),
        withdrawn: bill(2, 6),
        between: None,
    };
    story(replaced())
        .when(restore(2))
        .nothing()
        .when(restore(1))
        .then([restored])
        .when(restore(1))
        .nothing()
        .when(rerate(7))
        .then([rated(4, 7, Some(bill(1, 5)))]);
    story([rated(1, 5, None)]).when(restore(1)).nothing();
}

/// It was rated again twice before its month, which has the first price, was closed.
#[test]
fn the_price_that_its_month_has_is_restored_however_many_were_to_replace_it() {
    let restore = |revision| Command::Restore { revision };
    let replaced = || {
        [
            rated(1, 5, None),
            rated(2, 6, Some(bill(1, 5))),
            rated(3, 7, Some(bill(2, 6))),
        ]
    };
    let restored = |cents, between| Event::Restored {
        revision: 4,
        bill: bill(cents, i64::from(cents) + 4),
        withdrawn: bill(3, 7),
        between,
    };
    story(replaced())
        .when(restore(1))
        .then([restored(1, Some(bill(2, 6)))])
        .when(restore(2))
        .nothing();
    story(replaced()).when(restore(2)).then([restored(2, None)]);
}

#[test]
fn what_can_not_be_priced_is_told_and_never_free() {
    let can_not = |reason| Command::Rate {
        outcome: Some(Outcome::Unrated {
            account: None,
            reason,
        }),
    };
    story([])
        .when(can_not(UnratedReason::NoMatch))
        .then([unrated(UnratedReason::NoMatch)])
        .when(can_not(UnratedReason::NoMatch))
        .nothing()
        .when(rerate(5))
        .then([Event::Rated {
            revision: 1,
            bill: bill(1, 5),
            replaces: None,
            reason: None,
        }])
        .when(can_not(UnratedReason::NoDeck))
        .nothing();
}

#[test]
fn whoever_has_a_call_rated_again_in_vain_is_told_and_it_keeps_what_it_has() {
    let in_vain = |reason| Command::Rerate {
        reason: "new deck".into(),
        new_payer: false,
        outcome: Some(Outcome::Unrated {
            account: None,
            reason,
        }),
        before: Before::default(),
    };
    story([rated(1, 5, None)])
        .when(in_vain(UnratedReason::NoMatch))
        .refused(Error::NoPrice(UnratedReason::NoMatch))
        .when(rerate(6))
        .then([rated(2, 6, Some(bill(1, 5)))]);
    story([unrated(UnratedReason::NoMatch)])
        .when(in_vain(UnratedReason::NoMatch))
        .refused(Error::NoPrice(UnratedReason::NoMatch))
        .when(in_vain(UnratedReason::NoDeck))
        .then([unrated(UnratedReason::NoDeck)]);
}

#[test]
fn a_call_that_was_never_rated_is_not_rated_again() {
    story([]).when(rerate(5)).refused(Error::NotRated);
    story([])
        .when(Command::Rate { outcome: None })
        .refused(Error::NotQuoted);
}

#[test]
fn a_call_that_is_paid_before_and_has_no_price_waits_for_a_person() {
    let unpriced = || {
        Some(Quote::Unpriced {
            account: AccountId(Uuid::nil()),
            reason: UnratedReason::NoMatch,
        })
    };
    let waits = || {
        [Event::Unrated {
            account: Some(AccountId(Uuid::nil())),
            reason: UnratedReason::NoMatch,
        }]
    };
    story([])
        .when(Command::Start { quote: unpriced() })
        .then(waits())
        .when(Command::Extend { quote: unpriced() })
        .nothing();
    story([])
        .when(Command::Extend { quote: unpriced() })
        .then(waits());
}

#[test]
fn each_slice_is_asked_for_once() {
    let quote = |seconds| {
        Some(Quote::Prepaid {
            account: AccountId(Uuid::nil()),
            amount: Decimal::whole(1),
            seconds,
        })
    };
    story([])
        .when(Command::Start {
            quote: Some(Quote::Postpaid),
        })
        .nothing()
        .when(Command::Start { quote: quote(60) })
        .then([Event::Started {
            account: AccountId(Uuid::nil()),
            amount: Decimal::whole(1),
            seconds: 60,
        }])
        .when(Command::Start { quote: quote(60) })
        .nothing()
        .when(Command::Extend { quote: quote(60) })
        .nothing()
        .when(Command::Extend { quote: quote(120) })
        .then([Event::Extended {
            account: AccountId(Uuid::nil()),
            amount: Decimal::whole(1),
            seconds: 120,
        }])
        .when(rate(5))
        .then([rated(1, 5, None)])
        .when(Command::Extend { quote: quote(180) })
        .nothing();
}

#[test]
fn only_a_call_without_a_price_is_dismissed_once_and_it_may_still_get_one() {
    let dismiss = || Command::Dismiss {
        reason: "a test call".into(),
    };
    let dismissed = Event::Dismissed {
        unrated: UnratedReason::NoNumber,
        reason: "a test call".into(),
    };
    let still_none = Command::Rerate {
        reason: "a new deck".into(),
        new_payer: false,
        outcome: Some(Outcome::Unrated {
            account: None,
            reason: UnratedReason::NoMatch,
        }),
        before: Before::default(),
    };
    story([]).when(dismiss()).refused(Error::NotUnrated);
    story([unrated(UnratedReason::NoNumber)])
        .when(dismiss())
        .then([dismissed])
        .when(dismiss())
        .then([])
        .when(still_none)
        .refused(Error::NoPrice(UnratedReason::NoMatch))
        .when(rerate(2))
        .then([Event::Rated {
            revision: 1,
            bill: bill(1, 2),
            replaces: None,
            reason: None,
        }])
        .when(dismiss())
        .refused(Error::NotUnrated);
}
