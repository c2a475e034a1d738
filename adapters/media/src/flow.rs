//! From what happened to a call to who hears whom. Pure.

use domain::{
    any::{AnyEvent, Fact},
    billing::{self, rating},
    call::{Call, Event, Key},
    decider::Decider,
    id::{CallId, LegId, SubjectId, VoicemailId},
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap};

/// An order to the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// The far end of the leg hears music.
    PlayMusic(LegId),
    /// The far end of the leg hears that the call is about to be cut.
    PlayNotice(LegId),
    /// The far end of the leg hears that somebody is being rung.
    PlayRingback(LegId),
    /// The far end of the leg hears the announcement of that name, once.
    Announce(LegId, String),
    /// The far end of the leg hears a greeting and a tone, and is recorded, so long at most.
    Record(LegId, Option<String>, u64),
    /// The two hear each other.
    Bridge(LegId, LegId),
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
            (None, Some(caller)) => vec![Order::PlayMusic(caller)],
        },
        Event::AnnouncementStarted {
            leg, announcement, ..
        } => vec![Order::Announce(*leg, announcement.clone())],
        Event::VoicemailStarted {
            leg,
            greeting,
            longest_ms,
            ..
        } => vec![Order::Record(*leg, greeting.clone(), *longest_ms)],
        Event::OfferEnded { leg, .. } => vec![Order::Close(*leg)],
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
        Event::Held { leg } => match before.talking() {
            Some((caller, other, _)) if *leg == other => vec![Order::PlayMusic(caller)],
            Some((_, other, _)) => vec![Order::PlayMusic(other)],
            None => vec![],
        },
        Event::Retrieved { leg } => retrieved(before, *leg),
        Event::Ended { .. } => [before.caller_leg, before.agent_leg(), before.outside_leg()]
            .into_iter()
            .flatten()
            .map(Order::Close)
            .collect(),
        Event::Received { .. }
        | Event::Routed { .. }
        | Event::Enqueued { .. }
        | Event::ExitKeyPressed { .. }
        | Event::Overflowed { .. }
        | Event::Forwarded { .. }
        | Event::LegDialled { .. }
        | Event::TrunkSelected { .. }
        | Event::LegProgressed { .. }
        | Event::OfferStarted { .. }
        | Event::LegAlerting { .. }
        | Event::Placed { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::VoicemailEnded { .. }
        | Event::MediaMeasured { .. }
        | Event::Tagged { .. }
        | Event::LateFact { .. } => vec![],
    }
}

/// They hear each other again, unless the other side holds too: then the one
/// that came back waits with music.
fn retrieved(before: &Call, leg: LegId) -> Vec<Order> {
    match before.talking() {
        Some((_, _, holding)) if holding.iter().any(|holder| *holder != leg) => {
            vec![Order::PlayMusic(leg)]
        }
        Some((caller, other, _)) => vec![Order::Bridge(caller, other)],
        None => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        call::{AnswerMode, Target},
        cause::{By, Disposition, EndCause, EndReason, EndResult, OfferOutcome, WireCause},
        id::{AccountId, AgentId, OfferId, QueueId, SessionId, SubjectId, TrunkId, VisitId},
        sealed::Sealed,
    };
    use uuid::Uuid;

    const CALL: CallId = CallId(Uuid::from_u128(1));
    const CALLER: LegId = LegId(Uuid::from_u128(2));
    const AGENT: LegId = LegId(Uuid::from_u128(3));
    const OTHER: LegId = LegId(Uuid::from_u128(4));
    const OFFER: OfferId = OfferId(Uuid::from_u128(5));
    const VISIT: VisitId = VisitId(Uuid::from_u128(6));
    const QUEUE: QueueId = QueueId(Uuid::from_u128(7));
    const SESSION: SessionId = SessionId {
        agent: AgentId(Uuid::from_u128(8)),
        number: 1,
    };

    fn received() -> Vec<Event> {
        vec![
            Event::Received {
                withheld: false,
                leg: CALLER,
                from: Sealed::new(SubjectId(Uuid::from_u128(9)), "c2VhbGVk".into()),
                to: "support".into(),
                trunk: None,
                sip_call_id: "call".into(),
                user_agent: None,
            },
            Event::Enqueued {
                visit: VISIT,
                queue: QUEUE,
                config_version: 1,
                answer_mode: AnswerMode::Immediate,
                exit_keys: vec![],
            },
        ]
    }

    fn offered(leg: LegId) -> Event {
        Event::OfferStarted {
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg,
            until: Timestamp::default(),
        }
    }

    fn connected(leg: LegId) -> Event {
        Event::AgentConnected {
            codec: None,
            device: None,
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg,
        }
    }

    fn ended() -> Event {
        Event::Ended {
            cause: EndCause {
                result: EndResult::Success,
                reason: EndReason::Hangup,
                by: By::Caller,
                sip_status: None,
                q850: Some(16),
                reason_header: None,
            },
            disposition: Disposition::Answered,
            ended_at: Timestamp::default(),
            incomplete: false,
            session: None,
            offer: None,
            visit: None,
            queue: None,
        }
    }

    /// Tells a fresh floor the events and expects these orders of the last one.
    #[track_caller]
    fn check(events: impl IntoIterator<Item = Event>, expected: &[Order]) -> Floor {
        let mut floor = Floor::default();
        let mut last = vec![];
        for event in events {
            last = floor.hear(Timestamp::default(), &AnyEvent::Call(CALL, event));
        }
        assert_eq!(last, expected);
        floor
    }

    fn talking(more: impl IntoIterator<Item = Event>) -> Vec<Event> {
        let mut events = received();
        events.extend([Event::Answered {}, offered(AGENT), connected(AGENT)]);
        events.extend(more);
        events
    }

    #[test]
    fn a_caller_who_is_answered_before_there_is_an_agent_hears_music() {
        let mut events = received();
        check(events.clone(), &[]);
        events.push(Event::Answered {});
        let floor = check(events.clone(), &[Order::PlayMusic(CALLER)]);
        assert_eq!(floor.call_of(CALLER), Some(CALL));
        events.push(connected(AGENT));
        check(events, &[Order::Bridge(CALLER, AGENT)]);
    }

    #[test]
    fn a_caller_who_is_answered_with_the_agent_hears_no_music_first() {
        let mut events = received();
        events.extend([offered(AGENT), connected(AGENT)]);
        check(events.clone(), &[Order::Bridge(CALLER, AGENT)]);
        events.push(Event::Answered {});
        check(events, &[]);
    }

    #[test]
    fn a_caller_whom_nobody_serves_is_told_so() {
        let mut events = received();
        events.extend([
            Event::Answered {},
            Event::AnnouncementStarted {
                leg: CALLER,
                announcement: "closed".into(),
                until: Timestamp::default(),
            },
        ]);
        let order = Order::Announce(CALLER, "closed".into());
        check(events.clone(), &[order]);
        events.push(ended());
        check(events, &[Order::Close(CALLER)]);
    }

    #[test]
    fn a_key_is_told_while_the_caller_waits_and_never_in_a_conversation() {
        let key: Key = "1".parse().expect("a key");
        let mut events = received();
        if let Some(Event::Enqueued { exit_keys, .. }) = events.last_mut() {
            exit_keys.push(key);
        }
        events.push(Event::Answered {});
        let told = |events: &[Event]| {
            let mut floor = Floor::default();
            for event in events {
                floor.hear(Timestamp::default(), &AnyEvent::Call(CALL, event.clone()));
            }
            [CALLER, AGENT].map(|leg| floor.means_something(leg, key))
        };
        assert_eq!(told(&events), [Some(CALL), None]);
        events.push(offered(AGENT));
        assert_eq!(told(&events), [Some(CALL), None]);
        // Whoever is on hold hears music too, and may tap a PIN meanwhile.
        events.push(connected(AGENT));
        assert_eq!(told(&events), [None, None]);
        events.push(Event::Held { leg: AGENT });
        assert_eq!(told(&events), [None, None]);
    }

    #[test]
    fn whoever_is_held_hears_music_and_both_talk_again_afterwards() {
        let held = |leg| Event::Held { leg };
        let back = |leg| Event::Retrieved { leg };
        let bridge = [Order::Bridge(CALLER, AGENT)];
        check(talking([held(AGENT)]), &[Order::PlayMusic(CALLER)]);
        check(talking([held(AGENT), back(AGENT)]), &bridge);
        check(talking([held(CALLER)]), &[Order::PlayMusic(AGENT)]);
        check(talking([held(CALLER), back(CALLER)]), &bridge);
        // Both hold: the first to come back still waits for the other.
        let both = [held(AGENT), held(CALLER), back(AGENT)];
        check(talking(both.clone()), &[Order::PlayMusic(AGENT)]);
        check(talking(both.into_iter().chain([back(CALLER)])), &bridge);
    }

    #[test]
    fn early_media_and_the_answer_of_somebody_outside_reach_the_caller() {
        let dialled = Event::LegDialled {
            leg: OTHER,
            target: Target::Number("+4930".into()),
            until: Timestamp::default(),
        };
        let progressed = |early_media| Event::LegProgressed {
            leg: OTHER,
            early_media,
        };
        let answered = Event::LegAnswered {
            leg: OTHER,
            codec: None,
        };
        let bridge = [Order::Bridge(CALLER, OTHER)];
        let mut events = received();
        events.push(dialled);
        let floor = check(events.clone(), &[]);
        assert_eq!(floor.call_of(OTHER), Some(CALL));
        events.push(progressed(false));
        check(events.clone(), &[]);
        let mut early = events.clone();
        early.push(progressed(true));
        check(early.clone(), &bridge);
        // What the trunk said is over when another one is tried; a second one that has
        // said nothing leaves the caller's phone to ring by itself.
        let next = Event::TrunkSelected {
            leg: OTHER,
            trunk: TrunkId(Uuid::from_u128(12)),
            party: Sealed::new(SubjectId(Uuid::from_u128(9)), "c2VhbGVk".into()),
            after: Some(WireCause::default()),
        };
        early.push(next.clone());
        check(early.clone(), &[Order::PlayRingback(CALLER)]);
        early.push(next);
        check(early.clone(), &[]);
        early.push(progressed(true));
        check(early, &bridge);
        events.push(answered);
        check(events.clone(), &bridge);
        events.push(Event::Answered {});
        check(events.clone(), &[]);
        events.push(Event::Held { leg: OTHER });
        check(events.clone(), &[Order::PlayMusic(CALLER)]);
        events.push(ended());
        check(events, &[Order::Close(CALLER), Order::Close(OTHER)]);
    }

    #[test]
    fn a_caller_without_credit_is_told_before_the_call_is_cut() {
        let mut floor = check(talking([]), &[Order::Bridge(CALLER, AGENT)]);
        let exhausted = rating::Event::Exhausted {
            account: AccountId(Uuid::from_u128(10)),
            until: Timestamp::default(),
        };
        let tell = |call| AnyEvent::Billing(billing::Event::Rating(call, exhausted.clone()));
        let told = floor.hear(Timestamp::default(), &tell(CALL));
        assert_eq!(told, [Order::PlayNotice(CALLER)]);
        let other = CallId(Uuid::from_u128(11));
        assert_eq!(floor.hear(Timestamp::default(), &tell(other)), []);
    }

    #[test]
    fn the_leg_of_an_offer_that_ended_is_closed() {
        let over = Event::OfferEnded {
            offer: OFFER,
            visit: VISIT,
            session: SESSION,
            leg: OTHER,
            outcome: OfferOutcome::NoAnswer,
            wire: WireCause::default(),
        };
        let mut events = received();
        events.extend([offered(OTHER), over]);
        let floor = check(events, &[Order::Close(OTHER)]);
        assert_eq!(floor.call_of(OTHER), None);
        assert_eq!(floor.call_of(CALLER), Some(CALL));
    }

    #[test]
    fn every_leg_of_a_call_that_ended_is_closed() {
        let mut alone = received();
        alone.push(ended());
        check(alone, &[Order::Close(CALLER)]);
        let mut ringing = received();
        ringing.extend([offered(AGENT), ended()]);
        check(ringing, &[Order::Close(CALLER), Order::Close(AGENT)]);
        let all = [Order::Close(CALLER), Order::Close(AGENT)];
        let floor = check(talking([ended()]), &all);
        assert_eq!(floor.call_of(CALLER), None);
        assert_eq!(floor.len(), 0, "nothing is remembered of it");
    }

    #[test]
    fn the_calls_of_another_node_are_not_heard() {
        let of = |node_epoch, event| Fact {
            position: 1,
            version: 1,
            event_id: domain::id::EventId(Uuid::from_u128(10)),
            at: Timestamp::default(),
            node_epoch,
            tenant: domain::id::DEFAULT_TENANT,
            event: AnyEvent::Call(CALL, event),
        };
        let [first, _] = received().try_into().unwrap();
        let empty = Floor::default();
        assert!(empty.concerns(&of(1, first.clone()), 1));
        assert!(!empty.concerns(&of(2, first), 1));
        assert!(!empty.concerns(&of(1, Event::Answered {}), 1));
        let floor = check(received(), &[]);
        // Whoever writes the rest: the call is here.
        assert!(floor.concerns(&of(2, Event::Answered {}), 1));
    }

    #[test]
    fn late_facts_and_calls_of_an_earlier_run_leave_nothing_behind() {
        let late = Event::LateFact {
            leg: AGENT,
            fact: "record_bye".into(),
        };
        assert_eq!(check(talking([ended(), late]), &[]).len(), 0);
        assert_eq!(check([Event::Answered {}], &[]).len(), 0);
        assert_eq!(check([ended()], &[]).len(), 0);
    }
}
