//! A supervisor takes a call from its agent, as the API shows it.

use crate::world::World;
use domain::{
    any::AnyCommand,
    call::Command,
    id::{AgentId, LegId},
};
use serde_json::{Value, json};

const ERRORS: &str = "position userErrors { code field }";
const SHOWN: &str = "state agent { name } supervision { mode startedAt supervisor { name } }";

/// The leg to the phone of whoever was asked last.
async fn supervisors_leg(world: &World) -> LegId {
    let page = world.stores.log.read_all(Default::default(), 1_000).await;
    let events = page.unwrap().events;
    let mut events = events.iter().rev();
    let asked = events.find(|event| &*event.event_type == "supervision_requested");
    let payload: Value = serde_json::from_str(&asked.unwrap().payload).unwrap();
    let leg = &payload["event"]["supervision_requested"]["leg"];
    LegId(leg.as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_call_that_is_taken_over_shows_who_has_it_and_is_not_given_back() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let [sam, tom] = [
        world.agent("sam", queue).await,
        world.agent("tom", queue).await,
    ];
    let ringing = world.ring(queue, "+4930111").await;
    world.connect(&ringing, ann).await;
    let call = ringing.call.to_string();
    let order = |agent: AgentId, mode: &str| json!({"callId": call, "agentId": agent.to_string(), "mode": mode});
    let shown = async || {
        let query = format!(
            "{{ call(id: \"{call}\", minPosition: \"{}\") {{ {SHOWN} }} }}",
            world.head()
        );
        world.data(&query).await["call"].clone()
    };
    let name = "superviseCall";
    let done = world.order(name, order(sam, "TAKEOVER"), ERRORS).await;
    assert_eq!(done["userErrors"], json!([]));
    let rings = shown().await;
    assert_eq!(rings["supervision"]["mode"], "TAKEOVER");
    assert!(rings["supervision"]["startedAt"].is_null(), "{rings}");
    let answer = Command::RecordAnswer {
        leg: supervisors_leg(&world).await,
        codec: None,
        device: None,
    };
    world.dispatch(AnyCommand::Call(ringing.call, answer)).await;
    let taken = shown().await;
    assert_eq!(taken["state"], "CONNECTED");
    assert_eq!(taken["agent"]["name"], "ann");
    assert_eq!(taken["supervision"]["supervisor"]["name"], "sam");
    assert!(taken["supervision"]["startedAt"].is_string(), "{taken}");
    // The same order again is obeyed already; no other is.
    let done = world.order(name, order(sam, "TAKEOVER"), ERRORS).await;
    assert_eq!(done["userErrors"], json!([]));
    let refusal = json!([{"code": "call.taken_over", "field": "callId"}]);
    for (agent, mode) in [(sam, "LISTEN"), (tom, "TAKEOVER"), (ann, "BARGE")] {
        let refused = world.order(name, order(agent, mode), ERRORS).await;
        assert_eq!(refused["userErrors"], refusal, "{mode}");
    }
    let stop = json!({"callId": call});
    let refused = world.order("stopSupervising", stop, ERRORS).await;
    assert_eq!(refused["userErrors"], refusal);
    // Any call is ended by an order.
    let end = json!({"callId": call});
    let done = world
        .order("hangUp", end, "call { hangupBy endReason disposition }")
        .await;
    assert_eq!(
        done["call"],
        json!({"hangupBy": "SUPERVISOR", "endReason": "OPERATOR", "disposition": "ANSWERED"})
    );
    let query = format!(
        "{{ cdrs(minPosition: \"{}\") {{ nodes {{ legs {{ role supervisionEnd segments {{ kind \
         }} }} }} }} }}",
        world.head()
    );
    let legs = world.data(&query).await["cdrs"]["nodes"][0]["legs"].clone();
    let role = |leg: &Value| (leg["role"].clone(), leg["supervisionEnd"].clone());
    assert_eq!(
        role(&legs[2]),
        (json!("SUPERVISOR"), json!("TAKEN_OVER")),
        "{legs}"
    );
    assert_eq!(legs[2]["segments"], json!([{"kind": "TAKEOVER"}]));
}
