//! What an agent wishes is carried out once, however the session is found.

use crate::away::Away;
use commands::{
    error::DispatchError,
    seen::SeenLogins,
    sessions::{self, Wish},
};
use domain::{
    any::{AnyCommand, AnyEvent},
    id::{AgentId, SessionId},
    session::{Command, Event, LogoutReason, NotReadyReason},
};
use ringledger_tests::office::{Office, rules};
use std::sync::Arc;

const BREAK: Wish = Wish::NotReady(NotReadyReason::Break, None);

/// In which logins a break began.
async fn breaks(office: &Office) -> Vec<u32> {
    let history = office.history().await;
    let breaks = history.iter().filter_map(|entry| match &entry.fact.event {
        AnyEvent::Session(session, Event::BecameNotReady { reason, .. }) => {
            (*reason == NotReadyReason::Break).then_some(session.number)
        }
        _ => None,
    });
    breaks.collect()
}

/// An agent who has just logged out, and how many events that login has.
async fn gone_agent(office: &Office) -> (AgentId, u64) {
    let queue = office.queue("support", rules()).await;
    let agent = office.ready_agent("anna", queue).await;
    office.wish(agent, Wish::LogOut(LogoutReason::Agent)).await;
    let history = office.history().await;
    let is_of_session = |event: &AnyEvent| matches!(event, AnyEvent::Session(..));
    let said = history
        .iter()
        .filter(|entry| is_of_session(&entry.fact.event));
    (agent, said.count() as u64)
}

/// Any command of the session: the wish replaces it.
fn placeholder(agent: AgentId) -> AnyCommand {
    AnyCommand::Session(SessionId { agent, number: 1 }, Command::GoReady)
}

#[tokio::test]
async fn a_break_of_an_agent_whose_session_has_just_ended_begins_after_the_next_login() {
    let office = Office::open().await;
    let (agent, revision) = gone_agent(&office).await;
    let envelope = office.envelope(placeholder(agent));
    // What the directory said a moment before.
    let seen = SeenLogins {
        expected: revision,
        session: Some((SessionId { agent, number: 1 }, true)),
        number: 1,
        before: 0,
        revision,
    };
    let (gateway, directory) = (&office.gateway, &office.directory);
    let done = sessions::carry_out(gateway, directory, agent, BREAK, &envelope, Some(&seen)).await;
    done.unwrap();
    assert_eq!(breaks(&office).await, [2]);
}

#[tokio::test]
async fn a_break_that_was_cut_after_its_login_begins_when_it_is_asked_again() {
    let away = Arc::new(Away::default());
    let office = Office::open_without_views(away.stores().await).await;
    let (agent, revision) = gone_agent(&office).await;
    let mut envelope = office.envelope(placeholder(agent));
    let over = SeenLogins {
        expected: revision,
        session: Some((SessionId { agent, number: 1 }, false)),
        number: 1,
        before: 0,
        revision,
    };
    let (gateway, directory) = (&office.gateway, &office.directory);
    away.refuse_next("agent_became_not_ready");
    let cut = sessions::carry_out(gateway, directory, agent, BREAK, &envelope, Some(&over)).await;
    assert!(matches!(cut, Err(DispatchError::Unavailable(_))), "{cut:?}");
    assert!(breaks(&office).await.is_empty());
    // Whoever asks again does so later, and sees the login.
    envelope.at = envelope.at.plus_ms(5_000);
    let open = SeenLogins {
        session: Some((SessionId { agent, number: 2 }, true)),
        number: 2,
        before: revision,
        revision: revision + 2,
        ..over
    };
    let done = sessions::carry_out(gateway, directory, agent, BREAK, &envelope, Some(&open)).await;
    let done = done.unwrap();
    assert_eq!(breaks(&office).await, [2]);
    // The first answer, though the agent has gone and would be logged in anew.
    directory.wait_for(done.position).await;
    office.wish(agent, Wish::LogOut(LogoutReason::Agent)).await;
    let again = sessions::carry_out(gateway, directory, agent, BREAK, &envelope, None).await;
    assert_eq!(again.unwrap(), done);
    assert_eq!(breaks(&office).await, [2]);
    assert_eq!(directory.session(agent).map(|(_, open)| open), Some(false));
}
