use super::Visits;
use crate::testing::{Side, World, show};

const SHOWN: &[&str] = &["place", "offers_count", "result", "wait_ms"];

#[tokio::test]
async fn a_stay_tells_how_often_it_was_offered_and_how_it_ended() {
    let mut world = World::open().await;
    world.arrives(1).settle().offers(1, 1);
    world.arrives(3).settle();
    assert_eq!(
        show::<Visits>(&world, SHOWN),
        "visits: place=1 offers_count=1\n\
         visits: place=2 offers_count=0"
    );
    world.pass(7_000).answers(1).settle();
    world.pass(1_000).hangs_up(3, Side::Caller).settle();
    assert_eq!(
        show::<Visits>(&world, SHOWN),
        "visits: place=1 offers_count=1 result=answered wait_ms=7000\n\
         visits: place=2 offers_count=0 result=abandoned wait_ms=8000"
    );
}
