//! Runs a process: feeds it committed events, carries out what it asks for,
//! tells it what was refused, wakes it when something is due.

mod row;

use crate::{
    envelope::Envelope,
    error::DispatchError,
    feed::Feed,
    gateway::Gateway,
    lanes::{Lanes, lane_of},
    ports::{Clock, Position, ReadError, ReadStore, StoreError},
    tried_again,
};
use domain::{
    any::AnyCommand,
    id::{CommandId, DEFAULT_TENANT},
    process::{Input, Intent, Process, command_id},
    time::Timestamp,
};
use row::{Kept, Outstanding};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use uuid::Uuid;

/// Events taken from the feed at once.
const BATCH_MAX: usize = 256;
/// Commands on their way, beyond which a process reads no more for now: each is kept in its
/// row, which is written anew every second. What waits behind another one is not counted:
/// an aggregate that a person must look at holds nobody else up.
const ON_THEIR_WAY_MAX: usize = 4_096;
/// State and position are saved this often when they have changed.
const SAVE_EVERY_MS: u64 = 1_000;
/// The sweep that repairs what should not need repair.
const SWEEP_EVERY_MS: u64 = 1_000;
/// Pause before a feed that can not be read is read again.
const READ_AGAIN_MS: u64 = 100;
/// First pause before a command is tried again on a store that is down;
/// doubled up to the most.
const RETRY_MS: u64 = 20;
const RETRY_MS_MAX: u64 = 2_000;

/// What a runner works with.
#[derive(Clone)]
pub struct Means {
    /// Where commands go.
    pub gateway: Gateway,
    /// Where events come from.
    pub feed: Feed,
    /// Where state and position are kept.
    pub store: Arc<dyn ReadStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Means")
    }
}

/// Why a process stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// The feed can not be read; the error names the position.
    #[error("process can not read on: {0}")]
    Read(#[from] ReadError),
    /// Its row can not be read.
    #[error("process state can not be loaded: {0}")]
    Store(#[from] StoreError),
}

/// One process being run.
pub struct Runner<P: Process> {
    means: Means,
    state: P::State,
    position: Position,
    outstanding: BTreeMap<CommandId, Outstanding>,
    /// How many commands were asked for.
    asked: u64,
    /// Of what is asked for now: the position of the event that it follows from.
    asking_at: Position,
    /// A store that is away must not change the order of commands.
    lanes: Lanes<Asked>,
    answers: mpsc::UnboundedReceiver<Heard>,
    answered: mpsc::UnboundedSender<Heard>,
    changed: bool,
    /// There was no row that could be used. A row at the very beginning is one:
    /// what has come since then is news and not history.
    is_fresh: bool,
    /// The fencing token of the node that runs it; 0 where nobody else can.
    token: u64,
    /// How long it takes to say what follows from an input.
    step_seconds: metrics::Histogram,
}

/// A command on its way.
struct Asked {
    command_id: CommandId,
    command: AnyCommand,
    cause: Uuid,
}

struct Heard {
    command_id: CommandId,
    command: AnyCommand,
    refusal: Option<crate::error::Refused>,
}

impl<P: Process> std::fmt::Debug for Runner<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("process", &P::NAME)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl<P: Process> Runner<P> {
    /// Loads the process' row, or starts from zero.
    ///
    /// # Errors
    /// When the row can not be read.
    pub async fn load(means: Means) -> Result<Self, ProcessError> {
        let kept = row::load::<P>(means.store.as_ref()).await?;
        let is_fresh = kept.is_none();
        let Kept {
            state,
            position,
            outstanding,
            asked,
        } = kept.unwrap_or_default();
        // Unbounded on purpose: its content is bounded by the commands under
        // way, and a full channel would stop the very reader that empties it.
        let (answered, answers) = mpsc::unbounded_channel();
        Ok(Self {
            means,
            state,
            position,
            asked,
            asking_at: position,
            outstanding,
            lanes: Lanes::default(),
            answers,
            answered,
            // A row exists from the start, so that a missing one means history.
            changed: is_fresh,
            is_fresh,
            token: 0,
            step_seconds: metrics::histogram!(
                "ringledger_process_step_seconds", "process" => P::NAME
            ),
        })
    }

    /// The node that runs it leads under that fencing token: its row is saved
    /// only while no newer one has led.
    #[must_use]
    pub fn under(mut self, token: u64) -> Self {
        self.token = token;
        self
    }

    /// What it knows.
    pub const fn state(&self) -> &P::State {
        &self.state
    }

    /// Folds events without asking for anything, up to the last one that the
    /// log took before `until`, or to the head. For a process that only knows; and for
    /// one without a usable row, which must not ask again for what all of
    /// history asked for.
    ///
    /// # Errors
    /// When the feed can not be read.
    pub async fn fold_silently(&mut self, until: Option<Timestamp>) -> Result<(), ProcessError> {
        let last = match until {
            None => Position(u64::MAX),
            // Not the first one that says a later time: a clock that was ahead once would
            // make everything since news.
            Some(_) => {
                let taken = self.means.feed.log().taken(None, until).await?;
                taken
                    .last()
                    .map_or_else(Position::default, |last| last.last)
            }
        };
        loop {
            let entries = self.means.feed.read(self.position, BATCH_MAX).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                if entry.recorded.position > last {
                    return Ok(());
                }
                P::step(&mut self.state, &Input::Event(&entry.fact));
                self.position = entry.recorded.position;
            }
            self.changed = true;
        }
    }

    /// Nothing was kept of it: it starts from the first event.
    pub const fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// Runs until `stop`; saves its row then.
    ///
    /// # Errors
    /// When an event can not be read: the process stops at its position and
    /// loses nothing.
    pub async fn run(mut self, mut stop: oneshot::Receiver<()>) -> Result<(), ProcessError> {
        for (id, again) in self.in_order() {
            self.carry_out(id, again.command, again.cause);
        }
        // One that has nothing to read says so too.
        self.tell_lag();
        let mut save = tokio::time::interval(Duration::from_millis(SAVE_EVERY_MS));
        let mut sweep = tokio::time::interval(Duration::from_millis(SWEEP_EVERY_MS));
        save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let feed = self.means.feed.clone();
            let position = self.position;
            tokio::select! {
                Some(heard) = self.answers.recv() => self.hear(heard),
                () = feed.wait_beyond(position), if self.lanes.busy_count() < ON_THEIR_WAY_MAX => {
                    self.read().await?;
                }
                // Behind the head, what would end the wait may only be unread.
                () = until(P::next_deadline(&self.state), self.means.clock.as_ref()),
                    if position >= feed.head() =>
                {
                    let now = self.means.clock.now();
                    self.step(&Input::Deadline(now), now);
                }
                _ = sweep.tick() => self.sweep(),
                _ = save.tick() => {
                    self.tell_reasons();
                    self.tell_lag();
                    self.save().await?;
                }
                _ = &mut stop => return self.save().await,
            }
        }
    }

    /// Commands that have no answer yet, as they were asked for.
    fn in_order(&self) -> Vec<(CommandId, Outstanding)> {
        let commands = self.outstanding.iter();
        let mut commands: Vec<_> = commands.map(|(id, one)| (*id, one.clone())).collect();
        commands.sort_by_key(|(_, one)| one.number);
        commands
    }

    async fn read(&mut self) -> Result<(), ProcessError> {
        let entries = match self.means.feed.read(self.position, BATCH_MAX).await {
            Ok(entries) => entries,
            // A store that is away delays a process; it must not end it.
            Err(error @ ReadError::Unavailable(_)) => {
                tracing::warn!(process = P::NAME, %error, "process will read again");
                tokio::time::sleep(Duration::from_millis(READ_AGAIN_MS)).await;
                return Ok(());
            }
            Err(error @ ReadError::Corrupt { .. }) => return Err(error.into()),
        };
        for entry in entries {
            self.position = entry.recorded.position;
            self.asking_at = self.position;
            self.changed = true;
            let intents = self.decide(&Input::Event(&entry.fact));
            for intent in &intents {
                self.ask(intent, entry.fact.at);
            }
        }
        self.tell_lag();
        self.tell_gauges();
        Ok(())
    }

    /// What the process says of itself.
    fn tell_gauges(&self) {
        for (gauge, value) in P::gauges(&self.state) {
            metrics::gauge!(gauge).set(value as f64);
        }
    }

    fn tell_lag(&self) {
        self.tell_outstanding();
        let behind = self.means.feed.head().0.saturating_sub(self.position.0);
        metrics::gauge!("ringledger_process_lag_events", "process" => P::NAME).set(behind as f64);
    }

    /// Commands that were asked for and are not answered: done again after a crash.
    fn tell_outstanding(&self) {
        let count = self.outstanding.len();
        metrics::gauge!("ringledger_process_outstanding_count", "process" => P::NAME)
            .set(count as f64);
    }

    /// Why what waits for something waits.
    fn tell_reasons(&self) {
        let Some((gauge, reasons)) = P::reasons(&self.state) else {
            return;
        };
        for (reason, count) in reasons {
            metrics::gauge!(gauge, "reason" => reason).set(count as f64);
        }
    }

    /// What follows from an input; how long that took, and what is asked for, is measured.
    fn decide(&mut self, input: &Input<'_>) -> Vec<Intent> {
        let began = Instant::now();
        let intents = P::step(&mut self.state, input);
        self.step_seconds.record(began.elapsed().as_secs_f64());
        for intent in &intents {
            let command = intent.command.name();
            metrics::counter!(
                "ringledger_process_commands_total", "process" => P::NAME, "command" => command
            )
            .increment(1);
        }
        intents
    }

    fn step(&mut self, input: &Input<'_>, at: Timestamp) -> usize {
        let intents = self.decide(input);
        self.changed |= !intents.is_empty();
        for intent in &intents {
            self.ask(intent, at);
        }
        self.tell_gauges();
        intents.len()
    }

    fn sweep(&mut self) {
        // Behind the head, what looks forgotten may only be unread.
        if self.position < self.means.feed.head() || !self.outstanding.is_empty() {
            return;
        }
        let now = self.means.clock.now();
        let repaired = self.step(&Input::Sweep(now), now);
        if repaired > 0 {
            tracing::warn!(
                process = P::NAME,
                repaired,
                "sweep repaired what was forgotten"
            );
            metrics::counter!("ringledger_repairs_count", "process" => P::NAME)
                .increment(repaired as u64);
        }
    }

    fn hear(&mut self, heard: Heard) {
        let asked = self.outstanding.remove(&heard.command_id);
        self.tell_outstanding();
        self.changed = true;
        if let Some(next) = self.lanes.leave(&lane_of(&heard.command)) {
            self.submit(next);
        }
        let Some(refused) = heard.refusal else { return };
        metrics::counter!(
            "ringledger_process_refusals_count", "process" => P::NAME, "code" => refused.code
        )
        .increment(1);
        // The instant of the decision, not of its hearing: what follows from it
        // has the same ids when it is heard again.
        let at = refused.at;
        let input = Input::Refused {
            command_id: heard.command_id,
            command: &heard.command,
            code: refused.code,
            version: refused.version,
            at,
        };
        self.asking_at = asked.map_or(self.position, |asked| asked.position);
        self.step(&input, at);
        self.asking_at = self.position;
    }

    fn ask(&mut self, intent: &Intent, at: Timestamp) {
        let id = command_id(P::NAME, intent, at);
        self.carry_out(id, intent.command.clone(), intent.cause);
    }

    /// Puts the command into its mailbox, unless an earlier one of its lane has
    /// no answer yet.
    fn carry_out(&mut self, command_id: CommandId, command: AnyCommand, cause: Uuid) {
        // One that is asked for again keeps its number.
        let number = self.asked;
        self.outstanding
            .entry(command_id)
            .or_insert_with(|| Outstanding {
                number,
                command: command.clone(),
                cause,
                position: self.asking_at,
            });
        self.asked += 1;
        let lane = lane_of(&command);
        let asked = Asked {
            command_id,
            command,
            cause,
        };
        if let Some(asked) = self.lanes.enter(lane, asked) {
            self.submit(asked);
        }
    }

    /// Submits now and waits for the answer aside.
    fn submit(&self, asked: Asked) {
        let Asked {
            command_id,
            command,
            cause,
        } = asked;
        let envelope = Envelope {
            command_id,
            at: self.means.clock.now(),
            correlation_id: command.call().map_or(cause, |call| call.0),
            causation_id: cause,
            actor: format!("process:{}", P::NAME),
            tenant: DEFAULT_TENANT,
            command: command.clone(),
        };
        let first = self.means.gateway.submit(envelope.clone());
        let gateway = self.means.gateway.clone();
        let clock = self.means.clock.clone();
        let answered = self.answered.clone();
        tokio::spawn(async move {
            let refusal = insist(&gateway, clock.as_ref(), envelope, first).await;
            // The runner may be gone; its row still has the command.
            let _ = answered.send(Heard {
                command_id,
                command,
                refusal,
            });
        });
    }

    /// Saves its row, if anything has changed. A store that is away is tried
    /// again with the next change.
    ///
    /// # Errors
    /// When another node runs this process by now.
    pub async fn save(&mut self) -> Result<(), ProcessError> {
        if !self.changed {
            return Ok(());
        }
        let outstanding = self.in_order();
        let statements =
            row::statements::<P>(self.state.clone(), self.position, outstanding, self.token);
        match self.means.store.transact(statements).await {
            Ok(()) => self.changed = false,
            Err(error @ StoreError::Fenced) => return Err(error.into()),
            Err(error @ (StoreError::Unavailable(_) | StoreError::Refused(_))) => {
                tracing::warn!(process = P::NAME, %error, "process row was not saved");
            }
        }
        Ok(())
    }
}

/// Tries until there is an answer by the rules: a store that is down delays a
/// process, it never makes it forget.
async fn insist(
    gateway: &Gateway,
    clock: &dyn Clock,
    mut envelope: Envelope,
    first: crate::gateway::Pending,
) -> Option<crate::error::Refused> {
    let mut pause_ms = RETRY_MS;
    let mut answer = first.wait().await;
    loop {
        match answer {
            Ok(_) => return None,
            Err(DispatchError::Refused(refused)) => return Some(refused),
            Err(error @ DispatchError::Corrupt(_)) => {
                tracing::error!(command = %envelope.command, %error, "a person must look at this stream");
            }
            Err(error @ (DispatchError::Conflict | DispatchError::Unavailable(_))) => {
                tried_again::tell(&envelope.command, &error);
            }
        }
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        pause_ms = (pause_ms * 2).min(RETRY_MS_MAX);
        envelope.at = clock.now();
        answer = gateway.dispatch(envelope.clone()).await;
    }
}

async fn until(deadline: Option<Timestamp>, clock: &dyn Clock) {
    match deadline {
        None => std::future::pending().await,
        Some(deadline) => {
            let micros = deadline.micros().saturating_sub(clock.now().micros());
            let wait = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
            tokio::time::sleep_until(Instant::now() + wait).await;
        }
    }
}
