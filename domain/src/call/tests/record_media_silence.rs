//! No RTP has come from one side for too long.

use super::*;

fn silence(leg: LegId, since: Timestamp) -> Command {
    Command::RecordMediaSilence { leg, since }
}

#[track_caller]
fn ends(history: Vec<Event>, command: Command) -> (By, Disposition, Timestamp) {
    let events = story(history).when(command).events();
    match events.as_slice() {
        [
            Event::Ended {
                cause,
                disposition,
                ended_at,
                incomplete: true,
                ..
            },
        ] if cause.reason == EndReason::MediaSilence => (cause.by, *disposition, *ended_at),
        other => panic!("not one incomplete end: {other:?}"),
    }
}

#[test]
fn a_side_that_falls_silent_in_a_conversation_has_vanished_at_its_last_packet() {
    for (leg, by) in [(CALLER_LEG, By::Caller), (AGENT_LEG, By::Agent)] {
        assert_eq!(
            ends(connected(), silence(leg, second(20))),
            (by, Disposition::Answered, second(20))
        );
    }
}

#[test]
fn a_side_that_never_sent_anything_ends_no_earlier_than_the_answer() {
    let (_, _, ended_at) = ends(connected(), silence(CALLER_LEG, second(0)));
    assert_eq!(ended_at, second(6));
}

#[test]
fn silence_on_hold_is_ignored_on_both_sides() {
    for leg in [CALLER_LEG, AGENT_LEG] {
        story(held()).when(silence(leg, second(20))).nothing();
    }
}

#[test]
fn silence_counts_again_after_hold() {
    let history = with(held(), [Event::Retrieved { leg: AGENT_LEG }]);
    let (by, ..) = ends(history, silence(AGENT_LEG, second(20)));
    assert_eq!(by, By::Agent);
}

#[test]
fn an_answered_caller_who_falls_silent_in_the_queue_has_abandoned() {
    for history in [
        waiting_with_music(),
        with(waiting_with_music(), [offer_started()]),
    ] {
        assert_eq!(
            ends(history, silence(CALLER_LEG, second(20))),
            (By::Caller, Disposition::Abandoned, second(20))
        );
    }
}

#[test]
fn a_caller_who_is_not_answered_has_nothing_to_send() {
    for history in [waiting(), offering(), ringing()] {
        story(history)
            .when(silence(CALLER_LEG, second(1)))
            .nothing();
    }
}

#[test]
fn silence_means_nothing_before_and_after_the_call_and_from_older_legs() {
    changes_nothing_but_in(
        &silence(CALLER_LEG, second(20)),
        &["connected", "waiting with music", "outside"],
    );
    changes_nothing_but_in(&silence(OTHER_LEG, second(20)), &[]);
}
