//! Runs one process as the real runner does: events in order, one command on
//! its way in each lane, answers when they come, its row saved now and then,
//! and what it had asked for asked again after a crash.

use crate::{
    log::Log, mutant::Mutant, order::Order, small::fingerprint, streams::Refused,
    violation::Violation,
};
use commands::lanes::{Lanes, lane_of};
use domain::{
    any::AnyCommand,
    id::CommandId,
    process::{Input, Intent, Process, command_id, routing::Routing},
    time::Timestamp,
};
use std::collections::{BTreeMap, VecDeque};

/// A command of a process, under its id.
pub(crate) type Asked = (CommandId, AnyCommand);

/// A process of any kind.
pub(crate) trait Runs {
    fn name(&self) -> &'static str;
    fn position(&self) -> u64;
    /// Position up to which the saved row has read.
    fn saved_position(&self) -> u64;
    fn has_answers(&self) -> bool;
    /// Nothing that it asked for is on its way.
    fn is_idle(&self) -> bool;
    fn next_deadline(&self) -> Option<Timestamp>;
    /// Reads the next fact, if there is one.
    fn read_one(&mut self, log: &Log, mutant: Option<Mutant>) -> Vec<Asked>;
    fn answered(&mut self, id: CommandId, outcome: Result<(), Refused>);
    fn hear_one(&mut self, now: Timestamp) -> Vec<Asked>;
    fn wake(&mut self, now: Timestamp) -> Vec<Asked>;
    fn sweep(&mut self, now: Timestamp) -> Vec<Asked>;
    fn save(&mut self);
    /// Forgets all since it was saved; what had no answer then is asked again.
    ///
    /// # Errors
    /// When the saved row can not be read back.
    fn crash(&mut self) -> Result<Vec<Asked>, Violation>;
    /// How long its row is, in bytes of JSON.
    fn row_length(&self) -> usize;
    /// The first rule that it broke.
    fn violation(&self) -> Option<&Violation>;
    /// Reads what is nothing to it, up to the first fact that is something.
    fn skip(&mut self, log: &Log, mutant: Option<Mutant>);
    /// Another one that is the same.
    fn boxed(&self) -> Box<dyn Runs>;
    /// Of all that decides what it will do, but for what it has not read.
    fn fingerprint(&self) -> u64;
}

impl Clone for Box<dyn Runs> {
    fn clone(&self) -> Self {
        self.boxed()
    }
}

type Answer = (CommandId, AnyCommand, Option<Refused>);

/// What is stored of it.
#[derive(Clone)]
struct Saved<S> {
    state: S,
    position: u64,
    outstanding: BTreeMap<CommandId, AnyCommand>,
    order: Order,
}

pub(crate) struct Runner<P: Process> {
    state: P::State,
    position: u64,
    outstanding: BTreeMap<CommandId, AnyCommand>,
    lanes: Lanes<Asked>,
    answers: VecDeque<Answer>,
    order: Order,
    violation: Option<Violation>,
    saved: Saved<P::State>,
}

impl<P: Process> Clone for Runner<P> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            position: self.position,
            outstanding: self.outstanding.clone(),
            lanes: self.lanes.clone(),
            answers: self.answers.clone(),
            order: self.order.clone(),
            violation: self.violation.clone(),
            saved: self.saved.clone(),
        }
    }
}

impl<P: Process> Runner<P> {
    pub(crate) fn new() -> Self {
        Self {
            state: P::State::default(),
            position: 0,
            outstanding: BTreeMap::new(),
            lanes: Lanes::default(),
            answers: VecDeque::new(),
            order: Order::default(),
            violation: None,
            saved: Saved {
                state: P::State::default(),
                position: 0,
                outstanding: BTreeMap::new(),
                order: Order::default(),
            },
        }
    }

    fn step(&mut self, input: &Input<'_>, at: Timestamp) -> Vec<Asked> {
        let intents = P::step(&mut self.state, input);
        self.watch(input, &intents);
        self.ask(intents, at)
    }

    /// Only routing chooses who is next.
    fn watch(&mut self, input: &Input<'_>, intents: &[Intent]) {
        if P::NAME == Routing::NAME
            && let Err(violation) = self.order.note(input, intents)
        {
            self.violation.get_or_insert(violation);
        }
    }

    fn ask(&mut self, intents: Vec<Intent>, at: Timestamp) -> Vec<Asked> {
        let mut asked = vec![];
        for intent in intents {
            let id = command_id(P::NAME, &intent, at);
            asked.extend(self.carry_out(id, intent.command));
        }
        asked
    }

    /// The command goes now, unless an earlier one of its lane has no answer.
    fn carry_out(&mut self, id: CommandId, command: AnyCommand) -> Option<Asked> {
        self.outstanding.insert(id, command.clone());
        self.lanes.enter(lane_of(&command), (id, command))
    }
}

impl<P: Process> Runs for Runner<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn saved_position(&self) -> u64 {
        self.saved.position
    }

    fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    fn is_idle(&self) -> bool {
        self.outstanding.is_empty()
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        P::next_deadline(&self.state)
    }

    fn read_one(&mut self, log: &Log, mutant: Option<Mutant>) -> Vec<Asked> {
        let Some(fact) = log.get(self.position + 1) else {
            return vec![];
        };
        self.position += 1;
        let misread = mutant.and_then(|mutant| mutant.misread(P::NAME, fact));
        let heard = misread.as_ref().unwrap_or(fact);
        let intents = P::step(&mut self.state, &Input::Event(heard));
        self.watch(&Input::Event(fact), &intents);
        self.ask(intents, fact.at)
    }

    fn answered(&mut self, id: CommandId, outcome: Result<(), Refused>) {
        // After a crash nobody waits for what was asked before it and has been
        // answered since.
        if let Some(command) = self.outstanding.get(&id) {
            self.answers.push_back((id, command.clone(), outcome.err()));
        }
    }

    fn hear_one(&mut self, now: Timestamp) -> Vec<Asked> {
        let Some((command_id, command, refused)) = self.answers.pop_front() else {
            return vec![];
        };
        if self.outstanding.remove(&command_id).is_none() {
            return vec![];
        }
        let mut asked: Vec<Asked> = self.lanes.leave(&lane_of(&command)).into_iter().collect();
        if let Some((code, version)) = refused {
            let input = Input::Refused {
                command_id,
                command: &command,
                code,
                version,
                at: now,
            };
            asked.extend(self.step(&input, now));
        }
        asked
    }

    fn wake(&mut self, now: Timestamp) -> Vec<Asked> {
        self.step(&Input::Deadline(now), now)
    }

    fn sweep(&mut self, now: Timestamp) -> Vec<Asked> {
        self.step(&Input::Sweep(now), now)
    }

    fn save(&mut self) {
        self.saved = Saved {
            state: self.state.clone(),
            position: self.position,
            outstanding: self.outstanding.clone(),
            order: self.order.clone(),
        };
    }

    fn crash(&mut self) -> Result<Vec<Asked>, Violation> {
        let unreadable = |error| Violation(format!("row of {}: {error}", P::NAME));
        let row = serde_json::to_string(&self.saved.state).map_err(unreadable)?;
        self.state = serde_json::from_str(&row).map_err(unreadable)?;
        self.position = self.saved.position;
        self.order = self.saved.order.clone();
        self.outstanding = BTreeMap::new();
        self.lanes = Lanes::default();
        self.answers.clear();
        let again = self.saved.outstanding.clone();
        Ok(again
            .into_iter()
            .filter_map(|(id, command)| self.carry_out(id, command))
            .collect())
    }

    fn row_length(&self) -> usize {
        serde_json::to_string(&self.state).map_or(0, |row| row.len())
    }

    fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    fn skip(&mut self, log: &Log, mutant: Option<Mutant>) {
        let print = fingerprint(&self.state);
        while let Some(fact) = log.get(self.position + 1) {
            let before = self.state.clone();
            let misread = mutant.and_then(|mutant| mutant.misread(P::NAME, fact));
            let heard = Input::Event(misread.as_ref().unwrap_or(fact));
            let intents = P::step(&mut self.state, &heard);
            if !intents.is_empty() || fingerprint(&self.state) != print {
                self.state = before;
                break;
            }
            self.watch(&Input::Event(fact), &intents);
            self.position += 1;
        }
    }

    fn boxed(&self) -> Box<dyn Runs> {
        Box::new(self.clone())
    }

    fn fingerprint(&self) -> u64 {
        let behind = |command| {
            let lane = lane_of(command);
            let waiting = self.lanes.waiting(&lane);
            waiting.map(|(id, _)| id).collect::<Vec<_>>()
        };
        let outstanding = self.outstanding.iter();
        let outstanding: Vec<_> = outstanding.map(|(id, it)| (id, behind(it))).collect();
        let answers = self.answers.iter().map(|(id, _, refused)| (id, refused));
        let answers: Vec<_> = answers.collect();
        fingerprint(&(&self.state, outstanding, answers))
    }
}
