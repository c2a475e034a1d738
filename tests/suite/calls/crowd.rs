//! Many calls at once.

use crate::{
    ends::{end_of, hangup, hung_up, no_complaints},
    world::{PATIENCE, World, dial, open, rules},
};
use domain::{any::AnyEvent, cause::By};
use phone::{AgentScript, AgentStats, Phone, Talk};
use std::{collections::BTreeSet, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

const CALLERS: usize = 100;
const AGENTS: usize = 10;
/// Ten calls one after the other for each agent, on a slow machine.
const ALL: Duration = Duration::from_secs(60);

/// An agent who takes calls until told to stop.
fn work(agent: Phone, mut stopped: watch::Receiver<bool>) -> JoinHandle<(Phone, AgentStats)> {
    let script = AgentScript {
        ring_ms: 5,
        talk: Talk::ForMs(100),
        ..AgentScript::default()
    };
    tokio::spawn(async move {
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let stats = agent.run_agent(script, until).await;
        (agent, stats)
    })
}

/// Every agent is free: as many callers as agents talk at the same time.
async fn see_all_free(world: &World, agents: &[Phone]) {
    let caller = world.phone("4930999").await;
    let mut calls = Vec::new();
    for _ in agents {
        calls.push(dial(&caller, "support").await);
    }
    let mut taken = Vec::new();
    for agent in agents {
        let incoming = tokio::time::timeout(PATIENCE, agent.next_incoming()).await;
        let incoming = incoming.expect("every agent gets a call").unwrap();
        incoming.answer().await.unwrap();
        taken.push(incoming);
    }
    for call in &calls {
        call.wait_answered(PATIENCE).await.unwrap();
    }
    assert_eq!(world.sip.calls(), agents.len());
    for call in &calls {
        assert_eq!(call.hang_up().await.unwrap(), 200);
    }
    for call in &taken {
        hung_up(call).await;
    }
    world.see_nothing_left().await;
    no_complaints(&[&caller]);
}

#[tokio::test]
async fn a_hundred_calls_over_ten_agents_are_all_answered_one_at_a_time() {
    let world = open().await;
    let queue = world.support(rules()).await;
    let (stop, stopped) = watch::channel(false);
    let mut shifts = Vec::new();
    for number in 0..AGENTS {
        let name = format!("agent{number}");
        world.agent(&name, queue).await;
        shifts.push(work(world.agent_phone(&name).await, stopped.clone()));
    }
    let mut callers = Vec::new();
    for number in 0..CALLERS {
        let caller = world.phone(&format!("49300{number:03}")).await;
        callers.push(tokio::spawn(async move {
            let out = dial(&caller, "support").await;
            out.wait_answered(ALL).await.unwrap();
            hung_up(&out).await;
            no_complaints(&[&caller]);
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    world.see_nothing_left().await;
    stop.send(true).unwrap();

    let mut agents = Vec::new();
    let mut served = BTreeSet::new();
    for shift in shifts {
        let (agent, stats) = shift.await.unwrap();
        assert_eq!(stats.overlaps(), 0, "one call at a time");
        assert_eq!(stats.answered, stats.offered, "{stats:?}");
        assert!(stats.answered > 0, "everybody works");
        served.extend(stats.records.into_iter().filter_map(|call| call.from_user));
        no_complaints(&[&agent]);
        agents.push(agent);
    }
    assert_eq!(served.len(), CALLERS, "every caller reached an agent");
    let history = world.office.history().await;
    let ends = history.iter().filter_map(|entry| match &entry.fact.event {
        AnyEvent::Call(call, event) => end_of(event).map(|end| (*call, end)),
        _ => None,
    });
    let mut ended = BTreeSet::new();
    for (call, end) in ends {
        assert!(ended.insert(call), "each call ends once");
        assert_eq!(end, hangup(By::Agent));
    }
    assert_eq!(ended.len(), CALLERS);
    see_all_free(&world, &agents).await;
}
