//! The stretch once more: the callers come when they came, and the real deciders
//! and processes do the rest, without a network between them.

use super::record::{Caller, Day, Lived, Rejected, Shift};
use crate::{
    runner::{Asked, Runs},
    streams::Everything,
    violation::{Violation, must},
    world::processes,
};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode, Route},
    cause::WireCause,
    id::{AgentId, CallId, DEFAULT_TENANT, LegId, SessionId, SubjectId, VisitId},
    line, queue,
    sealed::Sealed,
    session::{self, LogoutReason},
    time::Timestamp,
};
use projections::{
    projection::{Input, Projection as _, fold},
    visits::{Row, Visits},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Queues and agents are there a second before the first caller.
const BEFORE_MICROS: i64 = 1_000_000;
/// How long an agent more is there after the last caller came.
const STAYS_MS: u64 = 24 * 3_600_000;
/// Steps for each caller and each shift at most.
const STEPS_MAX: u64 = 1_000;
/// Rounds of reading, asking and hearing at one instant at most.
const ROUNDS_MAX: u64 = 10_000;

/// What is different.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// So many agents more, who are there all the time and serve what the
    /// others do, in turn; or so many less.
    pub agents: i32,
    /// The strategy of every queue.
    pub strategy: Option<queue::Strategy>,
}

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Dial(Caller),
    GiveUp(CallId),
    PickUp(CallId, LegId),
    HangUp(CallId),
    LogIn(AgentId),
    LogOut(AgentId),
    EndWrapUp(SessionId, CallId, Timestamp),
}

struct Rerun {
    now: Timestamp,
    all: Everything,
    runners: Vec<Box<dyn Runs>>,
    acts: BTreeMap<(Timestamp, u64), Act>,
    planned: u64,
    callers: BTreeMap<CallId, Caller>,
    /// Those whose call goes on.
    there: BTreeMap<CallId, bool>,
    sessions: BTreeMap<AgentId, SessionId>,
    logged_in: BTreeSet<AgentId>,
    heard: u64,
    rows: BTreeMap<VisitId, Row>,
    rejected: Vec<Rejected>,
}

/// What would have become of the callers.
///
/// # Errors
/// When a rule is broken on the way: a fault of the program.
pub fn rerun(day: &Day, change: Change) -> Result<Lived, Violation> {
    let mut rerun = Rerun {
        now: Timestamp::from_micros(day.from.micros() - BEFORE_MICROS),
        all: Everything::default(),
        runners: processes().into_iter().collect(),
        acts: BTreeMap::new(),
        planned: 0,
        callers: day.callers.iter().map(|one| (one.call, *one)).collect(),
        there: BTreeMap::new(),
        sessions: BTreeMap::new(),
        logged_in: BTreeSet::new(),
        heard: 0,
        rows: BTreeMap::new(),
        rejected: vec![],
    };
    rerun.provision(day, change)?;
    for caller in &day.callers {
        rerun.plan(caller.at, Act::Dial(*caller));
    }
    let all = (day.callers.len() + rerun.acts.len()) as u64;
    rerun.live((all + 1) * STEPS_MAX)?;
    Ok(Lived {
        visits: rerun.rows.into_values().collect(),
        rejected: rerun.rejected,
    })
}

/// Something of the agent of that name.
type Named<T> = (String, T);

/// Agents by what they serve, and when they are there.
fn staff(day: &Day, change: Change) -> (Vec<Named<agent::Config>>, Vec<Named<Shift>>) {
    let less = usize::try_from(-i64::from(change.agents)).unwrap_or(0);
    let more = usize::try_from(change.agents).unwrap_or(0);
    let working = |id: &AgentId| day.shifts.iter().any(|shift| shift.agent == *id);
    let named = day.agents.iter().filter(|(id, _)| working(id));
    let mut named: Vec<_> = named
        .map(|(id, (name, config))| (name, *id, config))
        .collect();
    named.sort_by_key(|(name, id, _)| (*name, *id));
    named.truncate(named.len().saturating_sub(less));
    let mut agents = vec![];
    let mut shifts = vec![];
    for (name, id, config) in &named {
        agents.push(((*name).clone(), (*config).clone()));
        let theirs = day.shifts.iter().filter(|shift| shift.agent == *id);
        shifts.extend(theirs.map(|shift| ((*name).clone(), *shift)));
    }
    for (number, (_, id, config)) in (1..=more).zip(named.iter().cycle()) {
        let name = format!("one-more-{number}");
        agents.push((name.clone(), (*config).clone()));
        let shift = Shift {
            agent: *id,
            from: day.from,
            until: day.until.plus_ms(STAYS_MS),
        };
        shifts.push((name, shift));
    }
    (agents, shifts)
}

impl Rerun {
    fn provision(&mut self, day: &Day, change: Change) -> Result<(), Violation> {
        for (id, (name, config)) in &day.queues {
            let config = queue::Config {
                strategy: change.strategy.unwrap_or(config.strategy),
                ..config.clone()
            };
            let name = name.clone();
            let create = queue::Command::Create { name, config };
            self.must(AnyCommand::Queue(*id, create))?;
        }
        let (agents, shifts) = staff(day, change);
        for (name, config) in agents {
            let id = AgentId::named(DEFAULT_TENANT, &name);
            // Whoever it was is nobody's business here.
            let config = agent::Config {
                display_name: None,
                ..config
            };
            self.must(AnyCommand::Agent(
                id,
                agent::Command::Create { name, config },
            ))?;
        }
        for (name, shift) in shifts {
            let agent = AgentId::named(DEFAULT_TENANT, &name);
            self.plan(shift.from, Act::LogIn(agent));
            self.plan(shift.until, Act::LogOut(agent));
        }
        Ok(())
    }

    fn must(&mut self, command: AnyCommand) -> Result<(), Violation> {
        let outcome = self.all.handle(self.now, command, None);
        must(outcome.is_ok(), || format!("provisioning: {outcome:?}"))
    }

    fn plan(&mut self, at: Timestamp, act: Act) {
        self.planned += 1;
        self.acts.insert((at.max(self.now), self.planned), act);
    }

    fn live(&mut self, steps_max: u64) -> Result<(), Violation> {
        for _ in 0..steps_max {
            self.settle()?;
            let act = self.acts.keys().next().copied();
            let due = self.runners.iter().filter_map(|one| one.next_deadline());
            let due = due.min().filter(|_| !self.there.is_empty());
            let Some(next) = act.map(|(at, _)| at).into_iter().chain(due).min() else {
                return Ok(());
            };
            self.now = self.now.max(next);
            match act.filter(|(at, _)| *at <= self.now) {
                Some(key) => {
                    if let Some(act) = self.acts.remove(&key) {
                        self.carry_out(act);
                    }
                }
                None => self.wake(),
            }
        }
        let due = self
            .runners
            .iter()
            .filter(|one| one.next_deadline().is_some());
        let due: Vec<_> = due.map(|one| (one.name(), one.next_deadline())).collect();
        let now = self.now;
        Err(Violation(format!(
            "the day never comes to rest: {now}, {due:?}"
        )))
    }

    fn wake(&mut self) {
        for number in 0..self.runners.len() {
            let due = self.runners[number].next_deadline();
            if due.is_some_and(|due| due <= self.now) {
                let asked = self.runners[number].wake(self.now);
                self.ask(number, asked);
            }
        }
    }

    /// Until everybody has read and heard everything.
    fn settle(&mut self) -> Result<(), Violation> {
        for _ in 0..ROUNDS_MAX {
            self.hear_news();
            let mut is_quiet = true;
            for number in 0..self.runners.len() {
                while self.runners[number].position() < self.all.log.head() {
                    let asked = self.runners[number].read_one(&self.all.log, None);
                    self.ask(number, asked);
                    is_quiet = false;
                }
                // One at a time: what it is refused for is among what is new.
                if self.runners[number].has_answers() {
                    let asked = self.runners[number].hear_one(self.now);
                    self.ask(number, asked);
                    is_quiet = false;
                }
                if let Some(violation) = self.runners[number].violation() {
                    return Err(violation.clone());
                }
            }
            if is_quiet {
                self.all.log.forget(self.heard);
                return Ok(());
            }
        }
        let (now, last) = (self.now, self.all.log.iter().last());
        Err(Violation(format!("{now} never comes to rest: {last:?}")))
    }

    fn ask(&mut self, number: usize, asked: Vec<Asked>) {
        for (id, command) in asked {
            let outcome = self.all.handle(self.now, command, None);
            self.runners[number].answered(id, outcome.map(|_| ()));
        }
    }

    /// What is refused was too late: somebody else was faster.
    fn say(&mut self, command: AnyCommand) {
        let _ = self.all.handle(self.now, command, None);
    }

    fn carry_out(&mut self, act: Act) {
        let wire = WireCause::default();
        match act {
            Act::Dial(caller) => self.dial(&caller),
            Act::GiveUp(call) => {
                if self.there.get(&call) == Some(&false) {
                    let leg = LegId(call.0);
                    let command = match self.callers.get(&call).map(|one| one.answer_mode) {
                        Some(AnswerMode::Immediate) => call::Command::RecordBye { leg, wire },
                        Some(AnswerMode::OnAgent) | None => {
                            call::Command::RecordCancel { leg, wire }
                        }
                    };
                    self.say(AnyCommand::Call(call, command));
                }
            }
            Act::PickUp(call, leg) => {
                self.say(AnyCommand::Call(
                    call,
                    call::Command::RecordAnswer {
                        leg,
                        codec: None,
                        device: None,
                    },
                ));
            }
            Act::HangUp(call) => {
                let leg = LegId(call.0);
                self.say(AnyCommand::Call(
                    call,
                    call::Command::RecordBye { leg, wire },
                ));
            }
            Act::LogIn(agent) => {
                let last = self.sessions.get(&agent).copied();
                let session = SessionId {
                    agent,
                    number: last.map_or(0, |last| last.number) + 1,
                };
                if let Some(last) = last.filter(|_| self.logged_in.contains(&agent)) {
                    // Was to leave after the contact, and is back before that.
                    self.say(AnyCommand::Session(last, session::Command::GoReady));
                    return;
                }
                self.sessions.insert(agent, session);
                let ready = true;
                let log_in = session::Command::LogIn { session, ready };
                self.say(AnyCommand::Session(session, log_in));
            }
            Act::LogOut(agent) => {
                if let Some(session) = self.sessions.get(&agent).copied() {
                    let reason = LogoutReason::Agent;
                    let log_out = session::Command::LogOut { reason };
                    self.say(AnyCommand::Session(session, log_out));
                }
            }
            Act::EndWrapUp(session, call, until) => {
                let ends = session::Command::EndWrapUp { call, until };
                self.say(AnyCommand::Session(session, ends));
            }
        }
    }

    fn dial(&mut self, caller: &Caller) {
        let call = caller.call;
        let receive = call::Command::ReceiveCall {
            withheld: caller.who.is_none(),
            leg: LegId(call.0),
            from: Sealed::new(caller.who.unwrap_or(SubjectId(Uuid::nil())), String::new()),
            to: String::new(),
            trunk: None,
            sip_call_id: String::new(),
            user_agent: None,
            diversion: None,
            route: Route::Queue {
                queue: caller.queue,
                config_version: 1,
                answer_mode: caller.answer_mode,
                visit: caller.visit,
                exit_keys: vec![],
                music: None,
            },
        };
        self.there.insert(call, false);
        self.say(AnyCommand::Call(call, receive));
        if let Some(patience_ms) = caller.patience_ms {
            self.plan(self.now.plus_ms(patience_ms), Act::GiveUp(call));
        }
    }

    fn hear_news(&mut self) {
        while let Some(fact) = self.all.log.get(self.heard + 1).cloned() {
            self.heard += 1;
            self.hear(&fact);
            if let Some(visit) = Visits::key(&fact) {
                let mut row = self.rows.remove(&visit);
                let input = Input {
                    fact: &fact,
                    party: None,
                };
                fold::<Visits>(&mut row, &input);
                if let Some(row) = row {
                    self.rows.insert(visit, row);
                }
            }
        }
    }

    fn hear(&mut self, fact: &Fact) {
        match &fact.event {
            AnyEvent::Call(call, event) => self.hear_call(*call, fact.at, event),
            AnyEvent::Session(session, session::Event::WrapUpStarted { call, until, .. }) => {
                let recorded = self.callers.get(call).and_then(|one| one.wrap_up_ms);
                let ends = recorded.map(|ms| fact.at.plus_ms(ms));
                if let Some(ends) = ends.filter(|ends| ends < until) {
                    self.plan(ends, Act::EndWrapUp(*session, *call, *until));
                }
            }
            AnyEvent::Session(session, session::Event::LoggedIn { .. }) => {
                self.logged_in.insert(session.agent);
            }
            AnyEvent::Session(session, session::Event::LoggedOut { .. }) => {
                self.logged_in.remove(&session.agent);
            }
            AnyEvent::Line(queue, line::Event::Rejected { .. }) => self.rejected.push(Rejected {
                at: fact.at,
                queue: *queue,
            }),
            AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    fn hear_call(&mut self, call: CallId, at: Timestamp, event: &call::Event) {
        let Some(caller) = self.callers.get(&call).copied() else {
            return;
        };
        match event {
            call::Event::OfferStarted { leg, .. } => {
                self.plan(at.plus_ms(caller.pick_up_ms), Act::PickUp(call, *leg));
            }
            call::Event::AgentConnected { .. } => {
                self.there.insert(call, true);
                self.plan(at.plus_ms(caller.talk_ms), Act::HangUp(call));
            }
            // What happens outside is not in the record of the queue.
            call::Event::Forwarded { .. }
            | call::Event::AnnouncementStarted { .. }
            | call::Event::VoicemailStarted { .. }
            | call::Event::VoicemailEnded { .. } => {
                self.plan(at, Act::HangUp(call));
            }
            call::Event::Ended { .. } => {
                self.there.remove(&call);
                self.all.calls.evict(call);
            }
            call::Event::Received { .. }
            | call::Event::Routed { .. }
            | call::Event::Enqueued { .. }
            | call::Event::ExitKeyPressed { .. }
            | call::Event::PlaceTold { .. }
            | call::Event::Overflowed { .. }
            | call::Event::LegDialled { .. }
            | call::Event::TrunkSelected { .. }
            | call::Event::LegProgressed { .. }
            | call::Event::LegAnswered { .. }
            | call::Event::Answered {}
            | call::Event::LegAlerting { .. }
            | call::Event::OfferEnded { .. }
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
            | call::Event::LateFact { .. } => {}
        }
    }
}
