//! What is known of the rating of a call.

use super::event::{Bill, UnratedReason};
use crate::{id::AccountId, money::Decimal, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rating {
    /// How often the call was rated.
    pub revision: u32,
    /// Its price.
    pub bill: Option<Box<Bill>>,
    /// The prices that this one replaces, the oldest first: which of them its month has
    /// recorded is known there only, and when it is closed that one stays.
    #[serde(default)]
    pub replaced: Vec<Bill>,
    /// Why it has none.
    pub unrated: Option<UnratedReason>,
    /// It is to have none.
    #[serde(default)]
    pub is_dismissed: bool,
    /// Who pays before, how much was asked for, and for how many seconds.
    pub charging: Option<(AccountId, Decimal, u32)>,
    /// When what is paid is used up, once there is no more credit.
    #[serde(default)]
    pub exhausted: Option<Timestamp>,
}
