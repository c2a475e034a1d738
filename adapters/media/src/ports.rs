//! The pool of RTP ports: even ports that were never used longest ago come
//! first, and a returned port rests in quarantine before it is given out again.

use crate::options::Options;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

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

    /// Takes the even port that has been free for longest; none when all are
    /// in use or resting.
    pub(crate) fn take(&mut self, now: Instant) -> Option<u16> {
        while let Some((since, port)) = self.resting.front().copied() {
            if now.saturating_duration_since(since) < self.quarantine {
                break;
            }
            self.resting.pop_front();
            self.free.push_back(port);
        }
        self.free.pop_front()
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
    pub(crate) fn lease(&self, now: Instant) -> Option<Lease> {
        let port = self.pool().take(now)?;
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
        assert_eq!(pool.take(now), Some(10_002));
        assert_eq!(pool.take(now), Some(10_004));
        assert_eq!(pool.take(now), None, "10006 has no 10007");
        assert_eq!(pool.in_use(), 2);
        assert_eq!(
            super::Pool::new(&Options {
                port_min: 65_534,
                port_max: 65_535,
                ..Options::default()
            })
            .take(now),
            Some(65_534)
        );
    }

    #[test]
    fn a_returned_port_rests_before_it_is_used_again() {
        let start = Instant::now();
        let mut pool = pool(10_000, 10_003);
        let port = pool.take(start).unwrap();
        pool.rest(port, start);
        assert_eq!(pool.in_use(), 0);
        assert_eq!(pool.take(start), Some(10_002));
        assert_eq!(pool.take(start + Duration::from_millis(99)), None);
        assert_eq!(pool.take(start + Duration::from_millis(100)), Some(port));
    }
}
