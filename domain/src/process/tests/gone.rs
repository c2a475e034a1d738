//! Whoever has gone is offered to nobody, whatever the line still says.

use super::{
    enqueue::ended_in,
    matching::{Desk, SALES, call, opened, visit},
    *,
};
use crate::{
    cause::{By, Disposition, EndReason},
    queue::{Matching, Strategy},
};

#[test]
fn a_call_that_had_gone_before_its_line_let_it_in_is_offered_to_nobody() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.ready(1);
    let late = opened(1, SALES, (desk.now, None));
    desk.hears(said_before(&late).expect("a call has said so"));
    let (reason, by) = (EndReason::Hangup, By::Caller);
    let over = ended_in((visit(1), SALES), reason, by, Disposition::Abandoned);
    let AnyEvent::Call(_, over) = over else {
        panic!("a call is over");
    };
    desk.hears(AnyEvent::Call(call(1), over));
    desk.hears(late);
    assert_eq!(desk.pairs(), []);
    desk.comes(2, SALES);
    assert_eq!(desk.pairs(), [(1, visit(2))]);
}
