//! A small world in one state, and what can come next.

use super::{
    fingerprint,
    people::{AGENTS, Act, People, QUEUE, Whim, config, queue},
};
use crate::{
    action::{Posted, Target},
    ledger::Ledger,
    mutant::Mutant,
    runner::{Asked, Runs},
    streams::{Everything, Refused},
    violation::{Violation, must},
    world::all_processes,
};
use domain::{
    agent,
    any::AnyCommand,
    id::{AgentId, CommandId, DEFAULT_TENANT},
    queue as queues,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// 2027-01-15, 08:00 UTC.
const START_MICROS: i64 = 1_800_000_000_000_000;
/// A story that needs more steps never comes to rest.
const STEPS_MAX: u64 = 1_000;

/// Facts that are written while something is held back.
const HELD_FACTS_MAX: u64 = 30;

/// What goes forward by itself, and can be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mover {
    Process(usize),
    Stream(Target),
    Person(Act),
    Timer,
}

/// What usually does not come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Surprise {
    /// It goes before the others.
    First(Mover),
    /// It rests until a timer has fired and nothing is left to do but to wait for the
    /// next one, or so many facts were written.
    Last(Mover),
    /// The process starts from its row of the beginning and reads all again.
    Crash(usize),
    /// Somebody else wrote first: the command is decided behind the others.
    Conflict(Target),
    /// The phone does not want the call.
    Refuse(Act),
    Whim(Whim),
}

/// A command in a mailbox, and its fingerprint.
type Letter = (Posted, u64);

#[derive(Clone)]
pub(super) struct Small {
    mutant: Option<Mutant>,
    now: Timestamp,
    all: Everything,
    runners: Vec<Box<dyn Runs>>,
    mailboxes: BTreeMap<Target, VecDeque<Letter>>,
    /// The stream that decided last.
    served: Option<Target>,
    done: BTreeMap<CommandId, Result<u64, Refused>>,
    people: People,
    ledger: Ledger,
    held: BTreeSet<Mover>,
    /// Head of the log at which it goes on in any case.
    held_to: u64,
    /// A timer has fired while something was held back.
    is_late: bool,
    steps: u64,
    /// Fingerprints of the runners, of each fact in the log, of all facts whatever
    /// their order, and of the answers.
    prints: Vec<u64>,
    facts: Vec<u64>,
    facts_sum: u64,
    done_sum: u64,
}

impl Small {
    /// Before anybody does anything; all processes know who is there.
    pub(super) fn new(mutant: Option<Mutant>) -> Result<Self, Violation> {
        let runners = all_processes();
        let mut world = Self {
            mutant,
            now: Timestamp::from_micros(START_MICROS),
            all: Everything::default(),
            prints: vec![0; runners.len()],
            runners,
            mailboxes: BTreeMap::new(),
            served: None,
            done: BTreeMap::new(),
            people: People::start(),
            ledger: Ledger::default(),
            held: BTreeSet::new(),
            held_to: 0,
            is_late: false,
            steps: 0,
            facts: vec![],
            facts_sum: 0,
            done_sum: 0,
        };
        world.provision()?;
        for number in 0..world.runners.len() {
            while world.runners[number].position() < world.all.log.head() {
                world.read(number);
            }
            world.runners[number].save();
            world.prints[number] = world.runners[number].fingerprint();
        }
        Ok(world)
    }

    fn provision(&mut self) -> Result<(), Violation> {
        let create = queues::Command::Create {
            name: QUEUE.into(),
            config: config(),
        };
        let mut commands = vec![AnyCommand::Queue(queue(), create)];
        for name in AGENTS {
            let config = agent::Config {
                display_name: None,
                skills: vec![],
                places: vec![],
                queues: vec![queue()],
                ready_on_register: false,
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                capacity: 1,
            };
            let name = name.to_owned();
            let id = AgentId::named(DEFAULT_TENANT, &name);
            commands.push(AnyCommand::Agent(
                id,
                agent::Command::Create { name, config },
            ));
        }
        for command in commands {
            let outcome = self.all.handle(self.now, command, None);
            must(outcome.is_ok(), || format!("provisioning: {outcome:?}"))?;
        }
        self.hear_news()
    }

    pub(super) const fn steps(&self) -> u64 {
        self.steps
    }

    // ---- what can come next

    /// All that could go forward, in the usual order.
    fn movers(&self) -> Vec<Mover> {
        let head = self.all.log.head();
        let runners = self.runners.iter().enumerate();
        let processes = runners
            .filter(|(_, runner)| runner.position() < head || runner.has_answers())
            .map(|(number, _)| Mover::Process(number));
        // In turn: where two processes argue, the others get on, too.
        let after = |target: &&Target| Some(**target) > self.served;
        let before = |target: &&Target| Some(**target) <= self.served;
        let turns = self.mailboxes.keys().filter(after);
        let turns = turns.chain(self.mailboxes.keys().filter(before));
        let streams = turns.map(|target| Mover::Stream(*target));
        let people = self.people.acts.iter().map(|act| Mover::Person(*act));
        let mut movers: Vec<_> = processes.chain(streams).chain(people).collect();
        if self.timer().is_some() {
            movers.push(Mover::Timer);
        }
        movers.retain(|mover| !self.held.contains(mover));
        movers
    }

    /// The timer that fires first, and whose.
    fn timer(&self) -> Option<(Timestamp, usize)> {
        let runners = self.runners.iter().enumerate();
        let timers = runners.filter_map(|(number, runner)| {
            let stops = |mutant: Mutant| mutant.stops_timer(runner.name());
            let is_off =
                self.held.contains(&Mover::Process(number)) || self.mutant.is_some_and(stops);
            let due = runner.next_deadline().filter(|_| !is_off)?;
            Some((due, number))
        });
        timers.min()
    }

    /// Whatever could come instead of the usual.
    pub(super) fn surprises(&self) -> Vec<Surprise> {
        let movers = self.movers();
        let mut surprises: Vec<_> = movers
            .iter()
            .skip(1)
            .copied()
            .map(Surprise::First)
            .collect();
        for mover in &movers {
            match mover {
                Mover::Process(_) | Mover::Stream(_) => surprises.push(Surprise::Last(*mover)),
                Mover::Person(act) => {
                    surprises.push(Surprise::Last(*mover));
                    if let Act::PickUp(..) | Act::Answer(..) = act {
                        surprises.push(Surprise::Refuse(*act));
                    }
                }
                Mover::Timer => {}
            }
        }
        let crowded = self
            .mailboxes
            .iter()
            .filter(|(_, letters)| letters.len() > 1);
        surprises.extend(crowded.map(|(target, _)| Surprise::Conflict(*target)));
        surprises.extend(self.people.whims.iter().copied().map(Surprise::Whim));
        surprises.extend((0..self.runners.len()).map(Surprise::Crash));
        surprises
    }

    /// What comes next if nothing is in its way; false when nothing can.
    pub(super) fn usual(&mut self) -> Result<bool, Violation> {
        let mut movers = self.movers();
        let only_waits = matches!(movers.first(), Some(Mover::Timer) | None);
        let is_late = only_waits && (self.is_late || movers.is_empty());
        if !self.held.is_empty() && (is_late || self.all.log.head() >= self.held_to) {
            self.held.clear();
            self.is_late = false;
            movers = self.movers();
        }
        let Some(first) = movers.first().copied() else {
            self.ledger.check_end()?;
            return Ok(false);
        };
        self.moves(first)?;
        self.done_one()?;
        Ok(true)
    }

    pub(super) fn surprise(&mut self, surprise: Surprise) -> Result<(), Violation> {
        match surprise {
            Surprise::First(mover) => self.moves(mover)?,
            Surprise::Last(mover) => {
                self.held.insert(mover);
                self.held_to = self.all.log.head() + HELD_FACTS_MAX;
            }
            Surprise::Crash(number) => {
                let position = self.runners[number].position();
                let asked = self.runners[number].crash()?;
                self.ask(number, asked);
                while self.runners[number].position() < position {
                    self.read(number);
                }
                self.skip(number);
            }
            Surprise::Conflict(target) => {
                if let Some(letters) = self.mailboxes.get_mut(&target) {
                    letters.rotate_left(1);
                }
            }
            Surprise::Refuse(act) => {
                let command = self.people.refuses(act);
                command
                    .into_iter()
                    .for_each(|command| self.post(command, None));
            }
            Surprise::Whim(whim) => {
                let command = self.people.follows(whim);
                command
                    .into_iter()
                    .for_each(|command| self.post(command, None));
            }
        }
        self.done_one()
    }

    fn done_one(&mut self) -> Result<(), Violation> {
        self.steps += 1;
        must(self.steps < STEPS_MAX, || {
            "the story never comes to rest".into()
        })?;
        if let Some(violation) = self.runners.iter().find_map(|runner| runner.violation()) {
            return Err(violation.clone());
        }
        let head = self.all.log.head();
        let is_quiet = self.held.is_empty()
            && self.mailboxes.is_empty()
            && self.timer().is_none_or(|(due, _)| due > self.now)
            && self.runners.iter().all(|runner| {
                runner.position() == head && runner.is_idle() && !runner.has_answers()
            });
        if is_quiet {
            self.ledger.check_quiet(self.now)?;
        }
        Ok(())
    }

    // ---- steps

    fn moves(&mut self, mover: Mover) -> Result<(), Violation> {
        match mover {
            Mover::Process(number) => {
                if self.runners[number].has_answers() {
                    let asked = self.runners[number].hear_one(self.now);
                    self.ask(number, asked);
                } else {
                    self.read(number);
                }
                self.skip(number);
                Ok(())
            }
            Mover::Stream(target) => self.deliver(target),
            Mover::Person(act) => {
                if let Act::PickUp(_, leg) = act {
                    self.ledger.picked_up(leg);
                }
                if act == Act::Dial(2) {
                    self.now = self.now.plus_ms(1_000);
                }
                let command = self.people.does(act);
                self.post(command, None);
                Ok(())
            }
            Mover::Timer => {
                self.is_late = !self.held.is_empty();
                if let Some((due, number)) = self.timer() {
                    self.now = self.now.max(due);
                    let asked = self.runners[number].wake(self.now);
                    self.ask(number, asked);
                    self.skip(number);
                }
                Ok(())
            }
        }
    }

    fn read(&mut self, number: usize) {
        let asked = self.runners[number].read_one(&self.all.log, self.mutant);
        self.ask(number, asked);
    }

    /// Facts that are nothing to the process are read at once: when it reads them
    /// makes no difference.
    fn skip(&mut self, number: usize) {
        self.runners[number].skip(&self.all.log, self.mutant);
        self.prints[number] = self.runners[number].fingerprint();
    }

    fn ask(&mut self, number: usize, asked: Vec<Asked>) {
        for (id, command) in asked {
            self.post(command, Some((number, id)));
        }
    }

    fn post(&mut self, command: AnyCommand, asked_by: Option<(usize, CommandId)>) {
        let target = Target::of(&command);
        let print = fingerprint(&(&command, &asked_by));
        let posted = Posted {
            command,
            at: self.now,
            asked_by,
        };
        let mailbox = self.mailboxes.entry(target).or_default();
        mailbox.push_back((posted, print));
    }

    /// The first command of the mailbox is decided and committed, at that moment.
    fn deliver(&mut self, target: Target) -> Result<(), Violation> {
        let Some(letters) = self.mailboxes.get_mut(&target) else {
            return Ok(());
        };
        let Some((posted, _)) = letters.pop_front() else {
            return Ok(());
        };
        self.served = Some(target);
        if letters.is_empty() {
            self.mailboxes.remove(&target);
        }
        let id = posted.asked_by.map(|(_, id)| id);
        let kept = id.and_then(|id| self.done.get(&id).copied());
        let outcome =
            kept.unwrap_or_else(|| self.all.handle(self.now, posted.command, self.mutant));
        if let Some(id) = id.filter(|_| kept.is_none() && outcome != Ok(0)) {
            self.done.insert(id, outcome);
            self.done_sum = self.done_sum.wrapping_add(fingerprint(&(id, outcome)));
        }
        if let Some((runner, id)) = posted.asked_by {
            self.runners[runner].answered(id, outcome.map(|_| ()));
            self.prints[runner] = self.runners[runner].fingerprint();
        }
        let head = self.facts.len() as u64;
        self.hear_news()?;
        for number in 0..self.runners.len() {
            // Others have something before it that they have not read.
            if self.runners[number].position() == head {
                self.skip(number);
            }
        }
        Ok(())
    }

    fn hear_news(&mut self) -> Result<(), Violation> {
        while let Some(fact) = self.all.log.get(self.facts.len() as u64 + 1) {
            self.ledger.note(fact)?;
            self.people.hear(fact);
            let print = fingerprint(&(fact.event_id, fact.at, &fact.event));
            self.facts.push(print);
            self.facts_sum = self.facts_sum.wrapping_add(print);
        }
        Ok(())
    }

    // ---- the state

    /// Of everything that decides what can come next. Streams follow from their
    /// facts; in which order streams were written matters to who has not read it.
    pub(super) fn fingerprint(&self) -> u64 {
        let unread: Vec<_> = self
            .runners
            .iter()
            .map(|runner| {
                let read = usize::try_from(runner.position()).unwrap_or(0);
                self.facts.get(read..).unwrap_or_default()
            })
            .collect();
        let letters: Vec<_> = self
            .mailboxes
            .iter()
            .map(|(target, letters)| {
                let prints: Vec<_> = letters.iter().map(|(_, print)| print).collect();
                (target, prints)
            })
            .collect();
        // Of no meaning when nothing is held back.
        let held_to = match self.held.is_empty() {
            true => 0,
            false => self.held_to,
        };
        fingerprint(&(
            (self.now, self.facts_sum, self.done_sum),
            (&self.prints, unread),
            (self.served, letters),
            (&self.people, &self.held, held_to, self.is_late),
        ))
    }
}
