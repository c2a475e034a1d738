//! An account, its invoices and its credit notes, and the process between them: whatever
//! is paid, takes its payment back, is credited and given up, in whatever order the one
//! hears of the other, they agree on what is left to pay.

use super::billing::{ACCOUNT, ask, opened};
use super::*;
use crate::{
    billing::{
        self, Line, LineKind, SeriesId, UsageId,
        account::{self, Account, PaymentMode},
        credit_note::CreditNote,
        invoice::{self, Invoice},
        series::Series,
        tax::TaxCategory,
    },
    calendar::Period,
    decider::Decider,
    id::{CreditNoteId, InvoiceId, PaymentId, RefundId},
    money::{Currency, Decimal, Money},
    process::invoicing::{self, Invoicing},
    testing::invoice_head,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};

/// All of it, and what has not been heard.
#[derive(Default)]
struct World {
    account: Account,
    invoices: BTreeMap<InvoiceId, Invoice>,
    credit_notes: BTreeMap<CreditNoteId, CreditNote>,
    series: BTreeMap<SeriesId, Series>,
    /// By target: each of them hears its commands in their order.
    asked: BTreeMap<(&'static str, String), VecDeque<billing::Command>>,
    count: u64,
    /// What was paid out, and what was given up of what is owed beside invoices.
    refunded: Decimal,
    debit_given_up: Decimal,
}

/// Decides and folds; the events.
fn decided<D: Decider>(state: &mut D::State, command: D::Command) -> Vec<D::Event>
where
    D::State: Default + Clone,
{
    let events = D::decide(state, second(1), command).unwrap_or_default();
    for event in &events {
        *state = D::evolve(std::mem::take(state), second(1), event);
    }
    events
}

fn period(month: u8) -> Period {
    format!("2026-{:02}", month + 1).parse().unwrap()
}

fn invoice_of(month: u8) -> InvoiceId {
    let (account, period) = (ACCOUNT, period(month));
    UsageId { account, period }.invoice()
}

fn draft(month: u8, cents: i64) -> invoice::Command {
    let head = invoice_head(ACCOUNT, period(month));
    let line = Line {
        kind: LineKind::Adjustment,
        description: "something".into(),
        quantity: Decimal::whole(1),
        unit: String::new(),
        unit_price: None,
        tax_category: TaxCategory::Zero,
        tax_percent: Decimal::ZERO,
        exact: Decimal::of_units(cents, 2),
        amount: Decimal::ZERO,
        is_tax_inclusive: None,
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
    };
    invoice::Command::Draft {
        head: Box::new(head),
        lines: vec![line],
    }
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        let AnyEvent::Billing(billing::Event::Account(_, opened)) = opened(PaymentMode::Postpaid)
        else {
            unreachable!("an account is opened");
        };
        world.account = Account::evolve(Account::default(), second(0), &opened);
        world
    }

    fn decide(&mut self, command: billing::Command) {
        use billing::{Command as C, Event as E};
        let events: Vec<E> = match command {
            C::Account(id, command) => decided::<Account>(&mut self.account, command)
                .into_iter()
                .map(|event| E::Account(id, event))
                .collect(),
            C::Invoice(id, command) => {
                decided::<Invoice>(self.invoices.entry(id).or_default(), command)
                    .into_iter()
                    .map(|event| E::Invoice(id, event))
                    .collect()
            }
            C::CreditNote(id, command) => {
                decided::<CreditNote>(self.credit_notes.entry(id).or_default(), command)
                    .into_iter()
                    .map(|event| E::CreditNote(id, event))
                    .collect()
            }
            C::Series(id, command) => {
                decided::<Series>(self.series.entry(id).or_default(), command)
                    .into_iter()
                    .map(|event| E::Series(id, event))
                    .collect()
            }
            C::Seller(..) | C::Plan(..) | C::Deck(..) | C::Rating(..) | C::Usage(..) => {
                unreachable!("nobody asks for that")
            }
        };
        for event in events {
            if let E::Account(_, account::Event::CreditRefunded { amount, .. }) = &event {
                self.refunded = self.refunded + amount.amount;
            }
            if let E::Account(_, account::Event::DebitWrittenOff { amount, .. }) = &event {
                self.debit_given_up = self.debit_given_up + *amount;
            }
            self.hears(event);
        }
        assert!(self.refunded >= self.account.debit(), "{:?}", self.account);
        assert!(
            self.account.credit <= Decimal::ZERO || self.account.open.is_empty(),
            "{:?}",
            self.account
        );
    }

    /// The process reads the event: what it asks for is on its way.
    fn hears(&mut self, event: billing::Event) {
        self.count += 1;
        let fact = Fact {
            position: self.count,
            version: self.count,
            event_id: EventId(Uuid::from_u128(u128::from(self.count))),
            at: second(1),
            node_epoch: 1,
            tenant: crate::id::DEFAULT_TENANT,
            event: AnyEvent::Billing(event),
        };
        let mut state = invoicing::State::default();
        for intent in Invoicing::step(&mut state, &Input::Event(&fact)) {
            let AnyCommand::Billing(command) = intent.command else {
                unreachable!("it asks for documents only");
            };
            let on_the_way = self.asked.entry(command.target()).or_default();
            on_the_way.push_back(*command);
        }
    }

    /// One command that is on its way arrives.
    fn deliver(&mut self, which: usize) {
        self.asked.retain(|_, commands| !commands.is_empty());
        let count = self.asked.len().max(1);
        let next = self.asked.values_mut().nth(which % count);
        if let Some(command) = next.and_then(VecDeque::pop_front) {
            self.decide(command);
        }
    }

    fn deliver_all(&mut self) {
        while self.asked.values().any(|commands| !commands.is_empty()) {
            self.deliver(0);
        }
    }

    fn asks(&mut self, command: billing::Command) {
        let AnyCommand::Billing(command) = ask(command) else {
            unreachable!("it is about money");
        };
        self.decide(*command);
    }

    fn pays(&mut self, payment: u8, cents: i64) {
        let command = account::Command::ApplyPayment {
            payment: PaymentId(Uuid::from_u128(u128::from(payment))),
            amount: Money::new(Decimal::of_units(cents, 2), Currency::EUR),
            method: account::PaymentMethod::Other,
            reference: String::new(),
            invoice: None,
        };
        self.asks(billing::Command::Account(ACCOUNT, command));
    }

    fn bounces(&mut self, payment: u8) {
        let command = account::Command::ReversePayment {
            payment: PaymentId(Uuid::from_u128(u128::from(payment))),
            reason: "bounced".into(),
        };
        self.asks(billing::Command::Account(ACCOUNT, command));
    }

    fn is_credited(&mut self, month: u8, credit_note: u8, cents: i64) {
        let command = invoice::Command::Credit {
            credit_note: CreditNoteId(Uuid::from_u128(u128::from(credit_note))),
            amount: Some(Decimal::of_units(cents, 2)),
            reason: "wrong".into(),
        };
        self.asks(billing::Command::Invoice(invoice_of(month), command));
    }

    fn is_given_up(&mut self, month: u8) {
        let reason = "bankrupt".into();
        let command = invoice::Command::WriteOff { reason };
        self.asks(billing::Command::Invoice(invoice_of(month), command));
    }

    fn is_paid_out(&mut self, refund: u8) {
        let most = self.account.refundable();
        let command = account::Command::RefundCredit {
            refund: RefundId(Uuid::from_u128(u128::from(refund))),
            amount: Money::new(most, Currency::EUR),
            method: account::PaymentMethod::Other,
            reference: "back".into(),
        };
        self.asks(billing::Command::Account(ACCOUNT, command));
    }

    fn debit_is_given_up(&mut self) {
        let reason = "gone".into();
        let command = account::Command::WriteOffDebit { reason };
        self.asks(billing::Command::Account(ACCOUNT, command));
    }

    fn owes(&mut self, month: u8, cents: i64) {
        let draft = draft(month, cents);
        self.asks(billing::Command::Invoice(invoice_of(month), draft));
    }

    fn left_of(&self, month: u8) -> Decimal {
        let open = self.account.open.get(&invoice_of(month));
        open.map(|open| open.left).unwrap_or_default()
    }

    /// Everything was heard: both sides say the same, and no cent is lost or made.
    fn agrees(&self) {
        let account = &self.account;
        let mut owed = Decimal::ZERO;
        for (id, invoice) in &self.invoices {
            let open = account.open.get(id).map(|open| open.left);
            assert_eq!(
                open.unwrap_or_default(),
                invoice.left(),
                "{id}: {account:?}"
            );
            let given_up = account.written_off.get(id).copied().unwrap_or_default();
            assert_eq!(given_up, invoice.written_off, "{id}: {account:?}");
            owed = owed + invoice.totals.total - invoice.credited - invoice.written_off;
        }
        let payments = account.payments.values();
        let valid = payments.filter(|payment| !payment.is_reversed);
        let paid: Decimal = valid.map(|payment| payment.amount).sum();
        let had = paid - self.refunded + self.debit_given_up;
        assert_eq!(account.balance(), had - owed, "{account:?}");
    }
}

fn cents(cents: i64) -> Decimal {
    Decimal::of_units(cents, 2)
}

#[test]
fn a_payment_that_bounces_after_its_invoice_was_credited_leaves_nothing_to_pay() {
    let mut world = World::new();
    world.owes(0, 100);
    world.deliver_all();
    world.pays(1, 100);
    world.is_credited(0, 1, 100);
    world.deliver_all();
    assert_eq!(world.account.credit, cents(100));
    world.bounces(1);
    world.deliver_all();
    assert_eq!(world.account.credit, Decimal::ZERO);
    assert!(world.account.open.is_empty());
    world.agrees();
}

#[test]
fn what_a_credit_note_gives_back_pays_the_invoice_that_is_open() {
    let mut world = World::new();
    world.owes(0, 100);
    world.deliver_all();
    world.pays(1, 100);
    world.owes(1, 70);
    world.deliver_all();
    world.is_credited(0, 1, 30);
    world.deliver_all();
    assert_eq!(world.left_of(1), cents(40));
    world.is_credited(0, 2, 15);
    world.deliver_all();
    assert_eq!(world.left_of(1), cents(25));
    world.agrees();
}

#[test]
fn what_bounces_after_the_rest_was_given_up_is_owed_and_can_be_given_up_too() {
    let mut world = World::new();
    world.owes(0, 100);
    world.deliver_all();
    world.pays(1, 60);
    world.deliver_all();
    world.is_given_up(0);
    world.deliver_all();
    world.bounces(1);
    world.deliver_all();
    assert_eq!(world.left_of(0), cents(60));
    world.agrees();
    world.is_given_up(0);
    world.deliver_all();
    assert_eq!(world.left_of(0), Decimal::ZERO);
    world.agrees();
}

#[test]
fn what_was_paid_out_and_bounces_is_owed_beside_all_invoices_and_paid_first() {
    let mut world = World::new();
    world.owes(0, 100);
    world.deliver_all();
    world.pays(1, 100);
    world.is_credited(0, 1, 100);
    world.deliver_all();
    world.is_paid_out(1);
    world.bounces(1);
    world.deliver_all();
    assert_eq!(world.account.owed(), cents(100));
    world.agrees();
    world.owes(1, 50);
    world.deliver_all();
    world.pays(2, 70);
    world.deliver_all();
    assert_eq!(
        (world.account.debit(), world.left_of(1)),
        (cents(30), cents(50))
    );
    world.debit_is_given_up();
    assert_eq!(world.account.owed(), cents(50));
    world.agrees();
}

proptest! {
    #[test]
    fn an_account_and_its_invoices_agree(
        steps in prop::collection::vec((0_u8..8, 0_u8..6, 1_i64..120, 0_usize..6), 1..60),
    ) {
        let mut world = World::new();
        for (number, (what, which, cents, then)) in steps.into_iter().enumerate() {
            let number = u8::try_from(number).unwrap();
            match what {
                0 => world.owes(which, cents),
                1 => world.pays(number, cents),
                2 => world.bounces(number.saturating_sub(which)),
                3 => world.is_credited(which, number, cents),
                4 => world.is_given_up(which),
                5 => world.is_paid_out(number),
                6 if which == 0 => world.debit_is_given_up(),
                _ => world.deliver_all(),
            }
            for _ in 0..then {
                world.deliver(then + usize::from(which));
            }
        }
        world.deliver_all();
        world.agrees();
    }
}
