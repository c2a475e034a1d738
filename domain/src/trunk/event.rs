//! What can have happened to a trunk's configuration. The stored schema: handle with care.

use crate::decider;
use serde::{Deserialize, Serialize};

/// What can change of a trunk. Its password is in the credential store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Networks that calls may come from, in CIDR form.
    pub allow: Vec<String>,
    /// Where outbound calls go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// User name for outbound calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What goes out here, and how.
    #[serde(default, skip_serializing_if = "Outbound::is_default")]
    pub outbound: Outbound,
    /// Numbers that are dialled here and lead outside again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forwards: Vec<Forward>,
}

/// As whom outbound calls are shown.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// As the trunk's own number or account; the caller's in
    /// P-Asserted-Identity (RFC 3325).
    #[default]
    Account,
    /// As the caller.
    Caller,
}

/// What goes out through a trunk that has a host, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Starts of the numbers that it serves; empty for all.
    pub prefixes: Vec<String>,
    /// Of several that serve a number with a start of the same length, the
    /// lowest is tried first.
    pub priority: u32,
    /// Taken off the start of the number.
    pub strip_prefix: String,
    /// Put before what is left.
    pub add_prefix: String,
    /// Calls at once on a node; 0 for no limit.
    pub channels_max: u32,
    /// As whom the call is shown.
    pub identity: Identity,
    /// The number that is shown for the account; without it, the user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

impl Outbound {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Length of the longest start of the number that it serves; none if it
    /// does not serve it.
    pub fn serves(&self, number: &str) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        let serving = self.prefixes.iter().filter(|p| number.starts_with(*p));
        serving.map(String::len).max()
    }

    /// The number as the trunk wants it dialled.
    pub fn dialled(&self, number: &str) -> String {
        let rest = number.strip_prefix(&self.strip_prefix).unwrap_or(number);
        format!("{}{rest}", self.add_prefix)
    }
}

/// A number that leads outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// As it is dialled here.
    pub number: String,
    /// Where it leads.
    pub to: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was made.
    #[serde(rename = "trunk_created")]
    Created {
        /// Its name, for ever.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// It was changed.
    #[serde(rename = "trunk_configured")]
    Configured {
        /// Counts the changes; being made was 1.
        config_version: u32,
        /// Everything that can change.
        config: Config,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "trunk_created",
            Self::Configured { .. } => "trunk_configured",
        }
    }
}
