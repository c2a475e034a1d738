//! What a call does, command by command.

mod announcement;
mod answer_call;
mod answer_order;
mod callback;
mod end_call;
mod end_offer;
mod outside;
mod overflow_call;
mod properties;
mod races;
mod receive_call;
mod record_alerting;
mod record_answer;
mod record_bye;
mod record_cancel;
mod record_failure;
mod record_hold;
mod record_key;
mod record_media;
mod record_media_silence;
mod record_retrieve;
mod record_signalling_lost;
mod requeue_call;
mod start_offer;
mod supervise_call;
mod tag_call;
mod take_over_call;
mod tell_place;
mod transfer_call;
mod voicemail;
mod withdraw_call;

use super::{AnswerMode, Call, Command, Destination, Event, OverflowCause, Route, Target};
use crate::{
    cause::{By, Disposition, EndCause, EndReason, EndResult, OfferOutcome, WireCause},
    id::{LegId, OfferId, QueueId, SessionId, VisitId},
    testing::{
        AGENT_LEG, CALLER_LEG, Given, OFFER, OTHER_LEG, OTHER_OFFER, OTHER_SESSION, OTHER_VISIT,
        OUTSIDE_LEG, QUEUE, SESSION, TRUNK, VISIT, caller, given, second,
    },
    time::Timestamp,
};

fn story(events: impl IntoIterator<Item = Event>) -> Given<Call> {
    given::<Call>(events)
}

fn receive(route: Route) -> Command {
    Command::ReceiveCall {
        withheld: false,
        leg: CALLER_LEG,
        from: caller(),
        to: "sales".into(),
        trunk: Some(TRUNK),
        sip_call_id: "a84b4c76e66710".into(),
        user_agent: None,
        diversion: None,
        route,
    }
}

fn into_queue(answer_mode: AnswerMode) -> Route {
    Route::Queue {
        queue: QUEUE,
        config_version: 3,
        answer_mode,
        visit: VISIT,
        exit_keys: vec![],
        music: None,
    }
}

fn received() -> Event {
    Event::Received {
        withheld: false,
        leg: CALLER_LEG,
        from: caller(),
        to: "sales".into(),
        trunk: Some(TRUNK),
        sip_call_id: "a84b4c76e66710".into(),
        user_agent: None,
    }
}

fn enqueued(answer_mode: AnswerMode) -> Event {
    Event::Enqueued {
        visit: VISIT,
        queue: QUEUE,
        config_version: 3,
        answer_mode,
        exit_keys: vec![],
        music: None,
    }
}

fn routed() -> Event {
    Event::Routed {
        queue: QUEUE,
        config_version: 3,
    }
}

const RING_UNTIL: Timestamp = second(30);

fn offer_started() -> Event {
    Event::OfferStarted {
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: AGENT_LEG,
        until: RING_UNTIL,
    }
}

fn alerting() -> Event {
    Event::LegAlerting {
        leg: AGENT_LEG,
        offer: OFFER,
        session: SESSION,
    }
}

fn offer_ended(outcome: OfferOutcome, wire: WireCause) -> Event {
    Event::OfferEnded {
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: AGENT_LEG,
        outcome,
        wire,
    }
}

fn agent_connected() -> Event {
    Event::AgentConnected {
        codec: None,
        device: None,
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: AGENT_LEG,
    }
}

/// In the queue, hearing 180: the caller is answered only by an agent.
fn waiting() -> Vec<Event> {
    vec![received(), routed(), enqueued(AnswerMode::OnAgent)]
}

/// In the queue, answered at once and hearing music. Answered at second 3.
fn waiting_with_music() -> Vec<Event> {
    vec![
        received(),
        routed(),
        enqueued(AnswerMode::Immediate),
        Event::Answered {},
    ]
}

/// One agent's phone has been called.
fn offering() -> Vec<Event> {
    with(waiting(), [offer_started()])
}

/// One agent's phone rings.
fn ringing() -> Vec<Event> {
    with(offering(), [alerting()])
}

/// Caller and agent talk. The last event is at second 6.
fn connected() -> Vec<Event> {
    with(ringing(), [agent_connected(), Event::Answered {}])
}

/// The agent holds the caller.
fn held() -> Vec<Event> {
    with(connected(), [Event::Held { leg: AGENT_LEG }])
}

/// Hung up by the caller after talking.
fn over() -> Vec<Event> {
    with(
        connected(),
        [hung_up_by(By::Caller, second(7), WireCause::default())],
    )
}

fn with(mut events: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    events.extend(more);
    events
}

/// The end of a conversation by a BYE.
fn hung_up_by(by: By, ended_at: Timestamp, wire: WireCause) -> Event {
    Event::Ended {
        cause: EndCause {
            result: EndResult::Success,
            reason: EndReason::Hangup,
            by,
            sip_status: wire.sip_status,
            q850: Some(16),
            reason_header: wire.reason_header,
        },
        disposition: Disposition::Answered,
        ended_at,
        incomplete: false,
        session: Some(SESSION),
        offer: Some(OFFER),
        visit: Some(VISIT),
        queue: Some(QUEUE),
    }
}

/// The caller left; `offered` says whether an agent's phone rang, who is freed.
fn left(
    reason: EndReason,
    sip_status: Option<u16>,
    ended_at: Timestamp,
    offered: Option<(SessionId, OfferId)>,
) -> Event {
    let (session, offer) = offered.unzip();
    Event::Ended {
        cause: EndCause {
            result: EndResult::Caller,
            reason,
            by: By::Caller,
            sip_status,
            q850: Some(16),
            reason_header: None,
        },
        disposition: Disposition::Abandoned,
        ended_at,
        incomplete: false,
        session,
        offer,
        visit: Some(VISIT),
        queue: Some(QUEUE),
    }
}

/// The end of a call that no agent was on.
fn left_by_caller(reason: EndReason, sip_status: Option<u16>, at: Timestamp) -> Event {
    left(reason, sip_status, at, None)
}

/// The same, while an agent's phone was ringing: that agent is freed.
fn left_while_ringing(reason: EndReason, sip_status: Option<u16>, at: Timestamp) -> Event {
    left(reason, sip_status, at, Some((SESSION, OFFER)))
}

fn bye(leg: LegId) -> Command {
    Command::RecordBye {
        leg,
        wire: WireCause::default(),
    }
}

fn cancel() -> Command {
    Command::RecordCancel {
        leg: CALLER_LEG,
        wire: WireCause::default(),
    }
}

fn answer(leg: LegId) -> Command {
    Command::RecordAnswer {
        leg,
        codec: None,
        device: None,
    }
}

fn failure(leg: LegId, outcome: OfferOutcome) -> Command {
    Command::RecordFailure {
        leg,
        outcome,
        wire: WireCause::default(),
    }
}

fn start_second_offer() -> Command {
    Command::StartOffer {
        offer: OTHER_OFFER,
        visit: VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
        until: second(90),
        beside: false,
    }
}

fn second_offer_started() -> Event {
    Event::OfferStarted {
        offer: OTHER_OFFER,
        visit: VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
        until: second(90),
    }
}

/// A number of the configuration, outside.
const NUMBER: &str = "+491701234567";

fn into_forward() -> Route {
    Route::Forward {
        number: NUMBER.into(),
        leg: OUTSIDE_LEG,
    }
}

fn to_forward() -> Destination {
    Destination::Forward {
        number: NUMBER.into(),
        leg: OUTSIDE_LEG,
    }
}

fn to_queue(queue: QueueId) -> Destination {
    Destination::Queue {
        queue,
        config_version: 5,
        answer_mode: AnswerMode::OnAgent,
        visit: OTHER_VISIT,
        exit_keys: vec![],
        music: None,
    }
}

fn overflow(visit: VisitId, to: Destination) -> Command {
    Command::OverflowCall {
        visit,
        cause: OverflowCause::MaxWait,
        to,
    }
}

fn overflowed() -> Event {
    Event::Overflowed {
        mailbox: None,
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::MaxWait,
        by: None,
        why: None,
    }
}

fn forwarded() -> Event {
    Event::Forwarded {
        number: NUMBER.into(),
    }
}

fn leg_dialled(until: Timestamp) -> Event {
    Event::LegDialled {
        leg: OUTSIDE_LEG,
        target: Target::Number(NUMBER.into()),
        until,
    }
}

fn trunk_selected_for(leg: LegId) -> Command {
    Command::RecordTrunk {
        leg,
        trunk: TRUNK,
        party: caller(),
        after: None,
        after_at: None,
    }
}

fn trunk_selected() -> Event {
    Event::TrunkSelected {
        leg: OUTSIDE_LEG,
        trunk: TRUNK,
        party: caller(),
        after: None,
        after_at: None,
    }
}

const fn progress(leg: LegId, early_media: bool) -> Command {
    Command::RecordProgress { leg, early_media }
}

const fn progressed(early_media: bool) -> Event {
    Event::LegProgressed {
        leg: OUTSIDE_LEG,
        early_media,
    }
}

/// A number outside is being dialled, through a trunk.
fn dialling() -> Vec<Event> {
    vec![
        received(),
        forwarded(),
        leg_dialled(second(90)),
        trunk_selected(),
    ]
}

/// The caller talks with somebody outside.
fn outside() -> Vec<Event> {
    with(
        dialling(),
        [
            progressed(false),
            Event::LegAnswered {
                leg: OUTSIDE_LEG,
                codec: None,
            },
            Event::Answered {},
        ],
    )
}

/// Every phase that a call can be in, by name, with its history.
fn phases() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("unborn", vec![]),
        ("waiting", waiting()),
        ("waiting with music", waiting_with_music()),
        ("offering", offering()),
        ("ringing", ringing()),
        ("connected", connected()),
        ("held", held()),
        ("dialling", dialling()),
        ("outside", outside()),
        ("over", over()),
    ]
}

/// A command that changes nothing in any phase but the named ones.
#[track_caller]
fn changes_nothing_but_in(command: &Command, names: &[&str]) {
    for (name, history) in phases() {
        if !names.contains(&name) {
            let events = story(history).when(command.clone()).events();
            assert_eq!(events, vec![], "{command:?} while {name}");
        }
    }
}
