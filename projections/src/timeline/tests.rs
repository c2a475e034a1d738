use super::Timeline;
use crate::testing::{World, show};

#[tokio::test]
async fn every_event_has_a_row_with_what_it_is_about_and_no_personal_data() {
    let mut world = World::open().await;
    let before = world.facts.len();
    world.arrives(1).settle().offers(1, 1);
    let columns = &[
        "category",
        "version",
        "event_type",
        "call_id",
        "agent_id",
        "queue_id",
    ];
    let text = show::<Timeline>(&world, columns);
    let rows: Vec<_> = text.lines().skip(before).collect();
    assert_eq!(
        rows,
        [
            "timeline: category=call version=1 event_type=call_received call_id=call1",
            "timeline: category=call version=2 event_type=call_routed call_id=call1 queue_id=queue1",
            "timeline: category=call version=3 event_type=call_enqueued call_id=call1 queue_id=queue1",
            "timeline: category=line version=1 event_type=visit_opened call_id=call1 queue_id=queue1",
            "timeline: category=agentsession version=3 event_type=agent_reserved call_id=call1 agent_id=agent1 queue_id=queue1",
            "timeline: category=line version=2 event_type=visit_matched call_id=call1 agent_id=agent1 queue_id=queue1",
            "timeline: category=call version=4 event_type=offer_started call_id=call1 agent_id=agent1",
        ]
    );
    let payloads = show::<Timeline>(&world, &["payload"]);
    let row = payloads.lines().nth(before).unwrap();
    assert_eq!(
        row,
        "timeline: payload={\"leg\":\"00000000-0000-0002-0000-000000000064\",\
         \"sip_call_id\":\"sip-1\",\"to\":\"sales\"}"
    );
    for caller in &world.callers {
        assert!(!payloads.contains(&caller.data));
    }
    assert!(!payloads.contains("display_name"));
}
