//! Appends a second: so many writers, each of which waits for its answer and
//! goes on. A writer fills one stream with a few events and takes the next, as
//! calls do.

#[cfg(feature = "peers")]
use super::peers;
use super::{Kind, Log, Place, Places, Table, figures::Cell};
use crate::bench::figures::elapsed_us;
use async_trait::async_trait;
use commands::{
    envelope::Envelope,
    gateway::Gateway,
    ports::{
        Append, AppendError, Appended, Change, Clock as _, Entropy, EventLog, Metadata, NewEvent,
        StreamId,
    },
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::{AnyCommand, Stamped},
    decider::Event as _,
    device,
    id::{AgentId, CommandId, DEFAULT_TENANT, EventId},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use store::Stores;
use tokio::task::JoinSet;

/// Events of one stream.
pub(super) const STREAM_EVENTS: u64 = 8;
/// Not measured at the beginning of each cell.
const WARM_UP: Duration = Duration::from_millis(150);

/// Something that appends.
#[async_trait]
pub(super) trait Contender: Send + Sync + 'static {
    /// For the table.
    fn name(&self) -> String;
    /// One of the writers.
    fn writer(&self) -> Box<dyn Appender>;
}

/// One writer.
#[async_trait]
pub(super) trait Appender: Send {
    /// Appends one event; returns when it is stored.
    async fn append(&mut self) -> anyhow::Result<()>;
}

/// One cell: so many writers for so long.
pub(super) async fn cell(
    contender: &dyn Contender,
    writers: usize,
    time: Duration,
) -> anyhow::Result<Cell> {
    let from = Instant::now() + WARM_UP;
    let until = from + time;
    let mut running = JoinSet::new();
    for _ in 0..writers {
        let mut writer = contender.writer();
        running.spawn(async move {
            let (mut latencies_us, mut failed, mut last) = (Vec::new(), 0, None);
            while Instant::now() < until {
                let began = Instant::now();
                let outcome = writer.append().await;
                if began < from {
                    continue;
                }
                match outcome {
                    Ok(()) => latencies_us.push(elapsed_us(began)),
                    Err(error) => {
                        failed += 1;
                        last = Some(error);
                    }
                }
            }
            (latencies_us, failed, last)
        });
    }
    let (mut all, mut failures) = (Vec::new(), 0);
    while let Some(writer) = running.join_next().await {
        let (latencies_us, failed, last) = writer?;
        all.extend(latencies_us);
        failures += failed;
        if let Some(error) = last
            && all.is_empty()
        {
            return Err(error.context(contender.name()));
        }
    }
    let took = Instant::now().saturating_duration_since(from);
    Ok(Cell::of(all, took.as_secs_f64(), failures))
}

/// Our log, through its port.
pub(super) struct OurLog {
    pub log: Arc<dyn EventLog>,
    pub entropy: Arc<dyn Entropy>,
}

impl OurLog {
    pub(super) fn of(stores: &Stores) -> Self {
        Self {
            log: stores.log.clone(),
            entropy: Arc::new(SystemEntropy::default()),
        }
    }
}

#[async_trait]
impl Contender for OurLog {
    fn name(&self) -> String {
        "ringledger, bare append".into()
    }

    fn writer(&self) -> Box<dyn Appender> {
        Box::new(LogWriter {
            log: self.log.clone(),
            entropy: self.entropy.clone(),
            agent: AgentId(self.entropy.uuid(SystemClock.now())),
            version: 0,
        })
    }
}

struct LogWriter {
    log: Arc<dyn EventLog>,
    entropy: Arc<dyn Entropy>,
    agent: AgentId,
    version: u64,
}

/// One event of a phone that registers, as the product stores it.
pub(super) fn change(entropy: &dyn Entropy, agent: AgentId) -> Change {
    let at = SystemClock.now();
    let id = entropy.uuid(at);
    let event = device::Event::Registered {
        agent,
        binding: id,
        transport: "udp".into(),
    };
    let (event_type, event_version) = (event.event_type(), event.event_version());
    let payload =
        serde_json::to_string(&Stamped { at, event }).expect("an event is plain data: it has JSON");
    Change {
        command_id: CommandId(id),
        metadata: Metadata {
            tenant: DEFAULT_TENANT,
            correlation_id: agent.0,
            causation_id: id,
            actor: "adapter:bench".into(),
            node_epoch: 0,
        },
        events: vec![NewEvent {
            event_id: EventId(entropy.uuid(at)),
            event_type,
            event_version,
            payload: payload.into(),
        }],
    }
}

/// An append of so many commands to the stream of an agent's phones.
pub(super) fn append(entropy: &dyn Entropy, agent: AgentId, expected: u64, changes: u64) -> Append {
    Append {
        stream: StreamId::new("device", agent),
        aggregate_type: "device",
        expected,
        changes: (0..changes).map(|_| change(entropy, agent)).collect(),
    }
}

#[async_trait]
impl Appender for LogWriter {
    async fn append(&mut self) -> anyhow::Result<()> {
        if self.version == STREAM_EVENTS {
            self.agent = AgentId(self.entropy.uuid(SystemClock.now()));
            self.version = 0;
        }
        let one = append(&*self.entropy, self.agent, self.version, 1);
        let mut outcomes = self.log.append(vec![one]).await;
        let outcome: Option<Result<Appended, AppendError>> = outcomes.pop();
        match outcome {
            Some(Ok(_)) => {
                self.version += 1;
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
            None => anyhow::bail!("the log gave no answer"),
        }
    }
}

/// Whole commands: decided by an actor, committed, shown to readers.
struct OurGateway {
    gateway: Gateway,
    entropy: Arc<dyn Entropy>,
}

impl OurGateway {
    async fn of(stores: &Stores) -> anyhow::Result<Self> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let (writer, _feed) = Writer::start(stores.log.clone(), Arc::new(SystemClock)).await?;
        Ok(Self {
            gateway: Gateway::new(stores.log.clone(), writer, entropy.clone(), 0),
            entropy,
        })
    }
}

#[async_trait]
impl Contender for OurGateway {
    fn name(&self) -> String {
        "ringledger, whole commands".into()
    }

    fn writer(&self) -> Box<dyn Appender> {
        Box::new(GatewayWriter {
            gateway: self.gateway.clone(),
            entropy: self.entropy.clone(),
            agent: AgentId(self.entropy.uuid(SystemClock.now())),
            count: 0,
        })
    }
}

struct GatewayWriter {
    gateway: Gateway,
    entropy: Arc<dyn Entropy>,
    agent: AgentId,
    count: u64,
}

#[async_trait]
impl Appender for GatewayWriter {
    async fn append(&mut self) -> anyhow::Result<()> {
        let at = SystemClock.now();
        if self.count == STREAM_EVENTS {
            self.agent = AgentId(self.entropy.uuid(at));
            self.count = 0;
        }
        self.count += 1;
        let id = self.entropy.uuid(at);
        let command = device::Command::RecordRegistered {
            agent: self.agent,
            binding: id,
            transport: "udp".into(),
        };
        let envelope = Envelope {
            command: AnyCommand::Device(self.agent, command),
            command_id: CommandId(id),
            at,
            correlation_id: self.agent.0,
            causation_id: id,
            actor: "adapter:bench".into(),
            tenant: DEFAULT_TENANT,
        };
        self.gateway.dispatch(envelope).await?;
        Ok(())
    }
}

/// A contender, and what must live as long as it.
type Held = (Place, Option<Stores>, Box<dyn Contender>);

async fn contenders(places: &Places, kind: Kind) -> anyhow::Result<Vec<Held>> {
    let mut all: Vec<Held> = vec![];
    let place = places.fresh(kind).await?;
    let stores = place.open().await?;
    let ours = Box::new(OurLog::of(&stores));
    all.push((place, Some(stores), ours));
    let place = places.fresh(kind).await?;
    let stores = place.open().await?;
    let ours = Box::new(OurGateway::of(&stores).await?);
    all.push((place, Some(stores), ours));
    #[cfg(feature = "peers")]
    for contender in peers::CONTENDERS.iter().filter(|peer| peer.kind() == kind) {
        let place = places.fresh(kind).await?;
        let peer = contender.open(&place).await?;
        all.push((place, None, peer));
    }
    Ok(all)
}

/// Measures and prints.
pub(super) async fn measure(settings: &Log, places: &Places, kind: Kind) -> anyhow::Result<()> {
    let contenders = contenders(places, kind).await?;
    let mut cells = vec![vec![vec![]; settings.writers.len()]; contenders.len()];
    for _ in 0..settings.rounds.max(1) {
        for (column, writers) in settings.writers.iter().enumerate() {
            for (row, (_, _, contender)) in contenders.iter().enumerate() {
                let one = cell(contender.as_ref(), *writers, settings.cell()).await?;
                cells[row][column].push(one);
            }
        }
    }
    for (column, writers) in settings.writers.iter().enumerate() {
        let mut table = Table::default();
        let [log, commands] = [0, 1].map(|row: usize| Cell::median(&cells[row][column]));
        for (row, (_, _, contender)) in contenders.iter().enumerate() {
            let median = Cell::median(&cells[row][column]);
            let target = match (row, kind) {
                (0, Kind::Sqlite) => "60000/s at 512".into(),
                (0, Kind::Postgres) => "30000/s at 512".into(),
                (1, Kind::Sqlite) => "10 times sqlite-es".into(),
                (1, Kind::Postgres) => "10 times postgres-es".into(),
                _ => String::new(),
            };
            let mut shown = median.shown();
            if row > 1 && median.per_s > 0.0 {
                // Theirs is a whole command too; a bare append does less.
                shown.push_str(&format!(
                    "; our whole commands are {:.1} times, our bare append {:.1} times",
                    commands.per_s / median.per_s,
                    log.per_s / median.per_s
                ));
            }
            table.row(&contender.name(), shown, &target);
        }
        table.print(&format!(
            "appends, {}, {writers} at once, median of {}",
            kind.shown(),
            settings.rounds.max(1)
        ));
    }
    Ok(())
}
