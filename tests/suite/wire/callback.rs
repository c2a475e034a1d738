//! Somebody who waits presses a key, goes home, and is rung back at the place in
//! the line: SIPp plays the carrier, phones the caller and the agent.

use crate::{
    sipp::{sipp, succeeds},
    support::{
        PATIENCE, agent_is, agent_with, call_is, caller, command_id, dial, incoming, mutate,
        records, sell,
    },
};
use anyhow::{Context as _, ensure};
use domain::time::Timestamp;
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{
    net::UdpSocket,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinHandle;

const ANSWERS: &str = include_str!("callback_carrier.xml");
const BUSY: &str = include_str!("callback_busy.xml");
const SIPP_TIME: Duration = Duration::from_secs(60);
const HOME: &str = "+4930111";

fn provisioning(carrier: u16) -> String {
    format!(
        "[[queue]]\nname = \"support\"\nexits = [{{ key = \"1\", callback = true }}]\n\
         callback = {{ attempts_max = 2, gap_ms = 1000, valid_ms = 600000 }}\n\
         [[queue]]\nname = \"small\"\ncapacity = 1\n\
         overflow = [{{ when = \"full\", callback = true }}]\n\
         [[queue]]\nname = \"unpriced\"\n\
         callback = {{ attempts_max = 2, gap_ms = 1000, valid_ms = 600000 }}\n\
         [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
         queues = [\"support\"]\n\
         [[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\n\
         host = \"127.0.0.1:{carrier}\"\nuser = \"ringledger\"\nprefixes = [\"+49\"]\n\
         strip_prefix = \"+\"\nadd_prefix = \"00\"\n"
    )
}

/// SIPp as the carrier, for one call.
fn carrier(
    folder: &Path,
    port: u16,
    (name, scenario): (&'static str, &str),
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let mut command = sipp(folder, name, scenario, 1, SIPP_TIME)?;
    command.args(["-p", &port.to_string(), "-rtp_echo"]);
    Ok(tokio::spawn(async move {
        succeeds(name, command, SIPP_TIME).await
    }))
}

/// The one callback, once it is in that state.
async fn callback_is(server: &Server, state: &str) -> anyhow::Result<Value> {
    let query = "{ callbacks(first: 5) { nodes { id state placeAt person { user } \
                 queue { name } requestedIn { id disposition } \
                 attempts { isCounted endReason call { id } } } } }";
    let of = |answer: &Value| answer["callbacks"]["nodes"][0].clone();
    let answer = server
        .until(query, |answer| of(answer)["state"] == state)
        .await?;
    Ok(of(&answer))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_home_is_rung_back_before_those_who_came_later() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut setup = Setup::new(folder.path(), &provisioning(port));
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    goes_home(&server).await?;
    // The promise outlives the server, and the call that was under way does not count.
    server.kill().await?;
    let server = Server::start(&setup).await?;
    let asked = callback_is(&server, "TRYING").await?;
    let [lost, _] = asked["attempts"].as_array().map_or(&[][..], Vec::as_slice) else {
        anyhow::bail!("one attempt was lost, one is under way: {asked}");
    };
    ensure!(
        lost["endReason"] == "NODE_LOST" && lost["isCounted"] == false,
        "{asked}"
    );
    let later = caller(&server, "+4930222").await?;
    let waits = dial(&later, "support").await?;
    waits.wait_answered(PATIENCE).await?;

    let anna = agent_with(&server, "anna", "anna-secret").await?;
    let busy = carrier(folder.path(), port, ("busy", BUSY))?;
    rung_in_vain(&server, &anna, busy).await?;
    let second = incoming(&anna).await?;
    ensure!(
        second.from_user() == Some("+4930222"),
        "{:?}",
        second.from_user()
    );
    second.answer().await?;
    agent_is(&server, "anna", "ON_CONTACT").await?;
    let home = carrier(folder.path(), port, ("home", ANSWERS))?;
    ensure!(waits.hang_up().await? == 200, "BYE is refused");
    second.wait_ended(PATIENCE).await?;
    reached(&server, &anna, home).await?;
    recorded(&server).await?;
    for phone in [&anna, &later] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    finds_no_room(&server).await?;
    orders(&server).await?;
    no_trunk_goes_there(&server).await?;
    nobody_pays(&server).await?;
    has_no_price(&server).await?;
    asks_for_her(&server, &anna, (folder.path(), port)).await?;
    server.stop().await
}

/// Nobody is there; the caller presses a key and is gone.
async fn goes_home(server: &Server) -> anyhow::Result<()> {
    let first = caller(server, HOME).await?;
    let out = dial(&first, "support").await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.media().wait_packets(1, PATIENCE).await, "no music");
    ensure!(out.media().send_digit('1', 60), "1 is not sent");
    out.wait_ended(PATIENCE).await?;
    let cdrs = records(server, 1).await?;
    ensure!(
        cdrs[0]["disposition"] == "CALLBACK_REQUESTED" && cdrs[0]["hangupBy"] == "SYSTEM",
        "{cdrs:#?}"
    );
    let asked = callback_is(server, "TRYING").await?;
    ensure!(asked["person"]["user"] == HOME, "{asked}");
    ensure!(asked["queue"]["name"] == "support", "{asked}");
    ensure!(
        asked["requestedIn"]["disposition"] == "CALLBACK_REQUESTED",
        "{asked}"
    );
    // It waits in the line; nobody is dialled.
    call_is(server, HOME, "WAITING").await?;
    Ok(())
}

/// The agent has the call, hears that it rings, and then that it was in vain.
async fn rung_in_vain(
    server: &Server,
    anna: &Phone,
    busy: JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let call = incoming(anna).await?;
    ensure!(call.from_user() == Some(HOME), "{:?}", call.from_user());
    call.answer().await?;
    busy.await??;
    call.wait_ended(PATIENCE).await?;
    let query = "{ callbacks(first: 1) { nodes { attempts { isCounted endReason } } } }";
    let is_busy = |answer: &Value| {
        let attempt = &answer["callbacks"]["nodes"][0]["attempts"][1];
        attempt["endReason"] == "OUTSIDE_BUSY" && attempt["isCounted"] == true
    };
    server.until(query, is_busy).await?;
    Ok(())
}

/// The next attempt reaches the person: they hear each other.
async fn reached(
    server: &Server,
    anna: &Phone,
    home: JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let call = incoming(anna).await?;
    ensure!(call.from_user() == Some(HOME), "{:?}", call.from_user());
    call.answer().await?;
    ensure!(
        call.media().wait_packets(1, PATIENCE).await,
        "no ringing tone"
    );
    callback_is(server, "CONNECTED").await?;
    agent_is(server, "anna", "ON_CONTACT").await?;
    // The carrier sends back what it hears.
    ensure!(call.media().send_digit('5', 60), "5 is not sent");
    let echoed = |media: &phone::Media| media.received_digits().ends_with('5');
    ensure!(
        call.media().wait_until(PATIENCE, echoed).await,
        "they do not hear each other"
    );
    ensure!(call.hang_up().await? == 200, "BYE is refused");
    home.await??;
    agent_is(server, "anna", "READY").await?;
    Ok(())
}

/// Each attempt has its record; the stays add up; the person was dialled only when
/// the agent had the call.
async fn recorded(server: &Server) -> anyhow::Result<()> {
    let cdrs = records(server, 5).await?;
    let of = |record: &Value| {
        let word = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}", word("disposition"), word("endReason"))
    };
    let what: Vec<String> = cdrs.iter().map(of).collect();
    let expected = [
        "CALLBACK_REQUESTED CALLBACK_REQUESTED",
        "SYSTEM_ERROR NODE_LOST",
        "BUSY OUTSIDE_BUSY",
        "ANSWERED HANGUP",
        "ANSWERED HANGUP",
    ];
    let mut sorted = what.clone();
    sorted.sort();
    let mut wanted = expected.map(str::to_owned).to_vec();
    wanted.sort();
    ensure!(sorted == wanted, "{what:?}");
    let callback = callback_is(server, "CONNECTED").await?;
    let last = callback["attempts"][2]["call"]["id"].clone();
    let query = "query Q($id: ID!) { callTimeline(callId: $id, first: 50) { nodes { type } } }";
    let answer = server.graphql(query, json!({ "id": last })).await?;
    let events = answer["callTimeline"]["nodes"]
        .as_array()
        .context("events")?;
    let place = |kind: &str| events.iter().position(|event| event["type"] == kind);
    let (agent, dialled) = (place("agent_connected"), place("leg_dialled"));
    ensure!(agent.is_some() && agent < dialled, "{answer}");
    let query = "{ queues(first: 5) { nodes { name statistics { total { offeredCount \
                 answeredCount abandonedCount flowOutCount callbackCount } } } } }";
    let total = json!({ "offeredCount": 5, "answeredCount": 3, "abandonedCount": 0,
                        "flowOutCount": 1, "callbackCount": 1 });
    let is_counted = |answer: &Value| {
        let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
        queues.any(|queue| queue["name"] == "support" && queue["statistics"]["total"] == total)
    };
    server.until(query, is_counted).await?;
    Ok(())
}

/// A queue that is full sends callers home, but not those who show no number.
async fn finds_no_room(server: &Server) -> anyhow::Result<()> {
    let first = caller(server, "+4930444").await?;
    let waits = dial(&first, "small").await?;
    waits.wait_answered(PATIENCE).await?;
    let second = caller(server, "+4930555").await?;
    let out = dial(&second, "small").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    let query = "{ callbacks(first: 5) { nodes { person { user } queue { name } } } }";
    let is_promised = |answer: &Value| {
        let asked = &answer["callbacks"]["nodes"][1];
        asked["person"]["user"] == "+4930555" && asked["queue"]["name"] == "small"
    };
    server.until(query, is_promised).await?;
    let nobody = caller(server, "anonymous").await?;
    let out = dial(&nobody, "small").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(486), "{ended:?}");
    ensure!(waits.hang_up().await? == 200, "BYE is refused");
    Ok(())
}

/// Where no trunk leads no agent is waited for either: each attempt says so at once.
async fn no_trunk_goes_there(server: &Server) -> anyhow::Result<()> {
    can_not_be_tried(server, 7, "+33123456", "NO_TRUNK").await
}

/// The queue's account pays before, and has paid nothing: nobody is dialled for it, and
/// it is tried again as long as it counts.
async fn nobody_pays(server: &Server) -> anyhow::Result<()> {
    let account = json!({
        "commandId": command_id(9), "name": "poor", "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "PREPAID",
        "queueIds": [small(server).await?],
    });
    mutate(server, "createAccount", "id", account).await?;
    can_not_be_tried(server, 10, "+4930444", "NO_CREDIT").await
}

/// Somebody asks for an agent by name, and is rung back by that one.
async fn asks_for_her(
    server: &Server,
    anna: &Phone,
    (folder, port): (&Path, u16),
) -> anyhow::Result<()> {
    let id = agent_is(server, "anna", "READY").await?["id"].clone();
    let asks = |number: u128, queue: &Value, for_ms: &str| {
        json!({ "commandId": command_id(number), "queueId": queue, "number": HOME,
                "agentId": id, "agentForMs": for_ms })
    };
    let query = "mutation($input: RequestCallbackInput!) { requestCallback(input: $input) { \
                 callback { id } userErrors { code } } }";
    let support = named(server, "support").await?;
    for (number, queue, for_ms, code) in [
        (30, small(server).await?, "1000", "input.not_of_queue"),
        (31, support.clone(), "0", "callback.invalid_agent_time"),
    ] {
        let input = asks(number, &queue, for_ms);
        let answer = server.graphql(query, json!({ "input": input })).await?;
        let said = &answer["requestCallback"]["userErrors"][0]["code"];
        ensure!(said == code, "{answer}");
    }
    let home = carrier(folder, port, ("again", ANSWERS))?;
    let what = "callback { id agentId agentForMs }";
    let asked = mutate(server, "requestCallback", what, asks(32, &support, "5000")).await?;
    let asked = &asked["callback"];
    ensure!(
        asked["agentId"] == id && asked["agentForMs"] == "5000",
        "{asked}"
    );
    let call = incoming(anna).await?;
    let waiting = call_is(server, HOME, "OFFERING").await?["id"].clone();
    let query = "query Q($id: ID!) { callExplanation(callId: $id) { agentId decidedBy } }";
    let answer = server.graphql(query, json!({ "id": waiting })).await?;
    let decided = json!([{ "agentId": id, "decidedBy": "ASSIGNED" }]);
    ensure!(answer["callExplanation"] == decided, "{answer}");
    call.answer().await?;
    let query = "{ callbacks(first: 9) { nodes { id state } } }";
    let is_reached = |answer: &Value| {
        let callbacks = answer["callbacks"]["nodes"].as_array();
        let mut callbacks = callbacks.into_iter().flatten();
        callbacks.any(|it| it["id"] == asked["id"] && it["state"] == "CONNECTED")
    };
    server.until(query, is_reached).await?;
    ensure!(call.hang_up().await? == 200, "BYE is refused");
    home.await?
}

/// The queue that nobody serves.
async fn small(server: &Server) -> anyhow::Result<Value> {
    named(server, "small").await
}

async fn named(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ queues(first: 5) { nodes { id name } } }";
    let queues = server.graphql(query, json!({})).await?;
    let mut queues = queues["queues"]["nodes"].as_array().into_iter().flatten();
    let queue = queues.find(|queue| queue["name"] == name);
    Ok(queue.context("no queue")?["id"].clone())
}

/// Whoever pays has credit, and nobody has said what the number costs: it is tried once,
/// and one call waits for a person.
async fn has_no_price(server: &Server) -> anyhow::Result<()> {
    sell(server, json!({})).await?;
    let plan = json!({
        "commandId": command_id(20), "name": "inbound", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [{"usageType": "INBOUND_MINUTES", "price": {"flat": {"rate": "6"}}}],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let queue = named(server, "unpriced").await?;
    let account = json!({
        "commandId": command_id(21), "name": "rich", "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "PREPAID", "queueIds": [queue],
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(22), "accountId": account, "planId": plan,
        "effective": "2026-01-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    let payment = json!({
        "commandId": command_id(23), "accountId": account, "amount": "10", "currency": "EUR",
        "method": "BANK_TRANSFER", "reference": "ahead",
    });
    mutate(server, "recordPayment", "id", payment).await?;
    let input = json!({ "commandId": command_id(24), "queueId": queue, "number": "+4930666" });
    let asked = mutate(server, "requestCallback", "callback { id }", input).await?;
    let id = asked["callback"]["id"].clone();
    let query = "{ callbacks(first: 9) { nodes { id state attempts { endReason isCounted } } } \
                 unratedCalls(first: 9) { nodes { callId unratedReason } } }";
    let tried = json!([{ "endReason": "NO_PRICE", "isCounted": false }]);
    let is_over = |answer: &Value| {
        let callbacks = answer["callbacks"]["nodes"].as_array();
        let mut callbacks = callbacks.into_iter().flatten();
        let given_up = callbacks
            .any(|it| it["id"] == id && it["state"] == "GIVEN_UP" && it["attempts"] == tried);
        let unrated = answer["unratedCalls"]["nodes"].as_array();
        let unrated = unrated.into_iter().flatten();
        let refused = unrated.filter(|call| call["unratedReason"] == "refused");
        given_up && refused.count() == 1
    };
    let answer = server.until(query, is_over).await?;
    // Nobody has to look at an attempt that reached nobody, for want of a plan either.
    let unrated = answer["unratedCalls"]["nodes"].as_array();
    ensure!(
        unrated.is_some_and(|calls| calls.iter().all(|call| call["unratedReason"] == "refused")),
        "{answer}"
    );
    Ok(())
}

/// Why, the record of the callback tells; it does not count.
async fn can_not_be_tried(
    server: &Server,
    step: u128,
    number: &str,
    reason: &str,
) -> anyhow::Result<()> {
    let queue = small(server).await?;
    let what = "callback { id }";
    let input = json!({ "commandId": command_id(step), "queueId": queue, "number": number });
    let asked = mutate(server, "requestCallback", what, input).await?["callback"].clone();
    let query = "{ callbacks(first: 9) { nodes { id attempts { endReason isCounted } } } }";
    let told = json!({ "endReason": reason, "isCounted": false });
    let is_told = |answer: &Value| {
        let callbacks = answer["callbacks"]["nodes"].as_array();
        let mut callbacks = callbacks.into_iter().flatten();
        callbacks.any(|it| it["id"] == asked["id"] && it["attempts"][0] == told)
    };
    server.until(query, is_told).await?;
    let input = json!({ "commandId": command_id(step + 1), "callbackId": asked["id"] });
    mutate(server, "cancelCallback", what, input).await?;
    Ok(())
}

/// A supervisor promises one, has it later, and gives it up; what can not be is
/// refused.
async fn orders(server: &Server) -> anyhow::Result<()> {
    let queues = server.graphql("{ queues(first: 1) { nodes { id } } }", json!({}));
    let queue = queues.await?["queues"]["nodes"][0]["id"].clone();
    let what = "callback { id state notBefore decidedBy }";
    let input = json!({ "commandId": command_id(1), "queueId": queue, "number": "+4930333",
                        "notBefore": "2999-01-01T00:00:00Z" });
    let refused = async |name: &str, input: &Value| {
        let mut kind = name.to_owned();
        kind[..1].make_ascii_uppercase();
        let query = format!(
            "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ callback {{ id }} \
             userErrors {{ code field }} }} }}"
        );
        let answer = server.graphql(&query, json!({ "input": input })).await?;
        let error = &answer[name]["userErrors"][0];
        let word = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
        anyhow::Ok(format!("{} {}", word("code"), word("field")))
    };
    let said = refused("requestCallback", &input).await?;
    ensure!(said == "callback.invalid_time notBefore", "{said}");
    let input = json!({ "commandId": command_id(2), "queueId": queue, "number": "not a number" });
    let said = refused("requestCallback", &input).await?;
    ensure!(said == "input.invalid_callback_number number", "{said}");

    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let soon = Timestamp::from_micros(i64::try_from(now)?).plus_ms(7_200_000);
    let input = json!({ "commandId": command_id(3), "queueId": queue, "number": "+4930333",
                        "notBefore": soon });
    let asked = mutate(server, "requestCallback", what, input).await?["callback"].clone();
    ensure!(asked["state"] == "PENDING", "{asked}");
    let later = soon.plus_ms(7_200_000);
    let input = json!({ "commandId": command_id(4), "callbackId": asked["id"],
                        "notBefore": later });
    let moved = mutate(server, "rescheduleCallback", what, input).await?["callback"].clone();
    ensure!(moved["notBefore"] != asked["notBefore"], "{moved}");
    let input = json!({ "commandId": command_id(5), "callbackId": asked["id"] });
    let over = mutate(server, "cancelCallback", what, input).await?["callback"].clone();
    ensure!(over["state"] == "CANCELLED", "{over}");
    let input = json!({ "commandId": command_id(6), "callbackId": asked["id"] });
    let said = refused("cancelCallback", &input).await?;
    ensure!(said == "callback.over callbackId", "{said}");
    Ok(())
}
