use super::*;
use domain::{
    call::{AnswerMode, SupervisionEnd, Target},
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
            music: None,
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
    let floor = check(events.clone(), &[Order::PlayMusic(CALLER, None)]);
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

/// In that queue from now on.
fn enqueued(queue: u128, music: Option<&str>) -> Event {
    Event::Enqueued {
        visit: VISIT,
        queue: QueueId(Uuid::from_u128(queue)),
        config_version: 1,
        answer_mode: AnswerMode::Immediate,
        exit_keys: vec![],
        music: music.map(Into::into),
    }
}

#[test]
fn a_caller_hears_the_music_of_the_queue_and_so_does_whoever_is_held() {
    let mut events = received();
    events.push(enqueued(1, Some("jazz")));
    check(events.clone(), &[]);
    let jazz = |leg| Order::PlayMusic(leg, Some("jazz".into()));
    events.push(Event::Answered {});
    check(events.clone(), &[jazz(CALLER)]);
    let mut sent_on = events.clone();
    events.extend([offered(AGENT), connected(AGENT)]);
    for (holder, held) in [(AGENT, CALLER), (CALLER, AGENT)] {
        let mut events = events.clone();
        events.push(Event::Held { leg: holder });
        check(events, &[jazz(held)]);
    }
    // Another queue with the same music is no seam; one with other music is.
    sent_on.push(enqueued(2, Some("jazz")));
    check(sent_on.clone(), &[]);
    sent_on.push(enqueued(3, None));
    check(sent_on, &[Order::PlayMusic(CALLER, None)]);
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
fn a_caller_who_waits_is_told_the_place() {
    let mut events = received();
    events.extend([
        Event::Answered {},
        Event::PlaceTold {
            leg: CALLER,
            visit: VISIT,
            queue: QUEUE,
            sounds: "english".into(),
            place: 3,
            is_behind: true,
        },
    ]);
    let order = Order::TellPlace(CALLER, "english".into(), (3, true));
    check(events, &[order]);
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
    check(talking([held(AGENT)]), &[Order::PlayMusic(CALLER, None)]);
    check(talking([held(AGENT), back(AGENT)]), &bridge);
    check(talking([held(CALLER)]), &[Order::PlayMusic(AGENT, None)]);
    check(talking([held(CALLER), back(CALLER)]), &bridge);
    // Both hold: the first to come back still waits for the other.
    let both = [held(AGENT), held(CALLER), back(AGENT)];
    check(talking(both.clone()), &[Order::PlayMusic(AGENT, None)]);
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
        after_at: None,
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
    check(events.clone(), &[Order::PlayMusic(CALLER, None)]);
    events.push(ended());
    check(events, &[Order::Close(CALLER), Order::Close(OTHER)]);
}

const THIRD: LegId = LegId(Uuid::from_u128(13));

fn supervision(mode: SupervisionMode) -> [Event; 2] {
    let supervisor = AgentId(Uuid::from_u128(14));
    let requested = Event::SupervisionRequested {
        leg: THIRD,
        supervisor,
        mode,
        until: Timestamp::default(),
        by: "carla".into(),
    };
    let started = Event::SupervisionStarted {
        leg: THIRD,
        supervisor,
        mode,
        codec: None,
        device: None,
    };
    [requested, started]
}

fn changed(mode: SupervisionMode) -> Event {
    Event::SupervisionModeChanged {
        leg: THIRD,
        supervisor: AgentId(Uuid::from_u128(14)),
        mode,
        by: "carla".into(),
    }
}

fn supervise(mode: SupervisionMode) -> Order {
    Order::Supervise(THIRD, [CALLER, AGENT], mode)
}

#[test]
fn a_supervisor_hears_the_call_once_the_phone_has_answered_and_as_the_mode_says() {
    let (listen, barge) = (SupervisionMode::Listen, SupervisionMode::Barge);
    let [requested, started] = supervision(listen);
    let floor = check(talking([requested.clone()]), &[]);
    assert_eq!(floor.call_of(THIRD), Some(CALL), "its silence is told");
    // Of a phone that rings it is told when it answers.
    check(talking([requested.clone(), changed(barge)]), &[]);
    let events = [requested, started];
    check(talking(events.clone()), &[supervise(listen)]);
    let again = events.into_iter().chain([changed(barge)]);
    check(talking(again), &[supervise(barge)]);
}

#[test]
fn whoever_supervises_a_call_on_hold_hears_music_until_both_talk_again() {
    let (listen, barge) = (SupervisionMode::Listen, SupervisionMode::Barge);
    let held = |leg| Event::Held { leg };
    let back = |leg| Event::Retrieved { leg };
    let music = |leg| Order::PlayMusic(leg, None);
    let with = |more: &[Event]| {
        let events = supervision(listen).into_iter();
        talking(events.chain(more.iter().cloned()))
    };
    check(with(&[held(AGENT)]), &[music(CALLER), music(THIRD)]);
    check(with(&[held(AGENT), changed(barge)]), &[music(THIRD)]);
    let both = [held(AGENT), held(CALLER), back(AGENT)];
    check(with(&both), &[music(AGENT)]);
    let again = [held(AGENT), changed(barge), back(AGENT)];
    let talk = [Order::Bridge(CALLER, AGENT), supervise(barge)];
    check(with(&again), &talk);
    // Nobody answered yet: the phone that rings hears nothing.
    let [requested, _] = supervision(listen);
    check(talking([requested, held(AGENT)]), &[music(CALLER)]);
}

#[test]
fn a_supervision_that_is_over_closes_its_leg_and_no_other() {
    let over = Event::SupervisionEnded {
        leg: THIRD,
        supervisor: AgentId(Uuid::from_u128(14)),
        reason: SupervisionEnd::HungUp,
        by: None,
        wire: WireCause::default(),
    };
    let events = supervision(SupervisionMode::Listen).into_iter();
    let floor = check(talking(events.chain([over])), &[Order::Close(THIRD)]);
    assert_eq!(floor.call_of(THIRD), None);
    assert_eq!(floor.call_of(AGENT), Some(CALL));
}

#[test]
fn whoever_takes_the_call_talks_with_the_caller_and_the_agents_leg_is_closed() {
    let taken = |more: &[Event]| {
        let [requested, started] = supervision(SupervisionMode::Takeover);
        let over = Event::TakenOver {
            leg: THIRD,
            supervisor: AgentId(Uuid::from_u128(14)),
            from_leg: AGENT,
            session: SESSION,
            offer: OFFER,
        };
        let mut events = vec![requested];
        events.extend(more.iter().cloned());
        events.extend([started, over]);
        talking(events)
    };
    let held = |leg| Event::Held { leg };
    let back = |leg| Event::Retrieved { leg };
    let close = Order::Close(AGENT);
    let talk = Order::Bridge(CALLER, THIRD);
    let floor = check(taken(&[]), &[talk.clone(), close.clone()]);
    assert_eq!(floor.call_of(AGENT), None, "its silence is nobody's");
    // Whom the agent held is talked with; who holds still does.
    check(taken(&[held(AGENT)]), &[talk.clone(), close.clone()]);
    let music = Order::PlayMusic(THIRD, None);
    check(taken(&[held(CALLER)]), &[music, close]);
    let then = |more: Event| taken(&[]).into_iter().chain([more]);
    check(then(held(THIRD)), &[Order::PlayMusic(CALLER, None)]);
    check(then(held(THIRD)).chain([back(THIRD)]), &[talk]);
    check(then(ended()), &[Order::Close(CALLER), Order::Close(THIRD)]);
    // The mode alone lets nobody hear anything else.
    let [requested, _] = supervision(SupervisionMode::Listen);
    let [_, started] = supervision(SupervisionMode::Takeover);
    check(talking([requested, started]), &[]);
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
