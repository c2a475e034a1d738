//! A supervisor takes a call from its agent: whom the caller hears, what the agent's phone is
//! told, and what ends the call then.

use crate::{
    ends::{hangup, hung_up, no_complaints},
    supervised::{AGENT_HZ, CALLER_HZ, SUPERVISOR_HZ, Scene, got_bye, heard},
    world::{PATIENCE, open, open_relay, options, relay_options},
};
use commands::ports::Position;
use domain::{
    any::AnyEvent,
    call::{SupervisionEnd, SupervisionMode},
    cause::{By, Disposition, EndReason},
    session,
};
use phone::{Codec, IncomingCall, PhoneOptions};
use ringledger_tests::office::rules;

const TAKEOVER: SupervisionMode = SupervisionMode::Takeover;

/// The supervisor's phone is rung to take the call, and answers.
async fn taken(scene: &Scene) -> IncomingCall {
    let before = scene.world.feed().head();
    scene.ask(TAKEOVER).await;
    let supervising = scene.sam.next_incoming().await.unwrap();
    supervising.media().play_tone(SUPERVISOR_HZ, 0.2);
    supervising.ring().await.unwrap();
    supervising.answer().await.unwrap();
    scene.world.see(before, "call_taken_over").await;
    supervising
}

/// The agent's contact has ended, and what follows it, after that position.
async fn agent_is_let_go(scene: &Scene, after: Position) {
    got_bye(&scene.incoming).await;
    let told = scene
        .world
        .office
        .see(after, |entry| match &entry.fact.event {
            AnyEvent::Session(_, session::Event::ContactEnded { call, .. }) => Some(*call),
            _ => None,
        });
    assert_eq!(told.await.1, scene.call);
}

/// Caller and supervisor hear each other and nobody else.
async fn they_talk(scene: &Scene, supervising: &IncomingCall) {
    heard(scene.out.media(), &[SUPERVISOR_HZ]).await;
    heard(supervising.media(), &[CALLER_HZ]).await;
}

#[tokio::test]
async fn the_caller_talks_with_the_supervisor_and_the_agent_goes_to_work_after_the_call() {
    let mut wraps_up = rules();
    wraps_up.wrap_up_ms = 60_000;
    let scene = Scene::open_with(open().await, wraps_up, |options| options).await;
    heard(scene.out.media(), &[AGENT_HZ]).await;
    let before = scene.ask(TAKEOVER).await;
    let supervising = scene.sam.next_incoming().await.unwrap();
    supervising.media().play_tone(SUPERVISOR_HZ, 0.2);
    supervising.ring().await.unwrap();
    // Nothing changes while it rings.
    heard(scene.out.media(), &[AGENT_HZ]).await;
    heard(scene.incoming.media(), &[CALLER_HZ]).await;
    supervising.answer().await.unwrap();
    agent_is_let_go(&scene, before).await;
    they_talk(&scene, &supervising).await;
    // The caller's phone was told nothing: one answer, and packets of one stream.
    assert_eq!(scene.out.media().stats().source_changes, 0);
    let works = scene
        .world
        .office
        .see(before, |entry| match &entry.fact.event {
            AnyEvent::Session(_, session::Event::WrapUpStarted { call, .. }) => Some(*call),
            _ => None,
        });
    assert_eq!(works.await.1, scene.call);
    assert_eq!(supervising.hang_up().await.unwrap(), 200);
    hung_up(&scene.out).await;
    let end = scene.world.the_end(scene.before).await;
    assert_eq!(end, hangup(By::Supervisor));
    let story = scene.world.story(scene.call).await;
    let of_it = |event: &&String| event.starts_with("supervision") || event.contains("taken");
    let told: Vec<_> = story.iter().filter(of_it).collect();
    let expected = [
        "supervision_requested",
        "supervision_started",
        "call_taken_over",
    ];
    assert_eq!(told, expected);
    no_complaints(&[&scene.caller, &scene.anna, &scene.sam]);
}

#[tokio::test]
async fn a_phone_that_does_not_take_the_call_leaves_it_with_its_agent() {
    let scene = Scene::open().await;
    for (status, reason) in [(486, SupervisionEnd::Busy), (603, SupervisionEnd::Rejected)] {
        let position = scene.ask(TAKEOVER).await;
        let ringing = scene.sam.next_incoming().await.unwrap();
        ringing.ring().await.unwrap();
        ringing.reject(status).await.unwrap();
        assert_eq!(scene.ends(position).await.0, reason);
    }
    scene.sam.unregister().await.unwrap();
    let position = scene.ask(TAKEOVER).await;
    let unreachable = SupervisionEnd::Unreachable;
    assert_eq!(scene.ends(position).await.0, unreachable);
    scene.talks_on().await;
}

#[tokio::test]
async fn whoever_listens_takes_the_call_at_once_also_with_another_law_and_the_caller_ends_it() {
    let a_law = |mut options: PhoneOptions| {
        options.codecs = vec![Codec::Pcma];
        options
    };
    let scene = Scene::open_in(open().await, a_law).await;
    let supervising = scene.supervise(SupervisionMode::Barge).await;
    heard(scene.out.media(), &[AGENT_HZ, SUPERVISOR_HZ]).await;
    let before = scene.ask(TAKEOVER).await;
    agent_is_let_go(&scene, before).await;
    they_talk(&scene, &supervising).await;
    // The agent is free, and takes the next call while this one goes on.
    let next = scene.world.phone("4930888").await;
    let (out, incoming) = crate::ends::connect(&next, &scene.anna).await;
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    they_talk(&scene, &supervising).await;
    assert_eq!(scene.out.hang_up().await.unwrap(), 200);
    got_bye(&supervising).await;
    scene.world.see_nothing_left().await;
    assert_eq!(scene.world.ends_of(scene.call).await, 1);
    no_complaints(&[&scene.caller, &scene.anna, &scene.sam, &next]);
}

#[tokio::test]
async fn caller_and_supervisor_hold_each_other_and_who_was_held_is_talked_with() {
    let scene = Scene::open().await;
    // The agent holds the caller, who hears the supervisor instead of the music then.
    assert_eq!(scene.incoming.hold().await.unwrap(), 200);
    let supervising = taken(&scene).await;
    got_bye(&scene.incoming).await;
    they_talk(&scene, &supervising).await;
    for (holds, other) in [
        (&*supervising, scene.out.media()),
        (&*scene.out, supervising.media()),
    ] {
        let before = scene.world.feed().head();
        assert_eq!(holds.hold().await.unwrap(), 200);
        scene.world.see(before, "call_held").await;
        heard(other, &[]).await;
        assert_eq!(holds.resume().await.unwrap(), 200);
        scene.world.see(before, "call_retrieved").await;
        they_talk(&scene, &supervising).await;
    }
    assert_eq!(supervising.hang_up().await.unwrap(), 200);
    hung_up(&scene.out).await;
    let end = scene.world.the_end(scene.before).await;
    assert_eq!(end, hangup(By::Supervisor));
    scene.world.see_free(&scene.anna).await;
    no_complaints(&[&scene.caller, &scene.anna, &scene.sam]);
}

#[tokio::test]
async fn a_supervisor_who_vanishes_with_the_call_is_missed_and_the_caller_is_let_go() {
    let relay = media::Options {
        silence_timeout_ms: 600,
        ..relay_options()
    };
    let world = open_relay(options(), relay).await;
    let scene = Scene::open_in(world, |options| options).await;
    let supervising = taken(&scene).await;
    they_talk(&scene, &supervising).await;
    supervising.vanish().await.unwrap();
    got_bye(&scene.out).await;
    let end = scene.world.the_end(scene.before).await;
    assert_eq!(
        (end.disposition, end.by, end.reason),
        (
            Disposition::Answered,
            By::Supervisor,
            EndReason::MediaSilence
        )
    );
    scene.world.see_free(&scene.anna).await;
    no_complaints(&[&scene.caller, &scene.anna]);
}

#[tokio::test]
async fn an_agent_who_hangs_up_as_the_supervisor_answers_ends_the_call_or_only_leaves_it() {
    for round in 0..4 {
        let scene = Scene::open().await;
        scene.ask(TAKEOVER).await;
        let supervising = scene.sam.next_incoming().await.unwrap();
        supervising.ring().await.unwrap();
        let (answered, left) = tokio::join!(supervising.answer(), scene.incoming.hang_up());
        assert!(answered.is_ok() && left.is_ok(), "round {round}");
        scene.incoming.wait_ended(PATIENCE).await.unwrap();
        // The call's stream says which was first; either way there is one end.
        let story = scene.world.story(scene.call).await;
        let is_taken = story.iter().any(|event| event == "call_taken_over");
        if is_taken {
            assert_eq!(scene.out.hang_up().await.unwrap(), 200);
        }
        scene.out.wait_ended(PATIENCE).await.unwrap();
        supervising.wait_ended(PATIENCE).await.unwrap();
        let end = scene.world.the_end(scene.before).await;
        let expected = match scene.world.story(scene.call).await {
            story if story.iter().any(|event| event == "call_taken_over") => By::Caller,
            _ => By::Agent,
        };
        assert_eq!(end.by, expected, "round {round}");
        scene.world.see_free(&scene.anna).await;
    }
}
