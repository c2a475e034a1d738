//! Who was asked in vain is asked again; and what others see of that.

use super::matching::{Asked, Desk, SALES, SERVICE, call, login, visit};
use crate::{
    any::AnyEvent,
    id::{AgentId, QueueId, SessionId},
    line::{self, ReturnCause},
    queue::{self, Matching, Strategy},
    session,
};
use uuid::Uuid;

impl Desk {
    /// The agent's session and the line have heard of the offer: the phone rings.
    pub(super) fn is_granted(&mut self, queue: QueueId, asked: &Asked) {
        let session = login(asked.agent);
        let (call, visit, offer, until) = (asked.call, asked.visit, asked.offer, asked.until);
        self.hears(AnyEvent::Session(
            session,
            session::Event::Reserved {
                offer,
                call,
                visit,
                queue,
                until,
                wrap_up_ms: 0,
                choice: None,
                terms: queue::Terms::STANDARD,
                capacity: 1,
                still: None,
            },
        ));
        self.hears(AnyEvent::Line(
            queue,
            line::Event::Matched {
                visit,
                call,
                offer,
                session,
            },
        ));
    }

    /// Reserved, matched, and not taken. What is asked for as soon as the agent is free,
    /// before the line knows that the caller waits again.
    pub(super) fn comes_back(&mut self, queue: QueueId, asked: &Asked, attempt: u32) -> Vec<Asked> {
        let (agent, session) = (asked.agent, login(asked.agent));
        let (call, visit, offer) = (asked.call, asked.visit, asked.offer);
        self.is_granted(queue, asked);
        let released = session::Event::ReservationReleased {
            offer,
            reason: session::ReleaseReason::NoAnswer,
            not_before: None,
            still: None,
        };
        self.says(agent.0.as_u64_pair().1, released);
        let next = self.asked.clone();
        self.hears(AnyEvent::Line(
            queue,
            line::Event::Returned {
                visit,
                call,
                offer,
                session,
                cause: ReturnCause::NoAnswer,
                attempt,
                still_ringing: false,
            },
        ));
        next
    }
}

#[test]
fn who_was_missed_comes_first_again_whatever_the_ids_of_the_queues() {
    for (weighty, other) in [(SALES, SERVICE), (SERVICE, SALES)] {
        let first = Matching {
            weight: 10,
            ..Matching::default()
        };
        let mut desk = Desk::with(weighty, Strategy::LongestIdle, first);
        desk.queue(other, Strategy::LongestIdle, Matching::default());
        desk.hires(1, &[weighty, other], &[], 1);
        desk.comes(1, weighty);
        desk.comes(2, other);
        desk.ready(1);
        assert_eq!(desk.pairs(), [(1, visit(1))]);
        let asked = desk.asked[0].clone();
        let next = desk.comes_back(weighty, &asked, 1);
        assert_eq!(next[0].visit, visit(2), "the first is on its way back");
        let next = desk.comes_back(other, &next[0], 1);
        assert_eq!(next[0].visit, visit(1), "{weighty} before {other}");
    }
}

#[test]
fn nobody_waits_for_one_who_is_busy_beside_one_who_is_free() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.hires(2, &[SALES], &[], 1);
    let busy = SessionId {
        agent: AgentId(Uuid::from_u64_pair(3, 2)),
        number: 1,
    };
    let wrap_up = session::Event::WrapUpStarted {
        call: call(9),
        until: desk.now.plus_ms(3_600_000),
        code_required: false,
        still: None,
    };
    desk.hears(AnyEvent::Session(busy, wrap_up));
    desk.ready(1);
    desk.comes(1, SALES);
    let asked = desk.asked[0].clone();
    desk.comes_back(SALES, &asked, 1);
    assert_eq!(
        desk.pairs(),
        [(1, visit(1))],
        "one is asked, missed, and free"
    );
}

#[test]
fn a_change_of_how_waiting_counts_lets_nobody_overtake() {
    let ageing = Matching {
        priority: 5,
        ageing_ms: 7_000,
        ..Matching::default()
    };
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, ageing.clone());
    desk.hires(1, &[SALES], &[], 1);
    desk.comes(1, SALES);
    desk.passes(60_000);
    let steady = Matching {
        ageing_ms: 0,
        ..ageing
    };
    let config = queue::Config {
        matching: steady,
        ..queue::Config::default()
    };
    desk.hears(AnyEvent::Queue(
        SALES,
        queue::Event::Configured {
            config_version: 2,
            config,
        },
    ));
    desk.comes(2, SALES);
    desk.ready(1);
    assert_eq!(desk.pairs(), [(1, visit(1))]);
    assert_eq!(desk.asked[0].choice.priority, 5, "waiting adds nothing now");
}
