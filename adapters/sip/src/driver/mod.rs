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
mod refusals;
mod registers;
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
    transport::{Flow, Transport, tcp, udp},
};
use lanes::{Lanes, Receipt};
use passwords::{Failures, Passwords};
use refusals::Refusals;

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
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};
use tokio::net::{TcpListener, UdpSocket};
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
    #[error("can not listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
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
}

impl Handle {
    /// Where it listens, UDP and TCP.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
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
    let listen = options.listen;
    let failed = |source| StartError::Listen {
        address: listen,
        source,
    };
    let (socket, listener) = bind_pair(listen).await.map_err(failed)?;
    let local = socket.local_addr().map_err(failed)?;
    let stack_options = StackOptions {
        host: options
            .advertised_host
            .clone()
            .unwrap_or_else(|| own_host(local.ip())),
        port: local.port(),
        t1_ms: options.t1_ms,
    };
    let (stack, incoming) =
        Stack::start(stack_options, socket.clone(), shutdown.clone()).map_err(failed)?;
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
    let limits = driver.options.tcp();
    let follow = orders::follow(driver.clone(), head, shutdown.clone());
    let tick = tick::run(driver.clone(), shutdown.clone());
    let refusals = refusals::run(driver.clone(), shutdown.clone());
    let udp = udp::run(socket, ingress.clone(), shutdown.clone());
    let tcp = tcp::listen(listener, ingress, limits, shutdown.clone());
    watch("requests", incoming.run(user), &shutdown);
    watch("orders", follow, &shutdown);
    watch("tick", tick, &shutdown);
    watch("refusals", refusals, &shutdown);
    watch("udp", udp, &shutdown);
    watch("tcp", tcp, &shutdown);
    tokio::spawn(driver.clone().record_loaded());
    Ok(Handle { driver, local })
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

/// Tries of a pair when any port will do.
const PAIRS_MAX: u32 = 20;

/// UDP and TCP on one port. With port 0 the system gives a free UDP port whose
/// number may be taken in TCP: then another one is asked for.
async fn bind_pair(listen: SocketAddr) -> std::io::Result<(Arc<UdpSocket>, TcpListener)> {
    let mut tries = 1;
    loop {
        let socket = udp::bind(listen)?;
        match TcpListener::bind(socket.local_addr()?).await {
            Ok(listener) => return Ok((Arc::new(socket), listener)),
            Err(error) if listen.port() != 0 || tries >= PAIRS_MAX => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

/// The address by which others reach a socket that listens on `ip`: itself, or
/// for "any" the one that the default route goes out from.
fn own_host(ip: IpAddr) -> String {
    crate::address::host_of(own_ip(ip))
}

fn own_ip(ip: IpAddr) -> IpAddr {
    if ip.is_unspecified() {
        let any = SocketAddr::new(ip, 0);
        let far: SocketAddr = match ip {
            IpAddr::V4(_) => ([198, 51, 100, 1], 9).into(),
            IpAddr::V6(_) => ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9).into(),
        };
        // Connecting a datagram socket sends nothing; it only picks a route.
        std::net::UdpSocket::bind(any)
            .and_then(|socket| {
                socket.connect(far)?;
                socket.local_addr()
            })
            .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
    } else {
        ip
    }
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
        let source = flow.peer.ip();
        if request.method == Method::Invite {
            return self.admit_call(source, request, transaction);
        }
        self.admit_request(source, request)
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
            // The boundary has answered these; a new one there must come here.
            Method::Ack
            | Method::Cancel
            | Method::Update
            | Method::Refer
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

    fn needed_connections(&self) -> HashSet<SocketAddr> {
        let mut needed = self.phones.connections();
        for leg in self.legs().live_mut() {
            let over_tcp = leg.flows();
            needed.extend(
                over_tcp
                    .filter(|flow| flow.transport == Transport::Tcp)
                    .map(|flow| flow.peer),
            );
        }
        needed
    }

    fn connection_closed(&self, peer: SocketAddr) {
        let now_ms = self.parts.clock.now().millis_unsigned();
        self.phones.connection_lost(peer, now_ms);
    }
}
