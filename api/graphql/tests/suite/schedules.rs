//! What agents are to do when: who may say it, what is refused, and what a report makes
//! of it.

use crate::world::{World, uuid};
use commands::ports::Clock as _;
use domain::{
    any::AnyCommand,
    id::{AgentId, SessionId},
    session::{Command, NotReadyReason},
    time::Timestamp,
};
use ringledger_graphql::auth::Scope;
use serde_json::{Value, json};

const DONE: &str = "segments { from to activity } position userErrors { code field }";

/// The start of a minute half a day ago or a little more.
fn morning(world: &World) -> Timestamp {
    let minute = 60_000_000;
    Timestamp::from_micros(world.clock.now().micros() / minute * minute - 720 * minute)
}

fn minutes(start: Timestamp, from: u64, to: u64, activity: &str) -> Value {
    let at = |minutes: u64| start.plus_ms(minutes * 60_000).to_string();
    json!({"from": at(from), "to": at(to), "activity": activity})
}

fn plan(agent: AgentId, start: Timestamp, until: u64, segments: &[Value]) -> Value {
    let mut input = minutes(start, 0, until, "");
    input["activity"] = Value::Null;
    let fields = input.as_object_mut().unwrap();
    fields.remove("activity");
    fields.insert("agentId".into(), json!(agent.to_string()));
    fields.insert("segments".into(), json!(segments));
    input
}

const REPORT: &str = "query Q($r: Range!, $a: [ID!]!, $g: Granularity!, $p: Cursor) { agentReport(\
    range: $r, agentIds: $a, granularity: $g, minPosition: $p) { scheduledMs inScheduleMs \
    adherencePpm } }";

/// What was kept, and what was planned, in minutes; and the shares of all intervals.
async fn kept(world: &World, agent: AgentId, granularity: &str) -> (u64, u64, Vec<Value>) {
    let at = |days: i64| {
        let now = world.clock.now().micros();
        Timestamp::from_micros(now + days * 86_400_000_000).to_string()
    };
    let variables = json!({"r": {"from": at(-1), "until": at(1)}, "a": [agent.to_string()],
        "g": granularity, "p": world.head().to_string()});
    let answer = world.ask(REPORT, variables).await.data();
    let rows = answer["agentReport"].as_array().unwrap().clone();
    let sum = |name: &str| {
        let ms = rows.iter().map(|row| row[name].as_str().unwrap());
        ms.map(|ms| ms.parse::<u64>().unwrap()).sum::<u64>() / 60_000
    };
    let shares = rows.iter().map(|row| row["adherencePpm"].clone());
    (sum("inScheduleMs"), sum("scheduledMs"), shares.collect())
}

/// Takes calls for an hour, then takes a rest.
async fn works(world: &World, agent: AgentId, start: Timestamp) {
    let session = SessionId { agent, number: 1 };
    let ready = true;
    let comes = AnyCommand::Session(session, Command::LogIn { session, ready });
    world.dispatch_at(start, comes).await;
    let reason = NotReadyReason::Break;
    let rests = AnyCommand::Session(session, Command::GoNotReady { reason, code: None });
    world.dispatch_at(start.plus_ms(3_600_000), rests).await;
}

#[tokio::test]
async fn a_report_tells_what_of_the_plan_was_kept_and_follows_the_plan() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let start = morning(&world);
    works(&world, ann, start).await;
    assert_eq!(kept(&world, ann, "DAY").await.1, 0);
    let segments = [
        minutes(start, 60, 90, "BREAK"),
        minutes(start, 0, 60, "WORK"),
        minutes(start, 90, 100, "TRAINING"),
        // Nobody knows yet.
        minutes(start, 1_000, 1_060, "WORK"),
    ];
    let input = plan(ann, start, 1_440, &segments);
    let done = world.order("setSchedule", input, DONE).await;
    assert_eq!(done["userErrors"], json!([]));
    let planned = json!([segments[1], segments[0], segments[2], segments[3]]);
    assert_eq!(done["segments"], planned);
    let (in_schedule, scheduled, _) = kept(&world, ann, "DAY").await;
    assert_eq!((in_schedule, scheduled), (90, 100));
    // However it is split.
    let (in_schedule, scheduled, shares) = kept(&world, ann, "QUARTER_HOUR").await;
    assert_eq!((in_schedule, scheduled), (90, 100));
    assert!(shares.contains(&json!(1_000_000)), "{shares:?}");
    assert!(shares.contains(&Value::Null), "{shares:?}");
    // It was a meal, is said afterwards: so the break was none.
    let input = plan(ann, start, 90, &[minutes(start, 0, 90, "MEAL")]);
    let done = world.order("setSchedule", input, DONE).await;
    assert_eq!(done["userErrors"], json!([]));
    let (in_schedule, scheduled, _) = kept(&world, ann, "DAY").await;
    assert_eq!((in_schedule, scheduled), (0, 100));
}

#[tokio::test]
async fn a_schedule_is_set_once_by_who_manages_agents_and_read_by_who_sees_them() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let start = morning(&world);
    let input = plan(ann, start, 120, &[minutes(start, 0, 60, "WORK")]);
    let (manager, reader) = (
        world.token(&[Scope::AgentManage, Scope::AgentRead]).await,
        world.token(&[Scope::AgentRead]).await,
    );
    for other in [reader.clone(), world.desktop(ann).await] {
        let refused = world.order_as(&other, "setSchedule", uuid(), input.clone(), DONE);
        assert_eq!(refused.await.code(), "AUTHORIZATION_ERROR");
    }
    let id = uuid();
    let order = async |input: Value| {
        let done = world.order_as(&manager, "setSchedule", id, input, DONE);
        done.await.data()["setSchedule"].clone()
    };
    let done = order(input.clone()).await;
    assert_eq!(done["userErrors"], json!([]));
    // Somebody plans anew, and the first order comes again: it is the answer of before.
    let anew = plan(ann, start, 120, &[minutes(start, 60, 90, "MEETING")]);
    world.order("setSchedule", anew, DONE).await;
    let head = world.head();
    assert_eq!(order(input).await["position"], done["position"]);
    assert_eq!(world.head(), head);
    let query = "query Q($a: ID!, $f: DateTime!, $t: DateTime!, $p: Cursor) { agentSchedule(\
                 agentId: $a, from: $f, to: $t, minPosition: $p) { from to activity } }";
    let ask = async |token: &str, from: u64, to: u64| {
        let span = minutes(start, from, to, "");
        let variables = json!({"a": ann.to_string(), "f": span["from"], "t": span["to"],
            "p": head.to_string()});
        world.ask_as(token, query, variables).await
    };
    let planned = ask(&reader, 0, 80).await.data();
    let expected = json!([minutes(start, 60, 80, "MEETING")]);
    assert_eq!(planned["agentSchedule"], expected);
    for (from, to) in [(80, 80), (80, 79), (0, 32 * 1_440)] {
        assert_eq!(ask(&reader, from, to).await.code(), "VALIDATION_ERROR");
    }
    let stranger = world.token(&[Scope::CallRead]).await;
    assert_eq!(ask(&stranger, 0, 80).await.code(), "AUTHORIZATION_ERROR");
}

#[tokio::test]
async fn a_plan_that_can_not_be_kept_is_refused_and_names_its_field() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let start = morning(&world);
    let work = |from, to| minutes(start, from, to, "WORK");
    let many: Vec<_> = (0..201).map(|number| work(number, number + 1)).collect();
    let mut reversed = plan(ann, start, 60, &[]);
    reversed["to"] = reversed["from"].clone();
    let mut far = plan(ann, start, 60, &[]);
    // In the year 10000, as UTC has it.
    far["to"] = json!("9999-12-31T23:59:59-12:00");
    let nobody = AgentId(uuid());
    let head = world.head();
    for (input, code, field) in [
        (
            plan(nobody, start, 60, &[]),
            "input.unknown_agent",
            "agentId",
        ),
        (far, "schedule.invalid_time", "from"),
        (reversed, "schedule.invalid_span", "to"),
        (
            plan(ann, start, 31 * 1_440 + 1, &[]),
            "schedule.span_too_long",
            "to",
        ),
        (
            plan(ann, start, 300, &many),
            "schedule.too_many_segments",
            "segments",
        ),
        (
            plan(ann, start, 60, &[work(5, 5)]),
            "schedule.invalid_segment",
            "segments",
        ),
        (
            plan(ann, start, 60, &[work(5, 61)]),
            "schedule.segment_outside",
            "segments",
        ),
        (
            plan(ann, start, 60, &[work(5, 20), work(19, 30)]),
            "schedule.overlap",
            "segments",
        ),
    ] {
        let refused = world.order("setSchedule", input, DONE).await;
        let errors = json!([{"code": code, "field": field}]);
        assert_eq!(refused["userErrors"], errors);
        assert!(refused["position"].is_null() && refused["segments"].is_null());
    }
    assert_eq!(world.head(), head, "nothing is on the record");
}
