//! Routing: brings a waiting visit and a free agent together. It decides on
//! events and refusals, never on a poll. What it decides is a wish: the
//! session's stream says whether the agent can be had.

mod board;
mod choose;
mod pick;
mod rank;
mod unserved;

use super::{Input, Intent, Process, offer::RESERVATION_GRACE_MS};
use crate::{
    agent,
    any::{AnyCommand, AnyEvent, Fact},
    call, device,
    id::{CallId, OfferId, QueueId, SessionId},
    line, person,
    session::{self, Choice},
    time::Timestamp,
};
use board::{Activity, AgentRow, Board, Waiting};
use choose::Match;
use pick::Pick;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Matches visits and agents.
#[derive(Debug)]
pub struct Routing;

/// What it remembers: its own picture of lines and agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    board: Board,
}

impl Process for Routing {
    const NAME: &'static str = "routing";
    const VERSION: u32 = 14;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        let board = &mut state.board;
        match input {
            Input::Event(fact) => {
                let now = board.reach(fact.at);
                on_event(board, fact, now);
                matches(board, fact.event_id.0, fact.at, now)
            }
            Input::Refused {
                command_id,
                command,
                code,
                version,
                at,
            } => {
                let now = board.reach(*at);
                if let AnyCommand::Session(session, session::Command::Reserve { offer, .. }) =
                    command
                {
                    board.forget_wish(*offer, now);
                    on_refusal(board, *session, code, *version);
                }
                matches(board, command_id.0, *at, now)
            }
            Input::Deadline(now) => {
                let latest = board.reach(*now);
                // Agents whose pause is over: each is woken once, so the
                // instant is cause enough.
                let cause = Uuid::from_u64_pair(now.millis_unsigned(), now.micros() as u64);
                matches(board, cause, *now, latest)
            }
            Input::Sweep(now) => {
                // Asked only when every command has its answer and every event is
                // read: a wish that is still open was lost on the way.
                let latest = board.reach(*now);
                board.forget_all_wishes(latest);
                board.mark_everything();
                let cause = Uuid::from_u64_pair(now.micros() as u64, now.millis_unsigned());
                matches(board, cause, *now, latest)
            }
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.board.next_wake()
    }

    fn gauges(state: &State) -> Vec<(&'static str, usize)> {
        state.board.gauges().into()
    }

    fn reasons(state: &State) -> Option<(&'static str, Vec<(&'static str, usize)>)> {
        let reasons = unserved::by_reason(&state.board);
        Some(("ringledger_routing_unserved_count", reasons))
    }
}

fn on_event(board: &mut Board, fact: &Fact, now: Timestamp) {
    match &fact.event {
        AnyEvent::Agent(
            agent,
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
        ) => board.serve(*agent, config),
        AnyEvent::Line(queue, event) => on_line(board, *queue, event, now),
        AnyEvent::Session(session, event) => {
            on_session(board, *session, event, (fact.at, now));
            board.seen(*session, fact.version);
        }
        AnyEvent::Queue(queue, event) => {
            if let Some((version, config)) = event.configured() {
                board.match_by(*queue, version, config, now);
            }
            if let Some((agent, is_paused)) = event.paused() {
                board.pause_member(*queue, agent, is_paused);
            }
        }
        AnyEvent::Call(call, event) => on_call(board, *call, event),
        AnyEvent::Person(person, person::Event::Erased { .. }) => board.callers.forget(*person),
        AnyEvent::Device(agent, device::Event::Registered { .. }) => board.has_a_phone(*agent),
        AnyEvent::Device(_, device::Event::Deregistered { .. } | device::Event::Expired { .. })
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => {}
    }
}

/// Who called and who took it is remembered where a queue asks for it.
fn on_call(board: &mut Board, call: CallId, event: &call::Event) {
    match event {
        // Whoever shows no number is nobody in particular.
        call::Event::Received { withheld: true, .. } => {}
        call::Event::Received { from, .. } => board.callers.rang_in(call, from.subject),
        call::Event::Placed { party, wanted, .. } => {
            board.callers.rang_in(call, party.subject);
            if let Some(wanted) = wanted {
                board.callers.wants(call, wanted.agent, wanted.for_ms);
            }
        }
        call::Event::AgentConnected { visit, session, .. } => {
            let asks = board
                .visit(*visit)
                .is_some_and(|waiting| board.rules_of(waiting).matching.last_agent_ms > 0);
            if asks {
                board.callers.served(call, session.agent);
            }
            // Its line hears of it by and by: until then the next phone would be
            // reserved for a caller who talks, where phones ring side by side.
            board.leaves(call);
        }
        // Its line says so later, or much later: until then every agent would be
        // reserved for it in vain, again and again.
        call::Event::Ended { .. } => {
            board.leaves(call);
            board.callers.is_over(call);
        }
        call::Event::Enqueued { visit, .. } => board.goes_to(call, *visit),
        call::Event::Overflowed { .. } => board.leaves(call),
        call::Event::Transferred { session, .. } => board.hands_on(call, session.agent),
        call::Event::Routed { .. }
        | call::Event::ExitKeyPressed { .. }
        | call::Event::PlaceTold { .. }
        | call::Event::AnnouncementStarted { .. }
        | call::Event::VoicemailStarted { .. }
        | call::Event::VoicemailEnded { .. }
        | call::Event::Forwarded { .. }
        | call::Event::LegDialled { .. }
        | call::Event::TrunkSelected { .. }
        | call::Event::LegProgressed { .. }
        | call::Event::LegAnswered { .. }
        | call::Event::Answered {}
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::AnswerOrdered { .. }
        | call::Event::AnswerOrderRefused { .. }
        | call::Event::Withdrawn { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::MediaMeasured { .. }
        | call::Event::SupervisionRequested { .. }
        | call::Event::SupervisionStarted { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::TakenOver { .. }
        | call::Event::SupervisionEnded { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => {}
    }
}

fn on_line(board: &mut Board, queue: QueueId, event: &line::Event, at: Timestamp) {
    match event {
        line::Event::Opened {
            visit,
            call,
            enqueued_at,
            joined_at,
            priority,
            policy,
            ..
        } => {
            let since = joined_at.unwrap_or(*enqueued_at);
            let mut waiting = Waiting::new(*call, queue, (*enqueued_at, since), *policy);
            if let Some(priority) = priority {
                waiting.prefer(*priority);
            }
            if let Some((agent, for_ms)) = board.callers.wanted(*call) {
                waiting.keep_for(agent, since.plus_ms(for_ms));
            }
            board.wait(*visit, waiting, at);
        }
        line::Event::Rejected { .. } => {}
        line::Event::Matched {
            visit,
            offer,
            session,
            ..
        } => board.matched(*visit, session.agent, *offer, at),
        line::Event::Returned {
            visit,
            offer,
            session,
            cause,
            attempt,
            still_ringing,
            ..
        } => {
            let outcome = (*cause, *attempt, *still_ringing);
            board.give_back(*visit, *offer, session.agent, outcome, at);
        }
        line::Event::PriorityChanged {
            visit, priority, ..
        } => board.prefer(*visit, *priority, at),
        line::Event::Assigned {
            visit,
            agent,
            until,
            ..
        } => board.assign(*visit, (*agent, *until), at),
        line::Event::Closed { visit, .. } => board.close(*visit),
    }
}

fn on_session(
    board: &mut Board,
    session: SessionId,
    event: &session::Event,
    (at, now): (Timestamp, Timestamp),
) {
    let agent = session.agent;
    let is_half = board.folds(session, event, at);
    match event {
        session::Event::LoggedIn { .. } => board.log_in(session),
        session::Event::LoggedOut { .. } => board.set(agent, Activity::LoggedOut, at),
        session::Event::BecameReady {} => board.set(agent, Activity::Free, at),
        session::Event::BecameNotReady { .. } => board.set(agent, Activity::NotReady, at),
        session::Event::NextStateRequested { .. }
        | session::Event::WrapUpExtended { .. }
        | session::Event::Forced { .. } => {}
        session::Event::Reserved {
            offer,
            queue,
            visit,
            ..
        } => {
            board.granted(*offer, *visit, agent, now);
            board.set(agent, Activity::Engaged, at);
            board.taken(agent, *queue);
        }
        session::Event::ConnectedToContact { offer, call, .. } => {
            board.over(*offer, now);
            board.set(agent, Activity::Engaged, at);
            board.begins_to_talk(agent, *call, at);
        }
        session::Event::ContactEnded { call, .. } => {
            board.stops_talking(agent, *call, at);
            if !is_half {
                board.has_ended(agent, at);
            }
        }
        session::Event::WrapUpStarted { .. } => board.set(agent, Activity::Engaged, at),
        session::Event::ReservationReleased {
            offer,
            not_before,
            reason,
            ..
        } => {
            board.over(*offer, now);
            // Who is to be something else in the same breath has not been free; nor has
            // who has a call besides.
            let activity = match is_half || board.is_engaged(agent) {
                true => Activity::Engaged,
                false => Activity::Free,
            };
            board.release(agent, activity, *not_before, *reason);
        }
        session::Event::WrapUpEnded { .. } if !is_half => board.has_ended(agent, at),
        session::Event::WrapUpEnded { .. } => {}
    }
    board.looks_for_room(agent, is_half);
}

/// The session says no. Either the event that explains it has not been heard
/// yet, then the refusal is the newest word; or it has, and the belief stands.
fn on_refusal(board: &mut Board, session: SessionId, code: &str, version: u64) {
    if !board.is_news(session, version) {
        return;
    }
    let activity = match code {
        "agent.engaged" => Activity::Engaged,
        "agent.not_ready" => Activity::NotReady,
        _ => Activity::LoggedOut,
    };
    board.correct(session.agent, activity);
}

fn matches(board: &mut Board, cause: Uuid, at: Timestamp, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some(Match { visit, pick }) = choose::next(board, now) {
        let (Some(waiting), Some(session)) = (board.visit(visit), board.session_of(pick.agent))
        else {
            // Nobody is free without a session, and only open visits are in a line.
            break;
        };
        let offer = OfferId(super::derived(
            at,
            cause,
            &format!("offer/{visit}/{session}"),
        ));
        let matching = &board.rules_of(waiting).matching;
        let policy = waiting.policy;
        let until = now
            .plus_ms(matching.ring_timeout_ms(waiting.attempts, policy.ring_timeout_ms))
            .plus_ms(RESERVATION_GRACE_MS);
        let reserve = session::Command::Reserve {
            offer,
            call: waiting.call,
            visit,
            queue: waiting.queue,
            until,
            wrap_up_ms: policy.wrap_up_ms,
            choice: Some(Box::new(explained(board, waiting, &pick, now))),
            terms: board.rules(waiting.queue).terms,
            capacity: board.agent(pick.agent).map_or(1, AgentRow::capacity),
        };
        board.wish(visit, pick.agent, offer, now);
        intents.push(Intent::new(offer.0, AnyCommand::Session(session, reserve)));
    }
    intents
}

/// The decision as the record keeps it.
fn explained(board: &Board, waiting: &Waiting, pick: &Pick, at: Timestamp) -> Choice {
    let count = |count: Option<usize>| u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX);
    let queue = waiting.queue;
    let strategy = board.rules(queue).strategy;
    Choice {
        strategy,
        config_version: waiting.policy.config_version,
        beside: strategy.rings_beside(),
        waited_ms: at.ms_since(waiting.enqueued_at),
        attempts: waiting.attempts,
        priority: waiting.priority_milli(board.rules_of(waiting), board.rules(waiting.queue), at)
            / 1_000,
        calls_count: count(board.agent(pick.agent).map(AgentRow::calls_count)),
        waiting_count: count(board.lines.get(&queue).map(std::collections::BTreeSet::len)),
        free_count: count(board.free.get(&queue).map(std::collections::BTreeSet::len)),
        place: pick.place,
        decided_by: pick.decided_by,
        next: pick.next,
        left_out: choose::all_left_out(board, queue, pick),
    }
}
