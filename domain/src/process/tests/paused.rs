//! A member whom a person has paused in one queue.

use super::{
    matching::{Desk, SALES, SERVICE, visit},
    *,
};
use crate::{
    id::AgentId,
    queue::{self, Matching, Strategy},
    session::LeftOutReason,
};
use uuid::Uuid;

fn person(number: u64) -> AgentId {
    AgentId(Uuid::from_u64_pair(3, number))
}

fn pause(desk: &mut Desk, agent: u64) {
    let paused = queue::Event::MemberPaused {
        agent: person(agent),
        by: "carla".into(),
        why: "training".into(),
    };
    desk.hears(AnyEvent::Queue(SALES, paused));
}

fn unpause(desk: &mut Desk, agent: u64) {
    let unpaused = queue::Event::MemberUnpaused {
        agent: person(agent),
        by: "carla".into(),
        why: "over".into(),
    };
    desk.hears(AnyEvent::Queue(SALES, unpaused));
}

fn desk() -> Desk {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES, SERVICE], &[], 1);
    desk
}

#[test]
fn who_is_paused_in_a_queue_gets_the_calls_of_others_and_its_own_again_afterwards() {
    let mut desk = desk();
    pause(&mut desk, 1);
    desk.ready(1);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), [], "she is paused there");
    desk.comes(2, SERVICE);
    assert_eq!(desk.pairs(), [(1, visit(2))], "and not here");
    let mut desk = self::desk();
    pause(&mut desk, 1);
    desk.ready(1);
    desk.comes(1, SALES);
    unpause(&mut desk, 1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
}

#[test]
fn who_is_paused_is_left_out_for_that_reason() {
    let mut desk = desk();
    desk.hires(2, &[SALES], &[], 1);
    desk.ready(1);
    desk.passes(1_000);
    desk.ready(2);
    pause(&mut desk, 1);
    desk.comes(1, SALES);
    assert_eq!(
        desk.pairs(),
        [(2, visit(1))],
        "the other has been idle longer"
    );
    let rows = desk.asked[0].choice.left_out.iter();
    let rows: Vec<_> = rows.map(|row| (row.reason, row.agents.clone())).collect();
    assert_eq!(rows, [(LeftOutReason::MemberPaused, vec![person(1)])]);
}

#[test]
fn a_pause_counts_for_whoever_serves_the_queue_later() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    pause(&mut desk, 1);
    desk.hires(1, &[SALES], &[], 1);
    desk.ready(1);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), []);
}
