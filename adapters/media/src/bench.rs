//! Measures the relay: bridges calls on loopback, speaks 50 packets a second
//! into both ends of each, and counts what comes out, and how late.

use crate::{
    relay::{OpenError, Relay},
    remote::{Direction, PayloadTypes, Remote, SourcePolicy},
    rtp::{HEADER_BYTES, Header},
    sys::{Poller, Ticker},
};
use domain::id::LegId;
use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::AsFd,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Generators send in twenty phases, as phones that are not in step: a burst
/// would wait in the generator, not in the relay.
const PHASES: usize = 20;
const TICK: Duration = Duration::from_millis(20 / PHASES as u64);
/// How long stragglers are waited for after the last packet was sent.
const DRAIN: Duration = Duration::from_millis(500);
const TICK_TOKEN: u64 = u64::MAX;
const PACKET_BYTES: usize = HEADER_BYTES + crate::g711::FRAME_SAMPLES;

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bridged calls, of two legs each.
    pub calls: usize,
    /// How long to speak.
    pub duration_ms: u64,
    /// Threads that play the phones.
    pub generators: usize,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Bridged calls.
    pub calls: usize,
    /// Packets sent into the relay.
    pub sent: u64,
    /// Packets that came out on the other side.
    pub received: u64,
    /// Packets that did not.
    pub lost: u64,
    /// From the phone's send to the other phone's receive, in microseconds.
    pub latency_p50_us: u32,
    /// As above.
    pub latency_p95_us: u32,
    /// As above.
    pub latency_p99_us: u32,
    /// As above.
    pub latency_max_us: u32,
    /// Of one core, all relay threads of the process together.
    pub relay_cpu_percent: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls: {} packets sent, {} lost; latency p50 {} us, p95 {} us, p99 {} us, \
             max {} us; relay threads {:.1} % of a core",
            self.calls,
            self.sent,
            self.lost,
            self.latency_p50_us,
            self.latency_p95_us,
            self.latency_p99_us,
            self.latency_max_us,
            self.relay_cpu_percent,
        )
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The relay did not open a leg.
    #[error("a leg of the measurement can not be opened")]
    Open(#[from] OpenError),
    /// The phones' sockets or threads can not be made.
    #[error("a phone of the measurement can not be made")]
    System(#[from] io::Error),
}

/// Bridges the calls, speaks, measures and closes the legs again. Blocks for
/// the whole duration. The relay must listen on loopback or a local address.
///
/// # Errors
/// The relay has no ports, or the system no descriptors.
pub fn run(relay: &Relay, options: &Options) -> Result<Report, Error> {
    let generators = options.generators.max(1);
    let mut legs = Vec::new();
    let result = measure(relay, options, generators, &mut legs);
    for leg in legs {
        relay.close(leg);
    }
    result
}

fn measure(
    relay: &Relay,
    options: &Options,
    generators: usize,
    legs: &mut Vec<LegId>,
) -> Result<Report, Error> {
    let mut groups: Vec<Vec<End>> = (0..generators).map(|_| Vec::new()).collect();
    for call in 0..options.calls {
        let group = call % generators;
        let pair = [2 * call, 2 * call + 1].map(|number| LegId(Uuid::from_u128(number as u128)));
        for leg in pair {
            groups[group].push(End::open(relay, leg)?);
            legs.push(leg);
        }
        relay.bridge(pair[0], pair[1]);
    }
    let frames = options.duration_ms / 20;
    let cpu_before = relay_cpu_seconds();
    let began = Instant::now();
    let tallies: Vec<io::Result<Tally>> = std::thread::scope(|scope| {
        let threads: Vec<_> = groups
            .into_iter()
            .map(|ends| scope.spawn(move || generate(ends, frames, began)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
            })
            .collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let cpu_percent = (relay_cpu_seconds() - cpu_before) / seconds * 100.0;
    let mut total = Tally::default();
    for tally in tallies {
        let tally = tally?;
        total.sent += tally.sent;
        total.latencies_us.extend(tally.latencies_us);
    }
    Ok(total.report(options.calls, cpu_percent))
}

/// One phone.
#[derive(Debug)]
struct End {
    socket: UdpSocket,
    to: SocketAddr,
    header: Header,
}

impl End {
    fn open(relay: &Relay, leg: LegId) -> Result<Self, Error> {
        let local = relay.open(leg)?;
        let host: IpAddr = local.rtp.ip();
        let socket = UdpSocket::bind((host, 0))?;
        socket.set_nonblocking(true)?;
        relay.set_remote(
            leg,
            Remote {
                rtp: socket.local_addr()?,
                rtcp: None,
                payload_types: PayloadTypes::pcmu(None),
                direction: Direction::SendRecv,
                policy: SourcePolicy::Strict,
            },
        );
        Ok(Self {
            to: local.rtp,
            header: Header {
                marker: false,
                payload_type: 0,
                sequence: 0,
                timestamp: 0,
                ssrc: u32::from(local.rtp.port()),
            },
            socket,
        })
    }

    /// Sends a packet that carries the time of its sending; false if the
    /// system did not take it.
    fn speak(&mut self, began: Instant) -> bool {
        let mut packet = [0u8; PACKET_BYTES];
        packet[0] = 0x80;
        if let Some(place) = packet.first_chunk_mut() {
            self.header.write(place);
        }
        self.header.sequence = self.header.sequence.wrapping_add(1);
        self.header.timestamp = self.header.timestamp.wrapping_add(160);
        let stamp = (began.elapsed().as_micros() as u64).to_be_bytes();
        packet[HEADER_BYTES..HEADER_BYTES + stamp.len()].copy_from_slice(&stamp);
        self.socket.send_to(&packet, self.to).is_ok()
    }

    /// The age in microseconds of the next packet that has arrived.
    fn listen(&self, began: Instant) -> Option<u32> {
        let mut packet = [0u8; PACKET_BYTES];
        let length = self.socket.recv(&mut packet).ok()?;
        let stamp: [u8; 8] = *packet.get(HEADER_BYTES..length)?.first_chunk()?;
        let age = (began.elapsed().as_micros() as u64).saturating_sub(u64::from_be_bytes(stamp));
        Some(u32::try_from(age).unwrap_or(u32::MAX))
    }
}

/// What one generator saw.
#[derive(Debug, Default)]
struct Tally {
    sent: u64,
    latencies_us: Vec<u32>,
}

impl Tally {
    fn report(mut self, calls: usize, relay_cpu_percent: f64) -> Report {
        self.latencies_us.sort_unstable();
        let received = self.latencies_us.len();
        let at = |percent: usize| {
            let index = (received * percent / 100).min(received.saturating_sub(1));
            self.latencies_us.get(index).copied().unwrap_or(0)
        };
        Report {
            calls,
            sent: self.sent,
            received: received as u64,
            lost: self.sent.saturating_sub(received as u64),
            latency_p50_us: at(50),
            latency_p95_us: at(95),
            latency_p99_us: at(99),
            latency_max_us: at(100),
            relay_cpu_percent,
        }
    }
}

/// Plays phones: each sends `frames` packets, one every 20 ms.
fn generate(mut ends: Vec<End>, frames: u64, began: Instant) -> io::Result<Tally> {
    let (poller, ticker) = (Poller::new()?, Ticker::new()?);
    poller.add(ticker.fd(), TICK_TOKEN)?;
    for (index, end) in ends.iter().enumerate() {
        poller.add(end.socket.as_fd(), index as u64)?;
    }
    ticker.set(TICK)?;
    let mut tally = Tally::default();
    let (mut ticks, ticks_max) = (0u64, frames * PHASES as u64);
    let mut ready = Vec::new();
    let mut last = Instant::now();
    loop {
        poller.wait(&mut ready)?;
        for token in ready.drain(..) {
            if token != TICK_TOKEN {
                let end = usize::try_from(token)
                    .ok()
                    .and_then(|index| ends.get(index));
                if let Some(age) = end.and_then(|end| end.listen(began)) {
                    tally.latencies_us.push(age);
                    last = Instant::now();
                }
                continue;
            }
            for _ in 0..ticker.take().min(ticks_max - ticks) {
                let phase = (ticks % PHASES as u64) as usize;
                ticks += 1;
                for end in ends.iter_mut().skip(phase).step_by(PHASES) {
                    tally.sent += u64::from(end.speak(began));
                }
                last = Instant::now();
            }
        }
        let complete = tally.latencies_us.len() as u64 >= tally.sent;
        if ticks == ticks_max && (complete || last.elapsed() > DRAIN) {
            return Ok(tally);
        }
    }
}

/// CPU time that this process' relay threads have used, from `/proc`; 0 where
/// there is none.
fn relay_cpu_seconds() -> f64 {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    let nanos: u64 = tasks
        .flatten()
        .map(|task| task.path())
        .filter(|task| {
            fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("media-"))
        })
        .filter_map(|task| fs::read_to_string(task.join("schedstat")).ok())
        .filter_map(|stat| stat.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    nanos as f64 / 1e9
}
