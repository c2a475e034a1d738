//! Uses that are no calls: charged with what is to be counted, in one event, and
//! on the account until the invoice that has them is owed.

use super::*;
use crate::{
    billing::{
        UsageId, UsageType,
        tariff::Tariff,
        usage::{Counted, Record},
    },
    id::{AccountId, LegId},
};

/// A use of October under that key, which costs so much.
fn used(key: &str, amount: &str) -> Record {
    let usage = UsageId {
        account: AccountId(Uuid::from_u128(8)),
        period: october(),
    };
    Record {
        cdr: usage.counted(key),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        answered_at: second(1),
        ended_at: second(1),
        quantity: 1,
        tariff: Tariff::flat(decimal(amount)),
        amount: decimal(amount),
        currency: Currency::EUR,
        plan: PLAN,
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: Some(Counted {
            key: key.into(),
            description: String::new(),
            commits: Some(decimal(amount)),
            quantity: Some(1),
        }),
        rounding: None,
    }
}

fn charge(record: &Record) -> Command {
    Command::ChargeUsage {
        period: october(),
        record: Box::new(record.clone()),
    }
}

fn charged(record: &Record, period: Period) -> Event {
    Event::UsageCommitted {
        call: record.cdr,
        revision: 1,
        period,
        amount: record.amount,
        is_use: true,
        is_in_period: false,
        record: Some(Box::new(record.clone())),
    }
}

fn count(record: &Record, period: Period) -> Command {
    Command::CommitUsage {
        call: record.cdr,
        revision: 1,
        period,
        amount: record.amount,
        is_use: true,
    }
}

fn counted(record: &Record, period: Period, amount: &str) -> Event {
    Event::UsageCommitted {
        call: record.cdr,
        revision: 1,
        period,
        amount: decimal(amount),
        is_use: true,
        is_in_period: false,
        record: None,
    }
}

fn prepaid() -> Given<Account> {
    story([opened(PaymentMode::Prepaid), paid("1", &[], "1")])
}

#[track_caller]
fn has(account: &Given<Account>, available: &str) {
    assert_eq!(account.state().available(), Some(decimal(available)));
    assert!(account.state().uncounted.is_empty());
}

#[test]
fn a_use_is_paid_once_however_often_it_is_sent_and_whatever_it_costs_then() {
    let (one, other) = (used("a", "0.6"), used("b", "0.5"));
    let account = prepaid()
        .when(charge(&one))
        .then([charged(&one, october())])
        .when(charge(&one))
        .nothing()
        .when(charge(&used("a", "0.7")))
        .nothing()
        .when(charge(&other))
        .refused(Error::CreditExhausted)
        .when(count(&one, october()))
        .then([counted(&one, october(), "0.6")])
        .when(count(&one, october()))
        .nothing()
        .when(charge(&one))
        .nothing();
    has(&account, "0.4");
}

#[test]
fn what_is_charged_and_not_counted_outlives_the_invoice_of_its_month() {
    let (one, november) = (used("a", "0.6"), october().next());
    let posted = || {
        prepaid()
            .when(charge(&one))
            .then([charged(&one, october())])
            .when(post(INVOICE, "0", 90))
            .then([owed(INVOICE, "0", 90)])
    };
    assert_eq!(posted().state().available(), Some(decimal("0.4")));
    // The month was closed before it: it is in the next one.
    let late = posted()
        .when(count(&one, november))
        .then([counted(&one, november, "0.6")]);
    has(&late, "0.4");
    // It was in that month: its invoice has it.
    let in_time = posted()
        .when(count(&one, october()))
        .then([counted(&one, october(), "0.6")])
        .when(count(&one, october()))
        .nothing();
    has(&in_time, "1");
}

#[test]
fn what_comes_for_an_invoiced_month_says_of_which_it_is() {
    let one = used("a", "0.6");
    let late = one.clone().late(october());
    prepaid()
        .when(post(INVOICE, "0", 90))
        .then([owed(INVOICE, "0", 90)])
        .when(charge(&one))
        .then([charged(&late, october().next())]);
}

#[test]
fn what_is_not_counted_is_given_back_once() {
    let one = used("a", "0.6");
    let withdraw = || Command::WithdrawUsage { call: one.cdr };
    let account = prepaid()
        .when(charge(&one))
        .then([charged(&one, october())])
        .when(withdraw())
        .then([counted(&one, october(), "0")])
        .when(withdraw())
        .nothing();
    has(&account, "1");
    // What was counted in its place is charged, whichever comes first.
    let counted_first = prepaid()
        .when(charge(&one))
        .then([charged(&one, october())])
        .when(count(&used("a", "0.5"), october()))
        .then([counted(&one, october(), "0.5")])
        .when(withdraw())
        .nothing();
    has(&counted_first, "0.5");
    let counted_last = account
        .when(count(&used("a", "0.5"), october()))
        .then([counted(&one, october(), "0.5")]);
    has(&counted_last, "0.5");
}
