use super::QueueSlots;
use crate::testing::{World, show};
use domain::cause::OfferOutcome;

#[tokio::test]
async fn who_is_turned_away_and_what_comes_to_nothing_is_counted_by_quarter_of_an_hour() {
    let mut world = World::open().await;
    // The queue has room for three.
    for number in [1, 3, 5, 7] {
        world.arrives(number).settle();
    }
    world.offers(1, 1).pass(1_000);
    world.fails(1, OfferOutcome::NoAnswer).settle();
    world.pass(900_000).arrives(9).settle();
    let counted = show::<QueueSlots>(
        &world,
        &["start_at", "full_count", "empty_count", "returned_count"],
    );
    assert_eq!(
        counted,
        "queue_slots: start_at=0ms full_count=1 empty_count=0 returned_count=1\n\
         queue_slots: start_at=900000ms full_count=1 empty_count=0 returned_count=0"
    );
}
