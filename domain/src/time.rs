//! Time as the record knows it: UTC, whole microseconds.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// An instant in UTC, in whole microseconds since 1970, so that it survives
/// every store unchanged. Written as RFC 3339 with six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, for ids; an instant before 1970 counts as 0.
    pub fn millis_unsigned(self) -> u64 {
        u64::try_from(self.0 / 1000).unwrap_or(0)
    }

    /// This instant, told after `last`: not earlier than that, for clocks of several
    /// nodes differ and are set right. Where `last` is further ahead than
    /// [`Self::AHEAD_MAX_MS`], it is `last` that was wrong, and the time that is told
    /// goes back: a clock that was years ahead for one event must not hold every
    /// deadline that follows until then.
    #[must_use]
    pub const fn told_after(self, last: Self) -> Self {
        if last.0 <= self.0 || last.ms_since(self) > Self::AHEAD_MAX_MS {
            self
        } else {
            last
        }
    }

    /// How far ahead a clock may have been.
    pub const AHEAD_MAX_MS: u64 = 60_000;

    /// The end of the year 9999: what RFC 3339 can write, so that a deadline
    /// that is far away can be stored and read back.
    pub const LAST: Self = Self(253_402_300_799_999_999);

    /// The instant `ms` milliseconds later; stops at the last instant there is.
    pub const fn plus_ms(self, ms: u64) -> Self {
        let longest_ms = (Self::LAST.0 / 1000) as u64;
        let ms = if ms > longest_ms { longest_ms } else { ms };
        let later = self.0.saturating_add((ms as i64).saturating_mul(1000));
        if later > Self::LAST.0 {
            Self::LAST
        } else {
            Self(later)
        }
    }

    /// Whole milliseconds since `earlier`; 0 if the clock ran backwards.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        let micros = self.0.saturating_sub(earlier.0);
        if micros < 0 {
            0
        } else {
            (micros / 1000) as u64
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|time| Self(time.timestamp_micros()))
            .map_err(|error| D::Error::custom(format!("not an RFC 3339 instant: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn time_goes_back_only_from_where_no_clock_could_have_been() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let ahead = |ms| now.plus_ms(ms);
        assert_eq!(ahead(1).told_after(now), ahead(1));
        assert_eq!(now.told_after(ahead(60_000)), ahead(60_000));
        assert_eq!(now.told_after(ahead(60_001)), now);
        assert_eq!(now.told_after(Timestamp::LAST), now);
    }

    #[test]
    fn an_instant_is_written_as_rfc_3339_with_six_digits() {
        let instant = Timestamp::from_micros(1_800_000_000_000_007);
        assert_eq!(instant.to_string(), "2027-01-15T08:00:00.000007Z");
    }

    #[test]
    fn an_instant_with_an_offset_is_read_as_utc() {
        let instant: Timestamp = serde_json::from_str("\"2027-01-15T09:00:00+01:00\"").unwrap();
        assert_eq!(instant, Timestamp::from_micros(1_800_000_000_000_000));
    }

    #[test]
    fn a_text_that_is_no_instant_is_refused() {
        assert!(serde_json::from_str::<Timestamp>("\"tomorrow\"").is_err());
    }

    #[test]
    fn time_that_ran_backwards_counts_as_none() {
        let earlier = Timestamp::from_micros(1_000);
        let later = Timestamp::from_micros(5_999);
        assert_eq!(later.ms_since(earlier), 4);
        assert_eq!(earlier.ms_since(later), 0);
    }

    proptest! {
        #[test]
        fn every_deadline_can_be_stored_and_is_not_in_the_past(
            micros in 0..=Timestamp::LAST.micros(),
            ms in prop_oneof![any::<u64>(), 0..100_000_000u64],
        ) {
            let start = Timestamp::from_micros(micros);
            let deadline = start.plus_ms(ms);
            prop_assert!(deadline >= start);
            let text = serde_json::to_string(&deadline).unwrap();
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), deadline);
        }
    }
}
