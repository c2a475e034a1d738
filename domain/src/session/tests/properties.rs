//! What holds for every session, whatever comes in whatever order.

use super::{force::force, *};
use crate::{
    decider::Decider,
    id::{CallId, OfferId},
    queue::Terms,
    testing::{OTHER_CALL, OTHER_OFFER},
};
use proptest::{
    collection::vec, prelude::*, prop_assert, prop_assert_eq, prop_oneof, sample::select,
};

const THIRD_CALL: CallId = CallId(uuid::Uuid::from_u128(0x33));
const THIRD_OFFER: OfferId = OfferId(uuid::Uuid::from_u128(0x34));

fn ids() -> impl Strategy<Value = (CallId, OfferId)> {
    select(vec![
        (CALL, OFFER),
        (OTHER_CALL, OTHER_OFFER),
        (THIRD_CALL, THIRD_OFFER),
    ])
}

fn not_ready_reason() -> impl Strategy<Value = NotReadyReason> {
    select(vec![
        NotReadyReason::Break,
        NotReadyReason::Meal,
        NotReadyReason::Supervisor,
    ])
}

fn release_reason() -> impl Strategy<Value = ReleaseReason> {
    select(vec![
        ReleaseReason::CallerGone,
        ReleaseReason::NoAnswer,
        ReleaseReason::NoAnswer,
        ReleaseReason::Rejected,
        ReleaseReason::Busy,
        ReleaseReason::Unreachable,
        ReleaseReason::Superseded,
        ReleaseReason::TimedOut,
    ])
}

fn logout_reason() -> impl Strategy<Value = LogoutReason> {
    select(vec![LogoutReason::Agent, LogoutReason::DeviceLost])
}

fn next_state() -> impl Strategy<Value = NextState> {
    prop_oneof![
        Just(NextState::Ready),
        not_ready_reason().prop_map(NextState::NotReady),
        logout_reason().prop_map(NextState::LoggedOut),
    ]
}

fn fact() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => ids().prop_map(|(call, offer)| Command::EndContact { call, offer }),
        2 => (ids(), 0..60_u32).prop_map(|((call, _), seconds)| Command::EndWrapUp { call, until: second(seconds.into()) }),
    ]
}

fn command(capacity: u8) -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => any::<bool>().prop_map(|ready| Command::LogIn { session: SESSION, ready }),
        1 => logout_reason().prop_map(|reason| Command::LogOut { reason }),
        4 => Just(Command::GoReady),
        2 => Just(Command::RecordPhoneLost),
        2 => Just(Command::RecordPhoneBack),
        2 => not_ready_reason().prop_map(go_not_ready),
        8 => (ids(), select(vec![0, WRAP_UP_MS])).prop_map(move |((call, offer), wrap_up_ms)| {
            Command::Reserve {
                offer,
                call,
                visit: VISIT,
                queue: QUEUE,
                until: RESERVED_UNTIL,
                wrap_up_ms, choice: None,
                terms: Terms { wrap_up_code: offer == OTHER_OFFER, ..Terms::STANDARD }, capacity }
        }),
        3 => (ids(), release_reason())
            .prop_map(|((_, offer), reason)| Command::ReleaseReservation { offer, reason }),
        5 => ids().prop_map(|(_, offer)| Command::ConfirmConnect { offer }),
        1 => Just(Command::CompleteWrapUp { code: Some("sold".into()), note: None, call: None }),
        1 => select(vec![1_000, 600_000]).prop_map(|by_ms| Command::ExtendWrapUp { by_ms, call: None }),
        1 => next_state().prop_map(force),
        6 => fact(),
    ]
}

/// What is asked of an agent of one, two or three voice units.
fn history() -> impl Strategy<Value = Vec<Command>> {
    (1..=3_u8).prop_flat_map(history_of)
}

fn history_of(capacity: u8) -> impl Strategy<Value = Vec<Command>> {
    vec(command(capacity), 0..60)
}

/// Any event, whether it could follow or not.
fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(logged_in()),
        Just(LOGGED_OUT),
        Just(Event::BecameReady {}),
        not_ready_reason().prop_map(not_ready),
        next_state().prop_map(requested),
        Just(reserved_event(WRAP_UP_MS)),
        release_reason().prop_map(released),
        Just(connected_event()),
        Just(Event::ContactEnded {
            call: CALL,
            still: None
        }),
        Just(Event::WrapUpExtended {
            call: CALL,
            until: second(90)
        }),
        Just(Event::WrapUpStarted {
            call: CALL,
            until: second(80),
            code_required: false,
            still: None
        }),
        Just(Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Timer,
            code: None,
            note: None,
            still: None
        }),
    ]
}

/// Plays the commands one second apart, a refused one changing nothing, and
/// returns each event with the state after it and whether its decision is done.
fn play(commands: Vec<Command>) -> Vec<(Event, Session, bool)> {
    let mut session = Session::default();
    let mut log = vec![];
    for (seconds, command) in (0..).zip(commands) {
        let at = second(seconds);
        let events = Session::decide(&session, at, command).unwrap_or_default();
        let count = events.len();
        for (number, event) in (1..).zip(events) {
            session = Session::evolve(session, at, &event);
            log.push((event, session.clone(), number == count));
        }
    }
    log
}

fn last(log: &[(Event, Session, bool)]) -> Session {
    log.last()
        .map_or_else(Session::default, |(_, session, _)| session.clone())
}

proptest! {
    #[test]
    fn a_session_never_holds_more_than_its_capacity_nor_two_reservations(
        (capacity, commands) in (1..=3_u8).prop_flat_map(|capacity| (Just(capacity), history_of(capacity))),
    ) {
        let mut reserved = None;
        let mut contacts = vec![];
        for (event, ..) in play(commands) {
            match event {
                Event::Reserved { offer, call, .. } => {
                    prop_assert_eq!(reserved, None);
                    reserved = Some((offer, call));
                    prop_assert!(contacts.len() < usize::from(capacity), "{:?}", contacts);
                }
                Event::ReservationReleased { offer, .. } => {
                    prop_assert_eq!(reserved.map(|(offer, _)| offer), Some(offer));
                    reserved = None;
                }
                Event::ConnectedToContact { offer, call, .. } => {
                    prop_assert_eq!(reserved, Some((offer, call)));
                    reserved = None;
                    contacts.push(call);
                }
                Event::ContactEnded { call, .. } => {
                    prop_assert!(contacts.contains(&call), "{} ended, and was not held", call);
                    contacts.retain(|held| *held != call);
                }
                // Whoever reads any of these takes it that nothing is held.
                Event::BecameReady {}
                | Event::BecameNotReady { .. }
                | Event::LoggedOut { .. }
                | Event::LoggedIn { .. } => {
                    prop_assert_eq!(reserved, None);
                    prop_assert_eq!(&contacts, &Vec::<CallId>::new());
                }
                Event::NextStateRequested { .. }
                | Event::WrapUpStarted { .. }
                | Event::WrapUpEnded { .. }
                | Event::WrapUpExtended { .. }
                | Event::Forced { .. } => {}
            }
        }
    }

    #[test]
    fn nobody_is_reserved_during_a_wrap_up_or_on_the_way_to_another_state(commands in history()) {
        let mut before = Session::default();
        for (event, session, _) in play(commands) {
            if let Event::Reserved { .. } = event {
                prop_assert!(!before.engagements.iter().any(Activity::is_wrap_up), "{:?}", before);
                prop_assert!(matches!(before.next, None | Some(NextState::Ready)), "{:?}", before);
            }
            before = session;
        }
    }

    #[test]
    fn an_event_says_what_goes_on_beside_it(commands in history()) {
        for (event, session, _) in play(commands) {
            match &event {
                Event::Reserved { offer, still, .. } => {
                    prop_assert_eq!(*still, session.still().filter(|it| it.offer != Some(*offer)));
                }
                Event::ReservationReleased { still, .. }
                | Event::ContactEnded { still, .. }
                | Event::WrapUpEnded { still, .. } => prop_assert_eq!(*still, session.still()),
                Event::WrapUpStarted { call, still, .. } => {
                    let other = |it: &Still| it.doing != Doing::WrapUp || it.call != *call;
                    prop_assert_eq!(*still, session.still().filter(other));
                }
                Event::ConnectedToContact { offer, .. } => {
                    prop_assert_eq!(session.activity().offer(), Some(*offer));
                }
                Event::BecameReady {}
                | Event::BecameNotReady { .. }
                | Event::LoggedOut { .. }
                | Event::LoggedIn { .. } => prop_assert_eq!(session.still(), None),
                Event::NextStateRequested { .. }
                | Event::WrapUpExtended { .. }
                | Event::Forced { .. } => {}
            }
        }
    }

    #[test]
    fn what_completes_an_event_follows_it_in_the_same_decision(commands in history()) {
        let mut before = Session::default();
        for (event, session, done) in play(commands) {
            // Of a forced state it is said what changes, if anything does.
            if before.is_followed(&event) {
                prop_assert!(!done, "{:?}", event);
            }
            before = session;
        }
    }

    #[test]
    fn every_required_code_is_given_unless_somebody_else_ends_the_work(commands in history()) {
        let mut open = std::collections::BTreeSet::new();
        for (event, ..) in play(commands) {
            match event {
                Event::WrapUpStarted { call, code_required: true, .. } => _ = open.insert(call),
                Event::WrapUpEnded { call, by, code, .. } => {
                    let is_bound = matches!(by, WrapUpEndedBy::Agent | WrapUpEndedBy::Timer);
                    prop_assert!(!open.remove(&call) || !is_bound || code.is_some());
                }
                Event::BecameReady {} | Event::BecameNotReady { .. } | Event::LoggedOut { .. } => {
                    prop_assert!(open.is_empty(), "{:?}", open);
                }
                Event::WrapUpStarted { .. }
                | Event::LoggedIn { .. }
                | Event::NextStateRequested { .. }
                | Event::Reserved { .. }
                | Event::ReservationReleased { .. }
                | Event::ConnectedToContact { .. }
                | Event::ContactEnded { .. }
                | Event::WrapUpExtended { .. }
                | Event::Forced { .. } => {}
            }
        }
    }

    #[test]
    fn an_agent_who_is_not_ready_or_gone_holds_nothing(commands in history()) {
        for (event, session, done) in play(commands) {
            if done && session.routability != Routability::Ready {
                prop_assert_eq!(session.activity(), Activity::Idle, "after {:?}", event);
            }
        }
    }

    #[test]
    fn a_wish_for_afterwards_is_only_kept_while_engaged(commands in history()) {
        for (event, session, done) in play(commands) {
            if done && session.is_idle() {
                prop_assert_eq!(session.next, None, "after {:?}", event);
            }
        }
    }

    #[test]
    fn a_session_starts_once_and_nothing_follows_its_end(commands in history()) {
        let log = play(commands);
        let starts = log.iter().filter(|(event, ..)| matches!(event, Event::LoggedIn { .. }));
        prop_assert!(starts.count() <= 1);
        let after_end = log
            .iter()
            .skip_while(|(event, ..)| !matches!(event, Event::LoggedOut { .. }))
            .count();
        prop_assert!(after_end <= 1);
    }

    #[test]
    fn an_agent_never_misses_more_than_the_limit(commands in history_of(1)) {
        for (_, session, done) in play(commands) {
            if done && session.routability == Routability::Ready {
                prop_assert!(session.missed_count < crate::queue::Terms::STANDARD.no_answer.in_a_row_max);
            }
        }
    }

    #[test]
    fn an_engaged_agent_can_always_be_freed(commands in history()) {
        let mut session = last(&play(commands));
        let now = second(1_000);
        // Each of its calls, and the work after it.
        for _ in 0..6 {
            let way_out = match session.activity() {
                Activity::Idle => break,
                Activity::Reserved { offer, .. } => {
                    Command::ReleaseReservation { offer, reason: ReleaseReason::TimedOut }
                }
                Activity::OnContact { call, offer, .. } => Command::EndContact { call, offer },
                // Its timer may come much later, after extensions.
                Activity::WrapUp { call, .. } => Command::CompleteWrapUp {
                    code: Some("sold".into()),
                    note: None,
                    call: Some(call),
                },
            };
            let events = Session::decide(&session, now, way_out).expect("the fence is the live one");
            session = events
                .iter()
                .fold(session, |session, event| Session::evolve(session, now, event));
        }
        prop_assert!(session.is_idle(), "{:?}", session);
        prop_assert_eq!(session.next, None);
    }

    #[test]
    fn a_fact_told_twice_changes_nothing_the_second_time(commands in history(), fact in fact()) {
        let session = last(&play(commands));
        let at = second(1_000);
        let first = Session::decide(&session, at, fact.clone()).expect("facts are never refused");
        let after = first
            .iter()
            .fold(session, |session, event| Session::evolve(session, at, event));
        prop_assert_eq!(Session::decide(&after, at, fact), Ok(vec![]));
    }

    #[test]
    fn any_order_of_events_can_be_folded(events in vec(event(), 0..40)) {
        events
            .iter()
            .fold(Session::default(), |session, event| Session::evolve(session, NOW, event));
    }
}

const NOW: Timestamp = second(60);
