//! Who may do what.

use crate::world::{World, uuid};
use domain::id::{DEFAULT_TENANT, TenantId};
use ringledger_graphql::auth::{Identity, Scope, keep_only_token, keep_token, revoke_token};
use serde_json::json;

#[tokio::test]
async fn whoever_has_no_token_hears_401_and_nothing_else() {
    let world = World::start().await;
    for authorization in [
        None,
        Some("Bearer rl_wrong"),
        Some("Basic abc"),
        Some("Bearer "),
    ] {
        let mut request = world.post().json(&json!({"query": "{ me { name } }"}));
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401, "{authorization:?}");
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(
            body["errors"][0]["extensions"]["code"],
            "AUTHENTICATION_ERROR"
        );
        assert_eq!(body["data"], json!(null));
    }
}

#[tokio::test]
async fn a_token_names_its_holder_and_scopes() {
    let world = World::start().await;
    let token = world.token(&[Scope::CallRead, Scope::QueueRead]).await;
    let me = world.ask_as(&token, "{ me { name scopes tenantId agentId } }", json!({}));
    assert_eq!(
        me.await.data()["me"],
        json!({
            "name": "test",
            "scopes": ["call:read", "queue:read"],
            "tenantId": DEFAULT_TENANT.to_string(),
            "agentId": null,
        })
    );
}

#[tokio::test]
async fn every_query_names_the_scope_that_is_missing() {
    let world = World::start().await;
    let nobody = world.token(&[]).await;
    let id = uuid();
    for (query, scope) in [
        (format!("{{ call(id: \"{id}\") {{ id }} }}"), "call:read"),
        ("{ calls { nodes { id } } }".into(), "call:read"),
        ("{ activeCalls { nodes { id } } }".into(), "call:read"),
        (
            format!("{{ callTimeline(callId: \"{id}\") {{ nodes {{ type }} }} }}"),
            "call:read",
        ),
        ("{ cdrs { nodes { callId } } }".into(), "call:read"),
        (format!("{{ agent(id: \"{id}\") {{ id }} }}"), "agent:read"),
        ("{ agents { nodes { id } } }".into(), "agent:read"),
        (format!("{{ queue(id: \"{id}\") {{ id }} }}"), "queue:read"),
        ("{ queues { nodes { id } } }".into(), "queue:read"),
        ("{ trunks { nodes { id } } }".into(), "system:config"),
        (
            "{ subject(number: \"+4930\") { id } }".into(),
            "audit:manage",
        ),
        ("{ erasures { nodes { id } } }".into(), "audit:manage"),
        (
            "{ events(first: 1) { nodes { type } } }".into(),
            "audit:read",
        ),
        ("{ __schema { types { name } } }".into(), "schema:read"),
    ] {
        let answer = world.ask_as(&nobody, &query, json!({})).await;
        assert_eq!(answer.code(), "AUTHORIZATION_ERROR", "{query}");
        assert_eq!(
            answer.body["errors"][0]["extensions"]["scope"], scope,
            "{query}"
        );
        assert!(answer.message().contains(scope), "{query}");
    }
}

#[tokio::test]
async fn who_may_audit_reads_the_record_and_nothing_else() {
    let world = World::start().await;
    world.queue("sales").await;
    let auditor = world.token(&[Scope::AuditRead]).await;
    let query = "{ events(first: 5) { nodes { type actor } } }";
    let answer = world.ask_as(&auditor, query, json!({})).await;
    let events = answer.data()["events"]["nodes"].as_array().unwrap().clone();
    assert!(!events.is_empty());
    for other in [
        "{ cdrs { nodes { callId } } }",
        "{ erasures { nodes { id } } }",
    ] {
        let answer = world.ask_as(&auditor, other, json!({})).await;
        assert_eq!(answer.code(), "AUTHORIZATION_ERROR", "{other}");
    }
}

#[tokio::test]
async fn every_mutation_names_the_scope_that_is_missing_and_does_nothing() {
    let world = World::start().await;
    let nobody = world.token(&[Scope::AgentSelf]).await;
    let before = world.head();
    let id = uuid().to_string();
    for (mutation, input, scope) in [
        ("createQueue", json!({"name": "sales"}), "queue:manage"),
        (
            "setCalendar",
            json!({"queueId": id, "calendar": {"hours": null}}),
            "queue:manage",
        ),
        (
            "setRoutingPolicy",
            json!({"queueId": id, "policy": {"priority": 1}}),
            "queue:manage",
        ),
        (
            "createAgent",
            json!({"name": "ann", "password": "x"}),
            "agent:manage",
        ),
        ("agentReady", json!({"agentId": id}), "agent:manage"),
        (
            "agentNotReady",
            json!({"agentId": id, "reason": "BREAK"}),
            "agent:manage",
        ),
        ("agentLogOut", json!({"agentId": id}), "agent:manage"),
        (
            "acceptOffer",
            json!({"agentId": id, "offerId": id}),
            "agent:manage",
        ),
        ("hangUp", json!({"callId": id}), "call:terminate"),
        (
            "withdrawVisit",
            json!({"callId": id, "visitId": id, "reason": "abuse"}),
            "call:supervise",
        ),
        (
            "blindTransfer",
            json!({"callId": id, "queueId": id}),
            "call:transfer",
        ),
        (
            "createTrunk",
            json!({"name": "t", "allow": ["192.0.2.0/24"]}),
            "system:config",
        ),
        (
            "eraseSubject",
            json!({"number": "+4930", "reason": "OBJECTION"}),
            "audit:manage",
        ),
    ] {
        let answer = world
            .order_as(&nobody, mutation, uuid(), input, "position")
            .await;
        assert_eq!(answer.code(), "AUTHORIZATION_ERROR", "{mutation}");
        assert_eq!(
            answer.body["errors"][0]["extensions"]["scope"], scope,
            "{mutation}"
        );
    }
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let world = World::start().await;
    let token = world.token(&[Scope::CallRead]).await;
    world
        .ask_as(&token, "{ me { name } }", json!({}))
        .await
        .data();
    revoke_token(world.stores.secrets.as_ref(), &token)
        .await
        .unwrap();
    let answer = world.ask_as(&token, "{ me { name } }", json!({})).await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, "AUTHENTICATION_ERROR")
    );
}

#[tokio::test]
async fn a_token_of_another_tenant_opens_nothing_here() {
    let world = World::start().await;
    let identity = Identity {
        tenant: TenantId(uuid()),
        scopes: vec![Scope::All],
        name: "stranger".into(),
        agent: None,
    };
    keep_token(world.stores.secrets.as_ref(), "rl_stranger", &identity)
        .await
        .unwrap();
    let answer = world
        .ask_as("rl_stranger", "{ me { name } }", json!({}))
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, "AUTHENTICATION_ERROR")
    );
}

#[tokio::test]
async fn a_new_token_of_the_administrator_is_the_only_one() {
    let world = World::start().await;
    let secrets = world.stores.secrets.as_ref();
    let named = |name: &str| Identity {
        tenant: DEFAULT_TENANT,
        scopes: vec![Scope::All],
        name: name.into(),
        agent: None,
    };
    let (administrator, dashboard) = (named("administrator"), named("dashboard"));
    keep_only_token(secrets, "rl_old", &administrator)
        .await
        .unwrap();
    keep_token(secrets, "rl_dashboard", &dashboard)
        .await
        .unwrap();
    keep_only_token(secrets, "rl_new", &administrator)
        .await
        .unwrap();
    for (token, status) in [("rl_old", 401), ("rl_dashboard", 200), ("rl_new", 200)] {
        let answer = world.ask_as(token, "{ me { name } }", json!({})).await;
        assert_eq!(answer.status, status, "{token}");
    }
}

#[tokio::test]
async fn the_store_keeps_no_token_that_can_be_used() {
    let world = World::start().await;
    let token = world.token(&[Scope::CallRead]).await;
    let kept = world.stores.secrets.list("token").await.unwrap();
    assert_eq!(kept.len(), 2);
    for (key, value) in kept {
        assert!(!key.contains(&token) && !value.contains(&token));
        let answer = world.ask_as(&key, "{ me { name } }", json!({})).await;
        assert_eq!(answer.status, 401);
    }
}

#[tokio::test]
async fn names_of_the_schema_are_not_given_away_by_suggestions() {
    let world = World::start().await;
    let nobody = world.token(&[]).await;
    for query in [
        "{ cals { nodes { id } } }",
        "{ me { nam } }",
        "{ calls(frst: 1) { nodes { id } } }",
        "{ me @skip(iff: true) { name } }",
    ] {
        let answer = world.ask_as(&nobody, query, json!({})).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR");
        assert!(
            !answer.body.to_string().contains("Did you mean"),
            "{:#}",
            answer.body
        );
    }
}
