//! Callers, agents and their phones: what they do by themselves, and how they
//! answer what is committed. Phones answer late, never, twice or in vain;
//! callers lose patience, vanish, and call again.

mod agents;
mod answering;
mod callers;
mod messages;
mod outside;
mod supervisor;
mod takeover;
mod transfer;

use crate::{
    action::{Action, Plan, Posted},
    chance::Chance,
    options::Terms,
    streams::Everything,
};
use domain::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, Key, Phase},
    callback,
    id::{AgentId, CallId, LegId, QueueId, SessionId, SubjectId},
    mailbox, queue,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What somebody means to do, and in how many microseconds.
pub(crate) type Plans = Vec<(u64, Action)>;

pub(crate) const MS: u64 = 1_000;

const fn numbered(kind: u128, number: u64) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

/// The caller's leg has the call's number.
const fn caller_leg(call: CallId) -> LegId {
    LegId(numbered(2, call.0.as_u128() as u64))
}

/// A caller, or somebody who is rung back, with luck of his own.
struct Caller {
    chance: Chance,
    leg: LegId,
    /// The queue that was called; none by whoever is rung back.
    queue: Option<QueueId>,
    who: SubjectId,
    is_talking: bool,
}

/// An agent, with luck of her own.
struct Agent {
    chance: Chance,
    last: SessionId,
    is_logged_in: bool,
}

pub(crate) struct People {
    terms: Terms,
    root: Chance,
    arrivals: Chance,
    wire: Chance,
    /// Of whoever supervises the queues.
    supervisor: Chance,
    /// Of whoever forces what agents are.
    forcing: Chance,
    /// Of whoever takes calls from agents.
    taking: Chance,
    /// Of agents who send callers elsewhere.
    transferring: Chance,
    /// Of whoever takes callers out of queues.
    withdrawing: Chance,
    /// Of agents who answer at the desk.
    answering: Chance,
    queues: Vec<QueueId>,
    agents: BTreeMap<AgentId, Agent>,
    callers: BTreeMap<CallId, Caller>,
    /// Keys that lead out of each queue, as the directory says.
    exits: BTreeMap<QueueId, Vec<Key>>,
    /// How each queue rings back.
    terms_of: BTreeMap<QueueId, callback::Terms>,
    calls_count: u64,
    /// Promises asked for without a call, all promises, and calls of ours.
    asked_count: u64,
    promised_count: u64,
    placed_count: u64,
    /// Calls that were sent into another queue by hand.
    sent_count: u64,
    /// Orders to supervise a call.
    takings_count: u64,
    /// Orders to send a caller elsewhere.
    transfers_count: u64,
    /// Whom the supervisor has paused in a queue.
    paused: BTreeSet<(QueueId, AgentId)>,
    /// The day is over: nobody comes any more.
    closing: bool,
}

impl People {
    pub(crate) fn new(
        terms: Terms,
        root: &Chance,
        queues: Vec<QueueId>,
        agents: Vec<AgentId>,
    ) -> Self {
        let agents = agents
            .into_iter()
            .zip(1u64..)
            .map(|(agent, number)| {
                let person = Agent {
                    chance: root.split(1_000 + number),
                    last: SessionId { agent, number: 0 },
                    is_logged_in: false,
                };
                (agent, person)
            })
            .collect();
        Self {
            terms,
            root: root.split(1),
            arrivals: root.split(2),
            wire: root.split(3),
            supervisor: root.split(4),
            forcing: root.split(5),
            taking: root.split(6),
            transferring: root.split(7),
            withdrawing: root.split(8),
            answering: root.split(9),
            queues,
            agents,
            callers: BTreeMap::new(),
            exits: BTreeMap::new(),
            terms_of: BTreeMap::new(),
            calls_count: 0,
            asked_count: 0,
            promised_count: 0,
            placed_count: 0,
            sent_count: 0,
            takings_count: 0,
            transfers_count: 0,
            paused: BTreeSet::new(),
            closing: false,
        }
    }

    /// The morning: agents log in, the first caller dials.
    pub(crate) fn start(&mut self) -> Plans {
        let mut plans: Plans = vec![];
        for (agent, person) in &mut self.agents {
            let wait = person.chance.below(5_000) * MS;
            plans.push((wait, Action::Person(Plan::LogIn(*agent))));
            let first = person.chance.exponential(300_000) * MS;
            plans.push((first, Action::Person(Plan::Agent(*agent))));
        }
        plans.push((0, Action::Person(Plan::Dial)));
        plans
    }

    /// All callers have called.
    pub(crate) const fn is_last_call(&self) -> bool {
        self.calls_count >= self.terms.calls
    }

    /// Everybody goes home.
    pub(crate) const fn close(&mut self) {
        self.closing = true;
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.closing
    }

    /// Over the wire: late, sometimes twice, so that facts overtake each other.
    fn say(&mut self, at: Timestamp, command: AnyCommand, plans: &mut Plans) {
        if self.terms.faults && self.wire.percent(3) {
            let late = self.wire.below(500) * MS;
            let posted = Posted {
                command: command.clone(),
                at,
                asked_by: None,
            };
            plans.push((late, Action::Arrive(Box::new(posted))));
        }
        self.order(at, command, plans);
    }

    /// Over the wire, late, and once: an order that names something new comes under the
    /// id of a command, and the log lets that have one effect.
    fn order(&mut self, at: Timestamp, command: AnyCommand, plans: &mut Plans) {
        let posted = Posted {
            command,
            at,
            asked_by: None,
        };
        let most_ms = if self.terms.faults && self.wire.percent(5) {
            1_500
        } else {
            30
        };
        let late = self.wire.below(most_ms * MS);
        plans.push((late, Action::Arrive(Box::new(posted))));
    }

    /// Somebody does what was meant.
    pub(crate) fn act(&mut self, plan: Plan, now: Timestamp, all: &Everything) -> Plans {
        let mut plans = vec![];
        match plan {
            Plan::Dial => self.somebody_dials(now, &mut plans),
            Plan::DialAgain(queue, who) => {
                if !self.is_last_call() {
                    self.dial(queue, Some(who), now, &mut plans);
                }
            }
            Plan::Press(call) => self.press_an_exit(call, now, &mut plans),
            Plan::GiveUp(call) => self.give_up(call, now, &mut plans),
            Plan::HangUp(call) => self.hang_up(call, now, all, &mut plans),
            Plan::Transfer(call) => self.transfer(call, now, all, &mut plans),
            Plan::Hold(call) => self.press_a_key(call, now, all, &mut plans),
            Plan::PickUp(call, leg, times) => {
                for _ in 0..times {
                    let answer = call::Command::RecordAnswer {
                        leg,
                        codec: None,
                        device: None,
                    };
                    self.say(now, AnyCommand::Call(call, answer), &mut plans);
                }
            }
            Plan::Desert(call) => self.an_agent_hangs_up(call, now, all, &mut plans),
            Plan::Phone(command) => self.say(now, *command, &mut plans),
            Plan::Agent(agent) => self.an_agent_acts(agent, now, &mut plans),
            Plan::Ready(session) => self.back_to_work(session, now, &mut plans),
            Plan::Note(session, call) => self.say_what_came_of_it(session, call, now, &mut plans),
            Plan::LogIn(agent) => self.log_in(agent, now, &mut plans),
        }
        plans
    }

    /// The adapters see what was committed, and people and phones react.
    pub(crate) fn hear(&mut self, fact: &Fact) -> Plans {
        let mut plans = vec![];
        match &fact.event {
            AnyEvent::Call(call, event) => self.hear_call(*call, fact.at, event, &mut plans),
            AnyEvent::Session(session, event) => {
                self.hear_session(*session, event, &mut plans);
                self.force_one(*session, fact.at, event, &mut plans);
            }
            AnyEvent::Queue(
                queue,
                queue::Event::Created { config, .. } | queue::Event::Configured { config, .. },
            ) => {
                self.exits.insert(*queue, config.exit_keys());
                self.terms_of.insert(*queue, config.callback);
            }
            AnyEvent::Callback(callback, callback::Event::Requested { request, .. }) => {
                self.somebody_is_promised(*callback, request, fact.at, &mut plans);
            }
            AnyEvent::Mailbox(id, mailbox::Event::Left { message, .. }) => {
                self.a_message_is_heard(*id, *message, &mut plans);
            }
            AnyEvent::Line(queue, event) => self.supervise(*queue, fact.at, event, &mut plans),
            AnyEvent::Queue(queue, event) => match event.paused() {
                Some((agent, true)) => _ = self.paused.insert((*queue, agent)),
                Some((agent, false)) => _ = self.paused.remove(&(*queue, agent)),
                None => {}
            },
            AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
        plans
    }

    fn hear_call(&mut self, call: CallId, at: Timestamp, event: &call::Event, plans: &mut Plans) {
        match event {
            call::Event::OfferStarted { leg, session, .. } => {
                self.a_phone_is_called(call, *leg, session.agent, plans);
            }
            call::Event::LegAlerting { offer, .. } => {
                self.an_agent_answers_at_the_desk(call, *offer, at, plans);
            }
            call::Event::AnswerOrdered { leg, .. } => {
                self.a_phone_is_told_to_answer(call, *leg, plans);
            }
            call::Event::OfferEnded { leg, .. } => self.a_cancel_crosses(call, *leg, at, plans),
            call::Event::AgentConnected { .. } if self.is_rung_back(call) => {}
            call::Event::AgentConnected { .. } | call::Event::LegAnswered { .. } => {
                self.they_talk(call, plans);
                self.somebody_takes_over(call, at, plans);
                self.an_agent_means_to_transfer(call, plans);
            }
            call::Event::SupervisionRequested { leg, .. } => {
                self.a_supervisors_phone_is_called(call, *leg, plans);
            }
            call::Event::SupervisionStarted { supervisor, .. } => {
                self.a_supervisor_hears_it(call, *supervisor, at, plans);
            }
            call::Event::TakenOver { from_leg, .. } => {
                self.an_agent_is_relieved(call, *from_leg, at, plans);
            }
            call::Event::Transferred { leg, .. } => {
                self.a_caller_is_sent_on(call, *leg, at, plans);
            }
            call::Event::Placed { leg, party, .. } => {
                self.somebody_is_to_be_rung(call, *leg, party, plans);
            }
            call::Event::LegDialled { leg, .. } => self.somebody_is_dialled(call, *leg, plans),
            call::Event::VoicemailStarted { message, .. } => {
                self.somebody_speaks(call, *message, plans);
            }
            call::Event::Ended { disposition, .. } => {
                self.a_call_is_over(call, at, *disposition, plans);
            }
            call::Event::Received { .. }
            | call::Event::Routed { .. }
            | call::Event::Enqueued { .. }
            | call::Event::ExitKeyPressed { .. }
            | call::Event::PlaceTold { .. }
            | call::Event::Overflowed { .. }
            | call::Event::AnnouncementStarted { .. }
            | call::Event::VoicemailEnded { .. }
            | call::Event::Forwarded { .. }
            | call::Event::TrunkSelected { .. }
            | call::Event::LegProgressed { .. }
            | call::Event::Answered {}
            | call::Event::Held { .. }
            | call::Event::Retrieved { .. }
            | call::Event::AnswerOrderRefused { .. }
            | call::Event::Withdrawn { .. }
            | call::Event::CallbackRequested { .. }
            | call::Event::Diverted { .. }
            | call::Event::MediaMeasured { .. }
            | call::Event::SupervisionModeChanged { .. }
            | call::Event::SupervisionEnded { .. }
            | call::Event::Tagged { .. }
            | call::Event::LateFact { .. } => {}
        }
    }
}

/// The agent's leg of a conversation, or that of the supervisor who has it.
fn talking_leg(all: &Everything, call: CallId) -> Option<LegId> {
    if let Phase::Connected(connection) = &all.calls.get(call)?.phase {
        return Some(connection.leg);
    }
    None
}
