//! The one door for commands: used by the SIP adapter, the API and the
//! processes alike.

use crate::{
    actor::{self, Answer, Shared},
    envelope::{Committed, Envelope},
    error::DispatchError,
    pool::{Pool, Sent},
    ports::{Entropy, EventLog, ReadStore},
    rater::Rater,
    snapshots::Snapshots,
    writer::Writer,
};
use domain::{
    agent::Agent,
    any::AnyCommand,
    billing::{
        self,
        account::Account,
        credit_note::CreditNote,
        deck::Deck,
        invoice::Invoice,
        plan::Plan,
        rating::{Facts, Outbound, Rating},
        seller::Seller,
        series::Series,
        usage::Usage,
    },
    call::Call,
    callback::Callback,
    cause::EndReason,
    device::Device,
    id::{CallId, CommandId},
    line::Line,
    mailbox::Mailbox,
    person::Person,
    queue::Queue,
    refusals::Refusals,
    schedule::Schedule,
    session::Session,
    time::Timestamp,
    trunk::Trunk,
};
use std::sync::{Arc, OnceLock};
use tokio::sync::oneshot;

/// A handle on the write side; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    calls: Pool<Call>,
    sessions: Pool<Session>,
    lines: Pool<Line>,
    queues: Pool<Queue>,
    persons: Pool<Person>,
    refusals: Pool<Refusals>,
    schedules: Pool<Schedule>,
    agents: Pool<Agent>,
    devices: Pool<Device>,
    trunks: Pool<Trunk>,
    callbacks: Pool<Callback>,
    mailboxes: Pool<Mailbox>,
    books: Books,
}

/// The aggregates of billing.
#[derive(Default)]
struct Books {
    sellers: Pool<Seller>,
    accounts: Pool<Account>,
    plans: Pool<Plan>,
    decks: Pool<Deck>,
    ratings: Pool<Rating>,
    usages: Pool<Usage>,
    invoices: Pool<Invoice>,
    credit_notes: Pool<CreditNote>,
    series: Pool<Series>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway")
    }
}

impl Gateway {
    /// The write side over a log and its writer. `node_epoch` is the number of
    /// this run of the node and is written beside every event.
    pub fn new(
        log: Arc<dyn EventLog>,
        writer: Writer,
        entropy: Arc<dyn Entropy>,
        node_epoch: u64,
    ) -> Self {
        Self::over(Shared {
            log,
            writer,
            entropy,
            node_epoch,
            snapshots: Snapshots::none(),
            rater: OnceLock::new(),
        })
    }

    /// The same with snapshots of long streams in the read store, so that such a
    /// stream is not read from its first event.
    pub fn with_snapshots(
        log: Arc<dyn EventLog>,
        writer: Writer,
        entropy: Arc<dyn Entropy>,
        node_epoch: u64,
        store: Arc<dyn ReadStore>,
    ) -> Self {
        Self::over(Shared {
            log,
            writer,
            entropy,
            node_epoch,
            snapshots: Snapshots::within(store),
            rater: OnceLock::new(),
        })
    }

    fn over(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        Self {
            inner: Arc::new(Inner {
                shared,
                calls: Pool::default(),
                sessions: Pool::default(),
                lines: Pool::default(),
                queues: Pool::default(),
                persons: Pool::default(),
                refusals: Pool::default(),
                schedules: Pool::default(),
                agents: Pool::default(),
                devices: Pool::default(),
                trunks: Pool::default(),
                callbacks: Pool::default(),
                mailboxes: Pool::default(),
                books: Books::default(),
            }),
        }
    }

    /// Rates calls with this from now on. Only the first one counts.
    pub fn rate_with(&self, rater: Rater) {
        // A second one is a mistake of who composes the node, and changes nothing.
        let _ = self.inner.shared.rater.set(rater);
    }

    /// Why a call can not even ring: its payer is suspended, or pays before and
    /// has not so much credit as its first slice costs, or no price for where it
    /// leads.
    pub async fn refusal(&self, facts: &Facts, at: Timestamp) -> Option<EndReason> {
        self.inner.shared.rater.get()?.refusal(facts, at).await
    }

    /// Why a leg of a call that is on the record can not go out: as
    /// [`Self::refusal`] says.
    pub async fn refusal_of(
        &self,
        call: CallId,
        outbound: Outbound,
        at: Timestamp,
    ) -> Option<EndReason> {
        let rater = self.inner.shared.rater.get()?;
        rater.refusal_of(call, outbound, at).await
    }

    /// Carries out a command and waits until its events are durable.
    ///
    /// # Errors
    /// A refusal by the rules, or a fault of the store.
    pub async fn dispatch(&self, envelope: Envelope) -> Result<Committed, DispatchError> {
        self.submit(envelope).wait().await
    }

    /// The same, if the stream is at that version: whoever orders has seen it so.
    ///
    /// # Errors
    /// A refusal that [is stale](crate::error::Refused::is_stale) when it is at another one;
    /// then nothing is done.
    pub async fn dispatch_expecting(
        &self,
        envelope: Envelope,
        version: u64,
    ) -> Result<Committed, DispatchError> {
        let expected = Some(version);
        self.send(Sent { envelope, expected }).wait().await
    }

    /// What a command came to that had its effect before; none of one that had none.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn first_answer(
        &self,
        command_id: CommandId,
    ) -> Result<Option<Committed>, DispatchError> {
        actor::first_result(&self.inner.shared, command_id).await
    }

    /// Puts the command into the mailbox of its aggregate now, in the order of
    /// the calls of this function, and returns where the answer will come.
    pub fn submit(&self, envelope: Envelope) -> Pending {
        let expected = None;
        self.send(Sent { envelope, expected })
    }

    fn send(&self, sent: Sent) -> Pending {
        let started = std::time::Instant::now();
        let inner = &self.inner;
        let shared = &inner.shared;
        let answer = match sent.envelope.command.clone() {
            AnyCommand::Call(id, command) => inner.calls.submit(shared, id, sent, command),
            AnyCommand::Session(id, command) => inner.sessions.submit(shared, id, sent, command),
            AnyCommand::Line(id, command) => inner.lines.submit(shared, id, sent, command),
            AnyCommand::Queue(id, command) => inner.queues.submit(shared, id, sent, command),
            AnyCommand::Person(id, command) => inner.persons.submit(shared, id, sent, command),
            AnyCommand::Refusals(id, command) => inner.refusals.submit(shared, id, sent, command),
            AnyCommand::Schedule(id, command) => inner.schedules.submit(shared, id, sent, command),
            AnyCommand::Agent(id, command) => inner.agents.submit(shared, id, sent, command),
            AnyCommand::Device(id, command) => inner.devices.submit(shared, id, sent, command),
            AnyCommand::Trunk(id, command) => inner.trunks.submit(shared, id, sent, command),
            AnyCommand::Callback(id, command) => inner.callbacks.submit(shared, id, sent, command),
            AnyCommand::Mailbox(id, command) => inner.mailboxes.submit(shared, id, sent, command),
            AnyCommand::Billing(command) => inner.books.submit(shared, sent, *command),
        };
        Pending { answer, started }
    }

    /// The run of the node whose write side this is.
    pub fn node_epoch(&self) -> u64 {
        self.inner.shared.node_epoch
    }

    /// Aggregates in memory.
    pub fn live_count(&self) -> usize {
        let inner = &self.inner;
        inner.calls.len()
            + inner.sessions.len()
            + inner.lines.len()
            + inner.queues.len()
            + inner.persons.len()
            + inner.refusals.len()
            + inner.schedules.len()
            + inner.agents.len()
            + inner.devices.len()
            + inner.trunks.len()
            + inner.callbacks.len()
            + inner.mailboxes.len()
            + inner.books.len()
    }
}

/// An answer that is on its way.
#[derive(Debug)]
pub struct Pending {
    answer: Result<oneshot::Receiver<Answer>, DispatchError>,
    started: std::time::Instant,
}

impl Pending {
    /// Waits for it.
    ///
    /// # Errors
    /// A refusal by the rules, or a fault of the store.
    pub async fn wait(self) -> Result<Committed, DispatchError> {
        let answer = self.answer?.await.unwrap_or_else(|_| {
            Err(DispatchError::Unavailable(
                "the aggregate stopped before it answered".into(),
            ))
        });
        let outcome = match &answer {
            Ok(_) => "committed",
            Err(DispatchError::Refused(_)) => "refused",
            Err(DispatchError::Conflict) => "conflict",
            Err(DispatchError::Unavailable(_)) => "unavailable",
            Err(DispatchError::Corrupt(_)) => "corrupt",
        };
        metrics::histogram!("ringledger_command_latency_seconds", "outcome" => outcome)
            .record(self.started.elapsed().as_secs_f64());
        answer
    }
}

impl Books {
    fn submit(
        &self,
        shared: &Arc<Shared>,
        sent: Sent,
        command: billing::Command,
    ) -> Result<oneshot::Receiver<Answer>, DispatchError> {
        use billing::Command as C;
        match command {
            C::Seller(id, command) => self.sellers.submit(shared, id, sent, command),
            C::Account(id, command) => self.accounts.submit(shared, id, sent, command),
            C::Plan(id, command) => self.plans.submit(shared, id, sent, command),
            C::Deck(id, command) => self.decks.submit(shared, id, sent, command),
            C::Rating(id, command) => self.ratings.submit(shared, id, sent, command),
            C::Usage(id, command) => self.usages.submit(shared, id, sent, command),
            C::Invoice(id, command) => self.invoices.submit(shared, id, sent, command),
            C::CreditNote(id, command) => self.credit_notes.submit(shared, id, sent, command),
            C::Series(id, command) => self.series.submit(shared, id, sent, command),
        }
    }

    fn len(&self) -> usize {
        self.sellers.len()
            + self.accounts.len()
            + self.plans.len()
            + self.decks.len()
            + self.ratings.len()
            + self.usages.len()
            + self.invoices.len()
            + self.credit_notes.len()
            + self.series.len()
    }
}
