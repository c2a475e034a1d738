//! The order of commands that must not overtake each other, whatever happens to
//! the store: one at a time on its way, the others behind it.

use domain::{any::AnyCommand, billing, line};
use std::collections::{HashMap, VecDeque, hash_map::Entry};

/// What keeps its order among itself: the commands for one aggregate, and in a
/// waiting line, which many calls share, those for one visit.
pub type Lane = (&'static str, String);

/// The lane of a command.
pub fn lane_of(command: &AnyCommand) -> Lane {
    let (category, key) = command.target();
    match command {
        AnyCommand::Line(
            _,
            line::Command::OpenVisit { visit, .. }
            | line::Command::MatchVisit { visit, .. }
            | line::Command::ReturnVisit { visit, .. }
            | line::Command::ChangePriority { visit, .. }
            | line::Command::AssignVisit { visit, .. }
            | line::Command::CloseVisit { visit, .. },
        ) => (category, visit.to_string()),
        // A series is shared by all documents.
        AnyCommand::Billing(command) => match command.as_ref() {
            billing::Command::Series(_, billing::series::Command::Issue { document, .. }) => {
                (category, document.id().to_string())
            }
            billing::Command::Seller(..)
            | billing::Command::Account(..)
            | billing::Command::Plan(..)
            | billing::Command::Deck(..)
            | billing::Command::Rating(..)
            | billing::Command::Usage(..)
            | billing::Command::Invoice(..)
            | billing::Command::CreditNote(..) => (category, key),
        },
        AnyCommand::Call(..)
        | AnyCommand::Session(..)
        | AnyCommand::Queue(..)
        | AnyCommand::Person(..)
        | AnyCommand::Refusals(..)
        | AnyCommand::Schedule(..)
        | AnyCommand::Agent(..)
        | AnyCommand::Device(..)
        | AnyCommand::Trunk(..)
        | AnyCommand::Callback(..)
        | AnyCommand::Mailbox(..) => (category, key),
    }
}

/// The lanes with something on its way, and what waits behind it. Unbounded on
/// purpose: it holds what was asked for while the store is away, and nothing of
/// that is thrown away.
#[derive(Debug, Clone)]
pub struct Lanes<T> {
    behind: HashMap<Lane, VecDeque<T>>,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            behind: HashMap::new(),
        }
    }
}

impl<T> Lanes<T> {
    /// Gives the item back when its lane is free: it may go now. Else it waits.
    pub fn enter(&mut self, lane: Lane, item: T) -> Option<T> {
        match self.behind.entry(lane) {
            Entry::Occupied(mut behind) => {
                behind.get_mut().push_back(item);
                None
            }
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                Some(item)
            }
        }
    }

    /// What was on its way in the lane has its answer: the next one may go.
    pub fn leave(&mut self, lane: &Lane) -> Option<T> {
        let next = self.behind.get_mut(lane)?.pop_front();
        if next.is_none() {
            self.behind.remove(lane);
        }
        next
    }

    /// How many lanes have something on its way.
    pub fn busy_count(&self) -> usize {
        self.behind.len()
    }

    /// What waits in a lane, in order.
    pub fn waiting(&self, lane: &Lane) -> impl Iterator<Item = &T> {
        self.behind.get(lane).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_at_a_time_in_each_lane_and_none_is_forgotten() {
        let (one, other) = (("call", "1".to_owned()), ("call", "2".to_owned()));
        let mut lanes = Lanes::default();
        assert_eq!(lanes.enter(one.clone(), 'a'), Some('a'));
        assert_eq!(lanes.enter(one.clone(), 'b'), None);
        assert_eq!(lanes.enter(other, 'x'), Some('x'), "another lane is free");
        assert_eq!(lanes.enter(one.clone(), 'c'), None);
        assert_eq!(lanes.waiting(&one).collect::<String>(), "bc");
        assert_eq!(lanes.busy_count(), 2);
        assert_eq!(lanes.leave(&one), Some('b'));
        assert_eq!(lanes.leave(&one), Some('c'));
        assert_eq!(lanes.leave(&one), None);
        assert_eq!(lanes.enter(one, 'd'), Some('d'), "free again");
    }
}
