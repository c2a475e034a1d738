//! A whole server without its binary: write side, SIP and media on loopback,
//! and our own phones to call it.

use commands::{
    credentials,
    feed::Feed,
    ports::{Clock, Position},
    roster::Roster,
    system::{SystemClock, SystemEntropy},
};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent},
    call,
    id::{AgentId, CallId, DEFAULT_TENANT, LegId, QueueId},
    queue,
    time::Timestamp,
    trunk,
};
use phone::{CallOptions, OutgoingCall, Phone, PhoneOptions, Transport};
use ringledger_tests::office::Office;
use sip::{
    media::{FarEnd, Media, NoPort},
    sdp,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use ringledger_tests::office::rules;

/// A phone that is lost may come back within that.
pub const GRACE_MS: u64 = 300;

/// Nothing that is waited for takes longer on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(15);

pub const REALM: &str = "ringledger";

/// The relay as SIP sees it; the server does the same.
struct RelayPort(media::Relay);

impl Media for RelayPort {
    fn open(&self, leg: LegId) -> Result<SocketAddr, NoPort> {
        self.0.open(leg).map(|local| local.rtp).map_err(|_| NoPort)
    }

    fn open_caller(&self, leg: LegId) -> Result<SocketAddr, NoPort> {
        let opened = self.0.open_caller(leg);
        opened.map(|local| local.rtp).map_err(|_| NoPort)
    }

    fn set_remote(&self, leg: LegId, far: FarEnd) {
        let mut payload_types = match far.codec {
            sdp::Codec::Pcmu => media::PayloadTypes::pcmu(far.dtmf_payload_type),
            sdp::Codec::Pcma => media::PayloadTypes::pcma(far.dtmf_payload_type),
        };
        payload_types.audio = far.payload_type;
        let direction = match far.direction {
            sdp::Direction::SendRecv => media::Direction::SendRecv,
            sdp::Direction::SendOnly => media::Direction::SendOnly,
            sdp::Direction::RecvOnly => media::Direction::RecvOnly,
            sdp::Direction::Inactive => media::Direction::Inactive,
        };
        let policy = if far.rtp.ip() == far.signalled_from {
            media::SourcePolicy::Strict
        } else {
            media::SourcePolicy::Latch {
                registered: far.signalled_from,
            }
        };
        self.0.set_remote(
            leg,
            media::Remote {
                rtp: far.rtp,
                rtcp: far.rtcp,
                payload_types,
                direction,
                policy,
            },
        );
    }

    fn close(&self, leg: LegId) {
        self.0.close(leg);
    }
}

/// The system's clock, that can be put forward.
#[derive(Default)]
pub struct MovedClock(AtomicU64);

impl MovedClock {
    /// Later by so many milliseconds from now on.
    pub fn forward(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_ms(self.0.load(Ordering::Relaxed))
    }
}

pub struct World {
    /// The clock of the SIP adapter.
    pub clock: Arc<MovedClock>,
    pub office: Arc<Office>,
    pub sip: sip::Handle,
    pub relay: media::Relay,
    pub shutdown: CancellationToken,
    _media: oneshot::Sender<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Settings for loopback.
pub fn options() -> sip::Options {
    sip::Options {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ws_listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        realm: REALM.into(),
        ..sip::Options::default()
    }
}

/// Settings of the relay for loopback.
pub fn relay_options() -> media::Options {
    media::Options {
        listen: [127, 0, 0, 1].into(),
        quarantine_ms: 100,
        ..media::Options::default()
    }
}

pub async fn open() -> World {
    open_with(options()).await
}

pub async fn open_with(options: sip::Options) -> World {
    open_on(Arc::new(Office::open().await), options).await
}

/// Opens over a write side that is there already, as after a restart.
pub async fn open_on(office: Arc<Office>, options: sip::Options) -> World {
    open_all(office, options, relay_options()).await
}

/// Opens with settings of SIP and of the relay.
pub async fn open_relay(options: sip::Options, relay_options: media::Options) -> World {
    open_all(Arc::new(Office::open().await), options, relay_options).await
}

async fn open_all(
    office: Arc<Office>,
    options: sip::Options,
    relay_options: media::Options,
) -> World {
    let (relay, events) =
        media::Relay::start(&relay_options, Arc::new(SystemEntropy::default())).unwrap();
    let means = media::driver::Means {
        relay: relay.clone(),
        feed: office.feed.clone(),
        gateway: office.gateway.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::default()),
        vault: office.stores.vault.clone(),
        recordings: office.stores.recordings.clone(),
    };
    let (stop_media, stopped) = oneshot::channel();
    let head = office.feed.head();
    tokio::spawn(media::driver::run(means, events, head, stopped));
    let shutdown = CancellationToken::new();
    let clock = Arc::new(MovedClock::default());
    let parts = sip::Parts {
        gateway: office.gateway.clone(),
        feed: office.feed.clone(),
        head,
        directory: office.directory.clone(),
        vault: office.stores.vault.clone(),
        store: office.stores.read.clone(),
        secrets: office.stores.secrets.clone(),
        media: Arc::new(RelayPort(relay.clone())),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy::default()),
        roster: Roster::alone("test", office.gateway.node_epoch()),
    };
    let sip = sip::start(options, parts, shutdown.clone()).await.unwrap();
    World {
        clock,
        office,
        sip,
        relay,
        shutdown,
        _media: stop_media,
    }
}

impl World {
    pub fn feed(&self) -> &Feed {
        &self.office.feed
    }

    /// A queue named `support` with these rules.
    pub async fn support(&self, rules: queue::Config) -> QueueId {
        self.office.queue("support", rules).await
    }

    /// An agent of the queue, logged in when the first phone registers.
    pub async fn agent(&self, name: &str, queue: QueueId) -> AgentId {
        self.agent_of(name, queue, 1).await
    }

    /// The same who may have so many calls at once.
    pub async fn agent_of(&self, name: &str, queue: QueueId, capacity: u8) -> AgentId {
        let id = AgentId::named(DEFAULT_TENANT, name);
        let command = agent::Command::Configure {
            name: name.into(),
            config: agent::Config {
                display_name: None,
                queues: vec![queue],
                ready_on_register: true,
                registration_grace_ms: GRACE_MS,
                capacity,
                skills: vec![],
                places: vec![],
            },
        };
        let made = self
            .office
            .dispatch(AnyCommand::Agent(id, command))
            .await
            .unwrap();
        self.office.directory.wait_for(made.position).await;
        let secrets = &*self.office.stores.secrets;
        credentials::keep(secrets, REALM, name, "secret")
            .await
            .unwrap();
        id
    }

    pub async fn trunk(&self, name: &str, allow: &str) {
        let config = trunk::Config {
            allow: vec![allow.into()],
            host: None,
            user: None,
            outbound: trunk::Outbound::default(),
            forwards: vec![],
        };
        self.trunk_with(name, config).await;
    }

    /// A trunk that is configured so.
    pub async fn trunk_with(&self, name: &str, config: trunk::Config) {
        let id = domain::id::TrunkId::named(DEFAULT_TENANT, name);
        let command = trunk::Command::Configure {
            name: name.into(),
            config,
        };
        let made = self
            .office
            .dispatch(AnyCommand::Trunk(id, command))
            .await
            .unwrap();
        self.office.directory.wait_for(made.position).await;
    }

    pub fn phone_options(&self, user: &str) -> PhoneOptions {
        PhoneOptions::new(self.sip.local_addr(), user)
    }

    /// The same for a phone as in a browser.
    pub fn browser_options(&self, user: &str) -> PhoneOptions {
        PhoneOptions {
            transport: Transport::Ws,
            ..PhoneOptions::new(self.sip.ws_addr().unwrap(), user)
        }
    }

    pub async fn phone(&self, user: &str) -> Phone {
        Phone::bind(self.phone_options(user)).await.unwrap()
    }

    /// A phone of an agent, registered, its agent ready.
    pub async fn agent_phone(&self, name: &str) -> Phone {
        self.agent_phone_with(self.phone_options(name)).await
    }

    pub async fn agent_phone_with(&self, options: PhoneOptions) -> Phone {
        let name = options.user.clone();
        let before = self.feed().head();
        let first = !self.is_ready(&name).await;
        let phone = Phone::bind(options.with_password("secret")).await.unwrap();
        phone.register(120).await.unwrap();
        if first {
            let agent = AgentId::named(DEFAULT_TENANT, &name);
            self.office
                .see(before, |entry| match &entry.fact.event {
                    AnyEvent::Session(session, domain::session::Event::BecameReady {})
                        if session.agent == agent =>
                    {
                        Some(())
                    }
                    _ => None,
                })
                .await;
        }
        phone
    }

    async fn is_ready(&self, name: &str) -> bool {
        let agent = AgentId::named(DEFAULT_TENANT, name);
        self.office
            .directory
            .session(agent)
            .is_some_and(|(_, open)| open)
    }

    /// Waits for the next event of that name of any call, after a position.
    pub async fn see(&self, after: Position, event_type: &str) -> (Position, CallId) {
        self.office
            .see(after, |entry| {
                (&*entry.recorded.event_type == event_type)
                    .then(|| entry.fact.event.call())
                    .flatten()
            })
            .await
    }

    /// Waits for the next event of that name of anything, after a position.
    pub async fn see_any(&self, after: Position, event_type: &str) {
        self.office
            .see(after, |entry| {
                (&*entry.recorded.event_type == event_type).then_some(())
            })
            .await;
    }

    /// Waits for the end of a call and returns its event.
    pub async fn see_end(&self, after: Position) -> call::Event {
        self.office
            .see(after, |entry| match &entry.fact.event {
                AnyEvent::Call(_, event @ call::Event::Ended { .. }) => Some(event.clone()),
                _ => None,
            })
            .await
            .1
    }

    /// Wire names of a call's events so far, but for what was measured of its sound:
    /// that comes when the last port is closed, and no test waits for it here.
    pub async fn story(&self, wanted: CallId) -> Vec<String> {
        self.office
            .history()
            .await
            .into_iter()
            .filter(|entry| matches!(&entry.fact.event, AnyEvent::Call(call, _) if *call == wanted))
            .map(|entry| entry.recorded.event_type.to_string())
            .filter(|event| event != "media_measured")
            .collect()
    }

    /// Waits until no port is open and no leg is live.
    pub async fn see_nothing_left(&self) {
        let nothing = async {
            while self.relay.open_ports() > 0 || self.sip.live_legs() > 0 || self.sip.calls() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, nothing)
            .await
            .unwrap_or_else(|_| {
                panic!(
                    "{} ports, {} legs, {} calls are left",
                    self.relay.open_ports(),
                    self.sip.live_legs(),
                    self.sip.calls()
                )
            });
    }
}

pub async fn dial(phone: &Phone, target: &str) -> OutgoingCall {
    phone.call(target, CallOptions::default()).await.unwrap()
}
