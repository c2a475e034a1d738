//! `ringledger simulate`: call centres from seeds, in which everything goes
//! wrong; each fact is checked. A failure prints the world that shows it again.

use sim::{Failure, Mutant, Options, Summary, World, every_story};
use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Instant,
};

/// Worlds in which a planted bug is looked for.
const PLANTED_WORLDS_MAX: u64 = 1_000;

/// What is simulated.
#[derive(Debug, Clone, clap::Args)]
pub struct Simulate {
    /// Calls in all worlds together.
    #[arg(long, default_value_t = 10_000)]
    calls: u64,
    /// The first world's seed; the next worlds have the next ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Calls of one world.
    #[arg(long, default_value_t = 5_000)]
    calls_per_world: u64,
    /// Only the world of this seed, with all the calls: to see a failure again.
    #[arg(long, conflicts_with_all = ["seed", "calls_per_world", "threads"])]
    world: Option<u64>,
    /// Print every step and every fact of that world.
    #[arg(long, requires = "world")]
    trace: bool,
    /// Follow every story of two callers and two agents in which at most so many things
    /// come out of their usual order, or go wrong.
    #[arg(long, conflicts_with_all = ["world", "planted", "seed", "calls", "calls_per_world", "threads"])]
    exhaustive: Option<u32>,
    /// Plant one bug after the other, and tell how long it takes to find each.
    #[arg(long, conflicts_with_all = ["world", "calls", "calls_per_world", "threads"])]
    planted: bool,
    /// Worlds at a time; as many as there are processors when it is not given.
    #[arg(long)]
    threads: Option<usize>,
}

/// Runs the worlds; exit 1 when a rule was broken.
///
/// # Errors
/// When a thread can not be started.
pub fn run(settings: &Simulate) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    if let Some(surprises) = settings.exhaustive {
        return Ok(every(surprises, started));
    }
    if settings.planted {
        return Ok(find_planted(settings.seed));
    }
    let outcome = match settings.world {
        Some(seed) => one(settings, seed),
        None => many(settings),
    };
    match outcome {
        Ok(summary) => {
            report(&summary, started.elapsed().as_millis());
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            tell(&format!(
                "a rule was broken in world {}: {failure}",
                failure.seed
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn every(surprises: u32, started: Instant) -> ExitCode {
    let visited = match every_story(surprises, None) {
        Ok(visited) => visited,
        Err(story) => {
            tell(&format!("a rule was broken: {story}"));
            return ExitCode::FAILURE;
        }
    };
    let lines = [
        ("states", visited.states_count),
        ("stories followed to the end", visited.ended_count),
        (
            "stories that came to a state from which all had been followed",
            visited.merged_count,
        ),
        ("steps", visited.steps_count),
    ];
    for (what, count) in lines {
        tell(&format!("{count:>12}  {what}"));
    }
    tell(&format!(
        "every story with {surprises} surprises at most, took {} ms, no rule was broken",
        started.elapsed().as_millis()
    ));
    ExitCode::SUCCESS
}

/// Exit 1 when one was not found.
fn find_planted(seed: u64) -> ExitCode {
    let mut all = ExitCode::SUCCESS;
    for mutant in Mutant::ALL {
        let started = Instant::now();
        let found = mutant.hunt(seed, PLANTED_WORLDS_MAX);
        let took_ms = started.elapsed().as_millis();
        let bug = format!("{mutant:?}");
        match found {
            Some(found) => tell(&format!(
                "{bug:20} world {:>4}, {:>5} calls, {took_ms:>6} ms",
                found.failure.seed, found.calls_count
            )),
            None => {
                tell(&format!("{bug:20} was not found in {took_ms} ms"));
                all = ExitCode::FAILURE;
            }
        }
    }
    all
}

fn one(settings: &Simulate, seed: u64) -> Result<Summary, Failure> {
    let mut options = Options::new(seed, settings.calls);
    options.trace = settings.trace;
    let (outcome, trace) = World::new(options).live_traced();
    for line in trace {
        tell(&line);
    }
    outcome
}

/// Worlds are independent: any thread takes the next one. The sum is in the
/// order of the seeds, so that it does not depend on who was faster.
fn many(settings: &Simulate) -> Result<Summary, Failure> {
    let size = settings.calls_per_world.max(1);
    let worlds = settings.calls.div_ceil(size);
    let threads = settings
        .threads
        .or_else(|| std::thread::available_parallelism().ok().map(Into::into))
        .unwrap_or(1);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        let mut lived = vec![];
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= worlds {
                break;
            }
            let calls = size.min(settings.calls - number * size);
            let outcome = World::new(Options::new(settings.seed + number, calls)).live();
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            lived.push((number, outcome.map(|(summary, _)| summary)));
        }
        lived
    };
    let mut lived: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("a world returns what it finds wrong"))
            .collect()
    });
    lived.sort_by_key(|(number, _)| *number);
    lived
        .into_iter()
        .try_fold(Summary::default(), |sum, (_, outcome)| {
            Ok(sum.plus(outcome?))
        })
}

fn report(summary: &Summary, took_ms: u128) {
    for (what, count) in people(summary).into_iter().chain(machines(summary)) {
        tell(&format!("{count:>12}  {what}"));
    }
    tell(&format!(
        "digest {:016x}, took {took_ms} ms, no rule was broken",
        summary.digest
    ));
}

/// A line of the report.
type Line = (&'static str, u64);

/// What callers, agents and supervisors did.
const fn people(summary: &Summary) -> [Line; 19] {
    [
        (
            "calls received, each ended once with one record",
            summary.calls_count,
        ),
        ("calls connected to an agent", summary.connected_count),
        (
            "assignments of agents, each ended once",
            summary.assignments_count,
        ),
        ("stays at a place from a call before", summary.resumed_count),
        (
            "stays at the place of the one before, in another queue",
            summary.moved_count,
        ),
        ("stays that ended by a key", summary.exits_count),
        (
            "calls that a supervisor sent into another queue",
            summary.requeued_count,
        ),
        (
            "calls not let in outside a queue's hours",
            summary.closed_count,
        ),
        (
            "of those, calls to a queue that a person had closed",
            summary.closed_by_hand_count,
        ),
        (
            "agents whom a supervisor paused in a queue",
            summary.paused_count,
        ),
        (
            "waiting calls that a supervisor meant for one agent",
            summary.assigned_count,
        ),
        (
            "agents not ready after offers in vain",
            summary.too_many_count,
        ),
        (
            "works after calls that ended with a word for it",
            summary.words_count,
        ),
        (
            "times that a supervisor forced a state",
            summary.forced_count,
        ),
        (
            "callers whom a supervisor took out of their queue",
            summary.withdrawn_count,
        ),
        (
            "phones that rang and were told to answer",
            summary.ordered_count,
        ),
        (
            "calls that a supervisor took from their agent",
            summary.taken_count,
        ),
        (
            "times that an agent sent a caller into another queue",
            summary.transferred_count,
        ),
        (
            "calls not let in, sent on or ended as nobody was there",
            summary.nobody_there_count,
        ),
    ]
}

/// What was promised, kept and written, and what went wrong with the machines.
const fn machines(summary: &Summary) -> [Line; 10] {
    [
        (
            "promises to ring somebody back, each ended once",
            summary.promised_count,
        ),
        ("promises that were kept", summary.kept_count),
        ("messages left in a mailbox", summary.messages_count),
        (
            "calls placed for them, each ended once with one record",
            summary.placed_count,
        ),
        ("facts, each checked", summary.facts_count),
        ("steps", summary.steps_count),
        (
            "comparisons of everything with nothing under way",
            summary.quiet_count,
        ),
        ("crashes of processes", summary.crashes_count),
        (
            "commands that met a conflict or an outage",
            summary.conflicts_count,
        ),
        ("simulated seconds", summary.lasted_ms / 1_000),
    ]
}

#[allow(clippy::print_stdout, reason = "the command line speaks to a person")]
fn tell(line: &str) {
    println!("{line}");
}
