//! An account that pays before, its months, and the processes between them, which
//! may be killed at any point and ask again.

use super::billing::{ACCOUNT, ended_of as ended, opened, routed_of as routed};
use super::*;
use crate::{
    billing::{
        self, UsageId, UsageType,
        account::{self, Account},
        rating,
        tariff::Tariff,
        usage::{self, Counted, Record, RecordKey, Usage},
    },
    calendar::Period,
    decider::{Decider, Refusal as _},
    id::{LegId, PlanId},
    money::{Currency, Decimal},
    process::{command_id, credit::Credit, rating::RatingProcess},
    testing::month_of,
};
use std::collections::{BTreeMap, BTreeSet};

/// What was paid before.
pub(super) const PAID: i64 = 10;

/// An account, its months, and the process between them.
#[derive(Default)]
pub(super) struct Books {
    pub(super) account: Account,
    months: BTreeMap<Period, Usage>,
    /// Uses that are no calls, each in the month that has it.
    pub(super) records: Vec<(Period, Record)>,
    /// What calls cost and took back, each in the month that has it.
    pub(super) prices: Vec<(Period, RecordKey, Decimal)>,
    feed: Vec<Fact>,
    read: usize,
    asked: Vec<(CommandId, AnyCommand)>,
    /// What was answered before: none for an effect.
    answers: BTreeMap<CommandId, Option<String>>,
    pub(super) charged: BTreeSet<(u8, u64)>,
    closed: BTreeSet<Period>,
    /// Sum of all invoices.
    pub(super) invoiced: Decimal,
}

pub(super) fn october() -> Period {
    "2026-10".parse().unwrap()
}

fn of(period: Period) -> UsageId {
    UsageId {
        account: ACCOUNT,
        period,
    }
}

pub(super) fn used(key: u8, quantity: u64, price: Option<i64>) -> Record {
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
        rounding: None,
    }
}

fn commits(record: &Record) -> Decimal {
    let counted = record.counted.as_ref();
    counted.and_then(|use_| use_.commits).unwrap_or_default()
}

impl Books {
    pub(super) fn new() -> Self {
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

    pub(super) fn tell(&mut self, event: billing::Event) {
        let position = self.feed.len() as u64 + 1;
        self.feed.push(Fact {
            position,
            version: position,
            event_id: EventId(Uuid::from_u128(u128::from(position))),
            at: second(1),
            node_epoch: 1,
            tenant: crate::id::DEFAULT_TENANT,
            event: AnyEvent::Billing(event),
        });
    }

    fn tell_account(&mut self, event: account::Event) {
        let account = std::mem::take(&mut self.account);
        self.account = Account::evolve(account, second(1), &event);
        self.tell(billing::Event::Account(ACCOUNT, event));
    }

    pub(super) fn ask_account(&mut self, command: account::Command) -> Result<bool, &'static str> {
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
            self.note(id.period, &event);
            self.tell(billing::Event::Usage(id, event));
        }
        Ok(changed)
    }

    /// A client sends a use, at the price of that day. Its id is of the use: what has
    /// had its effect is not decided again.
    pub(super) fn charge(&mut self, key: u8, quantity: u64, price: i64) {
        let charge = account::Command::ChargeUsage {
            period: october(),
            record: Box::new(used(key, quantity, Some(price))),
        };
        if !self.charged.contains(&(key, quantity)) && self.ask_account(charge) == Ok(true) {
            self.charged.insert((key, quantity));
        }
    }

    /// The processes are killed: so many events are read again, and what was not
    /// answered is asked again.
    pub(super) fn kill(&mut self, events: usize, count: usize) {
        self.read = self.read.saturating_sub(events);
        // What is asked again comes by its id, and part of it was answered.
        self.asked.sort_by_key(|(id, _)| *id);
        let heard = self.answers.clone();
        let mut again: Vec<_> = self.asked.iter().take(count).cloned().collect();
        again.retain(|(id, _)| heard.contains_key(id));
        self.asked.extend(again);
    }

    /// The month that is open is closed.
    pub(super) fn close(&mut self) {
        let period = self.open();
        let rules = month_of(PlanId(Uuid::nil()), &period.to_string(), BTreeMap::new());
        let close = usage::Command::Close { rules };
        self.ask_usage(of(period), close).unwrap();
        self.closed.insert(period);
    }

    /// The oldest closed month whose invoice is not owed is invoiced.
    pub(super) fn post_next(&mut self) {
        if let Some(period) = self.closed.pop_first() {
            self.post(period);
        }
    }

    /// The draft of the oldest closed month is discarded before it is owed.
    pub(super) fn discard(&mut self) {
        if let Some(period) = self.closed.pop_first() {
            self.ask_usage(of(period), usage::Command::Reopen).unwrap();
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

    fn note(&mut self, period: Period, event: &usage::Event) {
        match event {
            usage::Event::Recorded { record } if record.counted.is_some() => {
                self.records.push((period, record.clone()));
            }
            usage::Event::Recorded { record } => {
                self.prices.push((period, record.key(), record.amount));
            }
            usage::Event::Adjusted { record, .. } => {
                self.prices.push((period, record.key(), -record.amount));
            }
            usage::Event::Reversed { record, .. } => {
                let is_it = |(month, key, amount): &(Period, RecordKey, Decimal)| {
                    *month == period && *key == record.key() && *amount == record.amount
                };
                let place = self.prices.iter().position(is_it);
                self.prices.remove(place.unwrap());
            }
            usage::Event::Valued { .. }
            | usage::Event::PeriodClosed { .. }
            | usage::Event::Reopened {} => {}
        }
    }

    /// What the invoice of a month is about.
    pub(super) fn due(&self, period: Period) -> Decimal {
        let uses = self.records.iter().filter(|(month, _)| *month == period);
        let calls = self.prices.iter().filter(|(month, ..)| *month == period);
        let uses: Decimal = uses.map(|(_, record)| commits(record)).sum();
        let calls: Decimal = calls.map(|(.., amount)| *amount).sum();
        uses + calls
    }

    fn post(&mut self, period: Period) {
        let amount = self.due(period);
        self.invoiced = self.invoiced + amount;
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

    pub(super) fn count(&mut self, mut record: Record) {
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
        self.asks(RatingProcess::NAME, intents);
    }

    fn asks(&mut self, process: &str, intents: Vec<Intent>) {
        for intent in intents {
            let id = command_id(process, &intent, second(1));
            self.asked.push((id, intent.command));
        }
    }

    pub(super) fn read(&mut self) {
        let Some(fact) = self.feed.get(self.read).cloned() else {
            return;
        };
        self.read += 1;
        self.hear(&Input::Event(&fact));
        self.asks(Credit::NAME, credit(&fact));
    }

    /// The first command of a lane. What was answered before is answered so again;
    /// only what changed nothing is decided anew.
    pub(super) fn decide(&mut self, lane: usize) {
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
    pub(super) fn settle(&mut self) {
        while self.read < self.feed.len() || !self.asked.is_empty() {
            self.read();
            self.decide(0);
        }
    }

    pub(super) fn counted(&self) -> Decimal {
        self.records.iter().map(|(_, record)| commits(record)).sum()
    }
}

/// What the process of credit asks for on hearing that: it watched every call from
/// its beginning to its end.
fn credit(fact: &Fact) -> Vec<Intent> {
    let AnyEvent::Billing(event) = &fact.event else {
        return vec![];
    };
    let call = if let billing::Event::Rating(call, rating::Event::Rated { .. }) = event {
        *call
    } else if let billing::Event::Account(
        _,
        account::Event::UsageCommitted {
            call,
            is_use: false,
            ..
        }
        | account::Event::CreditReleased { call },
    ) = event
    {
        *call
    } else {
        return vec![];
    };
    let mut state = Default::default();
    let started = rating::Event::Started {
        account: ACCOUNT,
        amount: Decimal::whole(1),
        seconds: 60,
    };
    let reserved = account::Event::CreditReserved {
        call,
        amount: Decimal::whole(1),
        until: None,
    };
    // Of every other call the last credit that was asked for was not answered in time.
    let is_answered = call.0.as_u128().is_multiple_of(2);
    let answer = AnyEvent::Billing(billing::Event::Account(ACCOUNT, reserved));
    let before = [
        opened(account::PaymentMode::Prepaid),
        routed(call),
        AnyEvent::Billing(billing::Event::Rating(call, started)),
    ];
    let last = is_answered
        .then_some(answer)
        .into_iter()
        .chain([ended(call)]);
    for event in before.into_iter().chain(last) {
        let fact = Fact {
            event,
            ..fact.clone()
        };
        Credit::step(&mut state, &Input::Event(&fact));
    }
    Credit::step(&mut state, &Input::Event(fact))
}
