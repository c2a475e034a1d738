//! Whom each strategy rings first, and that it is fair in its own way.

use super::*;
use crate::{
    agent,
    call::AnswerMode,
    id::{AgentId, CallId, SessionId, VisitId},
    line::{self, VisitPolicy},
    process::routing::Routing,
    queue::{self, Strategy},
    session,
    testing::QUEUE,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A call centre in which whoever is rung answers.
struct Floor {
    heard: Heard<Routing>,
    now: Timestamp,
    visits: u64,
    /// Calls and talk of each agent.
    done: BTreeMap<AgentId, (u64, u64)>,
    /// Since when each agent is free, or was before its call.
    free_since: BTreeMap<AgentId, Timestamp>,
    /// Who talks until when, and in which call.
    talking: BTreeMap<AgentId, (Timestamp, CallId)>,
}

const fn id(kind: u64, number: u64) -> Uuid {
    // Ids of calls and visits hold chance in their lower half.
    Uuid::from_u64_pair(kind, number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn person(number: u64) -> AgentId {
    AgentId(Uuid::from_u64_pair(3, number))
}

fn login(agent: AgentId) -> SessionId {
    SessionId { agent, number: 1 }
}

fn rules(strategy: Strategy) -> queue::Config {
    queue::Config {
        strategy,
        ring_timeout_ms: 20_000,
        answer_mode: AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 100,
        ..queue::Config::default()
    }
}

impl Floor {
    fn open(strategy: Strategy, agents: u64) -> Self {
        let unskilled = vec![vec![]; usize::try_from(agents).unwrap_or(0)];
        Self::open_with(rules(strategy), &unskilled)
    }

    /// With agents of these skills.
    fn open_with(config: queue::Config, agents: &[Vec<agent::Skill>]) -> Self {
        let agents = agents.iter().map(|skills| (skills.clone(), vec![]));
        Self::open_for(config, agents.collect())
    }

    /// With agents of these weights.
    fn open_weighted(weights: &[u8]) -> Self {
        let agents = weights.iter().map(|weight| {
            let place = agent::Place {
                weight: *weight,
                ..agent::Place::first(QUEUE)
            };
            (vec![], vec![place])
        });
        Self::open_for(rules(Strategy::WeightedRandom), agents.collect())
    }

    fn open_for(
        config: queue::Config,
        agents: Vec<(Vec<agent::Skill>, Vec<agent::Place>)>,
    ) -> Self {
        let name = "sales".into();
        let mut floor = Self {
            heard: process::<Routing>(),
            now: second(0),
            visits: 0,
            done: BTreeMap::new(),
            free_since: BTreeMap::new(),
            talking: BTreeMap::new(),
        };
        floor.hears(AnyEvent::Queue(
            QUEUE,
            queue::Event::Created {
                name,
                config,
                config_version: None,
            },
        ));
        // The last to be named is the first to have joined.
        let mut agents: Vec<_> = (1..).zip(agents).collect();
        agents.reverse();
        for (number, (skills, places)) in agents {
            let config = agent::Config {
                display_name: None,
                queues: vec![QUEUE],
                ready_on_register: false,
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                capacity: 1,
                skills,
                places,
            };
            let agent = person(number);
            let name = format!("agent{number}");
            floor.hears(AnyEvent::Agent(
                agent,
                agent::Event::Created { name, config },
            ));
            let session = login(agent);
            floor.says(agent, session::Event::LoggedIn { session });
            floor.says(agent, session::Event::BecameReady {});
            floor.done.insert(agent, (0, 0));
            floor.free_since.insert(agent, floor.now);
            floor.now = floor.now.plus_ms(1);
        }
        floor
    }

    fn hears(&mut self, event: AnyEvent) {
        let heard = std::mem::replace(&mut self.heard, process::<Routing>());
        self.heard = heard.hears_at(self.now, event);
    }

    fn says(&mut self, agent: AgentId, event: session::Event) {
        self.hears(AnyEvent::Session(login(agent), event));
    }

    fn free(&self) -> Vec<AgentId> {
        let mut agents = self.done.keys().copied().collect::<Vec<_>>();
        agents.retain(|agent| !self.talking.contains_key(agent));
        agents
    }

    /// Time passes; whoever has talked enough is ready again.
    fn pass(&mut self, ms: u64) {
        let until = self.now.plus_ms(ms);
        loop {
            let next = self
                .talking
                .iter()
                .map(|(agent, (end, call))| (*end, *agent, *call))
                .min();
            match next {
                Some((end, agent, call)) if end <= until => {
                    self.now = end;
                    self.talking.remove(&agent);
                    self.free_since.insert(agent, end);
                    self.says(agent, session::Event::ContactEnded { call, still: None });
                    self.says(agent, session::Event::BecameReady {});
                }
                Some(_) | None => break,
            }
        }
        self.now = until;
    }

    /// A caller comes, somebody is free, is rung, answers and talks that long.
    fn serve(&mut self, talk_ms: u64) -> AgentId {
        self.visits += 1;
        let (visit, call) = (VisitId(id(5, self.visits)), CallId(id(1, self.visits)));
        let opened = line::Event::Opened {
            visit,
            call,
            enqueued_at: self.now,
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
        self.hears(AnyEvent::Line(QUEUE, opened));
        let [AnyCommand::Session(session, session::Command::Reserve { offer, until, .. })] =
            self.heard.asked[..]
        else {
            panic!("one agent is asked for: {:?}", self.heard.asked);
        };
        let agent = session.agent;
        let queue = QUEUE;
        self.says(
            agent,
            session::Event::Reserved {
                offer,
                call,
                visit,
                queue,
                until,
                wrap_up_ms: 0,
                choice: None,
                terms: crate::queue::Terms::STANDARD,
                capacity: 1,
                still: None,
            },
        );
        self.hears(AnyEvent::Line(
            QUEUE,
            line::Event::Matched {
                visit,
                call,
                offer,
                session,
            },
        ));
        self.says(
            agent,
            session::Event::ConnectedToContact { offer, call, queue },
        );
        let (calls, talked) = self.done[&agent];
        self.done.insert(agent, (calls + 1, talked + talk_ms));
        self.talking
            .insert(agent, (self.now.plus_ms(talk_ms), call));
        agent
    }
}

/// Talk times and pauses, such that somebody is free most of the time.
fn day() -> impl proptest::strategy::Strategy<Value = Vec<(u64, u64)>> {
    proptest::collection::vec((1u64..60_000, 0u64..30_000), 1..60)
}

/// Plays a day; `check` sees who was free and who was chosen.
fn play(
    strategy: Strategy,
    agents: u64,
    day: &[(u64, u64)],
    check: impl FnMut(&Floor, &[AgentId], AgentId),
) -> Floor {
    play_on(Floor::open(strategy, agents), day, check)
}

fn play_on(
    mut floor: Floor,
    day: &[(u64, u64)],
    mut check: impl FnMut(&Floor, &[AgentId], AgentId),
) -> Floor {
    for (talk_ms, pause_ms) in day {
        floor.pass(*pause_ms);
        let free = floor.free();
        if free.is_empty() {
            continue;
        }
        let done = floor.done.clone();
        let chosen = floor.serve(*talk_ms);
        let now = std::mem::replace(&mut floor.done, done);
        check(&floor, &free, chosen);
        floor.done = now;
    }
    floor
}

proptest! {
    #[test]
    fn longest_idle_rings_nobody_while_another_is_free_for_longer(day in day()) {
        play(Strategy::LongestIdle, 4, &day, |floor, free, chosen| {
            let longest = free.iter().map(|agent| floor.free_since[agent]).min();
            assert_eq!(Some(floor.free_since[&chosen]), longest);
        });
    }

    #[test]
    fn fewest_calls_rings_nobody_who_had_more_than_another_free_one(day in day()) {
        play(Strategy::FewestCalls, 4, &day, |floor, free, chosen| {
            let least = free.iter().map(|agent| floor.done[agent].0).min();
            assert_eq!(Some(floor.done[&chosen].0), least);
        });
    }

    #[test]
    fn least_talk_time_rings_nobody_who_talked_more_than_another_free_one(day in day()) {
        play(Strategy::LeastTalkTime, 4, &day, |floor, free, chosen| {
            let least = free.iter().map(|agent| floor.done[agent].1).min();
            assert_eq!(Some(floor.done[&chosen].1), least);
        });
    }

    #[test]
    fn linear_rings_the_free_one_who_has_served_longest(day in day()) {
        play(Strategy::Linear, 4, &day, |_, free, chosen| {
            // The highest number joined first.
            assert_eq!(Some(&chosen), free.iter().max());
        });
    }

    #[test]
    fn round_robin_rings_everybody_in_turn_when_all_are_free(calls in 1usize..40) {
        let mut turns = vec![];
        let day = vec![(1_000, 2_000); calls];
        let floor = play(Strategy::RoundRobin, 4, &day, |_, _, chosen| turns.push(chosen));
        for (turn, again) in turns.iter().zip(turns.iter().skip(4)) {
            assert_eq!(turn, again);
        }
        let counts: Vec<u64> = floor.done.values().map(|(calls, _)| *calls).collect();
        let spread = counts.iter().max().unwrap_or(&0) - counts.iter().min().unwrap_or(&0);
        assert!(spread <= 1, "{counts:?}");
    }

    #[test]
    fn ordered_round_robin_goes_on_from_whoever_was_rung_last(day in day()) {
        let mut last = None;
        play(Strategy::OrderedRoundRobin, 4, &day, |_, free, chosen| {
            // They joined from the highest number to the lowest.
            let behind = free.iter().rev().find(|agent| last.is_some_and(|last| **agent < last));
            assert_eq!(Some(&chosen), behind.or_else(|| free.iter().max()));
            last = Some(chosen);
        });
    }

}

/// What each of four agents is worth in the two skills that the queue asks for.
fn levels() -> impl proptest::strategy::Strategy<Value = Vec<[u8; 2]>> {
    proptest::collection::vec([1u8..=5, 1u8..=5], 4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn best_skill_rings_nobody_while_a_better_one_is_free(day in day(), levels in levels()) {
        let names = ["german", "billing"];
        let asked = names.map(|skill| queue::Requirement {
            skill: skill.into(),
            level: 1,
            preferred: false,
            relax: vec![],
        });
        let config = queue::Config {
            matching: queue::Matching {
                skills: asked.into(),
                ..queue::Matching::default()
            },
            ..rules(Strategy::BestSkill)
        };
        let agents: Vec<Vec<agent::Skill>> = levels
            .iter()
            .map(|levels| {
                let skills = names.into_iter().zip(levels);
                skills
                    .map(|(skill, level)| agent::Skill { skill: skill.into(), level: *level })
                    .collect()
            })
            .collect();
        let worth: BTreeMap<AgentId, u8> = (1..)
            .zip(&levels)
            .map(|(number, levels)| (person(number), levels.iter().sum()))
            .collect();
        play_on(Floor::open_with(config, &agents), &day, |_, free, chosen| {
            let best = free.iter().map(|agent| worth[agent]).max();
            assert_eq!(Some(worth[&chosen]), best, "{levels:?}");
        });
    }
}

proptest! {
    // Nine strategies, twice each.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_same_day_is_served_the_same_way_again(day in day()) {
        for strategy in [
            Strategy::LongestIdle,
            Strategy::FewestCalls,
            Strategy::LeastTalkTime,
            Strategy::RoundRobin,
            Strategy::Linear,
            Strategy::Random,
            Strategy::WeightedRandom,
            Strategy::OrderedRoundRobin,
            Strategy::BestSkill,
        ] {
            let run = || {
                let mut chosen = vec![];
                play(strategy, 3, &day, |_, _, agent| chosen.push(agent));
                chosen
            };
            assert_eq!(run(), run(), "{strategy:?}");
        }
    }
}

#[test]
fn round_robin_remembers_whose_turn_it_is_over_a_crash() {
    let mut floor = Floor::open(Strategy::RoundRobin, 3);
    let first = floor.serve(500);
    floor.pass(1_000);
    // What was saved is read again.
    let saved = serde_json::to_string(&floor.heard.state).expect("a state can be saved");
    floor.heard.state = serde_json::from_str(&saved).expect("and read");
    let second = floor.serve(500);
    floor.pass(1_000);
    let third = floor.serve(500);
    floor.pass(1_000);
    assert_eq!(floor.serve(500), first);
    assert!(first != second && second != third && third != first);
}

/// Callers who come while everybody is free: how many each agent is given, by number.
fn shares(mut floor: Floor, luck: u64, calls: u64) -> BTreeMap<AgentId, u64> {
    // Chance is in the ids of the visits.
    floor.visits = luck;
    let mut shares: BTreeMap<AgentId, u64> = floor.done.keys().map(|id| (*id, 0)).collect();
    for _ in 0..calls {
        *shares.entry(floor.serve(1_000)).or_default() += 1;
        floor.pass(2_000);
    }
    shares
}

/// Whether that many of so many are a share of `part / whole`, but for chance: six standard
/// deviations of a binomial distribution are not reached in a thousand million tries.
fn is_share(count: u64, calls: u64, (part, whole): (u64, u64)) -> bool {
    let (off, variance) = (
        (count * whole).abs_diff(calls * part),
        calls * part * (whole - part),
    );
    off * off <= 36 * variance
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn random_gives_everybody_the_same_share(agents in 1u64..7, luck in 0..u64::MAX / 2) {
        let shares = shares(Floor::open(Strategy::Random, agents), luck, 600);
        for (agent, count) in &shares {
            prop_assert!(is_share(*count, 600, (1, agents)), "{agent}: {shares:?}");
        }
    }

    #[test]
    fn weighted_random_gives_everybody_a_share_by_weight(
        weights in proptest::collection::vec(0u8..10, 1..6),
        luck in 0..u64::MAX / 2,
    ) {
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let shares = shares(Floor::open_weighted(&weights), luck, 600);
        for (number, weight) in (1..).zip(&weights) {
            // Where nobody has a weight, all are alike.
            let share = match total {
                0 => (1, weights.len() as u64),
                _ => (u64::from(*weight), total),
            };
            let count = shares[&person(number)];
            prop_assert!(is_share(count, 600, share), "{number} of {weights:?}: {shares:?}");
        }
    }
}

#[test]
fn a_queue_that_changes_its_strategy_chooses_by_it_at_once() {
    let mut floor = Floor::open(Strategy::Linear, 3);
    assert_eq!(floor.serve(500), person(3));
    floor.pass(1_000);
    let config = rules(Strategy::FewestCalls);
    let config_version = 2;
    floor.hears(AnyEvent::Queue(
        QUEUE,
        queue::Event::Configured {
            config_version,
            config,
        },
    ));
    assert_ne!(floor.serve(500), person(3));
}
