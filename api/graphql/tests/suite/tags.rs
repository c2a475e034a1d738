//! Who may note something of a call, and on what it stands then.

use crate::world::{World, uuid};
use ringledger_graphql::auth::Scope;
use serde_json::json;

const DONE: &str = "position userErrors { code field }";

#[tokio::test]
async fn an_agent_tags_the_own_calls_and_no_others() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let bob = world.agent("bob", queue).await;
    let (mine, other) = (world.desktop(ann).await, world.desktop(bob).await);
    let ringing = world.ring(queue, "+4930111").await;
    let leg = world.connect(&ringing, ann).await;
    let (call, head) = (ringing.call, world.head());
    world
        .data(&format!(
            "{{ activeCalls(minPosition: \"{head}\") {{ nodes {{ id }} }} }}"
        ))
        .await;
    let tag = async |token: &str, tag: &str| {
        let input = json!({"callId": call.to_string(), "add": [tag]});
        world.order_as(token, "tagCall", uuid(), input, DONE).await
    };
    let done = tag(&mine, "one").await.data()["tagCall"].clone();
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(tag(&other, "two").await.code(), "AUTHORIZATION_ERROR");
    let reader = world.token(&[Scope::CallRead]).await;
    assert_eq!(tag(&reader, "two").await.code(), "AUTHORIZATION_ERROR");
    // After the end too.
    let ended = world.hang_up(&ringing, leg).await;
    let query = format!("{{ cdrs(minPosition: \"{ended}\") {{ nodes {{ tags }} }} }}");
    let record = world.data(&query).await;
    assert_eq!(record["cdrs"]["nodes"], json!([{"tags": ["one"]}]));
    assert_eq!(tag(&other, "two").await.code(), "AUTHORIZATION_ERROR");
    let done = tag(&mine, "three").await.data()["tagCall"].clone();
    assert_eq!(done["userErrors"], json!([]));
    let supervisor = world.token(&[Scope::CallSupervise]).await;
    let done = tag(&supervisor, "four").await.data()["tagCall"].clone();
    assert_eq!(done["userErrors"], json!([]));
}

#[tokio::test]
async fn who_tags_a_call_that_has_changed_since_hears_of_it() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ringing = world.ring(queue, "+4930111").await;
    let tag = async |revision: i32| {
        let call = ringing.call.to_string();
        let input = json!({"callId": call, "add": ["vip"], "expectedRevision": revision});
        let token = world.token(&[Scope::All]).await;
        world.order_as(&token, "tagCall", uuid(), input, DONE).await
    };
    // Received, routed, enqueued.
    assert_eq!(tag(2).await.code(), "CONFLICT");
    let done = tag(3).await.data()["tagCall"].clone();
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(tag(3).await.code(), "CONFLICT");
}

#[tokio::test]
async fn a_call_that_is_not_known_is_not_tagged() {
    let world = World::start().await;
    for said in [json!({"add": ["vip"]}), json!({"userField": "of nobody"})] {
        let mut input = said;
        input["callId"] = json!(uuid().to_string());
        let refused = world.order("tagCall", input, DONE).await;
        let errors = json!([{"code": "call.unknown", "field": "callId"}]);
        assert_eq!(refused["userErrors"], errors);
        assert!(refused["position"].is_null());
    }
}
