//! Routing: brings a waiting visit and a free agent together. It decides on
//! events and refusals, never on a poll. What it decides is a wish: the
//! session's stream says whether the agent can be had.

mod board;
mod choose;
mod rank;

use super::{Input, Intent, Process, offer::RESERVATION_GRACE_MS};
use crate::{
    agent,
    any::{AnyCommand, AnyEvent, Fact},
    id::{OfferId, SessionId},
    line, queue, session,
    time::Timestamp,
};
use board::{Activity, Board, Waiting};
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
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        let board = &mut state.board;
        match input {
            Input::Event(fact) => {
                on_event(board, fact);
                matches(board, fact.event_id.0, fact.at)
            }
            Input::Refused {
                command_id,
                command,
                code,
                version,
                at,
            } => {
                if let AnyCommand::Session(session, session::Command::Reserve { offer, .. }) =
                    command
                {
                    on_refusal(board, *session, *offer, code, *version);
                }
                matches(board, command_id.0, *at)
            }
            Input::Deadline(now) => {
                board.wake(*now);
                // Agents whose pause is over: each is woken once, so the
                // instant is cause enough.
                let cause = Uuid::from_u64_pair(now.millis_unsigned(), now.micros() as u64);
                matches(board, cause, *now)
            }
            Input::Sweep(now) => {
                // Asked only when every command has its answer and every event is
                // read: a wish that is still open was lost on the way.
                board.forget_all_wishes();
                board.mark_everything();
                let cause = Uuid::from_u64_pair(now.micros() as u64, now.millis_unsigned());
                matches(board, cause, *now)
            }
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.board.next_wake()
    }
}

fn on_event(board: &mut Board, fact: &Fact) {
    match &fact.event {
        AnyEvent::Agent(
            agent,
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
        ) => board.serve(*agent, &config.queues),
        AnyEvent::Line(queue, event) => on_line(board, *queue, event),
        AnyEvent::Session(session, event) => {
            on_session(board, *session, event, fact.at);
            board.seen(*session, fact.version);
        }
        AnyEvent::Queue(
            queue,
            queue::Event::Created { config, .. } | queue::Event::Configured { config, .. },
        ) => board.choose_by(*queue, config.strategy),
        AnyEvent::Call(..)
        | AnyEvent::Person(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Billing(..) => {}
    }
}

fn on_line(board: &mut Board, queue: crate::id::QueueId, event: &line::Event) {
    match event {
        line::Event::Opened {
            visit,
            call,
            enqueued_at,
            policy,
            ..
        } => {
            board.wait(*visit, Waiting::new(*call, queue, *enqueued_at, *policy));
        }
        line::Event::Rejected { .. } => {}
        line::Event::Matched { visit, .. } => board.take(*visit),
        line::Event::Returned { visit, session, .. } => board.give_back(*visit, session.agent),
        line::Event::Closed { visit, .. } => board.close(*visit),
    }
}

fn on_session(board: &mut Board, session: SessionId, event: &session::Event, at: Timestamp) {
    let agent = session.agent;
    match event {
        session::Event::LoggedIn { .. } => board.log_in(session),
        session::Event::LoggedOut { .. } => board.set(agent, Activity::LoggedOut, at),
        session::Event::BecameReady {} => board.set(agent, Activity::Free, at),
        session::Event::BecameNotReady { .. } => board.set(agent, Activity::NotReady, at),
        session::Event::NextStateRequested { .. } => {}
        session::Event::Reserved { offer, queue, .. } => {
            board.granted(*offer);
            board.set(agent, Activity::Engaged, at);
            board.taken(agent, *queue);
        }
        session::Event::ConnectedToContact { .. } => {
            board.set(agent, Activity::Engaged, at);
            board.talks(agent, at);
        }
        session::Event::ContactEnded { .. } => board.stops_talking(agent, at),
        session::Event::WrapUpStarted { .. } => board.set(agent, Activity::Engaged, at),
        session::Event::ReservationReleased {
            offer, not_before, ..
        } => {
            board.release(agent, *offer, *not_before);
        }
        session::Event::WrapUpEnded { .. } => {}
    }
}

/// The session says no. Either the event that explains it has not been heard
/// yet, then the refusal is the newest word; or it has, and the belief stands.
fn on_refusal(board: &mut Board, session: SessionId, offer: OfferId, code: &str, version: u64) {
    board.forget_wish(offer);
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

fn matches(board: &mut Board, cause: Uuid, at: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((visit, session)) = choose::next(board) {
        let offer = OfferId(super::derived(
            at,
            cause,
            &format!("offer/{visit}/{session}"),
        ));
        let Some(waiting) = board.wish(visit, session.agent, offer) else {
            continue;
        };
        let until = at
            .plus_ms(waiting.policy.ring_timeout_ms)
            .plus_ms(RESERVATION_GRACE_MS);
        let reserve = session::Command::Reserve {
            offer,
            call: waiting.call,
            visit,
            queue: waiting.queue,
            until,
            wrap_up_ms: waiting.policy.wrap_up_ms,
        };
        intents.push(Intent::new(offer.0, AnyCommand::Session(session, reserve)));
    }
    intents
}
