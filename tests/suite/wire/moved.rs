//! Callers who go from one queue into another, by overflow or as a person says: what they
//! take along.

use crate::support::{
    PATIENCE, agent_is, agent_with, call_is, caller, command_id, dial, incoming, mutate,
};
use anyhow::{Context as _, ensure};
use phone::{EndedBy, OutgoingCall, Phone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CHAIN: &str = "[[queue]]\nname = \"first\"\nanswer_mode = \"on_agent\"\nmax_wait_ms = 1500\n\
    overflow = [{ when = \"max_wait\", queue = \"second\" }]\n\
    [[queue]]\nname = \"second\"\nanswer_mode = \"on_agent\"\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"second\"]\n";

/// The stays of a call, once there are so many.
async fn visits(server: &Server, call: &Value, count: usize) -> anyhow::Result<Vec<Value>> {
    let query = asked(call)?;
    let answer = server.until(&query, |answer| all(answer).len() == count);
    Ok(all(&answer.await?))
}

fn asked(call: &Value) -> anyhow::Result<String> {
    let call = call.as_str().context("an id")?;
    Ok(format!(
        "{{ callVisits(callId: \"{call}\") {{ id previousVisitId queueId enqueuedAt openedAt \
         priority result }} }}"
    ))
}

fn all(answer: &Value) -> Vec<Value> {
    answer["callVisits"].as_array().cloned().unwrap_or_default()
}

/// The caller rings, and waits.
async fn waits(server: &Server, user: &str, queue: &str) -> anyhow::Result<Waits> {
    let phone = caller(server, user).await?;
    let out = dial(&phone, queue).await?;
    let id = call_is(server, user, "WAITING").await?["id"].clone();
    Ok(Waits { phone, out, id })
}

struct Waits {
    phone: Phone,
    out: OutgoingCall,
    id: Value,
}

/// The agent has that caller next, and nobody else.
async fn is_served(anna: &Phone, user: &str, caller: &Waits) -> anyhow::Result<()> {
    let ringing = incoming(anna).await?;
    ensure!(
        ringing.from_user() == Some(user),
        "{:?} instead of {user}",
        ringing.from_user()
    );
    ringing.answer().await?;
    caller.out.wait_answered(PATIENCE).await?;
    ensure!(caller.out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    let complaints = caller.phone.complaints();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

/// O, A, FO and W of each queue, by name.
async fn is_counted(server: &Server, counts: &[(&str, [u64; 4])]) -> anyhow::Result<()> {
    let query = "{ queues(first: 5) { nodes { name waitingCount statistics { total { offeredCount \
                 answeredCount flowOutCount } } } } }";
    let agrees = |answer: &Value| {
        let queues = answer["queues"]["nodes"].as_array();
        counts
            .iter()
            .all(|(name, [offered, answered, flow_out, waiting])| {
                let mut queues = queues.into_iter().flatten();
                let total = json!({ "offeredCount": offered, "answeredCount": answered,
                                "flowOutCount": flow_out });
                queues.any(|queue| {
                    let is_it = queue["name"] == *name && queue["waitingCount"] == *waiting;
                    is_it && queue["statistics"]["total"] == total
                })
            })
    };
    server.until(query, agrees).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_overflows_keeps_the_place_and_the_priority_and_names_the_stay_before()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), CHAIN)).await?;
    let early = waits(&server, "+4930111", "first").await?;
    let middle = waits(&server, "+4930222", "second").await?;
    let urgent = waits(&server, "+4930333", "first").await?;
    let input = json!({ "commandId": command_id(1), "callId": urgent.id, "priority": 5 });
    mutate(&server, "setPriority", "call { id }", input).await?;

    for (call, priority) in [(&early, Value::Null), (&urgent, json!(5))] {
        let stays = visits(&server, &call.id, 2).await?;
        let (before, after) = (&stays[0], &stays[1]);
        ensure!(before["result"] == "OVERFLOW", "{stays:#?}");
        ensure!(before["previousVisitId"].is_null(), "{stays:#?}");
        ensure!(after["previousVisitId"] == before["id"], "{stays:#?}");
        ensure!(after["enqueuedAt"] == before["enqueuedAt"], "{stays:#?}");
        ensure!(after["openedAt"] != before["openedAt"], "{stays:#?}");
        ensure!(after["priority"] == priority, "{stays:#?}");
    }
    is_counted(
        &server,
        &[("first", [2, 0, 2, 0]), ("second", [3, 0, 0, 3])],
    )
    .await?;

    // The urgent one first; then who was enqueued first, though that was elsewhere.
    let anna = agent_with(&server, "anna", "anna-secret").await?;
    is_served(&anna, "+4930333", &urgent).await?;
    is_served(&anna, "+4930111", &early).await?;
    is_served(&anna, "+4930222", &middle).await?;
    is_counted(
        &server,
        &[("first", [2, 0, 2, 0]), ("second", [3, 3, 0, 0])],
    )
    .await?;
    ensure!(anna.complaints().is_empty(), "{:?}", anna.complaints());
    server.stop().await
}

/// `night` takes calls at no time of any week, and has room for one.
const SENT: &str = "[[queue]]\nname = \"first\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"second\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"night\"\nanswer_mode = \"on_agent\"\ncapacity = 1\n\
    hours.zone = \"Europe/Berlin\"\nhours.week = []\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"second\", \"night\"]\n";

/// The id of each queue, by name.
async fn queues(server: &Server) -> anyhow::Result<BTreeMap<String, Value>> {
    let query = "{ queues(first: 5) { nodes { id name } } }";
    let answer = server.graphql(query, json!({})).await?;
    let nodes = answer["queues"]["nodes"].as_array().into_iter().flatten();
    let named = nodes.map(|queue| (queue["name"].as_str().unwrap_or_default(), &queue["id"]));
    Ok(named.map(|(name, id)| (name.into(), id.clone())).collect())
}

/// Sends the call there; returns why not, if so.
async fn send(
    server: &Server,
    number: u128,
    (call, queue): (&Value, &Value),
    reason: &str,
) -> anyhow::Result<Value> {
    let query = "mutation($input: RequeueVisitInput!) { requeueVisit(input: $input) { call { id } \
                 position userErrors { code field } } }";
    let input = json!({ "commandId": command_id(number), "callId": call, "queueId": queue,
                        "reason": reason });
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let payload = &answer["requeueVisit"];
    let errors = payload["userErrors"].as_array().map_or(0, Vec::len);
    ensure!(payload["position"].is_null() == (errors > 0), "{payload}");
    Ok(payload["userErrors"][0].clone())
}

async fn what_makes_no_sense_is_refused(
    server: &Server,
    call: &Value,
    (first, second): (&Value, &Value),
) -> anyhow::Result<()> {
    let nobody = &json!(command_id(99));
    for (number, what, reason, (code, field)) in [
        (1, (call, first), "rush", ("call.same_queue", "queueId")),
        (
            2,
            (call, nobody),
            "rush",
            ("input.unknown_queue", "queueId"),
        ),
        (
            3,
            (call, second),
            "Mr Smith",
            ("call.invalid_reason", "reason"),
        ),
        (4, (nobody, second), "rush", ("call.unknown", "callId")),
    ] {
        let refused = send(server, number, what, reason).await?;
        ensure!(
            refused == json!({ "code": code, "field": field }),
            "{refused}"
        );
    }
    Ok(())
}

/// Three stays of one call, since one instant.
async fn each_names_the_one_before(server: &Server, call: &Value) -> anyhow::Result<()> {
    let query = asked(call)?;
    let stays = server.until(&query, |answer| {
        let stays = all(answer);
        stays.len() == 3 && stays.iter().all(|stay| !stay["result"].is_null())
    });
    let stays = all(&stays.await?);
    let (ids, before): (Vec<_>, Vec<_>) = stays
        .iter()
        .map(|stay| (&stay["id"], &stay["previousVisitId"]))
        .unzip();
    ensure!(before == [&Value::Null, ids[0], ids[1]], "{stays:#?}");
    let since = &stays[0]["enqueuedAt"];
    let are_kept = stays.iter().all(|stay| stay["enqueuedAt"] == *since);
    ensure!(are_kept, "{stays:#?}");
    let results: Vec<_> = stays.iter().map(|stay| &stay["result"]).collect();
    ensure!(
        results == ["REQUEUED", "REQUEUED", "ANSWERED"],
        "{stays:#?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_sends_a_waiting_caller_into_another_queue_and_the_place_goes_along()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), SENT)).await?;
    let queues = queues(&server).await?;
    let queue = |name: &str| queues.get(name).context("the queue");
    let (first, second, night) = (queue("first")?, queue("second")?, queue("night")?);
    let early = waits(&server, "+4930111", "first").await?;
    what_makes_no_sense_is_refused(&server, &early.id, (first, second)).await?;

    // Also while a phone rings, which stops then; told twice it is one.
    let late = waits(&server, "+4930222", "second").await?;
    let anna = agent_with(&server, "anna", "anna-secret").await?;
    let ringing = incoming(&anna).await?;
    ringing.ring().await?;
    for _ in 0..2 {
        let refused = send(&server, 10, (&late.id, first), "wrong_queue").await?;
        ensure!(refused.is_null(), "{refused}");
    }
    let ended = ringing.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Cancelled), "{ended:?}");
    is_counted(
        &server,
        &[("first", [2, 0, 0, 2]), ("second", [1, 0, 1, 0])],
    )
    .await?;

    // Neither hours nor room keep out whom a person sends.
    agent_is(&server, "anna", "READY").await?;
    let other = caller(&server, "+4930333").await?;
    let closed = dial(&other, "night").await?;
    ensure!(
        closed.wait_ended(PATIENCE).await?.status == Some(480),
        "it is closed"
    );
    let refused = send(&server, 11, (&late.id, night), "nobody_there").await?;
    ensure!(refused.is_null(), "{refused}");
    let ringing = incoming(&anna).await?;
    ensure!(
        ringing.from_user() == Some("+4930222"),
        "{:?}",
        ringing.from_user()
    );
    ringing.answer().await?;
    late.out.wait_answered(PATIENCE).await?;
    let refused = send(&server, 12, (&late.id, first), "rush").await?;
    ensure!(refused["code"] == "call.already_connected", "{refused}");
    each_names_the_one_before(&server, &late.id).await?;

    // The one who came first is sent to where anna is next.
    let refused = send(&server, 13, (&early.id, night), "nobody_there").await?;
    ensure!(refused.is_null(), "{refused}");
    ensure!(late.out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    is_served(&anna, "+4930111", &early).await?;
    let counts = [
        ("first", [2, 0, 2, 0]),
        ("second", [1, 0, 1, 0]),
        ("night", [2, 2, 0, 0]),
    ];
    is_counted(&server, &counts).await?;
    the_record_says_who(&server).await?;
    for phone in [&anna, &late.phone] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// Each of the three by whom and why.
async fn the_record_says_who(server: &Server) -> anyhow::Result<()> {
    let query =
        "{ events(filter: { types: [\"call_overflowed\"] }, first: 9) { nodes { payload } } }";
    let answer = server.graphql(query, json!({})).await?;
    let nodes = answer["events"]["nodes"].as_array().into_iter().flatten();
    let payloads = nodes.map(|node| &node["payload"]);
    let said: Vec<_> = payloads
        .map(|said| [&said["cause"], &said["by"], &said["why"]])
        .collect();
    let expected = ["wrong_queue", "nobody_there", "nobody_there"];
    let expected = expected.map(|why| ["supervisor", "token:administrator", why]);
    ensure!(said == expected, "{answer:#}");
    Ok(())
}
