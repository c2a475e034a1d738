//! Questions with a value that is none: whoever asks hears which.

use crate::{
    billing::{account, get},
    world::World,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_question_that_is_wrong_is_told_which_of_its_words_is() {
    let world = World::start().await;
    let account = account(&world).await;
    let used = |from: &str, to: &str| {
        format!(
            "{{ usageSummary(accountId: \"{account}\", from: \"{from}\", to: \"{to}\") \
             {{ count }} }}"
        )
    };
    for (query, field, says) in [
        (used("2026-13", "2026-12"), "from", "is no month"),
        (used("2026-10", "october"), "to", "is no month"),
        (used("2026-12", "2026-10"), "from", "is after to"),
        (
            "{ account(id: \"muster\") { name } }".into(),
            "id",
            "is no id of an account",
        ),
        (
            "{ invoices(filter: { accountId: \"muster\" }) { nodes { id } } }".into(),
            "accountId",
            "is no id of an account",
        ),
        (
            "{ cdrs(filter: { queueIds: [\"support\"] }) { nodes { callId } } }".into(),
            "queueIds",
            "is no id of a queue",
        ),
        (
            "{ cdrStats(groupBy: [DAY], timeZone: \"Mars\") { day } }".into(),
            "timeZone",
            "is no time zone",
        ),
        ("{ call(id: \"one\") { id } }".into(), "id", "a call"),
    ] {
        let answer = world.ask(&query, json!({})).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR", "{query}");
        let told = &answer.body["errors"][0]["extensions"]["field"];
        assert_eq!(told, field, "{query}");
        let message = answer.message();
        assert!(message.starts_with(&format!("{field}: ")), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[tokio::test]
async fn a_paper_of_no_stretch_of_time_is_refused() {
    let world = World::start().await;
    let account = account(&world).await;
    let of = |paper: &str| format!("/documents/accounts/{account}/{paper}");
    for (path, says) in [
        (of("usage.pdf?from=2026-12&to=2026-10"), "from: is after to"),
        (of("usage.html?to=2026-13"), "to: \"2026-13\" is no month"),
        (
            of("statement.html?from=2026-12-01&to=2026-11-30"),
            "from: is after to",
        ),
        (of("statement.html?to=today"), "to: is no day"),
        (
            "/documents/reports/taxes.html?from=2026-12&to=2026-10".into(),
            "from: is after to",
        ),
    ] {
        let (status, body) = get(&world, &path).await;
        assert_eq!(status, 400, "{path}");
        let body: Value = serde_json::from_slice(&body).unwrap();
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(says), "{path}: {message}");
    }
}
