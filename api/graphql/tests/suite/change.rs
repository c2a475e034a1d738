//! Queues and agents are changed: what is said, and nothing else.

use crate::world::World;
use serde_json::{Value, json};

const ERRORS: &str = "position userErrors { code message field }";

async fn refused(world: &World, name: &str, input: Value) -> (Value, Value) {
    let answer = world.order(name, input, ERRORS).await;
    assert_eq!(answer["position"], json!(null), "{answer}");
    let error = &answer["userErrors"][0];
    (error["code"].clone(), error["field"].clone())
}

#[tokio::test]
async fn some_rules_of_a_queue_are_changed_and_the_others_stay() {
    let world = World::start().await;
    let queue = world.queue("sales").await.to_string();
    let hours = json!({
        "zone": "Europe/Berlin", "holidays": [],
        "week": [{ "days": ["MONDAY"], "from": "08:00", "to": "12:00" }],
    });
    let selection = format!(
        "{ERRORS} queue {{ name revision config {{ strategy wrapUpMs capacity numbers hours {{ \
         zone holidays {{ date }} week {{ days from to }} }} matching {{ lastAgentMs skills {{ \
         skill level }} }} }} }}"
    );
    let input = json!({
        "queueId": queue, "strategy": "ROUND_ROBIN", "numbers": ["4711"], "hours": hours,
        "matching": { "lastAgentMs": "5000", "skills": [{ "skill": "german", "level": 2 }] },
    });
    let changed = world.order("updateQueue", input, &selection).await;
    assert_eq!(changed["userErrors"], json!([]));
    let (queue_now, config) = (&changed["queue"], &changed["queue"]["config"]);
    assert_eq!(
        (&queue_now["name"], &queue_now["revision"]),
        (&json!("sales"), &json!(2))
    );
    assert_eq!(config["strategy"], "ROUND_ROBIN");
    assert_eq!(config["wrapUpMs"], "1000", "as it was made");
    assert_eq!(config["hours"], hours);
    assert_eq!(config["matching"]["lastAgentMs"], "5000");
    assert!(world.directory.resolve("4711").is_some());

    let input = json!({ "queueId": queue, "hours": null, "capacity": 7 });
    let changed = world.order("updateQueue", input, &selection).await;
    let config = &changed["queue"]["config"];
    assert_eq!(
        (&config["hours"], &config["capacity"]),
        (&json!(null), &json!(7))
    );
    assert_eq!(config["strategy"], "ROUND_ROBIN");
    assert_eq!(
        config["matching"]["skills"],
        json!([{ "skill": "german", "level": 2 }])
    );

    is_refused(&world, &queue).await;
}

async fn is_refused(world: &World, queue: &str) {
    for (change, code, field) in [
        (
            json!({ "capacity": 0 }),
            "queue.invalid_capacity",
            "capacity",
        ),
        (
            json!({ "numbers": ["1 2"] }),
            "queue.invalid_number",
            "numbers",
        ),
        (
            json!({ "overflow": [{ "when": "FULL", "queueId": queue }] }),
            "input.overflow_loop",
            "overflow",
        ),
        (
            json!({ "overflow": [{ "when": "FULL" }] }),
            "input.invalid_overflow",
            "overflow",
        ),
        (
            json!({ "matching": { "skills": [{ "skill": "latin", "level": 2 }] } }),
            "input.unknown_skill",
            "skills",
        ),
    ] {
        let mut input = change;
        input["queueId"] = json!(queue);
        let said = refused(world, "updateQueue", input).await;
        assert_eq!(said, (json!(code), json!(field)));
    }
    let nobody = json!({ "queueId": uuid::Uuid::from_u128(9).to_string(), "capacity": 7 });
    let said = refused(world, "updateQueue", nobody).await;
    assert_eq!(said, (json!("queue.unknown"), json!("queueId")));
}

#[tokio::test]
async fn an_agent_serves_other_queues_and_learns() {
    let world = World::start().await;
    let (sales, support) = (world.queue("sales").await, world.queue("support").await);
    let (sales, support) = (sales.to_string(), support.to_string());
    let agent = world.agent("anna", world.queue("night").await).await;
    let agent = agent.to_string();
    let selection = format!(
        "{ERRORS} agent {{ queues {{ name }} skills {{ skill level }} places {{ tier penalty \
         weight }} }}"
    );
    let order = async |name: &str, mut input: Value| {
        input["agentId"] = json!(agent);
        let answer = world.order(name, input, &selection).await;
        assert_eq!(answer["userErrors"], json!([]), "{name}");
        answer["agent"].clone()
    };
    let place = |queue: &str, tier: i32| json!({ "place": { "queueId": queue, "tier": tier } });
    let names = |agent: &Value| {
        let queues = agent["queues"].as_array().unwrap().iter();
        let mut names: Vec<String> = queues.map(|queue| queue["name"].to_string()).collect();
        names.sort();
        names.join(" ")
    };
    order("addMember", place(&sales, 1)).await;
    let now = order("addMember", place(&support, 3)).await;
    assert_eq!(names(&now), "\"night\" \"sales\" \"support\"");
    assert_eq!(
        now["places"],
        json!([{ "tier": 3, "penalty": 0, "weight": 1 }])
    );
    let now = order("updateMember", place(&support, 2)).await;
    assert_eq!(now["places"][0]["tier"], 2);
    let now = order("removeMember", json!({ "queueId": support })).await;
    assert_eq!(names(&now), "\"night\" \"sales\"");
    assert_eq!(now["places"], json!([]));
    let now = order("assignSkill", json!({ "skill": "german", "level": 2 })).await;
    assert_eq!(now["skills"], json!([{ "skill": "german", "level": 2 }]));
    let now = order("assignSkill", json!({ "skill": "german", "level": 5 })).await;
    assert_eq!(now["skills"], json!([{ "skill": "german", "level": 5 }]));
    let now = order("removeSkill", json!({ "skill": "german" })).await;
    assert_eq!(now["skills"], json!([]));

    can_not_be(&world, &agent, &support).await;
}

#[tokio::test]
async fn an_agent_may_have_more_calls_at_once_or_fewer() {
    let world = World::start().await;
    let agent = world.agent("anna", world.queue("night").await).await;
    let agent = agent.to_string();
    let selection = format!("{ERRORS} agent {{ capacity activeCalls engagements {{ callId }} }}");
    let set = async |capacity: i32| {
        let input = json!({ "agentId": agent, "capacity": capacity });
        world.order("setCapacity", input, &selection).await
    };
    let answer = set(3).await;
    assert_eq!(answer["userErrors"], json!([]));
    let shown = json!({ "capacity": 3, "activeCalls": 0, "engagements": [] });
    assert_eq!(answer["agent"], shown);
    for bad in [0, 6, -1, 257, i32::MAX] {
        let input = json!({ "agentId": agent, "capacity": bad });
        let said = refused(&world, "setCapacity", input).await;
        let expected = (json!("agent.invalid_capacity"), json!("capacity"));
        assert_eq!(said, expected, "{bad}");
    }
    assert_eq!(set(1).await["agent"]["capacity"], 1);
    let unknown = uuid::Uuid::from_u128(9).to_string();
    let nobody = json!({ "agentId": unknown, "capacity": 2 });
    let said = refused(&world, "setCapacity", nobody).await;
    assert_eq!(said, (json!("agent.unknown"), json!("agentId")));
}

async fn can_not_be(world: &World, agent: &str, support: &str) {
    let unknown = uuid::Uuid::from_u128(9).to_string();
    let at = |queue: &str, tier: i32| json!({ "agentId": agent, "place": { "queueId": queue, "tier": tier } });
    for (name, input, code) in [
        ("addMember", at(&unknown, 1), "input.unknown_queue"),
        ("addMember", at(support, 99), "agent.invalid_place"),
        ("updateMember", at(support, 1), "input.not_of_queue"),
        (
            "assignSkill",
            json!({ "agentId": agent, "skill": "latin", "level": 1 }),
            "input.unknown_skill",
        ),
        (
            "assignSkill",
            json!({ "agentId": agent, "skill": "german", "level": 9 }),
            "agent.invalid_skill",
        ),
        (
            "removeSkill",
            json!({ "agentId": unknown, "skill": "german" }),
            "agent.unknown",
        ),
    ] {
        assert_eq!(refused(world, name, input).await.0, code, "{name}");
    }
}
