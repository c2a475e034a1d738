//! A time that does not jump: the system's wall clock as long as it agrees with
//! the time that passes, and the time that passes when it does not.
//!
//! A step of the wall clock, by hand or by a time server that comes back, must
//! not end every wrap-up at once or leave one for years. What the wall clock
//! says for long is believed in the end.

use std::time::{Duration, Instant};

/// Up to this a difference is drift, and is followed at once.
const DRIFT_MAX_US: i64 = 1_000_000;
/// A larger one is believed when it has lasted for so long.
const BELIEVED_AFTER: Duration = Duration::from_secs(300);

/// The time, in microseconds since 1970.
#[derive(Debug)]
pub(crate) struct Steady {
    /// The time that was told at `anchored`.
    anchor_us: i64,
    anchored: Instant,
    /// The largest that was told: nobody is told less, but after a step back
    /// that was believed.
    told_us: i64,
    /// Since when the wall clock has been somewhere else, and by how much.
    astray: Option<(Instant, i64)>,
}

impl Steady {
    pub(crate) const fn new(wall_us: i64, now: Instant) -> Self {
        Self {
            anchor_us: wall_us,
            anchored: now,
            told_us: wall_us,
            astray: None,
        }
    }

    /// The time, when the wall clock says `wall_us` at the monotonic instant `now`.
    pub(crate) fn tell(&mut self, wall_us: i64, now: Instant) -> i64 {
        let passed = now.saturating_duration_since(self.anchored).as_micros();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let expected = self.anchor_us.saturating_add(passed);
        let off = wall_us.saturating_sub(expected);
        if off.abs() <= DRIFT_MAX_US {
            if self.astray.take().is_some() {
                tracing::warn!("wall clock is back where it should be");
            }
            self.anchor(wall_us, now);
            self.told_us = self.told_us.max(wall_us);
        } else if self.is_believed(off, now) {
            tracing::error!(
                by_ms = off / 1_000,
                "wall clock was set: it is followed now"
            );
            self.astray = None;
            self.anchor(wall_us, now);
            self.told_us = wall_us;
        } else {
            self.told_us = self.told_us.max(expected);
        }
        self.told_us
    }

    const fn anchor(&mut self, wall_us: i64, now: Instant) {
        self.anchor_us = wall_us;
        self.anchored = now;
    }

    /// Whether the wall clock has been off by about the same for long enough.
    fn is_believed(&mut self, off: i64, now: Instant) -> bool {
        match self.astray {
            Some((since, by)) if (by - off).abs() <= DRIFT_MAX_US => {
                now.saturating_duration_since(since) >= BELIEVED_AFTER
            }
            Some(_) | None => {
                tracing::warn!(
                    by_ms = off / 1_000,
                    "wall clock has jumped: it is not followed"
                );
                metrics::counter!("ringledger_clock_jumps_count").increment(1);
                self.astray = Some((now, off));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;
    const TEN_YEARS: i64 = 10 * 365 * 86_400 * SECOND;
    const START: i64 = 1_800_000_000 * SECOND;

    /// A wall clock that is off by so much, at so many seconds from the start.
    struct Story {
        began: Instant,
        steady: Steady,
    }

    impl Story {
        fn new() -> Self {
            let began = Instant::now();
            Self {
                began,
                steady: Steady::new(START, began),
            }
        }

        /// What is told, as seconds and microseconds from the start.
        fn at(&mut self, second: i64, off: i64) -> i64 {
            let now = self.began + Duration::from_secs(second as u64);
            let wall = START + second * SECOND + off;
            self.steady.tell(wall, now) - START
        }
    }

    #[test]
    fn small_differences_are_followed_and_nobody_is_told_less_than_before() {
        let mut story = Story::new();
        assert_eq!(story.at(10, 300_000), 10 * SECOND + 300_000);
        assert_eq!(story.at(10, -300_000), 10 * SECOND + 300_000);
        assert_eq!(story.at(11, -300_000), 11 * SECOND - 300_000);
    }

    #[test]
    fn ten_years_ahead_and_back_are_not_told() {
        let mut story = Story::new();
        assert_eq!(story.at(1, 0), SECOND);
        for second in 2..200 {
            assert_eq!(story.at(second, TEN_YEARS), second * SECOND);
        }
        assert_eq!(story.at(200, -TEN_YEARS), 200 * SECOND);
        assert_eq!(story.at(201, 0), 201 * SECOND);
    }

    #[test]
    fn what_the_wall_clock_says_for_five_minutes_is_believed() {
        for off in [TEN_YEARS, -TEN_YEARS] {
            let mut story = Story::new();
            assert_eq!(story.at(10, off), 10 * SECOND);
            assert_eq!(story.at(309, off), 309 * SECOND);
            assert_eq!(story.at(310, off), 310 * SECOND + off);
            assert_eq!(story.at(311, off), 311 * SECOND + off);
        }
    }

    #[test]
    fn a_clock_that_keeps_jumping_is_never_believed() {
        let mut story = Story::new();
        for second in (10..2_000).step_by(100) {
            assert_eq!(story.at(second, second * TEN_YEARS / 100), second * SECOND);
        }
    }
}
