//! Messages are for those who may hear them, and mailboxes for those who may make them.

use crate::world::{World, uuid};
use commands::ports::SealedSound;
use domain::{
    any::AnyCommand,
    call::{Audio, OverflowCause},
    id::{CallId, MailboxId, SubjectId, VisitId, VoicemailId},
    mailbox::{Command, Config, Left},
    time::Timestamp,
};
use ringledger_graphql::auth::Scope;
use serde_json::json;

const SOUND: &[u8] = b"RIFF and what was said";

/// A message of somebody who shows no number, in a mailbox of its own.
async fn message(world: &World) -> (MailboxId, VoicemailId) {
    let (mailbox, message) = (MailboxId(uuid()), VoicemailId(uuid()));
    let call = CallId(uuid());
    let left = Left {
        call,
        party: None,
        length_ms: 3_000,
        audio: Audio {
            size_bytes: SOUND.len() as u64,
            sha256: "00".repeat(32),
        },
    };
    let (name, config) = ("support".into(), Config::default());
    for command in [
        Command::Configure { name, config },
        Command::ExpectMessage {
            message,
            call,
            visit: VisitId(uuid()),
            cause: OverflowCause::Closed,
        },
        Command::LeaveMessage { message, left },
    ] {
        world.dispatch(AnyCommand::Mailbox(mailbox, command)).await;
    }
    let subject = SubjectId(message.0);
    let sealed = world.stores.vault.seal_bytes(subject, SOUND).await.unwrap();
    let sound = SealedSound { subject, sealed };
    let kept = world
        .stores
        .recordings
        .put(message, Timestamp::default(), sound);
    kept.await.unwrap();
    (mailbox, message)
}

#[tokio::test]
async fn a_message_is_heard_only_by_those_who_may() {
    let world = World::start().await;
    let (mailbox, message) = message(&world).await;
    let head = world.head();
    let query = format!(
        "{{ voicemails(mailboxId: \"{mailbox}\", minPosition: \"{head}\") {{ nodes {{ status \
         from {{ user }} lengthMs audioPath }} }} \
         mailbox(id: \"{mailbox}\", minPosition: \"{head}\") {{ counts {{ new }} }} }}"
    );
    let others = world.token(&[Scope::CallRead, Scope::QueueManage]).await;
    let answer = world.ask_as(&others, &query, json!({})).await;
    assert_eq!(answer.code(), "AUTHORIZATION_ERROR");
    let listener = world.token(&[Scope::VoicemailAccess]).await;
    let data = world.ask_as(&listener, &query, json!({})).await.data();
    let node = &data["voicemails"]["nodes"][0];
    assert_eq!(node["status"], "NEW");
    assert_eq!(node["lengthMs"], "3000");
    assert!(node["from"].is_null(), "{node}");
    assert_eq!(data["mailbox"]["counts"]["new"], 1);

    let path = node["audioPath"].as_str().unwrap();
    let get = async |token: &str| {
        let response = world.get(path).bearer_auth(token).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.bytes().await.unwrap().to_vec())
    };
    assert_eq!(world.get(path).send().await.unwrap().status(), 401);
    assert_eq!(get(&others).await.0, 403);
    assert_eq!(get(&listener).await, (200, SOUND.to_vec()));

    let input = json!({ "voicemailId": message.to_string(), "status": "READ" });
    let order = world.order_as(&others, "markVoicemail", uuid(), input.clone(), "position");
    assert_eq!(order.await.code(), "AUTHORIZATION_ERROR");
    let select = "voicemail { status }";
    let order = world.order_as(&listener, "markVoicemail", uuid(), input, select);
    let data = order.await.data();
    assert_eq!(data["markVoicemail"]["voicemail"]["status"], "READ");
    // Who listens makes no mailboxes.
    let input = json!({ "name": "sales" });
    let order = world.order_as(&listener, "upsertMailbox", uuid(), input, "position");
    let answer = order.await;
    assert_eq!(answer.code(), "AUTHORIZATION_ERROR");
    let scope = &answer.body["errors"][0]["extensions"]["scope"];
    assert_eq!(scope, "voicemail:manage");
}
