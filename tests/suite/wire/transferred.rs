//! An agent sends the caller into another queue at the real binary: by REFER of the phone, in the
//! record, the reports and the files; and over a `kill -9` while the caller waits there.

use crate::support::{
    PATIENCE, SUPPORT, agent, agent_is, call_is, caller, command_id, events, incoming, mutate,
    records, talk,
};
use anyhow::{Context as _, ensure};
use commands::{ports::Clock as _, system::SystemClock};
use domain::time::Timestamp;
use phone::EndedBy;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const NUMBER: &str = "+4930111";
const SALES: &str = "\n[[queue]]\nname = \"sales\"\nanswer_mode = \"on_agent\"\n\
                     ring_timeout_ms = 10000\nwrap_up_ms = 0\n\
                     \n[[agent]]\nname = \"bert\"\npassword = \"bert-secret\"\n\
                     queues = [\"sales\"]\nready_on_register = true\n";

/// Anna serves support and works after calls; Bert serves sales.
fn provisioning() -> String {
    let wraps_up = SUPPORT.replace("wrap_up_ms = 0", "wrap_up_ms = 60000");
    let text = Setup::provisioning(SUPPORT, &["anna"]);
    text.replace(SUPPORT, &wraps_up) + SALES
}

async fn queue_id(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ queues(first: 50) { nodes { id name } } }";
    let answer = server.graphql(query, json!({})).await?;
    let queues = answer["queues"]["nodes"].as_array().context("queues")?;
    let found = queues.iter().find(|queue| queue["name"] == name);
    Ok(found.context("the queue is there")?["id"].clone())
}

/// Contacts of that queue, how many of them were transferred, and the rate.
async fn handled(server: &Server, queue: &Value) -> anyhow::Result<[Value; 3]> {
    let query = "query Q($r: Range!, $ids: [ID!]!) { queueReport(range: $r, queueIds: $ids, \
                 granularity: DAY) { handledCount transferredCount transferRatePpm } }";
    let (from, until) = range();
    let variables = json!({ "r": { "from": from, "until": until }, "ids": [queue] });
    let answer = server.graphql(query, variables).await?;
    let rows = answer["queueReport"].as_array().context("rows")?;
    let row = rows.iter().find(|row| row["handledCount"] != 0);
    let row = row.context("a row with contacts")?;
    Ok(["handledCount", "transferredCount", "transferRatePpm"].map(|name| row[name].clone()))
}

/// From yesterday to the day after tomorrow.
fn range() -> (String, String) {
    let now = SystemClock.now().micros();
    let day = |days: i64| Timestamp::from_micros(now + days * 86_400_000_000).to_string();
    (day(-1), day(2))
}

#[tokio::test]
async fn a_refer_sends_the_caller_to_the_other_queue_and_all_of_it_is_counted() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), &provisioning())).await?;
    let anna = agent(&server, "anna").await?;
    let bert = agent(&server, "bert").await?;
    let phone = caller(&server, NUMBER).await?;
    let (out, call) = talk(&phone, &anna).await?;
    call_is(&server, NUMBER, "CONNECTED").await?;
    ensure!(
        call.refer(&["<sip:sales@127.0.0.1>"]).await? == 202,
        "REFER is refused"
    );
    let ended = call.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Remote), "{ended:?}");
    agent_is(&server, "anna", "WRAP_UP").await?;
    let next = incoming(&bert).await?;
    next.ring().await?;
    next.answer().await?;
    let live = call_is(&server, NUMBER, "CONNECTED").await?;
    agent_is(&server, "bert", "ON_CONTACT").await?;
    // Back to where it was answered it does not go; elsewhere it may.
    let sales = queue_id(&server, "sales").await?;
    let query = "mutation($i: BlindTransferInput!) { blindTransfer(input: $i) { userErrors { code \
                 field } } }";
    let input = json!({ "commandId": command_id(1), "callId": live["id"], "queueId": sales });
    let refused = server.graphql(query, json!({ "i": input })).await?;
    let errors = &refused["blindTransfer"]["userErrors"];
    let expected = json!([{ "code": "call.answered_there", "field": "queueId" }]);
    ensure!(*errors == expected, "{refused}");
    ensure!(next.hang_up().await? == 200, "BYE is refused");
    out.wait_ended(PATIENCE).await?;
    let record = &records(&server, 1).await?[0];
    ensure!(record["disposition"] == "ANSWERED", "{record}");
    ensure!(record["hangupBy"] == "AGENT", "{record}");
    let support = queue_id(&server, "support").await?;
    let expected = [json!(1), json!(1), json!(1_000_000)];
    ensure!(handled(&server, &support).await? == expected);
    let expected = [json!(1), json!(0), json!(0)];
    ensure!(handled(&server, &sales).await? == expected);
    server
        .until_metrics(|text| text.contains("ringledger_transfers_total{outcome=\"done\"} 1"))
        .await?;
    server.stop().await
}

#[tokio::test]
async fn a_node_that_is_killed_while_the_caller_waits_there_leaves_one_end_and_a_free_agent()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), &provisioning());
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let phone = caller(&server, NUMBER).await?;
    let (out, call) = talk(&phone, &anna).await?;
    call_is(&server, NUMBER, "CONNECTED").await?;
    ensure!(
        call.refer(&["<sip:sales@127.0.0.1>"]).await? == 202,
        "REFER is refused"
    );
    call.wait_ended(PATIENCE).await?;
    call_is(&server, NUMBER, "WAITING").await?;
    server.kill().await?;
    out.vanish().await?;
    let server = Server::start(&setup).await?;
    let record = &records(&server, 1).await?[0];
    ensure!(record["disposition"] == "SYSTEM_ERROR", "{record}");
    ensure!(record["endReason"] == "NODE_LOST", "{record}");
    let id = agent_is(&server, "anna", "WRAP_UP").await?["id"].clone();
    let input = json!({ "commandId": command_id(2), "agentId": id });
    mutate(&server, "completeWrapUp", "agent { id }", input).await?;
    agent_is(&server, "anna", "READY").await?;
    server.stop().await?;
    let told = events(&setup).await?;
    let of = |name: &str| {
        let same = told.iter().filter(|event| &*event.event_type == name);
        same.count()
    };
    ensure!(of("call_transferred") == 1 && of("call_ended") == 1);
    // One stay was answered, the other is over with the call.
    ensure!(of("visit_opened") == 2 && of("visit_closed") == 2);
    Ok(())
}
