//! One leg: its pair of sockets, what it knows of its far end, and the stream
//! that it sends there. Owned by one shard at a time.

use crate::{
    event::{MediaEvent, Stats},
    g711::{FRAME_SAMPLES, Law, Tables},
    gate::Gate,
    hears::Hears,
    keys::Keys,
    meters::Meters,
    mixer::Mixer,
    music::{Track, Tracks},
    options::DATAGRAM_BYTES_MAX,
    outgoing::Outgoing,
    ports::Lease,
    reception::Reception,
    recorder::{Budget, Recorder, Recording},
    remote::{Direction, Kind, Remote},
    rtcp,
    rtp::{HEADER_BYTES, Header, payload_range},
    watch::Watch,
};
use domain::{call::LegMedia, id::LegId};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

/// DSCP "expedited forwarding" in the place of the old TOS field (RFC 4594 section 4.1).
const EXPEDITED_FORWARDING: u32 = 46 << 2;

/// A far end of which nothing has come for this long may have another port: a NAT
/// forgets where packets go, and a phone behind one may not know its port.
const MOVES_AFTER: Duration = Duration::from_secs(2);

/// Common header and the sender's SSRC.
const RTCP_BYTES_MIN: usize = 8;

/// What the far end is to say.
#[derive(Debug)]
enum Message {
    /// It hears the greeting.
    Greeted,
    /// It is being recorded.
    Recorded(Box<Recorder>),
    /// There was no memory for it.
    Refused,
}

/// A packet that was taken, on its way to the other leg.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) header: Header,
    pub(crate) kind: Kind,
    pub(crate) law: Law,
}

impl Taken {
    /// Adds it, which is sound, to what somebody hears of several legs.
    pub(crate) fn mix_into(&self, mixer: &mut Mixer, from: usize, packet: &[u8]) {
        if let Some(payload) = payload_range(packet).and_then(|range| packet.get(range)) {
            mixer.hear(from, &self.header, payload, self.law);
        }
    }
}

/// One leg.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) hears: Hears,
    pub(crate) outgoing: Outgoing,
    pub(crate) watch: Watch,
    pub(crate) keys: Keys,
    /// Of a leg that hears several at once: all of them added up.
    pub(crate) mixer: Option<Box<Mixer>>,
    /// The slot of a leg that hears this one and its peer.
    pub(crate) overheard_by: Option<usize>,
    message: Option<Message>,
    remote: Option<Remote>,
    rtp_gate: Gate,
    rtcp_gate: Gate,
    /// Since when no RTP has come from where the gate is.
    quiet_since: Instant,
    stats: Stats,
    reception: Reception,
    ipv6: bool,
    /// After the sockets: fields are dropped in order, and the port rests only
    /// when they are closed.
    _lease: Lease,
}

impl Leg {
    /// Binds the pair of sockets of a leased port.
    ///
    /// # Errors
    /// As the system says; `AddrInUse` when somebody else has one of the ports.
    pub(crate) fn bind(
        id: LegId,
        listen: IpAddr,
        lease: Lease,
        random: [u64; 2],
        now: Instant,
    ) -> io::Result<Self> {
        Ok(Self {
            id,
            rtp: bind(listen, lease.port)?,
            rtcp: bind(listen, lease.port + 1)?,
            hears: Hears::Nothing,
            outgoing: Outgoing::new(random),
            watch: Watch::default(),
            keys: Keys::default(),
            mixer: None,
            overheard_by: None,
            message: None,
            remote: None,
            rtp_gate: Gate::Closed,
            rtcp_gate: Gate::Closed,
            quiet_since: now,
            stats: Stats::default(),
            reception: Reception::new(now),
            ipv6: listen.is_ipv6(),
            _lease: lease,
        })
    }

    /// Takes over what signalling has agreed. A latch survives as long as
    /// signalling repeats the same address and policy.
    pub(crate) fn set_remote(&mut self, remote: Remote, now: Instant) {
        let same = self.remote.as_ref().is_some_and(|old| {
            (old.rtp, old.rtcp, old.policy) == (remote.rtp, remote.rtcp, remote.policy)
        });
        if !same {
            let rtcp = remote.rtcp.unwrap_or_else(|| {
                SocketAddr::new(remote.rtp.ip(), remote.rtp.port().saturating_add(1))
            });
            self.rtp_gate = Gate::of(remote.rtp, remote.policy);
            self.rtcp_gate = Gate::of(rtcp, remote.policy);
            self.quiet_since = now;
        }
        self.remote = Some(remote);
        self.expect(now);
    }

    /// Changes what the far end hears.
    pub(crate) fn hear(&mut self, hears: Hears, now: Instant) {
        if hears == Hears::Nothing {
            self.outgoing.cut();
        }
        if matches!(hears, Hears::Greeting { .. }) {
            self.message = Some(Message::Greeted);
        }
        self.hears = hears;
        // Whoever has to send anew has fresh patience, and is told anew.
        self.watch.expect(false, now);
        self.expect(now);
    }

    fn expect(&mut self, now: Instant) {
        let open = self.talks();
        self.watch.expect(open && self.hears != Hears::Nothing, now);
    }

    /// Both sides may send: neither holds the other.
    pub(crate) fn talks(&self) -> bool {
        let remote = self.remote.as_ref();
        remote.is_some_and(|remote| remote.direction == Direction::SendRecv)
    }

    /// The counts so far.
    pub(crate) fn stats(&self) -> Stats {
        let far_end = match self.rtp_gate {
            Gate::Fixed(address) | Gate::Latched(address) => Some(address),
            Gate::Closed | Gate::Waiting { .. } => None,
        };
        Stats {
            last_packet_at: self.watch.last(),
            far_end,
            ..self.stats
        }
    }

    /// What was measured of its sound.
    pub(crate) fn measured(&self) -> LegMedia {
        let codec = self
            .remote
            .as_ref()
            .map(|remote| remote.payload_types.codec());
        LegMedia {
            codec,
            ..self.reception.measured(self.id, self.stats.packets_out)
        }
    }

    /// A packet of sound of the far end's, which may be recorded.
    pub(crate) fn record(&mut self, taken: Taken, packet: &[u8], context: &Context<'_>) {
        if let Some(Message::Recorded(recorder)) = &mut self.message
            && taken.kind == Kind::Audio
            && let Some(payload) = payload_range(packet).and_then(|range| packet.get(range))
        {
            recorder.hear(
                &taken.header,
                payload,
                taken.law,
                context.tables,
                context.now,
            );
        }
    }

    /// What the far end had to say is over by itself.
    pub(crate) fn has_spoken(&self, now: Instant) -> bool {
        match &self.message {
            Some(Message::Recorded(recorder)) => recorder.is_over(now),
            Some(Message::Refused) => true,
            Some(Message::Greeted) | None => false,
        }
    }

    /// What the far end has said, of a leg that was to be recorded; once.
    pub(crate) fn spoken(&mut self, is_closed: bool) -> Option<MediaEvent> {
        let recording = match self.message.take()? {
            Message::Greeted => Some(Recording::nothing()),
            Message::Recorded(recorder) => Some(recorder.finish()),
            Message::Refused => None,
        };
        let leg = self.id;
        Some(MediaEvent::Recorded {
            leg,
            recording,
            is_closed,
        })
    }

    /// Reads one RTP packet into the buffer. Returns its length and, if it may
    /// pass, what it is; every packet that may not is counted with its reason.
    pub(crate) fn receive_rtp(
        &mut self,
        buffer: &mut [u8; DATAGRAM_BYTES_MAX + 1],
        meters: &Meters,
        now: Instant,
    ) -> Option<(usize, Received)> {
        // An error is either "nothing there" or an echo of something we sent.
        let (length, from) = self.rtp.recv_from(buffer).ok()?;
        let header = Header::parse(&buffer[..length]).filter(|_| length <= DATAGRAM_BYTES_MAX);
        let Some(header) = header else {
            self.stats.dropped_malformed += 1;
            meters.dropped_malformed.increment(1);
            return Some((length, Received::Dropped));
        };
        if !self.rtp_gate.admits(from) && !self.follows(from, &header, now) {
            self.stats.dropped_source += 1;
            meters.dropped_source.increment(1);
            return Some((length, Received::Dropped));
        }
        self.quiet_since = now;
        self.stats.packets_in += 1;
        self.stats.bytes_in += length as u64;
        meters.packets_in.increment(1);
        let is_sound = self.remote.as_ref().is_some_and(|remote| {
            remote.payload_types.kind(header.payload_type) == Some(Kind::Audio)
        });
        self.reception.heard(&header, is_sound, now);
        Some((length, self.classify(header, meters)))
    }

    /// Follows the far end to another port of its host: nothing comes from the one that
    /// is known any more, and the packet goes on with its stream or is the first.
    fn follows(&mut self, from: SocketAddr, header: &Header, now: Instant) -> bool {
        let is_quiet = now.saturating_duration_since(self.quiet_since) >= MOVES_AFTER;
        let is_its_stream = self.reception.ssrc().is_none_or(|ssrc| ssrc == header.ssrc);
        let moves = is_quiet && is_its_stream && self.rtp_gate.move_to(from);
        if moves {
            self.rtcp_gate = Gate::beside(from);
            tracing::info!(leg = %self.id, "the far end sends from another port now");
        }
        moves
    }

    /// What a packet from the far end is, if the agreement allows it.
    fn classify(&mut self, header: Header, meters: &Meters) -> Received {
        // A gate is only open with a remote, so this is always there.
        let Some(remote) = &self.remote else {
            return Received::Heard;
        };
        if !remote.direction.receives() {
            self.stats.dropped_direction += 1;
            meters.dropped_direction.increment(1);
            return Received::Heard;
        }
        let Some(kind) = remote.payload_types.kind(header.payload_type) else {
            self.stats.dropped_payload_type += 1;
            meters.dropped_payload_type.increment(1);
            return Received::Heard;
        };
        Received::Taken(Taken {
            header,
            kind,
            law: remote.payload_types.law,
        })
    }

    /// Sends on a packet that the leg in slot `from` has taken.
    pub(crate) fn forward_rtp(
        &mut self,
        from: usize,
        taken: Taken,
        packet: &mut [u8],
        context: &Context<'_>,
    ) {
        let Some(remote) = self.remote.as_ref().filter(|r| r.direction.sends()) else {
            return;
        };
        let types = remote.payload_types;
        let Some(payload_type) = types.number(taken.kind) else {
            self.stats.dropped_payload_type += 1;
            context.meters.dropped_payload_type.increment(1);
            return;
        };
        if taken.kind == Kind::Audio && taken.law != types.law {
            let Some(payload) = payload_range(packet).and_then(|range| packet.get_mut(range))
            else {
                self.stats.dropped_malformed += 1;
                context.meters.dropped_malformed.increment(1);
                return;
            };
            context.tables.convert(payload, taken.law, types.law);
        }
        let header = Header {
            payload_type,
            ..taken.header
        };
        let Some(header) = self.outgoing.relayed(from, header, context.now) else {
            return;
        };
        if let Some(place) = packet.first_chunk_mut() {
            header.write(place);
            self.send_rtp(packet, context);
        }
    }

    /// Sends on a key that was pressed at the leg in slot `from`, to a far end that hears
    /// several at once.
    pub(crate) fn forward_key(
        &mut self,
        from: usize,
        taken: Taken,
        packet: &mut [u8],
        context: &Context<'_>,
    ) {
        let types = match &self.remote {
            Some(remote) if remote.direction.sends() => remote.payload_types,
            Some(_) | None => return,
        };
        let place = packet.first_chunk_mut();
        if let (Some(payload_type), Some(place)) = (types.number(taken.kind), place) {
            let header = Header {
                payload_type,
                ..taken.header
            };
            self.outgoing.key(from, header).write(place);
            self.send_rtp(packet, context);
        }
    }

    /// Sends 20 ms of music, silence or several legs at once, if that is what the far end
    /// hears.
    pub(crate) fn play(&mut self, tracks: &Tracks, context: &Context<'_>) {
        let Some(remote) = self.remote.as_ref().filter(|r| r.direction.sends()) else {
            return;
        };
        let types = remote.payload_types;
        let mut packet = [types.law.silence(); HEADER_BYTES + FRAME_SAMPLES];
        match &mut self.hears {
            Hears::Nothing => return,
            Hears::Peer(_) | Hears::Conversation(_) => match &mut self.mixer {
                Some(mixer) => packet[HEADER_BYTES..].copy_from_slice(&mixer.frame(types.law)),
                None => return,
            },
            Hears::Silence | Hears::Announced { .. } => {}
            Hears::Announcement { place, frame } => {
                match tracks.announcements.frame(*place, types.law, *frame) {
                    Some(payload) => {
                        packet[HEADER_BYTES..].copy_from_slice(payload);
                        *frame += 1;
                    }
                    None => self.hears = Hears::Announced { is_told: false },
                }
            }
            Hears::Greeting {
                place,
                frame,
                longest_ms,
            } => {
                match greeting(tracks, types.law, *place, *frame) {
                    Some(payload) => packet[HEADER_BYTES..].copy_from_slice(payload),
                    None if matches!(self.message, Some(Message::Greeted)) => {
                        let began = Recorder::begin(context.budget, *longest_ms, context.now);
                        let began = began.map_or(Message::Refused, |recorder| {
                            Message::Recorded(Box::new(recorder))
                        });
                        self.message = Some(began);
                    }
                    None => {}
                }
                *frame += 1;
            }
            Hears::Music(waiting) => {
                let payload = waiting.next(tracks, types.law);
                packet[HEADER_BYTES..].copy_from_slice(payload);
            }
            Hears::Notice { frame } => {
                let payload = next_frame(&tracks.notice, types.law, frame);
                packet[HEADER_BYTES..].copy_from_slice(payload);
            }
            Hears::Ringback { frame } => {
                let payload = next_frame(&tracks.ringback, types.law, frame);
                packet[HEADER_BYTES..].copy_from_slice(payload);
            }
        }
        packet[0] = 0x80;
        let header = self.outgoing.local(types.audio, context.now);
        if let Some(place) = packet.first_chunk_mut() {
            header.write(place);
            self.send_rtp(&packet, context);
        }
    }

    fn send_rtp(&mut self, packet: &[u8], context: &Context<'_>) {
        let to = self.rtp_gate.destination();
        let Some(to) = to.filter(|_| !self.is_unproven(context)) else {
            return;
        };
        // A full socket buffer or a dead route loses the packet, as any hop would.
        if self.rtp.send_to(packet, self.dressed(to)).is_ok() {
            self.stats.packets_out += 1;
            self.stats.bytes_out += packet.len() as u64;
            context.meters.packets_out.increment(1);
        }
    }

    /// Whether nothing shows any more that the packets are wanted where they go: the
    /// description names another host than signalling, is to send us nothing, and
    /// nobody has spoken from there for as long as a silence may last. Anybody could
    /// have us flood a third host otherwise.
    fn is_unproven(&self, context: &Context<'_>) -> bool {
        let is_silent = self
            .remote
            .as_ref()
            .is_some_and(|remote| !remote.direction.receives());
        is_silent
            && self.rtp_gate.is_elsewhere()
            && !self.rtcp_gate.is_latched()
            && context.now.saturating_duration_since(self.quiet_since) >= context.patience
    }

    /// Reads one RTCP packet and returns its length if its source is right.
    pub(crate) fn receive_rtcp(
        &mut self,
        buffer: &mut [u8; DATAGRAM_BYTES_MAX + 1],
        meters: &Meters,
        now: Instant,
    ) -> Option<usize> {
        let (length, from) = self.rtcp.recv_from(buffer).ok()?;
        let version = buffer.first().map_or(0, |first| first >> 6);
        if !(RTCP_BYTES_MIN..=DATAGRAM_BYTES_MAX).contains(&length) || version != 2 {
            self.stats.dropped_malformed += 1;
            meters.dropped_malformed.increment(1);
            return None;
        }
        if !self.rtcp_gate.admits(from) {
            self.stats.dropped_source += 1;
            meters.dropped_source.increment(1);
            return None;
        }
        self.stats.rtcp_in += 1;
        let compound = buffer.get(..length).unwrap_or_default();
        if let Some(block) = rtcp::report_on(compound, self.outgoing.ssrc()) {
            self.reception.told(&block, now);
        }
        Some(length)
    }

    /// Sends on RTCP that `streams` has made fit for this far end. RTCP flows
    /// also on hold (RFC 3264 section 5.1).
    pub(crate) fn forward_rtcp(
        &mut self,
        compound: &[u8],
        streams: &rtcp::Streams,
        out: &mut Vec<u8>,
        now: Instant,
    ) {
        let Some(to) = self.rtcp_gate.destination() else {
            return;
        };
        if rtcp::rewrite(compound, streams, out) && self.rtcp.send_to(out, self.dressed(to)).is_ok()
        {
            self.stats.rtcp_out += 1;
            if let Some(stamp) = rtcp::sender_stamp(out) {
                self.reception.reported(stamp, now);
            }
        }
    }

    /// The address as this socket's family wants it.
    fn dressed(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.ipv6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            IpAddr::V4(_) | IpAddr::V6(_) => to,
        }
    }
}

/// What became of a datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Received {
    /// Not from the far end, or not RTP.
    Dropped,
    /// From the far end, but not to be passed on.
    Heard,
    /// To be passed on.
    Taken(Taken),
}

/// What a leg borrows from its shard while it handles a packet.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) meters: &'a Meters,
    pub(crate) now: Instant,
    /// How long a silence may last.
    pub(crate) patience: Duration,
    /// Memory for messages.
    pub(crate) budget: &'a Budget,
}

fn bind(listen: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((listen, port))?;
    socket.set_nonblocking(true)?;
    let options = socket2::SockRef::from(&socket);
    // Only a wish to the network: a system that forbids it still relays.
    let _marked = match listen {
        IpAddr::V4(_) => options.set_tos_v4(EXPEDITED_FORWARDING),
        IpAddr::V6(_) => options.set_tclass_v6(EXPEDITED_FORWARDING),
    };
    Ok(socket)
}

/// A frame of what a caller hears before a message: the greeting, if there is one, and
/// the tone. None after the last.
fn greeting(tracks: &Tracks, law: Law, place: Option<usize>, frame: usize) -> Option<&[u8]> {
    let greeted = place.map_or(0, |place| tracks.announcements.frames(place));
    match (place, frame.checked_sub(greeted)) {
        (Some(place), None) => tracks.announcements.frame(place, law, frame),
        (_, Some(frame)) if frame < tracks.beep.frames() => Some(tracks.beep.frame(law, frame)),
        (_, _) => None,
    }
}

/// The frame that is next, again and again.
pub(crate) fn next_frame<'a>(track: &'a Track, law: Law, frame: &mut usize) -> &'a [u8] {
    let payload = track.frame(law, *frame);
    *frame = (*frame + 1) % track.frames();
    payload
}
