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
