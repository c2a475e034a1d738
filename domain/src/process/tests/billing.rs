//! Money: what follows from a call that ends, from a document, from a payment,
//! and from credit that runs out.

use super::*;
use crate::{
    billing::{
        self, Document, DocumentKind, SeriesId, UsageId, UsageType,
        account::{self, PaymentMode},
        invoice, rating, series,
        tariff::Tariff,
        usage::{self, Record},
    },
    call::{self, AnswerMode},
    cause::{By, Disposition, EndCause, EndReason, EndResult},
    id::{AccountId, DEFAULT_TENANT, InvoiceId, LegId, PlanId},
    money::{Currency, Decimal},
    process::{credit::Credit, dunning::Dunning, invoicing::Invoicing, rating::RatingProcess},
    testing::{CALL, QUEUE, VISIT},
};

pub(super) const ACCOUNT: AccountId = AccountId(Uuid::from_u128(1));
const INVOICE: InvoiceId = InvoiceId(Uuid::from_u128(2));

fn fact(event: billing::Event) -> AnyEvent {
    AnyEvent::Billing(event)
}

fn ask(command: billing::Command) -> AnyCommand {
    AnyCommand::Billing(Box::new(command))
}

pub(super) fn opened(payment_mode: PaymentMode) -> AnyEvent {
    let profile = account::Profile {
        currency: Currency::EUR,
        zone: crate::calendar::Zone::UTC,
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode,
        is_auto_pay: false,
        owned: account::Owned::default(),
    };
    let name = "acme".into();
    fact(billing::Event::Account(
        ACCOUNT,
        account::Event::Opened { name, profile },
    ))
}

fn routed() -> AnyEvent {
    AnyEvent::Call(
        CALL,
        call::Event::Routed {
            queue: QUEUE,
            config_version: 1,
        },
    )
}

fn ended() -> AnyEvent {
    AnyEvent::Call(
        CALL,
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

fn bill(cents: i64, revision: u32) -> rating::Bill {
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
        }],
        commits: Some(amount),
    }
}

fn usage_of(period: &str) -> UsageId {
    UsageId {
        account: ACCOUNT,
        period: period.parse().unwrap(),
    }
}

fn record(period: &str, records: Vec<Record>, reversed: Vec<Record>) -> AnyCommand {
    let reason = (!reversed.is_empty()).then(|| "wrong".to_owned());
    let commits = records.first().map(|record| usage::Commits {
        revision: record.revision,
        amount: record.amount,
    });
    ask(billing::Command::Usage(
        usage_of(period),
        usage::Command::Record {
            cdr: CALL,
            records,
            reversed,
            reason,
            commits,
        },
    ))
}

fn commit(cents: i64, revision: u32) -> AnyCommand {
    commit_in("2026-10", cents, revision, false)
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

fn rated(revision: u32, cents: i64, replaces: Option<rating::Bill>) -> AnyEvent {
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
fn what_was_rated_is_recorded_and_counts_against_the_credit() {
    process::<RatingProcess>()
        .hears([rated(1, 5, None)])
        .asks([record("2026-10", bill(5, 1).records, vec![]), commit(5, 1)])
        .hears([rated(2, 6, Some(bill(5, 1)))])
        .asks([
            record("2026-10", bill(6, 2).records, bill(5, 1).records),
            commit(6, 2),
        ]);
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
    let first = record("2026-10", bill(5, 1).records, vec![]);
    let second = record("2026-11", late(5), vec![]);
    process::<RatingProcess>()
        .gets_refused(&first, "usage.period_closed", 9)
        .asks([second.clone(), commit_in("2026-11", 5, 1, false)])
        .gets_refused(&second, "usage.period_closed", 9)
        .asks([
            record("2026-12", late(5), vec![]),
            commit_in("2026-12", 5, 1, false),
        ])
        .gets_refused(&first, "usage.other_currency", 9)
        .asks_nothing();
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

fn slice(seconds: u32) -> rating::Event {
    let amount = Decimal::whole(i64::from(seconds / 60));
    if seconds == 60 {
        rating::Event::Started {
            account: ACCOUNT,
            amount,
            seconds,
        }
    } else {
        rating::Event::Extended {
            account: ACCOUNT,
            amount,
            seconds,
        }
    }
}

fn reserve(seconds: u32, until: Option<Timestamp>) -> AnyCommand {
    ask(billing::Command::Account(
        ACCOUNT,
        account::Command::ReserveCredit {
            call: CALL,
            amount: Decimal::whole(i64::from(seconds / 60)),
            until,
        },
    ))
}

fn reserved(seconds: u32, until: Option<Timestamp>) -> AnyEvent {
    fact(billing::Event::Account(
        ACCOUNT,
        account::Event::CreditReserved {
            call: CALL,
            amount: Decimal::whole(i64::from(seconds / 60)),
            until,
        },
    ))
}

fn end_call() -> AnyCommand {
    end_call_at(None)
}

const fn end_call_at(ended_at: Option<Timestamp>) -> AnyCommand {
    end_call_for(EndReason::NoCredit, ended_at)
}

const fn end_call_for(reason: EndReason, ended_at: Option<Timestamp>) -> AnyCommand {
    AnyCommand::Call(
        CALL,
        call::Command::EndCall {
            reason,
            ended_at,
            visit: None,
        },
    )
}

fn unrated() -> AnyEvent {
    let unrated = rating::Event::Unrated {
        account: Some(ACCOUNT),
        reason: rating::UnratedReason::NoMatch,
    };
    fact(billing::Event::Rating(CALL, unrated))
}

/// A prepaid call that has paid for its first minute; answered at second 10.
fn talking() -> Heard<Credit> {
    process::<Credit>()
        .hears([opened(PaymentMode::Prepaid), routed()])
        .asks([ask(billing::Command::Rating(
            CALL,
            rating::Command::Start { quote: None },
        ))])
        .hears([fact(billing::Event::Rating(CALL, slice(60)))])
        .asks([reserve(60, None)])
        .hears([reserved(60, None)])
        .sleeps_until(None)
        .hears_at(second(10), AnyEvent::Call(CALL, call::Event::Answered {}))
        .sleeps_until(Some(second(65)))
}

fn extend() -> AnyCommand {
    let extend = rating::Command::Extend { quote: None };
    ask(billing::Command::Rating(CALL, extend))
}

#[test]
fn credit_is_reserved_slice_by_slice_before_the_last_is_used_up() {
    talking()
        .wakes(second(65))
        .asks([extend()])
        .hears([fact(billing::Event::Rating(CALL, slice(120)))])
        .asks([reserve(120, Some(second(130)))])
        .hears([reserved(120, Some(second(130)))])
        .sleeps_until(Some(second(125)));
}

#[test]
fn each_answer_is_for_the_credit_that_was_asked_for_with_it() {
    let two = reserve(120, Some(second(130)));
    let three = reserve(180, Some(second(190)));
    talking()
        .wakes(second(65))
        .asks([extend()])
        .hears([fact(billing::Event::Rating(CALL, slice(120)))])
        .asks([two])
        // Another one is asked for before that one is answered, and there is not
        // so much.
        .hears([fact(billing::Event::Rating(CALL, slice(180)))])
        .asks([three.clone()])
        .hears([reserved(120, Some(second(130)))])
        .sleeps_until(Some(second(125)))
        .gets_refused(&three, "account.credit_exhausted", 9)
        .asks_nothing()
        .sleeps_until(Some(second(127)));
}

#[test]
fn a_call_without_credit_for_another_slice_ends_with_the_one_that_it_paid() {
    talking()
        .wakes(second(65))
        .asks([extend()])
        .hears([fact(billing::Event::Rating(CALL, slice(120)))])
        .gets_refused(
            &reserve(120, Some(second(130))),
            "account.credit_exhausted",
            9,
        )
        .asks_nothing()
        .sleeps_until(Some(second(67)))
        .wakes(second(67))
        .asks([exhaust(second(70))])
        .sleeps_until(Some(second(70)))
        // Late, and yet nobody pays for more.
        .wakes(second(72))
        .asks([end_call_at(Some(second(70)))]);
}

fn exhaust(until: Timestamp) -> AnyCommand {
    let exhaust = rating::Command::Exhaust { until };
    ask(billing::Command::Rating(CALL, exhaust))
}

fn dialled() -> AnyEvent {
    let dialled = call::Event::LegDialled {
        leg: LegId(Uuid::from_u128(7)),
        target: call::Target::Number("+491701234567".into()),
        until: second(90),
    };
    AnyEvent::Call(CALL, dialled)
}

#[test]
fn a_leg_that_goes_out_is_paid_before_it_goes_on() {
    let start = rating::Command::Start { quote: None };
    process::<Credit>()
        .hears([opened(PaymentMode::Prepaid), dialled()])
        .asks([ask(billing::Command::Rating(CALL, start))]);
    talking()
        .hears([dialled()])
        .asks([extend()])
        .hears([fact(billing::Event::Rating(CALL, slice(120)))])
        .asks([reserve(120, Some(second(130)))])
        .gets_refused(
            &reserve(120, Some(second(130))),
            "account.credit_exhausted",
            9,
        )
        .asks([end_call()]);
}

#[test]
fn a_call_that_leads_where_nothing_has_a_price_ends_at_once() {
    let release = account::Command::ReleaseCredit { call: CALL };
    talking()
        .hears([dialled()])
        .hears([unrated()])
        .asks([
            end_call_for(EndReason::NoPrice, None),
            ask(billing::Command::Account(ACCOUNT, release)),
        ])
        .hears([ended(), unrated()])
        .asks_nothing();
}

#[test]
fn a_call_without_any_credit_ends_at_once() {
    process::<Credit>()
        .hears([opened(PaymentMode::Prepaid), routed()])
        .hears([fact(billing::Event::Rating(CALL, slice(60)))])
        .gets_refused(&reserve(60, None), "account.credit_exhausted", 9)
        .asks([end_call()]);
}

#[test]
fn what_was_reserved_is_given_back_when_the_call_is_rated() {
    let release = account::Command::ReleaseCredit { call: CALL };
    talking()
        .hears([ended()])
        .sleeps_until(None)
        .hears([rated(1, 5, None)])
        .asks([ask(billing::Command::Account(ACCOUNT, release))]);
}

#[test]
fn nobody_is_watched_where_everybody_pays_later() {
    let enqueued = call::Event::Enqueued {
        visit: VISIT,
        queue: QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::Immediate,
        exit_keys: vec![],
    };
    process::<Credit>()
        .hears([
            opened(PaymentMode::Postpaid),
            routed(),
            AnyEvent::Call(CALL, enqueued),
        ])
        .asks_nothing();
}
