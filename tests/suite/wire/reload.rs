//! A configuration that is read anew: a bad one is refused with the key and the
//! reason, as at the start, and the running one stays; a good one counts at once.

use crate::support::{PATIENCE, agent, call_is, caller, dial, incoming, run, talk};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const SUPPORT: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                       ring_timeout_ms = 10000\n";

/// What is wrong, the key that is named, and a word of the reason.
const BAD: [(&str, &str, &str); 9] = [
    (
        "matching = { skills = [{ skill = \"germann\", level = 2 }] }\n",
        "queue[0].matching.skills",
        "\"germann\" is not in skills",
    ),
    (
        "overflow = [{ when = \"full\", queue = \"sales\" }]\n[[queue]]\nname = \"sales\"\n\
         overflow = [{ when = \"full\", queue = \"support\" }]\n",
        "queue[0].overflow",
        "come back to \"support\" for ever",
    ),
    ("strategy = \"longest\"\n", "queue.0.strategy", "longest"),
    (
        "hours = { zone = \"UTC\", week = [\
         { days = [\"monday\", \"friday\"], from = \"08:00\", to = \"12:00\" }, \
         { days = [\"friday\"], from = \"11:30\", to = \"16:00\" }] }\n",
        "queue[0]",
        "hours: two times of one day overlap",
    ),
    (
        "hours = { zone = \"Europe/Bonn\", week = [] }\n",
        "queue.0.hours.zone",
        "not a time zone",
    ),
    (
        "empty = { join = [\"asleep\"] }\n",
        "queue.0.empty.join.0",
        "asleep",
    ),
    (
        "exits = [{ key = \"1\", queue = \"support\" }]\n",
        "queue[0].overflow",
        "come back to \"support\" for ever",
    ),
    (
        "overflow = [{ when = \"exit_key\", number = \"+4930\" }]\n",
        "queue[0]",
        "exits say where keys lead",
    ),
    ("ring_timeout_ms = 1\n", "queue[0]", "ring_timeout_ms"),
];

async fn reload(server: &Server) -> anyhow::Result<Value> {
    let order = "mutation { reloadConfiguration { needsRestart \
                 userErrors { code message field } } }";
    Ok(server.graphql(order, json!({})).await?["reloadConfiguration"].clone())
}

/// The rules of the queue.
async fn rules(server: &Server) -> anyhow::Result<Value> {
    let query = "{ queues(first: 5) { nodes { name config { ringTimeoutMs strategy } } } }";
    Ok(server.graphql(query, json!({})).await?["queues"]["nodes"].clone())
}

fn written(setup: &Setup, queue: &str) -> Setup {
    let provisioning = Setup::provisioning(queue, &["anna"]);
    Setup {
        provisioning,
        ..setup.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_configuration_is_refused_with_key_and_reason_and_the_running_one_stays()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(SUPPORT, &["anna"]));
    setup.head = "skills = [\"german\"]\n".into();
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let first = caller(&server, "+4930111").await?;
    let (out, call) = talk(&first, &anna).await?;
    let before = rules(&server).await?;
    for (text, key, reason) in BAD {
        let queue = match text.starts_with("ring_timeout_ms") {
            true => SUPPORT.replace("ring_timeout_ms = 10000\n", text),
            false => format!("{SUPPORT}{text}"),
        };
        let file = written(&setup, &queue).write()?;
        let answer = reload(&server).await?;
        let error = &answer["userErrors"][0];
        let message = error["message"].as_str().context("a message")?;
        ensure!(error["code"] == "config.invalid", "{answer}");
        ensure!(
            message.contains(key) && message.contains(reason),
            "{message}"
        );
        ensure!(answer["needsRestart"].is_null(), "{answer}");
        // The same at the start.
        let file = file.to_str().context("UTF-8")?;
        let ran = run(&["serve", "--config", file], &[], folder.path()).await?;
        ensure!(ran.code == Some(1), "{ran:?}");
        ensure!(ran.err.contains(key) && ran.err.contains(reason), "{ran:?}");
        // And nothing has changed.
        server.signal(libc::SIGHUP)?;
        ensure!(rules(&server).await? == before, "{key}");
        call_is(&server, "+4930111", "CONNECTED").await?;
    }
    ensure!(out.hang_up().await? == 200);
    call.wait_ended(PATIENCE).await?;

    // A good one counts at once, without a restart.
    let better = SUPPORT.replace("10000", "20000") + "[[queue]]\nname = \"sales\"\n";
    written(&setup, &better).write()?;
    let answer = reload(&server).await?;
    ensure!(
        answer == json!({ "needsRestart": false, "userErrors": [] }),
        "{answer}"
    );
    let query = "{ queues(first: 5) { nodes { config { ringTimeoutMs } } } }";
    let has = |wanted: &'static str| {
        move |answer: &Value| {
            let nodes = answer["queues"]["nodes"].as_array();
            let mut queues = nodes.into_iter().flatten();
            queues.any(|queue| queue["config"]["ringTimeoutMs"] == wanted)
        }
    };
    server.until(query, has("20000")).await?;
    let out = dial(&first, "support").await?;
    let ringing = incoming(&anna).await?;
    ringing.answer().await?;
    out.wait_answered(PATIENCE).await?;
    // By a signal too, while the call goes on; what else has changed waits.
    let mut other = written(&setup, &SUPPORT.replace("10000", "15000"));
    other.settings = "[store]\nurl = \"sqlite:elsewhere\"\n".into();
    other.write()?;
    server.signal(libc::SIGHUP)?;
    server.until(query, has("15000")).await?;
    let answer = reload(&server).await?;
    ensure!(
        answer == json!({ "needsRestart": true, "userErrors": [] }),
        "{answer}"
    );
    ensure!(out.hang_up().await? == 200);
    ringing.wait_ended(PATIENCE).await?;
    for phone in [&anna, &first] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}
