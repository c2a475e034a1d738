//! The handle of the relay: opens legs, says who hears whom, closes legs.

use crate::{
    announcements::Announcements,
    directory::{Directory, Entry, Wish},
    event::{MediaEvent, Stats},
    hears::{Hears, Waiting},
    leg::Leg,
    library::Library,
    music::Tracks,
    options::{DESCRIPTORS_RESERVED, EVENTS_MAX, Options, StartError},
    ports::{Ports, Wanted},
    prompts::Prompts,
    recorder::Budget,
    remote::Remote,
    shard::{Command, Mailbox, Shard, Shared},
    supervised::HeardBy,
    sys,
};
use commands::ports::Entropy;
use domain::{call::SupervisionMode, id::LegId};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Descriptors of one leg: its RTP and its RTCP socket.
const LEG_DESCRIPTORS: u64 = 2;

/// Our end of a leg, for its SDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalMedia {
    /// Where the far end must send RTP; RTCP goes to the port after it.
    pub rtp: SocketAddr,
}

/// Why a leg was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// All ports that the leg may have are in use or in quarantine.
    #[error(
        "no RTP port is free: {in_use} in use, {resting} in quarantine, {pairs} in all, \
         {kept} of them for those who answer"
    )]
    PortsExhausted {
        /// Pairs that belong to legs.
        in_use: usize,
        /// Pairs that rest after use.
        resting: usize,
        /// Pairs in the range.
        pairs: usize,
        /// Pairs that no caller gets.
        kept: usize,
    },
    /// The sockets can not be made, for example because the process has no
    /// descriptors left.
    #[error("RTP sockets can not be opened")]
    Sockets(#[source] io::Error),
    /// The leg was closed before: its call has moved on while signalling was
    /// still about to open it.
    #[error("leg was closed before it was opened")]
    Closed,
    /// The relay has ended.
    #[error("relay has stopped")]
    Stopped,
}

/// The relay. Clones are cheap and mean the same relay, which ends with the
/// last of them. No method waits for the network; all are idempotent. What
/// concerns a closed leg is void; what a leg shall hear may be ordered before it
/// is opened, because signalling and the feed of events do not wait for each
/// other.
#[derive(Debug, Clone)]
pub struct Relay(Arc<Inner>);

struct Inner {
    shards: Vec<Mailbox>,
    threads: Vec<JoinHandle<()>>,
    ports: Ports,
    listen: IpAddr,
    advertised: IpAddr,
    descriptors_max: u64,
    entropy: Arc<dyn Entropy>,
    tracks: Arc<Tracks>,
    /// Held while a command is handed over, so that commands about one leg
    /// keep their order also while it moves.
    directory: Mutex<Directory>,
}

impl Relay {
    /// Raises the descriptor limit, makes and reads what can be played, and
    /// starts the relay threads. Returns the handle and the events, which wait in a bounded
    /// channel. Install the metrics recorder before. The entropy makes the random
    /// numbers that RTP streams start at.
    ///
    /// # Errors
    /// A setting that can not work, or a system that has no thread or
    /// descriptor left.
    pub fn start(
        options: &Options,
        entropy: Arc<dyn Entropy>,
    ) -> Result<(Self, mpsc::Receiver<MediaEvent>), StartError> {
        options.check()?;
        let descriptors_max = sys::raise_descriptor_limit()?;
        let ports = Ports::new(options);
        let pairs = ports.pool().size();
        let needed = pairs as u64 * LEG_DESCRIPTORS + DESCRIPTORS_RESERVED;
        tracing::info!(descriptors_max, pairs, "descriptor limit raised");
        if descriptors_max < needed {
            tracing::warn!(
                descriptors_max,
                needed,
                "descriptor limit is too low for the whole port range"
            );
        }
        let announcements = Announcements::read(&options.announcements)?;
        let prompts = Prompts::read(&options.positions)?;
        let music = Library::read(&options.music)?;
        let tracks = Arc::new(Tracks::with(music, announcements, prompts));
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let shared = Shared {
            events,
            tracks: Arc::clone(&tracks),
            silence_timeout: Duration::from_millis(options.silence_timeout_ms),
            budget: Budget::default(),
        };
        let mut inner = Inner {
            shards: Vec::new(),
            threads: Vec::new(),
            ports,
            listen: options.listen,
            advertised: options.advertised(),
            descriptors_max,
            entropy,
            tracks,
            directory: Mutex::default(),
        };
        for index in 0..options.shards {
            let (mailbox, thread) = Shard::start(index, shared.clone())?;
            inner.shards.push(mailbox);
            inner.threads.push(thread);
        }
        Ok((Self(Arc::new(inner)), receiver))
    }

    /// Opens a leg: takes a pair of ports and listens there. Nothing is taken
    /// or sent before [`Relay::set_remote`]. A leg that is open keeps its ports.
    ///
    /// # Errors
    /// No port is free, or the system refuses the sockets.
    pub fn open(&self, leg: LegId) -> Result<LocalMedia, OpenError> {
        self.open_one(leg, Wanted::Second)
    }

    /// The same for a caller, who does not get the last ports: they are kept for
    /// those who answer the callers that are here.
    ///
    /// # Errors
    /// No port is free for a caller, or the system refuses the sockets.
    pub fn open_caller(&self, leg: LegId) -> Result<LocalMedia, OpenError> {
        self.open_one(leg, Wanted::First)
    }

    fn open_one(&self, leg: LegId, wanted: Wanted) -> Result<LocalMedia, OpenError> {
        let mut directory = self.directory();
        if let Some(entry) = directory.entry(leg) {
            return Ok(entry.local);
        }
        if directory.was_closed(leg) {
            return Err(OpenError::Closed);
        }
        let (port, opened) = self.bind(leg, wanted)?;
        let local = LocalMedia {
            rtp: SocketAddr::new(self.0.advertised, port),
        };
        let shard = directory.next_shard(self.0.shards.len());
        if !self.0.shards[shard].send(Command::Adopt(Box::new(opened))) {
            return Err(OpenError::Stopped);
        }
        directory.set(leg, Entry { shard, local });
        match directory.wish_of(leg) {
            None => {}
            Some(Wish::Play(hears)) => self.play_now(&mut directory, leg, hears),
            Some(Wish::Bridge(peer)) => self.bridge_now(&mut directory, leg, peer),
        }
        Ok(local)
    }

    /// Binds the first pair of ports that nobody else on this host holds.
    fn bind(&self, leg: LegId, wanted: Wanted) -> Result<(u16, Leg), OpenError> {
        let random = [self.0.entropy.number(), self.0.entropy.number()];
        // Each round either succeeds, fails, or sends a port into quarantine.
        let rounds = self.0.ports.pool().size();
        for _ in 0..rounds {
            let Some(lease) = self.0.ports.lease(wanted, Instant::now()) else {
                break;
            };
            let port = lease.port;
            match Leg::bind(leg, self.0.listen, lease, random, Instant::now()) {
                Ok(leg) => return Ok((port, leg)),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    tracing::warn!(port, "RTP port is held by another process");
                }
                Err(error) => return Err(OpenError::Sockets(error)),
            }
        }
        let pool = self.0.ports.pool();
        Err(OpenError::PortsExhausted {
            in_use: pool.in_use(),
            resting: pool.resting(),
            pairs: pool.size(),
            kept: pool.kept(),
        })
    }

    /// Says where the far end is, what was agreed with it and whom to believe.
    /// Repeating the same addresses keeps a latch; other ones begin afresh.
    pub fn set_remote(&self, leg: LegId, remote: Remote) {
        self.order(leg, |leg| Command::SetRemote(leg, remote));
    }

    /// Plays the music of that name, or our own without one, to the far end, from its first
    /// bar, until something else is ordered. Ends a bridge that the leg is in. What is not
    /// there any more is our own.
    pub fn play_music(&self, leg: LegId, name: Option<&str>) {
        let place = self.0.tracks.music.place(name);
        if place.is_none() {
            tracing::error!(%leg, name, "there is no such music: our own is heard");
        }
        let track = place.unwrap_or(0);
        let waiting = Waiting::with(track);
        self.play_now(&mut self.directory(), leg, Hears::Music(waiting));
    }

    /// Plays the notice that the call is about to be cut, until something else is
    /// ordered. Ends a bridge that the leg is in.
    pub fn play_notice(&self, leg: LegId) {
        self.play_now(&mut self.directory(), leg, Hears::Notice { frame: 0 });
    }

    /// Plays the ringing tone to the far end until something else is ordered. Ends a
    /// bridge that the leg is in.
    pub fn play_ringback(&self, leg: LegId) {
        self.play_now(&mut self.directory(), leg, Hears::Ringback { frame: 0 });
    }

    /// Plays the announcement of that name to the far end, once; then
    /// [`MediaEvent::Announced`] tells so, and silence follows. Ends a bridge that the
    /// leg is in. False if there is none of that name.
    pub fn announce(&self, leg: LegId, name: &str) -> bool {
        let place = self.0.tracks.announcements.place(name);
        if let Some(place) = place {
            let hears = Hears::Announcement { place, frame: 0 };
            self.play_now(&mut self.directory(), leg, hears);
        }
        place.is_some()
    }

    /// Plays to the far end, if it hears music, the prompt of that place by those prompts, or
    /// that it stands behind it; then music again, from its first bar. False if there is no
    /// such prompt.
    pub fn tell_place(&self, leg: LegId, sounds: &str, place: (u32, bool)) -> bool {
        let place = self.0.tracks.prompts.place(sounds, place);
        if let Some(place) = place {
            self.order(leg, |leg| Command::Prompt(leg, place));
        }
        place.is_some()
    }

    /// Plays the greeting of that name to the far end, if there is one, and a tone, and
    /// then records what it says until it says nothing more, for so long at most, or until
    /// the leg is closed; then [`MediaEvent::Recorded`] tells it. Ends a bridge that the leg
    /// is in. False if the leg is closed already: nothing will be told.
    pub fn take_message(&self, leg: LegId, greeting: Option<&str>, longest_ms: u32) -> bool {
        let place = greeting.and_then(|name| self.0.tracks.announcements.place(name));
        if let (Some(name), None) = (greeting, place) {
            tracing::error!(%leg, name, "there is no such greeting: the tone is heard alone");
        }
        let mut directory = self.directory();
        if directory.was_closed(leg) {
            return false;
        }
        let hears = Hears::Greeting {
            place,
            frame: 0,
            longest_ms,
        };
        self.play_now(&mut directory, leg, hears);
        true
    }

    /// Sends packets with silence to the far end. Ends a bridge that the leg is in.
    pub fn silence(&self, leg: LegId) {
        self.play_now(&mut self.directory(), leg, Hears::Silence);
    }

    /// Lets two legs hear each other. Whatever they heard before, also another
    /// bridge, ends.
    pub fn bridge(&self, a: LegId, b: LegId) {
        if a != b {
            self.bridge_now(&mut self.directory(), a, b);
        }
    }

    /// Lets a third leg hear two that hear each other; the mode says who hears the third.
    /// Whatever the third heard before ends. The same again in another mode changes that
    /// alone. It ends with the bridge of the two.
    pub fn supervise(&self, third: LegId, pair: [LegId; 2], mode: SupervisionMode) {
        let heard = match mode {
            SupervisionMode::Listen => HeardBy::Nobody,
            SupervisionMode::Whisper => HeardBy::Second,
            SupervisionMode::Barge => HeardBy::Both,
            // Not a third: the two are bridged.
            SupervisionMode::Takeover => return,
        };
        let mut directory = self.directory();
        if let Some(to) = directory.shard(pair[0])
            && self.move_to(&mut directory, third, to)
        {
            directory.forget_wish(third);
            self.0.shards[to].send(Command::Supervise(third, pair, heard));
        }
    }

    /// Ends the bridge between two legs, if there is one; both hear nothing then.
    pub fn unbridge(&self, a: LegId, b: LegId) {
        let mut directory = self.directory();
        if directory.wish_of(a) == Some(Wish::Bridge(b)) {
            directory.forget_wish(a);
        }
        // Legs of a bridge are always in one shard.
        if let Some(shard) = directory.shard(a) {
            self.0.shards[shard].send(Command::Unbridge(a, b));
        }
    }

    /// Closes a leg for good, also one that was never opened: it can not be
    /// opened any more. Its ports go into quarantine. Whether it was ever open:
    /// then [`MediaEvent::Closed`] tells of it, once however often it is closed.
    pub fn close(&self, leg: LegId) -> bool {
        let mut directory = self.directory();
        let was_open = directory.was_open(leg);
        if let Some(entry) = directory.close(leg) {
            self.0.shards[entry.shard].send(Command::Close(leg));
        }
        was_open
    }

    fn play_now(&self, directory: &mut Directory, leg: LegId, hears: Hears) {
        match directory.shard(leg) {
            None => directory.wish(leg, Wish::Play(hears)),
            Some(shard) => {
                directory.forget_wish(leg);
                self.0.shards[shard].send(Command::Play(leg, hears));
            }
        }
    }

    fn bridge_now(&self, directory: &mut Directory, a: LegId, b: LegId) {
        let (Some(to), Some(_)) = (directory.shard(a), directory.shard(b)) else {
            directory.wish(a, Wish::Bridge(b));
            return;
        };
        directory.forget_wish(a);
        directory.forget_wish(b);
        if self.move_to(directory, b, to) {
            self.0.shards[to].send(Command::Bridge(a, b));
        }
    }

    /// Moves a leg to a shard, if it is not there: it is moved rather than shared, so that
    /// no packet ever takes a lock. False if it is nowhere.
    fn move_to(&self, directory: &mut Directory, leg: LegId, to: usize) -> bool {
        let Some(moving) = directory.entry(leg) else {
            return false;
        };
        if moving.shard == to {
            return true;
        }
        let (answer, moved) = sync_channel(1);
        if !self.0.shards[moving.shard].send(Command::GiveUp(leg, answer)) {
            return false;
        }
        let Ok(Some(given)) = moved.recv() else {
            return false;
        };
        self.0.shards[to].send(Command::Adopt(given));
        directory.set(
            leg,
            Entry {
                shard: to,
                ..moving
            },
        );
        true
    }

    /// The counts of a leg; none if it is not open.
    pub fn stats(&self, leg: LegId) -> Option<Stats> {
        let (answer, stats) = sync_channel(1);
        self.order(leg, |leg| Command::Stats(leg, answer));
        stats.recv().ok().flatten()
    }

    /// Pairs of ports that belong to a leg. Returns to 0 shortly after the
    /// last leg was closed.
    pub fn open_ports(&self) -> usize {
        self.0.ports.pool().in_use()
    }

    /// Pairs of ports altogether.
    pub fn pairs(&self) -> usize {
        self.0.ports.pool().size()
    }

    /// The legs that are open.
    pub fn open_legs(&self) -> Vec<LegId> {
        self.directory().open_legs()
    }

    /// The limit of open descriptors that holds since the start.
    pub fn descriptors_max(&self) -> u64 {
        self.0.descriptors_max
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        let lock = self.0.directory.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an order over to the shard that has the leg, if it is open.
    fn order(&self, leg: LegId, command: impl FnOnce(LegId) -> Command) {
        let directory = self.directory();
        if let Some(shard) = directory.shard(leg) {
            self.0.shards[shard].send(command(leg));
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("listen", &self.listen)
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for shard in &self.shards {
            shard.send(Command::Stop);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("relay thread ended by a panic");
            }
        }
    }
}
