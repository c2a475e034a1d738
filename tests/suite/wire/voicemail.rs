//! Callers whom a queue does not serve leave messages, which are listened to, taken away,
//! and unreadable once the caller is forgotten.

use crate::{
    socket::Client,
    support::{PATIENCE, caller, command_id, dial, mutate, records, records_from},
};
use anyhow::{Context as _, ensure};
use phone::{OutgoingCall, Phone, g711, tone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

const NUMBER: &str = "+4930111";
const BEEP_HZ: f64 = 1_000.0;
const VOICE_HZ: f64 = 440.0;
/// Samples that are looked at together: 100 ms.
const PIECE: usize = 800;
/// The header of a file, before the sound.
const HEADER: usize = 58;

/// A queue in which nobody is there, and a mailbox.
fn setup(folder: &Path, overflow: &str, mailbox: &str) -> Setup {
    let queue = format!(
        "[[mailbox]]\nname = \"support\"\n{mailbox}\n\
         [[queue]]\nname = \"support\"\nanswer_mode = \"immediate\"\n{overflow}\n"
    );
    Setup::new(folder, &queue)
}

/// Nobody is let in while nobody is there.
const EMPTY: &str = "empty = { join = [] }\n\
                     overflow = [{ when = \"unstaffed\", mailbox = \"support\" }]";

/// The caller is answered and hears the tone to its end.
async fn is_asked_to_speak(out: &OutgoingCall) -> anyhow::Result<()> {
    out.wait_answered(PATIENCE).await?;
    out.media().play_silence();
    let share = async || tone::tone_share(&out.media().record(PIECE, PATIENCE).await, BEEP_HZ);
    let tone = async {
        while share().await < 0.9 {}
        while share().await > 0.1 {}
    };
    tokio::time::timeout(PATIENCE, tone)
        .await
        .context("the tone does not come")
}

/// Says something that can be told from the tone, for so long.
async fn speaks(out: &OutgoingCall, length: Duration) {
    out.media().play_tone(VOICE_HZ, 0.3);
    tokio::time::sleep(length).await;
}

/// A caller leaves a message and hangs up.
async fn leaves_a_message(phone: &Phone, length: Duration) -> anyhow::Result<()> {
    let out = dial(phone, "support").await?;
    is_asked_to_speak(&out).await?;
    speaks(&out, length).await;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    Ok(())
}

const MAILBOX: &str = "{ mailboxes { id name longestMs messagesMax expectedCount \
                       counts { new read saved } } }";

async fn mailbox(server: &Server) -> anyhow::Result<Value> {
    let answer = server.graphql(MAILBOX, json!({})).await?;
    Ok(answer["mailboxes"][0].clone())
}

/// The messages that are there, once there are so many; the latest first.
async fn messages(server: &Server, count: usize) -> anyhow::Result<Vec<Value>> {
    let id = mailbox(server).await?["id"].clone();
    let query = format!(
        "{{ voicemails(mailboxId: {id}) {{ nodes {{ id status lengthMs audioPath audioBytes \
         audioSha256 callId from {{ user }} markedBy }} }} }}"
    );
    let answer = server
        .until(&query, |answer| {
            let nodes = answer["voicemails"]["nodes"].as_array();
            nodes.is_some_and(|nodes| nodes.len() == count)
        })
        .await?;
    let nodes = answer["voicemails"]["nodes"].as_array().cloned();
    Ok(nodes.unwrap_or_default())
}

async fn file(server: &Server, message: &Value) -> anyhow::Result<(u16, Vec<u8>)> {
    let path = message["audioPath"].as_str().context("a path")?;
    server.bytes(path).await
}

/// The file is a recording of that voice, of the length that is told.
fn is_the_voice(message: &Value, file: &[u8]) -> anyhow::Result<()> {
    use sha2::{Digest as _, Sha256};
    ensure!(file.get(8..16) == Some(b"WAVEfmt "), "no WAV file");
    let sound = file.get(HEADER..).context("sound")?;
    let decode = match file.get(20) {
        Some(6) => g711::decode_a,
        _ => g711::decode_mu,
    };
    let samples: Vec<i16> = sound.iter().map(|byte| decode(*byte)).collect();
    let length_ms = samples.len() as u64 / 8;
    ensure!(
        message["lengthMs"].as_str() == Some(length_ms.to_string().as_str()),
        "{message}: {length_ms}"
    );
    ensure!(message["audioBytes"] == file.len(), "{message}");
    let hash = format!("{:x}", Sha256::digest(file));
    ensure!(message["audioSha256"] == hash, "{message}: {hash}");
    let pieces = samples.chunks_exact(PIECE);
    let heard = pieces
        .map(|piece| tone::tone_share(piece, VOICE_HZ))
        .filter(|share| *share > 0.9);
    let heard_ms = heard.count() as u64 * 100;
    ensure!(
        heard_ms + 1_000 > length_ms && heard_ms > 1_000,
        "{heard_ms} of {length_ms} ms are the voice"
    );
    Ok(())
}

#[allow(
    clippy::too_many_lines,
    reason = "one story: each step needs what the one before has made"
)]
#[tokio::test]
async fn a_caller_of_a_full_queue_leaves_a_message_that_is_heard_and_taken_away()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let full = "capacity = 1\noverflow = [{ when = \"full\", mailbox = \"support\" }]";
    let server = Server::start(&setup(folder.path(), full, "")).await?;
    let id = mailbox(&server).await?["id"].clone();
    let counts = format!(
        "subscription {{ voicemailCounts(mailboxId: {id}) {{ counts {{ new read saved }} }} }}"
    );
    let mut counts = Client::following(&server, &counts).await?;
    let mut told = async || -> anyhow::Result<Value> {
        let data = counts.data().await?;
        Ok(data["voicemailCounts"]["counts"].clone())
    };
    ensure!(told().await? == json!({"new": 0, "read": 0, "saved": 0}));

    // The one who waits fills the queue; the next one is sent to the mailbox.
    let first = caller(&server, "+4930222").await?;
    let waiting = dial(&first, "support").await?;
    waiting.wait_answered(PATIENCE).await?;
    let phone = caller(&server, NUMBER).await?;
    let out = dial(&phone, "support").await?;
    is_asked_to_speak(&out).await?;
    let board = "{ activeCalls(first: 5) { nodes { state from { user } } } }";
    let is_there = |answer: &Value| {
        let nodes = answer["activeCalls"]["nodes"].as_array();
        let mut nodes = nodes.into_iter().flatten();
        nodes.any(|call| call["state"] == "VOICEMAIL" && call["from"]["user"] == NUMBER)
    };
    server.until(board, is_there).await?;
    ensure!(mailbox(&server).await?["expectedCount"] == 1);
    speaks(&out, Duration::from_secs(2)).await;
    ensure!(out.hang_up().await? == 200, "BYE is refused");

    let message = messages(&server, 1).await?.remove(0);
    ensure!(
        message["status"] == "NEW" && message["from"]["user"] == NUMBER,
        "{message}"
    );
    ensure!(told().await? == json!({"new": 1, "read": 0, "saved": 0}));
    let (status, sound) = file(&server, &message).await?;
    ensure!(status == 200, "{status}");
    is_the_voice(&message, &sound)?;
    let record = "{ cdrs(first: 1) { nodes { callId disposition endReason revision legs { \
                  segments { kind endedAt } } voicemail { outcome voicemailId lengthMs } } } }";
    let record = server
        .until(record, |answer| {
            answer["cdrs"]["nodes"][0]["voicemail"]["outcome"] == "LEFT"
        })
        .await?;
    let record = &record["cdrs"]["nodes"][0];
    ensure!(record["disposition"] == "VOICEMAIL", "{record}");
    ensure!(
        record["voicemail"]["voicemailId"] == message["id"]
            && record["voicemail"]["lengthMs"] == message["lengthMs"]
            && record["callId"] == message["callId"],
        "{record}"
    );
    let segments = record["legs"][0]["segments"].as_array();
    let mut segments = segments.into_iter().flatten();
    ensure!(segments.any(|it| it["kind"] == "VOICEMAIL" && it["endedAt"].is_string()));

    // Heard, kept, and taken away; twice is the same.
    let mark = async |number: u128, status: &str| {
        let input = json!({"commandId": command_id(number), "voicemailId": message["id"],
                           "status": status});
        mutate(
            &server,
            "markVoicemail",
            "voicemail { status markedBy audioPath }",
            input,
        )
        .await
    };
    let heard = mark(1, "READ").await?;
    ensure!(heard["voicemail"]["status"] == "READ", "{heard}");
    ensure!(told().await? == json!({"new": 0, "read": 1, "saved": 0}));
    mark(2, "SAVED").await?;
    ensure!(told().await? == json!({"new": 0, "read": 0, "saved": 1}));
    let gone = mark(3, "DELETED").await?;
    ensure!(gone["voicemail"]["audioPath"].is_null(), "{gone}");
    ensure!(told().await? == json!({"new": 0, "read": 0, "saved": 0}));
    let input = json!({"commandId": command_id(4), "voicemailId": message["id"]});
    mutate(
        &server,
        "deleteVoicemail",
        "voicemail { status }",
        input.clone(),
    )
    .await?;
    ensure!(messages(&server, 0).await?.is_empty());
    let (status, _) = file(&server, &message).await?;
    ensure!(status == 410, "{status}");
    let (status, _) = server.bytes("/voicemails/nothing.wav").await?;
    ensure!(status == 404, "{status}");
    // What is not there can not be marked.
    let again = json!({"commandId": command_id(5), "voicemailId": message["id"], "status": "READ"});
    let refused = mutate(&server, "markVoicemail", "voicemail { id }", again).await;
    let refused = refused.err().context("it is refused")?.to_string();
    ensure!(refused.contains("mailbox.unknown_message"), "{refused}");
    waiting.hang_up().await?;
    server.stop().await
}

#[tokio::test]
async fn a_caller_who_has_waited_too_long_ends_the_message_by_a_key_and_flows_out()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let slow = "max_wait_ms = 300\noverflow = [{ when = \"max_wait\", mailbox = \"support\" }]";
    let server = Server::start(&setup(folder.path(), slow, "")).await?;
    let phone = caller(&server, NUMBER).await?;
    let out = dial(&phone, "support").await?;
    is_asked_to_speak(&out).await?;
    speaks(&out, Duration::from_millis(1_500)).await;
    ensure!(out.media().send_digit('#', 100), "the key is taken");
    out.wait_ended(PATIENCE).await?;
    let message = messages(&server, 1).await?.remove(0);
    let (_, sound) = file(&server, &message).await?;
    is_the_voice(&message, &sound)?;
    let query = "{ cdrs(first: 1) { nodes { disposition endReason hangupBy } } \
                 queues(first: 1) { nodes { statistics { total { offeredCount flowOutCount \
                 abandonedCount answeredCount } } } } }";
    let record = json!({"disposition": "VOICEMAIL", "endReason": "VOICEMAIL_TAKEN",
                        "hangupBy": "CALLER"});
    let total = json!({"offeredCount": 1, "flowOutCount": 1, "abandonedCount": 0,
                       "answeredCount": 0});
    let is_on_record = |answer: &Value| {
        answer["cdrs"]["nodes"][0] == record
            && answer["queues"]["nodes"][0]["statistics"]["total"] == total
    };
    server.until(query, is_on_record).await?;
    server.stop().await
}

#[tokio::test]
async fn a_full_mailbox_takes_nobody_and_who_says_nothing_leaves_no_message() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), EMPTY, "messages_max = 1")).await?;
    let phone = caller(&server, NUMBER).await?;
    // Nothing said: the record says so, and the room is free again.
    let out = dial(&phone, "support").await?;
    is_asked_to_speak(&out).await?;
    out.hang_up().await?;
    let query = "{ cdrs(first: 1) { nodes { disposition voicemail { outcome voicemailId } } } }";
    let too_short = json!({"outcome": "TOO_SHORT", "voicemailId": null});
    let is_short = |answer: &Value| answer["cdrs"]["nodes"][0]["voicemail"] == too_short;
    let answer = server.until(query, is_short).await?;
    ensure!(answer["cdrs"]["nodes"][0]["disposition"] == "VOICEMAIL");
    let is_free = |answer: &Value| answer["mailboxes"][0]["expectedCount"] == 0;
    server.until(MAILBOX, is_free).await?;

    leaves_a_message(&phone, Duration::from_millis(1_500)).await?;
    let message = messages(&server, 1).await?.remove(0);
    // Full: the caller is turned away as if there were no mailbox.
    let out = dial(&phone, "support").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    let cdrs = records(&server, 3).await?;
    ensure!(cdrs[2]["endReason"] == "NOBODY_THERE", "{}", cdrs[2]);
    // Room is made, and somebody can speak again.
    let input = json!({"commandId": command_id(1), "voicemailId": message["id"]});
    mutate(&server, "deleteVoicemail", "voicemail { id }", input).await?;
    leaves_a_message(&phone, Duration::from_millis(1_500)).await?;
    messages(&server, 1).await?;
    server.stop().await
}

#[tokio::test]
async fn what_a_person_has_said_who_is_forgotten_is_unreadable_and_other_messages_are_not()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), EMPTY, "")).await?;
    for number in [NUMBER, "+4930222"] {
        let phone = caller(&server, number).await?;
        leaves_a_message(&phone, Duration::from_millis(1_200)).await?;
    }
    let both = messages(&server, 2).await?;
    for message in &both {
        ensure!(file(&server, message).await?.0 == 200);
    }
    let input = json!({"commandId": command_id(1), "number": NUMBER,
                       "reason": "CONSENT_WITHDRAWN"});
    mutate(&server, "eraseSubject", "subject { id }", input).await?;
    let query = format!("{{ subject(number: \"{NUMBER}\") {{ state }} }}");
    server
        .until(&query, |answer| answer["subject"]["state"] == "ERASED")
        .await?;
    let now = messages(&server, 2).await?;
    ensure!(now[1]["from"]["user"].is_null(), "{}", now[1]);
    ensure!(now[0]["from"]["user"] == "+4930222", "{}", now[0]);
    ensure!(file(&server, &now[1]).await?.0 == 410, "it opens still");
    ensure!(file(&server, &now[0]).await?.0 == 200);
    server.stop().await
}

#[tokio::test]
async fn a_kill_while_somebody_speaks_keeps_no_half_message_and_no_room() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), EMPTY, "messages_max = 2");
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let phone = caller(&server, NUMBER).await?;
    leaves_a_message(&phone, Duration::from_millis(1_500)).await?;
    let before = messages(&server, 1).await?;
    let out = dial(&phone, "support").await?;
    is_asked_to_speak(&out).await?;
    speaks(&out, Duration::from_millis(1_500)).await;
    server.kill().await?;

    let server = Server::start(&setup).await?;
    let is_free = |answer: &Value| answer["mailboxes"][0]["expectedCount"] == 0;
    server.until(MAILBOX, is_free).await?;
    let after = messages(&server, 1).await?;
    ensure!(after == before, "{after:?}");
    let (status, sound) = file(&server, &after[0]).await?;
    ensure!(status == 200);
    is_the_voice(&after[0], &sound)?;
    let cdrs = records_from(&server, 2).await?;
    let lost = cdrs.iter().find(|cdr| cdr["endReason"] == "NODE_LOST");
    let lost = lost.context("the call has ended with its node")?;
    ensure!(
        lost["disposition"] == "SYSTEM_ERROR" && lost["incomplete"] == true,
        "{lost}"
    );
    // The room is there for the next one.
    let phone = caller(&server, "+4930333").await?;
    leaves_a_message(&phone, Duration::from_millis(1_500)).await?;
    messages(&server, 2).await?;
    server.stop().await
}

#[tokio::test]
async fn a_mailbox_is_made_and_changed_and_what_makes_no_sense_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), EMPTY, "longest_ms = 60000")).await?;
    ensure!(mailbox(&server).await?["longestMs"] == "60000");
    let select = "mailbox { id name greeting longestMs messagesMax }";
    let make = |number: u128, more: Value| {
        let mut input = json!({"commandId": command_id(number), "name": "sales"});
        for (key, value) in more.as_object().into_iter().flatten() {
            input[key] = value.clone();
        }
        input
    };
    let made = mutate(&server, "upsertMailbox", select, make(1, json!({}))).await?;
    ensure!(made["mailbox"]["messagesMax"] == 100, "{made}");
    let change = make(2, json!({"longestMs": "90000", "messagesMax": 3}));
    let changed = mutate(&server, "upsertMailbox", select, change).await?;
    ensure!(
        changed["mailbox"]["id"] == made["mailbox"]["id"]
            && changed["mailbox"]["longestMs"] == "90000",
        "{changed}"
    );
    for (number, input, code) in [
        (
            3,
            json!({"greeting": "unknown"}),
            "input.unknown_announcement",
        ),
        (4, json!({"longestMs": "1000"}), "mailbox.invalid_longest"),
        (5, json!({"messagesMax": 0}), "mailbox.invalid_messages_max"),
        (6, json!({"name": "two words"}), "mailbox.invalid_name"),
    ] {
        let refused = mutate(&server, "upsertMailbox", select, make(number, input)).await;
        let refused = refused.err().context(code)?.to_string();
        ensure!(refused.contains(code), "{refused}");
    }
    // A queue leads there by the API; to one that is not there it does not.
    let queue = server
        .graphql("{ queues(first: 1) { nodes { id } } }", json!({}))
        .await?;
    let queue = &queue["queues"]["nodes"][0]["id"];
    let rule = |number: u128, mailbox: &Value| {
        json!({"commandId": command_id(number), "queueId": queue,
               "overflow": [{"when": "FULL", "mailboxId": mailbox}]})
    };
    let select = "queue { config { overflow { when mailboxId } } }";
    let id = &made["mailbox"]["id"];
    let led = mutate(&server, "updateQueue", select, rule(7, id)).await?;
    let rules = &led["queue"]["config"]["overflow"];
    ensure!(
        *rules == json!([{"when": "FULL", "mailboxId": id}]),
        "{led}"
    );
    let nobody = json!("00000000-0000-4000-8000-000000000001");
    let refused = mutate(&server, "updateQueue", select, rule(8, &nobody)).await;
    let refused = refused.err().context("it is refused")?.to_string();
    ensure!(refused.contains("input.unknown_mailbox"), "{refused}");
    server.stop().await
}
