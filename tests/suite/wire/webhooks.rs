//! Systems outside are told of events: each at least once, in order for each
//! call, signed, and never because of a rebuild.

use crate::support::{PATIENCE, caller, events};
use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use phone::CallOptions;
use ringledger_tests::{
    receiver::{Letter, Receiver},
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Letters under way at once: what a kill may double at most.
const AT_ONCE: usize = 64;

fn hook(setup: &mut Setup, receiver: &Receiver, attempts_max: u32) {
    setup.provisioning = format!(
        "[[webhook]]\nname = \"crm\"\nurl = \"{}\"\nsecret = \"whsec_{SECRET}\"\n\
         events = [\"call_received\", \"call_ended\"]\nretry_first_ms = 20\n\
         attempts_max = {attempts_max}\n",
        receiver.url()
    );
}

/// Calls that lead nowhere: two events each that the receiver wants.
async fn calls(server: &Server, count: usize) -> anyhow::Result<()> {
    let phone = caller(server, "4930111").await?;
    for _ in 0..count {
        let out = phone.call("nowhere", CallOptions::default()).await?;
        out.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

async fn until(server: &Server, is: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    let query = "{ webhooks { name url eventTypes position deliveredCount waitingCount \
                 deadCount deadLetters { eventId stream attemptsCount error } } }";
    let answer = server
        .until(query, |answer| is(&answer["webhooks"][0]))
        .await?;
    Ok(answer["webhooks"][0].clone())
}

/// As a receiver checks it.
fn check_signature(letter: &Letter) -> anyhow::Result<()> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&STANDARD.decode(SECRET)?)?;
    mac.update(format!("{}.{}.", letter.id, letter.timestamp).as_bytes());
    mac.update(&letter.body);
    let signed = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    ensure!(letter.signature == signed, "{letter:?}");
    Ok(())
}

#[tokio::test]
async fn every_event_is_told_in_order_over_kill_9_and_a_receiver_that_fails() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let receiver = Receiver::start(503).await?;
    let mut setup = Setup::new(folder.path(), "");
    hook(&mut setup, &receiver, 1_000);
    let server = Server::start(&setup).await?;
    calls(&server, 5).await?;
    until(&server, |webhook| {
        webhook["waitingCount"].as_i64() >= Some(10)
    })
    .await?;
    server.kill().await?;
    let mut expected = 10;
    for round in 0..3 {
        let server = Server::start(&setup).await?;
        receiver.answer_with(200);
        calls(&server, 5).await?;
        expected += 10;
        if round == 1 {
            receiver.answer_with(500);
        }
        server.kill().await?;
    }
    receiver.answer_with(200);
    let server = Server::start(&setup).await?;
    let calm = |webhook: &Value| {
        webhook["waitingCount"] == 0 && webhook["deliveredCount"].as_i64() >= Some(expected)
    };
    let webhook = until(&server, calm).await?;
    ensure!(webhook["deadCount"] == 0, "{webhook}");
    server.stop().await?;
    check(&receiver.letters(), &setup).await
}

/// Against the record: everything, nothing else, and in its order.
async fn check(letters: &[Letter], setup: &Setup) -> anyhow::Result<()> {
    let taken: Vec<_> = letters
        .iter()
        .filter(|letter| letter.status == 200)
        .collect();
    let (mut first, mut bodies) = (Vec::<&str>::new(), BTreeMap::new());
    for letter in &taken {
        check_signature(letter)?;
        let body = bodies.entry(letter.id.as_str()).or_insert_with(|| {
            first.push(&letter.id);
            &letter.body
        });
        ensure!(*body == &letter.body, "one event has two bodies");
    }
    let wanted: Vec<_> = events(setup).await?;
    let wanted: Vec<_> = wanted
        .iter()
        .filter(|event| matches!(&*event.event_type, "call_received" | "call_ended"))
        .collect();
    let ids: BTreeSet<String> = wanted
        .iter()
        .map(|event| event.event_id.to_string())
        .collect();
    let told: BTreeSet<String> = first.iter().map(|id| (*id).to_owned()).collect();
    ensure!(
        told == ids && ids.len() >= 40,
        "{} of {}",
        told.len(),
        ids.len()
    );
    let doubled = taken.len() - told.len();
    ensure!(doubled <= 4 * AT_ONCE, "{doubled} letters were taken twice");
    // The end of a call is never told of before its beginning.
    for event in &wanted {
        let body: Value = serde_json::from_slice(bodies[event.event_id.to_string().as_str()])?;
        ensure!(body["type"] == *event.event_type && body["stream"] == event.stream.as_str());
        ensure!(body["version"] == event.version, "{body}");
        let text = body.to_string();
        ensure!(!text.contains("4930111"), "a number stands in {text}");
    }
    let place = |id: String| first.iter().position(|one| *one == id);
    for pair in wanted
        .windows(2)
        .filter(|pair| pair[0].stream == pair[1].stream)
    {
        let [earlier, later] = pair else { continue };
        let earlier = place(earlier.event_id.to_string());
        ensure!(earlier < place(later.event_id.to_string()), "{pair:?}");
    }
    Ok(())
}

async fn given_up_shown_and_sent_again(mut setup: Setup) -> anyhow::Result<()> {
    let receiver = Receiver::start(500).await?;
    hook(&mut setup, &receiver, 2);
    let server = Server::start(&setup).await?;
    // One that leads begins to listen when it does.
    until(&server, |webhook| webhook["position"].is_string()).await?;
    calls(&server, 1).await?;
    let webhook = until(&server, |webhook| webhook["deadCount"] == 2).await?;
    let dead = webhook["deadLetters"].as_array().context("dead letters")?;
    ensure!(dead.len() == 2 && webhook["waitingCount"] == 0, "{webhook}");
    for letter in dead {
        ensure!(
            letter["error"] == "HTTP 500" && letter["attemptsCount"] == 2,
            "{letter}"
        );
    }
    receiver.answer_with(204);
    let input = json!({ "name": "nobody" });
    let query = "mutation($input: WebhookInput!) { retryWebhook(input: $input) \
                 { webhook { name } userErrors { code } } }";
    let refused = server.graphql(query, json!({ "input": input })).await?;
    let code = &refused["retryWebhook"]["userErrors"][0]["code"];
    ensure!(code == "webhook.unknown", "{refused}");
    let retried = server
        .graphql(query, json!({ "input": { "name": "crm" } }))
        .await?;
    ensure!(
        retried["retryWebhook"]["webhook"]["name"] == "crm",
        "{retried}"
    );
    until(&server, |webhook| {
        webhook["deadCount"] == 0 && webhook["deliveredCount"] == 2
    })
    .await?;
    let told = receiver.letters().len();

    // Neither rows that are built anew nor another start tell anybody anything.
    let rebuild = "mutation($input: RebuildProjectionInput!) { rebuildProjection(input: $input) \
                   { userErrors { code } } }";
    for name in ["cdr", "timeline"] {
        let input = json!({ "input": { "name": name, "thenSwitch": true } });
        let ordered = server.graphql(rebuild, input).await?;
        ensure!(
            ordered["rebuildProjection"]["userErrors"] == json!([]),
            "{ordered}"
        );
    }
    let built = "{ projections { name next { version } } }";
    server
        .until(built, |answer| {
            let all = answer["projections"].as_array();
            all.is_some_and(|all| all.iter().all(|one| one["next"].is_null()))
        })
        .await?;
    server.stop().await?;
    let server = Server::start(&setup).await?;
    calls(&server, 1).await?;
    until(&server, |webhook| webhook["deliveredCount"] == 4).await?;
    server.stop().await?;
    ensure!(
        receiver.letters().len() == told + 2,
        "something was told again"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_given_up_is_shown_and_sent_again_and_a_rebuild_tells_nobody() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    given_up_shown_and_sent_again(Setup::new(folder.path(), "")).await
}

#[tokio::test]
async fn what_is_given_up_is_shown_and_sent_again_on_postgresql_too() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = Setup::new(folder.path(), "");
    setup.store_url = Some(database.url().into());
    given_up_shown_and_sent_again(setup).await
}
