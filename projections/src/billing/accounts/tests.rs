//! The ledger says what the rules go by: its balance is the credit less what is open.

use super::{Accounts, Row};
use crate::projection::{Input, Projection};
use domain::{
    any::{AnyEvent, Fact},
    billing::{
        self,
        account::{Account, Command, Event, Owned, PaymentMethod, PaymentMode, Profile},
    },
    calendar::{Period, Zone},
    decider::Decider,
    id::{AccountId, CreditNoteId, DEFAULT_TENANT, EventId, InvoiceId, PaymentId, RefundId},
    money::{Currency, Decimal, Money},
    time::Timestamp,
};
use proptest::prelude::*;
use uuid::Uuid;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(1));
const AT: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn euros(cents: i64) -> Decimal {
    Decimal::of_units(cents, 2)
}

fn money(cents: i64) -> Money {
    Money::new(euros(cents), Currency::EUR)
}

fn invoice(number: u8) -> InvoiceId {
    InvoiceId(Uuid::from_u128(u128::from(number)))
}

/// The rules, and the row that is made of what they decide.
#[derive(Default)]
struct Books {
    rules: Account,
    row: Option<Row>,
    count: u64,
}

impl Books {
    fn new() -> Self {
        let mut books = Self::default();
        books.hears(&Event::Opened {
            name: "acme".into(),
            profile: Profile {
                currency: Currency::EUR,
                zone: Zone::UTC,
                country: "DE".into(),
                calling_code: "49".into(),
                tax_id: None,
                holder: None,
                payment_mode: PaymentMode::Postpaid,
                is_auto_pay: false,
                owned: Owned::default(),
            },
        });
        books
    }

    fn hears(&mut self, event: &Event) {
        self.count += 1;
        self.rules = Account::evolve(std::mem::take(&mut self.rules), AT, event);
        let fact = Fact {
            position: self.count,
            version: self.count,
            event_id: EventId(Uuid::from_u128(u128::from(self.count))),
            at: AT,
            node_epoch: 1,
            tenant: DEFAULT_TENANT,
            event: AnyEvent::Billing(billing::Event::Account(ACCOUNT, event.clone())),
        };
        let input = Input {
            fact: &fact,
            party: None,
        };
        Accounts::apply(&mut self.row, &input);
    }

    /// What is refused changes nothing.
    fn asks(&mut self, command: Command) {
        for event in Account::decide(&self.rules, AT, command).unwrap_or_default() {
            self.hears(&event);
            self.agree();
        }
    }

    fn agree(&self) {
        let open: Decimal = self.rules.open.values().map(|open| open.left).sum();
        let row = self.row.as_ref().unwrap();
        let ledger = row.ledger_balance();
        assert_eq!(ledger, self.rules.credit - open, "{:?}", row.entries);
    }

    fn owes(&mut self, month: u8, cents: i64) {
        let period: Period = format!("2026-{:02}", month + 1).parse().unwrap();
        self.asks(Command::PostInvoice {
            invoice: invoice(month),
            number: format!("INV-{month}"),
            period,
            amount: euros(cents),
            due_at: AT,
            fees: vec![],
        });
    }

    fn pays(&mut self, number: u8, cents: i64) {
        self.asks(Command::ApplyPayment {
            payment: PaymentId(Uuid::from_u128(u128::from(number))),
            amount: money(cents),
            method: PaymentMethod::Other,
            reference: String::new(),
            invoice: None,
        });
    }

    fn bounces(&mut self, number: u8) {
        self.asks(Command::ReversePayment {
            payment: PaymentId(Uuid::from_u128(u128::from(number))),
            reason: "bounced".into(),
        });
    }

    fn is_credited(&mut self, month: u8, number: u8, cents: i64) {
        self.asks(Command::PostCreditNote {
            credit_note: CreditNoteId(Uuid::from_u128(u128::from(number))),
            invoice: invoice(month),
            amount: euros(cents),
        });
    }

    fn is_given_up(&mut self, month: u8) {
        self.asks(Command::WriteOff {
            invoice: invoice(month),
            reason: Some("bankrupt".into()),
        });
    }

    fn is_paid_out(&mut self, number: u8) {
        self.asks(Command::RefundCredit {
            refund: RefundId(Uuid::from_u128(u128::from(number))),
            amount: Money::new(self.rules.refundable(), Currency::EUR),
            method: PaymentMethod::Other,
            reference: "back".into(),
        });
    }
}

/// The ledger said 119 of credit that nobody has.
#[test]
fn a_credit_note_over_what_was_given_up_gives_nothing_back() {
    let mut books = Books::new();
    books.owes(0, 11_900);
    books.is_given_up(0);
    books.is_credited(0, 1, 11_900);
    let row = books.row.as_ref().unwrap();
    let amounts = row.entries.iter().map(|entry| entry.amount.to_string());
    assert_eq!(amounts.collect::<Vec<_>>(), ["-119", "119", "0"]);
    assert_eq!(row.ledger_balance(), Decimal::ZERO);
}

proptest! {
    #[test]
    fn the_ledger_has_the_balance_that_the_rules_go_by(
        steps in prop::collection::vec((0_u8..7, 0_u8..4, 1_i64..120), 1..60),
    ) {
        let mut books = Books::new();
        for (number, (what, which, cents)) in (0_u8..).zip(steps) {
            match what {
                0 => books.owes(which, cents),
                1 => books.pays(number, cents),
                2 => books.bounces(number.saturating_sub(which)),
                3 => books.is_credited(which, number, cents),
                4 => books.is_given_up(which),
                5 => books.is_paid_out(number),
                _ => books.asks(Command::WriteOffDebit { reason: "gone".into() }),
            }
        }
    }
}
