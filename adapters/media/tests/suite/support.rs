//! A far end for the relay's tests: two sockets, RTP in and out.
#![allow(clippy::unwrap_used)] // a helper that fails is a test that fails

use commands::system::SystemEntropy;
use domain::id::LegId;
use ringledger_media::{
    Direction, FRAME_SAMPLES, LocalMedia, MediaEvent, Options, PayloadTypes, Relay, Remote,
    SAMPLE_RATE_HZ, SourcePolicy,
};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::mpsc::Receiver;

pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(60);

/// Ranges of ports for processes of this suite that run at the same time, well
/// below the system's own and the server's default.
const RANGES: u16 = 20;
const RANGE_PORTS: u16 = 500;
const FIRST_PORT: u16 = 10_000;

/// The range that is this process' own. nextest runs each test in its own
/// process; a listener on a port of its own is the claim to a range.
fn range() -> u16 {
    static CLAIM: OnceLock<(u16, TcpListener)> = OnceLock::new();
    let (range, _) = CLAIM.get_or_init(|| {
        let deadline = Instant::now() + PATIENCE * 12;
        loop {
            for range in 0..RANGES {
                let claim = (Ipv4Addr::LOCALHOST, FIRST_PORT - 1 - range);
                if let Ok(listener) = TcpListener::bind(claim) {
                    return (range, listener);
                }
            }
            assert!(Instant::now() < deadline, "a range of ports becomes free");
            std::thread::yield_now();
        }
    });
    FIRST_PORT + range * RANGE_PORTS
}

/// Where the next relay of this process may begin in its range.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// Settings for a relay on loopback with `pairs` pairs of ports.
pub(crate) fn options(pairs: u16) -> Options {
    let port_min = range() + NEXT.fetch_add(pairs * 2, Ordering::Relaxed);
    Options {
        listen: Ipv4Addr::LOCALHOST.into(),
        advertised_host: None,
        port_min,
        port_max: port_min + pairs * 2 - 1,
        shards: 2,
        quarantine_ms: 50,
        silence_timeout_ms: 60_000,
        announcements: std::collections::BTreeMap::new(),
        positions: std::collections::BTreeMap::new(),
        music: std::collections::BTreeMap::new(),
    }
}

pub(crate) fn start(options: &Options) -> (Relay, Receiver<MediaEvent>) {
    Relay::start(options, Arc::new(SystemEntropy::default())).unwrap()
}

/// Why the relay does not start.
pub(crate) fn refused(options: &Options) -> String {
    let started = Relay::start(options, Arc::new(SystemEntropy::default()));
    started.map(|_| ()).unwrap_err().to_string()
}

pub(crate) fn leg(number: u128) -> LegId {
    LegId(uuid::Uuid::from_u128(number))
}

/// What a far end received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: Vec<u8>,
    pub(crate) from: SocketAddr,
    pub(crate) at: Instant,
}

/// The far end of a leg.
pub(crate) struct Phone {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) leg: LegId,
    pub(crate) local: LocalMedia,
}

impl Phone {
    /// Opens the leg and binds two sockets; nothing is agreed yet.
    pub(crate) fn open(relay: &Relay, number: u128) -> Self {
        let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let phone = Self {
            rtp: bind(),
            rtcp: bind(),
            ssrc: 0x1000 + number as u32,
            sequence: 1_000 * number as u16,
            timestamp: 77 * number as u32,
            leg: leg(number),
            local: relay.open(leg(number)).unwrap(),
        };
        phone.rtp.set_read_timeout(Some(PATIENCE)).unwrap();
        phone.rtcp.set_read_timeout(Some(PATIENCE)).unwrap();
        phone
    }

    /// Opens the leg and agrees on the types, strictly, both ways.
    pub(crate) fn agreed(relay: &Relay, number: u128, types: PayloadTypes) -> Self {
        let phone = Self::open(relay, number);
        relay.set_remote(phone.leg, phone.remote(types));
        phone
    }

    pub(crate) fn remote(&self, payload_types: PayloadTypes) -> Remote {
        Remote {
            rtp: self.rtp.local_addr().unwrap(),
            rtcp: Some(self.rtcp.local_addr().unwrap()),
            payload_types,
            direction: Direction::SendRecv,
            policy: SourcePolicy::Strict,
        }
    }

    /// The next packet of this phone's stream.
    pub(crate) fn packet(&mut self, payload_type: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        packet
    }

    pub(crate) fn say(&mut self, payload_type: u8, payload: &[u8]) {
        let packet = self.packet(payload_type, payload);
        self.rtp.send_to(&packet, self.local.rtp).unwrap();
    }

    pub(crate) fn rtcp_to(&self) -> SocketAddr {
        SocketAddr::new(self.local.rtp.ip(), self.local.rtp.port() + 1)
    }

    /// The next packet that arrives.
    pub(crate) fn hear(&self) -> Packet {
        receive(&self.rtp).expect("a packet arrives")
    }

    /// The next packet, if one arrives within the time of three.
    pub(crate) fn hear_soon(&self) -> Option<Packet> {
        self.rtp.set_read_timeout(Some(QUIET)).unwrap();
        let heard = receive(&self.rtp);
        self.rtp.set_read_timeout(Some(PATIENCE)).unwrap();
        heard
    }

    /// Nothing arrives for a while.
    pub(crate) fn hears_nothing(&self) {
        assert_eq!(self.hear_soon(), None);
    }
}

pub(crate) fn receive(socket: &UdpSocket) -> Option<Packet> {
    let mut buffer = [0; 2048];
    let (length, from) = socket.recv_from(&mut buffer).ok()?;
    let b = &buffer[..length];
    assert_eq!(b[0] >> 6, 2, "RTP version");
    Some(Packet {
        marker: b[1] & 0x80 != 0,
        payload_type: b[1] & 0x7f,
        sequence: u16::from_be_bytes([b[2], b[3]]),
        timestamp: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
        ssrc: u32::from_be_bytes([b[8], b[9], b[10], b[11]]),
        payload: b[12..].to_vec(),
        from,
        at: Instant::now(),
    })
}

/// Waits until something is true.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// The next event.
pub(crate) fn event(events: &mut Receiver<MediaEvent>) -> MediaEvent {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Ok(event) = events.try_recv() {
            return event;
        }
        assert!(Instant::now() < deadline, "an event arrives");
        std::thread::yield_now();
    }
}

/// A recording of as many frames as there are levels, each of its loudness, and some samples
/// more.
pub(crate) fn written(file: &Path, levels: &[i16], more: usize) -> hound::Result<()> {
    let form = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, form)?;
    for level in levels {
        for _ in 0..FRAME_SAMPLES {
            writer.write_sample(*level)?;
        }
    }
    for _ in 0..more {
        writer.write_sample(30_000_i16)?;
    }
    writer.finalize()
}
