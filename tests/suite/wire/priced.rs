//! What real calls cost stands on their records: over the API and in every export, as
//! it was known at the position of the export, however often they are rated again.

use crate::exports::{export, order, text};
use crate::long_invoice::carrier;
use crate::support::{PATIENCE, caller, command_id, dial, incoming, mutate, records, sell};
use anyhow::{Context as _, ensure};
use domain::money::Decimal;
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::net::SocketAddr;

const DESK: &str = "+4930111";
const SILENT: &str = "+4930222";
const ABROAD: &str = "+4930333";
const OUTSIDE: &str = "+43660123456";

/// One number is answered at once, one never, and one leads outside.
pub(crate) fn provisioning(carrier: SocketAddr) -> String {
    format!(
        "[[queue]]\nname = \"desk\"\nanswer_mode = \"immediate\"\nnumbers = [\"{DESK}\"]\n\
         [[queue]]\nname = \"silent\"\nanswer_mode = \"on_agent\"\nnumbers = [\"{SILENT}\"]\n\
         [[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\nhost = \"{carrier}\"\n\
         channels_max = 0\nforwards = [{{ number = \"{ABROAD}\", to = \"{OUTSIDE}\" }}]\n"
    )
}

pub(crate) async fn publish(server: &Server, number: u128, rows: &str) -> anyhow::Result<()> {
    let deck = json!({
        "commandId": command_id(number), "name": "world", "currency": "EUR",
        "csv": format!("prefix,rate,description,connection_fee\n{rows}"),
    });
    mutate(server, "importDeck", "id", deck).await?;
    Ok(())
}

/// Two accounts of a plan by one deck: of the queues, and of the forward; and the plan.
pub(crate) async fn describe(server: &Server) -> anyhow::Result<([Value; 2], Value)> {
    sell(server, json!({})).await?;
    publish(server, 2, "4930,6,Berlin,0\n").await?;
    let term = |usage_type: &str| json!({"usageType": usage_type, "price": {"deck": "world"}});
    let plan = json!({
        "commandId": command_id(3), "name": "basic", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [term("INBOUND_MINUTES"), term("INTERNATIONAL_MINUTES")],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let mut accounts = [Value::Null, Value::Null];
    let all = [("house", vec![DESK, SILENT]), ("away", vec![ABROAD])];
    for (place, (name, numbers)) in all.into_iter().enumerate() {
        let command = 10 * (place as u128 + 1);
        let numbers: Vec<_> = numbers
            .into_iter()
            .map(|number| json!({ "number": number }))
            .collect();
        let account = json!({
            "commandId": command_id(command), "name": name, "currency": "EUR",
            "timeZone": "UTC", "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID",
            "numbers": numbers,
        });
        let id = mutate(server, "createAccount", "id", account).await?["id"].clone();
        let subscription = json!({
            "commandId": command_id(command + 1), "accountId": id, "planId": plan,
            "effective": "2020-01-01",
        });
        mutate(server, "subscribeAccount", "id", subscription).await?;
        accounts[place] = id;
    }
    Ok((accounts, plan))
}

/// A call that is answered, one that is given up, and one that goes outside.
pub(crate) async fn some_calls(
    server: &Server,
    carrier: &Phone,
    before: usize,
) -> anyhow::Result<()> {
    let phone = caller(server, "4930501").await?;
    let out = dial(&phone, DESK).await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    records(server, before + 1).await?;
    let out = dial(&phone, SILENT).await?;
    out.cancel().await?;
    out.wait_ended(PATIENCE).await?;
    records(server, before + 2).await?;
    let out = dial(&phone, ABROAD).await?;
    incoming(carrier).await?.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    records(server, before + 3).await?;
    Ok(())
}

const CDRS: &str = "{ cdrs(first: 9) { nodes { callId eventPositionLast \
    superseded { eventPositionLast } legs { id role dialled } call { cost { amount currency } } \
    charge { state accountId amount currency revision unratedReason reason position period \
    lines { legId usageType answeredAt endedAt billedS rate connectionFee amount currency planId \
    deckId deckRow prefix destination } \
    superseded { revision accountId amount unratedReason position } } } } }";

/// The records with what they cost, the oldest first, once they are as expected.
pub(crate) async fn priced(
    server: &Server,
    is: impl Fn(&[Value]) -> bool,
) -> anyhow::Result<Vec<Value>> {
    let nodes = |answer: &Value| {
        let nodes = answer["cdrs"]["nodes"].as_array().cloned();
        let mut nodes = nodes.unwrap_or_default();
        nodes.reverse();
        nodes
    };
    let answer = server.until(CDRS, |answer| is(&nodes(answer))).await?;
    Ok(nodes(&answer))
}

pub(crate) fn amount(value: &Value) -> anyhow::Result<Decimal> {
    let text = value.as_str();
    let text = text.with_context(|| format!("{value} is no amount"))?;
    Ok(text.parse()?)
}

/// What whole seconds cost at so many cents a second, and once.
fn costs(line: &Value, cents_each: u64, once: &str) -> anyhow::Result<Decimal> {
    // Milliseconds of the day, as in 2026-10-15T12:34:56.789Z.
    let instant = |name: &str| {
        let text = line[name].as_str().and_then(|text| text.get(11..23));
        let digits: String = text.context("an instant")?.replace([':', '.'], "");
        let number: u64 = digits.parse()?;
        let (hours, minutes) = (number / 10_000_000, number / 100_000 % 100);
        anyhow::Ok((hours * 60 + minutes) * 60_000 + number % 100_000)
    };
    const DAY_MS: u64 = 86_400_000;
    let talked_ms = (instant("endedAt")? + DAY_MS - instant("answeredAt")?) % DAY_MS;
    let billed = line["billedS"]
        .as_str()
        .context("seconds")?
        .parse::<u64>()?;
    // The record has microseconds, the API milliseconds.
    ensure!(
        [talked_ms.div_ceil(1_000), (talked_ms + 1).div_ceil(1_000)].contains(&billed),
        "{line}"
    );
    let cents = billed * cents_each;
    let price: Decimal = format!("{}.{:02}", cents / 100, cents % 100).parse()?;
    Ok(price + once.parse::<Decimal>()?)
}

/// The export as objects by call id.
async fn exported(server: &Server, more: Value) -> anyhow::Result<(String, Vec<Value>)> {
    let mut input = json!({ "format": "JSONL" });
    for (key, value) in more.as_object().into_iter().flatten() {
        input[key] = value.clone();
    }
    let ordered = order(server, input).await?;
    let file = text(server, &ordered["url"]).await?;
    let lines = file.lines().map(serde_json::from_str);
    Ok((file.clone(), lines.collect::<Result<_, _>>()?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_costs_is_on_its_record_and_in_an_export_as_of_its_position()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let outside = carrier().await?;
    let setup = Setup::new(folder.path(), &provisioning(outside.local_addr()));
    let server = Server::start(&setup).await?;
    // While there is nobody to pay no call is rated.
    let phone = caller(&server, "4930501").await?;
    let out = dial(&phone, DESK).await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    records(&server, 1).await?;
    let (accounts, _) = describe(&server).await?;
    some_calls(&server, &outside, 1).await?;

    let are_rated = |nodes: &[Value]| nodes[1..].iter().all(|node| node["charge"].is_object());
    let first = priced(&server, are_rated).await?;
    ensure!(first[0]["charge"].is_null(), "{:#}", first[0]);
    let states: Vec<_> = first[1..].iter().map(|n| &n["charge"]["state"]).collect();
    ensure!(states == ["RATED", "FREE", "UNRATED"], "{first:#?}");
    is_by_deck(&first[1], &accounts[0], (10, "0"), 1)?;
    ensure!(first[2]["charge"]["amount"] == "0", "{:#}", first[2]);
    ensure!(first[2]["charge"]["lines"] == json!([]), "{:#}", first[2]);
    let unrated = &first[3]["charge"];
    ensure!(unrated["unratedReason"] == "no_match", "{unrated:#}");
    ensure!(unrated["accountId"] == accounts[1], "{unrated:#}");
    ensure!(unrated["amount"].is_null() && first[3]["call"]["cost"].is_null());
    // The alarm: somebody must look.
    let alarm = "ringledger_calls_unrated_count 1";
    server.until_metrics(|told| told.contains(alarm)).await?;
    let ordered = order(&server, json!({ "format": "CSV" })).await?;
    let file = text(&server, &ordered["url"]).await?;
    for says in [",rated,,", ",free,,", ",unrated,no_match,"] {
        ensure!(file.matches(says).count() == 1, "{says}: {file}");
    }
    is_not_known_before(&server, &first[1]).await?;

    // A deck that goes everywhere and costs twice as much.
    publish(&server, 30, "4930,12,Berlin,0\n43,3,Austria,0.07\n").await?;
    let calls: Vec<_> = first[1..].iter().map(|node| &node["callId"]).collect();
    let again = json!({"commandId": command_id(31), "callIds": calls, "reason": "wrong deck"});
    mutate(&server, "rerateCalls", "id", again).await?;
    let is_dearer = |nodes: &[Value]| {
        nodes[1]["charge"]["revision"] == 2 && nodes[3]["charge"]["state"] == "RATED"
    };
    let second = priced(&server, is_dearer).await?;
    is_by_deck(&second[1], &accounts[0], (20, "0"), 2)?;
    let before = &second[1]["charge"]["superseded"];
    ensure!(
        before[0]["amount"] == first[1]["charge"]["amount"],
        "{before}"
    );
    ensure!(
        second[1]["charge"]["reason"] == "wrong deck",
        "{:#}",
        second[1]
    );
    ensure!(second[2]["charge"] == first[2]["charge"], "{:#}", second[2]);
    let lines = has_both_legs(&second[3], &accounts[1])?;

    // What was ordered before has the same bytes, however it is had.
    ensure!(text(&server, &ordered["url"]).await? == file, "other bytes");
    let (_, legs) = exported(&server, json!({ "legs": true })).await?;
    each_leg_has_its_own(&legs, &lines)?;
    let (_, rows) = exported(&server, json!({})).await?;
    rows_say_the_same(&rows, &second)?;
    server.stop().await?;
    let position = ordered["position"].as_str().context("a position")?;
    let (after, _) = export(&setup, "after.csv", &["--position", position]).await?;
    ensure!(after == file, "{after}\n{file}");
    Ok(())
}

/// One leg, by the deck's row for Berlin.
fn is_by_deck(
    node: &Value,
    account: &Value,
    (cents_each, once): (u64, &str),
    version: u32,
) -> anyhow::Result<()> {
    let charge = &node["charge"];
    let lines = charge["lines"].as_array().context("lines")?;
    ensure!(lines.len() == 1, "{charge:#}");
    let line = &lines[0];
    ensure!(charge["accountId"] == *account, "{charge:#}");
    ensure!(line["usageType"] == "INBOUND_MINUTES", "{line:#}");
    ensure!(
        line["prefix"] == "4930" && line["destination"] == "Berlin",
        "{line:#}"
    );
    let deck = line["deckId"].as_str().context("a deck")?;
    ensure!(deck.ends_with(&format!("-{version}")), "{line:#}");
    ensure!(line["legId"] == node["legs"][0]["id"], "{node:#}");
    let cost = costs(line, cents_each, once)?;
    ensure!(
        !cost.is_zero() && amount(&line["amount"])? == cost,
        "{line:#}"
    );
    ensure!(amount(&charge["amount"])? == cost && charge["currency"] == "EUR");
    ensure!(amount(&node["call"]["cost"]["amount"])? == cost, "{node:#}");
    ensure!(node["call"]["cost"]["currency"] == "EUR", "{node:#}");
    Ok(())
}

/// As of the end of the call nobody knew yet what it costs.
async fn is_not_known_before(server: &Server, node: &Value) -> anyhow::Result<()> {
    let ended = node["superseded"][0]["eventPositionLast"].as_str();
    let ended = ended.or_else(|| node["eventPositionLast"].as_str());
    let at = json!({ "position": ended });
    let (file, rows) = exported(server, at.clone()).await?;
    let row = rows
        .iter()
        .find(|row| row["answered_at"].is_string() && row["rating"].is_null());
    ensure!(row.is_some(), "{file}");
    let last = rows.last().context("the call")?;
    ensure!(
        last["rating"].is_null() && last["amount"].is_null(),
        "{last:#}"
    );
    ensure!(exported(server, at).await?.0 == file, "other bytes");
    Ok(())
}

/// The caller's leg and the one that went outside, each with its price.
fn has_both_legs(node: &Value, account: &Value) -> anyhow::Result<Vec<Value>> {
    let charge = &node["charge"];
    ensure!(charge["accountId"] == *account, "{charge:#}");
    let lines = charge["lines"].as_array().context("lines")?.clone();
    ensure!(lines.len() == 2, "{charge:#}");
    let [inbound, outbound] = [&lines[0], &lines[1]];
    ensure!(inbound["usageType"] == "INBOUND_MINUTES", "{charge:#}");
    ensure!(
        outbound["usageType"] == "INTERNATIONAL_MINUTES",
        "{charge:#}"
    );
    ensure!(outbound["destination"] == "Austria", "{charge:#}");
    let sum = costs(inbound, 20, "0")? + costs(outbound, 5, "0.07")?;
    ensure!(amount(&charge["amount"])? == sum, "{charge:#}");
    ensure!(
        charge["superseded"][0]["unratedReason"] == "no_match",
        "{charge:#}"
    );
    let legs = node["legs"].as_array().context("legs")?;
    for (line, role) in [(inbound, "ORIGINATOR"), (outbound, "FORWARDED")] {
        let leg = legs.iter().find(|leg| leg["id"] == line["legId"]);
        let leg = leg.context("its leg")?;
        ensure!(leg["role"] == role, "{node:#}");
        let is_outside = role == "FORWARDED";
        let dialled = is_outside.then_some(OUTSIDE);
        ensure!(leg["dialled"].as_str() == dialled, "{node:#}");
    }
    Ok(lines)
}

/// Of each leg that is charged a row of the export says the same as the API.
fn each_leg_has_its_own(rows: &[Value], lines: &[Value]) -> anyhow::Result<()> {
    for line in lines {
        let row = rows.iter().find(|row| row["leg_id"] == line["legId"]);
        let row = row.context("a row of the leg")?;
        ensure!(
            row["amount"] == line["amount"] && row["currency"] == "EUR",
            "{row:#}"
        );
        ensure!(row["rate"] == line["rate"], "{row:#}");
        ensure!(row["connection_fee"] == line["connectionFee"], "{row:#}");
        ensure!(row["deck_version"] == line["deckId"], "{row:#}");
        ensure!(row["destination"] == line["destination"], "{row:#}");
        ensure!(row["rating"] == "rated", "{row:#}");
        let is_outside = line["usageType"] == "INTERNATIONAL_MINUTES";
        let dialled = is_outside.then_some(OUTSIDE);
        ensure!(row["dialled"].as_str() == dialled, "{row:#}");
    }
    Ok(())
}

/// The rows of calls say what the API does, each charge by itself too.
fn rows_say_the_same(rows: &[Value], nodes: &[Value]) -> anyhow::Result<()> {
    ensure!(rows.len() == nodes.len(), "{rows:#?}");
    for (row, node) in rows.iter().zip(nodes) {
        let charge = &node["charge"];
        let state = charge["state"].as_str().map(str::to_lowercase);
        ensure!(row["rating"].as_str() == state.as_deref(), "{row:#}");
        ensure!(row["schema"] == "ringledger-cdr/7", "{row:#}");
        for (name, field) in [
            ("amount", "amount"),
            ("currency", "currency"),
            ("account_id", "accountId"),
            ("rating_revision", "revision"),
            ("invoice_period", "period"),
        ] {
            ensure!(row[name] == charge[field], "{name}: {row:#}\n{charge:#}");
        }
        let lines = charge["lines"].as_array().cloned().unwrap_or_default();
        let charges = row["charges"].as_array().cloned().unwrap_or_default();
        ensure!(charges.len() == lines.len(), "{row:#}");
        for (charged, line) in charges.iter().zip(&lines) {
            ensure!(charged["leg_id"] == line["legId"], "{row:#}");
            ensure!(charged["amount"] == line["amount"], "{row:#}");
        }
    }
    Ok(())
}
