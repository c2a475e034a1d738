//! The pool of RTP ports: even ports that were never used longest ago come
//! first, and a returned port rests in quarantine before it is given out again,
//! unless whoever answers would find none: a late packet is the lesser evil.

use crate::options::Options;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// One in so many pairs is kept for the second legs of calls: were all of them with
/// callers who wait, nobody could be answered.
const KEPT_SHARE: usize = 10;

/// Which leg of its call wants a pair of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// That of a caller: whoever finds no room is told to come back.
    First,
    /// That of whoever answers or is dialled: the call is here already.
    Second,
}

/// Which ports are free, resting or in use. Time is an input.
#[derive(Debug)]
pub(crate) struct Pool {
    free: VecDeque<u16>,
    resting: VecDeque<(Instant, u16)>,
    quarantine: Duration,
    size: usize,
}

impl Pool {
    pub(crate) fn new(options: &Options) -> Self {
        let first = u32::from(options.port_min).next_multiple_of(2).max(2);
        let free: VecDeque<u16> = (first..u32::from(options.port_max))
            .step_by(2)
            .filter_map(|port| u16::try_from(port).ok())
            .collect();
        Self {
            size: free.len(),
            free,
            resting: VecDeque::new(),
            quarantine: Duration::from_millis(options.quarantine_ms),
        }
    }

    /// Takes the even port that has been free for longest; none when all that this
    /// leg may have are in use or resting.
    pub(crate) fn take(&mut self, wanted: Wanted, now: Instant) -> Option<u16> {
        while let Some((since, port)) = self.resting.front().copied() {
            if now.saturating_duration_since(since) < self.quarantine {
                break;
            }
            self.resting.pop_front();
            self.free.push_back(port);
        }
        let kept = match wanted {
            Wanted::First => self.kept(),
            Wanted::Second => 0,
        };
        // Whoever answers may have one that rests.
        if !self.free.is_empty() && self.free.len() + self.resting.len() > kept {
            return self.free.pop_front();
        }
        match wanted {
            Wanted::First => None,
            Wanted::Second => self.resting.pop_front().map(|(_, port)| port),
        }
    }

    /// Pairs that no caller gets. A single pair is for trying out, and serves a caller.
    pub(crate) fn kept(&self) -> usize {
        self.size
            .div_ceil(KEPT_SHARE)
            .min(self.size.saturating_sub(1))
    }

    /// Gives a port back; it rests first.
    pub(crate) fn rest(&mut self, port: u16, now: Instant) {
        self.resting.push_back((now, port));
    }

    /// Ports that belong to a leg now.
    pub(crate) fn in_use(&self) -> usize {
        self.size - self.free.len() - self.resting.len()
    }

    /// Pairs of ports altogether.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Ports that rest now.
    pub(crate) fn resting(&self) -> usize {
        self.resting.len()
    }
}

/// The pool, shared by the handle that takes and the legs that give back.
#[derive(Debug, Clone)]
pub(crate) struct Ports(Arc<Mutex<Pool>>);

impl Ports {
    pub(crate) fn new(options: &Options) -> Self {
        Self(Arc::new(Mutex::new(Pool::new(options))))
    }

    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a port that comes back by itself when the lease is dropped.
    pub(crate) fn lease(&self, wanted: Wanted, now: Instant) -> Option<Lease> {
        let port = self.pool().take(wanted, now)?;
        Some(Lease {
            port,
            ports: self.clone(),
        })
    }
}

/// A port in use. Dropping it sends the port into quarantine, so a port can
/// not be forgotten on any path.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) port: u16,
    ports: Ports,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ports.pool().rest(self.port, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(port_min: u16, port_max: u16) -> Pool {
        Pool::new(&Options {
            port_min,
            port_max,
            quarantine_ms: 100,
            ..Options::default()
        })
    }

    #[test]
    fn only_even_ports_with_an_odd_neighbour_are_given_out() {
        let now = Instant::now();
        let mut pool = pool(10_001, 10_006);
        assert_eq!(pool.take(Wanted::Second, now), Some(10_002));
        assert_eq!(pool.take(Wanted::Second, now), Some(10_004));
        assert_eq!(pool.take(Wanted::Second, now), None, "10006 has no 10007");
        assert_eq!(pool.in_use(), 2);
        assert_eq!(
            super::Pool::new(&Options {
                port_min: 65_534,
                port_max: 65_535,
                ..Options::default()
            })
            .take(Wanted::Second, now),
            Some(65_534)
        );
    }

    #[test]
    fn the_last_pairs_are_kept_for_those_who_answer() {
        let now = Instant::now();
        for (pairs, kept) in [(1, 0), (2, 1), (4, 1), (10, 1), (11, 2), (5_000, 500)] {
            let mut pool = pool(10_000, 9_999 + 2 * pairs);
            let pairs = usize::from(pairs);
            let count =
                |pool: &mut Pool, wanted| std::iter::from_fn(|| pool.take(wanted, now)).count();
            assert_eq!(count(&mut pool, Wanted::First), pairs - kept, "{pairs}");
            assert_eq!(count(&mut pool, Wanted::Second), kept, "{pairs}");
        }
    }

    #[test]
    fn a_returned_port_rests_before_it_is_used_again_unless_somebody_answers() {
        let start = Instant::now();
        let mut pool = pool(10_000, 10_005);
        let port = pool.take(Wanted::First, start).unwrap();
        pool.rest(port, start);
        assert_eq!(pool.in_use(), 0);
        assert_eq!(pool.take(Wanted::First, start), Some(10_002));
        // The pair that rests is the one that is kept for whoever answers.
        assert_eq!(pool.take(Wanted::First, start), Some(10_004));
        let late = start + Duration::from_millis(99);
        assert_eq!(pool.take(Wanted::First, late), None);
        let rested = start + Duration::from_millis(100);
        assert_eq!(pool.take(Wanted::First, rested), None, "it is the last");
        pool.rest(10_002, rested);
        assert_eq!(pool.take(Wanted::First, rested), Some(port));
        assert_eq!(pool.take(Wanted::First, rested), None);
        assert_eq!(pool.take(Wanted::Second, rested), Some(10_002), "early");
        assert_eq!(pool.take(Wanted::Second, rested), None);
    }
}
