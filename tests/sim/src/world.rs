//! A world: the calendar is worked off, one thing after the other.

mod checks;
mod delivery;
mod doors;
mod provision;
mod terms;

use crate::{
    action::{Action, Posted, Target},
    calendar::Calendar,
    chance::Chance,
    ledger::Ledger,
    options::{Options, Terms},
    people::{MS, People},
    readers::Readers,
    runner::{Asked, Runner, Runs},
    streams::{Everything, Refused},
    violation::{Failure, Violation},
};
use domain::{
    id::CommandId,
    process::{
        callback::CallbackProcess, dial::Dial, enqueue::Enqueue, offer::OfferProcess,
        recovery::Recovery, registration::Registration, routing::Routing,
        voicemail::VoicemailProcess, wrap_up::WrapUp,
    },
    time::Timestamp,
};
use std::collections::{BTreeMap, VecDeque};

/// How long the answers of commands are remembered, in
/// microseconds; nobody asks again for anything older.
const DONE_MICROS: u64 = 3_600_000 * MS;

/// What came of a world that kept all the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Calls received, each ended once, with one record.
    pub calls_count: u64,
    /// Calls that an agent was connected to.
    pub connected_count: u64,
    /// Reservations of agents, each ended once.
    pub assignments_count: u64,
    /// Stays that began at a place from a call before.
    pub resumed_count: u64,
    /// Stays that began at the place of the stay before, in another queue.
    pub moved_count: u64,
    /// Stays that ended by a key.
    pub exits_count: u64,
    /// Stays that ended as a supervisor sent the call into another queue.
    pub requeued_count: u64,
    /// Stays that were older than their queue allows.
    pub expired_count: u64,
    /// Calls that were sent on as they would have waited too long.
    pub sent_ahead_count: u64,
    /// Calls that a queue did not let in outside its hours.
    pub closed_count: u64,
    /// Calls that were not let in, sent on or ended, as nobody was there.
    pub nobody_there_count: u64,
    /// Of those, the ones that came when a person had closed the queue by hand.
    pub closed_by_hand_count: u64,
    /// Waiting calls that a supervisor meant for one agent.
    pub assigned_count: u64,
    /// Agents whom a supervisor paused in a queue.
    pub paused_count: u64,
    /// Agents who were not ready any more after offers in vain.
    pub too_many_count: u64,
    /// Agents who had a call already and were asked for one more.
    pub beside_count: u64,
    /// Works after calls that ended with a word that a queue asks for.
    pub words_count: u64,
    /// Times that a supervisor forced what an agent is.
    pub forced_count: u64,
    /// Callers whom a supervisor took out of their queue.
    pub withdrawn_count: u64,
    /// Phones that rang and were told to answer.
    pub ordered_count: u64,
    /// Calls that a supervisor took from their agent.
    pub taken_count: u64,
    /// Times that an agent sent a caller into another queue.
    pub transferred_count: u64,
    /// Promises to ring somebody back, each of which ended once.
    pub promised_count: u64,
    /// Promises by which the person was reached.
    pub kept_count: u64,
    /// Messages that were left in a mailbox.
    pub messages_count: u64,
    /// Calls that were placed for them.
    pub placed_count: u64,
    /// Facts on the log.
    pub facts_count: u64,
    /// Things that happened.
    pub steps_count: u64,
    /// Times that nothing was under way, and all was compared.
    pub quiet_count: u64,
    /// Processes that crashed and read again.
    pub crashes_count: u64,
    /// Commands that found the store away or somebody else's write.
    pub conflicts_count: u64,
    /// The world's time, in milliseconds.
    pub lasted_ms: u64,
    /// Folded over everything that happened, in order.
    pub digest: u64,
}

impl Summary {
    /// Both together; the digest is of this order.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls_count: self.calls_count + other.calls_count,
            connected_count: self.connected_count + other.connected_count,
            assignments_count: self.assignments_count + other.assignments_count,
            resumed_count: self.resumed_count + other.resumed_count,
            moved_count: self.moved_count + other.moved_count,
            exits_count: self.exits_count + other.exits_count,
            requeued_count: self.requeued_count + other.requeued_count,
            expired_count: self.expired_count + other.expired_count,
            sent_ahead_count: self.sent_ahead_count + other.sent_ahead_count,
            closed_count: self.closed_count + other.closed_count,
            nobody_there_count: self.nobody_there_count + other.nobody_there_count,
            closed_by_hand_count: self.closed_by_hand_count + other.closed_by_hand_count,
            assigned_count: self.assigned_count + other.assigned_count,
            paused_count: self.paused_count + other.paused_count,
            too_many_count: self.too_many_count + other.too_many_count,
            beside_count: self.beside_count + other.beside_count,
            words_count: self.words_count + other.words_count,
            forced_count: self.forced_count + other.forced_count,
            withdrawn_count: self.withdrawn_count + other.withdrawn_count,
            ordered_count: self.ordered_count + other.ordered_count,
            taken_count: self.taken_count + other.taken_count,
            transferred_count: self.transferred_count + other.transferred_count,
            promised_count: self.promised_count + other.promised_count,
            kept_count: self.kept_count + other.kept_count,
            messages_count: self.messages_count + other.messages_count,
            placed_count: self.placed_count + other.placed_count,
            facts_count: self.facts_count + other.facts_count,
            steps_count: self.steps_count + other.steps_count,
            quiet_count: self.quiet_count + other.quiet_count,
            crashes_count: self.crashes_count + other.crashes_count,
            conflicts_count: self.conflicts_count + other.conflicts_count,
            lasted_ms: self.lasted_ms + other.lasted_ms,
            digest: mix(self.digest, other.digest),
        }
    }
}

/// FNV-1a over whole words.
const fn mix(digest: u64, word: u64) -> u64 {
    (digest ^ word).wrapping_mul(0x0000_0100_0000_01b3)
}

/// One call centre.
pub struct World {
    options: Options,
    terms: Terms,
    chance: Chance,
    calendar: Calendar,
    all: Everything,
    runners: Vec<Box<dyn Runs>>,
    /// What is on the calendar for each runner: read, hear, and when to wake.
    planned: Vec<Planned>,
    /// How far each node's clock is off, in microseconds.
    offsets: Vec<i64>,
    mailboxes: BTreeMap<Target, VecDeque<Posted>>,
    /// Commands of processes on their way to a mailbox.
    under_way_count: u64,
    store_is_back: u64,
    /// Answers of commands that had an effect or were refused: asked again, a
    /// command hears the same.
    done: BTreeMap<CommandId, Result<u64, Refused>>,
    done_order: VecDeque<(u64, CommandId)>,
    people: People,
    ledger: Ledger,
    readers: Readers,
    /// Facts that people, ledger and read models have heard.
    heard: u64,
    summary: Summary,
    trace: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Planned {
    read: bool,
    hear: bool,
    wake: Option<Timestamp>,
}

/// Those of one node that a caller's way to an agent needs, at the beginning.
pub(crate) fn processes() -> Vec<Box<dyn Runs>> {
    vec![
        Box::new(Runner::<Enqueue>::new()),
        Box::new(Runner::<Routing>::new()),
        Box::new(Runner::<OfferProcess>::new()),
        Box::new(Runner::<WrapUp>::new()),
        Box::new(Runner::<Registration>::new()),
        Box::new(Runner::<Recovery>::new()),
    ]
}

/// All of one node.
pub(crate) fn all_processes() -> Vec<Box<dyn Runs>> {
    let mut all = processes();
    all.push(Box::new(Runner::<CallbackProcess>::new()));
    all.push(Box::new(Runner::<Dial>::new()));
    all.push(Box::new(Runner::<VoicemailProcess>::new()));
    all
}

impl World {
    /// How many processes one node has: each node has the clock of its own.
    fn processes_of_one(&self) -> usize {
        (self.runners.len() / self.terms.nodes).max(1)
    }

    /// A world in which nothing has happened yet.
    pub fn new(options: Options) -> Self {
        let root = Chance::new(options.seed);
        let terms = Terms::draw(&options, &mut root.split(10));
        let (queues, agents) = provision::names(&terms);
        let runners: Vec<_> = (0..terms.nodes).flat_map(|_| all_processes()).collect();
        Self {
            options,
            terms,
            chance: root.split(11),
            calendar: Calendar::new(root.split(12)),
            all: Everything::default(),
            planned: vec![Planned::default(); runners.len()],
            runners,
            offsets: vec![0; terms.nodes],
            mailboxes: BTreeMap::new(),
            under_way_count: 0,
            store_is_back: 0,
            done: BTreeMap::new(),
            done_order: VecDeque::new(),
            people: People::new(terms, &root, queues, agents),
            ledger: Ledger::default(),
            readers: Readers::default(),
            heard: 0,
            summary: Summary::default(),
            trace: vec![],
        }
    }

    /// Lives the whole day.
    ///
    /// # Errors
    /// The first rule that was broken, and the seed that shows it again.
    pub fn live(self) -> Result<(Summary, Vec<String>), Failure> {
        let (outcome, trace) = self.live_traced();
        outcome.map(|summary| (summary, trace))
    }

    /// Lives the day, or the part of it until a rule is broken; tells what
    /// happened, if the options ask for that.
    pub fn live_traced(mut self) -> (Result<Summary, Failure>, Vec<String>) {
        let outcome = match self.days_work() {
            Ok(()) => Ok(self.summary),
            Err(violation) => Err(self.failure(violation)),
        };
        (outcome, self.trace)
    }

    /// Lives the whole day; the facts of it, if the options keep them.
    ///
    /// # Errors
    /// The first rule that was broken, and the seed that shows it again.
    pub fn live_and_tell(mut self) -> Result<Vec<domain::any::Fact>, Failure> {
        match self.days_work() {
            Ok(()) => Ok(self.all.log.iter().cloned().collect()),
            Err(violation) => Err(self.failure(violation)),
        }
    }

    fn failure(&self, violation: Violation) -> Failure {
        Failure {
            seed: self.options.seed,
            calls: self.options.calls,
            received_count: self.ledger.calls.received_count,
            step: self.summary.steps_count,
            at: self.wall(0),
            violation,
        }
    }

    fn days_work(&mut self) -> Result<(), Violation> {
        self.provision()?;
        for (micros, action) in self.people.start() {
            self.calendar.after(micros, action);
        }
        self.plan_faults();
        while let Some(action) = self.calendar.next() {
            self.summary.steps_count += 1;
            self.note_step(&action);
            self.carry_out(action)?;
            self.plan_runners();
            self.check_step()?;
            if self.is_quiet() {
                self.check_quiet()?;
            }
        }
        self.summary.lasted_ms = self.calendar.now() / MS;
        self.check_end()
    }

    fn carry_out(&mut self, action: Action) -> Result<(), Violation> {
        match action {
            Action::Person(plan) => {
                if let crate::action::Plan::PickUp(_, leg, _) = plan {
                    self.ledger.picked_up(leg);
                }
                let plans = self.people.act(plan, self.wall(0), &self.all);
                self.plan(plans);
            }
            Action::Arrive(posted) => self.arrive(*posted),
            Action::Deliver(target) => self.deliver(target)?,
            Action::Read(number) => self.read(number),
            Action::Hear(number) => {
                self.planned[number].hear = false;
                let now = self.wall_of(number);
                let asked = self.runners[number].hear_one(now);
                self.ask(number, asked);
            }
            Action::Wake(number) => self.wake(number),
            Action::Save(number) => {
                self.runners[number].save();
                self.again(Action::Save(number), 5_000);
            }
            Action::Crash(number) => {
                self.summary.crashes_count += 1;
                let asked = self.runners[number].crash()?;
                self.ask(number, asked);
                self.again(Action::Crash(number), 120_000);
            }
            Action::Outage => {
                let lasts = self.chance.below(4_000) * MS;
                self.store_is_back = self.calendar.now() + lasts;
                self.again(Action::Outage, 180_000);
            }
            Action::StepClock => {
                let node = self.chance.below(self.offsets.len() as u64) as usize;
                self.offsets[node] = self.chance.below(6_000_000) as i64 - 3_000_000;
                self.planned
                    .iter_mut()
                    .for_each(|planned| planned.wake = None);
                self.again(Action::StepClock, 400_000);
            }
            Action::Evict(call) => {
                self.all.calls.evict(call);
                if !self.options.rebuild {
                    self.readers.forget(call);
                }
            }
        }
        Ok(())
    }

    fn plan(&mut self, plans: Vec<(u64, Action)>) {
        for (micros, action) in plans {
            self.calendar.after(micros, action);
        }
    }

    // ---- faults

    fn plan_faults(&mut self) {
        for number in 0..self.runners.len() {
            self.again(Action::Save(number), 5_000);
            if self.terms.faults {
                self.again(Action::Crash(number), 120_000);
            }
        }
        if self.terms.faults {
            self.again(Action::Outage, 180_000);
            self.again(Action::StepClock, 400_000);
        }
    }

    /// Once more, after so long on average, while the day lasts.
    fn again(&mut self, action: Action, mean_ms: u64) {
        if !self.people.is_closing() {
            let wait = self.chance.exponential(mean_ms) * MS;
            self.calendar.after(wait, action);
        }
    }

    // ---- time

    /// What the node's clock shows.
    fn wall(&self, node: usize) -> Timestamp {
        let offset = self.offsets.get(node).copied().unwrap_or(0);
        let passed = i64::try_from(self.calendar.now()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.terms.start_micros + passed + offset)
    }

    fn wall_of(&self, runner: usize) -> Timestamp {
        self.wall(runner / self.processes_of_one())
    }

    /// The clock that is most behind: by that one nothing is overdue early.
    fn earliest_wall(&self) -> Timestamp {
        (0..self.offsets.len())
            .map(|node| self.wall(node))
            .min()
            .unwrap_or_default()
    }

    // ---- the story so far

    fn note_step(&mut self, action: &Action) {
        let kind = match action {
            Action::Person(_) => 1,
            Action::Arrive(_) => 2,
            Action::Deliver(_) => 3,
            Action::Read(number) => 100 + *number as u64,
            Action::Hear(number) => 200 + *number as u64,
            Action::Wake(number) => 300 + *number as u64,
            Action::Save(number) => 400 + *number as u64,
            Action::Crash(number) => 500 + *number as u64,
            Action::Outage => 4,
            Action::StepClock => 5,
            Action::Evict(_) => 6,
        };
        let digest = mix(self.summary.digest, self.calendar.now());
        self.summary.digest = mix(digest, kind ^ (self.all.log.head() << 16));
        if self.options.trace {
            let line = format!("{} {action:?}", self.calendar.now());
            self.trace.push(line);
        }
    }

    fn ask(&mut self, runner: usize, asked: Vec<Asked>) {
        for (id, command) in asked {
            let posted = Posted {
                command,
                at: self.wall_of(runner),
                asked_by: Some((runner, id)),
            };
            self.post(posted);
        }
    }
}
