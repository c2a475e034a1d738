//! The legs of one shard, by slot and by id.

use crate::{hears::Hears, leg::Leg};
use domain::id::LegId;
use std::{collections::HashMap, time::Instant};

/// Slots are reused; an id leads to the slot that its leg has now.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Option<Box<Leg>>>,
    free: Vec<usize>,
    by_id: HashMap<LegId, usize>,
}

impl Table {
    /// Takes a leg in and returns its slot.
    pub(crate) fn insert(&mut self, leg: Box<Leg>) -> usize {
        let slot = self.free.pop().unwrap_or(self.slots.len());
        self.by_id.insert(leg.id, slot);
        if slot == self.slots.len() {
            self.slots.push(Some(leg));
        } else {
            self.slots[slot] = Some(leg);
        }
        slot
    }

    /// Gives a leg up. The leg that heard it hears nothing then.
    pub(crate) fn remove(&mut self, id: LegId, now: Instant) -> Option<Box<Leg>> {
        let slot = self.by_id.remove(&id)?;
        self.detach(slot, now);
        self.free.push(slot);
        self.slots[slot].take()
    }

    /// Where a leg is.
    pub(crate) fn slot(&self, id: LegId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn get(&mut self, slot: usize) -> Option<&mut Leg> {
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    pub(crate) fn by_id(&mut self, id: LegId) -> Option<&mut Leg> {
        self.get(self.slot(id)?)
    }

    /// Two different legs at once.
    pub(crate) fn pair(&mut self, a: usize, b: usize) -> Option<(&mut Leg, &mut Leg)> {
        let [a, b] = self.slots.get_disjoint_mut([a, b]).ok()?;
        Some((a.as_deref_mut()?, b.as_deref_mut()?))
    }

    /// Number of legs.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The legs in every `phases`-th slot from `phase` on, so that a tick has a
    /// part of the work.
    pub(crate) fn phase(&mut self, phase: usize, phases: usize) -> impl Iterator<Item = &mut Leg> {
        self.slots
            .iter_mut()
            .skip(phase)
            .step_by(phases)
            .filter_map(|leg| leg.as_deref_mut())
    }

    /// Ends a bridge from one side, and what a third leg hears of it; all hear nothing then.
    /// Anything else is left.
    pub(crate) fn detach(&mut self, slot: usize, now: Instant) {
        self.end_supervision(slot, now);
        let Some(leg) = self.get(slot) else { return };
        if let Hears::Peer(peer) = leg.hears {
            leg.hear(Hears::Nothing, now);
            if let Some(peer) = self.get(peer) {
                peer.hear(Hears::Nothing, now);
            }
        }
    }

    /// Lets a leg hear something that is no leg; an unknown one is ignored. A
    /// leg that hears that music already is not sent back to its first bar.
    pub(crate) fn play(&mut self, id: LegId, hears: Hears, now: Instant) {
        let Some(slot) = self.slot(id) else { return };
        let Some(leg) = self.get(slot) else { return };
        let is_same = match (leg.hears, hears) {
            (Hears::Music(waiting), Hears::Music(other)) => waiting.track == other.track,
            (this, that) => std::mem::discriminant(&this) == std::mem::discriminant(&that),
        };
        if is_same {
            return;
        }
        self.detach(slot, now);
        if let Some(leg) = self.get(slot) {
            leg.hear(hears, now);
        }
    }

    /// Lets a leg that hears music hear a prompt, and music again after it: whatever else it
    /// hears comes first.
    pub(crate) fn prompt(&mut self, id: LegId, place: usize) {
        let slot = self.slot(id);
        let leg = slot.and_then(|slot| self.get(slot));
        // Whoever is silent meanwhile is not given new patience for it.
        if let Some(leg) = leg
            && let Hears::Music(waiting) = &mut leg.hears
        {
            waiting.tell(place);
        }
    }

    /// Lets two legs hear each other; what either heard before ends. Nothing
    /// happens if one is unknown. Two who do already only have fresh patience: the
    /// order comes again when whoever was heard early has answered, and may send
    /// only now.
    pub(crate) fn bridge(&mut self, a: LegId, b: LegId, now: Instant) {
        let (Some(a), Some(b)) = (self.slot(a), self.slot(b)) else {
            return;
        };
        if a == b {
            return;
        }
        if self.get(a).is_none_or(|leg| leg.hears != Hears::Peer(b)) {
            self.detach(a, now);
            self.detach(b, now);
        }
        if let Some((leg_a, leg_b)) = self.pair(a, b) {
            leg_a.hear(Hears::Peer(b), now);
            leg_b.hear(Hears::Peer(a), now);
        }
    }

    /// Ends the bridge between two legs, if there is one.
    pub(crate) fn unbridge(&mut self, a: LegId, b: LegId, now: Instant) {
        let (Some(a), Some(b)) = (self.slot(a), self.slot(b)) else {
            return;
        };
        if self.get(a).is_some_and(|leg| leg.hears == Hears::Peer(b)) {
            self.detach(a, now);
        }
    }
}
