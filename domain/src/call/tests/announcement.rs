//! A caller whom nobody serves is told so, and then the call ends.

use super::*;
use crate::call::{ANNOUNCEMENT_MS_MAX, Error};

fn to_announcement() -> Destination {
    Destination::Announcement("closed".into())
}

fn started(at: Timestamp) -> Event {
    Event::AnnouncementStarted {
        leg: CALLER_LEG,
        announcement: "closed".into(),
        until: at.plus_ms(ANNOUNCEMENT_MS_MAX + 30_000),
    }
}

/// Told, at second 0.
fn told() -> Vec<Event> {
    with(
        waiting_with_music(),
        [overflowed(), started(Timestamp::default())],
    )
}

fn the_end(reason: EndReason, by: By, result: EndResult) -> Event {
    Event::Ended {
        cause: EndCause {
            result,
            reason,
            by,
            sip_status: None,
            q850: Some(16),
            reason_header: None,
        },
        disposition: Disposition::NoAnswer,
        ended_at: crate::testing::NOW,
        incomplete: false,
        session: None,
        offer: None,
        visit: None,
        queue: None,
    }
}

fn announced() -> Event {
    the_end(EndReason::Announced, By::System, EndResult::Success)
}

#[test]
fn a_caller_who_waits_unanswered_is_answered_for_it() {
    let now = crate::testing::NOW;
    story(waiting())
        .when(overflow(VISIT, to_announcement()))
        .then([overflowed(), Event::Answered {}, started(now)]);
    story(waiting_with_music())
        .when(overflow(VISIT, to_announcement()))
        .then([overflowed(), started(now)]);
}

#[test]
fn the_call_ends_when_it_is_heard_to_its_end_and_not_for_another_leg() {
    story(told())
        .when(Command::RecordAnnounced { leg: OTHER_LEG })
        .then([])
        .when(Command::RecordAnnounced { leg: CALLER_LEG })
        .then([announced()])
        .when(Command::RecordAnnounced { leg: CALLER_LEG })
        .then([]);
    story(waiting_with_music())
        .when(Command::RecordAnnounced { leg: CALLER_LEG })
        .then([]);
}

#[test]
fn an_announcement_of_which_nobody_tells_ends_at_its_time() {
    story(told())
        .when(Command::TimeOutLeg { leg: OTHER_LEG })
        .refused(Error::StaleLeg);
    story(told())
        .when(Command::TimeOutLeg { leg: CALLER_LEG })
        .then([announced()]);
}

#[test]
fn a_caller_who_hangs_up_meanwhile_has_abandoned_no_queue() {
    story(told())
        .when(Command::RecordBye {
            leg: CALLER_LEG,
            wire: WireCause::default(),
        })
        .then([the_end(EndReason::Hangup, By::Caller, EndResult::Caller)]);
}

#[test]
fn nothing_else_is_done_with_a_caller_who_is_told() {
    story(told())
        .when(overflow(VISIT, to_forward()))
        .refused(Error::AlreadyConnected);
    story(told())
        .when(Command::AnswerCall)
        .refused(Error::AlreadyAnswered);
}
