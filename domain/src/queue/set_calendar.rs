//! A change of when a queue takes calls, and of nothing else.

use super::{change::SetHours, event::Config};
use crate::calendar::Zone;
use serde::{Deserialize, Serialize};

/// What of a queue's calendar is to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SetCalendar {
    /// When it takes calls, holidays and the zone of its clocks included.
    pub hours: SetHours,
    /// Whose days its figures are of.
    pub time_zone: SetTimeZone,
}

/// What is to become of the zone of a queue's days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetTimeZone {
    /// It stays.
    #[default]
    Keep,
    /// That of its hours, or UTC without any.
    OfHours,
    /// This one.
    To(Zone),
}

impl SetCalendar {
    /// The rules with that calendar, and all others as they are.
    #[must_use]
    pub fn of(self, current: &Config) -> Config {
        let now = current.clone();
        Config {
            hours: self.hours.of(now.hours),
            time_zone: match self.time_zone {
                SetTimeZone::Keep => now.time_zone,
                SetTimeZone::OfHours => None,
                SetTimeZone::To(zone) => Some(zone),
            },
            ..now
        }
    }
}
