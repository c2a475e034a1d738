//! What follows once an agent is reserved: the visit is matched, the phone
//! rings, and whatever comes of it is told to the line and to the session.
//! Every offer has a due time, so that nothing stays reserved for ever.

use super::{
    Input, Intent, Process,
    deadlines::{Deadlines, Take},
    derived,
};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call,
    cause::OfferOutcome,
    id::{AgentId, CallId, LegId, OfferId, QueueId, SessionId, VisitId},
    line::{self, ReturnCause, VisitResult},
    session::{self, ReleaseReason},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Carries offers through.
#[derive(Debug)]
pub struct OfferProcess;

/// How much longer than the ring a reservation lasts: time for what the call
/// has said about the end of the ring to be heard, before the reservation falls
/// by itself.
pub const RESERVATION_GRACE_MS: u64 = 5_000;

/// An offer under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Live {
    call: CallId,
    visit: VisitId,
    queue: QueueId,
    session: SessionId,
    /// The ring has been timed out; next the reservation itself falls.
    ring_over: bool,
    /// It has come to nothing: visit and agent were given back.
    given_up: bool,
}

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    live: BTreeMap<OfferId, Live>,
    /// When something is due about each; not while the call has been asked to end the
    /// offer and has not answered.
    due: Deadlines<OfferId>,
    /// Whom a person has paused in a queue.
    paused: BTreeSet<(QueueId, AgentId)>,
}

impl Process for OfferProcess {
    const NAME: &'static str = "offer";
    const VERSION: u32 = 4;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Refused {
                command_id,
                command,
                at,
                ..
            } => refused(state, command_id.0, command, *at),
            Input::Deadline(now) => due(state, *now, Deadlines::take),
            Input::Sweep(now) => due(state, *now, Deadlines::take_ahead),
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.next()
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    match &fact.event {
        AnyEvent::Session(session, event) => on_session(state, fact, *session, event),
        AnyEvent::Call(_, event) => on_call(state, fact, event),
        AnyEvent::Line(queue, line::Event::Matched { visit, offer, .. }) => {
            // A store that was away for a moment let the return overtake.
            let is_live = state.live.get(offer).is_some_and(|live| !live.given_up);
            if is_live {
                return vec![];
            }
            let command = line::Command::ReturnVisit {
                visit: *visit,
                offer: *offer,
                cause: ReturnCause::Withdrawn,
            };
            vec![Intent::new(
                fact.event_id.0,
                AnyCommand::Line(*queue, command),
            )]
        }
        AnyEvent::Queue(queue, event) => {
            match event.paused() {
                Some((agent, true)) => _ = state.paused.insert((*queue, agent)),
                Some((agent, false)) => _ = state.paused.remove(&(*queue, agent)),
                None => {}
            }
            vec![]
        }
        AnyEvent::Line(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

fn on_session(
    state: &mut State,
    fact: &Fact,
    session: SessionId,
    event: &session::Event,
) -> Vec<Intent> {
    match event {
        session::Event::Reserved {
            offer,
            call,
            visit,
            queue,
            until,
            choice,
            ..
        } => {
            // The reservation outlives the ring by the grace.
            let ring_until =
                Timestamp::from_micros(until.micros() - (RESERVATION_GRACE_MS as i64) * 1000);
            // Asked before the word was heard, and reserved after it: what is not to ring
            // yet does not.
            let is_paused = state.paused.contains(&(*queue, session.agent));
            let live = Live {
                call: *call,
                visit: *visit,
                queue: *queue,
                session,
                ring_over: false,
                given_up: is_paused,
            };
            state.live.insert(*offer, live);
            state.due.plan(*offer, fact.at, ring_until);
            if is_paused {
                let superseded = ReleaseReason::Superseded;
                return vec![release(fact.event_id.0, *offer, session, superseded)];
            }
            let beside = choice.as_ref().is_some_and(|choice| choice.beside);
            start(fact, *offer, &live, ring_until, beside)
        }
        session::Event::ReservationReleased { offer, .. }
        | session::Event::ConnectedToContact { offer, .. } => {
            forget(state, *offer);
            vec![]
        }
        session::Event::LoggedIn { .. }
        | session::Event::LoggedOut { .. }
        | session::Event::BecameReady {}
        | session::Event::BecameNotReady { .. }
        | session::Event::NextStateRequested { .. }
        | session::Event::ContactEnded { .. }
        | session::Event::WrapUpStarted { .. }
        | session::Event::WrapUpEnded { .. }
        | session::Event::WrapUpExtended { .. }
        | session::Event::Forced { .. } => vec![],
    }
}

fn on_call(state: &mut State, fact: &Fact, event: &call::Event) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match event {
        call::Event::OfferEnded { offer, outcome, .. } => state
            .live
            .get_mut(offer)
            .map(|live| come_to_nothing(cause, *offer, live, *outcome))
            .unwrap_or_default(),
        call::Event::AgentConnected { offer, .. } => state
            .live
            .get(offer)
            .map(|live| accepted(fact, *offer, live))
            .unwrap_or_default(),
        // The caller left while the phone rang: not a missed call. The visit
        // is closed by the process that opened it.
        call::Event::Ended {
            offer: Some(offer), ..
        } if !event.ends_contact() => state
            .live
            .get(offer)
            .map(|live| {
                vec![release(
                    cause,
                    *offer,
                    live.session,
                    ReleaseReason::CallerGone,
                )]
            })
            .unwrap_or_default(),
        call::Event::Ended { .. }
        | call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Enqueued { .. }
        | call::Event::ExitKeyPressed { .. }
        | call::Event::PlaceTold { .. }
        | call::Event::Overflowed { .. }
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
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::Placed { .. }
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
        | call::Event::Transferred { .. }
        | call::Event::SupervisionEnded { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => vec![],
    }
}

/// The agent has the caller: the visit is over, the reservation a contact.
fn accepted(fact: &Fact, offer: OfferId, live: &Live) -> Vec<Intent> {
    let cause = fact.event_id.0;
    let closed = line::Command::CloseVisit {
        visit: live.visit,
        result: VisitResult::Answered,
        closed_at: fact.at,
    };
    let connected = session::Command::ConfirmConnect { offer };
    vec![
        Intent::new(cause, AnyCommand::Line(live.queue, closed)),
        Intent::new(cause, AnyCommand::Session(live.session, connected)),
    ]
}

/// The visit is matched and the phone rings at once, both fenced by the offer:
/// whichever is refused takes the other back.
fn start(fact: &Fact, offer: OfferId, live: &Live, until: Timestamp, beside: bool) -> Vec<Intent> {
    let cause = fact.event_id.0;
    let leg = LegId(derived(fact.at, offer.0, "leg"));
    let (visit, session) = (live.visit, live.session);
    let ring = call::Command::StartOffer {
        offer,
        visit,
        session,
        leg,
        until,
        beside,
    };
    let matched = line::Command::MatchVisit {
        visit,
        offer,
        session,
        beside,
    };
    vec![
        Intent::new(cause, AnyCommand::Call(live.call, ring)),
        Intent::new(cause, AnyCommand::Line(live.queue, matched)),
    ]
}

fn come_to_nothing(
    cause: uuid::Uuid,
    offer: OfferId,
    live: &mut Live,
    outcome: OfferOutcome,
) -> Vec<Intent> {
    live.given_up = true;
    // The visit is closed by the process that knows of its end.
    let over = |reason| vec![release(cause, offer, live.session, reason)];
    let (back, free) = match outcome {
        OfferOutcome::AnsweredElsewhere => return over(ReleaseReason::AnsweredElsewhere),
        OfferOutcome::CallerGone => return over(ReleaseReason::CallerGone),
        OfferOutcome::NoAnswer => (ReturnCause::NoAnswer, ReleaseReason::NoAnswer),
        OfferOutcome::Rejected => (ReturnCause::Rejected, ReleaseReason::Rejected),
        OfferOutcome::Busy => (ReturnCause::Busy, ReleaseReason::Busy),
        OfferOutcome::Unreachable => (ReturnCause::Unreachable, ReleaseReason::Unreachable),
        OfferOutcome::Withdrawn => (ReturnCause::Withdrawn, ReleaseReason::Superseded),
    };
    vec![
        give_back(cause, offer, live, back),
        release(cause, offer, live.session, free),
    ]
}

fn refused(
    state: &mut State,
    cause: uuid::Uuid,
    command: &AnyCommand,
    at: Timestamp,
) -> Vec<Intent> {
    match command {
        // The call is over or goes another way: the agent is free, and the
        // visit waits again if it is still there.
        AnyCommand::Call(_, call::Command::StartOffer { offer, .. }) => {
            let Some(live) = state.live.get_mut(offer) else {
                return vec![];
            };
            live.given_up = true;
            vec![
                give_back(cause, *offer, live, ReturnCause::Withdrawn),
                release(cause, *offer, live.session, ReleaseReason::CallerGone),
            ]
        }
        // The visit is closed: the phone must not ring.
        AnyCommand::Line(_, line::Command::MatchVisit { offer, .. }) => match state.live.get(offer)
        {
            None => vec![],
            Some(live) => vec![
                withdraw(cause, *offer, live.call),
                release(cause, *offer, live.session, ReleaseReason::CallerGone),
            ],
        },
        // The offer is not live: an event that is written says why. Only from
        // now on can waiting for it be in vain: a call that is slow to answer
        // may still connect the agent.
        AnyCommand::Call(_, call::Command::EndOffer { offer, .. }) => {
            let is_over = state.live.get(offer).is_some_and(|live| live.ring_over);
            if is_over && !state.due.contains(*offer) {
                let falls = at.plus_ms(RESERVATION_GRACE_MS);
                state.due.plan(*offer, at, falls);
            }
            vec![]
        }
        AnyCommand::Call(..)
        | AnyCommand::Line(..)
        | AnyCommand::Session(..)
        | AnyCommand::Queue(..)
        | AnyCommand::Person(..)
        | AnyCommand::Refusals(..)
        | AnyCommand::Schedule(..)
        | AnyCommand::Agent(..)
        | AnyCommand::Device(..)
        | AnyCommand::Trunk(..)
        | AnyCommand::Callback(..)
        | AnyCommand::Mailbox(..)
        | AnyCommand::Billing(..) => vec![],
    }
}

fn due(state: &mut State, now: Timestamp, take: Take<OfferId>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((_, offer)) = take(&mut state.due, now) {
        let Some(live) = state.live.get_mut(&offer) else {
            continue;
        };
        if live.ring_over {
            // Nobody has told how the ring ended: the reservation falls.
            live.given_up = true;
            intents.push(give_back(offer.0, offer, live, ReturnCause::Withdrawn));
            intents.push(release(
                offer.0,
                offer,
                live.session,
                ReleaseReason::TimedOut,
            ));
        } else {
            live.ring_over = true;
            let command = call::Command::EndOffer {
                offer,
                outcome: OfferOutcome::NoAnswer,
            };
            intents.push(Intent::new(offer.0, AnyCommand::Call(live.call, command)));
        }
    }
    intents
}

const fn withdraw(cause: uuid::Uuid, offer: OfferId, call: CallId) -> Intent {
    let command = call::Command::EndOffer {
        offer,
        outcome: OfferOutcome::Withdrawn,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}

const fn give_back(cause: uuid::Uuid, offer: OfferId, live: &Live, back: ReturnCause) -> Intent {
    let command = line::Command::ReturnVisit {
        visit: live.visit,
        offer,
        cause: back,
    };
    Intent::new(cause, AnyCommand::Line(live.queue, command))
}

const fn release(
    cause: uuid::Uuid,
    offer: OfferId,
    session: SessionId,
    reason: ReleaseReason,
) -> Intent {
    let command = session::Command::ReleaseReservation { offer, reason };
    Intent::new(cause, AnyCommand::Session(session, command))
}

fn forget(state: &mut State, offer: OfferId) {
    state.live.remove(&offer);
    state.due.forget(offer);
}
