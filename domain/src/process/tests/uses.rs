//! Uses that are no calls, of an account that pays before: whoever is killed at
//! whatever point, and however often whatever is sent again, what is taken of the
//! credit is what is counted.

use super::billing::{ACCOUNT, opened};
use super::*;
use crate::{
    billing::{
        self, UsageId, UsageType,
        account::{self, Account},
        tariff::Tariff,
        usage::{self, Counted, Record, Usage},
    },
    calendar::Period,
    decider::{Decider, Refusal as _},
    id::{LegId, PlanId},
    money::{Currency, Decimal, Rounding},
    process::{command_id, rating::RatingProcess},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What was paid before.
const PAID: i64 = 10;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A client sends a use, at the price of that day.
    Charge { key: u8, quantity: u64, price: i64 },
    /// It was recorded while the account paid later, without a limit.
    Count { key: u8, quantity: u64 },
    /// The process reads an event.
    Read,
    /// One of its commands is decided; which lane is chance.
    Decide(usize),
    /// It is killed: so many events are read again, and what was not answered is
    /// asked again.
    Kill { events: usize, count: usize },
    /// The month that is open is closed.
    Close,
    /// The oldest closed month whose invoice is not owed is invoiced.
    Post,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..3, 1_u64..3, 1_i64..6)
            .prop_map(|(key, quantity, price)| Step::Charge { key, quantity, price }),
        1 => (0_u8..3, 1_u64..3).prop_map(|(key, quantity)| Step::Count { key, quantity }),
        6 => Just(Step::Read),
        6 => (0_usize..4).prop_map(Step::Decide),
        1 => (0_usize..6, 0_usize..3).prop_map(|(events, count)| Step::Kill { events, count }),
        1 => Just(Step::Close),
        1 => Just(Step::Post),
    ]
}

/// An account, its months, and the process between them.
#[derive(Default)]
struct Books {
    account: Account,
    months: BTreeMap<Period, Usage>,
    records: Vec<(Period, Record)>,
    feed: Vec<Fact>,
    read: usize,
    asked: Vec<(CommandId, AnyCommand)>,
    /// What was answered before: none for an effect.
    answers: BTreeMap<CommandId, Option<String>>,
    charged: BTreeSet<(u8, u64)>,
    closed: BTreeSet<Period>,
}

fn october() -> Period {
    "2026-10".parse().unwrap()
}

fn of(period: Period) -> UsageId {
    UsageId {
        account: ACCOUNT,
        period,
    }
}

fn used(key: u8, quantity: u64, price: Option<i64>) -> Record {
    let key = key.to_string();
    let amount = Decimal::whole(price.unwrap_or(1));
    Record {
        cdr: of(october()).counted(&key),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        answered_at: second(1),
        ended_at: second(1),
        quantity,
        tariff: Tariff::flat(amount),
        amount,
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: Some(Counted {
            key,
            description: String::new(),
            commits: price.map(Decimal::whole),
            quantity: Some(quantity),
        }),
    }
}

fn commits(record: &Record) -> Decimal {
    let counted = record.counted.as_ref();
    counted.and_then(|use_| use_.commits).unwrap_or_default()
}

impl Books {
    fn new() -> Self {
        let mut books = Self::default();
        let AnyEvent::Billing(billing::Event::Account(_, opened)) =
            opened(account::PaymentMode::Prepaid)
        else {
            unreachable!("an account is opened");
        };
        books.tell_account(opened);
        let payment = account::Command::ApplyPayment {
            payment: crate::id::PaymentId(Uuid::from_u128(9)),
            amount: crate::money::Money::new(Decimal::whole(PAID), Currency::EUR),
            method: account::PaymentMethod::Other,
            reference: String::new(),
            invoice: None,
        };
        books.ask_account(payment).unwrap();
        books
    }

    fn tell(&mut self, event: billing::Event) {
        let position = self.feed.len() as u64 + 1;
        self.feed.push(Fact {
            position,
            version: position,
            event_id: EventId(Uuid::from_u128(u128::from(position))),
            at: second(1),
            node_epoch: 1,
            event: AnyEvent::Billing(event),
        });
    }

    fn tell_account(&mut self, event: account::Event) {
        let account = std::mem::take(&mut self.account);
        self.account = Account::evolve(account, second(1), &event);
        self.tell(billing::Event::Account(ACCOUNT, event));
    }

    fn ask_account(&mut self, command: account::Command) -> Result<bool, &'static str> {
        let events = Account::decide(&self.account, second(1), command);
        let events = events.map_err(|error| error.code())?;
        let changed = !events.is_empty();
        events
            .into_iter()
            .for_each(|event| self.tell_account(event));
        Ok(changed)
    }

    fn ask_usage(&mut self, id: UsageId, command: usage::Command) -> Result<bool, &'static str> {
        let month = self.months.entry(id.period).or_default();
        let events = Usage::decide(month, second(1), command).map_err(|error| error.code())?;
        let changed = !events.is_empty();
        for event in events {
            let month = self.months.entry(id.period).or_default();
            *month = Usage::evolve(std::mem::take(month), second(1), &event);
            if let usage::Event::Recorded { record } = &event {
                self.records.push((id.period, record.clone()));
            }
            self.tell(billing::Event::Usage(id, event));
        }
        Ok(changed)
    }

    fn take(&mut self, step: Step) {
        match step {
            // Its id is of the use: what has had its effect is not decided again.
            Step::Charge {
                key,
                quantity,
                price,
            } => {
                let charge = account::Command::ChargeUsage {
                    period: october(),
                    record: Box::new(used(key, quantity, Some(price))),
                };
                if !self.charged.contains(&(key, quantity)) && self.ask_account(charge) == Ok(true)
                {
                    self.charged.insert((key, quantity));
                }
            }
            Step::Count { key, quantity } => self.count(used(key, quantity, None)),
            Step::Read => self.read(),
            Step::Decide(lane) => self.decide(lane),
            Step::Kill { events, count } => {
                self.read = self.read.saturating_sub(events);
                // What is asked again comes by its id, and part of it was answered.
                self.asked.sort_by_key(|(id, _)| *id);
                let heard = self.answers.clone();
                let mut again: Vec<_> = self.asked.iter().take(count).cloned().collect();
                again.retain(|(id, _)| heard.contains_key(id));
                self.asked.extend(again);
            }
            Step::Close => {
                let period = self.open();
                let close = usage::Command::Close {
                    terms: BTreeMap::new(),
                    rounding: Rounding::HalfEven,
                };
                self.ask_usage(of(period), close).unwrap();
                self.closed.insert(period);
            }
            Step::Post => {
                if let Some(period) = self.closed.pop_first() {
                    self.post(period);
                }
            }
        }
    }

    fn open(&self) -> Period {
        let mut period = october();
        while self
            .months
            .get(&period)
            .is_some_and(|month| month.is_closed)
        {
            period = period.next();
        }
        period
    }

    fn post(&mut self, period: Period) {
        let in_month = self.records.iter().filter(|(month, _)| *month == period);
        let amount = in_month.map(|(_, record)| commits(record)).sum();
        let post = account::Command::PostInvoice {
            invoice: of(period).invoice(),
            number: period.to_string(),
            period,
            amount,
            due_at: second(1_000),
            fees: vec![],
        };
        self.ask_account(post).unwrap();
    }

    fn count(&mut self, mut record: Record) {
        let mut usage = of(october());
        loop {
            let count = usage::Command::Count {
                record: Box::new(record.clone()),
                is_charged: false,
            };
            if self.ask_usage(usage, count) != Err("usage.period_closed") {
                return;
            }
            record = record.late(usage.period);
            usage = usage.next();
        }
    }

    fn hear(&mut self, input: &Input<'_>) {
        let intents = RatingProcess::step(&mut Default::default(), input);
        for intent in intents {
            let id = command_id(RatingProcess::NAME, &intent, second(1));
            self.asked.push((id, intent.command));
        }
    }

    fn read(&mut self) {
        let Some(fact) = self.feed.get(self.read).cloned() else {
            return;
        };
        self.read += 1;
        self.hear(&Input::Event(&fact));
    }

    /// The first command of a lane. What was answered before is answered so again;
    /// only what changed nothing is decided anew.
    fn decide(&mut self, lane: usize) {
        let mut lanes: Vec<_> = self.asked.iter().map(|(_, c)| c.target()).collect();
        lanes.sort();
        lanes.dedup();
        let Some(lane) = lanes.get(lane % lanes.len().max(1)).cloned() else {
            return;
        };
        let place = self.asked.iter().position(|(_, c)| c.target() == lane);
        let (command_id, command) = self.asked.remove(place.unwrap());
        if !self.answers.contains_key(&command_id) {
            let AnyCommand::Billing(asked) = command.clone() else {
                unreachable!("{command:?}");
            };
            let answer = match *asked {
                billing::Command::Account(_, command) => self.ask_account(command),
                billing::Command::Usage(id, command) => self.ask_usage(id, command),
                billing::Command::Seller(..)
                | billing::Command::Plan(..)
                | billing::Command::Deck(..)
                | billing::Command::Rating(..)
                | billing::Command::Invoice(..)
                | billing::Command::CreditNote(..)
                | billing::Command::Series(..) => unreachable!("{command:?}"),
            };
            match answer {
                Ok(true) => self.answers.insert(command_id, None),
                Ok(false) => None,
                Err(code) => self.answers.insert(command_id, Some(code.into())),
            };
        }
        if let Some(Some(code)) = self.answers.get(&command_id).cloned() {
            self.hear(&Input::Refused {
                command_id,
                command: &command,
                code: &code,
                version: 1,
                at: second(1),
            });
        }
    }

    /// Everything that is asked for is answered.
    fn settle(&mut self) {
        while self.read < self.feed.len() || !self.asked.is_empty() {
            self.read();
            self.decide(0);
        }
    }

    fn counted(&self) -> Decimal {
        self.records.iter().map(|(_, record)| commits(record)).sum()
    }
}

proptest! {
    #[test]
    fn what_is_taken_of_the_credit_is_what_is_counted(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut books = Books::new();
        for step in steps {
            books.take(step);
            prop_assert!(books.counted() <= Decimal::whole(PAID));
        }
        books.settle();
        let mut ids: Vec<_> = books.records.iter().map(|(_, record)| record.cdr).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), books.records.len(), "nothing is counted twice");
        let left = Decimal::whole(PAID) - books.counted();
        prop_assert_eq!(books.account.available(), Some(left));
        prop_assert!(books.account.uncounted.is_empty());
        prop_assert_eq!(books.account.status, account::Status::Active);
        for (key, quantity) in &books.charged {
            let id = used(*key, *quantity, None).cdr;
            prop_assert!(ids.contains(&id), "what was charged is counted, or another of its key");
        }
    }
}
