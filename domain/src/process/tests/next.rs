//! What a decision says of itself: who would have been next, what decided between the
//! two, and how long the caller had waited.

use super::{
    matching::{Asked, Desk, SALES, call, login, visit},
    *,
};
use crate::{
    agent::{self, Place},
    id::{AgentId, LegId, OfferId},
    queue::{Matching, Strategy, Terms},
    session::{DecidedBy, LeftOutReason, NextState, NotReadyReason, ReleaseReason},
};

const ALL: [Strategy; 11] = [
    Strategy::LongestIdle,
    Strategy::FewestCalls,
    Strategy::LeastTalkTime,
    Strategy::RoundRobin,
    Strategy::Linear,
    Strategy::Random,
    Strategy::WeightedRandom,
    Strategy::OrderedRoundRobin,
    Strategy::BestSkill,
    Strategy::RingAll,
    Strategy::RingProgressively,
];

fn person(number: u64) -> AgentId {
    AgentId(Uuid::from_u64_pair(3, number))
}

const fn rings(number: u64) -> OfferId {
    OfferId(Uuid::from_u64_pair(8, number))
}

/// The agent is taken for a caller of the queue, and the phone rings.
fn is_taken(desk: &mut Desk, agent: u64) {
    let reserved = session::Event::Reserved {
        offer: rings(agent),
        call: call(900 + agent),
        visit: visit(900 + agent),
        queue: SALES,
        until: desk.now.plus_ms(60_000),
        wrap_up_ms: 0,
        choice: None,
        terms: Terms::STANDARD,
        capacity: 1,
        still: None,
    };
    desk.says(agent, reserved);
}

/// The phone rings no more, and nobody is to blame.
fn is_free_again(desk: &mut Desk, agent: u64) {
    let released = session::Event::ReservationReleased {
        offer: rings(agent),
        reason: ReleaseReason::CallerGone,
        not_before: None,
        still: None,
    };
    desk.says(agent, released);
}

/// How many agents: two tiers, of which the second has the last of them.
const AGENTS: u64 = 6;

/// A floor on which that one was rung last; those named take no calls now.
fn floor(strategy: Strategy, rung_last: u64, away: &[u64]) -> Desk {
    let mut desk = Desk::with(SALES, strategy, Matching::default());
    for number in 1..=AGENTS {
        desk.hires(number, &[SALES], &[], 1);
        let place = Place {
            tier: if number < 5 { 1 } else { 2 },
            weight: u8::try_from(number).unwrap(),
            ..Place::first(SALES)
        };
        let config = agent::Config {
            display_name: None,
            queues: vec![SALES],
            ready_on_register: false,
            registration_grace_ms: agent::REGISTRATION_GRACE_MS,
            capacity: 1,
            skills: vec![],
            places: vec![place],
        };
        let event = agent::Event::Configured {
            config_version: 2,
            config,
        };
        desk.hears(AnyEvent::Agent(person(number), event));
        // Some have become ready in the same instant.
        desk.passes(number % 2);
        desk.ready(number);
    }
    is_taken(&mut desk, rung_last);
    is_free_again(&mut desk, rung_last);
    for number in away {
        let reason = NotReadyReason::Break;
        let event = session::Event::BecameNotReady { reason, code: None };
        desk.says(*number, event);
    }
    desk
}

/// Who is asked first for that visit.
fn asks(mut desk: Desk, number: u64) -> Option<Asked> {
    desk.comes(number, SALES);
    desk.asked.first().cloned()
}

#[test]
fn who_would_have_been_next_is_who_is_asked_where_the_chosen_one_is_not_there() {
    // With all of the first tier, with one of it, and with none.
    for away in [&[][..], &[1, 2, 3], &[1, 2, 3, 4]] {
        for strategy in ALL {
            for number in 1..=24 {
                let rung_last = number % AGENTS + 1;
                let made = asks(floor(strategy, rung_last, away), number).expect("one is free");
                let (_, chosen) = made.agent.0.as_u64_pair();
                let without = [away, &[chosen]].concat();
                let without = asks(floor(strategy, rung_last, &without), number);
                assert_eq!(
                    made.choice.next,
                    without.map(|made| made.agent),
                    "{strategy:?}, {rung_last} rung last, {away:?} away"
                );
                let behind = made.choice.left_out.iter();
                let behind = behind.filter(|out| out.reason == LeftOutReason::Behind);
                let named: Vec<AgentId> = behind.flat_map(|out| out.agents.clone()).collect();
                assert_eq!(named, Vec::from_iter(made.choice.next));
            }
        }
    }
}

#[test]
fn in_a_round_the_next_is_the_next_of_the_round() {
    let made = asks(floor(Strategy::OrderedRoundRobin, 1, &[4, 5, 6]), 1).unwrap();
    assert_eq!((made.agent, made.choice.next), (person(2), Some(person(3))));
    // Behind the last one the round begins anew.
    let made = asks(floor(Strategy::OrderedRoundRobin, 2, &[4, 5, 6]), 1).unwrap();
    assert_eq!((made.agent, made.choice.next), (person(3), Some(person(1))));
}

/// Two agents of the same class, of whom the second is ready so long after the first.
fn two(strategy: Strategy, later_ms: u64) -> Desk {
    let mut desk = Desk::with(SALES, strategy, Matching::default());
    for number in 1..=2 {
        desk.hires(number, &[SALES], &[], 1);
    }
    desk.ready(1);
    desk.passes(later_ms);
    desk.ready(2);
    desk
}

#[test]
fn what_decided_is_told_down_to_the_id() {
    let told = |desk: Desk| {
        let made = asks(desk, 1).expect("one is free");
        (made.agent, made.choice.decided_by, made.choice.next)
    };
    let first = |decided_by| (person(1), decided_by, Some(person(2)));
    // The one has waited for a call for longer, which is the strategy itself or comes
    // after it.
    assert_eq!(
        told(two(Strategy::LongestIdle, 1_000)),
        first(DecidedBy::Strategy)
    );
    assert_eq!(
        told(two(Strategy::FewestCalls, 1_000)),
        first(DecidedBy::IdleSince)
    );
    assert_eq!(
        told(two(Strategy::RoundRobin, 1_000)),
        first(DecidedBy::IdleSince)
    );
    // Ready in one instant, and never called.
    for strategy in [
        Strategy::LongestIdle,
        Strategy::FewestCalls,
        Strategy::LeastTalkTime,
        Strategy::RoundRobin,
        Strategy::BestSkill,
    ] {
        assert_eq!(told(two(strategy, 0)), first(DecidedBy::Id), "{strategy:?}");
    }
    // Where an order, or chance, leaves no tie, that decides.
    assert_eq!(told(two(Strategy::Linear, 0)), first(DecidedBy::Strategy));
    let (_, decided_by, _) = told(two(Strategy::Random, 0));
    assert_eq!(decided_by, DecidedBy::Strategy);
    // The first has had a call.
    let mut desk = two(Strategy::RoundRobin, 1_000);
    is_taken(&mut desk, 1);
    is_free_again(&mut desk, 1);
    let second = (person(2), DecidedBy::Strategy, Some(person(1)));
    assert_eq!(told(desk), second);
}

#[test]
fn the_place_among_the_free_counts_whoever_stands_before_the_chosen_one_and_nobody_else() {
    // The second was asked in vain, and the third would have been next.
    let mut desk = Desk::with(SALES, Strategy::Linear, Matching::default());
    for number in 1..=3 {
        desk.hires(number, &[SALES], &[], 1);
    }
    desk.ready(2);
    desk.comes(1, SALES);
    let in_vain = desk.asked[0].clone();
    desk.ready(1);
    desk.ready(3);
    desk.comes_back(SALES, &in_vain, 1);
    let choice = &desk.asked[0].choice;
    assert_eq!(desk.pairs(), [(1, visit(1))]);
    assert_eq!((choice.place, choice.free_count), (1, 3));
    assert_eq!(choice.next, Some(person(3)));
}

#[test]
fn a_decision_tells_how_long_the_call_had_waited_since_it_was_enqueued_first() {
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    // It comes from another queue, where it had waited for a minute and a half.
    let joined_at = desk.now;
    let enqueued_at = Timestamp::from_micros(joined_at.micros() - 90_000_000);
    desk.waits(1, SALES, (enqueued_at, Some(joined_at)));
    desk.passes(5_000);
    desk.ready(1);
    assert_eq!(desk.asked[0].choice.waited_ms, 95_000);
}

#[test]
fn whoever_becomes_not_ready_with_the_end_of_an_offer_is_asked_for_nobody_meanwhile() {
    let asks_for = |next: NextState, completes: session::Event| {
        let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
        desk.hires(1, &[SALES], &[], 1);
        desk.ready(1);
        is_taken(&mut desk, 1);
        desk.comes(1, SALES);
        let asked = session::Event::NextStateRequested { next, code: None };
        desk.says(1, asked);
        is_free_again(&mut desk, 1);
        // The other half of the same commit has not been read.
        assert_eq!(desk.pairs(), []);
        desk.says(1, completes);
        assert_eq!(desk.pairs(), []);
    };
    let reason = NotReadyReason::Break;
    asks_for(
        NextState::NotReady(reason),
        session::Event::BecameNotReady { reason, code: None },
    );
    let reason = session::LogoutReason::Agent;
    asks_for(
        NextState::LoggedOut(reason),
        session::Event::LoggedOut { reason },
    );
    // Too many offers in vain take the agent out, also without anybody's word.
    let mut desk = Desk::with(SALES, Strategy::LongestIdle, Matching::default());
    desk.hires(1, &[SALES], &[], 1);
    desk.ready(1);
    desk.comes(1, SALES);
    for asked_again in [true, true, false] {
        let offer = desk.asked[0].offer;
        let reserved = session::Event::Reserved {
            offer,
            call: call(1),
            visit: visit(1),
            queue: SALES,
            until: desk.now.plus_ms(60_000),
            wrap_up_ms: 0,
            choice: None,
            terms: Terms::STANDARD,
            capacity: 1,
            still: None,
        };
        desk.says(1, reserved);
        let in_vain = session::Event::ReservationReleased {
            offer,
            reason: ReleaseReason::NoAnswer,
            not_before: None,
            still: None,
        };
        desk.says(1, in_vain);
        assert_eq!(!desk.pairs().is_empty(), asked_again);
    }
}

#[test]
fn a_call_that_is_answered_rings_at_no_further_phone() {
    let mut desk = Desk::with(SALES, Strategy::RingAll, Matching::default());
    for number in 1..=3 {
        desk.hires(number, &[SALES], &[], 1);
    }
    desk.ready(1);
    desk.ready(2);
    desk.comes(1, SALES);
    let first = desk.asked[0].clone();
    let connected = call::Event::AgentConnected {
        codec: None,
        device: None,
        offer: first.offer,
        visit: first.visit,
        session: login(first.agent),
        leg: LegId(Uuid::from_u128(10)),
    };
    desk.hears(AnyEvent::Call(first.call, connected));
    // The line has not heard of it yet.
    desk.ready(3);
    assert_eq!(desk.pairs(), []);
}
