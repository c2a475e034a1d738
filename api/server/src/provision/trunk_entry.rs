//! A trunk of the configuration file.

use crate::config::Secret;
use domain::trunk;
use serde::{Deserialize, Serialize};

/// A trunk in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkEntry {
    /// Its name.
    pub name: String,
    /// Networks that calls may come from.
    pub allow: Vec<String>,
    /// Where outbound calls go.
    #[serde(default)]
    pub host: Option<String>,
    /// User name for outbound calls.
    #[serde(default)]
    pub user: Option<String>,
    /// Password for outbound calls.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Starts of the numbers that go out here; empty for all.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// Of several that serve a number equally well, the lowest is tried first.
    #[serde(default)]
    pub priority: u32,
    /// Taken off the start of the number.
    #[serde(default)]
    pub strip_prefix: String,
    /// Put before what is left.
    #[serde(default)]
    pub add_prefix: String,
    /// Calls that go out at once on a node; 0 for no limit.
    #[serde(default)]
    pub channels_max: u32,
    /// As whom outbound calls are shown.
    #[serde(default)]
    pub identity: trunk::Identity,
    /// The number that is shown for the account; without it, the user name.
    #[serde(default)]
    pub number: Option<String>,
    /// Numbers that are dialled here and lead outside again.
    #[serde(default)]
    pub forwards: Vec<trunk::Forward>,
}

impl TrunkEntry {
    /// The command that makes the trunk as it stands here.
    pub fn command(&self) -> trunk::Command {
        let config = trunk::Config {
            allow: self.allow.clone(),
            host: self.host.clone(),
            user: self.user.clone(),
            outbound: trunk::Outbound {
                prefixes: self.prefixes.clone(),
                priority: self.priority,
                strip_prefix: self.strip_prefix.clone(),
                add_prefix: self.add_prefix.clone(),
                channels_max: self.channels_max,
                identity: self.identity,
                number: self.number.clone(),
            },
            forwards: self.forwards.clone(),
        };
        let name = self.name.clone();
        trunk::Command::Configure { name, config }
    }
}
