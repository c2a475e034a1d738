//! The rules of an invoice.

use super::{
    command::Command,
    credit,
    error::Error,
    event::{Event, Head, Source},
    evolve::evolve,
    state::{Invoice, Phase},
};
use crate::{
    billing::{
        Line, SeriesId,
        document::{adds_up, calculate},
    },
    calendar::{Period, plus_days},
    money::Decimal,
    time::Timestamp,
};

pub(super) type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(state: &Invoice, at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Draft { head, lines } => match state.phase {
            Phase::Unborn | Phase::Discarded => draft(at, head, lines),
            Phase::Draft | Phase::Approved | Phase::Issued | Phase::WrittenOff => Ok(vec![]),
        },
        Command::AddAdjustment { line, text } => add_adjustment(state, line, text),
        Command::Discard { reason } => discard(state, reason),
        Command::Approve => approve(state, at),
        Command::Issue { number } => issue(state, at, number),
        Command::RecordPayment { source, amount } => Ok(record_payment(state, at, source, amount)),
        Command::ReversePayment { source, amount } => {
            Ok(reverse_payment(state, at, source, amount))
        }
        Command::MarkOverdue { level } => Ok(mark_overdue(state, at, level)),
        Command::Credit {
            credit_note,
            amount,
            reason,
        } => credit::credit(state, at, credit_note, amount, reason),
        Command::WriteOff { reason } => ask_write_off(state, reason),
        Command::RecordWriteOff { amount, reason } => Ok(record_write_off(state, amount, reason)),
        Command::LowerWriteOff { amount } => Ok(vec![Event::WriteOffLowered { amount }]),
    }
}

/// The lines with their amounts, taxes and totals; they add up.
fn draft(at: Timestamp, mut head: Box<Head>, mut lines: Vec<Line>) -> Decision {
    if lines.is_empty() {
        return Err(Error::Empty);
    }
    (head.series, head.number_prefix) = numbers(&head, at);
    let digits = head.currency.exponent();
    for line in &mut lines {
        line.amount = line.exact.round(digits, head.rounding);
    }
    let (taxes, totals) = calculate(&mut lines, head.is_tax_inclusive, digits, head.rounding);
    if !adds_up(&lines, &taxes, totals) {
        return Err(Error::DoesNotAddUp);
    }
    Ok(vec![Event::Drafted {
        head,
        lines,
        taxes,
        totals,
    }])
}

/// A line that a person adds comes to so much at most, as a fee does.
const LINE_MAX: i64 = 1_000_000_000;

fn add_adjustment(state: &Invoice, mut line: Line, text: Option<String>) -> Decision {
    let head = match (&state.head, state.phase) {
        (Some(head), Phase::Draft) => head,
        (_, Phase::Unborn | Phase::Discarded) | (None, Phase::Draft) => {
            return Err(Error::Unknown);
        }
        (_, Phase::Approved | Phase::Issued | Phase::WrittenOff) => return Err(Error::Immutable),
    };
    if line.description.trim().is_empty() {
        return Err(Error::NoDescription);
    }
    let digits = head.currency.exponent();
    line.amount = line.exact.round(digits, head.rounding);
    if line.amount.is_zero() || line.amount.abs() > Decimal::whole(LINE_MAX) {
        return Err(Error::InvalidAmount);
    }
    let mut lines = state.lines.clone();
    lines.push(line);
    let (taxes, totals) = calculate(&mut lines, head.is_tax_inclusive, digits, head.rounding);
    if !adds_up(&lines, &taxes, totals) {
        return Err(Error::DoesNotAddUp);
    }
    Ok(vec![Event::LineAdded {
        lines,
        taxes,
        totals,
        text,
    }])
}

fn discard(state: &Invoice, reason: String) -> Decision {
    match (&state.head, state.phase) {
        (_, Phase::Unborn) | (None, Phase::Draft) => Err(Error::Unknown),
        (_, Phase::Approved | Phase::Issued | Phase::WrittenOff) => Err(Error::NoDraft),
        (_, Phase::Discarded) => Ok(vec![]),
        (Some(_), Phase::Draft) if reason.trim().is_empty() => Err(Error::NoReason),
        (Some(head), Phase::Draft) => Ok(vec![Event::Discarded {
            account: head.account,
            period: head.period,
            reason,
        }]),
    }
}

/// The numbers of invoices that are issued at that instant.
fn numbers(head: &Head, at: Timestamp) -> (SeriesId, String) {
    let year = Period::of(head.zone.date_of(at)).year();
    head.series.in_year(&head.number_prefix, year)
}

fn approve(state: &Invoice, at: Timestamp) -> Decision {
    match (&state.head, state.phase) {
        (Some(head), Phase::Draft) => {
            let (series, number_prefix) = numbers(head, at);
            Ok(vec![Event::Approved {
                series,
                number_prefix,
            }])
        }
        (_, Phase::Unborn | Phase::Discarded) | (None, Phase::Draft) => Err(Error::Unknown),
        (_, Phase::Approved | Phase::Issued | Phase::WrittenOff) => Ok(vec![]),
    }
}

fn issue(state: &Invoice, at: Timestamp, number: String) -> Decision {
    let head = match (&state.head, state.phase) {
        (Some(head), Phase::Approved) => head,
        (_, Phase::Issued | Phase::WrittenOff) => {
            let is_same = state.number.as_ref() == Some(&number);
            return if is_same {
                Ok(vec![])
            } else {
                Err(Error::Immutable)
            };
        }
        (_, Phase::Unborn | Phase::Draft | Phase::Discarded) | (None, Phase::Approved) => {
            return Err(Error::NotApproved);
        }
    };
    let issued_on = head.series.day_of_issue(head.zone.date_of(at));
    let due_on = plus_days(issued_on, head.due_days);
    let issued = Event::Issued {
        number,
        account: head.account,
        period: head.period,
        issued_on,
        due_on,
        due_at: head.zone.start_of(plus_days(due_on, 1)),
        total: state.totals.total,
        currency: head.currency,
        fees: head.fees.clone(),
        shows_account: true,
    };
    let paid = (state.totals.total <= Decimal::ZERO).then_some(Event::Paid {});
    Ok(std::iter::once(issued).chain(paid).collect())
}

fn record_payment(state: &Invoice, at: Timestamp, source: Source, amount: Decimal) -> Vec<Event> {
    // Credit comes as often as there is some.
    let is_known = match source {
        Source::Payment(_) => state.paid.contains_key(&source),
        Source::Credit => false,
    };
    if is_known {
        return vec![];
    }
    let recorded = |left| Event::PaymentRecorded {
        source,
        amount,
        left,
    };
    let left = evolve(state.clone(), at, &recorded(Decimal::ZERO)).left();
    let paid = (left.is_zero() && !state.left().is_zero()).then_some(Event::Paid {});
    std::iter::once(recorded(left)).chain(paid).collect()
}

fn reverse_payment(state: &Invoice, at: Timestamp, source: Source, amount: Decimal) -> Vec<Event> {
    let paid = state.paid.get(&source).copied().unwrap_or_default();
    let amount = amount.min(paid);
    if amount <= Decimal::ZERO {
        return vec![];
    }
    // Whoever had come to the last step comes to it again.
    let steps_count = u32::try_from(state.dunning().len()).unwrap_or(u32::MAX);
    let level = state.level.min(steps_count.saturating_sub(1));
    let reversed = |left, next_at| Event::PaymentReversed {
        source,
        amount,
        left,
        next_at,
        next_level: level.saturating_add(1),
    };
    let after = evolve(state.clone(), at, &reversed(Decimal::ZERO, None));
    let next = next_step(state, level).map(|(at, _)| at);
    // A credit note may have paid it meanwhile.
    let next = next.filter(|_| !after.left().is_zero());
    vec![reversed(after.left(), next)]
}

fn next_step(state: &Invoice, taken: u32) -> Option<(Timestamp, bool)> {
    let index = usize::try_from(taken).ok()?;
    state.dunning().get(index).copied()
}

fn mark_overdue(state: &Invoice, at: Timestamp, level: u32) -> Vec<Event> {
    let is_open = state.phase == Phase::Issued && !state.left().is_zero();
    let (Some(head), Some((due, suspends))) = (&state.head, next_step(state, state.level)) else {
        return vec![];
    };
    // Earlier programs said another hour where the clocks changed meanwhile.
    let due = state.next_at.unwrap_or(due);
    if !is_open || level != state.level.saturating_add(1) || at < due {
        return vec![];
    }
    vec![Event::Overdue {
        account: head.account,
        level,
        next_at: next_step(state, level).map(|(at, _)| at),
        suspends,
    }]
}

/// The account decides how much that is: a payment that is taken back may be on its way.
fn ask_write_off(state: &Invoice, reason: String) -> Decision {
    if reason.trim().is_empty() {
        return Err(Error::NoReason);
    }
    match (&state.head, state.phase) {
        (Some(head), Phase::Issued) if !state.left().is_zero() => Ok(vec![Event::WriteOffAsked {
            account: head.account,
            reason,
        }]),
        (_, Phase::WrittenOff) => Ok(vec![]),
        (_, Phase::Issued) => Err(Error::NothingLeft),
        (_, Phase::Unborn | Phase::Discarded) => Err(Error::Unknown),
        (_, Phase::Draft | Phase::Approved) => Err(Error::NotIssued),
    }
}

fn record_write_off(state: &Invoice, amount: Decimal, reason: String) -> Vec<Event> {
    let head = state.head.as_ref();
    let written_off = head.map(|head| Event::WrittenOff {
        account: head.account,
        amount,
        reason,
        is_by_account: true,
    });
    written_off.into_iter().collect()
}
