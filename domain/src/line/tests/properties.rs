//! What holds for every waiting line, whatever comes in whatever order.

use super::*;
use crate::{decider::Decider, id::OfferId};
use proptest::{
    collection::vec, prelude::*, prop_assert, prop_assert_eq, prop_oneof, sample::select,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const CAPACITY: u32 = 3;

fn visit() -> impl Strategy<Value = (VisitId, CallId)> {
    (1u128..6).prop_map(|number| {
        (
            VisitId(Uuid::from_u128(number)),
            CallId(Uuid::from_u128(number)),
        )
    })
}

fn offer() -> impl Strategy<Value = OfferId> {
    select(vec![OFFER, OTHER_OFFER])
}

fn cause() -> impl Strategy<Value = ReturnCause> {
    select(vec![
        ReturnCause::NoAnswer,
        ReturnCause::Rejected,
        ReturnCause::Busy,
        ReturnCause::Unreachable,
        ReturnCause::Withdrawn,
    ])
}

fn result() -> impl Strategy<Value = VisitResult> {
    select(vec![
        VisitResult::Answered,
        VisitResult::Abandoned,
        VisitResult::Timeout,
        VisitResult::Withdrawn,
        VisitResult::System,
    ])
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => visit().prop_map(|(visit, call)| open(visit, call, CAPACITY)),
        4 => (visit(), offer()).prop_map(|((visit, _), offer)| Command::MatchVisit {
            visit,
            offer,
            session: SESSION, beside: false, }),
        3 => (visit(), offer(), cause())
            .prop_map(|((visit, _), offer, cause)| Command::ReturnVisit { visit, offer, cause }),
        2 => (visit(), result(), 0u64..100).prop_map(|((visit, _), result, at)| {
            Command::CloseVisit { visit, result, closed_at: second(at) }
        }),
    ]
}

/// Any event, whether it could follow or not.
fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (visit(), 1u32..9).prop_map(|((visit, call), position)| opened(visit, call, position)),
        Just(matched_event()),
        (1u32..9, cause()).prop_map(|(attempt, cause)| returned(attempt, cause)),
        result().prop_map(|result| closed(result, second(9), 9_000)),
        visit().prop_map(|(visit, call)| Event::Rejected {
            visit,
            call,
            reason: RejectReason::Full,
        }),
    ]
}

fn play(commands: Vec<Command>) -> (Line, Vec<Event>) {
    let mut line = Line::default();
    let mut log = vec![];
    for (seconds, command) in (0..).zip(commands) {
        let at = second(seconds);
        for event in Line::decide(&line, at, command).unwrap_or_default() {
            line = Line::evolve(line, at, &event);
            log.push(event);
        }
    }
    (line, log)
}

proptest! {
    #[test]
    fn a_visit_is_waiting_or_matched_and_closes_at_most_once(commands in vec(command(), 0..80)) {
        let mut open = BTreeMap::new();
        for event in play(commands).1 {
            match event {
                Event::Opened { visit, .. } => {
                    prop_assert_eq!(open.insert(visit, None), None);
                }
                Event::Rejected { visit, .. } => prop_assert!(!open.contains_key(&visit)),
                Event::Matched { visit, offer, .. } => {
                    prop_assert_eq!(open.insert(visit, Some(offer)), Some(None));
                }
                Event::Returned { visit, offer, .. } => {
                    prop_assert_eq!(open.insert(visit, None), Some(Some(offer)));
                }
                Event::PriorityChanged { visit, .. } | Event::Assigned { visit, .. } => {
                    prop_assert!(open.contains_key(&visit));
                }
                Event::Closed { visit, .. } => prop_assert!(open.remove(&visit).is_some()),
            }
        }
    }

    #[test]
    fn what_came_in_is_what_left_and_what_waits(commands in vec(command(), 0..80)) {
        let (line, log) = play(commands);
        let opened = log.iter().filter(|event| matches!(event, Event::Opened { .. })).count();
        let closed = log.iter().filter(|event| matches!(event, Event::Closed { .. })).count();
        prop_assert_eq!(opened, closed + line.visits.len());
    }

    #[test]
    fn a_line_is_never_longer_than_its_capacity(commands in vec(command(), 0..80)) {
        let mut open = BTreeSet::new();
        for event in play(commands).1 {
            if let Event::Opened { visit, position, .. } = event {
                open.insert(visit);
                prop_assert!(position <= CAPACITY);
                prop_assert_eq!(position as usize, open.len());
            } else if let Event::Closed { visit, .. } = event {
                open.remove(&visit);
            }
        }
    }

    #[test]
    fn an_end_told_twice_changes_nothing_the_second_time(
        commands in vec(command(), 0..40),
        (visit, _) in visit(),
        result in result(),
    ) {
        let (line, _) = play(commands);
        let close = Command::CloseVisit { visit, result, closed_at: second(99) };
        let at = second(99);
        let first = Line::decide(&line, at, close.clone()).expect("an end is never refused");
        let after = first.iter().fold(line, |line, event| Line::evolve(line, at, event));
        prop_assert_eq!(Line::decide(&after, at, close), Ok(vec![]));
    }

    #[test]
    fn any_order_of_events_can_be_folded(events in vec(event(), 0..60)) {
        events
            .iter()
            .fold(Line::default(), |line, event| Line::evolve(line, second(1), event));
    }
}
