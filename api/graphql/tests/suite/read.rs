//! Every query.

use crate::world::{Ringing, World, uuid};
use domain::{
    any::AnyCommand,
    call::{Command, Destination, OverflowCause},
    cause::WireCause,
    id::{AgentId, LegId, QueueId},
};
use ringledger_graphql::{Options, auth::Scope};
use serde_json::{Value, json};

/// A queue with an agent, a call that has ended, one with the agent, one that
/// waits.
struct Day {
    world: World,
    queue: QueueId,
    agent: AgentId,
    ended: Ringing,
    connected: Ringing,
    waiting: Ringing,
    /// Position of the last event.
    head: u64,
}

async fn day() -> Day {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let ended = world.ring(queue, "zoe").await;
    world.connect(&ended, agent).await;
    world.hang_up(&ended, ended.leg).await;
    let connected = world.ring(queue, "1002").await;
    world.connect(&connected, agent).await;
    let waiting = world.ring(queue, "1003").await;
    let head = world.head();
    Day {
        world,
        queue,
        agent,
        ended,
        connected,
        waiting,
        head,
    }
}

impl Day {
    async fn ask(&self, query: &str, mut variables: Value) -> Value {
        variables["p"] = json!(self.head.to_string());
        self.world.ask(query, variables).await.data()
    }
}

#[tokio::test]
async fn a_call_is_one_type_in_progress_and_ended() {
    let day = day().await;
    let query = "query Q($id: ID!, $p: Cursor) { call(id: $id, minPosition: $p) { \
        id state direction to from { user host displayName subject } disposition hangupBy \
        endReason endedAt answeredAt agentConnectedAt durationMs talkMs waitMs offersCount \
        revision sipCallId queue { name } agent { name } trunk { name } } }";
    let read = async |call: &Ringing| {
        day.ask(query, json!({"id": call.call.to_string()})).await["call"].clone()
    };
    let waiting = read(&day.waiting).await;
    assert_eq!(waiting["state"], "WAITING");
    assert_eq!(waiting["from"]["user"], "1003");
    assert_eq!(waiting["from"]["host"], "example.net");
    assert_eq!(waiting["queue"]["name"], "sales");
    assert_eq!(waiting["agent"], json!(null));
    assert_eq!(waiting["durationMs"], json!(null));
    assert_eq!(waiting["revision"], 0);
    let connected = read(&day.connected).await;
    assert_eq!(connected["state"], "CONNECTED");
    assert_eq!(connected["agent"]["name"], "ann");
    assert!(connected["agentConnectedAt"].is_string());
    let ended = read(&day.ended).await;
    assert_eq!(ended["state"], "ENDED");
    assert_eq!(ended["disposition"], "ANSWERED");
    assert_eq!(ended["hangupBy"], "CALLER");
    assert_eq!(ended["endReason"], "HANGUP");
    assert_eq!(ended["revision"], 1);
    assert_eq!(ended["sipCallId"], format!("{}@test", day.ended.call));
    assert!(ended["durationMs"].as_str().unwrap().parse::<u64>().is_ok());

    // Its own id finds it again, as a call and as a node.
    let variables = json!({"id": ended["id"]});
    assert_eq!(day.ask(query, variables.clone()).await["call"], ended);
    let node = "query Q($id: ID!) { node(id: $id) { __typename id ... on Call { state } } }";
    let node = day.world.ask(node, variables).await.data()["node"].clone();
    assert_eq!(
        node,
        json!({"__typename": "Call", "id": ended["id"], "state": "ENDED"})
    );

    let unknown = day.ask(query, json!({"id": uuid()})).await;
    assert_eq!(unknown["call"], json!(null));
}

#[tokio::test]
async fn all_calls_are_one_list_the_latest_first() {
    let day = day().await;
    let query = "query Q($f: CallFilter, $first: Int, $after: String, $last: Int, $before: String, \
        $p: Cursor) { calls(filter: $f, first: $first, after: $after, last: $last, \
        before: $before, minPosition: $p) { edges { cursor node { from { user } } } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let users = |answer: &Value| -> Vec<String> {
        let edges = answer["calls"]["edges"].as_array().unwrap();
        edges
            .iter()
            .map(|edge| edge["node"]["from"]["user"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = day.ask(query, json!({})).await;
    assert_eq!(users(&all), ["1003", "1002", "zoe"]);
    assert_eq!(all["calls"]["pageInfo"]["hasNextPage"], false);

    let first = day.ask(query, json!({"first": 2})).await;
    assert_eq!(users(&first), ["1003", "1002"]);
    assert_eq!(first["calls"]["pageInfo"]["hasNextPage"], true);
    let cursor = &first["calls"]["pageInfo"]["endCursor"];
    let second = day.ask(query, json!({"first": 2, "after": cursor})).await;
    assert_eq!(users(&second), ["zoe"]);
    assert_eq!(second["calls"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(second["calls"]["pageInfo"]["hasPreviousPage"], true);
    let last = day.ask(query, json!({"last": 2})).await;
    assert_eq!(users(&last), ["1002", "zoe"]);
    assert_eq!(last["calls"]["pageInfo"]["hasPreviousPage"], true);

    for (filter, expected) in [
        (json!({"from": "1002"}), vec!["1002"]),
        (json!({"states": ["WAITING"]}), vec!["1003"]),
        (json!({"dispositions": ["ANSWERED"]}), vec!["zoe"]),
        (
            json!({"agentIds": [day.agent.to_string()]}),
            vec!["1002", "zoe"],
        ),
        (
            json!({"queueIds": [day.queue.to_string()]}),
            vec!["1003", "1002", "zoe"],
        ),
        (json!({"queueIds": [uuid()]}), vec![]),
        (
            json!({"startedFrom": "2000-01-01T00:00:00Z"}),
            vec!["1003", "1002", "zoe"],
        ),
        (json!({"startedBefore": "2000-01-01T00:00:00Z"}), vec![]),
    ] {
        let answer = day.ask(query, json!({"f": filter})).await;
        assert_eq!(users(&answer), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_page_has_limits_and_a_cursor_is_one_of_ours() {
    let world = World::start().await;
    for query in [
        "{ calls(first: 0) { nodes { id } } }",
        "{ calls(first: 101) { nodes { id } } }",
        "{ calls(first: -1) { nodes { id } } }",
        "{ calls(first: 1, last: 1) { nodes { id } } }",
        "{ calls(after: \"nonsense\") { nodes { id } } }",
        "{ calls(after: \"é\") { nodes { id } } }",
        "{ call(id: \"nonsense\") { id } }",
        "{ node(id: \"nonsense\") { id } }",
        "{ calls(minPosition: \"-1\") { nodes { id } } }",
        "{ calls(filter: {startedFrom: \"tomorrow\"}) { nodes { id } } }",
        "{ nothing }",
        "{",
    ] {
        let answer = world.ask(query, json!({})).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR", "{query}");
    }
}

#[tokio::test]
async fn active_calls_are_those_in_progress_the_first_first() {
    let day = day().await;
    let query = "query Q($f: ActiveCallFilter, $p: Cursor) { \
        activeCalls(filter: $f, minPosition: $p) { nodes { state from { user } } } }";
    let all = day.ask(query, json!({})).await;
    assert_eq!(
        all["activeCalls"]["nodes"],
        json!([
            {"state": "CONNECTED", "from": {"user": "1002"}},
            {"state": "WAITING", "from": {"user": "1003"}},
        ])
    );
    let waiting = day.ask(query, json!({"f": {"states": ["WAITING"]}})).await;
    assert_eq!(waiting["activeCalls"]["nodes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_timeline_tells_everything_in_order_page_by_page() {
    let day = day().await;
    let query = "query Q($id: ID!, $first: Int, $after: Cursor, $p: Cursor) { \
        callTimeline(callId: $id, first: $first, after: $after, minPosition: $p) { \
        edges { cursor node { type category cursor at callId payload } } \
        pageInfo { hasNextPage endCursor } } }";
    let id = day.ended.call.to_string();
    let all = day.ask(query, json!({"id": id, "first": 100})).await;
    let edges = all["callTimeline"]["edges"].as_array().unwrap().clone();
    let types: Vec<_> = edges
        .iter()
        .filter(|edge| edge["node"]["category"] == "call")
        .map(|edge| edge["node"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(types.first(), Some(&"call_received"));
    assert_eq!(types.last(), Some(&"call_ended"));
    assert!(
        edges
            .iter()
            .all(|edge| edge["cursor"] == edge["node"]["cursor"])
    );
    assert!(
        !all.to_string().contains("zoe"),
        "a timeline holds no personal data"
    );

    let mut paged = vec![];
    let mut after = json!(null);
    loop {
        let page = day
            .ask(query, json!({"id": id, "first": 2, "after": after}))
            .await;
        let page = &page["callTimeline"];
        paged.extend(page["edges"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(paged, edges);

    let query = "query Q($id: ID!) { call(id: $id) { timeline(first: 1) { nodes { type } } } }";
    let call = day.ask(query, json!({"id": id})).await;
    assert_eq!(
        call["call"]["timeline"]["nodes"],
        json!([{"type": "call_received"}])
    );
}

#[tokio::test]
async fn a_record_says_who_when_how_long_and_how_it_ended() {
    let day = day().await;
    let query = "query Q($f: CdrFilter, $p: Cursor) { cdrs(filter: $f, minPosition: $p) { nodes { \
        callId revision from { user } to disposition endReason endResult hangupBy incomplete \
        startedAt enqueuedAt alertingAt answeredAt agentConnectedAt endedAt durationMs billableMs \
        waitMs ringMs talkMs holdMs wrapUpMs setupMs offersCount lateFactsCount queueId agentId \
        trunkId superseded { revision } call { state } } } }";
    let all = day.ask(query, json!({})).await;
    let nodes = all["cdrs"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["from"]["user"], "zoe");
    assert_eq!(nodes[0]["disposition"], "ANSWERED");
    assert_eq!(nodes[0]["call"]["state"], "ENDED");
    assert_eq!(nodes[0]["offersCount"], 1);
    let ms = |name: &str| nodes[0][name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(ms("waitMs") <= ms("durationMs"));
    for (filter, count) in [
        (json!({"dispositions": ["ABANDONED"]}), 0),
        (json!({"from": "zoe"}), 1),
        (json!({"from": "1002"}), 0),
        (
            json!({"agentIds": [day.agent.to_string()], "queueIds": [day.queue.to_string()]}),
            1,
        ),
        (json!({"trunkIds": [uuid()]}), 0),
    ] {
        let answer = day.ask(query, json!({"f": filter})).await;
        assert_eq!(
            answer["cdrs"]["nodes"].as_array().unwrap().len(),
            count,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn a_record_lists_its_legs_and_what_went_on_on_each() {
    let day = day().await;
    let query = "query Q($p: Cursor) { cdrs(minPosition: $p) { totalCount nodes { agentId waitMs \
        durationMs billableMs legs { role parentId id agentId durationMs billableMs answeredAt \
        segments { kind durationMs endedAt agentId } } } } }";
    let answer = day.ask(query, json!({})).await;
    assert_eq!(answer["cdrs"]["totalCount"], 1);
    let record = &answer["cdrs"]["nodes"][0];
    let legs = record["legs"].as_array().unwrap();
    assert_eq!(legs.len(), 2);
    assert_eq!(
        (&legs[0]["role"], &legs[1]["role"]),
        (&json!("ORIGINATOR"), &json!("AGENT"))
    );
    assert_eq!(legs[1]["parentId"], legs[0]["id"]);
    assert_eq!(legs[1]["agentId"], record["agentId"]);
    assert_eq!(legs[0]["billableMs"], record["billableMs"]);
    assert_eq!(legs[0]["durationMs"], record["durationMs"]);
    let kinds: Vec<_> = legs[0]["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["kind"])
        .collect();
    assert_eq!(kinds[0], "QUEUE");
    assert!(kinds.contains(&&json!("TALK")), "{kinds:?}");
    assert_eq!(legs[0]["segments"][0]["durationMs"], record["waitMs"]);
}

#[tokio::test]
async fn records_are_summed_by_what_they_have_in_common() {
    let day = day().await;
    let query = "query Q($f: CdrFilter, $g: [CdrDimension!]!, $z: String, $n: Int, $p: Cursor) { \
        cdrStats(filter: $f, groupBy: $g, timeZone: $z, prefixDigits: $n, minPosition: $p) { day \
        hour queueId agentId disposition direction prefix callsCount answeredCount connectedCount \
        durationMs talkMs answeredPerMille averageTalkMs } }";
    let ask = async |variables| day.ask(query, variables).await["cdrStats"].clone();
    let one = ask(json!({"g": []})).await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(
        (&one[0]["callsCount"], &one[0]["answeredPerMille"]),
        (&json!(1), &json!(1000))
    );
    assert_eq!(one[0]["talkMs"], one[0]["averageTalkMs"]);
    let by = [
        "DAY",
        "HOUR",
        "QUEUE",
        "AGENT",
        "DISPOSITION",
        "DIRECTION",
        "PREFIX",
    ];
    let all = ask(json!({"g": by, "z": "Europe/Berlin", "n": 2})).await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    assert_eq!(all[0]["disposition"], "ANSWERED");
    assert_eq!(all[0]["prefix"].as_str().map(str::len), Some(2));
    assert!(
        all[0]["day"].is_string() && all[0]["hour"].is_string(),
        "{all}"
    );
    assert_eq!(all[0]["durationMs"], one[0]["durationMs"]);
    let none = ask(json!({"g": [], "f": {"toPrefix": "no"}})).await;
    assert_eq!(none, json!([]));
    for (variables, says) in [
        (json!({"g": ["DAY"], "z": "Mars/Olympus"}), "time zone"),
        (json!({"g": ["PREFIX"], "n": 16}), "prefixDigits"),
    ] {
        let answer = day.world.ask_as(&day.world.admin, query, variables).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR");
        assert!(answer.message().contains(says), "{}", answer.message());
    }
}

/// The call is sent on to a number outside, where somebody talks for so long.
async fn talk_outside(world: &World, ringing: &Ringing, talk_ms: u64) {
    let leg = LegId(uuid());
    let overflow = Command::OverflowCall {
        visit: ringing.visit,
        cause: OverflowCause::MaxWait,
        to: Destination::Forward {
            number: "+4930555".into(),
            leg,
        },
    };
    let answer = Command::RecordAnswer {
        leg,
        codec: None,
        device: None,
    };
    for command in [overflow, answer] {
        world
            .dispatch(AnyCommand::Call(ringing.call, command))
            .await;
    }
    let wire = WireCause::default();
    let bye = AnyCommand::Call(ringing.call, Command::RecordBye { leg, wire });
    let later = commands::ports::Clock::now(&*world.clock).plus_ms(talk_ms);
    world.dispatch_at(later, bye).await;
}

#[tokio::test]
async fn an_average_of_talk_is_of_agents_who_had_a_caller() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let served = world.ring(queue, "1001").await;
    let leg = world.connect(&served, ann).await;
    let wire = WireCause::default();
    let bye = AnyCommand::Call(served.call, Command::RecordBye { leg, wire });
    let later = commands::ports::Clock::now(&*world.clock).plus_ms(60_000);
    world.dispatch_at(later, bye).await;
    let sent_on = world.ring(queue, "1002").await;
    talk_outside(&world, &sent_on, 600_000).await;
    // Somebody who is rung back and does not answer.
    let rung_back = world.ring_back(queue, "1003").await;
    let leg = world.connect(&rung_back, ann).await;
    world.hang_up(&rung_back, leg).await;

    let query = "query Q($f: CdrFilter, $p: Cursor) { cdrStats(filter: $f, groupBy: [], \
        minPosition: $p) { callsCount connectedCount talkMs averageTalkMs } }";
    let ask = async |filter: Value| {
        let variables = json!({"f": filter, "p": world.head().to_string()});
        world.ask(query, variables).await.data()["cdrStats"][0].clone()
    };
    let all = ask(json!({})).await;
    assert_eq!(
        (&all["callsCount"], &all["connectedCount"]),
        (&json!(3), &json!(2))
    );
    let filter = json!({"agentIds": [ann.to_string()], "directions": ["INBOUND"]});
    let ms = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    let of_ann = ms(&ask(filter).await["talkMs"]);
    assert!((1..=61_000).contains(&of_ann), "{of_ann}");
    assert_eq!(ms(&all["averageTalkMs"]), of_ann, "{all}");
    assert!(ms(&all["talkMs"]) > of_ann + 500_000, "{all}");
    let outside = ask(json!({"dispositions": ["FORWARDED"]})).await;
    assert!(outside["averageTalkMs"].is_null(), "{outside}");
}

#[tokio::test]
async fn agents_and_queues_are_listed_by_name_with_each_other() {
    let day = day().await;
    let query = "query Q($p: Cursor) { agents(minPosition: $p) { nodes { id name state queueIds \
        queues { name } call { id } } } queues(minPosition: $p) { nodes { id name waitingCount \
        agents { nodes { name } } } } }";
    let all = day.ask(query, json!({})).await;
    let agent = &all["agents"]["nodes"][0];
    let queue = &all["queues"]["nodes"][0];
    assert_eq!(agent["name"], "ann");
    assert_eq!(agent["queues"], json!([{"name": "sales"}]));
    assert_eq!(agent["queueIds"], json!([queue["id"]]));
    assert_eq!(queue["agents"]["nodes"], json!([{"name": "ann"}]));

    let one = "query Q($a: ID!, $q: ID!) { agent(id: $a) { name } queue(id: $q) { name } }";
    let one = day
        .ask(one, json!({"a": agent["id"], "q": queue["id"]}))
        .await;
    assert_eq!(
        one,
        json!({"agent": {"name": "ann"}, "queue": {"name": "sales"}})
    );

    let filtered = "query Q($q: ID, $s: [AgentState!]) { \
        agents(filter: {queueId: $q, states: $s}) { nodes { name } } }";
    let none = day.ask(filtered, json!({"q": uuid()})).await;
    assert_eq!(none["agents"]["nodes"], json!([]));
    let out = day.ask(filtered, json!({"s": ["LOGGED_OUT"]})).await;
    assert_eq!(out["agents"]["nodes"], json!([{"name": "ann"}]));
    // An id of another kind is none.
    let wrong = day.world.ask(
        "query Q($id: ID!) { agent(id: $id) { id } }",
        json!({"id": queue["id"]}),
    );
    assert_eq!(wrong.await.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_queue_tells_its_statistics() {
    let day = day().await;
    let query = "query Q($p: Cursor) { queues(minPosition: $p) { nodes { statistics { name at \
        waitingCount matchedCount longestWaitMs longestWaitingSince agentsByState { state count } \
        today { offeredCount answeredCount serviceLevel abandonmentRate \
          averageSpeedOfAnswerMs offered: serviceLevel(variant: OFFERED) } \
        total { offeredCount } position } } } }";
    let all = day.ask(query, json!({})).await;
    let statistics = &all["queues"]["nodes"][0]["statistics"];
    assert_eq!(statistics["name"], "sales");
    // The lines of this test open visits and close none.
    assert_eq!(statistics["waitingCount"], 3);
    assert_eq!(statistics["today"]["offeredCount"], 3);
    assert_eq!(statistics["today"]["serviceLevel"], json!(null));
    assert_eq!(
        statistics["agentsByState"],
        json!([{"state": "LOGGED_OUT", "count": 1}])
    );
    assert!(statistics["longestWaitMs"].is_string());
}

#[tokio::test]
async fn trunks_are_listed_by_name() {
    let world = World::start().await;
    for name in ["b", "a"] {
        let input = json!({"name": name, "allow": ["192.0.2.0/24"]});
        let made = world.order("createTrunk", input, "trunk { name }").await;
        assert_eq!(made["trunk"]["name"], name);
    }
    let trunks = world.data("{ trunks { nodes { id name allow } } }").await;
    assert_eq!(trunks["trunks"]["nodes"][0]["name"], "a");
    let id = &trunks["trunks"]["nodes"][1]["id"];
    let query = "query Q($id: ID!) { node(id: $id) { ... on Trunk { name } } }";
    let node = world.ask(query, json!({"id": id})).await.data();
    assert_eq!(node["node"]["name"], "b");
}

#[tokio::test]
async fn a_client_reads_its_own_write_and_hears_when_it_can_not() {
    let options = Options {
        position_timeout_ms: 50,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let made = world
        .order("createQueue", json!({"name": "sales"}), "position")
        .await;
    let query = "query Q($p: Cursor) { queues(minPosition: $p) { nodes { name } } }";
    let queues = world
        .ask(query, json!({"p": made["position"]}))
        .await
        .data();
    assert_eq!(queues["queues"]["nodes"], json!([{"name": "sales"}]));
    let answer = world.ask(query, json!({"p": "999999"})).await;
    assert_eq!(answer.code(), "STALE");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn what_lies_behind_another_scope_is_null_and_named() {
    let day = day().await;
    let token = day.world.token(&[Scope::CallRead]).await;
    let query = "query Q($id: ID!, $p: Cursor) { \
        call(id: $id, minPosition: $p) { state agent { name } queue { name } trunk { name } } }";
    let variables = json!({"id": day.connected.call.to_string(), "p": day.head.to_string()});
    let answer = day.world.ask_as(&token, query, variables).await;
    assert_eq!(
        answer.body["data"]["call"],
        json!({"state": "CONNECTED", "agent": null, "queue": null, "trunk": null})
    );
    let mut scopes: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["extensions"]["scope"].as_str().unwrap())
        .collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["agent:read", "queue:read", "system:config"]);
}
