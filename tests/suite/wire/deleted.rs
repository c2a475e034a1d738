//! A queue that is taken away: when that is refused, what callers hear then, what stays to
//! be read, and what one of the same name is.

use crate::support::{
    PATIENCE, agent, agent_is, caller, command_id, dial, mutate, reaches, records,
};
use anyhow::{Context as _, ensure};
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"reception\"\nanswer_mode = \"on_agent\"\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"reception\"]\n";

/// The names of the queues that are there, and of all that have been.
async fn named(server: &Server) -> anyhow::Result<[Vec<String>; 2]> {
    let query = "{ there: queues(first: 9) { nodes { name } } \
                 all: queues(first: 9, includeDeleted: true) { nodes { name } } }";
    let answer = server.graphql(query, json!({})).await?;
    Ok(["there", "all"].map(|list| {
        let nodes = answer[list]["nodes"].as_array().into_iter().flatten();
        let names = nodes.filter_map(|queue| queue["name"].as_str().map(str::to_owned));
        names.collect()
    }))
}

/// Takes the queue away; what is wrong with that, if so.
async fn delete(server: &Server, number: u128, queue: &Value) -> anyhow::Result<Vec<Value>> {
    let query = "mutation($input: DeleteQueueInput!) { deleteQueue(input: $input) { position \
                 queue { deletedAt } userErrors { code field message } } }";
    let input = json!({ "commandId": command_id(number), "queueId": queue, "reason": "merged" });
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let payload = &answer["deleteQueue"];
    let errors = payload["userErrors"].as_array().context("errors")?;
    let is_done = payload["queue"]["deletedAt"].is_string() && payload["position"].is_string();
    ensure!(is_done == errors.is_empty(), "{payload}");
    Ok(errors.clone())
}

fn error(code: &str, message: &str) -> Value {
    json!({ "code": code, "field": "queueId", "message": message })
}

/// O, A and W of the queue.
async fn counted(server: &Server, queue: &Value, counts: [u64; 3]) -> anyhow::Result<()> {
    let id = queue.as_str().context("an id")?;
    let query = format!(
        "{{ queue(id: \"{id}\") {{ waitingCount statistics {{ total {{ offeredCount \
         answeredCount }} }} }} }}"
    );
    let [offered, answered, waiting] = counts;
    let total = json!({ "offeredCount": offered, "answeredCount": answered });
    let expected = json!({ "waitingCount": waiting, "statistics": { "total": total } });
    let agrees = |answer: &Value| answer["queue"] == expected;
    server.until(&query, agrees).await.map(drop)
}

async fn one_of_the_settings_stays(server: &Server) -> anyhow::Result<()> {
    let query = "{ queues(first: 9) { nodes { id name } } }";
    let answer = server.graphql(query, json!({})).await?;
    let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
    let reception = queues.find(|queue| queue["name"] == "reception");
    let reception = reception.context("reception")?["id"].clone();
    let refused = delete(server, 11, &reception).await?;
    let defined = error(
        "input.queue_in_settings",
        "queue is defined by the settings",
    );
    ensure!(refused == [defined], "{refused:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_taken_away_when_nothing_needs_it_and_its_history_stays() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUES)).await?;
    let anna = agent(&server, "anna").await?;
    let anna_id = agent_is(&server, "anna", "READY").await?["id"].clone();
    let create = async |number: u128, name: &str, more: Value| {
        let mut input = json!({ "commandId": command_id(number), "name": name,
                                "answerMode": "ON_AGENT" });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        let made = mutate(&server, "createQueue", "queue { id deletedAt }", input).await?;
        ensure!(made["queue"]["deletedAt"].is_null(), "{made}");
        anyhow::Ok(made["queue"]["id"].clone())
    };
    let temp = create(1, "temp", json!({ "numbers": ["4711"] })).await?;
    let leads = json!({ "overflow": [{ "when": "CLOSED", "queueId": temp }] });
    let front = create(2, "front", leads).await?;
    let member = json!({ "commandId": command_id(3), "agentId": anna_id,
                         "place": { "queueId": temp } });
    mutate(&server, "addMember", "agent { id }", member).await?;
    let from = caller(&server, "+4930111").await?;
    reaches(&from, "4711", &anna).await?;

    // Somebody waits, another queue leads there, and the settings define one.
    let pause = json!({ "commandId": command_id(4), "agentId": anna_id, "reason": "BREAK" });
    mutate(&server, "agentNotReady", "agent { id }", pause).await?;
    let waits = dial(&from, "temp").await?;
    counted(&server, &temp, [2, 1, 1]).await?;
    let refused = delete(&server, 10, &temp).await?;
    let expected = [
        error("input.queue_led_to", "front: leads to the queue"),
        error("input.queue_not_empty", "1: callers wait in the queue"),
    ];
    ensure!(refused == expected, "{refused:#?}");
    one_of_the_settings_stays(&server).await?;

    waits.cancel().await?;
    counted(&server, &temp, [2, 1, 0]).await?;
    records(&server, 2).await?;
    ensure!(
        delete(&server, 12, &front).await?.is_empty(),
        "nothing needs it"
    );
    ensure!(
        delete(&server, 13, &temp).await?.is_empty(),
        "nothing needs it"
    );
    ensure!(
        delete(&server, 13, &temp).await?.is_empty(),
        "it is one order"
    );
    let refused = delete(&server, 14, &temp).await?;
    let unknown = error("queue.unknown", "queue does not exist");
    ensure!(refused == [unknown], "{refused:#?}");
    is_gone(&server, &from, &temp).await?;

    // Made again under its name it is the same queue, with its members and figures.
    let again = create(20, "Temp", json!({})).await?;
    ensure!(again == temp, "{again}");
    let ready = json!({ "commandId": command_id(21), "agentId": anna_id });
    mutate(&server, "agentReady", "agent { id }", ready).await?;
    reaches(&from, "temp", &anna).await?;
    counted(&server, &temp, [3, 2, 0]).await?;
    for phone in [&anna, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// Nobody gets there, and what was is still told.
async fn is_gone(server: &Server, from: &Phone, temp: &Value) -> anyhow::Result<()> {
    for address in ["temp", "4711"] {
        let ended = dial(from, address).await?.wait_ended(PATIENCE).await?;
        ensure!(ended.status == Some(404), "{ended:?}");
    }
    let [there, all] = named(server).await?;
    ensure!(there == ["reception"], "{there:?}");
    ensure!(all == ["front", "reception", "temp"], "{all:?}");
    counted(server, temp, [2, 1, 0]).await?;
    let query = "query Q($ids: [ID!]!) { queueReport(queueIds: $ids, granularity: DAY, timeZone: \
                 \"UTC\", range: { from: \"2020-01-01T00:00:00Z\", until: \"2020-01-02T00:00:00Z\" }) \
                 { counters { offeredCount } } agents(first: 5) { nodes { queues { name } } } }";
    let answer = server.graphql(query, json!({ "ids": [temp] })).await?;
    ensure!(
        answer["queueReport"][0]["counters"]["offeredCount"] == 0,
        "{answer}"
    );
    let serves = json!([{ "name": "reception" }]);
    ensure!(answer["agents"]["nodes"][0]["queues"] == serves, "{answer}");
    Ok(())
}
