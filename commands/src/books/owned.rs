//! What accounts own, so that they pay, and since when: a call is paid by whom it was of
//! when it was answered, however late that is looked up.

use domain::{
    billing::account::{OwnedNumber, Profile},
    id::{AccountId, AgentId, QueueId, TrunkId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// What an account can own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Thing {
    Number(String),
    Queue(QueueId),
    Agent(AgentId),
    Trunk(TrunkId),
}

/// Something that an account owns, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owning {
    pub(super) thing: Thing,
    /// Of a number: who calls it pays nothing.
    pub(super) is_toll_free: bool,
}

/// For how long something was an account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Tenure {
    account: AccountId,
    from: Timestamp,
    /// When it was no longer, or in another way; none while it is.
    until: Option<Timestamp>,
    is_toll_free: bool,
}

impl Tenure {
    fn holds(self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// Who owns what, and who did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Thing, Vec<Tenure>)>", into = "Vec<(Thing, Vec<Tenure>)>")]
pub(super) struct Owned(HashMap<Thing, Vec<Tenure>>);

impl From<Vec<(Thing, Vec<Tenure>)>> for Owned {
    fn from(list: Vec<(Thing, Vec<Tenure>)>) -> Self {
        Self(list.into_iter().collect())
    }
}

impl From<Owned> for Vec<(Thing, Vec<Tenure>)> {
    fn from(owned: Owned) -> Self {
        owned.0.into_iter().collect()
    }
}

impl Owned {
    /// From then on these are the account's, and nothing else is.
    pub(super) fn change(
        &mut self,
        account: AccountId,
        at: Timestamp,
        before: &[Owning],
        after: &[Owning],
    ) {
        for owning in before.iter().filter(|owning| !after.contains(owning)) {
            let tenures = self.0.get_mut(&owning.thing).into_iter().flatten();
            for tenure in tenures.filter(|tenure| tenure.account == account) {
                tenure.until.get_or_insert(at);
            }
        }
        for owning in after.iter().filter(|owning| !before.contains(owning)) {
            let tenures = self.0.entry(owning.thing.clone()).or_default();
            tenures.push(Tenure {
                account,
                from: at,
                until: None,
                is_toll_free: owning.is_toll_free,
            });
        }
    }

    /// Whose it is, by id.
    pub(super) fn now(&self, thing: &Thing) -> BTreeSet<AccountId> {
        self.those(thing, |tenure| tenure.until.is_none())
    }

    /// Whose it was then. Before anybody had it, it counts as whose it was first.
    pub(super) fn at(&self, thing: &Thing, at: Timestamp) -> BTreeSet<AccountId> {
        let at = at.max(self.first(thing));
        self.those(thing, |tenure| tenure.holds(at))
    }

    /// Whether it was that account's as a toll-free number then.
    pub(super) fn is_toll_free(&self, thing: &Thing, account: AccountId, at: Timestamp) -> bool {
        let at = at.max(self.first(thing));
        let mut tenures = self.0.get(thing).into_iter().flatten();
        tenures.any(|it| it.account == account && it.is_toll_free && it.holds(at))
    }

    /// When somebody had it first.
    fn first(&self, thing: &Thing) -> Timestamp {
        let tenures = self.0.get(thing).into_iter().flatten();
        let first = tenures.map(|tenure| tenure.from).min();
        first.unwrap_or(Timestamp::from_micros(0))
    }

    fn those(&self, thing: &Thing, is_it: impl Fn(&Tenure) -> bool) -> BTreeSet<AccountId> {
        let tenures = self.0.get(thing).into_iter().flatten();
        tenures
            .filter(|tenure| is_it(tenure))
            .map(|tenure| tenure.account)
            .collect()
    }
}

/// A number in the one form in which it is looked up.
pub(super) fn normal(number: &str) -> String {
    domain::rating::digits(number).unwrap_or_else(|| number.to_lowercase())
}

/// All that is the account's by that profile.
pub(super) fn things_of(profile: &Profile) -> Vec<Owning> {
    let owned = &profile.owned;
    let plain = |thing| Owning {
        thing,
        is_toll_free: false,
    };
    let number = |owned: &OwnedNumber| Owning {
        thing: Thing::Number(normal(&owned.number)),
        is_toll_free: owned.is_toll_free,
    };
    let others = owned.queues.iter().copied().map(Thing::Queue);
    let others = others
        .chain(owned.agents.iter().copied().map(Thing::Agent))
        .chain(owned.trunks.iter().copied().map(Thing::Trunk));
    let numbers = owned.numbers.iter().map(number);
    numbers.chain(others.map(plain)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const fn account(number: u128) -> AccountId {
        AccountId(Uuid::from_u128(number))
    }

    const fn second(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn number() -> Thing {
        Thing::Number("4930123".into())
    }

    fn owning(is_toll_free: bool) -> Owning {
        let thing = number();
        Owning {
            thing,
            is_toll_free,
        }
    }

    /// Given to the first at 10 s, taken away at 20 s, given to the second at 30 s.
    fn moved() -> Owned {
        let mut owned = Owned::default();
        let one = [owning(false)];
        owned.change(account(2), second(10), &[], &one);
        owned.change(account(2), second(20), &one, &[]);
        owned.change(account(1), second(30), &[], &one);
        owned
    }

    #[test]
    fn a_number_is_of_whom_it_was_of_then_whoever_has_it_now() {
        let owned = moved();
        let owner = |at| owned.at(&number(), second(at)).into_iter().next();
        assert_eq!(owner(10), Some(account(2)));
        assert_eq!(owner(19), Some(account(2)));
        assert_eq!(owner(20), None, "nobody's");
        assert_eq!(owner(29), None);
        assert_eq!(owner(30), Some(account(1)));
        assert_eq!(owned.now(&number()), BTreeSet::from([account(1)]));
    }

    #[test]
    fn before_anybody_had_it_a_number_is_of_whom_it_was_of_first() {
        assert_eq!(
            moved().at(&number(), second(0)),
            BTreeSet::from([account(2)])
        );
        assert_eq!(
            moved().at(&Thing::Number("1".into()), second(0)),
            BTreeSet::new()
        );
    }

    #[test]
    fn a_number_is_toll_free_as_it_was_then() {
        let mut owned = Owned::default();
        owned.change(account(1), second(10), &[], &[owning(true)]);
        owned.change(account(1), second(20), &[owning(true)], &[owning(false)]);
        let is_free = |at| owned.is_toll_free(&number(), account(1), second(at));
        assert!(is_free(5) && is_free(10) && is_free(19));
        assert!(!is_free(20) && !owned.is_toll_free(&number(), account(2), second(15)));
        assert_eq!(owned.now(&number()), BTreeSet::from([account(1)]));
    }

    #[test]
    fn who_owned_what_is_kept_with_the_books() {
        let kept = serde_json::to_string(&moved()).unwrap();
        let read: Owned = serde_json::from_str(&kept).unwrap();
        assert_eq!(read.0, moved().0);
    }
}
