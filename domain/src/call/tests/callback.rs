//! Callers who go home, and calls that ring them back.

use super::*;
use crate::{
    call::{Error, Placing, RING_OUTSIDE_MS, Target},
    id::CallbackId,
    testing::NOW,
};
use uuid::Uuid;

const CALLBACK: CallbackId = CallbackId(Uuid::from_u128(77));

fn go_home() -> Command {
    overflow(VISIT, Destination::Callback(CALLBACK))
}

fn placed() -> Event {
    Event::Placed {
        leg: OUTSIDE_LEG,
        party: caller(),
        callback: CALLBACK,
        place: second(0),
        wanted: None,
    }
}

/// In the line, for somebody who is not there.
fn waits_for_an_agent() -> Vec<Event> {
    vec![placed(), routed(), enqueued(AnswerMode::OnAgent)]
}

fn dials_back(until: Timestamp) -> Event {
    Event::LegDialled {
        leg: OUTSIDE_LEG,
        target: Target::Party(caller()),
        until,
    }
}

/// An agent has it and the person is being rung.
fn rings_back() -> Vec<Event> {
    with(
        waits_for_an_agent(),
        [
            offer_started(),
            agent_connected(),
            dials_back(second(100)),
            trunk_selected(),
        ],
    )
}

fn answered() -> Event {
    Event::LegAnswered {
        leg: OUTSIDE_LEG,
        codec: None,
    }
}

#[track_caller]
fn end(events: Vec<Event>) -> (EndReason, By, Disposition, bool, bool) {
    let Some(
        ended @ Event::Ended {
            cause,
            disposition,
            visit,
            ..
        },
    ) = events.last()
    else {
        panic!("an end was expected: {events:?}");
    };
    let frees = ended.ends_contact();
    (cause.reason, cause.by, *disposition, frees, visit.is_some())
}

#[test]
fn whoever_goes_home_has_left_the_queue_and_is_named_for_who_rings_back() {
    for history in [waiting(), waiting_with_music(), ringing()] {
        let events = story(history).when(go_home()).events();
        let asked = Event::CallbackRequested {
            callback: CALLBACK,
            visit: VISIT,
            queue: QUEUE,
            cause: OverflowCause::MaxWait,
            party: caller(),
        };
        assert_eq!(events.first(), Some(&asked));
        let (reason, by, disposition, _, has_visit) = end(events);
        assert_eq!(
            (reason, by, disposition),
            (
                EndReason::CallbackRequested,
                By::System,
                Disposition::CallbackRequested
            )
        );
        assert!(has_visit, "the stay is to be closed");
    }
    story(connected())
        .when(go_home())
        .refused(Error::AlreadyConnected);
}

#[test]
fn whoever_shows_no_number_can_not_be_rung_back() {
    let mut anonymous = received();
    if let Event::Received { withheld, .. } = &mut anonymous {
        *withheld = true;
    }
    story([anonymous, routed(), enqueued(AnswerMode::OnAgent)])
        .when(go_home())
        .refused(Error::NoNumber);
    // And whoever is rung back is not sent round in circles.
    story(waits_for_an_agent())
        .when(go_home())
        .refused(Error::NoNumber);
}

#[test]
fn a_call_of_ours_waits_in_the_line_like_any_other() {
    let placing = Placing {
        leg: OUTSIDE_LEG,
        party: caller(),
        callback: CALLBACK,
        place: second(0),
        queue: QUEUE,
        config_version: 3,
        visit: VISIT,
        wanted: None,
        music: None,
    };
    story([])
        .when(Command::PlaceCall(placing.clone()))
        .then(waits_for_an_agent())
        .when(Command::PlaceCall(placing))
        .refused(Error::AlreadyReceived);
}

#[test]
fn the_person_is_dialled_when_an_agent_has_the_call_and_not_before() {
    let offered = with(waits_for_an_agent(), [offer_started()]);
    story(offered)
        .when(answer(AGENT_LEG))
        .then([agent_connected(), dials_back(NOW.plus_ms(RING_OUTSIDE_MS))])
        .when(answer(OUTSIDE_LEG))
        .then([answered()])
        .when(answer(OUTSIDE_LEG))
        .nothing();
}

#[test]
fn nobody_talks_before_the_person_has_answered() {
    let hold = Command::RecordHold { leg: AGENT_LEG };
    story(rings_back()).when(hold.clone()).nothing();
    let talking = with(rings_back(), [answered()]);
    story(talking)
        .when(hold)
        .then([Event::Held { leg: AGENT_LEG }]);
}

#[test]
fn an_attempt_that_reaches_nobody_frees_its_agent_and_says_why() {
    for (outcome, reason, disposition) in [
        (
            OfferOutcome::Busy,
            EndReason::OutsideBusy,
            Disposition::Busy,
        ),
        (
            OfferOutcome::NoAnswer,
            EndReason::OutsideNoAnswer,
            Disposition::NoAnswer,
        ),
    ] {
        let events = story(rings_back())
            .when(failure(OUTSIDE_LEG, outcome))
            .events();
        assert_eq!(end(events), (reason, By::Outside, disposition, true, false));
    }
    let gone = story(rings_back()).when(bye(AGENT_LEG)).events();
    assert_eq!(
        end(gone),
        (
            EndReason::Hangup,
            By::Agent,
            Disposition::Cancelled,
            true,
            false
        )
    );
    let late = Command::TimeOutLeg { leg: OUTSIDE_LEG };
    let (reason, by, ..) = end(story(rings_back()).when(late).events());
    assert_eq!((reason, by), (EndReason::OutsideNoAnswer, By::System));
}

#[test]
fn whoever_was_reached_and_hangs_up_has_talked_with_an_agent() {
    let talking = with(rings_back(), [answered()]);
    for (leg, by) in [(OUTSIDE_LEG, By::Caller), (AGENT_LEG, By::Agent)] {
        let events = story(talking.clone()).when(bye(leg)).events();
        let (reason, ended_by, disposition, frees, _) = end(events);
        assert_eq!(
            (reason, ended_by, disposition, frees),
            (EndReason::Hangup, by, Disposition::Answered, true)
        );
    }
}

#[test]
fn a_callback_that_is_not_wanted_any_more_ends_only_before_an_agent_has_it() {
    let withdraw = || Command::EndCall {
        reason: EndReason::CallbackWithdrawn,
        ended_at: None,
        visit: None,
    };
    let events = story(waits_for_an_agent()).when(withdraw()).events();
    let (reason, by, disposition, frees, has_visit) = end(events);
    assert_eq!(
        (reason, by, disposition, frees, has_visit),
        (
            EndReason::CallbackWithdrawn,
            By::System,
            Disposition::Cancelled,
            false,
            true
        )
    );
    story(rings_back())
        .when(withdraw())
        .refused(Error::AlreadyConnected);
}
