//! From commit to what people see, at a rate of events: a whole server in this
//! process, callers who ring in and give up, a query for each call, and a
//! subscription over a real WebSocket.

use super::{Kind, Log, Place, Places, Table, socket::Follower};
use crate::{
    bench::figures::Distribution,
    compose::Server,
    config::{Config, Secret},
    provision::QueueEntry,
    reload, telemetry,
};
use anyhow::Context as _;
use commands::{envelope::Envelope, gateway::Gateway, ports::Entropy, ports::Position};
use domain::{
    any::AnyCommand,
    call::{AnswerMode, Command, Route},
    cause::WireCause,
    id::{CallId, CommandId, DEFAULT_TENANT, LegId, QueueId, VisitId},
    sealed::{Party, Sealed},
};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::{changed::View, views::Views};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const QUEUE: &str = "support";
const TOKEN: &str = "token-of-the-bench";
/// Events of one call that rings in, waits and gives up.
const EVENTS_PER_CALL: f64 = 6.0;
/// How long the load lasts.
const LOAD: Duration = Duration::from_secs(8);
/// Whatever is waited for comes within this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Callers that are due come this often.
const TICK: Duration = Duration::from_millis(2);
/// Callers at once who fill a record, and how long the read models may take.
const FILLERS: usize = 64;
const FILLED: Duration = Duration::from_secs(600);
/// How long a caller waits before giving up.
const WAIT: Duration = Duration::from_millis(50);

/// When each position was committed, as the first reader saw it.
type Commits = Arc<Mutex<HashMap<u64, Instant>>>;

fn at(commits: &Commits, position: u64) -> Option<Instant> {
    let commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
    commits.get(&position).copied()
}

fn us(from: Instant, until: Instant) -> u64 {
    u64::try_from(until.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

fn config(url: &str, queue: &str) -> Config {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let any_port = SocketAddr::new(loopback, 0);
    let mut config = Config::default();
    config.sip.listen = any_port;
    config.http.listen = any_port;
    config.http.token = Some(Secret(TOKEN.into()));
    config.media.listen = loopback;
    config.store.url = Some(Secret(url.to_owned()));
    config.queues = vec![QueueEntry {
        ring_timeout_ms: 10_000,
        answer_mode: AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 100_000,
        service_level_threshold_ms: 5_000,
        ..QueueEntry::named(queue)
    }];
    config
}

/// Metrics are started once a process.
fn metrics() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = telemetry::start_metrics()?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Who rings in.
#[derive(Clone)]
struct Callers {
    gateway: Gateway,
    views: Views,
    entropy: Arc<dyn Entropy>,
    from: Sealed<Party>,
    queue: QueueId,
    commits: Commits,
}

impl Callers {
    async fn tell(&self, call: CallId, command: Command) -> anyhow::Result<Position> {
        let at = commands::ports::Clock::now(&commands::system::SystemClock);
        let id = self.entropy.uuid(at);
        let envelope = Envelope {
            command: AnyCommand::Call(call, command),
            command_id: CommandId(id),
            at,
            correlation_id: call.0,
            causation_id: id,
            actor: "adapter:bench".into(),
            tenant: DEFAULT_TENANT,
        };
        Ok(self.gateway.dispatch(envelope).await?.position)
    }

    fn id(&self) -> uuid::Uuid {
        self.entropy
            .uuid(commands::ports::Clock::now(&commands::system::SystemClock))
    }

    async fn of(server: &Server, queue: &str, commits: Commits) -> anyhow::Result<Self> {
        let party = Party {
            user: "4930123456".into(),
            host: None,
            display_name: None,
            contact: None,
            user_field: None,
        };
        Ok(Self {
            gateway: server.gateway().clone(),
            views: server.views().clone(),
            entropy: Arc::new(commands::system::SystemEntropy::default()),
            from: server.vault().seal(&party).await?,
            queue: QueueId::named(DEFAULT_TENANT, queue),
            commits,
        })
    }

    /// Rings in; the position of the call's last event.
    async fn ring_in(&self, call: CallId, leg: LegId) -> anyhow::Result<Position> {
        let command = Command::ReceiveCall {
            withheld: false,
            leg,
            from: self.from.clone(),
            to: QUEUE.into(),
            trunk: None,
            sip_call_id: "bench@loopback".into(),
            user_agent: None,
            diversion: None,
            route: Route::Queue {
                queue: self.queue,
                config_version: 1,
                answer_mode: AnswerMode::OnAgent,
                visit: VisitId(self.id()),
                exit_keys: vec![],
                music: None,
            },
        };
        self.tell(call, command).await
    }

    /// Gives up.
    async fn give_up(&self, call: CallId, leg: LegId) -> anyhow::Result<()> {
        let wire = WireCause::default();
        self.tell(call, Command::RecordCancel { leg, wire }).await?;
        Ok(())
    }

    /// Rings in, looks itself up, gives up; how long until its row was there.
    async fn call(self) -> anyhow::Result<Option<u64>> {
        let (call, leg) = (CallId(self.id()), LegId(self.id()));
        let position = self.ring_in(call, leg).await?;
        self.views
            .wait_for(&[View::LiveCalls], position, PATIENCE)
            .await?;
        let row = self.views.call(call).await?;
        let seen = Instant::now();
        row.context("the call has a row once its view is there")?;
        let took = at(&self.commits, position.0).map(|committed| us(committed, seen));
        tokio::time::sleep(WAIT).await;
        self.give_up(call, leg).await?;
        Ok(took)
    }
}

/// Notes every commit, for ever.
async fn note(feed: commands::feed::Feed, commits: Commits) {
    let mut position = feed.head();
    loop {
        feed.wait_beyond(position).await;
        let (head, now) = (feed.head(), Instant::now());
        let mut commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
        for one in position.0 + 1..=head.0 {
            commits.insert(one, now);
        }
        position = head;
    }
}

/// Notes when the subscription tells of each event, until it is aborted.
async fn follow(mut follower: Follower, seen: Arc<Mutex<Vec<(u64, Instant)>>>) {
    while let Ok(position) = follower.position().await {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push((position, Instant::now()));
    }
}

/// Calls that come and go until the record has so many events and the read
/// models know them; how many there are then.
pub(super) async fn fill(place: &Place, queue: &str, events: u64) -> anyhow::Result<u64> {
    let config = config(&place.url, queue);
    let source = reload::fixed(config.clone());
    let server = Server::start(config, source, place.folder(), metrics()?).await?;
    let callers = Callers::of(&server, queue, Commits::default()).await?;
    let mut running = JoinSet::new();
    for _ in 0..FILLERS {
        let (callers, feed) = (callers.clone(), server.feed().clone());
        running.spawn(async move {
            while feed.head().0 < events {
                let (call, leg) = (CallId(callers.id()), LegId(callers.id()));
                callers.ring_in(call, leg).await?;
                callers.give_up(call, leg).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(caller) = running.join_next().await {
        caller??;
    }
    let mut head = server.feed().head();
    loop {
        server.views().wait_for(&View::ALL, head, FILLED).await?;
        // What follows from the last calls may still come.
        tokio::time::sleep(WAIT * 10).await;
        if server.feed().head() == head {
            break;
        }
        head = server.feed().head();
    }
    server.stop().await;
    drop(callers);
    let_go(place).await?;
    Ok(head.0)
}

/// Waits until nobody holds the store any more: tasks of a server that has stopped
/// may do so for a moment, and another process could not open it.
async fn let_go(place: &Place) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match place.open().await {
            Err(error) if began.elapsed() > PATIENCE => return Err(error),
            Err(_) => {}
            Ok(opened) => {
                drop(opened);
                break;
            }
        }
        tokio::time::sleep(WAIT).await;
    }
    // What was opened here closes its files on threads of its own.
    tokio::time::sleep(WAIT * 10).await;
    Ok(())
}

/// What was measured of one server.
struct Visible {
    events_per_s: f64,
    rows: Distribution,
    items: Distribution,
}

/// A server on that place, under load.
async fn served(settings: &Log, place: &Place) -> anyhow::Result<Visible> {
    let config = config(&place.url, QUEUE);
    let source = reload::fixed(config.clone());
    let server = Server::start(config, source, place.folder(), metrics()?).await?;
    let outcome = load(settings, &server).await;
    server.stop().await;
    outcome
}

/// Measures and prints.
pub(super) async fn measure(settings: &Log, places: &Places, kind: Kind) -> anyhow::Result<()> {
    let place = places.fresh(kind).await?;
    let Visible {
        events_per_s,
        rows,
        items,
    } = served(settings, &place).await?;
    let mut table = Table::default();
    table.row(
        "events a second",
        format!("{events_per_s:.0}"),
        &settings.events_per_s.to_string(),
    );
    let shown = format!("{} ({} rows)", rows.shown(), rows.count);
    table.row(
        "commit to a queried row, p50/p95/p99/max",
        shown,
        "p99 20 ms",
    );
    let shown = format!("{} ({} items)", items.shown(), items.count);
    table.row("commit to an item on a subscription", shown, "p99 30 ms");
    table.print(&format!("visible, {}, whole server", kind.shown()));
    Ok(())
}

/// The same of rows, on records of different sizes. Measures and prints.
pub(super) async fn growth(settings: &Log, places: &Places, kind: Kind) -> anyhow::Result<()> {
    let mut table = Table::default();
    for size in &settings.sizes {
        let place = places.fresh(kind).await?;
        let head = fill(&place, QUEUE, *size).await?;
        let found = served(settings, &place).await?;
        table.row(
            &format!("{head} events"),
            format!(
                "{} ({} rows at {:.0} events/s)",
                found.rows.shown(),
                found.rows.count,
                found.events_per_s
            ),
            "p99 20 ms",
        );
    }
    table.print(&format!(
        "commit to a queried row, p50/p95/p99/max, {}, whole server",
        kind.shown()
    ));
    Ok(())
}

async fn load(settings: &Log, server: &Server) -> anyhow::Result<Visible> {
    let commits = Commits::default();
    let noting = tokio::spawn(note(server.feed().clone(), commits.clone()));
    let told = Arc::new(Mutex::new(vec![]));
    let follower = Follower::start(server.http_addr(), TOKEN).await?;
    let following = tokio::spawn(follow(follower, told.clone()));
    let callers = Callers::of(server, QUEUE, commits.clone()).await?;
    let before = server.feed().head().0;
    let began = Instant::now();
    let mut calls = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    let calls_per_s = settings.events_per_s as f64 / EVENTS_PER_CALL;
    let mut started = 0_u64;
    while began.elapsed() < LOAD {
        tick.tick().await;
        while (started as f64) < began.elapsed().as_secs_f64() * calls_per_s {
            calls.spawn(callers.clone().call());
            started += 1;
        }
    }
    let reached = (server.feed().head().0 - before) as f64 / began.elapsed().as_secs_f64();
    let mut rows_us = vec![];
    while let Some(call) = calls.join_next().await {
        rows_us.extend(call??);
    }
    let head = server.feed().head();
    server.views().wait_for(&View::ALL, head, PATIENCE).await?;
    // The last items are on their way over the socket.
    tokio::time::sleep(Duration::from_millis(500)).await;
    following.abort();
    noting.abort();
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let items_us: Vec<u64> = told
        .iter()
        .filter_map(|(position, seen)| Some(us(at(&commits, *position)?, *seen)))
        .collect();
    Ok(Visible {
        events_per_s: reached,
        rows: Distribution::of_us(rows_us),
        items: Distribution::of_us(items_us),
    })
}
