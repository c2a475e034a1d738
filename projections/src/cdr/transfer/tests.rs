use super::super::{Cdr, LegOutcome, Row, SegmentEnd, SegmentKind, tests::legs};
use crate::testing::{Side, World, agent, call, fold_all, queue};
use domain::cause::{By, Disposition};

/// Ten seconds with the first agent, then into the other queue.
async fn sent_on() -> World {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    world.pass(10_000).is_transferred(1).settle();
    world
}

fn record(world: &World) -> Row {
    fold_all::<Cdr>(world).remove(&call(1)).unwrap()
}

#[tokio::test]
async fn the_call_stays_one_and_each_agent_has_a_leg_and_a_contact_of_its_own() {
    let mut world = sent_on().await;
    world.pass(4_000).offers(1, 2).rings(1);
    // The first agent's work goes on while the second talks.
    world.pass(500).answers(1).settle();
    world.pass(1_500).wrap_up_ends(1);
    world.pass(10_000).holds(1, Side::Agent);
    world.pass(3_000).retrieves(1, Side::Agent);
    world.pass(1_000).hangs_up(1, Side::Agent).settle();
    world.pass(2_000).wrap_up_ends(2);
    assert_eq!(
        legs(&world),
        "caller 0-30000: queue 0-0, talk 0-10000, queue 10000-14500, talk 14500-26000, \
         hold 26000-29000, talk 29000-30000\n\
         agent 0-10000: alert 0-0, talk 0-10000, wrap-up 10000-16000\n\
         agent 14000-30000: alert 14000-14500, talk 14500-26000, hold 26000-29000, \
         talk 29000-30000, wrap-up 30000-32000"
    );
    let row = record(&world);
    let end = row.end.as_ref().unwrap();
    assert_eq!(
        (end.disposition, end.by),
        (Disposition::Answered, By::Agent)
    );
    // What is billed is the whole call.
    assert_eq!((row.billable_ms(), row.duration_ms()), (30_000, 30_000));
    assert_eq!((row.agent, row.queue), (Some(agent(2)), Some(queue(2))));
    assert_eq!((row.talk_ms(), row.hold_ms), (22_500, 3_000));
    assert_eq!((row.wrap_up_ms, row.wait_ms()), (8_000, 4_500));
    assert_eq!((row.revision, row.transfers_count()), (2, 1));
    let first = &row.legs[1];
    assert_eq!(first.outcome, Some(LegOutcome::Transferred));
    assert_eq!(first.transferred_to, Some(queue(2)));
    let ends: Vec<_> = first.segments.iter().map(|it| it.end).collect();
    assert_eq!(ends, [None, Some(SegmentEnd::Transferred), None]);
    let contacts: Vec<_> = super::contacts(&row.legs)
        .map(|it| (it.agent, it.queue, it.talk_ms, it.hold_ms, it.wrap_up_ms))
        .collect();
    let (one, two) = (Some(agent(1)), Some(agent(2)));
    assert_eq!(
        contacts,
        [
            (one, Some(queue(1)), 10_000, 0, 6_000),
            (two, Some(queue(2)), 12_500, 3_000, 2_000)
        ]
    );
}

#[tokio::test]
async fn a_caller_who_hangs_up_then_has_abandoned_the_other_queue_and_was_talked_with() {
    let mut world = sent_on().await;
    world.pass(4_000).hangs_up(1, Side::Caller).settle();
    let row = record(&world);
    let end = row.end.as_ref().unwrap();
    assert_eq!(
        (end.disposition, end.by),
        (Disposition::Abandoned, By::Caller)
    );
    assert_eq!((row.agent, row.queue), (Some(agent(1)), Some(queue(2))));
    assert_eq!((row.billable_ms(), row.talk_ms()), (14_000, 10_000));
    assert_eq!((row.wait_ms(), row.transfers_count()), (4_000, 1));
}

#[tokio::test]
async fn a_caller_who_was_held_is_held_no_more() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    world.pass(2_000).holds(1, Side::Agent);
    world.pass(3_000).is_transferred(1).settle();
    world.pass(1_000).offers(1, 2).answers(1).settle();
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    let row = record(&world);
    assert_eq!((row.hold_ms, row.talk_ms()), (3_000, 3_000));
    assert_eq!(row.legs[1].spent_ms(SegmentKind::Hold), 3_000);
    assert_eq!(
        row.legs[1].segments.last().unwrap().kind,
        SegmentKind::WrapUp
    );
}

#[tokio::test]
async fn phones_that_ring_side_by_side_then_ring_for_one_stretch_of_time() {
    let mut world = sent_on().await;
    world.pass(1_000).offers(1, 2).rings(1);
    world
        .pass(2_000)
        .fails(1, domain::cause::OfferOutcome::NoAnswer);
    world.settle().pass(1_000).offers(1, 3).rings(1);
    world.pass(3_000).answers(1).settle();
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    assert_eq!(record(&world).ring_ms, 5_000);
}
