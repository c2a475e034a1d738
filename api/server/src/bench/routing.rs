//! What a routing decision costs: from the event that makes a match possible to
//! the command that asks for the agent, without the append.

use crate::demo::say;
use domain::{
    agent,
    any::{AnyEvent, Fact},
    call::{self, AnswerMode},
    id::{AgentId, CallId, EventId, LegId, OfferId, QueueId, SessionId, SubjectId, VisitId},
    line::{self, VisitPolicy},
    process::{
        Input, Intent, Process,
        routing::{Routing, State},
    },
    queue,
    sealed::Sealed,
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

/// What the queue asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    /// Whoever has been idle longest.
    Plain,
    /// A skill that every other agent has, another that is preferred, tiers, and whoever
    /// served the caller last.
    Choosy,
}

/// Callers of the choosy world who call again and again.
const PEOPLE: u64 = 500;
/// Tiers of the choosy world.
const TIERS: u64 = 3;
/// What its callers ask for, and what they would like.
const LANGUAGE: &str = "german";
const SUBJECT: &str = "billing";

impl World {
    /// For which callers there is an agent with that number.
    const fn is_fit(self, agent: u64) -> bool {
        match self {
            Self::Plain => true,
            Self::Choosy => agent.is_multiple_of(2),
        }
    }

    /// The rules of the queue, where it has any.
    fn rules(self) -> Option<queue::Config> {
        let asks = |skill: &str, level, preferred| queue::Requirement {
            skill: skill.into(),
            level,
            preferred,
            relax: vec![],
        };
        match self {
            Self::Plain => None,
            Self::Choosy => Some(queue::Config {
                matching: queue::Matching {
                    skills: vec![asks(LANGUAGE, 3, false), asks(SUBJECT, 2, true)],
                    last_agent_ms: 30_000,
                    ..queue::Matching::default()
                },
                ..queue::Config::default()
            }),
        }
    }

    fn skills(self, agent: u64) -> Vec<agent::Skill> {
        let of = |skill: &str, level| agent::Skill {
            skill: skill.into(),
            level,
        };
        match self {
            Self::Plain => vec![],
            Self::Choosy if self.is_fit(agent) => {
                let level = if agent.is_multiple_of(4) { 3 } else { 1 };
                vec![of(LANGUAGE, 4), of(SUBJECT, level)]
            }
            Self::Choosy => vec![of(LANGUAGE, 1)],
        }
    }

    fn places(self, agent: u64) -> Vec<agent::Place> {
        match self {
            Self::Plain => vec![],
            Self::Choosy => vec![agent::Place {
                queue: QUEUE,
                tier: u8::try_from(agent % TIERS + 1).unwrap_or(1),
                penalty: 0,
                weight: 1,
            }],
        }
    }
}

/// A routing process, and the record that it hears.
struct Floor {
    world: World,
    state: State,
    position: u64,
    visits: u64,
}

impl Floor {
    /// All agents are on a break, but for those who are fit for nobody: they are free.
    fn with(world: World, agents: u64) -> Self {
        let mut floor = Self {
            world,
            state: State::default(),
            position: 0,
            visits: 0,
        };
        if let Some(config) = world.rules() {
            let name = "choosy".into();
            let created = queue::Event::Created {
                name,
                config_version: None,
                config,
            };
            floor.hear(AnyEvent::Queue(QUEUE, created));
        }
        for number in 0..agents {
            let config = agent::Config {
                display_name: None,
                queues: vec![QUEUE],
                ready_on_register: false,
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                capacity: 1,
                skills: world.skills(number),
                places: world.places(number),
            };
            let name = format!("agent{number}");
            let created = agent::Event::Created { name, config };
            floor.hear(AnyEvent::Agent(AgentId(numbered(3, number)), created));
            let session = session(number);
            floor.tell(number, session::Event::LoggedIn { session });
            match world.is_fit(number) {
                true => floor.takes_a_break(number),
                false => _ = floor.tell(number, session::Event::BecameReady {}),
            }
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
            tenant: domain::id::DEFAULT_TENANT,
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
        if self.world == World::Choosy {
            let person = SubjectId(numbered(9, self.visits % PEOPLE));
            let received = call::Event::Received {
                leg: LegId(numbered(6, self.visits)),
                from: Sealed::new(person, String::new()),
                withheld: false,
                to: "choosy".into(),
                trunk: None,
                sip_call_id: String::new(),
                user_agent: None,
            };
            self.hear(AnyEvent::Call(call, received));
        }
        let enqueued = call::Event::Enqueued {
            visit,
            queue: QUEUE,
            config_version: 1,
            answer_mode: AnswerMode::OnAgent,
            exit_keys: vec![],
            music: None,
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
    fn measure(&mut self, event: AnyEvent) -> anyhow::Result<(u64, Taken)> {
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
        Ok((took, Taken { agent, offer }))
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
            capacity: 1,
            still: None,
        };
        self.hear(AnyEvent::Session(session, reserved));
        let matched = line::Event::Matched {
            visit,
            call,
            offer,
            session,
        };
        self.hear(AnyEvent::Line(QUEUE, matched));
        let connected = call::Event::AgentConnected {
            offer,
            visit,
            session,
            leg: LegId(visit.0),
            codec: None,
            device: None,
        };
        self.hear(AnyEvent::Call(call, connected));
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
    fn is_free(&mut self, Taken { agent, offer }: Taken) {
        let released = session::Event::ReservationReleased {
            offer,
            reason: ReleaseReason::CallerGone,
            not_before: None,
            still: None,
        };
        self.tell(agent, released);
    }
}

/// An agent whom a caller has got, by number, and by which offer.
struct Taken {
    agent: u64,
    offer: OfferId,
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
    for (world, is_so) in [
        (World::Plain, "whoever has been idle longest"),
        (
            World::Choosy,
            "skills (half of the agents lack one and are free all the time), 3 tiers, last agent",
        ),
    ] {
        say(is_so);
        say("  agents  waiting  event              p50      p99      max");
        let mut growth = vec![];
        for agents in AGENTS {
            for waiting in WAITING {
                let figures = an_agent_is_free(world, agents, waiting, settings.decisions)?;
                let p99 = show(agents, waiting, "an agent is free", figures);
                growth.push((waiting, agents, p99));
            }
            let figures = a_caller_comes(world, agents, settings.decisions)?;
            let p99 = show(agents, 0, "a caller comes", figures);
            growth.push((0, agents, p99));
        }
        show_growth(&growth);
    }
    say("target: p99 under 1000 µs with 1,000 agents and 1,000 waiting");
    Ok(())
}

/// How many times as long the 99th percentile is with ten times as many agents, and again.
fn show_growth(figures: &[(u64, u64, f64)]) {
    for waiting in [&[0], WAITING.as_slice()].concat() {
        let of_these = figures.iter().filter(|(of, ..)| *of == waiting);
        let p99: Vec<_> = of_these.map(|(.., p99)| *p99).collect();
        let times = p99.windows(2).map(|pair| match pair {
            [few, many] if *few > 0.0 => format!("{:.1}", many / few),
            _ => "-".into(),
        });
        let times = times.collect::<Vec<_>>().join(", ");
        say(&format!(
            "p99 with {waiting} waiting, 10 -> 100 -> 1,000 -> 10,000 agents: times {times}"
        ));
    }
}

/// Callers wait, all agents are away, and one comes back.
fn an_agent_is_free(
    world: World,
    agents: u64,
    waiting: u64,
    decisions: u32,
) -> anyhow::Result<Vec<u64>> {
    let mut floor = Floor::with(world, agents);
    let fit: Vec<_> = (0..agents).filter(|agent| world.is_fit(*agent)).collect();
    for _ in 0..waiting {
        let arrival = floor.arrival();
        floor.hear(arrival);
    }
    let mut took = vec![];
    let decisions = usize::try_from(decisions)?;
    for agent in fit.into_iter().cycle().take(decisions) {
        let ready = session::Event::BecameReady {};
        let ready = AnyEvent::Session(session(agent), ready);
        let (ns, taken) = floor.measure(ready)?;
        took.push(ns);
        floor.takes_a_break(taken.agent);
        let arrival = floor.arrival();
        floor.hear(arrival);
    }
    Ok(took)
}

/// All agents are free, and a caller comes.
fn a_caller_comes(world: World, agents: u64, decisions: u32) -> anyhow::Result<Vec<u64>> {
    let mut floor = Floor::with(world, agents);
    for agent in (0..agents).filter(|agent| world.is_fit(*agent)) {
        floor.tell(agent, session::Event::BecameReady {});
    }
    let mut took = vec![];
    for _ in 0..decisions {
        let arrival = floor.arrival();
        let (ns, taken) = floor.measure(arrival)?;
        took.push(ns);
        floor.is_free(taken);
    }
    Ok(took)
}

/// Prints a line, and returns its 99th percentile.
fn show(agents: u64, waiting: u64, event: &str, mut took: Vec<u64>) -> f64 {
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
    figure(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More often than there are agents, and than anybody waits.
    const DECISIONS: u32 = 40;

    #[test]
    fn each_event_that_is_measured_makes_one_match() -> anyhow::Result<()> {
        for world in [World::Plain, World::Choosy] {
            let free = an_agent_is_free(world, 10, 10, DECISIONS)?;
            let comes = a_caller_comes(world, 10, DECISIONS)?;
            assert_eq!([free.len(), comes.len()], [40, 40]);
        }
        Ok(())
    }
}
