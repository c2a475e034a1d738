//! Every mutation: what it does, what it refuses, and that a retry is one.

use crate::world::{World, uuid};
use commands::credentials;
use domain::id::{AgentId, DEFAULT_TENANT, TrunkId};
use serde_json::{Value, json};

const ERRORS: &str = "position userErrors { code message field }";

fn position(payload: &Value) -> u64 {
    payload["position"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_queue_is_made_and_can_be_read_at_once() {
    let world = World::start().await;
    let input = json!({
        "name": "sales", "ringTimeoutMs": "15000", "wrapUpMs": 1000, "answerMode": "ON_AGENT",
        "maxWaitMs": 60000, "capacity": 5, "serviceLevelThresholdMs": 10000, "numbers": ["4711"],
    });
    let selection = format!(
        "{ERRORS} queue {{ id name revision config {{ strategy ringTimeoutMs wrapUpMs \
         answerMode maxWaitMs capacity serviceLevelThresholdMs numbers }} }}"
    );
    let made = world.order("createQueue", input, &selection).await;
    assert_eq!(made["userErrors"], json!([]));
    assert_eq!(position(&made), world.head());
    assert_eq!(made["queue"]["name"], "sales");
    assert_eq!(made["queue"]["revision"], 1);
    assert_eq!(
        made["queue"]["config"],
        json!({
            "strategy": "LONGEST_IDLE", "ringTimeoutMs": "15000", "wrapUpMs": "1000",
            "answerMode": "ON_AGENT", "maxWaitMs": "60000", "capacity": 5,
            "serviceLevelThresholdMs": "10000", "numbers": ["4711"],
        })
    );
    assert!(world.directory.resolve("4711").is_some());
}

#[tokio::test]
async fn a_refusal_is_data_with_a_code_and_a_field() {
    let world = World::start().await;
    world.queue("sales").await;
    let before = world.head();
    for (input, code, field) in [
        (json!({"name": "Sales"}), "queue.already_exists", "name"),
        (json!({"name": "a b"}), "queue.invalid_name", "name"),
        (
            json!({"name": "b", "ringTimeoutMs": 1}),
            "queue.invalid_ring_timeout",
            "ringTimeoutMs",
        ),
        (
            json!({"name": "b", "capacity": -1}),
            "queue.invalid_capacity",
            "capacity",
        ),
        (
            json!({"name": "b", "serviceLevelTargetPercent": 101}),
            "queue.invalid_target",
            "serviceLevelTargetPercent",
        ),
        (
            json!({"name": "b", "serviceLevelTargetPercent": -80}),
            "queue.invalid_target",
            "serviceLevelTargetPercent",
        ),
        (
            json!({"name": "b", "wrapUpMs": 90000000}),
            "queue.invalid_wrap_up",
            "wrapUpMs",
        ),
        (
            json!({"name": "b", "numbers": ["1 2"]}),
            "queue.invalid_number",
            "numbers",
        ),
    ] {
        let refused = world
            .order("createQueue", input, &format!("{ERRORS} queue {{ id }}"))
            .await;
        assert_eq!(refused["position"], json!(null));
        assert_eq!(refused["queue"], json!(null));
        assert_eq!(refused["userErrors"][0]["code"], code);
        assert_eq!(refused["userErrors"][0]["field"], field);
        assert!(
            !refused["userErrors"][0]["message"]
                .as_str()
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn the_same_command_again_has_one_effect_and_hears_the_first_answer() {
    let world = World::start().await;
    let id = uuid();
    let order = async |input| {
        let answer = world
            .order_as(&world.admin, "createQueue", id, input, ERRORS)
            .await;
        answer.data()["createQueue"].clone()
    };
    let first = order(json!({"name": "sales"})).await;
    assert_eq!(order(json!({"name": "sales"})).await, first);
    // Another order under the same id is another command.
    let other = order(json!({"name": "support"})).await;
    assert_eq!(other["userErrors"], json!([]));
    assert!(position(&other) > position(&first));
    assert_eq!(position(&other), world.head());
}

#[tokio::test]
async fn a_command_id_is_a_uuid() {
    let world = World::start().await;
    let answer = world
        .ask(
            "mutation { hangUp(input: {commandId: \"7\", callId: \"x\"}) { position } }",
            json!({}),
        )
        .await;
    assert_eq!(answer.code(), "VALIDATION_ERROR");
    assert!(answer.message().contains("commandId"));
}

#[tokio::test]
async fn an_agent_is_made_and_its_password_is_kept_only_as_hashes() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let input = json!({
        "name": "ann", "password": "correct horse", "displayName": "Ann Example",
        "queueIds": [queue.to_string()], "readyOnRegister": false,
    });
    let selection = format!(
        "{ERRORS} agent {{ name displayName state readyOnRegister devicesCount queues {{ name }} }}"
    );
    let made = world.order("createAgent", input, &selection).await;
    assert_eq!(made["userErrors"], json!([]));
    assert_eq!(
        made["agent"],
        json!({
            "name": "ann", "displayName": "Ann Example", "state": "LOGGED_OUT",
            "readyOnRegister": false, "devicesCount": 0, "queues": [{"name": "sales"}],
        })
    );
    let kept = credentials::look_up(world.stores.secrets.as_ref(), "ann")
        .await
        .unwrap();
    assert_eq!(
        kept,
        Some(credentials::Ha1::compute(
            "ann",
            "ringledger",
            "correct horse"
        ))
    );
    let page = world
        .stores
        .log
        .read_all(Default::default(), 100)
        .await
        .unwrap();
    for event in page.events {
        assert!(
            !event.payload.contains("correct horse"),
            "{}",
            event.payload
        );
        assert!(!event.payload.contains("Ann Example"), "{}", event.payload);
    }
}

#[tokio::test]
async fn an_agent_that_exists_keeps_its_password() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    world.agent("ann", queue).await;
    let secrets = world.stores.secrets.as_ref();
    let before = credentials::look_up(secrets, "ann").await.unwrap();
    let again = world
        .order(
            "createAgent",
            json!({"name": "Ann", "password": "other"}),
            ERRORS,
        )
        .await;
    assert_eq!(again["userErrors"][0]["code"], "agent.already_exists");
    assert_eq!(credentials::look_up(secrets, "ann").await.unwrap(), before);
}

#[tokio::test]
async fn an_agent_needs_a_password_and_queues_that_exist() {
    let world = World::start().await;
    for (input, code, field) in [
        (
            json!({"name": "ann", "password": ""}),
            "input.invalid_password",
            "password",
        ),
        (
            json!({"name": "ann", "password": "x".repeat(257)}),
            "input.invalid_password",
            "password",
        ),
        (
            json!({"name": "a b", "password": "x"}),
            "agent.invalid_name",
            "name",
        ),
        (
            json!({"name": "ann", "password": "x", "registrationGraceMs": "3600001"}),
            "agent.invalid_grace",
            "registrationGraceMs",
        ),
        (
            json!({"name": "ann", "password": "x", "capacity": 6}),
            "agent.invalid_capacity",
            "capacity",
        ),
        (
            json!({"name": "ann", "password": "x", "queueIds": [uuid()]}),
            "input.unknown_queue",
            "queueIds",
        ),
    ] {
        let refused = world.order("createAgent", input, ERRORS).await;
        assert_eq!(refused["userErrors"][0]["code"], code);
        assert_eq!(refused["userErrors"][0]["field"], field);
    }
}

#[tokio::test]
async fn an_agent_goes_ready_not_ready_and_leaves() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await.to_string();
    let selection =
        format!("{ERRORS} agent {{ state routability reason activity sessionNumber loggedInAt }}");
    let ready = world
        .order("agentReady", json!({"agentId": agent}), &selection)
        .await["agent"]
        .clone();
    assert_eq!(ready["state"], "READY");
    assert_eq!(ready["sessionNumber"], 1);
    assert!(ready["loggedInAt"].is_string());

    let input = json!({"agentId": agent, "reason": "MEAL"});
    let meal = world.order("agentNotReady", input, &selection).await["agent"].clone();
    assert_eq!(
        (&meal["state"], &meal["reason"]),
        (&json!("NOT_READY"), &json!("MEAL"))
    );

    let gone = world
        .order("agentLogOut", json!({"agentId": agent}), &selection)
        .await["agent"]
        .clone();
    assert_eq!(gone["state"], "LOGGED_OUT");
    assert_eq!(gone["loggedInAt"], json!(null));

    // Not ready from nothing is a new session.
    let input = json!({"agentId": agent, "reason": "TRAINING"});
    let back = world.order("agentNotReady", input, &selection).await["agent"].clone();
    assert_eq!(
        (&back["state"], &back["reason"]),
        (&json!("NOT_READY"), &json!("TRAINING"))
    );
    assert_eq!(back["sessionNumber"], 2);
}

#[tokio::test]
async fn a_wish_that_is_repeated_is_one() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await.to_string();
    let id = uuid();
    let input = json!({"agentId": agent});
    let order = async || {
        let answer = world
            .order_as(&world.admin, "agentReady", id, input.clone(), ERRORS)
            .await;
        answer.data()["agentReady"].clone()
    };
    let first = order().await;
    let head = world.head();
    assert_eq!(order().await["position"], first["position"]);
    assert_eq!(world.head(), head);
}

#[tokio::test]
async fn a_desktop_speaks_for_its_own_agent_only() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ann = world.agent("ann", queue).await;
    let bob = world.agent("bob", queue).await;
    let desktop = world.desktop(ann).await;
    let order = async |agent: AgentId| {
        let input = json!({"agentId": agent.to_string()});
        world
            .order_as(&desktop, "agentReady", uuid(), input, ERRORS)
            .await
    };
    let ready = order(ann).await.data()["agentReady"].clone();
    assert_eq!(ready["userErrors"], json!([]));
    assert_eq!(order(bob).await.code(), "AUTHORIZATION_ERROR");
    let me = world
        .ask_as(&desktop, "{ me { agentId } }", json!({}))
        .await
        .data();
    let agent = json!({"id": me["me"]["agentId"], "seen": ready["position"]});
    let query = "query Q($id: ID!, $seen: Cursor!) { agent(id: $id, minPosition: $seen) { name } }";
    let agent = world.ask_as(&desktop, query, agent).await.data();
    assert_eq!(agent["agent"]["name"], "ann");
}

#[tokio::test]
async fn nobody_logs_in_who_does_not_exist() {
    let world = World::start().await;
    let before = world.head();
    let nobody = AgentId::named(DEFAULT_TENANT, "nobody").to_string();
    for (mutation, input) in [
        ("agentReady", json!({"agentId": nobody})),
        (
            "agentNotReady",
            json!({"agentId": nobody, "reason": "BREAK"}),
        ),
        ("agentLogOut", json!({"agentId": nobody})),
    ] {
        let refused = world.order(mutation, input, ERRORS).await;
        assert_eq!(refused["userErrors"][0]["code"], "input.unknown_agent");
    }
    assert_eq!(world.head(), before);
}

#[tokio::test]
async fn a_call_is_ended_by_a_supervisor() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ringing = world.ring(queue, "1001").await;
    let input = json!({"callId": ringing.call.to_string()});
    let selection = format!("{ERRORS} call {{ state hangupBy endReason disposition }}");
    let ended = world.order("hangUp", input.clone(), &selection).await;
    assert_eq!(ended["userErrors"], json!([]));
    assert_eq!(ended["call"]["state"], "ENDED");
    assert_eq!(ended["call"]["hangupBy"], "SUPERVISOR");
    assert_eq!(ended["call"]["endReason"], "OPERATOR");

    let again = world.order("hangUp", input, ERRORS).await;
    assert_eq!(again["userErrors"][0]["code"], "call.already_ended");
    assert_eq!(again["userErrors"][0]["field"], "callId");
    let unknown = world
        .order("hangUp", json!({"callId": uuid()}), ERRORS)
        .await;
    assert_eq!(unknown["userErrors"][0]["code"], "call.unknown");
}

#[tokio::test]
async fn a_trunk_is_made_and_its_password_is_in_no_event() {
    let world = World::start().await;
    let input = json!({
        "name": "carrier", "allow": ["192.0.2.7/24", "2001:db8::1"], "host": "sip.example.net",
        "user": "me", "password": "hush",
    });
    let selection = format!("{ERRORS} trunk {{ name allow host user revision }}");
    let made = world.order("createTrunk", input, &selection).await;
    assert_eq!(made["userErrors"], json!([]));
    assert_eq!(
        made["trunk"],
        json!({
            "name": "carrier", "allow": ["192.0.2.0/24", "2001:db8::1/128"],
            "host": "sip.example.net", "user": "me", "revision": 1,
        })
    );
    let page = world
        .stores
        .log
        .read_all(Default::default(), 100)
        .await
        .unwrap();
    assert!(
        page.events
            .iter()
            .all(|event| !event.payload.contains("hush"))
    );
    for (allow, code) in [
        (json!([]), "trunk.nothing_allowed"),
        (json!(["example.net"]), "input.invalid_network"),
    ] {
        let input = json!({"name": "other", "allow": allow});
        let refused = world.order("createTrunk", input, ERRORS).await;
        assert_eq!(refused["userErrors"][0]["code"], code);
        assert_eq!(refused["userErrors"][0]["field"], "allow");
    }
}

#[tokio::test]
async fn the_record_names_the_token_that_ordered() {
    let world = World::start().await;
    world.queue("sales").await;
    let page = world
        .stores
        .log
        .read_all(Default::default(), 100)
        .await
        .unwrap();
    assert_eq!(page.events[0].metadata.actor, "token:admin");
    assert_eq!(page.events[0].metadata.tenant, DEFAULT_TENANT);
}

#[tokio::test]
async fn a_trunk_password_is_kept_under_the_id_of_the_trunk() {
    let world = World::start().await;
    let input = json!({"name": "carrier", "allow": ["192.0.2.0/24"], "password": "hush"});
    world.order("createTrunk", input, ERRORS).await;
    let id = TrunkId::named(DEFAULT_TENANT, "carrier").to_string();
    let kept = world
        .stores
        .secrets
        .get("trunk_password", &id)
        .await
        .unwrap();
    assert_eq!(kept.as_deref(), Some("hush"));
}

#[tokio::test]
async fn a_word_for_taking_no_calls_stands_for_its_reason_and_others_are_refused() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await.to_string();
    let selection =
        format!("{ERRORS} agent {{ state reason code {{ code isPaid isProductive }} }}");
    let order = async |reason: Value, code: Value| {
        let input = json!({"agentId": agent, "reason": reason, "code": code});
        world.order("agentNotReady", input, &selection).await
    };
    let none = json!(null);
    for (reason, code, refused, field) in [
        (
            none.clone(),
            json!("tea"),
            "input.unknown_not_ready_code",
            "code",
        ),
        (
            json!("MEAL"),
            json!("coffee"),
            "input.invalid_not_ready_reason",
            "reason",
        ),
        (
            none.clone(),
            none.clone(),
            "input.invalid_not_ready_reason",
            "reason",
        ),
    ] {
        let answer = order(reason, code).await;
        let error = &answer["userErrors"][0];
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!(refused), &json!(field))
        );
        assert_eq!(answer["agent"], none);
    }
    let coffee = order(none.clone(), json!("coffee")).await["agent"].clone();
    let said = json!({"code": "coffee", "isPaid": true, "isProductive": false});
    assert_eq!(
        coffee,
        json!({"state": "NOT_READY", "reason": "BREAK", "code": said})
    );
    // The same reason without the word is another pause.
    let rest = order(json!("BREAK"), none.clone()).await["agent"].clone();
    assert_eq!((&rest["reason"], &rest["code"]), (&json!("BREAK"), &none));
    let words = world
        .data("{ notReadyCodes { code label category isPaid isProductive } }")
        .await;
    assert_eq!(
        words["notReadyCodes"],
        json!([{"code": "coffee", "label": "Coffee", "category": "BREAK",
            "isPaid": true, "isProductive": false}])
    );
}
