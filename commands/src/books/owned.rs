//! What accounts own, so that they pay, and since when: a call is paid by whom it was of
//! when it was answered, however late that is looked up.

use domain::{
    billing::account::Profile,
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

/// For how long something was an account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Tenure {
    account: AccountId,
    from: Timestamp,
    /// When it was no longer; none while it is.
    until: Option<Timestamp>,
}

/// Who owns what, and who did.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Thing, Vec<Tenure>)>", into = "Vec<(Thing, Vec<Tenure>)>")]
pub(super) struct Owned(HashMap<Thing, Vec<Tenure>>);

impl Clone for Owned {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

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
        before: &[Thing],
        after: &[Thing],
    ) {
        for thing in before.iter().filter(|thing| !after.contains(thing)) {
            let tenures = self.0.get_mut(thing).into_iter().flatten();
            for tenure in tenures.filter(|tenure| tenure.account == account) {
                tenure.until.get_or_insert(at);
            }
        }
        for thing in after.iter().filter(|thing| !before.contains(thing)) {
            self.0.entry(thing.clone()).or_default().push(Tenure {
                account,
                from: at,
                until: None,
            });
        }
    }

    /// Whose it is, by id.
    pub(super) fn now(&self, thing: &Thing) -> BTreeSet<AccountId> {
        self.those(thing, |tenure| tenure.until.is_none())
    }

    /// Whose it was then. Before anybody had it, it counts as whose it was first.
    pub(super) fn at(&self, thing: &Thing, at: Timestamp) -> BTreeSet<AccountId> {
        let Some(first) = self
            .0
            .get(thing)
            .and_then(|all| all.iter().map(|tenure| tenure.from).min())
        else {
            return BTreeSet::new();
        };
        let at = at.max(first);
        self.those(thing, |tenure| {
            tenure.from <= at && tenure.until.is_none_or(|until| at < until)
        })
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
pub(super) fn things_of(profile: &Profile) -> Vec<Thing> {
    let owned = &profile.owned;
    let numbers = owned.numbers.iter();
    numbers
        .map(|owned| Thing::Number(normal(&owned.number)))
        .chain(owned.queues.iter().copied().map(Thing::Queue))
        .chain(owned.agents.iter().copied().map(Thing::Agent))
        .chain(owned.trunks.iter().copied().map(Thing::Trunk))
        .collect()
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

    /// Given to the first at 10 s, taken away at 20 s, given to the second at 30 s.
    fn moved() -> Owned {
        let mut owned = Owned::default();
        let one = [number()];
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
    fn who_owned_what_is_kept_with_the_books() {
        let kept = serde_json::to_string(&moved()).unwrap();
        let read: Owned = serde_json::from_str(&kept).unwrap();
        assert_eq!(read.0, moved().0);
    }
}
