//! The work that is interrupted: clients that change the capacity of their own
//! queue to 1, 2, 3 .., each change a command with an id of its own. A change
//! that is lost leaves a hole, one that is done twice goes back.

use anyhow::{Context as _, ensure};
use commands::{
    envelope::Envelope,
    gateway::Gateway,
    ports::{Clock as _, EventLog, Position, ReadStore, StreamId, Value, Vault},
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    call::AnswerMode,
    id::{CommandId, DEFAULT_TENANT, QueueId, derive},
    queue,
};
use projections::changed::View;
use std::{
    collections::BTreeMap,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use store::Stores;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// Clients at once.
pub(crate) const CLIENTS: usize = 8;
/// Set in the process that does the work: where the record is, and the next
/// number of each client.
const URL: &str = "RINGLEDGER_CRASH_URL";
const NEXT: &str = "RINGLEDGER_CRASH_NEXT";
/// A start of the worker takes no longer.
const START: Duration = Duration::from_secs(30);

fn name(client: usize) -> String {
    format!("client-{client}")
}

fn queue_of(client: usize) -> QueueId {
    QueueId::named(DEFAULT_TENANT, &name(client))
}

fn stream_of(client: usize) -> StreamId {
    StreamId::new("queue", queue_of(client))
}

/// The id of a client's command: the same in every try.
fn command_id(client: usize, number: u64) -> CommandId {
    CommandId(derive(number, queue_of(client).0, "crash"))
}

fn envelope(client: usize, number: u64) -> Envelope {
    let id = command_id(client, number);
    let command = queue::Command::Configure {
        name: name(client),
        config: queue::Config {
            ring_timeout_ms: 10_000,
            answer_mode: AnswerMode::OnAgent,
            max_wait_ms: 0,
            capacity: u32::try_from(number).unwrap_or(u32::MAX),
            service_level_threshold_ms: 5_000,
            ..queue::Config::default()
        },
    };
    Envelope {
        command: AnyCommand::Queue(queue_of(client), command),
        command_id: id,
        at: SystemClock.now(),
        correlation_id: id.0,
        causation_id: id.0,
        actor: "test:crash".into(),
        tenant: DEFAULT_TENANT,
    }
}

/// In the process that does the work: works until it is killed. In any other
/// it returns at once.
pub(crate) fn if_worker() -> bool {
    let (Ok(url), Ok(next)) = (std::env::var(URL), std::env::var(NEXT)) else {
        return false;
    };
    let next: Vec<u64> = next.split(',').filter_map(|one| one.parse().ok()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime
        .block_on(work(&url, &next))
        .expect("the work goes on until it is killed");
    true
}

async fn work(url: &str, next: &[u64]) -> anyhow::Result<()> {
    let stores = store::open(url).await?;
    let epoch = stores.nodes.next_epoch("crash").await?;
    let (writer, feed) = Writer::start(stores.log.clone(), Arc::new(SystemClock)).await?;
    let entropy = Arc::new(SystemEntropy::default());
    let (log, read) = (stores.log.clone(), stores.read.clone());
    let gateway = Gateway::with_snapshots(log, writer, entropy, epoch, read);
    let means = projections::Means {
        feed,
        read: stores.read.clone(),
        vault: stores.vault.clone(),
    };
    let _running = projections::start(means).await?;
    say("started");
    let mut clients = tokio::task::JoinSet::new();
    for (client, from) in next.iter().copied().enumerate() {
        let gateway = gateway.clone();
        clients.spawn(async move {
            for number in from.. {
                let done = gateway.dispatch(envelope(client, number)).await?;
                let (version, position) = (done.version, done.position);
                say(&format!("ack {client} {number} {version} {position}"));
            }
            anyhow::Ok(())
        });
    }
    // When the power is gone nothing is answered; the kill comes soon.
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(())
}

/// Tells the reader of the output, a test or a person.
pub(crate) fn say(line: &str) {
    // A pipe whose reader is gone: so is this process, in a moment.
    let _ = writeln!(std::io::stdout().lock(), "\n{line}");
}

/// What the clients know: version and position of each acknowledged number.
#[derive(Default)]
pub(crate) struct Acknowledged {
    of: Vec<BTreeMap<u64, (u64, u64)>>,
    /// Commands that were sent though they had been acknowledged.
    pub(crate) retried: usize,
}

impl Acknowledged {
    pub(crate) fn new() -> Self {
        Self {
            of: vec![BTreeMap::new(); CLIENTS],
            retried: 0,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.of.iter().map(BTreeMap::len).sum()
    }

    /// Notes an answer; one that was given before must be the same.
    fn hear(&mut self, line: &str) -> anyhow::Result<()> {
        let parts: Vec<u64> = line
            .split(' ')
            .skip(1)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [client, number, version, position] = parts.as_slice() else {
            anyhow::bail!("the worker says {line:?}");
        };
        let answers = self.of.get_mut(*client as usize).context("a client")?;
        let answer = (*version, *position);
        if let Some(first) = answers.insert(*number, answer) {
            self.retried += 1;
            ensure!(first == answer, "{line:?}, but first it was {first:?}");
        }
        Ok(())
    }

    /// Where each client goes on: some commands are sent once more.
    fn next(&self, again: u64) -> String {
        let next: Vec<String> = self
            .of
            .iter()
            .map(|answers| {
                let last = answers.last_key_value().map_or(0, |(number, _)| *number);
                (last + 1).saturating_sub(again).max(1).to_string()
            })
            .collect();
        next.join(",")
    }
}

/// Starts the worker, lets it work, ends it with `end`, and hears all that it
/// has said.
pub(crate) async fn round(
    test: &str,
    url: &str,
    environment: &[(String, String)],
    known: &mut Acknowledged,
    again: u64,
    life: Duration,
    end: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["--exact", test, "--nocapture"])
        .env(URL, url)
        .env(NEXT, known.next(again))
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().context("it has an output")?;
    let mut lines = BufReader::new(stdout).lines();
    let started = async {
        while let Some(line) = lines.next_line().await? {
            if line == "started" {
                return anyhow::Ok(());
            }
        }
        anyhow::bail!("the worker ended before it had started")
    };
    tokio::time::timeout(START, started)
        .await
        .context("the worker does not start")??;
    let heard = tokio::spawn(async move {
        let mut heard = vec![];
        while let Ok(Some(line)) = lines.next_line().await {
            heard.push(line);
        }
        heard
    });
    tokio::time::sleep(life).await;
    end().await?;
    child.kill().await?;
    for line in heard.await? {
        if line.starts_with("ack ") {
            known.hear(&line)?;
        }
    }
    Ok(())
}

/// The record holds all that was acknowledged, once, at its place.
pub(crate) async fn check(stores: &Stores, known: &Acknowledged) -> anyhow::Result<()> {
    let head = stores.log.head().await?;
    let mut position = Position::default();
    while position < head {
        let page = stores.log.read_all(position, 5_000).await?;
        for event in &page.events {
            ensure!(
                event.position.0 == position.0 + 1,
                "a hole after {position}"
            );
            position = event.position;
        }
        ensure!(
            !page.events.is_empty(),
            "the head is at {head}, the last event at {position}"
        );
    }
    for (client, answers) in known.of.iter().enumerate() {
        let events = stores.log.read_stream(&stream_of(client), 0).await?;
        for (number, event) in (1..).zip(&events) {
            ensure!(
                event.version == number && event.command_id == command_id(client, number),
                "client {client}: event {number} is {event:?}"
            );
            if let Some(answer) = answers.get(&number) {
                ensure!(
                    *answer == (event.version, event.position.0),
                    "client {client} heard {answer:?} of {number}: {event:?}"
                );
            }
        }
        let last = answers.last_key_value().map_or(0, |(number, _)| *number);
        ensure!(
            events.len() as u64 >= last,
            "client {client}: {last} was acknowledged, {} are there",
            events.len()
        );
    }
    Ok(())
}

/// The read models are what a replay makes of the record.
pub(crate) async fn replay_is_the_same(stores: &Stores) -> anyhow::Result<()> {
    let (_writer, feed) = Writer::start(stores.log.clone(), Arc::new(SystemClock)).await?;
    let head = feed.head();
    let means = projections::Means {
        feed,
        read: stores.read.clone(),
        vault: stores.vault.clone(),
    };
    let running = projections::start(means).await?;
    running.stop().await;
    let live = rows(stores.read.as_ref()).await?;
    for view in View::ALL {
        let (log, read): (Arc<dyn EventLog>, _) = (stores.log.clone(), stores.read.clone());
        let vault: Arc<dyn Vault> = stores.vault.clone();
        let reached = projections::rebuild(log, read, vault, view).await?;
        ensure!(reached == head, "{} is at {reached}", view.name());
    }
    ensure!(
        rows(stores.read.as_ref()).await? == live,
        "a replay differs"
    );
    Ok(())
}

/// Every row of every read model, each table in the order of its key.
async fn rows(read: &dyn ReadStore) -> anyhow::Result<Vec<Vec<Vec<Value>>>> {
    let mut all = vec![];
    for (table, key) in projections::tables() {
        let sql = format!("SELECT * FROM {table} ORDER BY {key}");
        all.push(read.query(&sql, vec![]).await?);
    }
    let places = "SELECT name, version, position FROM es_projections ORDER BY name";
    all.push(read.query(places, vec![]).await?);
    Ok(all)
}

/// Opens a store whose last user has been killed.
pub(crate) async fn open(url: &str) -> anyhow::Result<Stores> {
    let until = tokio::time::Instant::now() + START;
    loop {
        match store::open(url).await {
            Ok(stores) => return Ok(stores),
            Err(store::OpenError::InUse(_) | store::OpenError::Unreachable(_))
                if tokio::time::Instant::now() < until =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The url of the embedded store in a folder.
pub(crate) fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.display())
}
