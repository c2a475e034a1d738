//! Phones of agents.

use crate::{
    ends::no_complaints,
    wire::raw,
    world::{PATIENCE, REALM, World, dial, open, open_on, options, rules},
};
use commands::{credentials, ports::Position};
use domain::{any::AnyEvent, device};
use phone::{
    DigestPreference, Error, Phone, RawSocket,
    digest::{Challenge, DigestSession},
};

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
async fn a_phone_that_is_not_refreshed_expires() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let _phone = world.agent_phone("anna").await;
    let before = world.feed().head();
    world.clock.forward(121_000);
    world
        .office
        .see(before, |entry| {
            (&*entry.recorded.event_type == "binding_expired").then_some(())
        })
        .await;
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

#[tokio::test]
async fn a_nonce_that_grew_old_costs_one_challenge_and_no_registration() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let outcome = agent.register(3_600).await.unwrap();
    assert_eq!(outcome.challenges, 0, "the nonce is still good");
    let before = world.feed().head();
    world.clock.forward(sip::auth::NONCE_LIFETIME_MS + 1_000);
    let outcome = agent.register(3_600).await.unwrap();
    assert_eq!((outcome.status, outcome.challenges), (200, 1));
    assert_eq!(outcome.expires_s, Some(3_600));
    let outcome = agent.register(3_600).await.unwrap();
    assert_eq!(outcome.challenges, 0, "the new one is good, too");
    assert_eq!(world.feed().head(), before, "refreshes are no events");
    world.see_free(&agent).await;
    no_complaints(&[&agent]);
}

/// A REGISTER of the agent's own making: credentials, contact with expiry.
fn register(socket: &RawSocket, cseq: u32, expires_s: u32, credentials: &str) -> String {
    let from = socket.local_addr();
    format!(
        "REGISTER {URI} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKr{cseq}\r\n\
        From: <sip:anna@127.0.0.1>;tag=raw\r\nTo: <sip:anna@127.0.0.1>\r\n\
        Call-ID: register-raw\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
        Contact: <sip:anna@{from}>;expires={expires_s}\r\n{credentials}Content-Length: 0\r\n\r\n"
    )
}

const URI: &str = "sip:127.0.0.1";

async fn answer_to(socket: &RawSocket, text: &str) -> phone::Message {
    let answer = socket.send_and_wait_final(text.as_bytes(), PATIENCE).await;
    answer.unwrap().expect("an answer comes")
}

#[tokio::test]
async fn an_expiry_that_is_too_short_is_told_the_shortest_and_a_replay_is_challenged() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let socket = raw(&world).await;
    let challenged = answer_to(&socket, &register(&socket, 1, 59, "")).await;
    assert_eq!(challenged.status(), Some(401));
    let challenge = Challenge::choose(&challenged, DigestPreference::StrongestFirst).unwrap();
    assert!(!challenge.stale);
    let mut session = DigestSession::new(challenge);
    let mut credentials = || {
        let value = session.authorize("anna", "secret", "REGISTER", URI, "cnonce");
        format!("Authorization: {value}\r\n")
    };
    let first = credentials();
    let brief = answer_to(&socket, &register(&socket, 2, 59, &first)).await;
    assert_eq!(brief.status(), Some(423));
    assert_eq!(brief.header("Min-Expires"), Some("60"));

    let replayed = answer_to(&socket, &register(&socket, 3, 60, &first)).await;
    assert_eq!(replayed.status(), Some(401), "that count was used");
    let agents = world
        .office
        .stores
        .read
        .query("SELECT agent FROM sip_bindings", vec![]);
    assert!(agents.await.unwrap().is_empty(), "nothing was bound");

    let shortest = answer_to(&socket, &register(&socket, 4, 60, &credentials())).await;
    assert_eq!(shortest.status(), Some(200));
    let bound = shortest.header("Contact").unwrap();
    assert!(bound.ends_with(";expires=60"), "{bound}");
    let longest = answer_to(&socket, &register(&socket, 5, 100_000, &credentials())).await;
    let bound = longest.header("Contact").unwrap();
    assert!(bound.ends_with(";expires=3600"), "{bound}");
}

#[tokio::test]
async fn only_who_has_heard_our_challenge_there_has_a_transaction_kept() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let socket = raw(&world).await;
    let challenged = answer_to(&socket, &register(&socket, 1, 120, "")).await;
    assert_eq!(challenged.status(), Some(401));
    let again = answer_to(&socket, &register(&socket, 1, 120, "")).await;
    assert_eq!(
        again.header("To"),
        challenged.header("To"),
        "RFC 3261, 8.2.7"
    );
    let session = |challenged: &phone::Message| {
        let challenge = Challenge::choose(challenged, DigestPreference::StrongestFirst).unwrap();
        let mut session = DigestSession::new(challenge);
        let value = session.authorize("anna", "secret", "REGISTER", URI, "cnonce");
        format!("Authorization: {value}\r\n")
    };
    // Of before a restart: only the nonce is not good any more.
    let credentials = session(&challenged);
    let nonce = credentials.split("nonce=\"").nth(1).unwrap();
    let nonce = nonce.split('"').next().unwrap();
    let old = credentials.replace(nonce, &"0".repeat(nonce.len()));
    let stale = answer_to(&socket, &register(&socket, 2, 120, &old)).await;
    assert_eq!(stale.status(), Some(401));
    assert!(
        stale
            .header("WWW-Authenticate")
            .unwrap()
            .contains("stale=true")
    );
    for (cseq, line) in [(3, "OPTIONS"), (4, "BYE"), (5, "INFO")] {
        let text = register(&socket, cseq, 120, "").replace("REGISTER", line);
        let answer = answer_to(&socket, &text).await;
        let expected = if line == "OPTIONS" { 200 } else { 481 };
        assert_eq!(answer.status(), Some(expected), "{line}");
    }
    assert_eq!(world.sip.transactions_kept(), 0);

    let bound = answer_to(&socket, &register(&socket, 6, 120, &session(&stale))).await;
    assert_eq!(bound.status(), Some(200));
    assert_eq!(world.sip.transactions_kept(), 1);
}

/// Sends from another address of this host.
async fn raw_at(world: &World, address: &str) -> RawSocket {
    let own = address.parse().unwrap();
    RawSocket::bind(own, world.sip.local_addr()).await.unwrap()
}

#[tokio::test]
async fn a_phone_whose_requests_come_from_alternating_addresses_registers() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (here, there) = (raw(&world).await, raw_at(&world, "127.0.0.2:0").await);
    let challenged = answer_to(&here, &register(&here, 1, 120, "")).await;
    assert_eq!(challenged.status(), Some(401));
    let challenge = Challenge::choose(&challenged, DigestPreference::StrongestFirst).unwrap();
    let mut session = DigestSession::new(challenge);
    for (cseq, socket) in [(2, &there), (3, &here), (4, &there)] {
        let value = session.authorize("anna", "secret", "REGISTER", URI, "cnonce");
        let credentials = format!("Authorization: {value}\r\n");
        let bound = answer_to(socket, &register(socket, cseq, 120, &credentials)).await;
        assert_eq!(bound.status(), Some(200), "{cseq}");
    }
}

#[tokio::test]
async fn a_changed_password_is_good_at_once_and_the_old_one_no_more() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let with = |password: &str| world.phone_options("anna").with_password(password);
    let old = Phone::bind(with("secret")).await.unwrap();
    old.register(120).await.unwrap();
    let secrets = &*world.office.stores.secrets;
    credentials::keep(secrets, REALM, "anna", "another")
        .await
        .unwrap();
    let new = Phone::bind(with("another")).await.unwrap();
    new.register(120).await.unwrap();
    let late = Phone::bind(with("secret")).await.unwrap();
    let refused = late.register(120).await;
    assert!(
        matches!(refused, Err(Error::Rejected { status: 401, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn wrong_passwords_lock_nobody_else_out_at_the_same_address() {
    let world = open().await;
    let queue = world.support(rules()).await;
    for name in ["anna", "bob"] {
        world.agent(name, queue).await;
    }
    let socket = raw(&world).await;
    // Under a nonce that was never given out, as anybody can send it in any name.
    for cseq in 1..=30 {
        let made_up = format!(
            "Authorization: Digest username=\"bob\", realm=\"{REALM}\", nonce=\"{cseq:064x}\", \
            uri=\"{URI}\", response=\"0123456789abcdef0123456789abcdef\", algorithm=MD5, \
            cnonce=\"c\", qop=auth, nc=00000001\r\n"
        );
        let answer = answer_to(&socket, &register(&socket, cseq, 120, &made_up)).await;
        assert_eq!(answer.status(), Some(401), "{cseq}");
    }
    let bob = Phone::bind(world.phone_options("bob").with_password("secret"));
    bob.await.unwrap().register(120).await.unwrap();
    // Under one that was: that user is left alone for a while, and no other.
    let guesser = Phone::bind(world.phone_options("bob").with_password("guess"));
    let guesser = guesser.await.unwrap();
    let refused = loop {
        match guesser.register(120).await {
            Err(Error::Rejected { status: 401, .. }) => {}
            other => break other,
        }
    };
    assert!(
        matches!(refused, Err(Error::Rejected { status: 403, .. })),
        "{refused:?}"
    );
    world.agent_phone("anna").await;
}

#[tokio::test]
async fn who_guesses_passwords_is_soon_refused_without_a_word_to_the_proxies_before() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let options = world.phone_options("anna").with_password("guess");
    let guesser = Phone::bind(options).await.unwrap();
    let mut guesses = 0;
    let refused = loop {
        match guesser.register(120).await {
            Err(Error::Rejected { status: 401, .. }) => guesses += 1,
            other => break other,
        }
        assert!(guesses < 100, "there is an end to it");
    };
    assert!(
        matches!(refused, Err(Error::Rejected { status: 403, .. })),
        "{refused:?}"
    );
    assert!(guesses >= 5, "a person may mistype: {guesses}");
}

#[tokio::test]
async fn a_scanner_does_not_lock_out_the_phones_that_register_through_its_proxy() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let anna = world.agent_phone("anna").await;
    let scanner = raw(&world).await;
    let challenged = answer_to(&scanner, &register(&scanner, 1, 120, "")).await;
    let challenge = Challenge::choose(&challenged, DigestPreference::StrongestFirst).unwrap();
    let mut session = DigestSession::new(challenge);
    // Each guess is for another user, until there is one too many from that address.
    let mut refused = None;
    for cseq in 2..5_000 {
        let user = format!("user{cseq}");
        let value = session.authorize(&user, "guess", "REGISTER", URI, "cnonce");
        let guess = format!("Authorization: {value}\r\n");
        let answer = answer_to(&scanner, &register(&scanner, cseq, 120, &guess)).await;
        if answer.status() != Some(401) {
            refused = answer.status();
            break;
        }
    }
    assert_eq!(refused, Some(403));
    anna.register(120).await.unwrap();
}
