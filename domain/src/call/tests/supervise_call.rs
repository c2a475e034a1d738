//! Somebody else hears a call, or talks in it.

use super::*;
use crate::{
    call::{
        Error, Phase, RING_SUPERVISOR_MS, SUPERVISINGS_MAX, Supervising, SupervisionEnd,
        SupervisionMode,
    },
    decider::Decider,
    id::AgentId,
    testing::{AGENT, NOW, OTHER_AGENT, SUPERVISOR_LEG},
};

const LISTEN: SupervisionMode = SupervisionMode::Listen;
const WHISPER: SupervisionMode = SupervisionMode::Whisper;

fn supervise(supervisor: AgentId, mode: SupervisionMode) -> Command {
    Command::SuperviseCall(Supervising {
        leg: SUPERVISOR_LEG,
        supervisor,
        mode,
        by: "carla".into(),
    })
}

fn stop() -> Command {
    Command::StopSupervising { by: "carla".into() }
}

fn requested(mode: SupervisionMode) -> Event {
    Event::SupervisionRequested {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        mode,
        until: NOW.plus_ms(RING_SUPERVISOR_MS),
        by: "carla".into(),
    }
}

fn started(mode: SupervisionMode) -> Event {
    Event::SupervisionStarted {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        mode,
        codec: None,
        device: None,
    }
}

fn changed(mode: SupervisionMode) -> Event {
    Event::SupervisionModeChanged {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        mode,
        by: "carla".into(),
    }
}

fn ended(reason: SupervisionEnd, by: Option<&str>) -> Event {
    Event::SupervisionEnded {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        reason,
        by: by.map(str::to_owned),
        wire: WireCause::default(),
    }
}

/// The supervisor's phone rings.
fn asked() -> Vec<Event> {
    with(connected(), [requested(LISTEN)])
}

/// The supervisor hears the call.
fn supervised() -> Vec<Event> {
    with(asked(), [started(LISTEN)])
}

#[test]
fn the_phone_rings_and_the_supervision_starts_when_it_answers() {
    story(connected())
        .when(supervise(OTHER_AGENT, LISTEN))
        .then([requested(LISTEN)])
        .when(answer(SUPERVISOR_LEG))
        .then([started(LISTEN)])
        // A 200 that comes again.
        .when(answer(SUPERVISOR_LEG))
        .nothing();
}

#[test]
fn only_a_call_in_which_an_agent_and_a_caller_talk_is_supervised() {
    for (name, history) in phases() {
        let outcome = Call::decide(story(history).state(), NOW, supervise(OTHER_AGENT, LISTEN));
        let expected = match name {
            "connected" | "held" => Ok(vec![requested(LISTEN)]),
            "unborn" => Err(Error::Unknown),
            "over" => Err(Error::AlreadyEnded),
            _ => Err(Error::NotConnected),
        };
        assert_eq!(outcome, expected, "{name}");
    }
}

#[test]
fn the_agent_of_the_call_does_not_supervise_it() {
    story(connected())
        .when(supervise(AGENT, LISTEN))
        .refused(Error::OwnCall);
}

#[test]
fn one_supervises_at_a_time_and_the_same_one_again_changes_the_mode() {
    let third = AgentId(uuid::Uuid::from_u128(33));
    story(supervised())
        .when(supervise(third, LISTEN))
        .refused(Error::AlreadySupervised)
        .when(supervise(OTHER_AGENT, LISTEN))
        .nothing()
        .when(supervise(OTHER_AGENT, WHISPER))
        .then([changed(WHISPER)])
        .when(stop())
        .then([ended(SupervisionEnd::Stopped, Some("carla"))])
        .when(supervise(third, LISTEN))
        .then([Event::SupervisionRequested {
            leg: SUPERVISOR_LEG,
            supervisor: third,
            mode: LISTEN,
            until: NOW.plus_ms(RING_SUPERVISOR_MS),
            by: "carla".into(),
        }]);
}

#[test]
fn a_mode_that_is_changed_while_the_phone_rings_is_the_one_it_starts_in() {
    story(asked())
        .when(supervise(OTHER_AGENT, WHISPER))
        .then([changed(WHISPER)])
        .when(answer(SUPERVISOR_LEG))
        .then([started(WHISPER)]);
}

#[test]
fn what_becomes_of_the_supervisors_phone_ends_the_supervision_and_nothing_else() {
    let unreachable = failure(SUPERVISOR_LEG, OfferOutcome::Unreachable);
    let late = Command::TimeOutLeg {
        leg: SUPERVISOR_LEG,
    };
    let silent = Command::RecordMediaSilence {
        leg: SUPERVISOR_LEG,
        since: second(50),
    };
    let lost = Command::RecordSignallingLost {
        leg: SUPERVISOR_LEG,
    };
    for (history, fact, reason) in [
        (
            asked(),
            failure(SUPERVISOR_LEG, OfferOutcome::Busy),
            SupervisionEnd::Busy,
        ),
        (
            asked(),
            failure(SUPERVISOR_LEG, OfferOutcome::Rejected),
            SupervisionEnd::Rejected,
        ),
        (asked(), unreachable, SupervisionEnd::Unreachable),
        (asked(), late, SupervisionEnd::NoAnswer),
        (supervised(), bye(SUPERVISOR_LEG), SupervisionEnd::HungUp),
        (supervised(), silent, SupervisionEnd::MediaSilence),
        (supervised(), lost, SupervisionEnd::SignallingLost),
    ] {
        let after = story(history).when(fact).then([ended(reason, None)]);
        assert!(matches!(after.state().phase, Phase::Connected(_)));
        // A 200 that crossed it, a BYE that comes late: nothing to tell.
        after
            .when(answer(SUPERVISOR_LEG))
            .nothing()
            .when(bye(SUPERVISOR_LEG))
            .nothing();
    }
}

#[test]
fn a_phone_that_has_answered_is_not_given_up_any_more() {
    story(supervised())
        .when(Command::TimeOutLeg {
            leg: SUPERVISOR_LEG,
        })
        .refused(Error::StaleLeg);
}

#[test]
fn the_end_of_the_call_ends_the_supervision_first() {
    let hung_up = hung_up_by(By::Agent, NOW, WireCause::default());
    story(supervised())
        .when(bye(AGENT_LEG))
        .then([ended(SupervisionEnd::CallEnded, None), hung_up]);
    let lost = Command::EndCall {
        reason: EndReason::NodeLost,
        ended_at: None,
        visit: None,
    };
    let events = story(asked()).when(lost).events();
    assert_eq!(events[0], ended(SupervisionEnd::NodeLost, None));
    assert!(matches!(events[1], Event::Ended { .. }) && events.len() == 2);
}

#[test]
fn the_supervisors_phone_does_not_hold_the_call() {
    let (hold, retrieve) = (
        Command::RecordHold {
            leg: SUPERVISOR_LEG,
        },
        Command::RecordRetrieve {
            leg: SUPERVISOR_LEG,
        },
    );
    story(supervised())
        .when(hold)
        .nothing()
        .when(retrieve)
        .nothing();
}

#[test]
fn nothing_is_stopped_that_is_not_there() {
    story([]).when(stop()).refused(Error::Unknown);
    story(over()).when(stop()).refused(Error::AlreadyEnded);
    for history in [waiting(), connected(), outside()] {
        story(history).when(stop()).refused(Error::NotSupervised);
    }
}

#[test]
fn a_call_is_not_supervised_for_ever() {
    let once = [requested(LISTEN), ended(SupervisionEnd::HungUp, None)];
    let often = vec![once; SUPERVISINGS_MAX as usize].concat();
    story(with(connected(), often))
        .when(supervise(OTHER_AGENT, LISTEN))
        .refused(Error::SupervisedTooOften);
    let modes = [changed(WHISPER), changed(LISTEN)];
    let often = vec![modes; SUPERVISINGS_MAX as usize / 2].concat();
    story(with(supervised(), often))
        .when(supervise(OTHER_AGENT, WHISPER))
        .refused(Error::SupervisedTooOften)
        .when(supervise(OTHER_AGENT, LISTEN))
        .nothing();
}
