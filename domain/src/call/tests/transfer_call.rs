//! The agent who talks with a caller sends the call into another queue.

use super::*;
use crate::{
    call::{Error, Phase, Supervising, SupervisionEnd, SupervisionMode, TRANSFERS_MAX, Transfer},
    id::AgentId,
    testing::{AGENT, NOW, OTHER_AGENT, OTHER_QUEUE, SUPERVISOR_LEG},
};

fn asked() -> Transfer {
    Transfer {
        queue: OTHER_QUEUE,
        config_version: 5,
        answer_mode: AnswerMode::OnAgent,
        visit: OTHER_VISIT,
        exit_keys: vec![],
        music: Some("harp".into()),
        agent: None,
        leg: None,
        by: "agent:anna".into(),
    }
}

fn transfer(transfer: Transfer) -> Command {
    Command::TransferCall(transfer)
}

pub(super) fn transferred() -> Event {
    Event::Transferred {
        leg: AGENT_LEG,
        session: SESSION,
        offer: OFFER,
        visit: VISIT,
        queue: QUEUE,
        to: OTHER_QUEUE,
        by: "agent:anna".into(),
    }
}

fn enqueued_there() -> Event {
    Event::Enqueued {
        visit: OTHER_VISIT,
        queue: OTHER_QUEUE,
        config_version: 5,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: Some("harp".into()),
    }
}

/// The caller waits in the other queue.
fn sent_on() -> Vec<Event> {
    with(connected(), [transferred(), enqueued_there()])
}

/// The end of a call that waits in the other queue.
fn left_there(by: By, reason: EndReason) -> Event {
    Event::Ended {
        cause: EndCause {
            result: EndResult::Caller,
            reason,
            by,
            sip_status: None,
            q850: Some(16),
            reason_header: None,
        },
        disposition: Disposition::Abandoned,
        ended_at: NOW,
        incomplete: false,
        session: None,
        offer: None,
        visit: Some(OTHER_VISIT),
        queue: Some(OTHER_QUEUE),
    }
}

#[test]
fn the_agents_contact_is_over_and_the_caller_waits_in_the_other_queue() {
    for talking in [connected(), held()] {
        story(talking)
            .when(transfer(asked()))
            .then([transferred(), enqueued_there()]);
    }
}

#[test]
fn the_agent_who_talks_may_by_the_own_phone_or_by_name_and_nobody_else() {
    let by = |agent: Option<AgentId>, leg| {
        story(connected()).when(transfer(Transfer {
            agent,
            leg,
            ..asked()
        }))
    };
    by(Some(AGENT), Some(AGENT_LEG)).then([transferred(), enqueued_there()]);
    by(Some(OTHER_AGENT), None).refused(Error::OthersCall);
    by(None, Some(CALLER_LEG)).refused(Error::OthersCall);
    by(Some(AGENT), Some(OTHER_LEG)).refused(Error::OthersCall);
}

#[test]
fn only_a_call_in_which_two_talk_is_transferred_and_not_where_it_was_answered() {
    for (name, history) in phases() {
        let refusal = match name {
            "connected" | "held" => continue,
            "unborn" => Error::Unknown,
            "over" => Error::AlreadyEnded,
            _ => Error::NotConnected,
        };
        story(history).when(transfer(asked())).refused(refusal);
    }
    let back = Transfer {
        queue: QUEUE,
        ..asked()
    };
    story(connected())
        .when(transfer(back))
        .refused(Error::AnsweredThere);
}

#[test]
fn it_goes_back_to_where_it_came_from_but_not_for_ever() {
    let mut call = connected();
    let mut from = (VISIT, QUEUE);
    let mut to = (OTHER_VISIT, OTHER_QUEUE);
    for _ in 0..TRANSFERS_MAX {
        let asked = Transfer {
            queue: to.1,
            visit: to.0,
            ..asked()
        };
        let events = story(call.clone()).when(transfer(asked)).events();
        assert_eq!(events.len(), 2, "{events:?}");
        call.extend(events);
        let Event::OfferStarted {
            offer,
            session,
            leg,
            until,
            ..
        } = offer_started()
        else {
            panic!("it is an offer");
        };
        let (visit, codec, device) = (to.0, None, None);
        call.push(Event::OfferStarted {
            offer,
            visit,
            session,
            leg,
            until,
        });
        call.push(Event::AgentConnected {
            offer,
            visit,
            session,
            leg,
            codec,
            device,
        });
        std::mem::swap(&mut from, &mut to);
    }
    let once_more = Transfer {
        queue: to.1,
        ..asked()
    };
    story(call)
        .when(transfer(once_more))
        .refused(Error::TransferredTooOften);
}

#[test]
fn what_the_agents_phone_says_after_it_changes_nothing() {
    for command in [
        bye(AGENT_LEG),
        answer(AGENT_LEG),
        Command::RecordHold { leg: AGENT_LEG },
        Command::RecordSignallingLost { leg: AGENT_LEG },
        Command::RecordMediaSilence {
            leg: AGENT_LEG,
            since: second(8),
        },
    ] {
        let events = story(sent_on()).when(command.clone()).events();
        assert_eq!(events, vec![], "{command:?}");
    }
}

#[test]
fn a_caller_who_hangs_up_then_has_left_the_other_queue() {
    story(sent_on())
        .when(bye(CALLER_LEG))
        .then([left_there(By::Caller, EndReason::Hangup)]);
}

#[test]
fn whoever_hangs_up_first_ends_the_call_and_nobody_is_sent_anywhere() {
    for by in [AGENT_LEG, CALLER_LEG] {
        let over = story(connected()).when(bye(by)).events();
        story(with(connected(), over))
            .when(transfer(asked()))
            .refused(Error::AlreadyEnded);
    }
}

#[test]
fn the_next_agent_has_the_call_like_any_other() {
    let started = Event::OfferStarted {
        offer: OTHER_OFFER,
        visit: OTHER_VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
        until: second(90),
    };
    let offer = Command::StartOffer {
        offer: OTHER_OFFER,
        visit: OTHER_VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
        until: second(90),
        beside: false,
    };
    story(sent_on()).when(offer).then([started.clone()]);
    let connected = Event::AgentConnected {
        codec: None,
        device: None,
        offer: OTHER_OFFER,
        visit: OTHER_VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
    };
    let ringing = with(sent_on(), [started]);
    // The caller is answered since long.
    story(ringing.clone())
        .when(answer(OTHER_LEG))
        .then([connected.clone()]);
    let talking = with(ringing, [connected]);
    let over = story(talking).when(bye(OTHER_LEG)).events();
    let [
        Event::Ended {
            session,
            offer,
            visit,
            disposition,
            cause,
            ..
        },
    ] = over.as_slice()
    else {
        panic!("it is over: {over:?}");
    };
    assert_eq!(*session, Some(OTHER_SESSION));
    assert_eq!((*offer, *visit), (Some(OTHER_OFFER), Some(OTHER_VISIT)));
    assert_eq!(*disposition, Disposition::Answered);
    assert_eq!(cause.by, By::Agent);
}

#[test]
fn its_queues_may_send_it_on_as_if_it_had_come_now() {
    let overflow = Command::OverflowCall {
        visit: OTHER_VISIT,
        cause: OverflowCause::Full,
        to: to_queue(QUEUE),
    };
    let events = story(sent_on()).when(overflow).events();
    assert_eq!(events.len(), 2, "{events:?}");
}

#[test]
fn whoever_hears_the_call_hears_nobody_any_more_and_whoever_took_it_keeps_it() {
    let supervised = |mode| {
        let supervising = Supervising {
            leg: SUPERVISOR_LEG,
            supervisor: OTHER_AGENT,
            mode,
            by: "carla".into(),
        };
        let asked = story(connected())
            .when(Command::SuperviseCall(supervising))
            .events();
        let history = with(connected(), asked);
        let heard = story(history.clone()).when(answer(SUPERVISOR_LEG)).events();
        with(history, heard)
    };
    let ended = Event::SupervisionEnded {
        leg: SUPERVISOR_LEG,
        supervisor: OTHER_AGENT,
        reason: SupervisionEnd::Transferred,
        by: None,
        wire: WireCause::default(),
    };
    story(supervised(SupervisionMode::Listen))
        .when(transfer(asked()))
        .then([ended, transferred(), enqueued_there()]);
    story(supervised(SupervisionMode::Takeover))
        .when(transfer(asked()))
        .refused(Error::TakenOver);
}

#[test]
fn its_state_is_that_of_a_caller_who_waits() {
    let given = story(sent_on());
    let call = given.state();
    assert_eq!(call.phase, Phase::Waiting);
    assert_eq!(call.visit, Some((OTHER_VISIT, OTHER_QUEUE)));
    assert_eq!(call.music.as_deref(), Some("harp"));
    assert!(call.answered_at.is_some());
    assert_eq!((call.engaged(), call.transfers_count), (None, 1));
}
