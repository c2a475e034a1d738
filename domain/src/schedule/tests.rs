//! What a schedule takes and what it refuses.

use super::{Activity, Command, Error, Event, SEGMENTS_MAX, Schedule, Segment, replace, within};
use crate::{
    decider::Decider,
    testing::{Given, given, second},
    time::Timestamp,
};
use proptest::prelude::*;

const DAY_S: u64 = 86_400;

fn segment(from: u64, to: u64, activity: Activity) -> Segment {
    Segment {
        from: second(from),
        to: second(to),
        activity,
    }
}

fn set(from: u64, to: u64, segments: &[Segment]) -> Command {
    Command::Set {
        from: second(from),
        to: second(to),
        segments: segments.to_vec(),
    }
}

fn planned(from: u64, to: u64, segments: &[Segment]) -> Event {
    Event::Set {
        from: second(from),
        to: second(to),
        segments: segments.to_vec(),
    }
}

fn story(events: impl IntoIterator<Item = Event>) -> Given<Schedule> {
    given(events)
}

#[test]
fn a_schedule_is_set_once_and_said_again_in_any_order_it_stays() {
    let work = segment(0, 100, Activity::Work);
    let meal = segment(100, 200, Activity::Meal);
    story([])
        .when(set(0, 300, &[meal, work]))
        .then([planned(0, 300, &[work, meal])])
        .when(set(0, 300, &[work, meal]))
        .nothing()
        // A part of it, as it is planned already.
        .when(set(
            50,
            150,
            &[
                segment(50, 100, Activity::Work),
                segment(100, 150, Activity::Meal),
            ],
        ))
        .nothing()
        .when(set(0, 300, &[work]))
        .then([planned(0, 300, &[work])])
        .when(set(0, 300, &[]))
        .then([planned(0, 300, &[])])
        .when(set(0, 300, &[]))
        .nothing();
    story([]).when(set(0, 300, &[])).nothing();
}

#[test]
fn what_is_planned_outside_of_the_span_stays() {
    let given = story([planned(0, 300, &[segment(0, 300, Activity::Work)])])
        .when(set(100, 200, &[segment(120, 150, Activity::Training)]))
        .then([planned(100, 200, &[segment(120, 150, Activity::Training)])]);
    let expected = [
        segment(0, 100, Activity::Work),
        segment(120, 150, Activity::Training),
        segment(200, 300, Activity::Work),
    ];
    assert_eq!(given.state().segments, expected);
}

#[test]
fn segments_that_make_no_sense_are_refused_by_why() {
    let check = |from, to, segments: &[Segment], error| {
        story([]).when(set(from, to, segments)).refused(error);
    };
    let work = |from, to| segment(from, to, Activity::Work);
    check(10, 10, &[], Error::InvalidSpan);
    check(10, 9, &[], Error::InvalidSpan);
    check(0, 31 * DAY_S + 1, &[], Error::SpanTooLong);
    check(0, 100, &[work(5, 5)], Error::InvalidSegment);
    check(0, 100, &[work(6, 5)], Error::InvalidSegment);
    check(10, 100, &[work(9, 20)], Error::SegmentOutside);
    check(10, 100, &[work(90, 101)], Error::SegmentOutside);
    check(0, 100, &[work(20, 30), work(0, 21)], Error::Overlap);
    check(0, 100, &[work(0, 50), work(0, 50)], Error::Overlap);
    let many: Vec<_> = (0..=SEGMENTS_MAX as u64).map(|n| work(n, n + 1)).collect();
    check(0, 1_000, &many, Error::TooManySegments);
    let (_, most) = many.split_first().unwrap();
    story([])
        .when(set(0, 31 * DAY_S, most))
        .then([planned(0, 31 * DAY_S, most)]);
}

#[test]
fn an_instant_that_the_log_can_not_write_is_refused() {
    let check = |from, to| {
        let segments = vec![];
        let command = Command::Set { from, to, segments };
        story([]).when(command).refused(Error::InvalidTime);
    };
    let (first, last) = (Timestamp::from_micros(0), Timestamp::LAST);
    check(Timestamp::from_micros(-1), first.plus_ms(1));
    check(last, Timestamp::from_micros(last.micros() + 1));
    check(Timestamp::from_micros(i64::MIN), last);
    check(first, Timestamp::from_micros(i64::MAX));
}

#[test]
fn what_was_let_go_of_is_never_taken_for_nothing() {
    // So many days of 200 segments that the first are remembered no more.
    let days = (0..6).map(|day| {
        let start = day * DAY_S;
        let segments: Vec<_> = (0..SEGMENTS_MAX as u64)
            .map(|n| segment(start + n * 10, start + n * 10 + 5, Activity::Work))
            .collect();
        planned(start, start + DAY_S, &segments)
    });
    let given = story(days);
    assert_eq!(given.state().segments.len(), 1_000);
    let given = given
        .when(set(0, DAY_S, &[]))
        .then([planned(0, DAY_S, &[])])
        .when(set(5 * DAY_S - 10, 5 * DAY_S, &[]))
        .nothing();
    let first = segment(0, 10, Activity::Work);
    given
        .when(set(0, DAY_S, &[first]))
        .then([planned(0, DAY_S, &[first])]);
}

/// A span and segments in it: from pairs of lengths, of what is free and of what is planned.
fn plans() -> impl Strategy<Value = (u64, u64, Vec<Segment>)> {
    let activity = prop_oneof![
        Just(Activity::Work),
        Just(Activity::Break),
        Just(Activity::Meeting)
    ];
    let parts = proptest::collection::vec((0..20_u64, 1..30_u64, activity), 0..8);
    (0..200_u64, 0..20_u64, parts).prop_map(|(from, rest, parts)| {
        let mut at = from;
        let mut segments = vec![];
        for (free, length, activity) in parts {
            segments.push(segment(at + free, at + free + length, activity));
            at += free + length;
        }
        (from, at + rest + 1, segments)
    })
}

/// What is planned in one second, and nothing cleverer.
fn at(segments: &[Segment], instant: u64) -> Vec<Activity> {
    let at = second(instant);
    let covers = |segment: &&Segment| segment.from <= at && at < segment.to;
    segments
        .iter()
        .filter(covers)
        .map(|it| it.activity)
        .collect()
}

proptest! {
    #[test]
    fn setting_a_span_leaves_no_overlap_and_all_else_as_it_was(
        all in proptest::collection::vec(plans(), 1..6),
    ) {
        let mut schedule = Schedule::default();
        for (from, to, segments) in all {
            let before = schedule.clone();
            let command = set(from, to, &segments);
            let events = Schedule::decide(&schedule, second(0), command.clone()).unwrap();
            for event in &events {
                schedule = Schedule::evolve(schedule, second(0), event);
            }
            let planned = &schedule.segments;
            for two in planned.windows(2) {
                prop_assert!(two[0].to <= two[1].from, "{planned:?}");
            }
            prop_assert!(planned.iter().all(|it| it.from < it.to), "{planned:?}");
            for instant in 0..600 {
                let source = match (from..to).contains(&instant) {
                    true => &segments,
                    false => &before.segments,
                };
                prop_assert_eq!(at(planned, instant), at(source, instant), "at {}", instant);
            }
            let is_outside = |it: &&Segment| it.to <= second(from) || it.from >= second(to);
            for kept in before.segments.iter().filter(is_outside) {
                prop_assert!(planned.contains(kept), "{kept:?}");
            }
            prop_assert_eq!(within(planned, second(from), second(to)), segments);
            prop_assert_eq!(Schedule::decide(&schedule, second(0), command).unwrap(), vec![]);
        }
    }

    #[test]
    fn whoever_folds_the_events_alone_has_the_same_plan(
        all in proptest::collection::vec(plans(), 1..6),
    ) {
        let mut schedule = Schedule::default();
        let mut folded = vec![];
        for (from, to, segments) in all {
            schedule = Schedule::evolve(schedule, second(0), &planned(from, to, &segments));
            replace(&mut folded, (second(from), second(to)), &segments);
        }
        prop_assert_eq!(schedule.segments, folded);
    }
}
