use super::Erasures;
use crate::testing::{World, show};
use domain::{
    any::AnyCommand,
    person::{Command, Reason},
};

#[tokio::test]
async fn a_person_stands_once_with_the_latest_erasure() {
    let mut world = World::new().await;
    let subject = world.callers[0].subject;
    let erase = |keys_through, reason| Command::Erase {
        keys_through,
        reason,
    };
    world.tell(AnyCommand::Person(subject, erase(1, Reason::Retention)));
    world.pass(5_000);
    // Nothing new was sealed: refused, and no event.
    world.tell(AnyCommand::Person(subject, erase(1, Reason::Objection)));
    world.tell(AnyCommand::Person(subject, erase(2, Reason::Objection)));
    let columns = [
        "position",
        "keys_through",
        "reason",
        "erased_at",
        "erasures_count",
    ];
    assert_eq!(
        show::<Erasures>(&world, &columns),
        "erasures: position=2 keys_through=2 reason=objection erased_at=5000ms erasures_count=2"
    );
}
