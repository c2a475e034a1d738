//! The audio side of one call: an RTP socket of its own, a paced sender, a recorder.
//!
//! [`Media`] is the handle; the socket is opened and aimed by the phone's engine as offers and answers are exchanged.

mod receiver;
mod sender;
mod task;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::sdp::{Codec, Description};
use crate::tone::Tone;
pub use receiver::RECORDED_SAMPLES_MAX;
use receiver::Receiver;
pub use sender::DIGITS_QUEUED_MAX;
use sender::Sender;

/// How often a wait looks again.
const POLL_MS: u64 = 5;

/// What flowed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaStats {
    /// RTP packets received.
    pub received_packets: u64,
    /// RTP packets sent.
    pub sent_packets: u64,
    /// Sequence numbers that never came.
    pub lost_packets: u64,
    /// Packets behind one that came before them.
    pub late_packets: u64,
    /// Packets that were no RTP, or of a payload type that was not agreed.
    pub foreign_packets: u64,
    /// Packets from another address than the other side's description names: a peer that is not symmetric.
    pub unexpected_source_packets: u64,
    /// How often the source (SSRC) changed.
    pub source_changes: u64,
    /// When the first packet came.
    pub first_rtp_at: Option<Instant>,
    /// When the latest packet came.
    pub last_rtp_at: Option<Instant>,
}

/// Everything the task and the handles share. Locks are held for a few instructions, never over an await.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    local: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    sender: Sender,
    receiver: Receiver,
    closed: bool,
}

/// A handle on the audio of one call; clones share it.
#[derive(Debug, Clone)]
pub struct Media {
    shared: Arc<Shared>,
}

impl Media {
    /// Audio that has no socket yet; `seed` makes SSRC, sequence and timestamp start somewhere.
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            local: None,
            remote: None,
            sender: Sender::new(seed),
            receiver: Receiver::default(),
            closed: false,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                changed: Notify::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is plain numbers: a panic elsewhere cannot leave it half-changed in a way that matters.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Binds the RTP socket if that has not been done. With `run` packets are received and sent, without it the port
    /// is only taken (for benches that hold calls and do not listen).
    pub(crate) fn open(&self, ip: IpAddr, run: bool) -> io::Result<SocketAddr> {
        if let Some(local) = self.state().local {
            return Ok(local);
        }
        let socket = std::net::UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        self.state().local = Some(local);
        tokio::spawn(task::run(self.clone(), socket, run));
        Ok(local)
    }

    /// Aims at what the other side described, and obeys `we_send` (what our own description says).
    pub(crate) fn aim(&self, remote: &Description, codec: Codec, we_send: bool) {
        let mut state = self.state();
        state.remote = Some(remote.rtp);
        state.sender.codec = codec;
        state.sender.telephone_event = remote.telephone_event;
        state.sender.allowed = we_send && remote.direction.receives();
        // An answer names the type that was offered, so the other side's is the one it will send, too.
        state.receiver.telephone_event = remote.telephone_event;
        drop(state);
        self.shared.changed.notify_one();
    }

    /// Ends audio for good: the socket is closed.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.shared.changed.notify_one();
    }

    fn control(&self, change: impl FnOnce(&mut Sender)) {
        change(&mut self.state().sender);
        self.shared.changed.notify_one();
    }

    /// Our RTP address, once the socket is open.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.state().local
    }

    /// Where the other side wants its RTP, once it said so.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.state().remote
    }

    /// The codec agreed on (the preferred one until then).
    pub fn codec(&self) -> Codec {
        self.state().sender.codec
    }

    /// Plays a tone until told otherwise; `level` is a share of full scale, 0.0 to 1.0.
    pub fn play_tone(&self, hz: f64, level: f64) {
        self.control(|sender| sender.play_tone(Tone::new(hz, level)));
    }

    /// Plays these samples once, or over and over.
    pub fn play_samples(&self, samples: Vec<i16>, repeat: bool) {
        self.control(|sender| sender.play_samples(samples, repeat));
    }

    /// Sends packets of silence, as a phone does whose owner listens.
    pub fn play_silence(&self) {
        self.control(Sender::play_silence);
    }

    /// Sends nothing any more, not even silence.
    pub fn stop(&self) {
        self.control(Sender::stop);
    }

    /// Sends a key as RFC 4733 event; false if the other side cannot take events, the key does not exist, or more
    /// than [`DIGITS_QUEUED_MAX`] wait.
    pub fn send_digit(&self, digit: char, duration_ms: u64) -> bool {
        let queued = self.state().sender.queue_digit(digit, duration_ms);
        self.shared.changed.notify_one();
        queued
    }

    /// Forgets what was recorded and records from now on.
    pub fn record_start(&self) {
        self.state().receiver.record_start();
    }

    /// Stops recording and hands over the decoded samples; lost packets are silence.
    pub fn record_stop(&self) -> Vec<i16> {
        self.state().receiver.record_stop()
    }

    /// Samples recorded so far, without stopping.
    pub fn recorded_samples(&self) -> usize {
        self.state().receiver.recorded_samples()
    }

    /// Keys received as RFC 4733 events, each once.
    pub fn received_digits(&self) -> String {
        self.state().receiver.digits.clone()
    }

    /// RTP packets received so far.
    pub fn received_packets(&self) -> u64 {
        self.stats().received_packets
    }

    /// When the latest RTP packet came.
    pub fn last_rtp_at(&self) -> Option<Instant> {
        self.stats().last_rtp_at
    }

    /// Everything counted.
    pub fn stats(&self) -> MediaStats {
        let state = self.state();
        MediaStats {
            sent_packets: state.sender.sent_packets,
            ..state.receiver.stats
        }
    }

    /// Waits until the condition holds; false if it does not within `timeout`.
    pub async fn wait_until(&self, timeout: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        while !condition(self) {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
        }
        true
    }

    /// Waits for `count` more packets than have come; false if they do not come within `timeout`.
    pub async fn wait_packets(&self, count: u64, timeout: Duration) -> bool {
        let wanted = self.received_packets() + count;
        self.wait_until(timeout, |media| media.received_packets() >= wanted)
            .await
    }

    /// Records the next `samples` samples; what came until then if they do not come within `timeout`.
    pub async fn record(&self, samples: usize, timeout: Duration) -> Vec<i16> {
        self.record_start();
        self.wait_until(timeout, |media| media.recorded_samples() >= samples)
            .await;
        self.record_stop()
    }
}
