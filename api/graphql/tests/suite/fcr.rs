//! First contact resolution over the real path: events, read models, HTTP.

use crate::world::{World, uuid};
use commands::ports::Clock as _;
use domain::{
    any::AnyCommand,
    call::Command,
    cause::WireCause,
    id::{AgentId, QueueId},
    line::{self, VisitResult},
    time::Timestamp,
};
use serde_json::{Value, json};

const REPORT: &str = "query Q($r: Range!, $q: [ID!]!, $d: Int, $p: Cursor) { queueReport(range: \
    $r, queueIds: $q, granularity: DAY, fcrWindowDays: $d, minPosition: $p) { ...Fcr \
    counters { answeredCount } } } fragment Fcr on QueueReportRow { fcrContactsCount \
    fcrResolvedCount fcrPpm fcrUnknownCount fcrOpenCount }";

fn days_ago(world: &World, days: i64) -> Timestamp {
    let day = 86_400_000_000;
    Timestamp::from_micros(world.clock.now().micros() - days * day)
}

fn range(world: &World) -> Value {
    json!({"from": days_ago(world, 40).to_string(), "until": days_ago(world, -1).to_string()})
}

/// Somebody reached an agent of the queue at that time and talked for a minute.
async fn contact(world: &World, queue: QueueId, from: &str, at: Timestamp) {
    let ringing = world.ring_at(at, queue, from).await;
    world.connect_at(at, &ringing, AgentId(uuid())).await;
    let close = line::Command::CloseVisit {
        visit: ringing.visit,
        result: VisitResult::Answered,
        closed_at: at,
    };
    world.dispatch_at(at, AnyCommand::Line(queue, close)).await;
    let (leg, wire) = (ringing.leg, WireCause::default());
    let bye = AnyCommand::Call(ringing.call, Command::RecordBye { leg, wire });
    world.dispatch_at(at.plus_ms(60_000), bye).await;
}

/// Resolved, of contacts; unknown, open; and all that were answered.
async fn told(world: &World, queue: QueueId, days: Option<i32>) -> [u64; 5] {
    let variables = json!({"r": range(world), "q": [queue.to_string()], "d": days,
        "p": world.head().to_string()});
    let answer = world.ask(REPORT, variables).await.data();
    let rows = answer["queueReport"].as_array().unwrap();
    for row in rows {
        let number = |name: &str| row[name].as_u64().unwrap();
        let (part, whole) = (number("fcrResolvedCount"), number("fcrContactsCount"));
        let share = (part * 1_000_000).checked_div(whole);
        assert_eq!(row["fcrPpm"], json!(share), "{row:#}");
    }
    let sum = |pick: &dyn Fn(&Value) -> &Value| {
        let numbers = rows.iter().map(|row| pick(row).as_u64().unwrap());
        numbers.sum()
    };
    [
        sum(&|row| &row["fcrResolvedCount"]),
        sum(&|row| &row["fcrContactsCount"]),
        sum(&|row| &row["fcrUnknownCount"]),
        sum(&|row| &row["fcrOpenCount"]),
        sum(&|row| &row["counters"]["answeredCount"]),
    ]
}

#[tokio::test]
async fn a_contact_is_resolved_unless_the_same_person_reaches_the_same_queue_again() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let other = world.queue("help").await;
    contact(&world, queue, "+4930111", days_ago(&world, 30)).await;
    contact(&world, queue, "+4930111", days_ago(&world, 27)).await;
    contact(&world, other, "+4930222", days_ago(&world, 27)).await;
    contact(&world, queue, "+4930222", days_ago(&world, 26)).await;
    contact(&world, queue, "anonymous", days_ago(&world, 26)).await;
    contact(&world, queue, "+4930333", days_ago(&world, 3)).await;
    // The first person came again after three days, and the last may come yet.
    assert_eq!(told(&world, queue, None).await, [2, 3, 1, 1, 5]);
    assert_eq!(told(&world, queue, Some(2)).await, [4, 4, 1, 0, 5]);
    assert_eq!(told(&world, queue, Some(31)).await, [0, 0, 1, 4, 5]);
    assert_eq!(told(&world, other, None).await, [1, 1, 0, 0, 1]);
    for days in [0, 32, -1] {
        let variables = json!({"r": range(&world), "q": [queue.to_string()], "d": days});
        let refused = world.ask(REPORT, variables).await;
        assert_eq!(refused.code(), "VALIDATION_ERROR");
        let says = "fcrWindowDays is not between 1 and 31";
        assert_eq!(refused.message(), says);
    }
}

/// Nobody can say any more who that was; what is counted otherwise stays.
#[tokio::test]
async fn the_contacts_of_whoever_is_forgotten_are_unknown_from_then_on() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    contact(&world, queue, "+4930111", days_ago(&world, 30)).await;
    contact(&world, queue, "+4930111", days_ago(&world, 27)).await;
    contact(&world, queue, "+4930222", days_ago(&world, 27)).await;
    assert_eq!(told(&world, queue, None).await, [2, 3, 0, 0, 3]);
    let erase = json!({"number": "+4930111", "reason": "CONSENT_WITHDRAWN"});
    let erased = world
        .order("eraseSubject", erase, "userErrors { code }")
        .await;
    assert_eq!(erased["userErrors"], json!([]));
    assert_eq!(told(&world, queue, None).await, [1, 1, 2, 0, 3]);
    // Whoever calls anew is somebody again, and nothing of before is held against that.
    contact(&world, queue, "+4930111", days_ago(&world, 20)).await;
    assert_eq!(told(&world, queue, None).await, [2, 2, 2, 0, 4]);
}
