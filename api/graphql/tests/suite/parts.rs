//! The calendar or the routing of a queue is changed: what is said, and nothing else.

use crate::world::{World, uuid};
use serde_json::{Value, json};

const ERRORS: &str = "position userErrors { code message field }";
const CONFIG: &str = "queue { revision config { strategy ringTimeoutMs wrapUpMs capacity timeZone \
                      hours { zone holidays { date open { from to } } week { days from to } } \
                      matching { priority ageingMs ringTimeoutsMs skills { skill level relax { \
                      afterMs level } } } } }";

async fn done(world: &World, name: &str, input: Value) -> Value {
    let selection = format!("{ERRORS} {CONFIG}");
    let answer = world.order(name, input, &selection).await;
    assert_eq!(answer["userErrors"], json!([]), "{name}: {answer}");
    answer["queue"].clone()
}

fn hours() -> Value {
    json!({
        "zone": "Europe/Berlin",
        "holidays": [{ "date": "2026-12-24", "open": [{ "from": "08:00", "to": "12:00" }] }],
        "week": [{ "days": ["MONDAY"], "from": "08:00", "to": "17:00" }],
    })
}

fn without(mut config: Value, parts: &[&str]) -> Value {
    for part in parts {
        config[*part].take();
    }
    config
}

#[tokio::test]
async fn a_calendar_and_a_routing_are_changed_and_neither_takes_the_other_back() {
    let world = World::start().await;
    let queue = world.queue("sales").await.to_string();
    let other = json!({ "queueId": queue, "capacity": 7, "matching": { "priority": 2 } });
    let before = done(&world, "updateQueue", other).await["config"].clone();

    let calendar = json!({ "hours": hours(), "timeZone": "Europe/Paris" });
    let input = json!({ "queueId": queue, "calendar": calendar });
    let now = done(&world, "setCalendar", input).await;
    let config = &now["config"];
    assert_eq!(now["revision"], 3);
    assert_eq!(
        (&config["hours"], &config["timeZone"]),
        (&hours(), &json!("Europe/Paris"))
    );
    let calendars = ["hours", "timeZone"];
    let (was, is) = (
        without(before, &calendars),
        without(config.clone(), &calendars),
    );
    assert_eq!(was, is);

    let before = config.clone();
    let skills = json!([{ "skill": "german", "level": 3, "relax": [{ "afterMs": "60000",
                          "level": 1 }] }]);
    let policy = json!({
        "strategy": "FEWEST_CALLS", "ringTimeoutMs": "15000", "ringTimeoutsMs": ["8000", "5000"],
        "ageingMs": "30000", "skills": skills,
    });
    let input = json!({ "queueId": queue, "policy": policy });
    let now = done(&world, "setRoutingPolicy", input).await;
    let config = &now["config"];
    assert_eq!(
        (&config["strategy"], &config["ringTimeoutMs"]),
        (&json!("FEWEST_CALLS"), &json!("15000"))
    );
    let matching = json!({
        "priority": 2, "ageingMs": "30000", "ringTimeoutsMs": ["8000", "5000"], "skills": skills,
    });
    assert_eq!(config["matching"], matching);
    let routings = ["strategy", "ringTimeoutMs", "matching"];
    let (was, is) = (
        without(before, &routings),
        without(config.clone(), &routings),
    );
    assert_eq!(was, is);

    // One thing of the routing alone, and the hours taken away.
    let input = json!({ "queueId": queue, "policy": { "skills": [] } });
    let now = done(&world, "setRoutingPolicy", input).await;
    let rules = &now["config"]["matching"];
    assert_eq!(
        (&rules["skills"], &rules["ageingMs"]),
        (&json!([]), &json!("30000"))
    );
    let calendar = json!({ "hours": null, "timeZone": null });
    let input = json!({ "queueId": queue, "calendar": calendar });
    let now = done(&world, "setCalendar", input).await;
    let config = &now["config"];
    assert_eq!(
        (&config["hours"], &config["timeZone"]),
        (&json!(null), &json!("UTC"))
    );
}

/// With the code and the field that `updateQueue` gives for the same.
#[tokio::test]
async fn what_is_wrong_of_a_calendar_or_a_routing_names_its_field() {
    let world = World::start().await;
    let queue = world.queue("sales").await.to_string();
    let twice = json!({ "zone": "UTC", "week": [], "holidays": [{ "date": "2026-12-24" },
                        { "date": "2026-12-24" }] });
    let nowhere = json!({ "zone": "Mars/Olympus", "week": [] });
    let latin = json!([{ "skill": "latin", "level": 2 }]);
    let too_high = json!([{ "skill": "german", "level": 9 }]);
    for (part, said, code, field) in [
        (
            "calendar",
            json!({ "hours": twice }),
            "queue.holiday_twice",
            "hours",
        ),
        (
            "calendar",
            json!({ "hours": nowhere }),
            "input.invalid_hours",
            "hours",
        ),
        (
            "calendar",
            json!({ "timeZone": "Mars" }),
            "input.invalid_time_zone",
            "timeZone",
        ),
        (
            "policy",
            json!({ "ringTimeoutMs": "1" }),
            "queue.invalid_ring_timeout",
            "ringTimeoutMs",
        ),
        (
            "policy",
            json!({ "attemptsMax": 3 }),
            "queue.attempts_without_overflow",
            "overflow",
        ),
        (
            "policy",
            json!({ "skills": latin }),
            "input.unknown_skill",
            "skills",
        ),
        (
            "policy",
            json!({ "skills": too_high }),
            "queue.invalid_skill",
            "skills",
        ),
    ] {
        let (name, of_part) = match part {
            "policy" => (
                "setRoutingPolicy",
                json!({ "matching": said, "queueId": queue }),
            ),
            _ => ("setCalendar", with_queue(said.clone(), &queue)),
        };
        let expected = (json!(code), json!(field), json!(null));
        assert_eq!(
            refused(&world, name, json!({ "queueId": queue, part: said })).await,
            expected
        );
        if said["ringTimeoutMs"].is_null() {
            assert_eq!(refused(&world, "updateQueue", of_part).await, expected);
        }
    }
}

#[tokio::test]
async fn a_queue_that_is_not_there_has_neither_a_calendar_nor_a_routing() {
    let world = World::start().await;
    let nobody = uuid().to_string();
    let unknown = (json!("queue.unknown"), json!("queueId"), json!(null));
    let calendar = json!({ "queueId": nobody, "calendar": { "hours": null } });
    assert_eq!(refused(&world, "setCalendar", calendar).await, unknown);
    let policy = json!({ "queueId": nobody, "policy": { "priority": 1 } });
    assert_eq!(refused(&world, "setRoutingPolicy", policy).await, unknown);
}

fn with_queue(mut input: Value, queue: &str) -> Value {
    input["queueId"] = json!(queue);
    input
}

/// Code, field and position of the answer.
async fn refused(world: &World, name: &str, input: Value) -> (Value, Value, Value) {
    let answer = world.order(name, input, ERRORS).await;
    let error = &answer["userErrors"][0];
    let (code, field) = (error["code"].clone(), error["field"].clone());
    (code, field, answer["position"].clone())
}

/// One changes the calendar while the other changes the routing: both count, whoever was first.
#[tokio::test]
async fn two_people_change_two_parts_of_one_queue_at_once() {
    let world = World::start().await;
    let queue = world.queue("sales").await.to_string();
    for round in 0..5 {
        let (priority, zone) = (round + 1, ["Europe/Berlin", "Europe/Paris"][round % 2]);
        let calendar = json!({ "queueId": queue, "calendar": { "timeZone": zone } });
        let policy = json!({ "queueId": queue, "policy": { "priority": priority } });
        let (first, second) = tokio::join!(
            world.order("setCalendar", calendar, ERRORS),
            world.order("setRoutingPolicy", policy, ERRORS)
        );
        for answer in [first, second] {
            assert_eq!(answer["userErrors"], json!([]), "{answer}");
        }
        let nothing = json!({ "queueId": queue, "calendar": {} });
        let config = done(&world, "setCalendar", nothing).await["config"].clone();
        assert_eq!(config["timeZone"], zone);
        assert_eq!(config["matching"]["priority"], priority);
    }
}
