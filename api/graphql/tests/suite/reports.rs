//! Reports over the real path: events, read models, HTTP.

use crate::world::{Ringing, World, uuid};
use commands::ports::Clock as _;
use domain::{
    any::AnyCommand,
    id::{AgentId, OfferId, QueueId, SessionId},
    line::{self, VisitResult},
    session,
};
use ringledger_graphql::auth::Scope;
use serde_json::{Value, json};

async fn ask(world: &World, query: &str, mut variables: Value) -> Value {
    variables["p"] = json!(world.head().to_string());
    world.ask(query, variables).await.data()
}

/// A day that surely has now in it.
fn range() -> Value {
    json!({"from": "2000-01-01T00:00:00Z", "until": "2000-01-02T00:00:00Z"})
}

fn today(world: &World) -> Value {
    let day = 86_400_000_000;
    let start = world.clock.now().micros() / day * day;
    let at = |micros| domain::time::Timestamp::from_micros(micros).to_string();
    json!({"from": at(start - day), "until": at(start + 2 * day)})
}

const QUEUE: &str = "query Q($r: Range!, $q: [ID!]!, $g: Granularity!, $z: String!, $t: Duration, \
    $p: Cursor) { queueReport(range: $r, queueIds: $q, granularity: $g, timeZone: $z, \
    thresholdMs: $t, minPosition: $p) { name start end thresholdMs shortAbandonMs \
    measures { thresholdMs shortAbandonMs targetPercent visitsCount } targetPercent \
    serviceLevels(variant: ANSWERED) { share thresholdMs targetPercent isTargetMet } waitingBeforeCount waitingAfterCount callbackCount counters { offeredCount answeredCount \
    answeredInThresholdCount abandonedCount flowOutCount serviceLevel(variant: OFFERED) \
    averageSpeedOfAnswerMs } } }";

/// What the processes would ask for when an agent takes the call.
async fn takes(world: &World, queue: QueueId, agent: AgentId, ringing: &Ringing) {
    let session = SessionId { agent, number: 1 };
    let (offer, visit, call) = (OfferId(uuid()), ringing.visit, ringing.call);
    let until = world.clock.now().plus_ms(20_000);
    let reserve = session::Command::Reserve {
        offer,
        call,
        visit,
        queue,
        until,
        wrap_up_ms: 0,
        choice: None,
        terms: domain::queue::Terms::STANDARD,
        capacity: 1,
    };
    let ready = true;
    for command in [session::Command::LogIn { session, ready }, reserve] {
        world.dispatch(AnyCommand::Session(session, command)).await;
    }
    let matched = line::Command::MatchVisit {
        visit,
        offer,
        session,
        beside: false,
    };
    world.dispatch(AnyCommand::Line(queue, matched)).await;
    world.connect(ringing, agent).await;
    let connected = session::Command::ConfirmConnect { offer };
    world
        .dispatch(AnyCommand::Session(session, connected))
        .await;
    leaves(world, queue, ringing, VisitResult::Answered).await;
}

async fn leaves(world: &World, queue: QueueId, ringing: &Ringing, result: VisitResult) {
    let close = line::Command::CloseVisit {
        visit: ringing.visit,
        result,
        closed_at: world.clock.now(),
    };
    world.dispatch(AnyCommand::Line(queue, close)).await;
}

/// One call is answered, one abandoned, one waits.
async fn a_day() -> (World, QueueId, AgentId) {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let answered = world.ring(queue, "1001").await;
    takes(&world, queue, agent, &answered).await;
    let gone = world.ring(queue, "1002").await;
    world.hang_up(&gone, gone.leg).await;
    leaves(&world, queue, &gone, VisitResult::Abandoned).await;
    world.ring(queue, "1003").await;
    (world, queue, agent)
}

#[tokio::test]
async fn a_queue_is_told_by_interval_of_its_time_zone() {
    let (world, queue, _) = a_day().await;
    let variables = json!({"r": today(&world), "q": [queue.to_string()], "g": "DAY",
        "z": "Europe/Berlin"});
    let answer = ask(&world, QUEUE, variables).await;
    let rows = answer["queueReport"].as_array().unwrap();
    let sum = |pick: &dyn Fn(&Value) -> i64| rows.iter().map(pick).sum::<i64>();
    let counted = |name: &str| {
        let name = name.to_owned();
        sum(&move |row| row["counters"][&name].as_i64().unwrap())
    };
    assert_eq!(counted("offeredCount"), 3, "{answer:#}");
    assert_eq!(counted("answeredCount"), 1);
    for row in rows {
        let number = |name: &str| row["counters"][name].as_i64().unwrap();
        let before = row["waitingBeforeCount"].as_i64().unwrap();
        let after = row["waitingAfterCount"].as_i64().unwrap();
        let left = number("answeredCount") + number("abandonedCount") + number("flowOutCount");
        assert_eq!(before + number("offeredCount"), left + after, "{row:#}");
        assert_eq!(row["shortAbandonMs"], "5000");
    }
    let quarters = json!({"r": today(&world), "q": [queue.to_string()], "g": "QUARTER_HOUR",
        "z": "Asia/Kathmandu", "t": "0"});
    let quarters = ask(&world, QUEUE, quarters).await;
    let quarters = quarters["queueReport"].as_array().unwrap();
    assert_eq!(quarters.len(), 3 * 96);
    let in_time = quarters
        .iter()
        .map(|row| {
            row["counters"]["answeredInThresholdCount"]
                .as_i64()
                .unwrap()
        })
        .sum::<i64>();
    assert!(in_time <= 1);
    assert_eq!(quarters[0]["thresholdMs"], "0", "the answer says which T");
    assert_eq!(quarters[0]["counters"]["serviceLevel"], Value::Null);
}

/// A target that is changed counts for those who come from then on: what was reported
/// stays as it was.
#[tokio::test]
async fn a_report_keeps_the_definitions_that_counted_when_the_calls_came() {
    let (world, queue, _) = a_day().await;
    let change = json!({"queueId": queue.to_string(), "serviceLevelThresholdMs": "1000",
        "shortAbandonMs": "10", "serviceLevelTargetPercent": 95, "timeZone": "Europe/Berlin"});
    let selection = "userErrors { code field } queue { config { serviceLevelThresholdMs \
        shortAbandonMs serviceLevelTargetPercent timeZone } }";
    let changed = world.order("updateQueue", change, selection).await;
    let config = json!({"serviceLevelThresholdMs": "1000", "shortAbandonMs": "10",
        "serviceLevelTargetPercent": 95, "timeZone": "Europe/Berlin"});
    assert_eq!(changed["queue"]["config"], config, "{changed:#}");
    let measured = async |threshold: Value| {
        let variables = json!({"r": today(&world), "q": [queue.to_string()], "g": "DAY",
            "z": "UTC", "t": threshold});
        let answer = ask(&world, QUEUE, variables).await;
        let rows = answer["queueReport"].as_array().unwrap().clone();
        rows.into_iter()
            .find(|row| row["measures"] != json!([]))
            .unwrap()
    };
    let row = measured(Value::Null).await;
    let as_it_was = json!([{"thresholdMs": "20000", "shortAbandonMs": "5000",
        "targetPercent": 80, "visitsCount": 2}]);
    assert_eq!(row["measures"], as_it_was);
    let level = json!([{"share": 1.0, "thresholdMs": "20000", "targetPercent": 80,
        "isTargetMet": true}]);
    assert_eq!(row["serviceLevels"], level);
    assert_eq!(row["thresholdMs"], "20000");
    let asked = measured(json!("7000")).await;
    let given = json!([{"thresholdMs": "7000", "shortAbandonMs": "5000",
        "targetPercent": 80, "visitsCount": 2}]);
    assert_eq!(asked["measures"], given);
    let nowhere = json!({"queueId": queue.to_string(), "timeZone": "Mars/Olympus"});
    let refused = world
        .order("updateQueue", nowhere, "userErrors { code field }")
        .await;
    let error = json!([{"code": "input.invalid_time_zone", "field": "timeZone"}]);
    assert_eq!(refused["userErrors"], error);
}

#[tokio::test]
async fn a_report_that_can_not_be_made_is_refused_with_the_reason() {
    let (world, queue, _) = a_day().await;
    let refused = async |variables: Value, says: &str| {
        let answer = world.ask(QUEUE, variables).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR");
        assert!(answer.message().contains(says), "{}", answer.message());
    };
    let id = queue.to_string();
    let mars = json!({"r": range(), "q": [id], "g": "DAY", "z": "Mars/Olympus"});
    refused(mars, "is not a time zone").await;
    let nobody = json!({"r": range(), "q": [], "g": "DAY", "z": "UTC"});
    refused(nobody, "queueIds").await;
    let long = json!({"r": {"from": "2000-01-01T00:00:00Z", "until": "2001-01-01T00:00:00Z"},
        "q": [id], "g": "QUARTER_HOUR", "z": "UTC"});
    refused(long, "3000").await;
}

#[tokio::test]
async fn an_agents_time_adds_up_and_is_told_state_by_state() {
    let (world, _, agent) = a_day().await;
    let query = "query Q($r: Range!, $a: [ID!]!, $one: ID!, $p: Cursor) { agentReport(range: $r, \
        agentIds: $a, granularity: DAY, minPosition: $p) { loggedInMs readyMs reservedMs ringMs \
        contactMs wrapUpMs offersCount answeredCount occupancyPpm utilisationPpm ronaPpm notReady { reason durationMs } \
        released { reason count } } \
        agentStateLog(agentId: $one, range: $r, minPosition: $p) { state reason start end callId } }";
    let id = agent.to_string();
    let answer = ask(
        &world,
        query,
        json!({"r": today(&world), "a": [id], "one": id}),
    )
    .await;
    let rows = answer["agentReport"].as_array().unwrap();
    let ms = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    for row in rows {
        let not_ready: u64 = row["notReady"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| ms(&part["durationMs"]))
            .sum();
        let parts = ["readyMs", "reservedMs", "ringMs", "contactMs", "wrapUpMs"];
        let parts: u64 = parts.iter().map(|part| ms(&row[*part])).sum();
        let logged_in = ms(&row["loggedInMs"]);
        assert_eq!(parts + not_ready, logged_in, "{row:#}");
        let used = ms(&row["contactMs"]) + ms(&row["wrapUpMs"]);
        let utilisation = (used * 1_000_000).checked_div(logged_in);
        assert_eq!(row["utilisationPpm"], json!(utilisation), "{row:#}");
    }
    let answered: i64 = rows
        .iter()
        .map(|row| row["answeredCount"].as_i64().unwrap())
        .sum();
    assert_eq!(answered, 1, "{answer:#}");
    let log = answer["agentStateLog"].as_array().unwrap();
    let states: Vec<_> = log.iter().map(|part| &part["state"]).collect();
    assert!(states.contains(&&json!("ON_CONTACT")), "{log:#?}");
    for pair in log.windows(2) {
        assert_eq!(pair[0]["end"], pair[1]["start"], "no gap");
    }
}

/// A trunk that lets calls in, and has a report without any.
#[tokio::test]
async fn a_trunk_report_needs_its_scope_and_says_why_it_can_not_be_made() {
    let world = World::start().await;
    let input = json!({"name": "carrier", "allow": ["192.0.2.0/24"]});
    let made = world.order("createTrunk", input, "trunk { id }").await;
    let id = made["trunk"]["id"].clone();
    let query = "query Q($r: Range!, $t: [ID!]!, $g: Granularity!, $z: String!, $p: Cursor) { \
        trunkReport(range: $r, trunkIds: $t, granularity: $g, timeZone: $z, minPosition: $p) { \
        name trunkId direction seizuresCount asrPpm nerPpm alocMs averagePddMs longestPddMs } }";
    let asked = |ids: Value, granularity: &str, zone: &str, range: Value| json!({"r": range, "t": ids, "g": granularity, "z": zone});
    let answer = ask(&world, query, asked(json!([id]), "DAY", "UTC", range())).await;
    let row = |direction: &str| {
        json!({"name": "carrier", "trunkId": id, "direction": direction, "seizuresCount": 0,
            "asrPpm": null, "nerPpm": null, "alocMs": null, "averagePddMs": null,
            "longestPddMs": null})
    };
    let expected = json!([row("INBOUND"), row("OUTBOUND")]);
    assert_eq!(answer["trunkReport"], expected);
    let year = json!({"from": "2000-01-01T00:00:00Z", "until": "2001-01-01T00:00:00Z"});
    for (variables, says) in [
        (
            asked(json!([id]), "DAY", "Mars/Olympus", range()),
            "is not a time zone",
        ),
        (asked(json!([]), "DAY", "UTC", range()), "trunkIds"),
        (asked(json!([id]), "HOUR", "UTC", year), "3000"),
    ] {
        let refused = world.ask(query, variables).await;
        assert_eq!(refused.code(), "VALIDATION_ERROR");
        assert!(refused.message().contains(says), "{}", refused.message());
    }
    let variables = asked(json!([id]), "DAY", "UTC", range());
    let token = world.token(&[Scope::QueueRead, Scope::AgentRead]).await;
    let refused = world.ask_as(&token, query, variables.clone()).await;
    assert_eq!(refused.code(), "AUTHORIZATION_ERROR");
    let token = world.token(&[Scope::CallRead]).await;
    world.ask_as(&token, query, variables).await.data();
}

#[tokio::test]
async fn callers_who_left_are_listed_with_their_wait() {
    let (world, queue, _) = a_day().await;
    let query = "query Q($q: [ID!], $s: Boolean!, $p: Cursor) { abandonedCalls(queueIds: $q, \
        includeShort: $s, minPosition: $p) { edges { node { waitMs place offersCount closedAt \
        call { from { user } } } } } }";
    let id = queue.to_string();
    let all = ask(&world, query, json!({"q": [id], "s": true})).await;
    let edges = all["abandonedCalls"]["edges"].as_array().unwrap();
    let users: Vec<_> = edges
        .iter()
        .map(|edge| &edge["node"]["call"]["from"]["user"])
        .collect();
    assert!(users.contains(&&json!("1002")), "{all:#}");
    let long = ask(&world, query, json!({"q": [id], "s": false})).await;
    assert_eq!(long["abandonedCalls"]["edges"], json!([]), "all were short");
}

#[tokio::test]
async fn of_a_caller_who_left_it_is_told_whether_an_agent_was_reached_later() {
    let (world, queue, agent) = a_day().await;
    let query = "query Q($q: [ID!], $p: Cursor) { abandonedCalls(queueIds: $q, includeShort: true, \
        minPosition: $p) { nodes { answeredLater { disposition from { user } } \
        call { from { user } } } } }";
    let later = async || {
        let all = ask(&world, query, json!({"q": [queue.to_string()]})).await;
        let nodes = all["abandonedCalls"]["nodes"].as_array().unwrap().clone();
        let mut left = nodes.into_iter();
        let found = left.find(|node| node["call"]["from"]["user"] == "1002");
        found.unwrap()["answeredLater"].clone()
    };
    assert_eq!(later().await, Value::Null);
    // Somebody else, and the same one in vain, are not it.
    let other = world.ring(queue, "1004").await;
    world.connect(&other, agent).await;
    world.hang_up(&other, other.leg).await;
    let in_vain = world.ring(queue, "1002").await;
    world.hang_up(&in_vain, in_vain.leg).await;
    assert_eq!(later().await, Value::Null);
    // Nor is a call of ours that the same one does not take, though an agent is in it.
    let rung_back = world.ring_back(queue, "1002").await;
    let leg = world.connect(&rung_back, agent).await;
    world.hang_up(&rung_back, leg).await;
    assert_eq!(later().await, Value::Null);
    let again = world.ring(queue, "1002").await;
    world.connect(&again, agent).await;
    world.hang_up(&again, again.leg).await;
    let reached = json!({ "disposition": "ANSWERED", "from": { "user": "1002" } });
    assert_eq!(later().await, reached);
}
