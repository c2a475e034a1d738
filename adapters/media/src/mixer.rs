//! What one leg hears of several others at once: their sound lies side by side by its own
//! timestamps, waits a little for what comes unevenly, and is added up 20 ms at a time.
//! Pure: a frame is asked for when it is due.

use crate::{
    g711::{FRAME_SAMPLES, Law},
    rtp::Header,
};
use std::collections::VecDeque;

/// So much of a source waits before it is heard: packets may come this unevenly.
const FILL_SAMPLES: usize = 2 * FRAME_SAMPLES;
/// More than this never waits: the source's clock is faster than ours, or packets came in
/// a heap.
const WAITING_MAX: usize = 6 * FRAME_SAMPLES;

/// The sound of one source that waits to be heard.
#[derive(Debug)]
struct Source {
    /// The slot of its leg.
    slot: usize,
    ssrc: u32,
    /// Timestamp of the first sample that waits.
    front: u32,
    waiting: VecDeque<i16>,
    /// It is heard; before that it waits until there is enough.
    is_heard: bool,
}

impl Source {
    const fn new(slot: usize) -> Self {
        Self {
            slot,
            ssrc: 0,
            front: 0,
            waiting: VecDeque::new(),
            is_heard: false,
        }
    }

    /// A packet has come: it lies where its timestamp says, and what was lost is silence.
    fn hear(&mut self, header: &Header, payload: &[u8], law: Law) {
        let distance = header.timestamp.wrapping_sub(self.front) as i32;
        let is_behind = distance < 0;
        let place = usize::try_from(distance).unwrap_or(usize::MAX);
        let goes_on = self.ssrc == header.ssrc && !self.waiting.is_empty();
        let place = match (goes_on, is_behind) {
            // Too late: what follows it is heard already, or is about to be.
            (true, true) if distance.unsigned_abs() as usize <= WAITING_MAX => return,
            (true, false) if place <= WAITING_MAX => place,
            (true | false, _) => {
                self.begin(header);
                0
            }
        };
        // A packet of ours holds 20 ms, theirs may hold more; none needs more than this.
        let payload = payload.get(..WAITING_MAX).unwrap_or(payload);
        let end = place + payload.len();
        if self.waiting.len() < end {
            self.waiting.resize(end, 0);
        }
        let kept = self.waiting.iter_mut().skip(place);
        for (sample, byte) in kept.zip(payload) {
            *sample = law.decode(*byte);
        }
        if self.waiting.len() > WAITING_MAX {
            let surplus = self.waiting.len() - FILL_SAMPLES;
            self.skip(surplus);
        }
        self.is_heard |= self.waiting.len() >= FILL_SAMPLES;
    }

    /// A stream begins, or goes on after a pause.
    fn begin(&mut self, header: &Header) {
        self.waiting.clear();
        (self.ssrc, self.front, self.is_heard) = (header.ssrc, header.timestamp, false);
    }

    fn skip(&mut self, samples: usize) {
        self.waiting.drain(..samples.min(self.waiting.len()));
        self.front = self.front.wrapping_add(samples as u32);
    }

    /// Adds its next 20 ms, or what there is of them.
    fn add_to(&mut self, sum: &mut [i32; FRAME_SAMPLES]) {
        if !self.is_heard {
            return;
        }
        for (sum, sample) in sum.iter_mut().zip(&self.waiting) {
            *sum += i32::from(*sample);
        }
        if self.waiting.len() < FRAME_SAMPLES {
            // It waits anew, so that it is not heard in shreds.
            self.is_heard = false;
        }
        self.skip(FRAME_SAMPLES);
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Mixer {
    sources: [Source; 2],
}

impl Mixer {
    /// Of the legs in these slots.
    pub(crate) fn of(slots: [usize; 2]) -> Self {
        Self {
            sources: slots.map(Source::new),
        }
    }

    /// Whether it is of these legs.
    pub(crate) fn is_of(&self, slots: [usize; 2]) -> bool {
        self.sources.each_ref().map(|source| source.slot) == slots
    }

    /// A packet of sound of the leg in that slot.
    pub(crate) fn hear(&mut self, slot: usize, header: &Header, payload: &[u8], law: Law) {
        if let Some(source) = self.sources.iter_mut().find(|source| source.slot == slot) {
            source.hear(header, payload, law);
        }
    }

    /// The next 20 ms of all of them.
    pub(crate) fn frame(&mut self, law: Law) -> [u8; FRAME_SAMPLES] {
        let mut sum = [0_i32; FRAME_SAMPLES];
        for source in &mut self.sources {
            source.add_to(&mut sum);
        }
        sum.map(|sample| {
            let loudest = (i32::from(i16::MIN), i32::from(i16::MAX));
            law.encode(sample.clamp(loudest.0, loudest.1) as i16)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u32 = FRAME_SAMPLES as u32;

    /// The legs in slots 3 and 5, and what is heard of them.
    struct Story(Mixer);

    impl Story {
        fn new() -> Self {
            Self(Mixer::of([3, 5]))
        }

        fn packet(&mut self, slot: usize, timestamp: u32, sample: i16) -> &mut Self {
            self.sound(slot, (1, timestamp), sample, FRAME_SAMPLES)
        }

        fn sound(
            &mut self,
            slot: usize,
            (ssrc, timestamp): (u32, u32),
            sample: i16,
            samples: usize,
        ) -> &mut Self {
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence: 0,
                timestamp,
                ssrc,
            };
            let payload = vec![Law::Mu.encode(sample); samples];
            self.0.hear(slot, &header, &payload, Law::Mu);
            self
        }

        /// The first sample of each of so many frames.
        fn heard(&mut self, frames: usize) -> Vec<i16> {
            let mut next = || Law::Mu.decode(self.0.frame(Law::Mu)[0]);
            (0..frames).map(|_| next()).collect()
        }
    }

    /// As mu-law has it.
    fn exact(sample: i16) -> i16 {
        Law::Mu.decode(Law::Mu.encode(sample))
    }

    #[test]
    fn both_are_heard_at_once_and_never_louder_than_can_be() {
        let mut story = Story::new();
        for frame in 0..2 {
            story.packet(3, frame * FRAME, 1_000);
            story.packet(5, 7_000 + frame * FRAME, 2_000);
        }
        assert_eq!(story.heard(2), [exact(exact(1_000) + exact(2_000)); 2]);
        let mut story = Story::new();
        for frame in 0..2 {
            story.packet(3, frame * FRAME, 30_000);
            story.packet(5, frame * FRAME, 30_000);
        }
        assert_eq!(story.heard(1), [exact(i16::MAX)]);
    }

    #[test]
    fn a_source_is_heard_once_a_little_of_it_waits_and_then_in_order() {
        let mut story = Story::new();
        story.packet(3, 0, 1_000);
        assert_eq!(story.heard(1), [0], "it waits for one more");
        story.packet(3, 2 * FRAME, 3_000).packet(3, FRAME, 2_000);
        let heard = [1_000, 2_000, 3_000].map(exact);
        assert_eq!(story.heard(3), heard);
        assert_eq!(story.heard(1), [0]);
    }

    #[test]
    fn what_is_lost_is_silence_and_what_is_too_late_is_not_heard() {
        let mut story = Story::new();
        story.packet(3, 0, 1_000).packet(3, 2 * FRAME, 3_000);
        assert_eq!(story.heard(2), [exact(1_000), 0]);
        story.packet(3, FRAME, 2_000);
        assert_eq!(story.heard(2), [exact(3_000), 0]);
    }

    #[test]
    fn what_waits_is_bounded_whoever_sends_too_fast_or_jumps() {
        let mut story = Story::new();
        for frame in 0..500 {
            story.packet(3, frame * FRAME, 1_000);
        }
        let waiting = story.0.sources[0].waiting.len();
        assert!((FILL_SAMPLES..=WAITING_MAX).contains(&waiting), "{waiting}");
        // An hour ahead, and another stream: each begins anew.
        story.packet(3, 28_800_000, 2_000);
        assert_eq!(story.0.sources[0].waiting.len(), FRAME_SAMPLES);
        story.sound(3, (2, 99), 2_000, 8_000);
        assert!(story.0.sources[0].waiting.len() <= WAITING_MAX);
    }

    #[test]
    fn a_source_that_falls_silent_is_heard_again_and_the_other_meanwhile() {
        let mut story = Story::new();
        for frame in 0..2 {
            story.packet(3, frame * FRAME, 1_000);
        }
        for frame in 0..5 {
            story.packet(5, frame * FRAME, 2_000);
        }
        let both = exact(exact(1_000) + exact(2_000));
        let alone = exact(2_000);
        assert_eq!(story.heard(5), [both, both, alone, alone, alone]);
        // Its timestamps stood still meanwhile.
        for frame in 2..4 {
            story.packet(3, frame * FRAME, 3_000);
        }
        assert_eq!(story.heard(2), [exact(3_000); 2]);
    }

    #[test]
    fn packets_of_another_length_are_cut_to_ours_and_legs_of_no_part_are_not_heard() {
        let mut story = Story::new();
        story.sound(3, (1, 0), 1_000, 240);
        story.sound(3, (1, 240), 1_000, 240);
        story.packet(4, 0, 9_000).packet(4, FRAME, 9_000);
        assert_eq!(
            story.heard(4),
            [exact(1_000), exact(1_000), exact(1_000), 0]
        );
    }
}
