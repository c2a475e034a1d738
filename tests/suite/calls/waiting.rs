//! Callers who wait with music: they are answered, no agent is there yet.

use crate::{
    ends::{End, hung_up, no_complaints},
    world::{PATIENCE, dial, open, rules},
};
use domain::{
    call::AnswerMode,
    cause::{By, Disposition, EndReason},
    queue,
};

fn immediate() -> queue::Config {
    queue::Config {
        answer_mode: AnswerMode::Immediate,
        ..rules()
    }
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_waiting_with_music_is_abandoned() {
    let world = open().await;
    let queue = world.support(immediate()).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_answered(PATIENCE).await.unwrap();
    assert!(out.media().wait_packets(5, PATIENCE).await, "music plays");
    assert_eq!(out.hang_up().await.unwrap(), 200);
    let abandoned = End {
        disposition: Disposition::Abandoned,
        by: By::Caller,
        reason: EndReason::Hangup,
        sip_status: None,
        incomplete: false,
    };
    assert_eq!(world.the_end(before).await, abandoned);
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_hangs_up_as_the_agents_phone_rings_stops_it() {
    let world = open().await;
    let queue = world.support(immediate()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_answered(PATIENCE).await.unwrap();
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    world.see(before, "leg_alerting").await;
    assert_eq!(out.hang_up().await.unwrap(), 200);
    let rang = incoming.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(rang.ended_by, Some(phone::EndedBy::Cancelled));
    let abandoned = End {
        disposition: Disposition::Abandoned,
        by: By::Caller,
        reason: EndReason::Hangup,
        sip_status: None,
        incomplete: false,
    };
    assert_eq!(world.the_end(before).await, abandoned);
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_who_waited_too_long_with_music_gets_a_bye() {
    let world = open().await;
    let config = queue::Config {
        max_wait_ms: 500,
        ..immediate()
    };
    let queue = world.support(config).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_answered(PATIENCE).await.unwrap();
    hung_up(&out).await;
    let unanswered = End {
        disposition: Disposition::NoAnswer,
        by: By::System,
        reason: EndReason::MaxWait,
        sip_status: None,
        incomplete: false,
    };
    assert_eq!(world.the_end(before).await, unanswered);
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_key_in_an_info_leads_out_as_a_telephone_event_does() {
    let world = open().await;
    let sales = world.office.queue("sales", rules()).await;
    let config = queue::Config {
        exits: vec![queue::Exit {
            key: "1".parse().unwrap(),
            to: queue::OverflowTo::Queue(sales),
        }],
        ..immediate()
    };
    world.support(config).await;
    world.agent("anna", sales).await;
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    out.wait_answered(PATIENCE).await.unwrap();
    let (relay, plain) = ("application/dtmf-relay", "application/dtmf");
    for (kind, body, status) in [
        (relay, "Signal=7\r\nDuration=160\r\n", 200),
        (relay, "Duration=160\r\n", 400),
        (plain, "eleven", 400),
        ("text/plain", "1", 415),
        (relay, "Signal=1\r\nDuration=160\r\n", 200),
    ] {
        assert_eq!(out.info(kind, body).await.unwrap(), status, "{kind} {body}");
    }
    world.see(before, "exit_key_pressed").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    world.see(before, "agent_connected").await;
    // In a conversation a key is nobody's business, and answered all the same.
    assert_eq!(out.info(plain, "1").await.unwrap(), 200);
    assert_eq!(incoming.info(plain, "#").await.unwrap(), 200);
    assert_eq!(out.hang_up().await.unwrap(), 200);
    incoming.wait_ended(PATIENCE).await.unwrap();
    let (_, call) = world.see(before, "call_ended").await;
    let story = world.story(call).await;
    let pressed = story.iter().filter(|step| *step == "exit_key_pressed");
    assert_eq!(pressed.count(), 1, "{story:?}");
    no_complaints(&[&caller, &agent]);
}
