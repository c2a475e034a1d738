//! Who may start a call now: a rate per source, and room in all. Everything
//! behind it is sized by what it lets in.

use crate::{
    buckets::{Buckets, Rate},
    stack::Reply,
};
use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Instant,
};

/// Requests outside calls, such as REGISTER, that one address may send: a whole office
/// or a proxy may be behind it, and all of its phones come back at once after a fault.
const REQUESTS: Rate = Rate {
    per_s: 1_000,
    burst: 5_000,
};

/// Transactions kept, of which each is remembered for 32 s: 3,000 a second.
const TRANSACTIONS_MAX: usize = 100_000;

/// Of these for whoever has not shown to be at the address that the request came from:
/// what is sent in the name of others leaves room for those who are there.
const TRANSACTIONS_UNSEEN_MAX: usize = TRANSACTIONS_MAX / 2;

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls held at once.
    pub calls_max: usize,
    /// Calls whose first commit is under way.
    pub setups_max: usize,
    /// New calls a second from one address, in the long run.
    pub per_source_per_s: u32,
    /// New calls at once from one address after a pause.
    pub per_source_burst: u32,
    /// What a caller is told to wait, in seconds.
    pub retry_after_s: u32,
}

/// What is held now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Calls.
    pub calls: usize,
    /// Transactions that are alive or remembered.
    pub transactions: usize,
}

/// Why a call was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Too many from that address.
    Source,
    /// Too many at all.
    Calls,
    /// Too many transactions are kept.
    Transactions,
    /// Too many at a time: commits do not keep up.
    Setups,
    /// The server shuts down: running calls finish, new ones go elsewhere.
    Closing,
}

impl Refused {
    /// Label for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Calls => "calls",
            Self::Transactions => "transactions",
            Self::Setups => "setups",
            Self::Closing => "closing",
        }
    }
}

/// The gate. Time is an input.
#[derive(Debug)]
pub struct Admission {
    limits: Limits,
    setups: AtomicUsize,
    is_closed: AtomicBool,
    sources: Buckets,
    requests: Buckets,
}

impl Admission {
    /// A gate with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            setups: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            sources: Buckets::new(Rate {
                per_s: limits.per_source_per_s,
                burst: limits.per_source_burst,
            }),
            requests: Buckets::new(REQUESTS),
        }
    }

    /// Lets nobody in any more.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Whether calls may still be let in.
    pub fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }

    /// Whether as many first commits are under way as may be.
    pub fn is_crowded(&self) -> bool {
        self.setups.load(Ordering::Relaxed) >= self.limits.setups_max
    }

    /// Takes one call in, or says why not.
    ///
    /// # Errors
    /// Which limit is reached.
    pub fn admit(&self, source: IpAddr, load: Load, now: Instant) -> Result<(), Refused> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Refused::Closing);
        }
        if load.calls >= self.limits.calls_max {
            return Err(Refused::Calls);
        }
        if load.transactions >= TRANSACTIONS_MAX {
            return Err(Refused::Transactions);
        }
        if self.is_crowded() {
            return Err(Refused::Setups);
        }
        if !self.sources.take(source.into(), now) {
            return Err(Refused::Source);
        }
        Ok(())
    }

    /// Takes one request in that begins no call, or says why not.
    ///
    /// # Errors
    /// Which limit is reached.
    pub fn admit_request(&self, source: IpAddr, now: Instant) -> Result<(), Refused> {
        match self.requests.take(source.into(), now) {
            true => Ok(()),
            false => Err(Refused::Source),
        }
    }

    /// Whether there is room for the transaction of a request that begins no call.
    /// `kept` are those that are alive or remembered; `is_seen` is whether the sender
    /// is known to be at its address.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn keep(&self, kept: usize, is_seen: bool) -> Result<(), Refused> {
        let most = match is_seen {
            true => TRANSACTIONS_MAX,
            false => TRANSACTIONS_UNSEEN_MAX,
        };
        match kept < most {
            true => Ok(()),
            false => Err(Refused::Transactions),
        }
    }

    /// A call's first commit starts.
    pub fn setup_started(&self) {
        self.setups.fetch_add(1, Ordering::Relaxed);
    }

    /// That commit is through, or has failed.
    pub fn setup_ended(&self) {
        self.setups.fetch_sub(1, Ordering::Relaxed);
    }

    /// The response to a call that is not let in (RFC 3261, 21.5.4).
    pub fn refusal(&self) -> Reply {
        Reply::new(503).with("Retry-After", self.limits.retry_after_s.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LIMITS: Limits = Limits {
        calls_max: 3,
        setups_max: 2,
        per_source_per_s: 2,
        per_source_burst: 4,
        retry_after_s: 5,
    };

    const FREE: Load = Load {
        calls: 0,
        transactions: 0,
    };

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_source_has_its_burst_then_its_rate_and_others_are_not_touched() {
        let gate = Admission::new(LIMITS);
        let now = Instant::now();
        for _ in 0..4 {
            assert_eq!(gate.admit(ip(1), FREE, now), Ok(()));
        }
        assert_eq!(gate.admit(ip(1), FREE, now), Err(Refused::Source));
        assert_eq!(gate.admit(ip(2), FREE, now), Ok(()));
        let later = now + Duration::from_millis(500);
        assert_eq!(gate.admit(ip(1), FREE, later), Ok(()));
        assert_eq!(gate.admit(ip(1), FREE, later), Err(Refused::Source));
    }

    #[test]
    fn requests_outside_calls_are_bounded_by_source_and_by_what_is_kept_of_them() {
        let gate = Admission::new(LIMITS);
        let now = Instant::now();
        for _ in 0..REQUESTS.burst {
            assert_eq!(gate.admit_request(ip(1), now), Ok(()));
        }
        let refused = gate.admit_request(ip(1), now);
        assert_eq!(refused, Err(Refused::Source));
        assert_eq!(gate.admit_request(ip(2), now), Ok(()));
        assert_eq!(gate.admit(ip(1), FREE, now), Ok(()), "calls have their own");
        let half = TRANSACTIONS_UNSEEN_MAX;
        for (kept, is_seen, room) in [
            (half - 1, false, Ok(())),
            (half, false, Err(Refused::Transactions)),
            (half, true, Ok(())),
            (TRANSACTIONS_MAX, true, Err(Refused::Transactions)),
        ] {
            assert_eq!(gate.keep(kept, is_seen), room, "{kept} {is_seen}");
        }
    }

    #[test]
    fn held_calls_and_commits_under_way_are_bounded() {
        let gate = Admission::new(LIMITS);
        let now = Instant::now();
        let calls = Load { calls: 3, ..FREE };
        assert_eq!(gate.admit(ip(1), calls, now), Err(Refused::Calls));
        let transactions = Load {
            transactions: TRANSACTIONS_MAX,
            ..FREE
        };
        let full = gate.admit(ip(1), transactions, now);
        assert_eq!(full, Err(Refused::Transactions));
        gate.setup_started();
        gate.setup_started();
        assert_eq!(gate.admit(ip(1), FREE, now), Err(Refused::Setups));
        gate.setup_ended();
        assert_eq!(gate.admit(ip(1), FREE, now), Ok(()));
        assert_eq!(gate.refusal().status, 503);
    }
}
