//! Runs one process as the real runner does: events in order, answers when
//! they come, its row saved now and then, and what it had asked for asked again
//! after a crash.

use super::streams::Refused;
use crate::{
    any::{AnyCommand, Fact},
    id::CommandId,
    process::{Input, Intent, Process, command_id},
    time::Timestamp,
};
use std::collections::{BTreeMap, VecDeque};

/// A command of a process, under its id.
pub(super) type Asked = (CommandId, AnyCommand);

/// A process of any kind.
pub(super) trait Runs {
    fn has_unread(&self, log: &[Fact]) -> bool;
    fn has_answers(&self) -> bool;
    fn next_deadline(&self) -> Option<Timestamp>;
    fn read_one(&mut self, log: &[Fact]) -> Vec<Asked>;
    fn answered(&mut self, id: CommandId, outcome: Result<(), Refused>);
    fn hear_one(&mut self, now: Timestamp) -> Vec<Asked>;
    fn wake(&mut self, now: Timestamp) -> Vec<Asked>;
    fn save(&mut self);
    /// Forgets all since it was saved; what had no answer then is asked again.
    fn crash(&mut self) -> Vec<Asked>;
    fn sweep(&mut self, now: Timestamp) -> Vec<Asked>;
}

pub(super) struct Runner<P: Process> {
    state: P::State,
    position: usize,
    outstanding: BTreeMap<CommandId, AnyCommand>,
    answers: VecDeque<(CommandId, AnyCommand, Refused)>,
    saved: (String, usize, BTreeMap<CommandId, AnyCommand>),
}

impl<P: Process> Runner<P> {
    pub(super) fn new() -> Self {
        let mut runner = Self {
            state: P::State::default(),
            position: 0,
            outstanding: BTreeMap::new(),
            answers: VecDeque::new(),
            saved: (String::new(), 0, BTreeMap::new()),
        };
        runner.save();
        runner
    }

    fn ask(&mut self, intents: Vec<Intent>, at: Timestamp) -> Vec<Asked> {
        let asked: Vec<Asked> = intents
            .into_iter()
            .map(|intent| (command_id(P::NAME, &intent, at), intent.command))
            .collect();
        self.outstanding.extend(asked.iter().cloned());
        asked
    }
}

impl<P: Process> Runs for Runner<P> {
    fn has_unread(&self, log: &[Fact]) -> bool {
        self.position < log.len()
    }

    fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        P::next_deadline(&self.state)
    }

    fn read_one(&mut self, log: &[Fact]) -> Vec<Asked> {
        let fact = &log[self.position];
        self.position += 1;
        let intents = P::step(&mut self.state, &Input::Event(fact));
        self.ask(intents, fact.at)
    }

    fn answered(&mut self, id: CommandId, outcome: Result<(), Refused>) {
        match (self.outstanding.get(&id), outcome) {
            (Some(command), Err(refused)) => {
                self.answers.push_back((id, command.clone(), refused));
            }
            (Some(_), Ok(())) => {
                self.outstanding.remove(&id);
            }
            (None, _) => {}
        }
    }

    fn hear_one(&mut self, now: Timestamp) -> Vec<Asked> {
        let Some((command_id, command, (code, version))) = self.answers.pop_front() else {
            return vec![];
        };
        self.outstanding.remove(&command_id);
        let input = Input::Refused {
            command_id,
            command: &command,
            code,
            version,
            at: now,
        };
        let intents = P::step(&mut self.state, &input);
        self.ask(intents, now)
    }

    fn wake(&mut self, now: Timestamp) -> Vec<Asked> {
        let intents = P::step(&mut self.state, &Input::Deadline(now));
        self.ask(intents, now)
    }

    fn save(&mut self) {
        let state = serde_json::to_string(&self.state).expect("a process state is plain data");
        self.saved = (state, self.position, self.outstanding.clone());
    }

    fn crash(&mut self) -> Vec<Asked> {
        let (state, position, outstanding) = self.saved.clone();
        self.state = serde_json::from_str(&state).expect("a saved state is read back");
        self.position = position;
        self.outstanding = outstanding;
        self.answers.clear();
        self.outstanding.clone().into_iter().collect()
    }

    fn sweep(&mut self, now: Timestamp) -> Vec<Asked> {
        let intents = P::step(&mut self.state, &Input::Sweep(now));
        self.ask(intents, now)
    }
}
