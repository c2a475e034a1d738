//! Opened and closed by hand: a person's word, which counts instead of the hours
//! until somebody takes it back.

use super::event::Config;
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
        match hand {
            Some(Hand::Open) => true,
            Some(Hand::Closed) => false,
            None => self.hours.as_ref().is_none_or(|hours| hours.is_open(at)),
        }
    }

    /// When it opens or closes next by itself; none while a person's word counts.
    pub fn next_change(&self, hand: Option<Hand>, at: Timestamp) -> Option<Timestamp> {
        match hand {
            Some(Hand::Open | Hand::Closed) => None,
            None => self.hours.as_ref().and_then(|hours| hours.next_change(at)),
        }
    }
}
