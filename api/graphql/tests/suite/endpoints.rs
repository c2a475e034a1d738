//! What is not GraphQL, and the form of HTTP requests.

use crate::world::World;
use ringledger_graphql::{Options, auth::Scope};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn health_and_readiness_are_told_to_anybody() {
    let world = World::start().await;
    let response = world.get("/health").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let response = world.get("/ready").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"ready": true, "checks": {"store": true}}));

    world.ready.store(false, Ordering::SeqCst);
    let response = world.get("/ready").send().await.unwrap();
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"ready": false, "checks": {"store": false}}));
    assert_eq!(world.get("/health").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn metrics_need_a_token_with_their_scope() {
    let world = World::start().await;
    assert_eq!(world.get("/metrics").send().await.unwrap().status(), 401);
    let token = world.token(&[Scope::CallRead]).await;
    let response = world
        .get("/metrics")
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    let token = world.token(&[Scope::MetricsRead]).await;
    let response = world
        .get("/metrics")
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "ringledger_calls_count 7\n");
}

#[tokio::test]
async fn the_page_is_static_and_holds_no_secret() {
    let world = World::start().await;
    let response = world.get("/").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let page = response.text().await.unwrap();
    assert!(page.contains("GraphiQL"));
    assert!(!page.contains(&world.admin));
}

#[tokio::test]
async fn only_json_is_taken() {
    let world = World::start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let response = world
            .post()
            .bearer_auth(&world.admin)
            .header("content-type", content_type)
            .body("{\"query\":\"{ me { name } }\"}")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 415, "{content_type}");
    }
    let response = world
        .get("/graphql")
        .bearer_auth(&world.admin)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn what_is_not_one_request_is_refused_as_that() {
    let world = World::start().await;
    for body in [
        "",
        "{",
        "[]",
        "7",
        "{\"query\": 7}",
        "[{\"query\": \"{ me { name } }\"}]",
    ] {
        let response = world
            .post()
            .bearer_auth(&world.admin)
            .header("content-type", "application/json; charset=utf-8")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(
            answer["errors"][0]["extensions"]["code"],
            "VALIDATION_ERROR"
        );
    }
}

#[tokio::test]
async fn a_subscription_has_no_place_in_a_post() {
    let world = World::start().await;
    let answer = world
        .ask("subscription { queueStats { name } }", json!({}))
        .await;
    assert_eq!(answer.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_so() {
    let options = Options {
        requests_per_second: 1,
        requests_burst_max: 3,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let mut statuses = vec![];
    for _ in 0..4 {
        let answer = world.ask("{ me { name } }", json!({})).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.code(), "RATE_LIMITED");
        }
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let other = world.token(&[]).await;
    assert_eq!(
        world
            .ask_as(&other, "{ me { name } }", json!({}))
            .await
            .status,
        200
    );
}
