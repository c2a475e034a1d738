//! Calls of an account that pays before, rated and rated again, in whatever month:
//! whoever is killed at whatever point, what counts against the credit and what is
//! invoiced is what they cost.

use super::books::{Books, PAID, october};
use super::*;
use crate::{
    billing::{self, UsageType, account, rating, tariff::Tariff, usage::Record},
    id::{CallId, LegId, PlanId},
    money::{Currency, Decimal},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A call ends, for which its price was reserved; or is rated again.
    Rate { call: u8, price: i64 },
    /// A process reads an event.
    Read,
    /// One of their commands is decided; which lane is chance.
    Decide(usize),
    /// They are killed.
    Kill { events: usize, count: usize },
    /// The month that is open is closed.
    Close,
    /// The oldest closed month whose invoice is not owed is invoiced.
    Post,
    /// Its draft is discarded instead: it is open again.
    Discard,
}

/// So many calls, so that with the more of them, the fewer are rated again.
fn steps(calls: u8) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..calls, 0_i64..5).prop_map(|(call, price)| Step::Rate { call, price }),
        6 => Just(Step::Read),
        6 => (0_usize..4).prop_map(Step::Decide),
        1 => (0_usize..6, 0_usize..3).prop_map(|(events, count)| Step::Kill { events, count }),
        1 => Just(Step::Close),
        1 => Just(Step::Post),
        1 => Just(Step::Discard),
    ];
    prop::collection::vec(step, 1..80)
}

/// A call of October; what costs something has two legs.
fn bill(call: CallId, revision: u32, price: i64) -> rating::Bill {
    let record = |leg: u128, price: i64| Record {
        cdr: call,
        revision,
        leg: LegId(Uuid::from_u128(leg)),
        usage_type: UsageType::InboundMinutes,
        answered_at: second(0),
        ended_at: second(60),
        quantity: 60,
        tariff: Tariff::flat(Decimal::whole(price)),
        amount: Decimal::whole(price),
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    };
    let records = if price == 0 {
        vec![]
    } else {
        vec![record(1, 1), record(2, price - 1)]
    };
    rating::Bill {
        account: super::billing::ACCOUNT,
        period: october(),
        records,
        commits: Some(Decimal::whole(price)),
        own: None,
    }
}

#[derive(Default)]
struct Rated(BTreeMap<CallId, (u32, i64)>);

impl Rated {
    fn take(&mut self, books: &mut Books, step: Step) {
        match step {
            Step::Rate { call, price } => self.rate(books, call, price),
            Step::Read => books.read(),
            Step::Decide(lane) => books.decide(lane),
            Step::Kill { events, count } => books.kill(events, count),
            Step::Close => books.close(),
            Step::Post => books.post_next(),
            Step::Discard => books.discard(),
        }
    }

    fn rate(&mut self, books: &mut Books, call: u8, price: i64) {
        let call = CallId(Uuid::from_u128(100 + u128::from(call)));
        let before = self.0.get(&call).copied();
        if before.is_none() {
            let reserve = account::Command::ReserveCredit {
                call,
                amount: Decimal::whole(price),
                until: None,
            };
            if books.ask_account(reserve).is_err() {
                return;
            }
        }
        let revision = before.map_or(1, |(revision, _)| revision + 1);
        let rated = rating::Event::Rated {
            revision,
            bill: Box::new(bill(call, revision, price)),
            replaces: before.map(|(revision, price)| Box::new(bill(call, revision, price))),
            reason: None,
        };
        books.tell(billing::Event::Rating(call, rated));
        self.0.insert(call, (revision, price));
    }

    fn sum(&self) -> Decimal {
        self.0
            .values()
            .map(|(_, price)| Decimal::whole(*price))
            .sum()
    }

    fn is_rated_once(&self) -> bool {
        self.0.values().all(|(revision, _)| *revision == 1)
    }
}

fn holds(calls: u8, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let (mut books, mut rated) = (Books::new(), Rated::default());
    for step in steps {
        rated.take(&mut books, step);
        // Not for a moment is there credit that a call has used; what it costs more
        // when it is rated again can not be reserved.
        if rated.is_rated_once() {
            let available = books.account.available().unwrap();
            prop_assert!(available <= Decimal::whole(PAID) - rated.sum(), "{calls}");
        }
    }
    books.settle();
    let account = &books.account;
    prop_assert_eq!(account.unbilled_sum + books.invoiced, rated.sum());
    prop_assert_eq!(
        account.available(),
        Some(Decimal::whole(PAID) - rated.sum())
    );
    prop_assert!(account.reserved.is_empty());
    for (period, calls) in &account.unbilled {
        let committed: Decimal = calls.values().map(|(_, amount)| *amount).sum();
        prop_assert_eq!(committed, books.due(*period));
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_counts_and_what_is_invoiced_is_what_calls_cost(steps in steps(3)) {
        holds(3, steps)?;
    }

    #[test]
    fn what_a_call_has_used_is_never_there_for_another(steps in steps(100)) {
        holds(100, steps)?;
    }
}
