//! What follows from a fact: inputs to intents, process by process, and all of
//! them together in a small world.

mod again;
mod ahead;
mod assigned;
mod between_lines;
mod billing;
mod books;
mod callback;
mod capacity;
mod credit;
mod dial;
mod doors;
mod emptiness;
mod enqueue;
mod expected_wait;
mod expiry;
mod gone;
mod late;
mod ledger;
mod next;
mod offer;
mod paused;
mod places;
mod recovery;
mod registration;
mod routing;
mod side_by_side;
mod strategies;
mod telling;
mod tiers;
mod transferred;
mod unserved;
mod unstaffed;
mod uses;
mod voicemail;
mod wrap_up;

mod ids;
mod matching;
mod world;

use super::{Input, Intent, Process, routing::Routing};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call,
    id::{CommandId, EventId},
    line, session,
    testing::second,
    time::Timestamp,
};
use uuid::Uuid;

/// A process that has heard something, and what it asked for last.
struct Heard<P: Process> {
    state: P::State,
    count: u64,
    node_epoch: u64,
    asked: Vec<AnyCommand>,
    /// Why, command by command.
    causes: Vec<Uuid>,
}

/// A process that has heard nothing.
fn process<P: Process>() -> Heard<P> {
    Heard {
        state: P::State::default(),
        count: 0,
        node_epoch: 1,
        asked: vec![],
        causes: vec![],
    }
}

fn commands(intents: Vec<Intent>) -> Vec<AnyCommand> {
    let commands = intents.into_iter().map(|intent| intent.command);
    commands.map(unexplained).collect()
}

/// Most stories are about what is asked for, not about why.
fn unexplained(mut command: AnyCommand) -> AnyCommand {
    if let AnyCommand::Session(_, session::Command::Reserve { choice, .. }) = &mut command {
        *choice = None;
    }
    command
}

impl<P: Process> Heard<P> {
    /// What is heard from now on was written by that run.
    fn written_by(mut self, node_epoch: u64) -> Self {
        self.node_epoch = node_epoch;
        self
    }

    /// These events are read, one second apart.
    fn hears(mut self, events: impl IntoIterator<Item = AnyEvent>) -> Self {
        for event in events {
            self.count += 1;
            let at = second(self.count);
            self = self.hears_at(at, event);
        }
        self
    }

    /// This event is read; it happened at that instant.
    fn hears_at(mut self, at: Timestamp, event: AnyEvent) -> Self {
        self.count += 1;
        // A line opens a visit because its call has said so; stories about routing leave
        // that out.
        if let Some(said) = said_before(&event).filter(|_| P::NAME == Routing::NAME) {
            let fact = self.fact(at, said);
            P::step(&mut self.state, &Input::Event(&fact));
        }
        let fact = self.fact(at, event);
        let intents = P::step(&mut self.state, &Input::Event(&fact));
        self.causes = intents.iter().map(|intent| intent.cause).collect();
        self.asked = commands(intents);
        if self.count <= 100 || self.count.is_power_of_two() {
            self.next_run_reads_what_this_one_saved();
        }
        self
    }

    fn fact(&self, at: Timestamp, event: AnyEvent) -> Fact {
        Fact {
            position: self.count,
            version: self.count,
            event_id: EventId(Uuid::from_u128(u128::from(self.count))),
            at,
            node_epoch: self.node_epoch,
            tenant: crate::id::DEFAULT_TENANT,
            event,
        }
    }

    /// The state may be saved after each event; long stories would do little else.
    fn next_run_reads_what_this_one_saved(&mut self) {
        let saved = serde_json::to_string(&self.state).expect("a state can be written");
        self.state = serde_json::from_str(&saved).expect("what was written can be read");
    }

    /// The command was refused, by a stream that was at that version.
    fn gets_refused(mut self, command: &AnyCommand, code: &str, version: u64) -> Self {
        let input = Input::Refused {
            command_id: CommandId(Uuid::from_u128(99)),
            command,
            code,
            version,
            at: second(60),
        };
        self.asked = commands(P::step(&mut self.state, &input));
        self
    }

    /// The instant has come.
    fn wakes(mut self, now: Timestamp) -> Self {
        self.asked = commands(P::step(&mut self.state, &Input::Deadline(now)));
        self
    }

    /// Something may have been forgotten.
    fn sweeps(mut self, now: Timestamp) -> Self {
        self.asked = commands(P::step(&mut self.state, &Input::Sweep(now)));
        self
    }

    /// Exactly these commands were asked for by what was heard last.
    #[track_caller]
    fn asks(self, expected: impl IntoIterator<Item = AnyCommand>) -> Self {
        assert_eq!(self.asked, expected.into_iter().collect::<Vec<_>>());
        self
    }

    /// Nothing was asked for by what was heard last.
    #[track_caller]
    fn asks_nothing(self) -> Self {
        self.asks([])
    }

    /// The next instant at which something is due by itself.
    #[track_caller]
    fn sleeps_until(self, expected: Option<Timestamp>) -> Self {
        assert_eq!(P::next_deadline(&self.state), expected);
        self
    }
}

/// What a call says before its line opens a visit for it.
fn said_before(event: &AnyEvent) -> Option<AnyEvent> {
    let AnyEvent::Line(queue, line::Event::Opened { visit, call, .. }) = event else {
        return None;
    };
    let said = call::Event::Enqueued {
        visit: *visit,
        queue: *queue,
        config_version: 1,
        answer_mode: call::AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    Some(AnyEvent::Call(*call, said))
}
