//! Small worlds, and all that can happen in them: two callers, two agents, one queue
//! that rings back. What comes next is chosen: the usual, or a surprise. Every story
//! with at most so many surprises is followed to its end, at every point at which
//! each can come; two stories that lead to the same state are followed once.
//!
//! The usual: processes read and hear at once, then the commands are decided, then
//! people act, then the earliest timer fires. A surprise: anything else goes first;
//! one process, stream or person is held back until a timer has fired; a process crashes and reads all again from its row of the beginning; a
//! command meets a conflict and goes to the end; a caller gives up or presses the
//! key, a phone refuses, an agent pauses or leaves.
//!
//! Time stands still but for timers and the second caller, so that orders that come
//! to the same are seen to.

mod fingerprint;
mod people;
mod world;

use crate::{Mutant, violation::Violation};
pub(crate) use fingerprint::fingerprint;
use std::{collections::HashMap, fmt};
use world::{Small, Surprise};

/// What was visited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Visited {
    /// States that differ in what can come next.
    pub states_count: u64,
    /// Stories that were followed to the end of the day.
    pub ended_count: u64,
    /// Stories that came to a state from which all had been followed.
    pub merged_count: u64,
    /// Steps in all of them.
    pub steps_count: u64,
}

/// A story in which a rule was broken.
#[derive(Debug, Clone)]
pub struct Story {
    /// Its surprises, each after so many steps.
    surprises: Vec<(u64, Surprise)>,
    /// Steps until then.
    steps: u64,
    violation: Violation,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "after {} steps, of which unusual:", self.steps)?;
        for (step, surprise) in &self.surprises {
            writeln!(f, "  {step}: {surprise:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Story {}

/// Follows every story with at most so many surprises.
///
/// # Errors
/// The first in which a rule is broken.
pub fn every_story(surprises: u32, mutant: Option<Mutant>) -> Result<Visited, Box<Story>> {
    let mut search = Search::default();
    let start = Small::new(mutant).map_err(|violation| {
        Box::new(Story {
            surprises: vec![],
            steps: 0,
            violation,
        })
    })?;
    search.follow(&start, surprises)?;
    search.visited.states_count = search.seen.len() as u64;
    Ok(search.visited)
}

#[derive(Default)]
struct Search {
    /// Surprises that were left when a state was come to, at most.
    seen: HashMap<u64, u32>,
    visited: Visited,
    trail: Vec<(u64, Surprise)>,
}

impl Search {
    /// The usual story from there, then what else could have come on its way.
    fn follow(&mut self, start: &Small, left: u32) -> Result<(), Box<Story>> {
        let mut world = start.clone();
        let mut news = vec![];
        loop {
            let key = world.fingerprint();
            let best = self.seen.get(&key).copied();
            let is_new = best.is_none_or(|best| best < left);
            if !is_new {
                self.visited.merged_count += 1;
                break;
            }
            self.seen.insert(key, left);
            news.push(world.steps());
            if !self.go(&mut world, None)? {
                self.visited.ended_count += 1;
                break;
            }
        }
        if left == 0 {
            return Ok(());
        }
        let mut world = start.clone();
        for step in news {
            while world.steps() < step {
                self.go(&mut world, None)?;
            }
            for surprise in world.surprises() {
                let mut other = world.clone();
                self.trail.push((step, surprise));
                self.go(&mut other, Some(surprise))?;
                self.follow(&other, left - 1)?;
                self.trail.pop();
            }
        }
        Ok(())
    }

    /// One step; false at the end of the day.
    fn go(&mut self, world: &mut Small, surprise: Option<Surprise>) -> Result<bool, Box<Story>> {
        self.visited.steps_count += 1;
        let went = match surprise {
            Some(surprise) => world.surprise(surprise).map(|()| true),
            None => world.usual(),
        };
        went.map_err(|violation| {
            Box::new(Story {
                surprises: self.trail.clone(),
                steps: world.steps(),
                violation,
            })
        })
    }
}
