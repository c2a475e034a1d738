//! A small world: every aggregate and every process over one log in memory,
//! with callers, agents and phones that act by chance from a seed. Facts and
//! commands overtake each other, processes lag, crash and read again. Within
//! one stream the order of commands is kept, as in the real mailboxes, but for
//! those that found the store away and are tried again behind the others.

mod chance;
mod checks;
mod people;
mod runner;
mod streams;

use crate::{
    agent,
    any::AnyCommand,
    call::{AnswerMode, OverflowCause},
    decider::Decider as _,
    id::{AgentId, CommandId, DEFAULT_TENANT, MailboxId, QueueId, SessionId},
    line, mailbox,
    process::{
        dial::Dial, enqueue::Enqueue, offer::OfferProcess, recovery::Recovery,
        registration::Registration, routing::Routing, voicemail::VoicemailProcess, wrap_up::WrapUp,
    },
    queue,
    time::Timestamp,
};
use chance::Chance;
use runner::{Asked, Runner, Runs};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use streams::Everything;

const STRATEGIES: [queue::Strategy; 11] = [
    queue::Strategy::LongestIdle,
    queue::Strategy::FewestCalls,
    queue::Strategy::LeastTalkTime,
    queue::Strategy::RoundRobin,
    queue::Strategy::Linear,
    queue::Strategy::Random,
    queue::Strategy::WeightedRandom,
    queue::Strategy::OrderedRoundRobin,
    queue::Strategy::BestSkill,
    queue::Strategy::RingAll,
    queue::Strategy::RingProgressively,
];

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// A command in the mailbox of its stream.
struct Posted {
    command: AnyCommand,
    at: Timestamp,
    /// Which process asked, and under which id.
    asked_by: Option<(usize, CommandId)>,
}

/// What a world is like.
#[derive(Debug, Clone, Copy)]
struct Terms {
    agents: u64,
    queues: u64,
    steps: u32,
    crashes: bool,
}

struct World {
    chance: Chance,
    now: Timestamp,
    all: Everything,
    processes: Vec<Box<dyn Runs>>,
    mailboxes: BTreeMap<(&'static str, String), VecDeque<Posted>>,
    /// Facts under way from the phones, in no order.
    wire: Vec<AnyCommand>,
    /// What phones will do only after a while.
    later: Vec<AnyCommand>,
    /// Commands that had an effect: again, they have none.
    done: BTreeSet<CommandId>,
    /// What was refused, and how.
    refused: BTreeMap<CommandId, streams::Refused>,
    paused: BTreeMap<SessionId, Timestamp>,
    queues: Vec<QueueId>,
    agents: Vec<AgentId>,
    calls_count: u64,
    quiet_count: u32,
    terms: Terms,
}

impl World {
    fn new(seed: u64, terms: Terms) -> Self {
        let mut world = Self {
            chance: Chance::new(seed),
            now: START,
            all: Everything::default(),
            processes: vec![
                Box::new(Runner::<Enqueue>::new()),
                Box::new(Runner::<Dial>::new()),
                Box::new(Runner::<Routing>::new()),
                Box::new(Runner::<OfferProcess>::new()),
                Box::new(Runner::<WrapUp>::new()),
                Box::new(Runner::<Registration>::new()),
                Box::new(Runner::<Recovery>::new()),
                Box::new(Runner::<VoicemailProcess>::new()),
            ],
            mailboxes: BTreeMap::new(),
            wire: vec![],
            later: vec![],
            done: BTreeSet::new(),
            refused: BTreeMap::new(),
            paused: BTreeMap::new(),
            queues: vec![],
            agents: vec![],
            calls_count: 0,
            quiet_count: 0,
            terms,
        };
        world.provision();
        world
    }

    fn provision(&mut self) {
        let config = mailbox::Config {
            messages_max: 2,
            ..mailbox::Config::default()
        };
        let name = "mailbox".into();
        let configure = mailbox::Command::Configure { name, config };
        self.post(AnyCommand::Mailbox(mailbox_id(), configure), None);
        for number in 0..self.terms.queues {
            let name = format!("queue{number}");
            let id = QueueId::named(DEFAULT_TENANT, &name);
            let config = queue::Config {
                strategy: *self.chance.one_of(&STRATEGIES).expect("there are some"),
                ring_timeout_ms: 5_000 + self.chance.below(20_000),
                wrap_up_ms: self.chance.below(2) * 10_000,
                answer_mode: if self.chance.percent(50) {
                    AnswerMode::Immediate
                } else {
                    AnswerMode::OnAgent
                },
                max_wait_ms: self.chance.below(2) * 120_000,
                capacity: 1 + self.chance.below(8) as u32,
                overflow: self.overflow(number),
                ..queue::Config::default()
            };
            let create = queue::Command::Create { name, config };
            self.post(AnyCommand::Queue(id, create), None);
            self.queues.push(id);
        }
        for number in 0..self.terms.agents {
            let name = format!("agent{number}");
            let id = AgentId::named(DEFAULT_TENANT, &name);
            let mut queues = self.queues.clone();
            queues.retain(|_| self.chance.percent(70));
            let config = agent::Config {
                display_name: None,
                queues,
                ready_on_register: self.chance.percent(50),
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                capacity: 1,
                skills: vec![],
                places: vec![],
            };
            let create = agent::Command::Create { name, config };
            self.post(AnyCommand::Agent(id, create), None);
            self.agents.push(id);
        }
    }

    /// Nowhere, outside, to a mailbox, or into the next queue: round in a ring, so that the
    /// guard against loops has something to do.
    fn overflow(&mut self, number: u64) -> Vec<queue::Overflow> {
        let next = (number + 1) % self.terms.queues;
        let next = QueueId::named(DEFAULT_TENANT, &format!("queue{next}"));
        [
            OverflowCause::Full,
            OverflowCause::MaxWait,
            OverflowCause::Unstaffed,
        ]
        .into_iter()
        .filter_map(|when| {
            let to = match self.chance.below(4) {
                0 => return None,
                1 => queue::OverflowTo::Number("+491701234567".into()),
                2 => queue::OverflowTo::Mailbox(mailbox_id()),
                _ => queue::OverflowTo::Queue(next),
            };
            Some(queue::Overflow { when, to })
        })
        .collect()
    }

    // ---- one step

    fn post(&mut self, command: AnyCommand, asked_by: Option<(usize, CommandId)>) {
        let posted = Posted {
            at: self.now,
            asked_by,
            command,
        };
        self.mailboxes
            .entry(posted.command.target())
            .or_default()
            .push_back(posted);
    }

    fn ask(&mut self, process: usize, asked: Vec<Asked>) {
        for (id, command) in asked {
            self.post(command, Some((process, id)));
        }
    }

    /// Everything that can go on by itself, right now.
    fn pending(&self) -> Vec<Pending> {
        let mut pending = vec![];
        pending.extend((0..self.wire.len()).map(Pending::Wire));
        pending.extend(self.mailboxes.keys().cloned().map(Pending::Mailbox));
        for (number, process) in self.processes.iter().enumerate() {
            if process.has_unread(&self.all.log) {
                pending.push(Pending::Read(number));
            }
            // A timer does not wait for what is not read yet.
            if process.next_deadline().is_some_and(|due| due <= self.now) {
                pending.push(Pending::Wake(number));
            }
            if process.has_answers() {
                pending.push(Pending::Hear(number));
            }
        }
        pending
    }

    fn go_on(&mut self, what: Pending) {
        match what {
            Pending::Wire(number) => {
                let command = self.wire.swap_remove(number);
                self.post(command, None);
            }
            Pending::Mailbox(target) => self.deliver(&target),
            Pending::Read(number) => {
                let asked = self.processes[number].read_one(&self.all.log);
                self.ask(number, asked);
            }
            Pending::Hear(number) => {
                let asked = self.processes[number].hear_one(self.now);
                self.ask(number, asked);
            }
            Pending::Wake(number) => {
                let asked = self.processes[number].wake(self.now);
                self.ask(number, asked);
            }
        }
        self.check_every_step();
    }

    fn deliver(&mut self, target: &(&'static str, String)) {
        let Some(mailbox) = self.mailboxes.get_mut(target) else {
            return;
        };
        let Some(posted) = mailbox.pop_front() else {
            return;
        };
        if mailbox.is_empty() {
            self.mailboxes.remove(target);
        }
        if posted.asked_by.is_some() && self.chance.percent(3) {
            self.try_again(target, posted);
            return;
        }
        let id = posted.asked_by.map(|(_, id)| id);
        // As the log keeps it: asked again, a command hears the same answer.
        let kept = id.and_then(|id| self.refused.get(&id).copied());
        let outcome = match kept {
            Some(refused) => Err(refused),
            None if id.is_some_and(|id| self.done.contains(&id)) => Ok(0),
            None => self.all.handle(posted.at, posted.command),
        };
        if let (Some(id), Err(refused)) = (id, &outcome) {
            self.refused.insert(id, *refused);
        }
        if let Ok(count) = outcome {
            if count > 0 {
                self.done.extend(id);
            }
            let first = self.all.log.len() - count;
            for number in first..self.all.log.len() {
                let event = self.all.log[number].event.clone();
                self.phones_react(&event);
            }
        }
        if let Some((process, id)) = posted.asked_by {
            self.processes[process].answered(id, outcome.map(|_| ()));
        }
    }

    /// The store was away for a moment: tried again, behind the others. Only
    /// what the same process asks of the same call or session keeps its order:
    /// the runner has such a lane for each; a line's lanes are finer.
    fn try_again(&mut self, target: &(&'static str, String), posted: Posted) {
        let mailbox = self.mailboxes.entry(target.clone()).or_default();
        let process = posted.asked_by.map(|(process, _)| process);
        let is_behind = |other: &Posted| other.asked_by.map(|(process, _)| process) == process;
        let place = match target.0 == line::Line::CATEGORY {
            true => None,
            false => mailbox.iter().position(is_behind),
        };
        mailbox.insert(place.unwrap_or(mailbox.len()), posted);
    }

    fn a_process_saves_or_crashes(&mut self) {
        let number = self.chance.below(self.processes.len() as u64) as usize;
        if self.chance.percent(70) {
            self.processes[number].save();
        } else {
            let asked = self.processes[number].crash();
            self.ask(number, asked);
        }
    }

    /// Time passes while things are under way: a moment, or so much that a
    /// store must have been down.
    fn time_passes(&mut self) {
        let most_ms = if self.chance.percent(90) { 20 } else { 20_000 };
        self.now = self.now.plus_ms(self.chance.below(most_ms));
        self.some_phones_wake();
    }

    fn some_phones_wake(&mut self) {
        for command in std::mem::take(&mut self.later) {
            if self.chance.percent(30) {
                self.wire.push(command);
            } else {
                self.later.push(command);
            }
        }
    }

    // ---- stories

    /// Lets everything happen that can happen by itself, without the clock.
    fn run_to_quiet(&mut self) {
        let mut steps = 0;
        loop {
            let pending = self.pending();
            let Some(what) = self.chance.one_of(&pending).cloned() else {
                break;
            };
            self.go_on(what);
            steps += 1;
            assert!(steps < 20_000, "it never comes to rest");
        }
        self.quiet_count += 1;
        self.check_quiet();
        for process in &mut self.processes {
            let repairs = process.sweep(self.now);
            assert_eq!(repairs, vec![], "the sweep found something forgotten");
        }
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        self.processes
            .iter()
            .filter_map(|process| process.next_deadline())
            .min()
    }

    /// A busy hour, then all hang up and every timer runs out.
    fn live(&mut self) {
        for _ in 0..self.terms.steps {
            match self.chance.below(100) {
                0..25 => self.somebody_acts(),
                25..28 if self.terms.crashes => self.a_process_saves_or_crashes(),
                25..30 => {
                    self.run_to_quiet();
                    self.wait();
                }
                _ => {
                    let pending = self.pending();
                    if let Some(what) = self.chance.one_of(&pending).cloned() {
                        self.go_on(what);
                    }
                }
            }
        }
        self.run_to_quiet();
        self.everybody_hangs_up();
        self.run_to_quiet();
        while let Some(due) = self.next_deadline() {
            self.now = self.now.max(due);
            self.run_to_quiet();
        }
        self.check_end();
    }

    /// Nothing is under way: a while passes, or all the time until something is due.
    fn wait(&mut self) {
        let due = self.next_deadline();
        match due {
            Some(due) if self.chance.percent(50) => self.now = self.now.max(due),
            Some(_) | None => self.now = self.now.plus_ms(self.chance.below(10_000)),
        }
        self.some_phones_wake();
    }
}

fn mailbox_id() -> MailboxId {
    MailboxId::named(DEFAULT_TENANT, "mailbox")
}

#[derive(Debug, Clone)]
enum Pending {
    Wire(usize),
    Mailbox((&'static str, String)),
    Read(usize),
    Hear(usize),
    Wake(usize),
}

/// Plays one seed; a failure names it.
fn play(seed: u64, terms: Terms) -> World {
    let outcome = std::panic::catch_unwind(|| {
        let mut world = World::new(seed, terms);
        world.live();
        world
    });
    match outcome {
        Ok(world) => world,
        Err(cause) => {
            eprintln!("seed {seed} with {terms:?}");
            std::panic::resume_unwind(cause)
        }
    }
}

fn small_world(seed: u64, crashes: bool) -> Terms {
    Terms {
        agents: 1 + seed % 4,
        queues: 1 + seed % 3,
        steps: 400,
        crashes,
    }
}

#[test]
fn calls_agents_and_lines_agree_whatever_overtakes_what() {
    let (mut connected, mut left) = (0, 0);
    for seed in 0..300 {
        let world = play(seed, small_world(seed, false));
        assert!(world.quiet_count > 2, "seed {seed} never rested");
        connected += world.count("agent_connected");
        left += world.count("message_left");
    }
    assert!(connected > 300, "the worlds are alive: {connected}");
    assert!(left > 100, "messages are left: {left}");
}

#[test]
fn processes_that_crash_and_read_again_do_no_harm() {
    for seed in 1_000..1_300 {
        play(seed, small_world(seed, true));
    }
}

#[test]
fn a_seed_is_one_story() {
    let story = |seed| play(seed, small_world(seed, true)).all.log;
    assert_eq!(story(42), story(42));
    assert_ne!(story(42), story(43));
}

impl World {
    fn count(&self, event_type: &str) -> usize {
        self.all
            .log
            .iter()
            .filter(|fact| fact.event.event_type() == event_type)
            .count()
    }
}
