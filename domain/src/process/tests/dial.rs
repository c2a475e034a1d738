//! How long somebody outside is waited for.

use super::*;
use crate::{
    call::{self, Target},
    process::dial::Dial,
    testing::{CALL, OTHER_AGENT, OUTSIDE_LEG, SUPERVISOR_LEG},
};

const UNTIL: Timestamp = second(90);

fn call(event: call::Event) -> AnyEvent {
    AnyEvent::Call(CALL, event)
}

fn dialled() -> AnyEvent {
    call(call::Event::LegDialled {
        leg: OUTSIDE_LEG,
        target: Target::Number("+4930".into()),
        until: UNTIL,
    })
}

#[test]
fn a_leg_that_is_not_answered_in_time_is_given_up_once() {
    let process = process::<Dial>().hears([dialled()]);
    assert_eq!(Dial::next_deadline(&process.state), Some(UNTIL));
    let process = process.wakes(UNTIL);
    let leg = OUTSIDE_LEG;
    let given_up = call::Command::TimeOutLeg { leg };
    assert_eq!(process.asked, [AnyCommand::Call(CALL, given_up)]);
    assert_eq!(Dial::next_deadline(&process.state), None);
}

#[test]
fn an_answer_stops_the_timer() {
    let answered = call(call::Event::LegAnswered {
        leg: OUTSIDE_LEG,
        codec: None,
    });
    let process = process::<Dial>().hears([dialled(), answered]);
    assert_eq!(Dial::next_deadline(&process.state), None);
}

#[test]
fn the_phone_of_a_supervisor_is_given_up_too_unless_it_answers_or_is_let_go() {
    let leg = SUPERVISOR_LEG;
    let supervisor = OTHER_AGENT;
    let mode = call::SupervisionMode::Listen;
    let requested = || {
        call(call::Event::SupervisionRequested {
            leg,
            supervisor,
            mode,
            until: UNTIL,
            by: "carla".into(),
        })
    };
    let process = process::<Dial>().hears([requested()]).wakes(UNTIL);
    let given_up = call::Command::TimeOutLeg { leg };
    assert_eq!(process.asked, [AnyCommand::Call(CALL, given_up)]);
    let started = call::Event::SupervisionStarted {
        leg,
        supervisor,
        mode,
        codec: None,
        device: None,
    };
    let ended = call::Event::SupervisionEnded {
        leg,
        supervisor,
        reason: call::SupervisionEnd::Busy,
        by: None,
        wire: crate::cause::WireCause::default(),
    };
    for over in [started, ended] {
        let process = super::process::<Dial>().hears([requested(), call(over)]);
        assert_eq!(Dial::next_deadline(&process.state), None);
    }
}

#[test]
fn a_leg_dialled_by_a_clock_that_was_years_ahead_is_given_up_when_the_clock_is_set_right() {
    let ahead = second(315_360_000);
    let leg = OUTSIDE_LEG;
    let dialled = call(call::Event::LegDialled {
        leg,
        target: Target::Number("+4930".into()),
        until: ahead.plus_ms(90_000),
    });
    process::<Dial>()
        .hears_at(ahead, dialled)
        .sweeps(ahead)
        .asks_nothing()
        .sweeps(second(300))
        .asks([AnyCommand::Call(CALL, call::Command::TimeOutLeg { leg })])
        .sleeps_until(None);
}
