//! An account is opened once, and keeps its currency and zone.

use super::*;

#[test]
fn what_is_wrong_is_named() {
    type Change = fn(&mut Profile);
    let wrong: [(Change, Error); 5] = [
        (|p| p.country = "de".into(), Error::InvalidCountry),
        (|p| p.calling_code = "+49".into(), Error::InvalidCallingCode),
        (|p| p.tax_id = Some("DE12".into()), Error::InvalidTaxId),
        (
            |p| {
                p.owned.numbers = vec![OwnedNumber {
                    number: "a b".into(),
                    is_toll_free: false,
                }];
            },
            Error::InvalidNumber,
        ),
        (
            |p| {
                let number = OwnedNumber {
                    number: "+4930".into(),
                    is_toll_free: false,
                };
                p.owned.numbers = vec![number.clone(), number];
            },
            Error::InvalidNumber,
        ),
    ];
    for (change, error) in wrong {
        let mut profile = profile(PaymentMode::Postpaid);
        change(&mut profile);
        let name = "acme".to_owned();
        story([])
            .when(Command::Open { name, profile })
            .refused(error);
    }
}

#[test]
fn the_currency_and_the_zone_stay() {
    let configure = |change: fn(&mut Profile)| {
        let mut profile = profile(PaymentMode::Postpaid);
        change(&mut profile);
        Command::Configure {
            name: "acme".into(),
            profile,
            expected: None,
        }
    };
    story([opened(PaymentMode::Postpaid)])
        .when(configure(|p| p.currency = Currency::USD))
        .refused(Error::OtherCurrency {
            expected: Currency::EUR,
        })
        .when(configure(|p| p.zone = crate::calendar::Zone::UTC))
        .refused(Error::OtherZone)
        .when(configure(|_| ()))
        .nothing();
}

#[test]
fn a_plan_holds_from_its_day_to_the_next_plans() {
    let other = PlanId(Uuid::from_u128(9));
    let subscribe = |plan, day| Command::Subscribe {
        plan,
        effective: date(day),
    };
    let account = story([opened(PaymentMode::Postpaid)])
        .when(subscribe(PLAN, "2026-10-05"))
        .then([Event::PlanSubscribed {
            plan: PLAN,
            effective: date("2026-10-05"),
        }])
        .when(subscribe(PLAN, "2026-10-06"))
        .nothing()
        .when(subscribe(other, "2026-11-15"))
        .then([Event::PlanChanged {
            plan: other,
            effective: date("2026-11-15"),
        }]);
    let on = |day| account.state().plan_on(date(day));
    assert_eq!(on("2026-10-04"), None);
    assert_eq!(on("2026-11-14"), Some(PLAN));
    assert_eq!(on("2026-11-15"), Some(other));
}

#[test]
fn a_month_that_is_invoiced_keeps_its_plan() {
    story([opened(PaymentMode::Postpaid), owed(INVOICE, "1", 90)])
        .when(Command::Subscribe {
            plan: PLAN,
            effective: date("2026-10-31"),
        })
        .refused(Error::InvoicedAlready { field: "effective" });
}

#[test]
fn nothing_can_be_asked_of_an_account_that_is_not_there() {
    story([]).when(pay("1", None)).refused(Error::Unknown);
}

#[test]
fn an_account_closes_only_when_it_is_even() {
    story([opened(PaymentMode::Postpaid), owed(INVOICE, "1", 90)])
        .when(Command::Close)
        .refused(Error::NotEven);
    story([
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "1", 90),
        paid("1", &[(INVOICE, "1")], "0"),
    ])
    .when(Command::Close)
    .then([Event::Closed {}])
    .when(Command::Subscribe {
        plan: PLAN,
        effective: date("2026-12-01"),
    })
    .refused(Error::Closed);
}

/// What was used before the end is invoiced after it, and a bank takes its time.
#[test]
fn an_account_that_is_closed_owes_and_pays_on() {
    let bounced = || Event::PaymentReversed {
        payment: PAYMENT,
        amount: Money::new(decimal("1"), Currency::EUR),
        allocations: vec![Allocation {
            invoice: INVOICE,
            amount: decimal("1"),
        }],
        credit: Decimal::ZERO,
        reason: "bounced".into(),
    };
    let closed = [
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "1", 90),
        paid("1", &[(INVOICE, "1")], "0"),
        Event::Closed {},
    ];
    story(closed)
        .when(post(OTHER_INVOICE, "5", 200))
        .then([owed(OTHER_INVOICE, "5", 200)])
        .when(Command::ReversePayment {
            payment: PAYMENT,
            reason: "bounced".into(),
        })
        .then([bounced()]);
}

#[test]
fn what_is_overdue_outlasts_a_limit_and_a_persons_word_both() {
    use SuspendReason::{Operator, OverLimit, Overdue};
    for (first, then, is_heard) in [
        (OverLimit, Overdue, true),
        (OverLimit, Operator, true),
        (Overdue, Operator, true),
        (Overdue, OverLimit, false),
        (Operator, Overdue, false),
        (Operator, OverLimit, false),
        (Overdue, Overdue, false),
    ] {
        let suspended = |reason| Event::Suspended { reason };
        let late = owed(INVOICE, "1", 30);
        let said = story([opened(PaymentMode::Postpaid), late, suspended(first)])
            .when(Command::Suspend { reason: then })
            .events();
        let expected: Vec<Event> = is_heard.then(|| suspended(then)).into_iter().collect();
        assert_eq!(said, expected, "{first:?} and then {then:?}");
    }
}

#[test]
fn who_has_paid_by_then_is_not_suspended_for_what_was_overdue() {
    let suspend = Command::Suspend {
        reason: SuspendReason::Overdue,
    };
    let late = [opened(PaymentMode::Postpaid), owed(INVOICE, "1", 30)];
    // The invoice has not heard of the payment yet when it says that it is overdue.
    let paid = paid("1", &[(INVOICE, "1")], "0");
    story(late.iter().cloned().chain([paid]))
        .when(suspend.clone())
        .nothing();
    // What else is open is not due yet.
    let not_yet = owed(OTHER_INVOICE, "1", 90);
    story([opened(PaymentMode::Postpaid), not_yet])
        .when(suspend.clone())
        .nothing();
    let reason = SuspendReason::Overdue;
    story(late)
        .when(suspend)
        .then([Event::Suspended { reason }]);
}

#[test]
fn of_two_who_change_a_profile_at_once_the_second_is_told() {
    let configure = |calling_code: &str, expected| {
        let mut profile = profile(PaymentMode::Postpaid);
        profile.calling_code = calling_code.into();
        Command::Configure {
            name: "acme".into(),
            profile,
            expected,
        }
    };
    let first = story([opened(PaymentMode::Postpaid)]).when(configure("43", Some(1)));
    let events = first.events();
    assert!(matches!(
        events[..],
        [Event::Configured {
            config_version: 2,
            ..
        }]
    ));
    story([opened(PaymentMode::Postpaid)].into_iter().chain(events))
        .when(configure("44", Some(1)))
        .refused(Error::ChangedMeanwhile { revision: 2 });
}

#[test]
fn who_decides_about_money_has_seen_the_ledger() {
    let limit = |ledger| Command::Expecting {
        ledger,
        command: Box::new(Command::SetCreditLimit {
            limit: Some(decimal("5")),
        }),
    };
    // An invoice and its payment were posted; a call is nothing that somebody decides.
    let at_two = [
        opened(PaymentMode::Postpaid),
        owed(INVOICE, "1", 90),
        paid("1", &[(INVOICE, "1")], "0"),
        Event::CreditReserved {
            call: crate::testing::CALL,
            amount: decimal("1"),
            until: None,
        },
    ];
    story(at_two)
        .when(limit(1))
        .refused(Error::LedgerChanged { revision: 2 })
        .when(limit(2))
        .then([Event::CreditLimitSet {
            limit: Some(decimal("5")),
        }])
        .when(limit(2))
        .refused(Error::LedgerChanged { revision: 3 });
}
