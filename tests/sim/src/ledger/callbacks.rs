//! Promises to ring somebody back: each is made once, tried as often and as long as
//! was said, and ends once; whoever is rung back stands where the person stood.

mod promise;

use super::places::Places;
use crate::violation::{Violation, must};
use domain::{
    any::{AnyEvent, Fact},
    call,
    callback::{Event, Request},
    cause::EndReason,
    id::{CallId, CallbackId, LegId, QueueId, SubjectId, VisitId},
    line, queue,
    time::Timestamp,
};
use promise::{Promise, could_not_be_made};
use std::collections::{BTreeMap, BTreeSet};

/// A call that is placed for a promise, from its attempt to its end.
#[derive(Debug, Clone)]
struct Placed {
    callback: CallbackId,
    visit: VisitId,
    leg: LegId,
    place: Timestamp,
    stage: Stage,
    has_rung: bool,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Waits,
    WithAgent,
    Dialled {
        until: Timestamp,
    },
    Talks,
    /// Its promise has not heard of its end.
    Over,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Callbacks {
    open: BTreeMap<CallbackId, Promise>,
    over: BTreeSet<CallbackId>,
    /// What a call said that is promised, and the place that goes with it.
    asked: BTreeMap<CallbackId, Timestamp>,
    placed: BTreeMap<CallId, Placed>,
    /// Calls that may not be placed any more.
    spent: BTreeSet<CallId>,
    /// Since when each open stay counts.
    /// Queues that are closed at times.
    with_hours: BTreeSet<QueueId>,
    /// Promises that were made, and that were kept.
    pub(crate) promised_count: u64,
    pub(crate) kept_count: u64,
}

impl Callbacks {
    pub(crate) fn open_count(&self) -> usize {
        self.open.len() + self.asked.len()
    }

    /// Whether that stay is of somebody who is to be rung back.
    pub(crate) fn is_placed(&self, visit: VisitId) -> bool {
        self.placed.values().any(|placed| placed.visit == visit)
    }

    /// Takes the next fact.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn note(&mut self, fact: &Fact, places: &Places) -> Result<(), Violation> {
        match &fact.event {
            AnyEvent::Callback(callback, event) => self.on_promise(*callback, fact.at, event),
            AnyEvent::Call(call, call::Event::CallbackRequested { callback, .. }) => {
                // Whatever lines have let it in or turned it away.
                let place = places.since(*call).unwrap_or(fact.at);
                self.asked.insert(*callback, place);
                Ok(())
            }
            AnyEvent::Call(call, event) => self.on_call(*call, event),
            AnyEvent::Line(
                _,
                line::Event::Opened {
                    visit,
                    call,
                    enqueued_at,
                    ..
                },
            ) => self.stands(*call, *visit, *enqueued_at),
            AnyEvent::Queue(
                queue,
                queue::Event::Created { config, .. } | queue::Event::Configured { config, .. },
            ) => {
                if config.hours.is_some() {
                    self.with_hours.insert(*queue);
                }
                Ok(())
            }
            // Whoever is rung back waits for it to open.
            AnyEvent::Queue(
                queue,
                queue::Event::Opened { .. }
                | queue::Event::Closed { .. }
                | queue::Event::HoursFollowed { .. }
                | queue::Event::Deleted { .. },
            ) => {
                self.with_hours.insert(*queue);
                Ok(())
            }
            // Who waits to be rung back waits for whoever is there.
            AnyEvent::Queue(
                _,
                queue::Event::MemberPaused { .. } | queue::Event::MemberUnpaused { .. },
            )
            | AnyEvent::Line(..)
            | AnyEvent::Session(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    /// A call has its place in a line: one that we placed has the person's.
    fn stands(&mut self, call: CallId, visit: VisitId, at: Timestamp) -> Result<(), Violation> {
        let Some(placed) = self.placed.get(&call) else {
            return Ok(());
        };
        must(placed.visit == visit && placed.place == at, || {
            format!("{call} stands at {at} by {visit}, and was placed as {placed:?}")
        })
    }

    // ---- the promise

    fn on_promise(
        &mut self,
        id: CallbackId,
        at: Timestamp,
        event: &Event,
    ) -> Result<(), Violation> {
        if let Event::Requested {
            request,
            expires_at,
        } = event
        {
            return self.promised(id, at, request, *expires_at);
        }
        let Some(promise) = self.open.get_mut(&id) else {
            return Err(Violation(format!("{id} is not promised and has {event:?}")));
        };
        match event {
            Event::Requested { .. } => {}
            Event::Rescheduled {
                not_before,
                expires_at,
                ..
            } => {
                promise.rests(id)?;
                promise.not_before = *not_before;
                promise.expires_at = *expires_at;
            }
            Event::AttemptStarted {
                attempt,
                call,
                visit,
                leg,
            } => return self.tries(id, at, (*attempt, *call, *visit, *leg)),
            Event::AttemptFailed {
                attempt,
                call,
                reason,
                is_counted,
                not_before,
            } => {
                promise.has_missed(id, at, (*attempt, *call), *not_before)?;
                promise.counted += u32::from(*is_counted);
                promise.idle += u32::from(!is_counted && could_not_be_made(*reason));
                return self.came_to_nothing(*call, *reason, *is_counted);
            }
            Event::Connected { attempt, call } => {
                promise.has_tried(id, (*attempt, *call))?;
                let placed = self.placed.get(call);
                // Whoever hung up at once was reached, too.
                let talks = placed.is_none_or(|placed| placed.stage == Stage::Talks);
                must(talks, || format!("{id} is kept by {placed:?}"))?;
                self.kept_count += 1;
                self.is_over(id);
            }
            Event::Exhausted {} => {
                promise.rests(id)?;
                promise.is_used_up(id)?;
                self.is_over(id);
            }
            Event::GivenUp { reason } => {
                promise.waits_for_a_price(id, *reason)?;
                self.is_over(id);
            }
            Event::Expired {} => {
                promise.rests(id)?;
                let last = promise.not_before.max(at);
                must(last >= promise.expires_at, || {
                    format!("{id} expires at {at}, and stands until {promise:?}")
                })?;
                self.is_over(id);
            }
            Event::Cancelled { .. } => {
                let live = promise.live.map(|(_, call)| call);
                self.is_cancelled(id, live);
            }
        }
        Ok(())
    }

    fn is_cancelled(&mut self, id: CallbackId, live: Option<CallId>) {
        self.is_over(id);
        let stage = |call| self.placed.get(&call).map(|placed| placed.stage);
        if let Some(call) = live.filter(|call| stage(*call) == Some(Stage::Over)) {
            self.is_spent(call);
        }
    }

    fn promised(
        &mut self,
        id: CallbackId,
        at: Timestamp,
        request: &Request,
        expires_at: Timestamp,
    ) -> Result<(), Violation> {
        must(!self.over.contains(&id), || {
            format!("{id} is promised after its end")
        })?;
        let place = self.asked.remove(&id);
        must(place.is_none_or(|place| place == request.place), || {
            format!("{id} is promised at {}, not at {place:?}", request.place)
        })?;
        let promise = Promise {
            request: request.clone(),
            not_before: request.not_before.unwrap_or(at),
            expires_at,
            attempts: 0,
            idle: 0,
            counted: 0,
            live: None,
        };
        self.promised_count += 1;
        must(self.open.insert(id, promise).is_none(), || {
            format!("{id} is promised twice")
        })
    }

    fn tries(
        &mut self,
        id: CallbackId,
        at: Timestamp,
        (attempt, call, visit, leg): (u32, CallId, VisitId, LegId),
    ) -> Result<(), Violation> {
        let Some(promise) = self.open.get_mut(&id) else {
            return Ok(());
        };
        promise.rests(id)?;
        must(attempt == promise.attempts + 1, || {
            format!("{id} has attempt {attempt} after {promise:?}")
        })?;
        must(at >= promise.not_before && at < promise.expires_at, || {
            format!("{id} is tried at {at}, out of its time: {promise:?}")
        })?;
        let terms = promise.request.terms;
        must(promise.counted < terms.attempts_max, || {
            format!("{id} is tried once too often: {promise:?}")
        })?;
        promise.attempts = attempt;
        promise.live = Some((attempt, call));
        let placed = Placed {
            callback: id,
            visit,
            leg,
            place: promise.request.place,
            stage: Stage::Asked,
            has_rung: false,
        };
        let is_new = !self.spent.contains(&call) && self.placed.insert(call, placed).is_none();
        must(is_new, || format!("{call} is placed twice, for {id}"))
    }

    /// The call of an attempt is over or was never there. What counts is whether
    /// the person was rung.
    fn came_to_nothing(
        &mut self,
        call: CallId,
        reason: EndReason,
        is_counted: bool,
    ) -> Result<(), Violation> {
        let tells_of_the_person = matches!(
            reason,
            EndReason::OutsideBusy | EndReason::OutsideNoAnswer | EndReason::OutsideRejected
        );
        let Some(placed) = self.placed.get(&call) else {
            return Err(Violation(format!(
                "{call} came to nothing and was answered"
            )));
        };
        must(matches!(placed.stage, Stage::Asked | Stage::Over), || {
            format!("{call} came to nothing while {placed:?}")
        })?;
        let rung = placed.has_rung || tells_of_the_person;
        must(rung == is_counted, || {
            format!("{call}: counts {is_counted}, though {placed:?} ended by {reason:?}")
        })?;
        self.is_spent(call);
        Ok(())
    }

    fn is_spent(&mut self, call: CallId) {
        self.placed.remove(&call);
        self.spent.insert(call);
    }

    fn is_over(&mut self, id: CallbackId) {
        self.open.remove(&id);
        self.over.insert(id);
    }

    // ---- the calls

    fn on_call(&mut self, call: CallId, event: &call::Event) -> Result<(), Violation> {
        match event {
            call::Event::Placed {
                callback,
                place,
                party,
                ..
            } => {
                self.is_as_promised(call, *callback, *place, party.subject)?;
                self.advance(call, Stage::Asked, Stage::Waits)
            }
            call::Event::AgentConnected { .. } => {
                self.advance(call, Stage::Waits, Stage::WithAgent)
            }
            // Nobody outside is rung before an agent is there.
            call::Event::LegDialled { leg, until, .. } => {
                self.is_the_persons(call, *leg)?;
                let dialled = Stage::Dialled { until: *until };
                self.advance(call, Stage::WithAgent, dialled)
            }
            call::Event::LegProgressed { leg, .. } => {
                self.is_the_persons(call, *leg)?;
                if let Some(placed) = self.placed.get_mut(&call) {
                    placed.has_rung = true;
                }
                Ok(())
            }
            call::Event::LegAnswered { leg, .. } => {
                self.is_the_persons(call, *leg)?;
                match self.placed.get(&call).map(|placed| placed.stage) {
                    Some(dialled @ Stage::Dialled { .. }) => {
                        self.advance(call, dialled, Stage::Talks)
                    }
                    stage => Err(Violation(format!("{call} is answered while {stage:?}"))),
                }
            }
            call::Event::Ended { .. } => {
                self.ended(call);
                Ok(())
            }
            call::Event::Received { .. }
            | call::Event::AnswerOrdered { .. }
            | call::Event::AnswerOrderRefused { .. }
            | call::Event::Withdrawn { .. }
            | call::Event::CallbackRequested { .. }
            | call::Event::Routed { .. }
            | call::Event::Enqueued { .. }
            | call::Event::ExitKeyPressed { .. }
            | call::Event::PlaceTold { .. }
            | call::Event::Overflowed { .. }
            | call::Event::AnnouncementStarted { .. }
            | call::Event::VoicemailStarted { .. }
            | call::Event::VoicemailEnded { .. }
            | call::Event::Forwarded { .. }
            | call::Event::TrunkSelected { .. }
            | call::Event::Answered {}
            | call::Event::OfferStarted { .. }
            | call::Event::LegAlerting { .. }
            | call::Event::OfferEnded { .. }
            | call::Event::Held { .. }
            | call::Event::Retrieved { .. }
            | call::Event::Diverted { .. }
            | call::Event::MediaMeasured { .. }
            | call::Event::SupervisionRequested { .. }
            | call::Event::SupervisionStarted { .. }
            | call::Event::SupervisionModeChanged { .. }
            | call::Event::TakenOver { .. }
            | call::Event::Transferred { .. }
            | call::Event::SupervisionEnded { .. }
            | call::Event::Tagged { .. }
            | call::Event::LateFact { .. } => Ok(()),
        }
    }

    fn is_as_promised(
        &self,
        call: CallId,
        callback: CallbackId,
        place: Timestamp,
        person: SubjectId,
    ) -> Result<(), Violation> {
        let promise = self.open.get(&callback);
        let whom = promise.map(|promise| promise.request.party.subject);
        must(whom.is_none_or(|whom| whom == person), || {
            format!("{call} is placed to somebody else than {callback} says")
        })?;
        let is_so = |placed: &Placed| placed.callback == callback && placed.place == place;
        let placed = self.placed.get(&call);
        must(placed.is_some_and(is_so), || {
            format!("{call} is placed at {place} for {callback}, asked: {placed:?}")
        })
    }

    fn is_the_persons(&self, call: CallId, leg: LegId) -> Result<(), Violation> {
        let placed = self.placed.get(&call);
        must(placed.is_none_or(|placed| placed.leg == leg), || {
            format!("{call} dials {leg}, and was placed as {placed:?}")
        })
    }

    /// Where the call is one that we placed.
    fn advance(&mut self, call: CallId, from: Stage, to: Stage) -> Result<(), Violation> {
        let Some(placed) = self.placed.get_mut(&call) else {
            return Ok(());
        };
        must(placed.stage == from, || {
            format!("{call} is to be {to:?} while {placed:?}")
        })?;
        placed.stage = to;
        Ok(())
    }

    /// What it came to is told to the promise, if that is waiting for it.
    fn ended(&mut self, call: CallId) {
        let Some(placed) = self.placed.get_mut(&call) else {
            return;
        };
        let talked = placed.stage == Stage::Talks;
        placed.stage = Stage::Over;
        let promise = self.open.get(&placed.callback);
        let live = promise.and_then(|promise| promise.live);
        if talked || live.is_none_or(|(_, live)| live != call) {
            self.is_spent(call);
        }
    }

    // ---- the whole

    /// Nothing is under way: what was asked for is promised, what is due is being
    /// tried, and nothing is beyond its time.
    pub(crate) fn check_quiet(&self, now: Timestamp, slack_ms: u64) -> Result<(), Violation> {
        must(self.asked.is_empty(), || {
            format!("{:?} was asked for and never promised", self.asked)
        })?;
        let is_late = |due: Timestamp| now > due.plus_ms(slack_ms);
        for (id, promise) in &self.open {
            let Some((_, call)) = promise.live else {
                let rests_until = match self.with_hours.contains(&promise.request.queue) {
                    true => promise.expires_at,
                    false => promise.not_before,
                };
                must(!is_late(rests_until), || {
                    format!("{id} is due, and nobody tries at {now}: {promise:?}")
                })?;
                continue;
            };
            let stage = self.placed.get(&call).map(|placed| placed.stage);
            let is_under_way = match stage {
                Some(Stage::Waits) => !is_late(promise.expires_at),
                Some(Stage::Dialled { .. }) => true,
                Some(Stage::Asked | Stage::WithAgent | Stage::Talks | Stage::Over) | None => false,
            };
            must(is_under_way, || {
                format!("{id} is stuck with {call}, which is {stage:?} at {now}")
            })?;
        }
        for (call, placed) in &self.placed {
            let may_last = match placed.stage {
                Stage::Dialled { until } => !is_late(until),
                Stage::Waits => self.open.contains_key(&placed.callback),
                Stage::Asked | Stage::WithAgent | Stage::Talks | Stage::Over => true,
            };
            must(may_last, || {
                format!("{call} should be over at {now}: {placed:?}")
            })?;
        }
        Ok(())
    }

    pub(crate) fn check_end(&self) -> Result<(), Violation> {
        must(self.open.is_empty() && self.placed.is_empty(), || {
            format!(
                "promises are left: {:?}, calls {:?}",
                self.open, self.placed
            )
        })
    }
}
