//! Who makes room when there are as many connections as there may be. A newcomer is
//! not refused for what somebody else keeps open: whoever has most connections that
//! nobody needs loses the oldest of them. Time is an input.

use super::Flow;
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// One connection.
#[derive(Debug)]
struct Open {
    flow: Flow,
    since: Instant,
    closed: CancellationToken,
}

/// The connections that are open, by a number of their own: an address may be there
/// again before its last connection has noticed that it is closed.
#[derive(Debug)]
pub(super) struct Room {
    max: usize,
    open: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Open>,
}

impl Room {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            open: Mutex::default(),
        }
    }

    /// Takes a connection in, which `closed` ends. When all places are taken another one
    /// is closed for it, but none of those that are `needed`; if all are, none comes back.
    pub(super) fn enter(
        &self,
        flow: Flow,
        now: Instant,
        closed: &CancellationToken,
        needed: impl FnOnce() -> HashSet<Flow>,
    ) -> Option<u64> {
        let mut table = self.table();
        if table.open.len() >= self.max {
            let left = leaves(&table.open, &needed())?;
            if let Some(left) = table.open.remove(&left) {
                metrics::counter!("ringledger_sip_connections_displaced_total").increment(1);
                left.closed.cancel();
            }
        }
        table.last += 1;
        let number = table.last;
        let open = Open {
            flow,
            since: now,
            closed: closed.clone(),
        };
        table.open.insert(number, open);
        Some(number)
    }

    pub(super) fn leave(&self, number: u64) {
        self.table().open.remove(&number);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The oldest connection that nobody needs, of the address that has most of these.
fn leaves(open: &HashMap<u64, Open>, needed: &HashSet<Flow>) -> Option<u64> {
    let idle: Vec<(&u64, &Open)> = open
        .iter()
        .filter(|(_, open)| !needed.contains(&open.flow))
        .collect();
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    for (_, open) in &idle {
        *counts.entry(open.flow.peer.ip()).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    idle.into_iter()
        .filter(|(_, open)| counts.get(&open.flow.peer.ip()) == Some(&most))
        .min_by_key(|(number, open)| (open.since, **number))
        .map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;
    use std::{net::SocketAddr, time::Duration};

    #[test]
    fn whoever_has_most_idle_connections_loses_the_oldest_and_no_call_is_lost() {
        let start = Instant::now();
        // One host's connections are counted together, whatever they carry.
        let at = |text: &str| {
            let peer: SocketAddr = text.parse().unwrap();
            let transport = match peer.port() {
                1 => Transport::Tcp,
                _ => Transport::Ws,
            };
            Flow { transport, peer }
        };
        let room = Room::new(4);
        let enter = |peer: &str, after_ms: u64, needed: &[&str]| {
            let closed = CancellationToken::new();
            let now = start + Duration::from_millis(after_ms);
            let needed = || needed.iter().map(|peer| at(peer)).collect();
            (room.enter(at(peer), now, &closed, needed), closed)
        };
        let calling = "192.0.2.9:1";
        let (_, call) = enter(calling, 0, &[]);
        let (_, phone) = enter("192.0.2.7:1", 1, &[]);
        let (_, old) = enter("192.0.2.8:1", 2, &[]);
        let (_, new) = enter("192.0.2.8:2", 3, &[]);
        let (newcomer, _) = enter("192.0.2.6:1", 4, &[calling]);
        assert!(newcomer.is_some());
        let closed = || [&call, &phone, &old, &new].map(|token| token.is_cancelled());
        assert_eq!(closed(), [false, false, true, false]);
        // Each address has one now: the oldest but for the call's.
        let (number, _) = enter("192.0.2.5:1", 5, &[calling]);
        assert_eq!(closed(), [false, true, true, false]);
        let all = [calling, "192.0.2.8:2", "192.0.2.6:1", "192.0.2.5:1"];
        let (refused, _) = enter("192.0.2.4:1", 6, &all);
        assert_eq!(refused, None, "everybody is needed");
        room.leave(number.unwrap());
        let (taken, _) = enter("192.0.2.4:1", 7, &all);
        assert!(taken.is_some());
        assert_eq!(closed(), [false, true, true, false]);
    }
}
