//! What calls cost, and what accounts owe, is for those who may see money; to change
//! it takes more.

use crate::world::World;
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
