use super::super::{Cdr, Row, SegmentKind, tests::legs};
use crate::testing::{Side, World, call, fold_all};
use domain::{
    call::{SupervisionEnd, SupervisionMode},
    cause::{By, Disposition},
    id::AgentId,
};

const TAKEOVER: SupervisionMode = SupervisionMode::Takeover;

/// Caller and agent talk for ten seconds; the supervisor's phone rings for one of them.
async fn taken() -> World {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    world.pass(9_000).is_supervised(1, TAKEOVER);
    world.pass(1_000).supervisor_answers(1).settle();
    world
}

fn record(world: &World) -> Row {
    fold_all::<Cdr>(world).remove(&call(1)).unwrap()
}

#[tokio::test]
async fn the_agents_part_ends_at_the_takeover_and_the_call_with_the_supervisors() {
    let mut world = taken().await;
    // The agent's work is over before the call is.
    world.pass(3_000).wrap_up_ends(1);
    world.pass(17_000).hangs_up(1, Side::Agent).settle();
    assert_eq!(
        legs(&world),
        "caller 0-30000: queue 0-0, talk 0-10000, takeover 10000-30000\n\
         agent 0-10000: alert 0-0, talk 0-10000, wrap-up 10000-13000\n\
         supervisor 9000-30000: takeover 10000-30000"
    );
    let row = record(&world);
    let end = row.end.as_ref().unwrap();
    assert_eq!(
        (end.disposition, end.by),
        (Disposition::Answered, By::Supervisor)
    );
    assert_eq!((row.revision, row.superseded.len()), (1, 0));
    assert_eq!((row.talk_ms(), row.wrap_up_ms), (10_000, 3_000));
    // Who pays pays for all of it, and whose call it was stays.
    assert_eq!((row.billable_ms(), row.duration_ms()), (30_000, 30_000));
    assert_eq!(row.agent, row.legs[1].agent);
    let supervisor = row.legs[2].agent;
    assert_eq!(supervisor, Some(AgentId(uuid::Uuid::from_u128(78))));
    assert_eq!(row.legs[2].supervision_end, Some(SupervisionEnd::TakenOver));
    let with: Vec<_> = row.legs[0].segments.iter().map(|it| it.agent).collect();
    assert_eq!(with, [None, row.agent, supervisor]);
}

#[tokio::test]
async fn a_work_that_outlasts_the_call_gives_the_next_revision_as_ever() {
    let mut world = taken().await;
    world.pass(1_000).hangs_up(1, Side::Caller).settle();
    world.pass(4_000).wrap_up_ends(1);
    let row = record(&world);
    assert_eq!((row.revision, row.wrap_up_ms), (2, 5_000));
    assert_eq!(row.legs[1].spent_ms(SegmentKind::WrapUp), 5_000);
}

#[tokio::test]
async fn holds_before_it_are_the_agents_and_those_after_it_are_seen_and_not_counted() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    world.pass(2_000).holds(1, Side::Caller);
    world.pass(1_000).holds(1, Side::Agent);
    world.pass(1_000).is_supervised(1, TAKEOVER);
    world.pass(1_000).supervisor_answers(1).settle();
    world.pass(1_000).retrieves(1, Side::Caller);
    world.pass(1_000).holds(1, Side::Agent);
    world.pass(1_000).retrieves(1, Side::Agent);
    world.pass(1_000).hangs_up(1, Side::Caller);
    assert_eq!(
        legs(&world),
        "caller 0-9000: queue 0-0, talk 0-2000, hold 2000-5000, hold 5000-6000, \
         takeover 6000-7000, hold 7000-8000, takeover 8000-9000\n\
         agent 0-5000: alert 0-0, talk 0-2000, hold 2000-5000, wrap-up 5000-\n\
         supervisor 4000-9000: hold 5000-6000, takeover 6000-7000, hold 7000-8000, \
         takeover 8000-9000"
    );
    let row = record(&world);
    assert_eq!((row.talk_ms(), row.hold_ms), (2_000, 3_000));
}

#[tokio::test]
async fn whoever_hears_the_call_first_and_takes_it_then_has_both_on_the_record() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    world
        .pass(1_000)
        .is_supervised(1, SupervisionMode::Listen)
        .supervisor_answers(1);
    world.pass(2_000).is_supervised(1, TAKEOVER).settle();
    world.pass(3_000).hangs_up(1, Side::Caller);
    assert_eq!(
        legs(&world),
        "caller 0-6000: queue 0-0, talk 0-3000, takeover 3000-6000\n\
         agent 0-3000: alert 0-0, talk 0-3000, wrap-up 3000-\n\
         supervisor 1000-6000: listen 1000-3000, takeover 3000-6000"
    );
}

#[tokio::test]
async fn a_phone_that_is_not_answered_leaves_the_record_as_it_was() {
    let mut world = World::open().await;
    world.arrives(1).settle();
    world.offers(1, 1).rings(1).answers(1).settle();
    world.pass(1_000).is_supervised(1, TAKEOVER);
    world.pass(1_000).supervisor_hangs_up(1);
    world.pass(1_000).hangs_up(1, Side::Agent);
    assert_eq!(
        legs(&world),
        "caller 0-3000: queue 0-0, talk 0-3000\n\
         agent 0-3000: alert 0-0, talk 0-3000\n\
         supervisor 1000-2000: "
    );
    assert_eq!(record(&world).end.unwrap().by, By::Agent);
}
