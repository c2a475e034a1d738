//! From what happened to a call to who hears whom. Pure.

use domain::{
    any::{AnyEvent, Fact},
    billing::{self, rating},
    call::{Call, Event, Key, SupervisionMode},
    decider::Decider,
    id::{CallId, LegId, SubjectId, VoicemailId},
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap};

/// An order to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// The far end of the leg hears the music of that name; our own, without one.
    PlayMusic(LegId, Option<String>),
    /// The far end of the leg hears that the call is about to be cut.
    PlayNotice(LegId),
    /// The far end of the leg hears that somebody is being rung.
    PlayRingback(LegId),
    /// The far end of the leg hears the announcement of that name, once.
    Announce(LegId, String),
    /// The far end of the leg, which hears music, hears the prompt of that place by those
    /// prompts, or that it stands behind it; then music.
    TellPlace(LegId, String, (u32, bool)),
    /// The far end of the leg hears a greeting and a tone, and is recorded, so long at most.
    Record(LegId, Option<String>, u64),
    /// The two hear each other.
    Bridge(LegId, LegId),
    /// The first leg hears the other two; who of them hears it, the mode says.
    Supervise(LegId, [LegId; 2], SupervisionMode),
    /// The leg is over.
    Close(LegId),
}

/// The live calls, folded from their events as the domain does it.
#[derive(Debug, Default)]
pub(crate) struct Floor {
    calls: BTreeMap<CallId, Call>,
    legs: HashMap<LegId, CallId>,
    /// What is said on each leg belongs to a message; also after the end of its call.
    speaking: HashMap<LegId, Speaking>,
}

/// A message that is being left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Speaking {
    pub(crate) call: CallId,
    pub(crate) message: VoicemailId,
    /// Under whose key it is kept.
    pub(crate) subject: SubjectId,
}

impl Floor {
    /// Takes an event in and says what the relay must do. An event of a call
    /// that began before this floor did is obeyed as far as it speaks for
    /// itself.
    pub(crate) fn hear(&mut self, at: Timestamp, event: &AnyEvent) -> Vec<Order> {
        match event {
            AnyEvent::Call(id, event) => self.hear_call(*id, at, event),
            AnyEvent::Billing(billing::Event::Rating(id, rating::Event::Exhausted { .. })) => {
                let caller = self.calls.get(id).and_then(|call| call.caller_leg);
                caller.map(Order::PlayNotice).into_iter().collect()
            }
            AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => vec![],
        }
    }

    fn hear_call(&mut self, id: CallId, at: Timestamp, event: &Event) -> Vec<Order> {
        let before = self.calls.remove(&id);
        let begins = matches!(event, Event::Received { .. } | Event::Placed { .. });
        let known = before.is_some() || begins;
        let before = before.unwrap_or_default();
        let orders = orders(&before, event);
        for order in &orders {
            if let Order::Close(leg) = order {
                self.legs.remove(leg);
            }
        }
        if let Event::Received { leg, .. }
        | Event::Placed { leg, .. }
        | Event::OfferStarted { leg, .. }
        | Event::SupervisionRequested { leg, .. }
        | Event::LegDialled { leg, .. } = event
        {
            self.legs.insert(*leg, id);
        }
        if let Event::VoicemailStarted {
            leg,
            message,
            subject,
            ..
        } = event
        {
            let speaking = Speaking {
                call: id,
                message: *message,
                subject: *subject,
            };
            self.speaking.insert(*leg, speaking);
        }
        let after = Call::evolve(before, at, event);
        if known && !after.is_ended() {
            self.calls.insert(id, after);
        }
        orders
    }

    /// Whether a fact is of a call that this run of the node has received.
    pub(crate) fn concerns(&self, fact: &Fact, node_epoch: u64) -> bool {
        match &fact.event {
            AnyEvent::Call(_, Event::Received { .. } | Event::Placed { .. }) => {
                fact.node_epoch == node_epoch
            }
            AnyEvent::Call(id, _)
            | AnyEvent::Billing(billing::Event::Rating(id, rating::Event::Exhausted { .. })) => {
                self.calls.contains_key(id)
            }
            AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => false,
        }
    }

    /// The live call that a leg belongs to.
    pub(crate) fn call_of(&self, leg: LegId) -> Option<CallId> {
        self.legs.get(&leg).copied()
    }

    /// The call of a leg whose caller waits where that key leads out, or leaves a message
    /// that it ends. What else is pressed is told nobody.
    pub(crate) fn means_something(&self, leg: LegId, key: Key) -> Option<CallId> {
        let id = self.call_of(leg)?;
        let call = self.calls.get(&id)?;
        (call.exit_of(leg, key).is_some() || call.ends_message(leg, key)).then_some(id)
    }

    /// The message that was said on a leg, which is over; once.
    pub(crate) fn spoken(&mut self, leg: LegId) -> Option<Speaking> {
        self.speaking.remove(&leg)
    }

    /// Number of live calls.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }
}

/// What follows from an event for the media of its call.
pub(crate) fn orders(before: &Call, event: &Event) -> Vec<Order> {
    match event {
        // Answered with an agent at hand: the bridge is ordered already.
        Event::Answered {} => match (before.talking(), before.caller_leg) {
            (Some(_), _) | (_, None) => vec![],
            (None, Some(caller)) => vec![music(before, caller)],
        },
        Event::Enqueued { music, .. } => other_music(before, music.as_ref()),
        Event::AnnouncementStarted { .. }
        | Event::PlaceTold { .. }
        | Event::VoicemailStarted { .. } => of_settings(event).into_iter().collect(),
        Event::OfferEnded { leg, .. } => vec![Order::Close(*leg)],
        Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::SupervisionEnded { .. } => of_supervision(before, event).into_iter().collect(),
        Event::TakenOver { leg, from_leg, .. } => taken_over(before, *leg, *from_leg),
        Event::Transferred { leg, .. } => transferred(before, *leg),
        // The agent rings somebody back, and hears it.
        Event::AgentConnected { leg, .. } if before.is_placed => vec![Order::PlayRingback(*leg)],
        Event::AgentConnected { leg, .. } => match before.caller_leg {
            Some(caller) => vec![Order::Bridge(caller, *leg)],
            None => vec![],
        },
        // What the last trunk let be heard is over.
        Event::TrunkSelected { after: Some(_), .. } if before.is_placed => {
            let agent = before.agent_leg();
            agent.map(Order::PlayRingback).into_iter().collect()
        }
        // The caller's own phone has fallen silent for it, and is not told to ring anew.
        Event::TrunkSelected { after: Some(_), .. }
            if before.outside().is_some_and(|outside| outside.early_media) =>
        {
            let caller = before.caller_leg;
            caller.map(Order::PlayRingback).into_iter().collect()
        }
        // What a network says before it answers is for the caller to hear.
        Event::LegProgressed {
            leg,
            early_media: true,
        }
        | Event::LegAnswered { leg, .. } => match (before.caller_leg, before.agent_leg()) {
            (Some(caller), Some(agent)) if caller == *leg => vec![Order::Bridge(caller, agent)],
            (Some(caller), _) => vec![Order::Bridge(caller, *leg)],
            (None, _) => vec![],
        },
        Event::Held { leg } => held(before, *leg),
        Event::Retrieved { leg } => retrieved(before, *leg),
        Event::Ended { .. } => [before.caller_leg, before.agent_leg(), before.outside_leg()]
            .into_iter()
            .flatten()
            .map(Order::Close)
            .collect(),
        Event::Received { .. }
        | Event::Routed { .. }
        | Event::ExitKeyPressed { .. }
        | Event::Overflowed { .. }
        | Event::Forwarded { .. }
        | Event::LegDialled { .. }
        | Event::TrunkSelected { .. }
        | Event::LegProgressed { .. }
        | Event::OfferStarted { .. }
        | Event::LegAlerting { .. }
        | Event::Placed { .. }
        | Event::AnswerOrdered { .. }
        | Event::AnswerOrderRefused { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::VoicemailEnded { .. }
        | Event::MediaMeasured { .. }
        | Event::Tagged { .. }
        | Event::LateFact { .. } => vec![],
    }
}

/// That leg hears the music of the call's queue.
fn music(call: &Call, leg: LegId) -> Order {
    Order::PlayMusic(leg, call.music.clone())
}

/// A caller who hears music already, and comes into a queue that has another.
fn other_music(before: &Call, music: Option<&String>) -> Vec<Order> {
    let caller = before.caller_leg.filter(|_| before.answered_at.is_some());
    match caller {
        Some(caller) if before.music.as_ref() != music => {
            vec![Order::PlayMusic(caller, music.cloned())]
        }
        Some(_) | None => vec![],
    }
}

/// What the caller hears of what the settings name.
fn of_settings(event: &Event) -> Option<Order> {
    if let Event::AnnouncementStarted {
        leg, announcement, ..
    } = event
    {
        return Some(Order::Announce(*leg, announcement.clone()));
    }
    if let Event::PlaceTold {
        leg,
        sounds,
        place,
        is_behind,
        ..
    } = event
    {
        let place = (*place, *is_behind);
        return Some(Order::TellPlace(*leg, sounds.clone(), place));
    }
    if let Event::VoicemailStarted {
        leg,
        greeting,
        longest_ms,
        ..
    } = event
    {
        return Some(Order::Record(*leg, greeting.clone(), *longest_ms));
    }
    None
}

/// They hear each other again, unless the other side holds too: then the one
/// that came back waits with music.
fn retrieved(before: &Call, leg: LegId) -> Vec<Order> {
    match before.talking() {
        Some((_, _, holding)) if holding.iter().any(|holder| *holder != leg) => {
            vec![music(before, leg)]
        }
        Some((caller, other, _)) => {
            let mut orders = vec![Order::Bridge(caller, other)];
            if let Some(current) = before.supervision.filter(|current| current.is_started) {
                let pair = [caller, other];
                orders.push(Order::Supervise(current.leg, pair, current.mode));
            }
            orders
        }
        None => vec![],
    }
}

/// Whoever is held hears music; and so does a supervisor, to whom nobody talks then.
fn held(before: &Call, leg: LegId) -> Vec<Order> {
    let Some((caller, other, _)) = before.talking() else {
        return vec![];
    };
    let held = match leg == other {
        true => caller,
        false => other,
    };
    let current = before.supervision.filter(|current| current.is_started);
    let hear = [Some(held), current.map(|current| current.leg)];
    let hear = hear.into_iter().flatten();
    hear.map(|leg| music(before, leg)).collect()
}

/// What follows from an event of a supervision. Of a phone that rings the mode is told
/// when it answers.
fn of_supervision(before: &Call, event: &Event) -> Option<Order> {
    if let Event::SupervisionEnded { leg, .. } = event {
        return Some(Order::Close(*leg));
    }
    if let Event::SupervisionStarted { leg, mode, .. } = event {
        return supervised(before, *leg, *mode);
    }
    if let Event::SupervisionModeChanged { leg, mode, .. } = event
        && before.supervision.is_some_and(|current| current.is_started)
    {
        return supervised(before, *leg, *mode);
    }
    None
}

/// Caller and supervisor hear each other, and nobody the agent any more. Whom the agent held
/// is taken back by that; a caller who holds leaves the supervisor with music.
fn taken_over(before: &Call, leg: LegId, from_leg: LegId) -> Vec<Order> {
    let Some((caller, _, holding)) = before.talking() else {
        return vec![Order::Close(from_leg)];
    };
    let talks = match holding.contains(&caller) {
        true => music(before, leg),
        false => Order::Bridge(caller, leg),
    };
    vec![talks, Order::Close(from_leg)]
}

/// The caller hears music again, whoever held whom; that of the next queue by the event that
/// follows, if it has another.
fn transferred(before: &Call, from_leg: LegId) -> Vec<Order> {
    let hears = before.caller_leg.map(|caller| music(before, caller));
    let closed = Some(Order::Close(from_leg));
    [hears, closed].into_iter().flatten().collect()
}

/// Somebody hears the conversation from now on, or in another mode; music while it is held.
/// Whoever takes it over hears it by the event that follows.
fn supervised(before: &Call, leg: LegId, mode: SupervisionMode) -> Option<Order> {
    if mode == SupervisionMode::Takeover {
        return None;
    }
    let (caller, other, holding) = before.talking()?;
    Some(match holding.is_empty() {
        true => Order::Supervise(leg, [caller, other], mode),
        false => music(before, leg),
    })
}

#[cfg(test)]
mod tests;
