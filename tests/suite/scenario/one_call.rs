//! One caller, one agent, every step on the record.

use commands::{ports::Position, sessions::Wish};
use domain::{
    call::{self, AnswerMode},
    cause::{OfferOutcome, WireCause},
    session::NotReadyReason,
};
use ringledger_tests::office::{Office, rules};

#[tokio::test]
async fn a_caller_is_offered_to_the_ready_agent_and_everybody_is_free_afterwards() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let agent = office.ready_agent("anna", queue).await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    let (_, ring) = office.see_ring(Position::default(), caller.call).await;
    assert_eq!(ring.agent, agent);
    office
        .tell(caller.call, call::Command::RecordAlerting { leg: ring.leg })
        .await;
    office
        .tell(
            caller.call,
            call::Command::RecordAnswer {
                leg: ring.leg,
                codec: None,
                device: None,
            },
        )
        .await;
    let start = Position::default();
    office
        .see_event(start, caller.call, "agent_connected_to_contact")
        .await;
    office.see_event(start, caller.call, "visit_closed").await;
    let bye = call::Command::RecordBye {
        leg: caller.leg,
        wire: WireCause::default(),
    };
    office.tell(caller.call, bye).await;
    office
        .see_event(start, caller.call, "agent_contact_ended")
        .await;
    let types: Vec<String> = office
        .history()
        .await
        .iter()
        .map(|entry| entry.recorded.event_type.to_string())
        .collect();
    for once in [
        "call_received",
        "visit_opened",
        "agent_reserved",
        "visit_matched",
        "call_ended",
    ] {
        assert_eq!(
            types.iter().filter(|name| *name == once).count(),
            1,
            "{once} in {types:?}"
        );
    }
    assert_eq!(types.last().map(String::as_str), Some("agent_became_ready"));
}

#[tokio::test]
async fn an_agent_who_declines_is_followed_by_the_next_one_who_was_not_tried() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let first = office.ready_agent("anna", queue).await;
    let second = office.ready_agent("ben", queue).await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    let (seen, ring) = office.see_ring(Position::default(), caller.call).await;
    assert_eq!(ring.agent, first, "the longest idle agent comes first");
    let declined = call::Command::RecordFailure {
        leg: ring.leg,
        outcome: OfferOutcome::Rejected,
        wire: WireCause {
            sip_status: Some(603),
            reason_header: None,
            warning: None,
        },
    };
    office.tell(caller.call, declined).await;
    let (_, ring) = office.see_ring(seen, caller.call).await;
    assert_eq!(ring.agent, second);
}

#[tokio::test]
async fn a_caller_waits_until_an_agent_becomes_ready() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    let agent = office.ready_agent("anna", queue).await;
    office
        .wish(agent, Wish::NotReady(NotReadyReason::Break, None))
        .await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    office
        .see_event(Position::default(), caller.call, "visit_opened")
        .await;
    office.wish(agent, Wish::Ready).await;
    let (_, ring) = office.see_ring(Position::default(), caller.call).await;
    assert_eq!(ring.agent, agent);
}

#[tokio::test]
async fn a_caller_who_leaves_while_the_phone_rings_frees_the_agent_and_is_no_missed_call() {
    let office = Office::open().await;
    let queue = office.queue("support", rules()).await;
    office.ready_agent("anna", queue).await;
    let caller = office.ring_in(queue, AnswerMode::OnAgent).await;
    office.see_ring(Position::default(), caller.call).await;
    let cancel = call::Command::RecordCancel {
        leg: caller.leg,
        wire: WireCause::default(),
    };
    office.tell(caller.call, cancel).await;
    let (_, reason) = office
        .see(Position::default(), |entry| match &entry.fact.event {
            domain::any::AnyEvent::Session(
                _,
                domain::session::Event::ReservationReleased { reason, .. },
            ) => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, domain::session::ReleaseReason::CallerGone);
    office
        .see_event(Position::default(), caller.call, "visit_closed")
        .await;
}

#[tokio::test]
async fn a_phone_that_rings_too_long_is_taken_back_and_the_caller_goes_on() {
    let office = Office::open().await;
    let config = domain::queue::Config {
        ring_timeout_ms: 1_000,
        answer_mode: AnswerMode::Immediate,
        ..rules()
    };
    let queue = office.queue("support", config).await;
    let first = office.ready_agent("anna", queue).await;
    let second = office.ready_agent("ben", queue).await;
    let caller = office.ring_in(queue, AnswerMode::Immediate).await;
    office
        .see_event(Position::default(), caller.call, "call_answered")
        .await;
    let (seen, ring) = office.see_ring(Position::default(), caller.call).await;
    assert_eq!(ring.agent, first);
    let (_, ring) = office.see_ring(seen, caller.call).await;
    assert_eq!(ring.agent, second);
}

#[tokio::test]
async fn a_full_queue_ends_the_call_as_busy() {
    let office = Office::open().await;
    let queue = office
        .queue(
            "support",
            domain::queue::Config {
                capacity: 1,
                ..rules()
            },
        )
        .await;
    office.ring_in(queue, AnswerMode::OnAgent).await;
    let second = office.ring_in(queue, AnswerMode::OnAgent).await;
    let (_, status) = office
        .see(Position::default(), |entry| match &entry.fact.event {
            domain::any::AnyEvent::Call(call, call::Event::Ended { cause, .. })
                if *call == second.call =>
            {
                Some(cause.sip_status)
            }
            _ => None,
        })
        .await;
    assert_eq!(status, Some(486));
}
