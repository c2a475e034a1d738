//! Two nodes and one account that pays before: its credit is shared by the calls at both,
//! and what a node had reserved that is killed is charged or given back.

use crate::{
    nodes::Nodes,
    prepaid::{PAID, QUEUES, credit_is, describe, pay},
    support::{PATIENCE, caller, dial, records},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::Server;
use serde_json::Value;

/// All of the credit, in milliseconds of talk.
const PAID_MS: u64 = 10_000;

/// The records of so many calls, with what of them was charged.
async fn charged(server: &Server, count: usize) -> anyhow::Result<Vec<(Value, u64)>> {
    records(server, count).await?;
    let query = "{ cdrs(first: 9) { nodes { endReason incomplete billableMs } } }";
    let is_there = |answer: &Value| {
        let nodes = answer["cdrs"]["nodes"].as_array();
        nodes.is_some_and(|nodes| nodes.len() == count)
    };
    let answer = server.until(query, is_there).await?;
    let nodes = answer["cdrs"]["nodes"].as_array().context("records")?;
    let charged = nodes.iter().map(|node| {
        let billable = node["billableMs"].as_str().context("text")?.parse()?;
        Ok((node.clone(), billable))
    });
    charged.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_at_two_nodes_share_one_credit_and_a_lost_node_keeps_none_of_it()
-> anyhow::Result<()> {
    let mut nodes = Nodes::new(&[]).await.with(QUEUES, "");
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let account = describe(&a).await?;
    credit_is(&b, &account, &[PAID]).await?;

    // Each talks until nothing is left: together so long as was paid, to the millisecond.
    let (one, two) = (caller(&a, "4930501").await?, caller(&b, "4930502").await?);
    let (one, two) = tokio::try_join!(dial(&one, "+4930111"), dial(&two, "+4930111"))?;
    one.wait_answered(PATIENCE).await?;
    two.wait_answered(PATIENCE).await?;
    one.wait_ended(PATIENCE).await?;
    two.wait_ended(PATIENCE).await?;
    let both = charged(&a, 2).await?;
    let reasons = both.iter().map(|(record, _)| &record["endReason"]);
    ensure!(
        reasons.clone().all(|reason| reason == "NO_CREDIT"),
        "{both:#?}"
    );
    let talked: u64 = both.iter().map(|(_, billable)| billable).sum();
    ensure!(talked == PAID_MS, "{both:#?}");
    for node in [&a, &b] {
        credit_is(node, &account, &["0"]).await?;
    }

    // What was reserved at a node that is killed does not stay so.
    pay(&b, &account, 6, PAID).await?;
    credit_is(&a, &account, &[PAID]).await?;
    let phone = caller(&a, "4930503").await?;
    let out = dial(&phone, "+4930111").await?;
    out.wait_answered(PATIENCE).await?;
    let query = format!("{{ account(id: \"{account}\") {{ balance reserved }} }}");
    let is_reserved = |answer: &Value| answer["account"]["reserved"] != "0";
    b.until(&query, is_reserved).await?;
    a.kill().await?;
    let is_settled = |answer: &Value| answer["account"]["reserved"] == "0";
    let left = b.until(&query, is_settled).await?;
    let left = left["account"]["balance"].as_str().context("text")?;
    let left_ms = cents(left)? * 100;
    let all = charged(&b, 3).await?;
    let lost = all.iter().find(|(record, _)| record["incomplete"] == true);
    let (_, billable) = lost.context("the lost call")?;
    // It was answered: the second that began is charged, at whatever instant it was lost.
    let paid_ms = billable.div_ceil(1_000).max(1) * 1_000;
    ensure!(left_ms + paid_ms == PAID_MS, "{left} {all:#?}");
    b.stop().await
}

fn cents(amount: &str) -> anyhow::Result<u64> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    ensure!(part.len() <= 2, "{amount}");
    Ok(whole.parse::<u64>()? * 100 + format!("{part:0<2}").parse::<u64>()?)
}
