//! What a far end says, as it comes: G.711 in the order of its timestamps, in memory
//! that was set aside for the longest message before it began. Pure: time is an input,
//! and nothing here waits for anybody.

use crate::{
    g711::{Law, SAMPLE_RATE_HZ, Tables},
    rtp::Header,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const SAMPLES_PER_MS: usize = SAMPLE_RATE_HZ as usize / 1_000;
/// So long nobody has said anything: the message is over.
const SILENCE: Duration = Duration::from_secs(10);
/// A packet with a sample as loud as this has something to say; less is the noise of a
/// line, about -40 dBFS.
const LOUD: u16 = 328;
/// What is kept after the last sound: a word dies away.
const TAIL_SAMPLES: usize = 500 * SAMPLES_PER_MS;
/// A timestamp further ahead of the clock than this is a new time base.
const AHEAD_SAMPLES: usize = 1_000 * SAMPLES_PER_MS;
/// Memory for messages that are being left, all together; one more is not taken.
const BYTES_MAX: u64 = 256 * 1_024 * 1_024;

/// Memory that is set aside for messages, in bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    /// Sets some aside, if there is any; given back when it is dropped.
    pub(crate) fn take(&self, bytes: usize) -> Option<Room> {
        let bytes = bytes as u64;
        let more = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= BYTES_MAX);
        let taken = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Room {
            budget: self.clone(),
            bytes,
        })
    }
}

/// A part of the budget.
#[derive(Debug)]
pub(crate) struct Room {
    budget: Budget,
    bytes: u64,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A message that was said.
pub struct Recording {
    law: Law,
    sound: Vec<u8>,
    /// How much of it was loud.
    voiced_ms: u64,
    /// As long as its sound is in memory.
    _room: Option<Room>,
}

impl Recording {
    /// Of somebody who said nothing.
    pub(crate) const fn nothing() -> Self {
        Self {
            law: Law::Mu,
            sound: vec![],
            voiced_ms: 0,
            _room: None,
        }
    }

    /// How long it is.
    pub fn length_ms(&self) -> u64 {
        (self.sound.len() / SAMPLES_PER_MS) as u64
    }

    /// How much of it was loud, in milliseconds: what is not is no word.
    pub fn voiced_ms(&self) -> u64 {
        self.voiced_ms
    }

    /// As a file: WAV with G.711, as it came (RFC 2361, sections 4.6 and 4.7).
    pub fn file(&self) -> Vec<u8> {
        let tag: u16 = match self.law {
            Law::A => 6,
            Law::Mu => 7,
        };
        let length = u32::try_from(self.sound.len()).unwrap_or(u32::MAX);
        let padded = length + length % 2;
        let mut file = Vec::with_capacity(self.sound.len() + 64);
        file.extend(b"RIFF");
        // All that follows: "WAVE", a chunk of 18 bytes, one of 4, and the sound.
        file.extend((4 + 26 + 12 + 8 + padded).to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend(18_u32.to_le_bytes());
        file.extend(tag.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(SAMPLE_RATE_HZ.to_le_bytes());
        file.extend(SAMPLE_RATE_HZ.to_le_bytes());
        file.extend(1_u16.to_le_bytes());
        file.extend(8_u16.to_le_bytes());
        file.extend(0_u16.to_le_bytes());
        file.extend(b"fact");
        file.extend(4_u32.to_le_bytes());
        file.extend(length.to_le_bytes());
        file.extend(b"data");
        file.extend(length.to_le_bytes());
        file.extend(&self.sound);
        file.resize(file.len() + (padded - length) as usize, 0);
        file
    }
}

/// What somebody has said is nobody's business.
impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({} ms)", self.length_ms())
    }
}

impl PartialEq for Recording {
    fn eq(&self, other: &Self) -> bool {
        (self.law, &self.sound) == (other.law, &other.sound)
    }
}

impl Eq for Recording {}

/// Where a stream's timestamps are in the recording.
#[derive(Debug, Clone, Copy)]
struct Base {
    ssrc: u32,
    timestamp: u32,
    place: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Recorder {
    began: Instant,
    longest: usize,
    law: Option<Law>,
    sound: Vec<u8>,
    base: Option<Base>,
    /// Where the last sound was over that was loud enough to be one.
    heard_to: usize,
    /// When that was, in samples of the clock: a phone may send no timestamps for what it
    /// does not send.
    heard_at: usize,
    /// How much was loud enough, in samples.
    voiced: usize,
    room: Room,
}

impl Recorder {
    /// Begins now; none when there is no memory left for another message.
    pub(crate) fn begin(budget: &Budget, longest_ms: u32, now: Instant) -> Option<Self> {
        let longest = longest_ms as usize * SAMPLES_PER_MS;
        let room = budget.take(longest)?;
        Some(Self {
            began: now,
            longest,
            law: None,
            // A page of it is only there once it is written to.
            sound: Vec::with_capacity(longest),
            base: None,
            heard_to: 0,
            heard_at: 0,
            voiced: 0,
            room,
        })
    }

    /// A packet of sound has come.
    pub(crate) fn hear(
        &mut self,
        header: &Header,
        payload: &[u8],
        law: Law,
        tables: &Tables,
        now: Instant,
    ) {
        let kept_law = *self.law.get_or_insert(law);
        let elapsed = self.elapsed(now);
        let place = self.place(header, elapsed);
        let Some(place) = place.filter(|place| *place < self.longest) else {
            return;
        };
        let length = payload.len().min(self.longest - place);
        let end = place + length;
        if self.sound.len() < end {
            // What was lost, or not sent, is silence.
            self.sound.resize(end, kept_law.silence());
        }
        if let (Some(kept), Some(said)) = (self.sound.get_mut(place..end), payload.get(..length)) {
            kept.copy_from_slice(said);
            tables.convert(kept, law, kept_law);
            let is_loud = |byte: &u8| law.decode(*byte).unsigned_abs() >= LOUD;
            if said.iter().any(is_loud) {
                self.heard_to = self.heard_to.max(end);
                self.heard_at = self.heard_at.max(elapsed + length);
                self.voiced += length;
            }
        }
    }

    /// Where a packet belongs: by its timestamp, as far as that agrees with the clock.
    /// None of a packet from before the beginning.
    fn place(&mut self, header: &Header, elapsed: usize) -> Option<usize> {
        if let Some(base) = self.base.filter(|base| base.ssrc == header.ssrc) {
            let distance = header.timestamp.wrapping_sub(base.timestamp) as i32;
            let distance = isize::try_from(distance).unwrap_or(isize::MAX);
            match base.place.checked_add_signed(distance) {
                Some(place) if place <= elapsed + AHEAD_SAMPLES => return Some(place),
                // Late, of before the beginning.
                None if distance.unsigned_abs() <= AHEAD_SAMPLES => return None,
                Some(_) | None => {}
            }
        }
        // A stream begins, or its time anew: now.
        let place = elapsed.max(self.sound.len());
        self.base = Some(Base {
            ssrc: header.ssrc,
            timestamp: header.timestamp,
            place,
        });
        Some(place)
    }

    /// Whether it is as long as it may be, or nobody has said anything for too long.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        let elapsed = self.elapsed(now);
        let silence = SILENCE.as_millis() as usize * SAMPLES_PER_MS;
        elapsed >= self.longest || elapsed.saturating_sub(self.heard_at) >= silence
    }

    /// What was said, up to a little after its last sound.
    pub(crate) fn finish(mut self) -> Recording {
        let end = match self.heard_to {
            0 => 0,
            heard_to => heard_to + TAIL_SAMPLES,
        };
        self.sound.truncate(end);
        // Whole milliseconds: the length that is told is that of the file.
        self.sound
            .truncate(self.sound.len() / SAMPLES_PER_MS * SAMPLES_PER_MS);
        Recording {
            law: self.law.unwrap_or(Law::Mu),
            sound: self.sound,
            voiced_ms: (self.voiced / SAMPLES_PER_MS) as u64,
            _room: Some(self.room),
        }
    }

    /// Samples since it began.
    fn elapsed(&self, now: Instant) -> usize {
        let micros = now.saturating_duration_since(self.began).as_micros();
        usize::try_from(micros / 125).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 160;

    struct Story {
        recorder: Recorder,
        tables: Tables,
        start: Instant,
    }

    impl Story {
        fn new(longest_ms: u32) -> Self {
            let start = Instant::now();
            Self {
                recorder: Recorder::begin(&Budget::default(), longest_ms, start).unwrap(),
                tables: Tables::new(),
                start,
            }
        }

        /// A packet of a loudness comes so long after the start.
        fn hears(&mut self, ssrc: u32, timestamp: u32, sample: i16, at_ms: u64) -> &mut Self {
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: 0,
                timestamp,
                ssrc,
            };
            let payload = [Law::Mu.encode(sample); FRAME];
            let now = self.start + Duration::from_millis(at_ms);
            self.recorder
                .hear(&header, &payload, Law::Mu, &self.tables, now);
            self
        }

        fn is_over(&self, at_ms: u64) -> bool {
            self.recorder
                .is_over(self.start + Duration::from_millis(at_ms))
        }

        /// One word a frame: loud, or not.
        fn sound(self) -> String {
            let recording = self.recorder.finish();
            let loud = |frame: &[u8]| match Law::Mu.decode(frame[0]).unsigned_abs() >= LOUD {
                true => '#',
                false => '.',
            };
            recording.sound.chunks(FRAME).map(loud).collect()
        }
    }

    const TAIL: &str = ".........................";

    #[test]
    fn packets_lie_where_their_timestamps_say_and_what_is_lost_is_silence() {
        let mut story = Story::new(10_000);
        story.hears(1, 5_000, 9_000, 0);
        // The third comes before the second, and the fourth never.
        story.hears(1, 5_320, 9_000, 40).hears(1, 5_160, 9_000, 45);
        story.hears(1, 5_640, 9_000, 80);
        // One from before the beginning is late.
        story.hears(1, 4_840, 9_000, 90);
        story.hears(1, 5_800, 0, 100);
        assert_eq!(story.sound(), "###.#.");
    }

    #[test]
    fn a_stream_that_begins_anew_lies_where_the_clock_is() {
        let mut story = Story::new(10_000);
        story.hears(1, 0, 9_000, 0).hears(2, 77_000, 9_000, 100);
        // A time base that jumps by an hour.
        story.hears(2, 28_877_000, 9_000, 200);
        assert_eq!(story.sound(), "#....#....#");
    }

    #[test]
    fn it_ends_when_it_is_long_enough_or_nobody_says_anything() {
        let mut story = Story::new(15_000);
        assert!(!story.is_over(9_990));
        assert!(story.is_over(10_000), "nothing was ever said");
        story.hears(1, 0, 9_000, 6_000);
        assert!(!story.is_over(14_990));
        assert!(story.is_over(15_000), "it is as long as it may be");
        let mut story = Story::new(60_000);
        story.hears(1, 0, 9_000, 6_000).hears(1, 160, 5, 6_020);
        assert!(!story.is_over(16_000));
        assert!(story.is_over(16_020), "a murmur is silence");
    }

    #[test]
    fn a_phone_that_sends_nothing_in_a_pause_is_heard_after_it() {
        let mut story = Story::new(60_000);
        // Its timestamps stand still for four seconds, and again.
        story.hears(1, 0, 9_000, 0).hears(1, 160, 9_000, 4_000);
        story.hears(1, 320, 9_000, 8_000);
        assert!(!story.is_over(17_980));
        assert!(story.is_over(18_020));
    }

    #[test]
    fn a_click_is_not_what_was_said() {
        let mut story = Story::new(60_000);
        story.hears(1, 0, 5, 0).hears(1, 40_000, 9_000, 5_000);
        let recording = story.recorder.finish();
        assert_eq!((recording.length_ms(), recording.voiced_ms()), (5_020, 20));
    }

    #[test]
    fn nothing_said_is_nothing_and_the_silence_at_the_end_is_cut() {
        let mut story = Story::new(60_000);
        for frame in 0..100 {
            story.hears(1, frame * 160, 5, u64::from(frame) * 20);
        }
        assert_eq!(story.sound(), "");
        let mut story = Story::new(60_000);
        story.hears(1, 0, 9_000, 0);
        for frame in 1..100 {
            story.hears(1, frame * 160, 0, u64::from(frame) * 20);
        }
        assert_eq!(story.sound(), format!("#{TAIL}"));
    }

    #[test]
    fn it_is_never_longer_than_it_may_be() {
        let mut story = Story::new(100);
        for frame in 0..20 {
            story.hears(1, frame * 160, 9_000, u64::from(frame) * 20);
        }
        assert_eq!(story.sound(), "#####");
    }

    #[test]
    fn a_change_of_law_is_no_change_of_sound() {
        let mut story = Story::new(1_000);
        story.hears(1, 0, 9_000, 0);
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence: 0,
            timestamp: 160,
            ssrc: 1,
        };
        let payload = [Law::A.encode(9_000); FRAME];
        let now = story.start + Duration::from_millis(20);
        story
            .recorder
            .hear(&header, &payload, Law::A, &story.tables, now);
        assert_eq!(story.sound(), "##");
    }

    #[test]
    fn memory_is_set_aside_and_given_back() {
        let budget = Budget::default();
        let now = Instant::now();
        // 4.8 MB each.
        let longest = || Recorder::begin(&budget, 600_000, now);
        let mut all: Vec<_> = std::iter::from_fn(longest).collect();
        assert_eq!(all.len(), 55);
        let one = all.pop().unwrap().finish();
        assert!(longest().is_none(), "its sound is still there");
        drop(one);
        assert!(longest().is_some());
    }

    #[test]
    fn a_file_says_what_is_in_it() {
        let mut story = Story::new(1_000);
        story.hears(1, 0, 9_000, 0);
        let recording = story.recorder.finish();
        let file = recording.file();
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(number(4) as usize, file.len() - 8);
        assert_eq!(&file[8..16], b"WAVEfmt ");
        assert_eq!(file[20..24], [7, 0, 1, 0], "mu-law, one channel");
        assert_eq!((number(24), number(28)), (8_000, 8_000));
        assert_eq!(&file[50..54], b"data");
        assert_eq!(number(54) as u64, recording.length_ms() * 8);
        assert_eq!(file.len(), 58 + FRAME);
    }
}
