use super::{AgentLog, Interval, State, intervals};
use crate::testing::{Side, World, actions, fold_all, play};
use domain::{any::AnyEvent, id::AgentId, session::Event, time::Timestamp};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn told(world: &World) -> Vec<Interval> {
    let rows = fold_all::<AgentLog>(world);
    intervals(rows.values())
}

#[tokio::test]
async fn an_agents_day_is_told_state_by_state() {
    let mut world = World::open().await;
    world.arrives(1).settle().pass(1_000).offers(1, 1);
    world.pass(2_000).rings(1);
    world.pass(3_000).answers(1).settle();
    world.pass(4_000).hangs_up(1, Side::Caller).settle();
    let first = told(&world)
        .iter()
        .find(|interval| interval.state == State::Ringing)
        .map(|interval| interval.agent);
    let states: Vec<_> = told(&world)
        .into_iter()
        .filter(|interval| Some(interval.agent) == first)
        .map(|interval| {
            let ms = interval.end.map(|end| end.ms_since(interval.start));
            (interval.state, ms)
        })
        .collect();
    let engaged: Vec<_> = states
        .into_iter()
        .skip_while(|(state, _)| *state != State::Reserved)
        .take(3)
        .collect();
    assert_eq!(
        engaged,
        [
            (State::Reserved, Some(2_000)),
            (State::Ringing, Some(3_000)),
            (State::OnContact, Some(4_000)),
        ]
    );
}

#[tokio::test]
async fn an_agent_with_two_callers_is_on_contact_until_the_last_has_gone() {
    let mut world = World::open().await;
    world.capacity = 2;
    world.arrives(1).arrives(2).settle();
    world.pass(1_000).offers(1, 1);
    world.pass(1_000).rings(1).pass(1_000).answers(1).settle();
    world.pass(1_000).offers(2, 1);
    world.pass(1_000).rings(2).pass(1_000).answers(2).settle();
    world
        .pass(1_000)
        .hangs_up(1, Side::Caller)
        .settle()
        .pass(1_000)
        .hangs_up(2, Side::Caller)
        .settle();
    let agent = crate::testing::agent(1);
    let told: Vec<_> = told(&world)
        .into_iter()
        .filter(|interval| interval.agent == agent)
        .skip_while(|interval| interval.state != State::Reserved)
        .map(|interval| (interval.state, interval.call))
        .collect();
    let (first, second) = (crate::testing::call(1), crate::testing::call(2));
    // What rings beside a call is no interval of its own, nor is work while another call lasts.
    assert_eq!(
        told,
        [
            (State::Reserved, Some(first)),
            (State::Ringing, Some(first)),
            (State::OnContact, Some(first)),
            (State::OnContact, Some(second)),
            (State::WrapUp, Some(first)),
        ]
    );
}

/// How long each agent was logged in, from the facts of login and logout alone.
fn logged_in(world: &World) -> BTreeMap<AgentId, i64> {
    let mut since: BTreeMap<AgentId, Timestamp> = BTreeMap::new();
    let mut sums: BTreeMap<AgentId, i64> = BTreeMap::new();
    for fact in &world.facts {
        let AnyEvent::Session(id, event) = &fact.event else {
            continue;
        };
        if let Event::LoggedIn { .. } = event {
            since.insert(id.agent, fact.at);
        }
        if let Event::LoggedOut { .. } = event
            && let Some(since) = since.remove(&id.agent)
        {
            *sums.entry(id.agent).or_default() += fact.at.micros() - since.micros();
        }
    }
    for (agent, since) in since {
        *sums.entry(agent).or_default() += world.now.micros() - since.micros();
    }
    sums
}

proptest! {
    #[test]
    fn intervals_partition_the_time_logged_in(history in actions()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let world = runtime.block_on(play(&history));
        let mut sums: BTreeMap<AgentId, i64> = BTreeMap::new();
        let mut last: BTreeMap<AgentId, Timestamp> = BTreeMap::new();
        for interval in told(&world) {
            let end = interval.end.unwrap_or(world.now);
            if let Some(before) = last.insert(interval.agent, end) {
                prop_assert!(before <= interval.start, "overlap: {interval:?}");
            }
            *sums.entry(interval.agent).or_default() += end.micros() - interval.start.micros();
        }
        let mut logged_in = logged_in(&world);
        logged_in.retain(|_, sum| *sum > 0);
        sums.retain(|_, sum| *sum > 0);
        prop_assert_eq!(sums, logged_in);
    }
}
