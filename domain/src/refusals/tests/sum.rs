//! Calls that were refused are summed up.

use super::*;
use crate::{
    cause::EndReason,
    testing::{NOW, second},
    time::Timestamp,
};

fn sum(calls_count: u64, since: Timestamp) -> Command {
    Command::Sum {
        reason: EndReason::Overload,
        calls_count,
        since,
    }
}

fn summed(calls_count: u64) -> Event {
    Event::Summed {
        reason: EndReason::Overload,
        calls_count,
        since: second(59),
    }
}

#[test]
fn calls_that_have_no_record_are_counted_with_their_reason() {
    let refusals = story([]).when(sum(7, second(59))).then([summed(7)]);
    assert_eq!(refusals.state().calls_count, 7);
}

#[test]
fn one_call_that_came_now_is_a_sum_too() {
    let summed = Event::Summed {
        reason: EndReason::Overload,
        calls_count: 1,
        since: NOW,
    };
    story([]).when(sum(1, NOW)).then([summed]);
}

#[test]
fn calls_are_summed_up_once() {
    story([summed(7)])
        .when(sum(7, second(59)))
        .refused(Error::AlreadySummed);
}

#[test]
fn there_is_no_sum_of_nothing_and_none_of_the_future() {
    story([])
        .when(sum(0, second(59)))
        .refused(Error::NoCalls)
        .when(sum(1, second(61)))
        .refused(Error::InvalidTime);
}
