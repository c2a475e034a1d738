use super::Staff;
use crate::testing::{World, agent, login, show};
use domain::{
    any::AnyCommand,
    session::{Command, LogoutReason},
};

#[tokio::test]
async fn a_login_has_a_row_and_so_has_each_thing_that_was_said_of_an_agent() {
    let mut world = World::open().await;
    world.pass(60_000);
    let leaves = Command::LogOut {
        reason: LogoutReason::Agent,
    };
    world.tell(AnyCommand::Session(login(2), leaves));
    let rows = show::<Staff>(&world, &["agent_id", "number", "since_at", "until_at"]);
    let mut lines: Vec<_> = rows.lines().collect();
    lines.sort_unstable();
    let served =
        |number: u64| format!("served_queues: agent_id=agent{number} number=1 since_at=0ms");
    assert_eq!(
        lines,
        [
            "logins: agent_id=agent1 number=1 since_at=0ms",
            "logins: agent_id=agent2 number=1 since_at=0ms until_at=60000ms",
            "logins: agent_id=agent3 number=1 since_at=0ms",
            &served(1),
            &served(2),
            &served(3),
        ],
        "{:?}",
        agent(1)
    );
}
