//! Two people order at once: whoever has not seen what the other did is told so, and a
//! retry is no second order.

use crate::world::{Answer, World, uuid};
use commands::ports::Clock as _;
use domain::{
    any::AnyCommand,
    call,
    cause::WireCause,
    id::{AgentId, CallId, LegId, OfferId, QueueId, SessionId, VisitId},
    queue, session,
};
use ringledger_graphql::auth::Scope;
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

const ERRORS: &str = "position userErrors { code message field }";

impl World {
    async fn tell(&self, mutation: &str, id: Uuid, input: Value) -> Answer {
        self.order_as(&self.admin, mutation, id, input, ERRORS)
            .await
    }

    /// The order is carried out.
    async fn done(&self, mutation: &str, id: Uuid, input: Value) -> Value {
        let answer = self.tell(mutation, id, input).await.data()[mutation].clone();
        assert_eq!(answer["userErrors"], json!([]), "{mutation}");
        answer
    }

    /// It is refused because it is about another revision; nothing is written.
    async fn conflicts(&self, mutation: &str, input: Value, says: &str) {
        let before = self.head();
        let answer = self.tell(mutation, uuid(), input).await;
        assert_eq!((answer.code(), answer.message()), ("CONFLICT", says));
        assert_eq!(self.head(), before, "{mutation}");
    }

    /// The views know all that was written so far of that call.
    async fn sees_call(&self, call: CallId) -> Value {
        let query =
            "query Q($id: ID!, $at: Cursor) { call(id: $id, minPosition: $at) { visitId } }";
        let variables = json!({ "id": call.to_string(), "at": self.head().to_string() });
        self.ask(query, variables).await.data()["call"].clone()
    }

    /// As the views that know everything tell it.
    async fn session_revision(&self, agent: AgentId) -> i64 {
        let query = "query Q($id: ID!, $at: Cursor) { agent(id: $id, minPosition: $at) \
                     { sessionRevision } }";
        let variables = json!({ "id": agent.to_string(), "at": self.head().to_string() });
        let answer = self.ask(query, variables).await.data();
        answer["agent"]["sessionRevision"].as_i64().unwrap()
    }

    async fn revision(&self, of: &str, id: impl ToString) -> Value {
        let query = format!(
            "query Q($id: ID!, $at: Cursor) {{ {of}(id: $id, minPosition: $at) {{ revision }} }}"
        );
        let variables = json!({ "id": id.to_string(), "at": self.head().to_string() });
        let answer = self.ask(&query, variables).await;
        answer.data()[of]["revision"].clone()
    }
}

fn with(mut input: Value, revision: i32) -> Value {
    input["expectedRevision"] = json!(revision);
    input
}

#[tokio::test]
async fn whoever_orders_about_a_queue_as_it_was_hears_both_revisions() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let anna = world.agent("anna", queue).await;
    let id = || queue.to_string();
    let change = |capacity: i32| json!({ "queueId": id(), "capacity": capacity });
    world.done("updateQueue", uuid(), with(change(7), 1)).await;
    world
        .conflicts("updateQueue", with(change(9), 1), "revision is 2, not 1")
        .await;
    for (part, said) in [
        ("setCalendar", json!({ "queueId": id(), "calendar": {} })),
        ("setRoutingPolicy", json!({ "queueId": id(), "policy": {} })),
    ] {
        let says = "revision is 2, not 1";
        world.conflicts(part, with(said, 1), says).await;
    }
    // The doors and the members are the queue's, too.
    let door = json!({ "queueId": id(), "reason": "storm" });
    world
        .done("closeQueue", uuid(), with(door.clone(), 2))
        .await;
    world
        .conflicts("openQueue", with(door.clone(), 2), "revision is 3, not 2")
        .await;
    let says = "revision is 3, not 8";
    world
        .conflicts("followQueueHours", with(door.clone(), 8), says)
        .await;
    let member = json!({
        "queueId": id(), "agentId": anna.to_string(), "reason": "training",
    });
    world
        .conflicts(
            "pauseMember",
            with(member.clone(), 1),
            "revision is 3, not 1",
        )
        .await;
    world
        .done("pauseMember", uuid(), with(member.clone(), 3))
        .await;
    world
        .conflicts("unpauseMember", with(member, 3), "revision is 4, not 3")
        .await;
    world
        .conflicts("deleteQueue", with(door.clone(), 3), "revision is 4, not 3")
        .await;
    assert_eq!(world.revision("queue", id()).await, 4);
    // Without one, whatever it is at.
    world.done("openQueue", uuid(), door).await;
}

#[tokio::test]
async fn whoever_orders_about_an_agent_as_it_was_hears_both_revisions() {
    let world = World::start().await;
    let (sales, support) = (world.queue("sales").await, world.queue("support").await);
    let anna = world.agent("anna", sales).await;
    let order = |input: Value| {
        let mut input = input;
        input["agentId"] = json!(anna.to_string());
        input
    };
    let place =
        |tier: i32| order(json!({ "place": { "queueId": support.to_string(), "tier": tier } }));
    let skill = |level: i32| order(json!({ "skill": "german", "level": level }));
    world.done("addMember", uuid(), with(place(2), 1)).await;
    let says = "revision is 2, not 1";
    world
        .conflicts("updateMember", with(place(3), 1), says)
        .await;
    world.conflicts("addMember", with(place(3), 1), says).await;
    world
        .conflicts("assignSkill", with(skill(3), 1), says)
        .await;
    let gone = order(json!({ "queueId": support.to_string() }));
    world.conflicts("removeMember", with(gone, 1), says).await;
    world.done("assignSkill", uuid(), with(skill(3), 2)).await;
    let unlearns = order(json!({ "skill": "german" }));
    let says = "revision is 3, not 2";
    world
        .conflicts("removeSkill", with(unlearns, 2), says)
        .await;
    assert_eq!(world.revision("agent", anna).await, 3);
}

#[tokio::test]
async fn whoever_orders_about_what_an_agent_does_as_it_was_hears_both_revisions() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let anna = world.agent("anna", queue).await;
    let order = |mut input: Value, revision: i32| {
        input["agentId"] = json!(anna.to_string());
        with(input, revision)
    };
    let plain = |revision| order(json!({}), revision);
    let rest = |revision| order(json!({ "reason": "BREAK" }), revision);
    let forced =
        |state: &str, revision| order(json!({ "state": state, "reason": "rush_hour" }), revision);
    let says = |now: i32, then: i32| format!("revision is {now}, not {then}");
    world.conflicts("agentReady", plain(1), &says(0, 1)).await;
    let first = uuid();
    let ready = world.done("agentReady", first, plain(0)).await;
    // Logged in, and ready.
    assert_eq!(world.session_revision(anna).await, 2);
    world.conflicts("agentNotReady", rest(0), &says(2, 0)).await;
    world.done("agentNotReady", uuid(), rest(2)).await;
    let early = forced("READY", 2);
    world.conflicts("forceAgentState", early, &says(3, 2)).await;
    let by_supervisor = uuid();
    let decided = world
        .done("forceAgentState", by_supervisor, forced("READY", 3))
        .await;
    assert_eq!(world.session_revision(anna).await, 5);
    world.conflicts("agentLogOut", plain(4), &says(5, 4)).await;
    world.done("agentLogOut", uuid(), plain(5)).await;
    let more = order(json!({ "byMs": "1000" }), 5);
    world.conflicts("extendWrapUp", more, &says(6, 5)).await;
    world
        .conflicts("completeWrapUp", plain(1), &says(6, 1))
        .await;
    // The next login goes on from there: what was seen in the one before counts no more.
    world.conflicts("agentReady", plain(5), &says(6, 5)).await;
    world.done("agentNotReady", uuid(), rest(6)).await;
    let now = world.session_revision(anna).await;
    assert_eq!(now, 9);
    for then in [2, 3, 6] {
        let late = forced("READY", then);
        world
            .conflicts("forceAgentState", late, &says(9, then))
            .await;
    }
    // A retry hears the first answer, also of the login before.
    let again = world.done("agentReady", first, plain(0)).await;
    assert_eq!(again["position"], ready["position"]);
    let again = world
        .done("forceAgentState", by_supervisor, forced("READY", 3))
        .await;
    assert_eq!(again["position"], decided["position"]);
    assert_eq!(world.session_revision(anna).await, now);
    // Without one, whatever it is at.
    let input = json!({ "agentId": anna.to_string() });
    world.done("agentReady", uuid(), input).await;
}

#[tokio::test]
async fn an_order_that_was_carried_out_is_so_when_it_is_repeated_whatever_came_since() {
    let world = World::start().await;
    let (sales, support) = (world.queue("sales").await, world.queue("support").await);
    let anna = world.agent("anna", sales).await;
    let ringing = world.ring(sales, "1001").await;
    let member = json!({
        "queueId": sales.to_string(), "agentId": anna.to_string(), "reason": "training",
    });
    let place = json!({ "agentId": anna.to_string(), "place": { "queueId": support.to_string() } });
    let priority = json!({ "callId": ringing.call.to_string(), "priority": 9 });
    let meant = json!({ "callId": ringing.call.to_string(), "agentId": anna.to_string() });
    let moved = json!({
        "callId": ringing.call.to_string(), "queueId": support.to_string(), "reason": "busy",
    });
    let gone = json!({ "queueId": support.to_string(), "reason": "merged" });
    let first = [
        ("setPriority", uuid(), priority),
        ("assignVisit", uuid(), meant),
        ("pauseMember", uuid(), with(member, 1)),
        ("addMember", uuid(), with(place, 1)),
        ("requeueVisit", uuid(), moved),
    ];
    let mut heard = vec![];
    world.sees_call(ringing.call).await;
    for (mutation, id, input) in &first {
        heard.push(world.done(mutation, *id, input.clone()).await);
    }
    // Since then: the agent serves the queue no longer, the caller has left, and the
    // other queue is gone.
    let leaves = json!({ "agentId": anna.to_string(), "queueId": sales.to_string() });
    world.done("removeMember", uuid(), leaves).await;
    world.hang_up(&ringing, ringing.leg).await;
    let away = uuid();
    let deleted = world.done("deleteQueue", away, gone.clone()).await;
    let before = world.head();
    for ((mutation, id, input), first) in first.iter().zip(heard) {
        let again = world.done(mutation, *id, input.clone()).await;
        assert_eq!(again, first, "{mutation}");
    }
    assert_eq!(world.done("deleteQueue", away, gone).await, deleted);
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn an_order_about_a_stay_that_is_over_is_refused() {
    let world = World::start().await;
    let (sales, support) = (world.queue("sales").await, world.queue("support").await);
    let anna = world.agent("anna", sales).await;
    let ringing = world.ring(sales, "1001").await;
    let visit = world.sees_call(ringing.call).await["visitId"].clone();
    assert_eq!(visit, json!(ringing.visit.to_string()));
    let about = |mut input: Value, visit: &Value| {
        input["callId"] = json!(ringing.call.to_string());
        input["visitId"] = visit.clone();
        input
    };
    let to = |queue: QueueId| json!({ "queueId": queue.to_string(), "reason": "busy" });
    let moves = about(to(support), &visit);
    world.done("requeueVisit", uuid(), moves).await;
    world.sees_call(ringing.call).await;
    let other = json!(VisitId(uuid()).to_string());
    let orders = [
        ("requeueVisit", to(sales)),
        ("setPriority", json!({ "priority": 3 })),
        ("assignVisit", json!({ "agentId": anna.to_string() })),
        ("hangUp", json!({})),
        ("withdrawVisit", json!({ "reason": "abuse" })),
    ];
    for stale in [&visit, &other] {
        for (mutation, input) in orders.clone() {
            let answer = world.tell(mutation, uuid(), about(input, stale)).await;
            let error = &answer.data()[mutation]["userErrors"][0];
            let said = (&error["code"], &error["field"]);
            let expected = (&json!("call.stale_visit"), &json!("visitId"));
            assert_eq!(said, expected, "{mutation}");
        }
    }
}

/// To say where calls wait, and who waits at all, is another right than to end any call.
#[tokio::test]
async fn a_supervisor_needs_no_right_to_end_calls() {
    let world = World::start().await;
    let (sales, support) = (world.queue("sales").await, world.queue("support").await);
    let ringing = world.ring(sales, "1001").await;
    let call = ringing.call.to_string();
    world.sees_call(ringing.call).await;
    let carla = world.token(&[Scope::CallSupervise]).await;
    let moved = json!({ "callId": call, "queueId": support.to_string(), "reason": "busy" });
    let orders = [
        ("setPriority", json!({ "callId": call, "priority": 9 })),
        ("requeueVisit", moved),
    ];
    for (mutation, input) in orders {
        let answer = world.order_as(&carla, mutation, uuid(), input, ERRORS);
        let answer = answer.await.data()[mutation].clone();
        assert_eq!(answer["userErrors"], json!([]), "{mutation}");
    }
    let input = json!({ "callId": call });
    let answer = world.order_as(&carla, "hangUp", uuid(), input, ERRORS);
    assert_eq!(answer.await.code(), "AUTHORIZATION_ERROR");
    let stay = world.sees_call(ringing.call).await["visitId"].clone();
    let input = json!({ "callId": call, "visitId": stay, "reason": "abuse" });
    let answer = world.order_as(&carla, "withdrawVisit", uuid(), input, ERRORS);
    let answer = answer.await.data()["withdrawVisit"].clone();
    assert_eq!(answer["userErrors"], json!([]), "{answer}");
}

/// The agent is reserved, and the call has not yet said that the phone is to ring.
#[tokio::test]
async fn an_offer_is_rejected_before_its_phone_rings() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let anna = world.agent("anna", queue).await;
    let ringing = world.ring(queue, "1001").await;
    let session = SessionId {
        agent: anna,
        number: 1,
    };
    let offer = OfferId(uuid());
    reserved(&world, session, queue, (&ringing, offer)).await;
    let input = json!({ "agentId": anna.to_string(), "offerId": offer.to_string() });
    world.sees_call(ringing.call).await;
    let mut rejects = pin!(world.tell("rejectOffer", uuid(), input));
    let early = timeout(Duration::from_millis(300), &mut rejects).await;
    assert!(early.is_err(), "not before the phone is to ring: {early:?}");
    let start = call::Command::StartOffer {
        offer,
        visit: ringing.visit,
        session,
        leg: LegId(uuid()),
        until: world.clock.now().plus_ms(20_000),
        beside: false,
    };
    world.dispatch(AnyCommand::Call(ringing.call, start)).await;
    let rejected = rejects.await;
    let rejected = rejected.data()["rejectOffer"].clone();
    assert_eq!(rejected["userErrors"], json!([]));
    assert_eq!(rejected["position"], json!(world.head().to_string()));
}

/// At the desk each agent answers for the own phone.
#[tokio::test]
async fn an_agent_answers_the_own_offer_once_it_rings_and_no_other() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let (anna, ben) = (
        world.agent("anna", queue).await,
        world.agent("ben", queue).await,
    );
    let (hers, his) = (world.desktop(anna).await, world.desktop(ben).await);
    let ringing = world.ring(queue, "1001").await;
    let session = SessionId {
        agent: anna,
        number: 1,
    };
    let (offer, leg) = (OfferId(uuid()), LegId(uuid()));
    reserved(&world, session, queue, (&ringing, offer)).await;
    let start = call::Command::StartOffer {
        offer,
        visit: ringing.visit,
        session,
        leg,
        until: world.clock.now().plus_ms(20_000),
        beside: false,
    };
    world.dispatch(AnyCommand::Call(ringing.call, start)).await;
    let name = "acceptOffer";
    let input =
        |agent: AgentId| json!({ "agentId": agent.to_string(), "offerId": offer.to_string() });
    let error = async |token: &str, agent: AgentId| {
        let answer = world.order_as(token, name, uuid(), input(agent), ERRORS);
        answer.await.data()[name]["userErrors"][0]["code"].clone()
    };
    world.sees_call(ringing.call).await;
    assert_eq!(error(&hers, anna).await, "call.not_ringing");
    assert_eq!(error(&his, ben).await, "input.not_offered");
    let rings = call::Command::RecordAlerting { leg };
    world.dispatch(AnyCommand::Call(ringing.call, rings)).await;
    let answer = world.order_as(&his, name, uuid(), input(anna), ERRORS);
    assert_eq!(answer.await.code(), "AUTHORIZATION_ERROR");
    assert_eq!(error(&hers, anna).await, json!(null));
    let refuses = call::Command::RecordAnswerOrderRefused {
        leg,
        wire: WireCause::default(),
    };
    world
        .dispatch(AnyCommand::Call(ringing.call, refuses))
        .await;
    assert_eq!(error(&hers, anna).await, "call.no_answer_by_order");
}

/// The agent logs in and is reserved for that call.
pub(crate) async fn reserved(
    world: &World,
    session: SessionId,
    queue: QueueId,
    (ringing, offer): (&crate::world::Ringing, OfferId),
) {
    let agent: AgentId = session.agent;
    let login = session::Command::LogIn {
        session,
        ready: true,
    };
    world.dispatch(AnyCommand::Session(session, login)).await;
    let reserve = session::Command::Reserve {
        offer,
        call: ringing.call,
        visit: ringing.visit,
        queue,
        until: world.clock.now().plus_ms(25_000),
        wrap_up_ms: 0,
        choice: None,
        terms: queue::Terms::STANDARD,
        capacity: 1,
    };
    let done = world.dispatch(AnyCommand::Session(session, reserve)).await;
    assert!(done.changed, "{agent}");
}

#[tokio::test]
async fn whoever_describes_the_seller_as_it_was_hears_both_revisions() {
    let world = World::start().await;
    let query = "{ seller { revision name taxId dueDays taxRates { country percent } } }";
    assert_eq!(world.data(query).await["seller"], Value::Null);
    let seller = |name: &str| {
        json!({
            "name": name, "address": ["Street 1"], "country": "DE", "taxId": "DE123456789",
            "taxRates": [{"country": "DE", "category": "STANDARD", "percent": "19",
                          "from": "2021-01-01"}],
        })
    };
    let order = "configureSeller";
    world.done(order, uuid(), with(seller("One"), 0)).await;
    world
        .conflicts(order, with(seller("Two"), 0), "revision is 1, not 0")
        .await;
    world.done(order, uuid(), with(seller("Two"), 1)).await;
    let told = json!({
        "revision": 2, "name": "Two", "taxId": "DE123456789", "dueDays": 14,
        "taxRates": [{"country": "DE", "percent": "19"}],
    });
    assert_eq!(world.data(query).await["seller"], told);
}
