//! What the record says of a stretch of time: who came, how patient, for how
//! long; who was there to take the calls.

use super::{
    parts::Parts,
    patience::{Patience, WHOLE},
};
use crate::chance::Chance;
use domain::{
    agent,
    any::{AnyEvent, Fact},
    call::{self, AnswerMode},
    cause::By,
    id::{AgentId, CallId, QueueId, SessionId, SubjectId, VisitId},
    line::{self, VisitResult},
    queue, session,
    time::Timestamp,
};
use projections::{
    projection::{Input, Projection as _, fold},
    visits::{self, Visits},
};
use std::collections::BTreeMap;

/// Taken for what nobody knows: when nothing of the kind was recorded.
const PICK_UP_MS: u64 = 3_000;
const TALK_MS: u64 = 180_000;
/// How long who was there at the end of the record is taken to stay.
const STAYS_MS: u64 = 24 * 3_600_000;

/// A caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Which call.
    pub call: CallId,
    /// Who calls; none of those who show no number.
    pub who: Option<SubjectId>,
    /// The stay in the first queue, whether or not that let the call in.
    pub visit: VisitId,
    /// When the call was enqueued.
    pub at: Timestamp,
    /// Which queue that was.
    pub queue: QueueId,
    /// When the caller is answered.
    pub answer_mode: AnswerMode,
    /// How long the caller waits at most; none for longer than is known.
    pub patience_ms: Option<u64>,
    /// How long the phone of the agent rings.
    pub pick_up_ms: u64,
    /// How long they talk.
    pub talk_ms: u64,
    /// How long the work after it lasts, when that is known.
    pub wrap_up_ms: Option<u64>,
}

/// An agent who takes calls, or has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Who.
    pub agent: AgentId,
    /// From then on.
    pub from: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

/// A stretch of time.
#[derive(Debug, Clone)]
pub struct Day {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// Queues by name and rules.
    pub queues: BTreeMap<QueueId, (String, queue::Config)>,
    /// Agents by name and what they serve.
    pub agents: BTreeMap<AgentId, (String, agent::Config)>,
    /// In order of time.
    pub shifts: Vec<Shift>,
    /// In order of time.
    pub callers: Vec<Caller>,
    /// What became of these callers.
    pub lived: Lived,
}

/// What became of callers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lived {
    /// Their stays.
    pub visits: Vec<visits::Row>,
    /// Where they were not let in.
    pub rejected: Vec<Rejected>,
}

/// A call was not let into a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// When.
    pub at: Timestamp,
    /// Which queue.
    pub queue: QueueId,
}

/// What is known of a caller so far.
#[derive(Debug)]
struct Known {
    who: Option<SubjectId>,
    visit: VisitId,
    at: Timestamp,
    queue: QueueId,
    answer_mode: AnswerMode,
    /// How long the wait was in the end, in all queues, and whether the caller ended it.
    waited: Option<(u64, bool)>,
    matched_at: Option<Timestamp>,
    connected_at: Option<Timestamp>,
    pick_up_ms: Option<u64>,
    talk_ms: Option<u64>,
    wrap_up_at: Option<Timestamp>,
    wrap_up_ms: Option<u64>,
}

/// Reads the record from its first event to its last.
#[derive(Debug)]
pub struct Recorder {
    from: Timestamp,
    until: Timestamp,
    queues: BTreeMap<QueueId, (String, queue::Config)>,
    agents: BTreeMap<AgentId, (String, agent::Config)>,
    there: BTreeMap<SessionId, Timestamp>,
    shifts: Vec<Shift>,
    callers: BTreeMap<CallId, Known>,
    /// Who rang in with each call that is not over.
    rang_in: BTreeMap<CallId, SubjectId>,
    /// Calls that have been in a queue before.
    seen_before: std::collections::BTreeSet<CallId>,
    visits: BTreeMap<VisitId, visits::Row>,
    parts: Parts,
    rejected: Vec<Rejected>,
    last_at: Timestamp,
}

impl Recorder {
    /// For the time between these.
    pub const fn new(from: Timestamp, until: Timestamp) -> Self {
        Self {
            from,
            until,
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            there: BTreeMap::new(),
            shifts: vec![],
            callers: BTreeMap::new(),
            rang_in: BTreeMap::new(),
            seen_before: std::collections::BTreeSet::new(),
            visits: BTreeMap::new(),
            parts: Parts::new(),
            rejected: vec![],
            last_at: from,
        }
    }

    /// The next fact, whenever it was.
    pub fn note(&mut self, fact: &Fact) {
        let at = fact.at;
        self.last_at = self.last_at.max(at);
        match &fact.event {
            AnyEvent::Queue(id, event) if at < self.until => self.on_queue(*id, event),
            AnyEvent::Agent(id, event) if at < self.until => self.on_agent(*id, event),
            AnyEvent::Session(id, event) => self.on_session(*id, at, event),
            AnyEvent::Line(queue, event) => {
                self.on_line(*queue, at, event);
                self.on_visit(fact);
            }
            AnyEvent::Call(
                call,
                call::Event::Received {
                    from,
                    withheld: false,
                    ..
                },
            ) => {
                self.rang_in.insert(*call, from.subject);
            }
            AnyEvent::Call(
                call,
                call::Event::Enqueued {
                    visit,
                    queue,
                    answer_mode,
                    ..
                },
            ) => {
                let part = self.parts.enqueued(*call, *visit);
                let who = self.rang_in.get(call).copied();
                self.comes((part, who), at, (*visit, *queue, *answer_mode));
            }
            AnyEvent::Call(call, call::Event::Transferred { .. }) => {
                self.parts.transferred(*call);
            }
            AnyEvent::Call(
                call,
                call::Event::Ended {
                    cause, ended_at, ..
                },
            ) => {
                self.rang_in.remove(call);
                let part = self.parts.ended(*call);
                if let Some(caller) = self.callers.get_mut(&part) {
                    let waited = (ended_at.ms_since(caller.at), cause.by == By::Caller);
                    caller.waited.get_or_insert(waited);
                }
            }
            AnyEvent::Queue(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Call(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    fn on_queue(&mut self, id: QueueId, event: &queue::Event) {
        match event {
            queue::Event::Created { name, config, .. } => {
                self.queues.insert(id, (name.clone(), config.clone()));
            }
            queue::Event::Configured { config, .. } => {
                if let Some(known) = self.queues.get_mut(&id) {
                    known.1 = config.clone();
                }
            }
            // What was said by hand is no rule: a rerun goes by the hours.
            queue::Event::Opened { .. }
            | queue::Event::Closed { .. }
            | queue::Event::HoursFollowed { .. }
            | queue::Event::MemberPaused { .. }
            | queue::Event::MemberUnpaused { .. }
            | queue::Event::Deleted { .. } => {}
        }
    }

    fn on_agent(&mut self, id: AgentId, event: &agent::Event) {
        match event {
            agent::Event::Created { name, config } => {
                self.agents.insert(id, (name.clone(), config.clone()));
            }
            agent::Event::Configured { config, .. } => {
                if let Some(known) = self.agents.get_mut(&id) {
                    known.1 = config.clone();
                }
            }
        }
    }

    fn on_session(&mut self, id: SessionId, at: Timestamp, event: &session::Event) {
        match event {
            session::Event::BecameReady {} => {
                self.there.entry(id).or_insert(at);
            }
            session::Event::BecameNotReady { .. } | session::Event::LoggedOut { .. } => {
                if let Some(from) = self.there.remove(&id) {
                    self.shift(id.agent, from, at);
                }
            }
            session::Event::ConnectedToContact { call, .. } => {
                let part = self.parts.connected(*call, id.agent);
                if let Some(caller) = self.callers.get_mut(&part) {
                    caller.connected_at = Some(at);
                    caller.pick_up_ms = caller.matched_at.map(|matched| at.ms_since(matched));
                }
            }
            session::Event::ContactEnded { call, .. } => {
                let part = self.parts.of_agent(*call, id.agent);
                if let Some(caller) = self.callers.get_mut(&part) {
                    caller.talk_ms = caller.connected_at.map(|began| at.ms_since(began));
                }
            }
            session::Event::WrapUpStarted { call, .. } => {
                let part = self.parts.of_agent(*call, id.agent);
                if let Some(caller) = self.callers.get_mut(&part) {
                    caller.wrap_up_at = Some(at);
                }
            }
            session::Event::WrapUpEnded { call, .. } => {
                let part = self.parts.of_agent(*call, id.agent);
                if let Some(caller) = self.callers.get_mut(&part) {
                    caller.wrap_up_ms = caller.wrap_up_at.map(|began| at.ms_since(began));
                }
            }
            session::Event::LoggedIn { .. }
            | session::Event::NextStateRequested { .. }
            | session::Event::Reserved { .. }
            | session::Event::ReservationReleased { .. }
            | session::Event::WrapUpExtended { .. }
            | session::Event::Forced { .. } => {}
        }
    }

    fn shift(&mut self, agent: AgentId, from: Timestamp, until: Timestamp) {
        let from = from.max(self.from);
        if from < until && from < self.until {
            self.shifts.push(Shift { agent, from, until });
        }
    }

    fn on_line(&mut self, queue: QueueId, at: Timestamp, event: &line::Event) {
        match event {
            line::Event::Matched { visit, call, .. } => {
                let part = self.parts.of_visit(*call, *visit);
                if let Some(caller) = self.callers.get_mut(&part) {
                    caller.matched_at = Some(at);
                }
            }
            line::Event::Closed {
                visit,
                call,
                result,
                closed_at,
                ..
            } => {
                let part = self.parts.of_visit(*call, *visit);
                if let Some(caller) = self.callers.get_mut(&part) {
                    let wait_ms = closed_at.ms_since(caller.at);
                    caller.waited = Some((wait_ms, *result == VisitResult::Abandoned));
                }
            }
            // It is not known how long that caller would have waited.
            line::Event::Rejected { visit, call, .. } => {
                let part = self.parts.of_visit(*call, *visit);
                if let Some(caller) = self.callers.get_mut(&part) {
                    caller.waited = Some((at.ms_since(caller.at), false));
                    self.rejected.push(Rejected { at, queue });
                }
            }
            line::Event::Opened { .. }
            | line::Event::Returned { .. }
            | line::Event::PriorityChanged { .. }
            | line::Event::Assigned { .. } => {}
        }
    }

    /// A call is enqueued: a caller, if it is the first time, or the first since an agent
    /// sent it on.
    fn comes(
        &mut self,
        (call, who): (CallId, Option<SubjectId>),
        at: Timestamp,
        (visit, queue, answer_mode): (VisitId, QueueId, AnswerMode),
    ) {
        let is_new = self.seen_before.insert(call);
        if !is_new || at < self.from || at >= self.until {
            return;
        }
        let known = Known {
            who,
            visit,
            at,
            queue,
            answer_mode,
            waited: None,
            matched_at: None,
            connected_at: None,
            pick_up_ms: None,
            talk_ms: None,
            wrap_up_at: None,
            wrap_up_ms: None,
        };
        self.callers.insert(call, known);
    }

    fn on_visit(&mut self, fact: &Fact) {
        let Some(visit) = Visits::key(fact) else {
            return;
        };
        let mut row = self.visits.remove(&visit);
        fold::<Visits>(&mut row, &Input { fact, party: None });
        let is_of = |row: &visits::Row| {
            let part = self.parts.of_visit(row.call, visit);
            self.callers.contains_key(&row.call) || self.callers.contains_key(&part)
        };
        if let Some(row) = row.filter(is_of) {
            self.visits.insert(visit, row);
        }
    }

    /// The whole stretch.
    pub fn finish(mut self) -> Day {
        let stays = self.last_at.max(self.until).plus_ms(STAYS_MS);
        for (session, from) in std::mem::take(&mut self.there) {
            self.shift(session.agent, from, stays);
        }
        let mut shifts = self.shifts;
        shifts.retain(|shift| self.agents.contains_key(&shift.agent));
        shifts.sort_by_key(|shift| (shift.from, shift.agent));
        let callers = callers(self.callers, self.last_at);
        Day {
            from: self.from,
            until: self.until,
            queues: self.queues,
            agents: self.agents,
            shifts,
            callers,
            lived: Lived {
                visits: self.visits.into_values().collect(),
                rejected: self.rejected,
            },
        }
    }
}

/// One of these, by luck; none of none.
fn one_of(values: &[u64], luck: &mut Chance) -> Option<u64> {
    luck.one_of(values).copied()
}

fn callers(known: BTreeMap<CallId, Known>, now: Timestamp) -> Vec<Caller> {
    let waits = known.values().map(|one| match one.waited {
        Some(waited) => waited,
        None => (now.ms_since(one.at), false),
    });
    let patience = Patience::of(waits.collect());
    let mut talks: BTreeMap<QueueId, Vec<u64>> = BTreeMap::new();
    let mut picks = vec![];
    for one in known.values() {
        if let Some(talk_ms) = one.talk_ms {
            talks.entry(one.queue).or_default().push(talk_ms);
        }
        picks.extend(one.pick_up_ms);
    }
    let mut callers: Vec<Caller> = known
        .into_iter()
        .map(|(call, one)| {
            // The luck of a caller is the caller's own, whoever else came.
            let mut luck = Chance::new(call.0.as_u64_pair().1);
            let patience_ms = match one.waited {
                Some((wait_ms, true)) => Some(wait_ms),
                Some((wait_ms, false)) => patience.beyond(wait_ms, luck.below(WHOLE)),
                None => patience.beyond(now.ms_since(one.at), luck.below(WHOLE)),
            };
            let of_queue = talks.get(&one.queue).map_or(&[][..], Vec::as_slice);
            let talk_ms = one.talk_ms.or_else(|| one_of(of_queue, &mut luck));
            let pick_up_ms = one.pick_up_ms.or_else(|| one_of(&picks, &mut luck));
            Caller {
                call,
                who: one.who,
                visit: one.visit,
                at: one.at,
                queue: one.queue,
                answer_mode: one.answer_mode,
                patience_ms,
                pick_up_ms: pick_up_ms.unwrap_or(PICK_UP_MS),
                talk_ms: talk_ms.unwrap_or(TALK_MS),
                wrap_up_ms: one.wrap_up_ms,
            }
        })
        .collect();
    callers.sort_by_key(|caller| (caller.at, caller.visit));
    callers
}
