//! Calls are found for rating again by who pays, when they were, by what they were
//! priced, or because they have no price. Those of a month that is open change it, those
//! of a closed one are corrected in the next.

use crate::long_invoice::carrier;
use crate::priced::{amount, describe, priced, provisioning, publish, some_calls};
use crate::rerated::{net, run, set};
use crate::support::{Wrong, command_id, is_refused};
use anyhow::{Context as _, ensure};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};

const NOBODY: &str = "018f3b5c-0000-7000-8000-000000000000";
const NOVEMBER: &str = "2026-11-01T00:00:00Z";

/// Gives the order; how many calls it means.
async fn order(server: &Server, number: u128, filter: Value, is_dry: bool) -> anyhow::Result<u64> {
    let input = json!({
        "commandId": command_id(number), "filter": filter, "reason": "wrong deck",
        "dryRun": is_dry,
    });
    let query = "mutation($input: RerateCallsInput!) { rerateCalls(input: $input) { id callsCount \
                 finished position userErrors { code field message } } }";
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let payload = &answer["rerateCalls"];
    ensure!(payload["userErrors"] == json!([]), "{payload}");
    ensure!(payload["finished"] == true, "{payload}");
    ensure!(payload["position"].is_null() == is_dry, "{payload}");
    payload["callsCount"].as_u64().context("a count")
}

/// How often each call was rated, the oldest first.
async fn revisions(server: &Server, expected: [u64; 6]) -> anyhow::Result<Vec<Value>> {
    let of = |node: &Value| node["charge"]["revision"].as_u64();
    priced(server, |nodes| nodes.iter().map(of).eq(expected.map(Some)))
        .await
        .with_context(|| format!("{expected:?}"))
}

/// What can not be is refused with its field, and nothing is done.
async fn is_checked(server: &Server, call: &Value, account: &Value) -> anyhow::Result<()> {
    let both = json!({"callIds": [call], "filter": {"unrated": true}, "reason": "x"});
    let filter = |filter: Value| json!({ "filter": filter, "reason": "x" });
    let swapped = json!({"startedFrom": NOVEMBER, "startedBefore": NOVEMBER});
    let priceless = json!({"unrated": true, "deck": "world"});
    let wrong = [
        (json!({"reason": "x"}), "callIds", "1 to 100"),
        (both, "callIds", "beside a filter"),
        (filter(json!({})), "filter", "names nothing"),
        (
            filter(json!({"accountId": NOBODY})),
            "filter.accountId",
            "no account",
        ),
        (
            filter(json!({"planId": NOBODY})),
            "filter.planId",
            "no plan",
        ),
        (filter(json!({"deck": "moon"})), "filter.deck", "no deck"),
        (filter(json!({"period": "2026-13"})), "filter.period", ""),
        (filter(swapped), "filter.startedBefore", "not after"),
        (filter(priceless), "filter.unrated", "without a price"),
        (
            json!({"filter": {"accountId": account}, "reason": " "}),
            "reason",
            "empty",
        ),
    ];
    for (number, (input, field, says)) in (60..).zip(wrong) {
        let wrong: Wrong = ("rerateCalls", input, "input.invalid_value", field, says);
        is_refused(server, number, wrong).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_found_and_rated_again_and_only_open_months_change() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, 0)?;
    let outside = carrier().await?;
    let mut setup = Setup::new(folder.path(), &provisioning(outside.local_addr()));
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let ([house, away], plan) = describe(&server).await?;
    some_calls(&server, &outside, 0).await?;
    let are_rated = |nodes: &[Value]| nodes.iter().all(|node| node["charge"].is_object());
    let first = priced(&server, are_rated).await?;
    let old = amount(&first[0]["charge"]["amount"])?;
    server.stop().await?;

    set(&clock, 1)?;
    let server = Server::start(&setup).await?;
    run(&server, 40, "2026-10").await?;
    ensure!(net(&server, &house, "2026-10").await? == old, "{old}");
    some_calls(&server, &outside, 3).await?;
    // One leg has no price: the whole call has none.
    let before = revisions(&server, [1, 1, 0, 1, 1, 0]).await?;
    publish(&server, 41, "4930,12,Berlin,0\n43,3,Austria,0.07\n").await?;
    is_checked(&server, &before[0]["callId"], &house).await?;
    let counted = [
        (json!({"accountId": house}), 4),
        (json!({"accountId": away}), 2),
        (json!({"accountId": away, "unrated": false}), 0),
        (json!({"unrated": true}), 2),
        (json!({"period": "2026-10"}), 2),
        (json!({"startedFrom": NOVEMBER}), 3),
        (json!({"startedBefore": NOVEMBER, "accountId": house}), 2),
        (json!({"deck": "world"}), 2),
        (json!({"planId": plan, "startedFrom": NOVEMBER}), 1),
    ];
    for (number, (filter, expected)) in (80..).zip(counted) {
        let count = order(&server, number, filter.clone(), true).await?;
        ensure!(count == expected, "{filter}: {count}");
    }
    // Counting does nothing.
    revisions(&server, [1, 1, 0, 1, 1, 0]).await?;
    let count = order(&server, 50, json!({"unrated": true}), false).await?;
    ensure!(count == 2, "{count}");
    revisions(&server, [1, 1, 1, 1, 1, 1]).await?;
    let recent = json!({"accountId": house, "startedFrom": NOVEMBER});
    ensure!(order(&server, 51, recent, false).await? == 2);
    revisions(&server, [1, 1, 1, 2, 1, 1]).await?;
    ensure!(order(&server, 52, json!({"accountId": house}), false).await? == 4);
    let after = revisions(&server, [2, 1, 1, 2, 1, 1]).await?;
    let of = |place: usize| amount(&after[place]["charge"]["amount"]);
    ensure!(of(0)? == old + old, "{after:#?}");
    let dearer = amount(&before[3]["charge"]["amount"])?;
    ensure!(of(3)? == dearer + dearer, "{after:#?}");
    server.stop().await?;

    // What was issued stays; the difference is on the next one, beside what is new.
    set(&clock, 2)?;
    let server = Server::start(&setup).await?;
    run(&server, 53, "2026-11").await?;
    ensure!(net(&server, &house, "2026-10").await? == old, "{old}");
    let owed = net(&server, &house, "2026-11").await?;
    ensure!(owed == of(3)? + of(0)? - old, "{owed}: {after:#?}");
    let owed = net(&server, &away, "2026-11").await?;
    ensure!(owed == of(2)? + of(5)?, "{owed}: {after:#?}");
    server.stop().await
}
