//! A supervisor decides for the agent.

use super::*;
use crate::session::Error;

pub(super) fn force(next: NextState) -> Command {
    Command::Force {
        next,
        by: "carla".into(),
        why: "rush".into(),
    }
}

fn forced(next: NextState) -> Event {
    Event::Forced {
        next,
        by: "carla".into(),
        why: "rush".into(),
    }
}

const AWAY: NextState = NextState::NotReady(NotReadyReason::Supervisor);
const OUT: NextState = NextState::LoggedOut(LogoutReason::Supervisor);

#[test]
fn what_a_supervisor_decides_happens_at_once_and_who_and_why_is_kept() {
    story(ready())
        .when(force(AWAY))
        .then([forced(AWAY), not_ready(NotReadyReason::Supervisor)])
        .when(force(NextState::Ready))
        .then([forced(NextState::Ready), Event::BecameReady {}])
        .when(force(OUT))
        .then([
            forced(OUT),
            Event::LoggedOut {
                reason: LogoutReason::Supervisor,
            },
        ])
        .when(force(NextState::Ready))
        .refused(Error::SessionEnded);
}

#[test]
fn a_contact_is_never_cut_by_a_supervisor() {
    for next in [AWAY, OUT] {
        story(on_contact())
            .when(force(next))
            .then([forced(next), requested(next)]);
    }
}

#[test]
fn a_supervisor_ends_a_wrap_up_even_one_that_wants_a_code() {
    for history in [wrapping_up(), wrapping_up_with_code()] {
        let ended = Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Supervisor,
            code: None,
            note: None,
            still: None,
        };
        story(history).when(force(AWAY)).then([
            forced(AWAY),
            ended,
            not_ready(NotReadyReason::Supervisor),
        ]);
    }
}

#[test]
fn a_reason_is_a_word() {
    for why in ["", "called Mr Smith", &"x".repeat(65)] {
        let command = Command::Force {
            next: AWAY,
            by: "carla".into(),
            why: why.into(),
        };
        story(ready()).when(command).refused(Error::InvalidReason);
    }
    story(vec![]).when(force(AWAY)).refused(Error::NotLoggedIn);
}
