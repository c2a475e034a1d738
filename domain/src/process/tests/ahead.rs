//! A call that is sent on before it was to wait was offered to its queue all the same: the
//! line writes that it came and went.

use super::{
    enqueue::{ELSEWHERE, created, ended_in, enqueued, opened, opened_in, overflow_of, unstaffed},
    *,
};
use crate::{
    call::{self, AnswerMode, OverflowCause},
    cause::{By, Disposition, EndReason},
    id::{QueueId, VisitId},
    line::{self, VisitResult},
    process::enqueue::Enqueue,
    queue,
    testing::{CALL, QUEUE, VISIT},
};

const NEXT: VisitId = crate::testing::OTHER_VISIT;
const THIRD: VisitId = VisitId(Uuid::from_u128(4_711));
const LAST_QUEUE: QueueId = QueueId(Uuid::from_u128(4_712));

fn overflowed(visit: VisitId, queue: QueueId) -> AnyEvent {
    let overflowed = call::Event::Overflowed {
        mailbox: None,
        visit,
        queue,
        cause: OverflowCause::Unstaffed,
        by: None,
        why: None,
    };
    AnyEvent::Call(CALL, overflowed)
}

fn goes_to(visit: VisitId, queue: QueueId) -> AnyEvent {
    let next = call::Event::Enqueued {
        visit,
        queue,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    AnyEvent::Call(CALL, next)
}

fn closed(visit: VisitId, queue: QueueId) -> AnyEvent {
    let closed = line::Event::Closed {
        visit,
        call: CALL,
        result: VisitResult::Overflow,
        closed_at: second(40),
        wait_ms: 0,
        measure: None,
    };
    AnyEvent::Line(queue, closed)
}

/// The call has come into a queue for which nobody is there, and is to be sent on.
fn comes() -> Heard<Enqueue> {
    let AnyEvent::Queue(_, elsewhere) = created(AnswerMode::OnAgent, 0) else {
        unreachable!("a queue is created");
    };
    let heard = process::<Enqueue>()
        .hears([
            unstaffed(queue::OverflowTo::Queue(ELSEWHERE)),
            AnyEvent::Queue(ELSEWHERE, elsewhere.clone()),
            AnyEvent::Queue(LAST_QUEUE, elsewhere),
        ])
        .hears_at(second(20), enqueued());
    overflow_of(&heard.asked);
    heard
}

/// The stays that lines are asked for, with the rest of what is asked of them.
fn stays(heard: &Heard<Enqueue>) -> Vec<(QueueId, VisitId, Option<VisitId>, Option<VisitResult>)> {
    let asked = heard.asked.iter().filter_map(|command| {
        let AnyCommand::Line(queue, command) = command else {
            return None;
        };
        if let line::Command::OpenVisit {
            visit, previous, ..
        } = command
        {
            return Some((*queue, *visit, *previous, None));
        }
        let line::Command::CloseVisit { visit, result, .. } = command else {
            return None;
        };
        Some((*queue, *visit, None, Some(*result)))
    });
    asked.collect()
}

#[test]
fn a_call_that_is_sent_on_at_once_came_and_went_and_the_next_stay_names_it() {
    let heard = comes().hears_at(second(21), overflowed(VISIT, QUEUE));
    assert_eq!(stays(&heard), [(QUEUE, VISIT, None, None)]);
    let [AnyCommand::Line(_, line::Command::OpenVisit { capacity, .. })] = heard.asked[..] else {
        panic!("{:?}", heard.asked);
    };
    assert_eq!(capacity, u32::MAX, "it takes nobody's room");
    let heard = heard.hears_at(second(21), goes_to(NEXT, ELSEWHERE));
    assert_eq!(stays(&heard), [], "it stands in one line at a time");
    let heard = heard.hears_at(second(22), opened(AnswerMode::Immediate, 5_000));
    // Neither is it answered, nor does it wait for the end of its patience.
    let overflow = Some(VisitResult::Overflow);
    assert_eq!(stays(&heard), [(QUEUE, VISIT, None, overflow)]);
    assert_eq!(heard.asked.len(), 1, "{:?}", heard.asked);
    let heard = heard.sleeps_until(None);
    let heard = heard.hears_at(second(23), closed(VISIT, QUEUE));
    assert_eq!(stays(&heard), [(ELSEWHERE, NEXT, Some(VISIT), None)]);
}

#[test]
fn a_call_that_leaves_or_ends_while_it_is_sent_on_was_offered_too() {
    let gives_up = (EndReason::Hangup, By::Caller, Disposition::Abandoned);
    let is_rung_back = (
        EndReason::CallbackRequested,
        By::Caller,
        Disposition::CallbackRequested,
    );
    for ((reason, by, disposition), result) in [
        (gives_up, VisitResult::Abandoned),
        (is_rung_back, VisitResult::Callback),
    ] {
        let ended = ended_in((VISIT, QUEUE), reason, by, disposition);
        let heard = comes().hears_at(second(21), ended);
        assert_eq!(stays(&heard), [(QUEUE, VISIT, None, None)]);
        let heard = heard.hears_at(second(22), opened(AnswerMode::OnAgent, 0));
        assert_eq!(stays(&heard), [(QUEUE, VISIT, None, Some(result))]);
    }
}

#[test]
fn each_queue_of_a_chain_is_passed_through_one_after_the_other() {
    // The second sends it on before the first has let it go.
    let heard = comes()
        .hears_at(second(21), overflowed(VISIT, QUEUE))
        .hears_at(second(21), goes_to(NEXT, ELSEWHERE))
        .hears_at(second(21), overflowed(NEXT, ELSEWHERE))
        .hears_at(second(21), goes_to(THIRD, LAST_QUEUE));
    assert_eq!(stays(&heard), []);
    let heard = heard
        .hears_at(second(22), opened(AnswerMode::OnAgent, 0))
        .hears_at(second(22), closed(VISIT, QUEUE));
    assert_eq!(stays(&heard), [(ELSEWHERE, NEXT, Some(VISIT), None)]);
    let heard = heard.hears_at(
        second(23),
        opened_in((NEXT, ELSEWHERE), AnswerMode::OnAgent, 0),
    );
    let overflow = Some(VisitResult::Overflow);
    assert_eq!(stays(&heard), [(ELSEWHERE, NEXT, None, overflow)]);
    let heard = heard.hears_at(second(24), closed(NEXT, ELSEWHERE));
    assert_eq!(stays(&heard), [(LAST_QUEUE, THIRD, Some(NEXT), None)]);
}
