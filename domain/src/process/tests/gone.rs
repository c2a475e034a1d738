//! Whoever has gone is offered to nobody, whatever the line still says.

use super::{
    enqueue::ended_in,
    matching::{Desk, SALES, call, login, opened, visit},
    *,
};
use crate::{
    call as calls,
    cause::{By, Disposition, EndReason},
    id::LegId,
    line,
    queue::{Matching, Strategy},
    session::ReleaseReason,
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

/// All ring, also whom a person has chosen; another one answers, and the phone of the chosen
/// one stops before the line has heard of it.
#[test]
fn whose_phone_has_stopped_is_asked_for_the_same_call_when_its_line_says_so_and_not_before() {
    let mut desk = Desk::with(SALES, Strategy::RingAll, Matching::default());
    for number in 1..=2 {
        desk.hires(number, &[SALES], &[], 1);
        desk.ready(number);
    }
    desk.comes(1, SALES);
    let [answering, chosen] = &desk.asked.clone()[..] else {
        panic!("both are asked: {:?}", desk.asked);
    };
    for asked in [answering, chosen] {
        desk.is_granted(SALES, asked);
    }
    let assigned = line::Event::Assigned {
        visit: visit(1),
        call: call(1),
        agent: chosen.agent,
        until: desk.now.plus_ms(30_000),
        by: "token:wallboard".into(),
    };
    desk.hears(AnyEvent::Line(SALES, assigned));
    let connected = calls::Event::AgentConnected {
        codec: None,
        device: None,
        offer: answering.offer,
        visit: visit(1),
        session: login(answering.agent),
        leg: LegId(Uuid::from_u128(10)),
    };
    desk.hears(AnyEvent::Call(call(1), connected));
    let released = session::Event::ReservationReleased {
        offer: chosen.offer,
        reason: ReleaseReason::AnsweredElsewhere,
        not_before: None,
        still: None,
    };
    let session = login(chosen.agent);
    desk.hears(AnyEvent::Session(session, released));
    assert_eq!(desk.pairs(), []);
}
