//! From a draft to an issued document that the account owes, and from payments
//! to the invoices that they are for. Each step follows from an event and is
//! asked for under an id of that event, so that it is completed after any
//! crash, once. Nothing is remembered: everything is in the events.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    billing::{
        self, Document, UsageId, account, credit_note,
        invoice::{self, Source},
        series, usage,
    },
    calendar::Period,
    id::{AccountId, InvoiceId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Completes documents.
#[derive(Debug)]
pub struct Invoicing;

/// What it remembers: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {}

impl Process for Invoicing {
    const NAME: &'static str = "invoicing";
    const VERSION: u32 = 1;
    type State = State;

    fn step(_state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(fact),
            Input::Refused { .. } | Input::Deadline(_) | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(_state: &State) -> Option<Timestamp> {
        None
    }
}

fn on_event(fact: &Fact) -> Vec<Intent> {
    use billing::Event as E;
    let cause = fact.event_id.0;
    let commands = match &fact.event {
        AnyEvent::Billing(E::Invoice(id, event)) => on_invoice(*id, event),
        AnyEvent::Billing(E::CreditNote(id, event)) => match event {
            credit_note::Event::Drafted { document } => vec![number(
                document.series,
                Document::CreditNote(*id),
                &document.number_prefix,
            )],
            credit_note::Event::Issued {
                account,
                invoice,
                total,
                ..
            } => {
                let post = account::Command::PostCreditNote {
                    credit_note: *id,
                    invoice: *invoice,
                    amount: *total,
                };
                vec![billing::Command::Account(*account, post)]
            }
        },
        AnyEvent::Billing(E::Series(_, series::Event::NumberIssued { document, text, .. })) => {
            vec![issue(*document, text)]
        }
        AnyEvent::Billing(E::Account(_, event)) => on_account(event),
        // Only a month that is open again can be begun anew.
        AnyEvent::Billing(E::Usage(usage, usage::Event::Reopened {})) => {
            let period = usage.period;
            let drop = account::Command::DropInvoice { period };
            vec![billing::Command::Account(usage.account, drop)]
        }
        AnyEvent::Billing(
            E::Seller(..) | E::Plan(..) | E::Deck(..) | E::Rating(..) | E::Usage(..),
        )
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
    };
    let ask = |command| intent(cause, command);
    commands.into_iter().map(ask).collect()
}

fn intent(cause: Uuid, command: billing::Command) -> Intent {
    Intent::new(cause, AnyCommand::Billing(Box::new(command)))
}

fn number(series: billing::SeriesId, document: Document, prefix: &str) -> billing::Command {
    let issue = series::Command::Issue {
        document,
        prefix: prefix.to_owned(),
    };
    billing::Command::Series(series, issue)
}

fn issue(document: Document, number: &str) -> billing::Command {
    let number = number.to_owned();
    match document {
        Document::Invoice(id) => billing::Command::Invoice(id, invoice::Command::Issue { number }),
        Document::CreditNote(id) => {
            billing::Command::CreditNote(id, credit_note::Command::Issue { number })
        }
    }
}

/// What was used in the month of a draft that is discarded can be rated again.
fn reopen(account: AccountId, period: Period) -> billing::Command {
    let month = UsageId { account, period };
    billing::Command::Usage(month, usage::Command::Reopen)
}

fn on_invoice(id: InvoiceId, event: &invoice::Event) -> Vec<billing::Command> {
    match event {
        invoice::Event::Drafted { head, .. } if head.is_approved => vec![number(
            head.series,
            Document::Invoice(id),
            &head.number_prefix,
        )],
        invoice::Event::Discarded {
            account, period, ..
        } => vec![reopen(*account, *period)],
        invoice::Event::Approved {
            series,
            number_prefix,
        } => vec![number(*series, Document::Invoice(id), number_prefix)],
        invoice::Event::Issued {
            number,
            account,
            period,
            due_at,
            total,
            fees,
            ..
        } => {
            let post = account::Command::PostInvoice {
                invoice: id,
                number: number.clone(),
                period: *period,
                amount: *total,
                due_at: *due_at,
                fees: fees.clone(),
            };
            vec![billing::Command::Account(*account, post)]
        }
        invoice::Event::Credited {
            credit_note,
            document,
            ..
        } => {
            let document = document.clone();
            let draft = credit_note::Command::Draft { document };
            vec![billing::Command::CreditNote(*credit_note, draft)]
        }
        invoice::Event::WriteOffAsked { account, reason } => {
            let write_off = account::Command::WriteOff {
                invoice: id,
                reason: Some(reason.clone()),
            };
            vec![billing::Command::Account(*account, write_off)]
        }
        invoice::Event::WrittenOff {
            account,
            is_by_account: false,
            ..
        } => {
            let write_off = account::Command::WriteOff {
                invoice: id,
                reason: None,
            };
            vec![billing::Command::Account(*account, write_off)]
        }
        invoice::Event::WrittenOff { .. }
        | invoice::Event::WriteOffLowered { .. }
        | invoice::Event::Drafted { .. }
        | invoice::Event::LineAdded { .. }
        | invoice::Event::PaymentRecorded { .. }
        | invoice::Event::PaymentReversed { .. }
        | invoice::Event::Paid {}
        | invoice::Event::Overdue { .. } => vec![],
    }
}

fn tell(allocation: &account::Allocation, source: Source, is_reversed: bool) -> billing::Command {
    let amount = allocation.amount;
    let command = if is_reversed {
        invoice::Command::ReversePayment { source, amount }
    } else {
        invoice::Command::RecordPayment { source, amount }
    };
    billing::Command::Invoice(allocation.invoice, command)
}

/// What the account decided about money is told to each invoice.
fn on_account(event: &account::Event) -> Vec<billing::Command> {
    match event {
        account::Event::PaymentApplied {
            payment,
            allocations,
            ..
        } => allocations
            .iter()
            .map(|allocation| tell(allocation, Source::Payment(*payment), false))
            .collect(),
        account::Event::PaymentReversed {
            payment,
            allocations,
            ..
        } => allocations
            .iter()
            .map(|allocation| tell(allocation, Source::Payment(*payment), true))
            .collect(),
        account::Event::CreditApplied { allocation } => {
            vec![tell(allocation, Source::Credit, false)]
        }
        account::Event::CreditTakenBack { allocation } => {
            vec![tell(allocation, Source::Credit, true)]
        }
        account::Event::DebtWrittenOff {
            invoice,
            amount,
            reason: Some(reason),
        } => {
            let record = invoice::Command::RecordWriteOff {
                amount: *amount,
                reason: reason.clone(),
            };
            vec![billing::Command::Invoice(*invoice, record)]
        }
        account::Event::CreditNotePosted {
            invoice,
            of_written_off,
            ..
        } if !of_written_off.is_zero() => {
            let amount = *of_written_off;
            let lower = invoice::Command::LowerWriteOff { amount };
            vec![billing::Command::Invoice(*invoice, lower)]
        }
        account::Event::Opened { .. }
        | account::Event::Configured { .. }
        | account::Event::CreditLimitSet { .. }
        | account::Event::PlanSubscribed { .. }
        | account::Event::PlanChanged { .. }
        | account::Event::CreditReserved { .. }
        | account::Event::CreditReleased { .. }
        | account::Event::UsageCommitted { .. }
        | account::Event::ChargePosted { .. }
        | account::Event::InvoiceBegun { .. }
        | account::Event::DebitWrittenOff { .. }
        | account::Event::InvoiceDropped { .. }
        | account::Event::CreditNotePosted { .. }
        // An invoice reckons with its credit notes itself.
        | account::Event::CreditNoteSettled { .. }
        | account::Event::DebtWrittenOff { .. }
        | account::Event::CreditRefunded { .. }
        | account::Event::Suspended { .. }
        | account::Event::Reactivated {}
        | account::Event::Closed {} => vec![],
    }
}
