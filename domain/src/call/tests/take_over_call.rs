//! A supervisor takes a call from its agent.

use super::*;
use crate::{
    call::{
        Error, Phase, RING_SUPERVISOR_MS, SUPERVISINGS_MAX, Supervising, SupervisionEnd,
        SupervisionMode,
    },
    id::AgentId,
    testing::{AGENT, NOW, OTHER_AGENT, SUPERVISOR_LEG},
};

const LISTEN: SupervisionMode = SupervisionMode::Listen;
const TAKEOVER: SupervisionMode = SupervisionMode::Takeover;
const THIRD: AgentId = AgentId(uuid::Uuid::from_u128(33));

fn supervise(supervisor: AgentId, mode: SupervisionMode) -> Command {
    Command::SuperviseCall(Supervising {
        leg: SUPERVISOR_LEG,
        supervisor,
        mode,
        by: "carla".into(),
    })
}

fn take() -> Command {
    supervise(OTHER_AGENT, TAKEOVER)
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

fn given_up(reason: SupervisionEnd) -> Event {
    Event::SupervisionEnded {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        reason,
        by: None,
        wire: WireCause::default(),
    }
}

fn taken_over() -> Event {
    Event::TakenOver {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        from_leg: AGENT_LEG,
        session: SESSION,
        offer: OFFER,
    }
}

/// The supervisor's phone rings, to take the call.
fn asked() -> Vec<Event> {
    with(connected(), [requested(TAKEOVER)])
}

/// The supervisor has the call.
fn taken() -> Vec<Event> {
    with(asked(), [started(TAKEOVER), taken_over()])
}

/// The end of a taken-over call: no session is to be freed by it any more.
fn over_by(by: By, reason: EndReason) -> Event {
    let is_lost = reason != EndReason::Hangup;
    let result = match is_lost {
        true => EndResult::Indeterminate,
        false => EndResult::Success,
    };
    Event::Ended {
        cause: EndCause {
            result,
            reason,
            by,
            sip_status: None,
            q850: Some(if is_lost { 102 } else { 16 }),
            reason_header: None,
        },
        disposition: Disposition::Answered,
        ended_at: NOW,
        incomplete: is_lost,
        session: None,
        offer: None,
        visit: Some(VISIT),
        queue: Some(QUEUE),
    }
}

#[test]
fn the_call_is_the_supervisors_when_the_phone_has_answered_and_not_before() {
    let ringing = story(connected()).when(take()).then([requested(TAKEOVER)]);
    assert_eq!(ringing.state().agent_leg(), Some(AGENT_LEG));
    assert_eq!(ringing.state().engaged(), Some((SESSION, OFFER)));
    let taken = ringing
        .when(answer(SUPERVISOR_LEG))
        .then([started(TAKEOVER), taken_over()])
        // A 200 that comes again.
        .when(answer(SUPERVISOR_LEG))
        .nothing();
    let call = taken.state();
    let sides = call.talking().map(|(caller, other, _)| (caller, other));
    assert_eq!(sides, Some((CALLER_LEG, SUPERVISOR_LEG)));
    assert_eq!((call.engaged(), call.supervision), (None, None));
}

#[test]
fn whoever_supervises_already_has_the_call_at_once() {
    let supervised = with(connected(), [requested(LISTEN), started(LISTEN)]);
    story(supervised)
        .when(take())
        .then([changed(TAKEOVER), taken_over()])
        .when(take())
        .nothing();
}

#[test]
fn whoever_is_rung_to_hear_the_call_gets_it_by_the_answer_and_may_think_better_of_it() {
    story(with(connected(), [requested(LISTEN)]))
        .when(take())
        .then([changed(TAKEOVER)])
        .when(supervise(OTHER_AGENT, LISTEN))
        .then([changed(LISTEN)])
        .when(take())
        .then([changed(TAKEOVER)])
        .when(answer(SUPERVISOR_LEG))
        .then([started(TAKEOVER), taken_over()]);
}

#[test]
fn a_phone_that_is_not_answered_leaves_the_call_with_its_agent() {
    let late = Command::TimeOutLeg {
        leg: SUPERVISOR_LEG,
    };
    let busy = failure(SUPERVISOR_LEG, OfferOutcome::Busy);
    for (fact, reason) in [
        (late, SupervisionEnd::NoAnswer),
        (busy, SupervisionEnd::Busy),
    ] {
        let after = story(asked()).when(fact).then([given_up(reason)]);
        assert_eq!(after.state().engaged(), Some((SESSION, OFFER)));
        after
            .when(bye(AGENT_LEG))
            .then([hung_up_by(By::Agent, NOW, WireCause::default())]);
    }
}

#[test]
fn whoever_hangs_up_before_the_supervisor_answers_ends_the_call() {
    for (leg, by) in [(AGENT_LEG, By::Agent), (CALLER_LEG, By::Caller)] {
        let hung_up = hung_up_by(by, NOW, WireCause::default());
        story(asked())
            .when(bye(leg))
            .then([given_up(SupervisionEnd::CallEnded), hung_up])
            // The phone answers too late.
            .when(answer(SUPERVISOR_LEG))
            .then([Event::LateFact {
                leg: SUPERVISOR_LEG,
                fact: "record_answer".into(),
            }]);
    }
}

#[test]
fn whatever_comes_late_from_the_agents_phone_is_the_end_of_its_own_leg() {
    let lost = Command::RecordSignallingLost { leg: AGENT_LEG };
    let silent = Command::RecordMediaSilence {
        leg: AGENT_LEG,
        since: NOW,
    };
    let hold = Command::RecordHold { leg: AGENT_LEG };
    for fact in [bye(AGENT_LEG), lost, silent, hold] {
        story(taken()).when(fact).nothing();
    }
}

#[test]
fn the_call_goes_on_until_one_of_the_two_hangs_up_or_is_gone() {
    let lost = |leg| Command::RecordSignallingLost { leg };
    let silent = |leg| Command::RecordMediaSilence { leg, since: NOW };
    for (fact, by, reason) in [
        (bye(CALLER_LEG), By::Caller, EndReason::Hangup),
        (bye(SUPERVISOR_LEG), By::Supervisor, EndReason::Hangup),
        (lost(CALLER_LEG), By::Caller, EndReason::SignallingLost),
        (
            lost(SUPERVISOR_LEG),
            By::Supervisor,
            EndReason::SignallingLost,
        ),
        (silent(CALLER_LEG), By::Caller, EndReason::MediaSilence),
        (
            silent(SUPERVISOR_LEG),
            By::Supervisor,
            EndReason::MediaSilence,
        ),
    ] {
        let call = story(taken()).when(fact).then([over_by(by, reason)]);
        assert_eq!(call.state().phase, Phase::Ended(Disposition::Answered));
        // The contact has ended before.
        assert!(!over_by(by, reason).ends_contact());
    }
}

#[test]
fn whatever_else_ends_a_call_ends_it_too_and_frees_nobody_again() {
    for reason in [
        EndReason::Operator,
        EndReason::NoCredit,
        EndReason::NodeLost,
        EndReason::Shutdown,
    ] {
        let end = Command::EndCall {
            reason,
            ended_at: None,
            visit: None,
        };
        let events = story(taken()).when(end).events();
        let [
            Event::Ended {
                disposition: Disposition::Answered,
                session: None,
                offer: None,
                ..
            },
        ] = events.as_slice()
        else {
            panic!("{reason:?} gives {events:?}");
        };
    }
}

#[test]
fn caller_and_supervisor_hold_each_other_as_caller_and_agent_do() {
    for leg in [CALLER_LEG, SUPERVISOR_LEG] {
        story(taken())
            .when(Command::RecordHold { leg })
            .then([Event::Held { leg }])
            .when(Command::RecordRetrieve { leg })
            .then([Event::Retrieved { leg }]);
    }
}

#[test]
fn whom_the_agent_held_the_supervisor_talks_with_and_a_caller_who_holds_still_does() {
    let holding = [
        Event::Held { leg: AGENT_LEG },
        Event::Held { leg: CALLER_LEG },
    ];
    let asked = with(with(connected(), holding), [requested(TAKEOVER)]);
    let call = story(asked)
        .when(answer(SUPERVISOR_LEG))
        .then([started(TAKEOVER), taken_over()]);
    let (_, _, holding) = call.state().talking().unwrap();
    assert_eq!(holding.iter().collect::<Vec<_>>(), [&CALLER_LEG]);
}

#[test]
fn nobody_supervises_a_call_that_was_taken_over_and_nobody_gives_it_back() {
    for (supervisor, mode) in [
        (THIRD, TAKEOVER),
        (THIRD, LISTEN),
        (AGENT, TAKEOVER),
        (OTHER_AGENT, LISTEN),
    ] {
        story(taken())
            .when(supervise(supervisor, mode))
            .refused(Error::TakenOver);
    }
    story(taken()).when(stop()).refused(Error::TakenOver);
}

#[test]
fn the_agent_of_a_call_does_not_take_it_and_nobody_does_who_does_not_supervise_it() {
    story(connected())
        .when(supervise(AGENT, TAKEOVER))
        .refused(Error::OwnCall);
    story(asked())
        .when(supervise(THIRD, TAKEOVER))
        .refused(Error::AlreadySupervised);
    story(waiting()).when(take()).refused(Error::NotConnected);
}

#[test]
fn a_call_that_was_supervised_too_often_is_not_taken_over() {
    let once = [requested(LISTEN), given_up(SupervisionEnd::HungUp)];
    let often = vec![once; SUPERVISINGS_MAX as usize].concat();
    story(with(connected(), often))
        .when(take())
        .refused(Error::SupervisedTooOften);
}
