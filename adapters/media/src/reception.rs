//! How well the stream of one far end comes in: what is lost, how unevenly it
//! comes, and how far away the far end is (RFC 3550, sections 6.4.1, A.1, A.3 and
//! A.8). Pure: time is an input.

use crate::{
    g711::SAMPLE_RATE_HZ,
    outgoing::{DROPOUT_MAX, MISORDER_MAX},
    rtcp::ReportBlock,
    rtp::Header,
};
use domain::{call::LegMedia, id::LegId};
use std::time::{Duration, Instant};

/// Microseconds of one sample.
const SAMPLE_US: u32 = 1_000_000 / SAMPLE_RATE_HZ;
/// A step further than this, in samples, is a new time base (a phone that came back
/// from a pause, a step of its clock), and not a packet that was late.
const STEP_MAX: i64 = SAMPLE_RATE_HZ as i64;
/// Reports of the other side that a far end may still answer: one is under way
/// while the next is sent.
const REPORTS_KEPT: usize = 2;

/// A stretch of packets that are numbered one after the other.
#[derive(Debug, Clone, Copy)]
struct Run {
    ssrc: u32,
    /// Distance of the highest number from the first.
    highest: u64,
    received: u64,
    last: u16,
    /// What would follow a packet that fits nowhere: two in a row are a restart (A.1).
    restart: Option<u16>,
    /// Arrival less timestamp of the last packet, in samples; none before the first
    /// packet of sound.
    transit: Option<i64>,
    /// Interarrival jitter in sixteenths of a sample (A.8).
    jitter: u32,
}

impl Run {
    const fn lost(&self) -> u64 {
        (self.highest + 1).saturating_sub(self.received)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Reception {
    began: Instant,
    run: Option<Run>,
    received: u64,
    /// Of the runs that are over.
    lost: u64,
    /// Sum of the jitter after each packet of sound, in sixteenths of a sample.
    jitters: u64,
    jitters_count: u64,
    jitter_max: u32,
    reports: [Option<(u32, Instant)>; REPORTS_KEPT],
    round_trips: Duration,
    round_trips_count: u32,
    far_lost: Option<u32>,
}

impl Reception {
    /// Nothing has come yet; `began` is no later than whatever comes.
    pub(crate) const fn new(began: Instant) -> Self {
        Self {
            began,
            run: None,
            received: 0,
            lost: 0,
            jitters: 0,
            jitters_count: 0,
            jitter_max: 0,
            reports: [None; REPORTS_KEPT],
            round_trips: Duration::ZERO,
            round_trips_count: 0,
            far_lost: None,
        }
    }

    /// A packet has come. Timestamps of sound follow the clock; those of a key that
    /// is held stand still (RFC 4733, section 2.2), and tell nothing of jitter.
    pub(crate) fn heard(&mut self, header: &Header, is_sound: bool, now: Instant) {
        self.received += 1;
        let run = match &mut self.run {
            Some(run) if run.ssrc == header.ssrc && follows(run, header) => run,
            Some(run) if run.ssrc == header.ssrc && run.restart != Some(header.sequence) => {
                run.restart = Some(header.sequence.wrapping_add(1));
                return;
            }
            run => {
                self.lost += run.map_or(0, |run| run.lost());
                run.insert(Run {
                    ssrc: header.ssrc,
                    highest: 0,
                    received: 0,
                    last: header.sequence,
                    restart: None,
                    transit: None,
                    jitter: 0,
                })
            }
        };
        run.received += 1;
        run.restart = None;
        let ahead = header.sequence.wrapping_sub(run.last) as i16;
        if ahead > 0 {
            run.highest += u64::from(ahead.unsigned_abs());
            run.last = header.sequence;
        }
        if is_sound {
            let jitter = jitter(
                run,
                header.timestamp,
                now.saturating_duration_since(self.began),
            );
            self.jitters += u64::from(jitter);
            self.jitters_count += 1;
            self.jitter_max = self.jitter_max.max(jitter);
        }
    }

    /// A report of the other side's has gone to the far end, which will name it by
    /// the middle of its timestamp.
    pub(crate) fn reported(&mut self, stamp: u32, now: Instant) {
        self.reports.rotate_right(1);
        self.reports[0] = Some((stamp, now));
    }

    /// The stream that came last.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.run.map(|run| run.ssrc)
    }

    /// The far end tells how it hears our stream.
    pub(crate) fn told(&mut self, block: &ReportBlock, now: Instant) {
        self.far_lost = Some(block.lost);
        // None has come there yet, or it is of a sender without a clock (6.4.1).
        if block.last == 0 {
            return;
        }
        let named = self.reports.iter().flatten();
        let Some((_, sent)) = named.into_iter().find(|(stamp, _)| *stamp == block.last) else {
            return;
        };
        let kept_us = (u64::from(block.delay) * 1_000_000) >> 16;
        let kept = Duration::from_micros(kept_us);
        if let Some(trip) = now.saturating_duration_since(*sent).checked_sub(kept) {
            self.round_trips += trip;
            self.round_trips_count += 1;
        }
    }

    /// What was measured.
    pub(crate) fn measured(&self, leg: LegId, sent_count: u64) -> LegMedia {
        let jitter = self.jitters.checked_div(self.jitters_count).unwrap_or(0);
        let trip = self.round_trips.checked_div(self.round_trips_count);
        LegMedia {
            leg,
            received_count: self.received,
            lost_count: self.lost + self.run.map_or(0, |run| run.lost()),
            sent_count,
            jitter_us: micros(u32::try_from(jitter).unwrap_or(u32::MAX)),
            jitter_max_us: micros(self.jitter_max),
            rtt_us: trip.map(|trip| u32::try_from(trip.as_micros()).unwrap_or(u32::MAX)),
            far_lost_count: self.far_lost,
            codec: None,
        }
    }
}

/// Whether a packet of that source is neither far ahead of its run nor far behind (A.1).
const fn follows(run: &Run, header: &Header) -> bool {
    let ahead = header.sequence.wrapping_sub(run.last) as i16;
    -MISORDER_MAX <= ahead && ahead <= DROPOUT_MAX
}

/// The jitter after a packet, in sixteenths of a sample (A.8).
fn jitter(run: &mut Run, timestamp: u32, since: Duration) -> u32 {
    let arrival = i64::try_from(since.as_micros()).unwrap_or(i64::MAX) / i64::from(SAMPLE_US);
    // Timestamps wrap round: so does their distance.
    let transit = i64::from((arrival as u32).wrapping_sub(timestamp) as i32);
    if let Some(before) = run.transit.replace(transit) {
        let step = i64::from((transit as i32).wrapping_sub(before as i32)).abs();
        if step <= STEP_MAX {
            // At most a second, in samples.
            run.jitter = run.jitter + step as u32 - ((run.jitter + 8) >> 4);
        }
    }
    run.jitter
}

/// From sixteenths of a sample to microseconds.
fn micros(jitter: u32) -> u32 {
    (u64::from(jitter) * u64::from(SAMPLE_US) / 16)
        .try_into()
        .unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: LegId = LegId(uuid::Uuid::nil());

    struct Stream {
        reception: Reception,
        start: Instant,
    }

    impl Stream {
        fn new() -> Self {
            let start = Instant::now();
            Self {
                reception: Reception::new(start),
                start,
            }
        }

        /// A packet of that number comes so long after the start.
        fn comes(&mut self, ssrc: u32, sequence: u16, at_ms: u64) {
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence,
                timestamp: u32::from(sequence).wrapping_mul(160),
                ssrc,
            };
            let now = self.start + Duration::from_millis(at_ms);
            self.reception.heard(&header, true, now);
        }

        fn measured(&self) -> LegMedia {
            self.reception.measured(LEG, 0)
        }
    }

    #[test]
    fn what_never_came_is_lost_and_what_came_late_or_twice_is_not() {
        let mut stream = Stream::new();
        for sequence in [100_u16, 101, 104, 103, 103, 106] {
            stream.comes(1, sequence, u64::from(sequence) * 20);
        }
        let measured = stream.measured();
        // 102 and 105 are missing, and one that came twice hides one of them (A.3).
        assert_eq!((measured.received_count, measured.lost_count), (6, 1));
        assert_eq!(measured.loss_ppm(), 142_857);
    }

    #[test]
    fn numbers_wrap_round_and_a_new_source_begins_anew() {
        let mut stream = Stream::new();
        for place in 0..10_u16 {
            let sequence = 65_530_u16.wrapping_add(place);
            if place != 7 {
                stream.comes(1, sequence, u64::from(place) * 20);
            }
        }
        assert_eq!(stream.measured().lost_count, 1);
        for sequence in [9_000, 9_001, 9_003] {
            stream.comes(2, sequence, 1_000);
        }
        stream.comes(2, 40_000, 1_000);
        let measured = stream.measured();
        assert_eq!((measured.received_count, measured.lost_count), (13, 2));
    }

    #[test]
    fn a_stray_packet_is_no_restart_and_an_early_one_late_is_no_loss() {
        let mut stream = Stream::new();
        for sequence in [5_000, 4_800, 5_001, 5_002] {
            stream.comes(1, sequence, 0);
        }
        assert_eq!(stream.measured().lost_count, 0);
        let mut stream = Stream::new();
        for sequence in [101, 100, 102] {
            stream.comes(1, sequence, 0);
        }
        assert_eq!(stream.measured().lost_count, 0);
        // A phone that begins anew far away, with one lost after that.
        for sequence in [30_000, 30_001, 30_003] {
            stream.comes(1, sequence, 0);
        }
        assert_eq!(stream.measured().lost_count, 1);
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_a_pause_is_none() {
        let mut stream = Stream::new();
        for sequence in 0..100_u16 {
            stream.comes(1, sequence, u64::from(sequence) * 20);
        }
        assert_eq!(stream.measured().jitter_max_us, 0);
        // A phone whose timestamps stood still while it was on hold.
        for sequence in 100..200_u16 {
            stream.comes(1, sequence, 60_000 + u64::from(sequence) * 20);
        }
        assert_eq!(stream.measured().jitter_max_us, 0);
    }

    #[test]
    fn packets_that_are_late_by_turns_are_the_jitter_of_the_rfc() {
        let mut stream = Stream::new();
        for sequence in 0..2_000_u16 {
            let late = u64::from(sequence % 2) * 10;
            stream.comes(1, sequence, u64::from(sequence) * 20 + late);
        }
        // Each step is 10 ms: the filter settles there.
        let measured = stream.measured();
        assert!(
            (9_800..=10_000).contains(&measured.jitter_us),
            "{measured:?}"
        );
        assert!(measured.jitter_max_us <= 10_000, "{measured:?}");
    }

    #[test]
    fn a_report_that_is_answered_tells_how_far_away_the_far_end_is() {
        let mut stream = Stream::new();
        let at = |ms| stream.start + Duration::from_millis(ms);
        let answer = |last, delay_ms: u32| ReportBlock {
            lost: 3,
            last,
            delay: delay_ms * 65_536 / 1_000,
        };
        let (sent, later) = (at(1_000), at(1_500));
        let (first, second, odd) = (at(1_240), at(2_540), at(2_600));
        stream.reception.reported(0xaaaa, sent);
        // It kept the report for 200 ms: 40 ms on the way.
        stream.reception.told(&answer(0xaaaa, 200), first);
        stream.reception.reported(0xbbbb, later);
        stream.reception.told(&answer(0xbbbb, 1_000), second);
        // One without a clock, one that we never sent, and one that was kept longer than it was away.
        stream.reception.reported(0, sent);
        stream.reception.told(&answer(0, 0), odd);
        stream.reception.told(&answer(0xcccc, 0), odd);
        stream.reception.told(&answer(0xbbbb, 9_000), odd);
        let measured = stream.measured();
        assert_eq!(measured.far_lost_count, Some(3));
        let rtt_us = measured.rtt_us.unwrap();
        assert!((39_900..=40_100).contains(&rtt_us), "{rtt_us}");
    }
}
