//! Whoever asks again with the same command id hears the first answer, whatever was
//! changed since that would speak against the order now.

use crate::world::World;
use domain::{any::AnyCommand, queue};
use serde_json::{Value, json};
use uuid::Uuid;

const DONE: &str = "position userErrors { code }";

impl World {
    async fn again(&self, mutation: &str, id: u128, input: &Value) -> Value {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + id);
        let answer = self.order_as(&self.admin, mutation, id, input.clone(), DONE);
        answer.await.data()[mutation].clone()
    }
}

#[tokio::test]
async fn an_order_that_was_carried_out_is_not_refused_when_it_is_asked_again() {
    let world = World::start().await;
    let id = world.queue("support").await;
    let queue = id.to_string();
    let agent = json!({"name": "anna", "password": "secret", "queueIds": [queue]});
    let overflow = json!([{"when": "FULL", "queueId": queue}]);
    let other = json!({"name": "sales", "overflow": overflow});
    let callback = json!({"queueId": queue, "number": "+4930111"});
    let orders = [
        ("createAgent", 1, agent),
        ("createQueue", 2, other),
        ("requestCallback", 3, callback),
    ];
    let mut first = vec![];
    for (mutation, id, input) in &orders {
        let answer = world.again(mutation, *id, input).await;
        assert_eq!(answer["userErrors"], json!([]), "{mutation}");
        first.push(answer);
    }
    // The queue is not there any more: nothing of that could be ordered now.
    let delete = queue::Command::Delete {
        by: "test".into(),
        why: "over".into(),
    };
    let deleted = world.dispatch(AnyCommand::Queue(id, delete)).await;
    world.directory.wait_for(deleted.position).await;
    for ((mutation, id, input), first) in orders.iter().zip(&first) {
        assert_eq!(
            &world.again(mutation, *id, input).await,
            first,
            "{mutation}"
        );
        let anew = world.again(mutation, id + 10, input).await;
        assert_ne!(anew["userErrors"], json!([]), "{mutation}");
    }
}
