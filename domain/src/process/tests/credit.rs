//! Credit that is reserved while a call goes on, and runs out.

use super::billing::{ACCOUNT, ask, bill, ended, fact, opened, opened_with, rated, routed};
use super::*;
use crate::{
    billing::{
        self,
        account::{self, PaymentMode},
        rating,
    },
    call::{self, AnswerMode},
    cause::EndReason,
    id::LegId,
    money::Decimal,
    process::credit::Credit,
    testing::{AGENT_LEG, CALL, OFFER, QUEUE, SESSION, VISIT},
};

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

/// There is credit for less time than was paid before the leg went out.
#[test]
fn a_leg_that_costs_more_leaves_less_time() {
    let amount = Decimal::whole(5);
    let extended = rating::Event::Extended {
        account: ACCOUNT,
        amount,
        seconds: 40,
    };
    let until = Some(second(50));
    let (call, account) = (CALL, ACCOUNT);
    let reserve = account::Command::ReserveCredit {
        call,
        amount,
        until,
    };
    let reserved = account::Event::CreditReserved {
        call,
        amount,
        until,
    };
    talking()
        .hears([dialled()])
        .asks([extend()])
        .hears([fact(billing::Event::Rating(CALL, extended))])
        .asks([ask(billing::Command::Account(account, reserve))])
        .hears([fact(billing::Event::Account(account, reserved))])
        .asks_nothing()
        .sleeps_until(Some(second(45)));
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
fn what_was_reserved_is_kept_until_the_price_counts_in_its_place() {
    let release = account::Command::ReleaseCredit { call: CALL };
    let release = || [ask(billing::Command::Account(ACCOUNT, release.clone()))];
    let counts = account::Event::UsageCommitted {
        call: CALL,
        revision: 1,
        period: "2026-10".parse().unwrap(),
        amount: Decimal::of_units(5, 2),
        is_use: false,
        is_in_period: true,
        record: None,
    };
    let counts = || fact(billing::Event::Account(ACCOUNT, counts.clone()));
    talking()
        .hears([ended()])
        .sleeps_until(None)
        .hears([rated(1, 5, None)])
        .asks_nothing()
        .hears([counts()])
        .asks_nothing();
    // Credit that was asked for at the end may be reserved after that.
    talking()
        .wakes(second(65))
        .hears([fact(billing::Event::Rating(CALL, slice(120)))])
        .hears([ended(), rated(1, 5, None), counts()])
        .asks(release());
    let mut free = bill(0, 1);
    free.records.clear();
    let costs_nothing = rating::Event::Rated {
        revision: 1,
        bill: Box::new(free),
        reason: None,
        replaces: None,
    };
    talking()
        .hears([ended()])
        .hears([fact(billing::Event::Rating(CALL, costs_nothing))])
        .asks(release());
}

#[test]
fn nobody_is_watched_where_everybody_pays_later() {
    let enqueued = call::Event::Enqueued {
        visit: VISIT,
        queue: QUEUE,
        config_version: 1,
        answer_mode: AnswerMode::Immediate,
        exit_keys: vec![],
        music: None,
    };
    process::<Credit>()
        .hears([
            opened(PaymentMode::Postpaid),
            routed(),
            AnyEvent::Call(CALL, enqueued),
        ])
        .asks_nothing();
}

/// The account owns an agent: nobody pays while the caller waits, and who pays is asked
/// once the agent is known. Whose credit is reserved already pays to the end.
#[test]
fn who_pays_before_may_be_known_only_with_the_agent() {
    let connected = || {
        let connected = call::Event::AgentConnected {
            codec: None,
            device: None,
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: AGENT_LEG,
        };
        AnyEvent::Call(CALL, connected)
    };
    let start = || {
        let start = rating::Command::Start { quote: None };
        [ask(billing::Command::Rating(CALL, start))]
    };
    let owned = account::Owned {
        agents: vec![SESSION.agent],
        ..account::Owned::default()
    };
    let waiting = || {
        process::<Credit>()
            .hears([opened_with(PaymentMode::Prepaid, owned.clone()), routed()])
            .asks(start())
            .hears_at(second(10), AnyEvent::Call(CALL, call::Event::Answered {}))
    };
    waiting()
        .hears_at(second(30), connected())
        .asks(start())
        .hears([fact(billing::Event::Rating(CALL, slice(60)))])
        .asks([reserve(60, Some(second(70)))])
        .hears([reserved(60, Some(second(70)))])
        .sleeps_until(Some(second(65)))
        .hears([connected()])
        .asks_nothing();
    waiting()
        .hears([fact(billing::Event::Rating(CALL, slice(60)))])
        .hears_at(second(30), connected())
        .asks_nothing();
    // Nobody owns an agent: nobody is asked again.
    process::<Credit>()
        .hears([opened(PaymentMode::Prepaid), routed()])
        .hears([connected()])
        .asks_nothing();
}
