//! The whole write and read side on PostgreSQL: what people see is the same as
//! on SQLite, live and rebuilt.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod backup;
mod filled;
mod money;
mod upgrades;

use commands::{
    feed::Feed,
    ports::{Append, Change, EventLog, NewEvent, Position, ReadStore, Recorded, Value, Vault},
    sessions::Wish,
    system::SystemClock,
    writer::Writer,
};
use domain::{
    any::AnyCommand,
    call::{self, AnswerMode},
    cause::{OfferOutcome, WireCause},
    id::AgentId,
    schedule::{self, Activity, Segment},
    session::NotReadyReason,
    time::Timestamp,
};
use projections::{
    Means, Running, agent_states,
    calls::{self, Call},
    cdr::{self, Dimension, Grouping},
    changed::View,
    page::{Page, Slice},
    timeline,
    views::Views,
};
use ringledger_tests::office::{Caller, Office, Ring, rules};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::{Stores, testing};
use tempfile::TempDir;

/// Nothing here takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);
type Rows = BTreeMap<&'static str, Vec<Vec<Value>>>;

/// Every table of the read models, and how far they are.
fn compared() -> Vec<(&'static str, &'static str)> {
    let mut tables = projections::tables();
    tables.push(("es_projections", "name"));
    tables
}

/// Every row of every read model.
async fn rows(read: &dyn ReadStore) -> Rows {
    let mut all = Rows::new();
    for (table, key) in compared() {
        let sql = format!("SELECT * FROM {table} ORDER BY {key}");
        all.insert(table, read.query(&sql, vec![]).await.unwrap());
    }
    all
}

async fn answer(office: &Office, caller: Caller) -> Ring {
    let (_, ring) = office.see_ring(Position::default(), caller.call).await;
    let alerting = call::Command::RecordAlerting { leg: ring.leg };
    office.tell(caller.call, alerting).await;
    let answered = call::Command::RecordAnswer {
        leg: ring.leg,
        codec: None,
        device: None,
    };
    office.tell(caller.call, answered).await;
    let connected = "agent_connected_to_contact";
    office
        .see_event(Position::default(), caller.call, connected)
        .await;
    ring
}

async fn hang_up(office: &Office, caller: Caller) {
    let bye = call::Command::RecordBye {
        leg: caller.leg,
        wire: WireCause::default(),
    };
    office.tell(caller.call, bye).await;
    office
        .see_event(Position::default(), caller.call, "agent_contact_ended")
        .await;
}

/// What an agent is to do, said twice: the second time of a part of it.
async fn plan_a_day(office: &Office, agent: AgentId) {
    for (from, to, activity) in [(0, 60, Activity::Work), (20, 30, Activity::Meal)] {
        let (from, to) = (planned_at(from), planned_at(to));
        let segments = vec![Segment { from, to, activity }];
        let set = schedule::Command::Set { from, to, segments };
        let set = office.dispatch(AnyCommand::Schedule(agent, set)).await;
        set.expect("a plan that can be kept");
    }
}

/// So many minutes after the plan begins.
const fn planned_at(minutes: u64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus_ms(minutes * 60_000)
}

/// A small day: answered, declined, abandoned, in progress and waiting calls, and money.
/// It waits for the last fact of each: nothing follows from the day any more.
async fn a_day(office: &Office) {
    money::some_money(office).await;
    let queue = office.queue("support", rules()).await;
    office.queue("Sales-2", rules()).await;
    let anna = office.ready_agent("anna", queue).await;
    let ben = office.ready_agent("Ben", queue).await;

    plan_a_day(office, anna).await;
    let first = office.ring_in(queue, AnswerMode::OnAgent).await;
    answer(office, first).await;
    hang_up(office, first).await;

    let declined = office.ring_in(queue, AnswerMode::Immediate).await;
    let (seen, ring) = office.see_ring(Position::default(), declined.call).await;
    let failure = call::Command::RecordFailure {
        leg: ring.leg,
        outcome: OfferOutcome::Rejected,
        wire: WireCause {
            sip_status: Some(603),
            reason_header: None,
            warning: None,
        },
    };
    office.tell(declined.call, failure).await;
    let (_, ring) = office.see_ring(seen, declined.call).await;
    let answered = call::Command::RecordAnswer {
        leg: ring.leg,
        codec: None,
        device: None,
    };
    office.tell(declined.call, answered).await;
    for fact in ["agent_connected_to_contact", "visit_closed"] {
        office.see_event(seen, declined.call, fact).await;
    }

    for agent in [anna, ben] {
        if agent != ring.agent {
            let pause = Wish::NotReady(NotReadyReason::Break, None);
            office.wish(agent, pause).await;
        }
    }
    let gone = office.ring_in(queue, AnswerMode::OnAgent).await;
    let opened = "visit_opened";
    office
        .see_event(Position::default(), gone.call, opened)
        .await;
    let cancel = call::Command::RecordCancel {
        leg: gone.leg,
        wire: WireCause::default(),
    };
    office.tell(gone.call, cancel).await;
    office
        .see_event(Position::default(), gone.call, "visit_closed")
        .await;
    let waiting = office.ring_in(queue, AnswerMode::Immediate).await;
    office
        .see_event(Position::default(), waiting.call, opened)
        .await;
}

async fn follow(feed: Feed, stores: &Stores, vault: Arc<dyn Vault>, until: Position) -> Running {
    let means = Means {
        feed,
        read: stores.read.clone(),
        vault,
    };
    let running = projections::start(means).await.unwrap();
    let views = running.views();
    views.wait_for(&View::ALL, until, PATIENCE).await.unwrap();
    running
}

/// The same events in another log.
async fn copy(from: &dyn EventLog, to: &dyn EventLog) {
    let all = from.read_all(Position::default(), 100_000).await.unwrap();
    let of_one_command = |a: &Recorded, b: &Recorded| a.command_id == b.command_id;
    for events in all.events.chunk_by(of_one_command) {
        let new = |event: &Recorded| NewEvent {
            event_id: event.event_id,
            event_type: event.event_type.to_string().leak(),
            event_version: event.event_version,
            payload: event.payload.clone(),
        };
        let append = Append {
            stream: events[0].stream.clone(),
            aggregate_type: "copy",
            expected: events[0].version - 1,
            changes: vec![Change {
                command_id: events[0].command_id,
                metadata: events[0].metadata.clone(),
                events: events.iter().map(new).collect(),
            }],
        };
        to.append(vec![append]).await.remove(0).unwrap();
    }
}

/// Sums over all records, and all records as an export reads them.
async fn sums_and_exports(views: &Views) -> String {
    let mut shown = String::new();
    let mut add = |what: String| shown.push_str(&(what + "\n"));
    let everything = cdr::Filter {
        directions: vec![cdr::Direction::Inbound],
        to_prefix: Some("sup".into()),
        duration_ms_min: Some(0),
        incomplete: Some(false),
        ..cdr::Filter::default()
    };
    for dimensions in [
        vec![],
        vec![Dimension::Day, Dimension::Queue],
        vec![Dimension::Hour, Dimension::Agent, Dimension::Trunk],
        vec![
            Dimension::Prefix,
            Dimension::Disposition,
            Dimension::Direction,
        ],
    ] {
        let grouping = Grouping {
            dimensions,
            zone: "Asia/Kathmandu".parse().unwrap(),
            prefix_digits: 3,
        };
        let stats = views.cdr_stats(&everything, &grouping).await.unwrap();
        let calls: u64 = stats.iter().map(|row| row.figures.calls_count).sum();
        assert_eq!(calls, 2, "{stats:?}");
        add(format!("{stats:?}"));
    }
    let mut after = None;
    let mut exported = 0;
    for _ in 0..2 {
        let (rows, next) = views
            .cdrs_as_of(&everything, u64::MAX / 2, after, 1)
            .await
            .unwrap();
        exported += rows.len();
        add(format!("{rows:?}"));
        after = next;
    }
    assert_eq!((exported, after), (2, None));
    shown
}

/// What the API would show, as text.
async fn shown(views: &Views) -> String {
    let mut shown = String::new();
    let mut add = |what: String| shown.push_str(&(what + "\n"));
    for page in [Page::default(), Page::Last(2, None), Page::First(1, None)] {
        let calls = views.calls(&calls::Filter::default(), &page).await.unwrap();
        let after = calls.rows.last().map(|(cursor, _)| cursor.clone());
        add(format!("{calls:?}"));
        let next = Page::First(2, after);
        let more: Slice<Call> = views.calls(&calls::Filter::default(), &next).await.unwrap();
        add(format!("{more:?}"));
        let agents = agent_states::Filter::default();
        add(format!("{:?}", views.agents(&agents, &page).await.unwrap()));
        add(format!("{:?}", views.queues(&page, true).await.unwrap()));
    }
    let records = views.cdrs(&cdr::Filter::default(), &Page::default()).await;
    let records = records.unwrap();
    assert_eq!(records.rows.len(), 2);
    for (_, record) in &records.rows {
        let filter = cdr::Filter {
            queues: record.queue.into_iter().collect(),
            agents: record.agent.into_iter().collect(),
            dispositions: record.end.iter().map(|end| end.disposition).collect(),
            subject: Some(record.caller.subject),
            from: Some(record.started_at),
            until: Some(Timestamp::from_micros(record.started_at.micros() + 1)),
            ..cdr::Filter::default()
        };
        add(format!("{}", views.cdrs_count(&filter).await.unwrap()));
        let steps = views.timeline(record.call, 0, 100).await.unwrap();
        add(format!("{steps:?}"));
    }
    add(sums_and_exports(views).await);
    let all = views.queues(&Page::default(), true).await.unwrap();
    let ids: Vec<_> = all.rows.iter().map(|(_, row)| row.queue).collect();
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    add(format!("{:?}", views.queues_now(&ids, now).await.unwrap()));
    add(format!("{:?}", views.queues_now(&[], now).await.unwrap()));
    let agents = agent_states::Filter::default();
    let agents = views.agents(&agents, &Page::default()).await.unwrap();
    let agents: Vec<_> = agents.rows.iter().map(|(_, row)| row.agent).collect();
    let planned = views
        .schedule(&agents, planned_at(10), planned_at(50))
        .await;
    let planned = planned.unwrap();
    assert_eq!(
        planned.values().map(Vec::len).sum::<usize>(),
        3,
        "{planned:?}"
    );
    add(format!("{planned:?}"));
    let filter = agent_states::Filter {
        queue: ids.first().copied(),
        ..agent_states::Filter::default()
    };
    add(format!("{}", views.agents_count(&filter).await.unwrap()));
    let filter = timeline::Filter {
        categories: vec!["call".into()],
        queue: ids.first().copied(),
        ..timeline::Filter::default()
    };
    let events = views.events(&filter, 3, 10).await.unwrap();
    add(format!("{events:?}"));
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_the_same_on_postgres_as_on_sqlite_and_rebuilt_as_live() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let office = Office::open_without_views(stores.clone()).await;
    let vault = stores.vault.clone();
    let begin = Position::default();
    let live = follow(office.feed.clone(), &stores, vault.clone(), begin).await;
    a_day(&office).await;
    let head = stores.log.head().await.unwrap();
    let views = live.views();
    views.wait_for(&View::ALL, head, PATIENCE).await.unwrap();
    let on_postgres = rows(&*stores.read).await;
    let told = shown(&views).await;
    let ended = office
        .history()
        .await
        .iter()
        .filter(|entry| &*entry.recorded.event_type == "call_ended")
        .count();
    assert_eq!(on_postgres["cdr"].len(), ended);
    assert_eq!(on_postgres["timeline"].len() as u64, head.0);
    for money in ["billing_accounts", "billing_invoices", "billing_usage"] {
        assert!(!on_postgres[money].is_empty(), "{money}");
    }

    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().display());
    let sqlite = store::open(&url).await.unwrap();
    copy(&*stores.log, &*sqlite.log).await;
    let (_writer, feed) = Writer::start(sqlite.log.clone(), Arc::new(SystemClock))
        .await
        .unwrap();
    let replayed = follow(feed, &sqlite, vault.clone(), head).await;
    let on_sqlite = rows(&*sqlite.read).await;
    for (table, _) in compared() {
        assert_eq!(on_postgres[table], on_sqlite[table], "{table}");
    }
    assert_eq!(told, shown(&replayed.views()).await);

    live.stop().await;
    for view in View::ALL {
        let position =
            projections::rebuild(stores.log.clone(), stores.read.clone(), vault.clone(), view)
                .await
                .unwrap();
        assert_eq!(position, head, "{view:?}");
    }
    assert_eq!(rows(&*stores.read).await, on_postgres);
}
