//! A leg that goes out through a trunk.

use super::*;
use crate::{call::RING_OUTSIDE_MS, testing::NOW, testing::OTHER_TRUNK};

#[track_caller]
fn end_of(events: &[Event]) -> (EndReason, By, Disposition, Option<u16>, Option<u8>) {
    match events {
        [
            Event::Ended {
                cause, disposition, ..
            },
        ] => (
            cause.reason,
            cause.by,
            *disposition,
            cause.sip_status,
            cause.q850,
        ),
        other => panic!("one end was expected: {other:?}"),
    }
}

#[test]
fn a_forwarded_number_is_dialled_at_once() {
    story([]).when(receive(into_forward())).then([
        received(),
        forwarded(),
        leg_dialled(NOW.plus_ms(RING_OUTSIDE_MS)),
    ]);
}

#[test]
fn each_trunk_that_is_tried_is_recorded_with_what_the_one_before_said() {
    let after = Some(WireCause {
        sip_status: Some(503),
        reason_header: None,
        warning: None,
    });
    story(dialling())
        .when(Command::RecordTrunk {
            leg: OUTSIDE_LEG,
            trunk: OTHER_TRUNK,
            party: caller(),
            after: after.clone(),
            after_at: Some(second(3)),
        })
        .then([Event::TrunkSelected {
            leg: OUTSIDE_LEG,
            trunk: OTHER_TRUNK,
            party: caller(),
            after: after.clone(),
            after_at: Some(second(3)),
        }])
        .when(Command::RecordTrunk {
            leg: OUTSIDE_LEG,
            trunk: OTHER_TRUNK,
            party: caller(),
            after,
            after_at: Some(second(3)),
        })
        .nothing();
    changes_nothing_but_in(&trunk_selected_for(OUTSIDE_LEG), &["dialling"]);
}

#[test]
fn ringing_and_early_media_are_each_told_once() {
    story(dialling())
        .when(progress(OUTSIDE_LEG, false))
        .then([progressed(false)])
        .when(progress(OUTSIDE_LEG, false))
        .nothing()
        .when(progress(OUTSIDE_LEG, true))
        .then([progressed(true)])
        .when(progress(OUTSIDE_LEG, true))
        .nothing();
    changes_nothing_but_in(&progress(OUTSIDE_LEG, true), &["dialling"]);
}

#[test]
fn another_trunk_is_heard_anew() {
    let next = Event::TrunkSelected {
        leg: OUTSIDE_LEG,
        trunk: OTHER_TRUNK,
        party: caller(),
        after: Some(WireCause::default()),
        after_at: None,
    };
    story(with(dialling(), [progressed(true), next]))
        .when(progress(OUTSIDE_LEG, false))
        .then([progressed(false)])
        .when(progress(OUTSIDE_LEG, true))
        .then([progressed(true)]);
}

#[test]
fn the_caller_is_answered_with_the_other_side_unless_it_was_before() {
    let answered = Event::LegAnswered {
        leg: OUTSIDE_LEG,
        codec: None,
    };
    story(dialling())
        .when(answer(OUTSIDE_LEG))
        .then([answered.clone(), Event::Answered {}])
        .when(answer(OUTSIDE_LEG))
        .nothing();
    let music = with(
        waiting_with_music(),
        [overflowed(), forwarded(), leg_dialled(second(90))],
    );
    story(music).when(answer(OUTSIDE_LEG)).then([answered]);
}

#[test]
fn what_the_network_says_of_a_failure_is_kept_and_means_the_same() {
    for (outcome, reason, by, disposition, q850) in [
        (
            OfferOutcome::Busy,
            EndReason::OutsideBusy,
            By::Outside,
            Disposition::Busy,
            17,
        ),
        (
            OfferOutcome::NoAnswer,
            EndReason::OutsideNoAnswer,
            By::Outside,
            Disposition::NoAnswer,
            19,
        ),
        (
            OfferOutcome::Rejected,
            EndReason::OutsideRejected,
            By::Outside,
            Disposition::Rejected,
            21,
        ),
        (
            OfferOutcome::Unreachable,
            EndReason::OutsideUnreachable,
            By::Outside,
            Disposition::Congestion,
            38,
        ),
    ] {
        let events = story(dialling())
            .when(failure(OUTSIDE_LEG, outcome))
            .events();
        let (had, who, what, _, cause) = end_of(&events);
        assert_eq!(
            (had, who, what, cause),
            (reason, by, disposition, Some(q850))
        );
    }
    let said = WireCause {
        sip_status: Some(604),
        reason_header: Some("Q.850;cause=1;text=\"unallocated\"".into()),
        warning: None,
    };
    let failed = Command::RecordFailure {
        leg: OUTSIDE_LEG,
        outcome: OfferOutcome::Rejected,
        wire: said.clone(),
    };
    let events = story(dialling()).when(failed).events();
    let (.., status, q850) = end_of(&events);
    assert_eq!((status, q850), (Some(604), Some(1)));
    let Some(Event::Ended { cause, .. }) = events.first() else {
        panic!("an end was expected");
    };
    assert_eq!(cause.reason_header, said.reason_header);
}

#[test]
fn a_status_without_a_cause_means_what_rfc_3398_says() {
    for (status, warning, q850, disposition) in [
        (404, None, 1, Disposition::Failed),
        (410, None, 22, Disposition::Failed),
        (484, None, 28, Disposition::Failed),
        (488, Some(305), 65, Disposition::Failed),
        (488, None, 31, Disposition::Failed),
        (500, None, 41, Disposition::Congestion),
        (502, None, 38, Disposition::Congestion),
        (503, None, 41, Disposition::Congestion),
        (504, None, 102, Disposition::Failed),
    ] {
        let failed = Command::RecordFailure {
            leg: OUTSIDE_LEG,
            outcome: OfferOutcome::Unreachable,
            wire: WireCause {
                sip_status: Some(status),
                reason_header: None,
                warning,
            },
        };
        let events = story(dialling()).when(failed).events();
        let (_, _, what, said, cause) = end_of(&events);
        assert_eq!((what, said, cause), (disposition, Some(status), Some(q850)));
    }
}

#[test]
fn a_number_that_no_trunk_takes_is_our_own_lack() {
    let untried = vec![received(), forwarded(), leg_dialled(second(90))];
    let events = story(untried)
        .when(failure(OUTSIDE_LEG, OfferOutcome::Unreachable))
        .events();
    let (reason, by, disposition, status, q850) = end_of(&events);
    assert_eq!(
        (reason, by, disposition),
        (EndReason::NoTrunk, By::System, Disposition::Congestion)
    );
    assert_eq!((status, q850), (Some(503), Some(34)));
}

#[test]
fn a_leg_that_nobody_answers_in_time_is_given_up() {
    let time_out = Command::TimeOutLeg { leg: OUTSIDE_LEG };
    let events = story(dialling()).when(time_out.clone()).events();
    let (reason, by, disposition, ..) = end_of(&events);
    assert_eq!(
        (reason, by, disposition),
        (
            EndReason::OutsideNoAnswer,
            By::System,
            Disposition::NoAnswer
        )
    );
    for history in [outside(), waiting(), over()] {
        story(history)
            .when(time_out.clone())
            .refused(super::super::Error::StaleLeg);
    }
}

#[test]
fn a_caller_who_gives_up_while_it_rings_outside_has_cancelled_and_not_abandoned() {
    let events = story(dialling()).when(cancel()).events();
    let (reason, by, disposition, ..) = end_of(&events);
    assert_eq!(
        (reason, by, disposition),
        (EndReason::Cancelled, By::Caller, Disposition::Cancelled)
    );
}

#[test]
fn either_side_hangs_up_a_forwarded_call() {
    for (leg, by) in [(CALLER_LEG, By::Caller), (OUTSIDE_LEG, By::Outside)] {
        let events = story(outside()).when(bye(leg)).events();
        let (reason, who, disposition, status, q850) = end_of(&events);
        assert_eq!(
            (reason, who, disposition),
            (EndReason::Hangup, by, Disposition::Forwarded)
        );
        assert_eq!((status, q850), (None, Some(16)));
    }
}

#[test]
fn a_caller_who_holds_a_party_outside_is_not_taken_for_silent() {
    story(outside())
        .when(Command::RecordHold { leg: CALLER_LEG })
        .then([Event::Held { leg: CALLER_LEG }])
        .when(Command::RecordMediaSilence {
            leg: OUTSIDE_LEG,
            since: second(7),
        })
        .nothing();
    let events = story(outside())
        .when(Command::RecordMediaSilence {
            leg: OUTSIDE_LEG,
            since: second(7),
        })
        .events();
    let (reason, by, disposition, ..) = end_of(&events);
    assert_eq!(
        (reason, by, disposition),
        (EndReason::MediaSilence, By::Outside, Disposition::Forwarded)
    );
}
