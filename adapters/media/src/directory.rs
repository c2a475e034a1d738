//! What the handle knows of legs: which shard has one, what was ordered for
//! one that is not open yet, and which were closed for good. Signalling opens
//! legs and the feed of events directs them, and neither waits for the other.

use crate::{hears::Hears, relay::LocalMedia};
use domain::id::LegId;
use std::collections::{HashMap, VecDeque};

/// Orders for legs that are not open yet; more are refused. Legs without ports
/// would be the cause, and then nobody hears anything anyway.
const WISHES_MAX: usize = 65_536;
/// Closed legs that are remembered. An order that is older than this many
/// calls does not come any more.
const CLOSED_MAX: usize = 65_536;

/// Where an open leg is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) shard: usize,
    pub(crate) local: LocalMedia,
}

/// What a leg shall hear once it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Play(Hears),
    Bridge(LegId),
}

/// See above.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    open: HashMap<LegId, Entry>,
    wishes: HashMap<LegId, Wish>,
    /// Whether each was open before.
    closed: HashMap<LegId, bool>,
    closed_order: VecDeque<LegId>,
    turn: usize,
}

impl Directory {
    /// The shard whose turn it is to take a new leg.
    pub(crate) fn next_shard(&mut self, shards: usize) -> usize {
        self.turn = (self.turn + 1) % shards.max(1);
        self.turn
    }

    pub(crate) fn entry(&self, leg: LegId) -> Option<Entry> {
        self.open.get(&leg).copied()
    }

    pub(crate) fn shard(&self, leg: LegId) -> Option<usize> {
        self.open.get(&leg).map(|entry| entry.shard)
    }

    /// Notes that a leg is open, or is in another shard now.
    pub(crate) fn set(&mut self, leg: LegId, entry: Entry) {
        self.open.insert(leg, entry);
    }

    /// The legs that are open.
    pub(crate) fn open_legs(&self) -> Vec<LegId> {
        self.open.keys().copied().collect()
    }

    pub(crate) fn was_closed(&self, leg: LegId) -> bool {
        self.closed.contains_key(&leg)
    }

    /// Whether a leg is open or was.
    pub(crate) fn was_open(&self, leg: LegId) -> bool {
        self.open.contains_key(&leg) || self.closed.get(&leg) == Some(&true)
    }

    /// Forgets a leg and remembers that it is over, whether it was open or
    /// not. Returns where it was open.
    pub(crate) fn close(&mut self, leg: LegId) -> Option<Entry> {
        self.forget_wish(leg);
        if !self.closed.contains_key(&leg) {
            self.closed.insert(leg, self.open.contains_key(&leg));
            self.closed_order.push_back(leg);
        }
        if self.closed_order.len() > CLOSED_MAX
            && let Some(oldest) = self.closed_order.pop_front()
        {
            self.closed.remove(&oldest);
        }
        self.open.remove(&leg)
    }

    /// Keeps an order for a leg that is not open yet; the last one counts.
    pub(crate) fn wish(&mut self, leg: LegId, wish: Wish) {
        self.forget_wish(leg);
        let peer = match wish {
            Wish::Play(_) => None,
            Wish::Bridge(peer) => {
                self.forget_wish(peer);
                Some(peer)
            }
        };
        let ended = self.was_closed(leg) || peer.is_some_and(|peer| self.was_closed(peer));
        if ended || self.wishes.len() >= WISHES_MAX {
            return;
        }
        self.wishes.insert(leg, wish);
        if let Some(peer) = peer {
            self.wishes.insert(peer, Wish::Bridge(leg));
        }
    }

    /// What was ordered for a leg before it was open.
    pub(crate) fn wish_of(&self, leg: LegId) -> Option<Wish> {
        self.wishes.get(&leg).copied()
    }

    /// A later order has taken the place of what was wished for a leg.
    pub(crate) fn forget_wish(&mut self, leg: LegId) {
        if let Some(Wish::Bridge(peer)) = self.wishes.remove(&leg)
            && self.wishes.get(&peer) == Some(&Wish::Bridge(leg))
        {
            self.wishes.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hears::Waiting;
    use uuid::Uuid;

    const MUSIC: Wish = Wish::Play(Hears::Music(Waiting::with(0)));

    fn leg(number: usize) -> LegId {
        LegId(Uuid::from_u128(number as u128))
    }

    #[test]
    fn the_last_order_for_a_leg_is_the_one_that_is_kept() {
        let mut directory = Directory::default();
        directory.wish(leg(1), MUSIC);
        directory.wish(leg(1), Wish::Bridge(leg(2)));
        assert_eq!(directory.wish_of(leg(1)), Some(Wish::Bridge(leg(2))));
        assert_eq!(directory.wish_of(leg(2)), Some(Wish::Bridge(leg(1))));
        directory.wish(leg(2), MUSIC);
        assert_eq!(directory.wish_of(leg(1)), None, "the bridge is off");
        assert_eq!(directory.wish_of(leg(2)), Some(MUSIC));
    }

    #[test]
    fn nothing_is_kept_for_a_leg_that_was_closed() {
        let mut directory = Directory::default();
        directory.wish(leg(1), Wish::Bridge(leg(2)));
        assert!(directory.close(leg(2)).is_none());
        assert_eq!(directory.wish_of(leg(1)), None);
        directory.wish(leg(2), MUSIC);
        directory.wish(leg(1), Wish::Bridge(leg(2)));
        assert_eq!(directory.wish_of(leg(1)), None);
        assert!(directory.was_closed(leg(2)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut directory = Directory::default();
        for number in 0..2 * CLOSED_MAX {
            directory.close(leg(number));
            directory.close(leg(number));
        }
        assert_eq!(directory.closed.len(), CLOSED_MAX);
        assert_eq!(directory.closed_order.len(), CLOSED_MAX);
        for number in 3 * CLOSED_MAX..3 * CLOSED_MAX + 2 * WISHES_MAX {
            directory.wish(leg(number), MUSIC);
        }
        assert_eq!(directory.wishes.len(), WISHES_MAX);
    }
}
