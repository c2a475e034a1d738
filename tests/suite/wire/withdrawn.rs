//! Callers whom a supervisor takes out of a queue.

use crate::support::{PATIENCE, agent_is, agent_with, call_is, caller, command_id, dial, incoming};
use anyhow::{Context as _, ensure};
use phone::{EndedBy, OutgoingCall, Phone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"music\"\nanswer_mode = \"immediate\"\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"support\"]\n";

/// A caller who waits: the phone, the call as the phone has it, the call and its stay.
struct Waits {
    phone: Phone,
    out: OutgoingCall,
    call: Value,
    visit: Value,
}

async fn waits(server: &Server, user: &str, queue: &str, state: &str) -> anyhow::Result<Waits> {
    let phone = caller(server, user).await?;
    let out = dial(&phone, queue).await?;
    let call = call_is(server, user, state).await?["id"].clone();
    let visit = stay(server, &call).await?;
    Ok(Waits {
        phone,
        out,
        call,
        visit,
    })
}

async fn stay(server: &Server, call: &Value) -> anyhow::Result<Value> {
    let query = "query Q($id: ID!) { call(id: $id) { visitId } }";
    let answer = server.graphql(query, json!({ "id": call })).await?;
    Ok(answer["call"]["visitId"].clone())
}

/// The order, and the code and field of its refusal; null where it is carried out.
async fn withdraw(
    server: &Server,
    number: u128,
    (call, visit): (&Value, &Value),
    reason: &str,
) -> anyhow::Result<Value> {
    let query = "mutation($input: WithdrawVisitInput!) { withdrawVisit(input: $input) { \
                 call { endReason hangupBy } position userErrors { code field } } }";
    let input = json!({ "commandId": command_id(number), "callId": call, "visitId": visit,
                        "reason": reason });
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let payload = &answer["withdrawVisit"];
    let refused = payload["userErrors"][0].clone();
    let shown = json!({ "endReason": "OPERATOR", "hangupBy": "SUPERVISOR" });
    let expected = if refused.is_null() {
        shown
    } else {
        Value::Null
    };
    ensure!(payload["call"] == expected, "{payload}");
    Ok(refused)
}

async fn is_done(server: &Server, number: u128, who: &Waits) -> anyhow::Result<()> {
    let refused = withdraw(server, number, (&who.call, &who.visit), "abuse").await?;
    ensure!(refused.is_null(), "{refused}");
    Ok(())
}

/// Nobody is hung up on by an order that is wrong.
async fn what_makes_no_sense_is_refused(server: &Server, who: &Waits) -> anyhow::Result<()> {
    let other = &json!(command_id(99));
    for (number, what, reason, (code, field)) in [
        (
            1,
            (&who.call, other),
            "abuse",
            ("call.stale_visit", "visitId"),
        ),
        (
            2,
            (&who.call, &who.visit),
            "Mr Smith",
            ("call.invalid_reason", "reason"),
        ),
        (3, (other, &who.visit), "abuse", ("call.unknown", "callId")),
    ] {
        let refused = withdraw(server, number, what, reason).await?;
        let expected = json!({ "code": code, "field": field });
        ensure!(refused == expected, "{refused}");
    }
    Ok(())
}

/// The stay of a call ended as a flow-out of its own name.
async fn stay_ended(server: &Server, who: &Waits) -> anyhow::Result<()> {
    let call = who.call.as_str().context("an id")?;
    let query = format!("{{ callVisits(callId: \"{call}\") {{ id result }} }}");
    let expected = json!([{ "id": who.visit, "result": "WITHDRAWN" }]);
    let are = |answer: &Value| answer["callVisits"] == expected;
    server.until(&query, are).await.map(drop)
}

/// O, A, FO and W of the queue.
async fn is_counted(server: &Server, counts: [u64; 4]) -> anyhow::Result<()> {
    let query = "{ queues(first: 5) { nodes { name waitingCount statistics { total { offeredCount \
                 answeredCount flowOutCount } } } } }";
    let [offered, answered, flow_out, waiting] = counts;
    let total = json!({ "offeredCount": offered, "answeredCount": answered,
                        "flowOutCount": flow_out });
    let agrees = |answer: &Value| {
        let queues = answer["queues"]["nodes"].as_array();
        let mut queues = queues.into_iter().flatten();
        queues.any(|queue| {
            let is_it = queue["name"] == "support" && queue["waitingCount"] == waiting;
            is_it && queue["statistics"]["total"] == total
        })
    };
    server.until(query, agrees).await.map(drop)
}

/// By whom and why each was taken out.
async fn the_record_says_who(server: &Server, count: usize) -> anyhow::Result<()> {
    let query =
        "{ events(filter: { types: [\"call_withdrawn\"] }, first: 9) { nodes { payload } } }";
    let answer = server.graphql(query, json!({})).await?;
    let nodes = answer["events"]["nodes"].as_array().into_iter().flatten();
    let payloads = nodes.map(|node| &node["payload"]);
    let said: Vec<_> = payloads.map(|said| [&said["by"], &said["why"]]).collect();
    ensure!(
        said == vec![["token:administrator", "abuse"]; count],
        "{answer:#}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_takes_a_caller_out_of_the_queue_who_is_hung_up_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUES)).await?;
    let rings = waits(&server, "+4930111", "support", "WAITING").await?;
    what_makes_no_sense_is_refused(&server, &rings).await?;

    // A phone that rings for the caller stops, and the caller hears 480.
    let anna = agent_with(&server, "anna", "anna-secret").await?;
    let ringing = incoming(&anna).await?;
    ringing.ring().await?;
    is_done(&server, 10, &rings).await?;
    let ended = rings.out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    let ended = ringing.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Cancelled), "{ended:?}");
    stay_ended(&server, &rings).await?;
    is_counted(&server, [1, 0, 1, 0]).await?;
    // Told twice it is one; told anew it comes too late.
    is_done(&server, 10, &rings).await?;
    let late = withdraw(&server, 11, (&rings.call, &rings.visit), "abuse").await?;
    ensure!(
        late == json!({ "code": "call.already_ended", "field": "callId" }),
        "{late}"
    );

    // Who hears music gets a BYE.
    let hears = waits(&server, "+4930222", "music", "WAITING").await?;
    hears.out.wait_answered(PATIENCE).await?;
    is_done(&server, 12, &hears).await?;
    let ended = hears.out.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Remote), "{ended:?}");
    stay_ended(&server, &hears).await?;

    // Whoever has an agent is left alone; and nobody has missed a call.
    agent_is(&server, "anna", "READY").await?;
    let talks = waits(&server, "+4930333", "support", "OFFERING").await?;
    let ringing = incoming(&anna).await?;
    ringing.answer().await?;
    talks.out.wait_answered(PATIENCE).await?;
    let late = withdraw(&server, 13, (&talks.call, &talks.visit), "abuse").await?;
    ensure!(
        late == json!({ "code": "call.already_connected", "field": "callId" }),
        "{late}"
    );
    ensure!(talks.out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    is_counted(&server, [2, 1, 1, 0]).await?;
    the_record_says_who(&server, 2).await?;
    for phone in [&anna, &rings.phone, &hears.phone, &talks.phone] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}
