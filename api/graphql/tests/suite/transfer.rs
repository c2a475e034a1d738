//! An agent sends the caller into another queue, as the API takes it and shows it.

use crate::world::{World, uuid};
use serde_json::{Value, json};
use uuid::Uuid;

const ERRORS: &str = "position userErrors { code message field }";
const NAME: &str = "blindTransfer";

#[tokio::test]
async fn an_agent_transfers_the_own_call_and_what_speaks_against_it_names_its_field() {
    let world = World::start().await;
    let sales = world.queue("sales").await;
    let help = world.queue("help").await;
    let closed = world.queue("closed").await;
    let close = json!({"queueId": closed.to_string(), "reason": "party"});
    world.order("closeQueue", close, "position").await;
    let ann = world.agent("ann", sales).await;
    let bert = world.agent("bert", sales).await;
    let ringing = world.ring(sales, "+4930111").await;
    let call = ringing.call.to_string();
    let to = |queue: String| json!({"callId": call, "queueId": queue});
    let refused = async |token: &str, queue: String, code: &str, field: &str| {
        let answer = world.order_as(token, NAME, uuid(), to(queue), ERRORS);
        let errors = answer.await.data()[NAME]["userErrors"].clone();
        assert_eq!(errors[0]["code"], code, "{errors}");
        assert_eq!(errors[0]["field"], field, "{errors}");
    };
    let hers = world.desktop(ann).await;
    let his = world.desktop(bert).await;
    refused(&hers, help.to_string(), "call.not_connected", "callId").await;
    world.connect(&ringing, ann).await;
    let before = world.head();
    let nobody = Uuid::nil().to_string();
    refused(&hers, nobody, "input.unknown_queue", "queueId").await;
    refused(&hers, closed.to_string(), "input.queue_closed", "queueId").await;
    refused(&hers, sales.to_string(), "call.answered_there", "queueId").await;
    refused(&his, help.to_string(), "call.others_call", "callId").await;
    assert_eq!(world.head(), before, "the two talk on");
    let shown = "state queue { id name } agent { name } answeredAt";
    let order = uuid();
    let transfer = async || {
        let input = to(help.to_string());
        let done = world.order_as(&hers, NAME, order, input, ERRORS).await;
        done.data()[NAME].clone()
    };
    let done = transfer().await;
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(transfer().await, done, "one order has one effect");
    let live = now(&world, &call, shown).await;
    assert_eq!(live["state"], "WAITING", "{live}");
    assert_eq!(live["queue"]["name"], "help");
    assert!(live["agent"].is_null() && live["answeredAt"].is_string());
    is_on_record(&world, &call, &live["queue"]["id"]).await;
}

async fn now(world: &World, call: &str, shown: &str) -> Value {
    let head = world.head();
    let query = format!("{{ call(id: \"{call}\", minPosition: \"{head}\") {{ {shown} }} }}");
    world.data(&query).await["call"].clone()
}

/// The caller does not wait for anybody.
async fn is_on_record(world: &World, call: &str, to: &Value) {
    let end = json!({"callId": call});
    world.order("hangUp", end, "call { disposition }").await;
    let query = format!(
        "{{ cdrs(minPosition: \"{}\") {{ nodes {{ transfersCount legs {{ role outcome \
         transferredTo segments {{ kind endReason }} }} }} }} }}",
        world.head()
    );
    let record = world.data(&query).await["cdrs"]["nodes"][0].clone();
    assert_eq!(record["transfersCount"], 1, "{record}");
    let leg = &record["legs"][1];
    assert_eq!(leg["outcome"], "TRANSFERRED", "{leg}");
    assert_eq!(leg["transferredTo"], *to);
    let talk = json!({"kind": "TALK", "endReason": "TRANSFERRED"});
    assert!(leg["segments"].as_array().unwrap().contains(&talk), "{leg}");
}
