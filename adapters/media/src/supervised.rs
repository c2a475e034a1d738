//! A conversation that a third leg hears. The two legs of it stay a bridge: what nobody
//! but the two is to hear is relayed as ever, and the third hears a copy. A leg that is to
//! hear the third one too hears both added up instead.

use crate::{
    hears::Hears,
    leg::{Context, Taken},
    mixer::Mixer,
    remote::Kind,
    table::Table,
};
use domain::id::LegId;
use std::time::Instant;

/// Who hears the third leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeardBy {
    /// Nobody.
    Nobody,
    /// The second leg of the two, an agent's.
    Second,
    /// Both.
    Both,
}

impl Table {
    /// Lets a third leg hear two that hear each other, and says who hears it. Nothing
    /// happens if they do not, or one is unknown. The same again with another audience
    /// changes that alone.
    pub(crate) fn supervise(
        &mut self,
        third: LegId,
        [first, second]: [LegId; 2],
        heard: HeardBy,
        now: Instant,
    ) {
        let (Some(third), Some(first), Some(second)) =
            (self.slot(third), self.slot(first), self.slot(second))
        else {
            return;
        };
        let talks = self.get(first).map(|leg| leg.hears) == Some(Hears::Peer(second));
        if !talks || third == first || third == second {
            return;
        }
        let pair = [first, second];
        let hears = Hears::Conversation(pair);
        if self.get(third).is_some_and(|leg| leg.hears != hears) {
            self.detach(third, now);
            // Another third may have heard them.
            self.end_supervision(first, now);
            if let Some(leg) = self.get(third) {
                leg.hear(hears, now);
                leg.mixer = Some(Box::new(Mixer::of(pair)));
            }
        }
        for (slot, peer, hears_third) in [
            (first, second, heard == HeardBy::Both),
            (second, first, heard != HeardBy::Nobody),
        ] {
            let Some(leg) = self.get(slot) else { continue };
            leg.overheard_by = Some(third);
            let sources = [peer, third];
            let mixes = leg.mixer.as_ref().is_some_and(|mixer| mixer.is_of(sources));
            if hears_third != mixes {
                leg.mixer = hears_third.then(|| Box::new(Mixer::of(sources)));
            }
        }
    }

    /// Ends what a third leg hears, from any of the three: the third hears nothing then,
    /// and the two only each other.
    pub(crate) fn end_supervision(&mut self, slot: usize, now: Instant) {
        let Some(leg) = self.get(slot) else { return };
        let third = match leg.hears {
            Hears::Conversation(_) => slot,
            Hears::Nothing
            | Hears::Silence
            | Hears::Music(_)
            | Hears::Notice { .. }
            | Hears::Ringback { .. }
            | Hears::Announcement { .. }
            | Hears::Announced { .. }
            | Hears::Greeting { .. }
            | Hears::Peer(_) => match leg.overheard_by {
                Some(third) => third,
                None => return,
            },
        };
        let Some(leg) = self.get(third) else { return };
        let Hears::Conversation(pair) = leg.hears else {
            return;
        };
        leg.mixer = None;
        leg.hear(Hears::Nothing, now);
        for slot in pair {
            if let Some(leg) = self.get(slot) {
                (leg.overheard_by, leg.mixer) = (None, None);
            }
        }
    }

    /// A packet of one of the three, to whoever hears it.
    pub(crate) fn relay_supervised(
        &mut self,
        from: usize,
        taken: Taken,
        packet: &mut [u8],
        context: &Context<'_>,
    ) {
        let Some(leg) = self.get(from) else { return };
        // The copy comes first: what is relayed is written anew.
        // A phone that holds plays what is for nobody in the conversation.
        let holds = !leg.talks();
        let listeners = match (leg.hears, leg.overheard_by) {
            (Hears::Conversation(_), _) if holds => return,
            (Hears::Conversation(pair), _) => pair,
            (Hears::Peer(peer), Some(third)) => [third, peer],
            (_, _) => return,
        };
        for slot in listeners {
            let Some(listener) = self.get(slot) else {
                continue;
            };
            let is_peer = listener.hears == Hears::Peer(from);
            match (&mut listener.mixer, taken.kind) {
                (Some(mixer), Kind::Audio) => taken.mix_into(mixer, from, packet),
                // Keys are between the two: those of the third are nobody's.
                (Some(_), Kind::TelephoneEvent) if is_peer => {
                    listener.forward_key(from, taken, packet, context);
                }
                (None, _) if is_peer => listener.forward_rtp(from, taken, packet, context),
                (Some(_) | None, _) => {}
            }
        }
    }
}
