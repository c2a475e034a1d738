//! What a routing decision costs: from the event that makes a match possible to
//! the command that asks for the agent, without the append.

use crate::demo::say;
use domain::{
    agent,
    any::{AnyEvent, Fact},
    call::{self, AnswerMode},
    id::{AgentId, CallId, EventId, OfferId, QueueId, SessionId, VisitId},
    line::{self, VisitPolicy},
    process::{
        Input, Intent, Process,
        routing::{Routing, State},
    },
    session::{self, NotReadyReason, ReleaseReason},
    time::Timestamp,
};
use std::time::Instant;
use uuid::Uuid;

/// Settings of the bench.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// Decisions of each kind and size.
    #[arg(long, default_value_t = 2_000)]
    decisions: u32,
}

const AGENTS: [u64; 4] = [10, 100, 1_000, 10_000];
const WAITING: [u64; 3] = [10, 1_000, 10_000];
const QUEUE: QueueId = QueueId(Uuid::from_u128(4 << 64));
/// 2027-01-15, 08:00 UTC.
const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

const fn numbered(kind: u128, number: u64) -> Uuid {
    Uuid::from_u128((kind << 64) | number as u128)
}

/// A routing process, and the record that it hears.
struct Floor {
    state: State,
    position: u64,
    visits: u64,
}

impl Floor {
    /// All agents are on a break.
    fn with(agents: u64) -> Self {
        let mut floor = Self {
            state: State::default(),
            position: 0,
            visits: 0,
        };
        for number in 0..agents {
            let config = agent::Config {
                display_name: None,
                queues: vec![QUEUE],
                ready_on_register: false,
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                skills: vec![],
                places: vec![],
            };
            let name = format!("agent{number}");
            let created = agent::Event::Created { name, config };
            floor.hear(AnyEvent::Agent(AgentId(numbered(3, number)), created));
            let session = session(number);
            floor.tell(number, session::Event::LoggedIn { session });
            floor.takes_a_break(number);
        }
        floor
    }

    fn fact(&mut self, event: AnyEvent) -> Fact {
        self.position += 1;
        Fact {
            position: self.position,
            version: self.position,
            event_id: EventId(numbered(7, self.position)),
            node_epoch: 1,
            at: START.plus_ms(self.position),
            event,
        }
    }

    fn hear(&mut self, event: AnyEvent) -> Vec<Intent> {
        let fact = self.fact(event);
        Routing::step(&mut self.state, &Input::Event(&fact))
    }

    fn tell(&mut self, agent: u64, event: session::Event) -> Vec<Intent> {
        self.hear(AnyEvent::Session(session(agent), event))
    }

    fn takes_a_break(&mut self, agent: u64) {
        let reason = NotReadyReason::Break;
        self.tell(agent, session::Event::BecameNotReady { reason, code: None });
    }

    /// The event of one more caller who waits; the call has said so before.
    fn arrival(&mut self) -> AnyEvent {
        self.visits += 1;
        let visit = VisitId(numbered(5, self.visits));
        let call = CallId(numbered(1, self.visits));
        let enqueued = call::Event::Enqueued {
            visit,
            queue: QUEUE,
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
        };
        self.hear(AnyEvent::Call(call, enqueued));
        let opened = line::Event::Opened {
            visit,
            call,
            enqueued_at: START.plus_ms(self.position),
            joined_at: None,
            priority: None,
            previous: None,
            position: 1,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: AnswerMode::OnAgent,
                ring_timeout_ms: 20_000,
                wrap_up_ms: 0,
                max_wait_ms: 0,
                measure: None,
            },
        };
        AnyEvent::Line(QUEUE, opened)
    }

    /// Measures one event, in nanoseconds, and takes what came of it back: the
    /// visit is answered and gone, the agent free or on a break again.
    fn measure(&mut self, event: AnyEvent) -> anyhow::Result<(u64, u64)> {
        let fact = self.fact(event);
        let began = Instant::now();
        let intents = Routing::step(&mut self.state, &Input::Event(&fact));
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let [intent] = intents.as_slice() else {
            anyhow::bail!("one match was expected, not {}", intents.len());
        };
        let domain::any::AnyCommand::Session(
            reserved,
            session::Command::Reserve {
                offer, call, visit, ..
            },
        ) = &intent.command
        else {
            anyhow::bail!("a reservation was expected, not {}", intent.command);
        };
        let (offer, call, visit, session) = (*offer, *call, *visit, *reserved);
        self.settle(offer, call, visit, session);
        let agent = u64::try_from(session.agent.0.as_u128() & u128::from(u64::MAX))?;
        Ok((took, agent))
    }

    fn settle(&mut self, offer: OfferId, call: CallId, visit: VisitId, session: SessionId) {
        let reserved = session::Event::Reserved {
            offer,
            call,
            visit,
            queue: QUEUE,
            until: Timestamp::LAST,
            wrap_up_ms: 0,
            choice: None,
            terms: domain::queue::Terms::STANDARD,
        };
        self.hear(AnyEvent::Session(session, reserved));
        let matched = line::Event::Matched {
            visit,
            call,
            offer,
            session,
        };
        self.hear(AnyEvent::Line(QUEUE, matched));
        let closed = line::Event::Closed {
            visit,
            call,
            result: line::VisitResult::Answered,
            closed_at: START,
            wait_ms: 0,
            measure: None,
        };
        self.hear(AnyEvent::Line(QUEUE, closed));
    }

    /// The agent is not with the caller any more.
    fn is_free(&mut self, agent: u64) {
        let released = session::Event::ReservationReleased {
            offer: OfferId(Uuid::nil()),
            reason: ReleaseReason::CallerGone,
            not_before: None,
        };
        self.tell(agent, released);
    }
}

const fn session(agent: u64) -> SessionId {
    SessionId {
        agent: AgentId(numbered(3, agent)),
        number: 1,
    }
}

/// Measures every size.
///
/// # Errors
/// When routing does not match what it should.
pub(super) fn run(settings: &Settings) -> anyhow::Result<()> {
    say("decision: from the event to the reservation that it asks for, in µs, without the append");
    say("  agents  waiting  event              p50      p99      max");
    for agents in AGENTS {
        for waiting in WAITING {
            let figures = an_agent_is_free(agents, waiting, settings.decisions)?;
            show(agents, waiting, "an agent is free", figures);
        }
        let figures = a_caller_comes(agents, settings.decisions)?;
        show(agents, 0, "a caller comes", figures);
    }
    say("target: p99 under 1000 µs with 1,000 agents and 1,000 waiting");
    Ok(())
}

/// Callers wait, all agents are away, and one comes back.
fn an_agent_is_free(agents: u64, waiting: u64, decisions: u32) -> anyhow::Result<Vec<u64>> {
    let mut floor = Floor::with(agents);
    for _ in 0..waiting {
        let arrival = floor.arrival();
        floor.hear(arrival);
    }
    let mut took = vec![];
    for number in 0..u64::from(decisions) {
        let ready = session::Event::BecameReady {};
        let ready = AnyEvent::Session(session(number % agents), ready);
        let (ns, agent) = floor.measure(ready)?;
        took.push(ns);
        floor.takes_a_break(agent);
        let arrival = floor.arrival();
        floor.hear(arrival);
    }
    Ok(took)
}

/// All agents are free, and a caller comes.
fn a_caller_comes(agents: u64, decisions: u32) -> anyhow::Result<Vec<u64>> {
    let mut floor = Floor::with(agents);
    for agent in 0..agents {
        floor.tell(agent, session::Event::BecameReady {});
    }
    let mut took = vec![];
    for _ in 0..decisions {
        let arrival = floor.arrival();
        let (ns, agent) = floor.measure(arrival)?;
        took.push(ns);
        floor.is_free(agent);
    }
    Ok(took)
}

fn show(agents: u64, waiting: u64, event: &str, mut took: Vec<u64>) {
    took.sort_unstable();
    let figure = |percent| {
        let ns = super::figures::percentile(&took, percent);
        ns as f64 / 1_000.0
    };
    say(&format!(
        "{agents:>8} {waiting:>8}  {event:<16} {:>7.1}  {:>7.1}  {:>7.1}",
        figure(50),
        figure(99),
        figure(100)
    ));
}
