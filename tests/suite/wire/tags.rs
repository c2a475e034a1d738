//! What people note of a call, at the real binary: while it goes on and after its end, on
//! boards, in the record, in files, of the past; and forgotten with the caller.

use crate::exports::{export, order, text};
use crate::support::{
    PATIENCE, agent, call_is, caller, command_id, dial, files_with, mutate, records, setup, talk,
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const NUMBER: &str = "4917655501239922";
const TEXT: &str = "=case 4711 of Walburga Fingerhut";

/// Tags the call, which must be done; the position.
async fn tag(
    server: &Server,
    number: u128,
    call: &Value,
    mut more: Value,
) -> anyhow::Result<Value> {
    more["callId"] = call.clone();
    more["commandId"] = json!(command_id(number));
    let payload = mutate(server, "tagCall", "call { tags userField }", more).await?;
    Ok(payload)
}

/// The record of the call once it has so many revisions.
async fn record(server: &Server, revision: i64) -> anyhow::Result<Value> {
    let query = "{ cdrs(first: 5) { nodes { revision tags userField from { user } \
                 superseded { revision tags } } } }";
    let answer = server
        .until(query, |answer| {
            let latest = answer["cdrs"]["nodes"][0]["revision"].as_i64();
            latest.is_some_and(|latest| latest >= revision)
        })
        .await?;
    Ok(answer["cdrs"]["nodes"][0].clone())
}

/// What is refused changes nothing, and says which field and why.
async fn check_refusals(server: &Server, call: &Value) -> anyhow::Result<()> {
    let many: Vec<String> = (0..17).map(|number| format!("t{number}")).collect();
    for (number, (input, code, field, says)) in [
        (
            json!({"add": ["two words"]}),
            "call.invalid_tag",
            "add",
            "1 to 64",
        ),
        (
            json!({"add": ["a"], "remove": ["a"]}),
            "call.contrary_tags",
            "remove",
            "added",
        ),
        (json!({"add": many}), "call.too_many_tags", "add", "16"),
        (
            json!({"userField": "x".repeat(257)}),
            "input.invalid_user_field",
            "userField",
            "256",
        ),
        (
            json!({"userField": "two\nlines"}),
            "input.invalid_user_field",
            "userField",
            "control",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut input = input;
        input["callId"] = call.clone();
        input["commandId"] = json!(command_id(100 + number as u128));
        let query = "mutation($input: TagCallInput!) { tagCall(input: $input) { position \
                     userErrors { code field message } } }";
        let answer = server.graphql(query, json!({ "input": input })).await?;
        let refused = &answer["tagCall"];
        let error = &refused["userErrors"][0];
        ensure!(refused["position"].is_null(), "{refused}");
        ensure!(
            error["code"] == code && error["field"] == field,
            "{refused}"
        );
        let message = error["message"].as_str().context("a reason")?;
        ensure!(message.contains(says), "{refused}");
    }
    Ok(())
}

/// On the live board, in the order of events, and in what the call was then.
async fn check_live(server: &Server, call: &Value, position: &Value) -> anyhow::Result<()> {
    let query = format!(
        "{{ activeCalls(first: 5, minPosition: {position}) {{ nodes {{ tags userField \
         userFieldSubject from {{ subject }} }} }} \
         call(id: {call}) {{ timeline(first: 100) {{ nodes {{ type payload }} }} }} \
         callStateAt(callId: {call}, position: {position}) {{ call {{ tags userField }} }} \
         board(position: {position}) {{ activeCalls {{ nodes {{ tags userField }} }} }} }}"
    );
    let answer = server.graphql(&query, json!({})).await?;
    let noted = json!({"tags": ["complaint", "vip"], "userField": TEXT});
    let live = &answer["activeCalls"]["nodes"][0];
    ensure!(
        live["tags"] == noted["tags"] && live["userField"] == TEXT,
        "{live}"
    );
    ensure!(
        live["userFieldSubject"] == live["from"]["subject"],
        "{live}"
    );
    ensure!(answer["callStateAt"]["call"] == noted, "{answer:#}");
    ensure!(
        answer["board"]["activeCalls"]["nodes"] == json!([noted]),
        "{answer:#}"
    );
    let timeline = answer["call"]["timeline"]["nodes"]
        .as_array()
        .context("events")?;
    let tagged = timeline.iter().find(|item| item["type"] == "call_tagged");
    let payload = &tagged.context("call_tagged")?["payload"];
    let expected = json!({
        "added": ["complaint", "vip"], "removed": [], "by": "token:test",
        // That it was written, and not what.
        "user_field": {"written": {}},
    });
    ensure!(payload["added"] == expected["added"], "{payload}");
    ensure!(payload["user_field"] == expected["user_field"], "{payload}");
    ensure!(
        payload["by"]
            .as_str()
            .is_some_and(|by| by.starts_with("token:")),
        "{payload}"
    );
    Ok(())
}

/// The files: a text that a spreadsheet would run is not run; as of a position the tags of
/// then; and the filter finds the calls of then.
async fn check_exports(setup: &Setup, server: &Server, before: &Value) -> anyhow::Result<()> {
    let jsonl = json!({"format": "JSONL", "filter": {"tag": "refund"}});
    let ordered = order(server, jsonl.clone()).await?;
    ensure!(ordered["callsCount"] == 1, "{ordered}");
    let row: Value = serde_json::from_str(&text(server, &ordered["url"]).await?)?;
    ensure!(
        row["tags"] == "complaint refund" && row["user_field"] == TEXT,
        "{row}"
    );
    let mut then = jsonl;
    then["position"] = before.clone();
    let ordered = order(server, then.clone()).await?;
    ensure!(ordered["callsCount"] == 0, "{ordered}");
    ensure!(text(server, &ordered["url"]).await?.is_empty());
    then["filter"]["tag"] = json!("vip");
    let ordered = order(server, then).await?;
    let row: Value = serde_json::from_str(&text(server, &ordered["url"]).await?)?;
    ensure!(
        row["tags"] == "complaint vip" && row["revision"] != 0,
        "{row}"
    );
    let (csv, _) = export(setup, "tagged.csv", &["--tag", "refund"]).await?;
    ensure!(csv.contains(&format!("\"'{TEXT}\"")), "{csv}");
    ensure!(
        csv.contains("complaint refund") && csv.lines().count() == 2,
        "{csv}"
    );
    Ok(())
}

#[tokio::test]
async fn a_call_is_tagged_while_it_goes_on_and_after_it_and_found_by_its_tags() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let first = caller(&server, NUMBER).await?;
    let (out, ringing) = talk(&first, &anna).await?;
    let call = call_is(&server, NUMBER, "CONNECTED").await?["id"].clone();
    let noted = json!({"add": ["vip", "complaint"], "userField": TEXT});
    let done = tag(&server, 1, &call, noted.clone()).await?;
    ensure!(
        done["call"] == json!({"tags": ["complaint", "vip"], "userField": TEXT}),
        "{done}"
    );
    let again = tag(&server, 1, &call, noted).await?;
    ensure!(again["position"] == done["position"], "one effect");
    check_refusals(&server, &call).await?;
    check_live(&server, &call, &done["position"]).await?;
    out.hang_up().await?;
    ringing.wait_ended(PATIENCE).await?;
    let other = caller(&server, "4930222").await?;
    dial(&other, "nobody").await?.wait_ended(PATIENCE).await?;
    records(&server, 2).await?;
    let query = "{ cdrs(first: 5, filter: {tag: \"vip\"}) { totalCount nodes { callId tags \
                 userField revision } } }";
    let answer = server.graphql(query, json!({})).await?;
    let found = &answer["cdrs"];
    ensure!(
        found["totalCount"] == 1 && found["nodes"][0]["callId"] == call,
        "{found}"
    );
    ensure!(found["nodes"][0]["userField"] == TEXT, "{found}");

    // After the end: another revision, and the one before stays.
    let head = server.graphql(
        "{ board(asOf: \"2999-01-01T00:00:00Z\") { position } }",
        json!({}),
    );
    let before = head.await?["board"]["position"].clone();
    let late = json!({"add": ["refund"], "remove": ["vip"]});
    let late = tag(&server, 2, &call, late).await?;
    ensure!(
        late["call"]["tags"] == json!(["complaint", "refund"]),
        "{late}"
    );
    let query = format!(
        "{{ cdrs(first: 5, filter: {{tag: \"refund\"}}, minPosition: {}) {{ nodes {{ callId \
         superseded {{ tags }} }} }} }}",
        late["position"]
    );
    let answer = server.graphql(&query, json!({})).await?;
    let found = &answer["cdrs"]["nodes"];
    ensure!(found[0]["callId"] == call && found[1].is_null(), "{found}");
    let superseded = found[0]["superseded"].as_array().context("revisions")?;
    let last = &superseded.last().context("an earlier one")?["tags"];
    ensure!(*last == json!(["complaint", "vip"]), "{found}");
    for wrong in ["VIP", "ref", "complaint,refund"] {
        let query = format!("{{ cdrs(first: 5, filter: {{tag: \"{wrong}\"}}) {{ totalCount }} }}");
        let answer = server.graphql(&query, json!({})).await?;
        ensure!(answer["cdrs"]["totalCount"] == 0, "{wrong}: {answer}");
    }
    check_exports(&setup, &server, &before).await?;
    server.stop().await
}

/// What one who shows no number is told of is under a key of the call's own.
#[tokio::test]
async fn what_is_written_of_a_caller_is_forgotten_with_the_caller() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    for (number, user) in [NUMBER, "anonymous", "anonymous"].into_iter().enumerate() {
        let phone = caller(&server, user).await?;
        dial(&phone, "nobody").await?.wait_ended(PATIENCE).await?;
        let call = records(&server, number + 1).await?[number]["callId"].clone();
        let text = format!("{TEXT} {number}");
        let noted = json!({"add": ["complaint"], "userField": text});
        tag(&server, number as u128 + 1, &call, noted).await?;
    }
    let query = "{ calls(first: 5) { nodes { tags userField userFieldSubject } } }";
    let calls = server.graphql(query, json!({})).await?["calls"]["nodes"].clone();
    ensure!(
        calls[0]["userFieldSubject"] != calls[1]["userFieldSubject"],
        "{calls}"
    );
    ensure!(!files_with(&setup.data(), b"Walburga Fingerhut 0")?.is_empty());
    for (number, who) in [
        json!({"number": NUMBER}),
        json!({"subjectId": calls[1]["userFieldSubject"]}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut input = who;
        input["commandId"] = json!(command_id(10 + number as u128));
        input["reason"] = json!("CONSENT_WITHDRAWN");
        mutate(&server, "eraseSubject", "subject { id }", input).await?;
    }
    let erasures = "{ erasures(first: 5) { nodes { state } } }";
    server
        .until(erasures, |answer| {
            answer["erasures"]["nodes"] == json!([{"state": "ERASED"}, {"state": "ERASED"}])
        })
        .await?;
    for gone in ["Walburga Fingerhut 0", "Walburga Fingerhut 1"] {
        let found = files_with(&setup.data(), gone.as_bytes())?;
        ensure!(found.is_empty(), "{gone} stands in {found:?}");
    }
    let calls = server.graphql(query, json!({})).await?["calls"]["nodes"].clone();
    let texts: Vec<&Value> = (0..3).map(|at| &calls[at]["userField"]).collect();
    let last = json!(format!("{TEXT} 2"));
    ensure!(texts == [&last, &Value::Null, &Value::Null], "{calls}");
    ensure!(
        (0..3).all(|at| calls[at]["tags"] == json!(["complaint"])),
        "{calls}"
    );
    // What is written since is another text, under a new key.
    let first = records(&server, 3).await?[0]["callId"].clone();
    let anew = json!({"userField": "called back"});
    let anew = tag(&server, 20, &first, anew).await?;
    ensure!(anew["call"]["userField"] == "called back", "{anew}");
    let record = record(&server, 1).await?;
    ensure!(record["tags"] == json!(["complaint"]), "{record}");
    let ordered = order(&server, json!({"format": "JSONL"})).await?;
    let manifest: Value = serde_json::from_str(&text(&server, &ordered["manifestUrl"]).await?)?;
    ensure!(manifest["rows_erased"] == 2, "{manifest}");
    server.stop().await
}
