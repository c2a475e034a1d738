//! A whole write side on the in-memory store: gateway, feed, directory and
//! processes, without any network. Scenarios speak to it in facts.

use commands::{
    directory::Directory,
    envelope::{Committed, Envelope},
    error::DispatchError,
    feed::Feed,
    gateway::Gateway,
    ports::{Clock, Entropy, Position},
    processes::{Means, Runner},
    sessions::{self, Wish},
    system::{SystemClock, SystemEntropy},
    tail::Entry,
    writer::Writer,
};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent},
    call::{self, AnswerMode, Route},
    id::{AgentId, CallId, CommandId, DEFAULT_TENANT, LegId, OfferId, QueueId, VisitId},
    process::{
        dial::Dial, enqueue::Enqueue, offer::OfferProcess, registration::Registration,
        routing::Routing, voicemail::VoicemailProcess, wrap_up::WrapUp,
    },
    queue,
    sealed::Party,
};
use projections::views::Views;
use std::{sync::Arc, time::Duration};
use store::Stores;
use tokio::sync::oneshot;

/// Nothing that a scenario waits for takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running write side.
pub struct Office {
    /// Where commands go.
    pub gateway: Gateway,
    /// What was committed.
    pub feed: Feed,
    /// Who is who.
    pub directory: Directory,
    /// Its store.
    pub stores: Stores,
    projections: Option<projections::Running>,
    entropy: Arc<SystemEntropy>,
    stops: Vec<oneshot::Sender<()>>,
}

/// A caller who has rung in.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The call.
    pub call: CallId,
    /// The caller's leg.
    pub leg: LegId,
}

/// An agent's phone that is to ring.
#[derive(Debug, Clone, Copy)]
pub struct Ring {
    /// For which call.
    pub call: CallId,
    /// Which offer.
    pub offer: OfferId,
    /// The agent's leg.
    pub leg: LegId,
    /// Who.
    pub agent: AgentId,
}

/// A queue's rules that suit most scenarios.
pub fn rules() -> queue::Config {
    queue::Config {
        ring_timeout_ms: 10_000,
        answer_mode: AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 100,
        ..queue::Config::default()
    }
}

impl Office {
    /// Opens on an empty in-memory store.
    pub async fn open() -> Self {
        Self::open_on(
            store::open("memory:")
                .await
                .expect("memory is always there"),
        )
        .await
    }

    /// Opens on a store.
    pub async fn open_on(stores: Stores) -> Self {
        let mut office = Self::open_without_views(stores).await;
        let means = projections::Means {
            feed: office.feed.clone(),
            read: office.stores.read.clone(),
            vault: office.stores.vault.clone(),
        };
        let running = projections::start(means).await;
        office.projections = Some(running.expect("the log can be projected"));
        office
    }

    /// Its read models.
    pub fn views(&self) -> Views {
        let running = self.projections.as_ref();
        running.expect("it was opened with its read models").views()
    }

    /// Opens on a store whose read models somebody else runs.
    pub async fn open_without_views(stores: Stores) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy = Arc::new(SystemEntropy::default());
        let (writer, feed) = Writer::start(stores.log.clone(), clock.clone())
            .await
            .expect("an empty log has a head");
        let gateway = Gateway::new(stores.log.clone(), writer, entropy.clone(), 1);
        let directory = Directory::start(feed.clone())
            .await
            .expect("the log can be read");
        let means = Means {
            gateway: gateway.clone(),
            feed: feed.clone(),
            store: stores.read.clone(),
            clock,
        };
        let mut office = Self {
            gateway,
            feed,
            directory,
            stores,
            projections: None,
            entropy,
            stops: vec![],
        };
        office.run::<Enqueue>(&means).await;
        office.run::<Dial>(&means).await;
        office.run::<VoicemailProcess>(&means).await;
        office.run::<Routing>(&means).await;
        office.run::<OfferProcess>(&means).await;
        office.run::<WrapUp>(&means).await;
        office.run::<Registration>(&means).await;
        office
    }

    async fn run<P: domain::process::Process>(&mut self, means: &Means) {
        let runner = Runner::<P>::load(means.clone())
            .await
            .expect("the row can be read");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(runner.run(stopped));
        self.stops.push(stop);
    }

    /// A new id.
    pub fn id(&self) -> uuid::Uuid {
        self.entropy.uuid(SystemClock.now())
    }

    /// A command with a new id.
    pub fn envelope(&self, command: AnyCommand) -> Envelope {
        let id = self.id();
        Envelope {
            command,
            command_id: CommandId(id),
            at: SystemClock.now(),
            correlation_id: id,
            causation_id: id,
            actor: "test".into(),
            tenant: DEFAULT_TENANT,
        }
    }

    /// Dispatches a command with a new id.
    pub async fn dispatch(&self, command: AnyCommand) -> Result<Committed, DispatchError> {
        self.gateway.dispatch(self.envelope(command)).await
    }

    /// Dispatches a call command that must not be refused.
    pub async fn tell(&self, call: CallId, command: call::Command) -> Committed {
        self.dispatch(AnyCommand::Call(call, command))
            .await
            .expect("facts are not refused")
    }

    /// Makes a queue.
    pub async fn queue(&self, name: &str, config: queue::Config) -> QueueId {
        let id = QueueId::named(DEFAULT_TENANT, name);
        let command = queue::Command::Configure {
            name: name.into(),
            config,
        };
        let made = self
            .dispatch(AnyCommand::Queue(id, command))
            .await
            .expect("valid rules");
        self.directory.wait_for(made.position).await;
        id
    }

    /// Makes an agent of a queue, logged in and ready.
    pub async fn ready_agent(&self, name: &str, queue: QueueId) -> AgentId {
        let id = AgentId::named(DEFAULT_TENANT, name);
        let config = agent::Config {
            display_name: None,
            queues: vec![queue],
            ready_on_register: false,
            registration_grace_ms: agent::REGISTRATION_GRACE_MS,
            capacity: 1,
            skills: vec![],
            places: vec![],
        };
        let command = agent::Command::Configure {
            name: name.into(),
            config,
        };
        let made = self
            .dispatch(AnyCommand::Agent(id, command))
            .await
            .expect("a valid name");
        self.directory.wait_for(made.position).await;
        self.wish(id, Wish::Ready).await;
        id
    }

    /// Carries out what an agent wants.
    pub async fn wish(&self, agent: AgentId, wish: Wish) {
        let envelope = self.envelope(AnyCommand::Agent(
            agent,
            agent::Command::Configure {
                name: "replaced".into(),
                config: agent::Config {
                    display_name: None,
                    queues: vec![],
                    ready_on_register: false,
                    registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                    capacity: 1,
                    skills: vec![],
                    places: vec![],
                },
            },
        ));
        let (gateway, directory) = (&self.gateway, &self.directory);
        let done = sessions::carry_out(gateway, directory, agent, wish, &envelope, None)
            .await
            .expect("nothing speaks against it");
        self.directory.wait_for(done.position).await;
    }

    /// A caller rings in to a queue.
    pub async fn ring_in(&self, queue: QueueId, answer_mode: AnswerMode) -> Caller {
        let caller = Caller {
            call: CallId(self.id()),
            leg: LegId(self.id()),
        };
        let from = Party {
            user: "4930123456".into(),
            host: None,
            display_name: None,
            contact: None,
            user_field: None,
        };
        let command = call::Command::ReceiveCall {
            withheld: false,
            leg: caller.leg,
            from: self
                .stores
                .vault
                .seal(&from)
                .await
                .expect("the vault works"),
            to: "support".into(),
            trunk: None,
            sip_call_id: "test@loopback".into(),
            user_agent: None,
            diversion: None,
            route: Route::Queue {
                queue,
                config_version: 1,
                answer_mode,
                visit: VisitId(self.id()),
                exit_keys: vec![],
                music: None,
            },
        };
        self.tell(caller.call, command).await;
        caller
    }

    /// Waits for the first event after a position that somebody looks for.
    pub async fn see<T>(
        &self,
        after: Position,
        mut look: impl FnMut(&Entry) -> Option<T>,
    ) -> (Position, T) {
        let search = async {
            let mut position = after;
            loop {
                self.feed.wait_beyond(position).await;
                for entry in self
                    .feed
                    .read(position, 100)
                    .await
                    .expect("the feed is readable")
                {
                    position = entry.recorded.position;
                    if let Some(found) = look(&entry) {
                        return (position, found);
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, search)
            .await
            .expect("the event comes")
    }

    /// Waits until a phone is to ring for the call, after a position.
    pub async fn see_ring(&self, after: Position, wanted: CallId) -> (Position, Ring) {
        self.see(after, |entry| match &entry.fact.event {
            AnyEvent::Call(
                call,
                call::Event::OfferStarted {
                    offer,
                    leg,
                    session,
                    ..
                },
            ) if *call == wanted => Some(Ring {
                call: *call,
                offer: *offer,
                leg: *leg,
                agent: session.agent,
            }),
            _ => None,
        })
        .await
    }

    /// Waits for an event of that wire name that concerns the call.
    pub async fn see_event(&self, after: Position, call: CallId, event_type: &str) -> Position {
        self.see(after, |entry| {
            let concerns = entry.fact.event.call() == Some(call);
            (concerns && &*entry.recorded.event_type == event_type).then_some(())
        })
        .await
        .0
    }

    /// Every event so far.
    pub async fn history(&self) -> Vec<Arc<Entry>> {
        let mut all = vec![];
        let mut position = Position::default();
        loop {
            let page = self
                .feed
                .read(position, 1_000)
                .await
                .expect("the feed is readable");
            let Some(last) = page.last() else { return all };
            position = last.recorded.position;
            all.extend(page);
        }
    }
}
