//! Usage that comes after its month was closed.

use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, Recorded, Refusal,
    StreamId, Written,
};
use domain::{
    any::AnyCommand,
    billing::{
        Command, UsageId, UsageType,
        stretch::Rules,
        tariff::Tariff,
        usage::{self, Record},
    },
    calendar::Zone,
    id::{AccountId, CallId, CommandId, LegId, PlanId},
    money::{Currency, Decimal},
    time::Timestamp,
};
use ringledger_tests::office::Office;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::watch;
use uuid::Uuid;

const LATE: usize = 4;

/// A log that counts how often a month of usage is read.
struct Counting {
    log: Arc<dyn EventLog>,
    reads: Arc<AtomicUsize>,
}

#[async_trait]
impl EventLog for Counting {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        self.log.append(batch).await
    }
    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        if stream.as_str().starts_with("usage-") {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        self.log.read_stream(stream, after).await
    }
    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        self.log.read_all(after, limit).await
    }
    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        self.log.find_command(command_id).await
    }
    async fn refuse(
        &self,
        node_epoch: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        self.log.refuse(node_epoch, command_id, refusal).await
    }
    async fn find_refusal(&self, command_id: CommandId) -> Result<Option<Refusal>, ReadError> {
        self.log.find_refusal(command_id).await
    }
    async fn head(&self) -> Result<Position, ReadError> {
        self.log.head().await
    }
    fn wakeups(&self) -> watch::Receiver<Position> {
        self.log.wakeups()
    }
}

fn count(number: usize) -> usage::Command {
    let record = Record {
        cdr: CallId(Uuid::from_u128(100 + number as u128)),
        revision: 1,
        leg: LegId(Uuid::nil()),
        usage_type: UsageType::Custom,
        answered_at: Timestamp::from_micros(1),
        ended_at: Timestamp::from_micros(1),
        quantity: 1,
        tariff: Tariff::flat(Decimal::whole(1)),
        amount: Decimal::whole(1),
        currency: Currency::EUR,
        plan: PlanId(Uuid::nil()),
        plan_version: 1,
        matched: None,
        of_period: None,
        counted: None,
        rounding: None,
    };
    usage::Command::Count {
        record: Box::new(record),
        is_charged: false,
    }
}

/// An invoice run lets go of the months that it closed, but a burst of what comes
/// late does not read the whole month again for each use.
#[tokio::test]
async fn a_burst_of_late_uses_does_not_read_the_closed_month_each_time() {
    let mut stores = store::open("memory:").await.unwrap();
    let reads = Arc::new(AtomicUsize::default());
    stores.log = Arc::new(Counting {
        log: stores.log.clone(),
        reads: reads.clone(),
    });
    let office = Office::open_without_views(stores).await;
    let month = UsageId {
        account: AccountId(Uuid::from_u128(1)),
        period: "2026-10".parse().unwrap(),
    };
    let tell = |command| {
        let command = Command::Usage(month, command);
        office.dispatch(AnyCommand::Billing(Box::new(command)))
    };
    let rules = Box::new(Rules {
        period: month.period,
        zone: Zone::UTC,
        stretches: vec![],
        turns: BTreeMap::new(),
        taken_back: Default::default(),
    });
    tell(usage::Command::Close { rules }).await.unwrap();
    for number in 0..LATE {
        tell(count(number)).await.unwrap_err();
    }
    let reads = reads.load(Ordering::Relaxed);
    // Once; more often only where the machine slept in between.
    assert!(reads < LATE, "read {reads} times");
}
