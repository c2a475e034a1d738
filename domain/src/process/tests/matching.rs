//! Who is fit for a call, whose turn it is, and how the decision is explained.

use super::*;
use crate::{
    agent::{self, Place, Skill},
    call::{self, AnswerMode},
    id::{AgentId, CallId, LegId, OfferId, QueueId, SessionId, SubjectId, VisitId},
    line::{self, VisitPolicy},
    process::{Intent, routing},
    queue::{self, Matching, Relaxation, Requirement, Strategy},
    sealed::Sealed,
    session::{Choice, DecidedBy, LeftOutReason},
};
use std::collections::BTreeMap;

pub(super) const SALES: QueueId = QueueId(Uuid::from_u128(51));
pub(super) const SERVICE: QueueId = QueueId(Uuid::from_u128(52));

fn person(number: u64) -> AgentId {
    AgentId(Uuid::from_u64_pair(3, number))
}

pub(super) fn visit(number: u64) -> VisitId {
    VisitId(Uuid::from_u64_pair(
        5,
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    ))
}

pub(super) fn call(number: u64) -> CallId {
    CallId(Uuid::from_u64_pair(1, number))
}

pub(super) fn login(agent: AgentId) -> SessionId {
    SessionId { agent, number: 1 }
}

/// A match that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) call: CallId,
    pub(super) visit: VisitId,
    pub(super) agent: AgentId,
    pub(super) offer: OfferId,
    pub(super) until: Timestamp,
    pub(super) choice: Choice,
}

fn asked(command: AnyCommand) -> Option<Asked> {
    let AnyCommand::Session(
        id,
        session::Command::Reserve {
            call,
            visit,
            offer,
            until,
            choice: Some(choice),
            ..
        },
    ) = command
    else {
        return None;
    };
    Some(Asked {
        call,
        visit,
        agent: id.agent,
        offer,
        until,
        choice: *choice,
    })
}

/// Routing, and what it asked for last.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) state: routing::State,
    count: u64,
    pub(super) now: Timestamp,
    pub(super) asked: Vec<Asked>,
}

/// The line has let a caller in.
pub(super) fn opened(
    number: u64,
    queue: QueueId,
    since: (Timestamp, Option<Timestamp>),
) -> AnyEvent {
    let (enqueued_at, joined_at) = since;
    let opened = line::Event::Opened {
        visit: visit(number),
        call: call(number),
        enqueued_at,
        joined_at,
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
    AnyEvent::Line(queue, opened)
}

impl Desk {
    pub(super) fn with(queue: QueueId, strategy: Strategy, matching: Matching) -> Self {
        let mut desk = Self {
            now: second(1_000),
            ..Self::default()
        };
        desk.queue(queue, strategy, matching);
        desk
    }

    pub(super) fn queue(&mut self, queue: QueueId, strategy: Strategy, matching: Matching) {
        let config = queue::Config {
            strategy,
            ring_timeout_ms: 20_000,
            answer_mode: AnswerMode::OnAgent,
            max_wait_ms: 0,
            capacity: 100,
            matching,
            ..queue::Config::default()
        };
        let name = "queue".into();
        self.hears(AnyEvent::Queue(
            queue,
            queue::Event::Created {
                name,
                config,
                config_version: None,
            },
        ));
    }

    fn took(&mut self, intents: Vec<Intent>) {
        let commands = intents.into_iter().map(|intent| intent.command);
        self.asked = commands.filter_map(asked).collect();
    }

    pub(super) fn hears(&mut self, event: AnyEvent) {
        self.count += 1;
        let fact = Fact {
            position: self.count,
            version: self.count,
            event_id: EventId(Uuid::from_u128(u128::from(self.count))),
            at: self.now,
            node_epoch: 1,
            tenant: crate::id::DEFAULT_TENANT,
            event,
        };
        let intents = routing::Routing::step(&mut self.state, &Input::Event(&fact));
        self.took(intents);
    }

    /// Time passes; what is due then is done.
    pub(super) fn passes(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        if routing::Routing::next_deadline(&self.state).is_some_and(|due| due <= self.now) {
            let intents = routing::Routing::step(&mut self.state, &Input::Deadline(self.now));
            self.took(intents);
        } else {
            self.asked.clear();
        }
    }

    pub(super) fn hires(
        &mut self,
        number: u64,
        queues: &[QueueId],
        skills: &[(&str, u8)],
        tier: u8,
    ) {
        let agent = person(number);
        let places = queues.iter().map(|queue| Place {
            tier,
            ..Place::first(*queue)
        });
        let config = agent::Config {
            display_name: None,
            queues: queues.to_vec(),
            ready_on_register: false,
            registration_grace_ms: agent::REGISTRATION_GRACE_MS,
            capacity: 1,
            skills: skills
                .iter()
                .map(|(skill, level)| Skill {
                    skill: (*skill).into(),
                    level: *level,
                })
                .collect(),
            places: places.collect(),
        };
        let name = format!("agent{number}");
        self.hears(AnyEvent::Agent(
            agent,
            agent::Event::Created { name, config },
        ));
        let session = login(agent);
        self.says(number, session::Event::LoggedIn { session });
    }

    pub(super) fn says(&mut self, number: u64, event: session::Event) {
        self.hears(AnyEvent::Session(login(person(number)), event));
    }

    pub(super) fn ready(&mut self, number: u64) {
        self.says(number, session::Event::BecameReady {});
    }

    pub(super) fn comes(&mut self, number: u64, queue: QueueId) {
        self.waits(number, queue, (self.now, None));
    }

    /// The caller may have called again and have the place of back then.
    pub(super) fn waits(
        &mut self,
        number: u64,
        queue: QueueId,
        since: (Timestamp, Option<Timestamp>),
    ) {
        let opened = opened(number, queue, since);
        self.hears(said_before(&opened).expect("a call has said so"));
        self.hears(opened);
    }

    /// The agents and visits that were asked for.
    pub(super) fn pairs(&self) -> Vec<(u64, VisitId)> {
        let asked = self.asked.iter();
        asked
            .map(|asked| (asked.agent.0.as_u64_pair().1, asked.visit))
            .collect()
    }
}

pub(super) fn wants(skill: &str, level: u8, relax: &[(u64, u8)]) -> Requirement {
    Requirement {
        skill: skill.into(),
        level,
        preferred: false,
        relax: relax
            .iter()
            .map(|(after_ms, level)| Relaxation {
                after_ms: *after_ms,
                level: *level,
            })
            .collect(),
    }
}

#[test]
fn a_required_skill_is_asked_for_less_and_less_and_the_place_is_kept() {
    let matching = Matching {
        skills: vec![wants("german", 4, &[(10_000, 2), (20_000, 0)])],
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, matching);
    for (number, skills) in [(1, vec![]), (2, vec![("german", 2)])] {
        desk.hires(number, &[SALES], &skills, 1);
        desk.ready(number);
    }
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), []);
    desk.passes(5_000);
    desk.comes(2, SALES);
    desk.passes(5_000);
    assert_eq!(
        desk.pairs(),
        [(2, visit(1))],
        "after ten seconds, level 2 is enough"
    );
    let choice = &desk.asked[0].choice;
    assert_eq!(choice.waited_ms, 10_000);
    let left_out = &choice.left_out[0];
    assert_eq!((left_out.reason, left_out.count), (LeftOutReason::Skill, 1));
    assert_eq!(left_out.agents, [person(1)]);
    desk.passes(15_000);
    assert_eq!(desk.pairs(), [(1, visit(2))], "after twenty, none at all");
}

#[test]
fn the_best_skilled_comes_first_and_a_preferred_skill_leaves_nobody_out() {
    let mut preferred = wants("german", 3, &[]);
    preferred.preferred = true;
    let matching = Matching {
        skills: vec![preferred, wants("billing", 1, &[])],
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::BestSkill, matching);
    let agents = [
        (1, vec![("billing", 5)]),
        (2, vec![("billing", 2), ("german", 3)]),
        (3, vec![("billing", 4), ("german", 5)]),
    ];
    for (number, skills) in agents {
        desk.hires(number, &[SALES], &skills, 1);
        desk.ready(number);
    }
    for number in 1..=3 {
        desk.comes(number, SALES);
        let expected = [3, 2, 1][number as usize - 1];
        assert_eq!(desk.pairs(), [(expected, visit(number))]);
    }
}

#[test]
fn without_a_time_the_lower_tier_only_comes_first() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 2);
    desk.ready(1);
    desk.hires(2, &[SALES], &[], 1);
    desk.ready(2);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), [(2, visit(1))]);
    assert_eq!(desk.asked[0].choice.decided_by, DecidedBy::Class);
    desk.comes(2, SALES);
    assert_eq!(desk.pairs(), [(1, visit(2))]);
}

#[test]
fn the_higher_priority_comes_first_and_retries_and_waiting_add_to_it() {
    let matching = Matching {
        ageing_ms: 10_000,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, matching.clone());
    let urgent = Matching {
        priority: 2,
        ..matching
    };
    desk.queue(SERVICE, Strategy::LongestIdle, urgent);
    desk.hires(1, &[SALES, SERVICE], &[], 1);
    desk.comes(1, SALES);
    desk.passes(19_000);
    desk.comes(2, SERVICE);
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(2))], "2 is more than 1.9");

    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.comes(1, SALES);
    desk.comes(2, SALES);
    let (visit_2, priority) = (visit(2), 7);
    desk.hears(AnyEvent::Line(
        SALES,
        line::Event::PriorityChanged {
            visit: visit_2,
            call: call(2),
            priority,
        },
    ));
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(2))]);
    assert_eq!(desk.asked[0].choice.priority, 7);
}

#[test]
fn the_weightier_queue_of_an_agent_comes_first() {
    let heavy = Matching {
        weight: 1,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.queue(SERVICE, Strategy::LongestIdle, heavy);
    desk.hires(1, &[SALES, SERVICE], &[], 1);
    desk.comes(1, SALES);
    desk.comes(2, SERVICE);
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(2))]);
}

#[test]
fn phones_ring_shorter_each_round_and_rest_between() {
    let matching = Matching {
        ring_timeouts_ms: vec![30_000, 10_000],
        retry_delay_ms: 2_000,
        retry_boost: 5,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, matching);
    desk.hires(1, &[SALES], &[], 1);
    desk.ready(1);
    desk.comes(1, SALES);
    let first = desk.asked[0].clone();
    assert_eq!(first.until, desk.now.plus_ms(35_000));
    desk.comes_back(SALES, &first, 1);
    assert_eq!(desk.pairs(), []);
    desk.passes(2_000);
    let second = desk.asked[0].clone();
    assert_eq!(second.until, desk.now.plus_ms(15_000));
    assert_eq!((second.choice.attempts, second.choice.priority), (1, 5));
    desk.comes_back(SALES, &second, 2);
    desk.passes(3_999);
    assert_eq!(desk.pairs(), []);
    desk.passes(1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
}

#[test]
fn everybody_is_rung_at_once_and_the_next_caller_waits() {
    let mut desk = Desk::with(SALES, Strategy::RingAll, Matching::default());
    for number in 1..=3 {
        desk.hires(number, &[SALES], &[], 1);
    }
    desk.ready(1);
    desk.ready(2);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), [(1, visit(1)), (2, visit(1))]);
    assert!(desk.asked.iter().all(|asked| asked.choice.beside));
    desk.passes(1);
    desk.comes(2, SALES);
    assert_eq!(desk.pairs(), []);
    // Whoever becomes free joins in.
    desk.ready(3);
    assert_eq!(desk.pairs(), [(3, visit(1))]);
}

#[test]
fn phones_join_in_one_after_the_other() {
    let matching = Matching {
        ring_step_ms: 4_000,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::RingProgressively, matching);
    for number in 1..=3 {
        desk.hires(number, &[SALES], &[], 1);
        desk.ready(number);
        desk.passes(1);
    }
    desk.comes(1, SALES);
    for number in 1..=3 {
        assert_eq!(desk.pairs(), [(number, visit(1))]);
        desk.passes(3_999);
        assert_eq!(desk.pairs(), []);
        desk.passes(1);
    }
    assert_eq!(desk.pairs(), []);
}

/// What a caller's phone says, the same person each time.
fn same_person() -> call::Event {
    call::Event::Received {
        withheld: false,
        leg: LegId(Uuid::from_u128(9)),
        from: Sealed::new(SubjectId(Uuid::from_u128(77)), "sealed".into()),
        to: "sales".into(),
        trunk: None,
        sip_call_id: "a".into(),
        user_agent: None,
    }
}

/// Two agents, of whom the first has been idle longer, and the second has served that
/// person in a call that is over.
fn served_by_the_second(strategy: Strategy) -> Desk {
    let matching = Matching {
        last_agent_ms: 6_000,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, strategy, matching);
    for number in 1..=2 {
        desk.hires(number, &[SALES], &[], 1);
    }
    desk.hears(AnyEvent::Call(call(1), same_person()));
    desk.comes(1, SALES);
    let connected = call::Event::AgentConnected {
        codec: None,
        device: None,
        offer: OfferId(Uuid::from_u128(8)),
        visit: visit(1),
        session: login(person(2)),
        leg: LegId(Uuid::from_u128(10)),
    };
    desk.hears(AnyEvent::Call(call(1), connected));
    let closed = line::Event::Closed {
        visit: visit(1),
        call: call(1),
        result: line::VisitResult::Answered,
        closed_at: desk.now,
        wait_ms: 0,
        measure: None,
    };
    desk.hears(AnyEvent::Line(SALES, closed));
    desk.ready(1);
    desk.passes(1_000);
    desk.ready(2);
    desk
}

#[test]
fn whoever_served_the_caller_last_is_asked_first_for_a_while() {
    let mut desk = served_by_the_second(Strategy::LongestIdle);
    desk.hears(AnyEvent::Call(call(2), same_person()));
    desk.comes(2, SALES);
    assert_eq!(desk.pairs(), [(2, visit(2))]);
    assert_eq!(desk.asked[0].choice.decided_by, DecidedBy::LastAgent);
    // That one is busy now: it is waited for, but not for ever.
    desk.hears(AnyEvent::Call(call(3), same_person()));
    desk.comes(3, SALES);
    assert_eq!(desk.pairs(), []);
    desk.passes(6_000);
    assert_eq!(desk.pairs(), [(1, visit(3))]);
}

#[test]
fn whoever_served_the_caller_last_is_asked_alone_once() {
    for strategy in [Strategy::LongestIdle, Strategy::RingAll] {
        let mut desk = served_by_the_second(strategy);
        desk.hears(AnyEvent::Call(call(2), same_person()));
        desk.comes(2, SALES);
        let first = desk.asked[0].clone();
        assert_eq!(first.agent, person(2));
        // In vain: from here on the other is asked, also when everybody may be asked
        // again and the one who declined is still there.
        desk.comes_back(SALES, &first, 1);
        let mut asked = desk.pairs();
        desk.passes(1_000);
        asked.extend(desk.pairs());
        assert!(asked.contains(&(1, visit(2))), "{strategy:?}: {asked:?}");
    }
}

#[test]
fn chance_follows_the_weights() {
    let mut shares: BTreeMap<u64, u64> = BTreeMap::new();
    for number in 1..=4_000 {
        let mut desk = Desk::with(SALES, Strategy::WeightedRandom, Matching::default());
        for (agent, weight) in [(1, 3), (2, 1), (3, 0)] {
            let place = Place {
                weight,
                ..Place::first(SALES)
            };
            let config = agent::Config {
                display_name: None,
                queues: vec![SALES],
                ready_on_register: false,
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                capacity: 1,
                skills: vec![],
                places: vec![place],
            };
            let name = "a".into();
            let event = agent::Event::Created { name, config };
            desk.hears(AnyEvent::Agent(person(agent), event));
            let session = login(person(agent));
            desk.says(agent, session::Event::LoggedIn { session });
            desk.ready(agent);
        }
        desk.comes(number, SALES);
        *shares.entry(desk.pairs()[0].0).or_default() += 1;
    }
    // Three quarters of 4,000; the standard deviation is 27.
    assert!((2_890..=3_110).contains(&shares[&1]), "{shares:?}");
    assert_eq!(
        shares.get(&3),
        None,
        "weight 0 is none while others are free"
    );
}

#[test]
fn a_decision_among_a_thousand_agents_names_a_few_and_counts_all() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    for number in 1..=1_000 {
        desk.hires(number, &[SALES], &[], 1);
        if number % 2 == 0 {
            desk.ready(number);
        }
    }
    desk.comes(1, SALES);
    let choice = &desk.asked[0].choice;
    assert_eq!((choice.free_count, choice.place), (500, 1));
    let counts: Vec<_> = choice
        .left_out
        .iter()
        .map(|left_out| (left_out.reason, left_out.count))
        .collect();
    assert_eq!(
        counts,
        [(LeftOutReason::NotReady, 500), (LeftOutReason::Behind, 499)]
    );
    assert!(
        choice
            .left_out
            .iter()
            .all(|left_out| left_out.agents.len() <= 5)
    );
    let text = serde_json::to_string(choice).expect("a choice can be written");
    assert!(text.len() < 1_500, "{} bytes", text.len());
    assert_eq!(serde_json::from_str::<Choice>(&text).unwrap(), *choice);
}
