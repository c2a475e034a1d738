//! Calls: received once, ended once, with at most one agent.

use crate::violation::{Violation, must};
use domain::{
    agent,
    call::{Event, OverflowCause},
    cause::EndReason,
    id::{AgentId, CallId, LegId, OfferId, SessionId, VisitId},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// A call in progress.
#[derive(Debug, Default, Clone)]
pub(crate) struct Live {
    pub(crate) visit: Option<VisitId>,
    pub(crate) offers: BTreeMap<OfferId, (SessionId, LegId)>,
    pub(crate) connected: Option<(OfferId, SessionId)>,
    /// A supervisor has taken it from that agent.
    pub(crate) is_taken: bool,
    answered: bool,
    last_at: Timestamp,
}

impl Live {
    /// Only who waits with music is told a place.
    fn is_told(&self, id: CallId, visit: VisitId) -> Result<(), Violation> {
        let waits = self.visit == Some(visit) && self.connected.is_none();
        let hears = self.answered && self.offers.is_empty();
        must(waits && hears, || {
            format!("{id} is told a place in {visit}, where it does not wait with music")
        })
    }
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Calls {
    live: BTreeMap<CallId, Live>,
    ended: BTreeSet<CallId>,
    /// Which calls an agent's phone rings for, or talks in.
    engaged: BTreeMap<AgentId, BTreeMap<OfferId, CallId>>,
    /// How many calls each agent may have at once, where that is more than one.
    capacities: BTreeMap<AgentId, usize>,
    /// Agents' legs whose phone picked up, as the phones know.
    picked_up: BTreeSet<LegId>,
    in_line_count: usize,
    pub(crate) received_count: u64,
    /// Calls of ours, to ring somebody back.
    pub(crate) placed_count: u64,
    pub(crate) connected_count: u64,
    pub(crate) ended_count: u64,
    /// Ended or sent on as nobody was there.
    pub(crate) deserted_count: u64,
    /// Calls that a supervisor took from their agent.
    pub(crate) taken_count: u64,
    pub(crate) withdrawn_count: u64,
    pub(crate) ordered_count: u64,
    /// Times that an agent sent a caller into another queue.
    pub(crate) transferred_count: u64,
    /// Calls that were sent on as they would have waited too long.
    pub(crate) sent_ahead_count: u64,
}

impl Calls {
    pub(crate) fn configured(&mut self, agent: AgentId, event: &agent::Event) {
        let (agent::Event::Created { config, .. } | agent::Event::Configured { config, .. }) =
            event;
        self.capacities.insert(agent, config.capacity.into());
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = (CallId, &Live)> {
        self.live.iter().map(|(id, call)| (*id, call))
    }

    pub(crate) fn live_count(&self) -> usize {
        self.live.len()
    }

    pub(crate) fn is_live(&self, call: CallId) -> bool {
        self.live.contains_key(&call)
    }

    /// Calls that have a visit and no agent.
    pub(crate) const fn in_line_count(&self) -> usize {
        self.in_line_count
    }

    pub(crate) fn picked_up(&mut self, leg: LegId) {
        self.picked_up.insert(leg);
    }

    pub(crate) fn note(
        &mut self,
        id: CallId,
        at: Timestamp,
        event: &Event,
    ) -> Result<(), Violation> {
        match event {
            Event::Received { .. } => {
                self.received_count += 1;
                return self.begun(id);
            }
            Event::Placed { .. } => {
                self.placed_count += 1;
                return self.begun(id);
            }
            // What was said is kept while the call ends, or after that.
            Event::VoicemailEnded { .. } => {
                return must(
                    self.ended.contains(&id) || self.live.contains_key(&id),
                    || format!("{id} has left a message and was never there"),
                );
            }
            // People note something while it goes on, or after that.
            Event::Tagged { .. } => {
                return must(
                    self.ended.contains(&id) || self.live.contains_key(&id),
                    || format!("{id} was tagged and was never there"),
                );
            }
            Event::LateFact { .. } | Event::MediaMeasured { .. } => {
                return must(self.ended.contains(&id), || {
                    format!("{id} has a late fact before its end")
                });
            }
            Event::Routed { .. }
            | Event::Enqueued { .. }
            | Event::ExitKeyPressed { .. }
            | Event::PlaceTold { .. }
            | Event::Diverted { .. }
            | Event::AnswerOrdered { .. }
            | Event::AnswerOrderRefused { .. }
            | Event::Withdrawn { .. }
            | Event::CallbackRequested { .. }
            | Event::Overflowed { .. }
            | Event::AnnouncementStarted { .. }
            | Event::VoicemailStarted { .. }
            | Event::Forwarded { .. }
            | Event::LegDialled { .. }
            | Event::TrunkSelected { .. }
            | Event::LegProgressed { .. }
            | Event::LegAnswered { .. }
            | Event::Answered {}
            | Event::OfferStarted { .. }
            | Event::LegAlerting { .. }
            | Event::OfferEnded { .. }
            | Event::AgentConnected { .. }
            | Event::Held { .. }
            | Event::Retrieved { .. }
            | Event::SupervisionRequested { .. }
            | Event::SupervisionStarted { .. }
            | Event::SupervisionModeChanged { .. }
            | Event::TakenOver { .. }
            | Event::Transferred { .. }
            | Event::SupervisionEnded { .. }
            | Event::Ended { .. } => {}
        }
        let Some(call) = self.live.get_mut(&id) else {
            return Err(Violation(format!(
                "{id} is not in progress and has {event:?}"
            )));
        };
        must(at >= call.last_at, || format!("{id} goes back in time"))?;
        call.last_at = at;
        self.progress(id, event)
    }

    fn begun(&mut self, id: CallId) -> Result<(), Violation> {
        must(!self.ended.contains(&id), || {
            format!("{id} begins after its end")
        })?;
        must(self.live.insert(id, Live::default()).is_none(), || {
            format!("{id} begins twice")
        })?;
        Ok(())
    }

    fn progress(&mut self, id: CallId, event: &Event) -> Result<(), Violation> {
        let call = self.live.entry(id).or_default();
        match event {
            Event::Enqueued { visit, .. } => {
                call.visit = Some(*visit);
                self.in_line_count += 1;
            }
            Event::Answered {} => must(!std::mem::replace(&mut call.answered, true), || {
                format!("{id} is answered twice")
            })?,
            Event::OfferStarted { .. } => self.offer(id, event)?,
            Event::LegAlerting { offer, .. }
            | Event::AnswerOrdered { offer, .. }
            | Event::AnswerOrderRefused { offer, .. } => {
                self.ordered_count += u64::from(matches!(event, Event::AnswerOrdered { .. }));
                must(call.offers.contains_key(offer), || {
                    format!("{offer} rings, or is to be answered, without being live")
                })?;
            }
            Event::OfferEnded { offer, session, .. } => {
                let live = call.offers.remove(offer);
                must(live.is_some(), || {
                    format!("{offer} ends without being live")
                })?;
                self.lets_go(*offer, session.agent);
            }
            Event::AgentConnected {
                offer,
                session,
                leg,
                ..
            } => self.connect(id, *offer, *session, *leg)?,
            Event::TakenOver { .. } => self.take(id, event)?,
            Event::Transferred { .. } => self.transfer(id, event)?,
            Event::Ended { cause, session, .. } => self.end(id, cause.reason, *session)?,
            Event::Overflowed { visit, cause, .. } => self.sent_on(id, *visit, *cause)?,
            Event::ExitKeyPressed { visit, .. } | Event::Withdrawn { visit, .. } => {
                self.withdrawn_count += u64::from(matches!(event, Event::Withdrawn { .. }));
                must(
                    call.visit == Some(*visit) && call.connected.is_none(),
                    || format!("{id} leaves {visit} by a key or a person, where it does not wait"),
                )?;
            }
            Event::PlaceTold { visit, .. } => call.is_told(id, *visit)?,
            // Whom a call of ours reaches is looked at with its promise; no queue of this
            // world sends anybody to a number.
            Event::Received { .. }
            | Event::AnnouncementStarted { .. }
            | Event::VoicemailStarted { .. }
            | Event::VoicemailEnded { .. }
            | Event::Forwarded { .. }
            | Event::LegDialled { .. }
            | Event::TrunkSelected { .. }
            | Event::LegProgressed { .. }
            | Event::LegAnswered { .. }
            | Event::Routed { .. }
            | Event::Held { .. }
            | Event::Retrieved { .. }
            | Event::Placed { .. }
            | Event::CallbackRequested { .. }
            | Event::Diverted { .. }
            | Event::MediaMeasured { .. }
            | Event::SupervisionRequested { .. }
            | Event::SupervisionStarted { .. }
            | Event::SupervisionModeChanged { .. }
            | Event::SupervisionEnded { .. }
            | Event::Tagged { .. }
            | Event::LateFact { .. } => {}
        }
        Ok(())
    }

    fn offer(&mut self, id: CallId, event: &Event) -> Result<(), Violation> {
        let Event::OfferStarted {
            offer,
            session,
            leg,
            ..
        } = event
        else {
            return Ok(());
        };
        let call = self.live.entry(id).or_default();
        must(call.connected.is_none(), || {
            format!("{id} is connected and offered again")
        })?;
        call.offers.insert(*offer, (*session, *leg));
        self.engage(id, *offer, session.agent)
    }

    fn sent_on(
        &mut self,
        id: CallId,
        visit: VisitId,
        cause: OverflowCause,
    ) -> Result<(), Violation> {
        let call = self.live.entry(id).or_default();
        self.deserted_count += u64::from(cause == OverflowCause::Unstaffed);
        self.sent_ahead_count += u64::from(cause == OverflowCause::ExpectedWait);
        must(call.visit == Some(visit), || {
            format!("{id} leaves {visit}, where it was not")
        })?;
        must(call.connected.is_none() && call.offers.is_empty(), || {
            format!("{id} is sent on while agents have it")
        })?;
        call.visit = None;
        self.in_line_count = self.in_line_count.saturating_sub(1);
        Ok(())
    }

    /// An agent has no more calls than it may.
    fn engage(&mut self, id: CallId, offer: OfferId, agent: AgentId) -> Result<(), Violation> {
        let has = self.engaged.entry(agent).or_default();
        has.insert(offer, id);
        let capacity = self.capacities.get(&agent).copied().unwrap_or(1);
        must(has.len() <= capacity, || {
            format!("{agent} may have {capacity} calls and has {has:?}")
        })
    }

    fn lets_go(&mut self, offer: OfferId, agent: AgentId) {
        if let Some(has) = self.engaged.get_mut(&agent) {
            has.remove(&offer);
        }
    }

    fn connect(
        &mut self,
        id: CallId,
        offer: OfferId,
        session: SessionId,
        leg: LegId,
    ) -> Result<(), Violation> {
        must(self.picked_up.contains(&leg), || {
            format!("{id} is connected by {offer} to {session}, whose phone did not pick up")
        })?;
        let call = self.live.entry(id).or_default();
        must(call.connected.is_none(), || {
            format!("{id} is connected twice")
        })?;
        must(
            call.offers.get(&offer).map(|(who, _)| *who) == Some(session),
            || format!("{id} is connected by {offer}, which is not live"),
        )?;
        call.offers.remove(&offer);
        call.connected = Some((offer, session));
        if call.visit.is_some() {
            self.in_line_count = self.in_line_count.saturating_sub(1);
        }
        self.connected_count += 1;
        Ok(())
    }

    /// Its agent is not on this call any more.
    fn take(&mut self, id: CallId, event: &Event) -> Result<(), Violation> {
        let Event::TakenOver {
            offer,
            session,
            leg,
            ..
        } = event
        else {
            return Ok(());
        };
        let from = (*offer, *session);
        must(self.picked_up.remove(leg), || {
            format!("{id} is taken over by {leg}, whose phone did not pick up")
        })?;
        let call = self.live.entry(id).or_default();
        must(call.connected == Some(from) && !call.is_taken, || {
            format!("{id} is taken from {from:?}, while {call:?}")
        })?;
        call.is_taken = true;
        self.lets_go(*offer, session.agent);
        self.taken_count += 1;
        Ok(())
    }

    /// Its agent is not on this call any more, and its caller in no line yet.
    fn transfer(&mut self, id: CallId, event: &Event) -> Result<(), Violation> {
        let Event::Transferred {
            offer,
            session,
            visit,
            queue,
            to,
            ..
        } = event
        else {
            return Ok(());
        };
        let from = (*offer, *session);
        must(queue != to, || {
            format!("{id} is transferred into {to}, which has served it")
        })?;
        let call = self.live.entry(id).or_default();
        must(
            call.connected == Some(from) && call.visit == Some(*visit) && !call.is_taken,
            || format!("{id} is transferred by {from:?} of {visit}, while {call:?}"),
        )?;
        call.connected = None;
        call.visit = None;
        self.lets_go(*offer, session.agent);
        self.transferred_count += 1;
        Ok(())
    }

    fn end(
        &mut self,
        id: CallId,
        reason: EndReason,
        frees: Option<SessionId>,
    ) -> Result<(), Violation> {
        self.deserted_count += u64::from(reason == EndReason::NobodyThere);
        let Some(call) = self.live.remove(&id) else {
            return Ok(());
        };
        must(!call.is_taken || frees.is_none(), || {
            format!("{id} frees {frees:?} twice")
        })?;
        if call.visit.is_some() && call.connected.is_none() {
            self.in_line_count = self.in_line_count.saturating_sub(1);
        }
        for (offer, (session, leg)) in &call.offers {
            self.lets_go(*offer, session.agent);
            self.picked_up.remove(leg);
        }
        if let Some((offer, session)) = call.connected
            && !call.is_taken
        {
            self.lets_go(offer, session.agent);
        }
        self.ended.insert(id);
        self.ended_count += 1;
        Ok(())
    }
}
