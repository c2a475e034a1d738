//! What can be set.

use crate::{admission::Limits, transport::connections};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, time::Duration};

/// How long a connection may take to be registered or called over.
const TRIAL: Duration = Duration::from_secs(60);

/// How often the far end of a WebSocket is asked whether it is there (RFC 7118, 6).
/// Proxies close what is silent for a minute.
const WS_PING_INTERVAL: Duration = Duration::from_secs(25);

/// Settings of the SIP adapter; section `[sip]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where to listen, UDP and TCP.
    pub listen: SocketAddr,
    /// Where to listen for phones over WebSocket; nowhere when not given.
    pub ws_listen: Option<SocketAddr>,
    /// Host or address under which phones reach us; found out when not given.
    pub advertised_host: Option<String>,
    /// Realm of the digest challenges.
    pub realm: String,
    /// Calls held at once.
    pub calls_max: usize,
    /// Calls whose first commit is under way; more are told to come later.
    pub setups_max: usize,
    /// New calls a second from one address.
    pub calls_per_source_per_s: u32,
    /// New calls at once from one address after a pause.
    pub calls_per_source_burst: u32,
    /// Refused calls a second that are recorded; the others are only answered.
    pub refused_records_per_s: u32,
    /// TCP connections at once, those of WebSockets included.
    pub tcp_connections_max: usize,
    /// How long a connection without a call may be silent: longer than any
    /// registration's refresh.
    pub tcp_idle_timeout_ms: u64,
    /// What a caller we have no room for is told to wait.
    pub retry_after_s: u32,
    /// How often 180 is repeated (RFC 3261, 13.3.1.1: every minute).
    pub ring_repeat_ms: u64,
    /// How often a phone of which no sound is due is asked whether it is still there.
    pub probe_interval_ms: u64,
    /// Timer T1 (RFC 3261, 17.1.1.1); 500 but in tests.
    pub t1_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 5060)),
            ws_listen: None,
            advertised_host: None,
            realm: "ringledger".to_owned(),
            calls_max: 5_000,
            setups_max: 2_000,
            calls_per_source_per_s: 500,
            calls_per_source_burst: 1_000,
            refused_records_per_s: 50,
            tcp_connections_max: 2_000,
            tcp_idle_timeout_ms: 2 * 3_600 * 1_000,
            retry_after_s: 5,
            ring_repeat_ms: 60_000,
            probe_interval_ms: 30_000,
            t1_ms: 500,
        }
    }
}

impl Options {
    /// 64*T1: after that a request without a response counts as unanswered, and a 2xx
    /// without an ACK as unacknowledged (RFC 3261, 17.1.2.2 and 13.3.1.4).
    pub(crate) const fn t1x64(&self) -> Duration {
        Duration::from_millis(self.t1_ms.saturating_mul(64))
    }

    /// The limits of connections.
    pub(crate) const fn connections(&self) -> connections::Limits {
        connections::Limits {
            connections_max: self.tcp_connections_max,
            trial: TRIAL,
            idle_timeout: Duration::from_millis(self.tcp_idle_timeout_ms),
            ping_interval: WS_PING_INTERVAL,
        }
    }

    /// The limits of admission.
    pub(crate) const fn limits(&self) -> Limits {
        Limits {
            calls_max: self.calls_max,
            setups_max: self.setups_max,
            per_source_per_s: self.calls_per_source_per_s,
            per_source_burst: self.calls_per_source_burst,
            retry_after_s: self.retry_after_s,
        }
    }
}
