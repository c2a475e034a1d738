//! Where waiting ends before a caller gives up: who would wait too long is sent on before
//! it begins, and no stay becomes older than its queue lets one become.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate, records,
};
use anyhow::{Context as _, ensure};
use commands::{ports::Clock as _, system::SystemClock};
use domain::time::Timestamp;
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::time::Duration;

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    wrap_up_ms = 0\nexpected_wait_max_ms = 600000\n\
    overflow = [{ when = \"expected_wait\", queue = \"night\" }]\n\
    [[queue]]\nname = \"night\"\nanswer_mode = \"on_agent\"\nwrap_up_ms = 0\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nqueues = [\"support\"]\n\
    ready_on_register = true\n\
    [[agent]]\nname = \"bert\"\npassword = \"bert-secret\"\nqueues = [\"night\"]\n\
    ready_on_register = true\n";

/// The least that a queue lets a stay become, and the most that a busy machine adds.
const TTL_MS: u64 = 60_000;
const LATE_MS: u64 = 15_000;
const NETS: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\nmax_wait_ms = 0\n\
    visit_ttl_ms = 60000\n[[queue]]\nname = \"night\"\nanswer_mode = \"on_agent\"\n";

/// The number calls support, and that agent has the call. Which call it was.
async fn is_served(server: &Server, number: &str, by: (&Phone, &str)) -> anyhow::Result<Value> {
    let (agent, name) = by;
    let phone = caller(server, number).await?;
    let out = dial(&phone, "support").await?;
    let call = incoming(agent).await?;
    ensure!(call.from_user() == Some(number), "{:?}", call.from_user());
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    let id = call_is(server, number, "CONNECTED").await?["id"].clone();
    agent_is(server, name, "ON_CONTACT").await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    call.wait_ended(PATIENCE).await?;
    agent_is(server, name, "READY").await?;
    ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    Ok(id)
}

/// The ids and the figures of the queues, by name, once O, A, AB, FO and W are these.
async fn counted(server: &Server, wanted: &[(&str, [u64; 5])]) -> anyhow::Result<Value> {
    let query = "{ queues(first: 5) { nodes { id name waitingCount statistics { total { \
                 offeredCount answeredCount abandonedCount flowOutCount } } } } }";
    let agrees = |answer: &Value| {
        wanted.iter().all(|(name, [o, a, ab, fo, w])| {
            let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
            let total = json!({ "offeredCount": o, "answeredCount": a, "abandonedCount": ab,
                                "flowOutCount": fo });
            queues.any(|queue| {
                queue["name"] == *name
                    && queue["waitingCount"] == *w
                    && queue["statistics"]["total"] == total
            })
        })
    };
    let answer = server.until(query, agrees).await?;
    let queues = answer["queues"]["nodes"].as_array().context("queues")?;
    let ids = queues.iter().filter_map(|queue| {
        let name = queue["name"].as_str()?.to_owned();
        Some((name, queue["id"].clone()))
    });
    Ok(Value::Object(ids.collect()))
}

async fn visits(server: &Server, call: &Value) -> anyhow::Result<Vec<Value>> {
    let call = call.as_str().context("an id")?;
    let query = format!(
        "{{ callVisits(callId: \"{call}\") {{ id queueId previousVisitId result waitMs }} }}"
    );
    let are_over = |answer: &Value| {
        let visits = answer["callVisits"].as_array();
        visits.is_some_and(|all| !all.is_empty() && all.iter().all(|it| it["result"].is_string()))
    };
    let answer = server.until(&query, are_over).await?;
    Ok(answer["callVisits"].as_array().cloned().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_wait_too_long_is_sent_on_before_waiting() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUES)).await?;
    let anna = agent(&server, "anna").await?;
    let bert = agent(&server, "bert").await?;
    // Nothing is known of a queue that has served nobody; then little is expected.
    for number in ["+4930111", "+4930222"] {
        is_served(&server, number, (&anna, "anna")).await?;
    }
    let queues = counted(&server, &[("support", [2, 2, 0, 0, 0])]).await?;

    // No contact is as short as that: whoever comes now would wait longer.
    let input = json!({
        "commandId": command_id(1), "queueId": queues["support"], "expectedWaitMaxMs": "1",
    });
    mutate(&server, "updateQueue", "queue { id }", input).await?;
    let sent_on = is_served(&server, "+4930333", (&bert, "bert")).await?;
    let stays = visits(&server, &sent_on).await?;
    // It was offered to the queue that it was kept from, and came from there.
    ensure!(stays.len() == 2, "{stays:#?}");
    let (kept, stay) = (&stays[0], &stays[1]);
    ensure!(kept["queueId"] == queues["support"], "{stays:#?}");
    ensure!(kept["previousVisitId"].is_null(), "{stays:#?}");
    ensure!(kept["result"] == "OVERFLOW", "{stays:#?}");
    ensure!(stay["queueId"] == queues["night"], "{stays:#?}");
    ensure!(stay["previousVisitId"] == kept["id"], "{stays:#?}");
    ensure!(stay["result"] == "ANSWERED", "{stays:#?}");
    counted(
        &server,
        &[("support", [3, 2, 0, 1, 0]), ("night", [1, 1, 0, 0, 0])],
    )
    .await?;
    let cdr = records(&server, 3).await?.pop().context("a record")?;
    ensure!(cdr["queueId"] == queues["night"], "{cdr}");
    ensure!(cdr["disposition"] == "ANSWERED", "{cdr}");
    let query = "query Q($id: ID!) { callTimeline(callId: $id, first: 100) \
                 { nodes { type payload } } }";
    let told = server.graphql(query, json!({ "id": sent_on })).await?;
    let events = told["callTimeline"]["nodes"].as_array().context("events")?;
    let why = events
        .iter()
        .find(|event| event["type"] == "call_overflowed");
    let why = why.context("it was sent on")?;
    ensure!(why["payload"]["cause"] == "expected_wait", "{why}");

    // While nobody is there nothing is known: callers wait.
    let id = agent_is(&server, "anna", "READY").await?["id"].clone();
    let input = json!({ "commandId": command_id(2), "agentId": id });
    mutate(&server, "agentLogOut", "agent { id }", input).await?;
    let last = caller(&server, "+4930444").await?;
    let out = dial(&last, "support").await?;
    call_is(&server, "+4930444", "WAITING").await?;
    counted(
        &server,
        &[("support", [4, 2, 0, 1, 1]), ("night", [1, 1, 0, 0, 0])],
    )
    .await?;
    out.cancel().await?;
    out.wait_ended(PATIENCE).await?;
    counted(&server, &[("support", [4, 2, 1, 1, 0])]).await?;
    for phone in [&anna, &bert, &last] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// FO by how the visits ended, of one queue.
async fn flow_out(server: &Server, queue: &Value) -> anyhow::Result<Value> {
    let now = SystemClock.now().micros();
    let at = |hours: i64| Timestamp::from_micros(now + hours * 3_600_000_000).to_string();
    let query = "query Q($r: Range!, $ids: [ID!]!) { queueReport(range: $r, queueIds: $ids, \
                 granularity: DAY) { flowOut { result count } counters { abandonedCount } } }";
    let range = json!({ "from": at(-2), "until": at(1) });
    let answer = server
        .graphql(query, json!({ "r": range, "ids": [queue] }))
        .await?;
    let rows = answer["queueReport"].as_array().context("rows")?;
    ensure!(
        rows.iter()
            .all(|row| row["counters"]["abandonedCount"] == 0),
        "{rows:#?}"
    );
    let all = rows.iter().flat_map(|row| row["flowOut"].as_array());
    Ok(all.flatten().cloned().collect())
}

/// The phone hears it after a minute: that is the least which a queue can be told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stay_that_is_as_old_as_it_may_become_ends_and_is_no_abandon() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), NETS)).await?;
    let other = caller(&server, "+4930111").await?;
    let waits_on = dial(&other, "night").await?;
    call_is(&server, "+4930111", "WAITING").await?;
    let phone = caller(&server, "+4930222").await?;
    let out = dial(&phone, "support").await?;
    let call = call_is(&server, "+4930222", "WAITING").await?["id"].clone();

    let patience = PATIENCE + Duration::from_millis(TTL_MS);
    let ended = out.wait_ended(patience).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    let stays = visits(&server, &call).await?;
    ensure!(stays.len() == 1, "{stays:#?}");
    ensure!(stays[0]["result"] == "EXPIRED", "{stays:#?}");
    let waited = stays[0]["waitMs"].as_str().context("a wait")?;
    let waited: u64 = waited.parse()?;
    ensure!(
        (TTL_MS..TTL_MS + LATE_MS).contains(&waited),
        "{waited} ms: {stays:#?}"
    );
    let cdrs = records(&server, 1).await?;
    let cdr = &cdrs[0];
    ensure!(cdr["callId"] == call, "{cdr}");
    ensure!(cdr["endReason"] == "VISIT_EXPIRED", "{cdr}");
    ensure!(cdr["disposition"] == "NO_ANSWER", "{cdr}");
    ensure!(cdr["sipStatus"] == 480, "{cdr}");
    ensure!(cdr["incomplete"] == false, "{cdr}");

    // Whoever came before, where a stay may become a day old, waits on.
    let queues = counted(
        &server,
        &[("support", [1, 0, 0, 1, 0]), ("night", [1, 0, 0, 0, 1])],
    )
    .await?;
    let expired = flow_out(&server, &queues["support"]).await?;
    ensure!(
        expired == json!([{ "result": "EXPIRED", "count": 1 }]),
        "{expired}"
    );
    waits_on.cancel().await?;
    waits_on.wait_ended(PATIENCE).await?;
    counted(&server, &[("night", [1, 0, 1, 0, 0])]).await?;
    for phone in [&other, &phone] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}
