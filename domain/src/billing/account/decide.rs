//! The rules of an account.

use super::{
    command::Command,
    error::{Error, check},
    event::{Event, Profile, SuspendReason},
    ledger,
    state::{Account, Status},
};
use crate::{
    billing::usage::Record,
    calendar::{Date, Period, Zone},
    id::{CallId, PlanId},
    money::Decimal,
    time::Timestamp,
};

pub(super) type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Account, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Open { name, profile } => {
            check(&name, &profile)?;
            match state.name {
                None => Ok(vec![Event::Opened { name, profile }]),
                Some(_) => Err(Error::AlreadyExists),
            }
        }
        Command::Configure {
            name,
            profile,
            expected,
        } => {
            is_as_expected(state, expected)?;
            configure(state, name, profile)
        }
        Command::Expecting { ledger, command } => {
            let revision = state.ledger_version;
            if ledger != revision {
                return Err(Error::LedgerChanged { revision });
            }
            decide(state, at, *command)
        }
        Command::SetCreditLimit { limit } => set_credit_limit(known(state)?, limit),
        Command::Subscribe { plan, effective } => subscribe(known(state)?, at, plan, effective),
        Command::ReserveCredit {
            call,
            amount,
            until,
        } => reserve(known(state)?, call, amount, until),
        Command::ReleaseCredit { call } => Ok(release(known(state)?, call)),
        Command::CommitUsage {
            call,
            revision,
            period,
            amount,
            is_use,
        } => {
            let state = known(state)?;
            Ok(if is_use {
                commit_use(state, call, revision, period, amount)
            } else {
                commit_call(state, call, revision, period, amount)
            })
        }
        Command::ChargeUsage { period, record } => charge(known(state)?, period, *record),
        Command::WithdrawUsage { call } => Ok(withdraw(known(state)?, call)),
        Command::BeginInvoice { period } => begin_invoice(there(state)?, period),
        Command::DropInvoice { period } => {
            let is_begun = there(state)?.begun == Some(period);
            let dropped = is_begun.then_some(Event::InvoiceDropped { period });
            Ok(dropped.into_iter().collect())
        }
        Command::PostInvoice { .. }
        | Command::PostCreditNote { .. }
        | Command::WriteOff { .. }
        | Command::WriteOffDebit { .. }
        | Command::ApplyPayment { .. }
        | Command::RefundCredit { .. }
        | Command::ReversePayment { .. } => ledger::decide(there(state)?, at, command),
        Command::Suspend { reason } => Ok(suspend(known(state)?, at, reason)),
        Command::Reactivate => Ok(match known(state)?.status {
            Status::Suspended(_) => vec![Event::Reactivated {}],
            Status::Active | Status::Unborn | Status::Closed => vec![],
        }),
        Command::Close => close(state),
    }
}

fn suspend(state: &Account, at: Timestamp, reason: SuspendReason) -> Vec<Event> {
    // Paid in the moment before, or while it was said: nobody would undo it.
    if reason == SuspendReason::Overdue && !state.has_overdue(at) {
        return vec![];
    }
    match state.status {
        Status::Active => vec![Event::Suspended { reason }],
        // A person's word is kept over what the rules would undo, and what is overdue
        // over a limit that can be raised.
        Status::Suspended(current) if outlasts(reason, current) => {
            vec![Event::Suspended { reason }]
        }
        Status::Suspended(_) | Status::Unborn | Status::Closed => vec![],
    }
}

fn is_as_expected(state: &Account, expected: Option<u32>) -> Result<(), Error> {
    let revision = state.config_version;
    match expected {
        Some(expected) if expected != revision => Err(Error::ChangedMeanwhile { revision }),
        Some(_) | None => Ok(()),
    }
}

/// Whether an account stays suspended for that, whatever becomes of the other reason.
const fn outlasts(reason: SuspendReason, other: SuspendReason) -> bool {
    match reason {
        SuspendReason::Operator => !matches!(other, SuspendReason::Operator),
        SuspendReason::Overdue => matches!(other, SuspendReason::OverLimit),
        SuspendReason::OverLimit => false,
    }
}

/// The account, also when it is over: what it used is owed, and what it owes is paid.
const fn there(state: &Account) -> Result<&Account, Error> {
    match state.status {
        Status::Unborn => Err(Error::Unknown),
        Status::Closed | Status::Active | Status::Suspended(_) => Ok(state),
    }
}

/// The account, if it is there and not over.
fn known(state: &Account) -> Result<&Account, Error> {
    match state.status {
        Status::Unborn => Err(Error::Unknown),
        Status::Closed => Err(Error::Closed),
        Status::Active | Status::Suspended(_) => Ok(state),
    }
}

fn configure(state: &Account, name: String, profile: Profile) -> Decision {
    check(&name, &profile)?;
    let Some(current) = &state.profile else {
        return Ok(vec![Event::Opened { name, profile }]);
    };
    if known(state)?.name.as_ref() != Some(&name) {
        return Err(Error::AlreadyExists);
    }
    if current.currency != profile.currency {
        return Err(Error::OtherCurrency {
            expected: current.currency,
        });
    }
    if current.zone != profile.zone {
        return Err(Error::OtherZone);
    }
    if *current == profile {
        return Ok(vec![]);
    }
    Ok(vec![Event::Configured {
        config_version: state.config_version.saturating_add(1),
        profile,
    }])
}

fn set_credit_limit(state: &Account, limit: Option<Decimal>) -> Decision {
    if limit.is_some_and(Decimal::is_negative) {
        return Err(Error::Negative { field: "limit" });
    }
    if state.credit_limit == limit {
        return Ok(vec![]);
    }
    let holds = match limit {
        None if state.is_prepaid() => Some(Decimal::ZERO),
        limit => limit,
    };
    let set = Event::CreditLimitSet { limit };
    let consequences = by_limit(state.status, holds, state.balance());
    Ok([vec![set], consequences].concat())
}

/// Suspended when it owes more than it may, and back when it does not. What
/// running calls have reserved is not owed yet.
pub(super) fn by_limit(status: Status, limit: Option<Decimal>, balance: Decimal) -> Vec<Event> {
    let is_over = limit.is_some_and(|limit| (limit + balance).is_negative());
    match status {
        Status::Active if is_over => vec![Event::Suspended {
            reason: SuspendReason::OverLimit,
        }],
        Status::Suspended(SuspendReason::OverLimit) if !is_over => vec![Event::Reactivated {}],
        Status::Active | Status::Suspended(_) | Status::Unborn | Status::Closed => vec![],
    }
}

fn begin_invoice(state: &Account, period: Period) -> Decision {
    match state.begun {
        Some(begun) if begun != period => Err(Error::InvoiceUnderWay { begun }),
        Some(_) => Ok(vec![]),
        None if state.posted.contains(&period) => Ok(vec![]),
        None => Ok(vec![Event::InvoiceBegun { period }]),
    }
}

/// How far the first day of a plan may be away.
const EFFECTIVE_DAYS_MAX: i64 = 3_653;

fn subscribe(state: &Account, at: Timestamp, plan: PlanId, effective: Date) -> Decision {
    let today = Zone::UTC.date_of(at);
    if effective.signed_duration_since(today).num_days().abs() > EFFECTIVE_DAYS_MAX {
        return Err(Error::TooFar);
    }
    let last = state.subscriptions.last();
    if last.is_some_and(|last| last.plan == plan && last.effective <= effective) {
        return Ok(vec![]);
    }
    // What is invoiced is not changed by a later word.
    let invoiced = state.invoiced.max(state.begun);
    if invoiced.is_some_and(|period| effective < period.end()) {
        return Err(Error::InvoicedAlready { field: "effective" });
    }
    Ok(vec![if last.is_none() {
        Event::PlanSubscribed { plan, effective }
    } else {
        Event::PlanChanged { plan, effective }
    }])
}

fn reserve(state: &Account, call: CallId, amount: Decimal, until: Option<Timestamp>) -> Decision {
    if let Status::Suspended(reason) = state.status {
        return Err(Error::Suspended { reason });
    }
    if amount.is_negative() {
        return Err(Error::Negative { field: "amount" });
    }
    let current = state.reserved.get(&call).copied();
    if current.is_some_and(|current| current >= amount) && until.is_none() {
        return Ok(vec![]);
    }
    let more = amount - current.unwrap_or_default();
    match state.available() {
        Some(available) if more > available => Err(Error::CreditExhausted),
        Some(_) | None => Ok(vec![Event::CreditReserved {
            call,
            amount,
            until,
        }]),
    }
}

fn charge(state: &Account, period: Period, record: Record) -> Decision {
    let commits = record.counted.as_ref().and_then(|use_| use_.commits);
    let amount = commits.unwrap_or_default();
    match state.available() {
        _ if state.committed(record.cdr).is_some() => Ok(vec![]),
        Some(available) if amount > available => Err(Error::CreditExhausted),
        Some(_) | None => {
            let open = state.unposted(period);
            let record = if open == period {
                record
            } else {
                record.late(period)
            };
            Ok(vec![Event::UsageCommitted {
                call: record.cdr,
                revision: record.revision,
                period: open,
                amount,
                is_use: true,
                is_in_period: false,
                record: Some(Box::new(record)),
            }])
        }
    }
}

fn release(state: &Account, call: CallId) -> Vec<Event> {
    let is_kept = state.reserved.contains_key(&call);
    let released = is_kept.then_some(Event::CreditReleased { call });
    released.into_iter().collect()
}

/// Nothing when it counts already as that says, or as a later word does.
fn commit_call(
    state: &Account,
    call: CallId,
    revision: u32,
    period: Period,
    amount: Decimal,
) -> Vec<Event> {
    // It is in what is owed.
    if state.posted.contains(&period) {
        return release(state, call);
    }
    let before = match state.committed_in(period, call) {
        Some((kept, _)) if kept > revision => return vec![],
        Some((kept, there)) if kept == revision && there == amount => return vec![],
        Some((_, there)) => there,
        None => Decimal::ZERO,
    };
    let committed = Event::UsageCommitted {
        call,
        revision,
        period,
        amount,
        is_use: false,
        is_in_period: true,
        record: None,
    };
    with_limit(state, committed, amount - before)
}

/// Nothing when it counts already as that says.
fn commit_use(
    state: &Account,
    call: CallId,
    revision: u32,
    period: Period,
    amount: Decimal,
) -> Vec<Event> {
    let is_posted = state.posted.contains(&period);
    let before = match state.committed(call) {
        Some((_, kept, _)) if kept > revision => return vec![],
        Some((month, kept, there)) => {
            let is_there = kept == revision && month >= period && there == amount;
            // That a use is counted is worth knowing: if not, it outlives its
            // month.
            if is_there && !state.uncounted.contains(&call) {
                return vec![];
            }
            there
        }
        // It is in what is owed.
        None if is_posted => return vec![],
        None => Decimal::ZERO,
    };
    let after = if is_posted { Decimal::ZERO } else { amount };
    let committed = Event::UsageCommitted {
        call,
        revision,
        period,
        amount,
        is_use: true,
        is_in_period: false,
        record: None,
    };
    with_limit(state, committed, after - before)
}

/// What counts more from now on may be more than the limit, or no more than it.
fn with_limit(state: &Account, committed: Event, more: Decimal) -> Vec<Event> {
    let consequences = by_limit(state.status, state.limit(), state.balance() - more);
    [vec![committed], consequences].concat()
}

/// Only of a use that is not counted: else what is counted was charged.
fn withdraw(state: &Account, call: CallId) -> Vec<Event> {
    match state.committed(call) {
        Some((period, revision, _)) if state.uncounted.contains(&call) => {
            commit_use(state, call, revision, period, Decimal::ZERO)
        }
        Some(_) | None => vec![],
    }
}

fn close(state: &Account) -> Decision {
    match state.status {
        Status::Unborn => Err(Error::Unknown),
        Status::Closed => Ok(vec![]),
        Status::Active | Status::Suspended(_) => {
            let is_even = state.balance().is_zero()
                && state.begun.is_none()
                && state.open.is_empty()
                && state.unbilled_sum.is_zero()
                && state.reserved.is_empty();
            if is_even {
                Ok(vec![Event::Closed {}])
            } else {
                Err(Error::NotEven)
            }
        }
    }
}
