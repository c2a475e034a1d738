//! What is done about invoices that are not paid: each step is due at an
//! instant that stands in an event, and carries its number as a fence.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent},
    billing::{
        self,
        account::{self, SuspendReason},
        invoice,
    },
    id::InvoiceId,
    money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Marks invoices overdue.
#[derive(Debug)]
pub struct Dunning;

/// What it remembers: the next step of each invoice that is not paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    due: BTreeSet<(Timestamp, InvoiceId)>,
    next: BTreeMap<InvoiceId, (Timestamp, u32)>,
    /// The event for which a step may be taken a second time.
    #[serde(default)]
    again: BTreeMap<InvoiceId, Uuid>,
}

impl Process for Dunning {
    const NAME: &'static str = "dunning";
    const VERSION: u32 = 1;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => match &fact.event {
                AnyEvent::Billing(billing::Event::Invoice(id, event)) => {
                    on_invoice(state, fact.event_id.0, *id, event)
                }
                AnyEvent::Billing(_)
                | AnyEvent::Call(..)
                | AnyEvent::Line(..)
                | AnyEvent::Session(..)
                | AnyEvent::Queue(..)
                | AnyEvent::Person(..)
                | AnyEvent::Refusals(..)
                | AnyEvent::Schedule(..)
                | AnyEvent::Agent(..)
                | AnyEvent::Device(..)
                | AnyEvent::Trunk(..)
                | AnyEvent::Callback(..)
                | AnyEvent::Mailbox(..) => vec![],
            },
            Input::Deadline(now) => take_steps(state, *now),
            Input::Refused { .. } | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(at, _)| *at)
    }
}

fn on_invoice(
    state: &mut State,
    cause: Uuid,
    id: InvoiceId,
    event: &invoice::Event,
) -> Vec<Intent> {
    match event {
        invoice::Event::Issued { due_at, total, .. } => {
            if *total > Decimal::ZERO {
                state.plan(id, *due_at, 1);
            }
        }
        invoice::Event::Overdue {
            account,
            level,
            next_at,
            suspends,
        } => {
            state.forget(id);
            if let Some(next_at) = next_at {
                state.plan(id, *next_at, level.saturating_add(1));
            }
            if *suspends {
                let reason = SuspendReason::Overdue;
                let suspend = account::Command::Suspend { reason };
                let command = billing::Command::Account(*account, suspend);
                return vec![Intent::new(cause, AnyCommand::Billing(Box::new(command)))];
            }
        }
        invoice::Event::PaymentReversed {
            next_at,
            next_level,
            ..
        } => {
            if let Some(next_at) = next_at {
                state.plan(id, *next_at, *next_level);
                state.again.insert(id, cause);
            }
        }
        invoice::Event::Credited { left, .. } if left.is_zero() => state.forget(id),
        invoice::Event::Paid {} | invoice::Event::WrittenOff { .. } => state.forget(id),
        invoice::Event::Drafted { .. }
        | invoice::Event::LineAdded { .. }
        | invoice::Event::Discarded { .. }
        | invoice::Event::Approved { .. }
        | invoice::Event::WriteOffAsked { .. }
        | invoice::Event::WriteOffLowered { .. }
        | invoice::Event::PaymentRecorded { .. }
        | invoice::Event::Credited { .. } => {}
    }
    vec![]
}

fn take_steps(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((at, id)) = state.due.first().copied()
        && at <= now
    {
        state.due.remove(&(at, id));
        let Some((_, level)) = state.next.remove(&id) else {
            continue;
        };
        let label = format!("overdue/{level}");
        // A step that is taken anew is not the one that was asked for before.
        let since = state.again.remove(&id).unwrap_or(id.0);
        let cause = crate::id::derive(at.millis_unsigned(), since, &label);
        let command = invoice::Command::MarkOverdue { level };
        let command = billing::Command::Invoice(id, command);
        intents.push(Intent::new(cause, AnyCommand::Billing(Box::new(command))));
    }
    intents
}

impl State {
    fn plan(&mut self, id: InvoiceId, at: Timestamp, level: u32) {
        self.forget(id);
        self.due.insert((at, id));
        self.next.insert(id, (at, level));
    }

    fn forget(&mut self, id: InvoiceId) {
        self.again.remove(&id);
        if let Some((at, _)) = self.next.remove(&id) {
            self.due.remove(&(at, id));
        }
    }
}
