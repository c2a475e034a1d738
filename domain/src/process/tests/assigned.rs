//! A call that a person means for one agent: nobody else is asked for a while, if that
//! one is there.

use super::{
    matching::{self, Desk, SALES, visit, wants},
    *,
};
use crate::{
    call,
    callback::Wanted,
    id::{AgentId, CallbackId, SessionId},
    line,
    queue::{Matching, Strategy},
    session::{DecidedBy, LeftOutReason},
};
use uuid::Uuid;

fn person(number: u64) -> AgentId {
    AgentId(Uuid::from_u64_pair(3, number))
}

/// Visit 1 is meant for that agent for so long from now on.
fn assign(desk: &mut Desk, agent: u64, for_ms: u64) {
    let assigned = line::Event::Assigned {
        visit: visit(1),
        call: matching::call(1),
        agent: person(agent),
        until: desk.now.plus_ms(for_ms),
        by: "token:wallboard".into(),
    };
    desk.hears(AnyEvent::Line(SALES, assigned));
}

/// A queue that asks for German, and two agents who know none.
fn nobody_knows_german() -> Desk {
    let matching = Matching {
        skills: vec![wants("german", 3, &[])],
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, matching);
    desk.hires(1, &[SALES], &[], 1);
    desk.hires(2, &[SALES], &[], 1);
    desk
}

fn two_agents() -> Desk {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.hires(2, &[SALES], &[], 1);
    desk
}

#[test]
fn a_call_goes_to_the_agent_whom_a_person_chose_whatever_the_queue_asks_for() {
    let mut desk = nobody_knows_german();
    desk.ready(1);
    desk.passes(1_000);
    desk.ready(2);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), [], "the skill is missing");
    assign(&mut desk, 2, 30_000);
    assert_eq!(desk.pairs(), [(2, visit(1))]);
    let choice = &desk.asked[0].choice;
    assert_eq!(choice.decided_by, DecidedBy::Assigned);
    let rows = choice.left_out.iter();
    let rows: Vec<_> = rows.map(|row| (row.reason, row.agents.clone())).collect();
    assert_eq!(rows, [(LeftOutReason::NotAssigned, vec![person(1)])]);
}

#[test]
fn others_are_left_alone_while_the_chosen_one_is_busy_and_asked_when_the_time_is_over() {
    let mut desk = two_agents();
    desk.ready(2);
    desk.comes(9, SALES);
    assert_eq!(desk.pairs(), [(2, visit(9))]);
    desk.comes(1, SALES);
    assign(&mut desk, 2, 30_000);
    desk.ready(1);
    assert_eq!(desk.pairs(), [], "agent 1 is free and not asked");
    // Whoever comes later is not kept back by it.
    desk.comes(3, SALES);
    assert_eq!(desk.pairs(), [(1, visit(3))]);
    desk.hires(4, &[SALES], &[], 1);
    desk.ready(4);
    desk.passes(29_999);
    assert_eq!(desk.pairs(), []);
    desk.passes(1);
    assert_eq!(desk.pairs(), [(4, visit(1))]);
    assert_eq!(desk.asked[0].choice.decided_by, DecidedBy::Alone);
}

#[test]
fn who_is_not_there_is_not_waited_for() {
    let mut desk = two_agents();
    desk.comes(1, SALES);
    // Agent 2 is logged in and takes no calls.
    assign(&mut desk, 2, 30_000);
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
}

#[test]
fn a_chosen_one_who_does_not_answer_is_not_waited_for_where_all_ring() {
    let mut desk = Desk::with(SALES, Strategy::RingAll, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.hires(2, &[SALES], &[], 1);
    desk.comes(1, SALES);
    assign(&mut desk, 1, 3_600_000);
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
    let asked = desk.asked[0].clone();
    desk.ready(2);
    assert_eq!(desk.pairs(), [], "it rings alone");
    desk.comes_back(SALES, &asked, 1);
    assert!(desk.pairs().contains(&(2, visit(1))), "{:?}", desk.pairs());
}

#[test]
fn where_all_ring_the_chosen_one_rings_alone_at_first() {
    let mut desk = Desk::with(SALES, Strategy::RingAll, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.hires(2, &[SALES], &[], 1);
    desk.comes(1, SALES);
    // It is there, busy with the work after another call.
    let session = SessionId {
        agent: person(1),
        number: 1,
    };
    let wrap_up = session::Event::WrapUpStarted {
        call: matching::call(9),
        until: desk.now.plus_ms(60_000),
        code_required: false,
        still: None,
    };
    desk.hears(AnyEvent::Session(session, wrap_up));
    assign(&mut desk, 1, 30_000);
    desk.ready(2);
    assert_eq!(desk.pairs(), []);
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
    desk.passes(29_999);
    assert_eq!(desk.pairs(), []);
    desk.passes(1);
    assert_eq!(desk.pairs(), [(2, visit(1))]);
}

#[test]
fn whoever_is_rung_back_has_the_agent_who_was_asked_for_at_first() {
    let mut desk = two_agents();
    desk.ready(2);
    desk.comes(9, SALES);
    assert_eq!(desk.pairs(), [(2, visit(9))]);
    let placed = call::Event::Placed {
        leg: crate::testing::OUTSIDE_LEG,
        party: crate::testing::caller(),
        callback: CallbackId(Uuid::from_u128(77)),
        place: desk.now,
        wanted: Some(Wanted {
            agent: person(2),
            for_ms: 20_000,
        }),
    };
    desk.hears(AnyEvent::Call(matching::call(1), placed));
    desk.comes(1, SALES);
    desk.ready(1);
    desk.passes(19_999);
    assert_eq!(desk.pairs(), [], "agent 2 is waited for");
    desk.passes(1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
}
