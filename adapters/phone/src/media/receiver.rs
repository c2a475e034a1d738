//! What one call hears: counts, a recording on the source's own clock, keys.

use std::time::Instant;

use super::MediaStats;
use crate::g711;
use crate::rtp::{Packet, digit_of_event};
use crate::sdp::Codec;

/// The longest recording, in samples: ten minutes.
pub const RECORDED_SAMPLES_MAX: usize = 10 * 60 * 8000;
/// A gap longer than this many samples is a new start and not a loss to be filled.
const GAP_SAMPLES_MAX: u32 = 8000;
/// Keys kept.
const DIGITS_MAX: usize = 256;

/// The stream as far as it has come.
#[derive(Debug, Clone, Copy)]
struct Position {
    ssrc: u32,
    next_sequence: u16,
    next_timestamp: u32,
}

/// The receiving half of a call's audio; reads packets, owns no socket.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    pub(super) stats: MediaStats,
    pub(super) telephone_event: Option<u8>,
    pub(super) digits: String,
    position: Option<Position>,
    last_event: Option<u32>,
    recording: Option<Vec<i16>>,
}

impl Receiver {
    pub(super) fn record_start(&mut self) {
        self.recording = Some(Vec::new());
    }

    pub(super) fn record_stop(&mut self) -> Vec<i16> {
        self.recording.take().unwrap_or_default()
    }

    pub(super) fn recorded_samples(&self) -> usize {
        self.recording.as_ref().map_or(0, Vec::len)
    }

    /// One datagram; `expected` says whether it came from where the other side said it would be.
    pub(super) fn on_packet(&mut self, now: Instant, bytes: &[u8], expected: bool) {
        let Some(packet) = Packet::parse(bytes) else {
            self.stats.foreign_packets += 1;
            return;
        };
        self.stats.received_packets += 1;
        self.stats.unexpected_source_packets += u64::from(!expected);
        self.stats.first_rtp_at.get_or_insert(now);
        self.stats.last_rtp_at = Some(now);
        if Some(packet.payload_type) == self.telephone_event {
            self.on_event(&packet);
            self.step(&packet, None);
            return;
        }
        match Codec::from_payload_type(packet.payload_type) {
            Some(codec) => self.step(&packet, Some(codec)),
            None => self.stats.foreign_packets += 1,
        }
    }

    /// Follows sequence and time; audio is appended to the recording at its place.
    fn step(&mut self, packet: &Packet<'_>, codec: Option<Codec>) {
        let length = if codec.is_some() {
            packet.payload.len() as u32
        } else {
            0
        };
        let mut gap = 0;
        match self.position {
            Some(position) if position.ssrc == packet.ssrc => {
                let ahead = packet.sequence.wrapping_sub(position.next_sequence);
                if ahead > u16::MAX / 2 {
                    self.stats.late_packets += 1;
                    return;
                }
                self.stats.lost_packets += u64::from(ahead);
                gap = packet.timestamp.wrapping_sub(position.next_timestamp);
            }
            Some(_) => self.stats.source_changes += 1,
            None => {}
        }
        let next_timestamp = match (codec, self.position) {
            // An event does not move the audio's clock.
            (None, Some(position)) if position.ssrc == packet.ssrc => position.next_timestamp,
            (None | Some(_), _) => packet.timestamp.wrapping_add(length),
        };
        let next_sequence = packet.sequence.wrapping_add(1);
        self.position = Some(Position {
            ssrc: packet.ssrc,
            next_sequence,
            next_timestamp,
        });
        if let (Some(codec), Some(recording)) = (codec, self.recording.as_mut()) {
            let room = RECORDED_SAMPLES_MAX.saturating_sub(recording.len());
            // A recording starts with its first packet, and a jump of the clock is not silence.
            if gap <= GAP_SAMPLES_MAX && !recording.is_empty() {
                recording.extend(std::iter::repeat_n(0, (gap as usize).min(room)));
            }
            let room = RECORDED_SAMPLES_MAX.saturating_sub(recording.len());
            recording.extend(g711::decode(codec, packet.payload).into_iter().take(room));
        }
    }

    /// Each event counts once: all its packets carry the same timestamp (RFC 4733 2.5.1).
    fn on_event(&mut self, packet: &Packet<'_>) {
        let digit = packet
            .payload
            .first()
            .and_then(|code| digit_of_event(*code));
        if self.last_event != Some(packet.timestamp) && self.digits.len() < DIGITS_MAX {
            self.digits.extend(digit);
        }
        self.last_event = Some(packet.timestamp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(
        receiver: &mut Receiver,
        payload_type: u8,
        sequence: u16,
        timestamp: u32,
        payload: &[u8],
    ) {
        let packet = Packet {
            payload_type,
            marker: false,
            sequence,
            timestamp,
            ssrc: 1,
            payload,
        };
        receiver.on_packet(Instant::now(), &packet.to_bytes(), true);
    }

    #[test]
    fn a_lost_packet_is_silence_of_its_length_and_a_late_one_is_counted() {
        let mut receiver = Receiver::default();
        receiver.record_start();
        hear(&mut receiver, 0, 65_535, u32::MAX - 159, &[0x80; 160]);
        hear(&mut receiver, 0, 1, 160, &[0x80; 160]);
        hear(&mut receiver, 0, 0, 0, &[0x80; 160]);
        let heard = receiver.record_stop();
        assert_eq!(heard.len(), 480);
        assert_eq!(heard[159..=160], [32_124, 0]);
        assert_eq!(heard[319..=320], [0, 32_124]);
        assert_eq!(
            (receiver.stats.lost_packets, receiver.stats.late_packets),
            (1, 1)
        );
    }

    #[test]
    fn an_event_is_one_key_however_many_packets_it_has() {
        let mut receiver = Receiver {
            telephone_event: Some(101),
            ..Receiver::default()
        };
        for sequence in 0..4 {
            hear(&mut receiver, 101, sequence, 800, &[1, 10, 0, 160]);
        }
        hear(&mut receiver, 101, 4, 1600, &[1, 10, 0, 160]);
        assert_eq!(receiver.digits, "11");
    }

    #[test]
    fn bytes_that_are_no_packet_are_only_counted() {
        let mut receiver = Receiver::default();
        receiver.on_packet(Instant::now(), b"", true);
        receiver.on_packet(Instant::now(), &[0; 40], true);
        hear(&mut receiver, 33, 0, 0, &[]);
        assert_eq!(receiver.stats.foreign_packets, 3);
    }
}
