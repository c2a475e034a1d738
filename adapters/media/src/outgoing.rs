//! The stream that one leg hears. Whatever it is fed from (music, silence,
//! this or that other leg), its receiver sees one SSRC, sequence numbers
//! without a jump and timestamps that follow the clock. Pure: time is an input.

use crate::{
    g711::{FRAME_SAMPLES, SAMPLE_RATE_HZ},
    rtp::Header,
};
use std::time::{Duration, Instant};

/// A sequence number further ahead than this is a restart, not loss (RFC 3550 A.1).
pub(crate) const DROPOUT_MAX: i16 = 3000;
/// A sequence number further behind than this is a restart, not reordering.
pub(crate) const MISORDER_MAX: i16 = 100;
/// A local frame later than this starts afresh, so that timestamps follow the clock.
const LATE_MAX: Duration = Duration::from_millis(200);

/// Who feeds the stream. A number names a leg's slot and its SSRC, so that a
/// far end that restarts its stream is a new feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Local,
    Relayed { slot: usize, ssrc: u32 },
}

/// A stretch of the stream from one feed, and how its numbers are shifted.
#[derive(Debug, Clone, Copy)]
struct Segment {
    feed: Feed,
    /// Where it began in our numbering; what is older belongs to the past.
    first_sequence: u32,
    sequence_offset: u32,
    timestamp_offset: u32,
}

/// How a relayed segment is numbered, for rewriting RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shift {
    /// SSRC of the far end that feeds the stream.
    pub(crate) source_ssrc: u32,
    /// SSRC that the receiver sees.
    pub(crate) ssrc: u32,
    /// Ours minus theirs, with the wraps of ours in the upper half (RFC 3550 section
    /// 6.4.1): theirs are counted from where they began to feed the stream.
    pub(crate) sequence_offset: u32,
    /// Ours minus theirs.
    pub(crate) timestamp_offset: u32,
}

/// The numbering of one outgoing stream.
#[derive(Debug)]
pub(crate) struct Outgoing {
    ssrc: u32,
    /// The upper half counts the wraps.
    next_sequence: u32,
    last: Option<(Instant, u32)>,
    first_timestamp: u32,
    segment: Option<Segment>,
    /// The key that is passed on between local frames, as its far end stamped it, and its
    /// timestamp here.
    key: Option<(Feed, u32, u32)>,
}

impl Outgoing {
    /// A stream that starts at random numbers (RFC 3550 section 5.1).
    pub(crate) fn new(random: [u64; 2]) -> Self {
        let [identity, numbering] = random;
        Self {
            ssrc: identity as u32,
            // Far from the wrap, which makes some receivers' statistics wrong.
            next_sequence: (numbering >> 32) as u32 & 0x7fff,
            first_timestamp: numbering as u32,
            last: None,
            segment: None,
            key: None,
        }
    }

    /// The header of the next frame of music or silence.
    pub(crate) fn local(&mut self, payload_type: u8, now: Instant) -> Header {
        let running = self.segment.is_some_and(|s| s.feed == Feed::Local)
            && self
                .last
                .is_some_and(|(at, _)| now.saturating_duration_since(at) <= LATE_MAX);
        let sequence = self.next_sequence;
        let timestamp = match self.last {
            Some((_, timestamp)) if running => timestamp.wrapping_add(FRAME_SAMPLES as u32),
            Some(_) | None => self.timestamp_at(now),
        };
        if !running {
            self.segment = Some(Segment {
                feed: Feed::Local,
                first_sequence: sequence,
                sequence_offset: 0,
                timestamp_offset: 0,
            });
        }
        self.sent(sequence, timestamp, now);
        Header {
            marker: !running,
            payload_type,
            sequence: sequence as u16,
            timestamp,
            ssrc: self.ssrc,
        }
    }

    /// The header of a packet that came from the leg in `slot`; none for one
    /// that is older than the switch to that leg.
    pub(crate) fn relayed(&mut self, slot: usize, header: Header, now: Instant) -> Option<Header> {
        let feed = Feed::Relayed {
            slot,
            ssrc: header.ssrc,
        };
        let current = self
            .segment
            .filter(|segment| segment.feed == feed)
            .filter(|segment| {
                let ahead = self.ahead(header.sequence, segment);
                (-MISORDER_MAX..=DROPOUT_MAX).contains(&ahead)
            });
        let segment = match current {
            Some(segment) => segment,
            None => self.begin(feed, header, now),
        };
        let ahead = self.ahead(header.sequence, &segment);
        let sequence = self.next_sequence.wrapping_add_signed(i32::from(ahead));
        if (sequence.wrapping_sub(segment.first_sequence) as i32) < 0 {
            return None;
        }
        let timestamp = header.timestamp.wrapping_add(segment.timestamp_offset);
        self.sent(sequence, timestamp, now);
        Some(Header {
            marker: header.marker || current.is_none(),
            payload_type: header.payload_type,
            sequence: sequence as u16,
            timestamp,
            ssrc: self.ssrc,
        })
    }

    /// The header of a packet of a key (RFC 4733) that was pressed at the leg in `slot`,
    /// between frames of our own: all packets of one key have one timestamp, and the frames
    /// go on as if it were not there.
    pub(crate) fn key(&mut self, slot: usize, header: Header) -> Header {
        let ssrc = header.ssrc;
        let feed = Feed::Relayed { slot, ssrc };
        let timestamp = match self.key {
            Some((known, theirs, ours)) if known == feed && theirs == header.timestamp => ours,
            Some(_) | None => self.last.map_or(self.first_timestamp, |(_, last)| last),
        };
        self.key = Some((feed, header.timestamp, timestamp));
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        Header {
            sequence: sequence as u16,
            timestamp,
            ssrc: self.ssrc,
            ..header
        }
    }

    /// The SSRC that the receiver sees.
    pub(crate) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// How the feed from that slot is shifted now; none before its first packet.
    pub(crate) fn shift(&self, from: usize) -> Option<Shift> {
        let segment = self.segment?;
        match segment.feed {
            Feed::Relayed { slot, ssrc } if slot == from => Some(Shift {
                source_ssrc: ssrc,
                ssrc: self.ssrc,
                sequence_offset: segment.sequence_offset,
                timestamp_offset: segment.timestamp_offset,
            }),
            Feed::Relayed { .. } | Feed::Local => None,
        }
    }

    /// Ends the current stretch: whatever comes next is marked as a new talk
    /// spurt, even from the same feed.
    pub(crate) fn cut(&mut self) {
        self.segment = None;
    }

    fn begin(&mut self, feed: Feed, header: Header, now: Instant) -> Segment {
        let segment = Segment {
            feed,
            first_sequence: self.next_sequence,
            sequence_offset: self.next_sequence.wrapping_sub(u32::from(header.sequence)),
            timestamp_offset: self.timestamp_at(now).wrapping_sub(header.timestamp),
        };
        self.segment = Some(segment);
        segment
    }

    /// The timestamp of a stretch that begins now: at least one frame after
    /// the last packet, otherwise as much later as the clock says.
    fn timestamp_at(&self, now: Instant) -> u32 {
        let Some((at, timestamp)) = self.last else {
            return self.first_timestamp;
        };
        let millis = now.saturating_duration_since(at).as_millis() as u32;
        let samples = millis.wrapping_mul(SAMPLE_RATE_HZ / 1000);
        timestamp.wrapping_add(samples.max(FRAME_SAMPLES as u32))
    }

    /// How far a packet of the segment is from the one that is expected next.
    const fn ahead(&self, sequence: u16, segment: &Segment) -> i16 {
        let expected = self.next_sequence.wrapping_sub(segment.sequence_offset);
        sequence.wrapping_sub(expected as u16) as i16
    }

    /// Late packets must not move the numbering back.
    fn sent(&mut self, sequence: u32, timestamp: u32, now: Instant) {
        if (sequence.wrapping_sub(self.next_sequence) as i32) >= 0 {
            self.next_sequence = sequence.wrapping_add(1);
            self.last = Some((now, timestamp));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: [u64; 2] = [0x0102_0304, 0x7ffe_ffff_fff0];

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp,
            ssrc,
        }
    }

    fn ms(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn music_then_a_leg_then_music_is_one_stream() {
        let start = Instant::now();
        let mut stream = Outgoing::new(RANDOM);
        let mut seen = vec![
            stream.local(0, start),
            stream.local(0, ms(start, 20)),
            stream
                .relayed(7, packet(99, 500, 1_000), ms(start, 40))
                .unwrap(),
            stream
                .relayed(7, packet(99, 501, 1_160), ms(start, 60))
                .unwrap(),
        ];
        seen.push(stream.local(0, ms(start, 80)));
        let sequences: Vec<u16> = seen.iter().map(|h| h.sequence).collect();
        assert_eq!(sequences, [0x7ffe, 0x7fff, 0x8000, 0x8001, 0x8002]);
        let marks: Vec<bool> = seen.iter().map(|h| h.marker).collect();
        assert_eq!(marks, [true, false, true, false, true]);
        for pair in seen.windows(2) {
            assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 160);
            assert_eq!(pair[0].ssrc, pair[1].ssrc);
        }
    }

    #[test]
    fn loss_and_reordering_of_the_far_end_stay_visible() {
        let now = Instant::now();
        let mut stream = Outgoing::new(RANDOM);
        let mut relay = |sequence: u16| {
            let header = packet(9, sequence, u32::from(sequence) * 160);
            stream.relayed(1, header, now).map(|h| h.sequence)
        };
        let first = relay(100).unwrap();
        assert_eq!(relay(103), Some(first + 3), "two were lost");
        assert_eq!(relay(102), Some(first + 2), "one was only late");
        assert_eq!(relay(104), Some(first + 4));
        assert_eq!(relay(99), None, "before the switch");
    }

    #[test]
    fn an_hour_of_one_feed_is_relayed_whole() {
        let now = Instant::now();
        let mut stream = Outgoing::new(RANDOM);
        let first = stream.relayed(1, packet(9, 60_000, 0), now).unwrap();
        for place in 1..180_000_u32 {
            let sequence = 60_000_u16.wrapping_add(place as u16);
            let relayed = stream.relayed(1, packet(9, sequence, 0), now).unwrap();
            assert_eq!(relayed.sequence, first.sequence.wrapping_add(place as u16));
            assert!(!relayed.marker);
        }
    }

    #[test]
    fn a_restarted_source_continues_the_stream() {
        let now = Instant::now();
        let mut stream = Outgoing::new(RANDOM);
        let first = stream.relayed(1, packet(9, 60_000, 0), now).unwrap();
        let other = stream.relayed(1, packet(10, 5, 77), now).unwrap();
        assert_eq!(other.sequence, first.sequence + 1);
        assert!(other.marker);
        let jump = stream.relayed(1, packet(10, 30_000, 77), now).unwrap();
        assert_eq!(jump.sequence, first.sequence + 2);
    }

    #[test]
    fn a_key_between_local_frames_has_one_timestamp_and_moves_none_of_theirs() {
        let start = Instant::now();
        let mut stream = Outgoing::new(RANDOM);
        let first = stream.local(0, start);
        let keys = [500, 501].map(|sequence| stream.key(7, packet(99, sequence, 8_000)));
        let frame = stream.local(0, ms(start, 20));
        let late = stream.key(7, packet(99, 502, 8_000));
        let next = stream.key(7, packet(99, 503, 9_600));
        let all = [first, keys[0], keys[1], frame, late, next];
        let after = |header: &Header| header.sequence.wrapping_sub(first.sequence);
        assert_eq!(all.each_ref().map(after), [0, 1, 2, 3, 4, 5]);
        let later = |header: &Header| header.timestamp.wrapping_sub(first.timestamp);
        assert_eq!(all.each_ref().map(later), [0, 0, 0, 160, 0, 160]);
        assert!(all.iter().all(|header| header.ssrc == first.ssrc));
        assert!(!frame.marker);
    }

    #[test]
    fn a_pause_shows_in_the_timestamp_and_not_in_the_sequence() {
        let start = Instant::now();
        let mut stream = Outgoing::new(RANDOM);
        let before = stream.relayed(1, packet(9, 1, 0), start).unwrap();
        let after = stream.local(0, ms(start, 5_000));
        assert_eq!(after.sequence, before.sequence + 1);
        assert_eq!(after.timestamp.wrapping_sub(before.timestamp), 40_000);
        assert_eq!(stream.shift(1), None);
    }
}
