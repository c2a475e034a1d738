//! Phones of agents.

use crate::world::{PATIENCE, dial, open, open_on, options, rules};
use commands::ports::Position;
use domain::{any::AnyEvent, device};
use phone::{DigestPreference, Error, Phone};

#[tokio::test]
async fn a_refresh_is_no_event() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let phone = world.agent_phone("anna").await;
    phone.register(120).await.unwrap();
    phone.register(120).await.unwrap();
    let registered = world
        .office
        .history()
        .await
        .iter()
        .filter(|entry| {
            matches!(
                &entry.fact.event,
                AnyEvent::Device(_, device::Event::Registered { .. })
            )
        })
        .count();
    assert_eq!(registered, 1);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_agent_do_not_register() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    for (user, password) in [("anna", "wrong"), ("nobody", "secret")] {
        let options = world.phone_options(user).with_password(password);
        let phone = Phone::bind(options).await.unwrap();
        let refused = phone.register(120).await;
        assert!(
            matches!(refused, Err(Error::Rejected { status: 401, .. })),
            "{user}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_phone_that_signs_off_ends_its_agents_session() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let phone = world.agent_phone("anna").await;
    phone.unregister().await.unwrap();
    world
        .office
        .see(Position::default(), |entry| {
            (&*entry.recorded.event_type == "agent_logged_out").then_some(())
        })
        .await;
}

#[tokio::test]
async fn old_and_new_phones_register_each_with_the_digest_it_knows() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    for digest in [
        DigestPreference::Md5Only,
        DigestPreference::Sha256Only,
        DigestPreference::ServerOrder,
    ] {
        let mut options = world.phone_options("anna").with_password("secret");
        options.digest = digest;
        let phone = Phone::bind(options).await.unwrap();
        phone.register(120).await.unwrap();
        phone.unregister().await.unwrap();
    }
}

#[tokio::test]
async fn a_phone_that_is_not_refreshed_expires_and_its_agent_is_logged_out() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let _phone = world.agent_phone("anna").await;
    let before = world.feed().head();
    world.clock.forward(121_000);
    for event_type in ["binding_expired", "agent_logged_out"] {
        world
            .office
            .see(before, |entry| {
                (&*entry.recorded.event_type == event_type).then_some(())
            })
            .await;
    }
    let rows = world
        .office
        .stores
        .read
        .query("SELECT agent FROM sip_bindings", vec![])
        .await
        .unwrap();
    assert!(rows.is_empty());
}

#[tokio::test]
async fn a_phone_behind_nat_is_called_where_it_registered_from() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut options = world.phone_options("anna");
    options.contact = Some("sip:anna@192.168.77.3".into());
    let agent = world.agent_phone_with(options).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    incoming.wait_ended(PATIENCE).await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn a_restart_keeps_the_phones() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let office = world.office.clone();
    drop(world);
    let world = open_on(office, options()).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
}
