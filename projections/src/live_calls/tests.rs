use super::LiveCalls;
use crate::testing::{Side, World, show};

const COLUMNS: &[&str] = &[
    "call_id",
    "state",
    "since",
    "from_user",
    "agent_id",
    "offers_count",
    "offered_at",
    "alerting_at",
    "agent_connected_at",
    "held_by_caller",
    "held_by_agent",
];

#[track_caller]
fn check(world: &World, expected: &str) {
    assert_eq!(show::<LiveCalls>(world, COLUMNS), expected);
}

#[tokio::test]
async fn a_call_moves_over_the_board_and_leaves_it() {
    let mut world = World::open().await;
    world.pass(100).arrives(1).settle();
    check(
        &world,
        "live_calls: call_id=call1 state=waiting since=100ms from_user=+4930222 \
         offers_count=0 held_by_caller=0 held_by_agent=0",
    );
    world.pass(100).offers(1, 1).pass(300).rings(1);
    check(
        &world,
        "live_calls: call_id=call1 state=offering since=200ms from_user=+4930222 \
         agent_id=agent1 offers_count=1 offered_at=200ms alerting_at=500ms \
         held_by_caller=0 held_by_agent=0",
    );
    world.pass(500).answers(1).settle();
    world.pass(1_000).holds(1, Side::Agent);
    check(
        &world,
        "live_calls: call_id=call1 state=held since=2000ms from_user=+4930222 \
         agent_id=agent1 offers_count=1 offered_at=200ms alerting_at=500ms \
         agent_connected_at=1000ms held_by_caller=0 held_by_agent=1",
    );
    world.pass(500).hangs_up(1, Side::Caller).settle();
    check(&world, "");
}

#[tokio::test]
async fn a_call_whose_offer_failed_waits_again_without_an_agent() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1).pass(300).rings(1);
    world
        .pass(700)
        .fails(1, domain::cause::OfferOutcome::Busy)
        .settle();
    check(
        &world,
        "live_calls: call_id=call1 state=waiting since=1000ms from_user=+4930222 \
         offers_count=1 held_by_caller=0 held_by_agent=0",
    );
}

#[tokio::test]
async fn a_call_is_held_until_both_sides_have_retrieved_it() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1).answers(1).settle();
    world
        .pass(10)
        .holds(1, Side::Agent)
        .pass(10)
        .holds(1, Side::Caller);
    world.pass(10).retrieves(1, Side::Agent);
    let state = &["state", "since", "held_by_caller", "held_by_agent"];
    assert_eq!(
        show::<LiveCalls>(&world, state),
        "live_calls: state=held since=10ms held_by_caller=1 held_by_agent=0"
    );
    world.pass(10).retrieves(1, Side::Caller);
    assert_eq!(
        show::<LiveCalls>(&world, state),
        "live_calls: state=connected since=40ms held_by_caller=0 held_by_agent=0"
    );
}
