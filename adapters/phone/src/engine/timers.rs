//! The phone's deadlines, earliest first. A timer whose object is gone does nothing when it fires.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::CallKey;

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Timer A or E of a client transaction (RFC 3261 17.1).
    ClientRetransmit(String),
    /// Timer B or F.
    ClientTimeout(String),
    /// The ACK kept for repeated final responses is no longer needed (timer D, and 13.2.2.4 for 2xx).
    AckForgotten(String),
    /// Timer G, and the repetition of a 2xx (13.3.1.4).
    ServerRetransmit(String),
    /// Timers H and L: nobody acknowledged.
    ServerTimeout(String),
    /// Timer J: the kept response is no longer needed.
    ServerForgotten(String),
    /// No final response came after CANCEL (9.1).
    CancelTimeout(CallKey),
    /// An ended call need not be recognised any longer.
    CallForgotten(CallKey),
}

/// Ordered deadlines; equal ones fire in the order they were set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64, Timer)>>,
    set: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, timer: Timer) {
        self.set += 1;
        self.heap.push(Reverse((at, self.set, timer)));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, _, timer))| timer)
    }
}
