//! A queue that a person opens and closes: what callers hear, what the board shows,
//! and what the record says.

use crate::support::{PATIENCE, agent, caller, command_id, dial, mutate, reaches, records};
use anyhow::{Context as _, ensure};
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// `support` takes calls at no time of any week; `night` does always.
const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    hours.zone = \"Europe/Berlin\"\nhours.week = []\n\
    [[queue]]\nname = \"night\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"sales\"\nanswer_mode = \"on_agent\"\n\
    overflow = [{ when = \"closed\", queue = \"night\" }]\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"support\", \"night\", \"sales\"]\n";
const OPENING: &str = "opening { isOpen nextChangeAt byHand { isOpen by reason } }";

/// What the board shows of each queue's doors, and its id.
async fn shown(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = format!("{{ queues(first: 5) {{ nodes {{ id name {OPENING} }} }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
    let queue = queues.find(|queue| queue["name"] == name);
    queue.cloned().context("the queue is there")
}

/// Gives the order and returns what the queue shows then.
async fn order(
    server: &Server,
    (number, name): (u128, &str),
    queue: &Value,
    reason: &str,
) -> anyhow::Result<Value> {
    let input = json!({ "commandId": command_id(number), "queueId": queue, "reason": reason });
    let what = format!("queue {{ {OPENING} }}");
    let payload = mutate(server, name, &what, input).await?;
    Ok(payload["queue"]["opening"].clone())
}

/// The caller is told that nobody takes the call.
async fn is_turned_away(caller: &Phone, queue: &str) -> anyhow::Result<()> {
    let ended = dial(caller, queue).await?.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_closed_and_opened_by_hand_whatever_its_hours_say() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), QUEUES);
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let from = caller(&server, "+4930111").await?;
    let support = shown(&server, "support").await?["id"].clone();
    let sales = shown(&server, "sales").await?["id"].clone();
    let by = "token:administrator";

    // It has hours, and they never come: a person opens it.
    is_turned_away(&from, "support").await?;
    let opening = order(&server, (1, "openQueue"), &support, "storm").await?;
    let open = json!({ "isOpen": true, "nextChangeAt": null,
                       "byHand": { "isOpen": true, "by": by, "reason": "storm" } });
    ensure!(opening == open, "{opening}");
    reaches(&from, "support", &anna).await?;
    // What counts is kept over a change of the rules and over a restart.
    server.kill().await?;
    let server = Server::start(&setup).await?;
    ensure!(shown(&server, "support").await?["opening"] == open, "kept");
    let anna = {
        ensure!(anna.complaints().is_empty(), "{:?}", anna.complaints());
        agent(&server, "anna").await?
    };
    let from = caller(&server, "+4930111").await?;
    reaches(&from, "support", &anna).await?;
    let opening = order(&server, (2, "closeQueue"), &support, "fire_drill").await?;
    ensure!(opening["byHand"]["reason"] == "fire_drill", "{opening}");
    is_turned_away(&from, "support").await?;
    let opening = order(&server, (3, "followQueueHours"), &support, "over").await?;
    let never = json!({ "isOpen": false, "nextChangeAt": null, "byHand": null });
    ensure!(opening == never, "{opening}");
    is_turned_away(&from, "support").await?;

    // One that is always open is closed: its calls go where `closed` leads.
    order(&server, (4, "closeQueue"), &sales, "fire_drill").await?;
    reaches(&from, "sales", &anna).await?;
    all_are_counted(&server).await?;
    the_record_says_so(&server).await?;
    refused(&server, &support).await?;
    for phone in [&anna, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// Whoever was not let in is rejected, and not offered.
async fn all_are_counted(server: &Server) -> anyhow::Result<()> {
    let query = "{ queues(first: 5) { nodes { name statistics { total { offeredCount \
                 answeredCount rejectedCount } } } } }";
    let counted = |name: &'static str, counts: [u64; 3]| {
        let [offered, answered, rejected] = counts;
        let total = json!({ "offeredCount": offered, "answeredCount": answered,
                            "rejectedCount": rejected });
        move |answer: &Value| {
            let queues = answer["queues"]["nodes"].as_array();
            let mut queues = queues.into_iter().flatten();
            queues.any(|queue| queue["name"] == name && queue["statistics"]["total"] == total)
        }
    };
    server.until(query, counted("sales", [0, 0, 1])).await?;
    server.until(query, counted("night", [1, 1, 0])).await?;
    server.until(query, counted("support", [2, 2, 3])).await?;
    Ok(())
}

/// Who did it and why; and the board of the past shows what counted then.
async fn the_record_says_so(server: &Server) -> anyhow::Result<()> {
    let types = ["queue_opened", "queue_closed", "queue_hours_followed"];
    let query = "query Q($types: [String!]) { events(filter: { types: $types }, first: 9) \
                 { nodes { type cursor payload } } }";
    let answer = server.graphql(query, json!({ "types": types })).await?;
    let events = answer["events"]["nodes"].as_array().context("events")?;
    let said: Vec<_> = events
        .iter()
        .map(|event| (&event["type"], &event["payload"]["why"]))
        .collect();
    let (opened, closed, followed) = (json!(types[0]), json!(types[1]), json!(types[2]));
    let [storm, drill, over] = ["storm", "fire_drill", "over"].map(|why| json!(why));
    let expected = [
        (&opened, &storm),
        (&closed, &drill),
        (&followed, &over),
        (&closed, &drill),
    ];
    ensure!(said == expected, "{events:#?}");
    let by_whom = |event: &Value| event["payload"]["by"] == "token:administrator";
    ensure!(events.iter().all(by_whom), "{events:#?}");
    let query = format!(
        "query Q($at: Cursor!) {{ board(position: $at) {{ queues(first: 5) {{ nodes {{ name \
         {OPENING} }} }} }} }}"
    );
    let then = json!({ "at": events[0]["cursor"] });
    let answer = server.graphql(&query, then).await?;
    let queues = answer["board"]["queues"]["nodes"].as_array();
    let mut queues = queues.into_iter().flatten();
    let support = queues.find(|queue| queue["name"] == "support");
    let reason = &support.context("support")?["opening"]["byHand"]["reason"];
    ensure!(reason == "storm", "{answer}");
    let records = records(server, 6).await?;
    let closed = records
        .iter()
        .filter(|cdr| cdr["endReason"] == "QUEUE_CLOSED");
    ensure!(closed.count() == 3, "{records:#?}");
    Ok(())
}

/// No reason, and no such queue.
async fn refused(server: &Server, support: &Value) -> anyhow::Result<()> {
    let said = async |number: u128, queue: &Value, reason: &str| {
        let query = "mutation($input: CloseQueueInput!) { closeQueue(input: $input) { queue { id } \
                     position userErrors { code field } } }";
        let input = json!({ "commandId": command_id(number), "queueId": queue, "reason": reason });
        let answer = server.graphql(query, json!({ "input": input })).await?;
        let payload = answer["closeQueue"].clone();
        ensure!(
            payload["queue"].is_null() && payload["position"].is_null(),
            "{payload}"
        );
        let error = payload["userErrors"][0].clone();
        anyhow::Ok((error["code"].clone(), error["field"].clone()))
    };
    let (code, field) = said(11, support, "it burns, Mrs Smith").await?;
    ensure!(
        code == "queue.invalid_reason" && field == "reason",
        "{code}"
    );
    let nobody = json!(command_id(99));
    let (code, field) = said(12, &nobody, "fire_drill").await?;
    ensure!(code == "queue.unknown" && field == "queueId", "{code}");
    Ok(())
}
