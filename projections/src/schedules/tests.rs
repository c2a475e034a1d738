use super::Schedules;
use crate::testing::{START, World, agent, show};
use domain::{
    any::AnyCommand,
    schedule::{Activity, Command, Segment},
};

#[tokio::test]
async fn each_time_that_a_schedule_is_set_is_a_row_that_stays() {
    let mut world = World::open().await;
    let set = |activity| {
        let (from, to) = (START.plus_ms(1_000), START.plus_ms(9_000));
        let segments = vec![Segment { from, to, activity }];
        AnyCommand::Schedule(agent(1), Command::Set { from, to, segments })
    };
    for activity in [Activity::Work, Activity::Work, Activity::Meal] {
        world.tell(set(activity));
    }
    assert_eq!(
        show::<Schedules>(&world, &["agent_id", "number", "from_at", "to_at"]),
        "schedules: agent_id=agent1 number=1 from_at=1000ms to_at=9000ms\n\
         schedules: agent_id=agent1 number=2 from_at=1000ms to_at=9000ms"
    );
}
