//! Uses that are no calls, of an account that pays before: whoever is killed at
//! whatever point, and however often whatever is sent again, what is taken of the
//! credit is what is counted.

use super::books::{Books, PAID, used};
use crate::{billing::account, money::Decimal};
use proptest::prelude::*;

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

impl Step {
    fn take(self, books: &mut Books) {
        match self {
            Self::Charge {
                key,
                quantity,
                price,
            } => books.charge(key, quantity, price),
            Self::Count { key, quantity } => books.count(used(key, quantity, None)),
            Self::Read => books.read(),
            Self::Decide(lane) => books.decide(lane),
            Self::Kill { events, count } => books.kill(events, count),
            Self::Close => books.close(),
            Self::Post => books.post_next(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_taken_of_the_credit_is_what_is_counted(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut books = Books::new();
        for step in steps {
            step.take(&mut books);
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
