//! The projections of a node, running: it leads or stands by, follows the feed,
//! builds rows anew beside the live ones, and hears what an operator orders.

use crate::{
    build::{Build, How},
    changed::{Changes, View},
    orders::{ORDERS_MAX, Order, Orders, Refused, Reply},
    past::{self, Past},
    runner::{RunError, Runner},
    slot::Generation,
    source::Source,
    standing::{Notes, standings},
    views::{Progress, Views},
};
use commands::{
    feed::Feed,
    ports::{Position, ReadStore, StoreError, Vault},
    roster::Roster,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, Interval, MissedTickBehavior},
};

/// At least this between two transactions: rows that change several times in
/// it are written once.
const PACE: Duration = Duration::from_millis(5);
/// The same where the store is a server beside this one: its work for each
/// transaction takes the processors from what is waited for.
const PACE_OF_SHARED: Duration = Duration::from_millis(4);
/// How often a standby looks whether the leader has committed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often it is measured how far the views are.
const BEAT: Duration = Duration::from_secs(1);
/// Pause before a store that is down is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// Commits that a slow subscriber may be behind.
const CHANGES_MAX: usize = 1_024;
/// Rows that are told of one commit; whoever follows reads the tables instead when
/// there are more, so that one who does not read keeps no more than this of each.
const ROWS_TOLD_MAX: usize = 256;
/// Heads that are remembered to say how old what is not shown is.
const HEADS_MAX: usize = 4_096;

/// What the projections work with.
#[derive(Clone)]
pub struct Means {
    /// Where events come from.
    pub feed: Feed,
    /// Where rows go.
    pub read: Arc<dyn ReadStore>,
    /// Opens personal data.
    pub vault: Arc<dyn Vault>,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Means")
    }
}

/// Projections that are being run.
pub struct Running {
    views: Views,
    stops: [oneshot::Sender<()>; 2],
    tasks: [JoinHandle<()>; 2],
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("progress", &self.views.progress())
            .finish_non_exhaustive()
    }
}

impl Running {
    /// The way to the read models.
    pub fn views(&self) -> Views {
        self.views.clone()
    }

    /// Stops after the transaction under way.
    pub async fn stop(self) {
        for stop in self.stops {
            // One that has stopped by itself does not listen any more.
            let _ = stop.send(());
        }
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "projections ended with a panic");
            }
        }
    }
}

/// Catches up with the feed, then follows it on a task of its own. Nobody else
/// may run them.
///
/// # Errors
/// When a store can not be used.
pub async fn start(means: Means) -> Result<Running, RunError> {
    start_on(means, Roster::alone("", 0)).await
}

/// The same on one of several nodes: the one that leads writes the rows, the
/// others tell their subscribers what it has committed, and stand by.
///
/// # Errors
/// When a store can not be used.
pub async fn start_on(means: Means, roster: Roster) -> Result<Running, RunError> {
    let Means { feed, read, vault } = means.clone();
    let past = Past::new(feed.log().clone(), read.clone(), vault);
    let leads = roster.leading().is_some();
    let mut runner = begin(&means, leads).await?;
    if leads {
        while runner.step(|| false).await?.is_some() {}
    }
    let (progress, progress_seen) = watch::channel(runner.progress());
    let (changes, _) = broadcast::channel(CHANGES_MAX);
    let (orders, ordered) = mpsc::channel(ORDERS_MAX);
    let views = Views::new(
        read.clone(),
        progress_seen,
        changes.clone(),
        past,
        orders.clone(),
    );
    let (stop, stopped) = oneshot::channel();
    let (keeper, keeper_stopped) = oneshot::channel();
    let node = Node {
        means,
        roster,
        progress,
        changes,
        orders,
        builds: BTreeMap::new(),
        switches: BTreeMap::new(),
        heads: VecDeque::new(),
    };
    Ok(Running {
        views,
        stops: [stop, keeper],
        tasks: [
            tokio::spawn(node.run(runner, leads, ordered, stopped)),
            tokio::spawn(past::keep(feed, read, keeper_stopped)),
        ],
    })
}

async fn begin(means: &Means, leads: bool) -> Result<Runner, RunError> {
    let source = Source::Feed(means.feed.clone());
    let (read, vault) = (means.read.clone(), means.vault.clone());
    match leads {
        true => Runner::load(source, read, vault, &View::ALL).await,
        false => Runner::attach(source, read, vault, &View::ALL).await,
    }
}

/// Why a node changes what it does.
enum Ends {
    /// It stops.
    Stop,
    /// Another node writes the rows.
    Overtaken,
    /// This node writes them from now on.
    Leads,
}

struct Node {
    means: Means,
    roster: Roster,
    progress: watch::Sender<Progress>,
    changes: broadcast::Sender<Arc<Changes>>,
    orders: Orders,
    /// Rows that are built in the background.
    builds: BTreeMap<View, Build>,
    /// Views to be switched, and who waits for it.
    switches: BTreeMap<View, Vec<Reply>>,
    /// Where the record ended at some instants, the oldest first.
    heads: VecDeque<(Position, Instant)>,
}

impl Node {
    async fn run(
        mut self,
        mut runner: Runner,
        mut leads: bool,
        mut ordered: mpsc::Receiver<Order>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        loop {
            let ends = match leads {
                true => self.leads(&mut runner, &mut ordered, &mut stopped).await,
                false => {
                    self.stands_by(&mut runner, &mut ordered, &mut stopped)
                        .await
                }
            };
            self.builds.clear();
            self.switches.clear();
            leads = match ends {
                Ends::Stop => return,
                Ends::Overtaken => false,
                Ends::Leads => true,
            };
            let begun = insist(|| begin(&self.means, leads), &mut stopped).await;
            let Some(begun) = begun else { return };
            runner = begun;
            tracing::info!(leads, position = %runner.followed(), "read models go on");
            self.progress.send_replace(runner.progress());
            // Whoever follows a board reads it again.
            self.tell(Changes {
                position: runner.followed(),
                rows: vec![],
            });
        }
    }

    fn pace(&self) -> Duration {
        match self.roster.is_shared() {
            true => PACE_OF_SHARED,
            false => PACE,
        }
    }

    fn tell(&self, mut changes: Changes) {
        if changes.rows.len() > ROWS_TOLD_MAX {
            changes.rows = vec![];
        }
        // Nobody may be listening.
        let _ = self.changes.send(Arc::new(changes));
    }

    async fn leads(
        &mut self,
        runner: &mut Runner,
        ordered: &mut mpsc::Receiver<Order>,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Ends {
        metrics::gauge!("ringledger_projection_leads").set(1.0);
        let mut is_resumed = self.resume_builds(runner).await;
        let feed = self.means.feed.clone();
        let mut beat = ticks();
        let mut notes = Notes::default();
        loop {
            let is_due = !self.switches.is_empty();
            tokio::select! {
                () = feed.wait_beyond(runner.position()) => {}
                Some(order) = ordered.recv() => self.hear(runner, order).await,
                _ = beat.tick() => {
                    self.measure(runner.progress());
                    self.publish(runner);
                    let progress = self.progress.borrow().clone();
                    if let Err(error) = notes.write(self.means.read.as_ref(), &progress).await {
                        tracing::warn!(%error, "who is parked is noted later");
                    }
                    if !is_resumed {
                        is_resumed = self.resume_builds(runner).await;
                    }
                    if !is_due {
                        continue;
                    }
                }
                _ = &mut *stopped => return Ends::Stop,
            }
            let started = Instant::now();
            self.note_head();
            match self.advance(runner).await {
                Ok(()) => {}
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, "projections will try again");
                    tokio::time::sleep(RETRY).await;
                }
                Err(RunError::Store(StoreError::Fenced)) => return Ends::Overtaken,
                Err(error) => {
                    tracing::error!(%error, "projections will try again: a person must look");
                    tokio::time::sleep(RETRY).await;
                }
            }
            self.publish(runner);
            tokio::time::sleep_until(started + self.pace()).await;
        }
    }

    /// One transaction, and the switches that are due after it.
    async fn advance(&mut self, runner: &mut Runner) -> Result<(), RunError> {
        let changes = self.changes.clone();
        if let Some(changed) = runner.step(|| changes.receiver_count() > 0).await? {
            self.progress
                .send_replace(self.with_builds(runner.progress()));
            self.tell(changed);
        }
        let views: Vec<View> = self.switches.keys().copied().collect();
        for view in views {
            let is_built =
                self.builds.contains_key(&view) || runner.find(view, Generation::Next).is_some();
            if is_built {
                if !runner.is_level(view) {
                    self.give_up(runner, view);
                    continue;
                }
                runner.switch(view).await?;
            }
            self.progress
                .send_replace(self.with_builds(runner.progress()));
            self.tell(Changes {
                position: runner.position(),
                rows: vec![],
            });
            for reply in self.switches.remove(&view).into_iter().flatten() {
                // Nobody may wait any more.
                let _ = reply.send(Ok(()));
            }
        }
        Ok(())
    }

    /// Rows that are parked while somebody waits for the switch will not come.
    fn give_up(&mut self, runner: &Runner, view: View) {
        let next = runner.find(view, Generation::Next);
        let Some(slot) = next.map(|index| &runner.slots[index]) else {
            return;
        };
        if slot.parked.is_none() {
            return;
        }
        let (position, head) = (slot.position.0, self.means.feed.head().0);
        for reply in self.switches.remove(&view).into_iter().flatten() {
            // Nobody may wait any more.
            let _ = reply.send(Err(Refused::NotReady { position, head }));
        }
    }

    /// Rows of other rules are built anew and switched to; what was being built
    /// when the run before ended goes on. False if the store could not say what was.
    async fn resume_builds(&mut self, runner: &Runner) -> bool {
        for view in runner.stale() {
            self.build(view, How::GoOn);
            self.switches.entry(view).or_default();
        }
        let standings = match standings(self.means.read.as_ref()).await {
            Ok(standings) => standings,
            Err(error) => {
                tracing::warn!(%error, "what is being built is asked again");
                return false;
            }
        };
        for view in View::ALL {
            let name = crate::registry::slot(view, Generation::Next).checkpoint();
            let Some(standing) = standings.get(name) else {
                continue;
            };
            // One that has arrived is followed already.
            if runner.find(view, Generation::Next).is_none() {
                self.build(view, How::GoOn);
            }
            if standing.then_switch {
                self.switches.entry(view).or_default();
            }
        }
        true
    }

    fn build(&mut self, view: View, how: How) {
        let (means, orders) = (&self.means, &self.orders);
        self.builds
            .entry(view)
            .or_insert_with(|| Build::start(means, view, how, orders.clone()));
    }

    async fn hear(&mut self, runner: &mut Runner, order: Order) {
        match order {
            Order::Rebuild(view, then_switch, reply) => {
                let is_building = self.builds.get(&view).is_some_and(|build| {
                    // One that came to nothing is begun again.
                    build.status().parked.is_none()
                });
                if is_building || !runner.drop_next(view) {
                    let _ = reply.send(Err(Refused::AlreadyBuilding));
                    return;
                }
                self.builds.remove(&view);
                self.build(view, How::Anew { then_switch });
                if then_switch {
                    self.switches.entry(view).or_default();
                }
                let _ = reply.send(Ok(()));
            }
            Order::Switch(view, reply) => {
                if let Some(build) = self.builds.get(&view) {
                    let position = build.status().position.0;
                    let head = self.means.feed.head().0;
                    let _ = reply.send(Err(Refused::NotReady { position, head }));
                } else if runner.find(view, Generation::Next).is_none() {
                    let _ = reply.send(Err(Refused::NotBuilt));
                } else {
                    self.switches.entry(view).or_default().push(reply);
                }
            }
            Order::Retry(view, reply) => {
                if let Err(error) = self.let_go(runner, view).await {
                    tracing::warn!(%error, "what is parked can not be tried again now");
                    // Whoever asked hears that there was no answer.
                    return;
                }
                let parked = runner.slots.iter_mut().filter(|slot| slot.view == view);
                let mut is_parked = false;
                for slot in parked.filter(|slot| slot.parked.is_some()) {
                    slot.resume();
                    is_parked = true;
                }
                let answer = is_parked.then_some(()).ok_or(Refused::NotParked);
                let _ = reply.send(answer);
            }
            Order::Arrived(slot) => {
                if self.builds.remove(&slot.view).is_some() {
                    runner.slots.push(*slot);
                }
            }
        }
    }

    /// Parked rows that were built are let go of, if an erasure has taken them away: there
    /// are no tables any more that they could go on in.
    async fn let_go(&self, runner: &mut Runner, view: View) -> Result<(), StoreError> {
        let Some(index) = runner.find(view, Generation::Next) else {
            return Ok(());
        };
        let name = runner.slots[index].part.checkpoint();
        let is_parked = runner.slots[index].parked.is_some();
        if is_parked
            && !standings(self.means.read.as_ref())
                .await?
                .contains_key(name)
        {
            runner.slots[index].resume();
            // Where it is in doubt whether they are the live ones by now, they stay.
            runner.drop_next(view);
        }
        Ok(())
    }

    fn with_builds(&self, progress: Progress) -> Progress {
        let mut progress = progress.to_vec();
        for status in &mut progress {
            if let Some(build) = self.builds.get(&status.view) {
                status.next = Some(build.status());
            }
        }
        progress.into()
    }

    fn publish(&self, runner: &Runner) {
        self.progress
            .send_replace(self.with_builds(runner.progress()));
    }

    async fn stands_by(
        &mut self,
        runner: &mut Runner,
        ordered: &mut mpsc::Receiver<Order>,
        stopped: &mut oneshot::Receiver<()>,
    ) -> Ends {
        metrics::gauge!("ringledger_projection_leads").set(0.0);
        let feed = self.means.feed.clone();
        let mut beat = ticks();
        loop {
            tokio::select! {
                // One that is parked is looked at with the beat.
                () = feed.wait_beyond(runner.position()) => {}
                Some(order) = ordered.recv() => {
                    refuse(order);
                    continue;
                }
                _ = beat.tick() => self.measure(runner.progress()),
                _ = &mut *stopped => return Ends::Stop,
            }
            let started = Instant::now();
            self.note_head();
            let changes = self.changes.clone();
            let followed = runner.follow(|| changes.receiver_count() > 0).await;
            // Who is parked is told too, where nothing else has changed.
            self.progress.send_if_modified(|known| {
                let now = runner.progress();
                let is_new = *known != now;
                *known = now;
                is_new
            });
            match followed {
                Ok(Some(changed)) => self.tell(changed),
                // Everything that the last leader has committed is told.
                Ok(None) if self.roster.leading().is_some() => return Ends::Leads,
                // What has happened is not in the rows yet: the leader is at it.
                Ok(None) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => {
                    tracing::warn!(%error, "the leader will be looked at again");
                    tokio::time::sleep(RETRY).await;
                }
            }
            tokio::time::sleep_until(started + self.pace()).await;
        }
    }

    fn note_head(&mut self) {
        let head = self.means.feed.head();
        if self.heads.back().is_none_or(|(last, _)| *last < head) {
            self.heads.push_back((head, Instant::now()));
        }
        if self.heads.len() > HEADS_MAX {
            // The oldest stays: it is what a parked view is measured by.
            self.heads.remove(1);
        }
    }

    /// How far each view is behind, in events and in time.
    fn measure(&mut self, progress: Progress) {
        self.note_head();
        let head = self.means.feed.head();
        let slowest = progress.iter().map(|status| status.position).min();
        while self.heads.len() > 1 && self.heads.front().map(|(at, _)| *at) <= slowest {
            self.heads.pop_front();
        }
        for status in progress.iter() {
            let name = status.view.name();
            let events = head.0.saturating_sub(status.position.0);
            let unseen = self.heads.iter().find(|(at, _)| *at > status.position);
            let age = unseen.map_or(0, |(_, since)| since.elapsed().as_millis());
            metrics::gauge!("ringledger_projection_lag_events", "projection" => name)
                .set(events as f64);
            metrics::gauge!("ringledger_projection_lag_ms", "projection" => name).set(age as f64);
        }
    }
}

fn ticks() -> Interval {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn refuse(order: Order) {
    match order {
        Order::Rebuild(_, _, reply) | Order::Switch(_, reply) | Order::Retry(_, reply) => {
            // Nobody may wait any more.
            let _ = reply.send(Err(Refused::Standby));
        }
        // The node that leads goes on with it.
        Order::Arrived(_) => {}
    }
}

/// Tries until it works or the node stops.
async fn insist<T, W: Future<Output = Result<T, RunError>>>(
    work: impl Fn() -> W,
    stopped: &mut oneshot::Receiver<()>,
) -> Option<T> {
    loop {
        match work().await {
            Ok(done) => return Some(done),
            Err(error) => tracing::warn!(%error, "projections will start later"),
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            _ = &mut *stopped => return None,
        }
    }
}
