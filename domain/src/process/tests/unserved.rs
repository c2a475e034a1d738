//! Why callers who wait have nobody, as it is told to whoever watches.

use super::{
    matching::{Desk, SALES, visit, wants},
    *,
};
use crate::{
    process::routing::Routing,
    queue::{Matching, Strategy},
};

/// The reasons that somebody waits for, with how many.
fn reasons(desk: &Desk) -> Vec<(&'static str, usize)> {
    let (gauge, all) = Routing::reasons(&desk.state).expect("routing tells");
    assert_eq!(gauge, "ringledger_routing_unserved_count");
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[test]
fn callers_wait_for_somebody_who_logs_in_is_ready_or_has_the_skill() {
    let matching = Matching {
        skills: vec![wants("german", 3, &[])],
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, matching);
    assert_eq!(reasons(&desk), []);
    desk.comes(1, SALES);
    desk.passes(1_000);
    desk.comes(2, SALES);
    assert_eq!(reasons(&desk), [("nobody_logged_in", 2)]);
    desk.hires(1, &[SALES], &[], 1);
    assert_eq!(reasons(&desk), [("nobody_ready", 2)]);
    desk.ready(1);
    assert_eq!(reasons(&desk), [("skill", 2)]);
    desk.hires(2, &[SALES], &[("german", 5)], 1);
    desk.ready(2);
    assert_eq!(desk.pairs(), [(2, visit(1))]);
    // The one is being offered, and who is still free can not take the other.
    assert_eq!(reasons(&desk), [("skill", 1)]);
}

#[test]
fn a_caller_waits_while_all_are_busy() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.ready(1);
    desk.comes(1, SALES);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
    desk.comes(2, SALES);
    assert_eq!(reasons(&desk), [("all_busy", 1)]);
}
