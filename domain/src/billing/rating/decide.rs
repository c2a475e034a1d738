//! The rules of the rating of a call.

use super::{
    command::{Before, Command, Outcome, Quote},
    error::Error,
    event::{Bill, Event, UnratedReason},
    state::Rating,
};
use crate::{id::AccountId, money::Decimal, time::Timestamp};

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Rating, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Start { quote } => match quote.ok_or(Error::NotQuoted)? {
            Quote::Prepaid {
                account,
                amount,
                seconds,
            } if state.charging.is_none() && !is_over(state) => Ok(vec![Event::Started {
                account,
                amount,
                seconds,
            }]),
            Quote::Unpriced { account, reason } => Ok(unpriced(state, account, reason)),
            Quote::Prepaid { .. } | Quote::Postpaid => Ok(vec![]),
        },
        Command::Extend { quote } => match quote.ok_or(Error::NotQuoted)? {
            Quote::Prepaid {
                account,
                amount,
                seconds,
            } if is_more(state, amount, seconds) => Ok(vec![Event::Extended {
                account,
                amount,
                seconds,
            }]),
            Quote::Unpriced { account, reason } => Ok(unpriced(state, account, reason)),
            Quote::Prepaid { .. } | Quote::Postpaid => Ok(vec![]),
        },
        Command::Exhaust { until } => Ok(match state.charging {
            Some((account, ..)) if state.exhausted != Some(until) && !is_over(state) => {
                vec![Event::Exhausted { account, until }]
            }
            Some(_) | None => vec![],
        }),
        Command::Rate { outcome } => {
            let outcome = outcome.ok_or(Error::NotQuoted)?;
            if state.revision > 0 {
                return Ok(vec![]);
            }
            rate(state, outcome, None, Before::default())
        }
        Command::Rerate {
            reason,
            outcome,
            before,
            new_payer: _,
        } => {
            let outcome = outcome.ok_or(Error::NotQuoted)?;
            if !is_over(state) {
                return Err(Error::NotRated);
            }
            match outcome {
                // Told before: whoever has asked again is to hear that nothing has changed.
                Outcome::Unrated { reason, .. }
                    if state.unrated == Some(reason)
                        || state.revision > 0
                        || state.is_dismissed =>
                {
                    Err(Error::NoPrice(reason))
                }
                outcome @ (Outcome::Rated(_) | Outcome::Unrated { .. } | Outcome::Nobodys) => {
                    rate(state, outcome, Some(reason), before)
                }
            }
        }
        Command::Dismiss { reason } => dismiss(state, reason),
        Command::Restore { revision } => Ok(restore(state, revision)),
    }
}

fn dismiss(state: &Rating, reason: String) -> Decision {
    let unrated = state.unrated.filter(|_| state.revision == 0);
    let unrated = unrated.ok_or(Error::NotUnrated)?;
    if state.is_dismissed {
        return Ok(vec![]);
    }
    Ok(vec![Event::Dismissed { unrated, reason }])
}

/// Nothing if it was restored before, or never was a price that was replaced.
fn restore(state: &Rating, revision: u32) -> Vec<Event> {
    let is_it = |bill: &Bill| {
        let mut records = bill.records.iter();
        records.any(|record| record.revision == revision)
    };
    let place = state.replaced.iter().position(is_it);
    let (Some(place), Some(withdrawn)) = (place, &state.bill) else {
        return vec![];
    };
    let mut replaced = state.replaced.iter().skip(place);
    let Some(bill) = replaced.next() else {
        return vec![];
    };
    vec![Event::Restored {
        revision: state.revision.saturating_add(1),
        bill: Box::new(bill.clone()),
        withdrawn: withdrawn.clone(),
        between: replaced.next().cloned().map(Box::new),
    }]
}

/// A person must look, and the call does not go on.
fn unpriced(state: &Rating, account: AccountId, reason: UnratedReason) -> Vec<Event> {
    if is_over(state) {
        return vec![];
    }
    vec![Event::Unrated {
        account: Some(account),
        reason,
    }]
}

const fn is_over(state: &Rating) -> bool {
    state.revision > 0 || state.unrated.is_some()
}

/// More time, or more money for it: a leg goes out beside, or the price is another.
fn is_more(state: &Rating, amount: Decimal, seconds: u32) -> bool {
    let is_more = state
        .charging
        .is_some_and(|(_, reserved, paid)| seconds > paid || amount > reserved);
    is_more && !is_over(state)
}

fn rate(state: &Rating, outcome: Outcome, reason: Option<String>, before: Before) -> Decision {
    match outcome {
        Outcome::Nobodys => Ok(vec![]),
        Outcome::Unrated { account, reason } => {
            // A price that it has stays until there is another.
            let is_told = state.unrated == Some(reason) || state.revision > 0 || state.is_dismissed;
            Ok(if is_told {
                vec![]
            } else {
                vec![Event::Unrated { account, reason }]
            })
        }
        Outcome::Rated(mut bill) => {
            let current = state.bill.as_deref();
            if current.is_some_and(|current| is_same(current, &bill)) {
                return Ok(vec![]);
            }
            if before.is_settled {
                return Err(Error::Settled);
            }
            let revision = state.revision.saturating_add(1);
            for record in &mut bill.records {
                record.revision = revision;
            }
            let mut replaces = state.bill.clone();
            if let Some(replaced) = &mut replaces {
                replaced.commits = replaced.commits.or(before.commits);
                replaced.own = replaced.own.or(before.own);
            }
            Ok(vec![Event::Rated {
                revision,
                bill,
                replaces,
                reason: reason.filter(|_| state.revision > 0),
            }])
        }
    }
}

/// The same price: that a plan or a deck was published anew, and where in it the
/// price stands, changes nothing that is owed.
fn is_same(current: &Bill, new: &Bill) -> bool {
    let price = |bill: &Bill| {
        let mut bill = bill.clone();
        for record in &mut bill.records {
            record.revision = 1;
            record.plan_version = 1;
            record.matched = None;
        }
        // Tax is of the invoice.
        bill.commits = None;
        bill.own = None;
        bill
    };
    price(current) == price(new)
}
