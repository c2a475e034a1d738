//! A server with everything behind it, and the words of the tests.

use crate::views;
use commands::outbox::Outbox;
use commands::{
    bookkeeping::Bookkeeping,
    directory::Directory,
    envelope::{Committed, Envelope},
    feed::Feed,
    gateway::Gateway,
    invoice_run,
    ports::{Clock, Entropy},
    rater::Rater,
    roster::Roster,
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    call::{AnswerMode, Command, Placing, Route},
    cause::WireCause,
    id::{
        AgentId, CallId, CallbackId, CommandId, DEFAULT_TENANT, LegId, OfferId, QueueId, SessionId,
        VisitId,
    },
    line::{self, VisitPolicy},
    sealed::Party,
    session::{NotReadyCode, NotReadyReason},
    time::Timestamp,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use projections::Running;
use ringledger_graphql::{
    Check, Options, PauseWord, Probes, Reloaded, Services, Settings, Words,
    auth::{Identity, Scope, issue_token, keep_token},
    router,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::Stores;
use tokio::task::AbortHandle;
use uuid::Uuid;

/// Everything, in one process.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    /// A token with every scope.
    pub(crate) admin: String,
    pub(crate) stores: Stores,
    pub(crate) gateway: Gateway,
    pub(crate) directory: Directory,
    pub(crate) feed: Feed,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) clock: Arc<SystemClock>,
    pub(crate) entropy: Arc<SystemEntropy>,
    http: reqwest::Client,
    _projections: Running,
    server: AbortHandle,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An answer of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The data, when there is no error.
    #[track_caller]
    pub(crate) fn data(self) -> Value {
        assert_eq!(self.body.get("errors"), None, "{:#}", self.body);
        self.body["data"].clone()
    }

    /// The code of the first error.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        let error = &self.body["errors"][0];
        let trace = error["extensions"]["traceId"].as_str();
        assert!(trace.is_some_and(|trace| trace.len() == 32), "{error:#}");
        error["extensions"]["code"].as_str().unwrap()
    }

    /// The message of the first error.
    #[track_caller]
    pub(crate) fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap()
    }
}

pub(crate) fn uuid() -> Uuid {
    SystemEntropy::default().uuid(SystemClock.now())
}

/// Ready as long as the test says so.
fn probes(is_ready: Arc<AtomicBool>) -> Probes {
    Probes {
        ready: Arc::new(move || {
            let passed = is_ready.load(Ordering::SeqCst);
            let name = "store";
            async move { vec![Check { name, passed }] }.boxed()
        }),
        metrics: Arc::new(|| "ringledger_calls_count 7\n".into()),
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let stores = store::open("memory:").await.unwrap();
        let clock = Arc::new(SystemClock);
        let entropy = Arc::new(SystemEntropy::default());
        let (writer, feed) = Writer::start(stores.log.clone(), clock.clone())
            .await
            .unwrap();
        let gateway = Gateway::new(stores.log.clone(), writer, entropy.clone(), 1);
        let directory = Directory::start(feed.clone()).await.unwrap();
        let books = Bookkeeping::start(feed.clone()).await.unwrap();
        let (log, vault) = (stores.log.clone(), stores.vault.clone());
        let rater = Rater::new(books.clone(), feed.clone(), log.clone(), vault);
        gateway.rate_with(rater.clone());
        let projections = views::start(&stores, feed.clone()).await;
        let secrets = stores.secrets.as_ref();
        let admin = issue_token(secrets, &*entropy, "admin", DEFAULT_TENANT, &[Scope::All])
            .await
            .unwrap();
        let services = Services {
            gateway: gateway.clone(),
            directory: directory.clone(),
            roster: Roster::alone("test", 1),
            views: projections.views(),
            rater,
            owning: Arc::default(),
            invoicing: invoice_run::Means {
                gateway: gateway.clone(),
                books,
                feed: feed.clone(),
                log,
                store: stores.read.clone(),
                clock: clock.clone(),
                actor: String::new(),
            },
            secrets: stores.secrets.clone(),
            vault: stores.vault.clone(),
            recordings: stores.recordings.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            realm: "ringledger".into(),
            tenant: DEFAULT_TENANT,
            outbox: Outbox::new(stores.read.clone()),
            webhooks: Arc::new([]),
            settings: settings(),
            options,
        };
        let ready = Arc::new(AtomicBool::new(true));
        let probes = probes(ready.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = router(services, probes);
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            address,
            admin,
            stores,
            gateway,
            directory,
            feed,
            ready,
            clock,
            entropy,
            http: reqwest::Client::new(),
            _projections: projections,
            server: server.abort_handle(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(self.url(path))
    }

    pub(crate) fn post(&self) -> reqwest::RequestBuilder {
        self.http.post(self.url("/graphql"))
    }

    /// A token with these scopes.
    pub(crate) async fn token(&self, scopes: &[Scope]) -> String {
        let secrets = self.stores.secrets.as_ref();
        issue_token(secrets, &*self.entropy, "test", DEFAULT_TENANT, scopes)
            .await
            .unwrap()
    }

    /// A token of an agent's desktop.
    pub(crate) async fn desktop(&self, agent: AgentId) -> String {
        let token = format!("rl_desktop_{agent}");
        let identity = Identity {
            tenant: DEFAULT_TENANT,
            scopes: vec![Scope::AgentSelf, Scope::AgentRead],
            name: "desktop".into(),
            agent: Some(agent),
        };
        keep_token(self.stores.secrets.as_ref(), &token, &identity)
            .await
            .unwrap();
        token
    }

    /// Asks with a token.
    pub(crate) async fn ask_as(&self, token: &str, query: &str, variables: Value) -> Answer {
        let response = self
            .post()
            .bearer_auth(token)
            .json(&json!({"query": query, "variables": variables}))
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = response.json().await.unwrap();
        Answer { status, body }
    }

    /// Asks as somebody who may do everything.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Answer {
        self.ask_as(&self.admin, query, variables).await
    }

    /// The data of a query without variables.
    pub(crate) async fn data(&self, query: &str) -> Value {
        self.ask(query, json!({})).await.data()
    }

    /// Orders with a fresh command id: `mutation(input: {..}) { selection }`.
    pub(crate) async fn order(&self, mutation: &str, input: Value, selection: &str) -> Value {
        self.order_as(&self.admin, mutation, uuid(), input, selection)
            .await
            .data()[mutation]
            .clone()
    }

    pub(crate) async fn order_as(
        &self,
        token: &str,
        mutation: &str,
        command_id: Uuid,
        mut input: Value,
        selection: &str,
    ) -> Answer {
        input["commandId"] = json!(command_id);
        let mut type_name = mutation.to_owned();
        type_name[..1].make_ascii_uppercase();
        let query = format!(
            "mutation M($i: {type_name}Input!) {{ {mutation}(input: $i) {{ {selection} }} }}"
        );
        self.ask_as(token, &query, json!({"i": input})).await
    }

    /// Makes a queue and answers its id.
    pub(crate) async fn queue(&self, name: &str) -> QueueId {
        let input = json!({"name": name, "wrapUpMs": 1000});
        let made = self
            .order("createQueue", input, "position userErrors { code }")
            .await;
        assert_eq!(made["userErrors"], json!([]));
        QueueId::named(DEFAULT_TENANT, name)
    }

    /// Makes an agent who serves that queue and answers its id.
    pub(crate) async fn agent(&self, name: &str, queue: QueueId) -> AgentId {
        let input = json!({"name": name, "password": "secret", "queueIds": [queue.to_string()]});
        let made = self
            .order("createAgent", input, "position userErrors { code }")
            .await;
        assert_eq!(made["userErrors"], json!([]));
        AgentId::named(DEFAULT_TENANT, name)
    }

    /// Puts a command through the gateway, as the SIP adapter does.
    pub(crate) async fn dispatch(&self, command: AnyCommand) -> Committed {
        self.dispatch_at(self.clock.now(), command).await
    }

    /// The same at an instant.
    pub(crate) async fn dispatch_at(&self, at: Timestamp, command: AnyCommand) -> Committed {
        let envelope = Envelope {
            command,
            command_id: CommandId(uuid()),
            at,
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            actor: "adapter:test".into(),
            tenant: DEFAULT_TENANT,
        };
        self.gateway.dispatch(envelope).await.unwrap()
    }

    /// A call comes into the queue and waits.
    pub(crate) async fn ring(&self, queue: QueueId, from: &str) -> Ringing {
        self.ring_at(self.clock.now(), queue, from).await
    }

    /// The same at an instant.
    pub(crate) async fn ring_at(&self, at: Timestamp, queue: QueueId, from: &str) -> Ringing {
        let ringing = Ringing {
            call: CallId(uuid()),
            visit: VisitId(uuid()),
            leg: LegId(uuid()),
        };
        let party = party(from);
        let command = Command::ReceiveCall {
            withheld: party.is_withheld(),
            leg: ringing.leg,
            from: self.stores.vault.seal(&party).await.unwrap(),
            to: "sales".into(),
            trunk: None,
            sip_call_id: format!("{}@test", ringing.call),
            user_agent: None,
            diversion: None,
            route: Route::Queue {
                queue,
                config_version: 1,
                answer_mode: AnswerMode::OnAgent,
                visit: ringing.visit,
                exit_keys: vec![],
                music: None,
            },
        };
        let command = AnyCommand::Call(ringing.call, command);
        self.dispatch_at(at, command).await;
        self.waits(at, queue, ringing).await
    }

    /// A call of ours, to ring somebody back, waits for an agent.
    pub(crate) async fn ring_back(&self, queue: QueueId, to: &str) -> Ringing {
        let at = self.clock.now();
        let ringing = Ringing {
            call: CallId(uuid()),
            visit: VisitId(uuid()),
            leg: LegId(uuid()),
        };
        let placing = Placing {
            leg: ringing.leg,
            party: self.stores.vault.seal(&party(to)).await.unwrap(),
            callback: CallbackId(uuid()),
            place: at,
            queue,
            config_version: 1,
            visit: ringing.visit,
            wanted: None,
            music: None,
        };
        let command = AnyCommand::Call(ringing.call, Command::PlaceCall(placing));
        self.dispatch_at(at, command).await;
        self.waits(at, queue, ringing).await
    }

    async fn waits(&self, at: Timestamp, queue: QueueId, ringing: Ringing) -> Ringing {
        let open = line::Command::OpenVisit {
            visit: ringing.visit,
            call: ringing.call,
            enqueued_at: at,
            joined_at: None,
            priority: None,
            previous: None,
            capacity: 1_000,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: AnswerMode::OnAgent,
                ring_timeout_ms: 20_000,
                wrap_up_ms: 1_000,
                max_wait_ms: 0,
                measure: Some(domain::queue::Config::default().measure()),
            },
            barred: None,
        };
        self.dispatch_at(at, AnyCommand::Line(queue, open)).await;
        ringing
    }

    /// An agent's phone rings and is answered.
    pub(crate) async fn connect(&self, ringing: &Ringing, agent: AgentId) -> LegId {
        self.connect_at(self.clock.now(), ringing, agent).await
    }

    /// The same at an instant.
    pub(crate) async fn connect_at(
        &self,
        at: Timestamp,
        ringing: &Ringing,
        agent: AgentId,
    ) -> LegId {
        let leg = LegId(uuid());
        let offer = Command::StartOffer {
            offer: OfferId(uuid()),
            visit: ringing.visit,
            session: SessionId { agent, number: 1 },
            leg,
            until: at.plus_ms(20_000),
            beside: false,
        };
        for command in [
            offer,
            Command::RecordAlerting { leg },
            Command::RecordAnswer {
                leg,
                codec: None,
                device: None,
            },
        ] {
            let command = AnyCommand::Call(ringing.call, command);
            self.dispatch_at(at, command).await;
        }
        leg
    }

    /// That side hangs up; answers the position of the end.
    pub(crate) async fn hang_up(&self, ringing: &Ringing, leg: LegId) -> u64 {
        let command = Command::RecordBye {
            leg,
            wire: WireCause::default(),
        };
        let committed = self.dispatch(AnyCommand::Call(ringing.call, command)).await;
        committed.position.0
    }

    /// Position of the last event there is.
    pub(crate) fn head(&self) -> u64 {
        self.feed.head().0
    }
}

fn party(user: &str) -> Party {
    Party {
        user: user.into(),
        host: Some("example.net".into()),
        display_name: None,
        contact: None,
        user_field: None,
    }
}

/// A call in a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ringing {
    pub(crate) call: CallId,
    pub(crate) visit: VisitId,
    pub(crate) leg: LegId,
}

/// Two skills; they are never read anew here.
fn settings() -> Settings {
    let words = Words {
        skills: vec!["german".into(), "billing".into()],
        wrap_up_codes: vec!["sold".into(), "no_sale".into()],
        announcements: vec!["closed".into()],
        positions: [("english".into(), 10)].into(),
        music: vec!["jazz".into()],
        pauses: vec![PauseWord {
            said: NotReadyCode {
                code: "coffee".into(),
                is_paid: true,
                is_productive: false,
            },
            label: "Coffee".into(),
            category: NotReadyReason::Break,
        }],
        queues: vec!["reception".into()],
    };
    let reload = || -> BoxFuture<'static, Result<Reloaded, String>> {
        Box::pin(async { Err("there is no file".into()) })
    };
    Settings::new(words, Arc::new(reload))
}
