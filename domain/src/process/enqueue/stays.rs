//! A call's way from one line to the next: it stands in one at a time, and each
//! stay that is opened is closed.

use super::{State, carried::Carried, end, way_out::barred};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode, OverflowCause},
    cause::{By, Disposition, EndReason},
    id::{CallId, MailboxId, QueueId, VisitId},
    line::{self, RejectReason, VisitPolicy, VisitResult},
    process::Intent,
    queue,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A call's stay in a queue, not yet opened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Stay {
    pub(super) visit: VisitId,
    pub(super) queue: QueueId,
    pub(super) since: Timestamp,
    /// The place, which may be one from a call before.
    pub(super) enqueued_at: Timestamp,
    /// The event by which the call was enqueued. Whenever the line is asked, it is
    /// because of this: a run that asks again asks for the same command.
    pub(super) cause: Uuid,
    /// Somebody was there then, of a queue in which nobody waits for nobody.
    pub(super) found_somebody: bool,
    /// A person has sent the call there: neither the queue's room nor its doors keep it out.
    pub(super) is_sent: bool,
}

/// A stay that its line was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) found_somebody: bool,
    /// The end of the stay, if the call has ended or left before it began.
    pub(super) close: Option<line::Command>,
    /// It was sent on before it was to wait, and is there to be counted.
    #[serde(default)]
    pub(super) passes: bool,
}

/// A stay that is over before its line was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Passing {
    stay: Stay,
    close: line::Command,
}

/// A call between two lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Leaving {
    /// The stay that has to be closed first.
    visit: VisitId,
    /// Those in between, which are opened and closed before the next.
    #[serde(default)]
    passes: Vec<Passing>,
    /// The stay that is opened then, unless it was sent to a number.
    next: Option<Stay>,
    /// The end of the next stay, if the call has ended meanwhile.
    pub(super) end: Option<line::Command>,
    /// The call is over, and has no next stay.
    #[serde(default)]
    is_over: bool,
}

impl Leaving {
    const fn from(visit: VisitId) -> Self {
        Self {
            visit,
            passes: vec![],
            next: None,
            end: None,
            is_over: false,
        }
    }

    /// The line that has to let it go had it at that place, which the stays to come keep.
    pub(super) fn stood_at(&mut self, enqueued_at: Timestamp) {
        let passing = self.passes.iter_mut().map(|passing| &mut passing.stay);
        for stay in passing.chain(&mut self.next) {
            stay.enqueued_at = stay.enqueued_at.min(enqueued_at);
        }
    }
}

impl State {
    /// The call has been sent on from that stay, whose line has it still.
    pub(super) fn is_leaving(&self, call: CallId, visit: VisitId) -> bool {
        let leaving = self.leaving.get(&call);
        leaving.is_some_and(|leaving| leaving.visit == visit)
    }

    /// The line has answered for that stay: the call was to be sent on at once, and could
    /// not. Whoever reads again hears of the refusal only later.
    pub(super) fn was_asked(&mut self, call: CallId, visit: VisitId) {
        let turned_away = self.turned_away.get(&call);
        if turned_away.is_some_and(|stay| stay.visit == visit) {
            self.turned_away.remove(&call);
        }
    }

    /// The call is over, and waits nowhere: lines that it has passed through are still told.
    pub(super) fn is_gone(&mut self, call: CallId) {
        match self.leaving.get_mut(&call) {
            Some(leaving) if !leaving.passes.is_empty() => {
                leaving.next = None;
                leaving.is_over = true;
            }
            Some(_) | None => {
                self.leaving.remove(&call);
                self.carried.remove(&call);
            }
        }
    }

    /// Whether that stay was open.
    pub(super) fn waits_no_more(&mut self, queue: QueueId, visit: VisitId) -> bool {
        if let Some(spared) = self.spared.get_mut(&queue) {
            spared.remove(&visit);
        }
        let waiting = self.waiting.get_mut(&queue);
        waiting.is_some_and(|waiting| waiting.remove(&visit).is_some())
    }

    /// Those of a queue that were spared when its last agent went.
    pub(super) fn spared_of(&self, queue: QueueId) -> BTreeMap<VisitId, CallId> {
        let spared = self.spared.get(&queue).into_iter().flatten();
        let waiting = self.waiting.get(&queue);
        spared
            .filter_map(|visit| Some((*visit, *waiting?.get(visit)?)))
            .collect()
    }
}

/// Asks the line to let a call in, once no other line has it any more.
pub(super) fn open_visit(state: &mut State, call: CallId, stay: Stay) -> Vec<Intent> {
    if let Some(leaving) = state.leaving.get_mut(&call) {
        leaving.next = Some(stay);
        return vec![];
    }
    // A person has seen it there: its agents serve whoever is in it.
    let is_gone = state.gone.contains(&stay.queue) && !stay.is_sent;
    let rules = state.queues.get(&stay.queue).filter(|_| !is_gone);
    let Some((version, config)) = rules else {
        // The directory knew a queue that is taken away, or whose events are not there.
        let reason = EndReason::UnknownAddress;
        return vec![end(stay.cause, call, stay.visit, reason)];
    };
    let is_placed = state.placed.contains_key(&call);
    let barred = match is_placed || stay.is_sent {
        true => None,
        false => barred(state, stay.queue, stay.since),
    };
    let carried = state.carried.get(&call);
    let command = open(
        (call, carried),
        &stay,
        (*version, config),
        is_placed,
        barred,
    );
    let opening = Opening {
        found_somebody: stay.found_somebody,
        close: None,
        passes: false,
    };
    state.opening.insert(stay.visit, opening);
    vec![Intent::new(
        stay.cause,
        AnyCommand::Line(stay.queue, command),
    )]
}

/// The call was sent on, or has ended, before it was to wait: it was offered to the queue
/// all the same. Its line writes that it came and went, once no other has the call.
pub(super) fn pass(
    state: &mut State,
    call: CallId,
    stay: Stay,
    close: line::Command,
) -> Vec<Intent> {
    // A place of before that it was to come back to there is its caller's still.
    let stay = Stay {
        enqueued_at: state.place_of(call).unwrap_or(stay.enqueued_at),
        ..stay
    };
    if let Some(leaving) = state.leaving.get_mut(&call) {
        leaving.passes.push(Passing { stay, close });
        return vec![];
    }
    state.leaving.insert(call, Leaving::from(stay.visit));
    pass_through(state, call, Passing { stay, close })
}

fn pass_through(state: &mut State, call: CallId, passing: Passing) -> Vec<Intent> {
    let Passing { stay, close } = passing;
    let Some((version, config)) = state.queues.get(&stay.queue) else {
        return let_go(state, call, stay.visit);
    };
    let is_placed = state.placed.contains_key(&call);
    let carried = state.carried.get(&call);
    // It takes nobody's room.
    let entering = Stay {
        is_sent: true,
        ..stay
    };
    let command = open(
        (call, carried),
        &entering,
        (*version, config),
        is_placed,
        None,
    );
    let opening = Opening {
        found_somebody: false,
        close: Some(close),
        passes: true,
    };
    state.opening.insert(stay.visit, opening);
    vec![Intent::new(
        stay.cause,
        AnyCommand::Line(stay.queue, command),
    )]
}

/// The call is sent on from that stay: what happens to that queue is not about
/// the call any more, and its line has to let it go.
pub(super) fn leave(
    state: &mut State,
    fact: &Fact,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
    result: VisitResult,
) -> Vec<Intent> {
    let close = line::Command::CloseVisit {
        visit,
        result,
        closed_at: fact.at,
    };
    if let Some(stay) = state.turned_away.remove(&call) {
        return pass(state, call, stay, close);
    }
    if let Some(leaving) = state.leaving.get_mut(&call) {
        // The line before has it still.
        let next = leaving.next.take();
        return next.map_or_else(Vec::new, |stay| pass(state, call, stay, close));
    }
    let opening = state.opening.get_mut(&visit);
    let is_opening = opening.is_some();
    if let Some(opening) = opening {
        opening.close = Some(close.clone());
    }
    if state.waits_no_more(queue, visit) || is_opening {
        state.leaving.insert(call, Leaving::from(visit));
    }
    vec![Intent::new(fact.event_id.0, AnyCommand::Line(queue, close))]
}

/// An agent who had the call has sent it on: where its line has not heard yet that it was
/// answered, it is in that line still.
pub(super) fn served(
    state: &mut State,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
) -> Vec<Intent> {
    let is_opening = state.opening.contains_key(&visit);
    if state.waits_no_more(queue, visit) || is_opening {
        state.leaving.insert(call, Leaving::from(visit));
    }
    vec![]
}

/// The old line has let go of the call, or never had it: the next one may have it.
pub(super) fn let_go(state: &mut State, call: CallId, visit: VisitId) -> Vec<Intent> {
    if !state.is_leaving(call, visit) {
        return vec![];
    }
    let Some(mut left) = state.leaving.remove(&call) else {
        return vec![];
    };
    if !left.passes.is_empty() {
        let passing = left.passes.remove(0);
        left.visit = passing.stay.visit;
        state.leaving.insert(call, left);
        return pass_through(state, call, passing);
    }
    let Leaving {
        next, end, is_over, ..
    } = left;
    let is_over = is_over || end.is_some();
    let mut opened = vec![];
    if let Some(stay) = next {
        opened = open_visit(state, call, stay);
        if let Some(opening) = state.opening.get_mut(&stay.visit) {
            opening.close = end;
        }
    }
    if is_over {
        state.carried.remove(&call);
    }
    opened
}

fn open(
    (call, carried): (CallId, Option<&Carried>),
    stay: &Stay,
    (config_version, config): (u32, &queue::Config),
    is_placed: bool,
    barred: Option<RejectReason>,
) -> line::Command {
    line::Command::OpenVisit {
        visit: stay.visit,
        call,
        enqueued_at: stay.enqueued_at,
        joined_at: match stay.enqueued_at.micros() == stay.since.micros() {
            true => None,
            false => Some(stay.since),
        },
        priority: carried.and_then(|carried| carried.priority),
        previous: carried.and_then(|carried| carried.previous),
        // Whoever is rung back had a place before those who come now.
        capacity: match is_placed || stay.is_sent {
            true => u32::MAX,
            false => config.capacity,
        },
        policy: VisitPolicy {
            config_version,
            answer_mode: match is_placed {
                true => AnswerMode::OnAgent,
                false => config.answer_mode,
            },
            ring_timeout_ms: config.ring_timeout_ms,
            wrap_up_ms: config.wrap_up_ms,
            max_wait_ms: match is_placed {
                true => 0,
                false => config.max_wait_ms,
            },
            measure: Some(config.measure()),
        },
        barred,
    }
}

/// How a stay ended that the call has left for another place.
pub(super) const fn left_by(case: OverflowCause, mailbox: Option<MailboxId>) -> VisitResult {
    if mailbox.is_some() {
        return VisitResult::Voicemail;
    }
    match case {
        OverflowCause::ExitKey => VisitResult::ExitKey,
        OverflowCause::Supervisor => VisitResult::Requeued,
        OverflowCause::Full
        | OverflowCause::ExpectedWait
        | OverflowCause::MaxWait
        | OverflowCause::Unstaffed
        | OverflowCause::Attempts
        | OverflowCause::Closed => VisitResult::Overflow,
    }
}

/// An ended call leaves the line, unless an agent had it: that closed the visit.
pub(super) fn end_of_stay(fact: &Fact) -> Option<(VisitId, QueueId, line::Command)> {
    let AnyEvent::Call(
        _,
        call::Event::Ended {
            cause,
            disposition,
            ended_at,
            visit,
            queue,
            ..
        },
    ) = &fact.event
    else {
        return None;
    };
    let (Some(visit), Some(queue)) = (visit, queue) else {
        return None;
    };
    if *disposition == Disposition::Answered {
        return None;
    }
    let result = match (cause.reason, cause.by) {
        (EndReason::MaxWait, _) => VisitResult::Timeout,
        (EndReason::VisitExpired, _) => VisitResult::Expired,
        (EndReason::CallbackRequested, _) => VisitResult::Callback,
        (EndReason::Operator, _) => VisitResult::Withdrawn,
        (_, By::Caller) => VisitResult::Abandoned,
        (_, By::Agent | By::Outside | By::System | By::Supervisor) => VisitResult::System,
    };
    let command = line::Command::CloseVisit {
        visit: *visit,
        result,
        closed_at: *ended_at,
    };
    Some((*visit, *queue, command))
}
