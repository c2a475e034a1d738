use super::AgentStates;
use crate::testing::{Side, World, agent, show};
use domain::{
    any::AnyCommand,
    cause::OfferOutcome,
    device::Command as Device,
    session::{Command, LogoutReason, NotReadyReason},
};
use uuid::Uuid;

const COLUMNS: &[&str] = &[
    "routability",
    "reason",
    "activity",
    "since",
    "until_at",
    "not_before_at",
    "next_state",
    "call_id",
    "queue_id",
    "missed_count",
];

/// The first agent.
#[track_caller]
fn check(world: &World, expected: &str) {
    let text = show::<AgentStates>(world, COLUMNS);
    let row = text.lines().next().unwrap().strip_prefix("agent_states: ");
    assert_eq!(row.unwrap(), expected);
}

#[tokio::test]
async fn an_agent_is_reserved_rings_talks_and_wraps_up() {
    let mut world = World::open().await;
    check(
        &world,
        "routability=ready activity=idle since=0ms missed_count=0",
    );
    world.pass(1_000).arrives(1).settle().offers(1, 1);
    check(
        &world,
        "routability=ready activity=reserved since=1000ms until_at=21000ms call_id=call1 \
         queue_id=queue1 missed_count=0",
    );
    world.pass(500).rings(1);
    check(
        &world,
        "routability=ready activity=ringing since=1500ms until_at=21000ms call_id=call1 \
         queue_id=queue1 missed_count=0",
    );
    world.pass(500).answers(1).settle();
    check(
        &world,
        "routability=ready activity=on_contact since=2000ms call_id=call1 queue_id=queue1 \
         missed_count=0",
    );
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    check(
        &world,
        "routability=ready activity=wrap_up since=3000ms until_at=8000ms call_id=call1 \
         missed_count=0",
    );
    world.pass(5_000).wrap_up_ends(1);
    check(
        &world,
        "routability=ready activity=idle since=8000ms missed_count=0",
    );
}

#[tokio::test]
async fn an_agent_who_declined_is_left_alone_for_a_while() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1).pass(1_000);
    world.fails(1, OfferOutcome::Rejected).settle();
    check(
        &world,
        "routability=ready activity=idle since=1000ms not_before_at=11000ms missed_count=0",
    );
}

#[tokio::test]
async fn three_missed_offers_take_the_agent_out() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    for _ in 0..2 {
        world.offers(1, 1).pass(1_000);
        world.fails(1, OfferOutcome::NoAnswer).settle();
    }
    check(
        &world,
        "routability=ready activity=idle since=2000ms missed_count=2",
    );
    world.offers(1, 1).pass(1_000);
    world.fails(1, OfferOutcome::NoAnswer).settle();
    check(
        &world,
        "routability=not_ready reason=rona activity=idle since=3000ms missed_count=0",
    );
}

#[tokio::test]
async fn what_is_asked_for_during_a_contact_stands_beside_it_until_it_is_applied() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1).answers(1).settle();
    let reason = NotReadyReason::Meal;
    world
        .pass(100)
        .ask_session(1, Command::GoNotReady { reason, code: None });
    check(
        &world,
        "routability=ready activity=on_contact since=0ms next_state={\"not_ready\":\"meal\"} \
         call_id=call1 queue_id=queue1 missed_count=0",
    );
    world.pass(100).hangs_up(1, Side::Agent).settle();
    world.pass(100).wrap_up_ends(1);
    check(
        &world,
        "routability=not_ready reason=meal activity=idle since=300ms missed_count=0",
    );
}

#[tokio::test]
async fn what_was_asked_for_in_a_reservation_ends_with_it() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1);
    let reason = NotReadyReason::Meal;
    world.ask_session(1, Command::GoNotReady { reason, code: None });
    world.ask_session(1, Command::GoReady);
    world.pass(10).fails(1, OfferOutcome::NoAnswer).settle();
    check(
        &world,
        "routability=ready activity=idle since=10ms missed_count=1",
    );
}

#[tokio::test]
async fn who_is_had_back_beside_a_call_has_missed_nothing() {
    let mut world = World::open().await;
    world.capacity = 3;
    world.arrives(1).settle().offers(1, 1).answers(1).settle();
    world.arrives(3).settle();
    for _ in 0..3 {
        world.offers(3, 1).fails(3, OfferOutcome::NoAnswer).settle();
    }
    let row = "activity=on_contact since=0ms";
    let talks = "call_id=call1 queue_id=queue1 missed_count=";
    check(
        &world,
        &format!("routability=ready {row} next_state={{\"not_ready\":\"rona\"}} {talks}3"),
    );
    world.ask_session(1, Command::GoReady);
    check(
        &world,
        &format!("routability=ready {row} next_state=ready {talks}0"),
    );
    world.offers(3, 1).fails(3, OfferOutcome::NoAnswer).settle();
    check(
        &world,
        &format!("routability=ready {row} next_state=ready {talks}1"),
    );
}

#[tokio::test]
async fn a_phone_that_rings_late_changes_nothing() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1).rings(1);
    let late = world.facts.last().unwrap().clone();
    world.pass(10).fails(1, OfferOutcome::Busy).settle();
    let before = show::<AgentStates>(&world, COLUMNS);
    let position = world.facts.len() as u64 + 1;
    world.facts.push(domain::any::Fact { position, ..late });
    assert_eq!(show::<AgentStates>(&world, COLUMNS), before);
}

#[tokio::test]
async fn phones_are_counted_once_each() {
    let mut world = World::open().await;
    let registered = |binding| {
        let binding = Uuid::from_u128(binding);
        let transport = "udp".into();
        let agent = agent(1);
        let registered = Device::RecordRegistered {
            agent,
            binding,
            transport,
        };
        AnyCommand::Device(agent, registered)
    };
    for binding in [1, 2, 1] {
        world.tell(registered(binding));
    }
    let first = |world: &World| {
        let text = show::<AgentStates>(world, &["devices_count", "routability"]);
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        first(&world),
        "agent_states: devices_count=2 routability=ready"
    );
    let binding = Uuid::from_u128(1);
    world.tell(AnyCommand::Device(
        agent(1),
        Device::ExpireBinding { binding },
    ));
    let reason = LogoutReason::Agent;
    world.ask_session(1, Command::LogOut { reason });
    assert_eq!(
        first(&world),
        "agent_states: devices_count=1 routability=logged_out"
    );
}

#[tokio::test]
async fn an_agent_carries_the_name_of_its_person() {
    let world = World::open().await;
    assert_eq!(
        show::<AgentStates>(
            &world,
            &["agent_id", "name", "display_name", "config_version"]
        ),
        "agent_states: agent_id=agent1 name=anna display_name=Anna Berg config_version=1\n\
         agent_states: agent_id=agent2 name=bert config_version=1\n\
         agent_states: agent_id=agent3 name=cleo config_version=1"
    );
}
