//! Long streams are not read from their first event, and a start does not read
//! the whole log; what makes that so is a cache that is never believed against
//! the log.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use commands::{
    directory::Directory,
    envelope::{Committed, Envelope},
    feed::Feed,
    gateway::Gateway,
    ports::{
        Append, AppendError, Appended, EventLog, Page, Position, ReadError, ReadStore, Recorded,
        Statement, StreamId, Value, Written,
    },
    system::{SystemClock, SystemEntropy},
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    billing::{self, account},
    id::{AccountId, CallId, CommandId, DEFAULT_TENANT, QueueId, VisitId},
    line::{self, VisitPolicy, VisitResult},
    queue,
    time::Timestamp,
};
use ringledger_store::{
    contract::Ids,
    memory::{MemoryLog, MemoryReadStore},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// A log that counts the events that it gives out.
struct Counting {
    log: MemoryLog,
    of_streams: AtomicUsize,
    of_all: AtomicUsize,
}

#[async_trait]
impl EventLog for Counting {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        self.log.append(batch).await
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        let events = self.log.read_stream(stream, after).await?;
        self.of_streams.fetch_add(events.len(), Ordering::SeqCst);
        Ok(events)
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let page = self.log.read_all(after, limit).await?;
        self.of_all.fetch_add(page.events.len(), Ordering::SeqCst);
        Ok(page)
    }

    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        self.log.find_command(command_id).await
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.log.head().await
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.log.wakeups()
    }
}

/// A log and its read store, which outlive the runs over them.
struct Machine {
    log: Arc<Counting>,
    read: Arc<MemoryReadStore>,
    ids: Ids,
    queue: QueueId,
}

impl Machine {
    fn new() -> Self {
        let ids = Ids::new("snapshots");
        Self {
            log: Arc::new(Counting {
                log: MemoryLog::new(),
                of_streams: AtomicUsize::new(0),
                of_all: AtomicUsize::new(0),
            }),
            read: Arc::new(MemoryReadStore::open().unwrap()),
            queue: QueueId(ids.uuid()),
            ids,
        }
    }

    /// A run of the program: everything in its memory is new.
    async fn run(&self) -> (Gateway, Feed) {
        let log: Arc<dyn EventLog> = self.log.clone();
        let (writer, feed) = Writer::start(log.clone(), Arc::new(SystemClock))
            .await
            .unwrap();
        let entropy = Arc::new(SystemEntropy::default());
        let gateway = Gateway::with_snapshots(log, writer, entropy, 1, self.read.clone());
        (gateway, feed)
    }

    fn envelope(&self, command: AnyCommand) -> Envelope {
        let id = self.ids.uuid();
        Envelope {
            command,
            command_id: CommandId(id),
            at: Timestamp::from_micros(1_800_000_000_000_000),
            correlation_id: id,
            causation_id: id,
            actor: "test".into(),
            tenant: DEFAULT_TENANT,
        }
    }

    async fn tell(&self, gateway: &Gateway, command: AnyCommand) -> Committed {
        gateway.dispatch(self.envelope(command)).await.unwrap()
    }

    /// A visit that comes and goes: two events.
    async fn visit(&self, gateway: &Gateway) -> Committed {
        let visit = self.open(gateway).await;
        let close = line::Command::CloseVisit {
            visit,
            result: VisitResult::Abandoned,
            closed_at: Timestamp::from_micros(1_800_000_000_000_000),
        };
        self.tell(gateway, AnyCommand::Line(self.queue, close))
            .await
    }

    async fn open(&self, gateway: &Gateway) -> VisitId {
        let visit = VisitId(self.ids.uuid());
        let open = line::Command::OpenVisit {
            visit,
            call: CallId(self.ids.uuid()),
            enqueued_at: Timestamp::from_micros(1_800_000_000_000_000),
            joined_at: None,
            priority: None,
            previous: None,
            capacity: 10,
            policy: VisitPolicy {
                config_version: 1,
                answer_mode: domain::call::AnswerMode::OnAgent,
                ring_timeout_ms: 1_000,
                wrap_up_ms: 0,
                max_wait_ms: 0,
                measure: None,
            },
            barred: None,
        };
        self.tell(gateway, AnyCommand::Line(self.queue, open)).await;
        visit
    }

    /// The version that the line's snapshot has; waits for one of at least that.
    async fn snapshot_of(&self, at_least: i64) -> i64 {
        loop {
            let sql = "SELECT version FROM es_snapshots WHERE stream = $1";
            let stream = Value::Text(format!("line-{}", self.queue));
            let rows = self.read.query(sql, vec![stream]).await.unwrap();
            if let Some([Value::Int(version)]) = rows.first().map(Vec::as_slice)
                && *version >= at_least
            {
                return *version;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn change(&self, sql: &'static str) {
        let statement = Statement {
            sql,
            parameters: vec![],
            must_touch: Some(1),
        };
        self.read.transact(vec![statement]).await.unwrap();
    }

    /// One more visit in a new run; how many events the line was read with.
    async fn read_by_the_next_run(&self) -> usize {
        let before = self.log.of_streams.load(Ordering::SeqCst);
        let (gateway, _feed) = self.run().await;
        let head = self.log.head().await.unwrap().0;
        assert_eq!(self.visit(&gateway).await.version, head + 2);
        self.log.of_streams.load(Ordering::SeqCst) - before
    }
}

#[tokio::test]
async fn a_long_stream_is_read_from_its_snapshot_on() {
    let machine = Machine::new();
    let (gateway, _feed) = machine.run().await;
    let waits = machine.open(&gateway).await;
    for _ in 0..400 {
        machine.visit(&gateway).await;
    }
    let kept = machine.snapshot_of(768).await;
    drop(gateway);

    // The event of the snapshot itself, and what came after it.
    let read = machine.read_by_the_next_run().await;
    assert_eq!(read as i64, 801 - kept + 1);
    // What was in the state is there: the visit is still open, once.
    let (gateway, _feed) = machine.run().await;
    let close = line::Command::CloseVisit {
        visit: waits,
        result: VisitResult::Abandoned,
        closed_at: Timestamp::from_micros(1_800_000_000_000_000),
    };
    let close = AnyCommand::Line(machine.queue, close);
    assert!(machine.tell(&gateway, close.clone()).await.changed);
    assert!(!machine.tell(&gateway, close).await.changed);
}

#[tokio::test]
async fn a_snapshot_that_the_log_or_the_program_does_not_bear_out_is_not_believed() {
    for spoil in [
        "UPDATE es_snapshots SET shape = shape + 1",
        "UPDATE es_snapshots SET state = '{\"last_at\":'",
        "UPDATE es_snapshots SET state = '{\"state\":{\"visits\":{}}}'",
        "UPDATE es_snapshots SET event_id = '00000000-0000-0000-0000-000000000000'",
        "UPDATE es_snapshots SET event_id = 'none'",
        "UPDATE es_snapshots SET version = version - 1",
        "UPDATE es_snapshots SET version = 100000",
        "DELETE FROM es_snapshots",
    ] {
        let machine = Machine::new();
        let (gateway, _feed) = machine.run().await;
        for _ in 0..150 {
            machine.visit(&gateway).await;
        }
        machine.snapshot_of(256).await;
        drop(gateway);
        machine.change(spoil).await;
        let read = machine.read_by_the_next_run().await;
        assert!(read >= 300, "{spoil}: {read}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_line_that_nobody_asks_leaves_memory_and_comes_back() {
    let machine = Machine::new();
    let (gateway, _feed) = machine.run().await;
    for _ in 0..50 {
        machine.visit(&gateway).await;
    }
    assert_eq!(gateway.live_count(), 1);
    // Nothing else runs: the clock of the test goes to the next thing that is due.
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(gateway.live_count(), 0);
    let before = machine.log.of_streams.load(Ordering::SeqCst);
    assert_eq!(machine.snapshot_of(100).await, 100);
    assert_eq!(machine.visit(&gateway).await.version, 102);
    let read = machine.log.of_streams.load(Ordering::SeqCst) - before;
    assert_eq!(read, 1, "it was kept when it left");
}

/// An invoice run touches every account there is.
#[tokio::test(start_paused = true)]
async fn of_very_many_accounts_those_that_nobody_asks_leave_memory_at_once() {
    let machine = Machine::new();
    let (gateway, _feed) = machine.run().await;
    for _ in 0..2_000 {
        let limit = account::Command::SetCreditLimit { limit: None };
        let limit = billing::Command::Account(AccountId(machine.ids.uuid()), limit);
        let limit = machine.envelope(AnyCommand::Billing(Box::new(limit)));
        assert!(gateway.dispatch(limit).await.is_err(), "there is none");
    }
    assert_eq!(gateway.live_count(), 2_000);
    // Less than one of few waits.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(gateway.live_count(), 512);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(gateway.live_count(), 0);
}

fn config(number: u32) -> AnyCommand {
    let name = format!("queue-{number}");
    AnyCommand::Queue(
        QueueId::named(DEFAULT_TENANT, &name),
        queue::Command::Configure {
            name,
            config: queue::Config {
                capacity: number,
                ..rules()
            },
        },
    )
}

fn rules() -> queue::Config {
    queue::Config {
        ring_timeout_ms: 1_000,
        answer_mode: domain::call::AnswerMode::OnAgent,
        max_wait_ms: 0,
        capacity: 10,
        service_level_threshold_ms: 1_000,
        ..queue::Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_directory_reads_on_from_its_row() {
    let machine = Machine::new();
    let (gateway, feed) = machine.run().await;
    let read: Arc<dyn ReadStore> = machine.read.clone();
    let directory = Directory::kept(feed, read.clone()).await.unwrap();
    for number in 1..=50 {
        let made = machine.tell(&gateway, config(number)).await;
        directory.wait_for(made.position).await;
    }
    // The row is kept once a second; nothing else runs meanwhile.
    tokio::time::sleep(Duration::from_secs(2)).await;
    machine.tell(&gateway, config(51)).await;
    drop(gateway);

    let start = async || {
        let before = machine.log.of_all.load(Ordering::SeqCst);
        let (_gateway, feed) = machine.run().await;
        let directory = Directory::kept(feed, read.clone()).await.unwrap();
        assert_eq!(directory.queues().len(), 51);
        let queue = directory.resolve("QUEUE-7").unwrap();
        assert_eq!((queue.config.capacity, queue.config_version), (7, 1));
        machine.log.of_all.load(Ordering::SeqCst) - before
    };
    assert!(start().await <= 1, "at most the one event after the row");
    assert_eq!(start().await, 0, "the start has kept it");
    for spoil in [
        "UPDATE es_processes SET version = version + 1 WHERE name = 'directory'",
        "UPDATE es_processes SET state = '{}' WHERE name = 'directory'",
        // Of a log that was longer: this one was put back to an earlier day.
        "UPDATE es_processes SET position = 1000 WHERE name = 'directory'",
        "DELETE FROM es_processes WHERE name = 'directory'",
    ] {
        machine.change(spoil).await;
        assert_eq!(start().await, 51, "{spoil}");
    }
}
