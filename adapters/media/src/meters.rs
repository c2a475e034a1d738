//! The metrics of the relay. A recorder must be installed before the relay
//! starts, otherwise they count into nothing.

use metrics::{Counter, Gauge, counter, gauge};
use std::fmt;

/// Handles, looked up once for each shard.
pub(crate) struct Meters {
    pub(crate) packets_in: Counter,
    pub(crate) packets_out: Counter,
    pub(crate) dropped_source: Counter,
    pub(crate) dropped_malformed: Counter,
    pub(crate) dropped_payload_type: Counter,
    pub(crate) dropped_direction: Counter,
    pub(crate) silent_legs: Counter,
    pub(crate) events_delayed: Counter,
    pub(crate) ticks_missed: Counter,
    pub(crate) legs: Gauge,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let dropped = |reason: &'static str| counter!("ringledger_media_packets_dropped_total", "reason" => reason);
        Self {
            packets_in: counter!("ringledger_media_packets_in_total"),
            packets_out: counter!("ringledger_media_packets_out_total"),
            dropped_source: dropped("source"),
            dropped_malformed: dropped("malformed"),
            dropped_payload_type: dropped("payload_type"),
            dropped_direction: dropped("direction"),
            silent_legs: counter!("ringledger_media_silent_legs_total"),
            events_delayed: counter!("ringledger_media_events_delayed_total"),
            ticks_missed: counter!("ringledger_media_ticks_missed_total"),
            legs: gauge!("ringledger_media_legs_count"),
        }
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}
