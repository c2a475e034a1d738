//! Whether a leg that should send is silent. Pure: time is an input.

use std::time::{Duration, Instant};

/// A silence that lasts is told again: whoever was told may have been in no state to
/// end the call, for want of a store or of an answer.
const AGAIN: Duration = Duration::from_secs(60);

/// The watch over one leg.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    due_since: Option<Instant>,
    last: Option<Instant>,
    told: Option<Instant>,
}

impl Watch {
    /// Says whether the far end should be sending from now on.
    pub(crate) fn expect(&mut self, sending: bool, now: Instant) {
        if !sending {
            self.due_since = None;
            self.told = None;
        } else if self.due_since.is_none() {
            self.due_since = Some(now);
        }
    }

    /// Since when it is silent, if that is too long and was not told lately.
    pub(crate) fn silent(&self, now: Instant, timeout: Duration) -> Option<Instant> {
        let is_told = |told| now.saturating_duration_since(told) < AGAIN;
        let due = self.due_since.filter(|_| !self.told.is_some_and(is_told))?;
        let since = self.last.map_or(due, |last| last.max(due));
        (now.saturating_duration_since(since) >= timeout).then_some(since)
    }

    /// The silence was told.
    pub(crate) fn told(&mut self, now: Instant) {
        self.told = Some(now);
    }

    /// A packet came; true if a silence had been told, which has now ended.
    pub(crate) fn heard(&mut self, now: Instant) -> bool {
        self.last = Some(now);
        self.told.is_some()
    }

    /// The end of the silence was told.
    pub(crate) fn told_heard(&mut self) {
        self.told = None;
    }

    /// When the last packet came.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(100);

    #[test]
    fn silence_is_told_once_a_minute_and_only_where_sound_is_due() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut watch = Watch::default();
        assert_eq!(watch.silent(ms(500), TIMEOUT), None, "nothing is due");
        watch.expect(true, ms(500));
        assert_eq!(watch.silent(ms(599), TIMEOUT), None);
        assert_eq!(watch.silent(ms(600), TIMEOUT), Some(ms(500)));
        watch.told(ms(600));
        assert_eq!(watch.silent(ms(900), TIMEOUT), None);
        assert_eq!(watch.silent(ms(60_599), TIMEOUT), None);
        assert_eq!(watch.silent(ms(60_600), TIMEOUT), Some(ms(500)), "it lasts");
        watch.told(ms(60_600));
        assert_eq!(watch.silent(ms(60_700), TIMEOUT), None);
        assert!(watch.heard(ms(60_950)));
        watch.told_heard();
        assert!(!watch.heard(ms(60_960)));
        assert_eq!(watch.silent(ms(61_060), TIMEOUT), Some(ms(60_960)));
        watch.expect(false, ms(61_060));
        assert_eq!(watch.silent(ms(69_000), TIMEOUT), None, "on hold");
        watch.expect(true, ms(69_000));
        assert_eq!(watch.silent(ms(69_050), TIMEOUT), None, "fresh patience");
    }
}
