//! Stack event -> inbound -> gateway; committed event -> outbound -> stack.
//!
//! Two directions that never wait for each other: what the network tells
//! becomes commands on the spot, in the order of arrival; what has been
//! committed is read from the feed and becomes orders. Between them stand the
//! [`Legs`].

mod admit;
mod agents;
mod callers;
mod dialogs;
mod edges;
mod lanes;
mod orders;
mod passwords;
mod placed;
mod probes;
mod refers;
mod refusals;
mod registers;
mod sockets;
mod talk;
mod tick;
mod trunks;
mod ways;

use crate::{
    admission::Admission,
    auth::Authenticator,
    bindings::Phones,
    edge::Edge,
    ingress::Ingress,
    legs::Legs,
    media::Media,
    message::{DialogId, Method, Request, Response},
    options::Options,
    stack::{Reply, ServerTransaction, Stack, StackOptions, TransactionUser},
    transport::{
        Flow, Transport,
        connections::{Connections, Framing},
        udp,
    },
};
use lanes::{Lanes, Receipt};
use passwords::{Failures, Passwords};
use refusals::Refusals;
use sockets::{Sockets, own_host, own_ip};

use commands::{
    directory::Directory,
    envelope::Envelope,
    feed::Feed,
    gateway::Gateway,
    ports::{Clock, Entropy, Position, ReadStore, Secrets, StoreError, Vault},
    roster::Roster,
};
use domain::{
    any::AnyCommand,
    call,
    id::{CallId, CommandId, DEFAULT_TENANT},
};
use std::{
    collections::{BTreeSet, HashSet},
    net::SocketAddr,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Who the commands of this crate are from.
const ACTOR: &str = "adapter:sip";

/// What the adapter is connected to.
#[derive(Clone)]
pub struct Parts {
    /// Where commands go.
    pub gateway: Gateway,
    /// Where committed events come from.
    pub feed: Feed,
    /// They are read from here on.
    pub head: Position,
    /// Names and numbers.
    pub directory: Directory,
    /// Seals personal data.
    pub vault: Arc<dyn Vault>,
    /// Keeps the bindings.
    pub store: Arc<dyn ReadStore>,
    /// The passwords of agents.
    pub secrets: Arc<dyn Secrets>,
    /// RTP.
    pub media: Arc<dyn Media>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The nodes that run on the log.
    pub roster: Roster,
}

/// Why the adapter did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can not be listened on.
    #[error("can not listen on {address}, as sip.{key} says")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The setting that names it.
        key: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The bindings can not be read.
    #[error("bindings can not be read")]
    Bindings(#[from] StoreError),
}

/// A running adapter; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    driver: Driver,
    local: SocketAddr,
    ws: Option<SocketAddr>,
}

impl Handle {
    /// Where it listens, UDP and TCP.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Where it listens for WebSockets; none when that is not set.
    pub const fn ws_addr(&self) -> Option<SocketAddr> {
        self.ws
    }

    /// Where other nodes reach it: the address that it listens on, or that of
    /// the default route when it listens on any.
    pub fn peer_addr(&self) -> SocketAddr {
        self.driver.peer
    }

    /// The URI under which a phone registers or calls, without a user part.
    pub fn contact(&self) -> String {
        self.driver.stack.contact(Transport::Udp)
    }

    /// Calls whose caller is still there.
    pub fn calls(&self) -> usize {
        self.driver.calls.load(Ordering::Relaxed)
    }

    /// Answers new calls with 503 from now on; running calls go on.
    pub fn refuse_new_calls(&self) {
        self.driver.admission.close();
    }

    /// Whether new calls are taken; not any more once the server drains.
    pub fn takes_new_calls(&self) -> bool {
        self.driver.admission.is_open()
    }

    /// The calls of this node that are not over.
    pub fn live_calls(&self) -> Vec<CallId> {
        let mut legs = self.driver.legs();
        let calls: BTreeSet<CallId> = legs.live_mut().map(|leg| leg.call).collect();
        calls.into_iter().collect()
    }

    /// Lets every leg go, without a word to the record: another node has ended
    /// the calls there. Nothing else is answered from now on.
    pub fn let_go(&self) {
        self.driver.admission.close();
        for call in self.live_calls() {
            self.driver.let_go(call);
        }
    }

    /// Sums up the refused calls that wait to be recorded: to be asked before the end.
    pub async fn settle_refusals(&self) {
        self.driver.settle_refusals().await;
    }

    /// Transactions that are alive.
    pub fn transactions(&self) -> usize {
        self.driver.stack.transactions()
    }

    /// The same with those that are only remembered, to answer what is repeated.
    pub fn transactions_kept(&self) -> usize {
        self.driver.stack.transactions_kept()
    }

    /// Legs that are not over.
    pub fn live_legs(&self) -> usize {
        self.driver.legs().live_mut().count()
    }
}

/// The driver; cheap to clone.
#[derive(Clone)]
pub(crate) struct Driver(Arc<Inner>);

impl Deref for Driver {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

pub(crate) struct Inner {
    options: Options,
    parts: Parts,
    lanes: Lanes,
    stack: Stack,
    legs: Mutex<Legs>,
    /// Calls whose caller's leg is not over; asked for every INVITE, without the lock.
    calls: AtomicUsize,
    admission: Admission,
    phones: Phones,
    authenticator: Mutex<Authenticator>,
    passwords: Passwords,
    /// What other nodes reach our flows by, and we theirs.
    edge: Edge,
    /// Where other nodes reach us.
    peer: SocketAddr,
    /// Wrong credentials by source and user.
    failures: Failures,
    /// Calls that were answered with a refusal and are recorded behind.
    refusals: Refusals,
    /// Refused calls that may still be recorded in this second.
    refused_records: AtomicU32,
}

/// Starts the adapter. Everything ends with `shutdown`; calls are not ended by
/// it, that is a command for each of them first. The adapter cancels `shutdown`
/// itself when it can not go on.
///
/// # Errors
/// If it can not listen or can not read the bindings.
pub async fn start(
    options: Options,
    parts: Parts,
    shutdown: CancellationToken,
) -> Result<Handle, StartError> {
    let sockets = Sockets::bind(&options).await?;
    let (local, ws) = (sockets.local, sockets.ws_addr());
    let stack_options = StackOptions {
        host: options
            .advertised_host
            .clone()
            .unwrap_or_else(|| own_host(local.ip())),
        port: local.port(),
        ws_port: ws.map(|address| address.port()),
        t1_ms: options.t1_ms,
    };
    let (stack, incoming) = Stack::start(stack_options, sockets.udp.clone(), shutdown.clone())
        .map_err(|source| sockets.failed(source))?;
    let now_ms = parts.clock.now().millis_unsigned();
    let node = parts
        .roster
        .is_shared()
        .then(|| parts.roster.name().clone());
    let phones = Phones::load(parts.store.clone(), node, now_ms).await?;
    let head = parts.head;
    let driver = Driver(Arc::new(Inner {
        admission: Admission::new(options.limits()),
        refusals: Refusals::default(),
        refused_records: AtomicU32::new(options.refused_records_per_s),
        authenticator: Mutex::new(registers::authenticator(&options, &*parts.entropy)),
        passwords: Passwords::new(parts.secrets.clone()),
        failures: Failures::new(),
        stack: stack.clone(),
        legs: Mutex::default(),
        edge: Edge::default(),
        peer: SocketAddr::new(own_ip(local.ip()), local.port()),
        calls: AtomicUsize::new(0),
        phones,
        options,
        lanes: Lanes::new(parts.gateway.clone()),
        parts,
    }));
    let user: Arc<dyn TransactionUser> = Arc::new(driver.clone());
    let ingress = Ingress::new(stack, user.clone());
    let ingress = match driver.parts.roster.is_shared() {
        true => ingress.among(driver.edge.clone(), driver.parts.roster.clone()),
        false => ingress,
    };
    let ingress = Arc::new(ingress);
    let limits = driver.options.connections();
    let connections = Connections::new(ingress.clone(), limits, shutdown.clone());
    let follow = orders::follow(driver.clone(), head, shutdown.clone());
    let tick = tick::run(driver.clone(), shutdown.clone());
    let refusals = refusals::run(driver.clone(), shutdown.clone());
    let udp = udp::run(sockets.udp, ingress, shutdown.clone());
    let tcp = connections.clone().listen(sockets.tcp, Framing::Stream);
    watch("requests", incoming.run(user), &shutdown);
    watch("orders", follow, &shutdown);
    watch("tick", tick, &shutdown);
    watch("refusals", refusals, &shutdown);
    watch("udp", udp, &shutdown);
    watch("tcp", tcp, &shutdown);
    if let Some(listener) = sockets.ws {
        let ws = connections.listen(listener, Framing::WebSocket);
        watch("ws", ws, &shutdown);
    }
    tokio::spawn(driver.clone().record_loaded());
    Ok(Handle { driver, local, ws })
}

/// Runs a task that the adapter can not do without: if it ends by itself, so
/// does the adapter, instead of living on deaf or dumb.
fn watch(
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
    shutdown: &CancellationToken,
) {
    let task = tokio::spawn(task);
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        let _ = task.await;
        if !shutdown.is_cancelled() {
            tracing::error!(task = name, "sip has lost a task and stops");
            shutdown.cancel();
        }
    });
}

impl Inner {
    fn legs(&self) -> MutexGuard<'_, Legs> {
        // A panic under the lock ends one task; the map it leaves is still the
        // best there is, and a leg it broke ends by its timers.
        self.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn envelope(&self, command: AnyCommand, correlation_id: Uuid) -> Envelope {
        let at = self.parts.clock.now();
        let id = self.parts.entropy.uuid(at);
        Envelope {
            command,
            command_id: CommandId(id),
            at,
            correlation_id,
            causation_id: id,
            actor: ACTOR.to_owned(),
            tenant: DEFAULT_TENANT,
        }
    }
}

impl Driver {
    /// Records a fact of a call: at once, or after the call itself is on its way.
    fn record(&self, call: CallId, command: call::Command) {
        let mut legs = self.legs();
        if let Some(entry) = legs.call_mut(call)
            && let Some(early) = &mut entry.early
        {
            early.push(command);
            return;
        }
        drop(legs);
        self.submit(call, command);
    }

    /// Puts a command into the call's mailbox now, and sees that it is carried out.
    fn submit(&self, call: CallId, command: call::Command) {
        self.insist(self.envelope(AnyCommand::Call(call, command), call.0));
    }

    /// Brings a fact into the record, after those before it of the same
    /// aggregate and however long the store is away.
    fn insist(&self, envelope: Envelope) -> Receipt {
        self.lanes.record(envelope)
    }
}

impl TransactionUser for Driver {
    fn admit(&self, flow: Flow, request: &Request, transaction: &str) -> Result<(), Reply> {
        if request.method == Method::Invite {
            return self.admit_call(flow, request, transaction);
        }
        self.admit_request(flow.peer.ip(), request)
    }

    fn request(&self, transaction: ServerTransaction, request: Request) {
        metrics::counter!("ringledger_sip_requests_total", "method" => request.method.as_str())
            .increment(1);
        match request.method {
            Method::Invite => match request.dialog() {
                None => self.on_invite(transaction, &request),
                Some(dialog) => self.on_reinvite(&transaction, &request, &dialog),
            },
            Method::Bye => self.on_bye(&transaction, &request),
            Method::Options => self.on_options(&transaction, &request),
            Method::Register => self.on_register(transaction, request),
            Method::Info => self.on_info(&transaction, &request),
            Method::Refer => self.on_refer(&transaction, &request),
            // The boundary has answered these; a new one there must come here.
            Method::Ack
            | Method::Cancel
            | Method::Update
            | Method::Message
            | Method::Notify
            | Method::Subscribe
            | Method::Prack
            | Method::Publish => {
                transaction.respond(Reply::new(405).with("Allow", crate::message::allow()));
            }
        }
    }

    fn cancelled(&self, transaction: &ServerTransaction, cancel: Request) {
        self.on_cancel(transaction, &cancel);
    }

    fn acked(&self, transaction: &ServerTransaction, ack: Request) {
        self.on_ack(transaction, &ack);
    }

    fn ack_missing(&self, transaction: &ServerTransaction) {
        self.on_ack_missing(transaction);
    }

    fn late_success(&self, response: Response, flow: Flow) {
        self.on_late_success(&response, flow);
    }

    fn knows(&self, dialog: &DialogId) -> bool {
        dialogs::is_known(&self.legs(), dialog)
    }

    fn is_used(&self, flow: Flow) -> bool {
        self.legs().live_mut().any(|leg| leg.uses(flow))
    }

    fn needed_connections(&self) -> HashSet<Flow> {
        let mut needed = self.phones.connections();
        for leg in self.legs().live_mut() {
            needed.extend(leg.flows().filter(|flow| flow.transport.is_connection()));
        }
        needed
    }

    fn connection_closed(&self, flow: Flow) {
        let now_ms = self.parts.clock.now().millis_unsigned();
        self.phones.connection_lost(flow, now_ms);
    }
}
