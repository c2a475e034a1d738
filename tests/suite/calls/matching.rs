//! Who gets a call over real SIP: everybody at once, whoever is fit by now,
//! whoever served the caller last.

use crate::{
    ends::{end_of, hangup, hung_up, no_complaints},
    world::{PATIENCE, World, dial, open, rules},
};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent},
    call,
    cause::{By, OfferOutcome},
    id::AgentId,
    queue::{self, Matching, Relaxation, Requirement, Strategy},
    session::{self, DecidedBy, LeftOutReason, NotReadyReason, ReleaseReason},
};
use phone::{AgentScript, EndedBy, Talk};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::watch;

fn ring_all() -> queue::Config {
    queue::Config {
        strategy: Strategy::RingAll,
        capacity: 500,
        ..rules()
    }
}

/// The decision for each reservation, in order.
async fn choices(world: &World) -> Vec<(AgentId, session::Choice)> {
    let history = world.office.history().await;
    let reserved = history.iter().filter_map(|entry| match &entry.fact.event {
        AnyEvent::Session(
            id,
            session::Event::Reserved {
                choice: Some(choice),
                ..
            },
        ) => Some((id.agent, (**choice).clone())),
        _ => None,
    });
    reserved.collect()
}

#[tokio::test]
async fn every_phone_rings_and_the_first_who_answers_has_the_caller() {
    let world = open().await;
    let queue = world.support(ring_all()).await;
    let mut phones = vec![];
    for name in ["anna", "bert", "carl"] {
        world.agent(name, queue).await;
        phones.push(world.agent_phone(name).await);
    }
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let mut ringing = vec![];
    for phone in &phones {
        let incoming = phone.next_incoming().await.unwrap();
        incoming.ring().await.unwrap();
        ringing.push(incoming);
    }
    ringing[1].answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    for index in [0, 2] {
        let ended = ringing[index].wait_ended(PATIENCE).await.unwrap();
        assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
        world
            .office
            .see(before, |entry| match &entry.fact.event {
                AnyEvent::Session(_, session::Event::ReservationReleased { reason, .. }) => {
                    assert_eq!(*reason, ReleaseReason::AnsweredElsewhere);
                    Some(())
                }
                _ => None,
            })
            .await;
    }
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&ringing[1]).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));

    // A caller who leaves stops every phone, and nobody has missed anything.
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let mut ringing = vec![];
    for phone in &phones {
        let incoming = phone.next_incoming().await.unwrap();
        incoming.ring().await.unwrap();
        ringing.push(incoming);
    }
    out.cancel().await.unwrap();
    for incoming in &ringing {
        let ended = incoming.wait_ended(PATIENCE).await.unwrap();
        assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));
    }
    world.the_end(before).await;
    world.see_nothing_left().await;
    let history = world.office.history().await;
    let missed = history.iter().filter(|entry| {
        matches!(
            &entry.fact.event,
            AnyEvent::Session(
                _,
                session::Event::ReservationReleased {
                    reason: ReleaseReason::NoAnswer | ReleaseReason::TimedOut,
                    ..
                } | session::Event::BecameNotReady {
                    reason: NotReadyReason::Rona,
                    ..
                }
            )
        )
    });
    assert_eq!(missed.count(), 0);
    let others: Vec<_> = phones.iter().chain([&caller]).collect();
    no_complaints(&others);
}

const CALLS: usize = 200;
const CALLERS: usize = 20;
const AGENTS: usize = 10;
/// Two hundred rounds of ringing, one after the other, on a slow machine.
const ALL: Duration = Duration::from_secs(120);

#[tokio::test]
async fn two_hundred_calls_that_ring_at_ten_agents_each_reach_exactly_one() {
    let world = open().await;
    let queue = world.support(ring_all()).await;
    let (stop, stopped) = watch::channel(false);
    let mut shifts = vec![];
    for number in 0..AGENTS {
        let name = format!("agent{number}");
        world.agent(&name, queue).await;
        let agent = world.agent_phone(&name).await;
        let mut stopped = stopped.clone();
        let script = AgentScript {
            // Two of them always answer in the same moment.
            ring_ms: 5 + (number as u64 / 2) * 3,
            talk: Talk::ForMs(20),
            ..AgentScript::default()
        };
        shifts.push(tokio::spawn(async move {
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            agent.run_agent(script, until).await
        }));
    }
    let mut callers = vec![];
    for number in 0..CALLERS {
        let caller = world.phone(&format!("49300{number:03}")).await;
        callers.push(tokio::spawn(async move {
            for _ in 0..CALLS / CALLERS {
                let out = dial(&caller, "support").await;
                out.wait_answered(ALL).await.unwrap();
                hung_up(&out).await;
            }
            no_complaints(&[&caller]);
        }));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    world.see_nothing_left().await;
    stop.send(true).unwrap();
    for shift in shifts {
        let stats = shift.await.unwrap();
        assert_eq!(stats.overlaps(), 0, "one call at a time");
        assert_eq!(stats.failed, 0, "{stats:?}");
    }
    each_reached_one(&world).await;
}

/// Every call had one agent and one end, and every other offer was answered
/// elsewhere.
async fn each_reached_one(world: &World) {
    let history = world.office.history().await;
    let (mut connected, mut ended) = (BTreeMap::new(), BTreeMap::new());
    let (mut offers, mut elsewhere) = (0, 0);
    for entry in &history {
        let AnyEvent::Call(call, event) = &entry.fact.event else {
            continue;
        };
        match event {
            call::Event::AgentConnected { session, .. } => {
                assert_eq!(connected.insert(*call, session.agent), None, "{call}");
            }
            call::Event::OfferStarted { .. } => offers += 1,
            call::Event::OfferEnded { outcome, .. } => {
                assert_eq!(*outcome, OfferOutcome::AnsweredElsewhere, "{call}");
                elsewhere += 1;
            }
            event => {
                if let Some(end) = end_of(event) {
                    assert_eq!(end, hangup(By::Agent));
                    assert_eq!(ended.insert(*call, ()), None, "{call} ends once");
                }
            }
        }
    }
    assert_eq!((connected.len(), ended.len()), (CALLS, CALLS));
    assert_eq!(offers, CALLS + elsewhere, "every offer has one end");
    assert!(
        elsewhere > CALLS,
        "several phones rang for most calls: {elsewhere}"
    );
}

#[tokio::test]
async fn whoever_is_fit_after_some_waiting_and_then_the_last_agent_is_rung() {
    let world = open().await;
    let wanted = Requirement {
        skill: "german".into(),
        level: 4,
        preferred: false,
        relax: vec![Relaxation {
            after_ms: 700,
            level: 1,
        }],
    };
    let config = queue::Config {
        matching: Matching {
            skills: vec![wanted],
            last_agent_ms: 20_000,
            ..Matching::default()
        },
        ..rules()
    };
    let queue = world.support(config).await;
    for (name, level) in [("anna", None), ("bert", Some(2))] {
        let id = world.agent(name, queue).await;
        let skills = level.map(|level| agent::Skill {
            skill: "german".into(),
            level,
        });
        let config = agent::Config {
            display_name: None,
            queues: vec![queue],
            ready_on_register: true,
            registration_grace_ms: agent::REGISTRATION_GRACE_MS,
            capacity: 1,
            skills: skills.into_iter().collect(),
            places: vec![],
        };
        let name = name.into();
        let command = agent::Command::Configure { name, config };
        let command = AnyCommand::Agent(id, command);
        world.office.dispatch(command).await.unwrap();
    }
    let anna = world.agent_phone("anna").await;
    let bert = world.agent_phone("bert").await;
    let caller = world.phone("4930111").await;
    // Anna has been free for longer, and knows no German: Bert is enough later.
    let mut waits = vec![];
    for _ in 0..2 {
        let out = dial(&caller, "support").await;
        let incoming = bert.next_incoming().await.unwrap();
        incoming.answer().await.unwrap();
        out.wait_answered(PATIENCE).await.unwrap();
        assert_eq!(out.hang_up().await.unwrap(), 200);
        hung_up(&incoming).await;
        world.see_nothing_left().await;
        let (_, choice) = choices(&world).await.pop().expect("a decision is kept");
        waits.push((choice.waited_ms, choice.decided_by, choice.left_out));
    }
    for (waited_ms, _, _) in &waits {
        assert!((700..5_000).contains(waited_ms), "{waited_ms}");
    }
    let reasons = waits[0].2.iter().map(|left_out| left_out.reason);
    assert_eq!(reasons.collect::<Vec<_>>(), [LeftOutReason::Skill]);
    assert_eq!(waits[1].1, DecidedBy::LastAgent);
    no_complaints(&[&caller, &anna, &bert]);
}
