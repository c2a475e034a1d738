//! Keys by which a waiting caller leaves a queue.

use super::{
    error::Error,
    event::{Config, OverflowTo},
};
use crate::call::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a key leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// Which key.
    pub key: Key,
    /// Where the caller goes.
    pub to: OverflowTo,
}

impl Config {
    /// Where a key leads, if it leads out.
    pub fn exit(&self, key: Key) -> Option<&OverflowTo> {
        let mut exits = self.exits.iter();
        exits.find(|exit| exit.key == key).map(|exit| &exit.to)
    }

    /// The keys that lead out.
    pub fn exit_keys(&self) -> Vec<Key> {
        self.exits.iter().map(|exit| exit.key).collect()
    }
}

pub(super) fn check(exits: &[Exit]) -> Result<(), Error> {
    let keys: BTreeSet<Key> = exits.iter().map(|exit| exit.key).collect();
    match keys.len() == exits.len() {
        true => Ok(()),
        false => Err(Error::ExitTwice),
    }
}
