//! The rules of the usage of a month.

use super::{
    command::{Command, Commits},
    error::Error,
    event::{Event, Record, RecordKey, Sums},
    evolve::evolve,
    state::{Usage, Valued},
};
use crate::{billing::settle, id::CallId, money::Decimal, time::Timestamp};

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Usage, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Record {
            cdr,
            records,
            reversed,
            reason,
            commits,
        } => {
            let reason = reason.unwrap_or_default();
            let mut events = record(state, cdr, records, reversed, &reason)?;
            if let Some(valued) = value(state, at, cdr, commits, &events) {
                events.push(valued);
            }
            Ok(events)
        }
        Command::Count { record, is_charged } => count(state, *record, is_charged),
        Command::Close { rules } => {
            if state.is_closed {
                return Ok(vec![]);
            }
            let totals = settle::settle(&state.used, &state.adjusted, &rules);
            Ok(vec![Event::PeriodClosed {
                rated: totals.iter().map(|total| total.rated).sum(),
                records_count: totals.iter().map(|total| total.count).sum(),
                totals,
            }])
        }
        Command::Reopen if state.is_closed => Ok(vec![Event::Reopened {}]),
        Command::Reopen => Ok(vec![]),
    }
}

fn count(state: &Usage, record: Record, is_charged: bool) -> Decision {
    if let Some(there) = state.counted(record.cdr) {
        let counted = record.counted.as_ref().and_then(|use_| use_.quantity);
        let counted = counted.unwrap_or(record.quantity);
        let is_same = there.is_use(record.usage_type, record.ended_at, counted);
        return if is_same && !is_charged {
            Ok(vec![])
        } else {
            Err(Error::OtherUse)
        };
    }
    if state.is_closed {
        return Err(Error::PeriodClosed);
    }
    match state.currency {
        Some(known) if known != record.currency => Err(Error::OtherCurrency),
        Some(_) | None => Ok(vec![Event::Recorded { record }]),
    }
}

fn record(
    state: &Usage,
    cdr: CallId,
    records: Vec<Record>,
    reversed: Vec<Record>,
    reason: &str,
) -> Decision {
    let is_of_call = |record: &Record| record.cdr == cdr;
    if !records.iter().all(is_of_call) || !reversed.iter().all(is_of_call) {
        return Err(Error::OtherCall);
    }
    let currencies = records
        .iter()
        .chain(&reversed)
        .map(|record| record.currency);
    let mut known = state.currency;
    for currency in currencies {
        match known {
            Some(known) if known != currency => return Err(Error::OtherCurrency),
            Some(_) | None => known = Some(currency),
        }
    }
    let new: Vec<Record> = records
        .into_iter()
        .filter(|record| !state.has_seen(&record.key()))
        .collect();
    let old: Vec<Record> = reversed
        .into_iter()
        .filter(|record| {
            let key = record.key();
            !state.reversed.contains(&key) && !state.adjusted.contains_key(&key)
        })
        .collect();
    if new.is_empty() && old.is_empty() {
        return Ok(vec![]);
    }
    if old.iter().any(|record| state.has_settled(record)) {
        return Err(Error::Settled);
    }
    // What was recorded while a month was closed is in a later one, and is taken back
    // there: here it would be given back at its own price, whatever that one charged.
    let is_later = |record: &Record| !state.used.contains_key(&record.key());
    if state.is_closed || (state.is_reopened && old.iter().any(is_later)) {
        return Err(Error::PeriodClosed);
    }
    let reason = reason.to_owned();
    let taken_back = old.into_iter().map(|record| {
        let reason = reason.clone();
        if state.used.contains_key(&record.key()) {
            Event::Reversed { record, reason }
        } else {
            Event::Adjusted { record, reason }
        }
    });
    let recorded = new.into_iter().map(|record| Event::Recorded { record });
    Ok(taken_back.chain(recorded).collect())
}

/// What the call comes to in this month after that, where it counts against a credit.
fn value(
    state: &Usage,
    at: Timestamp,
    cdr: CallId,
    commits: Option<Commits>,
    events: &[Event],
) -> Option<Event> {
    if events.is_empty() {
        return None;
    }
    let said = state.valued.get(&cdr).copied();
    match (commits, said) {
        (Some(commits), said) => {
            let fold = |state, event| evolve(state, at, event);
            let after = events.iter().fold(state.of_call(cdr), fold);
            let is_corrected = after.is_corrected(cdr);
            Some(valued(cdr, commits, said, events, is_corrected))
        }
        // Its account has no limit any more. What it counted would count for ever
        // where nothing is left of it: a month without use is not invoiced.
        (None, Some(said)) if !said.amount.is_zero() && is_gone(state, cdr, events) => {
            Some(Event::Valued {
                cdr,
                revision: said.revision.saturating_add(1),
                amount: Decimal::ZERO,
                sums: None,
            })
        }
        (None, _) => None,
    }
}

/// What it came to, the new price, and less the one that it replaces, whichever month
/// has that. So the sum over all months is the last price, in whatever order they are
/// told. In place of what a closed month has it is owed, and counts, by its own prices.
fn valued(
    cdr: CallId,
    commits: Commits,
    said: Option<Valued>,
    events: &[Event],
    is_corrected: bool,
) -> Event {
    let own = commits.by_record();
    let (revision, before) = match said {
        Some(said) => (said.revision.saturating_add(1), said.sums),
        None => {
            // What was recorded before this was said counts as its price said.
            let is_here = |event: &Event| matches!(event, Event::Reversed { .. });
            let before = Sums {
                most: commits.replaced,
                own: own.replaced,
            };
            let is_here = events.iter().any(is_here);
            (1, if is_here { before } else { Sums::default() })
        }
    };
    let sums = Sums {
        most: before.most + commits.amount - commits.replaced,
        own: before.own + own.amount - own.replaced,
    };
    Event::Valued {
        cdr,
        revision: revision.max(commits.revision),
        amount: if is_corrected { sums.own } else { sums.most },
        sums: (sums.most != sums.own).then_some(sums),
    }
}

/// The month has nothing of the call after that.
fn is_gone(state: &Usage, cdr: CallId, events: &[Event]) -> bool {
    let is_reversed = |key: &RecordKey| {
        let is_it =
            |event: &Event| matches!(event, Event::Reversed { record, .. } if record.key() == *key);
        events.iter().any(is_it)
    };
    let comes = |event: &Event| matches!(event, Event::Recorded { .. } | Event::Adjusted { .. });
    let of_it = state.of_call(cdr);
    of_it.used.keys().all(is_reversed) && of_it.adjusted.is_empty() && !events.iter().any(comes)
}
