//! What the API allows, and how long it waits.

use serde::{Deserialize, Serialize};

/// Limits of the API. Every one has a default that a busy dashboard fits in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Bytes of a request body or a WebSocket message.
    pub body_bytes_max: usize,
    /// How long a request body may take to arrive.
    pub body_timeout_ms: u64,
    /// How long one query or mutation may run.
    pub execution_timeout_ms: u64,
    /// How long a read waits for `minPosition`, and a payload for its entity.
    pub position_timeout_ms: u64,
    /// Words and signs of a query document.
    pub tokens_max: usize,
    /// Brackets inside brackets of a query document, of any kind.
    pub nesting_max: usize,
    /// Selections inside selections, fragments counted; introspection by
    /// GraphiQL needs 18.
    pub depth_max: usize,
    /// Fields to resolve, a field below a page counted once for each row.
    pub complexity_max: u64,
    /// Aliases, those in fragments counted for each use.
    pub aliases_max: u64,
    /// Fragments defined in one document.
    pub fragments_max: usize,
    /// Directives of one document.
    pub directives_max: u64,
    /// Requests of one token a second, in the long run; 0 for no limit.
    pub requests_per_second: u32,
    /// Requests of one token at once, before the rate counts.
    pub requests_burst_max: u32,
    /// Open WebSockets.
    pub connections_max: usize,
    /// Operations under way on one WebSocket.
    pub subscriptions_max: usize,
    /// How long a new WebSocket may take to send `connection_init`.
    pub init_timeout_ms: u64,
    /// How often a ping goes to a WebSocket; three that are not answered end it.
    pub ping_interval_ms: u64,
    /// How often the token of an open WebSocket is looked up again.
    pub token_check_ms: u64,
    /// How long one message may take to leave for a slow client.
    pub send_timeout_ms: u64,
    /// Shortest time between two statistics of one queue.
    pub statistics_interval_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_bytes_max: 256 * 1024,
            body_timeout_ms: 10_000,
            execution_timeout_ms: 10_000,
            position_timeout_ms: 2_000,
            tokens_max: 10_000,
            nesting_max: 64,
            depth_max: 24,
            complexity_max: 10_000,
            aliases_max: 64,
            fragments_max: 64,
            directives_max: 64,
            requests_per_second: 500,
            requests_burst_max: 1_000,
            connections_max: 1_000,
            subscriptions_max: 32,
            init_timeout_ms: 3_000,
            ping_interval_ms: 20_000,
            token_check_ms: 30_000,
            send_timeout_ms: 10_000,
            statistics_interval_ms: 1_000,
        }
    }
}
