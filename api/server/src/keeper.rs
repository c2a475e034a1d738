//! Keeps this node's lease, fences nodes that have let theirs run out, takes the
//! lead when nobody has it, and tells everybody who is there. How long a node has been
//! silent is told by the time that passes here: clocks can be set, the database's too.

use commands::{
    ports::{Clock, StoreError},
    roster::{Health, Lease, Member, Roster, Seen},
};
use domain::time::Timestamp;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use store::{MemberRow, Nodes};
use tokio_util::sync::CancellationToken;

/// A lease is renewed so often in its time: a few renewals may fail.
const RENEWALS_PER_LEASE: u32 = 5;
/// Where a sign of life is also what the ends of calls are told by.
const BEAT_MAX: Duration = Duration::from_secs(1);
/// Looks that somebody asks for are at least so far apart.
const LOOK_GAP: Duration = Duration::from_millis(50);

/// What a check-in came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The lease holds.
    Member,
    /// Another node has fenced this one: it must stop.
    Fenced,
}

/// Who and for how long.
#[derive(Debug, Clone)]
pub struct Terms {
    /// This node's name.
    pub name: String,
    /// How long it may be silent.
    pub lease: Duration,
}

/// See above.
pub struct Keeper {
    nodes: Arc<Nodes>,
    clock: Arc<dyn Clock>,
    roster: Roster,
    lease: Duration,
    /// Since when every check-in was in time. After an outage of the store all
    /// nodes are late: nobody is fenced before everybody had time to come back.
    steady_since: Instant,
    renewed_at: Instant,
    started_at: Timestamp,
    /// The last sign of life of each run, and since when it has been that.
    beats: BTreeMap<u64, (Timestamp, Instant)>,
    /// The token of the only node of a store.
    alone_under: Option<u64>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper")
            .field("roster", &self.roster)
            .finish_non_exhaustive()
    }
}

impl Keeper {
    /// Joins as a new run, and looks around.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn join(
        nodes: Arc<Nodes>,
        clock: Arc<dyn Clock>,
        terms: Terms,
    ) -> Result<Self, StoreError> {
        let Terms { name, lease } = terms;
        let node_epoch = nodes.next_epoch(&name).await?;
        let now = Instant::now();
        let seen = Seen {
            members: Arc::new([]),
            lease: match nodes.are_shared() {
                true => Lease::Until(now + lease),
                false => Lease::Forever,
            },
            leading: None,
        };
        let started_at = clock.now();
        nodes
            .join(node_epoch, &name, started_at, millis(lease))
            .await?;
        let mut keeper = Self {
            nodes,
            clock,
            roster: Roster::new(&name, node_epoch, seen),
            lease,
            steady_since: now,
            renewed_at: now,
            started_at,
            beats: BTreeMap::new(),
            alone_under: None,
        };
        keeper.check_in().await?;
        Ok(keeper)
    }

    /// What it tells.
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Checks in until the node stops, or is fenced.
    pub async fn keep(mut self, stop: CancellationToken) -> Standing {
        let every = (self.lease / RENEWALS_PER_LEASE).min(BEAT_MAX);
        let mut tick = tokio::time::interval(every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // A store that does not answer is not asked more often for being asked for.
        let mut is_heard = true;
        loop {
            let asked = async {
                tokio::time::sleep(LOOK_GAP).await;
                self.roster.until_asked().await;
            };
            tokio::select! {
                _ = tick.tick() => {}
                () = asked, if is_heard => {}
                () = stop.cancelled() => return Standing::Member,
            }
            // A connection that was cut without a word must not stop the clock.
            let patience = self.lease / 2;
            let checked = tokio::time::timeout(patience, self.check_in()).await;
            is_heard = matches!(checked, Ok(Ok(_)));
            match checked {
                Ok(Ok(Standing::Member)) => {}
                Ok(Ok(Standing::Fenced)) => return Standing::Fenced,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "heartbeat was not noted");
                    self.steady_since = Instant::now();
                }
                Err(_) => {
                    tracing::warn!("heartbeat was not answered");
                    self.steady_since = Instant::now();
                }
            }
        }
    }

    async fn check_in(&mut self) -> Result<Standing, StoreError> {
        let asked = self.roster.asked();
        let started = Instant::now();
        let me = self.roster.node_epoch();
        let lease_ms = millis(self.lease);
        if !self.nodes.renew(me, self.clock.now(), lease_ms).await? {
            self.roster.publish(Seen {
                lease: Lease::Fenced,
                leading: None,
                ..self.roster.seen()
            });
            return Ok(Standing::Fenced);
        }
        if started.duration_since(self.renewed_at) > self.lease / 2 {
            self.steady_since = started;
        }
        self.renewed_at = started;
        let mut rows = self.nodes.all().await?;
        let silent = self.silent(&rows, Instant::now());
        if !silent.is_empty() {
            self.fence(me, &silent).await?;
            rows = self.nodes.all().await?;
        }
        let leading = self.lead(&mut rows, me).await?;
        let is_shared = self.nodes.are_shared();
        if !is_shared {
            rows.push(self.alone());
        }
        let seen = Seen {
            members: rows.into_iter().map(|row| self.member(row)).collect(),
            lease: match is_shared {
                true => Lease::Until(started + self.lease),
                false => Lease::Forever,
            },
            leading,
        };
        self.measure(&seen);
        self.roster.publish(seen);
        self.roster.served(asked);
        Ok(Standing::Member)
    }

    /// Other runs that have given no sign of life for as long as they may be silent,
    /// while this node would have seen it.
    fn silent(&mut self, rows: &[MemberRow], now: Instant) -> Vec<(u64, Timestamp)> {
        let me = self.roster.node_epoch();
        let mut known = std::mem::take(&mut self.beats);
        let mut silent = vec![];
        for row in rows.iter().filter(|row| row.node_epoch != me) {
            let beat = row.last_beat_at;
            let since = match known.remove(&row.node_epoch) {
                Some((last, since)) if last == beat => since,
                Some(_) | None => now,
            };
            self.beats.insert(row.node_epoch, (beat, since));
            let seen = now.duration_since(since.max(self.steady_since));
            if seen >= Duration::from_millis(row.lease_ms) {
                silent.push((row.node_epoch, beat));
            }
        }
        silent
    }

    async fn fence(&self, me: u64, silent: &[(u64, Timestamp)]) -> Result<(), StoreError> {
        for node_epoch in self.nodes.fence(me, silent).await? {
            tracing::warn!(node_epoch, "a node is lost: its lease is over");
            metrics::counter!("ringledger_nodes_fenced_count").increment(1);
        }
        Ok(())
    }

    /// The token under which this node leads, taken if nobody does.
    async fn lead(&mut self, rows: &mut [MemberRow], me: u64) -> Result<Option<u64>, StoreError> {
        if !self.nodes.are_shared() {
            if self.alone_under.is_none() {
                self.alone_under = self.nodes.take_lead(me).await?;
            }
            return Ok(self.alone_under);
        }
        match rows.iter().find(|row| row.leading.is_some()) {
            Some(leader) if leader.node_epoch == me => return Ok(leader.leading),
            Some(_) => return Ok(None),
            None => {}
        }
        let token = self.nodes.take_lead(me).await?;
        if let Some(token) = token {
            tracing::info!(token, "this node leads now");
            metrics::counter!("ringledger_node_takeovers_count").increment(1);
            for row in rows.iter_mut().filter(|row| row.node_epoch == me) {
                row.leading = Some(token);
            }
        }
        Ok(token)
    }

    /// The only node there can be.
    fn alone(&self) -> MemberRow {
        MemberRow {
            node_epoch: self.roster.node_epoch(),
            name: self.roster.name().to_string(),
            sip: None,
            http: None,
            started_at: self.started_at,
            last_beat_at: self.clock.now(),
            lease_ms: millis(self.lease),
            leading: self.alone_under,
        }
    }

    fn measure(&self, seen: &Seen) {
        let leads = f64::from(u8::from(seen.leading.is_some()));
        metrics::gauge!("ringledger_node_leads").set(leads);
        metrics::gauge!("ringledger_nodes_count").set(seen.members.len().max(1) as f64);
        if let Lease::Until(until) = seen.lease {
            let left = until.saturating_duration_since(Instant::now());
            metrics::gauge!("ringledger_node_lease_left_seconds").set(left.as_secs_f64());
        }
    }

    fn member(&self, row: MemberRow) -> Member {
        // Late before it is silent for good: a beat or two are missing.
        let patience = Duration::from_millis(row.lease_ms) / 2;
        let since = self.beats.get(&row.node_epoch).map(|(_, since)| *since);
        let is_late = since.is_some_and(|since| since.elapsed() > patience);
        Member {
            name: row.name.into(),
            node_epoch: row.node_epoch,
            sip: row.sip,
            http: row.http,
            started_at: row.started_at,
            last_beat_at: row.last_beat_at,
            health: match is_late {
                true => Health::Late,
                false => Health::Live,
            },
            leads: row.leading.is_some(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
