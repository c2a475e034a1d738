use super::RefusalSums;
use crate::testing::{World, show};
use domain::{any::AnyCommand, cause::EndReason, id::RefusalsId, refusals::Command};
use uuid::Uuid;

#[tokio::test]
async fn each_sum_says_how_many_calls_were_refused_when_and_why() {
    let mut world = World::new().await;
    let first = world.now;
    world.pass(1_000);
    for (number, reason) in [(1, EndReason::Overload), (2, EndReason::NotAllowed)] {
        let sum = Command::Sum {
            reason,
            calls_count: 1_000 * number,
            since: first,
        };
        let refusals = RefusalsId(Uuid::from_u128(number.into()));
        world.tell(AnyCommand::Refusals(refusals, sum));
    }
    assert_eq!(
        show::<RefusalSums>(&world, &["reason", "calls_count", "since_at", "until_at"]),
        "refusal_sums: reason=overload calls_count=1000 since_at=0ms until_at=1000ms\n\
         refusal_sums: reason=not_allowed calls_count=2000 since_at=0ms until_at=1000ms"
    );
}
