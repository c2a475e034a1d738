use super::Callbacks;
use crate::testing::{World, show};
use domain::{
    any::AnyCommand,
    callback::{Command, Outcome, Request, Terms},
    cause::EndReason,
    id::{CallId, CallbackId, LegId, QueueId, VisitId},
};
use uuid::Uuid;

const CALLBACK: CallbackId = CallbackId(Uuid::from_u128(1));

fn start(attempt: u32) -> Command {
    let id = Uuid::from_u128(u128::from(attempt) + 100);
    Command::StartAttempt {
        attempt,
        call: CallId(id),
        visit: VisitId(id),
        leg: LegId(id),
    }
}

#[tokio::test]
async fn a_callback_shows_what_was_tried_and_what_came_of_it() {
    let mut world = World::new().await;
    let party = world.callers[1].clone();
    let terms = Terms {
        attempts_max: 2,
        gap_ms: 0,
        valid_ms: 100_000,
    };
    let request = Command::Request(Request {
        queue: QueueId(Uuid::from_u128(7)),
        party,
        place: world.now,
        call: None,
        terms,
        not_before: None,
        wanted: None,
    });
    let missed = Command::RecordOutcome {
        attempt: 1,
        outcome: Outcome::Missed {
            reason: EndReason::OutsideBusy,
            is_counted: true,
        },
    };
    for command in [request, start(1), missed] {
        world.tell(AnyCommand::Callback(CALLBACK, command));
    }
    let columns = &["state", "from_user", "attempts_max", "position"];
    assert_eq!(
        show::<Callbacks>(&world, columns),
        "callbacks: state=pending from_user=+4930222 attempts_max=2 position=3"
    );
    let reached = Command::RecordOutcome {
        attempt: 2,
        outcome: Outcome::Reached,
    };
    for command in [start(2), reached] {
        world.tell(AnyCommand::Callback(CALLBACK, command));
    }
    assert_eq!(
        show::<Callbacks>(&world, columns),
        "callbacks: state=connected from_user=+4930222 attempts_max=2 position=5"
    );
}
