//! Reports from the real binary: calls with real phones, then the figures by
//! interval over GraphQL and as files.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate, records, run,
    setup, talk,
};
use anyhow::{Context as _, ensure};
use commands::{ports::Clock as _, system::SystemClock};
use domain::time::Timestamp;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::path::Path;

/// One call is answered, two are abandoned: by a number and by a formula.
async fn some_calls(server: &Server) -> anyhow::Result<()> {
    let anna = agent(server, "anna").await?;
    let first = caller(server, "+4930111").await?;
    let (out, call) = talk(&first, &anna).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    records(server, 1).await?;
    for (count, number) in [(2, "+4930222"), (3, "=1+1")] {
        let phone = caller(server, number).await?;
        let waits = dial(&phone, "support").await?;
        let ringing = incoming(&anna).await?;
        ringing.ring().await?;
        waits.cancel().await?;
        waits.wait_ended(PATIENCE).await?;
        records(server, count).await?;
    }
    Ok(())
}

/// From yesterday to the day after tomorrow.
pub(crate) fn range() -> (String, String) {
    let now = SystemClock.now().micros();
    let day = |days: i64| Timestamp::from_micros(now + days * 86_400_000_000).to_string();
    (day(-1), day(2))
}

async fn ask(server: &Server, query: &str, ids: &Value) -> anyhow::Result<Value> {
    let (from, until) = range();
    let variables = json!({ "r": { "from": from, "until": until }, "ids": ids });
    server.graphql(query, variables).await
}

pub(crate) fn sum(rows: &Value, pick: impl Fn(&Value) -> Option<u64>) -> anyhow::Result<u64> {
    let rows = rows.as_array().context("rows")?;
    rows.iter()
        .map(|row| pick(row).with_context(|| format!("{row}")))
        .sum()
}

fn ms(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

pub(crate) async fn export(setup: &Setup, what: &str, more: &[&str]) -> anyhow::Result<String> {
    let file = setup.folder.join(format!("{what}.csv"));
    let path = |path: &Path| path.to_str().map(str::to_owned).context("UTF-8");
    let (config, data) = (setup.folder.join("ringledger.toml"), setup.data());
    let (config, data, out) = (path(&config)?, path(&data)?, path(&file)?);
    let (from, to) = range();
    let mut arguments = vec!["export", what, "--config", &config, "--data", &data];
    arguments.extend(["--out", &out, "--from", &from, "--to", &to]);
    arguments.extend(more);
    let ran = run(&arguments, &[], &setup.folder).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    Ok(std::fs::read_to_string(&file)?)
}

/// `ringledger whatif`, beside the server that runs.
async fn what_if(setup: &Setup, more: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let config = setup.folder.join("ringledger.toml");
    let (config, data) = (config.to_str().context("UTF-8")?, setup.data());
    let data = data.to_str().context("UTF-8")?;
    let (from, to) = range();
    let mut arguments = vec!["whatif", "--config", config, "--data", data];
    arguments.extend(["--from", &from, "--to", &to, "--interval", "day"]);
    arguments.extend(more);
    let ran = run(&arguments, &[], &setup.folder).await?;
    Ok((ran.code, format!("{}{}", ran.out, ran.err)))
}

/// What was, what would have been, and what without the only agent.
async fn the_past_is_lived_again(setup: &Setup) -> anyhow::Result<()> {
    let (code, said) = what_if(setup, &["--agents", "-1"]).await?;
    let together = said.lines().find(|line| line.starts_with("together"));
    let together = together.with_context(|| said.clone())?;
    let figures: Vec<&str> = together.split_whitespace().skip(1).collect();
    // O, A, AB, FO, R, SL, ASA, three times: as the queue's own report has it, with
    // nobody lost, and with nobody there.
    ensure!(code == Some(0) && figures.len() == 21, "{said}");
    let (recorded, unchanged, changed) = (&figures[..4], &figures[7..11], &figures[14..18]);
    ensure!(recorded[1] == "1" && recorded[0] == unchanged[0], "{said}");
    ensure!(unchanged[1] != "0" && changed[1] == "0", "{said}");
    ensure!(
        changed[0] == recorded[0] && said.contains("error "),
        "{said}"
    );
    for (more, names) in [
        (["--queue", "nowhere"], "support"),
        (["--strategy", "loudest"], "longest_idle"),
        (["--zone", "Mars/Base"], "--zone"),
    ] {
        let (code, said) = what_if(setup, &more).await?;
        ensure!(code != Some(0) && said.contains(names), "{more:?}: {said}");
    }
    Ok(())
}

const QUEUE: &str = "query Q($r: Range!, $ids: [ID!]!) { queueReport(range: $r, queueIds: $ids, \
    granularity: HALF_HOUR, timeZone: \"America/New_York\") { waitingBeforeCount \
    waitingAfterCount waitingMaxCount callbackCount handledCount talkMs holdMs wrapUpMs \
    flowOut { result count } counters { offeredCount answeredCount answeredInThresholdCount \
    abandonedCount shortAbandonedCount abandonedInThresholdCount flowOutCount rejectedCount \
    returnedCount } serviceLevels(variant: SHORT_EXCLUDED) { variant share inTimeCount ofCount \
    thresholdMs } } }";

async fn the_queue_adds_up(server: &Server, queue: &Value) -> anyhow::Result<()> {
    let answer = ask(server, QUEUE, &json!([queue["id"]])).await?;
    let rows = &answer["queueReport"];
    let number = |row: &Value, name: &str| row[name].as_u64();
    for row in rows.as_array().context("rows")? {
        let counted = |name: &str| number(&row["counters"], name).unwrap_or(0);
        let closed = counted("answeredCount") + counted("abandonedCount") + counted("flowOutCount");
        let before = number(row, "waitingBeforeCount").context("before")?;
        let after = number(row, "waitingAfterCount").context("after")?;
        let called_back = number(row, "callbackCount").context("called back")?;
        ensure!(
            before + counted("offeredCount") == closed + called_back + after,
            "{row}"
        );
    }
    // What is counted live is what the report says of the same time.
    let live = &queue["statistics"]["total"];
    for name in [
        "offeredCount",
        "answeredCount",
        "answeredInThresholdCount",
        "abandonedCount",
        "shortAbandonedCount",
        "abandonedInThresholdCount",
        "flowOutCount",
        "rejectedCount",
        "returnedCount",
    ] {
        let reported = sum(rows, |row| row["counters"][name].as_u64())?;
        ensure!(Some(reported) == live[name].as_u64(), "{name}: {live}");
    }
    ensure!(sum(rows, |row| row["counters"]["answeredCount"].as_u64())? == 1);
    ensure!(sum(rows, |row| row["counters"]["abandonedCount"].as_u64())? == 2);
    ensure!(
        sum(rows, |row| row["handledCount"].as_u64())? == 1,
        "{rows}"
    );
    for row in rows.as_array().context("rows")? {
        let level = &row["serviceLevels"][0];
        let (part, whole) = (number(level, "inTimeCount"), number(level, "ofCount"));
        ensure!(level["variant"] == "SHORT_EXCLUDED", "{row}");
        ensure!(ms(&level["thresholdMs"]).is_some(), "{row}");
        ensure!(
            level["share"].is_null() == (whole == Some(0)) && part <= whole,
            "{row}"
        );
    }
    let most = rows.as_array().context("rows")?.iter();
    ensure!(most.filter_map(|row| row["waitingMaxCount"].as_u64()).max() == Some(1));
    let talked = sum(rows, |row| ms(&row["talkMs"]))?;
    let cdrs = "{ cdrs(first: 10) { nodes { disposition talkMs } } }";
    let cdrs = server.graphql(cdrs, json!({})).await?;
    let on_record = sum(&cdrs["cdrs"]["nodes"], |cdr| ms(&cdr["talkMs"]))?;
    ensure!(
        talked == on_record,
        "{talked} ms reported, {on_record} ms on record"
    );
    Ok(())
}

const AGENT: &str = "query Q($r: Range!, $ids: [ID!]!) { agentReport(range: $r, agentIds: $ids, \
    granularity: DAY) { loggedInMs readyMs reservedMs ringMs contactMs wrapUpMs offersCount \
    answeredCount handledCount talkMs holdMs averageHandlingMs \
    notReady { reason durationMs } released { reason count } } }";

async fn the_agent_adds_up(server: &Server) -> anyhow::Result<()> {
    let agents = server
        .graphql("{ agents(first: 5) { nodes { id name } } }", json!({}))
        .await?;
    let id = &agents["agents"]["nodes"][0]["id"];
    mutate(
        server,
        "agentNotReady",
        "agent { id }",
        json!({ "commandId": command_id(1), "agentId": id, "code": "lunch" }),
    )
    .await?;
    the_pause_is_told_by_its_word(server, id).await?;
    let answer = ask(server, AGENT, &json!([id])).await?;
    let rows = &answer["agentReport"];
    for row in rows.as_array().context("rows")? {
        let states = ["readyMs", "reservedMs", "ringMs", "contactMs", "wrapUpMs"];
        let parts: u64 = states.iter().filter_map(|name| ms(&row[*name])).sum();
        let not_ready = sum(&row["notReady"], |part| ms(&part["durationMs"]))?;
        ensure!(Some(parts + not_ready) == ms(&row["loggedInMs"]), "{row}");
    }
    ensure!(sum(rows, |row| row["offersCount"].as_u64())? == 3, "{rows}");
    ensure!(
        sum(rows, |row| row["answeredCount"].as_u64())? == 1,
        "{rows}"
    );
    ensure!(
        sum(rows, |row| row["handledCount"].as_u64())? == 1,
        "{rows}"
    );
    let gone = sum(rows, |row| {
        let released = row["released"].as_array()?.iter();
        let gone = released.filter(|part| part["reason"] == "CALLER_GONE");
        gone.map(|part| part["count"].as_u64()).sum()
    })?;
    ensure!(gone == 2, "{rows}");
    Ok(())
}

/// Not ready since a moment ago, in a word of the settings: in the report by reason and
/// word, and in the log of states.
async fn the_pause_is_told_by_its_word(server: &Server, id: &Value) -> anyhow::Result<()> {
    let (from, until) = range();
    let range = format!("range: {{ from: \"{from}\", until: \"{until}\" }}");
    let query = format!(
        "{{ agentReport({range}, agentIds: [{id}], granularity: DAY) {{ notReady {{ reason \
         durationMs codes {{ word {{ code isPaid isProductive }} durationMs }} }} }} \
         agentStateLog({range}, agentId: {id}) {{ state reason code {{ code }} end }} }}"
    );
    let meal = |answer: &Value| {
        let rows = answer["agentReport"].as_array()?.iter();
        let mut parts = rows.flat_map(|row| row["notReady"].as_array().into_iter().flatten());
        parts.find(|part| part["reason"] == "MEAL").cloned()
    };
    let answer = server
        .until(&query, |answer| meal(answer).is_some())
        .await?;
    let meal = meal(&answer).context("a meal")?;
    let lunch = json!({ "code": "lunch", "isPaid": true, "isProductive": false });
    let codes = json!([{ "word": lunch, "durationMs": meal["durationMs"] }]);
    ensure!(meal["codes"] == codes, "{meal}");
    let log = answer["agentStateLog"].as_array().context("a log")?;
    let now = json!({ "state": "NOT_READY", "reason": "MEAL", "code": { "code": "lunch" },
        "end": null });
    ensure!(log.last() == Some(&now), "{answer}");
    Ok(())
}

const WAITING: &str = "{ activeCalls(first: 5) { nodes { place estimatedWaitMs \
    from { user } } } queues(first: 1) { nodes { estimatedWaitMs } } \
    cdrStats(groupBy: [QUEUE]) { talkMs holdMs wrapUpMs } }";

/// Place and estimated wait of the two callers in the line, the first first.
fn placed(answer: &Value) -> Option<Vec<Value>> {
    let mut calls = answer["activeCalls"]["nodes"].as_array()?.clone();
    calls.sort_by_key(|call| call["place"].as_u64());
    let places = calls.iter().map(|call| call["place"].as_u64());
    places.eq([Some(1), Some(2)]).then(|| {
        calls
            .iter()
            .map(|call| call["estimatedWaitMs"].clone())
            .collect()
    })
}

/// The agent is not ready and has had one contact: two callers wait for her,
/// then for nobody.
async fn callers_are_told_how_long_they_will_wait(server: &Server) -> anyhow::Result<()> {
    let mut waiting = vec![];
    for number in ["+4930333", "+4930444"] {
        let phone = caller(server, number).await?;
        let call = dial(&phone, "support").await?;
        call_is(server, number, "WAITING").await?;
        waiting.push((phone, call));
    }
    let answer = server
        .until(WAITING, |answer| placed(answer).is_some())
        .await?;
    let told = placed(&answer).context("two callers wait")?;
    let handled = sum(&answer["cdrStats"], |row| {
        Some(ms(&row["talkMs"])? + ms(&row["holdMs"])? + ms(&row["wrapUpMs"])?)
    })?;
    let told: Vec<_> = told.iter().map(ms).collect();
    ensure!(told == [Some(handled), Some(2 * handled)], "{answer}");
    let next = &answer["queues"]["nodes"][0]["estimatedWaitMs"];
    ensure!(ms(next) == Some(3 * handled), "{answer}");

    // Nobody is there: nothing is known, and no number is made up.
    let agents = server
        .graphql("{ agents(first: 5) { nodes { id } } }", json!({}))
        .await?;
    let id = &agents["agents"]["nodes"][0]["id"];
    let leave = json!({ "commandId": command_id(2), "agentId": id });
    mutate(server, "agentLogOut", "agent { id }", leave).await?;
    agent_is(server, "anna", "LOGGED_OUT").await?;
    let answer = server.graphql(WAITING, json!({})).await?;
    let told = placed(&answer).context("two callers wait")?;
    ensure!(told.iter().all(Value::is_null), "{answer}");
    let next = &answer["queues"]["nodes"][0]["estimatedWaitMs"];
    ensure!(next.is_null(), "{answer}");
    for (_phone, call) in waiting {
        call.cancel().await?;
        call.wait_ended(PATIENCE).await?;
    }
    records(server, 5).await?;
    Ok(())
}

/// The only agent of the queue is logged out: it was staffed as long as she was there, and
/// its thousandths of an agent are that by the length of each interval.
async fn the_queue_was_staffed(server: &Server, queue: &Value) -> anyhow::Result<u64> {
    let agents = server
        .graphql("{ agents(first: 5) { nodes { id } } }", json!({}))
        .await?;
    let id = &agents["agents"]["nodes"][0]["id"];
    let logged_in = ask(server, AGENT, &json!([id])).await?;
    let logged_in = sum(&logged_in["agentReport"], |row| ms(&row["loggedInMs"]))?;
    let query = "query Q($r: Range!, $ids: [ID!]!) { queueReport(range: $r, queueIds: $ids, \
                 granularity: QUARTER_HOUR) { staffedMs agentsStaffedMilli occupancyPpm } }";
    let answer = ask(server, query, &json!([queue["id"]])).await?;
    let rows = &answer["queueReport"];
    let staffed = sum(rows, |row| ms(&row["staffedMs"]))?;
    ensure!(
        staffed == logged_in && staffed > 0,
        "{staffed} ms of {logged_in} ms"
    );
    for row in rows.as_array().context("rows")? {
        let share = ms(&row["staffedMs"]).map(|ms| ms / 900);
        ensure!(row["agentsStaffedMilli"].as_u64() == share, "{row}");
    }
    // She had calls, and is the only one: in some interval the queue was occupied in part.
    let mut shares = rows.as_array().into_iter().flatten();
    ensure!(
        shares.any(|row| row["occupancyPpm"].as_u64().is_some_and(|ppm| ppm > 0)),
        "{rows:#}"
    );
    Ok(staffed)
}

/// The sum of a column of a file.
pub(crate) fn column(file: &str, name: &str) -> anyhow::Result<u64> {
    let mut lines = file.lines().map(|line| line.split(','));
    let mut header = lines.next().context("a header")?;
    let place = header
        .position(|column| column == name)
        .context("a column")?;
    lines
        .map(|mut line| Ok(line.nth(place).context("a field")?.trim().parse::<u64>()?))
        .sum()
}

#[tokio::test]
async fn a_report_equals_the_record_and_what_was_counted_live() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    reports_equal_the_record(setup(folder.path(), &["anna"])).await
}

#[tokio::test]
async fn a_report_on_postgresql_equals_the_record_too() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.store_url = Some(database.url().into());
    reports_equal_the_record(setup).await
}

async fn reports_equal_the_record(mut setup: Setup) -> anyhow::Result<()> {
    setup.provisioning += "[[not_ready]]\ncode = \"lunch\"\ncategory = \"meal\"\npaid = true\n";
    let server = Server::start(&setup).await?;
    some_calls(&server).await?;
    let query = "{ queues(first: 5) { nodes { id name statistics { total { offeredCount \
                 answeredCount answeredInThresholdCount abandonedCount shortAbandonedCount \
                 abandonedInThresholdCount flowOutCount rejectedCount returnedCount } } } } }";
    let queues = server
        .until(query, |answer| {
            let total = &answer["queues"]["nodes"][0]["statistics"]["total"];
            total["abandonedCount"] == 2 && total["answeredCount"] == 1
        })
        .await?;
    the_queue_adds_up(&server, &queues["queues"]["nodes"][0]).await?;
    the_agent_adds_up(&server).await?;

    callers_are_told_how_long_they_will_wait(&server).await?;
    let staffed = the_queue_was_staffed(&server, &queues["queues"]["nodes"][0]).await?;

    // Beside the server, and as files that a spreadsheet may open.
    let queue = export(&setup, "queue-report", &["--zone", "Europe/Berlin"]).await?;
    ensure!(queue.starts_with("queue,start_at,start_at_utc,"), "{queue}");
    ensure!(column(&queue, "staffed_ms")? == staffed, "{queue}");
    ensure!(queue.contains("sl_abandon_as_success_ppm"), "{queue}");
    // One contact a moment ago, which may be followed by another one for a week.
    ensure!(column(&queue, "fcr_open_count")? == 1, "{queue}");
    ensure!(column(&queue, "fcr_contacts_count")? == 0, "{queue}");
    let agent = export(&setup, "agent-report", &["--agent", "anna"]).await?;
    ensure!(
        agent.lines().count() >= 2 && agent.contains("anna,"),
        "{agent}"
    );
    let left = export(&setup, "abandoned-calls", &["--include-short"]).await?;
    ensure!(left.lines().count() == 5, "{left}");
    let header = left.lines().next().context("a header")?;
    ensure!(header.contains(",answered_later_call_id,"), "{left}");
    ensure!(left.contains(",\"'+4930222\","), "{left}");
    ensure!(
        left.contains(",\"'=1+1\",") && !left.contains(",=1"),
        "{left}"
    );
    the_past_is_lived_again(&setup).await?;
    server.stop().await
}
