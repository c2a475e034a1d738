//! What one call sends: source of samples, RTP numbering, telephone events.

use std::collections::VecDeque;
use std::time::Instant;

use crate::g711;
use crate::rtp::{FRAME_MS, FRAME_SAMPLES, Packet, event_of_digit, event_payload};
use crate::sdp::Codec;
use crate::tone::{SAMPLE_RATE_HZ, Tone};

/// Keys that may wait to be sent.
pub const DIGITS_QUEUED_MAX: usize = 32;
/// The last packet of an event is sent this often (RFC 4733 2.5.1.4).
const EVENT_END_PACKETS: u8 = 3;

#[derive(Debug)]
enum Source {
    Nothing,
    Silence,
    Tone(Tone),
    Samples {
        samples: Vec<i16>,
        at: usize,
        repeat: bool,
    },
}

/// An event being sent.
#[derive(Debug)]
struct Event {
    code: u8,
    samples_total: u32,
    samples_sent: u32,
    timestamp: Option<u32>,
    ends_sent: u8,
}

/// The sending half of a call's audio; makes packets, owns no socket.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) codec: Codec,
    pub(super) telephone_event: Option<u8>,
    pub(super) allowed: bool,
    pub(super) sent_packets: u64,
    source: Source,
    events: VecDeque<Event>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    last_packet_at: Option<Instant>,
    talking: bool,
}

impl Sender {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            codec: Codec::Pcmu,
            telephone_event: None,
            allowed: false,
            sent_packets: 0,
            source: Source::Nothing,
            events: VecDeque::new(),
            ssrc: (seed >> 32) as u32,
            sequence: (seed >> 16) as u16,
            timestamp: seed as u32,
            last_packet_at: None,
            talking: false,
        }
    }

    pub(super) fn play_tone(&mut self, tone: Tone) {
        self.source = Source::Tone(tone);
    }

    pub(super) fn play_samples(&mut self, samples: Vec<i16>, repeat: bool) {
        self.source = Source::Samples {
            samples,
            at: 0,
            repeat,
        };
    }

    pub(super) fn play_silence(&mut self) {
        self.source = Source::Silence;
    }

    pub(super) fn stop(&mut self) {
        self.source = Source::Nothing;
        self.talking = false;
    }

    pub(super) fn queue_digit(&mut self, digit: char, duration_ms: u64) -> bool {
        let Some(code) = event_of_digit(digit) else {
            return false;
        };
        if self.telephone_event.is_none() || self.events.len() >= DIGITS_QUEUED_MAX {
            return false;
        }
        let frames = (duration_ms / FRAME_MS).clamp(1, 400) as u32;
        let samples_total = frames * FRAME_SAMPLES as u32;
        self.events.push_back(Event {
            code,
            samples_total,
            samples_sent: 0,
            timestamp: None,
            ends_sent: 0,
        });
        true
    }

    pub(super) fn wants_to_send(&self) -> bool {
        self.allowed && (!matches!(self.source, Source::Nothing) || !self.events.is_empty())
    }

    /// The packet of this frame. `None` if there is nothing to send.
    pub(super) fn next_packet(&mut self, now: Instant) -> Option<Vec<u8>> {
        if !self.wants_to_send() {
            return None;
        }
        self.advance(now);
        let packet = match self.event_packet() {
            Some(packet) => packet,
            None => self.audio_packet()?,
        };
        self.sent_packets += 1;
        self.sequence = self.sequence.wrapping_add(1);
        Some(packet)
    }

    /// Moves the timestamp on by one frame, or after a pause by the time that passed (RFC 3550 5.1).
    fn advance(&mut self, now: Instant) {
        let paused_ms = match self.last_packet_at {
            Some(last) if !self.talking => now.duration_since(last).as_millis() as u64,
            Some(_) | None => 0,
        };
        let frames = (paused_ms / FRAME_MS).max(1) as u32;
        self.timestamp = self
            .timestamp
            .wrapping_add(frames.wrapping_mul(FRAME_SAMPLES as u32));
        self.last_packet_at = Some(now);
    }

    fn event_packet(&mut self) -> Option<Vec<u8>> {
        let payload_type = self.telephone_event?;
        let event = self.events.front_mut()?;
        let marker = event.timestamp.is_none();
        let timestamp = *event.timestamp.get_or_insert(self.timestamp);
        if event.samples_sent < event.samples_total {
            event.samples_sent += FRAME_SAMPLES as u32;
        }
        let end = event.samples_sent >= event.samples_total;
        let duration = event.samples_sent.min(u32::from(u16::MAX)) as u16;
        let payload = event_payload(event.code, end, duration);
        let done = {
            event.ends_sent += u8::from(end);
            event.ends_sent >= EVENT_END_PACKETS
        };
        if done {
            self.events.pop_front();
        }
        self.talking = true;
        let (sequence, ssrc) = (self.sequence, self.ssrc);
        Some(
            Packet {
                payload_type,
                marker,
                sequence,
                timestamp,
                ssrc,
                payload: &payload,
            }
            .to_bytes(),
        )
    }

    fn audio_packet(&mut self) -> Option<Vec<u8>> {
        let samples = match &mut self.source {
            Source::Nothing => {
                self.talking = false;
                return None;
            }
            Source::Silence => vec![0; FRAME_SAMPLES],
            Source::Tone(tone) => tone.next_samples(FRAME_SAMPLES),
            Source::Samples {
                samples,
                at,
                repeat,
            } => {
                let frame = take_frame(samples, at, *repeat);
                if *at >= samples.len() && !*repeat {
                    self.source = Source::Silence;
                }
                frame
            }
        };
        let payload = g711::encode(self.codec, &samples);
        let marker = !self.talking;
        self.talking = true;
        let (sequence, timestamp, ssrc) = (self.sequence, self.timestamp, self.ssrc);
        let payload_type = self.codec.payload_type();
        Some(
            Packet {
                payload_type,
                marker,
                sequence,
                timestamp,
                ssrc,
                payload: &payload,
            }
            .to_bytes(),
        )
    }
}

/// The next frame; behind the end comes silence, or the beginning again.
fn take_frame(samples: &[i16], at: &mut usize, repeat: bool) -> Vec<i16> {
    (0..FRAME_SAMPLES)
        .map(|_| {
            if *at >= samples.len() && repeat {
                *at = 0;
            }
            let sample = samples.get(*at).copied().unwrap_or(0);
            *at += 1;
            sample
        })
        .collect()
}

/// Samples of so many milliseconds.
const _: () = assert!(FRAME_SAMPLES as u64 * 1000 == FRAME_MS * SAMPLE_RATE_HZ as u64);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sender() -> Sender {
        let mut sender = Sender::new(0x1111_2222_3333_4444);
        sender.allowed = true;
        sender.telephone_event = Some(101);
        sender
    }

    #[test]
    fn frames_are_numbered_without_gaps_and_only_the_first_is_marked() {
        let (mut sender, start) = (sender(), Instant::now());
        sender.play_tone(Tone::new(440.0, 0.5));
        let bytes = (0..3)
            .map(|n| {
                sender
                    .next_packet(start + Duration::from_millis(20 * n))
                    .unwrap()
            })
            .collect::<Vec<_>>();
        let packets = bytes
            .iter()
            .map(|b| Packet::parse(b).unwrap())
            .collect::<Vec<_>>();
        assert_eq!(
            packets.iter().map(|p| p.marker).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert_eq!(packets[2].sequence, packets[0].sequence.wrapping_add(2));
        assert_eq!(packets[2].timestamp, packets[0].timestamp.wrapping_add(320));
        assert!(
            packets
                .iter()
                .all(|p| p.payload.len() == 160 && p.payload_type == 0)
        );
    }

    #[test]
    fn a_pause_shows_in_the_timestamp_and_not_in_the_sequence() {
        let (mut sender, start) = (sender(), Instant::now());
        sender.play_silence();
        let first = sender.next_packet(start).unwrap();
        sender.stop();
        assert!(sender.next_packet(start).is_none());
        sender.play_silence();
        let second = sender.next_packet(start + Duration::from_secs(1)).unwrap();
        let (first, second) = (
            Packet::parse(&first).unwrap(),
            Packet::parse(&second).unwrap(),
        );
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 8000);
        assert_eq!(second.sequence, first.sequence.wrapping_add(1));
        assert!(second.marker);
    }

    #[test]
    fn a_key_is_one_event_with_one_timestamp_and_three_ends() {
        let mut sender = sender();
        assert!(sender.queue_digit('5', 60));
        assert!(!sender.queue_digit('x', 60));
        let bytes = (0..5)
            .map(|_| sender.next_packet(Instant::now()).unwrap())
            .collect::<Vec<_>>();
        let packets = bytes
            .iter()
            .map(|b| Packet::parse(b).unwrap())
            .collect::<Vec<_>>();
        assert!(
            packets
                .iter()
                .all(|p| p.timestamp == packets[0].timestamp && p.payload[0] == 5)
        );
        assert_eq!(
            packets
                .iter()
                .map(|p| p.payload[1] & 0x80 != 0)
                .collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        assert_eq!(packets[4].payload[2..], 480u16.to_be_bytes());
        assert!(sender.next_packet(Instant::now()).is_none());
    }
}
