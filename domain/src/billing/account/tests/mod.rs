//! What commands do to an account, one by one.

mod credit;
mod ledger;
mod profile;
mod refund;
mod uses;

use super::*;
use crate::{
    calendar::{Date, Period},
    id::{CallId, InvoiceId, PaymentId, PlanId},
    money::{Currency, Decimal, Money},
    testing::{Given, given, second},
};
use uuid::Uuid;

const PLAN: PlanId = PlanId(Uuid::from_u128(1));
const INVOICE: InvoiceId = InvoiceId(Uuid::from_u128(2));
const OTHER_INVOICE: InvoiceId = InvoiceId(Uuid::from_u128(3));
const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(4));
const CALL: CallId = CallId(Uuid::from_u128(5));
const OTHER_CALL: CallId = CallId(Uuid::from_u128(6));

fn story(events: impl IntoIterator<Item = Event>) -> Given<Account> {
    given::<Account>(events)
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn october() -> Period {
    "2026-10".parse().unwrap()
}

fn profile(payment_mode: PaymentMode) -> Profile {
    Profile {
        currency: Currency::EUR,
        zone: "Europe/Berlin".parse().unwrap(),
        country: "DE".into(),
        calling_code: "49".into(),
        tax_id: None,
        holder: None,
        payment_mode,
        is_auto_pay: false,
        owned: Owned::default(),
    }
}

fn opened(payment_mode: PaymentMode) -> Event {
    Event::Opened {
        name: "acme".into(),
        profile: profile(payment_mode),
    }
}

fn owed(invoice: InvoiceId, amount: &str, due_second: u64) -> Event {
    Event::ChargePosted {
        invoice,
        number: "INV-1".into(),
        period: october(),
        amount: decimal(amount),
        due_at: second(due_second),
        fees: vec![],
    }
}

fn post(invoice: InvoiceId, amount: &str, due_second: u64) -> Command {
    let Event::ChargePosted {
        invoice,
        number,
        period,
        amount,
        due_at,
        fees,
    } = owed(invoice, amount, due_second)
    else {
        unreachable!("owed makes a posted charge")
    };
    Command::PostInvoice {
        invoice,
        number,
        period,
        amount,
        due_at,
        fees,
    }
}

fn pay(amount: &str, invoice: Option<InvoiceId>) -> Command {
    Command::ApplyPayment {
        payment: PAYMENT,
        amount: Money::new(decimal(amount), Currency::EUR),
        method: PaymentMethod::BankTransfer,
        reference: "ref".into(),
        invoice,
    }
}

fn paid(amount: &str, allocations: &[(InvoiceId, &str)], credit: &str) -> Event {
    Event::PaymentApplied {
        payment: PAYMENT,
        amount: Money::new(decimal(amount), Currency::EUR),
        method: PaymentMethod::BankTransfer,
        reference: "ref".into(),
        allocations: allocations
            .iter()
            .map(|(invoice, amount)| Allocation {
                invoice: *invoice,
                amount: decimal(amount),
            })
            .collect(),
        credit: decimal(credit),
    }
}

fn committed(call: CallId, revision: u32, amount: &str) -> Event {
    Event::UsageCommitted {
        call,
        revision,
        period: october(),
        amount: decimal(amount),
        is_use: false,
        is_in_period: true,
        record: None,
    }
}

fn commit(call: CallId, revision: u32, amount: &str) -> Command {
    Command::CommitUsage {
        call,
        revision,
        period: october(),
        amount: decimal(amount),
        is_use: false,
    }
}
