//! Callers who go from one queue into another: what they take along.

use crate::support::{PATIENCE, agent_with, call_is, caller, command_id, dial, incoming, mutate};
use anyhow::{Context as _, ensure};
use phone::{OutgoingCall, Phone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const CHAIN: &str = "[[queue]]\nname = \"first\"\nanswer_mode = \"on_agent\"\nmax_wait_ms = 1500\n\
    overflow = [{ when = \"max_wait\", queue = \"second\" }]\n\
    [[queue]]\nname = \"second\"\nanswer_mode = \"on_agent\"\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"second\"]\n";

/// The stays of a call, once there are so many.
async fn visits(server: &Server, call: &Value, count: usize) -> anyhow::Result<Vec<Value>> {
    let call = call.as_str().context("an id")?;
    let query = format!(
        "{{ callVisits(callId: \"{call}\") {{ id previousVisitId queueId enqueuedAt openedAt \
         priority result }} }}"
    );
    let all = |answer: &Value| answer["callVisits"].as_array().cloned().unwrap_or_default();
    let answer = server.until(&query, |answer| all(answer).len() == count);
    Ok(all(&answer.await?))
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
