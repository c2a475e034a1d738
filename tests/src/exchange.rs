//! An office with doors: the SIP adapter and the media relay on loopback over
//! the in-memory store, for phones that are real endpoints. Everything but the
//! process boundary is as in the binary.

use crate::office::Office;
use commands::{
    credentials,
    ports::Position,
    system::{SystemClock, SystemEntropy},
};
use domain::{
    agent,
    any::AnyCommand,
    any::AnyEvent,
    id::{AgentId, CallId, DEFAULT_TENANT, LegId, QueueId},
};
use media::{Direction, PayloadTypes, Relay, Remote, SourcePolicy};
use phone::{Phone, PhoneOptions};
use sip::media::{FarEnd, Media, NoPort};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

const REALM: &str = "ringledger";
/// Registration of the phones.
const EXPIRES_S: u32 = 600;

/// A running exchange.
pub struct Exchange {
    /// Its write side.
    pub office: Office,
    /// Its SIP adapter.
    pub sip: sip::driver::Handle,
    /// Its relay.
    pub relay: Relay,
    shutdown: CancellationToken,
    _media_stop: oneshot::Sender<()>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

struct Port(Relay);

impl Media for Port {
    fn open(&self, leg: LegId) -> Result<SocketAddr, NoPort> {
        self.0.open(leg).map(|local| local.rtp).map_err(|_| NoPort)
    }
    fn set_remote(&self, leg: LegId, far: FarEnd) {
        let payload_types = match far.codec {
            sip::sdp::Codec::Pcmu => PayloadTypes::pcmu(far.dtmf_payload_type),
            sip::sdp::Codec::Pcma => PayloadTypes::pcma(far.dtmf_payload_type),
        };
        let direction = match far.direction {
            sip::sdp::Direction::SendRecv => Direction::SendRecv,
            sip::sdp::Direction::SendOnly => Direction::SendOnly,
            sip::sdp::Direction::RecvOnly => Direction::RecvOnly,
            sip::sdp::Direction::Inactive => Direction::Inactive,
        };
        let policy = SourcePolicy::Strict;
        self.0.set_remote(
            leg,
            Remote {
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

impl Exchange {
    /// Opens with the adapters' own defaults on free ports of loopback.
    pub async fn open() -> Self {
        Self::open_with(|_, _| {}).await
    }

    /// Opens with changed options.
    pub async fn open_with(
        change: impl FnOnce(&mut sip::options::Options, &mut media::Options),
    ) -> Self {
        let office = Office::open().await;
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut sip_options = sip::options::Options {
            listen: SocketAddr::new(loopback, 0),
            realm: REALM.into(),
            ..sip::options::Options::default()
        };
        let mut media_options = media::Options {
            listen: loopback,
            quarantine_ms: 500,
            ..media::Options::default()
        };
        change(&mut sip_options, &mut media_options);
        let clock = Arc::new(SystemClock);
        let entropy = Arc::new(SystemEntropy::default());
        let (relay, events) =
            Relay::start(&media_options, entropy.clone()).expect("loopback has ports");
        let (media_stop, stopped) = oneshot::channel();
        let means = media::driver::Means {
            relay: relay.clone(),
            feed: office.feed.clone(),
            gateway: office.gateway.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let head = office.feed.head();
        tokio::spawn(media::driver::run(means, events, head, stopped));
        let shutdown = CancellationToken::new();
        let parts = sip::driver::Parts {
            gateway: office.gateway.clone(),
            feed: office.feed.clone(),
            directory: office.directory.clone(),
            vault: office.stores.vault.clone(),
            store: office.stores.read.clone(),
            secrets: office.stores.secrets.clone(),
            media: Arc::new(Port(relay.clone())),
            clock,
            entropy,
        };
        let sip = sip::driver::start(sip_options, parts, shutdown.clone())
            .await
            .expect("loopback has a free port");
        Self {
            office,
            sip,
            relay,
            shutdown,
            _media_stop: media_stop,
        }
    }

    /// Where SIP listens.
    pub fn addr(&self) -> SocketAddr {
        self.sip.local_addr()
    }

    /// Makes an agent of a queue that is ready when its phone registers, and
    /// its phone, registered.
    pub async fn agent(&self, name: &str, queue: QueueId) -> (AgentId, Phone) {
        let id = AgentId::named(DEFAULT_TENANT, name);
        let secrets = self.office.stores.secrets.as_ref();
        credentials::keep(secrets, REALM, name, "secret")
            .await
            .expect("memory takes it");
        let config = agent::Config {
            display_name: None,
            queues: vec![queue],
            ready_on_register: true,
        };
        let command = agent::Command::Configure {
            name: name.into(),
            config,
        };
        let made = self
            .office
            .dispatch(AnyCommand::Agent(id, command))
            .await
            .expect("a valid name");
        self.office.directory.wait_for(made.position).await;
        let options = PhoneOptions::new(self.addr(), name).with_password("secret");
        let phone = Phone::bind(options)
            .await
            .expect("loopback has a free port");
        phone
            .register(EXPIRES_S)
            .await
            .expect("the password is right");
        self.office
            .see(made.position, |entry| match &entry.fact.event {
                AnyEvent::Session(session, domain::session::Event::BecameReady {})
                    if session.agent == id =>
                {
                    Some(())
                }
                _ => None,
            })
            .await;
        (id, phone)
    }

    /// A caller's phone; it registers nowhere.
    pub async fn caller(&self, number: &str) -> Phone {
        Phone::bind(PhoneOptions::new(self.addr(), number))
            .await
            .expect("loopback has a free port")
    }

    /// Waits until the one call whose SIP Call-ID that is has ended, and says how.
    pub async fn ended(&self, sip_call_id: &str) -> (CallId, domain::call::Event) {
        let mut wanted = None;
        self.office
            .see(Position::default(), |entry| match &entry.fact.event {
                AnyEvent::Call(
                    call,
                    domain::call::Event::Received {
                        sip_call_id: id, ..
                    },
                ) if id == sip_call_id => {
                    wanted = Some(*call);
                    None
                }
                AnyEvent::Call(call, ended @ domain::call::Event::Ended { .. })
                    if Some(*call) == wanted =>
                {
                    Some((*call, ended.clone()))
                }
                _ => None,
            })
            .await
            .1
    }
}
