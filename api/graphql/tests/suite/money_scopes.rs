//! What calls cost, and what accounts owe, is for those who may see money; to change
//! it takes more.

use crate::world::{Ringing, World};
use domain::{
    any::AnyCommand,
    billing::{
        self,
        rating::{self, Outcome, UnratedReason},
    },
};
use ringledger_graphql::auth::Scope;
use serde_json::json;

const NOBODY: &str = "018f3b5c-0000-7000-8000-000000000000";

#[tokio::test]
async fn money_is_moved_only_by_those_who_may() {
    let world = World::start().await;
    let token = world.token(&[Scope::BillingRead, Scope::CallRead]).await;
    for (mutation, input) in [
        ("suspendAccount", json!({ "accountId": NOBODY })),
        ("reactivateAccount", json!({ "accountId": NOBODY })),
        ("closeAccount", json!({ "accountId": NOBODY })),
        (
            "writeOffInvoice",
            json!({ "invoiceId": NOBODY, "reason": "insolvent" }),
        ),
        (
            "discardInvoice",
            json!({ "invoiceId": NOBODY, "reason": "wrong price" }),
        ),
        (
            "refundCredit",
            json!({ "accountId": NOBODY, "amount": "1", "currency": "EUR",
                    "method": "OTHER", "reference": "out" }),
        ),
        (
            "issueCreditNote",
            json!({ "invoiceId": NOBODY, "reason": "mistake" }),
        ),
        (
            "rerateCalls",
            json!({ "callIds": [NOBODY], "reason": "wrong deck" }),
        ),
    ] {
        let id = crate::world::uuid();
        let answer = world
            .order_as(&token, mutation, id, input, "position")
            .await;
        assert_eq!(answer.code(), "AUTHORIZATION_ERROR", "{mutation}");
        let scope = &answer.body["errors"][0]["extensions"]["scope"];
        assert_eq!(scope, "billing:manage", "{mutation}");
    }
}

#[tokio::test]
async fn money_is_seen_only_by_those_who_may() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ringing = world.ring(queue, "+4930111").await;
    world.hang_up(&ringing, ringing.leg).await;
    let token = world.token(&[Scope::BillingManage, Scope::CallRead]).await;
    let head = world.head();
    for query in [
        format!("{{ ratePlan(id: \"{NOBODY}\") {{ id }} }}"),
        format!("{{ account(id: \"{NOBODY}\") {{ ledger {{ amount }} }} }}"),
        format!("{{ callCharge(callId: \"{NOBODY}\") {{ amount }} }}"),
        format!("{{ cdrs(minPosition: \"{head}\") {{ nodes {{ charge {{ amount }} }} }} }}"),
        format!("{{ calls(minPosition: \"{head}\") {{ nodes {{ cost {{ amount }} }} }} }}"),
    ] {
        let answer = world.ask_as(&token, &query, json!({})).await;
        assert_eq!(answer.code(), "AUTHORIZATION_ERROR", "{query}");
        let scope = &answer.body["errors"][0]["extensions"]["scope"];
        assert_eq!(scope, "billing:read", "{query}");
    }
}

/// Path of an export that is ordered with a token.
async fn ordered(world: &World, token: &str, format: &str) -> String {
    let query = format!(
        "mutation {{ requestCdrExport(input: {{ format: {format}, minPosition: \"{}\" }}) \
         {{ url }} }}",
        world.head()
    );
    let answer = world.ask_as(token, &query, json!({})).await;
    let url = &answer.body["data"]["requestCdrExport"]["url"];
    url.as_str()
        .unwrap_or_else(|| panic!("{}", answer.body))
        .to_owned()
}

#[tokio::test]
async fn who_takes_records_away_and_may_not_see_money_takes_none_of_it_away() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ringing = world.ring(queue, "+4930111").await;
    world.hang_up(&ringing, ringing.leg).await;
    let poor = world.token(&[Scope::CdrExport]).await;
    let rich = world.token(&[Scope::CdrExport, Scope::BillingRead]).await;
    let get = async |path: &str, token: &str| {
        let response = world.get(path).bearer_auth(token).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let all = ordered(&world, &rich, "CSV").await;
    let (status, text) = get(&all, &rich).await;
    assert_eq!(status, 200);
    let columns = ",rating,unrated_reason,account_id,rating_revision,invoice_period,billed_s,\
                   amount,currency,charges\r\n";
    assert!(text.contains(columns), "{text}");
    // The address alone does not help.
    let (status, refused) = get(&all, &poor).await;
    assert_eq!(status, 403);
    assert!(refused.contains("billing:read"), "{refused}");
    let manifest = all.replace(".csv", ".manifest.json");
    assert_eq!(get(&manifest, &poor).await.0, 403);

    let part = ordered(&world, &poor, "CSV").await;
    let (status, text) = get(&part, &poor).await;
    assert_eq!(status, 200);
    assert_eq!(text.lines().count(), 2, "{text}");
    let header = text.lines().next().unwrap_or_default();
    let is_of_money = |name: &str| columns.trim_end().split(',').any(|column| column == name);
    let told = header.split(',').filter(|name| is_of_money(name));
    assert_eq!(told.count(), 0, "{header}");
    let manifest = part.replace(".csv", ".manifest.json");
    let (_, manifest) = get(&manifest, &poor).await;
    assert!(manifest.contains("\"without_prices\": true"), "{manifest}");
    let lines = ordered(&world, &poor, "JSONL").await;
    let (_, lines) = get(&lines, &poor).await;
    assert!(
        lines.contains("rtt_us") && !lines.contains("amount"),
        "{lines}"
    );
}

/// A call that was answered, and has no price.
async fn unrated(world: &World) -> Ringing {
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let ringing = world.ring(queue, "+4930111").await;
    world.connect(&ringing, agent).await;
    world.hang_up(&ringing, ringing.leg).await;
    let outcome = Some(Outcome::Unrated {
        account: None,
        reason: UnratedReason::NoPayer,
    });
    let rate = billing::Command::Rating(ringing.call, rating::Command::Rate { outcome });
    world.dispatch(AnyCommand::Billing(Box::new(rate))).await;
    ringing
}

#[tokio::test]
async fn the_timeline_of_a_call_shows_prices_only_to_those_who_may_see_money() {
    let world = World::start().await;
    let ringing = unrated(&world).await;
    let query = format!(
        "{{ callTimeline(callId: \"{}\", first: 100, minPosition: \"{}\") \
         {{ edges {{ node {{ type category payload }} }} }} }}",
        ringing.call,
        world.head()
    );
    let payload = async |scopes: &[Scope]| {
        let token = world.token(scopes).await;
        let answer = world.ask_as(&token, &query, json!({})).await;
        let edges = answer.body["data"]["callTimeline"]["edges"].clone();
        let edges = edges
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.body));
        let rating = edges
            .iter()
            .find(|edge| edge["node"]["category"] == "rating");
        let others = edges
            .iter()
            .filter(|edge| !edge["node"]["payload"].is_null());
        assert!(others.count() > 2, "{}", answer.body);
        rating.unwrap_or_else(|| panic!("{}", answer.body))["node"]["payload"].clone()
    };
    let seen = payload(&[Scope::CallRead, Scope::BillingRead]).await;
    assert_eq!(seen["reason"], "no_payer");
    assert!(payload(&[Scope::CallRead]).await.is_null());
}

#[tokio::test]
async fn the_record_itself_shows_money_only_to_those_who_may_see_it() {
    let world = World::start().await;
    unrated(&world).await;
    let payloads = async |scopes: &[Scope]| {
        let token = world.token(scopes).await;
        let query = "{ events(first: 100) { nodes { stream payload } } }";
        let answer = world.ask_as(&token, query, json!({})).await;
        let nodes = answer.body["data"]["events"]["nodes"].clone();
        let nodes = nodes
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.body));
        let is_of_money = |node: &serde_json::Value| {
            let stream = node["stream"].as_str().unwrap_or_default();
            stream.starts_with("rating-")
        };
        let (money, others): (Vec<_>, Vec<_>) = nodes.iter().cloned().partition(is_of_money);
        assert!(others.len() > 2, "{}", answer.body);
        assert!(others.iter().all(|node| node["payload"].is_object()));
        assert_eq!(money.len(), 1, "{}", answer.body);
        money[0]["payload"].clone()
    };
    let seen = payloads(&[Scope::AuditRead, Scope::BillingRead]).await;
    assert_eq!(seen["reason"], "no_payer");
    assert!(payloads(&[Scope::AuditRead]).await.is_null());
}
