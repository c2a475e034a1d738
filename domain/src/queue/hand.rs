//! Opened and closed by hand: a person's word, which counts instead of the hours
//! until somebody takes it back.

use super::{
    event::{Config, Event},
    hours::Hours,
};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What a person has said of a queue's doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hand {
    /// It takes calls, whatever its hours say.
    Open,
    /// It takes none, whatever its hours say.
    Closed,
}

/// What was said, by whom, why and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// What was said.
    pub hand: Hand,
    /// Who said so.
    pub by: String,
    /// Why, in a word.
    pub why: String,
    /// Since when it counts.
    pub since: Timestamp,
}

impl Config {
    /// Whether it takes calls at that instant: by what a person has said, or else by
    /// its hours.
    pub fn is_open(&self, hand: Option<Hand>, at: Timestamp) -> bool {
        is_open(self.hours.as_deref(), hand, at)
    }

    /// When it opens or closes next by itself; none while a person's word counts.
    pub fn next_change(&self, hand: Option<Hand>, at: Timestamp) -> Option<Timestamp> {
        next_change(self.hours.as_deref(), hand, at)
    }
}

impl Event {
    /// What a person says with it of the doors at that instant; none while the hours
    /// count.
    pub fn by_hand(&self, at: Timestamp) -> Option<ByHand> {
        let (hand, by, why) = match self {
            Self::Opened { by, why } => (Hand::Open, by, why),
            Self::Closed { by, why } => (Hand::Closed, by, why),
            Self::HoursFollowed { .. }
            | Self::Created { .. }
            | Self::Configured { .. }
            | Self::MemberPaused { .. }
            | Self::MemberUnpaused { .. }
            | Self::Deleted { .. } => return None,
        };
        Some(ByHand {
            hand,
            by: by.clone(),
            why: why.clone(),
            since: at,
        })
    }
}

/// Whether a queue of those hours takes calls at that instant; what a person has said
/// comes first.
pub fn is_open(hours: Option<&Hours>, hand: Option<Hand>, at: Timestamp) -> bool {
    match hand {
        Some(Hand::Open) => true,
        Some(Hand::Closed) => false,
        None => hours.is_none_or(|hours| hours.is_open(at)),
    }
}

/// When that changes next by itself; never while a person's word counts.
pub fn next_change(hours: Option<&Hours>, hand: Option<Hand>, at: Timestamp) -> Option<Timestamp> {
    match hand {
        Some(Hand::Open | Hand::Closed) => None,
        None => hours.and_then(|hours| hours.next_change(at)),
    }
}
