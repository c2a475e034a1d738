//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Invoice, Phase},
};
use crate::{billing::SeriesId, time::Timestamp};

pub(super) fn evolve(mut state: Invoice, _at: Timestamp, event: &Event) -> Invoice {
    match event {
        Event::Drafted {
            head,
            lines,
            taxes,
            totals,
        } => {
            state.phase = if head.is_approved {
                Phase::Approved
            } else {
                Phase::Draft
            };
            state.head = Some(head.clone());
            state.lines.clone_from(lines);
            state.taxes.clone_from(taxes);
            state.totals = *totals;
        }
        Event::LineAdded {
            lines,
            taxes,
            totals,
            text,
        } => {
            write(&mut state, text.as_deref());
            state.lines.clone_from(lines);
            state.taxes.clone_from(taxes);
            state.totals = *totals;
        }
        Event::Discarded { .. } => state.phase = Phase::Discarded,
        Event::Approved {
            series,
            number_prefix,
        } => approve(&mut state, *series, number_prefix),
        Event::Issued { number, due_at, .. } => {
            state.phase = Phase::Issued;
            state.number = Some(number.clone());
            state.due_at = Some(*due_at);
        }
        Event::PaymentRecorded { source, amount, .. } => {
            let paid = state.paid.entry(*source).or_default();
            *paid = *paid + *amount;
        }
        Event::PaymentReversed { .. } => reverse(&mut state, event),
        Event::Paid {} => {}
        Event::Overdue { level, next_at, .. } => {
            state.level = *level;
            state.next_at = *next_at;
        }
        Event::Credited {
            credit_note,
            document,
            ..
        } => {
            state.credited = state.credited + document.totals.total;
            state.credited_taxes.extend(document.taxes.iter().cloned());
            state.credit_notes.insert(*credit_note);
        }
        Event::WriteOffAsked { .. } => {}
        Event::WriteOffLowered { amount } => state.written_off = state.written_off - *amount,
        Event::WrittenOff { amount, .. } => {
            state.phase = Phase::WrittenOff;
            state.written_off = state.written_off + *amount;
        }
    }
    state
}

/// What had been paid is owed again, and asked for from that step on.
fn approve(state: &mut Invoice, series: SeriesId, number_prefix: &str) {
    state.phase = Phase::Approved;
    if let Some(head) = &mut state.head {
        head.series = series;
        number_prefix.clone_into(&mut head.number_prefix);
    }
}

fn reverse(state: &mut Invoice, event: &Event) {
    let Event::PaymentReversed {
        source,
        amount,
        next_level,
        next_at,
        left: _,
    } = event
    else {
        return;
    };
    state.level = next_level.saturating_sub(1);
    state.next_at = *next_at;
    // Kept, also at nothing: it does not come again.
    let paid = state.paid.entry(*source).or_default();
    *paid = *paid - *amount;
    ask_again(state);
}

/// What must be written on the document, once.
fn write(state: &mut Invoice, text: Option<&str>) {
    if let (Some(head), Some(text)) = (&mut state.head, text)
        && !head.texts.iter().any(|there| there == text)
    {
        head.texts.push(text.to_owned());
    }
}

/// What was not given up is asked for like any other.
fn ask_again(state: &mut Invoice) {
    if state.phase == Phase::WrittenOff && !state.left().is_zero() {
        state.phase = Phase::Issued;
    }
}
