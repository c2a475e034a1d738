//! Credit is shared by reservation: what is kept for one call is not there for
//! another.

use super::*;
use proptest::prelude::*;

fn reserve(call: CallId, amount: &str) -> Command {
    Command::ReserveCredit {
        call,
        amount: decimal(amount),
        until: None,
    }
}

fn reserved(call: CallId, amount: &str) -> Event {
    Event::CreditReserved {
        call,
        amount: decimal(amount),
        until: None,
    }
}

fn prepaid() -> Given<Account> {
    story([opened(PaymentMode::Prepaid), paid("1", &[], "1")])
}

#[test]
fn two_calls_share_the_credit_by_reservation() {
    prepaid()
        .when(reserve(CALL, "0.6"))
        .then([reserved(CALL, "0.6")])
        .when(reserve(OTHER_CALL, "0.5"))
        .refused(Error::CreditExhausted)
        .when(reserve(OTHER_CALL, "0.4"))
        .then([reserved(OTHER_CALL, "0.4")])
        .when(reserve(CALL, "0.7"))
        .refused(Error::CreditExhausted);
}

#[test]
fn a_slice_adds_to_what_is_reserved_and_the_price_replaces_it() {
    let account = prepaid()
        .when(reserve(CALL, "0.3"))
        .then([reserved(CALL, "0.3")])
        .when(reserve(CALL, "0.9"))
        .then([reserved(CALL, "0.9")])
        .when(commit(CALL, 1, "0.75"))
        .then([committed(CALL, 1, "0.75")]);
    assert_eq!(account.state().available(), Some(decimal("0.25")));
    assert!(account.state().reserved.is_empty());
}

#[test]
fn a_call_that_cost_nothing_gives_its_reservation_back() {
    let account = prepaid()
        .when(reserve(CALL, "0.3"))
        .then([reserved(CALL, "0.3")])
        .when(Command::ReleaseCredit { call: CALL })
        .then([Event::CreditReleased { call: CALL }])
        .when(Command::ReleaseCredit { call: CALL })
        .nothing();
    assert_eq!(account.state().available(), Some(decimal("1")));
}

#[test]
fn a_call_counts_once_and_its_last_price_counts() {
    let account = prepaid()
        .when(commit(CALL, 1, "0.5"))
        .then([committed(CALL, 1, "0.5")])
        .when(commit(CALL, 1, "0.5"))
        .nothing()
        .when(commit(CALL, 2, "0.2"))
        .then([committed(CALL, 2, "0.2")])
        .when(commit(CALL, 1, "0.5"))
        .nothing();
    assert_eq!(account.state().balance(), decimal("0.8"));
}

fn in_month(period: Period, revision: u32, amount: &str) -> Command {
    Command::CommitUsage {
        call: CALL,
        revision,
        period,
        amount: decimal(amount),
        is_use: false,
    }
}

fn there(period: Period, revision: u32, amount: &str) -> Event {
    Event::UsageCommitted {
        call: CALL,
        revision,
        period,
        amount: decimal(amount),
        is_use: false,
        is_in_period: true,
        record: None,
    }
}

#[test]
fn of_a_price_that_is_invoiced_only_the_difference_counts() {
    let november = october().next();
    // The invoice of October has 0.60, and November takes it back for 0.75: whether
    // October is owed before or after that.
    let before = prepaid()
        .when(commit(CALL, 1, "0.6"))
        .then([committed(CALL, 1, "0.6")])
        .when(in_month(november, 2, "0.15"))
        .then([there(november, 2, "0.15")])
        .when(commit(CALL, 1, "0.6"))
        .nothing();
    assert_eq!(before.state().available(), Some(decimal("0.25")));
    let before = before.when(post(INVOICE, "0.6", 90)).then([
        owed(INVOICE, "0.6", 90),
        Event::CreditApplied {
            allocation: Allocation {
                invoice: INVOICE,
                amount: decimal("0.6"),
            },
        },
    ]);
    let after = story([
        opened(PaymentMode::Prepaid),
        paid("1", &[], "1"),
        committed(CALL, 1, "0.6"),
        owed(INVOICE, "0.6", 90),
    ])
    .when(commit(CALL, 1, "0.6"))
    .nothing()
    .when(in_month(november, 2, "0.15"))
    .then([there(november, 2, "0.15")]);
    for account in [before, after] {
        assert_eq!(account.state().available(), Some(decimal("0.25")));
    }
}

#[test]
fn what_was_reserved_for_a_call_that_is_invoiced_already_is_given_back() {
    prepaid()
        .when(post(INVOICE, "0", 90))
        .then([owed(INVOICE, "0", 90)])
        .when(reserve(CALL, "0.6"))
        .then([reserved(CALL, "0.6")])
        .when(commit(CALL, 1, "0.6"))
        .then([Event::CreditReleased { call: CALL }])
        .when(commit(CALL, 1, "0.6"))
        .nothing();
}

/// As the record of before months were told apart has it.
#[test]
fn an_old_word_of_a_call_moves_it_to_its_month() {
    let old = |period, amount| Event::UsageCommitted {
        call: CALL,
        revision: 1,
        period,
        amount: decimal(amount),
        is_use: false,
        is_in_period: false,
        record: None,
    };
    let account = story([
        opened(PaymentMode::Prepaid),
        paid("1", &[], "1"),
        old(october(), "0.6"),
        old(october().next(), "0.6"),
    ])
    .when(in_month(october().next(), 1, "0.6"))
    .nothing();
    assert_eq!(account.state().available(), Some(decimal("0.4")));
}

#[test]
fn who_owes_more_than_the_limit_is_suspended_and_comes_back_by_paying() {
    let limit = Some(decimal("1"));
    story([
        opened(PaymentMode::Postpaid),
        Event::CreditLimitSet { limit },
    ])
    .when(commit(CALL, 1, "1"))
    .then([committed(CALL, 1, "1")])
    .when(commit(OTHER_CALL, 1, "0.000001"))
    .then([
        committed(OTHER_CALL, 1, "0.000001"),
        Event::Suspended {
            reason: SuspendReason::OverLimit,
        },
    ])
    .when(reserve(CALL, "0"))
    .refused(Error::Suspended {
        reason: SuspendReason::OverLimit,
    })
    .when(pay("0.01", None))
    .then([paid("0.01", &[], "0.01"), Event::Reactivated {}]);
}

#[test]
fn what_is_invoiced_does_not_count_twice() {
    let limit = Some(decimal("10"));
    let account = story([
        opened(PaymentMode::Postpaid),
        Event::CreditLimitSet { limit },
        committed(CALL, 1, "1.19"),
        owed(INVOICE, "1.19", 90),
    ]);
    assert_eq!(account.state().balance(), decimal("-1.19"));
    assert_eq!(account.state().available(), Some(decimal("8.81")));
}

proptest! {
    /// Whatever is asked in whatever order, what is reserved and spent is never
    /// more than what was paid.
    #[test]
    fn prepaid_credit_is_never_overdrawn_by_reservation(
        asked in prop::collection::vec((0_u128..6, 1_i64..60, any::<bool>()), 1..60),
    ) {
        let mut account = prepaid().state().clone();
        for (number, cents, ends) in asked {
            let call = CallId(Uuid::from_u128(100 + number));
            let command = if ends {
                // A call never costs more than was reserved for it.
                let Some(amount) = account.reserved.get(&call).copied() else { continue };
                Command::CommitUsage { call, revision: u32::try_from(cents).unwrap(), period: october(), amount, is_use: false }
            } else {
                Command::ReserveCredit { call, amount: Decimal::of_units(cents, 2), until: None }
            };
            let before = account.clone();
            for event in Account::decide(&before, second(1), command).unwrap_or_default() {
                account = Account::evolve(account, second(1), &event);
            }
            prop_assert!(account.available().unwrap() >= Decimal::ZERO);
        }
    }
}
