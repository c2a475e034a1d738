//! What phones say while the store is away is in the record afterwards, whole
//! and in its order.

use crate::{
    ends::{connect, hung_up},
    faults::{Faults, open_faulty},
    world::{GRACE_MS, World, open_on, options, rules},
};
use commands::{
    ports::{Position, Statement, Value},
    tail::Entry,
};
use domain::{
    any::AnyEvent,
    call::{self, AnswerMode},
    cause::OfferOutcome,
    device,
};
use phone::{Error, Phone, Transport};
use std::sync::{Arc, atomic::Ordering};

async fn agent_of(world: &World) -> Phone {
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let options = world.phone_options("anna").with_password("secret");
    Phone::bind(options).await.unwrap()
}

async fn see(world: &World, after: Position, event_type: &str) {
    let look =
        |entry: &commands::tail::Entry| (&*entry.recorded.event_type == event_type).then_some(());
    world.office.see(after, look).await;
}

async fn rows(world: &World) -> usize {
    let select = "SELECT agent FROM sip_bindings";
    let rows = world.office.stores.read.query(select, vec![]).await;
    rows.unwrap().len()
}

async fn see_rows(world: &World, wanted: usize) {
    let all = async {
        while rows(world).await != wanted {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let seen = tokio::time::timeout(crate::world::PATIENCE, all).await;
    seen.expect("the rows come and go");
}

fn is_unavailable(answer: &Result<phone::RegisterOutcome, Error>) -> bool {
    matches!(answer, Err(Error::Rejected { status: 503, .. }))
}

#[tokio::test]
async fn a_phone_that_could_not_be_stored_is_new_when_it_comes_again() {
    let (world, faults) = open_faulty().await;
    let phone = agent_of(&world).await;
    faults.rows.store(true, Ordering::Relaxed);
    let refused = phone.register(120).await;
    assert!(is_unavailable(&refused), "{refused:?}");
    let before = world.feed().head();
    faults.heal();
    phone.register(120).await.unwrap();
    see(&world, before, "agent_logged_in").await;
}

#[tokio::test]
async fn a_binding_whose_event_a_crash_has_cost_is_recorded_at_the_next_start() {
    let (world, _faults) = open_faulty().await;
    let _phone = agent_of(&world).await;
    let agent = domain::id::AgentId::named(domain::id::DEFAULT_TENANT, "anna");
    let insert = Statement {
        sql: "INSERT INTO sip_bindings (agent, contact, uri, send_to, over_tcp, expires_at_ms, \
              call_id, cseq, q_milli) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        parameters: vec![
            Value::Text(agent.to_string()),
            Value::Text("sip:anna@127.0.0.1:9".into()),
            Value::Text("sip:anna@127.0.0.1:9".into()),
            Value::Text("127.0.0.1:9".into()),
            Value::Int(0),
            Value::Int(i64::MAX),
            Value::Text("crash".into()),
            Value::Int(1),
            Value::Int(1000),
        ],
        must_touch: None,
    };
    let office = world.office.clone();
    office.stores.read.transact(vec![insert]).await.unwrap();
    drop(world);
    let before = office.feed.head();
    let world = open_on(office.clone(), options()).await;
    see(&world, before, "agent_logged_in").await;
    drop(world);

    // Another start knows it all and records nothing.
    let registered = || async {
        let history = office.history().await;
        let is_one = |event: &AnyEvent| {
            matches!(event, AnyEvent::Device(_, device::Event::Registered { .. }))
        };
        history.iter().filter(|e| is_one(&e.fact.event)).count()
    };
    let world = open_on(office.clone(), options()).await;
    let phone = Phone::bind(world.phone_options("anna").with_password("secret"));
    phone.await.unwrap().register(120).await.unwrap();
    assert_eq!(registered().await, 2, "the crashed one and the new one");
}

#[tokio::test]
async fn the_row_of_a_phone_that_signs_off_stays_until_the_record_knows() {
    let (world, faults) = open_faulty().await;
    let phone = agent_of(&world).await;
    let before = world.feed().head();
    phone.register(120).await.unwrap();
    see(&world, before, "agent_logged_in").await;
    faults.refuse("device_deregistered", u32::MAX);
    let refused = phone.register(0).await;
    assert!(is_unavailable(&refused), "{refused:?}");
    assert_eq!(rows(&world).await, 1);
    let before = world.feed().head();
    faults.heal();
    see(&world, before, "device_deregistered").await;
    see(&world, before, "agent_logged_out").await;
    see_rows(&world, 0).await;
}

#[tokio::test]
async fn a_row_that_could_not_be_deleted_is_deleted_later() {
    let (world, faults) = open_faulty().await;
    let phone = agent_of(&world).await;
    phone.register(120).await.unwrap();
    faults.rows.store(true, Ordering::Relaxed);
    let refused = phone.register(0).await;
    assert!(is_unavailable(&refused), "{refused:?}");
    faults.heal();
    see_rows(&world, 0).await;
}

/// Names of the events of holding, in the order of the record.
async fn holding(world: &World) -> Vec<String> {
    let history = world.office.history().await;
    let names = history.iter().map(|e| e.recorded.event_type.to_string());
    names
        .filter(|name| name == "call_held" || name == "call_retrieved")
        .collect()
}

async fn hold_while_away(world: &World, faults: &Arc<Faults>) {
    let agent = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let (out, incoming) = connect(&caller, &agent).await;
    let before = world.feed().head();
    // The hold alone can not be written, several times.
    faults.refuse("call_held", 4);
    assert_eq!(incoming.hold().await.unwrap(), 200);
    assert_eq!(incoming.resume().await.unwrap(), 200);
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    world.see_end(before).await;
}

#[tokio::test]
async fn a_retrieve_does_not_overtake_its_hold_while_the_store_is_away() {
    let (world, faults) = open_faulty().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    hold_while_away(&world, &faults).await;
    assert_eq!(holding(&world).await, ["call_held", "call_retrieved"]);
}

#[tokio::test]
async fn a_phone_whose_connection_is_gone_is_let_go_without_waiting_for_its_expiry() {
    let (world, _faults) = open_faulty().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut options = world.phone_options("anna");
    options.transport = Transport::Tcp;
    let phone = world.agent_phone_with(options.clone()).await;
    let before = world.feed().head();
    drop(phone);
    see(&world, before, "binding_expired").await;
    see(&world, before, "agent_became_not_ready").await;
    see_rows(&world, 0).await;
    let when = |entry: &Entry, event_type: &str| {
        (&*entry.recorded.event_type == event_type).then_some(entry.fact.at)
    };
    let office = &world.office;
    let (_, lost_at) = office.see(before, |it| when(it, "binding_expired")).await;
    let paused = office.see(before, |it| when(it, "agent_became_not_ready"));
    let (_, paused_at) = paused.await;
    assert!(
        paused_at.ms_since(lost_at) >= GRACE_MS,
        "{lost_at} {paused_at}"
    );
    // It is back, and so is the agent.
    let before = world.feed().head();
    let _phone = world.agent_phone_with(options).await;
    see(&world, before, "agent_became_ready").await;
}

#[tokio::test]
async fn a_phone_on_a_connection_must_come_back_soon_after_a_restart() {
    let (world, _faults) = open_faulty().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut phone = world.phone_options("anna");
    phone.transport = Transport::Tcp;
    let _phone = world.agent_phone_with(phone).await;
    let office = world.office.clone();
    drop(world);
    let before = office.feed.head();
    let world = open_on(office, options()).await;
    assert_eq!(rows(&world).await, 1);
    // It has registered for twice as long.
    world.clock.forward(61_000);
    see(&world, before, "binding_expired").await;
}

#[tokio::test]
async fn an_agent_is_not_kept_for_a_caller_who_is_not_here() {
    let (world, _faults) = open_faulty().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let _phone = world.agent_phone("anna").await;
    // A call that is in the record, but of which no leg is left.
    let before = world.feed().head();
    let caller = world.office.ring_in(queue, AnswerMode::OnAgent).await;
    let ended = |entry: &commands::tail::Entry| match &entry.fact.event {
        AnyEvent::Call(call, call::Event::OfferEnded { outcome, .. }) if *call == caller.call => {
            Some(*outcome)
        }
        _ => None,
    };
    let (_, outcome) = world.office.see(before, ended).await;
    assert_eq!(outcome, OfferOutcome::Unreachable);
}
