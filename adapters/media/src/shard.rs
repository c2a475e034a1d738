//! One relay thread: it owns its legs, waits for their sockets, its commands
//! and its timer in one epoll, and shares nothing while packets flow.

use crate::{
    event::{MediaEvent, Stats},
    g711::Tables,
    hears::Hears,
    leg::{Context, Leg, Received, Taken},
    meters::Meters,
    music::Tracks,
    options::{COMMANDS_MAX, DATAGRAM_BYTES_MAX},
    recorder::Budget,
    remote::{Kind, Remote},
    rtcp,
    supervised::HeardBy,
    sys::{Poller, Ticker, Wake},
    table::Table,
};
use domain::id::LegId;
use std::{
    collections::VecDeque,
    io,
    os::fd::AsFd,
    sync::{Arc, mpsc::Receiver, mpsc::SyncSender, mpsc::sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::mpsc::Sender as EventSender;

/// A packet of ours holds 20 ms; the legs take turns in four phases, so that
/// a thousand of them do not send in the same instant.
const PHASES: usize = 4;
const TICK: Duration = Duration::from_millis(20 / PHASES as u64);
/// Ticks that are made up for after a stall; what is older is left out, and
/// the timestamps follow the clock.
const CATCH_UP_TICKS_MAX: u64 = 2 * PHASES as u64;

const WAKE_TOKEN: u64 = u64::MAX;
const TICK_TOKEN: u64 = u64::MAX - 1;

/// An order to a shard. About a leg that the shard does not have it is void.
#[derive(Debug)]
pub(crate) enum Command {
    /// Take a leg in.
    Adopt(Box<Leg>),
    /// Hand a leg over, to move it to another shard.
    GiveUp(LegId, SyncSender<Option<Box<Leg>>>),
    SetRemote(LegId, Remote),
    Play(LegId, Hears),
    /// The far end, if it hears music, hears the prompt of that place.
    Prompt(LegId, usize),
    Bridge(LegId, LegId),
    Unbridge(LegId, LegId),
    /// Let the first hear the other two, who hear each other.
    Supervise(LegId, [LegId; 2], HeardBy),
    Close(LegId),
    Stats(LegId, SyncSender<Option<Stats>>),
    /// Close everything and end the thread.
    Stop,
}

/// The way to a shard.
#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: SyncSender<Command>,
    wake: Arc<Wake>,
}

impl Mailbox {
    /// Hands over a command; waits for room if a thousand are before it. A
    /// shard never waits for a sender, so this always ends. False if the shard
    /// has ended.
    pub(crate) fn send(&self, command: Command) -> bool {
        let sent = self.commands.send(command).is_ok();
        self.wake.wake();
        sent
    }
}

/// What a shard shares with the others.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) events: EventSender<MediaEvent>,
    pub(crate) tracks: Arc<Tracks>,
    pub(crate) silence_timeout: Duration,
    /// Memory for messages, of all of them together.
    pub(crate) budget: Budget,
}

/// One relay thread's state.
#[derive(Debug)]
pub(crate) struct Shard {
    poller: Poller,
    ticker: Ticker,
    wake: Arc<Wake>,
    commands: Receiver<Command>,
    shared: Shared,
    legs: Table,
    meters: Meters,
    tables: Tables,
    ticks: u64,
    buffer: Box<[u8; DATAGRAM_BYTES_MAX + 1]>,
    rewritten: Vec<u8>,
    /// What was said and measured on closed legs, which nobody was told for want of room.
    untold: VecDeque<MediaEvent>,
}

impl Shard {
    /// Starts a shard on its own thread.
    ///
    /// # Errors
    /// The system has no thread or descriptor left.
    pub(crate) fn start(index: usize, shared: Shared) -> io::Result<(Mailbox, JoinHandle<()>)> {
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let wake = Arc::new(Wake::new()?);
        let shard = Self {
            poller: Poller::new()?,
            ticker: Ticker::new()?,
            wake: Arc::clone(&wake),
            commands,
            shared,
            legs: Table::default(),
            meters: Meters::new(),
            tables: Tables::new(),
            ticks: 0,
            buffer: Box::new([0; DATAGRAM_BYTES_MAX + 1]),
            rewritten: Vec::with_capacity(DATAGRAM_BYTES_MAX),
            untold: VecDeque::new(),
        };
        shard.poller.add(shard.wake.fd(), WAKE_TOKEN)?;
        shard.poller.add(shard.ticker.fd(), TICK_TOKEN)?;
        let thread = std::thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || shard.run())?;
        let mailbox = Mailbox {
            commands: sender,
            wake,
        };
        Ok((mailbox, thread))
    }

    fn run(mut self) {
        let mut ready = Vec::new();
        loop {
            if let Err(error) = self.poller.wait(&mut ready) {
                tracing::error!(%error, "relay thread can not wait for its sockets");
                return;
            }
            let now = Instant::now();
            // Commands first: an order holds for every packet that comes after it.
            if ready.contains(&WAKE_TOKEN) && !self.obey(now) {
                return;
            }
            for token in ready.drain(..) {
                match token {
                    WAKE_TOKEN => {}
                    TICK_TOKEN => self.tick(now),
                    socket => self.readable(socket, now),
                }
            }
        }
    }

    /// Carries out all commands that wait; false when one says stop.
    fn obey(&mut self, now: Instant) -> bool {
        self.wake.clear();
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Adopt(leg) => self.adopt(leg),
                // An asker that has gone away loses the answer, and with it the leg.
                Command::GiveUp(leg, answer) => drop(answer.try_send(self.give_up(leg, now))),
                Command::SetRemote(leg, remote) => {
                    if let Some(leg) = self.legs.by_id(leg) {
                        leg.set_remote(remote, now);
                    }
                }
                Command::Play(leg, hears) => self.legs.play(leg, hears, now),
                Command::Prompt(leg, place) => self.legs.prompt(leg, place),
                Command::Bridge(a, b) => self.legs.bridge(a, b, now),
                Command::Unbridge(a, b) => self.legs.unbridge(a, b, now),
                Command::Supervise(third, pair, heard) => {
                    self.legs.supervise(third, pair, heard, now);
                }
                Command::Close(leg) => self.close(leg, now),
                Command::Stats(leg, answer) => {
                    let stats = self.legs.by_id(leg).map(|leg| leg.stats());
                    // An asker that has gone away needs no answer.
                    let _gone = answer.try_send(stats);
                }
                Command::Stop => return false,
            }
        }
        true
    }

    fn adopt(&mut self, leg: Box<Leg>) {
        if self.legs.len() == 0 {
            self.pace(TICK);
        }
        let id = leg.id;
        let slot = self.legs.insert(leg);
        self.meters.legs.increment(1.0);
        let Some(leg) = self.legs.get(slot) else {
            return;
        };
        let token = 2 * slot as u64;
        let watched = (self.poller.add(leg.rtp.as_fd(), token))
            .and_then(|()| self.poller.add(leg.rtcp.as_fd(), token + 1));
        if let Err(error) = watched {
            tracing::error!(leg = %id, %error, "leg's sockets can not be watched");
        }
    }

    fn give_up(&mut self, id: LegId, now: Instant) -> Option<Box<Leg>> {
        let leg = self.legs.remove(id, now)?;
        self.meters.legs.decrement(1.0);
        for socket in [leg.rtp.as_fd(), leg.rtcp.as_fd()] {
            if let Err(error) = self.poller.remove(socket) {
                tracing::error!(leg = %id, %error, "leg's socket can not be unwatched");
            }
        }
        self.rest();
        Some(leg)
    }

    fn close(&mut self, id: LegId, now: Instant) {
        if let Some(mut leg) = self.give_up(id, now) {
            self.untold.extend(leg.spoken(true));
            self.untold.push_back(MediaEvent::Closed(leg.measured()));
            self.tell_closed();
            // Without legs nothing ticks any more; with some it does already.
            if self.legs.len() == 0 && !self.untold.is_empty() {
                self.pace(TICK);
            }
        }
    }

    /// Tells what was said and measured on closed legs, as long as there is room; the
    /// rest with the next tick.
    fn tell_closed(&mut self) {
        while !self.untold.is_empty() {
            let Ok(room) = self.shared.events.try_reserve() else {
                self.meters.events_delayed.increment(1);
                return;
            };
            if let Some(event) = self.untold.pop_front() {
                room.send(event);
            }
        }
    }

    /// Without legs and without anything to tell there is nothing to do.
    fn rest(&self) {
        if self.legs.len() == 0 && self.untold.is_empty() {
            self.pace(Duration::ZERO);
        }
    }

    fn pace(&self, period: Duration) {
        if let Err(error) = self.ticker.set(period) {
            tracing::error!(%error, "relay thread can not set its timer");
        }
    }

    /// One packet of one socket. The poller is level-triggered: what is left
    /// is reported again, after the other sockets had their turn.
    fn readable(&mut self, token: u64, now: Instant) {
        let slot = usize::try_from(token / 2).unwrap_or(usize::MAX);
        if token.is_multiple_of(2) {
            self.relay_rtp(slot, now);
        } else {
            self.relay_rtcp(slot, now);
        }
    }

    fn relay_rtp(&mut self, slot: usize, now: Instant) {
        let Some(leg) = self.legs.get(slot) else {
            return;
        };
        let Some((length, received)) = leg.receive_rtp(&mut self.buffer, &self.meters, now) else {
            return;
        };
        let taken = match received {
            Received::Dropped => return,
            Received::Heard => None,
            Received::Taken(taken) => Some(taken),
        };
        tell_heard(leg, now, &self.shared.events, &self.meters);
        let Some(taken) = taken else { return };
        let context = Context {
            tables: &self.tables,
            meters: &self.meters,
            now,
            patience: self.shared.silence_timeout,
            budget: &self.shared.budget,
        };
        let is_of_three = leg.overheard_by.is_some() || matches!(leg.hears, Hears::Conversation(_));
        if is_of_three {
            let packet = self.buffer.get_mut(..length).unwrap_or_default();
            return self.legs.relay_supervised(slot, taken, packet, &context);
        }
        let Hears::Peer(peer) = leg.hears else {
            let packet = self.buffer.get(..length).unwrap_or_default();
            leg.record(taken, packet, &context);
            tell_key(leg, taken, packet, &self.shared.events, &self.meters);
            return;
        };
        if let (Some(peer), Some(packet)) = (self.legs.get(peer), self.buffer.get_mut(..length)) {
            peer.forward_rtp(slot, taken, packet, &context);
        }
    }

    fn relay_rtcp(&mut self, slot: usize, now: Instant) {
        let Some(leg) = self.legs.get(slot) else {
            return;
        };
        let Some(length) = leg.receive_rtcp(&mut self.buffer, &self.meters, now) else {
            return;
        };
        // A muted phone that suppresses silence sends nothing else.
        tell_heard(leg, now, &self.shared.events, &self.meters);
        let Hears::Peer(peer_slot) = leg.hears else {
            return;
        };
        let Some((leg, peer)) = self.legs.pair(slot, peer_slot) else {
            return;
        };
        // Before the first RTP packet of the bridge there is nothing to report on.
        let Some(forward) = peer.outgoing.shift(slot) else {
            return;
        };
        let streams = rtcp::Streams {
            forward,
            backward: leg.outgoing.shift(peer_slot),
        };
        if let Some(compound) = self.buffer.get(..length) {
            peer.forward_rtcp(compound, &streams, &mut self.rewritten, now);
        }
    }

    /// Sends music and silence, and looks for legs that are silent.
    fn tick(&mut self, now: Instant) {
        let ticks = self.ticker.take();
        if ticks > CATCH_UP_TICKS_MAX {
            self.meters
                .ticks_missed
                .increment(ticks - CATCH_UP_TICKS_MAX);
        }
        if !self.untold.is_empty() {
            self.tell_closed();
            self.rest();
        }
        let context = Context {
            tables: &self.tables,
            meters: &self.meters,
            now,
            patience: self.shared.silence_timeout,
            budget: &self.shared.budget,
        };
        for _ in 0..ticks.min(CATCH_UP_TICKS_MAX) {
            self.ticks = self.ticks.wrapping_add(1);
            let phase = (self.ticks % PHASES as u64) as usize;
            for leg in self.legs.phase(phase, PHASES) {
                leg.play(&self.shared.tracks, &context);
                tell_announced(leg, &self.shared.events, &self.meters);
                tell_spoken(leg, now, &self.shared.events, &self.meters);
                let Some(since) = leg.watch.silent(now, self.shared.silence_timeout) else {
                    continue;
                };
                let silent = MediaEvent::Silent { leg: leg.id, since };
                match self.shared.events.try_send(silent) {
                    Ok(()) => {
                        leg.watch.told(now);
                        self.meters.silent_legs.increment(1);
                    }
                    // Without room it is told with the next tick.
                    Err(_) => self.meters.events_delayed.increment(1),
                }
            }
        }
    }
}

/// The far end has pressed a key, and hears nobody who could mean it.
fn tell_key(
    leg: &mut Leg,
    taken: Taken,
    packet: &[u8],
    events: &EventSender<MediaEvent>,
    meters: &Meters,
) {
    if taken.kind != Kind::TelephoneEvent {
        return;
    }
    if let Some(code) = leg.keys.pressed(&taken.header, packet) {
        // Without room it is told with the next packet.
        match events.try_send(MediaEvent::Key { leg: leg.id, code }) {
            Ok(()) => leg.keys.told(&taken.header),
            Err(_) => meters.events_delayed.increment(1),
        }
    }
}

/// The far end has heard an announcement to its end.
fn tell_announced(leg: &mut Leg, events: &EventSender<MediaEvent>, meters: &Meters) {
    if leg.hears == (Hears::Announced { is_told: false }) {
        // Without room it is told with the next tick.
        match events.try_send(MediaEvent::Announced { leg: leg.id }) {
            Ok(()) => leg.hears = Hears::Announced { is_told: true },
            Err(_) => meters.events_delayed.increment(1),
        }
    }
}

/// What the far end had to say is over.
fn tell_spoken(leg: &mut Leg, now: Instant, events: &EventSender<MediaEvent>, meters: &Meters) {
    if !leg.has_spoken(now) {
        return;
    }
    // Without room it is told with the next tick.
    let Ok(room) = events.try_reserve() else {
        meters.events_delayed.increment(1);
        return;
    };
    if let Some(event) = leg.spoken(false) {
        room.send(event);
    }
}

/// The far end has given a sign of life; told when it had been silent.
fn tell_heard(leg: &mut Leg, now: Instant, events: &EventSender<MediaEvent>, meters: &Meters) {
    if leg.watch.heard(now) {
        // Without room it is told with the next packet.
        match events.try_send(MediaEvent::Heard { leg: leg.id }) {
            Ok(()) => leg.watch.told_heard(),
            Err(_) => meters.events_delayed.increment(1),
        }
    }
}
