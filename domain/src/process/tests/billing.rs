//! Money: what follows from a call that ends, from a document and from a payment.

use super::*;
use crate::{
    billing::{
        self, Document, DocumentKind, SeriesId, UsageId, UsageType,
        account::{self, PaymentMode},
        invoice, rating, series,
        tariff::Tariff,
        usage::{self, Record},
    },
    call,
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    decider::Decider as _,
    id::{AccountId, CallId, DEFAULT_TENANT, InvoiceId, LegId, PlanId},
    money::{Currency, Decimal},
    process::{dunning::Dunning, invoicing::Invoicing, rating::RatingProcess},
    testing::{CALL, QUEUE, VISIT, month_of},
};
use std::collections::BTreeMap;

pub(super) const ACCOUNT: AccountId = AccountId(Uuid::from_u128(1));
const INVOICE: InvoiceId = InvoiceId(Uuid::from_u128(2));

pub(super) fn fact(event: billing::Event) -> AnyEvent {
    AnyEvent::Billing(event)
}

pub(super) fn ask(command: billing::Command) -> AnyCommand {
    AnyCommand::Billing(Box::new(command))
}

pub(super) fn opened(payment_mode: PaymentMode) -> AnyEvent {
    opened_with(payment_mode, account::Owned::default())
}

pub(super) fn opened_with(payment_mode: PaymentMode, owned: account::Owned) -> AnyEvent {
    let profile = account::Profile {
        currency: Currency::EUR,
        zone: crate::calendar::Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode,
        is_auto_pay: false,
        owned,
    };
    let name = "acme".into();
    fact(billing::Event::Account(
        ACCOUNT,
        account::Event::Opened { name, profile },
    ))
}

pub(super) fn routed() -> AnyEvent {
    routed_of(CALL)
}

pub(super) fn routed_of(call: CallId) -> AnyEvent {
    AnyEvent::Call(
        call,
        call::Event::Routed {
            queue: QUEUE,
            config_version: 1,
        },
    )
}

pub(super) fn ended() -> AnyEvent {
    ended_of(CALL)
}

pub(super) fn ended_of(call: CallId) -> AnyEvent {
    AnyEvent::Call(
        call,
        call::Event::Ended {
            cause: EndCause {
                result: EndResult::Success,
                reason: EndReason::Hangup,
                by: By::Caller,
                sip_status: None,
                q850: None,
                reason_header: None,
            },
            disposition: Disposition::Answered,
            ended_at: second(9),
            incomplete: false,
            session: None,
            offer: None,
            visit: Some(VISIT),
            queue: Some(QUEUE),
        },
    )
}

pub(super) fn bill(cents: i64, revision: u32) -> rating::Bill {
    let amount = Decimal::of_units(cents, 2);
    rating::Bill {
        account: ACCOUNT,
        period: "2026-10".parse().unwrap(),
        records: vec![Record {
            cdr: CALL,
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
        }],
        commits: Some(amount),
        own: None,
    }
}

fn usage_of(period: &str) -> UsageId {
    UsageId {
        account: ACCOUNT,
        period: period.parse().unwrap(),
    }
}

/// As much counts as is recorded; before it, so much did.
fn record(period: &str, records: Vec<Record>, reversed: Vec<Record>, replaced: i64) -> AnyCommand {
    let reason = (!reversed.is_empty()).then(|| "wrong".to_owned());
    let commits = usage::Commits {
        revision: if replaced == 0 { 1 } else { 2 },
        amount: records.iter().map(|record| record.amount).sum(),
        replaced: Decimal::of_units(replaced, 2),
        own: None,
    };
    let record = usage::Command::Record {
        cdr: CALL,
        records,
        reversed,
        reason,
        commits: Some(commits),
    };
    ask(billing::Command::Usage(usage_of(period), record))
}

fn commit_in(period: &str, cents: i64, revision: u32, is_use: bool) -> AnyCommand {
    ask(billing::Command::Account(
        ACCOUNT,
        account::Command::CommitUsage {
            call: CALL,
            revision,
            period: period.parse().unwrap(),
            amount: Decimal::of_units(cents, 2),
            is_use,
        },
    ))
}

pub(super) fn rated(revision: u32, cents: i64, replaces: Option<rating::Bill>) -> AnyEvent {
    fact(billing::Event::Rating(
        CALL,
        rating::Event::Rated {
            revision,
            bill: Box::new(bill(cents, revision)),
            reason: replaces.is_some().then(|| "wrong".into()),
            replaces: replaces.map(Box::new),
        },
    ))
}

#[test]
fn a_call_is_rated_when_it_is_over_and_somebody_is_to_pay() {
    let rate = rating::Command::Rate { outcome: None };
    process::<RatingProcess>()
        .hears([ended()])
        .asks_nothing()
        .hears([opened(PaymentMode::Postpaid), ended()])
        .asks([ask(billing::Command::Rating(CALL, rate))]);
}

#[test]
fn what_was_rated_is_recorded_in_place_of_what_was() {
    process::<RatingProcess>()
        .hears([rated(1, 5, None)])
        .asks([record("2026-10", bill(5, 1).records, vec![], 0)])
        .hears([rated(2, 6, Some(bill(5, 1)))])
        .asks([record("2026-10", bill(6, 2).records, bill(5, 1).records, 5)]);
}

#[test]
fn what_another_account_paid_counts_there_no_more() {
    let mut other = bill(5, 1);
    other.account = AccountId(Uuid::from_u128(3));
    let there = UsageId {
        account: other.account,
        ..usage_of("2026-10")
    };
    let taken_back = usage::Command::Record {
        cdr: CALL,
        records: vec![],
        reversed: other.records.clone(),
        reason: Some("wrong".into()),
        commits: Some(usage::Commits {
            revision: 2,
            amount: Decimal::ZERO,
            replaced: Decimal::of_units(5, 2),
            own: None,
        }),
    };
    let paid_here = usage::Command::Record {
        cdr: CALL,
        records: bill(6, 2).records,
        reversed: vec![],
        reason: Some("wrong".into()),
        commits: Some(usage::Commits {
            revision: 2,
            amount: Decimal::of_units(6, 2),
            replaced: Decimal::ZERO,
            own: None,
        }),
    };
    process::<RatingProcess>()
        .hears([rated(2, 6, Some(other))])
        .asks([
            ask(billing::Command::Usage(there, taken_back)),
            ask(billing::Command::Usage(usage_of("2026-10"), paid_here)),
        ]);
}

#[test]
fn what_a_month_has_of_a_call_counts_against_the_credit_there() {
    let valued = usage::Event::Valued {
        cdr: CALL,
        revision: 2,
        amount: Decimal::of_units(-1, 2),
        sums: None,
    };
    process::<RatingProcess>()
        .hears([fact(billing::Event::Usage(usage_of("2026-11"), valued))])
        .asks([commit_in("2026-11", -1, 2, false)]);
}

/// A use that is no call, of October.
fn use_of(commits: Option<i64>) -> Record {
    let mut record = bill(5, 1).records.remove(0);
    record.counted = Some(usage::Counted {
        key: "a".into(),
        description: String::new(),
        commits: commits.map(|cents| Decimal::of_units(cents, 2)),
        quantity: Some(60),
    });
    record
}

#[test]
fn what_was_counted_elsewhere_counts_against_the_credit_in_the_month_that_has_it() {
    let told = |commits| {
        let record = use_of(commits);
        let recorded = usage::Event::Recorded { record };
        fact(billing::Event::Usage(usage_of("2026-11"), recorded))
    };
    process::<RatingProcess>()
        .hears([told(None)])
        .asks_nothing()
        .hears([told(Some(5))])
        .asks([commit_in("2026-11", 5, 1, true)]);
}

#[test]
fn what_was_charged_is_counted_or_given_back() {
    let charged = account::Event::UsageCommitted {
        call: CALL,
        revision: 1,
        period: "2026-10".parse().unwrap(),
        amount: Decimal::of_units(5, 2),
        is_use: true,
        is_in_period: false,
        record: Some(Box::new(use_of(Some(5)))),
    };
    let count = |period: &str, record| {
        let record = Box::new(record);
        let count = usage::Command::Count {
            record,
            is_charged: true,
        };
        ask(billing::Command::Usage(usage_of(period), count))
    };
    let first = count("2026-10", use_of(Some(5)));
    let late = use_of(Some(5)).late("2026-10".parse().unwrap());
    let second = count("2026-11", late);
    let withdraw = account::Command::WithdrawUsage { call: CALL };
    process::<RatingProcess>()
        .hears([fact(billing::Event::Account(ACCOUNT, charged))])
        .asks([first.clone()])
        .gets_refused(&first, "usage.period_closed", 9)
        .asks([second.clone()])
        .gets_refused(&second, "usage.other_use", 9)
        .asks([ask(billing::Command::Account(ACCOUNT, withdraw))]);
}

#[test]
fn what_comes_after_the_month_was_closed_is_recorded_in_the_next() {
    let late = |cents| {
        let mut record = bill(cents, 1).records.remove(0);
        record.of_period = Some("2026-10".parse().unwrap());
        vec![record]
    };
    let first = record("2026-10", bill(5, 1).records, vec![], 0);
    let second = record("2026-11", late(5), vec![], 0);
    let release = account::Command::ReleaseCredit { call: CALL };
    process::<RatingProcess>()
        .gets_refused(&first, "usage.period_closed", 9)
        .asks([second.clone()])
        .gets_refused(&second, "usage.period_closed", 9)
        .asks([record("2026-12", late(5), vec![], 0)])
        .gets_refused(&first, "usage.other_currency", 9)
        .asks([ask(billing::Command::Account(ACCOUNT, release))]);
}

#[test]
fn a_price_stays_whose_month_was_closed_before_it_was_taken_back() {
    let replaced = record("2026-10", bill(6, 2).records, bill(5, 1).records, 5);
    let restore = rating::Command::Restore { revision: 1 };
    process::<RatingProcess>()
        .hears([rated(2, 6, Some(bill(5, 1)))])
        .asks([replaced.clone()])
        .gets_refused(&replaced, "usage.settled", 9)
        .asks([ask(billing::Command::Rating(CALL, restore))])
        .hears([restored(bill(5, 1), bill(6, 2), None)])
        .asks_nothing();
}

#[test]
fn whoever_was_to_pay_in_place_of_a_settled_month_pays_nothing() {
    let mut other = bill(5, 1);
    other.account = AccountId(Uuid::from_u128(3));
    let taken_back = usage::Command::Record {
        cdr: CALL,
        records: vec![],
        reversed: bill(6, 2).records,
        reason: None,
        commits: Some(usage::Commits {
            revision: 3,
            amount: Decimal::ZERO,
            replaced: Decimal::of_units(6, 2),
            own: None,
        }),
    };
    let there = usage_of("2026-10");
    process::<RatingProcess>()
        .hears([restored(other, bill(6, 2), None)])
        .asks([ask(billing::Command::Usage(there, taken_back))]);
}

/// Of a call that was rated again twice before its month was closed the next month took back
/// a price that no month had, and recorded the last one: the call was paid twice.
#[test]
fn what_replaced_a_price_that_stays_comes_to_nothing_in_the_next_month() {
    let undo = usage::Command::Record {
        cdr: CALL,
        records: bill(6, 2).records,
        reversed: bill(7, 3).records,
        reason: None,
        commits: Some(usage::Commits {
            revision: 3,
            amount: Decimal::of_units(6, 2),
            replaced: Decimal::of_units(7, 2),
            own: None,
        }),
    };
    let undo = ask(billing::Command::Usage(usage_of("2026-10"), undo));
    process::<RatingProcess>()
        .hears([restored(bill(5, 1), bill(7, 3), Some(bill(6, 2)))])
        .asks([undo.clone()]);
    let third = record("2026-10", bill(7, 3).records, bill(6, 2).records, 6);
    let (again, undo) = (of_usage(third), of_usage(undo));
    for commands in [[&again, &undo], [&undo, &again]] {
        let mut next = usage::Usage::default();
        for command in commands {
            let events = usage::Usage::decide(&next, second(1), command.clone()).unwrap();
            for event in &events {
                next = usage::Usage::evolve(next, second(1), event);
            }
        }
        assert_eq!(next.valued[&CALL].sums.own, Decimal::ZERO, "{next:?}");
        let rules = month_of(PlanId(Uuid::nil()), "2026-11", BTreeMap::new());
        let close = usage::Command::Close { rules };
        let closed = usage::Usage::decide(&next, second(1), close).unwrap();
        let [usage::Event::PeriodClosed { totals, .. }] = &closed[..] else {
            unreachable!("{closed:?}")
        };
        assert_eq!(totals[..], []);
    }
}

fn of_usage(command: AnyCommand) -> usage::Command {
    let AnyCommand::Billing(command) = command else {
        unreachable!("{command:?}")
    };
    let billing::Command::Usage(_, command) = *command else {
        unreachable!("{command:?}")
    };
    command
}

fn restored(
    bill: rating::Bill,
    withdrawn: rating::Bill,
    between: Option<rating::Bill>,
) -> AnyEvent {
    let restored = rating::Event::Restored {
        revision: 3,
        bill: Box::new(bill),
        withdrawn: Box::new(withdrawn),
        between: between.map(Box::new),
    };
    fact(billing::Event::Rating(CALL, restored))
}

fn issued(total: i64) -> AnyEvent {
    fact(billing::Event::Invoice(
        INVOICE,
        invoice::Event::Issued {
            number: "INV-00000001".into(),
            account: ACCOUNT,
            period: "2026-10".parse().unwrap(),
            issued_on: "2026-11-01".parse().unwrap(),
            due_on: "2026-11-15".parse().unwrap(),
            due_at: second(100),
            total: Decimal::whole(total),
            currency: Currency::EUR,
            fees: vec![],
            shows_account: true,
        },
    ))
}

#[test]
fn a_number_is_asked_for_given_and_owed() {
    let series = SeriesId {
        tenant: DEFAULT_TENANT,
        document: DocumentKind::Invoice,
        year: 0,
    };
    let document = Document::Invoice(INVOICE);
    process::<Invoicing>()
        .hears([fact(billing::Event::Invoice(
            INVOICE,
            invoice::Event::Approved {
                series,
                number_prefix: "INV-".into(),
            },
        ))])
        .asks([ask(billing::Command::Series(
            series,
            series::Command::Issue {
                document,
                prefix: "INV-".into(),
            },
        ))])
        .hears([fact(billing::Event::Series(
            series,
            series::Event::NumberIssued {
                document,
                number: 1,
                text: "INV-00000001".into(),
            },
        ))])
        .asks([ask(billing::Command::Invoice(
            INVOICE,
            invoice::Command::Issue {
                number: "INV-00000001".into(),
            },
        ))])
        .hears([issued(10)])
        .asks([ask(billing::Command::Account(
            ACCOUNT,
            account::Command::PostInvoice {
                invoice: INVOICE,
                number: "INV-00000001".into(),
                period: "2026-10".parse().unwrap(),
                amount: Decimal::whole(10),
                due_at: second(100),
                fees: vec![],
            },
        ))]);
}

fn mark(level: u32) -> AnyCommand {
    let mark = invoice::Command::MarkOverdue { level };
    ask(billing::Command::Invoice(INVOICE, mark))
}

fn overdue(level: u32, next_at: Option<Timestamp>, suspends: bool) -> AnyEvent {
    fact(billing::Event::Invoice(
        INVOICE,
        invoice::Event::Overdue {
            account: ACCOUNT,
            level,
            next_at,
            suspends,
        },
    ))
}

#[test]
fn each_step_of_dunning_is_due_at_an_instant_of_an_event() {
    let suspend = account::Command::Suspend {
        reason: account::SuspendReason::Overdue,
    };
    process::<Dunning>()
        .hears([issued(10)])
        .sleeps_until(Some(second(100)))
        .wakes(second(100))
        .asks([mark(1)])
        .sleeps_until(None)
        .hears([overdue(1, Some(second(200)), false)])
        .sleeps_until(Some(second(200)))
        .wakes(second(201))
        .asks([mark(2)])
        .hears([overdue(2, None, true)])
        .asks([ask(billing::Command::Account(ACCOUNT, suspend))])
        .sleeps_until(None);
}

#[test]
fn nothing_is_due_of_what_is_paid_or_costs_nothing() {
    let paid = fact(billing::Event::Invoice(INVOICE, invoice::Event::Paid {}));
    process::<Dunning>()
        .hears([issued(10), paid])
        .sleeps_until(None)
        .hears([issued(0)])
        .sleeps_until(None);
}
