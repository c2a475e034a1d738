//! The agent's last phone is gone for too long, and may come back.

use super::*;
use crate::session::Error;

const LOST: NotReadyReason = NotReadyReason::Unreachable;

fn paused() -> Vec<Event> {
    with(
        ready(),
        [Event::BecameNotReady {
            reason: LOST,
            code: None,
        }],
    )
}

#[test]
fn whoever_takes_calls_takes_none_until_a_phone_is_back() {
    story(ready())
        .when(Command::RecordPhoneLost)
        .then([Event::BecameNotReady {
            reason: LOST,
            code: None,
        }])
        .when(Command::RecordPhoneLost)
        .nothing()
        .when(Command::RecordPhoneBack)
        .then([Event::BecameReady {}])
        .when(Command::RecordPhoneBack)
        .nothing();
}

#[test]
fn a_phone_that_is_back_does_not_end_the_work_after_a_call() {
    story(wrapping_up())
        .when(Command::RecordPhoneLost)
        .then([requested(NextState::NotReady(LOST))])
        .when(Command::RecordPhoneBack)
        .then([requested(NextState::Ready)]);
    story(wrapping_up_with_code())
        .when(Command::RecordPhoneLost)
        .then([requested(NextState::NotReady(LOST))])
        .when(Command::RecordPhoneBack)
        .then([requested(NextState::Ready)]);
}

#[test]
fn what_was_asked_for_on_a_contact_outlives_a_phone_that_comes_and_goes() {
    let breaks = NextState::NotReady(NotReadyReason::Break);
    let leaves = NextState::LoggedOut(LogoutReason::Agent);
    for next in [breaks, leaves] {
        story(with(on_contact(), [requested(next)]))
            .when(Command::RecordPhoneLost)
            .nothing()
            .when(Command::RecordPhoneBack)
            .nothing();
        let lost = requested(NextState::NotReady(LOST));
        story(with(on_contact(), [lost, requested(next)]))
            .when(Command::RecordPhoneBack)
            .nothing();
    }
}

#[test]
fn a_break_stays_a_break() {
    story(on_break()).when(Command::RecordPhoneLost).nothing();
    story(on_break()).when(Command::RecordPhoneBack).nothing();
    let chosen = Event::BecameNotReady {
        reason: NotReadyReason::Meal,
        code: None,
    };
    story(with(paused(), [chosen]))
        .when(Command::RecordPhoneBack)
        .nothing();
}

#[test]
fn whoever_is_gone_stays_gone() {
    for command in [Command::RecordPhoneLost, Command::RecordPhoneBack] {
        story(gone()).when(command).refused(Error::SessionEnded);
    }
}
